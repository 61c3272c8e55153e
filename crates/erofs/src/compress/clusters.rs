//! LZ4 in physical clusters, and where the end of a file goes.

use super::{Data, End, Extent, Tail};
use crate::format::BLOCK;
use crate::lz4::{self, Encoder, Workspace};
use crate::options::Features;

/// Content that is too short to be worth a map header and an index behind its inode.
const MIN_INLINE: usize = 64;
/// Content that is too short to be worth a map header: it follows the inode as it is.
const MIN_FRAGMENT: usize = 32;
/// Noise that is long enough for blocks of its own: among others it saves nothing, and readers get it block by block.
const MIN_NOISE: usize = 2 * BLOCK;
/// Most bytes of a cluster of content of which LZ4 saves hardly any: a longer one saves no more, and less of it is the
/// same in files that differ here and there.
const MAX_POOR: usize = 64 << 10;
/// Pieces that are compressed to see whether all of the content fits into a cluster, into so much of a cluster each, or this
/// much: from the middle of each third, for how a file begins says little of it.
const SAMPLES: usize = 3;
const SAMPLE: usize = 64;
const MIN_SAMPLE: usize = 256;
/// Most content, in clusters, of which that is asked.
const MAX_ASKED: usize = 16;
/// Bytes of a map header and the shortest index.
const MAP_HEADER: usize = 16;
/// Most bytes of a cluster behind an inode, which shares a block with it.
const MAX_INLINE: usize = BLOCK - 64 - MAP_HEADER;

/// LZ4 in physical clusters, or `None` where that and its index save nothing. Only where the content is the last of
/// its file, which has so many bytes in all, its end may be elsewhere.
///
/// Every extent but the last crosses the end of a logical cluster, since the index has room for one start in each: a
/// compressed extent takes more content than its blocks hold, a stored one exactly a block.
pub(super) fn compress(
    content: &[u8],
    end_of: Option<u64>,
    features: Features,
    workspace: &mut Workspace,
) -> Option<Data> {
    let may_fragment = features.fragments && end_of.is_some();
    let may_inline = features.inline_tails && end_of.is_some() && !may_fragment;
    let least = match (may_fragment, may_inline) {
        (true, _) => MIN_FRAGMENT,
        (_, true) => MIN_INLINE,
        _ => BLOCK,
    };
    let is_fragment = features.is_fragment(content.len());
    let has_own_blocks =
        is_fragment && content.len() >= MIN_NOISE && lz4::is_noise(content, workspace);
    if content.len() <= least || has_own_blocks {
        return None;
    }
    let blocks = workspace.room(content.len());
    let mut clusters = Clusters {
        content,
        encoder: Encoder::new(content, features.level, workspace),
        is_poor: false,
        blocks,
        extents: Vec::new(),
    };
    let mut end = End::Blocks;
    let mut at = 0;
    while at < content.len() {
        let left = content.len() - at;
        if may_fragment && clusters.rest_seems_to_fit(at, features.pcluster) {
            end = clusters.put_fragment(at);
            break;
        }
        if left <= BLOCK && !may_inline {
            // In a block of its own LZ4 gains nothing.
            at = clusters.put_stored(at, content.len());
            continue;
        }
        let (consumed, lz4) = clusters.next(at, features.pcluster);
        if consumed == left && (may_inline || may_fragment) {
            // Among others the end needs less than in a cluster that it does not fill.
            end = if may_inline { clusters.end_inline(at, lz4) } else { clusters.put_fragment(at) };
            break;
        }
        if saves(consumed, &lz4) {
            clusters.put_compressed(at, &lz4);
            at += consumed;
        } else {
            // What did not compress in a cluster is not tried again block by block.
            let end = content.len().min(at + (consumed - consumed % BLOCK).max(BLOCK));
            at = clusters.put_stored(at, end);
        }
    }
    clusters.finish(end, end_of, features.pcluster)
}

/// All of the content as one physical cluster, or `None` where that takes too many blocks.
pub(crate) fn one_cluster(
    content: &[u8],
    features: Features,
    workspace: &mut Workspace,
) -> Option<Vec<u8>> {
    let mut lz4 = Vec::new();
    let mut encoder = Encoder::new(content, features.level, workspace);
    let consumed = encoder.block(0, features.pcluster, &mut lz4).consumed;
    if consumed < content.len() || !saves(consumed, &lz4) {
        return None;
    }
    let mut cluster = vec![0; lz4.len().next_multiple_of(BLOCK) - lz4.len()];
    cluster.extend(lz4);
    Some(cluster)
}

/// Whether LZ4 takes fewer blocks than the content that it holds.
fn saves(consumed: usize, lz4: &[u8]) -> bool {
    consumed > lz4.len().next_multiple_of(BLOCK)
}

/// The clusters of a segment as they are made.
struct Clusters<'a> {
    content: &'a [u8],
    encoder: Encoder<'a>,
    /// Whether LZ4 saved hardly any of the last cluster.
    is_poor: bool,
    blocks: Vec<u8>,
    extents: Vec<Extent>,
}

impl Clusters<'_> {
    /// Content from `start` on in at most `limit` bytes: how much of it, and the bytes.
    fn cluster(&mut self, start: usize, limit: usize) -> (usize, Vec<u8>) {
        let mut out = Vec::with_capacity(limit.min(self.content.len() - start + BLOCK));
        let block = self.encoder.block(start, limit, &mut out);
        (block.consumed, out)
    }

    /// Whether the content from `start` on is likely to be one cluster of at most `limit` bytes: what is no longer is,
    /// whether it compresses or not. To be sure all of it would have to be compressed, and once more among other
    /// fragments. If it is not, it is a long fragment.
    fn rest_seems_to_fit(&mut self, start: usize, limit: usize) -> bool {
        let left = self.content.len() - start;
        if left <= limit {
            return true;
        }
        let most = match self.extents.last() {
            Some(last) => (start - last.start as usize) * 3 / 2,
            None => MAX_ASKED * limit,
        };
        if left > most {
            return false;
        }
        let part = left / SAMPLES;
        let size = |nth| {
            let middle = start + nth * part + part / 2;
            let (consumed, lz4) = self.cluster(middle, MIN_SAMPLE.max(limit / SAMPLE));
            part as u64 * lz4.len() as u64 / consumed as u64
        };
        // Nothing lies before a sample, so that it takes more than it would among what it is part of.
        (0..SAMPLES).map(size).sum::<u64>() <= (limit + limit / 4) as u64
    }

    /// The next cluster, of at most `limit` bytes.
    fn next(&mut self, start: usize, limit: usize) -> (usize, Vec<u8>) {
        let limit = if self.is_poor { limit.min(MAX_POOR) } else { limit };
        let (consumed, lz4) = self.cluster(start, limit);
        self.is_poor = consumed < lz4.len() + lz4.len() / 8;
        if !self.is_poor || lz4.len() <= MAX_POOR || start + consumed == self.content.len() {
            return (consumed, lz4);
        }
        self.cut(start, &lz4, MAX_POOR)
    }

    /// As much of a cluster as `limit` bytes hold.
    fn cut(&self, start: usize, lz4: &[u8], limit: usize) -> (usize, Vec<u8>) {
        let mut short = Vec::with_capacity(limit);
        let block = lz4::cut(lz4, &self.content[start..], limit, &mut short);
        (block.consumed, short)
    }

    /// Puts LZ4 into as many blocks as it needs, zeros in front.
    fn put_compressed(&mut self, start: usize, lz4: &[u8]) {
        let blocks = lz4.len().div_ceil(BLOCK);
        self.blocks.resize(self.blocks.len() + blocks * BLOCK - lz4.len(), 0);
        self.blocks.extend_from_slice(lz4);
        self.extents.push(Extent { start: start as u32, compressed: true, blocks: blocks as u16 });
    }

    /// Stores content as it is, a block at a time, and gives its end.
    fn put_stored(&mut self, start: usize, end: usize) -> usize {
        for at in (start..end).step_by(BLOCK) {
            self.blocks.extend_from_slice(&self.content[at..end.min(at + BLOCK)]);
            self.blocks.resize(self.blocks.len().next_multiple_of(BLOCK), 0);
            self.extents.push(Extent { start: at as u32, compressed: false, blocks: 1 });
        }
        end
    }

    /// Puts as much of a cluster as fills whole blocks, if that saves any, and gives the end of its content.
    fn put_whole_blocks(&mut self, at: usize, lz4: &[u8]) -> usize {
        let limit = lz4.len() - lz4.len() % BLOCK;
        if limit == 0 {
            return at;
        }
        let (consumed, full) = self.cut(at, lz4, limit);
        if !saves(consumed, &full) {
            return at;
        }
        self.put_compressed(at, &full);
        at + consumed
    }

    /// Makes the content from `at` on a fragment.
    fn put_fragment(&mut self, at: usize) -> End {
        self.extents.push(Extent { start: at as u32, compressed: true, blocks: 0 });
        End::Fragment(self.content[at..].to_vec())
    }

    /// Ends the file with the content from `at` on, which `lz4` holds: whole blocks first, so that little follows
    /// the inode.
    fn end_inline(&mut self, at: usize, lz4: Vec<u8>) -> End {
        let end = self.content.len();
        if lz4.len() <= MAX_INLINE && lz4.len() < end - at {
            return self.put_tail(at, Some(lz4));
        }
        let (blocks, extents) = (self.blocks.len(), self.extents.len());
        let rest = self.put_whole_blocks(at, &lz4);
        if rest == end {
            return End::Blocks;
        }
        if rest > at {
            let (consumed, short) = self.cluster(rest, MAX_INLINE);
            if rest + consumed == end && short.len() < consumed {
                return self.put_tail(rest, Some(short));
            }
            if end - rest <= MAX_INLINE {
                return self.put_tail(rest, None);
            }
            self.blocks.truncate(blocks);
            self.extents.truncate(extents);
        }
        if saves(end - at, &lz4) {
            self.put_compressed(at, &lz4);
            return End::Blocks;
        }
        let tail = (end - at) % BLOCK;
        if tail == 0 || tail > MAX_INLINE {
            self.put_stored(at, end);
            return End::Blocks;
        }
        self.put_stored(at, end - tail);
        self.put_tail(end - tail, None)
    }

    /// Makes the last extent of LZ4, or of content as it is.
    fn put_tail(&mut self, start: usize, lz4: Option<Vec<u8>>) -> End {
        self.extents.push(Extent { start: start as u32, compressed: lz4.is_some(), blocks: 1 });
        let content = &self.content[start..];
        // Many tails may wait for their inodes, and are no longer than need be.
        let mut bytes = lz4.unwrap_or_else(|| content.to_vec());
        bytes.shrink_to_fit();
        End::Tail(Tail { bytes, content: (content.len() <= BLOCK).then(|| content.to_vec()) })
    }

    /// All of it, if it is shorter than the content, which may be the last of a file of so many bytes.
    fn finish(mut self, end: End, end_of: Option<u64>, limit: usize) -> Option<Data> {
        let elsewhere = match &end {
            End::Blocks => 0,
            End::Tail(tail) => tail.bytes.len() + MAP_HEADER,
            End::Fragment(content) => content.len(),
        };
        let all = self.blocks.len() + index(self.content.len() as u64) + elsewhere;
        let saves = all < self.content.len()
            || match &end {
                End::Fragment(content) => {
                    let start = self.content.len() - content.len();
                    self.fragment_saves(start, end_of.unwrap_or_default(), limit)
                }
                _ => false,
            };
        let Self { blocks, extents, .. } = self;
        saves.then_some(Data::Compressed { blocks, extents, end })
    }

    /// Whether the content from `start` on is worth an index of all of a file of `size` bytes as a fragment, if all else of it
    /// is stored as it is: the end of an archive for instance, which says what is in it.
    fn fragment_saves(&mut self, start: usize, size: u64, limit: usize) -> bool {
        if start == 0 {
            // A file that is nothing else has no better place.
            return true;
        }
        let (consumed, lz4) = self.cluster(start, limit);
        consumed.saturating_sub(lz4.len()) > index(size)
    }
}

/// Bytes of the shortest index of so much content: a pack of 16 entries takes 32.
fn index(size: u64) -> usize {
    (size.div_ceil(BLOCK as u64) * 2).try_into().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;

//! Indexes of compressed files: which extent starts in which logical cluster, and where its block is.
//!
//! Full indexes have 8 bytes per cluster. Compact ones come in packs of 2 or 16 clusters that share one block address;
//! what an entry leaves out follows from its neighbours, as in the kernel's `fs/erofs/zmap.c`.

use std::io::{Read, Seek};
use std::ops::Range;

use super::Image;
use crate::error::{Error, corrupt};
use crate::format::{self, BLOCK, BLOCK_BYTES, LclusterIndex};

/// Logical clusters whose full index is read at once.
const PIECE: u64 = 512;
/// Bit of `delta[0]` that says that it is a number of blocks (`Z_EROFS_LI_D0_CBLKCNT`).
const D0_CBLKCNT: u16 = 1 << 11;
/// Bits of an entry's value in a pack (`lobits`); its type takes two more.
const VALUE_BITS: usize = 12;

/// Where and of which form an index is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Layout {
    /// Byte offset of the first entry.
    pub(super) at: u64,
    /// Whether entries come in packs.
    pub(super) compact: bool,
    /// Whether packs of 16 are used.
    pub(super) packs_of_16: bool,
    /// Whether physical clusters may be larger than a block.
    pub(super) big_pcluster: bool,
    /// Logical clusters.
    pub(super) clusters: u64,
}

/// What an index says of a logical cluster.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Lcluster {
    /// An extent starts here.
    Head {
        compressed: bool,
        /// Where in the cluster.
        start: u16,
        /// Address of the extent's first block.
        block: u32,
        /// Whether the extent is only the beginning of what the block holds.
        partial: bool,
    },
    /// None starts here; with the number of the extent's blocks where it is told.
    NonHead { blocks: Option<u16> },
}

/// The part of an index that was read last.
#[derive(Debug, Default)]
pub(super) struct Cache {
    range: Range<u64>,
    entries: Vec<Lcluster>,
}

impl Layout {
    /// Clusters in packs of 2 in front, and in packs of 16 behind them.
    fn packs(self) -> (u64, u64) {
        // The packs of 16 take 32 bytes and are aligned to that.
        let first = self.at.next_multiple_of(32).saturating_sub(self.at) / 4;
        if !self.packs_of_16 || first >= self.clusters {
            return (self.clusters, 0);
        }
        let rest = self.clusters.saturating_sub(first);
        (first, rest.saturating_sub(rest % 16))
    }

    /// Bytes of the index.
    pub(super) fn size(self) -> u64 {
        if !self.compact {
            return self.clusters.saturating_mul(8);
        }
        let (first, middle) = self.packs();
        if middle == 0 {
            return self.clusters.next_multiple_of(2).saturating_mul(4);
        }
        let last = self.clusters.saturating_sub(first).saturating_sub(middle);
        let small = first.saturating_add(last.next_multiple_of(2));
        small.saturating_mul(4).saturating_add(middle.saturating_mul(2))
    }

    /// The pack of a cluster: its first cluster, how many it has, its place and its bytes.
    fn pack(self, lcn: u64) -> (u64, usize, u64, usize) {
        let (first, middle) = self.packs();
        let behind = first.saturating_add(middle);
        let small = |start: u64, base: u64| {
            let offset = lcn.saturating_sub(start);
            let offset = offset.saturating_sub(offset % 2);
            (start.saturating_add(offset), 2, base.saturating_add(offset.saturating_mul(4)), 8)
        };
        let middle_at = self.at.saturating_add(first.saturating_mul(4));
        if lcn < first || middle == 0 {
            small(0, self.at)
        } else if lcn < behind {
            let offset = lcn.saturating_sub(first);
            let offset = offset.saturating_sub(offset % 16);
            let place = middle_at.saturating_add(offset.saturating_mul(2));
            (first.saturating_add(offset), 16, place, 32)
        } else {
            small(behind, middle_at.saturating_add(middle.saturating_mul(2)))
        }
    }
}

impl<R: Read + Seek> Image<R> {
    /// What the index says of a cluster.
    pub(super) fn lcluster(
        &mut self,
        cache: &mut Cache,
        layout: Layout,
        lcn: u64,
    ) -> Result<Lcluster, Error> {
        if !cache.range.contains(&lcn) {
            *cache = if layout.compact { self.pack(layout, lcn)? } else { self.full(layout, lcn)? };
        }
        let offset = usize::try_from(lcn.saturating_sub(cache.range.start)).unwrap_or(usize::MAX);
        let found = cache.entries.get(offset).copied();
        found.ok_or_else(|| {
            corrupt(layout.at, "index", format_args!("{} clusters", layout.clusters), lcn)
        })
    }

    /// Some entries of a full index from a cluster on.
    fn full(&mut self, layout: Layout, lcn: u64) -> Result<Cache, Error> {
        let end = layout.clusters.min(lcn.saturating_add(PIECE));
        let at = layout.at.saturating_add(lcn.saturating_mul(8));
        let bytes = self.read_vec(at, end.saturating_sub(lcn).saturating_mul(8), "index")?;
        let (chunks, _) = bytes.as_chunks::<8>();
        let entries = chunks.iter().map(|bytes| {
            let entry: LclusterIndex = zerocopy::transmute!(*bytes);
            let advise = entry.di_advise.get();
            let kind = advise & format::LCLUSTER_TYPE_MASK;
            if advise & !(format::LCLUSTER_TYPE_MASK | format::PARTIAL_REF) != 0 {
                return Err(Error::Unsupported("an index newer than this program"));
            }
            if kind == format::LCLUSTER_NONHEAD {
                let [low, high, ..] = entry.di_u.to_bytes();
                let blocks = block_count(u16::from_le_bytes([low, high]));
                return Ok(Lcluster::NonHead { blocks: blocks.filter(|_| layout.big_pcluster) });
            }
            let (start, partial) = (entry.di_clusterofs.get(), advise & format::PARTIAL_REF != 0);
            head(at, kind, start, entry.di_u.get(), partial)
        });
        Ok(Cache { range: lcn..end, entries: entries.collect::<Result<_, _>>()? })
    }

    /// The pack that a cluster is in.
    fn pack(&mut self, layout: Layout, lcn: u64) -> Result<Cache, Error> {
        let (first, count, at, size) = layout.pack(lcn);
        let bytes = self.read_vec(at, size as u64, "index")?;
        let Some((fields, base)) = bytes.split_last_chunk::<4>() else {
            return Err(corrupt(at, "pack of an index", size, bytes.len()));
        };
        // Two packs of 4 bytes a cluster have 16 bits for each, packs of 2 bytes a cluster 14.
        let width = if count == 2 { 16 } else { 14 };
        let mut block = u32::from_le_bytes(*base);
        if !layout.big_pcluster {
            // Older than big clusters: the address is one before the first head's.
            block = block.wrapping_add(1);
        }
        let mut entries = Vec::with_capacity(count);
        let mut previous_is_head = false;
        for place in 0..count {
            let (kind, value) = field(fields, place.saturating_mul(width));
            if kind == format::LCLUSTER_NONHEAD {
                let blocks = block_count(value).filter(|_| layout.big_pcluster);
                if let Some(blocks) = blocks {
                    // The head before this had counted one block.
                    let counted = u32::from(previous_is_head);
                    block = block.wrapping_add(u32::from(blocks)).wrapping_sub(counted);
                }
                previous_is_head = false;
                entries.push(Lcluster::NonHead { blocks });
            } else {
                entries.push(head(at, kind, value, block, false)?);
                block = block.wrapping_add(1);
                previous_is_head = true;
            }
        }
        let end = first.saturating_add(count as u64);
        Ok(Cache { range: first..end, entries })
    }
}

/// The number of blocks in a `delta[0]`, if it is that.
fn block_count(delta: u16) -> Option<u16> {
    (delta & D0_CBLKCNT != 0).then_some(delta & !D0_CBLKCNT)
}

fn head(at: u64, kind: u16, start: u16, block: u32, partial: bool) -> Result<Lcluster, Error> {
    if kind > format::LCLUSTER_HEAD1 {
        return Err(Error::Unsupported("a second compressor (Linux 5.16)"));
    }
    if u64::from(start) >= BLOCK_BYTES {
        return Err(corrupt(
            at,
            "start within a cluster",
            format_args!("less than {BLOCK}"),
            start,
        ));
    }
    Ok(Lcluster::Head { compressed: kind == format::LCLUSTER_HEAD1, start, block, partial })
}

/// Type and value at a bit of a pack.
fn field(fields: &[u8], bit: usize) -> (u16, u16) {
    let byte = |offset: usize| {
        u32::from(fields.get((bit / 8).saturating_add(offset)).copied().unwrap_or_default())
    };
    let bits = (byte(0) | byte(1) << 8 | byte(2) << 16) >> (bit % 8);
    let low =
        |bits: u32, count: usize| u16::try_from(bits & !(u32::MAX << count)).unwrap_or_default();
    (low(bits >> VALUE_BITS, 2), low(bits, VALUE_BITS))
}

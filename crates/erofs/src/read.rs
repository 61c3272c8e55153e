//! Image to tree. Images come from strangers: nothing here panics, loops or allocates beyond what the image's own
//! size justifies; what does not fit the format is an [`Error`] that says where.
#![warn(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

mod chunks;
mod content;
mod dirs;
mod fragments;
mod index;
mod inodes;
mod map;
mod tree;
mod verify;
mod xattrs;

use std::io::{Read, Seek, SeekFrom};

use zerocopy::FromBytes;

use crate::error::{Error, corrupt};
use crate::format::{self, BLOCK, BLOCK_BITS, BLOCK_BYTES, SLOT, SUPERBLOCK_AT, SuperBlock};
use crate::options::Kernel;
pub use chunks::Chunks;
pub use content::Content;
pub use map::{Area, Part};
pub use verify::Damage;

/// An EROFS image behind something that can be read at any place.
#[derive(Debug)]
pub struct Image<R> {
    source: R,
    /// Where the source is, if that is known.
    at: Option<u64>,
    size: u64,
    superblock: SuperBlock,
    packed: Option<Box<fragments::Packed>>,
}

impl<R: Read + Seek> Image<R> {
    /// Reads and checks the superblock.
    ///
    /// # Errors
    /// The source is no EROFS image, is shorter than its superblock says, or needs a feature that this crate lacks.
    pub fn open(mut source: R) -> Result<Self, Error> {
        let size = source.seek(SeekFrom::End(0)).map_err(Error::Io)?;
        let mut image =
            Self { source, at: None, size, superblock: SuperBlock::default(), packed: None };
        let superblock: SuperBlock = image.read_struct(SUPERBLOCK_AT, "superblock")?;
        image.superblock = superblock;
        let magic = superblock.magic.get();
        if magic != format::MAGIC {
            return Err(corrupt(
                SUPERBLOCK_AT,
                "superblock magic",
                "0xe0f5e1e2",
                format_args!("{magic:#010x}"),
            ));
        }
        if superblock.blkszbits != BLOCK_BITS {
            return Err(Error::Unsupported("a block size other than 4096 bytes"));
        }
        let known = INCOMPAT_READ;
        if superblock.feature_incompat.get() & !known != 0 {
            return Err(Error::Unsupported(incompatible_feature(
                superblock.feature_incompat.get(),
            )));
        }
        if superblock.dirblkbits != 0 {
            return Err(Error::Unsupported("folder blocks larger than a block"));
        }
        image.check_checksum()?;
        let claimed = u64::from(superblock.blocks.get()).saturating_mul(BLOCK_BYTES);
        if claimed > size {
            return Err(corrupt(SUPERBLOCK_AT, "size of the image", claimed, size));
        }
        Ok(image)
    }

    /// The superblock, fields named as in the kernel.
    pub fn superblock(&self) -> &SuperBlock {
        &self.superblock
    }

    /// Bytes of the image.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The oldest Linux that reads this image, by the features that it says it needs.
    pub fn kernel(&self) -> Kernel {
        const SINCE: [(u32, u16, u16); 4] = [
            (format::INCOMPAT_FRAGMENTS, 6, 1),
            (format::INCOMPAT_ZTAILPACKING, 5, 17),
            (INCOMPAT_CHUNKED_FILE, 5, 15),
            (format::INCOMPAT_BIG_PCLUSTER, 5, 13),
        ];
        let needs = self.superblock.feature_incompat.get();
        let newest = SINCE.iter().find(|(bit, ..)| needs & bit != 0);
        newest.map_or(Kernel { major: 5, minor: 4 }, |&(_, major, minor)| Kernel { major, minor })
    }

    fn check_checksum(&mut self) -> Result<(), Error> {
        if self.superblock.feature_compat.get() & format::COMPAT_SB_CHKSUM == 0 {
            return Ok(());
        }
        let mut block = [0; BLOCK];
        self.read_at(0, &mut block, "first block")?;
        let at = usize::try_from(SUPERBLOCK_AT).unwrap_or_default();
        let (_, sum) = block.split_at_mut(at);
        if let Some(field) = sum.get_mut(4..8) {
            field.fill(0);
        }
        let (expected, found) = (self.superblock.checksum.get(), format::crc32c(sum));
        if expected == found {
            return Ok(());
        }
        Err(corrupt(
            SUPERBLOCK_AT,
            "superblock checksum",
            format_args!("{expected:#010x}"),
            format_args!("{found:#010x}"),
        ))
    }

    /// Fills `into` with the bytes from `at` on, which hold a `what`.
    fn read_at(&mut self, at: u64, into: &mut [u8], what: &'static str) -> Result<(), Error> {
        let end = at.saturating_add(into.len() as u64);
        if end > self.size {
            return Err(corrupt(
                at,
                what,
                format_args!("{} bytes", into.len()),
                "the end of the image",
            ));
        }
        // Buffered sources keep what they have read only if they are told how far it is.
        match self.at.take().and_then(|from| at.checked_signed_diff(from)) {
            Some(way) => self.source.seek_relative(way),
            None => self.source.seek(SeekFrom::Start(at)).map(drop),
        }
        .and_then(|()| self.source.read_exact(into))
        .map_err(Error::Io)?;
        self.at = Some(end);
        Ok(())
    }

    /// The `length` bytes from `at` on; a length beyond the image is refused before anything is allocated.
    fn read_vec(&mut self, at: u64, length: u64, what: &'static str) -> Result<Vec<u8>, Error> {
        let fits = at.checked_add(length).is_some_and(|end| end <= self.size);
        let Some(length) = usize::try_from(length).ok().filter(|_| fits) else {
            return Err(corrupt(at, what, format_args!("{length} bytes"), "the end of the image"));
        };
        let mut bytes = vec![0; length];
        self.read_at(at, &mut bytes, what)?;
        Ok(bytes)
    }

    fn read_struct<T: FromBytes + zerocopy::IntoBytes>(
        &mut self,
        at: u64,
        what: &'static str,
    ) -> Result<T, Error> {
        let mut value = T::new_zeroed();
        self.read_at(at, value.as_mut_bytes(), what)?;
        Ok(value)
    }

    /// Byte offset of an inode.
    fn inode_at(&self, nid: u64) -> Option<u64> {
        let start = u64::from(self.superblock.meta_blkaddr.get()).checked_mul(BLOCK_BYTES)?;
        nid.checked_mul(SLOT as u64)?.checked_add(start)
    }
}

/// `EROFS_FEATURE_INCOMPAT_CHUNKED_FILE`.
const INCOMPAT_CHUNKED_FILE: u32 = 0x4;
/// Incompatible features that this crate reads: zero padding, compression configurations and big physical clusters,
/// chunks (a file that uses them is refused on its own), inline clusters, fragments and deduplication.
const INCOMPAT_READ: u32 = format::INCOMPAT_ZERO_PADDING
    | format::INCOMPAT_BIG_PCLUSTER
    | INCOMPAT_CHUNKED_FILE
    | format::INCOMPAT_ZTAILPACKING
    | format::INCOMPAT_FRAGMENTS;

/// The name of the first feature that this crate lacks.
fn incompatible_feature(bits: u32) -> &'static str {
    const NAMES: [(u32, &str); 4] = [
        (0x08, "several devices or a second compressor (Linux 5.16)"),
        (0x40, "long names of extended attributes (Linux 6.4)"),
        (0x80, "48-bit addresses (Linux 6.15)"),
        (0x100, "compressed metadata (Linux 6.17)"),
    ];
    let known = NAMES.iter().find(|(bit, _)| bits & bit != 0);
    known.map_or("a feature newer than this program", |(_, name)| name)
}

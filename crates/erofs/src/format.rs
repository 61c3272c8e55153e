//! On-disk structures and constants, named as in the kernel's `fs/erofs/erofs_fs.h`. No logic.
//!
//! All integers are little endian. See <https://erofs.docs.kernel.org/en/latest/core_ondisk.html>.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of a block. EROFS knows other sizes; every host of ours mounts this one.
pub const BLOCK: usize = 4096;
/// [`BLOCK`], as sizes and offsets of images are.
pub(crate) const BLOCK_BYTES: u64 = BLOCK as u64;
/// Byte offset of the superblock.
pub const SUPERBLOCK_AT: u64 = 1024;

/// `EROFS_SUPER_MAGIC_V1`.
pub(crate) const MAGIC: u32 = 0xE0F5_E1E2;
/// log2 of [`BLOCK`].
pub(crate) const BLOCK_BITS: u8 = 12;
/// `EROFS_ISLOTBITS`: an inode number counts slots of 32 bytes.
pub(crate) const SLOT: usize = 32;

/// `EROFS_FEATURE_COMPAT_SB_CHKSUM`: `checksum` is valid.
pub(crate) const COMPAT_SB_CHKSUM: u32 = 0x1;
/// `EROFS_FEATURE_COMPAT_MTIME`: times are modification times.
pub(crate) const COMPAT_MTIME: u32 = 0x2;
/// `EROFS_FEATURE_COMPAT_XATTR_FILTER`: inodes say which names they do not have.
pub(crate) const COMPAT_XATTR_FILTER: u32 = 0x4;
/// `EROFS_XATTR_FILTER_SEED`, to which the index of the prefix is added.
pub(crate) const XATTR_FILTER_SEED: u32 = 0x25BB_E08F;
/// `EROFS_FEATURE_INCOMPAT_ZERO_PADDING`: compressed data is right-aligned in its physical cluster.
pub(crate) const INCOMPAT_ZERO_PADDING: u32 = 0x1;

/// `EROFS_FEATURE_INCOMPAT_BIG_PCLUSTER` and `_COMPR_CFGS`: clusters of several blocks, configurations of compressors.
pub(crate) const INCOMPAT_BIG_PCLUSTER: u32 = 0x2;
/// `EROFS_FEATURE_INCOMPAT_ZTAILPACKING`: clusters behind inodes.
pub(crate) const INCOMPAT_ZTAILPACKING: u32 = 0x10;
/// `EROFS_FEATURE_INCOMPAT_FRAGMENTS`, the same bit as `_DEDUPE`: content in the packed inode.
pub(crate) const INCOMPAT_FRAGMENTS: u32 = 0x20;

/// `EROFS_INODE_FLAT_PLAIN`: consecutive blocks.
pub(crate) const LAYOUT_FLAT_PLAIN: u16 = 0;
/// `EROFS_INODE_COMPRESSED_FULL`: compressed, 8 bytes of index per logical cluster.
pub(crate) const LAYOUT_COMPRESSED_FULL: u16 = 1;
/// `EROFS_INODE_FLAT_INLINE`: consecutive blocks, the tail behind the inode.
pub(crate) const LAYOUT_FLAT_INLINE: u16 = 2;
/// `EROFS_INODE_COMPRESSED_COMPACT`: compressed, 2 or 4 bytes of index per logical cluster.
pub(crate) const LAYOUT_COMPRESSED_COMPACT: u16 = 3;
/// `EROFS_INODE_CHUNK_BASED`: an array of chunk addresses.
pub(crate) const LAYOUT_CHUNK_BASED: u16 = 4;

/// `Z_EROFS_LCLUSTER_TYPE_PLAIN`: a stored extent starts here.
pub(crate) const LCLUSTER_PLAIN: u16 = 0;
/// `Z_EROFS_LCLUSTER_TYPE_HEAD1`: a compressed extent starts here.
pub(crate) const LCLUSTER_HEAD1: u16 = 1;
/// `Z_EROFS_LCLUSTER_TYPE_NONHEAD`: no extent starts here.
pub(crate) const LCLUSTER_NONHEAD: u16 = 2;
/// Mask of the type in `di_advise`.
pub(crate) const LCLUSTER_TYPE_MASK: u16 = 3;
/// `Z_EROFS_LI_PARTIAL_REF` in `di_advise`: the physical cluster decodes to more than the extent has.
pub(crate) const PARTIAL_REF: u16 = 1 << 15;

/// `S_IFMT` and its values.
pub(crate) mod mode {
    pub(crate) const S_IFMT: u16 = 0o170_000;
    pub(crate) const S_IFSOCK: u16 = 0o140_000;
    pub(crate) const S_IFLNK: u16 = 0o120_000;
    pub(crate) const S_IFREG: u16 = 0o100_000;
    pub(crate) const S_IFBLK: u16 = 0o060_000;
    pub(crate) const S_IFDIR: u16 = 0o040_000;
    pub(crate) const S_IFCHR: u16 = 0o020_000;
    pub(crate) const S_IFIFO: u16 = 0o010_000;
    /// Permission, set-id and sticky bits.
    pub(crate) const PERMISSIONS: u16 = 0o7777;
}

/// `struct erofs_super_block`, 128 bytes at byte [`SUPERBLOCK_AT`].
#[derive(Clone, Copy, Debug, Default, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub struct SuperBlock {
    /// `EROFS_SUPER_MAGIC_V1`.
    pub magic: U32,
    /// CRC32C of the superblock's block from here on, with this field zero.
    pub checksum: U32,
    /// Features that a reader may ignore.
    pub feature_compat: U32,
    /// log2 of the block size.
    pub blkszbits: u8,
    /// Extra superblock slots of 16 bytes.
    pub sb_extslots: u8,
    /// Inode number of the root folder.
    pub root_nid: U16,

    /// Number of inodes.
    pub inos: U64,
    /// Modification time of all compact inodes, seconds since 1970.
    pub epoch: U64,

    /// Nanoseconds of `epoch`.
    pub fixed_nsec: U32,
    /// Blocks of the image.
    pub blocks: U32,
    /// First block of the area that inode numbers count in.
    pub meta_blkaddr: U32,
    /// First block of the area that shared xattr ids count in.
    pub xattr_blkaddr: U32,

    /// UUID of the volume.
    pub uuid: [u8; 16],
    /// Name of the volume.
    pub volume_name: [u8; 16],

    /// Features that a reader must know.
    pub feature_incompat: U32,
    /// Farthest LZ4 match, or the bit map of compressors where their configurations follow.
    pub lz4_max_distance: U16,
    /// Extra devices.
    pub extra_devices: U16,
    /// Slot of the device table.
    pub devt_slotoff: U16,
    /// log2 of blocks per directory block.
    pub dirblkbits: u8,
    /// Long xattr prefixes.
    pub xattr_prefix_count: u8,
    /// Where the long xattr prefixes start.
    pub xattr_prefix_start: U32,

    /// Inode that holds the fragments.
    pub packed_nid: U64,
    /// Reserved for the xattr name filter.
    pub xattr_filter_reserved: u8,
    /// Reserved.
    pub reserved: [u8; 23],
}
const _: () = assert!(size_of::<SuperBlock>() == 128);

/// `struct erofs_inode_compact`.
#[derive(Clone, Copy, Debug, Default, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct InodeCompact {
    pub(crate) i_format: U16,
    pub(crate) i_xattr_icount: U16,
    pub(crate) i_mode: U16,
    pub(crate) i_nlink: U16,
    pub(crate) i_size: U32,
    pub(crate) i_reserved: U32,

    pub(crate) i_u: U32,
    pub(crate) i_ino: U32,
    pub(crate) i_uid: U16,
    pub(crate) i_gid: U16,
    pub(crate) i_reserved2: U32,
}
const _: () = assert!(size_of::<InodeCompact>() == 32);

/// `struct erofs_inode_extended`.
#[derive(Clone, Copy, Debug, Default, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct InodeExtended {
    pub(crate) i_format: U16,
    pub(crate) i_xattr_icount: U16,
    pub(crate) i_mode: U16,
    pub(crate) i_reserved: U16,
    pub(crate) i_size: U64,

    pub(crate) i_u: U32,
    pub(crate) i_ino: U32,
    pub(crate) i_uid: U32,
    pub(crate) i_gid: U32,

    pub(crate) i_mtime: U64,
    pub(crate) i_mtime_nsec: U32,
    pub(crate) i_nlink: U32,

    pub(crate) i_reserved2: [u8; 16],
}
const _: () = assert!(size_of::<InodeExtended>() == 64);

/// `struct erofs_dirent`.
#[derive(Clone, Copy, Debug, Default, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Dirent {
    pub(crate) nid: U64,
    pub(crate) nameoff: U16,
    pub(crate) file_type: u8,
    pub(crate) reserved: u8,
}
const _: () = assert!(size_of::<Dirent>() == 12);

/// `struct erofs_xattr_ibody_header`; shared ids and inline entries follow.
#[derive(Clone, Copy, Debug, Default, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct XattrIbodyHeader {
    pub(crate) h_name_filter: U32,
    pub(crate) h_shared_count: u8,
    pub(crate) h_reserved2: [u8; 7],
}
const _: () = assert!(size_of::<XattrIbodyHeader>() == 12);

/// `struct erofs_xattr_entry`; name and value follow, padded to 4 bytes.
#[derive(Clone, Copy, Debug, Default, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct XattrEntry {
    pub(crate) e_name_len: u8,
    pub(crate) e_name_index: u8,
    pub(crate) e_value_size: U16,
}
const _: () = assert!(size_of::<XattrEntry>() == 4);

/// `struct z_erofs_map_header`; 8 more bytes are reserved in front of a full index.
#[derive(Clone, Copy, Debug, Default, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct MapHeader {
    pub(crate) h_fragmentoff: U32,
    pub(crate) h_advise: U16,
    pub(crate) h_algorithmtype: u8,
    pub(crate) h_clusterbits: u8,
}
const _: () = assert!(size_of::<MapHeader>() == 8);

/// `Z_EROFS_ADVISE_*` of `h_advise`.
pub(crate) mod advise {
    pub(crate) const COMPACTED_2B: u16 = 0x1;
    pub(crate) const BIG_PCLUSTER_1: u16 = 0x2;
    pub(crate) const BIG_PCLUSTER_2: u16 = 0x4;
    pub(crate) const INLINE_PCLUSTER: u16 = 0x8;
    pub(crate) const INTERLACED_PCLUSTER: u16 = 0x10;
    pub(crate) const FRAGMENT_PCLUSTER: u16 = 0x20;
    /// Those that this crate reads.
    pub(crate) const KNOWN: u16 = COMPACTED_2B
        | BIG_PCLUSTER_1
        | BIG_PCLUSTER_2
        | INLINE_PCLUSTER
        | INTERLACED_PCLUSTER
        | FRAGMENT_PCLUSTER;
}

/// `struct z_erofs_lcluster_index`: one per logical cluster.
#[derive(Clone, Copy, Debug, Default, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct LclusterIndex {
    pub(crate) di_advise: U16,
    pub(crate) di_clusterofs: U16,
    /// `blkaddr` of a head; `delta[0] | delta[1] << 16` elsewhere.
    pub(crate) di_u: U32,
}
const _: () = assert!(size_of::<LclusterIndex>() == 8);

/// Prefixes that an xattr's name is stored without, by `e_name_index`.
pub(crate) const XATTR_PREFIXES: [(u8, &[u8]); 5] = [
    (1, b"user."),
    (2, b"system.posix_acl_access"),
    (3, b"system.posix_acl_default"),
    (4, b"trusted."),
    (6, b"security."),
];

/// `EROFS_FT_*` of the file type bits of a mode.
pub(crate) fn file_type(type_bits: u16) -> u8 {
    match type_bits {
        mode::S_IFREG => 1,
        mode::S_IFDIR => 2,
        mode::S_IFCHR => 3,
        mode::S_IFBLK => 4,
        mode::S_IFIFO => 5,
        mode::S_IFSOCK => 6,
        mode::S_IFLNK => 7,
        _ => 0,
    }
}

/// CRC32C as the kernel keeps it in the superblock: all ones at the start, not inverted at the end.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0x82F6_3B78 & (crc & 1).wrapping_neg())
        })
    })
}

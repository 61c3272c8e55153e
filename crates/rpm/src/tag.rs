//! Tags of headers, named as in rpm's `rpmtag.h`, and what a person calls them.

/// Tags of the signature header.
pub(crate) mod sig {
    #[cfg(feature = "openpgp")]
    pub(crate) const DSAHEADER: u32 = 267;
    #[cfg(feature = "openpgp")]
    pub(crate) const RSAHEADER: u32 = 268;
    pub(crate) const SHA1HEADER: u32 = 269;
    pub(crate) const LONGSIGSIZE: u32 = 270;
    pub(crate) const SHA256HEADER: u32 = 273;
    #[cfg(feature = "openpgp")]
    pub(crate) const OPENPGP: u32 = 278;
    pub(crate) const SHA3_256HEADER: u32 = 279;
    pub(crate) const SIGSIZE: u32 = 1000;
    #[cfg(feature = "openpgp")]
    pub(crate) const PGP: u32 = 1002;
    pub(crate) const SIGMD5: u32 = 1004;
    #[cfg(feature = "openpgp")]
    pub(crate) const GPG: u32 = 1005;
}

pub(crate) const HEADERSIGNATURES: u32 = 62;
pub(crate) const HEADERIMMUTABLE: u32 = 63;
pub(crate) const HEADERI18NTABLE: u32 = 100;
pub(crate) const NAME: u32 = 1000;
pub(crate) const VERSION: u32 = 1001;
pub(crate) const RELEASE: u32 = 1002;
pub(crate) const EPOCH: u32 = 1003;
pub(crate) const SUMMARY: u32 = 1004;
pub(crate) const DESCRIPTION: u32 = 1005;
pub(crate) const BUILDTIME: u32 = 1006;
pub(crate) const SIZE: u32 = 1009;
pub(crate) const LICENSE: u32 = 1014;
pub(crate) const GROUP: u32 = 1016;
pub(crate) const OS: u32 = 1021;
pub(crate) const ARCH: u32 = 1022;
pub(crate) const OLDFILENAMES: u32 = 1027;
pub(crate) const FILESIZES: u32 = 1028;
pub(crate) const FILEMODES: u32 = 1030;
pub(crate) const FILERDEVS: u32 = 1033;
pub(crate) const FILEMTIMES: u32 = 1034;
pub(crate) const FILEDIGESTS: u32 = 1035;
pub(crate) const FILELINKTOS: u32 = 1036;
pub(crate) const FILEFLAGS: u32 = 1037;
pub(crate) const FILEUSERNAME: u32 = 1039;
pub(crate) const FILEGROUPNAME: u32 = 1040;
pub(crate) const FILEVERIFYFLAGS: u32 = 1045;
pub(crate) const SOURCERPM: u32 = 1044;
pub(crate) const PROVIDENAME: u32 = 1047;
pub(crate) const REQUIREFLAGS: u32 = 1048;
pub(crate) const REQUIRENAME: u32 = 1049;
pub(crate) const REQUIREVERSION: u32 = 1050;
pub(crate) const FILEDEVICES: u32 = 1095;
pub(crate) const FILEINODES: u32 = 1096;
pub(crate) const FILELANGS: u32 = 1097;
pub(crate) const SOURCEPACKAGE: u32 = 1106;
pub(crate) const PROVIDEFLAGS: u32 = 1112;
pub(crate) const PROVIDEVERSION: u32 = 1113;
pub(crate) const DIRINDEXES: u32 = 1116;
pub(crate) const BASENAMES: u32 = 1117;
pub(crate) const DIRNAMES: u32 = 1118;
pub(crate) const PAYLOADFORMAT: u32 = 1124;
pub(crate) const PAYLOADCOMPRESSOR: u32 = 1125;
pub(crate) const PAYLOADFLAGS: u32 = 1126;
pub(crate) const LONGFILESIZES: u32 = 5008;
pub(crate) const FILECAPS: u32 = 5010;
pub(crate) const FILEDIGESTALGO: u32 = 5011;
pub(crate) const PAYLOADDIGEST: u32 = 5092;
pub(crate) const PAYLOADDIGESTALGO: u32 = 5093;

/// Scriptlets: name, tag of the script, tag of its interpreter.
pub(crate) const SCRIPTLETS: [(&str, u32, u32); 12] = [
    ("%pre", 1023, 1085),
    ("%post", 1024, 1086),
    ("%preun", 1025, 1087),
    ("%postun", 1026, 1088),
    ("%pretrans", 1151, 1153),
    ("%posttrans", 1152, 1154),
    ("%preuntrans", 5104, 5106),
    ("%postuntrans", 5105, 5107),
    ("%verify", 1079, 1091),
    ("%trigger", 1065, 1092),
    ("%filetrigger", 5066, 5067),
    ("%transfiletrigger", 5076, 5077),
];

/// A tag's name, for messages.
pub(crate) fn name(tag: u32) -> &'static str {
    match tag {
        sig::SHA1HEADER => "SHA-1 of the header",
        sig::SHA256HEADER => "SHA-256 of the header",
        sig::SHA3_256HEADER => "SHA3-256 of the header",
        NAME => "name",
        VERSION => "version",
        RELEASE => "release",
        ARCH => "architecture",
        OLDFILENAMES | BASENAMES => "file names",
        DIRNAMES => "folder names",
        DIRINDEXES => "folder indexes",
        FILESIZES | LONGFILESIZES => "file sizes",
        FILEMODES => "file modes",
        FILEMTIMES => "file times",
        FILEDIGESTS => "file digests",
        FILELINKTOS => "link targets",
        FILEFLAGS => "file flags",
        FILEUSERNAME => "file owners",
        FILEGROUPNAME => "file groups",
        FILEINODES => "file inodes",
        FILECAPS => "file capabilities",
        PAYLOADDIGEST => "payload digest",
        _ => "tag",
    }
}

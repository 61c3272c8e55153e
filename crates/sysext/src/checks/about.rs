//! What each check is about: its page of documentation.

use std::fmt::Write as _;

use serde::Serialize;

use crate::finding::Check;

/// What a check is about.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct About {
    /// The check.
    pub check: Check,
    /// What it finds.
    pub what: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// What to do about it.
    pub fix: &'static str,
    /// Where to read more, or where it has happened.
    pub link: &'static str,
}

impl About {
    /// All checks.
    pub const ALL: [Self; 53] = [
        Self {
            check: Check::FileConflict,
            what: "Two packages have one path with different content. No image is made.",
            why: "rpm refuses to install such packages together; whichever file won, the other package would be broken.",
            fix: "Leave the file out of one of the packages (`leave-out = [\"PACKAGE:PATH\"]`), or one of the packages.",
            link: "https://rpm-software-management.github.io/rpm/manual/",
        },
        Self {
            check: Check::TypeConflict,
            what: "A path is a folder in one place and something else in another: in two packages, or in the extension and the base. No image is made.",
            why: "An overlay shows the upper one alone. A file over a folder of the base takes all that is below away; a folder over `/usr/local`, a link on OSTree's systems, hides what is installed there.",
            fix: "Leave the path out, or move it with a step.",
            link: "https://github.com/coreos/fedora-coreos-tracker/issues/1744",
        },
        Self {
            check: Check::MetadataConflict,
            what: "Two packages disagree on mode, owner or capabilities of a path.",
            why: "Only one of them can be right in the image.",
            fix: "Set mode and owner with steps if the first is not the right one.",
            link: "https://rpm-software-management.github.io/rpm/manual/",
        },
        Self {
            check: Check::PathRoot,
            what: "A file outside of /usr (or /etc, of a confext) is left out.",
            why: "systemd-sysext merges /usr and /opt; on Fedora /opt is a link into /var. What packages have in /var is state that belongs to the system.",
            fix: "Have `tmpfiles.d` create what the program needs, with a `file` step; or `move` it to /usr.",
            link: "https://www.freedesktop.org/software/systemd/man/latest/systemd-sysext.html",
        },
        Self {
            check: Check::PathOpt,
            what: "Something of the extension is or looks into /opt. Folders of vendors are moved to /usr/lib, links and entries of menus follow; what is compiled in cannot be changed.",
            why: "A mount below /opt broke systemd-sysext on Flatcar; on Fedora /opt is a link into /var, which an extension hides or is hidden by.",
            fix: "`move` it to another place in the recipe, or find a build that installs to /usr.",
            link: "https://github.com/flatcar/Flatcar/issues/2111",
        },
        Self {
            check: Check::InBase,
            what: "A package of the extension is in the base as well, perhaps in another version.",
            why: "The extension hides the base's files, and everything in the base was built and tested with its own.",
            fix: "Leave it out: `exclude` it, or take one repository's state that fits the base.",
            link: "https://github.com/frostyard/snosi/issues/781",
        },
        Self {
            check: Check::BaseCollideSame,
            what: "Files that the base has with the same content, mode and owner are left out, and links that lead to the same place.",
            why: "They would be seen no differently, but would hide what a later update of the base brings there.",
            fix: "Nothing: they are left out. What `required` names stays.",
            link: "https://github.com/frostyard/snosi/issues/781",
        },
        Self {
            check: Check::BaseShadow,
            what: "Files of the extension lie over files of the base. Over a library, that is an error.",
            why: "All programs of the base get the extension's library at once, also older ones than they were built for: pkexec, the shell and the log-in have stopped working that way.",
            fix: "Leave the files out, or take the package out of the extension.",
            link: "https://github.com/frostyard/snosi/issues/781",
        },
        Self {
            check: Check::BaseFile,
            what: "A file that only the base system may have is left out: `os-release`, another `extension-release`.",
            why: "systemd refuses images with an `os-release`, and images with more than one release file.",
            fix: "Nothing: it is left out.",
            link: "https://www.freedesktop.org/software/systemd/man/latest/extension-release.html",
        },
        Self {
            check: Check::Step,
            what: "A step of the recipe cannot be taken. No image is made.",
            why: "A recipe says what it expects to find; if packages have changed, somebody must look.",
            fix: "Correct the step; `optional = true` and `when` say what may be missing.",
            link: "https://github.com/fedora-sysexts/fedora",
        },
        Self {
            check: Check::Required,
            what: "A path that the recipe requires is not in the image. No image is made.",
            why: "An image without its main program is worse than none: machines would update to it.",
            fix: "Find out which package has it now.",
            link: "https://github.com/frostyard/snosi",
        },
        Self {
            check: Check::EtcMoved,
            what: "Files of packages in /etc are in /usr/etc, in /usr/share/factory/etc, or left out, as the recipe says.",
            why: "An extension of /usr cannot have files in /etc.",
            fix: "`etc = \"factory\"` has systemd-tmpfiles copy them where they are missing; a drop-in can name other paths.",
            link: "https://www.freedesktop.org/software/systemd/man/latest/systemd-tmpfiles.html",
        },
        Self {
            check: Check::EtcConfig,
            what: "A unit does not start without a file of /etc that the extension has elsewhere.",
            why: "`EnvironmentFile=/etc/x` without a dash is an error if the file is missing: tailscaled and qemu-guest-agent did not start.",
            fix: "Reset it with a `drop-in` step, or take `etc = \"factory\"`.",
            link: "https://github.com/fedora-sysexts/community",
        },
        Self {
            check: Check::Owner,
            what: "An owner or group has no number in the base, so root takes its place.",
            why: "Numbers of users who are created on the running system differ from machine to machine.",
            fix: "Take a user of the base with an `owner` step, or create the file with `tmpfiles.d`.",
            link: "https://www.freedesktop.org/software/systemd/man/latest/sysusers.d.html",
        },
        Self {
            check: Check::SetId,
            what: "A set-id bit was taken off, for the owner is not known.",
            why: "As root's, the program would run with rights that it never had.",
            fix: "Set owner and mode with steps.",
            link: "https://man7.org/linux/man-pages/man2/execve.2.html",
        },
        Self {
            check: Check::Capabilities,
            what: "Capabilities of a file are not understood, and are left out.",
            why: "Without them the program cannot do its work.",
            fix: "Set them with a `capabilities` step.",
            link: "https://man7.org/linux/man-pages/man7/capabilities.7.html",
        },
        Self {
            check: Check::Privileges,
            what: "Programs of the image run with more rights than their callers.",
            why: "Whoever merges the image should know.",
            fix: "`mode` and `capabilities` steps take them off.",
            link: "https://man7.org/linux/man-pages/man7/capabilities.7.html",
        },
        Self {
            check: Check::MutableHost,
            what: "Something below /usr is meant to be written at run time: others than root may write there, a service has it in `ReadWritePaths=`, or `tmpfiles.d` makes it.",
            why: "Where extensions are merged /usr is a read-only overlay, even on systems where it could be written before; the program fails the first time it saves.",
            fix: "Move the data to /var: by the program's configuration, with a `symlink` step in the place of the folder, and with `tmpfiles.d` that makes it there.",
            link: "https://www.freedesktop.org/software/systemd/man/latest/systemd-sysext.html",
        },
        Self {
            check: Check::DirMeta,
            what: "Folders of the image that the base has as well have its mode and owner.",
            why: "The topmost layer's folder is the one that is seen: an extension that only passes through a folder would open or close it.",
            fix: "Nothing: the base's count.",
            link: "https://github.com/systemd/systemd/issues/31404",
        },
        Self {
            check: Check::Label,
            what: "Paths of the image have no SELinux label.",
            why: "On Fedora, files without a label are `unlabeled_t`: services cannot read them; one folder without a label has kept polkit from working.",
            fix: "Give a base pack that was made of an image; look whether the policy has `<<none>>` for the path.",
            link: "https://github.com/systemd/systemd/pull/35132",
        },
        Self {
            check: Check::PolicyModule,
            what: "A package brings a module of the SELinux policy. Its labels are in the image.",
            why: "Merging loads no module; types that the policy does not know yet count as unlabeled until it is loaded.",
            fix: "Nothing, unless the recipe turns `semodule` off: the set-up unit loads it.",
            link: "https://github.com/travier/sysexts-manager/issues/19",
        },
        Self {
            check: Check::Scriptlets,
            what: "rpm would run scripts that do something which neither the image nor the set-up unit does.",
            why: "Extensions have no scripts.",
            fix: "Read them, and do what is needed with steps, `tmpfiles.d` or by hand; then `allow` the finding with the reason.",
            link: "https://github.com/FyraLabs/rpm2sysext",
        },
        Self {
            check: Check::Alternatives,
            what: "Links that alternatives(8) would make in /etc are made in the image.",
            why: "Without them `/usr/bin/nc` or `/usr/bin/emacs` would lead nowhere.",
            fix: "Nothing.",
            link: "https://man7.org/linux/man-pages/man1/alternatives.1.html",
        },
        Self {
            check: Check::Sysusers,
            what: "Users and groups that the set-up unit creates.",
            why: "systemd-sysusers runs before extensions are merged.",
            fix: "Nothing, unless the recipe turns `sysusers` off.",
            link: "https://www.freedesktop.org/software/systemd/man/latest/systemd-sysusers.html",
        },
        Self {
            check: Check::Dbus,
            what: "Policies and services of D-Bus come with the extension; the set-up unit has the bus read them.",
            why: "A bus that runs reads them when it is told to: the daemon would not get its name.",
            fix: "Nothing, unless the recipe turns `dbus` off.",
            link: "https://github.com/systemd/systemd/issues/41662",
        },
        Self {
            check: Check::LibDir,
            what: "Libraries are in a folder that the linker knows by /etc/ld.so.conf.d alone. The set-up unit links the file there and runs ldconfig.",
            why: "The extension cannot have files in /etc, and the linker's cache is not part of it.",
            fix: "Nothing, unless the recipe turns `ldconfig` off.",
            link: "https://github.com/fedora-sysexts/fedora/issues/190",
        },
        Self {
            check: Check::Tmpfiles,
            what: "Files that systemd reads were marked as programs; they are no more.",
            why: "systemd complains of each at every boot.",
            fix: "Nothing: the marks are taken off.",
            link: "https://www.freedesktop.org/software/systemd/man/latest/tmpfiles.d.html",
        },
        Self {
            check: Check::Udev,
            what: "Rules, kernel modules and parameters that are read after the merge.",
            why: "They are read at boot before extensions are merged, and never on a running system.",
            fix: "Nothing, unless the recipe turns it off.",
            link: "https://github.com/frostyard/snosi/pull/822",
        },
        Self {
            check: Check::Service,
            what: "A unit is not started, is to be started and not there, or runs a program that is not there.",
            why: "Nothing of `[Install]` counts for an extension.",
            fix: "Name it in `services`; sockets rather than services, which then start when somebody asks for them.",
            link: "https://github.com/flatcar/Flatcar/issues/1147",
        },
        Self {
            check: Check::Preset,
            what: "Files that say which units are enabled are of no use.",
            why: "Presets are applied when a package is installed or at the first boot.",
            fix: "Name the units in `services`.",
            link: "https://www.freedesktop.org/software/systemd/man/latest/systemd.preset.html",
        },
        Self {
            check: Check::UserUnits,
            what: "Units of people's own service managers.",
            why: "Managers that run already do not read them anew, and nobody enables them.",
            fix: "Each person does it, once.",
            link: "https://www.freedesktop.org/software/systemd/man/latest/systemctl.html",
        },
        Self {
            check: Check::Polkit,
            what: "Rules of polkit in /etc, where the extension cannot be.",
            why: "polkit reads /etc/polkit-1/rules.d and /usr/share/polkit-1/rules.d.",
            fix: "`move` them to /usr/share/polkit-1/rules.d.",
            link: "https://www.freedesktop.org/software/polkit/docs/latest/polkit.8.html",
        },
        Self {
            check: Check::Nss,
            what: "Modules for names and log-ins that files in /etc would have to name.",
            why: "glibc and PAM read /etc/nsswitch.conf and /etc/pam.d.",
            fix: "Name them there, with authselect.",
            link: "https://man7.org/linux/man-pages/man5/nsswitch.conf.5.html",
        },
        Self {
            check: Check::Singleton,
            what: "A file of which a system has one, made of all that is installed, is left out.",
            why: "An extension's icon cache hides the icons of all other programs; its `modules.dep` hides all kernel modules.",
            fix: "Nothing: it is left out. What it was for, the base's does without the extension's part.",
            link: "https://github.com/frostyard/snosi/pull/373",
        },
        Self {
            check: Check::Gschema,
            what: "Settings of GNOME's programs are not compiled into the base's.",
            why: "A program whose schema is missing ends at once; GDM once did so in a loop.",
            fix: "Let the program look at a folder of its own (`GSETTINGS_SCHEMA_DIR`).",
            link: "https://github.com/frostyard/snosi/pull/804",
        },
        Self {
            check: Check::Kmod,
            what: "Kernel modules that are not for the base's kernel. No image is made.",
            why: "A module fits exactly one kernel.",
            fix: "Build them for the base's kernel, and again for each new one.",
            link: "https://github.com/flatcar/scripts/pull/2976",
        },
        Self {
            check: Check::Initrd,
            what: "Files that matter before extensions are merged: of the initrd, firmware, generators.",
            why: "They come too late.",
            fix: "Put them into the base image.",
            link: "https://www.freedesktop.org/software/systemd/man/latest/systemd-sysext.html",
        },
        Self {
            check: Check::Dangling,
            what: "A link leads to what neither the image nor the base has.",
            why: "It worked where the package was built, or alternatives(8) would have made it.",
            fix: "Add the package that has it, or a `symlink` step.",
            link: "https://github.com/ZentriaMC/nix-sysext",
        },
        Self {
            check: Check::Desktop,
            what: "An entry of the menus names a program or an icon that is not there.",
            why: "It is shown and does nothing, or is not shown at all.",
            fix: "A `replace` step changes the path.",
            link: "https://specifications.freedesktop.org/desktop-entry-spec/latest/",
        },
        Self {
            check: Check::Deps,
            what: "A package requires something that neither the image nor the base has.",
            why: "Its programs end at their start, or when they first need it.",
            fix: "Add the packages that have it: `resolve` and `build` find them.",
            link: "https://github.com/flatcar/Flatcar/issues/2426",
        },
        Self {
            check: Check::Soname,
            what: "A program needs a library, or a version of its symbols, that nobody has. No image is made.",
            why: "It would end at its start, and after an update of the base perhaps only then.",
            fix: "Add the package that has the library.",
            link: "https://github.com/fedora-sysexts/fedora/issues/115",
        },
        Self {
            check: Check::AnyId,
            what: "An image for any release has programs that need libraries of one.",
            why: "`ID=_any` merges everywhere; systemd then asks for no version.",
            fix: "Leave `any-release` out.",
            link: "https://github.com/systemd/systemd/blob/main/src/shared/extension-util.c",
        },
        Self {
            check: Check::Level,
            what: "The base's systemd is too old for something that the extension does.",
            why: "Keys that it does not know are ignored without a word.",
            fix: "See what the finding says.",
            link: "https://github.com/systemd/systemd/blob/main/NEWS",
        },
        Self {
            check: Check::StackDepth,
            what: "The base's kernel refuses EROFS images in files below an overlay.",
            why: "Linux 6.12.63 and 6.18.3 counted them as one more level.",
            fix: "Update the base.",
            link: "https://github.com/fedora-silverblue/issue-tracker/issues/691",
        },
        Self {
            check: Check::ExtCollide,
            what: "Two extensions for one system have one path with different content.",
            why: "systemd lays them over one another by their names: the one whose name sorts last wins.",
            fix: "Leave the file out of one of them.",
            link: "https://github.com/namar66/sysext-creator",
        },
        Self {
            check: Check::Architecture,
            what: "A package is for another architecture.",
            why: "Its programs do not run there.",
            fix: "Choose the package for the extension's architecture.",
            link: "https://www.freedesktop.org/software/systemd/man/latest/extension-release.html",
        },
        Self {
            check: Check::Duplicate,
            what: "A package was given twice.",
            why: "It counts once.",
            fix: "Nothing.",
            link: "https://rpm-software-management.github.io/rpm/manual/",
        },
        Self {
            check: Check::UsrLocal,
            what: "Files in /usr/local, which is a link to /var on image based systems.",
            why: "The folder of the extension hides it, with all that is installed there.",
            fix: "`move` them.",
            link: "https://github.com/coreos/fedora-coreos-tracker/issues/1744",
        },
        Self {
            check: Check::Exclude,
            what: "A choice of what is left out matches nothing.",
            why: "Perhaps the path has changed.",
            fix: "Take it out, or correct it.",
            link: "https://github.com/fedora-sysexts/fedora",
        },
        Self {
            check: Check::Size,
            what: "Documentation, translations or other files that few read take a large part.",
            why: "Every machine fetches and keeps them.",
            fix: "`leave-out` leaves them out.",
            link: "https://github.com/FyraLabs/rpm2sysext",
        },
        Self {
            check: Check::UpdateTrust,
            what: "A transfer of systemd-sysupdate that the extension brings has `Verify=no`, or the key to verify with lies where systemd does not look any more.",
            why: "An extension runs as root. Without a signature, whoever controls the server, a mirror or the way to it decides what is installed next.",
            fix: "Sign `SHA256SUMS`, ship the public key as `/usr/lib/systemd/import-pubring.pgp`, and leave `Verify=` out.",
            link: "https://github.com/frostyard/snosi/issues/291",
        },
        Self {
            check: Check::Reproducible,
            what: "`build --twice` makes each image a second time, with another number of threads; an image that differs is not kept.",
            why: "Whoever gets the same bytes of the same packages and the same recipe knows that nobody has tampered with the image, and that a cache or a delta may be trusted.",
            fix: "Report it with the recipe: it is a mistake of this program or of the machine.",
            link: "https://reproducible-builds.org/",
        },
        Self {
            check: Check::Empty,
            what: "Nothing is left to put into the image.",
            why: "It would do nothing.",
            fix: "Look at what was left out.",
            link: "https://github.com/fedora-sysexts/fedora",
        },
    ];

    /// The page of a check, in Markdown.
    pub fn page(&self) -> String {
        let Self { check, what, why, fix, link } = self;
        format!("## {check}\n\n{what}\n\n**Why:** {why}\n\n**What to do:** {fix}\n\n<{link}>\n")
    }

    /// All pages, in Markdown.
    pub fn pages() -> String {
        let mut text = String::new();
        for about in Self::ALL {
            let _ = writeln!(text, "{}", about.page());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_check_has_one_page() {
        let checks: BTreeSet<Check> = About::ALL.iter().map(|about| about.check).collect();
        assert_eq!(checks.len(), About::ALL.len());
        assert_eq!(checks.len(), Check::ALL.len());
        for about in About::ALL {
            let name = about.check.to_string();
            assert_eq!(name.parse::<Check>(), Ok(about.check), "{name}");
            assert!(about.link.starts_with("https://"), "{name}");
        }
    }
}

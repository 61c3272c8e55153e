//! File capabilities: from the text in a header to the extended attribute `security.capability`.
//!
//! The text is that of `cap_from_text(3)`, the attribute `struct vfs_cap_data` of the kernel's `linux/capability.h`.

/// Names of the capabilities, by their numbers, without `cap_`.
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];
/// One bit for each of them.
const ALL: u64 = (1 << NAMES.len()) - 1;
/// `VFS_CAP_REVISION_2`.
const REVISION_2: u32 = 0x0200_0000;
/// `VFS_CAP_FLAGS_EFFECTIVE`.
const EFFECTIVE: u32 = 1;

/// The three sets of a file, one bit per capability.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Capabilities {
    /// Gained when the file is executed.
    pub permitted: u64,
    /// Kept across execution where the process has them as well.
    pub inheritable: u64,
    /// Switched on at once. The attribute holds one bit for all of them.
    pub effective: u64,
}

impl Capabilities {
    /// Parses `cap_net_raw,cap_net_admin=ep` and its like; `None` if the text is not that.
    pub fn parse(text: &str) -> Option<Self> {
        let mut all = Self::default();
        for clause in text.split_whitespace() {
            let start = clause.find(['=', '+', '-'])?;
            let (names, mut actions) = clause.split_at_checked(start)?;
            let mask = mask(names)?;
            while let Some(operator) = actions.chars().next() {
                let rest = actions.get(1..)?;
                let end = rest.find(['=', '+', '-']).unwrap_or(rest.len());
                let (flags, more) = rest.split_at_checked(end)?;
                all.apply(operator, mask, flags)?;
                actions = more;
            }
        }
        Some(all)
    }

    fn apply(&mut self, operator: char, mask: u64, flags: &str) -> Option<()> {
        if operator == '=' {
            for set in [&mut self.permitted, &mut self.inheritable, &mut self.effective] {
                *set &= !mask;
            }
        } else if flags.is_empty() {
            return None;
        }
        for flag in flags.chars() {
            let set = match flag {
                'p' => &mut self.permitted,
                'i' => &mut self.inheritable,
                'e' => &mut self.effective,
                _ => return None,
            };
            if operator == '-' { *set &= !mask } else { *set |= mask }
        }
        Some(())
    }

    /// The value of `security.capability`, 20 bytes.
    pub fn xattr(&self) -> Vec<u8> {
        let magic = if self.effective == 0 { REVISION_2 } else { REVISION_2 | EFFECTIVE };
        let low = |set: u64| (set & 0xFFFF_FFFF).try_into().unwrap_or(u32::MAX);
        let words = [
            magic,
            low(self.permitted),
            low(self.inheritable),
            low(self.permitted >> 32),
            low(self.inheritable >> 32),
        ];
        words.into_iter().flat_map(u32::to_le_bytes).collect()
    }

    /// The capabilities of a `security.capability`, if it is one.
    pub fn from_xattr(value: &[u8]) -> Option<Self> {
        let (words, _) = value.as_chunks::<4>();
        let words: Vec<u64> =
            words.iter().map(|word| u64::from(u32::from_le_bytes(*word))).collect();
        let [magic, permitted, inheritable, rest @ ..] = words.as_slice() else { return None };
        let (high_permitted, high_inheritable) = match rest {
            [permitted, inheritable, ..] => (*permitted, *inheritable),
            _ => (0, 0),
        };
        let permitted = permitted | high_permitted << 32;
        let inheritable = inheritable | high_inheritable << 32;
        let effective = if magic & 1 == 1 { permitted | inheritable } else { 0 };
        Some(Self { permitted, inheritable, effective })
    }
}

impl std::fmt::Display for Capabilities {
    /// As `cap_to_text(3)` writes them: `cap_net_raw=ep`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut groups = std::collections::BTreeMap::<String, Vec<String>>::new();
        for (number, name) in NAMES.iter().enumerate() {
            let in_set = |set: u64| set >> number & 1 == 1;
            let flags: String =
                [(self.effective, 'e'), (self.inheritable, 'i'), (self.permitted, 'p')]
                    .into_iter()
                    .filter_map(|(set, flag)| in_set(set).then_some(flag))
                    .collect();
            if !flags.is_empty() {
                groups.entry(flags).or_default().push(format!("cap_{name}"));
            }
        }
        if groups.is_empty() {
            return f.write_str("=");
        }
        let clauses: Vec<String> =
            groups.iter().map(|(flags, names)| format!("{}={flags}", names.join(","))).collect();
        f.write_str(&clauses.join(" "))
    }
}

/// The bits of a comma-separated list; no names are all of them.
fn mask(names: &str) -> Option<u64> {
    if names.is_empty() || names.eq_ignore_ascii_case("all") {
        return Some(ALL);
    }
    names.split(',').try_fold(0, |mask, name| {
        let name = name.to_ascii_lowercase();
        let number = NAMES.iter().position(|known| name.strip_prefix("cap_") == Some(known))?;
        Some(mask | 1 << number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values are what `setcap` writes.
    #[test]
    fn texts_become_attributes() {
        let check = |text: &str, expected: [u32; 5]| {
            let found = Capabilities::parse(text).unwrap().xattr();
            assert_eq!(found, expected.map(u32::to_le_bytes).concat(), "{text}");
        };
        check("cap_net_raw=ep", [0x0200_0001, 1 << 13, 0, 0, 0]);
        check("cap_net_raw,cap_net_admin=ep", [0x0200_0001, 3 << 12, 0, 0, 0]);
        check("= cap_net_raw+p", [0x0200_0000, 1 << 13, 0, 0, 0]);
        check("cap_setuid,cap_bpf=p cap_setgid+i", [0x0200_0000, 1 << 7, 1 << 6, 1 << 7, 0]);
        check("=", [0x0200_0000, 0, 0, 0, 0]);
        check("cap_kill=eip cap_kill-i", [0x0200_0001, 1 << 5, 0, 0, 0]);
        check("all=p", [0x0200_0000, u32::MAX, 0, 0x1FF, 0]);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["cap_net_raw", "cap_nothing=ep", "cap_net_raw=x", "cap_net_raw+"] {
            assert_eq!(Capabilities::parse(text), None, "{text}");
        }
    }

    #[test]
    fn attributes_become_texts() {
        for text in ["cap_net_raw=ep", "cap_kill,cap_bpf=p", "=", "cap_chown=eip"] {
            let value = Capabilities::parse(text).unwrap().xattr();
            assert_eq!(Capabilities::from_xattr(&value).unwrap().to_string(), text);
        }
    }
}

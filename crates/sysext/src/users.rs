//! Numbers of users and groups: what packages name, and images have numbers for.

use std::collections::BTreeMap;

/// The users and groups of a target.
#[derive(Clone, Debug, Default)]
pub(crate) struct Users {
    users: BTreeMap<String, u32>,
    groups: BTreeMap<String, u32>,
}

impl Users {
    /// Reads `passwd(5)` and `group(5)`; of several lines for one name the first counts.
    pub(crate) fn read(passwd: &str, group: &str) -> Self {
        Self { users: numbers(passwd), groups: numbers(group) }
    }

    /// The number of a user. Root's is known everywhere.
    pub(crate) fn uid(&self, name: &str) -> Option<u32> {
        if matches!(name, "" | "root") { Some(0) } else { self.users.get(name).copied() }
    }

    /// The number of a group.
    pub(crate) fn gid(&self, name: &str) -> Option<u32> {
        if matches!(name, "" | "root") { Some(0) } else { self.groups.get(name).copied() }
    }
}

/// Name, password and number, in both files.
fn numbers(text: &str) -> BTreeMap<String, u32> {
    let mut numbers = BTreeMap::new();
    for line in text.lines() {
        let mut fields = line.split(':');
        let (name, number) = (fields.next(), fields.nth(1));
        if let (Some(name), Some(Ok(number))) = (name, number.map(str::parse)) {
            numbers.entry(name.to_owned()).or_insert(number);
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_numbers() {
        let users = Users::read(
            "daemon:x:2:2:daemon:/sbin:/sbin/nologin\ndaemon:x:3:3::/:\n# comment\nbroken:x\n",
            "tcpdump:x:72:\nwheel:x:10:core\n",
        );
        assert_eq!(
            (users.uid("daemon"), users.uid("root"), users.uid("tcpdump")),
            (Some(2), Some(0), None)
        );
        assert_eq!(
            (users.gid("tcpdump"), users.gid("root"), users.gid("broken")),
            (Some(72), Some(0), None)
        );
    }
}

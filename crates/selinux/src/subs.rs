//! Substitutions: paths that are labelled as if they were others (`file_contexts.subs`, `file_contexts.subs_dist`).

/// Substitutions in the order in which they are tried.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subs(Vec<(String, String)>);

impl Subs {
    /// Reads lines of `ALIAS ORIGINAL`. Of several that fit, the last counts.
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let pairs = lines.filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            Some((words.next()?.to_owned(), words.next()?.to_owned()))
        });
        let mut pairs: Vec<_> = pairs.collect();
        pairs.reverse();
        Self(pairs)
    }

    /// The path that a path is labelled as, if it is another.
    pub(crate) fn apply(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.0.iter().find_map(|(alias, original)| {
            let rest = path.strip_prefix(alias.as_bytes())?;
            match rest.first() {
                None => Some(original.clone().into_bytes()),
                Some(b'/') if original == "/" => Some(rest.to_vec()),
                Some(b'/') => Some([original.as_bytes(), rest].concat()),
                Some(_) => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_stand_for_whole_folders() {
        let subs =
            Subs::parse("# alias original\n/run /var/run\n/run/lock\t/var/lock\n/chroot /\nhalf\n");
        let check = |path: &str, expected: Option<&str>| {
            let found = subs.apply(path.as_bytes()).map(|path| String::from_utf8(path).unwrap());
            assert_eq!(found.as_deref(), expected, "{path}");
        };
        check("/run", Some("/var/run"));
        check("/run/x", Some("/var/run/x"));
        check("/runner", None);
        check("/run/lock/x", Some("/var/lock/x"));
        check("/chroot/usr", Some("/usr"));
        check("/chroot", Some("/"));
        check("/usr", None);
    }
}

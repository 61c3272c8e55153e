//! `.repo` files: where repositories are and how they are used, as dnf reads them (dnf5.conf(5), "REPO OPTIONS").

use std::collections::BTreeMap;

use crate::error::{Error, broken};

/// A repository of a `.repo` file. Texts have their variables replaced.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RepoConfig {
    /// The name of its section.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Whether it is used when nobody asks for it.
    pub enabled: bool,
    /// URLs of the repository, each as good as the others.
    pub baseurl: Vec<String>,
    /// URL of a metalink.
    pub metalink: Option<String>,
    /// URL of a list of mirrors.
    pub mirrorlist: Option<String>,
    /// Lower is preferred; 99 if nothing is said.
    pub priority: i32,
    /// Packages that are not taken from it, in the words of [`crate::Dependency`] or globs of names.
    pub excludepkgs: Vec<String>,
    /// The only packages that are taken from it; all, if there are none.
    pub includepkgs: Vec<String>,
    /// Whether packages must be signed. dnf's own default is no; the one of Fedora's `dnf.conf`, and ours, is yes.
    pub gpgcheck: bool,
    /// Whether `repomd.xml` must be signed.
    pub repo_gpgcheck: bool,
    /// URLs of the keys.
    pub gpgkey: Vec<String>,
    /// Whether packages count that the default streams of modules hide.
    pub module_hotfixes: bool,
}

/// What `$releasever` and other variables in `.repo` files stand for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Variables(BTreeMap<String, String>);

/// Where a line is.
#[derive(Clone, Copy)]
struct Place {
    /// From 1.
    line: u64,
    /// Of its first byte.
    at: u64,
}

impl RepoConfig {
    /// Where its packages are and which keys they are signed by, as a section of a `.repo` file.
    pub fn section(&self) -> String {
        let mut lines = vec![format!("[{}]", self.id)];
        let mut line = |key: &str, value: &str| lines.push(format!("{key}={value}"));
        self.baseurl.iter().take(1).for_each(|_| line("baseurl", &self.baseurl.join(" ")));
        self.metalink.iter().for_each(|url| line("metalink", url));
        self.mirrorlist.iter().for_each(|url| line("mirrorlist", url));
        self.gpgkey.iter().take(1).for_each(|_| line("gpgkey", &self.gpgkey.join(" ")));
        if !self.gpgcheck {
            line("gpgcheck", "0");
        }
        lines.join("\n") + "\n"
    }

    /// Reads the repositories of a `.repo` file. What is not known is passed over, as dnf does.
    ///
    /// # Errors
    /// A line is nothing that belongs there, a value is not of its kind, a variable is not known, or a repository is
    /// nowhere.
    pub fn read(text: &str, variables: &Variables) -> Result<Vec<Self>, Error> {
        Self::read_some(text, variables, |_, _| true)
    }

    /// As [`RepoConfig::read`], of the sections that are wanted by their id and by whether they are enabled. What the
    /// others say is of no account: they may be for other systems, with variables that are not known here.
    ///
    /// # Errors
    /// As [`RepoConfig::read`].
    pub fn read_some(
        text: &str,
        variables: &Variables,
        wanted: impl Fn(&str, bool) -> bool,
    ) -> Result<Vec<Self>, Error> {
        let mut repos = Vec::new();
        for (id, first, mut values) in sections(text)? {
            if id == "main" {
                continue;
            }
            let mut repo = Self::new(&id);
            if let Some((place, value)) = values.remove("enabled") {
                repo.set("enabled", &value, place, variables)?;
            }
            if !wanted(&id, repo.enabled) {
                continue;
            }
            for (key, (place, value)) in values {
                repo.set(&key, &value, place, variables)?;
            }
            if repo.baseurl.is_empty() && repo.metalink.is_none() && repo.mirrorlist.is_none() {
                let expected = "baseurl, metalink or mirrorlist";
                return Err(first.broken(&format!("[{id}]"), expected, "none of them"));
            }
            repos.push(repo);
        }
        Ok(repos)
    }

    /// A repository of which nothing is said.
    fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: id.to_owned(),
            enabled: true,
            baseurl: Vec::new(),
            metalink: None,
            mirrorlist: None,
            priority: 99,
            excludepkgs: Vec::new(),
            includepkgs: Vec::new(),
            gpgcheck: true,
            repo_gpgcheck: false,
            gpgkey: Vec::new(),
            module_hotfixes: false,
        }
    }

    /// Takes the value of a key. Variables count only in those that do.
    fn set(
        &mut self,
        key: &str,
        value: &str,
        place: Place,
        variables: &Variables,
    ) -> Result<(), Error> {
        let what = format!("[{}]: {key}", self.id);
        let text = || {
            let replaced = variables.replace(value);
            replaced.map_err(|(expected, found)| place.broken(&what, expected, &found))
        };
        let yes = || {
            let text = text()?;
            match text.to_ascii_lowercase().as_str() {
                "1" | "yes" | "true" | "on" => Ok(true),
                "0" | "no" | "false" | "off" => Ok(false),
                _ => Err(place.broken(&what, "1 or 0", &text)),
            }
        };
        let list = || -> Result<Vec<String>, Error> {
            let text = text()?;
            let parts = text.split(|c: char| c == ',' || c.is_whitespace());
            Ok(parts.filter(|part| !part.is_empty()).map(str::to_owned).collect())
        };
        let url = || Ok(Some(text()?).filter(|text| !text.is_empty()));
        match key {
            "name" => self.name = text()?,
            "enabled" => self.enabled = yes()?,
            "baseurl" => {
                let urls = list()?.into_iter();
                self.baseurl = urls.map(|url| url.trim_end_matches('/').to_owned()).collect();
            }
            "metalink" => self.metalink = url()?,
            "mirrorlist" => self.mirrorlist = url()?,
            "priority" => {
                let text = text()?;
                let number = text.parse().map_err(|_| place.broken(&what, "a number", &text));
                self.priority = number?;
            }
            "excludepkgs" | "exclude" => self.excludepkgs.extend(list()?),
            "includepkgs" => self.includepkgs.extend(list()?),
            "gpgcheck" | "pkg_gpgcheck" => self.gpgcheck = yes()?,
            "repo_gpgcheck" => self.repo_gpgcheck = yes()?,
            "gpgkey" => self.gpgkey = list()?,
            "module_hotfixes" => self.module_hotfixes = yes()?,
            _ => {}
        }
        Ok(())
    }
}

/// A section: its name, its line, and the values of its keys with theirs.
type Section = (String, Place, BTreeMap<String, (Place, String)>);

/// The sections of a file in the form of INI. A line that starts with white space goes on with the value before it.
fn sections(text: &str) -> Result<Vec<Section>, Error> {
    let mut sections: Vec<Section> = Vec::new();
    let mut last = None;
    let (mut line, mut next) = (0_u64, 0_u64);
    for text in text.split_inclusive('\n') {
        line = line.saturating_add(1);
        let place = Place { line, at: next };
        next = next.saturating_add(text.len() as u64);
        let content = text.trim();
        if content.is_empty() || text.starts_with(['#', ';']) {
            continue;
        }
        let broken = |what: &str, expected: &str| place.broken(what, expected, content);
        let section = sections.last_mut();
        if text.starts_with([' ', '\t']) {
            let value =
                section.zip(last.as_ref()).and_then(|((.., values), key)| values.get_mut(key));
            let (_, value) = value.ok_or_else(|| broken("a line", "a section or KEY=VALUE"))?;
            value.push('\n');
            value.push_str(content);
        } else if let Some(name) = content.strip_prefix('[') {
            let name = name.split_once(']').filter(|(name, rest)| {
                !name.is_empty() && (rest.trim().is_empty() || rest.trim().starts_with(['#', ';']))
            });
            let (name, _) = name.ok_or_else(|| broken("a section", "[NAME]"))?;
            if sections.iter().any(|(known, ..)| known == name) {
                return Err(broken("a section", "a name that was not there before"));
            }
            sections.push((name.to_owned(), place, BTreeMap::new()));
            last = None;
        } else {
            let (key, value) =
                content.split_once('=').ok_or_else(|| broken("a line", "KEY=VALUE"))?;
            let (.., values) =
                section.ok_or_else(|| broken("the first line", "a section such as [fedora]"))?;
            let key = key.trim().to_owned();
            values.insert(key.clone(), (place, value.trim().to_owned()));
            last = Some(key);
        }
    }
    Ok(sections)
}

impl Place {
    fn broken(self, what: &str, expected: &str, found: &str) -> Error {
        let what = format!("line {}: {what}", self.line);
        broken(self.at, what, expected, format_args!("`{found}`"))
    }
}

impl Variables {
    /// Those of a target: its release, if it is known, and its architecture as rpm names it.
    pub fn new(releasever: Option<&str>, arch: &str) -> Self {
        let mut variables = Self::default();
        for name in ["arch", "basearch"] {
            variables.set(name, arch);
        }
        if let Some(release) = releasever {
            let (major, minor) = release.split_once('.').unwrap_or((release, ""));
            variables.set("releasever", release);
            variables.set("releasever_major", major);
            variables.set("releasever_minor", minor);
        }
        variables
    }

    /// Sets one, as a file in `/etc/dnf/vars` does.
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// A text with its variables replaced: `$name`, `${name}`, `${name:-word}` (or `word` where nothing is known) and
    /// `${name:+word}` (`word` where something is).
    ///
    /// # Errors
    /// What was expected, and the variable that is not known or not closed.
    pub fn replace(&self, text: &str) -> Result<String, (&'static str, String)> {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            result.push_str(before);
            let (expression, after) = match after.strip_prefix('{') {
                Some(inner) => {
                    inner.split_once('}').ok_or_else(|| ("a closing brace", format!("${after}")))?
                }
                None => {
                    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                    after.split_at(after.find(|c| !is_name(c)).unwrap_or(after.len()))
                }
            };
            rest = after;
            if expression.is_empty() {
                result.push('$');
                continue;
            }
            let (name, word) = match expression.split_once(':') {
                Some((name, word)) => (name, Some(word)),
                None => (expression, None),
            };
            let value = self.0.get(name).map(String::as_str).filter(|value| !value.is_empty());
            result.push_str(match (value, word) {
                (Some(value), None) => value,
                (value, Some(word)) => match (word.strip_prefix('-'), word.strip_prefix('+')) {
                    (Some(word), _) => value.unwrap_or(word),
                    (_, Some(word)) => value.map_or("", |_| word),
                    _ => {
                        return Err((
                            "${NAME:-WORD} or ${NAME:+WORD}",
                            format!("${{{expression}}}"),
                        ));
                    }
                },
                (None, None) => return Err(("a variable that is known", format!("${name}"))),
            });
        }
        Ok(result + rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        Variables::new(Some("43"), "x86_64")
    }

    #[test]
    fn what_fedora_ships_is_read() {
        let text = "\
[fedora]
name=Fedora $releasever - $basearch
#baseurl=http://download.example/pub/fedora/linux/releases/$releasever/Everything/$basearch/os/
metalink=https://mirrors.example/metalink?repo=fedora-$releasever&arch=$basearch
enabled=1
countme=1
metadata_expire=7d
repo_gpgcheck=0
type=rpm
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-$releasever-$basearch
skip_if_unavailable=False
password=$ecret

[other]
name=Other
baseurl=https://a.example/${releasever}/
    https://b.example/$basearch/,https://c.example
enabled = 0
priority=10
excludepkgs=kernel* , *-devel
includepkgs=vim-*
gpgcheck=no
module_hotfixes=1
";
        let repos = RepoConfig::read(text, &variables()).unwrap();
        let [fedora, other] = repos.as_slice() else { panic!("{repos:?}") };
        assert_eq!(fedora.name, "Fedora 43 - x86_64");
        let metalink = "https://mirrors.example/metalink?repo=fedora-43&arch=x86_64";
        assert_eq!(fedora.metalink.as_deref(), Some(metalink));
        assert_eq!(fedora.gpgkey, ["file:///etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-43-x86_64"]);
        assert!(fedora.enabled && fedora.gpgcheck && !fedora.repo_gpgcheck);
        assert_eq!(fedora.priority, 99);
        let urls = ["https://a.example/43", "https://b.example/x86_64", "https://c.example"];
        assert_eq!(other.baseurl, urls);
        assert!(!other.enabled && !other.gpgcheck && other.module_hotfixes);
        assert_eq!(other.priority, 10);
        assert_eq!(other.excludepkgs, ["kernel*", "*-devel"]);
        assert_eq!(other.includepkgs, ["vim-*"]);
    }

    #[test]
    fn sections_that_are_not_wanted_may_say_what_they_like() {
        let text = "[a]\nbaseurl=https://a.example\n[b]\nenabled=0\nbaseurl=https://$vendor.example\n[c]\nenabled=0\n";
        let ids = |wanted: &dyn Fn(&str, bool) -> bool| {
            let repos = RepoConfig::read_some(text, &variables(), wanted)?;
            Ok::<_, Error>(repos.into_iter().map(|repo| repo.id).collect::<Vec<_>>())
        };
        assert_eq!(ids(&|_, enabled| enabled).unwrap(), ["a"]);
        let unknown = ids(&|id, _| id == "b").unwrap_err().to_string();
        assert!(
            unknown.contains("line 5: [b]: baseurl") && unknown.contains("`$vendor`"),
            "{unknown}"
        );
        assert!(ids(&|id, _| id == "c").unwrap_err().to_string().contains("found `none of them`"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let check = |text: &str, expected: &str| {
            let error = RepoConfig::read(text, &variables()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check("baseurl=http://a.example\n", "line 1: the first line at byte 0: expected a section");
        check("[a]\nbaseurl\n", "line 2: a line at byte 4: expected KEY=VALUE, found `baseurl`");
        check(
            "[a]\nbaseurl=http://a\npriority=high\n",
            "line 3: [a]: priority at byte 21: expected a number",
        );
        check(
            "[a]\nbaseurl=http://a/$uuid\n",
            "line 2: [a]: baseurl at byte 4: expected a variable that is known, found `$uuid`",
        );
        check(
            "# x\n[a]\nname=A\n",
            "line 2: [a] at byte 4: expected baseurl, metalink or mirrorlist",
        );
        check("[a\nname=A\n", "line 1: a section at byte 0: expected [NAME]");
        check("[a]\nbaseurl=x\n[a]\nbaseurl=x\n", "line 3: a section");
        check("[a]\nbaseurl=x\nenabled=perhaps\n", "expected 1 or 0, found `perhaps`");
        check("  x\n", "line 1: a line");
    }

    #[test]
    fn variables_have_words_for_when_they_are_unknown() {
        let check = |text: &str, expected: &str| {
            assert_eq!(variables().replace(text).as_deref(), Ok(expected), "{text}");
        };
        check("a-$releasever-$basearch/b", "a-43-x86_64/b");
        check("${stream:-stable}/${releasever:-1}", "stable/43");
        check("${stream:+x}${releasever:+r}", "r");
        check("5$ and $/", "5$ and $/");
        assert!(variables().replace("${releasever").is_err());
        assert!(Variables::new(None, "x86_64").replace("$releasever").is_err());
    }
}

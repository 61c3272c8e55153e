//! Repositories by name: those of `extensions/repositories.repo`, and every project of COPR.

use rpm::repodata::{RepoConfig, Variables};

const KNOWN: &str = include_str!("../../../../extensions/repositories.repo");
const COPR: &str = "https://download.copr.fedorainfracloud.org/results";

/// The repositories that a name stands for: `fedora`, `rpmfusion*` for all that begin so, `copr:OWNER/PROJECT` and
/// `copr:@GROUP/PROJECT`. Empty if it is no such name.
///
/// # Errors
/// A variable of their URLs is not known.
pub fn known_repositories(
    name: &str,
    variables: &Variables,
) -> Result<Vec<RepoConfig>, rpm::Error> {
    if let Some(project) = name.strip_prefix("copr:") {
        return copr(project, variables);
    }
    let is_meant = |id: &str| match name.strip_suffix('*') {
        Some(start) => !start.is_empty() && id.starts_with(start),
        None => id == name,
    };
    let sections = KNOWN.split("\n[").skip(1);
    let wanted: String = sections
        .filter(|section| section.split(']').next().is_some_and(is_meant))
        .map(|section| format!("[{section}\n"))
        .collect();
    RepoConfig::read(&wanted, variables)
}

/// Names of all repositories that are known by one.
pub(crate) fn known_names() -> Vec<&'static str> {
    let sections = KNOWN.split("\n[").skip(1);
    sections.filter_map(|section| section.split(']').next()).collect()
}

/// The repository of a project, as `dnf copr enable` writes it.
fn copr(project: &str, variables: &Variables) -> Result<Vec<RepoConfig>, rpm::Error> {
    let is_part = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte);
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain)
    };
    let Some((owner, name)) = project
        .split_once('/')
        .filter(|(owner, name)| is_part(owner.strip_prefix('@').unwrap_or(owner)) && is_part(name))
    else {
        return Ok(Vec::new());
    };
    let id = owner.replacen('@', "group_", 1);
    let text = format!(
        "[copr:copr.fedorainfracloud.org:{id}:{name}]\n\
         name=Copr repo for {name} owned by {owner}\n\
         baseurl={COPR}/{owner}/{name}/fedora-$releasever-$basearch/\n\
         gpgkey={COPR}/{owner}/{name}/pubkey.gpg\n"
    );
    RepoConfig::read(&text, variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(name: &str) -> Vec<String> {
        let variables = Variables::new(Some("43"), "x86_64");
        let repos = known_repositories(name, &variables).unwrap();
        repos.into_iter().map(|repo| repo.id).collect()
    }

    #[test]
    fn names_stand_for_repositories() {
        assert_eq!(ids("fedora"), ["fedora"]);
        assert_eq!(ids("rpmfusion*").len(), 4);
        assert_eq!(ids("rpmfusion-nonfree*"), ["rpmfusion-nonfree", "rpmfusion-nonfree-updates"]);
        assert_eq!(
            ids("copr:@cosmic/epoch"),
            ["copr:copr.fedorainfracloud.org:group_cosmic:epoch"]
        );
        for unknown in ["fedor", "*", "", "copr:atim", "copr:a/b/c", "copr:../x", "copr:a/b c"] {
            assert!(ids(unknown).is_empty(), "{unknown}");
        }
    }

    #[test]
    fn urls_have_the_release_and_architecture() {
        let variables = Variables::new(Some("43"), "aarch64");
        let copr = known_repositories("copr:atim/starship", &variables).unwrap();
        let url =
            "https://download.copr.fedorainfracloud.org/results/atim/starship/fedora-43-aarch64";
        assert_eq!(copr[0].baseurl, [url]);
        let updates = known_repositories("updates", &variables).unwrap();
        let url =
            "https://mirrors.fedoraproject.org/metalink?repo=updates-released-f43&arch=aarch64";
        assert_eq!(updates[0].metalink.as_deref(), Some(url));
        let unknown = known_repositories("updates", &Variables::new(None, "aarch64"));
        assert!(unknown.unwrap_err().to_string().contains("`$releasever`"));
    }
}

//! Mirrors of a repository: metalinks (version 3, as MirrorManager writes them) and plain lists.

use std::io::Read;

use super::primary::Checksum;
use super::xml::{Element, Item, Xml};
use crate::error::Error;

/// Where what a metalink or list tells about ends.
const REPOMD: &str = "repodata/repomd.xml";
const MAX_PREFERENCE: u32 = 100;

/// The mirrors of a repository, and which `repomd.xml` they should have.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Metalink {
    /// The states of `repomd.xml` that are good, the newest first. Mirrors may lag behind.
    pub states: Vec<State>,
    /// URLs of the repository without a slash at the end, the preferred first; of http and https only.
    pub mirrors: Vec<String>,
}

/// A state of `repomd.xml`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct State {
    /// Its bytes.
    pub size: Option<u64>,
    /// Its digest by the strongest algorithm that is told, if one is.
    pub checksum: Option<Checksum>,
}

impl Metalink {
    /// Reads a metalink.
    ///
    /// # Errors
    /// It is broken, or does not tell of a `repomd.xml`.
    pub fn read(source: impl Read) -> Result<Self, Error> {
        let mut xml = Xml::new(source, "metalink.xml");
        let mut found: Option<Self> = None;
        let mut mirrors: Vec<(u32, String)> = Vec::new();
        // Whether what comes is of repomd.xml, and of its mirrors.
        let (mut is_repomd, mut in_resources) = (false, false);
        let mut open: Option<Element> = None;
        loop {
            match xml.next()? {
                Item::Open(element) => {
                    match element.name() {
                        // Other files may be told of as well, and a second repomd.xml is none of ours.
                        "file" => {
                            is_repomd =
                                found.is_none() && xml.required(&element, "name")? == "repomd.xml";
                            if is_repomd {
                                let states = vec![State::default()];
                                found = Some(Self { states, mirrors: Vec::new() });
                            }
                        }
                        "alternate" if is_repomd => {
                            found.iter_mut().for_each(|found| found.states.push(State::default()));
                        }
                        "resources" => in_resources = is_repomd,
                        _ => {}
                    }
                    open = Some(element);
                }
                Item::Close(name) => {
                    let state = found.as_mut().and_then(|found| found.states.last_mut());
                    match (name.as_str(), state, open.take()) {
                        ("file", ..) => is_repomd = false,
                        ("resources", ..) => in_resources = false,
                        ("size", Some(state), _) if is_repomd => {
                            // librepo passes over what is no number as well.
                            state.size = xml.take_text().parse().ok();
                        }
                        ("hash", Some(state), Some(element)) if is_repomd => {
                            let algorithm = xml.required(&element, "type")?;
                            state.add(Checksum { algorithm, hex: xml.take_text() });
                        }
                        ("url", _, Some(element)) if in_resources => {
                            mirrors.extend(mirror(&mut xml, &element)?);
                        }
                        _ => {}
                    }
                }
                Item::End => break,
            }
        }
        let found = found.ok_or_else(|| {
            xml.broken("<files>", "a <file name=\"repomd.xml\">", "none of that name")
        })?;
        // Stable, so that mirrors of one preference stay in their order.
        mirrors.sort_by_key(|(preference, _)| MAX_PREFERENCE.saturating_sub(*preference));
        let mirrors = mirrors.into_iter().map(|(_, url)| url).collect();
        Ok(Self { mirrors, ..found })
    }

    /// Reads a list of mirrors: a URL of the repository a line, and comments. What some servers send in place of a list
    /// is a metalink and read as one.
    ///
    /// # Errors
    /// It is a broken metalink.
    pub fn read_list(text: &str) -> Result<Self, Error> {
        if text.trim_start().starts_with('<') {
            return Self::read(text.as_bytes());
        }
        let lines = text.lines().filter_map(|line| line.split('#').next());
        let mirrors = lines.map(str::trim).filter(|line| is_web(line)).map(without_slash).collect();
        Ok(Self { states: Vec::new(), mirrors })
    }
}

impl State {
    /// Takes a digest if it is stronger than what is there.
    fn add(&mut self, checksum: Checksum) {
        let strength = |checksum: &Checksum| match (checksum.algorithm.as_str(), checksum.hex.len())
        {
            ("sha512", 128) => 4,
            ("sha256", 64) => 3,
            ("sha1", 40) => 2,
            ("md5", 32) => 1,
            _ => 0,
        };
        if strength(&checksum) > self.checksum.as_ref().map_or(0, strength) {
            self.checksum = Some(checksum);
        }
    }
}

/// The URL of a mirror and how much it is preferred, from 1 to 100.
fn mirror<R: Read>(xml: &mut Xml<R>, element: &Element) -> Result<Option<(u32, String)>, Error> {
    let url = xml.take_text();
    let preference = xml.attribute(element, "preference")?.and_then(|text| text.parse().ok());
    let preference = preference.filter(|number| (1..=MAX_PREFERENCE).contains(number)).unwrap_or(1);
    let base = url.strip_suffix(REPOMD).filter(|base| is_web(base));
    Ok(base.map(|base| (preference, without_slash(base))))
}

fn is_web(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

fn without_slash(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferred_mirrors_come_first_and_the_strongest_digest_counts() {
        let metalink = Metalink::read(
            r#"<metalink version="3.0" xmlns="http://www.metalinker.org/" xmlns:mm0="http://example.org/">
            <files><file name="other.xml"><size>1</size>
              <resources><url preference="100">http://other.example/repodata/repomd.xml</url></resources></file>
            <file name="repomd.xml"><size>42</size>
              <verification><hash type="md5">0cc175b9c0f1b6a831c399e269772661</hash>
                <hash type="sha256">ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb</hash></verification>
              <mm0:alternates><mm0:alternate><size>41</size><verification>
                <hash type="md5">92eb5ffee6ae2fec3ad71c777531578f</hash></verification></mm0:alternate></mm0:alternates>
              <resources maxconnections="1">
                <url protocol="http" preference="7">http://b.example/os/repodata/repomd.xml</url>
                <url protocol="rsync" preference="99">rsync://r.example/os/repodata/repomd.xml</url>
                <url protocol="https" preference="100">https://a.example/os/repodata/repomd.xml</url>
                <url protocol="http" preference="7">http://c.example/os/repodata/repomd.xml</url>
                <url protocol="http" preference="-5">http://d.example/repodata/repomd.xml</url>
              </resources></file></files></metalink>"#
                .as_bytes(),
        )
        .unwrap();
        let mirrors = [
            "https://a.example/os",
            "http://b.example/os",
            "http://c.example/os",
            "http://d.example",
        ];
        assert_eq!(metalink.mirrors, mirrors);
        let states: Vec<_> = metalink
            .states
            .iter()
            .map(|state| (state.size, state.checksum.as_ref().map(|sum| sum.algorithm.as_str())))
            .collect();
        assert_eq!(states, [(Some(42), Some("sha256")), (Some(41), Some("md5"))]);
    }

    #[test]
    fn a_metalink_of_something_else_is_refused() {
        let error = Metalink::read("<metalink><files/></metalink>".as_bytes()).unwrap_err();
        assert!(error.to_string().contains("a <file name=\"repomd.xml\">"), "{error}");
        assert!(Metalink::read("<metalink><files>".as_bytes()).is_err());
    }

    #[test]
    fn lists_have_comments_and_what_is_no_mirror() {
        let list = "# repo = fedora\n\n  http://a.example/os/ # near\nftp://b.example/os/\n#http://c.example/\nhttps://d.example\n";
        let mirrors = Metalink::read_list(list).unwrap().mirrors;
        assert_eq!(mirrors, ["http://a.example/os", "https://d.example"]);
    }
}

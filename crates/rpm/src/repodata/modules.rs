//! `modules.yaml`: packages that are there in several streams, of which one at most is used.
//!
//! Packages of streams that nobody has enabled do not take part; a stream is enabled if its module names it as the
//! default, or an enabled one needs it. See <https://docs.fedoraproject.org/en-US/modularity/>.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use saphyr_parser::{Event, Parser};

use crate::error::{Error, broken};

/// Bytes that the file may have: it is read as a whole.
const MAX_SIZE: u64 = 256 << 20;

/// The modules of a repository.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Modules {
    streams: Vec<Stream>,
    /// The default stream of each module.
    defaults: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Stream {
    module: String,
    stream: String,
    /// Packages as `name-epoch:version-release.arch`.
    artifacts: Vec<String>,
    /// Modules that it needs, with the streams that will do; none named means any.
    requires: BTreeMap<String, Vec<String>>,
}

/// Which packages take no part because of modules.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ModuleFilter {
    /// `name-[epoch:]version-release.arch` of packages of enabled streams.
    enabled: BTreeSet<String>,
    /// The same of other streams.
    disabled: BTreeSet<String>,
    /// Names that packages of enabled streams have: others of these names take no part.
    names: BTreeSet<String>,
}

impl ModuleFilter {
    /// Whether a package may take part.
    pub fn allows(&self, nevra: &str, name: &str) -> bool {
        self.enabled.contains(nevra) || !self.disabled.contains(nevra) && !self.names.contains(name)
    }
}

impl Modules {
    /// Reads decompressed metadata.
    ///
    /// # Errors
    /// The file is broken.
    pub fn read(source: impl Read) -> Result<Self, Error> {
        let mut text = String::new();
        let read = source.take(MAX_SIZE).read_to_string(&mut text);
        read.map_err(|error| broken(0, "modules.yaml", "text that can be read", error))?;
        // libyaml, which writes these files, puts the end of a quoted text at the start of a line, where YAML wants it
        // indented; how much is all the same.
        let indented = format!("\n{:64}'", "");
        let text = text.replace("\n'", &indented);
        let mut reader = Reader::default();
        let mut parser = Parser::new_from_str(&text);
        while let Some(event) = parser.next_event() {
            let (event, _) = event.map_err(|error| {
                broken(error.marker().index() as u64, "modules.yaml", "YAML", error.info())
            })?;
            reader.event(event);
        }
        Ok(reader.modules)
    }

    /// Takes over what another repository says.
    pub fn merge(&mut self, other: Self) {
        self.streams.extend(other.streams);
        self.defaults.extend(other.defaults);
    }

    /// Which packages take no part.
    pub fn filter(&self) -> ModuleFilter {
        let enabled = self.enabled();
        let mut filter = ModuleFilter::default();
        for stream in &self.streams {
            let is_enabled = enabled.get(&stream.module) == Some(&stream.stream);
            for artifact in &stream.artifacts {
                let nevra = artifact.replacen("-0:", "-", 1);
                if is_enabled {
                    let end = artifact.find(':').and_then(|end| artifact.get(..end)?.rfind('-'));
                    filter.names.extend(end.and_then(|end| artifact.get(..end)).map(str::to_owned));
                    filter.enabled.insert(nevra);
                } else {
                    filter.disabled.insert(nevra);
                }
            }
        }
        filter
    }

    /// The stream of each module that is used.
    fn enabled(&self) -> BTreeMap<String, String> {
        let mut enabled = self.defaults.clone();
        loop {
            let before = enabled.len();
            for stream in &self.streams {
                if enabled.get(&stream.module) != Some(&stream.stream) {
                    continue;
                }
                for (module, streams) in stream.requires.clone() {
                    if let [one] = streams.as_slice() {
                        enabled.entry(module).or_insert_with(|| one.clone());
                    }
                }
            }
            if enabled.len() == before {
                return enabled;
            }
        }
    }
}

/// Takes what matters out of the stream of events.
#[derive(Default)]
struct Reader {
    modules: Modules,
    /// The keys that lead to the current place; `None` for a list's element.
    path: Vec<Option<String>>,
    /// For each open collection: whether it is a mapping, and whether its next scalar is a key.
    open: Vec<(bool, bool)>,
    kind: String,
    stream: Stream,
}

impl Reader {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::DocumentStart(_) => {
                self.path.clear();
                self.open.clear();
                self.kind.clear();
                self.stream = Stream::default();
            }
            Event::DocumentEnd => self.end_document(),
            Event::MappingStart(..) => self.start(true),
            Event::SequenceStart(..) => self.start(false),
            Event::MappingEnd | Event::SequenceEnd => {
                self.open.pop();
                self.end_value();
            }
            Event::Scalar(text, ..) => self.scalar(&text),
            Event::Alias(_) => self.scalar(""),
            _ => {}
        }
    }

    fn start(&mut self, mapping: bool) {
        if let Some((false, _)) = self.open.last() {
            self.path.push(None);
        }
        self.open.push((mapping, true));
    }

    fn scalar(&mut self, text: &str) {
        match self.open.last_mut() {
            Some((true, is_key)) if *is_key => {
                *is_key = false;
                self.path.push(Some(text.to_owned()));
                return;
            }
            Some((false, _)) => self.path.push(None),
            _ => {}
        }
        self.value(text);
        self.end_value();
    }

    /// A value has ended: its key is done with.
    fn end_value(&mut self) {
        if let Some((mapping, is_key)) = self.open.last_mut() {
            self.path.pop();
            *is_key = *mapping;
        }
    }

    fn value(&mut self, text: &str) {
        let path: Vec<Option<&str>> = self.path.iter().map(Option::as_deref).collect();
        match path.as_slice() {
            [Some("document")] => text.clone_into(&mut self.kind),
            [Some("data"), Some("name" | "module")] => text.clone_into(&mut self.stream.module),
            [Some("data"), Some("stream")] => text.clone_into(&mut self.stream.stream),
            [Some("data"), Some("artifacts"), Some("rpms"), None] => {
                self.stream.artifacts.push(text.to_owned());
            }
            [Some("data"), Some("dependencies"), None, Some("requires"), Some(module), None] => {
                let streams = self.stream.requires.entry((*module).to_owned()).or_default();
                streams.push(text.to_owned());
            }
            _ => {}
        }
    }

    fn end_document(&mut self) {
        let stream = std::mem::take(&mut self.stream);
        match self.kind.as_str() {
            "modulemd" => self.modules.streams.push(stream),
            "modulemd-defaults" if !stream.stream.is_empty() => {
                self.modules.defaults.insert(stream.module, stream.stream);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_streams_are_used_and_others_are_not() {
        let stream = |module: &str, stream: &str, requires: &str| {
            format!(
                "---\ndocument: modulemd\nversion: 2\ndata:\n  name: {module}\n  stream: \"{stream}\"\n  dependencies:\n  \
                 - buildrequires:\n      platform: [f30]\n    requires: {{{requires}}}\n  summary: 'ends\n\n'\n  description: >-\n    two\n    \
                 lines: of text\n  artifacts:\n    rpms:\n    - {module}-0:{stream}-1.x86_64\n    - lib{module}-1:{stream}-1.x86_64\n...\n"
            )
        };
        let text = stream("perl", "5.30", "platform: [f30], zlib: [ng]")
            + &stream("perl", "5.26", "platform: [f30]")
            + &stream("zlib", "ng", "")
            + &stream("zlib", "old", "")
            + "---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: perl\n  stream: 5.30\n  profiles:\n    5.30: [a]\n...\n";
        let filter = Modules::read(text.as_bytes()).unwrap().filter();
        assert!(filter.allows("perl-5.30-1.x86_64", "perl"));
        assert!(filter.allows("libperl-1:5.30-1.x86_64", "libperl"));
        assert!(!filter.allows("perl-5.26-1.x86_64", "perl"));
        assert!(!filter.allows("perl-5.40-1.x86_64", "perl"), "not of a module, but of its name");
        assert!(filter.allows("zlib-ng-1.x86_64", "zlib"), "needed by a default stream");
        assert!(!filter.allows("zlib-old-1.x86_64", "zlib"));
        assert!(filter.allows("bash-5-1.x86_64", "bash"));
    }

    #[test]
    fn broken_yaml_is_refused() {
        for text in ["a: [", "\"", "a: b: c", "- a\nb"] {
            Modules::read(text.as_bytes()).unwrap_err();
        }
        Modules::read(&b"\xff"[..]).unwrap_err();
        assert_eq!(Modules::read(&b""[..]).unwrap(), Modules::default());
    }
}

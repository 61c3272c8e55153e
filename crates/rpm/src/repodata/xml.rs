//! Elements and their text, from an XML stream, with the place of each for messages.

use std::borrow::Cow;
use std::io::{BufReader, Read};

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

use crate::error::{Error, broken};

/// Bytes that one text or tag may have; descriptions are the longest there are.
const MAX_TEXT: usize = 16 << 20;

/// A reader of elements.
pub(super) struct Xml<R: Read> {
    reader: quick_xml::Reader<BufReader<R>>,
    buffer: Vec<u8>,
    text: String,
    file: &'static str,
    /// Elements that are open.
    depth: usize,
    /// Whether an element has been there at all.
    started: bool,
}

/// What comes next.
pub(super) enum Item {
    /// An element starts.
    Open(Element),
    /// An element ends; its name without prefix.
    Close(String),
    /// The document has ended.
    End,
}

/// The start of an element.
pub(super) struct Element(BytesStart<'static>);

impl<R: Read> Xml<R> {
    /// Reads a file, whose name messages will bear.
    pub(super) fn new(source: R, file: &'static str) -> Self {
        let mut reader = quick_xml::Reader::from_reader(BufReader::with_capacity(64 << 10, source));
        reader.config_mut().expand_empty_elements = true;
        Self { reader, buffer: Vec::new(), text: String::new(), file, depth: 0, started: false }
    }

    /// The next start or end of an element. Text in between can be taken with [`Xml::take_text`].
    pub(super) fn next(&mut self) -> Result<Item, Error> {
        loop {
            self.buffer.clear();
            let event = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(error) => return Err(self.failed(&error)),
            };
            match event {
                Event::Start(start) => {
                    let start = start.into_owned();
                    self.text.clear();
                    self.depth = self.depth.saturating_add(1);
                    self.started = true;
                    return Ok(Item::Open(Element(start)));
                }
                Event::End(end) => {
                    let name = end.local_name().into_inner().to_owned();
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Item::Close(name));
                }
                Event::Text(text) => self.text.push_str(&text.xml_content(XmlVersion::Implicit1_0)),
                Event::CData(text) => self.text.push_str(&text.into_inner()),
                Event::GeneralRef(reference) => {
                    let resolved = reference.resolve_char_ref();
                    match (resolved, resolve_predefined_entity(&reference.into_inner())) {
                        (Ok(Some(character)), _) => self.text.push(character),
                        (_, Some(text)) => self.text.push_str(text),
                        _ => return Err(self.broken("a reference", "a known entity", "another")),
                    }
                }
                Event::Eof if self.depth > 0 || !self.started => {
                    let found = "the end of the file";
                    return Err(self.broken("the document", "the end of its elements", found));
                }
                Event::Eof => return Ok(Item::End),
                _ => {}
            }
            if self.text.len() > MAX_TEXT {
                return Err(self.broken(
                    "a text",
                    format_args!("at most {MAX_TEXT} bytes"),
                    "more",
                ));
            }
        }
    }

    /// Text since the last start of an element, without white space around it.
    pub(super) fn take_text(&mut self) -> String {
        let text = self.text.trim().to_owned();
        self.text.clear();
        text
    }

    /// The error for something broken here.
    pub(super) fn broken(
        &self,
        what: impl std::fmt::Display,
        expected: impl std::fmt::Display,
        found: impl std::fmt::Display,
    ) -> Error {
        let what = format_args!("{}: {what}", self.file);
        broken(self.reader.buffer_position(), what, expected, found)
    }

    /// The value of an attribute.
    pub(super) fn attribute(&self, element: &Element, name: &str) -> Result<Option<String>, Error> {
        let mut found = None;
        self.attributes(element, |key, value| {
            if key == name {
                found = Some(value.into_owned());
            }
        })?;
        Ok(found)
    }

    /// The value of an attribute that must be there.
    pub(super) fn required(&self, element: &Element, name: &str) -> Result<String, Error> {
        self.attribute(element, name)?.ok_or_else(|| {
            let what = format_args!("<{}>", element.name());
            self.broken(what, format_args!("the attribute `{name}`"), "none")
        })
    }

    /// Shows all attributes.
    pub(super) fn attributes(
        &self,
        element: &Element,
        mut each: impl FnMut(&str, Cow<'_, str>),
    ) -> Result<(), Error> {
        for attribute in element.0.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| {
                self.broken(format_args!("<{}>", element.name()), "attributes", error)
            })?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|error| self.failed(&error))?;
            each(attribute.key.local_name().into_inner(), value);
        }
        Ok(())
    }

    fn failed(&self, error: &quick_xml::Error) -> Error {
        if let quick_xml::Error::Io(error) = error {
            // What a decoder says of its data is of this kind or of its own making; the source's failures are not told
            // apart from it.
            return self.broken("the file", "data that can be read", error);
        }
        self.broken("the document", "XML", error)
    }
}

impl Element {
    /// The name without prefix.
    pub(super) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }
}

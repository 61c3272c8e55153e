//! Texts by number: each is kept once, and equal texts have equal numbers.

use hashbrown::HashTable;
use twox_hash::XxHash3_64;

/// The number of a text.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Str(pub(crate) u32);

/// All texts, one after the other.
#[derive(Debug)]
pub(crate) struct Strings {
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
    numbers: HashTable<u32>,
}

impl Strings {
    /// Holds the empty text as number 0.
    pub(crate) fn new() -> Self {
        let mut strings = Self { text: String::new(), ends: Vec::new(), numbers: HashTable::new() };
        strings.add("");
        strings
    }

    /// The number of a text, which is kept if it is new.
    pub(crate) fn add(&mut self, text: &str) -> Str {
        let hash = XxHash3_64::oneshot(text.as_bytes());
        let (all, ends) = (&self.text, &self.ends);
        if let Some(number) = self.numbers.find(hash, |number| at(all, ends, *number) == text) {
            return Str(*number);
        }
        let number = u32::try_from(self.ends.len()).expect("fewer than 4 billion texts fit memory");
        self.text.push_str(text);
        self.ends.push(self.text.len());
        let (all, ends) = (&self.text, &self.ends);
        self.numbers.insert_unique(hash, number, |number| {
            XxHash3_64::oneshot(at(all, ends, *number).as_bytes())
        });
        Str(number)
    }

    /// The number of a text, if it is here.
    pub(crate) fn find(&self, text: &str) -> Option<Str> {
        let hash = XxHash3_64::oneshot(text.as_bytes());
        let found = self.numbers.find(hash, |number| at(&self.text, &self.ends, *number) == text);
        found.map(|number| Str(*number))
    }

    /// The text of a number.
    pub(crate) fn get(&self, number: Str) -> &str {
        at(&self.text, &self.ends, number.0)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }
}

fn at<'a>(text: &'a str, ends: &[usize], number: u32) -> &'a str {
    let number = number as usize;
    let start = if number == 0 { 0 } else { ends[number - 1] };
    &text[start..ends[number]]
}

//! Texts by number: each is kept once, and equal texts have equal numbers.

use hashbrown::HashTable;
use twox_hash::XxHash3_64;

use crate::index::TextTable;

/// The number of a text.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Str(pub(crate) u32);

/// All texts, one after the other.
#[derive(Debug)]
pub(crate) struct Strings {
    table: TextTable,
    /// Texts that came in order and can be found without a table.
    sorted: std::ops::Range<u32>,
    numbers: HashTable<u32>,
}

impl Strings {
    /// Holds the empty text as number 0.
    pub(crate) fn new() -> Self {
        let mut strings =
            Self { table: TextTable::default(), sorted: 0..0, numbers: HashTable::new() };
        strings.add("");
        strings
    }

    /// The number of a text, which is kept if it is new.
    pub(crate) fn add(&mut self, text: &str) -> Str {
        if let Some(number) = self.find(text) {
            return number;
        }
        let hash = XxHash3_64::oneshot(text.as_bytes());
        let number =
            u32::try_from(self.table.ends.len()).expect("fewer than 4 billion texts fit memory");
        self.table.text.push_str(text);
        self.table.ends.push(self.table.text.len());
        let table = &self.table;
        self.numbers.insert_unique(hash, number, |number| {
            XxHash3_64::oneshot(table.get(*number).as_bytes())
        });
        Str(number)
    }

    /// The number of a text, if it is here.
    pub(crate) fn find(&self, text: &str) -> Option<Str> {
        self.find_hashed(text).or_else(|| self.find_sorted(text))
    }

    fn find_hashed(&self, text: &str) -> Option<Str> {
        let hash = XxHash3_64::oneshot(text.as_bytes());
        let found = self.numbers.find(hash, |number| self.table.get(*number) == text);
        found.map(|number| Str(*number))
    }

    fn find_sorted(&self, text: &str) -> Option<Str> {
        let mut range = self.sorted.clone();
        while !range.is_empty() {
            let middle = range.start + (range.end - range.start) / 2;
            match text.cmp(self.table.get(middle)) {
                std::cmp::Ordering::Less => range.end = middle,
                std::cmp::Ordering::Equal => return Some(Str(middle)),
                std::cmp::Ordering::Greater => range.start = middle + 1,
            }
        }
        None
    }

    /// The numbers of texts that are in order, the first of them empty. The first such table is taken as it is.
    pub(crate) fn add_table(&mut self, table: &TextTable) -> Vec<Str> {
        let count = u32::try_from(table.ends.len()).expect("fewer than 4 billion texts fit memory");
        if !self.sorted.is_empty() || self.numbers.len() > 64 {
            return (0..count).map(|number| self.add(table.get(number))).collect();
        }
        let offset = self.table.text.len();
        let first =
            u32::try_from(self.table.ends.len()).expect("fewer than 4 billion texts fit memory");
        self.table.text.push_str(&table.text);
        self.table.ends.extend(table.ends.iter().skip(1).map(|end| offset + end));
        self.sorted = first..first + count - 1;
        let mut numbers: Vec<Str> =
            (0..count).map(|at| Str((first + at).saturating_sub(1))).collect();
        // The few texts that were here before keep their numbers.
        for known in 0..first {
            let text = self.table.get(known);
            if let Some(Str(double)) = self.find_sorted(text) {
                numbers[(double - first + 1) as usize] = Str(known);
            }
        }
        numbers[0] = Str(0);
        numbers
    }

    /// The text of a number.
    pub(crate) fn get(&self, number: Str) -> &str {
        self.table.get(number.0)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.table.ends.len()
    }
}

//! A header: its values, and their bytes.

use std::collections::BTreeMap;

use crate::header::MAGIC;

/// Values of a header: type, count and bytes by tag.
#[derive(Default)]
pub(super) struct Store(BTreeMap<u32, (u32, u32, Vec<u8>)>);

impl Store {
    pub(super) fn string(&mut self, tag: u32, text: &str) {
        self.0.insert(tag, (6, 1, [text.as_bytes(), b"\0"].concat()));
    }

    pub(super) fn i18n(&mut self, tag: u32, text: &str) {
        self.0.insert(tag, (9, 1, [text.as_bytes(), b"\0"].concat()));
    }

    /// Dependencies, by the tags of their names, flags and versions.
    pub(super) fn dependencies<'a>(
        &mut self,
        [name, flags, version]: [u32; 3],
        all: impl Iterator<Item = (&'a str, u32, &'a str)>,
    ) {
        let all: Vec<_> = all.collect();
        self.strings(name, &all.iter().map(|one| one.0).collect::<Vec<_>>());
        self.numbers(flags, &all.iter().map(|one| one.1).collect::<Vec<_>>());
        self.strings(version, &all.iter().map(|one| one.2).collect::<Vec<_>>());
    }

    pub(super) fn strings(&mut self, tag: u32, texts: &[impl AsRef<str>]) {
        let bytes =
            texts.iter().flat_map(|text| [text.as_ref().as_bytes(), b"\0"].concat()).collect();
        self.0.insert(tag, (8, texts.len() as u32, bytes));
    }

    pub(super) fn numbers(&mut self, tag: u32, numbers: &[u32]) {
        let bytes = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        self.0.insert(tag, (4, numbers.len() as u32, bytes));
    }

    pub(super) fn shorts(&mut self, tag: u32, numbers: &[u16]) {
        let bytes = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        self.0.insert(tag, (3, numbers.len() as u32, bytes));
    }

    pub(super) fn binary(&mut self, tag: u32, bytes: &[u8]) {
        self.0.insert(tag, (7, bytes.len() as u32, bytes.to_vec()));
    }

    /// The header, with its values in a region of that tag.
    pub(super) fn bytes(&self, region: u32) -> Vec<u8> {
        let (mut index, mut store) = (Vec::new(), Vec::new());
        for (tag, (kind, count, bytes)) in &self.0 {
            let align = match kind {
                3 => 2,
                4 => 4,
                _ => 1,
            };
            store.resize(store.len().next_multiple_of(align), 0);
            index.extend([*tag, *kind, store.len() as u32, *count]);
            store.extend_from_slice(bytes);
        }
        let count = self.0.len() as u32 + 1;
        let region_entry = [region, 7, store.len() as u32, 16];
        let trailer = [region, 7, 0_u32.wrapping_sub(count * 16), 16];
        store.extend(trailer.into_iter().flat_map(u32::to_be_bytes));
        let mut bytes = MAGIC.to_vec();
        let words = [count, store.len() as u32].into_iter().chain(region_entry).chain(index);
        bytes.extend(words.flat_map(u32::to_be_bytes));
        bytes.extend(store);
        bytes
    }
}

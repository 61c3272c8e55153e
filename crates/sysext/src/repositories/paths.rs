//! Who has paths that only lists of all files have: `filelists.xml`, or the chunks of an index.

use std::collections::{BTreeMap, BTreeSet};

use resolve::PackageId;
use resolve::index::{self, PathTable};
use rpm::repodata::{Filelists, PackageFiles, open};

use super::{Indexed, Repositories, Selection, State, Wanted, What};
use crate::error::Error;

/// Packages and the paths that they have.
type Found = Vec<(PackageId, String)>;

impl Repositories {
    /// Files, or parts of indexes, that tell who provides paths which only a list of all files has. To be asked for until
    /// it is empty: what is told last depends on what came before.
    pub fn wanted_for_paths(&self, selection: &Selection) -> Vec<Wanted> {
        let has_lists = |state: &State| match (&state.index, &state.repomd) {
            (Some(indexed), _) => !indexed.parts.paths.is_empty(),
            (None, Some(repomd)) => Wanted::new(0, repomd, "filelists").is_some(),
            (None, None) => false,
        };
        // Where there are none, nobody need find out what is missing.
        if !self.repositories.iter().any(has_lists) {
            return Vec::new();
        }
        let missing = self.missing(selection);
        if missing.iter().all(|path| self.paths.contains(path)) {
            return Vec::new();
        }
        let tables: Vec<Wanted> = self.indexes().filter_map(Self::wanted_table).collect();
        if !tables.is_empty() {
            return tables;
        }
        let lists = self
            .repositories
            .iter()
            .enumerate()
            .filter_map(|(at, state)| Wanted::new(at, state.repomd.as_ref()?, "filelists"));
        let chunks = self.indexes().flat_map(|(repository, indexed)| {
            let table = indexed.table.as_ref();
            let chunks = missing.iter().filter_map(|path| table?.chunk(path));
            chunks.collect::<BTreeMap<_, _>>().into_iter().map(move |(number, range)| {
                Wanted::of_index(repository, range, What::PathChunk(number))
            })
        });
        lists.chain(chunks).collect()
    }

    /// Paths that are needed, or asked for, and that nobody is known to have.
    fn missing(&self, selection: &Selection) -> BTreeSet<String> {
        let request = self.request(selection);
        let unmatched = request.wishes.iter().filter(|wish| wish.candidates.is_empty());
        let unmatched: Vec<&str> = unmatched.map(|wish| wish.text.as_str()).collect();
        if unmatched.is_empty() {
            return resolve::missing_paths(&self.pool, &request).into_iter().collect();
        }
        // What a person named may be a path.
        unmatched.into_iter().filter(|wish| wish.starts_with('/')).map(str::to_owned).collect()
    }

    /// Repositories that came as indexes.
    fn indexes(&self) -> impl Iterator<Item = (usize, &Indexed)> {
        let states = self.repositories.iter().enumerate();
        states.filter_map(|(at, state)| Some((at, state.index.as_ref()?)))
    }

    /// The table of an index's paths, if it has one that has not been read.
    fn wanted_table((repository, indexed): (usize, &Indexed)) -> Option<Wanted> {
        let range = indexed.parts.paths.clone();
        (indexed.table.is_none() && !range.is_empty())
            .then(|| Wanted::of_index(repository, range, What::PathTable))
    }

    /// Takes what [`Repositories::wanted_for_paths`] wanted, all of it.
    ///
    /// # Errors
    /// A file is broken, or not the one that the repository names.
    pub fn provide_paths(
        &mut self,
        selection: &Selection,
        files: &[(Wanted, Vec<u8>)],
    ) -> Result<(), Error> {
        for (wanted, bytes) in files {
            self.provide(wanted, bytes)?;
        }
        self.take_paths(selection, files, Self::in_filelists)
    }

    /// The same for hosts that have indexes alone, which carry no readers of repositories' own files then: they are a
    /// twelfth of the page.
    ///
    /// # Errors
    /// An index is broken, or a repository is none.
    pub fn provide_index_paths(
        &mut self,
        selection: &Selection,
        files: &[(Wanted, Vec<u8>)],
    ) -> Result<(), Error> {
        self.take_paths(selection, files, |_, _, _, _| Err(Error::Protocol))
    }

    /// Takes parts of indexes, and lists as `in_list` does.
    fn take_paths(
        &mut self,
        selection: &Selection,
        files: &[(Wanted, Vec<u8>)],
        in_list: impl Fn(&Self, &Wanted, &[u8], &BTreeSet<String>) -> Result<Found, Error>,
    ) -> Result<(), Error> {
        let mut missing = self.missing(selection);
        if self.indexes().next().is_none() {
            // Lists are read whole: once is enough.
            missing.extend(self.pool.missing_paths().into_iter().map(str::to_owned));
            missing.extend(selection.specs.iter().filter(|spec| spec.starts_with('/')).cloned());
        }
        let mut found = Found::new();
        let mut has_lists = false;
        for (wanted, bytes) in files {
            match &wanted.what {
                What::PathTable => self.read_table(wanted, bytes)?,
                What::PathChunk(_) => found.extend(self.in_chunk(wanted, bytes, &missing)?),
                _ => found.extend(in_list(self, wanted, bytes, &missing)?),
            }
            has_lists |= wanted.what != What::PathTable;
        }
        if has_lists {
            self.pool.add_paths(found.iter().map(|(id, path)| (*id, path.as_str())));
            self.paths.extend(missing);
            self.pool.index();
        }
        Ok(())
    }

    /// Who has paths, by `filelists.xml`.
    fn in_filelists(
        &self,
        wanted: &Wanted,
        bytes: &[u8],
        missing: &BTreeSet<String>,
    ) -> Result<Found, Error> {
        let state = &self.repositories[wanted.repository];
        let failed = |error| state.repository.broken(error);
        let mut found = Found::new();
        let mut lists = Filelists::new(open(bytes).map_err(failed)?);
        let mut note = |package: &PackageFiles, _, path: &str| {
            if missing.contains(path)
                && let Some(id) = state.by_checksum.get(&package.pkgid)
            {
                found.push((*id, path.to_owned()));
            }
        };
        while lists.next_package(&mut note).map_err(failed)?.is_some() {}
        Ok(found)
    }

    fn read_table(&mut self, wanted: &Wanted, bytes: &[u8]) -> Result<(), Error> {
        let state = &mut self.repositories[wanted.repository];
        if let Some(indexed) = &mut state.index {
            let table = PathTable::read(bytes, indexed.parts.paths.end);
            indexed.table = Some(table.map_err(|error| state.repository.broken_index(error))?);
        }
        Ok(())
    }

    /// Who has paths, by a chunk of an index.
    fn in_chunk(
        &self,
        wanted: &Wanted,
        bytes: &[u8],
        missing: &BTreeSet<String>,
    ) -> Result<Found, Error> {
        let state = &self.repositories[wanted.repository];
        let Some(indexed) = &state.index else { return Ok(Vec::new()) };
        let mut found = Found::new();
        let is_missing = |path: &str| missing.contains(path);
        let read = index::read_chunk(bytes, indexed.index.len(), is_missing, |path, at| {
            found.push((PackageId::from_number(indexed.first + at as i32), path.to_owned()));
        });
        read.map_err(|error| state.repository.broken_index(error))?;
        Ok(found)
    }
}

//! Repositories that several images are made of, each read once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use sysext::rpm::signature::Keyring;

use super::load::Loaded;
use crate::args;
use crate::fetch::Fetcher;
use crate::terminal::Terminal;

/// Repositories on their bases, the last used last.
pub(crate) struct Shelf {
    places: Mutex<Vec<Place>>,
    /// How many are kept.
    room: usize,
}

/// Nothing until it has been read.
type Slot = Arc<Mutex<Option<Loaded>>>;

struct Place {
    from: args::Repositories,
    slot: Slot,
}

impl Shelf {
    /// A shelf with room for as many as are used side by side: each takes a hundred megabytes and more.
    pub(crate) fn new(room: usize) -> Self {
        Self { places: Mutex::default(), room }
    }

    /// Does something with repositories, which are read if they are not there. Others that want the same wait.
    pub(crate) fn with<T>(
        &self,
        from: &args::Repositories,
        fetcher: &Fetcher,
        keys: &Keyring,
        terminal: &Terminal,
        work: impl FnOnce(&mut Loaded) -> Result<T>,
    ) -> Result<T> {
        let slot = self.slot(from);
        let mut slot = lock(&slot);
        let mut loaded = match slot.take() {
            Some(loaded) => loaded,
            None => Loaded::read(from, fetcher, keys, terminal)?,
        };
        let done = work(&mut loaded);
        // What one recipe needed to know must not change what the next one gets.
        if !loaded.has_more_paths {
            *slot = Some(loaded);
        }
        done
    }

    fn slot(&self, from: &args::Repositories) -> Slot {
        let mut places = lock(&self.places);
        let place = match places.iter().position(|place| place.from == *from) {
            Some(at) => places.remove(at),
            None => Place { from: from.clone(), slot: Slot::default() },
        };
        let slot = Arc::clone(&place.slot);
        places.push(place);
        // What somebody works with stays until it is put back.
        let over = places.len().saturating_sub(self.room);
        places.drain(..over);
        slot
    }
}

/// A lock, also after somebody panicked with it: what it guards is put into place in one go.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The memory of chunks that were used, for those to come: who reads a day would have the system map the same pages again
//! and again.

use std::sync::{Mutex, PoisonError};

use super::backlog::{Chunk, Entry};
use crate::event::Event;

/// No more of each is kept.
const MOST: usize = 32;

/// Emptied tables.
#[derive(Debug, Default)]
pub(super) struct Spares {
    tables: Mutex<Vec<(Vec<Entry>, Vec<Event>)>>,
    bytes: Mutex<Vec<Vec<u8>>>,
}

impl Spares {
    /// An empty chunk, with the memory of one that was used where there is any.
    pub(super) fn chunk(&self) -> Chunk {
        let (entries, events) = take(&self.tables).unwrap_or_default();
        Chunk { entries, events, bytes: take(&self.bytes).unwrap_or_default(), ..Chunk::default() }
    }

    /// Takes back the tables of a chunk.
    pub(super) fn give(&self, mut entries: Vec<Entry>, mut events: Vec<Event>) {
        entries.clear();
        events.clear();
        put(&self.tables, (entries, events));
    }

    /// Takes back the values of its messages.
    pub(super) fn give_bytes(&self, mut bytes: Vec<u8>) {
        bytes.clear();
        put(&self.bytes, bytes);
    }
}

fn take<T>(from: &Mutex<Vec<T>>) -> Option<T> {
    from.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

fn put<T>(to: &Mutex<Vec<T>>, one: T) {
    let mut all = to.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() < MOST {
        all.push(one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_empty_and_as_large_as_it_was_and_no_more_than_some_is_kept() {
        let spares = Spares::default();
        for _ in 0..2 * MOST {
            spares.give(Vec::new(), Vec::with_capacity(100));
            spares.give_bytes(vec![7; 1000]);
        }
        let mut large = 0;
        for _ in 0..2 * MOST {
            let chunk = spares.chunk();
            assert!(chunk.weight() == 0);
            large += usize::from(chunk.events.capacity() >= 100 && chunk.bytes.capacity() >= 1000);
        }
        assert_eq!(large, MOST);
    }
}

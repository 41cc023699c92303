//! Other people's network files, made into ours.

pub mod cityflow;
pub mod sumo;
pub(crate) mod xml;

use thiserror::Error;

use super::Fault;

/// An importer's result: the network file it made, and what it had to assume on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The network file.
    pub spec: super::NetworkSpec,
    /// What the source left open and how it was settled.
    pub notes: Vec<String>,
}

/// Why a file of somebody else's cannot be read.
#[derive(Debug, Error)]
pub enum ImportError {
    /// Not the format at all.
    #[error("byte {at}: {why}")]
    Syntax {
        /// Where, from the file's start.
        at: u64,
        /// What the parser says.
        why: String,
    },
    /// An element lacks an attribute.
    #[error("byte {at}: <{element}> has no {field}")]
    Missing {
        /// Where, from the file's start.
        at: u64,
        /// Which element.
        element: String,
        /// Which attribute.
        field: &'static str,
    },
    /// An attribute has a value that cannot be.
    #[error("byte {at}: <{element}> {field} \"{value}\" is not {limit}")]
    Value {
        /// Where, from the file's start.
        at: u64,
        /// Which element.
        element: String,
        /// Which attribute.
        field: &'static str,
        /// Its value, cut at 80 characters.
        value: String,
        /// What it has to be.
        limit: String,
    },
    /// Not JSON, or not of this shape.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// A row has a value that cannot be.
    #[error("{0}")]
    Row(#[from] Fault),
    /// Rows with values that cannot be, every one.
    #[error("{} faults: {}", .0.len(), .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Rows(Vec<Fault>),
    /// Demand of which nothing is left.
    #[error("none of {trips} trips can be made: {why}")]
    NoTrip {
        /// How many there are.
        trips: usize,
        /// Why not.
        why: String,
    },
    /// More than this program takes.
    #[error("{found} {what}; at most {max} are read")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many, or how many so far.
        found: usize,
        /// The most that are read.
        max: usize,
    },
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Notes that say the same of many things, as one.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    kinds: Vec<Note>,
}

/// One thing noted: how often, and of whom first.
#[derive(Debug)]
struct Note {
    what: String,
    count: usize,
    who: Vec<String>,
}

impl Notes {
    /// How many are named.
    const NAMED: usize = 5;

    /// Notes `what` about `who`.
    pub(crate) fn add(&mut self, what: &str, who: impl AsRef<str>) {
        let at = self.kinds.iter().position(|note| note.what == what).unwrap_or_else(|| {
            self.kinds.push(Note { what: what.to_owned(), count: 0, who: Vec::new() });
            self.kinds.len() - 1
        });
        let note = &mut self.kinds[at];
        note.count += 1;
        if note.who.len() < Self::NAMED {
            note.who.push(who.as_ref().chars().take(60).collect());
        }
    }

    /// One line for each thing noted.
    pub(crate) fn lines(self) -> Vec<String> {
        let line = |note: Note| {
            let more = if note.count > note.who.len() { ", …" } else { "" };
            format!("{} ({}): {}{more}", note.what, note.count, note.who.join(", "))
        };
        self.kinds.into_iter().map(line).collect()
    }
}

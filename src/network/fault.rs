//! What can be wrong with a world's files: each fault says where, which field, which value, which limit.

use std::fmt;

use thiserror::Error;

/// One row of one table of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    table: &'static str,
    row: usize,
    name: String,
}

impl Place {
    /// Row `row` of `table`, which calls itself `name`.
    pub fn new(table: &'static str, row: usize, name: &str) -> Self {
        Self { table, row, name: name.chars().take(80).collect() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}] \"{}\"", self.table, self.row, self.name)
    }
}

/// One fault of a network, sensors or demand file.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Fault {
    /// A file of another kind or version.
    #[error("format: \"{found}\" is not \"{expected}\"")]
    Format {
        /// What the file says.
        found: String,
        /// What it has to say.
        expected: &'static str,
    },
    /// A number outside its range.
    #[error("{place}: {field} {value} is not within {min} to {max}")]
    Range {
        /// Where.
        place: Place,
        /// Which field.
        field: &'static str,
        /// Its value.
        value: f64,
        /// The least allowed.
        min: f64,
        /// The most allowed.
        max: f64,
    },
    /// A name that nothing has.
    #[error("{place}: {field} names \"{name}\", which does not exist")]
    Unknown {
        /// Where.
        place: Place,
        /// Which field.
        field: &'static str,
        /// The name.
        name: String,
    },
    /// A name that two things have.
    #[error("{place}: \"{name}\" is used twice")]
    Repeated {
        /// The second place.
        place: Place,
        /// The name.
        name: String,
    },
    /// A field that this row needs.
    #[error("{place}: {field} is missing")]
    Missing {
        /// Where.
        place: Place,
        /// Which field.
        field: &'static str,
    },
    /// Anything else that cannot be, in words.
    #[error("{place}: {why}")]
    Contradiction {
        /// Where.
        place: Place,
        /// What does not fit with what.
        why: String,
    },
}

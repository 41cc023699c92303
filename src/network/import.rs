//! Other people's network files, made into ours.

/// An importer's result: the network file it made, and what it had to assume on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The network file.
    pub spec: super::NetworkSpec,
    /// What the source left open and how it was settled.
    pub notes: Vec<String>,
}

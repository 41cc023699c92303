//! What a junction falls back on, rung by rung.

/// How well a junction can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// By what is measured.
    Measured,
    /// By its base program.
    Base,
}

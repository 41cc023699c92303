//! What may run: drafts, the timeline of lamps they lead to, the one door to a safe plan, and what to fall back on.

pub mod bounds;
pub mod check;
pub mod draft;
#[cfg(test)]
pub(crate) mod fixture;
pub mod ladder;
#[cfg(test)]
mod laws;
pub mod ledger;
pub mod oracle;
pub mod running;
pub mod shape;
pub mod timeline;
pub mod transition;
pub mod violation;
mod walk;

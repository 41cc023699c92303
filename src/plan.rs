//! What may run: drafts, the timeline of lamps they lead to, the one door to a safe plan, and what to fall back on.

pub mod check;
pub mod draft;
pub mod timeline;

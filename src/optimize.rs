//! What should run: base plans over minutes, rolling schedules over seconds, and the reference controllers to beat.
//!
//! Minutes ([`base`]): demand is laid on lanes ([`load`]), a sequence of stages is chosen and judged ([`sequence`],
//! [`frame`]), cycles and splits follow Webster ([`webster`]), junctions that feed each other share a cycle ([`area`])
//! and their offsets let platoons through ([`profile`], [`offsets`]); [`smooth`] moves a running plan towards a new one
//! in small steps. Seconds: [`horizon`]. The reference controllers ([`actuated`], [`max_pressure`]) decide second by
//! second and share [`decision`].

pub mod actuated;
pub mod alone;
pub mod area;
pub mod base;
pub mod decision;
pub mod feeders;
pub mod frame;
pub mod horizon;
pub mod load;
pub mod max_pressure;
pub mod model;
pub mod offsets;
pub mod profile;
pub mod rounds;
pub mod sequence;
pub mod smooth;
#[cfg(test)]
mod testing;
pub mod webster;
pub mod why;

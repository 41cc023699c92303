//! The rolling schedule: which stage next and when, so that those who are here or coming lose the least time.
//!
//! A pure function of one junction's [`Situation`]. Units inside are seconds after `now`, metres and vehicles.

mod arrival;
mod beam;
mod carry;
pub mod due;
mod exit;
#[cfg(test)]
mod fixture;
mod inside;
mod layout;
mod lineup;
mod parting;
#[cfg(test)]
mod present;
mod rate;
mod round;
mod serve;
mod situation;

pub use inside::Inside;
pub use layout::Layout;
pub use round::Round;
pub use situation::{Moment, Situation};

use crate::ids::{Id, StageId};
use crate::keep::keep;
use crate::plan::draft::Change;
use crate::time::{Span, Time};
use crate::traffic::tracker::Crossing;

/// What should run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schedule {
    /// Changes in order of time, the first not before the situation's earliest; empty where the stage stays.
    pub changes: Vec<Change>,
    /// Delay over the horizon if it runs so, vehicle-seconds.
    pub cost_veh_s: f64,
    /// The best schedule that does something else first: its next stage, and what it costs, vehicle-seconds.
    pub runner_up: Option<(StageId, f64)>,
    /// The limits without which something else would have run.
    pub bound_by: Vec<Bound>,
    /// Who will cross when, as far as it runs so: what a neighbour wants to know.
    pub discharges: Vec<Crossing>,
}

keep!(Schedule { changes, cost_veh_s, runner_up, bound_by, discharges });

impl Schedule {
    /// Takes over why `last` was chosen, which it goes on with.
    pub fn take_reasons(&mut self, last: &Self) {
        (self.cost_veh_s, self.runner_up) = (last.cost_veh_s, last.runner_up);
        self.bound_by.clone_from(&last.bound_by);
    }
}

/// A limit that bound a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    /// A green that is shorter than its minimum so far.
    MinGreen,
    /// A movement or a crossing that has waited almost too long.
    MaxRed,
    /// An exit without room.
    ExitFull,
}

keep!(
    enum Bound {
        MinGreen,
        MaxRed,
        ExitFull,
    }
);

impl Bound {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::MinGreen => "minimum green",
            Self::MaxRed => "maximum red",
            Self::ExitFull => "no room on an exit",
        }
    }
}

/// How far ahead it looks when changes may begin every `grid`: a minute, or four decisions of at most a minute each.
pub fn horizon(grid: Span) -> Span {
    Span::from_s(60).max(Span::from_ms(4 * grid.ms().min(60_000)))
}

/// Buffers that one thread uses again and again.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    streams: Vec<serve::Progress>,
    taken: Vec<f32>,
    open: Vec<f32>,
    crossings: Vec<(f32, f32)>,
    lineup: lineup::Lineup,
    beam: beam::Beam,
}

impl Workspace {
    /// Nobody has been served yet.
    fn begin(&mut self, layout: &Layout, situation: &Situation) {
        self.streams.clear();
        self.streams.extend(situation.streams.iter().map(|s| serve::Progress { next: 0, ready: s.ready }));
        self.taken.clear();
        self.taken.resize(layout.exits.len(), 0.0);
        self.open.resize(layout.groups, 0.0);
    }
}

/// The best schedule for a junction; or what a timed plan comes to where it runs one, or the one before where it goes on
/// with that.
pub fn schedule(layout: &Layout, situation: &Situation, work: &mut Workspace) -> Schedule {
    match (&situation.round, &situation.goes_on) {
        (Some(round), _) => round::schedule(layout, situation, round, work),
        (None, Some(changes)) => beam::go_on(layout, situation, changes, work),
        (None, None) => beam::schedule(layout, situation, work),
    }
}

/// What to do by the rate index alone: the fallback, and the yardstick of the search.
pub fn by_rate(layout: &Layout, situation: &Situation, work: &mut Workspace) -> Schedule {
    rate::schedule(layout, situation, work)
}

/// The instant `s` seconds after `now`.
fn instant(now: Time, s: f32) -> Time {
    now + Span::nearest(f64::from(s))
}

/// A stage's id by its row.
fn stage_id(row: usize) -> StageId {
    StageId::of(row)
}

#[cfg(test)]
mod tests;

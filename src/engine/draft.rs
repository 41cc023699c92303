//! From what is wished to a draft: the rolling schedule's changes, and the timed program that runs on after them.

use crate::event::Revision;
use crate::ids::JunctionId;
use crate::network::Program;
use crate::output::Source;
use crate::plan::bounds::Bounds;
use crate::plan::draft::{Change, Draft};
use crate::plan::running::Running;
use crate::plan::shape::PREFIX_MAX;
use crate::plan::transition::bridge;
use crate::time::{Span, Time};

/// What should run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wish {
    /// Changes to come, in order of time.
    pub(super) changes: Vec<Change>,
    /// What runs on after them, fit to be a tail.
    pub(super) program: Program,
    /// What decided.
    pub(super) source: Source,
}

/// When a draft counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    /// Its number.
    pub(super) revision: Revision,
    /// From when on.
    pub(super) from: Time,
    /// For how long.
    pub(super) validity: Span,
    /// Changes begin at multiples of this.
    pub(super) grid: Span,
    /// The program does not take over before the draft has counted for so long.
    pub(super) hold: Span,
}

/// The draft that fulfils `wish`, when `running` is what goes on until it counts.
pub(super) fn draft(id: JunctionId, bounds: Bounds<'_>, wish: &Wish, running: &Running, term: Term) -> Draft {
    let Term { revision, from, validity, grid, hold } = term;
    let mut then = running.clone();
    then.ahead.retain(|change| change.at < from);
    then.ahead.extend(wish.changes.iter().filter(|change| change.at >= from));
    let free = wish.changes.last().map_or(from, |last| last.at + grid).max((from + hold).ceil(grid));
    let room = PREFIX_MAX.saturating_sub(wish.changes.len());
    let way = bridge(&then, free, &wish.program, bounds, grid, room);
    let mut prefix: Vec<Change> = wish.changes.iter().copied().filter(|change| change.at >= from).collect();
    prefix.extend(way.prefix);
    Draft {
        junction: id,
        revision,
        base: running.revision,
        effective_from: from,
        prefix,
        tail: way.tail,
        valid_until: from + validity,
    }
}

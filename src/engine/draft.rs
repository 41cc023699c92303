//! From what is wished to a draft: the rolling schedule's changes, and the timed program that runs on after them.

use crate::event::Revision;
use crate::ids::{JunctionId, StageId};
use crate::network::{Junction, Program};
use crate::output::Source;
use crate::plan::check::Running;
use crate::plan::draft::{Change, Draft, Tail};
use crate::time::{Span, Time};

/// What should run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wish {
    /// Changes to come, in order of time.
    pub(super) changes: Vec<Change>,
    /// What runs on after them.
    pub(super) program: Program,
    /// What decided.
    pub(super) source: Source,
}

/// The draft that fulfils `wish` from `from` on, when `running` is what goes on until then.
#[expect(clippy::too_many_arguments, reason = "a draft is made of all of them")]
pub(super) fn draft(
    id: JunctionId,
    junction: &Junction,
    wish: &Wish,
    revision: Revision,
    from: Time,
    running: &Running,
    validity: Span,
    grid: Span,
) -> Draft {
    let prefix: Vec<Change> = wish.changes.iter().copied().filter(|change| change.at >= from).collect();
    let tail = tail(junction, wish, &prefix, running, from, grid);
    let valid_until = from + validity;
    Draft { junction: id, revision, base: running.revision, effective_from: from, prefix, tail, valid_until }
}

/// When the program can take over: in the middle of the stage that runs anyway, or at a change it begins itself.
fn tail(junction: &Junction, wish: &Wish, prefix: &[Change], running: &Running, from: Time, grid: Span) -> Tail {
    let (stage, free_from) = match prefix.last() {
        Some(last) => {
            let before = prefix.iter().rev().nth(1).map(|c| c.stage).or(running.stage);
            let change = before.map_or(Span::ZERO, |before| junction.change_time(before, last.stage));
            (Some(last.stage), last.at + change + longest_minimum(junction, last.stage))
        }
        None => {
            let stage = running.stage;
            let green = |s: StageId| {
                let groups = junction.stages[s].groups.iter();
                let end = |g| running.lamps.group(g).green_from.map(|f| f + junction.groups[g].min_green.span);
                groups.filter_map(end).max().unwrap_or(from)
            };
            (stage, stage.map_or(from, green))
        }
    };
    let free_from = free_from.max(from).ceil(grid);
    let at_once = wish.program.running(free_from).0;
    if stage == Some(wish.program.splits[at_once].0) {
        return Tail::of(&wish.program, free_from);
    }
    let allowed = |next: StageId| stage.is_none_or(|stage| junction.may_follow(stage, next));
    let mut begins = wish.program.from(free_from).skip(1).take(2 * wish.program.splits.len());
    match begins.find(|&(next, _)| allowed(next)) {
        Some((_, at)) if stage.is_some() => Tail::of(&wish.program, at),
        _ => Tail::of(&wish.program, free_from),
    }
}

/// The longest minimum green of a stage's groups.
fn longest_minimum(junction: &Junction, stage: StageId) -> Span {
    let groups = junction.stages[stage].groups.iter();
    groups.map(|g| junction.groups[g].min_green.span).max().unwrap_or(Span::ZERO)
}

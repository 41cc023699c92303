//! From what is wished to a draft: the rolling schedule's changes, and the timed program that runs on after them.

use std::borrow::Cow;

use crate::event::Revision;
use crate::ids::{GroupId, JunctionId, Table};
use crate::network::{Junction, Program};
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
    /// What may come instead where those are refused, the best first.
    pub(super) otherwise: Vec<Vec<Change>>,
    /// What runs on after them, fit to be a tail.
    pub(super) program: Program,
    /// What decided.
    pub(super) source: Source,
    /// For how long from when it counts the last stage goes on before the program takes over.
    pub(super) hold: Span,
}

impl Wish {
    /// Keeps everybody at red for `clear` in the first change, if that may be. What turns green later has to stay so for as
    /// long, so all that follows comes so much later.
    pub(super) fn clear_first(&mut self, clear: Span, running: &Running, junction: &Junction, grid: Span) {
        let Some((first, rest)) = self.changes.split_first() else { return };
        let late = Change { clear, ..*first };
        let [soon_lamps, late_lamps] = [*first, late].map(|change| running.lamps.after(change, junction));
        let later = |group| Some(late_lamps.group(group).green_from? - soon_lamps.group(group).green_from?);
        let delay = junction.stages[first.stage].groups.iter().filter_map(later).max().unwrap_or_default();
        let rest = rest.iter().map(|&change| Change { at: (change.at + delay).ceil(grid), ..change });
        let changes = std::iter::once(late).chain(rest).collect();
        self.otherwise.push(std::mem::replace(&mut self.changes, changes));
    }
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
}

/// How a draft goes on where what is wished ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// In step with the master clock, at once.
    InStep,
    /// The last stage goes on until the draft has counted for so long; then the program runs from wherever those who
    /// have waited longest are served in time.
    Hold(Span),
}

/// The draft that makes `changes` and goes on with `program`, when `running` is what goes on until it counts.
#[expect(clippy::too_many_arguments, reason = "a draft is made of all of them")]
pub(super) fn draft(
    id: JunctionId,
    bounds: Bounds<'_>,
    program: &Program,
    changes: &[Change],
    running: &Running,
    waiting: &Table<GroupId, Option<Time>>,
    after: After,
    term: Term,
) -> Draft {
    let Term { revision, from, validity, grid } = term;
    let mut then = running.clone();
    then.ahead.retain(|change| change.at < from);
    then.ahead.extend(changes.iter().filter(|change| change.at >= from));
    let mut free = changes.last().map_or(from, |last| last.at + grid).max(from);
    let mut placed = Cow::Borrowed(program);
    if let After::Hold(hold) = after {
        free = free.max((from + hold).ceil(grid));
        let position = most_urgent(&then.at(free, bounds.junction), free, program, waiting, bounds);
        let before: Span = program.splits[..position].iter().map(|&(_, share)| share).sum();
        placed.to_mut().offset = (free - before).within(program.cycle(), Span::ZERO);
    }
    let room = PREFIX_MAX.saturating_sub(changes.len());
    let way = bridge(&then, free, &placed, bounds, grid, room);
    let mut prefix: Vec<Change> = changes.iter().copied().filter(|change| change.at >= from).collect();
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

/// The position at which the program is best entered at `at`: the one from which nobody's wait comes nearest to, or
/// farthest beyond, its longest red.
fn most_urgent(
    then: &Running,
    at: Time,
    program: &Program,
    waiting: &Table<GroupId, Option<Time>>,
    bounds: Bounds<'_>,
) -> usize {
    let stages = &bounds.junction.stages;
    let count = program.splits.len();
    // How long beyond its longest red the worst off waits when the program is entered at `first`.
    let worst = |first: usize| {
        let late = |group: GroupId| {
            if then.lamps.group(group).green_from.is_some() && stages[program.splits[first].0].groups.contains(group) {
                return None;
            }
            let since = waiting[group].unwrap_or(at);
            let mut until = at;
            for step in 0..count {
                let (stage, share) = program.splits[(first + step) % count];
                if stages[stage].groups.contains(group) {
                    break;
                }
                until += share;
            }
            Some(until - since - bounds.max_red(group))
        };
        bounds.junction.groups.ids().filter_map(late).max()
    };
    let allowed =
        |&first: &usize| then.stage.is_none_or(|stage| bounds.junction.may_follow(stage, program.splits[first].0));
    (0..count).filter(allowed).min_by_key(|&first| worst(first)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::{at, crossing, in_stage, s};

    #[test]
    fn what_follows_a_change_that_clears_comes_as_much_later_as_its_greens() {
        let junction = crossing().program(0.0, &[(0, 30.0), (1, 30.0)]).build();
        let (running, second) = (in_stage(&junction, 0), Span::SECOND);
        let changes = [(1, 0.0), (0, 20.0), (1, 40.0)].map(|(stage, from)| Change::new(s(stage), at(from)));
        let green = |change| running.lamps.after(change, &junction).first_green(junction.stages[s(1)].groups, at(0.0));
        let owed = (green(changes[0]) - at(0.0)).s();
        for (clear, delay) in [(owed - 1.0, 0.0), (owed, 0.0), (owed + 3.0, 3.0)] {
            let mut wish = Wish {
                changes: changes.to_vec(),
                otherwise: Vec::new(),
                program: junction.base_program().clone(),
                source: Source::Horizon,
                hold: Span::ZERO,
            };
            wish.clear_first(Span::nearest(clear), &running, &junction, second);
            let begins: Vec<f64> = wish.changes.iter().map(|change| (change.at - at(0.0)).s()).collect();
            assert_eq!(begins, [0.0, 20.0 + delay, 40.0 + delay], "{clear}");
            assert_eq!(wish.changes[0].clear, Span::nearest(clear));
            assert_eq!(wish.otherwise, [changes.to_vec()], "or as it was, where that may not be");
        }
    }
}

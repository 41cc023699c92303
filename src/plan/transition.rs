//! The way from whatever a junction does into a program: the changes that lead there, and the tail that follows.
//!
//! In step with the master clock where a few cycles suffice: stages are dwelt in or cut, whichever is shorter, each by
//! a bounded part of its share. Else the program runs out of step until the next plan.

use crate::ids::StageId;
use crate::network::Program;
use crate::plan::bounds::Bounds;
use crate::plan::draft::{Change, Tail};
use crate::plan::running::Running;
use crate::plan::shape::SHARE_MIN;
use crate::plan::timeline::Lamps;
use crate::time::{Span, Time};

/// The correction is spread over so many cycles at most.
pub const CYCLES_MAX: usize = 3;
/// A share is lengthened by one part in so many at most, ...
const LONGER: i64 = 4;
/// ... and cut to one part in so many at least.
const SHORTER: i64 = 2;

/// The way into a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// Changes that lead there.
    pub prefix: Vec<Change>,
    /// The program from then on.
    pub tail: Tail,
    /// Whether the tail keeps the program's offset.
    pub in_step: bool,
}

/// `program` on `grid`, each share long enough for its changes and shortest greens and no longer than its stage's
/// longest green allows: what can be the tail of a plan. The cycle grows where it has to.
#[must_use]
pub fn fit(program: &Program, bounds: Bounds<'_>, grid: Span) -> Program {
    let stages = &bounds.junction.stages;
    let min_green = |group| bounds.min_green(group);
    let mut fitted = program.clone();
    for (_, share) in &mut fitted.splits {
        *share = (*share).max(SHARE_MIN).ceil(grid);
    }
    let count = fitted.splits.len();
    let mut lamps = Lamps::dark(bounds.junction);
    let mut at = Time::EPOCH;
    lamps.change(Change::new(fitted.splits[0].0, at), bounds.junction);
    // A share that grows pushes all later ones, so around it goes until nothing has grown for a cycle.
    let (mut position, mut quiet) = (0, 0);
    for step in 0..count * 8 {
        let (stage, share) = fitted.splits[position];
        let next = (position + 1) % count;
        let (to, _) = fitted.splits[next];
        let earliest = lamps.earliest_change(stages[to].groups, at + SHARE_MIN, min_green).ceil(grid);
        let latest = latest_end(&lamps, stage, at, bounds).floor(grid).max(earliest);
        let mut needed = share.max(earliest - at);
        if stage != to && step >= count {
            needed = needed.min(latest - at); // only now it begins as it always does
        }
        quiet = if needed == share { quiet + 1 } else { 0 };
        fitted.splits[position].1 = needed;
        if quiet > 2 * count {
            break;
        }
        at += needed;
        lamps.change(Change::new(to, at), bounds.junction);
        position = next;
    }
    fitted.offset = Time::from_ms(program.offset.ms()).floor(grid) - Time::EPOCH;
    fitted
}

/// When the longest green of `stage` is over, which began at `at`.
fn latest_end(lamps: &Lamps, stage: StageId, at: Time, bounds: Bounds<'_>) -> Time {
    let stage = &bounds.junction.stages[stage];
    stage.max_green.map_or(Time::NEVER, |max| lamps.first_green(stage.groups, at) + max)
}

/// The way from `then` into `program`, which has been [`fit`]. Changes of `then` before `from` are carried out, no other
/// begins before it, and the way has at most `room` changes.
pub fn bridge(then: &Running, from: Time, program: &Program, bounds: Bounds<'_>, grid: Span, room: usize) -> Bridge {
    let running = then.at(from, bounds.junction);
    let mut road = Road { began: running.since, running, from, program, bounds, grid, room, prefix: Vec::new() };
    let position = match road.enter() {
        Entry::In(position) => position,
        Entry::Tail(from) => return road.end(from, program.offset, true),
    };
    for pace in road.paces(position) {
        let mut way = road.clone();
        if let (from, _, true) = way.walk(position, pace) {
            return way.end(from, program.offset, true);
        }
    }
    let (from, position, _) = road.walk(position, Pace::AsItComes);
    let offset = (from - road.before(position)).within(program.cycle(), Span::ZERO);
    road.end(from, offset, false)
}

/// Where a program is entered.
enum Entry {
    /// In this position, which has begun.
    In(usize),
    /// The tail takes over at this instant.
    Tail(Time),
}

/// How stages are passed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// Dwelt in.
    Longer,
    /// Cut.
    Shorter,
    /// Neither: the program may be out of step.
    AsItComes,
}

#[derive(Clone)]
struct Road<'a> {
    running: Running,
    /// When the stage it is in began, as the program counts it.
    began: Time,
    from: Time,
    program: &'a Program,
    bounds: Bounds<'a>,
    grid: Span,
    room: usize,
    prefix: Vec<Change>,
}

impl Road<'_> {
    fn stage(&self, position: usize) -> StageId {
        self.program.splits[position].0
    }

    fn share(&self, position: usize) -> Span {
        self.program.splits[position].1
    }

    fn next(&self, position: usize) -> usize {
        (position + 1) % self.program.splits.len()
    }

    /// What of a cycle lies before `position`.
    fn before(&self, position: usize) -> Span {
        self.program.splits[..position].iter().map(|&(_, share)| share).sum()
    }

    /// How long after its own start in the program `position` would begin if it began at `at`.
    fn late(&self, position: usize, at: Time) -> Span {
        at.within(self.program.cycle(), self.program.offset + self.before(position))
    }

    /// How long `position` has to wait at `at` for its start in the program.
    fn early(&self, position: usize, at: Time) -> Span {
        match self.late(position, at) {
            Span::ZERO => Span::ZERO,
            late => self.program.cycle() - late,
        }
    }

    fn follow(&mut self, stage: StageId, at: Time) {
        let change = Change::new(stage, at);
        self.running.follow(change, self.bounds.junction);
        self.prefix.push(change);
        self.began = at;
    }

    /// The first instant at which `stage` may begin.
    fn earliest(&self, stage: StageId) -> Time {
        let from = self.from.max(self.began + SHARE_MIN);
        let groups = self.bounds.junction.stages[stage].groups;
        self.running.lamps.earliest_change(groups, from, |group| self.bounds.min_green(group)).ceil(self.grid)
    }

    /// Finds the way into some position of the program.
    fn enter(&mut self) -> Entry {
        let count = self.program.splits.len();
        if let Some(stage) = self.running.stage {
            // In one of its stages already: if it has that more than once, in the one nearest to its time.
            let off = |&position: &usize| {
                let end = (self.began + self.share(position)).max(self.from);
                self.late(self.next(position), end).min(self.early(self.next(position), end))
            };
            if let Some(here) = (0..count).filter(|&position| self.stage(position) == stage).min_by_key(off) {
                return Entry::In(here);
            }
        }
        self.detour();
        let (due, _) = self.program.running(self.from);
        let (due, _) = self.program.running(self.earliest(self.stage(due)));
        let mut follows = (0..count)
            .map(|step| (due + step) % count)
            .filter(|&to| self.running.stage.is_none_or(|from| self.bounds.junction.may_follow(from, self.stage(to))));
        let first = follows.next().unwrap_or(due);
        for position in [Some(first), follows.next()].into_iter().flatten() {
            let at = self.earliest(self.stage(position));
            let late = self.late(position, at);
            if late < self.share(position) && self.holds(position, at, late) {
                return Entry::Tail(at); // taken up in its middle
            }
            let start = at + self.early(position, at);
            if start - at <= self.patience(at) && self.holds(position, start, Span::ZERO) {
                return Entry::Tail(start);
            }
        }
        self.follow(self.stage(first), self.earliest(self.stage(first)));
        Entry::In(first)
    }

    /// How long it may go on with what it shows at `at` rather than begin something else.
    fn patience(&self, at: Time) -> Span {
        let most = self.program.cycle().ms() / LONGER;
        let latest = self.running.stage.map_or(Time::NEVER, |stage| self.latest(stage));
        Span::from_ms(most).min(latest - at)
    }

    fn latest(&self, stage: StageId) -> Time {
        latest_end(&self.running.lamps, stage, self.began, self.bounds).floor(self.grid)
    }

    /// Goes by stages that the program does not have to one that leads into it, none longer than it must be. Goes
    /// nowhere if it is there already, or can never be.
    fn detour(&mut self) {
        let junction = self.bounds.junction;
        let Some(stage) = self.running.stage else { return };
        let leads = |from: StageId| (0..self.program.splits.len()).any(|to| junction.may_follow(from, self.stage(to)));
        // Each stage reached, and the row of the one before it.
        let mut reached = vec![(stage, 0)];
        let mut row = 0;
        while row < reached.len() && !leads(reached[row].0) {
            let from = reached[row].0;
            for next in junction.stages.ids().filter(|&next| junction.may_follow(from, next)) {
                if reached.iter().all(|&(known, _)| known != next) {
                    reached.push((next, row));
                }
            }
            row += 1;
        }
        let mut path = Vec::new();
        while row > 0 && row < reached.len() {
            path.push(reached[row].0);
            row = reached[row].1;
        }
        for stage in path.into_iter().rev() {
            self.follow(stage, self.earliest(stage));
        }
    }

    /// Longer or shorter, the one that should take fewer cycles first.
    fn paces(&self, position: usize) -> [Pace; 2] {
        let next = self.next(position);
        let end = (self.began + self.share(position)).max(self.earliest(self.stage(next)));
        // A fourth can be added, and about a sixth be cut: most of a share is often owed.
        if self.early(next, end) * 4 <= self.late(next, end) * 6 {
            [Pace::Longer, Pace::Shorter]
        } else {
            [Pace::Shorter, Pace::Longer]
        }
    }

    /// Passes stages until the tail can take over: when, in which position, and whether in the manner asked for.
    fn walk(&mut self, mut position: usize, pace: Pace) -> (Time, usize, bool) {
        for _ in 0..self.program.splits.len() * CYCLES_MAX {
            let next = self.next(position);
            let end = self.end_of(position, pace);
            let there = pace == Pace::AsItComes || self.late(next, end) == Span::ZERO;
            if there && self.holds(next, end, Span::ZERO) {
                return (end, next, true);
            }
            if self.prefix.len() >= self.room {
                break;
            }
            self.follow(self.stage(next), end);
            position = next;
        }
        (self.end_of(position, pace), self.next(position), false)
    }

    /// When the stage in `position` ends at this pace.
    fn end_of(&self, position: usize, pace: Pace) -> Time {
        let (stage, next) = (self.stage(position), self.next(position));
        let share = self.share(position);
        let earliest = self.earliest(self.stage(next));
        let end = (self.began + share).max(earliest);
        let part = |parts: i64| Span::from_ms(share.ms() / parts).floor(self.grid);
        let end = match pace {
            Pace::Longer => end + self.early(next, end).min(part(LONGER)),
            Pace::Shorter => (end - self.late(next, end).min(part(SHORTER))).max(earliest),
            Pace::AsItComes => end,
        };
        if stage == self.stage(next) { end } else { end.min(self.latest(stage).max(earliest)) }
    }

    /// Whether the program can run on its own from `at`, when `position`, of which `gone` is over, begins.
    fn holds(&self, position: usize, at: Time, gone: Span) -> bool {
        let stages = &self.bounds.junction.stages;
        let mut lamps = self.running.lamps.clone();
        let (mut position, mut at, mut share) = (position, at, self.share(position) - gone);
        for _ in 0..=self.program.splits.len() {
            lamps.change(Change::new(self.stage(position), at), self.bounds.junction);
            let (stage, next) = (self.stage(position), self.stage(self.next(position)));
            let earliest = lamps.earliest_change(stages[next].groups, at, |group| self.bounds.min_green(group));
            let latest = match latest_end(&lamps, stage, at, self.bounds) {
                _ if stage == next => Time::NEVER,
                latest => latest.max(earliest.ceil(self.grid)),
            };
            if !(earliest..=latest).contains(&(at + share)) {
                return false;
            }
            at += share;
            position = self.next(position);
            share = self.share(position);
        }
        true
    }

    fn end(self, from: Time, offset: Span, in_step: bool) -> Bridge {
        Bridge { prefix: self.prefix, tail: Tail { splits: self.program.splits.clone(), offset, from }, in_step }
    }
}

#[cfg(test)]
#[path = "transition_tests.rs"]
mod tests;

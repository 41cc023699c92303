//! A signal: groups, what they may show together, stages, programs, and every limit with its origin.

use ndarray::Array2;

use super::spec::{GroupKind, Origin};
use crate::ids::Id;
use crate::ids::{ConnectionId, CrossingId, GroupId, GroupSet, LinkId, NodeId, StageId, Table, ZoneId};
use crate::keep::keep;
use crate::time::{Span, Time};

/// A signalised node, or several joined under one controller.
#[derive(Debug, Clone, PartialEq)]
pub struct Junction {
    /// Its name outside.
    pub name: Box<str>,
    /// The nodes it controls.
    pub nodes: Vec<NodeId>,
    /// The smallest zone it lies in: that of its first node.
    pub zone: ZoneId,
    /// Incoming links with a path that it releases.
    pub approaches: Vec<LinkId>,
    /// Its signal groups.
    pub groups: Table<GroupId, SignalGroup>,
    /// What may be green together.
    pub stages: Table<StageId, Stage>,
    /// Timed programs; the first is the one it falls back on. Never empty.
    pub programs: Vec<Program>,
    pub(super) conflicts: Array2<Conflict>,
    pub(super) intergreens: Array2<Limit>,
    pub(super) follows: Array2<bool>,
}

impl Junction {
    /// What `a` may do while `b` is green.
    pub fn conflict(&self, a: GroupId, b: GroupId) -> Conflict {
        self.conflicts[[a.index(), b.index()]]
    }

    /// Whether a group gives way to no vehicles of those that are green.
    pub fn goes_first(&self, group: GroupId, green: GroupSet) -> bool {
        let vehicles = |&other: &GroupId| self.groups[other].kind == GroupKind::Vehicle;
        !green.iter().filter(vehicles).any(|other| self.conflict(group, other) == Conflict::Yields)
    }

    /// Whether the two may never be green together.
    pub fn never_together(&self, a: GroupId, b: GroupId) -> bool {
        self.conflict(a, b) == Conflict::Never
    }

    /// From the last green of `from` to the first of `to`. Zero where they may be green together; for a group and
    /// itself its own yellow and all-red.
    pub fn intergreen(&self, from: GroupId, to: GroupId) -> Limit {
        self.intergreens[[from.index(), to.index()]]
    }

    /// Whether stage `b` may follow stage `a`. A stage may always follow itself.
    pub fn may_follow(&self, a: StageId, b: StageId) -> bool {
        self.follows[[a.index(), b.index()]]
    }

    /// The program it falls back on.
    pub fn base_program(&self) -> &Program {
        &self.programs[0]
    }

    /// The longest time from leaving stage `a` to the last green of stage `b` beginning.
    pub fn change_time(&self, a: StageId, b: StageId) -> Span {
        let (ending, starting) = self.change(a, b);
        let owed = |to: GroupId| ending.iter().map(move |from| self.intergreen(from, to).span).max();
        starting.iter().filter_map(owed).max().unwrap_or(Span::ZERO)
    }

    /// The groups that lose green and those that gain it when stage `b` follows stage `a`.
    pub fn change(&self, a: StageId, b: StageId) -> (GroupSet, GroupSet) {
        let (old, new) = (self.stages[a].groups, self.stages[b].groups);
        (old.difference(new), new.difference(old))
    }

    /// The name of a group by which its controller knows it.
    pub fn group_named(&self, name: &str) -> Option<GroupId> {
        self.groups.iter().find(|(_, group)| &*group.name == name).map(|(id, _)| id)
    }

    /// The stage of that name.
    pub fn stage_named(&self, name: &str) -> Option<StageId> {
        self.stages.iter().find(|(_, stage)| &*stage.name == name).map(|(id, _)| id)
    }
}

/// Heads that always show one aspect.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalGroup {
    /// Its name outside.
    pub name: Box<str>,
    /// Whom it releases.
    pub kind: GroupKind,
    /// The paths it releases.
    pub connections: Vec<ConnectionId>,
    /// The crossings it releases.
    pub crossings: Vec<CrossingId>,
    /// Shortest green; for pedestrians the shortest walk.
    pub min_green: Limit,
    /// Longest red while demand waits.
    pub max_red: Limit,
    /// Yellow; for pedestrians the clearance.
    pub change: Limit,
    /// From the end of yellow to a conflicting green, where no intergreen says otherwise.
    pub all_red: Limit,
    /// Whether its turn may go on red after a stop.
    pub turn_on_red: bool,
}

/// A length of time that binds, and who set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The value.
    pub span: Span,
    /// Who set it.
    pub origin: Origin,
}

/// What a group may do while another one, whose path meets its own or not, is green.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// Anything: their paths never meet.
    None,
    /// Be green and give way to it.
    Yields,
    /// Be green and have the right of way over it.
    Leads,
    /// Not be green.
    Never,
}

/// Groups that are green together. Transitions are derived, never stages.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// Its name outside.
    pub name: Box<str>,
    /// The groups.
    pub groups: GroupSet,
    /// Longest green; none means the others' maximum red alone bounds it.
    pub max_green: Option<Span>,
    /// In a fixed order: whether it may be left out when nobody waits for it.
    pub skippable: bool,
}

/// A timed program: stages in order, each with its share of the cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its name outside.
    pub name: Box<str>,
    /// When its first stage's change begins against the master clock.
    pub offset: Span,
    /// Each stage with its share: the change into it and its green. Never empty; every share is positive.
    pub splits: Vec<(StageId, Span)>,
}

keep!(Program { name, offset, splits });

impl Program {
    /// The sum of the shares.
    pub fn cycle(&self) -> Span {
        self.splits.iter().map(|&(_, share)| share).sum()
    }

    /// The position in `splits` that runs at `at`, and when its change began.
    pub fn running(&self, at: Time) -> (usize, Time) {
        let mut phase = at.within(self.cycle(), self.offset);
        for (position, &(_, share)) in self.splits.iter().enumerate() {
            if phase < share {
                return (position, at - phase);
            }
            phase = phase - share;
        }
        unreachable!("a phase is shorter than its cycle")
    }

    /// Every stage from the one that runs at `at`, each with the instant its change begins, without end.
    pub fn from(&self, at: Time) -> impl Iterator<Item = (StageId, Time)> {
        let (first, began) = self.running(at);
        let mut start = began;
        self.splits.iter().cycle().skip(first).map(move |&(stage, share)| {
            let this = start;
            start += share;
            (stage, this)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program() -> Program {
        let splits = [(0, 30), (1, 20), (2, 10)].map(|(stage, s)| (StageId::of(stage), Span::from_s(s)));
        Program { name: "day".into(), offset: Span::from_s(5), splits: splits.to_vec() }
    }

    #[test]
    fn a_program_knows_what_runs_at_any_time() {
        // (second, position in the cycle, second its change began); the cycle is 60 s and starts at 5, 65, …
        for (s, position, began) in [(5, 0, 5), (34, 0, 5), (35, 1, 35), (64, 2, 55), (65, 0, 65), (4, 2, -5)] {
            assert_eq!(program().running(Time::from_s(s)), (position, Time::from_s(began)), "{s}");
        }
    }

    #[test]
    fn a_program_goes_on_for_ever() {
        let starts: Vec<_> =
            program().from(Time::from_s(40)).take(4).map(|(s, t)| (s.index(), t.ms() / 1000)).collect();
        assert_eq!(starts, [(1, 35), (2, 55), (0, 65), (1, 95)]);
    }
}

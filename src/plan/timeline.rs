//! A plan unrolled into what each lamp shows when.
//!
//! Lamps follow from stages and the intergreen matrix alone. A group in the new stage turns green when the change
//! begins, or later, when every group that it may not be together with has been off for the intergreen owed to it,
//! however many stages ago that was.

use crate::event::Aspect;
use crate::ids::{GroupId, GroupSet, Id, Table};
use crate::keep::keep;
use crate::network::Junction;
use crate::plan::draft::Change;
use crate::time::{Span, Time};

/// A group that has lost its green shows red for this long before it is green again, so that no lamp ever goes from
/// yellow to green, also where no all-red is prescribed.
pub const SHORTEST_RED: Span = Span::SECOND;

/// What a junction's groups have shown up to an instant: enough to derive all that follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lamps {
    groups: Table<GroupId, GroupLamp>,
    wanted: GroupSet,
    longest_owed: Span,
}

keep!(Lamps { groups, wanted, longest_owed });

/// What one group has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupLamp {
    /// Since when it has been green, or from when it will be; none while it is not and nothing is planned.
    pub green_from: Option<Time>,
    /// When it last lost green, at the latest.
    pub green_until: Time,
    /// When the yellow after that ends.
    pub yellow_until: Time,
}

keep!(GroupLamp { green_from, green_until, yellow_until });

impl Lamps {
    /// All red for longer than any intergreen: a junction that has just been switched on.
    pub fn dark(junction: &Junction) -> Self {
        let lamp = GroupLamp { green_from: None, green_until: Time::LONG_AGO, yellow_until: Time::LONG_AGO };
        Self {
            groups: Table::filled(lamp, junction.groups.len()),
            wanted: GroupSet::EMPTY,
            longest_owed: longest_owed(junction),
        }
    }

    /// What is safe to assume when only the aspects shown at `at` are known: what is green turned green this instant,
    /// what is yellow turned yellow, and what is red still owes everybody all of its intergreen.
    pub fn seen(at: Time, aspects: &[Aspect], junction: &Junction) -> Self {
        let mut lamps = Self::dark(junction);
        for (id, lamp) in lamps.groups.iter_mut() {
            match aspects.get(id.index()) {
                Some(Aspect::Green) => {
                    lamp.green_from = Some(at);
                    lamps.wanted = lamps.wanted.with(id);
                    continue;
                }
                Some(Aspect::Yellow) => lamp.yellow_until = at + junction.groups[id].change.span,
                _ => lamp.yellow_until = at,
            }
            lamp.green_until = at;
        }
        lamps
    }

    /// What one group has shown.
    pub fn group(&self, group: GroupId) -> GroupLamp {
        self.groups[group]
    }

    /// What each group shows at `at`, which must not lie before the last change.
    pub fn aspects(&self, at: Time) -> Vec<Aspect> {
        self.groups.ids().map(|id| self.aspect(id, at)).collect()
    }

    /// What `group` shows at `at`, which must not lie before the last change.
    pub fn aspect(&self, group: GroupId, at: Time) -> Aspect {
        let lamp = self.groups[group];
        if lamp.green_from.is_some_and(|from| from <= at) {
            Aspect::Green
        } else if at < lamp.yellow_until {
            Aspect::Yellow
        } else {
            Aspect::Red
        }
    }

    /// The groups that are green at `at`, which must not lie before the last change.
    pub fn green(&self, at: Time) -> GroupSet {
        self.wanted.iter().filter(|&id| self.groups[id].green_from.is_some_and(|from| from <= at)).collect()
    }

    /// The groups that are green or will be without another change.
    pub fn wanted(&self) -> GroupSet {
        self.wanted
    }

    /// The longest intergreen of the junction: what was lost before that is owed to nobody any more.
    pub fn longest_owed(&self) -> Span {
        self.longest_owed
    }

    /// When the first green of `groups` began or will begin that was not there before `at`, the change into their
    /// stage; `at` itself where all were.
    pub fn first_green(&self, groups: GroupSet, at: Time) -> Time {
        let began = groups.iter().filter_map(|id| self.groups[id].green_from).filter(|&from| from >= at);
        began.min().unwrap_or(at)
    }

    /// Begins the change into a stage.
    pub fn change(&mut self, Change { stage, at, clear }: Change, junction: &Junction) {
        let groups = junction.stages[stage].groups;
        for id in self.wanted.difference(groups).iter() {
            let lamp = &mut self.groups[id];
            // A green that was planned and has not begun is simply not shown.
            if lamp.green_from.take().is_some_and(|from| from < at) {
                lamp.green_until = at;
                lamp.yellow_until = at + junction.groups[id].change.span;
            }
        }
        let gained = groups.difference(self.wanted);
        self.wanted = groups;
        if gained.is_empty() {
            return;
        }
        let owing = |(id, lamp): (GroupId, &GroupLamp)| (lamp.green_until + self.longest_owed > at).then_some(id);
        let owing: GroupSet = self.groups.iter().filter_map(owing).collect();
        for id in gained.iter() {
            self.groups[id].green_from = Some(self.owed_by(owing, id, at + clear, junction));
        }
    }

    /// The same, and these stay as they are.
    #[must_use]
    pub fn after(&self, change: Change, junction: &Junction) -> Self {
        let mut after = self.clone();
        after.change(change, junction);
        after
    }

    /// The first instant from `at` on at which nobody owes `group` an intergreen any more.
    pub fn earliest_green(&self, group: GroupId, at: Time, junction: &Junction) -> Time {
        self.owed_by(self.groups.ids().collect(), group, at, junction)
    }

    fn owed_by(&self, others: GroupSet, group: GroupId, at: Time, junction: &Junction) -> Time {
        let mut earliest = at;
        for other in others.iter() {
            let lamp = &self.groups[other];
            let owed = if other == group {
                let own = junction.intergreen(group, group).span;
                (lamp.green_until + own).max(lamp.yellow_until + SHORTEST_RED)
            } else if junction.never_together(other, group) {
                lamp.green_until + junction.intergreen(other, group).span
            } else {
                continue;
            };
            earliest = earliest.max(owed);
        }
        earliest
    }

    /// The first instant from `at` on at which a change to a stage that shows `groups` cuts no green short, when
    /// `min_green` is each group's shortest. Every green that is planned is shown.
    pub fn earliest_change(&self, groups: GroupSet, at: Time, min_green: impl Fn(GroupId) -> Span) -> Time {
        let leaving = self.wanted.difference(groups).iter();
        leaving
            .filter_map(|id| Some(self.groups[id].green_from? + min_green(id).max(Span::from_ms(1))))
            .fold(at, Time::max)
    }
}

/// From the end of one group's green to the begin of another's, or of its own next one, at least.
pub fn owed(junction: &Junction, from: GroupId, to: GroupId) -> Span {
    let owed = junction.intergreen(from, to).span;
    if from == to { owed.max(junction.groups[from].change.span + SHORTEST_RED) } else { owed }
}

/// The longest that any lost green binds another group or its own.
fn longest_owed(junction: &Junction) -> Span {
    let groups = || junction.groups.ids();
    let all = groups().flat_map(|from| groups().map(move |to| owed(junction, from, to)));
    all.max().unwrap_or_default()
}

/// One lamp's change of aspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LampChange {
    /// When.
    pub at: Time,
    /// Whose.
    pub group: GroupId,
    /// What it shows from then on.
    pub aspect: Aspect,
}

/// Every change of aspect in [`from`, `until`), in order of time and group, when `changes` follow upon `lamps`.
pub fn unroll(
    mut lamps: Lamps,
    changes: impl IntoIterator<Item = Change>,
    from: Time,
    until: Time,
    junction: &Junction,
) -> Vec<LampChange> {
    let mut shown = Vec::with_capacity(64);
    let mut note = |at: Time, group: GroupId, aspect: Aspect| {
        if from <= at && at < until {
            shown.push(LampChange { at, group, aspect });
        }
    };
    for (id, lamp) in lamps.groups.iter() {
        // A yellow that is already on, or begins this very instant.
        if lamp.yellow_until > lamp.green_until {
            note(lamp.green_until, id, Aspect::Yellow);
        }
        note(lamp.yellow_until, id, Aspect::Red);
    }
    for change in changes {
        if change.at >= until {
            break;
        }
        let groups = junction.stages[change.stage].groups;
        for id in lamps.wanted.difference(groups).iter() {
            let Some(began) = lamps.groups[id].green_from.filter(|&began| began < change.at) else { continue };
            note(began, id, Aspect::Green);
            let yellow = junction.groups[id].change.span;
            if yellow > Span::ZERO {
                note(change.at, id, Aspect::Yellow);
            }
            note(change.at + yellow, id, Aspect::Red);
        }
        lamps.change(change, junction);
    }
    for id in lamps.wanted.iter() {
        if let Some(began) = lamps.groups[id].green_from {
            note(began, id, Aspect::Green);
        }
    }
    shown.sort_by_key(|change| (change.at, change.group));
    shown
}

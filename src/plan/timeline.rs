//! A plan unrolled into what each lamp shows when.
//!
//! Lamps follow from stages and the intergreen matrix alone. A group in the new stage turns green when the change
//! begins, or later, when every group that it may not be together with has been off for the intergreen owed to it,
//! however many stages ago that was.

use crate::event::Aspect;
use crate::ids::{GroupId, GroupSet, Table};
use crate::network::Junction;
use crate::plan::draft::Change;
use crate::time::Time;

/// What a junction's groups have shown up to an instant: enough to derive all that follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lamps {
    groups: Table<GroupId, GroupLamp>,
}

/// What one group has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupLamp {
    /// Since when it has been green, or from when it will be; none while it is not and nothing is planned.
    pub green_from: Option<Time>,
    /// When it last lost green.
    pub green_until: Time,
}

impl Lamps {
    /// All red for longer than any intergreen: a junction that has just been switched on.
    pub fn dark(junction: &Junction) -> Self {
        Self {
            groups: Table::filled(GroupLamp { green_from: None, green_until: Time::LONG_AGO }, junction.groups.len()),
        }
    }

    /// What is safe to assume when only the aspects shown at `at` are known: what is green turned green this instant,
    /// and what is not lost its green this instant.
    pub fn seen(at: Time, aspects: &[Aspect], junction: &Junction) -> Self {
        let lamp = |group: GroupId| {
            use crate::ids::Id;
            match aspects.get(group.index()) {
                Some(Aspect::Green) => GroupLamp { green_from: Some(at), green_until: Time::LONG_AGO },
                _ => GroupLamp { green_from: None, green_until: at },
            }
        };
        Self { groups: junction.groups.ids().map(lamp).collect() }
    }

    /// What one group has shown.
    pub fn group(&self, group: GroupId) -> GroupLamp {
        self.groups[group]
    }

    /// What each group shows at `at`, which must not lie before the last change.
    pub fn aspects(&self, at: Time, junction: &Junction) -> Vec<Aspect> {
        self.groups.iter().map(|(id, _)| self.aspect(id, at, junction)).collect()
    }

    /// What `group` shows at `at`, which must not lie before the last change.
    pub fn aspect(&self, group: GroupId, at: Time, junction: &Junction) -> Aspect {
        let lamp = self.groups[group];
        if lamp.green_from.is_some_and(|from| from <= at) {
            Aspect::Green
        } else if at < lamp.green_until + junction.groups[group].change.span {
            Aspect::Yellow
        } else {
            Aspect::Red
        }
    }

    /// The groups that are green at `at`, which must not lie before the last change.
    pub fn green(&self, at: Time) -> GroupSet {
        let green = |lamp: &GroupLamp| lamp.green_from.is_some_and(|from| from <= at);
        self.groups.iter().filter(|(_, lamp)| green(lamp)).map(|(id, _)| id).collect()
    }

    /// The groups that are green or will be without another change.
    pub fn wanted(&self) -> GroupSet {
        self.groups.iter().filter(|(_, lamp)| lamp.green_from.is_some()).map(|(id, _)| id).collect()
    }

    /// Begins the change into a stage that shows `groups` green.
    pub fn change(&mut self, groups: GroupSet, at: Time, junction: &Junction) {
        for (id, lamp) in self.groups.iter_mut() {
            if groups.contains(id) {
                continue;
            }
            // A green that was planned and has not begun is simply not shown.
            if lamp.green_from.take().is_some_and(|from| from < at) {
                lamp.green_until = at;
            }
        }
        for id in groups.iter() {
            if self.groups[id].green_from.is_none() {
                self.groups[id].green_from = Some(self.earliest_green(id, at, junction));
            }
        }
    }

    /// The first instant from `at` on at which `group` owes nobody an intergreen.
    pub fn earliest_green(&self, group: GroupId, at: Time, junction: &Junction) -> Time {
        let owed = |(other, lamp): (GroupId, &GroupLamp)| {
            let meets = other == group || junction.never_together(other, group);
            meets.then(|| lamp.green_until + junction.intergreen(other, group).span)
        };
        self.groups.iter().filter_map(owed).fold(at, Time::max)
    }
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
    let mut shown = Vec::new();
    let mut note = |at: Time, group: GroupId, aspect: Aspect| {
        if (from..until).contains(&at) {
            shown.push(LampChange { at, group, aspect });
        }
    };
    for (id, group) in junction.groups.iter() {
        note(lamps.group(id).green_until + group.change.span, id, Aspect::Red); // a yellow that is already on
    }
    for change in changes {
        if change.at >= until {
            break;
        }
        let before = lamps.clone();
        lamps.change(junction.stages[change.stage].groups, change.at, junction);
        for (id, group) in junction.groups.iter() {
            let (old, new) = (before.group(id), lamps.group(id));
            let ended = |&began: &Time| began < change.at && new.green_until == change.at;
            if let Some(began) = old.green_from.filter(ended) {
                note(began, id, Aspect::Green);
                note(change.at, id, Aspect::Yellow);
                note(change.at + group.change.span, id, Aspect::Red);
            }
        }
    }
    for id in junction.groups.ids() {
        if let Some(began) = lamps.group(id).green_from {
            note(began, id, Aspect::Green);
        }
    }
    shown.sort_by_key(|change| (change.at, change.group));
    shown
}

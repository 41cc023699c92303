//! Since when demand has waited for each group of a junction: what the maximum red counts.

use crate::event::PedestrianCall;
use crate::ids::{GroupId, GroupSet, Table};
use crate::keep::keep;
use crate::network::{GroupKind, Junction};
use crate::time::Time;

/// Who waits at one junction.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    since: Table<GroupId, Option<Time>>,
    /// Pedestrian groups with a button or a camera: without a call nobody waits. Elsewhere somebody always may.
    called: GroupSet,
    walkers: Vec<f32>,
}

keep!(Waiting { since, called, walkers });

/// What is known of the vehicles that wait for a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// Somebody is there.
    Somebody,
    /// Nobody is.
    Nobody,
    /// It cannot be seen, so somebody may be.
    Unknown,
}

impl Waiting {
    pub(super) fn new(junction: &Junction) -> Self {
        Self {
            since: Table::filled(None, junction.groups.len()),
            called: GroupSet::EMPTY,
            walkers: vec![0.0; junction.groups.len()],
        }
    }

    /// Since when demand has waited for each group; none where nobody waits.
    pub(super) fn since(&self) -> &Table<GroupId, Option<Time>> {
        &self.since
    }

    /// People waiting to cross, per group.
    pub(super) fn walkers(&self) -> &[f32] {
        &self.walkers
    }

    /// Somebody asked to cross.
    pub(super) fn call(&mut self, call: &PedestrianCall) {
        use crate::ids::Id;
        let Some(since) = self.since.get_mut(call.group) else { return };
        self.called = self.called.with(call.group);
        since.get_or_insert(call.at);
        self.walkers[call.group.index()] += 1.0;
    }

    /// Brings it up to `now`, when `green` is shown.
    pub(super) fn advance(
        &mut self,
        now: Time,
        junction: &Junction,
        green: GroupSet,
        presence: impl Fn(GroupId) -> Presence,
    ) {
        use crate::ids::Id;
        for (id, group) in junction.groups.iter() {
            let somebody = match group.kind {
                _ if green.contains(id) => {
                    self.walkers[id.index()] = 0.0;
                    false
                }
                GroupKind::Pedestrian => !self.called.contains(id) || self.since[id].is_some(),
                GroupKind::Vehicle => presence(id) != Presence::Nobody,
            };
            let since = &mut self.since[id];
            *since = somebody.then(|| since.unwrap_or(now));
            if somebody && group.kind == GroupKind::Pedestrian && self.walkers[id.index()] <= 0.0 {
                self.walkers[id.index()] = 1.0;
            }
        }
    }
}

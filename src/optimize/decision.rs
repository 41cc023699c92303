//! What a reference controller sees of its junction each second, and what it can say.

use crate::ids::{GroupId, GroupSet, LaneId, StageId, Table};
use crate::keep::keep;
use crate::network::{GroupKind, Junction, Network};
use crate::plan::timeline::Lamps;
use crate::time::{Span, Time};

/// What a reference controller says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The stage goes on.
    Keep,
    /// The change into this stage begins now.
    Switch(StageId),
}

/// What sensors see of one lane.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LaneSeen {
    /// Vehicles in view of its camera, the standing ones included.
    pub vehicles: f64,
    /// Those that stand.
    pub queue: f64,
    /// Since one of its loops was last covered. None if that was never.
    pub since_hit: Option<Span>,
    /// A loop of it works: what it does not tell has not happened.
    pub heard: bool,
}

keep!(LaneSeen { vehicles, queue, since_hit, heard });

/// A junction at one instant.
#[derive(Debug, Clone, Copy)]
pub struct Now<'a> {
    /// The present.
    pub at: Time,
    /// The stage it is in or changing into.
    pub stage: StageId,
    /// When the change into that stage began.
    pub since: Time,
    /// What its lamps show.
    pub lamps: &'a Lamps,
    /// Since when demand has waited for each group at red; none where nobody waits.
    pub waiting: &'a Table<GroupId, Option<Time>>,
    /// What is seen of the lanes of a part of the network; none where no sensor works.
    pub lanes: &'a Table<LaneId, Option<LaneSeen>>,
}

impl Now<'_> {
    /// Since when it has been in the stage and every group of it green; none while one of them still waits for its turn.
    pub fn stage_green_since(&self, junction: &Junction) -> Option<Time> {
        let green = |group: GroupId| self.lamps.group(group).green_from.filter(|&from| from <= self.at);
        junction.stages[self.stage].groups.iter().map(green).try_fold(self.since, |last, from| Some(last.max(from?)))
    }

    /// Whether the change into `next` leaves every group that loses green its shortest green, and `least` at least if
    /// it is for vehicles.
    pub fn may_leave(&self, junction: &Junction, next: StageId, least: Span) -> bool {
        let (ending, _) = junction.change(self.stage, next);
        junction.may_follow(self.stage, next)
            && ending.iter().all(|group| {
                let limits = &junction.groups[group];
                let least = if limits.kind == GroupKind::Vehicle { least } else { Span::ZERO };
                let green = self.lamps.group(group).green_from.map(|from| self.at - from);
                green.is_some_and(|green| green >= limits.min_green.span.max(least))
            })
    }

    /// Groups somebody waits for.
    pub fn called(&self) -> GroupSet {
        self.waiting.iter().filter(|(_, since)| since.is_some()).map(|(group, _)| group).collect()
    }
}

/// The stop-line lanes of each group of a junction, each once.
pub fn lanes_of(network: &Network, junction: &Junction) -> Table<GroupId, Vec<LaneId>> {
    let of = |connections: &[crate::ids::ConnectionId]| {
        let mut lanes: Vec<LaneId> = connections.iter().map(|&c| network.connections()[c].from).collect();
        lanes.sort_unstable();
        lanes.dedup();
        lanes
    };
    junction.groups.values().map(|group| of(&group.connections)).collect()
}

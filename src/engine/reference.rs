//! The reference controllers in the schedule's place, everywhere or where it knows too little: what they see, and what
//! they decide.

use crate::engine::Control;
use crate::ids::{JunctionId, LaneId, Table};
use crate::keep::keep;
use crate::network::{Network, Partition};
use crate::optimize::actuated::{Actuated, Actuation};
use crate::optimize::decision::{Decision, LaneSeen, Now};
use crate::optimize::max_pressure::{MaxPressure, Pressing};
use crate::time::Time;
use crate::traffic::Traffic;

/// A reference controller at one junction.
#[derive(Debug, Clone)]
pub(super) enum Reference {
    /// Gap-out and max-out.
    Actuated(Actuated),
    /// Max pressure with guards.
    MaxPressure(MaxPressure),
}

impl Reference {
    pub(super) fn new(network: &Network, id: JunctionId, control: Control) -> Option<Self> {
        let junction = network.junction(id);
        match control {
            // Where loops alone do not tell enough for a schedule, actuation is what they are good for.
            Control::Actuated | Control::Greenwave => {
                Some(Self::Actuated(Actuated::new(network, junction, Actuation::default())))
            }
            Control::MaxPressure => Some(Self::MaxPressure(MaxPressure::new(network, junction, Pressing::default()))),
            Control::Fixed | Control::Watch => None,
        }
    }

    pub(super) fn decide(&self, network: &Network, id: JunctionId, now: &Now<'_>) -> Decision {
        match self {
            Self::Actuated(it) => it.decide(network.junction(id), now),
            Self::MaxPressure(it) => it.decide(network, network.junction(id), now),
        }
    }
}

/// What reference controllers see of the lanes.
#[derive(Debug, Clone)]
pub(super) struct Sight {
    lanes: Table<LaneId, Option<LaneSeen>>,
    hit: Table<LaneId, Time>,
}

keep!(Sight { lanes, hit });

impl Sight {
    pub(super) fn new(partition: &Partition) -> Self {
        Self { lanes: Table::over(&partition.lanes, None), hit: Table::over(&partition.lanes, Time::LONG_AGO) }
    }

    /// A loop was crossed.
    pub(super) fn hit(&mut self, lane: LaneId, at: Time) {
        if let Some(last) = self.hit.get_mut(lane) {
            *last = at.max(*last);
        }
    }

    /// Looks at these lanes, as far as they are here.
    pub(super) fn look(&mut self, now: Time, traffic: &Traffic, lanes: impl Iterator<Item = LaneId>) {
        for lane in lanes {
            let Some(&hit) = self.hit.get(lane) else { continue };
            self.lanes[lane] = traffic.lane(lane).map(|state| LaneSeen {
                vehicles: state.vehicles,
                queue: state.queue,
                since_hit: (hit > Time::LONG_AGO).then(|| now - hit),
                heard: traffic.hears_loop(lane),
            });
        }
    }

    pub(super) fn lanes(&self) -> &Table<LaneId, Option<LaneSeen>> {
        &self.lanes
    }
}

//! Junctions where queues do not clear from round to round: found by how much green everybody there needs, and given a
//! timed plan for the demand they have, instead of schedules. Its shares are the most that a stage gets.

use crate::ids::{ConnectionId, JunctionId, LaneId, MovementId};
use crate::keep::keep;
use crate::network::{Network, Program};
use crate::optimize::horizon::Layout;
use crate::optimize::rounds::{clearing_s, timed};
use crate::time::{Span, Time};
use crate::traffic::Traffic;
use crate::traffic::tracker::{LaneTrack, Tracker};
use crate::units::VehPerHour;

use super::post::Post;

/// A round that serves everybody who is there may take this long, s; a junction where it takes longer is full, until it
/// takes less than the second. Source: closed loops in the demo's city, five mornings, mean index 1.82 (fixed plan 2.25); with
/// 75 s 1.87. In SUMO, where platoons fill a junction for a minute or two, schedules alone do better.
const FULL_S: [f32; 2] = [65.0, 45.0];
/// One look's weight in that time: a memory of two minutes.
const WEIGHT: f32 = 1.0 / 40.0;
/// The plan is made anew after this long.
const MADE_ANEW: Span = Span::from_s(120);
/// Whoever is there is to be served within this time, h: so much demand he is beside those who come. What comes alone
/// would do no more than keep the queues that there are.
const CLEARED_IN_H: f64 = 0.1;
/// Shares in steps longer than this cannot follow demand.
const GRID_MAX: Span = Span::from_s(5);
/// A lane of which nothing is known discharges with this headway, s. Source: HCM, 1 800 veh/h.
const HEADWAY_S: f32 = 2.0;

/// How full a junction is, and what it runs where it is too full for schedules.
#[derive(Debug, Clone, Default)]
pub(super) struct Fullness {
    /// How long a round takes that serves everybody who is there, s, over the last minutes.
    round_s: f32,
    /// When the plan was made, and the plan.
    plan: Option<(Time, Program)>,
}

keep!(Fullness { round_s, plan });

impl Fullness {
    /// The timed plan, where the junction is full. Still to be fitted to the junction's limits as they are now.
    pub(super) fn plan(&self) -> Option<&Program> {
        self.plan.as_ref().map(|(_, program)| program)
    }

    /// Where the junction is full, how long a round would have to be.
    pub(super) fn round(&self) -> Option<Span> {
        self.plan.as_ref().map(|_| Span::from_s(self.round_s as i64))
    }
}

/// What it is judged by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Present<'a> {
    pub(super) network: &'a Network,
    pub(super) tracker: &'a Tracker,
    pub(super) traffic: &'a Traffic,
    pub(super) now: Time,
    pub(super) grid: Span,
}

impl Present<'_> {
    /// Looks how full a junction is, and makes its plan where it is full and has none, or an old one.
    pub(super) fn review(&self, id: JunctionId, post: &mut Post) {
        if !self.counts(&post.layout) || self.grid > GRID_MAX {
            post.fullness = Fullness::default();
            return;
        }
        let there = self.there(&post.layout);
        let need = post.layout.lanes().zip(&there).map(|(lane, &vehicles)| vehicles * self.headway(lane)).collect();
        let full = &mut post.fullness;
        full.round_s += (clearing_s(&post.layout, &post.base, need) - full.round_s) * WEIGHT;
        let limit = FULL_S[usize::from(full.plan.is_some())];
        if full.round_s <= limit {
            full.plan = None;
        } else if full.plan.as_ref().is_none_or(|&(made, _)| self.now - made >= MADE_ANEW) {
            let own = full.plan().unwrap_or(&post.base);
            let demand = |movement| self.demand(movement, &post.layout, &there);
            let saturation = |lane| flow(3600.0 / f64::from(self.headway(lane)));
            let made = timed(self.network, id, &demand, &saturation, own, self.grid);
            post.fullness.plan = Some((self.now, made));
        }
    }

    /// Whether those who are there are counted: at least half of the lanes by a camera. Loops alone tell who comes, but what
    /// they leave unseen adds up to queues that nobody stands in.
    fn counts(&self, layout: &Layout) -> bool {
        let seen = |&lane: &LaneId| self.tracker.lane(lane).is_some_and(LaneTrack::watched);
        2 * layout.lanes().filter(seen).count() >= layout.lanes().count()
    }

    /// Vehicles on their way to each of the layout's lanes. Who is on a lane that leads to several counts a part for each.
    fn there(&self, layout: &Layout) -> Vec<f32> {
        let on = |lane: LaneId| self.tracker.lane(lane).map_or(0.0, |track| track.vehicles().len() as f32);
        layout.feeds().iter().map(|lanes| lanes.iter().map(|&(lane, part)| part * on(lane)).sum()).collect()
    }

    fn headway(&self, lane: LaneId) -> f32 {
        self.tracker.lane(lane).map_or(HEADWAY_S, |track| track.discharge().headway_s)
    }

    /// Who wants to make a movement: those who come, and those who are there already.
    fn demand(&self, movement: MovementId, layout: &Layout, there: &[f32]) -> VehPerHour {
        let waits = |lane| layout.lanes().zip(there).find(|&(l, _)| l == lane).map_or(0.0, |(_, &v)| f64::from(v));
        let of = |&path: &ConnectionId| {
            let lane = self.network.connections()[path].from;
            let wanted = self.traffic.arrivals(lane).flow.get() + waits(lane) / CLEARED_IN_H;
            wanted * self.traffic.turning_fraction(path)
        };
        flow(self.network.movements()[movement].connections.iter().map(of).sum())
    }
}

fn flow(per_hour: f64) -> VehPerHour {
    VehPerHour::new(per_hour).unwrap_or(VehPerHour::ZERO)
}

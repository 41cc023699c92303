//! Which way traffic goes: turning fractions per lane, learned from what is seen to leave for each exit.
//!
//! Each path out of a lane has a weight in vehicles, a Dirichlet posterior whose prior comes from the lanes' geometry.
//! A count for an exit is shared among the lanes that discharged in the same tick by what was expected of each.

use crate::keep::keep;
use std::ops::Range;

use crate::ids::{ConnectionId, LaneId, LinkId, MovementId, Table, span};
use crate::network::{Network, Turn};
use crate::traffic::scope::Scope;

/// The prior counts as much as this many vehicles.
const PRIOR_VEH: f32 = 8.0;
/// Beyond this many vehicles a lane's older ones are forgotten.
const MEMORY_VEH: f32 = 250.0;

/// What a turn is worth a priori, when a lane offers several.
fn prior(turn: Turn) -> f32 {
    match turn {
        Turn::Straight => 0.70,
        Turn::Right => 0.18,
        Turn::Left => 0.18,
        Turn::UTurn => 0.02,
    }
}

/// The turning fractions of a part of the city.
#[derive(Debug, Clone)]
pub struct Turning {
    weights: Table<ConnectionId, f32>,
}

keep!(Turning { weights });

impl Turning {
    pub(crate) fn new(network: &Network, scope: &Scope) -> Self {
        let mut weights = Table::over(&scope.connections, 0.0);
        for lane in network.lanes().slice(&scope.lanes) {
            let exits = &lane.exits;
            let worth = |c: ConnectionId| {
                let movement = &network.movements()[network.connections()[c].movement];
                // Several paths to one exit share what one would get.
                let twins = span(exits)
                    .filter(|&o| network.connections()[o].movement == network.connections()[c].movement)
                    .count();
                prior(movement.turn) / twins.max(1) as f32
            };
            let total: f32 = span(exits).map(worth).sum();
            for c in span(exits) {
                weights[c] = PRIOR_VEH * worth(c) / total.max(f32::MIN_POSITIVE);
            }
        }
        Self { weights }
    }

    /// The share of a lane's traffic that takes each path of `exits`, in order; the shares add up to 1.
    pub fn fractions<'a>(&'a self, exits: &Range<ConnectionId>) -> impl Iterator<Item = f64> + use<'a> {
        let weights = if exits.is_empty() { &[] } else { self.weights.slice(exits) };
        let total: f32 = weights.iter().sum();
        weights.iter().map(move |&w| f64::from(w / total.max(f32::MIN_POSITIVE)))
    }

    /// The share of the traffic of a lane, whose paths are `exits`, that takes `path`.
    pub fn fraction(&self, exits: &Range<ConnectionId>, path: ConnectionId) -> f64 {
        let total: f32 = self.weights.slice(exits).iter().sum();
        f64::from(self.weights[path] / total.max(f32::MIN_POSITIVE))
    }

    /// Learns that `count` vehicles took `movement` while each of its lanes discharged what `out` says. Where no lane
    /// was heard, it is shared by the fractions themselves.
    pub(crate) fn learn(&mut self, network: &Network, movement: MovementId, count: f32, out: impl Fn(LaneId) -> f32) {
        let paths = &network.movements()[movement].connections;
        let lane_of = |c: ConnectionId| network.connections()[c].from;
        let share = |this: &Self, c: ConnectionId| this.fraction(&network.lane(lane_of(c)).exits, c) as f32;
        let heard: f32 = paths.iter().map(|&c| out(lane_of(c)) * share(self, c)).sum();
        let even: f32 = paths.iter().map(|&c| share(self, c)).sum();
        for &c in paths {
            let expected =
                if heard > 0.0 { out(lane_of(c)) * share(self, c) / heard } else { share(self, c) / even.max(1e-9) };
            self.add(&network.lane(lane_of(c)).exits, c, count * expected);
        }
    }

    /// Learns that so many vehicles took `path`, one of the `exits` of their lane.
    pub(crate) fn add(&mut self, exits: &Range<ConnectionId>, path: ConnectionId, vehicles: f32) {
        self.weights[path] += vehicles.max(0.0);
        let total: f32 = self.weights.slice(exits).iter().sum();
        if total > MEMORY_VEH {
            for c in span(exits) {
                self.weights[c] *= MEMORY_VEH / total;
            }
        }
    }
}

/// The share of each exit of `link`, weighted by what its lanes carry.
pub(crate) fn of_link(
    turning: &Turning,
    network: &Network,
    link: LinkId,
    flow: impl Fn(LaneId) -> f64,
) -> Vec<(LinkId, f64)> {
    let total: f64 = span(&network.link(link).lanes).map(&flow).sum();
    let lanes = network.link(link).lane_count().max(1) as f64;
    let weight = |lane: LaneId| if total > 0.0 { flow(lane) / total } else { 1.0 / lanes };
    network
        .movements_from(link)
        .iter()
        .map(|&m| {
            let movement = &network.movements()[m];
            let share = movement.connections.iter().map(|&c| {
                let lane = network.connections()[c].from;
                weight(lane) * turning.fraction(&network.lane(lane).exits, c)
            });
            (movement.to, share.sum())
        })
        .collect()
}

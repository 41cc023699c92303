//! When a stop line has to open so that whoever waits before the vehicle is gone when it comes.

use crate::corridor::way::{Gate, Way};
use crate::ids::{LaneId, span};
use crate::network::Network;
use crate::time::Span;

/// No queue is given more time than this: others wait meanwhile.
pub const CLEAR_MAX: Span = Span::from_s(60);
/// A green that is there before the vehicle sees it lets it keep its speed.
const MARGIN_S: f64 = 4.0;
/// Of those who are released at one line, so many stand before the vehicle at the next.
const FOLLOW: f64 = 0.5;

/// What is known of a lane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sight {
    /// Vehicles within the distance asked for of its end.
    pub vehicles: f64,
    /// Room behind the last that stands, vehicles.
    pub room: f64,
    /// Between vehicles of a queue at the stop line, s.
    pub headway_s: f64,
    /// From green to the first crossing, s.
    pub startup_s: f64,
    /// Vehicles that come, per second.
    pub flow: f64,
    /// Whether nobody can drive there.
    pub closed: bool,
}

/// What is known of the lanes: of each, and of those on it within a distance of its end, m. None where nothing is.
pub type Look<'a> = &'a dyn Fn(LaneId, f64) -> Option<Sight>;

/// The vehicles before the vehicle in the fullest lane of a gate's approach, and how long they need from green on, s.
/// Approaches that are chopped into short links are followed upstream as far as the vehicle.
fn queue(network: &Network, gate: &Gate, before_m: f64, look: Look<'_>) -> (f64, f64) {
    let mut worst = (0.0, 0.0);
    for &stop in &gate.lanes {
        let Some(sight) = look(stop, before_m) else { continue };
        let above = network.reach(stop).iter().filter(|s| s.lane != stop && s.offset.get() < before_m);
        let above: f64 = above.filter_map(|s| Some(s.share * look(s.lane, before_m - s.offset.get())?.vehicles)).sum();
        let count = sight.vehicles + above;
        let takes = if count < 0.5 { 0.0 } else { count * sight.headway_s + sight.startup_s };
        if takes > worst.1 {
            worst = (count, takes);
        }
    }
    worst
}

/// For each gate of a way from `at_m` on: how long before the vehicle its green has to begin.
///
/// A queue that is released here stands before the vehicle again at the next line; where the exit cannot hold it, the
/// next line opens no later than this one.
pub fn clear(network: &Network, way: &Way, at_m: f64, look: Look<'_>) -> Vec<Span> {
    let mut lead = Vec::with_capacity(way.gates.len());
    let (mut released, mut blocked) = (0.0, 0.0);
    for gate in &way.gates {
        if gate.at_m < at_m {
            lead.push(Span::ZERO);
            continue;
        }
        let (count, takes) = queue(network, gate, gate.at_m - at_m, look);
        let after = gate.lanes.iter().filter_map(|&l| look(l, 0.0)).map(|s| s.headway_s).fold(0.0, f64::max);
        let s = (takes + FOLLOW * released * after).max(blocked) + MARGIN_S;
        lead.push(Span::nearest(s).min(CLEAR_MAX));
        released = count + FOLLOW * released;
        let exit = way.links.get(gate.row + 1).map(|&link| &network.link(link).lanes);
        let room: f64 = exit.into_iter().flat_map(span).filter_map(|l| look(l, 0.0)).map(|s| s.room).sum();
        blocked = if room < released { s } else { 0.0 };
    }
    lead
}

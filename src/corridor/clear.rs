//! When a stop line has to open so that whoever waits before the vehicle is gone when it comes.

use crate::corridor::route::PACE;
use crate::corridor::way::{Fork, Gate, Way};
use crate::ids::{LaneId, span};
use crate::network::Network;
use crate::time::{Span, Time};

/// No queue is given more time than this: others wait meanwhile.
pub const CLEAR_MAX: Span = Span::from_s(75);
/// A green that is there before the vehicle sees it lets it keep its speed.
const MARGIN_S: f64 = 4.0;
/// From green to the crossing of a vehicle that stands first at the line.
const STARTUP_S: f64 = 2.0;
/// Road that a vehicle of a queue takes, m.
const SPACING_M: f64 = 7.5;
/// Between standing lanes a vehicle passes at this speed, m/s.
const FILTERING_MPS: f64 = 5.0;
/// A lane with room for no more than so many vehicles lets nobody in who is still behind it, ...
const FULL: f64 = 1.5;
/// ... and one with no more than so many vehicles in it has its queue elsewhere.
const DRAINED: f64 = 3.0;
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
    /// Whether its queue has green and does not move.
    pub stuck: bool,
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

/// Who stands before a vehicle at one stop line, and how a green has to lie against its arrival.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Lead {
    /// The green has to begin so long before it.
    pub before: Span,
    /// Vehicles before it in the fullest lane of its turn.
    count: f64,
    headway_s: f64,
    startup_s: f64,
    /// Whether there is but one lane, and nobody passes the queue.
    alone: bool,
    /// Where nothing is in its way it drives so fast, m/s.
    speed_mps: f64,
}

impl Lead {
    /// Whether anybody stands or drives before it in a lane of its turn.
    pub fn follows(&self) -> bool {
        self.count >= 0.5
    }

    /// When a vehicle crosses the line that would come at `arrives` if nobody stood before it, and gets its green at
    /// `green`.
    pub fn passes(&self, arrives: Time, green: Time) -> Time {
        let first = green + Span::nearest(self.startup_s.max(STARTUP_S));
        let gone = |at: Time| ((at - first).s() / self.headway_s.max(0.1)).clamp(0.0, self.count);
        if self.alone {
            return arrives.max(first + Span::nearest(self.count * self.headway_s));
        }
        let reaches = arrives - Span::nearest(self.count * SPACING_M / self.speed_mps.max(1.0));
        let left_m = (self.count - gone(reaches)) * SPACING_M;
        let slower = (1.0 / FILTERING_MPS - 1.0 / self.speed_mps.max(FILTERING_MPS)).max(0.0);
        let arrives = arrives + Span::nearest(left_m * slower);
        if arrives < green { first } else { arrives }
    }
}

/// Whether those of another turn stand out of their pocket and keep the vehicle's own queue from its lanes, so that a
/// green of its own would clear nothing.
pub fn walled_in(fork: &Fork, look: Look<'_>) -> bool {
    let sights = |lanes: &[LaneId]| lanes.iter().filter_map(|&l| look(l, f64::INFINITY)).collect::<Vec<_>>();
    let own = sights(&fork.own);
    let drained = |s: &Sight| s.vehicles <= DRAINED && s.room >= 1.0;
    let full = |s: &Sight| s.vehicles >= 1.0 && s.room <= FULL;
    !own.is_empty() && own.iter().all(drained) && sights(&fork.pockets).iter().any(full)
}

/// Vehicles for which there is room behind a gate, as far as whoever stands there or the next signal, over as many links as
/// that takes where roads are chopped into short ones.
fn room(network: &Network, way: &Way, gate: &Gate, look: Look<'_>) -> f64 {
    let mut sum = 0.0;
    for &link in &way.links[gate.row + 1..] {
        let road = network.link(link);
        let mut stands = false;
        for sight in span(&road.lanes).filter_map(|lane| look(lane, 0.0)) {
            stands |= sight.room < road.length.get() / SPACING_M - 0.5;
            sum += sight.room;
        }
        if stands || network.junction_at_end(link).is_some() {
            break;
        }
    }
    sum
}

/// For each gate of a way from `at_m` on: how long before the vehicle its green has to begin.
///
/// A queue that is released here stands before the vehicle again at the next line; where the exit cannot hold it, the
/// next line opens no later than this one.
pub fn clear(network: &Network, way: &Way, at_m: f64, look: Look<'_>) -> Vec<Lead> {
    let mut lead = Vec::with_capacity(way.gates.len());
    let (mut released, mut blocked) = (0.0, 0.0);
    for gate in &way.gates {
        if gate.at_m < at_m {
            lead.push(Lead::default());
            continue;
        }
        let (count, takes) = queue(network, gate, gate.at_m - at_m, look);
        let after = gate.lanes.iter().filter_map(|&l| look(l, 0.0)).map(|s| s.headway_s).fold(0.0, f64::max);
        let s = (takes + FOLLOW * released * after).max(blocked) + MARGIN_S;
        let road = network.link(way.links[gate.row]);
        lead.push(Lead {
            before: Span::nearest(s).min(CLEAR_MAX),
            count,
            headway_s: after,
            startup_s: (takes - count * after).max(0.0),
            alone: road.lane_count() == 1,
            speed_mps: road.speed.get() * PACE,
        });
        released = count + FOLLOW * released;
        blocked = if room(network, way, gate, look) < released { s } else { 0.0 };
    }
    lead
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corridor::fixture::chopped;

    fn sight(vehicles: f64, room: f64) -> Sight {
        Sight { vehicles, room, headway_s: 2.0, startup_s: 2.0, flow: 0.1, closed: false, stuck: false }
    }

    #[test]
    fn a_turn_is_walled_in_by_a_full_pocket_while_its_own_lane_is_empty() {
        let network = chopped(2, false);
        let links = ["in", "short", "turn"].map(|name| network.link_named(name).expect("a link"));
        let way = Way::new(&network, &links).expect("they follow");
        let fork = &way.gates[0].fork;
        // (own lane: vehicles and room, the other: vehicles and room)
        for (own, pocket, walled) in [
            ((0.0, 13.0), (12.0, 0.5), true),
            ((0.0, 13.0), (3.0, 9.0), false),
            ((8.0, 4.0), (12.0, 0.5), false), // its own queue is there
            ((0.0, 1.2), (0.0, 1.2), false),  // on a link of 9 m there is never more room
            ((1.0, 0.0), (1.0, 0.0), false),  // nor a longer queue
        ] {
            let look =
                |lane, _| Some(if fork.own.contains(&lane) { sight(own.0, own.1) } else { sight(pocket.0, pocket.1) });
            assert_eq!(walled_in(fork, &look), walled, "{own:?} {pocket:?}");
        }
    }

    #[test]
    fn room_behind_a_line_reaches_over_short_links_to_whoever_stands() {
        let network = chopped(2, false);
        let links = ["in", "short", "on", "far"].map(|name| network.link_named(name).expect("a link"));
        let way = Way::new(&network, &links).expect("they follow");
        // Room on the link of 9 m and on the road behind it.
        for (on, far, all) in [(1.2, 24.2, 25.4), (1.2, 10.0, 11.2), (0.0, 24.2, 0.0)] {
            let look = |lane, _| Some(sight(0.0, if network.lane(lane).link == links[2] { on } else { far }));
            let found = room(&network, &way, &way.gates[0], &look);
            assert!((found - all).abs() < 1e-9, "{on} {far}: {found}");
        }
    }
}

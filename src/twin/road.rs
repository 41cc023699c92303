//! The roads as the twin drives them: the network laid out flat, in milliseconds and centimetres.

use std::ops::Range;

use super::calendar::Ms;
use super::conflict::{Foe, Judge};
use super::driving::{Driving, headway_factor};
use crate::ids::{Id, JunctionId, LinkId};
use crate::network::{Control, Network, VehicleClass};

/// No lane, vehicle, path or group.
pub(super) const NONE: u32 = u32::MAX;

/// A road.
#[derive(Debug, Clone)]
pub(super) struct Road {
    pub(super) first_lane: u32,
    pub(super) lanes: u32,
    pub(super) length_m: f32,
    /// At the limit, s.
    pub(super) free_s: f64,
    /// A vehicle that enters can still choose any of its lanes.
    pub(super) long: bool,
}

/// What releases a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Release {
    /// The group of this number, counted over all junctions.
    Signal(u32),
    /// Gaps.
    Gaps,
    /// Nothing.
    Free,
}

/// A path through a node.
#[derive(Debug, Clone)]
pub(super) struct Path {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) to_link: u32,
    pub(super) release: Release,
    pub(super) turn_on_red: bool,
    /// Time inside the node.
    pub(super) inside: Ms,
    /// Time inside the node at the limit, s.
    pub(super) free_s: f64,
    pub(super) headway_factor: f32,
    /// Nothing keeps a vehicle from standing half on either side.
    pub(super) seamless: bool,
    pub(super) foes: Range<u32>,
    pub(super) red_foes: Range<u32>,
}

/// The fixed part of a lane.
#[derive(Debug, Clone)]
pub(super) struct Strip {
    pub(super) link: u32,
    pub(super) index: u8,
    /// One bit a class.
    pub(super) admits: u8,
    pub(super) exits: Range<u32>,
    pub(super) length_cm: u32,
    /// Time along it at the limit per metre, ms.
    pub(super) slowness: f32,
    /// Time in which room freed at its head is felt at its tail.
    pub(super) wave: Ms,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Roads {
    pub(super) links: Vec<Road>,
    pub(super) strips: Vec<Strip>,
    pub(super) paths: Vec<Path>,
    pub(super) foes: Vec<Foe>,
    /// The first group of each junction, and how many there are in all.
    pub(super) groups_at: Vec<u32>,
    /// The lanes each group releases.
    pub(super) released: Vec<Vec<u32>>,
}

/// On shorter roads a vehicle stays in the lane its path leads to.
const LONG_M: f64 = 25.0;
/// Nodes with shorter paths are joints in a road rather than places of their own.
const SEAM_M: f64 = 3.0;
/// Room of a queued car, m.
const CAR_M: f64 = 7.5;

/// Every class, in the order of its bits.
const CLASSES: [VehicleClass; 6] = [
    VehicleClass::Car,
    VehicleClass::Truck,
    VehicleClass::Bus,
    VehicleClass::Tram,
    VehicleClass::Bicycle,
    VehicleClass::Emergency,
];

/// Speed at which room travels upstream through a queue that dissolves, m/s: that of a triangular fundamental diagram
/// whose capacity lies a little above the saturation flow. Source: Newell 1993.
fn wave_mps(limit_mps: f64, headway_s: f64) -> f64 {
    let reaction = (0.94 * headway_s - CAR_M / limit_mps).max(0.3);
    (CAR_M / reaction).clamp(4.5, 12.0)
}

impl Roads {
    pub(super) fn new(network: &Network, driving: &Driving) -> Self {
        let mut groups_at = Vec::with_capacity(network.junctions().len() + 1);
        let mut groups = 0;
        for junction in network.junctions().values() {
            groups_at.push(groups);
            groups += junction.groups.len() as u32;
        }
        groups_at.push(groups);
        let group =
            |junction: JunctionId, group: crate::ids::GroupId| groups_at[junction.index()] + group.index() as u32;
        let links = network.links().values().map(|link| Road {
            first_lane: link.lanes.start.index() as u32,
            lanes: link.lane_count() as u32,
            length_m: link.length.get() as f32,
            free_s: link.free_flow().get(),
            long: link.length.get() >= LONG_M,
        });
        let strips = network.lanes().values().map(|lane| {
            let link = network.link(lane.link);
            let (length, speed) = (link.length.get(), link.speed.get());
            let admit = |(bit, &class): (usize, &VehicleClass)| u8::from(lane.only.admit(class)) << bit;
            Strip {
                link: lane.link.index() as u32,
                index: lane.index,
                admits: CLASSES.iter().enumerate().map(admit).sum(),
                exits: lane.exits.start.index() as u32..lane.exits.end.index() as u32,
                length_cm: (length * 100.0).round() as u32,
                slowness: (1000.0 / speed) as f32,
                wave: (length / wave_mps(speed, driving.headway_s) * 1000.0) as Ms,
            }
        });
        let (links, strips) = (links.collect(), strips.collect());
        let judge = Judge::new(network);
        let mut foes = Vec::new();
        let mut released = vec![Vec::new(); groups as usize];
        let mut paths = Vec::with_capacity(network.connections().len());
        for (id, connection) in network.connections().iter() {
            let movement = &network.movements()[connection.movement];
            let limit = network.link(movement.from).speed.max(network.link(movement.to).speed).get();
            let (release, turn_on_red) = match connection.control {
                Control::Signal(j, g) => {
                    let all = group(j, g);
                    let lanes: &mut Vec<u32> = &mut released[all as usize];
                    let lane = connection.from.index() as u32;
                    if lanes.last() != Some(&lane) {
                        lanes.push(lane);
                    }
                    (Release::Signal(all), network.junction(j).groups[g].turn_on_red)
                }
                Control::GivesWay => (Release::Gaps, false),
                Control::Free => (Release::Free, false),
            };
            let mut note = |these: Vec<Foe>| {
                let first = foes.len() as u32;
                foes.extend(these);
                first..foes.len() as u32
            };
            let length = connection.length.get();
            let speed = driving.turning(movement.turn, limit);
            paths.push(Path {
                from: connection.from.index() as u32,
                to: connection.to.index() as u32,
                to_link: movement.to.index() as u32,
                release,
                turn_on_red,
                inside: (length / speed * 1000.0) as Ms,
                free_s: length / limit,
                headway_factor: headway_factor(movement.turn),
                seamless: length <= SEAM_M && release == Release::Free,
                foes: note(judge.foes(id.index() as u32)),
                red_foes: note(judge.foes_on_red(id.index() as u32)),
            });
        }
        Self { links, strips, paths, foes, groups_at, released }
    }

    /// The lanes of a link.
    pub(super) fn lanes(&self, link: u32) -> Range<u32> {
        let road = &self.links[link as usize];
        road.first_lane..road.first_lane + road.lanes
    }

    /// The lane of `link` with the least `cost` among those of `mask` that admit `class`.
    pub(super) fn best_lane(
        &self,
        link: u32,
        mask: u16,
        class: VehicleClass,
        mut cost: impl FnMut(u32) -> Option<u32>,
    ) -> Option<u32> {
        let mut best: Option<(u32, u32)> = None;
        for lane in self.lanes(link) {
            let strip = &self.strips[lane as usize];
            if mask >> strip.index & 1 == 0 || strip.admits >> class as u8 & 1 == 0 {
                continue;
            }
            if let Some(cost) = cost(lane)
                && best.is_none_or(|(least, _)| cost < least)
            {
                best = Some((cost, lane));
            }
        }
        best.map(|(_, lane)| lane)
    }

    /// A stretch of a route as hops: which lanes of each link lead on, seen as far ahead as short links make it matter.
    pub(super) fn hops(&self, route: &[LinkId], hops: &mut Vec<Hop>) {
        let first = hops.len();
        for (at, link) in route.iter().enumerate().rev() {
            let link = link.index() as u32;
            let next = route.get(at + 1).map(|l| l.index() as u32);
            let ahead = hops.last().filter(|_| hops.len() > first).copied();
            hops.push(self.hop(link, next, ahead));
        }
        hops[first..].reverse();
    }

    fn hop(&self, link: u32, next: Option<u32>, ahead: Option<Hop>) -> Hop {
        let (Some(next), Some(ahead)) = (next, ahead) else {
            return Hop { link, mask: u16::MAX, last: true, via: NONE, headway_factor: 1.0 };
        };
        let (mut all, mut best, mut via) = (0u16, 0u16, NONE);
        for lane in self.lanes(link) {
            let strip = &self.strips[lane as usize];
            for path in strip.exits.clone() {
                let p = &self.paths[path as usize];
                if p.to_link != next {
                    continue;
                }
                if via == NONE {
                    via = path;
                }
                all |= 1 << strip.index;
                if ahead.mask >> self.strips[p.to as usize].index & 1 == 1 {
                    best |= 1 << strip.index;
                }
            }
        }
        // Where the next link is long enough to change lanes, any lane that leads there will do.
        let mask = if self.links[next as usize].long || best == 0 { all } else { best };
        let headway_factor = if via == NONE { 1.0 } else { self.paths[via as usize].headway_factor };
        Hop { link, mask, last: false, via, headway_factor }
    }
}

/// One link of a route.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hop {
    pub(super) link: u32,
    /// Its lanes that lead on, one bit each.
    pub(super) mask: u16,
    pub(super) last: bool,
    /// Some path to the next link.
    pub(super) via: u32,
    pub(super) headway_factor: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_travels_upstream_as_the_fundamental_diagram_has_it() {
        // (limit m/s, m/s): a car's room ÷ (1.79 s − the time it takes at the limit); a crawl is capped.
        for (limit, wave) in [(13.89, 6.02), (8.33, 8.48), (3.0, 12.0)] {
            assert!((wave_mps(limit, 1.9) - wave).abs() < 0.1, "{limit}: {}", wave_mps(limit, 1.9));
        }
    }
}

//! Which way those went whom a loop counts again: turning fractions where no camera counts turns.
//!
//! Whoever crosses a stop line is awaited at the next loops, the screenline, that each of its paths leads to, on each by the
//! share that takes that path. A vehicle counted there is one of those awaited and is booked to their paths, by how many
//! were to come by each about then. Who is not seen again took a path that leads past no screenline.
//! Source: M. Cremer, H. Keller, "A new class of dynamic methods for the identification of origin-destination flows",
//! Transportation Research 21B, 1987; here by expectation and maximisation, vehicle by vehicle.

use std::ops::Range;

use crate::ids::{ConnectionId, LaneId, LinkId, Table, span};
use crate::keep::{keep, resume};
use crate::network::{Network, Sensors, Turn};
use crate::time::{Span, Time};
use crate::traffic::lane::Lane;
use crate::traffic::scope::{Place, Role, Scope};
use crate::traffic::turning::Turning;

/// Whoever starts at a line takes so much longer than one who drives through, s.
const START_S: f32 = 2.0;
/// Who drives to a screenline comes within so many seconds, and this share of the way's time, of when he is awaited.
const SPREAD_S: f32 = 2.0;
const SPREAD: f32 = 0.2;
/// Nobody comes earlier or later than by so many of those.
const SPREADS: f32 = 4.0;
/// So many come to a screenline who were counted nowhere before: from parked cars, from roads that no network shows.
const STRANGERS: f32 = 0.01;
/// How likely one is to be counted on another lane than he came in by, against his own.
const CHANGES_LANES: f32 = 0.3;
/// A screenline is looked for so many links on.
const LINKS_MOST: usize = 6;
/// A path is taken to be gone by at least this often: whoever takes it again after long could not be recognised otherwise.
const SHARE_LEAST: f32 = 0.005;
/// It is judged where those who left a lane went when there are so many, vehicles.
const ENOUGH_VEH: f32 = 10.0;

/// Where those who take a path are counted next.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Screenline {
    link: LinkId,
    /// The lane by which they come, if it is one.
    lane: Option<LaneId>,
    /// How long they drive from the stop line, at the limit.
    way_s: f32,
}

impl Screenline {
    fn spread_s(&self) -> f32 {
        SPREAD_S + SPREAD * self.way_s
    }
}

/// A part of a vehicle that is awaited at a screenline.
#[derive(Debug, Clone, Copy)]
struct Awaited {
    path: ConnectionId,
    at: Time,
    vehicles: f32,
}

keep!(Awaited { path, at, vehicles });

/// Those who were counted at a stop line and may be counted again.
#[derive(Debug, Clone)]
pub(crate) struct Screenlines {
    lines: Table<ConnectionId, Option<Screenline>>,
    awaited: Table<LinkId, Vec<Awaited>>,
    /// Vehicles that left each lane, and those of them counted again by each path, since the lane was last judged.
    left: Table<LaneId, f32>,
    again: Table<ConnectionId, f32>,
}

resume!(Screenlines { kept: awaited, left, again; built: lines });

impl Screenlines {
    pub(crate) fn new(network: &Network, sensors: &Sensors, scope: &Scope, places: &[Place]) -> Self {
        let mut entries = Table::over(&scope.lanes, None);
        for (place, &id) in places.iter().zip(&scope.sensors) {
            if place.role == Role::Entry {
                entries[place.lane] = Some(sensors.table()[id].distance.get());
            }
        }
        let mut lines = Table::over(&scope.connections, None);
        for path in span(&scope.connections) {
            if network.connections()[path].control.group().is_some() {
                lines[path] = next(network, &entries, path);
            }
        }
        Self {
            lines,
            awaited: Table::over(&scope.links, Vec::new()),
            left: Table::over(&scope.lanes, 0.0),
            again: Table::over(&scope.connections, 0.0),
        }
    }

    /// Takes the counts of the tick that ends at `now`, and teaches `turning` what they say of each lane that is not
    /// `told` of anyway.
    pub(crate) fn advance(
        &mut self,
        network: &Network,
        lanes: &Table<LaneId, Lane>,
        now: Time,
        turning: &mut Turning,
        told: impl Fn(LinkId) -> bool,
    ) {
        let heard = |link: LinkId| lanes.slice(&network.link(link).lanes).iter().all(|lane| lane.in_ok);
        for (lane, row) in lanes.iter() {
            if row.signal.is_some() && row.out_ok && row.heard.out > 0.0 {
                let exits = &network.lane(lane).exits;
                if self.left[lane] >= ENOUGH_VEH {
                    let learns = !told(network.lane(lane).link);
                    self.judge(lane, exits, heard, learns.then_some(&mut *turning));
                }
                self.leave(lane, row.heard.out, now, exits, turning, heard);
            }
        }
        let lines = &self.lines;
        for (link, awaited) in self.awaited.iter_mut().filter(|(_, awaited)| !awaited.is_empty()) {
            for lane in span(&network.link(link).lanes).filter(|&lane| lanes[lane].in_ok) {
                let count = lanes[lane].heard.in_;
                if count > 0.0 {
                    come(awaited, lines, &mut self.again, (lane, count, now));
                }
            }
            awaited.retain(|row| row.vehicles > 0.0 && lateness(row, lines, now).is_some_and(|late| late <= SPREADS));
        }
    }

    /// So many left a lane, and are awaited wherever its `exits` lead.
    fn leave(
        &mut self,
        lane: LaneId,
        count: f32,
        now: Time,
        exits: &Range<ConnectionId>,
        turning: &Turning,
        heard: impl Fn(LinkId) -> bool,
    ) {
        self.left[lane] += count;
        for (path, share) in span(exits).zip(turning.fractions(exits)) {
            if let Some(line) = self.lines[path].filter(|line| heard(line.link)) {
                let at = now + Span::nearest(f64::from(line.way_s + START_S));
                self.awaited[line.link].push(Awaited { path, at, vehicles: count * (share as f32).max(SHARE_LEAST) });
            }
        }
    }

    /// Where those who left a lane lately went, for `turning` to learn.
    fn judge(
        &mut self,
        lane: LaneId,
        exits: &Range<ConnectionId>,
        heard: impl Fn(LinkId) -> bool,
        turning: Option<&mut Turning>,
    ) {
        let rest = self.left[lane] - span(exits).map(|path| self.again[path]).sum::<f32>();
        if let Some(turning) = turning {
            let seen = |path: ConnectionId| self.lines[path].is_some_and(|line| heard(line.link));
            let share = |path| (turning.fraction(exits, path) as f32).max(SHARE_LEAST);
            let unseen: f32 = span(exits).filter(|&path| !seen(path)).map(share).sum();
            let went = |path| self.again[path] + if seen(path) { 0.0 } else { rest.max(0.0) * share(path) / unseen };
            let went: Vec<f32> = span(exits).map(went).collect();
            span(exits).zip(went).for_each(|(path, vehicles)| turning.add(exits, path, vehicles));
        }
        span(exits).for_each(|path| self.again[path] = 0.0);
        // Some who were counted again had left before the lane was last judged: that many are still on their way now.
        self.left[lane] = rest.min(0.0);
    }
}

/// How much later than awaited it is, in spreads.
fn lateness(row: &Awaited, lines: &Table<ConnectionId, Option<Screenline>>, now: Time) -> Option<f32> {
    lines[row.path].map(|line| (now - row.at).s() as f32 / line.spread_s())
}

/// So many are counted on a lane, now, of those who are awaited there or on the lanes beside it.
fn come(
    awaited: &mut [Awaited],
    lines: &Table<ConnectionId, Option<Screenline>>,
    again: &mut Table<ConnectionId, f32>,
    (lane, count, now): (LaneId, f32, Time),
) {
    let likely = |row: &Awaited| {
        let Some(late) = lateness(row, lines, now).filter(|late| *late >= -SPREADS) else { return 0.0 };
        let here = lines[row.path].is_some_and(|line| line.lane.is_none_or(|by| by == lane));
        row.vehicles * if here { 1.0 } else { CHANGES_LANES } / (1.0 + late * late)
    };
    let all = STRANGERS + awaited.iter().map(likely).sum::<f32>();
    for row in awaited {
        let part = count * likely(row) / all;
        row.vehicles = (row.vehicles - part).max(0.0);
        again[row.path] += part;
    }
}

/// The next screenline of a path: loops on every lane of a road that all who take it come to. `entries` are the lanes' loops
/// and their distance to the lane's end, m.
fn next(network: &Network, entries: &Table<LaneId, Option<f64>>, path: ConnectionId) -> Option<Screenline> {
    let path = &network.connections()[path];
    let seconds = |length: f64, link: LinkId| (length / network.link(link).speed.get().max(1.0)) as f32;
    let (mut lane, mut link) = (Some(path.to), network.lane(path.to).link);
    let mut way_s = seconds(path.length.get(), link);
    for _ in 0..LINKS_MOST {
        let road = network.link(link);
        let loops = entries.get(road.lanes.start).map(|_| entries.slice(&road.lanes))?;
        if loops.iter().all(Option::is_some) {
            let farthest = loops.iter().flatten().fold(0.0_f64, |most, &at| most.max(at));
            way_s += seconds(road.length.get() - farthest, link);
            return Some(Screenline { link, lane, way_s });
        }
        // Where the world ends nobody turns back.
        let onward =
            || network.movements_from(link).iter().map(|&m| &network.movements()[m]).filter(|m| m.turn != Turn::UTurn);
        let movement = onward().next().filter(|_| onward().count() == 1 && network.node(road.to).junction.is_none())?;
        way_s += seconds(road.length.get(), link);
        let only = |lane: LaneId| Some(&network.lane(lane).exits).filter(|exits| span(exits).len() == 1);
        lane = lane.and_then(only).map(|exits| network.connections()[exits.start].to);
        link = movement.to;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;
    use crate::network::limits::Limits;
    use serde_json::json;

    /// A lane from which one may go ahead, left or right: ahead is counted 60 m before its end, left after another link, and
    /// right never.
    fn fork() -> (Network, Sensors) {
        let node = |id: &str, x: f64, y: f64| json!({"id": id, "x": x, "y": y});
        let link = |id: &str, from: &str, to: &str, length: f64| json!({"id": id, "from": from, "to": to, "length_m": length, "speed_mps": 10.0, "lanes": [{}]});
        let signal = |to: &str, turn: &str| json!({"from": "in", "from_lane": 0, "to": to, "to_lane": 0, "turn": turn, "group": "g"});
        let spec = json!({
            "format": "greenwave-network/1", "name": "fork",
            "nodes": [node("a", 0.0, 0.0), {"id": "b", "x": 100.0, "y": 0.0, "junction": "J"}, node("c", 300.0, 0.0),
                      node("d", 100.0, 50.0), node("e", 100.0, 250.0), node("f", 100.0, -200.0)],
            "links": [link("in", "a", "b", 100.0), link("ahead", "b", "c", 200.0), link("left", "b", "d", 50.0), link("farther", "d", "e", 200.0),
                      link("right", "b", "f", 200.0), link("back", "f", "b", 200.0)],
            "connections": [signal("ahead", "straight"), signal("left", "left"), signal("right", "right"),
                            {"from": "left", "from_lane": 0, "to": "farther", "to_lane": 0, "turn": "straight"},
                            {"from": "right", "from_lane": 0, "to": "back", "to_lane": 0, "turn": "u_turn"}],
            "junctions": [{"id": "J", "groups": [{"id": "g"}, {"id": "x"}], "conflicts": [{"a": "g", "b": "x", "kind": "never"}],
                "stages": [{"id": "1", "groups": ["g"]}, {"id": "2", "groups": ["x"]}],
                "programs": [{"id": "p", "offset_s": 0.0, "splits": [{"stage": "1", "s": 30.0}, {"stage": "2", "s": 30.0}]}]}]
        });
        let network = Network::build(serde_json::from_value(spec).expect("a network file"), &Limits::default())
            .expect("it is sound");
        let one = |id: &str, link: &str, at: f64| json!({"id": id, "kind": "loop", "link": link, "lane": 0, "distance_m": at});
        let spec = json!({"format": "greenwave-sensors/1", "sensors": [one("s", "in", 0.0), one("a", "ahead", 60.0), one("f", "farther", 100.0), one("b", "back", 60.0)]});
        let sensors =
            Sensors::build(&serde_json::from_value(spec).expect("a sensors file"), &network).expect("they stand on it");
        (network, sensors)
    }

    #[test]
    fn a_path_leads_to_the_next_loops_that_all_come_to() {
        let (network, sensors) = fork();
        let scope = Scope::new(&network, &sensors, None);
        let lines = Screenlines::new(&network, &sensors, &scope, &scope.places(&network, &sensors)).lines;
        let link = |name: &str| network.link_named(name).expect("it is drawn");
        let lane = network.link(link("in")).lanes.start;
        let found: Vec<_> =
            span(&network.lane(lane).exits).map(|path| lines[path].map(|line| (line.link, line.way_s))).collect();
        let at = |name: &str, length: f32| Some((link(name), length / 10.0));
        assert_eq!(
            found,
            [at("ahead", 140.0), at("left", 50.0).and(at("farther", 150.0)), None],
            "nobody turns back on the right"
        );
    }

    #[test]
    fn shares_are_learned_from_who_is_counted_again_and_who_is_not() {
        let (network, sensors) = fork();
        let scope = Scope::new(&network, &sensors, None);
        let places = scope.places(&network, &sensors);
        let mut lines = Screenlines::new(&network, &sensors, &scope, &places);
        let mut turning = Turning::new(&network, &scope);
        let mut lanes = Table::over(&scope.lanes, Lane::new(None, network.link(LinkId::of(0)).speed));
        let lane = |name| network.link(network.link_named(name).expect("it is drawn")).lanes.start;
        let (from, ahead, left) = (lane("in"), lane("ahead"), lane("farther"));
        lanes[from].signal = Some((crate::ids::JunctionId::of(0), crate::ids::GroupSet::EMPTY));
        for lane in [from, ahead, left] {
            (lanes[lane].out_ok, lanes[lane].in_ok) = (true, true);
        }
        // One leaves every three seconds in the green half of a minute: of ten two go ahead, five left and three right.
        let (mut due, mut nth) = (std::collections::BTreeMap::<i64, Vec<LaneId>>::new(), 0);
        for second in 0..3600 {
            let leaves = second % 60 < 30 && second % 3 == 0;
            if leaves {
                match nth % 10 {
                    0 | 5 => due.entry(second + 15 + nth % 3).or_default().push(ahead),
                    1 | 3 | 4 | 7 | 9 => due.entry(second + 16 + nth % 4).or_default().push(left),
                    _ => {}
                }
                nth += 1;
            }
            lanes[from].heard.out = f32::from(u8::from(leaves));
            for lane in [ahead, left] {
                lanes[lane].heard.in_ =
                    due.get(&second).map_or(0, |all| all.iter().filter(|&&at| at == lane).count()) as f32;
            }
            lines.advance(&network, &lanes, Time::from_s(second), &mut turning, |_| false);
        }
        let shares: Vec<f64> = turning.fractions(&network.lane(from).exits).collect();
        for (share, expected) in shares.iter().zip([0.2, 0.5, 0.3]) {
            assert!((share - expected).abs() < 0.06, "{shares:?}");
        }
        assert!(lines.awaited.values().all(|awaited| awaited.len() < 40), "nobody is awaited for ever");
    }
}

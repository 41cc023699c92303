//! Which lane a vehicle takes on the road it turns into.

use std::ops::Range;

use super::{Tracker, draw};
use crate::ids::{ConnectionId, LaneId, Table, span};
use crate::network::Network;

/// On links at least this long a vehicle takes the lane of its next turn; on shorter ones it stays where it entered.
const LANE_CHOICE_M: f32 = 80.0;
/// An approach is chopped into no more pieces that matter.
const PIECES_MOST: usize = 4;
/// A lane that nobody was ever seen to leave is taken as if so many left it a second.
const LEAST_FLOW: f32 = 1e-3;

impl Tracker {
    /// The lane into which a vehicle sorts itself that takes a path: behind a signal any of a long road, else one of those that
    /// its lane leads to there; each as often as it is left.
    pub(super) fn lane_taken(&self, network: &Network, connection: ConnectionId, seed: u32) -> LaneId {
        let path = &network.connections()[connection];
        let link = network.link(network.lane(path.to).link);
        let any = path.control.group().is_some() && link.length.get() as f32 >= LANE_CHOICE_M;
        self.lane_among(network, connection, seed, any)
    }

    /// The lane by which a vehicle enters that takes a path: of those that its lane leads to there, each as often as it is
    /// left.
    pub fn lane_entered(&self, network: &Network, connection: ConnectionId, seed: u32) -> LaneId {
        let to = network.connections()[connection].to;
        if !self.lanes.range().contains(&to) {
            return to;
        }
        self.lane_among(network, connection, seed, false)
    }

    fn lane_among(&self, network: &Network, connection: ConnectionId, seed: u32, any: bool) -> LaneId {
        let path = &network.connections()[connection];
        let link = network.link(network.lane(path.to).link);
        let twins = || {
            let exits = span(&network.lane(path.from).exits).map(|c| &network.connections()[c]);
            exits.filter(|c| c.movement == path.movement).map(|c| c.to)
        };
        if link.lane_count() == 1 || !any && twins().count() == 1 {
            return path.to;
        }
        let may = |lane: &LaneId| any || twins().any(|twin| twin == *lane);
        let flow = |lane| self.lanes[self.last_pieces[lane]].flow + LEAST_FLOW;
        let total: f32 = span(&link.lanes).filter(may).map(flow).sum();
        let mut rest = draw::unit(seed, 0x1a9e) * total;
        for lane in span(&link.lanes).filter(may) {
            rest -= flow(lane);
            if rest < 0.0 {
                return lane;
            }
        }
        path.to
    }
}

/// The lane at whose end each of `lanes` is left: itself, or the last of the pieces that it is chopped into.
pub(super) fn last_pieces(network: &Network, lanes: &Range<LaneId>) -> Table<LaneId, LaneId> {
    let mut last = Table::over(lanes, lanes.start);
    for lane in span(lanes) {
        let mut piece = lane;
        for _ in 0..PIECES_MOST {
            let mut exits = span(&network.lane(piece).exits).map(|c| &network.connections()[c]);
            let (Some(only), None) = (exits.next(), exits.next()) else { break };
            if only.control.group().is_some() || !lanes.contains(&only.to) {
                break;
            }
            piece = only.to;
        }
        last[lane] = piece;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::super::Input;
    use super::*;
    use crate::event::{Reading, Seen};
    use crate::ids::{GroupSet, Id};
    use crate::network::Sensors;
    use crate::network::limits::Limits;
    use crate::time::{Span, Time};
    use serde_json::json;

    /// One lane that widens to three for the last 40 m before a signal, the last metre of which is a link of its own, with a
    /// loop at the line of each.
    fn widening() -> (Network, Sensors) {
        let node = |id: &str, x: f64| json!({"id": id, "x": x, "y": 0.0});
        let link = |id: &str, from: &str, to: &str, length: f64, lanes: usize| json!({"id": id, "from": from, "to": to, "length_m": length, "speed_mps": 12.5, "lanes": vec![json!({}); lanes]});
        let path = |from: &str, at: usize, to: &str, lane: usize| json!({"from": from, "from_lane": at, "to": to, "to_lane": lane, "turn": "straight"});
        let signal = |at: usize| json!({"from": "line", "from_lane": at, "to": "on", "to_lane": at, "turn": "straight", "group": "g"});
        let lanes = 0..3;
        let paths: Vec<_> = lanes
            .clone()
            .map(|at| path("narrow", 0, "wide", at))
            .chain(lanes.clone().map(|at| path("wide", at, "line", at)))
            .chain(lanes.map(signal))
            .collect();
        let spec = json!({
            "format": "greenwave-network/1", "name": "widening",
            "nodes": [node("a", 0.0), node("b", 100.0), node("c", 139.0), {"id": "d", "x": 140.0, "y": 0.0, "junction": "J"}, node("e", 340.0)],
            "links": [link("narrow", "a", "b", 100.0, 1), link("wide", "b", "c", 39.0, 3), link("line", "c", "d", 1.0, 3), link("on", "d", "e", 200.0, 3)],
            "connections": paths,
            "junctions": [{"id": "J", "groups": [{"id": "g"}, {"id": "x"}], "conflicts": [{"a": "g", "b": "x", "kind": "never"}],
                "stages": [{"id": "1", "groups": ["g"]}, {"id": "2", "groups": ["x"]}],
                "programs": [{"id": "p", "offset_s": 0.0, "splits": [{"stage": "1", "s": 30.0}, {"stage": "2", "s": 30.0}]}]}]
        });
        let network = Network::build(serde_json::from_value(spec).expect("a network file"), &Limits::default())
            .expect("it is sound");
        let one = |lane: u8| json!({"id": format!("s{lane}"), "kind": "loop", "link": "line", "lane": lane, "distance_m": 0.0});
        let spec = json!({"format": "greenwave-sensors/1", "sensors": [one(0), one(1), one(2)]});
        let sensors =
            Sensors::build(&serde_json::from_value(spec).expect("a sensors file"), &network).expect("they stand on it");
        (network, sensors)
    }

    #[test]
    fn a_lane_is_taken_as_often_as_it_is_left_however_many_pieces_on() {
        let (network, sensors) = widening();
        let mut tracker = Tracker::new(&network, &sensors, &network.partitions()[0], Time::EPOCH);
        let open = Table::over(&network.partitions()[0].junctions, GroupSet::EMPTY);
        // Of ten that are counted at the line, eight leave by the second lane and two by the third.
        for second in 1..=600 {
            let counts = |lane: i64| u32::from(second % 5 == 0 && lane == if second % 25 == 0 { 2 } else { 1 });
            let readings: Vec<Reading> = sensors
                .table()
                .ids()
                .map(|id| Reading {
                    sensor: id,
                    end: Time::from_s(second),
                    interval: Span::SECOND,
                    seen: Seen::Loop { count: counts(id.index() as i64), occupancy: 0.0, speed: None },
                })
                .collect();
            let readings: Vec<&Reading> = readings.iter().collect();
            tracker.step(
                &network,
                &sensors,
                &Input {
                    now: Time::from_s(second),
                    readings: &readings,
                    open: &open,
                    entered: &[],
                    allowed: Span::SECOND,
                },
            );
        }
        let narrow = network.link_named("narrow").expect("it is drawn");
        let path = network.lane(network.link(narrow).lanes.start).exits.start;
        let wide = network.link(network.link_named("wide").expect("it is drawn")).lanes.start.index();
        let mut taken = [0; 3];
        for seed in 0..1000 {
            taken[tracker.lane_taken(&network, path, draw::mix(seed)).index() - wide] += 1;
        }
        assert!(taken[0] < 30 && (720..880).contains(&taken[1]) && (120..280).contains(&taken[2]), "{taken:?}");
    }
}

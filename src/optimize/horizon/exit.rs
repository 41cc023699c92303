//! How many vehicles the road behind a junction can take: as far as the last one that stands there, over short links and
//! past nodes that hold nobody up, where roads are chopped into pieces.

use crate::ids::{JunctionId, LaneId, LinkId, span};
use crate::network::Network;
use crate::traffic::tracker::{Tracker, Vehicle};

/// A road that is free for so long takes whoever comes, m.
const AMPLE_M: f32 = 300.0;
/// So many lanes are looked at, at most; where roads part, each of them gets its part of what is left.
const LOOKS: usize = 16;
/// A path that fewer take than this share of those who come does not count.
const RARE: f32 = 0.05;

/// What is known of the roads behind a junction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beyond<'a> {
    pub(super) network: &'a Network,
    pub(super) tracker: &'a Tracker,
    pub(super) junction: JunctionId,
}

impl Beyond<'_> {
    /// Vehicles that link `exit` can take now; infinite where nothing is known to be in their way.
    pub(super) fn room(self, exit: LinkId) -> f32 {
        let lanes = span(&self.network.link(exit).lanes).filter(|&lane| self.tracker.lane(lane).is_some());
        lanes.map(|lane| self.ahead(lane, AMPLE_M, LOOKS)).reduce(|sum, room| sum + room).unwrap_or(f32::INFINITY)
    }

    /// Vehicles that a lane and those behind it can take; infinite where `left` metres or `looks` lanes of them are free.
    fn ahead(self, lane: LaneId, left: f32, looks: usize) -> f32 {
        let Some(track) = self.tracker.lane(lane) else { return f32::INFINITY };
        let paths = || span(&self.network.lane(lane).exits);
        let leads_out = paths().next().is_none(); // whoever drives there is gone before long
        let queued = if leads_out { track.vehicles().iter().any(Vehicle::stands) } else { track.is_queued() };
        let (here, left) = (track.room(), left - track.length());
        // A line of this junction's own is passed in the same stage; another's may be red when they come.
        let other = |(junction, _)| junction != self.junction;
        let closed = paths().any(|path| self.network.connections()[path].control.group().is_some_and(other));
        if queued || closed {
            return here;
        }
        if left <= 0.0 || looks <= 1 {
            return f32::INFINITY;
        }
        // Whoever waits for room on one of several paths is in the way of those who take another.
        let beyond = || paths().map(|path| (self.tracker.share(path), path)).filter(|(share, _)| *share >= RARE);
        let each = (looks - 1) / beyond().count().max(1);
        let room = |(share, path)| self.ahead(self.network.connections()[path].to, left, each) / share;
        here + beyond().map(room).fold(f32::INFINITY, f32::min)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::network::Sensors;
    use crate::network::limits::Limits;
    use crate::time::Time;
    use crate::traffic::tracker::SPACING;

    /// Signal J, then a link of 6 m, at whose end half turn off into a road that leads out; the others come after 90 m to
    /// signal K.
    fn pieces() -> Network {
        let node = |id: &str, x: f64| json!({"id": id, "x": x, "y": 0.0});
        let signal = |id: &str, x: f64, junction: &str| json!({"id": id, "x": x, "y": 0.0, "junction": junction});
        let link = |id: &str, from: &str, to: &str, length: f64| json!({"id": id, "from": from, "to": to, "length_m": length, "speed_mps": 12.5, "lanes": [{}]});
        let path =
            |from: &str, to: &str| json!({"from": from, "from_lane": 0, "to": to, "to_lane": 0, "turn": "straight"});
        let line = |from: &str, to: &str| json!({"from": from, "from_lane": 0, "to": to, "to_lane": 0, "turn": "straight", "group": "g"});
        let junction = |id: &str| {
            json!({"id": id, "groups": [{"id": "g"}, {"id": "x"}], "conflicts": [{"a": "g", "b": "x", "kind": "never"}],
                "stages": [{"id": "1", "groups": ["g"]}, {"id": "2", "groups": ["x"]}],
                "programs": [{"id": "p", "offset_s": 0.0, "splits": [{"stage": "1", "s": 30.0}, {"stage": "2", "s": 30.0}]}]})
        };
        let spec = json!({
            "format": "greenwave-network/1", "name": "pieces",
            "nodes": [node("a", 0.0), signal("c", 100.0, "J"), node("d", 106.0), signal("e", 196.0, "K"), node("f", 400.0), node("g", 500.0)],
            "links": [link("in", "a", "c", 100.0), link("short", "c", "d", 6.0), link("next", "d", "e", 90.0),
                link("side", "d", "f", 90.0), link("far", "e", "g", 200.0)],
            "connections": [line("in", "short"), path("short", "next"), path("short", "side"), line("next", "far")],
            "junctions": [junction("J"), junction("K")],
        });
        Network::build(serde_json::from_value(spec).expect("a network file"), &Limits::default()).expect("it is sound")
    }

    #[test]
    fn room_reaches_over_short_links_to_whoever_stands() {
        let network = pieces();
        let partition = &network.partitions()[0];
        let room = |link: &str, at: &str, standing: &[(&str, f32)]| {
            let mut tracker = Tracker::new(&network, &Sensors::default(), partition, Time::EPOCH);
            for &(link, gap) in standing {
                let lane = network.link_named(link).and_then(|link| network.lane_of(link, 0)).unwrap();
                tracker.put(lane, gap);
            }
            let junction = network.junctions().ids().find(|&id| &*network.junction(id).name == at).unwrap();
            let beyond = Beyond { network: &network, tracker: &tracker, junction };
            let room = beyond.room(network.link_named(link).unwrap());
            room.is_finite().then(|| (room * SPACING * 10.0).round() as i32)
        };
        // Decimetres. Half of those on the short link go on to K's line: when that road is full they are in everybody's way.
        assert_eq!(room("short", "J", &[]), Some(60 + 2 * 900));
        assert_eq!(room("short", "J", &[("next", 60.0)]), Some(60 + 2 * 225));
        assert_eq!(room("short", "J", &[("next", 84.0)]), Some(60));
        assert_eq!(room("short", "J", &[("short", 0.0)]), Some(0));
        assert_eq!(room("next", "J", &[]), Some(900), "K may stay red");
        assert_eq!(room("next", "K", &[]), None, "its own line is passed in the same stage");
        assert_eq!(room("far", "K", &[]), None);
        assert_eq!(room("far", "K", &[("far", 180.0)]), Some(125));
    }
}

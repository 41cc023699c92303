//! Where a loop lies: which limits its readings are judged by.

use crate::ids::LinkId;
use crate::network::Network;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// A signal this near, over the road, stops and bunches traffic, mm. Source: HCM, chapter 10: where signals are more than 2 mi
/// apart flow is uninterrupted.
const SIGNAL_MM: u64 = 3_200_000;

/// What a loop's traffic may be held up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// Nothing stops it regularly: the published limits, which were made for motorways.
    Uninterrupted,
    /// Signals: it stands on the loop while they are red, and comes in platoons behind them.
    Interrupted,
}

impl Setting {
    /// Where a loop on `link` lies. Looks along the roads in either direction, nearest first, until it meets a signal: at most
    /// as far as one matters, and in a city not far.
    pub fn of(network: &Network, link: LinkId) -> Self {
        let row = network.link(link);
        let mut near = BinaryHeap::from([Reverse((0, row.to)), Reverse((0, row.from))]); // mm, so that they can be ordered
        let mut seen = BTreeSet::new();
        while let Some(Reverse((far, id))) = near.pop() {
            let node = network.node(id);
            if node.junction.is_some() {
                return Self::Interrupted;
            }
            if !seen.insert(id) {
                continue;
            }
            for &link in node.incoming.iter().chain(&node.outgoing) {
                let row = network.link(link);
                let far = far + (row.length.get() * 1e3) as u64;
                if far < SIGNAL_MM {
                    near.extend([row.from, row.to].map(|end| Reverse((far, end))));
                }
            }
        }
        Self::Uninterrupted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::limits::Limits;
    use serde_json::json;

    /// A road with a signal at its end: three links of 3 km, 50 m and the approach of 40 m.
    fn road() -> Network {
        let node = |id: &str, x: f64| json!({"id": id, "x": x, "y": 0.0});
        let link = |id: &str, from: &str, to: &str, length: f64| json!({"id": id, "from": from, "to": to, "length_m": length, "speed_mps": 25.0, "lanes": [{}]});
        let path =
            |from: &str, to: &str| json!({"from": from, "from_lane": 0, "to": to, "to_lane": 0, "turn": "straight"});
        let mut last = path("approach", "on");
        last["group"] = json!("g");
        let spec = json!({
            "format": "greenwave-network/1", "name": "road",
            "nodes": [node("z", -3000.0), node("a", 0.0), node("b", 3000.0), node("c", 6000.0), node("d", 6050.0),
                      {"id": "e", "x": 6090.0, "y": 0.0, "junction": "J"}, node("f", 6200.0)],
            "links": [link("farther", "z", "a", 3000.0), link("far", "a", "b", 3000.0), link("near", "b", "c", 3000.0), link("split", "c", "d", 50.0),
                      link("approach", "d", "e", 40.0), link("on", "e", "f", 110.0)],
            "connections": [path("farther", "far"), path("far", "near"), path("near", "split"), path("split", "approach"), last],
            "junctions": [{"id": "J", "groups": [{"id": "g"}, {"id": "x"}],
                "conflicts": [{"a": "g", "b": "x", "kind": "never"}],
                "stages": [{"id": "1", "groups": ["g"]}, {"id": "2", "groups": ["x"]}],
                "programs": [{"id": "p", "offset_s": 0.0, "splits": [{"stage": "1", "s": 30.0}, {"stage": "2", "s": 30.0}]}]}]
        });
        Network::build(serde_json::from_value(spec).expect("a network file"), &Limits::default()).expect("it is sound")
    }

    #[test]
    fn a_signal_is_felt_on_roads_that_do_not_end_at_it() {
        let network = road();
        let setting = |name| Setting::of(&network, network.link_named(name).expect("it is drawn"));
        for name in ["approach", "split", "near", "on"] {
            assert_eq!(setting(name), Setting::Interrupted, "{name}");
        }
        assert_eq!(setting("far"), Setting::Interrupted, "its end is 3 090 m from it");
        assert_eq!(setting("farther"), Setting::Uninterrupted);
    }
}

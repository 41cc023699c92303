//! A street that is chopped into short links, for tests.

use serde_json::{Value, json};

use crate::network::Network;
use crate::network::limits::Limits;

/// A road of 100 m and so many lanes, whose traffic gives way at its end; a link of 9 m and two lanes; signal J; from its
/// lane 0 straight on into a link of 9 m and a road of 182 m, from its lane 1 a turn, and straight on too where that is `shared`.
pub(super) fn chopped(lanes: u8, shared: bool) -> Network {
    let node = |id: &str, x: f64, y: f64| json!({"id": id, "x": x, "y": y});
    let link = |id: &str, from: &str, to: &str, length: f64, lanes: u8| {
        let lanes = vec![json!({}); usize::from(lanes)];
        json!({"id": id, "from": from, "to": to, "length_m": length, "speed_mps": 12.5, "lanes": lanes})
    };
    let path = |from: &str, from_lane: u8, to: &str, to_lane: u8, turn: &str, rule: Value| {
        let mut path = json!({"from": from, "from_lane": from_lane, "to": to, "to_lane": to_lane, "turn": turn});
        path.as_object_mut().expect("an object").extend(rule.as_object().expect("an object").clone());
        path
    };
    let (minor, major) = (json!({"gives_way": true}), json!({}));
    let group = |id: &str| json!({"group": id});
    let mut paths = vec![
        path("in", 0, "short", 0, "straight", minor.clone()),
        path("in", lanes - 1, "short", 1, "straight", minor),
        path("short", 0, "on", 0, "straight", group("s")),
        path("short", 1, "turn", 0, "left", group("l")),
        path("on", 0, "far", 0, "straight", major),
    ];
    paths.extend(shared.then(|| path("short", 1, "on", 0, "straight", group("s"))));
    let spec = json!({
        "format": "greenwave-network/1", "name": "chopped",
        "nodes": [node("a", 0.0, 0.0), node("d", 100.0, 0.0), json!({"id": "c", "x": 109.0, "y": 0.0, "junction": "J"}),
            node("e", 118.0, 0.0), node("f", 300.0, 0.0), node("h", 109.0, 200.0)],
        "links": [link("in", "a", "d", 100.0, lanes), link("short", "d", "c", 9.0, 2), link("on", "c", "e", 9.0, 1),
            link("far", "e", "f", 182.0, 1), link("turn", "c", "h", 200.0, 1)],
        "connections": paths,
        "junctions": [{"id": "J", "groups": [{"id": "s"}, {"id": "l"}, {"id": "x"}],
            "conflicts": [{"a": "s", "b": "x", "kind": "never"}, {"a": "l", "b": "x", "kind": "never"}],
            "stages": [{"id": "1", "groups": ["s", "l"]}, {"id": "2", "groups": ["x"]}],
            "programs": [{"id": "p", "offset_s": 0.0, "splits": [{"stage": "1", "s": 30.0}, {"stage": "2", "s": 30.0}]}]}],
    });
    Network::build(serde_json::from_value(spec).expect("a network file"), &Limits::default()).expect("it is sound")
}

//! A plate in every field that can hold a text, and in none of what comes out.

use std::collections::BTreeMap;

use greenwave::shell::clock::Stopwatch;
use greenwave::time::Span;
use greenwave::wire::{self, v1};
use serde_json::{Value, json};

use crate::broker::{Message, START_MS, Worker, bootstrap};

/// Plates as cameras read them.
const PLATES: [&str; 3] = ["ZH-A12345", "浙A·8K321", "M AB 1234"];

const OUTPUTS: [&str; 11] = [
    "signals.plans",
    "plans.refused",
    "index.links",
    "index.zones",
    "sensors.health",
    "sensors.rejected",
    "signals.ladder",
    "corridors",
    "alarms",
    "audit",
    "engine.ticks",
];

/// What is said on each input topic, with a plate wherever there is room for one.
fn said(plate: &str) -> Vec<(&'static str, Value)> {
    let at = START_MS + 5_000;
    let link = "West>Market Place";
    let readings = |reading: Value| ("sensors.readings", json!({"readings": [reading]}));
    let request = |change: Value| {
        let mut request = json!({
            "request_id": format!("call of {plate}"), "at_ms": at, "authority": format!("dispatch {plate}"),
            "vehicle_id": plate, "priority_class": "PRIORITY_CLASS_AMBULANCE",
            "from_link_id": link, "to_link_id": "School Crossing>Station Square",
        });
        request.as_object_mut().expect("one").extend(change.as_object().expect("one").clone());
        request
    };
    let command = |change: Value| {
        let mut command = json!({"command_id": "c-1", "at_ms": at, "operator": plate, "reason": plate});
        command.as_object_mut().expect("one").extend(change.as_object().expect("one").clone());
        ("operator.commands", command)
    };
    vec![
        readings(json!({"sensor_id": plate, "end_ms": at, "interval_ms": 1000, "loop": {"count": 1}})),
        readings(json!({"sensor_id": "loop/West>Market Place/0/0", "end_ms": plate})),
        readings(json!({"sensor_id": "cam/West>Market Place", "end_ms": at, "interval_ms": 1000,
            "camera": {"vehicles": [1], "queues": [0], "turns": [{"to_link_id": plate, "count": 1}]}})),
        readings(json!({"sensor_id": "cam/West>Market Place", "end_ms": at,
            "camera": {"turns": [{"vehicle_class": plate}]}})),
        readings(json!({"sensor_id": "loop/West>Market Place/0/0", "end_ms": at, "plate": plate, plate: plate})),
        (
            "sensors.readings",
            json!({"batches": [{"end_ms": at, "interval_ms": 1000,
            "loops": {"sensor_ids": [plate], "counts": [1], "occupancies": [0.5]},
            "cameras": {"sensor_ids": [plate], "lane_counts": [1], "vehicles": [1], "queues": [0]}}]}),
        ),
        ("sensors.readings", json!({"readings": plate})),
        ("sensors.readings", json!({plate: {plate: [plate]}, "batches": {plate: plate}})),
        ("sensors.readings", json!(plate)),
        (
            "signals.status",
            json!({"status": [{"junction_id": plate, "at_ms": at, "mode": "CONTROLLER_MODE_REMOTE"},
            {"junction_id": "Market Place", "at_ms": at, "mode": plate}]}),
        ),
        (
            "signals.status",
            json!({"status": [{"junction_id": "Market Place", "at_ms": at,
            "mode": "CONTROLLER_MODE_REMOTE", "lamps": [{"group_id": plate, "aspect": "ASPECT_RED"}],
            "faults": [{"lamp_group_id": plate}]}],
            "calls": [{"junction_id": plate, "group_id": plate, "at_ms": at},
                      {"junction_id": "Market Place", "group_id": plate, "at_ms": at}]}),
        ),
        ("vehicles.positions", json!({"vehicle_id": plate, "at_ms": at, "x_m": -50.0, "y_m": 0.0, "speed_mps": 10})),
        ("vehicles.positions", json!({"vehicle_id": plate, "at_ms": at, "x_m": plate})),
        ("vehicles.positions", json!({"vehicle_id": plate, "at_ms": at, "speed_mps": 1000})),
        ("priority.requests", request(json!({}))),
        ("priority.requests", request(json!({"from_link_id": plate}))),
        ("priority.requests", request(json!({"route_link_ids": [link, plate]}))),
        ("priority.requests", request(json!({"priority_class": plate}))),
        ("priority.requests", request(json!({"authority": plate.repeat(20)}))),
        command(json!({"hold_junction_id": "Market Place"})),
        command(json!({"hold_junction_id": plate})),
        command(json!({"command_id": plate, "release_junction_id": plate})),
        command(json!({"pin": {"junction_id": "Market Place", "program_id": plate}})),
        command(json!({"mode": {"zone_id": plate, "mode": "MODE_CONTROL"}})),
        command(json!({"close_lane": {"link_id": plate}})),
        command(json!({"cancel_request_id": plate})),
        command(json!({"command_id": format!("look at {plate}"), "preview_request": request(json!({}))})),
    ]
}

/// What the engine had become at each snapshot, unpacked.
fn states(worker: &Worker) -> BTreeMap<i64, Vec<u8>> {
    let mut snapshots: BTreeMap<i64, Vec<v1::EngineSnapshot>> = BTreeMap::new();
    for part in worker.all("snapshots") {
        let part: v1::EngineSnapshot = wire::json::parse(&part.to_string()).expect("a part");
        snapshots.entry(part.now_ms).or_default().push(part);
    }
    snapshots.into_iter().map(|(at, parts)| (at, wire::snapshot::whole(&parts).expect("whole"))).collect()
}

#[test]
fn no_plate_gets_through_to_any_topic_log_or_metric() {
    let worker = Worker::at("plates", bootstrap(), "snapshot_s = 5\n");
    worker.greenwave(&["topics", "create"]);
    worker.feed(20, "max");
    let mut count = 20;
    for plate in PLATES {
        let said: Vec<(&str, Vec<u8>)> =
            said(plate).into_iter().map(|(topic, value)| (topic, value.to_string().into_bytes())).collect();
        for topic in
            ["sensors.readings", "signals.status", "vehicles.positions", "priority.requests", "operator.commands"]
        {
            let (named, typed) = ([("plate", plate), (plate, plate)], [("content-type", plate)]);
            let mut messages = Vec::new();
            for (_, value) in said.iter().filter(|&&(of, _)| of == topic) {
                // As it is, cut short, under a type that nobody knows, and as no JSON at all.
                messages.push(Message { key: plate, value, headers: &named });
                messages.push(Message { key: plate, value: &value[..value.len() - 2], headers: &[] });
                messages.push(Message { key: plate, value, headers: &typed });
                messages.push(Message { key: plate, value: plate.as_bytes(), headers: &[] });
            }
            worker.tell(topic, &messages);
            count += if topic == "sensors.readings" { messages.len() as i64 } else { 0 };
        }
        // A protobuf that ends in a field which is none of ours.
        let mut unknown = b"\xfa\x3f\x0a".to_vec();
        unknown.extend_from_slice(plate.as_bytes());
        worker.tell("sensors.readings", &[Message { key: plate, value: &unknown, headers: &[] }]);
        count += 1;
    }
    worker.feed_from(20, 10, "max");
    let mut watched = worker.spawn_watched();
    worker.wait_read(count + 10);
    let page = watched.get("/metrics");
    for name in ["greenwave_unreadable_total", "greenwave_readings_total{outcome=\"used\"}", "greenwave_tick_seconds"] {
        assert!(page.contains(name), "{name}: {page}");
    }
    assert!(watched.get("/health").starts_with("HTTP/1.1 200"), "{}", watched.get("/health"));
    assert!(watched.get("/ready").starts_with("HTTP/1.1 200"), "{}", watched.get("/ready"));
    // All of it is part of what the engine has become.
    let (began, mut states) = (Stopwatch::start(), BTreeMap::new());
    while states.keys().next_back().is_none_or(|&at| at < START_MS + 10_000) {
        assert!(began.elapsed() < Span::from_s(30), "no snapshot: {:?}", states.keys());
        states = self::states(&worker);
    }
    assert!(states.values().all(|state| state.len() > 1000), "a state of {:?} bytes", states.values().map(Vec::len));
    watched.stop();

    // What was said has come out, in other words.
    let rejected = worker.all("rejected");
    assert!(rejected.iter().filter(|r| r["rule"] == "unreadable").count() > 200, "{}", rejected.len());
    let corridors = worker.all("corridors");
    assert!(corridors.iter().any(|c| c["vehicle_id"].as_str().is_some_and(|id| id.starts_with('#'))), "{corridors:?}");
    assert!(!worker.all("audit").is_empty());

    let mut places: Vec<(&str, Vec<u8>)> = OUTPUTS.iter().map(|&topic| (topic, worker.bytes(topic))).collect();
    places.extend(states.into_values().map(|state| ("engine.snapshots", state)));
    places.extend([("the log", watched.log().into_bytes()), ("/metrics", page.into_bytes())]);
    for (place, bytes) in &places {
        for plate in PLATES {
            let found = bytes.windows(plate.len()).position(|window| window == plate.as_bytes());
            let around =
                found.map(|at| String::from_utf8_lossy(&bytes[at.saturating_sub(200)..(at + 100).min(bytes.len())]));
            assert!(found.is_none(), "{place}: {around:?}");
        }
    }
    let log = places.iter().find(|(place, _)| *place == "the log").map_or(0, |(_, bytes)| bytes.len());
    assert!(log > 100, "a log of {log} bytes proves nothing");
}

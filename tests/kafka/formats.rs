//! Every way in which a reading may be written is read.

use greenwave::wire::{Message as _, v1};
use serde_json::json;

use crate::broker::{Message, START_MS, Worker};

type Headers<'a> = &'a [(&'a str, &'a str)];

const LOOP: &str = "loop/West>Market Place/0/0";

#[test]
fn protobuf_json_and_what_a_registry_frames_are_read_alike() {
    let worker = Worker::new("formats");
    let end = |second: i64| START_MS + second * 1000;
    let protobuf = |second| {
        let seen = Some(v1::reading::Seen::Loop(v1::LoopReading { count: 1, occupancy: 0.2, speed_mps: None }));
        let reading = v1::Reading { sensor_id: LOOP.into(), end_ms: end(second), interval_ms: 1000, seen };
        v1::Readings { readings: vec![reading], batches: vec![] }.encode_to_vec()
    };
    let single = |second| {
        let seen = json!({"count": 1, "occupancy": 0.2});
        json!({"readings": [{"sensor_id": LOOP, "end_ms": end(second), "interval_ms": 1000, "loop": seen}]}).to_string()
    };
    let batch = |second| {
        let columns = json!({"sensorIds": [LOOP], "counts": [1], "occupancies": [0.2]});
        json!({"batches": [{"endMs": end(second).to_string(), "intervalMs": 1000, "loops": columns}]}).to_string()
    };
    let framed = |indexes: &[u8], value: Vec<u8>| [&[0, 0, 0, 0, 7][..], indexes, &value].concat();
    let (proto, text) =
        ([("content-type", "application/x-protobuf")], [("Content-Type", "application/json; charset=utf-8")]);
    let cloud = [("ce_type", "reading"), ("ce_specversion", "1.0"), ("content-type", "application/protobuf")];
    let values: [(Vec<u8>, Headers<'_>); 10] = [
        (protobuf(1), &[]),
        (protobuf(2), &proto),
        (protobuf(3), &cloud),
        (framed(&[0], protobuf(4)), &proto),
        (framed(&[2, 0], protobuf(5)), &[]),
        (single(6).into_bytes(), &[]),
        (format!(" {}", single(7)).into_bytes(), &text),
        (framed(&[], single(8).into_bytes()), &[]),
        (batch(9).into_bytes(), &text),
        // What reads as readings as it stands is taken as such.
        (protobuf(10), &[("content-type", "text/plain")]),
    ];
    let messages: Vec<Message<'_>> =
        values.iter().map(|(value, headers)| Message { key: LOOP, value, headers }).collect();
    worker.tell("sensors.readings", &messages);
    let mut running = worker.spawn_watched();
    worker.wait_read(10);
    let page = running.get("/metrics");
    running.stop();
    assert!(page.contains("greenwave_readings_total{outcome=\"used\"} 10\n"), "{page}");
    assert!(worker.all("rejected").is_empty(), "{:?}", worker.all("rejected"));
}

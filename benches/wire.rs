//! Bytes to events and plans to bytes, over two minutes of messages that all differ.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use greenwave::engine::Settings;
use greenwave::event::Mode;
use greenwave::network::SensorKind;
use greenwave::network::limits::Limits;
use greenwave::network::sensor::{FORMAT, SensorSpec, SensorsSpec};
use greenwave::output::Output;
use greenwave::shell::config::Config;
use greenwave::shell::world::World;
use greenwave::time::Time;
use greenwave::wire::{self, v1};
use prost::Message;

const TICKS: i64 = 120;
const T: i64 = 1_700_000_000_000;

/// The demo's city with a loop on every lane.
fn world() -> World {
    let spec = greenwave::twin::city::demo();
    let lanes = spec.links.iter().flat_map(|link| (0..link.lanes.len()).map(move |lane| (link, lane)));
    let sensor = |(link, lane): (&greenwave::network::spec::LinkSpec, usize)| SensorSpec {
        id: format!("{}/{lane}", link.id),
        kind: SensorKind::Loop,
        link: link.id.clone(),
        lane: u8::try_from(lane).ok(),
        distance_m: 1.0,
        range_m: 0.0,
        interval_s: 1.0,
    };
    let sensors = SensorsSpec { format: FORMAT.into(), sensors: lanes.map(sensor).collect() };
    let settings = Settings { mode: Mode::Control, lead_ms: 0, ..Settings::default() };
    World::of(spec, Limits::default(), &sensors, Config { settings, ..Config::default() })
        .expect("the demo's city is sound")
}

/// One second's messages: `size` loops each, all of them different.
fn second(world: &World, tick: i64, size: usize) -> v1::Readings {
    let names: Vec<String> =
        world.names.sensors().table().values().cycle().take(size).map(|s| s.name.to_string()).collect();
    let (end_ms, interval_ms) = (T + tick * 1000, 1000);
    let count = |row: usize| u32::from((row as i64 * 7 + tick) % 5 == 0);
    let share = |row: usize| ((row as i64 * 31 + tick * 17) % 1000) as f32 / 1000.0;
    if size == 1 {
        let row = usize::try_from(tick).unwrap_or(0) % world.names.sensors().table().len();
        let sensor_id =
            world.names.sensors().table().values().nth(row).map_or_else(String::new, |s| s.name.to_string());
        let seen = v1::LoopReading { count: count(row), occupancy: share(row), speed_mps: Some(9.5) };
        let seen = Some(v1::reading::Seen::Loop(seen));
        return v1::Readings { readings: vec![v1::Reading { sensor_id, end_ms, interval_ms, seen }], batches: vec![] };
    }
    let loops = v1::LoopColumns {
        sensor_ids: names,
        counts: (0..size).map(count).collect(),
        occupancies: (0..size).map(share).collect(),
        speeds_mps: vec![],
    };
    let batch = v1::ReadingBatch { end_ms, interval_ms, loops: Some(loops), cameras: None };
    v1::Readings { readings: vec![], batches: vec![batch] }
}

fn decode(c: &mut Criterion) {
    let world = world();
    let mut group = c.benchmark_group("wire/decode/readings");
    for (name, size) in [("single", 1), ("batch500", 500)] {
        let ring: Vec<Vec<u8>> = (0..TICKS).map(|tick| second(&world, tick, size).encode_to_vec()).collect();
        group.throughput(Throughput::Elements(size as u64));
        let mut messages = ring.iter().cycle();
        let mut events = Vec::new();
        let unreadable = |wrong: wire::Wrong, source: &str| wrong.unreadable(source, Time::EPOCH);
        let mut heard = wire::Heard::default();
        group.bench_function(BenchmarkId::new("stream", name), |b| {
            b.iter(|| {
                let bytes = messages.next().expect("a ring");
                events.clear();
                wire::readings_of(&world.names, black_box(bytes), &mut heard, &unreadable, &mut events)
                    .expect("just written");
                events.len()
            });
        });
        group.bench_function(BenchmarkId::new("whole", name), |b| {
            b.iter(|| {
                let bytes = messages.next().expect("a ring");
                let message = wire::read(black_box(bytes)).expect("just written");
                events.clear();
                wire::readings(&world.names, message, &unreadable, &mut events);
                events.len()
            });
        });
    }
    group.finish();
}

fn encode(c: &mut Criterion) {
    let world = world();
    let mut city = world.city(Time::from_ms(T));
    let mut plans: Vec<Output> = Vec::new();
    for tick in 0..TICKS {
        let now = Time::from_ms(T + tick * 1000);
        let mut events = Vec::new();
        wire::readings(
            &world.names,
            second(&world, tick, world.names.sensors().table().len()),
            &|wrong, source| wrong.unreadable(source, now),
            &mut events,
        );
        plans.extend(city.step(now, &events).into_iter().filter(|output| matches!(output, Output::Plan(_))));
    }
    let mut ring = plans.iter().cycle();
    let mut group = c.benchmark_group("wire/encode");
    group.throughput(Throughput::Elements(1));
    group.bench_function("plan", |b| {
        b.iter(|| wire::output(&world.names, black_box(ring.next().expect("plans"))).encode_to_vec());
    });
    group.finish();
}

criterion_group!(benches, decode, encode);
criterion_main!(benches);

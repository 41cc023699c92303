//! How long the engine takes for one second of a city in a busy hour: it hears every reading and status of a twin that
//! it controls, and steps through two minutes of them again and again, on one thread and on two. What the longest of those
//! ticks took goes to standard error.
//!
//! `GREENWAVE_BENCH_JUNCTIONS="1000 10000 100000"` chooses the sizes; 100 000 take tens of gigabytes and minutes.

#[path = "city/demand.rs"]
mod demand;

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use criterion::measurement::{Measurement, WallTime};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use greenwave::engine::Settings;
use greenwave::engine::city::City;
use greenwave::event::{Event, Mode};
use greenwave::network::layout::{Layout, layout};
use greenwave::network::limits::Limits;
use greenwave::network::{Network, Sensors};
use greenwave::output::Output;
use greenwave::shell::threads::Threads;
use greenwave::time::Time;
use greenwave::twin::{Options, SensorFaults, Twin, city};

/// Seconds in which the roads fill under the controllers' own programs, and further ones in which the engine warms up.
const FILL_S: usize = 600;
const WARM_S: usize = 120;
/// Vehicles that set out in an hour for each junction: as many as in the demo's morning peak.
const PER_JUNCTION_HOUR: f64 = 140.0;
/// Seconds in the ring.
const TICKS: usize = 120;

/// What happened in two minutes, and the engine as it was before them.
struct Ring {
    before: City,
    ticks: Vec<(Time, Vec<Event>)>,
}

/// One second of the loop: the events that the engine heard, and how many plans it made of them.
fn second(twin: &mut Twin, engine: &mut City) -> (Time, Vec<Event>, usize) {
    twin.step();
    let mut events = Vec::new();
    twin.events(&mut events);
    let mut plans = 0;
    for output in engine.step(twin.now(), &events) {
        if let Output::Plan(published) = output {
            plans += 1;
            twin.accept(&published.plan).expect("an obedient controller takes every plan");
        }
    }
    (twin.now(), events, plans)
}

fn ring(network: &Arc<Network>, start: Time) -> Ring {
    let sensors = Arc::new(Sensors::build(&layout(network, Layout::Full), network).expect("they stand on the road"));
    let per_s = network.junctions().len() as f64 * PER_JUNCTION_HOUR / 3600.0;
    let demand = demand::demand(network, per_s, FILL_S + WARM_S + TICKS);
    let options = Options { start, sensors: SensorFaults::ORDINARY, ..Options::default() };
    let mut twin = Twin::new(Arc::clone(network), &sensors, &demand, options);
    for _ in 0..FILL_S {
        twin.step();
        twin.events(&mut Vec::new());
    }
    let settings = Settings { mode: Mode::Control, ..Settings::default() };
    let mut engine = City::new(Arc::clone(network), sensors, settings, twin.now());
    for _ in 0..WARM_S {
        second(&mut twin, &mut engine);
    }
    let room = resident_mb("VmRSS");
    let before = engine.clone();
    eprintln!("the engine's state is {} MB", resident_mb("VmRSS").saturating_sub(room));
    let (mut ticks, mut plans) = (Vec::with_capacity(TICKS), 0);
    for _ in 0..TICKS {
        let (now, events, published) = second(&mut twin, &mut engine);
        ticks.push((now, events));
        plans += published;
    }
    let events: usize = ticks.iter().map(|(_, events)| events.len()).sum();
    eprintln!(
        "{} junctions, {} vehicles: {} events and {} plans a second; process at most {} MB, the ring included",
        network.junctions().len(),
        twin.vehicle_count(),
        events / TICKS,
        plans / TICKS,
        resident_mb("VmHWM"),
    );
    Ring { before, ticks }
}

/// Memory of this process, MB; 0 where the system does not tell.
fn resident_mb(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn step(c: &mut Criterion) {
    let sizes = std::env::var("GREENWAVE_BENCH_JUNCTIONS").unwrap_or_else(|_| "1000 10000".into());
    let mut group = c.benchmark_group("engine/step");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(20));
    for junctions in sizes.split_whitespace().map(|size| size.parse::<usize>().expect("a number of junctions")) {
        let network = Network::build(city::city(junctions, 1), &Limits::default()).expect("the city is sound");
        let ring = ring(&Arc::new(network), Time::from_s(1_772_434_800));
        group.throughput(Throughput::Elements(junctions as u64));
        for (label, threads) in [("city", 1), ("city-2-threads", 2)] {
            let threads = Threads::new(threads);
            let (mut engine, mut at) = (ring.before.clone(), 0);
            let mut longest = Duration::ZERO;
            group.bench_function(format!("{label}/{junctions}"), |b| {
                b.iter_custom(|count| {
                    let mut spent = Duration::ZERO;
                    for _ in 0..count {
                        if at == ring.ticks.len() {
                            (engine, at) = (ring.before.clone(), 0);
                        }
                        let (now, events) = &ring.ticks[at];
                        let begun = WallTime.start();
                        let outputs = threads.step(&mut engine, *now, events);
                        let tick = WallTime.end(begun);
                        drop(outputs);
                        (spent, longest, at) = (spent + tick, longest.max(tick), at + 1);
                    }
                    spent
                });
            });
            eprintln!("{label}/{junctions}: the longest tick took {:.1} ms", 1e3 * longest.as_secs_f64());
        }
    }
    group.finish();
}

criterion_group!(benches, step);
criterion_main!(benches);

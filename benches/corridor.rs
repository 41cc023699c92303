//! How long a green wave takes to plan in a city of 14 000 junctions: from a request to its published corridor (the
//! median, and the slowest of a hundred), a preview with its other ways, the slowest of the ticks after it, in which they are
//! looked for, what a position of its vehicle costs from then on, and one beside its way, which is planned anew from there.
//!
//! Lanes are as full as in a busy hour, by a rule instead of a tracker: what is timed is the corridors' own work.

use std::sync::Arc;
use std::time::Duration;

use criterion::measurement::{Measurement, WallTime};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use greenwave::corridor::clear::Sight;
use greenwave::corridor::{Corridors, Rules};
use greenwave::event::{Position, PriorityClass, PriorityRequest};
use greenwave::ids::{Id, LaneId, LinkId};
use greenwave::network::Network;
use greenwave::network::limits::Limits;
use greenwave::time::{Span, Time};
use greenwave::twin::city::city;

const JUNCTIONS: usize = 14_000;
/// So many requests between links anywhere are made in turn.
const REQUESTS: usize = 500;
const NOW: Time = Time::from_s(28_800);

/// Every seventh lane has a queue of a dozen, the others a few vehicles on their way.
fn look(lane: LaneId, within_m: f64) -> Option<Sight> {
    let vehicles = if lane.index().is_multiple_of(7) { 12.0 } else { (lane.index() % 4) as f64 };
    Some(Sight {
        vehicles: f64::min(vehicles, within_m / 8.0),
        room: 10.0,
        headway_s: 1.9,
        startup_s: 2.0,
        flow: 0.1,
        closed: false,
        stuck: false,
    })
}

fn requests(network: &Network) -> Vec<PriorityRequest> {
    let count = network.links().len();
    let request = |row: usize| PriorityRequest {
        id: format!("{row}").into(),
        at: NOW,
        authority: "bench".into(),
        vehicle: format!("{row}").into(),
        class: PriorityClass::Ambulance,
        from: LinkId::of(row * 7919 % count),
        to: LinkId::of((row * 104_729 + count / 2) % count),
        route: Box::default(),
        deadline: None,
    };
    (0..REQUESTS).map(request).collect()
}

fn plan(c: &mut Criterion) {
    let network = Arc::new(Network::build(city(JUNCTIONS, 1), &Limits::default()).expect("our cities are sound"));
    let rules = Rules { automatic: Some(PriorityClass::Ambulance), per_minute: 1000, silence: Span::from_s(30) };
    let mut corridors = Corridors::new(Arc::clone(&network), rules);
    let requests = requests(&network);

    // A request, and out of the way with it again.
    let mut now = NOW;
    let mut ask = |corridors: &mut Corridors, request: &PriorityRequest| {
        let began = WallTime.start();
        corridors.request(request, now, &look);
        let took = WallTime.end(began);
        // One that no way leads for is refused: there is nothing to cancel.
        let _ = corridors.cancel(&request.id, now);
        now += Span::from_s(10);
        std::hint::black_box(corridors.step(now, &[], &look));
        took
    };
    let mut next = requests.iter().cycle();
    c.bench_function(&format!("corridor/plan/city/{JUNCTIONS}"), |b| {
        b.iter_custom(|times| {
            let asked = next.by_ref().take(usize::try_from(times).unwrap_or(usize::MAX));
            asked.map(|request| ask(&mut corridors, request)).sum()
        });
    });
    slowest(c, "corridor/plan_p99/city", &requests, |request| ask(&mut corridors, request));

    // A request, and the slowest of the seconds after it.
    let mut now = NOW + Span::from_s(1_000_000);
    let mut follow = |corridors: &mut Corridors, request: &PriorityRequest| {
        corridors.request(request, now, &look);
        let point = network.link(request.from).shape[0];
        let mut slowest = Duration::ZERO;
        for _ in 0..5 {
            now += Span::SECOND;
            let vehicle = request.vehicle.clone();
            let position = Position { vehicle, at: now, point, speed: 1.0, heading: None };
            let began = WallTime.start();
            corridors.position(&position);
            std::hint::black_box(corridors.step(now, &[], &look));
            slowest = slowest.max(WallTime.end(began));
        }
        let _ = corridors.cancel(&request.id, now);
        now += Span::from_s(10);
        corridors.step(now, &[], &look);
        slowest
    };
    slowest(c, "corridor/ticks_p99/city", &requests, |request| follow(&mut corridors, request));
    let mut next = requests.iter().cycle();
    c.bench_function(&format!("corridor/preview/city/{JUNCTIONS}"), |b| {
        b.iter(|| next.next().map(|request| corridors.preview(request, NOW, &look)));
    });

    // The way with the most signals, its vehicle at the start: nothing is behind it yet.
    let long = requests.iter().max_by_key(|request| corridors.preview(request, NOW, &look).gates.len());
    let request = long.expect("requests");
    corridors.request(request, NOW, &look);
    let way = corridors.preview(request, NOW, &look).route;
    let (now, point) = (NOW + Span::SECOND, network.link(way[0]).shape[0]);
    let position = Position { vehicle: request.vehicle.clone(), at: now, point, speed: 1.0, heading: None };
    c.bench_function(&format!("corridor/position/city/{JUNCTIONS}"), |b| {
        b.iter(|| {
            corridors.position(&position);
            corridors.step(now, &[], &look)
        });
    });

    // The fourth position in a row that lies beside the way, on the road from where the other way there is longest.
    let from = |other: &PriorityRequest| PriorityRequest { from: other.from, ..request.clone() };
    let beside = requests.iter().filter(|other| !way.contains(&other.from));
    let beside = beside.max_by_key(|other| corridors.preview(&from(other), NOW, &look).gates.len());
    let aside = network.link(beside.expect("requests").from).shape[0];
    c.bench_function(&format!("corridor/stray/city/{JUNCTIONS}"), |b| {
        b.iter_batched_ref(
            || corridors.clone(),
            |corridors| {
                for _ in 0..4 {
                    corridors.position(&Position { point: aside, ..position.clone() });
                }
                corridors.step(now, &[], &look)
            },
            BatchSize::LargeInput,
        );
    });
}

/// How long something takes for the slowest of a hundred requests.
fn slowest(
    c: &mut Criterion,
    name: &str,
    requests: &[PriorityRequest],
    mut took: impl FnMut(&PriorityRequest) -> Duration,
) {
    let mut group = c.benchmark_group(name);
    group.sample_size(10);
    group.bench_function(BenchmarkId::from_parameter(JUNCTIONS), |b| {
        b.iter_custom(|times| {
            let mut all: Vec<Duration> = requests.iter().map(&mut took).collect();
            all.sort_unstable();
            all[all.len() * 99 / 100] * u32::try_from(times).unwrap_or(u32::MAX)
        });
    });
    group.finish();
}

criterion_group!(benches, plan);
criterion_main!(benches);

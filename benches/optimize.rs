//! One decision of the rolling schedule, over a ring of different situations of one crossroads.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use greenwave::ids::{Id, JunctionId, StageId};
use greenwave::network::Network;
use greenwave::network::limits::Limits;
use greenwave::optimize::horizon::{Layout, Situation, Workspace, by_rate, schedule};
use greenwave::time::{Span, Time};
use greenwave::traffic::tracker::draw::unit;

#[path = "../src/optimize/horizon/fixture.rs"]
mod fixture;

/// Situations in the ring.
const RING: u32 = 128;

/// Four arms, eight stages, twelve lanes, 40 vehicles: a queue of a few on each lane, then arrivals by chance.
fn situation(layout: &Layout, seed: u32, grid: Span) -> Situation {
    let stage = StageId::of((unit(seed, 1) * 8.0) as usize);
    let mut it = Situation::empty(layout, Time::from_s(i64::from(seed)), grid, stage);
    for lane in 0..12 {
        let mut at = 0.0;
        let row: Vec<_> = (0..3 + u32::from(lane % 3 == 1))
            .map(|car| {
                at += 1.0 + 12.0 * unit(seed, 100 + 20 * lane + car).powi(2);
                (at, 0)
            })
            .collect();
        it.row(lane as usize, 1.0, 1.9, 1.0, &row);
    }
    it
}

fn horizon(c: &mut Criterion) {
    let spec = serde_json::from_str(&fixture::crossroads()).expect("a sound network file");
    let network = Network::build(spec, &Limits::default()).expect("a sound network");
    let layout = Layout::new(&network, JunctionId::of(0));
    let mut work = Workspace::default();
    let mut group = c.benchmark_group("optimize/horizon/junction");
    group.throughput(Throughput::Elements(1));
    for grid in [1, 5, 30] {
        let ring: Vec<_> = (0..RING).map(|seed| situation(&layout, seed, Span::from_s(grid))).collect();
        let mut turn = ring.iter().cycle();
        group.bench_function(BenchmarkId::new("beam", format!("40veh/{grid}s")), |b| {
            b.iter(|| turn.next().map(|situation| schedule(&layout, situation, &mut work)));
        });
    }
    let ring: Vec<_> = (0..RING).map(|seed| situation(&layout, seed, Span::SECOND)).collect();
    let mut turn = ring.iter().cycle();
    group.bench_function(BenchmarkId::new("rate", "40veh/1s"), |b| {
        b.iter(|| turn.next().map(|situation| by_rate(&layout, situation, &mut work)));
    });
    group.finish();
}

criterion_group!(benches, horizon);
criterion_main!(benches);

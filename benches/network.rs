//! How long other people's networks take to read, and ours to build.

#[path = "network/grid.rs"]
mod grid;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use greenwave::network::Network;
use greenwave::network::import::{cityflow, sumo};
use greenwave::network::limits::Limits;

fn network(c: &mut Criterion) {
    let no_files = || std::iter::empty::<&[u8]>();
    for side in [10_i64, 100] {
        let size = (side * side) as u64;
        let (theirs, other) = (grid::sumo(side), grid::cityflow(side));
        let spec = sumo::import("grid", theirs.as_bytes(), no_files()).expect("the grid is sound").spec;
        assert_eq!(spec.junctions.len() as u64, size);
        let mut group = c.benchmark_group("network");
        group.throughput(Throughput::Elements(size)).sample_size(10);
        group.bench_function(BenchmarkId::new("import/sumo", size), |b| {
            b.iter(|| sumo::import("grid", black_box(theirs.as_bytes()), no_files()));
        });
        group.bench_function(BenchmarkId::new("import/cityflow", size), |b| {
            b.iter(|| cityflow::import("grid", black_box(other.as_bytes())));
        });
        group.bench_function(BenchmarkId::new("build/sumo", size), |b| {
            b.iter_batched(
                || spec.clone(),
                |spec| Network::build(spec, &Limits::default()),
                criterion::BatchSize::PerIteration,
            );
        });
        group.finish();
    }
}

criterion_group!(benches, network);
criterion_main!(benches);

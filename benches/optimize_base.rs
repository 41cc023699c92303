//! Base plans for synthetic cities of different sizes.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use greenwave::ids::{Id, MovementId, Table};
use greenwave::network::Network;
use greenwave::network::limits::Limits;
use greenwave::optimize::base::{Options, SATURATION, base_plan};
use greenwave::twin::city::city;
use greenwave::units::VehPerHour;

fn base(c: &mut Criterion) {
    let mut group = c.benchmark_group("optimize/base/city");
    group.sample_size(10);
    for junctions in [75, 1000, 10_000] {
        let network = Network::build(city(junctions, 1), &Limits::default()).expect("our cities are sound");
        // Every movement differs from its neighbours: 40 to 320 veh/h.
        let flow = |id: MovementId| VehPerHour::constant(40.0 + (id.index() * 37 % 29) as f64 * 10.0);
        let demand: Table<MovementId, VehPerHour> = network.movements().ids().map(flow).collect();
        let saturation = Table::filled(SATURATION, network.lanes().len());
        group.throughput(Throughput::Elements(network.junctions().len() as u64));
        group.bench_function(BenchmarkId::from_parameter(junctions), |b| {
            b.iter(|| base_plan(&network, &demand, &saturation, &Options::default(), None));
        });
    }
    group.finish();
}

criterion_group!(benches, base);
criterion_main!(benches);

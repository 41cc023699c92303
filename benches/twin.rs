//! How fast the twin is: consecutive seconds of a city in its morning peak, sensors included.

#[path = "city/demand.rs"]
mod demand;

use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use greenwave::network::limits::Limits;
use greenwave::network::sensor::{SensorKind, SensorSpec, SensorsSpec};
use greenwave::network::{Network, Sensors};
use greenwave::twin::{Options, Twin, city};

/// Seconds before the city is full, and seconds measured one after the other.
const WARM_S: usize = 900;
const TICKS: usize = 120;

/// A camera on every approach of a signal, and a loop on each of its lanes.
fn sensors(network: &Network) -> Sensors {
    let mut all = Vec::new();
    for (id, link) in network.links().iter().filter(|(id, _)| network.junction_at_end(*id).is_some()) {
        let sensor = |id: String, kind, lane, distance_m| SensorSpec {
            id,
            kind,
            link: link.name.to_string(),
            lane,
            distance_m,
            range_m: 150.0,
            interval_s: 1.0,
        };
        all.push(sensor(format!("camera {id}"), SensorKind::Camera, None, 0.0));
        for lane in 0..link.lane_count() as u8 {
            let distance = 40.0_f64.min(link.length.get() / 2.0);
            all.push(sensor(format!("loop {id} {lane}"), SensorKind::Loop, Some(lane), distance));
        }
    }
    let spec = SensorsSpec { format: greenwave::network::sensor::FORMAT.into(), sensors: all };
    Sensors::build(&spec, network).expect("every sensor stands on the road")
}

fn step(c: &mut Criterion) {
    let mut group = c.benchmark_group("twin/step");
    group.sample_size(10);
    for junctions in [1000] {
        let network =
            Arc::new(Network::build(city::city(junctions, 1), &Limits::default()).expect("the city is sound"));
        let demand = demand::demand(&network, junctions as f64 / 5.0, WARM_S + 4 * TICKS);
        for (label, sensors) in [("city", sensors(&network)), ("city-blind", Sensors::default())] {
            let warm = || {
                let mut twin = Twin::new(network.clone(), &sensors, &demand, Options::default());
                let mut events = Vec::new();
                for _ in 0..WARM_S {
                    twin.step();
                    twin.events(&mut events);
                    events.clear();
                }
                twin
            };
            let spent = |twin: &Twin| {
                let city = twin.truth().city();
                city.vehicle_s + city.outside_s
            };
            let run = |mut twin: Twin| {
                let mut events = Vec::new();
                for _ in 0..TICKS {
                    twin.step();
                    events.clear();
                    twin.events(&mut events);
                }
                twin
            };
            let before = warm();
            let begun = spent(&before);
            let inside = before.vehicle_count();
            let vehicle_s = spent(&run(before)) - begun;
            eprintln!(
                "{} junctions, {inside} vehicles: {vehicle_s:.0} vehicle-seconds in {TICKS} ticks",
                network.junctions().len()
            );
            group.throughput(Throughput::Elements(vehicle_s as u64));
            group
                .bench_function(format!("{label}/{junctions}"), |b| b.iter_batched(warm, run, BatchSize::PerIteration));
        }
    }
    group.finish();
}

criterion_group!(benches, step);
criterion_main!(benches);

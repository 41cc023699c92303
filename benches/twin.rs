//! How fast the twin is: consecutive seconds of a city in its morning peak, sensors included.

use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use greenwave::network::limits::Limits;
use greenwave::network::route::Router;
use greenwave::network::sensor::{SensorKind, SensorSpec, SensorsSpec};
use greenwave::network::{Network, Sensors, VehicleClass};
use greenwave::time::Span;
use greenwave::twin::demand::{Demand, Trip};
use greenwave::twin::{Options, Twin, city};

/// Seconds before the city is full, and seconds measured one after the other.
const WARM_S: usize = 900;
const TICKS: usize = 120;

/// Trips between links a kilometre or two apart, `per_s` a second, everywhere.
fn demand(network: &Network, per_s: f64) -> Demand {
    let router = Router::new(network);
    let links: Vec<_> = network.links().ids().collect();
    let mut state = 88_172_645_463_325_252u64;
    let mut draw = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n as u64) as usize
    };
    let mut routes = Vec::new();
    while routes.len() < 2000.max(links.len() / 4) {
        let from = links[draw(links.len())];
        let start = network.node(network.link(from).to).position;
        let near = |&&l: &&_| {
            let there: &greenwave::network::Link = network.link(l);
            (800.0..2500.0).contains(&network.node(there.to).position.distance(start).get())
        };
        let offset = draw(links.len());
        let Some(&to) = links[offset..].iter().chain(&links[..offset]).find(near) else { continue };
        if let Some((way, _)) = router.route(from, to, |l| network.link(l).free_flow()) {
            routes.push(Arc::from(way));
        }
    }
    let count = (per_s * (WARM_S + 4 * TICKS) as f64) as usize;
    let trips = (0..count).map(|n| Trip {
        depart: Span::nearest(n as f64 / per_s),
        class: VehicleClass::Car,
        route: Arc::clone(&routes[draw(routes.len())]),
    });
    Demand { trips: trips.collect(), ..Demand::default() }
}

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
        let demand = demand(&network, junctions as f64 / 5.0);
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

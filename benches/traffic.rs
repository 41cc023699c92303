//! What the estimator costs: one reading at the door, one tick of a city.

use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use greenwave::event::{LaneView, Reading, Seen, TurnCount};
use greenwave::ids::{GroupSet, JunctionId, SensorId, Table, span};
use greenwave::network::layout::{self, Layout};
use greenwave::network::limits::Limits;
use greenwave::network::{Network, SensorKind, Sensors, VehicleClass};
use greenwave::time::{Span, Time};
use greenwave::traffic::{Settings, Traffic};
use greenwave::twin::city;

/// Ticks that follow each other before a pattern repeats: two cycles.
const RING: i64 = 120;

/// A busy hour of a city, made by rule: every lane discharges every other second of its green.
struct Busy {
    network: Arc<Network>,
    sensors: Sensors,
    traffic: Traffic,
    green: Vec<Table<JunctionId, GroupSet>>,
    second: i64,
}

impl Busy {
    fn new(junctions: usize) -> Self {
        let spec = city::city(junctions, 1);
        let network = Arc::new(Network::build(spec, &Limits::default()).expect("the city is sound"));
        let sensors = Sensors::build(&layout::layout(&network, Layout::Full), &network).expect("a layout fits");
        let traffic = Traffic::new(Arc::clone(&network), &sensors, Settings::default());
        let open = |second: i64| {
            let stage = |j: &greenwave::network::Junction| {
                let (position, _) = j.base_program().running(Time::from_s(second));
                j.stages[j.base_program().splits[position].0].groups
            };
            network.junctions().values().map(stage).collect()
        };
        let green = (0..RING).map(open).collect();
        let mut busy = Self { network, sensors, traffic, green, second: 0 };
        for _ in 0..RING {
            let readings = busy.readings(None);
            busy.offer(&readings);
            busy.advance();
        }
        busy
    }

    /// The readings of the next second, of all sensors or those of one kind.
    fn readings(&mut self, only: Option<SensorKind>) -> Vec<Reading> {
        self.second += 1;
        let end = Time::from_s(self.second);
        let phase = |id: usize| (self.second + id as i64 * 7) % RING;
        let reading = |(id, sensor): (SensorId, &greenwave::network::Sensor)| {
            use greenwave::ids::Id;
            let busy = phase(id.index());
            let seen = match sensor.kind {
                SensorKind::Loop => {
                    let count = u32::from(busy % 60 < 30 && busy % 2 == 0);
                    Seen::Loop { count, occupancy: if busy % 60 < 30 { 0.3 } else { 0.9 }, speed: None }
                }
                SensorKind::Camera => {
                    let queue = (busy % 60 / 6) as u16;
                    let view = |lane| LaneView { lane, vehicles: queue + 3, queue };
                    let lanes = span(&self.network.link(sensor.link).lanes).map(view).collect();
                    let exit = self.network.movements_from(sensor.link).first().filter(|_| busy % 3 == 0);
                    let turn =
                        |&m| TurnCount { to: self.network.movements()[m].to, class: VehicleClass::Car, count: 1 };
                    Seen::Camera { lanes, turns: exit.map(turn).into_iter().collect() }
                }
            };
            Reading { sensor: id, end, interval: Span::SECOND, seen }
        };
        let wanted = |(_, s): &(_, &greenwave::network::Sensor)| only.is_none_or(|kind| s.kind == kind);
        self.sensors.table().iter().filter(wanted).map(reading).collect()
    }

    fn offer(&mut self, readings: &[Reading]) {
        for reading in readings {
            std::hint::black_box(self.traffic.observe(reading, reading.end)).expect("an ordinary reading");
        }
    }

    fn advance(&mut self) {
        let green = &self.green[(self.second % RING) as usize];
        self.traffic.advance(Time::from_s(self.second), green);
    }
}

/// Time of `work` alone.
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn timed(work: impl FnOnce()) -> Duration {
    let began = std::time::Instant::now();
    work();
    began.elapsed()
}

fn observe(c: &mut Criterion) {
    let mut group = c.benchmark_group("traffic/observe");
    group.throughput(Throughput::Elements(1));
    for (name, kind) in [("loop", SensorKind::Loop), ("camera", SensorKind::Camera)] {
        let mut busy = Busy::new(1000);
        group.bench_function(name, |b| {
            b.iter_custom(|wanted| {
                let (mut done, mut took) = (0, Duration::ZERO);
                while done < wanted {
                    let mut readings = busy.readings(Some(kind));
                    readings.truncate((wanted - done).min(readings.len() as u64) as usize);
                    done += readings.len() as u64;
                    took += timed(|| busy.offer(&readings));
                    busy.advance();
                }
                took
            });
        });
    }
    group.finish();
}

fn advance(c: &mut Criterion) {
    let mut group = c.benchmark_group("traffic/advance/city");
    let mut busy = Busy::new(1000);
    group.throughput(Throughput::Elements(busy.network.lanes().len() as u64));
    group.sample_size(20);
    group.bench_function("1000", |b| {
        b.iter_custom(|ticks| {
            (0..ticks)
                .map(|_| {
                    let readings = busy.readings(None);
                    busy.offer(&readings);
                    timed(|| busy.advance())
                })
                .sum()
        });
    });
    group.finish();
}

criterion_group!(benches, observe, advance);
criterion_main!(benches);

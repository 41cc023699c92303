//! What sensors report against what really happened.

use super::*;
use crate::event::{Reading, Seen};
use crate::network::sensor::{SensorKind, SensorSpec, SensorsSpec};

fn sensor(id: &str, kind: SensorKind, link: &str, distance_m: f64, interval_s: f64) -> SensorSpec {
    let lane = (kind == SensorKind::Loop).then_some(0);
    SensorSpec { id: id.into(), kind, link: link.into(), lane, distance_m, range_m: 200.0, interval_s }
}

fn sensors(network: &Network, all: Vec<SensorSpec>) -> Sensors {
    let spec = SensorsSpec { format: crate::network::sensor::FORMAT.into(), sensors: all };
    Sensors::build(&spec, network).expect("they stand on the road")
}

/// Stop-line loop, upstream loop and camera on the approach of [`crossroads`]; 300 cars in an hour.
fn observed(faults: SensorFaults, rate_s: f64) -> (Twin, Vec<Vec<Reading>>) {
    let network = crossroads().build();
    let sensors = sensors(
        &network,
        vec![
            sensor("line", SensorKind::Loop, "W>J", 1.0, 1.0),
            sensor("upstream", SensorKind::Loop, "W>J", 300.0, 10.0),
            sensor("camera", SensorKind::Camera, "W>J", 0.0, 1.0),
        ],
    );
    let way = route(&network, &["W>J", "J>E"]);
    let demand = demand(steady(&way, 0.0, rate_s, 1200.0));
    let mut twin = Twin::new(network, &sensors, &demand, Options { sensors: faults, ..Options::default() });
    let mut readings = vec![Vec::new(); 3];
    for _ in 0..1500 {
        twin.step();
        let mut events = Vec::new();
        twin.events(&mut events);
        for event in events {
            if let Event::Reading(reading) = event {
                readings[reading.sensor.index()].push(reading);
            }
        }
    }
    (twin, readings)
}

fn counted(readings: &[Reading]) -> u32 {
    let count = |r: &Reading| if let Seen::Loop { count, .. } = r.seen { count } else { 0 };
    readings.iter().map(count).sum()
}

#[test]
fn perfect_sensors_tell_the_truth() {
    let (twin, readings) = observed(SensorFaults::default(), 6.0);
    let truth = twin.truth();
    let approach = truth.link(twin.network().link_named("W>J").expect("it is there"));
    assert_eq!((approach.entered, approach.left), (200, 200));
    assert_eq!((counted(&readings[0]), counted(&readings[1])), (200, 200));
    assert_eq!((readings[0].len(), readings[1].len(), readings[2].len()), (1500, 150, 1500));
    let ends: Vec<i64> = readings[1].iter().take(2).map(|r| r.end.ms()).collect();
    assert_eq!(ends, [10_000, 20_000]);
    let (mut turned, mut standing, mut seen) = (0, 0, 0);
    for reading in &readings[2] {
        let Seen::Camera { lanes, turns } = &reading.seen else { panic!("a camera") };
        assert!(lanes[0].queue <= lanes[0].vehicles);
        turned += turns.iter().map(|t| u32::from(t.count)).sum::<u32>();
        standing += u32::from(lanes[0].queue);
        seen += u32::from(lanes[0].vehicles);
    }
    assert_eq!(turned, 200);
    // Everyone is seen on the last 200 m at every second: 14.4 s of driving and the wait at the light.
    let delay = approach.vehicle_s - approach.free_flow_s;
    assert!((f64::from(seen) / (200.0 * 14.4 + delay) - 1.0).abs() < 0.03, "{seen} seen, {delay} s of delay");
    // Those who wait stand, but for the time it takes to see that they do.
    assert!((0.75..1.05).contains(&(f64::from(standing) / delay)), "{standing} standing, {delay} s of delay");
}

#[test]
fn occupancy_follows_the_queue() {
    let mean = |readings: &[Reading]| {
        let occupancy =
            |r: &Reading| if let Seen::Loop { occupancy, .. } = r.seen { f64::from(occupancy) } else { 0.0 };
        readings.iter().map(occupancy).sum::<f64>() / readings.len() as f64
    };
    let speed = |readings: &[Reading]| {
        let speeds: Vec<f64> = readings
            .iter()
            .filter_map(|r| if let Seen::Loop { speed, .. } = r.seen { speed.map(f64::from) } else { None })
            .collect();
        speeds.iter().sum::<f64>() / speeds.len() as f64
    };
    let (_, free) = observed(SensorFaults::default(), 20.0);
    // 60 cars of 5 m over a loop of 2 m at 13.89 m/s take 0.5 s each, in 1 500 s.
    assert!((mean(&free[1]) - 60.0 * 0.504 / 1500.0).abs() < 0.003, "{}", mean(&free[1]));
    assert!((speed(&free[1]) - 13.89).abs() < 0.7, "{}", speed(&free[1]));
    let (_, jammed) = observed(SensorFaults::default(), 2.0);
    assert!(mean(&jammed[1]) > 0.3, "a queue stands on it: {}", mean(&jammed[1]));
    assert!(mean(&jammed[0]) > 0.4, "cars wait on it: {}", mean(&jammed[0]));
}

#[test]
fn each_fault_shows_as_what_it_is() {
    let all = |faults| observed(faults, 6.0).1;
    let dead = all(SensorFaults { dead: 1.0, ..SensorFaults::default() });
    assert!(dead.iter().all(Vec::is_empty));
    let lost = all(SensorFaults { dropout: 0.2, ..SensorFaults::default() });
    assert!((1100..1300).contains(&lost[0].len()), "{}", lost[0].len());
    let stuck = all(SensorFaults { stuck: 1.0, ..SensorFaults::default() });
    assert!(stuck[1].iter().all(|r| r.seen == stuck[1][0].seen));
    let biased = all(SensorFaults { biased: 1.0, ..SensorFaults::default() });
    assert!((70..130).contains(&counted(&biased[0])), "about half of 200: {}", counted(&biased[0]));
    let noisy = all(SensorFaults { count_error: 0.1, ..SensorFaults::default() });
    assert!((170..230).contains(&counted(&noisy[0])), "{}", counted(&noisy[0]));
    let skew = Span::from_s(7);
    let skewed = all(SensorFaults { skewed: 1.0, skew, ..SensorFaults::default() });
    assert!([3_000, 17_000].contains(&skewed[1][0].end.ms()), "7 s ahead or behind: {:?}", skewed[1][0].end);
}

#[test]
fn a_delayed_sensor_speaks_late_of_what_it_saw_in_time() {
    let network = crossroads().build();
    let sensors = sensors(&network, vec![sensor("line", SensorKind::Loop, "W>J", 1.0, 1.0)]);
    let latency = Span::from_s(5);
    let faults = SensorFaults { delayed: 1.0, latency, ..SensorFaults::default() };
    let options = Options { sensors: faults, start: Time::from_s(1_000_000), ..Options::default() };
    let mut twin = Twin::new(network, &sensors, &Demand::default(), options);
    let mut events = Vec::new();
    for second in 1..=20 {
        twin.step();
        events.clear();
        twin.events(&mut events);
        let ends: Vec<Time> = events.iter().filter(|e| e.rank() == 1).map(Event::at).collect();
        let expected: Vec<Time> = (second > 5).then(|| twin.now() - latency).into_iter().collect();
        assert_eq!(ends, expected, "second {second}");
    }
}

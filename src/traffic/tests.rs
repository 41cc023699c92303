//! The estimator as a whole, on one approach with traffic of its own making, and on readings nobody should send.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::event::{LaneView, Reading, Seen, TurnCount};
use crate::ids::{GroupId, GroupSet, Id, JunctionId};
use crate::network::VehicleClass;
use crate::network::limits::Limits;
use crate::network::spec::NetworkSpec;
use crate::traffic::health::Cause;
use crate::traffic::readings::{Accepted, Reason};

/// 500 m at 12.5 m/s in two lanes up to a signal, 300 m behind it.
fn approach() -> Arc<Network> {
    let spec = serde_json::json!({
        "format": "greenwave-network/1", "name": "approach",
        "nodes": [{"id": "a", "x": 0.0, "y": 0.0}, {"id": "b", "x": 500.0, "y": 0.0, "junction": "J"},
                  {"id": "c", "x": 800.0, "y": 0.0}, {"id": "d", "x": 500.0, "y": 300.0}],
        "links": [
            {"id": "in", "from": "a", "to": "b", "length_m": 500.0, "speed_mps": 12.5, "lanes": [{}, {}]},
            {"id": "on", "from": "b", "to": "c", "length_m": 300.0, "speed_mps": 12.5, "lanes": [{}, {}]},
            {"id": "left", "from": "b", "to": "d", "length_m": 300.0, "speed_mps": 12.5, "lanes": [{}]}],
        "connections": [
            {"from": "in", "from_lane": 0, "to": "on", "to_lane": 0, "turn": "straight", "group": "g"},
            {"from": "in", "from_lane": 1, "to": "on", "to_lane": 1, "turn": "straight", "group": "g"},
            {"from": "in", "from_lane": 1, "to": "left", "to_lane": 0, "turn": "left", "group": "g"}],
        "junctions": [{"id": "J", "groups": [{"id": "g"}, {"id": "x"}],
            "conflicts": [{"a": "g", "b": "x", "kind": "never"}],
            "stages": [{"id": "1", "groups": ["g"]}, {"id": "2", "groups": ["x"]}],
            "programs": [{"id": "p", "offset_s": 0.0, "splits": [{"stage": "1", "s": 30.0}, {"stage": "2", "s": 30.0}]}]}]
    });
    let spec: NetworkSpec = serde_json::from_value(spec).expect("a network file");
    Arc::new(Network::build(spec, &Limits::default()).expect("a sound network"))
}

/// A loop at the stop line of each lane (D0, D1), one 60 m upstream (D2, D3), and a camera over 200 m (D4).
fn sensors(network: &Network) -> Sensors {
    sensors_with(network, 60.0)
}

/// The same with the loops upstream so far from the line.
fn sensors_with(network: &Network, upstream_m: f64) -> Sensors {
    let one = |id: &str, lane: u8, distance: f64| serde_json::json!({"id": id, "kind": "loop", "link": "in", "lane": lane, "distance_m": distance});
    let spec = serde_json::json!({"format": "greenwave-sensors/1", "sensors": [
        one("s0", 0, 0.0), one("s1", 1, 0.0), one("u0", 0, upstream_m), one("u1", 1, upstream_m),
        {"id": "cam", "kind": "camera", "link": "in", "range_m": 200.0}]});
    Sensors::build(&serde_json::from_value(spec).expect("a sensors file"), network).expect("they stand on the network")
}

/// Vehicles in one lane: a point queue behind free flow. Not how the estimator thinks: every vehicle is known.
#[derive(Default)]
struct Lane1 {
    /// Distance to the line, m, and whether it stands.
    cars: Vec<(f64, bool)>,
    gate: f64,
}

/// What happened in one second.
#[derive(Default, Clone, Copy)]
struct Second {
    out: u32,
    upstream: u32,
    vehicles: u16,
    queue: u16,
}

impl Lane1 {
    fn step(&mut self, enters: bool, green: bool, now: f64, upstream_m: f64) -> Second {
        let mut second = Second::default();
        if enters {
            self.cars.push((500.0, false));
        }
        let mut tail = 0.0;
        let mut gone = false;
        for (place, car) in self.cars.iter_mut().enumerate() {
            let before = car.0;
            let free = before - 12.5;
            if place == 0 && free <= 0.0 && green && now >= self.gate {
                gone = true;
                self.gate = now + 2.0;
                second.upstream += u32::from(before > upstream_m);
                continue;
            }
            car.0 = free.max(tail).min(before);
            car.1 = before - car.0 < 3.0;
            tail = car.0 + 7.5;
            second.upstream += u32::from(before > upstream_m && car.0 <= upstream_m);
        }
        if gone {
            self.cars.remove(0);
            second.out = 1;
        }
        let seen = self.cars.iter().filter(|c| c.0 <= 200.0);
        second.vehicles = seen.clone().count() as u16;
        second.queue = seen.filter(|c| c.1).count() as u16;
        second
    }
}

struct World {
    network: Arc<Network>,
    traffic: Traffic,
    lanes: [Lane1; 2],
    upstream_m: f64,
    second: i64,
    spent: f64,
    left: u32,
    /// What each sensor's counts are multiplied with; below 0 it is silent.
    lies: [f64; 5],
    owed: [f64; 5],
    /// The camera tells who turns where.
    turns: bool,
    /// The signal does not open.
    closed: bool,
}

impl World {
    fn new() -> Self {
        Self::with_loops_at(60.0)
    }

    fn with_loops_at(upstream_m: f64) -> Self {
        let network = approach();
        let sensors = sensors_with(&network, upstream_m);
        let traffic = Traffic::new(Arc::clone(&network), &sensors, Settings::default());
        let lanes = [Lane1::default(), Lane1::default()];
        Self {
            network,
            traffic,
            lanes,
            upstream_m,
            second: 0,
            spent: 0.0,
            left: 0,
            lies: [1.0; 5],
            owed: [0.0; 5],
            turns: true,
            closed: false,
        }
    }

    fn lie(&mut self, sensor: usize, count: u32) -> u32 {
        self.owed[sensor] += f64::from(count) * self.lies[sensor];
        let whole = self.owed[sensor].floor().max(0.0);
        self.owed[sensor] -= whole;
        whole as u32
    }

    /// Runs for some seconds with one vehicle in each lane every `every` seconds and 30 s of green a minute.
    fn run(&mut self, seconds: i64, every: f64) {
        for _ in 0..seconds {
            self.second += 1;
            let (now, green) = (self.second as f64, self.second % 60 < 30 && !self.closed);
            let enters = (now / every).floor() > ((now - 1.0) / every).floor();
            let seen: Vec<Second> =
                self.lanes.iter_mut().map(|l| l.step(enters, green, now, self.upstream_m)).collect();
            self.spent += self.lanes.iter().map(|l| l.cars.len() as f64).sum::<f64>();
            self.left += seen.iter().map(|s| s.out).sum::<u32>();
            let at = Time::from_s(self.second);
            for (row, s) in seen.iter().enumerate() {
                for (sensor, count) in [(row, s.out), (row + 2, s.upstream)] {
                    if self.lies[sensor] >= 0.0 {
                        let seen = Seen::Loop { count: self.lie(sensor, count), occupancy: 0.1, speed: None };
                        self.offer(sensor, at, seen);
                    }
                }
            }
            if self.lies[4] >= 0.0 {
                self.look(&seen, at);
            }
            let open = if green { GroupSet::EMPTY.with(GroupId::of(0)) } else { GroupSet::EMPTY };
            self.traffic.advance(at, &Table::<JunctionId, _>::from(vec![open]));
        }
    }

    fn look(&mut self, seen: &[Second], at: Time) {
        let lie = self.lies[4];
        let less = |n: u16| (f64::from(n) * lie).round() as u16;
        let view = |(row, s): (usize, &Second)| LaneView {
            lane: LaneId::of(row),
            vehicles: less(s.vehicles),
            queue: less(s.queue.min(s.vehicles)),
        };
        let lanes = seen.iter().enumerate().map(view).collect();
        // Every third vehicle of the left lane turns left.
        let left = u32::from(seen[1].out > 0 && self.left % 6 < 2);
        let all = self.lie(4, seen[0].out + seen[1].out);
        let counts = [(1, all - left.min(all)), (2, left.min(all))];
        let turn = |&(to, count): &(usize, u32)| TurnCount {
            to: LinkId::of(to),
            class: VehicleClass::Car,
            count: count as u16,
        };
        let turns = counts.iter().filter(|c| c.1 > 0 && self.turns).map(turn).collect();
        self.offer(4, at, Seen::Camera { lanes, turns });
    }

    fn offer(&mut self, sensor: usize, end: Time, seen: Seen) {
        let reading = Reading { sensor: SensorId::of(sensor), end, interval: Span::SECOND, seen };
        self.traffic.observe(&reading, end).expect("an ordinary reading");
    }

    fn truth(&self) -> f64 {
        self.spent / (f64::from(self.left) * 40.0)
    }

    fn estimate(&self) -> f64 {
        self.traffic.index_link(LinkId::of(0), Window::Hour).delay_index()
    }
}

#[test]
fn the_index_of_an_hour_is_near_the_truth() {
    // (seconds between vehicles in each lane, what): capacity is 15 a minute, one every 4 s.
    for (every, what) in [(20.0, "quiet"), (6.0, "busy"), (4.4, "nearly full")] {
        let mut world = World::new();
        world.run(3660, every);
        let (truth, estimate) = (world.truth(), world.estimate());
        assert!((estimate / truth - 1.0).abs() < 0.06, "{what}: {estimate} for {truth}");
        assert_eq!(world.traffic.index_link(LinkId::of(0), Window::Hour).quality, Quality::Measured);
    }
}

#[test]
fn without_a_camera_loops_still_tell() {
    for every in [20.0, 6.0] {
        let mut world = World::new();
        world.lies[4] = -1.0;
        world.run(3660, every);
        let (truth, estimate) = (world.truth(), world.estimate());
        assert!((estimate / truth - 1.0).abs() < 0.15, "{every}: {estimate} for {truth}");
        assert_eq!(world.traffic.index_link(LinkId::of(0), Window::Hour).quality, Quality::Fused);
    }
}

#[test]
fn a_camera_alone_tells_how_many_drive_through() {
    for every in [20.0, 6.0] {
        let mut world = World { turns: false, ..World::new() };
        world.lies = [-1.0, -1.0, -1.0, -1.0, 1.0];
        world.run(3660, every);
        let (truth, estimate) = (world.truth(), world.estimate());
        assert!((estimate / truth - 1.0).abs() < 0.25, "{every}: {estimate} for {truth}");
        assert_eq!(world.traffic.index_link(LinkId::of(0), Window::Hour).quality, Quality::Imputed);
    }
}

#[test]
fn nobody_expects_what_no_sensor_upstream_tells_of() {
    let network = approach();
    let none = Sensors::build(
        &serde_json::from_str(r#"{"format": "greenwave-sensors/1", "sensors": []}"#).expect("a file"),
        &network,
    );
    // (sensors, what is known of the road in and of the road behind the signal)
    for (sensors, expected) in [
        (none.expect("no sensors are sound"), [Quality::None, Quality::None]),
        (sensors(&network), [Quality::Fused, Quality::Imputed]),
    ] {
        let mut traffic = Traffic::new(Arc::clone(&network), &sensors, Settings::default());
        let green = Table::filled(GroupSet::EMPTY, network.junctions().len());
        for s in 1..=5 {
            for sensor in 0..sensors.table().len().min(4) {
                let _ = offer(&mut traffic, sensor, 1000 * s, 1000 * s, 0);
            }
            traffic.advance(Time::from_s(s), &green);
        }
        let quality =
            |name: &str| traffic.quality(network.link(network.link_named(name).expect("it is there")).lanes.start);
        assert_eq!(["in", "on"].map(|name| quality(name).expect("it is here")), expected);
    }
}

#[test]
fn what_all_sensors_of_a_lane_tell_too_late_is_not_known() {
    // (the sensors that are 4 s late, what is known of the right lane: D0 and D2 are its loops, D4 is the camera)
    for (late, expected) in [(&[][..], Quality::Measured), (&[4], Quality::Fused), (&[0, 2, 4], Quality::Imputed)] {
        let mut world = World::new();
        world.run(60, 6.0);
        for s in 61..=80 {
            for sensor in 0..5 {
                let end = Time::from_s(if late.contains(&sensor) { s - 4 } else { s });
                let seen = match sensor {
                    4 => {
                        let view = |lane| LaneView { lane: LaneId::of(lane), vehicles: 2, queue: 0 };
                        Seen::Camera { lanes: [view(0), view(1)].into(), turns: [].into() }
                    }
                    _ => Seen::Loop { count: u32::from(s % 6 == 0), occupancy: 0.1, speed: None },
                };
                let reading = Reading { sensor: SensorId::of(sensor), end, interval: Span::SECOND, seen };
                let _ = world.traffic.observe(&reading, Time::from_s(s)); // those that are late are refused
            }
            world.traffic.advance(Time::from_s(s), &Table::<JunctionId, _>::from(vec![GroupSet::EMPTY]));
        }
        assert_eq!(world.traffic.quality(LaneId::of(0)), Some(expected), "late: {late:?}");
    }
}

#[test]
fn a_sensor_that_misses_half_is_corrected_within_minutes() {
    for (sensor, upstream_m) in (0..4).flat_map(|sensor| [(sensor, 60.0), (sensor, 480.0)]) {
        let mut world = World::with_loops_at(upstream_m);
        world.lies[sensor] = 0.5;
        world.run(600, 6.0);
        let factors: Vec<f64> = (0..4).map(|other| world.traffic.factor(SensorId::of(other))).collect();
        let right = |other: usize| if other == sensor { 2.0 } else { 1.0 };
        let close = factors.iter().enumerate().all(|(other, f)| (f - right(other)).abs() < 0.4);
        assert!(close, "D{sensor} lies, {upstream_m} m, but the factors are {factors:?}");
    }
    let mut world = World::new();
    world.lies[4] = 0.5;
    world.run(3660, 6.0);
    assert!((0..4).all(|loops| (world.traffic.factor(SensorId::of(loops)) - 1.0).abs() < 1e-6));
    assert!((world.estimate() / world.truth() - 1.0).abs() < 0.12, "{} for {}", world.estimate(), world.truth());
}

#[test]
fn who_is_between_two_loops_is_no_miscount() {
    let (jam, wave) =
        ([(false, 175, 5.0), (true, 130, 3.0), (false, 600, 6.0)], [(false, 170, 60.0), (false, 180, 2.5)]);
    // Those who stand before the line, and a wave of vehicles that drive up to it from loops that are far away.
    for (upstream_m, course) in [(60.0, &jam[..]), (480.0, &wave[..])] {
        let mut world = World::with_loops_at(upstream_m);
        for &(closed, seconds, every) in course {
            world.closed = closed;
            for _ in 0..seconds {
                world.run(1, every);
                let factors: Vec<f64> = (0..4).map(|loops| world.traffic.factor(SensorId::of(loops))).collect();
                let right = factors.iter().all(|f| (f - 1.0).abs() < 1e-6);
                assert!(right, "{upstream_m} m, closed {closed}, every {every} s: {factors:?}");
            }
        }
    }
}

#[test]
fn a_loop_that_sees_nothing_is_found_out_and_comes_back_from_silence() {
    let mut world = World::new();
    world.run(60, 6.0);
    world.lies[0] = 0.0;
    world.run(900, 6.0);
    assert_eq!(world.traffic.health(SensorId::of(0)), Health::Bad(health::Cause::Miscounts));
    let departures = world.traffic.lane(LaneId::of(0)).expect("here").departures;
    assert!((departures.flow.get() - 600.0).abs() < 60.0 && departures.quality == Quality::Fused, "{departures:?}");
    world.lies[1] = -1.0;
    world.run(60, 6.0);
    assert_eq!(world.traffic.health(SensorId::of(1)), Health::Silent);
    world.lies[1] = 1.0;
    world.run(1, 6.0);
    assert_eq!(world.traffic.health(SensorId::of(1)), Health::Good);
}

#[test]
fn flows_turns_and_discharge_are_learned() {
    let mut world = World::new();
    world.run(2400, 4.4);
    let lane = LaneId::of(1);
    let arrivals = world.traffic.arrivals(lane);
    assert!((arrivals.flow.get() - 3600.0 / 4.4).abs() < 60.0, "{arrivals:?}");
    let left = world.traffic.turning(lane).last().expect("two paths").1;
    assert!((left - 1.0 / 3.0).abs() < 0.12, "{left}");
    let ahead = world.network.movements_from(LinkId::of(0))[0];
    let demand = world.traffic.demand(ahead);
    assert!((demand.flow.get() / arrivals.flow.get() - 5.0 / 3.0).abs() < 0.15 && demand.quality == Quality::Measured);
    // Eight have to stand at the start of green, so more must come than can go.
    let mut full = World::new();
    full.run(1800, 3.8);
    let saturation = full.traffic.saturation(lane).expect("here");
    assert!(saturation.greens() > 0 && (saturation.headway().get() - 2.0).abs() < 0.15, "{saturation:?}");
    let room = world.traffic.room(LaneId::of(0)).expect("here").get();
    assert!((50.0..=500.0 / 7.5).contains(&room), "{room}");
    assert_eq!(world.traffic.room(LaneId::of(99)), None);
}

fn offer(traffic: &mut Traffic, sensor: usize, end_ms: i64, now_ms: i64, count: u32) -> Result<Accepted, Reason> {
    let seen = Seen::Loop { count, occupancy: 0.1, speed: None };
    let end = Time::from_ms(end_ms);
    let reading = Reading { sensor: SensorId::of(sensor), end, interval: Span::SECOND, seen };
    traffic.observe(&reading, Time::from_ms(now_ms)).map_err(|r| r.reason)
}

#[test]
fn the_door_keeps_order() {
    let network = approach();
    let mut traffic = Traffic::new(Arc::clone(&network), &sensors(&network), Settings::default());
    let late = Span::from_ms(1500);
    let used = |missing| Ok(Accepted::Used { missing });
    // (end, now, count, verdict), one after the other, all of one sensor.
    for (end, now, count, verdict) in [
        (10_000, 10_000, 1, used(0)),
        (10_000, 10_000, 1, Ok(Accepted::Repeat)),     // the same again
        (10_000, 10_000, 2, Err(Reason::Conflict {})), // the first wins
        (12_000, 12_000, 0, used(1)),                  // one is missing: silence is not zero
        (11_000, 12_000, 1, used(0)),                  // there it is, out of order
        (11_000, 12_000, 1, Ok(Accepted::Repeat)),
        (14_000, 16_000, 1, Err(Reason::Late { age: Span::from_s(2), limit: late })),
        (14_000, 16_000, 1, Ok(Accepted::Repeat)), // a late one repeated is a repeat
        (16_500, 16_500, 1, Err(Reason::Unaligned { off: Span::from_ms(500), interval: Span::SECOND })),
        (18_000, 16_500, 1, Err(Reason::Future { ahead: Span::from_ms(1500), limit: Span::from_ms(500) })),
        (17_000, 16_500, 1, used(2)), // as far ahead as is allowed
        (18_000, 18_000, 5, Err(Reason::Count { count: 5, max: 4 })),
    ] {
        assert_eq!(offer(&mut traffic, 0, end, now, count), verdict, "{end} at {now}");
    }
    let counters = traffic.counters();
    assert_eq!((counters.offered, counters.used, counters.repeats, counters.rejected_total()), (12, 4, 3, 5));
    assert_eq!((counters.disordered, counters.missing), (1, 3));
    assert_eq!(offer(&mut traffic, 77, 0, 0, 1), Err(Reason::Sensor { known: 5 }));
}

#[test]
fn a_clock_that_runs_ahead_is_found_out_and_corrected() {
    let network = approach();
    let mut traffic = Traffic::new(Arc::clone(&network), &sensors(&network), Settings::default());
    let verdicts: Vec<_> = (1..=60).map(|s| offer(&mut traffic, 0, 1000 * (s + 7), 1000 * s, 1).is_ok()).collect();
    assert!(verdicts[..30].iter().all(|ok| !ok) && verdicts[30..].iter().all(|&ok| ok), "{verdicts:?}");
    assert_eq!((traffic.skew(SensorId::of(0)), traffic.counters().skewed), (Span::from_s(7), 1));
    // Somebody sets it right: a second later it is believed as it is.
    assert!((61..70).map(|s| offer(&mut traffic, 0, 1000 * s, 1000 * s, 1).is_ok()).skip(1).all(|ok| ok));
    assert_eq!(traffic.skew(SensorId::of(0)), Span::ZERO);
    // One that lags is counted, not corrected: it may as well be slow.
    (1..=60).for_each(|s| assert!(offer(&mut traffic, 1, 1000 * s, 1000 * (s + 9), 1).is_err()));
    assert_eq!((traffic.skew(SensorId::of(1)), traffic.counters().lagging), (Span::ZERO, 1));
}

#[test]
fn every_refusal_names_field_value_and_limit() {
    let network = approach();
    let mut traffic = Traffic::new(Arc::clone(&network), &sensors(&network), Settings::default());
    let view = |lane: usize, vehicles, queue| LaneView { lane: LaneId::of(lane), vehicles, queue };
    let camera = |lanes: &[LaneView]| Seen::Camera { lanes: lanes.into(), turns: Box::new([]) };
    let turn = |to: usize, count| {
        let turns = Box::new([TurnCount { to: LinkId::of(to), class: VehicleClass::Car, count }]);
        Seen::Camera { lanes: Box::new([]), turns }
    };
    let loops = |occupancy, speed| Seen::Loop { count: 1, occupancy, speed };
    for (sensor, seen, expected) in [
        (0, loops(1.5, None), "occupancy 1.5 is outside 0 to 1"),
        (0, loops(f32::NAN, None), "occupancy NaN is outside 0 to 1"),
        (0, loops(0.5, Some(-1.0)), "speed -1 is outside 0 to 70"),
        (4, loops(0.5, None), "values of a Loop from a Camera"),
        (0, camera(&[]), "values of a Camera from a Loop"),
        (4, camera(&[view(2, 1, 0)]), "lanes names lane l2, which is not on the camera's link L0"),
        (4, camera(&[view(0, 1, 0), view(0, 1, 0)]), "lanes names lane l0 more than once"),
        (4, camera(&[view(1, 84, 0)]), "vehicles 84 on lane l1 is above 83, the most that fit into the view"),
        (4, camera(&[view(1, 3, 4)]), "queue 4 on lane l1 is above its vehicles 3"),
        (4, turn(0, 1), "turns names exit L0, to which nothing leads from L0"),
        (4, turn(1, 9), "turns counts 9 vehicles, above 8, the most that can pass in the interval"),
    ] {
        let reading = Reading { sensor: SensorId::of(sensor), end: Time::from_s(1), interval: Span::SECOND, seen };
        let refused = traffic.observe(&reading, Time::from_s(1)).expect_err(expected);
        assert_eq!(refused.reason.to_string(), expected);
        assert_eq!(refused.to_string(), format!("sensor D{sensor} at t=1: {expected}"));
    }
    let seen = loops(0.5, None);
    let reading = Reading { sensor: SensorId::of(0), end: Time::from_s(1), interval: Span::from_s(2), seen };
    let refused = traffic.observe(&reading, Time::from_s(1)).expect_err("another interval");
    assert_eq!(refused.reason.to_string(), "interval 2 s, expected 1 s");
}

fn any_seen() -> impl Strategy<Value = Seen> {
    let share = prop_oneof![Just(f32::NAN), Just(1.0), Just(1.001), Just(-0.1), 0.0_f32..1.0];
    let speed = proptest::option::of(prop_oneof![Just(70.0_f32), Just(70.1), Just(f32::INFINITY), 0.0_f32..30.0]);
    let count = prop_oneof![Just(4_u32), Just(5), Just(u32::MAX), 0_u32..3];
    let view = (0_usize..4, 0_u16..90, 0_u16..90).prop_map(|(lane, vehicles, queue)| LaneView {
        lane: LaneId::of(lane),
        vehicles,
        queue,
    });
    let turn = (0_usize..5, prop_oneof![Just(u16::MAX), 0_u16..6]).prop_map(|(to, count)| TurnCount {
        to: LinkId::of(to),
        class: VehicleClass::Car,
        count,
    });
    prop_oneof![
        (count, share, speed).prop_map(|(count, occupancy, speed)| Seen::Loop { count, occupancy, speed }),
        (proptest::collection::vec(view, 0..4), proptest::collection::vec(turn, 0..3))
            .prop_map(|(lanes, turns)| Seen::Camera { lanes: lanes.into(), turns: turns.into() }),
    ]
}

fn any_reading() -> impl Strategy<Value = (usize, i64, i64, Seen)> {
    let off =
        prop_oneof![Just(0_i64), Just(-1500), Just(-1501), Just(500), Just(501), Just(i64::MAX / 4), -9000_i64..9000];
    let interval = prop_oneof![8 => Just(1000_i64), 1 => Just(0), 1 => Just(-5), 1 => Just(i64::MAX)];
    (0_usize..7, off, interval, any_seen())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_comes_in_is_counted_and_leaves_numbers(
        seconds in proptest::collection::vec(proptest::collection::vec(any_reading(), 0..6), 1..150)
    ) {
        let network = approach();
        let mut traffic = Traffic::new(Arc::clone(&network), &sensors(&network), Settings::default());
        for (second, readings) in seconds.into_iter().enumerate() {
            let now = Time::from_s(second as i64 + 1);
            for (sensor, off, interval, seen) in readings {
                let end = Time::from_ms(now.ms().saturating_add(off));
                let reading = Reading { sensor: SensorId::of(sensor), end, interval: Span::from_ms(interval), seen };
                let _ = traffic.observe(&reading, now);
            }
            let open = if second % 2 == 0 { GroupSet::EMPTY.with(GroupId::of(0)) } else { GroupSet::EMPTY };
            traffic.advance(now, &Table::from(vec![open]));
            let c = traffic.counters();
            prop_assert_eq!(c.offered, c.used + c.repeats + c.rejected_total());
            for window in [Window::Minute, Window::FiveMinutes, Window::Hour] {
                for link in network.links().ids() {
                    let m = traffic.index_link(link, window);
                    let all = [m.delay_index(), m.delay_index_by_night(), m.tpi(), m.spent_veh_s, m.free_flow_veh_s];
                    prop_assert!(all.iter().all(|v| v.is_finite()) && m.delay_index() >= 1.0);
                    prop_assert!((0.0..=10.0).contains(&m.tpi()));
                    prop_assert!(m.spent_veh_s >= m.free_flow_veh_s);
                }
            }
            for lane in network.lanes().ids() {
                let state = traffic.lane(lane).expect("here");
                prop_assert!(state.queue.is_finite() && state.queue >= 0.0 && state.vehicles >= 0.0);
                let shares: f64 = traffic.turning(lane).map(|(_, share)| share).sum();
                prop_assert!(network.lane(lane).exits.is_empty() || (shares - 1.0).abs() < 1e-5);
            }
        }
    }
}

#[test]
fn a_camera_that_tells_the_same_while_vehicles_pass_is_not_believed() {
    // A vehicle every 20 s in each of two lanes crosses two loops: 15 counts take less than two minutes; those who left
    // are too few by then.
    for (lie, expected) in [(1.0, Health::Good), (0.0, Health::Bad(Cause::NoChange))] {
        let mut world = World::new();
        world.lies[4] = lie;
        world.run(185, 20.0);
        assert_eq!(world.traffic.health(SensorId::of(4)), expected, "{lie}");
    }
}

//! Ambulances, incidents, controllers and whole days.

use super::*;
use crate::event::{Position, PriorityClass};
use crate::plan::oracle::Oracle;
use crate::twin::demand::Call;

/// Two lanes west to east through a signal, a queue before it, and an ambulance called at 100 s.
fn call(lanes: usize, traffic_s: f64) -> (Twin, Vec<Event>) {
    let mut sketch = Sketch::new()
        .node("W", -600.0, 0.0, None)
        .node("J", 0.0, 0.0, Some("J"))
        .node("E", 600.0, 0.0, None)
        .link("W", "J", 600.0, lanes)
        .link("J", "E", 600.0, lanes);
    for lane in 0..lanes as u8 {
        sketch = sketch.path(("W>J", lane), ("J>E", lane), Turn::Straight, Some("ew"));
    }
    let network = sketch.signal("J", &["ew", "other"], &[(&["ew"], 30.0), (&["other"], 60.0)]).build();
    let way = route(&network, &["W>J", "J>E"]);
    let mut demand = demand(steady(&way, 0.0, traffic_s, 600.0));
    demand.calls.push(Call { depart: Span::from_s(100), route: way });
    let mut twin = twin(&network, &demand, alike());
    let mut events = Vec::new();
    for _ in 0..900 {
        twin.step();
        twin.events(&mut events);
    }
    laws(&twin);
    (twin, events)
}

#[test]
fn an_ambulance_passes_the_queue_where_there_is_room_and_waits_at_red() {
    let (alone, _) = call(2, 1e4);
    let (among_many, events) = call(2, 1.5);
    let (one_lane, _) = call(1, 3.0);
    let took = |twin: &Twin| twin.ambulances()[0].travel_time.expect("it arrives").s();
    let free = alone.ambulances()[0].free_flow.get();
    assert!((free - 1215.0 / 13.89).abs() < 0.01, "{free}");
    for twin in [&alone, &among_many, &one_lane] {
        assert_eq!(twin.ambulances()[0].red_crossings, 0);
        assert_eq!(twin.red_crossings(), 0);
    }
    // At 100 s + 36 s it finds red, from 120 s to 180 s; what it wins is the queue's length, not the light.
    assert!(took(&alone) > 80.0 && took(&alone) < 140.0, "{}", took(&alone));
    assert!(took(&among_many) < took(&alone) + 30.0, "{} among many", took(&among_many));
    assert!(took(&one_lane) > took(&among_many) + 20.0, "{} on one lane", took(&one_lane));
    let requests: Vec<_> =
        events.iter().filter_map(|e| if let Event::Priority(r) = e { Some(r) } else { None }).collect();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        (requests[0].class, requests[0].at, requests[0].route.len()),
        (PriorityClass::Ambulance, Time::from_s(100), 2)
    );
    let positions: Vec<&Position> =
        events.iter().filter_map(|e| if let Event::Position(p) = e { Some(p) } else { None }).collect();
    let seconds = positions.len() as f64;
    assert!((seconds - took(&among_many)).abs() < 6.0, "one a second: {seconds} of {}", took(&among_many));
    // It goes from west to east, and its place is never far from the road.
    assert!(positions.iter().all(|p| p.point.y.abs() < 25.0));
    assert!(positions[0].point.x < -500.0 && positions[positions.len() - 1].point.x > 500.0);
    let back = positions.windows(2).filter(|pair| pair[1].point.x < pair[0].point.x - 25.0).count();
    assert_eq!(back, 0);
}

#[test]
fn a_closed_lane_is_left_out_and_used_again() {
    let network = Sketch::new()
        .node("W", -300.0, 0.0, None)
        .node("M", 0.0, 0.0, None)
        .node("E", 300.0, 0.0, None)
        .link("W", "M", 300.0, 1)
        .link("M", "E", 300.0, 2)
        .path(("W>M", 0), ("M>E", 0), Turn::Straight, None)
        .path(("W>M", 0), ("M>E", 1), Turn::Straight, None)
        .build();
    let way = route(&network, &["W>M", "M>E"]);
    let kerb = network.lane_of(way[1], 0).expect("two lanes");
    let closed = Incident { place: Closed::Lane(kerb), from: Time::from_s(50), until: Time::from_s(150) };
    let options = Options { incidents: vec![closed], ..alike() };
    let mut twin = twin(&network, &demand(steady(&way, 0.0, 4.0, 300.0)), options);
    let mut used = [0; 3];
    for second in 0..300 {
        twin.step();
        let there = twin.vehicles(way[1]).iter().filter(|v| v.lane == kerb).count();
        // After the 22 s that those already there need to leave.
        used[if second < 50 {
            0
        } else if (80..150).contains(&second) {
            1
        } else {
            2
        }] += there;
    }
    assert!(used[0] > 0 && used[2] > 0, "{used:?}");
    assert_eq!(used[1], 0, "{used:?}");
}

#[test]
fn local_programs_break_no_rule_of_the_oracle() {
    let network = Arc::new(Network::build(city::demo(), &Limits::default()).expect("the city is sound"));
    let mut twin = twin(&network, &Demand::default(), Options { start: Time::from_s(8 * 3600), ..Options::default() });
    let mut oracle = Oracle::new(&network);
    for _ in 0..600 {
        twin.step();
        for junction in network.junctions().ids() {
            let faults = oracle.watch(twin.now(), junction, twin.lamps(junction));
            assert!(faults.is_empty(), "{faults:?}");
        }
    }
}

#[test]
fn twice_the_demand_is_twice_the_trips() {
    let network = crossroads().build();
    let way = route(&network, &["W>J", "J>E"]);
    let demand = demand(steady(&way, 0.0, 10.0, 1000.0));
    for (scale, low, high) in [(0.0, 0, 0), (0.5, 35, 65), (1.0, 100, 100), (2.0, 200, 200), (1.25, 110, 140)] {
        let mut twin = twin(&network, &demand, Options { demand_scale: scale, ..Options::default() });
        run(&mut twin, 1100);
        assert!((low..=high).contains(&twin.truth().travel.departed), "{scale}: {:?}", twin.truth().travel);
    }
}

#[test]
fn buckets_add_up_to_the_whole() {
    let network = crossroads().build();
    let way = route(&network, &["W>J", "J>E"]);
    let options = Options { bucket: Span::from_s(60), buckets_max: 5, ..Options::default() };
    let mut twin = twin(&network, &demand(steady(&way, 0.0, 5.0, 250.0)), options);
    run(&mut twin, 300);
    let sum: f64 = twin.buckets().flat_map(|b| &b.links).map(|l| l.vehicle_s).sum();
    assert_eq!(twin.buckets().count(), 5);
    assert!((sum - twin.truth().city().vehicle_s).abs() < 1e-6);
    run(&mut twin, 300);
    assert_eq!(twin.buckets().count(), 5, "the oldest go");
    assert_eq!(twin.buckets().last().map(|b| b.end), Some(Time::from_s(600)));
    let zone = twin.truth().zone(ZoneId::of(0), &network);
    assert_eq!(zone, twin.truth().city());
}

#[test]
fn a_call_elsewhere_changes_nobody_s_driver() {
    let network = Sketch::new()
        .node("W", -300.0, 0.0, None)
        .node("M", 0.0, 0.0, None)
        .node("E", 300.0, 0.0, None)
        .node("P", 0.0, 500.0, None)
        .node("Q", 300.0, 500.0, None)
        .link("W", "M", 300.0, 1)
        .link("M", "E", 300.0, 1)
        .link("P", "Q", 300.0, 1)
        .path(("W>M", 0), ("M>E", 0), Turn::Straight, None)
        .build();
    let way = route(&network, &["W>M", "M>E"]);
    let quiet = demand(steady(&way, 0.0, 3.0, 200.0));
    let mut called = quiet.clone();
    called.calls.push(Call { depart: Span::from_s(20), route: route(&network, &["P>Q"]) });
    let [mut without, mut with] = [&quiet, &called].map(|demand| twin(&network, demand, Options::default()));
    for _ in 0..200 {
        without.step();
        with.step();
        for &link in way.iter() {
            assert_eq!(without.vehicles(link), with.vehicles(link), "{}", with.now());
        }
    }
    assert!(with.ambulances()[0].travel_time.is_some());
}

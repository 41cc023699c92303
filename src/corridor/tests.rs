//! Calls from request to end, on a street that is only told of.

use super::*;
use crate::corridor::clear::Sight;
use crate::ids::LaneId;
use crate::network::limits::Limits;
use crate::twin::city;

fn corridors() -> (Arc<Network>, Corridors) {
    let network = Arc::new(Network::build(city::demo(), &Limits::default()).expect("the city is sound"));
    let rules = Rules { automatic: Some(PriorityClass::Ambulance), per_minute: 10, silence: Span::from_s(30) };
    (Arc::clone(&network), Corridors::new(network, rules))
}

fn request(network: &Network) -> PriorityRequest {
    let call = &city::morning::demand(network, Span::from_s(3600), 1).calls[0];
    let (from, to) = (call.route[0], *call.route.last().expect("a way"));
    PriorityRequest {
        id: "call".into(),
        at: Time::EPOCH,
        authority: "emergency control".into(),
        vehicle: "ambulance".into(),
        class: PriorityClass::Ambulance,
        from,
        to,
        route: Box::default(),
        deadline: None,
    }
}

/// Empty roads, those of `closed` shut.
fn road(network: &Network, closed: Option<LinkId>, lane: LaneId) -> Sight {
    let closed = closed == Some(network.lane(lane).link);
    Sight { vehicles: 0.0, room: 10.0, headway_s: 1.9, startup_s: 2.0, flow: 0.1, closed, stuck: false }
}

#[test]
fn a_road_that_is_closed_ahead_is_gone_round_and_what_is_asked_of_the_signals_with_it() {
    let (network, mut corridors) = corridors();
    let free = |lane, _| Some(road(&network, None, lane));
    corridors.request(&request(&network), Time::EPOCH, &free);
    let (orders, reports) = corridors.step(Time::from_s(1), &[], &free);
    let way = reports.last().expect("a report").route.clone();
    assert!(!orders.is_empty());

    let shut = way[way.len() / 2];
    let closed = |lane, _| Some(road(&network, Some(shut), lane));
    let (orders, reports) = corridors.step(Time::from_s(2), &[], &closed);
    let [report] = &reports[..] else { panic!("{} reports", reports.len()) };
    assert_eq!(&*report.why, "a road ahead is closed: planned anew around it");
    assert!(!report.route.contains(&shut) && report.route.last() == way.last());
    let asked: Vec<JunctionId> = report.gates.iter().map(|gate| gate.junction).collect();
    assert!(!orders.is_empty() && orders.iter().all(|order| asked.contains(&order.junction)));
    // It is told once.
    let (_, reports) = corridors.step(Time::from_s(3), &[], &closed);
    assert!(reports.iter().all(|report| &*report.why == "compared with other ways"), "{reports:?}");

    // Where its last road is closed, no way leads around; it is told when that is over.
    let last = *way.last().expect("a way");
    let closed = |lane, _| Some(road(&network, Some(last), lane));
    let told = |corridors: &mut Corridors, s, look: Look<'_>| {
        let (_, reports) = corridors.step(Time::from_s(s), &[], look);
        reports.iter().map(|report| report.why.to_string()).collect::<Vec<_>>()
    };
    let before = told(&mut corridors, 4, &closed);
    assert!(before[0].starts_with("a road ahead is closed"), "{before:?}");
    assert_eq!(told(&mut corridors, 5, &free).first().map(String::as_str), Some("the road ahead is open again"));
}

#[test]
fn a_queue_that_does_not_move_is_gone_round_once_and_no_two_ways_are_taken_in_turn() {
    let (network, mut corridors) = corridors();
    let free = |lane, _| Some(road(&network, None, lane));
    corridors.request(&request(&network), Time::EPOCH, &free);
    let way = |reports: &[Report]| reports.last().expect("a report").route.clone();
    let mut own = way(&corridors.step(Time::from_s(1), &[], &free).1);
    let mut told = 0;
    let mut ways = vec![own.clone()];
    for s in 2..60 {
        // Whichever way it takes, on one road in its middle nobody moves.
        let signal = |link: &&LinkId| network.junction_at_end(**link).is_some();
        let stuck = *own[own.len() / 2..].iter().find(signal).expect("a signal");
        let look = |lane, _| Some(Sight { stuck: network.lane(lane).link == stuck, ..road(&network, None, lane) });
        corridors.position(&Position {
            vehicle: "ambulance".into(),
            at: Time::from_s(s),
            point: network.link(own[0]).shape[0],
            speed: 0.0,
            heading: None,
        });
        let (_, reports) = corridors.step(Time::from_s(s), &[], &look);
        let round = |report: &&Report| report.why.contains("does not move: planned anew");
        if let Some(report) = reports.iter().find(round) {
            assert!(!report.route.contains(&stuck) && report.route.last() == own.last(), "{s} s");
            told += 1;
            own = report.route.clone();
            assert!(!ways.contains(&own), "second {s}: this way was left before");
            ways.push(own.clone());
        }
    }
    assert!((1..10).contains(&told), "{told} ways");
}

#[test]
fn other_ways_are_told_with_what_they_bring_and_differ_clearly() {
    let (network, mut corridors) = corridors();
    let free = |lane, _| Some(road(&network, None, lane));
    let length = |links: &mut dyn Iterator<Item = &LinkId>| links.map(|&l| network.link(l).length.get()).sum::<f64>();
    let told = |report: &Report| {
        assert!((1..=2).contains(&report.alternatives.len()), "{report:?}");
        let mut ways = vec![&report.route];
        for other in &report.alternatives {
            assert_eq!((other.route[0], other.route.last()), (report.route[0], report.route.last()));
            for way in &ways {
                let same = length(&mut other.route.iter().filter(|link| way.contains(link)));
                assert!(same <= 0.6 * length(&mut other.route.iter()), "{:?} {way:?}", other.route);
            }
            ways.push(&other.route);
            // On empty roads the chosen way is the fastest, and that is why.
            let (low, high) = report.arrives.expect("a band");
            assert!(
                other.arrives.0 + (other.arrives.1 - other.arrives.0) > low && other.arrives.1 >= high,
                "{other:?}"
            );
            assert!(other.why.starts_with("there ") && other.cost_veh_s > 0.0, "{other:?}");
        }
    };
    let request = request(&network);
    told(&corridors.preview(&request, Time::EPOCH, &free));
    corridors.request(&request, Time::EPOCH, &free);
    // With the corridor itself nothing waits for a comparison; it comes in the ticks after, one search in each.
    for s in 0..2 {
        let first = corridors.step(Time::from_s(s), &[], &free).1;
        assert!(first.iter().all(|report| report.alternatives.is_empty()), "{first:?}");
    }
    let then = corridors.step(Time::from_s(2), &[], &free).1;
    assert_eq!(then.last().map(|report| &*report.why), Some("compared with other ways"));
    told(then.last().expect("a report"));
}

#[test]
fn who_finds_no_gap_keeps_no_green_that_keeps_others_coming() {
    let (network, _) = corridors();
    let request = request(&network);
    assert!(network.junction_at_end(request.from).is_none(), "it sets out from a yard");
    let point = *network.link(request.from).shape.last().expect("a course");
    // (speed up to second 20, whether its first signal shows green): from when on that is not asked for. Who has stood for 7 s
    // waits for another 4 s, in which whoever is before it would leave.
    for (speed, green, from) in [(0.0, true, Some(14)), (0.0, false, None), (5.0, true, None)] {
        let mut corridors = corridors().1;
        let look = |lane, _| Some(road(&network, None, lane));
        corridors.request(&request, Time::EPOCH, &look);
        let mut ahead: Vec<JunctionId> = Vec::new();
        for s in 1..=22 {
            let (vehicle, at) = (request.vehicle.clone(), Time::from_s(s));
            let speed = if s <= 20 { speed } else { 5.0 };
            corridors.position(&Position { vehicle, at, point, speed, heading: None });
            let shown = ahead.first().filter(|_| green && from.is_none_or(|from| s <= from));
            let answers = shown.map(|&junction| Answer { junction, call: 0, green: Some(at), owed: None });
            let (orders, reports) = corridors.step(at, answers.as_slice(), &look);
            if let Some(report) = reports.last() {
                ahead = report.gates.iter().map(|gate| gate.junction).collect();
            }
            let (next, rest) = ahead.split_first().expect("signals");
            let asks = |junction: &JunctionId| orders.iter().any(|order| order.junction == *junction);
            assert!(!rest.is_empty() && rest.iter().all(asks), "second {s}: those behind it are asked");
            let waits = from.is_some_and(|from| (from..=20).contains(&s));
            assert_eq!(asks(next), !waits, "second {s}, {speed} m/s, {green}");
        }
    }
}

//! Something lies on the road ahead, and nobody has told of it.

use greenwave::network::Network;
use greenwave::network::limits::Limits;
use greenwave::time::{Span, Time};
use greenwave::twin::city::{self, morning};
use greenwave::twin::demand::Demand;
use greenwave::twin::{Closed, Incident, SensorFaults};

use crate::street::Street;

/// A road in the middle of the way lets nobody in from before the call on. The queue before it has green and does not move:
/// the way is planned anew long before the vehicle would stand there, and it is there earlier than one that stays on its
/// way.
#[test]
fn a_road_that_lets_nobody_in_is_gone_round_before_the_vehicle_stands_before_it() {
    let network = Network::build(city::demo(), &Limits::default()).expect("the city is sound");
    let span = Span::from_s(1800);
    let call = &morning::demand(&network, span, 13).calls[0];
    let way: Vec<String> = call.route.iter().map(|&link| network.link(link).name.to_string()).collect();
    let way: Vec<&str> = way.iter().map(String::as_str).collect();
    let gates: Vec<usize> =
        (0..way.len() - 1).filter(|&row| network.junction_at_end(call.route[row]).is_some()).collect();
    let shut = call.route[gates[gates.len() * 2 / 3] + 1];
    let drive = |follows: bool| {
        let quiet = |network: &Network| Demand { calls: Vec::new(), ..morning::demand(network, span, 1) };
        let mut street = Street::with(city::demo(), quiet, &[(420, &way)], |_, options| {
            options.sensors = SensorFaults::ORDINARY;
            options.incidents =
                vec![Incident { place: Closed::Link(shut), from: Time::from_s(240), until: Time::from_s(1100) }];
        });
        street.follows = follows;
        street.run(900, |_, _| {});
        street.lawful();
        street
    };
    let (turns, stays) = (drive(true), drive(false));
    let said = turns.said("call-1", "does not move: planned anew").expect("it is noticed");
    let [own, other] = [&turns, &stays].map(|street| &street.ambulances()[0]);
    let took = own.travel_time.expect("it arrives");
    assert!(!own.route.contains(&shut) && own.route.last() == other.route.last(), "{:?}", own.route);
    let stood = stays.said("call-1", "it stands");
    // It would have stood there for 90 s before it was thought to be parked.
    assert!(stood.is_none_or(|stood| said + 60 < stood), "noticed at {said}, parked at {stood:?}");
    assert!(other.travel_time.is_none_or(|stays| took + Span::from_s(60) < stays), "{took} {:?}", other.travel_time);
}

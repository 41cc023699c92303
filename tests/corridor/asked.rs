//! A flood of requests.

use greenwave::corridor::State;
use greenwave::event::{Event, PriorityClass, PriorityRequest};
use greenwave::time::Time;
use greenwave::twin::city::small;

use crate::street::Street;

/// An authority that asks for fifty vehicles in a minute gets as many as it may; the others are refused and told why,
/// and another authority's ambulance comes through as ever.
#[test]
fn a_flood_of_requests_is_dammed_by_authority() {
    let mut street = Street::new(small::corridor(), small::demand, &[(240, &["West>Ash", "Fir>East"])]);
    let link = |name| street.network.link_named(name).expect("a road");
    let (from, to) = (link("Fir North>Fir"), link("Fir>Fir South"));
    let request = |row: i64, now: Time| {
        Event::from(PriorityRequest {
            id: format!("flood-{row}").into(),
            at: now,
            authority: "somebody".into(),
            vehicle: format!("flood-{row}").into(),
            class: PriorityClass::Police,
            from,
            to,
            route: Box::default(),
            deadline: None,
        })
    };
    street.run(600, |now, events| {
        let row = now.ms() / 1000 - 230;
        events.extend((0..50).contains(&row).then(|| request(row, now)));
    });
    street.lawful();
    let of_flood = |state: State| {
        let own = street.reports.iter().filter(|r| *r.request.authority == *"somebody");
        own.filter(|r| r.state == state).count()
    };
    assert_eq!((of_flood(State::Refused), of_flood(State::Requested)), (40, 10));
    let why = street.reports.iter().find(|r| r.state == State::Refused).expect("a refusal");
    assert_eq!(&*why.why, "its authority has made too many requests within a minute");
    assert_eq!(of_flood(State::TimedOut), 10, "nothing is heard of their vehicles");
    assert!(street.ratios()[0] < 1.25, "{:?}", street.ratios());
}

//! A vehicle that falls silent, one that turns off, one that parks, one whose speed nobody can have.

use greenwave::corridor::State;
use greenwave::event::{Event, Position};
use greenwave::network::route::Router;
use greenwave::twin::city::small;

use crate::street::{Street, position_of, request_of};

const ALONG: &[&str] = &["West>Ash", "Fir>East"];

fn along() -> Street {
    Street::new(small::corridor(), small::demand, &[(240, ALONG)])
}

/// Nothing is heard of it any more from half way on: its band widens, then it is timed out, its junctions go back to
/// their traffic, and nobody is led for it any more.
#[test]
fn one_whose_positions_end_half_way_is_timed_out() {
    let mut street = along();
    street.run(700, |now, events| {
        let dies = now.ms() / 1000 > 280;
        events.retain(|event| !(dies && matches!(event, Event::Position(_))));
    });
    street.lawful();
    let states = street.states("call-1");
    let timed_out = states.iter().find(|s| s.0 == State::TimedOut).expect("it is timed out").1;
    assert!((305..=315).contains(&timed_out), "{states:?}");
    assert!(street.is_over("call-1"), "{states:?}");
    let width = |at: i64| {
        let report = street.reports.iter().rfind(|r| r.at.ms() / 1000 <= at && r.arrives.is_some()).expect("a report");
        report.arrives.map(|(low, high)| (high - low).s()).expect("a band")
    };
    assert!(width(300) > width(280) + 5.0, "{} {}", width(280), width(300));
    let over = states.last().expect("states").1;
    assert!(street.led.iter().all(|led| led.0.ms() / 1000 <= over), "led after {over}");
}

/// It turns off at Cedar while its request says straight on: its way is planned anew from where it is, if one leads to
/// where it says to go; else it gets no more greens, and when it does not come back it is timed out.
#[test]
fn one_that_turns_off_is_planned_anew_or_given_up() {
    for (says, ends) in [("Cedar>Cedar South", State::Passed), ("Fir>East", State::TimedOut)] {
        let mut street = Street::new(small::corridor(), small::demand, &[(240, &["West>Ash", "Cedar>Cedar South"])]);
        let link = |name| street.network.link_named(name).expect("a road");
        let (from, east, to) = (link("West>Ash"), link("Fir>East"), link(says));
        let router = Router::new(&street.network);
        let (told, _) = router.route(from, east, |l| street.network.link(l).free_flow()).expect("a way");
        let mut last = None;
        street.run(600, |now, events| {
            if let Some(request) = request_of(events) {
                (request.route, request.to) = (told.clone().into(), to);
            }
            match position_of(events, "ambulance-1") {
                Some(position) => last = Some(position.clone()),
                // It has arrived; there it stays and goes on to say where it is.
                None => events.extend(last.clone().map(|p| Event::Position(Position { at: now, speed: 0.0, ..p }))),
            }
        });
        street.lawful();
        let left = street.said("call-1", "left its way").expect("it is noticed");
        let turned = 240 + street.ambulances()[0].travel_time.expect("it arrives").ms() / 1000 - 18;
        assert!((turned..turned + 20).contains(&left), "left at {turned}, noticed at {left}");
        let states: Vec<State> = street.states("call-1").into_iter().map(|s| s.0).collect();
        assert_eq!(states[3], ends, "{says}");
        // Whether others have been paid back in time is told in either case.
        assert!(matches!(states[4..], [State::Recovered | State::Unrecovered]), "{says}: {states:?}");
        assert!(street.led.iter().all(|led| led.0.ms() / 1000 < left + 100), "{says}: led after {left}");
    }
}

/// It stands before Birch for good: after a while others have their greens, and nobody waits for longer than he may.
#[test]
fn a_parked_one_holds_nobody_up() {
    let mut street = along();
    let mut place = None;
    street.run(700, |now, events| {
        let at = now.ms() / 1000;
        if let Some(position) = position_of(events, "ambulance-1") {
            if at <= 270 {
                place = Some(position.point);
            } else if let Some(point) = place {
                (position.point, position.speed) = (point, 0.0);
            }
        } else if let (true, Some(point)) = ((271..640).contains(&at), place) {
            // The twin's own ambulance has long arrived.
            events.push(Event::Position(Position {
                vehicle: "ambulance-1".into(),
                at: now,
                point,
                speed: 0.0,
                heading: None,
            }));
        }
    });
    street.lawful();
    let stands = street.said("call-1", "it stands").expect("it is noticed");
    assert!((355..=370).contains(&stands), "{stands}");
    let after = street.led.iter().filter(|led| led.0.ms() / 1000 > stands + 120).count();
    assert_eq!(after, 0, "nobody is led for it any more");
    let max = street.network.junctions().values().flat_map(|j| j.groups.values().map(|g| g.max_red.span)).max();
    assert!(Some(street.longest_wait("Birch")) <= max);
}

/// Half of its positions claim 200 m/s and a place kilometres away: they count for nothing, and it comes through as if
/// they were missing.
#[test]
fn absurd_speeds_count_for_nothing() {
    let mut street = along();
    let mut odd = false;
    street.run(700, |_, events| {
        odd = !odd;
        if let Some(position) = position_of(events, "ambulance-1").filter(|_| odd) {
            position.speed = 200.0;
            position.point.x += 3000.0;
        }
    });
    street.lawful();
    assert_eq!(street.said("call-1", "left its way"), None);
    let states: Vec<State> = street.states("call-1").into_iter().map(|s| s.0).collect();
    assert!(states.contains(&State::Passed), "{states:?}");
    assert!(street.ratios()[0] < 1.15, "{:?}", street.ratios());
}

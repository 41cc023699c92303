//! Two that cross, five at once, one after another until others have waited long enough.

use greenwave::corridor::State;
use greenwave::network::Network;
use greenwave::network::limits::Limits;
use greenwave::time::Span;
use greenwave::twin::city::{self, morning, small};
use greenwave::twin::demand::Demand;

use crate::street::Street;

/// Two meet at Cedar at the same time: one is let through first and the other right after it; neither is late by more
/// than the first one's passing takes.
#[test]
fn two_that_cross_pass_one_after_the_other() {
    // Both would come to Cedar 100 s after the start of the second one's call.
    let calls: &[(i64, &[&str])] =
        &[(240, &["West>Ash", "Fir>East"]), (285, &["Cedar North>Cedar", "Cedar>Cedar South"])];
    let mut street = Street::new(small::corridor(), small::demand, calls);
    street.run(700, |_, _| {});
    street.lawful();
    for call in ["call-1", "call-2"] {
        let states: Vec<State> = street.states(call).into_iter().map(|s| s.0).collect();
        use State::{Active, Passed, Planned, Requested};
        assert!(states.starts_with(&[Requested, Planned, Active, Passed]), "{call}: {states:?}");
        assert!(street.is_over(call), "{call}: {states:?}");
    }
    let ratios = street.ratios();
    assert!(ratios[0] < 1.15 && ratios[1] < 1.7, "{ratios:?}");
}

/// Five calls within a minute in the city: all arrive, and take a quarter more than their free-flow time at most, on the
/// mean.
#[test]
fn five_at_once_all_arrive() {
    let network = Network::build(city::demo(), &Limits::default()).expect("the city is sound");
    let span = Span::from_s(1800);
    let mut calls: Vec<_> = (11..16).flat_map(|seed| morning::demand(&network, span, seed).calls).collect();
    for (row, call) in calls.iter_mut().enumerate() {
        call.depart = Span::from_s(300 + 10 * row as i64);
    }
    let names = |call: &greenwave::twin::demand::Call| -> Vec<String> {
        call.route.iter().map(|&link| network.link(link).name.to_string()).collect()
    };
    let ways: Vec<(i64, Vec<String>)> = calls.iter().map(|call| (call.depart.ms() / 1000, names(call))).collect();
    let ways: Vec<(i64, Vec<&str>)> =
        ways.iter().map(|(s, way)| (*s, way.iter().map(String::as_str).collect())).collect();
    let ways: Vec<(i64, &[&str])> = ways.iter().map(|(s, way)| (*s, &way[..])).collect();
    let quiet = |network: &Network| Demand { calls: Vec::new(), ..morning::demand(network, span, 1) };
    let mut street = Street::new(city::demo(), quiet, &ways);
    street.run(1200, |_, _| {});
    street.lawful();
    let ratios = street.ratios();
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    assert!(ratios.len() == 5 && mean < 1.25, "{ratios:?}");
}

/// An ambulance a minute along the avenue: whoever crosses it is served before he has waited for too long, and before
/// the next call where that has to be.
#[test]
fn nobody_starves() {
    let calls: Vec<(i64, &[&str])> = (0..8).map(|row| (200 + 45 * row, &["West>Ash", "Fir>East"] as &[&str])).collect();
    let mut street = Street::new(small::corridor(), small::demand, &calls);
    street.run(900, |_, _| {});
    street.lawful();
    let max = street.network.junctions().values().flat_map(|j| j.groups.values().map(|g| g.max_red.span)).max();
    for junction in ["Ash", "Birch", "Cedar", "Elm", "Fir"] {
        let wait = street.longest_wait(junction);
        assert!(Some(wait) <= max, "{junction}: {wait}");
    }
    let ratios = street.ratios();
    assert!(ratios.iter().sum::<f64>() / 8.0 < 1.3, "{ratios:?}");
}

//! After a call: what it cost others is measured, paid back within three cycles to whoever has waited longest first, and
//! told; or it is told that it was not.

use std::collections::BTreeMap;

use greenwave::corridor::recovery::{Account, CYCLES_MAX, Standing, paid_back};
use greenwave::corridor::{Report, State};
use greenwave::ids::{GroupId, JunctionId};
use greenwave::network::limits::Limits;
use greenwave::network::{GroupKind, Network};
use greenwave::time::{Span, Time};
use greenwave::twin::city::{self, morning, small};
use greenwave::twin::demand::Demand;
use greenwave::twin::{Closed, Incident, SensorFaults};

use crate::street::Street;

const ALONG: &[&str] = &["West>Ash", "Fir>East"];

/// Every other trip of the small world's.
fn half(network: &Network) -> Demand {
    let demand = small::demand(network);
    Demand { trips: demand.trips.into_iter().step_by(2).collect(), ..demand }
}

/// Each second's number of vehicles that stand before each junction, by the twin's own account.
type Stood = BTreeMap<JunctionId, Vec<i64>>;

/// What the engine counts by is right: it is what it makes of it that is looked at.
fn run(calls: &[(i64, &[&str])], shut: &[&str]) -> (Street, Stood) {
    let mut street = Street::with(small::corridor(), half, calls, |network, options| {
        options.sensors = SensorFaults::default();
        let closed = |&link: &&str| Incident {
            place: Closed::Link(network.link_named(link).expect("a road")),
            from: Time::from_s(200),
            until: Time::from_s(2000),
        };
        options.incidents = shut.iter().map(closed).collect();
    });
    let mut stood = Stood::new();
    for _ in 0..800 {
        street.run(1, |_, _| {});
        for id in street.network.junctions().ids() {
            stood.entry(id).or_default().push(street.standing(id) as i64);
        }
    }
    street.lawful();
    (street, stood)
}

fn last(street: &Street) -> &Report {
    street.reports.last().expect("reports")
}

fn cycle(street: &Street, account: &Account) -> Span {
    street.network.junction(account.junction).base_program().cycle()
}

#[test]
fn what_a_call_cost_is_told_by_junction_and_when_it_was_paid_back() {
    let (street, _) = run(&[(240, ALONG)], &[]);
    let report = last(&street);
    assert_eq!(report.state, State::Recovered, "{report:?}");
    let passed = street.reports.iter().find(|r| r.state == State::Passed).expect("it is through");
    assert_eq!(report.ended, Some(passed.at), "its end stays the vehicle's end");
    assert!(report.accounts.len() >= 4, "{:?}", report.accounts);
    for account in &report.accounts {
        assert_eq!(account.standing, Standing::PaidBack, "{account:?}");
        let (released, back) = account.released.zip(account.back).expect("it is back");
        assert!(released <= back && back <= account.since, "{account:?}");
        assert!(account.since - released <= cycle(&street, account) * CYCLES_MAX, "{account:?}");
    }
    let measured: f64 = report.accounts.iter().map(|a| a.extra_veh_s).sum();
    assert!((report.extra_veh_s - measured).abs() < 1e-6, "{report:?}");
    assert_eq!(paid_back(&report.accounts), report.accounts.iter().map(|a| a.since).max());
}

/// The measure against what nobody but the twin can know, the same minutes without the call: over several, for one alone
/// meets a red more or less.
#[test]
fn what_calls_cost_is_measured_within_a_factor_of_two() {
    let (_, without) = run(&[], &[]);
    let (mut measured, mut real) = (0.0, 0.0);
    for begun in [180, 240, 300, 360] {
        let (street, with) = run(&[(begun, ALONG)], &[]);
        for account in &last(&street).accounts {
            let of = |stood: &Stood, s: usize| stood[&account.junction][s - 1];
            let seconds = begun as usize..account.since.ms() as usize / 1000;
            real += seconds.map(|s| (of(&with, s) - of(&without, s)).max(0) as f64).sum::<f64>();
            measured += account.extra_veh_s;
        }
    }
    assert!((0.5..2.0).contains(&(measured / real)), "measured {measured}, real {real}");
}

/// Nobody can leave Cedar to the side, so its queues only grow: that is told, with what was measured.
#[test]
fn what_is_not_paid_back_within_three_cycles_is_said() {
    let (street, _) = run(&[(240, ALONG)], &["Cedar>Cedar North", "Cedar>Cedar South"]);
    let report = last(&street);
    assert_eq!(report.state, State::Unrecovered, "{report:?}");
    assert!(report.why.contains("did not pay back within 3 cycles"), "{}", report.why);
    let cedar = street.network.junction_named("Cedar").expect("it is there");
    let account = report.accounts.iter().find(|a| a.junction == cedar).expect("its account");
    assert!(account.standing == Standing::Overdue && account.extra_veh_s > 100.0, "{account:?}");
    let took = account.since - account.released.expect("the vehicle is through");
    let most = cycle(&street, account) * CYCLES_MAX;
    assert!((most..=most + Span::from_s(2)).contains(&took), "{took}");
    assert_eq!(paid_back(&report.accounts), None);
}

/// In the city, where junctions may serve their stages in any order: of the vehicles that waited when the one on its way was
/// through, those who had waited longest are nearly everywhere among the first to be served.
#[test]
fn who_has_waited_longest_is_served_first() {
    let network = Network::build(city::demo(), &Limits::default()).expect("the city is sound");
    let span = Span::from_s(1800);
    let mut calls: Vec<_> = (11..16).flat_map(|seed| morning::demand(&network, span, seed).calls).collect();
    for (row, call) in calls.iter_mut().enumerate() {
        call.depart = Span::from_s(300 + 100 * row as i64);
    }
    let name = |link: &greenwave::ids::LinkId| network.link(*link).name.to_string();
    let ways: Vec<Vec<String>> = calls.iter().map(|call| call.route.iter().map(name).collect()).collect();
    let ways: Vec<Vec<&str>> = ways.iter().map(|way| way.iter().map(String::as_str).collect()).collect();
    let calls: Vec<(i64, &[&str])> =
        ways.iter().zip(&calls).map(|(way, call)| (call.depart.ms() / 1000, &way[..])).collect();
    let (mut all, mut first) = (0, 0);
    // In one morning only a dozen junctions are given back where several groups wait.
    for seed in 1..=3 {
        let quiet = |network: &Network| Demand { calls: Vec::new(), ..morning::demand(network, span, seed) };
        let mut street = Street::new(city::demo(), quiet, &calls);
        street.run(1300, |_, _| {});
        street.lawful();
        let closed = street.reports.iter().filter(|r| matches!(r.state, State::Recovered | State::Unrecovered));
        for account in closed.flat_map(|report| &report.accounts) {
            let junction = street.network.junction(account.junction);
            let free = |from| junction.stages.ids().all(|to| from == to || junction.may_follow(from, to));
            let Some(released) = account.released.filter(|_| junction.stages.ids().all(free)) else { continue };
            let served = served(&street, account.junction, released);
            if let (Some(begins), Some(longest)) = (served.iter().map(|s| s.0).min(), served.iter().max_by_key(|s| s.1))
            {
                all += usize::from(served.len() > 1);
                first += usize::from(served.len() > 1 && longest.0 - begins < ONE_STAGE);
            }
        }
    }
    // By chance it were less than half.
    assert!(all >= 30 && first * 4 >= all * 3, "{first} of {all} junctions");
}

/// Groups of one stage turn green within this.
const ONE_STAGE: Span = Span::from_s(6);

/// When each group of vehicles that waited at `released` was served after that, and how long it had waited by then.
fn served(street: &Street, junction: JunctionId, released: Time) -> Vec<(Time, Span)> {
    let vehicles = |group: GroupId| street.network.junction(junction).groups[group].kind == GroupKind::Vehicle;
    let mut seen = BTreeMap::new();
    for &(at, place, group, since) in &street.served {
        if place == junction && since < released && at > released && vehicles(group) {
            seen.entry(group).or_insert((at, released - since));
        }
    }
    seen.into_values().collect()
}

//! What in outputs and events is alarming, and what says that it is over.

use super::board::{STANDSTILL, Snapshot};
use crate::alarm::{Cause, Kind, Place, Sighting};
use crate::corridor::{Report, State};
use crate::event::{ControllerFault, Status};
use crate::ids::{JunctionId, LinkId, Table, ZoneId, span};
use crate::network::{Network, Sensors};
use crate::output::{AlarmKind, Output};
use crate::plan::ladder::SILENCE_MAX;
use crate::time::{Span, Time};

/// A link is congested from this delay index on, and until it is below the second.
const CONGESTED: (f64, f64) = (6.0, 4.0);
/// Less time spent on it in a minute is nobody's alarm, vehicle-seconds.
const CONGESTED_VEH_S: f64 = 300.0;
/// A queue fills its link from this share on, and until it is below the second.
const FULL: (f64, f64) = (0.9, 0.7);
/// A queued vehicle takes this much road, m.
const SPACING_M: f64 = 7.5;
/// So many rejected readings of a zone in a minute are alarming, for each of its sensors; and at least so many.
const REJECTED_EACH: u32 = 6;
const REJECTED_LEAST: u32 = 60;
/// A green wave is late from so long after its first promise on.
const LATE: Span = Span::from_s(60);

/// A sighting with what exactly is there, for people; nothing where it is not.
fn at_junction(network: &Network, id: JunctionId, kind: Kind, text: Option<String>) -> Sighting {
    sighting(kind, Place::Junction(id), network.junction(id).zone, text)
}

fn on_link(network: &Network, id: LinkId, kind: Kind, text: Option<String>) -> Sighting {
    sighting(kind, Place::Link(id), network.link(id).zone, text)
}

fn sighting(kind: Kind, place: Place, zone: ZoneId, text: Option<String>) -> Sighting {
    let there = text.is_some();
    Sighting { cause: Cause { kind, place }, zone, there, text: text.unwrap_or_default().into() }
}

/// What one output says.
pub(super) fn of(output: &Output, network: &Network, sensors: &Sensors, open: &Snapshot, seen: &mut Vec<Sighting>) {
    match output {
        Output::Alarm(alarm) => {
            let (kind, text) = match alarm.kind {
                AlarmKind::Silent(span) => (Kind::Silent, format!("controller silent for {span}")),
                AlarmKind::Fault(fault) => (Kind::Fault, fault_words(network, alarm.junction, fault)),
                AlarmKind::Refuses(revision) => (Kind::Deviates, format!("controller refuses plan {}", revision.0)),
                AlarmKind::Mismatch(group) => {
                    let group = &network.junction(alarm.junction).groups[group].name;
                    (Kind::Deviates, format!("group {group} does not show its plan"))
                }
            };
            seen.push(at_junction(network, alarm.junction, kind, Some(text)));
        }
        Output::Corridor(report) => {
            let wave = open.waves.get(&report.request.id);
            seen.extend(late(report, wave.and_then(|w| w.promised), network));
        }
        Output::Health(change) => {
            let link = sensors.table()[change.sensor].link;
            let on = sensors.on(link);
            let bad = on.iter().filter(|&&s| !open.sensors[s].0.usable() && open.sensors[s].1.is_some()).count();
            let text = || format!("{bad} of {} sensors cannot be believed", on.len());
            seen.push(on_link(network, link, Kind::Sensors, (bad > 0).then(text)));
        }
        _ => {}
    }
}

fn fault_words(network: &Network, at: JunctionId, fault: ControllerFault) -> String {
    match fault {
        ControllerFault::Lamp(group) => {
            format!("a lamp of group {} does not light", network.junction(at).groups[group].name)
        }
        ControllerFault::Conflict => "its conflict monitor tripped".into(),
        ControllerFault::Power => "its power is failing".into(),
        ControllerFault::Clock => "its clock is off".into(),
    }
}

/// Whether a green wave is late: it lost its vehicle, or will be there long after it said at first, or after its own
/// deadline.
fn late(report: &Report, promised: Option<Time>, network: &Network) -> Option<Sighting> {
    let vehicle = &report.request.vehicle;
    let on = |text| Some(on_link(network, report.request.to, Kind::GreenWave, text));
    match report.state {
        State::TimedOut => on(Some(format!("{vehicle}: {}", report.why))),
        State::Passed | State::Cancelled | State::Recovered | State::Unrecovered => on(None),
        State::Active => {
            let (latest, due) = (report.arrives?.1, promised.map(|p| p + LATE));
            let due = due.into_iter().chain(report.request.deadline).min()?;
            on((latest > due).then(|| format!("{vehicle}: {} later than is due", latest - due)))
        }
        State::Preview | State::Requested | State::Planned | State::Refused => None,
    }
}

/// A controller that was silent has spoken.
pub(super) fn heard(status: &Status, network: &Network, open: &Snapshot, seen: &mut Vec<Sighting>) {
    let before = open.junctions.get(status.junction).and_then(|row| row.status.as_ref());
    if before.is_some_and(|before| status.at - before.at > SILENCE_MAX) {
        seen.push(at_junction(network, status.junction, Kind::Silent, None));
    }
}

/// What a full minute says: congestion, spill-back, rejections.
pub(super) fn minute(
    network: &Network,
    sensors: &Sensors,
    open: &Snapshot,
    rejected: &mut Table<ZoneId, u32>,
    seen: &mut Vec<Sighting>,
) {
    let mut most = Table::filled(0, network.zones().len());
    sensors.table().values().for_each(|s| most[network.link(s.link).zone] += REJECTED_EACH);
    for (id, row) in open.links.iter() {
        if let Some(last) = row.last.filter(|last| last.end == open.now) {
            let busy = last.spent_veh_s >= CONGESTED_VEH_S;
            let there = last.delay_index >= CONGESTED.0 && busy;
            if there || last.delay_index < CONGESTED.1 || !busy {
                let text = || match last.delay_index >= STANDSTILL {
                    true => "nobody got through in a minute".to_owned(),
                    false => format!("delay index {:.1}", last.delay_index),
                };
                seen.push(on_link(network, id, Kind::Congestion, there.then(text)));
            }
        }
        let link = network.link(id);
        let queued: f64 = span(&link.lanes).map(|lane| f64::from(open.lanes[lane].queue)).sum();
        let share = queued * SPACING_M / (link.length.get() * link.lane_count().max(1) as f64).max(1.0);
        if share >= FULL.0 || share < FULL.1 {
            let text = || format!("queues fill {:.0} % of it", share * 100.0);
            seen.push(on_link(network, id, Kind::SpillBack, (share >= FULL.0).then(text)));
        }
    }
    for (zone, count) in rejected.iter_mut() {
        let there = *count > most[zone].max(REJECTED_LEAST);
        let text = there.then(|| format!("{count} readings rejected in a minute"));
        seen.push(sighting(Kind::Rejections, Place::Zone(zone), zone, text));
        *count = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::{Event, PriorityClass, PriorityRequest};
    use crate::ids::Id;
    use crate::network::limits::Limits;
    use crate::shell::http::board::Board;
    use crate::twin::city::small;

    #[test]
    fn a_green_wave_is_late_by_its_first_promise_or_its_deadline_and_when_it_is_lost() {
        let network = Arc::new(Network::build(small::corridor(), &Limits::default()).expect("sound"));
        let (from, to) = (LinkId::of(0), LinkId::of(1));
        let at = Time::from_s;
        // (deadline s, what is said of it: second, state, arrives at the latest; what is seen then)
        type Said = (i64, State, Option<i64>, Option<bool>);
        let cases: [(Option<i64>, &[Said]); 4] = [
            // A minute later than first promised is late; what is made good is over.
            (
                None,
                &[
                    (1, State::Planned, Some(100), None),
                    (2, State::Active, Some(160), Some(false)),
                    (3, State::Active, Some(161), Some(true)),
                    (4, State::Active, Some(150), Some(false)),
                    (5, State::Passed, None, Some(false)),
                ],
            ),
            // Its own deadline comes before that.
            (Some(120), &[(1, State::Active, Some(100), Some(false)), (2, State::Active, Some(121), Some(true))]),
            (None, &[(1, State::TimedOut, None, Some(true)), (2, State::Recovered, None, Some(false))]),
            // Nothing is known of when it is there: nothing is late.
            (None, &[(1, State::Active, None, None), (2, State::Refused, None, None)]),
        ];
        for (deadline, told) in cases {
            let mut board = Board::new(Arc::clone(&network), Arc::default(), at(0), 0);
            let request = PriorityRequest {
                id: "r1".into(),
                at: at(0),
                authority: "".into(),
                vehicle: "a7".into(),
                class: PriorityClass::Ambulance,
                from,
                to,
                route: [].into(),
                deadline: deadline.map(at),
            };
            board.tick(at(0), &[Event::from(request.clone())], &[]);
            for &(second, state, latest, seen) in told {
                let report = Report {
                    at: at(second),
                    request: request.clone(),
                    state,
                    why: "a test".into(),
                    route: vec![from, to],
                    gates: Vec::new(),
                    arrives: latest.map(|latest| (at(latest - 10), at(latest))),
                    alternatives: Vec::new(),
                    cost_veh_s: 0.0,
                    extra_veh_s: 0.0,
                    accounts: Vec::new(),
                    ended: None,
                };
                let sightings = board.tick(at(second), &[], &[Output::Corridor(Box::new(report))]);
                let waves = sightings.iter().filter(|s| s.cause.kind == Kind::GreenWave);
                let waves: Vec<bool> = waves.map(|s| s.there).collect();
                assert_eq!(waves, Vec::from_iter(seen), "{deadline:?} {second} s {state:?}");
            }
        }
    }
}

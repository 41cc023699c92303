//! What in outputs and events is alarming, and what says that it is over.

use super::board::Snapshot;
use crate::alarm::{Cause, Kind, Place, Sighting};
use crate::corridor::{Report, State};
use crate::event::Status;
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

fn at_junction(network: &Network, id: JunctionId, kind: Kind, there: bool, text: String) -> Sighting {
    let cause = Cause { kind, place: Place::Junction(id) };
    Sighting { cause, zone: network.junction(id).zone, there, text: text.into() }
}

fn on_link(network: &Network, id: LinkId, kind: Kind, there: bool, text: String) -> Sighting {
    Sighting { cause: Cause { kind, place: Place::Link(id) }, zone: network.link(id).zone, there, text: text.into() }
}

/// What one output says.
pub(super) fn of(output: &Output, network: &Network, sensors: &Sensors, open: &Snapshot, seen: &mut Vec<Sighting>) {
    match output {
        Output::Alarm(alarm) => {
            let (kind, text) = match alarm.kind {
                AlarmKind::Silent(span) => (Kind::Silent, format!("controller silent for {span}")),
                AlarmKind::Fault(fault) => (Kind::Fault, format!("controller reports {fault:?}")),
                AlarmKind::Refuses(revision) => (Kind::Deviates, format!("controller refuses plan {}", revision.0)),
                AlarmKind::Mismatch(group) => {
                    let group = &network.junction(alarm.junction).groups[group].name;
                    (Kind::Deviates, format!("group {group} does not show its plan"))
                }
            };
            seen.push(at_junction(network, alarm.junction, kind, true, text));
        }
        Output::Corridor(report) => {
            let wave = open.waves.get(&report.request.id);
            seen.extend(late(report, wave.and_then(|w| w.promised), network));
        }
        Output::Health(change) => {
            let link = sensors.table()[change.sensor].link;
            let on = sensors.on(link);
            let bad = on.iter().filter(|&&s| !open.sensors[s].0.usable() && open.sensors[s].1.is_some()).count();
            let text = format!("{bad} of {} sensors cannot be believed", on.len());
            seen.push(on_link(network, link, Kind::Sensors, bad > 0, text));
        }
        _ => {}
    }
}

/// Whether a green wave is late: it lost its vehicle, or will be there long after it said at first, or after its own
/// deadline.
fn late(report: &Report, promised: Option<Time>, network: &Network) -> Option<Sighting> {
    let vehicle = &report.request.vehicle;
    let on = |there, text| Some(on_link(network, report.request.to, Kind::GreenWave, there, text));
    match report.state {
        State::TimedOut => on(true, format!("{vehicle}: {}", report.why)),
        State::Passed | State::Cancelled | State::Recovered => on(false, format!("{vehicle}: {}", report.why)),
        State::Active => {
            let (latest, due) = (report.arrives?.1, promised.map(|p| p + LATE));
            let due = due.into_iter().chain(report.request.deadline).min()?;
            on(latest > due, format!("{vehicle}: {} later than is due", latest - due))
        }
        State::Preview | State::Requested | State::Planned | State::Refused => None,
    }
}

/// A controller that was silent has spoken.
pub(super) fn heard(status: &Status, network: &Network, open: &Snapshot, seen: &mut Vec<Sighting>) {
    let before = open.junctions.get(status.junction).and_then(|row| row.status.as_ref());
    if before.is_some_and(|before| status.at - before.at > SILENCE_MAX) {
        seen.push(at_junction(network, status.junction, Kind::Silent, false, "heard again".into()));
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
                let text = format!("delay index {:.1}", last.delay_index);
                seen.push(on_link(network, id, Kind::Congestion, there, text));
            }
        }
        let link = network.link(id);
        let queued: f64 = span(&link.lanes).map(|lane| f64::from(open.lanes[lane].queue)).sum();
        let share = queued * SPACING_M / (link.length.get() * link.lane_count().max(1) as f64).max(1.0);
        if share >= FULL.0 || share < FULL.1 {
            let text = format!("queues fill {:.0} % of it", share * 100.0);
            seen.push(on_link(network, id, Kind::SpillBack, share >= FULL.0, text));
        }
    }
    for (zone, count) in rejected.iter_mut() {
        let cause = Cause { kind: Kind::Rejections, place: Place::Zone(zone) };
        let text = format!("{count} readings rejected in a minute").into();
        seen.push(Sighting { cause, zone, there: *count > most[zone].max(REJECTED_LEAST), text });
        *count = 0;
    }
}

//! The board: what the control centre sees, fed by events and outputs tick by tick, read as one immutable snapshot.
//!
//! Whoever steps the engine writes and never waits for readers: a snapshot is swapped in whole, and what did not change
//! is shared with the one before it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::sightings;
use crate::alarm::Sighting;
use crate::corridor::{Report, State};
use crate::event::{Action, Event, Position, PriorityRequest, Seen, Status};
use crate::ids::{JunctionId, LaneId, LinkId, SensorId, StageId, Table, ZoneId};
use crate::network::{Network, Sensors};
use crate::output::{CommandOutcome, IndexReport, Output, Published, Refused, RungChange, Subject};
use crate::plan::draft::Change;
use crate::time::{Span, Time};
use crate::traffic::forecast::{AHEAD, Forecast};
use crate::traffic::health::Health;

/// Minutes of a zone's index that are kept: a day.
const ZONE_MINUTES: usize = 1440;
/// Minutes of a link's.
const LINK_MINUTES: usize = 60;
/// The delay index of a road on which vehicles stood and none drove: its index is no ratio, and it is not 1.
pub const STANDSTILL: f64 = 100.0;
/// So much time on it says that vehicles stood, vehicle-seconds a minute.
const STANDING_VEH_S: f64 = 30.0;
/// Past changes of stage are shown for this long.
const PAST: Span = Span::from_s(300);
/// Outcomes of commands that are kept.
const OUTCOMES: usize = 500;
/// Priority requests that are kept.
const REQUESTS: usize = 100;

/// One junction as it was last heard of.
#[derive(Debug, Clone, Default)]
pub struct JunctionRow {
    /// Its running plan.
    pub plan: Option<Arc<Published>>,
    /// Its rung.
    pub rung: Option<Arc<RungChange>>,
    /// What its controller reported.
    pub status: Option<Arc<Status>>,
    /// The last draft that was refused.
    pub refused: Option<Arc<Refused>>,
    /// Changes of stage before the running plan.
    pub past: Arc<VecDeque<Change>>,
    /// Held until released.
    pub held: bool,
    /// Pinned to a program, by name, until then.
    pub pinned: Option<(Arc<str>, Time)>,
}

impl JunctionRow {
    /// The changes of stage from `from` to `until` as far as they are known and planned.
    pub fn changes(&self, from: Time, until: Time) -> Vec<Change> {
        let planned = self.plan.iter().flat_map(|p| p.plan.draft().changes()).take_while(|c| c.at < until).take(500);
        let begins = self.plan.as_ref().map_or(Time::NEVER, |p| p.plan.draft().effective_from);
        let mut all: Vec<Change> = self.past.iter().copied().filter(|c| c.at < begins).chain(planned).collect();
        let first = all.iter().rposition(|c| c.at <= from).unwrap_or(0);
        all.drain(..first);
        all
    }

    /// The order in force at `now`, in words: as the engine has it, where a hold waits below a pin.
    pub fn order(&self, now: Time) -> Option<String> {
        match &self.pinned {
            Some((program, until)) if now < *until => Some(format!("pinned to {program} until {until}")),
            _ => self.held.then(|| "held".to_owned()),
        }
    }

    /// The stage at `now`.
    pub fn stage(&self, now: Time) -> Option<StageId> {
        self.changes(now, now + Span::from_ms(1)).first().filter(|c| c.at <= now).map(|c| c.stage)
    }
}

/// A link's or a zone's congestion, the newest minute last.
#[derive(Debug, Clone, Default)]
pub struct IndexRow {
    /// The last report.
    pub last: Option<IndexReport>,
    /// Minute by minute.
    pub trend: VecDeque<(Time, f32)>,
    /// What it will be, where such a day was seen before: of zones alone.
    pub forecast: Vec<(Time, f32)>,
}

impl IndexRow {
    fn push(&mut self, report: &IndexReport, most: usize) {
        let mut report = *report;
        if report.free_flow_veh_s <= 0.0 && report.spent_veh_s >= STANDING_VEH_S {
            report.delay_index = STANDSTILL;
        }
        self.last = Some(report);
        if self.trend.len() >= most {
            self.trend.pop_front();
        }
        self.trend.push_back((report.end, report.delay_index as f32));
    }
}

/// What a camera sees of a lane.
#[derive(Debug, Clone, Copy, Default)]
pub struct LaneRow {
    /// Vehicles in view.
    pub vehicles: u16,
    /// Those that stand.
    pub queue: u16,
    /// When.
    pub at: Option<Time>,
}

/// A vehicle that asked for priority.
#[derive(Debug, Clone)]
pub struct Wave {
    /// What it asked for.
    pub request: Arc<PriorityRequest>,
    /// Where it was last.
    pub position: Option<Position>,
    /// What the engine last said of it.
    pub report: Option<Arc<Report>>,
    /// When it was to be there at the latest, as first promised.
    pub promised: Option<Time>,
}

impl Wave {
    /// Where it stands.
    pub fn state(&self) -> State {
        self.report.as_ref().map_or(State::Requested, |r| r.state)
    }

    /// The links it concerns: its whole way where that is known, both ends at least.
    pub fn way(&self) -> impl Iterator<Item = LinkId> {
        let ahead = self.report.iter().flat_map(|r| &r.route);
        [self.request.from, self.request.to].into_iter().chain(self.request.route.iter().chain(ahead).copied())
    }
}

/// Everything at one instant.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Its number: counts up with every publication.
    pub seq: u64,
    /// The end of the engine's last tick.
    pub now: Time,
    /// When it was published, by the wall clock.
    pub published: Time,
    /// Whether the run is over: nothing will come any more, and nothing is wrong.
    pub ended: bool,
    /// Junctions.
    pub junctions: Arc<Table<JunctionId, Arc<JunctionRow>>>,
    /// Links.
    pub links: Arc<Table<LinkId, IndexRow>>,
    /// Lanes.
    pub lanes: Arc<Table<LaneId, LaneRow>>,
    /// Zones.
    pub zones: Arc<Table<ZoneId, IndexRow>>,
    /// Sensors' health, and since when.
    pub sensors: Arc<Table<SensorId, (Health, Option<Time>)>>,
    /// Green waves by request.
    pub waves: Arc<BTreeMap<Box<str>, Wave>>,
    /// What came of the last commands.
    pub outcomes: Arc<VecDeque<CommandOutcome>>,
}

/// The writer's side.
#[derive(Debug)]
pub struct Board {
    network: Arc<Network>,
    sensors: Arc<Sensors>,
    open: Snapshot,
    ordered: BTreeMap<Box<str>, Action>,
    rejected: Table<ZoneId, u32>,
    forecasts: Table<ZoneId, Forecast>,
}

impl Board {
    /// An empty board at `now`; its publications are numbered from after `seq` on.
    pub fn new(network: Arc<Network>, sensors: Arc<Sensors>, now: Time, seq: u64) -> Self {
        let open = Snapshot {
            seq,
            now,
            published: Time::LONG_AGO,
            ended: false,
            junctions: Arc::new(Table::filled(Arc::default(), network.junctions().len())),
            links: Arc::new(Table::filled(IndexRow::default(), network.links().len())),
            lanes: Arc::new(Table::filled(LaneRow::default(), network.lanes().len())),
            zones: Arc::new(Table::filled(IndexRow::default(), network.zones().len())),
            sensors: Arc::new(Table::filled((Health::default(), None), sensors.table().len())),
            waves: Arc::default(),
            outcomes: Arc::default(),
        };
        let rejected = Table::filled(0, network.zones().len());
        let forecasts = Table::filled(Forecast::default(), network.zones().len());
        Self { network, sensors, open, ordered: BTreeMap::new(), rejected, forecasts }
    }

    /// The state as it is now, under a new number.
    pub fn publish(&mut self, wall: Time) -> Snapshot {
        self.open.seq += 1;
        self.open.published = wall;
        self.open.clone()
    }

    /// The run is over.
    pub fn end(&mut self) {
        self.open.ended = true;
    }

    /// Books one tick; what was seen in it that concerns alarms.
    pub fn tick(&mut self, now: Time, events: &[Event], outputs: &[Output]) -> Vec<Sighting> {
        self.open.now = now;
        let mut seen = Vec::new();
        for event in events {
            self.hear(event, &mut seen);
        }
        for output in outputs {
            self.book(output);
            sightings::of(output, &self.network, &self.sensors, &self.open, &mut seen);
        }
        if now.within(Span::from_s(60), Span::ZERO) == Span::ZERO {
            sightings::minute(&self.network, &self.sensors, &self.open, &mut self.rejected, &mut seen);
        }
        seen
    }

    fn junction(&mut self, id: JunctionId) -> Option<&mut JunctionRow> {
        Arc::make_mut(&mut self.open.junctions).get_mut(id).map(Arc::make_mut)
    }

    fn hear(&mut self, event: &Event, seen: &mut Vec<Sighting>) {
        match event {
            Event::Reading(reading) => {
                let Seen::Camera { lanes, .. } = &reading.seen else { return };
                let rows = Arc::make_mut(&mut self.open.lanes);
                for view in lanes {
                    if let Some(row) = rows.get_mut(view.lane) {
                        *row = LaneRow { vehicles: view.vehicles, queue: view.queue, at: Some(reading.end) };
                    }
                }
            }
            Event::Status(status) => {
                sightings::heard(status, &self.network, &self.open, seen);
                let status = Arc::new(Status::clone(status));
                if let Some(row) = self.junction(status.junction) {
                    row.status = Some(status);
                }
            }
            Event::Command(command) => {
                if self.ordered.len() >= OUTCOMES {
                    self.ordered.pop_first();
                }
                self.ordered.insert(command.id.clone(), command.action.clone());
            }
            Event::Priority(request) => {
                let waves = Arc::make_mut(&mut self.open.waves);
                if waves.len() >= REQUESTS {
                    let oldest = waves.iter().min_by_key(|(_, w)| (w.state().live(), w.request.at));
                    let oldest = oldest.map(|(id, _)| id.clone());
                    oldest.map(|id| waves.remove(&id));
                }
                let wave = Wave {
                    request: Arc::new(PriorityRequest::clone(request)),
                    position: None,
                    report: None,
                    promised: None,
                };
                waves.insert(request.id.clone(), wave);
            }
            Event::Position(position) => {
                let waves = Arc::make_mut(&mut self.open.waves).values_mut();
                waves
                    .filter(|w| w.request.vehicle == position.vehicle)
                    .for_each(|w| w.position = Some(position.clone()));
            }
            Event::Unreadable(_) | Event::PedestrianCall(_) => {}
        }
    }

    fn book(&mut self, output: &Output) {
        match output {
            Output::Plan(published) => self.plan(published),
            Output::Refused(refused) => {
                let refused = Arc::new(refused.clone());
                if let Some(row) = self.junction(refused.junction) {
                    row.refused = Some(refused);
                }
            }
            Output::Rung(change) => {
                let change = Arc::new(change.clone());
                if let Some(row) = self.junction(change.junction) {
                    row.rung = Some(change);
                }
            }
            Output::Index(report) => match report.subject {
                Subject::Link(link) => {
                    if let Some(row) = Arc::make_mut(&mut self.open.links).get_mut(link) {
                        row.push(report, LINK_MINUTES);
                    }
                }
                Subject::Zone(zone) => {
                    let rows = Arc::make_mut(&mut self.open.zones);
                    if let (Some(row), Some(forecast)) = (rows.get_mut(zone), self.forecasts.get_mut(zone)) {
                        row.push(report, ZONE_MINUTES);
                        let offset = self.network.utc_offset();
                        forecast.minute(report.end, offset, report.delay_index as f32);
                        let ahead = |span| Some((report.end + span, forecast.ahead(report.end, offset, span)?));
                        row.forecast = AHEAD.into_iter().filter_map(ahead).collect();
                    }
                }
            },
            Output::Health(change) => {
                if let Some(row) = Arc::make_mut(&mut self.open.sensors).get_mut(change.sensor) {
                    *row = (change.health, Some(change.at));
                }
            }
            Output::Rejected(rejected) => {
                let zone = self.network.link(self.sensors.table()[rejected.sensor].link).zone;
                self.rejected[zone] += 1;
            }
            Output::Command(outcome) => self.came_of(outcome),
            Output::Corridor(report) if report.state != State::Preview => {
                if let Some(wave) = Arc::make_mut(&mut self.open.waves).get_mut(&report.request.id) {
                    wave.promised = wave.promised.or(report.arrives.map(|a| a.1));
                    wave.report = Some(Arc::new((**report).clone()));
                }
            }
            Output::Unreadable(_) | Output::Alarm(_) | Output::Rejections(_) | Output::Corridor(_) => {}
        }
    }

    fn plan(&mut self, published: &Published) {
        let now = self.open.now;
        let plan = Arc::new(published.clone());
        let Some(row) = self.junction(published.plan.draft().junction) else { return };
        if let Some(old) = row.plan.replace(plan) {
            let until = published.plan.draft().effective_from;
            let past = Arc::make_mut(&mut row.past);
            let last = past.back().map_or(Time::LONG_AGO, |c| c.at);
            let shown = old.plan.draft().changes().take_while(|c| c.at < until).filter(|c| c.at > last).take(100);
            past.extend(shown);
            while past.get(1).is_some_and(|second| second.at < now - PAST) {
                past.pop_front();
            }
        }
    }

    fn came_of(&mut self, outcome: &CommandOutcome) {
        let outcomes = Arc::make_mut(&mut self.open.outcomes);
        if outcomes.len() >= OUTCOMES {
            outcomes.pop_front();
        }
        outcomes.push_back(outcome.clone());
        let action = self.ordered.remove(&outcome.id);
        if outcome.result.is_err() {
            return;
        }
        match action {
            Some(Action::Hold(j)) => {
                if let Some(row) = self.junction(j) {
                    row.held = true;
                }
            }
            Some(Action::Release(j)) => {
                if let Some(row) = self.junction(j) {
                    (row.held, row.pinned) = (false, None);
                }
            }
            Some(Action::Pin { junction, program, until }) => {
                let name = self.network.junction(junction).programs.get(usize::from(program)).map(|p| &*p.name);
                let name = name.unwrap_or_default().into();
                if let Some(row) = self.junction(junction) {
                    row.pinned = Some((name, until));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Command;
    use crate::ids::Id;
    use crate::network::limits::Limits;
    use crate::twin::city::small;

    #[test]
    fn a_road_on_which_all_stand_is_not_free() {
        let report = |spent_veh_s, free_flow_veh_s, delay_index| IndexReport {
            subject: Subject::Link(crate::ids::LinkId::of(0)),
            end: Time::from_s(60),
            interval: Span::from_s(60),
            spent_veh_s,
            free_flow_veh_s,
            delay_index,
            tpi: 0.0,
            quality: crate::traffic::quality::Quality::Measured,
        };
        // (time spent, time at free flow, the ratio as it is reported, what is shown)
        for (spent, free, reported, shown) in [
            (600.0, 200.0, 3.0, 3.0),
            (600.0, 0.0, 1.0, STANDSTILL), // ten stood, none got through
            (0.0, 0.0, 1.0, 1.0),          // nobody was there
            (4.0, 0.0, 1.0, 1.0),          // somebody has just come
        ] {
            let mut row = IndexRow::default();
            row.push(&report(spent, free, reported), LINK_MINUTES);
            assert_eq!(row.last.map(|last| last.delay_index.to_bits()), Some(f64::to_bits(shown)), "{spent} {free}");
        }
    }

    #[test]
    fn orders_are_in_force_as_long_as_the_engine_has_them() {
        let network = Arc::new(Network::build(small::corridor(), &Limits::default()).expect("sound"));
        let mut board = Board::new(Arc::clone(&network), Arc::default(), Time::from_s(0), 0);
        let junction = JunctionId::of(0);
        let program = network.junction(junction).programs[0].name.clone();
        let pin = |until| Action::Pin { junction, program: 0, until: Time::from_s(until) };
        let pinned = |until| Some(format!("pinned to {program} until {}", Time::from_s(until)));
        let held = || Some("held".to_owned());
        // When, what is ordered then, whether the engine does it, and what is in force at that instant.
        for (row, (at, action, done, in_force)) in [
            (1, Some(pin(60)), false, None), // what was refused is no order
            (2, Some(pin(60)), true, pinned(60)),
            (59, None, true, pinned(60)),
            (60, None, true, None), // it ends by itself, unsaid
            (61, Some(Action::Hold(junction)), true, held()),
            (62, Some(pin(70)), true, pinned(70)),
            (70, None, true, held()), // the hold was not released
            (71, Some(Action::Release(junction)), true, None),
        ]
        .into_iter()
        .enumerate()
        {
            let (now, id): (_, Box<str>) = (Time::from_s(at), row.to_string().into());
            let command = |action| Command { id: id.clone(), at: now, operator: "".into(), reason: "".into(), action };
            let events: Vec<Event> = action.map(|action| Event::from(command(action))).into_iter().collect();
            let result = if done { Ok("".into()) } else { Err("".into()) };
            board.tick(now, &events, &[Output::Command(CommandOutcome { at: now, id: id.clone(), result })]);
            assert_eq!(board.publish(now).junctions[junction].order(now), in_force, "at {at} s");
        }
    }
}

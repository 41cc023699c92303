//! A twin and an engine with somebody between them who may change what the engine hears.

use std::collections::BTreeMap;
use std::sync::Arc;

use greenwave::corridor::recovery::{Account, Standing};
use greenwave::corridor::{Report, State};
use greenwave::engine::Settings;
use greenwave::engine::city::City;
use greenwave::event::{Aspect, Event, Mode, Position, PriorityRequest};
use greenwave::ids::{GroupId, Id, JunctionId, LaneId};
use greenwave::network::layout::{Layout, layout};
use greenwave::network::limits::Limits;
use greenwave::network::{Network, NetworkSpec, Sensors};
use greenwave::output::{Output, Source};
use greenwave::plan::oracle::{LampFault, Oracle};
use greenwave::time::{Span, Time};
use greenwave::twin::demand::{CallSpec, Demand, DemandSpec, FORMAT};
use greenwave::twin::{Ambulance, Options, SensorFaults, Twin};

/// Who stands this near to the line waits for its light, m.
const AT_LINE_M: f64 = 8.0;

/// A little world with calls, its engine, and all that was seen of both.
pub(crate) struct Street {
    pub(crate) network: Arc<Network>,
    pub(crate) reports: Vec<Report>,
    /// Junctions whose plan a green wave decided, and when.
    pub(crate) led: Vec<(Time, JunctionId)>,
    /// Whether ambulances take the ways that they are told.
    pub(crate) follows: bool,
    twin: Twin,
    city: City,
    oracle: Oracle,
    faults: Vec<LampFault>,
    /// Since when somebody waits at each red, and the longest such wait at each junction.
    red: BTreeMap<(JunctionId, GroupId), Time>,
    longest: BTreeMap<JunctionId, Span>,
    /// Groups for which somebody had waited when they turned green: when that was, and since when.
    pub(crate) served: Vec<(Time, JunctionId, GroupId, Time)>,
}

impl Street {
    /// `demand` with a call from link to link at each instant, seconds.
    pub(crate) fn new(spec: NetworkSpec, demand: impl Fn(&Network) -> Demand, calls: &[(i64, &[&str])]) -> Self {
        Self::with(spec, demand, calls, |_, _| {})
    }

    /// The same, its twin run in a way of its own.
    pub(crate) fn with(
        spec: NetworkSpec,
        demand: impl Fn(&Network) -> Demand,
        calls: &[(i64, &[&str])],
        how: impl Fn(&Network, &mut Options),
    ) -> Self {
        let network = Arc::new(Network::build(spec, &Limits::default()).expect("the world is sound"));
        let sensors = Arc::new(Sensors::build(&layout(&network, Layout::Full), &network).expect("so are its sensors"));
        let named = |way: &[&str]| way.iter().map(|&link| link.to_owned()).collect();
        let spec = DemandSpec {
            format: FORMAT.into(),
            source: String::new(),
            routes: calls.iter().map(|call| named(call.1)).collect(),
            trips: Vec::new(),
            walkers: Vec::new(),
            calls: (0..).zip(calls).map(|(route, call)| CallSpec { depart_s: call.0 as f64, route }).collect(),
        };
        let called = Demand::build(&spec, &network).expect("ways lead there").calls;
        let demand = Demand { calls: called, ..demand(&network) };
        let mut options = Options { sensors: SensorFaults::ORDINARY, ..Options::default() };
        how(&network, &mut options);
        let settings = Settings { mode: Mode::Control, ..Settings::default() };
        Self {
            twin: Twin::new(Arc::clone(&network), &sensors, &demand, options),
            city: City::new(Arc::clone(&network), sensors, settings, Time::EPOCH),
            oracle: Oracle::new(&network),
            network,
            reports: Vec::new(),
            follows: false,
            led: Vec::new(),
            faults: Vec::new(),
            red: BTreeMap::new(),
            longest: BTreeMap::new(),
            served: Vec::new(),
        }
    }

    /// Lets so many seconds pass; `between` may change what the engine hears.
    pub(crate) fn run(&mut self, seconds: i64, mut between: impl FnMut(Time, &mut Vec<Event>)) {
        for _ in 0..seconds {
            self.twin.step();
            let now = self.twin.now();
            self.watch(now);
            let mut events = Vec::new();
            self.twin.events(&mut events);
            between(now, &mut events);
            for output in self.city.step(now, &events) {
                match output {
                    Output::Plan(published) => {
                        if published.why.source == Source::Corridor {
                            self.led.push((now, published.plan.draft().junction));
                        }
                        self.twin.accept(&published.plan).expect("a plan that its controller takes");
                    }
                    Output::Corridor(report) => {
                        let own = |a: &Ambulance| *a.name == *report.request.vehicle;
                        let row = self.twin.ambulances().iter().position(own).filter(|_| self.follows);
                        if let Some(row) = row.filter(|_| report.state == State::Active) {
                            self.twin.reroute(row, &report.route);
                        }
                        self.reports.push(*report);
                    }
                    _ => {}
                }
            }
        }
    }

    fn watch(&mut self, now: Time) {
        for (id, junction) in self.network.junctions().iter() {
            let lamps = self.twin.lamps(id);
            self.faults.extend(self.oracle.watch(now, id, lamps));
            let there: Vec<_> = junction.approaches.iter().flat_map(|&link| self.twin.vehicles(link)).collect();
            let on = |lane: LaneId| there.iter().any(|v| v.lane == lane);
            let at_line = |lane: LaneId| there.iter().any(|v| v.lane == lane && v.stands && v.distance_m < AT_LINE_M);
            for (group, &aspect) in lamps.iter().enumerate().map(|(row, aspect)| (GroupId::of(row), aspect)) {
                let mut stops = junction.groups[group].connections.iter().map(|&c| self.network.connections()[c].from);
                // Who stood there may have wanted what another group of the lane lets go.
                let waited_for = match self.red.contains_key(&(id, group)) {
                    true => stops.any(on),
                    false => stops.any(at_line),
                };
                if aspect != Aspect::Red || !waited_for {
                    let since = self.red.remove(&(id, group)).filter(|_| aspect == Aspect::Green);
                    self.served.extend(since.map(|since| (now, id, group, since)));
                    continue;
                }
                let since = *self.red.entry((id, group)).or_insert(now);
                let longest = self.longest.entry(id).or_insert(Span::ZERO);
                *longest = (*longest).max(now - since);
            }
        }
    }

    /// What the law says: no vehicle and no ambulance crossed a red light, no lamp broke a rule.
    pub(crate) fn lawful(&self) {
        assert_eq!(self.twin.red_crossings(), 0);
        assert!(self.ambulances().iter().all(|a| a.red_crossings == 0), "{:?}", self.ambulances());
        assert!(self.faults.is_empty(), "{:?}", self.faults.first());
    }

    pub(crate) fn ambulances(&self) -> &[Ambulance] {
        self.twin.ambulances()
    }

    /// How long each took against its way at the limit; it has to have arrived.
    pub(crate) fn ratios(&self) -> Vec<f64> {
        let ratio = |a: &Ambulance| a.travel_time.expect("it arrives").s() / a.free_flow.get();
        self.ambulances().iter().map(ratio).collect()
    }

    /// The longest red of any group of a junction, from when the first vehicle stood before it, as long as somebody is there.
    pub(crate) fn longest_wait(&self, junction: &str) -> Span {
        self.longest[&self.network.junction_named(junction).expect("it is there")]
    }

    /// Vehicles that stand before a junction's signals.
    pub(crate) fn standing(&self, junction: JunctionId) -> usize {
        let approaches = self.network.junction(junction).approaches.iter();
        approaches.map(|&link| self.twin.vehicles(link).iter().filter(|v| v.stands).count()).sum()
    }

    /// The states that a call went through, and when each began, s.
    pub(crate) fn states(&self, id: &str) -> Vec<(State, i64)> {
        let own = self.reports.iter().filter(|report| *report.request.id == *id);
        let mut states: Vec<(State, i64)> = own.map(|report| (report.state, report.at.ms() / 1000)).collect();
        states.dedup_by_key(|s| s.0);
        states
    }

    /// Whether a call has ended with every junction that led for it coordinated again, or leading for another call. Whether
    /// others had been paid back by then hangs on who came by: that is told in either case.
    pub(crate) fn is_over(&self, id: &str) -> bool {
        let last = self.reports.iter().rfind(|report| *report.request.id == *id);
        last.is_some_and(|report| {
            let ended = matches!(report.state, State::Recovered | State::Unrecovered);
            let back = |account: &Account| account.back.is_some() || account.standing == Standing::PassedOn;
            ended && !report.accounts.is_empty() && report.accounts.iter().all(back)
        })
    }

    /// When something was said of a call whose words have `part` in them, s.
    pub(crate) fn said(&self, id: &str, part: &str) -> Option<i64> {
        let said = self.reports.iter().find(|report| *report.request.id == *id && report.why.contains(part));
        said.map(|report| report.at.ms() / 1000)
    }
}

/// The position among some events of the vehicle whose row among the ambulances is given, from 1.
pub(crate) fn position_of<'a>(events: &'a mut [Event], vehicle: &str) -> Option<&'a mut Position> {
    events.iter_mut().find_map(|event| match event {
        Event::Position(position) if *position.vehicle == *vehicle => Some(position),
        _ => None,
    })
}

/// The request among some events.
pub(crate) fn request_of(events: &mut [Event]) -> Option<&mut PriorityRequest> {
    events.iter_mut().find_map(|event| if let Event::Priority(request) = event { Some(&mut **request) } else { None })
}

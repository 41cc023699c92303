//! The closed loop: a twin's roads, an engine that hears of them, plans that go back, and an oracle that watches the
//! lamps. Second by second, with nothing but events and plans between the two.

use std::sync::Arc;

use crate::corridor::State;
use crate::engine::Settings;
use crate::engine::city::City;
use crate::event::{Event, Mode};
use crate::ids::Table;
use crate::network::spec::{ProgramSpec, SplitSpec};
use crate::network::{Network, NetworkSpec, Sensors};
use crate::optimize::base;
use crate::output::Output;
use crate::plan::oracle::{LampFault, Oracle};
use crate::shell::threads::Threads;
use crate::time::{Span, Time};
use crate::traffic::measures;
use crate::twin::demand::Demand;
use crate::twin::{Ambulance, Options, Twin};

/// So many lamp faults are kept with their place; all are counted.
const FAULTS_KEPT: usize = 100;

/// A network, its sensors, and who travels there.
#[derive(Debug, Clone)]
pub struct World {
    /// The roads and signals.
    pub network: Arc<Network>,
    /// What stands beside them.
    pub sensors: Arc<Sensors>,
    /// Who travels.
    pub demand: Arc<Demand>,
}

/// What became of the plans.
#[derive(Debug, Clone, Default)]
pub struct Plans {
    /// Those that passed the gate and went to a controller.
    pub published: u64,
    /// Drafts that the gate refused.
    pub refused: u64,
    /// Published plans that their controller did not take.
    pub declined: u64,
    /// Faults that the oracle saw on the lamps.
    pub lamp_faults: u64,
    /// The first of them.
    pub faults: Vec<LampFault>,
}

/// What a run came to. Everyone counts: the unfinished and those still outside, up to now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Time spent over time at free flow; 1 where nobody moved.
    pub delay_index: f64,
    /// Traffic performance index, 0 to 10.
    pub tpi: f64,
    /// Mean time from setting out to arriving, or to now, s.
    pub mean_travel_time_s: f64,
    /// Mean number of stops of everyone who set out.
    pub stops: f64,
    /// Vehicles that set out.
    pub departed: u64,
    /// Vehicles that arrived.
    pub arrived: u64,
    /// Vehicles under way now.
    pub inside: u64,
    /// Vehicles that found no room on their first link yet.
    pub outside: u64,
}

/// One second of the loop.
#[derive(Debug, Clone)]
pub struct Tick {
    /// Its end.
    pub now: Time,
    /// What happened in it, in order.
    pub events: Vec<Event>,
    /// What the engine said.
    pub outputs: Vec<Output>,
}

/// A twin and who controls it.
#[derive(Debug)]
pub struct ClosedLoop {
    network: Arc<Network>,
    twin: Twin,
    engine: Option<City>,
    threads: Threads,
    oracle: Oracle,
    plans: Plans,
    said: Vec<Event>,
}

impl ClosedLoop {
    /// A world at its start. With `control` an engine runs it, whose plans go to the controllers whatever its mode says
    /// by default; without, every controller runs the first of its own programs.
    pub fn new(world: &World, control: Option<Settings>, options: Options) -> Self {
        let start = options.start;
        let engine = control.map(|settings| {
            let settings = Settings { mode: Mode::Control, ..settings };
            City::new(Arc::clone(&world.network), Arc::clone(&world.sensors), settings, start)
        });
        Self {
            network: Arc::clone(&world.network),
            twin: Twin::new(Arc::clone(&world.network), &world.sensors, &world.demand, options),
            engine,
            threads: Threads::default(),
            oracle: Oracle::new(&world.network),
            plans: Plans::default(),
            said: Vec::new(),
        }
    }

    /// What operators say: the engine hears it in the next second.
    pub fn say(&mut self, events: impl IntoIterator<Item = Event>) {
        self.said.extend(events);
    }

    /// The same, its engine's steps done by so many threads: with the same result.
    #[must_use]
    pub fn on(self, threads: Threads) -> Self {
        Self { threads, ..self }
    }

    /// Lets one second pass: the roads move, the engine hears of it, its plans reach the controllers.
    pub fn step(&mut self) -> Tick {
        self.twin.step();
        let now = self.twin.now();
        self.watch(now);
        let mut events = Vec::new();
        self.twin.events(&mut events);
        events.append(&mut self.said);
        let outputs = self.engine.as_mut().map_or_else(Vec::new, |engine| self.threads.step(engine, now, &events));
        for output in &outputs {
            match output {
                Output::Plan(published) if published.mode == Mode::Control => {
                    self.plans.published += 1;
                    self.plans.declined += u64::from(self.twin.accept(&published.plan).is_err());
                }
                Output::Refused(_) => self.plans.refused += 1,
                // Whoever has a green wave drives where it leads.
                Output::Corridor(report) if report.state == State::Active => {
                    let own = |a: &Ambulance| *a.name == *report.request.vehicle && !a.route.ends_with(&report.route);
                    if let Some(row) = self.twin.ambulances().iter().position(own) {
                        self.twin.reroute(row, &report.route);
                    }
                }
                _ => {}
            }
        }
        Tick { now, events, outputs }
    }

    /// Lets the oracle look at every lamp.
    fn watch(&mut self, now: Time) {
        for junction in self.network.junctions().ids() {
            let faults = self.oracle.watch(now, junction, self.twin.lamps(junction));
            self.plans.lamp_faults += faults.len() as u64;
            let room = FAULTS_KEPT.saturating_sub(self.plans.faults.len());
            self.plans.faults.extend(faults.into_iter().take(room));
        }
    }

    /// The world.
    pub fn twin(&self) -> &Twin {
        &self.twin
    }

    /// Who controls it, if an engine does.
    pub fn engine(&self) -> Option<&City> {
        self.engine.as_ref()
    }

    /// What became of the plans so far.
    pub fn plans(&self) -> &Plans {
        &self.plans
    }

    /// What it has come to so far.
    pub fn outcome(&self) -> Outcome {
        let truth = self.twin.truth();
        let (city, travel) = (truth.city(), truth.travel);
        let delay_index = city.index().unwrap_or(1.0);
        Outcome {
            delay_index,
            tpi: measures::tpi(delay_index),
            mean_travel_time_s: travel.mean_s().unwrap_or(0.0),
            stops: city.stops as f64 / travel.departed.max(1) as f64,
            departed: travel.departed,
            arrived: travel.arrived,
            inside: travel.unfinished(),
            outside: travel.never_entered(),
        }
    }
}

/// Gives every signal a base plan made for exactly this demand, spread over `span`, as its first program: the best
/// that fixed times can do when the hour is known beforehand.
pub fn timed(mut spec: NetworkSpec, network: &Network, demand: &Demand, span: Span) -> NetworkSpec {
    let routes = demand.trips.iter().map(|trip| &trip.route[..]);
    let flows = base::movement_flows(routes, network, span.s().max(1.0) / 3600.0);
    let saturation = Table::filled(base::SATURATION, network.lanes().len());
    let plan = base::base_plan(network, &flows, &saturation, &base::Options::default(), None);
    for junction in &mut spec.junctions {
        let Some(id) = network.junction_named(&junction.id) else { continue };
        let program = &plan[id].program;
        let stage = |stage| network.junction(id).stages[stage].name.to_string();
        let splits = program.splits.iter().map(|&(s, share)| SplitSpec { stage: stage(s), s: share.s() }).collect();
        let timed = ProgramSpec { id: "made for the hour".into(), offset_s: program.offset.s(), splits };
        junction.programs.insert(0, timed);
    }
    spec
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::layout::{Layout, layout};
    use crate::network::limits::Limits;
    use crate::output::{Output, Source};
    use crate::plan::ladder::Rung;
    use crate::traffic::readings::Reason;
    use crate::twin::SensorFaults;
    use crate::twin::city::small;

    fn world() -> World {
        seen_by(Layout::Full)
    }

    fn seen_by(sensors: Layout) -> World {
        let network = Network::build(small::corridor(), &Limits::default()).expect("a small world is sound");
        let sensors = Sensors::build(&layout(&network, sensors), &network).expect("they stand where they can");
        let demand = small::demand(&network);
        let spec = timed(small::corridor(), &network, &demand, Span::from_s(900));
        let network = Network::build(spec, &Limits::default()).expect("it is still sound");
        World { network: Arc::new(network), sensors: Arc::new(sensors), demand: Arc::new(demand) }
    }

    fn run(world: &World, control: Option<Settings>) -> ClosedLoop {
        let mut all = ClosedLoop::new(world, control, Options::default());
        for _ in 0..600 {
            all.step();
        }
        all
    }

    #[test]
    fn an_engine_hears_plans_and_nothing_unsafe_is_shown() {
        let world = world();
        let all = run(&world, Some(Settings::default()));
        assert!(all.plans().published > 0);
        assert_eq!((all.plans().lamp_faults, all.plans().faults.first()), (0, None));
        assert_eq!(all.outcome(), run(&world, Some(Settings::default())).outcome());
    }

    #[test]
    fn where_loops_alone_contradict_what_is_believed_traffic_actuates_the_signals() {
        let world = seen_by(Layout::Loops);
        let sensors = SensorFaults { biased: 0.4, ..SensorFaults::default() };
        let mut all = ClosedLoop::new(&world, Some(Settings::default()), Options { sensors, ..Options::default() });
        let (mut actuated, mut scheduled) = (0, 0);
        for _ in 0..900 {
            for output in all.step().outputs {
                match output {
                    Output::Plan(plan) if plan.why.source == Source::Actuated => actuated += 1,
                    Output::Plan(plan) if plan.why.source == Source::Horizon => scheduled += 1,
                    _ => {}
                }
            }
        }
        assert!(actuated > 20, "{actuated} by actuation, {scheduled} by the schedule");
        assert_eq!((all.plans().lamp_faults, all.plans().faults.first()), (0, None));
        let outcome = all.outcome();
        assert!(outcome.arrived > 600 && outcome.delay_index < 3.0, "{outcome:?}");
    }

    #[test]
    fn late_readings_are_used_as_late_as_they_come_and_are_no_empty_road() {
        let world = world();
        // So large a share of the sensors is 5 s late.
        let faults = |delayed| SensorFaults { delayed, latency: Span::from_s(5), ..SensorFaults::default() };
        let served = |control: Option<Settings>, share| {
            let sensors = faults(share);
            let mut all = ClosedLoop::new(&world, control, Options { sensors, ..Options::default() });
            let mut refused = 0;
            for second in 0..900 {
                let outputs = all.step().outputs;
                let late =
                    |o: &&Output| matches!(o, Output::Rejected(row) if matches!(row.reason, Reason::Late { .. }));
                refused += if second >= 30 { outputs.iter().filter(late).count() } else { 0 };
            }
            assert_eq!(all.plans().lamp_faults, 0);
            (all.outcome().delay_index, refused)
        };
        let (in_time, _) = served(Some(Settings::default()), 0.0);
        let (all_late, refused) = served(Some(Settings::default()), 1.0);
        let (half_late, _) = served(Some(Settings::default()), 0.5);
        let (fixed, _) = served(None, 0.0);
        assert_eq!(refused, 0, "nearly all come 5 s late: that is when they come");
        assert!(all_late - 1.0 < 1.5 * (in_time - 1.0), "all late {all_late}, in time {in_time}");
        assert!(half_late < fixed, "half of them late {half_late}, fixed {fixed}, in time {in_time}");
    }

    #[test]
    fn where_queues_do_not_clear_a_timed_plan_runs_until_they_do() {
        let world = world();
        let options = Options { demand_scale: 1.5, ..Options::default() };
        let mut all = ClosedLoop::new(&world, Some(Settings::default()), options);
        let mut rungs = Vec::new();
        for _ in 0..3000 {
            rungs.extend(all.step().outputs.into_iter().filter_map(|output| match output {
                Output::Rung(change) => Some((change.junction, change.rung)),
                _ => None,
            }));
        }
        let began =
            rungs.iter().position(|&(_, rung)| rung == Rung::Timed).expect("half as much again fills a junction");
        let (full, _) = rungs[began];
        let after = rungs[began + 1..].iter().find(|&&(junction, _)| junction == full);
        assert_eq!(after, Some(&(full, Rung::Measured)), "{rungs:?}");
        assert_eq!((all.plans().lamp_faults, all.plans().faults.first()), (0, None));
        let outcome = all.outcome();
        assert_eq!((outcome.inside, outcome.outside), (0, 0), "{outcome:?}");
    }

    #[test]
    fn fixed_times_made_for_the_hour_carry_it() {
        let world = world();
        let all = run(&world, None);
        assert_eq!((all.plans().published, all.plans().lamp_faults), (0, 0));
        let outcome = all.outcome();
        assert!(outcome.arrived > 400 && (1.0..3.0).contains(&outcome.delay_index), "{outcome:?}");
    }
}

//! The estimated delay index against the twin's truth: an hour of the demo city's morning, under its own programs as the
//! estimator alone has it, and under the engine's control as the engine has it, which tracks every vehicle.

use std::sync::Arc;

use greenwave::engine::{self, city::City};
use greenwave::event::{Aspect, Event, Mode};
use greenwave::ids::{GroupId, GroupSet, Id, JunctionId, LinkId, Table};
use greenwave::network::layout::{self, Layout};
use greenwave::network::limits::Limits;
use greenwave::network::{Network, Sensors};
use greenwave::output::Output;
use greenwave::time::Span;
use greenwave::traffic::index::Window;
use greenwave::traffic::{Settings, Traffic};
use greenwave::twin::{Options, SensorFaults, Truth, Twin, city};

/// An estimate this close to the truth is right.
const CLOSE: f64 = 0.10;
/// A link with fewer vehicles in the hour is not judged.
const VEHICLES_MIN: u64 = 50;
/// A busy hour in which traffic still flows: so much of the demo's demand.
const DEMAND: f64 = 0.5;

/// One link's hour.
struct Row {
    truth: f64,
    estimate: f64,
    /// Every sensor of it can be believed.
    working: bool,
    /// What its vehicles would have spent at free flow, s.
    free_s: f64,
}

impl Row {
    fn is_close(&self) -> bool {
        (self.estimate / self.truth - 1.0).abs() <= CLOSE
    }
}

fn green(twin: &Twin) -> Table<JunctionId, GroupSet> {
    let groups = |junction: JunctionId| {
        let lamps = twin.lamps(junction).iter().enumerate();
        lamps.filter(|(_, a)| **a == Aspect::Green).map(|(g, _)| GroupId::of(g)).collect()
    };
    twin.network().junctions().ids().map(groups).collect()
}

/// What listens to the sensors.
enum Listener {
    /// Flows, queues and stocks alone.
    Estimator(Box<Traffic>),
    /// The engine, which controls what it sees.
    Engine(Box<City>),
}

impl Listener {
    fn hear(&mut self, twin: &mut Twin, events: &[Event]) {
        match self {
            Self::Estimator(traffic) => {
                for event in events {
                    if let Event::Reading(reading) = event {
                        let _ = traffic.observe(reading, twin.now()); // what is refused is counted
                    }
                }
                traffic.advance(twin.now(), &green(twin));
            }
            Self::Engine(city) => {
                for output in city.step(twin.now(), events) {
                    if let Output::Plan(published) = output {
                        twin.accept(&published.plan).expect("an obedient controller takes every plan");
                    }
                }
            }
        }
    }

    /// The estimator of a link.
    fn traffic(&self, link: LinkId) -> &Traffic {
        match self {
            Self::Estimator(traffic) => traffic,
            Self::Engine(city) => {
                let engines = city.engines().iter();
                let here = engines.map(|engine| (engine.partition().links.contains(&link), engine.traffic()));
                here.filter(|(here, _)| *here).map(|(_, traffic)| traffic).next().expect("every link lies somewhere")
            }
        }
    }
}

/// The second hour, so that nothing depends on empty streets at the start: every link that at least fifty vehicles
/// used and that sensors watch.
fn hour(faults: SensorFaults, which: Layout, whole: bool, seed: u64) -> Vec<Row> {
    let network = Arc::new(Network::build(city::demo(), &Limits::default()).expect("the city is sound"));
    let sensors = Sensors::build(&layout::layout(&network, which), &network).expect("a layout fits its network");
    let sensors = Arc::new(sensors);
    let demand = city::morning::demand(&network, Span::from_s(5400), seed);
    let options = Options { seed, sensors: faults, demand_scale: DEMAND, ..Options::default() };
    let mut twin = Twin::new(Arc::clone(&network), &sensors, &demand, options);
    let mut listener = if whole {
        let settings = engine::Settings { mode: Mode::Control, ..engine::Settings::default() };
        Listener::Engine(Box::new(City::new(Arc::clone(&network), Arc::clone(&sensors), settings, twin.now())))
    } else {
        Listener::Estimator(Box::new(Traffic::new(Arc::clone(&network), &sensors, Settings::default())))
    };
    let mut events = Vec::new();
    let mut before: Option<Truth> = None;
    for second in 1..=5400 {
        twin.step();
        events.clear();
        twin.events(&mut events);
        listener.hear(&mut twin, &events);
        if second == 1800 {
            before = Some(twin.truth());
        }
    }
    let truth = twin.truth().since(&before.expect("half an hour has passed"));
    let judged = |(row, sums): (usize, &greenwave::twin::Sums)| {
        let link = LinkId::of(row);
        let traffic = listener.traffic(link);
        let watched = !sensors.on(link).is_empty();
        (watched && sums.left >= VEHICLES_MIN).then(|| Row {
            truth: (sums.vehicle_s / sums.free_flow_s).max(1.0),
            estimate: traffic.index_link(link, Window::Hour).delay_index(),
            working: sensors.on(link).iter().all(|&s| traffic.health(s).usable()),
            free_s: sums.free_flow_s,
        })
    };
    truth.iter().enumerate().filter_map(judged).collect()
}

#[test]
fn nine_links_in_ten_are_within_a_tenth_of_the_truth() {
    // (sensors, whose faults, share of links that must be close)
    for (name, faults, least) in
        [("perfect", SensorFaults::default(), 0.95), ("ordinary", SensorFaults::ORDINARY, 0.90)]
    {
        let rows = hour(faults, Layout::Full, false, 1);
        let working: Vec<&Row> = rows.iter().filter(|r| r.working).collect();
        let close = working.iter().filter(|r| r.is_close()).count() as f64 / working.len() as f64;
        let all = rows.iter().filter(|r| r.is_close()).count() as f64 / rows.len() as f64;
        println!(
            "{name}: {:.1} % of {} links with working sensors, {:.1} % of all {}",
            100.0 * close,
            working.len(),
            100.0 * all,
            rows.len()
        );
        assert!(working.len() > 100 && close >= least, "{name}: {close} of {}", working.len());
    }
}

#[test]
fn where_no_camera_looks_the_index_is_made_of_the_vehicles_that_are_tracked() {
    // (sensors, share of links with working sensors that must be within a tenth, all together within)
    for (which, least, most) in [(Layout::Full, 0.90, 0.05), (Layout::Loops, 0.45, 0.15)] {
        let rows = hour(SensorFaults::ORDINARY, which, true, 1);
        let working: Vec<&Row> = rows.iter().filter(|r| r.working).collect();
        let close = working.iter().filter(|r| r.is_close()).count() as f64 / working.len() as f64;
        let sum = |of: fn(&Row) -> f64| rows.iter().map(|row| of(row) * row.free_s).sum::<f64>();
        let error = sum(|row| row.estimate) / sum(|row| row.truth) - 1.0;
        println!("{which:?}: {:.1} % of {}, {:+.1} %", 100.0 * close, working.len(), 100.0 * error);
        assert!(close >= least && error.abs() <= most, "{which:?}: {close}, {error}");
    }
}

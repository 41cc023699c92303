//! `greenwave simulate`: the twin on any network and demand, under the control of one's choice.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::Failure;
use super::conditions::Conditions;
use crate::engine::{Control, Settings};
use crate::event::Mode;
use crate::network::import::ImportError;
use crate::network::layout::{Layout, layout};
use crate::network::limits::Limits;
use crate::network::{Network, NetworkSpec};
use crate::shell::closed_loop::{ClosedLoop, World, timed};
use crate::shell::config::{self, Config};
use crate::shell::record::Recorder;
use crate::shell::terminal::Terminal;
use crate::shell::threads::{Threads, ThreadsArg};
use crate::shell::world::{self, Part};
use crate::shell::{closed_loop, load};
use crate::time::{Span, Time};
use crate::twin::demand::Demand;
use crate::twin::demand::import::{self, Imported};

/// Second 0 of every demand: the midnight before Monday, 2 March 2026, UTC.
const MIDNIGHT: Time = Time::from_s(1_772_409_600);
/// Unless told otherwise, no run is shorter.
const SHORTEST: Span = Span::from_s(3600);
/// Runs begin at a multiple of this, and last for one.
const MINUTE: Span = Span::from_s(60);

const ABOUT: &str = "\
Runs the twin, a simulator of every single vehicle, on any network and demand, and tells what became of the traffic \
under the control of one's choice. The same files, seed and options give the same result, to the byte.

The run begins with the first departure, rounded down to a minute, or at --begin. Whoever sets out before it or after \
the end is not part of it; everyone else counts, also who is still under way, or still waits to enter, at the end.";

const AFTER: &str = "\
The result, with --json exactly one object:
  control, plan, seed, minutes, begin_s, limits   what was run; limits: those of the limits file
  conditions         of the twin: {demand_scale, sensor_faults, close}
  network            {junctions, links}
  delay_index        time spent over time at free flow, everyone, waiting to enter included
  tpi                traffic performance index, 0 to 10
  mean_travel_time_s from wanting to set out to arriving, or to the end of the run: everyone
  stops_per_vehicle  waits of more than two seconds at the end of a link
  departed           vehicles that wanted to set out; of them
    arrived, unfinished (under way at the end), never_entered (no room on their first link until the end)
  throughput         arrivals an hour
  left_out           rows of the demand that could not be routed
  plans              {published, refused by the gate, declined by controllers, unsafe: faults seen on the lamps}

Examples:
  greenwave simulate --network data/corridor.json --demand data/corridor.demand.json --control greenwave
  greenwave network import sumo net.net.xml -o city.json
  greenwave simulate --network city.json --demand routes.rou.xml buses.rou.xml --control actuated --json
  greenwave simulate --network city.json --demand flow.json --control fixed --plan webster --seed 2";

/// Run the twin on any network and demand, under the control of one's choice.
#[derive(Debug, clap::Args)]
#[command(long_about = ABOUT, after_long_help = AFTER.to_owned() + "\n\n" + &config::described())]
pub(super) struct Args {
    /// The network file, JSON.
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    /// Who travels: a demand file of this project, a CityFlow flow.json, or SUMO route files in SUMO's order.
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    demand: Vec<PathBuf>,
    /// The sensors file, JSON; without one, loops at every signal and a camera over every approach.
    #[arg(long, value_name = "FILE")]
    sensors: Option<PathBuf>,
    #[command(flatten)]
    conditions: Conditions,
    /// A limits file, JSON, in place of the configuration's.
    #[arg(long, value_name = "FILE")]
    limits: Option<PathBuf>,
    /// Who decides; the configuration's if not given.
    #[arg(long, value_enum, value_name = "WHO")]
    control: Option<Who>,
    /// The program that every controller has of its own: the network's first, or one made for exactly this demand.
    #[arg(long, value_enum, default_value = "own", value_name = "WHICH")]
    plan: Plan,
    /// Another seed is other drivers and other broken sensors.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long, minutes: 1 to 44 640. If not given, until the last departure, but at least 60.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=44_640))]
    minutes: Option<u32>,
    /// Which second of the demand the run begins at, 0 to 2 678 400.
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(0..=2_678_400))]
    begin: Option<u32>,
    /// The configuration, TOML; its `limits` names a limits file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write everything the engine hears, and a digest of all it says, to this log. With `fixed`, an engine in shadow
    /// mode listens.
    #[arg(long, value_name = "LOG")]
    record: Option<PathBuf>,
    #[command(flatten)]
    threads: ThreadsArg,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Who {
    /// The controllers' own programs; no engine.
    Fixed,
    /// Vehicle actuation: gap-out and max-out.
    Actuated,
    /// Max pressure with guards.
    MaxPressure,
    /// The rolling schedule over the base plan.
    Greenwave,
}

impl From<Who> for Control {
    fn from(who: Who) -> Self {
        match who {
            Who::Fixed => Self::Fixed,
            Who::Actuated => Self::Actuated,
            Who::MaxPressure => Self::MaxPressure,
            Who::Greenwave => Self::Greenwave,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Plan {
    /// The network's first program.
    Own,
    /// Cycle, splits and offsets made for exactly this demand, known beforehand.
    Webster,
}

/// What is to be run.
#[derive(Debug)]
struct Scene {
    world: World,
    recorded: world::World,
    begin: Span,
    span: Span,
    left_out: usize,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let scene = scene(args, terminal)?;
    let (all, control) = drive(args, &scene, terminal)?;
    let (object, text) = (described(args, &scene, control, &all), told(args, &scene, control, &all));
    terminal.result(&object, text)?;
    let plans = all.plans();
    match plans.faults.first() {
        Some(fault) => Err(Failure::Unsafe(format!("{} lamp faults; the first: {fault}", plans.lamp_faults))),
        None => Ok(()),
    }
}

fn scene(args: &Args, terminal: &Terminal) -> Result<Scene, Failure> {
    let mut config = config(args)?;
    let limits: Limits = config.limits.take().as_deref().map(load::json).transpose()?.unwrap_or_default();
    let spec: NetworkSpec = load::json(&args.network)?;
    let network = Network::build(spec.clone(), &limits).map_err(|faults| load::faulty(&args.network, faults))?;
    let Imported { mut demand, left_out, notes } = demand(&args.demand, &network)?;
    for note in &notes {
        terminal.note(note);
    }
    let (begin, span) = window(&demand, args.begin, args.minutes);
    let missed = keep(&mut demand, begin, span);
    if missed > 0 {
        terminal.note(format_args!("{missed} departures are before or after the run"));
    }
    let spec = if args.plan == Plan::Webster { timed(spec, &network, &demand, span) } else { spec };
    let sensors = match &args.sensors {
        Some(path) => load::json(path)?,
        None => layout(&network, Layout::Full),
    };
    let recorded = world::World::of(spec, limits, &sensors, config).map_err(|(whose, faults)| match whose {
        Part::Sensors => load::faulty(args.sensors.as_ref().unwrap_or(&args.network), faults),
        Part::Network => load::faulty(&args.network, faults),
    })?;
    let (network, sensors) = (Arc::clone(recorded.names.network()), Arc::clone(recorded.names.sensors()));
    Ok(Scene { world: World { network, sensors, demand: Arc::new(demand) }, recorded, begin, span, left_out })
}

/// The configuration, with what the arguments say over it.
fn config(args: &Args) -> Result<Config, Failure> {
    let mut config = Config::load(args.config.as_deref(), Settings::default())?;
    let settings = &mut config.settings;
    settings.control = args.control.map_or(settings.control, Control::from);
    settings.mode = if settings.control == Control::Fixed { Mode::Shadow } else { Mode::Control };
    if settings.tick() != Span::SECOND {
        return Err(Failure::Usage(format!("the twin ticks every 1000 ms: engine.tick_ms is {}", settings.tick_ms)));
    }
    config.limits = args.limits.clone().or(config.limits);
    Ok(config)
}

pub(super) fn demand(paths: &[PathBuf], network: &Network) -> Result<Imported, Failure> {
    let files = paths.iter().map(|path| load::bytes(path)).collect::<Result<Vec<_>, _>>()?;
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    import::read(&files, network).map_err(|error| {
        let path = paths.first().cloned().unwrap_or_default();
        match error {
            ImportError::Io(source) => Failure::Read { path, source },
            other => Failure::Parse { path, why: other.to_string() },
        }
    })
}

/// Which second of the demand a run begins at, and how long it is.
fn window(demand: &Demand, begin: Option<u32>, minutes: Option<u32>) -> (Span, Span) {
    let departures = || demand.trips.iter().map(|t| t.depart).chain(demand.calls.iter().map(|c| c.depart));
    let first = departures().min().unwrap_or(Span::ZERO).floor(MINUTE);
    let begin = begin.map_or(first, |s| Span::from_s(s.into()));
    // A vehicle that sets out exactly then still belongs to it.
    let last = departures().max().unwrap_or(Span::ZERO) + Span::from_ms(1);
    let span = minutes.map_or((last - begin).ceil(MINUTE).max(SHORTEST), |m| Span::from_s(i64::from(m) * 60));
    (begin, span)
}

/// Leaves only departures within `span` after `begin`, which becomes second 0; how many are gone.
fn keep(demand: &mut Demand, begin: Span, span: Span) -> usize {
    let before = demand.trips.len() + demand.calls.len();
    let within = |depart: Span| (begin..begin + span).contains(&depart);
    demand.trips.retain(|trip| within(trip.depart));
    demand.calls.retain(|call| within(call.depart));
    demand.trips.iter_mut().for_each(|trip| trip.depart = trip.depart - begin);
    demand.calls.iter_mut().for_each(|call| call.depart = call.depart - begin);
    before - demand.trips.len() - demand.calls.len()
}

/// The run, to its end, and who decided.
fn drive(args: &Args, scene: &Scene, terminal: &Terminal) -> Result<(ClosedLoop, Control), Failure> {
    let settings = &scene.recorded.config.settings;
    let control = settings.control;
    let start = MIDNIGHT + scene.begin;
    let options = args.conditions.options(&scene.world.network, args.seed, start)?;
    let threads = Threads::from(args.threads);
    let engine = (control != Control::Fixed).then(|| settings.clone());
    let mut listener = engine.is_none().then(|| scene.recorded.city(start + Span::SECOND));
    let mut recorder =
        args.record.as_deref().map(|path| Recorder::create(path, &scene.recorded, args.seed)).transpose()?;
    let mut all = ClosedLoop::new(&scene.world, engine, options).on(threads);
    let seconds = scene.span.ms() / 1000;
    let bar: ProgressBar = terminal.progress(seconds.unsigned_abs(), "s");
    bar.set_message(format!("{} junctions", scene.world.network.junctions().len()));
    for _ in 0..seconds {
        let mut tick = all.step();
        if let Some(recorder) = &mut recorder {
            if let Some(listener) = &mut listener {
                tick.outputs = threads.step(listener, tick.now, &tick.events);
            }
            recorder.tick(tick.now, &tick.events, &tick.outputs)?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    recorder.map(Recorder::finish).transpose()?;
    Ok((all, control))
}

fn per_hour(count: u64, span: Span) -> f64 {
    count as f64 * 3600.0 / span.s()
}

fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |v| v.get_name().to_owned())
}

fn described(args: &Args, scene: &Scene, control: Control, all: &ClosedLoop) -> Value {
    let closed_loop::Outcome { delay_index, tpi, mean_travel_time_s, stops, departed, arrived, inside, outside } =
        all.outcome();
    let plans = all.plans();
    let network = &scene.world.network;
    json!({
        "control": control,
        "plan": word(&args.plan),
        "seed": args.seed,
        "conditions": args.conditions.told(),
        "minutes": scene.span.ms() / MINUTE.ms(),
        "begin_s": scene.begin.s(),
        "limits": scene.recorded.limits,
        "network": {"junctions": network.junctions().len(), "links": network.links().len()},
        "delay_index": delay_index,
        "tpi": tpi,
        "mean_travel_time_s": mean_travel_time_s,
        "stops_per_vehicle": stops,
        "departed": departed,
        "arrived": arrived,
        "unfinished": inside,
        "never_entered": outside,
        "throughput": per_hour(arrived, scene.span),
        "left_out": scene.left_out,
        "plans": {
            "published": plans.published,
            "refused": plans.refused,
            "declined": plans.declined,
            "unsafe": plans.lamp_faults,
        },
    })
}

fn told(args: &Args, scene: &Scene, control: Control, all: &ClosedLoop) -> String {
    let network = &scene.world.network;
    let mut text = format!(
        "{}: {} signals, {} roads, {} sensors; {} minutes from second {:.0} of the demand, seed {}{}\n\n",
        network.name(),
        network.junctions().len(),
        network.links().len(),
        scene.world.sensors.table().len(),
        scene.span.ms() / MINUTE.ms(),
        scene.begin.s(),
        args.seed,
        args.conditions,
    );
    let mut row = |what: &str, value: String| {
        let _ = writeln!(text, "  {what:<34}{value:>14}");
    };
    row("control", json!(control).as_str().unwrap_or_default().to_owned());
    let outcome = all.outcome();
    for (what, digits, value) in [
        ("delay index", 2, outcome.delay_index),
        ("traffic performance index (0-10)", 2, outcome.tpi),
        ("mean travel time, s", 1, outcome.mean_travel_time_s),
        ("stops a vehicle", 2, outcome.stops),
        ("set out", 0, outcome.departed as f64),
        ("arrived", 0, outcome.arrived as f64),
        ("under way at the end", 0, outcome.inside as f64),
        ("never entered", 0, outcome.outside as f64),
        ("arrivals an hour", 0, per_hour(outcome.arrived, scene.span)),
        ("demand rows left out", 0, scene.left_out as f64),
    ] {
        row(what, format!("{value:.digits$}"));
    }
    let plans = all.plans();
    let _ = write!(
        text,
        "\n  plans: {} published, {} refused, {} declined by their controller; lamp faults seen by the oracle: {}",
        plans.published, plans.refused, plans.declined, plans.lamp_faults,
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Id, LinkId};
    use crate::network::VehicleClass;
    use crate::twin::demand::Trip;

    fn demand(departures_s: &[i64]) -> Demand {
        let trip = |&s: &i64| Trip {
            depart: Span::from_s(s),
            class: VehicleClass::Car,
            route: [LinkId::of(0)].as_slice().into(),
        };
        Demand { trips: departures_s.iter().map(trip).collect(), ..Demand::default() }
    }

    #[test]
    fn a_run_spans_its_demand() {
        // (departures, --begin, --minutes, first second, minutes, how many set out)
        for (departures, begin, minutes, first, long, kept) in [
            (&[0, 10][..], None, None, 0, 60, 2),                             // at least an hour
            (&[25_210, 28_799], None, None, 25_200, 60, 2),                   // SUMO's seconds of the day
            (&[90, 60 + 3_600], None, None, 60, 61, 2),                       // who sets out exactly at the end is in
            (&[21_000, 25_200, 25_320], Some(25_200), Some(2), 25_200, 2, 1), // half-open
            (&[], None, None, 0, 60, 0),
        ] {
            let mut demand = demand(departures);
            let (begin, span) = window(&demand, begin, minutes);
            assert_eq!((begin, span), (Span::from_s(first), Span::from_s(long * 60)), "{departures:?}");
            assert_eq!(keep(&mut demand, begin, span), departures.len() - kept, "{departures:?}");
            assert!(demand.trips.iter().all(|t| (Span::ZERO..span).contains(&t.depart)), "{departures:?}");
        }
    }
}

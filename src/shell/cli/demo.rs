//! `greenwave demo`: a morning peak in a twin city, first under a fixed plan made for it, then under Greenwave.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::Failure;
use crate::engine::Settings;
use crate::event::Mode;
use crate::network::layout::{Layout, layout};
use crate::network::limits::Limits;
use crate::network::{Fault, Network};
use crate::shell::closed_loop::{ClosedLoop, Outcome, World, timed};
use crate::shell::config::Config;
use crate::shell::record::Recorder;
use crate::shell::terminal::Terminal;
use crate::shell::world;
use crate::time::{Span, Time};
use crate::twin::city::{self, morning};
use crate::twin::{Ambulance, Options, SensorFaults};

/// Monday, 2 March 2026, 07:00 UTC.
const START: Time = Time::from_s(1_772_434_800);

/// Run a morning peak in a twin city: first under a fixed plan made for that very hour, then under Greenwave.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How long, minutes: 1 to 180. The whole peak rises and falls within it.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..=180))]
    minutes: u16,
    /// Another seed is another morning: other trips, other broken sensors, another ambulance call.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write everything the engine hears, and a digest of all it says, to this log.
    #[arg(long, value_name = "LOG")]
    record: Option<PathBuf>,
}

/// One run to its end.
struct Run {
    outcome: Outcome,
    ambulances: Vec<Ambulance>,
    all: ClosedLoop,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let span = Span::from_s(i64::from(args.minutes) * 60);
    let (world, recorded) = morning(span, args.seed).map_err(sketchy)?;
    let mut recorder = args.record.as_deref().map(|path| Recorder::create(path, &recorded, args.seed)).transpose()?;
    let (junctions, links) = (world.network.junctions().len(), world.network.links().len());
    let bar = terminal.progress(2 * u64::from(args.minutes) * 60, "s");
    bar.set_message(format!("{junctions} junctions, two runs"));
    let settings = recorded.config.settings.clone();
    let (fixed, greenwave) = thread::scope(|scope| {
        let fixed = scope.spawn(|| drive(&world, None, span, args.seed, &bar, None));
        let greenwave = drive(&world, Some(settings), span, args.seed, &bar, recorder.as_mut());
        // A run that panics has already said why; the demo ends the same way.
        (fixed.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), greenwave)
    });
    let (fixed, greenwave) = (fixed?, greenwave?);
    recorder.map(Recorder::finish).transpose()?;
    bar.finish_and_clear();
    let plans = greenwave.all.plans();
    let object = json!({
        "network": {"junctions": junctions, "links": links},
        "minutes": args.minutes,
        "seed": args.seed,
        "fixed": outcome(&fixed.outcome),
        "greenwave": outcome(&greenwave.outcome),
        "ambulances": greenwave.ambulances.iter().map(ambulance).collect::<Vec<_>>(),
        "plans": {"published": plans.published, "refused": plans.refused, "unsafe": plans.lamp_faults},
    });
    terminal.result(&object, table(&world, args, &fixed, &greenwave))?;
    match plans.faults.first() {
        Some(fault) => Err(Failure::Unsafe(format!("{} lamp faults; the first: {fault}", plans.lamp_faults))),
        None => Ok(()),
    }
}

/// The city, its sensors, and who travels in `span`, every signal with a plan made for exactly that; and the same as a
/// log has it.
fn morning(span: Span, seed: u64) -> Result<(World, world::World), Vec<Fault>> {
    let drawn = city::demo();
    let network = Network::build(drawn.clone(), &Limits::default())?;
    let demand = Arc::new(morning::demand(&network, span, seed));
    let spec = timed(drawn, &network, &demand, span);
    let settings = Settings { mode: Mode::Control, ..Settings::default() };
    let config = Config { settings, ..Config::default() };
    let sensors = layout(&network, Layout::Full);
    let recorded = world::World::of(spec, Limits::default(), &sensors, config).map_err(|(_, faults)| faults)?;
    let (network, sensors) = (Arc::clone(recorded.names.network()), Arc::clone(recorded.names.sensors()));
    Ok((World { network, sensors, demand }, recorded))
}

fn sketchy(faults: Vec<Fault>) -> Failure {
    let faults = faults.iter().map(ToString::to_string).collect();
    Failure::Faulty { path: PathBuf::from("the demo's city"), faults }
}

fn drive(
    world: &World,
    control: Option<Settings>,
    span: Span,
    seed: u64,
    bar: &ProgressBar,
    mut recorder: Option<&mut Recorder>,
) -> Result<Run, Failure> {
    let options = Options { seed, start: START, sensors: SensorFaults::ORDINARY, ..Options::default() };
    let mut all = ClosedLoop::new(world, control, options);
    for _ in 0..span.ms() / 1000 {
        let tick = all.step();
        if let Some(recorder) = &mut recorder {
            recorder.tick(tick.now, &tick.events, &tick.outputs)?;
        }
        bar.inc(1);
    }
    Ok(Run { outcome: all.outcome(), ambulances: all.twin().ambulances().to_vec(), all })
}

fn outcome(of: &Outcome) -> Value {
    json!({
        "delay_index": of.delay_index,
        "tpi": of.tpi,
        "mean_travel_time_s": of.mean_travel_time_s,
        "arrived": of.arrived,
        "unfinished": of.inside + of.outside,
    })
}

fn ambulance(of: &Ambulance) -> Value {
    json!({
        "travel_time_s": of.travel_time.map(Span::s),
        "free_flow_s": of.free_flow.get(),
        "red_crossings": of.red_crossings,
    })
}

fn table(world: &World, args: &Args, fixed: &Run, greenwave: &Run) -> String {
    let (f, g) = (&fixed.outcome, &greenwave.outcome);
    let mut text = format!(
        "{}: {} signals, {} roads, {} sensors; {} minutes of a morning peak, seed {}\n\n",
        world.network.name(),
        world.network.junctions().len(),
        world.network.links().len(),
        world.sensors.table().len(),
        args.minutes,
        args.seed,
    );
    let mut row = |what: &str, fixed: String, greenwave: String| {
        let _ = writeln!(text, "  {what:<34}{fixed:>14}{greenwave:>14}");
    };
    row("", "fixed plan".into(), "Greenwave".into());
    let mut numbers = |what: &str, digits: usize, f: f64, g: f64| {
        row(what, format!("{f:.digits$}"), format!("{g:.digits$}"));
    };
    numbers("delay index", 2, f.delay_index, g.delay_index);
    numbers("traffic performance index (0-10)", 2, f.tpi, g.tpi);
    numbers("mean travel time, s", 1, f.mean_travel_time_s, g.mean_travel_time_s);
    numbers("stops a vehicle", 2, f.stops, g.stops);
    numbers("vehicles in", 0, f.departed as f64, g.departed as f64);
    numbers("vehicles out", 0, f.arrived as f64, g.arrived as f64);
    numbers("left inside", 0, f.inside as f64, g.inside as f64);
    numbers("left outside", 0, f.outside as f64, g.outside as f64);
    for (before, after) in fixed.ambulances.iter().zip(&greenwave.ambulances) {
        let time = |a: &Ambulance| a.travel_time.map_or("under way".into(), |t| format!("{:.0}", t.s()));
        row(&format!("{}, s (free flow {:.0})", after.name, after.free_flow.get()), time(before), time(after));
        row("  red lights crossed", before.red_crossings.to_string(), after.red_crossings.to_string());
    }
    let plans = greenwave.all.plans();
    let more = ((g.delay_index - 1.0) / (f.delay_index - 1.0).max(1e-9) - 1.0) * 100.0;
    let (percent, than) = (more.abs(), if more > 0.0 { "more" } else { "less" });
    let _ = write!(
        text,
        "\n  excess of the delay index over 1: {percent:.0} % {than}\n  plans: {} published, {} refused, {} declined by \
         their controller; lamp faults seen by the oracle: {}",
        plans.published, plans.refused, plans.declined, plans.lamp_faults,
    );
    text
}

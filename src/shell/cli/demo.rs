//! `greenwave demo`: a morning peak in a twin city, first under a fixed plan made for it, then under Greenwave.

use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::Failure;
use super::conditions::Conditions;
use crate::engine::Settings;
use crate::event::Mode;
use crate::network::layout::{Layout, layout};
use crate::network::limits::Limits;
use crate::network::{Fault, Network};
use crate::shell::clock::{self, Stopwatch};
use crate::shell::closed_loop::{ClosedLoop, Outcome, World, timed};
use crate::shell::config::Config;
use crate::shell::http::{self, Cockpit};
use crate::shell::record::Recorder;
use crate::shell::study::{self, Trial};
use crate::shell::terminal::Terminal;
use crate::shell::threads::{Threads, ThreadsArg};
use crate::shell::world;
use crate::time::{Span, Time};
use crate::twin::Ambulance;
use crate::twin::city::{self, morning};

/// Monday, 2 March 2026, 07:00 UTC.
const START: Time = Time::from_s(1_772_434_800);

/// A demo that is watched takes about so long.
const LIVE: Span = Span::from_s(40);

/// Run a morning peak in a twin city: first under a fixed plan made for that very hour, then under Greenwave.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How long, minutes: 1 to 180. The whole peak rises and falls within it.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..=180))]
    minutes: u16,
    /// Another seed is another morning: other trips, other broken sensors, another ambulance call.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    conditions: Conditions,
    /// Write everything the engine hears, and a digest of all it says, to this log.
    #[arg(long, value_name = "LOG")]
    record: Option<PathBuf>,
    /// The cockpit's port on this machine, 0 for any that is free. It stays open after the end until Ctrl-C where a
    /// terminal is attached.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Run without the cockpit.
    #[arg(long)]
    no_cockpit: bool,
    /// So many times as fast as the clock at most, 1 to 3600. Without it, as fast as the machine can, or in about 40 s
    /// where a terminal is attached and there is a cockpit to look at.
    #[arg(long, value_name = "TIMES", value_parser = clap::value_parser!(u16).range(1..=3600))]
    speed: Option<u16>,
    /// Write what operators do to this log; check it with `greenwave audit verify`.
    #[arg(long, value_name = "LOG")]
    audit: Option<PathBuf>,
    #[command(flatten)]
    threads: ThreadsArg,
    /// Instead of the table, what ambulances gain and others lose: this many mornings, from --seed on, each three times:
    /// without a call, with one that waits as everyone does, and with a green wave. 1 to 100.
    #[arg(long, value_name = "MORNINGS", conflicts_with = "record", value_parser = clap::value_parser!(u16).range(1..=100))]
    calls: Option<u16>,
}

/// One run to its end.
struct Run {
    outcome: Outcome,
    ambulances: Vec<Ambulance>,
    all: ClosedLoop,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let span = Span::from_s(i64::from(args.minutes) * 60);
    if let Some(mornings) = args.calls {
        return calls(args, mornings, span, terminal);
    }
    let (world, recorded) = morning(span, args.seed).map_err(sketchy)?;
    let mut recorder = args.record.as_deref().map(|path| Recorder::create(path, &recorded, args.seed)).transpose()?;
    let (junctions, links) = (world.network.junctions().len(), world.network.links().len());
    let bar = terminal.progress(2 * u64::from(args.minutes) * 60, "s");
    bar.set_message(format!("{junctions} junctions, two runs"));
    let settings = recorded.config.settings.clone();
    let mut cockpit = if args.no_cockpit { None } else { cockpit(&world, args, terminal) };
    let watched = cockpit.is_some() && io::stderr().is_terminal();
    let speed = args.speed.map(i64::from).or_else(|| watched.then(|| span.ms() / LIVE.ms()));
    let (fixed, greenwave) = thread::scope(|scope| {
        let fixed = scope.spawn(|| drive(&world, None, args, &bar, Rim::default()));
        let rim = Rim { recorder: recorder.as_mut(), cockpit: cockpit.as_mut(), speed };
        let greenwave = drive(&world, Some(settings), args, &bar, rim);
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
        "conditions": args.conditions.told(),
        "fixed": outcome(&fixed.outcome),
        "greenwave": outcome(&greenwave.outcome),
        "ambulances": greenwave.ambulances.iter().map(ambulance).collect::<Vec<_>>(),
        "plans": {"published": plans.published, "refused": plans.refused, "unsafe": plans.lamp_faults},
    });
    terminal.result(&object, table(&world, args, &fixed, &greenwave))?;
    if watched && io::stdout().is_terminal() {
        terminal.note("the cockpit stays open; Ctrl-C ends it");
        loop {
            thread::park();
        }
    }
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

/// What green waves are worth, over several mornings.
fn calls(args: &Args, mornings: u16, span: Span, terminal: &Terminal) -> Result<(), Failure> {
    let bar = terminal.progress(u64::from(mornings), "mornings");
    let mut trials = Vec::new();
    let mut text = String::from("seed  free flow, s  alone, s  green wave, s  reds  others' time, %\n");
    for seed in (args.seed..).take(usize::from(mornings)) {
        let (world, recorded) = morning(span, seed).map_err(sketchy)?;
        let options = args.conditions.options(&world.network, seed, START)?;
        if let Some(t) = study::trial(&world, &recorded.config.settings, &options, span) {
            let (free, alone, wave) = (t.free_flow_s, t.alone_s, t.wave_s);
            let (others, note) = (100.0 * t.others, if t.arrived { "" } else { "  never arrives" });
            let _ = writeln!(text, "{seed:>4}{free:>14.0}{alone:>10.0}{wave:>15.0}{:>6}{others:>+17.2}{note}", t.reds);
            trials.push(t);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let over = |what: &dyn Fn(&Trial) -> f64| {
        study::interval(&trials.iter().filter(|t| t.arrived).map(what).collect::<Vec<_>>())
    };
    let figures = [
        ("alone_over_free_flow", "time over free flow, alone", over(&|t| t.alone_s / t.free_flow_s)),
        ("green_wave_over_free_flow", "time over free flow, green wave", over(&|t| t.wave_s / t.free_flow_s)),
        (
            "delay_less_by",
            "delay less by",
            over(&|t| 1.0 - (t.wave_s - t.free_flow_s) / (t.alone_s - t.free_flow_s).max(1.0)),
        ),
        ("others", "others' time in half an hour, more by", over(&|t| t.others)),
    ];
    text.push('\n');
    for (_, words, (mean, half)) in figures {
        let _ = writeln!(text, "  {words:<40}{mean:>+7.3} ± {half:.3}");
    }
    let faults: u64 = trials.iter().map(|t| t.lamp_faults).sum();
    let _ = write!(text, "  {:<40}{faults:>7}", "lamp faults");
    let row = |t: &Trial| {
        json!({
            "free_flow_s": t.free_flow_s, "alone_s": t.alone_s, "green_wave_s": t.wave_s, "arrived": t.arrived,
            "red_crossings": t.reds, "others": t.others, "lamp_faults": t.lamp_faults,
        })
    };
    let mean =
        |(key, _, (mean, half)): (&str, &str, (f64, f64))| (key.to_owned(), json!({"mean": mean, "half_width": half}));
    let object = json!({
        "minutes": args.minutes, "conditions": args.conditions.told(),
        "trials": trials.iter().map(row).collect::<Vec<_>>(),
        "interval_95": figures.map(mean).into_iter().collect::<serde_json::Map<_, _>>(),
    });
    terminal.result(&object, text)?;
    match faults {
        0 => Ok(()),
        _ => Err(Failure::Unsafe(format!("{faults} lamp faults"))),
    }
}

fn sketchy(faults: Vec<Fault>) -> Failure {
    let faults = faults.iter().map(ToString::to_string).collect();
    Failure::Faulty { path: PathBuf::from("the demo's city"), faults }
}

fn drive(
    world: &World,
    control: Option<Settings>,
    args: &Args,
    bar: &ProgressBar,
    mut rim: Rim<'_>,
) -> Result<Run, Failure> {
    let mut all = ClosedLoop::new(world, control, args.conditions.options(&world.network, args.seed, START)?)
        .on(Threads::from(args.threads));
    let begun = Stopwatch::start();
    for second in 1..=i64::from(args.minutes) * 60 {
        if let Some(cockpit) = &rim.cockpit {
            all.say(cockpit.orders());
        }
        let tick = all.step();
        if let Some(recorder) = &mut rim.recorder {
            recorder.tick(tick.now, &tick.events, &tick.outputs)?;
        }
        if let Some(cockpit) = &mut rim.cockpit {
            cockpit.tick(tick.now, &tick.events, &tick.outputs);
        }
        if let Some(speed) = rim.speed {
            clock::sleep(Span::from_ms(second * 1000 / speed.max(1)) - begun.elapsed());
        }
        bar.inc(1);
    }
    if let Some(cockpit) = rim.cockpit {
        cockpit.end();
    }
    Ok(Run { outcome: all.outcome(), ambulances: all.twin().ambulances().to_vec(), all })
}

/// What a run has around it.
#[derive(Default)]
struct Rim<'a> {
    recorder: Option<&'a mut Recorder>,
    cockpit: Option<&'a mut Cockpit>,
    speed: Option<i64>,
}

/// The cockpit, or a word why there is none: the demo goes on without.
fn cockpit(world: &World, args: &Args, terminal: &Terminal) -> Option<Cockpit> {
    let options = http::Options {
        address: std::net::Ipv4Addr::LOCALHOST.into(),
        port: args.port,
        dual: vec!["mode".into()],
        audit: args.audit.clone(),
        issuers: Vec::new(),
        style: None,
    };
    match Cockpit::open(&world.network, &world.sensors, START, options) {
        Ok(cockpit) => {
            let (address, word) = (cockpit.address(), cockpit.one_time());
            terminal.note(format_args!("cockpit: http://{address}/#{word}   (lets one person in, once)"));
            Some(cockpit)
        }
        Err(error) => {
            terminal.note(format_args!("there is none: {error}"));
            None
        }
    }
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
        "{}: {} signals, {} roads, {} sensors; {} minutes of a morning peak, seed {}{}\n\n",
        world.network.name(),
        world.network.junctions().len(),
        world.network.links().len(),
        world.sensors.table().len(),
        args.minutes,
        args.seed,
        args.conditions,
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

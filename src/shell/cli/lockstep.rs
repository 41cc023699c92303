//! `greenwave lockstep`: one engine, driven tick by tick over stdin and stdout.

use std::io;
use std::path::PathBuf;

use super::Failure;
use crate::engine::Settings;
use crate::event::Mode;
use crate::shell::config::{self, Config};
use crate::shell::lockstep;
use crate::shell::record::Recorder;
use crate::shell::terminal::Terminal;
use crate::shell::threads::{Threads, ThreadsArg};
use crate::shell::world::World;

const ABOUT: &str = "\
Runs one engine that an outside world drives tick by tick, for SUMO, CityFlow or any other: one JSON object a line, \
the JSON mapping of the protobuf messages. The engine begins with `hello`; then each line in is a `tick` with what \
was seen since the last one, and the lines out are that tick's outputs and a `tick_done`. A line that cannot be \
understood is answered by an `error` that names line, field, value and reason, and changes nothing.

proto/README.md documents every message, with a client to start from.

Unless --config says otherwise, lead_ms is 0 and mode is \"control\" here.";

const AFTER: &str = "\
Examples:
  greenwave lockstep --network city.json --sensors sensors.json --record morning.gwlog
  echo '{\"tick\":{\"t_ms\":1700000000000}}' | greenwave lockstep --network city.json";

/// Run one engine that an outside world drives over stdin and stdout.
#[derive(Debug, clap::Args)]
#[command(long_about = ABOUT, after_long_help = AFTER.to_owned() + "\n\n" + &config::described())]
pub(super) struct Args {
    /// The network file, JSON.
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    /// The sensors file, JSON; without one there are no sensors.
    #[arg(long, value_name = "FILE")]
    sensors: Option<PathBuf>,
    /// The configuration, TOML; its `limits` names a limits file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A limits file, JSON, in place of the configuration's.
    #[arg(long, value_name = "FILE")]
    limits: Option<PathBuf>,
    /// Record what the engine is told, for `replay`.
    #[arg(long, value_name = "LOG")]
    record: Option<PathBuf>,
    #[command(flatten)]
    threads: ThreadsArg,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let defaults = Settings { lead_ms: 0, mode: Mode::Control, ..Settings::default() };
    let mut config = Config::load(args.config.as_deref(), defaults)?;
    config.limits = args.limits.clone().or(config.limits);
    let world = World::load(&args.network, args.sensors.as_deref(), config)?;
    let recorder = args.record.as_deref().map(|path| Recorder::create(path, &world, 0)).transpose()?;
    let output = io::BufWriter::new(io::stdout().lock());
    let summary = lockstep::run(&world, io::stdin().lock(), output, recorder, Threads::from(args.threads))?;
    if summary.errors > 0 {
        terminal.note(format_args!("{} ticks; {} lines could not be understood", summary.ticks, summary.errors));
    }
    Ok(())
}

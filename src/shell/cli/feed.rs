//! `greenwave feed`: a twin's or a recorded log's readings into Kafka.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::{Failure, simulate};
use crate::engine::Settings;
use crate::network::Sensors;
use crate::network::layout::{Layout, layout};
use crate::shell::clock::{self, Stopwatch};
use crate::shell::config::Config;
use crate::shell::kafka::feed::{Feeder, due};
use crate::shell::kafka::settings;
use crate::shell::load;
use crate::shell::terminal::Terminal;
use crate::time::{Span, Time};
use crate::twin::{Options, SensorFaults, Twin};
use crate::wire::Names;
use crate::wire::log::Reader;

const ABOUT: &str = "\
Plays readings and controllers' reports into Kafka, so that an engine can run live with no street: a simulated one \
(--network and --demand), whose controllers run their own programs, or a recorded day (--log).

A simulated street begins now and, at --rate 1x, goes at life's pace. A log keeps its own times.";

/// Play a simulated or recorded street into Kafka.
#[derive(Debug, clap::Args)]
#[command(long_about = ABOUT, after_long_help = settings::DESCRIBED)]
pub(super) struct Args {
    /// The network file, JSON.
    #[arg(long, value_name = "FILE", required_unless_present = "log", conflicts_with = "log")]
    network: Option<PathBuf>,
    /// Who travels: a demand file of this project, a CityFlow flow.json, or SUMO route files in SUMO's order.
    #[arg(long, value_name = "FILE", num_args = 1.., required_unless_present = "log", conflicts_with = "log")]
    demand: Vec<PathBuf>,
    /// The sensors file, JSON; without one, loops at every signal and a camera over every approach.
    #[arg(long, value_name = "FILE", conflicts_with = "log")]
    sensors: Option<PathBuf>,
    /// A recorded log, in place of network and demand.
    #[arg(long, value_name = "LOG")]
    log: Option<PathBuf>,
    /// How many times life's pace, such as `60x`, or `max`.
    #[arg(long, default_value = "1x", value_parser = super::replay::speed, value_name = "max|Nx")]
    rate: super::replay::Speed,
    /// Stop after so many seconds of the street's time; until told to stop (or the log ends) if not given.
    #[arg(long, value_name = "S")]
    seconds: Option<u32>,
    /// Another seed is other drivers and other broken sensors.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// When the simulated street begins: milliseconds since 1970-01-01T00:00:00 UTC; now if not given.
    #[arg(long, value_name = "MS")]
    start: Option<i64>,
    /// The configuration, TOML: where Kafka is.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let config = Config::load(args.config.as_deref(), Settings::default())?;
    let stop = super::told_to_stop()?;
    let mut play = Play { args, stop: &stop, watch: Stopwatch::start(), first: None, ticks: 0 };
    let feeder = match &args.log {
        Some(log) => play.log(log, &config)?,
        None => play.twin(&config)?,
    };
    feeder.finish()?;
    let object = json!({"ticks": play.ticks, "messages": feeder.messages, "readings": feeder.readings});
    let text = format!("{} ticks: {} readings, {} messages", play.ticks, feeder.readings, feeder.messages);
    Ok(terminal.result(&object, text)?)
}

struct Play<'a> {
    args: &'a Args,
    stop: &'a AtomicBool,
    watch: Stopwatch,
    first: Option<Time>,
    ticks: u64,
}

impl Play<'_> {
    /// Waits until `now` is due; false when it is not to be played any more.
    fn on(&mut self, now: Time) -> bool {
        let since = now - *self.first.get_or_insert(now);
        if self.args.seconds.is_some_and(|s| since >= Span::from_s(s.into())) {
            return false;
        }
        if let super::replay::Speed::Times(times) = self.args.rate {
            let due = due(since, times);
            while !self.stop.load(Ordering::Relaxed) && self.watch.elapsed() < due {
                clock::sleep((due - self.watch.elapsed()).min(Span::from_ms(100)));
            }
        }
        self.ticks += 1;
        !self.stop.load(Ordering::Relaxed)
    }

    fn twin(&mut self, config: &Config) -> Result<Feeder, Failure> {
        let path = self.args.network.clone().unwrap_or_default();
        let network = Arc::new(load::network(&path, config.limits.as_deref())?);
        let demand = simulate::demand(&self.args.demand, &network)?.demand;
        let sensors = match &self.args.sensors {
            Some(_) => load::sensors(self.args.sensors.as_deref(), &network)?,
            None => Sensors::build(&layout(&network, Layout::Full), &network).map_err(|f| load::faulty(&path, f))?,
        };
        let sensors = Arc::new(sensors);
        let start = self.args.start.map_or_else(clock::now, Time::from_ms).floor(Span::SECOND);
        let options = Options { seed: self.args.seed, start, sensors: SensorFaults::ORDINARY, ..Options::default() };
        let mut twin = Twin::new(Arc::clone(&network), &sensors, &demand, options);
        let mut feeder = Feeder::new(&config.kafka, Names::new(network, sensors))?;
        let mut events = Vec::new();
        if self.args.start.is_none() {
            // What a second brings is said when it is over, not before.
            clock::sleep(start + Span::SECOND - clock::now());
            self.watch = Stopwatch::start();
        }
        loop {
            twin.step();
            if !self.on(twin.now()) {
                return Ok(feeder);
            }
            events.clear();
            twin.events(&mut events);
            feeder.write(&events)?;
        }
    }

    fn log(&mut self, path: &PathBuf, config: &Config) -> Result<Feeder, Failure> {
        let failed = |e: crate::wire::log::LogError| Failure::Parse { path: path.clone(), why: e.to_string() };
        let file = File::open(path).map_err(|source| Failure::Read { path: path.clone(), source })?;
        let mut reader = Reader::open(BufReader::new(file)).map_err(failed)?;
        let mut feeder = Feeder::new(&config.kafka, reader.world().names.clone())?;
        while let Some(tick) = reader.tick().map_err(failed)? {
            if !self.on(tick.now) {
                break;
            }
            feeder.write(&tick.events)?;
        }
        Ok(feeder)
    }
}

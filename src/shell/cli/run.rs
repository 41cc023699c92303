//! `greenwave run`: live on Kafka.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;

use super::Failure;
use crate::engine::Settings;
use crate::event::Event;
use crate::output::Output;
use crate::shell::clock;
use crate::shell::config::{self, Config};
use crate::shell::http::{self, Cockpit};
use crate::shell::kafka::feed::Feeder;
use crate::shell::kafka::run::{Summary, Until};
use crate::shell::kafka::share::{Hands, Sharing};
use crate::shell::kafka::turn::Turn;
use crate::shell::kafka::{self, gauges, settings};
use crate::shell::pulse::{Pulse, Server};
use crate::shell::terminal::Terminal;
use crate::shell::threads::{Threads, ThreadsArg};
use crate::shell::world::World;
use crate::time::{Span, Time};

const ABOUT: &str = "\
Runs the engine live on Apache Kafka until it is told to stop (SIGTERM, Ctrl-C): what sensors and controllers say comes \
in, plans and everything else goes out. All that a tick says, and how far it read, is one transaction: readers that \
read committed messages see each plan once, whatever crashes. A worker that starts repeats what was committed in \
silence and goes on; one that ran before it under the same group is fenced and ends. With --standby it waits until no
other one does, and searches for that one what junctions should do.

The configuration names the network, the sensors and the broker. `greenwave topics create` makes the topics.";

const AFTER: &str = "\
Example of a configuration:
  network = \"city.json\"
  sensors = \"sensors.json\"
  listen = \"127.0.0.1:9464\"
  [engine]
  mode = \"control\"
  [kafka]
  bootstrap = \"broker1:9092,broker2:9092\"
  [cockpit]
  port = 8080
  dual = [\"mode\"]
  audit = \"audit.jsonl\"";

/// Run live on Kafka.
#[derive(Debug, clap::Args)]
#[command(long_about = ABOUT, after_long_help = AFTER.to_owned() + "\n\n" + &config::described() + "\n" + settings::DESCRIBED + "\n\n" + http::settings::DESCRIBED)]
pub(super) struct Args {
    /// The configuration, TOML.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// How sure delivery is, in place of the configuration's.
    #[arg(long, value_enum)]
    delivery: Option<settings::Delivery>,
    /// One of several workers: work when no other one of the group that was started so does, and search for the one that
    /// does. When one is gone another goes on, within seconds, where it was.
    #[arg(long)]
    standby: bool,
    /// Stop when everything that the topics hold has been used.
    #[arg(long)]
    to_end: bool,
    #[command(flatten)]
    threads: ThreadsArg,
    /// Where to answer /metrics (Prometheus), /health and /ready, such as 127.0.0.1:9464, in place of the configuration's.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let mut config = Config::load(Some(&args.config), Settings::default())?;
    config.kafka.delivery = args.delivery.unwrap_or(config.kafka.delivery);
    let missing = || Failure::Parse { path: args.config.clone(), why: "network: it is missing".into() };
    let network = config.network.clone().ok_or_else(missing)?;
    let world = World::load(&network, config.sensors.clone().as_deref(), config)?;
    if world.limits.benchmark {
        return Err(Failure::Usage("limits: these are a benchmark's, which no street would allow".into()));
    }
    let stop = super::told_to_stop()?;
    let pulse = Arc::new(Pulse::default());
    let listen = args.listen.as_ref().or(world.config.listen.as_ref());
    let server = listen.map(|at| Server::start(at, Arc::clone(&pulse), &gauges::SECONDS)).transpose()?;
    if let Some(server) = &server {
        terminal.note(format_args!("http://{}/metrics, /health, /ready", server.address()));
    }
    let mut desk = world.config.cockpit.as_ref().map(|settings| Desk::open(&world, settings, terminal)).transpose()?;
    let mut watch = |now: Time, events: &[Event], outputs: &[Output]| {
        if let Some(desk) = &mut desk {
            desk.tick(now, events, outputs);
        }
    };
    let bar = terminal.progress(0, "ticks");
    let told = || stop.load(Ordering::Relaxed);
    let turn = args.standby.then(|| Turn::join(&world.config.kafka)).transpose()?;
    let threads = Threads::from(args.threads);
    let shares = args.standby && world.config.kafka.share_wait_ms > 0;
    let sharing = shares.then(|| Sharing::join(&world, threads)).transpose()?;
    let hands = Hands { threads, sharing: sharing.as_ref() };
    let summary = loop {
        if let Some(turn) = &turn {
            pulse.run(true);
            pulse.interrupt(false);
            turn.wait(told, || pulse.beat());
            if told() {
                break Summary::default(); // whoever works goes on undisturbed
            }
        }
        let stop = || told() || turn.as_ref().is_some_and(|turn| !turn.is_mine());
        let until = Until { stop: &stop, end: args.to_end };
        let done = kafka::run::run(&world, hands, until, &pulse, &mut watch, |summary| {
            bar.inc_length(1);
            bar.inc(1);
            bar.set_message(format!("{} plans, {} rejected", summary.plans, summary.rejected));
        });
        if let (Err(why), Some(turn)) = (&done, &turn) {
            // Fenced by the one whose turn it is now, it may learn of that a little later.
            clock::sleep(Span::SECOND);
            if !told() && !turn.is_mine() {
                tracing::warn!(%why, "another worker goes on; this one stands by");
                continue;
            }
        }
        let summary = done?;
        if turn.is_none() || told() || args.to_end {
            break summary;
        }
        tracing::warn!("another worker goes on; this one stands by");
    };
    bar.finish_and_clear();
    if let Some(desk) = &desk {
        desk.orders.finish()?;
    }
    let object = json!({
        "repeated": summary.repeated,
        "ticks": summary.ticks,
        "messages": summary.messages,
        "plans": summary.plans,
        "rejected": summary.rejected,
        "last_ms": summary.last.map(Time::ms),
    });
    let text = format!(
        "{} ticks repeated, {} done: {} messages, {} plans, {} rejections",
        summary.repeated, summary.ticks, summary.messages, summary.plans, summary.rejected
    );
    Ok(terminal.result(&object, text)?)
}

/// The cockpit of a live run. What operators order goes the way of all events, over its topic, so that it is repeated
/// with them.
struct Desk {
    cockpit: Cockpit,
    orders: Feeder,
}

impl Desk {
    fn open(world: &World, settings: &http::settings::Settings, terminal: &Terminal) -> Result<Self, Failure> {
        let names = &world.names;
        let cockpit = Cockpit::open(names.network(), names.sensors(), clock::now(), settings.options()?)?;
        let orders = Feeder::new(&world.config.kafka, names.clone())?;
        let (address, word) = (cockpit.address(), cockpit.one_time());
        terminal.note(format_args!("cockpit: http://{address}/#{word}   (lets one person in, once)"));
        Ok(Self { cockpit, orders })
    }

    fn tick(&mut self, now: Time, events: &[Event], outputs: &[Output]) {
        self.cockpit.tick(now, events, outputs);
        let orders = self.cockpit.orders();
        if let Err(error) = self.orders.write(&orders) {
            tracing::error!(%error, orders = orders.len(), "what operators ordered could not be written");
        }
    }
}

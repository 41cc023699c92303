//! The command line: one file a command, each an `Args` and a `run`.

mod audit;
mod conditions;
mod demo;
mod feed;
mod lockstep;
mod network;
mod replay;
mod run;
mod simulate;
mod tail;
mod topics;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Parser, Subcommand};
use thiserror::Error;
use tracing_subscriber::EnvFilter;

use super::terminal::Terminal;

const ABOUT: &str = "\
Greenwave keeps the state of a road network from sensor counts, computes the delay index, and makes signal plans that \
no lamp breaks a rule of.

All times are milliseconds since 1970-01-01T00:00:00 UTC or seconds, as each option says; lengths are metres, speeds \
metres a second.";

const AFTER: &str = "\
Exit codes:
  0  done
  1  an input is faulty: a file, a log or a message; stderr names place, field, value and limit
  2  the arguments are wrong
  3  the run found something unsafe, or a replay differs from its recording
  4  the machine is at fault: a disk is full, a pipe is closed, the Kafka broker does not do what is needed

With --json, stdout is exactly one JSON object (lockstep and tail: one a line) and stderr carries progress.
GREENWAVE_LOG=debug shows more of what happens on stderr.

Examples:
  greenwave network check city.json
  greenwave network show city.json --json
  greenwave simulate --network city.json --demand demand.json --control greenwave
  greenwave lockstep --network city.json --record morning.gwlog
  greenwave replay morning.gwlog";

/// The arguments of `greenwave`.
#[derive(Debug, Parser)]
#[command(name = "greenwave", version, about = "Traffic signals that follow the traffic", long_about = ABOUT)]
#[command(after_long_help = AFTER, max_term_width = 100)]
struct Cli {
    /// Write exactly one JSON object to stdout.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Network(network::Args),
    Simulate(Box<simulate::Args>),
    Replay(replay::Args),
    Lockstep(lockstep::Args),
    Audit(audit::Args),
    Topics(topics::Args),
    Run(run::Args),
    Feed(feed::Args),
    Tail(tail::Args),
}

impl Command {
    fn run(&self, terminal: &Terminal) -> Result<(), Failure> {
        match self {
            Self::Demo(args) => demo::run(args, terminal),
            Self::Network(args) => network::run(args, terminal),
            Self::Simulate(args) => simulate::run(args, terminal),
            Self::Replay(args) => replay::run(args, terminal),
            Self::Lockstep(args) => lockstep::run(args, terminal),
            Self::Audit(args) => audit::run(args, terminal),
            Self::Topics(args) => topics::run(args, terminal),
            Self::Run(args) => run::run(args, terminal),
            Self::Feed(args) => feed::run(args, terminal),
            Self::Tail(args) => tail::run(args, terminal),
        }
    }
}

/// What is logged unless told otherwise. What the Kafka client says of lost connections, again and again, comes back as
/// errors to where they are dealt with.
const LOGGED: &str = "warn,librdkafka=off,rdkafka=off";

/// Why a command did not succeed.
#[derive(Debug, Error)]
pub enum Failure {
    /// A file that cannot be read.
    #[error("{}: cannot read: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that cannot be written.
    #[error("{}: cannot write: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that is not what it should be.
    #[error("{}: {why}", path.display())]
    Parse {
        /// Which.
        path: PathBuf,
        /// Place, field and value.
        why: String,
    },
    /// A file whose content cannot be.
    #[error("{}: {} faults\n{}", path.display(), faults.len(), faults.join("\n"))]
    Faulty {
        /// Which.
        path: PathBuf,
        /// Every fault of it.
        faults: Vec<String>,
    },
    /// Arguments that contradict each other.
    #[error("{0}")]
    Usage(String),
    /// The run showed what must never be shown; the result has already been written.
    #[error("{0}")]
    Unsafe(String),
    /// A cockpit that cannot be opened.
    #[error(transparent)]
    Cockpit(#[from] crate::shell::http::OpenError),
    /// A broker that does not answer, refuses, or has not what is needed.
    #[error("Kafka: {what}: {why}")]
    Broker {
        /// What was wanted of it.
        what: String,
        /// What it said.
        why: String,
    },
    /// A standard stream that is closed or broken.
    #[error("standard streams: {0}")]
    Stream(#[from] io::Error),
}

impl Failure {
    /// The exit code, as `--help` documents it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Read { .. } | Self::Parse { .. } | Self::Faulty { .. } => 1,
            Self::Usage(_) => 2,
            Self::Unsafe(_) => 3,
            Self::Write { .. } | Self::Broker { .. } | Self::Cockpit(_) | Self::Stream(_) => 4,
        }
    }
}

/// Reads the arguments, runs the command, says what went wrong.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("GREENWAVE_LOG").unwrap_or_else(|_| EnvFilter::new(LOGGED));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    let terminal = Terminal::new(cli.json);
    match cli.command.run(&terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal.note(format_args!("greenwave: {failure}"));
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Is set when the process is told to end: SIGTERM, Ctrl-C.
fn told_to_stop() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}

//! `greenwave tail`: what an engine says on Kafka, as it says it.

use std::io::{self, Write};
use std::path::PathBuf;

use super::Failure;
use crate::engine::Settings;
use crate::shell::config::Config;
use crate::shell::kafka::{settings, tail, topics::Topic};
use crate::shell::terminal::Terminal;

/// Follow what an engine says on Kafka: committed messages only. With --json, one message a line.
#[derive(Debug, clap::Args)]
#[command(after_long_help = settings::DESCRIBED)]
pub(super) struct Args {
    /// What to follow.
    #[arg(value_enum)]
    what: Topic,
    /// From the beginning of what the topic still holds, not from now on.
    #[arg(long)]
    from_start: bool,
    /// Stop at the end of what is there.
    #[arg(long)]
    to_end: bool,
    /// The configuration, TOML: where Kafka is.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let config = Config::load(args.config.as_deref(), Settings::default())?;
    let stop = super::told_to_stop()?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    tail::tail(&config.kafka, args.what, args.from_start, args.to_end, &stop, |told| {
        let line = if terminal.is_json() { told.json } else { told.text };
        // A reader that has seen enough closes the pipe.
        Ok(writeln!(out, "{line}").and_then(|()| if args.to_end { Ok(()) } else { out.flush() }).is_ok())
    })?;
    Ok(out.flush().or_else(|e| if e.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(e) })?)
}

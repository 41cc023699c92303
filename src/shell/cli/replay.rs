//! `greenwave replay`: a recorded log through the engine.

use std::path::PathBuf;

use serde_json::json;

use super::Failure;
use crate::shell::config;
use crate::shell::replay::{Report, Request, Until, replay};
use crate::shell::terminal::Terminal;
use crate::shell::threads::{Threads, ThreadsArg};
use crate::time::{Span, Time};
use crate::wire::log::hex;

const ABOUT: &str = "\
Runs a recorded log through the engine. The log holds the network, the sensors, the limits and the configuration it \
was recorded with, so nothing else is needed, and the outputs are the recorded ones to the byte: outputs_sha256 equals \
recorded_sha256, or the exit code is 3 and the first tick that differs is named. A log whose writer died is replayed \
up to its last whole frame.

With --config it is a counterfactual, what if: what the sensors saw stays as it was, whatever the engine decides now; \
digests are then not compared. Keys the file leaves out keep their recorded values.";

const AFTER: &str = "\
Examples:
  greenwave replay morning.gwlog --json
  greenwave replay morning.gwlog --until +600 --out tables
  greenwave replay morning.gwlog --speed 10x

--out writes plans.jsonl, index.jsonl, rejections.jsonl and notices.jsonl: one message a line, as proto/README.md says.";

/// Run a recorded log through the engine.
#[derive(Debug, clap::Args)]
#[command(long_about = ABOUT, after_long_help = AFTER.to_owned() + "\n\n" + &config::described())]
pub(super) struct Args {
    /// The log that `--record` wrote.
    log: PathBuf,
    /// How fast: `max`, or a multiple of life's pace such as `10x`.
    #[arg(long, default_value = "max", value_parser = speed, value_name = "max|Nx")]
    speed: Speed,
    /// Stop after this instant: milliseconds since 1970-01-01T00:00:00 UTC, or `+S`, seconds after the first tick.
    #[arg(long, value_parser = until, value_name = "MS|+S")]
    until: Option<Until>,
    /// Write the outputs to this folder, as JSON lines.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Another configuration, TOML: what if.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    threads: ThreadsArg,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Speed {
    Max,
    Times(f64),
}

pub(super) fn speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed::Max);
    }
    let times = text.strip_suffix('x').and_then(|n| n.parse::<f64>().ok());
    let times = times.filter(|times| (0.01..=1e6).contains(times));
    times.map(Speed::Times).ok_or_else(|| "neither max nor a multiple from 0.01x to 1000000x".to_owned())
}

fn until(text: &str) -> Result<Until, String> {
    let wrong = |_| "neither milliseconds since 1970 nor + and seconds".to_owned();
    match text.strip_prefix('+') {
        Some(s) => s.parse::<u32>().map(|s| Until::After(Span::from_s(s.into()))).map_err(wrong),
        None => text.parse().map(|ms| Until::At(Time::from_ms(ms))).map_err(wrong),
    }
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let request = Request {
        log: args.log.clone(),
        config: args.config.clone(),
        until: args.until,
        speed: match args.speed {
            Speed::Max => None,
            Speed::Times(times) => Some(times),
        },
        out: args.out.clone(),
        threads: Threads::from(args.threads),
    };
    let bar = terminal.progress(0, "ticks");
    let report = replay(&request, |_| {
        bar.inc_length(1);
        bar.inc(1);
    })?;
    bar.finish_and_clear();
    terminal.result(&described(&report), told(&report))?;
    match report.first_difference {
        Some(at) => Err(Failure::Unsafe(format!("the outputs differ from the recording from {} ms on", at.ms()))),
        None => Ok(()),
    }
}

fn described(report: &Report) -> serde_json::Value {
    json!({
        "ticks": report.ticks,
        "events": report.events,
        "outputs": report.outputs,
        "plans": {"published": report.plans, "refused": report.refused},
        "rejected": report.rejected,
        "first_ms": report.span.map(|(first, _)| first.ms()),
        "last_ms": report.span.map(|(_, last)| last.ms()),
        "outputs_sha256": hex(&report.outputs_sha256),
        "recorded_sha256": hex(&report.recorded_sha256),
        "equal": report.equal(),
        "first_difference_ms": report.first_difference.map(Time::ms),
        "counterfactual": report.counterfactual,
        "cut": report.cut,
        "recorded_by": report.recorded_by,
        "network_hash": hex(&report.hashes.0),
        "config_hash": hex(&report.hashes.1),
    })
}

fn told(report: &Report) -> String {
    let verdict = match report.equal() {
        None => "a counterfactual: another configuration than the recorded one, so digests are not compared",
        Some(true) => "equal to the recording, byte by byte",
        Some(false) => "DIFFERENT from the recording",
    };
    let cut = if report.cut { "; the log is cut short" } else { "" };
    format!(
        "{} ticks, {} events{cut}\n{} outputs: {} plans, {} refused drafts, {} rejections\n{verdict}\noutputs  {}\nrecorded {}",
        report.ticks,
        report.events,
        report.outputs,
        report.plans,
        report.refused,
        report.rejected,
        hex(&report.outputs_sha256),
        hex(&report.recorded_sha256),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_and_ends_are_read() {
        assert_eq!(speed("max"), Ok(Speed::Max));
        assert_eq!(speed("2.5x"), Ok(Speed::Times(2.5)));
        assert!(["", "x", "0x", "-1x", "NaNx", "10"].iter().all(|text| speed(text).is_err()));
        assert_eq!(until("+90"), Ok(Until::After(Span::from_s(90))));
        assert_eq!(until("1700000000000"), Ok(Until::At(Time::from_s(1_700_000_000))));
        assert!(["", "+", "noon", "+-1"].iter().all(|text| until(text).is_err()));
    }
}

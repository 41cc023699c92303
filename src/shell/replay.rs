//! Replay: a recorded log through the engine, to the same bytes or, under another configuration, to what if.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::cli::Failure;
use super::clock::{self, Stopwatch};
use super::config::Config;
use super::threads::Threads;
use crate::engine::city::City;
use crate::time::{Span, Time};
use crate::wire::log::{Digest, End, LogError, Reader, World, hex};
use crate::wire::{self, json, v1};
use v1::output::Output as O;

/// What to replay, and how.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The log.
    pub log: PathBuf,
    /// Another configuration: what if.
    pub config: Option<PathBuf>,
    /// Ticks after this are left out.
    pub until: Option<Until>,
    /// How many times faster than life; none means as fast as it goes.
    pub speed: Option<f64>,
    /// A folder for the outputs, as JSON lines.
    pub out: Option<PathBuf>,
    /// Threads that do the engine's steps.
    pub threads: Threads,
}

/// Where a replay stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// At this instant.
    At(Time),
    /// This long after the first tick.
    After(Span),
}

/// What came of a replay. It holds no wall time: the same log gives the same report.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// Ticks replayed.
    pub ticks: u64,
    /// Events in them.
    pub events: u64,
    /// Outputs of them.
    pub outputs: u64,
    /// Plans among the outputs.
    pub plans: u64,
    /// Refused drafts among the outputs.
    pub refused: u64,
    /// Rejected readings and messages among the outputs.
    pub rejected: u64,
    /// The first and the last tick.
    pub span: Option<(Time, Time)>,
    /// Digest of the outputs.
    pub outputs_sha256: [u8; 32],
    /// What the log says it was, up to the same tick.
    pub recorded_sha256: [u8; 32],
    /// The first tick after which the digests differ; none in a counterfactual.
    pub first_difference: Option<Time>,
    /// Whether another configuration than the recorded one was in force.
    pub counterfactual: bool,
    /// Whether the log's writer died.
    pub cut: bool,
    /// The version that recorded it.
    pub recorded_by: String,
    /// Network and configuration in force.
    pub hashes: ([u8; 32], [u8; 32]),
}

/// Replays a log; `progress` is told each tick's instant.
///
/// # Errors
/// When the log or the configuration is faulty, or the outputs cannot be written.
pub fn replay(request: &Request, mut progress: impl FnMut(Time)) -> Result<Report, Failure> {
    let path = &request.log;
    let faulty = |why: String| Failure::Parse { path: path.clone(), why };
    let file = File::open(path).map_err(|source| Failure::Read { path: path.clone(), source })?;
    let mut reader = Reader::open(BufReader::with_capacity(1 << 16, file)).map_err(|e| failed(path, e))?;
    let world = reader.world().clone();
    let recorded = Config::recorded(&world.header.config_toml).map_err(|why| faulty(format!("config_toml: {why}")))?;
    let provenance = world.header.provenance.clone().unwrap_or_default();
    if provenance.config_hash != recorded.hash() {
        let (found, expected) = (hex(&provenance.config_hash), hex(&recorded.hash()));
        return Err(failed(path, LogError::Hash { field: "config_hash", found, expected }));
    }
    let config = match &request.config {
        Some(other) => under_limits(Config::load(Some(other), recorded.settings.clone())?, &world),
        None => recorded.clone(),
    };
    let hashes = (*world.names.network().hash(), config.hash());
    let mut report = Report {
        counterfactual: config.settings != recorded.settings,
        recorded_by: provenance.engine_version,
        hashes,
        ..Report::default()
    };
    let mut lines = request.out.as_deref().map(JsonLines::create).transpose()?;
    let mut pace = request.speed.map(|times| Pace { times, watch: Stopwatch::start() });
    let mut digest = Digest::default();
    let mut city: Option<City> = None;
    while let Some(tick) = reader.tick().map_err(|e| failed(path, e))? {
        let first = report.span.map_or(tick.now, |(first, _)| first);
        let over = |until| match until {
            Until::At(at) => tick.now > at,
            Until::After(span) => tick.now > first + span,
        };
        if request.until.is_some_and(over) {
            break;
        }
        if let Some(pace) = &mut pace {
            pace.wait(tick.now - first);
        }
        let city = city.get_or_insert_with(|| woken(&world, &config, tick.now));
        let outputs = request.threads.step(city, tick.now, &tick.events);
        let outputs: Vec<v1::Output> = outputs.iter().map(|output| wire::output(&world.names, output)).collect();
        digest.tick(tick.now, &outputs);
        report.count(&outputs);
        report.ticks += 1;
        report.events += tick.events.len() as u64;
        report.span = Some((first, tick.now));
        report.recorded_sha256 = tick.outputs_sha256;
        if !report.counterfactual && report.first_difference.is_none() && digest.sha256() != tick.outputs_sha256 {
            report.first_difference = Some(tick.now);
        }
        if let Some(lines) = &mut lines {
            lines.write(&outputs)?;
        }
        progress(tick.now);
    }
    report.outputs_sha256 = digest.sha256();
    report.cut = matches!(reader.end(), Some(End::Cut { .. }));
    lines.map_or(Ok(()), JsonLines::finish)?;
    Ok(report)
}

impl Report {
    /// Whether the outputs are those of the recording; none in a counterfactual, where there is nothing to compare.
    pub fn equal(&self) -> Option<bool> {
        (!self.counterfactual).then_some(self.first_difference.is_none())
    }

    fn count(&mut self, outputs: &[v1::Output]) {
        self.outputs += outputs.len() as u64;
        for output in outputs {
            match output.output {
                Some(O::Plan(_)) => self.plans += 1,
                Some(O::PlanRefused(_)) => self.refused += 1,
                Some(O::Rejection(_)) => self.rejected += 1,
                _ => {}
            }
        }
    }
}

/// The limits of the recording hold in a counterfactual, too: they are part of its network.
fn under_limits(mut config: Config, world: &World) -> Config {
    if let Some(grid_s) = world.limits.decision_grid_s {
        config.settings.grid_ms = Span::nearest(grid_s).ms();
    }
    config
}

fn woken(world: &World, config: &Config, first: Time) -> City {
    let (network, sensors) = (world.names.network().clone(), world.names.sensors().clone());
    City::new(network, sensors, config.settings.clone(), first - config.settings.tick())
}

fn failed(path: &Path, error: LogError) -> Failure {
    match error {
        LogError::Io(source) => Failure::Read { path: path.into(), source },
        other => Failure::Parse { path: path.into(), why: other.to_string() },
    }
}

/// Keeps a replay at a multiple of life's pace.
struct Pace {
    times: f64,
    watch: Stopwatch,
}

impl Pace {
    fn wait(&mut self, since_first: Span) {
        let due = Span::nearest(since_first.s() / self.times);
        clock::sleep(due - self.watch.elapsed());
    }
}

/// The outputs as JSON lines, one file a kind.
struct JsonLines {
    files: [(PathBuf, BufWriter<File>); 4],
}

/// One file a kind; what is none of the first three is a notice.
const FILES: [&str; 4] = ["plans.jsonl", "index.jsonl", "rejections.jsonl", "notices.jsonl"];

impl JsonLines {
    fn create(folder: &Path) -> Result<Self, Failure> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source: io::Error| Failure::Write { path, source }
        };
        fs::create_dir_all(folder).map_err(failed(folder))?;
        let open = |name: &str| {
            let path = folder.join(name);
            let file = File::create(&path).map_err(failed(&path))?;
            Ok::<_, Failure>((path, BufWriter::new(file)))
        };
        Ok(Self { files: [open(FILES[0])?, open(FILES[1])?, open(FILES[2])?, open(FILES[3])?] })
    }

    fn write(&mut self, outputs: &[v1::Output]) -> Result<(), Failure> {
        for output in outputs {
            let (file, line) = match &output.output {
                Some(O::Plan(plan)) => (0, json::write(plan)),
                Some(O::Index(report)) => (1, json::write(report)),
                Some(O::Rejection(rejection)) => (2, json::write(rejection)),
                _ => (3, json::write(output)),
            };
            let (path, file) = &mut self.files[file];
            writeln!(file, "{line}").map_err(|source| Failure::Write { path: path.clone(), source })?;
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Failure> {
        for (path, mut file) in self.files {
            file.flush().map_err(|source| Failure::Write { path, source })?;
        }
        Ok(())
    }
}

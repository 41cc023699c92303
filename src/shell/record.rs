//! Records a run to a log file.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use super::cli::Failure;
use super::world::World;
use crate::event::Event;
use crate::output::Output;
use crate::time::Time;
use crate::wire::log::{Closing, LogError, Writer};
use crate::wire::{self, Names, v1};

/// Records a run whose ticks are ended by whoever drives the engine.
#[derive(Debug)]
pub struct Recorder {
    path: PathBuf,
    names: Names,
    writer: Writer<BufWriter<File>>,
}

impl Recorder {
    /// Begins a log at `path`, overwriting what is there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(path: &Path, world: &World, seed: u64) -> Result<Self, Failure> {
        let file = File::create(path).map_err(|source| Failure::Write { path: path.into(), source })?;
        let names = world.names.clone();
        let writer = Writer::create(BufWriter::new(file), world.header(seed), names.clone());
        Ok(Self { path: path.into(), names, writer: writer.map_err(|e| failed(path, e))? })
    }

    /// Adds a tick: what the engine was told, in the order it was told, and what it said.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn tick(&mut self, now: Time, events: &[Event], outputs: &[Output]) -> Result<(), Failure> {
        let messages: Vec<v1::Output> = outputs.iter().map(|output| wire::output(&self.names, output)).collect();
        self.messages(now, events, &messages)
    }

    /// The same, where the outputs are messages already.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn messages(&mut self, now: Time, events: &[Event], outputs: &[v1::Output]) -> Result<(), Failure> {
        self.writer.tick(now, events, &Closing::Caller, outputs).map_err(|e| failed(&self.path, e))
    }

    /// Ends the log and says what it holds.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<v1::LogFooter, Failure> {
        self.writer.finish().map_err(|e| failed(&self.path, e))
    }
}

fn failed(path: &Path, error: LogError) -> Failure {
    match error {
        LogError::Io(source) => Failure::Write { path: path.into(), source },
        other => Failure::Parse { path: path.into(), why: other.to_string() },
    }
}

//! Writes a log as it happens: bounded memory, a whole frame at least every minute of ticks.

use std::io::{self, Write};

use prost::Message;

use super::{Closing, Digest, FORMAT, FRAME_BYTES, FRAME_TICKS, LogError, runs};
use crate::event::Event;
use crate::time::Time;
use crate::wire::Names;
use crate::wire::v1::{self, log_record};

/// Writes a log. Without [`Writer::finish`] it ends like that of a writer that died.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    names: Names,
    frame: Vec<u8>,
    frame_ticks: u32,
    ticks: u64,
    events: u64,
    digest: Digest,
}

impl<W: Write> Writer<W> {
    /// Begins a log of a world with these names. The header's `format` is filled in.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(out: W, mut header: v1::LogHeader, names: Names) -> Result<Self, LogError> {
        FORMAT.clone_into(&mut header.format);
        let mut writer =
            Self { out, names, frame: Vec::new(), frame_ticks: 0, ticks: 0, events: 0, digest: Digest::default() };
        writer.record(log_record::Record::Header(header))?;
        writer.flush()?;
        Ok(writer)
    }

    /// Adds a tick: what the engine was told, in the order it was told, and what it said.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn tick(
        &mut self,
        now: Time,
        events: &[Event],
        closing: &Closing,
        outputs: &[v1::Output],
    ) -> Result<(), LogError> {
        self.digest.tick(now, outputs);
        let frame = v1::LogFrame {
            now_ms: now.ms(),
            events: runs::pack(&self.names, events),
            closing: Some(closing.into()),
            outputs_sha256: self.digest.sha256().to_vec(),
        };
        self.record(log_record::Record::Frame(frame))?;
        self.ticks += 1;
        self.frame_ticks += 1;
        self.events += events.len() as u64;
        if self.frame.len() >= FRAME_BYTES || self.frame_ticks >= FRAME_TICKS {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes out what has been told so far, so that a crash does not lose it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> Result<(), LogError> {
        if !self.frame.is_empty() {
            let mut encoder = zstd::stream::write::Encoder::new(&mut self.out, 3)?;
            encoder.include_checksum(true)?;
            encoder.write_all(&self.frame)?;
            encoder.finish()?;
            self.frame.clear();
            self.frame_ticks = 0;
        }
        Ok(self.out.flush()?)
    }

    /// Ends the log and says what it holds.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<v1::LogFooter, LogError> {
        let footer = v1::LogFooter {
            ticks: self.ticks,
            events: self.events,
            outputs: self.digest.outputs(),
            outputs_sha256: self.digest.sha256().to_vec(),
        };
        self.record(log_record::Record::Footer(footer.clone()))?;
        self.flush()?;
        Ok(footer)
    }

    fn record(&mut self, record: log_record::Record) -> Result<(), LogError> {
        let record = v1::LogRecord { record: Some(record) };
        Ok(record.encode_length_delimited(&mut self.frame).map_err(io::Error::other)?)
    }
}

impl From<&Closing> for v1::Closing {
    fn from(closing: &Closing) -> Self {
        let (cause, missing) = match closing {
            Closing::Watermark => (v1::ClosingCause::Watermark, Vec::new()),
            Closing::Deadline(missing) => (v1::ClosingCause::Deadline, missing.iter().map(|m| m.to_string()).collect()),
            Closing::Caller => (v1::ClosingCause::Caller, Vec::new()),
        };
        Self { cause: cause.into(), missing }
    }
}

//! Reads a log frame by frame, and makes its world again.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};
use std::sync::Arc;

use prost::Message;
use prost::bytes::Buf;

use super::{Closing, FORMAT, FRAME_BYTES_MAX, HEADER_BYTES_MAX, LogError, Tick, hex, runs};
use crate::network::limits::Limits;
use crate::network::sensor::SensorsSpec;
use crate::network::{Network, NetworkSpec, Sensors};
use crate::time::Time;
use crate::wire::v1::{self, log_record};
use crate::wire::{Names, Wrong};

/// The world that a log was recorded in.
#[derive(Debug, Clone)]
pub struct World {
    /// Its network and sensors.
    pub names: Names,
    /// The limits that were in force.
    pub limits: Limits,
    /// The rest of the header; the files are taken out of it.
    pub header: v1::LogHeader,
}

/// How a log ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// Its writer finished it.
    Finished(v1::LogFooter),
    /// Its writer died: from this byte on there is no whole frame, or no footer.
    Cut {
        /// Where.
        byte: u64,
    },
}

/// Reads a log.
#[derive(Debug)]
pub struct Reader<R> {
    input: Counted<R>,
    world: World,
    records: VecDeque<log_record::Record>,
    frame_start: u64,
    ticks: u64,
    end: Option<End>,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header and builds the world it describes.
    ///
    /// # Errors
    /// When it is no log, or its world cannot be built or is not the one it says.
    pub fn open(input: R) -> Result<Self, LogError> {
        let mut input = Counted { inner: input, byte: 0 };
        let bytes = match frame(&mut input, HEADER_BYTES_MAX) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(LogError::NotALog("it is empty".into())),
            Err(error) => return Err(LogError::NotALog(error.to_string())),
        };
        let mut records = records(&bytes).map_err(|wrong| LogError::NotALog(wrong.to_string()))?;
        let (Some(log_record::Record::Header(header)), true) = (records.pop_front(), records.is_empty()) else {
            return Err(LogError::NotALog("it does not begin with a header of its own".into()));
        };
        Ok(Self { input, world: world(header)?, records, frame_start: 0, ticks: 0, end: None })
    }

    /// The world it was recorded in.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// How it ended; `None` as long as there are ticks to read.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// The next tick; `None` at the end.
    ///
    /// # Errors
    /// When what comes is malformed; with the byte in the file where its frame begins.
    pub fn tick(&mut self) -> Result<Option<Tick>, LogError> {
        while self.end.is_none() {
            match self.records.pop_front() {
                Some(log_record::Record::Frame(frame)) => {
                    let tick = self.told(frame).map_err(|wrong| self.malformed(wrong))?;
                    self.ticks += 1;
                    return Ok(Some(tick));
                }
                Some(log_record::Record::Footer(footer)) => self.finish(footer)?,
                Some(log_record::Record::Header(_)) => return Err(self.malformed("a second header")),
                None => self.refill()?,
            }
        }
        Ok(None)
    }

    fn refill(&mut self) -> Result<(), LogError> {
        self.frame_start = self.input.byte;
        match frame(&mut self.input, FRAME_BYTES_MAX) {
            Ok(Some(bytes)) => self.records = records(&bytes).map_err(|wrong| self.malformed(wrong))?,
            Ok(None) => self.end = Some(End::Cut { byte: self.frame_start }),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => self.end = Some(End::Cut { byte: self.frame_start }),
            Err(error) => return Err(self.malformed(error)),
        }
        Ok(())
    }

    fn finish(&mut self, footer: v1::LogFooter) -> Result<(), LogError> {
        if footer.ticks != self.ticks {
            return Err(self.malformed(format!("the footer counts {} ticks", footer.ticks)));
        }
        if !self.records.is_empty() || !self.input.fill_buf()?.is_empty() {
            return Err(self.malformed("something follows the footer"));
        }
        self.end = Some(End::Finished(footer));
        Ok(())
    }

    fn told(&self, frame: v1::LogFrame) -> Result<Tick, Wrong> {
        let mut events = Vec::with_capacity(frame.events.len());
        for (row, event) in frame.events.into_iter().enumerate() {
            runs::unpack(&self.world.names, event, &mut events).map_err(|w| w.within(format_args!("events[{row}]")))?;
        }
        Ok(Tick {
            now: Time::from_ms(frame.now_ms),
            events,
            closing: closing(frame.closing)?,
            outputs_sha256: digest("outputs_sha256", &frame.outputs_sha256)?,
        })
    }

    fn malformed(&self, why: impl ToString) -> LogError {
        LogError::Malformed { byte: self.frame_start, tick: self.ticks, why: why.to_string() }
    }
}

fn digest(field: &str, bytes: &[u8]) -> Result<[u8; 32], Wrong> {
    bytes.try_into().map_err(|_| Wrong::new(field, hex(bytes), "is not 32 bytes long"))
}

fn closing(message: Option<v1::Closing>) -> Result<Closing, Wrong> {
    let message = message.ok_or_else(|| Wrong::missing("closing"))?;
    match v1::ClosingCause::try_from(message.cause) {
        Ok(v1::ClosingCause::Watermark) => Ok(Closing::Watermark),
        Ok(v1::ClosingCause::Deadline) => Ok(Closing::Deadline(message.missing.into_iter().map(Into::into).collect())),
        Ok(v1::ClosingCause::Caller) => Ok(Closing::Caller),
        Ok(v1::ClosingCause::Unspecified) | Err(_) => {
            Err(Wrong::new("closing.cause", message.cause, "is no way to end a tick"))
        }
    }
}

/// The next zstd frame, unpacked; `None` at the end of the file.
fn frame<R: BufRead>(input: &mut Counted<R>, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
    if input.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?.single_frame();
    decoder.window_log_max(27)?;
    let mut bytes = Vec::new();
    decoder.by_ref().take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(io::Error::other(format!("a frame is longer than {bytes_max} bytes")));
    }
    Ok(Some(bytes))
}

fn records(mut bytes: &[u8]) -> Result<VecDeque<log_record::Record>, Wrong> {
    let mut records = VecDeque::new();
    while bytes.has_remaining() {
        let record = v1::LogRecord::decode_length_delimited(&mut bytes)?;
        records.push_back(record.record.ok_or_else(|| Wrong::missing("header, frame or footer"))?);
    }
    Ok(records)
}

fn world(mut header: v1::LogHeader) -> Result<World, LogError> {
    if header.format != FORMAT {
        return Err(LogError::Format { found: header.format.chars().take(80).collect() });
    }
    let spec: NetworkSpec = json("network_json", &std::mem::take(&mut header.network_json))?;
    let limits: Limits = json("limits_json", &header.limits_json)?;
    let sensors: SensorsSpec = json("sensors_json", &std::mem::take(&mut header.sensors_json))?;
    let network = Network::build(spec, &limits).map_err(|f| LogError::faults("network_json", &f))?;
    let sensors = Sensors::build(&sensors, &network).map_err(|f| LogError::faults("sensors_json", &f))?;
    let said = header.provenance.as_ref().map_or(&[][..], |p| &p.network_hash);
    if said != network.hash() {
        let (found, expected) = (hex(said), hex(network.hash()));
        return Err(LogError::Hash { field: "network_hash", found, expected });
    }
    Ok(World { names: Names::new(Arc::new(network), Arc::new(sensors)), limits, header })
}

fn json<T: serde::de::DeserializeOwned>(field: &'static str, bytes: &[u8]) -> Result<T, LogError> {
    serde_json::from_slice(bytes).map_err(|e| LogError::Header { field, why: e.to_string() })
}

/// A reader that knows how far it has come.
#[derive(Debug)]
struct Counted<R> {
    inner: R,
    byte: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.byte += count as u64;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }
    fn consume(&mut self, count: usize) {
        self.inner.consume(count);
        self.byte += count as u64;
    }
}

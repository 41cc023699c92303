//! The event log: a header from which the engine can be made again, all it was told tick by tick, and a digest of all
//! it said.
//!
//! A file is a sequence of zstd frames, each holding whole records of `log.proto`, every one preceded by its length as
//! a varint. The header has a frame of its own. A writer that died leaves a file that can be read up to its last whole
//! frame. Neither side ever holds more than one frame.

mod reader;
mod runs;
mod writer;

use std::io;

use prost::Message;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::v1;
use crate::event::Event;
use crate::network::Fault;
use crate::time::Time;

pub use reader::{End, Reader, World};
pub use writer::Writer;

/// The `format` every log of this version carries.
pub const FORMAT: &str = "greenwave-log/1";
/// A frame is written out when it is longer than this, bytes before compression.
const FRAME_BYTES: usize = 1 << 20;
/// A frame is written out when it holds this many ticks, so that a crash loses no more.
const FRAME_TICKS: u32 = 60;
/// No frame is longer, bytes before compression.
const FRAME_BYTES_MAX: u64 = 512 << 20;
/// No header is longer, bytes before compression.
const HEADER_BYTES_MAX: u64 = 4 << 30;

/// One tick of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// The instant of the step.
    pub now: Time,
    /// What the engine was told, in order.
    pub events: Vec<Event>,
    /// What ended the tick.
    pub closing: Closing,
    /// Digest of all outputs up to and including this tick's.
    pub outputs_sha256: [u8; 32],
}

/// What ended a tick.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Closing {
    /// Every source had reported up to it.
    Watermark,
    /// Some sources, by name, were silent for too long.
    Deadline(Vec<Box<str>>),
    /// Whoever drives the engine said so: the twin, or a lock-step client.
    #[default]
    Caller,
}

/// The digest of all that an engine said, as [`v1::LogFooter`] defines it.
#[derive(Debug, Clone, Default)]
pub struct Digest {
    sha: Sha256,
    outputs: u64,
}

impl Digest {
    /// Takes in what one step said.
    pub fn tick(&mut self, now: Time, outputs: &[v1::Output]) {
        self.sha.update(now.ms().to_le_bytes());
        self.sha.update(u32::try_from(outputs.len()).unwrap_or(u32::MAX).to_le_bytes());
        let mut bytes = Vec::new();
        for output in outputs {
            bytes.clear();
            output.encode_length_delimited(&mut bytes).unwrap_or_default(); // a Vec never runs out of room
            self.sha.update(&bytes);
        }
        self.outputs += outputs.len() as u64;
    }

    /// The digest so far.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha.clone().finalize().into()
    }

    /// How many outputs it covers.
    pub fn outputs(&self) -> u64 {
        self.outputs
    }
}

/// Why a log cannot be written or read.
#[derive(Debug, Error)]
pub enum LogError {
    /// The file itself.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It begins with something else than a log's header.
    #[error("this is no log: {0}")]
    NotALog(String),
    /// A log of another version.
    #[error("format: \"{found}\" is not \"{FORMAT}\"")]
    Format {
        /// What it says.
        found: String,
    },
    /// The world in its header cannot be built.
    #[error("header: {field}: {why}")]
    Header {
        /// Which part.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The world in its header has other hashes than it says.
    #[error("header: {field} is {found}, and what the header holds has {expected}")]
    Hash {
        /// Which.
        field: &'static str,
        /// What the header says.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// Something in the middle of it.
    #[error("byte {byte}, tick {tick}: {why}")]
    Malformed {
        /// Where the frame begins in the file.
        byte: u64,
        /// Ticks read before.
        tick: u64,
        /// What is wrong.
        why: String,
    },
}

impl LogError {
    fn faults(field: &'static str, faults: &[Fault]) -> Self {
        let why = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Self::Header { field, why }
    }
}

/// Lower-case hexadecimal, as `sha256sum` prints it.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}

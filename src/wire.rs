//! Bytes and JSON to events, events and outputs to bytes and JSON: names end here, dense ids never leave.
//!
//! `proto/greenwave/v1` is the only public format; what it says of units and ranges holds. A message that names
//! nothing known, or says what cannot be said, becomes an [`Unreadable`](crate::event::Unreadable) event that tells
//! field, value and reason: nothing is lost, and nothing is half used. Unknown fields are skipped.
//! Whether a value is believable is for `traffic` to say.

mod heard;
pub mod json;
pub mod log;
mod names;
mod read;
mod read_control;
mod say;
pub mod search;
pub mod snapshot;
mod stream;
#[cfg(test)]
mod testing;
mod wave;
mod write;
mod wrong;

pub use heard::Heard;
pub use names::Names;
pub use prost::{Message, decode_length_delimiter as varint};
pub use read::{read, readings, readings_of};
pub use read_control::{call, command, position, request, status};
pub use say::output;
pub use stream::{seems, stream};
pub use write::event;
pub use wrong::Wrong;

/// The messages of `proto/greenwave/v1`, generated.
#[expect(clippy::allow_attributes, reason = "generated")]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/greenwave.v1.rs"));
    include!(concat!(env!("OUT_DIR"), "/greenwave.v1.serde.rs"));
}

/// No message is longer, bytes.
pub const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// No message holds more readings.
pub const READINGS_MAX: usize = 100_000;
/// What is quoted of a faulty message is cut to this many characters.
pub const QUOTE_CHARS_MAX: usize = 80;

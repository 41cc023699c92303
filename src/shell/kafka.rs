//! Live on Apache Kafka: readings in, plans out, nothing lost and nothing twice.
//!
//! ```text
//!  input (thread) ──chunks──▶ backlog ─▶ watermark ─▶ tick ─▶ City::step ─▶ route ──▶ publish (thread)
//!   poll, unframe, decode     a queue a partition     which messages        records     one transaction:
//!   pause, resume             up to where a tick reads                                  records, tick, offsets
//! ```
//!
//! A tick is a function of its instant and of how far each input partition was read; both stand in `engine.ticks`, in
//! the same transaction as all that the tick said. Whoever starts repeats the committed ticks in silence and goes on,
//! from the last snapshot of what the engine had become, which is written beside the ticks a few parts at a time
//! (`keeper`). A worker that starts fences the one before it, so that no two write. What the engine's search is asked
//! meanwhile may be answered by others (`share`).

mod backlog;
mod client;
mod decode;
pub mod feed;
mod framing;
pub mod gauges;
mod input;
mod keeper;
mod outbox;
mod past;
mod publish;
mod rim;
mod route;
pub mod run;
pub mod settings;
pub mod share;
mod spares;
pub mod tail;
pub mod topics;
pub mod turn;
mod watermark;

pub use settings::Settings;

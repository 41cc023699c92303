//! Live on a real broker.

mod broker;
mod delivery;
mod privacy;

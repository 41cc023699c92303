//! Live on a real broker.

mod broker;
mod delivery;
mod faults;
mod formats;
mod privacy;
mod proxy;

//! Live on a real broker.

mod bootstrap;
mod broker;
mod delivery;
mod faults;
mod formats;
mod privacy;
mod proxy;
mod workers;

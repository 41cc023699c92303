//! Where the pure core meets the world: arguments, configuration, files, standard streams, the clock and the log.

pub mod cli;
pub mod clock;
pub mod closed_loop;
pub mod config;
pub mod http;
pub mod kafka;
pub mod load;
pub mod lockstep;
pub mod pulse;
pub mod record;
pub mod replay;
mod secret;
pub mod show;
pub mod study;
pub mod terminal;
pub mod threads;
pub mod world;

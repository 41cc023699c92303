//! Greenwave: from sensor counts to safe signal plans.

pub mod alarm;
pub mod authority;
pub mod corridor;
pub mod engine;
pub mod event;
pub mod ids;
pub mod keep;
pub mod network;
pub mod optimize;
pub mod output;
pub mod plan;
pub mod shell;
pub mod time;
pub mod traffic;
pub mod twin;
pub mod units;
pub mod wire;

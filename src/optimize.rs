//! What should run: base plans over minutes, the rolling schedule over seconds.

pub mod horizon;

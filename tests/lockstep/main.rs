//! Lock-step from outside: the real binary, spoken to as `proto/README.md` says, by Rust, by Python and by noise.

mod mutate;
mod readme;
mod talk;

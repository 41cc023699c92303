//! The public formats: nothing is lost on the way there and back, and whatever is broken is refused with its reason.

mod golden;
mod log;
mod mutate;
mod round_trip;
mod world;

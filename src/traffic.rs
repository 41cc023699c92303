//! What is happening on the road.

pub mod tracker;

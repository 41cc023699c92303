//! A mesoscopic simulator and the worlds it runs.

pub mod city;
pub mod demand;

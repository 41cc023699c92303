//! What the tests of this room share.

use std::sync::Arc;

use super::Names;
use crate::network::layout::{Layout, layout};
use crate::network::limits::Limits;
use crate::network::{Network, Sensors};

/// The names of the demo's city with all its sensors.
pub(super) fn names() -> Names {
    let network = Network::build(crate::twin::city::demo(), &Limits::default()).expect("the city is sound");
    let sensors = Sensors::build(&layout(&network, Layout::Full), &network).expect("so are its sensors");
    Names::new(Arc::new(network), Arc::new(sensors))
}

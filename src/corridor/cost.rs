//! What a vehicle's greens are expected to cost others.

use crate::corridor::GateEta;
use crate::corridor::clear::Look;
use crate::corridor::way::{Gate, Way};
use crate::ids::span;
use crate::network::Network;

/// The delay of others at the last `gates.len()` signals of a way, vehicle-seconds: whoever comes from elsewhere waits, on
/// average, half of a hold.
pub(super) fn cost(network: &Network, way: &Way, gates: &[GateEta], look: Look<'_>) -> f64 {
    let ahead = way.gates.iter().skip(way.gates.len() - gates.len());
    let of = |(gate, eta): (&Gate, &GateEta)| {
        let hold = (eta.high - eta.green_from).s().max(0.0);
        let own = way.links[gate.row];
        let others = network.junction(gate.junction).approaches.iter().filter(|&&link| link != own);
        let lanes = others.flat_map(|&link| span(&network.link(link).lanes));
        lanes.filter_map(|lane| look(lane, 0.0)).map(|s| s.flow * hold * hold / 2.0).sum::<f64>()
    };
    ahead.zip(gates).map(of).sum()
}

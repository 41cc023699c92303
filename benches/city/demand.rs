//! Who travels in a city of any size: what the benches of the twin and the engine share.

use std::sync::Arc;

use greenwave::network::route::Router;
use greenwave::network::{Link, Network, VehicleClass};
use greenwave::time::Span;
use greenwave::twin::demand::{Demand, Trip};

/// Trips between links a kilometre or two apart, `per_s` a second for `seconds`, everywhere.
pub(crate) fn demand(network: &Network, per_s: f64, seconds: usize) -> Demand {
    let router = Router::new(network);
    let links: Vec<_> = network.links().ids().collect();
    let mut state = 88_172_645_463_325_252u64;
    let mut draw = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n as u64) as usize
    };
    let mut routes = Vec::new();
    while routes.len() < 2000.max(links.len() / 4) {
        let from = links[draw(links.len())];
        let start = network.node(network.link(from).to).position;
        let near = |&&l: &&_| {
            let there: &Link = network.link(l);
            (800.0..2500.0).contains(&network.node(there.to).position.distance(start).get())
        };
        let offset = draw(links.len());
        let Some(&to) = links[offset..].iter().chain(&links[..offset]).find(near) else { continue };
        if let Some((way, _)) = router.route(from, to, |l| network.link(l).free_flow()) {
            routes.push(Arc::from(way));
        }
    }
    let count = (per_s * seconds as f64) as usize;
    let trips = (0..count).map(|n| Trip {
        depart: Span::nearest(n as f64 / per_s),
        class: VehicleClass::Car,
        route: Arc::clone(&routes[draw(routes.len())]),
    });
    Demand { trips: trips.collect(), ..Demand::default() }
}

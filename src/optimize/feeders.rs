//! Where the traffic of an approach comes from: the last signals it passed, and how long ago.

use crate::ids::{Id, JunctionId, LinkId, MovementId, Table};
use crate::network::Network;
use crate::units::VehPerHour;

/// Traffic is traced back so long at most, seconds; a platoon has dissolved by then.
const TRACED_S: f64 = 120.0;
/// Sources of a smaller share of an approach's demand are left to its steady part.
const SMALLEST: f64 = 0.02;
/// Links looked at for one approach at most.
const LINKS: usize = 64;

/// Traffic on an approach that a signal released.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Feeder {
    /// The approach.
    pub link: LinkId,
    /// The movement it made at the last signal.
    pub movement: MovementId,
    /// That signal's junction.
    pub from: JunctionId,
    /// How much of it there is, veh/h.
    pub flow: f64,
    /// From that signal to the approach's stop line at free flow, seconds.
    pub travel: f64,
}

/// The movements that lead to each link.
pub fn movements_into(network: &Network) -> Table<LinkId, Vec<MovementId>> {
    let mut into: Table<LinkId, Vec<MovementId>> = Table::filled(Vec::new(), network.links().len());
    for (id, movement) in network.movements().iter() {
        into[movement.to].push(id);
    }
    into
}

/// Every feeder of the approach `link`, through links and nodes without signals where there are such between.
pub fn feeders(
    network: &Network,
    into: &Table<LinkId, Vec<MovementId>>,
    demand: &Table<MovementId, VehPerHour>,
    link: LinkId,
) -> Vec<Feeder> {
    let signal = |movement: MovementId| {
        let paths = &network.movements()[movement].connections;
        paths.iter().find_map(|&c| network.connections()[c].control.group()).map(|(junction, _)| junction)
    };
    let leaving = |link: LinkId| -> f64 { network.movements_from(link).iter().map(|&m| demand[m].get()).sum() };
    let worth = leaving(link) * SMALLEST;
    let mut found = Vec::new();
    // A link, the share of its traffic that goes on to `link`, and the time from its start to the stop line.
    let mut open = vec![(link, 1.0, network.link(link).free_flow().get())];
    let mut seen = 0;
    while let Some((at, share, travel)) = open.pop() {
        seen += 1;
        for &movement in &into[at] {
            let flow = demand[movement].get() * share;
            if flow <= worth || flow <= 0.0 {
                continue;
            }
            if let Some(from) = signal(movement) {
                found.push(Feeder { link, movement, from, flow, travel });
                continue;
            }
            let before = network.movements()[movement].from;
            let earlier = travel + network.link(before).free_flow().get();
            if earlier <= TRACED_S && seen + open.len() < LINKS {
                open.push((before, flow / leaving(before).max(flow), earlier));
            }
        }
    }
    found.sort_by_key(|feeder| (feeder.from, feeder.movement.index()));
    found
}

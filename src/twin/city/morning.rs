//! The demo's hour: a morning peak from the suburbs and the country over the bridges into the centre.

use rand_core::SeedableRng;
use rand_pcg::Pcg64Mcg;

use super::peak::{self, Profile, Wish, uniform};
use crate::ids::{LinkId, NodeId};
use crate::network::route::Router;
use crate::network::{Network, Node};
use crate::time::Span;
use crate::twin::demand::{Call, Demand, Walkers};

/// Vehicles that want to set out in the hour.
pub const TRIPS: f64 = 10_500.0;

/// Five minutes each: the peak is at half past.
const RISE_AND_FALL: Profile = [0.70, 0.78, 0.88, 0.98, 1.08, 1.15, 1.18, 1.15, 1.06, 0.95, 0.82, 0.72];

/// Of those who would cross the river if it were a street, this share does.
const ACROSS: f64 = 0.25;
/// A wish shorter than this, metres, is walked.
const WALKED_M: f64 = 700.0;

/// One place where trips start and end.
#[derive(Debug, Clone, Copy)]
struct Terminal {
    node: NodeId,
    leaves: LinkId,
    reaches: LinkId,
    /// How many set out from here, and how many want to come here, relative to the others.
    pull: (f64, f64),
}

/// Who travels in the demo's city during `span`: what the seed changes is who wants to go where by a fifth, when they
/// set out, what they drive, and where an ambulance is called.
pub fn demand(network: &Network, span: Span, seed: u64) -> Demand {
    let mut dice = Pcg64Mcg::seed_from_u64(seed);
    let streams = peak::assign(network, &wishes(network, &mut dice));
    let trips = peak::departures(&streams, span, &RISE_AND_FALL, &mut dice);
    Demand { trips, walkers: walkers(network), calls: ambulance(network, span, &mut dice).into_iter().collect() }
}

/// The one ambulance call of the hour: from the southern bank to the northern, in the middle third of `span`.
fn ambulance(network: &Network, span: Span, dice: &mut Pcg64Mcg) -> Option<Call> {
    let all = terminals(network);
    let mut pick = |north: bool| -> Option<Terminal> {
        let there: Vec<_> =
            all.iter().filter(|t| north == (network.node(t.node).position.y > RIVER_Y)).copied().collect();
        let index = (uniform(dice) * there.len() as f64) as usize;
        there.get(index.min(there.len().saturating_sub(1))).copied()
    };
    let (from, to) = (pick(false)?, pick(true)?);
    let (route, _) = Router::new(network).route(from.leaves, to.reaches, |link| network.link(link).free_flow())?;
    let depart = Span::nearest(span.s() * (1.0 + uniform(dice)) / 3.0).floor(Span::SECOND);
    Some(Call { depart, route: route.into() })
}

/// How many people cross: many in the centre, some elsewhere. One group may release both halves of a crossing, and
/// whoever walks crosses both.
fn walkers(network: &Network) -> Vec<Walkers> {
    let centre = |node: &Node| (200.0..1900.0).contains(&node.position.x) && node.position.y > RIVER_Y;
    let per_hour = |node: &Node| if centre(node) { 90.0 } else { 20.0 };
    network
        .crossings()
        .iter()
        .map(|(id, c)| Walkers { crossing: id, per_hour: per_hour(network.node(c.node)) })
        .collect()
}

/// The middle of the river.
const RIVER_Y: f64 = 1100.0;

/// Every dead end: yards, car parks and roads into the country.
fn terminals(network: &Network) -> Vec<Terminal> {
    let found = network.nodes().iter().filter_map(|(id, node)| match (&node.incoming[..], &node.outgoing[..]) {
        (&[reaches], &[leaves]) if network.link(reaches).from == network.link(leaves).to => {
            Some(Terminal { node: id, leaves, reaches, pull: pull(node, network.link(leaves).lane_count()) })
        }
        _ => None,
    });
    found.collect()
}

/// How many set out from a place and want to come to it in the morning.
fn pull(node: &Node, lanes: usize) -> (f64, f64) {
    let lanes = lanes as f64;
    let (x, y) = (node.position.x, node.position.y);
    let north = y > RIVER_Y;
    let yard = node.name.ends_with("Yard");
    let car_park = node.name.ends_with("Car Park");
    match (north, car_park) {
        (true, true) if (500.0..1900.0).contains(&x) && y < 2000.0 => (0.6, 5.0), // the centre
        (true, true) => (0.8, 2.0),
        (true, false) => (1.4 * lanes, 1.4 * lanes), // through the north, and out of town
        (false, true) => (0.8, 1.6),                 // the quays
        (false, false) if yard => (2.2, 0.6),
        (false, false) => (2.0 * lanes, 0.8 * lanes), // from the southern country and its arterial
    }
}

fn wishes(network: &Network, dice: &mut Pcg64Mcg) -> Vec<Wish> {
    let all = terminals(network);
    let mut wishes = Vec::with_capacity(all.len() * all.len());
    for from in &all {
        for to in &all {
            let apart = network.node(from.node).position.distance(network.node(to.node).position).get();
            if apart >= WALKED_M {
                let noise = 0.8 + 0.4 * uniform(dice);
                let north = |t: &Terminal| network.node(t.node).position.y > RIVER_Y;
                let river = if north(from) == north(to) { 1.0 } else { ACROSS };
                let per_hour = from.pull.0 * to.pull.1 * river * noise;
                wishes.push(Wish { from: from.leaves, to: to.reaches, per_hour });
            }
        }
    }
    let sum: f64 = wishes.iter().map(|w| w.per_hour).sum();
    for wish in &mut wishes {
        wish.per_hour *= TRIPS / sum;
    }
    wishes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::limits::Limits;

    fn network() -> Network {
        Network::build(super::super::demo(), &Limits::default()).expect("the city is sound")
    }

    #[test]
    fn the_hour_is_the_same_each_time_and_another_with_another_seed() {
        let network = network();
        let hour = Span::from_s(3600);
        let first = demand(&network, hour, 1);
        assert_eq!(first, demand(&network, hour, 1));
        assert_ne!(first, demand(&network, hour, 2));
        assert!((first.trips.len() as f64 - TRIPS).abs() < 0.05 * TRIPS, "{}", first.trips.len());
        for trip in &first.trips {
            for pair in trip.route.windows(2) {
                assert_eq!(network.link(pair[0]).to, network.link(pair[1]).from);
            }
        }
    }

    #[test]
    fn the_bridges_carry_most_and_no_approach_is_asked_for_twice_what_it_can() {
        let network = network();
        let mut dice = Pcg64Mcg::seed_from_u64(1);
        let streams = peak::assign(&network, &wishes(&network, &mut dice));
        let mut flow = crate::ids::Table::filled(0.0, network.links().len());
        for stream in &streams {
            for &link in stream.route.iter() {
                flow[link] += stream.per_hour;
            }
        }
        for (link, &flow) in flow.iter() {
            let per_lane = flow / network.link(link).lane_count() as f64;
            assert!(per_lane < 1100.0, "{}: {per_lane}", network.link(link).name);
        }
        let north = ["Oldbridge", "Newbridge"].map(|bridge| {
            let name = format!("{bridge}/Quayside>{bridge}/Embankment");
            flow[network.link_named(&name).expect("a bridge")]
        });
        assert!(north.iter().all(|&flow| flow > 700.0), "{north:?}");
    }

    #[test]
    fn the_ambulance_crosses_the_river() {
        let network = network();
        for seed in 0..3 {
            let all = demand(&network, Span::from_s(3600), seed);
            let [call] = &all.calls[..] else { panic!("{} calls", all.calls.len()) };
            let y = |link: LinkId| network.node(network.link(link).to).position.y;
            assert!(y(call.route[0]) < RIVER_Y && call.route.iter().any(|&link| y(link) > RIVER_Y));
            assert!((1200..=2400).contains(&(call.depart.ms() / 1000)));
        }
    }
}

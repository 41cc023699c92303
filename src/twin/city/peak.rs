//! From who wants to go where to trips: an assignment that spreads over alternatives as roads fill, and departures.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand_core::Rng;
use rand_pcg::Pcg64Mcg;

use crate::ids::{LinkId, Table};
use crate::network::route::Router;
use crate::network::{Network, VehicleClass};
use crate::time::Span;
use crate::twin::demand::Trip;
use crate::units::Seconds;

/// Shares of the demand laid on the roads one after the other, each on the ways that are then the fastest.
const INCREMENTS: [f64; 6] = [0.3, 0.2, 0.15, 0.15, 0.1, 0.1];
/// What a lane carries before a signal, and elsewhere, veh/h: only the choice of ways depends on it.
const SIGNALLED_LANE: f64 = 650.0;
const OPEN_LANE: f64 = 900.0;
/// Mean wait at a signal that a driver reckons with, seconds.
const SIGNAL_WAIT_S: f64 = 20.0;

/// People who want to go from the start of one link to the end of another.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// Where they start.
    pub from: LinkId,
    /// Where they go.
    pub to: LinkId,
    /// Vehicles in an hour.
    pub per_hour: f64,
}

/// A way and the vehicles that take it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    /// The links, both ends included.
    pub route: Arc<[LinkId]>,
    /// Vehicles in an hour.
    pub per_hour: f64,
}

/// Lays the wishes on the network. A wish that no way leads to is left out.
pub fn assign(network: &Network, wishes: &[Wish]) -> Vec<Stream> {
    let router = Router::new(network);
    let mut flow: Table<LinkId, f64> = Table::filled(0.0, network.links().len());
    let mut streams: BTreeMap<Vec<LinkId>, f64> = BTreeMap::new();
    for share in INCREMENTS {
        let cost: Table<LinkId, Seconds> =
            network.links().ids().map(|link| reckoned(network, link, flow[link])).collect();
        for wish in wishes {
            let Some((route, _)) = router.route(wish.from, wish.to, |link| cost[link]) else { continue };
            for &link in &route {
                flow[link] += wish.per_hour * share;
            }
            *streams.entry(route).or_default() += wish.per_hour * share;
        }
    }
    streams.into_iter().map(|(route, per_hour)| Stream { route: route.into(), per_hour }).collect()
}

/// The time a driver reckons with on a link that carries `flow` veh/h. Source: the BPR curve, α 1, β 4.
fn reckoned(network: &Network, link: LinkId, flow: f64) -> Seconds {
    let road = network.link(link);
    let signal = network.junction_at_end(link).is_some();
    let (lane, wait) = if signal { (SIGNALLED_LANE, SIGNAL_WAIT_S) } else { (OPEN_LANE, 0.0) };
    let fill = flow / (lane * road.lane_count() as f64);
    (road.free_flow() + Seconds::constant(wait)) * (1.0 + fill.powi(4))
}

/// How demand rises and falls: relative rates of equal parts of the whole span.
pub type Profile = [f64; 12];

/// Draws the vehicles of every stream over `span`: their number is Poisson's, their times follow the profile.
pub fn departures(streams: &[Stream], span: Span, profile: &Profile, dice: &mut Pcg64Mcg) -> Vec<Trip> {
    let total: f64 = profile.iter().sum();
    let mut all = Vec::new();
    for stream in streams {
        let expected = stream.per_hour * span.s() / 3600.0;
        // Exponential gaps in operational time, which runs as fast as the profile says.
        let mut at = exponential(dice) / expected;
        while at < 1.0 {
            let mut left = at * total;
            let part = profile.iter().position(|&rate| {
                let inside = left < rate;
                left -= if inside { 0.0 } else { rate };
                inside
            });
            let part = part.unwrap_or(profile.len() - 1);
            let fraction = (part as f64 + (left / profile[part]).min(1.0)) / profile.len() as f64;
            all.push(Trip {
                depart: Span::nearest(span.s() * fraction),
                class: class(dice),
                route: stream.route.clone(),
            });
            at += exponential(dice) / expected;
        }
    }
    all.sort_by_key(|trip| trip.depart);
    all
}

/// Six in a hundred are lorries, two are buses.
fn class(dice: &mut Pcg64Mcg) -> VehicleClass {
    match uniform(dice) {
        x if x < 0.06 => VehicleClass::Truck,
        x if x < 0.08 => VehicleClass::Bus,
        _ => VehicleClass::Car,
    }
}

/// A number in (0, 1].
pub(super) fn uniform(dice: &mut Pcg64Mcg) -> f64 {
    ((dice.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64
}

fn exponential(dice: &mut Pcg64Mcg) -> f64 {
    -uniform(dice).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::limits::Limits;
    use rand_core::SeedableRng;

    #[test]
    fn a_stream_rises_and_falls_with_its_profile() {
        let stream = Stream { route: [].into(), per_hour: 7200.0 };
        let mut profile = [1.0; 12];
        profile[6] = 3.0; // from minute 30 to minute 35 three times as many
        let mut dice = Pcg64Mcg::seed_from_u64(1);
        let all = departures(&[stream], Span::from_s(3600), &profile, &mut dice);
        assert!((all.len() as f64 - 7200.0).abs() < 3.0 * 7200f64.sqrt(), "{}", all.len());
        let within = |from: i64, to: i64| {
            all.iter().filter(|t| (from * 60_000..to * 60_000).contains(&t.depart.ms())).count() as f64
        };
        let ratio = within(30, 35) / within(0, 30) * 6.0;
        assert!((2.7..3.3).contains(&ratio), "{ratio}");
    }

    #[test]
    fn full_roads_spread_traffic_over_several_ways() {
        let network = Network::build(super::super::demo(), &Limits::default()).expect("the city is sound");
        let link = |name: &str| network.link_named(name).expect("it is there");
        let from = link("South Oldbridge>Oldbridge/Meadow");
        let to = link("Oldbridge/Ringway>North Oldbridge");
        let ways = |per_hour: f64| assign(&network, &[Wish { from, to, per_hour }]).len();
        assert_eq!(ways(1.0), 1);
        assert!(ways(2500.0) >= 3);
    }
}

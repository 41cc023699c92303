//! Who travels: vehicles with their routes, people at crossings, calls for an ambulance; and the file that keeps them.

pub mod cityflow;
pub mod import;
pub mod sumo;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::{CrossingId, LinkId};
use crate::network::route::Router;
use crate::network::{Fault, Network, Place, VehicleClass};
use crate::time::Span;

/// The `format` every demand file of this version carries.
pub const FORMAT: &str = "greenwave-demand/1";

/// Nobody sets out later than this after the start, seconds: 31 days.
const DEPART_MAX_S: f64 = 2_678_400.0;

/// Everybody who travels in a network.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Demand {
    /// Vehicles, in order of departure.
    pub trips: Vec<Trip>,
    /// People who want to cross.
    pub walkers: Vec<Walkers>,
    /// Emergency vehicles on a call, in order of departure.
    pub calls: Vec<Call>,
}

/// One vehicle's journey.
#[derive(Debug, Clone, PartialEq)]
pub struct Trip {
    /// When it wants to enter its first link, after the start.
    pub depart: Span,
    /// What it is.
    pub class: VehicleClass,
    /// Its links, both ends included, each reachable from the one before. Never empty.
    pub route: Arc<[LinkId]>,
}

/// People who want to cross: they come at random, so many in an hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Walkers {
    /// Where.
    pub crossing: CrossingId,
    /// How many, an hour.
    pub per_hour: f64,
}

/// An emergency vehicle on a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// When it sets out and asks for priority, after the start.
    pub depart: Span,
    /// Its links, both ends included. Never empty.
    pub route: Arc<[LinkId]>,
}

/// The demand file: names and SI units only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemandSpec {
    /// Always [`FORMAT`].
    pub format: String,
    /// Where the data comes from, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Link names from start to end; where two do not meet, the fastest way between them is taken.
    pub routes: Vec<Vec<String>>,
    /// Vehicles, in any order.
    pub trips: Vec<TripSpec>,
    /// People who want to cross.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub walkers: Vec<WalkersSpec>,
    /// Calls for an emergency vehicle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<CallSpec>,
}

/// One vehicle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TripSpec {
    /// Seconds after the start: 0 to 2 678 400.
    pub depart_s: f64,
    /// The row of its route.
    pub route: usize,
    /// What it is.
    #[serde(default = "car", skip_serializing_if = "is_car")]
    pub class: VehicleClass,
}

/// People at one crossing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalkersSpec {
    /// The crossing.
    pub crossing: String,
    /// People an hour: 0 to 20 000.
    pub per_hour: f64,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallSpec {
    /// Seconds after the start: 0 to 2 678 400.
    pub depart_s: f64,
    /// The row of its route.
    pub route: usize,
}

fn car() -> VehicleClass {
    VehicleClass::Car
}

fn is_car(class: &VehicleClass) -> bool {
    *class == VehicleClass::Car
}

impl Demand {
    /// The demand a file describes, in `network`.
    ///
    /// # Errors
    /// Every fault at once: unknown names, routes that lead nowhere, values outside their range.
    pub fn build(spec: &DemandSpec, network: &Network) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        if spec.format != FORMAT {
            faults.push(Fault::Format { found: spec.format.clone(), expected: FORMAT });
        }
        let router = Router::new(network);
        let routes: Vec<Option<Arc<[LinkId]>>> = spec
            .routes
            .iter()
            .enumerate()
            .map(|(row, names)| route(row, names, network, &router, &mut faults))
            .collect();
        let mut start = |table: &'static str, row: usize, depart_s: f64, route: usize| {
            let place = Place::new(table, row, "");
            if !(0.0..=DEPART_MAX_S).contains(&depart_s) {
                faults.push(Fault::Range {
                    place: place.clone(),
                    field: "depart_s",
                    value: depart_s,
                    min: 0.0,
                    max: DEPART_MAX_S,
                });
            }
            if route >= routes.len() {
                faults.push(Fault::Unknown { place, field: "route", name: route.to_string() });
            }
            Some((Span::nearest(depart_s), routes.get(route)?.clone()?))
        };
        let mut all = Self::default();
        for (row, trip) in spec.trips.iter().enumerate() {
            if let Some((depart, route)) = start("trips", row, trip.depart_s, trip.route) {
                all.trips.push(Trip { depart, class: trip.class, route });
            }
        }
        for (row, call) in spec.calls.iter().enumerate() {
            if let Some((depart, route)) = start("calls", row, call.depart_s, call.route) {
                all.calls.push(Call { depart, route });
            }
        }
        let crossings: BTreeMap<&str, CrossingId> = network.crossings().iter().map(|(id, c)| (&*c.name, id)).collect();
        for (row, walkers) in spec.walkers.iter().enumerate() {
            let place = Place::new("walkers", row, &walkers.crossing);
            let value = walkers.per_hour;
            if !(0.0..=20_000.0).contains(&value) {
                faults.push(Fault::Range { place: place.clone(), field: "per_hour", value, min: 0.0, max: 20_000.0 });
            }
            match crossings.get(walkers.crossing.as_str()) {
                Some(&crossing) => all.walkers.push(Walkers { crossing, per_hour: value }),
                None => faults.push(Fault::Unknown { place, field: "crossing", name: walkers.crossing.clone() }),
            }
        }
        all.trips.sort_by_key(|trip| trip.depart);
        all.calls.sort_by_key(|call| call.depart);
        if faults.is_empty() { Ok(all) } else { Err(faults) }
    }

    /// The file that keeps this demand of `network`. Equal routes are written once.
    pub fn spec(&self, network: &Network, source: &str) -> DemandSpec {
        let mut rows: BTreeMap<&[LinkId], usize> = BTreeMap::new();
        let mut routes = Vec::new();
        for route in self.trips.iter().map(|t| &t.route).chain(self.calls.iter().map(|c| &c.route)) {
            rows.entry(route).or_insert_with(|| {
                routes.push(route.iter().map(|&link| network.link(link).name.to_string()).collect());
                routes.len() - 1
            });
        }
        let row = |route: &Arc<[LinkId]>| rows.get(&route[..]).copied().unwrap_or_default();
        DemandSpec {
            format: FORMAT.to_owned(),
            source: source.to_owned(),
            trips: self
                .trips
                .iter()
                .map(|t| TripSpec { depart_s: t.depart.s(), route: row(&t.route), class: t.class })
                .collect(),
            calls: self.calls.iter().map(|c| CallSpec { depart_s: c.depart.s(), route: row(&c.route) }).collect(),
            walkers: self
                .walkers
                .iter()
                .map(|w| WalkersSpec {
                    crossing: network.crossings()[w.crossing].name.to_string(),
                    per_hour: w.per_hour,
                })
                .collect(),
            routes,
        }
    }
}

fn route(
    row: usize,
    names: &[String],
    network: &Network,
    router: &Router,
    faults: &mut Vec<Fault>,
) -> Option<Arc<[LinkId]>> {
    let place = Place::new("routes", row, "");
    let mut links: Vec<LinkId> = Vec::with_capacity(names.len());
    for name in names {
        let Some(link) = network.link_named(name) else {
            faults.push(Fault::Unknown { place: place.clone(), field: "routes", name: name.clone() });
            return None;
        };
        let Some(&last) = links.last() else {
            links.push(link);
            continue;
        };
        let joined = network.movements_from(last).iter().any(|&m| network.movements()[m].to == link);
        if joined {
            links.push(link);
        } else if let Some((way, _)) = router.route(last, link, |l| network.link(l).free_flow()) {
            links.extend(&way[1..]);
        } else {
            let why = format!("no way leads from {} to {name}", network.link(last).name);
            faults.push(Fault::Contradiction { place, why });
            return None;
        }
    }
    if links.is_empty() {
        faults.push(Fault::Missing { place, field: "routes" });
        return None;
    }
    Some(links.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::limits::Limits;
    use crate::twin::city::small;

    fn network() -> Network {
        Network::build(small::corridor(), &Limits::default()).expect("a small world is sound")
    }

    fn spec(routes: &[&[&str]]) -> DemandSpec {
        let named = |route: &&[&str]| route.iter().map(|&s| s.to_owned()).collect();
        DemandSpec {
            format: FORMAT.into(),
            source: String::new(),
            routes: routes.iter().map(named).collect(),
            trips: vec![TripSpec { depart_s: 2.5, route: 0, class: VehicleClass::Bus }],
            walkers: Vec::new(),
            calls: vec![CallSpec { depart_s: 1.0, route: 0 }],
        }
    }

    #[test]
    fn a_route_with_gaps_takes_the_fastest_way_and_survives_the_file() {
        let network = network();
        let demand = Demand::build(&spec(&[&["West>Ash", "Fir>East"]]), &network).expect("a way leads there");
        // From junction to junction along the avenue: each pocket makes two links of one road.
        let names: Vec<_> = demand.trips[0].route.iter().map(|&l| &*network.link(l).name).collect();
        assert_eq!(names.first(), Some(&"West>Ash"));
        assert_eq!(names.last(), Some(&"Fir>East"));
        assert_eq!(demand.trips[0].depart, Span::from_ms(2500));
        assert_eq!(Demand::build(&demand.spec(&network, ""), &network), Ok(demand));
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let mut bad = spec(&[&["West>Ash", "Nowhere"]]);
        bad.trips.push(TripSpec { depart_s: -1.0, route: 7, class: VehicleClass::Car });
        bad.walkers.push(WalkersSpec { crossing: "Moon".into(), per_hour: f64::NAN });
        let faults = Demand::build(&bad, &network()).expect_err("it is full of faults");
        let words: Vec<String> = faults.iter().map(ToString::to_string).collect();
        for said in ["Nowhere", "depart_s -1", "route names \"7\"", "per_hour NaN", "Moon"] {
            assert!(words.iter().any(|w| w.contains(said)), "{said} in {words:?}");
        }
    }
}

//! Other people's demand files: what is common to all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Demand, DemandSpec, Trip};
use crate::ids::{LinkId, span};
use crate::network::import::{ImportError, Notes};
use crate::network::route::Router;
use crate::network::{Network, VehicleClass};
use crate::time::Span;
use crate::units::Seconds;

/// No demand has more trips.
pub(super) const TRIPS_MAX: usize = 5_000_000;
/// Nobody sets out later than this, seconds: what a demand file of ours takes.
pub(super) const DEPART_MAX_S: f64 = super::DEPART_MAX_S;

/// What a reader made of a demand file.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Who travels.
    pub demand: Demand,
    /// How many trips had to be left out.
    pub left_out: usize,
    /// Why, and what else had to be assumed.
    pub notes: Vec<String>,
}

/// Reads demand files of one kind, told apart by their first character: this project's own (`{`), CityFlow's
/// `flow.json` (`[`), SUMO's `rou.xml` (`<`, several of them in the order SUMO would load them).
///
/// # Errors
/// The first thing in a file that cannot be; or that no trip at all can be made.
pub fn read(files: &[&[u8]], network: &Network) -> Result<Imported, ImportError> {
    let first = files.first().and_then(|f| f.iter().find(|byte| !byte.is_ascii_whitespace() && **byte < 0x80));
    match (first, files) {
        (Some(b'['), [file]) => super::cityflow::import(file, network),
        (Some(b'{'), [file]) => {
            let spec: DemandSpec = serde_json::from_slice(file)?;
            let demand = Demand::build(&spec, network).map_err(ImportError::Rows)?;
            Ok(Imported { demand, left_out: 0, notes: Vec::new() })
        }
        (Some(b'['), _) | (Some(b'{'), _) => {
            Err(ImportError::TooMany { what: "demand files", found: files.len(), max: 1 })
        }
        _ => super::sumo::import(files.iter().copied(), network),
    }
}

type Way = Arc<[LinkId]>;

/// Trips as they are read, their routes found and shared.
pub(super) struct Trips<'a> {
    network: &'a Network,
    router: Router,
    ways: BTreeMap<(VehicleClass, Vec<LinkId>), Option<Way>>,
    trips: Vec<Trip>,
    left_out: usize,
    pub(super) notes: Notes,
}

impl<'a> Trips<'a> {
    pub(super) fn new(network: &'a Network) -> Self {
        Self {
            network,
            router: Router::new(network),
            ways: BTreeMap::new(),
            trips: Vec::new(),
            left_out: 0,
            notes: Notes::default(),
        }
    }

    /// Notes a trip that cannot be made.
    pub(super) fn leave_out(&mut self, why: &str, who: &str) -> Result<(), ImportError> {
        self.room()?;
        self.left_out += 1;
        self.notes.add(why, who);
        Ok(())
    }

    fn room(&self) -> Result<(), ImportError> {
        let found = self.trips.len() + self.left_out;
        if found < TRIPS_MAX {
            Ok(())
        } else {
            Err(ImportError::TooMany { what: "trips and more", found, max: TRIPS_MAX })
        }
    }

    /// A trip through `anchors`, whose gaps are filled with the fastest way; with `strays` one that may use lanes
    /// closed to cars. What cannot be made is noted.
    pub(super) fn add(
        &mut self,
        who: &str,
        depart_s: f64,
        class: VehicleClass,
        strays: bool,
        anchors: &[&str],
    ) -> Result<(), ImportError> {
        self.room()?;
        if !(0.0..=DEPART_MAX_S).contains(&depart_s) {
            return self.leave_out("trips that set out before 0 s or after 31 days are left out", who);
        }
        let mut links = Vec::with_capacity(anchors.len());
        for name in anchors {
            let Some(link) = self.network.link_named(name) else {
                return self.leave_out("trips over links that do not exist are left out", who);
            };
            links.push(link);
        }
        if links.is_empty() {
            return self.leave_out("trips without a route are left out", who);
        }
        let classes: &[VehicleClass] =
            if strays { &[VehicleClass::Car, VehicleClass::Bus, VehicleClass::Emergency] } else { &[class] };
        let way = classes.iter().find_map(|&class| Some((class, self.way(class, &links)?)));
        match way {
            Some((class, route)) => self.trips.push(Trip { depart: Span::nearest(depart_s), class, route }),
            None => return self.leave_out("trips that no way leads to the end of are left out", who),
        }
        Ok(())
    }

    fn way(&mut self, class: VehicleClass, anchors: &[LinkId]) -> Option<Way> {
        let key = (class, anchors.to_vec());
        if let Some(known) = self.ways.get(&key) {
            return known.clone();
        }
        let found = self.find(class, anchors);
        self.ways.insert(key, found.clone());
        found
    }

    fn find(&self, class: VehicleClass, anchors: &[LinkId]) -> Option<Way> {
        let cost = |link| {
            if self.admits(link, class) { self.network.link(link).free_flow() } else { Seconds::constant(f64::MAX) }
        };
        let mut way: Vec<LinkId> = vec![*anchors.first()?];
        for &link in &anchors[1..] {
            let last = *way.last()?;
            if self.joined(last, link, class) {
                way.push(link);
            } else {
                // The same link twice in a row is a stop on it, not a round trip.
                way.extend(self.router.route(last, link, cost)?.0.into_iter().skip(1));
            }
        }
        let admitted = self.admits(way[0], class) && way.windows(2).all(|pair| self.joined(pair[0], pair[1], class));
        admitted.then(|| way.into())
    }

    fn admits(&self, link: LinkId, class: VehicleClass) -> bool {
        span(&self.network.link(link).lanes).any(|lane| self.network.lane(lane).only.admit(class))
    }

    /// Whether a path leads from one link to the other over lanes that `class` may use.
    fn joined(&self, from: LinkId, to: LinkId, class: VehicleClass) -> bool {
        let network = self.network;
        let may = |lane| network.lane(lane).only.admit(class);
        let movements = network.movements_from(from).iter().map(|&m| &network.movements()[m]);
        movements.filter(|m| m.to == to).flat_map(|m| &m.connections).any(|&c| {
            let path = &network.connections()[c];
            may(path.from) && may(path.to)
        })
    }

    /// The demand, in order of departure.
    pub(super) fn finish(mut self) -> Result<Imported, ImportError> {
        self.trips.sort_by_key(|trip| trip.depart);
        let notes = self.notes.lines();
        if self.trips.is_empty() && self.left_out > 0 {
            return Err(ImportError::NoTrip { trips: self.left_out, why: notes.join("; ") });
        }
        let demand = Demand { trips: self.trips, ..Demand::default() };
        Ok(Imported { demand, left_out: self.left_out, notes })
    }
}

/// The row that is farthest behind its share of `rows`, of which each has been taken so often.
pub(super) fn most_behind(shares: &[f64], taken: &mut [u64]) -> usize {
    let behind = |row: usize| (taken[row] as f64 + 1.0) / shares[row].max(1e-9);
    let row = (0..shares.len()).min_by(|&a, &b| behind(a).total_cmp(&behind(b))).unwrap_or(0);
    taken[row] += 1;
    row
}

/// A name for row `row`.
pub(super) fn numbered(what: &str, row: usize) -> String {
    format!("{what}_{row}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_kept_as_exactly_as_whole_trips_can() {
        let mut taken = [0; 3];
        let order: Vec<usize> = (0..8).map(|_| most_behind(&[0.5, 0.25, 0.25], &mut taken)).collect();
        assert_eq!(taken, [4, 2, 2]);
        assert_eq!(order[0], 0);
    }
}

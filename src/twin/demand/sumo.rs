//! SUMO's `rou.xml` made into demand.
//!
//! `vehicle` and `flow` with a route of their own, a named one, or one of a distribution; `trip` and `flow` by their ends,
//! routed at free flow. People and containers are passed over. A flow by chance (`probability`, `period="exp(…)"`) is drawn from
//! a fixed seed, so that a file is always the same demand.

use std::collections::BTreeMap;
use std::io::BufRead;

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::import::{DEPART_MAX_S, Imported, TRIPS_MAX, Trips, most_behind, numbered};
use crate::network::import::ImportError;
use crate::network::import::xml::{Element, Part, read};
use crate::network::{Network, VehicleClass};

/// A flow without an end goes on for so long, seconds.
const DAY_S: f64 = 86_400.0;
/// No flow is denser, vehicles a second.
const RATE_MAX: f64 = 1000.0;

/// Reads route files in their order; what one defines, later ones may use. Trips keep the files' seconds.
///
/// # Errors
/// The first thing in a file that is not as SUMO writes it; or that no trip at all can be made.
pub fn import<R: BufRead>(files: impl IntoIterator<Item = R>, network: &Network) -> Result<Imported, ImportError> {
    let mut all = Routes::new(network);
    for file in files {
        read(file, |part| match part {
            Part::Open(e) => all.open(&e),
            Part::Close(depth) => all.close(depth + 1),
        })?;
    }
    all.trips.finish()
}

/// What a vehicle type is.
#[derive(Debug, Clone, Copy)]
struct Kind {
    class: VehicleClass,
    /// Whether it ignores who may use a lane.
    strays: bool,
}

/// One route, or several of which each vehicle takes one by its share.
#[derive(Debug, Default)]
struct Choice {
    routes: Vec<Vec<String>>,
    shares: Vec<f64>,
    taken: Vec<u64>,
}

impl Choice {
    fn add(&mut self, route: Vec<String>, share: f64) {
        self.routes.push(route);
        self.shares.push(share);
        self.taken.push(0);
    }

    fn next(&mut self) -> Option<&Vec<String>> {
        let row = if self.routes.len() > 1 { most_behind(&self.shares, &mut self.taken) } else { 0 };
        self.routes.get(row)
    }
}

/// A vehicle, trip or flow that is being read.
#[derive(Debug)]
struct Traveller {
    depth: usize,
    name: String,
    kind: Kind,
    departs: Vec<f64>,
    route: Option<String>,
    anchors: Option<Vec<String>>,
}

struct Routes<'a> {
    trips: Trips<'a>,
    kinds: BTreeMap<String, Kind>,
    choices: BTreeMap<String, Choice>,
    /// The distribution that is being read, with its depth.
    types: Option<(usize, String)>,
    routes: Option<(usize, String)>,
    traveller: Option<Traveller>,
    flows: usize,
}

impl<'a> Routes<'a> {
    fn new(network: &'a Network) -> Self {
        Self {
            trips: Trips::new(network),
            kinds: BTreeMap::new(),
            choices: BTreeMap::new(),
            types: None,
            routes: None,
            traveller: None,
            flows: 0,
        }
    }

    fn open(&mut self, e: &Element<'_>) -> Result<(), ImportError> {
        match e.name {
            "vType" => {
                let kind = kind(e.text("vClass").unwrap_or("passenger"));
                self.kinds.insert(e.need("id")?.to_owned(), kind);
                if let Some((_, distribution)) = &self.types {
                    self.kinds.entry(distribution.clone()).or_insert(kind);
                }
            }
            "vTypeDistribution" => {
                let id = e.need("id")?.to_owned();
                let listed = e.text("vTypes").and_then(|all| all.split_ascii_whitespace().next());
                if let Some(&kind) = listed.and_then(|name| self.kinds.get(name)) {
                    self.kinds.insert(id.clone(), kind);
                }
                self.types = Some((e.depth, id));
            }
            "routeDistribution" => self.distribution(e)?,
            "route" => self.route(e)?,
            "vehicle" | "trip" => self.vehicle(e)?,
            "flow" => self.flow(e)?,
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, depth: usize) -> Result<(), ImportError> {
        self.types.take_if(|(at, _)| *at == depth);
        self.routes.take_if(|(at, _)| *at == depth);
        match self.traveller.take_if(|t| t.depth == depth) {
            Some(traveller) => self.depart(&traveller),
            None => Ok(()),
        }
    }

    fn distribution(&mut self, e: &Element<'_>) -> Result<(), ImportError> {
        let id = match (e.text("id"), &self.traveller) {
            (Some(id), _) => id.to_owned(),
            (None, Some(traveller)) => format!("!{}", traveller.name),
            (None, None) => e.need("id")?.to_owned(),
        };
        let mut choice = Choice::default();
        let shares: Vec<&str> = e.text("probabilities").unwrap_or_default().split_ascii_whitespace().collect();
        for (row, name) in e.text("routes").unwrap_or_default().split_ascii_whitespace().enumerate() {
            let share = shares.get(row).and_then(|s| s.parse().ok()).filter(|s| (0.0..=1e9).contains(s)).unwrap_or(1.0);
            if let Some(route) = self.choices.get(name).and_then(|c| c.routes.first()) {
                choice.add(route.clone(), share);
            }
        }
        if let Some(traveller) = &mut self.traveller {
            traveller.route = Some(id.clone());
        }
        self.choices.insert(id.clone(), choice);
        self.routes = Some((e.depth, id));
        Ok(())
    }

    fn route(&mut self, e: &Element<'_>) -> Result<(), ImportError> {
        let edges: Vec<String> =
            e.text("edges").unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect();
        let share = e.number("probability", 0.0, 1e9)?.unwrap_or(1.0);
        if let Some(choice) = self.routes.as_ref().and_then(|(_, id)| self.choices.get_mut(id)) {
            choice.add(edges, share);
        } else if let Some(traveller) = &mut self.traveller {
            traveller.anchors = Some(edges);
        } else {
            let mut choice = Choice::default();
            choice.add(edges, 1.0);
            self.choices.insert(e.need("id")?.to_owned(), choice);
        }
        Ok(())
    }

    fn traveller(&mut self, e: &Element<'_>, departs: Vec<f64>) -> Result<(), ImportError> {
        let kind = e.text("type").and_then(|name| self.kinds.get(name).copied());
        if let (None, Some(unknown)) = (kind, e.text("type")) {
            self.trips.notes.add("vehicles of a type that is not defined are cars", unknown);
        }
        let ends = (e.text("from"), e.text("to"));
        let anchors = match ends {
            (Some(from), Some(to)) => {
                let via = e.text("via").unwrap_or_default().split_ascii_whitespace();
                Some(std::iter::once(from).chain(via).chain(std::iter::once(to)).map(str::to_owned).collect())
            }
            _ => None,
        };
        self.traveller = Some(Traveller {
            depth: e.depth,
            name: e.text("id").map_or_else(|| numbered(e.name, self.flows), str::to_owned),
            kind: kind.unwrap_or(Kind { class: VehicleClass::Car, strays: false }),
            departs,
            route: e.text("route").map(str::to_owned),
            anchors,
        });
        Ok(())
    }

    fn vehicle(&mut self, e: &Element<'_>) -> Result<(), ImportError> {
        let departs = match e.need("depart")? {
            "triggered" | "containerTriggered" | "split" => {
                let who = e.text("id").unwrap_or_default();
                return self.trips.leave_out("vehicles that wait to be triggered are left out", who);
            }
            "now" | "begin" => vec![0.0],
            _ => vec![seconds(e, "depart")?.unwrap_or(0.0)],
        };
        self.traveller(e, departs)
    }

    fn flow(&mut self, e: &Element<'_>) -> Result<(), ImportError> {
        self.flows += 1;
        let begin = seconds(e, "begin")?.unwrap_or(0.0).max(0.0);
        let end = seconds(e, "end")?;
        let number = e.index("number", TRIPS_MAX)?;
        let hourly = match e.number("vehsPerHour", 0.0, RATE_MAX * 3600.0)? {
            Some(rate) => Some(rate),
            None => e.number("perHour", 0.0, RATE_MAX * 3600.0)?,
        };
        let chance = e.number("probability", 0.0, 1.0)?;
        let exponential = e.text("period").and_then(|p| p.trim().strip_prefix("exp(")?.strip_suffix(')'));
        let last = number.unwrap_or(usize::MAX);
        let until = end.unwrap_or(if number.is_some() { DEPART_MAX_S } else { begin + DAY_S }).min(DEPART_MAX_S);
        let mut dice = Pcg64Mcg::seed_from_u64(self.flows as u64);
        let mut uniform = || (dice.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        let mut departs = Vec::new();
        if let Some(rate) = exponential {
            let rate: f64 = rate.parse().ok().filter(|r| (1e-9..=RATE_MAX).contains(r)).ok_or_else(|| {
                e.refuse(
                    "period",
                    e.text("period").unwrap_or_default(),
                    format!("exp(a rate up to {RATE_MAX} a second)"),
                )
            })?;
            let mut at = begin;
            while at < until && departs.len() < last.min(TRIPS_MAX + 1) {
                departs.push(at);
                at -= (1.0 - uniform()).ln() / rate;
            }
        } else if let Some(chance) = chance {
            let mut at = begin;
            while at < until && departs.len() < last {
                if uniform() < chance {
                    departs.push(at);
                }
                at += 1.0;
            }
        } else {
            let even = match (hourly, e.number("period", 1.0 / RATE_MAX, 1e9)?, number) {
                (Some(rate), _, _) if rate > 0.0 => 3600.0 / rate,
                (_, Some(period), _) => period,
                (None, None, Some(number)) if number > 0 => {
                    (until.min(end.unwrap_or(begin + DAY_S)) - begin) / number as f64
                }
                _ => f64::MAX,
            };
            let count =
                ((until - begin) / even.max(1.0 / RATE_MAX) - 1e-9).ceil().clamp(0.0, TRIPS_MAX as f64 + 1.0) as usize;
            let count = if even < f64::MAX { count.min(last) } else { 0 };
            departs.extend((0..count).map(|k| begin + k as f64 * even));
        }
        self.traveller(e, departs)
    }

    fn depart(&mut self, t: &Traveller) -> Result<(), ImportError> {
        for (k, &at) in t.departs.iter().enumerate() {
            let named = t.route.as_ref().and_then(|id| self.choices.get_mut(id)).and_then(Choice::next);
            let Some(route) = t.anchors.as_ref().or(named) else {
                self.trips.leave_out("trips without a route or both ends are left out", &t.name)?;
                continue;
            };
            let anchors: Vec<&str> = route.iter().map(String::as_str).collect();
            let name = if t.departs.len() > 1 { &numbered(&t.name, k) } else { &t.name };
            self.trips.add(name, at, t.kind.class, t.kind.strays, &anchors)?;
        }
        Ok(())
    }
}

/// Seconds, also as `h:mm:ss` and `d:hh:mm:ss`.
fn seconds(e: &Element<'_>, field: &'static str) -> Result<Option<f64>, ImportError> {
    let Some(text) = e.text(field).filter(|t| t.contains(':')) else { return e.number(field, -1e9, 1e9) };
    let mut total = 0.0;
    for (part, size) in text.rsplit(':').zip([1.0, 60.0, 3600.0, 86_400.0]) {
        let number: Option<f64> = part.parse().ok().filter(|v| (0.0..=1e5).contains(v));
        total += size * number.ok_or_else(|| e.refuse(field, text, "a time h:mm:ss".into()))?;
    }
    Ok(Some(total))
}

fn kind(class: &str) -> Kind {
    let known = match class {
        "truck" | "trailer" => VehicleClass::Truck,
        "bus" | "coach" => VehicleClass::Bus,
        "tram" | "rail_urban" | "rail" | "rail_electric" | "rail_fast" | "subway" | "cable_car" => VehicleClass::Tram,
        "bicycle" | "scooter" => VehicleClass::Bicycle,
        "emergency" => VehicleClass::Emergency,
        _ => VehicleClass::Car,
    };
    Kind { class: known, strays: class == "ignoring" }
}

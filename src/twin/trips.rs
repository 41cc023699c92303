//! Who sets out when: the demand as departures, scaled, each driver with his own ways.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::calendar::Ms;
use super::demand::Demand;
use super::dice::{Dice, Purpose};
use super::driving::{Driving, body};
use super::road::{NONE, Roads};
use super::vehicle::{Fleet, Vehicle};
use crate::ids::LinkId;
use crate::network::VehicleClass;

/// One vehicle that will set out.
#[derive(Debug, Clone, Copy)]
struct Departure {
    at: Ms,
    hop: u32,
    class: VehicleClass,
    ambulance: u32,
    /// Its driver's dice: the trip's own, whoever else sets out.
    dice: u64,
}

/// Of a trip that is made several times at a larger scale of demand, each has dice of its own.
const COPIES: u32 = 40;
/// Those of calls follow.
const CALLS: u64 = 1 << 63;

/// Everyone who will set out, in order.
#[derive(Debug)]
pub(super) struct Trips {
    departures: Vec<Departure>,
    next: usize,
    seed: u64,
}

impl Trips {
    /// Lays every route out as hops of `fleet`; equal routes that are shared are laid out once.
    pub(super) fn new(demand: &Demand, roads: &Roads, fleet: &mut Fleet, scale: f64, seed: u64) -> Self {
        let mut laid: BTreeMap<*const LinkId, u32> = BTreeMap::new();
        let mut lay = |route: &Arc<[LinkId]>| {
            *laid.entry(route.as_ptr()).or_insert_with(|| {
                let first = fleet.hops.len() as u32;
                roads.hops(route, &mut fleet.hops);
                first
            })
        };
        let mut departures = Vec::with_capacity(demand.trips.len());
        for (row, trip) in demand.trips.iter().enumerate().filter(|(_, t)| !t.route.is_empty()) {
            let hop = lay(&trip.route);
            let spare = Dice::new(!seed, Purpose::Trip, row as u64).uniform();
            let times = (scale.max(0.0) + spare).floor() as u32;
            let (at, class) = (trip.depart.ms().max(0) as Ms, trip.class);
            let one =
                |copy: u32| Departure { at, hop, class, ambulance: NONE, dice: u64::from(copy) << COPIES | row as u64 };
            departures.extend((0..times).map(one));
        }
        for (row, call) in demand.calls.iter().enumerate().filter(|(_, c)| !c.route.is_empty()) {
            let (at, hop) = (call.depart.ms().max(0) as Ms, lay(&call.route));
            let (class, dice) = (VehicleClass::Emergency, CALLS | row as u64);
            departures.push(Departure { at, hop, class, ambulance: row as u32, dice });
        }
        departures.sort_by_key(|d| d.at);
        Self { departures, next: 0, seed }
    }

    /// The links on which trips begin.
    pub(super) fn origins<'a>(&'a self, fleet: &'a Fleet) -> impl Iterator<Item = u32> + 'a {
        self.departures.iter().map(|d| fleet.hops[d.hop as usize].link)
    }

    /// The next vehicle that sets out before `until`, and when.
    pub(super) fn next(&mut self, until: Ms, driving: &Driving) -> Option<(Ms, Vehicle)> {
        let d = *self.departures.get(self.next).filter(|d| d.at < until)?;
        let mut dice = Dice::new(self.seed, Purpose::Trip, d.dice);
        self.next += 1;
        let (length_m, headways) = body(d.class);
        let headway = driving.headway_s * headways * (1.0 + dice.between(-1.0, 1.0) * driving.headway_spread);
        let pace = match d.ambulance {
            NONE => 1.0 + dice.between(-1.0, 1.0) * driving.speed_spread,
            _ => driving.emergency_pace,
        };
        let cm = |m: f64| (m * 100.0) as u16;
        let vehicle = Vehicle {
            next: NONE,
            hop: d.hop,
            entered: d.at,
            ready: d.at,
            mark: 0,
            departed: d.at,
            length: cm(length_m),
            space: cm(length_m + driving.gap_m),
            headway: (headway * 1000.0) as u16,
            class: d.class,
            unhurried: (1.0 / pace) as f32,
            slowness: 0.0,
            ambulance: d.ambulance,
        };
        Some((d.at, vehicle))
    }
}

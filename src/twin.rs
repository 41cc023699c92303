//! A mesoscopic simulator and the worlds it runs: travel times, queues with storage and spill-back, lamps obeyed,
//! sensors that lie.
//!
//! Vehicles are individuals. One is touched only when it enters a lane, when it is first in line, and when it crosses;
//! where it is in between follows from its lane's curves (Newell's kinematic waves), so a second costs as much as
//! happens in it. The twin knows networks, lamps and plans, and nothing of how the engine estimates or decides.

mod ambulance;
mod calendar;
pub mod city;
mod conflict;
mod controller;
pub mod demand;
mod dice;
mod driving;
mod flow;
mod gates;
mod lane;
mod options;
mod right_of_way;
mod road;
mod sensing;
#[cfg(test)]
mod tests;
mod trips;
mod truth;
mod vehicle;
mod walk;
mod watch;

use std::sync::Arc;

pub use ambulance::Ambulance;
pub use controller::Refusal;
pub use driving::Driving;
pub use options::{Closed, Incident, Options, SensorFaults, Trouble, TroubleKind};
pub use truth::{Bucket, Sums, Travel, Truth};
pub use walk::Walked;

use crate::event::{Aspect, Event, Revision};
use crate::ids::{CrossingId, Id, JunctionId, LaneId, LinkId};
use crate::network::{Network, Sensors, VehicleClass};
use crate::plan::check::SafePlan;
use crate::time::{Span, Time};
use calendar::{Calendar, Ms, NEVER, SLOT_MS};
use demand::Demand;
use road::NONE;

/// A vehicle in its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// Its lane.
    pub lane: LaneId,
    /// From its front to the end of the link, metres.
    pub distance_m: f64,
    /// Whether it stands.
    pub stands: bool,
    /// What it is.
    pub class: VehicleClass,
}

/// A running world.
#[derive(Debug)]
pub struct Twin {
    network: Arc<Network>,
    options: Options,
    now: Ms,
    flow: flow::Flow,
    trips: trips::Trips,
    walks: walk::Walks,
    ambulances: ambulance::Ambulances,
    sensing: sensing::Sensing,
    controllers: Vec<controller::Controller>,
    lamp_calendar: Calendar,
    /// When each controller acts next.
    lamps_next: Vec<Ms>,
    incidents: Vec<(Ms, LaneId, bool)>,
    events: Vec<Event>,
    buckets: std::collections::VecDeque<Bucket>,
    bucket_began: Truth,
}

impl Twin {
    /// A world at its start: empty roads, every controller in the middle of its own program.
    pub fn new(network: Arc<Network>, sensors: &Sensors, demand: &Demand, options: Options) -> Self {
        let (seed, start) = (options.seed, options.start);
        let roads = road::Roads::new(&network, &options.driving);
        let mut fleet = vehicle::Fleet::default();
        let trips = trips::Trips::new(demand, &roads, &mut fleet, options.demand_scale, seed);
        let walks = walk::Walks::new(&network, &roads, &demand.walkers, options.driving.walking_mps, seed);
        let mut flow = flow::Flow::new(roads, fleet, options.driving, &network, &trips);
        let sensing = sensing::Sensing::new(&network, sensors, options.sensors, start, seed, &mut flow);
        let mut lamp_calendar = Calendar::new();
        let controllers: Vec<_> = network
            .junctions()
            .iter()
            .map(|(id, junction)| {
                let troubles = options.troubles.iter().filter(|t| t.junction == id).copied().collect();
                controller::Controller::new(id, junction, start, troubles)
            })
            .collect();
        let mut lamps_next = Vec::with_capacity(controllers.len());
        for (row, controller) in controllers.iter().enumerate() {
            lamps_next.push((controller.next() - start).ms().max(0) as Ms);
            lamp_calendar.push(lamps_next[row], row as u32);
            let first = flow.roads.groups_at[row];
            for (group, &aspect) in controller.aspects.iter().enumerate() {
                flow.heads[first as usize + group].aspect = aspect;
            }
        }
        let ambulances = ambulance::Ambulances::new(&demand.calls, &network, start, seed);
        let incidents = incidents(&network, &options);
        let bucket_began = flow.tally.truth(start, 0, &vec![0.0; network.links().len()]);
        let mut twin = Self {
            network,
            options,
            now: 0,
            flow,
            trips,
            walks,
            ambulances,
            sensing,
            controllers,
            lamp_calendar,
            lamps_next,
            incidents,
            events: Vec::new(),
            buckets: std::collections::VecDeque::new(),
            bucket_began,
        };
        twin.report_controllers();
        twin
    }

    /// The network it runs.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The present.
    pub fn now(&self) -> Time {
        self.options.start + Span::from_ms(i64::from(self.now))
    }

    /// Advances by one second.
    pub fn step(&mut self) {
        let until = self.now + 1000;
        while self.now < until {
            self.step_slot();
        }
        let (now, at) = (self.now, self.now());
        self.ambulances.report(&self.flow, &self.network, now, at, self.options.gps_error_m, &mut self.events);
        self.report_controllers();
        if at >= self.bucket_began.at + self.options.bucket {
            self.close_bucket();
        }
    }

    fn step_slot(&mut self) {
        let until = self.now + SLOT_MS;
        self.close_and_open(self.now);
        self.change_lamps();
        let start = self.options.start;
        self.walks.act(&mut self.flow, start, &mut self.events);
        while let Some((at, vehicle)) = self.trips.next(until, &self.flow.driving) {
            let ambulance = vehicle.ambulance;
            let row = self.flow.sets_out(vehicle, at);
            if ambulance != NONE {
                let at = start + Span::from_ms(i64::from(at));
                self.ambulances.sets_out(ambulance, row, at, &mut self.events);
            }
        }
        self.flow.act();
        self.ambulances.act(&mut self.flow, until);
        self.now = until;
        self.sensing.act(&mut self.flow, start, until, &mut self.events);
    }

    fn close_and_open(&mut self, now: Ms) {
        while let Some(&(_, lane, closed)) = self.incidents.last().filter(|i| i.0 <= now) {
            self.flow.lanes[lane.index()].closed = closed;
            self.incidents.pop();
        }
    }

    fn change_lamps(&mut self) {
        let start = self.options.start;
        let slot_ends = self.now() + Span::from_ms(i64::from(SLOT_MS) - 1);
        while let Some(entry) = self.lamp_calendar.next() {
            if entry.at != self.lamps_next[entry.actor as usize] {
                continue;
            }
            let junction = JunctionId::of(entry.actor as usize);
            let controller = &mut self.controllers[entry.actor as usize];
            let first = self.flow.roads.groups_at[entry.actor as usize];
            let (flow, walks) = (&mut self.flow, &mut self.walks);
            controller.advance(slot_ends, self.network.junction(junction), |change| {
                let group = first + change.group.index() as u32;
                let at = (change.at - start).ms().max(0) as Ms;
                flow.shows(group, change.aspect, at);
                if change.aspect == Aspect::Green {
                    walks.released(group, flow, at);
                }
            });
            let next = (controller.next() - start).ms().clamp(0, i64::from(NEVER)) as Ms;
            self.lamps_next[entry.actor as usize] = next.max(self.now + SLOT_MS);
            self.lamp_calendar.push(self.lamps_next[entry.actor as usize], entry.actor);
        }
        self.lamp_calendar.turn();
    }

    fn report_controllers(&mut self) {
        let now = self.now();
        for controller in &mut self.controllers {
            self.events.extend(controller.report(now, self.options.status_every).map(Event::from));
        }
    }

    /// Moves everything that was emitted since the last call to the end of `into`, in the order of events.
    pub fn events(&mut self, into: &mut Vec<Event>) {
        let source = |event: &Event| match event {
            Event::Reading(r) => r.sensor.index(),
            Event::Status(s) => s.junction.index(),
            Event::PedestrianCall(c) => c.junction.index(),
            _ => 0,
        };
        // Events are large: each is moved once at most.
        let key = |event: &Event| (event.at(), event.rank(), source(event));
        if !self.events.is_sorted_by_key(key) {
            self.events.sort_by_cached_key(key);
        }
        into.append(&mut self.events);
    }

    /// Hands a controller a plan, which it takes or refuses; either way its next report says so.
    ///
    /// # Errors
    /// Why it was refused.
    pub fn accept(&mut self, plan: &SafePlan) -> Result<(), Refusal> {
        let (row, now) = (plan.draft().junction.index(), self.now());
        let junction = self.network.junction(plan.draft().junction);
        let controller = &mut self.controllers[row];
        controller.accept(plan, now, junction)?;
        let next = (controller.next() - self.options.start).ms().max(0) as Ms;
        self.lamps_next[row] = next.max(self.now);
        self.lamp_calendar.push(self.lamps_next[row], row as u32);
        Ok(())
    }

    /// What each group of a junction shows.
    pub fn lamps(&self, junction: JunctionId) -> &[Aspect] {
        &self.controllers[junction.index()].aspects
    }

    /// The plan a junction's controller runs; 0 where it runs its own program.
    pub fn running(&self, junction: JunctionId) -> Revision {
        self.controllers[junction.index()].running()
    }

    /// What really happened up to now.
    pub fn truth(&self) -> Truth {
        let partial = self.flow.partial_s(self.now, self.ambulances.ways());
        self.flow.tally.truth(self.now(), self.now, &partial)
    }

    /// What really happened in each of the latest intervals, the oldest first.
    pub fn buckets(&self) -> impl Iterator<Item = &Bucket> {
        self.buckets.iter()
    }

    fn close_bucket(&mut self) {
        let truth = self.truth();
        let links = truth.since(&self.bucket_began);
        if self.buckets.len() >= self.options.buckets_max.max(1) {
            self.buckets.pop_front();
        }
        let length = truth.at - self.bucket_began.at;
        self.buckets.push_back(Bucket { end: truth.at, length, links });
        self.bucket_began = truth;
    }

    /// Every ambulance's journey.
    pub fn ambulances(&self) -> &[Ambulance] {
        &self.ambulances.all
    }

    /// An ambulance under way, by its row, goes on along another route from where that has the link it is on. False where
    /// that has not, where it has a gap, or where the ambulance is not under way.
    pub fn reroute(&mut self, ambulance: usize, route: &[LinkId]) -> bool {
        self.ambulances.reroute(&mut self.flow, &self.network, ambulance, route)
    }

    /// What became of the people at `crossing`, or of all on foot.
    pub fn walked(&self, crossing: Option<CrossingId>) -> Walked {
        self.walks.walked(crossing, self.now)
    }

    /// Vehicles inside and waiting outside now.
    pub fn vehicle_count(&self) -> usize {
        self.flow.fleet.len()
    }

    /// Vehicles that crossed a stop line on red without leave to: always none.
    pub fn red_crossings(&self) -> u64 {
        self.flow.red_crossings
    }

    /// The vehicles on a link, lane by lane, the first in line first.
    pub fn vehicles(&self, link: LinkId) -> Vec<Placed> {
        let mut all = Vec::new();
        for lane in self.flow.roads.lanes(link.index() as u32) {
            let mut place = |vehicle: u32, distance: u32, stands: bool| {
                let (lane, class) = (LaneId::of(lane as usize), self.flow.rows()[vehicle as usize].class);
                all.push(Placed { lane, distance_m: f64::from(distance) / 100.0, stands, class });
            };
            for w in watch::whereabouts(&self.flow.lanes[lane as usize], self.flow.rows(), self.now) {
                place(w.vehicle, w.distance, w.stands);
            }
            for (vehicle, distance) in self.ambulances.passing_on(lane) {
                place(vehicle, distance, false);
            }
        }
        all
    }
}

/// What opens and closes when, the latest first.
fn incidents(network: &Network, options: &Options) -> Vec<(Ms, LaneId, bool)> {
    let mut all = Vec::new();
    let ms = |at: Time| (at - options.start).ms().clamp(0, i64::from(NEVER)) as Ms;
    for incident in &options.incidents {
        let lanes: Vec<LaneId> = match incident.place {
            Closed::Lane(lane) => vec![lane],
            Closed::Link(link) => crate::ids::span(&network.link(link).lanes).collect(),
        };
        for lane in lanes {
            all.push((ms(incident.from), lane, true));
            all.push((ms(incident.until), lane, false));
        }
    }
    all.sort_by_key(|&(at, lane, closed)| std::cmp::Reverse((at, lane, !closed)));
    all
}

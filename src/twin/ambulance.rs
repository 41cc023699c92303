//! Ambulances: they ask for priority, say where they believe to be, pass queues where there is room, and obey lights.

use std::sync::Arc;

use super::calendar::{Ms, SLOT_MS};
use super::demand::Call;
use super::dice::{Dice, Purpose};
use super::flow::Flow;
use super::lane::Lane;
use super::road::NONE;
use super::vehicle::Vehicle;
use super::watch::whereabouts;
use crate::event::{Event, Position, PriorityClass, PriorityRequest};
use crate::ids::{Id, LinkId};
use crate::network::{Network, Point};
use crate::time::{Span, Time};
use crate::units::Seconds;

/// One emergency vehicle on its call.
#[derive(Debug, Clone, PartialEq)]
pub struct Ambulance {
    /// Its name.
    pub name: Box<str>,
    /// When it sets out.
    pub departs: Time,
    /// Its way.
    pub route: Arc<[LinkId]>,
    /// Its way at the limit, without signals or traffic.
    pub free_flow: Seconds,
    /// How long it took, once it has arrived.
    pub travel_time: Option<Span>,
    /// Stop lines it crossed on red.
    pub red_crossings: u32,
}

/// One that passes a queue between the lanes.
#[derive(Debug, Clone, Copy)]
struct Passing {
    vehicle: u32,
    lane: u32,
    /// To the line, cm.
    distance: f64,
    speed_mps: f64,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Ambulances {
    pub(super) all: Vec<Ambulance>,
    /// The rows of those under way: ambulance and vehicle.
    under_way: Vec<(u32, u32)>,
    passing: Vec<Passing>,
    dice: Dice,
}

impl Ambulances {
    pub(super) fn new(calls: &[Call], network: &Network, start: Time, seed: u64) -> Self {
        let free_flow = |route: &[LinkId]| {
            let links: Seconds = route.iter().map(|&l| network.link(l).free_flow()).sum();
            let through = |pair: &[LinkId]| {
                let movement = network.movements_from(pair[0]).iter().map(|&m| &network.movements()[m]);
                let path = movement.filter(|m| m.to == pair[1]).find_map(|m| m.connections.first());
                path.map_or(Seconds::ZERO, |&c| network.connections()[c].length / network.link(pair[1]).speed)
            };
            links + route.windows(2).map(through).sum()
        };
        let all = calls.iter().enumerate().map(|(row, call)| Ambulance {
            name: format!("ambulance-{}", row + 1).into(),
            departs: start + call.depart,
            route: call.route.clone(),
            free_flow: free_flow(&call.route),
            travel_time: None,
            red_crossings: 0,
        });
        let dice = Dice::new(seed, Purpose::Gps, 0);
        Self { all: all.collect(), under_way: Vec::new(), passing: Vec::new(), dice }
    }

    /// One sets out and asks for priority.
    pub(super) fn sets_out(&mut self, ambulance: u32, vehicle: u32, at: Time, events: &mut Vec<Event>) {
        self.under_way.push((ambulance, vehicle));
        let a = &self.all[ambulance as usize];
        let (Some(&from), Some(&to)) = (a.route.first(), a.route.last()) else { return };
        events.push(Event::from(PriorityRequest {
            id: format!("call-{}", ambulance + 1).into(),
            at,
            authority: "emergency control".into(),
            vehicle: a.name.clone(),
            class: PriorityClass::Ambulance,
            from,
            to,
            route: a.route.to_vec().into(),
            deadline: None,
        }));
    }

    /// One goes on along another route; whether it does.
    pub(super) fn reroute(&mut self, flow: &mut Flow, network: &Network, ambulance: usize, route: &[LinkId]) -> bool {
        let under_way = self.under_way.iter().find(|u| u.0 as usize == ambulance);
        let Some(&(_, vehicle)) = under_way else { return false };
        let here = LinkId::of(flow.fleet.hop(vehicle).link as usize);
        let Some(rest) = route.iter().position(|&link| link == here).map(|row| &route[row..]) else { return false };
        let leads =
            |pair: &[LinkId]| network.movements_from(pair[0]).iter().any(|&m| network.movements()[m].to == pair[1]);
        if !rest.windows(2).all(leads) {
            return false;
        }
        flow.goes_on(vehicle, rest);
        let row = &mut self.all[ambulance];
        let driven = row.route.iter().position(|&link| link == here).unwrap_or(0);
        row.route = row.route[..driven].iter().chain(rest).copied().collect();
        true
    }

    /// Moves those that pass queues through one slot that ends at `now`, and notes who arrived.
    pub(super) fn act(&mut self, flow: &mut Flow, now: Ms) {
        for (vehicle, lane) in std::mem::take(&mut flow.passing) {
            let distance = f64::from(flow.lanes[lane as usize].length);
            self.passing.push(Passing { vehicle, lane, distance, speed_mps: 0.0 });
        }
        let filtering = flow.driving.filtering_mps;
        let mut at_the_line = Vec::new();
        self.passing.retain_mut(|p| {
            let v = &flow.rows()[p.vehicle as usize];
            if now <= v.entered {
                return true;
            }
            let lane = &flow.lanes[p.lane as usize];
            let free = f64::from(lane.length) / 100.0 / (f64::from((v.ready - v.entered).max(1)) / 1000.0);
            let queued = p.distance <= queue_end(lane, flow.rows(), now);
            p.speed_mps = if queued { free.min(filtering) } else { free };
            p.distance -= p.speed_mps * 100.0 * f64::from(SLOT_MS) / 1000.0;
            if p.distance > 0.0 {
                return true;
            }
            at_the_line.push((p.vehicle, p.lane));
            false
        });
        for (vehicle, lane) in at_the_line {
            flow.cuts_in(vehicle, lane, now);
        }
        for (ambulance, at) in std::mem::take(&mut flow.home) {
            let departed = self.under_way.iter().find(|u| u.0 == ambulance).map(|u| u.1);
            if let Some(vehicle) = departed {
                let took = at - flow.rows()[vehicle as usize].departed;
                self.all[ambulance as usize].travel_time = Some(Span::from_ms(i64::from(took)));
            }
            self.under_way.retain(|u| u.0 != ambulance);
        }
        for ambulance in std::mem::take(&mut flow.ran_red) {
            self.all[ambulance as usize].red_crossings += 1;
        }
    }

    /// Lane, distance to its end in metres and speed of a vehicle, unless it is still outside.
    fn place(&self, flow: &Flow, vehicle: u32, now: Ms) -> Option<(u32, f64, f64)> {
        if let Some(p) = self.passing.iter().find(|p| p.vehicle == vehicle) {
            return Some((p.lane, p.distance / 100.0, p.speed_mps));
        }
        let v = &flow.rows()[vehicle as usize];
        flow.roads.lanes(flow.fleet.hop(vehicle).link).find_map(|lane| {
            let l = &flow.lanes[lane as usize];
            let here = whereabouts(l, flow.rows(), now).find(|w| w.vehicle == vehicle)?;
            let free = f64::from(l.length) * 10.0 / f64::from((v.ready - v.entered).max(1));
            Some((lane, f64::from(here.distance) / 100.0, if here.stands { 0.0 } else { free.min(50.0) }))
        })
    }

    /// Each one under way says where it believes to be.
    pub(super) fn report(
        &mut self,
        flow: &Flow,
        network: &Network,
        now: Ms,
        at: Time,
        error_m: f64,
        events: &mut Vec<Event>,
    ) {
        for row in 0..self.under_way.len() {
            let (ambulance, vehicle) = self.under_way[row];
            let Some((lane, distance, speed)) = self.place(flow, vehicle, now) else { continue };
            let link = network.link(LinkId::of(flow.roads.strips[lane as usize].link as usize));
            let (point, heading) = along(&link.shape, link.length.get(), distance);
            let (dx, dy) = (self.dice.normal() * error_m, self.dice.normal() * error_m);
            events.push(Event::Position(Position {
                vehicle: self.all[ambulance as usize].name.clone(),
                at,
                point: Point { x: point.x + dx, y: point.y + dy },
                speed: (speed + 0.3 * self.dice.normal()).max(0.0) as f32,
                heading: Some(heading as f32),
            }));
        }
    }

    /// The vehicle rows of those that pass queues on `lane`, each with its distance to the line, cm.
    pub(super) fn passing_on(&self, lane: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.passing.iter().filter(move |p| p.lane == lane).map(|p| (p.vehicle, p.distance.max(0.0) as u32))
    }

    /// The lane a passing vehicle is on, for the account of ways begun.
    pub(super) fn ways(&self) -> impl Iterator<Item = (u32, f64)> + '_ {
        self.passing.iter().filter(|p| p.vehicle != NONE).map(|p| (p.lane, p.distance))
    }
}

/// How far before the line a lane's queue ends, cm. Whoever still drives up to it is not in anybody's way.
fn queue_end(lane: &Lane, rows: &[Vehicle], now: Ms) -> f64 {
    let queued = whereabouts(lane, rows, now).filter(|w| w.queued);
    queued.map(|w| f64::from(w.distance) + f64::from(rows[w.vehicle as usize].space)).fold(0.0, f64::max)
}

/// The point `distance` metres before the end of a course that is `length` metres long, and the heading there, degrees
/// clockwise from north.
pub(super) fn along(shape: &[Point], length: f64, distance: f64) -> (Point, f64) {
    let drawn: f64 = shape.windows(2).map(|pair| pair[0].distance(pair[1]).get()).sum();
    let mut left = drawn * (1.0 - (distance / length.max(1e-9)).clamp(0.0, 1.0));
    let mut place = (shape.first().copied().unwrap_or_default(), 0.0);
    for pair in shape.windows(2) {
        let step = pair[0].distance(pair[1]).get();
        let (dx, dy) = (pair[1].x - pair[0].x, pair[1].y - pair[0].y);
        let share = if step > 0.0 { (left / step).min(1.0) } else { 0.0 };
        let heading = dx.atan2(dy).to_degrees().rem_euclid(360.0);
        place = (Point { x: pair[0].x + dx * share, y: pair[0].y + dy * share }, heading);
        if left <= step {
            break;
        }
        left -= step;
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_before_the_line_is_a_point_on_the_course() {
        let p = |x, y| Point { x, y };
        let shape = [p(0.0, 0.0), p(0.0, 100.0), p(100.0, 100.0)];
        // (m before the end, point, heading): the course is drawn 200 m long and called 400 m.
        for (distance, point, heading) in [
            (400.0, p(0.0, 0.0), 0.0),
            (300.0, p(0.0, 50.0), 0.0),
            (100.0, p(50.0, 100.0), 90.0),
            (0.0, p(100.0, 100.0), 90.0),
        ] {
            let (at, towards) = along(&shape, 400.0, distance);
            assert!(
                at.distance(point).get() < 1e-9 && (towards - heading).abs() < 1e-9,
                "{distance}: {at:?} {towards}"
            );
        }
    }
}

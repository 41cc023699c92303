//! Where trips begin and end: the queue outside, the first room on the road, the end of a route.

use super::calendar::Ms;
use super::flow::{Flow, LOOK_AGAIN, MERGE, STOP};
use super::road::NONE;
use super::vehicle::Vehicle;
use crate::ids::LinkId;

impl Flow {
    /// The first vehicle outside finds room, or does not.
    pub(super) fn comes_in(&mut self, queue: u32, now: Ms) {
        let lane = self.outside_of[queue as usize - self.roads.strips.len()];
        let vehicle = self.lanes[queue as usize].head;
        let space = u32::from(self.fleet.rows[vehicle as usize].space);
        let l = &mut self.lanes[lane as usize];
        if l.closed {
            return self.plan(queue, now + LOOK_AGAIN);
        }
        let (entered, by) = l.last_entry;
        if by != queue && by != NONE && now < entered + MERGE {
            return self.plan(queue, entered + MERGE);
        }
        match l.admits(space, false, now) {
            Err(Some(at)) => self.plan(queue, at.max(now + 1)),
            Err(None) => self.waits(queue, lane, now),
            Ok(()) => {
                self.pop(queue, now);
                let link = self.roads.strips[lane as usize].link;
                self.tally.comes_in(link, now);
                self.enters(vehicle, lane, (now, now), 0, queue, false, 0.0);
            }
        }
    }

    /// Somebody sets out: he queues outside the lane with the least before it.
    pub(super) fn sets_out(&mut self, mut vehicle: Vehicle, now: Ms) -> u32 {
        let hop = self.fleet.hops[vehicle.hop as usize];
        let first = self.roads.lanes(hop.link).start;
        let queues = self.outside[hop.link as usize];
        let before = |lane: u32| {
            let queue = &self.lanes[(queues + lane - first) as usize];
            let l = &self.lanes[lane as usize];
            Some(l.inside().saturating_add(queue.count * 750).saturating_add(if l.closed { 1_000_000 } else { 0 }))
        };
        let best = self.roads.best_lane(hop.link, hop.mask, vehicle.class, before);
        let lane = best.or_else(|| self.roads.best_lane(hop.link, u16::MAX, vehicle.class, before)).unwrap_or(first);
        let queue = queues + lane - first;
        let urgent = vehicle.ambulance != NONE;
        vehicle.ready = now;
        vehicle.entered = now;
        vehicle.next = NONE;
        let row = self.fleet.add(vehicle);
        self.tally.waits_outside(hop.link, now);
        let l = &mut self.lanes[queue as usize];
        if urgent || l.tail == NONE {
            self.cuts_in(row, queue, now);
        } else {
            l.count += 1;
            let tail = std::mem::replace(&mut l.tail, row);
            self.fleet.rows[tail as usize].next = row;
        }
        row
    }

    /// A vehicle goes on along another route, which begins with the link it is on.
    pub(super) fn goes_on(&mut self, vehicle: u32, route: &[LinkId]) {
        let hop = self.fleet.hops.len() as u32;
        self.roads.hops(route, &mut self.fleet.hops);
        self.fleet.rows[vehicle as usize].hop = hop;
    }

    /// The first vehicle of `lane` has reached the end of its route.
    pub(super) fn arrives(&mut self, lane: u32, now: Ms) {
        let vehicle = self.pop(lane, now);
        let v = &self.fleet.rows[vehicle as usize];
        let link = self.roads.strips[lane as usize].link;
        let space = u32::from(v.space);
        self.tally.leaves(link, now, self.roads.links[link as usize].free_s, now > v.ready + STOP);
        self.tally.arrives(v.departed, now);
        if v.ambulance != NONE {
            self.home.push((v.ambulance, now));
        }
        self.fleet.remove(vehicle);
        self.free(lane, space, now);
    }
}

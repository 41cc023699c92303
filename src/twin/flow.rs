//! How vehicles move: into a lane, along it, over its line when light, gap and room allow, and out again.

use super::calendar::{Calendar, Ms, NEVER};
use super::driving::Driving;
use super::lane::{Held, Lane};
use super::right_of_way::Verdict;
use super::road::{NONE, Roads};
use super::trips::Trips;
use super::truth::Tally;
use super::vehicle::{Fleet, Vehicle};
use super::watch::{Watch, whereabouts};
use crate::event::Aspect;
use crate::network::Network;

/// A vehicle that found no room looks again after this at the latest.
pub(super) const LOOK_AGAIN: Ms = 5_000;
/// Two lanes that merge let a vehicle in each, this far apart.
pub(super) const MERGE: Ms = 1_000;
/// A vehicle that waits longer than this at the line has stopped.
pub(super) const STOP: Ms = 2_000;

/// What one signal group shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) aspect: Aspect,
    pub(super) since: Ms,
    /// How long its yellow lasts.
    pub(super) yellow: Ms,
}

/// Everything that moves.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) roads: Roads,
    pub(super) driving: Driving,
    /// The network's lanes; from `roads.strips.len()` on the queues outside.
    pub(super) lanes: Vec<Lane>,
    pub(super) fleet: Fleet,
    pub(super) calendar: Calendar,
    pub(super) heads: Vec<Head>,
    /// When each path was last crossed.
    pub(super) crossed: Vec<Ms>,
    /// Until when people are in the way on each crossing.
    pub(super) walked_until: Vec<Ms>,
    pub(super) tally: Tally,
    pub(super) watch: Watch,
    /// The first queue outside of each link, if trips begin there, and the lane each leads to.
    pub(super) outside: Vec<u32>,
    pub(super) outside_of: Vec<u32>,
    /// Emergency vehicles that have just entered a link with room to pass; the twin moves them itself.
    pub(super) passing: Vec<(u32, u32)>,
    /// Emergency vehicles that have arrived: row and when.
    pub(super) home: Vec<(u32, Ms)>,
    /// Vehicles that crossed a line on red without leave to.
    pub(super) red_crossings: u64,
    /// Row of each emergency vehicle that did.
    pub(super) ran_red: Vec<u32>,
}

pub(super) fn ms(seconds: f64) -> Ms {
    (seconds * 1000.0).max(0.0) as Ms
}

impl Flow {
    /// Empty roads, with a queue outside each lane of the links where trips begin.
    pub(super) fn new(roads: Roads, fleet: Fleet, driving: Driving, network: &Network, trips: &Trips) -> Self {
        let mut lanes: Vec<Lane> = roads.strips.iter().map(|s| Lane::new(s.length_cm, s.wave)).collect();
        let mut outside = vec![NONE; roads.links.len()];
        let mut outside_of = Vec::new();
        for link in trips.origins(&fleet) {
            if outside[link as usize] == NONE {
                outside[link as usize] = lanes.len() as u32;
                for lane in roads.lanes(link) {
                    lanes.push(Lane::new(u32::MAX, 0));
                    outside_of.push(lane);
                }
            }
        }
        let yellow = network.junctions().values().flat_map(|j| j.groups.values().map(|g| g.change.span.ms() as Ms));
        Self {
            heads: yellow.map(|yellow| Head { aspect: Aspect::Red, since: 0, yellow }).collect(),
            crossed: vec![NEVER; roads.paths.len()],
            walked_until: vec![0; network.crossings().len()],
            tally: Tally::new(roads.links.len()),
            watch: Watch::new(roads.strips.len(), roads.links.len()),
            roads,
            driving,
            lanes,
            fleet,
            calendar: Calendar::new(),
            outside,
            outside_of,
            passing: Vec::new(),
            home: Vec::new(),
            red_crossings: 0,
            ran_red: Vec::new(),
        }
    }

    /// Every vehicle's row.
    pub(super) fn rows(&self) -> &[Vehicle] {
        &self.fleet.rows
    }

    /// By link, the free-flow time of what those on it have behind them, s; `passing` are lanes and distances to
    /// their lines, cm, of vehicles in no lane's order.
    pub(super) fn partial_s(&self, now: Ms, passing: impl Iterator<Item = (u32, f64)>) -> Vec<f64> {
        let mut partial = vec![0.0; self.roads.links.len()];
        let mut note = |strip: usize, distance: f64| {
            let strip = &self.roads.strips[strip];
            let behind = 1.0 - (distance / f64::from(strip.length_cm.max(1))).clamp(0.0, 1.0);
            partial[strip.link as usize] += behind * self.roads.links[strip.link as usize].free_s;
        };
        for (strip, lane) in self.lanes[..self.roads.strips.len()].iter().enumerate() {
            for w in whereabouts(lane, &self.fleet.rows, now) {
                note(strip, f64::from(w.distance));
            }
        }
        for (lane, distance) in passing {
            note(lane as usize, distance);
        }
        partial
    }

    /// Puts the next action of a lane's first vehicle down for `at`.
    pub(super) fn plan(&mut self, lane: u32, at: Ms) {
        self.lanes[lane as usize].next = at;
        self.calendar.push(at, lane);
    }

    /// Works off what is planned for the current slot.
    pub(super) fn act(&mut self) {
        while let Some(entry) = self.calendar.next() {
            if self.lanes[entry.actor as usize].next == entry.at {
                self.first_acts(entry.actor, entry.at);
            }
        }
        self.calendar.turn();
    }

    fn first_acts(&mut self, lane: u32, now: Ms) {
        let l = &mut self.lanes[lane as usize];
        l.next = NEVER;
        if l.head == NONE {
            return;
        }
        let vehicle = l.head;
        let due = l.gate.max(self.fleet.rows[vehicle as usize].ready);
        if now < due {
            return self.plan(lane, due);
        }
        if lane as usize >= self.roads.strips.len() {
            return self.comes_in(lane, now);
        }
        if l.stopped == NEVER {
            l.stopped = now;
        }
        if self.fleet.hop(vehicle).last {
            return self.arrives(lane, now);
        }
        match self.judge(lane, vehicle, now) {
            Verdict::Go { path, target } => self.crosses(lane, path, target, now),
            Verdict::Later(held, at) => {
                self.lanes[lane as usize].held = held;
                self.plan(lane, at.max(now + 1));
            }
            Verdict::Red => {
                self.lanes[lane as usize].held = Held::Red;
                let exits = &self.roads.strips[lane as usize].exits;
                if exits.is_empty()
                    || !exits.clone().any(|e| self.roads.paths[e as usize].to_link == self.fleet.next_hop(vehicle).link)
                {
                    self.plan(lane, now + MERGE); // the light it looks at belongs to another lane and does not wake it
                }
            }
            Verdict::Full(target) => self.waits(lane, target, now),
        }
    }

    /// Stands in line for room in `target`.
    pub(super) fn waits(&mut self, lane: u32, target: u32, now: Ms) {
        let first = self.lanes[target as usize].waiter;
        let l = &mut self.lanes[lane as usize];
        l.held = Held::Room;
        if l.awaits == NONE {
            l.awaits = target;
            l.next_waiter = first;
            self.lanes[target as usize].waiter = lane;
        }
        self.plan(lane, now + LOOK_AGAIN);
    }

    /// Tells those who wait for room in `lane` that some was freed; the first to wait acts first.
    fn wake(&mut self, lane: u32, now: Ms) {
        let mut waiter = std::mem::replace(&mut self.lanes[lane as usize].waiter, NONE);
        let mut last = NONE;
        while waiter != NONE {
            let l = &mut self.lanes[waiter as usize];
            let next = std::mem::replace(&mut l.next_waiter, last);
            l.awaits = NONE;
            last = waiter;
            waiter = next;
        }
        while last != NONE {
            let next = std::mem::replace(&mut self.lanes[last as usize].next_waiter, NONE);
            self.plan(last, now);
            last = next;
        }
    }

    /// Frees room in `lane` and in those that its vehicles still stood in.
    pub(super) fn free(&mut self, lane: u32, cm: u32, now: Ms) {
        let mut next = Some((lane, cm));
        while let Some((lane, cm)) = next {
            next = self.lanes[lane as usize].free(cm, now);
            if self.lanes[lane as usize].waiter != NONE {
                self.wake(lane, now);
            }
        }
    }

    /// Takes the first vehicle out of `lane` at `now`; room is freed by the caller.
    pub(super) fn pop(&mut self, lane: u32, now: Ms) -> u32 {
        let vehicle = self.lanes[lane as usize].head;
        if (lane as usize) < self.roads.strips.len() {
            self.watch.leaves(lane, vehicle, now, &self.lanes[lane as usize], &self.fleet.rows);
        }
        let behind = self.fleet.rows[vehicle as usize].next;
        let l = &mut self.lanes[lane as usize];
        l.head = behind;
        l.count -= 1;
        l.held = Held::No;
        l.stopped = NEVER;
        if behind == NONE {
            l.tail = NONE;
            l.started = 4;
            l.gate = now + Ms::from(self.fleet.rows[vehicle as usize].headway);
            return vehicle;
        }
        let next = &self.fleet.rows[behind as usize];
        let factor = self.fleet.hops[next.hop as usize].headway_factor;
        let mut headway = f64::from(next.headway) * f64::from(factor);
        if next.ready > now + STOP {
            l.started = 4;
        } else if l.started < 4 {
            l.started += 1;
            headway += self.driving.start_s.get(usize::from(l.started)).map_or(0.0, |s| s * 1000.0);
        }
        l.gate = now + headway.max(0.0) as Ms;
        let due = l.gate.max(next.ready);
        self.plan(lane, due);
        vehicle
    }

    /// The first vehicle of `lane` crosses its line.
    fn crosses(&mut self, lane: u32, path: u32, target: u32, now: Ms) {
        let started = usize::from(self.lanes[lane as usize].started);
        let lost = self.driving.acceleration_s.get(started).map_or(0, |&s| ms(s));
        self.observe_light(lane, path, now);
        let vehicle = self.pop(lane, now);
        let p = &self.roads.paths[path as usize];
        let (inside, free_s, seamless) = (p.inside, p.free_s, p.seamless);
        self.crossed[path as usize] = now;
        let (old, new) = (self.roads.strips[lane as usize].link, self.roads.strips[target as usize].link);
        let v = &mut self.fleet.rows[vehicle as usize];
        let (space, stopped) = (u32::from(v.space), now > v.ready + STOP);
        v.hop += 1;
        self.tally.leaves(old, now, self.roads.links[old as usize].free_s, stopped);
        self.watch.turns(old, new, v.class);
        let behind = self.enters(vehicle, target, (now, now + inside), lost, lane, seamless, free_s);
        self.free(lane, space - behind.min(space), now);
    }

    /// Puts a vehicle at the end of a lane; gives how much of it stays behind in lane `from`.
    #[expect(clippy::too_many_arguments, reason = "one call's worth of facts about one vehicle, on the hottest path")]
    pub(super) fn enters(
        &mut self,
        vehicle: u32,
        lane: u32,
        (now, entered): (Ms, Ms),
        lost: Ms,
        from: u32,
        seamless: bool,
        free_s: f64,
    ) -> u32 {
        let strip = &self.roads.strips[lane as usize];
        let (link, slowness) = (strip.link, strip.slowness);
        let road = &self.roads.links[link as usize];
        let v = &mut self.fleet.rows[vehicle as usize];
        v.entered = entered;
        v.ready = entered + lost + (road.length_m * (slowness * v.unhurried).max(v.slowness)) as Ms;
        v.next = NONE;
        self.tally.enters(link, now, free_s);
        if v.ambulance != NONE {
            if road.lanes > 1 {
                v.space = 0;
                self.passing.push((vehicle, lane));
                return 0;
            }
            v.space = v.length + (self.driving.gap_m * 100.0) as u16;
        }
        let l = &mut self.lanes[lane as usize];
        let (mark, behind) = l.take(u32::from(v.space), seamless);
        v.mark = mark;
        l.overhangs(from, behind);
        l.last_entry = (now, from);
        l.count += 1;
        self.watch.enters(lane, vehicle);
        let ready = v.ready;
        if l.tail == NONE {
            l.head = vehicle;
            l.tail = vehicle;
            l.started = 4;
            let due = ready.max(l.gate);
            self.plan(lane, due);
        } else {
            let tail = std::mem::replace(&mut l.tail, vehicle);
            self.fleet.rows[tail as usize].next = vehicle;
        }
        behind
    }

    /// Somebody who may pass the queue has reached the line and is first now.
    pub(super) fn cuts_in(&mut self, vehicle: u32, lane: u32, now: Ms) {
        let l = &mut self.lanes[lane as usize];
        let v = &mut self.fleet.rows[vehicle as usize];
        v.next = l.head;
        v.ready = now;
        v.mark = l.freed();
        if l.tail == NONE {
            l.tail = vehicle;
        }
        l.head = vehicle;
        l.count += 1;
        l.stopped = NEVER;
        l.gate = l.gate.min(now + MERGE);
        let at = l.gate.max(now);
        self.plan(lane, at);
    }

    /// A signal group shows something else from `at` on.
    pub(super) fn shows(&mut self, group: u32, aspect: Aspect, at: Ms) {
        let head = &mut self.heads[group as usize];
        if head.aspect == aspect {
            return;
        }
        (head.aspect, head.since) = (aspect, at);
        if !matches!(aspect, Aspect::Green | Aspect::Dark) {
            return;
        }
        for row in 0..self.roads.released[group as usize].len() {
            let lane = self.roads.released[group as usize][row];
            let l = &mut self.lanes[lane as usize];
            if l.head == NONE || !matches!(l.held, Held::Red | Held::Gap) {
                continue;
            }
            if l.held == Held::Red {
                let v = &self.fleet.rows[l.head as usize];
                let factor = self.fleet.hops[v.hop as usize].headway_factor;
                let reaction = f64::from(v.headway) * f64::from(factor) + self.driving.start_s[0] * 1000.0;
                l.started = 0;
                l.gate = at + reaction.max(0.0) as Ms;
            }
            l.held = Held::No;
            let due = l.gate.max(at);
            self.plan(lane, due);
        }
    }
}

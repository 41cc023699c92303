//! One lane: its vehicles from the stop line back, and how well they are known.

use super::account::Account;
use super::draw;
use super::loops::Loop;
use super::pace::{Timed, Timing};
use super::view::{Belief, View};
use crate::ids::{ConnectionId, LaneId};
use crate::keep::{keep, resume};
use crate::network::{Network, SensorKind, Sensors};
use crate::traffic::saturation::Discharge;

/// Road a standing vehicle takes, its gap included, m.
pub const SPACING: f32 = 7.5;
/// Where the first vehicle stands, m before the line.
pub(super) const STOP_GAP: f32 = 1.0;
/// Slower than this is standing, m/s.
pub(super) const STANDING: f32 = 0.5;
/// Slower than this is the tail of a queue, m/s.
const CRAWLING: f32 = 2.0;
/// Who is no farther from the line than this is the next to cross in a dense stream, m.
pub(super) const NEXT_M: f32 = 40.0;

/// So much of a vehicle may be one.
const SOMEBODY: f32 = 0.5;

/// A vehicle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vehicle {
    /// From its front to the stop line, m.
    pub gap: f32,
    /// Its speed, m/s.
    pub speed: f32,
    /// What its choices are drawn from.
    pub seed: u32,
    /// For how long it has been on its lane, s.
    pub age: f32,
}

keep!(Vehicle { gap, speed, seed, age });

impl Vehicle {
    /// Whether it stands.
    pub fn stands(&self) -> bool {
        self.speed < STANDING
    }
}

/// One lane's vehicles and how well they are known.
#[derive(Debug, Clone, Default)]
pub struct LaneTrack {
    pub(super) vehicles: Vec<Vehicle>,
    pub(super) length: f32,
    pub(super) speed: f32,
    pub(super) loops: Vec<Loop>,
    /// Whether sensors tell of a queue on it: those of the line that it leads up to.
    pub(super) told: bool,
    pub(super) view: Option<View>,
    pub(super) belief: Belief,
    pub(super) discharge: Discharge,
    /// Vehicles that leave it a second, over the last minutes.
    pub(super) flow: f32,
    /// Vehicles that were believed to stand at its line in vain, a second.
    pub(super) vain: f32,
    pub(super) ruled_out: u32,
    /// Vehicles that leave it a second of whom nobody knew that they were near the line.
    pub(super) unseen: f32,
    /// The path whose lane its head waits for to have room, no signal between.
    pub(super) wants: Option<ConnectionId>,
    /// Whether some exit may be taken.
    pub(super) open: bool,
    /// Whether a queue on it is moving, as far as the lamps tell: its own signal is green.
    pub(super) green: bool,
    /// Times in a row that somebody was turned back at the edge of the view.
    pub(super) turned_back: u16,
    /// For how long its head has stood under this green, and under all since somebody left, s.
    pub(super) stuck: f32,
    pub(super) waited: f32,
    /// Somebody who had to give way was given up, and nobody has left since.
    pub(super) given_up: bool,
    pub(super) crossed_ago: f32,
    /// Whether whoever crossed last is followed by another, as far as can be told.
    pub(super) followed: bool,
    /// What has come of the next vehicle that nobody sees come.
    pub(super) due: f32,
    /// Who is timed between two sensors, and whoever was in this step.
    pub(super) timing: Option<Timing>,
    pub(super) timed: Option<Timed>,
    /// How many have left since it may be left.
    pub(super) starters: u16,
    /// For how long somebody has stood on the loop at its line under this red, s.
    pub(super) stood: f32,
    /// What was spent on it, and the ages of those who were on it in the last step.
    pub(super) account: Account,
    pub(super) ages: f32,
}

resume!(LaneTrack {
    kept: vehicles, loops, view, belief, discharge, flow, vain, unseen, ruled_out, wants, open, green, turned_back, stuck,
        waited, given_up, crossed_ago, followed, due, timing, timed,
        starters, stood, account, ages;
    built: length, speed, told
});

impl LaneTrack {
    pub(super) fn new(network: &Network, sensors: &Sensors, id: LaneId) -> Self {
        let link = network.link(network.lane(id).link);
        let here = |s: &&crate::network::Sensor| s.kind == SensorKind::Loop && s.lane == Some(id);
        let mut loops: Vec<Loop> = sensors
            .on(network.lane(id).link)
            .iter()
            .map(|&s| &sensors.table()[s])
            .filter(here)
            .map(|s| Loop::at(s.distance.get() as f32, s.interval))
            .collect();
        loops.sort_by(|a, b| a.distance.total_cmp(&b.distance));
        loops.dedup_by(|a, b| (a.distance - b.distance).abs() < 0.05);
        Self {
            length: link.length.get() as f32,
            speed: link.speed.get() as f32,
            loops,
            crossed_ago: 60.0,
            ..Self::default()
        }
    }

    /// Its vehicles, the first to reach the line first.
    pub fn vehicles(&self) -> &[Vehicle] {
        &self.vehicles
    }

    /// Its length, m.
    pub fn length(&self) -> f32 {
        self.length
    }

    /// Its speed limit, m/s.
    pub fn speed(&self) -> f32 {
        self.speed
    }

    /// How it discharges.
    pub fn discharge(&self) -> Discharge {
        self.discharge
    }

    /// Exits that its head does not want, by place among the lane's exits: it stood while they were green.
    pub fn ruled_out(&self) -> u32 {
        self.ruled_out
    }

    /// The path that its head waits for, where lanes part with no signal between: the lane it leads to is full.
    pub fn wants(&self) -> Option<ConnectionId> {
        self.wants
    }

    /// Variance of the number of vehicles believed to be on it, vehicles².
    pub fn variance(&self) -> f32 {
        self.belief.variance
    }

    /// Variance of one camera's count, vehicles²: what its successive counts disagree by.
    pub fn noise(&self) -> f32 {
        self.belief.noise
    }

    /// How badly it is known who is where on it, vehicles²: its cameras' disagreement, and what has drifted since.
    pub fn uncertainty(&self) -> f32 {
        (self.noise() + 0.2 * self.variance()).min(2.0)
    }

    /// Vehicles that left it a second over the last minutes; and those of whom nobody knew that they were near the line, or who
    /// were believed to stand there in vain: how far its loops bear out what is believed.
    pub fn borne_out(&self) -> (f32, f32) {
        (self.flow, self.unseen + self.vain)
    }

    /// Vehicles that come a second of whom nobody knows until they leave: its loops miss some, and no camera looks.
    pub fn missed(&self) -> f32 {
        if self.watched() { 0.0 } else { self.unseen }
    }

    /// Whether somebody may stand at its line though nobody is believed to, `red_s` seconds after it was green: one was given
    /// up, or as many as are missed otherwise come to somebody.
    pub fn may_hide(&self, red_s: f32) -> bool {
        self.given_up || self.missed() * red_s > SOMEBODY
    }

    /// Room between the start of the lane and the last standing vehicle, in vehicles.
    pub fn room(&self) -> f32 {
        self.tail().map_or(self.length, |v| self.length - v.gap - SPACING).max(0.0) / SPACING
    }

    /// Whether somebody stands on it, or hardly moves.
    pub fn is_queued(&self) -> bool {
        self.tail().is_some()
    }

    fn tail(&self) -> Option<&Vehicle> {
        self.vehicles.iter().rev().find(|v| v.speed < CRAWLING)
    }

    /// Whether a queue has reached its start, or nearly: a lorry takes the place of two.
    pub(super) fn crowded(&self) -> bool {
        self.vehicles.last().is_some_and(|v| v.gap > self.length - 2.0 * SPACING && v.stands())
    }

    /// Whether a camera sees somebody stand at its end; `None` without one.
    pub(super) fn head_stands(&self) -> Option<bool> {
        self.view.filter(|view| view.nearest < SPACING).map(|view| view.queue > 0)
    }

    pub(super) fn pop(&mut self) -> Option<Vehicle> {
        self.ruled_out = 0;
        (self.stuck, self.waited, self.given_up) = (0.0, 0.0, false);
        (!self.vehicles.is_empty()).then(|| self.vehicles.remove(0))
    }

    /// A vehicle enters at the start of the lane, `since` seconds ago.
    pub(super) fn enter(&mut self, seed: u32, since: f32) {
        let gap = (self.length - since * self.speed).max(0.0);
        self.insert(Vehicle { gap, speed: self.speed, seed, age: since });
    }

    /// Puts a vehicle in its place in the row, if the lane can hold it.
    pub(super) fn insert(&mut self, mut vehicle: Vehicle) {
        if self.vehicles.len() as f32 >= self.length / 5.0 + 2.0 {
            return;
        }
        let at = self.vehicles.partition_point(|v| v.gap <= vehicle.gap);
        if at > 0 && self.vehicles[at - 1].gap + SPACING > vehicle.gap {
            vehicle.gap = self.vehicles[at - 1].gap + SPACING;
            vehicle.speed = vehicle.speed.min(self.vehicles[at - 1].speed);
        }
        self.vehicles.insert(at, vehicle);
    }

    /// Puts everybody from one of the row on back behind a place that they were not seen to pass. Where no queue reaches
    /// it, whoever catches up there with one who does not come is not there either.
    pub(super) fn turn_back(&mut self, first: usize, place: f32, queued: bool) {
        let mut behind = place;
        let mut at = first;
        while self.vehicles.get(at).is_some_and(|v| v.gap < behind) {
            if at > first && !queued {
                self.vehicles.remove(at);
                self.belief.lost();
            } else {
                self.vehicles[at].gap = behind;
                behind += SPACING;
                at += 1;
            }
        }
    }

    /// Whether a camera has counted it lately.
    pub fn watched(&self) -> bool {
        self.view.is_some()
    }

    /// Notes who is past each loop, at the end of a step.
    pub(super) fn mark(&mut self) {
        for l in &mut self.loops {
            l.past = self.vehicles.partition_point(|v| v.gap <= l.distance);
        }
    }

    /// A lane with these vehicles, gap and speed of each, for tests.
    #[cfg(test)]
    pub(super) fn with(vehicles: &[(f32, f32)]) -> Self {
        let vehicles = vehicles.iter().map(|&(gap, speed)| Vehicle { gap, speed, seed: 1, age: 0.0 }).collect();
        Self { vehicles, length: 250.0, speed: 15.0, crossed_ago: 60.0, ..Self::default() }
    }

    /// Where its vehicles are, for tests.
    #[cfg(test)]
    pub(super) fn gaps(&self) -> Vec<f32> {
        self.vehicles.iter().map(|v| v.gap).collect()
    }

    pub(super) fn fresh(serial: u32) -> u32 {
        draw::mix(serial)
    }
}

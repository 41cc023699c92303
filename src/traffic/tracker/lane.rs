//! One lane: its vehicles from the stop line back, and the car-following step that moves them.

use super::loops::Loop;
use super::view::{Belief, View};
use super::{STUCK_S, draw};
use crate::ids::{ConnectionId, LaneId};
use crate::keep::{keep, resume};
use crate::network::{Network, SensorKind, Sensors};
use crate::traffic::saturation::Discharge;

/// Road a standing vehicle takes, its gap included, m.
pub const SPACING: f32 = 7.5;
/// Where the first vehicle stands, m before the line.
pub(super) const STOP_GAP: f32 = 1.0;
/// Acceleration of a car that has room, m/s².
pub(super) const ACCELERATION: f32 = 2.2;
/// Deceleration that drivers choose, m/s².
const DECELERATION: f32 = 3.0;
/// In a platoon drivers follow as close as this share of the saturation headway before they brake.
const CLOSEST: f32 = 0.75;
/// Who is free drives at this share of the limit. Less than most do: a vehicle believed too far ahead seems about to arrive
/// second after second and holds a green, one believed too far behind is put right by the next loop it crosses.
const PACE: f32 = 0.85;
/// Slower than this is standing, m/s.
pub(super) const STANDING: f32 = 0.5;
/// Weight of a new second in a lane's smoothed flow: a memory of about ten minutes.
const FLOW_WEIGHT: f32 = 1.0 / 600.0;

/// A vehicle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vehicle {
    /// From its front to the stop line, m.
    pub gap: f32,
    /// Its speed, m/s.
    pub speed: f32,
    /// What its choices are drawn from.
    pub seed: u32,
}

keep!(Vehicle { gap, speed, seed });

impl Vehicle {
    /// Whether it stands.
    pub fn stands(&self) -> bool {
        self.speed < STANDING
    }
}

/// What the lamps and the road beyond let a lane's head do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Road {
    /// The exits it may take now, by place among the lane's exits.
    pub(super) passable: u32,
    /// All exits.
    pub(super) exits: u32,
    /// Whether it may have to give way.
    pub(super) yields: bool,
    /// Whether some exit is full.
    pub(super) blocked: bool,
    /// Whether the head waits for room in the lane of its turn, no signal between.
    pub(super) held: bool,
    /// Whether a signal ends the lane.
    pub(super) signal: bool,
    /// Whether the lane leads nowhere: its vehicles leave the world.
    pub(super) ends: bool,
}

/// One lane's vehicles and how well they are known.
#[derive(Debug, Clone, Default)]
pub struct LaneTrack {
    pub(super) vehicles: Vec<Vehicle>,
    pub(super) length: f32,
    pub(super) speed: f32,
    pub(super) loops: Vec<Loop>,
    pub(super) view: Option<View>,
    pub(super) belief: Belief,
    pub(super) discharge: Discharge,
    pub(super) flow: f32,
    pub(super) ruled_out: u32,
    /// The path whose lane its head waits for to have room, no signal between.
    pub(super) wants: Option<ConnectionId>,
    /// Whether some exit may be taken.
    pub(super) open: bool,
    /// Times in a row that somebody was turned back at the edge of the view.
    pub(super) turned_back: u16,
    stuck: f32,
    crossed_ago: f32,
}

resume!(LaneTrack {
    kept: vehicles, loops, view, belief, discharge, flow, ruled_out, wants, open, turned_back, stuck, crossed_ago;
    built: length, speed
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
            flow: 0.02,
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

    /// Room between the start of the lane and the last standing vehicle, in vehicles.
    pub fn room(&self) -> f32 {
        let tail = self.vehicles.iter().rev().find(|v| v.speed < 2.0);
        tail.map_or(self.length, |v| self.length - v.gap - SPACING).max(0.0) / SPACING
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
        self.stuck = 0.0;
        (!self.vehicles.is_empty()).then(|| self.vehicles.remove(0))
    }

    /// A vehicle enters at the start of the lane, `since` seconds ago.
    pub(super) fn enter(&mut self, seed: u32, since: f32) {
        let gap = (self.length - since * self.speed).max(0.0);
        self.insert(Vehicle { gap, speed: self.speed, seed });
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

    /// Moves every vehicle by one step; the number at the front that leave the lane.
    pub(super) fn advance(&mut self, dt: f32, road: &Road) -> usize {
        self.crossed_ago += dt;
        let counted = self.loops.first_mut().and_then(Loop::take_at_line);
        let open = road.passable & !self.ruled_out;
        self.open = road.passable != 0;
        let wall = !road.ends && (counted.is_some() || open == 0 || road.blocked && road.signal || road.held);
        self.follow(dt, wall);
        let crossed = match counted {
            Some(count) => count as usize,
            None if road.ends || !road.signal => self.vehicles.iter().take_while(|v| v.gap < 0.0).count(),
            None => {
                let ready = !wall && self.crossed_ago >= self.discharge.headway_s * 0.9;
                usize::from(ready && self.vehicles.first().is_some_and(|v| v.gap < 0.0))
            }
        };
        self.flow += (crossed as f32 - self.flow * dt) * FLOW_WEIGHT;
        for l in &mut self.loops {
            l.past = l.past.saturating_sub(crossed);
        }
        self.belief.crossed(crossed.saturating_sub(self.vehicles.len()), dt);
        if self.open && counted == Some(0) && self.vehicles.is_empty() {
            self.belief.certain();
        }
        if crossed > 0 {
            self.crossed_ago = 0.0;
        } else {
            self.doubt(dt, road, counted.is_some());
        }
        crossed
    }

    /// Car-following. Source: Newell's simplified model, with bounded acceleration.
    fn follow(&mut self, dt: f32, wall: bool) {
        let lag = (CLOSEST * self.discharge.headway_s - SPACING / self.speed.max(1.0)).clamp(0.3, 2.5);
        let limit = self.speed * PACE;
        let mut leader: Option<(Vehicle, f32)> = None; // where it was, and where it is
        for vehicle in &mut self.vehicles {
            let was = *vehicle;
            let faster = (was.speed + ACCELERATION * dt).min(limit);
            let mut gap = was.gap - 0.5 * (was.speed + faster) * dt;
            // Whoever is too near brakes as drivers do, and does not stop dead.
            let slower = (was.speed - DECELERATION * dt).max(0.0);
            let braking = was.gap - 0.5 * (was.speed + slower) * dt;
            let floor = match leader {
                None if wall => {
                    // Braking in time: no faster than what the rest of the way allows.
                    let rest = (was.gap - STOP_GAP).max(0.0);
                    gap = gap.max(was.gap - (2.0 * DECELERATION * rest).sqrt() * dt);
                    STOP_GAP
                }
                None => f32::MIN,
                Some((then, now)) => {
                    let behind =
                        if lag < dt { now + (then.gap - now) * lag / dt } else { then.gap + then.speed * (lag - dt) };
                    (SPACING + behind).min(braking).max(SPACING + now)
                }
            };
            gap = gap.max(floor).min(was.gap);
            vehicle.speed = if gap > was.gap - 0.5 * (was.speed + faster) * dt + 0.01 {
                ((was.gap - gap) / dt).clamp(0.0, limit)
            } else {
                faster
            };
            vehicle.gap = gap;
            leader = Some((was, gap));
        }
    }

    /// The head stands though it may go: it turns elsewhere, or it is not there.
    fn doubt(&mut self, dt: f32, road: &Road, counts: bool) {
        let head_waits = self.vehicles.first().is_some_and(|v| v.gap < 2.0 * STOP_GAP + 1.0);
        if !road.signal || road.passable == 0 || !head_waits || road.yields || road.blocked || !counts {
            self.stuck = 0.0;
            return;
        }
        self.stuck += dt;
        if self.stuck < STUCK_S {
            return;
        }
        self.stuck = 0.0;
        if road.passable | self.ruled_out != road.exits {
            self.ruled_out |= road.passable;
        } else if !self.watched() {
            self.pop();
            self.belief.lost();
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

    pub(super) fn fresh(serial: u32) -> u32 {
        draw::mix(serial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(vehicles: &[(f32, f32)]) -> LaneTrack {
        let vehicles = vehicles.iter().map(|&(gap, speed)| Vehicle { gap, speed, seed: 1 }).collect();
        LaneTrack { vehicles, length: 250.0, speed: 15.0, ..LaneTrack::default() }
    }

    #[test]
    fn a_driver_who_is_too_near_brakes_and_does_not_stop_dead() {
        // Twelve metres behind another at 15 m/s: less than the second and a half that drivers keep.
        let mut track = lane(&[(150.0, 15.0), (162.0, 15.0)]);
        track.follow(1.0, false);
        let (leader, follower) = (track.vehicles[0], track.vehicles[1]);
        assert!((follower.speed - (15.0 - DECELERATION)).abs() < 1.6, "{follower:?}");
        assert!(follower.gap - leader.gap > 12.0, "{leader:?} {follower:?}");
        for _ in 0..5 {
            track.follow(1.0, false);
        }
        assert!(track.vehicles[1].speed > 8.0 && track.room() > 30.0, "{:?}", track.vehicles);
    }

    #[test]
    fn nobody_drives_into_a_queue() {
        let mut track = lane(&[(1.0, 0.0), (8.5, 0.0), (60.0, 15.0)]);
        for _ in 0..20 {
            track.follow(1.0, true);
        }
        let gaps: Vec<f32> = track.vehicles.iter().map(|v| v.gap).collect();
        assert!(gaps.windows(2).all(|w| w[1] - w[0] >= SPACING - 0.01), "{gaps:?}");
        assert!(track.vehicles[2].stands() && gaps[2] < 20.0, "{gaps:?}");
    }

    #[test]
    fn a_loop_covered_under_red_tells_of_the_queue_before_it() {
        // It counts nobody for it misses them; somebody has stood on it for four seconds.
        let mut track = lane(&[(1.0, 0.0)]);
        track.loops.push(Loop::at(60.0, crate::time::Span::SECOND));
        for second in 1..=4 {
            assert_eq!(track.vehicles.len(), 1, "{second}");
            track.counted(60.0, 0, 1.0, crate::time::Span::SECOND, crate::time::Time::from_s(second));
            track.heed_loops(1);
        }
        assert_eq!(track.vehicles.len(), 7, "60 m of lorries and cars: {:?}", track.vehicles);
        // Whatever a camera tells, somebody calls for a green; and no more once the loop is free.
        assert!(track.stood_on());
        track.counted(60.0, 1, 0.3, crate::time::Span::SECOND, crate::time::Time::from_s(5));
        assert!(!track.stood_on());
        // Under green the first may have left long ago.
        let mut track = LaneTrack { open: true, ..lane(&[(1.0, 0.0)]) };
        track.loops.push(Loop::at(60.0, crate::time::Span::SECOND));
        for second in 1..=9 {
            track.counted(60.0, 0, 1.0, crate::time::Span::SECOND, crate::time::Time::from_s(second));
            track.heed_loops(1);
        }
        assert_eq!(track.vehicles.len(), 1);
    }
}

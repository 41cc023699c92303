//! What vehicles spend on a lane, as far as it is believed: where no camera counts them, the delay index is made of this.
//!
//! A lane's account is the sum of the ages of those who are on it and of those who left. So whoever turns out to have come
//! unnoticed brings along the time since then, and whoever turns out not to be there takes back what was spent on him.

use std::ops::Range;

use super::Tracker;
use super::lane::{LaneTrack, Vehicle};
use super::pace::Pace;
use crate::ids::{ConnectionId, LaneId, Table};
use crate::keep::keep;
use crate::network::{Connection, Network, Sensors};
use crate::traffic::node::{Start, start};

/// Whoever takes so much longer than a slow driver has stood, s.
const STOOD_S: f32 = 2.0;

/// What was spent since it was asked last.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Account {
    /// On the way, vehicle-seconds; negative where an earlier account was too much.
    pub(crate) veh_s: f32,
    /// Vehicles that left.
    pub(crate) left: f32,
    /// What those who came lost by starting, inside the node and behind it, vehicle-seconds.
    pub(crate) inside_s: f32,
    pub(crate) behind_s: f32,
}

keep!(Account { veh_s, left, inside_s, behind_s });

impl Account {
    /// Adds another.
    pub(crate) fn add(&mut self, other: Self) {
        self.veh_s += other.veh_s;
        self.left += other.left;
        self.inside_s += other.inside_s;
        self.behind_s += other.behind_s;
    }
}

/// Notes on which lanes sensors tell of queues: those that lead up to a line where some are, as far as an approach reaches.
pub(super) fn note_told(network: &Network, sensors: &Sensors, lanes: &mut Table<LaneId, LaneTrack>) {
    let heard = |lane: LaneId| !sensors.on(network.lane(lane).link).is_empty();
    for stop in lanes.ids() {
        lanes[stop].told |= heard(stop);
        let reach = network.reach(stop);
        if reach.iter().any(|part| heard(part.lane)) {
            for part in reach {
                if let Some(track) = lanes.get_mut(part.lane) {
                    track.told = true;
                }
            }
        }
    }
}

impl Tracker {
    /// The share of the limit at which drivers drive on average.
    pub(crate) fn mean_pace(&self) -> f32 {
        self.pace.mean()
    }

    /// What was spent on some lanes since this was asked last.
    pub(crate) fn take_account(&mut self, lanes: &Range<LaneId>) -> Account {
        let mut sum = Account::default();
        self.lanes.slice_mut(lanes).iter_mut().for_each(|track| sum.add(std::mem::take(&mut track.account)));
        sum
    }

    /// Books what a vehicle loses that takes a path, the `nth` of those who stood before the line or one who did not stand.
    pub(super) fn set_out(&mut self, network: &Network, path: ConnectionId, nth: Option<u16>) {
        let Connection { movement, to, .. } = network.connections()[path];
        if let Some(lane) = self.lanes.get_mut(to) {
            lane.comes(start(network, movement, nth));
        }
    }
}

impl LaneTrack {
    /// Its length at the limit, s.
    fn free_s(&self) -> f32 {
        self.length / self.speed.max(1.0)
    }

    /// A vehicle of which nobody knew: it has come there unhindered.
    pub(super) fn found(&self, gap: f32, speed: f32, seed: u32) -> Vehicle {
        let age = (self.length - gap.clamp(0.0, self.length)) / self.speed.max(1.0);
        Vehicle { gap, speed, seed, age }
    }

    /// Somebody leaves who has been on it for `age` seconds, or somebody of whom nobody knew; when they stood before its line,
    /// how many had left under this green before.
    pub(super) fn leaves(&mut self, age: Option<f32>, pace: &Pace) -> Option<u16> {
        let (free, believed) = (self.free_s(), self.free_s() / pace.believed());
        // Nobody is faster than the limit, and whoever stood on the loop at the line was there for as long besides.
        let age = age.unwrap_or(free).max(free + std::mem::take(&mut self.stood));
        self.account.veh_s += age;
        self.account.left += 1.0;
        let nth = self.starters;
        self.starters = nth.saturating_add(1);
        (age > believed + STOOD_S).then_some(nth)
    }

    /// The most that a vehicle on it may be old, s: where no sensor tells of a queue, as long as it takes to drive through.
    pub(super) fn oldest(&self, pace: &Pace) -> f32 {
        if self.told { f32::INFINITY } else { self.free_s() / pace.mean() }
    }

    /// Somebody is about to come onto it, after such a start.
    pub(super) fn comes(&mut self, start: Start) {
        self.account.inside_s += start.inside_s;
        self.account.behind_s += start.behind_s;
    }

    /// Closes a step: those who are on it are older, or others.
    pub(super) fn add_up(&mut self) {
        let ages = self.vehicles.iter().map(|v| v.age).sum();
        self.account.veh_s += ages - std::mem::replace(&mut self.ages, ages);
    }

    /// Forgets those who are on it; what they spent stays spent.
    pub(super) fn forget(&mut self) {
        self.vehicles.clear();
        self.ages = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::drive::Road;
    use super::super::loops::Loop;
    use super::*;
    use crate::time::{Span, Time};

    /// 250 m at 15 m/s.
    fn lane() -> LaneTrack {
        LaneTrack { told: true, ..LaneTrack::with(&[]) }
    }

    #[test]
    fn it_is_the_ages_of_those_who_are_there_and_who_left() {
        let mut lane = lane();
        lane.enter(1, 0.0);
        for _ in 0..30 {
            lane.follow(1.0, true, &Pace::default());
            lane.add_up();
        }
        let spent = |lane: &mut LaneTrack| std::mem::take(&mut lane.account).veh_s;
        assert!((spent(&mut lane) - 30.0).abs() < 1e-3);
        // Somebody is found 100 m before the line: the 150 m behind him took 10 s.
        let found = lane.found(100.0, 10.0, 2);
        lane.insert(found);
        lane.add_up();
        assert!((spent(&mut lane) - 10.0).abs() < 1e-3);
        // The first leaves: nothing is spent by that.
        let (age, pace) = (lane.pop().map(|v| v.age), Pace::default());
        lane.leaves(age, &pace);
        lane.add_up();
        assert!(spent(&mut lane).abs() < 1e-3);
        // The other was not there after all.
        lane.vehicles.clear();
        lane.add_up();
        assert!((spent(&mut lane) + 10.0).abs() < 1e-3);
        // Whoever leaves and was not known has driven through at the limit.
        lane.leaves(None, &pace);
        assert!((spent(&mut lane) - 250.0 / 15.0).abs() < 1e-3);
    }

    #[test]
    fn who_took_long_has_stood_if_sensors_tell_of_it() {
        let (mut lane, pace) = (lane(), Pace::default());
        let slow = 250.0 / 15.0 / pace.believed();
        assert_eq!(
            [slow + 1.0, slow + 3.0, slow + 9.0].map(|age| lane.leaves(Some(age), &pace)),
            [None, Some(1), Some(2)]
        );
        // No sensor tells of a queue: however long he is believed to be there, he drives through as others do.
        for (told, expected) in [(false, 250.0 / 15.0), (true, 40.0)] {
            let mut lane = LaneTrack { told, ..self::lane() };
            lane.enter(1, 0.0);
            (0..40).for_each(|_| lane.follow(1.0, true, &pace));
            lane.add_up();
            assert!((lane.account.veh_s - expected).abs() < 1e-3, "{told} {:?}", lane.account);
        }
    }

    #[test]
    fn who_stood_on_the_loop_at_the_line_has_been_there_all_the_while() {
        let red = Road { passable: 0, exits: 1, yields: false, blocked: false, held: false, signal: true, ends: false };
        for (stands_s, expected) in [(0, 250.0 / 15.0), (20, 250.0 / 15.0 + 20.0)] {
            let (mut lane, pace) = (lane(), Pace::default());
            lane.loops.push(Loop::at(0.0, Span::SECOND));
            for second in 1..=40 {
                let occupancy = if second > 40 - stands_s { 1.0 } else { 0.0 };
                lane.counted(0.0, 0, occupancy, Span::SECOND, Time::from_s(second));
                lane.advance(1.0, &red, &pace, 1);
            }
            lane.vehicles.clear();
            lane.leaves(None, &pace);
            assert!((lane.account.veh_s - expected).abs() < 1e-3, "{stands_s} {:?}", lane.account);
        }
    }
}

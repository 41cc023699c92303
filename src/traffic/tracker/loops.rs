//! Loops: a vehicle is past one when it was counted, and not before.

use super::lane::{LaneTrack, SPACING, STOP_GAP};
use crate::keep::keep;
use crate::time::{Span, Time};

/// Nearer to the line than this a loop counts those that leave, m.
const AT_LINE_M: f32 = 3.0;
/// A loop that counts over longer than this says how many, but not when.
const PROMPT: Span = Span::from_s(2);
/// A vehicle that should have been counted and was not is dropped after this long, s.
const HELD_S: f32 = 4.0;
/// A vehicle counted is taken to be the next one upstream if that is no farther away than this many seconds of driving.
const EARLY_S: f32 = 4.0;
/// Covered for more than this share of its interval, a loop is under a queue.
const UNDER_QUEUE: f32 = 0.95;
/// Covered for no more than this share of its interval, a loop has no queue over it.
const FREE: f32 = 0.3;
/// A loop that has been covered for so long is under somebody who stands, and the road from there to the line is full, s.
const STANDS_S: f32 = 4.0;
/// Road that one of a queue takes at most, lorries among them, m.
const SPACING_MOST: f32 = 9.5;

/// A loop of one lane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loop {
    pub(super) distance: f32,
    prompt: bool,
    count: Option<u32>,
    occupancy: f32,
    alive: u8,
    held: f32,
    /// For how long it has been covered without a break, s.
    covered: f32,
    /// Vehicles it misses or invents for each it counts, as other accounts say, and what of that is not yet a vehicle.
    factor: f32,
    rest: f32,
    /// Vehicles past it before this step, of those that are still on the lane.
    pub(super) past: usize,
}

keep!(Loop { distance, prompt, count, occupancy, alive, held, covered, factor, rest, past });

impl Loop {
    pub(super) fn at(distance: f32, interval: Span) -> Self {
        Self {
            distance,
            prompt: interval <= PROMPT,
            count: None,
            occupancy: 0.0,
            alive: 0,
            held: 0.0,
            covered: 0.0,
            factor: 1.0,
            rest: 0.0,
            past: 0,
        }
    }

    /// Whether it tells of who comes.
    pub(super) fn sees_arrivals(&self) -> bool {
        self.distance > AT_LINE_M && self.alive > 0
    }

    /// Whether it tells of who leaves.
    pub(super) fn sees_leavers(&self) -> bool {
        self.distance <= AT_LINE_M && self.alive > 0
    }

    /// Whether somebody stands on it, and it stands at the line.
    pub(super) fn is_stood_on_at_line(&self) -> bool {
        self.distance <= AT_LINE_M && self.covered > 0.0
    }

    /// How many it is about to tell that left, if it stands at the line and reports promptly.
    pub(super) fn counts_at_line(&self) -> usize {
        let tells = self.distance <= AT_LINE_M && self.prompt;
        self.count.filter(|_| tells).map_or(0, |count| count as usize)
    }

    /// How many it saw leave in this step, if it stands at the line and reports promptly.
    pub(super) fn take_at_line(&mut self) -> Option<u32> {
        if self.distance > AT_LINE_M || !self.prompt {
            return None;
        }
        match self.count.take() {
            None => {
                self.alive = self.alive.saturating_sub(1);
                (self.alive > 0).then_some(0)
            }
            count => count,
        }
    }
}

impl LaneTrack {
    /// Whether somebody stands on one of its loops, whatever else is told: a detector's call.
    pub fn stood_on(&self) -> bool {
        self.loops.iter().any(|l| l.covered >= STANDS_S)
    }

    /// A loop's count; several of one step add up.
    pub(super) fn counted(&mut self, distance: f32, count: u32, occupancy: f32, interval: Span, _to: Time) {
        let near = |l: &&mut Loop| (l.distance - distance).abs() < 0.05;
        if let Some(l) = self.loops.iter_mut().find(near) {
            l.prompt = interval <= PROMPT;
            let vehicles = count as f32 * l.factor + l.rest;
            let whole = vehicles.round().max(0.0);
            l.rest = vehicles - whole;
            l.count = Some((l.count.unwrap_or(0) + whole as u32).min(1000));
            l.occupancy = occupancy;
            l.covered = if occupancy > UNDER_QUEUE { l.covered + interval.s() as f32 } else { 0.0 };
            l.alive = 3;
        }
    }

    /// Tells it how many vehicles pass a loop for each that it counts.
    pub(super) fn learn_factor(&mut self, distance: f32, factor: f32) {
        if let Some(l) = self.loops.iter_mut().find(|l| (l.distance - distance).abs() < 0.05) {
            l.factor = factor;
        }
    }

    /// Somebody stands on a loop, not under green, and no camera looks: from there to the line the lane is full, whatever was
    /// counted.
    fn fill_to(&mut self, distance: f32, serial: u32) -> u32 {
        let least = (distance / SPACING_MOST) as usize + 1;
        let here = self.vehicles.partition_point(|v| v.gap <= distance + SPACING);
        let missing = least.saturating_sub(here);
        for nth in 0..missing {
            let seed = Self::fresh(serial + nth as u32);
            let tail = self.vehicles[..self.vehicles.partition_point(|v| v.gap <= distance)].last();
            let gap = tail.map_or(STOP_GAP, |v| v.gap + SPACING).min(distance);
            self.insert(self.found(gap, 0.0, seed));
            self.belief.lost();
        }
        missing as u32
    }

    /// Somebody is on a loop without a break and no camera looks: the queue reaches beyond, and as many as left over the
    /// last minutes have come since.
    fn fill_beyond(&mut self, l: &Loop, serial: u32) -> u32 {
        let least = 1 + (self.flow * l.covered) as usize;
        let first = self.vehicles.partition_point(|v| v.gap <= l.distance);
        let reach = l.distance + SPACING * (least as f32 + 1.0);
        let here = self.vehicles[first..].iter().take_while(|v| v.gap <= reach).count();
        let missing = least.saturating_sub(here);
        for nth in 0..missing {
            let gap = l.distance + SPACING * (here + nth + 1) as f32;
            if gap < self.length {
                self.insert(self.found(gap, 0.0, Self::fresh(serial + nth as u32)));
                self.belief.lost();
            }
        }
        missing as u32
    }

    /// Corrects the row at each loop upstream of the line; how many seeds it used up from `serial` on.
    pub(super) fn heed_loops(&mut self, serial: u32) -> u32 {
        let mut used = 0;
        for at in 0..self.loops.len() {
            let mut l = self.loops[at];
            if l.covered >= STANDS_S && !self.green && !self.watched() {
                used += self.fill_to(l.distance, serial + used);
            }
            if l.distance <= AT_LINE_M || !l.prompt {
                continue;
            }
            if l.occupancy > UNDER_QUEUE && l.alive > 0 && !self.watched() {
                used += self.fill_beyond(&l, serial + used);
            }
            let Some(count) = l.count.take() else {
                self.loops[at].alive = l.alive.saturating_sub(1);
                continue;
            };
            used += self.heed(&mut l, count, serial + used);
            self.loops[at] = l;
        }
        used
    }

    /// The vehicles that count as past the loop are those the model has past it; more or fewer were counted.
    fn heed(&mut self, l: &mut Loop, count: u32, serial: u32) -> u32 {
        let mut used = 0;
        let past = self.vehicles.partition_point(|v| v.gap <= l.distance);
        let surplus = past as i32 - l.past as i32 - count as i32;
        if surplus < 0 {
            for _ in 0..(-surplus).min(4) {
                let next = self.vehicles.iter().position(|v| v.gap > l.distance);
                match next.filter(|&at| self.vehicles[at].gap - l.distance < EARLY_S * self.speed) {
                    Some(at) => {
                        let floor = if at > 0 { self.vehicles[at - 1].gap + SPACING } else { STOP_GAP };
                        self.vehicles[at].gap = (l.distance - 1.0).max(floor).min(self.vehicles[at].gap);
                    }
                    None => {
                        let seed = Self::fresh(serial + used);
                        used += 1;
                        self.insert(self.found(l.distance - 1.0, self.speed * 0.8, seed));
                        self.belief.lost();
                    }
                }
            }
            l.held = 0.0;
        } else if surplus > 0 && l.occupancy < UNDER_QUEUE {
            // The last ones past it have come too early: back behind the loop, and away if that goes on.
            self.turn_back(past.saturating_sub(surplus as usize), l.distance + 0.5, l.occupancy > FREE);
            l.held += 1.0;
            if l.held > HELD_S {
                l.held = 0.0;
                if let Some(at) = self.vehicles.iter().position(|v| v.gap > l.distance) {
                    self.vehicles.remove(at);
                    self.belief.lost();
                }
            }
        } else {
            l.held = 0.0;
        }
        if count == 1 {
            self.passes(l.past, l.distance);
        }
        used
    }
}

#[cfg(test)]
mod tests {
    use super::super::drive::Road;
    use super::super::pace::Pace;
    use super::*;

    /// A green light with one exit.
    const GO: Road =
        Road { passable: 1, exits: 1, yields: false, blocked: false, held: false, signal: false, ends: false };

    #[test]
    fn a_loop_covered_under_red_tells_of_the_queue_before_it() {
        // It counts nobody for it misses them; somebody has stood on it for four seconds.
        let before = |track: &LaneTrack| track.vehicles.iter().filter(|v| v.gap <= 60.0).count();
        let mut track = LaneTrack::with(&[(1.0, 0.0)]);
        track.loops.push(Loop::at(60.0, Span::SECOND));
        for second in 1..=4 {
            assert_eq!(before(&track), 1, "{second}");
            track.counted(60.0, 0, 1.0, Span::SECOND, Time::from_s(second));
            track.heed_loops(1);
        }
        assert_eq!(before(&track), 6, "60 m of lorries and cars, one of them beyond: {:?}", track.vehicles);
        // Whatever a camera tells, somebody calls for a green; and no more once the loop is free.
        assert!(track.stood_on());
        track.counted(60.0, 1, 0.3, Span::SECOND, Time::from_s(5));
        assert!(!track.stood_on());
        // Under green the first may have left long ago.
        let mut track = LaneTrack { green: true, ..LaneTrack::with(&[(1.0, 0.0)]) };
        track.loops.push(Loop::at(60.0, Span::SECOND));
        for second in 1..=9 {
            track.counted(60.0, 0, 1.0, Span::SECOND, Time::from_s(second));
            track.heed_loops(1);
        }
        assert_eq!(before(&track), 1);
    }

    #[test]
    fn nobody_leaves_who_was_not_counted_at_the_last_loop() {
        // Without a signal, and so near to the end that a second leads past both.
        for (count, expected) in [(0, 0), (1, 1)] {
            let mut track = LaneTrack::with(&[(7.0, 12.0)]);
            track.loops.push(Loop::at(6.0, Span::SECOND));
            track.mark();
            let mut left = 0;
            for second in 1..=2 {
                let now = Time::from_s(second);
                let counted = if second == 1 { count } else { 0 };
                track.counted(6.0, counted, 0.1, Span::SECOND, now);
                let (crossed, _) = track.advance(1.0, &GO, &Pace::default(), 1);
                for _ in 0..crossed {
                    track.pop();
                }
                left += crossed;
                track.mark();
            }
            assert_eq!(left, expected, "{count} {:?}", track.vehicles);
        }
    }

    #[test]
    fn a_queue_over_a_loop_reaches_beyond_it() {
        let mut track = LaneTrack { flow: 0.25, green: true, ..LaneTrack::with(&[]) };
        track.loops.push(Loop::at(60.0, Span::SECOND));
        for second in 1..=8 {
            track.counted(60.0, 0, 1.0, Span::SECOND, Time::from_s(second));
            track.heed_loops(1);
        }
        // One, and those who came in eight seconds.
        assert_eq!(track.gaps(), [67.5, 75.0, 82.5]);
    }
}

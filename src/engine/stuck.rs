//! Lanes whose queue has green and does not move: something stands in its way that nobody has told of.

use std::ops::Range;

use crate::event::{Reading, Seen};
use crate::ids::{GroupSet, LaneId, Table, span};
use crate::keep::keep;
use crate::network::{Junction, Network, Sensors};
use crate::time::{Span, Time};

/// A queue that has had green for so long since somebody last left it does not move (a green of some of its turns alone
/// counts half), ...
const STUCK: Span = Span::from_s(25);
/// ... and moves again when so many have left it since, ...
const MOVES: u8 = 3;
/// ... or when nobody has stood there for so long.
const GONE: Span = Span::from_s(20);
/// Who crosses a loop this near to the line leaves the lane, and who stands on it is the first of the queue, m.
const LINE_M: f64 = 10.0;
/// A loop that is covered for this share of its interval is stood on.
const COVERED: f32 = 0.9;
/// What was seen so long ago still holds: a sensor tells once a second and may be late.
const FRESH: Span = Span::from_ms(2500);

/// The front of a lane's queue.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Front {
    /// When somebody was last seen to stand there.
    stood: Time,
    /// When somebody last left.
    left: Time,
    /// Green since then while somebody stood.
    green: Span,
    /// Those who left since it was found not to move.
    moved: u8,
    stuck: bool,
}

keep!(Front { stood, left, green, moved, stuck });

/// The fronts of all queues of a partition.
#[derive(Debug, Clone)]
pub(super) struct Fronts {
    fronts: Table<LaneId, Front>,
}

keep!(Fronts { fronts });

impl Fronts {
    pub(super) fn new(lanes: &Range<LaneId>) -> Self {
        let front = Front { stood: Time::LONG_AGO, left: Time::LONG_AGO, green: Span::ZERO, moved: 0, stuck: false };
        Self { fronts: Table::over(lanes, front) }
    }

    /// Whether a lane's queue has green and does not move.
    pub(super) fn stuck(&self, lane: LaneId) -> bool {
        self.fronts.get(lane).is_some_and(|front| front.stuck)
    }

    /// Hears a sensor that can be believed. Only loops at the line tell that somebody left.
    pub(super) fn hear(&mut self, sensors: &Sensors, reading: &Reading) {
        let sensor = &sensors.table()[reading.sensor];
        let (Seen::Loop { count, occupancy, .. }, Some(lane)) = (&reading.seen, sensor.lane) else { return };
        let Some(front) = self.fronts.get_mut(lane).filter(|_| sensor.distance.get() <= LINE_M) else { return };
        if *count > 0 {
            front.leaves(reading.end);
        } else if *occupancy >= COVERED {
            front.stood = front.stood.max(reading.end);
        }
    }

    /// Brings the queues before a junction's signals up to `now`, when `green` may be used.
    pub(super) fn advance(&mut self, network: &Network, junction: &Junction, green: GroupSet, now: Time, tick: Span) {
        for lane in junction.approaches.iter().flat_map(|&link| span(&network.link(link).lanes)) {
            let Some(front) = self.fronts.get_mut(lane).filter(|front| front.may_change(now)) else { continue };
            let groups = span(&network.lane(lane).exits).filter_map(|exit| network.connections()[exit].control.group());
            let (mut ruled, mut free) = (0, 0);
            for (_, group) in groups {
                ruled += 1;
                free += i64::from(green.contains(group) && junction.goes_first(group, green));
            }
            // Where not all turns of a lane may go, its first may wait for one that may not.
            match free {
                0 => {}
                free if free == ruled => front.waits(now, tick),
                _ => front.waits(now, Span::from_ms(tick.ms() / 2)),
            }
        }
    }
}

impl Front {
    fn leaves(&mut self, at: Time) {
        (self.left, self.green) = (self.left.max(at), Span::ZERO);
        self.moved = self.moved.saturating_add(1);
        self.stuck &= self.moved < MOVES;
    }

    /// Whether green may change anything.
    fn may_change(&self, now: Time) -> bool {
        self.stuck || self.green > Span::ZERO || now - self.stood <= FRESH
    }

    /// It has had green for another tick.
    fn waits(&mut self, now: Time, tick: Span) {
        if now - self.stood > GONE {
            (self.green, self.stuck) = (Span::ZERO, false);
        }
        if now - self.stood <= FRESH && now - self.left > FRESH {
            self.green += tick;
        }
        if self.green >= STUCK && !self.stuck {
            (self.stuck, self.moved) = (true, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;

    #[test]
    fn a_queue_that_has_green_and_does_not_move_is_stuck_until_it_does() {
        let mut fronts = Fronts::new(&(LaneId::of(0)..LaneId::of(1)));
        let front = &mut fronts.fronts[LaneId::of(0)];
        let (at, mut now) = (Time::from_s, 0);
        // (seconds of green, whether somebody stands, one leaves every so many seconds, whether it is stuck then)
        for (seconds, stands, leaves, stuck) in [
            (24, true, 0, false),
            (1, true, 0, true),
            (40, true, 0, true),
            (16, true, 8, true),   // two left: that may be an error
            (8, true, 8, false),   // the third
            (60, true, 20, false), // slow, but it moves
            (30, true, 0, true),
            (18, false, 0, true),
            (5, false, 0, false), // nobody is there any more
        ] {
            for second in 1..=seconds {
                now += 1;
                if stands {
                    front.stood = at(now);
                }
                if leaves > 0 && second % leaves == 0 {
                    front.leaves(at(now));
                }
                front.waits(at(now), Span::SECOND);
            }
            assert_eq!(front.stuck, stuck, "second {now}: {front:?}");
        }
    }

    #[test]
    fn who_is_passed_over_would_not_have_changed() {
        let now = Time::from_s(1000);
        let mut passed = 0;
        for (ago_ms, left_ms) in [(0, 0), (2500, 9000), (2501, 0), (20_000, 20_001), (20_001, 3000), (90_000, 90_000)] {
            for (green_s, stuck) in [(0, false), (0, true), (24, false), (25, true)] {
                let (stood, left) = (now - Span::from_ms(ago_ms), now - Span::from_ms(left_ms));
                let front = Front { stood, left, green: Span::from_s(green_s), moved: 1, stuck };
                let mut served = front;
                served.waits(now, Span::SECOND);
                assert!(front.may_change(now) || served == front, "{front:?} {served:?}");
                passed += usize::from(!front.may_change(now));
            }
        }
        assert_eq!(passed, 4);
    }
}

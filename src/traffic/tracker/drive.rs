//! How the vehicles of a lane move: car-following, who leaves, and who should have left.

use super::STUCK_S;
use super::lane::{LaneTrack, NEXT_M, SPACING, STOP_GAP, Vehicle};
use super::loops::Loop;
use super::pace::Pace;
use crate::traffic::node::ACCELERATION;

/// Deceleration that drivers choose, m/s².
pub(super) const DECELERATION: f32 = 3.0;
/// In a platoon drivers follow as close as this share of the saturation headway before they brake.
const CLOSEST: f32 = 0.75;
/// Vehicles that cross within so many saturation headways of each other leave a queue, or come in a platoon.
const DENSE: f32 = 1.6;
/// Who waits for room in a lane that nobody sees does not wait for longer, s.
const HELD_MOST_S: f32 = 60.0;
/// Who has to give way may stand under green for so long, in one round or several, s.
const YIELDS_S: f32 = 20.0;
/// Weight of a new second in a lane's smoothed flow: a memory of about ten minutes.
const FLOW_WEIGHT: f32 = 1.0 / 600.0;

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

impl LaneTrack {
    /// Moves every vehicle by one step and heeds what loops counted meanwhile; the number at the front that leave the lane,
    /// and how many seeds from `serial` on that took.
    pub(super) fn advance(&mut self, dt: f32, road: &Road, pace: &Pace, serial: u32) -> (usize, u32) {
        self.crossed_ago += dt;
        let counted = self.loops.first_mut().and_then(Loop::take_at_line);
        let open = road.passable & !self.ruled_out;
        self.open = road.passable != 0;
        if !self.open {
            self.starters = 0;
        }
        self.green = self.open && road.signal;
        let wall = !road.ends && (counted.is_some() || open == 0 || road.blocked && road.signal || road.held);
        if !self.open {
            let stands = self.loops.first().is_some_and(Loop::is_stood_on_at_line);
            self.stood = if stands { self.stood + dt } else { 0.0 };
        }
        self.go_on_timing(dt);
        self.follow(dt, wall, pace);
        // Nobody leaves who did not pass the last loop, be it as near to the end as it may.
        let seeds = self.heed_loops(serial);
        let crossed = match counted {
            Some(count) => count as usize,
            None if road.ends || !road.signal => self.vehicles.iter().take_while(|v| v.gap < 0.0).count(),
            None => {
                let ready = !wall && self.crossed_ago >= self.discharge.headway_s * 0.9;
                let crossed = usize::from(ready && self.vehicles.first().is_some_and(|v| v.gap < 0.0));
                // Nobody is beyond the line who has not crossed it.
                self.turn_back(crossed, 0.0, true);
                crossed
            }
        };
        let expected = self.vehicles.iter().take(crossed).filter(|v| v.gap < NEXT_M).count();
        self.flow += (crossed as f32 - self.flow * dt) * FLOW_WEIGHT;
        self.unseen += ((crossed - expected) as f32 - self.unseen * dt) * FLOW_WEIGHT;
        self.vain -= self.vain * dt * FLOW_WEIGHT;
        self.belief.crossed(crossed.saturating_sub(self.vehicles.len()), dt);
        if self.open && counted == Some(0) && self.vehicles.is_empty() {
            self.belief.certain();
        }
        if crossed > 0 {
            // Whoever comes in a dense stream that nobody else sees is followed by another.
            self.followed =
                counted.is_some() && self.crossed_ago < DENSE * self.discharge.headway_s && self.comes_blind();
            self.crossed_ago = 0.0;
        } else {
            self.doubt(dt, road, counted.is_some());
        }
        (crossed, seeds)
    }

    /// Car-following. Source: Newell's simplified model, with bounded acceleration.
    pub(super) fn follow(&mut self, dt: f32, wall: bool, pace: &Pace) {
        let lag = (CLOSEST * self.discharge.headway_s - SPACING / self.speed.max(1.0)).clamp(0.3, 2.5);
        let (limit, oldest) = (self.speed * pace.believed(), self.oldest(pace));
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
            vehicle.age = (vehicle.age + dt).min(oldest);
            leader = Some((was, gap));
        }
    }

    /// The head stands though it may go: it turns elsewhere, or it is not there.
    fn doubt(&mut self, dt: f32, road: &Road, counts: bool) {
        let head_waits = self.vehicles.first().is_some_and(|v| v.gap < 2.0 * STOP_GAP + 1.0);
        if !head_waits || road.blocked && !road.held {
            (self.stuck, self.waited) = (0.0, 0.0);
        } else if road.held {
            self.waited += dt;
            if self.waited >= HELD_MOST_S && !self.watched() {
                (self.wants, self.waited) = (None, 0.0);
                self.give_up(1);
            }
        } else if road.passable & !self.ruled_out == 0 || !counts {
            self.stuck = 0.0;
        } else {
            (self.stuck, self.waited) = (self.stuck + dt, self.waited + dt);
            match road.yields {
                true if self.waited < YIELDS_S => {}
                false if self.stuck < STUCK_S => {}
                yields => self.stays_under_green(road, yields),
            }
        }
    }

    /// The head has stood under green for longer than anybody would.
    fn stays_under_green(&mut self, road: &Road, yields: bool) {
        self.stuck = 0.0;
        if road.passable | self.ruled_out != road.exits && !yields {
            self.ruled_out |= road.passable;
        } else if !self.watched() {
            // Nor is anybody of the queue behind it.
            let queue = self.vehicles.windows(2).take_while(|w| w[1].gap - w[0].gap < 1.5 * SPACING).count() + 1;
            self.vain += queue as f32 * FLOW_WEIGHT;
            (self.ruled_out, self.waited) = (0, 0.0);
            self.given_up |= yields;
            self.give_up(queue);
        }
    }

    /// Whether its head stands though it may go.
    pub(super) fn in_vain(&self) -> bool {
        self.stuck > 0.0
    }

    /// So many at the front are not there after all.
    fn give_up(&mut self, vehicles: usize) {
        self.vehicles.drain(..vehicles);
        self.belief.lost();
    }

    /// Where nobody sees who comes: whether another has come, if as many come as left over the last minutes; as many as
    /// `usual` a second where its loops are silent.
    pub(super) fn comes_unseen(&mut self, dt: f32, usual: f32) -> bool {
        if !self.comes_blind() {
            self.due = 0.0;
            return false;
        }
        self.due += if self.counts_leavers() || self.loops.is_empty() { self.flow } else { usual } * dt;
        let comes = self.due >= 1.0;
        self.due -= f32::from(u8::from(comes));
        comes
    }

    /// Whether nobody sees who comes.
    fn comes_blind(&self) -> bool {
        !self.watched() && !self.loops.iter().any(Loop::sees_arrivals)
    }

    /// Whether somebody counts who leaves.
    pub(super) fn counts_leavers(&self) -> bool {
        self.loops.iter().any(Loop::sees_leavers)
    }

    /// Puts the one behind whoever has just crossed where he is believed to be; how many seeds that took.
    pub(super) fn follow_up(&mut self, serial: u32) -> u32 {
        let near = self.vehicles.first().is_some_and(|v| v.gap < NEXT_M);
        let follows = std::mem::take(&mut self.followed) && !near;
        if follows {
            self.insert(self.found(2.0 * SPACING, 0.5 * self.speed, Self::fresh(serial)));
        }
        u32::from(follows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_who_is_too_near_brakes_and_does_not_stop_dead() {
        // Twelve metres behind another at 15 m/s: less than the second and a half that drivers keep.
        let mut track = LaneTrack::with(&[(150.0, 15.0), (162.0, 15.0)]);
        track.follow(1.0, false, &Pace::default());
        let (leader, follower) = (track.vehicles[0], track.vehicles[1]);
        assert!((follower.speed - (15.0 - DECELERATION)).abs() < 1.6, "{follower:?}");
        assert!(follower.gap - leader.gap > 12.0, "{leader:?} {follower:?}");
        for _ in 0..5 {
            track.follow(1.0, false, &Pace::default());
        }
        assert!(track.vehicles[1].speed > 8.0 && track.room() > 30.0, "{:?}", track.vehicles);
    }

    #[test]
    fn nobody_drives_into_a_queue() {
        let mut track = LaneTrack::with(&[(1.0, 0.0), (8.5, 0.0), (60.0, 15.0)]);
        for _ in 0..20 {
            track.follow(1.0, true, &Pace::default());
        }
        let gaps = track.gaps();
        assert!(gaps.windows(2).all(|w| w[1] - w[0] >= SPACING - 0.01), "{gaps:?}");
        assert!(track.vehicles[2].stands() && gaps[2] < 20.0, "{gaps:?}");
    }

    /// A green signal with one exit.
    const GREEN: Road =
        Road { passable: 1, exits: 1, yields: false, blocked: false, held: false, signal: true, ends: false };

    /// One second in which its loop at the line counts so many, who leave.
    fn counts(track: &mut LaneTrack, count: u32, road: &Road) {
        let now = crate::time::Time::from_s(1);
        track.counted(0.0, count, 0.0, crate::time::Span::SECOND, now);
        for _ in 0..track.advance(1.0, road, &Pace::default(), 1).0 {
            track.pop();
        }
    }

    /// A lane with a loop at its line.
    fn counted(vehicles: &[(f32, f32)]) -> LaneTrack {
        let mut track = LaneTrack::with(vehicles);
        track.loops.push(Loop::at(0.0, crate::time::Span::SECOND));
        track
    }

    #[test]
    fn where_no_loop_counts_them_a_queue_leaves_at_its_headway_and_nobody_runs_ahead() {
        let mut track = LaneTrack::with(&[(1.0, 0.0), (8.5, 0.0), (16.0, 0.0), (23.5, 0.0)]);
        let mut left = Vec::new();
        for second in 0..30 {
            for _ in 0..track.advance(1.0, &GREEN, &Pace::default(), 1).0 {
                track.pop();
                left.push(second);
            }
            assert!(track.vehicles.iter().all(|v| v.gap >= 0.0), "{:?}", track.vehicles);
        }
        assert_eq!(left.len(), 4, "{left:?}");
        assert!(left.windows(2).all(|w| w[1] - w[0] >= 2), "{left:?}");
    }

    #[test]
    fn who_catches_up_with_one_who_does_not_come_is_not_there_unless_a_queue_is() {
        let row = [(55.0, 14.0), (64.0, 14.0), (90.0, 14.0)];
        for (queued, expected) in [(false, vec![60.5, 90.0]), (true, vec![60.5, 68.0, 90.0])] {
            let mut track = LaneTrack::with(&row);
            track.turn_back(0, 60.5, queued);
            assert_eq!(track.gaps(), expected, "queued: {queued}");
        }
    }

    #[test]
    fn a_queue_that_does_not_move_under_green_is_not_there() {
        // Two stand at the line, one is on its way.
        let row = [(1.0, 0.0), (8.5, 0.0), (90.0, 0.0)];
        let mut track = counted(&row);
        for second in 1..=STUCK_S as usize {
            assert_eq!(track.vehicles.len(), 3, "{second}");
            counts(&mut track, 0, &GREEN);
        }
        assert_eq!(track.vehicles.len(), 1);
        assert!(track.borne_out().1 > 0.0 && !track.given_up);
        // Whoever has to give way may have to wait for long, and may be there all the same.
        let (mut track, yields) = (counted(&row[..2]), Road { yields: true, ..GREEN });
        for second in 1..=YIELDS_S as usize {
            assert_eq!(track.vehicles.len(), 2, "{second}");
            counts(&mut track, 0, &yields);
            counts(&mut track, 0, &Road { passable: 0, ..yields });
        }
        assert!(track.vehicles.is_empty() && track.given_up);
        counts(&mut track, 1, &yields);
        assert!(!track.given_up, "somebody left");
    }

    #[test]
    fn who_waits_for_a_lane_that_nobody_sees_does_not_wait_for_ever() {
        let mut track = LaneTrack::with(&[(1.0, 0.0)]);
        let held = Road { held: true, signal: false, ..GREEN };
        for second in 1..=HELD_MOST_S as usize {
            assert_eq!(track.vehicles.len(), 1, "{second}");
            track.advance(1.0, &held, &Pace::default(), 1);
        }
        assert!(track.vehicles.is_empty());
    }

    #[test]
    fn what_leaves_and_was_not_known_is_told() {
        let mut track = counted(&[(1.0, 0.0)]);
        counts(&mut track, 1, &GREEN);
        assert_eq!(track.borne_out(), (FLOW_WEIGHT, 0.0), "it was known");
        counts(&mut track, 1, &GREEN);
        assert!((track.borne_out().1 - FLOW_WEIGHT).abs() < 1e-6, "it was not: {:?}", track.borne_out());
        // So another may stand there, unless a camera would see him.
        assert_eq!([200.0, 600.0].map(|red| track.may_hide(red)), [false, true]);
        let at = crate::time::Time::from_s(1);
        track.seen(super::super::view::View { nearest: 0.0, farthest: 100.0, vehicles: 0, queue: 0, at });
        assert!(!track.may_hide(600.0) && track.missed() == 0.0);
    }

    #[test]
    fn where_nobody_sees_who_comes_as_many_come_as_left_or_as_usual() {
        let mut track = LaneTrack { flow: 0.1, ..counted(&[]) };
        let come = |track: &mut LaneTrack| (0..60).filter(|_| track.comes_unseen(1.0, 0.2)).count();
        // Its loop has told nothing yet; then it has.
        assert!((11..=12).contains(&come(&mut track)));
        counts(&mut track, 0, &GREEN);
        assert!((5..=6).contains(&come(&mut track)));
        // In a dense stream the next is close behind.
        for expected in [0, 1] {
            counts(&mut track, 1, &GREEN);
            assert_eq!(track.follow_up(1), expected);
        }
        assert_eq!(track.gaps(), [2.0 * SPACING]);
        // An upstream loop would have told.
        track.loops.push(Loop::at(60.0, crate::time::Span::SECOND));
        track.counted(60.0, 0, 0.0, crate::time::Span::SECOND, crate::time::Time::from_s(1));
        assert!(!(0..60).any(|_| track.comes_unseen(1.0, 0.2)));
    }
}

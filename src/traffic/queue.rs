//! How long a lane's queue is: in view by the camera, beyond the farthest loop by the break-point method.

use crate::keep::keep;
use crate::time::{Span, Time};
use crate::units::{Metres, MetresPerSecond, Seconds};

/// A standing vehicle and the gap before it, m.
pub const SPACING: Metres = Metres::constant(7.5);
/// Covered this long, a loop has a queue on it.
const COVERED: Span = Span::from_s(4);
/// No cycle is longer: an observation older than this is none.
const CYCLE_MAX: Span = Span::from_s(300);

/// Length of the longest queue of a cycle: `L_d + (T_c − T_b) / (1/v2 + 1/v3)`, where the discharge wave passed the
/// loop, `distance` before the line, at `T_b`, and the last vehicle that stood passed it at `T_c`; `discharge` is the
/// speed of the discharge wave upstream, `departure` that of the vehicles it set free. Source: Liu et al. 2009.
pub fn beyond(distance: Metres, between: Seconds, discharge: MetresPerSecond, departure: MetresPerSecond) -> Metres {
    if discharge.get() <= 0.0 || departure.get() <= 0.0 {
        return distance;
    }
    let slowness = 1.0 / discharge.get() + 1.0 / departure.get();
    distance + Metres::new(between.get() / slowness).unwrap_or(Metres::ZERO)
}

/// The speed at which a queue starts to move, from vehicle to vehicle upstream: flow ÷ difference of densities between
/// standing and discharging at `headway` and `speed`. `None` where discharging is as dense as standing.
pub fn discharge_wave(headway: Seconds, speed: MetresPerSecond) -> Option<MetresPerSecond> {
    let flow = 1.0 / headway.get();
    let density = flow / speed.get();
    let jam = 1.0 / SPACING.get();
    (jam > density).then(|| flow / (jam - density)).and_then(MetresPerSecond::new)
}

/// What a lane's entry loop tells of a queue that covers it.
#[derive(Debug, Clone, Default)]
pub struct BreakPoints {
    covered_ms: u32,
    /// When the discharge wave reached the loop, while the queue runs off.
    moving_since: Option<Time>,
    last_vehicle: Time,
    longest: f32,
    found_at: Option<Time>,
}

keep!(BreakPoints { covered_ms, moving_since, last_vehicle, longest, found_at });

impl BreakPoints {
    /// One reading of the loop `distance` before the line: it was covered for `occupancy` of `interval`, and `count`
    /// vehicles crossed. `headway` is the lane's saturation headway, `speed` its limit.
    pub fn hear(
        &mut self,
        end: Time,
        interval: Span,
        (count, occupancy): (u32, f32),
        (distance, headway, speed): (Metres, Seconds, MetresPerSecond),
    ) {
        if interval > Span::from_s(5) {
            return; // too coarse to see a wave pass
        }
        // A loop under a standing vehicle is covered all the time; the first gap after that is the wave.
        if occupancy > 0.99 && count == 0 {
            self.covered_ms = self.covered_ms.saturating_add(u32::try_from(interval.ms()).unwrap_or(0));
        } else if Span::from_ms(i64::from(self.covered_ms)) >= COVERED {
            (self.moving_since, self.last_vehicle) = (Some(end), end);
            self.covered_ms = 0;
        } else {
            self.covered_ms = 0;
        }
        let Some(since) = self.moving_since else { return };
        if count > 0 {
            self.last_vehicle = end;
        }
        // The last vehicle that stood is followed by a gap that no queue leaves, or by the next red's queue.
        let gap = (end - self.last_vehicle).s() > 2.0 * headway.get() + interval.s();
        let again = Span::from_ms(i64::from(self.covered_ms)) >= COVERED;
        if gap || again || end - since > CYCLE_MAX {
            let between = Seconds::new((self.last_vehicle - since).s()).unwrap_or(Seconds::ZERO);
            let wave = discharge_wave(headway, speed).unwrap_or(speed);
            self.longest = beyond(distance, between, wave, speed).get() as f32;
            self.found_at = Some(end);
            self.moving_since = None;
        }
    }

    /// The longest queue of the last cycle that reached beyond the loop, if one did lately.
    pub fn longest(&self, now: Time) -> Option<Metres> {
        self.found_at.filter(|&at| now - at < CYCLE_MAX).and_then(|_| Metres::new(f64::from(self.longest)))
    }

    /// Whether a queue stands on the loop, or still runs off over it.
    pub fn is_queued(&self) -> bool {
        self.is_covered() || self.moving_since.is_some()
    }

    /// Whether a queue stands on the loop.
    pub fn is_covered(&self) -> bool {
        Span::from_ms(i64::from(self.covered_ms)) >= COVERED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEED: MetresPerSecond = MetresPerSecond::constant(15.0);
    const HEADWAY: Seconds = Seconds::constant(2.0);

    #[test]
    fn a_queue_starts_to_move_at_a_walking_pace_of_cars() {
        // 0.5 veh/s; standing 0.1333 veh/m, discharging .5/15 = .0333: .5/.1 = 5 m/s.
        let wave = discharge_wave(HEADWAY, SPEED).expect("denser than its discharge");
        assert!((wave.get() - 5.0).abs() < 1e-9);
    }

    #[test]
    fn the_queue_beyond_the_loop() {
        // 20 s between the two points: 20 / (1/5 + 1/15) = 75 m beyond the 60 m.
        let wave = MetresPerSecond::constant(5.0);
        let length = beyond(Metres::constant(60.0), Seconds::constant(20.0), wave, SPEED);
        assert!((length.get() - 135.0).abs() < 1e-9);
        assert_eq!(beyond(Metres::constant(60.0), Seconds::ZERO, wave, SPEED), Metres::constant(60.0));
    }

    #[test]
    fn break_points_are_found_in_a_loop_s_readings() {
        let mut points = BreakPoints::default();
        // Covered from second 10 to 39; the wave at 40; a vehicle every 2 s until 60; then nobody.
        for s in 1..=80 {
            let seen = match s {
                1..=9 => (0, 0.0),
                10..=39 => (0, 1.0),
                40..=60 => (u32::from(s % 2 == 0), 0.5),
                _ => (0, 0.0),
            };
            points.hear(Time::from_s(s), Span::SECOND, seen, (Metres::constant(60.0), HEADWAY, SPEED));
            assert_eq!(points.is_covered(), (13..=39).contains(&s), "{s}");
        }
        let longest = points.longest(Time::from_s(80)).expect("a queue beyond the loop");
        assert!((longest.get() - 135.0).abs() < 1e-4, "{longest}");
        assert_eq!(points.longest(Time::from_s(500)), None, "an old queue is none");
    }
}

//! General rules that stand in where neither site nor program sets a limit.

use crate::units::{Metres, MetresPerSecond, Seconds};

/// Shortest green of a vehicle group. Source: common practice for a queue of one or two; NCHRP 812 table 5-2 (4–15 s).
pub const MIN_GREEN: Seconds = Seconds::constant(5.0);
/// Shortest walk. Source: MUTCD 4I.06.
pub const MIN_WALK: Seconds = Seconds::constant(7.0);
/// No yellow is shorter. Source: NEMA TS 2, 2.1.6.
pub const YELLOW_MIN: Seconds = Seconds::constant(2.7);
/// Longest red while demand waits, where the imported program has none longer.
pub const MAX_RED: Seconds = Seconds::constant(120.0);
/// People cross at this speed. Source: MUTCD 4I.06 (3.5 ft/s).
pub const WALKING: MetresPerSecond = MetresPerSecond::constant(1.07);

const REACTION_S: f64 = 1.0;
const DECELERATION_MPS2: f64 = 3.05;
const GRAVITY_MPS2: f64 = 9.81;
const VEHICLE_LENGTH: Metres = Metres::constant(6.1);

/// Yellow for an approach at `speed`, rising by `grade` (rise over run), clipped to 3–6 s. Source: ITE, kinematic equation.
pub fn yellow(speed: MetresPerSecond, grade: f64) -> Seconds {
    let braking = (2.0 * DECELERATION_MPS2 + 2.0 * GRAVITY_MPS2 * grade).max(0.1);
    Seconds::constant((REACTION_S + speed.get() / braking).clamp(3.0, 6.0))
}

/// All-red that lets a vehicle leave a path of length `path` at `speed`, at most 6 s. Source: ITE.
pub fn all_red(path: Metres, speed: MetresPerSecond) -> Seconds {
    ((path + VEHICLE_LENGTH) / speed).min(Seconds::constant(6.0))
}

/// Time to walk across. Source: MUTCD 4I.06.
pub fn pedestrian_clearance(crossing: Metres) -> Seconds {
    crossing / WALKING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yellow_follows_the_kinematic_equation() {
        // (m/s, grade, s): 50 km/h level 1 + 13.89/6.1; a crawl is lifted to 3 s; steep downhill is capped at 6 s.
        for (speed, grade, expected) in
            [(13.89, 0.0, 3.277), (5.0, 0.0, 3.0), (13.89, 0.05, 2.961_f64.max(3.0)), (30.0, -0.08, 6.0)]
        {
            let y = yellow(MetresPerSecond::constant(speed), grade).get();
            assert!((y - expected).abs() < 1e-3, "{speed} {grade}: {y}");
        }
    }

    #[test]
    fn all_red_lets_the_last_vehicle_out() {
        // 20 m of junction and 6.1 m of car at 13.05 m/s take 2 s.
        assert!((all_red(Metres::constant(20.0), MetresPerSecond::constant(13.05)).get() - 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_crossing_of_ten_metres_needs_more_than_nine_seconds() {
        assert!((pedestrian_clearance(Metres::constant(10.7)).get() - 10.0).abs() < 1e-9);
    }
}

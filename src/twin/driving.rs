//! How people drive here: headways, starts, gaps, turning speeds, and how much room a vehicle takes.

use crate::network::{Turn, VehicleClass};

/// What all drivers have in common. The defaults are those of a well-behaved city street.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Driving {
    /// Mean time between two vehicles that leave a queue in one lane straight on, s. Source: HCM, 1 900 veh/h.
    pub headway_s: f64,
    /// How much a driver's headway differs from the mean at most, as a share.
    pub headway_spread: f64,
    /// What the first four vehicles of a queue take beyond a headway, s; together the start-up lost time. The first
    /// counts from green. Source: HCM, 2 s in all.
    pub start_s: [f64; 4],
    /// What the first four still lack of full speed once they are across, s.
    pub acceleration_s: [f64; 4],
    /// How long into yellow vehicles go on, s. Source: HCM, extension of effective green.
    pub yellow_used_s: f64,
    /// Bumper to bumper in a standing queue, m.
    pub gap_m: f64,
    /// How much a driver's free speed differs from the limit at most, as a share.
    pub speed_spread: f64,
    /// Smallest gap in traffic with the right of way that a turning vehicle accepts, s. Source: HCM, permitted left.
    pub critical_gap_s: f64,
    /// How long a path stays taken by a vehicle that crosses it, s.
    pub clearing_s: f64,
    /// How long a vehicle stands before it turns on red, s.
    pub stop_on_red_s: f64,
    /// Speed of left turns, m/s.
    pub left_mps: f64,
    /// Speed of right turns, m/s.
    pub right_mps: f64,
    /// Walking speed, m/s.
    pub walking_mps: f64,
    /// An emergency vehicle drives at the limit times this.
    pub emergency_pace: f64,
    /// Where no signal rules, who has the right of way brakes for an emergency vehicle if he has this long, s.
    pub emergency_gap_s: f64,
    /// An emergency vehicle passes between queued lanes at this speed, m/s.
    pub filtering_mps: f64,
}

impl Default for Driving {
    fn default() -> Self {
        Self {
            headway_s: 1.9,
            headway_spread: 0.1,
            start_s: [0.8, 0.6, 0.4, 0.2],
            acceleration_s: [1.5, 0.8, 0.3, 0.0],
            yellow_used_s: 2.0,
            gap_m: 2.5,
            speed_spread: 0.1,
            critical_gap_s: 4.5,
            clearing_s: 1.5,
            stop_on_red_s: 1.5,
            left_mps: 8.0,
            right_mps: 6.5,
            walking_mps: 1.2,
            emergency_pace: 1.2,
            emergency_gap_s: 2.0,
            filtering_mps: 5.0,
        }
    }
}

impl Driving {
    /// Speed on a path that turns so, m/s, where the limit is `limit_mps`.
    pub(super) fn turning(&self, turn: Turn, limit_mps: f64) -> f64 {
        match turn {
            Turn::Straight => limit_mps,
            Turn::Left => self.left_mps.min(limit_mps),
            Turn::Right => self.right_mps.min(limit_mps),
            Turn::UTurn => (0.6 * self.right_mps).min(limit_mps),
        }
    }
}

/// How much longer a turning vehicle's headway is. Source: HCM, left-turn and right-turn adjustment.
pub(super) fn headway_factor(turn: Turn) -> f32 {
    match turn {
        Turn::Straight => 1.0,
        Turn::Left => 1.05,
        Turn::Right => 1.12,
        Turn::UTurn => 1.3,
    }
}

/// Length in metres, and headway as a multiple of a car's.
pub(super) fn body(class: VehicleClass) -> (f64, f64) {
    match class {
        VehicleClass::Car => (5.0, 1.0),
        VehicleClass::Truck | VehicleClass::Bus => (12.0, 1.6),
        VehicleClass::Tram => (30.0, 2.5),
        VehicleClass::Bicycle => (2.0, 0.6),
        VehicleClass::Emergency => (6.5, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_manual_s() {
        let driving = Driving::default();
        assert!((driving.start_s.iter().sum::<f64>() - 2.0).abs() < 1e-9, "start-up lost time");
        assert!((1800.0..2000.0).contains(&(3600.0 / driving.headway_s)), "saturation flow");
        assert!((body(VehicleClass::Car).0 + driving.gap_m - 7.5).abs() < 1e-9, "room of a queued car");
    }

    #[test]
    fn a_turn_is_never_faster_than_the_limit() {
        let driving = Driving::default();
        for turn in [Turn::Left, Turn::Straight, Turn::Right, Turn::UTurn] {
            assert!(driving.turning(turn, 3.0) <= 3.0, "{turn:?}");
        }
        assert!(driving.turning(Turn::Right, 15.0) < driving.turning(Turn::Left, 15.0));
    }
}

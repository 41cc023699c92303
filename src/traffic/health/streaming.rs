//! The tests that need no more than the last bins: no hits, chatter, locked on, no change, spike. Source: MnDOT IRIS.

use super::{Cause, Sample, Setting};
use crate::keep::keep;

/// 4 h without a vehicle, in bins.
const NO_HITS: u16 = 480;
/// Vehicles in a bin.
const CHATTER: u32 = 38;
/// 2 min covered, in bins.
const LOCKED: u16 = 4;
/// The same near a signal, where a spilled-back queue may stand through many reds: 30 min.
const LOCKED_INTERRUPTED: u16 = 60;
/// 24 h of one occupancy, in bins.
const NO_CHANGE: u16 = 2880;
/// A jump of the occupancy by this much …
const SPIKE_JUMP: f32 = 0.25;
/// … adds this much to a timer, which runs down again by as much per bin without one …
const SPIKE_S: f32 = 30.0;
/// … and trips above this.
const SPIKE_TRIP_S: f32 = 60.0;

/// Run lengths of one sensor.
#[derive(Debug, Clone, Default)]
pub struct Streaming {
    empty: u16,
    covered: u16,
    same: u16,
    last: Option<f32>,
    spike_s: f32,
}

keep!(Streaming { empty, covered, same, last, spike_s });

impl Streaming {
    /// Something was not heard: runs of equal values end, for nobody knows what was between.
    pub fn gap(&mut self) {
        *self = Self::default();
    }

    /// Judges one bin.
    pub fn sample(&mut self, sample: Sample, setting: Setting) -> Option<Cause> {
        let Sample { count, occupancy } = sample;
        self.empty = if count == 0 { self.empty.saturating_add(1) } else { 0 };
        self.covered = if occupancy > 0.999 { self.covered.saturating_add(1) } else { 0 };
        let change = self.last.map_or(f32::MAX, |last| (occupancy - last).abs());
        // An empty road does not change either; that is for the first test to judge.
        self.same = if change < 1e-6 && occupancy > 0.0 { self.same.saturating_add(1) } else { 0 };
        let jumps = if self.last.is_some() { (change / SPIKE_JUMP).floor() } else { 0.0 };
        self.spike_s = if jumps >= 1.0 { self.spike_s + jumps * SPIKE_S } else { (self.spike_s - SPIKE_S).max(0.0) };
        self.spike_s = self.spike_s.min(4.0 * SPIKE_TRIP_S);
        self.last = Some(occupancy);
        let locked = match setting {
            Setting::Uninterrupted => LOCKED,
            Setting::Interrupted => LOCKED_INTERRUPTED,
        };
        if count >= CHATTER {
            Some(Cause::Chatter)
        } else if self.covered >= locked {
            Some(Cause::LockedOn)
        } else if self.same >= NO_CHANGE {
            Some(Cause::NoChange)
        } else if self.spike_s > SPIKE_TRIP_S && setting == Setting::Uninterrupted {
            // Near a signal the occupancy jumps with every red and every platoon.
            Some(Cause::Spike)
        } else if self.empty >= NO_HITS {
            Some(Cause::NoHits)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(setting: Setting, bins: usize, sample: impl Fn(usize) -> (u32, f32)) -> Option<(usize, Cause)> {
        let mut state = Streaming::default();
        (1..=bins).find_map(|bin| {
            let (count, occupancy) = sample(bin);
            state.sample(Sample { count, occupancy }, setting).map(|cause| (bin, cause))
        })
    }

    #[test]
    fn each_test_trips_on_its_limit_and_not_before() {
        use Setting::{Interrupted, Uninterrupted};
        let alternate = |n: usize| (3, if n.is_multiple_of(2) { 0.6 } else { 0.1 });
        assert_eq!(first(Uninterrupted, 600, |_| (0, 0.0)), Some((480, Cause::NoHits))); // 480 × 30 s = 4 h
        assert_eq!(first(Uninterrupted, 9, |_| (37, 0.3)), None); // a busy lane
        assert_eq!(first(Uninterrupted, 9, |_| (38, 0.3)), Some((1, Cause::Chatter)));
        assert_eq!(first(Uninterrupted, 9, |_| (0, 1.0)), Some((4, Cause::LockedOn))); // 2 min
        assert_eq!(first(Interrupted, 90, |_| (0, 1.0)), Some((60, Cause::LockedOn))); // 30 min
        assert_eq!(first(Uninterrupted, 3000, |_| (1, 0.1)), Some((2881, Cause::NoChange))); // a change needs two bins
        // Jumps of 0.5 add 2 × 30 s: the second one passes 60 s.
        assert_eq!(first(Uninterrupted, 9, alternate), Some((3, Cause::Spike)));
        assert_eq!(first(Interrupted, 999, alternate), None); // red, green, red, green
    }

    #[test]
    fn a_gap_ends_every_run() {
        let mut state = Streaming::default();
        for _ in 0..3 {
            assert_eq!(state.sample(Sample { count: 0, occupancy: 1.0 }, Setting::Uninterrupted), None);
        }
        state.gap();
        assert_eq!(state.sample(Sample { count: 0, occupancy: 1.0 }, Setting::Uninterrupted), None);
    }
}

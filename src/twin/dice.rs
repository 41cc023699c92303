//! Chance, by seed: each purpose and each row throws dice of its own, so that no draw depends on another's order.

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg32;

/// What the dice are thrown for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// Which trips are made at another scale of demand, and what each driver is like.
    Trip,
    /// When people come to a crossing.
    Walk,
    /// What is wrong with a sensor.
    Sensor,
    /// Where an ambulance believes to be.
    Gps,
    /// What goes wrong at a controller.
    Controller,
}

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(super) struct Dice(Pcg32);

fn mix(mut x: u64) -> u64 {
    // SplitMix64: neighbouring seeds and rows give unrelated streams.
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Dice {
    pub(super) fn new(seed: u64, purpose: Purpose, row: u64) -> Self {
        Self(Pcg32::seed_from_u64(mix(seed ^ mix(purpose as u64 ^ mix(row)))))
    }

    /// Uniform over [0, 1).
    pub(super) fn uniform(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / 4_294_967_296.0
    }

    /// Uniform over [`low`, `high`).
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// True with probability `p`.
    pub(super) fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Time to the next of events that come at random, `mean` apart.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.uniform()).ln()
    }

    /// Around 0 with standard deviation 1. Source: Box and Muller.
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_purpose_and_row_give_the_same_numbers() {
        let throw = |seed, purpose, row| Dice::new(seed, purpose, row).uniform();
        assert_eq!(throw(1, Purpose::Trip, 7).to_bits(), throw(1, Purpose::Trip, 7).to_bits());
        for other in [throw(2, Purpose::Trip, 7), throw(1, Purpose::Walk, 7), throw(1, Purpose::Trip, 8)] {
            assert_ne!(other.to_bits(), throw(1, Purpose::Trip, 7).to_bits());
        }
    }

    #[test]
    fn the_dice_are_fair() {
        let mut dice = Dice::new(3, Purpose::Sensor, 0);
        let n = 20_000;
        let mean = |f: &mut dyn FnMut() -> f64| (0..n).map(|_| f()).sum::<f64>() / f64::from(n);
        assert!((mean(&mut || dice.uniform()) - 0.5).abs() < 0.01);
        assert!((mean(&mut || dice.exponential(4.0)) - 4.0).abs() < 0.1);
        assert!(mean(&mut || dice.normal()).abs() < 0.03);
        assert!((mean(&mut || dice.normal().powi(2)) - 1.0).abs() < 0.05);
        assert!((mean(&mut || f64::from(u8::from(dice.chance(0.3)))) - 0.3).abs() < 0.015);
    }
}

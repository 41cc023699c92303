//! Physical quantities whose arithmetic exists only where physics allows it.

use crate::keep::Keep;
use std::fmt;
use std::ops::{Add, Div, Mul, Sub};

macro_rules! quantities {
    ($($(#[$doc:meta])* $name:ident = $unit:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, PartialOrd, Default)]
        pub struct $name(f64);

        impl Keep for $name {
            fn save(&self, out: &mut Vec<u8>) {
                self.0.save(out);
            }

            fn load(from: &mut &[u8]) -> Option<Self> {
                f64::load(from).map(Self)
            }
        }

        impl $name {
            /// Nothing of it.
            pub const ZERO: Self = Self(0.0);

            /// `None` unless `value` is finite and not negative.
            pub fn new(value: f64) -> Option<Self> {
                (value.is_finite() && value >= 0.0).then_some(Self(value))
            }

            /// A constant known to be finite and not negative; anything else does not compile.
            pub const fn constant(value: f64) -> Self {
                assert!(value.is_finite() && value >= 0.0);
                Self(value)
            }

            #[doc = concat!("The bare number, in ", $unit, ".")]
            pub const fn get(self) -> f64 {
                self.0
            }

            /// The smaller of the two.
            #[must_use]
            pub fn min(self, other: Self) -> Self {
                Self(self.0.min(other.0))
            }

            /// The greater of the two.
            #[must_use]
            pub fn max(self, other: Self) -> Self {
                Self(self.0.max(other.0))
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        /// Stops at zero: a quantity is never negative.
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self((self.0 - other.0).max(0.0))
            }
        }

        impl Mul<f64> for $name {
            type Output = Self;
            fn mul(self, times: f64) -> Self {
                Self((self.0 * times).max(0.0))
            }
        }

        impl std::iter::Sum for $name {
            fn sum<A: Iterator<Item = Self>>(all: A) -> Self {
                all.fold(Self::ZERO, Add::add)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)?;
                f.write_str(concat!(" ", $unit))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}

quantities! {
    /// A duration off the millisecond grid.
    Seconds = "s";
    /// A length.
    Metres = "m";
    /// A speed.
    MetresPerSecond = "m/s";
    /// A flow; a saturation flow where it counts green time only.
    VehPerHour = "veh/h";
    /// A number of vehicles, fractional where it is an expectation.
    Vehicles = "veh";
}

impl Div<MetresPerSecond> for Metres {
    type Output = Seconds;
    /// Travel time. Standing still takes for ever, which no finite number says: the result is then `f64::MAX` seconds.
    fn div(self, speed: MetresPerSecond) -> Seconds {
        Seconds((self.0 / speed.0).min(f64::MAX))
    }
}

impl Mul<Seconds> for MetresPerSecond {
    type Output = Metres;
    fn mul(self, time: Seconds) -> Metres {
        Metres(self.0 * time.0)
    }
}

impl Mul<Seconds> for VehPerHour {
    type Output = Vehicles;
    fn mul(self, time: Seconds) -> Vehicles {
        Vehicles(self.0 * time.0 / 3600.0)
    }
}

impl Div<Seconds> for Vehicles {
    type Output = VehPerHour;
    /// Mean flow. Over no time at all it is `f64::MAX`, or zero where nothing passed.
    fn div(self, time: Seconds) -> VehPerHour {
        if self.0 > 0.0 { VehPerHour((self.0 / time.0 * 3600.0).min(f64::MAX)) } else { VehPerHour::ZERO }
    }
}

impl Div<VehPerHour> for Vehicles {
    type Output = Seconds;
    /// Time to discharge. Through nothing it is `f64::MAX`, or zero where nobody waits.
    fn div(self, flow: VehPerHour) -> Seconds {
        if self.0 > 0.0 { Seconds((self.0 / flow.0 * 3600.0).min(f64::MAX)) } else { Seconds::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_finite_and_not_negative() {
        for bad in [-0.1, f64::NAN, f64::INFINITY] {
            assert_eq!(Seconds::new(bad), None, "{bad}");
        }
        assert_eq!(Seconds::new(0.0), Some(Seconds::ZERO));
    }

    #[test]
    fn the_units_work_out() {
        // 1 800 veh/h of green for 30 s let 15 vehicles through.
        assert_eq!(VehPerHour::constant(1800.0) * Seconds::constant(30.0), Vehicles::constant(15.0));
        assert_eq!(Vehicles::constant(15.0) / VehPerHour::constant(1800.0), Seconds::constant(30.0));
        assert_eq!(Metres::constant(500.0) / MetresPerSecond::constant(12.5), Seconds::constant(40.0));
        assert_eq!(Metres::constant(3.0) - Metres::constant(5.0), Metres::ZERO);
    }

    #[test]
    fn standing_still_never_arrives() {
        assert_eq!(Metres::constant(1.0) / MetresPerSecond::ZERO, Seconds::constant(f64::MAX));
    }
}

//! Time as the log has it: whole milliseconds UTC, handed in and never read here.

use crate::keep::Keep;
use std::fmt;
use std::ops::{Add, AddAssign, Mul, Neg, Sub};

use crate::units::Seconds;

/// An instant, in milliseconds since 1970-01-01T00:00:00 UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(i64);

/// A length of time in milliseconds; negative where it says how far back something lies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(i64);

impl Keep for Time {
    fn save(&self, out: &mut Vec<u8>) {
        self.0.save(out);
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        i64::load(from).map(Self)
    }
}

impl Keep for Span {
    fn save(&self, out: &mut Vec<u8>) {
        self.0.save(out);
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        i64::load(from).map(Self)
    }
}

impl Time {
    /// The first instant of 1970, UTC.
    pub const EPOCH: Self = Self(0);
    /// Before anything that can happen.
    pub const LONG_AGO: Self = Self(-(1 << 60));
    /// After anything that can happen.
    pub const NEVER: Self = Self(1 << 60);

    /// From milliseconds since the epoch.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// From whole seconds since the epoch.
    pub const fn from_s(s: i64) -> Self {
        Self(s * 1000)
    }

    /// Milliseconds since the epoch.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// The latest multiple of `grid`, counted from the epoch, not after this instant. `grid` must be positive.
    #[must_use]
    pub const fn floor(self, grid: Span) -> Self {
        Self(self.0 - self.0.rem_euclid(grid.0))
    }

    /// The earliest multiple of `grid`, counted from the epoch, not before this instant. `grid` must be positive.
    #[must_use]
    pub const fn ceil(self, grid: Span) -> Self {
        Self(self.0 + (-self.0).rem_euclid(grid.0))
    }

    /// Where this instant lies in a cycle that starts at `offset` against the master clock: `0 ≤ phase < cycle`.
    pub const fn within(self, cycle: Span, offset: Span) -> Span {
        Span((self.0 - offset.0).rem_euclid(cycle.0))
    }

    /// The calendar second of the day at `utc_offset`, `0 ≤ s < 86 400`.
    pub const fn second_of_day(self, utc_offset: Span) -> u32 {
        ((self.0 + utc_offset.0).rem_euclid(86_400_000) / 1000) as u32
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// One second.
    pub const SECOND: Self = Self(1000);

    /// From milliseconds.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// From whole seconds.
    pub const fn from_s(s: i64) -> Self {
        Self(s * 1000)
    }

    /// Milliseconds.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// As seconds, for arithmetic that is not on the grid.
    pub const fn s(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// The shortest whole number of milliseconds not below `s` seconds.
    pub fn ceil_from(s: Seconds) -> Self {
        Self((s.get() * 1000.0 - 1e-6).ceil() as i64)
    }

    /// The whole number of milliseconds nearest to `s` seconds.
    pub fn nearest(s: f64) -> Self {
        Self((s * 1000.0).round() as i64)
    }

    /// The shortest multiple of `grid` not below this span. `grid` must be positive.
    #[must_use]
    pub const fn ceil(self, grid: Self) -> Self {
        Self(self.0 + (-self.0).rem_euclid(grid.0))
    }

    /// The longest multiple of `grid` not above this span. `grid` must be positive.
    #[must_use]
    pub const fn floor(self, grid: Self) -> Self {
        Self(self.0 - self.0.rem_euclid(grid.0))
    }
}

impl Add<Span> for Time {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub<Span> for Time {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Sub for Time {
    type Output = Span;
    fn sub(self, other: Self) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Span {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Span {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Mul<i64> for Span {
    type Output = Self;
    fn mul(self, times: i64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}

impl std::iter::Sum for Span {
    fn sum<A: Iterator<Item = Self>>(spans: A) -> Self {
        spans.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.s())
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t={}", Span(self.0).s())
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_holds_before_and_after_the_epoch() {
        // A clock that steps back past the epoch must not land between grid points.
        for (ms, floor, ceil) in [(1500, 1000, 2000), (2000, 2000, 2000), (-1, -1000, 0), (-1500, -2000, -1000)] {
            assert_eq!(Time::from_ms(ms).floor(Span::SECOND).ms(), floor, "{ms}");
            assert_eq!(Time::from_ms(ms).ceil(Span::SECOND).ms(), ceil, "{ms}");
        }
    }

    #[test]
    fn a_cycle_counts_from_its_offset() {
        let cycle = Span::from_s(90);
        assert_eq!(Time::from_s(100).within(cycle, Span::from_s(10)), Span::ZERO);
        assert_eq!(Time::from_s(5).within(cycle, Span::from_s(10)), Span::from_s(85));
    }

    #[test]
    fn seconds_are_rounded_up_to_milliseconds_for_safety_and_not_beyond() {
        assert_eq!(Span::ceil_from(Seconds::new(3.0001).expect("positive")).ms(), 3001);
        assert_eq!(Span::ceil_from(Seconds::new(3.3).expect("positive")).ms(), 3300);
    }
}

//! The tests that look back on a day, 05:00 to 22:00: insufficient, card off, high value, intermittent, constant.
//! Source: PeMS.

use super::{BIN, Cause, Sample, Setting};
use crate::keep::keep;
use crate::time::{Span, Time};

/// The day begins, s after local midnight.
const FROM_S: u32 = 5 * 3600;
/// It ends.
const TO_S: u32 = 22 * 3600;
/// Bins in it: 2 040.
const EXPECTED: u32 = (TO_S - FROM_S) / 30;
/// Fewer than this share of them is too few.
const INSUFFICIENT: f64 = 0.60;
/// Occupancy above this is high.
const HIGH: f32 = 0.7;
/// Bins of 4 h.
const CONSTANT: u16 = 480;
/// What the occupancy must change in them.
const CONSTANT_CHANGE: f32 = 1e-5;

const _: () = assert!(EXPECTED == 2040);

/// Limits on shares of the day's samples.
struct Limits {
    card_off: f64,
    high: f64,
    uncounted: f64,
    unseen: f64,
}

const fn limits(setting: Setting) -> Limits {
    match setting {
        Setting::Uninterrupted => Limits { card_off: 0.59, high: 0.20, uncounted: 0.02, unseen: 0.50 },
        // A side street is empty most of the time; a red covers a loop and lets nobody pass.
        Setting::Interrupted => Limits { card_off: 0.995, high: 0.80, uncounted: 0.90, unseen: 0.50 },
    }
}

/// What one sensor's day amounts to so far.
#[derive(Debug, Clone, Default)]
pub struct Daily {
    day: i64,
    whole: bool,
    received: u16,
    zero: u16,
    high: u16,
    uncounted: u16,
    unseen: u16,
    constant: bool,
    run: u16,
    last: f32,
    change: f32,
}

keep!(Daily { day, whole, received, zero, high, uncounted, unseen, constant, run, last, change });

impl Daily {
    /// Takes one bin that ended at `at`. Returns the verdict on a day once it is over: `Some(None)` is a clean one.
    /// A day of which less than all could have been heard is not judged.
    pub fn sample(&mut self, at: Time, sample: Sample, setting: Setting, utc_offset: Span) -> Option<Option<Cause>> {
        let start = at - BIN;
        let day = (start + utc_offset).ms().div_euclid(86_400_000);
        let second = start.second_of_day(utc_offset);
        let mut verdict = None;
        if day != self.day {
            if self.whole {
                verdict = Some(self.verdict(setting));
            }
            // A day begun late says nothing about how much of it should have been heard; a day that follows a known
            // one does, even when its morning was silent.
            let whole = second <= FROM_S || (self.day != 0 && day == self.day + 1);
            *self = Self { day, whole, last: self.last, ..Self::default() };
        }
        if (FROM_S..TO_S).contains(&second) {
            self.count(sample);
        }
        verdict
    }

    fn count(&mut self, Sample { count, occupancy }: Sample) {
        self.received = self.received.saturating_add(1);
        self.zero += u16::from(occupancy <= 0.0);
        self.high += u16::from(occupancy > HIGH);
        self.uncounted += u16::from(count == 0 && occupancy > 0.0);
        self.unseen += u16::from(count > 0 && occupancy <= 0.0);
        self.change += (occupancy - self.last).abs();
        self.last = occupancy;
        if self.change >= CONSTANT_CHANGE || occupancy <= 0.0 {
            (self.run, self.change) = (0, 0.0);
        }
        self.run += 1;
        self.constant |= self.run > CONSTANT;
    }

    fn verdict(&self, setting: Setting) -> Option<Cause> {
        let limits = limits(setting);
        let share = |n: u16| f64::from(n) / f64::from(self.received.max(1));
        if f64::from(self.received) < INSUFFICIENT * f64::from(EXPECTED) {
            Some(Cause::Insufficient)
        } else if share(self.zero) >= limits.card_off && share(self.unseen) < limits.unseen {
            Some(Cause::CardOff)
        } else if share(self.high) >= limits.high {
            Some(Cause::HighValue)
        } else if share(self.uncounted) >= limits.uncounted || share(self.unseen) >= limits.unseen {
            Some(Cause::Intermittent)
        } else {
            self.constant.then_some(Cause::Constant)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdict on a day of bins, 0 to 2 880, of which `heard` says which were received.
    fn day(setting: Setting, heard: impl Fn(i64) -> bool, sample: impl Fn(i64) -> (u32, f32)) -> Option<Cause> {
        let mut daily = Daily::default();
        let first = 2880; // the first of January was heard by nobody
        for bin in (0..2880).filter(|&b| heard(b)) {
            let (count, occupancy) = sample(bin);
            let at = Time::from_s((first + bin + 1) * 30);
            assert_eq!(daily.sample(at, Sample { count, occupancy }, setting, Span::ZERO), None);
        }
        let after = Sample { count: 0, occupancy: 0.0 };
        daily.sample(Time::from_s((first + 2881) * 30), after, setting, Span::ZERO).expect("the day is over")
    }

    fn plain(bin: i64) -> (u32, f32) {
        (5, 0.05 + 0.01 * (bin % 5) as f32)
    }

    #[test]
    fn each_test_trips_on_its_limit_and_not_before() {
        use Setting::{Interrupted, Uninterrupted};
        // The window is bins 600 to 2 639; 60 % of its 2 040 are 1 224.
        let part = |n: i64| move |bin: i64| !(600..2640 - n).contains(&bin);
        assert_eq!(day(Uninterrupted, part(1224), plain), None);
        assert_eq!(day(Uninterrupted, part(1223), plain), Some(Cause::Insufficient));
        // 59 % of 2 040 are 1 203.6 bins.
        let zero = |n: i64| move |bin: i64| if bin < 600 + n { (0, 0.0) } else { plain(bin) };
        assert_eq!(day(Uninterrupted, |_| true, zero(1203)), None);
        assert_eq!(day(Uninterrupted, |_| true, zero(1204)), Some(Cause::CardOff));
        assert_eq!(day(Interrupted, |_| true, zero(1204)), None); // a quiet side street
        // 20 % are 408 bins.
        let high = |n: i64| move |bin: i64| if bin < 600 + n { (9, 0.71) } else { plain(bin) };
        assert_eq!(day(Uninterrupted, |_| true, high(407)), None);
        assert_eq!(day(Uninterrupted, |_| true, high(408)), Some(Cause::HighValue));
        // 2 % are 40.8 bins.
        let odd = |n: i64| move |bin: i64| if bin < 600 + n { (0, 0.1) } else { plain(bin) };
        assert_eq!(day(Uninterrupted, |_| true, odd(40)), None);
        assert_eq!(day(Uninterrupted, |_| true, odd(41)), Some(Cause::Intermittent));
        assert_eq!(day(Interrupted, |_| true, odd(400)), None); // reds
        // 50 % are 1 020 bins.
        let blind = |n: i64| move |bin: i64| if bin < 600 + n { (3, 0.0) } else { plain(bin) };
        assert_eq!(day(Uninterrupted, |_| true, blind(1019)), None);
        assert_eq!(day(Uninterrupted, |_| true, blind(1020)), Some(Cause::Intermittent));
        // 480 changes are 481 bins.
        let stuck = |n: i64| move |bin: i64| if (600..600 + n).contains(&bin) { (3, 0.2) } else { plain(bin) };
        assert_eq!(day(Uninterrupted, |_| true, stuck(480)), None);
        assert_eq!(day(Uninterrupted, |_| true, stuck(481)), Some(Cause::Constant));
    }

    #[test]
    fn a_day_begun_late_is_not_judged() {
        let mut daily = Daily::default();
        let noon = |day: i64| Time::from_s(day * 86_400 + 43_230);
        let sample = Sample { count: 1, occupancy: 0.1 };
        assert_eq!(daily.sample(noon(3), sample, Setting::Uninterrupted, Span::ZERO), None);
        assert_eq!(daily.sample(noon(4), sample, Setting::Uninterrupted, Span::ZERO), None);
        // The fourth day was known from its start and had one sample.
        assert_eq!(daily.sample(noon(5), sample, Setting::Uninterrupted, Span::ZERO), Some(Some(Cause::Insufficient)));
    }
}

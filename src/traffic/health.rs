//! Whether a sensor can be believed: the streaming tests of MnDOT IRIS and the daily ones of PeMS, over 30 s bins.
//!
//! Both were made for motorways. Where signals are near a loop is covered for a whole red and counts nothing meanwhile, or
//! passed by platoons with nobody between, so that some of their limits would condemn every healthy loop;
//! [`Setting::Interrupted`] has limits of its own there.

pub mod daily;
mod setting;
pub mod streaming;

pub use setting::Setting;

use crate::keep::keep;
use crate::time::{Span, Time};
use daily::Daily;
use streaming::Streaming;

/// The tests look at sums over this long.
pub const BIN: Span = Span::from_s(30);
/// A sensor found bad stays so until it has been clean for this long. Source: MnDOT IRIS.
pub const PROBATION: Span = Span::from_s(24 * 3600);
/// A sensor is silent after this many of its intervals without a reading, and not before [`SILENCE_MIN`].
const SILENCE_INTERVALS: i64 = 5;
/// Shorter gaps are gaps, not silence.
const SILENCE_MIN: Span = Span::from_s(15);

/// Whether a sensor can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Health {
    /// It has never been heard.
    #[default]
    Unheard,
    /// It can be.
    Good,
    /// It has stopped reporting.
    Silent,
    /// It cannot be, until it has been clean for [`PROBATION`].
    Bad(Cause),
}

keep!(
    enum Health {
        Unheard,
        Good,
        Silent,
        Bad(cause),
    }
);

impl Health {
    /// Whether control may use what it says.
    pub fn usable(self) -> bool {
        self == Self::Good
    }
}

/// What is wrong with a sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// No vehicle for hours.
    NoHits,
    /// More vehicles than can pass.
    Chatter,
    /// Covered without end.
    LockedOn,
    /// The same occupancy all day.
    NoChange,
    /// Occupancy jumps up and down.
    Spike,
    /// Too few readings in a day.
    Insufficient,
    /// Nothing on it for most of a day.
    CardOff,
    /// Covered for most of a day.
    HighValue,
    /// Counts and occupancy contradict each other.
    Intermittent,
    /// The same occupancy for hours.
    Constant,
    /// It counts something else than every other account of the same vehicles.
    Miscounts,
}

keep!(
    enum Cause {
        NoHits,
        Chatter,
        LockedOn,
        NoChange,
        Spike,
        Insufficient,
        CardOff,
        HighValue,
        Intermittent,
        Constant,
        Miscounts,
    }
);

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoHits => "no vehicle for 4 h",
            Self::Chatter => "38 vehicles or more in 30 s",
            Self::LockedOn => "covered without end",
            Self::NoChange => "the same occupancy for 24 h",
            Self::Spike => "occupancy jumps up and down",
            Self::Insufficient => "too few readings in a day",
            Self::CardOff => "nothing on it for most of a day",
            Self::HighValue => "covered for most of a day",
            Self::Intermittent => "counts and occupancy contradict each other",
            Self::Constant => "the same occupancy for 4 h",
            Self::Miscounts => "counts otherwise than all other accounts",
        })
    }
}

/// What a loop saw in one bin of 30 s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Vehicles.
    pub count: u32,
    /// Share of the time it was covered, 0 to 1.
    pub occupancy: f32,
}

/// The health of one sensor. Constant memory.
#[derive(Debug, Clone, Default)]
pub struct Monitor {
    streaming: Streaming,
    daily: Daily,
    bin: i64,
    heard_ms: u32,
    count: u32,
    covered_ms: f32,
    bad: Option<(Cause, Time)>,
    verdict: Option<Cause>,
}

keep!(Monitor { streaming, daily, bin, heard_ms, count, covered_ms, bad, verdict });

impl Monitor {
    /// Hears one reading of a loop. Returns what was found wrong when it closes a bin.
    pub fn hear(&mut self, end: Time, interval: Span, sample: Sample, setting: Setting, offset: Span) -> Option<Cause> {
        // A reading that ends where a bin ends belongs to it.
        let bin = (end.ms() - 1).div_euclid(BIN.ms());
        let mut found = None;
        if bin != self.bin {
            found = self.close(setting, offset);
            let gap = bin - self.bin;
            (self.bin, self.heard_ms, self.count, self.covered_ms) = (bin, 0, 0, 0.0);
            if gap > 1 {
                self.streaming.gap(); // silence proves nothing
            }
        }
        self.heard_ms = self.heard_ms.saturating_add(u32::try_from(interval.ms()).unwrap_or(0));
        self.count = self.count.saturating_add(sample.count);
        self.covered_ms += sample.occupancy * interval.ms() as f32;
        found
    }

    /// Closes the bin: at least half of it must have been heard.
    fn close(&mut self, setting: Setting, offset: Span) -> Option<Cause> {
        if i64::from(self.heard_ms) * 2 < BIN.ms() {
            return None;
        }
        let occupancy = (self.covered_ms / self.heard_ms as f32).clamp(0.0, 1.0);
        let sample = Sample { count: self.count, occupancy };
        let at = Time::from_ms((self.bin + 1) * BIN.ms());
        if let Some(verdict) = self.daily.sample(at, sample, setting, offset) {
            self.verdict = verdict;
        }
        let found = self.streaming.sample(sample, setting).or(self.verdict);
        match (found, self.bad) {
            (Some(cause), _) => self.bad = Some((cause, at)),
            (None, Some((_, since))) if at - since >= PROBATION => self.bad = None,
            _ => {}
        }
        found
    }

    /// Condemns the sensor for a reason that only others can know.
    pub fn condemn(&mut self, cause: Cause, at: Time) {
        self.bad = Some((cause, at));
    }

    /// Its health at `now`, when it was last heard at `last`.
    pub fn health(&self, last: Option<Time>, interval: Span, now: Time) -> Health {
        let Some(last) = last else { return Health::Unheard };
        let patience = (interval * SILENCE_INTERVALS).max(SILENCE_MIN);
        match self.bad {
            Some((cause, _)) => Health::Bad(cause),
            None if now - last > patience => Health::Silent,
            None => Health::Good,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(monitor: &mut Monitor, from_s: i64, seconds: i64, sample: impl Fn(i64) -> Sample) -> Option<Cause> {
        (from_s + 1..=from_s + seconds)
            .filter_map(|s| monitor.hear(Time::from_s(s), Span::SECOND, sample(s), Setting::Uninterrupted, Span::ZERO))
            .last()
    }

    #[test]
    fn a_bad_sensor_is_good_again_after_a_clean_day() {
        let mut monitor = Monitor::default();
        let busy = |s: i64| Sample { count: u32::from(s % 7 == 0), occupancy: if s % 7 == 0 { 0.5 } else { 0.01 } };
        assert_eq!(run(&mut monitor, 0, 31, |_| Sample { count: 2, occupancy: 0.4 }), Some(Cause::Chatter));
        let health = |m: &Monitor, s| m.health(Some(Time::from_s(s)), Span::SECOND, Time::from_s(s));
        assert_eq!(health(&monitor, 31), Health::Bad(Cause::Chatter));
        run(&mut monitor, 31, 24 * 3600 - 60, busy);
        assert_eq!(health(&monitor, 24 * 3600 - 29), Health::Bad(Cause::Chatter), "not a minute too early");
        run(&mut monitor, 24 * 3600 - 29, 120, busy);
        assert_eq!(health(&monitor, 24 * 3600 + 91), Health::Good);
    }

    #[test]
    fn silence_is_not_a_fault_and_not_health() {
        let monitor = Monitor::default();
        let at = |s| monitor.health(Some(Time::EPOCH), Span::SECOND, Time::from_s(s));
        assert_eq!((at(15), at(16)), (Health::Good, Health::Silent));
        assert_eq!(monitor.health(None, Span::SECOND, Time::EPOCH), Health::Unheard);
        // A sensor that reports once a minute is given five minutes.
        assert_eq!(monitor.health(Some(Time::EPOCH), Span::from_s(60), Time::from_s(300)), Health::Good);
    }
}

//! Flows per lane, smoothed over minutes, each with its quality, and the day as it usually is.

use crate::keep::{keep, resume};
use std::ops::Range;

use crate::ids::{Id, LaneId};
use crate::time::{Span, Time};
use crate::traffic::quality::{Estimate, Quality};
use crate::units::VehPerHour;

/// A flow forgets its past over this many minutes.
const MEMORY_MIN: f32 = 5.0;
/// At least this share of a minute must have been heard for it to count.
const HEARD_MIN: f32 = 0.5;
/// Minutes without a count after which a flow is no longer measured.
const STALE_MIN: u8 = 3;
/// Quarters of an hour in a day.
const BINS: usize = 96;
/// Weekdays and weekends.
const KINDS: usize = 2;
/// A later day counts for no less than one in this many.
const MEMORY_DAYS: f32 = 8.0;
/// Marks a quarter of an hour nobody has seen yet.
const UNSEEN: u16 = u16::MAX;

/// A smoothed flow.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Smoothed {
    rate: f32,
    weight: f32,
    count: f32,
    heard_ms: u32,
    stale_min: u8,
}

keep!(Smoothed { rate, weight, count, heard_ms, stale_min });

impl Smoothed {
    /// Adds what was counted over an interval.
    pub fn count(&mut self, vehicles: f32, interval: Span) {
        self.count += vehicles;
        self.heard_ms = self.heard_ms.saturating_add(u32::try_from(interval.ms()).unwrap_or(0));
    }

    /// Closes a minute. Returns its own flow, veh/h, when enough of it was heard.
    pub fn close_minute(&mut self) -> Option<f32> {
        let heard = self.heard_ms as f32 / 60_000.0;
        let rate = self.count / heard.max(1e-6) * 60.0;
        (self.count, self.heard_ms) = (0.0, 0);
        if heard < HEARD_MIN {
            self.stale_min = self.stale_min.saturating_add(1);
            return None;
        }
        self.stale_min = 0;
        // The first minutes count in full, so that the estimate is a mean before it is a memory.
        self.weight = (self.weight + heard).min(MEMORY_MIN);
        self.rate += heard.min(self.weight) / self.weight * (rate - self.rate);
        Some(rate)
    }

    /// The flow, while it is measured.
    pub fn flow(&self) -> Option<VehPerHour> {
        let fresh = self.weight > 0.0 && self.stale_min < STALE_MIN;
        fresh.then(|| VehPerHour::new(f64::from(self.rate))).flatten()
    }
}

/// The usual day of every lane: its flow by quarter of an hour, on weekdays and at weekends. Two bytes each.
#[derive(Debug, Clone)]
pub struct Profile {
    lanes: Range<LaneId>,
    bins: Vec<u16>,
    days: Vec<u8>,
}

resume!(Profile { kept: bins, days; built: lanes });

impl Profile {
    /// Nothing known yet, for the lanes of a part of the city.
    pub fn new(lanes: &Range<LaneId>) -> Self {
        let len = lanes.end.index() - lanes.start.index();
        Self { lanes: lanes.clone(), bins: vec![UNSEEN; len * BINS * KINDS], days: vec![0; len * KINDS] }
    }

    fn row(&self, lane: LaneId) -> Option<usize> {
        self.lanes.contains(&lane).then(|| lane.index() - self.lanes.start.index())
    }

    /// Learns one minute's flow, veh/h.
    pub fn learn(&mut self, lane: LaneId, at: Time, utc_offset: Span, rate: f32) {
        let Some(row) = self.row(lane) else { return };
        let (kind, quarter) = when(at, utc_offset);
        let bin = &mut self.bins[(row * KINDS + kind) * BINS + quarter];
        // A quarter holds fifteen minutes of each day.
        let old = f32::from(*bin);
        let new = if *bin == UNSEEN { rate } else { old + (rate - old) / (15.0 * MEMORY_DAYS).min(15.0 + old.sqrt()) };
        *bin = new.clamp(0.0, f32::from(UNSEEN - 1)).round() as u16;
        self.days[row * KINDS + kind] = 1;
    }

    /// The usual flow at a time of day; where that quarter was never seen, the nearest hour that was.
    pub fn flow(&self, lane: LaneId, at: Time, utc_offset: Span) -> Option<VehPerHour> {
        let row = self.row(lane)?;
        let (kind, quarter) = when(at, utc_offset);
        [kind, 1 - kind].into_iter().filter(|k| self.days[row * KINDS + k] > 0).find_map(|kind| {
            let day = &self.bins[(row * KINDS + kind) * BINS..][..BINS];
            let near = [0, 1, BINS - 1, 2, BINS - 2, 3, BINS - 3, 4, BINS - 4];
            let seen = near.iter().map(|d| day[(quarter + d) % BINS]).find(|&bin| bin != UNSEEN)?;
            VehPerHour::new(f64::from(seen))
        })
    }
}

/// Weekday or weekend, and the quarter of an hour of the local day.
fn when(at: Time, utc_offset: Span) -> (usize, usize) {
    let local = at + utc_offset;
    // The first of January 1970 was a Thursday: day 0 is weekday 3 counted from Monday.
    let weekday = (local.ms().div_euclid(86_400_000) + 3).rem_euclid(7);
    (usize::from(weekday >= 5), local.second_of_day(Span::ZERO) as usize / 900)
}

/// The best of several accounts of one flow, and how good that is: what a sensor counted, what others did that see the
/// same vehicles, what neighbours let one expect, what is usual. None is asked for in vain.
pub fn best(
    measured: Option<VehPerHour>,
    fused: impl FnOnce() -> Option<VehPerHour>,
    imputed: impl FnOnce() -> Option<VehPerHour>,
    usual: impl FnOnce() -> Option<VehPerHour>,
) -> Estimate {
    let of = |quality| move |flow| Estimate { flow, quality };
    measured
        .map(of(Quality::Measured))
        .or_else(|| fused().map(of(Quality::Fused)))
        .or_else(|| imputed().map(of(Quality::Imputed)))
        .or_else(|| usual().map(of(Quality::Profile)))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_is_a_mean_first_and_a_memory_later() {
        let mut flow = Smoothed::default();
        let mut minute = |n: u32| {
            for s in 0..60 {
                flow.count(f32::from(u8::from(s < n)), Span::SECOND);
            }
            flow.close_minute();
            flow.flow().expect("heard").get()
        };
        assert!((minute(10) - 600.0).abs() < 1e-3);
        assert!((minute(20) - 900.0).abs() < 1e-3, "the mean of 600 and 1 200");
        for _ in 0..40 {
            minute(5);
        }
        assert!((minute(5) - 300.0).abs() < 1.0, "forty minutes later nothing of it is left");
    }

    #[test]
    fn silence_is_not_zero() {
        let mut flow = Smoothed::default();
        flow.count(15.0, Span::from_s(60));
        flow.close_minute();
        assert_eq!(flow.close_minute(), None);
        assert!((flow.flow().expect("still").get() - 900.0).abs() < 1e-3);
        flow.close_minute();
        flow.close_minute();
        assert_eq!(flow.flow(), None, "after three minutes it is no longer measured");
    }

    #[test]
    fn a_day_is_remembered_by_quarters_and_kinds() {
        let lanes = LaneId::of(7)..LaneId::of(9);
        let lane = LaneId::of(8);
        let mut profile = Profile::new(&lanes);
        let monday = 4 * 86_400; // the fifth of January 1970
        let at = |h: i64, m: i64| Time::from_s(monday + h * 3600 + m * 60);
        assert_eq!(profile.flow(lane, at(8, 0), Span::ZERO), None);
        for minute in 0..15 {
            profile.learn(lane, at(8, minute), Span::ZERO, 600.0);
        }
        let flow = |t: Time| profile.flow(lane, t, Span::ZERO).map(|f| f.get().round());
        assert_eq!(flow(at(8, 7)), Some(600.0));
        assert_eq!(flow(at(9, 0)), Some(600.0), "an hour later it is still the best guess");
        assert_eq!(flow(at(12, 0)), None);
        assert_eq!(flow(at(8, 7) + Span::from_s(5 * 86_400)), Some(600.0), "on Saturday Monday has to do");
        assert_eq!(profile.flow(LaneId::of(3), at(8, 0), Span::ZERO), None, "a lane of another part");
    }
}

//! What a delay index will be within the half hour: how such days usually go, and how far off this one is.
//!
//! A day like another has its shape by quarters of an hour, working days and weekends apart. How far the last minutes
//! are from it wears off ahead of now. There is no forecast for a time of day that was never seen before.

use std::collections::VecDeque;

use crate::time::{Span, Time};

/// How far ahead forecasts are made.
pub const AHEAD: [Span; 3] = [Span::from_s(300), Span::from_s(900), Span::from_s(1800)];

/// The shape of a day is kept by these.
const SLOT_MS: i64 = 900_000;
const SLOTS: usize = 96;
const DAY_MS: i64 = SLOT_MS * SLOTS as i64;
/// Half of what a day is off is left after so long, s.
const HALF_LIFE_S: f64 = 900.0;
/// A slot counts when so many of its minutes were heard.
const MINUTES_MIN: u16 = 5;
/// A day moves the shape by one part in so many at least.
const DAYS_MAX: u16 = 20;
/// What is now is taken over so many minutes: one alone is noise.
const NOW: usize = 5;

/// One quarter of an hour of days of a kind.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    mean: f32,
    days: u16,
}

/// The quarter that is under way.
#[derive(Debug, Clone, Copy)]
struct Open {
    day: i64,
    slot: usize,
    sum: f32,
    minutes: u16,
}

/// The shape of days and what is off it now, of one zone.
#[derive(Debug, Clone)]
pub struct Forecast {
    /// Working days and weekends.
    shapes: [Vec<Slot>; 2],
    open: Option<Open>,
    recent: VecDeque<f32>,
}

impl Default for Forecast {
    fn default() -> Self {
        let shape = || vec![Slot::default(); SLOTS];
        Self { shapes: [shape(), shape()], open: None, recent: VecDeque::new() }
    }
}

/// The local day, its kind, and the milliseconds into it.
fn local(at: Time, utc_offset: Span) -> (i64, usize, i64) {
    let ms = at.ms() + utc_offset.ms();
    let day = ms.div_euclid(DAY_MS);
    // Day 0 was a Thursday.
    (day, usize::from((day + 3).rem_euclid(7) >= 5), ms.rem_euclid(DAY_MS))
}

impl Forecast {
    /// A minute that ended at `end` with this index. Minutes come in order; those that are missing are not made up.
    pub fn minute(&mut self, end: Time, utc_offset: Span, index: f32) {
        let (day, _, ms) = local(end - Span::from_ms(1), utc_offset);
        let slot = (ms / SLOT_MS) as usize;
        match &mut self.open {
            Some(open) if (open.day, open.slot) == (day, slot) => {
                open.sum += index;
                open.minutes += 1;
            }
            other => {
                let done = other.replace(Open { day, slot, sum: index, minutes: 1 });
                // What was heard before a pause says nothing of now.
                if done.is_some_and(|done| (day - done.day) * SLOTS as i64 + slot as i64 - done.slot as i64 > 1) {
                    self.recent.clear();
                }
                self.learn(done);
            }
        }
        if self.recent.len() == NOW {
            self.recent.pop_front();
        }
        self.recent.push_back(index);
    }

    fn learn(&mut self, done: Option<Open>) {
        let Some(Open { day, slot, sum, minutes }) = done.filter(|done| done.minutes >= MINUTES_MIN) else { return };
        let shape = &mut self.shapes[usize::from((day + 3).rem_euclid(7) >= 5)][slot];
        shape.days = (shape.days + 1).min(DAYS_MAX);
        shape.mean += (sum / f32::from(minutes) - shape.mean) / f32::from(shape.days);
    }

    /// The delay index at `now` and `ahead` of it: none where the shape of such a day is not known at both.
    pub fn ahead(&self, now: Time, utc_offset: Span, ahead: Span) -> Option<f32> {
        let (then, usual) = (self.usual(now + ahead, utc_offset)?, self.usual(now, utc_offset)?);
        let level = self.recent.iter().sum::<f32>() / self.recent.len().max(1) as f32;
        let left = 0.5_f64.powf(ahead.s() / HALF_LIFE_S) as f32;
        (!self.recent.is_empty()).then(|| (then + (level - usual) * left).max(1.0))
    }

    /// How it usually is: between the middles of two quarters, from one to the other.
    fn usual(&self, at: Time, utc_offset: Span) -> Option<f32> {
        let (_, kind, ms) = local(at, utc_offset);
        let place = ms - SLOT_MS / 2;
        let (first, share) = (place.div_euclid(SLOT_MS), place.rem_euclid(SLOT_MS) as f32 / SLOT_MS as f32);
        let slot = |i: i64| self.shapes[kind][i.rem_euclid(SLOTS as i64) as usize];
        let (a, b) = (slot(first), slot(first + 1));
        match (a.days > 0, b.days > 0) {
            (true, true) => Some(a.mean + (b.mean - a.mean) * share),
            // At the edge of what is known: within a quarter that is.
            (true, false) if share <= 0.5 => Some(a.mean),
            (false, true) if share >= 0.5 => Some(b.mean),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UTC: Span = Span::ZERO;
    /// A Monday, midnight.
    const MONDAY: i64 = 1_772_409_600;

    /// Days of minutes from the Monday on, each with the index that `of` says for a day and a minute of it.
    fn days(count: i64, of: impl Fn(i64, i64) -> f32) -> Forecast {
        let mut forecast = Forecast::default();
        for (day, minute) in (0..count).flat_map(|day| (1..=1440).map(move |minute| (day, minute))) {
            forecast.minute(Time::from_s(MONDAY + day * 86_400 + minute * 60), UTC, of(day, minute));
        }
        forecast
    }

    fn at(day: i64, minute: i64) -> Time {
        Time::from_s(MONDAY + day * 86_400 + minute * 60)
    }

    #[test]
    fn nothing_is_forecast_of_what_was_never_seen() {
        let forecast = days(1, |_, _| 1.5);
        assert_eq!(Forecast::default().ahead(at(0, 0), UTC, AHEAD[0]), None);
        assert!(forecast.ahead(at(1, 0), UTC, AHEAD[2]).is_some(), "a Tuesday is like a Monday");
        assert_eq!(forecast.ahead(at(5, 0), UTC, AHEAD[2]), None, "a Saturday is not");
    }

    #[test]
    fn what_a_day_is_off_wears_off() {
        // Every day 2.0 at all hours; this one is 3.0.
        let mut forecast = days(3, |_, _| 2.0);
        (1..=NOW as i64).for_each(|minute| forecast.minute(at(3, minute), UTC, 3.0));
        // After 5 minutes 0.79 of it is left, after a half-life 0.5, after two 0.25.
        for (ahead, expected) in AHEAD.into_iter().zip([2.794, 2.5, 2.25]) {
            let said = forecast.ahead(at(3, NOW as i64), UTC, ahead).expect("days are known");
            assert!((said - expected).abs() < 0.01, "{ahead}: {said}");
        }
    }

    #[test]
    fn a_peak_is_seen_before_it_comes_and_a_pause_is_forgotten() {
        // 1.2, and 2.4 from 08:00 to 09:00.
        let peak = |_, minute| if (481..=540).contains(&minute) { 2.4 } else { 1.2 };
        let mut forecast = days(2, peak);
        (1..=455).for_each(|minute| forecast.minute(at(2, minute), UTC, 1.2));
        let said = forecast.ahead(at(2, 455), UTC, AHEAD[2]).expect("days are known");
        assert!(said > 1.8, "{said}");
        // An hour of silence, then one minute that is far off: it alone is now.
        forecast.minute(at(2, 600), UTC, 3.2);
        let said = forecast.ahead(at(2, 600), UTC, AHEAD[1]).expect("days are known");
        assert!((said - 2.2).abs() < 0.05, "{said}");
    }

    #[test]
    fn days_begin_at_the_citys_own_midnight() {
        // Only from 00:00 to 00:15 local time, eight hours ahead of UTC.
        let offset = Span::from_s(8 * 3600);
        let mut forecast = Forecast::default();
        for day in 0..2 {
            (1..=16).for_each(|minute| forecast.minute(at(day, minute) - offset, offset, 1.7));
        }
        assert!(forecast.ahead(at(2, 1) - offset, offset, Span::from_s(300)).is_some());
        assert_eq!(forecast.ahead(at(2, 1), offset, Span::from_s(300)), None);
    }
}

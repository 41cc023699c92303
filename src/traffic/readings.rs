//! The door for readings: order, repeats, gaps, lateness, clock skew and values no street can produce.
//!
//! The key of a reading is (sensor, end): the first wins, a different repeat is refused, an equal one is only counted.
//! Silence is not zero: a missing reading changes nothing here. Memory is constant per sensor.

use crate::keep::keep;
use std::fmt;

use crate::event::{LaneView, Reading, Seen, TurnCount};
use crate::ids::{LaneId, LinkId, SensorId};
use crate::network::SensorKind;
use crate::time::{Span, Time};
use crate::traffic::scope::Place;

/// Vehicles follow each other over one point at least this closely never: two a second, bicycles included.
const COUNT_PER_S_MAX: i64 = 2;
/// Even the shortest interval may hold the end of one vehicle and the start of the next.
const COUNT_SLACK: i64 = 2;
/// No road vehicle is faster, m/s.
pub const SPEED_MAX: f32 = 70.0;
/// Readings in a row that tell of the same skew before it is believed.
const SKEW_STRIKES: u8 = 30;
/// Readings in a row off the sensor's own grid before it is believed to have a new one.
const PHASE_STRIKES: u8 = 10;
/// How many of a sensor's last intervals are remembered as seen.
const SEEN: i64 = 64;
/// How many of them with a fingerprint of their values.
const PRINTS: usize = 4;

/// A reading that is not used for control.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rejection {
    /// Who sent it.
    pub sensor: SensorId,
    /// The end of its interval.
    pub end: Time,
    /// Why.
    pub reason: Reason,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sensor {} at {}: {}", self.sensor, self.end, self.reason)
    }
}

impl std::error::Error for Rejection {}

macro_rules! reasons {
    ($($(#[$meta:meta])* $name:ident = $label:literal { $($field:ident: $type:ty),* },)*) => {
        /// Why a reading is not used for control. Each names the field, its value and the limit.
        #[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
        #[expect(missing_docs, reason = "the fields say what the message says")]
        pub enum Reason {
            $($(#[$meta])* $name { $($field: $type),* },)*
        }

        impl Reason {
            /// Every reason's label, by [`Reason::kind`].
            pub const LABELS: &[&str] = &[$($label),*];

            /// A short, stable label for counters.
            pub fn label(&self) -> &'static str {
                match self { $(Self::$name { .. } => $label,)* }
            }
        }
    };
}

reasons! {
    /// It comes too late for control; history still has it.
    #[error("end is {age} old, more than the {limit} allowed")]
    Late = "late" { age: Span, limit: Span },
    /// It is about what has not happened yet.
    #[error("end is {ahead} ahead of now, more than the {limit} allowed")]
    Future = "future" { ahead: Span, limit: Span },
    /// The same sensor and end with other values; the first wins.
    #[error("end repeats an earlier reading of other values; the first wins")]
    Conflict = "conflict" {},
    /// It covers another length of time than its sensor does.
    #[error("interval {interval}, expected {expected}")]
    Interval = "interval" { interval: Span, expected: Span },
    /// It overlaps other readings of its sensor.
    #[error("end is {off} off the sensor's own grid of {interval}")]
    Unaligned = "unaligned" { off: Span, interval: Span },
    /// More vehicles than can pass.
    #[error("count {count} is above {max}, the most that can pass in the interval")]
    Count = "count" { count: u32, max: u32 },
    /// Not a share.
    #[error("occupancy {occupancy} is outside 0 to 1")]
    Occupancy = "occupancy" { occupancy: f32 },
    /// Not a speed.
    #[error("speed {speed} is outside 0 to {max}")]
    Speed = "speed" { speed: f32, max: f32 },
    /// A loop that speaks as a camera, or the other way round.
    #[error("values of a {seen:?} from a {sensor:?}")]
    Kind = "kind" { seen: SensorKind, sensor: SensorKind },
    /// A lane that is not in the camera's view.
    #[error("lanes names lane {lane}, which is not on the camera's link {link}")]
    Lane = "lane" { lane: LaneId, link: LinkId },
    /// One lane twice.
    #[error("lanes names lane {lane} more than once")]
    LaneTwice = "lane_twice" { lane: LaneId },
    /// More vehicles than fit.
    #[error("vehicles {vehicles} on lane {lane} is above {max}, the most that fit into the view")]
    Vehicles = "vehicles" { lane: LaneId, vehicles: u16, max: u16 },
    /// More that stand than are there.
    #[error("queue {queue} on lane {lane} is above its vehicles {vehicles}")]
    Queue = "queue" { lane: LaneId, queue: u16, vehicles: u16 },
    /// An exit that no turn leads to.
    #[error("turns names exit {to}, to which nothing leads from {link}")]
    Exit = "exit" { to: LinkId, link: LinkId },
    /// More turning vehicles than can pass.
    #[error("turns counts {count} vehicles, above {max}, the most that can pass in the interval")]
    Turns = "turns" { count: u32, max: u32 },
    /// No such sensor in this part of the city.
    #[error("sensor is none of this part of the city, which has {known}")]
    Sensor = "sensor" { known: usize },
}

impl Reason {
    /// The row of this reason in [`Counters::rejected`].
    pub fn kind(&self) -> usize {
        Self::LABELS.iter().position(|&l| l == self.label()).unwrap_or(0)
    }
}

/// What became of an accepted reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is used.
    Used {
        /// How many readings of this sensor are missing directly before it.
        missing: u32,
    },
    /// It was known already.
    Repeat,
}

/// What became of every reading offered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Readings offered: the sum of the next two and everything rejected.
    pub offered: u64,
    /// Readings used.
    pub used: u64,
    /// Equal repeats.
    pub repeats: u64,
    /// Readings that never came, as far as later ones tell.
    pub missing: u64,
    /// Readings that came after a later one of the same sensor.
    pub disordered: u64,
    /// Sensors whose clock was found ahead, and is corrected.
    pub skewed: u64,
    /// Sensors found to lag behind steadily. Age cannot be told from latency, so they are not corrected.
    pub lagging: u64,
    /// Sensors that moved to another grid of intervals.
    pub rephased: u64,
    /// Readings refused, by [`Reason::LABELS`].
    pub rejected: [u64; Reason::LABELS.len()],
}

keep!(Counters { offered, used, repeats, missing, disordered, skewed, lagging, rephased, rejected });

impl Counters {
    /// Readings refused, for whatever reason.
    pub fn rejected_total(&self) -> u64 {
        self.rejected.iter().sum()
    }

    /// Every reason with its number.
    pub fn by_reason(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Reason::LABELS.iter().copied().zip(self.rejected)
    }
}

/// What the door allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allowance {
    /// The oldest end still used for control lies this far back.
    pub late: Span,
    /// The farthest end still believed lies this far ahead.
    pub ahead: Span,
}

/// What the door remembers of one sensor.
#[derive(Debug, Clone, Default)]
pub(crate) struct Track {
    /// The latest end that was used, corrected for skew; meaningless while `seen` is 0.
    last: i64,
    /// Bit k: the reading that ended k intervals before `last` was used.
    seen: u64,
    prints: [u32; PRINTS],
    /// How far its clock runs ahead, ms.
    skew: i32,
    suspect: i32,
    strikes: u8,
    off_grid: u8,
    lagging: bool,
}

keep!(Track { last, seen, prints, skew, suspect, strikes, off_grid, lagging });

impl Track {
    /// How far its clock runs ahead.
    pub(crate) fn skew(&self) -> Span {
        Span::from_ms(i64::from(self.skew))
    }

    /// The latest end that was used, if any was.
    pub(crate) fn last(&self) -> Option<Time> {
        (self.seen != 0).then(|| Time::from_ms(self.last))
    }

    /// Judges a reading. On success also says when it ended by our clock.
    pub(crate) fn judge(
        &mut self,
        place: &Place,
        reading: &Reading,
        now: Time,
        allow: &Allowance,
        counters: &mut Counters,
    ) -> Result<(Accepted, Time), Reason> {
        let interval = i64::from(place.interval_ms);
        if reading.interval.ms() != interval {
            return Err(Reason::Interval { interval: reading.interval, expected: Span::from_ms(interval) });
        }
        let print = believable(place, &reading.seen)?;
        let end = self.on_our_clock(reading.end, now, interval, allow, counters)?;
        let ms = end.ms();
        let ahead = ms - self.last;
        // Almost all are the next one, and a division takes as long as all the rest.
        let (steps, off) = if ahead == interval { (1, 0) } else { (ahead / interval, ahead.rem_euclid(interval)) };
        if self.seen != 0 && off != 0 {
            self.off_grid += 1;
            if self.off_grid < PHASE_STRIKES || ahead < 0 {
                self.off_grid = self.off_grid.min(PHASE_STRIKES);
                let off = Span::from_ms(off);
                return Err(Reason::Unaligned { off, interval: Span::from_ms(interval) });
            }
            counters.rephased += 1;
            self.seen = 0;
        }
        self.off_grid = 0;
        let row = whole(ms, interval).rem_euclid(PRINTS as i64) as usize;
        if self.seen != 0 && ahead <= 0 {
            let back = -steps;
            if back < SEEN && self.seen >> back & 1 == 1 {
                let differs = back < PRINTS as i64 && self.prints[row] != print;
                return if differs { Err(Reason::Conflict {}) } else { Ok((Accepted::Repeat, end)) };
            }
            self.fresh_enough(end, now, allow, back, print, row)?;
            counters.disordered += 1;
            counters.missing = counters.missing.saturating_sub(1);
            return Ok((Accepted::Used { missing: 0 }, end));
        }
        let missing = if self.seen == 0 { 0 } else { u32::try_from(steps - 1).unwrap_or(u32::MAX) };
        let late = now - end > allow.late;
        self.seen = if self.seen != 0 && steps < SEEN { self.seen << steps | 1 } else { 1 };
        if missing as usize >= PRINTS {
            self.prints = [0; PRINTS];
        }
        self.last = ms;
        self.prints[row] = print;
        counters.missing += u64::from(missing);
        if late {
            return Err(Reason::Late { age: now - end, limit: allow.late });
        }
        Ok((Accepted::Used { missing }, end))
    }

    fn fresh_enough(
        &mut self,
        end: Time,
        now: Time,
        allow: &Allowance,
        back: i64,
        print: u32,
        row: usize,
    ) -> Result<(), Reason> {
        if back < SEEN {
            self.seen |= 1 << back;
            if back < PRINTS as i64 {
                self.prints[row] = print;
            }
        }
        // What is older than everything remembered cannot be told from a repeat.
        if now - end > allow.late || back >= SEEN {
            return Err(Reason::Late { age: now - end, limit: allow.late });
        }
        Ok(())
    }

    /// The end by our clock, once the sensor's steady skew is known; refuses what lies ahead of now.
    fn on_our_clock(
        &mut self,
        end: Time,
        now: Time,
        interval: i64,
        allow: &Allowance,
        counters: &mut Counters,
    ) -> Result<Time, Reason> {
        let limit = allow.ahead;
        let corrected = end - self.skew();
        let ahead = corrected - now;
        if ahead > limit {
            // The correction is a multiple of the interval, so that the sensor's grid stays.
            let skew = (end - now).ceil(Span::from_ms(interval)).ms();
            if self.strike(skew, interval) {
                self.skew = i32::try_from(skew).unwrap_or(0);
                counters.skewed += 1;
                self.seen = 0;
            }
            return Err(Reason::Future { ahead, limit });
        }
        if now - corrected > allow.late {
            let lag = (now - end).ms();
            if self.strike(-lag, interval) && !self.lagging {
                self.lagging = true;
                counters.lagging += 1;
            }
            // A clock that was set right again must not be corrected any longer.
            if self.skew != 0 && end - now <= limit && now - end <= allow.late {
                (self.skew, self.seen) = (0, 0);
                return Ok(end);
            }
            return Ok(corrected);
        }
        self.strikes = 0;
        self.lagging = false;
        Ok(corrected)
    }

    /// Whether the sensor has now told of this same skew often enough.
    fn strike(&mut self, skew_ms: i64, interval: i64) -> bool {
        let skew = i32::try_from(skew_ms).unwrap_or(i32::MAX);
        let same = (i64::from(skew) - i64::from(self.suspect)).abs() <= interval.max(1000);
        if !same || self.strikes == 0 {
            (self.suspect, self.strikes) = (skew, 0);
        }
        self.strikes = (self.strikes + 1).min(SKEW_STRIKES);
        self.strikes == SKEW_STRIKES && skew != i32::MAX
    }
}

/// How many whole intervals there are in so many milliseconds. Most sensors speak once a second.
fn whole(ms: i64, interval: i64) -> i64 {
    if interval == 1000 { ms.div_euclid(1000) } else { ms.div_euclid(interval) }
}

/// The most vehicles that can pass one point of a lane in an interval.
pub(crate) fn count_max(interval: Span) -> u32 {
    u32::try_from(COUNT_SLACK + COUNT_PER_S_MAX * interval.ms().max(0) / 1000).unwrap_or(u32::MAX)
}

/// A fingerprint of believable values, or what is wrong with them.
fn believable(place: &Place, seen: &Seen) -> Result<u32, Reason> {
    let mut print = 0x811c_9dc5_u32;
    let mut mix = |value: u32| print = (print ^ value).wrapping_mul(0x0100_0193).rotate_left(5);
    match (seen, place.kind) {
        (&Seen::Loop { count, occupancy, speed }, SensorKind::Loop) => {
            if count > u32::from(place.count_max) {
                return Err(Reason::Count { count, max: u32::from(place.count_max) });
            }
            if !(0.0..=1.0).contains(&occupancy) {
                return Err(Reason::Occupancy { occupancy });
            }
            if let Some(speed) = speed.filter(|s| !(0.0..=SPEED_MAX).contains(s)) {
                return Err(Reason::Speed { speed, max: SPEED_MAX });
            }
            mix(count);
            mix(occupancy.to_bits());
            mix(speed.map_or(1, f32::to_bits));
        }
        (Seen::Camera { lanes, turns }, SensorKind::Camera) => {
            lanes_believable(place, lanes, &mut mix)?;
            turns_believable(place, turns, &mut mix)?;
        }
        (seen, sensor) => {
            let seen = if matches!(seen, Seen::Loop { .. }) { SensorKind::Loop } else { SensorKind::Camera };
            return Err(Reason::Kind { seen, sensor });
        }
    }
    Ok(print)
}

fn lanes_believable(place: &Place, lanes: &[LaneView], mix: &mut impl FnMut(u32)) -> Result<(), Reason> {
    let mut named = 0_u32;
    for &LaneView { lane, vehicles, queue } in lanes {
        let Some(index) = place.lane_index(lane) else {
            return Err(Reason::Lane { lane, link: place.link });
        };
        if named >> index & 1 == 1 {
            return Err(Reason::LaneTwice { lane });
        }
        named |= 1 << index;
        if vehicles > place.count_max {
            return Err(Reason::Vehicles { lane, vehicles, max: place.count_max });
        }
        if queue > vehicles {
            return Err(Reason::Queue { lane, queue, vehicles });
        }
        mix(u32::from(vehicles) << 16 | u32::from(queue) ^ (index as u32) << 11);
    }
    Ok(())
}

fn turns_believable(place: &Place, turns: &[TurnCount], mix: &mut impl FnMut(u32)) -> Result<(), Reason> {
    let max = count_max(Span::from_ms(i64::from(place.interval_ms))) * u32::from(place.lanes.max(1));
    let mut total = 0_u32;
    for turn in turns {
        total = total.saturating_add(u32::from(turn.count));
        mix(u32::from(turn.count) << 8 | turn.class as u32);
    }
    if total > max {
        return Err(Reason::Turns { count: total, max });
    }
    Ok(())
}

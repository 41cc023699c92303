//! How fast those drive whom nobody holds: timed between two sensors that they pass alone.
//!
//! A vehicle is taken to be one of the slower. Believed too far ahead it would seem about to arrive second after second
//! and hold a green; believed too far behind it is put right by the next sensor that it passes.

use super::drive::DECELERATION;
use super::lane::LaneTrack;
use crate::keep::keep;
use crate::traffic::node::ACCELERATION;

/// So many standard deviations slower than the mean a vehicle is believed to drive: fourteen of fifteen are faster.
const BELIEVED: f32 = 1.5;
/// And so many slower it is expected to come: a green that is held for it has to be held until the slower of those like it
/// have passed, and that is what holding it costs.
const EXPECTED: f32 = 2.0;
/// Nobody free is taken to be slower than this share of the limit, for sensors that miscount time one driver by another; or to
/// be faster than the limit.
const SHARES: std::ops::RangeInclusive<f32> = 0.72..=1.0;
/// As if so many had been timed before the first one was.
const PRIOR: f32 = 20.0;
/// The last so many count: older ones are forgotten.
const MEMORY: f32 = 500.0;

/// A driver is held by one who is less than so many seconds of driving ahead of him.
const HELD_S: f32 = 3.0;
/// Those who see a red light from afar slow down so gently, m/s².
const EASES_OFF: f32 = DECELERATION / 1.5;
/// A time shorter than this tells no speed: sensors tell the second, s.
const SHORTEST_S: f32 = 6.0;
/// Variance of the time between two instants that are known to the second, s².
const WHOLE_SECONDS: f32 = 1.0 / 6.0;
/// Whoever seems to have driven at another share of the limit than these has stopped on the way, or is another.
const DRIVEN: std::ops::Range<f32> = 0.4..1.43;

/// At which shares of the limit free drivers drive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    mean: f32,
    variance: f32,
    timed: f32,
}

keep!(Pace { mean, variance, timed });

impl Default for Pace {
    /// They drive at the limit, and differ by a tenth of it.
    fn default() -> Self {
        Self { mean: 1.0, variance: 0.01, timed: PRIOR }
    }
}

impl Pace {
    /// The share of the limit at which a vehicle is believed to drive that nobody holds.
    pub(super) fn believed(&self) -> f32 {
        self.slower_by(BELIEVED)
    }

    /// The share of the limit at which it is expected to come.
    pub(super) fn expected(&self) -> f32 {
        self.slower_by(EXPECTED)
    }

    /// The share of the limit at which drivers drive on average.
    pub(super) fn mean(&self) -> f32 {
        self.slower_by(0.0)
    }

    fn slower_by(&self, deviations: f32) -> f32 {
        (self.mean - deviations * self.variance.max(0.0).sqrt()).clamp(*SHARES.start(), *SHARES.end())
    }

    /// Somebody was timed.
    pub(super) fn learn(&mut self, Timed { share, seconds }: Timed) {
        self.timed = (self.timed + 1.0).min(MEMORY);
        let off = share - self.mean;
        self.mean += off / self.timed;
        // How coarsely it was timed is no difference between drivers.
        let coarse = WHOLE_SECONDS * (share / seconds) * (share / seconds);
        self.variance += (off * off - coarse - self.variance) / self.timed;
    }
}

/// One who passed a sensor alone, and for how long he has been on his way to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    seed: u32,
    place: f32,
    seconds: f32,
}

keep!(Timing { seed, place, seconds });

/// The share of the limit at which somebody drove, over so many seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Timed {
    share: f32,
    seconds: f32,
}

keep!(Timed { share, seconds });

impl LaneTrack {
    /// Time passes for whoever is being timed; he is given up when he cannot be on his way any more.
    pub(super) fn go_on_timing(&mut self, dt: f32) {
        let longest = self.length / (DRIVEN.start * self.speed.max(1.0));
        self.timing = self.timing.map(|t| Timing { seconds: t.seconds + dt, ..t }).filter(|t| t.seconds <= longest);
    }

    /// The vehicle in a place of the row passes a sensor in this step, so many metres before the line.
    pub(super) fn passes(&mut self, at: usize, place: f32) {
        let Some(seed) = self.vehicles.get(at).filter(|v| v.gap <= place).map(|v| v.seed) else { return };
        if self.timing.is_some_and(|t| (t.seed, t.place) == (seed, place)) {
            return; // seen to pass it before
        }
        let held = at > 0 && place - self.vehicles[at - 1].gap < HELD_S * self.speed;
        if let Some(Timing { place: from, seconds, .. }) = self.timing.take_if(|t| t.seed == seed) {
            let share = (from - place) / (seconds * self.speed).max(1.0);
            if !held && place >= self.eases_off() && seconds >= SHORTEST_S && DRIVEN.contains(&share) {
                self.timed = Some(Timed { share, seconds });
            }
        }
        let picks_up = self.length - place < self.speed * self.speed / (2.0 * ACCELERATION);
        if self.timing.is_none() && !held && !picks_up && self.is_seen_beyond(place) {
            self.timing = Some(Timing { seed, place, seconds: 0.0 });
        }
    }

    /// How far before the line somebody begins to slow down for a red light, m.
    fn eases_off(&self) -> f32 {
        self.speed * self.speed / (2.0 * EASES_OFF)
    }

    /// Whether another sensor tells when somebody has come far enough from a place, and does not slow down yet.
    fn is_seen_beyond(&self, place: f32) -> bool {
        let ends = self.eases_off()..=place - SHORTEST_S * self.speed;
        let edge = self.view.map(|view| view.farthest);
        self.loops.iter().map(|l| l.distance).chain(edge).any(|there| ends.contains(&there))
    }
}

#[cfg(test)]
mod tests {
    use super::super::drive::Road;
    use super::super::loops::Loop;
    use super::super::view::{View, correct};
    use super::*;
    use crate::time::{Span, Time};

    /// A closed light a long way off.
    const SHUT: Road =
        Road { passable: 0, exits: 1, yields: false, blocked: false, held: false, signal: true, ends: false };

    /// A road of 600 m at 15 m/s, with a loop 520 m before its line and a camera that sees the last 200 m.
    fn road() -> LaneTrack {
        let mut track = LaneTrack { length: 600.0, ..LaneTrack::with(&[]) };
        track.loops.push(Loop::at(520.0, Span::SECOND));
        track
    }

    /// What is timed on it of drivers who set out in these seconds, each at his share of the limit.
    fn timed(drivers: &[(i64, f32)]) -> Vec<Timed> {
        let (mut lanes, mut serial, mut timed) = ([road()], 1, Vec::new());
        for second in 1..=100 {
            let at = |then: i64, share: f32| 600.0 - 15.0 * share * (then as f32);
            let gaps = |then: i64| drivers.iter().filter(move |d| then >= d.0).map(move |d| at(then - d.0, d.1));
            let now = Time::from_s(second);
            let count = gaps(second - 1).zip(gaps(second)).filter(|&(was, is)| was > 520.0 && is <= 520.0).count();
            let [lane] = &mut lanes;
            lane.counted(520.0, count as u32, 0.1, Span::SECOND, now);
            serial += lane.advance(1.0, &SHUT, &Pace::default(), serial).1;
            let vehicles = gaps(second).filter(|&gap| gap <= 200.0).count() as u16;
            lane.seen(View { nearest: 0.0, farthest: 200.0, vehicles, queue: 0, at: now });
            serial = correct(&mut lanes, now, serial);
            lanes[0].mark();
            timed.extend(lanes[0].timed.take());
        }
        timed
    }

    #[test]
    fn who_drives_alone_is_timed_and_nobody_else() {
        // 320 m at 13.5 m/s take 23.7 s.
        let alone = timed(&[(0, 0.9)]);
        assert!(
            matches!(alone[..], [Timed { share, seconds }] if (share - 0.9).abs() < 0.04 && seconds > 22.0),
            "{alone:?}"
        );
        // Two seconds behind another he may be held by him.
        assert_eq!(timed(&[(0, 0.9), (2, 0.9)]), alone);
        assert_eq!(timed(&[(0, 0.9), (30, 0.9)]).len(), 2);
        // Whoever stops on the way does not tell how fast he drives.
        assert_eq!(timed(&[(0, 0.3)]), []);
    }

    #[test]
    fn the_pace_is_what_drivers_share_and_how_they_differ() {
        let learnt = |shares: &[f32], seconds: f32| {
            let mut pace = Pace::default();
            (0..MEMORY as usize).for_each(|at| pace.learn(Timed { share: shares[at % shares.len()], seconds }));
            (pace.believed(), pace.expected())
        };
        let near = |(a, b): (f32, f32), (c, d): (f32, f32)| (a - c).abs() < 0.02 && (b - d).abs() < 0.02;
        assert!(near((Pace::default().believed(), Pace::default().expected()), (0.85, 0.80)));
        // All alike, and timed so well that what is left of the first guess is all the difference.
        let alike = learnt(&[0.95], 1000.0);
        assert!(alike.0 > 0.91 && alike.0 < 0.95 && alike.1 < alike.0, "{alike:?}");
        // They differ by a tenth; or seem to, for the time was coarse: 1.0 over 4 s is 0.9 to 1.1.
        assert!(near(learnt(&[0.85, 1.05], 1000.0), (0.80, 0.75)), "{:?}", learnt(&[0.85, 1.05], 1000.0));
        // However they seem to differ, nobody is taken to crawl.
        assert_eq!(learnt(&[0.5, 1.3], 1000.0), (0.72, 0.72));
        assert!(learnt(&[0.9, 1.1], 4.0).0 > 0.92, "{:?}", learnt(&[0.9, 1.1], 4.0));
        // Nobody is believed to be faster than allowed.
        assert!(learnt(&[1.3], 1000.0).0 <= 1.0);
    }
}

//! When a vehicle will be where: a band, from positions with noise and gaps.

use crate::corridor::route::PACE;
use crate::corridor::way::{Place, Way};
use crate::event::Position;
use crate::keep::keep;
use crate::network::Network;
use crate::time::{Span, Time};

/// Nothing on a road is faster, m/s.
pub const SPEED_MAX: f64 = 60.0;
/// A position farther from the way than this is not on it, m.
const OFF_MAX_M: f64 = 40.0;
/// So many positions in a row beside the way mean that it was left.
pub const STRAYS_MAX: u32 = 4;
/// How much less than its own pace a vehicle is thought to make at worst.
const SLOW: f64 = 0.75;
/// How much of each second without a position the band widens by.
const WIDENS: f64 = 0.5;
/// Slower than this it tells nothing of its pace: something is in its way, m/s.
const QUEUEING_MPS: f64 = 6.0;
/// Faster than this its heading is where it drives, m/s.
pub const DRIVING_MPS: f32 = 2.0;
/// Slower than this it stands, m/s.
const STANDING_MPS: f64 = 1.0;

/// What became of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fix {
    /// It moved the vehicle along its way.
    Used,
    /// No road vehicle can be there, or so fast, after where it was.
    Absurd,
    /// It lies beside the way.
    Stray,
    /// It is older than what is known.
    Old,
}

/// How far a vehicle has come on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// From the start of the way, m.
    pub at_m: f64,
    /// When it was there.
    pub seen: Time,
    /// Its pace against the limit, learned as it drives.
    pace: f64,
    /// Since when it has stood.
    pub stands_since: Option<Time>,
    /// Positions beside the way since the last on it.
    pub strays: u32,
    /// Positions that no vehicle can have, in all.
    pub absurd: u32,
}

keep!(Progress { at_m, seen, pace, stands_since, strays, absurd });

impl Progress {
    /// It is about to set out.
    pub fn new(at: Time) -> Self {
        Self { at_m: 0.0, seen: at, pace: PACE, stands_since: None, strays: 0, absurd: 0 }
    }

    /// Learns where it is.
    pub fn hear(&mut self, network: &Network, way: &Way, position: &Position) -> Fix {
        let dt = (position.at - self.seen).s();
        if dt < 0.0 {
            return Fix::Old;
        }
        let speed = f64::from(position.speed);
        if !(0.0..=SPEED_MAX).contains(&speed) {
            self.absurd += 1;
            return Fix::Absurd;
        }
        let reach = 80.0 + 1.5 * SPEED_MAX.min(speed.max(25.0)) * dt;
        let heading = position.heading.filter(|_| position.speed > DRIVING_MPS).map(f64::from);
        let near = way.locate(network, position.point, heading, self.at_m - 60.0, self.at_m + reach);
        let Some(Place { at_m, .. }) = near.filter(|p| p.off_m <= OFF_MAX_M) else {
            self.strays += 1;
            return Fix::Stray;
        };
        if at_m > self.at_m + 80.0 + SPEED_MAX * dt.max(1.0) {
            self.absurd += 1;
            return Fix::Absurd;
        }
        self.strays = 0;
        // Where it should be by now, drawn half way to where it says to be.
        let guess = (self.at_m + speed * dt).min(way.length_m());
        let at_m = (guess + 0.5 * (at_m - guess)).max(self.at_m - 5.0);
        let limit = way.free_s(at_m) - way.free_s(self.at_m);
        if dt > 0.0 && limit > 0.2 && speed > QUEUEING_MPS {
            let weight = (dt / 20.0).min(0.3);
            self.pace += weight * ((limit / dt).clamp(0.5, 1.5) - self.pace);
        }
        self.stands_since = (speed < STANDING_MPS).then(|| self.stands_since.unwrap_or(position.at));
        self.at_m = at_m;
        self.seen = position.at;
        Fix::Used
    }

    /// The earliest and the latest instant at which it passes `at_m`, when nothing holds it on the way there.
    pub fn band(&self, way: &Way, at_m: f64, now: Time) -> (Time, Time) {
        let limit = (way.free_s(at_m) - way.free_s(self.at_m)).max(0.0);
        let silent = (now - self.seen).s().max(0.0);
        let low = self.seen + Span::nearest(limit / self.pace.max(1.0).max(PACE));
        let high = self.seen + Span::nearest(limit / (self.pace * SLOW) + WIDENS * silent);
        let low = low.max(now);
        (low, high.max(low + Span::nearest(WIDENS * silent)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Point;
    use crate::network::limits::Limits;
    use crate::twin::city::small;

    fn world() -> (Network, Way) {
        let network = Network::build(small::corridor(), &Limits::default()).expect("it is sound");
        let links = ["West>Ash", "West>Ash+", "Ash>Birch"]
            .map(|name| network.links().ids().find(|&l| *network.link(l).name == *name));
        let links: Vec<_> = links.into_iter().flatten().collect();
        let way = Way::new(&network, &links).expect("they follow");
        (network, way)
    }

    #[test]
    fn positions_move_it_and_nonsense_does_not() {
        let (network, way) = world();
        let start = network.link(way.links[0]).shape[0];
        let fix = |s: i64, along: f64, aside: f64, speed: f32| Position {
            vehicle: "v".into(),
            at: Time::from_s(s),
            point: Point { x: start.x + along, y: start.y + aside },
            speed,
            heading: Some(90.0),
        };
        let mut progress = Progress::new(Time::from_s(0));
        // (second, m along, m aside, m/s, what becomes of it)
        for (s, along, aside, speed, expected) in [
            (1, 16.0, 2.0, 16.0, Fix::Used),
            (2, 32.0, -3.0, 16.0, Fix::Used),
            (1, 16.0, 0.0, 16.0, Fix::Old),
            (3, 48.0, 0.0, 90.0, Fix::Absurd),
            (4, 64.0, 300.0, 16.0, Fix::Stray),
            (9, 144.0, 1.0, 16.0, Fix::Used), // after a gap of five seconds
        ] {
            assert_eq!(progress.hear(&network, &way, &fix(s, along, aside, speed)), expected, "second {s}");
        }
        assert!((progress.at_m - 144.0).abs() < 15.0, "{progress:?}");
        assert_eq!(progress.absurd, 1);
    }

    #[test]
    fn the_band_widens_while_nothing_is_heard() {
        let (_, way) = world();
        let progress = Progress::new(Time::from_s(100));
        let line = way.gates[0].at_m;
        let width = |now: i64| {
            let (low, high) = progress.band(&way, line, Time::from_s(now));
            (high - low).s()
        };
        assert!(width(100) > 0.0 && width(110) > width(100));
        let (low, high) = progress.band(&way, line, Time::from_s(500));
        assert!(low == Time::from_s(500) && high > low);
    }
}

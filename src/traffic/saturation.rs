//! How fast a lane discharges: saturation headway and start-up loss, learned while a queue stands behind the line.

use crate::keep::keep;
use crate::time::{Span, Time};
use crate::units::{Seconds, VehPerHour};

/// A priori, s. Source: HCM, 1 900 veh/h of green.
pub const HEADWAY: Seconds = Seconds::constant(1.9);
/// A priori, s. Source: HCM.
pub const LOSS: Seconds = Seconds::constant(2.0);
/// A priori, from green to the first vehicle's crossing, s. Between the front's crossing, 1 s, and the rear's, 2.7 s.
pub const FIRST: Seconds = Seconds::constant(1.6);
/// The saturation headway begins with this vehicle: the ones before are still starting. Source: HCM, field method.
pub const STARTING: u32 = 4;
/// A green is evaluated when at least this many more followed from the queue.
const FOLLOWING: u32 = 2;
const HEADWAY_MIN_S: f32 = 1.2;
const HEADWAY_MAX_S: f32 = 4.5;
const LOSS_MAX_S: f32 = 5.0;
const LOSS_MIN_S: f32 = -2.0;
const FIRST_MAX_S: f32 = 7.0;
/// One green counts as no more than this many seconds away from the estimate, whatever it showed …
const STEP_MAX_S: f32 = 0.4;
/// … and as this many while little is known.
const STEP_NEW_S: f32 = 1.6;
/// After so many greens something is known.
const NEW_GREENS: u16 = 20;
/// The prior counts as much as this many greens.
const PRIOR_GREENS: f32 = 4.0;
/// Later greens count for no less than one in this many.
const MEMORY_GREENS: f32 = 40.0;

/// How a lane discharges.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Discharge {
    /// Between vehicles of a queue at the stop line, s.
    pub headway_s: f32,
    /// From green to the first standing vehicle's crossing, s.
    pub startup_s: f32,
    /// By how much the fourth is late against four headways after green, s.
    pub loss_s: f32,
}

impl Default for Discharge {
    fn default() -> Self {
        Self { headway_s: HEADWAY.get() as f32, startup_s: FIRST.get() as f32, loss_s: LOSS.get() as f32 }
    }
}

impl Discharge {
    /// When nobody is slowed by the start any more, s after green.
    pub fn steady_s(&self) -> f32 {
        STARTING as f32 * self.headway_s + self.loss_s
    }

    /// What the second vehicle of a queue needs beyond a headway, s; the third and fourth need two and one third of it.
    pub fn extra_s(&self) -> f32 {
        0.5 * (self.headway_s + self.loss_s - self.startup_s).clamp(0.0, 4.0)
    }
}

keep!(Discharge { headway_s, startup_s, loss_s });

/// What was learned of the discharge of one lane.
#[derive(Debug, Clone)]
pub struct Saturation {
    headway_s: f32,
    loss_s: f32,
    first_s: f32,
    greens: u16,
    starts: u16,
    green_since: Option<Time>,
    queue: u16,
    /// Vehicles that stood a tick ago: when green shows, the first may have left already.
    stood: u16,
    crossed: u32,
    first: Time,
    fourth: Time,
    last: Time,
}

keep!(Saturation {
    headway_s,
    loss_s,
    first_s,
    greens,
    starts,
    green_since,
    queue,
    stood,
    crossed,
    first,
    fourth,
    last,
});

impl Default for Saturation {
    fn default() -> Self {
        Self {
            headway_s: HEADWAY.get() as f32,
            loss_s: LOSS.get() as f32,
            first_s: FIRST.get() as f32,
            greens: 0,
            starts: 0,
            green_since: None,
            queue: 0,
            stood: 0,
            crossed: 0,
            first: Time::EPOCH,
            fourth: Time::EPOCH,
            last: Time::EPOCH,
        }
    }
}

impl Saturation {
    /// Time between two vehicles of a standing queue.
    pub fn headway(&self) -> Seconds {
        Seconds::new(f64::from(self.headway_s)).unwrap_or(HEADWAY)
    }

    /// Vehicles per hour of green.
    pub fn flow(&self) -> VehPerHour {
        VehPerHour::new(3600.0 / f64::from(self.headway_s)).unwrap_or(VehPerHour::ZERO)
    }

    /// Greens it was learned from; with none it is the prior.
    pub fn greens(&self) -> u16 {
        self.greens
    }

    /// One tick of length `tick` that ends at `now`: whether its path is green, the vehicles that stand (`None` where
    /// nobody sees them), and those that crossed the line.
    pub fn advance(&mut self, now: Time, tick: Span, green: bool, standing: Option<u16>, crossed: u16) {
        match (self.green_since, green) {
            (None, true) => {
                self.green_since = Some(now);
                self.queue = standing.map_or(0, |now| now.max(self.stood));
                self.crossed = 0;
            }
            (Some(since), false) => {
                self.close(since);
                self.green_since = None;
            }
            _ => {}
        }
        self.stood = standing.unwrap_or(0);
        if self.green_since.is_none() || crossed == 0 || self.crossed >= u32::from(self.queue) {
            return;
        }
        // Several in one tick are taken to cross evenly within it.
        for nth in 1..=i64::from(crossed) {
            self.crossed += 1;
            if self.crossed > u32::from(self.queue) {
                break; // whoever follows did not stand when green began
            }
            let at = now - tick + Span::from_ms(tick.ms() * (2 * nth - 1) / (2 * i64::from(crossed)));
            if self.crossed == 1 {
                self.first = at;
            }
            if self.crossed == STARTING {
                self.fourth = at;
            }
            self.last = at;
        }
    }

    fn close(&mut self, since: Time) {
        let counted = self.crossed.min(u32::from(self.queue));
        if counted == 0 {
            return;
        }
        let first = (self.first - since).s() as f32;
        if first <= FIRST_MAX_S {
            self.first_s = moved(self.first_s, first, self.starts);
            self.starts = self.starts.saturating_add(1);
        }
        if counted < STARTING + FOLLOWING {
            return;
        }
        let followers = (counted - STARTING) as f32;
        let headway = (self.last - self.fourth).s() as f32 / followers;
        if !(HEADWAY_MIN_S * 0.6..=HEADWAY_MAX_S * 1.5).contains(&headway) {
            return; // blocked ahead, or the count is wrong
        }
        self.headway_s = moved(self.headway_s, headway, self.greens).clamp(HEADWAY_MIN_S, HEADWAY_MAX_S);
        let loss = (self.fourth - since).s() as f32 - STARTING as f32 * self.headway_s;
        self.loss_s = moved(self.loss_s, loss, self.greens).clamp(LOSS_MIN_S, LOSS_MAX_S);
        self.greens = self.greens.saturating_add(1);
    }
}

/// An estimate after one more green.
fn moved(old: f32, seen: f32, greens: u16) -> f32 {
    let gain = 1.0 / (f32::from(greens) + PRIOR_GREENS).min(MEMORY_GREENS);
    let most = if greens < NEW_GREENS { STEP_NEW_S } else { STEP_MAX_S };
    old + gain * (seen - old).clamp(-most, most)
}

/// What all lanes of an area have in common: where nothing has been learned of a lane, its neighbours know better than
/// the manual.
#[derive(Debug, Clone, Copy)]
pub struct Norm {
    /// Over all greens.
    sums: Discharge,
    greens: f32,
    starts: f32,
}

keep!(Norm { sums, greens, starts });

impl Default for Norm {
    fn default() -> Self {
        let sums = Discharge { headway_s: 0.0, startup_s: 0.0, loss_s: 0.0 };
        Self { sums, greens: 0.0, starts: 0.0 }
    }
}

impl Norm {
    /// One more lane.
    pub fn add(&mut self, lane: &Saturation) {
        let prior = Discharge::default();
        let seen = |own: f32, prior: f32, greens: u16| {
            let greens = f32::from(greens).min(MEMORY_GREENS);
            own * (greens + PRIOR_GREENS) - prior * PRIOR_GREENS
        };
        self.sums.headway_s += seen(lane.headway_s, prior.headway_s, lane.greens);
        self.sums.loss_s += seen(lane.loss_s, prior.loss_s, lane.greens);
        self.sums.startup_s += seen(lane.first_s, prior.startup_s, lane.starts);
        self.greens += f32::from(lane.greens).min(MEMORY_GREENS);
        self.starts += f32::from(lane.starts).min(MEMORY_GREENS);
    }

    /// A lane as it is known by itself and by its neighbours.
    pub fn told(&self, lane: &Saturation) -> Discharge {
        let prior = Discharge::default();
        let told = |own: f32, prior: f32, sum: f32, all: f32, greens: u16| {
            let shared = (prior * PRIOR_GREENS + sum) / (PRIOR_GREENS + all);
            own + PRIOR_GREENS / (PRIOR_GREENS + f32::from(greens)) * (shared - prior)
        };
        Discharge {
            headway_s: told(lane.headway_s, prior.headway_s, self.sums.headway_s, self.greens, lane.greens),
            loss_s: told(lane.loss_s, prior.loss_s, self.sums.loss_s, self.greens, lane.greens),
            startup_s: told(lane.first_s, prior.startup_s, self.sums.startup_s, self.starts, lane.starts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Greens of a minute behind which twenty stand; they cross `loss` after green, then every `headway`.
    fn greens(n: i64, headway: f64, loss: f64, standing: u16) -> Saturation {
        let mut s = Saturation::default();
        for second in 0..n * 120 {
            let (green, into) = (second % 120 >= 60, (second % 120 - 60) as f64);
            // Crossed by second t: the first a headway and the loss after green, then one a headway.
            let by = |t: f64| if t < loss { 0 } else { (((t - loss) / headway).floor() as u16).min(standing) };
            let crossed = if green { by(into) - by(into - 1.0) } else { 0 };
            s.advance(Time::from_s(second), Span::SECOND, green, Some(standing), crossed);
        }
        s
    }

    #[test]
    fn it_learns_what_the_lane_does() {
        for (headway, loss) in [(1.6, 2.0), (1.9, 1.0), (2.6, 3.0)] {
            let s = greens(120, headway, loss, 20);
            assert!((s.headway().get() - headway).abs() < 0.08, "{headway}: {}", s.headway());
            assert!((f64::from(s.loss_s) - loss).abs() < 0.6, "{loss}: {}", s.loss_s);
            assert!((f64::from(s.first_s) - (loss + headway)).abs() < 0.6, "{loss}: {}", s.first_s);
        }
    }

    #[test]
    fn without_a_standing_queue_nothing_is_learned() {
        // Six must have stood: four to start and two to follow. One is enough to see when the first crosses.
        assert_eq!(greens(30, 3.0, 2.0, 5).greens(), 0);
        assert_eq!(greens(30, 3.0, 2.0, 6).greens(), 29); // the last green has not ended
        assert_eq!((greens(30, 3.0, 2.0, 1).starts, greens(30, 3.0, 2.0, 0).starts), (29, 0));
    }

    #[test]
    fn a_lane_that_has_shown_nothing_is_taken_to_be_like_its_neighbours() {
        let (slow, new) = (greens(200, 2.6, 2.0, 20), Saturation::default());
        let mut norm = Norm::default();
        assert!(
            (norm.told(&new).headway_s - HEADWAY.get() as f32).abs() < 1e-4,
            "the manual, where nobody knows better"
        );
        for _ in 0..5 {
            norm.add(&slow);
        }
        let Discharge { headway_s, loss_s, startup_s } = norm.told(&new);
        assert!(
            (headway_s - 2.6).abs() < 0.1 && (loss_s - 2.0).abs() < 0.5 && (startup_s - 4.6).abs() < 0.5,
            "{norm:?}"
        );
        // One that has been seen often goes by itself.
        let quick = greens(200, 1.7, 1.0, 20);
        assert!((norm.told(&quick).headway_s - 1.7).abs() < 0.15, "{:?}", norm.told(&quick));
    }

    #[test]
    fn one_strange_green_moves_it_little() {
        let mut s = greens(60, 1.9, 2.0, 20);
        let before = s.headway();
        s.green_since = Some(Time::EPOCH);
        (s.queue, s.crossed, s.fourth, s.last) = (20, 20, Time::from_s(5), Time::from_s(105)); // 6.25 s each
        s.close(Time::EPOCH);
        assert!((s.headway().get() - before.get()).abs() < 0.02);
    }

    #[test]
    fn the_first_of_a_queue_are_later_by_what_was_learned() {
        // The manual's start: the first after 2.7 s, then 2.5, 2.3, 2.1: the fourth 2 s later than four headways.
        let discharge = Discharge { headway_s: 1.9, startup_s: 2.7, loss_s: 2.0 };
        assert!((discharge.extra_s() - 0.6).abs() < 1e-5 && (discharge.steady_s() - 9.6).abs() < 1e-5);
        // Where the front is counted nothing may be left to lose.
        assert!(Discharge { headway_s: 2.0, startup_s: 2.5, loss_s: 0.0 }.extra_s() < 1e-6);
    }
}

//! How fast a lane discharges: saturation headway and start-up loss, learned while a queue stands behind the line.

use crate::keep::keep;
use crate::time::{Span, Time};
use crate::units::{Seconds, VehPerHour};

/// A priori, s. Source: HCM, 1 900 veh/h of green.
pub const HEADWAY: Seconds = Seconds::constant(1.9);
/// A priori, s. Source: HCM.
pub const LOSS: Seconds = Seconds::constant(2.0);
/// The saturation headway begins with this vehicle: the ones before are still starting. Source: HCM, field method.
const STARTING: u32 = 4;
/// A green is evaluated when at least this many more followed from the queue.
const FOLLOWING: u32 = 4;
const HEADWAY_MIN_S: f32 = 1.2;
const HEADWAY_MAX_S: f32 = 4.5;
const LOSS_MAX_S: f32 = 5.0;
/// One green moves the estimate by no more than this many seconds, whatever it showed.
const STEP_MAX_S: f32 = 0.4;
/// The prior counts as much as this many greens.
const PRIOR_GREENS: u16 = 4;
/// Later greens count for no less than one in this many.
const MEMORY_GREENS: u16 = 40;

/// The discharge of one lane.
#[derive(Debug, Clone)]
pub struct Saturation {
    headway_s: f32,
    loss_s: f32,
    greens: u16,
    green_since: Option<Time>,
    queue: u16,
    /// Vehicles that stood a tick ago: when green shows, the first may have left already.
    stood: u16,
    crossed: u32,
    fourth: Time,
    last: Time,
}

keep!(Saturation { headway_s, loss_s, greens, green_since, queue, stood, crossed, fourth, last });

impl Default for Saturation {
    fn default() -> Self {
        Self {
            headway_s: HEADWAY.get() as f32,
            loss_s: LOSS.get() as f32,
            greens: 0,
            green_since: None,
            queue: 0,
            stood: 0,
            crossed: 0,
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

    /// Green that the start of the queue costs.
    pub fn start_up_loss(&self) -> Seconds {
        Seconds::new(f64::from(self.loss_s)).unwrap_or(LOSS)
    }

    /// Vehicles per hour of green.
    pub fn flow(&self) -> VehPerHour {
        VehPerHour::new(3600.0 / f64::from(self.headway_s)).unwrap_or(VehPerHour::ZERO)
    }

    /// Greens it was learned from; with none it is the prior.
    pub fn greens(&self) -> u16 {
        self.greens
    }

    /// Whether the lane has shown at least one full discharge.
    pub fn is_learned(&self) -> bool {
        self.greens > 0
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
            if self.crossed == STARTING {
                self.fourth = at;
            }
            self.last = at;
        }
    }

    fn close(&mut self, since: Time) {
        let counted = self.crossed.min(u32::from(self.queue));
        if counted < STARTING + FOLLOWING {
            return;
        }
        let followers = (counted - STARTING) as f32;
        let headway = (self.last - self.fourth).s() as f32 / followers;
        if !(HEADWAY_MIN_S * 0.6..=HEADWAY_MAX_S * 1.5).contains(&headway) {
            return; // blocked ahead, or the count is wrong
        }
        let gain = 1.0 / f32::from((self.greens + PRIOR_GREENS).min(MEMORY_GREENS));
        let moved = |old: f32, seen: f32| old + gain * (seen - old).clamp(-STEP_MAX_S, STEP_MAX_S) * 1.0;
        self.headway_s = moved(self.headway_s, headway).clamp(HEADWAY_MIN_S, HEADWAY_MAX_S);
        let loss = (self.fourth - since).s() as f32 - STARTING as f32 * self.headway_s;
        self.loss_s = moved(self.loss_s, loss).clamp(0.0, LOSS_MAX_S);
        self.greens = self.greens.saturating_add(1);
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
            assert!((s.start_up_loss().get() - loss).abs() < 0.6, "{loss}: {}", s.start_up_loss());
        }
    }

    #[test]
    fn without_a_standing_queue_nothing_is_learned() {
        // Eight must have stood: four to start and four to follow.
        assert_eq!(greens(30, 3.0, 2.0, 7).greens(), 0);
        assert_eq!(greens(30, 3.0, 2.0, 8).greens(), 29); // the last green has not ended
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
}

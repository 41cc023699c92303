//! How many vehicles a link holds, tick by tick: what its sensors see, and what lies beyond their view.
//!
//! The view ends where the camera's does, or at the entry loops. `entered` counts what passes that edge: the loops say
//! so, or it is the change of the vehicles in view plus those that left. Over any longer time it equals what left, so
//! that the time spent beyond the edge does not depend on knowing the inflow as long as traffic flows freely there.
//! Only while a queue covers the edge does the inflow from upstream decide. Its error adds up as long as that lasts;
//! when the queue has cleared, the vehicles beyond are known again, and the time booked meanwhile is put right.

use crate::keep::keep;

/// A queue that covers the edge, and has not yet seen off its last vehicle, discharges at least at this share of
/// saturation, veh/s and lane.
const DISCHARGING_VEH_S: f32 = 0.26;
/// The rate over the edge is smoothed over this long, s: two or three headways.
const FAST_S: f32 = 6.0;
/// The mean rate over the edge is smoothed over this long, s: two or three cycles.
const SLOW_S: f32 = 240.0;
/// Nobody stays covered for longer without a second thought, s.
const COVERED_MAX_S: f32 = 1800.0;
/// Where nobody knows the inflow, a queue that covers the edge fills the rest of the road in about this, s.
const FILLING_S: f32 = 180.0;
/// A view that is no fuller than this has no queue behind it: discharging traffic is less dense.
const CLEAR_FILL: f32 = 0.4;
/// In between, what is believed to be beyond is forgotten over this long, s.
const RELAXING_S: f32 = 120.0;
/// A standing vehicle and its gap, m.
const SPACING_M: f32 = 7.5;

/// What a tick brought to one link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tick {
    /// Its length, s.
    pub dt_s: f32,
    /// Vehicles in view now.
    pub seen: Option<f32>,
    /// Vehicles that passed the entry loops, where these are the edge.
    pub entered: Option<f32>,
    /// Vehicles that left; `None` where nobody counts them.
    pub left: Option<f32>,
    /// Vehicles that came from upstream; `None` where nobody knows.
    pub inflow: Option<f32>,
    /// Lanes on which a queue covers the edge.
    pub covered: u8,
    /// How full of standing vehicles the view could be at most, lane by lane: 0 to 1.
    pub fill: f32,
    /// Share of the lanes whose queue was found to have cleared, where nobody sees the vehicles.
    pub cleared: f32,
    /// The share of the limit at which those drive who are beyond the edge.
    pub pace: f32,
}

impl Default for Tick {
    /// Nobody is seen, and everybody drives at the limit.
    fn default() -> Self {
        let (seen, entered, left, inflow) = (None, None, None, None);
        Self { dt_s: 0.0, seen, entered, left, inflow, covered: 0, fill: 0.0, cleared: 0.0, pace: 1.0 }
    }
}

/// Vehicle-time of one tick.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spent {
    /// Spent, vehicle-seconds; negative where an earlier tick's was too much.
    pub veh_s: f32,
    /// At free flow, for the distance driven.
    pub free_veh_s: f32,
    /// Vehicles that left.
    pub left: f32,
}

/// The vehicles of one link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stock {
    /// Free-flow time from the start to the edge, s.
    beyond_s: f32,
    /// Free-flow time from the edge to the end, s.
    view_s: f32,
    /// Vehicles that fit beyond the edge.
    room: f32,
    seen: f32,
    beyond: f32,
    fast: f32,
    slow: f32,
    /// How long the edge has been covered, s; 0 while it is not.
    covered_s: f32,
    lanes_covered: u8,
    started: bool,
}

keep!(Stock { beyond_s, view_s, room, seen, beyond, fast, slow, covered_s, lanes_covered, started });

impl Stock {
    /// An empty link of `length_m` and `lanes` at `speed`, whose view reaches `view_m` upstream.
    pub fn new(length_m: f32, view_m: f32, speed: f32, lanes: usize) -> Self {
        let view_m = view_m.clamp(0.0, length_m);
        Self {
            beyond_s: (length_m - view_m) / speed,
            view_s: view_m / speed,
            room: (length_m - view_m) / SPACING_M * lanes as f32,
            seen: 0.0,
            beyond: 0.0,
            fast: 0.0,
            slow: 0.0,
            covered_s: 0.0,
            lanes_covered: 0,
            started: false,
        }
    }

    /// Moves the edge, keeping every vehicle: a camera fell silent or came back.
    pub fn move_edge(&mut self, length_m: f32, view_m: f32, speed: f32, lanes: usize) {
        let all = self.total();
        let old = *self;
        *self = Self { fast: old.fast, slow: old.slow, started: false, ..Self::new(length_m, view_m, speed, lanes) };
        self.beyond = (self.slow * self.beyond_s).min(all);
        self.seen = all - self.beyond;
    }

    /// Vehicles in view.
    pub fn seen(&self) -> f32 {
        self.seen
    }

    /// Vehicles beyond the edge.
    pub fn beyond(&self) -> f32 {
        self.beyond.clamp(0.0, self.room.max(self.slow * self.beyond_s))
    }

    /// Vehicles on the link.
    pub fn total(&self) -> f32 {
        self.seen + self.beyond()
    }

    /// Vehicles that stand or crawl beyond the edge: those that are more than free traffic explains.
    pub fn queued_beyond(&self) -> f32 {
        if self.covered_s > 0.0 { (self.beyond() - self.slow * self.beyond_s).max(0.0) } else { 0.0 }
    }

    /// Mean rate over the edge, veh/s.
    pub fn rate(&self) -> f32 {
        self.slow
    }

    /// Vehicles that reach the end of the link in a tick, where no sensor counts them.
    pub(crate) fn flowing(&self, dt_s: f32) -> f32 {
        if self.beyond_s > 0.0 { self.beyond * (dt_s / self.beyond_s).min(1.0) } else { 0.0 }
    }

    /// Closes one tick.
    pub fn advance(&mut self, tick: &Tick) -> Spent {
        let dt = tick.dt_s;
        let before = self.seen;
        let model = tick.entered.is_none() && tick.seen.is_none();
        let left = tick.left.unwrap_or_else(|| if model && self.view_s <= 0.0 { self.flowing(dt) } else { 0.0 });
        let entered = match (tick.seen, tick.entered) {
            (_, Some(entered)) => entered,
            (Some(seen), None) if self.started => seen - self.seen + left,
            (Some(_), None) => left,
            // Nothing marks the edge: what has been on its way for long enough arrives.
            (None, None) if self.beyond_s > 0.0 => self.flowing(dt),
            (None, None) => tick.inflow.unwrap_or(left),
        };
        self.started = true;
        self.seen = match tick.seen {
            Some(seen) => seen,
            None if self.view_s <= 0.0 => 0.0,
            None => (self.seen + entered - left).max(0.0) * (1.0 - tick.cleared),
        };
        let smooth = |old: f32, span: f32| old + (dt / span).min(1.0) * (entered / dt.max(1e-3) - old);
        self.fast = smooth(self.fast, FAST_S);
        self.slow = smooth(self.slow, SLOW_S).max(0.0);
        let mut spent = if tick.seen.is_some() { 0.5 * (before + self.seen) * dt } else { self.seen * dt };
        spent += self.beyond_edge(tick, entered, model);
        let free = if model && self.view_s <= 0.0 { left * self.beyond_s } else { entered * self.beyond_s };
        Spent { veh_s: spent, free_veh_s: free + left * self.view_s, left }
    }

    fn beyond_edge(&mut self, tick: &Tick, entered: f32, model: bool) -> f32 {
        let dt = tick.dt_s;
        if self.beyond_s <= 0.0 {
            return 0.0;
        }
        if model {
            self.beyond = (self.beyond + tick.inflow.unwrap_or(0.0) - entered).max(0.0);
            return self.beyond * dt;
        }
        if self.covered_s <= 0.0 {
            // What is on its way leaves an exponential queue whose area is exactly the travel time of each.
            self.beyond += entered - self.beyond * (dt * tick.pace / self.beyond_s).min(1.0);
            self.lanes_covered = tick.covered;
            if tick.covered > 0 {
                self.covered_s = dt;
                self.beyond = self.slow * self.beyond_s / tick.pace;
            }
            return self.beyond * dt;
        }
        self.covered_s += dt;
        self.lanes_covered = self.lanes_covered.max(tick.covered);
        self.beyond += match tick.inflow {
            Some(inflow) => inflow - entered,
            // Nobody knows what comes; a queue that does not go grows until the road is full.
            None => (self.room - self.beyond).max(0.0) * (dt / FILLING_S).min(1.0),
        };
        let booked = self.beyond() * dt;
        let discharging = self.fast > DISCHARGING_VEH_S * f32::from(self.lanes_covered);
        if tick.covered > 0 || (discharging && self.covered_s < COVERED_MAX_S) {
            return booked;
        }
        let known = self.slow * self.beyond_s / tick.pace;
        if tick.fill > CLEAR_FILL && self.covered_s < COVERED_MAX_S {
            // The view is still full of vehicles: whether there are more behind them is anybody's guess.
            self.beyond += (known - self.beyond) * (dt / RELAXING_S).min(1.0);
            return booked;
        }
        // The queue is gone: what is beyond now is known, and what it was wrong by grew all the while.
        let wrong = self.beyond.clamp(-self.room, 2.0 * self.room) - known;
        let correction = 0.5 * wrong * self.covered_s;
        (self.beyond, self.covered_s, self.lanes_covered) = (known, 0.0, 0);
        booked - correction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_onto_a_short_link_is_there_until_the_line_counts_him() {
        // 50 m of which the line tells, as far as anything does: somebody comes, and leaves twenty seconds later.
        let mut stock = Stock::new(50.0, 60.0, 15.0, 1);
        let mut second = |inflow: f32, left: f32| {
            let tick = Tick { dt_s: 1.0, inflow: Some(inflow), left: Some(left), ..Tick::default() };
            stock.advance(&tick).veh_s
        };
        let spent: f32 = second(1.0, 0.0) + (1..20).map(|_| second(0.0, 0.0)).sum::<f32>() + second(0.0, 1.0);
        assert!((spent - 20.0).abs() < 1e-3, "{spent}");
    }

    #[test]
    fn those_beyond_the_view_spend_what_drivers_take() {
        // 300 m of which 100 are seen, at 20 m/s: 10 s beyond the view at the limit, 12.5 at 0.8 of it.
        for (pace, expected) in [(1.0, 15.0), (0.8, 17.5)] {
            let (mut stock, mut spent, mut left) = (Stock::new(300.0, 100.0, 20.0, 1), 0.0, 0.0);
            for second in 0..2000 {
                // One every ten seconds comes into view and is gone five later.
                let phase = second % 10;
                let seen = Some(if phase < 5 { 1.0 } else { 0.0 });
                let gone = if phase == 5 { 1.0 } else { 0.0 };
                let tick = Tick { dt_s: 1.0, seen, left: Some(gone), pace, ..Tick::default() };
                (spent, left) = (spent + stock.advance(&tick).veh_s, left + gone);
            }
            assert!((spent / left - expected).abs() < 0.2, "{pace}: {}", spent / left);
        }
    }
}

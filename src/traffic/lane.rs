//! What is known of one lane: this tick's counts, its view, and the flows, queue and discharge learned from them.

use crate::ids::{GroupSet, JunctionId};
use crate::keep::{keep, resume};
use crate::time::{Span, Time};
use crate::traffic::flow::Smoothed;
use crate::traffic::queue::BreakPoints;
use crate::traffic::saturation::Saturation;
use crate::units::{Metres, MetresPerSecond};

/// A camera's view of a lane this old still counts.
pub(crate) const VIEW_AGE_MAX: Span = Span::from_s(3);

/// What a lane's sensors said in the tick that is open.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Heard {
    /// Vehicles over the stop line.
    pub(crate) out: f32,
    /// Vehicles over the entry loop.
    pub(crate) in_: f32,
    /// A loop at the stop line spoke.
    pub(crate) out_heard: bool,
    /// The entry loop spoke.
    pub(crate) in_heard: bool,
    /// The loop at the stop line is covered.
    pub(crate) occupied: bool,
}

keep!(Heard { out, in_, out_heard, in_heard, occupied });

/// What is known of one lane.
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    pub(crate) heard: Heard,
    pub(crate) vehicles: u16,
    pub(crate) queue: u16,
    pub(crate) seen_at: Time,
    /// Its stop line and entry loops exist and can be believed.
    pub(crate) out_ok: bool,
    pub(crate) in_ok: bool,
    /// What releases its paths, if a signal does.
    pub(crate) signal: Option<(JunctionId, GroupSet)>,
    /// How long its open stop line has had nobody on it.
    pub(crate) idle_ms: u32,
    /// Vehicles between its loops.
    pub(crate) between: f32,
    /// What its stop line says comes too late to tell when a vehicle crossed.
    pub(crate) late: bool,
    /// Vehicles by either loop since they were last compared.
    pub(crate) out_sum: f32,
    pub(crate) in_sum: f32,
    /// Vehicles on their way from its entry loop to its stop line, as if no queue kept them.
    pub(crate) underway: f32,
    /// The last full minute's flow, veh/h; negative where it was not heard.
    pub(crate) rate: f32,
    pub(crate) out: Smoothed,
    pub(crate) arrivals: Smoothed,
    pub(crate) saturation: Saturation,
    pub(crate) points: BreakPoints,
    /// Its entry loop's distance to the stop line.
    pub(crate) entry_at: Metres,
    pub(crate) speed: MetresPerSecond,
}

resume!(Lane {
    kept: heard, vehicles, queue, seen_at, out_ok, in_ok, idle_ms, between, late, out_sum, in_sum, underway, rate,
        out, arrivals, saturation, points;
    built: signal, entry_at, speed
});

impl Lane {
    pub(crate) fn new(signal: Option<(JunctionId, GroupSet)>, speed: MetresPerSecond) -> Self {
        Self {
            heard: Heard::default(),
            vehicles: 0,
            queue: 0,
            seen_at: Time::LONG_AGO,
            out_ok: false,
            in_ok: false,
            signal,
            idle_ms: 0,
            between: 0.0,
            late: false,
            out_sum: 0.0,
            in_sum: 0.0,
            underway: 0.0,
            rate: -1.0,
            out: Smoothed::default(),
            arrivals: Smoothed::default(),
            saturation: Saturation::default(),
            points: BreakPoints::default(),
            entry_at: Metres::ZERO,
            speed,
        }
    }

    /// Adds what a tick of length `dt` brought to the accounts of its two loops.
    pub(crate) fn add_up(&mut self, dt: Span) {
        self.out_sum += self.heard.out;
        self.in_sum += self.heard.in_;
        let way_s = self.entry_at.get() / self.speed.get().max(1.0);
        self.underway += self.heard.in_ - self.underway * (dt.s() / way_s.max(dt.s())) as f32;
    }

    /// Vehicles and those that stand, while the camera sees them.
    pub(crate) fn view(&self, now: Time) -> Option<(u16, u16)> {
        (now - self.seen_at <= VIEW_AGE_MAX).then_some((self.vehicles, self.queue))
    }
}

//! Cameras: the number of vehicles in view corrects the number believed, as far as successive counts can be trusted.

use super::lane::{LaneTrack, SPACING, STOP_GAP, Vehicle};
use crate::keep::keep;
use crate::time::{Span, Time};

/// A model vehicle this near to the edge of the view may as well be on its other side, m.
const EDGE_M: f32 = 25.0;
/// Weight of a new disagreement between successive counts in the noise of a camera.
const NOISE_WEIGHT: f32 = 0.03;
/// By how much the variance of a lane's count grows, vehicles² a second.
const DRIFT: f32 = 0.02;
/// The variance of a lane about which nothing is known, vehicles².
const UNKNOWN: f32 = 9.0;
/// A lane is corrected when it is more likely wrong by one vehicle than right.
const WRONG: f32 = 0.5;
/// A camera that has been silent for this long sees nothing.
const FORGOTTEN: Span = Span::from_s(10);

/// What a camera said about a lane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct View {
    pub(super) nearest: f32,
    pub(super) farthest: f32,
    pub(super) vehicles: u16,
    pub(super) queue: u16,
    pub(super) at: Time,
}

keep!(View { nearest, farthest, vehicles, queue, at });

/// How far the model can be trusted: a Kalman filter on the number of vehicles it lacks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Belief {
    /// How many vehicles are there that the model lacks; negative where it has too many.
    missing: f32,
    /// Variance of that, vehicles².
    pub(super) variance: f32,
    /// Variance of one count, vehicles².
    pub(super) noise: f32,
    last: Option<f32>,
    unseen: bool,
}

keep!(Belief { missing, variance, noise, last, unseen });

impl Default for Belief {
    fn default() -> Self {
        Self { missing: 0.0, variance: 1.0, noise: 0.05, last: None, unseen: false }
    }
}

impl Belief {
    /// Time passed, and some crossed that were not known to be there.
    pub(super) fn crossed(&mut self, unknown: usize, dt: f32) {
        self.variance = (self.variance + DRIFT * dt + 0.1 * unknown as f32).min(UNKNOWN);
    }

    /// A vehicle was found missing or too many.
    pub(super) fn lost(&mut self) {
        self.variance = (self.variance + 0.3).min(UNKNOWN);
    }

    /// The lane was seen empty.
    pub(super) fn certain(&mut self) {
        self.variance *= 0.8;
    }

    /// A camera counted so many more than the model has.
    fn update(&mut self, more: f32) {
        if let Some(last) = self.last {
            // Half the squared difference of successive counts is their variance, for the model's error hardly moves.
            self.noise += NOISE_WEIGHT * (0.5 * (more - last) * (more - last) - self.noise);
        }
        self.last = Some(more);
        let gain = self.variance / (self.variance + self.noise + 1e-3);
        self.missing += gain * (more - self.missing);
        self.variance *= 1.0 - gain;
        self.unseen = true;
    }

    fn added(&mut self, by: f32) {
        self.missing -= by;
        self.last = self.last.map(|last| last - by);
    }
}

impl LaneTrack {
    /// Takes a camera's word.
    pub(super) fn seen(&mut self, view: View) {
        self.view = Some(view);
        let more = f32::from(view.vehicles) - self.in_view(&view).count() as f32;
        self.belief.update(more);
    }

    fn in_view(&self, view: &View) -> impl DoubleEndedIterator<Item = usize> + use<> {
        let first = self.vehicles.partition_point(|v| v.gap < view.nearest);
        let end = self.vehicles.partition_point(|v| v.gap <= view.farthest.min(self.length));
        first..end.max(first)
    }

    fn standing(&self, view: &View) -> usize {
        self.in_view(view).filter(|&at| self.vehicles[at].stands()).count()
    }

    /// The vehicle whose place is least certain: the last of a queue that is too long, else the last in view.
    fn least_certain(&self, view: &View) -> Option<usize> {
        let too_long = self.standing(view) > usize::from(view.queue);
        let mut back = self.in_view(view).rev();
        if too_long { back.find(|&at| self.vehicles[at].stands()) } else { back.next() }
    }

    fn add(&mut self, view: &View, seed: u32) {
        let last = self.in_view(view).next_back();
        let beyond = last.map_or(self.vehicles.partition_point(|v| v.gap < view.nearest), |at| at + 1);
        let next = self.vehicles.get(beyond).map(|v| v.gap);
        if usize::from(view.queue) > self.standing(view) && self.in_view(view).count() < usize::from(view.queue) {
            let tail = last.map_or(view.nearest.max(STOP_GAP), |at| self.vehicles[at].gap + SPACING);
            self.insert(Vehicle { gap: tail.min(self.length), speed: 0.0, seed });
        } else if next.is_some_and(|gap| gap < view.farthest + 2.0 * EDGE_M) {
            let floor = last.map_or(view.nearest, |at| self.vehicles[at].gap + SPACING);
            self.vehicles[beyond].gap = (view.farthest - 0.5).max(floor).min(self.vehicles[beyond].gap);
        } else {
            self.insert(Vehicle { gap: (view.farthest - 2.0).clamp(0.0, self.length), speed: self.speed, seed });
        }
    }

    fn remove(&mut self, view: &View) -> Option<Vehicle> {
        let at = self.least_certain(view)?;
        let last = self.vehicles[at];
        if last.gap > view.farthest - EDGE_M && view.farthest + 1.0 < self.length {
            self.vehicles[at].gap = view.farthest + 1.0;
            self.vehicles.sort_by(|a, b| a.gap.total_cmp(&b.gap));
            return None;
        }
        Some(self.vehicles.remove(at))
    }

    /// Under red the queue stands from the line back.
    fn place_queue(&mut self, view: &View) {
        if self.open || view.nearest > STOP_GAP + SPACING {
            return;
        }
        let standing = self.vehicles.iter_mut().take(usize::from(view.queue));
        for (place, vehicle) in standing.enumerate() {
            vehicle.gap = vehicle.gap.min(STOP_GAP + SPACING * place as f32);
            vehicle.speed = 0.0;
        }
    }
}

/// Corrects the lanes of one link; the next unused seed.
pub(super) fn correct(lanes: &mut [LaneTrack], now: Time, mut serial: u32) -> u32 {
    for lane in lanes.iter_mut() {
        if lane.view.is_some_and(|view| now - view.at > FORGOTTEN) {
            lane.view = None;
        }
    }
    let seen = lanes.iter_mut().fold(false, |any, lane| any | std::mem::take(&mut lane.belief.unseen));
    if !seen {
        return serial;
    }
    // A vehicle too many beside one too few has changed lanes.
    while let (Some(from), Some(to)) = (
        lanes.iter().position(|l| l.belief.missing < -WRONG && l.view.is_some() && !l.vehicles.is_empty()),
        lanes.iter().position(|l| l.belief.missing > WRONG && l.view.is_some()),
    ) {
        let moved = lanes[from].view.and_then(|view| lanes[from].least_certain(&view));
        lanes[from].belief.added(-1.0);
        lanes[to].belief.added(1.0);
        if let Some(at) = moved {
            let vehicle = lanes[from].vehicles.remove(at);
            lanes[to].insert(vehicle);
        }
    }
    for lane in lanes {
        let Some(view) = lane.view else { continue };
        for _ in 0..16 {
            if lane.belief.missing > WRONG {
                serial += 1;
                lane.add(&view, LaneTrack::fresh(serial));
                lane.belief.added(1.0);
            } else if lane.belief.missing < -WRONG {
                lane.remove(&view);
                lane.belief.added(-1.0);
            } else {
                break;
            }
        }
        lane.place_queue(&view);
    }
    serial
}

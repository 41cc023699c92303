//! Cameras: the number of vehicles in view corrects the number believed, as far as successive counts can be trusted.

use super::lane::{LaneTrack, SPACING, STOP_GAP, Vehicle};
use crate::keep::keep;
use crate::time::{Span, Time};

/// A model vehicle this near to the edge of the view may as well be on its other side, m.
const EDGE_M: f32 = 25.0;
/// So many times in a row a vehicle is turned back at the edge of the view before it is given up.
const TURNED_BACK: u16 = 4;
/// Who comes into view on a lane where nobody was expected is taken to be one who was expected beside it, if that one is
/// believed no farther than this from the edge, m, or not much farther for the way that he drove ([`BEHIND`]).
const BESIDE_M: f32 = 60.0;
/// Drivers differ, so whoever comes into view may have been believed to be farther back by this share of the way that nobody
/// sees.
const BEHIND: f32 = 0.25;
/// Weight of a new disagreement between successive counts in the noise of a camera.
const NOISE_WEIGHT: f32 = 0.03;
/// By how much the variance of a lane's count grows, vehicles² a second.
const DRIFT: f32 = 0.02;
/// The variance of a lane about which nothing is known, vehicles².
const UNKNOWN: f32 = 9.0;
/// A lane is corrected when it is more likely wrong by one vehicle than right.
const WRONG: f32 = 0.5;
/// A view of which those who are counted would fill this share, standing, may be covered by a queue.
const CROWDED: f32 = 0.6;
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

impl View {
    /// Whether a queue may reach its far edge: it is crowded.
    fn queued(&self) -> bool {
        f32::from(self.vehicles) * SPACING > CROWDED * (self.farthest - self.nearest)
    }
}

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
    }

    fn added(&mut self, by: f32) {
        self.missing -= by;
        self.last = self.last.map(|last| last - by);
    }
}

impl LaneTrack {
    /// Takes a camera's word, unless the lane is so short that whoever waits at its end is seen on the one before.
    pub(super) fn seen(&mut self, view: View) {
        if self.length < SPACING {
            return;
        }
        self.view = Some(view);
        self.belief.unseen = true;
    }

    /// Compares what was seen with what is believed, at the same instant. A vehicle near the far edge of the view may be on
    /// either side of it: the count tells on which, so that everybody's entry is known to the second. What that leaves is
    /// a disagreement.
    fn compare(&mut self) {
        let Some(view) = self.view else { return };
        let inside = self.in_view(&view);
        let counted = usize::from(view.vehicles);
        let end = if view.farthest + 1.0 < self.length { self.settle_edge(&view, counted) } else { inside.end };
        self.belief.update(counted as f32 - end.saturating_sub(inside.start) as f32);
    }

    /// Puts as many of those near the far edge of the view inside as were counted; the first that is outside then.
    fn settle_edge(&mut self, view: &View, counted: usize) -> usize {
        let inside = self.in_view(view);
        let near_edge = |v: &&Vehicle| (v.gap - view.farthest).abs() <= EDGE_M && !v.stands();
        let sure = inside.end - self.vehicles[inside.clone()].iter().rev().take_while(near_edge).count();
        let maybe = inside.end + self.vehicles[inside.end..].iter().take_while(near_edge).count();
        let end = (inside.start + counted).clamp(sure, maybe);
        (inside.end..end).for_each(|at| self.enter_view(view, at));
        self.turn_back(end, view.farthest + 0.5, view.queued());
        let comes = end.checked_sub(1).filter(|&at| self.vehicles[at].gap + self.vehicles[at].speed > view.farthest);
        if let Some(at) = comes {
            self.passes(at, view.farthest);
        }
        self.turned_back = if end < inside.end { self.turned_back + 1 } else { 0 };
        if self.turned_back > TURNED_BACK {
            // It was expected again and again and never came: it went elsewhere.
            self.turned_back = 0;
            self.vehicles.remove(end);
            self.belief.lost();
        }
        end
    }

    /// The vehicle in a place of the row has just come into view: some time within the last second.
    fn enter_view(&mut self, view: &View, at: usize) {
        let floor = if at > 0 { self.vehicles[at - 1].gap + SPACING } else { view.nearest };
        let vehicle = &mut self.vehicles[at];
        vehicle.gap = (view.farthest - 0.5 * vehicle.speed).max(floor).min(vehicle.gap);
    }

    /// Whether a vehicle that is missing stands in the queue.
    fn lacks_queue(&self, view: &View) -> bool {
        let queue = usize::from(view.queue);
        queue > self.standing(view) && queue > self.in_view(view).len()
    }

    /// Whether a vehicle that is missing has just come into view and is not one that was expected on this lane.
    fn expects_nobody(&self, view: &View) -> bool {
        let expected = self.next_in(view, 2.0 * EDGE_M).is_some();
        !self.lacks_queue(view) && !expected && view.farthest + 1.0 < self.length
    }

    /// The next vehicle to come into view, if it is within so many metres of the edge: its place in the row.
    fn outside(&self, view: &View, within_m: f32) -> Option<usize> {
        let first = self.in_view(view).end;
        self.vehicles.get(first).filter(|v| v.gap < view.farthest + within_m).map(|_| first)
    }

    /// The same, if it is so near or may be nearer than believed.
    fn next_in(&self, view: &View, within_m: f32) -> Option<usize> {
        self.outside(view, within_m.max(BEHIND * (self.length - view.farthest)))
    }

    fn in_view(&self, view: &View) -> std::ops::Range<usize> {
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
        if self.lacks_queue(view) {
            let tail = last.map_or(view.nearest.max(STOP_GAP), |at| self.vehicles[at].gap + SPACING);
            self.insert(self.found(tail.min(self.length), 0.0, seed));
        } else if let Some(next) = self.next_in(view, 2.0 * EDGE_M) {
            self.enter_view(view, next);
        } else {
            let gap = (view.farthest - 0.5 * self.speed).clamp(0.0, self.length);
            self.insert(self.found(gap, self.speed, seed));
        }
    }

    fn remove(&mut self, view: &View) {
        let Some(at) = self.least_certain(view) else { return };
        let vehicle = self.vehicles.remove(at);
        let near_edge = vehicle.gap > view.farthest - EDGE_M && view.farthest + 1.0 < self.length;
        // It may be beyond the edge, unless somebody is expected there already.
        if near_edge && (view.queued() || self.outside(view, SPACING).is_none()) {
            self.insert(Vehicle { gap: view.farthest + 1.0, ..vehicle });
        }
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

/// The vehicle nearest to the edge of the view on the lanes beside `at` comes into view on that one; whether there was one.
fn take_from_beside(lanes: &mut [LaneTrack], at: usize, view: &View) -> bool {
    let beside = lanes.iter().enumerate().filter(|&(other, _)| other != at);
    let near = beside.filter_map(|(other, lane)| {
        let place = lane.next_in(view, BESIDE_M)?;
        Some((other, place, lane.vehicles[place].gap))
    });
    let Some((other, place, _)) = near.min_by(|a, b| a.2.total_cmp(&b.2)) else { return false };
    let vehicle = lanes[other].vehicles.remove(place);
    let gap = view.farthest - 0.5 * vehicle.speed;
    lanes[at].insert(Vehicle { gap, ..vehicle });
    lanes[at].belief.added(1.0);
    true
}

/// Corrects the lanes of one link; the next unused seed.
pub(super) fn correct(lanes: &mut [LaneTrack], now: Time, mut serial: u32) -> u32 {
    for lane in lanes.iter_mut() {
        if lane.view.is_some_and(|view| now - view.at > FORGOTTEN) {
            lane.view = None;
        }
    }
    let mut seen = false;
    for lane in lanes.iter_mut() {
        if std::mem::take(&mut lane.belief.unseen) {
            lane.compare();
            seen = true;
        }
    }
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
    for at in 0..lanes.len() {
        let Some(view) = lanes[at].view else { continue };
        while lanes[at].belief.missing > WRONG && lanes[at].expects_nobody(&view) && take_from_beside(lanes, at, &view)
        {
        }
        let lane = &mut lanes[at];
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_s(1000);

    fn lane(gaps: &[f32]) -> LaneTrack {
        let vehicles = gaps.iter().map(|&gap| Vehicle { gap, speed: 15.0, seed: 1, age: 0.0 }).collect();
        let mut lane = LaneTrack::default();
        (lane.vehicles, lane.length, lane.speed) = (vehicles, 300.0, 15.0);
        lane
    }

    fn gaps(lane: &LaneTrack) -> Vec<f32> {
        lane.vehicles.iter().map(|v| v.gap).collect()
    }

    /// A camera that sees the last 200 m counts so many, and nobody stands.
    fn counts(lane: &mut LaneTrack, vehicles: u16) {
        lane.seen(View { nearest: 0.0, farthest: 200.0, vehicles, queue: 0, at: NOW });
    }

    #[test]
    fn a_count_is_held_against_the_same_second() {
        // What was counted when the first had crossed is read before the model lets it cross.
        let mut lanes = [lane(&[1.0, 80.0])];
        let noise = lanes[0].belief.noise;
        counts(&mut lanes[0], 2);
        correct(&mut lanes, NOW, 1);
        counts(&mut lanes[0], 1);
        lanes[0].pop();
        correct(&mut lanes, NOW, 1);
        assert_eq!(gaps(&lanes[0]), [80.0]);
        assert!(lanes[0].belief.noise < noise, "a camera that is right was taken to be noisy");
    }

    #[test]
    fn nobody_is_missed_who_waits_before_a_lane_that_is_too_short_for_him() {
        let mut lanes = [LaneTrack { length: 0.9, ..lane(&[0.9]) }];
        for _ in 0..30 {
            counts(&mut lanes[0], 0);
            correct(&mut lanes, NOW, 1);
        }
        assert_eq!(gaps(&lanes[0]), [0.9]);
    }

    #[test]
    fn a_count_tells_on_which_side_of_the_edge_somebody_is() {
        for (counted, expected) in [(1, [150.0, 200.5, 210.0]), (2, [150.0, 190.0, 210.0]), (3, [150.0, 190.0, 197.5])]
        {
            let mut lanes = [lane(&[150.0, 190.0, 210.0])];
            counts(&mut lanes[0], counted);
            assert_eq!(correct(&mut lanes, NOW, 1), 1);
            assert_eq!(gaps(&lanes[0]), expected, "{counted} counted");
        }
    }

    #[test]
    fn who_is_expected_again_and_again_and_never_comes_went_elsewhere() {
        let mut lanes = [lane(&[190.0])];
        for second in 0..=TURNED_BACK {
            assert_eq!(lanes[0].vehicles.len(), 1, "{second}");
            lanes[0].vehicles[0].gap = 190.0;
            counts(&mut lanes[0], 0);
            correct(&mut lanes, NOW, 1);
        }
        assert!(lanes[0].vehicles.is_empty());
    }

    #[test]
    fn who_drove_far_unseen_may_come_into_view_long_before_he_is_believed_there() {
        // Believed 110 m before the edge, when he has driven 500 m unseen or 120, on the lane where he comes or beside it.
        for (length, one, beside) in
            [(700.0, vec![192.5], (vec![192.5], vec![])), (320.0, vec![192.5, 310.0], (vec![192.5], vec![310.0]))]
        {
            let long = |gaps: &[f32]| LaneTrack { length, ..lane(gaps) };
            let mut lanes = [long(&[310.0])];
            counts(&mut lanes[0], 1);
            correct(&mut lanes, NOW, 1);
            assert_eq!(gaps(&lanes[0]), one, "{length}");
            let mut lanes = [long(&[]), long(&[310.0])];
            counts(&mut lanes[0], 1);
            counts(&mut lanes[1], 0);
            correct(&mut lanes, NOW, 1);
            assert_eq!((gaps(&lanes[0]), gaps(&lanes[1])), beside, "{length}");
        }
    }

    #[test]
    fn who_comes_into_view_beside_where_it_was_expected_is_one_vehicle_not_two() {
        let mut lanes = [lane(&[]), lane(&[230.0])];
        counts(&mut lanes[0], 1);
        counts(&mut lanes[1], 0);
        assert_eq!(correct(&mut lanes, NOW, 1), 1);
        assert_eq!((gaps(&lanes[0]), gaps(&lanes[1])), (vec![192.5], Vec::new()));
        // Nobody was expected anywhere: it is a new one.
        let mut lanes = [lane(&[]), lane(&[280.0])];
        counts(&mut lanes[0], 1);
        counts(&mut lanes[1], 0);
        assert_eq!(correct(&mut lanes, NOW, 1), 2);
        assert_eq!((gaps(&lanes[0]), gaps(&lanes[1])), (vec![192.5], vec![280.0]));
    }
}

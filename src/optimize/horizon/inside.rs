//! Who has crossed the line, gives way, and is still inside the junction.
//!
//! No sensor looks there. Whoever crosses while he gives way is taken to wait inside until a gap comes to those he gives
//! way to, or their green ends. Where the cross street starts before he is out, he and those who turn there can hold each
//! other for ever; so a change can keep everybody at red until the junction is clear, as detectors inside it do
//! elsewhere. Source: FHWA, Traffic Signal Timing Manual, 2nd edition, dynamic red extension.

use super::layout::{Layout, Light};
use crate::ids::{GroupId, GroupSet, Id, StageId};
use crate::keep::keep;
use crate::network::Junction;
use crate::time::{Span, Time};
use crate::traffic::tracker::{Crossing, Tracker};

/// So many of one turn find room inside.
const ROOM: f32 = 3.0;
/// When those they give way to have let a gap, so many leave a second: one every other.
const LEAVES: f32 = 0.5;
/// There is a gap so long after the last of those crossed, s,
const PAST_S: f64 = 2.0;
/// if the next is still so far away, s.
const GAP_S: f32 = 3.0;
/// Whoever comes is at least this fast by then, m/s.
const SLOWEST: f32 = 3.0;
/// Less than this is nobody.
const SOMEBODY: f32 = 0.5;
/// From the begin of a change until nobody is inside, but for those who wait there: the last who come cross the line in
/// yellow, s,
const CLEARS_S: f32 = 3.0;
/// and so much longer for each who waits, s.
const EACH_S: f32 = 1.0;

/// Who is inside one junction.
#[derive(Debug, Clone, Default)]
pub struct Inside {
    waiting: Vec<Waiting>,
    /// By lane: when somebody last crossed its line.
    crossed: Vec<Time>,
}

keep!(Inside { waiting, crossed });

/// How many of a turn wait, and the stage in which the last of them came: the next may not know to whom they give way.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Waiting {
    turn: u16,
    stage: StageId,
    vehicles: f32,
}

keep!(Waiting { turn, stage, vehicles });

impl Inside {
    /// Somebody has crossed a line of the junction, which is in `stage`.
    pub fn enter(&mut self, layout: &Layout, stage: StageId, Crossing { connection, at, .. }: Crossing) {
        self.crossed.resize(layout.lanes.len(), Time::LONG_AGO);
        let Some(turn) = layout.turns.iter().position(|turn| turn.connection == connection) else { return };
        if let Some(lane) = layout.lanes.iter().position(|lane| lane.turns.contains(&turn)) {
            self.crossed[lane] = self.crossed[lane].max(at);
        }
        if layout.lights(stage.index())[turn] != Light::GivesWay {
            return;
        }
        let turn = turn as u16;
        match self.waiting.iter_mut().find(|waiting| waiting.turn == turn) {
            Some(waiting) => *waiting = Waiting { turn, stage, vehicles: (waiting.vehicles + 1.0).min(ROOM) },
            None => self.waiting.push(Waiting { turn, stage, vehicles: 1.0 }),
        }
    }

    /// Lets those out who found a gap in the `tick` that ends at `now`; `open` are the groups that may be passed.
    pub fn advance(&mut self, layout: &Layout, tracker: &Tracker, open: GroupSet, (now, tick): (Time, Span)) {
        let passed = tick.s() as f32;
        let crossed = &self.crossed;
        self.waiting.retain_mut(|waiting| {
            if is_gap(layout, tracker, crossed, waiting, open, now) {
                waiting.vehicles -= passed * LEAVES;
            }
            waiting.vehicles > 0.0
        });
    }

    /// For how long after the begin of the change from one stage into another nothing may turn green, for the sake of those
    /// who wait inside.
    pub fn clear(&self, junction: &Junction, layout: &Layout, from: StageId, to: StageId) -> Span {
        let gained = junction.stages[to].groups.difference(junction.stages[from].groups);
        let met = |group: GroupId| gained.iter().any(|other| other != group && junction.never_together(group, other));
        let waits = self.waiting.iter().filter(|w| w.vehicles >= SOMEBODY);
        let longest = waits
            .filter(|w| met(layout.turns[usize::from(w.turn)].group))
            .map(|w| CLEARS_S + EACH_S * w.vehicles)
            .reduce(f32::max);
        longest.map_or(Span::ZERO, |s| Span::nearest(f64::from(s.round())))
    }
}

/// Whether nobody comes to whom a turn gives way.
fn is_gap(
    layout: &Layout,
    tracker: &Tracker,
    crossed: &[Time],
    &Waiting { turn, stage, .. }: &Waiting,
    open: GroupSet,
    now: Time,
) -> bool {
    layout.foes(stage.index(), usize::from(turn)).iter().all(|&lane| {
        let row = &layout.lanes[usize::from(lane)];
        let opens = layout.turns[row.turns.clone()].iter().any(|turn| open.contains(turn.group));
        let head = tracker.lane(row.lane).and_then(|track| track.vehicles().first());
        let comes = head.is_some_and(|head| head.gap < GAP_S * head.speed.max(SLOWEST));
        (now - crossed[usize::from(lane)]).s() > PAST_S && !(opens && comes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Sensors;
    use crate::optimize::horizon::tests::permissive_network;

    /// Second by second who crosses from the north to the left and from the south straight on while both are green; for how
    /// long the change into each stage keeps everybody at red then, s.
    fn clears(seconds: &[(usize, usize)]) -> Vec<i64> {
        clears_in(|_| 0, seconds)
    }

    /// The same where the stage is another in some seconds.
    fn clears_in(stage_in: impl Fn(i64) -> usize, seconds: &[(usize, usize)]) -> Vec<i64> {
        let network = permissive_network();
        let (id, junction) = network.junctions().iter().next().expect("a junction");
        let (layout, mut stage) = (Layout::new(&network, id), StageId::of(0));
        let tracker = Tracker::new(&network, &Sensors::default(), &network.partitions()[0], Time::EPOCH);
        let path = |lane: usize| layout.turns[layout.lanes[lane].turns.start].connection;
        let (left, straight) = (path(2), path(7));
        let mut inside = Inside::default();
        for (second, &(lefts, foes)) in (0..).zip(seconds) {
            let at = Time::from_s(second);
            stage = StageId::of(stage_in(second));
            (0..lefts).for_each(|_| inside.enter(&layout, stage, Crossing { connection: left, at, seed: 1 }));
            (0..foes).for_each(|_| inside.enter(&layout, stage, Crossing { connection: straight, at, seed: 1 }));
            inside.advance(&layout, &tracker, junction.stages[stage].groups, (at, Span::SECOND));
        }
        junction.stages.ids().map(|to| inside.clear(junction, &layout, stage, to).ms() / 1000).collect()
    }

    #[test]
    fn who_finds_no_gap_is_waited_for() {
        let crossing = |seconds: &[(usize, usize)]| clears(seconds)[2];
        assert_eq!(crossing(&[(0, 1), (0, 1), (0, 1)]), 0, "straight on nobody gives way");
        assert_eq!(crossing(&[(1, 1), (0, 1), (0, 1), (0, 1)]), 4);
        assert_eq!(crossing(&[(1, 1), (1, 1), (0, 1)]), 5);
        assert_eq!(crossing(&[(2, 1), (2, 1), (2, 1)]), 6, "no more than three find room");
        assert_eq!(crossing(&[(1, 1), (0, 0), (0, 0), (0, 0)]), 4, "the gap has only begun");
        assert_eq!(crossing(&[(1, 1), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0)]), 0);
    }

    #[test]
    fn he_waits_on_while_the_next_stage_keeps_those_he_gives_way_to() {
        // From the second on the south alone is green.
        let crossing = |seconds: &[(usize, usize)]| clears_in(|second| if second == 0 { 0 } else { 6 }, seconds)[2];
        assert_eq!(crossing(&[(1, 1), (0, 1), (0, 1), (0, 1)]), 4);
        assert_eq!(crossing(&[(1, 1), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0)]), 0);
    }

    #[test]
    fn only_those_whose_way_he_is_in_wait() {
        // ns, nsl, ew, ewl, n, e, s, w: nothing that turns green in nsl, n and s crosses a left turn from the north.
        assert_eq!(clears(&[(1, 1), (0, 1)]), [0, 0, 4, 4, 0, 4, 0, 4]);
    }
}

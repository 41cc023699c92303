//! Who changes lanes between the last loop and the line, where no camera looks.
//!
//! Whoever is counted out of a lane on which nobody was known to be near was counted in on a lane beside it. Left there he
//! would be believed in two places: once more as somebody who stands in vain.

use super::lane::{LaneTrack, NEXT_M, Vehicle};

/// Who changed lanes was past the last loop or close to it, m before the line.
const WITHIN_M: f32 = 70.0;

/// Takes those who are about to be counted out of a lane of a link, and are not known there, from the lanes beside it.
pub(super) fn comes_over(lanes: &mut [LaneTrack], at: usize) {
    for _ in 0..lanes[at].unknown_leavers() {
        let beside =
            (0..lanes.len()).filter(|&other| other != at && !lanes[other].watched() && lanes[other].near() > 0);
        // Whoever stands under green was expected in vain; else where most are, and rather where none leave.
        let likely = |&other: &usize| (lanes[other].in_vain(), !lanes[other].green, lanes[other].near());
        let Some(from) = beside.max_by_key(likely) else { return };
        let vehicle = lanes[from].give_away();
        lanes[at].vehicles.insert(0, Vehicle { gap: 0.0, ..vehicle });
    }
}

impl LaneTrack {
    /// So many more are about to be counted out of it than are known near its line.
    fn unknown_leavers(&self) -> usize {
        let counted = if self.watched() { 0 } else { self.loops.first().map_or(0, |l| l.counts_at_line()) };
        counted - self.vehicles.iter().take(counted).filter(|v| v.gap < NEXT_M).count()
    }

    /// Those near the line.
    fn near(&self) -> usize {
        self.vehicles.partition_point(|v| v.gap < WITHIN_M)
    }

    /// Gives away whoever may as well be on the lane beside it: who stands in vain under green, or the last near the line.
    /// It must have somebody near.
    fn give_away(&mut self) -> Vehicle {
        let place = if self.in_vain() { 0 } else { self.near() - 1 };
        // It is a guess: whoever it was may still stand there.
        self.given_up |= !self.in_vain();
        self.vehicles.remove(place)
    }
}

#[cfg(test)]
mod tests {
    use super::super::loops::Loop;
    use super::*;
    use crate::time::{Span, Time};

    fn lane(gaps: &[f32]) -> LaneTrack {
        let mut track = LaneTrack::with(&gaps.iter().map(|&gap| (gap, 0.0)).collect::<Vec<_>>());
        track.loops.push(Loop::at(0.0, Span::SECOND));
        track
    }

    #[test]
    fn who_leaves_by_a_lane_where_nobody_was_known_came_from_the_one_beside_it() {
        // Gaps on two lanes, how many leave the first, and what is left of both before they have.
        for (first, second, leave, expected) in [
            (vec![], vec![1.0, 8.5], 1, (vec![0.0], vec![1.0])),
            (vec![1.0], vec![1.0, 8.5], 1, (vec![1.0], vec![1.0, 8.5])), // he was known
            (vec![1.0], vec![1.0, 8.5], 2, (vec![0.0, 1.0], vec![1.0])),
            (vec![90.0], vec![1.0], 1, (vec![0.0, 90.0], vec![])), // too far away to be him
            (vec![], vec![90.0], 1, (vec![], vec![90.0])),         // nor is he
            (vec![], vec![1.0], 3, (vec![0.0], vec![])),           // the others were seen by nobody
        ] {
            let mut lanes = [lane(&first), lane(&second)];
            lanes[0].counted(0.0, leave, 0.0, Span::SECOND, Time::from_s(1));
            comes_over(&mut lanes, 0);
            assert_eq!((lanes[0].gaps(), lanes[1].gaps()), expected, "{first:?} {second:?} {leave}");
        }
    }
}

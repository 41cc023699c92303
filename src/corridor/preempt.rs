//! What a junction is asked for, and how its lamps come there: the stage, and the changes that lead into it without
//! cutting a minimum green, an intergreen or a pedestrian's clearance.

use crate::ids::{GroupSet, JunctionId, StageId};
use crate::keep::keep;
use crate::network::{Conflict, GroupKind, Junction};
use crate::plan::bounds::Bounds;
use crate::plan::draft::Change;
use crate::plan::running::Running;
use crate::plan::shape::SHARE_MIN;
use crate::time::{Span, Time};

/// A junction is asked to show a vehicle green.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preemption {
    /// Which.
    pub junction: JunctionId,
    /// The call it is for.
    pub call: u32,
    /// The groups that release the vehicle's turn.
    pub groups: GroupSet,
    /// Those that release the other turns of its approach: whoever waits for one of them may stand in its way.
    pub beside: GroupSet,
    /// From when on they should be green.
    pub from: Time,
    /// The earliest instant at which the vehicle comes.
    pub low: Time,
    /// The latest instant.
    pub high: Time,
    /// Until when, at the latest.
    pub until: Time,
}

keep!(Preemption { junction, call, groups, beside, from, low, high, until });

/// Another turn of the vehicle's own approach counts as much as so many other groups.
const BESIDE: i64 = 8;

/// The stages that serve `groups` best: all of them, none giving way to anybody. The first of them also serves as many
/// of those `beside` it as possible, or their pockets fill and block it, and then as many others. None where no stage
/// has any.
pub fn stages(junction: &Junction, groups: GroupSet, beside: GroupSet) -> Vec<StageId> {
    let count = |set: GroupSet| i64::try_from(set.len()).unwrap_or(0);
    let worth = |stage: StageId| {
        let shown = junction.stages[stage].groups;
        let served = groups.intersection(shown);
        let gives_way = |kind: GroupKind| {
            let to = |g| shown.iter().filter(move |&o| junction.conflict(g, o) == Conflict::Yields);
            let to = served.iter().flat_map(to).filter(|&o| junction.groups[o].kind == kind);
            i64::try_from(to.count()).unwrap_or(i64::MAX / 1000)
        };
        let worth = count(served) * 100 - gives_way(GroupKind::Vehicle) * 10 - gives_way(GroupKind::Pedestrian);
        let others = count(shown) + BESIDE * count(shown.intersection(beside));
        (!served.is_empty()).then_some((worth, others, std::cmp::Reverse(stage)))
    };
    let mut found: Vec<_> = junction.stages.ids().filter_map(worth).collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    let best = found.first().map(|f| f.0);
    found.into_iter().take_while(|f| Some(f.0) == best).map(|f| f.2.0).collect()
}

/// The changes that lead from what runs into `stage` as soon as may be, none before `from`; empty where it is there.
/// None where no order of stages leads there.
pub fn lead(running: &Running, from: Time, stage: StageId, bounds: Bounds<'_>, grid: Span) -> Option<Vec<Change>> {
    let junction = bounds.junction;
    let mut paths = vec![(running.clone(), Vec::new())];
    let mut seen = vec![running.stage];
    // Shortest in stages: each of them is as long as its minimum greens.
    while !paths.is_empty() {
        let mut further = Vec::new();
        for (state, changes) in paths {
            if state.stage == Some(stage) {
                return Some(changes);
            }
            let nexts = junction.stages.ids().filter(|&to| state.stage.is_none_or(|at| junction.may_follow(at, to)));
            for next in nexts.filter(|&to| Some(to) != state.stage) {
                if next != stage && seen.contains(&Some(next)) {
                    continue;
                }
                seen.push(Some(next));
                let soonest = changes.last().map_or(from, |last: &Change| (last.at + SHARE_MIN).max(from));
                let groups = junction.stages[next].groups;
                let at = state.lamps.earliest_change(groups, soonest, |g| bounds.min_green(g)).ceil(grid);
                let change = Change::new(next, at);
                let mut state: Running = state.clone();
                state.follow(change, junction);
                let changes = changes.iter().copied().chain([change]).collect();
                if next == stage {
                    return Some(changes);
                }
                further.push((state, changes));
            }
        }
        paths = further;
    }
    None
}

/// When `groups`, as far as `stage` has them, are all green once `changes` are made.
pub fn green_at(running: &Running, changes: &[Change], stage: StageId, groups: GroupSet, junction: &Junction) -> Time {
    let mut state = running.clone();
    changes.iter().for_each(|&change| state.follow(change, junction));
    let served = groups.intersection(junction.stages[stage].groups);
    served.iter().filter_map(|g| state.lamps.group(g).green_from).max().unwrap_or(Time::NEVER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{GroupId, Id};
    use crate::plan::fixture::{Site, at, crossing, in_stage, s};

    fn set(groups: &[usize]) -> GroupSet {
        groups.iter().map(|&g| GroupId::of(g)).collect()
    }

    #[test]
    fn a_turn_gets_the_stage_in_which_it_gives_way_to_nobody() {
        // G0 goes straight, G1 turns left across G2; stage 1 is for the turn alone.
        let site = Site::new().group(5.0, 3.0, 2.0).group(5.0, 3.0, 2.0).group(5.0, 3.0, 2.0);
        let junction = site.yields(1, 2).stage(&[0, 1, 2]).stage(&[0, 1]).stage(&[2]).build();
        // (groups, beside, stage): the last goes straight with a full pocket beside it.
        for (groups, beside, expected) in
            [(&[1][..], &[0][..], Some(s(1))), (&[0], &[], Some(s(0))), (&[2], &[], Some(s(0))), (&[], &[], None)]
        {
            let best = stages(&junction, set(groups), set(beside)).first().copied();
            assert_eq!(best, expected, "{groups:?}");
        }
    }

    #[test]
    fn a_lead_cuts_no_shortest_green_and_says_when_green_begins() {
        let junction = crossing().build();
        let bounds = Bounds::of(&junction);
        let running = in_stage(&junction, 0);
        // It is there already.
        assert_eq!(lead(&running, at(0.0), s(0), bounds, Span::SECOND), Some(Vec::new()));
        let changes = lead(&running, at(0.0), s(1), bounds, Span::SECOND).expect("a way");
        assert_eq!(changes.last().map(|c| c.stage), Some(s(1)));
        let mut began = running.clone();
        began.follow(changes[0], &junction);
        // Having just begun, stage 1 has to last its minimum before stage 0 returns.
        let back = lead(&began, changes[0].at, s(0), bounds, Span::SECOND).expect("a way");
        let green = green_at(&running, &changes, s(1), junction.stages[s(1)].groups, &junction);
        let least = junction.stages[s(1)].groups.iter().map(|g| bounds.min_green(g)).max().expect("groups");
        assert!(green > changes[0].at && back[0].at >= green + least, "{changes:?} {green} {back:?}");
    }
}

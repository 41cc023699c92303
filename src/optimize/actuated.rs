//! Vehicle actuation, a reference: stages in the base program's order, each held while its traffic keeps coming.

use super::decision::{Decision, LaneSeen, Now, lanes_of};
use crate::ids::{GroupId, GroupSet, LaneId, StageId, Table};
use crate::network::{Conflict, Junction, Network};
use crate::time::Span;

/// How it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actuation {
    /// Shortest green of a vehicle group, where the network's own is not longer.
    pub min_green: Span,
    /// A lane that nobody has reached for so long has gapped out.
    pub gap: Span,
    /// No stage is held for longer while somebody waits elsewhere.
    pub max_green: Span,
}

impl Default for Actuation {
    fn default() -> Self {
        Self { min_green: Span::from_s(5), gap: Span::from_s(3), max_green: Span::from_s(50) }
    }
}

/// The actuated controller of one junction.
#[derive(Debug, Clone)]
pub struct Actuated {
    settings: Actuation,
    /// The base program's stages, each once, in order.
    order: Vec<StageId>,
    lanes: Table<GroupId, Vec<LaneId>>,
    /// Each stage's longest green: the setting, or less where the others' maximum red asks for it.
    longest: Vec<Span>,
    /// Each stage's green where a lane of it has no loop that works: its share of the base program.
    recalled: Vec<Span>,
}

impl Actuated {
    /// For `junction`, in the order of its base program.
    pub fn new(network: &Network, junction: &Junction, settings: Actuation) -> Self {
        let mut order: Vec<StageId> = Vec::new();
        for &(stage, _) in &junction.base_program().splits {
            if !order.contains(&stage) {
                order.push(stage);
            }
        }
        let longest = longest(junction, &order, settings.max_green);
        let share = |&stage: &StageId| {
            let parts = junction.base_program().splits.iter().filter(|(of, _)| *of == stage);
            parts.map(|&(_, share)| share).max().unwrap_or_default()
        };
        let recalled = order.iter().map(share).zip(&longest).map(|(share, &longest)| share.min(longest)).collect();
        Self { settings, order, lanes: lanes_of(network, junction), longest, recalled }
    }

    /// What it wants now.
    pub fn decide(&self, junction: &Junction, now: &Now<'_>) -> Decision {
        let called = now.called();
        let Some(next) = self.next(junction, now, called) else { return Decision::Keep };
        if !now.may_leave(junction, next, self.settings.min_green) {
            return Decision::Keep;
        }
        let (ending, _) = junction.change(now.stage, next);
        let losing = ending.union(self.yielding(junction, next).difference(self.yielding(junction, now.stage)));
        let held =
            losing.intersection(junction.stages[now.stage].groups).iter().any(|group| self.extends(group, now.lanes));
        let Some(green) = now.stage_green_since(junction).map(|since| now.at - since) else { return Decision::Keep };
        let position = self.order.iter().position(|&stage| stage == now.stage);
        let longest = position.map_or(self.settings.max_green, |at| self.longest[at]);
        let recalled = position.map_or(Span::ZERO, |at| self.recalled[at]);
        let held = held || green < recalled && ending.iter().any(|group| self.is_blind(group, now.lanes));
        if held && green < longest { Decision::Keep } else { Decision::Switch(next) }
    }

    /// The next stage in order that somebody waits for and that this one does not serve, or that spares those giving way who
    /// do not get through. Stages nobody waits for are skipped as far as the junction's order lets them. None where nobody
    /// waits: green rests.
    fn next(&self, junction: &Junction, now: &Now<'_>, called: GroupSet) -> Option<StageId> {
        let here = junction.stages[now.stage].groups;
        let open = called.difference(here);
        let pressing = self.pressing(junction, now, open.is_empty());
        if open.is_empty() && pressing.is_empty() {
            return None;
        }
        let n = self.order.len();
        let at = self.order.iter().position(|&stage| stage == now.stage);
        let following = (1..=n).map(|step| self.order[at.map_or(step - 1, |at| (at + step) % n)]);
        let others = following.filter(|&stage| stage != now.stage);
        let helps = |stage: StageId| {
            let serves = !junction.stages[stage].groups.intersection(open).is_empty();
            serves || pressing.iter().any(|group| spares(junction, stage, group))
        };
        let follows = |stage: StageId| junction.may_follow(now.stage, stage);
        let mut others = others.filter(|&stage| follows(stage));
        let first = others.clone().next();
        // Where nothing that helps may follow at once, the way there leads over the next in order.
        others.find(|&stage| helps(stage)).or(first)
    }

    /// The groups that are green in a stage and give way there to vehicles.
    fn yielding(&self, junction: &Junction, stage: StageId) -> GroupSet {
        let green = junction.stages[stage].groups;
        green.iter().filter(|&group| !junction.goes_first(group, green)).collect()
    }

    /// Groups that give way in the present stage, whose traffic still comes, and whom another stage spares that, so that it
    /// is worth its time; where nobody waits elsewhere, only while those come to whom they give way.
    fn pressing(&self, junction: &Junction, now: &Now<'_>, nobody_waits: bool) -> GroupSet {
        let green = junction.stages[now.stage].groups;
        let gaps = |group: GroupId| {
            nobody_waits
                && !green
                    .iter()
                    .any(|other| junction.conflict(group, other) == Conflict::Yields && self.extends(other, now.lanes))
        };
        let yielding = self.yielding(junction, now.stage);
        let spared = |group: GroupId| self.order.iter().any(|&stage| spares(junction, stage, group));
        let presses = |&group: &GroupId| self.extends(group, now.lanes) && spared(group) && !gaps(group);
        yielding.iter().filter(presses).collect()
    }

    /// Whether a lane of `group` has no loop that works. Who comes there is not seen: it gets what the base program gives.
    fn is_blind(&self, group: GroupId, lanes: &Table<LaneId, Option<LaneSeen>>) -> bool {
        self.lanes[group].iter().any(|&lane| !lanes[lane].is_some_and(|seen| seen.heard))
    }

    /// Whether somebody of `group` still comes.
    fn extends(&self, group: GroupId, lanes: &Table<LaneId, Option<LaneSeen>>) -> bool {
        let coming =
            |&lane: &LaneId| lanes[lane].and_then(|seen| seen.since_hit).is_some_and(|t| t < self.settings.gap);
        self.lanes[group].iter().any(coming)
    }
}

/// Whether a group is green in a stage and gives way to no vehicles there.
fn spares(junction: &Junction, stage: StageId, group: GroupId) -> bool {
    let green = junction.stages[stage].groups;
    green.contains(group) && junction.goes_first(group, green)
}

/// The longest green of each stage of `order` with which nobody waits longer than its maximum red, even if all others
/// take theirs; never less than the shortest green.
fn longest(junction: &Junction, order: &[StageId], max: Span) -> Vec<Span> {
    let n = order.len();
    let changes: Span = (0..n).map(|k| junction.change_time(order[k], order[(k + 1) % n])).sum();
    let patience = order.iter().flat_map(|&stage| junction.stages[stage].groups.iter());
    let patience = patience.map(|group| junction.groups[group].max_red.span).min().unwrap_or(max);
    let each = Span::from_ms((patience - changes).ms() / (n.max(2) as i64 - 1));
    let of = |&stage: &StageId| {
        let limits = junction.stages[stage].groups.iter().map(|group| junction.groups[group].min_green.span).max();
        let own = junction.stages[stage].max_green.unwrap_or(max);
        max.min(own).min(each).max(limits.unwrap_or(Span::ZERO))
    };
    order.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Star;
    use super::*;
    use crate::ids::{Id, JunctionId};
    use crate::plan::draft::Change;
    use crate::plan::timeline::Lamps;
    use crate::time::Time;

    /// Three streets, one stage each; the first has been green since second 0.
    fn decide(at: i64, waiting: [Option<i64>; 3], since_hit: [Option<i64>; 3], heard: bool) -> Decision {
        let star = Star {
            lanes: &[1, 1, 1],
            conflicts: &[(0, 1), (0, 2), (1, 2)],
            stages: &[&[0], &[1], &[2]],
            ..Star::PLAIN
        };
        let network = star.network();
        let junction = network.junction(JunctionId::of(0));
        let controller = Actuated::new(&network, junction, Actuation::default());
        let mut lamps = Lamps::dark(junction);
        lamps.change(Change::new(StageId::of(0), Time::EPOCH), junction);
        let mut lanes = Table::filled(None, network.lanes().len());
        for (stream, hit) in since_hit.into_iter().enumerate() {
            let lane = network.link_named(&format!("in {stream}")).and_then(|link| network.lane_of(link, 0)).unwrap();
            lanes[lane] = Some(LaneSeen { since_hit: hit.map(Span::from_s), heard, ..LaneSeen::default() });
        }
        let waiting = waiting.into_iter().map(|since| since.map(Time::from_s)).collect();
        let (stage, since) = (StageId::of(0), Time::EPOCH);
        let now = Now { at: Time::from_s(at), stage, since, lamps: &lamps, waiting: &waiting, lanes: &lanes };
        controller.decide(junction, &now)
    }

    #[test]
    fn a_stage_gaps_out_maxes_out_and_skips() {
        use Decision::{Keep, Switch};
        let to = |stage: usize| Switch(StageId::of(stage));
        let (none, one, both) = ([None; 3], [None, Some(1), None], [None, Some(1), Some(1)]);
        let last = [None, None, Some(1)];
        for (at, waiting, hit, expected) in [
            (90, none, Some(60), Keep), // nobody waits: green rests
            (4, one, None, Keep),       // the minimum green of 5 s
            (5, one, None, to(1)),      // nobody ever came
            (20, one, Some(2), Keep),   // the last came 2 s ago
            (20, one, Some(3), to(1)),  // 3 s: gapped out
            (49, both, Some(0), Keep),  // a steady stream
            (50, both, Some(0), to(1)), // maxed out
            (20, last, Some(5), to(2)), // the second street is skipped
        ] {
            assert_eq!(decide(at, waiting, [hit, None, None], true), expected, "{at} {waiting:?} {hit:?}");
        }
    }

    #[test]
    fn a_lane_whose_loops_fail_gets_its_share_of_the_base_program() {
        // The star's program gives each stage as much.
        let (share, waiting) = (30, [None, Some(1), None]);
        assert_eq!(decide(share - 1, waiting, [None; 3], true), Decision::Switch(StageId::of(1)));
        assert_eq!(decide(share - 1, waiting, [None; 3], false), Decision::Keep);
        assert_eq!(decide(share, waiting, [None; 3], false), Decision::Switch(StageId::of(1)));
    }

    #[test]
    fn long_greens_leave_room_for_the_others_maximum_red() {
        let star = Star {
            lanes: &[1, 1, 1],
            conflicts: &[(0, 1), (0, 2), (1, 2)],
            stages: &[&[0], &[1], &[2]],
            max_red_s: 75.0,
            ..Star::PLAIN
        };
        let network = star.network();
        let junction = network.junction(JunctionId::of(0));
        // Three changes of 5 s; 60 s remain for the two others.
        assert_eq!(Actuated::new(&network, junction, Actuation::default()).longest, [Span::from_s(30); 3]);
    }

    /// Street 0 turns left across street 1 while both are green, street 0 alone is spared that, street 2 crosses. The
    /// first stage has been green since second 0; somebody waits for street 2 or not.
    #[test]
    fn who_gives_way_and_does_not_get_through_is_spared_it_next() {
        let star = Star {
            lanes: &[1, 1, 1],
            conflicts: &[(0, 2), (1, 2)],
            yields: &[(0, 1)],
            stages: &[&[0, 1], &[0], &[2]],
            ..Star::PLAIN
        };
        let network = star.network();
        let junction = network.junction(JunctionId::of(0));
        let controller = Actuated::new(&network, junction, Actuation::default());
        let decide = |(stage, since): (usize, i64), at: i64, waits: [bool; 3], hit: [i64; 3]| {
            let mut lamps = Lamps::dark(junction);
            lamps.change(Change::new(StageId::of(0), Time::EPOCH), junction);
            if stage > 0 {
                lamps.change(Change::new(StageId::of(stage), Time::from_s(since)), junction);
            }
            let mut lanes = Table::filled(None, network.lanes().len());
            for (stream, hit) in hit.into_iter().enumerate() {
                let lane =
                    network.link_named(&format!("in {stream}")).and_then(|link| network.lane_of(link, 0)).unwrap();
                lanes[lane] = Some(LaneSeen { since_hit: Some(Span::from_s(hit)), heard: true, ..LaneSeen::default() });
            }
            let waiting = waits.into_iter().map(|waits| waits.then_some(Time::EPOCH)).collect();
            let (stage, since) = (StageId::of(stage), Time::from_s(since));
            controller.decide(
                junction,
                &Now { at: Time::from_s(at), stage, since, lamps: &lamps, waiting: &waiting, lanes: &lanes },
            )
        };
        use Decision::{Keep, Switch};
        let (nobody, crossing, opposing) = ([false; 3], [false, false, true], [false, true, true]);
        for (begun, at, waits, hit, expected) in [
            ((0, 0), 20, crossing, [0, 9, 0], Switch(StageId::of(1))), // a left stands at the line still
            ((0, 0), 20, crossing, [9, 9, 0], Switch(StageId::of(2))), // nobody turns
            ((0, 0), 20, nobody, [0, 9, 9], Keep),                     // nobody comes: it may go by itself
            ((0, 0), 20, nobody, [0, 0, 9], Keep),                     // a steady stream
            ((0, 0), 50, nobody, [0, 0, 9], Switch(StageId::of(1))),   // that never ends
            ((1, 20), 26, opposing, [0, 0, 0], Keep),                  // lefts go on
            ((1, 20), 26, opposing, [4, 0, 0], Switch(StageId::of(2))), // gapped out
        ] {
            assert_eq!(decide(begun, at, waits, hit), expected, "{begun:?} {at} {waits:?} {hit:?}");
        }
    }

    #[test]
    fn where_no_stage_spares_who_gives_way_green_rests() {
        let star = Star {
            lanes: &[1, 1, 1],
            conflicts: &[(0, 2), (1, 2)],
            yields: &[(0, 1)],
            stages: &[&[0, 1], &[2]],
            ..Star::PLAIN
        };
        let network = star.network();
        let junction = network.junction(JunctionId::of(0));
        let mut lamps = Lamps::dark(junction);
        lamps.change(Change::new(StageId::of(0), Time::EPOCH), junction);
        let comes = LaneSeen { since_hit: Some(Span::ZERO), heard: true, ..LaneSeen::default() };
        let lanes = Table::filled(Some(comes), network.lanes().len());
        let waiting = [None; 3].into_iter().collect();
        let (at, stage, since) = (Time::from_s(90), StageId::of(0), Time::EPOCH);
        let now = Now { at, stage, since, lamps: &lamps, waiting: &waiting, lanes: &lanes };
        let decided = Actuated::new(&network, junction, Actuation::default()).decide(junction, &now);
        assert_eq!(decided, Decision::Keep);
    }
}

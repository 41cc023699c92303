//! How a junction comes to a vehicle's stage: whom it serves before, so that the green is there in time and can stay
//! until the vehicle is through, and in which order everybody else is served after it.

use std::collections::VecDeque;

use crate::corridor::preempt::{Preemption, green_at, stages};
use crate::ids::{GroupId, GroupSet, StageId, Table};
use crate::keep::keep;
use crate::network::Program;
use crate::plan::bounds::Bounds;
use crate::plan::draft::Change;
use crate::plan::running::Running;
use crate::plan::shape::SHARE_MIN;
use crate::time::{Span, Time};

/// No more orders of stages are looked at.
const LOOKED_AT_MAX: usize = 300;
/// A hold ends so long before somebody has waited for as long as anybody may.
const MARGIN: Span = Span::from_s(2);
/// From the end of a hold to the next one, everybody else having been served between, about.
const AGAIN: Span = Span::from_s(60);
/// Somebody would wait for too long on the way: the gate lets it through only where there is no help any more.
const REFUSED: Span = Span::from_s(120);
/// From the earliest instant at which a vehicle may come to its being through.
const THROUGH: Span = Span::from_s(1);

/// A junction as it is when a way to a vehicle's green is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// Its limits.
    pub bounds: Bounds<'a>,
    /// Since when demand has waited for each group; none where nobody does.
    pub waiting: &'a Table<GroupId, Option<Time>>,
    /// The order in which everybody is served in the end.
    pub program: &'a Program,
    /// Changes begin at multiples of this.
    pub grid: Span,
}

/// A way to a vehicle's green.
#[derive(Debug, Clone, PartialEq)]
pub struct Approach {
    /// The changes that lead there, none where it is there already.
    pub changes: Vec<Change>,
    /// When all the vehicle's groups are green.
    pub green: Time,
    /// Until when they can stay so, or else somebody waits for too long.
    pub lasts: Time,
    /// How much longer the vehicle takes than it would if nobody stood in its way.
    pub late: Span,
    /// How good its stage is for others: the place among those that serve the vehicle.
    goal: usize,
}

keep!(Approach { changes, green, lasts, late, goal });

/// What a junction would be doing after some changes, and since when who would have waited.
struct Node {
    running: Running,
    since: Table<GroupId, Option<Time>>,
    /// Those who wait only because of these changes.
    sent: GroupSet,
    changes: Vec<Change>,
    /// Whether somebody would have waited for too long by now.
    too_long: bool,
}

impl Scene<'_> {
    /// The best way from what runs into a stage that serves the vehicle, no change before `from`: the one that makes it
    /// wait least, the shortest of those. None where no order of stages leads there.
    pub fn approach(&self, running: &Running, from: Time, order: &Preemption) -> Option<Approach> {
        let junction = self.bounds.junction;
        let goals = stages(junction, order.groups, order.beside);
        let after: Vec<_> = goals.iter().map(|&goal| self.after(goal)).collect();
        let (since, changes) = (self.waiting.clone(), Vec::new());
        let start = Node { running: running.clone(), since, sent: GroupSet::EMPTY, changes, too_long: false };
        let mut best: Option<Approach> = None;
        let mut open = VecDeque::from([start]);
        let mut looked_at = 0;
        while let Some(node) = open.pop_front() {
            if let Some(goal) = goals.iter().position(|&goal| node.running.stage == Some(goal)) {
                let found = self.judge(&node, goals[goal], order, &after[goal]);
                let before = |best: &Approach| {
                    (best.late, best.changes.len(), best.goal) <= (found.late, found.changes.len(), goal)
                };
                if !best.as_ref().is_some_and(before) {
                    best = Some(Approach { goal, ..found });
                }
                if !node.changes.is_empty() {
                    continue;
                }
            }
            if best.as_ref().is_some_and(|best| best.late == Span::ZERO) || looked_at >= LOOKED_AT_MAX {
                break;
            }
            let may = |to: &StageId| {
                let follows = |at| at != *to && junction.may_follow(at, *to);
                let new = || node.changes.iter().all(|c| c.stage != *to) && running.stage != Some(*to);
                node.running.stage.is_none_or(follows) && (goals.contains(to) || new())
            };
            for to in junction.stages.ids().filter(may) {
                looked_at += 1;
                let next = self.step(&node, from, to);
                let at = next.changes.last().map_or(from, |c| c.at);
                if best.as_ref().is_none_or(|best| at - order.from < best.late) {
                    open.push_back(next);
                }
            }
        }
        best
    }

    /// The next change, as soon as it may be made.
    fn step(&self, node: &Node, from: Time, to: StageId) -> Node {
        let junction = self.bounds.junction;
        let groups = junction.stages[to].groups;
        let soonest = node.changes.last().map_or(from, |last| (last.at + SHARE_MIN).max(from));
        let min_green = |group| self.bounds.min_green(group);
        let at = node.running.lamps.earliest_change(groups, soonest, min_green).ceil(self.grid);
        let (mut since, mut sent) = (node.since.clone(), node.sent);
        for group in node.running.lamps.wanted().difference(groups).iter() {
            since[group] = Some(at);
            sent = sent.with(group);
        }
        let mut running = node.running.clone();
        let change = Change::new(to, at);
        running.follow(change, junction);
        let mut too_long = node.too_long;
        for group in groups.iter() {
            let due = since[group].take().map(|since| since + self.bounds.max_red(group));
            too_long |= running.lamps.group(group).green_from.zip(due).is_some_and(|(green, due)| green > due);
        }
        let changes = node.changes.iter().copied().chain([change]).collect();
        Node { running, since, sent, changes, too_long }
    }

    fn judge(&self, node: &Node, target: StageId, order: &Preemption, after: &Table<GroupId, Span>) -> Approach {
        let junction = self.bounds.junction;
        let green = green_at(&node.running, &[], target, order.groups, junction);
        let late = (green - order.from).max(Span::ZERO);
        // A way that has time is begun later: then those it serves begin to wait later too.
        let spare = (order.from - green).max(Span::ZERO);
        let longest = |group: GroupId| {
            let since = node.since[group]?;
            let since = if node.sent.contains(group) { since + spare } else { since };
            Some(since + self.bounds.max_red(group) - after[group] - MARGIN)
        };
        let shown = junction.stages[target].groups;
        let others = junction.groups.ids().filter(|&g| !shown.contains(g)).filter_map(longest);
        let lasts = others.min().unwrap_or(Time::NEVER);
        // A hold that ends before the vehicle comes clears its queue, and is to come again: as likely as the vehicle
        // comes after its end.
        let (first, last) = (order.low.max(green) + THROUGH, order.high.max(green) + THROUGH);
        let missed = ((last - lasts).s() / (last - first).s().max(1.0)).clamp(0.0, 1.0);
        let again = (lasts + AGAIN - order.low).max(Span::ZERO);
        let late = late.max(Span::nearest(missed * again.s()));
        let late = if node.too_long || lasts < green { late + REFUSED } else { late };
        Approach { changes: node.changes.clone(), green, lasts, late, goal: 0 }
    }

    /// From leaving `stage` to each group's green when everybody is served in turn.
    fn after(&self, stage: StageId) -> Table<GroupId, Span> {
        let junction = self.bounds.junction;
        let mut running = Running::holding(crate::plan::timeline::Lamps::dark(junction), Time::EPOCH);
        running.follow(Change::new(stage, Time::EPOCH), junction);
        let leaves = Time::EPOCH + Span::from_s(3600);
        let mut after = Table::filled(Span::ZERO, junction.groups.len());
        let mut seen = junction.stages[stage].groups;
        for change in self.round(&running, leaves) {
            running.follow(change, junction);
            for group in junction.stages[change.stage].groups.difference(seen).iter() {
                after[group] = running.lamps.group(group).green_from.map_or(Span::ZERO, |from| from - leaves);
            }
            seen = seen.union(junction.stages[change.stage].groups);
        }
        after
    }

    /// Once around the program from `leaves` on, each stage as short as may be; a stage for which nobody waits is left
    /// out where it may be.
    pub fn round(&self, running: &Running, leaves: Time) -> Vec<Change> {
        let junction = self.bounds.junction;
        let splits = &self.program.splits;
        let Some(stage) = running.stage else { return Vec::new() };
        let own = splits.iter().position(|&(s, _)| s == stage).map_or(0, |at| at + 1);
        let follows = |&row: &usize| {
            let (to, _) = splits[row % splits.len()];
            to != stage && junction.may_follow(stage, to)
        };
        let Some(first) = (own..own + splits.len()).find(follows) else { return Vec::new() };
        let (mut running, mut changes) = (running.clone(), Vec::new());
        let mut at = leaves;
        for row in first..first + splits.len() {
            let (to, _) = splits[row % splits.len()];
            if Some(to) == running.stage || to == stage {
                break;
            }
            if !running.stage.is_some_and(|from| junction.may_follow(from, to)) {
                continue;
            }
            let min_green = |group| self.bounds.min_green(group);
            at = running.lamps.earliest_change(junction.stages[to].groups, at, min_green).ceil(self.grid);
            let change = Change::new(to, at);
            running.follow(change, junction);
            changes.push(change);
            at += SHARE_MIN;
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Id, JunctionId};
    use crate::network::Junction;
    use crate::plan::fixture::{Site, at, g, in_stage};

    /// Three streams, each its own stage, in a fixed order.
    fn junction() -> Junction {
        let site = Site::new().group(5.0, 3.0, 2.0).group(5.0, 3.0, 2.0).group(5.0, 3.0, 2.0);
        let site = site.never(0, 1).never(0, 2).never(1, 2).stage(&[0]).stage(&[1]).stage(&[2]).fixed();
        site.program(0.0, &[(0, 20.0), (1, 20.0), (2, 20.0)]).build()
    }

    fn look(junction: &Junction, stage: usize, waiting: [Option<f64>; 3], call: (f64, f64)) -> (Vec<usize>, i64) {
        let waiting: Table<GroupId, _> = waiting.iter().map(|since| since.map(at)).collect();
        let program = junction.base_program();
        let scene = Scene { bounds: Bounds::of(junction), waiting: &waiting, program, grid: Span::SECOND };
        let order = Preemption {
            junction: JunctionId::of(0),
            call: 1,
            groups: GroupSet::EMPTY.with(g(0)),
            beside: GroupSet::EMPTY,
            from: at(call.0),
            low: at(call.1),
            high: at(call.1 + 2.0),
            until: at(call.1 + 10.0),
        };
        let found = scene.approach(&in_stage(junction, stage), at(0.0), &order).expect("a way");
        (found.changes.iter().map(|c| c.stage.index()).collect(), found.late.ms() / 1000)
    }

    #[test]
    fn who_could_not_be_held_back_for_long_enough_is_served_before() {
        let junction = junction();
        let max = junction.groups[g(1)].max_red.span.s();
        // (stage, since when each group waits, (wanted from, vehicle comes), stages on the way, s late)
        for (stage, waiting, call, way, late) in [
            (0, [None, None, None], (10.0, 20.0), vec![], 0),
            (0, [None, Some(-10.0), Some(-5.0)], (10.0, 20.0), vec![], 0),
            // Somebody would have waited for too long before the vehicle is there; there is time to serve all.
            (0, [None, Some(15.0 - max), None], (40.0, 50.0), vec![1, 2, 0], 0),
            (1, [Some(-10.0), None, None], (40.0, 50.0), vec![2, 0], 0),
            // There is not: two changes of 10 s each at least.
            (1, [Some(-10.0), None, None], (5.0, 12.0), vec![2, 0], 10),
        ] {
            assert_eq!(look(&junction, stage, waiting, call), (way, late), "{stage} {waiting:?} {call:?}");
        }
    }

    #[test]
    fn after_a_hold_everybody_is_served_in_turn_as_fast_as_may_be() {
        let junction = junction();
        let waiting = Table::filled(None, 3);
        let program = junction.base_program();
        let scene = Scene { bounds: Bounds::of(&junction), waiting: &waiting, program, grid: Span::SECOND };
        let round = scene.round(&in_stage(&junction, 0), at(30.0));
        let told: Vec<_> = round.iter().map(|c| (c.stage.index(), c.at.ms() / 1000)).collect();
        // 5 s of yellow and all-red, 5 s of green.
        assert_eq!(told, [(1, 30), (2, 40)]);
    }
}

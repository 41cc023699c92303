//! The rate index: the stage under which most vehicles a second would leave, the change included. A fallback that
//! hardly any error in the data can mislead, and the yardstick for the search.

use super::layout::Layout;
use super::lineup::Scene;
use super::serve::{self, Run, Window};
use super::situation::Situation;
use super::{Bound, Schedule, Workspace, instant, stage_id};
use crate::ids::{GroupId, Id};
use crate::plan::draft::Change;

/// A platoon shorter than this counts as if it took so long, s.
const SHORTEST_S: f32 = 5.0;

/// Vehicles a second that stage `to` would serve at best from `at` on.
fn index(layout: &Layout, situation: &Situation, to: usize, at: f32, work: &mut Workspace) -> f32 {
    work.begin(layout, situation);
    situation.opened(layout, to, at, &mut work.open);
    let (mut crossings, open) = (std::mem::take(&mut work.crossings), std::mem::take(&mut work.open));
    crossings.clear();
    let (lights, until) = (layout.lights(to), situation.horizon);
    let scene = Scene { layout, situation, lineup: &work.lineup };
    let walked = scene.lineup.walked(layout.stages[to].groups, &open);
    let window = Window { stage: to, lights, open: &open, until, calm: false, starts: false, ends: false, walked };
    let mut run = Run { streams: &mut work.streams, taken: &mut work.taken };
    serve::all(scene, &window, &mut run, |row, crosses, _| crossings.push((crosses, situation.streams[row].weight)));
    for claim in situation.claims.iter().filter(|c| c.weight > 0.0 && layout.stages[to].groups.contains(c.group)) {
        crossings.push((open[claim.group.index()].max(at), claim.weight));
    }
    crossings.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut served, mut best) = (0.0, 0.0_f32);
    for &(crosses, weight) in &crossings {
        served += weight;
        best = best.max(served / crosses.max(SHORTEST_S));
    }
    (work.crossings, work.open) = (crossings, open);
    best
}

/// The stage that must come next because some red may not go on, if there is one.
pub(super) fn forced(layout: &Layout, situation: &Situation, at: f32) -> Option<usize> {
    let here = situation.stage;
    let slack = |group: GroupId, deadline: f32| deadline - at - layout.reach(here, group);
    let urgent = situation
        .claims
        .iter()
        .filter(|c| c.deadline.is_finite() && !layout.stages[here].groups.contains(c.group))
        .min_by(|a, b| slack(a.group, a.deadline).total_cmp(&slack(b.group, b.deadline)))?;
    if slack(urgent.group, urgent.deadline) > situation.grid.s() as f32 {
        return None;
    }
    let far = |to: usize| layout.hold(here, to) + layout.reach(to, urgent.group);
    let way = (0..layout.stages.len()).filter(|&to| layout.follows(here, to) && far(to).is_finite());
    way.min_by(|&a, &b| far(a).total_cmp(&far(b)))
}

/// What to do where some red may not go on, if there is one: to its end as soon as minimum greens let it.
pub(super) fn must(layout: &Layout, situation: &Situation, at: f32) -> Option<Schedule> {
    let to = forced(layout, situation, at)?;
    let mut out = Schedule { bound_by: vec![Bound::MaxRed], ..Schedule::default() };
    if layout.follows(situation.stage, to) && situation.leave[to] <= at {
        out.changes.push(Change::new(stage_id(to), instant(situation.now, at)));
    } else {
        out.bound_by.push(Bound::MinGreen);
    }
    Some(out)
}

/// What to do by the rate index alone.
pub(super) fn schedule(layout: &Layout, situation: &Situation, work: &mut Workspace) -> Schedule {
    let at = situation.first();
    if let Some(must) = must(layout, situation, at) {
        return must;
    }
    let may = |to: usize| layout.follows(situation.stage, to) && situation.leave[to] <= at;
    let mut out = Schedule::default();
    work.lineup.draw_up(layout, situation);
    let stay = index(layout, situation, situation.stage, at, work);
    let mut best = (situation.stage, stay);
    for to in 0..layout.stages.len() {
        if may(to) {
            let rate = index(layout, situation, to, at, work);
            if rate > best.1 + 1e-6 {
                best = (to, rate);
            }
        }
    }
    if best.0 != situation.stage {
        out.changes.push(Change::new(stage_id(best.0), instant(situation.now, at)));
    }
    out
}

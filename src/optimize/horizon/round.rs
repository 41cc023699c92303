//! A timed plan at a full junction: its stages in their order, each until its share is used up or nobody is left whom it
//! serves. The shares say who may have how much of a round, not how much of it is wasted.

use super::layout::Layout;
use super::lineup::Scene;
use super::serve::{self, Run, Window, YELLOW_USED_S};
use super::situation::Situation;
use super::{Schedule, Workspace, instant, rate, stage_id};
use crate::ids::{Id, StageId};
use crate::keep::keep;
use crate::network::{Junction, Program};
use crate::plan::draft::Change;
use crate::plan::timeline::Lamps;
use crate::time::Time;
use crate::traffic::tracker::Crossing;

/// A stage in which nobody crosses for so long is over, s. Between two cars of one queue it is hardly ever as long, whatever
/// holds the first. Source: closed loops, where 5 to 10 s do alike.
const IDLE_S: f32 = 10.0;
/// Whoever is there within this time has a stage called that serves him, s.
const CALLS_S: f32 = 20.0;

/// Where a junction is in a timed plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Round {
    /// When the present stage has used up its share.
    pub until: Time,
    /// The stages that come after it, in order, each once a round.
    pub then: Vec<StageId>,
}

keep!(Round { until, then });

impl Round {
    /// Where it is when the change into `stage` began at `since` and lamps have shown this. A stage that a round has several
    /// times is taken for the one whose successor has waited longest, and one that it has not at all to be over.
    pub fn new(program: &Program, junction: &Junction, stage: StageId, since: Time, lamps: &Lamps) -> Self {
        let splits = &program.splits;
        let place = |at: usize| splits[at % splits.len()];
        let waits_since = |to: StageId| {
            let begins = junction.stages[to].groups.difference(junction.stages[stage].groups);
            begins.iter().map(|group| lamps.group(group).green_until).min().unwrap_or(Time::NEVER)
        };
        let all = || 0..splits.len();
        let here = all().filter(|&at| place(at).0 == stage).min_by_key(|&at| waits_since(place(at + 1).0));
        let (until, next) = match here {
            Some(at) => (since + place(at).1, at + 1),
            None => (since, all().min_by_key(|&at| waits_since(place(at).0)).unwrap_or(0)),
        };
        Self { until, then: all().map(|step| place(next + step).0).collect() }
    }
}

/// What to do in a round: the change into the stage that comes next, and when.
pub(super) fn schedule(layout: &Layout, situation: &Situation, round: &Round, work: &mut Workspace) -> Schedule {
    let at = situation.first();
    if let Some(must) = rate::must(layout, situation, at) {
        return must;
    }
    work.lineup.draw_up(layout, situation);
    let Some(next) = next(layout, situation, round, at) else {
        return Schedule { discharges: discharges(layout, situation, None, work), ..Schedule::default() };
    };
    let leave = situation.leave[next].max(at);
    let share = situation.after(round.until);
    let ends = if share > leave && serves(layout, situation, next, leave, work) { share } else { leave };
    let ends = (instant(situation.now, ends)).ceil(situation.grid).max(situation.earliest);
    let change = Change::new(stage_id(next), ends);
    let discharges = discharges(layout, situation, Some((next, situation.after(ends))), work);
    Schedule { changes: vec![change], discharges, ..Schedule::default() }
}

/// The next stage of the round that somebody needs, or the first on the way there; none where nobody needs any.
fn next(layout: &Layout, situation: &Situation, round: &Round, at: f32) -> Option<usize> {
    let here = situation.stage;
    let then = || round.then.iter().map(|stage| stage.index()).filter(|&to| to != here);
    let wanted = then().find(|&to| needed(layout, situation, to, at))?;
    if layout.follows(here, wanted) {
        return Some(wanted);
    }
    let leads = |&to: &usize| {
        layout.follows(here, to) && layout.leads(here, to).checked_shr(wanted as u32).is_some_and(|set| set & 1 == 1)
    };
    then().find(|&to| layout.follows(here, to)).or_else(|| (0..layout.stages.len()).find(leads))
}

/// Whether a stage serves anybody who is there, or who waits to cross.
fn needed(layout: &Layout, situation: &Situation, to: usize, at: f32) -> bool {
    let (here, there) = (layout.stages[situation.stage].groups, layout.stages[to].groups);
    let walks = situation.claims.iter().any(|c| c.weight > 0.0 && there.contains(c.group) && !here.contains(c.group));
    walks
        || situation.streams.iter().any(|stream| {
            let vehicles = stream.first as usize..stream.first as usize + usize::from(stream.len);
            let green = layout.green(to, usize::from(stream.lane));
            vehicles.into_iter().any(|v| situation.arrivals[v] < at + CALLS_S && green >> situation.ways[v] & 1 == 1)
        })
}

/// Whether the present stage lets anybody cross soon after `leave` whom the next one does not.
fn serves(layout: &Layout, situation: &Situation, next: usize, leave: f32, work: &mut Workspace) -> bool {
    let here = situation.stage;
    let mut somebody = false;
    work.begin(layout, situation);
    let Workspace { lineup, streams, taken, open, .. } = work;
    let (scene, mut far) = (Scene { layout, situation, lineup }, Run { streams, taken });
    run(scene, (here, 0.0), leave + IDLE_S, (&mut far, open), |_, crosses, turn| {
        let group = layout.turns[turn].group;
        let green = |stage: usize| layout.stages[stage].groups.contains(group);
        somebody |= crosses >= leave && green(here) && !green(next);
    });
    somebody
}

/// Who will cross when, where a neighbour wants to know: in the present stage until a change, if there is one, and from
/// then on in the stage it leads to.
fn discharges(
    layout: &Layout,
    situation: &Situation,
    change: Option<(usize, f32)>,
    work: &mut Workspace,
) -> Vec<Crossing> {
    work.begin(layout, situation);
    let Workspace { lineup, streams, taken, open, .. } = work;
    let (scene, mut far) = (Scene { layout, situation, lineup }, Run { streams, taken });
    scene.told(|mut note| {
        let ends = change.map_or(situation.horizon, |(_, at)| at + YELLOW_USED_S);
        run(scene, (situation.stage, 0.0), ends, (&mut far, open), &mut note);
        if let Some((to, at)) = change {
            run(scene, (to, at), situation.horizon, (&mut far, open), &mut note);
        }
    })
}

/// Serves everybody whom a stage lets cross up to `until`, when the change into it begins at `at` or it is the present one.
fn run(
    scene: Scene<'_>,
    (stage, at): (usize, f32),
    until: f32,
    (far, open): (&mut Run<'_>, &mut [f32]),
    note: impl FnMut(usize, f32, usize),
) {
    let Scene { layout, situation, .. } = scene;
    situation.opened(layout, stage, at, open);
    let (lights, starts) = (layout.lights(stage), stage != situation.stage);
    let walked = scene.lineup.walked(layout.stages[stage].groups, open);
    let window = Window { stage, lights, open, until, calm: false, starts, ends: false, walked };
    serve::all(scene, &window, far, note);
}

#[cfg(test)]
mod tests {
    use super::super::fixture::crossroads;
    use super::*;
    use crate::ids::{GroupId, JunctionId};
    use crate::network::Network;
    use crate::time::Span;

    fn network() -> Network {
        Network::build(serde_json::from_str(&crossroads()).expect("it is JSON"), &Default::default())
            .expect("it is sound")
    }

    #[test]
    fn a_stage_ends_with_its_share_or_with_its_last_vehicle() {
        let network = network();
        let layout = Layout::new(&network, JunctionId::of(0));
        let queue = |count: usize| (0..count).map(|at| (at as f32, 0)).collect::<Vec<(f32, u8)>>();
        // Stages ns, ns left, ew, ew left of a round, and which of them is present; lanes and queues; seconds that are left
        // of its share; the next stage and when. Lanes count right, straight, left of n, e, s, w.
        for (stage, queues, left, expected) in [
            (0, vec![(1, 9), (2, 1), (4, 9)], 12, Some((1, 12))), // as the plan says
            (0, vec![(1, 9), (4, 9)], 12, Some((2, 12))),         // nobody turns left: that stage is left out
            (0, vec![(4, 9)], 12, Some((2, 0))),                  // nobody is left
            (0, vec![(1, 9), (4, 9)], -3, Some((2, 0))),          // it has had more than its share
            (3, vec![(5, 9), (1, 9)], 7, Some((0, 7))),           // round again
            (5, vec![(4, 9), (1, 9)], -1, Some((0, 0))),          // not one of the plan's
            (0, vec![(1, 9)], 12, None),                          // nobody else is there: it goes on
        ] {
            let now = Time::from_s(1000);
            let mut situation = Situation::empty(&layout, now, Span::SECOND, StageId::of(stage));
            queues.iter().for_each(|&(lane, count)| situation.row(lane, 1.0, 2.0, 1.0, &queue(count)));
            let then = (1..=4).map(|step| StageId::of((stage.min(3) + step) % 4)).collect();
            let round = Round { until: now + Span::from_s(left), then };
            let plan = schedule(&layout, &situation, &round, &mut Workspace::default());
            let change = plan.changes.first().map(|c| (c.stage.index(), (c.at - now).ms() / 1000));
            assert_eq!(change, expected, "{stage} {queues:?} {left}");
        }
    }

    #[test]
    fn a_red_that_must_end_goes_before_the_order() {
        let network = network();
        let layout = Layout::new(&network, JunctionId::of(0));
        let now = Time::from_s(1000);
        let mut situation = Situation::empty(&layout, now, Span::SECOND, StageId::of(0));
        situation.row(1, 1.0, 2.0, 1.0, &[(0.0, 0)]);
        situation.claim(GroupId::of(3), 0.0, 3.0); // e left
        let round = Round { until: now + Span::from_s(20), then: [1, 2, 3, 0].map(StageId::of).to_vec() };
        let plan = schedule(&layout, &situation, &round, &mut Workspace::default());
        let stage = plan.changes.first().map(|change| change.stage.index());
        assert!(stage.is_some_and(|stage| layout.stages[stage].groups.contains(GroupId::of(3))), "{plan:?}");
    }

    #[test]
    fn a_stage_twice_in_a_round_is_the_one_before_whoever_waits_longest() {
        let network = network();
        let junction = network.junction(JunctionId::of(0));
        let stage = StageId::of;
        let splits = [(0, 10), (1, 20), (0, 30), (2, 40)].map(|(s, share)| (stage(s), Span::from_s(share))).to_vec();
        let program = Program { name: "twice".into(), offset: Span::ZERO, splits };
        let mut lamps = Lamps::dark(junction);
        for (at, shown) in [(0, 2), (60, 1), (100, 0)] {
            lamps.change(Change::new(stage(shown), Time::from_s(at)), junction);
        }
        // Stage 2 was green before stage 1 was.
        let round = Round::new(&program, junction, stage(0), Time::from_s(100), &lamps);
        assert_eq!(round, Round { until: Time::from_s(130), then: [2, 0, 1, 0].map(stage).to_vec() });
        let other = Round::new(&program, junction, stage(5), Time::from_s(100), &lamps);
        assert_eq!((other.until, other.then.len()), (Time::from_s(100), 4));
    }
}

//! What the search comes to: the best sequence, what it beat, what bound it, and who crosses when in it.

use super::{Beam, Lamps, Node, TIE, start};
use crate::optimize::horizon::lineup::Scene;
use crate::optimize::horizon::serve::YELLOW_USED_S;
use crate::optimize::horizon::{Bound, Schedule, instant, stage_id};
use crate::plan::draft::Change;
use crate::traffic::tracker::Crossing;

/// The best complete sequence, and the best that begins otherwise.
pub(super) fn choose(beam: &mut Beam, scene: Scene<'_>, forced: Option<usize>) -> Schedule {
    let Scene { layout, situation, .. } = scene;
    let stay = layout.stages.len();
    let mut best = stay;
    for (first, leaf) in beam.leaves.iter().enumerate() {
        if leaf.gain > beam.leaves[best].gain + if best == stay { TIE } else { 0.0 } {
            best = first;
        }
    }
    let leaf = beam.leaves[best];
    if leaf.gain == f32::NEG_INFINITY {
        return Schedule::default();
    }
    let waited: f32 = situation
        .streams
        .iter()
        .map(|s| {
            let rows = s.first as usize..s.first as usize + usize::from(s.len);
            s.weight * situation.arrivals[rows].iter().map(|r| situation.horizon - r.max(0.0)).sum::<f32>()
        })
        .sum();
    let walked: f32 = situation.claims.iter().map(|c| c.weight * situation.horizon).sum();
    let cost = |gain: f32| f64::from((waited + walked - gain).max(0.0));
    let others = beam.leaves.iter().enumerate().filter(|(first, l)| *first != best && l.gain > f32::NEG_INFINITY);
    let runner_up = others.max_by(|a, b| a.1.gain.total_cmp(&b.1.gain)).map(|(first, l)| {
        let stage = if first == stay { situation.stage } else { first };
        (stage_id(stage), cost(l.gain))
    });
    let changes = leaf.node.path[..usize::from(leaf.node.changes)]
        .iter()
        .map(|&(stage, at)| {
            Change::new(stage_id(usize::from(stage)), instant(situation.now, beam.instants[usize::from(at)]))
        })
        .collect();
    let mut bound_by = Vec::new();
    if situation.leave.iter().any(|&leave| leave > situation.first()) {
        bound_by.push(Bound::MinGreen);
    }
    if forced.is_some() {
        bound_by.push(Bound::MaxRed);
    }
    if situation.room.iter().any(|&room| room < 2.0) {
        bound_by.push(Bound::ExitFull);
    }
    let discharges = replay(beam, scene, &leaf.node);
    Schedule { changes, cost_veh_s: cost(leaf.gain), runner_up, bound_by, discharges }
}

/// Runs a sequence once more and notes who crosses when, where a neighbour wants to know.
pub(super) fn replay(beam: &mut Beam, scene: Scene<'_>, best: &Node) -> Vec<Crossing> {
    scene.told(|mut note| {
        start(beam, scene);
        let scratch = beam.scratch();
        let (mut lamps, mut since) = (Lamps::Root, 0.0);
        for &(to, at) in &best.path[..usize::from(best.changes)] {
            let until = beam.instants[usize::from(at)] + YELLOW_USED_S;
            beam.run(scene, scratch, (since, until), (lamps, true), &mut note);
            beam.recall(scene, scratch, beam.instants[usize::from(at)]);
            beam.begin_stage(scene, usize::from(to), usize::from(at));
            (lamps, since) = (Lamps::Starting, until);
        }
        beam.run(scene, scratch, (since, scene.situation.horizon), (lamps, false), &mut note);
    })
}

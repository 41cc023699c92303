//! The search: a beam over sequences of stages. Decisions fall on instants of the grid, dense at first and sparse later;
//! at each the few best partial sequences live on, equal ones merged, and every one is also run to the horizon as it is.

mod change;
mod choice;
mod ending;
mod keep;
mod stretch;

use super::layout::Layout;
use super::lineup::Scene;
use super::serve::{Progress, YELLOW_USED_S};
use super::situation::Situation;
use super::{Schedule, Workspace, rate};
use crate::ids::Id;
use crate::plan::draft::Change;
use choice::{choose, replay};
use ending::{Ending, Leaf};
use keep::Bucket;
use stretch::{Lamps, quietly};

/// At least so many partial sequences in one stage live on at each instant: one that has just changed has gained less so
/// far than one that stayed, and may still be better.
const PER_STAGE: usize = 2;
/// And so many where instants are few.
const PER_STAGE_MAX: usize = 6;
/// And at most so many in all stages.
const WIDTH_MAX: usize = 60;
/// Most instants of decision.
const INSTANTS_MAX: usize = 24;
/// Most changes of one sequence.
pub(super) const CHANGES_MAX: usize = 10;
/// A red beyond its maximum costs this at once, vehicle-seconds,
const LATE: f32 = 200.0;
/// and so much more each second.
const LATE_RATE: f32 = 20.0;
/// A schedule must be better than staying by more than this, vehicle-seconds: ties stay.
const TIE: f32 = 0.01;
/// Where somebody gives way, a stretch is run in steps of this, s: about a gap.
const STEP_S: f32 = 4.0;
/// Groups that have been green for long are open since then, s.
const LONG_OPEN: f32 = -1e9;

/// A partial sequence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    stage: u8,
    changes: u8,
    gain: f32,
    /// The gain, less what those cost who are not served yet: what partial sequences are compared by.
    worth: f32,
    served: u32,
    began: f32,
    /// The first instant at which no group owes anything to those that ended before.
    owes: f32,
    claims: u64,
    /// As long as its stage goes on, nobody crosses before this instant; negative infinity where that is not known.
    rests: f32,
    /// Whether it merely goes on with the stage of one that has been run to the horizon already.
    held: bool,
    path: [(u8, u8); CHANGES_MAX],
}

impl Node {
    /// Nothing has happened yet.
    const NONE: Self = Self {
        stage: 0,
        changes: 0,
        gain: 0.0,
        worth: 0.0,
        served: 0,
        began: 0.0,
        owes: 0.0,
        claims: 0,
        rests: f32::NEG_INFINITY,
        held: false,
        path: [(0, 0); CHANGES_MAX],
    };
}

/// The buffers of a search. A partial sequence has a slot: its node, and how far each stream and exit has come in it. Each instant has a slot for each that may live on there; the last slot is the scratch slot, where one is tried out,
/// and the one before keeps what all changes at one instant have in common.
#[derive(Debug, Clone, Default)]
pub(super) struct Beam {
    instants: Vec<f32>,
    nodes: Vec<Node>,
    /// By instant: how many live on there.
    counts: Vec<usize>,
    /// By instant and stage: who they are.
    buckets: Vec<Bucket>,
    size: Size,
    /// By slot and stream.
    streams: Vec<Progress>,
    /// By slot and exit: vehicles that entered it.
    taken: Vec<f32>,
    /// Whether anything may be owed in the slot that was looked at last, and by group the first instant at which it owes
    /// nothing to those that are off there.
    owed: bool,
    debt: Vec<f32>,
    /// By group: from when it may be passed where all have been green for long, in the present stage, and in the one that
    /// has just begun; and from when on nobody walks over an exit in these two.
    calm: Vec<f32>,
    root_open: Vec<f32>,
    open: Vec<f32>,
    root_walked: f32,
    walked: f32,
    endings: Vec<Ending>,
    /// By first stage, staying last.
    leaves: Vec<Leaf>,
}

/// How many streams there are, how many exits if somebody may have to wait for room on one, and how many partial sequences
/// may live on at an instant, in one stage and in all.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    streams: usize,
    exits: usize,
    per_stage: usize,
    width: usize,
}

impl Beam {
    fn begin(&mut self, Scene { layout, situation, lineup }: Scene<'_>) {
        let grid = (situation.grid.s() as f32).max(0.1);
        self.instants.clear();
        let mut at = situation.first();
        while at < situation.horizon && self.instants.len() < INSTANTS_MAX {
            self.instants.push(at);
            let apart = match at - situation.first() {
                ..2.5 => 1.0,
                ..6.5 => 2.0,
                ..15.5 => 3.0,
                _ => 5.0_f32,
            };
            at += (apart / grid).ceil().max(1.0) * grid;
        }
        let exits = if lineup.is_crowded() { layout.exits.len() } else { 0 };
        let (instants, stages) = (self.instants.len(), layout.stages.len());
        let per_stage = (PER_STAGE * INSTANTS_MAX / instants.max(1)).clamp(PER_STAGE, PER_STAGE_MAX);
        let width = (per_stage * stages).min(WIDTH_MAX);
        self.size = Size { streams: situation.streams.len(), exits, per_stage, width };
        let slots = instants * width + 2;
        self.nodes.resize(slots, Node::NONE);
        self.counts.clear();
        self.counts.resize(instants, 0);
        self.buckets.clear();
        self.buckets.resize(instants * stages, Bucket::default());
        // What stood in a slot before is never looked at, so room is only added.
        self.streams.resize(self.streams.len().max(slots * self.size.streams), Progress::default());
        self.taken.resize(self.taken.len().max(slots * exits), 0.0);
        self.calm.clear();
        self.calm.resize(layout.groups, LONG_OPEN);
        self.open.resize(layout.groups, 0.0);
        self.root_open.resize(layout.groups, 0.0);
        situation.opened(layout, situation.stage, 0.0, &mut self.root_open);
        self.root_walked = lineup.walked(layout.stages[situation.stage].groups, &self.root_open);
        self.endings.clear();
        self.leaves.clear();
        self.leaves.resize(stages + 1, Leaf::NONE);
    }

    fn scratch(&self) -> usize {
        self.nodes.len() - 1
    }

    /// The instant of a slot.
    fn instant_of(&self, slot: usize) -> f32 {
        self.instants[slot / self.size.width]
    }

    /// How far each stream has come in a slot.
    fn streams(&self, slot: usize) -> &[Progress] {
        &self.streams[slot * self.size.streams..][..self.size.streams]
    }

    /// Copies the state of slot `from` into slot `to`.
    fn copy(&mut self, from: usize, to: usize) {
        let Size { streams, exits, .. } = self.size;
        self.streams.copy_within(from * streams..(from + 1) * streams, to * streams);
        if exits > 0 {
            self.taken.copy_within(from * exits..(from + 1) * exits, to * exits);
        }
        self.nodes[to] = self.nodes[from];
    }

    /// The stages, as a bit set, that serve somebody whom a slot's own does not.
    fn useful(&self, Scene { layout, situation, lineup }: Scene<'_>, slot: usize) -> u64 {
        let Node { stage, claims, .. } = self.nodes[slot];
        let streams = self.streams(slot);
        bits(claims).fold(lineup.wanted(layout, situation, usize::from(stage), streams), |set, claim| {
            set | layout.greens(situation.claims[claim].group)
        })
    }
}

/// The rows of a bit set.
fn bits(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let row = (set != 0).then(|| set.trailing_zeros() as usize);
        set &= set.wrapping_sub(1);
        row
    })
}

/// The best schedule.
pub(super) fn schedule(layout: &Layout, situation: &Situation, work: &mut Workspace) -> Schedule {
    search(layout, situation, work, |most, bar| most < bar)
}

/// The same; an ending is not looked at where `hopeless` says so of the most that it can come to and of the least that
/// counts.
fn search(
    layout: &Layout,
    situation: &Situation,
    work: &mut Workspace,
    hopeless: impl Fn(f32, f32) -> bool,
) -> Schedule {
    let Workspace { beam, lineup, .. } = work;
    lineup.draw_up(layout, situation);
    let scene = Scene { layout, situation, lineup };
    beam.begin(scene);
    if beam.instants.is_empty() {
        return Schedule::default();
    }
    let forced = rate::forced(layout, situation, situation.first());
    start(beam, scene);
    let (first, scratch) = (beam.instants[0], beam.scratch());
    beam.run(scene, scratch, (0.0, first), (Lamps::Root, false), &mut quietly);
    beam.keep(0, scene, scratch, beam.nodes[scratch], None);
    for at in 0..beam.instants.len() {
        for place in 0..beam.counts[at] {
            expand(beam, scene, at, at * beam.size.width + place, forced);
        }
    }
    beam.end_all(scene, hopeless);
    choose(beam, scene, forced)
}

/// The same, with every ending looked at.
#[cfg(test)]
fn exhaustive(layout: &Layout, situation: &Situation, work: &mut Workspace) -> Schedule {
    search(layout, situation, work, |_, _| false)
}

/// Changes that were found before, and who will cross when in them now. Why they were chosen is not said again.
pub(super) fn go_on(layout: &Layout, situation: &Situation, changes: &[Change], work: &mut Workspace) -> Schedule {
    let Workspace { beam, lineup, .. } = work;
    lineup.draw_up(layout, situation);
    let scene = Scene { layout, situation, lineup };
    beam.begin(scene);
    beam.instants.clear();
    beam.instants.extend(changes.iter().map(|change| situation.after(change.at)));
    let mut node = Node { changes: changes.len() as u8, ..Node::NONE };
    for (at, (step, change)) in node.path.iter_mut().zip(changes).enumerate() {
        *step = (change.stage.index() as u8, at as u8);
    }
    Schedule { changes: changes.to_vec(), discharges: replay(beam, scene, &node), ..Schedule::default() }
}

/// The present in the scratch slot.
fn start(beam: &mut Beam, Scene { situation, .. }: Scene<'_>) {
    let (Size { streams, exits, .. }, slot) = (beam.size, beam.scratch());
    let begin = situation.streams.iter().map(|stream| Progress { next: 0, ready: stream.ready });
    beam.streams[slot * streams..][..streams].iter_mut().zip(begin).for_each(|(to, progress)| *to = progress);
    beam.taken[slot * exits..][..exits].fill(0.0);
    let claims = situation.claims.iter().enumerate().filter(|(_, c)| !situation.green_at[c.group.index()].is_finite());
    beam.nodes[slot] = Node {
        stage: situation.stage as u8,
        began: situation.since,
        claims: claims.fold(0, |set, (bit, _)| set | 1 << bit),
        ..Node::NONE
    };
}

/// Everything that may follow a partial sequence at an instant.
fn expand(beam: &mut Beam, scene: Scene<'_>, at: usize, slot: usize, forced: Option<usize>) {
    let Scene { layout, situation, .. } = scene;
    let node = beam.nodes[slot];
    let (now, from, is_root) = (beam.instants[at], usize::from(node.stage), node.changes == 0);
    let lamps = if is_root { Lamps::Root } else { Lamps::Calm };
    let must = forced.filter(|&to| is_root && situation.leave[to] <= now);
    let (scratch, common) = (beam.scratch(), beam.scratch() - 1);
    if must.is_none() {
        if !node.held || at + 1 == beam.instants.len() {
            beam.endings.push(Ending::new(slot, None));
        }
        let longest = layout.stages[from].max_green;
        if let Some(&later) = beam.instants.get(at + 1).filter(|&&later| later - node.began <= longest) {
            if node.rests > later {
                beam.keep(at + 1, scene, slot, Node { held: true, ..node }, Some(node.worth));
            } else {
                beam.copy(slot, scratch);
                beam.run(scene, scratch, (now, later), (lamps, false), &mut quietly);
                beam.keep(at + 1, scene, scratch, Node { held: true, ..beam.nodes[scratch] }, None);
            }
        }
    }
    if usize::from(node.changes) == CHANGES_MAX {
        return;
    }
    let useful = beam.useful(scene, slot);
    beam.recall(scene, slot, now);
    let mut ended = None;
    for to in 0..layout.stages.len() {
        let late = is_root && situation.leave[to] > now;
        if !layout.follows(from, to) || late || must.is_some_and(|must| must != to) {
            continue;
        }
        if must.is_none() && layout.leads(from, to) & useful == 0 {
            continue;
        }
        let end = beam.duty_done(scene, slot, to);
        // A stage that only ends something may be left at the next instant, not at this one.
        let Some(next) = (at + 1..beam.instants.len()).find(|&next| beam.instants[next] >= end) else {
            beam.endings.push(Ending::new(slot, Some(to)));
            continue;
        };
        let ended = *ended.get_or_insert_with(|| {
            if node.rests > now + YELLOW_USED_S {
                return slot;
            }
            beam.copy(slot, common);
            beam.run(scene, common, (now, now + YELLOW_USED_S), (lamps, true), &mut quietly);
            common
        });
        beam.copy(ended, scratch);
        beam.begin_stage(scene, to, at);
        let until = beam.instants[next];
        beam.run(scene, scratch, (now + YELLOW_USED_S, until), (Lamps::Starting, false), &mut quietly);
        beam.keep(next, scene, scratch, beam.nodes[scratch], None);
    }
}

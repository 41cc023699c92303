//! The search: a beam over sequences of stages. Decisions fall on instants of the grid, dense at first and sparse later;
//! at each the few best partial sequences live on, equal ones merged, and every one is also run to the horizon as it is.

mod choice;
mod ending;
mod keep;

use super::layout::Layout;
use super::lineup::Scene;
use super::serve::{Run, Window, YELLOW_USED_S, later, rests, stream};
use super::situation::Situation;
use super::{Schedule, Workspace, rate};
use crate::ids::Id;
use choice::choose;
use ending::{Ending, Leaf};
use keep::Bucket;

/// Partial sequences that live on at each instant.
const WIDTH: usize = 60;
/// And of those at most so many that are in one stage: one that has just changed has gained less so far than one that
/// stayed, and may still be better.
const PER_STAGE: usize = 6;
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
        held: false,
        path: [(0, 0); CHANGES_MAX],
    };
}

/// The buffers of a search. A partial sequence has a slot: its node, and how far each stream, exit and group has come in
/// it. Each instant has a slot for each that may live on there; the last slot is the scratch slot, where one is tried out,
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
    /// By slot and stream: the next vehicle.
    next: Vec<u8>,
    /// By slot: the earliest that each stream can cross, vehicles that entered each exit, and the first instant at which
    /// each group owes nothing to those that are off.
    amounts: Vec<f32>,
    calm: Vec<f32>,
    root_open: Vec<f32>,
    open: Vec<f32>,
    endings: Vec<Ending>,
    /// By first stage, staying last.
    leaves: Vec<Leaf>,
}

/// How many streams, exits and groups there are.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    streams: usize,
    exits: usize,
    groups: usize,
}

impl Size {
    fn amounts(self) -> usize {
        self.streams + self.exits + self.groups
    }
}

impl Beam {
    fn begin(&mut self, Scene { layout, situation, .. }: Scene<'_>) {
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
        self.size = Size { streams: situation.streams.len(), exits: layout.exits.len(), groups: layout.groups };
        let (slots, stages) = (self.instants.len() * WIDTH + 2, layout.stages.len());
        self.nodes.resize(slots, Node::NONE);
        self.counts.clear();
        self.counts.resize(self.instants.len(), 0);
        self.buckets.clear();
        self.buckets.resize(self.instants.len() * stages, Bucket::default());
        self.next.resize(slots * self.size.streams, 0);
        self.amounts.resize(slots * self.size.amounts(), 0.0);
        self.calm.clear();
        self.calm.resize(layout.groups, LONG_OPEN);
        self.open.resize(layout.groups, 0.0);
        self.root_open.resize(layout.groups, 0.0);
        situation.opened(layout, situation.stage, 0.0, &mut self.root_open);
        self.endings.clear();
        self.leaves.clear();
        self.leaves.resize(stages + 1, Leaf::NONE);
    }

    fn scratch(&self) -> usize {
        self.nodes.len() - 1
    }

    /// By stream: the next vehicle of a slot.
    fn next(&self, slot: usize) -> &[u8] {
        &self.next[slot * self.size.streams..][..self.size.streams]
    }

    /// By stream: the earliest it can cross in a slot.
    fn ready(&self, slot: usize) -> &[f32] {
        &self.amounts[slot * self.size.amounts()..][..self.size.streams]
    }

    /// By group: the first instant at which it owes nothing to those that are off in a slot.
    fn debt(&self, slot: usize) -> &[f32] {
        &self.amounts[slot * self.size.amounts() + self.size.streams + self.size.exits..][..self.size.groups]
    }

    /// Copies the state of slot `from` into slot `to`.
    fn copy(&mut self, from: usize, to: usize) {
        let (streams, amounts) = (self.size.streams, self.size.amounts());
        self.next.copy_within(from * streams..(from + 1) * streams, to * streams);
        self.amounts.copy_within(from * amounts..(from + 1) * amounts, to * amounts);
        self.nodes[to] = self.nodes[from];
    }

    /// Runs a slot's stage from `from` up to `until`. Where somebody gives way, step by step: whoever has the right of way
    /// is served up to the end of a step before the others look for a gap in it.
    fn run(
        &mut self,
        scene: Scene<'_>,
        slot: usize,
        (from, until): (f32, f32),
        (lamps, ends): (Lamps, bool),
        note: &mut impl FnMut(usize, f32, usize),
    ) {
        let mut at = from;
        if scene.lineup.gives_way(usize::from(self.nodes[slot].stage)) {
            while until - at > 1.5 * STEP_S {
                at += STEP_S;
                self.step(scene, slot, at, (lamps, false), note);
            }
        }
        self.step(scene, slot, until, (lamps, ends), note);
    }

    /// Runs a slot's stage up to `until`, from where it stands.
    fn step(
        &mut self,
        scene: Scene<'_>,
        slot: usize,
        until: f32,
        (lamps, ends): (Lamps, bool),
        note: &mut impl FnMut(usize, f32, usize),
    ) {
        let Size { streams, exits, .. } = self.size;
        let node = &mut self.nodes[slot];
        let stage = usize::from(node.stage);
        let open = match lamps {
            Lamps::Calm => &self.calm,
            Lamps::Root => &self.root_open,
            Lamps::Starting => &self.open,
        };
        let (calm, starts) = (lamps == Lamps::Calm, lamps == Lamps::Starting);
        let window = Window { stage, open, until, calm, starts, ends };
        let (ready, taken) = self.amounts[slot * self.size.amounts()..][..streams + exits].split_at_mut(streams);
        let mut run = Run { next: &mut self.next[slot * streams..][..streams], ready, taken };
        // Who is held by another stream comes once that has been served.
        for _ in 0..if scene.situation.parted { 2 } else { 1 } {
            for &at in scene.lineup.members(stage) {
                let at = usize::from(at);
                let before = run.next[at];
                if !rests(scene, at, &window, &run) {
                    node.gain += stream(scene, at, &window, &mut run, |crosses, turn| note(at, crosses, turn));
                    // The sum of served vehicles, each stream with a weight of its own, tells states apart.
                    node.served = node.served.wrapping_add(
                        u32::from(run.next[at] - before).wrapping_mul((at as u32 + 1).wrapping_mul(0x9e37_79b1)),
                    );
                }
            }
        }
    }

    /// The stages, as a bit set, that serve somebody whom a slot's own does not.
    fn useful(&self, Scene { layout, situation, lineup }: Scene<'_>, slot: usize) -> u64 {
        let Node { stage, claims, .. } = self.nodes[slot];
        let next = self.next(slot);
        bits(claims).fold(lineup.wanted(layout, situation, usize::from(stage), next), |set, claim| {
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

/// Which lamps hold while a stage runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lamps {
    /// Every group of it has been green for long.
    Calm,
    /// As they are now.
    Root,
    /// It has just begun.
    Starting,
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
    beam.run(scene, scratch, (0.0, first), (Lamps::Root, false), &mut |_, _, _| {});
    beam.keep(0, scene);
    for at in 0..beam.instants.len() {
        for place in 0..beam.counts[at] {
            expand(beam, scene, at, at * WIDTH + place, forced);
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

/// The present in the scratch slot.
fn start(beam: &mut Beam, Scene { situation, .. }: Scene<'_>) {
    let (Size { streams, exits, .. }, slot) = (beam.size, beam.scratch());
    beam.next[slot * streams..].fill(0);
    let (ready, rest) = beam.amounts[slot * beam.size.amounts()..].split_at_mut(streams);
    let (taken, debt) = rest.split_at_mut(exits);
    ready.iter_mut().zip(&situation.streams).for_each(|(ready, stream)| *ready = stream.ready);
    taken.fill(0.0);
    debt.copy_from_slice(&situation.debt);
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
            beam.copy(slot, scratch);
            beam.run(scene, scratch, (now, later), (lamps, false), &mut |_, _, _| {});
            beam.nodes[scratch].held = true;
            beam.keep(at + 1, scene);
        }
    }
    if usize::from(node.changes) == CHANGES_MAX {
        return;
    }
    let useful = beam.useful(scene, slot);
    let mut ended = false;
    for to in 0..layout.stages.len() {
        let late = is_root && situation.leave[to] > now;
        if !layout.follows(from, to) || late || must.is_some_and(|must| must != to) {
            continue;
        }
        if must.is_none() && layout.leads(from, to) & useful == 0 {
            continue;
        }
        let end = duty_done(beam, scene, slot, to);
        // A stage that only ends something may be left at the next instant, not at this one.
        let Some(next) = (at + 1..beam.instants.len()).find(|&next| beam.instants[next] >= end) else {
            beam.endings.push(Ending::new(slot, Some(to)));
            continue;
        };
        if !std::mem::replace(&mut ended, true) {
            beam.copy(slot, common);
            beam.run(scene, common, (now, now + YELLOW_USED_S), (lamps, true), &mut |_, _, _| {});
        }
        beam.copy(common, scratch);
        begin_stage(beam, scene, to, at);
        let until = beam.instants[next];
        beam.run(scene, scratch, (now + YELLOW_USED_S, until), (Lamps::Starting, false), &mut |_, _, _| {});
        beam.keep(next, scene);
    }
}

/// When every minimum green in stage `to` is over if the change into it begins at a slot's instant.
fn duty_done(beam: &Beam, Scene { layout, situation, .. }: Scene<'_>, slot: usize, to: usize) -> f32 {
    let (node, now) = (&beam.nodes[slot], beam.instants[slot / WIDTH]);
    let (from, is_root) = (usize::from(node.stage), node.changes == 0);
    let debt = beam.debt(slot);
    let (go_on, turn_green) = layout.turning(from, to);
    let begin = turn_green.iter().chain(go_on.iter().filter(|_| is_root));
    let begin = begin.filter(|turning| !is_root || !situation.green_at[usize::from(turning.group)].is_finite());
    begin.fold(now + layout.hold(from, to), |end, turning| {
        later(end, later(debt[usize::from(turning.group)], now + turning.owed) + turning.least)
    })
}

/// Begins the change into stage `to` at an instant in the scratch slot.
fn begin_stage(beam: &mut Beam, scene: Scene<'_>, to: usize, at: usize) {
    let Scene { layout, situation, .. } = scene;
    let (now, scratch) = (beam.instants[at], beam.scratch());
    let first = scratch * beam.size.amounts() + beam.size.streams + beam.size.exits;
    let debt = &mut beam.amounts[first..first + beam.size.groups];
    let node = &mut beam.nodes[scratch];
    let (from, is_root) = (usize::from(node.stage), node.changes == 0);
    let mut owes = node.owes;
    if is_root {
        owes = situation.debt.iter().copied().fold(owes, later);
    }
    // A group that owes nothing to those that end is in debt until now at most: that is asked for where it begins.
    for &(group, owed) in layout.owing(from, to) {
        let debt = &mut debt[usize::from(group)];
        *debt = later(*debt, now + owed);
        owes = later(owes, *debt);
    }
    node.owes = owes;
    let (go_on, turn_green) = layout.turning(from, to);
    for row in turn_green.iter().chain(go_on).map(|turning| usize::from(turning.group)) {
        let lit = if is_root { situation.green_at[row] } else { f32::INFINITY };
        beam.open[row] = if lit.is_finite() { lit } else { later(debt[row], now) };
    }
    if !is_root {
        go_on.iter().for_each(|turning| beam.open[usize::from(turning.group)] = LONG_OPEN);
    }
    let new = layout.stages[to].groups;
    for bit in bits(node.claims) {
        let claim = &situation.claims[bit];
        if new.contains(claim.group) {
            let start = beam.open[claim.group.index()].max(now);
            node.claims &= !(1 << bit);
            node.gain += claim.weight * (situation.horizon - start).max(0.0);
            if start > claim.deadline {
                node.gain -= LATE + LATE_RATE * (start - claim.deadline);
            }
        }
    }
    node.gain -= situation.price;
    node.stage = to as u8;
    node.path[usize::from(node.changes)] = (to as u8, at as u8);
    node.changes += 1;
    node.began = now;
    node.held = false;
}

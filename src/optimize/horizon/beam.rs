//! The search: a beam over sequences of stages. Decisions fall on instants of the grid, dense at first and sparse later;
//! at each the few best partial sequences live on, equal ones merged, and every one is also run to the horizon as it is.

mod choice;

use super::layout::Layout;
use super::serve::{Run, Window, YELLOW_USED_S, stream};
use super::situation::Situation;
use super::{Schedule, Workspace, rate};
use crate::ids::Id;
use choice::choose;

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
/// What a queue of one that is left at the end costs, in its headways: half of it to clear it at once, and four times
/// that because a lane is green for about a quarter of the time.
const UNSERVED: f32 = 2.0;
/// Groups that have been green for long are open since then, s.
const LONG_OPEN: f32 = -1e9;

/// A partial sequence.
#[derive(Debug, Clone, Copy, Default)]
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

/// The buffers of a search.
#[derive(Debug, Clone, Default)]
pub(super) struct Beam {
    instants: Vec<f32>,
    nodes: Vec<Node>,
    counts: Vec<usize>,
    next: Vec<u8>,
    ready: Vec<f32>,
    taken: Vec<f32>,
    /// By slot and group: the first instant at which it owes nothing to those that are off.
    debt: Vec<f32>,
    /// Streams of each stage, those that give way last.
    members: Vec<u16>,
    ranges: Vec<(u32, u32)>,
    /// By stage: whether some stream of it gives way to another.
    gives_way: Vec<bool>,
    calm: Vec<f32>,
    root_open: Vec<f32>,
    open: Vec<f32>,
    leaves: Vec<Leaf>,
}

/// The best complete sequence that begins in one way: staying, or changing to a stage at once.
#[derive(Debug, Clone, Copy)]
struct Leaf {
    gain: f32,
    node: Node,
}

impl Beam {
    fn begin(&mut self, layout: &Layout, situation: &Situation) {
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
        let (streams, exits) = (situation.streams.len(), layout.exits.len());
        let slots = self.instants.len() * WIDTH + 2;
        self.nodes.resize(slots, Node::default());
        self.counts.clear();
        self.counts.resize(self.instants.len(), 0);
        self.next.resize(slots * streams, 0);
        self.ready.resize(slots * streams, 0.0);
        self.taken.resize(slots * exits, 0.0);
        self.debt.resize(slots * layout.groups, 0.0);
        self.calm.clear();
        self.calm.resize(layout.groups, LONG_OPEN);
        self.open.resize(layout.groups, 0.0);
        self.root_open.resize(layout.groups, 0.0);
        situation.opened(layout, situation.stage, 0.0, &mut self.root_open);
        self.members.clear();
        self.ranges.clear();
        self.gives_way.clear();
        for stage in 0..layout.stages.len() {
            let first = self.members.len() as u32;
            let mut leading = 0;
            for gives_way in [false, true] {
                leading = self.members.len();
                for (at, row) in situation.streams.iter().enumerate() {
                    let lane = usize::from(row.lane);
                    if row.len > 0 && layout.served(stage, lane) != 0 && layout.yields(stage, lane) == gives_way {
                        self.members.push(at as u16);
                    }
                }
            }
            self.ranges.push((first, self.members.len() as u32));
            self.gives_way.push(self.members.len() > leading);
        }
        let none = Leaf { gain: f32::NEG_INFINITY, node: Node::default() };
        self.leaves.clear();
        self.leaves.resize(layout.stages.len() + 1, none);
    }

    /// Copies the state of slot `from` into slot `to`. The last slot is the scratch slot, the one before keeps what all
    /// changes at one instant have in common.
    fn copy(&mut self, from: usize, to: usize, streams: usize, exits: usize) {
        self.next.copy_within(from * streams..(from + 1) * streams, to * streams);
        self.ready.copy_within(from * streams..(from + 1) * streams, to * streams);
        self.taken.copy_within(from * exits..(from + 1) * exits, to * exits);
        let groups = self.calm.len();
        self.debt.copy_within(from * groups..(from + 1) * groups, to * groups);
        self.nodes[to] = self.nodes[from];
    }

    /// Copies the state of slot `from` into the scratch slot.
    fn fork(&mut self, from: usize, streams: usize, exits: usize) {
        self.copy(from, self.nodes.len() - 1, streams, exits);
    }

    /// Runs the scratch slot's stage from `from` up to `until`. Where somebody gives way, step by step: whoever has the
    /// right of way is served up to the end of a step before the others look for a gap in it.
    fn run(
        &mut self,
        layout: &Layout,
        situation: &Situation,
        (from, until): (f32, f32),
        (lamps, ends): (Lamps, bool),
        note: &mut impl FnMut(usize, f32, usize),
    ) {
        let stage = usize::from(self.nodes[self.nodes.len() - 1].stage);
        let mut at = from;
        while self.gives_way[stage] && until - at > 1.5 * STEP_S {
            at += STEP_S;
            self.step(layout, situation, at, (lamps, false), note);
        }
        self.step(layout, situation, until, (lamps, ends), note);
    }

    /// Runs the scratch slot's stage up to `until`, from where it stands.
    fn step(
        &mut self,
        layout: &Layout,
        situation: &Situation,
        until: f32,
        (lamps, ends): (Lamps, bool),
        note: &mut impl FnMut(usize, f32, usize),
    ) {
        let (streams, exits, slot) = (situation.streams.len(), layout.exits.len(), self.nodes.len() - 1);
        let node = &mut self.nodes[slot];
        let stage = usize::from(node.stage);
        let open = match lamps {
            Lamps::Calm => &self.calm,
            Lamps::Root => &self.root_open,
            Lamps::Starting => &self.open,
        };
        let window = Window { stage, open, until, starts: lamps == Lamps::Starting, ends };
        let mut run = Run {
            next: &mut self.next[slot * streams..],
            ready: &mut self.ready[slot * streams..],
            taken: &mut self.taken[slot * exits..],
        };
        let (first, end) = self.ranges[stage];
        // Who is held by another stream comes once that has been served.
        for _ in 0..if situation.parted { 2 } else { 1 } {
            for &at in &self.members[first as usize..end as usize] {
                let at = usize::from(at);
                let before = run.next[at];
                if before < situation.streams[at].len {
                    node.gain +=
                        stream(layout, situation, at, &window, &mut run, |crosses, turn| note(at, crosses, turn));
                    // The sum of served vehicles, each stream with a weight of its own, tells states apart.
                    node.served = node.served.wrapping_add(
                        u32::from(run.next[at] - before).wrapping_mul((at as u32 + 1).wrapping_mul(0x9e37_79b1)),
                    );
                }
            }
        }
    }

    /// Whether stage `to` serves somebody whom stage `from` does not.
    fn useful(&self, layout: &Layout, situation: &Situation, from: usize, to: usize, slot: usize) -> bool {
        let claims = self.nodes[slot].claims;
        let claimed = |(bit, c): (usize, &super::situation::Claim)| {
            claims >> bit & 1 == 1 && layout.stages[to].groups.contains(c.group)
        };
        if claims != 0 && situation.claims.iter().enumerate().any(claimed) {
            return true;
        }
        let streams = situation.streams.len();
        let (first, end) = self.ranges[to];
        self.members[first as usize..end as usize].iter().any(|&at| {
            let row = &situation.streams[usize::from(at)];
            let next = self.next[slot * streams + usize::from(at)];
            if next >= row.len {
                return false;
            }
            let lane = usize::from(row.lane);
            let way = situation.ways[row.first as usize + usize::from(next)];
            let green = |stage: usize| layout.green(stage, lane) >> way & 1 == 1;
            green(to) && (!green(from) || layout.yields(from, lane) && !layout.yields(to, lane))
        })
    }

    /// Puts the scratch slot among those that live on at an instant, if it is good enough.
    fn keep(&mut self, at: usize, situation: &Situation, exits: usize) {
        let from = self.nodes.len() - 1;
        self.nodes[from].worth = self.nodes[from].gain - self.rest(situation);
        self.nodes[from].owes = self.nodes[from].owes.max(self.instants[at]);
        let node = self.nodes[from];
        let (first, count) = (at * WIDTH, self.counts[at]);
        let live = &self.nodes[first..first + count];
        // Of two that have come to the same, the one that owes less may go on sooner: a walk is ended early, not late.
        let same = |n: &Node| n.stage == node.stage && n.served == node.served && n.claims == node.claims;
        if live.iter().any(|n| same(n) && n.gain >= node.gain && n.owes <= node.owes) {
            return;
        }
        let worse = |n: &Node| same(n) && n.gain <= node.gain && n.owes >= node.owes;
        let peers = live.iter().filter(|n| n.stage == node.stage).count();
        let to = if let Some(beaten) = live.iter().position(worse) {
            first + beaten
        } else if count < WIDTH && peers < PER_STAGE {
            self.counts[at] += 1;
            first + count
        } else {
            // Where there are more stages than the beam is wide, the first of a stage contends with all.
            let rivals = (0..count).filter(|&a| peers == 0 || live[a].stage == node.stage);
            let Some(worst) = rivals.min_by(|&a, &b| live[a].worth.total_cmp(&live[b].worth)) else { return };
            if live[worst].worth >= node.worth {
                return;
            }
            first + worst
        };
        self.copy(from, to, situation.streams.len(), exits);
    }

    /// What those cost whom the scratch slot leaves unserved: each waits until those before it have left, and its lane
    /// gets a part of the time only.
    fn rest(&self, situation: &Situation) -> f32 {
        let mut next = self.next[(self.nodes.len() - 1) * situation.streams.len()..].iter();
        let mut cost = 0.0;
        for worlds in situation.streams.chunk_by(|a, b| a.lane == b.lane) {
            let left: f32 = worlds.iter().zip(next.by_ref()).map(|(s, &n)| s.weight * f32::from(s.len - n)).sum();
            cost += UNSERVED * left * left * worlds[0].headway;
        }
        cost
    }

    /// The scratch slot is complete.
    fn finish(&mut self, layout: &Layout, situation: &Situation) {
        let node = self.nodes[self.nodes.len() - 1];
        let mut gain = node.gain - self.rest(situation);
        for (bit, claim) in situation.claims.iter().enumerate() {
            let due = claim.deadline - layout.reach(usize::from(node.stage), claim.group);
            if node.claims >> bit & 1 == 1 && due < situation.horizon {
                gain -= LATE + LATE_RATE * (situation.horizon - due);
            }
        }
        if situation.horizon - node.began > layout.stages[usize::from(node.stage)].max_green {
            gain -= LATE;
        }
        let first = match node.path[0] {
            (stage, 0) if node.changes > 0 => usize::from(stage),
            _ => layout.stages.len(),
        };
        if gain > self.leaves[first].gain {
            self.leaves[first] = Leaf { gain, node };
        }
    }
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
    let beam = &mut work.beam;
    beam.begin(layout, situation);
    if beam.instants.is_empty() {
        return Schedule::default();
    }
    let forced = rate::forced(layout, situation, situation.first());
    start(beam, layout, situation);
    let first = beam.instants[0];
    beam.run(layout, situation, (0.0, first), (Lamps::Root, false), &mut |_, _, _| {});
    beam.keep(0, situation, layout.exits.len());
    for at in 0..beam.instants.len() {
        for place in 0..beam.counts[at] {
            expand(beam, layout, situation, at, at * WIDTH + place, forced);
        }
    }
    choose(beam, layout, situation, forced)
}

/// The present in the scratch slot; its stage.
fn start(beam: &mut Beam, layout: &Layout, situation: &Situation) -> usize {
    let (streams, exits, slot) = (situation.streams.len(), layout.exits.len(), beam.nodes.len() - 1);
    for (at, row) in situation.streams.iter().enumerate() {
        beam.next[slot * streams + at] = 0;
        beam.ready[slot * streams + at] = row.ready;
    }
    beam.taken[slot * exits..].fill(0.0);
    beam.debt[slot * layout.groups..].copy_from_slice(&situation.debt);
    let claims = situation.claims.iter().enumerate().filter(|(_, c)| !situation.green_at[c.group.index()].is_finite());
    beam.nodes[slot] = Node {
        stage: situation.stage as u8,
        began: situation.since,
        claims: claims.fold(0, |set, (bit, _)| set | 1 << bit),
        ..Node::default()
    };
    situation.stage
}

/// Everything that may follow a partial sequence at an instant.
fn expand(beam: &mut Beam, layout: &Layout, situation: &Situation, at: usize, slot: usize, forced: Option<usize>) {
    let (streams, exits) = (situation.streams.len(), layout.exits.len());
    let node = beam.nodes[slot];
    let (now, from, is_root) = (beam.instants[at], usize::from(node.stage), node.changes == 0);
    let lamps = if is_root { Lamps::Root } else { Lamps::Calm };
    let must = forced.filter(|&to| is_root && situation.leave[to] <= now);
    if must.is_none() {
        if !node.held || at + 1 == beam.instants.len() {
            beam.fork(slot, streams, exits);
            beam.run(layout, situation, (now, situation.horizon), (lamps, false), &mut |_, _, _| {});
            beam.finish(layout, situation);
        }
        let longest = layout.stages[from].max_green;
        if let Some(&later) = beam.instants.get(at + 1).filter(|&&later| later - node.began <= longest) {
            beam.fork(slot, streams, exits);
            beam.run(layout, situation, (now, later), (lamps, false), &mut |_, _, _| {});
            let scratch = beam.nodes.len() - 1;
            beam.nodes[scratch].held = true;
            beam.keep(at + 1, situation, exits);
        }
    }
    if usize::from(node.changes) == CHANGES_MAX {
        return;
    }
    let common = beam.nodes.len() - 2;
    let mut ended = false;
    for to in 0..layout.stages.len() {
        let late = is_root && situation.leave[to] > now;
        if !layout.follows(from, to) || late || must.is_some_and(|must| must != to) {
            continue;
        }
        if must.is_none() && !layout.leads(from, to).any(|far| beam.useful(layout, situation, from, far, slot)) {
            continue;
        }
        if !std::mem::replace(&mut ended, true) {
            beam.fork(slot, streams, exits);
            beam.run(layout, situation, (now, now + YELLOW_USED_S), (lamps, true), &mut |_, _, _| {});
            beam.copy(common + 1, common, streams, exits);
        }
        beam.fork(common, streams, exits);
        let end = begin_stage(beam, layout, situation, from, to, at);
        // A stage that only ends something may be left at the next instant, not at this one.
        let next = (at + 1..beam.instants.len()).find(|&next| beam.instants[next] >= end);
        let until = next.map_or(situation.horizon, |next| beam.instants[next]);
        beam.run(layout, situation, (now + YELLOW_USED_S, until), (Lamps::Starting, false), &mut |_, _, _| {});
        match next {
            Some(next) => beam.keep(next, situation, exits),
            None => beam.finish(layout, situation),
        }
    }
}

/// Begins the change into stage `to` at an instant; when every minimum green in it is over.
fn begin_stage(beam: &mut Beam, layout: &Layout, situation: &Situation, from: usize, to: usize, at: usize) -> f32 {
    let now = beam.instants[at];
    let scratch = beam.nodes.len() - 1;
    let node = &mut beam.nodes[scratch];
    let is_root = node.changes == 0;
    let (old, new) = (layout.stages[from].groups, layout.stages[to].groups);
    let mut end = now + layout.hold(from, to);
    let debt = &mut beam.debt[scratch * layout.groups..];
    for (debt, owed) in debt.iter_mut().zip(layout.starts(from, to)) {
        *debt = debt.max(now + owed);
        node.owes = node.owes.max(*debt);
    }
    for group in new.iter() {
        let row = group.index();
        beam.open[row] = if old.contains(group) && !is_root {
            LONG_OPEN
        } else if is_root && situation.green_at[row].is_finite() {
            situation.green_at[row]
        } else {
            let start = debt[row];
            end = end.max(start + layout.min_green[row]);
            start
        };
    }
    for (bit, claim) in situation.claims.iter().enumerate() {
        if node.claims >> bit & 1 == 1 && new.contains(claim.group) {
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
    end
}

//! How partial sequences end: each as it is, or after a last change, at the horizon. Those go first that can come to most;
//! one that cannot come to what counts any more is not run at all.

use super::{Beam, LATE, LATE_RATE, Lamps, Node, TIE, bits, quietly};
use crate::optimize::horizon::layout::Light;
use crate::optimize::horizon::lineup::Scene;
use crate::optimize::horizon::serve::{YELLOW_USED_S, later};

/// Sums of gains in another order differ by less than this, vehicle-seconds.
const ROUNDING: f32 = 0.1;

/// A way to end a partial sequence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    slot: u32,
    /// The stage of a last change.
    to: Option<u8>,
    /// The row of its first stage among the leaves.
    first: u8,
    /// Its row among all: of equal ones the first counts.
    row: u32,
    /// The most that it can come to.
    most: f32,
}

impl Ending {
    /// Ends what is in a slot.
    pub(super) fn new(slot: usize, to: Option<usize>) -> Self {
        Self { slot: slot as u32, to: to.map(|to| to as u8), first: 0, row: 0, most: f32::INFINITY }
    }
}

/// The best complete sequence that begins in one way: staying, or changing to a stage at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf {
    pub(super) gain: f32,
    pub(super) node: Node,
    /// The row of its ending.
    row: u32,
}

impl Leaf {
    /// None yet.
    pub(super) const NONE: Self = Self { gain: f32::NEG_INFINITY, node: Node::NONE, row: u32::MAX };
}

impl Beam {
    /// Runs all that has lived on to the horizon, as far as it can change what is chosen.
    ///
    /// What is chosen follows from the best gain of each way to begin: the greatest one, or staying where that is no more
    /// than [`TIE`] worse; and the greatest of the others. So an ending counts only if it can beat the best one that begins
    /// like it, and if it can come close to the second greatest of all: the bar. What is below the bar by more than a tie
    /// can neither be chosen nor be beaten last, nor does a better one let it in again, for the bar only rises.
    pub(super) fn end_all(&mut self, scene: Scene<'_>, hopeless: impl Fn(f32, f32) -> bool) {
        let mut endings = std::mem::take(&mut self.endings);
        for (row, ending) in endings.iter_mut().enumerate() {
            ending.row = row as u32;
            ending.first = self.first(ending);
            ending.most = self.most(scene, ending);
        }
        endings.sort_unstable_by(|a, b| b.most.total_cmp(&a.most));
        let mut bar = f32::NEG_INFINITY;
        for ending in &endings {
            let best = self.leaves[usize::from(ending.first)].gain;
            if hopeless(ending.most, bar) {
                break;
            }
            if !hopeless(ending.most, best) && self.end(scene, ending) {
                let (mut greatest, mut second) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
                for leaf in &self.leaves {
                    second = later(second, if leaf.gain > greatest { greatest } else { leaf.gain });
                    greatest = later(greatest, leaf.gain);
                }
                bar = second - 2.0 * TIE;
            }
        }
        self.endings = endings;
    }

    /// The row of an ending's first stage among the leaves.
    fn first(&self, &Ending { slot, to, .. }: &Ending) -> u8 {
        let node = &self.nodes[slot as usize];
        match (node.path[0], to) {
            ((stage, 0), _) if node.changes > 0 => stage,
            (_, Some(to)) if node.changes == 0 && (slot as usize) < self.size.width => to,
            _ => (self.leaves.len() - 1) as u8,
        }
    }

    /// Ends a partial sequence; whether it is the best so far of those that begin like it.
    fn end(&mut self, scene: Scene<'_>, &Ending { slot, to, first, row, .. }: &Ending) -> bool {
        let (slot, scratch) = (slot as usize, self.scratch());
        self.copy(slot, scratch);
        let (at, horizon) = (slot / self.size.width, scene.situation.horizon);
        let mut from = self.instants[at];
        let mut lamps = if self.nodes[slot].changes == 0 { Lamps::Root } else { Lamps::Calm };
        if let Some(to) = to {
            let until = from + YELLOW_USED_S;
            self.run(scene, scratch, (from, until), (lamps, true), &mut quietly);
            self.recall(scene, slot, self.instants[at]);
            self.begin_stage(scene, usize::from(to), at);
            (from, lamps) = (until, Lamps::Starting);
        }
        self.run(scene, scratch, (from, horizon), (lamps, false), &mut quietly);
        let node = self.nodes[scratch];
        let gain = node.gain - scene.lineup.rest(scene.situation, self.streams(scratch));
        let gain = fines(scene, &node).fold(gain, |gain, fine| gain - fine);
        let leaf = &mut self.leaves[usize::from(first)];
        let better = gain > leaf.gain || gain >= leaf.gain && row < leaf.row;
        if better {
            *leaf = Leaf { gain, node, row };
        }
        better
    }

    /// The most that an ending can come to: whoever has green before or after its last change crosses at the first instant
    /// at which he can, a headway apart, held by nothing but those before him and the change.
    fn most(&self, scene: Scene<'_>, ending: &Ending) -> f32 {
        let Scene { layout, situation, lineup } = scene;
        let slot = ending.slot as usize;
        let (mut node, now) = (self.nodes[slot], self.instant_of(slot));
        let from = usize::from(node.stage);
        let to = ending.to.map_or(from, usize::from);
        let (before, after) = (layout.lights(from), layout.lights(to));
        let mut most = node.gain + ROUNDING;
        if to != from {
            let settled = |bit: &usize| layout.stages[to].groups.contains(situation.claims[*bit].group);
            for bit in bits(node.claims).filter(settled) {
                node.claims &= !(1 << bit);
                most += situation.claims[bit].weight * (situation.horizon - now);
            }
            (node.stage, node.began) = (to as u8, now);
            most -= situation.price;
        }
        most = fines(scene, &node).fold(most, |most, fine| most - fine);
        let streams = (self.streams(slot), now);
        if to == from {
            return lineup.at_best(situation, streams, most, |car, at, _| {
                (after[usize::from(car.turn)] != Light::Red).then_some(at)
            });
        }
        let yellow = now + YELLOW_USED_S + ROUNDING;
        lineup.at_best(situation, streams, most, |car, at, stream| {
            let turn = usize::from(car.turn);
            match (before[turn], after[turn]) {
                (Light::Red, Light::Red) => None,
                // It waits for its green, and starts then.
                (Light::Red, _) if node.changes > 0 => {
                    let open = now + layout.start_of(from, to, car.gate);
                    let starts = car.arrival < open && !car.is_held();
                    Some(later(at, if starts { open + stream.startup } else { open }))
                }
                (_, Light::Red) => (at <= yellow).then_some(at),
                _ => Some(at),
            }
        })
    }
}

/// What a sequence that ends like this costs because some red goes on too long, or the stage does, vehicle-seconds.
fn fines(Scene { layout, situation, .. }: Scene<'_>, node: &Node) -> impl Iterator<Item = f32> {
    let (stage, began) = (usize::from(node.stage), node.began);
    let overdue = bits(node.claims).filter_map(move |bit| {
        let claim = &situation.claims[bit];
        let due = claim.deadline - layout.reach(stage, claim.group);
        (due < situation.horizon).then_some(LATE + LATE_RATE * (situation.horizon - due))
    });
    overdue.chain((situation.horizon - began > layout.stages[stage].max_green).then_some(LATE))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::optimize::horizon::Workspace;
    use crate::optimize::horizon::beam::{exhaustive, go_on, schedule};
    use crate::optimize::horizon::present::present;
    use crate::optimize::horizon::tests::{crossroads, permissive};

    proptest! {
        #[test]
        fn who_goes_on_with_what_was_found_expects_the_same(simple in present(crossroads), gaps in present(permissive)) {
            let (mut work, mut other) = (Workspace::default(), Workspace::default());
            for (mut layout, situation) in [(crossroads(), simple), (permissive(), gaps)] {
                layout.turns.iter_mut().for_each(|turn| turn.onward_s = 0.0);
                let found = schedule(&layout, &situation, &mut work);
                let mut again = go_on(&layout, &situation, &found.changes, &mut other);
                again.take_reasons(&found);
                prop_assert_eq!(again, found);
            }
        }

        #[test]
        fn no_ending_that_counts_is_left_out(simple in present(crossroads), gaps in present(permissive)) {
            let (mut work, mut other) = (Workspace::default(), Workspace::default());
            for (layout, situation) in [(crossroads(), simple), (permissive(), gaps)] {
                let expected = exhaustive(&layout, &situation, &mut other);
                prop_assert_eq!(schedule(&layout, &situation, &mut work), expected);
            }
        }
    }
}

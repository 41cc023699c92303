//! A change of stage in a partial sequence.
//!
//! What a change owes is nearly always settled before the next one begins. Where it is not, or where the lamps of the present
//! still count, what each group is owed is looked up from the sequence's changes.

use super::{Beam, LATE, LATE_RATE, LONG_OPEN, bits};
use crate::ids::Id;
use crate::optimize::horizon::layout::Turning;
use crate::optimize::horizon::lineup::Scene;
use crate::optimize::horizon::serve::later;
use crate::optimize::horizon::situation::Situation;

impl Beam {
    /// Finds what each group is still owed in a slot at `now`, if anything is: whoever asks [`Beam::duty_done`] or
    /// [`Beam::begin_stage`] about that slot has to have done this.
    pub(super) fn recall(&mut self, Scene { layout, situation, .. }: Scene<'_>, slot: usize, now: f32) {
        let node = &self.nodes[slot];
        self.owed = node.changes == 0 || node.owes > now;
        if !self.owed {
            return;
        }
        self.debt.clear();
        self.debt.extend_from_slice(&situation.debt);
        let mut from = situation.stage;
        for &(to, at) in &node.path[..usize::from(node.changes)] {
            let begun = self.instants[usize::from(at)];
            for &(group, owed) in layout.owing(from, usize::from(to)) {
                let debt = &mut self.debt[usize::from(group)];
                *debt = later(*debt, begun + owed);
            }
            from = usize::from(to);
        }
    }

    /// When every minimum green in stage `to` is over if the change into it begins at a slot's instant.
    pub(super) fn duty_done(&self, Scene { layout, situation, .. }: Scene<'_>, slot: usize, to: usize) -> f32 {
        let (node, now) = (&self.nodes[slot], self.instant_of(slot));
        let (from, is_root) = (usize::from(node.stage), node.changes == 0);
        if !self.owed {
            return layout.duties(from, to).iter().fold(0.0, |end, &(owed, least)| later(end, now + owed + least));
        }
        let (go_on, turn_green) = layout.turning(from, to);
        let begin = turn_green.iter().chain(go_on.iter().filter(|_| is_root));
        begin.fold(now + layout.hold(from, to), |end, turning| {
            later(end, green_from(situation, &self.debt, turning, now, is_root) + turning.least)
        })
    }

    /// Begins the change into stage `to` at an instant in the scratch slot.
    pub(super) fn begin_stage(&mut self, scene: Scene<'_>, to: usize, at: usize) {
        let Scene { layout, situation, lineup } = scene;
        let (now, scratch) = (self.instants[at], self.scratch());
        let node = &mut self.nodes[scratch];
        let (from, is_root) = (usize::from(node.stage), node.changes == 0);
        if is_root {
            node.owes = situation.debt.iter().copied().fold(node.owes, later);
        }
        node.owes = later(node.owes, now + layout.longest_owed(from, to));
        let (go_on, turn_green) = layout.turning(from, to);
        if !self.owed {
            turn_green.iter().for_each(|turning| self.open[usize::from(turning.group)] = now + turning.owed);
        } else {
            let go_on = go_on.iter().filter(|_| is_root);
            for turning in turn_green.iter().chain(go_on) {
                self.open[usize::from(turning.group)] = green_from(situation, &self.debt, turning, now, is_root);
            }
        }
        if !is_root {
            go_on.iter().for_each(|turning| self.open[usize::from(turning.group)] = LONG_OPEN);
        }
        let new = layout.stages[to].groups;
        self.walked = lineup.walked(new, &self.open);
        for bit in bits(node.claims) {
            let claim = &situation.claims[bit];
            if new.contains(claim.group) {
                let start = self.open[claim.group.index()].max(now);
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
        node.rests = f32::NEG_INFINITY;
    }
}

/// From when a group is green in the stage that a change at `now` leads to, when `debt` says what each group is owed. A green
/// that has begun before the first change, or was about to, goes on through it.
fn green_from(situation: &Situation, debt: &[f32], turning: &Turning, now: f32, is_root: bool) -> f32 {
    let row = usize::from(turning.group);
    let lit = if is_root { situation.green_at[row] } else { f32::INFINITY };
    if lit.is_finite() { lit } else { later(debt[row], now + turning.owed) }
}

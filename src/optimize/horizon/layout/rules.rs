//! What each turn may do in each stage: go, go after a stop, give way, and to whom.

use std::ops::Range;

use super::Layout;
use crate::ids::{GroupId, Id};
use crate::network::{Conflict, Junction};

/// What a turn may do in a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::optimize::horizon) enum Light {
    /// Wait.
    Red,
    /// Go on red after a stop.
    AfterStop,
    /// Go.
    Green,
    /// Go when nobody comes to whom it gives way.
    GivesWay,
}

impl Light {
    /// Whether its lamp is green.
    pub(in crate::optimize::horizon) fn is_green(self) -> bool {
        matches!(self, Self::Green | Self::GivesWay)
    }
}

impl Layout {
    /// Fills the tables by stage and turn.
    pub(super) fn find_rules(&mut self, junction: &Junction) {
        for stage in 0..self.stages.len() {
            for turn in 0..self.turns.len() {
                let first = self.foes.len() as u32;
                let path = &self.turns[turn];
                let green = self.stages[stage].groups.contains(path.group);
                for (at, lane) in self.lanes.iter().enumerate() {
                    let leads = |foe: &super::Turn| {
                        self.stages[stage].groups.contains(foe.group)
                            && junction.conflict(path.group, foe.group) == Conflict::Yields
                    };
                    if green && !lane.turns.contains(&turn) && self.turns[lane.turns.clone()].iter().any(leads) {
                        self.foes.push(at as u16);
                    }
                }
                let clash = first..self.foes.len() as u32;
                self.lights.push(match () {
                    () if green && clash.is_empty() => Light::Green,
                    () if green => Light::GivesWay,
                    () if path.on_red => Light::AfterStop,
                    () => Light::Red,
                });
                self.clashes.push(clash);
            }
            for lane in 0..self.lanes.len() {
                let yields = self.lanes[lane].turns.clone().any(|turn| self.lights(stage)[turn] == Light::GivesWay);
                self.yields.push(yields);
            }
        }
        let stages = 0..self.stages.len().min(64);
        for from in 0..self.stages.len() {
            for (lane, row) in self.lanes.iter().enumerate() {
                for turn in row.turns.clone() {
                    let spared = |to| self.yields(from, lane) && !self.yields(to, lane);
                    let better = |&to: &usize| {
                        self.lights(to)[turn].is_green() && (!self.lights(from)[turn].is_green() || spared(to))
                    };
                    self.betters.push(stages.clone().filter(better).fold(0, |set, to| set | 1 << to));
                }
            }
        }
        for group in (0..self.groups).map(GroupId::of) {
            let green = |&stage: &usize| self.stages[stage].groups.contains(group);
            self.greens.push(stages.clone().filter(green).fold(0, |set, stage| set | 1 << stage));
        }
    }

    /// By turn: what it may do in a stage.
    pub(in crate::optimize::horizon) fn lights(&self, stage: usize) -> &[Light] {
        &self.lights[stage * self.turns.len()..(stage + 1) * self.turns.len()]
    }

    /// The lanes to whose green turns a turn gives way in a stage.
    pub(in crate::optimize::horizon) fn foes(&self, stage: usize, turn: usize) -> &[u16] {
        let Range { start, end } = self.clashes[stage * self.turns.len() + turn];
        &self.foes[start as usize..end as usize]
    }

    /// By turn: the stages, as a bit set, that would let it go where the stage does not, or spare its lane giving way.
    pub(in crate::optimize::horizon) fn betters(&self, stage: usize) -> &[u64] {
        &self.betters[stage * self.turns.len()..(stage + 1) * self.turns.len()]
    }

    /// The stages, as a bit set, in which a group is green.
    pub(in crate::optimize::horizon) fn greens(&self, group: GroupId) -> u64 {
        self.greens[group.index()]
    }
}

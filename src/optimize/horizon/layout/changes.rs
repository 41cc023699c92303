//! What each change of stage costs in time: what it owes to whom, when the stage it leads to may be left, and the shortest
//! ways from stage to stage.

use std::ops::Range;

use super::{Layout, Turning};
use crate::ids::{GroupId, Id};
use crate::network::Junction;
use crate::plan::timeline::owed;
use crate::time::Span;

impl Layout {
    /// Fills the tables by change of stage.
    pub(super) fn tabulate(&mut self, junction: &Junction) {
        let n = self.stages.len();
        let seconds = |s: Span| s.s() as f32;
        for from in junction.groups.ids() {
            for to in junction.groups.ids() {
                let owes = from == to || junction.never_together(from, to);
                self.intergreen.push(if owes { seconds(owed(junction, from, to)) } else { -1.0 });
            }
        }
        for a in junction.stages.ids() {
            for b in junction.stages.ids() {
                self.follows.push(a != b && junction.may_follow(a, b));
                let (ending, starting) = junction.change(a, b);
                let (mut hold, first) = (0.0_f32, self.owing.len() as u32);
                for (id, group) in junction.groups.iter() {
                    let owed = ending.iter().map(|from| seconds(owed(junction, from, id))).fold(0.0, f32::max);
                    self.starts.push(owed);
                    if owed > 0.0 {
                        self.owing.push((id.index() as u16, owed));
                    }
                    if starting.contains(id) {
                        hold = hold.max(owed + seconds(group.min_green.span));
                    }
                }
                self.hold.push(hold);
                let longest = self.owing[first as usize..].iter().map(|&(_, owed)| owed).fold(0.0, f32::max);
                self.longest_owed.push(longest);
                self.dues.push(first..self.owing.len() as u32);
                let (old, new) = (junction.stages[a].groups, junction.stages[b].groups);
                let (min_green, owed) = (&self.min_green, &self.starts[self.starts.len() - self.groups..]);
                let row = |group: GroupId| {
                    let row = group.index();
                    Turning { group: row as u16, owed: owed[row], least: min_green[row] }
                };
                let first = self.turning.len() as u32;
                self.turning.extend(new.intersection(old).iter().map(row));
                let turns = self.turning.len() as u32;
                self.turning.extend(new.difference(old).iter().map(row));
                let begin = self.turning[turns as usize..].iter().map(|turning| (turning.owed, turning.least));
                let all: Vec<_> = begin.chain([(hold, 0.0)]).collect();
                self.news.push([first, turns, self.turning.len() as u32]);
                let first = self.duties.len() as u32;
                self.duties.extend(duties(all));
                self.tasks.push(first..self.duties.len() as u32);
            }
        }
        // Shortest ways between stages, each stage on the way doing its duty. Source: Floyd and Warshall.
        let mut way: Vec<f32> =
            (0..n * n).map(|at| if self.follows[at] { self.hold[at] } else { f32::INFINITY }).collect();
        for via in 0..n {
            for a in 0..n {
                for b in 0..n {
                    way[a * n + b] = way[a * n + b].min(way[a * n + via] + way[via * n + b]);
                }
            }
        }
        for a in 0..n {
            for b in 0..n {
                let best = |to: usize| {
                    let direct = self.follows[a * n + to];
                    let through = self.hold[a * n + b] + way[b * n + to];
                    // Walkers may be cleared first while the rest goes on: no shorter in all, but less is lost.
                    let shorter = if direct { through < self.hold[a * n + to] } else { through <= way[a * n + to] };
                    to == b || to != a && shorter && through.is_finite()
                };
                let reached = (0..n.min(64)).filter(|&to| best(to)).fold(0, |set, to| set | 1 << to);
                self.leads.push(if self.follows[a * n + b] { reached } else { 0 });
            }
        }
        for a in 0..n {
            for (id, group) in junction.groups.iter() {
                let duty = seconds(group.min_green.span);
                let to = (0..n).filter(|&b| self.stages[b].groups.contains(id));
                let least = to
                    .map(|b| if a == b { 0.0 } else { (way[a * n + b] - duty).max(0.0) })
                    .fold(f32::INFINITY, f32::min);
                self.reach.push(least);
            }
        }
    }

    pub(in crate::optimize::horizon) fn follows(&self, from: usize, to: usize) -> bool {
        self.follows[from * self.stages.len() + to]
    }

    /// The stages, as a bit set, to which the shortest way from `from` begins with `to`.
    pub(in crate::optimize::horizon) fn leads(&self, from: usize, to: usize) -> u64 {
        self.leads[from * self.stages.len() + to]
    }

    pub(in crate::optimize::horizon) fn start(&self, from: usize, to: usize, group: GroupId) -> f32 {
        self.start_of(from, to, group.index() as u16)
    }

    /// The same, by the group's row.
    pub(in crate::optimize::horizon) fn start_of(&self, from: usize, to: usize, gate: u16) -> f32 {
        self.starts[(from * self.stages.len() + to) * self.groups + usize::from(gate)]
    }

    /// The groups that owe something to those that end in a change, and from its begin until they do not, s.
    pub(in crate::optimize::horizon) fn owing(&self, from: usize, to: usize) -> &[(u16, f32)] {
        let Range { start, end } = self.dues[from * self.stages.len() + to];
        &self.owing[start as usize..end as usize]
    }

    /// The longest that anything owes to those that end in a change, from its begin on, s.
    pub(in crate::optimize::horizon) fn longest_owed(&self, from: usize, to: usize) -> f32 {
        self.longest_owed[from * self.stages.len() + to]
    }

    /// From the begin of a change until something may begin, and how long that takes at least, s: the stage may be left
    /// when all of these are over.
    pub(in crate::optimize::horizon) fn duties(&self, from: usize, to: usize) -> &[(f32, f32)] {
        let Range { start, end } = self.tasks[from * self.stages.len() + to];
        &self.duties[start as usize..end as usize]
    }

    /// The groups that are green before and after a change, and those that turn green in it.
    pub(in crate::optimize::horizon) fn turning(&self, from: usize, to: usize) -> (&[Turning], &[Turning]) {
        let [first, turns, end] = self.news[from * self.stages.len() + to].map(|row| row as usize);
        (&self.turning[first..turns], &self.turning[turns..end])
    }

    pub(in crate::optimize::horizon) fn hold(&self, from: usize, to: usize) -> f32 {
        self.hold[from * self.stages.len() + to]
    }

    pub(in crate::optimize::horizon) fn reach(&self, from: usize, group: GroupId) -> f32 {
        self.reach[from * self.groups + group.index()]
    }
}

/// Of times to wait and times that something takes then, those that no other outlasts both ways.
fn duties(mut all: Vec<(f32, f32)>) -> Vec<(f32, f32)> {
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)));
    let mut longest = f32::NEG_INFINITY;
    all.retain(|&(_, least)| {
        let outlasts = least > longest;
        longest = longest.max(least);
        outlasts
    });
    all
}

//! What a SUMO program shows of yellows, intergreens and shortest greens.

use std::collections::BTreeMap;

use super::program::Seen;
use crate::ids::{GroupId, GroupSet, Id};

/// The yellow of each group, seconds: the longest in the first program that shows one.
pub(super) fn yellows(programs: &[Seen], groups: usize) -> Vec<Option<f64>> {
    let in_program = |program: &Seen, group: GroupId| {
        let n = program.states.len();
        let ends = |row: &usize| {
            !program.states[*row].green.contains(group) && program.states[(row + n - 1) % n].green.contains(group)
        };
        let lasts = |row: usize| -> f64 {
            let states = (0..n).map(|k| &program.states[(row + k) % n]);
            states.take_while(|s| s.yellow.contains(group)).map(|s| s.seconds).sum()
        };
        (0..n).filter(ends).map(lasts).filter(|&s| s > 0.0).reduce(f64::max)
    };
    (0..groups).map(|group| programs.iter().find_map(|p| in_program(p, GroupId::of(group)))).collect()
}

/// Whether each group loses its green in some program.
pub(super) fn ever_ends(programs: &[Seen]) -> GroupSet {
    let of = |program: &Seen| {
        let any = program.states.iter().map(|s| s.green).reduce(GroupSet::union).unwrap_or_default();
        let all = program.states.iter().map(|s| s.green).reduce(GroupSet::intersection).unwrap_or_default();
        any.difference(all)
    };
    programs.iter().map(of).reduce(GroupSet::union).unwrap_or_default()
}

/// The shortest green of each group in any program, seconds; none where it is never green or always.
pub(super) fn shortest_greens(programs: &[Seen], groups: usize) -> Vec<Option<f64>> {
    let in_program = |program: &Seen, group: GroupId| {
        let n = program.states.len();
        let green = |row: usize| program.states[row % n].green.contains(group);
        let begins = |row: &usize| green(*row) && !green(row + n - 1);
        let lasts = |row: usize| -> f64 {
            (row..row + n).take_while(|&r| green(r)).map(|r| program.states[r % n].seconds).sum()
        };
        (0..n).filter(begins).map(lasts).reduce(f64::min)
    };
    let of = |group| programs.iter().filter_map(|p| in_program(p, GroupId::of(group))).reduce(f64::min);
    (0..groups).map(of).collect()
}

/// The shortest time, seconds, from the end of one group's green to the begin of another's that takes over from it.
pub(super) fn gaps(programs: &[Seen]) -> BTreeMap<(GroupId, GroupId), f64> {
    let mut gaps = BTreeMap::new();
    for program in programs {
        let n = program.states.len();
        for (k, to) in program.stretches.iter().enumerate() {
            let from = &program.stretches[(k + program.stretches.len() - 1) % program.stretches.len()];
            let reached: f64 = program.states[..to.state].iter().map(|s| s.seconds).sum();
            let change = reached - to.start;
            // The rows of the change, the last one first, each with the time from its begin to the stage.
            let mut rows = Vec::new();
            let mut left = 0.0;
            while left + 1e-6 < change && rows.len() < n {
                let row = (to.state + n - 1 - rows.len()) % n;
                left += program.states[row].seconds;
                rows.push((row, left));
            }
            let ends = |group| {
                rows.iter().rev().find(|&&(row, _)| !program.states[row].green.contains(group)).map_or(0.0, |r| r.1)
            };
            let begins = |group| {
                let on = rows.iter().take_while(|&&(row, _)| program.states[row].green.contains(group));
                on.last().map_or(0.0, |r| r.1)
            };
            for a in from.green.difference(to.green).iter() {
                for b in to.green.difference(from.green).iter() {
                    let gap: f64 = ends(a) - begins(b);
                    if gap > -1e-6 {
                        let least = gaps.entry((a, b)).or_insert(f64::INFINITY);
                        *least = gap.max(0.0).min(*least);
                    }
                }
            }
        }
    }
    gaps
}

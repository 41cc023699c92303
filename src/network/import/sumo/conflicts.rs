//! Which groups of a SUMO signal meet, and who gives way.
//!
//! `foes` names the links whose paths cross or merge. Two such groups yield where some state of some program shows
//! both green: who gives way is what most of their links' `response` bits say, else who shows `g`. All others are
//! never green together.

use std::collections::BTreeMap;

use super::super::Notes;
use super::program::Seen;
use super::roads::Roads;
use crate::ids::GroupId;

/// A pair of groups whose paths meet, the lower first.
pub(super) type Pair = (GroupId, GroupId);

/// What a pair may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meeting {
    Never,
    /// The first gives way.
    FirstYields,
    /// The second gives way.
    SecondYields,
}

/// Every pair of groups that meet at the nodes of one signal. `group_of` knows the groups of connection rows.
pub(super) fn meetings(
    nodes: &[usize],
    roads: &Roads<'_>,
    group_of: &BTreeMap<usize, GroupId>,
    programs: &[Seen],
    junction: &str,
    notes: &mut Notes,
) -> BTreeMap<Pair, Meeting> {
    let mut votes: BTreeMap<Pair, [usize; 2]> = BTreeMap::new();
    for &node in nodes {
        let matrix = &roads.matrices[node];
        if matrix.links.is_empty() {
            notes.add("signals without a matching request matrix: what no state shows together never goes", junction);
            let here: Vec<GroupId> = at_node(node, roads, group_of);
            for (k, &a) in here.iter().enumerate() {
                for &b in &here[k + 1..] {
                    votes.entry((a, b)).or_default();
                }
            }
            continue;
        }
        let groups: Vec<Option<GroupId>> = matrix.links.iter().map(|row| group_of.get(row).copied()).collect();
        for (i, a) in groups.iter().enumerate() {
            for (j, b) in groups.iter().enumerate().skip(i + 1) {
                let (Some(a), Some(b)) = (*a, *b) else { continue };
                let (first, second) = (matrix.requests[i], matrix.requests[j]);
                let (yields, led) = (first.responds_to(j), second.responds_to(i));
                if a == b || !(yields || led || first.foe_of(j) || second.foe_of(i)) {
                    continue;
                }
                let (pair, [yields, led]) = if a < b { ((a, b), [yields, led]) } else { ((b, a), [led, yields]) };
                let count = votes.entry(pair).or_default();
                count[0] += usize::from(yields);
                count[1] += usize::from(led);
            }
        }
    }
    let meeting = |(pair, votes): (Pair, [usize; 2])| (pair, judge(pair, votes, programs));
    votes.into_iter().map(meeting).collect()
}

fn at_node(node: usize, roads: &Roads<'_>, group_of: &BTreeMap<usize, GroupId>) -> Vec<GroupId> {
    let here = group_of.iter().filter(|(row, _)| roads.paths[**row].is_some_and(|p| p.node == node));
    let mut groups: Vec<GroupId> = here.map(|(_, &g)| g).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

fn judge((a, b): Pair, [a_yields, b_yields]: [usize; 2], programs: &[Seen]) -> Meeting {
    let states = || programs.iter().flat_map(|p| &p.states);
    let mut together = states().filter(|s| s.green.contains(a) && s.green.contains(b)).peekable();
    if together.peek().is_none() {
        return Meeting::Never;
    }
    let permissive = together.any(|s| s.permissive.contains(a) && !s.permissive.contains(b));
    if a_yields > b_yields || (a_yields == b_yields && permissive) {
        Meeting::FirstYields
    } else {
        Meeting::SecondYields
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::{Logic, Phase};
    use super::*;
    use crate::ids::Id;

    #[test]
    fn a_pair_yields_only_where_a_program_shows_it() {
        let program = |states: &[&str]| {
            let phases = states.iter().map(|s| Phase { seconds: 10.0, state: s.as_bytes().into(), jumps: false });
            let logic = Logic {
                id: "j".into(),
                program: "0".into(),
                kind: "static".into(),
                offset: 0.0,
                phases: phases.collect(),
            };
            Seen::new(&logic, &[0, 1])
        };
        let pair = (GroupId::of(0), GroupId::of(1));
        let rows: [(&[&str], [usize; 2], Meeting); 6] = [
            (&["Gr", "rG"], [1, 0], Meeting::Never), // it might yield, but nobody lets it
            (&["Gg", "rG"], [0, 1], Meeting::SecondYields), // a permissive left
            (&["Gg", "rG"], [2, 1], Meeting::FirstYields), // most links say so
            (&["gG", "rG"], [0, 0], Meeting::FirstYields), // no link says so, but the state does
            (&["Gy", "yG"], [0, 1], Meeting::Never), // yellow is not green
            (&["Gs", "rG"], [0, 1], Meeting::Never), // neither is a turn on red
        ];
        for (states, votes, expected) in rows {
            assert_eq!(judge(pair, votes, &[program(states)]), expected, "{states:?}");
        }
    }
}

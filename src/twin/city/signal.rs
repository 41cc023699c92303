//! The signal of a corner: groups, who meets whom, stages, programs and pedestrian crossings, all from its arms.

use std::collections::BTreeMap;

use super::sketch::{Arms, COMPASS, Path, connection, near_and_far, paths, tenth};
use super::stages::{self, Group};
use crate::network::spec::{ConflictKind, ConflictSpec, CrossingSpec, GroupSpec, JunctionSpec};
use crate::network::{GroupKind, NetworkSpec, Side, Turn};

/// Width of a lane, metres.
const LANE_M: f64 = 3.25;
/// From this many lanes on a crossing has a refuge in its middle.
const REFUGE_LANES: usize = 5;

/// How a corner is signalised.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// Whether turns across oncoming traffic have a stage of their own: on the east-west axis, on the north-south one.
    pub(super) protected: [bool; 2],
    /// How people cross.
    pub(super) walk: Walk,
    /// Which stage may follow which.
    pub(super) order: Order,
    /// Whether the kerb-side turn may go on red after a stop.
    pub(super) turn_on_red: bool,
    /// Cycle of its program, seconds.
    pub(super) cycle_s: f64,
    /// When that begins, seconds.
    pub(super) offset_s: f64,
}

/// How people cross.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    /// Nowhere.
    No,
    /// With the traffic beside them; who turns into their way yields.
    Beside,
    /// In a stage of their own.
    Alone,
}

/// Which stage may follow which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Any other.
    Free,
    /// As in the program.
    Fixed,
    /// Two rings, two barriers.
    Rings,
}

impl Style {
    /// Two or three stages in free order, permissive turns, people beside the traffic.
    pub(super) const PLAIN: Self = Self {
        protected: [false; 2],
        walk: Walk::Beside,
        order: Order::Free,
        turn_on_red: true,
        cycle_s: 90.0,
        offset_s: 0.0,
    };
}

/// Signalises a corner.
pub(super) fn install(id: &str, arms: &Arms, style: &Style, side: Side, spec: &mut NetworkSpec) {
    let found = paths(arms, style.protected, side, spec);
    let groups = groups(arms, style, side, &found);
    let conflicts = conflicts(&groups, &found, arms, style, side);
    let plan = stages::of(&groups, &conflicts, style);
    for path in &found {
        let group = groups.iter().find(|g| g.serves(path.from, path.turn)).map(|g| g.id.clone());
        let row = connection(path, arms, group, false, side, spec);
        spec.connections.push(row);
    }
    for group in groups.iter().filter(|g| g.kind == GroupKind::Pedestrian) {
        crossings(id, group, arms, spec);
    }
    spec.junctions.push(JunctionSpec {
        id: id.to_owned(),
        groups: groups
            .iter()
            .map(|g| GroupSpec {
                id: g.id.clone(),
                kind: g.kind,
                min_green: None,
                max_red: None,
                change: None,
                all_red: None,
                turn_on_red: g.turn_on_red,
            })
            .collect(),
        conflicts: conflicts
            .iter()
            .map(|(&(a, b), &kind)| ConflictSpec { a: groups[a].id.clone(), b: groups[b].id.clone(), kind })
            .collect(),
        intergreens: Vec::new(),
        stages: plan.stages,
        order: plan.order,
        programs: plan.programs,
    });
}

/// One group for straight on, one for each turn that somebody else has a say in, one for people at each arm.
fn groups(arms: &Arms, style: &Style, side: Side, paths: &[Path]) -> Vec<Group> {
    let (near, far) = near_and_far(side);
    let present = |arm: usize| arms[arm].into.is_some() || arms[arm].out.is_some();
    // Between two corners of a block one crossing is enough.
    let between = (0..4).filter(|&arm| present(arm)).count() == 2 && present(0) == present(2);
    let walked = |arm: usize| style.walk != Walk::No && present(arm) && !(between && arm >= 2);
    let mut groups = Vec::new();
    for arm in 0..4 {
        let exit = |turn: Turn| paths.iter().find(|p| p.from == arm && p.turn == turn).map(|p| p.to);
        let straight = exit(Turn::Straight).is_some();
        let near_alone = exit(near).is_some_and(|to| !straight || walked(to) || style.turn_on_red);
        let faced = arms[(arm + 2) % 4].into.is_some();
        let far_alone = exit(far).is_some_and(|to| !straight || walked(to) || faced);
        let mut main = Vec::new();
        for (turn, alone) in [(Turn::Straight, false), (near, near_alone), (far, far_alone)] {
            if exit(turn).is_some() && !alone {
                main.push(turn);
            }
        }
        let mut add = |letter: char, turns: Vec<Turn>, turn_on_red: bool| {
            groups.push(Group {
                id: format!("{}{letter}", COMPASS[arm]),
                kind: GroupKind::Vehicle,
                arm,
                turns,
                turn_on_red,
            });
        };
        if !main.is_empty() {
            add('s', main, false);
        }
        let letter = |turn: Turn| if turn == Turn::Left { 'l' } else { 'r' };
        if near_alone {
            add(letter(near), vec![near], style.turn_on_red);
        }
        if far_alone {
            add(letter(far), vec![far], false);
        }
    }
    for arm in (0..4).filter(|&arm| walked(arm)) {
        groups.push(Group {
            id: format!("{}p", COMPASS[arm]),
            kind: GroupKind::Pedestrian,
            arm,
            turns: Vec::new(),
            turn_on_red: false,
        });
    }
    groups
}

/// Where a path begins and ends on a circle around the corner, in eighths counted against the clock.
fn ends(from: usize, to: usize, side: Side) -> (usize, usize) {
    // Who comes from the east and keeps right is on the northern side of the road.
    let (into, out) = match side {
        Side::Right => (1, 0),
        Side::Left => (0, 1),
    };
    (2 * from + into, 2 * to + out)
}

/// Whether two paths of different approaches cross or end in one exit.
pub(super) fn meet(a: (usize, usize), b: (usize, usize), side: Side) -> bool {
    let ((a1, a2), (b1, b2)) = (ends(a.0, a.1, side), ends(b.0, b.1, side));
    let inside = |x: usize| (x + 8 - a1) % 8 < (a2 + 8 - a1) % 8;
    a2 == b2 || inside(b1) != inside(b2)
}

/// Which pairs of groups meet, and what they may do. `(a, b)` with [`ConflictKind::Yields`] says that `a` gives way.
fn conflicts(
    groups: &[Group],
    paths: &[Path],
    arms: &Arms,
    style: &Style,
    side: Side,
) -> BTreeMap<(usize, usize), ConflictKind> {
    let (_, far) = near_and_far(side);
    let protected = |arm: usize| style.protected[arm % 2] && arms[(arm + 2) % 4].into.is_some();
    let mut found = BTreeMap::new();
    let mut note = |a: usize, b: usize, yields: bool| {
        if !yields {
            found.remove(&(b, a));
            found.insert((a, b), ConflictKind::Never);
        } else if !found.contains_key(&(a, b)) && !found.contains_key(&(b, a)) {
            found.insert((a, b), ConflictKind::Yields);
        }
    };
    for (i, a) in groups.iter().enumerate() {
        let ways_of = |g: &Group| -> Vec<(usize, Turn)> {
            let mut ways: Vec<_> = paths.iter().filter(|p| g.serves(p.from, p.turn)).map(|p| (p.to, p.turn)).collect();
            ways.dedup();
            ways
        };
        for (j, b) in groups.iter().enumerate() {
            match (a.kind, b.kind) {
                (GroupKind::Vehicle, GroupKind::Vehicle) if i < j && a.arm != b.arm => {
                    for (a_to, a_turn) in ways_of(a) {
                        for (b_to, b_turn) in ways_of(b) {
                            if !meet((a.arm, a_to), (b.arm, b_to), side) {
                                continue;
                            }
                            let facing = (a.arm + 2) % 4 == b.arm;
                            if facing && a_turn == far && !protected(a.arm) {
                                note(i, j, true);
                            } else if facing && b_turn == far && !protected(b.arm) {
                                note(j, i, true);
                            } else {
                                note(i.min(j), i.max(j), false);
                            }
                        }
                    }
                }
                (GroupKind::Vehicle, GroupKind::Pedestrian) => {
                    if a.arm == b.arm {
                        note(i, j, false);
                    }
                    for (to, turn) in ways_of(a).into_iter().filter(|&(to, _)| to == b.arm) {
                        debug_assert_eq!(to, b.arm);
                        let aside = turn != Turn::Straight && !(turn == far && protected(a.arm));
                        note(i, j, aside && style.walk == Walk::Beside);
                    }
                }
                _ => {}
            }
        }
    }
    found
}

/// The crossing of a group's arm, in two halves where a refuge divides it.
fn crossings(id: &str, group: &Group, arms: &Arms, spec: &mut NetworkSpec) {
    let arm = arms[group.arm];
    let width = |link: Option<usize>| link.map_or(0, |row| spec.links[row].lanes.len());
    let name = |link: usize| spec.links[link].id.clone();
    let halves: Vec<(String, usize, Vec<String>)> = if width(arm.into) + width(arm.out) >= REFUGE_LANES {
        let half = |letter: char, link: Option<usize>| {
            Some((format!("{id}/{}{letter}", group.id), width(link), vec![name(link?)]))
        };
        [half('i', arm.into), half('o', arm.out)].into_iter().flatten().collect()
    } else {
        let crosses = [arm.into, arm.out].into_iter().flatten().map(name).collect();
        vec![(format!("{id}/{}", group.id), width(arm.into) + width(arm.out), crosses)]
    };
    for (crossing, lanes, crosses) in halves {
        spec.crossings.push(CrossingSpec {
            id: crossing,
            node: id.to_owned(),
            length_m: tenth(lanes as f64 * LANE_M + 0.5),
            crosses,
            group: Some(group.id.clone()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_meet_where_they_cross_or_merge() {
        let (e, n, w, s) = (0, 1, 2, 3);
        // (one path, the other, whether they meet where traffic keeps right)
        let rows = [
            ((e, w), (w, e), false), // opposite directions pass each other
            ((e, w), (n, s), true),  // straight across
            ((e, s), (w, e), true),  // a left turn cuts the oncoming stream
            ((e, s), (w, n), false), // two opposite left turns pass in front of each other
            ((s, e), (w, e), true),  // a right turn merges into the exit of the stream from the west
            ((e, n), (w, e), false), // a right turn keeps to its own side
            ((e, s), (w, s), true),  // a left and the facing right turn end in one exit
            ((s, e), (e, s), false), // a right turn and the left turn that leaves the arm it enters
        ];
        for (a, b, expected) in rows {
            assert_eq!(meet(a, b, Side::Right), expected, "{a:?} {b:?}");
            assert_eq!(meet(b, a, Side::Right), expected, "{b:?} {a:?}");
            // The mirror image, with north and south exchanged, where traffic keeps left.
            let mirror = |(x, y): (usize, usize)| ((4 - x) % 4, (4 - y) % 4);
            assert_eq!(meet(mirror(a), mirror(b), Side::Left), expected, "mirrored {a:?} {b:?}");
        }
    }
}

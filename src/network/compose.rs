//! Stages beside those of a junction's programs: who else may be green together without giving way across a road.
//!
//! A timed program goes round a few stages. Where stages may follow each other in any order, others are worth having: one
//! approach alone, its left turn spared the oncoming traffic; a left turn of each of two approaches that do not meet.

use std::collections::BTreeMap;

use super::spec::{ConflictKind, GroupKind, JunctionSpec, NetworkSpec, OrderSpec, Side, StageSpec, Turn};
use crate::ids::{GroupId, GroupSet, Id};

/// A junction gets at most so many further stages: the search looks at each of them again and again.
const MOST: usize = 8;
/// And none beyond so many in all: the search tells no more apart.
const MOST_IN_ALL: usize = 64;
/// So many sets of groups are looked at, at most; an odd junction of many small groups has thousands.
const LOOKS: usize = 1000;

/// Adds stages to every junction of one node whose stages may follow each other in any order; returns how many. Where a
/// signal has several nodes, its program's stages see to it that nobody is let in who then stands between them.
///
/// Each is a largest set of groups that never meet, but for those who give way where roads merge or people walk: the
/// groups of one lane go together, since nobody knows who stands first in it; then whoever only turns to the near side
/// and meets none of them. People on foot keep to the program's stages: a walk lasts longer than what these are for. Left
/// out are sets that another stage holds where nobody of theirs gives way to those it adds. If there are more than eight,
/// those that release most lanes are taken.
pub fn compose(spec: &mut NetworkSpec) -> usize {
    let near = match spec.drive_on {
        Side::Right => Turn::Right,
        Side::Left => Turn::Left,
    };
    let junction_of: BTreeMap<&str, &str> =
        spec.nodes.iter().filter_map(|node| Some((&*node.id, node.junction.as_deref()?))).collect();
    let node_after: BTreeMap<&str, &str> = spec.links.iter().map(|link| (&*link.id, &*link.to)).collect();
    let mut paths: BTreeMap<&str, Vec<Path<'_>>> = BTreeMap::new();
    for path in &spec.connections {
        let junction = node_after.get(&*path.from).and_then(|node| junction_of.get(node));
        if let (Some(group), Some(junction)) = (path.group.as_deref(), junction) {
            let lane = (&*path.from, path.from_lane);
            paths.entry(junction).or_default().push(Path { lane, group, is_near: path.turn == near });
        }
    }
    let mut nodes: BTreeMap<&str, usize> = BTreeMap::new();
    for junction in junction_of.values() {
        *nodes.entry(junction).or_default() += 1;
    }
    let mut added = 0;
    for junction in &mut spec.junctions {
        if junction.order != OrderSpec::Free || nodes.get(&*junction.id) != Some(&1) {
            continue;
        }
        let Some(groups) = Groups::of(junction, paths.get(&*junction.id).map_or(&[], Vec::as_slice)) else { continue };
        let name = |group: GroupId| junction.groups[group.index()].id.clone();
        let most = MOST.min(MOST_IN_ALL.saturating_sub(junction.stages.len()));
        let ids = (1..).map(|k| format!("composed-{k}"));
        let ids: Vec<String> = ids.filter(|id| junction.stages.iter().all(|s| s.id != *id)).take(most).collect();
        let stage = |(id, groups): (String, GroupSet)| StageSpec {
            id,
            groups: groups.iter().map(name).collect(),
            max_s: None,
            skippable: false,
        };
        let stages: Vec<StageSpec> = ids.into_iter().zip(groups.further()).map(stage).collect();
        added += stages.len();
        junction.stages.extend(stages);
    }
    added
}

/// A path that a group releases.
struct Path<'a> {
    lane: (&'a str, u8),
    group: &'a str,
    /// Whether it turns to the side that people drive on.
    is_near: bool,
}

/// The groups of one junction, by their rows.
struct Groups {
    /// The groups that are green in each of its stages.
    stages: Vec<GroupSet>,
    /// By group: those it may never be green with, and those it gives way to across a road.
    never: Vec<GroupSet>,
    yields: Vec<GroupSet>,
    walkers: GroupSet,
    /// Vehicle groups that go together because they share lanes, and how many lanes they have.
    units: Vec<(GroupSet, usize)>,
    /// Of these, those that do no more than turn to the near side.
    near: Vec<GroupSet>,
}

impl Groups {
    /// None where a name means nothing: whoever builds the network says so.
    fn of(junction: &JunctionSpec, paths: &[Path<'_>]) -> Option<Self> {
        let n = junction.groups.len();
        if n > GroupSet::MAX {
            return None;
        }
        let rows: BTreeMap<&str, GroupId> =
            junction.groups.iter().enumerate().map(|(row, group)| (&*group.id, GroupId::of(row))).collect();
        let row = |name: &str| rows.get(name).copied();
        let set = |names: &[String]| names.iter().map(|name| row(name)).collect::<Option<GroupSet>>();
        let stages: Vec<GroupSet> = junction.stages.iter().map(|stage| set(&stage.groups)).collect::<Option<_>>()?;
        let ever = stages.iter().fold(GroupSet::EMPTY, |all, &stage| all.union(stage));
        let walks = |&group: &GroupId| junction.groups[group.index()].kind == GroupKind::Pedestrian;
        let walkers: GroupSet = ever.iter().filter(walks).collect();

        let mut lanes: BTreeMap<(&str, u8), GroupSet> = BTreeMap::new();
        let mut far = GroupSet::EMPTY;
        for path in paths {
            let group = row(path.group)?;
            let lane = lanes.entry(path.lane).or_default();
            *lane = lane.with(group);
            far = if path.is_near { far } else { far.with(group) };
        }
        let (mut never, mut yields) = (vec![GroupSet::EMPTY; n], vec![GroupSet::EMPTY; n]);
        for conflict in &junction.conflicts {
            let (a, b) = (row(&conflict.a)?, row(&conflict.b)?);
            match conflict.kind {
                ConflictKind::Never => {
                    never[a.index()] = never[a.index()].with(b);
                    never[b.index()] = never[b.index()].with(a);
                }
                // Whoever turns to the near side gives way where roads merge, or to people on foot.
                ConflictKind::Yields if far.contains(a) && !walkers.contains(b) => {
                    yields[a.index()] = yields[a.index()].with(b);
                }
                ConflictKind::Yields => {}
            }
        }
        let mut groups = Self { stages, never, yields, walkers, units: Vec::new(), near: Vec::new() };
        let mut left = ever.difference(walkers);
        while let Some(first) = left.iter().next() {
            let mut unit = GroupSet::EMPTY.with(first);
            while let Some(more) = lanes.values().find(|lane| meets(unit, **lane) && !lane.is_subset(unit)) {
                unit = unit.union(*more);
            }
            left = left.difference(unit);
            // Some lanes cannot be released as a whole.
            if unit.is_subset(ever) && unit.iter().all(|group| !meets(groups.never[group.index()], unit)) {
                let count = lanes.values().filter(|lane| meets(**lane, unit)).count();
                if meets(unit, far) { groups.units.push((unit, count)) } else { groups.near.push(unit) }
            }
        }
        Some(groups)
    }

    /// The stages worth having beside those there are, those that release most lanes first.
    fn further(&self) -> Vec<GroupSet> {
        let n = self.units.len();
        let mut found = Vec::new();
        let agree = |a: usize, b: usize| a != b && self.agree(self.units[a].0, self.units[b].0);
        let friends: Vec<GroupSet> =
            (0..n).map(|a| (0..n).filter(|&b| agree(a, b)).map(GroupId::of).collect()).collect();
        cliques(&friends, GroupSet::EMPTY, (0..n).map(GroupId::of).collect(), GroupSet::EMPTY, &mut found);
        let whole = |clique: &GroupSet| {
            let units = || clique.iter().map(|unit| self.units[unit.index()]);
            let released = units().fold(GroupSet::EMPTY, |all, (unit, _)| all.union(unit));
            let near = self.near.iter().filter(|&&unit| self.agree(unit, released));
            let driven = near.fold(released, |all, &unit| all.union(unit));
            (driven, units().map(|(_, lanes)| lanes).sum::<usize>())
        };
        let mut all: Vec<(GroupSet, usize)> = found.iter().map(whole).collect();
        let every: Vec<GroupSet> = all.iter().map(|&(set, _)| set).chain(self.stages.iter().copied()).collect();
        all.retain(|&(set, _)| {
            !every.iter().any(|&other| other != set && self.holds(other, set)) && !self.stages.contains(&set)
        });
        all.sort_by_key(|&(set, lanes)| (std::cmp::Reverse(lanes), set));
        all.dedup();
        all.into_iter().map(|(set, _)| set).collect()
    }

    /// Whether nobody of one set meets anybody of the other.
    fn agree(&self, a: GroupSet, b: GroupSet) -> bool {
        let clear = |from: GroupSet, to: GroupSet| {
            from.iter().all(|group| !meets(self.never[group.index()].union(self.yields[group.index()]), to))
        };
        clear(a, b) && clear(b, a)
    }

    /// Whether a stage lets everybody of a set pass as freely as the set alone, and keeps nobody longer for people on foot.
    fn holds(&self, stage: GroupSet, set: GroupSet) -> bool {
        let more = stage.difference(set);
        let spared = |group: GroupId| !meets(self.yields[group.index()], more);
        set.is_subset(stage) && !meets(more, self.walkers) && set.iter().all(spared)
    }
}

fn meets(a: GroupSet, b: GroupSet) -> bool {
    !a.intersection(b).is_empty()
}

/// The largest sets in which all are friends: those that hold `chosen`, some of `open` and none of `done`. Source: Bron and
/// Kerbosch 1973, with a pivot.
fn cliques(friends: &[GroupSet], chosen: GroupSet, mut open: GroupSet, mut done: GroupSet, found: &mut Vec<GroupSet>) {
    let both = open.union(done);
    let Some(pivot) = both.iter().max_by_key(|one| open.intersection(friends[one.index()]).len()) else {
        found.extend((!chosen.is_empty()).then_some(chosen));
        return;
    };
    for one in open.difference(friends[pivot.index()]).iter() {
        if found.len() >= LOOKS {
            return;
        }
        let near = friends[one.index()];
        cliques(friends, chosen.with(one), open.intersection(near), done.intersection(near), found);
        (open, done) = (open.without(one), done.with(one));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::spec::GroupSpec;

    /// A crossing of four roads whose left turns have a lane of their own, as one program of two stages has it.
    fn crossing(drive_on: &str) -> NetworkSpec {
        use serde_json::json;
        let sides = ["n", "e", "s", "w"];
        let (far, near) = if drive_on == "right" { ("left", "right") } else { ("right", "left") };
        let mut spec = json!({
            "format": "greenwave-network/1", "name": "crossing", "drive_on": drive_on,
            "nodes": [{"id": "c", "x": 0.0, "y": 0.0, "junction": "J"}], "links": [], "connections": [],
            "junctions": [{"id": "J", "groups": [], "conflicts": [],
                "stages": [{"id": "1", "groups": ["n", "n<", "s", "s<"]}, {"id": "2", "groups": ["e", "e<", "w", "w<"]}],
                "programs": [{"id": "p", "offset_s": 0.0, "splits": [{"stage": "1", "s": 30.0}, {"stage": "2", "s": 30.0}]}]}],
        });
        let push = |spec: &mut serde_json::Value, what: &str, row: serde_json::Value| {
            spec[what].as_array_mut().unwrap().push(row);
        };
        for (k, side) in sides.iter().enumerate() {
            push(&mut spec, "nodes", json!({"id": side, "x": 0.0, "y": 100.0}));
            let lanes = json!([{}, {}]);
            push(
                &mut spec,
                "links",
                json!({"id": format!("{side}>"), "from": side, "to": "c", "length_m": 100.0, "speed_mps": 10.0, "lanes": lanes}),
            );
            push(
                &mut spec,
                "links",
                json!({"id": format!(">{side}"), "from": "c", "to": side, "length_m": 100.0, "speed_mps": 10.0, "lanes": lanes}),
            );
            // Around the clock, whoever drives on the right turns right into the side before his own.
            let step = if drive_on == "right" { [3, 2, 1] } else { [1, 2, 3] };
            for (lane, by, turn) in [(0, step[0], near), (0, step[1], "straight"), (1, step[2], far)] {
                let group = if turn == far { format!("{side}<") } else { (*side).to_string() };
                let to = format!(">{}", sides[(k + by) % 4]);
                push(
                    &mut spec,
                    "connections",
                    json!({"from": format!("{side}>"), "from_lane": lane, "to": to, "to_lane": lane, "turn": turn, "group": group}),
                );
            }
            let j = &mut spec["junctions"][0];
            push(j, "groups", json!({"id": side}));
            push(j, "groups", json!({"id": format!("{side}<")}));
        }
        let j = &mut spec["junctions"][0];
        for (a, b) in [("n", "s"), ("s", "n"), ("e", "w"), ("w", "e")] {
            push(j, "conflicts", json!({"a": format!("{a}<"), "b": b, "kind": "yields"}));
        }
        for a in ["n", "n<", "s", "s<"] {
            for b in ["e", "e<", "w", "w<"] {
                push(j, "conflicts", json!({"a": a, "b": b, "kind": "never"}));
            }
        }
        serde_json::from_value(spec).expect("a network file")
    }

    fn composed(spec: &mut NetworkSpec) -> Vec<String> {
        let count = compose(spec);
        let stages = &spec.junctions[0].stages;
        stages[stages.len() - count..].iter().map(|stage| stage.groups.join(" ")).collect()
    }

    #[test]
    fn each_approach_alone_and_both_left_turns_are_added() {
        for side in ["right", "left"] {
            let mut spec = crossing(side);
            let found = composed(&mut spec);
            assert_eq!(found, ["n n<", "e e<", "n< s<", "s s<", "e< w<", "w w<"], "{side}");
            assert_eq!(spec.junctions[0].stages[2].id, "composed-1");
            assert_eq!(compose(&mut spec), 0, "they are all there");
        }
    }

    #[test]
    fn a_stage_in_which_people_walk_is_no_reason_to_leave_one_out() {
        let mut spec = crossing("right");
        let with = |groups: &[&str]| groups.iter().map(|&group| group.to_owned()).collect::<Vec<String>>();
        let walk = GroupSpec { id: "walk".into(), kind: GroupKind::Pedestrian, ..spec.junctions[0].groups[0].clone() };
        spec.junctions[0].groups.push(walk);
        let stage = |id: &str, groups| StageSpec { id: id.into(), groups: with(groups), max_s: None, skippable: false };
        spec.junctions[0].stages.push(stage("3", &["n", "n<", "walk"]));
        spec.junctions[0].stages.push(stage("4", &["s", "s<"]));
        assert_eq!(composed(&mut spec), ["n n<", "e e<", "n< s<", "e< w<", "w w<"], "but one that is there is");
    }

    #[test]
    fn only_a_signal_of_one_node_with_room_for_stages_in_any_order_gets_more() {
        type Change = fn(&mut NetworkSpec);
        let changes: [(Change, usize); 4] = [
            (|_| (), 6),
            (|spec| spec.junctions[0].order = OrderSpec::Fixed, 0),
            (|spec| spec.nodes[1].junction = Some("J".into()), 0),
            (
                |spec| {
                    let stage = spec.junctions[0].stages[0].clone();
                    spec.junctions[0]
                        .stages
                        .extend((2..60).map(|k| StageSpec { id: format!("x{k}"), ..stage.clone() }));
                },
                4,
            ),
        ];
        for (row, (change, expected)) in changes.into_iter().enumerate() {
            let mut spec = crossing("right");
            change(&mut spec);
            assert_eq!(compose(&mut spec), expected, "{row}");
        }
    }
}

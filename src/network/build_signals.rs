//! From a junction's file rows to a junction: groups with their limits, conflicts, intergreens, stages, programs.

use std::collections::BTreeMap;

use ndarray::Array2;

use super::build::{Faults, Roads};
use super::junction::{Conflict, Junction, Limit, Program, SignalGroup, Stage};
use super::spec::{
    ConflictKind, GroupKind, GroupSpec, JunctionSpec, LimitSpec, NetworkSpec, OrderSpec, Origin, ProgramSpec,
};
use super::{Fault, Place, rules};
use crate::ids::{ConnectionId, CrossingId, GroupId, GroupSet, Id, JunctionId, NodeId, StageId, Table, ZoneId};
use crate::time::Span;
use crate::units::{Metres, Seconds};

type Names<I> = BTreeMap<Box<str>, I>;

pub(super) fn junctions(
    spec: &NetworkSpec,
    roads: &Roads<'_>,
    group_names: &[Names<GroupId>],
    benchmark: bool,
    faults: &mut Faults,
) -> Table<JunctionId, Junction> {
    let mut nodes: Table<JunctionId, Vec<NodeId>> = Table::filled(Vec::new(), spec.junctions.len());
    for (id, node) in roads.nodes.iter() {
        if let Some(junction) = node.junction {
            nodes[junction].push(id);
        }
    }
    let mut paths: Table<JunctionId, BTreeMap<GroupId, Vec<ConnectionId>>> =
        Table::filled(BTreeMap::new(), spec.junctions.len());
    for (id, connection) in roads.connections.iter() {
        if let Some((junction, group)) = connection.control.group() {
            paths[junction].entry(group).or_default().push(id);
        }
    }
    let mut walks: Table<JunctionId, BTreeMap<GroupId, Vec<CrossingId>>> =
        Table::filled(BTreeMap::new(), spec.junctions.len());
    for (id, crossing) in roads.crossings.iter() {
        if let Some((junction, group)) = crossing.group {
            walks[junction].entry(group).or_default().push(id);
        }
    }
    let mut table = Table::new();
    for (row, j) in spec.junctions.iter().enumerate() {
        let id = JunctionId::of(row);
        let place = Place::new("junctions", row, &j.id);
        let mut one = Builder { spec: j, names: &group_names[row], roads, place, benchmark, faults };
        table.push(one.junction(&nodes[id], &paths[id], &walks[id]));
    }
    table
}

struct Builder<'a, 'f> {
    spec: &'a JunctionSpec,
    names: &'a Names<GroupId>,
    roads: &'a Roads<'a>,
    place: Place,
    benchmark: bool,
    faults: &'f mut Faults,
}

impl Builder<'_, '_> {
    fn junction(
        &mut self,
        nodes: &[NodeId],
        paths: &BTreeMap<GroupId, Vec<ConnectionId>>,
        walks: &BTreeMap<GroupId, Vec<CrossingId>>,
    ) -> Junction {
        let place = self.place.clone();
        if nodes.is_empty() {
            self.faults.contradiction(&place, "no node belongs to it");
        }
        self.faults.range(&place, "groups", self.spec.groups.len() as f64, 1.0, GroupSet::MAX as f64);
        self.faults.range(&place, "stages", self.spec.stages.len() as f64, 1.0, 256.0);
        self.faults.range(&place, "programs", self.spec.programs.len() as f64, 1.0, 64.0);
        let count = self.spec.groups.len().min(GroupSet::MAX);

        let mut stage_names: Names<StageId> = BTreeMap::new();
        let mut stages = Table::new();
        for (row, s) in self.spec.stages.iter().enumerate() {
            let place = Place::new("stages", row, &format!("{}/{}", self.spec.id, s.id));
            if stage_names.insert(s.id.as_str().into(), StageId::of(row)).is_some() {
                self.faults.0.push(Fault::Repeated { place: place.clone(), name: s.id.clone() });
            }
            let groups = s
                .groups
                .iter()
                .filter_map(|g| self.faults.find(self.names, &place, "groups", g))
                .filter(|g| g.index() < count)
                .collect();
            let max_green = s.max_s.map(|max| Span::nearest(self.faults.range(&place, "max_s", max, 1.0, 3600.0)));
            stages.push(Stage { name: s.id.as_str().into(), groups, max_green, skippable: s.skippable });
        }
        let programs: Vec<Program> =
            self.spec.programs.iter().enumerate().filter_map(|(row, p)| self.program(row, p, &stage_names)).collect();
        let longest_red = longest_red(&programs, &stages);
        let groups: Table<GroupId, SignalGroup> = self
            .spec
            .groups
            .iter()
            .take(count)
            .enumerate()
            .map(|(row, g)| {
                let id = GroupId::of(row);
                let connections = paths.get(&id).cloned().unwrap_or_default();
                let crossings = walks.get(&id).cloned().unwrap_or_default();
                self.group(row, g, connections, crossings, longest_red.get(&id).copied())
            })
            .collect();
        let conflicts = self.conflicts(count);
        self.stages_are_safe(&stages, &conflicts);
        let intergreens = self.intergreens(&groups, &conflicts);
        let follows = self.follows(&stages, &programs);
        let mut approaches: Vec<_> =
            paths.values().flatten().map(|&c| self.roads.lanes[self.roads.connections[c].from].link).collect();
        approaches.sort_unstable();
        approaches.dedup();
        Junction {
            name: self.spec.id.as_str().into(),
            nodes: nodes.to_vec(),
            zone: nodes.first().map_or(ZoneId::of(0), |&n| self.roads.nodes[n].zone),
            approaches,
            groups,
            stages,
            programs,
            conflicts,
            intergreens,
            follows,
        }
    }

    fn group(
        &mut self,
        row: usize,
        g: &GroupSpec,
        connections: Vec<ConnectionId>,
        crossings: Vec<CrossingId>,
        longest_red: Option<Span>,
    ) -> SignalGroup {
        let place = Place::new("groups", row, &format!("{}/{}", self.spec.id, g.id));
        let of_path = |f: &dyn Fn(&super::Link, &super::Connection) -> Seconds| {
            connections
                .iter()
                .map(|&c| (&self.roads.connections[c], self.roads.lanes[self.roads.connections[c].from].link))
                .map(|(c, link)| f(&self.roads.links[link], c))
                .fold(Seconds::ZERO, Seconds::max)
        };
        let (min_green, change, all_red) = match g.kind {
            GroupKind::Vehicle => (
                rules::MIN_GREEN,
                of_path(&|link, _| rules::yellow(link.speed, link.grade)).max(Seconds::constant(3.0)),
                of_path(&|link, c| rules::all_red(c.length, link.speed)),
            ),
            GroupKind::Pedestrian => {
                let longest = crossings.iter().map(|&c| self.roads.crossings[c].length).fold(Metres::ZERO, Metres::max);
                (rules::MIN_WALK, rules::pedestrian_clearance(longest), Seconds::ZERO)
            }
        };
        let shortest_change = match g.kind {
            GroupKind::Vehicle if !self.benchmark => rules::YELLOW_MIN.get(),
            _ => 0.0,
        };
        let red = longest_red.unwrap_or(Span::ZERO).max(Span::ceil_from(rules::MAX_RED));
        let mut limit = |field, given: Option<LimitSpec>, rule: Span, min: f64, max: f64| match given {
            Some(l) => Limit { span: Span::nearest(self.faults.range(&place, field, l.s, min, max)), origin: l.origin },
            None => Limit { span: rule, origin: Origin::Rule },
        };
        // A rule's value is rounded up to a tenth of a second, as cabinets take them.
        let tenth = |s: Seconds| Span::ceil_from(s).ceil(Span::from_ms(100));
        SignalGroup {
            name: g.id.as_str().into(),
            kind: g.kind,
            min_green: limit("min_green", g.min_green, tenth(min_green), 0.0, 120.0),
            max_red: limit("max_red", g.max_red, red, 10.0, 900.0),
            change: limit("change", g.change, tenth(change), shortest_change, 60.0),
            all_red: limit("all_red", g.all_red, tenth(all_red), 0.0, 20.0),
            turn_on_red: g.turn_on_red,
            connections,
            crossings,
        }
    }

    fn conflicts(&mut self, count: usize) -> Array2<Conflict> {
        let mut matrix = Array2::from_elem((count, count), Conflict::None);
        for (row, c) in self.spec.conflicts.iter().enumerate() {
            let place = Place::new("conflicts", row, &format!("{}: {} × {}", self.spec.id, c.a, c.b));
            let a = self.faults.find(self.names, &place, "a", &c.a);
            let b = self.faults.find(self.names, &place, "b", &c.b);
            let (Some(a), Some(b)) = (a, b) else { continue };
            let (a, b) = (a.index(), b.index());
            if a == b {
                self.faults.contradiction(&place, "a group cannot conflict with itself");
                continue;
            }
            if a >= count || b >= count {
                continue;
            }
            let (ab, ba) = match c.kind {
                ConflictKind::Never => (Conflict::Never, Conflict::Never),
                ConflictKind::Yields => (Conflict::Yields, Conflict::Leads),
            };
            if matrix[[a, b]] != Conflict::None && matrix[[a, b]] != ab {
                self.faults.contradiction(&place, format!("it is also given as {:?}", matrix[[a, b]]));
            }
            matrix[[a, b]] = ab;
            matrix[[b, a]] = ba;
        }
        matrix
    }

    fn stages_are_safe(&mut self, stages: &Table<StageId, Stage>, conflicts: &Array2<Conflict>) {
        for (id, stage) in stages.iter() {
            let place = Place::new("stages", id.index(), &format!("{}/{}", self.spec.id, stage.name));
            for a in stage.groups.iter() {
                for b in stage.groups.iter().filter(|&b| b > a && conflicts[[a.index(), b.index()]] == Conflict::Never)
                {
                    let (a, b) = (&self.spec.groups[a.index()].id, &self.spec.groups[b.index()].id);
                    self.faults
                        .contradiction(&place, format!("groups {a} and {b} are green in it and may never be together"));
                }
            }
        }
    }

    fn intergreens(&mut self, groups: &Table<GroupId, SignalGroup>, conflicts: &Array2<Conflict>) -> Array2<Limit> {
        let zero = Limit { span: Span::ZERO, origin: Origin::Rule };
        let own = |from: usize| {
            let g = &groups[GroupId::of(from)];
            Limit { span: g.change.span + g.all_red.span, origin: g.change.origin.min(g.all_red.origin) }
        };
        let mut matrix =
            Array2::from_shape_fn((groups.len(), groups.len()), |(from, to)| match conflicts[[from, to]] {
                // A group that has lost its green gets it back after its own yellow and all-red at the earliest.
                _ if from == to => own(from),
                Conflict::Never => own(from),
                _ => zero,
            });
        for (row, i) in self.spec.intergreens.iter().enumerate() {
            let place = Place::new("intergreens", row, &format!("{}: {} to {}", self.spec.id, i.from, i.to));
            let from = self.faults.find(self.names, &place, "from", &i.from);
            let to = self.faults.find(self.names, &place, "to", &i.to);
            let s = self.faults.range(&place, "s", i.s, 0.0, 60.0);
            let (Some(from), Some(to)) = (from, to) else { continue };
            if from.index() >= groups.len() || to.index() >= groups.len() {
                continue;
            }
            let change = groups[from].change.span;
            if conflicts[[from.index(), to.index()]] != Conflict::Never {
                self.faults.contradiction(&place, "these groups may be green together, so nothing lies between them");
            } else if Span::nearest(s) < change {
                self.faults.contradiction(
                    &place,
                    format!("{s} s is shorter than the {change} of yellow or clearance within it"),
                );
            } else {
                matrix[[from.index(), to.index()]] = Limit { span: Span::nearest(s), origin: i.origin };
            }
        }
        matrix
    }

    fn program(&mut self, row: usize, p: &ProgramSpec, stages: &Names<StageId>) -> Option<Program> {
        let place = Place::new("programs", row, &format!("{}/{}", self.spec.id, p.id));
        self.faults.range(&place, "offset_s", p.offset_s, -86_400.0, 86_400.0);
        self.faults.range(&place, "splits", p.splits.len() as f64, 1.0, 256.0);
        let splits: Vec<_> = p
            .splits
            .iter()
            .filter_map(|s| {
                let share = self.faults.range(&place, "splits.s", s.s, 1.0, 3600.0);
                Some((self.faults.find(stages, &place, "splits.stage", &s.stage)?, Span::nearest(share)))
            })
            .collect();
        (!splits.is_empty()).then(|| Program { name: p.id.as_str().into(), offset: Span::nearest(p.offset_s), splits })
    }

    fn follows(&mut self, stages: &Table<StageId, Stage>, programs: &[Program]) -> Array2<bool> {
        let n = stages.len();
        match &self.spec.order {
            OrderSpec::Free => Array2::from_elem((n, n), true),
            OrderSpec::Fixed => {
                let mut follows = Array2::from_shape_fn((n, n), |(a, b)| a == b);
                for program in programs {
                    let order: Vec<StageId> = program.splits.iter().map(|&(s, _)| s).collect();
                    for (at, &from) in order.iter().enumerate() {
                        for step in 1..=order.len() {
                            let to = order[(at + step) % order.len()];
                            follows[[from.index(), to.index()]] = true;
                            if !stages[to].skippable {
                                break;
                            }
                        }
                    }
                }
                follows
            }
            OrderSpec::Rings(barriers) => {
                let rings = self.rings(barriers);
                Array2::from_shape_fn((n, n), |(a, b)| {
                    rings_allow(&rings, stages[StageId::of(a)].groups, stages[StageId::of(b)].groups)
                })
            }
        }
    }

    fn rings(&mut self, barriers: &[Vec<Vec<String>>]) -> Vec<Vec<Vec<GroupId>>> {
        let place = self.place.clone();
        self.faults.range(&place, "order.rings", barriers.len() as f64, 1.0, 16.0);
        let mut group = |name: &String| self.faults.find(self.names, &place, "order.rings", name);
        barriers
            .iter()
            .map(|rings| rings.iter().map(|ring| ring.iter().filter_map(&mut group).collect()).collect())
            .collect()
    }
}

/// Whether rings and barriers let stage `b` follow stage `a`: on one side of a barrier no ring goes back; across it,
/// to the next side only and all rings together.
fn rings_allow(barriers: &[Vec<Vec<GroupId>>], a: GroupSet, b: GroupSet) -> bool {
    if a == b {
        return true;
    }
    let side = |stage: GroupSet| {
        let inside = |rings: &Vec<Vec<GroupId>>| rings.iter().flatten().any(|&g| stage.contains(g));
        let mut sides = barriers.iter().enumerate().filter(|(_, rings)| inside(rings)).map(|(i, _)| i);
        (sides.next(), sides.next())
    };
    let ((Some(from), None), (Some(to), None)) = (side(a), side(b)) else { return false };
    if from != to {
        return to == (from + 1) % barriers.len();
    }
    barriers[from].iter().all(|ring| {
        let position = |stage: GroupSet| ring.iter().position(|&g| stage.contains(g));
        match (position(a), position(b)) {
            (Some(before), Some(after)) => after >= before,
            _ => true,
        }
    })
}

/// Each group's longest red in any program, the changes counted as red.
fn longest_red(programs: &[Program], stages: &Table<StageId, Stage>) -> BTreeMap<GroupId, Span> {
    let mut longest: BTreeMap<GroupId, Span> = BTreeMap::new();
    for program in programs {
        let all = program.splits.iter().fold(GroupSet::EMPTY, |set, &(s, _)| set.union(stages[s].groups));
        for group in all.iter() {
            let mut red = Span::ZERO;
            // Twice around, so that a red that spans the cycle's end is seen whole.
            for &(stage, share) in program.splits.iter().chain(&program.splits) {
                red = if stages[stage].groups.contains(group) { Span::ZERO } else { red + share };
                let worst = longest.entry(group).or_default();
                *worst = red.max(*worst);
            }
        }
    }
    longest
}

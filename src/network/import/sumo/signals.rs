//! SUMO's `tlLogic`s made into junctions: groups, stages, programs, limits.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Notes;
use super::conflicts::{Meeting, Pair, meetings};
use super::observe;
use super::program::Seen;
use super::read::{Logic, Net};
use super::roads::Roads;
use crate::ids::{GroupId, GroupSet, Id};
use crate::network::rules;
use crate::network::spec::{
    ConflictKind, ConflictSpec, GroupKind, GroupSpec, IntergreenSpec, JunctionSpec, LimitSpec, OrderSpec, Origin,
    ProgramSpec, SplitSpec, StageSpec,
};

/// The longest yellow a network file takes, seconds.
const YELLOW_MAX: f64 = 8.0;
/// No rule asks for a longer yellow, seconds.
const RULE_YELLOW_MAX: f64 = 6.0;
/// The longest intergreen a network file takes, seconds.
const INTERGREEN_MAX: f64 = 60.0;

/// Every signal, and what it controls.
pub(super) struct Signals {
    pub(super) junctions: Vec<JunctionSpec>,
    /// The junction of each node.
    pub(super) of_node: Vec<Option<String>>,
    /// The group of each connection.
    pub(super) of_path: Vec<Option<String>>,
    /// The group of each crossing.
    pub(super) of_walk: Vec<Option<String>>,
}

/// What one `tlLogic` controls.
#[derive(Default)]
struct Controlled {
    /// Connection rows by link index.
    links: BTreeMap<usize, Vec<usize>>,
    /// For each crossing its link indices and connection rows.
    walks: BTreeMap<usize, (BTreeSet<usize>, Vec<usize>)>,
    nodes: BTreeSet<usize>,
}

/// Links that always show the same.
struct Group {
    links: Vec<usize>,
    walk: Option<usize>,
}

impl Group {
    fn id(&self) -> String {
        self.links.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
    }
}

pub(super) fn signals(net: &Net, roads: &Roads<'_>, notes: &mut Notes) -> Signals {
    let mut signals = Signals {
        junctions: Vec::new(),
        of_node: vec![None; net.nodes.len()],
        of_path: vec![None; net.connections.len()],
        of_walk: vec![None; net.crossings.len()],
    };
    let mut logics: BTreeMap<&str, Vec<&Logic>> = BTreeMap::new();
    for logic in &net.logics {
        let all = logics.entry(&logic.id).or_default();
        if all.iter().any(|l| l.program == logic.program) {
            notes.add("repeated programs are taken once", format!("{}/{}", logic.id, logic.program));
        } else {
            all.push(logic);
        }
    }
    for (id, controlled) in controlled(net, roads, &logics, notes) {
        let junction = Builder { id, net, roads, notes, controlled: &controlled }.junction(&logics[id], &mut signals);
        let Some(junction) = junction else { continue };
        for &node in &controlled.nodes {
            signals.of_node[node] = Some(id.to_owned());
        }
        signals.junctions.push(junction);
    }
    signals
}

/// What each signal that has a program controls.
fn controlled<'a>(
    net: &'a Net,
    roads: &Roads<'_>,
    logics: &BTreeMap<&str, Vec<&Logic>>,
    notes: &mut Notes,
) -> BTreeMap<&'a str, Controlled> {
    let mut all: BTreeMap<&str, Controlled> = BTreeMap::new();
    let mut owner: BTreeMap<usize, &str> = BTreeMap::new();
    for (row, c) in net.connections.iter().enumerate() {
        let (Some(tl), Some(path)) = (c.tl.as_deref(), roads.paths[row]) else { continue };
        if !logics.contains_key(tl) {
            notes.add("signals without a program control nothing", tl);
            continue;
        }
        if *owner.entry(path.node).or_insert(tl) != tl {
            notes.add(
                "links of a second signal at one node give way instead",
                format!("{tl} at {}", net.nodes[path.node].id),
            );
            continue;
        }
        let here = all.entry(tl).or_default();
        here.nodes.insert(path.node);
        match roads.walks.get(c.to.as_str()) {
            Some(&walk) => {
                let (links, rows) = here.walks.entry(walk).or_default();
                links.extend(c.links.iter().flatten());
                rows.push(row);
            }
            None => here.links.entry(c.links[0].unwrap_or(0)).or_default().push(row),
        }
    }
    all
}

struct Builder<'a> {
    id: &'a str,
    net: &'a Net,
    roads: &'a Roads<'a>,
    notes: &'a mut Notes,
    controlled: &'a Controlled,
}

impl Builder<'_> {
    fn junction(&mut self, logics: &[&Logic], signals: &mut Signals) -> Option<JunctionSpec> {
        let groups = self.groups(logics);
        let first: Vec<usize> = groups.iter().map(|g| g.links[0]).collect();
        let mut programs: Vec<Seen> = logics.iter().map(|logic| self.seen(logic, &first)).collect();
        programs.retain(|p| !p.stretches.is_empty());
        if programs.is_empty() || groups.len() > GroupSet::MAX {
            let why = if programs.is_empty() { "without a state that shows green" } else { "of more than 128 groups" };
            self.notes.add(&format!("signals {why} are taken as none"), self.id);
            return None;
        }
        let mut group_of = BTreeMap::new();
        for (at, group) in groups.iter().enumerate() {
            for link in group.links.iter().filter(|_| group.walk.is_none()) {
                for &row in &self.controlled.links[link] {
                    signals.of_path[row] = Some(group.id());
                    group_of.insert(row, GroupId::of(at));
                }
            }
            if let Some(walk) = group.walk {
                signals.of_walk[walk] = Some(group.id());
                group_of.extend(self.controlled.walks[&walk].1.iter().map(|&row| (row, GroupId::of(at))));
            }
        }
        let nodes: Vec<usize> = self.controlled.nodes.iter().copied().collect();
        let meetings = meetings(&nodes, self.roads, &group_of, &programs, self.id, self.notes);
        let specs = self.group_specs(logics, &groups, &programs);
        let intergreens = self.intergreens(&groups, &specs, &programs, &meetings);
        let (stages, programs) = self.programs(&mut programs, &groups);
        let name = |g: GroupId| groups[g.index()].id();
        let conflict = |(&(a, b), meeting): (&Pair, &Meeting)| match meeting {
            Meeting::Never => ConflictSpec { a: name(a), b: name(b), kind: ConflictKind::Never },
            Meeting::FirstYields => ConflictSpec { a: name(a), b: name(b), kind: ConflictKind::Yields },
            Meeting::SecondYields => ConflictSpec { a: name(b), b: name(a), kind: ConflictKind::Yields },
        };
        Some(JunctionSpec {
            id: self.id.to_owned(),
            conflicts: meetings.iter().map(conflict).collect(),
            groups: specs,
            intergreens,
            stages,
            order: OrderSpec::Free,
            programs,
        })
    }

    /// Links of one approach with equal characters, by their lowest index; each crossing on its own.
    fn groups(&mut self, logics: &[&Logic]) -> Vec<Group> {
        let column = |link: usize| -> Vec<u8> {
            let states = logics.iter().flat_map(|l| &l.phases);
            states.map(|p| p.state.get(link).copied().unwrap_or(b'r')).collect()
        };
        let merged = |by_approach: bool| {
            let mut groups: BTreeMap<(&str, Vec<u8>), Vec<usize>> = BTreeMap::new();
            for (&link, rows) in &self.controlled.links {
                let approach = if by_approach { self.net.connections[rows[0]].from.as_str() } else { "" };
                groups.entry((approach, column(link))).or_default().push(link);
            }
            groups
        };
        let mut links = merged(true);
        if links.len() + self.controlled.walks.len() > GroupSet::MAX {
            self.notes.add("groups joined across approaches, for there are more than 128", self.id);
            links = merged(false);
        }
        let vehicles = links.into_values().map(|links| Group { links, walk: None });
        let walks = self.controlled.walks.iter();
        let walks = walks.map(|(&walk, (links, _))| Group { links: links.iter().copied().collect(), walk: Some(walk) });
        let mut groups: Vec<Group> = vehicles.chain(walks.filter(|g| !g.links.is_empty())).collect();
        groups.sort_by_key(|g| g.links[0]);
        groups
    }

    fn seen(&mut self, logic: &Logic, first: &[usize]) -> Seen {
        let place = format!("{}/{}", self.id, logic.program);
        let highest =
            self.controlled.links.keys().chain(self.controlled.walks.values().flat_map(|(links, _)| links)).max();
        let links = highest.map_or(0, |l| l + 1);
        if logic.phases.iter().any(|p| p.state.len() > links) {
            self.notes.add("states longer than the links they control", place.as_str());
        }
        if logic.phases.iter().any(|p| p.state.len() < links) {
            self.notes.add("states shorter than the links they control: the rest is red", place.as_str());
        }
        if logic.kind != "static" {
            self.notes.add("programs that adapt are taken with their given durations", place.as_str());
        }
        if logic.phases.iter().any(|p| p.jumps) {
            self.notes.add("programs that jump are taken in the order of their states", place.as_str());
        }
        let seen = Seen::new(logic, if first.len() > GroupSet::MAX { &[] } else { first });
        if seen.stretches.is_empty() {
            self.notes.add("programs without a green state are left out", place.as_str());
        }
        if seen.stretches.len() > 1 && !seen.states.iter().any(|s| s.green.is_empty() && s.yellow.is_empty()) {
            self.notes.add("programs without any all-red", place.as_str());
        }
        seen
    }

    fn group_specs(&mut self, logics: &[&Logic], groups: &[Group], programs: &[Seen]) -> Vec<GroupSpec> {
        let yellows = observe::yellows(programs, groups.len());
        let greens = observe::shortest_greens(programs, groups.len());
        let ends = observe::ever_ends(programs);
        let mut specs = Vec::new();
        for (at, group) in groups.iter().enumerate() {
            let (id, place) = (group.id(), format!("{}/{}", self.id, group.id()));
            let kind = if group.walk.is_some() { GroupKind::Pedestrian } else { GroupKind::Vehicle };
            let change = yellows[at].filter(|_| kind == GroupKind::Vehicle);
            let usual = change.filter(|s| (rules::YELLOW_MIN.get()..=YELLOW_MAX).contains(s));
            let shown = |c: u8| logics.iter().flat_map(|l| &l.phases).any(|p| p.state.get(group.links[0]) == Some(&c));
            let turn_on_red = kind == GroupKind::Vehicle && shown(b's');
            if kind == GroupKind::Vehicle && ends.contains(GroupId::of(at)) && usual.is_none() {
                self.notes.add("groups without a yellow of 2.7 to 8 s get the rule's", place.as_str());
            }
            let ever = programs.iter().flat_map(|p| &p.states).any(|s| s.green.contains(GroupId::of(at)));
            if !ever && !turn_on_red {
                self.notes.add("groups that are never green", place.as_str());
            }
            if ever && !ends.contains(GroupId::of(at)) {
                self.notes.add("groups that are green in every state", place.as_str());
            }
            let least = if kind == GroupKind::Vehicle { rules::MIN_GREEN } else { rules::MIN_WALK };
            let short = greens[at].filter(|&s| s < least.get());
            if short.is_some() {
                self.notes.add("groups whose program has a shorter green than the rule keep it", place);
            }
            let program = |s| LimitSpec { s, origin: Origin::Program };
            let (change, min_green) = (usual.map(program), short.map(program));
            specs.push(GroupSpec { id, kind, min_green, max_red: None, change, all_red: None, turn_on_red });
        }
        specs
    }

    /// What the programs show between groups that take over from each other and may never be green together.
    fn intergreens(
        &mut self,
        groups: &[Group],
        specs: &[GroupSpec],
        programs: &[Seen],
        meetings: &BTreeMap<Pair, Meeting>,
    ) -> Vec<IntergreenSpec> {
        let mut all = Vec::new();
        for ((a, b), gap) in observe::gaps(programs) {
            if meetings.get(&(a.min(b), a.max(b))) != Some(&Meeting::Never) {
                continue;
            }
            let spec = &specs[a.index()];
            let least = match (spec.change, groups[a.index()].walk) {
                (Some(change), _) => change.s,
                (None, None) => RULE_YELLOW_MAX,
                (None, Some(walk)) => {
                    let length = self.net.crossings[walk].length.clamp(0.5, 100.0);
                    (length / rules::WALKING.get() * 10.0).ceil() / 10.0
                }
            };
            // A group with a yellow of its own may hand over right after it; elsewhere a rule's value might be longer.
            let s = if spec.change.is_some() { gap.max(least) } else { gap };
            if s + 1e-9 < least || s > INTERGREEN_MAX {
                self.notes.add("intergreens left to the rule, for the program's are too short or too long", self.id);
                continue;
            }
            let (from, to) = (groups[a.index()].id(), groups[b.index()].id());
            all.push(IntergreenSpec { from, to, s, origin: Origin::Program });
        }
        all
    }

    fn programs(&mut self, programs: &mut [Seen], groups: &[Group]) -> (Vec<StageSpec>, Vec<ProgramSpec>) {
        let mut stages: Vec<(GroupSet, String)> = Vec::new();
        let mut specs = Vec::new();
        for (at, program) in programs.iter_mut().enumerate() {
            let place = format!("{}/{}", self.id, program.id);
            let (lifted, cut) = program.fit();
            if lifted > 0 {
                self.notes.add("stages shorter than a second are left out", place.as_str());
            }
            if cut > 0 {
                self.notes.add("stages longer than 600 s are cut", place.as_str());
            }
            let mut splits = Vec::new();
            for stretch in &program.stretches {
                let known = stages.iter().find(|(green, _)| *green == stretch.green).map(|(_, name)| name.clone());
                let stage = known.unwrap_or_else(|| {
                    let row = stretch.state;
                    let name = if at == 0 { row.to_string() } else { format!("{}/{row}", program.id) };
                    stages.push((stretch.green, name.clone()));
                    name
                });
                let s = (stretch.share * 1000.0).round() / 1000.0;
                splits.push(SplitSpec { stage, s });
            }
            specs.push(ProgramSpec { id: program.id.clone(), offset_s: program.offset(), splits });
        }
        let stage = |(green, id): (GroupSet, String)| StageSpec {
            id,
            groups: green.iter().map(|g| groups[g.index()].id()).collect(),
            max_s: None,
            skippable: false,
        };
        (stages.into_iter().map(stage).collect(), specs)
    }
}

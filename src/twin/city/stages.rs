//! Which groups of a corner are green together, in which order, and for how long by default.

use std::collections::BTreeMap;

use super::signal::{Order, Style, Walk};
use crate::network::spec::{ConflictKind, OrderSpec, ProgramSpec, SplitSpec, StageSpec};
use crate::network::{GroupKind, Turn};

/// The change into a stage and a walk that is long enough, seconds.
const WALK_S: f64 = 13.0;
/// Green after a walk in which the clearance fits, with the change that follows, seconds.
const CLEAR_S: f64 = 12.0;
/// The change into a stage of turns and its green, seconds.
const TURNS_S: f64 = 14.0;
/// A stage in which people alone cross: its walk and what precedes it, seconds.
const ALONE_S: f64 = 14.0;
/// The change out of it, in which the clearance runs, lengthens the next stage by this, seconds.
const ALONE_CLEAR_S: f64 = 8.0;

/// A signal group being drawn.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Its name.
    pub(super) id: String,
    /// Whom it releases.
    pub(super) kind: GroupKind,
    /// Where its traffic comes from; for people the arm they cross.
    pub(super) arm: usize,
    /// The turns it releases.
    pub(super) turns: Vec<Turn>,
    /// Whether its turn may go on red.
    pub(super) turn_on_red: bool,
}

impl Group {
    /// Whether it releases that turn from that arm.
    pub(super) fn serves(&self, arm: usize, turn: Turn) -> bool {
        self.kind == GroupKind::Vehicle && self.arm == arm && self.turns.contains(&turn)
    }

    /// Whether straight on is among what it releases.
    fn straight(&self) -> bool {
        self.turns.contains(&Turn::Straight)
    }
}

/// What a junction may show, and when it does by default.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) stages: Vec<StageSpec>,
    pub(super) order: OrderSpec,
    pub(super) programs: Vec<ProgramSpec>,
}

/// A stage being drawn: its name, its groups, and its share of the day program, zero where that leaves it out.
struct Draft {
    id: String,
    groups: Vec<usize>,
    /// Fixed seconds.
    least_s: f64,
    /// Its part of what is left of the cycle.
    part: f64,
    skippable: bool,
}

/// The stages, their order and the programs of a junction.
pub(super) fn of(groups: &[Group], conflicts: &BTreeMap<(usize, usize), ConflictKind>, style: &Style) -> Plan {
    let never =
        |a: usize, b: usize| [(a, b), (b, a)].iter().any(|pair| conflicts.get(pair) == Some(&ConflictKind::Never));
    // Adds every candidate that may join whoever is already in.
    let join = |mut stage: Vec<usize>, candidates: &mut dyn Iterator<Item = usize>| {
        for c in candidates {
            if !stage.contains(&c) && stage.iter().all(|&g| !never(g, c)) {
                stage.push(c);
            }
        }
        stage.sort_unstable();
        stage
    };
    let vehicles = |want: &dyn Fn(&Group) -> bool| -> Vec<usize> {
        (0..groups.len()).filter(|&g| groups[g].kind == GroupKind::Vehicle && want(&groups[g])).collect()
    };
    let walks = || (0..groups.len()).filter(|&g| groups[g].kind == GroupKind::Pedestrian);
    let beside = |stage: &[usize], axis: usize| {
        join(stage.to_vec(), &mut walks().filter(|&g| style.walk == Walk::Beside && groups[g].arm % 2 != axis))
    };
    let mut drafts: Vec<Draft> = Vec::new();
    let mut rings = Vec::new();
    for axis in [0, 1] {
        let on_axis = vehicles(&|g| g.arm % 2 == axis);
        if on_axis.is_empty() {
            continue;
        }
        let name = ["ew", "ns"][axis];
        let first = vehicles(&|g| g.arm % 2 == axis && g.straight());
        let main = join(first, &mut on_axis.iter().copied());
        let left_over: Vec<usize> = on_axis.iter().copied().filter(|g| !main.contains(g)).collect();
        if !left_over.is_empty() {
            let seed = join(Vec::new(), &mut left_over.iter().copied());
            let kerb = vehicles(&|g| g.arm % 2 != axis && !g.straight());
            let turns = join(seed.clone(), &mut on_axis.iter().copied().chain(kerb));
            drafts.push(Draft {
                id: format!("{name}-turns"),
                groups: turns,
                least_s: TURNS_S,
                part: 0.0,
                skippable: true,
            });
            if style.order == Order::Rings && seed.len() == 2 {
                rings.push(ring_pairs(groups, &main, &seed));
                for &turner in &seed {
                    let arm = groups[turner].arm;
                    let alone = join(vec![turner], &mut on_axis.iter().copied().filter(|&g| groups[g].arm == arm));
                    drafts.push(Draft {
                        id: format!("{name}-{}", groups[turner].id.to_lowercase()),
                        groups: alone,
                        least_s: 0.0,
                        part: 0.0,
                        skippable: true,
                    });
                }
            }
        }
        let with_walk = beside(&main, axis);
        let walked = with_walk.len() > main.len();
        if walked {
            drafts.push(Draft {
                id: format!("{name}-walk"),
                groups: with_walk,
                least_s: WALK_S,
                part: 0.0,
                skippable: true,
            });
        }
        let busy = main.iter().filter(|&&g| groups[g].straight()).count().max(1) as f64;
        let least_s = if walked { CLEAR_S } else { WALK_S };
        drafts.push(Draft { id: name.to_owned(), groups: main, least_s, part: busy, skippable: false });
    }
    if style.walk == Walk::Alone || drafts.len() == 1 {
        if let Some(first) = drafts.first_mut() {
            first.least_s += ALONE_CLEAR_S;
        }
        let everybody = join(Vec::new(), &mut walks());
        drafts.push(Draft { id: "walk".into(), groups: everybody, least_s: ALONE_S, part: 0.0, skippable: true });
    }
    drafts.retain(|d| !d.groups.is_empty());
    let programs = programs(&drafts, style);
    let id = |g: &usize| groups[*g].id.clone();
    let order = match style.order {
        Order::Rings if rings.len() == 2 => {
            let named = |ring: &Vec<usize>| ring.iter().map(id).collect();
            OrderSpec::Rings(rings.iter().map(|side| side.iter().map(named).collect()).collect())
        }
        Order::Fixed => OrderSpec::Fixed,
        Order::Rings | Order::Free => OrderSpec::Free,
    };
    let stages = drafts
        .iter()
        .map(|d| StageSpec {
            id: d.id.clone(),
            groups: d.groups.iter().map(id).collect(),
            max_s: None,
            skippable: d.skippable && style.order == Order::Fixed,
        })
        .collect();
    Plan { stages, order, programs }
}

/// The two rings of one side of the barrier: a turn, then the straight stream it cuts.
fn ring_pairs(groups: &[Group], main: &[usize], turners: &[usize]) -> Vec<Vec<usize>> {
    let facing = |turner: usize| {
        main.iter().copied().find(|&g| groups[g].straight() && groups[g].arm == (groups[turner].arm + 2) % 4)
    };
    turners.iter().map(|&t| std::iter::once(t).chain(facing(t)).collect()).collect()
}

/// By day every stage that has a share of its own; at night a short cycle without the stages that may be left out.
fn programs(drafts: &[Draft], style: &Style) -> Vec<ProgramSpec> {
    let fill = |id: &str, cycle_s: f64, offset_s: f64| {
        let least: f64 = drafts.iter().map(|d| d.least_s).sum();
        let parts: f64 = drafts.iter().map(|d| d.part).sum::<f64>().max(1.0);
        let spare = (cycle_s - least).max(0.0);
        let splits = drafts
            .iter()
            .filter(|d| d.least_s > 0.0)
            .map(|d| SplitSpec { stage: d.id.clone(), s: (d.least_s + spare * d.part / parts).round() })
            .collect();
        ProgramSpec { id: id.to_owned(), offset_s, splits }
    };
    vec![
        fill("day", style.cycle_s, style.offset_s),
        fill("peak", style.cycle_s + 20.0, style.offset_s),
        fill("night", 60.0, 0.0),
    ]
}

//! The base plan: cycles, splits and offsets for a whole network, made for one demand.

use std::ops::Range;

use super::alone::{Alone, Ladder, Rung};
use super::area::{Tie, areas};
use super::feeders::{Feeder, feeders, movements_into};
use super::frame::Manner;
use super::load::Load;
use super::model::{self, Part};
use super::offsets::optimise;
use super::webster::{Cycles, Growth};
use super::why::Why;
use crate::ids::{Id, JunctionId, LaneId, LinkId, MovementId, StageId, Table};
use crate::network::{Network, Program};
use crate::time::Span;
use crate::units::VehPerHour;

/// What a base plan may be.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Options {
    /// The cycles allowed, and the grid of shares and offsets.
    pub cycles: Cycles,
    /// What drivers lose at the ends of a green.
    pub manner: Manner,
}

/// The base plan of one junction.
#[derive(Debug, Clone, PartialEq)]
pub struct BaseProgram {
    /// Stages, shares and offset.
    pub program: Program,
    /// The first junction of its area. All of an area share a cycle.
    pub area: JunctionId,
    /// How often it runs in its area's cycle: once or twice.
    pub runs: u8,
    /// The greatest degree of saturation it expects.
    pub saturation: f64,
    /// The delay it expects from arrivals at random, vehicle-hours an hour.
    pub delay: f64,
    /// Why it is so.
    pub why: Vec<Why>,
}

/// A lane discharges so much, veh/h of green, where nothing better is known.
pub const SATURATION: VehPerHour = VehPerHour::constant(1800.0);

/// The demand of each movement when the vehicles of `hours` hours took these `routes` (each a sequence of links).
///
/// A step of a route that no movement makes is left out.
pub fn movement_flows<'a>(
    routes: impl Iterator<Item = &'a [LinkId]>,
    network: &Network,
    hours: f64,
) -> Table<MovementId, VehPerHour> {
    let mut counts: Table<MovementId, u32> = Table::filled(0, network.movements().len());
    for route in routes {
        for step in route.windows(2) {
            let from = network.movements_from(step[0]);
            if let Some(&movement) = from.iter().find(|&&m| network.movements()[m].to == step[1]) {
                counts[movement] += 1;
            }
        }
    }
    let flow = |&count: &u32| VehPerHour::new(f64::from(count) / hours).unwrap_or(VehPerHour::ZERO);
    counts.values().map(flow).collect()
}

/// Cycles, splits and offsets for every junction of `network`.
///
/// Where a plan is `running`, its stages and offsets are kept unless others are clearly better.
pub fn base_plan(
    network: &Network,
    demand: &Table<MovementId, VehPerHour>,
    saturation: &Table<LaneId, VehPerHour>,
    options: &Options,
    running: Option<&Table<JunctionId, BaseProgram>>,
) -> Table<JunctionId, BaseProgram> {
    let ladder = Ladder::new(options.cycles);
    let alone: Table<JunctionId, Alone> = network
        .junctions()
        .iter()
        .map(|(id, junction)| {
            let load = Load::new(network, id, &|movement| demand[movement], &|lane| saturation[lane]);
            let stages = running.map(|all| all[id].program.splits.iter().map(|&(s, _)| s).collect::<Vec<StageId>>());
            Alone::new(junction, &load, options, stages.as_deref())
        })
        .collect();
    let rungs: Table<JunctionId, Vec<Option<Rung>>> = alone.values().map(|alone| alone.climb(&ladder)).collect();
    let into = movements_into(network);
    let feeders: Table<JunctionId, Vec<Feeder>> = network
        .junctions()
        .values()
        .map(|junction| junction.approaches.iter().flat_map(|&link| feeders(network, &into, demand, link)).collect())
        .collect();
    let shared = rungs.values().map(|rungs| full_cycles(rungs, &ladder)).collect();
    let areas = areas(&shared, &ties(&feeders));
    let mut members: Table<JunctionId, Vec<JunctionId>> = Table::filled(Vec::new(), areas.len());
    for (id, &area) in areas.iter() {
        members[JunctionId::of(area)].push(id);
    }
    let mut plan: Table<JunctionId, Option<BaseProgram>> = Table::filled(None, areas.len());
    let city = City { demand, alone: &alone, rungs: &rungs, shared: &shared, feeders: &feeders, ladder, options };
    for members in members.values().filter(|members| !members.is_empty()) {
        for (id, program) in city.area(members, running) {
            plan[id] = Some(program);
        }
    }
    let alone = |(id, planned): (JunctionId, Option<BaseProgram>)| planned.unwrap_or_else(|| city.alone(id));
    plan.ids().zip(plan.values().cloned()).map(alone).collect()
}

/// The delay in each full cycle of the ladder, run once or twice; infinite where it cannot be run.
fn full_cycles(rungs: &[Option<Rung>], ladder: &Ladder) -> Vec<f64> {
    let delay = |rung: usize| rungs[rung].as_ref().map_or(f64::INFINITY, |r| r.delay);
    full(ladder).map(|rung| delay(rung).min(delay(rung / 2) * TWICE)).collect()
}

/// Running twice in a cycle spoils half of the coordination; it must save so much to be worth it.
const TWICE: f64 = 1.1;

/// The rungs an area may choose: even ones.
fn full(ladder: &Ladder) -> impl Iterator<Item = usize> + use<> {
    let Range { start, end } = ladder.first.next_multiple_of(2)..ladder.last + 1;
    (start..end).step_by(2)
}

fn ties(feeders: &Table<JunctionId, Vec<Feeder>>) -> Vec<Tie> {
    let tie =
        |(to, feeder): (JunctionId, &Feeder)| Tie { from: feeder.from, to, flow: feeder.flow, travel: feeder.travel };
    feeders.iter().flat_map(|(to, all)| all.iter().map(move |f| (to, f))).map(tie).collect()
}

/// All that is known before areas are timed.
struct City<'a> {
    demand: &'a Table<MovementId, VehPerHour>,
    alone: &'a Table<JunctionId, Alone>,
    rungs: &'a Table<JunctionId, Vec<Option<Rung>>>,
    shared: &'a Table<JunctionId, Vec<f64>>,
    feeders: &'a Table<JunctionId, Vec<Feeder>>,
    ladder: Ladder,
    options: &'a Options,
}

/// Cycles that are tried with offsets and all in an area.
const CYCLES_TRIED: usize = 4;
/// In larger networks only the most promising cycle of each area is tried.
const LARGE: usize = 1000;

impl City<'_> {
    fn area(
        &self,
        members: &[JunctionId],
        running: Option<&Table<JunctionId, BaseProgram>>,
    ) -> Vec<(JunctionId, BaseProgram)> {
        let delay = |i: usize| -> f64 { members.iter().map(|&j| self.shared[j][i]).sum() };
        let mut cycles: Vec<(f64, usize)> =
            full(&self.ladder).enumerate().map(|(i, rung)| (delay(i), rung)).filter(|c| c.0.is_finite()).collect();
        cycles.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let [only] = members else {
            let tried = if self.alone.len() > LARGE { 1 } else { CYCLES_TRIED };
            let tries = spread(&cycles, tried).into_iter().map(|rung| self.try_cycle(members, rung, running));
            let best = tries.min_by(|a, b| a.0.total_cmp(&b.0));
            return best.map(|(_, programs)| programs).unwrap_or_default();
        };
        vec![(*only, self.alone(*only))]
    }

    /// A junction whose cycle is its own.
    fn alone(&self, id: JunctionId) -> BaseProgram {
        let alone = &self.alone[id];
        self.program(id, id, alone.rung(), alone.why.clone())
    }

    /// The area in one cycle with the best offsets, and its expected delay, vehicle-hours an hour.
    fn try_cycle(
        &self,
        members: &[JunctionId],
        rung: usize,
        running: Option<&Table<JunctionId, BaseProgram>>,
    ) -> (f64, Vec<(JunctionId, BaseProgram)>) {
        let common = self.ladder.cycle(rung);
        let bins = (common.s().round() as usize).max(1);
        let bin_s = common.s() / bins as f64;
        let mut parts: Vec<Part<'_>> = Vec::with_capacity(members.len());
        for &id in members {
            let at = |rung: usize| self.rungs[id].get(rung).and_then(Option::as_ref);
            let (once, twice) = (at(rung), at(rung / 2));
            let half = match (once, twice) {
                (Some(once), Some(twice)) => twice.delay * TWICE < once.delay,
                (None, _) => true,
                _ => false,
            };
            if let Some(rung) = if half { twice } else { once } {
                parts.push(Part { id, frame: &self.alone[id].frame, rung, runs: if half { 2 } else { 1 } });
            }
        }
        let model = model::build(&parts, bins, bin_s, self.feeders, self.demand);
        let known: Vec<Vec<usize>> = running
            .map(|running| {
                let bin = |id: JunctionId| (running[id].program.offset.s() / bin_s).rem_euclid(bins as f64) as usize;
                parts.iter().map(|part| bin(part.id)).collect()
            })
            .into_iter()
            .collect();
        let found = optimise(&model, parts.len(), &known);
        let random: f64 = parts.iter().map(|part| part.rung.random).sum();
        let programs = parts.iter().zip(&found.offsets).map(|(part, &offset)| {
            let alone = &self.alone[part.id];
            let mut why = alone.why.clone();
            if part.runs == 2 {
                why.push(Why::Half { common });
            } else if alone.cycle != common {
                why.push(Why::Shared { own: alone.cycle, common });
            }
            let mut program = self.program(part.id, members[0], part.rung.clone(), why);
            program.runs = part.runs;
            let grid = self.options.cycles.grid;
            let offset = Span::nearest(offset as f64 * bin_s).floor(grid);
            program.program.offset = Span::from_ms(offset.ms() % program.program.cycle().ms());
            (part.id, program)
        });
        (found.queued + random, programs.collect())
    }

    fn program(&self, id: JunctionId, area: JunctionId, rung: Rung, mut why: Vec<Why>) -> BaseProgram {
        let frame = &self.alone[id].frame;
        why.extend(Growth::at(frame, rung.shares.clone(), self.options.cycles.grid).reasons());
        let splits = frame.stages.iter().copied().zip(rung.shares).collect();
        let program = Program { name: "webster".into(), offset: Span::ZERO, splits };
        BaseProgram { program, area, runs: 1, saturation: rung.saturation, delay: rung.delay, why }
    }
}

/// The best cycle and a few that are nearly as good and not right beside one already taken.
fn spread(cycles: &[(f64, usize)], count: usize) -> Vec<usize> {
    const NEARLY: f64 = 1.15;
    const APART: usize = 4;
    let mut taken: Vec<usize> = Vec::new();
    for &(delay, rung) in cycles {
        let good = delay <= cycles[0].0 * NEARLY;
        if taken.len() < count && good && taken.iter().all(|&other| other.abs_diff(rung) >= APART) {
            taken.push(rung);
        }
    }
    taken
}

//! Base plans for worlds of every shape under any demand keep every rule, judged lamp by lamp.

use std::sync::LazyLock;

use greenwave::event::{Aspect, Revision};
use greenwave::ids::{GroupId, Id, JunctionId, LaneId, MovementId, Table};
use greenwave::network::limits::Limits;
use greenwave::network::{Junction, Network};
use greenwave::optimize::base::{BaseProgram, Options, SATURATION, base_plan};
use greenwave::optimize::smooth::{Step, smooth};
use greenwave::plan::check::{Running, Setting, check};
use greenwave::plan::draft::{Change, Draft, Tail};
use greenwave::plan::timeline::{Lamps, unroll};
use greenwave::time::{Span, Time};
use greenwave::twin::city::{demo, small};
use greenwave::units::VehPerHour;
use proptest::prelude::*;

static WORLDS: LazyLock<Vec<Network>> = LazyLock::new(|| {
    let specs = [small::left_hand(), small::ring_barrier(), small::crossing(), small::corridor(), demo()];
    specs.into_iter().map(|spec| Network::build(spec, &Limits::default()).expect("our worlds are sound")).collect()
});

/// Each movement's demand is drawn from these: nobody, a trickle, the usual, more than a lane can carry.
const DEMANDS: [f64; 6] = [0.0, 0.1, 30.0, 250.0, 900.0, 2500.0];

fn demand(network: &Network, seed: u64) -> Table<MovementId, VehPerHour> {
    // A multiplicative hash is random enough to choose among six.
    let pick = |i: usize| (i as u64 + 1).wrapping_mul(seed | 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
    let flow = |id: MovementId| VehPerHour::constant(DEMANDS[pick(id.index()) as usize % DEMANDS.len()]);
    network.movements().ids().map(flow).collect()
}

fn saturation(network: &Network) -> Table<LaneId, VehPerHour> {
    Table::filled(SATURATION, network.lanes().len())
}

/// Each group's greens (from, until) in `cycles` cycles, the first two left out: they come from a dark start.
fn greens(junction: &Junction, plan: &BaseProgram, cycles: i64) -> Table<GroupId, Vec<(Time, Time)>> {
    let tail = Tail::of(&plan.program, Time::EPOCH + plan.program.offset);
    let from = tail.from + tail.cycle() * 2;
    let until = from + tail.cycle() * cycles;
    let changes = tail.changes().take_while(|change| change.at < until).collect::<Vec<Change>>();
    let shown = unroll(Lamps::dark(junction), changes, Time::LONG_AGO, until, junction);
    let mut greens: Table<GroupId, Vec<(Time, Time)>> = Table::filled(Vec::new(), junction.groups.len());
    let mut since: Table<GroupId, Option<Time>> = Table::filled(None, junction.groups.len());
    for change in shown {
        match change.aspect {
            Aspect::Green => since[change.group] = since[change.group].or(Some(change.at)),
            _ => {
                if let Some(began) = since[change.group].take() {
                    greens[change.group].push((began, change.at));
                }
            }
        }
    }
    for (group, began) in since.iter() {
        greens[group].extend(began.map(|began| (began, until)));
    }
    for greens in greens.iter_mut().map(|(_, greens)| greens) {
        // A group that is green in every stage turned green once, when the junction was switched on.
        greens.retain(|&(began, ended)| began >= from || ended == until);
    }
    greens
}

/// The gate lets the program take over from a dark junction, at one of its changes at least.
fn passes_the_gate(junction: &Junction, id: JunctionId, plan: &BaseProgram, grid: Span) {
    let now = Time::EPOCH;
    let from = (now + Span::from_s(200)).ceil(grid);
    let running = [Running::holding(Lamps::dark(junction), now)];
    let waiting = Table::filled(None, junction.groups.len());
    let setting = Setting { now, lead: Span::ZERO, grid, running: &running, waiting: &waiting, narrowed: &[] };
    let draft = |at: Time| Draft {
        junction: id,
        revision: Revision(1),
        base: Revision(0),
        effective_from: from,
        prefix: Vec::new(),
        tail: Tail::of(&plan.program, at),
        valid_until: from + Span::from_s(1200),
    };
    let changes = plan.program.from(from).skip(1).take(plan.program.splits.len());
    let judged: Vec<_> = changes.map(|(_, at)| check(draft(at), junction, &setting)).collect();
    assert!(judged.iter().any(Result::is_ok), "{id}: {judged:?} in {plan:?}");
}

fn judge(network: &Network, id: JunctionId, plan: &BaseProgram, options: &Options) {
    let junction = network.junction(id);
    let program = &plan.program;
    let (cycle, grid) = (program.cycle(), options.cycles.grid);
    for &(_, share) in &program.splits {
        assert_eq!(share.floor(grid), share, "{id}: a share off the grid in {program:?}");
    }
    assert_eq!(program.offset.floor(grid), program.offset, "{id}");
    assert!((Span::ZERO..cycle).contains(&program.offset), "{id}: {program:?}");
    let next = program.splits.iter().cycle().skip(1);
    for (&(a, _), &(b, _)) in program.splits.iter().zip(next) {
        assert!(junction.may_follow(a, b), "{id}: {a} to {b}");
    }
    passes_the_gate(junction, id, plan, grid);
    let all = greens(junction, plan, 4);
    let end = Time::EPOCH + program.offset + cycle * 6;
    for (group, greens) in all.iter() {
        let limits = &junction.groups[group];
        let served = program.splits.iter().any(|&(stage, _)| junction.stages[stage].groups.contains(group));
        let asked =
            junction.programs.iter().flat_map(|p| &p.splits).any(|&(s, _)| junction.stages[s].groups.contains(group));
        assert!(!asked || served, "{id} {group}: a program serves it and the plan does not");
        assert_eq!(served, !greens.is_empty(), "{id} {group}: {program:?}");
        for &(from, until) in greens.iter().filter(|green| green.1 < end) {
            assert!(until - from >= limits.min_green.span, "{id} {group}: {from} to {until} in {program:?}");
        }
        for pair in greens.windows(2) {
            let red = pair[1].0 - pair[0].1;
            assert!(
                red <= limits.max_red.span || cycle <= shortest(junction, plan),
                "{id} {group}: {red} red in {plan:?}"
            );
        }
        for (other, others) in all.iter().filter(|&(other, _)| junction.never_together(group, other)) {
            let owed = junction.intergreen(group, other).span;
            for &(from, until) in greens {
                for &(began, ended) in others {
                    let apart = began >= until + owed || ended <= from;
                    assert!(apart, "{id}: {group} until {until}, {other} from {began}; {owed} is owed; {program:?}");
                }
            }
        }
    }
}

/// The shortest cycle these stages can run: nothing that is longer than that may break a maximum red.
fn shortest(junction: &Junction, plan: &BaseProgram) -> Span {
    let stages: Vec<_> = plan.program.splits.iter().map(|&(stage, _)| stage).collect();
    let mut sum = Span::ZERO;
    for (at, &stage) in stages.iter().enumerate() {
        let before = stages[(at + stages.len() - 1) % stages.len()];
        let green = junction.stages[stage].groups.iter().map(|g| junction.groups[g].min_green.span).max();
        let clearing = junction.groups.values().map(|g| g.change.span + g.all_red.span).max();
        sum += junction.change_time(before, stage) + green.unwrap_or(Span::ZERO) + clearing.unwrap_or(Span::ZERO);
    }
    sum
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_base_plan_keeps_every_rule(world in 0..4usize, seed: u64, second: u64, grid in prop::sample::select(vec![500, 1000, 2000, 5000])) {
        let network = &WORLDS[world];
        let mut options = Options::default();
        options.cycles.grid = Span::from_ms(grid);
        let saturation = saturation(network);
        let plan = base_plan(network, &demand(network, seed), &saturation, &options, None);
        prop_assert_eq!(plan.len(), network.junctions().len());
        for (id, program) in plan.iter() {
            judge(network, id, program, &options);
        }
        // Another hour, and every small step on the way to its plan.
        let next = base_plan(network, &demand(network, second), &saturation, &options, Some(&plan));
        let step = Step { grid: options.cycles.grid, ..Step::default() };
        for (id, program) in next.iter() {
            judge(network, id, program, &options);
            let mut now = plan[id].program.clone();
            for _ in 0..8 {
                let moved = smooth(&now, program, step);
                judge(network, id, &moved, &options);
                now = moved.program;
            }
        }
    }
}

#[test]
fn a_town_shares_cycles_and_gains_by_its_offsets() {
    let network = &WORLDS[4];
    let demand = Table::filled(VehPerHour::constant(150.0), network.movements().len());
    let options = Options::default();
    let plan = base_plan(network, &demand, &saturation(network), &options, None);
    for (id, program) in plan.iter() {
        judge(network, id, program, &options);
        let common = program.program.cycle() * i64::from(program.runs);
        let area = &plan[program.area];
        assert_eq!(common, area.program.cycle() * i64::from(area.runs), "{id}");
    }
    // The same demand again moves nothing.
    let again = base_plan(network, &demand, &saturation(network), &options, Some(&plan));
    for (id, program) in again.iter() {
        assert_eq!(program.program, plan[id].program, "{id}");
    }
}

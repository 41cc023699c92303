//! A fixed plan made for the very hour beats an even split, in closed loop with the twin.

use std::sync::Arc;

use greenwave::ids::{JunctionId, Table};
use greenwave::network::limits::Limits;
use greenwave::network::spec::{ProgramSpec, SplitSpec};
use greenwave::network::{Network, NetworkSpec, Program, Sensors};
use greenwave::optimize::base::{Options, base_plan, movement_flows};
use greenwave::time::Span;
use greenwave::twin::city::{demo, morning, small};
use greenwave::twin::demand::{Demand, DemandSpec};
use greenwave::twin::{self, Twin};
use greenwave::units::VehPerHour;

/// The world with these programs as every junction's own.
fn with_programs(spec: &NetworkSpec, programs: &Table<JunctionId, Program>, network: &Network) -> NetworkSpec {
    let mut spec = spec.clone();
    for junction in &mut spec.junctions {
        let id = network.junction_named(&junction.id).expect("it is the same world");
        let stage = |stage| network.junction(id).stages[stage].name.to_string();
        let splits = &programs[id].splits;
        let splits = splits.iter().map(|&(s, share)| SplitSpec { stage: stage(s), s: share.s() }).collect();
        junction.programs.insert(0, ProgramSpec { id: "made".into(), offset_s: programs[id].offset.s(), splits });
    }
    spec
}

/// Every stage of the imported program gets the same share of 90 s, or what the program gives it where limits bind.
fn even(network: &Network) -> Table<JunctionId, Program> {
    let even = |program: &Program| {
        let share = Span::from_ms(90_000 / program.splits.len() as i64).floor(Span::SECOND);
        let splits = program.splits.iter().map(|&(stage, _)| (stage, share)).collect();
        Program { name: "even".into(), offset: Span::ZERO, splits }
    };
    network.junctions().values().map(|junction| even(junction.base_program())).collect()
}

/// Mean time per vehicle that wanted to travel, finished or not, and the delay index.
fn run(spec: NetworkSpec, minutes: i64, demand: &dyn Fn(&Network) -> Demand) -> (f64, f64) {
    let network = Arc::new(Network::build(spec, &Limits::default()).expect("a sound world"));
    let demand = demand(&network);
    let mut twin = Twin::new(network, &Sensors::default(), &demand, twin::Options::default());
    for _ in 0..minutes * 60 {
        twin.step();
    }
    assert_eq!(twin.red_crossings(), 0);
    let truth = twin.truth();
    (truth.travel.mean_s().expect("somebody travels"), truth.city().index().expect("somebody travels"))
}

/// Mean times under the even split and under the plan made for this demand.
fn compared(name: &str, spec: &NetworkSpec, minutes: i64, demand: &dyn Fn(&Network) -> Demand) -> (f64, f64) {
    let network = Network::build(spec.clone(), &Limits::default()).expect("a sound world");
    let trips = demand(&network).trips;
    let flows = movement_flows(trips.iter().map(|trip| &*trip.route), &network, minutes as f64 / 60.0);
    let saturation = Table::filled(VehPerHour::constant(1850.0), network.lanes().len());
    let plan = base_plan(&network, &flows, &saturation, &Options::default(), None);
    let made = plan.values().map(|base| base.program.clone()).collect();
    let (even, even_index) = run(with_programs(spec, &even(&network), &network), minutes, demand);
    let (own, own_index) = run(spec.clone(), minutes, demand);
    let (made, made_index) = run(with_programs(spec, &made, &network), minutes, demand);
    println!(
        "{name}: even {even:.1} s ({even_index:.3}), its own {own:.1} s ({own_index:.3}), made {made:.1} s ({made_index:.3})"
    );
    (even, made)
}

#[test]
fn the_corridor_runs_better() {
    let file: DemandSpec = serde_json::from_str(include_str!("../data/corridor.demand.json")).expect("it is in order");
    let demand = |network: &Network| Demand::build(&file, network).expect("it fits its world");
    let (even, made) = compared("corridor", &small::corridor(), 60, &demand);
    assert!(made < even, "{made} {even}");
}

#[test]
fn the_demo_s_city_runs_better() {
    let demand = |network: &Network| morning::demand(network, Span::from_s(3600), 1);
    let (even, made) = compared("demo", &demo(), 60, &demand);
    assert!(made < even, "{made} {even}");
}

//! The demo's city, Lindenford on the Senn: drawn by rule, the same each time, and as large as a bench wants it.
//!
//! One tile is a town of 75 signals: a centre of one-way streets on the northern bank, suburbs on the southern, two
//! bridges, an arterial with turning pockets, gates to the country around. Larger cities are tiles side by side, joined
//! at their gates.

mod layout;
pub mod morning;
pub mod peak;
mod signal;
mod sketch;
pub mod small;
mod stages;

use crate::network::compose::compose;
use crate::network::{Level, NetworkSpec};

/// Signals of one tile.
pub const TILE_JUNCTIONS: usize = layout::SIGNALS;

/// Where the generated worlds come from.
const SOURCE: &str = "drawn by greenwave's own generator; licence MIT OR Apache-2.0";

/// The demo's city: one tile.
pub fn demo() -> NetworkSpec {
    tiles(1, 0)
}

/// A city of about `junctions` signals: as many tiles as come nearest, at least one. The seed moves its corners a little.
pub fn city(junctions: usize, seed: u64) -> NetworkSpec {
    tiles(((junctions + TILE_JUNCTIONS / 2) / TILE_JUNCTIONS).max(1), seed)
}

fn tiles(count: usize, seed: u64) -> NetworkSpec {
    let name = if count == 1 { "Lindenford".to_owned() } else { format!("Lindenford × {count}") };
    let (sketch, zones) = layout::draw(count, seed);
    let mut spec = sketch.finish(&name, SOURCE);
    spec.zones = zones;
    spec.partition_level = Level::District;
    compose(&mut spec);
    spec
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Id, JunctionId};
    use crate::network::limits::Limits;
    use crate::network::spec::{ConflictKind, OrderSpec};
    use crate::network::{GroupKind, Network};

    #[test]
    fn the_demo_city_is_what_it_says() {
        let spec = demo();
        assert_eq!(spec, demo());
        assert_eq!(spec.junctions.len(), TILE_JUNCTIONS);
        let signals = |want: &dyn Fn(&crate::network::spec::JunctionSpec) -> bool| {
            spec.junctions.iter().filter(|j| want(j)).count()
        };
        assert!(signals(&|j| matches!(j.order, OrderSpec::Rings(_))) >= 2);
        assert!(signals(&|j| j.order == OrderSpec::Fixed) >= 10);
        assert!(signals(&|j| j.order == OrderSpec::Free) >= 30);
        assert!(signals(&|j| j.groups.iter().any(|g| g.kind == GroupKind::Pedestrian)) >= 30);
        assert!(signals(&|j| j.groups.iter().any(|g| g.turn_on_red)) >= 20);
        assert!(signals(&|j| j.conflicts.iter().any(|c| c.kind == ConflictKind::Yields)) >= 30);
        assert!(signals(&|j| j.stages.iter().any(|s| s.id.ends_with("turns"))) >= 10);
        let network = Network::build(spec, &Limits::default()).expect("the city is sound");
        assert_eq!(network.partitions().len(), 3);
        let arms = |count: usize| {
            network.junctions().values().filter(|j| network.node(j.nodes[0]).incoming.len() == count).count()
        };
        assert!(arms(3) >= 10 && arms(4) >= 20 && arms(2) >= 3, "{} {} {}", arms(2), arms(3), arms(4));
    }

    #[test]
    fn every_stage_of_every_program_can_run_within_its_share() {
        let network = Network::build(demo(), &Limits::default()).expect("the city is sound");
        for (id, junction) in network.junctions().iter() {
            for program in &junction.programs {
                for (position, &(stage, share)) in program.splits.iter().enumerate() {
                    let before = program.splits[(position + program.splits.len() - 1) % program.splits.len()].0;
                    let change = junction.change_time(before, stage);
                    assert!(share > change, "{id} {} {}: {share} for {change}", program.name, junction.name);
                    assert!(junction.may_follow(before, stage), "{id} {}", junction.name);
                }
            }
        }
    }

    #[test]
    fn every_group_turns_green_and_every_lane_leads_on() {
        let network = Network::build(demo(), &Limits::default()).expect("the city is sound");
        for (id, junction) in network.junctions().iter() {
            let shown =
                junction.stages.values().fold(crate::ids::GroupSet::EMPTY, |set, stage| set.union(stage.groups));
            assert_eq!(shown.len(), junction.groups.len(), "{id} {}: {:?}", junction.name, junction.stages);
        }
        for (_, lane) in network.lanes().iter() {
            let ends = network.node(network.link(lane.link).to).outgoing.len() <= 1;
            assert!(!lane.exits.is_empty() || ends, "{} lane {}", network.link(lane.link).name, lane.index);
        }
    }

    #[test]
    fn tiles_join_at_their_gates() {
        let network = Network::build(city(300, 7), &Limits::default()).expect("the city is sound");
        assert_eq!(network.junctions().len(), 4 * TILE_JUNCTIONS);
        assert_eq!(network.partitions().len(), 12);
        let router = crate::network::route::Router::new(&network);
        let first = network.link_named("West Southgate>Orchard/Southgate").expect("a gate of the first tile");
        let last = network.junction(JunctionId::of(network.junctions().len() - 1)).approaches[0];
        assert!(router.route(first, last, |l| network.link(l).free_flow()).is_some());
    }
}

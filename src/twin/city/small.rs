//! Small worlds, each made for one thing: the networks in `data/`.

use rand_core::SeedableRng;
use rand_pcg::Pcg64Mcg;

use super::SOURCE;
use super::peak::{self, Wish};
use super::signal::{Order, Style, Walk};
use super::sketch::{Road, Sketch};
use crate::ids::LinkId;
use crate::network::{Network, NetworkSpec, Side};
use crate::time::Span;
use crate::twin::demand::{Demand, Walkers};

const TOWN: f64 = 13.9;

/// Two junctions of a town where traffic keeps to the left.
pub fn left_hand() -> NetworkSpec {
    let mut sketch = Sketch::new(Side::Left);
    let cross = Style { protected: [true, false], order: Order::Fixed, ..Style::PLAIN };
    let west = sketch.corner("Castle Street", (0.0, 0.0), None, Some(cross));
    let east = sketch.corner("Harbour Street", (280.0, 0.0), None, Some(Style { offset_s: 25.0, ..Style::PLAIN }));
    let high = |from, to| Road { from, to, lanes: 2, pocket: false, speed: TOWN, name: "High Street".into() };
    sketch.two_way(high(west, east));
    arm(&mut sketch, west, "West", (-300.0, 0.0), 2);
    arm(&mut sketch, east, "East", (300.0, 0.0), 2);
    arm(&mut sketch, west, "Castle", (0.0, 250.0), 1);
    arm(&mut sketch, west, "Mill", (0.0, -250.0), 1);
    arm(&mut sketch, east, "Harbour", (0.0, -250.0), 1);
    sketch.finish("left-hand town", SOURCE)
}

/// One large junction under a dual ring with pedestrian groups.
pub fn ring_barrier() -> NetworkSpec {
    let mut sketch = Sketch::new(Side::Right);
    let style = Style { protected: [true; 2], order: Order::Rings, cycle_s: 110.0, ..Style::PLAIN };
    let middle = sketch.corner("First and Main", (0.0, 0.0), None, Some(style));
    arm(&mut sketch, middle, "Main East", (350.0, 0.0), 3);
    arm(&mut sketch, middle, "First North", (0.0, 320.0), 3);
    arm(&mut sketch, middle, "Main West", (-350.0, 0.0), 3);
    arm(&mut sketch, middle, "First South", (0.0, -320.0), 2);
    sketch.finish("ring and barrier", SOURCE)
}

/// A street with people: beside the traffic, in mid-block, and in a stage of their own.
pub fn crossing() -> NetworkSpec {
    let mut sketch = Sketch::new(Side::Right);
    let alone = Style { walk: Walk::Alone, turn_on_red: false, ..Style::PLAIN };
    let west = sketch.corner("Market Place", (0.0, 0.0), None, Some(Style::PLAIN));
    let middle = sketch.corner("School Crossing", (180.0, 0.0), None, Some(alone));
    let east = sketch.corner("Station Square", (360.0, 0.0), None, Some(alone));
    for (from, to) in [(west, middle), (middle, east)] {
        sketch.two_way(Road { from, to, lanes: 1, pocket: false, speed: TOWN, name: "Station Road".into() });
    }
    arm(&mut sketch, west, "West", (-250.0, 0.0), 1);
    arm(&mut sketch, west, "Market North", (0.0, 200.0), 1);
    arm(&mut sketch, west, "Market South", (0.0, -200.0), 1);
    arm(&mut sketch, east, "Station North", (0.0, 200.0), 1);
    arm(&mut sketch, east, "Station South", (0.0, -200.0), 1);
    arm(&mut sketch, east, "East", (250.0, 0.0), 1);
    sketch.finish("crossings", SOURCE)
}

/// An arterial of five junctions with turning pockets: what coordination is for.
pub fn corridor() -> NetworkSpec {
    let mut sketch = Sketch::new(Side::Right);
    let streets = [
        ("Ash", 0.0, true),
        ("Birch", 310.0, false),
        ("Cedar", 640.0, true),
        ("Elm", 900.0, false),
        ("Fir", 1250.0, true),
    ];
    let mut along = Vec::new();
    for (row, &(street, x, major)) in streets.iter().enumerate() {
        let style =
            Style { protected: [major, false], order: Order::Fixed, offset_s: 20.0 * row as f64, ..Style::PLAIN };
        let corner = sketch.corner(street, (x, 0.0), None, Some(style));
        arm(&mut sketch, corner, &format!("{street} North"), (0.0, 250.0), 1 + u8::from(major));
        if street != "Elm" {
            arm(&mut sketch, corner, &format!("{street} South"), (0.0, -250.0), 1 + u8::from(major));
        }
        along.push((corner, major));
    }
    let ends = [(-350.0, "West"), (1600.0, "East")].map(|(x, name)| sketch.corner(name, (x, 0.0), None, None));
    let stops: Vec<_> = [(ends[0], false)].into_iter().chain(along).chain([(ends[1], false)]).collect();
    for pair in stops.windows(2) {
        let [(a, a_pocket), (b, b_pocket)] = [pair[0], pair[1]];
        let road = |from, to, pocket| Road { from, to, lanes: 2, pocket, speed: 16.7, name: "Grand Avenue".into() };
        sketch.one_way(road(a, b, b_pocket));
        sketch.one_way(road(b, a, a_pocket));
    }
    sketch.finish("corridor", SOURCE)
}

/// A road from `corner` to where the drawing ends.
fn arm(sketch: &mut Sketch, corner: usize, name: &str, (dx, dy): (f64, f64), lanes: u8) {
    let (x, y) = sketch.at(corner);
    let end = sketch.corner(name, (x + dx, y + dy), None, None);
    sketch.two_way(Road { from: end, to: corner, lanes, pocket: false, speed: TOWN, name: name.to_owned() });
}

/// A quarter of an hour in a small world: from every road to every other, by their lanes, and people at every crossing.
pub fn demand(network: &Network) -> Demand {
    let quarter = Span::from_s(900);
    let ends: Vec<(LinkId, LinkId)> = network
        .nodes()
        .values()
        .filter_map(|node| match (&node.incoming[..], &node.outgoing[..]) {
            (&[into], &[out]) if network.link(into).from == network.link(out).to => Some((out, into)),
            _ => None,
        })
        .collect();
    let lanes = |link: LinkId| network.link(link).lane_count() as f64;
    let wishes: Vec<Wish> = ends
        .iter()
        .flat_map(|&(from, _)| ends.iter().map(move |&(_, to)| (from, to)))
        .filter(|&(from, to)| network.link(from).from != network.link(to).to)
        .map(|(from, to)| Wish { from, to, per_hour: VEHICLES_A_LANE * lanes(from) * lanes(to) / ends.len() as f64 })
        .collect();
    let mut dice = Pcg64Mcg::seed_from_u64(1);
    let trips = peak::departures(&peak::assign(network, &wishes), quarter, &[1.0; 12], &mut dice);
    let walkers = network.crossings().ids().map(|crossing| Walkers { crossing, per_hour: 60.0 }).collect();
    Demand { trips, walkers, calls: Vec::new() }
}

/// Vehicles that each lane of each road brings in an hour to every lane by which the others leave.
const VEHICLES_A_LANE: f64 = 160.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::limits::Limits;
    use crate::network::{GroupKind, Turn};

    fn built(spec: NetworkSpec) -> Network {
        Network::build(spec, &Limits::default()).expect("a small world is sound")
    }

    #[test]
    fn on_the_left_it_is_the_right_turn_that_waits() {
        let network = built(left_hand());
        let junction = network.junction(network.junction_named("Castle Street").expect("it is there"));
        let [right, oncoming] = ["Er", "Ws"].map(|name| junction.group_named(name).expect("it is there"));
        assert!(junction.never_together(right, oncoming)); // protected on this axis
        let [right, oncoming] = ["Nr", "Ss"].map(|name| junction.group_named(name).expect("it is there"));
        assert_eq!(junction.conflict(right, oncoming), crate::network::Conflict::Yields);
        let kerb = network.lane_of(network.link_named("West>Castle Street").expect("it is there"), 0);
        let exits = &network.lane(kerb.expect("a lane")).exits;
        let turns: Vec<Turn> =
            network.connections().slice(exits).iter().map(|c| network.movements()[c.movement].turn).collect();
        assert!(turns.contains(&Turn::Left) && !turns.contains(&Turn::Right), "{turns:?}");
    }

    #[test]
    fn rings_pair_a_turn_with_the_stream_it_cuts() {
        let spec = ring_barrier();
        let crate::network::spec::OrderSpec::Rings(barriers) = &spec.junctions[0].order else {
            panic!("it has no rings")
        };
        assert_eq!(barriers[0], [["El", "Ws"], ["Wl", "Es"]]);
        assert_eq!(barriers[1], [["Nl", "Ss"], ["Sl", "Ns"]]);
        let network = built(spec);
        let junction = network.junctions().values().next().expect("one junction");
        let stage = |name: &str| junction.stage_named(name).expect("it is there");
        assert!(junction.may_follow(stage("ew-turns"), stage("ew-el"))); // one ring goes ahead
        assert!(!junction.may_follow(stage("ew"), stage("ew-turns"))); // no ring goes back
        assert!(junction.may_follow(stage("ew"), stage("ns-turns"))); // both cross the barrier
        assert!(!junction.may_follow(stage("ew-el"), stage("ew-wl"))); // one would go back
    }

    #[test]
    fn people_cross_beside_in_mid_block_and_alone() {
        let network = built(crossing());
        let pedestrians = |name: &str| {
            let junction = network.junction(network.junction_named(name).expect("it is there"));
            junction.groups.values().filter(|g| g.kind == GroupKind::Pedestrian).count()
        };
        assert_eq!(["Market Place", "School Crossing", "Station Square"].map(pedestrians), [4, 1, 4]);
    }

    #[test]
    fn the_corridor_has_five_junctions_and_pockets() {
        let network = built(corridor());
        assert_eq!(network.junctions().len(), 5);
        assert_eq!(network.link(network.link_named("Ash>Birch").expect("a road")).lane_count(), 2);
        assert_eq!(network.link(network.link_named("Birch>Cedar+").expect("a pocket")).lane_count(), 3);
    }
}

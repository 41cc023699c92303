//! The one door to a network: every fault it names, and what comes of a file without one.

use super::limits::Limits;
use super::route::Router;
use super::spec::*;
use super::{Conflict, Control, Network};
use crate::ids::{Id, LaneId, StageId, span};
use crate::time::Span;
use crate::units::Seconds;

/// A signal with two approaches and a crossing; the western approach is chopped into two links.
///
/// ```text
///  w --wm-- m ==mj== j --je-- e
///                    |
///                    s
/// ```
fn spec() -> NetworkSpec {
    let node = |id: &str, x: f64, y: f64, zone: &str, junction: Option<&str>| NodeSpec {
        id: id.into(),
        x,
        y,
        junction: junction.map(Into::into),
        zone: Some(zone.into()),
    };
    let link = |id: &str, from: &str, to: &str, length_m: f64, lanes: usize| LinkSpec {
        id: id.into(),
        from: from.into(),
        to: to.into(),
        length_m,
        speed_mps: 10.0,
        lanes: vec![LaneSpec::default(); lanes],
        shape: Vec::new(),
        grade: 0.0,
        name: String::new(),
    };
    let path = |from: &str, from_lane: u8, to: &str, to_lane: u8, group: Option<&str>| ConnectionSpec {
        from: from.into(),
        from_lane,
        to: to.into(),
        to_lane,
        turn: Turn::Straight,
        length_m: 10.0,
        group: group.map(Into::into),
        gives_way: false,
    };
    let group = |id: &str, kind| GroupSpec {
        id: id.into(),
        kind,
        min_green: None,
        max_red: None,
        change: None,
        all_red: None,
        turn_on_red: false,
    };
    let never = |a: &str, b: &str| ConflictSpec { a: a.into(), b: b.into(), kind: ConflictKind::Never };
    let stage =
        |id: &str, group: &str| StageSpec { id: id.into(), groups: vec![group.into()], max_s: None, skippable: false };
    let zone =
        |id: &str, level, parent: Option<&str>| ZoneSpec { id: id.into(), level, parent: parent.map(Into::into) };
    let splits = [("A", 30.0), ("B", 20.0), ("P", 25.0)].map(|(stage, s)| SplitSpec { stage: stage.into(), s });
    NetworkSpec {
        format: FORMAT.into(),
        name: "t".into(),
        source: String::new(),
        drive_on: Side::Right,
        utc_offset_min: 480,
        origin: None,
        partition_level: Level::District,
        zones: vec![
            zone("city", Level::City, None),
            zone("north", Level::District, Some("city")),
            zone("south", Level::District, Some("city")),
        ],
        nodes: vec![
            node("w", -130.0, 0.0, "south", None),
            node("j", 0.0, 0.0, "north", Some("J")),
            node("m", -30.0, 0.0, "south", None),
            node("e", 200.0, 0.0, "north", None),
            node("s", 0.0, -150.0, "south", None),
        ],
        links: vec![
            link("wm", "w", "m", 100.0, 2),
            link("mj", "m", "j", 30.0, 2),
            link("je", "j", "e", 200.0, 1),
            link("sj", "s", "j", 150.0, 1),
        ],
        connections: vec![
            path("wm", 0, "mj", 0, None),
            path("wm", 0, "mj", 1, None),
            path("wm", 1, "mj", 1, None),
            path("mj", 0, "je", 0, Some("main")),
            path("mj", 1, "je", 0, Some("main")),
            path("sj", 0, "je", 0, Some("side")),
        ],
        crossings: vec![CrossingSpec {
            id: "x".into(),
            node: "j".into(),
            length_m: 10.7,
            crosses: vec!["je".into()],
            group: Some("people".into()),
        }],
        junctions: vec![JunctionSpec {
            id: "J".into(),
            groups: vec![
                group("main", GroupKind::Vehicle),
                group("side", GroupKind::Vehicle),
                group("people", GroupKind::Pedestrian),
            ],
            conflicts: vec![never("main", "side"), never("main", "people"), never("people", "side")],
            intergreens: vec![IntergreenSpec {
                from: "main".into(),
                to: "side".into(),
                s: 7.0,
                origin: Origin::Program,
            }],
            stages: vec![stage("A", "main"), stage("B", "side"), stage("P", "people")],
            order: OrderSpec::Free,
            programs: vec![ProgramSpec { id: "day".into(), offset_s: 0.0, splits: splits.to_vec() }],
        }],
    }
}

fn built(spec: NetworkSpec, limits: &Limits) -> Network {
    Network::build(spec, limits).expect("it is sound")
}

#[test]
fn every_fault_says_place_field_value_and_limit() {
    type Damage = fn(&mut NetworkSpec);
    let rows: [(Damage, &str); 44] = [
        (|s| s.format = "v0".into(), "format: \"v0\" is not \"greenwave-network/1\""),
        // Zones.
        (|s| s.zones[1].parent = None, "zones[1] \"north\": parent is missing"),
        (|s| s.zones[1].parent = Some("?".into()), "\"north\": parent names \"?\""),
        (|s| s.zones[2].parent = Some("north".into()), "its parent is a District, which is not above a District"),
        (|s| s.zones[1].level = Level::City, "2 zones of level city"),
        (|s| s.zones[2].id = "north".into(), "\"north\" is used twice"),
        // Nodes and links.
        (|s| s.nodes[0].x = 1e8, "\"w\": x 100000000 is not within"),
        (|s| s.nodes[0].y = f64::NAN, "\"w\": y NaN is not within"),
        (|s| s.nodes[0].junction = Some("?".into()), "\"w\": junction names \"?\""),
        (|s| s.nodes[0].zone = Some("?".into()), "\"w\": zone names \"?\""),
        (|s| s.nodes[2].id = "w".into(), "\"w\" is used twice"),
        (|s| s.links[0].from = "?".into(), "\"wm\": from names \"?\""),
        (|s| s.links[0].to = "?".into(), "\"wm\": to names \"?\""),
        (|s| s.links[0].length_m = 0.05, "\"wm\": length_m 0.05 is not within 0.1 to 100000"),
        (|s| s.links[0].speed_mps = f64::INFINITY, "\"wm\": speed_mps inf is not within 0.5 to 70"),
        (|s| s.links[0].grade = 0.4, "\"wm\": grade 0.4 is not within -0.3 to 0.3"),
        (|s| s.links[0].lanes.clear(), "\"wm\": lanes 0 is not within 1 to 16"),
        (|s| s.links[0].shape.push([0.0, 2e7]), "\"wm\": shape 20000000 is not within"),
        (|s| s.links[0].id = "mj".into(), "\"mj\" is used twice"),
        // Paths and crossings.
        (|s| s.connections[0].from = "?".into(), "from names \"?\""),
        (|s| s.connections[0].from_lane = 2, "\"wm_2 > mj_0\": from_lane 2 is not within 0 to 1"),
        (|s| s.connections[0].to_lane = 9, "to_lane 9 is not within 0 to 1"),
        (|s| s.connections[0].length_m = -1.0, "length_m -1 is not within 0 to 500"),
        (|s| s.connections[0].to = "je".into(), "its links do not meet at a node"),
        (|s| s.connections[0].group = Some("main".into()), "it has a group, but its node has no junction"),
        (|s| s.connections[3].group = Some("?".into()), "group names \"?\""),
        (|s| s.connections[0].to_lane = 1, "\"wm_0 > mj_1\" is used twice"),
        (|s| s.crossings[0].length_m = 0.0, "\"x\": length_m 0 is not within 0.5 to 100"),
        (|s| s.crossings[0].node = "?".into(), "\"x\": node names \"?\""),
        (|s| s.crossings[0].node = "m".into(), "it has a group, but its node has no junction"),
        (|s| s.crossings[0].crosses[0] = "?".into(), "\"x\": crosses names \"?\""),
        // Signals.
        (|s| s.nodes[1].junction = None, "no node belongs to it"),
        (|s| s.junctions[0].groups[1].id = "main".into(), "\"main\" is used twice"),
        (|s| s.junctions[0].stages.clear(), "stages 0 is not within 1 to 256"),
        (|s| s.junctions[0].programs.clear(), "programs 0 is not within 1 to 64"),
        (
            |s| s.junctions[0].groups[0].change = Some(LimitSpec { s: 2.0, origin: Origin::Site }),
            "change 2 is not within 2.7",
        ),
        (|s| s.junctions[0].conflicts[0].b = "main".into(), "a group cannot conflict with itself"),
        (|s| s.junctions[0].stages[0].groups.push("side".into()), "groups main and side are green in it"),
        (|s| s.junctions[0].stages[0].groups[0] = "?".into(), "\"J/A\": groups names \"?\""),
        (|s| s.junctions[0].conflicts.clear(), "these groups may be green together"),
        (|s| s.junctions[0].intergreens[0].s = 1.0, "1 s is shorter than the 3 s of yellow"),
        (|s| s.junctions[0].programs[0].splits[0].s = 0.0, "\"J/day\": splits.s 0 is not within 1 to 3600"),
        (|s| s.junctions[0].programs[0].splits[0].stage = "?".into(), "splits.stage names \"?\""),
        (|s| s.junctions[0].order = OrderSpec::Rings(vec![vec![vec!["?".into()]]]), "order.rings names \"?\""),
    ];
    for (damage, expected) in rows {
        let mut spec = spec();
        damage(&mut spec);
        let faults = Network::build(spec, &Limits::default()).expect_err(expected);
        let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(said.iter().any(|fault| fault.contains(expected)), "{expected}: {said:?}");
    }
}

#[test]
fn faults_come_all_at_once() {
    let mut spec = spec();
    spec.links[0].length_m = 0.0;
    spec.links[3].speed_mps = 0.0;
    spec.nodes[4].x = f64::NAN;
    assert_eq!(Network::build(spec, &Limits::default()).expect_err("three faults").len(), 3);
}

#[test]
fn a_partition_is_a_range_of_everything() {
    let network = built(spec(), &Limits::default());
    let [north, south] = network.partitions() else { panic!("two districts") };
    assert_eq!((north.nodes.start.index(), north.nodes.end, south.nodes.end.index()), (0, south.nodes.start, 5));
    assert_eq!((north.links.start.index(), north.links.end, south.links.end.index()), (0, south.links.start, 4));
    assert_eq!((north.lanes.start.index(), north.lanes.end, south.lanes.end.index()), (0, south.lanes.start, 6));
    assert_eq!((north.junctions.end.index(), south.junctions.is_empty()), (1, true));
    // A link is where it leads to: only wm leads to a node of the south.
    let names: Vec<&str> = span(&south.links).map(|l| &*network.link(l).name).collect();
    assert_eq!(names, ["wm"]);
    for (part, zone) in [(north, "north"), (south, "south")] {
        assert_eq!(&*network.zones()[part.zone].name, zone);
        for link in span(&part.links) {
            assert!(part.nodes.contains(&network.link(link).to));
            assert!(span(&network.link(link).lanes).all(|lane| part.lanes.contains(&lane)));
        }
    }
}

#[test]
fn names_lead_to_ids_and_back() {
    let network = built(spec(), &Limits::default());
    let main = network.link_named("mj").expect("it is there");
    let j = network.junction_at_end(main).expect("a signal");
    assert_eq!((&*network.junction(j).name, network.junction_named("J")), ("J", Some(j)));
    assert_eq!(network.lane_of(main, 1).map(|lane| network.lane(lane).index), Some(1));
    assert_eq!((network.lane_of(main, 2), network.link_named("?"), network.zone_named("east")), (None, None, None));
    let junction = network.junction(j);
    let group = |name| junction.group_named(name).expect("a group");
    assert_eq!(junction.conflict(group("main"), group("side")), Conflict::Never);
    assert_eq!(junction.intergreen(group("main"), group("side")).span, Span::from_s(7));
    // Stated one way only: back it is yellow and all-red, 3 s and (10 m + 6.1 m) at 10 m/s, up to a tenth.
    assert_eq!(junction.intergreen(group("side"), group("main")).span, Span::from_ms(3000 + 1700));
    assert_eq!(junction.groups[group("people")].change.span, Span::from_s(10), "10.7 m at 1.07 m/s");
    assert_eq!(junction.change_time(StageId::of(0), StageId::of(1)), Span::from_s(7));
    let released = network.connections().values().filter(|c| c.control == Control::Signal(j, group("main"))).count();
    assert_eq!(released, 2);
}

#[test]
fn an_approach_reaches_through_links_without_a_signal_between() {
    let network = built(spec(), &Limits::default());
    let lane = |link: &str, index| network.lane_of(network.link_named(link).expect("a link"), index).expect("a lane");
    let reach = |lane: LaneId| {
        let told = network.reach(lane).iter().map(|s| {
            let (link, index) = (&network.link(network.lane(s.lane).link).name, network.lane(s.lane).index);
            format!("{link}_{index} {}+{} {}", s.offset.get(), s.length.get(), s.share)
        });
        told.collect::<Vec<_>>()
    };
    // Lane 0 of wm feeds two lanes, so half of its traffic comes each way.
    assert_eq!(reach(lane("mj", 0)), ["mj_0 0+30 1", "wm_0 30+100 0.5"]);
    assert_eq!(reach(lane("mj", 1)), ["mj_1 0+30 1", "wm_0 30+100 0.5", "wm_1 30+100 1"]);
    assert_eq!(reach(lane("sj", 0)), ["sj_0 0+150 1"]);
    assert!(reach(lane("wm", 0)).is_empty(), "no signal ends it");
}

#[test]
fn traffic_enters_where_nothing_but_a_road_that_ends_leads() {
    // Who leaves by js could turn back at its end, where nobody else comes from.
    let mut spec = spec();
    spec.links.push(LinkSpec { id: "js".into(), from: "j".into(), to: "s".into(), ..spec.links[3].clone() });
    let (out, back) = (spec.connections[4].clone(), spec.connections[5].clone());
    spec.connections.push(ConnectionSpec { to: "js".into(), turn: Turn::Right, ..out });
    spec.connections.push(ConnectionSpec {
        from: "js".into(),
        to: "sj".into(),
        turn: Turn::UTurn,
        group: None,
        ..back
    });
    let network = built(spec, &Limits::default());
    let entrances = network.links().ids().filter(|&link| network.is_entrance(link));
    assert_eq!(entrances.map(|link| &*network.link(link).name).collect::<Vec<_>>(), ["sj", "wm"]);
}

#[test]
fn routes_follow_movements() {
    let network = built(spec(), &Limits::default());
    let router = Router::new(&network);
    let link = |name: &str| network.link_named(name).expect("a link");
    let free = |l| network.link(l).free_flow();
    let (way, cost) = router.route(link("wm"), link("je"), free).expect("a way");
    let names: Vec<&str> = way.iter().map(|&l| &*network.link(l).name).collect();
    assert_eq!(names, ["wm", "mj", "je"]);
    assert!((cost.get() - 33.0).abs() < 1e-9, "100, 30 and 200 m at 10 m/s");
    assert_eq!(router.route(link("je"), link("wm"), free), None, "nothing leads back");
    let closed = |l| if l == link("mj") { Seconds::constant(f64::MAX) } else { free(l) };
    assert_eq!(router.route(link("wm"), link("je"), closed), None);
    assert_eq!(router.route(link("wm"), link("wm"), free).map(|(way, _)| way), Some(vec![link("wm")]));
}

#[test]
fn limits_override_the_file() {
    let limits = Limits {
        yellow_s: Some(4.0),
        all_red_s: Some(2.0),
        min_green_s: Some(8.0),
        max_red_s: Some(90.0),
        ..Limits::default()
    };
    let network = built(spec(), &limits);
    let j = network.junctions().values().next().expect("a signal");
    let [main, side, people] = ["main", "side", "people"].map(|g| j.group_named(g).expect("a group"));
    // The stated 7 s give way to what the limits say: 4 s and 2 s.
    assert_eq!(j.intergreen(main, side).span, Span::from_s(6));
    assert_eq!((j.groups[main].min_green.span, j.groups[main].min_green.origin), (Span::from_s(8), Origin::Site));
    assert_eq!(j.groups[people].min_green.span, Span::from_s(7), "people's walk is not a vehicle's green");
    assert_eq!(j.groups[people].max_red.span, Span::from_s(90));
    assert_ne!(network.hash(), built(spec(), &Limits::default()).hash());
}

#[test]
fn only_a_benchmark_goes_without_yellow() {
    let limits = Limits { yellow_s: Some(0.0), ..Limits::default() };
    assert!(Network::build(spec(), &limits).is_err());
    let network = built(spec(), &Limits { benchmark: true, ..limits });
    assert!(network.is_benchmark());
}

#[test]
fn limits_leave_only_the_stages_they_name() {
    // (stages named, stages left, the program's)
    let rows: [(&[&str], usize, &str); 4] = [
        (&[], 3, "day A30 B20 P25"),
        (&["A", "B"], 2, "day A30 B20"),
        (&["nowhere"], 3, "day A30 B20 P25"), // a junction without such a stage keeps its own
        (&["P"], 1, "day P25"),
    ];
    for (named, left, program) in rows {
        let limits = Limits { stages: named.iter().map(|&s| s.to_owned()).collect(), ..Limits::default() };
        let network = built(spec(), &limits);
        let j = network.junctions().values().next().expect("a signal");
        let told: Vec<String> =
            j.base_program().splits.iter().map(|&(s, share)| format!("{}{}", j.stages[s].name, share.s())).collect();
        assert_eq!(
            (j.stages.len(), format!("{} {}", j.base_program().name, told.join(" "))),
            (left, program.to_owned())
        );
    }
    // A program of which nothing is left is replaced by equal shares.
    let mut without_people = spec();
    without_people.junctions[0].programs[0].splits.truncate(2);
    let limits = Limits { stages: vec!["P".into()], ..Limits::default() };
    let network = built(without_people, &limits);
    assert_eq!(&*network.junctions().values().next().expect("a signal").base_program().name, "even");
}

#[test]
fn a_network_file_survives_being_written_and_read() {
    let spec = spec();
    let text = serde_json::to_string(&spec).expect("a specification is JSON");
    let read: NetworkSpec = serde_json::from_str(&text).expect("it is our own");
    assert_eq!(read, spec);
    assert_eq!(built(read, &Limits::default()).hash(), built(spec, &Limits::default()).hash());
    let unknown = text.replacen("\"name\"", "\"nom\"", 1);
    assert!(serde_json::from_str::<NetworkSpec>(&unknown).is_err(), "a misspelt field is not passed over");
}

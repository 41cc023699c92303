//! Other people's files, small and written by hand: what comes of them, and that no damage to them does harm.

#[path = "imports/input.rs"]
mod input;
#[path = "imports/mutate.rs"]
mod mutate;

use greenwave::network::import::{Imported, cityflow, sumo};
use greenwave::network::layout::{Layout, layout};
use greenwave::network::limits::Limits;
use greenwave::network::spec::{ConflictKind, GroupKind, JunctionSpec, LimitSpec, Origin, Turn, VehicleClass};
use greenwave::network::{Conflict, Control, Network, Sensors, Side};
use greenwave::twin::demand::import::read;

fn sumo(net: &str) -> Imported {
    sumo::import("t", net.as_bytes(), std::iter::empty::<&[u8]>()).expect("it is well written")
}

fn built(imported: &Imported) -> Network {
    Network::build(imported.spec.clone(), &Limits::default()).expect("what is imported is sound")
}

/// `a < b`: a yields to b; `a x b`: never together.
fn conflicts(junction: &JunctionSpec) -> Vec<String> {
    let told = |kind: ConflictKind| if kind == ConflictKind::Never { "x" } else { "<" };
    junction.conflicts.iter().map(|c| format!("{} {} {}", c.a, told(c.kind), c.b)).collect()
}

fn program(junction: &JunctionSpec, row: usize) -> String {
    let program = &junction.programs[row];
    let splits: Vec<String> = program.splits.iter().map(|s| format!("{}+{}", s.stage, s.s)).collect();
    format!("{}@{}: {}", program.id, program.offset_s, splits.join(" "))
}

#[test]
fn a_sumo_signal_keeps_its_groups_stages_and_times() {
    let spec = sumo(input::NET).spec;
    let [t] = &spec.junctions[..] else { panic!("one signal") };
    // Links 4 and 5 share approach and characters; 0 and 1 differ (G and g), so do 2 and 3 (s).
    let groups: Vec<&str> = t.groups.iter().map(|g| g.id.as_str()).collect();
    assert_eq!(groups, ["0", "1", "2", "3", "4,5", "6"]);
    let pedestrians: Vec<&str> =
        t.groups.iter().filter(|g| g.kind == GroupKind::Pedestrian).map(|g| g.id.as_str()).collect();
    assert_eq!(pedestrians, ["6"]);
    let on_red: Vec<&str> = t.groups.iter().filter(|g| g.turn_on_red).map(|g| g.id.as_str()).collect();
    assert_eq!(on_red, ["2"]);
    let stages: Vec<String> = t.stages.iter().map(|s| format!("{}: {}", s.id, s.groups.join(" "))).collect();
    assert_eq!(stages, ["0: 0 1 4,5", "3: 2 3", "6: 6"]);
    // The change into stage 0 is the last 10 s of the round, so with SUMO's offset of 10 it begins at 0.
    assert_eq!(program(t, 0), "0@0: 0+40 3+25 6+20");
    // Only the permissive left (1) is shown with what it meets (4,5).
    let expected = ["0 x 3", "1 x 3", "1 < 4,5", "1 x 6", "2 x 4,5", "2 x 6", "3 x 4,5", "3 x 6"];
    assert_eq!(conflicts(t), expected);
    let yellow = |s| Some(LimitSpec { s, origin: Origin::Program });
    assert_eq!(
        t.groups.iter().map(|g| g.change).collect::<Vec<_>>(),
        [3.0, 3.0, 4.0, 4.0, 3.0].map(yellow).into_iter().chain([None]).collect::<Vec<_>>()
    );
    // 3 s yellow + 2 s all-red; 4 + 1; the people's 10 s, which is more than the 8.5 s that 9 m take.
    let gaps: Vec<String> = t.intergreens.iter().map(|i| format!("{}>{} {}", i.from, i.to, i.s)).collect();
    assert_eq!(gaps, ["0>3 5", "1>3 5", "2>6 5", "3>6 5", "4,5>2 5", "4,5>3 5", "6>1 10"]);
}

#[test]
fn a_sumo_street_keeps_lanes_paths_and_crossings() {
    let imported = sumo(input::NET);
    let network = built(&imported);
    let spec = &imported.spec;
    assert_eq!((spec.drive_on, network.crossings().len()), (Side::Right, 1));
    let origin = spec.origin.expect("a UTM zone is given");
    assert!((origin.lat - 48.8582).abs() < 1e-3 && (origin.lon - 2.2945).abs() < 1e-3, "{origin:?}");
    // The pavement is gone; the bus lane is at the kerb now.
    let west = network.link(network.link_named("u2c").expect("it is there"));
    assert_eq!((west.lane_count(), &*west.road, west.shape.len()), (2, "West Road", 3));
    assert!(network.lane(west.lanes.start).only.admit(VehicleClass::Bus));
    assert!(!network.lane(west.lanes.start).only.admit(VehicleClass::Car));
    assert_eq!(network.link_named("path"), None);
    let path = |from: &str, to: &str| spec.connections.iter().find(|c| c.from == from && c.to == to).expect("a path");
    let left = path("e2c", "c2s");
    assert_eq!((left.turn, left.group.as_deref()), (Turn::Left, Some("1")));
    assert!((left.length_m - 10.0).abs() < 1e-9, "4 m to the stop inside the junction and 6 m after it");
    assert_eq!((path("w2u", "u2c").gives_way, path("n2u", "u2c").gives_way), (false, true));
    assert_eq!(path("n2u", "u2c").to_lane, 1);
    let short = network.link(network.link_named("w2u").expect("it is there"));
    assert!((short.length.get() - 0.1).abs() < 1e-9);
    assert!(
        imported.notes.iter().any(|n| n.starts_with("lengths are lifted to 0.1 m (1): w2u")),
        "{:?}",
        imported.notes
    );
    let crossing = &spec.crossings[0];
    assert_eq!((crossing.node.as_str(), crossing.group.as_deref()), ("c", Some("6")));
    assert_eq!(crossing.crosses, ["c2s", "s2c"]);
}

#[test]
fn left_hand_lanes_count_from_the_kerb_whichever_way_they_are_numbered() {
    let left = input::NET.replace("<net ", "<net lefthand=\"true\" ");
    // As they lie now, lane 0 is the rightmost, so the kerb is at the last.
    let network = sumo(&left).spec;
    let lanes = |n: &greenwave::network::NetworkSpec| n.links.iter().find(|l| l.id == "u2c").map(|l| l.lanes.clone());
    let only: Vec<usize> = lanes(&network).expect("it is there").iter().map(|l| l.only.len()).collect();
    assert_eq!((network.drive_on, only), (Side::Left, vec![0, 1]), "all at the kerb, the bus lane in the middle");
    // netconvert mirrors the network: lane 0 lies leftmost, at the kerb.
    let mirrored = left
        .replace("shape=\"-98,-8 -9,-8\"", "shape=\"-98,8 -9,8\"")
        .replace("shape=\"-98,-5 -9,-5\"", "shape=\"-98,5 -9,5\"")
        .replace("shape=\"-98,-2 -9,-2\"", "shape=\"-98,2 -9,2\"")
        .replace("shape=\"9,-5 200,-5\"", "shape=\"9,5 200,5\"")
        .replace("shape=\"9,-2 200,-2\"", "shape=\"9,2 200,2\"");
    let only: Vec<usize> = lanes(&sumo(&mirrored).spec).expect("it is there").iter().map(|l| l.only.len()).collect();
    assert_eq!(only, [1, 0]);
}

#[test]
fn further_programs_go_first_and_share_stages() {
    let imported =
        sumo::import("t", input::NET.as_bytes(), [input::PROGRAMS.as_bytes()]).expect("both are well written");
    let t = &imported.spec.junctions[0];
    let ids: Vec<&str> = t.stages.iter().map(|s| s.id.as_str()).collect();
    // The people's stage is only in program "0".
    assert_eq!(ids, ["0", "2", "0/6"]);
    assert_eq!([program(t, 0), program(t, 1)], ["night@53: 0+43 2+13", "0@0: 0+40 2+25 0/6+20"]);
    built(&imported);
}

#[test]
fn a_cityflow_crossroads_keeps_its_phases() {
    let imported = cityflow::import("t", input::ROADNET.as_bytes()).expect("it is well written");
    let network = built(&imported);
    let [c] = &imported.spec.junctions[..] else { panic!("one signal") };
    // Phase 0 shows only the right turns, which every phase shows: a change, no stage. A time of 0 becomes 30 s.
    let stages: Vec<String> = c.stages.iter().map(|s| format!("{}: {}", s.id, s.groups.join(" "))).collect();
    assert_eq!(stages, ["1: 0 2 3 5", "2: 0 1 3 5", "3: 3 4 5"]);
    assert_eq!(program(c, 0), "0@0: 1+30 2+20 3+30");
    // Only the right turn out of the north (5) is shown with what it merges into (2).
    assert_eq!(conflicts(c), ["0 x 4", "1 x 2", "1 x 4", "2 x 4", "5 < 2"]);
    // Lane 1 of CityFlow is the kerb's of two; a road's length ends at the intersection's edge.
    let straight = imported.spec.connections.iter().find(|p| p.from == "wc" && p.to == "ce").expect("a path");
    assert_eq!((straight.from_lane, straight.to_lane, straight.group.as_deref()), (0, 1, Some("0")));
    let west = network.link(network.link_named("wc").expect("it is there"));
    assert!((west.length.get() - 190.0).abs() < 1e-9);
    assert_eq!(west.shape.len(), 3);
    assert!(network.node(west.from).junction.is_none(), "a virtual intersection is a plain node");
    let j = network.junction(network.junction_named("c").expect("it is there"));
    let group = |name| j.group_named(name).expect("a group");
    assert_eq!(j.conflict(group("2"), group("5")), Conflict::Leads);
    assert_eq!(network.connections().values().filter(|c| matches!(c.control, Control::Signal(..))).count(), 8);
}

#[test]
fn sumo_demand_is_routed() {
    let network = built(&sumo(input::NET));
    let all = read(&[input::ROUTES.as_bytes()], &network).expect("most of it can be made");
    let at = |s: f64| {
        let trip = all.demand.trips.iter().find(|t| (t.depart.s() - s).abs() < 1e-9).expect("somebody departs");
        let route: Vec<&str> = trip.route.iter().map(|&l| &*network.link(l).name).collect();
        format!("{:?} {}", trip.class, route.join(" "))
    };
    assert_eq!(at(1.5), "Car w2u u2c c2e");
    assert_eq!(at(100.0), "Car e2c c2s");
    assert!(all.demand.trips.iter().any(|t| t.class == VehicleClass::Bus && t.depart.ms() == 60_000));
    // Cars cannot turn right from their lane; nobody knows the moon.
    assert_eq!(all.left_out, 2, "{:?}", all.notes);
    assert!(all.notes.iter().any(|n| n.contains("lost")) && all.notes.iter().any(|n| n.contains("unknown")));
    let in_window = |from: f64, to: f64| all.demand.trips.iter().filter(|t| (from..to).contains(&t.depart.s())).count();
    // Four at 100, 125, 150, 175; the rest of that window comes by chance, one every other second.
    let by_chance = all.demand.trips.len() - 3 - 4 - 2;
    assert!((430..570).contains(&by_chance), "{by_chance}");
    assert!(in_window(200.0, 1000.0) > 330);
    assert!(all.demand.trips.windows(2).all(|p| p[0].depart <= p[1].depart));
    assert_eq!(read(&[input::ROUTES.as_bytes()], &network).expect("again"), all, "the same file is the same demand");
}

#[test]
fn cityflow_demand_is_routed() {
    let network = built(&cityflow::import("t", input::ROADNET.as_bytes()).expect("it is well written"));
    let all = read(&[input::FLOW.as_bytes()], &network).expect("most of it can be made");
    let told: Vec<String> = all.demand.trips.iter().map(|t| format!("{} {:?}", t.depart.s(), t.class)).collect();
    assert_eq!(told, ["0 Car", "7 Truck", "10 Car", "20 Car"]);
    assert_eq!(all.left_out, 1);
    let none = read(&[input::FLOW.replace("\"wc\"", "\"?\"").replace("\"nc\"", "\"?\"").as_bytes()], &network);
    assert!(none.expect_err("nobody can travel").to_string().starts_with("none of 5 trips can be made"));
}

#[test]
fn sensors_are_laid_out_along_chopped_approaches() {
    let network = built(&sumo(input::NET));
    let full = layout(&network, Layout::Full);
    assert!(Sensors::build(&full, &network).is_ok());
    let ids: Vec<&str> = full.sensors.iter().map(|s| s.id.as_str()).collect();
    // The west approach is 90 m, then a stub of 0.1 m and the side road beyond the node without a signal.
    for id in ["loop/u2c/0/0", "loop/u2c/1/0", "loop/u2c/1/60", "loop/e2c/0/60", "cam/u2c", "cam/n2u", "cam/w2u"] {
        assert!(ids.contains(&id), "{id} in {ids:?}");
    }
    let view = |id: &str| full.sensors.iter().find(|s| s.id == id).map(|s| s.range_m);
    assert_eq!((view("cam/e2c"), view("cam/u2c"), view("cam/n2u")), (Some(190.0), Some(90.0), Some(90.0)));
    // Who sets out at the start of a road shall pass its upstream loop: on 65 m it lies 55 m before the line.
    let short = built(&sumo(&input::NET.replace("length=\"190.00\"", "length=\"65.00\"")));
    let shorter = layout(&short, Layout::Full).sensors;
    assert!(shorter.iter().any(|s| s.id == "loop/e2c/0/55"), "{shorter:?}");
    let loops = layout(&network, Layout::Loops);
    assert_eq!(loops.sensors.len(), ids.iter().filter(|id| id.starts_with("loop/")).count());
    // Where no approach is longer than a camera sees, it sees who comes; else a loop tells, where he has picked up speed.
    assert_eq!(layout(&network, Layout::Entries), full);
    let long = built(&sumo(&input::NET.replace("length=\"190.00\"", "length=\"400.00\"")));
    let more = layout(&long, Layout::Entries).sensors;
    let full = layout(&long, Layout::Full).sensors;
    let entries: Vec<&str> = more.iter().filter(|s| !full.contains(s)).map(|s| s.id.as_str()).collect();
    assert_eq!(entries, ["loop/e2c/0/360", "loop/s2c/0/360"]);
}

#[test]
fn refusals_name_element_field_value_and_limit() {
    let net = |from: &str, to: &str| {
        let text = input::NET.replacen(from, to, 1);
        sumo::import("t", text.as_bytes(), std::iter::empty::<&[u8]>()).expect_err("it is wrong").to_string()
    };
    let roadnet = |from: &str, to: &str| {
        cityflow::import("t", input::ROADNET.replacen(from, to, 1).as_bytes()).expect_err("it is wrong").to_string()
    };
    let rows = [
        (net("length=\"190.00\"", "length=\"-5\""), "<lane> length \"-5\" is not a number from 0 to 1000000"),
        (net("speed=\"8.33\"", "speed=\"NaN\""), "<lane> speed \"NaN\" is not a number from 0 to 1000"),
        (net("fromLane=\"0\"", "fromLane=\"99\""), "<connection> fromLane \"99\" is not a whole number from 0 to 63"),
        (net("state=\"GgsrGGr\"", "state=\"GgsrGG?\""), "<phase> state \"?\" is not one of r u g G y Y s o O"),
        (net(" from=\"w\"", ""), "<edge> has no from"),
        (net("<net ", "<map "), "byte"),
        (net("</net>", ""), "the file ends inside an element"),
        (roadnet("\"maxSpeed\": 11.1", "\"maxSpeed\": -1"), "lanes.maxSpeed -1 is not within 0.5 to 70"),
        (roadnet("\"startLaneIndex\": 1", "\"startLaneIndex\": 2"), "startLaneIndex 2 is not within 0 to 1"),
        (roadnet("\"go_straight\"", "\"fly\""), "roadLinks.type names \"fly\""),
        (
            roadnet("\"availableRoadLinks\": [3, 5]", "\"availableRoadLinks\": [9]"),
            "availableRoadLinks 9 is not within 0 to 5",
        ),
        (roadnet("\"startIntersection\": \"w\"", "\"startIntersection\": \"?\""), "startIntersection names \"?\""),
        (roadnet("\"width\": 10", "\"width\": \"ten\""), "line"),
    ];
    for (said, expected) in rows {
        assert!(said.contains(expected), "{said} lacks {expected}");
    }
    let deep = format!("<net>{}", "<a>".repeat(100));
    let said = sumo::import("t", deep.as_bytes(), std::iter::empty::<&[u8]>()).expect_err("it is too deep").to_string();
    assert!(said.contains("deeper than 64"), "{said}");
    let network = built(&sumo(input::NET));
    let crowd = r#"<routes><flow id="f" begin="0" end="86400" period="exp(1000)" from="e2c" to="c2w"/></routes>"#;
    let said = read(&[crowd.as_bytes()], &network).expect_err("a crowd").to_string();
    assert!(said.contains("at most 5000000"), "{said}");
}

//! A junction drawn in one line, for this room's tests.

use crate::ids::{Id, LaneId, MovementId, Table};
use crate::network::limits::Limits;
use crate::network::spec::{
    ConflictKind, ConflictSpec, ConnectionSpec, FORMAT, GroupKind, GroupSpec, IntergreenSpec, JunctionSpec, LaneSpec,
    Level, LimitSpec, LinkSpec, NetworkSpec, NodeSpec, OrderSpec, ProgramSpec, Side, SplitSpec, StageSpec, Turn,
};
use crate::network::{Network, Origin};
use crate::units::VehPerHour;

/// A junction with approaches of so many lanes; approach `i` is stream `i`, has group `i` and an exit of its own. Yellow
/// takes 3 s, all-red 2 s.
#[derive(Clone, Copy)]
pub(super) struct Star<'a> {
    pub(super) lanes: &'a [usize],
    /// Groups never green together.
    pub(super) conflicts: &'a [(usize, usize)],
    /// Groups of which the first gives way to the second.
    pub(super) yields: &'a [(usize, usize)],
    pub(super) stages: &'a [&'a [usize]],
    pub(super) intergreens: &'a [(usize, usize, f64)],
    pub(super) min_green_s: f64,
    pub(super) max_red_s: f64,
}

impl Star<'_> {
    pub(super) const PLAIN: Star<'static> = Star {
        lanes: &[],
        conflicts: &[],
        yields: &[],
        stages: &[],
        intergreens: &[],
        min_green_s: 5.0,
        max_red_s: 150.0,
    };

    pub(super) fn network(&self) -> Network {
        let node = |id: String, x: f64, junction: Option<&str>| NodeSpec {
            id,
            x,
            y: 0.0,
            junction: junction.map(str::to_owned),
            zone: None,
        };
        let mut spec = world(vec![node("middle".into(), 0.0, Some("star"))]);
        for (i, &lanes) in self.lanes.iter().enumerate() {
            spec.nodes.push(node(format!("from {i}"), -500.0, None));
            spec.nodes.push(node(format!("to {i}"), 500.0, None));
            spec.links.push(link(&format!("in {i}"), &format!("from {i}"), "middle", 500.0, lanes));
            spec.links.push(link(&format!("out {i}"), "middle", &format!("to {i}"), 500.0, lanes));
            let paths = (0..lanes).map(|lane| path(&format!("in {i}"), &format!("out {i}"), lane, Some(i)));
            spec.connections.extend(paths);
        }
        spec.junctions.push(self.junction("star"));
        Network::build(spec, &Limits::default()).expect("the test draws a sound world")
    }

    pub(super) fn junction(&self, id: &str) -> JunctionSpec {
        let limit = |s: f64| Some(LimitSpec { s, origin: Origin::Site });
        let group = |i: usize| GroupSpec {
            id: i.to_string(),
            kind: GroupKind::Vehicle,
            min_green: limit(self.min_green_s),
            max_red: limit(self.max_red_s),
            change: limit(3.0),
            all_red: limit(2.0),
            turn_on_red: false,
        };
        let conflict = |&(a, b): &(usize, usize), kind| ConflictSpec { a: a.to_string(), b: b.to_string(), kind };
        let owed = |&(from, to, s): &(usize, usize, f64)| IntergreenSpec {
            from: from.to_string(),
            to: to.to_string(),
            s,
            origin: Origin::Site,
        };
        let stage = |(i, groups): (usize, &&[usize])| StageSpec {
            id: i.to_string(),
            groups: groups.iter().map(usize::to_string).collect(),
            max_s: None,
            skippable: false,
        };
        let split = |i: usize| SplitSpec { stage: i.to_string(), s: 30.0 };
        JunctionSpec {
            id: id.into(),
            groups: (0..self.lanes.len()).map(group).collect(),
            conflicts: self
                .conflicts
                .iter()
                .map(|pair| conflict(pair, ConflictKind::Never))
                .chain(self.yields.iter().map(|pair| conflict(pair, ConflictKind::Yields)))
                .collect(),
            intergreens: self.intergreens.iter().map(owed).collect(),
            stages: self.stages.iter().enumerate().map(stage).collect(),
            order: OrderSpec::Free,
            programs: vec![ProgramSpec {
                id: "even".into(),
                offset_s: 0.0,
                splits: (0..self.stages.len()).map(split).collect(),
            }],
        }
    }
}

pub(super) fn world(nodes: Vec<NodeSpec>) -> NetworkSpec {
    NetworkSpec {
        format: FORMAT.into(),
        name: "test".into(),
        source: String::new(),
        drive_on: Side::Right,
        utc_offset_min: 0,
        origin: None,
        partition_level: Level::City,
        zones: Vec::new(),
        nodes,
        links: Vec::new(),
        connections: Vec::new(),
        crossings: Vec::new(),
        junctions: Vec::new(),
    }
}

pub(super) fn link(id: &str, from: &str, to: &str, length_m: f64, lanes: usize) -> LinkSpec {
    LinkSpec {
        id: id.into(),
        from: from.into(),
        to: to.into(),
        length_m,
        speed_mps: 12.5,
        lanes: vec![LaneSpec::default(); lanes],
        shape: Vec::new(),
        grade: 0.0,
        name: String::new(),
    }
}

pub(super) fn path(from: &str, to: &str, lane: usize, group: Option<usize>) -> ConnectionSpec {
    ConnectionSpec {
        from: from.into(),
        from_lane: lane as u8,
        to: to.into(),
        to_lane: lane as u8,
        turn: Turn::Straight,
        length_m: 10.0,
        group: group.map(|g| g.to_string()),
        gives_way: false,
    }
}

/// Demand by movement; movements of a star are in the order of its streams.
pub(super) fn flows(network: &Network, flows: &[f64]) -> Table<MovementId, VehPerHour> {
    let flow = |id: MovementId| VehPerHour::constant(flows[id.index()]);
    network.movements().ids().map(flow).collect()
}

/// 1 800 veh/h from every lane.
pub(super) fn saturation(network: &Network) -> Table<LaneId, VehPerHour> {
    Table::filled(VehPerHour::constant(1800.0), network.lanes().len())
}

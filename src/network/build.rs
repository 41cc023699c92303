//! From a network file to a network: the one door, and every fault at once.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::build_signals::junctions;
use super::limits::Limits;
use super::spec::{ConnectionSpec, FORMAT, LinkSpec, NetworkSpec, ZoneSpec};
use super::{
    Connection, Control, Crossing, Fault, Lane, Level, Link, Movement, Network, Node, Partition, Place, Point, Zone,
    reach, zone,
};
use crate::ids::{
    ConnectionId, CrossingId, GroupId, Id, JunctionId, LaneId, LinkId, MovementId, NodeId, Table, ZoneId,
};
use crate::time::Span;
use crate::units::{Metres, MetresPerSecond};

/// Faults as they are found.
#[derive(Debug, Default)]
pub(super) struct Faults(pub(super) Vec<Fault>);

impl Faults {
    pub(super) fn range(&mut self, place: &Place, field: &'static str, value: f64, min: f64, max: f64) -> f64 {
        if (min..=max).contains(&value) {
            return value;
        }
        self.0.push(Fault::Range { place: place.clone(), field, value, min, max });
        min
    }

    pub(super) fn find<T: Copy>(
        &mut self,
        names: &BTreeMap<Box<str>, T>,
        place: &Place,
        field: &'static str,
        name: &str,
    ) -> Option<T> {
        let found = names.get(name).copied();
        if found.is_none() {
            self.0.push(Fault::Unknown { place: place.clone(), field, name: name.to_owned() });
        }
        found
    }

    pub(super) fn contradiction(&mut self, place: &Place, why: impl Into<String>) {
        self.0.push(Fault::Contradiction { place: place.clone(), why: why.into() });
    }
}

/// Gives each name its id; the second use of a name is a fault.
fn name_all<'a, I: Id>(
    names: impl Iterator<Item = &'a str>,
    table: &'static str,
    faults: &mut Faults,
) -> BTreeMap<Box<str>, I> {
    let mut ids = BTreeMap::new();
    for (row, name) in names.enumerate() {
        if ids.insert(name.into(), I::of(row)).is_some() {
            faults.0.push(Fault::Repeated { place: Place::new(table, row, name), name: name.to_owned() });
        }
    }
    ids
}

impl Network {
    /// Builds the network a file describes, under the limits its site or benchmark prescribes.
    ///
    /// # Errors
    /// Every fault of the file at once.
    pub fn build(mut spec: NetworkSpec, limits: &Limits) -> Result<Self, Vec<Fault>> {
        let mut faults = Faults::default();
        if spec.format != FORMAT {
            faults.0.push(Fault::Format { found: spec.format.clone(), expected: FORMAT });
        }
        limits.apply(&mut spec);
        if spec.zones.is_empty() {
            spec.zones.push(ZoneSpec { id: spec.name.clone(), level: Level::City, parent: None });
        }
        let (zones, zone_names) = zones(&spec, &mut faults);
        if zones.is_empty() || !faults.0.is_empty() {
            return Err(faults.0);
        }
        order_by_partition(&mut spec, &zones, &zone_names);
        let hash = Sha256::digest(serde_json::to_vec(&(&spec, limits)).unwrap_or_default()).into();

        let node_names = name_all::<NodeId>(spec.nodes.iter().map(|n| n.id.as_str()), "nodes", &mut faults);
        let link_names = name_all::<LinkId>(spec.links.iter().map(|l| l.id.as_str()), "links", &mut faults);
        let junction_names =
            name_all::<JunctionId>(spec.junctions.iter().map(|j| j.id.as_str()), "junctions", &mut faults);
        name_all::<CrossingId>(spec.crossings.iter().map(|c| c.id.as_str()), "crossings", &mut faults);
        let mut nodes = nodes(&spec, &zone_names, &junction_names, &mut faults);
        let (links, mut lanes) = links(&spec, &node_names, &nodes, &mut faults);
        if !faults.0.is_empty() {
            return Err(faults.0); // what follows walks from row to row, so every name must lead somewhere
        }
        for (id, link) in links.iter() {
            nodes[link.from].outgoing.push(id);
            nodes[link.to].incoming.push(id);
        }
        let group_names: Vec<BTreeMap<Box<str>, GroupId>> = spec
            .junctions
            .iter()
            .map(|j| name_all(j.groups.iter().map(|g| g.id.as_str()), "groups", &mut faults))
            .collect();
        let (connections, movements) =
            connections(&spec, &link_names, &links, &nodes, &group_names, &mut lanes, &mut faults);
        let crossings = crossings(&spec, &node_names, &nodes, &link_names, &group_names, &mut faults);
        let mut movements_at = Table::filled(Vec::new(), links.len());
        for (id, movement) in movements.iter() {
            movements_at[movement.from].push(id);
        }
        let roads =
            Roads { nodes: &nodes, links: &links, lanes: &lanes, connections: &connections, crossings: &crossings };
        let junctions = junctions(&spec, &roads, &group_names, limits.benchmark, &mut faults);
        if !faults.0.is_empty() {
            return Err(faults.0);
        }
        let reaches = reach::reaches(&links, &lanes, &connections);
        let level = spec.partition_level;
        let partitions = partitions(&zones, level, &nodes, &links, &junctions);
        Ok(Self {
            name: spec.name.into(),
            hash,
            benchmark: limits.benchmark,
            drive_on: spec.drive_on,
            utc_offset: Span::from_s(i64::from(spec.utc_offset_min) * 60),
            origin: spec.origin,
            nodes,
            links,
            lanes,
            connections,
            movements,
            movements_at,
            crossings,
            junctions,
            zones,
            partitions,
            reaches,
            link_names,
            junction_names,
            zone_names,
        })
    }
}

/// The road tables, for whoever builds upon them.
pub(super) struct Roads<'a> {
    pub(super) nodes: &'a Table<NodeId, Node>,
    pub(super) links: &'a Table<LinkId, Link>,
    pub(super) lanes: &'a Table<LaneId, Lane>,
    pub(super) connections: &'a Table<ConnectionId, Connection>,
    pub(super) crossings: &'a Table<CrossingId, Crossing>,
}

fn zones(spec: &NetworkSpec, faults: &mut Faults) -> (Table<ZoneId, Zone>, BTreeMap<Box<str>, ZoneId>) {
    let names = name_all::<ZoneId>(spec.zones.iter().map(|z| z.id.as_str()), "zones", faults);
    let mut zones = Table::new();
    for (row, z) in spec.zones.iter().enumerate() {
        let place = Place::new("zones", row, &z.id);
        let parent = z.parent.as_ref().and_then(|p| faults.find(&names, &place, "parent", p));
        match parent.map(|p| spec.zones[p.index()].level) {
            None if z.level != Level::City && z.parent.is_none() => {
                faults.0.push(Fault::Missing { place, field: "parent" })
            }
            // A strictly higher parent also keeps the tree free of loops.
            Some(above) if above >= z.level => {
                faults.contradiction(&place, format!("its parent is a {above:?}, which is not above a {:?}", z.level))
            }
            _ => {}
        }
        zones.push(Zone { name: z.id.as_str().into(), level: z.level, parent });
    }
    let cities = zones.values().filter(|z| z.level == Level::City).count();
    if cities != 1 {
        faults.contradiction(
            &Place::new("zones", 0, ""),
            format!("{cities} zones of level city; there must be exactly one"),
        );
    }
    (zones, names)
}

/// The zone whose partition `zone` belongs to: its ancestor at `level`, or the lowest above that.
fn partition_of(zones: &Table<ZoneId, Zone>, level: Level, of: ZoneId) -> ZoneId {
    zone::ancestors(zones, of).find(|&z| zones[z].level <= level).unwrap_or(of)
}

fn city(zones: &Table<ZoneId, Zone>) -> ZoneId {
    zones.iter().find(|(_, z)| z.level == Level::City).map_or(ZoneId::of(0), |(id, _)| id)
}

/// Sorts the rows so that each partition's are consecutive; within one they keep the file's order.
fn order_by_partition(spec: &mut NetworkSpec, zones: &Table<ZoneId, Zone>, names: &BTreeMap<Box<str>, ZoneId>) {
    let city = city(zones);
    let level = spec.partition_level;
    let partition = |zone: &Option<String>| {
        let zone = zone.as_ref().and_then(|z| names.get(z.as_str()).copied()).unwrap_or(city);
        partition_of(zones, level, zone)
    };
    spec.nodes.sort_by_key(|n| partition(&n.zone));
    let of_node: BTreeMap<&str, ZoneId> = spec.nodes.iter().map(|n| (n.id.as_str(), partition(&n.zone))).collect();
    let of_junction: BTreeMap<&str, ZoneId> =
        spec.nodes.iter().rev().filter_map(|n| Some((n.junction.as_deref()?, partition(&n.zone)))).collect();
    spec.links.sort_by_key(|l| of_node.get(l.to.as_str()).copied());
    spec.junctions.sort_by_key(|j| of_junction.get(j.id.as_str()).copied());
}

fn partitions(
    zones: &Table<ZoneId, Zone>,
    level: Level,
    nodes: &Table<NodeId, Node>,
    links: &Table<LinkId, Link>,
    junctions: &Table<JunctionId, super::Junction>,
) -> Vec<Partition> {
    let of = |zone: ZoneId| partition_of(zones, level, zone);
    let mut present: Vec<ZoneId> = nodes.values().map(|n| of(n.zone)).collect();
    present.dedup();
    // Rows are sorted by partition, so each one's range ends where the next begins.
    fn range<I: Id, T>(table: &Table<I, T>, key: impl Fn(&T) -> ZoneId, zone: ZoneId) -> std::ops::Range<I> {
        let rows = table.slice(&(I::of(0)..I::of(table.len())));
        I::of(rows.partition_point(|row| key(row) < zone))..I::of(rows.partition_point(|row| key(row) <= zone))
    }
    present
        .into_iter()
        .map(|zone| {
            let links_in = range(links, |l| of(l.zone), zone);
            let lane = |link: LinkId| {
                links.get(link).map_or_else(
                    || LaneId::of(links.values().last().map_or(0, |l| l.lanes.end.index())),
                    |l| l.lanes.start,
                )
            };
            Partition {
                zone,
                nodes: range(nodes, |n| of(n.zone), zone),
                lanes: lane(links_in.start)..lane(links_in.end),
                links: links_in,
                junctions: range(junctions, |j| of(j.zone), zone),
            }
        })
        .collect()
}

fn nodes(
    spec: &NetworkSpec,
    zone_names: &BTreeMap<Box<str>, ZoneId>,
    junction_names: &BTreeMap<Box<str>, JunctionId>,
    faults: &mut Faults,
) -> Table<NodeId, Node> {
    let mut zones = Table::new();
    for z in &spec.zones {
        zones.push(Zone { name: z.id.as_str().into(), level: z.level, parent: None });
    }
    let city = city(&zones);
    let rows = spec.nodes.iter().enumerate().map(|(row, n)| {
        let place = Place::new("nodes", row, &n.id);
        let coordinate = 1e7;
        let position = Point {
            x: faults.range(&place, "x", n.x, -coordinate, coordinate),
            y: faults.range(&place, "y", n.y, -coordinate, coordinate),
        };
        Node {
            name: n.id.as_str().into(),
            position,
            junction: n.junction.as_ref().and_then(|j| faults.find(junction_names, &place, "junction", j)),
            zone: n.zone.as_ref().and_then(|z| faults.find(zone_names, &place, "zone", z)).unwrap_or(city),
            incoming: Vec::new(),
            outgoing: Vec::new(),
        }
    });
    rows.collect()
}

fn links(
    spec: &NetworkSpec,
    node_names: &BTreeMap<Box<str>, NodeId>,
    nodes: &Table<NodeId, Node>,
    faults: &mut Faults,
) -> (Table<LinkId, Link>, Table<LaneId, Lane>) {
    let (mut links, mut lanes) = (Table::new(), Table::new());
    for (row, l) in spec.links.iter().enumerate() {
        let place = Place::new("links", row, &l.id);
        let from = faults.find(node_names, &place, "from", &l.from);
        let to = faults.find(node_names, &place, "to", &l.to);
        faults.range(&place, "lanes", l.lanes.len() as f64, 1.0, 16.0);
        let length = faults.range(&place, "length_m", l.length_m, 0.1, 100_000.0);
        let speed = faults.range(&place, "speed_mps", l.speed_mps, 0.5, 70.0);
        let grade = faults.range(&place, "grade", l.grade, -0.3, 0.3);
        for &[x, y] in &l.shape {
            faults.range(&place, "shape", x.abs().max(y.abs()), 0.0, 1e7);
        }
        let (Some(from), Some(to)) = (from, to) else { continue };
        let first = LaneId::of(lanes.len());
        for (index, lane) in l.lanes.iter().enumerate() {
            let only = lane.only.iter().copied().collect();
            let none = ConnectionId::of(0)..ConnectionId::of(0);
            lanes.push(Lane { link: LinkId::of(row), index: index as u8, only, exits: none, entries: Vec::new() });
        }
        links.push(Link {
            name: l.id.as_str().into(),
            road: l.name.as_str().into(),
            from,
            to,
            length: Metres::constant(length),
            speed: MetresPerSecond::constant(speed),
            grade,
            lanes: first..LaneId::of(lanes.len()),
            zone: nodes[to].zone,
            shape: shape(l, nodes[from].position, nodes[to].position),
        });
    }
    (links, lanes)
}

fn shape(l: &LinkSpec, from: Point, to: Point) -> Vec<Point> {
    let between = l.shape.iter().map(|&[x, y]| Point { x, y });
    std::iter::once(from).chain(between).chain(std::iter::once(to)).collect()
}

fn connections(
    spec: &NetworkSpec,
    link_names: &BTreeMap<Box<str>, LinkId>,
    links: &Table<LinkId, Link>,
    nodes: &Table<NodeId, Node>,
    group_names: &[BTreeMap<Box<str>, GroupId>],
    lanes: &mut Table<LaneId, Lane>,
    faults: &mut Faults,
) -> (Table<ConnectionId, Connection>, Table<MovementId, Movement>) {
    let mut found: Vec<(LaneId, LaneId, &ConnectionSpec, Control)> = Vec::new();
    for (row, c) in spec.connections.iter().enumerate() {
        let place = Place::new("connections", row, &format!("{}_{} > {}_{}", c.from, c.from_lane, c.to, c.to_lane));
        let from = faults.find(link_names, &place, "from", &c.from);
        let to = faults.find(link_names, &place, "to", &c.to);
        faults.range(&place, "length_m", c.length_m, 0.0, 500.0);
        let (Some(from), Some(to)) = (from, to) else { continue };
        if links[from].to != links[to].from {
            faults.contradiction(&place, "its links do not meet at a node");
            continue;
        }
        let mut lane = |field, link: LinkId, index: u8| {
            let count = links[link].lane_count();
            faults.range(&place, field, f64::from(index), 0.0, count as f64 - 1.0);
            LaneId::of(links[link].lanes.start.index() + usize::from(index).min(count - 1))
        };
        let (from_lane, to_lane) = (lane("from_lane", from, c.from_lane), lane("to_lane", to, c.to_lane));
        let control = match (&c.group, nodes[links[from].to].junction) {
            (Some(group), Some(junction)) => {
                match faults.find(&group_names[junction.index()], &place, "group", group) {
                    Some(group) => Control::Signal(junction, group),
                    None => continue,
                }
            }
            (Some(_), None) => {
                faults.contradiction(&place, "it has a group, but its node has no junction");
                continue;
            }
            (None, _) if c.gives_way => Control::GivesWay,
            (None, _) => Control::Free,
        };
        found.push((from_lane, to_lane, c, control));
    }
    found.sort_by_key(|&(from, to, ..)| (from, to));
    if let Some(pair) = found.windows(2).find(|pair| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1)) {
        let name = format!("{}_{} > {}_{}", pair[0].2.from, pair[0].2.from_lane, pair[0].2.to, pair[0].2.to_lane);
        faults.0.push(Fault::Repeated { place: Place::new("connections", 0, &name), name });
    }
    let (mut connections, mut movements) = (Table::new(), Table::<MovementId, Movement>::new());
    let mut by_ends: BTreeMap<(LinkId, LinkId), MovementId> = BTreeMap::new();
    for (from, to, c, control) in found {
        let ends = (lanes[from].link, lanes[to].link);
        let movement = *by_ends.entry(ends).or_insert_with(|| {
            movements.push(Movement {
                node: links[ends.0].to,
                from: ends.0,
                to: ends.1,
                turn: c.turn,
                connections: Vec::new(),
            })
        });
        let length = Metres::constant(c.length_m.clamp(0.0, 500.0));
        let id = connections.push(Connection { from, to, movement, length, control });
        movements[movement].connections.push(id);
        lanes[to].entries.push(id);
        let exits = &mut lanes[from].exits;
        *exits = if exits.is_empty() {
            id..ConnectionId::of(id.index() + 1)
        } else {
            exits.start..ConnectionId::of(id.index() + 1)
        };
    }
    (connections, movements)
}

fn crossings(
    spec: &NetworkSpec,
    node_names: &BTreeMap<Box<str>, NodeId>,
    nodes: &Table<NodeId, Node>,
    link_names: &BTreeMap<Box<str>, LinkId>,
    group_names: &[BTreeMap<Box<str>, GroupId>],
    faults: &mut Faults,
) -> Table<CrossingId, Crossing> {
    let mut crossings = Table::new();
    for (row, c) in spec.crossings.iter().enumerate() {
        let place = Place::new("crossings", row, &c.id);
        let length = Metres::constant(faults.range(&place, "length_m", c.length_m, 0.5, 100.0));
        let crosses = c.crosses.iter().filter_map(|l| faults.find(link_names, &place, "crosses", l)).collect();
        let Some(node) = faults.find(node_names, &place, "node", &c.node) else { continue };
        let group = match (&c.group, nodes[node].junction) {
            (None, _) => None,
            (Some(group), Some(junction)) => {
                faults.find(&group_names[junction.index()], &place, "group", group).map(|g| (junction, g))
            }
            (Some(_), None) => {
                faults.contradiction(&place, "it has a group, but its node has no junction");
                None
            }
        };
        crossings.push(Crossing { name: c.id.as_str().into(), node, length, crosses, group });
    }
    crossings
}

//! The fixed world: roads, turns, signals, zones and sensors. Immutable once built.
//!
//! A file is parsed into a [`NetworkSpec`]; [`Network::build`] is the one door from there. Ids are dense and ordered by
//! partition, so that a partition's nodes, links, lanes and junctions are ranges of them.

mod build;
mod build_signals;
pub mod compose;
mod fault;
pub mod import;
pub mod junction;
pub mod layout;
pub mod limits;
pub mod reach;
pub mod road;
pub mod route;
pub mod rules;
pub mod sensor;
pub mod spec;
#[cfg(test)]
mod tests;
pub mod zone;

use std::collections::BTreeMap;
use std::ops::Range;

pub use fault::{Fault, Place};
pub use junction::{Conflict, Junction, Limit, Program, SignalGroup, Stage};
pub use road::{Classes, Connection, Control, Crossing, Lane, Link, Movement, Node, Point};
pub use sensor::{Sensor, SensorKind, Sensors};
pub use spec::{GroupKind, LatLon, Level, NetworkSpec, Origin, Side, Turn, VehicleClass};
pub use zone::Zone;

use crate::ids::{ConnectionId, CrossingId, Id, JunctionId, LaneId, LinkId, MovementId, NodeId, Table, ZoneId, span};
use crate::time::Span;

/// The fixed world.
#[derive(Debug, Clone)]
pub struct Network {
    name: Box<str>,
    hash: [u8; 32],
    benchmark: bool,
    drive_on: Side,
    utc_offset: Span,
    origin: Option<LatLon>,
    nodes: Table<NodeId, Node>,
    links: Table<LinkId, Link>,
    lanes: Table<LaneId, Lane>,
    connections: Table<ConnectionId, Connection>,
    movements: Table<MovementId, Movement>,
    movements_at: Table<LinkId, Vec<MovementId>>,
    crossings: Table<CrossingId, Crossing>,
    junctions: Table<JunctionId, Junction>,
    zones: Table<ZoneId, Zone>,
    partitions: Vec<Partition>,
    reaches: Table<LaneId, Vec<reach::Segment>>,
    link_names: BTreeMap<Box<str>, LinkId>,
    junction_names: BTreeMap<Box<str>, JunctionId>,
    zone_names: BTreeMap<Box<str>, ZoneId>,
}

/// A part of the network with one writer: consecutive ids of everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Partition {
    /// The zone it is; for what lies in no zone of the partition level, the zone above.
    pub zone: ZoneId,
    /// Its nodes.
    pub nodes: Range<NodeId>,
    /// The links that lead to them.
    pub links: Range<LinkId>,
    /// The lanes of those.
    pub lanes: Range<LaneId>,
    /// The junctions at its nodes.
    pub junctions: Range<JunctionId>,
}

impl Network {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the file it was built from: what every log, snapshot and plan carries.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Whether its limits are a benchmark's, which no street would allow.
    pub fn is_benchmark(&self) -> bool {
        self.benchmark
    }

    /// The side of the road traffic keeps to.
    pub fn drive_on(&self) -> Side {
        self.drive_on
    }

    /// Local calendar time minus UTC.
    pub fn utc_offset(&self) -> Span {
        self.utc_offset
    }

    /// Where (0, 0) lies, if it is known.
    pub fn origin(&self) -> Option<LatLon> {
        self.origin
    }

    /// Every vertex.
    pub fn nodes(&self) -> &Table<NodeId, Node> {
        &self.nodes
    }

    /// Every directed road.
    pub fn links(&self) -> &Table<LinkId, Link> {
        &self.links
    }

    /// Every lane.
    pub fn lanes(&self) -> &Table<LaneId, Lane> {
        &self.lanes
    }

    /// Every lane-to-lane path.
    pub fn connections(&self) -> &Table<ConnectionId, Connection> {
        &self.connections
    }

    /// Every approach × exit.
    pub fn movements(&self) -> &Table<MovementId, Movement> {
        &self.movements
    }

    /// The movements that leave `link`.
    pub fn movements_from(&self, link: LinkId) -> &[MovementId] {
        &self.movements_at[link]
    }

    /// Every pedestrian crossing.
    pub fn crossings(&self) -> &Table<CrossingId, Crossing> {
        &self.crossings
    }

    /// Every signal.
    pub fn junctions(&self) -> &Table<JunctionId, Junction> {
        &self.junctions
    }

    /// Every zone.
    pub fn zones(&self) -> &Table<ZoneId, Zone> {
        &self.zones
    }

    /// The partitions, in the order of their ids.
    pub fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    /// A vertex.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// A directed road.
    pub fn link(&self, id: LinkId) -> &Link {
        &self.links[id]
    }

    /// A lane.
    pub fn lane(&self, id: LaneId) -> &Lane {
        &self.lanes[id]
    }

    /// A signal.
    pub fn junction(&self, id: JunctionId) -> &Junction {
        &self.junctions[id]
    }

    /// The link of that name.
    pub fn link_named(&self, name: &str) -> Option<LinkId> {
        self.link_names.get(name).copied()
    }

    /// The junction of that name.
    pub fn junction_named(&self, name: &str) -> Option<JunctionId> {
        self.junction_names.get(name).copied()
    }

    /// The zone of that name.
    pub fn zone_named(&self, name: &str) -> Option<ZoneId> {
        self.zone_names.get(name).copied()
    }

    /// The lane of `link` that is `index` lanes from the kerb.
    pub fn lane_of(&self, link: LinkId, index: u8) -> Option<LaneId> {
        let link = self.links.get(link)?;
        (usize::from(index) < link.lane_count()).then(|| LaneId::of(link.lanes.start.index() + usize::from(index)))
    }

    /// The signal at the end of `link`, if there is one.
    pub fn junction_at_end(&self, link: LinkId) -> Option<JunctionId> {
        self.nodes[self.links[link].to].junction
    }

    /// Whether a path turns back without a signal: where a road does nothing else it ends, and who came as far has arrived.
    pub fn turns_back(&self, path: ConnectionId) -> bool {
        let path = &self.connections[path];
        path.control.group().is_none() && self.movements[path.movement].turn == Turn::UTurn
    }

    /// Whether traffic enters the network on a link: nothing leads there but turning back where another ends.
    pub fn is_entrance(&self, link: LinkId) -> bool {
        let ends = |lane: LaneId| span(&self.lanes[lane].exits).all(|path| self.turns_back(path));
        let entries = span(&self.links[link].lanes).flat_map(|lane| &self.lanes[lane].entries);
        entries.into_iter().all(|&path| ends(self.connections[path].from))
    }

    /// The stretch of road that runs up to the stop line of `lane`, the stop line first: the lane itself and, where
    /// approaches are chopped into short links, the lanes that feed it without a signal between.
    pub fn reach(&self, lane: LaneId) -> &[reach::Segment] {
        &self.reaches[lane]
    }
}

//! Roads: nodes, links, lanes, the paths and movements through nodes, and crossings.

use crate::keep::keep;
use std::ops::Range;

use super::spec::{Turn, VehicleClass};
use crate::ids::{ConnectionId, GroupId, JunctionId, LaneId, LinkId, MovementId, NodeId, ZoneId};
use crate::units::{Metres, MetresPerSecond, Seconds};

/// A place in the plane, metres east and north of the network's origin.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// Metres east.
    pub x: f64,
    /// Metres north.
    pub y: f64,
}

keep!(Point { x, y });

impl Point {
    /// The straight distance to `other`.
    pub fn distance(self, other: Self) -> Metres {
        Metres::new((self.x - other.x).hypot(self.y - other.y)).unwrap_or(Metres::ZERO)
    }
}

/// A vertex of the road graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its name outside.
    pub name: Box<str>,
    /// Where it is.
    pub position: Point,
    /// The signal that controls it, if one does.
    pub junction: Option<JunctionId>,
    /// The smallest zone it lies in.
    pub zone: ZoneId,
    /// Links that lead to it.
    pub incoming: Vec<LinkId>,
    /// Links that leave it.
    pub outgoing: Vec<LinkId>,
}

/// A directed road between two nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Its name outside.
    pub name: Box<str>,
    /// The road's own name; empty where it has none.
    pub road: Box<str>,
    /// The node it leaves.
    pub from: NodeId,
    /// The node it leads to.
    pub to: NodeId,
    /// From its start to its stop line.
    pub length: Metres,
    /// Speed limit.
    pub speed: MetresPerSecond,
    /// Rise over run towards `to`.
    pub grade: f64,
    /// Its lanes, kerb side first.
    pub lanes: Range<LaneId>,
    /// The smallest zone it belongs to: that of the node it leads to.
    pub zone: ZoneId,
    /// Its course, both ends included.
    pub shape: Vec<Point>,
}

impl Link {
    /// Length ÷ limit: the time it takes without signals or traffic.
    pub fn free_flow(&self) -> Seconds {
        self.length / self.speed
    }

    /// Number of lanes.
    pub fn lane_count(&self) -> usize {
        use crate::ids::Id;
        self.lanes.end.index() - self.lanes.start.index()
    }
}

/// One lane of a link.
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    /// The link it belongs to.
    pub link: LinkId,
    /// Counted from the kerb, which is 0.
    pub index: u8,
    /// Who may use it.
    pub only: Classes,
    /// The paths that leave it.
    pub exits: Range<ConnectionId>,
    /// The paths that enter it.
    pub entries: Vec<ConnectionId>,
}

/// A set of vehicle classes; empty means everyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Classes(u8);

impl Classes {
    /// Whether a vehicle of `class` may be here. An emergency vehicle may be anywhere but on rails of its own.
    pub fn admit(self, class: VehicleClass) -> bool {
        self.0 == 0
            || self.0 & Self::bit(class) != 0
            || (class == VehicleClass::Emergency && self.0 != Self::bit(VehicleClass::Tram))
    }

    fn bit(class: VehicleClass) -> u8 {
        1 << class as u8
    }
}

impl FromIterator<VehicleClass> for Classes {
    fn from_iter<A: IntoIterator<Item = VehicleClass>>(classes: A) -> Self {
        Self(classes.into_iter().fold(0, |set, class| set | Self::bit(class)))
    }
}

/// A lane-to-lane path through a node. Ids of the paths that leave one lane are consecutive.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// The lane it leaves.
    pub from: LaneId,
    /// The lane it enters.
    pub to: LaneId,
    /// The movement it is part of.
    pub movement: MovementId,
    /// Path inside the node.
    pub length: Metres,
    /// What releases it.
    pub control: Control,
}

/// What releases a path through a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// A signal group.
    Signal(JunctionId, GroupId),
    /// Nothing; it gives way to the other paths through its node.
    GivesWay,
    /// Nothing; it has the right of way.
    Free,
}

impl Control {
    /// The signal group, if one releases the path.
    pub fn group(self) -> Option<(JunctionId, GroupId)> {
        match self {
            Self::Signal(junction, group) => Some((junction, group)),
            Self::GivesWay | Self::Free => None,
        }
    }
}

/// Approach × exit through a node.
#[derive(Debug, Clone, PartialEq)]
pub struct Movement {
    /// The node it passes.
    pub node: NodeId,
    /// The approach.
    pub from: LinkId,
    /// The exit.
    pub to: LinkId,
    /// The turn it makes.
    pub turn: Turn,
    /// Its paths.
    pub connections: Vec<ConnectionId>,
}

/// A pedestrian crossing.
#[derive(Debug, Clone, PartialEq)]
pub struct Crossing {
    /// Its name outside.
    pub name: Box<str>,
    /// The node it is at.
    pub node: NodeId,
    /// Kerb to kerb.
    pub length: Metres,
    /// The links it crosses.
    pub crosses: Vec<LinkId>,
    /// The group that releases it, if a signal does.
    pub group: Option<(JunctionId, GroupId)>,
}

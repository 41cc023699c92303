//! Who gives way to whom: by signal groups, by signs, and by whether two paths through a node meet at all.

use crate::ids::{ConnectionId, CrossingId, Id, NodeId};
use crate::network::{Conflict, Connection, Control, Network, Side};

/// Whom a path has to let pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Foe {
    /// Vehicles on another path.
    Path(u32),
    /// People on a crossing.
    Crossing(u32),
}

/// Lanes of one road are this far apart as seen from the node, radians: enough to tell in from out.
const LANE_ANGLE: f64 = 0.02;

/// A path through a node as a chord of a circle around it.
#[derive(Debug, Clone, Copy)]
struct Chord {
    enters: f64,
    leaves: f64,
}

impl Chord {
    /// Whether `angle` lies on the way counter-clockwise from where it enters to where it leaves.
    fn spans(self, angle: f64) -> bool {
        let turn = std::f64::consts::TAU;
        (angle - self.enters).rem_euclid(turn) < (self.leaves - self.enters).rem_euclid(turn)
    }

    fn crosses(self, other: Self) -> bool {
        self.spans(other.enters) != self.spans(other.leaves)
    }
}

/// The paths and crossings of a network with what is needed to judge them.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    network: &'a Network,
    chords: Vec<Chord>,
    paths_at: Vec<Vec<u32>>,
    crossings_at: Vec<Vec<u32>>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(network: &'a Network) -> Self {
        let mut paths_at = vec![Vec::new(); network.nodes().len()];
        let mut crossings_at = vec![Vec::new(); network.nodes().len()];
        let side = match network.drive_on() {
            Side::Right => LANE_ANGLE,
            Side::Left => -LANE_ANGLE,
        };
        let mut chords = Vec::with_capacity(network.connections().len());
        for (id, connection) in network.connections().iter() {
            let node = node_of(network, connection);
            paths_at[node.index()].push(id.index() as u32);
            let bearing = |link: crate::ids::LinkId, incoming: bool| {
                let link = network.link(link);
                // The first point off the node says where the road leads.
                let mut points: Vec<_> = link.shape.clone();
                if incoming {
                    points.reverse();
                }
                let here = points[0];
                let there = points.iter().find(|p| p.distance(here).get() > 0.5).copied().unwrap_or(here);
                (there.y - here.y).atan2(there.x - here.x)
            };
            let (from, to) = (network.lane(connection.from).link, network.lane(connection.to).link);
            chords.push(Chord { enters: bearing(from, true) + side, leaves: bearing(to, false) - side });
        }
        for (id, crossing) in network.crossings().iter() {
            crossings_at[crossing.node.index()].push(id.index() as u32);
        }
        Self { network, chords, paths_at, crossings_at }
    }

    fn connection(&self, path: u32) -> &Connection {
        &self.network.connections()[ConnectionId::of(path as usize)]
    }

    /// Whether vehicles on the two paths can hit each other.
    fn meet(&self, a: u32, b: u32) -> bool {
        let (one, two) = (self.connection(a), self.connection(b));
        let links = |c: &Connection| (self.network.lane(c.from).link, self.network.lane(c.to).link);
        let ((a_from, a_to), (b_from, b_to)) = (links(one), links(two));
        if a_from == b_from {
            false
        } else if a_to == b_to {
            one.to == two.to
        } else {
            self.chords[a as usize].crosses(self.chords[b as usize])
        }
    }

    /// Whether the path leads over the crossing.
    fn over(&self, path: u32, crossing: u32) -> bool {
        let c = self.connection(path);
        let crosses = &self.network.crossings()[CrossingId::of(crossing as usize)].crosses;
        crosses.contains(&self.network.lane(c.from).link) || crosses.contains(&self.network.lane(c.to).link)
    }

    /// Whom `path` lets pass while its own light is green, or without a light.
    pub(super) fn foes(&self, path: u32) -> Vec<Foe> {
        let mut foes = Vec::new();
        let own = self.connection(path);
        let node = node_of(self.network, own).index();
        for &other in &self.paths_at[node] {
            let leads = match (own.control, self.connection(other).control) {
                (Control::Signal(junction, a), Control::Signal(same, b)) if junction == same => {
                    self.network.junction(junction).conflict(a, b) == Conflict::Yields
                }
                (Control::GivesWay, Control::Free | Control::Signal(..)) => true,
                _ => false,
            };
            if leads && self.meet(path, other) {
                foes.push(Foe::Path(other));
            }
        }
        for &crossing in &self.crossings_at[node] {
            let leads = match (own.control, self.network.crossings()[CrossingId::of(crossing as usize)].group) {
                (_, None) => true,
                (Control::Signal(junction, a), Some((same, b))) => {
                    junction == same && self.network.junction(junction).conflict(a, b) == Conflict::Yields
                }
                (Control::GivesWay | Control::Free, Some(_)) => true,
            };
            if leads && self.over(path, crossing) {
                foes.push(Foe::Crossing(crossing));
            }
        }
        foes
    }

    /// Whom `path` lets pass on red after a stop, or where its light is dark: everyone it meets.
    pub(super) fn foes_on_red(&self, path: u32) -> Vec<Foe> {
        let own = self.connection(path);
        if own.control.group().is_none() {
            return Vec::new();
        }
        let node = node_of(self.network, own).index();
        let others = self.paths_at[node].iter().filter(|&&other| other != path && self.meet(path, other));
        let walks = self.crossings_at[node].iter().filter(|&&crossing| self.over(path, crossing));
        others.map(|&p| Foe::Path(p)).chain(walks.map(|&c| Foe::Crossing(c))).collect()
    }
}

fn node_of(network: &Network, connection: &Connection) -> NodeId {
    network.movements()[connection.movement].node
}

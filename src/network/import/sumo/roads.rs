//! Edges, lanes, paths and crossings of a SUMO network made into ours.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Notes;
use super::read::{Conn, Edge, Net, Node, Permits, Request};
use super::signals::Signals;
use crate::network::spec::{ConnectionSpec, CrossingSpec, LaneSpec, LinkSpec, Turn, VehicleClass};

/// Which rows of a network mean something to us, and how they refer to each other.
pub(super) struct Roads<'a> {
    edges: BTreeMap<&'a str, Drivable>,
    nodes: BTreeMap<&'a str, usize>,
    /// Crossing rows by name.
    pub(super) walks: BTreeMap<&'a str, usize>,
    /// For each node the connections that its requests stand for, by request index; empty where they do not match.
    pub(super) matrices: Vec<Matrix<'a>>,
    /// For each connection its node and its place there; none for one that leads nowhere for us.
    pub(super) paths: Vec<Option<Path>>,
}

/// An edge that vehicles may use.
struct Drivable {
    to: Option<usize>,
    /// For each lane of SUMO's that a vehicle may use: its index there; kerb side first.
    lanes: Vec<usize>,
}

impl Drivable {
    fn lane(&self, index: usize) -> Option<u8> {
        self.lanes.iter().position(|&l| l == index).and_then(|at| u8::try_from(at).ok())
    }
}

/// A path through a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path {
    /// The node's row.
    pub(super) node: usize,
    /// Its request index, where the node's matrix is whole.
    pub(super) request: Option<usize>,
    /// Whether people walk it.
    pub(super) walk: bool,
}

/// Who meets whom at a node.
#[derive(Default)]
pub(super) struct Matrix<'a> {
    /// Connection rows by request index.
    pub(super) links: Vec<usize>,
    /// Requests by index, as many.
    pub(super) requests: Vec<&'a Request>,
}

impl<'a> Matrix<'a> {
    fn new(node: &'a Node, by_lane: &BTreeMap<(&str, usize), Vec<usize>>) -> Self {
        let lane = |id: &'a str| id.rsplit_once('_').and_then(|(edge, lane)| Some((edge, lane.parse().ok()?)));
        let links: Vec<usize> =
            node.inc_lanes.iter().filter_map(|id| by_lane.get(&lane(id)?)).flatten().copied().collect();
        let mut requests: Vec<&Request> = node.requests.iter().collect();
        requests.sort_by_key(|r| r.index);
        let whole = requests.len() == links.len() && requests.iter().enumerate().all(|(at, r)| r.index == at);
        if whole { Self { links, requests } } else { Self::default() }
    }
}

impl<'a> Roads<'a> {
    pub(super) fn new(net: &'a Net, notes: &mut Notes) -> Self {
        let nodes: BTreeMap<&str, usize> = net.nodes.iter().enumerate().map(|(row, n)| (n.id.as_str(), row)).collect();
        let kerb_last = net.lefthand && kerb_last(net);
        let mut edges = BTreeMap::new();
        for edge in &net.edges {
            let mut lanes: Vec<usize> =
                edge.lanes.iter().filter(|l| l.permits != Permits::NoVehicle).map(|l| l.index).collect();
            lanes.sort_unstable();
            if kerb_last {
                lanes.reverse();
            }
            if !lanes.is_empty() {
                edges.insert(edge.id.as_str(), Drivable { to: nodes.get(edge.to.as_str()).copied(), lanes });
            } else {
                notes.add("edges without a lane for vehicles are left out", edge.id.as_str());
            }
        }
        let walks: BTreeMap<&str, usize> =
            net.crossings.iter().enumerate().map(|(row, c)| (c.id.as_str(), row)).collect();
        let mut by_lane: BTreeMap<(&str, usize), Vec<usize>> = BTreeMap::new();
        for (row, c) in net.connections.iter().enumerate() {
            by_lane.entry((c.from.as_str(), c.from_lane)).or_default().push(row);
        }
        let matrices: Vec<Matrix<'_>> = net.nodes.iter().map(|node| Matrix::new(node, &by_lane)).collect();
        let mut request = vec![None; net.connections.len()];
        for matrix in &matrices {
            for (index, &row) in matrix.links.iter().enumerate() {
                request[row] = Some(index);
            }
        }
        let path = |(row, c): (usize, &Conn)| {
            if walks.contains_key(c.to.as_str()) {
                let node = node_of_walk(&c.to).and_then(|n| nodes.get(n).copied())?;
                return Some(Path { node, request: request[row], walk: true });
            }
            let (from, to) = (edges.get(c.from.as_str())?, edges.get(c.to.as_str())?);
            (from.lane(c.from_lane).is_some() && to.lane(c.to_lane).is_some()).then_some(())?;
            Some(Path { node: from.to?, request: request[row], walk: false })
        };
        let paths = net.connections.iter().enumerate().map(path).collect();
        Self { edges, nodes, walks, matrices, paths }
    }

    pub(super) fn links(&self, net: &Net, shift: [f64; 2], notes: &mut Notes) -> Vec<LinkSpec> {
        let link = |edge: &Edge| {
            let drivable = self.edges.get(edge.id.as_str())?;
            let lanes: Vec<_> =
                drivable.lanes.iter().filter_map(|&i| edge.lanes.iter().find(|l| l.index == i)).collect();
            let of_cars = lanes.iter().filter(|l| match &l.permits {
                Permits::Only(classes) => classes.contains(&VehicleClass::Car),
                _ => true,
            });
            let fastest = of_cars.map(|l| l.speed).fold(0.0, f64::max);
            let fastest = if fastest > 0.0 { fastest } else { lanes.iter().map(|l| l.speed).fold(0.0, f64::max) };
            let length = lanes.iter().map(|l| l.length).fold(0.0, f64::max);
            let ends = |s: &Vec<[f64; 3]>| Some(s.last()?[2] - s.first()?[2]);
            let rise = lanes.first().and_then(|l| ends(&l.shape)).unwrap_or(0.0);
            let inner = edge.shape.len().saturating_sub(2);
            Some(LinkSpec {
                id: edge.id.clone(),
                from: edge.from.clone(),
                to: edge.to.clone(),
                length_m: within(length, 0.1, 100_000.0, "lengths are lifted to 0.1 m", &edge.id, notes),
                speed_mps: within(fastest, 0.5, 70.0, "speeds are brought within 0.5 to 70 m/s", &edge.id, notes),
                lanes: lanes.iter().map(|l| lane(&l.permits)).collect(),
                shape: edge.shape.iter().skip(1).take(inner).map(|p| [p[0] + shift[0], p[1] + shift[1]]).collect(),
                grade: if rise == 0.0 { 0.0 } else { (rise / length.max(1.0)).clamp(-0.3, 0.3) },
                name: edge.name.clone(),
            })
        };
        net.edges.iter().filter_map(link).collect()
    }

    pub(super) fn connections(&self, net: &Net, signals: &Signals, notes: &mut Notes) -> Vec<ConnectionSpec> {
        let mut turns: BTreeMap<&str, BTreeSet<char>> = BTreeMap::new();
        for c in &net.connections {
            turns.entry(c.from.as_str()).or_default().insert(c.dir);
        }
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        for (row, c) in net.connections.iter().enumerate() {
            let Some(path) = self.paths[row].filter(|p| !p.walk) else { continue };
            let (Some(from_lane), Some(to_lane)) =
                (self.edges[c.from.as_str()].lane(c.from_lane), self.edges[c.to.as_str()].lane(c.to_lane))
            else {
                continue;
            };
            if !seen.insert((c.from.as_str(), from_lane, c.to.as_str(), to_lane)) {
                notes.add("repeated connections are taken once", format!("{} > {}", c.from, c.to));
                continue;
            }
            let group = signals.of_path[row].clone();
            let gives_way = group.is_none()
                && match path.request {
                    Some(index) => self.matrices[path.node].requests[index].responds(),
                    None => "m=sw".contains(c.state),
                };
            if group.is_none() && signals.of_node[path.node].is_some() {
                notes.add("connections at signals that no signal controls", format!("{} > {}", c.from, c.to));
            }
            all.push(ConnectionSpec {
                from: c.from.clone(),
                from_lane,
                to: c.to.clone(),
                to_lane,
                turn: turn(c.dir, &turns[c.from.as_str()]),
                length_m: inside(net, c).min(500.0),
                group,
                gives_way,
            });
        }
        all
    }

    pub(super) fn crossings(&self, net: &Net, signals: &Signals) -> Vec<CrossingSpec> {
        let known = |e: &&String| self.edges.contains_key(e.as_str());
        let crossing = |(row, c): (usize, &super::read::Walk)| {
            let node = node_of_walk(&c.id).filter(|n| self.nodes.contains_key(n))?;
            Some(CrossingSpec {
                id: c.id.clone(),
                node: node.into(),
                length_m: c.length.clamp(0.5, 100.0),
                crosses: c.crosses.iter().filter(known).cloned().collect(),
                group: signals.of_walk[row].clone(),
            })
        };
        net.crossings.iter().enumerate().filter_map(crossing).collect()
    }
}

/// `:node_c0` is a crossing of `node`.
fn node_of_walk(id: &str) -> Option<&str> {
    id.strip_prefix(':')?.rsplit_once('_').map(|(node, _)| node)
}

/// Whether the kerb lane of a left-hand network is the last one. netconvert numbers lanes from the kerb there too, others
/// from the right; their shapes tell.
fn kerb_last(net: &Net) -> bool {
    let mut votes = 0_i64;
    for edge in &net.edges {
        let (first, last) = (edge.lanes.iter().min_by_key(|l| l.index), edge.lanes.iter().max_by_key(|l| l.index));
        let (Some(first), Some(last)) = (first, last) else { continue };
        let (Some(a), Some(b), Some(other)) = (first.shape.first(), first.shape.get(1), last.shape.first()) else {
            continue;
        };
        let cross = (b[0] - a[0]) * (other[1] - a[1]) - (b[1] - a[1]) * (other[0] - a[0]);
        votes += if cross > 0.0 {
            1
        } else if cross < 0.0 {
            -1
        } else {
            0
        };
    }
    votes > 0 // the last lane lies left of the first
}

fn lane(permits: &Permits) -> LaneSpec {
    match permits {
        Permits::Only(classes) => LaneSpec { only: classes.clone() },
        _ => LaneSpec::default(),
    }
}

fn within(value: f64, min: f64, max: f64, note: &str, who: &str, notes: &mut Notes) -> f64 {
    if !(min..=max).contains(&value) {
        notes.add(note, format!("{who}: {value}"));
    }
    value.clamp(min, max)
}

/// The path's length inside the node: along its internal lanes, which may be cut in two.
fn inside(net: &Net, c: &Conn) -> f64 {
    let mut length = 0.0;
    let mut via = c.via.as_ref();
    for _ in 0..8 {
        let Some(lane) = via else { break };
        length += net.inner.get(lane).copied().unwrap_or(0.0);
        via = net.inner_next.get(lane);
    }
    length
}

/// A slight bend (`L`, `R`) is straight on, unless the road has a straighter way or bends to both sides.
fn turn(dir: char, all: &BTreeSet<char>) -> Turn {
    let fork = all.contains(&'s') || (all.contains(&'L') && all.contains(&'R'));
    match dir {
        'l' => Turn::Left,
        'r' => Turn::Right,
        't' | 'T' => Turn::UTurn,
        'L' if fork => Turn::Left,
        'R' if fork => Turn::Right,
        _ => Turn::Straight,
    }
}

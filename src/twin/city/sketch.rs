//! A drawing of roads and corners, and how it becomes a network file: links, lanes, paths through nodes.

use super::signal::{self, Style};
use crate::network::spec::{ConnectionSpec, FORMAT, LaneSpec, LinkSpec, NodeSpec};
use crate::network::{Level, NetworkSpec, Side, Turn};

/// From the middle of a node to a stop line, metres.
const SETBACK_M: f64 = 12.0;
/// A turning pocket is this long.
const POCKET_M: f64 = 80.0;

/// Corners and the directed roads between them.
#[derive(Debug)]
pub(super) struct Sketch {
    side: Side,
    corners: Vec<Corner>,
    roads: Vec<Road>,
}

/// A vertex and who rules there.
#[derive(Debug)]
struct Corner {
    id: String,
    at: (f64, f64),
    zone: Option<String>,
    style: Option<Style>,
}

/// One direction of a road.
#[derive(Debug, Clone)]
pub(super) struct Road {
    /// The corner it leaves.
    pub(super) from: usize,
    /// The corner it leads to.
    pub(super) to: usize,
    /// Its lanes.
    pub(super) lanes: u8,
    /// Whether one more lane opens before the stop line.
    pub(super) pocket: bool,
    /// Speed limit, m/s.
    pub(super) speed: f64,
    /// The road's name.
    pub(super) name: String,
}

/// One side of a corner: the rows of the links that come in and go out there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Arm {
    /// The link that comes in.
    pub(super) into: Option<usize>,
    /// The link that goes out.
    pub(super) out: Option<usize>,
}

/// The arms of a corner: east, north, west, south.
pub(super) type Arms = [Arm; 4];

/// How each arm is called in groups' names.
pub(super) const COMPASS: [char; 4] = ['E', 'N', 'W', 'S'];

impl Sketch {
    /// An empty sheet.
    pub(super) fn new(side: Side) -> Self {
        Self { side, corners: Vec::new(), roads: Vec::new() }
    }

    /// Draws a corner; without a style no signal stands there.
    pub(super) fn corner(
        &mut self,
        id: impl Into<String>,
        at: (f64, f64),
        zone: Option<String>,
        style: Option<Style>,
    ) -> usize {
        self.corners.push(Corner { id: id.into(), at, zone, style });
        self.corners.len() - 1
    }

    /// Draws one direction of a road.
    pub(super) fn one_way(&mut self, road: Road) {
        self.roads.push(road);
    }

    /// Draws both directions of a road.
    pub(super) fn two_way(&mut self, road: Road) {
        self.roads.push(Road { from: road.to, to: road.from, ..road.clone() });
        self.roads.push(road);
    }

    /// Where a corner is.
    pub(super) fn at(&self, corner: usize) -> (f64, f64) {
        self.corners[corner].at
    }

    /// The network file of this drawing.
    pub(super) fn finish(self, name: &str, source: &str) -> NetworkSpec {
        let mut spec = NetworkSpec {
            format: FORMAT.to_owned(),
            name: name.to_owned(),
            source: source.to_owned(),
            drive_on: self.side,
            utc_offset_min: 0,
            origin: None,
            partition_level: Level::City,
            zones: Vec::new(),
            nodes: Vec::with_capacity(self.corners.len()),
            links: Vec::with_capacity(self.roads.len()),
            connections: Vec::with_capacity(self.roads.len() * 5),
            crossings: Vec::new(),
            junctions: Vec::new(),
        };
        for corner in &self.corners {
            spec.nodes.push(NodeSpec {
                id: corner.id.clone(),
                x: corner.at.0,
                y: corner.at.1,
                junction: corner.style.is_some().then(|| corner.id.clone()),
                zone: corner.zone.clone(),
            });
        }
        let mut arms: Vec<Arms> = vec![Arms::default(); self.corners.len()];
        for road in &self.roads {
            let (first, last) = self.pave(road, &mut spec);
            arms[road.from][self.compass(road.from, road.to)].out = Some(first);
            arms[road.to][self.compass(road.to, road.from)].into = Some(last);
        }
        for (corner, arms) in self.corners.iter().zip(&arms) {
            match &corner.style {
                Some(style) => signal::install(&corner.id, arms, style, self.side, &mut spec),
                None => minor(arms, self.side, &mut spec),
            }
        }
        spec
    }

    /// The side of corner `at` on which corner `to` lies.
    fn compass(&self, at: usize, to: usize) -> usize {
        let ((x, y), (u, v)) = (self.corners[at].at, self.corners[to].at);
        match (u - x, v - y) {
            (dx, dy) if dx.abs() >= dy.abs() => usize::from(dx < 0.0) * 2,
            (_, dy) => 1 + usize::from(dy < 0.0) * 2,
        }
    }

    /// Lays a road's links and tells the rows of its first and last.
    fn pave(&self, road: &Road, spec: &mut NetworkSpec) -> (usize, usize) {
        let (from, to) = (&self.corners[road.from], &self.corners[road.to]);
        let whole = (to.at.0 - from.at.0).hypot(to.at.1 - from.at.1);
        let length = tenth((whole - 2.0 * SETBACK_M).max(20.0));
        let id = format!("{}>{}", from.id, to.id);
        let link = |id: String, from: &str, to: &str, length_m: f64, lanes: u8| LinkSpec {
            id,
            from: from.to_owned(),
            to: to.to_owned(),
            length_m,
            speed_mps: road.speed,
            lanes: vec![LaneSpec::default(); usize::from(lanes)],
            shape: Vec::new(),
            grade: 0.0,
            name: road.name.clone(),
        };
        if !road.pocket {
            spec.links.push(link(id, &from.id, &to.id, length, road.lanes));
            return (spec.links.len() - 1, spec.links.len() - 1);
        }
        let opens = format!("{id}+");
        let back = (POCKET_M + SETBACK_M) / whole;
        spec.nodes.push(NodeSpec {
            id: opens.clone(),
            x: tenth(to.at.0 + (from.at.0 - to.at.0) * back),
            y: tenth(to.at.1 + (from.at.1 - to.at.1) * back),
            junction: None,
            zone: to.zone.clone(),
        });
        spec.links.push(link(id.clone(), &from.id, &opens, tenth(length - POCKET_M), road.lanes));
        spec.links.push(link(opens.clone(), &opens, &to.id, POCKET_M, road.lanes + 1));
        // The pocket opens on the far side: whoever turns across oncoming traffic waits there.
        for (lane, into) in (0..road.lanes).map(|l| (l, l)).chain([(road.lanes - 1, road.lanes)]) {
            spec.connections.push(ConnectionSpec {
                from: id.clone(),
                from_lane: lane,
                to: opens.clone(),
                to_lane: into,
                turn: Turn::Straight,
                length_m: 0.0,
                group: None,
                gives_way: false,
            });
        }
        (spec.links.len() - 2, spec.links.len() - 1)
    }
}

/// A number as a file should show it.
pub(super) fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// The turn from arm `from` to arm `to`: its driver heads for the opposite arm.
pub(super) fn turn(from: usize, to: usize) -> Turn {
    match (to + 4 - from) % 4 {
        1 => Turn::Right,
        2 => Turn::Straight,
        3 => Turn::Left,
        _ => Turn::UTurn,
    }
}

/// The turn that hugs the kerb, and the one that crosses oncoming traffic.
pub(super) fn near_and_far(side: Side) -> (Turn, Turn) {
    match side {
        Side::Right => (Turn::Right, Turn::Left),
        Side::Left => (Turn::Left, Turn::Right),
    }
}

/// The turns each of `lanes` lanes serves, kerb side first. With `own_far` the turn across oncoming traffic has a lane
/// to itself wherever there is more than one.
fn lane_turns(lanes: usize, turns: &[Turn], own_far: bool, side: Side) -> Vec<Vec<Turn>> {
    let (near, far) = near_and_far(side);
    let has = |turn: Turn| turns.contains(&turn);
    if lanes == 1 {
        return vec![turns.to_vec()];
    }
    let serves = |lane: usize| {
        let (first, last) = (lane == 0, lane + 1 == lanes);
        let straight = has(Turn::Straight);
        let far_alone = has(far) && (own_far || lanes > 2 || !straight);
        let near_alone = has(near) && !straight && has(far);
        let mut served = Vec::new();
        if has(near) && (first || (!straight && !has(far))) {
            served.push(near);
        }
        if straight && !(last && far_alone) {
            served.push(Turn::Straight);
        }
        if has(far) && (last || !(straight || (first && near_alone))) {
            served.push(far);
        }
        served
    };
    (0..lanes).map(serves).collect()
}

/// One lane-to-lane path through a corner.
pub(super) struct Path {
    /// The arm it comes from.
    pub(super) from: usize,
    /// The arm it goes to.
    pub(super) to: usize,
    /// The turn it makes.
    pub(super) turn: Turn,
    /// The lane it leaves and the one it enters.
    pub(super) lanes: (u8, u8),
}

/// Every path through a corner; `own_far` says on which axis (0 east-west) turns across have a lane to themselves.
pub(super) fn paths(arms: &Arms, own_far: [bool; 2], side: Side, spec: &NetworkSpec) -> Vec<Path> {
    let (_, far) = near_and_far(side);
    let count = |link: usize| spec.links[link].lanes.len();
    let mut paths = Vec::new();
    for from in 0..4 {
        let Some(into) = arms[from].into else { continue };
        let exits: Vec<(usize, usize)> =
            (1..4).map(|step| (from + step) % 4).filter_map(|to| Some((to, arms[to].out?))).collect();
        let turns: Vec<Turn> = exits.iter().map(|&(to, _)| turn(from, to)).collect();
        let lanes = lane_turns(count(into), &turns, own_far[from % 2], side);
        for &(to, out) in &exits {
            let made = turn(from, to);
            let serving: Vec<usize> = (0..lanes.len()).filter(|&lane| lanes[lane].contains(&made)).collect();
            let room = count(out);
            for (position, &lane) in serving.iter().enumerate() {
                let entered = if made == far {
                    let from_far = serving.len() - 1 - position;
                    room.saturating_sub(1 + from_far)..room.saturating_sub(from_far).max(1)
                } else if made == Turn::Straight && position + 1 == serving.len() {
                    position.min(room - 1)..room // the last one may spread over what opens beyond
                } else {
                    position.min(room - 1)..position.min(room - 1) + 1
                };
                paths.extend(entered.map(|e| Path { from, to, turn: made, lanes: (lane as u8, e as u8) }));
            }
        }
    }
    paths
}

/// The length of a path through a corner, metres, by the lanes of the roads it crosses.
pub(super) fn path_length(turn: Turn, side: Side) -> f64 {
    let (near, _) = near_and_far(side);
    match turn {
        Turn::Straight => 24.0,
        t if t == near => 13.0,
        _ => 26.0,
    }
}

/// A corner without a signal: the wider road has the right of way, turns across oncoming traffic do not.
fn minor(arms: &Arms, side: Side, spec: &mut NetworkSpec) {
    let (_, far) = near_and_far(side);
    let width = |axis: usize| -> usize {
        [axis, axis + 2].iter().filter_map(|&a| arms[a].into).map(|link| 1 + spec.links[link].lanes.len()).sum()
    };
    let major = usize::from(width(1) > width(0));
    let paths = paths(arms, [false; 2], side, spec);
    let rows = paths.iter().map(|p| {
        let gives_way = p.from % 2 != major || (p.turn == far && arms[(p.from + 2) % 4].into.is_some());
        connection(p, arms, None, gives_way, side, spec)
    });
    let rows: Vec<_> = rows.collect();
    spec.connections.extend(rows);
}

/// A path as the network file has it.
pub(super) fn connection(
    path: &Path,
    arms: &Arms,
    group: Option<String>,
    gives_way: bool,
    side: Side,
    spec: &NetworkSpec,
) -> ConnectionSpec {
    let name = |link: Option<usize>| link.map_or_else(String::new, |row| spec.links[row].id.clone());
    ConnectionSpec {
        from: name(arms[path.from].into),
        from_lane: path.lanes.0,
        to: name(arms[path.to].out),
        to_lane: path.lanes.1,
        turn: path.turn,
        length_m: path_length(path.turn, side),
        group,
        gives_way,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Turn::{Left, Right, Straight};

    #[test]
    fn a_driver_from_the_east_turns_right_to_the_north() {
        assert_eq!([turn(0, 1), turn(0, 2), turn(0, 3)], [Right, Straight, Left]);
        assert_eq!(turn(3, 0), Right); // from the south, heading north, the east is on the right
    }

    #[test]
    fn lanes_share_turns_as_painted() {
        // (lanes, turns, own lane for the far turn, what each lane serves from the kerb on)
        type Row<'a> = (usize, &'a [Turn], bool, &'a [&'a [Turn]]);
        let rows: [Row<'_>; 7] = [
            (1, &[Right, Straight, Left], true, &[&[Right, Straight, Left]]), // nothing to choose
            (2, &[Right, Straight, Left], false, &[&[Right, Straight], &[Straight, Left]]),
            (2, &[Right, Straight, Left], true, &[&[Right, Straight], &[Left]]), // a protected left needs its lane
            (3, &[Right, Straight, Left], false, &[&[Right, Straight], &[Straight], &[Left]]),
            (2, &[Right, Left], false, &[&[Right], &[Left]]), // the stem of a T
            (3, &[Right, Left], false, &[&[Right], &[Left], &[Left]]),
            (2, &[Right, Straight], false, &[&[Right, Straight], &[Straight]]),
        ];
        for (lanes, turns, own_far, expected) in rows {
            assert_eq!(lane_turns(lanes, turns, own_far, Side::Right), expected, "{lanes} {turns:?} {own_far}");
        }
        // Where traffic keeps left the kerb serves the left turn.
        let left_hand = lane_turns(2, &[Right, Straight, Left], true, Side::Left);
        assert_eq!(left_hand, [vec![Left, Straight], vec![Right]]);
    }
}

//! What this part of the city consists of: ranges of ids, and where each of its sensors stands.

use std::ops::Range;

use crate::ids::{ConnectionId, Id, LaneId, LinkId, MovementId, SensorId};
use crate::network::{Network, Sensor, SensorKind, Sensors};
use crate::time::Span;
use crate::traffic::readings;

/// A loop this close to the end of its lane counts what crosses the stop line, m.
const STOP_LINE_M: f64 = 15.0;
/// Even bicycles need this much of a lane each, m.
const SHORTEST_M: f64 = 2.5;
/// A view may see a little beyond its ends, vehicles.
const VIEW_SLACK: f64 = 3.0;

/// What a sensor is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A loop that counts departures at the stop line.
    StopLine,
    /// The loop farthest upstream on its lane: it counts arrivals.
    Entry,
    /// Another loop, heard for its health alone.
    Spare,
    /// The camera of its link.
    Camera,
}

/// Where a sensor stands and what it can say at most: all that the door needs.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) link: LinkId,
    /// A loop's lane; a camera's first lane.
    pub(crate) lane: LaneId,
    pub(crate) interval_ms: u32,
    /// A loop: vehicles that can pass in an interval. A camera: vehicles that fit into its view of a lane.
    pub(crate) count_max: u16,
    pub(crate) lanes: u8,
    pub(crate) kind: SensorKind,
    pub(crate) role: Role,
}

impl Place {
    /// How many lanes from the link's first `lane` is; `None` when it is on another link.
    pub(crate) fn lane_index(&self, lane: LaneId) -> Option<usize> {
        lane.index().checked_sub(self.lane.index()).filter(|&i| i < usize::from(self.lanes))
    }
}

/// The part of the city one estimator looks after.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) links: Range<LinkId>,
    pub(crate) lanes: Range<LaneId>,
    pub(crate) connections: Range<ConnectionId>,
    pub(crate) movements: Range<MovementId>,
    /// The sensors here, by slot.
    pub(crate) sensors: Vec<SensorId>,
    /// Where sensors follow one another: the first slot of such a run, and its ids. There are as few as two where loops and
    /// then cameras are numbered along the roads.
    runs: Vec<(usize, Range<SensorId>)>,
}

impl Scope {
    /// The partition `part` of `network`, or all of it.
    pub(crate) fn new(network: &Network, sensors: &Sensors, part: Option<usize>) -> Self {
        let whole = |n: usize| (0, n);
        let (links, lanes) = match part.and_then(|p| network.partitions().get(p)) {
            Some(p) => (p.links.clone(), p.lanes.clone()),
            None => (ids(whole(network.links().len())), ids(whole(network.lanes().len()))),
        };
        // Connections are ordered by the lane they leave, movements by their first connection: both are ranges too.
        let exits = network.lanes().slice(&lanes).iter().map(|l| &l.exits).filter(|e| !e.is_empty());
        let (mut first, mut end) = (usize::MAX, 0);
        for e in exits {
            (first, end) = (first.min(e.start.index()), end.max(e.end.index()));
        }
        let connections: Range<ConnectionId> = ids((first.min(end), end));
        let (mut first, mut end) = (usize::MAX, 0);
        for c in network.connections().slice(&connections) {
            (first, end) = (first.min(c.movement.index()), end.max(c.movement.index() + 1));
        }
        let movements = ids((first.min(end), end));
        let here: Vec<SensorId> =
            sensors.table().iter().filter(|(_, sensor)| links.contains(&sensor.link)).map(|(id, _)| id).collect();
        let runs = runs(&here);
        Self { links, lanes, connections, movements, sensors: here, runs }
    }

    /// A sensor's slot; none for one of another part.
    pub(crate) fn slot(&self, sensor: SensorId) -> Option<usize> {
        let (first, run) = self.runs.get(self.runs.partition_point(|(_, run)| run.end <= sensor))?;
        sensor.index().checked_sub(run.start.index()).map(|row| first + row)
    }

    /// Where each sensor here stands, by slot.
    pub(crate) fn places(&self, network: &Network, sensors: &Sensors) -> Vec<Place> {
        self.sensors.iter().map(|&id| place(network, sensors, id)).collect()
    }
}

/// The runs of ids that follow one another, each with the place of its first.
fn runs(ids: &[SensorId]) -> Vec<(usize, Range<SensorId>)> {
    let follows = |a: &SensorId, b: &SensorId| a.index() + 1 == b.index();
    let mut first = 0;
    let run = |run: &[SensorId]| {
        let start = run[0].index();
        let placed = (first, SensorId::of(start)..SensorId::of(start + run.len()));
        first += run.len();
        placed
    };
    ids.chunk_by(follows).map(run).collect()
}

fn ids<I: Id>((start, end): (usize, usize)) -> Range<I> {
    I::of(start)..I::of(end)
}

fn place(network: &Network, sensors: &Sensors, id: SensorId) -> Place {
    let sensor = &sensors.table()[id];
    let link = network.link(sensor.link);
    let count_max = match sensor.kind {
        SensorKind::Loop => readings::count_max(sensor.interval),
        SensorKind::Camera => (sensor.range.get() / SHORTEST_M + VIEW_SLACK) as u32,
    };
    let first = sensors.on(sensor.link).iter().find(|&&s| sensors.table()[s].kind == SensorKind::Camera);
    let role = match sensor.kind {
        SensorKind::Camera if first == Some(&id) => Role::Camera,
        SensorKind::Camera => Role::Spare,
        SensorKind::Loop => loop_role(sensors, sensor, id),
    };
    Place {
        link: sensor.link,
        lane: sensor.lane.unwrap_or(link.lanes.start),
        interval_ms: u32::try_from(sensor.interval.ms().max(Span::from_ms(1).ms())).unwrap_or(u32::MAX),
        count_max: u16::try_from(count_max).unwrap_or(u16::MAX),
        lanes: u8::try_from(link.lane_count()).unwrap_or(u8::MAX),
        kind: sensor.kind,
        role,
    }
}

fn loop_role(sensors: &Sensors, sensor: &Sensor, id: SensorId) -> Role {
    let same_lane = |s: &&SensorId| sensors.table()[**s].lane == sensor.lane && sensors.table()[**s].lane.is_some();
    let at = |s: SensorId| sensors.table()[s].distance.get();
    let loops = || sensors.on(sensor.link).iter().filter(same_lane).copied();
    let nearest = loops().min_by(|&a, &b| at(a).total_cmp(&at(b)));
    let farthest = loops().max_by(|&a, &b| at(a).total_cmp(&at(b)).then(b.cmp(&a)));
    if nearest == Some(id) && at(id) <= STOP_LINE_M {
        Role::StopLine
    } else if farthest == Some(id) {
        Role::Entry
    } else {
        Role::Spare
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensor_has_the_slot_of_its_place_and_one_of_another_part_has_none() {
        // Loops 3 to 5, cameras 8 and 10; 9 stands elsewhere.
        let sensors = [3, 4, 5, 8, 10].map(SensorId::of).to_vec();
        let (links, lanes, connections, movements) = (ids((0, 0)), ids((0, 0)), ids((0, 0)), ids((0, 0)));
        let scope = Scope { links, lanes, connections, movements, runs: runs(&sensors), sensors };
        for id in (0..12).map(SensorId::of) {
            assert_eq!(scope.slot(id), scope.sensors.iter().position(|&here| here == id), "{id}");
        }
    }
}

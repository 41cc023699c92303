//! How far an approach reaches upstream of its stop line, through links that no signal separates.

use super::{Connection, Lane, Link};
use crate::ids::{ConnectionId, Id, LaneId, LinkId, Table};
use crate::units::Metres;

/// An approach is followed this far upstream. Farther away a vehicle's lane says little about the turn it will make.
pub const REACH: Metres = Metres::constant(200.0);

/// A lane, or the part of it, that lies on the way to a stop line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// The lane.
    pub lane: LaneId,
    /// From its downstream end to the stop line.
    pub offset: Metres,
    /// Its length.
    pub length: Metres,
    /// The share of its traffic that comes this way: 1 ÷ the number of lanes it feeds, along the whole way.
    pub share: f64,
}

/// The way up from each lane that a signal ends; other lanes have none.
pub(super) fn reaches(
    links: &Table<LinkId, Link>,
    lanes: &Table<LaneId, Lane>,
    connections: &Table<ConnectionId, Connection>,
) -> Table<LaneId, Vec<Segment>> {
    let signalised = |lane: &Lane| connections.slice(&lane.exits).iter().any(|c| c.control.group().is_some());
    let fed = |lane: LaneId| lanes[lane].exits.end.index() - lanes[lane].exits.start.index();
    let way = |stop: LaneId| {
        let mut way: Vec<Segment> = Vec::new();
        let mut open = vec![(stop, Metres::ZERO, 1.0)];
        while let Some((lane, offset, share)) = open.pop() {
            if way.iter().any(|s| s.lane == lane) {
                continue;
            }
            let length = links[lanes[lane].link].length;
            way.push(Segment { lane, offset, length, share });
            let beyond = offset + length;
            if beyond < REACH {
                let feeders =
                    lanes[lane].entries.iter().map(|&c| connections[c].from).filter(|&l| !signalised(&lanes[l]));
                open.extend(feeders.map(|l| (l, beyond, share / fed(l).max(1) as f64)));
            }
        }
        way.sort_by(|a, b| a.offset.get().total_cmp(&b.offset.get()).then(a.lane.cmp(&b.lane)));
        way
    };
    lanes.iter().map(|(id, lane)| if signalised(lane) { way(id) } else { Vec::new() }).collect()
}

//! Sensors laid out by rule at every signal: what a city would build, for networks that come without any.

use std::collections::BTreeMap;

use super::Network;
use super::sensor::{FORMAT, SensorKind, SensorSpec, SensorsSpec};
use crate::ids::{LaneId, LinkId};
use crate::network::reach::Segment;

/// The upstream loop lies this far from the stop line, metres.
const UPSTREAM: f64 = 60.0;
/// An approach shorter than this has no upstream loop, metres.
const SHORT: f64 = 20.0;
/// An upstream loop lies no nearer to the start of its road, metres: whoever sets out there has to pass it.
const FROM_START: f64 = 10.0;
/// An entry loop lies so far from the start of its road, metres: whoever came from the signal there has picked up speed.
const ENTRY: f64 = 40.0;
/// A camera sees this far, metres.
const VIEW: f64 = 200.0;
/// How often each reports, seconds.
const INTERVAL: f64 = 1.0;

/// What to lay out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// Loops, and a camera over every approach.
    #[default]
    Full,
    /// The same, and loops where long approaches begin.
    Entries,
    /// Loops only.
    Loops,
}

/// Sensors for every signalised approach: a loop in each lane at the stop line and another 60 m upstream; but for
/// [`Layout::Loops`] also a camera that sees the last 200 m. Where an approach is chopped into short links, loops and
/// cameras lie on whichever link is there. With [`Layout::Entries`] there is one more loop where an approach begins,
/// 40 m from the start of the road, if that is farther away than a camera sees.
///
/// A loop is called `loop/<link>/<lane>/<metres to the link's end>`, a camera `cam/<link>`.
pub fn layout(network: &Network, which: Layout) -> SensorsSpec {
    let mut loops: BTreeMap<(LaneId, u32), f64> = BTreeMap::new();
    let mut views: BTreeMap<LinkId, f64> = BTreeMap::new();
    for stop in network.lanes().ids() {
        let reach = network.reach(stop);
        if reach.is_empty() {
            continue;
        }
        loops.insert((stop, 0), 0.0);
        for (lane, distance) in upstream(reach) {
            // A lane that leads to several stop lines has one upstream loop.
            if loops.range((lane, 1)..=(lane, u32::MAX)).next().is_none() {
                loops.insert((lane, (distance.round() as u32).max(1)), distance);
            }
        }
        for segment in reach.iter().filter(|_| which == Layout::Entries) {
            let distance = segment.length.get() - ENTRY;
            if segment.offset.get() + distance > VIEW {
                loops.insert((segment.lane, distance.round() as u32), distance);
            }
        }
        for segment in reach {
            let seen = (VIEW - segment.offset.get()).min(segment.length.get());
            let view = views.entry(network.lane(segment.lane).link).or_insert(0.0);
            *view = view.max(seen);
        }
    }
    let on = |link: LinkId| network.link(link).name.to_string();
    let of_loop = |(&(lane, metres), &distance): (&(LaneId, u32), &f64)| {
        let (lane, link) = (network.lane(lane), on(network.lane(lane).link));
        SensorSpec {
            id: format!("loop/{link}/{}/{metres}", lane.index),
            kind: SensorKind::Loop,
            link,
            lane: Some(lane.index),
            distance_m: distance,
            range_m: 0.0,
            interval_s: INTERVAL,
        }
    };
    let of_view = |(&link, &view): (&LinkId, &f64)| SensorSpec {
        id: format!("cam/{}", network.link(link).name),
        kind: SensorKind::Camera,
        link: on(link),
        lane: None,
        distance_m: 0.0,
        range_m: view,
        interval_s: INTERVAL,
    };
    let mut sensors: Vec<SensorSpec> = loops.iter().map(of_loop).collect();
    if which != Layout::Loops {
        sensors.extend(views.iter().filter(|(_, view)| **view > 0.0).map(of_view));
    }
    SensorsSpec { format: FORMAT.into(), sensors }
}

/// The lanes that lie 60 m upstream of a stop line, each with the distance from there to the lane's end; where the
/// approach is shorter, its start.
fn upstream(reach: &[Segment]) -> Vec<(LaneId, f64)> {
    let end = |s: &Segment| s.offset.get() + s.length.get();
    let there: Vec<_> = reach
        .iter()
        .filter(|s| s.offset.get() <= UPSTREAM && UPSTREAM < end(s))
        .map(|s| (s.lane, (UPSTREAM - s.offset.get()).min(from_start(s))))
        .collect();
    if !there.is_empty() {
        return there;
    }
    let farthest = reach.iter().max_by(|a, b| end(a).total_cmp(&end(b)).then(b.lane.cmp(&a.lane)));
    farthest.filter(|s| end(s) >= SHORT).map(|s| (s.lane, from_start(s))).into_iter().collect()
}

/// The farthest that an upstream loop may lie from the end of its lane.
fn from_start(segment: &Segment) -> f64 {
    let length = segment.length.get();
    (length - FROM_START).max(length / 2.0)
}

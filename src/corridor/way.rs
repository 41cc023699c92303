//! The way ahead as a vehicle meets it: how far along each link and stop line lies, and where on it a position is.

use crate::ids::{ConnectionId, GroupId, GroupSet, JunctionId, LaneId, LinkId, span};
use crate::keep::keep;
use crate::network::{Control, Network, Point};

/// A stop line on the way that a signal rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// Its place among the links of the way.
    pub row: usize,
    /// Whose.
    pub junction: JunctionId,
    /// The groups that release the turn.
    pub groups: GroupSet,
    /// Those that release the other turns from the same link.
    pub beside: GroupSet,
    /// Of those, the ones without which who stands before the vehicle may not leave: every lane of the turn is one of theirs too.
    pub mates: GroupSet,
    /// The lanes from which the turn is made.
    pub lanes: Vec<LaneId>,
    /// Where its queue parts from those of other turns.
    pub fork: Fork,
    /// From the start of the way, m.
    pub at_m: f64,
}

keep!(Gate { row, junction, groups, beside, mates, lanes, fork, at_m });

/// The link before a stop line behind which no lane is the turn's alone: there the queues of other turns keep its own back.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fork {
    /// Its place among the links of the way.
    pub row: usize,
    /// Its lanes that lead to the turn's and to no other's.
    pub own: Vec<LaneId>,
    /// The others, which hold the queues of other turns.
    pub pockets: Vec<LaneId>,
}

keep!(Fork { row, own, pockets });

/// A way through the network.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Way {
    /// Its links, both ends included.
    pub links: Vec<LinkId>,
    /// From the start of the way to the end of each link, m.
    pub end_m: Vec<f64>,
    /// The same by the limit, s.
    end_s: Vec<f64>,
    /// Its signalised stop lines, in order.
    pub gates: Vec<Gate>,
    /// Whether whoever leaves each link along it gives way where no signal rules.
    pub gives_way: Vec<bool>,
}

keep!(Way { links, end_m, end_s, gates, gives_way });

/// Where a position lies on a way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// From the start of the way, m.
    pub at_m: f64,
    /// From the course of the road, m.
    pub off_m: f64,
}

impl Way {
    /// Lays `links` out. None where a link does not follow upon the one before it.
    pub fn new(network: &Network, links: &[LinkId]) -> Option<Self> {
        let mut way = Self { links: links.to_vec(), ..Self::default() };
        let (mut at, mut s) = (0.0, 0.0);
        for (row, &link) in links.iter().enumerate() {
            let road = network.links().get(link)?;
            at += road.length.get();
            s += road.free_flow().get();
            way.end_m.push(at);
            way.end_s.push(s);
            let Some(&next) = links.get(row + 1) else { break };
            let movements = network.movements_from(link).iter().map(|&m| &network.movements()[m]);
            let paths: Vec<ConnectionId> =
                movements.clone().filter(|m| m.to == next).flat_map(|m| m.connections.clone()).collect();
            let paths = paths.iter().map(|&c| &network.connections()[c]);
            let length = paths.clone().map(|c| c.length.get()).reduce(f64::min)?;
            way.gives_way.push(paths.clone().all(|c| c.control == Control::GivesWay));
            let ruled: Vec<(JunctionId, GroupId)> = paths.clone().filter_map(|c| c.control.group()).collect();
            if let Some(&(junction, _)) = ruled.first() {
                let mut lanes: Vec<LaneId> = paths.map(|c| c.from).collect();
                lanes.sort_unstable();
                lanes.dedup();
                let groups: GroupSet = ruled.iter().filter(|r| r.0 == junction).map(|r| r.1).collect();
                let released = |lane: &LaneId| {
                    let exits = span(&network.lane(*lane).exits).map(|c| network.connections()[c].control.group());
                    let own = exits.flatten().filter(|r| r.0 == junction).map(|r| r.1);
                    own.collect::<GroupSet>().difference(groups)
                };
                let all = |sets: &mut dyn Iterator<Item = GroupSet>| sets.fold(GroupSet::EMPTY, GroupSet::union);
                let beside = all(&mut span(&road.lanes).map(|lane| released(&lane)));
                let shared = lanes.iter().all(|lane| !released(lane).is_empty());
                let mates = all(&mut lanes.iter().filter(|_| shared).map(released));
                let fork = Fork::new(network, &links[..=row], &lanes);
                way.gates.push(Gate { row, junction, groups, beside, mates, lanes, fork, at_m: at });
            }
            at += length;
            s += length / network.link(next).speed.get().max(1.0);
        }
        (!links.is_empty()).then_some(way)
    }

    /// From start to end, m.
    pub fn length_m(&self) -> f64 {
        self.end_m.last().copied().unwrap_or(0.0)
    }

    /// The time from the start to `at_m` by the limit, s.
    pub fn free_s(&self, at_m: f64) -> f64 {
        let row = self.row(at_m);
        let (m, s) = if row == 0 { (0.0, 0.0) } else { (self.end_m[row - 1], self.end_s[row - 1]) };
        let (length, took) = (self.end_m[row] - m, self.end_s[row] - s);
        s + took * ((at_m - m) / length.max(1e-6)).clamp(0.0, 1.0)
    }

    /// The link on which `at_m` lies, by its place on the way; what is inside a node belongs to the link after it.
    pub fn row(&self, at_m: f64) -> usize {
        self.end_m.partition_point(|&end| end < at_m).min(self.links.len() - 1)
    }

    /// Where `point` lies nearest, among places between `from_m` and `to_m`; a road that leads elsewhere than
    /// `heading` counts for nothing.
    pub fn locate(
        &self,
        network: &Network,
        point: Point,
        heading: Option<f64>,
        from_m: f64,
        to_m: f64,
    ) -> Option<Place> {
        let rows = self.row(from_m.max(0.0))..=self.row(to_m.max(0.0));
        let places = rows.filter_map(|row| {
            let link = network.link(self.links[row]);
            let (before, off_m) = project(&link.shape, link.length.get(), point, heading)?;
            Some(Place { at_m: self.end_m[row] - before, off_m })
        });
        places.min_by(|a, b| a.off_m.total_cmp(&b.off_m))
    }
}

impl Fork {
    /// That of a turn made from `lanes` of the last of some links that follow one another: where roads are chopped into short
    /// links, its lanes may be apart from others' long before the stop line.
    fn new(network: &Network, links: &[LinkId], lanes: &[LaneId]) -> Self {
        let others =
            |row: usize, own: &[LaneId]| span(&network.link(links[row]).lanes).filter(|l| !own.contains(l)).collect();
        let (mut row, mut own) = (links.len() - 1, lanes.to_vec());
        let mut pockets: Vec<LaneId> = others(row, &own);
        while row > 0 {
            let paths = |lane: LaneId| span(&network.lane(lane).exits).map(|c| &network.connections()[c]);
            let leads =
                |lane: LaneId, to: &[LaneId]| paths(lane).any(|c| to.contains(&c.to) && c.control.group().is_none());
            let apart = |lane: &LaneId| leads(*lane, &own) && !leads(*lane, &pockets);
            let feeders: Vec<LaneId> = span(&network.link(links[row - 1]).lanes).filter(apart).collect();
            if feeders.is_empty() {
                break;
            }
            row -= 1;
            pockets = others(row, &feeders);
            own = feeders;
        }
        Self { row, own, pockets }
    }
}

/// How far before the end of a course that is `length` metres long `point` lies, and how far off it, m.
pub fn project(shape: &[Point], length: f64, point: Point, heading: Option<f64>) -> Option<(f64, f64)> {
    let drawn: f64 = shape.windows(2).map(|pair| pair[0].distance(pair[1]).get()).sum();
    let scale = length / drawn.max(1e-6);
    let (mut along, mut best) = (0.0, None);
    for pair in shape.windows(2) {
        let (dx, dy) = (pair[1].x - pair[0].x, pair[1].y - pair[0].y);
        let step = dx.hypot(dy);
        let fits = heading.is_none_or(|heading| {
            let off = (dx.atan2(dy).to_degrees() - heading).rem_euclid(360.0);
            off.min(360.0 - off) < 75.0
        });
        if fits && step > 0.0 {
            let share = (((point.x - pair[0].x) * dx + (point.y - pair[0].y) * dy) / (step * step)).clamp(0.0, 1.0);
            let foot = Point { x: pair[0].x + dx * share, y: pair[0].y + dy * share };
            let off = foot.distance(point).get();
            if best.is_none_or(|(_, least)| off < least) {
                best = Some((length - (along + step * share) * scale, off));
            }
        }
        along += step;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corridor::fixture::chopped;

    #[test]
    fn a_queue_parts_from_others_where_its_lanes_do_and_goes_with_them_where_it_has_none_of_its_own() {
        // (lanes before the short link, whether its lane 1 leads straight on too, exit; who shares all its lanes; the fork)
        for (lanes, shared, exit, mates, fork) in [
            (2, false, "turn", &[][..], ("in", &[1][..])),
            (1, false, "turn", &[], ("short", &[1])), // one lane leads to both of the short link's
            (2, true, "turn", &["s"], ("in", &[1])),
            (2, true, "on", &[], ("in", &[0, 1])), // lane 0 is for it alone
        ] {
            let network = chopped(lanes, shared);
            let links = ["in", "short", exit].map(|name| network.link_named(name).expect("a link"));
            let way = Way::new(&network, &links).expect("they follow");
            let [gate] = &way.gates[..] else { panic!("{} gates", way.gates.len()) };
            let name = |group| &*network.junction(gate.junction).groups[group].name;
            assert_eq!(gate.mates.iter().map(name).collect::<Vec<_>>(), mates, "{lanes} {shared} {exit}");
            let own: Vec<_> = fork.1.iter().filter_map(|&lane| network.lane_of(links[gate.fork.row], lane)).collect();
            assert_eq!(
                (&*network.link(links[gate.fork.row]).name, &gate.fork.own),
                (fork.0, &own),
                "{lanes} {shared} {exit}"
            );
            assert_eq!(way.gives_way, [true, false], "where the signal rules nobody else does");
        }
    }

    #[test]
    fn a_point_is_found_beside_the_course_that_leads_its_way() {
        let p = |x, y| Point { x, y };
        let shape = [p(0.0, 0.0), p(0.0, 100.0), p(100.0, 100.0)];
        // (point, heading, m before the end, m off): drawn 200 m long and called 400 m.
        for (point, heading, before, off) in [
            (p(3.0, 50.0), None, 300.0, 3.0),
            (p(50.0, 104.0), Some(90.0), 100.0, 4.0),
            (p(-5.0, -5.0), Some(0.0), 400.0, 50.0_f64.sqrt()),
            (p(200.0, 100.0), Some(80.0), 0.0, 100.0),
        ] {
            let found = project(&shape, 400.0, point, heading).expect("it leads there");
            assert!((found.0 - before).abs() < 1e-9 && (found.1 - off).abs() < 1e-9, "{point:?}: {found:?}");
        }
        assert_eq!(project(&shape, 400.0, p(3.0, 50.0), Some(180.0)), None, "against the arrow");
    }
}

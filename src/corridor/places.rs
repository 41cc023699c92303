//! Which road a vehicle is on that is not where it was thought to be.

use crate::corridor::way::project;
use crate::ids::LinkId;
use crate::network::{Network, Point};

/// No road farther from a position than this is the one it is on, m.
const OFF_MAX_M: f64 = 60.0;
/// A course is noted where it lies at steps no longer than this, m.
const STEP_M: f64 = 30.0;
/// Side of a square of the map, m: whoever looks within [`OFF_MAX_M`] looks at four at most.
const SIDE_M: f64 = 2.0 * (OFF_MAX_M + STEP_M / 2.0);

/// The roads of a network by where they lie: each in every square that its course comes through.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    /// In the order of the squares.
    roads: Vec<((i32, i32), LinkId)>,
}

impl Places {
    pub(super) fn new(network: &Network) -> Self {
        let mut roads = Vec::new();
        for (link, road) in network.links().iter() {
            for pair in road.shape.windows(2) {
                let steps = (pair[0].distance(pair[1]).get() / STEP_M).ceil().max(1.0) as usize;
                let place = |step: usize| {
                    let share = step as f64 / steps as f64;
                    square(pair[0].x + share * (pair[1].x - pair[0].x), pair[0].y + share * (pair[1].y - pair[0].y))
                };
                roads.extend((0..=steps).map(|step| (place(step), link)));
            }
        }
        roads.sort_unstable();
        roads.dedup();
        Self { roads }
    }

    /// The road nearest to a point, within [`OFF_MAX_M`]; of those that lead where the vehicle is heading, degrees
    /// clockwise from north, if any does.
    pub(super) fn nearest(&self, network: &Network, point: Point, heading: Option<f64>) -> Option<LinkId> {
        let towards = |heading| {
            let near = self.around(point).filter_map(|link| {
                let road = network.link(link);
                let (_, off) = project(&road.shape, road.length.get(), point, heading)?;
                (off < OFF_MAX_M).then_some((off, link))
            });
            near.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))).map(|(_, link)| link)
        };
        heading.and_then(|heading| towards(Some(heading))).or_else(|| towards(None))
    }

    /// Every road with a course within [`OFF_MAX_M`], some more than once, and others.
    fn around(&self, point: Point) -> impl Iterator<Item = LinkId> + '_ {
        let reach = OFF_MAX_M + STEP_M / 2.0;
        let (west, south) = square(point.x - reach, point.y - reach);
        let (east, north) = square(point.x + reach, point.y + reach);
        (west..=east).flat_map(move |column| {
            let from = self.roads.partition_point(|road| road.0 < (column, south));
            let here = self.roads[from..].iter().take_while(move |road| road.0 <= (column, north));
            here.map(|road| road.1)
        })
    }
}

fn square(x: f64, y: f64) -> (i32, i32) {
    ((x / SIDE_M).floor() as i32, (y / SIDE_M).floor() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::limits::Limits;
    use crate::twin::city;

    #[test]
    fn it_finds_what_a_look_at_every_road_finds() {
        let network = Network::build(city::demo(), &Limits::default()).expect("the city is sound");
        let places = Places::new(&network);
        let off = |link: LinkId, point, heading| {
            let road = network.link(link);
            project(&road.shape, road.length.get(), point, heading).map(|found| found.1)
        };
        let (mut found, mut none) = (0, 0);
        for row in 0..2000 {
            // A point here and there, up to 3 km apart, and a heading.
            let point = Point { x: f64::from(row * 7919 % 3001) - 200.0, y: f64::from(row * 104_729 % 3001) - 200.0 };
            let heading = (row % 3 > 0).then_some(f64::from(row * 37 % 360));
            let least = |heading| {
                let all = network.links().ids().filter_map(|link| off(link, point, heading));
                all.reduce(f64::min).filter(|&least| least < 60.0)
            };
            let led = heading.is_some_and(|heading| least(Some(heading)).is_some());
            let expected = least(heading.filter(|_| led));
            let ours = places.nearest(&network, point, heading);
            assert_eq!(
                ours.and_then(|link| off(link, point, heading.filter(|_| led))),
                expected,
                "{point:?} {heading:?}"
            );
            found += usize::from(ours.is_some());
            none += usize::from(ours.is_none());
        }
        assert!(found > 300 && none > 300, "{found} {none}");
    }
}

//! The way of an emergency vehicle: the fastest one through lights and queues that will be cleared for it.
//!
//! Flat arrays, a heap, and bounds by landmarks: the time from or to a far corner of the city, by the limit, says how
//! far two links are apart at least, or that no way leads from one to the other (A* with landmarks and the triangle
//! inequality). Source: Goldberg, Harrelson 2005.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::ids::{Id, LinkId, NodeId};
use crate::network::{Network, Turn};
use crate::time::Span;

/// Landmarks: in each of so many sectors around the middle of the city the outermost link to come from, and the outermost
/// to drive to. They are two: nothing leads into a road that enters the city.
const LANDMARKS: usize = 8;
/// An emergency vehicle drives at the limit times this where nothing holds it.
pub const PACE: f64 = 1.2;
/// It turns no faster than this, m/s.
const TURNING_MPS: f64 = 7.0;
const FAR: u32 = u32::MAX;
/// No way in a city takes so long, ms: a bound beyond it means that there is none.
const NO_WAY: u32 = FAR / 2;

/// A turn out of a link.
#[derive(Debug, Clone, Copy)]
struct Edge {
    to: u32,
    /// Through the node and along the link it leads to, ms.
    ms: u32,
}

/// The links as a search sees them.
#[derive(Debug, Clone)]
pub struct Atlas {
    first: Vec<u32>,
    edges: Vec<Edge>,
    /// By link: the time from each landmark, then to each, ms.
    bounds: Vec<[u32; 2 * LANDMARKS]>,
}

impl Atlas {
    /// Every link and turn of `network`.
    pub fn new(network: &Network) -> Self {
        let mut first = Vec::with_capacity(network.links().len() + 1);
        let mut edges = Vec::with_capacity(network.movements().len());
        for link in network.links().ids() {
            first.push(edges.len() as u32);
            for &movement in network.movements_from(link) {
                let movement = &network.movements()[movement];
                let to = network.link(movement.to);
                let speed = match movement.turn {
                    Turn::Straight => to.speed.get() * PACE,
                    _ => to.speed.get().min(TURNING_MPS),
                };
                let inside = movement.connections.first().map_or(0.0, |&c| network.connections()[c].length.get());
                let s = inside / speed.max(1.0) + to.free_flow().get() / PACE;
                edges.push(Edge { to: movement.to.index() as u32, ms: (s * 1000.0) as u32 });
            }
        }
        first.push(edges.len() as u32);
        let mut atlas = Self { bounds: Vec::new(), first, edges };
        atlas.bounds = atlas.landmarks(network);
        atlas
    }

    /// How far every link is from the outermost roads in, and to the outermost roads out.
    fn landmarks(&self, network: &Network) -> Vec<[u32; 2 * LANDMARKS]> {
        let mut bounds = vec![[FAR; 2 * LANDMARKS]; self.first.len() - 1];
        let back = self.reversed();
        let points = || network.links().values().map(|link| network.node(link.from).position);
        let count = bounds.len().max(1) as f64;
        let (x, y) = (points().map(|p| p.x).sum::<f64>() / count, points().map(|p| p.y).sum::<f64>() / count);
        for row in 0..LANDMARKS {
            let outermost = |end: &dyn Fn(LinkId) -> NodeId| {
                let out = |link: LinkId| {
                    let at = network.node(end(link)).position;
                    let turn = (at.y - y).atan2(at.x - x) / std::f64::consts::TAU * LANDMARKS as f64;
                    let inside = (turn - row as f64).round().rem_euclid(LANDMARKS as f64) < 0.5;
                    inside.then(|| ((at.x - x).hypot(at.y - y), link))
                };
                let found = network.links().ids().filter_map(out).max_by(|a, b| a.0.total_cmp(&b.0));
                found.map(|(_, link)| link)
            };
            let begins = outermost(&|link| network.link(link).from);
            let ends = outermost(&|link| network.link(link).to);
            for (graph, landmark, column) in [(self, begins, row), (&back, ends, LANDMARKS + row)] {
                let Some(landmark) = landmark else { continue };
                for (bound, ms) in bounds.iter_mut().zip(graph.reach(landmark)) {
                    bound[column] = ms;
                }
            }
        }
        bounds
    }

    /// The same graph against the arrows. An edge's time is that of the link it leads to, so that along any way
    /// between two links it counts once.
    fn reversed(&self) -> Self {
        let count = self.first.len() - 1;
        let mut first = vec![0_u32; count + 1];
        for edge in &self.edges {
            first[edge.to as usize + 1] += 1;
        }
        for row in 0..count {
            first[row + 1] += first[row];
        }
        let mut next = first.clone();
        let mut edges = vec![Edge { to: 0, ms: 0 }; self.edges.len()];
        for from in 0..count {
            for edge in self.out(from) {
                let slot = &mut next[edge.to as usize];
                edges[*slot as usize] = Edge { to: from as u32, ms: edge.ms };
                *slot += 1;
            }
        }
        Self { first, edges, bounds: Vec::new() }
    }

    fn out(&self, link: usize) -> &[Edge] {
        &self.edges[self.first[link] as usize..self.first[link + 1] as usize]
    }

    /// How far every link is from `start`, ms.
    fn reach(&self, start: LinkId) -> Vec<u32> {
        let mut far = vec![FAR; self.first.len() - 1];
        let mut open = BinaryHeap::from([Reverse((0_u32, start.index() as u32))]);
        far[start.index()] = 0;
        while let Some(Reverse((ms, link))) = open.pop() {
            if ms > far[link as usize] {
                continue;
            }
            for edge in self.out(link as usize) {
                let then = ms + edge.ms;
                if then < far[edge.to as usize] {
                    far[edge.to as usize] = then;
                    open.push(Reverse((then, edge.to)));
                }
            }
        }
        far
    }

    /// No way from `link` to `goal` is faster, ms; [`NO_WAY`] or more where none leads there: what comes from a landmark
    /// to `link` would come to `goal` too, and what goes from `goal` to a landmark would from `link`.
    fn at_least(&self, link: usize, goal: &[u32; 2 * LANDMARKS]) -> u32 {
        let own = &self.bounds[link];
        let mut most = 0;
        // Where a landmark tells nothing, the difference is none: FAR is the greatest.
        for row in 0..LANDMARKS {
            most = most.max(goal[row].saturating_sub(own[row]));
            most = most.max(own[LANDMARKS + row].saturating_sub(goal[LANDMARKS + row]));
        }
        most
    }

    /// The fastest way from the start of link `from` to the end of link `to`, both included, and how long it takes.
    /// `held` tells how long from now the end of a link cannot be passed yet, because a queue is being cleared or a
    /// green is owed to others; none where it cannot be passed at all. None where no way leads there.
    pub fn way(
        &self,
        network: &Network,
        (from, to): (LinkId, LinkId),
        held: impl Fn(LinkId) -> Option<Span>,
    ) -> Option<(Vec<LinkId>, Span)> {
        let goal = *self.bounds.get(to.index())?;
        let start = (network.links().get(from)?.free_flow().get() / PACE * 1000.0) as u32;
        // Of equal promise the one that has come farther goes first, or a chess-board is searched square by square.
        let key = |ms: u32, rest: u32| Reverse((ms.saturating_add(rest), u32::MAX - ms));
        // Zeros cost nothing where no link of a page of them is reached.
        let mut seen = vec![[0, 0]; self.first.len() - 1];
        let mut open = BinaryHeap::new();
        seen[from.index()] = [start + 1, 0];
        let rest = self.at_least(from.index(), &goal);
        if rest < NO_WAY {
            open.push((key(start, rest), from.index() as u32));
        }
        while let Some((Reverse((_, came)), link)) = open.pop() {
            let ms = u32::MAX - came;
            if ms >= seen[link as usize][0] {
                continue;
            }
            if link as usize == to.index() {
                return Some((trace(&seen, link), Span::from_ms(i64::from(ms))));
            }
            let Some(hold) = held(LinkId::of(link as usize)) else { continue };
            let leaves = ms.max(u32::try_from(hold.ms().max(0)).unwrap_or(NO_WAY));
            for edge in self.out(link as usize) {
                let then = leaves.saturating_add(edge.ms).min(FAR - 1);
                let known = &mut seen[edge.to as usize];
                if known[0] != 0 && known[0] <= then + 1 {
                    continue;
                }
                let rest = self.at_least(edge.to as usize, &goal);
                if rest < NO_WAY {
                    *known = [then + 1, link + 1];
                    open.push((key(then, rest), edge.to));
                }
            }
        }
        None
    }
}

/// The way to `last`. Of each link that was seen: when it can be there, ms, and from where, both and one, so that nothing
/// is zero.
fn trace(seen: &[[u32; 2]], last: u32) -> Vec<LinkId> {
    let mut way = vec![LinkId::of(last as usize)];
    let mut link = last;
    while let Some(before) = seen[link as usize][1].checked_sub(1) {
        link = before;
        way.push(LinkId::of(link as usize));
    }
    way.reverse();
    way
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::limits::Limits;
    use crate::network::route::Router;
    use crate::twin::city;

    #[test]
    fn it_is_as_fast_as_a_search_without_bounds() {
        let network = Network::build(city::demo(), &Limits::default()).expect("the city is sound");
        let (atlas, router) = (Atlas::new(&network), Router::new(&network));
        let count = network.links().len();
        let free = |link: LinkId| network.link(link).free_flow();
        let mut found = 0;
        for row in 0..60 {
            let pair = (LinkId::of(row * 37 % count), LinkId::of((row * 101 + 50) % count));
            let ours = atlas.way(&network, pair, |_| Some(Span::ZERO));
            let theirs = router.route(pair.0, pair.1, free);
            assert_eq!(ours.is_some(), theirs.is_some(), "{pair:?}");
            let (Some((way, took)), Some((other, _))) = (ours, theirs) else { continue };
            found += 1;
            for step in way.windows(2) {
                assert_eq!(network.link(step[0]).to, network.link(step[1]).from);
            }
            // The other way, driven the same, is no faster.
            let drive = |way: &[LinkId]| {
                let steps = way.windows(2).map(|p| {
                    let edge = atlas.out(p[0].index()).iter().find(|e| e.to as usize == p[1].index());
                    edge.expect("a turn").ms
                });
                (free(way[0]).get() / PACE * 1000.0) as u32 + steps.sum::<u32>()
            };
            assert_eq!(i64::from(drive(&way)), took.ms());
            assert!(drive(&way) <= drive(&other), "{pair:?}");
        }
        assert!(found > 30, "{found} ways");
    }

    /// The same question asked plainly: every link in the order of its time, no bounds, none of the atlas's numbers.
    fn plainly(network: &Network, (from, to): (LinkId, LinkId), held: impl Fn(LinkId) -> Option<Span>) -> Option<u32> {
        let ms = |s: f64| (s * 1000.0) as u32;
        let drive = |link: LinkId| network.link(link).free_flow().get() / PACE;
        let mut best = vec![None; network.links().len()];
        let mut open = BinaryHeap::from([Reverse((ms(drive(from)), from))]);
        while let Some(Reverse((at, link))) = open.pop() {
            if best[link.index()].is_some() {
                continue;
            }
            best[link.index()] = Some(at);
            let Some(hold) = held(link) else { continue };
            for &turn in network.movements_from(link) {
                let turn = &network.movements()[turn];
                let limit = network.link(turn.to).speed.get();
                let speed = if turn.turn == Turn::Straight { limit * PACE } else { limit.min(TURNING_MPS) };
                let inside = turn.connections.first().map_or(0.0, |&c| network.connections()[c].length.get());
                let then = at.max(hold.ms() as u32) + ms(inside / speed.max(1.0) + drive(turn.to));
                open.push(Reverse((then, turn.to)));
            }
        }
        best[to.index()]
    }

    #[test]
    fn it_is_as_fast_as_a_plain_search_whatever_is_held_and_closed() {
        for (world, pairs) in [(city::demo(), 400), (city::city(300, 3), 200)] {
            let network = Network::build(world, &Limits::default()).expect("the city is sound");
            let atlas = Atlas::new(&network);
            let count = network.links().len();
            let (mut ways, mut none, mut later) = (0, 0, 0);
            for row in 0..pairs {
                let pair = (LinkId::of(row * 37 % count), LinkId::of((row * 101 + 50) % count));
                // Up to four minutes at each line, another each time; one road in forty is closed.
                let held = |link: LinkId| {
                    let dice = (link.index() * 2_654_435_761 + row * 40_503) % 9_973;
                    (!dice.is_multiple_of(40))
                        .then(|| Span::from_s(if dice.is_multiple_of(3) { dice as i64 % 240 } else { 0 }))
                };
                let ours = atlas.way(&network, pair, held).map(|(_, took)| took.ms());
                assert_eq!(ours, plainly(&network, pair, held).map(i64::from), "{pair:?} of {count}");
                ways += usize::from(ours.is_some());
                none += usize::from(ours.is_none());
                let free = atlas.way(&network, pair, |_| Some(Span::ZERO)).map(|(_, took)| took.ms());
                later += usize::from(ours.is_some() && ours > free);
            }
            assert!(ways > pairs / 3 && none > pairs / 20 && later > pairs / 20, "{ways} {none} {later}");
        }
    }

    #[test]
    fn where_no_way_leads_nothing_is_searched() {
        let network = Network::build(city::demo(), &Limits::default()).expect("the city is sound");
        let atlas = Atlas::new(&network);
        let asked = std::cell::Cell::new(0);
        let count = |_| {
            asked.set(asked.get() + 1);
            Some(Span::ZERO)
        };
        // Nothing leads into a road that enters the city, and nothing out of one that leaves it.
        let entered = |l: LinkId| network.movements().values().any(|m| m.to == l);
        let enters = network.links().ids().find(|&l| !entered(l)).expect("an entry");
        let leaves = network.links().ids().find(|&l| network.movements_from(l).is_empty()).expect("an exit");
        let middle = |&l: &LinkId| entered(l) && !network.movements_from(l).is_empty();
        let middle = network.links().ids().find(middle).expect("another road");
        assert_eq!(atlas.way(&network, (middle, enters), count), None);
        assert_eq!(atlas.way(&network, (leaves, middle), count), None);
        assert_eq!(asked.get(), 0);
    }

    #[test]
    fn a_closed_link_is_gone_round_and_a_queue_waited_for_or_avoided() {
        let network = Network::build(city::demo(), &Limits::default()).expect("the city is sound");
        let atlas = Atlas::new(&network);
        let call = &city::morning::demand(&network, Span::from_s(3600), 1).calls[0];
        let pair = (call.route[0], *call.route.last().expect("a way"));
        let (way, took) = atlas.way(&network, pair, |_| Some(Span::ZERO)).expect("a way");
        let closed = way[way.len() / 2];
        let (round, longer) = atlas.way(&network, pair, |l| (l != closed).then_some(Span::ZERO)).expect("another way");
        assert!(!round.contains(&closed) && longer >= took);
        // The queue on its first link, which it cannot avoid, has gone before it comes there, or costs what is left.
        let first =
            |s| atlas.way(&network, pair, move |l| Some(if l == pair.0 { Span::from_s(s) } else { Span::ZERO }));
        let (_, early) = first(1).expect("a way");
        let (_, late) = first(100).expect("a way");
        assert_eq!(early, took);
        assert!(late > took + Span::from_s(60) && late < took + Span::from_s(100), "{took} {late}");
        assert_eq!(atlas.way(&network, pair, |l| (l != pair.0).then_some(Span::ZERO)), None);
    }
}

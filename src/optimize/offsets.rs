//! Offsets: when each junction of an area starts its cycle, so that platoons meet green.
//!
//! What is queued on a road depends on one difference of offsets alone, once the departures that feed it are given. So
//! each road becomes a table by that difference, and an area's offsets a search over tables: first one junction after
//! another along the roads that matter most, then single junctions and whole branches are moved while that helps. The
//! departures are then made anew under the offsets found, and the search is repeated. All in a fixed order.

use super::profile::Model;

/// Searches, each with departures made anew.
const SEARCHES: usize = 3;
/// Passes over all junctions within a search.
const PASSES: usize = 24;
/// Mean vehicles queued that count as an improvement.
const WORTH: f64 = 1e-4;

/// Offsets with the mean number of vehicles queued at every stop line of the area.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Each junction's offset, bins.
    pub offsets: Vec<usize>,
    /// Mean number of vehicles queued.
    pub queued: f64,
}

/// The best offsets found for `junctions` junctions, never worse by the model's own measure than any of `known`.
pub fn optimise(model: &Model, junctions: usize, known: &[Vec<usize>]) -> Found {
    let judge = |offsets: Vec<usize>| {
        let (departures, queued) = model.settle(&offsets, model.steady());
        (Found { offsets, queued }, departures)
    };
    let (mut best, _) = judge(vec![0; junctions]);
    for offsets in known {
        let (found, _) = judge(offsets.clone());
        if found.queued < best.queued {
            best = found;
        }
    }
    let mut departures = model.steady();
    let mut from: Option<Vec<usize>> = None;
    for _ in 0..SEARCHES {
        let tables = Tables::new(model, junctions, &departures);
        let offsets = tables.search(from.take());
        let (found, left) = judge(offsets);
        departures = left;
        from = Some(found.offsets.clone());
        if found.queued + WORTH < best.queued {
            best = found;
        }
    }
    best
}

/// Two junctions, and what is queued between them by the offset of the second minus that of the first.
struct Pair {
    a: usize,
    b: usize,
    queued: Vec<f32>,
    /// The difference between the worst and the best offset.
    swing: f32,
}

struct Tables {
    bins: usize,
    pairs: Vec<Pair>,
    /// Each junction's pairs.
    at: Vec<Vec<usize>>,
}

impl Tables {
    fn new(model: &Model, junctions: usize, departures: &[Vec<f32>]) -> Self {
        let n = model.bins;
        let mut ways: Vec<_> = model.ways.iter().filter(|way| way.from != way.to).collect();
        ways.sort_by_key(|way| (way.from.min(way.to), way.from.max(way.to), way.from));
        let mut pairs: Vec<Pair> = Vec::new();
        for way in ways {
            let (a, b) = (way.from.min(way.to), way.from.max(way.to));
            if pairs.last().is_none_or(|last| (last.a, last.b) != (a, b)) {
                pairs.push(Pair { a, b, queued: vec![0.0; n], swing: 0.0 });
            }
            let sums = &mut pairs.last_mut().expect("one was just pushed").queued;
            for (later, queued) in model.queued(way, departures).into_iter().enumerate() {
                sums[if way.from == a { later } else { (n - later) % n }] += queued;
            }
        }
        let mut at = vec![Vec::new(); junctions];
        for (i, pair) in pairs.iter_mut().enumerate() {
            let (low, high) = pair.queued.iter().fold((f32::MAX, 0.0f32), |(l, h), &q| (l.min(q), h.max(q)));
            pair.swing = high - low;
            at[pair.a].push(i);
            at[pair.b].push(i);
        }
        Self { bins: n, pairs, at }
    }

    /// What is queued on `pair` if `side` (one of its junctions) moves by `shift` from `offsets`.
    fn queued(&self, pair: &Pair, offsets: &[usize], side: usize, shift: usize) -> f32 {
        let n = self.bins;
        let later = offsets[pair.b] + n - offsets[pair.a];
        let later = if side == pair.b { later + shift } else { later + n - shift };
        pair.queued[later % n]
    }

    /// The shift that helps most when the sides given of these pairs move, and what it saves; the smallest of equals.
    fn best_shift(&self, moved: &[(usize, usize)], offsets: &[usize]) -> (usize, f64) {
        let total = |shift: usize| -> f64 {
            moved.iter().map(|&(p, side)| f64::from(self.queued(&self.pairs[p], offsets, side, shift))).sum()
        };
        let now = total(0);
        let best = (0..self.bins).map(|shift| (shift, total(shift))).min_by(|a, b| a.1.total_cmp(&b.1));
        best.filter(|&(_, t)| t + WORTH < now).map_or((0, 0.0), |(shift, t)| (shift, now - t))
    }

    fn search(&self, from: Option<Vec<usize>>) -> Vec<usize> {
        let (order, parent) = self.grow_tree();
        let mut offsets = vec![0; self.at.len()];
        match from {
            Some(from) => offsets = from,
            None => {
                let mut placed = vec![false; self.at.len()];
                for &junction in &order {
                    let moved = self.moved(|j| j == junction, |j| placed[j], &self.at[junction]);
                    offsets[junction] = self.best_shift(&moved, &offsets).0;
                    placed[junction] = true;
                }
            }
        }
        for _ in 0..PASSES {
            let mut saved = 0.0;
            for &junction in &order {
                let moved = self.moved(|j| j == junction, |j| j != junction, &self.at[junction]);
                saved += self.shift(&moved, &[junction], &mut offsets);
            }
            if saved < WORTH {
                saved += self.move_branches(&order, &parent, &mut offsets);
            }
            if saved < WORTH {
                break;
            }
        }
        offsets
    }

    /// Pairs between what moves and what stays, each with its side that moves.
    fn moved(
        &self,
        moves: impl Fn(usize) -> bool,
        stays: impl Fn(usize) -> bool,
        pairs: &[usize],
    ) -> Vec<(usize, usize)> {
        let side = |&p: &usize| {
            let (a, b) = (self.pairs[p].a, self.pairs[p].b);
            match (moves(a) && stays(b), moves(b) && stays(a)) {
                (true, _) => Some((p, a)),
                (_, true) => Some((p, b)),
                _ => None,
            }
        };
        pairs.iter().filter_map(side).collect()
    }

    fn shift(&self, moved: &[(usize, usize)], who: &[usize], offsets: &mut [usize]) -> f64 {
        let (shift, saved) = self.best_shift(moved, offsets);
        for &junction in who {
            offsets[junction] = (offsets[junction] + shift) % self.bins;
        }
        saved
    }

    /// Moves each branch of the tree as a whole: what one junction alone cannot leave, a branch can.
    fn move_branches(&self, order: &[usize], parent: &[Option<usize>], offsets: &mut [usize]) -> f64 {
        let mut saved = 0.0;
        for &root in order.iter().filter(|&&j| parent[j].is_some()) {
            let mut inside = vec![false; self.at.len()];
            inside[root] = true;
            // Parents come before their children in the order.
            for &junction in order {
                inside[junction] |= parent[junction].is_some_and(|p| inside[p]);
            }
            let who: Vec<usize> = order.iter().copied().filter(|&j| inside[j]).collect();
            if who.len() < 2 {
                continue;
            }
            let pairs: Vec<usize> = who.iter().flat_map(|&j| self.at[j].iter().copied()).collect();
            let moved = self.moved(|j| inside[j], |j| !inside[j], &pairs);
            saved += self.shift(&moved, &who, offsets);
        }
        saved
    }

    /// An order in which each junction comes after the neighbours that matter most, and its neighbour of that kind.
    fn grow_tree(&self) -> (Vec<usize>, Vec<Option<usize>>) {
        let n = self.at.len();
        let swing = |j: usize| -> f32 { self.at[j].iter().map(|&p| self.pairs[p].swing).sum() };
        let mut pull = vec![0.0f32; n];
        let mut nearest: Vec<Option<(f32, usize)>> = vec![None; n];
        let mut placed = vec![false; n];
        let (mut order, mut parent) = (Vec::with_capacity(n), vec![None; n]);
        while order.len() < n {
            let open = (0..n).filter(|&j| !placed[j]);
            let next = open.max_by(|&a, &b| {
                pull[a].total_cmp(&pull[b]).then_with(|| swing(a).total_cmp(&swing(b))).then(b.cmp(&a))
            });
            let Some(next) = next else { break };
            placed[next] = true;
            parent[next] = nearest[next].map(|(_, parent)| parent);
            order.push(next);
            for pair in self.at[next].iter().map(|&p| &self.pairs[p]) {
                let other = if pair.a == next { pair.b } else { pair.a };
                pull[other] += pair.swing;
                if nearest[other].is_none_or(|(swing, _)| swing < pair.swing) {
                    nearest[other] = Some((pair.swing, next));
                }
            }
        }
        (order, parent)
    }
}

#[cfg(test)]
mod tests {
    use super::super::profile::{Stream, Way};
    use super::*;

    /// Green for `green` bins from the junction's start, at 0.5 vehicles a bin.
    fn stream(junction: usize, green: usize, flow: f32, way: Option<usize>) -> Stream {
        let capacity = (0..60).map(|t| if t < green { 0.5 } else { 0.0 }).collect();
        Stream { junction, flow, capacity, way }
    }

    fn way(from: usize, to: usize, feed: usize, flow: f32, to_stream: usize) -> Way {
        Way { from, to, feeds: vec![(feed, 1.0, 30.0)], flow, streams: vec![to_stream] }
    }

    #[test]
    fn a_one_way_street_is_a_green_wave() {
        // A side street makes the first junction's 40 s of red cost something; the second shows green for 20 s too. The
        // road takes 30 s, of which the head of a platoon needs 24: green has to begin between the two.
        let streams = vec![stream(0, 20, 0.12, None), stream(1, 20, 0.12, Some(0))];
        let model = Model { bins: 60, bin_s: 1.0, streams, ways: vec![way(0, 1, 0, 0.12, 1)] };
        let found = optimise(&model, 2, &[]);
        let later = model.difference(found.offsets[0], found.offsets[1]);
        assert!((24..=30).contains(&later), "{later}");
    }

    #[test]
    fn both_ways_of_a_street_count_by_what_they_carry() {
        // 30 s each way in a cycle of 60 s: what suits one suits the other, half a cycle apart.
        let streams = vec![
            stream(0, 25, 0.12, None),
            stream(1, 25, 0.12, Some(0)),
            stream(1, 25, 0.1, None),
            stream(0, 25, 0.1, Some(1)),
        ];
        let ways = vec![way(0, 1, 0, 0.12, 1), way(1, 0, 2, 0.1, 3)];
        let model = Model { bins: 60, bin_s: 1.0, streams, ways };
        let found = optimise(&model, 2, &[]);
        let later = model.difference(found.offsets[0], found.offsets[1]);
        assert!((24..=36).contains(&later), "{later}");
        let zero = model.settle(&[0, 0], model.steady()).1;
        assert!(found.queued < 0.75 * zero, "{} {zero}", found.queued);
    }

    #[test]
    fn a_found_plan_is_never_worse_than_a_known_one() {
        // A ring of three whose travel times do not close: no offsets suit all, and any start must be beaten or kept.
        let streams = (0..3).map(|j| stream(j, 18, 0.1, Some(j))).collect();
        let ways = (0..3).map(|j| way((j + 2) % 3, j, (j + 2) % 3, 0.1, j)).collect();
        let model = Model { bins: 60, bin_s: 1.0, streams, ways };
        for (a, b) in (0..60).step_by(7).flat_map(|a| (0..60).step_by(7).map(move |b| (a, b))) {
            let known = vec![0, a, b];
            let before = model.settle(&known, model.steady()).1;
            let found = optimise(&model, 3, &[known]);
            assert!(found.queued <= before, "{a} {b}: {} {before}", found.queued);
        }
    }
}

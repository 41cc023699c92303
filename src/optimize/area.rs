//! Areas: junctions that feed each other and gain more from a common cycle than it costs them.

use crate::ids::{Id, JunctionId, Table};

/// Traffic that leaves one junction and reaches another without a signal between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tie {
    /// The junction it leaves.
    pub from: JunctionId,
    /// The junction it reaches.
    pub to: JunctionId,
    /// How much, veh/h.
    pub flow: f64,
    /// How long it takes, seconds.
    pub travel: f64,
}

/// An area grows to this many junctions at most, so that it can be retimed in one go.
pub const LARGEST: usize = 256;
/// A platoon that has just formed saves so much if it meets green, s/veh, and less as it disperses.
const SAVING_S: f64 = 8.0;
/// After so long on the road a platoon is worth 1/e.
const FADES_S: f64 = 60.0;

/// Each junction's area. Areas are numbered by their first junction.
///
/// `delays[j][i]` is the delay of junction `j`, veh·h/h, in the i-th of a ladder of cycles; not finite where it cannot
/// run that. Ties are taken in the order of what coordination could win on them; two areas become one while their best
/// common cycle costs less than that.
pub fn areas(delays: &Table<JunctionId, Vec<f64>>, ties: &[Tie]) -> Table<JunctionId, usize> {
    let n = delays.len();
    let mut parent: Vec<usize> = (0..n).collect();
    let mut total: Vec<Vec<f64>> = delays.values().cloned().collect();
    let mut size = vec![1usize; n];
    let mut order: Vec<(f64, usize, usize)> = pairs(ties);
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    for (wins, a, b) in order {
        let (a, b) = (root(&mut parent, a), root(&mut parent, b));
        if a == b || size[a] + size[b] > LARGEST {
            continue;
        }
        let together: Vec<f64> = total[a].iter().zip(&total[b]).map(|(x, y)| x + y).collect();
        let costs = least(&together) - least(&total[a]) - least(&total[b]);
        if costs <= wins {
            let (first, second) = (a.min(b), a.max(b));
            parent[second] = first;
            size[first] += size[second];
            total[first] = together;
        }
    }
    (0..n).map(|j| root(&mut parent, j)).collect()
}

/// What coordination could win between each two junctions that feed each other, veh·h/h.
fn pairs(ties: &[Tie]) -> Vec<(f64, usize, usize)> {
    let mut all: Vec<(usize, usize, f64)> = ties
        .iter()
        .filter(|tie| tie.from != tie.to)
        .map(|tie| {
            let (a, b) = (tie.from.index().min(tie.to.index()), tie.from.index().max(tie.to.index()));
            (a, b, tie.flow * SAVING_S * (-tie.travel / FADES_S).exp() / 3600.0)
        })
        .collect();
    all.sort_by_key(|&(a, b, _)| (a, b));
    let mut merged: Vec<(f64, usize, usize)> = Vec::new();
    for (a, b, wins) in all {
        match merged.last_mut() {
            Some(last) if (last.1, last.2) == (a, b) => last.0 += wins,
            _ => merged.push((wins, a, b)),
        }
    }
    merged
}

fn least(delays: &[f64]) -> f64 {
    delays.iter().copied().fold(f64::INFINITY, f64::min)
}

fn root(parent: &mut [usize], mut of: usize) -> usize {
    while parent[of] != of {
        parent[of] = parent[parent[of]];
        of = parent[of];
    }
    of
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grouped(delays: [[f64; 3]; 3], ties: &[(usize, usize, f64, f64)]) -> Vec<usize> {
        let tie = |&(from, to, flow, travel): &(usize, usize, f64, f64)| Tie {
            from: JunctionId::of(from),
            to: JunctionId::of(to),
            flow,
            travel,
        };
        let delays = delays.into_iter().map(Vec::from).collect();
        areas(&delays, &ties.iter().map(tie).collect::<Vec<_>>()).values().copied().collect()
    }

    #[test]
    fn who_feeds_each_other_and_wants_the_same_cycle_is_one_area() {
        let flat = [2.0, 1.0, 2.0];
        // 900 veh/h at 20 s can save 900 × 8 × e^(−1/3) / 3 600 = 1.43 veh·h/h.
        assert_eq!(grouped([flat; 3], &[(0, 1, 900.0, 20.0), (1, 2, 900.0, 20.0)]), [0, 0, 0]);
        // Nobody goes from the second to the third.
        assert_eq!(grouped([flat; 3], &[(0, 1, 900.0, 20.0)]), [0, 0, 2]);
        // The third wants the longest cycle, which costs the others 2; coordination wins 1.43 at most.
        let other = [f64::INFINITY, 5.0, 1.0];
        assert_eq!(grouped([flat, flat, other], &[(0, 1, 900.0, 20.0), (1, 2, 900.0, 20.0)]), [0, 0, 2]);
    }

    #[test]
    fn a_junction_that_cannot_run_any_common_cycle_stays_alone() {
        let (short, long) = ([1.0, f64::INFINITY, f64::INFINITY], [f64::INFINITY, f64::INFINITY, 1.0]);
        assert_eq!(grouped([short, long, short], &[(0, 1, 3600.0, 5.0)]), [0, 1, 2]);
    }
}

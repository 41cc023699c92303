//! Which partial sequences live on at an instant.

use super::{Beam, Node, PER_STAGE_MAX};
use crate::optimize::horizon::lineup::Scene;
use crate::optimize::horizon::serve::later;

/// Those that live on at one instant in one stage, by their places there, in order.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bucket {
    count: u8,
    places: [u8; PER_STAGE_MAX],
}

impl Bucket {
    fn places(&self) -> &[u8] {
        &self.places[..usize::from(self.count)]
    }

    fn push(&mut self, place: u8) {
        self.places[usize::from(self.count)] = place;
        self.count += 1;
    }

    fn remove(&mut self, place: usize) {
        let Some(row) = self.places().iter().position(|&p| usize::from(p) == place) else { return };
        self.places[row..usize::from(self.count)].rotate_left(1);
        self.count -= 1;
    }
}

impl Beam {
    /// Puts a partial sequence among those that live on at an instant, if it is good enough: `node`, and what slot `from`
    /// says of its streams and exits. Its worth, where that is known already.
    pub(super) fn keep(&mut self, at: usize, scene: Scene<'_>, from: usize, mut node: Node, worth: Option<f32>) {
        let first = at * self.size.width;
        node.owes = later(node.owes, self.instants[at]);
        let buckets = at * scene.layout.stages.len();
        let mine = buckets + usize::from(node.stage);
        let peers = self.buckets[mine];
        // Of two that have come to the same, the one that owes less may go on sooner: a walk is ended early, not late.
        let mut beaten = None;
        for &place in peers.places() {
            let n = &self.nodes[first + usize::from(place)];
            if n.served == node.served && n.claims == node.claims {
                if n.gain >= node.gain && n.owes <= node.owes {
                    return;
                }
                if beaten.is_none() && n.gain <= node.gain && n.owes >= node.owes {
                    beaten = Some(usize::from(place));
                }
            }
        }
        let worth = worth.unwrap_or_else(|| node.gain - scene.lineup.rest(scene.situation, self.streams(from)));
        node.worth = worth;
        let count = self.counts[at];
        let worth_of = |place: usize| self.nodes[first + place].worth;
        let least = |a: &usize, b: &usize| worth_of(*a).total_cmp(&worth_of(*b));
        let to = if let Some(beaten) = beaten {
            beaten
        } else if count < self.size.width && peers.places().len() < self.size.per_stage {
            self.counts[at] += 1;
            self.buckets[mine].push(count as u8);
            count
        } else {
            // Where there are more stages than the beam is wide, the first of a stage contends with all.
            let worst = match peers.places() {
                [] => (0..count).min_by(least),
                peers => peers.iter().map(|&place| usize::from(place)).min_by(least),
            };
            let Some(worst) = worst.filter(|&worst| worth_of(worst) < worth) else { return };
            if peers.places().is_empty() {
                let stage = usize::from(self.nodes[first + worst].stage);
                self.buckets[buckets + stage].remove(worst);
                self.buckets[mine].push(worst as u8);
            }
            worst
        };
        self.copy(from, first + to);
        self.nodes[first + to] = node;
    }
}

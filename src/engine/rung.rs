//! Which rung of the ladder each junction is on, and telling when that changes.

use crate::engine::Engine;
use crate::ids::span;
use crate::output::{Output, RungChange};
use crate::plan::ladder::{Facts, known, rung};
use crate::time::Span;

/// Even a road that is believed empty counts a little, veh/h: what is known of it matters too.
const LEAST_FLOW: f64 = 10.0;

impl Engine {
    /// Finds every junction's rung and says which have changed.
    pub(super) fn find_rungs(&mut self) {
        for (id, post) in self.posts.iter_mut() {
            let junction = self.network.junction(id);
            let lanes = junction.approaches.iter().flat_map(|&link| span(&self.network.link(link).lanes));
            let states = lanes.filter_map(|lane| self.traffic.lane(lane));
            let silent = post.ledger.heard_at().map_or(Span::ZERO, |heard| self.now - heard);
            let facts = Facts {
                contact: post.ledger.contact(),
                silent,
                unanswered: post.ledger.unanswered(),
                order: post.orders.order(self.now),
                demand: known(states.map(|lane| (lane.quality, lane.arrivals.flow.get() + LEAST_FLOW))),
            };
            let (rung, reason) = rung(&facts);
            if post.rung != Some(rung) {
                post.rung = Some(rung);
                let reason = reason.to_string().into();
                self.out.push(Output::Rung(RungChange { at: self.now, junction: id, rung, reason }));
            }
        }
    }
}

//! Which rung of the ladder each junction is on, and telling when that changes.

use crate::engine::timed::Present;
use crate::engine::{Control, Engine};
use crate::ids::{Id, span};
use crate::output::{Output, RungChange};
use crate::plan::ladder::{Facts, Rung, known, rung};
use crate::time::Span;
use crate::traffic::tracker::LaneTrack;

/// Even a road that is believed empty counts a little, veh/h: what is known of it matters too.
const LEAST_FLOW: f64 = 10.0;

/// How well a junction's demand is known is reviewed this often; junctions take turns.
const REVIEW: Span = Span::from_s(3);

/// One review's weight in how badly it is known who is where: a memory of two minutes.
const DOUBT_WEIGHT: f32 = 1.0 / 40.0;
/// With more doubt than this, vehicles² a lane, actuation does better than a schedule; with less than the second the
/// schedule comes back. Source: with loops alone in SUMO, schedules win where it is 0.3 to 0.4 and jam from 0.4 on.
const DOUBTFUL: [f32; 2] = [0.35, 0.3];

impl Engine {
    /// Finds every junction's rung and says which have changed.
    pub(super) fn find_rungs(&mut self) {
        let ticks = (REVIEW.ms() / self.settings.tick_ms).max(1) as usize;
        let turn = (self.now.ms() / self.settings.tick_ms).rem_euclid(ticks as i64) as usize;
        let present = Present {
            network: &self.network,
            tracker: &self.tracker,
            traffic: &self.traffic,
            now: self.now,
            grid: self.settings.grid(),
        };
        for (id, post) in self.posts.iter_mut() {
            let junction = self.network.junction(id);
            if post.rung.is_none() || turn == id.index() % ticks {
                let lanes = junction.approaches.iter().flat_map(|&link| span(&self.network.link(link).lanes));
                post.known = known(lanes.filter_map(|lane| {
                    let quality = self.traffic.quality(lane)?;
                    Some((quality, self.traffic.arrivals(lane).flow.get() + LEAST_FLOW))
                }));
            }
            if turn == id.index() % ticks {
                let lanes = || post.layout.lanes().filter_map(|lane| self.tracker.lane(lane));
                let doubt = lanes().map(LaneTrack::uncertainty).sum::<f32>() / lanes().count().max(1) as f32;
                post.doubt += (doubt - post.doubt) * DOUBT_WEIGHT;
                if self.settings.control == Control::Greenwave {
                    present.review(id, post);
                }
            }
            let silent = post.ledger.heard_at().map_or(Span::ZERO, |heard| self.now - heard);
            let facts = Facts {
                contact: post.ledger.contact(),
                silent,
                unanswered: post.ledger.unanswered(),
                order: post.orders.order(self.now),
                demand: post.known,
                full: post.fullness.round(),
                doubtful: post.doubt > DOUBTFUL[usize::from(post.rung == Some(Rung::Actuated))],
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

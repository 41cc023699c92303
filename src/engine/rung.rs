//! Which rung of the ladder each junction is on, and telling when that changes.

use crate::engine::timed::Present;
use crate::engine::{Control, Engine};
use crate::ids::{Id, span};
use crate::output::{Output, RungChange};
use crate::plan::ladder::{Facts, Rung, known, rung};
use crate::time::Span;

/// Even a road that is believed empty counts a little, veh/h: what is known of it matters too.
const LEAST_FLOW: f64 = 10.0;

/// How well a junction's demand is known is reviewed this often; junctions take turns.
const REVIEW: Span = Span::from_s(3);

/// Where so many more or fewer stand at the lines than was believed, of those who cross, actuation does better than a schedule;
/// where fewer than the second the schedule comes back. Source: with loops alone in SUMO, schedules win in grid4x4, where it
/// is 0.00, and lose in Cologne and Ingolstadt, where it is 0.3 to 1.1; in the demo's city with a fifth of the sensors dead it
/// is under 0.1 at nine junctions in ten, and schedules win.
const DOUBTFUL: [f32; 2] = [0.2, 0.15];
/// A lane that hardly anybody leaves says little, vehicles a second.
const HARDLY: f32 = 0.005;

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
                let lanes = post.layout.lanes().filter_map(|lane| self.tracker.lane(lane));
                let (left, unexpected) = lanes.fold((HARDLY, 0.0), |(all, sum), track| {
                    let (left, unexpected) = track.borne_out();
                    (all + left + HARDLY, if track.watched() { sum } else { sum + unexpected })
                });
                post.doubt = unexpected / left;
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

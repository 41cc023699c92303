//! A junction on an emergency vehicle's way: when its lamps have to leave for the vehicle's stage, and how long they stay.
//! Preemption goes before optimization, and an operator before both.

use crate::corridor::approach::{Approach, Scene};
use crate::corridor::clear::Sight;
use crate::corridor::preempt::Preemption;
use crate::engine::Engine;
use crate::engine::draft::Wish;
use crate::engine::post::Post;
use crate::ids::{JunctionId, LaneId};
use crate::network::Junction;
use crate::output::Source;
use crate::plan::draft::Change;
use crate::plan::running::Running;
use crate::time::{Span, Time};

/// A green that is there already is kept from so long before it is wanted.
const GUARD: Span = Span::from_s(8);
/// A change that makes a vehicle later by no more than this is not kept from being made.
const LATER: Span = Span::from_s(2);
/// Orders for later than this say nothing yet.
const AHEAD: Span = Span::from_s(180);

impl Engine {
    /// What the vehicles on their way ask of a junction now, if that is anything.
    pub(super) fn preempted(&mut self, id: JunctionId, running: &Running, from: Time) -> Option<Wish> {
        if let Some(order) = self.ask(id, from) {
            let junction = self.network.junction(id);
            let post = &self.posts[id];
            let scene = self.scene(post, junction);
            let approach = scene.approach(running, from, order)?;
            let early = if approach.changes.is_empty() { GUARD } else { Span::ZERO };
            let begins = order.from - approach.green <= early;
            let wish = begins.then(|| self.lead(&scene, running, from, &approach, order));
            self.posts[id].approach = Some(approach);
            return wish;
        }
        self.repay(id, running, from)
    }

    /// What a junction does on the way to a vehicle's green and while it lasts: the changes that lead there, a hold, and
    /// everybody else in turn.
    fn lead(&self, scene: &Scene<'_>, running: &Running, from: Time, approach: &Approach, order: &Preemption) -> Wish {
        let (junction, grid) = (scene.bounds.junction, scene.grid);
        let wish = |changes, otherwise, hold| Wish {
            changes,
            otherwise,
            program: scene.program.clone(),
            source: Source::Corridor,
            hold,
        };
        let mut then = running.clone();
        approach.changes.iter().for_each(|&change| then.follow(change, junction));
        let first = approach.green.max(from);
        let leaves = order.until.min(approach.lasts).max(first);
        if scene.round(&then, leaves).is_empty() {
            return wish(approach.changes.clone(), Vec::new(), leaves - from);
        }
        let held_for = |quarters: i64| {
            let leaves = (first + Span::from_ms((leaves - first).ms() / 4 * quarters)).ceil(grid);
            approach.changes.iter().copied().chain(scene.round(&then, leaves)).collect()
        };
        wish(held_for(4), [3, 2, 1, 0].map(held_for).to_vec(), Span::ZERO)
    }

    /// Whether a vehicle on its way would come later to its green if the rolling schedule made its next change: then a
    /// junction leaves for the vehicle's stage when the schedule would have left for another. It never stays where it is
    /// for the vehicle's sake: the instant at which one that stands may come moves on with the clock.
    pub(super) fn spoils(&self, id: JunctionId, running: &Running, from: Time, changes: &[Change]) -> Option<Wish> {
        let (post, junction) = (&self.posts[id], self.network.junction(id));
        let (order, approach) = (self.ask(id, from)?, post.approach.as_ref()?);
        let change = changes.first()?;
        let mut then = running.clone();
        then.follow(*change, junction);
        let scene = self.scene(post, junction);
        let soonest = change.at + self.settings.grid();
        let late = scene.approach(&then, soonest, order).map(|after| after.late);
        if late.is_some_and(|late| late <= approach.late + LATER) {
            return None;
        }
        let slack = (order.from - approach.green).max(Span::ZERO).floor(scene.grid);
        let early = scene.approach(running, change.at.min(from + slack).max(from), order)?;
        Some(self.lead(&scene, running, from, &early, order))
    }

    /// The first order in force for a junction, if it is near enough to matter.
    pub(super) fn ask(&self, id: JunctionId, from: Time) -> Option<&Preemption> {
        first(&self.preempt, id, from)
    }

    fn scene<'a>(&self, post: &'a Post, junction: &'a Junction) -> Scene<'a> {
        let (bounds, waiting) = (post.bounds(junction), post.waiting.since());
        Scene { bounds, waiting, program: &post.after, grid: self.settings.grid() }
    }

    /// What the corridors see of a lane here: those of its vehicles that are within `within_m` of its end.
    pub(super) fn sight_of(&self, lane: LaneId, within_m: f64) -> Option<Sight> {
        let track = self.tracker.lane(lane)?;
        let discharge = track.discharge();
        Some(Sight {
            vehicles: track.vehicles().iter().filter(|v| f64::from(v.gap) <= within_m).count() as f64,
            room: f64::from(track.room()),
            headway_s: f64::from(discharge.headway_s),
            startup_s: f64::from(discharge.startup_s),
            flow: self.traffic.arrivals(lane).flow.get() / 3600.0,
            closed: self.closed.contains(&lane),
            stuck: self.fronts.stuck(lane),
        })
    }
}

/// The first order in force for a junction that is wanted before long; orders are sorted by junction.
pub(super) fn first(orders: &[Preemption], id: JunctionId, from: Time) -> Option<&Preemption> {
    let begin = orders.partition_point(|o| o.junction < id);
    let here = orders[begin..].iter().take_while(|o| o.junction == id);
    here.into_iter().find(|o| o.until > from && o.from <= from + AHEAD)
}

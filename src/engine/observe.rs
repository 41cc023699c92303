//! From readings and lamps to what is known of vehicles, and who waits.

use std::ops::Range;

use crate::engine::waiting::Presence;
use crate::engine::{Boundary, Engine};
use crate::event::Reading;
use crate::ids::{GroupId, Id, LaneId, span};
use crate::plan::ladder::Rung;
use crate::time::Span;
use crate::traffic::quality::Quality;
use crate::traffic::saturation::Norm;
use crate::traffic::tracker::Input;
use crate::units::Vehicles;

/// What was learned of a lane is handed to the tracker this often; lanes take turns.
const LESSON: Span = Span::from_s(30);

impl Engine {
    /// Closes the tick for the estimator and the tracker.
    pub(super) fn estimate(&mut self, readings: &[&Reading], inbox: &Boundary) {
        for crossing in &inbox.left {
            let link = self.network.lane(self.network.connections()[crossing.connection].to).link;
            self.traffic.expect(link, Vehicles::constant(1.0));
        }
        self.traffic.advance(self.now, &self.open);
        let allowed = self.settings.tick() + self.settings.lateness();
        let input = Input { now: self.now, readings, allowed, open: &self.open, entered: &inbox.left };
        self.tracker.step(&self.network, &self.sensors, &input);
        self.traffic.learn_pace(self.tracker.mean_pace());
        for link in span(&self.partition.links) {
            self.traffic.believe(link, self.tracker.take_account(&self.network.link(link).lanes));
        }
        for &lane in &self.closed {
            self.tracker.clear(lane);
        }
        if let Some(sight) = &mut self.sight {
            // Who was on a loop when the newest readings were taken is there now, however late they come.
            let seen_at = self.tracker.clock();
            if self.settings.control.is_reference() {
                sight.look(seen_at, &self.traffic, span(&self.partition.lanes));
            } else {
                let actuated = self.posts.values().filter(|post| post.rung == Some(Rung::Actuated));
                sight.look(seen_at, &self.traffic, actuated.flat_map(|post| post.lanes.values().flatten().copied()));
            }
        }
        self.foreign.clone_from(&inbox.expected);
        self.teach();
    }

    /// Closes the tick for the estimator alone: nobody is told what to do.
    pub(super) fn watch(&mut self, inbox: &Boundary) {
        for &(link, vehicles) in &inbox.flowed {
            self.traffic.expect(link, vehicles);
        }
        self.traffic.advance(self.now, &self.open);
        self.report();
    }

    /// Tells the tracker how lanes discharge and turn, a part of them each tick.
    fn teach(&mut self) {
        let ticks = (LESSON.ms() / self.settings.tick_ms).max(1) as usize;
        let turn = (self.now.ms() / self.settings.tick_ms).rem_euclid(ticks as i64) as usize;
        let Range { start, end } = &self.partition.lanes;
        if turn == 0 {
            self.norm = Norm::default();
            let lanes = (start.index()..end.index()).map(LaneId::of).filter_map(|lane| self.traffic.saturation(lane));
            lanes.for_each(|lane| self.norm.add(lane));
        }
        for lane in (start.index() + turn..end.index()).step_by(ticks).map(LaneId::of) {
            if let Some(saturation) = self.traffic.saturation(lane) {
                self.tracker.learn_discharge(lane, self.norm.told(saturation));
            }
            let link = self.network.lane(lane).link;
            if self.network.link(link).lanes.start == lane {
                for &sensor in self.sensors.on(link) {
                    let factor = self.traffic.factor(sensor) as f32;
                    self.tracker.learn_factor(&self.sensors, sensor, factor);
                }
            }
            for (path, share) in self.traffic.turning(lane) {
                self.tracker.learn_share(path, share as f32);
            }
        }
    }

    /// Finds out who is inside each junction.
    pub(super) fn look_inside(&mut self) {
        for &crossing in self.tracker.crossed() {
            let link = self.network.lane(self.network.connections()[crossing.connection].from).link;
            let Some(post) = self.network.junction_at_end(link).and_then(|id| self.posts.get_mut(id)) else { continue };
            if let Some(stage) = post.ledger.stage() {
                post.inside.enter(&post.layout, stage, crossing);
            }
        }
        let time = (self.now, self.settings.tick());
        for (id, post) in self.posts.iter_mut() {
            post.inside.advance(&post.layout, &self.tracker, self.open[id], time);
        }
    }

    /// Finds out who waits for which group.
    pub(super) fn attend(&mut self) {
        for (id, post) in self.posts.iter_mut() {
            let junction = self.network.junction(id);
            let states = post.ledger.states(self.now, junction);
            // Whatever it does without one, it does not do it by a plan of ours.
            let Some(lamps) = states.first().map(|running| &running.lamps) else { continue };
            let green = lamps.green(self.now);
            let presence = |group: GroupId| {
                let red = (self.now - lamps.group(group).green_until).s().clamp(0.0, 3600.0) as f32;
                let mut known = !post.lanes[group].is_empty();
                for &lane in post.lanes[group].iter().filter(|lane| !self.closed.contains(lane)) {
                    let Some(track) = self.tracker.lane(lane) else { continue };
                    if !track.vehicles().is_empty() || track.stood_on() {
                        return Presence::Somebody;
                    }
                    let seen = self.traffic.quality(lane).is_some_and(|quality| quality <= Quality::Fused);
                    known &= seen && !track.may_hide(red);
                }
                if known { Presence::Nobody } else { Presence::Unknown }
            };
            post.waiting.advance(self.now, junction, green, presence);
        }
    }
}

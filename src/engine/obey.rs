//! Events that are not readings: what controllers report, who wants to cross, what operators order.

use crate::engine::{Control, Engine};
use crate::event::{Action, Command, Event, Mode, PedestrianCall, Reading, Scope, Seen, Status, Unreadable};
use crate::ids::{JunctionId, LaneId, LinkId, span};
use crate::network::zone;
use crate::output::{Alarm, AlarmKind, CommandOutcome, Output, Rejected, Unread};
use crate::plan::ledger::Heard;
use crate::traffic::readings::{Accepted, Reason, Rejection};

type Outcome = Result<Box<str>, Box<str>>;

impl Engine {
    /// Takes in an event, the tick's `row`th; a reading that the tracker is to have is handed back. Where only the estimator
    /// works, it has none.
    pub(super) fn hear<'a>(&mut self, row: usize, event: &'a Event) -> Option<&'a Reading> {
        match event {
            Event::Reading(reading) => match self.traffic.observe(reading, self.now) {
                Ok(Accepted::Used { .. }) if self.settings.control == Control::Watch => {}
                Ok(Accepted::Used { .. }) if self.traffic.health(reading.sensor).usable() => {
                    self.hit(reading);
                    self.fronts.hear(&self.sensors, reading);
                    return Some(reading);
                }
                Ok(_) => {}
                Err(rejection) => {
                    let Rejection { sensor, end, reason } = rejection;
                    let late = matches!(reason, Reason::Late { .. }) && self.settings.control != Control::Watch;
                    self.out.push(Output::Rejected(Rejected { event: row, sensor, end, at: self.now, reason }));
                    // The tracker finds out whether nearly all come so late.
                    return Some(reading).filter(|_| late && self.traffic.health(sensor).usable());
                }
            },
            Event::Unreadable(message) => {
                self.out.push(Output::Unreadable(Unread { event: row, message: Unreadable::clone(message) }));
            }
            Event::Status(status) => self.hear_status(status),
            Event::PedestrianCall(call) => self.hear_call(call),
            Event::Command(command) => self.obey(command),
            Event::Priority(_) | Event::Position(_) => {} // the city's
        }
        None
    }

    /// Reference controllers watch for gaps at loops. Whoever stands on one is still there: it may wait for those it
    /// gives way to.
    fn hit(&mut self, reading: &Reading) {
        let covered = matches!(reading.seen, Seen::Loop { count, occupancy, .. } if count > 0 || occupancy > 0.0);
        let lane = self.sensors.table()[reading.sensor].lane;
        if let (Some(sight), true, Some(lane)) = (&mut self.sight, covered, lane) {
            sight.hit(lane, reading.end);
        }
    }

    fn hear_status(&mut self, status: &Status) {
        let Some(post) = self.posts.get_mut(status.junction) else { return };
        let junction = self.network.junction(status.junction);
        post.alarmed = false;
        if !status.lamps.is_empty() {
            post.reported = Some(status.lamps.clone());
        }
        let told = post.ledger.heard(status, junction).into_iter().filter_map(|heard| match heard {
            Heard::Refused(revision) => Some(AlarmKind::Refuses(revision)),
            Heard::Mismatch(group) => Some(AlarmKind::Mismatch(group)),
            Heard::Took(_) | Heard::Missed(_) | Heard::Contact(_) => None,
        });
        let faults = status.faults.iter().map(|&fault| AlarmKind::Fault(fault));
        for kind in told.chain(faults) {
            self.out.push(Output::Alarm(Alarm { at: self.now, junction: status.junction, kind }));
        }
    }

    fn hear_call(&mut self, call: &PedestrianCall) {
        if let Some(post) = self.posts.get_mut(call.junction) {
            post.waiting.call(call);
        }
    }

    /// Does what an operator orders, as far as it concerns this partition, and says what came of it.
    fn obey(&mut self, command: &Command) {
        let result = match &command.action {
            &Action::Hold(junction) => self.at(junction, |post, _| {
                post.orders.held = true;
                Ok("held on its base program".into())
            }),
            &Action::Release(junction) => self.at(junction, |post, _| match post.orders.release() {
                true => Ok("released".into()),
                false => Err("junction: it is neither held nor pinned".into()),
            }),
            &Action::Pin { junction, program, until } => {
                let now = self.now;
                self.at(junction, |post, own| match until > now {
                    true => post.orders.pin(own, program, until),
                    false => Err(format!("until: {until} is not after {now}").into()),
                })
            }
            &Action::Limit { junction, group, min_green, max_red } => {
                self.at(junction, |post, own| post.orders.narrow(own, group, min_green, max_red))
            }
            &Action::CloseLane(lane) => self.lanes(self.of_lane(lane), true),
            &Action::OpenLane(lane) => self.lanes(self.of_lane(lane), false),
            &Action::CloseLink(link) => self.lanes(self.of_link(link), true),
            &Action::OpenLink(link) => self.lanes(self.of_link(link), false),
            &Action::Mode(Scope::Junction(junction), mode) => self.at(junction, |post, _| Ok(set_mode(post, mode))),
            &Action::Mode(Scope::Zone(zone), mode) => self.zone_mode(zone, mode),
            Action::CancelPriority(_) | Action::ActivatePriority(_) | Action::PreviewPriority(_) => None, // the city's
        };
        if let Some(result) = result {
            self.out.push(Output::Command(CommandOutcome { at: self.now, id: command.id.clone(), result }));
        }
    }

    /// Does `what` at a junction of this partition; none if it is another's.
    fn at(
        &mut self,
        junction: JunctionId,
        what: impl FnOnce(&mut super::post::Post, &crate::network::Junction) -> Outcome,
    ) -> Option<Outcome> {
        let own = self.network.junction(junction);
        self.posts.get_mut(junction).map(|post| what(post, own))
    }

    fn of_lane(&self, lane: LaneId) -> Vec<LaneId> {
        self.partition.lanes.contains(&lane).then_some(lane).into_iter().collect()
    }

    fn of_link(&self, link: LinkId) -> Vec<LaneId> {
        let ours = self.partition.links.contains(&link);
        if ours { span(&self.network.link(link).lanes).collect() } else { Vec::new() }
    }

    fn lanes(&mut self, lanes: Vec<LaneId>, close: bool) -> Option<Outcome> {
        if lanes.is_empty() {
            return None;
        }
        let count = lanes.len();
        for lane in lanes {
            if close {
                self.closed.insert(lane);
                self.tracker.clear(lane);
            } else {
                self.closed.remove(&lane);
            }
        }
        Some(Ok(format!("{count} lanes {}", if close { "closed" } else { "open" }).into()))
    }

    fn zone_mode(&mut self, zone: crate::ids::ZoneId, mode: Mode) -> Option<Outcome> {
        let network = &self.network;
        let mut count = 0;
        for (id, post) in self.posts.iter_mut() {
            if zone::ancestors(network.zones(), network.junction(id).zone).any(|z| z == zone) {
                set_mode(post, mode);
                count += 1;
            }
        }
        (count > 0).then(|| Ok(format!("{count} junctions in mode {mode:?}").into()))
    }
}

fn set_mode(post: &mut super::post::Post, mode: Mode) -> Box<str> {
    post.orders.mode = mode;
    format!("mode {mode:?}").into()
}

//! Taking in one reading: judged at the door, filed where the tick will find it.

use crate::event::{Reading, Seen};
use crate::time::{Span, Time};
use crate::traffic::health::{Health, Sample};
use crate::traffic::readings::{Accepted, Reason, Rejection};
use crate::traffic::scope::Role;
use crate::traffic::{Ear, Traffic};

/// A late reading younger than this still counts in flows and the index.
const HISTORY_MAX: Span = Span::from_s(60);

impl Traffic {
    /// Offers one reading at `now`.
    ///
    /// # Errors
    /// A reading that cannot be used for control, and why. A late one still counts for health.
    pub fn observe(&mut self, reading: &Reading, now: Time) -> Result<Accepted, Rejection> {
        self.counters.offered += 1;
        let verdict = self.judge(reading, now);
        match verdict {
            Ok(Accepted::Used { .. }) => self.counters.used += 1,
            Ok(Accepted::Repeat) => self.counters.repeats += 1,
            Err(reason) => self.counters.rejected[reason.kind()] += 1,
        }
        verdict.map_err(|reason| Rejection { sensor: reading.sensor, end: reading.end, reason })
    }

    fn judge(&mut self, reading: &Reading, now: Time) -> Result<Accepted, Reason> {
        let slot = self.scope.slot(reading.sensor).unwrap_or(usize::MAX);
        let known = self.ears.len();
        let Some(ear) = self.ears.get_mut(slot) else { return Err(Reason::Sensor { known }) };
        if let Seen::Camera { turns, .. } = &reading.seen {
            let link = ear.place.link;
            let leads = |to| self.network.movements_from(link).iter().any(|&m| self.network.movements()[m].to == to);
            if let Some(lost) = turns.iter().find(|t| !leads(t.to)) {
                return Err(Reason::Exit { to: lost.to, link });
            }
        }
        let verdict = ear.track.judge(&ear.place, reading, now, &self.allowance, &mut self.counters);
        let utc_offset = self.network.utc_offset();
        match verdict {
            Ok((Accepted::Used { missing }, end)) => {
                ear.hear(end, reading, utc_offset);
                if matches!(ear.health, Health::Unheard | Health::Silent) {
                    self.judge_health(slot, now);
                }
                if self.ears[slot].usable {
                    self.file(slot, reading, (end, now), false);
                }
                Ok(Accepted::Used { missing })
            }
            Ok((repeat, _)) => Ok(repeat),
            Err(reason) => {
                // Too late to act upon; vehicles and their time count all the same.
                if let Reason::Late { age, .. } = reason
                    && age <= HISTORY_MAX
                    && ear.usable
                {
                    ear.hear(reading.end - ear.track.skew(), reading, utc_offset);
                    self.file(slot, reading, (reading.end, now), true);
                }
                Err(reason)
            }
        }
    }

    /// Puts what was seen where the tick will find it.
    fn file(&mut self, slot: usize, reading: &Reading, (end, now): (Time, Time), late: bool) {
        let Ear { place, factor, .. } = &self.ears[slot];
        match &reading.seen {
            &Seen::Loop { count, occupancy, .. } => {
                let lane = &mut self.lanes[place.lane];
                let vehicles = count as f32 * factor;
                match place.role {
                    Role::StopLine => {
                        lane.heard.out += vehicles;
                        lane.heard.out_heard = true;
                        lane.late = late;
                        lane.heard.occupied |= occupancy > 0.0;
                        lane.out.count(vehicles, reading.interval);
                    }
                    Role::Entry => {
                        lane.heard.in_ += vehicles;
                        lane.heard.in_heard = true;
                        lane.arrivals.count(vehicles, reading.interval);
                        let at = (lane.entry_at, lane.saturation.headway(), lane.speed);
                        lane.points.hear(end, reading.interval, (count, occupancy), at);
                    }
                    Role::Spare | Role::Camera => {}
                }
            }
            Seen::Camera { lanes, turns } if place.role == Role::Camera => {
                let mut changed = false;
                for view in lanes {
                    let lane = &mut self.lanes[view.lane];
                    changed |= (lane.vehicles, lane.queue) != (view.vehicles, view.queue);
                    (lane.vehicles, lane.queue) = (view.vehicles, view.queue);
                    lane.seen_at = if late { Time::LONG_AGO } else { now };
                }
                let link = place.link;
                let road = &mut self.roads[link];
                road.looked(changed);
                // A camera that has never told of a turn may not be able to.
                road.turns_ok |= !turns.is_empty();
                road.seen_at = now;
                for turn in turns {
                    road.turned += f32::from(turn.count);
                    let to = |&&m: &&_| self.network.movements()[m].to == turn.to;
                    if let Some(&movement) = self.network.movements_from(link).iter().find(to) {
                        self.turned[movement] += f32::from(turn.count);
                    }
                }
            }
            Seen::Camera { .. } => {}
        }
    }
}

impl Ear {
    /// Its health hears what it said.
    fn hear(&mut self, end: Time, reading: &Reading, utc_offset: Span) {
        let sample = match &reading.seen {
            &Seen::Loop { count, occupancy, .. } => Sample { count, occupancy },
            Seen::Camera { .. } => return,
        };
        if self.monitor.hear(end, reading.interval, sample, self.setting, utc_offset).is_some() {
            self.usable = false;
        }
    }
}

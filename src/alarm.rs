//! Alarms as a closed loop: collect, report, assign, handle, feed back, evaluate. One alarm a cause, however often it is
//! seen; deadlines that call the zone above; statistics of how fast people were.

use std::collections::BTreeMap;

use crate::ids::{JunctionId, LinkId, Table, ZoneId};
use crate::network::zone::Zone;
use crate::time::{Span, Time};

/// Alarms kept at most, closed ones first to go.
pub const KEPT_MAX: usize = 5_000;
/// A cause that is not seen for this long has gone, where nothing says so earlier.
pub const GONE_AFTER: Span = Span::from_s(180);

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A link is congested beyond its level.
    Congestion,
    /// A queue fills its link and blocks the junction before it.
    SpillBack,
    /// Sensors are silent, or found to lie.
    Sensors,
    /// A controller has not reported.
    Silent,
    /// A controller reports a fault.
    Fault,
    /// A controller refuses plans, or shows something else.
    Deviates,
    /// Readings are rejected above a rate.
    Rejections,
    /// A green wave is late.
    GreenWave,
}

impl Kind {
    /// Until when somebody has to acknowledge it, and until when it is to be resolved.
    pub fn deadlines(self) -> (Span, Span) {
        let (acknowledge, resolve) = match self {
            Self::Fault | Self::GreenWave => (60, 900),
            Self::Silent | Self::Deviates => (120, 1_800),
            Self::Congestion | Self::SpillBack => (300, 1_800),
            Self::Sensors | Self::Rejections => (900, 14_400),
        };
        (Span::from_s(acknowledge), Span::from_s(resolve))
    }
}

/// Where something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// At a signal.
    Junction(JunctionId),
    /// On a road.
    Link(LinkId),
    /// In a part of the city.
    Zone(ZoneId),
}

/// What makes two sightings one alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause {
    /// What.
    pub kind: Kind,
    /// Where.
    pub place: Place,
}

/// Something was seen to be wrong, or to be so no more.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// Of what.
    pub cause: Cause,
    /// The zone that owns it.
    pub zone: ZoneId,
    /// Whether it is there; otherwise it has gone.
    pub there: bool,
    /// What exactly, for people.
    pub text: Box<str>,
}

/// How far an alarm has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has looked yet.
    Reported,
    /// Somebody has taken it on.
    Acknowledged,
    /// Something is being done.
    Handling,
    /// The cause has gone, or a person says so.
    Resolved,
    /// Judged: the loop is closed.
    Evaluated,
}

/// What people do with an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Take it on.
    Acknowledge,
    /// Give it to somebody.
    Assign(Box<str>),
    /// Say what is being done.
    Handle(Box<str>),
    /// Say that it is over.
    Resolve(Box<str>),
    /// Judge it: whether it was real, and what is learnt.
    Evaluate {
        /// Whether there was anything.
        real: bool,
        /// What is learnt.
        note: Box<str>,
    },
}

/// One alarm.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// Its number.
    pub id: u64,
    /// Of what.
    pub cause: Cause,
    /// Who owns it.
    pub owner: ZoneId,
    /// Who looks after it now: the owner, or a zone above after a missed deadline.
    pub desk: ZoneId,
    /// How far it has come.
    pub state: State,
    /// What was seen last, for people.
    pub text: Box<str>,
    /// When it was first seen.
    pub raised: Time,
    /// When it was last seen.
    pub seen: Time,
    /// How often.
    pub count: u32,
    /// Whether the cause has gone.
    pub gone: bool,
    /// The next deadline; none once it is resolved.
    pub due: Option<Time>,
    /// When somebody took it on.
    pub acknowledged: Option<Time>,
    /// When it was over.
    pub resolved: Option<Time>,
    /// To whom it was given.
    pub assignee: Option<Box<str>>,
    /// What was said about it, with who and when; the last sixteen.
    pub notes: Vec<(Time, Box<str>, Box<str>)>,
    /// Whether it was real, once judged.
    pub real: Option<bool>,
}

/// How fast alarms of one kind were answered.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Statistics {
    /// Raised.
    pub raised: u64,
    /// Taken on, and the sum of the times to that, s.
    pub acknowledged: (u64, f64),
    /// Resolved, and the sum of the times to that, s.
    pub resolved: (u64, f64),
    /// Deadlines missed.
    pub escalated: u64,
    /// Judged not to be real.
    pub unreal: u64,
}

/// Every alarm there is.
#[derive(Debug, Clone, Default)]
pub struct Desk {
    all: BTreeMap<u64, Alarm>,
    open: BTreeMap<Cause, u64>,
    statistics: BTreeMap<Kind, Statistics>,
    last: u64,
}

impl Desk {
    /// Books what was seen by `now`, lets deadlines pass; the numbers of the alarms that changed.
    pub fn step(&mut self, now: Time, zones: &Table<ZoneId, Zone>, sightings: &[Sighting]) -> Vec<u64> {
        let mut changed: Vec<u64> = sightings.iter().filter_map(|s| self.see(now, s)).collect();
        for alarm in self.all.values_mut().filter(|a| a.state < State::Resolved) {
            // Of sensors and controllers it is told when it is over; of all else, as long as it is there.
            let silent = !alarm.gone
                && now - alarm.seen > GONE_AFTER
                && !matches!(alarm.cause.kind, Kind::Sensors | Kind::Silent);
            if silent || (alarm.gone && now - alarm.seen > Span::from_s(30)) {
                alarm.gone = true;
                close(alarm, now, &mut self.statistics);
                self.open.remove(&alarm.cause);
                changed.push(alarm.id);
            } else if alarm.due.is_some_and(|due| due <= now) {
                let patience = alarm.cause.kind.deadlines();
                alarm.desk = zones[alarm.desk].parent.unwrap_or(alarm.desk);
                alarm.due = Some(now + if alarm.acknowledged.is_some() { patience.1 } else { patience.0 });
                self.statistics.entry(alarm.cause.kind).or_default().escalated += 1;
                changed.push(alarm.id);
            }
        }
        self.forget();
        changed.sort_unstable();
        changed.dedup();
        changed
    }

    fn see(&mut self, now: Time, sighting: &Sighting) -> Option<u64> {
        let open = self.open.get(&sighting.cause).copied();
        match (open.and_then(|id| self.all.get_mut(&id)), sighting.there) {
            (Some(alarm), true) => {
                alarm.seen = now;
                alarm.gone = false;
                alarm.count = alarm.count.saturating_add(1);
                alarm.text.clone_from(&sighting.text);
                Some(alarm.id)
            }
            (Some(alarm), false) if alarm.gone => None,
            (Some(alarm), false) => {
                (alarm.gone, alarm.seen) = (true, now);
                Some(alarm.id)
            }
            (None, false) => None,
            (None, true) => {
                self.last += 1;
                self.open.insert(sighting.cause, self.last);
                self.statistics.entry(sighting.cause.kind).or_default().raised += 1;
                self.all.insert(
                    self.last,
                    Alarm {
                        id: self.last,
                        cause: sighting.cause,
                        owner: sighting.zone,
                        desk: sighting.zone,
                        state: State::Reported,
                        text: sighting.text.clone(),
                        raised: now,
                        seen: now,
                        count: 1,
                        gone: false,
                        due: Some(now + sighting.cause.kind.deadlines().0),
                        acknowledged: None,
                        resolved: None,
                        assignee: None,
                        notes: Vec::new(),
                        real: None,
                    },
                );
                Some(self.last)
            }
        }
    }

    /// Somebody does something with alarm `id`.
    ///
    /// # Errors
    /// When there is no such alarm, or it has not come so far, or is past that.
    pub fn act(&mut self, now: Time, id: u64, who: &str, deed: Deed) -> Result<&Alarm, Box<str>> {
        let alarm =
            self.all.get_mut(&id).ok_or_else(|| -> Box<str> { format!("alarm: {id} does not exist").into() })?;
        let over = alarm.state >= State::Resolved;
        let wrong = match deed {
            Deed::Evaluate { .. } => !over || alarm.state == State::Evaluated,
            Deed::Acknowledge => over || alarm.acknowledged.is_some(),
            _ => over,
        };
        if wrong {
            return Err(format!("alarm: {id} is {:?}, which does not allow this", alarm.state).into());
        }
        if !matches!(deed, Deed::Evaluate { .. }) && alarm.acknowledged.is_none() {
            alarm.acknowledged = Some(now);
            alarm.state = State::Acknowledged;
            alarm.due = Some(now + alarm.cause.kind.deadlines().1);
            let sums = self.statistics.entry(alarm.cause.kind).or_default();
            sums.acknowledged.0 += 1;
            sums.acknowledged.1 += (now - alarm.raised).s();
        }
        let note = match deed {
            Deed::Acknowledge => "acknowledged".into(),
            Deed::Assign(whom) => {
                alarm.assignee = Some(whom.clone());
                format!("assigned to {whom}").into()
            }
            Deed::Handle(note) => {
                alarm.state = State::Handling;
                note
            }
            Deed::Resolve(note) => {
                close(alarm, now, &mut self.statistics);
                self.open.remove(&alarm.cause);
                note
            }
            Deed::Evaluate { real, note } => {
                alarm.state = State::Evaluated;
                alarm.real = Some(real);
                self.statistics.entry(alarm.cause.kind).or_default().unreal += u64::from(!real);
                note
            }
        };
        alarm.notes.push((now, who.into(), note));
        if alarm.notes.len() > 16 {
            alarm.notes.remove(0);
        }
        Ok(alarm)
    }

    /// Every alarm, the oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Alarm> {
        self.all.values()
    }

    /// Alarm `id`.
    pub fn alarm(&self, id: u64) -> Option<&Alarm> {
        self.all.get(&id)
    }

    /// How fast people were, by kind.
    pub fn statistics(&self) -> &BTreeMap<Kind, Statistics> {
        &self.statistics
    }

    fn forget(&mut self) {
        while self.all.len() > KEPT_MAX {
            let oldest = self.all.values().find(|a| a.state >= State::Resolved).or(self.all.values().next());
            let Some((id, cause)) = oldest.map(|a| (a.id, a.cause)) else { return };
            self.all.remove(&id);
            if self.open.get(&cause) == Some(&id) {
                self.open.remove(&cause);
            }
        }
    }
}

fn close(alarm: &mut Alarm, now: Time, statistics: &mut BTreeMap<Kind, Statistics>) {
    alarm.state = State::Resolved;
    alarm.resolved = Some(now);
    alarm.due = None;
    let sums = statistics.entry(alarm.cause.kind).or_default();
    sums.resolved.0 += 1;
    sums.resolved.1 += (now - alarm.raised).s();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;
    use crate::network::spec::Level;

    fn zones() -> Table<ZoneId, Zone> {
        let zone = |name: &str, parent: Option<usize>| Zone {
            name: name.into(),
            level: Level::City,
            parent: parent.map(ZoneId::of),
        };
        [zone("city", None), zone("street", Some(0))].into_iter().collect()
    }

    fn seen(there: bool) -> Sighting {
        let cause = Cause { kind: Kind::Fault, place: Place::Junction(JunctionId::of(7)) };
        Sighting { cause, zone: ZoneId::of(1), there, text: "a lamp does not light".into() }
    }

    #[test]
    fn one_cause_is_one_alarm_and_a_deadline_calls_the_zone_above() {
        let (zones, mut desk) = (zones(), Desk::default());
        for s in 0..50 {
            desk.step(Time::from_s(s), &zones, &[seen(true), seen(true)]);
        }
        assert_eq!(desk.all().map(|a| (a.count, a.desk)).collect::<Vec<_>>(), [(100, ZoneId::of(1))]);
        assert_eq!(desk.step(Time::from_s(60), &zones, &[]), [1]);
        assert_eq!(desk.alarm(1).map(|a| (a.desk, a.due)), Some((ZoneId::of(0), Some(Time::from_s(120)))));
        assert_eq!(desk.statistics()[&Kind::Fault].escalated, 1);
    }

    #[test]
    fn the_loop_closes_in_order() {
        let (zones, mut desk) = (zones(), Desk::default());
        desk.step(Time::from_s(0), &zones, &[seen(true)]);
        let judge = || Deed::Evaluate { real: false, note: "a test".into() };
        assert!(desk.act(Time::from_s(1), 1, "ann", judge()).is_err(), "nothing is judged before it is over");
        desk.act(Time::from_s(10), 1, "ann", Deed::Acknowledge).expect("it is open");
        assert!(desk.act(Time::from_s(11), 1, "ben", Deed::Acknowledge).is_err(), "once is enough");
        desk.act(Time::from_s(20), 1, "ann", Deed::Handle("on the way".into())).expect("it is open");
        desk.step(Time::from_s(30), &zones, &[seen(false)]);
        assert_eq!(desk.alarm(1).map(|a| a.state), Some(State::Handling), "it may come back");
        desk.step(Time::from_s(90), &zones, &[]);
        assert_eq!(desk.alarm(1).map(|a| a.state), Some(State::Resolved), "feedback closes it");
        desk.act(Time::from_s(95), 1, "ann", judge()).expect("it is over");
        let sums = desk.statistics()[&Kind::Fault];
        assert_eq!((sums.acknowledged, sums.resolved, sums.unreal), ((1, 10.0), (1, 90.0), 1));
        desk.step(Time::from_s(200), &zones, &[seen(true)]);
        assert_eq!(desk.all().count(), 2, "the same cause later is another alarm");
    }

    #[test]
    fn what_is_told_once_stays_until_it_is_told_to_be_over() {
        // A silent controller is told of once; congestion as long as it is there.
        for (kind, stays) in [(Kind::Silent, true), (Kind::Congestion, false)] {
            let (zones, mut desk) = (zones(), Desk::default());
            let cause = Cause { kind, place: Place::Junction(JunctionId::of(0)) };
            let told = |there| Sighting { cause, ..seen(there) };
            desk.step(Time::from_s(0), &zones, &[told(true)]);
            desk.step(Time::from_s(200), &zones, &[]);
            assert_eq!(desk.alarm(1).map(|a| a.state == State::Reported), Some(stays), "{kind:?}");
            // Over, it waits a moment in case it comes back.
            desk.step(Time::from_s(201), &zones, &[told(false)]);
            assert_eq!(desk.alarm(1).map(|a| a.state == State::Reported), Some(stays), "{kind:?}");
            desk.step(Time::from_s(240), &zones, &[]);
            assert_eq!(desk.alarm(1).map(|a| a.state), Some(State::Resolved), "{kind:?}");
        }
    }
}

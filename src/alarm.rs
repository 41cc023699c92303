//! Alarms as a closed loop: collect, report, assign, handle, feed back, evaluate. One alarm a cause, however often it is
//! seen, and one for many of a kind in one zone; deadlines that call the zone above; statistics of how fast people were.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ids::{JunctionId, LinkId, Table, ZoneId};
use crate::network::zone::Zone;
use crate::time::{Span, Time};

/// Alarms kept at most, closed ones first to go.
pub const KEPT_MAX: usize = 5_000;
/// A cause that is not seen for this long has gone, where nothing says so earlier.
pub const GONE_AFTER: Span = Span::from_s(180);

/// So many alarms of a kind in one zone that nobody has taken on yet become one, of the zone.
pub const GATHER: usize = 3;

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

    /// Whether many of these in one zone are one thing to look after. Each green wave is somebody's life.
    fn gathers(self) -> bool {
        self != Self::GreenWave
    }

    /// Whether it is told of once and again when it is over, instead of as long as it is there.
    fn told_once(self) -> bool {
        matches!(self, Self::Sensors | Self::Silent)
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
    /// Where it is there, and when it was last seen there: one place, or those of a zone that were gathered.
    pub parts: BTreeMap<Place, Time>,
    /// Whether the cause has gone: from every part.
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
    all: BTreeMap<u64, Arc<Alarm>>,
    open: BTreeMap<Cause, u64>,
    statistics: BTreeMap<Kind, Statistics>,
    last: u64,
}

impl Desk {
    /// Books what was seen by `now`, lets deadlines pass; the numbers of the alarms that changed.
    pub fn step(&mut self, now: Time, zones: &Table<ZoneId, Zone>, sightings: &[Sighting]) -> Vec<u64> {
        let mut changed: Vec<u64> = sightings.iter().filter_map(|s| self.see(now, s)).collect();
        let open: Vec<u64> = self.all.iter().filter(|(_, a)| a.state < State::Resolved).map(|(&id, _)| id).collect();
        for id in open {
            let alarm = &self.all[&id];
            let since = now - alarm.seen;
            let silent = !alarm.gone && since > GONE_AFTER && !alarm.cause.kind.told_once();
            if silent || (alarm.gone && since > Span::from_s(30)) {
                self.close(now, id);
                changed.push(id);
            } else if alarm.due.is_some_and(|due| due <= now) {
                let Some(alarm) = self.all.get_mut(&id).map(Arc::make_mut) else { continue };
                let patience = alarm.cause.kind.deadlines();
                alarm.desk = zones[alarm.desk].parent.unwrap_or(alarm.desk);
                alarm.due = Some(now + if alarm.acknowledged.is_some() { patience.1 } else { patience.0 });
                self.statistics.entry(alarm.cause.kind).or_default().escalated += 1;
                changed.push(id);
            }
        }
        self.forget();
        changed.sort_unstable();
        changed.dedup();
        changed
    }

    fn see(&mut self, now: Time, sighting: &Sighting) -> Option<u64> {
        let Cause { kind, place } = sighting.cause;
        let open = self.open.get(&sighting.cause).copied();
        let Some(id) = open.or_else(|| self.gathering(sighting)) else {
            return sighting.there.then(|| self.raise(now, sighting));
        };
        let alarm = self.all.get_mut(&id).map(Arc::make_mut)?;
        if !sighting.there && (alarm.gone || !alarm.parts.contains_key(&place)) {
            return None;
        }
        match sighting.there {
            true => {
                alarm.parts.insert(place, now);
                alarm.count = alarm.count.saturating_add(1);
                alarm.text.clone_from(&sighting.text);
                self.open.insert(sighting.cause, id);
            }
            false => {
                alarm.parts.remove(&place);
            }
        }
        let stays = |seen: Time| kind.told_once() || now - seen <= GONE_AFTER;
        alarm.parts.retain(|_, &mut seen| stays(seen));
        (alarm.gone, alarm.seen) = (alarm.parts.is_empty(), now);
        Some(id)
    }

    /// The alarm of a whole zone that takes in what is seen there.
    fn gathering(&self, sighting: &Sighting) -> Option<u64> {
        let whole = Cause { place: Place::Zone(sighting.zone), ..sighting.cause };
        sighting.there.then(|| self.open.get(&whole).copied()).flatten()
    }

    fn raise(&mut self, now: Time, sighting: &Sighting) -> u64 {
        let kind = sighting.cause.kind;
        self.last += 1;
        let mut alarm = Alarm {
            id: self.last,
            cause: sighting.cause,
            owner: sighting.zone,
            desk: sighting.zone,
            state: State::Reported,
            text: sighting.text.clone(),
            raised: now,
            seen: now,
            count: 1,
            parts: BTreeMap::from([(sighting.cause.place, now)]),
            gone: false,
            due: Some(now + kind.deadlines().0),
            acknowledged: None,
            resolved: None,
            assignee: None,
            notes: Vec::new(),
            real: None,
        };
        let untouched = |a: &&Arc<Alarm>| {
            a.cause.kind == kind && a.owner == alarm.owner && a.state == State::Reported && a.assignee.is_none()
        };
        let alike: Vec<Arc<Alarm>> = self.all.values().filter(untouched).cloned().collect();
        self.statistics.entry(kind).or_default().raised += 1;
        if kind.gathers() && alike.len() + 1 >= GATHER {
            // One from now on, as old as its oldest part and due as soon.
            for part in &alike {
                self.all.remove(&part.id);
                alarm.parts.extend(part.parts.iter().map(|(&place, &seen)| (place, seen)));
                alarm.count = alarm.count.saturating_add(part.count);
                (alarm.raised, alarm.due) = (alarm.raised.min(part.raised), alarm.due.min(part.due));
            }
            alarm.desk = alike.first().map_or(alarm.desk, |oldest| oldest.desk);
            alarm.cause.place = Place::Zone(alarm.owner);
            self.statistics.entry(kind).or_default().raised -= alike.len() as u64;
        }
        self.open.retain(|_, of| alike.iter().all(|part| part.id != *of));
        self.open.extend(alarm.parts.keys().map(|&place| (Cause { kind, place }, alarm.id)));
        self.open.insert(alarm.cause, alarm.id);
        self.all.insert(alarm.id, Arc::new(alarm));
        self.last
    }

    /// Whether `deed` can be done with alarm `id` now, and what its state is then.
    ///
    /// # Errors
    /// When there is no such alarm, or it has not come so far, or is past that.
    pub fn may(&self, id: u64, deed: &Deed) -> Result<State, Box<str>> {
        let alarm = self.all.get(&id).ok_or_else(|| -> Box<str> { format!("alarm: {id} does not exist").into() })?;
        let over = alarm.state >= State::Resolved;
        let wrong = match deed {
            Deed::Evaluate { .. } => !over || alarm.state == State::Evaluated,
            Deed::Acknowledge => over || alarm.acknowledged.is_some(),
            _ => over,
        };
        if wrong {
            return Err(format!("alarm: {id} is {:?}, which does not allow this", alarm.state).into());
        }
        Ok(match deed {
            Deed::Acknowledge | Deed::Assign(_) => alarm.state.max(State::Acknowledged),
            Deed::Handle(_) => State::Handling,
            Deed::Resolve(_) => State::Resolved,
            Deed::Evaluate { .. } => State::Evaluated,
        })
    }

    /// Somebody does something with alarm `id`.
    ///
    /// # Errors
    /// As [`Self::may`].
    pub fn act(&mut self, now: Time, id: u64, who: &str, deed: Deed) -> Result<Arc<Alarm>, Box<str>> {
        let state = self.may(id, &deed)?;
        let gone = || -> Box<str> { format!("alarm: {id} does not exist").into() };
        let alarm = self.all.get_mut(&id).map(Arc::make_mut).ok_or_else(gone)?;
        // Whoever acts goes by what was shown last, which may be a moment behind.
        let now = now.max(alarm.seen);
        let sums = self.statistics.entry(alarm.cause.kind).or_default();
        if state < State::Evaluated && alarm.acknowledged.is_none() {
            alarm.acknowledged = Some(now);
            alarm.due = Some(now + alarm.cause.kind.deadlines().1);
            sums.acknowledged.0 += 1;
            sums.acknowledged.1 += (now - alarm.raised).s();
        }
        let note = match deed {
            Deed::Acknowledge => "acknowledged".into(),
            Deed::Assign(whom) => {
                alarm.assignee = Some(whom.clone());
                format!("assigned to {whom}").into()
            }
            Deed::Handle(note) | Deed::Resolve(note) => note,
            Deed::Evaluate { real, note } => {
                alarm.real = Some(real);
                sums.unreal += u64::from(!real);
                note
            }
        };
        alarm.notes.push((now, who.into(), note));
        if alarm.notes.len() > 16 {
            alarm.notes.remove(0);
        }
        alarm.state = state;
        if state == State::Resolved {
            self.close(now, id);
        }
        self.all.get(&id).cloned().ok_or_else(gone)
    }

    /// It is over.
    fn close(&mut self, now: Time, id: u64) {
        let Some(alarm) = self.all.get_mut(&id).map(Arc::make_mut) else { return };
        (alarm.state, alarm.resolved, alarm.due, alarm.gone) = (State::Resolved, Some(now), None, true);
        let sums = self.statistics.entry(alarm.cause.kind).or_default();
        sums.resolved.0 += 1;
        sums.resolved.1 += (now - alarm.raised).s();
        self.open.retain(|_, of| *of != id);
    }

    /// Every alarm, the oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Arc<Alarm>> {
        self.all.values()
    }

    /// Alarm `id`.
    pub fn alarm(&self, id: u64) -> Option<&Arc<Alarm>> {
        self.all.get(&id)
    }

    /// How fast people were, by kind.
    pub fn statistics(&self) -> &BTreeMap<Kind, Statistics> {
        &self.statistics
    }

    fn forget(&mut self) {
        while self.all.len() > KEPT_MAX {
            let oldest = self.all.values().find(|a| a.state >= State::Resolved).or(self.all.values().next());
            let Some(id) = oldest.map(|a| a.id) else { return };
            self.all.remove(&id);
            self.open.retain(|_, of| *of != id);
        }
    }
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
    fn many_of_a_kind_in_one_zone_are_one() {
        let (zones, mut desk) = (zones(), Desk::default());
        let at = |junction| Place::Junction(JunctionId::of(junction));
        let told = |kind, junction, there| Sighting { cause: Cause { kind, place: at(junction) }, ..seen(there) };
        let fault = |junction| told(Kind::Fault, junction, true);
        desk.step(Time::from_s(0), &zones, &[fault(1), told(Kind::Silent, 9, true)]);
        desk.step(Time::from_s(10), &zones, &[fault(2)]);
        assert_eq!(desk.all().count(), 3, "two are two, and another kind is another thing");
        desk.step(Time::from_s(20), &zones, &[fault(3), fault(4)]);
        let whole = desk.all().find(|a| a.cause.kind == Kind::Fault).expect("one is left").clone();
        assert_eq!(desk.all().count(), 2);
        assert_eq!(whole.cause.place, Place::Zone(ZoneId::of(1)));
        assert_eq!(whole.parts.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4].map(at));
        assert_eq!((whole.raised, whole.due), (Time::from_s(0), Some(Time::from_s(60))), "it is as old as its first");
        assert_eq!(desk.statistics()[&Kind::Fault].raised, 1);
        // It is over when it is over everywhere; what comes back meanwhile comes back to it.
        let over = [1, 2, 3, 4].map(|junction| told(Kind::Fault, junction, false));
        desk.step(Time::from_s(30), &zones, &over[..3]);
        assert_eq!(desk.alarm(whole.id).map(|a| a.gone), Some(false));
        desk.step(Time::from_s(31), &zones, &over);
        desk.step(Time::from_s(32), &zones, &[fault(2)]);
        assert_eq!(desk.alarm(whole.id).map(|a| (a.gone, a.parts.len())), Some((false, 1)));
        desk.step(Time::from_s(33), &zones, &over);
        desk.step(Time::from_s(64), &zones, &[]);
        assert_eq!(desk.alarm(whole.id).map(|a| a.state), Some(State::Resolved));
        desk.step(Time::from_s(65), &zones, &[fault(2)]);
        assert_eq!(desk.all().filter(|a| a.state == State::Reported && a.cause.kind == Kind::Fault).count(), 1);
    }

    #[test]
    fn what_somebody_has_taken_on_is_gathered_no_more_and_green_waves_never() {
        let (zones, mut desk) = (zones(), Desk::default());
        let told = |kind, row| {
            let cause = Cause { kind, place: Place::Link(LinkId::of(row)) };
            Sighting { cause, ..seen(true) }
        };
        desk.step(Time::from_s(0), &zones, &[told(Kind::Congestion, 0), told(Kind::Congestion, 1)]);
        desk.act(Time::from_s(1), 1, "ann", Deed::Acknowledge).expect("it is open");
        desk.step(Time::from_s(2), &zones, &[told(Kind::Congestion, 2)]);
        assert_eq!(desk.all().count(), 3);
        desk.step(Time::from_s(3), &zones, &[0, 1, 2, 3].map(|row| told(Kind::GreenWave, row)));
        assert_eq!(desk.all().count(), 7);
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

//! One call: its way, where its vehicle is, what it asks of the signals before it, and how it ends.

use crate::corridor::arbitrate::{Ask, weight};
use crate::corridor::clear::{self, Look};
use crate::corridor::cost::cost;
use crate::corridor::eta::{DRIVING_MPS, Fix, Progress, STRAYS_MAX};
use crate::corridor::others::{Alternative, OTHERS_MAX};
use crate::corridor::places::Places;
use crate::corridor::preempt::Preemption;
use crate::corridor::recovery::{Books, QUIET};
use crate::corridor::round::{InTheWay, OWED, plan};
use crate::corridor::route::Atlas;
use crate::corridor::way::{Gate, Way};
use crate::corridor::{Answer, GateEta, Report, State};
use crate::event::{Position, PriorityClass, PriorityRequest};
use crate::ids::{GroupSet, JunctionId};
use crate::keep::keep;
use crate::network::{Network, Point};
use crate::time::{Span, Time};

/// A green is held so long beyond the latest instant at which the vehicle should have passed.
const TIMEOUT: Span = Span::from_s(10);
/// A vehicle this far past a line has checked out, m.
pub(super) const PASSED_M: f64 = 6.0;
/// A vehicle that stands for so long is parked: others have their greens until it moves.
const PARKED: Span = Span::from_s(90);
/// A call takes no longer than this beyond twice what it should.
const SLACK: Span = Span::from_s(600);
/// An active call is told again after so long.
const RETELL: Span = Span::from_s(5);
/// A bus is let through for so long at most, and when it is late only.
const BEND: Span = Span::from_s(8);

/// One call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) serial: u32,
    pub(super) request: PriorityRequest,
    pub(super) state: State,
    books: Books,
    pub(super) way: Way,
    pub(super) progress: Progress,
    pub(super) gates: Vec<GateEta>,
    /// The groups that each of those is asked for, and those beside them.
    serves: Vec<(GroupSet, GroupSet)>,
    /// When each junction could show green, as it last said.
    pub(super) greens: Vec<(JunctionId, Time)>,
    expires: Time,
    parked: bool,
    /// From when on its next signal's green is in vain, while it stands before a line where no signal rules: whoever stood
    /// before it is gone by then, and those keep coming who go first there.
    pub(super) in_vain: Option<Time>,
    /// Since when it is beside its way, with no other from there.
    lost: Option<Time>,
    pub(super) in_the_way: InTheWay,
    /// Since when it goes this way, until others have been looked for.
    compare: Option<Time>,
    /// Those, while it is on the link where they part.
    others: Vec<Alternative>,
    /// The band of its arrival as last told, and when it had been heard of last then.
    band: Option<(Time, (Time, Time))>,
    told: Time,
    /// When it was through, cancelled or timed out.
    ended: Option<Time>,
    /// Its last position, and where it was heading if it was driving.
    last: Option<(Point, Option<f64>)>,
}

keep!(Call {
    serial,
    request,
    state,
    books,
    way,
    progress,
    gates,
    serves,
    greens,
    expires,
    parked,
    in_vain,
    lost,
    in_the_way,
    compare,
    others,
    band,
    told,
    ended,
    last
});

impl Call {
    /// A call on its way, or why there is none.
    pub(super) fn new(
        network: &Network,
        atlas: &Atlas,
        serial: u32,
        request: &PriorityRequest,
        now: Time,
        look: Look<'_>,
    ) -> Result<Self, &'static str> {
        let way = plan(network, atlas, request, &[], look)?;
        let mut call = Self {
            serial,
            request: request.clone(),
            state: State::Planned,
            books: Books::default(),
            progress: Progress::new(now),
            gates: Vec::new(),
            serves: Vec::new(),
            greens: Vec::new(),
            expires: Time::NEVER,
            parked: false,
            in_vain: None,
            lost: None,
            in_the_way: InTheWay::default(),
            compare: Some(now),
            others: Vec::new(),
            band: None,
            told: now,
            ended: None,
            last: None,
            way,
        };
        call.estimate(network, now, look);
        call.expect(now);
        Ok(call)
    }

    /// How long it may take from now on.
    pub(super) fn expect(&mut self, now: Time) {
        let (_, high) = self.progress.band(&self.way, self.way.length_m(), now);
        self.expires = high + (high - now) + SLACK;
    }

    /// Goes on with another destination, route or deadline.
    pub(super) fn amend(
        &mut self,
        network: &Network,
        atlas: &Atlas,
        request: &PriorityRequest,
        now: Time,
        look: Look<'_>,
    ) -> Result<(), &'static str> {
        let here = self.here();
        // Of a route that is told, the part from where it is; one that does not pass there is no way for it.
        let rest = request.route.iter().position(|&link| link == here).map_or(&[][..], |row| &request.route[row..]);
        let asked = PriorityRequest { from: here, route: rest.into(), ..request.clone() };
        let way = plan(network, atlas, &asked, &[], look)?;
        self.turn_into(way);
        self.request = asked;
        self.estimate(network, now, look);
        self.expect(now);
        Ok(())
    }

    /// Goes on along `way`, which begins with the link it is on.
    pub(super) fn turn_into(&mut self, way: Way) {
        let row = self.way.row(self.progress.at_m);
        let to_line = self.way.end_m[row] - self.progress.at_m;
        let on_it = self.way.links[row] == way.links[0];
        self.progress.at_m = if on_it { (way.end_m[0] - to_line).max(0.0) } else { 0.0 };
        self.way = way;
        self.others.clear();
        self.band = None;
        self.compare = Some(self.progress.seen);
    }

    pub(super) fn hear(&mut self, network: &Network, position: &Position) {
        if self.progress.hear(network, &self.way, position) == Fix::Used {
            self.lost = None;
        }
        let heading = position.heading.filter(|_| position.speed > DRIVING_MPS);
        self.last = Some((position.point, heading.map(f64::from)));
    }

    /// Brings a live call up to `now`; what there is to say.
    pub(super) fn advance(
        &mut self,
        network: &Network,
        (atlas, places): (&Atlas, &Places),
        now: Time,
        silence: Span,
        look: Look<'_>,
    ) -> Option<Report> {
        if now - self.progress.seen > silence {
            return Some(self.end(State::TimedOut, now, "nothing is heard of the vehicle any more"));
        }
        if now > self.expires {
            return Some(self.end(State::TimedOut, now, "it takes far longer than it can"));
        }
        if self.progress.strays >= STRAYS_MAX {
            self.progress.strays = 0;
            let here = self.last.and_then(|(point, heading)| places.nearest(network, point, heading));
            if here.is_some_and(|here| self.turns_off(network, atlas, here, look)) {
                self.estimate(network, now, look);
                self.expect(now);
                return Some(self.report(network, now, "it left its way: planned anew from where it is", look));
            }
            if self.lost.is_none() {
                self.lost = Some(now);
                return Some(self.report(network, now, "it left its way, and none leads on: no green is asked", look));
            }
        }
        if self.lost.is_some_and(|since| now - since > PARKED) {
            return Some(self.end(State::TimedOut, now, "it left its way and did not come back"));
        }
        if let Some(why) = self.go_round(network, atlas, now, look) {
            self.estimate(network, now, look);
            return Some(self.report(network, now, why, look));
        }
        if self.way.gates.last().is_none_or(|last| self.progress.at_m > last.at_m + PASSED_M) {
            return Some(self.end(State::Passed, now, "it is through its last signal"));
        }
        self.estimate(network, now, look);
        let parked = self.progress.stands_since.is_some_and(|since| now - since > PARKED);
        if parked != self.parked {
            self.parked = parked;
            let why = if parked { "it stands: others have their greens until it moves" } else { "it moves again" };
            return Some(self.report(network, now, why, look));
        }
        if self.way.row(self.progress.at_m) > 0 {
            (self.compare, self.others) = (None, Vec::new());
        }
        let compares = self.compare.is_some_and(|since| since < now);
        if compares && self.compares(network, atlas, now, look) && !self.others.is_empty() {
            return Some(self.report(network, now, "compared with other ways", look));
        }
        let why = if self.finds_no_gap(now) {
            "it finds no gap: others have their greens until it does"
        } else {
            "under way"
        };
        (self.state == State::Active && now - self.told >= RETELL).then(|| self.report(network, now, why, look))
    }

    /// When it comes to each signal before it, and when that has to open.
    pub(super) fn estimate(&mut self, network: &Network, now: Time, look: Look<'_>) {
        let lead = clear::clear(network, &self.way, self.progress.at_m, look);
        self.in_vain = self.green_in_vain(&lead, now);
        // What it is held up by signals and queues before it comes to a gate, at least and at most.
        let mut held = (Span::ZERO, Span::ZERO);
        self.gates.clear();
        self.serves.clear();
        for (gate, lead) in self.way.gates.iter().zip(lead) {
            if self.progress.at_m > gate.at_m + PASSED_M {
                continue;
            }
            let (low, high) = self.progress.band(&self.way, gate.at_m, now);
            let (low, high) = (low + held.0, high + held.1);
            let green_from = low - lead.before;
            let said = self.greens.iter().find(|g| g.0 == gate.junction).map(|g| g.1);
            let first = lead.passes(low, said.unwrap_or(now).max(green_from));
            let last = lead.passes(high, said.unwrap_or(now + OWED).max(green_from));
            held = (held.0 + (first - low), held.1 + (last - high));
            let behind = gate.fork.row > 0 && self.progress.at_m < self.way.end_m[gate.fork.row - 1];
            self.serves.push(match gate {
                _ if behind && clear::walled_in(&gate.fork, look) => (gate.beside, gate.groups),
                // Who stands before it in its lane wants to turn elsewhere, maybe, and has to leave first.
                _ if lead.follows() => (gate.groups.union(gate.mates), gate.beside.difference(gate.mates)),
                _ => (gate.groups, gate.beside),
            });
            self.gates.push(GateEta { junction: gate.junction, green_from, low: first, high: last.max(first) });
        }
    }

    /// The earliest and the latest instant at which it is there, signals and queues on the way included.
    pub(super) fn arrival(&self, now: Time) -> (Time, Time) {
        let end = self.progress.band(&self.way, self.way.length_m(), now);
        let Some((gate, eta)) = self.way.gates.last().zip(self.gates.last()) else { return end };
        let (low, high) = self.progress.band(&self.way, gate.at_m, now);
        let low = eta.low + (end.0 - low);
        (low, (eta.high + (end.1 - high)).max(low))
    }

    /// The same to be told: only what is heard of the vehicle narrows the band, not what signals do meanwhile.
    fn arrives(&mut self, now: Time) -> (Time, Time) {
        let (mut low, mut high) = self.arrival(now);
        if let Some((_, told)) = self.band.filter(|&(seen, _)| seen == self.progress.seen) {
            low = low.min(told.0).max(now);
            high = high.max(told.1).max(low + (told.1 - told.0));
        }
        self.band = Some((self.progress.seen, (low, high)));
        (low, high)
    }

    /// Looks for one more way that it could take: each is a search of its own. Whether that was the last.
    pub(super) fn compares(&mut self, network: &Network, atlas: &Atlas, now: Time, look: Look<'_>) -> bool {
        let found = self.other(network, atlas, &self.others, now, look);
        let last = found.is_none() || self.others.len() + 1 >= OTHERS_MAX;
        self.others.extend(found);
        self.compare = self.compare.filter(|_| !last);
        last
    }

    /// Hears what junctions answer.
    pub(super) fn answered(&mut self, answers: &[Answer], now: Time) {
        self.greens.clear();
        for answer in answers.iter().filter(|answer| answer.call == self.serial) {
            self.greens.extend(answer.green.map(|green| (answer.junction, green)));
            if let Some(owed) = answer.owed {
                self.books.hear(answer.junction, owed, now);
            }
        }
    }

    /// What it asks of the signals before it.
    pub(super) fn asks(&self, now: Time) -> Vec<Ask> {
        if self.state != State::Active || self.parked || self.lost.is_some() {
            return Vec::new();
        }
        let ahead = self.way.gates.iter().skip(self.way.gates.len() - self.gates.len());
        let arrival = self.gates.last().map_or(now, |last| last.high);
        let late = self.request.deadline.is_some_and(|deadline| arrival > deadline);
        let bends = self.request.class == PriorityClass::Transit;
        if bends && (!late || self.progress.stands_since.is_some()) {
            return Vec::new(); // at a stop, say: when it goes on nobody knows
        }
        let ask = |((gate, eta), &(groups, beside)): ((&Gate, &GateEta), &(GroupSet, GroupSet))| {
            let (from, until) = match bends {
                true => (eta.low - Span::from_s(4), eta.low + BEND),
                false => (eta.green_from, eta.high + TIMEOUT),
            };
            let junction = gate.junction;
            let order =
                Preemption { junction, call: self.serial, groups, beside, from, low: eta.low, high: eta.high, until };
            Ask { order, weight: weight(self.request.class, late) }
        };
        ahead.zip(&self.gates).zip(&self.serves).skip(usize::from(self.finds_no_gap(now))).map(ask).collect()
    }

    /// The vehicle is no longer led.
    pub(super) fn end(&mut self, state: State, now: Time, why: &str) -> Report {
        self.ended = Some(now);
        self.closing(state, now, why)
    }

    /// What is published from its end on.
    fn closing(&mut self, state: State, now: Time, why: &str) -> Report {
        self.state = state;
        self.gates.clear();
        Report {
            extra_veh_s: self.books.extra_veh_s(),
            accounts: self.books.accounts().to_vec(),
            ended: self.ended,
            ..told(&self.request, state, now, why)
        }
    }

    /// After its end: whether every junction has given back what others lost, once that is known.
    pub(super) fn recover(&mut self, now: Time) -> Option<Report> {
        // Junctions have to have had the time to say what they owe.
        self.ended.filter(|&ended| now - ended > QUIET)?;
        let (all, why) = self.books.close(now)?;
        Some(self.closing(if all { State::Recovered } else { State::Unrecovered }, now, &why))
    }

    /// What is published of it now.
    pub(super) fn report(&mut self, network: &Network, now: Time, why: &str, look: Look<'_>) -> Report {
        self.told = now;
        let arrives = self.arrives(now);
        Report {
            at: now,
            request: self.request.clone(),
            state: self.state,
            why: why.into(),
            route: self.way.links[self.way.row(self.progress.at_m)..].to_vec(),
            gates: self.gates.clone(),
            arrives: Some(arrives),
            alternatives: self.others.clone(),
            cost_veh_s: cost(network, &self.way, &self.gates, look),
            extra_veh_s: self.books.extra_veh_s(),
            accounts: self.books.accounts().to_vec(),
            ended: self.ended,
        }
    }
}

/// A report without a way.
pub(super) fn told(request: &PriorityRequest, state: State, at: Time, why: &str) -> Report {
    Report {
        at,
        request: request.clone(),
        state,
        why: why.into(),
        route: Vec::new(),
        gates: Vec::new(),
        arrives: None,
        alternatives: Vec::new(),
        cost_veh_s: 0.0,
        extra_veh_s: 0.0,
        accounts: Vec::new(),
        ended: None,
    }
}

//! An emergency vehicle's green wave: from a request and uncertain positions to the greens that it needs, and back.
//!
//! A call is requested, planned, active, and then passed, cancelled or timed out; when every junction has paid back
//! what it owed to those who waited, it is recovered, and unrecovered where one could not. [`Corridors`] looks after the whole city and asks each junction
//! for a [`Preemption`]; that the gate lets no plan through that breaks a rule holds for these as for all others.

pub mod approach;
mod arbitrate;
mod call;
pub mod clear;
mod cost;
pub mod eta;
#[cfg(test)]
mod fixture;
mod gap;
pub mod others;
mod places;
pub mod preempt;
pub mod recovery;
mod round;
pub mod route;
pub mod way;

use crate::keep::{keep, resume};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::corridor::arbitrate::arbitrate;
use crate::corridor::call::Call;
use crate::corridor::clear::Look;
use crate::corridor::others::Alternative;
use crate::corridor::places::Places;
use crate::corridor::preempt::Preemption;
use crate::corridor::recovery::{Account, Owed};
use crate::corridor::route::Atlas;
use crate::event::{Position, PriorityClass, PriorityRequest};
use crate::ids::{JunctionId, LinkId};
use crate::network::Network;
use crate::time::{Span, Time};

/// No more calls than this are looked after at a time.
const CALLS_MAX: usize = 500;
/// No more authorities than this are known at a time.
const AUTHORITIES_MAX: usize = 1000;

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing but shown: what it would be.
    Preview,
    /// Heard of.
    Requested,
    /// Its way and its greens are known; nobody is asked for them yet.
    Planned,
    /// Junctions are asked for its greens.
    Active,
    /// It is through its last signal.
    Passed,
    /// Somebody ended it.
    Cancelled,
    /// Nothing is heard of it any more, or it takes far longer than it can.
    TimedOut,
    /// Every junction has given back what its other traffic lost.
    Recovered,
    /// One has not, within as many cycles as it may take.
    Unrecovered,
    /// It is not looked after at all.
    Refused,
}

keep!(
    enum State {
        Preview,
        Requested,
        Planned,
        Active,
        Passed,
        Cancelled,
        TimedOut,
        Recovered,
        Unrecovered,
        Refused,
    }
);

impl State {
    /// Whether the vehicle is still to come.
    pub fn live(self) -> bool {
        matches!(self, Self::Requested | Self::Planned | Self::Active)
    }

    /// Whether nothing more is to be said of it.
    fn over(self) -> bool {
        matches!(self, Self::Recovered | Self::Unrecovered)
    }
}

/// When a vehicle comes to a stop line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateEta {
    /// Whose.
    pub junction: JunctionId,
    /// When its green is to begin.
    pub green_from: Time,
    /// The earliest instant.
    pub low: Time,
    /// The latest.
    pub high: Time,
}

keep!(GateEta { junction, green_from, low, high });

/// What is published of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// When.
    pub at: Time,
    /// The request.
    pub request: PriorityRequest,
    /// Where it stands.
    pub state: State,
    /// Why.
    pub why: Box<str>,
    /// Its way from where it is.
    pub route: Vec<LinkId>,
    /// The signals before it.
    pub gates: Vec<GateEta>,
    /// The earliest and the latest instant at which it is there.
    pub arrives: Option<(Time, Time)>,
    /// Other ways from where it is, the next best first; told while it is on the link where they part.
    pub alternatives: Vec<Alternative>,
    /// What the greens before it are expected to cost others, vehicle-seconds.
    pub cost_veh_s: f64,
    /// What its greens have cost others so far, measured, vehicle-seconds.
    pub extra_veh_s: f64,
    /// The same by junction, and whether and when each paid it back.
    pub accounts: Vec<Account>,
    /// When it was through its last signal, cancelled or timed out.
    pub ended: Option<Time>,
}

keep!(Report {
    at,
    request,
    state,
    why,
    route,
    gates,
    arrives,
    alternatives,
    cost_veh_s,
    extra_veh_s,
    accounts,
    ended
});

/// What a junction answers the call it serves or served.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// Which junction.
    pub junction: JunctionId,
    /// Whose call.
    pub call: u32,
    /// When it could show the vehicle green, if it began to lead there now; none once the vehicle is through.
    pub green: Option<Time>,
    /// What it owes to those who had to wait for it; none where it has not been led for it yet.
    pub owed: Option<Owed>,
}

keep!(Answer { junction, call, green, owed });

/// How calls are treated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// The least urgent class that is activated without an operator; none where every call waits for one.
    pub automatic: Option<PriorityClass>,
    /// So many requests a minute are taken of one authority.
    pub per_minute: usize,
    /// A call whose vehicle has said nothing for so long is timed out.
    pub silence: Span,
}

/// Every call in the city.
#[derive(Debug, Clone)]
pub struct Corridors {
    network: Arc<Network>,
    atlas: Atlas,
    places: Places,
    rules: Rules,
    calls: Vec<Call>,
    taken: BTreeMap<Box<str>, Vec<Time>>,
    serial: u32,
    reports: Vec<Report>,
}

resume!(Corridors { kept: calls, taken, serial, reports; built: network, atlas, places, rules });

impl Corridors {
    /// No call yet.
    pub fn new(network: Arc<Network>, rules: Rules) -> Self {
        Self {
            atlas: Atlas::new(&network),
            places: Places::new(&network),
            network,
            rules,
            calls: Vec::new(),
            taken: BTreeMap::new(),
            serial: 0,
            reports: Vec::new(),
        }
    }

    /// Whether any call is looked after.
    pub fn idle(&self) -> bool {
        self.calls.is_empty() && self.reports.is_empty()
    }

    /// A request is made, or one that is under way is amended.
    pub fn request(&mut self, request: &PriorityRequest, now: Time, look: Look<'_>) {
        let known = self.calls.iter().position(|call| call.state.live() && call.request.id == request.id);
        if let Some(row) = known {
            let before = &self.calls[row].request;
            let own = if before.authority != request.authority {
                Err("another authority has a call of this name under way")
            } else if before.vehicle != request.vehicle {
                Err("the call is for another vehicle")
            } else {
                self.count(request, now)
            };
            if let Err(why) = own {
                return self.reports.push(call::told(request, State::Refused, now, why));
            }
            let call = &mut self.calls[row];
            let amended = call.amend(&self.network, &self.atlas, request, now, look);
            let why = amended.err().unwrap_or("amended");
            return self.reports.push(call.report(&self.network, now, why, look));
        }
        if let Err(why) = self.admit(request, now) {
            return self.reports.push(call::told(request, State::Refused, now, why));
        }
        self.reports.push(call::told(request, State::Requested, now, "heard of"));
        match Call::new(&self.network, &self.atlas, self.serial, request, now, look) {
            Err(why) => self.reports.push(call::told(request, State::Refused, now, why)),
            Ok(mut call) => {
                self.serial = self.serial.wrapping_add(1);
                self.reports.push(call.report(&self.network, now, "planned", look));
                if self.rules.automatic.is_some_and(|least| request.class <= least) {
                    call.state = State::Active;
                    self.reports.push(call.report(&self.network, now, "its class activates by itself", look));
                }
                self.calls.push(call);
            }
        }
    }

    fn admit(&mut self, request: &PriorityRequest, now: Time) -> Result<(), &'static str> {
        if self.calls.len() >= CALLS_MAX {
            return Err("too many calls are under way");
        }
        if self.calls.iter().any(|call| call.state.live() && call.request.vehicle == request.vehicle) {
            return Err("the vehicle is on another call");
        }
        self.count(request, now)
    }

    /// Counts a request against what its authority may make in a minute.
    fn count(&mut self, request: &PriorityRequest, now: Time) -> Result<(), &'static str> {
        self.taken.retain(|_, times| times.last().is_some_and(|&last| now - last < MINUTE));
        if self.taken.len() >= AUTHORITIES_MAX && !self.taken.contains_key(&request.authority) {
            return Err("too many authorities ask at a time");
        }
        let times = self.taken.entry(request.authority.clone()).or_default();
        times.retain(|&at| now - at < MINUTE);
        if times.len() >= self.rules.per_minute {
            return Err("its authority has made too many requests within a minute");
        }
        times.push(now);
        Ok(())
    }

    /// What a request would become, if it were made now.
    pub fn preview(&self, request: &PriorityRequest, now: Time, look: Look<'_>) -> Report {
        match Call::new(&self.network, &self.atlas, self.serial, request, now, look) {
            Err(why) => call::told(request, State::Refused, now, why),
            Ok(mut call) => {
                call.state = State::Preview;
                while !call.compares(&self.network, &self.atlas, now, look) {}
                call.report(&self.network, now, "a preview: nothing is asked of anybody", look)
            }
        }
    }

    /// A vehicle says where it is.
    pub fn position(&mut self, position: &Position) {
        let of = |call: &&mut Call| call.state.live() && call.request.vehicle == position.vehicle;
        if let Some(call) = self.calls.iter_mut().find(of) {
            call.hear(&self.network, position);
        }
    }

    /// An operator activates a call.
    ///
    /// # Errors
    /// When there is no such call that could be.
    pub fn activate(&mut self, id: &str, now: Time, look: Look<'_>) -> Result<Box<str>, Box<str>> {
        let found = self.calls.iter_mut().find(|call| call.state.live() && *call.request.id == *id);
        let Some(call) = found else { return Err("request: no such call is under way".into()) };
        call.state = State::Active;
        self.reports.push(call.report(&self.network, now, "an operator activated it", look));
        Ok("activated".into())
    }

    /// Somebody ends a call.
    ///
    /// # Errors
    /// When there is no such call.
    pub fn cancel(&mut self, id: &str, now: Time) -> Result<Box<str>, Box<str>> {
        let found = self.calls.iter_mut().find(|call| call.state.live() && *call.request.id == *id);
        let Some(call) = found else { return Err("request: no such call is under way".into()) };
        self.reports.push(call.end(State::Cancelled, now, "an operator ended it"));
        Ok("cancelled".into())
    }

    /// One tick: what each junction is asked for, in the order in which it is to serve, and what there is to say.
    pub fn step(&mut self, now: Time, answers: &[Answer], look: Look<'_>) -> (Vec<Preemption>, Vec<Report>) {
        let mut asks = Vec::new();
        let maps = (&self.atlas, &self.places);
        for call in &mut self.calls {
            call.answered(answers, now);
            let said = if call.state.live() {
                call.advance(&self.network, maps, now, self.rules.silence, look)
            } else {
                call.recover(now)
            };
            self.reports.extend(said);
            asks.extend(call.asks(now));
        }
        self.calls.retain(|call| !call.state.over());
        (arbitrate(&self.network, asks), std::mem::take(&mut self.reports))
    }
}

const MINUTE: Span = Span::from_s(60);

#[cfg(test)]
mod tests;

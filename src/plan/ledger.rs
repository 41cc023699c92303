//! What a junction's controller was sent and what it says it runs: every state it may be in, and none where that is
//! not known.
//!
//! The contract with a controller: it takes a plan only if it runs (or has taken) the plan's base and the plan reaches
//! it by `effective_from`; otherwise it refuses. A status sent after `effective_from` that names another plan
//! therefore proves that this one was not taken. Where it runs none of ours in remote mode it holds its lamps.

use crate::keep::keep;
use std::fmt;

use crate::event::{Aspect, ControllerFault, ControllerMode, Revision, Status};
use crate::ids::{GroupId, Id, StageId};
use crate::network::Junction;
use crate::plan::check::SafePlan;
use crate::plan::running::Running;
use crate::plan::timeline::Lamps;
use crate::time::{Span, Time};

/// After so many plans without an answer no further one is sent.
pub const UNANSWERED_MAX: usize = 8;
/// So many changes of one plan are kept; what it does after them counts as unknown.
pub const AHEAD_MAX: usize = 256;
/// A lamp may be so much early or late before it contradicts its plan.
const SKEW: Span = Span::SECOND;
/// So many statuses in a row that contradict their plan mean that nothing is known.
const CONTRADICTIONS_MAX: u8 = 3;

/// Whether, and if not why not, it is known what a controller does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Contact {
    /// It has never said anything.
    #[default]
    Never,
    /// What it does is known.
    Known,
    /// It is not under remote control.
    Mode(ControllerMode),
    /// It reports a fault that forbids control.
    Fault(ControllerFault),
    /// It does not say what its lamps show.
    NoLamps,
    /// It runs a plan that is not known here.
    Foreign(Revision),
    /// A lamp shows again and again what its plan does not say.
    Contradicts(GroupId),
    /// The plan it ran is over.
    Over,
}

keep!(
    enum Contact {
        Never,
        Known,
        Mode(mode),
        Fault(fault),
        NoLamps,
        Foreign(revision),
        Contradicts(group),
        Over,
    }
);

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("its controller has not reported yet"),
            Self::Known => f.write_str("its controller follows"),
            Self::Mode(ControllerMode::Remote) => f.write_str("its controller is under remote control"),
            Self::Mode(ControllerMode::Local) => f.write_str("its controller runs a program of its own"),
            Self::Mode(ControllerMode::Flash) => f.write_str("its controller flashes"),
            Self::Mode(ControllerMode::Manual) => f.write_str("somebody on site controls it"),
            Self::Mode(ControllerMode::Preempt) => f.write_str("its controller is preempted"),
            Self::Fault(ControllerFault::Lamp(group)) => write!(f, "the lamp of {group} is broken"),
            Self::Fault(ControllerFault::Conflict) => f.write_str("its conflict monitor tripped"),
            Self::Fault(ControllerFault::Power) => f.write_str("its power is failing"),
            Self::Fault(ControllerFault::Clock) => f.write_str("its clock is off"),
            Self::NoLamps => f.write_str("its controller does not say what its lamps show"),
            Self::Foreign(revision) => write!(f, "its controller runs plan {}, which is not known here", revision.0),
            Self::Contradicts(group) => write!(f, "{group} does not show what its plan says"),
            Self::Over => f.write_str("the plan of its controller is over"),
        }
    }
}

/// What a status told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It runs this plan now.
    Took(Revision),
    /// It refused this plan.
    Refused(Revision),
    /// It did not take this plan, and did not say so.
    Missed(Revision),
    /// A lamp does not show what the plan says.
    Mismatch(GroupId),
    /// It is known, or no longer known, what it does.
    Contact(Contact),
}

/// The account of one controller.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// What it runs for all that is known, then each plan sent since, by revision.
    states: Vec<Running>,
    /// Of each state the plan it continues and when it takes over.
    links: Vec<(Revision, Time)>,
    last: Revision,
    contact: Contact,
    heard: Option<Time>,
    /// When what its lamps showed was taken for what it does: nobody had seen what was under way then begin.
    met: Option<Time>,
    contradictions: u8,
}

keep!(Ledger { states, links, last, contact, heard, met, contradictions });

impl Ledger {
    /// Nothing sent, nothing heard.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes it that the junction does this, as where nobody reports: in the twin, or to compute for oneself.
    pub fn assume(&mut self, running: Running) {
        self.last = self.last.max(running.revision);
        self.links = vec![(running.revision, Time::LONG_AGO)];
        self.states = vec![running];
        self.contact = Contact::Known;
        self.contradictions = 0;
    }

    /// The number of the next plan.
    pub fn next_revision(&self) -> Revision {
        Revision(self.last.0 + 1)
    }

    /// Whether it is known what the controller does, and if not why not.
    pub fn contact(&self) -> Contact {
        self.contact
    }

    /// When it last reported.
    pub fn heard_at(&self) -> Option<Time> {
        self.heard
    }

    /// The stage it is in or changing into, for all that was known when its states were last asked for.
    pub fn stage(&self) -> Option<StageId> {
        self.states.first()?.stage
    }

    /// How many plans it has not answered.
    pub fn unanswered(&self) -> usize {
        self.states.len().saturating_sub(1)
    }

    /// Every state the junction may be in at `now`, the latest plan last: that is the one to continue. None where a
    /// plan may not be sent.
    pub fn states(&mut self, now: Time, junction: &Junction) -> &[Running] {
        self.advance(now, junction);
        if self.unanswered() >= UNANSWERED_MAX { &[] } else { &self.states }
    }

    /// Enters a plan that was just sent.
    pub fn sent(&mut self, plan: &SafePlan) {
        let draft = plan.draft();
        let Some(base) = self.states.iter().find(|running| running.revision == draft.base) else { return };
        let mut running = base.clone();
        running.ahead.retain(|change| change.at < draft.effective_from);
        running.revision = draft.revision;
        running.known_until = draft.valid_until;
        for change in draft.changes().take_while(|change| change.at < draft.valid_until) {
            if running.ahead.len() == AHEAD_MAX {
                running.known_until = change.at;
                break;
            }
            running.ahead.push(change);
        }
        self.last = self.last.max(draft.revision);
        self.links.push((draft.base, draft.effective_from));
        self.states.push(running);
    }

    /// Enters what the controller reports. A status older than the last one tells nothing.
    pub fn heard(&mut self, status: &Status, junction: &Junction) -> Vec<Heard> {
        let mut told = Vec::new();
        if self.heard.is_some_and(|last| status.at < last) {
            return told;
        }
        self.heard = Some(status.at);
        self.last = self.last.max(status.running);
        let grave = |fault: &&ControllerFault| matches!(fault, ControllerFault::Conflict | ControllerFault::Clock);
        if status.mode != ControllerMode::Remote {
            self.lose(Contact::Mode(status.mode), &mut told);
        } else if let Some(&fault) = status.faults.iter().find(grave) {
            self.lose(Contact::Fault(fault), &mut told);
        } else {
            self.advance(status.at, junction);
            if let Some(refused) = status.refused.filter(|&refused| self.drop_plan(refused)) {
                told.push(Heard::Refused(refused));
            }
            self.runs(status, junction, &mut told);
        }
        told
    }

    fn runs(&mut self, status: &Status, junction: &Junction, told: &mut Vec<Heard>) {
        let running = status.running;
        let lamps_told = status.lamps.len() == junction.groups.len() && !status.lamps.contains(&Aspect::Dark);
        let known = self.states.iter().any(|state| state.revision == running);
        if !known && running != Revision(0) {
            return self.lose(Contact::Foreign(running), told);
        }
        if !known {
            if !lamps_told {
                return self.lose(Contact::NoLamps, told);
            }
            self.meet(status, junction);
            return told.push(Heard::Contact(Contact::Known));
        }
        let first = self.states[0].revision;
        while self.states[0].revision != running {
            let older = self.states[0].revision;
            self.forget(older);
        }
        if running != first {
            told.push(Heard::Took(running));
        }
        // Only what continues it can still be taken, and only before its time has come.
        let mut position = 1;
        while position < self.states.len() {
            let (base, from) = self.links[position];
            let possible = self.states[..position].iter().any(|state| state.revision == base);
            if possible && (base != running || status.at <= from) {
                position += 1;
                continue;
            }
            told.push(Heard::Missed(self.states[position].revision));
            self.forget(self.states[position].revision);
        }
        if lamps_told {
            self.compare(status, junction, told);
        }
    }

    /// Takes what its lamps show for all that is known of it.
    fn meet(&mut self, status: &Status, junction: &Junction) {
        self.assume(Running::holding(Lamps::seen(status.at, &status.lamps, junction), status.at));
        self.met = Some(status.at);
    }

    /// Compares what it shows with what its plan says, where only one plan can say it.
    fn compare(&mut self, status: &Status, junction: &Junction, told: &mut Vec<Heard>) {
        let [state] = self.states.as_slice() else { return };
        let near = |time: Time| (status.at - time) < SKEW && (time - status.at) < SKEW;
        let odd = |group: &GroupId| {
            let lamp = state.lamps.group(*group);
            let turning = lamp.green_from.is_some_and(near) || near(lamp.green_until) || near(lamp.yellow_until);
            let (said, shown) = (state.lamps.aspect(*group, status.at), status.lamps[group.index()]);
            // A clearance that was under way when it was met ends earlier than one that began then.
            let under_way = self.met == Some(lamp.green_until) && (said, shown) == (Aspect::Yellow, Aspect::Red);
            !turning && !under_way && said != shown
        };
        // A change that is about to come may already be seen.
        let coming = state.ahead.first().is_some_and(|change| near(change.at));
        let Some(group) = junction.groups.ids().filter(|_| !coming).find(odd) else {
            self.contradictions = 0;
            return;
        };
        if state.revision == Revision(0) {
            // It runs none of ours and has moved by itself: only what it shows now counts.
            return self.meet(status, junction);
        }
        told.push(Heard::Mismatch(group));
        self.contradictions += 1;
        if self.contradictions >= CONTRADICTIONS_MAX {
            self.lose(Contact::Contradicts(group), told);
        }
    }

    fn advance(&mut self, now: Time, junction: &Junction) {
        for state in &mut self.states {
            state.advance(now, junction);
        }
        let known = !self.states.is_empty();
        while let Some(over) = self.states.iter().find(|state| state.known_until <= now) {
            self.forget(over.revision);
        }
        if known && self.states.is_empty() {
            self.contact = Contact::Over;
        }
    }

    /// Nothing is known from now on. A plan that still is under way is refused where it is not the base that runs.
    fn lose(&mut self, why: Contact, told: &mut Vec<Heard>) {
        self.states.clear();
        self.links.clear();
        self.contradictions = 0;
        if self.contact != why {
            self.contact = why;
            told.push(Heard::Contact(why));
        }
    }

    /// Removes a plan and all that continue it. Whether it was there and was not the only state.
    fn drop_plan(&mut self, revision: Revision) -> bool {
        let there = self.states.iter().skip(1).any(|state| state.revision == revision);
        if there {
            let mut gone = vec![revision];
            for (state, &(base, _)) in self.states.iter().zip(&self.links).skip(1) {
                if gone.contains(&base) {
                    gone.push(state.revision);
                }
            }
            for revision in gone {
                self.forget(revision);
            }
        }
        there
    }

    fn forget(&mut self, revision: Revision) {
        if let Some(position) = self.states.iter().position(|state| state.revision == revision) {
            self.states.remove(position);
            self.links.remove(position);
        }
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;

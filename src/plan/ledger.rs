//! Which plan a junction may be running: what was sent, what its controller says of it.

use crate::event::{Aspect, ControllerMode, Revision, Status};
use crate::network::Junction;
use crate::plan::check::{Running, SafePlan};
use crate::plan::timeline::Lamps;
use crate::time::Time;

/// Plans that may wait for their acknowledgement at once.
const OPEN_MAX: usize = 8;

/// What one junction may be running, the acknowledged plan first, the newest last.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    states: Vec<Running>,
    last: Revision,
    reported: Option<Box<[Aspect]>>,
}

impl Ledger {
    /// Nothing is known yet, so nothing may be sent.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of the next plan.
    pub fn next(&self) -> Revision {
        Revision(self.last.0 + 1)
    }

    /// What its lamps showed when it last said so.
    pub fn reported(&self) -> Option<&[Aspect]> {
        self.reported.as_deref()
    }

    /// Every state it may be in at `now`; none when a plan must not be sent.
    pub fn states(&mut self, now: Time, junction: &Junction) -> &[Running] {
        self.states.iter_mut().for_each(|state| state.advance(now, junction));
        &self.states
    }

    /// Notes a plan that was sent.
    pub fn sent(&mut self, plan: &SafePlan, junction: &Junction) {
        let draft = plan.draft();
        self.last = self.last.max(draft.revision);
        let Some(base) = self.states.iter().find(|state| state.revision == draft.base) else { return };
        let mut state = base.at(draft.effective_from, junction);
        state.lamps = base.lamps.clone();
        state.stage = base.stage;
        state.since = base.since;
        state.revision = draft.revision;
        state.ahead = base.ahead.iter().copied().take_while(|c| c.at < draft.effective_from).collect();
        state.ahead.extend(draft.changes().take_while(|c| c.at < draft.valid_until));
        state.known_until = draft.valid_until;
        if self.states.len() >= OPEN_MAX {
            self.states.remove(0);
        }
        self.states.push(state);
    }

    /// Hears what its controller says.
    pub fn hear(&mut self, status: &Status, now: Time, junction: &Junction) {
        self.last = self.last.max(status.running);
        if !status.lamps.is_empty() {
            self.reported = Some(status.lamps.clone());
        }
        if status.mode != ControllerMode::Remote {
            self.states.clear();
            return;
        }
        match self.states.iter().position(|state| state.revision == status.running) {
            Some(at) => drop(self.states.drain(..at)),
            None if !status.lamps.is_empty() => {
                let mut state = Running::holding(Lamps::seen(now, &status.lamps, junction), now);
                state.revision = status.running;
                self.states = vec![state];
            }
            None => self.states.clear(),
        }
        if let Some(refused) = status.refused {
            self.states.retain(|state| state.revision != refused);
        }
    }
}

//! What a junction may be doing: a plan it may be running, unrolled to an instant.

use crate::event::Revision;
use crate::ids::{GroupId, StageId};
use crate::keep::keep;
use crate::network::Junction;
use crate::plan::draft::Change;
use crate::plan::timeline::Lamps;
use crate::time::Time;

/// What a junction may be doing: a plan it may be running, unrolled to now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// The plan's number; 0 where it runs none of ours.
    pub revision: Revision,
    /// What its lamps have shown, every change up to and including `now` begun.
    pub lamps: Lamps,
    /// The stage it is in or changing into; none where it runs none of ours.
    pub stage: Option<StageId>,
    /// When the change into that stage began.
    pub since: Time,
    /// What that plan will do next, in order of time: every change until `known_until`.
    pub ahead: Vec<Change>,
    /// From when on it is not known what it does: the plan is over, or longer than what is kept of it.
    pub known_until: Time,
}

keep!(Running { revision, lamps, stage, since, ahead, known_until });

impl Running {
    /// It runs none of our plans and holds the lamps it shows until it gets one.
    pub fn holding(lamps: Lamps, since: Time) -> Self {
        Self { revision: Revision(0), lamps, stage: None, since, ahead: Vec::new(), known_until: Time::NEVER }
    }

    /// Begins one change, wherever it comes from.
    pub fn follow(&mut self, change: Change, junction: &Junction) {
        if self.stage != Some(change.stage) {
            self.since = change.at;
        }
        self.stage = Some(change.stage);
        self.lamps.change(change, junction);
    }

    /// Begins every change that is due at `now`.
    pub fn advance(&mut self, now: Time, junction: &Junction) {
        let due = self.ahead.iter().take_while(|change| change.at <= now).count();
        for position in 0..due {
            self.follow(self.ahead[position], junction);
        }
        self.ahead.drain(..due);
    }

    /// What it will be doing at `from` when a new plan takes over there: every change before that begun, none left.
    #[must_use]
    pub fn at(&self, from: Time, junction: &Junction) -> Self {
        let mut then = Self {
            revision: self.revision,
            lamps: self.lamps.clone(),
            stage: self.stage,
            since: self.since,
            ahead: Vec::new(),
            known_until: self.known_until,
        };
        for &change in self.ahead.iter().take_while(|change| change.at < from) {
            then.follow(change, junction);
        }
        then
    }

    /// When it will show `group` green if nothing intervenes; none if it never does as far as is known.
    pub fn promised(&self, group: GroupId, junction: &Junction) -> Option<Time> {
        let mut lamps = self.lamps.clone();
        for &change in &self.ahead {
            if let Some(from) = lamps.group(group).green_from.filter(|&from| from < change.at) {
                return Some(from);
            }
            lamps.change(change, junction);
        }
        lamps.group(group).green_from
    }
}

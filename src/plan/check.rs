//! The only door to a [`SafePlan`]: every rule, judged from every state the junction may be in.
//!
//! Yellow, clearance and intergreens cannot be stated in a draft; they are derived (`timeline`), each group against
//! every other one however long ago that lost its green. What is judged here is all the rest: `shape` the plan as it
//! is written, `walk` what the lamps do under it.

use crate::event::Revision;
use crate::ids::{GroupId, Table};
use crate::network::Junction;
use crate::plan::bounds::Bounds;
use crate::plan::draft::{Change, Draft};
use crate::plan::shape;
use crate::plan::timeline::{LampChange, unroll};
use crate::plan::walk::walk;
use crate::time::{Span, Time};

pub use crate::plan::bounds::Narrowed;
pub use crate::plan::running::Running;
pub use crate::plan::violation::Violation;

/// No more violations than this are told of one draft.
pub const VIOLATIONS_MAX: usize = 64;

/// What a draft is judged against.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The present.
    pub now: Time,
    /// A plan counts from `now` + this at the earliest.
    pub lead: Span,
    /// Changes begin at multiples of this only.
    pub grid: Span,
    /// Every state the junction may be in: the acknowledged plan and each one sent since.
    pub running: &'a [Running],
    /// Since when demand has waited for each group; none where nobody waits.
    pub waiting: &'a Table<GroupId, Option<Time>>,
    /// Limits that an operator has made stricter.
    pub narrowed: &'a [Narrowed],
}

/// A plan that no lamp of it breaks a rule. Only [`check`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafePlan {
    draft: Draft,
    lamps: Vec<LampChange>,
}

impl SafePlan {
    /// The plan.
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    /// What each lamp shows when, from `effective_from` to `valid_until`, in order of time and group. Until the first
    /// of its changes a lamp goes on with what it shows under the plan this one continues.
    pub fn lamps(&self) -> &[LampChange] {
        &self.lamps
    }

    /// Its number.
    pub fn revision(&self) -> Revision {
        self.draft.revision
    }
}

/// Violations as they are found, each once.
#[derive(Debug, Default)]
pub(super) struct Found(Vec<Violation>);

impl Found {
    pub(super) fn push(&mut self, violation: Violation) {
        if self.0.len() < VIOLATIONS_MAX && !self.0.contains(&violation) {
            self.0.push(violation);
        }
    }
}

/// Lets a draft through if no rule is broken, whatever of `setting.running` the junction does: while the plans it may
/// be running go on until `effective_from`, through the prefix, into the tail and through two of its cycles. The state
/// at the end of the second is that at the end of the first, so what holds so far holds for ever.
///
/// # Errors
/// Every rule that is broken, once each, as far as the draft can be read at all.
pub fn check(draft: Draft, junction: &Junction, setting: &Setting<'_>) -> Result<SafePlan, Vec<Violation>> {
    let mut found = Found::default();
    let readable = shape::judge(&draft, junction, setting, &mut found);
    if readable {
        let bounds = Bounds { junction, narrowed: setting.narrowed };
        for running in setting.running {
            walk(&draft, running, bounds, setting, &mut found);
        }
    }
    let base = setting.running.iter().find(|running| running.revision == draft.base);
    match (base, found.0.is_empty()) {
        (Some(base), true) => {
            let lamps = lamps_of(&draft, base, junction);
            Ok(SafePlan { draft, lamps })
        }
        _ => Err(found.0),
    }
}

/// What `base` goes on with until the draft begins, and the draft from then on.
fn course<'a>(draft: &'a Draft, base: &'a Running) -> impl Iterator<Item = Change> + 'a {
    let frozen = base.ahead.iter().copied().take_while(|change| change.at < draft.effective_from);
    frozen.chain(draft.changes())
}

fn lamps_of(draft: &Draft, base: &Running, junction: &Junction) -> Vec<LampChange> {
    unroll(base.lamps.clone(), course(draft, base), draft.effective_from, draft.valid_until, junction)
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;

//! The lamp oracle: watches what lamps really show and names every fault. It knows limits and lamps and nothing of
//! plans, and shares no code with the checker it judges.

use thiserror::Error;

use crate::event::Aspect;
use crate::ids::{GroupId, Id, JunctionId, Table};
use crate::network::{Conflict, Junction, Network};
use crate::time::{Span, Time};

/// One fault of a junction's lamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{junction} at {at}: {what}")]
pub struct LampFault {
    /// Where.
    pub junction: JunctionId,
    /// When it was seen.
    pub at: Time,
    /// What.
    pub what: Wrong,
}

/// What can be wrong with lamps. Lengths are the longest they can have been, given when somebody looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Wrong {
    /// Two groups that may never be green together are.
    #[error("{0} and {1} are green together")]
    Together(GroupId, GroupId),
    /// A group turned green too soon after another lost its green.
    #[error("{to} is green {gap} after {from}, which is owed {owed}")]
    Intergreen {
        /// Who lost it.
        from: GroupId,
        /// Who gained it.
        to: GroupId,
        /// What lay between.
        gap: Span,
        /// What has to.
        owed: Span,
    },
    /// A green was too short.
    #[error("{group} was green for {green}, which is below {min}")]
    ShortGreen {
        /// Whose.
        group: GroupId,
        /// How long.
        green: Span,
        /// The shortest allowed.
        min: Span,
    },
    /// A yellow or a pedestrian clearance was too short, or there was none.
    #[error("{group} was yellow for {yellow}, which is below {due}")]
    ShortYellow {
        /// Whose.
        group: GroupId,
        /// How long.
        yellow: Span,
        /// The length due.
        due: Span,
    },
    /// A lamp went from yellow to green.
    #[error("{0} went from yellow to green")]
    YellowToGreen(GroupId),
    /// A lamp went from red to yellow.
    #[error("{0} went from red to yellow")]
    RedToYellow(GroupId),
    /// A red was too long while somebody waited.
    #[error("{group} has been red for {red} while somebody waits, which is above {max}")]
    LongRed {
        /// Whose.
        group: GroupId,
        /// For how long, since somebody waits.
        red: Span,
        /// The longest allowed.
        max: Span,
    },
}

/// Watches the lamps of a network's junctions.
#[derive(Debug, Clone)]
pub struct Oracle {
    watched: Table<JunctionId, Watched>,
    exact: bool,
}

/// The limits of one junction and what it has shown.
#[derive(Debug, Clone)]
struct Watched {
    last: Option<Time>,
    limits: Box<[Limits]>,
    /// Row `from`, column `to`; `None` where both may be green.
    owed: Box<[Option<u32>]>,
    shown: Box<[Shown]>,
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    min_green: Span,
    change: Span,
    max_red: Span,
}

#[derive(Debug, Clone, Copy)]
struct Shown {
    aspect: Aspect,
    /// The latest instant at which it certainly did not show this yet; none if it may always have.
    not_at: Option<Time>,
    /// When it was first seen to show this.
    since: Time,
    /// The latest instant at which its last green was certainly still on.
    green_at: Option<Time>,
    told_long_red: bool,
}

const NOTHING: Shown =
    Shown { aspect: Aspect::Dark, not_at: None, since: Time::LONG_AGO, green_at: None, told_long_red: false };

impl Watched {
    fn of(junction: &Junction) -> Self {
        let limits = junction.groups.values().map(|group| Limits {
            min_green: group.min_green.span,
            change: group.change.span,
            max_red: group.max_red.span,
        });
        let ids = || junction.groups.ids();
        let owed = ids().flat_map(|from| {
            ids().map(move |to| {
                let meet = from == to || junction.conflict(from, to) == Conflict::Never;
                meet.then(|| u32::try_from(junction.intergreen(from, to).span.ms()).unwrap_or(u32::MAX))
            })
        });
        let shown = vec![NOTHING; junction.groups.len()];
        Self { last: None, limits: limits.collect(), owed: owed.collect(), shown: shown.into() }
    }
}

impl Oracle {
    /// Looks now and then: what happens between two looks is given the benefit of the doubt, so that every fault it
    /// names is one.
    pub fn new(network: &Network) -> Self {
        Self { watched: network.junctions().values().map(Watched::of).collect(), exact: false }
    }

    /// Looks at every instant at which a lamp changes, so that lengths are exact.
    pub fn exact(network: &Network) -> Self {
        Self { exact: true, ..Self::new(network) }
    }

    /// Forgets what `junction` has shown: it was switched off, or nobody looked.
    pub fn forget(&mut self, junction: JunctionId) {
        let watched = &mut self.watched[junction];
        watched.last = None;
        watched.shown.fill(NOTHING);
    }

    /// Looks at the lamps of `junction` at `now`: one aspect a group, in order; what is missing counts as dark.
    /// Instants have to rise; after a step back it starts anew.
    pub fn watch(&mut self, now: Time, junction: JunctionId, lamps: &[Aspect]) -> Vec<LampFault> {
        self.watch_waiting(now, junction, lamps, None)
    }

    /// The same, knowing since when somebody waits for each group.
    pub fn watch_waiting(
        &mut self,
        now: Time,
        junction: JunctionId,
        lamps: &[Aspect],
        waiting: Option<&Table<GroupId, Option<Time>>>,
    ) -> Vec<LampFault> {
        if self.watched[junction].last.is_some_and(|last| now < last) {
            self.forget(junction);
        }
        let mut look = Look { now, exact: self.exact, watched: &mut self.watched[junction], wrong: Vec::new() };
        for group in 0..look.watched.shown.len() {
            let aspect = lamps.get(group).copied().unwrap_or(Aspect::Dark);
            if aspect != look.watched.shown[group].aspect {
                look.turns(group, aspect);
            }
            if let Some(waiting) = waiting.and_then(|waiting| *waiting.get(GroupId::of(group))?) {
                look.waits(group, waiting);
            }
        }
        look.meets();
        look.watched.last = Some(now);
        look.wrong.into_iter().map(|what| LampFault { junction, at: now, what }).collect()
    }
}

struct Look<'a> {
    now: Time,
    exact: bool,
    watched: &'a mut Watched,
    wrong: Vec<Wrong>,
}

impl Look<'_> {
    /// The longest that can have passed since what was not yet so, or was still so, at `at`.
    fn since(&self, at: Time) -> Span {
        if self.exact { self.now - at } else { self.now - at - Span::from_ms(1) }
    }

    fn turns(&mut self, index: usize, aspect: Aspect) {
        let group = GroupId::of(index);
        let limits = self.watched.limits[index];
        let before = self.watched.shown[index];
        let looked = self.watched.last;
        let length = before.not_at.map(|at| self.since(at));
        match (before.aspect, aspect) {
            (Aspect::Green, Aspect::Red) => {
                // A yellow may have come and gone since the last look.
                let yellow = if self.exact { Span::ZERO } else { looked.map_or(Span::ZERO, |at| self.since(at)) };
                if yellow < limits.change {
                    self.wrong.push(Wrong::ShortYellow { group, yellow, due: limits.change });
                }
            }
            (Aspect::Yellow, Aspect::Red) => {
                if let Some(yellow) = length.filter(|&yellow| yellow < limits.change) {
                    self.wrong.push(Wrong::ShortYellow { group, yellow, due: limits.change });
                }
            }
            // Two looks far apart may have missed the red between.
            (Aspect::Yellow, Aspect::Green) if self.exact || looked.is_some_and(|at| self.now - at <= Span::SECOND) => {
                self.wrong.push(Wrong::YellowToGreen(group));
            }
            (Aspect::Red, Aspect::Yellow) => self.wrong.push(Wrong::RedToYellow(group)),
            _ => {}
        }
        let green = length.filter(|_| before.aspect == Aspect::Green);
        if let Some(green) = green.filter(|&green| green < limits.min_green) {
            self.wrong.push(Wrong::ShortGreen { group, green, min: limits.min_green });
        }
        let seen = before.aspect != Aspect::Dark && aspect != Aspect::Dark;
        let not_at = if self.exact { Some(self.now) } else { looked };
        let green_at = match (before.aspect, self.exact) {
            (Aspect::Green, true) => Some(self.now),
            (Aspect::Green, false) => looked,
            _ => before.green_at,
        };
        let not_at = not_at.filter(|_| seen);
        self.watched.shown[index] = Shown { aspect, not_at, since: self.now, green_at, told_long_red: false };
    }

    fn waits(&mut self, index: usize, waiting: Time) {
        let max = self.watched.limits[index].max_red;
        let shown = &mut self.watched.shown[index];
        let red = self.now - shown.since.max(waiting);
        if shown.aspect == Aspect::Red && red > max && !shown.told_long_red {
            shown.told_long_red = true;
            self.wrong.push(Wrong::LongRed { group: GroupId::of(index), red, max });
        }
    }

    /// Every group that has just turned green, against every other one.
    fn meets(&mut self) {
        let count = self.watched.shown.len();
        for to in 0..count {
            let gained = self.watched.shown[to];
            if gained.aspect != Aspect::Green || gained.since != self.now {
                continue;
            }
            for from in 0..count {
                let Some(owed) = self.watched.owed[from * count + to] else { continue };
                let other = self.watched.shown[from];
                if from != to && other.aspect == Aspect::Green {
                    // If both have just turned green, once is enough.
                    if other.since != self.now || from < to {
                        self.wrong.push(Wrong::Together(GroupId::of(from.min(to)), GroupId::of(from.max(to))));
                    }
                    continue;
                }
                let (Some(green_at), owed) = (other.green_at, Span::from_ms(i64::from(owed))) else { continue };
                let gap = self.since(green_at);
                if gap < owed {
                    let (from, to) = (GroupId::of(from), GroupId::of(to));
                    self.wrong.push(Wrong::Intergreen { from, to, gap, owed });
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "oracle_tests.rs"]
mod tests;

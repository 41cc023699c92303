//! A plan as somebody wishes it: stages and when the change into each begins. Lamps cannot be stated at all.

use crate::event::Revision;
use crate::ids::{JunctionId, StageId};
use crate::keep::keep;
use crate::network::Program;
use crate::time::{Span, Time};

/// The change into a stage: at this instant the groups that are not in the stage lose green; its own follow as soon as
/// their intergreens are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The stage.
    pub stage: StageId,
    /// When the change into it begins.
    pub at: Time,
    /// For so long from then on nothing turns green that was not, also where no intergreen asks for it: whoever is still
    /// inside the junction gets out of it.
    pub clear: Span,
}

keep!(Change { stage, at, clear });

impl Change {
    /// One whose greens follow as soon as their intergreens are over.
    pub fn new(stage: StageId, at: Time) -> Self {
        Self { stage, at, clear: Span::ZERO }
    }
}

/// A plan that has not been checked.
///
/// Until `effective_from` the plan `base` goes on. Then come the changes of `prefix`, and from `tail.from` on the tail
/// runs unattended until `valid_until`; after that the controller runs a program of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Where.
    pub junction: JunctionId,
    /// Its number.
    pub revision: Revision,
    /// The plan it continues. A controller that runs another one refuses it.
    pub base: Revision,
    /// From when on it counts.
    pub effective_from: Time,
    /// The rolling schedule, in order of time.
    pub prefix: Vec<Change>,
    /// What runs on where the schedule ends.
    pub tail: Tail,
    /// Until when it counts.
    pub valid_until: Time,
}

keep!(Draft { junction, revision, base, effective_from, prefix, tail, valid_until });

/// A timed program that runs on its own from an instant at which one of its changes begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// Stages in order, each with its share of the cycle: the change into it and its green.
    pub splits: Vec<(StageId, Span)>,
    /// When the first stage's change begins against the master clock.
    pub offset: Span,
    /// When it takes over. A stage that began before and runs at this instant is taken up in its middle.
    pub from: Time,
}

keep!(Tail { splits, offset, from });

impl Tail {
    /// `program` taking over at `from`.
    pub fn of(program: &Program, from: Time) -> Self {
        Self { splits: program.splits.clone(), offset: program.offset, from }
    }

    /// The sum of the shares.
    pub fn cycle(&self) -> Span {
        self.splits.iter().map(|&(_, share)| share).sum()
    }

    /// Its changes from `from` on, without end; the first is at `from` itself. None at all if the cycle is not positive.
    pub fn changes(&self) -> impl Iterator<Item = Change> + '_ {
        let cycle = self.cycle();
        let (mut position, mut at) = (0, self.from);
        if cycle > Span::ZERO {
            let mut phase = self.from.within(cycle, self.offset);
            at = self.from - phase;
            while phase >= self.splits[position].1 {
                phase = phase - self.splits[position].1;
                at += self.splits[position].1;
                position += 1;
            }
        }
        let runs = cycle > Span::ZERO;
        let from = self.from;
        self.splits.iter().cycle().skip(position).take_while(move |_| runs).map(move |&(stage, share)| {
            let change = Change::new(stage, at.max(from));
            at += share;
            change
        })
    }
}

impl Draft {
    /// Every change in order of time: the prefix, then the tail's, without end.
    pub fn changes(&self) -> impl Iterator<Item = Change> + '_ {
        self.prefix.iter().copied().chain(self.tail.changes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;

    #[test]
    fn a_tail_takes_over_in_the_middle_of_a_stage() {
        let tail = Tail {
            splits: vec![(StageId::of(0), Span::from_s(30)), (StageId::of(1), Span::from_s(20))],
            offset: Span::from_s(3),
            from: Time::from_s(40),
        };
        let changes: Vec<_> = tail.changes().take(3).map(|c| (c.stage.index(), c.at.ms() / 1000)).collect();
        // Stage 1 began at 33 and is taken up at 40; the cycle starts anew at 53.
        assert_eq!(changes, [(1, 40), (0, 53), (1, 83)]);
    }
}

//! A signal controller: runs its own program until it is given a plan, follows the plan's lamps, goes back to its own
//! program by a safe change when the plan runs out, and reports.

use std::collections::VecDeque;

use super::options::{Trouble, TroubleKind};
use crate::event::{Aspect, ControllerFault, ControllerMode, Revision, Status};
use crate::ids::{GroupSet, Id, JunctionId};
use crate::network::Junction;
use crate::plan::check::SafePlan;
use crate::plan::draft::Change;
use crate::plan::timeline::{LampChange, Lamps, unroll};
use crate::time::{Span, Time};

/// Its own program is unrolled this far at a time.
const WINDOW: Span = Span::from_s(120);
/// How many stages of its own program it considers for a safe way back.
const WAYS_BACK: usize = 32;

/// Why a controller did not take a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It runs another plan than the one this continues.
    Base {
        /// What it runs.
        running: Revision,
    },
    /// The plan counts from an instant that has passed.
    Late,
    /// It does not hear, or runs its own program, or refuses.
    Trouble(TroubleKind),
}

/// One junction's controller.
#[derive(Debug)]
pub(super) struct Controller {
    id: JunctionId,
    /// Every change that has begun.
    lamps: Lamps,
    /// Changes that have not, and the lamps they lead to, up to `until`.
    ahead: VecDeque<Change>,
    queue: VecDeque<LampChange>,
    until: Time,
    /// Whether what follows is its own program, already running.
    own: bool,
    running: Revision,
    refused: Option<Revision>,
    troubles: Vec<Trouble>,
    pub(super) aspects: Vec<Aspect>,
    reported: Time,
    changed: bool,
}

impl Controller {
    /// One that has been running its own program for a while at `start`.
    pub(super) fn new(id: JunctionId, junction: &Junction, start: Time, troubles: Vec<Trouble>) -> Self {
        let program = junction.base_program();
        let mut lamps = Lamps::dark(junction);
        for (stage, at) in program.from(start - program.cycle() * 2).take_while(|&(_, at)| at < start) {
            lamps.change(Change::new(stage, at), junction);
        }
        let aspects = lamps.aspects(start);
        let mut controller = Self {
            id,
            lamps,
            ahead: VecDeque::new(),
            queue: VecDeque::new(),
            until: start,
            own: true,
            running: Revision(0),
            refused: None,
            troubles,
            aspects,
            reported: Time::LONG_AGO,
            changed: true,
        };
        controller.refill(junction);
        controller
    }

    /// When its lamps change next, or what they will do has to be worked out.
    pub(super) fn next(&self) -> Time {
        self.queue.front().map_or(self.until, |change| change.at.min(self.until))
    }

    /// Begins every lamp change up to `now`, each told to `shown`.
    pub(super) fn advance(&mut self, now: Time, junction: &Junction, mut shown: impl FnMut(LampChange)) {
        loop {
            if self.queue.front().is_none_or(|change| change.at > now) {
                if self.until > now {
                    break;
                }
                self.refill(junction);
                continue;
            }
            let Some(change) = self.queue.pop_front() else { break };
            self.aspects[change.group.index()] = change.aspect;
            self.changed = true;
            shown(change);
        }
        while let Some(&change) = self.ahead.front().filter(|change| change.at <= now) {
            self.lamps.change(change, junction);
            self.ahead.pop_front();
        }
    }

    /// Works out what the lamps do from `until` on: its own program.
    fn refill(&mut self, junction: &Junction) {
        let from = self.until;
        let mut lamps = self.lamps.clone();
        for &change in &self.ahead {
            lamps.change(change, junction);
        }
        let entry = if self.own { from } else { self.way_back(&lamps, junction) };
        if !self.own {
            (self.own, self.running) = (true, Revision(0));
        }
        self.until = from.max(entry) + WINDOW;
        let changes: Vec<Change> = junction
            .base_program()
            .from(entry)
            .map(|(stage, at)| Change::new(stage, at))
            .skip_while(|change| change.at < entry)
            .take_while(|change| change.at < self.until)
            .collect();
        self.queue.extend(unroll(lamps, changes.iter().copied(), from, self.until, junction));
        self.ahead.extend(changes);
    }

    /// When its own program takes over from other lamps: at the first of its changes from `until` on that cuts no
    /// green short, neither one that is on nor one that follows.
    fn way_back(&self, lamps: &Lamps, junction: &Junction) -> Time {
        let from = self.until;
        let program = junction.base_program();
        let starts = || program.from(from).map(|(_, at)| at).filter(|&at| at >= from);
        let cuts = |entry: Time| {
            let mut after = lamps.clone();
            let changes = program.from(entry).skip_while(|&(_, at)| at < entry).take(program.splits.len() + 1);
            changes.into_iter().any(|(stage, at)| {
                let (before, groups) = (after.clone(), junction.stages[stage].groups);
                after.change(Change::new(stage, at), junction);
                let ending = before.wanted().difference(groups);
                Self::cut_short(&before, ending, at, junction)
            })
        };
        let safe = starts().take(WAYS_BACK).find(|&entry| !cuts(entry));
        safe.or_else(|| starts().next()).unwrap_or(from)
    }

    fn cut_short(lamps: &Lamps, ending: GroupSet, at: Time, junction: &Junction) -> bool {
        ending.iter().any(|group| {
            let begun = lamps.group(group).green_from.filter(|&from| from < at);
            begun.is_some_and(|from| at < from + junction.groups[group].min_green.span)
        })
    }

    fn trouble(&self, now: Time) -> Option<TroubleKind> {
        self.troubles.iter().find(|t| (t.from..t.until).contains(&now)).map(|t| t.kind)
    }

    /// Takes a plan, or says why not.
    pub(super) fn accept(&mut self, plan: &SafePlan, now: Time, junction: &Junction) -> Result<(), Refusal> {
        let draft = plan.draft();
        let refusal = match self.trouble(now) {
            Some(TroubleKind::Silent) => return Err(Refusal::Trouble(TroubleKind::Silent)),
            Some(kind @ (TroubleKind::Local | TroubleKind::Refuses)) => Some(Refusal::Trouble(kind)),
            _ if draft.base != self.running => Some(Refusal::Base { running: self.running }),
            _ if draft.effective_from < now => Some(Refusal::Late),
            _ => None,
        };
        if let Some(refusal) = refusal {
            self.refused = Some(draft.revision);
            self.changed = true;
            return Err(refusal);
        }
        let from = draft.effective_from;
        if self.own {
            // Whoever made the plan knew what the lamps show and no more: they stay so until it counts.
            self.lamps = Lamps::seen(now, &self.aspects, junction);
            self.ahead.clear();
            self.queue.retain(|change| change.at < from && change.aspect == Aspect::Red);
        }
        // What another plan of ours would have begun before this one counts still does.
        self.ahead.retain(|change| change.at < from);
        self.queue.retain(|change| change.at < from);
        self.ahead.extend(draft.changes().take_while(|change| change.at < draft.valid_until));
        self.queue.extend(plan.lamps());
        self.until = draft.valid_until.max(from);
        (self.own, self.running, self.refused, self.changed) = (false, draft.revision, None, true);
        Ok(())
    }

    /// What it runs: 0 is its own program.
    pub(super) fn running(&self) -> Revision {
        self.running
    }

    /// Its report at `now`, if one is due.
    pub(super) fn report(&mut self, now: Time, every: Span) -> Option<Status> {
        let trouble = self.trouble(now);
        if trouble == Some(TroubleKind::Local) && !self.own {
            self.until = self.until.min(now); // it drops the plan
            self.queue.retain(|change| change.at < now);
            self.ahead.retain(|change| change.at < now);
        }
        if trouble == Some(TroubleKind::Silent) || (!self.changed && now < self.reported + every) {
            return None;
        }
        (self.changed, self.reported) = (false, now);
        let mut lamps = self.aspects.clone();
        let mut faults = Vec::new();
        if let Some(TroubleKind::Lamp(group)) = trouble {
            lamps[group.index()] = Aspect::Dark;
            faults.push(ControllerFault::Lamp(group));
        }
        let mode = if trouble == Some(TroubleKind::Local) { ControllerMode::Local } else { ControllerMode::Remote };
        Some(Status {
            junction: self.id,
            at: now,
            running: self.running,
            mode,
            lamps: lamps.into(),
            faults: faults.into(),
            refused: self.refused.take(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Table;
    use crate::network::Network;
    use crate::network::limits::Limits;
    use crate::plan::check::{Running, Setting, check};
    use crate::plan::draft::{Draft, Tail};
    use crate::plan::oracle::Oracle;
    use crate::twin::city::small;

    fn network() -> Network {
        Network::build(small::corridor(), &Limits::default()).expect("a small world is sound")
    }

    /// A plan that begins `after` seconds from `now`, holds the lamps until the next stage of the base program in
    /// `hold` seconds, and counts for `valid` seconds.
    fn plan(controller: &Controller, junction: &Junction, now: Time, hold: i64, valid: i64) -> Option<SafePlan> {
        let from = now;
        let seen = Lamps::seen(now, &controller.aspects, junction);
        let running = match controller.running {
            Revision(0) => Running::holding(seen, now),
            revision => Running {
                revision,
                lamps: controller.lamps.clone(),
                stage: None,
                since: now,
                ahead: controller.ahead.iter().copied().collect(),
                known_until: Time::NEVER,
            },
        };
        let tail = Tail { from: from + Span::from_s(hold), ..Tail::of(junction.base_program(), from) };
        let draft = Draft {
            junction: controller.id,
            revision: Revision(controller.running.0 + 1),
            base: controller.running,
            effective_from: from,
            prefix: Vec::new(),
            tail,
            valid_until: from + Span::from_s(valid),
        };
        let waiting = Table::filled(None, junction.groups.len());
        let setting = Setting {
            now,
            lead: Span::ZERO,
            grid: Span::from_ms(100),
            running: &[running],
            waiting: &waiting,
            narrowed: &[],
        };
        check(draft, junction, &setting).ok()
    }

    #[test]
    fn its_own_program_and_the_way_back_to_it_break_no_rule() {
        let network = network();
        for (id, junction) in network.junctions().iter() {
            let mut oracle = Oracle::exact(&network);
            let start = Time::from_s(1000);
            let mut controller = Controller::new(id, junction, start, Vec::new());
            let mut own_again = 0;
            for tenth in 0..9000 {
                let now = start + Span::from_ms(100) * tenth;
                controller.advance(now, junction, |_| {});
                let faults = oracle.watch(now, id, &controller.aspects);
                assert!(faults.is_empty(), "{id}: {faults:?}");
                own_again += i32::from(tenth > 2000 && controller.running == Revision(0));
                // At 200 s, when everything has been green long enough, it gets a plan for a minute and a half.
                if tenth == 2000 {
                    let plan = (0..30).find_map(|hold| plan(&controller, junction, now, hold, 90));
                    let plan = plan.expect("some hold is safe");
                    assert_eq!(controller.accept(&plan, now, junction), Ok(()));
                    assert_eq!(controller.running, Revision(1));
                }
            }
            assert!((6000..=6101).contains(&own_again), "{own_again} tenths after 90 s of plan");
        }
    }

    #[test]
    fn it_refuses_what_it_cannot_run_and_says_so() {
        let network = network();
        let (id, junction) = network.junctions().iter().next().expect("there is one");
        let start = Time::from_s(1000);
        let refuses = Trouble {
            junction: id,
            from: start + Span::from_s(100),
            until: start + Span::from_s(110),
            kind: TroubleKind::Refuses,
        };
        let mut controller = Controller::new(id, junction, start, vec![refuses]);
        let good = plan(&controller, junction, start, 60, 600).expect("it is safe");
        assert_eq!(controller.accept(&good, start + Span::SECOND, junction), Err(Refusal::Late));
        let status = controller.report(start + Span::SECOND, Span::SECOND).expect("it says so");
        assert_eq!((status.refused, status.running), (Some(Revision(1)), Revision(0)));
        assert_eq!(controller.accept(&good, start, junction), Ok(()));
        // The same again continues plan 0, and it runs plan 1 now.
        assert_eq!(controller.accept(&good, start, junction), Err(Refusal::Base { running: Revision(1) }));
        let later = start + Span::from_s(105);
        let refused = controller.accept(&good, later, junction);
        assert_eq!(refused, Err(Refusal::Trouble(TroubleKind::Refuses)));
    }

    #[test]
    fn a_silent_controller_says_nothing_and_a_local_one_drops_its_plan() {
        let network = network();
        let (id, junction) = network.junctions().iter().next().expect("there is one");
        let start = Time::from_s(1000);
        let trouble = |from: i64, kind| Trouble {
            junction: id,
            from: start + Span::from_s(from),
            until: start + Span::from_s(from + 10),
            kind,
        };
        let troubles = vec![
            trouble(5, TroubleKind::Silent),
            trouble(20, TroubleKind::Local),
            trouble(40, TroubleKind::Lamp(crate::ids::GroupId::of(0))),
        ];
        let mut controller = Controller::new(id, junction, start, troubles);
        let good = plan(&controller, junction, start, 60, 600).expect("it is safe");
        assert_eq!(controller.accept(&good, start, junction), Ok(()));
        let mut said = Vec::new();
        for second in 0..50 {
            let now = start + Span::from_s(second);
            controller.advance(now, junction, |_| {});
            said.push(controller.report(now, Span::SECOND));
        }
        assert!(said[4].is_some() && said[5].is_none() && said[14].is_none() && said[15].is_some());
        let at = |second: usize| said[second].as_ref().expect("it reports");
        assert_eq!((at(19).mode, at(19).running), (ControllerMode::Remote, Revision(1)));
        assert_eq!((at(22).mode, at(22).running), (ControllerMode::Local, Revision(0)));
        assert_eq!(at(31).mode, ControllerMode::Remote);
        assert_eq!(at(45).faults[..], [ControllerFault::Lamp(crate::ids::GroupId::of(0))]);
        assert_eq!(at(45).lamps[0], Aspect::Dark);
    }
}

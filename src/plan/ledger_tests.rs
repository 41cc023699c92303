//! The account of a controller by hand, and by law against a controller that loses plans and says little.

use proptest::prelude::*;

use super::*;
use crate::ids::{JunctionId, Table};
use crate::plan::check::{Setting, check};
use crate::plan::draft::Draft;
use crate::plan::fixture::{Site, at, crossing, draft, judge, s};
use crate::plan::laws::{self, Dice, numbers};
use crate::plan::oracle::Oracle;
use crate::plan::timeline::LampChange;

fn status(second: f64, running: u64, lamps: &[Aspect]) -> Status {
    Status {
        junction: JunctionId::of(0),
        at: at(second),
        running: Revision(running),
        mode: ControllerMode::Remote,
        lamps: lamps.into(),
        faults: Box::default(),
        refused: None,
    }
}

const SHOWS: [Aspect; 2] = [Aspect::Green, Aspect::Red];

/// A controller that has just reported G0 green and runs none of ours.
fn ledger(junction: &Junction) -> Ledger {
    let mut ledger = Ledger::new();
    assert_eq!(ledger.heard(&status(-20.0, 0, &SHOWS), junction), [Heard::Contact(Contact::Known)]);
    ledger
}

/// Sends the plan of `text`, in continuation of the latest.
fn send(ledger: &mut Ledger, junction: &Junction, text: &str, from: f64) {
    let states = ledger.states(at(from), junction).to_vec();
    let base = states.last().expect("a state").revision;
    let draft = Draft { base, revision: ledger.next_revision(), effective_from: at(from), ..draft(text) };
    ledger.sent(&judge(draft, &states, junction).expect("a safe plan"));
}

fn revisions(ledger: &mut Ledger, second: f64, junction: &Junction) -> Vec<u64> {
    ledger.states(at(second), junction).iter().map(|running| running.revision.0).collect()
}

#[test]
fn a_plan_is_possible_until_it_is_answered() {
    let junction = crossing().build();
    let mut ledger = ledger(&junction);
    send(&mut ledger, &junction, "@2 0:30 1:30", 2.0);
    send(&mut ledger, &junction, "@4 0:40 1:30", 4.0);
    assert_eq!(revisions(&mut ledger, 4.0, &junction), [0, 1, 2]);
    // Before its time it may not run it yet; after it, that it runs the first means that it takes the second or not.
    assert_eq!(ledger.heard(&status(2.0, 1, &[]), &junction), [Heard::Took(Revision(1))]);
    assert_eq!(revisions(&mut ledger, 4.0, &junction), [1, 2]);
    assert_eq!(ledger.heard(&status(4.0, 1, &[]), &junction), []);
    assert_eq!(ledger.heard(&status(5.0, 1, &[]), &junction), [Heard::Missed(Revision(2))]);
    assert_eq!(revisions(&mut ledger, 5.0, &junction), [1]);
    // Numbers are not used again, and what is older than the last status tells nothing.
    assert_eq!(ledger.next_revision(), Revision(3));
    assert_eq!(ledger.heard(&status(4.5, 0, &SHOWS), &junction), []);
    assert_eq!(revisions(&mut ledger, 5.0, &junction), [1]);
}

#[test]
fn a_refusal_takes_all_that_continue_it_along() {
    let junction = crossing().build();
    let mut ledger = ledger(&junction);
    for second in [2.0, 3.0, 4.0] {
        send(&mut ledger, &junction, &format!("@{second} 0:30 1:30"), second);
    }
    let refusal = Status { refused: Some(Revision(2)), ..status(2.5, 1, &[]) };
    assert_eq!(ledger.heard(&refusal, &junction), [Heard::Refused(Revision(2)), Heard::Took(Revision(1))]);
    assert_eq!(revisions(&mut ledger, 4.0, &junction), [1]);
}

#[test]
fn a_state_moves_on_with_its_plan() {
    let junction = crossing().build();
    let mut ledger = ledger(&junction);
    send(&mut ledger, &junction, "@2 0:18 1:30", 2.0);
    ledger.heard(&status(3.0, 1, &SHOWS), &junction);
    let [state] = ledger.states(at(22.0), &junction) else { panic!("one state") };
    assert_eq!((state.stage, state.since), (Some(s(1)), at(20.0)));
    assert_eq!(state.lamps.aspects(at(22.0)), [Aspect::Yellow, Aspect::Red]);
    assert_eq!((state.ahead[0].stage, state.ahead[0].at), (s(0), at(50.0)));
    assert_eq!(state.known_until, at(3600.0));
    // When it is over nothing is known.
    assert!(ledger.states(at(3600.0), &junction).is_empty());
    assert_eq!(ledger.contact(), Contact::Over);
}

#[test]
fn nothing_is_sent_where_nothing_is_known() {
    let junction = crossing().build();
    let mut never = Ledger::new();
    assert!(never.states(at(0.0), &junction).is_empty());
    assert_eq!(never.contact(), Contact::Never);
    let told = |status: Status| {
        let mut ledger = ledger(&junction);
        send(&mut ledger, &junction, "@2 0:30 1:30", 2.0);
        ledger.heard(&self::status(2.5, 1, &[]), &junction);
        ledger.heard(&status, &junction);
        (ledger.states(at(3.0), &junction).len(), ledger.contact().to_string())
    };
    let base = || status(3.0, 1, &SHOWS);
    assert_eq!(told(base()), (1, "its controller follows".into()));
    for (mode, why) in [
        (ControllerMode::Local, "its controller runs a program of its own"),
        (ControllerMode::Flash, "its controller flashes"),
        (ControllerMode::Manual, "somebody on site controls it"),
        (ControllerMode::Preempt, "its controller is preempted"),
    ] {
        assert_eq!(told(Status { mode, ..base() }), (0, why.into()));
    }
    let faulty = |fault| Status { faults: [fault].into(), ..base() };
    assert_eq!(told(faulty(ControllerFault::Conflict)), (0, "its conflict monitor tripped".into()));
    assert_eq!(told(faulty(ControllerFault::Clock)), (0, "its clock is off".into()));
    assert_eq!(told(faulty(ControllerFault::Power)).0, 1);
    assert_eq!(told(status(3.0, 9, &SHOWS)), (0, "its controller runs plan 9, which is not known here".into()));
    // It dropped our plan: from its lamps alone one can go on, without them not.
    assert_eq!(told(status(3.0, 0, &SHOWS)), (1, "its controller follows".into()));
    assert_eq!(told(status(3.0, 0, &[Aspect::Green])), (0, "its controller does not say what its lamps show".into()));
    assert_eq!(told(status(3.0, 0, &[Aspect::Dark; 2])), (0, "its controller does not say what its lamps show".into()));
}

#[test]
fn it_goes_on_when_the_controller_is_back() {
    let junction = crossing().build();
    let mut ledger = ledger(&junction);
    send(&mut ledger, &junction, "@2 0:30 1:30", 2.0);
    ledger.heard(&Status { mode: ControllerMode::Preempt, ..status(3.0, 0, &SHOWS) }, &junction);
    let back = ledger.heard(&status(60.0, 0, &[Aspect::Red, Aspect::Green]), &junction);
    assert_eq!(back, [Heard::Contact(Contact::Known)]);
    // Its green may just have begun: it is not cut for 5 s.
    let lamps = Lamps::seen(at(60.0), &[Aspect::Red, Aspect::Green], &junction);
    assert_eq!(ledger.states(at(61.0), &junction), [Running::holding(lamps, at(60.0))]);
    assert_eq!(ledger.next_revision(), Revision(2));
    // As long as it runs none of ours it may move; what it shows last counts.
    ledger.heard(&status(70.0, 0, &[Aspect::Red, Aspect::Red]), &junction);
    assert_eq!(ledger.states(at(70.0), &junction)[0].lamps.aspects(at(70.0)), [Aspect::Red, Aspect::Red]);
}

#[test]
fn lamps_that_contradict_their_plan_end_the_trust() {
    let junction = crossing().build();
    let mut ledger = ledger(&junction);
    send(&mut ledger, &junction, "@2 0:30 1:30", 2.0);
    assert_eq!(ledger.heard(&status(3.0, 1, &SHOWS), &junction), [Heard::Took(Revision(1))]);
    let odd = |second| status(second, 1, &[Aspect::Red, Aspect::Red]);
    let group = crate::ids::GroupId::of(0);
    assert_eq!(ledger.heard(&odd(10.0), &junction), [Heard::Mismatch(group)]);
    assert_eq!(ledger.heard(&odd(11.0), &junction), [Heard::Mismatch(group)]);
    assert_eq!(ledger.heard(&status(12.0, 1, &SHOWS), &junction), []); // a misreading: counted anew
    for second in [13.0, 14.0] {
        assert_eq!(ledger.heard(&odd(second), &junction), [Heard::Mismatch(group)]);
    }
    let last = [Heard::Mismatch(group), Heard::Contact(Contact::Contradicts(group))];
    assert_eq!(ledger.heard(&odd(15.0), &junction), last);
    assert!(ledger.states(at(15.0), &junction).is_empty());
}

#[test]
fn a_clearance_that_nobody_saw_begin_may_end_early() {
    let junction = Site::new().group(5.0, 3.0, 2.0).walk(5.0, 12.0).never(0, 1).stage(&[0]).stage(&[1]).build();
    let shows = [Aspect::Red, Aspect::Yellow];
    let ended = [Aspect::Red, Aspect::Red];
    let mut ledger = Ledger::new();
    assert_eq!(ledger.heard(&status(0.0, 0, &shows), &junction), [Heard::Contact(Contact::Known)]);
    send(&mut ledger, &junction, "@1 0:30 1:30 0:30", 1.0);
    assert_eq!(ledger.heard(&status(1.0, 1, &shows), &junction), [Heard::Took(Revision(1))]);
    // Whoever saw it at 0 s takes it to last until 12 s.
    for second in 2..12 {
        assert_eq!(ledger.heard(&status(f64::from(second), 1, &ended), &junction), []);
    }
    // The next one is the plan's own.
    let walked = ledger.states(at(14.0), &junction)[0].ahead.get(1).expect("a third stage").at;
    let early = Status { at: walked + Span::SECOND * 4, ..status(0.0, 1, &ended) };
    assert_eq!(ledger.heard(&early, &junction), [Heard::Mismatch(crate::ids::GroupId::of(1))]);
}

#[test]
fn plans_without_an_answer_are_few_and_short() {
    let junction = crossing().build();
    let mut ledger = ledger(&junction);
    for second in 2..10 {
        send(&mut ledger, &junction, &format!("@{second} 0:10 1:10"), f64::from(second));
    }
    assert_eq!(ledger.unanswered(), UNANSWERED_MAX);
    assert!(ledger.states(at(10.0), &junction).is_empty());
    assert_eq!(ledger.contact(), Contact::Known);
    // 360 changes an hour are more than are kept.
    assert!(
        ledger.states.iter().skip(1).all(|state| state.ahead.len() == AHEAD_MAX - 1 || state.ahead.len() == AHEAD_MAX)
    );
    assert!(ledger.states.iter().skip(1).all(|state| state.known_until < at(3600.0)));
    ledger.heard(&status(10.0, 9, &[]), &junction);
    assert!(ledger.states(at(10.0), &junction).is_empty(), "plan 9 was never sent");
}

/// A controller as the contract has it, behind a line that loses messages.
struct Controller {
    taken: Vec<(Revision, Time)>,
    shows: Vec<Aspect>,
    coming: Vec<LampChange>,
    over: Time,
}

impl Controller {
    fn runs(&self, now: Time) -> Revision {
        self.taken.iter().rev().find(|(_, from)| *from <= now).expect("the first").0
    }

    /// Takes a plan, or refuses it.
    fn offered(&mut self, plan: &SafePlan, now: Time) -> Option<Revision> {
        let draft = plan.draft();
        if self.taken.last().is_none_or(|&(latest, _)| latest != draft.base) || now > draft.effective_from {
            return Some(draft.revision);
        }
        self.coming.retain(|change| change.at < draft.effective_from);
        self.coming.extend_from_slice(plan.lamps());
        self.taken.push((draft.revision, draft.effective_from));
        self.over = draft.valid_until;
        None
    }

    fn step(&mut self, now: Time) {
        let due = self.coming.iter().take_while(|change| change.at <= now).count();
        for change in self.coming.drain(..due) {
            self.shows[change.group.index()] = change.aspect;
        }
    }
}

/// Whatever is lost between them: the controller is in one of the ledger's states, and its lamps never show a fault.
/// How many plans it took.
fn evening(numbers: &[u32]) -> usize {
    let mut dice = Dice(numbers.iter());
    let network = laws::network(&mut dice);
    let id = JunctionId::of(0);
    let junction = network.junction(id);
    let mut oracle = Oracle::exact(&network);
    let mut controller = Controller {
        taken: vec![(Revision(0), Time::LONG_AGO)],
        shows: vec![Aspect::Red; junction.groups.len()],
        coming: Vec::new(),
        over: Time::NEVER,
    };
    let mut ledger = Ledger::new();
    let mut refused = None;
    let waiting = Table::filled(None, junction.groups.len());
    let mut now = at(0.0);
    while now < at(90.0) && now < controller.over {
        controller.step(now);
        assert_eq!(oracle.watch(now, id, &controller.shows), [], "{now}");
        if now == now.floor(Span::SECOND) {
            if dice.below(2) == 0 {
                let runs = controller.runs(now);
                let report =
                    Status { refused: refused.take(), ..status(now.ms() as f64 / 1000.0, runs.0, &controller.shows) };
                let told = ledger.heard(&report, junction);
                assert!(!told.iter().any(|heard| matches!(heard, Heard::Mismatch(_))), "{told:?} {now}");
            }
            let states = ledger.states(now, junction).to_vec();
            if ledger.contact() == Contact::Known {
                let runs = controller.runs(now);
                let all = &ledger.states;
                let state = all.iter().find(|state| state.revision == runs).expect("what it runs is possible");
                assert_eq!(state.lamps.aspects(now), controller.shows, "{now} {runs:?}");
            }
            if let (Some(latest), 0) = (states.last(), dice.below(3)) {
                let lead = Span::from_s(dice.of(&[0, 1, 2]));
                let mut draft = laws::draft(&mut dice, junction, latest, now, lead);
                draft.revision = ledger.next_revision();
                let setting =
                    Setting { now, lead, grid: Span::SECOND, running: &states, waiting: &waiting, narrowed: &[] };
                if let Ok(plan) = check(draft, junction, &setting) {
                    ledger.sent(&plan);
                    if dice.below(4) != 3 {
                        refused = controller.offered(&plan, now).or(refused);
                    }
                    controller.step(now);
                    assert_eq!(oracle.watch(now, id, &controller.shows), [], "{now}");
                }
            }
        }
        now += Span::from_ms(100);
    }
    controller.taken.len() - 1
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn what_a_controller_does_is_always_among_what_it_may_do(numbers in numbers()) {
        evening(&numbers);
    }
}

#[test]
fn the_controller_of_the_law_takes_plans() {
    let taken: usize = (0..60)
        .map(|seed: u32| {
            evening(
                &(0..300)
                    .map(|i: u32| i.wrapping_mul(seed * 2 + 1).wrapping_mul(2_654_435_761) >> 7)
                    .collect::<Vec<_>>(),
            )
        })
        .sum();
    assert!(taken > 60, "{taken}");
}

//! Laws by a second account: random junctions on their limits, random drafts on their limits, and the lamps of every
//! plan let through watched by the oracle a tenth of a second at a time, from plan to plan.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use crate::event::{Aspect, Revision};
use crate::ids::{GroupId, Id, JunctionId, Table};
use crate::network::{Junction, Network};
use crate::plan::check::{Running, SafePlan, Setting, Violation, check};
use crate::plan::draft::{Change, Draft, Tail};
use crate::plan::fixture::{Site, at, s};
use crate::plan::oracle::{LampFault, Oracle, Wrong};
use crate::plan::timeline::{LampChange, Lamps, unroll};
use crate::time::{Span, Time};

/// Turns a list of numbers into choices; when it is used up it chooses the first of everything.
pub(super) struct Dice<'a>(pub(super) std::slice::Iter<'a, u32>);

impl Dice<'_> {
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0.next().map_or(0, |&number| number as usize % n)
    }

    pub(super) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

pub(super) fn numbers() -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::vec(any::<u32>(), 40..220)
}

/// Two to six groups, some on foot; conflicts, intergreens of up to 14 s, two to five stages, any kind of order.
pub(super) fn network(dice: &mut Dice<'_>) -> Network {
    let groups = 2 + dice.below(5);
    let mut site = Site::new();
    let mut changes = Vec::new();
    for _ in 0..groups {
        let change = dice.of(&[3.0, 3.0, 4.0, 3.3, 8.0]);
        changes.push(change);
        let min_green = dice.of(&[5.0, 4.0, 7.0, 5.5]);
        site = match dice.below(4) {
            0 => site.walk(min_green, change),
            _ => site.group(min_green, change, dice.of(&[2.0, 0.0, 1.0, 1.4])),
        };
    }
    let mut never = BTreeSet::new();
    for a in 0..groups {
        for b in a + 1..groups {
            match dice.below(5) {
                0..3 => {
                    site = site.never(a, b);
                    never.extend([(a, b), (b, a)]);
                }
                3 => site = site.yields(a, b),
                _ => {}
            }
        }
    }
    for &(from, to) in &never {
        if dice.below(3) == 0 {
            site = site.intergreen(from, to, changes[from] + dice.of(&[0.0, 2.0, 6.0, 11.0]));
        }
    }
    let stages = 2 + dice.below(4);
    for _ in 0..stages {
        let first = dice.below(groups);
        let mut stage = vec![first];
        for group in 0..groups {
            if group != first && stage.iter().all(|&other| !never.contains(&(group, other))) && dice.below(3) < 2 {
                stage.push(group);
            }
        }
        site = site.stage(&stage);
        if dice.below(4) == 3 {
            let last = site.stages() - 1;
            site = site.max_green(last, dice.of(&[20.0, 40.0]));
        }
    }
    if dice.below(3) == 0 {
        site = site.fixed();
    }
    site.network()
}

/// What a junction has shown up to second 0: legal, and possibly in the middle of a change.
pub(super) fn history(dice: &mut Dice<'_>, junction: &Junction) -> (Running, Vec<LampChange>) {
    let mut running = Running::holding(Lamps::dark(junction), at(-1000.0));
    let mut changes = Vec::new();
    let mut time = at(-300.0);
    for _ in 0..1 + dice.below(6) {
        let change = next(dice, junction, &running, time, &[0, 0, 1, 5]);
        if change.at > at(0.0) {
            break;
        }
        running.follow(change, junction);
        changes.push(change);
        time = change.at;
    }
    // Second 0 lies in the last green, or in the change before it.
    let now = time + Span::from_s(dice.of(&[0, 1, 3, 4, 5, 9, 12]));
    let shift = at(0.0) - now;
    let mut running = Running::holding(Lamps::dark(junction), at(-1000.0));
    for change in &mut changes {
        change.at += shift;
        running.follow(*change, junction);
    }
    running.revision = Revision(1);
    (running, unroll(Lamps::dark(junction), changes, at(-1000.0), Time::NEVER, junction))
}

/// A change that lies `late` seconds, one of these, after the first instant at which it is allowed.
fn next(dice: &mut Dice<'_>, junction: &Junction, running: &Running, from: Time, late: &[i64]) -> Change {
    let stage = match (running.stage, dice.below(8)) {
        // In a fixed order only the next one is allowed; elsewhere it is as good as any.
        (Some(stage), 0..7) => s((stage.index() + 1) % junction.stages.len()),
        _ => s(dice.below(junction.stages.len())),
    };
    let min_green = |group: GroupId| junction.groups[group].min_green.span;
    let earliest = running.lamps.earliest_change(junction.stages[stage].groups, from, min_green);
    let late = Span::from_s(dice.of(late));
    let clear = Span::from_s(dice.of(&[0, 0, 0, 0, 1, 4, 10]));
    Change { clear, ..Change::new(stage, (earliest.ceil(Span::SECOND) + late).max(from)) }
}

/// A draft whose changes lie on their limits, a second before or after.
pub(super) fn draft(dice: &mut Dice<'_>, junction: &Junction, running: &Running, now: Time, lead: Span) -> Draft {
    const LATE: [i64; 8] = [0, 0, 0, 1, 1, 2, 20, -1];
    let effective_from = now + lead;
    let mut then = running.at(effective_from, junction);
    let mut time = effective_from;
    let mut prefix = Vec::new();
    for _ in 0..dice.below(6) {
        let change = next(dice, junction, &then, time, &LATE);
        then.follow(change, junction);
        prefix.push(change);
        time = change.at + Span::from_ms(1);
    }
    // The tail repeats a round of changes that were on their limits once.
    let mut splits: Vec<(_, Span)> = Vec::new();
    let first = next(dice, junction, &then, time.ceil(Span::SECOND), &LATE);
    then.follow(first, junction);
    let mut begun = first;
    for _ in 0..1 + dice.below(junction.stages.len() + 1) {
        let change = next(dice, junction, &then, begun.at + Span::from_ms(1), &LATE);
        then.follow(change, junction);
        splits.push((begun.stage, change.at - begun.at));
        begun = change;
    }
    let cycle: Span = splits.iter().map(|&(_, share)| share).sum();
    Draft {
        junction: JunctionId::of(0),
        revision: Revision(running.revision.0 + 1),
        base: running.revision,
        effective_from,
        prefix,
        tail: Tail { splits, offset: first.at.within(cycle.max(Span::SECOND), Span::ZERO), from: first.at },
        valid_until: first.at + cycle * 3,
    }
}

/// What the oracle says when lamps change like this from second 0 to `until`, knowing what they showed before.
pub(super) fn watch(network: &Network, lamps: &[LampChange], until: Time) -> Vec<LampFault> {
    let junction = JunctionId::of(0);
    let mut oracle = Oracle::exact(network);
    let mut shows = vec![Aspect::Red; network.junction(junction).groups.len()];
    let mut faults = Vec::new();
    let mut rest = lamps.iter().peekable();
    let mut now = lamps.first().map_or(at(0.0), |change| change.at.min(at(0.0))) - Span::from_ms(100);
    while now < until {
        while let Some(change) = rest.next_if(|change| change.at <= now) {
            shows[change.group.index()] = change.aspect;
        }
        faults.extend(oracle.watch(now, junction, &shows));
        now += Span::from_ms(100);
    }
    faults
}

fn nobody(junction: &Junction) -> Table<GroupId, Option<Time>> {
    Table::filled(None, junction.groups.len())
}

fn verdict(
    draft: Draft,
    junction: &Junction,
    running: &[Running],
    now: Time,
    lead: Span,
) -> Result<SafePlan, Vec<Violation>> {
    let waiting = nobody(junction);
    check(draft, junction, &Setting { now, lead, grid: Span::SECOND, running, waiting: &waiting, narrowed: &[] })
}

/// Lets plans follow upon one another, each judged from what the one before leads to. How many were let through, and
/// how many were not.
fn days(numbers: &[u32]) -> (usize, usize) {
    let mut dice = Dice(numbers.iter());
    let network = network(&mut dice);
    let junction = network.junction(JunctionId::of(0));
    let (mut running, mut lamps) = history(&mut dice, junction);
    let (mut now, mut end) = (at(0.0), at(1.0));
    let (mut passed, mut refused) = (0, 0);
    for _ in 0..8 {
        let lead = Span::from_s(dice.of(&[0, 1, 3]));
        let draft = draft(&mut dice, junction, &running, now, lead);
        match verdict(draft, junction, std::slice::from_ref(&running), now, lead) {
            Ok(plan) => {
                let draft = plan.draft();
                lamps.retain(|change| change.at < draft.effective_from);
                lamps.extend_from_slice(plan.lamps());
                end = draft.valid_until;
                let after = draft.changes().take_while(|change| change.at < end);
                running.ahead.retain(|change| change.at < draft.effective_from);
                running.ahead.extend(after);
                running.revision = draft.revision;
                running.known_until = end;
                passed += 1;
            }
            Err(_) => refused += 1,
        }
        now += Span::from_s(dice.of(&[1, 2, 5, 14, 30]));
        if passed > 0 && now + Span::from_s(3) >= end {
            break;
        }
        running.advance(now, junction);
    }
    let faults = watch(&network, &lamps, end);
    assert!(faults.is_empty(), "{faults:?}\n{junction:?}");
    (passed, refused)
}

/// A draft is told a green is too short exactly where the oracle sees one.
fn no_phantoms(numbers: &[u32]) -> bool {
    let mut dice = Dice(numbers.iter());
    let network = network(&mut dice);
    let junction = network.junction(JunctionId::of(0));
    let (running, mut lamps) = history(&mut dice, junction);
    let draft = draft(&mut dice, junction, &running, at(0.0), Span::ZERO);
    let mut told = BTreeSet::new();
    match verdict(draft.clone(), junction, std::slice::from_ref(&running), at(0.0), Span::ZERO) {
        Ok(_) => {}
        Err(all) => {
            for violation in all {
                match violation {
                    Violation::ShortGreen { group, .. } => told.insert(group),
                    // Which stage may follow which the oracle cannot tell.
                    Violation::Order { .. } => true,
                    // A lamp that does not light is no lamp to be seen.
                    _ => return false,
                };
            }
        }
    }
    lamps.retain(|change| change.at < at(0.0));
    let until = draft.valid_until + Span::from_s(60);
    lamps.extend(unroll(running.lamps.clone(), draft.changes(), at(0.0), until, junction));
    let mut seen = BTreeSet::new();
    for fault in watch(&network, &lamps, until) {
        match fault.what {
            Wrong::ShortGreen { group, .. } => seen.insert(group),
            other => panic!("{other}: no draft can say that"),
        };
    }
    assert_eq!(told, seen, "{draft:?}\n{running:?}\n{junction:?}");
    true
}

proptest! {
    #![proptest_config(Config { cases: 3000, ..Config::default() })]

    #[test]
    fn no_plan_let_through_shows_a_fault(numbers in numbers()) {
        days(&numbers);
    }

    #[test]
    fn a_green_is_called_short_where_it_is(numbers in numbers()) {
        no_phantoms(&numbers);
    }
}

#[test]
fn the_laws_are_not_empty() {
    let mut runner = TestRunner::deterministic();
    let (mut passed, mut refused, mut compared) = (0, 0, 0);
    for _ in 0..300 {
        let numbers = numbers().new_tree(&mut runner).expect("numbers").current();
        let (ok, not) = days(&numbers);
        (passed, refused) = (passed + ok, refused + not);
        compared += usize::from(no_phantoms(&numbers));
    }
    assert!(passed > 300 && refused > 300 && compared > 200, "{passed} passed, {refused} refused, {compared} compared");
}

//! Ways into a program, by hand and by law.

use proptest::prelude::*;

use super::*;
use crate::event::{Aspect, Revision};
use crate::ids::{Id, JunctionId};
use crate::network::Junction;
use crate::plan::draft::Draft;
use crate::plan::fixture::{Site, at, crossing, in_stage, judge, s, told};
use crate::plan::laws::{Dice, history, network, numbers, watch};

fn program(offset: f64, splits: &[(usize, f64)]) -> Program {
    let splits = splits.iter().map(|&(stage, share)| (s(stage), Span::nearest(share))).collect();
    Program { name: "p".into(), offset: Span::nearest(offset), splits }
}

/// The way in the notation of drafts: each change with its second, and the tail's first.
fn way(junction: &Junction, running: &Running, from: f64, program: &Program) -> String {
    let bounds = Bounds::of(junction);
    let fitted = fit(program, bounds, Span::SECOND);
    let bridge = bridge(running, at(from), &fitted, bounds, Span::SECOND, 32);
    let plan = Draft {
        junction: JunctionId::of(0),
        revision: Revision(2),
        base: running.revision,
        effective_from: at(from),
        prefix: bridge.prefix.clone(),
        tail: bridge.tail.clone(),
        valid_until: at(from + 600.0),
    };
    let first = bridge.tail.changes().next().expect("a tail");
    let mut text: Vec<String> = bridge.prefix.iter().map(|change| format!("{} {}", change.stage, change.at)).collect();
    text.push(format!("| {} {}", first.stage, first.at));
    if !bridge.in_step {
        text.push("out of step".into());
    }
    text.push(told(&judge(plan, std::slice::from_ref(running), junction)));
    text.join(", ")
}

#[test]
fn a_program_is_entered_by_dwelling_or_cutting() {
    // A cycle of 60 s: S0 at 0, 60, …, S1 at 30, 90, …; 5 s of change and 5 s of green at least.
    let junction = crossing().build();
    let day = program(0.0, &[(0, 30.0), (1, 30.0)]);
    let since = |stage: usize, ago: f64| {
        let mut running = in_stage(&junction, 1 - stage);
        running.follow(Change::new(s(stage), at(-ago)), &junction);
        running
    };
    for (stage, ago, expected) in [
        (0, 0.0, "| S1 t=30, safe"), // as it should be
        (0, 5.0, "| S1 t=30, safe"), // 5 s early: S0 is dwelt in
        (1, 20.0, "| S0 t=0, safe"), // 10 s late: S1 is cut
        (1, 45.0, "| S0 t=0, safe"), // long over: at once
        // 20 s early, and no stage is lengthened by more than a fourth: 7 s, 7 s, and 6 s are left.
        (0, 20.0, "S1 t=17, S0 t=54, | S1 t=90, safe"),
    ] {
        assert_eq!(way(&junction, &since(stage, ago), 0.0, &day), expected, "S{stage} since {ago} s");
    }
    // Where no stage can be longer or shorter than it is, the program runs out of step.
    let stiff = crossing().max_green(0, 5.0).max_green(1, 5.0).build();
    let tight = program(0.0, &[(0, 10.0), (1, 10.0)]);
    assert_eq!(way(&stiff, &since(0, 3.0), 0.0, &tight), "| S1 t=7, out of step, safe");
}

#[test]
fn a_program_is_started_from_any_lamps() {
    let junction = crossing().build();
    let day = program(0.0, &[(0, 30.0), (1, 30.0)]);
    let lamps = |aspects: &[Aspect]| Running::holding(Lamps::seen(at(0.0), aspects, &junction), at(0.0));
    // All red: S0 is taken up where it would be by now; so late in it that no green is left, S1 is waited for.
    let dark = lamps(&[Aspect::Red, Aspect::Red]);
    assert_eq!(way(&junction, &dark, 3.0, &day), "| S0 t=3, safe");
    assert_eq!(way(&junction, &dark, 26.0, &day), "| S1 t=30, safe");
    // What is green stays so for its least, and what is its stage's goes on.
    let green = lamps(&[Aspect::Red, Aspect::Green]);
    assert_eq!(way(&junction, &green, 1.0, &day), "| S0 t=5, safe");
    assert_eq!(way(&junction, &green, 33.0, &day), "| S1 t=33, safe");
}

#[test]
fn a_program_is_made_fit_for_its_junction() {
    // 5 s of change and 5 s of green are more than 8 s; 30.4 s are not on the grid; S0 may be green for 40 s at most.
    let junction = crossing().max_green(0, 40.0).build();
    let bounds = Bounds::of(&junction);
    let fitted = |splits: &[(usize, f64)]| {
        let fitted = fit(&program(0.5, splits), bounds, Span::SECOND);
        assert_eq!(fitted.offset, Span::ZERO);
        fitted.splits.iter().map(|(stage, share)| format!("{stage}:{} ", share.s())).collect::<String>()
    };
    assert_eq!(fitted(&[(0, 8.0), (1, 30.4)]), "S0:10 S1:31 ");
    assert_eq!(fitted(&[(0, 60.0), (1, 30.0)]), "S0:45 S1:30 ");
    assert_eq!(fitted(&[(0, 20.0), (1, 20.0)]), "S0:20 S1:20 ");
}

#[test]
fn a_stage_outside_the_program_leads_into_it_in_order() {
    // S0 → S1 → S2 → S3 → S0 is the order; the night knows S0 and S1 alone, after which S0 may follow as well.
    let mut site = Site::new();
    for _ in 0..4 {
        site = site.group(5.0, 3.0, 2.0);
    }
    for (a, b) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
        site = site.never(a, b);
    }
    let site = site.stage(&[0]).stage(&[1]).stage(&[2]).stage(&[3]).fixed();
    let site = site.program(0.0, &[(0, 20.0), (1, 20.0), (2, 20.0), (3, 20.0)]).program(0.0, &[(0, 30.0), (1, 30.0)]);
    let junction = site.build();
    let night = junction.programs[1].clone();
    assert_eq!(way(&junction, &in_stage(&junction, 2), 40.0, &night), "S3 t=40, | S0 t=60, safe");
}

/// From anywhere into any program: the plan is safe, and in step where nothing keeps it from that.
fn arrives(numbers: &[u32]) -> bool {
    let mut dice = Dice(numbers.iter());
    let network = network(&mut dice);
    let junction = network.junction(JunctionId::of(0));
    let (running, mut lamps) = history(&mut dice, junction);
    let bounds = Bounds::of(junction);
    let mut program = junction.base_program().clone();
    for (_, share) in &mut program.splits {
        *share = Span::from_ms(dice.of(&[10_000, 1000, 15_500, 30_000, 60_000]));
    }
    program.offset = Span::from_s(dice.below(100) as i64);
    let fitted = fit(&program, bounds, Span::SECOND);
    let from = at(0.0) + Span::from_s(dice.of(&[0, 1, 2, 7]));
    let bridge = bridge(&running, from, &fitted, bounds, Span::SECOND, 64);
    let draft = Draft {
        junction: JunctionId::of(0),
        revision: Revision(2),
        base: Revision(1),
        effective_from: from,
        prefix: bridge.prefix,
        tail: bridge.tail,
        valid_until: from + Span::from_s(600),
    };
    let plan = judge(draft.clone(), std::slice::from_ref(&running), junction);
    let plan = plan.unwrap_or_else(|all| panic!("{all:?}\n{draft:?}\n{program:?}\n{running:?}\n{junction:?}"));
    lamps.retain(|change| change.at < from);
    lamps.extend_from_slice(plan.lamps());
    let faults = watch(&network, &lamps, from + Span::from_s(600));
    assert!(faults.is_empty(), "{faults:?}\n{draft:?}\n{junction:?}");
    bridge.in_step
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn every_program_can_be_entered_from_everywhere(numbers in numbers()) {
        arrives(&numbers);
    }
}

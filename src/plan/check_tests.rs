//! Every rule by hand: just below its limit, on it, and from every state a junction may be in.

use insta::assert_snapshot;

use super::*;
use crate::event::Aspect;
use crate::ids::{Id, StageId};
use crate::plan::draft::{Change, Tail};
use crate::plan::fixture::{Site, at, crossing, draft, g, in_stage, judge, picture, s, setting, told, verdict};
use crate::plan::timeline::Lamps;

/// `running` after its last change, `ago` seconds before second 0.
fn lately(junction: &Junction, stage: usize, ago: f64) -> Running {
    let mut running = in_stage(junction, (stage + 1) % junction.stages.len());
    running.follow(Change::new(s(stage), at(-ago)), junction);
    running
}

#[test]
fn a_green_has_its_least_length() {
    let junction = crossing().build();
    // 5 s of change and 5 s of green; G0 has been green for long.
    assert_snapshot!(verdict(&junction, "0:5+5 1:5+5"), @"safe");
    assert_snapshot!(verdict(&junction, "0:10 1:9"), @"G1: green of 4 s is below its minimum 5 s");
    // Both at once, and each only once, though they come around again and again.
    assert_snapshot!(verdict(&junction, "0:9 1:9"), @r"
    G1: green of 4 s is below its minimum 5 s
    G0: green of 4 s is below its minimum 5 s
    ");
    // A short stage within the rolling schedule alone.
    assert_snapshot!(verdict(&junction, "1:10 0:9 1:12 | 0:30 1:30"), @"G0: green of 4 s is below its minimum 5 s");
    // The last of the schedule is cut short by the tail.
    assert_snapshot!(verdict(&junction, "1:8 | 0:30 1:30"), @"G1: green of 3 s is below its minimum 5 s");
}

#[test]
fn a_green_that_never_begins_is_told() {
    let junction = crossing().build();
    assert_snapshot!(verdict(&junction, "0:20 1:5 | 0:30 1:30"), @"G1 never turns green in S1");
    assert_snapshot!(verdict(&junction, "0:20 1:2 | 0:30 1:30"), @"G1 never turns green in S1");
    // Also if it was the running plan that promised it: S1 since 3 s, its green due in 2 s, a way back at once.
    let running = [lately(&junction, 1, 3.0)];
    assert_snapshot!(told(&judge(draft("0:30 1:30"), &running, &junction)), @"G1 never turns green in S1");
}

#[test]
fn the_green_that_is_on_now_is_not_cut() {
    let junction = crossing().build();
    // The change into S1 began 8 s ago: G1 has been green for 3 s.
    for (begin, expected) in [(1.0, "G1: green of 4 s is below its minimum 5 s"), (2.0, "safe"), (3.0, "safe")] {
        let text = format!("@{begin} 0:30 1:30");
        assert_eq!(told(&judge(draft(&text), &[lately(&junction, 1, 8.0)], &junction)), expected, "{begin}");
    }
}

#[test]
fn an_intergreen_binds_however_many_stages_later() {
    // 14 s are owed from G0 to G2, and a stage of 7 s lies between. Compared with the next stage alone, G2 would be
    // green 11 s after G0.
    let site = Site::new().group(5.0, 3.0, 1.0).group(3.0, 3.0, 1.0).group(5.0, 3.0, 1.0);
    let site = site.never(0, 1).never(1, 2).never(0, 2).intergreen(0, 2, 14.0).stage(&[0]).stage(&[1]).stage(&[2]);
    let network = site.network();
    let junction = network.junction(crate::ids::JunctionId::of(0));
    assert_snapshot!(verdict(junction, "0:2 1:7 2:11 | 0:30 1:30 2:30"), @"G2: green of 4 s is below its minimum 5 s");
    let plan = judge(draft("0:2 1:7 2:12 | 0:30 1:30 2:30"), &[in_stage(junction, 0)], junction).expect("a safe plan");
    assert_snapshot!(picture(junction, &plan, &[Aspect::Green, Aspect::Red, Aspect::Red], 30), @r"
    GGyyy....................GGGGG
    ......GGGyyy..................
    ................GGGGGyyy......
    ");
}

#[test]
fn people_walk_and_clear_before_traffic_comes() {
    // G0 walks for 7 s at least and clears for 9; G1 is traffic with 2 s of all-red.
    let junction = Site::new().walk(7.0, 9.0).group(5.0, 3.0, 2.0).never(0, 1).stage(&[0]).stage(&[1]).build();
    let running = [in_stage(&junction, 1)];
    assert_snapshot!(told(&judge(draft("0:12 1:14"), &running, &junction)), @"safe");
    assert_snapshot!(told(&judge(draft("0:11 1:13"), &running, &junction)), @r"
    G0: green of 6 s is below its minimum 7 s
    G1: green of 4 s is below its minimum 5 s
    ");
    let plan = judge(draft("0:12 1:14"), &running, &junction).expect("a safe plan");
    assert_snapshot!(picture(&junction, &plan, &[Aspect::Red, Aspect::Green], 27), @r"
    .....GGGGGGGyyyyyyyyy......
    yyy..................GGGGGy
    ");
}

#[test]
fn what_may_not_be_shown_together_is_not_even_continued() {
    let junction = crossing().build();
    let lamps = Lamps::seen(at(0.0), &[Aspect::Green, Aspect::Green], &junction);
    let running = [Running { revision: Revision(1), ..Running::holding(lamps, at(0.0)) }];
    assert_snapshot!(told(&judge(draft("@5 0:30 1:30"), &running, &junction)), @"G0 and G1 are green together");
}

#[test]
fn stages_come_in_order() {
    let three = Site::new().group(5.0, 3.0, 2.0).group(5.0, 3.0, 2.0).group(5.0, 3.0, 2.0);
    let three = three.never(0, 1).never(1, 2).never(0, 2).stage(&[0]).stage(&[1]).stage(&[2]);
    let free = three.clone().build();
    assert_snapshot!(verdict(&free, "0:20 2:20 1:20 | 0:30 1:30 2:30"), @"safe");
    let fixed = three.fixed().build();
    assert_snapshot!(verdict(&fixed, "0:20 1:20 2:20 | 0:30 1:30 2:30"), @"safe");
    assert_snapshot!(verdict(&fixed, "0:20 2:20 | 0:30 1:30 2:30"), @"S2 may not follow S0");
    // Into the prefix, out of it, and where the tail begins anew.
    assert_snapshot!(verdict(&fixed, "2:20 | 1:30 2:30"), @r"
    S2 may not follow S0
    S1 may not follow S2
    ");
    // In the frozen seconds the plan before goes on to S1.
    let mut running = in_stage(&fixed, 0);
    running.ahead = vec![Change::new(s(1), at(3.0)), Change::new(s(2), at(20.0))];
    let later = Draft { effective_from: at(5.0), ..draft("@13 2:20 | 0:30 1:30 2:30") };
    assert_snapshot!(told(&judge(later.clone(), &[running.clone()], &fixed)), @"safe");
    // If it may also not have heard of that plan, it would go from S0 to S2.
    running.revision = Revision(0);
    running.ahead.clear();
    let heard = Running { ahead: vec![Change::new(s(1), at(3.0))], ..in_stage(&fixed, 0) };
    assert_snapshot!(told(&judge(later, &[heard, running], &fixed)), @"S2 may not follow S0");
}

#[test]
fn rings_cross_barriers_together() {
    // G0 and G1 head the two rings, G2 and G3 follow; G4 and G5 lie across the barrier.
    let mut site = Site::new();
    for _ in 0..6 {
        site = site.group(5.0, 3.0, 1.0);
    }
    for (a, b) in [(0, 2), (1, 3), (0, 4), (0, 5), (1, 4), (1, 5), (2, 4), (2, 5), (3, 4), (3, 5)] {
        site = site.never(a, b);
    }
    let site = site.stage(&[0, 1]).stage(&[2, 1]).stage(&[2, 3]).stage(&[4, 5]);
    let junction = site.rings(&[&[&[0, 2], &[1, 3]], &[&[4], &[5]]]).build();
    // The rings move on one after the other; G1 is green through both of the first stages.
    assert_snapshot!(verdict(&junction, "0:15 1:9 2:9 3:9 | 0:20 1:20 2:20 3:20"), @"safe");
    // Back within a ring.
    assert_snapshot!(verdict(&junction, "1:20 0:20 | 2:20 3:20 0:20"), @"S0 may not follow S1");
}

#[test]
fn changes_lie_on_the_grid_and_in_order_of_time() {
    let junction = crossing().build();
    assert_snapshot!(verdict(&junction, "0:20.5 1:20 | @41 0:30 1:30"), @"the change into S1 at t=20.5 is off the grid of 1 s");
    assert_snapshot!(verdict(&junction, "0:30.5 1:29.5"), @r"
    the change into S1 at t=30.5 is off the grid of 1 s
    the change into S1 at t=90.5 is off the grid of 1 s
    ");
    assert_snapshot!(verdict(&junction, "@-1 0:20 1:20 | 0:30 1:30"), @"the change into S0 at t=-1 does not come after t=0");
    assert_snapshot!(verdict(&junction, "@-1 0:30 1:30"), @"the change into S0 at t=-1 does not come after t=0");
    assert_snapshot!(verdict(&junction, "0:20 1:20 @10 0:20 | 1:30 0:30"), @"the change into S0 at t=10 does not come after t=20");
    assert_snapshot!(verdict(&junction, "0:20 1:20 | @20 0:30 1:30"), @"the change into S0 at t=20 does not come after t=20");
    // The tail may take up what the schedule has just begun.
    assert_snapshot!(verdict(&junction, "0:20 1:20 | @20 1:30 0:30"), @"safe");
}

#[test]
fn a_stage_has_its_longest_green() {
    let junction = crossing().max_green(0, 40.0).build();
    let running = [lately(&junction, 0, 10.0)]; // green for 5 s
    assert_snapshot!(told(&judge(draft("0:35 1:30 0:45 1:30 | 0:45 1:30"), &running, &junction)), @"safe");
    assert_snapshot!(told(&judge(draft("0:36 1:30 | 0:45 1:30"), &running, &junction)), @"S0: green of 41 s is above its maximum 40 s");
    assert_snapshot!(told(&judge(draft("0:30 1:30 0:46 1:30 | 0:45 1:30"), &running, &junction)), @"S0: green of 41 s is above its maximum 40 s");
    assert_snapshot!(told(&judge(draft("0:30 1:30 | 0:46 1:30"), &running, &junction)), @"S0: green of 41 s is above its maximum 40 s");
    // A tail of one stage alone lasts for as long as the plan counts.
    assert_snapshot!(told(&judge(draft("0:30"), &running, &junction)), @"S0: green of 3605 s is above its maximum 40 s");
    let short = Draft { valid_until: at(35.0), ..draft("0:30") };
    assert_snapshot!(told(&judge(short, &running, &junction)), @"safe");
}

#[test]
fn a_green_that_is_too_long_already_ends_at_once() {
    let junction = crossing().max_green(0, 40.0).build();
    let running = [lately(&junction, 0, 50.0)]; // green for 45 s
    assert_snapshot!(told(&judge(draft("1:30 0:45"), &running, &junction)), @"safe");
    assert_snapshot!(told(&judge(draft("0:1 1:30 | 0:45 1:30"), &running, &junction)), @"S0: green of 46 s is above its maximum 40 s");
}

#[test]
fn a_shortest_green_outlasts_the_longest_of_its_stage() {
    // G0 is green at once in S0; G1, to which G2 owes 14 s, from second 14 to 19 at least: S0 cannot end after its 15 s.
    let site = Site::new().group(5.0, 3.0, 2.0).group(5.0, 3.0, 2.0).group(5.0, 3.0, 2.0);
    let site = site.never(1, 2).intergreen(2, 1, 14.0).stage(&[0, 1]).stage(&[2]).max_green(0, 15.0);
    let junction = site.build();
    let running = [in_stage(&junction, 1)];
    assert_snapshot!(told(&judge(draft("0:19 1:10"), &running, &junction)), @"safe");
    assert_snapshot!(told(&judge(draft("0:18 1:10"), &running, &junction)), @"G1: green of 4 s is below its minimum 5 s");
    assert_snapshot!(told(&judge(draft("0:20 1:10"), &running, &junction)), @"S0: green of 20 s is above its maximum 15 s");
}

/// What is wrong when somebody has waited for G1 since second `since`.
fn waited(junction: &Junction, running: &Running, since: f64, text: &str) -> String {
    let mut waiting = Table::filled(None, junction.groups.len());
    waiting[g(1)] = Some(at(since));
    let running = std::slice::from_ref(running);
    told(&check(draft(text), junction, &setting(running, &waiting)))
}

#[test]
fn nobody_waits_at_red_for_too_long() {
    let junction = crossing().max_red(1, 90.0).build();
    let running = in_stage(&junction, 0);
    // G1 is green 5 s after the change into S1.
    assert_snapshot!(waited(&junction, &running, 0.0, "0:85 1:30 | 0:90 1:30"), @"safe");
    assert_snapshot!(waited(&junction, &running, 0.0, "0:86 1:30 | 0:30 1:30"), @"G1: red of 91 s while somebody waits is above its maximum 90 s");
    assert_snapshot!(waited(&junction, &running, -20.0, "0:66 1:30"), @"G1: red of 91 s while somebody waits is above its maximum 90 s");
    // Not at all: red to the end of the plan.
    assert_snapshot!(waited(&junction, &running, 0.0, "0:30"), @"G1: red of 3600 s while somebody waits is above its maximum 90 s");
    // Only red counts: G1 lost its green 20 s ago and was yellow for 3 s.
    let mut running = in_stage(&junction, 1);
    running.follow(Change::new(s(0), at(-20.0)), &junction);
    assert_snapshot!(waited(&junction, &running, -900.0, "0:68 1:30"), @"safe");
    assert_snapshot!(waited(&junction, &running, -900.0, "0:69 1:30"), @"G1: red of 91 s while somebody waits is above its maximum 90 s");
}

#[test]
fn a_wait_that_is_past_saving_is_not_put_off() {
    let junction = crossing().max_red(1, 90.0).build();
    // Nobody can be green at once after 300 s; but the plan before would be at second 45.
    let mut running = in_stage(&junction, 0);
    running.ahead = vec![Change::new(s(1), at(40.0)), Change::new(s(0), at(70.0))];
    assert_snapshot!(waited(&junction, &running, -300.0, "0:40 1:30"), @"safe");
    assert_snapshot!(waited(&junction, &running, -300.0, "0:41 1:30"), @"G1: red of 346 s while somebody waits is above its maximum 90 s");
    // A plan that ends before it is no promise: then two cycles of the base program, 2 × 60 s, bound the rest.
    running.known_until = at(44.0);
    assert_snapshot!(waited(&junction, &running, -300.0, "0:115 1:30"), @"safe");
    assert_snapshot!(waited(&junction, &running, -300.0, "0:116 1:30"), @"G1: red of 421 s while somebody waits is above its maximum 90 s");
    // One that a round of the base program can save has to be: 60 s and the longest intergreen, 5 s.
    running.ahead = vec![Change::new(s(1), at(80.0))];
    running.known_until = at(900.0);
    assert_snapshot!(waited(&junction, &running, -25.0, "0:61 1:30"), @"G1: red of 91 s while somebody waits is above its maximum 90 s");
    assert_snapshot!(waited(&junction, &running, -26.0, "0:61 1:30"), @"safe");
}

#[test]
fn a_change_may_wait_for_the_junction_to_clear() {
    let junction = crossing().build();
    let running = in_stage(&junction, 0);
    let cleared = |clear: f64| {
        let mut draft = draft("0:30 1:30 | 0:30 1:30");
        draft.prefix.iter_mut().for_each(|change| change.clear = Span::nearest(clear));
        judge(draft, std::slice::from_ref(&running), &junction)
    };
    let green = |clear| {
        let plan = cleared(clear).expect("a safe plan");
        plan.lamps().iter().find(|l| l.group == g(1) && l.aspect == Aspect::Green).expect("it turns green").at - at(0.0)
    };
    // Its own intergreen is 5 s.
    assert_eq!([0.0, 4.0, 5.0, 7.0, 10.0].map(|clear| green(clear).ms() / 1000), [35, 35, 35, 37, 40]);
    for clear in [-1.0, 10.1] {
        let violations = cleared(clear).expect_err("it is refused");
        assert!(violations.iter().all(|v| matches!(v, Violation::Clear { .. })), "{violations:?}");
    }
}

#[test]
fn whom_no_stage_serves_no_plan_can() {
    let junction = Site::new().group(5.0, 3.0, 2.0).group(5.0, 3.0, 2.0).stage(&[0]).build();
    assert_snapshot!(waited(&junction, &in_stage(&junction, 0), -300.0, "0:30"), @"safe");
}

#[test]
fn an_operator_makes_limits_stricter_and_never_laxer() {
    let junction = crossing().max_red(1, 90.0).build();
    let running = [in_stage(&junction, 0)];
    let mut waiting = Table::filled(None, 2);
    waiting[g(1)] = Some(at(0.0));
    let judge = |min_green: i64, max_red: i64, text: &str| {
        let narrowed =
            [Narrowed { group: g(1), min_green: Some(Span::from_s(min_green)), max_red: Some(Span::from_s(max_red)) }];
        told(&check(draft(text), &junction, &Setting { narrowed: &narrowed, ..setting(&running, &waiting) }))
    };
    assert_snapshot!(judge(3, 120, "0:85 1:10"), @"safe");
    assert_snapshot!(judge(3, 120, "0:86 1:9"), @r"
    G1: red of 91 s while somebody waits is above its maximum 90 s
    G1: green of 4 s is below its minimum 5 s
    ");
    assert_snapshot!(judge(6, 89, "0:85 1:10"), @r"
    G1: red of 90 s while somebody waits is above its maximum 89 s
    G1: green of 5 s is below its minimum 6 s
    ");
}

#[test]
fn a_plan_continues_one_that_may_be_running() {
    let junction = crossing().build();
    let running = [in_stage(&junction, 0)];
    let change = |change: &dyn Fn(&mut Draft)| {
        let mut draft = draft("0:30 1:30");
        change(&mut draft);
        told(&judge(draft, &running, &junction))
    };
    assert_snapshot!(change(&|draft| draft.base = Revision(7)), @"plan 7 is none that the junction may be running");
    assert_snapshot!(change(&|draft| draft.revision = Revision(1)), @"number 1 is not above 1, which the junction may be running");
    assert_snapshot!(told(&judge(draft("0:30 1:30"), &[], &junction)), @"nothing is known of what the junction does");
    let ends = Running { known_until: at(-1.0), ..in_stage(&junction, 0) };
    assert_snapshot!(told(&judge(draft("0:30 1:30"), &[ends], &junction)), @"it begins at t=0, and what plan 1 does is known until t=-1 only");
}

#[test]
fn a_plan_begins_in_time_and_counts_for_a_while() {
    let junction = crossing().build();
    let running = [in_stage(&junction, 0)];
    let waiting = Table::filled(None, 2);
    let told_at = |from: f64, until: f64| {
        let text = format!("@{from} 0:30 1:30");
        let draft = Draft { effective_from: at(from), valid_until: at(until), ..draft(&text) };
        told(&check(draft, &junction, &Setting { lead: Span::from_s(2), ..setting(&running, &waiting) }))
    };
    assert_snapshot!(told_at(2.0, 180.0), @"safe");
    assert_snapshot!(told_at(1.0, 180.0), @"it begins at t=1, before t=2");
    assert_snapshot!(told_at(2.0, 3602.0), @"safe");
    assert_snapshot!(told_at(2.0, 3603.0), @"it counts for 3601 s, which is not within 0 s to 3600 s");
    assert_snapshot!(told_at(2.0, 2.0), @"it counts for 0 s, which is not within 0 s to 3600 s");
    assert_snapshot!(told_at(3603.0, 3700.0), @"it begins at t=3603, and what plan 1 does is known until t=3602 only");
}

#[test]
fn a_draft_is_bounded_and_names_what_there_is() {
    let junction = crossing().build();
    assert_snapshot!(verdict(&junction, "0:30 5:30 | 0:30 6:30"), @r"
    S6 is none of the junction's stages
    S5 is none of the junction's stages
    ");
    assert_snapshot!(verdict(&junction, "0:30 | "), @"the tail has no stage");
    assert_snapshot!(verdict(&junction, "0:0 1:0.9"), @r"
    S0: a share of 0 s is not within 1 s to 3600 s
    S1: a share of 0.9 s is not within 1 s to 3600 s
    ");
    let long = |count: usize| (0..count).map(|i| format!("{}:20 ", i % 2)).collect::<String>();
    assert_snapshot!(verdict(&junction, &format!("{}| 0:30 1:30", long(64))), @"safe");
    assert_snapshot!(verdict(&junction, &format!("{}| 1:30 0:30", long(65))), @"65 changes of the prefix are more than 64");
    assert_snapshot!(verdict(&junction, &long(66)), @"66 stages of the tail are more than 64");
    let far = |offset: i64| {
        let mut draft = draft("0:30 1:30");
        draft.tail.offset = Span::from_s(offset);
        told(&judge(draft, &[in_stage(&junction, 0)], &junction))
    };
    assert_snapshot!(far(86_400), @"safe");
    assert_snapshot!(far(-86_401), @"an offset of -86401 s is more than 86400 s from the master clock");
    assert_snapshot!(verdict(&junction, "0:20 | @3601 1:30 0:30"), @"the tail takes over 3601 s after the plan begins, which is not within 0 s to 3600 s");
}

#[test]
fn nonsense_is_refused_and_nothing_more() {
    let junction = crossing().build();
    let extremes = [i64::MIN, -(1 << 60), -1, 0, 1, 1 << 60, i64::MAX];
    let mut refused = 0;
    for time in extremes {
        for span in extremes {
            for field in 0..6 {
                let mut draft = draft("0:20 1:20 | 0:30 1:30");
                match field {
                    0 => draft.effective_from = Time::from_ms(time),
                    1 => draft.valid_until = Time::from_ms(time),
                    2 => draft.prefix[1].at = Time::from_ms(time),
                    3 => draft.tail.from = Time::from_ms(time),
                    4 => draft.tail.splits[0].1 = Span::from_ms(time),
                    _ => draft.prefix[0].stage = StageId::of(time.unsigned_abs() as usize % (1 << 31)),
                }
                draft.tail.offset = Span::from_ms(span);
                refused += usize::from(judge(draft, &[in_stage(&junction, 0)], &junction).is_err());
            }
        }
    }
    assert!(refused > 250, "{refused}");
}

#[test]
fn a_plan_shows_its_lamps_from_the_first_instant_on() {
    let junction = crossing().build();
    // The change into S1 began a second ago: the yellow that is on ends, and its green comes, under the new plan.
    let running = [lately(&junction, 1, 1.0)];
    let plan = judge(draft("1:14 0:30 | 1:30 0:30"), &running, &junction).expect("a safe plan");
    assert_snapshot!(picture(&junction, &plan, &[Aspect::Yellow, Aspect::Red], 26), @r"
    yy.................GGGGGGG
    ....GGGGGGGGGGyyy.........
    ");
    assert_eq!(plan.lamps().iter().filter(|change| change.at >= at(3600.0)).count(), 0);
    assert!(plan.lamps().is_sorted_by_key(|change| (change.at, change.group)));
    assert_eq!(plan.draft().tail, Tail { ..draft("1:14 0:30 | 1:30 0:30").tail });
    assert_eq!(plan.revision(), Revision(2));
}

//! Rules that hold for any schedule.

use super::*;

/// A junction's lamps when it has gone from stage to stage at these instants.
fn shown(junction: &Junction, changes: &[(StageId, Time)]) -> Lamps {
    changes.iter().fold(Lamps::dark(junction), |lamps, &(stage, at)| lamps.after(Change::new(stage, at), junction))
}

/// What breaks a rule when the changes follow upon a stage and what its lamps have shown; by the lamps alone.
fn broken(
    junction: &Junction,
    (stage, mut lamps): (StageId, Lamps),
    plan: &Schedule,
    earliest: Time,
    grid: Span,
) -> Option<String> {
    let mut running = stage;
    let mut last = None;
    for change in &plan.changes {
        if change.at < earliest || change.at != change.at.floor(grid) || last.is_some_and(|t| t >= change.at) {
            return Some(format!("{change:?} is off the grid or out of order"));
        }
        if !junction.may_follow(running, change.stage) {
            return Some(format!("{change:?} may not follow {running}"));
        }
        let before = lamps.clone();
        lamps.change(*change, junction);
        for (group, rules) in junction.groups.iter() {
            if let (Some(from), None) = (before.group(group).green_from, lamps.group(group).green_from)
                && change.at - from < rules.min_green.span
            {
                return Some(format!("{change:?} cuts {group} after {}", change.at - from));
            }
        }
        (running, last) = (change.stage, Some(change.at));
    }
    None
}

#[test]
fn no_schedule_breaks_a_rule_and_all_are_repeatable() {
    let (network, layout) = layout();
    let junction = network.junction(layout.junction());
    let mut work = Workspace::default();
    let draw = crate::traffic::tracker::draw::unit;
    let mut changed = 0;
    for seed in 0..600 {
        let grid = Span::from_s([1, 1, 5, 10, 15, 30][seed as usize % 6]);
        let stage = StageId::of((draw(seed, 1) * 8.0) as usize);
        let now = Time::from_s(7 + i64::from(seed));
        let mut situation = Situation::empty(&layout, now, grid, stage);
        for lane in 0..12 {
            let mut at = 0.0;
            let row: Vec<_> = (0..(draw(seed, 10 + lane) * 9.0) as u32)
                .map(|car| {
                    at += draw(seed, 100 * lane + car) * 6.0;
                    (at, 0)
                })
                .collect();
            situation.row(lane as usize, 1.0, 1.5 + draw(seed, 2), 1.0, &row);
        }
        if seed % 5 == 0 {
            situation.claim(GroupId::of((draw(seed, 3) * 8.0) as usize), 0.0, draw(seed, 4) * 60.0);
        }
        let plan = schedule(&layout, &situation, &mut work);
        let long_green = (stage, shown(junction, &[(stage, Time::from_s(-1000))]));
        assert_eq!(broken(junction, long_green, &plan, now.ceil(grid), grid), None, "seed {seed}");
        assert_eq!(plan, schedule(&layout, &situation, &mut Workspace::default()), "seed {seed}");
        assert!(plan.runner_up.is_none_or(|(_, cost)| cost >= plan.cost_veh_s - 0.02), "seed {seed}: {plan:?}");
        changed += usize::from(!plan.changes.is_empty());
    }
    assert!(changed > 400, "{changed}");
}

#[test]
fn no_schedule_breaks_a_rule_whatever_the_lamps_have_just_shown() {
    // Without any all-red a lamp still goes by red before it is green again; and of two greens of a stage one may go on
    // alone, and has to last, though it has just begun.
    let west = r#"{"id":"w","groups":["wT","wL"]}"#;
    let alone = r#"{"id":"n alone","groups":["nT"]},{"id":"e alone","groups":["eL"]}"#;
    let text = fixture::crossroads().replace(r#""all_red":{"s":1"#, r#""all_red":{"s":0"#);
    let text = text.replace(west, &format!("{west},{alone}"));
    let network = Network::build(serde_json::from_str(&text).unwrap(), &Default::default()).unwrap();
    let id = network.junctions().ids().next().unwrap();
    let (junction, layout) = (network.junction(id), Layout::new(&network, id));
    let tracker = Tracker::new(&network, &Sensors::default(), &network.partitions()[0], Time::EPOCH);
    let (mut work, draw) = (Workspace::default(), crate::traffic::tracker::draw::unit);
    let (waiting, walkers) = (Table::filled(None, junction.groups.len()), vec![0.0; junction.groups.len()]);
    let mut soon = 0;
    for seed in 0..4000 {
        let any_stage = |salt| StageId::of((draw(seed, salt) * 10.0) as usize);
        // The last change came up to twelve seconds after the one before, and some seconds ago.
        let (stage, since) = (any_stage(2), Time::from_s(100));
        let before = since - Span::from_s(5 + (draw(seed, 3) * 7.0) as i64);
        let now = since + Span::from_s((draw(seed, 4) * 9.0) as i64);
        let changes = [(any_stage(1), before - Span::from_s(60)), (any_stage(5), before), (stage, since)];
        let (lamps, grid) = (shown(junction, &changes), Span::SECOND);
        let earliest = now + grid;
        let moment = Moment {
            now,
            grid,
            earliest,
            stage,
            since,
            lamps: &lamps,
            waiting: &waiting,
            walkers: &walkers,
            announced: &[],
            round: None,
        };
        let mut situation = Situation::default();
        situation.fill(&network, &layout, &tracker, &moment);
        for lane in 0..12 {
            let here = draw(seed, 10 + lane as u32) * 10.0 - 6.0;
            situation.row(lane, 1.0, 2.0, 1.0, &queue(here.max(0.0) as usize));
        }
        let plan = schedule(&layout, &situation, &mut work);
        assert_eq!(broken(junction, (stage, lamps), &plan, earliest, grid), None, "seed {seed}: {changes:?} {plan:?}");
        soon += usize::from(plan.changes.first().is_some_and(|change| change.at < earliest + Span::from_s(5)));
    }
    assert!(soon > 1000, "{soon}");
}

//! The rolling schedule on one crossroads: small situations worked by hand, and rules that hold for any.

mod rules;

use super::*;
use crate::ids::{GroupId, Table};
use crate::network::{Junction, Network, Sensors};
use crate::plan::timeline::Lamps;
use crate::traffic::tracker::Tracker;

fn network() -> Network {
    Network::build(serde_json::from_str(&fixture::crossroads()).unwrap(), &Default::default()).unwrap()
}

/// The crossroads.
pub(super) fn crossroads() -> Layout {
    layout().1
}

fn layout() -> (Network, Layout) {
    let network = network();
    let junction = network.junctions().ids().next().unwrap();
    let layout = Layout::new(&network, junction);
    (network, layout)
}

/// A row of vehicles standing at the line.
fn queue(count: usize) -> Vec<(f32, u8)> {
    (0..count).map(|at| (at as f32, 0)).collect()
}

/// The first change, as stage and second; lanes count 0 right, 1 straight, 2 left for each of the approaches n, e, s, w.
fn first(layout: &Layout, situation: &Situation) -> Option<(usize, i64)> {
    let plan = schedule(layout, situation, &mut Workspace::default());
    plan.changes.first().map(|c| (c.stage.index(), c.at.ms() / 1000))
}

#[test]
fn it_serves_whoever_waits() {
    let (_, layout) = layout();
    // The stage that runs, queues as lane and length, the stage that comes at once.
    for (stage, queues, next) in [
        (0, vec![(4, 8)], Some(2)),         // nobody on ns, eight straight from the east: ew
        (0, vec![(1, 8)], None),            // they have green already
        (0, vec![], None),                  // nobody anywhere: stay
        (2, vec![(4, 8), (10, 8)], None),   // ew serves both
        (0, vec![(2, 6), (8, 6)], Some(1)), // lefts from n and s
        (1, vec![(5, 6), (4, 6)], Some(5)), // all from the east: its own stage serves both
        (0, vec![(1, 3), (4, 1)], None),    // three cars under way before one that waits
    ] {
        let mut situation = Situation::empty(&layout, Time::EPOCH, Span::SECOND, StageId::of(stage));
        queues.iter().for_each(|&(lane, count)| situation.row(lane, 1.0, 2.0, 1.0, &queue(count)));
        let change = first(&layout, &situation).filter(|c| c.1 == 0);
        assert_eq!(change.map(|c| c.0), next, "{stage} {queues:?}");
        let by_rate = by_rate(&layout, &situation, &mut Workspace::default());
        assert_eq!(by_rate.changes.first().map(|c| c.stage.index()), next, "rate index, {stage} {queues:?}");
    }
}

#[test]
fn it_goes_on_as_long_as_no_change_can_begin() {
    let (_, layout) = layout();
    let change = |(stage, at)| Change::new(StageId::of(stage), Time::from_s(at));
    // When the change to everywhere but the north's own stage, 4, cuts no minimum green any more, and to that; changes found
    // before as stage and second; until when it goes on, and with how many of them.
    for (all, own, found, expected) in [
        (7.0, 7.0, vec![(2, 9), (0, 30)], Some((7, 2))),
        (7.0, 3.0, vec![(2, 9)], Some((3, 1))), // that one ends the south's green alone, which began sooner
        (7.0, 0.0, vec![(2, 9)], None),         // it may begin at once
        (7.0, 7.0, vec![], Some((7, 0))),       // it stays
        (7.0, 7.0, vec![(0, -4)], Some((7, 0))), // and has just changed
        (7.0, 7.0, vec![(2, 5), (0, 30)], None), // what was found is cut short by now,
        (7.0, 7.0, vec![(0, 9), (2, 30)], None), // or something else than was reckoned with runs
    ] {
        let mut situation = Situation::empty(&layout, Time::EPOCH, Span::SECOND, StageId::of(0));
        situation.leave.fill(all);
        situation.leave[4] = own;
        let changes: Vec<Change> = found.iter().copied().map(change).collect();
        let opens = situation.go_on(&layout, &changes);
        let left = situation.goes_on.as_ref().map(Vec::len);
        assert_eq!(opens.zip(left), expected.map(|(at, left)| (Time::from_s(at), left)), "{all} {own} {found:?}");
    }
}

#[test]
fn a_tie_stays() {
    let (_, layout) = layout();
    // As many straight from the north and the south, under green, as from the east and the west, under red.
    let mut situation = Situation::empty(&layout, Time::EPOCH, Span::SECOND, StageId::of(0));
    [1, 7, 4, 10].iter().for_each(|&lane| situation.row(lane, 1.0, 2.0, 1.0, &queue(4)));
    assert_ne!(first(&layout, &situation).map(|c| c.1), Some(0));
}

#[test]
fn whoever_has_waited_too_long_comes_next() {
    let (_, layout) = layout();
    // Ten cars roll on ns and nobody is seen on the west's left, group 7; but its red must end in 8 s.
    let mut situation = Situation::empty(&layout, Time::EPOCH, Span::SECOND, StageId::of(0));
    situation.row(1, 1.0, 2.0, 1.0, &queue(10));
    assert!(first(&layout, &situation).is_none());
    situation.claim(GroupId::of(7), 0.0, 8.0);
    let (stage, at) = first(&layout, &situation).unwrap();
    assert!([3, 7].contains(&stage) && at + 4 <= 8, "stage {stage} at {at}");
}

#[test]
fn whoever_loops_may_have_missed_is_served() {
    let (network, layout) = layout();
    let junction = network.junctions().values().next().unwrap();
    let lane = network.lane_of(network.link_named("w_in").unwrap(), 1).unwrap();
    let mut lamps = Lamps::dark(junction);
    lamps.change(Change::new(StageId::of(0), Time::EPOCH), junction);
    let waiting = Table::filled(None, junction.groups.len());
    let now = Time::from_s(90);
    let moment = Moment {
        now,
        grid: Span::SECOND,
        earliest: now,
        stage: StageId::of(0),
        since: Time::EPOCH,
        lamps: &lamps,
        waiting: &waiting,
        walkers: &vec![0.0; junction.groups.len()],
        announced: &[],
        round: None,
    };
    let next = |missed: f32| {
        let mut tracker = Tracker::new(&network, &Sensors::default(), &network.partitions()[0], Time::EPOCH);
        tracker.miss(lane, missed);
        let mut situation = Situation::default();
        situation.fill(&network, &layout, &tracker, &moment);
        first(&layout, &situation).map(|(stage, _)| stage)
    };
    // Then east and west come next.
    assert_eq!((next(0.0), next(0.01)), (None, Some(2)));
}

#[test]
fn nobody_is_sent_into_a_full_exit() {
    let (_, layout) = layout();
    // Straight from the east leads west. With room eight cars outweigh three lefts from the north, and ew or the
    // east alone serve them alike; without it the lefts go, with those from the south or with their own arm.
    for (room, stages) in [(50.0, [2, 5]), (0.0, [1, 4])] {
        let mut situation = Situation::empty(&layout, Time::EPOCH, Span::SECOND, StageId::of(0));
        situation.row(4, 1.0, 2.0, 1.0, &queue(8));
        situation.row(2, 1.0, 2.0, 1.0, &queue(3));
        let west = layout.turns[layout.lanes[4].turns.start].exit;
        situation.limit_exit(usize::from(west), room);
        let next = first(&layout, &situation).map(|c| c.0);
        assert!(next.is_some_and(|stage| stages.contains(&stage)), "room {room}: {next:?}");
    }
}

#[test]
fn a_platoon_is_waited_for_and_an_empty_gap_is_used() {
    let (_, layout) = layout();
    // Six cars reach the green ns in 3 to 13 s. One car waits on ew: serving it first would stop the platoon.
    let platoon: Vec<_> = (0..6).map(|at| (3.0 + 2.0 * at as f32, 0)).collect();
    let mut situation = Situation::empty(&layout, Time::EPOCH, Span::SECOND, StageId::of(0));
    situation.row(1, 1.0, 2.0, 1.0, &platoon);
    situation.row(4, 1.0, 2.0, 1.0, &queue(1));
    assert!(first(&layout, &situation).is_none_or(|c| c.1 >= 12));
    // The same platoon 20 s away leaves time for the change there (4 s), the car, and the change back.
    let far: Vec<_> = platoon.iter().map(|&(at, way)| (at + 17.0, way)).collect();
    let mut situation = Situation::empty(&layout, Time::EPOCH, Span::SECOND, StageId::of(0));
    situation.row(1, 1.0, 2.0, 1.0, &far);
    situation.row(4, 1.0, 2.0, 1.0, &queue(1));
    assert_eq!(first(&layout, &situation), Some((2, 0)));
}

#[test]
fn who_gives_way_goes_while_those_with_the_right_of_way_are_far() {
    // The same crossroads, where lefts go with their own arm's straight and look for a gap in the opposing one.
    let mut text = fixture::crossroads();
    for (arm, opposite) in [("n", "s"), ("e", "w"), ("s", "n"), ("w", "e")] {
        let protected = format!(r#"{{"a":"{arm}L","b":"{opposite}T","kind":"never"}}"#);
        assert!(text.contains(&protected));
        text = text.replace(&protected, &protected.replace("never", "yields"));
    }
    text = text.replace(r#"["nT","sT"]"#, r#"["nT","sT","nL","sL"]"#);
    let network = Network::build(serde_json::from_str(&text).unwrap(), &Default::default()).unwrap();
    let layout = Layout::new(&network, network.junctions().ids().next().unwrap());
    // Two lefts wait on the green ns and one on ew. Nobody opposes the lefts for 40 s: they go first, whoever comes
    // then, the second in yellow.
    for opposing in [vec![], vec![(40.0, 0), (43.0, 0)]] {
        let mut situation = Situation::empty(&layout, Time::EPOCH, Span::SECOND, StageId::of(0));
        [(2, 2), (4, 1)].iter().for_each(|&(lane, count)| situation.row(lane, 1.0, 2.0, 1.0, &queue(count)));
        situation.row(7, 1.0, 2.0, 1.0, &opposing);
        let next = first(&layout, &situation);
        assert!(next.is_none_or(|(_, at)| at >= 2), "{opposing:?}: {next:?}");
    }
}

#[test]
fn walkers_may_be_cleared_while_the_rest_goes_on() {
    // The crossroads with a walk of 12 s to clear beside ns, and the same stage without it.
    let text = fixture::crossroads()
        .replace(r#""groups":["nT","sT"]},"#, r#""groups":["nT","sT","p"]},{"id":"nsv","groups":["nT","sT"]},"#)
        .replace(
            r#"{"id":"nT","#,
            r#"{"id":"p","kind":"pedestrian","min_green":{"s":7,"origin":"site"},"change":{"s":12,"origin":"site"},"all_red":{"s":0,"origin":"site"}},{"id":"nT","#,
        )
        .replace(r#""conflicts":["#, r#""conflicts":[{"a":"p","b":"eT","kind":"never"},{"a":"p","b":"wT","kind":"never"},"#);
    let network = Network::build(serde_json::from_str(&text).unwrap(), &Default::default()).unwrap();
    let layout = Layout::new(&network, network.junctions().ids().next().unwrap());
    let (walk, rest, ew) = (0, 1, 3);
    assert!(layout.hold(walk, ew) > layout.hold(rest, ew) + 7.0, "the walk has to be cleared before the cross street");
    assert!(layout.leads(walk, rest) >> ew & 1 == 1, "and may be while ns goes on");
    // Twelve cars under way on ns, eight wait on ew: the walk ends first, what it owes is not forgotten, and it ends so
    // early that hardly anybody waits for the last of the walkers: ns is cleared in 4 s, they in 12.
    let mut situation = Situation::empty(&layout, Time::EPOCH, Span::SECOND, StageId::of(walk));
    situation.row(1, 1.0, 2.0, 1.0, &queue(12));
    [4, 10].iter().for_each(|&lane| situation.row(lane, 1.0, 2.0, 1.0, &queue(8)));
    let plan = schedule(&layout, &situation, &mut Workspace::default());
    let at: Vec<_> = plan.changes.iter().map(|c| (c.stage.index(), c.at.ms() / 1000)).collect();
    assert!(matches!(at[..], [(1, ended), (3, left), ..] if left >= ended + 7), "{at:?}");
}

#[test]
fn a_turn_on_red_needs_no_green() {
    // One turns right from the east, in a group of its own; on ns nobody comes.
    for (on_red, next) in [(false, Some(2)), (true, None)] {
        let limits =
            r#""min_green":{"s":5,"origin":"site"},"change":{"s":3,"origin":"site"},"all_red":{"s":1,"origin":"site"}"#;
        let text = fixture::crossroads()
            .replace(r#""turn":"right","length_m":20,"group":"eT""#, r#""turn":"right","length_m":20,"group":"eR""#)
            .replace(r#"{"id":"nT","#, &format!(r#"{{"id":"eR","turn_on_red":{on_red},{limits}}},{{"id":"nT","#))
            .replace(
                r#""conflicts":["#,
                r#""conflicts":[{"a":"eR","b":"nT","kind":"never"},{"a":"eR","b":"sL","kind":"never"},"#,
            )
            .replace(r#""eT","wT""#, r#""eT","wT","eR""#);
        let network = Network::build(serde_json::from_str(&text).unwrap(), &Default::default()).unwrap();
        let layout = Layout::new(&network, network.junctions().ids().next().unwrap());
        let mut situation = Situation::empty(&layout, Time::EPOCH, Span::SECOND, StageId::of(0));
        situation.row(3, 1.0, 2.0, 1.0, &queue(1));
        assert_eq!(first(&layout, &situation).map(|(stage, _)| stage), next, "{on_red}");
    }
}

/// The crossroads where lefts from the north look for a gap in the straight traffic from the south and, walking beside
/// ns over the east arm, people have the right of way over them. Their lane is 2, that of those who oppose them 7.
pub(super) fn permissive() -> Layout {
    let network = permissive_network();
    Layout::new(&network, network.junctions().ids().next().unwrap())
}

/// Its network.
pub(super) fn permissive_network() -> Network {
    let text = fixture::crossroads()
        .replace(r#"{"a":"nL","b":"sT","kind":"never"}"#, r#"{"a":"nL","b":"sT","kind":"yields"},{"a":"nL","b":"p","kind":"yields"}"#)
        .replace(r#"["nT","sT"]"#, r#"["nT","sT","nL","p"]"#)
        .replace(
            r#"{"id":"nT","#,
            r#"{"id":"p","kind":"pedestrian","min_green":{"s":7,"origin":"site"},"change":{"s":10,"origin":"site"},"all_red":{"s":0,"origin":"site"}},{"id":"nT","#,
        )
        .replace(r#""junctions":["#, r#""crossings":[{"id":"east","node":"c","length_m":12,"group":"p"}],"junctions":["#);
    Network::build(serde_json::from_str(&text).unwrap(), &Default::default()).unwrap()
}

/// When lefts from the north, one waiting, cross in the first `until` seconds of ns; in the last of them if it `ends`.
fn lefts(layout: &Layout, situation: &Situation, until: f32, ends: bool) -> Vec<f32> {
    let mut open = vec![f32::INFINITY; layout.groups];
    layout.stages[0].groups.iter().for_each(|group| open[crate::ids::Id::index(group)] = 0.0);
    let mut streams = vec![serve::Progress { next: 0, ready: f32::NEG_INFINITY }; situation.streams.len()];
    let mut taken = vec![0.0; layout.exits.len()];
    let mut run = serve::Run { streams: &mut streams, taken: &mut taken };
    let mut crossed = Vec::new();
    let mut lineup = lineup::Lineup::default();
    lineup.draw_up(layout, situation);
    let scene = lineup::Scene { layout, situation, lineup: &lineup };
    let (lights, walked) = (layout.lights(0), lineup.walked(layout.stages[0].groups, &open));
    let window = serve::Window { stage: 0, lights, open: &open, until, calm: false, starts: true, ends, walked };
    serve::stream(scene, 0, &window, &mut run, 0.0, |at, _| crossed.push(at));
    crossed
}

#[test]
fn one_who_waits_for_a_gap_leaves_in_yellow() {
    let layout = permissive();
    let mut situation = Situation::empty(&layout, Time::EPOCH, Span::SECOND, StageId::of(0));
    situation.row(2, 1.0, 2.0, 1.0, &queue(3));
    let opposing: Vec<_> = (0..20).map(|at| (2.0 * at as f32, 0)).collect();
    situation.row(7, 1.0, 2.0, 1.0, &opposing);
    assert!(lefts(&layout, &situation, 10.0, false).is_empty());
    assert_eq!(lefts(&layout, &situation, 10.0, true), [10.0]);
}

#[test]
fn who_turns_lets_those_walk_who_waited() {
    let layout = permissive();
    let mut situation = Situation::empty(&layout, Time::EPOCH, Span::SECOND, StageId::of(0));
    situation.row(2, 1.0, 2.0, 1.0, &queue(1));
    assert_eq!(lefts(&layout, &situation, 30.0, false), [0.0]);
    // Over 60 % of 12 m at 1.2 m/s.
    situation.walkers.fill(1.0);
    assert!(matches!(lefts(&layout, &situation, 30.0, false)[..], [at] if (at - 6.0).abs() < 1e-4));
}

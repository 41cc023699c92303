//! What the gate costs: a typical draft of a rolling schedule with its tail, checked and unrolled; and a way into a
//! program.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use greenwave::event::Revision;
use greenwave::ids::{Id, JunctionId, StageId, Table};
use greenwave::network::limits::Limits;
use greenwave::network::spec::{
    ConflictKind, ConflictSpec, FORMAT, GroupKind, GroupSpec, JunctionSpec, LimitSpec, NodeSpec, OrderSpec, Origin,
    ProgramSpec, SplitSpec, StageSpec,
};
use greenwave::network::{Junction, Network, NetworkSpec};
use greenwave::plan::bounds::Bounds;
use greenwave::plan::check::{Running, Setting, check};
use greenwave::plan::draft::{Change, Draft, Tail};
use greenwave::plan::timeline::Lamps;
use greenwave::plan::transition::{bridge, fit};
use greenwave::time::{Span, Time};

/// Four arms, left turns of their own, two rings and a barrier; with 16 groups eight crossings as well.
fn junction(groups: usize) -> Junction {
    let limit = |s: f64| Some(LimitSpec { s, origin: Origin::Site });
    let group = |index: usize| GroupSpec {
        id: format!("g{index}"),
        kind: if index < 8 { GroupKind::Vehicle } else { GroupKind::Pedestrian },
        min_green: limit(if index < 8 { 5.0 } else { 7.0 }),
        max_red: limit(150.0),
        change: limit(if index < 8 { 3.5 } else { 9.0 }),
        all_red: limit(if index < 8 { 1.5 } else { 0.0 }),
        turn_on_red: false,
    };
    // Vehicles as NEMA numbers them, from 0; people walk with the straight movements of their side.
    let side = |index: usize| index % 4 / 2;
    let ring = |index: usize| index / 4;
    let never = |a: usize, b: usize| side(a) != side(b) && (a < 8 || b < 8) || (a < 8 && b < 8 && ring(a) == ring(b));
    let pairs = (0..groups).flat_map(|a| (a + 1..groups).map(move |b| (a, b))).filter(|&(a, b)| never(a, b));
    let conflicts =
        pairs.map(|(a, b)| ConflictSpec { a: format!("g{a}"), b: format!("g{b}"), kind: ConflictKind::Never });
    let stage = |index: usize, groups: Vec<usize>| StageSpec {
        id: format!("s{index}"),
        groups: groups.iter().map(|g| format!("g{g}")).collect(),
        max_s: Some(90.0),
        skippable: false,
    };
    let walks = |of: usize| (8..groups).filter(move |&walk| side(walk) == of);
    let stages = vec![
        stage(0, vec![0, 4]),
        stage(1, [1, 5].into_iter().chain(walks(0)).collect()),
        stage(2, vec![2, 6]),
        stage(3, [3, 7].into_iter().chain(walks(1)).collect()),
    ];
    let splits = [15.0, 35.0, 15.0, 35.0].into_iter().enumerate();
    let splits = splits.map(|(stage, s)| SplitSpec { stage: format!("s{stage}"), s }).collect();
    let spec = NetworkSpec {
        format: FORMAT.into(),
        name: "one junction".into(),
        source: String::new(),
        drive_on: Default::default(),
        utc_offset_min: 0,
        origin: None,
        partition_level: Default::default(),
        zones: Vec::new(),
        nodes: vec![NodeSpec { id: "n".into(), x: 0.0, y: 0.0, junction: Some("j".into()), zone: None }],
        links: Vec::new(),
        connections: Vec::new(),
        crossings: Vec::new(),
        junctions: vec![JunctionSpec {
            id: "j".into(),
            groups: (0..groups).map(group).collect(),
            conflicts: conflicts.collect(),
            intergreens: Vec::new(),
            stages,
            order: OrderSpec::Free,
            programs: vec![ProgramSpec { id: "p".into(), offset_s: 0.0, splits }],
        }],
    };
    let network = Network::build(spec, &Limits::default()).expect("a junction without a fault");
    network.junction(JunctionId::of(0)).clone()
}

/// The states and drafts of consecutive seconds: the schedule sees a minute ahead, then the tail runs on.
fn ring(junction: &Junction) -> Vec<(Time, Running, Draft)> {
    let stage = StageId::of;
    let one = |second: i64| {
        let now = Time::from_s(100_000 + second);
        let at = |s: i64| now + Span::from_s(s);
        let mut running = Running::holding(Lamps::dark(junction), at(-900));
        let since = 20 + second % 30;
        running.follow(Change::new(stage(0), at(-since - 15)), junction);
        running.follow(Change::new(stage(1), at(-since)), junction);
        running.revision = Revision(1);
        running.ahead = [(2, 12), (3, 27), (0, 62), (1, 77)].map(|(s, t)| Change::new(stage(s), at(t))).into();
        let late = second % 7;
        let prefix = [(2, 2 + late), (3, 17 + late), (0, 52 + late), (1, 67 + late)];
        let from = at(102 + late);
        let splits: Vec<_> = [(2, 15), (3, 35), (0, 15), (1, 35)].map(|(s, t)| (stage(s), Span::from_s(t))).into();
        let draft = Draft {
            junction: JunctionId::of(0),
            revision: Revision(2),
            base: Revision(1),
            effective_from: at(1),
            prefix: prefix.map(|(s, t)| Change::new(stage(s), at(t))).into(),
            tail: Tail { splits, offset: from.within(Span::from_s(100), Span::ZERO), from },
            valid_until: at(181),
        };
        (now, running, draft)
    };
    (0..128).map(one).collect()
}

fn gate(c: &mut Criterion) {
    let mut group = c.benchmark_group("plan/check/draft");
    group.throughput(Throughput::Elements(1));
    for groups in [8, 16] {
        let junction = junction(groups);
        let waiting = Table::filled(Some(Time::from_s(99_990)), groups);
        let ring = ring(&junction);
        let mut next = ring.iter().cycle();
        group.bench_function(groups.to_string(), |b| {
            b.iter_batched(
                || next.next().expect("a ring").clone(),
                |(now, running, draft)| {
                    let setting = Setting {
                        now,
                        lead: Span::SECOND,
                        grid: Span::SECOND,
                        running: std::slice::from_ref(&running),
                        waiting: &waiting,
                        narrowed: &[],
                    };
                    let plan = check(black_box(draft), &junction, &setting).expect("a safe plan");
                    (plan, running)
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn way(c: &mut Criterion) {
    let mut group = c.benchmark_group("plan/bridge/program");
    group.throughput(Throughput::Elements(1));
    for groups in [8, 16] {
        let junction = junction(groups);
        let bounds = Bounds::of(&junction);
        let program = fit(junction.base_program(), bounds, Span::SECOND);
        let ring = ring(&junction);
        let mut next = ring.iter().cycle();
        group.bench_function(groups.to_string(), |b| {
            b.iter(|| {
                let (now, running, _) = next.next().expect("a ring");
                bridge(black_box(running), *now, &program, bounds, Span::SECOND, 32)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, gate, way);
criterion_main!(benches);

//! Junctions for tests, and a tiny notation for what is asked of them.
//!
//! `0:20+5 1:10 | 0:30 1:30`: first the prefix, then the tail. A token is `stage:share`, the share in seconds, where
//! `20+5` may say which part is green and which the change into it. `@12` before a token lets it begin then.

use crate::event::{Aspect, Revision};
use crate::ids::{GroupId, Id, JunctionId, StageId, Table};
use crate::network::limits::Limits;
use crate::network::spec::{
    ConflictKind, ConflictSpec, GroupKind, GroupSpec, IntergreenSpec, JunctionSpec, LimitSpec, NetworkSpec, NodeSpec,
    OrderSpec, Origin, ProgramSpec, SplitSpec, StageSpec,
};
use crate::network::{Junction, Network};
use crate::plan::check::{Running, SafePlan, Setting, Violation, check};
use crate::plan::draft::{Change, Draft, Tail};
use crate::plan::timeline::{LampChange, Lamps};
use crate::time::{Span, Time};

fn site(s: f64) -> Option<LimitSpec> {
    Some(LimitSpec { s, origin: Origin::Site })
}

/// One junction in the making. All times in seconds.
#[derive(Debug, Clone)]
pub(crate) struct Site(JunctionSpec);

impl Site {
    pub(crate) fn new() -> Self {
        Self(JunctionSpec {
            id: "j".into(),
            groups: Vec::new(),
            conflicts: Vec::new(),
            intergreens: Vec::new(),
            stages: Vec::new(),
            order: OrderSpec::Free,
            programs: Vec::new(),
        })
    }

    /// A vehicle group with its shortest green, yellow and all-red.
    pub(crate) fn group(self, min_green: f64, yellow: f64, all_red: f64) -> Self {
        self.add(GroupKind::Vehicle, min_green, yellow, all_red)
    }

    /// A pedestrian group with its shortest walk and its clearance.
    pub(crate) fn walk(self, walk: f64, clearance: f64) -> Self {
        self.add(GroupKind::Pedestrian, walk, clearance, 0.0)
    }

    fn add(mut self, kind: GroupKind, min_green: f64, change: f64, all_red: f64) -> Self {
        let id = format!("g{}", self.0.groups.len());
        let (min_green, change, all_red) = (site(min_green), site(change), site(all_red));
        self.0.groups.push(GroupSpec {
            id,
            kind,
            min_green,
            change,
            all_red,
            max_red: site(120.0),
            turn_on_red: false,
        });
        self
    }

    pub(crate) fn max_red(mut self, group: usize, s: f64) -> Self {
        self.0.groups[group].max_red = site(s);
        self
    }

    pub(crate) fn never(mut self, a: usize, b: usize) -> Self {
        self.0.conflicts.push(ConflictSpec { a: format!("g{a}"), b: format!("g{b}"), kind: ConflictKind::Never });
        self
    }

    pub(crate) fn yields(mut self, a: usize, b: usize) -> Self {
        self.0.conflicts.push(ConflictSpec { a: format!("g{a}"), b: format!("g{b}"), kind: ConflictKind::Yields });
        self
    }

    pub(crate) fn intergreen(mut self, from: usize, to: usize, s: f64) -> Self {
        let (from, to) = (format!("g{from}"), format!("g{to}"));
        self.0.intergreens.push(IntergreenSpec { from, to, s, origin: Origin::Site });
        self
    }

    pub(crate) fn stage(mut self, groups: &[usize]) -> Self {
        let id = format!("s{}", self.0.stages.len());
        let groups = groups.iter().map(|g| format!("g{g}")).collect();
        self.0.stages.push(StageSpec { id, groups, max_s: None, skippable: false });
        self
    }

    pub(crate) fn stages(&self) -> usize {
        self.0.stages.len()
    }

    pub(crate) fn max_green(mut self, stage: usize, s: f64) -> Self {
        self.0.stages[stage].max_s = Some(s);
        self
    }

    pub(crate) fn fixed(mut self) -> Self {
        self.0.order = OrderSpec::Fixed;
        self
    }

    /// `[barrier][ring]` is a sequence of groups.
    pub(crate) fn rings(mut self, barriers: &[&[&[usize]]]) -> Self {
        let ring = |ring: &&[usize]| ring.iter().map(|g| format!("g{g}")).collect();
        self.0.order = OrderSpec::Rings(barriers.iter().map(|rings| rings.iter().map(ring).collect()).collect());
        self
    }

    /// Another program: stages with their shares.
    pub(crate) fn program(mut self, offset_s: f64, splits: &[(usize, f64)]) -> Self {
        let splits = splits.iter().map(|&(stage, s)| SplitSpec { stage: format!("s{stage}"), s }).collect();
        self.0.programs.push(ProgramSpec { id: format!("p{}", self.0.programs.len()), offset_s, splits });
        self
    }

    /// A network of this junction alone. Without a program it gets one of 30 s for each stage.
    pub(crate) fn network(mut self) -> Network {
        if self.0.programs.is_empty() {
            let splits: Vec<_> = (0..self.0.stages.len()).map(|stage| (stage, 30.0)).collect();
            self = self.program(0.0, &splits);
        }
        let node = NodeSpec { id: "n".into(), x: 0.0, y: 0.0, junction: Some("j".into()), zone: None };
        let spec = NetworkSpec {
            format: crate::network::spec::FORMAT.into(),
            name: "a junction".into(),
            source: String::new(),
            drive_on: Default::default(),
            utc_offset_min: 0,
            origin: None,
            partition_level: Default::default(),
            zones: Vec::new(),
            nodes: vec![node],
            links: Vec::new(),
            connections: Vec::new(),
            crossings: Vec::new(),
            junctions: vec![self.0],
        };
        Network::build(spec, &Limits { benchmark: true, ..Limits::default() }).expect("a junction without a fault")
    }

    pub(crate) fn build(self) -> Junction {
        self.network().junction(JunctionId::of(0)).clone()
    }
}

/// Two streams that cross, 5 s of green at least, 3 s of yellow and 2 s of all-red each: S0 is G0, S1 is G1.
pub(crate) fn crossing() -> Site {
    Site::new().group(5.0, 3.0, 2.0).group(5.0, 3.0, 2.0).never(0, 1).stage(&[0]).stage(&[1])
}

pub(crate) fn g(index: usize) -> GroupId {
    GroupId::of(index)
}

pub(crate) fn s(index: usize) -> StageId {
    StageId::of(index)
}

/// Second `s` of the tests' day. It begins where every grid and every cycle does.
pub(crate) fn at(s: f64) -> Time {
    Time::EPOCH + Span::nearest(s)
}

/// A junction that has long been in `stage` at second 0.
pub(crate) fn in_stage(junction: &Junction, stage: usize) -> Running {
    let mut running = Running::holding(Lamps::dark(junction), at(-1000.0));
    running.follow(Change::new(s(stage), at(-100.0)), junction);
    running.revision = Revision(1);
    running
}

/// The draft a text describes, from second 0 on for an hour, in continuation of plan 1.
pub(crate) fn draft(text: &str) -> Draft {
    let mut clock = at(0.0);
    let (prefix, tail) = text.split_once('|').unwrap_or((text, text));
    let tokens = |text: &str, clock: &mut Time| {
        let mut read = Vec::new();
        for token in text.split_whitespace() {
            if let Some(begin) = token.strip_prefix('@') {
                *clock = at(begin.parse().expect("a second"));
                continue;
            }
            let (stage, share) = token.split_once(':').expect("stage:share");
            let share: f64 = share.split('+').map(|part| part.parse::<f64>().expect("seconds")).sum();
            read.push((Change::new(s(stage.parse().expect("a stage")), *clock), Span::nearest(share)));
            *clock += Span::nearest(share);
        }
        read
    };
    let mut changes = tokens(prefix, &mut clock);
    if prefix == tail {
        changes.clear();
        clock = at(0.0);
    }
    let prefix = changes.into_iter().map(|(change, _)| change).collect();
    let splits = tokens(tail, &mut clock);
    let from = splits.first().map_or(clock, |(change, _)| change.at);
    let splits: Vec<_> = splits.into_iter().map(|(change, share)| (change.stage, share)).collect();
    let cycle: Span = splits.iter().map(|&(_, share)| share).sum();
    let offset = if cycle > Span::ZERO { from.within(cycle, Span::ZERO) } else { Span::ZERO };
    Draft {
        junction: JunctionId::of(0),
        revision: Revision(2),
        base: Revision(1),
        effective_from: at(0.0),
        prefix,
        tail: Tail { splits, offset, from },
        valid_until: at(3600.0),
    }
}

/// The plan, or what is wrong with it, when the junction does what `running` says and nobody waits.
pub(crate) fn judge(draft: Draft, running: &[Running], junction: &Junction) -> Result<SafePlan, Vec<Violation>> {
    let waiting = Table::filled(None, junction.groups.len());
    check(draft, junction, &setting(running, &waiting))
}

/// At second 0, without lead, on a grid of a second.
pub(crate) fn setting<'a>(running: &'a [Running], waiting: &'a Table<GroupId, Option<Time>>) -> Setting<'a> {
    Setting { now: at(0.0), lead: Span::ZERO, grid: Span::SECOND, running, waiting, narrowed: &[] }
}

/// What is wrong, a line each, or `safe`.
pub(crate) fn told(verdict: &Result<SafePlan, Vec<Violation>>) -> String {
    match verdict {
        Ok(_) => "safe".into(),
        Err(all) => all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

/// What is wrong with the draft of `text` after a long stage 0.
pub(crate) fn verdict(junction: &Junction, text: &str) -> String {
    told(&judge(draft(text), &[in_stage(junction, 0)], junction))
}

/// A line for each group: what it shows at every second from 0 on, `G`, `y` or `.`.
pub(crate) fn picture(junction: &Junction, plan: &SafePlan, before: &[Aspect], seconds: i64) -> String {
    let mut lines = vec![String::new(); junction.groups.len()];
    let mut shows = before.to_vec();
    let mut lamps = plan.lamps().iter().peekable();
    for second in 0..seconds {
        while let Some(&LampChange { group, aspect, .. }) = lamps.next_if(|change| change.at <= Time::from_s(second)) {
            shows[group.index()] = aspect;
        }
        for (line, aspect) in lines.iter_mut().zip(&shows) {
            line.push(match aspect {
                Aspect::Green => 'G',
                Aspect::Yellow => 'y',
                _ => '.',
            });
        }
    }
    lines.join("\n")
}

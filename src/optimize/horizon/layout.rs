//! What never changes about a junction, in flat tables: lanes, turns, and what each change of stage costs in time.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::ids::{ConnectionId, GroupId, GroupSet, Id, JunctionId, LaneId, LinkId, StageId, span};
use crate::network::{Conflict, GroupKind, Junction, Network};

mod changes;
mod rules;

pub(super) use rules::Light;

/// Most turns of one lane that are told apart.
pub(super) const TURNS_MAX: usize = 32;

/// People on foot are past the path of those who turn when they have walked this share of the crossing.
const WALKED: f32 = 0.6;
/// They walk at this speed, m/s. Source: MUTCD, 3.5 ft/s, and a little more: who waited walks off briskly.
const WALK_MPS: f32 = 1.2;

/// A junction's tables.
#[derive(Debug, Clone)]
pub struct Layout {
    pub(super) junction: JunctionId,
    pub(super) groups: usize,
    /// By group: shortest green, s.
    pub(super) min_green: Vec<f32>,
    /// By group: longest red, s.
    pub(super) max_red: Vec<f32>,
    /// By from and to: owed between groups that are never green together, and by a group to itself, s; else less than 0.
    pub(super) intergreen: Vec<f32>,
    pub(super) stages: Vec<StageRow>,
    pub(super) lanes: Vec<LaneRow>,
    feeds: Vec<Vec<(LaneId, f32)>>,
    pub(super) turns: Vec<Turn>,
    pub(super) exits: Vec<LinkId>,
    /// By stage and turn: what it may do.
    lights: Vec<Light>,
    /// By stage and turn: the rows of `foes`.
    clashes: Vec<Range<u32>>,
    /// Lanes with a green turn that has the right of way over a turn that gives way, by stage and turn one after another.
    foes: Vec<u16>,
    /// By stage and turn: the stages, as a bit set, that would let it go where the stage does not, or spare it giving way.
    betters: Vec<u64>,
    /// By group: the stages, as a bit set, in which it is green.
    greens: Vec<u64>,
    /// Crossings over the exit of a turn, all turns one after another: their group, and from its green until those who
    /// waited are past the turn's path, s.
    pub(super) walks: Vec<(u16, f32)>,
    /// By stage and lane: the lane's turns that are green.
    pub(super) green: Vec<u32>,
    /// By stage and lane: the lane's turns that may go, on green or on red after a stop.
    pub(super) served: Vec<u32>,
    /// By stage and lane: whether a green turn of the lane gives way to another that is green.
    pub(super) yields: Vec<bool>,
    /// By from and to: whether `to` may follow.
    pub(super) follows: Vec<bool>,
    /// By from, to and group: from the begin of the change until the group owes nothing to those that end in it, s.
    pub(super) starts: Vec<f32>,
    /// By from and to: the rows of `owing`.
    dues: Vec<Range<u32>>,
    /// The groups that owe something to those that end in a change, and how long, s, by from and to one after another.
    owing: Vec<(u16, f32)>,
    /// By from and to: the longest of them, s.
    longest_owed: Vec<f32>,
    /// By from and to: the rows of `duties`.
    tasks: Vec<Range<u32>>,
    /// What has to be over before a stage may be left: from the begin of the change into it until something may begin, and
    /// how long that takes at least, s. Those that others outlast are left out.
    duties: Vec<(f32, f32)>,
    /// By from and to: the rows of `turning`, those that turn green in the change from the second one on.
    news: Vec<[u32; 3]>,
    /// The groups that are green in the stage that a change leads to: those that go on, then those that turn green.
    turning: Vec<Turning>,
    /// By from and to: from the begin of the change until every minimum green in `to` is over, s.
    pub(super) hold: Vec<f32>,
    /// By from and to, where `to` may follow: the stages, as a bit set, to which the shortest way from `from` begins with
    /// `to`, itself among them.
    pub(super) leads: Vec<u64>,
    /// By stage and group: the least time in which the group can be green when this stage has just done its duty, s.
    pub(super) reach: Vec<f32>,
}

/// A stage.
#[derive(Debug, Clone, Copy)]
pub(super) struct StageRow {
    pub(super) groups: GroupSet,
    /// Longest time in it, the change included, s.
    pub(super) max_green: f32,
}

/// A group that is green after a change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turning {
    pub(super) group: u16,
    /// From the begin of the change until it owes nothing to those that end in it, s.
    pub(super) owed: f32,
    /// Its shortest green, s.
    pub(super) least: f32,
}

/// A lane with a stop line here.
#[derive(Debug, Clone)]
pub(super) struct LaneRow {
    pub(super) lane: LaneId,
    pub(super) turns: Range<usize>,
    /// Whether some stage lets only some of its turns go.
    pub(super) split: bool,
}

/// A path from a lane.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    pub(super) connection: ConnectionId,
    pub(super) group: GroupId,
    /// The group's row.
    pub(super) gate: u16,
    pub(super) exit: u16,
    pub(super) walks: Range<usize>,
    /// Whether it may go on red after a stop.
    pub(super) on_red: bool,
    /// From its stop line to that of the next junction at the limit, s; infinite where none ends the next road.
    pub(super) onward_s: f32,
}

impl Layout {
    /// The tables of one junction.
    pub fn new(network: &Network, id: JunctionId) -> Self {
        let junction = network.junction(id);
        let mut layout = Self {
            junction: id,
            groups: junction.groups.len(),
            min_green: junction.groups.values().map(|g| g.min_green.span.s() as f32).collect(),
            max_red: junction.groups.values().map(|g| g.max_red.span.s() as f32).collect(),
            intergreen: Vec::new(),
            stages: Vec::new(),
            lanes: Vec::new(),
            feeds: Vec::new(),
            turns: Vec::new(),
            exits: Vec::new(),
            lights: Vec::new(),
            clashes: Vec::new(),
            foes: Vec::new(),
            betters: Vec::new(),
            greens: Vec::new(),
            walks: Vec::new(),
            green: Vec::new(),
            served: Vec::new(),
            yields: Vec::new(),
            follows: Vec::new(),
            starts: Vec::new(),
            dues: Vec::new(),
            owing: Vec::new(),
            longest_owed: Vec::new(),
            tasks: Vec::new(),
            duties: Vec::new(),
            news: Vec::new(),
            turning: Vec::new(),
            hold: Vec::new(),
            leads: Vec::new(),
            reach: Vec::new(),
        };
        for stage in junction.stages.values() {
            let max_green = stage.max_green.map_or(f32::INFINITY, |s| s.s() as f32);
            layout.stages.push(StageRow { groups: stage.groups, max_green });
        }
        layout.find_lanes(network, junction);
        layout.find_feeds(network);
        layout.find_rules(junction);
        layout.find_walks(network, junction);
        layout.tabulate(junction);
        layout
    }

    /// The junction.
    pub fn junction(&self) -> JunctionId {
        self.junction
    }

    /// Its stop-line lanes, in the order in which a situation counts them.
    pub fn lanes(&self) -> impl Iterator<Item = LaneId> + '_ {
        self.lanes.iter().map(|row| row.lane)
    }

    /// By stop-line lane: each lane that leads to it, and the part of its vehicles that may be on their way here.
    pub fn feeds(&self) -> &[Vec<(LaneId, f32)>] {
        &self.feeds
    }

    fn find_feeds(&mut self, network: &Network) {
        let mut leads: BTreeMap<LaneId, f32> = BTreeMap::new();
        for segment in self.lanes().flat_map(|lane| network.reach(lane)) {
            *leads.entry(segment.lane).or_default() += 1.0;
        }
        let of = |lane| network.reach(lane).iter().map(|s| (s.lane, 1.0 / leads[&s.lane])).collect();
        self.feeds = self.lanes().map(of).collect();
    }

    fn find_lanes(&mut self, network: &Network, junction: &Junction) {
        for lane in junction.approaches.iter().flat_map(|&link| span(&network.link(link).lanes)) {
            let first = self.turns.len();
            for connection in span(&network.lane(lane).exits).take(TURNS_MAX) {
                let path = &network.connections()[connection];
                let Some((owner, group)) = path.control.group() else { continue };
                if owner != self.junction {
                    continue;
                }
                let to = network.lane(path.to).link;
                let exit = self.exits.iter().position(|&e| e == to).unwrap_or_else(|| {
                    self.exits.push(to);
                    self.exits.len() - 1
                });
                let gate = group.index() as u16;
                let signal = network.junction_at_end(to).is_some();
                let way = (path.length + network.link(to).length) / network.link(to).speed;
                let onward_s = if signal { way.get() as f32 } else { f32::INFINITY };
                let on_red = junction.groups[group].turn_on_red;
                let exit = exit as u16;
                self.turns.push(Turn { connection, group, gate, exit, walks: 0..0, on_red, onward_s });
            }
            if first < self.turns.len() {
                let turns = first..self.turns.len();
                let some = |stage: &StageRow| {
                    let green = self.turns[turns.clone()].iter().filter(|t| stage.groups.contains(t.group)).count();
                    green > 0 && green < turns.len()
                };
                let split = self.stages.iter().any(some);
                self.lanes.push(LaneRow { lane, turns, split });
            }
        }
        for stage in &self.stages {
            for lane in &self.lanes {
                let turns = self.turns[lane.turns.clone()].iter().enumerate();
                let which = |may: &dyn Fn(&Turn) -> bool| {
                    turns.clone().filter(|(_, t)| may(t)).fold(0, |set, (at, _)| set | 1 << at)
                };
                self.green.push(which(&|t| stage.groups.contains(t.group)));
                self.served.push(which(&|t| stage.groups.contains(t.group) || t.on_red));
            }
        }
    }

    fn find_walks(&mut self, network: &Network, junction: &Junction) {
        for turn in &mut self.turns {
            let first = self.walks.len();
            for (id, group) in junction.groups.iter() {
                if group.kind == GroupKind::Pedestrian && junction.conflict(turn.group, id) == Conflict::Yields {
                    let longest =
                        group.crossings.iter().map(|&c| network.crossings()[c].length.get()).fold(0.0, f64::max);
                    self.walks.push((id.index() as u16, WALKED * longest as f32 / WALK_MPS));
                }
            }
            turn.walks = first..self.walks.len();
        }
    }

    /// Whether a stage serves somebody of a stop-line lane, counted as by [`Self::lanes`].
    pub fn serves(&self, stage: StageId, lane: usize) -> bool {
        self.green(stage.index(), lane) != 0
    }

    pub(super) fn green(&self, stage: usize, lane: usize) -> u32 {
        self.green[stage * self.lanes.len() + lane]
    }

    pub(super) fn served(&self, stage: usize, lane: usize) -> u32 {
        self.served[stage * self.lanes.len() + lane]
    }

    /// Whether some turn of the lane gives way in the stage.
    pub(super) fn yields(&self, stage: usize, lane: usize) -> bool {
        self.yields[stage * self.lanes.len() + lane]
    }
}

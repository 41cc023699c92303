//! One step: everything that happened goes in, everything there is to say comes out.
//!
//! An [`Engine`] looks after one partition, a [`City`](city::City) after all of them. Safety goes over preemption over
//! optimization: whatever decides, its draft passes [`check`](crate::plan::check::check) or is refused.

pub mod city;
mod decide;
mod door;
mod draft;
mod obey;
mod observe;
mod orders;
mod post;
mod preempt;
mod publish;
pub mod question;
mod reference;
mod report;
mod rung;
pub mod settings;
mod settle;
mod stuck;
mod timed;
mod waiting;

use crate::keep::{keep, resume};
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::corridor::Answer;
use crate::corridor::preempt::Preemption;
use crate::event::{Aspect, Event, Reading};
use crate::ids::{ConnectionId, GroupSet, JunctionId, LaneId, LinkId, Table, span};
use crate::network::{Network, Partition, Sensors};
use crate::optimize::horizon::Schedule;
use crate::output::Output;
use crate::time::{Span, Time};
use crate::traffic::saturation::Norm;
use crate::traffic::tracker::{Crossing, Tracker};
use crate::traffic::{self, Traffic};
use crate::units::Vehicles;

use decide::{Asked, Open};
use post::Post;
use reference::Sight;
pub use settings::{Control, Settings};
use stuck::Fronts;

/// Drivers still use this much of a yellow. Source: HCM, end gain.
const YELLOW_USED: Span = Span::from_ms(1500);

/// What one partition tells the others: used one tick later, wherever they run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Boundary {
    /// Vehicles that left for lanes of another partition in this tick.
    pub left: Vec<Crossing>,
    /// Vehicles that left for links of another partition, where only flows are estimated and no vehicle is tracked.
    pub flowed: Vec<(LinkId, Vehicles)>,
    /// Vehicles that are expected to, by the schedules in force.
    pub expected: Vec<Crossing>,
    /// What vehicles on their way ask of junctions here.
    pub preempt: Vec<Preemption>,
    /// What junctions answer the vehicles that they let through.
    pub answers: Vec<Answer>,
}

keep!(Boundary { left, flowed, expected, preempt, answers });

/// Everything that goes on in one partition.
#[derive(Debug, Clone)]
pub struct Engine {
    network: Arc<Network>,
    sensors: Arc<Sensors>,
    settings: Settings,
    partition: Partition,
    traffic: Traffic,
    tracker: Tracker,
    posts: Table<JunctionId, Post>,
    /// Groups that traffic may pass: green, and yellow as long as it is still used.
    open: Table<JunctionId, GroupSet>,
    /// Junctions whose schedules tell of arrivals here.
    upstream: Table<JunctionId, Vec<JunctionId>>,
    /// The junction that each path leads to next.
    onward: Table<ConnectionId, Option<JunctionId>>,
    /// Junctions with paths into other partitions.
    border: Vec<JunctionId>,
    /// What neighbours in other partitions expect to send.
    foreign: Vec<Crossing>,
    /// What vehicles on their way ask of junctions here, for each in the order in which they are served.
    preempt: Vec<Preemption>,
    closed: BTreeSet<LaneId>,
    /// Queues that have green and do not move.
    fronts: Fronts,
    /// Only where a reference controller may decide.
    sight: Option<Sight>,
    /// How lanes discharge here.
    norm: Norm,
    /// Junctions that are being decided, and what they ask the search.
    opened: Vec<Open>,
    asked: Asked,
    answers: Vec<Answer>,
    out: Vec<Output>,
    now: Time,
}

resume!(Engine {
    kept: traffic, tracker, norm, open, foreign, preempt, closed, fronts, sight, now;
    each: posts;
    built: network, sensors, settings, partition, upstream, onward, border, opened, asked,
        answers, out
});

impl Engine {
    /// The engine of partition `partition` of `network`.
    pub fn new(network: Arc<Network>, sensors: Arc<Sensors>, settings: Settings, partition: usize, now: Time) -> Self {
        let part = network.partitions()[partition].clone();
        let estimator = traffic::Settings {
            tick: settings.tick(),
            late: settings.tick() + settings.lateness(),
            ..traffic::Settings::default()
        };
        let traffic = Traffic::partition(Arc::clone(&network), &sensors, estimator, partition);
        let tracker = Tracker::new(&network, &sensors, &part, now);
        let mut posts = Vec::new();
        for id in crate::ids::span(&part.junctions) {
            posts.push(Post::new(&network, id, &settings));
        }
        let first = part.junctions.start;
        let looks = settings.control.is_reference() || settings.control == Control::Greenwave;
        Self {
            open: Table::over(&part.junctions, GroupSet::EMPTY),
            upstream: upstream(&network, &part),
            onward: onward(&network, &part),
            border: border(&network, &part),
            posts: Table::starting(first, posts),
            sight: looks.then(|| Sight::new(&part)),
            fronts: Fronts::new(&part.lanes),
            partition: part,
            traffic,
            tracker,
            network,
            sensors,
            settings,
            foreign: Vec::new(),
            preempt: Vec::new(),
            closed: BTreeSet::new(),
            norm: Norm::default(),
            opened: Vec::new(),
            asked: Asked::default(),
            answers: Vec::new(),
            out: Vec::new(),
            now,
        }
    }

    /// The partition it looks after.
    pub fn partition(&self) -> &Partition {
        &self.partition
    }

    /// What is happening there.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// The vehicles there, as far as they are known.
    pub fn tracker(&self) -> &Tracker {
        &self.tracker
    }

    /// Begins the tick that ends at `now`: what happened since the last one, each with its row among the tick's events, and
    /// what neighbours said then. What is left to find out is what [`questions`](Self::questions) asks.
    pub(super) fn begin(&mut self, now: Time, events: &[(usize, &Event)], inbox: &Boundary) {
        self.now = now;
        // Where nearly all readings come late, they are used as late as they come.
        self.traffic.allow(self.tracker.lag() + self.settings.tick() + self.settings.lateness());
        let readings: Vec<&Reading> = events.iter().filter_map(|&(row, event)| self.hear(row, event)).collect();
        self.see_lamps();
        if self.settings.control == Control::Watch {
            return self.watch(inbox);
        }
        self.estimate(&readings, inbox);
        self.look_inside();
        self.attend();
        self.preempt.clone_from(&inbox.preempt);
        self.answers = self.settle();
        self.find_rungs();
        self.ask_all();
    }

    /// Finishes the tick, the questions answered in their order: what there is to say, and what neighbours are told.
    pub(super) fn finish(&mut self, answers: Vec<Schedule>) -> (Vec<Output>, Boundary) {
        if self.settings.control == Control::Watch {
            let flowed = self.traffic.announced().to_vec();
            return (std::mem::take(&mut self.out), Boundary { flowed, ..Boundary::default() });
        }
        let expected = self.decide_all(answers);
        self.report();
        let answers = std::mem::take(&mut self.answers);
        (
            std::mem::take(&mut self.out),
            Boundary { left: self.tracker.left().to_vec(), expected, answers, ..Boundary::default() },
        )
    }

    /// Which groups traffic may pass now, by the plans that run.
    fn see_lamps(&mut self) {
        for (id, post) in self.posts.iter_mut() {
            let junction = self.network.junction(id);
            let states = post.ledger.states(self.now, junction);
            self.open[id] = match states.last() {
                Some(running) => {
                    let used = |group| running.lamps.group(group).green_until + YELLOW_USED > self.now;
                    junction.groups.ids().filter(|&g| used(g)).fold(running.lamps.green(self.now), GroupSet::with)
                }
                None => {
                    let shown = post.reported.as_deref().unwrap_or_default().iter();
                    let green = junction.groups.ids().zip(shown).filter(|&(_, &aspect)| aspect == Aspect::Green);
                    green.map(|(group, _)| group).collect()
                }
            };
            if self.settings.control != Control::Watch {
                self.fronts.advance(&self.network, junction, self.open[id], self.now, self.settings.tick());
            }
        }
    }
}

/// The junction that each path of a partition leads to next.
fn onward(network: &Network, partition: &Partition) -> Table<ConnectionId, Option<JunctionId>> {
    let mut exits =
        network.lanes().slice(&partition.lanes).iter().map(|lane| &lane.exits).filter(|exits| !exits.is_empty());
    let (first, last) = (exits.clone().next(), exits.next_back());
    let (Some(first), Some(last)) = (first, last) else { return Table::new() };
    let paths = first.start..last.end;
    let mut onward = Table::over(&paths, None);
    for path in span(&paths) {
        let to = network.connections()[path].to;
        onward[path] = network.junction_at_end(network.lane(to).link);
    }
    onward
}

/// The junctions of a partition with paths into others.
fn border(network: &Network, partition: &Partition) -> Vec<JunctionId> {
    let leaves = |&id: &JunctionId| {
        let lanes = network.junction(id).approaches.iter().flat_map(|&link| span(&network.link(link).lanes));
        let mut paths = lanes.flat_map(|lane| span(&network.lane(lane).exits));
        paths.any(|path| !partition.lanes.contains(&network.connections()[path].to))
    };
    span(&partition.junctions).filter(leaves).collect()
}

/// For each junction those whose exits lead to it.
fn upstream(network: &Network, partition: &Partition) -> Table<JunctionId, Vec<JunctionId>> {
    let mut upstream = Table::over(&partition.junctions, Vec::new());
    for (id, from) in upstream.iter_mut() {
        for &link in &network.junction(id).approaches {
            let before = network.node(network.link(link).from).junction;
            if let Some(before) = before.filter(|&b| b != id && !from.contains(&b)) {
                from.push(before);
            }
        }
    }
    upstream
}

//! All partitions together: events to whom they concern, messages between neighbours one tick later, and the index of
//! the zones above them.

use crate::keep::{Resume, resume};
use std::ops::Range;
use std::sync::Arc;

use crate::corridor::clear::Sight;
use crate::corridor::{Answer, Corridors, Report};
use crate::engine::door::Door;
use crate::engine::question::Question;
use crate::engine::report::{report, window};
use crate::engine::{Boundary, Engine, Settings};
use crate::event::{Action, Command, Event, PriorityRequest, Scope};
use crate::ids::{Id, LaneId, SensorId, Table};
use crate::network::{Network, Partition, Sensors};
use crate::optimize::horizon::{Schedule, Workspace};
use crate::output::{CommandOutcome, Output, Subject};
use crate::time::{Span, Time};
use crate::traffic::measures::Measure;
use crate::traffic::tracker::Crossing;

/// One engine a partition, and what holds them together.
#[derive(Debug, Clone)]
pub struct City {
    network: Arc<Network>,
    settings: Settings,
    engines: Vec<Engine>,
    inboxes: Vec<Boundary>,
    /// The partition that each sensor's link belongs to.
    homes: Table<SensorId, Option<u32>>,
    corridors: Corridors,
    door: Door,
    /// What those who search search with, each his own, again and again.
    desks: Vec<Workspace>,
    now: Time,
}

resume!(City { kept: inboxes, corridors, door, now; each: engines; built: network, settings, homes, desks });

/// One partition's part of a step: each half done in any order, or at the same time, with the same result.
#[derive(Debug)]
pub struct Part<'a> {
    engine: &'a mut Engine,
    now: Time,
    events: Vec<(usize, &'a Event)>,
    inbox: Boundary,
    answers: Vec<Schedule>,
    done: (Vec<Output>, Boundary),
}

impl Part<'_> {
    fn begin(&mut self) {
        self.engine.begin(self.now, &self.events, &self.inbox);
    }

    fn finish(&mut self) {
        self.done = self.engine.finish(std::mem::take(&mut self.answers));
    }
}

/// Who does a step.
pub trait Crew {
    /// Calls `work` once for each part, in any order or at the same time.
    fn each(&mut self, parts: &mut [Part<'_>], work: fn(&mut Part<'_>));

    /// Answers questions, in any order, at the same time, or elsewhere. What it leaves open is searched for after it.
    /// There may be as many desks as there are to search at the same time; they are there again in the next step.
    fn answer(&mut self, questions: &mut [Question<'_>], desks: &mut Vec<Workspace>);
}

/// One after another.
#[derive(Debug, Clone, Copy)]
struct Alone;

impl Crew for Alone {
    fn each(&mut self, parts: &mut [Part<'_>], work: fn(&mut Part<'_>)) {
        parts.iter_mut().for_each(work);
    }

    fn answer(&mut self, _: &mut [Question<'_>], _: &mut Vec<Workspace>) {}
}

impl City {
    /// A city that wakes up at `now`.
    pub fn new(network: Arc<Network>, sensors: Arc<Sensors>, settings: Settings, now: Time) -> Self {
        let home = |link| find(network.partitions(), link, |p| &p.links).map(|p| p as u32);
        let homes = sensors.table().values().map(|sensor| home(sensor.link)).collect();
        let engine =
            |partition| Engine::new(Arc::clone(&network), Arc::clone(&sensors), settings.clone(), partition, now);
        let engines: Vec<Engine> = (0..network.partitions().len()).map(engine).collect();
        let corridors = Corridors::new(Arc::clone(&network), settings.rules());
        let inboxes = vec![Boundary::default(); engines.len()];
        let door = Door::new(engines.len());
        Self { homes, inboxes, corridors, door, engines, network, settings, desks: Vec::new(), now }
    }

    /// What it has become, as bytes. A city of the same network, sensors and settings that takes them up says from then on
    /// what this one says.
    pub fn state(&self) -> Vec<u8> {
        let mut state = Vec::new();
        self.write(&mut state);
        state
    }

    /// Becomes what another one was. None where these are not the bytes of such a city's state; then it is of no more use.
    pub fn take_up(&mut self, mut state: &[u8]) -> Option<()> {
        self.resume(&mut state)?;
        state.is_empty().then_some(())
    }

    /// The network it looks after.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// How it works.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The end of the last tick.
    pub fn now(&self) -> Time {
        self.now
    }

    /// One engine a partition.
    pub fn engines(&self) -> &[Engine] {
        &self.engines
    }

    /// One tick that ends at `now`: everything that happened since the last one goes in, everything there is to say
    /// comes out. The same events in any order within one instant give the same outputs.
    pub fn step(&mut self, now: Time, events: &[Event]) -> Vec<Output> {
        self.step_by(now, events, &mut Alone)
    }

    /// The same, done by `crew`: on several threads, say.
    pub fn step_by(&mut self, now: Time, events: &[Event], crew: &mut impl Crew) -> Vec<Output> {
        self.now = now;
        let shares = self.shares(events);
        let inboxes = std::mem::take(&mut self.inboxes);
        let mut parts: Vec<Part<'_>> = self
            .engines
            .iter_mut()
            .zip(shares.into_iter().zip(inboxes))
            .map(|(engine, (events, inbox))| Part {
                engine,
                now,
                events,
                inbox,
                answers: Vec::new(),
                done: Default::default(),
            })
            .collect();
        crew.each(&mut parts, |part| part.begin());
        let mut asked: Vec<Question<'_>> = parts.iter().flat_map(|part| part.engine.questions()).collect();
        crew.answer(&mut asked, &mut self.desks);
        self.desks.resize_with(self.desks.len().max(1), Workspace::default);
        asked.iter_mut().for_each(|question| question.search(&mut self.desks[0]));
        let counts: Vec<usize> = parts.iter().map(|part| part.engine.questions().count()).collect();
        let answers: Vec<Schedule> = asked.into_iter().filter_map(Question::answer).collect();
        let mut answers = answers.into_iter();
        for (part, count) in parts.iter_mut().zip(counts) {
            part.answers.extend(answers.by_ref().take(count));
        }
        crew.each(&mut parts, |part| part.finish());
        let done: Vec<_> = parts.into_iter().map(|part| part.done).collect();
        let (mut outputs, mut answers) = (Vec::new(), Vec::new());
        self.inboxes = vec![Boundary::default(); self.engines.len()];
        for (said, boundary) in done {
            outputs.extend(said);
            self.post(boundary.left, |inbox| &mut inbox.left);
            self.post(boundary.expected, |inbox| &mut inbox.expected);
            for flow in boundary.flowed {
                if let Some(partition) = find(self.network.partitions(), flow.0, |p| &p.links) {
                    self.inboxes[partition].flowed.push(flow);
                }
            }
            answers.extend(boundary.answers);
        }
        self.clear_ways(events, &answers, &mut outputs);
        self.report_zones(&mut outputs);
        self.count_rejected(&mut outputs);
        outputs
    }

    /// Tells where much of what came was rejected.
    fn count_rejected(&mut self, outputs: &mut Vec<Output>) {
        outputs.iter().filter(|o| matches!(o, Output::Unreadable(_))).for_each(|_| self.door.unreadable());
        for (partition, engine) in self.engines.iter().enumerate() {
            let counters = engine.traffic().counters();
            self.door.readings(partition, counters.offered, counters.rejected_total());
        }
        let city = self.network.zones().iter().find(|(_, zone)| zone.parent.is_none()).map(|(id, _)| id);
        outputs.extend(self.door.minute(self.now, self.network.partitions(), city));
    }

    /// The events of each partition with their rows, in order of time, kind and arrival.
    fn shares<'a>(&self, events: &'a [Event]) -> Vec<Vec<(usize, &'a Event)>> {
        let key = |row: usize| (events[row].at(), events[row].rank());
        let room = events.len() / self.engines.len().max(1);
        let mut shares: Vec<Vec<_>> = self.engines.iter().map(|_| Vec::with_capacity(room)).collect();
        let share = |shares: &mut [Vec<(usize, &'a Event)>], row: usize| {
            let event = &events[row];
            match self.concerns(event) {
                Some(partition) => shares[partition].push((row, event)),
                None => shares.iter_mut().for_each(|share| share.push((row, event))),
            }
        };
        // Events are large and, as a rule, in order: each is looked at once. Where they are not, only their keys are sorted.
        let in_order = (0..events.len()).all(|row| {
            share(&mut shares, row);
            row == 0 || key(row - 1) <= key(row)
        });
        if !in_order {
            shares.iter_mut().for_each(Vec::clear);
            let mut order: Vec<((Time, u8), usize)> = (0..events.len()).map(|row| (key(row), row)).collect();
            order.sort_unstable();
            order.into_iter().for_each(|(_, row)| share(&mut shares, row));
        }
        shares
    }

    /// The partition an event concerns; none where it may be several.
    fn concerns(&self, event: &Event) -> Option<usize> {
        let of_junction = |junction| find(self.network.partitions(), junction, |p| &p.junctions);
        let of_link = |link| find(self.network.partitions(), link, |p| &p.links);
        let of_lane = |lane| find(self.network.partitions(), lane, |p| &p.lanes);
        match event {
            Event::Reading(r) => self.homes.get(r.sensor).copied().flatten().map(|home| home as usize),
            Event::Unreadable(_) => Some(0),
            Event::Status(s) => of_junction(s.junction),
            Event::PedestrianCall(c) => of_junction(c.junction),
            Event::Command(c) => match &c.action {
                &Action::Hold(j) | &Action::Release(j) | &Action::Mode(Scope::Junction(j), _) => of_junction(j),
                &Action::Pin { junction, .. } | &Action::Limit { junction, .. } => of_junction(junction),
                &Action::CloseLane(lane) | &Action::OpenLane(lane) => of_lane(lane),
                &Action::CloseLink(link) | &Action::OpenLink(link) => of_link(link),
                Action::Mode(Scope::Zone(_), _)
                | Action::CancelPriority(_)
                | Action::ActivatePriority(_)
                | Action::PreviewPriority(_) => None,
            },
            Event::Priority(_) | Event::Position(_) => None,
        }
    }

    /// Hears of vehicles that ask for priority, and asks junctions for their greens in the next tick.
    fn clear_ways(&mut self, events: &[Event], answers: &[Answer], outputs: &mut Vec<Output>) {
        let now = self.now;
        let look = |lane: LaneId, within_m: f64| see(&self.engines, &self.network, lane, within_m);
        let corridors = &mut self.corridors;
        let ours = |e: &&Event| matches!(e, Event::Priority(_) | Event::Position(_) | Event::Command(_));
        let mut sorted: Vec<&Event> = events.iter().filter(ours).collect();
        sorted.sort_by_key(|event| (event.at(), event.rank()));
        for event in sorted {
            match event {
                Event::Priority(request) => corridors.request(request, now, &look),
                Event::Position(position) => corridors.position(position),
                Event::Command(command) => {
                    let Command { id, action, .. } = &**command;
                    let result = match action {
                        Action::CancelPriority(request) => corridors.cancel(request, now),
                        Action::ActivatePriority(request) => corridors.activate(request, now, &look),
                        Action::PreviewPriority(request) => {
                            let report = corridors.preview(request, now, &look);
                            outputs.push(Output::Corridor(Box::new(report)));
                            Ok("shown".into())
                        }
                        _ => continue,
                    };
                    outputs.push(Output::Command(CommandOutcome { at: now, id: id.clone(), result }));
                }
                _ => {}
            }
        }
        if corridors.idle() {
            return;
        }
        let (orders, reports) = corridors.step(now, answers, &look);
        outputs.extend(reports.into_iter().map(|report| Output::Corridor(Box::new(report))));
        for order in orders {
            if let Some(partition) = find(self.network.partitions(), order.junction, |p| &p.junctions) {
                self.inboxes[partition].preempt.push(order);
            }
        }
    }

    /// What a priority request would become, if it were made now.
    pub fn preview(&self, request: &PriorityRequest) -> Report {
        let look = |lane: LaneId, within_m: f64| see(&self.engines, &self.network, lane, within_m);
        self.corridors.preview(request, self.now, &look)
    }

    /// Hands crossings to the partitions they lead to.
    fn post(&mut self, crossings: Vec<Crossing>, kind: impl Fn(&mut Boundary) -> &mut Vec<Crossing>) {
        for crossing in crossings {
            let to = self.network.connections()[crossing.connection].to;
            if let Some(partition) = find(self.network.partitions(), to, |p| &p.lanes) {
                kind(&mut self.inboxes[partition]).push(crossing);
            }
        }
    }

    /// The congestion of every zone: what all partitions know of it together.
    fn report_zones(&self, outputs: &mut Vec<Output>) {
        let every = Span::from_s(self.settings.index_every_s.max(60));
        if self.now.within(every, Span::ZERO) != Span::ZERO {
            return;
        }
        let window = window(every);
        for zone in self.network.zones().ids() {
            let parts = self.engines.iter().map(|engine| engine.traffic().index_zone(zone, window));
            let sum = parts.fold(Measure::default(), std::ops::Add::add);
            if sum.spent_veh_s > 0.0 {
                outputs.push(report(Subject::Zone(zone), self.now, window, &sum));
            }
        }
    }
}

/// What is known of a lane, wherever it lies.
fn see(engines: &[Engine], network: &Network, lane: LaneId, within_m: f64) -> Option<Sight> {
    engines[find(network.partitions(), lane, |p| &p.lanes)?].sight_of(lane, within_m)
}

/// The partition whose range of ids holds `id`: ranges follow one another.
fn find<I: Id>(partitions: &[Partition], id: I, range: impl Fn(&Partition) -> &Range<I>) -> Option<usize> {
    let at = partitions.partition_point(|p| range(p).end <= id);
    partitions.get(at).filter(|p| range(p).contains(&id)).map(|_| at)
}

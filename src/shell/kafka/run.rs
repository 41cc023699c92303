//! One live run: repeat what was committed, then tick by tick what comes, until told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::backlog::{Backlog, Cut, Share};
use super::client::Ends;
use super::gauges::{self, Gauges};
use super::input::{self, News, Place, Room};
use super::keeper::Keeper;
use super::outbox::{Batch, Outbox};
use super::past::{Past, beginnings, positions};
use super::publish::{self, tick_record};
use super::rim::Rim;
use super::route::{self, Inputs};
use super::share::{Asking, Hands};
use super::topics::{self, Topic};
use super::watermark::Watermarks;
use crate::engine::city::City;
use crate::event::Event;
use crate::output::Output;
use crate::shell::cli::Failure;
use crate::shell::clock::{self, Stopwatch};
use crate::shell::pulse::Pulse;
use crate::shell::threads::Threads;
use crate::shell::world::World;
use crate::time::{Span, Time};
use crate::wire::log::Closing;
use crate::wire::v1;

/// Chunks that the readers may be ahead by.
const NEWS_MAX: usize = 64;

/// What a run has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Ticks that were repeated in silence.
    pub repeated: u64,
    /// Ticks done.
    pub ticks: u64,
    /// Messages used.
    pub messages: u64,
    /// Plans written.
    pub plans: u64,
    /// Rejections written.
    pub rejected: u64,
    /// The last tick.
    pub last: Option<Time>,
}

/// When a run is over.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a question has none")]
pub struct Until<'a> {
    /// When this says so.
    pub stop: &'a dyn Fn() -> bool,
    /// When everything that the topics hold has been used.
    pub end: bool,
}

/// Sees every tick, repeated or new: its instant, what it heard, what it said.
pub type Watch<'a> = dyn FnMut(Time, &[Event], &[Output]) + 'a;

/// Runs for so long, done by `hands`; `watch` sees every tick, `progress` hears after every new one.
///
/// # Errors
/// When topics are missing, the broker refuses or stays away, or another worker takes over.
pub fn run<'a>(
    world: &'a World,
    hands: impl Into<Hands<'a>>,
    until: Until<'_>,
    pulse: &Arc<Pulse>,
    watch: &mut Watch<'_>,
    mut progress: impl FnMut(&Summary),
) -> Result<Summary, Failure> {
    gauges::describe();
    pulse.beat();
    pulse.run(false);
    let settings = &world.config.kafka;
    let rim = Rim::open(settings)?;
    let partitions = topics::check(settings, world.names.network().partitions().len())?;
    let inputs: Inputs = Topic::ALL
        .into_iter()
        .zip(&partitions)
        .filter(|(topic, _)| Topic::INPUTS.contains(topic))
        .flat_map(|(topic, &count)| (0..i32::try_from(count).unwrap_or(0)).map(move |partition| (topic, partition)))
        .collect();
    // From here on nobody else commits, so that what is read now is the last word.
    let writer = publish::take_over(settings)?;
    pulse.beat();
    let mut past = Past::find(world, pulse)?;
    let next = match past.ticks.first() {
        Some(tick) => positions(tick, &inputs)?,
        None => beginnings(settings, &inputs)?,
    };
    let last = past.ticks.last().map(|tick| Time::from_ms(tick.now_ms));
    let keeper = Keeper::start(Span::from_s(settings.snapshot_s.into()), world.provenance(), past.slot)?;
    let (outbox, publisher) =
        publish::start(settings, inputs.clone(), writer, last, keeper.parts(), Arc::clone(pulse))?;
    let mut live = Live::start(world, inputs, next, (outbox, keeper), &rim, hands.into(), Arc::clone(pulse))?;
    let done = live.repeat(&mut past, until, watch).and_then(|()| live.go_on(until, watch, &mut progress));
    live.end();
    let summary = live.summary;
    drop(live.outbox);
    let written = publisher.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    // Why writing ended says more than that it did.
    written.and(done)?;
    Ok(summary)
}

struct Live<'a> {
    world: &'a World,
    inputs: Inputs,
    backlog: Backlog,
    /// What the last tick was told; its memory serves the next one.
    share: Share,
    marks: Watermarks,
    city: Option<City>,
    news: Receiver<News>,
    room: Arc<Room>,
    readers: Vec<JoinHandle<()>>,
    outbox: Outbox,
    keeper: Keeper,
    provenance: v1::Provenance,
    summary: Summary,
    ends: Vec<Arc<Ends>>,
    threads: Threads,
    /// Those who search beside this worker.
    asking: Option<Asking<'a>>,
    /// Up to where each source has to be at hand before anything can go on: what is reached for is never paused.
    wanted: Vec<i64>,
    pulse: Arc<Pulse>,
    gauges: Gauges,
    /// Until then lag has been told.
    told: Time,
}

impl<'a> Live<'a> {
    fn start(
        world: &'a World,
        inputs: Inputs,
        next: Vec<i64>,
        (outbox, keeper): (Outbox, Keeper),
        rim: &Rim,
        hands: Hands<'a>,
        pulse: Arc<Pulse>,
    ) -> Result<Self, Failure> {
        let settings = &world.config.kafka;
        let threads = hands.threads;
        let asking = hands.sharing.map(|sharing| Asking::start(world, sharing, threads)).transpose()?;
        let (send, news) = sync_channel(NEWS_MAX);
        let most = (settings.backlog_mib as usize) << 20;
        let room = Arc::new(Room {
            waiting: inputs.iter().map(|_| Default::default()).collect(),
            most: most / inputs.len().max(1),
            ticks: AtomicU64::new(0),
            spares: Arc::default(),
            stop: AtomicBool::new(false),
        });
        let (mut readers, mut ends) = (Vec::new(), Vec::new());
        for topic in Topic::INPUTS {
            let Some(first) = inputs.iter().position(|input| input.0 == topic) else { continue };
            let count = inputs.iter().filter(|input| input.0 == topic).count();
            let end = Arc::new(Ends::new(count));
            ends.push(Arc::clone(&end));
            let place = Place { topic, first, offsets: next[first..first + count].to_vec(), ends: end };
            readers.push(input::start(settings, &world.names, rim, place, send.clone(), Arc::clone(&room))?);
        }
        let partition = |&(topic, partition): &(Topic, i32)| {
            (format!("{}[{partition}]", topic.name()).into(), topic == Topic::Readings)
        };
        let lateness = world.config.settings.lateness();
        let marks = Watermarks::new(inputs.iter().map(partition), lateness, clock::now());
        let provenance = world.provenance();
        let (wanted, summary) = (next.clone(), Summary::default());
        let backlog = Backlog::new(next, Arc::clone(&room.spares));
        let (city, gauges, told) = (None, Gauges::default(), Time::LONG_AGO);
        Ok(Self {
            world,
            inputs,
            backlog,
            share: Share::default(),
            marks,
            city,
            news,
            room,
            readers,
            outbox,
            keeper,
            provenance,
            summary,
            ends,
            threads,
            asking,
            wanted,
            pulse,
            gauges,
            told,
        })
    }

    /// Repeats committed ticks; all that they say has been said.
    fn repeat(&mut self, past: &mut Past, until: Until<'_>, watch: &mut Watch<'_>) -> Result<(), Failure> {
        let Some(mut city) = past.city.take() else { return Ok(()) };
        for tick in &past.ticks[1..] {
            self.pulse.beat();
            let now = Time::from_ms(tick.now_ms);
            self.wanted = positions(tick, &self.inputs)?;
            while !(0..self.inputs.len()).all(|source| self.reached(source)) {
                if (until.stop)() {
                    return Ok(());
                }
                self.listen(Duration::from_millis(50))?;
            }
            let wanted = self.wanted.clone();
            let share = self.take(now, |source| Cut::Offset(wanted[source]));
            let outputs = self.threads.step(&mut city, now, &share.events);
            let records = route::records(&self.world.names, &self.provenance, &self.inputs, &share, &outputs);
            if route::digest(&records) != tick.records_sha256 {
                tracing::error!(%now, "the tick says something else than it did when it was committed");
            }
            watch(now, &share.events, &outputs);
            self.share = share;
            self.used();
            gauges::repeated();
            self.summary.repeated += 1;
        }
        self.gauges = Gauges::since(&city);
        self.city = Some(city);
        Ok(())
    }

    /// Whether all that is wanted of a source is at hand or used.
    fn reached(&self, source: usize) -> bool {
        self.backlog.holds(source, self.wanted[source])
    }

    /// Hears news, waiting for the first so long.
    fn listen(&mut self, wait: Duration) -> Result<(), Failure> {
        self.pulse.beat();
        let mut heard = self.news.recv_timeout(wait).ok();
        while let Some(news) = heard {
            let wall = clock::now();
            match news {
                News::Chunk(chunk) => {
                    let told = chunk.entries.iter().filter_map(|entry| entry.time).max();
                    self.marks.heard(chunk.source, told, wall);
                    self.backlog.push(chunk);
                }
                News::Ended(source) => self.marks.ended(source, wall),
                News::Trouble(failure) => return Err(failure),
            }
            heard = self.news.try_recv().ok();
        }
        self.used();
        Ok(())
    }

    fn used(&self) {
        for (source, waiting) in self.room.waiting.iter().enumerate() {
            let weight = if self.reached(source) { self.backlog.weight(source) } else { 0 };
            waiting.store(weight, Ordering::Relaxed);
        }
    }

    fn go_on(
        &mut self,
        until: Until<'_>,
        watch: &mut Watch<'_>,
        progress: &mut impl FnMut(&Summary),
    ) -> Result<(), Failure> {
        self.pulse.run(true);
        while !((until.stop)() || until.end && self.at_end()) {
            self.tell();
            let Some(now) = self.next_tick()? else {
                self.listen(Duration::from_millis(20))?;
                continue;
            };
            let waiting = |source| self.backlog.front(source).is_some();
            match self.marks.closing(now, clock::now(), waiting) {
                Some(closing) => {
                    self.tick(now, &closing, watch)?;
                    progress(&self.summary);
                    self.listen(Duration::ZERO)?;
                }
                None => self.listen(Duration::from_millis(5))?,
            }
        }
        Ok(())
    }

    /// Whether everything that the topics hold has been used.
    fn at_end(&self) -> bool {
        self.marks.all_ended() && (0..self.inputs.len()).all(|source| self.backlog.front(source).is_none())
    }

    /// Tells once a second how far behind it is.
    fn tell(&mut self) {
        let wall = clock::now();
        if wall - self.told < Span::SECOND {
            return;
        }
        self.told = wall;
        let waiting = (0..self.inputs.len()).map(|source| self.backlog.weight(source)).sum();
        let delay = self.summary.last.map_or(Span::ZERO, |last| wall - last);
        let ends = self.ends.iter().flat_map(|ends| ends.all());
        gauges::behind(&self.inputs, ends, self.backlog.next(), waiting, delay);
    }

    /// The instant of the next tick; none as long as nobody has told the time. The first one is that of the earliest
    /// message at hand; the state before it is committed as a tick of its own, so that it can be repeated.
    fn next_tick(&mut self) -> Result<Option<Time>, Failure> {
        let step = self.world.config.settings.tick();
        if let Some(city) = &self.city {
            return Ok(Some(city.now() + step));
        }
        if !self.marks.all_known() {
            return Ok(None);
        }
        let readings = (0..self.inputs.len()).filter(|&source| self.inputs[source].0 == Topic::Readings);
        let Some(first) = readings.filter_map(|source| self.backlog.front(source)?.time).min() else { return Ok(None) };
        let now = first.ceil(step);
        self.city = Some(self.world.city(now));
        self.write(now - step, &Closing::Caller, Vec::new())?;
        Ok(Some(now))
    }

    /// What a tick is told: of each source up to its cut.
    fn take(&mut self, now: Time, cut: impl Fn(usize) -> Cut) -> Share {
        let mut share = self.share.emptied(&self.room.spares);
        (0..self.inputs.len()).for_each(|source| self.backlog.take(source, cut(source), now, &mut share));
        self.room.ticks.fetch_add(1, Ordering::Relaxed);
        share
    }

    fn tick(&mut self, now: Time, closing: &Closing, watch: &mut Watch<'_>) -> Result<(), Failure> {
        let share = self.take(now, |_| Cut::Time(now));
        let Some(city) = &mut self.city else { return Ok(()) };
        let begun = Stopwatch::start();
        let outputs = match &mut self.asking {
            Some(asking) => city.step_by(now, &share.events, asking.at(now)),
            None => self.threads.step(city, now, &share.events),
        };
        let records = route::records(&self.world.names, &self.provenance, &self.inputs, &share, &outputs);
        self.gauges.tick(now, city, closing, begun.elapsed(), &outputs, &records);
        for found in share.found.chunk_by(|a, b| a.source == b.source) {
            gauges::messages(self.inputs[found[0].source].0, found.len() as u64);
        }
        let count = |topic| records.iter().filter(|record| record.topic == topic).count() as u64;
        self.summary.plans += count(Topic::Plans);
        self.summary.rejected += count(Topic::Rejected);
        self.summary.messages += share.found.len() as u64;
        self.summary.ticks += 1;
        self.summary.last = Some(now);
        self.write(now, closing, records)?;
        self.keep(now);
        watch(now, &share.events, &outputs);
        self.share = share;
        Ok(())
    }

    /// Has it written down what the engine has become, where it is time to. The tick is on its way by then.
    fn keep(&mut self, now: Time) {
        let (wall, Some(city)) = (clock::now(), &self.city) else { return };
        if self.keeper.is_due(now, wall) {
            self.keeper.keep(now, wall, city.state());
        }
    }

    fn write(&self, now: Time, closing: &Closing, mut records: Vec<route::Record>) -> Result<(), Failure> {
        let next = self.backlog.next().to_vec();
        let mut positions: Vec<v1::InputPosition> = Vec::new();
        for (&(topic, _), &offset) in self.inputs.iter().zip(&next) {
            match positions.last_mut().filter(|p| p.topic == topic.name()) {
                Some(position) => position.next_offsets.push(offset),
                None => positions.push(v1::InputPosition { topic: topic.name().into(), next_offsets: vec![offset] }),
            }
        }
        let tick = v1::EngineTick {
            now_ms: now.ms(),
            closing: Some(closing.into()),
            positions,
            records: u32::try_from(records.len()).unwrap_or(u32::MAX),
            records_sha256: route::digest(&records),
            provenance: Some(self.provenance.clone()),
        };
        records.push(tick_record(&tick));
        match self.outbox.put(Batch { now, records, next }, || self.pulse.beat()) {
            true => Ok(()),
            false => Err(Failure::Broker { what: "writing".into(), why: "it has ended".into() }),
        }
    }

    /// Lets the readers go.
    fn end(&mut self) {
        self.room.stop.store(true, Ordering::Relaxed);
        while self.readers.iter().any(|reader| !reader.is_finished()) {
            let _ = self.news.recv_timeout(Duration::from_millis(5)); // a reader may wait for room
        }
        for reader in self.readers.drain(..) {
            reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    }
}

//! What was committed: the ticks that a worker which starts repeats, and where it begins to read.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};

use super::client::{self, failed};
use super::route::Inputs;
use super::settings::{Settings, Start};
use super::topics::Topic;
use crate::engine::city::City;
use crate::shell::cli::Failure;
use crate::shell::clock::Stopwatch;
use crate::shell::pulse::Pulse;
use crate::shell::world::World;
use crate::time::{Span, Time};
use crate::wire::{self, Message, v1};

/// The longest that the past may take to be read.
const PATIENCE: Span = Span::from_s(300);

/// Where a worker begins.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// The city as it was when the first of the ticks was done; none where there is no tick.
    pub(super) city: Option<City>,
    /// The ticks to be repeated, behind the one that they follow.
    pub(super) ticks: Vec<v1::EngineTick>,
    /// The slot that the next snapshot goes to: not that of the one taken up.
    pub(super) slot: u32,
}

impl Past {
    /// From the last snapshot, or, where there is none that can be taken up, from the first tick that is to be repeated.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub(super) fn find(world: &World, pulse: &Pulse) -> Result<Self, Failure> {
        let (settings, own) = (&world.config.kafka, world.provenance());
        if let Some(past) = Self::snapshot(world, pulse, &own)? {
            return Ok(past);
        }
        let repeat = Span::from_s(settings.repeat_s.into());
        let ticks = back_to(settings, pulse, |first, last| {
            first.now_ms <= last.now_ms - repeat.ms() || first.provenance.as_ref() != Some(&own)
        })?;
        let ticks = recent(ticks, repeat, &own);
        let city = ticks.first().map(|tick| city(world, tick));
        Ok(Self { city, ticks, slot: 0 })
    }

    fn snapshot(world: &World, pulse: &Pulse, own: &v1::Provenance) -> Result<Option<Self>, Failure> {
        let settings = &world.config.kafka;
        let parts = parts(settings, pulse)?;
        let Some(first) = parts.first().filter(|part| part.provenance.as_ref() == Some(own)) else { return Ok(None) };
        let Some(ticks) = since(settings, pulse, first.now_ms)? else { return Ok(None) };
        if ticks.iter().any(|tick| tick.provenance.as_ref() != Some(own)) {
            return Ok(None);
        }
        let mut city = city(world, &ticks[0]);
        let taken = wire::snapshot::whole(&parts).map(|state| city.take_up(&state));
        match taken {
            Ok(Some(())) => Ok(Some(Self { city: Some(city), ticks, slot: 1 - first.slot.min(1) })),
            Ok(None) => Ok(told("it is no state of this engine")),
            Err(wrong) => Ok(told(&wrong.to_string())),
        }
    }
}

fn told(why: &str) -> Option<Past> {
    tracing::warn!(why, "the last snapshot cannot be taken up: what was committed is repeated without it");
    None
}

/// A city of which nothing is known when a tick is done.
fn city(world: &World, tick: &v1::EngineTick) -> City {
    world.city(Time::from_ms(tick.now_ms) + world.config.settings.tick())
}

/// The ticks from that of `since_ms` on; none where that one is not there.
fn since(settings: &Settings, pulse: &Pulse, since_ms: i64) -> Result<Option<Vec<v1::EngineTick>>, Failure> {
    let mut ticks = back_to(settings, pulse, |first, _| first.now_ms <= since_ms)?;
    let ticks = ticks.split_off(ticks.partition_point(|tick| tick.now_ms < since_ms));
    Ok(Some(ticks).filter(|ticks| ticks.first().is_some_and(|tick| tick.now_ms == since_ms)))
}

/// The last ticks: as many as it takes for `enough`, which sees the first of them and the last, or all.
fn back_to(
    settings: &Settings,
    pulse: &Pulse,
    enough: impl Fn(&v1::EngineTick, &v1::EngineTick) -> bool,
) -> Result<Vec<v1::EngineTick>, Failure> {
    let mut tail = 1 << 10;
    loop {
        let Committed { ticks, whole } = committed(settings, pulse, tail)?;
        if whole || ticks.first().zip(ticks.last()).is_some_and(|(first, last)| enough(first, last)) {
            return Ok(ticks);
        }
        tail *= 8;
    }
}

/// The parts of the last snapshot that is there whole, in order; none where there is none.
fn parts(settings: &Settings, pulse: &Pulse) -> Result<Vec<v1::EngineSnapshot>, Failure> {
    let mut tail = 1 << 6;
    loop {
        let (found, whole) = last::<v1::EngineSnapshot>(settings, pulse, Topic::Snapshots, tail)?;
        let mut instants: BTreeMap<i64, BTreeMap<u32, v1::EngineSnapshot>> = BTreeMap::new();
        for part in found {
            instants.entry(part.now_ms).or_default().insert(part.part, part);
        }
        let there = |parts: &BTreeMap<u32, v1::EngineSnapshot>| {
            parts.values().next().is_some_and(|part| part.parts as usize == parts.len())
        };
        match instants.into_values().rev().find(there) {
            Some(parts) => return Ok(parts.into_values().collect()),
            None if whole => return Ok(Vec::new()),
            None => tail *= 8,
        }
    }
}

/// Committed ticks.
#[derive(Debug)]
pub(super) struct Committed {
    pub(super) ticks: Vec<v1::EngineTick>,
    /// Whether they are all that are kept.
    pub(super) whole: bool,
}

/// The committed ticks; the last `tail` records' worth of them where that holds any.
///
/// # Errors
/// When the broker does not answer.
pub(super) fn committed(settings: &Settings, pulse: &Pulse, tail: i64) -> Result<Committed, Failure> {
    let (mut found, mut whole) = last::<v1::EngineTick>(settings, pulse, Topic::Ticks, tail)?;
    if found.is_empty() && !whole {
        (found, whole) = last(settings, pulse, Topic::Ticks, i64::MAX)?;
    }
    // At least once: the last word on a tick counts.
    let mut ticks: Vec<v1::EngineTick> = Vec::with_capacity(found.len());
    for tick in found {
        while ticks.last().is_some_and(|t| t.now_ms >= tick.now_ms) {
            ticks.pop();
        }
        ticks.push(tick);
    }
    Ok(Committed { ticks, whole })
}

/// The messages among the last `tail` records of a topic of one partition, and whether these are all that are kept.
fn last<M: Message + Default>(
    settings: &Settings,
    pulse: &Pulse,
    topic: Topic,
    tail: i64,
) -> Result<(Vec<M>, bool), Failure> {
    let name = topic.full(settings);
    let consumer = client::consumer(settings)?;
    let (low, high) = client::ends(&consumer, &name, 0)?;
    let from = low.max(high.saturating_sub(tail));
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&name, 0, Offset::Offset(from)).map_err(failed("where to read"))?;
    consumer.assign(&list).map_err(failed(format!("reading {name}")))?;
    let mut found = Vec::new();
    let watch = Stopwatch::start();
    loop {
        pulse.beat();
        match consumer.poll(Duration::from_millis(500)) {
            Some(Ok(message)) => {
                found.push(wire::read(message.payload().unwrap_or_default()).map_err(|wrong| Failure::Broker {
                    what: format!("{name} at {}", message.offset()),
                    why: wrong.to_string(),
                })?);
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok((found, from == low)),
            Some(Err(error)) if client::lasting(&error) => return Err(failed(format!("reading {name}"))(error)),
            Some(Err(error)) => tracing::debug!(%error, topic = name, "reading is interrupted"),
            None => {}
        }
        if watch.elapsed() > PATIENCE {
            return Err(Failure::Broker { what: format!("reading {name}"), why: "it does not come to an end".into() });
        }
    }
}

/// The ticks to be repeated: the last ones, of this very world.
fn recent(mut past: Vec<v1::EngineTick>, repeat: Span, own: &v1::Provenance) -> Vec<v1::EngineTick> {
    let Some(last) = past.last() else { return past };
    if last.provenance.as_ref() != Some(own) {
        tracing::warn!(
            "network, configuration or version has changed: the engine begins anew where the last one stopped"
        );
        return past.split_off(past.len() - 1);
    }
    let since = last.now_ms - repeat.ms();
    let first = past.partition_point(|tick| tick.now_ms < since || tick.provenance.as_ref() != Some(own));
    if first > 0 {
        tracing::warn!(ticks = first, "older ticks are not repeated: what was learned in them is learned anew");
    }
    past.split_off(first)
}

/// How far a tick had read each input.
pub(super) fn positions(tick: &v1::EngineTick, inputs: &Inputs) -> Result<Vec<i64>, Failure> {
    let found = |&(topic, partition): &(Topic, i32)| {
        let position = tick.positions.iter().find(|p| p.topic == topic.name());
        // A partition that was added since begins at its beginning.
        Ok(position.and_then(|p| p.next_offsets.get(partition.unsigned_abs() as usize).copied()).unwrap_or(0))
    };
    inputs.iter().map(found).collect()
}

/// Where a group begins that has never run.
pub(super) fn beginnings(settings: &Settings, inputs: &Inputs) -> Result<Vec<i64>, Failure> {
    let consumer = client::consumer(settings)?;
    let ends = |&(topic, partition): &(Topic, i32)| {
        let name = topic.full(settings);
        let (low, high) = client::ends(&consumer, &name, partition)?;
        Ok(if settings.start == Start::Earliest { low } else { high })
    };
    inputs.iter().map(ends).collect()
}

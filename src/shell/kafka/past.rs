//! What was committed: the ticks that a worker which starts repeats, and where it begins to read.

use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};

use super::client::{self, SETUP, failed};
use super::route::Inputs;
use super::settings::{Settings, Start};
use super::topics::Topic;
use crate::shell::cli::Failure;
use crate::shell::clock;
use crate::time::Span;
use crate::wire::{self, v1};

/// The committed ticks; the last `tail` records' worth of them where it is given and holds any.
pub(super) fn committed(settings: &Settings, tail: Option<i64>) -> Result<Vec<v1::EngineTick>, Failure> {
    let name = Topic::Ticks.full(settings);
    let consumer = client::consumer(settings)?;
    let (low, high) = consumer.fetch_watermarks(&name, 0, SETUP).map_err(failed(format!("asking for {name}")))?;
    let from = tail.map_or(low, |tail| low.max(high - tail));
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&name, 0, Offset::Offset(from)).map_err(failed("where to read"))?;
    consumer.assign(&list).map_err(failed(format!("reading {name}")))?;
    let mut ticks: Vec<v1::EngineTick> = Vec::new();
    let began = clock::now();
    loop {
        match consumer.poll(Duration::from_millis(500)) {
            Some(Ok(message)) => {
                let tick: v1::EngineTick = wire::read(message.payload().unwrap_or_default()).map_err(|wrong| {
                    Failure::Broker { what: format!("{name} at {}", message.offset()), why: wrong.to_string() }
                })?;
                // At least once: the last word on a tick counts.
                ticks.retain(|t| t.now_ms < tick.now_ms);
                ticks.push(tick);
            }
            Some(Err(KafkaError::PartitionEOF(_))) if ticks.is_empty() && from > low => {
                return committed(settings, None);
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(ticks),
            Some(Err(error)) => tracing::warn!(%error, topic = name, "reading is interrupted"),
            None => {}
        }
        if clock::now() - began > Span::from_s(300) {
            return Err(Failure::Broker { what: format!("reading {name}"), why: "it does not come to an end".into() });
        }
    }
}

/// The ticks to be repeated: the last ones, of this very world.
pub(super) fn recent(mut past: Vec<v1::EngineTick>, repeat: Span, own: &v1::Provenance) -> Vec<v1::EngineTick> {
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
        let ends = consumer.fetch_watermarks(&name, partition, SETUP);
        let (low, high) = ends.map_err(failed(format!("asking where {name} begins")))?;
        Ok(if settings.start == Start::Earliest { low } else { high })
    };
    inputs.iter().map(ends).collect()
}

//! Follows an output topic, as a controller or an operator would: committed messages only.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};

use super::client::{self, failed};
use super::settings::Settings;
use super::topics::Topic;
use crate::shell::cli::Failure;
use crate::wire::{self, Message, Wrong, json, v1};

/// What is known of a message.
#[derive(Debug)]
pub struct Told {
    /// The message in its JSON mapping.
    pub json: String,
    /// The same for people, one line.
    pub text: String,
}

/// Follows `topic` until `stop` is set or `each` says false; from the beginning or from now on. With `to_end` it also
/// stops at the end of what is there.
///
/// # Errors
/// When the topic is missing, or the broker refuses.
pub fn tail(
    settings: &Settings,
    topic: Topic,
    from_start: bool,
    to_end: bool,
    stop: &AtomicBool,
    mut each: impl FnMut(Told) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let name = topic.full(settings);
    let consumer = client::consumer(settings)?;
    let metadata = client::metadata(&consumer, Some(&name))?;
    let open = metadata.topics().iter().map(|t| t.partitions().len()).sum::<usize>();
    if open == 0 {
        return Err(Failure::Broker { what: format!("reading {name}"), why: "there is no such topic".into() });
    }
    let mut list = TopicPartitionList::new();
    for partition in (0..).take(open) {
        let from = if from_start { Offset::Beginning } else { Offset::End };
        list.add_partition_offset(&name, partition, from).map_err(failed("where to read"))?;
    }
    consumer.assign(&list).map_err(failed(format!("reading {name}")))?;
    let mut ended = BTreeSet::new();
    while !stop.load(Ordering::Relaxed) {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                let Some(value) = message.payload() else { continue };
                let told = told(topic, value).map_err(|wrong| Failure::Broker {
                    what: format!("{name}[{}] at {}", message.partition(), message.offset()),
                    why: wrong.to_string(),
                })?;
                if !each(told)? {
                    return Ok(());
                }
            }
            Some(Err(KafkaError::PartitionEOF(partition))) if to_end => {
                // A partition that goes on being written to ends again and again.
                ended.insert(partition);
                if ended.len() == open {
                    return Ok(());
                }
            }
            Some(Err(KafkaError::PartitionEOF(_))) | None => {}
            Some(Err(error)) if client::lasting(&error) => return Err(failed(format!("reading {name}"))(error)),
            Some(Err(error)) => tracing::warn!(%error, topic = name, "reading is interrupted; it goes on by itself"),
        }
    }
    Ok(())
}

fn told(topic: Topic, value: &[u8]) -> Result<Told, Wrong> {
    fn plain<M: Message + Default + serde::Serialize>(value: &[u8]) -> Result<Told, Wrong> {
        let json = json::write(&wire::read::<M>(value)?);
        Ok(Told { text: json.clone(), json })
    }
    match topic {
        Topic::Plans => {
            let plan: v1::Plan = wire::read(value)?;
            Ok(Told { json: json::write(&plan), text: sentence(&plan) })
        }
        Topic::Links | Topic::Zones => plain::<v1::IndexReport>(value),
        Topic::Health => plain::<v1::SensorHealth>(value),
        Topic::Rejected => plain::<v1::Rejection>(value),
        Topic::Ladder => plain::<v1::LadderChange>(value),
        Topic::Corridors => plain::<v1::Corridor>(value),
        Topic::Alarms => plain::<v1::Alarm>(value),
        Topic::Audit => plain::<v1::CommandOutcome>(value),
        Topic::Refused => plain::<v1::PlanRefused>(value),
        Topic::Ticks => plain::<v1::EngineTick>(value),
        Topic::Snapshots => {
            let part: v1::EngineSnapshot = wire::read(value)?;
            let text = format!("{}: part {} of {}, {} bytes", part.now_ms, part.part + 1, part.parts, part.state.len());
            Ok(Told { json: json::write(&part), text })
        }
        Topic::Questions => plain::<v1::EngineQuestions>(value),
        Topic::Answers => plain::<v1::EngineAnswers>(value),
        Topic::Readings => plain::<v1::Readings>(value),
        Topic::Status => plain::<v1::SignalReport>(value),
        Topic::Positions => plain::<v1::VehiclePosition>(value),
        Topic::Requests => plain::<v1::PriorityRequest>(value),
        Topic::Commands => plain::<v1::OperatorCommand>(value),
    }
}

/// A plan in a line: where, which, when each stage begins, and until when it counts.
fn sentence(plan: &v1::Plan) -> String {
    let after = |at_ms: i64| (at_ms - plan.effective_from_ms) as f64 / 1000.0;
    let changes: Vec<String> =
        plan.prefix.iter().map(|c| format!("{} at +{:.0} s", c.stage_id, after(c.at_ms))).collect();
    let mode = v1::Mode::try_from(plan.mode).unwrap_or_default().as_str_name();
    let mode = mode.strip_prefix("MODE_").unwrap_or(mode).to_lowercase();
    let splits = plan.tail.iter().flat_map(|tail| &tail.splits);
    let splits: Vec<String> =
        splits.map(|s| format!("{} {:.0} s", s.stage_id, s.duration_ms as f64 / 1000.0)).collect();
    format!(
        "{} #{} ({mode}): {}; then {}; until +{:.0} s",
        plan.junction_id,
        plan.revision,
        if changes.is_empty() { "as it runs".into() } else { changes.join(", ") },
        splits.join(" · "),
        after(plan.valid_until_ms),
    )
}

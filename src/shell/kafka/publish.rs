//! Writes what ticks say, on a thread of its own: records, the tick itself and the offsets in one transaction, and as
//! many ticks in one as have gathered meanwhile.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, PurgeConfig, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};

use super::client::{self, Reports, SETUP, failed};
use super::gauges;
use super::keeper::Parts;
use super::outbox::{Batch, Outbox, Pending, outbox};
use super::past::committed;
use super::route::{Inputs, Record};
use super::settings::{Delivery, Settings};
use super::topics::Topic;
use crate::shell::cli::Failure;
use crate::shell::clock::{self, Stopwatch};
use crate::shell::pulse::Pulse;
use crate::time::{Span, Time};
use crate::wire::{Message, v1};

/// The longest wait for one answer of the broker.
const ANSWER: Duration = Duration::from_secs(5);
/// The longest that a transaction may take: a snapshot of a large city is sent before it ends.
const COMMIT: Duration = Duration::from_secs(60);
/// A broker that does not come back for this long ends the run; whoever started it starts it again.
const PATIENCE: Span = Span::from_s(600);

/// The thread that writes, and why it ended.
pub(super) type Writing = JoinHandle<Result<(), Failure>>;

type Writer = ThreadedProducer<Reports>;

/// Becomes the one who writes: fences whoever wrote before.
///
/// # Errors
/// When the broker does not let us.
pub(super) fn take_over(settings: &Settings) -> Result<Writer, Failure> {
    let mut config = client::writer(settings)?;
    if settings.delivery == Delivery::ExactlyOnce {
        config.set("transactional.id", format!("{}{}", settings.prefix, settings.group));
        config.set("transaction.timeout.ms", COMMIT.as_millis().to_string());
    }
    let writer: Writer = config.create_with_context(Reports::default()).map_err(failed("a producer"))?;
    if settings.delivery == Delivery::ExactlyOnce {
        writer.init_transactions(SETUP).map_err(failed("taking over from the worker before"))?;
    }
    Ok(writer)
}

/// Starts to write; it ends when the outbox is dropped and all is written.
///
/// # Errors
/// When there can be no consumer for the group's offsets.
pub(super) fn start(
    settings: &Settings,
    inputs: Inputs,
    writer: Writer,
    last: Option<Time>,
    parts: Arc<Parts>,
    pulse: Arc<Pulse>,
) -> Result<(Outbox, Writing), Failure> {
    let group = client::consumer(settings)?;
    let (outbox, mut pending) = outbox();
    let mut publisher = Publisher { settings: settings.clone(), inputs, writer, group, last, parts, pulse };
    let thread = thread::Builder::new().name("publish".into()).spawn(move || publisher.run(&mut pending))?;
    Ok((outbox, thread))
}

struct Publisher {
    settings: Settings,
    inputs: Inputs,
    writer: Writer,
    /// Never joins the group: it only says whose offsets they are.
    group: client::Reader,
    /// The last tick that is committed.
    last: Option<Time>,
    parts: Arc<Parts>,
    pulse: Arc<Pulse>,
}

impl Publisher {
    fn run(&mut self, pending: &mut Pending) -> Result<(), Failure> {
        let mut last = None;
        while let Some(mut gathered) = pending.gather() {
            self.snapshot(&mut gathered);
            last = gathered.last().map(|batch| (batch.now, batch.next.clone()));
            self.write(gathered)?;
        }
        match (last, self.parts.rest()) {
            (Some((now, next)), records) if !records.is_empty() => self.write(vec![Batch { now, records, next }]),
            _ => Ok(()),
        }
    }

    /// Puts parts of a snapshot among the last tick's records, before the tick itself.
    fn snapshot(&self, batches: &mut [Batch]) {
        let ticks = batches.len();
        let Some(last) = batches.last_mut() else { return };
        let Some(tick) = last.records.pop() else { return };
        last.records.extend(self.parts.take(last.now, ticks));
        last.records.push(tick);
    }

    /// Writes these ticks once, whatever it takes.
    fn write(&mut self, mut batches: Vec<Batch>) -> Result<(), Failure> {
        let began = clock::now();
        while let Some(last) = batches.last().map(|batch| batch.now) {
            let watch = Stopwatch::start();
            let done = self.attempt(&batches);
            self.pulse.interrupt(done.is_err());
            gauges::commit(done.is_ok().then(|| watch.elapsed()));
            match done {
                Ok(()) => {
                    self.last = Some(last);
                    return Ok(());
                }
                Err(error) if clock::now() - began > PATIENCE => return Err(failed("writing")(error)),
                Err(error) => {
                    tracing::warn!(%error, ticks = batches.len(), "writing is interrupted; trying again");
                    self.recover(&mut batches, error)?;
                }
            }
        }
        Ok(())
    }

    fn attempt(&self, batches: &[Batch]) -> Result<(), KafkaError> {
        let sure = self.settings.delivery == Delivery::ExactlyOnce;
        if sure {
            self.writer.begin_transaction()?;
        }
        for record in batches.iter().flat_map(|batch| &batch.records) {
            self.send(record)?;
        }
        let Some(last) = batches.last() else { return Ok(()) };
        // Offsets come last: asked before the broker has ended the transaction before, the client asks again only after
        // 0.1, 0.3, 0.7, 1.5 and 2.5 s, for records every 20 ms.
        self.settle(if sure { COMMIT } else { ANSWER })?;
        if sure {
            let group = self.group.group_metadata().ok_or(KafkaError::Canceled)?;
            self.writer.send_offsets_to_transaction(&self.offsets(last)?, &group, ANSWER)?;
            return self.writer.commit_transaction(COMMIT);
        }
        if self.writer.context().lost() {
            return Err(KafkaError::Flush(Code::MessageTimedOut));
        }
        self.group.commit(&self.offsets(last)?, rdkafka::consumer::CommitMode::Async)
    }

    /// Waits until it is known what became of all that was sent. The client's own way to wait looks every 100 ms only.
    fn settle(&self, most: Duration) -> Result<(), KafkaError> {
        let watch = Stopwatch::start();
        while self.writer.in_flight_count() > 0 {
            if watch.elapsed().ms().unsigned_abs() > most.as_millis() as u64 {
                return Err(KafkaError::Flush(Code::OperationTimedOut));
            }
            clock::sleep(Span::from_ms(1));
        }
        Ok(())
    }

    fn send(&self, record: &Record) -> Result<(), KafkaError> {
        let topic = record.topic.full(&self.settings);
        let header = |key, value| Header { key, value: Some(value) };
        let headers = OwnedHeaders::new_with_capacity(2)
            .insert(header("content-type", "application/x-protobuf"))
            .insert(header("schema", "greenwave.v1"));
        let mut row =
            BaseRecord::to(&topic).partition(record.partition).key(&record.key).payload(&record.value).headers(headers);
        loop {
            row = match self.writer.send(row) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(Code::QueueFull), row)) => {
                    self.writer.poll(Duration::from_millis(10));
                    row
                }
                Err((error, _)) => return Err(error),
            }
        }
    }

    fn offsets(&self, batch: &Batch) -> Result<TopicPartitionList, KafkaError> {
        let mut list = TopicPartitionList::new();
        for (&(topic, partition), &next) in self.inputs.iter().zip(&batch.next) {
            list.add_partition_offset(&topic.full(&self.settings), partition, Offset::Offset(next))?;
        }
        Ok(list)
    }

    /// Makes the writer able to try again. What was committed although nobody said so is not written twice, and who was
    /// replaced by another worker stops.
    fn recover(&mut self, batches: &mut Vec<Batch>, error: KafkaError) -> Result<(), Failure> {
        if self.settings.delivery == Delivery::AtLeastOnce {
            // All is sent again: what still waits to be sent would only come twice.
            self.writer.purge(PurgeConfig::default().queue().inflight());
            clock::sleep(Span::from_ms(500));
            self.writer.context().lost();
            return Ok(());
        }
        if matches!(&error, KafkaError::Transaction(e) if e.txn_requires_abort())
            && self.writer.abort_transaction(ANSWER).is_ok()
        {
            return Ok(());
        }
        // Whether the commit went through is not known, or the producer is dead: a new one settles it.
        let began = clock::now();
        self.writer = loop {
            match take_over(&self.settings) {
                Ok(writer) => break writer,
                Err(failure) if clock::now() - began > PATIENCE => return Err(failure),
                Err(failure) => tracing::warn!(%failure, "cannot write yet"),
            }
            clock::sleep(Span::from_ms(500));
        };
        let Some(last) = committed(&self.settings, &self.pulse, TAIL)?.ticks.into_iter().next_back() else {
            return Ok(());
        };
        let now = Time::from_ms(last.now_ms);
        let ours = batches.iter().find(|batch| batch.now == now);
        let same =
            ours.is_some_and(|batch| batch.records.last().is_some_and(|tick| tick.value == last.encode_to_vec()));
        match (self.last, same) {
            (_, true) => batches.retain(|batch| batch.now > now),
            (Some(known), false) if known == now => {}
            _ => {
                let why = format!("another worker of group \"{}\" has committed the tick {now}", self.settings.group);
                return Err(Failure::Broker { what: "this worker was replaced".into(), why });
            }
        }
        Ok(())
    }
}

/// So many of the last ticks are looked at to find the last one.
const TAIL: i64 = 1000;

/// The record that a tick is itself.
pub(super) fn tick_record(tick: &v1::EngineTick) -> Record {
    Record { topic: Topic::Ticks, partition: 0, key: tick.now_ms.to_string(), value: tick.encode_to_vec() }
}

//! Reads one input topic on a thread of its own: poll, unframe, decode, hand on; what waits for too long is paused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};

use super::backlog::{Chunk, Entry};
use super::client::{self, Ends, failed};
use super::decode::{Raw, Told, decode, seems, usual};
use super::framing::unframe;
use super::rim::Rim;
use super::settings::Settings;
use super::spares::Spares;
use super::topics::Topic;
use crate::shell::cli::Failure;
use crate::shell::clock::{self, Stopwatch};
use crate::time::{Span, Time};
use crate::wire::{Heard, Names};

/// A chunk is handed on when it is larger than this, bytes, or nothing more is at hand, ...
const CHUNK_BYTES: usize = 1 << 18;
/// ... or when it is larger than this and another instant begins: what a tick takes whole is never moved.
const TICK_BYTES: usize = 1 << 14;
/// No clock is believed that is farther ahead of ours.
const AHEAD: Span = Span::from_s(5);
/// So many messages are polled until room and clock are looked at again.
const ROUND: usize = 1024;
/// Where more waits than this, bytes, reading rests for a moment: what is used soon is still in the processor's cache.
const ENOUGH_BYTES: usize = 4 << 20;
/// Such a moment, and how long too much may wait before its partition is paused.
const MOMENT: Span = Span::from_ms(100);
/// The longest that a poll takes when nothing comes.
const IDLE: Duration = Duration::from_millis(20);

/// What a reader has to tell.
#[derive(Debug)]
pub(super) enum News {
    /// Messages came.
    Chunk(Chunk),
    /// A partition was read to its end.
    Ended(usize),
    /// It cannot go on.
    Trouble(Failure),
}

/// What the readers of all topics share with whoever uses what they read.
#[derive(Debug)]
pub(super) struct Room {
    /// The memory that each partition's messages take while they wait, bytes.
    pub(super) waiting: Vec<AtomicUsize>,
    /// Above this a partition is paused.
    pub(super) most: usize,
    /// Ticks that have taken what waited.
    pub(super) ticks: AtomicU64,
    pub(super) spares: Arc<Spares>,
    pub(super) stop: AtomicBool,
}

/// Where to read: the partitions of one topic, and which rows of the table of inputs they are.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) topic: Topic,
    pub(super) first: usize,
    /// Where each partition begins.
    pub(super) offsets: Vec<i64>,
    /// Where each ends.
    pub(super) ends: Arc<Ends>,
}

/// Starts to read.
///
/// # Errors
/// When there can be no consumer.
pub(super) fn start(
    settings: &Settings,
    names: &Names,
    rim: &Rim,
    place: Place,
    news: SyncSender<News>,
    room: Arc<Room>,
) -> Result<JoinHandle<()>, Failure> {
    let consumer = client::watcher(settings, &place.ends)?;
    let name = place.topic.full(settings);
    let mut all = TopicPartitionList::new();
    for (partition, &offset) in (0..).zip(&place.offsets) {
        all.add_partition_offset(&name, partition, Offset::Offset(offset)).map_err(failed("where to read"))?;
    }
    consumer.assign(&all).map_err(failed(format!("reading {name}")))?;
    let chunks = (0..place.offsets.len()).map(|_| Chunk::default()).collect();
    let flows = vec![Flow::default(); place.offsets.len()];
    let mut reader = Reader {
        consumer,
        name,
        reading: Reading { topic: place.topic, names: names.clone(), rim: rim.clone(), heard: Heard::default() },
        place,
        chunks,
        flows,
        news,
        room,
        vain: None,
        interrupted: false,
    };
    thread::Builder::new()
        .name(reader.place.topic.name().to_owned())
        .spawn(move || while reader.go_on() {})
        .map_err(Failure::Stream)
}

/// How a partition is read.
#[derive(Debug, Clone, Copy, Default)]
struct Flow {
    paused: bool,
    /// All that it holds was read.
    ended: bool,
}

/// Whether to read nothing for a moment: of a partition more waits than `enough`, bytes, and there is none from which the
/// next message may be waited for.
fn rests(partitions: impl Iterator<Item = (Flow, usize)>, enough: usize) -> bool {
    let (mut full, mut wanted) = (false, false);
    for (flow, waiting) in partitions.filter(|(flow, _)| !flow.paused) {
        full |= waiting > enough;
        wanted |= waiting == 0 && !flow.ended;
    }
    full && !wanted
}

struct Reader {
    consumer: client::Reader,
    name: String,
    reading: Reading,
    place: Place,
    chunks: Vec<Chunk>,
    flows: Vec<Flow>,
    news: SyncSender<News>,
    room: Arc<Room>,
    /// So many ticks were done when a moment passed in which nothing of what waits was used.
    vain: Option<u64>,
    /// The broker is not reached, and that has been told.
    interrupted: bool,
}

impl Reader {
    /// A round of polls, as long as messages are at hand; false when nobody listens any more. No clock is believed that is
    /// ahead of ours.
    fn go_on(&mut self) -> bool {
        if self.room.stop.load(Ordering::Relaxed) {
            return false;
        }
        self.give_room();
        let believed = clock::now() + AHEAD;
        let mut wait = if self.chunks.iter().any(|chunk| !chunk.entries.is_empty()) { Duration::ZERO } else { IDLE };
        for _ in 0..ROUND {
            let heard = match self.consumer.poll(wait) {
                None => {
                    return (0..self.chunks.len()).all(|partition| {
                        flush(&mut self.chunks[partition], &self.place, partition, &self.news, &self.room.spares)
                    });
                }
                Some(Ok(message)) => {
                    if std::mem::take(&mut self.interrupted) {
                        tracing::warn!(topic = self.name, "reading goes on");
                    }
                    let partition = usize::try_from(message.partition()).unwrap_or_default();
                    self.flows[partition].ended = false;
                    let chunk = &mut self.chunks[partition];
                    let turns = chunk.weight() > TICK_BYTES && chunk.turns(self.reading.seems(&message));
                    let (place, news, spares) = (&self.place, &self.news, &*self.room.spares);
                    let heard = !turns || flush(chunk, place, partition, news, spares);
                    self.reading.add(chunk, &message, believed);
                    heard && (chunk.weight() < CHUNK_BYTES || flush(chunk, place, partition, news, spares))
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    let partition = usize::try_from(partition).unwrap_or_default();
                    self.flows[partition].ended = true;
                    flush(&mut self.chunks[partition], &self.place, partition, &self.news, &self.room.spares)
                        && self.news.send(News::Ended(self.place.first + partition)).is_ok()
                }
                Some(Err(error)) => self.trouble(error),
            };
            if !heard {
                return false;
            }
            wait = Duration::ZERO;
        }
        true
    }

    /// Transport troubles pass by themselves; others do not.
    fn trouble(&mut self, error: KafkaError) -> bool {
        if client::lasting(&error) {
            let what = format!("reading {}", self.name);
            let _ = self.news.send(News::Trouble(Failure::Broker { what, why: error.to_string() }));
            return false;
        }
        if !self.interrupted {
            tracing::warn!(topic = self.name, %error, "reading is interrupted; it goes on by itself");
        }
        self.interrupted = true;
        true
    }

    /// Rests where enough waits, as long as it is being used. Then pauses partitions of which too much waits, and resumes them
    /// when half of it is used. What the client has fetched of a partition that is paused it fetches again: so whoever
    /// catches up is given a moment first, one for all.
    fn give_room(&mut self) {
        let (watch, ticks) = (Stopwatch::start(), self.ticks());
        let most = self.room.most;
        let enough = if self.vain == Some(ticks) { most } else { most.min(ENOUGH_BYTES) };
        while rests((0..self.flows.len()).map(|row| (self.flows[row], self.waiting(row))), enough) {
            if watch.elapsed() >= MOMENT {
                self.vain = Some(ticks).filter(|&before| before == self.ticks());
                break;
            }
            clock::sleep(Span::from_ms(1));
        }
        for partition in 0..self.flows.len() {
            let (waiting, paused) = (self.waiting(partition), self.flows[partition].paused);
            let pause = waiting > if paused { self.room.most / 2 } else { self.room.most };
            if pause != paused {
                let mut one = TopicPartitionList::new();
                one.add_partition(&self.name, i32::try_from(partition).unwrap_or_default());
                let done = if pause { self.consumer.pause(&one) } else { self.consumer.resume(&one) };
                match done {
                    Ok(()) => self.flows[partition].paused = pause,
                    Err(error) => tracing::warn!(topic = self.name, partition, %error, "cannot be paused or resumed"),
                }
            }
        }
    }

    fn ticks(&self) -> u64 {
        self.room.ticks.load(Ordering::Relaxed)
    }

    /// The memory that a partition's messages take while they wait, bytes.
    fn waiting(&self, partition: usize) -> usize {
        self.room.waiting[self.place.first + partition].load(Ordering::Relaxed)
    }
}

/// Hands a chunk on; false when nobody listens any more.
fn flush(chunk: &mut Chunk, place: &Place, partition: usize, news: &SyncSender<News>, spares: &Spares) -> bool {
    if chunk.entries.is_empty() {
        return true;
    }
    let full = std::mem::replace(chunk, spares.chunk());
    news.send(News::Chunk(Chunk { source: place.first + partition, ..full })).is_ok()
}

/// Whoever reads the messages of one topic.
struct Reading {
    topic: Topic,
    names: Names,
    rim: Rim,
    heard: Heard,
}

impl Reading {
    /// A message as it came.
    fn raw<'m>(&self, message: &'m BorrowedMessage<'_>) -> Raw<'m> {
        let declared = message.headers().and_then(|headers| {
            let header = headers.iter().find(|header| header.key.eq_ignore_ascii_case("content-type"))?;
            std::str::from_utf8(header.value?).ok()
        });
        let at = Time::from_ms(message.timestamp().to_millis().unwrap_or_default());
        let body = unframe(message.payload().unwrap_or_default(), declared);
        Raw { topic: self.topic, key: message.key().unwrap_or_default(), body, at }
    }

    /// The instant that a message seems to be about.
    fn seems(&self, message: &BorrowedMessage<'_>) -> Option<Time> {
        seems(self.topic, message.payload().unwrap_or_default())
    }

    /// Appends a message to those of its partition. No clock is believed beyond `believed`.
    fn add(&mut self, chunk: &mut Chunk, message: &BorrowedMessage<'_>, believed: Time) {
        let before = chunk.events.len();
        let value = message.payload().unwrap_or_default();
        let Told { time, unreadable } = usual(&self.names, self.topic, value, &mut self.heard, &mut chunk.events)
            .unwrap_or_else(|| decode(&self.names, &self.rim, self.raw(message), &mut self.heard, &mut chunk.events));
        chunk.bytes.extend_from_slice(value);
        chunk.unreadable += unreadable;
        chunk.entries.push(Entry {
            offset: message.offset(),
            time: time.filter(|&time| time <= believed),
            events: chunk.events.len() - before,
            unreadable,
            bytes_end: chunk.bytes.len(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_too_much_is_given_a_moment_unless_another_partition_is_waited_for() {
        let flow = |paused, ended| Flow { paused, ended };
        let [open, ended, paused] = [flow(false, false), flow(false, true), flow(true, false)];
        // (what there is, whether reading rests): room everywhere; too much of one; the other may be what is waited for;
        // it holds no more; it is paused, and so is the one that is full.
        for (partitions, expected) in [
            ([(open, 10), (open, 0)], false),
            ([(open, 11), (open, 1)], true),
            ([(open, 11), (open, 0)], false),
            ([(open, 11), (ended, 0)], true),
            ([(open, 11), (paused, 0)], true),
            ([(paused, 11), (open, 1)], false),
        ] {
            assert_eq!(rests(partitions.into_iter(), 10), expected, "{partitions:?}");
        }
    }
}

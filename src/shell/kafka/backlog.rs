//! Messages that wait to be used: a queue a partition, and the share of each that a tick takes.

use std::collections::VecDeque;
use std::sync::Arc;

use super::spares::Spares;
use crate::event::Event;
use crate::time::Time;

/// Messages of one partition, one after the other.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// Which partition: a row of the table of inputs.
    pub(super) source: usize,
    pub(super) entries: Vec<Entry>,
    /// What the messages tell, one after the other.
    pub(super) events: Vec<Event>,
    /// Their values, one after the other.
    pub(super) bytes: Vec<u8>,
    /// How many of the events are that something cannot be read.
    pub(super) unreadable: usize,
}

/// What something that cannot be read takes beside its event until it is told of, bytes: its words, the same in what the
/// tick says, and the record that is made of it.
const UNREADABLE_BYTES: usize = 1 << 10;

/// One message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) offset: i64,
    /// The instant it is about; none where it can be used at any time: it cannot be read, or its clock is not believed.
    pub(super) time: Option<Time>,
    /// How many events it tells.
    pub(super) events: usize,
    /// So many of them are that something cannot be read.
    pub(super) unreadable: usize,
    /// Where its value ends in its chunk's bytes.
    pub(super) bytes_end: usize,
}

impl Chunk {
    /// The memory it takes, about.
    pub(super) fn weight(&self) -> usize {
        let tables = self.events.len() * size_of::<Event>() + self.entries.len() * size_of::<Entry>();
        self.bytes.len() + tables + self.unreadable * UNREADABLE_BYTES
    }

    /// Whether a message that seems to be about this instant is about another one than the last.
    pub(super) fn turns(&self, seems: Option<Time>) -> bool {
        seems.is_some() && self.entries.last().is_some_and(|last| last.time != seems)
    }
}

/// Up to where a tick reads one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Messages from the front that are about this instant or an earlier one.
    Time(Time),
    /// Messages before this offset.
    Offset(i64),
}

impl Cut {
    fn takes(self, entry: &Entry) -> bool {
        match self {
            Self::Time(now) => entry.time.is_none_or(|time| time <= now),
            Self::Offset(next) => entry.offset < next,
        }
    }
}

/// So many messages behind one tell whether its clock is right.
const BEHIND: usize = 16;

/// What a tick is told, and where each message was found.
#[derive(Debug, Default)]
pub(super) struct Share {
    pub(super) events: Vec<Event>,
    pub(super) found: Vec<Found>,
    /// The values of the messages, chunk by chunk.
    chunks: Vec<Arc<Vec<u8>>>,
}

/// Where a message was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Where its events end in the share.
    pub(super) events_end: usize,
    pub(super) source: usize,
    pub(super) offset: i64,
    /// Which of the share's chunks, and where in it.
    chunk: usize,
    value: std::ops::Range<usize>,
}

impl Share {
    /// Nothing, in the memory of this one.
    pub(super) fn emptied(&mut self, spares: &Spares) -> Self {
        let mut share = std::mem::take(self);
        share.events.clear();
        share.found.clear();
        share.chunks.drain(..).filter_map(Arc::into_inner).for_each(|bytes| spares.give_bytes(bytes));
        share
    }

    /// A message's value, frame and all.
    pub(super) fn value(&self, found: &Found) -> &[u8] {
        &self.chunks[found.chunk][found.value.clone()]
    }
}

#[derive(Debug)]
struct Waiting {
    entries: Vec<Entry>,
    /// So many of them are used.
    used: usize,
    events: Vec<Event>,
    bytes: Arc<Vec<u8>>,
    read: usize,
    weight: usize,
}

impl Waiting {
    /// Its messages that are not used yet.
    fn left(&self) -> &[Entry] {
        &self.entries[self.used..]
    }

    /// Moves its messages from the front into a share, as long as `takes` says so.
    fn take(
        &mut self,
        source: usize,
        now: Time,
        share: &mut Share,
        mut takes: impl FnMut(&Entry) -> bool,
    ) -> Option<i64> {
        let first = share.events.len();
        let (mut events_end, mut unreadable, mut last) = (first, 0, None);
        while let Some(entry) = self.left().first().copied().filter(&mut takes) {
            self.used += 1;
            events_end += entry.events;
            unreadable += entry.unreadable;
            let value = self.read..entry.bytes_end;
            share.found.push(Found { events_end, source, offset: entry.offset, chunk: share.chunks.len(), value });
            self.read = entry.bytes_end;
            last = Some(entry.offset);
        }
        last?;
        share.chunks.push(Arc::clone(&self.bytes));
        // As a rule a tick takes all of a chunk.
        match events_end - first {
            all if all == self.events.len() && first == 0 => std::mem::swap(&mut share.events, &mut self.events),
            all if all == self.events.len() => share.events.append(&mut self.events),
            some => share.events.extend(self.events.drain(..some)),
        }
        if unreadable > 0 {
            for event in &mut share.events[first..] {
                if let Event::Unreadable(unreadable) = event {
                    unreadable.at = now;
                }
            }
        }
        last
    }
}

/// The queues.
#[derive(Debug)]
pub(super) struct Backlog {
    queues: Vec<VecDeque<Waiting>>,
    /// The first offset of each partition that is not used yet.
    next: Vec<i64>,
    weights: Vec<usize>,
    /// Where the memory of what is used goes.
    spares: Arc<Spares>,
}

impl Backlog {
    /// Empty queues that begin at these offsets.
    pub(super) fn new(next: Vec<i64>, spares: Arc<Spares>) -> Self {
        let queues = next.iter().map(|_| VecDeque::new()).collect();
        Self { queues, weights: vec![0; next.len()], next, spares }
    }

    pub(super) fn push(&mut self, chunk: Chunk) {
        let weight = chunk.weight();
        self.weights[chunk.source] += weight;
        self.queues[chunk.source].push_back(Waiting {
            entries: chunk.entries,
            used: 0,
            events: chunk.events,
            bytes: Arc::new(chunk.bytes),
            read: 0,
            weight,
        });
    }

    /// The first offset of each partition that is not used yet.
    pub(super) fn next(&self) -> &[i64] {
        &self.next
    }

    /// The memory a partition's messages take, about.
    pub(super) fn weight(&self, source: usize) -> usize {
        self.weights[source]
    }

    /// The message at the front of a partition.
    pub(super) fn front(&self, source: usize) -> Option<&Entry> {
        self.queues[source].iter().find_map(|w| w.left().first())
    }

    /// Whether all messages of a partition before this offset are at hand or used. The last one of them was there when
    /// the offset was noted.
    pub(super) fn holds(&self, source: usize, next: i64) -> bool {
        let newest = self.queues[source].iter().rev().find_map(|w| w.left().last());
        self.next[source] >= next || newest.is_some_and(|entry| entry.offset + 1 >= next)
    }

    /// Moves what a tick reads of a partition into its share; `now` is when unreadable messages count as arrived.
    pub(super) fn take(&mut self, source: usize, cut: Cut, now: Time, share: &mut Share) {
        loop {
            self.take_all(source, now, share, |entry| cut.takes(entry));
            if !self.overtaken(source, cut) {
                return;
            }
            let mut one = true;
            self.take_all(source, now, share, |_| std::mem::take(&mut one));
        }
    }

    /// Takes messages from the front as long as `takes` says so.
    fn take_all(&mut self, source: usize, now: Time, share: &mut Share, mut takes: impl FnMut(&Entry) -> bool) {
        let queue = &mut self.queues[source];
        while let Some(waiting) = queue.front_mut() {
            if let Some(last) = waiting.take(source, now, share, &mut takes) {
                self.next[source] = last + 1;
            }
            if !waiting.left().is_empty() {
                return;
            }
            self.weights[source] -= waiting.weight;
            if let Some(Waiting { entries, events, .. }) = queue.pop_front() {
                self.spares.give(entries, events);
            }
        }
    }

    /// Whether the message at the front is ahead of its time and most of those behind it are not: then its clock is
    /// wrong, and waiting for it would make all the others late.
    fn overtaken(&self, source: usize, cut: Cut) -> bool {
        let Cut::Time(_) = cut else { return false };
        let behind = self.queues[source].iter().flat_map(|w| w.left()).skip(1).take(BEHIND);
        let (due, all) = behind.fold((0, 0), |(due, all), entry| (due + usize::from(cut.takes(entry)), all + 1));
        2 * due > all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Unreadable;

    fn chunk(messages: &[(i64, Option<i64>)]) -> Chunk {
        let mut chunk = Chunk::default();
        for &(offset, time) in messages {
            let at = Time::from_ms(time.unwrap_or(-1));
            let text = || offset.to_string().into();
            let event = Unreadable { at, source: text(), field: text(), value: text(), reason: text() };
            chunk.events.push(Event::from(event));
            chunk.bytes.push(offset as u8);
            let bytes_end = chunk.bytes.len();
            chunk.entries.push(Entry { offset, time: time.map(Time::from_ms), events: 1, unreadable: 1, bytes_end });
        }
        chunk
    }

    #[test]
    fn a_tick_takes_what_its_time_has_come_for() {
        let mut backlog = Backlog::new(vec![3], Arc::default());
        backlog.push(chunk(&[(3, Some(10)), (4, None), (6, Some(20))]));
        backlog.push(chunk(&[(7, Some(20))]));
        let mut share = Share::default();
        backlog.take(0, Cut::Time(Time::from_ms(15)), Time::from_ms(15), &mut share);
        // What its time has not come for waits; the value of each is found.
        let offsets =
            |share: &Share| share.found.iter().map(|f| (f.offset, share.value(f).to_vec())).collect::<Vec<_>>();
        assert_eq!((offsets(&share), backlog.next()), (vec![(3, vec![3]), (4, vec![4])], &[5][..]));
        let mut share = Share::default();
        backlog.take(0, Cut::Time(Time::from_ms(20)), Time::from_ms(20), &mut share);
        assert_eq!((offsets(&share).len(), backlog.next(), backlog.weight(0)), (2, &[8][..], 0));
        assert_eq!(share.events[0].at(), Time::from_ms(20));
    }

    #[test]
    fn a_tick_takes_chunks_whole_and_in_part() {
        let mut backlog = Backlog::new(vec![3], Arc::default());
        let first = chunk(&[(3, Some(10)), (4, Some(10))]);
        assert_eq!([None, Some(10), Some(20)].map(|ms| first.turns(ms.map(Time::from_ms))), [false, false, true]);
        backlog.push(first);
        backlog.push(chunk(&[(5, Some(10)), (6, Some(20)), (7, Some(20))]));
        backlog.push(chunk(&[(8, Some(20))]));
        for (ms, expected) in [(10, &[3, 4, 5][..]), (20, &[6, 7, 8])] {
            let (mut share, now) = (Share::default(), Time::from_ms(ms));
            backlog.take(0, Cut::Time(now), now, &mut share);
            let told = share.events.iter().map(|event| match event {
                Event::Unreadable(unreadable) => (unreadable.source.parse().expect("its offset"), unreadable.at),
                other => panic!("{other:?}"),
            });
            assert_eq!(told.collect::<Vec<(i64, Time)>>(), expected.iter().map(|&o| (o, now)).collect::<Vec<_>>());
            let found: Vec<_> = share.found.iter().map(|f| (f.events_end, f.offset, share.value(f)[0])).collect();
            assert_eq!(found, (1..).zip(expected).map(|(end, &o)| (end, o, o as u8)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_clock_that_is_ahead_makes_nobody_late() {
        let mut backlog = Backlog::new(vec![0], Arc::default());
        backlog.push(chunk(&[(0, Some(90)), (1, Some(10)), (2, Some(10)), (3, Some(20)), (4, Some(5)), (5, Some(20))]));
        let mut share = Share::default();
        backlog.take(0, Cut::Time(Time::from_ms(10)), Time::from_ms(10), &mut share);
        // 0 is ahead of most behind it and goes with them; 3 is not: 4 is late, and one of two.
        assert_eq!(share.found.len(), 3);
    }

    #[test]
    fn a_repeated_tick_takes_what_it_took() {
        let mut backlog = Backlog::new(vec![0], Arc::default());
        backlog.push(chunk(&[(0, Some(99)), (1, Some(1)), (2, None)]));
        let mut share = Share::default();
        backlog.take(0, Cut::Offset(2), Time::EPOCH, &mut share);
        assert_eq!((share.found.len(), backlog.next(), backlog.front(0).map(|e| e.offset)), (2, &[2][..], Some(2)));
    }
}

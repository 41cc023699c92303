//! Messages that wait to be used: a queue a partition, and the share of each that a tick takes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::vec::IntoIter;

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
}

/// One message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) offset: i64,
    /// The instant it is about; none where it can be used at any time: it cannot be read, or its clock is not believed.
    pub(super) time: Option<Time>,
    /// How many events it tells.
    pub(super) events: usize,
    /// Where its value ends in its chunk's bytes.
    pub(super) bytes_end: usize,
}

impl Chunk {
    /// The memory it takes, about.
    pub(super) fn weight(&self) -> usize {
        self.bytes.len() + self.events.len() * size_of::<Event>() + self.entries.len() * size_of::<Entry>()
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
}

/// Where a message was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Where its events end in the share.
    pub(super) events_end: usize,
    pub(super) source: usize,
    pub(super) offset: i64,
    chunk: Arc<Vec<u8>>,
    value: std::ops::Range<usize>,
}

impl Found {
    /// The message's value, frame and all.
    pub(super) fn value(&self) -> &[u8] {
        &self.chunk[self.value.clone()]
    }
}

#[derive(Debug)]
struct Waiting {
    entries: IntoIter<Entry>,
    events: IntoIter<Event>,
    bytes: Arc<Vec<u8>>,
    read: usize,
    weight: usize,
}

/// The queues.
#[derive(Debug)]
pub(super) struct Backlog {
    queues: Vec<VecDeque<Waiting>>,
    /// The first offset of each partition that is not used yet.
    next: Vec<i64>,
    weights: Vec<usize>,
}

impl Backlog {
    /// Empty queues that begin at these offsets.
    pub(super) fn new(next: Vec<i64>) -> Self {
        let queues = next.iter().map(|_| VecDeque::new()).collect();
        Self { queues, weights: vec![0; next.len()], next }
    }

    pub(super) fn push(&mut self, chunk: Chunk) {
        let weight = chunk.weight();
        self.weights[chunk.source] += weight;
        self.queues[chunk.source].push_back(Waiting {
            entries: chunk.entries.into_iter(),
            events: chunk.events.into_iter(),
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
        self.queues[source].iter().find_map(|w| w.entries.as_slice().first())
    }

    /// Whether all messages of a partition before this offset are at hand or used. The last one of them was there when
    /// the offset was noted.
    pub(super) fn holds(&self, source: usize, next: i64) -> bool {
        let newest = self.queues[source].iter().rev().find_map(|w| w.entries.as_slice().last());
        self.next[source] >= next || newest.is_some_and(|entry| entry.offset + 1 >= next)
    }

    /// Moves what a tick reads of a partition into its share; `now` is when unreadable messages count as arrived.
    pub(super) fn take(&mut self, source: usize, cut: Cut, now: Time, share: &mut Share) {
        while self.front(source).is_some_and(|front| cut.takes(front) || self.overtaken(source, cut)) {
            self.take_front(source, now, share);
        }
    }

    /// Whether the message at the front is ahead of its time and most of those behind it are not: then its clock is
    /// wrong, and waiting for it would make all the others late.
    fn overtaken(&self, source: usize, cut: Cut) -> bool {
        let Cut::Time(_) = cut else { return false };
        let behind = self.queues[source].iter().flat_map(|w| w.entries.as_slice()).skip(1).take(BEHIND);
        let (due, all) = behind.fold((0, 0), |(due, all), entry| (due + usize::from(cut.takes(entry)), all + 1));
        2 * due > all
    }

    fn take_front(&mut self, source: usize, now: Time, share: &mut Share) {
        let queue = &mut self.queues[source];
        while let Some(waiting) = queue.front_mut() {
            if let Some(entry) = waiting.entries.next() {
                for mut event in waiting.events.by_ref().take(entry.events) {
                    if let Event::Unreadable(unreadable) = &mut event {
                        unreadable.at = now;
                    }
                    share.events.push(event);
                }
                share.found.push(Found {
                    events_end: share.events.len(),
                    source,
                    offset: entry.offset,
                    chunk: Arc::clone(&waiting.bytes),
                    value: waiting.read..entry.bytes_end,
                });
                waiting.read = entry.bytes_end;
                self.next[source] = entry.offset + 1;
                if waiting.entries.as_slice().is_empty() {
                    self.weights[source] -= waiting.weight;
                    queue.pop_front();
                }
                return;
            }
            queue.pop_front();
        }
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
            chunk.events.push(Event::Unreadable(event));
            chunk.bytes.push(offset as u8);
            let bytes_end = chunk.bytes.len();
            chunk.entries.push(Entry { offset, time: time.map(Time::from_ms), events: 1, bytes_end });
        }
        chunk
    }

    #[test]
    fn a_tick_takes_what_its_time_has_come_for() {
        let mut backlog = Backlog::new(vec![3]);
        backlog.push(chunk(&[(3, Some(10)), (4, None), (6, Some(20))]));
        backlog.push(chunk(&[(7, Some(20))]));
        let mut share = Share::default();
        backlog.take(0, Cut::Time(Time::from_ms(15)), Time::from_ms(15), &mut share);
        // What its time has not come for waits; the value of each is found.
        let offsets = |share: &Share| share.found.iter().map(|f| (f.offset, f.value().to_vec())).collect::<Vec<_>>();
        assert_eq!((offsets(&share), backlog.next()), (vec![(3, vec![3]), (4, vec![4])], &[5][..]));
        let mut share = Share::default();
        backlog.take(0, Cut::Time(Time::from_ms(20)), Time::from_ms(20), &mut share);
        assert_eq!((offsets(&share).len(), backlog.next(), backlog.weight(0)), (2, &[8][..], 0));
        assert_eq!(share.events[0].at(), Time::from_ms(20));
    }

    #[test]
    fn a_clock_that_is_ahead_makes_nobody_late() {
        let mut backlog = Backlog::new(vec![0]);
        backlog.push(chunk(&[(0, Some(90)), (1, Some(10)), (2, Some(10)), (3, Some(20)), (4, Some(5)), (5, Some(20))]));
        let mut share = Share::default();
        backlog.take(0, Cut::Time(Time::from_ms(10)), Time::from_ms(10), &mut share);
        // 0 is ahead of most behind it and goes with them; 3 is not: 4 is late, and one of two.
        assert_eq!(share.found.len(), 3);
    }

    #[test]
    fn a_repeated_tick_takes_what_it_took() {
        let mut backlog = Backlog::new(vec![0]);
        backlog.push(chunk(&[(0, Some(99)), (1, Some(1)), (2, None)]));
        let mut share = Share::default();
        backlog.take(0, Cut::Offset(2), Time::EPOCH, &mut share);
        assert_eq!((share.found.len(), backlog.next(), backlog.front(0).map(|e| e.offset)), (2, &[2][..], Some(2)));
    }
}

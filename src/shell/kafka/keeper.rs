//! What the engine has become, written down beside its work: compressed on a thread of its own, and handed to the writer a
//! few parts at a time, so that no tick waits for a snapshot of a large city.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::route::Record;
use super::topics::Topic;
use crate::shell::cli::Failure;
use crate::shell::clock::{self, Stopwatch};
use crate::time::{Span, Time};
use crate::wire::{self, Message, v1};

/// A snapshot is spread over about so many ticks.
const SLICES: usize = 16;

/// However fast a day is caught up with, no more of what the engine has become is written down, bytes a second.
const KEPT_BYTES_S: usize = 10_000_000;

/// Who is told to stop waits so long for a snapshot that is being made.
const LEAVE: Span = Span::from_s(1);
/// And writes no more of it than this, bytes.
const LEAVE_BYTES: usize = 64 << 20;

/// The engine's end.
#[derive(Debug)]
pub(super) struct Keeper {
    /// How often, of the street's time; never where it is zero.
    every: Span,
    /// When the last one should have been taken.
    kept: Option<Time>,
    /// From then on, of ours, the next one may be taken.
    rests: Time,
    states: SyncSender<(Time, Vec<u8>)>,
    parts: Arc<Parts>,
}

/// Parts of a snapshot that wait to be written.
#[derive(Debug, Default)]
pub(super) struct Parts {
    waiting: Mutex<Waiting>,
    /// From the time that a state is handed in until its last part is taken.
    busy: AtomicBool,
}

#[derive(Debug, Default)]
struct Waiting {
    records: VecDeque<Record>,
    /// The tick after which the state was such.
    now: Time,
    /// How many go with each tick.
    each: usize,
}

impl Keeper {
    /// Starts the thread; it ends when this is dropped. A snapshot is taken `every` so often, the first one for that slot of
    /// the two.
    ///
    /// # Errors
    /// When there can be no thread.
    pub(super) fn start(every: Span, provenance: v1::Provenance, first: u32) -> Result<Self, Failure> {
        let (states, handed_in) = sync_channel::<(Time, Vec<u8>)>(1);
        let parts = Arc::new(Parts::default());
        let shared = Arc::clone(&parts);
        thread::Builder::new().name("snapshot".into()).spawn(move || {
            let mut slot = first;
            for (now, state) in handed_in {
                shared.hold(now, wire::snapshot::parts(now.ms(), &provenance, slot, &state));
                slot = 1 - slot;
            }
        })?;
        Ok(Self { every, kept: None, rests: Time::LONG_AGO, states, parts })
    }

    /// What the writer takes from.
    pub(super) fn parts(&self) -> Arc<Parts> {
        Arc::clone(&self.parts)
    }

    /// Whether a snapshot is to be taken after the tick `now`: it is time, or has been since the one before was not written
    /// yet, and now it is.
    pub(super) fn is_due(&self, now: Time, wall: Time) -> bool {
        if self.every <= Span::ZERO {
            return false;
        }
        let time = self.kept.map_or(now.floor(self.every) == now, |kept| now.floor(self.every) > kept);
        time && wall >= self.rests && !self.parts.busy.load(Ordering::Relaxed)
    }

    /// Has a state written down, as it was after the tick `now`, which is on its way to the writer. Only where it is due.
    pub(super) fn keep(&mut self, now: Time, wall: Time, state: Vec<u8>) {
        self.kept = Some(now.floor(self.every));
        self.rests = wall + Span::from_ms((state.len() * 1000 / KEPT_BYTES_S) as i64);
        self.parts.busy.store(true, Ordering::Relaxed);
        // Where nobody listens any more, nobody writes either.
        let _ = self.states.try_send((now, state));
    }
}

impl Parts {
    fn hold(&self, now: Time, parts: Vec<v1::EngineSnapshot>) {
        let record = |part: v1::EngineSnapshot| {
            let (key, value) = (format!("{}.{}", part.slot, part.part), part.encode_to_vec());
            Record { topic: Topic::Snapshots, partition: 0, key, value }
        };
        let records: VecDeque<Record> = parts.into_iter().map(record).collect();
        let each = records.len().div_ceil(SLICES);
        *self.lock() = Waiting { records, now, each };
    }

    /// What goes with a transaction of so many ticks, the last one `last`: of a snapshot of a tick that is committed then, a
    /// few parts for each.
    pub(super) fn take(&self, last: Time, ticks: usize) -> Vec<Record> {
        let mut waiting = self.lock();
        if waiting.records.is_empty() || waiting.now > last {
            return Vec::new();
        }
        let count = (waiting.each * ticks).min(waiting.records.len());
        let taken = waiting.records.drain(..count).collect();
        if waiting.records.is_empty() {
            self.busy.store(false, Ordering::Relaxed);
        }
        taken
    }

    /// What of a snapshot is still to be written when no tick will come any more; nothing where that would take long.
    pub(super) fn rest(&self) -> Vec<Record> {
        let watch = Stopwatch::start();
        while self.busy.load(Ordering::Relaxed) && self.lock().records.is_empty() && watch.elapsed() < LEAVE {
            clock::sleep(Span::from_ms(2));
        }
        let mut waiting = self.lock();
        let left: usize = waiting.records.iter().map(|record| record.value.len()).sum();
        if left > LEAVE_BYTES { Vec::new() } else { waiting.records.drain(..).collect() }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_could_not_be_taken_in_time_is_taken_late() {
        let wall = Time::from_s(1000);
        let mut keeper = Keeper::start(Span::from_s(60), v1::Provenance::default(), 0).expect("a thread");
        assert!(!keeper.is_due(Time::from_s(59), wall) && keeper.is_due(Time::from_s(60), wall));
        keeper.keep(Time::from_s(60), wall, vec![1, 2, 3]);
        let after = wall + Span::SECOND;
        assert!(!keeper.is_due(Time::from_s(120), after), "the one before is not written");
        assert_eq!(keeper.parts().rest().len(), 1);
        keeper.parts.busy.store(false, Ordering::Relaxed);
        assert!(keeper.is_due(Time::from_s(125), after));
        keeper.keep(Time::from_s(125), after, Vec::new());
        keeper.parts.busy.store(false, Ordering::Relaxed);
        assert!(!keeper.is_due(Time::from_s(179), after) && keeper.is_due(Time::from_s(180), after));
    }

    #[test]
    fn parts_go_with_ticks_that_come_after_a_few_each() {
        let parts = Parts::default();
        parts.busy.store(true, Ordering::Relaxed);
        let snapshot = (0..40).map(|part| v1::EngineSnapshot { part, slot: 1, ..v1::EngineSnapshot::default() });
        parts.hold(Time::from_s(7), snapshot.collect());
        assert!(parts.take(Time::from_s(6), 1).is_empty(), "its tick is not committed yet");
        let mut keys = Vec::new();
        for tick in 7.. {
            assert!(parts.busy.load(Ordering::Relaxed));
            let taken = parts.take(Time::from_s(tick), 1);
            assert!(taken.len() <= 3, "{}", taken.len());
            keys.extend(taken.into_iter().map(|record| record.key));
            if keys.len() == 40 {
                break;
            }
        }
        assert!(!parts.busy.load(Ordering::Relaxed));
        assert!(keys.iter().cloned().eq((0..40).map(|part| format!("1.{part}"))), "{keys:?}");
        // Whoever catches up writes many ticks at once.
        parts.hold(Time::from_s(60), vec![v1::EngineSnapshot::default(); 40]);
        assert_eq!(parts.take(Time::from_s(99), 13).len(), 39);
        assert_eq!(parts.rest().len(), 1);
    }
}

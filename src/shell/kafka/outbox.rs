//! Ticks that wait to be written: a queue between engine and writer, bounded by the memory it takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use super::route::Record;
use crate::shell::clock;
use crate::time::{Span, Time};

/// So many ticks may wait.
const TICKS_MAX: usize = 1024;
/// No more memory may they take, bytes, unless it is a single one.
const WAITING_BYTES_MAX: usize = 32 << 20;
/// Ticks are written together until they are this long, bytes: ending a transaction takes its time however little is in it.
const TOGETHER_BYTES: usize = 8 << 20;
/// Who wrote so many ticks together is catching up: ...
const MANY: usize = 8;
/// ... then more of them are waited for, as nobody waits for one of them.
const REST: Span = Span::from_ms(100);
/// What a record takes beside key and value, bytes.
const RECORD_BYTES: usize = 80;

/// One tick to write; its last record is the tick itself.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) now: Time,
    pub(super) records: Vec<Record>,
    pub(super) next: Vec<i64>,
}

impl Batch {
    /// The memory it takes, about.
    fn weight(&self) -> usize {
        self.records.iter().map(|r| r.key.len() + r.value.len() + RECORD_BYTES).sum()
    }
}

/// The engine's end.
#[derive(Debug)]
pub(super) struct Outbox {
    send: SyncSender<Batch>,
    waiting: Arc<AtomicUsize>,
}

/// The writer's end.
#[derive(Debug)]
pub(super) struct Pending {
    batches: Receiver<Batch>,
    waiting: Arc<AtomicUsize>,
    /// What was handed out last takes so much of what waits.
    out: usize,
    /// So many ticks were handed out last.
    ticks: usize,
}

/// An empty one.
pub(super) fn outbox() -> (Outbox, Pending) {
    let (send, batches) = sync_channel(TICKS_MAX);
    let waiting = Arc::new(AtomicUsize::new(0));
    (Outbox { send, waiting: Arc::clone(&waiting) }, Pending { batches, waiting, out: 0, ticks: 0 })
}

impl Outbox {
    /// Puts a tick in as soon as there is room; `beat` hears that it waits. False when nobody writes any more.
    pub(super) fn put(&self, mut batch: Batch, beat: impl Fn()) -> bool {
        let weight = batch.weight();
        loop {
            let waiting = self.waiting.load(Ordering::Relaxed);
            if waiting == 0 || waiting + weight <= WAITING_BYTES_MAX {
                // Counted before the writer can have it.
                self.waiting.fetch_add(weight, Ordering::Relaxed);
                batch = match self.send.try_send(batch) {
                    Ok(()) => return true,
                    Err(TrySendError::Full(batch)) => batch,
                    Err(TrySendError::Disconnected(_)) => return false,
                };
                self.waiting.fetch_sub(weight, Ordering::Relaxed);
            }
            beat();
            clock::sleep(Span::from_ms(2));
        }
    }
}

impl Pending {
    /// What was taken last is written.
    fn written(&mut self) {
        self.waiting.fetch_sub(std::mem::take(&mut self.out), Ordering::Relaxed);
    }

    /// How long to rest until more ticks have gathered.
    fn rest(&self) -> Span {
        if self.ticks < MANY { Span::ZERO } else { REST }
    }

    /// Waits for a tick, and takes those behind it that go with it; none when no more will come. What was taken before
    /// is written.
    pub(super) fn gather(&mut self) -> Option<Vec<Batch>> {
        self.written();
        clock::sleep(self.rest());
        let first = self.batches.recv().ok()?;
        self.out = first.weight();
        let mut gathered = vec![first];
        while self.out < TOGETHER_BYTES
            && let Ok(batch) = self.batches.try_recv()
        {
            self.out += batch.weight();
            gathered.push(batch);
        }
        self.ticks = gathered.len();
        Some(gathered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::kafka::topics::Topic;
    use std::cell::{Cell, RefCell};

    fn batch(s: i64, bytes: usize) -> Batch {
        let record =
            Record { topic: Topic::Plans, partition: 0, key: String::new(), value: vec![0; bytes - RECORD_BYTES] };
        Batch { now: Time::from_s(s), records: vec![record], next: Vec::new() }
    }

    #[test]
    fn ticks_go_together_up_to_a_length() {
        let (outbox, mut pending) = outbox();
        for s in 0..5 {
            assert!(outbox.put(batch(s, 3 << 20), || panic!("there is room")));
        }
        drop(outbox);
        let gathered: Vec<Vec<i64>> = std::iter::from_fn(|| pending.gather())
            .map(|batches| batches.iter().map(|batch| batch.now.ms() / 1000).collect())
            .collect();
        assert_eq!(gathered, [vec![0, 1, 2], vec![3, 4]]);
        assert_eq!(pending.waiting.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn who_catches_up_writes_less_often() {
        for (ticks, rest) in [(1, Span::ZERO), (MANY - 1, Span::ZERO), (MANY, REST)] {
            let (outbox, mut pending) = outbox();
            for s in 0..ticks {
                assert!(outbox.put(batch(s as i64, 100), || panic!("there is room")));
            }
            assert_eq!(pending.gather().map(|taken| taken.len()), Some(ticks));
            assert_eq!(pending.rest(), rest, "{ticks}");
        }
    }

    #[test]
    fn the_engine_waits_until_what_was_taken_is_written() {
        let (outbox, mut pending) = outbox();
        // One that is larger than all room goes in alone.
        assert!(outbox.put(batch(0, 2 * WAITING_BYTES_MAX), || panic!("there is room")));
        let (beats, writer) = (Cell::new(0), RefCell::new(&mut pending));
        let beat = || {
            beats.set(beats.get() + 1);
            match beats.get() {
                1 => assert_eq!(writer.borrow_mut().gather().map(|taken| taken.len()), Some(1)),
                2 => writer.borrow_mut().written(),
                _ => panic!("there is room"),
            }
        };
        assert!(outbox.put(batch(1, 1 << 10), beat));
        assert_eq!(beats.get(), 2);
        drop(pending);
        assert!(!outbox.put(batch(2, 1 << 10), || ()), "nobody writes");
    }
}

//! When a tick may end: all partitions have told of it, or it has been waited for long enough.
//!
//! Time is event time. A partition's watermark is the latest instant it has told of. The clock is the latest watermark
//! of all and what has passed on the wall since it rose: so it runs on when everybody falls silent, follows a day that
//! is played faster than life, and no idle partition stops it. A partition that is known to hold more than was read of
//! it yet is waited for, but not for ever.

use crate::time::{Span, Time};
use crate::wire::log::Closing;

/// A partition from which more should come is waited for so long.
const PATIENCE: Span = Span::from_s(5);

/// What is known of the partitions' time. Wall time is handed in.
#[derive(Debug)]
pub(super) struct Watermarks {
    partitions: Vec<Partition>,
    lateness: Span,
    latest: Option<Time>,
    raised: Time,
}

#[derive(Debug, Clone)]
struct Partition {
    name: Box<str>,
    counts: bool,
    /// The latest instant it has told of.
    mark: Option<Time>,
    /// Everything that it holds has been read.
    ended: bool,
    heard: Time,
}

impl Watermarks {
    /// Of partitions with these names, from which everything is still to come. Only those that count make the clock,
    /// and are missed when they are silent.
    pub(super) fn new(partitions: impl IntoIterator<Item = (Box<str>, bool)>, lateness: Span, wall: Time) -> Self {
        let partition = |(name, counts)| Partition { name, counts, mark: None, ended: false, heard: wall };
        Self { partitions: partitions.into_iter().map(partition).collect(), lateness, latest: None, raised: wall }
    }

    /// A message came; what it told of, if its clock is believed.
    pub(super) fn heard(&mut self, source: usize, time: Option<Time>, wall: Time) {
        let partition = &mut self.partitions[source];
        (partition.ended, partition.heard) = (false, wall);
        partition.mark = partition.mark.max(time);
        if partition.counts && time > self.latest {
            (self.latest, self.raised) = (time, wall);
        }
    }

    /// The end of a partition was reached.
    pub(super) fn ended(&mut self, source: usize, wall: Time) {
        let partition = &mut self.partitions[source];
        (partition.ended, partition.heard) = (true, wall);
    }

    /// Whether every partition has been read to its end, or has told of something.
    pub(super) fn all_known(&self) -> bool {
        self.partitions.iter().all(|p| p.ended || p.mark.is_some())
    }

    /// Whether every partition has been read to its end.
    pub(super) fn all_ended(&self) -> bool {
        self.partitions.iter().all(|p| p.ended)
    }

    /// How the tick that ends at `now` closes, if it does; `waiting` says whether messages of a partition wait.
    pub(super) fn closing(&self, now: Time, wall: Time, waiting: impl Fn(usize) -> bool) -> Option<Closing> {
        let due = now + self.lateness;
        let open = |p: &&Partition| p.mark < Some(due);
        let holds =
            |(source, p): (usize, &Partition)| open(&p) && !p.ended && !waiting(source) && wall - p.heard < PATIENCE;
        if self.partitions.iter().enumerate().any(holds) {
            return None;
        }
        let clock = self.latest? + (wall - self.raised);
        if self.partitions.iter().any(|p| p.counts && open(&p)) && clock < due {
            return None;
        }
        let missing = self.partitions.iter().filter(|p| p.counts && p.mark < Some(now));
        let missing: Vec<Box<str>> = missing.map(|p| p.name.clone()).collect();
        Some(if missing.is_empty() { Closing::Watermark } else { Closing::Deadline(missing) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(told: [Option<i64>; 2], ended: [bool; 2]) -> Watermarks {
        let mut marks = Watermarks::new([("a".into(), true), ("b".into(), true)], Span::from_ms(500), Time::EPOCH);
        for (source, (told, ended)) in told.into_iter().zip(ended).enumerate() {
            marks.heard(source, told.map(Time::from_ms), Time::EPOCH);
            if ended {
                marks.ended(source, Time::EPOCH);
            }
        }
        marks
    }

    #[test]
    fn a_tick_ends_when_all_have_told_of_it_or_it_is_late_enough() {
        let late = |names: &[&str]| Some(Closing::Deadline(names.iter().map(|&n| n.into()).collect()));
        // (told, ended, wall, how the tick of 1000 ms closes): both far enough; both there, still within the lateness;
        // the lateness over; an idle one does not stop it; one that has more to come does; but not for ever; nobody has
        // said anything at all.
        for (told, ended, wall, closing) in [
            ([Some(1500), Some(1600)], [false; 2], 0, Some(Closing::Watermark)),
            ([Some(1000), Some(1000)], [true; 2], 499, None),
            ([Some(1000), Some(1000)], [true; 2], 500, Some(Closing::Watermark)),
            ([Some(1600), None], [true; 2], 0, late(&["b"])),
            ([Some(9000), None], [true, false], 4999, None),
            ([Some(9000), None], [true, false], 5000, late(&["b"])),
            ([None, None], [true; 2], 60_000, None),
        ] {
            let found = marks(told, ended).closing(Time::from_ms(1000), Time::from_ms(wall), |_| false);
            assert_eq!(found, closing, "{told:?} {ended:?} {wall}");
        }
    }

    #[test]
    fn the_clock_runs_on_when_everybody_is_silent() {
        let marks = marks([Some(1000), Some(1000)], [true; 2]);
        let closes = |now, wall| marks.closing(Time::from_ms(now), Time::from_ms(wall), |_| false).is_some();
        assert!(!closes(60_000, 59_400) && closes(60_000, 59_500));
    }
}

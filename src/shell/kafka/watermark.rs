//! When a tick may end: all partitions have told of it, or it has been waited for long enough.
//!
//! Time is event time. A partition's watermark is the latest instant it has told of. The clock is the latest watermark
//! of all and what has passed on the wall since it rose: so it runs on when everybody falls silent, follows a day that
//! is played faster than life, and no idle partition stops it. It is never put back: whoever speaks up again and is behind
//! it (the way to the broker was cut, or a sensor's own clock is slow) is waited for by running at half pace until he has
//! caught up, so that ticks go on. A partition that is known to hold more than was read of it yet is waited for, but not
//! for ever.

use crate::time::{Span, Time};
use crate::wire::log::Closing;

/// A partition from which more should come is waited for so long.
const PATIENCE: Span = Span::from_s(5);

/// What is known of the partitions' time. Wall time is handed in.
#[derive(Debug)]
pub(super) struct Watermarks {
    partitions: Vec<Partition>,
    lateness: Span,
    clock: Option<Clock>,
}

/// What time it is. A rise of the latest watermark sets it.
#[derive(Debug, Clone, Copy)]
struct Clock {
    /// The latest watermark.
    latest: Time,
    /// What this told just before, were it not behind `latest`.
    told: Time,
    /// When `latest` rose, on the wall.
    raised: Time,
}

impl Clock {
    fn at(self, wall: Time) -> Time {
        let passed = wall - self.raised;
        (self.latest + passed).max(self.told + Span::from_ms(passed.ms() / 2))
    }
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
        Self { partitions: partitions.into_iter().map(partition).collect(), lateness, clock: None }
    }

    /// A message came; what it told of, if its clock is believed.
    pub(super) fn heard(&mut self, source: usize, time: Option<Time>, wall: Time) {
        let partition = &mut self.partitions[source];
        (partition.ended, partition.heard) = (false, wall);
        partition.mark = partition.mark.max(time);
        if let Some(latest) =
            time.filter(|&time| partition.counts && self.clock.is_none_or(|clock| time > clock.latest))
        {
            let told = self.clock.map_or(latest, |clock| clock.at(wall));
            self.clock = Some(Clock { latest, told, raised: wall });
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
        let clock = self.clock?.at(wall);
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

    #[test]
    fn who_speaks_up_late_is_waited_for_at_half_pace() {
        let mut marks = marks([Some(1000), Some(1000)], [true; 2]);
        // After a minute of silence the clock says 61 s, and somebody tells of 41 s: 20 s behind, caught up after 40 s.
        marks.heard(0, Some(Time::from_s(41)), Time::from_s(60));
        marks.ended(0, Time::from_s(60));
        let closes = |due: i64, wall| marks.closing(Time::from_ms(due - 500), Time::from_ms(wall), |_| false).is_some();
        assert!(closes(61_000, 60_000));
        // (what is to end, its lateness of 0.5 s included, and when it does): 1 s more; caught up with, at 81 s; from there
        // on as the wall does.
        for (due, wall) in [(62_000, 62_000), (81_000, 100_000), (91_000, 110_000)] {
            assert_eq!([wall - 10, wall].map(|wall| closes(due, wall)), [false, true], "{due} {wall}");
        }
    }
}

//! How much of what came in was rejected: looked at every minute, and told where it is much.

use crate::ids::ZoneId;
use crate::keep::keep;
use crate::network::Partition;
use crate::output::{Output, Rejections};
use crate::time::{Span, Time};

/// How often it is looked at.
const MINUTE: Span = Span::from_s(60);
/// More than this share of what came in a minute is much …
const SHARE: f64 = 0.05;
/// … if it is at least so many.
const LEAST: u64 = 60;

/// What came in and was rejected up to now and up to the last full minute: readings by partition, and, in the last row,
/// messages that could not be read.
#[derive(Debug, Clone)]
pub(super) struct Door {
    now: Vec<Count>,
    minute: Vec<Count>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    offered: u64,
    rejected: u64,
}

keep!(Count { offered, rejected });
keep!(Door { now, minute });

impl Door {
    pub(super) fn new(partitions: usize) -> Self {
        let none = vec![Count::default(); partitions + 1];
        Self { now: none.clone(), minute: none }
    }

    /// Readings offered to and rejected by a partition, ever.
    pub(super) fn readings(&mut self, partition: usize, offered: u64, rejected: u64) {
        self.now[partition] = Count { offered, rejected };
    }

    /// One more that could not be read.
    pub(super) fn unreadable(&mut self) {
        if let Some(last) = self.now.last_mut() {
            (last.offered, last.rejected) = (last.offered + 1, last.rejected + 1);
        }
    }

    /// At the end of a minute: what was much, by zone. Nobody knows whose a message is that cannot be read: it counts for
    /// the city, among all that came.
    pub(super) fn minute(&mut self, now: Time, partitions: &[Partition], city: Option<ZoneId>) -> Vec<Output> {
        if now.within(MINUTE, Span::ZERO) != Span::ZERO {
            return Vec::new();
        }
        let since = |(now, then): (&Count, &Count)| Count {
            offered: now.offered.saturating_sub(then.offered),
            rejected: now.rejected.saturating_sub(then.rejected),
        };
        let mut counts: Vec<Count> = self.now.iter().zip(&self.minute).map(since).collect();
        self.minute.clone_from(&self.now);
        if let Some((unreadable, readings)) = counts.split_last_mut() {
            unreadable.offered += readings.iter().map(|count| count.offered).sum::<u64>();
        }
        let zones = partitions.iter().map(|partition| partition.zone).chain(city);
        let much = |c: &Count| c.rejected >= LEAST && c.rejected as f64 > SHARE * c.offered as f64;
        let told = zones.zip(counts).filter(|(_, count)| much(count));
        told.map(|(zone, Count { offered, rejected })| {
            Output::Rejections(Rejections { at: now, zone, offered, rejected, interval: MINUTE })
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;

    #[test]
    fn much_is_told_once_a_minute() {
        fn none<I: Id>() -> std::ops::Range<I> {
            I::of(0)..I::of(0)
        }
        let zone = ZoneId::of;
        let partition =
            |of| Partition { zone: zone(of), nodes: none(), links: none(), lanes: none(), junctions: none() };
        let partitions = [partition(1), partition(2)];
        let told = |door: &mut Door, s| {
            let rows = door.minute(Time::from_s(s), &partitions, Some(zone(0))).into_iter();
            rows.map(|o| if let Output::Rejections(r) = o { (r.zone, r.rejected, r.offered) } else { panic!("{o:?}") })
                .collect::<Vec<_>>()
        };
        let mut door = Door::new(2);
        // Few of many; too few to be told of; many; then no more than before.
        door.readings(0, 10_000, 500);
        door.readings(1, 100, 59);
        assert_eq!((told(&mut door, 59), told(&mut door, 60)), (vec![], vec![]));
        door.readings(0, 10_000 + 1000, 500 + 60);
        assert_eq!(told(&mut door, 120), vec![(zone(1), 60, 1000)]);
        assert_eq!(told(&mut door, 180), vec![]);
        // Nobody knows whose they are.
        (0..70).for_each(|_| door.unreadable());
        door.readings(1, 200, 59);
        assert_eq!(told(&mut door, 240), vec![(zone(0), 70, 170)]);
    }
}

//! A lane as it fills and empties: who stands in it in which order, how much room is left, and when freed room is felt
//! at its tail.
//!
//! Room is counted in centimetres as cumulative curves: taken by those who entered, freed at the line by those who
//! left, released at the tail one wave later. Where a vehicle stands follows from the curves, so nobody is moved.

use super::calendar::{Ms, NEVER};
use super::road::NONE;

/// Room that was freed at the line and is felt at the tail at `at`; `freed` is the curve's value then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pending {
    at: Ms,
    freed: u32,
}

/// Why the first vehicle of a lane does not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Held {
    /// It does.
    #[default]
    No,
    /// Its light.
    Red,
    /// Traffic with the right of way.
    Gap,
    /// No room beyond the line.
    Room,
}

/// The changing part of a lane; also of a queue outside the network, which is a lane without an end.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    /// The first vehicle and the last, or none.
    pub(super) head: u32,
    pub(super) tail: u32,
    pub(super) count: u32,
    /// When the first vehicle acts.
    pub(super) next: Ms,
    /// Before this the first vehicle keeps its distance.
    pub(super) gate: Ms,
    pub(super) held: Held,
    /// Since when the first vehicle stands at the line.
    pub(super) stopped: Ms,
    /// How many have started since the queue last stood, up to 4.
    pub(super) started: u8,
    /// Nobody may enter.
    pub(super) closed: bool,
    pub(super) length: u32,
    pub(super) wave: Ms,
    /// Room ever taken, freed at the line, and released at the tail, cm.
    taken: u32,
    freed: u32,
    released: u32,
    pending: Vec<Pending>,
    /// Pending entries that are already released.
    ripe: usize,
    /// Part of the last vehicle stands in the lane it came from.
    overhang: (u32, u32),
    /// Who entered last from where.
    pub(super) last_entry: (Ms, u32),
    /// The first lane that waits for room here; the next one that waits where this one does.
    pub(super) waiter: u32,
    pub(super) next_waiter: u32,
    /// The lane this one waits for.
    pub(super) awaits: u32,
}

impl Lane {
    pub(super) fn new(length: u32, wave: Ms) -> Self {
        Self {
            head: NONE,
            tail: NONE,
            count: 0,
            next: NEVER,
            gate: 0,
            held: Held::No,
            stopped: NEVER,
            started: 4,
            closed: false,
            length,
            wave,
            taken: 0,
            freed: 0,
            released: 0,
            pending: Vec::new(),
            ripe: 0,
            overhang: (NONE, 0),
            last_entry: (0, NONE),
            waiter: NONE,
            next_waiter: NONE,
            awaits: NONE,
        }
    }

    /// Room taken by those who have not crossed the line, cm.
    pub(super) fn inside(&self) -> u32 {
        self.taken.wrapping_sub(self.freed)
    }

    /// Room freed so far, the curve's value, cm.
    pub(super) fn freed(&self) -> u32 {
        self.freed
    }

    /// Room taken as it is felt at the tail at `now`, cm.
    pub(super) fn felt(&mut self, now: Ms) -> u32 {
        while let Some(p) = self.pending.get(self.ripe).filter(|p| p.at <= now) {
            self.released = p.freed;
            self.ripe += 1;
        }
        if self.ripe > 32 && self.ripe * 2 > self.pending.len() {
            self.pending.drain(..self.ripe);
            self.ripe = 0;
        }
        self.taken.wrapping_sub(self.released)
    }

    /// Whether a vehicle that takes `space` may enter at `now`. A `seamless` entry asks for room for its front alone.
    pub(super) fn admits(&mut self, space: u32, seamless: bool, now: Ms) -> Result<(), Option<Ms>> {
        let felt = self.felt(now);
        if felt > 0 && felt >= self.length {
            return Err(self.pending.get(self.ripe).map(|p| p.at));
        }
        let inside = self.inside();
        if seamless || inside == 0 || inside.saturating_add(space) <= self.length { Ok(()) } else { Err(None) }
    }

    /// Takes room for a vehicle; gives where the queue ahead of it ends on the curve, and how much of it stays behind.
    pub(super) fn take(&mut self, space: u32, seamless: bool) -> (u32, u32) {
        let mark = self.taken;
        let over = self.inside().saturating_add(space).saturating_sub(self.length);
        let behind = if seamless { over.min(space) } else { 0 };
        self.taken = self.taken.wrapping_add(space - behind);
        (mark, behind)
    }

    /// Notes that `cm` of the last vehicle stand in lane `behind`.
    pub(super) fn overhangs(&mut self, behind: u32, cm: u32) {
        self.overhang = if cm > 0 { (behind, cm) } else { (NONE, 0) };
    }

    /// Frees room at the line, felt at the tail a wave later; gives what the lane behind now gets back.
    pub(super) fn free(&mut self, cm: u32, now: Ms) -> Option<(u32, u32)> {
        self.freed = self.freed.wrapping_add(cm);
        // Times never step back, or an earlier release would hide behind a later one.
        let at = (now + self.wave).max(self.pending.last().map_or(0, |p| p.at));
        self.pending.push(Pending { at, freed: self.freed });
        let (behind, owed) = self.overhang;
        let paid = owed.min(cm);
        if paid == 0 {
            return None;
        }
        // The vehicle that stands on both sides moves up as far as room was freed.
        self.taken = self.taken.wrapping_add(paid);
        self.overhang = if owed > paid { (behind, owed - paid) } else { (NONE, 0) };
        Some((behind, paid))
    }

    /// When the room that ends at `mark` on the curve was freed at the line: `None` while it is not, 0 where that is
    /// longer ago than a wave.
    pub(super) fn freed_at(&self, mark: u32) -> Option<Ms> {
        let before = |curve: u32| mark.wrapping_sub(curve) as i32 <= 0;
        if before(self.released) {
            return Some(0);
        }
        if !before(self.freed) {
            return None;
        }
        let position = self.pending[self.ripe..].partition_point(|p| !before(p.freed));
        Some(self.pending[self.ripe + position].at.saturating_sub(self.wave))
    }

    /// The curve's value when waves from the line that reach a point `distance` cm upstream at `now` set out; and when
    /// the last of them did.
    pub(super) fn freed_as_felt(&self, distance: u32, now: Ms) -> (u32, Ms) {
        let lag = self.wave_to(distance);
        let arrived = |p: &Pending| p.at.saturating_sub(self.wave) + lag <= now;
        let all = self.pending.partition_point(arrived);
        match all.checked_sub(1).map(|last| self.pending[last]) {
            Some(p) => (p.freed, p.at.saturating_sub(self.wave) + lag),
            None => (self.released, 0),
        }
    }

    /// Time a wave takes from the line to a point `distance` cm upstream.
    pub(super) fn wave_to(&self, distance: u32) -> Ms {
        if self.length == 0 {
            return 0;
        }
        (u64::from(distance.min(self.length)) * u64::from(self.wave) / u64::from(self.length)) as Ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freed_room_is_felt_at_the_tail_a_wave_later() {
        let mut lane = Lane::new(2000, 4000); // 20 m, the wave takes 4 s
        for _ in 0..2 {
            assert_eq!(lane.admits(750, false, 0), Ok(()));
            lane.take(750, false);
        }
        assert_eq!(lane.admits(750, false, 0), Err(None), "a third car finds 5 m");
        lane.free(750, 1000);
        assert_eq!(lane.inside(), 750);
        assert_eq!(lane.admits(750, false, 1000), Ok(()), "it enters behind a car that moves");
        lane.take(750, false);
        assert_eq!(lane.admits(750, false, 4999), Err(Some(5000)), "the tail still stands");
        assert_eq!(lane.felt(5000), 1500);
    }

    #[test]
    fn a_chopped_lane_adds_no_room() {
        // Two joints of 1 m before the line, behind a lane of 15 m: 17 m hold two cars and the front of a third.
        let mut lanes = [Lane::new(1500, 0), Lane::new(100, 0), Lane::new(100, 0)];
        let mut fronts_over_the_line = 0;
        let mut cars_entered = 0;
        for _ in 0..10 {
            // Each car enters upstream if it may, then moves up as far as fronts find room.
            if lanes[0].admits(750, true, 0) == Ok(()) {
                lanes[0].take(750, true);
                cars_entered += 1;
            }
            for at in [1, 0] {
                if lanes[at].inside() > 0 && lanes[at + 1].admits(750, true, 0) == Ok(()) {
                    let (_, behind) = lanes[at + 1].take(750, true);
                    lanes[at + 1].overhangs(at as u32, behind);
                    let mut back = lanes[at].free(750 - behind, 0);
                    while let Some((lane, cm)) = back {
                        back = lanes[lane as usize].free(cm, 0);
                    }
                    fronts_over_the_line += u32::from(at == 1);
                }
            }
        }
        assert_eq!(fronts_over_the_line, 1, "only one front finds room in the last metre");
        let total: u32 = lanes.iter().map(Lane::inside).sum();
        assert_eq!((cars_entered, total), (3, 1700), "as much as there is road");
    }

    #[test]
    fn the_curve_tells_when_room_was_freed() {
        let mut lane = Lane::new(10_000, 10_000);
        for _ in 0..4 {
            lane.take(750, false);
        }
        lane.free(750, 1000);
        lane.free(750, 3000);
        // (cm on the curve, when it was freed)
        for (mark, at) in [(0, Some(0)), (1, Some(1000)), (750, Some(1000)), (751, Some(3000)), (1501, None)] {
            assert_eq!(lane.freed_at(mark), at, "{mark}");
        }
        assert_eq!(lane.freed_as_felt(0, 2000), (750, 1000));
        // 50 m upstream the first wave arrives after 5 s, at 6 s.
        assert_eq!(lane.freed_as_felt(5000, 5999), (0, 0));
        assert_eq!(lane.freed_as_felt(5000, 6000), (750, 6000));
    }
}

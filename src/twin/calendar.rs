//! Who acts when: a wheel of tenths of a second, so that a second costs only those who act in it.

/// Milliseconds since the twin's start.
pub(super) type Ms = u32;
/// Nothing is planned.
pub(super) const NEVER: Ms = Ms::MAX;
/// One slot of the wheel.
pub(super) const SLOT_MS: Ms = 100;

const SLOTS: usize = 1024;

/// One appointment. It is void unless `at` is still what the actor has planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) at: Ms,
    pub(super) actor: u32,
}

/// The wheel.
#[derive(Debug)]
pub(super) struct Calendar {
    slots: Vec<Vec<Entry>>,
    /// The slot that is being worked off, counted from the start.
    current: u32,
    /// How much of it is done.
    done: usize,
}

impl Calendar {
    pub(super) fn new() -> Self {
        Self { slots: vec![Vec::new(); SLOTS], current: 0, done: 0 }
    }

    /// Notes that `actor` acts at `at`; what lies in the past happens now.
    pub(super) fn push(&mut self, at: Ms, actor: u32) {
        let ahead = (at / SLOT_MS).saturating_sub(self.current).min(SLOTS as u32 - 1);
        self.slots[(self.current + ahead) as usize % SLOTS].push(Entry { at, actor });
    }

    /// The next appointment of the current slot; what was put off for being too far ahead is put off again.
    pub(super) fn next(&mut self) -> Option<Entry> {
        loop {
            let slot = self.current as usize % SLOTS;
            let entry = *self.slots[slot].get(self.done)?;
            self.done += 1;
            if entry.at / SLOT_MS <= self.current {
                return Some(entry);
            }
            self.push(entry.at, entry.actor);
        }
    }

    /// Closes the current slot, which must be worked off.
    pub(super) fn turn(&mut self) {
        self.slots[self.current as usize % SLOTS].clear();
        self.current += 1;
        self.done = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_acts_in_his_slot_however_far_ahead() {
        let mut calendar = Calendar::new();
        // (ms, the slot it belongs to): the last lies several turns of the wheel ahead.
        let planned = [(0, 0), (99, 0), (100, 1), (102_350, 1023), (102_400, 1024), (500_000, 5000)];
        for (actor, &(at, _)) in planned.iter().enumerate() {
            calendar.push(at, actor as u32);
        }
        let mut seen = Vec::new();
        for slot in 0..5001 {
            while let Some(entry) = calendar.next() {
                seen.push((entry.at, slot));
            }
            calendar.turn();
        }
        assert_eq!(seen, planned);
    }

    #[test]
    fn what_is_planned_for_the_past_happens_now() {
        let mut calendar = Calendar::new();
        for _ in 0..10 {
            calendar.turn();
        }
        calendar.push(3, 7);
        assert_eq!(calendar.next(), Some(Entry { at: 3, actor: 7 }));
        assert_eq!(calendar.next(), None);
    }
}

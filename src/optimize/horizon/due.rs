//! Which junctions to decide anew: where more or fewer vehicles than expected were seen, and every few seconds in turn.

use crate::ids::{Id, JunctionId};
use crate::time::{Span, Time};

/// Without news a junction is decided anew after this long. Shorter than a driver's idea of a wasted green.
pub const IN_TURN: Span = Span::from_s(3);

/// What a junction looked like when it was decided last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decided {
    /// When.
    pub at: Time,
    /// When it wants to change; none if not within the horizon.
    pub next: Option<Time>,
    /// Vehicles expected on its approaches, those that have left since taken off.
    pub vehicles: i32,
}

/// Whether a junction should be decided at `now`, when `vehicles` are believed to be on its approaches.
///
/// A change that is due is always decided anew before it begins. Turns are spread over junctions by their ids, so that
/// no tick has more than its share.
pub fn due(junction: JunctionId, last: Option<&Decided>, now: Time, vehicles: i32, tick: Span) -> bool {
    let Some(last) = last else { return true };
    let ticks = (IN_TURN.ms() / tick.ms().max(1)).max(1);
    let turn = now.ms().div_euclid(tick.ms().max(1)) % ticks == junction.index() as i64 % ticks;
    turn || now - last.at >= IN_TURN + IN_TURN
        || last.next.is_some_and(|next| next <= now + tick)
        || vehicles != last.vehicles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_on_news_before_a_change_and_in_turn() {
        let last = Decided { at: Time::from_s(10), next: Some(Time::from_s(20)), vehicles: 7 };
        let junction = JunctionId::of(1);
        // (second, vehicles, due): junction 1 has its turn at 10, 13, 16, …; at 11 and 12 only news make it due; its
        // change at 20 makes it due at 19.
        for (s, vehicles, expected) in
            [(11, 7, false), (12, 7, false), (12, 8, true), (13, 7, true), (18, 7, false), (19, 7, true)]
        {
            let is = due(junction, Some(&last), Time::from_s(s), vehicles, Span::SECOND);
            let forgotten = s >= 16;
            assert_eq!(is, expected || forgotten, "{s} {vehicles}");
        }
        assert!(due(junction, None, Time::from_s(11), 0, Span::SECOND));
    }
}

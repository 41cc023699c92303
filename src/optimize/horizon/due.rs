//! Which junctions to decide anew: where more or fewer vehicles than expected were seen, before a change begins, and
//! every few seconds in turn.

use crate::ids::{Id, JunctionId};
use crate::keep::keep;
use crate::time::{Span, Time};

/// Without news a junction is decided anew after this long. Shorter than a driver's idea of a wasted green.
pub const IN_TURN: Span = Span::from_s(3);
/// So many vehicles more or fewer than expected are news; one may as well be a camera's error.
const NEWS_VEH: i32 = 2;

/// What a junction looked like when it was decided last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decided {
    /// When.
    pub at: Time,
    /// When it wants to change, or goes on until it may; none if not within the horizon.
    pub next: Option<Time>,
    /// Vehicles believed to be on its approaches then.
    pub vehicles: i32,
}

keep!(Decided { at, next, vehicles });

/// Whether a junction should be decided at `now`, when a plan can count from `from` on at the earliest, `vehicles` are
/// believed to be on its approaches and `gone` were expected to have left them since it was decided last.
///
/// A change is decided anew before it begins, for the last time when it can just still be taken back. Turns are spread
/// over junctions by their ids, so that no tick has more than its share.
pub fn due(
    junction: JunctionId,
    last: Option<&Decided>,
    (now, from): (Time, Time),
    (vehicles, gone): (i32, i32),
    tick: Span,
) -> bool {
    let Some(last) = last else { return true };
    let ticks = (IN_TURN.ms() / tick.ms().max(1)).max(1);
    let turn = now.ms().div_euclid(tick.ms().max(1)).rem_euclid(ticks) == junction.index() as i64 % ticks;
    turn || now - last.at >= IN_TURN
        || last.next.is_some_and(|next| next <= from + tick)
        || (vehicles - (last.vehicles - gone)).abs() >= NEWS_VEH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_on_news_before_a_change_and_in_turn() {
        let last = |at: i64| Decided { at: Time::from_s(at), next: Some(Time::from_s(20)), vehicles: 7 };
        let junction = JunctionId::of(1);
        // (decided, second, vehicles, expected to have left, due): junction 1 has its turn at 10, 13, 16, …; plans count
        // a second later, so its change at 20 makes it due from 18 on.
        for (at, s, vehicles, gone, expected) in [
            (10, 11, 7, 0, false),
            (10, 11, 6, 0, false), // one fewer may be an error
            (10, 11, 5, 0, true),
            (10, 11, 5, 2, false), // as expected
            (10, 11, 7, 2, true),  // two should have left and did not
            (10, 13, 7, 0, true),
            (9, 12, 7, 0, true), // three seconds are enough, whoever's turn it is
            (16, 17, 7, 0, false),
            (17, 18, 7, 0, true),
        ] {
            let now = Time::from_s(s);
            let is = due(junction, Some(&last(at)), (now, now + Span::SECOND), (vehicles, gone), Span::SECOND);
            assert_eq!(is, expected, "{at} {s} {vehicles} {gone}");
        }
        let now = Time::from_s(11);
        assert!(due(junction, None, (now, now), (0, 0), Span::SECOND));
    }
}

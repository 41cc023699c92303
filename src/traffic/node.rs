//! How long the way through a node takes, and what starting and turning cost behind it.

use crate::ids::MovementId;
use crate::network::{Network, Turn};
use crate::traffic::tracker::SPACING;

/// Turning left is no faster than this, m/s.
const LEFT_MPS: f64 = 8.0;
/// Turning right is no faster, m/s.
const RIGHT_MPS: f64 = 6.5;
/// Nor turning back, m/s.
const U_TURN_MPS: f64 = 4.0;
/// Acceleration of a car that has room, m/s².
pub(crate) const ACCELERATION: f32 = 2.2;

/// The most at which anybody drives through a movement's node, m/s.
fn turning_speed(network: &Network, movement: MovementId) -> f64 {
    let row = &network.movements()[movement];
    let limit = network.link(row.to).speed.get();
    match row.turn {
        Turn::Straight => limit,
        Turn::Left => LEFT_MPS.min(limit),
        Turn::Right => RIGHT_MPS.min(limit),
        Turn::UTurn => U_TURN_MPS.min(limit),
    }
}

/// Mean length of a movement's paths through its node, m.
fn length(network: &Network, movement: MovementId) -> f64 {
    let paths = &network.movements()[movement].connections;
    let length: f64 = paths.iter().map(|&c| network.connections()[c].length.get()).sum();
    length / paths.len().max(1) as f64
}

/// Time inside the node of whoever need not stop, s a vehicle: spent, and at the limit. It belongs to the link that is entered.
pub(super) fn inside(network: &Network, movement: MovementId) -> (f32, f32) {
    let (length, limit) = (length(network, movement), network.link(network.movements()[movement].to).speed.get());
    ((length / turning_speed(network, movement)) as f32, (length / limit) as f32)
}

/// What a vehicle loses until it drives at the limit, s: inside the node beyond what [`inside`] says, and behind it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Start {
    pub(super) inside_s: f32,
    pub(super) behind_s: f32,
}

/// The start of whoever takes a movement: of one who was the `nth` to stand before the line, from 0, or did not stand.
pub(super) fn start(network: &Network, movement: MovementId, nth: Option<u16>) -> Start {
    let limit = network.link(network.movements()[movement].to).speed.get().max(1.0) as f32;
    let turning = turning_speed(network, movement).clamp(1.0, f64::from(limit)) as f32;
    picking_up(length(network, movement) as f32, (turning, limit), nth)
}

/// The same for a way of `length` m inside, driven no faster than `turning`, into a road with this limit.
fn picking_up(length: f32, (turning, limit): (f32, f32), nth: Option<u16>) -> Start {
    // Those farther back have picked up some speed when they come to the line.
    let at_line = nth.map_or(turning, |nth| (2.0 * ACCELERATION * SPACING * f32::from(nth)).sqrt().min(turning));
    let out = (at_line * at_line + 2.0 * ACCELERATION * length).sqrt().min(turning);
    let lost = |from: f32, to: f32, most: f32| {
        (to - from) / ACCELERATION - (to * to - from * from) / (2.0 * ACCELERATION * most)
    };
    Start { inside_s: lost(at_line, out, turning), behind_s: lost(out, limit, limit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_starts_first_loses_most_and_who_turns_loses_behind_the_node() {
        // (way inside, turning speed, nth to stand, lost inside, lost behind), into a road of 15 m/s
        for (length, turning, nth, inside_s, behind_s) in [
            (15.0, 15.0, None, 0.0, 0.0),
            // 15 m from standing take √(2·15/2.2) = 3.69 s, where 1 s is enough; 8.12 m/s are left to pick up 6.88 of:
            // 6.88²/(2·2.2·15) s.
            (15.0, 15.0, Some(0), 2.69, 0.72),
            // A vehicle's length farther back: from 5.74 to 9.95 m/s in 1.91 s.
            (15.0, 15.0, Some(1), 0.91, 0.39),
            // Slower than allowed by 8.5 m/s: 8.5²/66.
            (15.0, 6.5, None, 0.0, 1.09),
            (15.0, 6.5, Some(0), 1.48, 1.09),
            (15.0, 15.0, Some(20), 0.0, 0.0),
        ] {
            let found = picking_up(length, (turning, 15.0), nth);
            let near = |a: f32, b: f32| (a - b).abs() < 0.011;
            assert!(
                near(found.inside_s, inside_s) && near(found.behind_s, behind_s),
                "{length} {turning} {nth:?} {found:?}"
            );
        }
    }
}

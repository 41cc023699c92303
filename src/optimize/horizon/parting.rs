//! Where an approach parts into lanes only near its line: who stands behind whom, and who is on the way to which lane.

use super::situation::Situation;
use crate::ids::{ConnectionId, Id, LaneId, span};
use crate::network::Network;
use crate::traffic::tracker::{Tracker, draw};

/// A queue starts to move vehicle after vehicle, so much later each, s. Source: Newell, 6 m ÷ 18 km/h and a little more.
const WAVE_S: f32 = 1.3;

/// A vehicle stands behind one that cannot enter its own lane before that has room: until vehicle `row` of a stream has
/// crossed. Source: first in, first out at a diverge (Newell; Daganzo).
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// The stream; nobody's if [`Held::NOBODY`].
    pub(super) stream: u16,
    pub(super) row: u8,
    /// From that crossing until the held vehicle could cross itself, s.
    pub(super) after: f32,
}

impl Held {
    /// Held by nobody.
    pub(super) const FREE: Self = Self { stream: Self::NOBODY, row: 0, after: 0.0 };
    /// No stream.
    pub(super) const NOBODY: u16 = u16::MAX;
}

/// A vehicle of a stream that is still on a lane upstream of the stop line's own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Upstream {
    pub(super) lane: LaneId,
    pub(super) place: u16,
    /// Vehicles that fit between that lane and the stop line.
    pub(super) fits: u16,
    pub(super) stream: u16,
    pub(super) row: u8,
}

impl Situation {
    /// On a lane that feeds several stop lines nobody passes whoever waits for room in the lane of its own turn: finds
    /// out who has to cross first.
    pub(super) fn hold_behind(&mut self) {
        self.upstream.sort_unstable_by_key(|u| (u.lane, u.place));
        let parts = self.upstream.chunk_by(|a, b| a.lane == b.lane);
        for row in parts.filter(|row| row.iter().any(|u| u.stream != row[0].stream)) {
            let mut held = Held::FREE;
            for ahead in row.windows(2) {
                let (before, after) = (ahead[0], ahead[1]);
                if let Some(room_for) = u16::from(before.row).checked_sub(before.fits) {
                    let wave = f32::from(before.fits) * WAVE_S;
                    held = Held { stream: before.stream, row: room_for as u8, after: wave };
                }
                if held.stream == Held::NOBODY || held.stream == after.stream {
                    continue; // its own lane's order says the same
                }
                self.parted = true;
                let lane = self.streams[usize::from(after.stream)].lane;
                let worlds = self.streams[usize::from(after.stream)..].iter().take_while(|s| s.lane == lane);
                for world in worlds.filter(|s| s.len > after.row) {
                    let at = world.first as usize + usize::from(after.row);
                    self.held[at] = Held { after: held.after + self.arrivals[at].max(0.0), ..held };
                }
            }
        }
    }
}

/// Whether a vehicle on lane `from` is on its way to lane `to` with no signal between: by the path it waits for, then by
/// its own draws.
pub(super) fn leads_to(
    network: &Network,
    tracker: &Tracker,
    from: LaneId,
    to: LaneId,
    seed: u32,
    mut wants: Option<ConnectionId>,
) -> bool {
    let mut lane = from;
    for _ in 0..12 {
        let exits = &network.lane(lane).exits;
        let mut shares = [0.0_f32; 16];
        let count = span(exits).len().min(16);
        for (share, connection) in shares.iter_mut().zip(span(exits)) {
            *share = tracker.share(connection);
        }
        let drawn = || draw::exit(seed, 0, &shares[..count], 0).map(|way| ConnectionId::of(exits.start.index() + way));
        let Some(path) = wants.take().or_else(drawn) else { return false };
        lane = network.connections()[path].to;
        if lane == to {
            return true;
        }
    }
    false
}

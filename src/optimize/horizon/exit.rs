//! How many vehicles the road behind a junction can take: as far as the last one that stands there, over short links and
//! past nodes that hold nobody up, where roads are chopped into pieces.

use crate::ids::{JunctionId, LaneId, LinkId, span};
use crate::network::Network;
use crate::traffic::tracker::{Tracker, Vehicle};

/// A road that is free for so long takes whoever comes, m.
const AMPLE_M: f32 = 300.0;
/// A path that fewer take than this share of those who come does not count.
const RARE: f32 = 0.05;

/// What is known of the roads behind a junction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beyond<'a> {
    pub(super) network: &'a Network,
    pub(super) tracker: &'a Tracker,
    pub(super) junction: JunctionId,
}

impl Beyond<'_> {
    /// Vehicles that link `exit` can take now; infinite where nothing is known to be in their way.
    pub(super) fn room(self, exit: LinkId) -> f32 {
        let lanes = span(&self.network.link(exit).lanes).filter(|&lane| self.tracker.lane(lane).is_some());
        lanes.map(|lane| self.ahead(lane, AMPLE_M)).reduce(|sum, room| sum + room).unwrap_or(f32::INFINITY)
    }

    /// Vehicles that a lane and those behind it can take; infinite where `left` metres of them are free.
    fn ahead(self, lane: LaneId, left: f32) -> f32 {
        let Some(track) = self.tracker.lane(lane) else { return f32::INFINITY };
        let paths = || span(&self.network.lane(lane).exits);
        let leads_out = paths().next().is_none(); // whoever drives there is gone before long
        let queued = if leads_out { track.vehicles().iter().any(Vehicle::stands) } else { track.is_queued() };
        let (here, left) = (track.room(), left - track.length());
        // A line of this junction's own is passed in the same stage; another's may stay red.
        let other = |(junction, _)| junction != self.junction && !track.is_green();
        let closed = paths().any(|path| self.network.connections()[path].control.group().is_some_and(other));
        if queued || closed {
            return here;
        }
        if left <= 0.0 {
            return f32::INFINITY;
        }
        // Whoever waits for room on one of several paths is in the way of those who take another.
        let beyond = paths().map(|path| (self.tracker.share(path), self.network.connections()[path].to));
        let beyond = beyond.filter(|(share, _)| *share >= RARE);
        here + beyond.map(|(share, to)| self.ahead(to, left) / share).fold(f32::INFINITY, f32::min)
    }
}

//! The way of a call, and another one where something is in the way: a road that is closed, or a queue that has green and
//! does not move.

use crate::corridor::call::Call;
use crate::corridor::clear::{Look, Sight};
use crate::corridor::route::Atlas;
use crate::corridor::way::Way;
use crate::event::PriorityRequest;
use crate::ids::{LinkId, span};
use crate::keep::keep;
use crate::network::Network;
use crate::time::{Span, Time};

/// From asking to green, as a rule: what conflicting groups still owe.
pub(super) const OWED: Span = Span::from_s(12);
/// A queue that does not move is thought to stand for so long yet; a road that was gone round for it is not taken again
/// before, or two ways that are slow in turn would be taken in turn. Whoever comes there later looks again then.
const STANDS: Span = Span::from_s(300);

/// What is known to be in a call's way.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct InTheWay {
    /// The road ahead that is closed, if there is no way around it.
    closed: Option<LinkId>,
    /// Roads that nobody got into or out of, and until when they are not taken.
    stuck: Vec<(LinkId, Time)>,
}

keep!(InTheWay { closed, stuck });

impl Call {
    /// Takes the fastest way from `here` instead of its own; whether there is one.
    pub(super) fn turns_off(&mut self, network: &Network, atlas: &Atlas, here: LinkId, look: Look<'_>) -> bool {
        let asked = PriorityRequest { from: here, route: Box::default(), ..self.request.clone() };
        let stuck: Vec<LinkId> = self.in_the_way.stuck.iter().map(|stuck| stuck.0).collect();
        let Ok(way) = plan(network, atlas, &asked, &stuck, look) else { return false };
        self.turn_into(way);
        true
    }

    /// Goes round what has come into its way since it last looked; what there is to say of it.
    pub(super) fn go_round(
        &mut self,
        network: &Network,
        atlas: &Atlas,
        now: Time,
        look: Look<'_>,
    ) -> Option<&'static str> {
        let closed = self.closed_ahead(network, look);
        if closed != self.in_the_way.closed {
            let round = closed.is_some()
                && self.turns_off(network, atlas, self.here(), look)
                && self.closed_ahead(network, look).is_none();
            self.in_the_way.closed = closed.filter(|_| !round);
            if round {
                self.expect(now);
            }
            return Some(match (closed.is_some(), round) {
                (true, true) => "a road ahead is closed: planned anew around it",
                (true, false) => "a road ahead is closed, and no way leads around it",
                _ => "the road ahead is open again",
            });
        }
        self.in_the_way.stuck.retain(|stuck| stuck.1 > now);
        let stuck = self.stuck_ahead(network, now, look);
        let into = *stuck.first()?;
        self.in_the_way.stuck.extend(stuck.iter().map(|&link| (link, now + STANDS)));
        let before = (self.way.clone(), self.progress.clone());
        if self.turns_off(network, atlas, self.here(), look) && !self.way.links.contains(&into) {
            self.expect(now);
            return Some("a queue ahead does not move: planned anew around it");
        }
        (self.way, self.progress) = before;
        Some("a queue ahead does not move, and no way around it is faster")
    }

    /// The road it is on.
    pub(super) fn here(&self) -> LinkId {
        self.way.links[self.way.row(self.progress.at_m)]
    }

    /// The first road ahead of the one it is on that nobody can drive on.
    fn closed_ahead(&self, network: &Network, look: Look<'_>) -> Option<LinkId> {
        let mut ahead = self.way.links[self.way.row(self.progress.at_m) + 1..].iter().copied();
        ahead.find(|&link| every(network, link, look, |sight| sight.closed))
    }

    /// The first turn ahead that nobody makes though it has green: the road that it leads into, and the one that it leads
    /// out of where nobody makes any other turn from there either. Nothing where that is known, or where it is so far ahead
    /// that it may be over by then.
    fn stuck_ahead(&self, network: &Network, now: Time, look: Look<'_>) -> Vec<LinkId> {
        let here = self.way.row(self.progress.at_m);
        let ahead = self.way.gates.iter().skip(self.way.gates.len() - self.gates.len()).zip(&self.gates);
        for (gate, _) in ahead.filter(|(gate, eta)| gate.row >= here && eta.low - now < STANDS) {
            let Some(&into) = self.way.links.get(gate.row + 1) else { continue };
            let known = self.in_the_way.stuck.iter().any(|stuck| stuck.0 == into);
            let stands = |&lane| look(lane, 0.0).is_some_and(|sight| sight.stuck);
            if !known && !gate.lanes.is_empty() && gate.lanes.iter().all(stands) {
                let from = self.way.links[gate.row];
                let all = gate.row > here && every(network, from, look, |sight| sight.stuck);
                return std::iter::once(into).chain(all.then_some(from)).collect();
            }
        }
        Vec::new()
    }
}

/// The fastest way of a request that takes none of some roads.
pub(super) fn plan_without(
    network: &Network,
    atlas: &Atlas,
    request: &PriorityRequest,
    without: &[LinkId],
    look: Look<'_>,
) -> Result<Way, &'static str> {
    let held = |link: LinkId| if without.contains(&link) { None } else { held(network, link, true, look) };
    let (links, _) = atlas.way(network, (request.from, request.to), held).ok_or("no way leads there")?;
    Way::new(network, &links).ok_or("no way leads there")
}

/// The way that a request gives, or else the fastest: nobody gets through `stuck` roads for a while, nor through those whose
/// queues have green and do not move.
pub(super) fn plan(
    network: &Network,
    atlas: &Atlas,
    request: &PriorityRequest,
    stuck: &[LinkId],
    look: Look<'_>,
) -> Result<Way, &'static str> {
    if !request.route.is_empty() {
        return Way::new(network, &request.route).ok_or("its route has a gap");
    }
    let held = |link: LinkId| held(network, link, !stuck.contains(&link), look);
    let (links, _) = atlas.way(network, (request.from, request.to), held).ok_or("no way leads there")?;
    Way::new(network, &links).ok_or("no way leads there")
}

/// How long from now the end of a road cannot be passed yet: a green is owed to others and the queue before it goes first, or
/// it does not move. None where nobody can drive on it.
fn held(network: &Network, link: LinkId, moves: bool, look: Look<'_>) -> Option<Span> {
    let (mut open, mut any, mut queue) = (false, false, Span::ZERO);
    for sight in span(&network.link(link).lanes).map(|lane| look(lane, f64::INFINITY)) {
        open |= sight.is_none_or(|sight| !sight.closed);
        any |= sight.is_none_or(|sight| !sight.stuck);
        queue = queue.max(sight.map_or(Span::ZERO, |sight| Span::nearest(sight.vehicles * sight.headway_s)));
    }
    let signal = network.junction_at_end(link).is_some();
    let green = if signal { OWED + queue } else { Span::ZERO };
    open.then(|| if moves && any { green } else { green.max(STANDS) })
}

/// Whether something is so on every lane of a road.
fn every(network: &Network, link: LinkId, look: Look<'_>, so: impl Fn(Sight) -> bool) -> bool {
    span(&network.link(link).lanes).all(|lane| look(lane, 0.0).is_some_and(&so))
}

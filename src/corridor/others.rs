//! The other ways that a call could take, what each would bring and cost, and why it is not taken.

use crate::corridor::call::Call;
use crate::corridor::clear::Look;
use crate::corridor::cost::cost;
use crate::corridor::round::plan_without;
use crate::corridor::route::Atlas;
use crate::event::PriorityRequest;
use crate::ids::LinkId;
use crate::keep::keep;
use crate::network::Network;
use crate::time::{Span, Time};

/// No more other ways than this are told.
pub const OTHERS_MAX: usize = 2;
/// Another way shares no more than this part of its length with one that is told already.
const SHARED_MAX: f64 = 0.6;
/// No other way is told that takes longer than so many times what the chosen one does.
const LONGER_MAX: f64 = 2.0;

/// A way that is not taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// Its links from where the vehicle is, both ends included.
    pub route: Vec<LinkId>,
    /// The earliest and the latest instant at which the vehicle would be there.
    pub arrives: (Time, Time),
    /// What its greens would be expected to cost others, vehicle-seconds.
    pub cost_veh_s: f64,
    /// Why it is not taken.
    pub why: Box<str>,
}

keep!(Alternative { route, arrives, cost_veh_s, why });

impl Call {
    /// The best way from where it is that differs clearly from its own and from those `told`: the middle half of each of
    /// them is left out of the search. None where there is none that is worth telling.
    pub(super) fn other(
        &self,
        network: &Network,
        atlas: &Atlas,
        told: &[Alternative],
        now: Time,
        look: Look<'_>,
    ) -> Option<Alternative> {
        let own = self.arrival(now);
        let asked = PriorityRequest { from: self.here(), route: Box::default(), ..self.request.clone() };
        let mut ways = vec![self.way.links[self.way.row(self.progress.at_m)..].to_vec()];
        ways.extend(told.iter().map(|other| other.route.clone()));
        let without: Vec<LinkId> = ways.iter().flat_map(|way| middle(network, way)).copied().collect();
        let way = plan_without(network, atlas, &asked, &without, look).ok()?;
        if !differs(network, &ways, &way.links) {
            return None;
        }
        let mut other = self.clone();
        other.turn_into(way);
        other.estimate(network, now, look);
        let arrives = other.arrival(now);
        if (arrives.1 - now).s() > LONGER_MAX * (own.1 - now).s() {
            return None;
        }
        let cost_veh_s = cost(network, &other.way, &other.gates, look);
        let given = !self.request.route.is_empty() && self.way.links.ends_with(&self.request.route);
        let more = cost_veh_s - cost(network, &self.way, &self.gates, look);
        let why = why(middle_of(own), middle_of(arrives), more, given);
        Some(Alternative { route: other.way.links, arrives, cost_veh_s, why: why.into() })
    }
}

/// Why a way is not taken that leads there at `other` instead of `own` and costs others so much more.
fn why(own: Time, other: Time, more_veh_s: f64, given: bool) -> String {
    let (cost, word) = (more_veh_s.abs().round(), if more_veh_s < 0.0 { "less" } else { "more" });
    let later = (other - own).s().round();
    let there = match later {
        _ if given => "the request gives its own way: this one is there".to_owned(),
        s if s >= 1.0 => return format!("there {s} s later, costs others {cost} veh·s {word}"),
        _ => "no sooner by the queues that it would meet: there".to_owned(),
    };
    let word_s = if later < 0.0 { "earlier" } else { "later" };
    format!("{there} {} s {word_s}, costs others {cost} veh·s {word}", later.abs())
}

fn middle_of((low, high): (Time, Time)) -> Time {
    low + Span::nearest((high - low).s() / 2.0)
}

/// The links of a way that lie in the middle half of its length, its ends never.
pub fn middle<'a>(network: &Network, way: &'a [LinkId]) -> &'a [LinkId] {
    let total = length_m(network, way.iter());
    let mut at = 0.0;
    let before = |&link: &LinkId| {
        at += network.link(link).length.get();
        at
    };
    let ends: Vec<f64> = way.iter().map(before).collect();
    let from = ends.partition_point(|&end| end < 0.25 * total).max(1);
    let to = ends.partition_point(|&end| end < 0.75 * total).min(way.len().saturating_sub(1));
    way.get(from..to.max(from)).unwrap_or(&[])
}

/// Whether a way differs clearly from each of those that are told: most of its length is not theirs.
pub fn differs(network: &Network, told: &[Vec<LinkId>], way: &[LinkId]) -> bool {
    let length = length_m(network, way.iter());
    let same = |told: &Vec<LinkId>| length_m(network, way.iter().filter(|link| told.contains(link)));
    told.iter().all(|told| same(told) <= SHARED_MAX * length)
}

fn length_m<'a>(network: &Network, links: impl Iterator<Item = &'a LinkId>) -> f64 {
    links.map(|&link| network.link(link).length.get()).sum()
}

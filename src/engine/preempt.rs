//! A junction on an emergency vehicle's way: when its lamps have to leave for the vehicle's stage, how long they stay,
//! and how those who waited get back what they lost. Preemption goes before optimization, and an operator before both.

use crate::corridor::Held;
use crate::corridor::clear::Sight;
use crate::corridor::preempt::{Preemption, green_at, lead, stage};
use crate::engine::Engine;
use crate::engine::draft::Wish;
use crate::ids::{GroupId, GroupSet, JunctionId, LaneId, span};
use crate::network::{GroupKind, Network};
use crate::output::Source;
use crate::plan::running::Running;
use crate::time::{Span, Time};
use crate::traffic::tracker::Tracker;

/// A lead that could begin so much later is begun: what runs in between could make it late.
const GUARD: Span = Span::from_s(8);
/// A hold ends so long before somebody has waited for as long as anybody may.
const MARGIN: Span = Span::from_s(6);
/// Paying back takes no longer than this many cycles of the base program.
const CYCLES_MAX: i64 = 3;

/// What a junction owes for a vehicle that it lets or let through.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Debt {
    call: u32,
    /// Vehicles that stood before other signals when it began.
    before: f64,
    /// Their delay beyond that since it was last told, vehicle-seconds.
    extra_veh_s: f64,
    /// Since when the vehicle is through.
    released: Option<Time>,
    /// Who waited then and has not been served since, ...
    unserved: GroupSet,
    /// ... and the one of them that had waited longest, until it is.
    first: Option<GroupId>,
}

impl Engine {
    /// What the vehicles on their way ask of a junction now, if that is anything.
    pub(super) fn preempted(&self, id: JunctionId, running: &Running, from: Time) -> Option<Wish> {
        let post = &self.posts[id];
        let junction = self.network.junction(id);
        let bounds = post.bounds(junction);
        let grid = self.settings.grid();
        let wish = |changes, hold| Wish { changes, program: post.after.clone(), source: Source::Corridor, hold };
        if let Some(order) = self.preempt.iter().find(|o| o.junction == id && o.until > from) {
            let target = stage(junction, order.groups)?;
            let changes = lead(running, from, target, bounds, grid)?;
            let green = green_at(running, &changes, target, order.groups, junction);
            let slack = order.from - green;
            if slack <= GUARD {
                let shown = junction.stages[target].groups;
                let hold = self.patience(id, shown, from, order);
                return match slack > Span::ZERO && !changes.is_empty() {
                    true => Some(wish(Vec::new(), slack.floor(grid) + GUARD)),
                    false => Some(wish(changes, hold)),
                };
            }
            return None;
        }
        let first = post.debt.as_ref()?.first?;
        let target = junction.stages.ids().filter(|&s| junction.stages[s].groups.contains(first));
        let leads = target.filter_map(|s| Some((lead(running, from, s, bounds, grid)?, s)));
        let (changes, _) = leads.min_by_key(|(changes, s)| (changes.len(), *s))?;
        Some(wish(changes, Span::ZERO))
    }

    /// How long a stage may be held: until the vehicle has passed, or somebody else may wait no longer.
    fn patience(&self, id: JunctionId, shown: GroupSet, from: Time, order: &Preemption) -> Span {
        let post = &self.posts[id];
        let junction = self.network.junction(id);
        let bounds = post.bounds(junction);
        let longest = |group: GroupId| {
            let since = post.waiting.since()[group]?;
            let owed = shown.iter().map(|g| junction.intergreen(g, group).span).max().unwrap_or(Span::ZERO);
            Some(since + bounds.max_red(group) - owed - MARGIN)
        };
        let others = junction.groups.ids().filter(|&g| !shown.contains(g)).filter_map(longest);
        let until = others.fold(order.until, Time::min);
        (until - from).max(Span::ZERO)
    }

    /// Notes what each junction that serves or served a vehicle owes; what there is to say of it.
    pub(super) fn settle(&mut self) -> Vec<Held> {
        let mut told = Vec::new();
        for (id, post) in self.posts.iter_mut() {
            let junction = self.network.junction(id);
            let order = self.preempt.iter().find(|o| o.junction == id);
            let Some(running) = post.ledger.states(self.now, junction).last() else {
                post.debt = None;
                continue;
            };
            let green = running.lamps.green(self.now);
            let begun = post.plan_source == Source::Corridor;
            if post.debt.is_none() && !(order.is_some() && begun) {
                continue;
            }
            let standing = standing(&self.network, &self.tracker, id);
            let debt = post.debt.get_or_insert_with(|| Debt {
                call: order.map_or(0, |o| o.call),
                before: standing,
                extra_veh_s: 0.0,
                released: None,
                unserved: GroupSet::EMPTY,
                first: None,
            });
            debt.extra_veh_s = (standing - debt.before).max(0.0) * self.settings.tick().s();
            match order {
                Some(order) => {
                    debt.call = order.call;
                    debt.released = None;
                    debt.first = None;
                }
                None if debt.released.is_none() => {
                    debt.released = Some(self.now);
                    let waits = |g: &GroupId| post.waiting.since()[*g].is_some() && !green.contains(*g);
                    let waiting: GroupSet = junction.groups.ids().filter(waits).collect();
                    debt.unserved = waiting;
                    let vehicles = waiting.iter().filter(|&g| junction.groups[g].kind == GroupKind::Vehicle);
                    debt.first = vehicles.min_by_key(|&g| post.waiting.since()[g]);
                }
                None => {
                    debt.unserved = debt.unserved.difference(green);
                    debt.first = debt.first.filter(|&g| !green.contains(g));
                }
            }
            let over = debt.released.is_some_and(|at| self.now - at > post.base.cycle() * CYCLES_MAX);
            if order.is_none() && (debt.unserved.is_empty() || over) {
                post.debt = None;
            } else {
                told.push(Held { junction: id, call: debt.call, extra_veh_s: debt.extra_veh_s });
            }
        }
        told
    }

    /// What the corridors see of a lane here: those of its vehicles that are within `within_m` of its end.
    pub(super) fn sight_of(&self, lane: LaneId, within_m: f64) -> Option<Sight> {
        let track = self.tracker.lane(lane)?;
        let discharge = track.discharge();
        Some(Sight {
            vehicles: track.vehicles().iter().filter(|v| f64::from(v.gap) <= within_m).count() as f64,
            room: f64::from(track.room()),
            headway_s: f64::from(discharge.headway_s),
            startup_s: f64::from(discharge.startup_s),
            flow: self.traffic.lane(lane).map_or(0.0, |state| state.arrivals.flow.get() / 3600.0),
            closed: self.closed.contains(&lane),
        })
    }
}

/// Vehicles that stand on a junction's approaches.
fn standing(network: &Network, tracker: &Tracker, id: JunctionId) -> f64 {
    let approaches = network.junction(id).approaches.iter();
    let lanes = approaches.flat_map(|&link| span(&network.link(link).lanes)).filter_map(|lane| tracker.lane(lane));
    lanes.map(|track| track.vehicles().iter().filter(|v| v.stands()).count() as f64).sum()
}

//! What a junction owes for a vehicle that it lets or let through: measured, paid back to whoever has waited longest first,
//! and told until it is even, or said not to be.

use crate::corridor::Answer;
use crate::corridor::preempt::lead;
use crate::corridor::recovery::{CYCLES_MAX, Owed, Standing};
use crate::engine::Engine;
use crate::engine::draft::Wish;
use crate::engine::post::Post;
use crate::engine::preempt::first;
use crate::ids::{GroupId, GroupSet, Id, JunctionId, span};
use crate::keep::keep;
use crate::network::{GroupKind, Network};
use crate::output::Source;
use crate::plan::running::Running;
use crate::time::{Span, Time};
use crate::traffic::tracker::Tracker;

/// How many stand before a junction's signals is looked at so often, ...
const LOOK: Span = Span::from_s(5);
/// ... and the mean of it is over so many looks: about a cycle.
const LOOKS: u32 = 18;

/// How many vehicles stand before a junction's signals when nothing is done for a vehicle: over a cycle or so, the mean and
/// how that varies.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Usual {
    mean: f64,
    variance: f64,
    looks: u32,
}

keep!(Usual { mean, variance, looks });

impl Usual {
    fn learn(&mut self, standing: f64) {
        self.looks = (self.looks + 1).min(LOOKS);
        let weight = 1.0 / f64::from(self.looks);
        let off = standing - self.mean;
        self.mean += weight * off;
        self.variance += weight * ((1.0 - weight) * off * off - self.variance);
    }

    /// Vehicles more than the mean that are nothing unusual: a standard deviation, and at least one.
    fn spread(&self) -> f64 {
        self.variance.max(1.0).sqrt()
    }
}

/// What a junction owes for a vehicle.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Debt {
    call: u32,
    /// Vehicles that stand because of it: more than usual, and once it is through fewer and fewer. Whoever comes to stand
    /// later does so for another reason.
    excess: f64,
    /// Since when the vehicle is through.
    released: Option<Time>,
    /// Who waited then and has not been served since, ...
    unserved: GroupSet,
    /// ... and the one of them that is being led to.
    next: Option<GroupId>,
}

keep!(Debt { call, excess, released, unserved, next });

impl Engine {
    /// The way to the green of whoever is being paid back at a junction.
    pub(super) fn repay(&self, id: JunctionId, running: &Running, from: Time) -> Option<Wish> {
        let next = self.posts[id].debt.as_ref()?.next?;
        self.lead_to(id, running, from, next)
    }

    /// Where what is wished leaves a stage now, and somebody has waited for longer than those it turns to since the vehicle
    /// was through: the way to his green. When a stage is left stays for whoever decides to say.
    pub(super) fn turn_of(&mut self, id: JunctionId, running: &Running, from: Time, wish: &Wish) -> Option<Wish> {
        if !matches!(wish.source, Source::Horizon | Source::Timed | Source::Actuated | Source::MaxPressure) {
            return None; // a program in step with the clock serves all in its own order
        }
        let change = wish.changes.first().filter(|change| change.at <= from)?;
        let (post, junction) = (&self.posts[id], self.network.junction(id));
        let debt = post.debt.as_ref().filter(|debt| debt.released.is_some())?;
        let next = self.longest_waiting(id, debt.unserved)?;
        if junction.stages[change.stage].groups.contains(next) {
            return None;
        }
        let leads = self.lead_to(id, running, from, next)?;
        if leads.changes.first().is_none_or(|first| first.stage == change.stage) {
            return None; // it is on the way there
        }
        self.posts[id].debt.as_mut()?.next = Some(next);
        Some(leads)
    }

    fn lead_to(&self, id: JunctionId, running: &Running, from: Time, group: GroupId) -> Option<Wish> {
        let (post, junction, grid) = (&self.posts[id], self.network.junction(id), self.settings.grid());
        let serves = junction.stages.ids().filter(|&s| junction.stages[s].groups.contains(group));
        let leads = serves.filter_map(|s| Some((lead(running, from, s, post.bounds(junction), grid)?, s)));
        let (changes, _) = leads.min_by_key(|(changes, s)| (changes.len(), *s))?;
        let (program, otherwise) = (post.after.clone(), vec![Vec::new()]);
        Some(Wish { changes, otherwise, program, source: Source::Corridor, hold: Span::ZERO })
    }

    /// Of some groups the one before whose light vehicles have waited longest.
    fn longest_waiting(&self, id: JunctionId, groups: GroupSet) -> Option<GroupId> {
        let (since, junction) = (self.posts[id].waiting.since(), self.network.junction(id));
        let vehicles = groups.iter().filter(|&g| junction.groups[g].kind == GroupKind::Vehicle);
        vehicles.filter_map(|g| Some((since[g]?, g))).min().map(|(_, g)| g)
    }

    /// Notes what each junction that serves or served a vehicle owes; what there is to say of it.
    pub(super) fn settle(&mut self) -> Vec<Answer> {
        let mut told = Vec::new();
        let (looks, tick) = ((LOOK.ms() / self.settings.tick().ms().max(1)).max(1), self.settings.tick().ms().max(1));
        let turn = self.now.ms().div_euclid(tick).rem_euclid(looks);
        for id in self.posts.ids() {
            let order = first(&self.preempt, id, self.now).map(|order| order.call);
            if order.is_some() || self.posts[id].debt.is_some() {
                let debt = self.posts[id].debt.take();
                self.posts[id].debt = self.account(id, order, debt, &mut told);
            }
            if self.posts[id].debt.is_none() && turn == id.index() as i64 % looks {
                self.posts[id].usual.learn(standing(&self.network, &self.tracker, id));
            }
        }
        told
    }

    /// What a junction owes now, when it is to serve `call`, if any, and `debt` is what it owed before.
    fn account(
        &mut self,
        id: JunctionId,
        call: Option<u32>,
        debt: Option<Debt>,
        told: &mut Vec<Answer>,
    ) -> Option<Debt> {
        let (junction, now) = (self.network.junction(id), self.now);
        // Where none of our plans runs nothing can be told; whose account it is hears that it is told of no more.
        let green = self.posts[id].ledger.states(now, junction).last()?.lamps.green(now);
        let post = &self.posts[id];
        let ready = call.and(post.approach.as_ref()).map(|approach| approach.green.max(now));
        let mut say = |call, green, owed| told.push(Answer { junction: id, call, green, owed });
        let opened = |call| Debt { call, excess: 0.0, released: None, unserved: GroupSet::EMPTY, next: None };
        let begun = post.plan_source == Source::Corridor;
        let Some(mut debt) = debt.or_else(|| call.filter(|_| begun).map(opened)) else {
            say(call?, ready, None);
            return None;
        };
        let excess = (standing(&self.network, &self.tracker, id) - post.usual.mean).max(0.0);
        debt.excess = if call.is_some() { excess } else { excess.min(debt.excess) };
        let extra_veh_s = debt.excess * self.settings.tick().s();
        if let Some(call) = call {
            if debt.call != call {
                say(debt.call, None, Some(Owed { extra_veh_s: 0.0, standing: Standing::PassedOn, back: false }));
            }
            (debt.call, debt.released, debt.unserved, debt.next) = (call, None, GroupSet::EMPTY, None);
            say(call, ready, Some(Owed { extra_veh_s, standing: Standing::Serves, back: false }));
            return Some(debt);
        }
        let waits = |&g: &GroupId| post.waiting.since()[g].is_some();
        if debt.released.is_none() {
            debt.unserved = junction.groups.ids().filter(waits).collect::<GroupSet>().difference(green);
            debt.next = self.longest_waiting(id, debt.unserved);
        } else {
            debt.unserved = debt.unserved.difference(green).iter().filter(waits).collect();
            debt.next = debt.next.filter(|&g| debt.unserved.contains(g));
        }
        let released = *debt.released.get_or_insert(now);
        let back = coordinated(post, now);
        let state = match () {
            () if back && debt.unserved.is_empty() && debt.excess <= post.usual.spread() => Standing::PaidBack,
            () if now - released > post.base.cycle() * CYCLES_MAX => Standing::Overdue,
            () => Standing::Owes,
        };
        say(debt.call, None, Some(Owed { extra_veh_s, standing: state, back }));
        (state == Standing::Owes).then_some(debt)
    }
}

/// Whether what runs at a junction is decided as it would be without a vehicle, and in step where it is its program.
fn coordinated(post: &Post, now: Time) -> bool {
    match post.plan_source {
        Source::Corridor => false,
        Source::Base => post.plan.as_ref().is_none_or(|plan| plan.tail.from <= now),
        _ => true,
    }
}

/// Vehicles that stand on a junction's approaches.
fn standing(network: &Network, tracker: &Tracker, id: JunctionId) -> f64 {
    let approaches = network.junction(id).approaches.iter();
    let lanes = approaches.flat_map(|&link| span(&network.link(link).lanes)).filter_map(|lane| tracker.lane(lane));
    lanes.map(|track| track.vehicles().iter().filter(|v| v.stands()).count() as f64).sum()
}

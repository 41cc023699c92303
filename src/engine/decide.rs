//! What should run at each junction, and whether it is worth saying so.

use crate::engine::draft::{After, Term, Wish, draft};
use crate::engine::post::Post;
use crate::engine::reference::Reference;
use crate::engine::{Control, Engine};
use crate::event::Mode;
use crate::ids::{Id, JunctionId};
use crate::network::Program;
use crate::optimize::decision::{Decision, Now};
use crate::optimize::horizon::due::{Decided, due};
use crate::optimize::horizon::{self, Moment, Schedule};
use crate::output::{GroupDemand, Output, Published, Refused, Source, Why};
use crate::plan::bounds::Bounds;
use crate::plan::check::{Setting, check};
use crate::plan::draft::Change;
use crate::plan::ladder::{Order, Rung};
use crate::plan::transition::fit;
use crate::time::{Span, Time};
use crate::traffic::tracker::Crossing;

/// A plan that differs from the running one only beyond this much after it could first count may wait.
const COMMIT: Span = Span::from_s(3);
/// Where nobody says otherwise, a schedule's last stage goes on for so long before the base program takes over.
const HOLD: Span = Span::from_s(20);
/// A plan that differs at all is told at least this often, so that countdowns stay honest.
const RETELL: Span = Span::from_s(10);

impl Engine {
    /// Decides for every junction that is due; what vehicles are expected to leave for other partitions.
    pub(super) fn decide_all(&mut self) -> Vec<Crossing> {
        let mut announced = Vec::new();
        for id in self.posts.ids() {
            let orders = self.wish(id);
            let called = self.ask(id, self.now).is_some();
            if orders.is_none() && !called && !self.is_due(id) {
                continue;
            }
            announced.clear();
            for &before in &self.upstream[id] {
                let told = self.posts.get(before).map_or(&[][..], |post| &post.schedule.discharges);
                let comes = |c: &&Crossing| c.at > self.now && self.onward[c.connection] == Some(id);
                announced.extend(told.iter().filter(comes));
            }
            announced.extend(self.foreign.iter().filter(|c| self.leads_to(c, id)));
            self.decide(id, orders, &announced);
        }
        let mut expected = Vec::new();
        for (_, post) in self.posts.iter_mut() {
            if let Some(fresh) = post.fresh.take() {
                post.schedule = fresh;
            }
        }
        for &id in &self.border {
            let leaves = |c: &&Crossing| !self.partition.lanes.contains(&self.network.connections()[c.connection].to);
            expected.extend(self.posts[id].schedule.discharges.iter().filter(|c| c.at > self.now).filter(leaves));
        }
        expected
    }

    fn leads_to(&self, crossing: &Crossing, junction: JunctionId) -> bool {
        let to = self.network.connections()[crossing.connection].to;
        self.network.junction_at_end(self.network.lane(to).link) == Some(junction)
    }

    /// Whether the rolling schedule of a junction is to be made anew.
    fn is_due(&self, id: JunctionId) -> bool {
        let post = &self.posts[id];
        let from = (self.now + self.settings.lead()).ceil(self.settings.grid());
        let gone = post.decided.map_or(0, |last| {
            let left = |c: &&Crossing| c.at > last.at && c.at <= self.now;
            post.schedule.discharges.iter().filter(left).count() as i32
        });
        due(id, post.decided.as_ref(), (self.now, from), (self.present(post), gone), self.settings.tick())
    }

    /// Vehicles believed to be on a junction's approaches.
    fn present(&self, post: &Post) -> i32 {
        let here = |lane| self.tracker.lane(lane).map_or(0, |track| track.vehicles().len());
        post.layout.lanes().map(here).sum::<usize>() as i32
    }

    /// What is believed to want to pass: vehicles in the lanes that each group releases, and people who wait to cross.
    fn demand(&self, id: JunctionId) -> Vec<GroupDemand> {
        let post = &self.posts[id];
        let walkers = post.waiting.walkers();
        let each = post.lanes.iter().map(|(group, lanes)| {
            let here = lanes.iter().filter_map(|&lane| self.tracker.lane(lane)).map(|track| track.vehicles().len());
            let count = here.sum::<usize>() as f32 + walkers[group.index()];
            let quality = lanes.iter().filter_map(|&lane| self.traffic.quality(lane)).max().unwrap_or(post.known);
            GroupDemand { group, count, quality }
        });
        each.collect()
    }

    fn decide(&mut self, id: JunctionId, orders: Option<Wish>, announced: &[Crossing]) {
        let junction = self.network.junction(id);
        let (now, lead, grid) = (self.now, self.settings.lead(), self.settings.grid());
        let from = (now + lead).ceil(grid);
        let vehicles = self.present(&self.posts[id]);
        self.posts[id].decided = None;
        self.posts[id].approach = None;
        let Some(state) = self.posts[id].ledger.states(now, junction).last() else {
            return; // nothing can be sent to a controller that is not ours
        };
        let running = state.at(from, junction);
        let planned = state.ahead.iter().copied().find(|c| c.at >= from && Some(c.stage) != running.stage);
        let orders = match orders {
            Some(ordered) if ordered.source == Source::Operator => Some(ordered),
            other => self.preempted(id, &running, from).or(other),
        };
        let stands_in = self.settings.control.is_reference();
        let post = &mut self.posts[id];
        let (mut wish, mut why) = match orders {
            Some(wish) => (wish, Why::default()),
            None => {
                let Some(stage) = running.stage else { return self.take_over(id, from) };
                let moment = Moment {
                    now,
                    grid,
                    earliest: from,
                    stage,
                    since: running.since,
                    lamps: &running.lamps,
                    waiting: post.waiting.since(),
                    walkers: post.waiting.walkers(),
                    announced,
                };
                let reference = post.reference.as_ref().filter(|_| post.rung == Some(Rung::Actuated) || stands_in);
                match (reference, &self.sight) {
                    (Some(reference), Some(sight)) => {
                        let lanes = sight.lanes();
                        let seen = Now { at: from, stage, lamps: moment.lamps, waiting: moment.waiting, lanes };
                        let changes = match reference.decide(&self.network, id, &seen) {
                            Decision::Keep => Vec::new(),
                            Decision::Switch(stage) => vec![Change { stage, at: from }],
                        };
                        let source = match reference {
                            Reference::Actuated(_) => Source::Actuated,
                            Reference::MaxPressure(_) => Source::MaxPressure,
                        };
                        (
                            Wish { program: post.after.clone(), changes, otherwise: Vec::new(), source, hold: HOLD },
                            Why::default(),
                        )
                    }
                    _ => {
                        self.situation.fill(&self.network, &post.layout, &self.tracker, &moment);
                        let schedule = horizon::schedule(&post.layout, &self.situation, &mut self.work);
                        let why = reasons(&schedule);
                        let changes = schedule.changes.clone();
                        let next = changes.first().map(|change| change.at);
                        post.decided = Some(Decided { at: now, next, vehicles });
                        post.fresh = Some(schedule);
                        (
                            Wish {
                                program: post.after.clone(),
                                changes,
                                otherwise: Vec::new(),
                                source: Source::Horizon,
                                hold: HOLD,
                            },
                            why,
                        )
                    }
                }
            }
        };
        if wish.source != Source::Corridor
            && let Some(leads) = self.spoils(id, &running, from, &wish.changes)
        {
            (wish, why) = (leads, Why::default());
            (self.posts[id].fresh, self.posts[id].decided) = (None, None);
        }
        why.source = wish.source;
        let post = &self.posts[id];
        if worth_saying(post, &wish, planned, from, now) {
            why.demand = self.demand(id);
            self.publish(id, &wish, why, from);
        }
    }

    /// Brings a junction that runs none of our plans to its base program.
    fn take_over(&mut self, id: JunctionId, from: Time) {
        let wish = Wish {
            program: self.posts[id].base.clone(),
            changes: Vec::new(),
            otherwise: Vec::new(),
            source: Source::Base,
            hold: HOLD,
        };
        self.publish(id, &wish, Why::default(), from);
    }

    /// The program that is to run whatever the traffic, if one is.
    fn wish(&self, id: JunctionId) -> Option<Wish> {
        let (post, junction) = (&self.posts[id], self.network.junction(id));
        let follow = |program: Program, source| {
            Some(Wish { program, changes: Vec::new(), otherwise: Vec::new(), source, hold: HOLD })
        };
        let pinned = |program: u8| {
            let program = &junction.programs[usize::from(program)];
            fit(program, post.bounds(junction), self.settings.grid())
        };
        match post.orders.order(self.now) {
            Some(Order::Hold) => follow(post.base.clone(), Source::Operator),
            Some(Order::Pin(program)) => follow(pinned(program), Source::Operator),
            None if self.settings.control == Control::Fixed => follow(post.base.clone(), Source::Base),
            None if !post.rung.is_none_or(Rung::responds) => follow(post.base.clone(), Source::Base),
            None => None,
        }
    }

    fn publish(&mut self, id: JunctionId, wish: &Wish, why: Why, from: Time) {
        let junction = self.network.junction(id);
        let grid = self.settings.grid();
        let post = &mut self.posts[id];
        let revision = post.ledger.next_revision();
        let states = post.ledger.states(self.now, junction);
        let Some(running) = states.last() else { return };
        let setting = Setting {
            now: self.now,
            lead: self.settings.lead(),
            grid,
            running: states,
            waiting: post.waiting.since(),
            narrowed: &post.orders.narrowed,
        };
        let bounds = Bounds { junction, narrowed: &post.orders.narrowed };
        let validity = Span::from_ms(self.settings.validity_ms);
        let changes = &wish.changes[..];
        let soon = After::Hold(Span::ZERO);
        let ways: Vec<(After, &[Change])> = match wish.source {
            Source::Base | Source::Operator => vec![(After::InStep, changes)],
            // Where all are refused the running plan goes on: it may hold the vehicle's green.
            Source::Corridor => {
                let otherwise = wish.otherwise.iter().map(|changes| (soon, &changes[..]));
                std::iter::once((After::Hold(wish.hold), changes)).chain(otherwise).collect()
            }
            _ => vec![(After::Hold(wish.hold), changes), (soon, changes), (soon, &[])],
        };
        let term = Term { revision, from, validity, grid };
        let mut refused = Vec::new();
        for (after, changes) in ways {
            let draft = draft(id, bounds, &wish.program, changes, running, setting.waiting, after, term);
            match check(draft, junction, &setting) {
                Ok(plan) => {
                    post.published_at = self.now;
                    post.plan_source = wish.source;
                    post.plan = Some(plan.draft().clone());
                    let mode = post.orders.mode;
                    if mode == Mode::Control {
                        post.ledger.sent(&plan);
                    }
                    return self.out.push(Output::Plan(Box::new(Published { at: self.now, plan, mode, why })));
                }
                Err(violations) => refused = violations,
            }
        }
        self.out.push(Output::Refused(Refused { at: self.now, junction: id, revision, violations: refused }));
    }
}

/// Whether what is wished differs from what runs, and soon enough to say so now.
fn worth_saying(post: &Post, wish: &Wish, planned: Option<Change>, from: Time, now: Time) -> bool {
    let Some(plan) = &post.plan else { return true };
    let half_over = plan.valid_until - now < Span::from_ms((plan.valid_until - plan.effective_from).ms() / 2);
    if half_over {
        return true;
    }
    if matches!(wish.source, Source::Base | Source::Operator) {
        return plan.tail.splits != wish.program.splits || plan.tail.offset != wish.program.offset;
    }
    let wished = wish.changes.first().copied();
    if planned.map(|c| (c.stage, c.at)) == wished.map(|c| (c.stage, c.at)) {
        return false;
    }
    let first = [planned, wished].into_iter().flatten().map(|change| change.at).min();
    first.is_some_and(|at| at <= from + COMMIT) || now - post.published_at >= RETELL
}

fn reasons(schedule: &Schedule) -> Why {
    Why {
        cost_veh_s: schedule.cost_veh_s,
        beaten: schedule.runner_up.map(|(stage, cost)| (stage, cost - schedule.cost_veh_s)),
        bound_by: schedule.bound_by.iter().map(|bound| bound.words().into()).collect(),
        ..Why::default()
    }
}

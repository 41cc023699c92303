//! What should run at each junction: who decides, what the search is asked, and what becomes of its answers.

use crate::engine::draft::Wish;
use crate::engine::post::Post;
use crate::engine::publish::worth_saying;
use crate::engine::question::Question;
use crate::engine::reference::Reference;
use crate::engine::{Control, Engine};
use crate::ids::{Id, JunctionId};
use crate::network::Program;
use crate::optimize::decision::{Decision, Now};
use crate::optimize::horizon::due::{Decided, due};
use crate::optimize::horizon::{Moment, Round, Schedule, Situation};
use crate::output::{GroupDemand, Source, Why};
use crate::plan::draft::Change;
use crate::plan::ladder::{Order, Rung};
use crate::plan::running::Running;
use crate::plan::transition::fit;
use crate::time::{Span, Time};
use crate::traffic::tracker::Crossing;

/// Where nobody says otherwise, a schedule's last stage goes on for so long before the base program takes over.
const HOLD: Span = Span::from_s(20);

/// A junction that is being decided.
#[derive(Debug, Clone)]
pub(super) struct Open {
    id: JunctionId,
    /// What it will be doing when a new plan can count.
    running: Running,
    /// What it would do next then.
    planned: Option<Change>,
    way: Way,
}

/// Who decides.
#[derive(Debug, Clone)]
enum Way {
    /// An order, a vehicle on its way or a reference controller: it has.
    Wished(Wish),
    /// The search, which has been asked the next question; where the junction is too full for schedules, in a round of this
    /// timed plan.
    Asked(Option<Program>),
    /// Its last schedule until this instant, for no change can begin before: the next question is who will cross when in it.
    GoesOn(Time),
    /// Nobody: it runs none of our plans yet.
    TakeOver,
}

/// What a partition's junctions ask the search in one tick. The buffers serve the next one.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    situations: Vec<Situation>,
    junctions: Vec<JunctionId>,
}

impl Asked {
    fn clear(&mut self) {
        // Of a tick in which many more asked than now, the room is given back.
        self.situations.truncate(2 * self.junctions.len());
        self.junctions.clear();
    }

    fn next(&mut self, id: JunctionId) -> &mut Situation {
        let row = self.junctions.len();
        self.junctions.push(id);
        if row == self.situations.len() {
            self.situations.push(Situation::default());
        }
        &mut self.situations[row]
    }
}

impl Engine {
    /// Finds who decides for every junction that is due, and what the search is asked.
    pub(super) fn ask_all(&mut self) {
        let (mut announced, mut asked) = (Vec::new(), std::mem::take(&mut self.asked));
        asked.clear();
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
            let open = self.open(id, orders, &announced, &mut asked);
            self.opened.extend(open);
        }
        self.asked = asked;
    }

    /// What the search is asked, in the order in which [`finish`](Self::finish) takes its answers.
    pub(super) fn questions(&self) -> impl Iterator<Item = Question<'_>> {
        let asked = self.asked.junctions.iter().zip(&self.asked.situations);
        asked.map(|(&id, situation)| Question::new(&self.posts[id].layout, situation))
    }

    /// Decides what has been opened; what vehicles are expected to leave for other partitions.
    pub(super) fn decide_all(&mut self, answers: Vec<Schedule>) -> Vec<Crossing> {
        let mut answers = answers.into_iter();
        for open in std::mem::take(&mut self.opened) {
            self.settle_one(open, &mut answers);
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

    /// The first instant at which a new plan can count.
    fn soonest(&self) -> Time {
        (self.now + self.settings.lead()).ceil(self.settings.grid())
    }

    fn leads_to(&self, crossing: &Crossing, junction: JunctionId) -> bool {
        let to = self.network.connections()[crossing.connection].to;
        self.network.junction_at_end(self.network.lane(to).link) == Some(junction)
    }

    /// Whether the rolling schedule of a junction is to be made anew.
    fn is_due(&self, id: JunctionId) -> bool {
        let post = &self.posts[id];
        let from = self.soonest();
        let due = |seen| due(id, post.decided.as_ref(), (self.now, from), seen, self.settings.tick());
        // Who is there is asked only where it is not its turn anyway.
        let expected = post.decided.map_or(0, |last| last.vehicles);
        due((expected, 0)) || {
            let gone = post.decided.map_or(0, |last| {
                let left = |c: &&Crossing| c.at > last.at && c.at <= self.now;
                post.schedule.discharges.iter().filter(left).count() as i32
            });
            due((self.present(post), gone))
        }
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

    /// Who decides for a junction, and what the search is asked if it does; none where nothing can be sent.
    fn open(
        &mut self,
        id: JunctionId,
        orders: Option<Wish>,
        announced: &[Crossing],
        asked: &mut Asked,
    ) -> Option<Open> {
        let junction = self.network.junction(id);
        let (now, from, grid) = (self.now, self.soonest(), self.settings.grid());
        let scheduled = self.posts[id].decided.take().is_some();
        self.posts[id].approach = None;
        let state = self.posts[id].ledger.states(now, junction).last()?;
        let running = state.at(from, junction);
        let planned = state.ahead.iter().copied().find(|c| c.at >= from && Some(c.stage) != running.stage);
        let orders = match orders {
            Some(ordered) if ordered.source == Source::Operator => Some(ordered),
            other => self.preempted(id, &running, from).or(other),
        };
        let stands_in = self.settings.control.is_reference();
        let post = &self.posts[id];
        let way = match (orders, running.stage) {
            (Some(wish), _) => Way::Wished(wish),
            (None, None) => Way::TakeOver,
            (None, Some(stage)) => {
                let waiting = post.waiting.since();
                let reference = post.reference.as_ref().filter(|_| post.rung == Some(Rung::Actuated) || stands_in);
                if let (Some(reference), Some(sight)) = (reference, &self.sight) {
                    let (since, lamps, lanes) = (running.since, &running.lamps, sight.lanes());
                    let seen = Now { at: from, stage, since, lamps, waiting, lanes };
                    let changes = match reference.decide(&self.network, id, &seen) {
                        Decision::Keep => Vec::new(),
                        Decision::Switch(stage) => vec![Change::new(stage, from)],
                    };
                    let source = match reference {
                        Reference::Actuated(_) => Source::Actuated,
                        Reference::MaxPressure(_) => Source::MaxPressure,
                    };
                    Way::Wished(responds(post, changes, source))
                } else {
                    let junction = self.network.junction(id);
                    let timed = self.timed(id);
                    let place = |program| Round::new(program, junction, stage, running.since, &running.lamps);
                    let round = timed.as_ref().map(place);
                    let moment = Moment {
                        now,
                        grid,
                        earliest: from,
                        stage,
                        since: running.since,
                        lamps: &running.lamps,
                        waiting,
                        walkers: post.waiting.walkers(),
                        announced,
                        round: round.as_ref(),
                    };
                    let situation = asked.next(id);
                    situation.fill(&self.network, &post.layout, &self.tracker, &moment);
                    let last = scheduled.then_some(&post.schedule.changes[..]);
                    let opens = last.and_then(|changes| situation.go_on(&post.layout, changes));
                    opens.map_or(Way::Asked(timed), Way::GoesOn)
                }
            }
        };
        Some(Open { id, running, planned, way })
    }

    /// Decides one junction, and says so where that is worth it; takes the next answer if the search was asked.
    fn settle_one(&mut self, open: Open, answers: &mut impl Iterator<Item = Schedule>) {
        let Open { id, running, planned, way } = open;
        let (now, from) = (self.now, self.soonest());
        let (mut wish, mut why) = match way {
            Way::Wished(wish) => (wish, Why::default()),
            Way::TakeOver => return self.take_over(id, from),
            Way::Asked(timed) => {
                let Some(schedule) = answers.next() else { return };
                let next = schedule.changes.first().map(|change| change.at);
                self.follow(id, schedule, next, timed)
            }
            Way::GoesOn(opens) => {
                let Some(mut schedule) = answers.next() else { return };
                schedule.take_reasons(&self.posts[id].schedule);
                self.follow(id, schedule, Some(opens), None)
            }
        };
        if wish.source != Source::Corridor
            && let Some(leads) =
                self.spoils(id, &running, from, &wish.changes).or_else(|| self.turn_of(id, &running, from, &wish))
        {
            (wish, why) = (leads, Why::default());
            (self.posts[id].fresh, self.posts[id].decided) = (None, None);
        }
        self.clear(id, &running, from, &mut wish);
        why.source = wish.source;
        if worth_saying(&self.posts[id], &wish, planned, from, now) {
            why.demand = self.demand(id);
            self.publish(id, &wish, why, from);
        }
    }

    /// What a schedule wishes and why; `next` is when the junction may want to change, at the latest decided anew then.
    fn follow(
        &mut self,
        id: JunctionId,
        schedule: Schedule,
        next: Option<Time>,
        timed: Option<Program>,
    ) -> (Wish, Why) {
        let vehicles = self.present(&self.posts[id]);
        let (post, why) = (&mut self.posts[id], reasons(&schedule));
        let source = if timed.is_some() { Source::Timed } else { Source::Horizon };
        let mut wish = responds(post, schedule.changes.clone(), source);
        wish.program = timed.unwrap_or(wish.program);
        post.decided = Some(Decided { at: self.now, next, vehicles });
        post.fresh = Some(schedule);
        (wish, why)
    }

    /// Lets those who are inside the junction out before the change of a schedule that begins next, if that may be. A timed plan
    /// keeps its shares, and where nothing is known of who is where, nothing is known of who is inside.
    fn clear(&self, id: JunctionId, running: &Running, from: Time, wish: &mut Wish) {
        if wish.source != Source::Horizon {
            return;
        }
        let post = &self.posts[id];
        // The last decision before the change begins.
        let begins = |next: &&Change| next.at <= from + self.settings.tick();
        let Some((stage, next)) = running.stage.zip(wish.changes.first().filter(begins)) else { return };
        let junction = self.network.junction(id);
        let clear = post.inside.clear(junction, &post.layout, stage, next.stage);
        if clear > Span::ZERO {
            wish.clear_first(clear, running, junction, self.settings.grid());
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

    /// The timed plan of a junction that is too full for schedules, fitted to its limits as they are now.
    fn timed(&self, id: JunctionId) -> Option<Program> {
        let post = self.posts.get(id).filter(|post| post.rung == Some(Rung::Timed))?;
        let program = post.fullness.plan()?;
        Some(fit(program, post.bounds(self.network.junction(id)), self.settings.grid()))
    }
}

/// What a junction is to do that answers to traffic.
fn responds(post: &Post, changes: Vec<Change>, source: Source) -> Wish {
    Wish { program: post.after.clone(), changes, otherwise: Vec::new(), source, hold: HOLD }
}

fn reasons(schedule: &Schedule) -> Why {
    Why {
        cost_veh_s: schedule.cost_veh_s,
        beaten: schedule.runner_up.map(|(stage, cost)| (stage, cost - schedule.cost_veh_s)),
        bound_by: schedule.bound_by.iter().map(|bound| bound.words().into()).collect(),
        ..Why::default()
    }
}

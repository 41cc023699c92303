//! From what is wished to a plan: whether it is worth saying, and saying it if the gate lets it pass.

use crate::engine::Engine;
use crate::engine::draft::{After, Term, Wish, draft};
use crate::engine::post::Post;
use crate::event::Mode;
use crate::ids::JunctionId;
use crate::output::{Output, Published, Refused, Source, Why};
use crate::plan::bounds::Bounds;
use crate::plan::check::{Setting, check};
use crate::plan::draft::Change;
use crate::time::{Span, Time};

/// A plan that differs from the running one only beyond this much after it could first count may wait.
const COMMIT: Span = Span::from_s(3);
/// A plan that differs at all is told at least this often, so that countdowns stay honest.
const RETELL: Span = Span::from_s(10);

impl Engine {
    /// Says what is wished from `from` on, in the first way that the gate lets pass; or that none did, and why.
    pub(super) fn publish(&mut self, id: JunctionId, wish: &Wish, why: Why, from: Time) {
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
        let (first, otherwise) = ((After::Hold(wish.hold), changes), wish.otherwise.iter().map(|changes| &changes[..]));
        let ways: Vec<(After, &[Change])> = match wish.source {
            Source::Base | Source::Operator => vec![(After::InStep, changes)],
            // Where all are refused the running plan goes on: it may hold the vehicle's green.
            Source::Corridor => std::iter::once(first).chain(otherwise.map(|changes| (soon, changes))).collect(),
            _ => {
                // What runs goes on, if it may, rather than that the program comes at once.
                let stay = (!changes.is_empty()).then_some(&[][..]);
                let otherwise = otherwise.chain(stay).map(|changes| (After::Hold(wish.hold), changes));
                std::iter::once(first).chain(otherwise).chain([(soon, changes), (soon, &[])]).collect()
            }
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
pub(super) fn worth_saying(post: &Post, wish: &Wish, planned: Option<Change>, from: Time, now: Time) -> bool {
    let Some(plan) = &post.plan else { return true };
    let half_over = plan.valid_until - now < Span::from_ms((plan.valid_until - plan.effective_from).ms() / 2);
    if half_over {
        return true;
    }
    if matches!(wish.source, Source::Base | Source::Operator) {
        return plan.tail.splits != wish.program.splits || plan.tail.offset != wish.program.offset;
    }
    let wished = wish.changes.first().copied();
    if planned == wished {
        return false;
    }
    let first = [planned, wished].into_iter().flatten().map(|change| change.at).min();
    first.is_some_and(|at| at <= from + COMMIT) || now - post.published_at >= RETELL
}

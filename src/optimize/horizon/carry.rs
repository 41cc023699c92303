//! A situation as bytes, so that it can be searched elsewhere, and what has to hold of one that comes from elsewhere: no
//! bytes, however they came about, lead the search out of its tables.

use super::beam::CHANGES_MAX;
use super::layout::Layout;
use super::parting::Held;
use super::situation::{CLAIMS_MAX, Claim, SAMPLES, Situation, Stream};
use super::{Schedule, horizon, stage_id};
use crate::ids::Id;
use crate::keep::{Resume, keep, resume};
use crate::plan::draft::Change;
use crate::time::{Span, Time};

keep!(Stream { lane, first, len, weight, headway, startup, extra, steady, ready });
keep!(Claim { group, weight, deadline });
keep!(Held { stream, row, after });
resume!(Situation {
    kept: now, grid, earliest, stage, since, horizon, price, green_at, debt, leave, streams, arrivals, ways, seeds,
        held, parted, room, walkers, claims, round, goes_on;
    built: found, upstream, comers
});

/// No instant is farther away than this, s, and nothing costs more vehicle-seconds.
const FAR: f32 = 1e6;
/// The coarsest grid.
const GRID_MAX: Span = Span::from_s(3600);
/// No instant lies beyond this.
const LAST: Time = Time::from_s(1 << 40);

impl Situation {
    /// Appends its bytes: what a search is made from, and nothing else.
    pub fn write(&self, out: &mut Vec<u8>) {
        Resume::write(self, out);
    }

    /// Becomes the one whose bytes come next, if they are one of a junction of this layout.
    pub fn take_up(&mut self, layout: &Layout, from: &mut &[u8]) -> Option<()> {
        self.found.clear();
        self.upstream.clear();
        self.comers.clear();
        self.resume(from)?;
        self.fits(layout).then_some(())
    }

    /// Whether every row that it names is there, and every number one to reckon with.
    fn fits(&self, layout: &Layout) -> bool {
        let near = |s: f32| s.abs() <= FAR;
        let near_or = |s: f32, never: f32| near(s) || s.total_cmp(&never).is_eq();
        let rows = [self.green_at.len(), self.debt.len(), self.leave.len(), self.room.len(), self.walkers.len()];
        let tables = [layout.groups, layout.groups, layout.stages.len(), layout.exits.len(), layout.groups];
        let vehicles = self.arrivals.len();
        let mut seen = 0;
        let in_order = self.streams.iter().all(|stream| {
            let follows = stream.first as usize == seen;
            seen += usize::from(stream.len);
            follows
        });
        rows == tables
            && self.stage < layout.stages.len()
            && [self.now, self.earliest].iter().all(|&at| at >= Time::EPOCH && at <= LAST)
            && (Span::from_ms(1)..=GRID_MAX).contains(&self.grid)
            && [self.since, self.price, self.horizon].into_iter().all(near)
            && self.green_at.iter().all(|&s| near_or(s, f32::INFINITY))
            && self.debt.iter().all(|&s| near_or(s, f32::NEG_INFINITY))
            && self.leave.iter().all(|&s| near_or(s, f32::NEG_INFINITY))
            && self.room.iter().all(|&count| near_or(count, f32::INFINITY))
            && self.walkers.iter().all(|&people| near(people))
            && [self.ways.len(), self.seeds.len(), self.held.len()] == [vehicles; 3]
            && self.arrivals.iter().all(|&s| near(s))
            && self.held.iter().all(|held| self.is_held(held))
            && self.streams.len() <= layout.lanes.len() * SAMPLES as usize
            && in_order
            && seen == vehicles
            && self.round.as_ref().is_none_or(|round| {
                (Time::EPOCH..=LAST).contains(&round.until)
                    && round.then.iter().all(|stage| stage.index() < layout.stages.len())
            })
            && self.goes_on.as_ref().is_none_or(|changes| self.leads_on(layout, changes))
            && self.streams.iter().all(|stream| self.runs(layout, stream))
            && self.claims.len() <= CLAIMS_MAX
            && self.claims.iter().all(|claim| {
                claim.group.index() < layout.groups && near(claim.weight) && near_or(claim.deadline, f32::INFINITY)
            })
    }

    fn is_held(&self, held: &Held) -> bool {
        let by = self.streams.get(usize::from(held.stream));
        held.after.abs() <= FAR && (held.stream == Held::NOBODY || by.is_some_and(|stream| held.row < stream.len))
    }

    /// Whether it can go on with these changes.
    fn leads_on(&self, layout: &Layout, changes: &[Change]) -> bool {
        let stages = || changes.iter().map(|change| change.stage.index());
        let ends = self.now + horizon(self.grid);
        changes.len() <= CHANGES_MAX
            && changes.iter().all(|change| (self.earliest..=ends).contains(&change.at))
            && changes.is_sorted_by_key(|change| change.at)
            && stages().all(|to| to < layout.stages.len())
            && std::iter::once(self.stage).chain(stages()).zip(stages()).all(|(from, to)| layout.follows(from, to))
    }

    fn runs(&self, layout: &Layout, stream: &Stream) -> bool {
        let Stream { lane, first, len, weight, headway, startup, extra, steady, ready } = *stream;
        let Some(lane) = layout.lanes.get(usize::from(lane)) else { return false };
        let vehicles = first as usize..first as usize + usize::from(len);
        let turns = lane.turns.len();
        [weight, headway, startup, extra, steady].into_iter().all(|s| (0.0..=FAR).contains(&s))
            && (ready.abs() <= FAR || ready.total_cmp(&f32::NEG_INFINITY).is_eq())
            && self.ways.get(vehicles).is_some_and(|ways| ways.iter().all(|&way| usize::from(way) < turns))
    }

    /// Whether a schedule is one of this junction from now on, whoever made it.
    pub fn admits(&self, layout: &Layout, schedule: &Schedule) -> bool {
        let stays = |stage| (0..layout.stages.len()).any(|row| stage == stage_id(row));
        let paths = |connection| layout.turns.iter().any(|turn| turn.connection == connection);
        let at_hand = self.now - Span::from_s(FAR as i64)..=self.now + Span::from_s(FAR as i64);
        schedule.changes.len() <= CHANGES_MAX
            && schedule.changes.iter().all(|change| stays(change.stage) && change.at >= self.earliest)
            && schedule.changes.is_sorted_by_key(|change| change.at)
            && schedule.cost_veh_s.is_finite()
            && schedule.runner_up.is_none_or(|(stage, cost)| stays(stage) && cost.is_finite())
            && schedule.bound_by.len() <= 3
            && schedule.discharges.len() <= self.arrivals.len()
            && schedule.discharges.iter().all(|c| paths(c.connection) && at_hand.contains(&c.at))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ids::StageId;
    use crate::optimize::horizon::present::present;
    use crate::optimize::horizon::tests::crossroads as layout;
    use crate::optimize::horizon::{Round, Workspace, schedule};

    prop_compose! {
        /// Any present of the crossroads, searched, in a round of a timed plan or going on with what was found before.
        fn any_present()(
            situation in present(layout),
            goes_on in any::<bool>(),
            round in prop::option::of((-20..60_i64, prop::collection::vec(0..8_usize, 1..5))),
        ) -> Situation {
            let round = round.map(|(left, then)| Round {
                until: situation.now + Span::from_s(left),
                then: then.into_iter().map(StageId::of).collect(),
            });
            let found = |situation| schedule(&layout(), situation, &mut Workspace::default()).changes;
            let goes_on = (goes_on && round.is_none()).then(|| found(&situation));
            Situation { round, goes_on, ..situation }
        }
    }

    proptest! {
        #[test]
        fn elsewhere_the_search_finds_the_same(situation in any_present(), before in any_present()) {
            let layout = layout();
            let mut bytes = Vec::new();
            situation.write(&mut bytes);
            // Whatever was there and searched before.
            let (mut there, mut desk) = (before.clone(), Workspace::default());
            schedule(&layout, &before, &mut desk);
            let mut rest = bytes.as_slice();
            prop_assert_eq!((there.take_up(&layout, &mut rest), rest.len()), (Some(()), 0));
            let (found, expected) = (
                schedule(&layout, &there, &mut desk),
                schedule(&layout, &situation, &mut Workspace::default()),
            );
            prop_assert!(situation.admits(&layout, &found), "{:?}", found);
            prop_assert_eq!(found, expected);
            let mut again = Vec::new();
            there.write(&mut again);
            prop_assert_eq!(again, bytes);
        }

        #[test]
        fn no_bytes_lead_the_search_astray(
            situation in any_present(),
            changed in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u8, any::<u8>()), 1..4),
        ) {
            let layout = layout();
            let mut bytes = Vec::new();
            situation.write(&mut bytes);
            for (at, kind, value) in changed {
                let at = at.index(bytes.len());
                match kind {
                    0 => bytes.truncate(at + 1),
                    1 => bytes[at..].iter_mut().take(4).for_each(|byte| *byte = 0xff),
                    2 => bytes[at..].iter_mut().take(4).for_each(|byte| *byte = value),
                    3 => bytes[at] ^= 1 << (value % 8),
                    _ => bytes[at] = value,
                }
            }
            let mut there = Situation::default();
            if there.take_up(&layout, &mut bytes.as_slice()).is_some() {
                schedule(&layout, &there, &mut Workspace::default());
            }
        }
    }
}

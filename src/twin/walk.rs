//! People on foot: they come at random, call, wait for the walk, cross, and are in the way of those who turn.

use super::calendar::{Calendar, Ms};
use super::dice::{Dice, Purpose};
use super::flow::Flow;
use super::road::{NONE, Roads};
use crate::event::{Aspect, Event, PedestrianCall};
use crate::ids::{CrossingId, GroupId, Id, JunctionId};
use crate::network::Network;
use crate::time::Time;
use crate::twin::demand::Walkers;

/// A turning vehicle waits until people are past this share of the crossing.
const IN_THE_WAY: f64 = 0.6;

/// What became of the people at one crossing, or at all.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Walked {
    /// People who came.
    pub came: u64,
    /// Those of them who could cross.
    pub crossed: u64,
    /// Time they all waited, up to now, s.
    pub waited_s: f64,
}

#[derive(Debug)]
struct Walk {
    crossing: CrossingId,
    signal: Option<(JunctionId, GroupId)>,
    group: u32,
    mean_ms: f64,
    in_the_way: Ms,
    dice: Dice,
    waiting: u32,
    /// Sum of the times at which those who wait came.
    came_at_ms: i64,
    came: u64,
    crossed: u64,
    waited_ms: i64,
}

/// Everyone on foot.
#[derive(Debug)]
pub(super) struct Walks {
    rows: Vec<Walk>,
    calendar: Calendar,
    /// The rows that each signal group releases.
    of_group: Vec<Vec<u32>>,
}

impl Walks {
    pub(super) fn new(network: &Network, roads: &Roads, walkers: &[Walkers], walking_mps: f64, seed: u64) -> Self {
        let groups = roads.released.len();
        let mut all = Self { rows: Vec::new(), calendar: Calendar::new(), of_group: vec![Vec::new(); groups] };
        for (row, w) in walkers.iter().enumerate().filter(|(_, w)| w.per_hour > 0.0) {
            let crossing = &network.crossings()[w.crossing];
            let group = crossing.group.map_or(NONE, |(j, g)| roads.groups_at[j.index()] + g.index() as u32);
            let mut dice = Dice::new(seed, Purpose::Walk, row as u64);
            let mean_ms = 3_600_000.0 / w.per_hour;
            let first = dice.exponential(mean_ms) as Ms;
            if group != NONE {
                all.of_group[group as usize].push(all.rows.len() as u32);
            }
            all.calendar.push(first, all.rows.len() as u32);
            all.rows.push(Walk {
                crossing: w.crossing,
                signal: crossing.group,
                group,
                mean_ms,
                in_the_way: (crossing.length.get() / walking_mps * IN_THE_WAY * 1000.0) as Ms,
                dice,
                waiting: 0,
                came_at_ms: 0,
                came: 0,
                crossed: 0,
                waited_ms: 0,
            });
        }
        all
    }

    /// Lets everyone come who comes in the current slot.
    pub(super) fn act(&mut self, flow: &mut Flow, start: Time, events: &mut Vec<Event>) {
        while let Some(entry) = self.calendar.next() {
            let walk = &mut self.rows[entry.actor as usize];
            let now = entry.at;
            walk.came += 1;
            let aspect = flow.heads.get(walk.group as usize).map_or(Aspect::Green, |head| head.aspect);
            if matches!(aspect, Aspect::Green | Aspect::Dark) {
                walk.crossed += 1;
                let until = &mut flow.walked_until[walk.crossing.index()];
                *until = (*until).max(now + walk.in_the_way);
            } else {
                walk.waiting += 1;
                walk.came_at_ms += i64::from(now);
                if let (1, Some((junction, group))) = (walk.waiting, walk.signal) {
                    let at = start + crate::time::Span::from_ms(i64::from(now));
                    events.push(Event::PedestrianCall(PedestrianCall { junction, group, at }));
                }
            }
            let next = now.saturating_add(walk.dice.exponential(walk.mean_ms) as Ms + 1);
            self.calendar.push(next, entry.actor);
        }
        self.calendar.turn();
    }

    /// A signal group turned to walk: everyone who waits for it goes.
    pub(super) fn released(&mut self, group: u32, flow: &mut Flow, now: Ms) {
        for &row in &self.of_group[group as usize] {
            let walk = &mut self.rows[row as usize];
            if walk.waiting > 0 {
                walk.crossed += u64::from(walk.waiting);
                walk.waited_ms += i64::from(walk.waiting) * i64::from(now) - walk.came_at_ms;
                (walk.waiting, walk.came_at_ms) = (0, 0);
                let until = &mut flow.walked_until[walk.crossing.index()];
                *until = (*until).max(now + walk.in_the_way);
            }
        }
    }

    /// What became of everyone on foot at `crossing`, or everywhere.
    pub(super) fn walked(&self, crossing: Option<CrossingId>, now: Ms) -> Walked {
        let here = self.rows.iter().filter(|w| crossing.is_none_or(|c| c == w.crossing));
        here.fold(Walked::default(), |sum, w| {
            let waiting_ms = i64::from(w.waiting) * i64::from(now) - w.came_at_ms;
            Walked {
                came: sum.came + w.came,
                crossed: sum.crossed + w.crossed,
                waited_s: sum.waited_s + (w.waited_ms + waiting_ms) as f64 / 1000.0,
            }
        })
    }
}

//! A situation laid out for the discharge model, once for all that is served from it: what the model asks of each vehicle
//! stands beside it, and whatever can hold nobody is left out.

use std::ops::Range;

use super::instant;
use super::layout::Layout;
use super::parting::Held;
use super::serve::{DRAIN, Progress, later};
use super::situation::{Situation, Stream};
use crate::ids::{GroupId, GroupSet, Id};
use crate::traffic::tracker::Crossing;

/// What a queue of one that is left at the end costs, in its headways: half of it to clear it at once, and four times
/// that because a lane is green for about a quarter of the time.
const UNSERVED: f32 = 2.0;
/// Room for this many vehicles or more never ends.
const AMPLE: f32 = 1e3;

/// A vehicle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Car {
    /// When it would cross if nothing held it, s.
    pub(super) arrival: f32,
    pub(super) turn: u16,
    /// The group of its turn.
    pub(super) gate: u16,
    pub(super) exit: u16,
    marks: u8,
}

impl Car {
    const HELD: u8 = 1;
    const WALKED: u8 = 2;
    const CROWDED: u8 = 4;

    /// Whether nothing but lamps, those before it on its lane and those who walk can hold it.
    pub(super) fn has_room(self) -> bool {
        self.marks & !Self::WALKED == 0
    }

    /// Whether nothing but lamps and those before it on its lane can hold it.
    pub(super) fn is_free(self) -> bool {
        self.marks == 0
    }

    /// Whether somebody has to cross before it can come.
    pub(super) fn is_held(self) -> bool {
        self.marks & Self::HELD != 0
    }

    /// Whether somebody waits to walk over its way.
    pub(super) fn is_walked(self) -> bool {
        self.marks & Self::WALKED != 0
    }

    /// Whether its exit may lack room.
    pub(super) fn is_crowded(self) -> bool {
        self.marks & Self::CROWDED != 0
    }
}

/// The drawn worlds of a lane, and from which row of `costs` on stands what they cost if there is only one.
#[derive(Debug, Clone, Copy)]
struct Worlds {
    first: u16,
    len: u16,
    costs: u32,
}

/// A situation as the discharge model reads it.
#[derive(Debug, Clone, Default)]
pub(super) struct Lineup {
    /// The vehicles of all streams, in the situation's order.
    pub(super) cars: Vec<Car>,
    /// Groups that people wait for to walk over somebody's exit, and how long after its green they are past, s.
    walks: Vec<(u16, f32)>,
    /// By lane: the rows of `streams`.
    lanes: Vec<(u16, u16)>,
    /// The streams, lane by lane.
    streams: Vec<u16>,
    /// By stage: the rows of `members`, those that give way from the second one on.
    ranges: Vec<[u32; 3]>,
    /// Streams of each stage, those that give way last.
    members: Vec<u16>,
    worlds: Vec<Worlds>,
    /// Of a lane whose turns are known: what it costs to leave its vehicles from each one on unserved, vehicle-seconds.
    costs: Vec<f32>,
    /// By exit: vehicles that may enter it.
    bound: Vec<f32>,
}

impl Lineup {
    /// Lays a situation out.
    pub(super) fn draw_up(&mut self, layout: &Layout, situation: &Situation) {
        self.line_up(layout, situation);
        self.lanes.clear();
        self.streams.clear();
        for lane in 0..layout.lanes.len() {
            let first = self.streams.len() as u16;
            let here = |&at: &u16| usize::from(situation.streams[usize::from(at)].lane) == lane;
            self.streams.extend((0..situation.streams.len() as u16).filter(here));
            self.lanes.push((first, self.streams.len() as u16));
        }
        self.assign(layout, situation);
        self.price(situation);
    }

    fn line_up(&mut self, layout: &Layout, situation: &Situation) {
        self.cars.clear();
        self.walks.clear();
        for &(gate, past) in layout.walks.iter().filter(|(gate, _)| situation.walkers[usize::from(*gate)] > 0.0) {
            match self.walks.iter_mut().find(|(other, _)| *other == gate) {
                Some((_, longest)) => *longest = later(*longest, past),
                None => self.walks.push((gate, past)),
            }
        }
        self.bound.clear();
        self.bound.resize(layout.exits.len(), 0.0);
        let mut earliest = 0.0_f32;
        for stream in &situation.streams {
            let turns = layout.lanes[usize::from(stream.lane)].turns.start;
            for vehicle in stream.first as usize..stream.first as usize + usize::from(stream.len) {
                let turn = turns + usize::from(situation.ways[vehicle]);
                let row = &layout.turns[turn];
                let (arrival, held) = (situation.arrivals[vehicle], situation.held[vehicle].stream != Held::NOBODY);
                let mut walks = layout.walks[row.walks.clone()].iter();
                let walked = walks.any(|(gate, _)| situation.walkers[usize::from(*gate)] > 0.0);
                let marks = if held { Car::HELD } else { 0 } | if walked { Car::WALKED } else { 0 };
                earliest = earliest.min(arrival);
                self.bound[usize::from(row.exit)] += stream.weight;
                self.cars.push(Car { arrival, turn: turn as u16, gate: row.gate, exit: row.exit, marks });
            }
        }
        // Nobody crosses before the first could come, so with room for all who may come nobody ever waits for it. The
        // sums are made in another order than while they are served; a vehicle more covers what that changes.
        for (bound, room) in self.bound.iter_mut().zip(&situation.room) {
            *bound = if *room < AMPLE && *room < *bound + 2.0 - DRAIN * earliest { f32::INFINITY } else { 0.0 };
        }
        for car in &mut self.cars {
            if self.bound[usize::from(car.exit)] > 0.0 {
                car.marks |= Car::CROWDED;
            }
        }
    }

    /// Finds who may go in which stage.
    fn assign(&mut self, layout: &Layout, situation: &Situation) {
        self.members.clear();
        self.ranges.clear();
        for stage in 0..layout.stages.len() {
            let first = self.members.len() as u32;
            let mut leading = first;
            for gives_way in [false, true] {
                leading = self.members.len() as u32;
                for (at, row) in situation.streams.iter().enumerate() {
                    let lane = usize::from(row.lane);
                    if row.len > 0 && layout.served(stage, lane) != 0 && layout.yields(stage, lane) == gives_way {
                        self.members.push(at as u16);
                    }
                }
            }
            self.ranges.push([first, leading, self.members.len() as u32]);
        }
    }

    /// What each lane costs that is left unserved from each of its vehicles on.
    fn price(&mut self, situation: &Situation) {
        self.worlds.clear();
        self.costs.clear();
        let mut first = 0;
        for worlds in situation.streams.chunk_by(|a, b| a.lane == b.lane) {
            self.worlds.push(Worlds { first, len: worlds.len() as u16, costs: self.costs.len() as u32 });
            if let [stream] = worlds {
                self.costs.extend((0..=stream.len).map(|next| {
                    let left = stream.weight * f32::from(stream.len - next);
                    UNSERVED * left * left * stream.headway
                }));
            }
            first += worlds.len() as u16;
        }
    }

    /// The streams that may go in a stage, those that give way last.
    pub(super) fn members(&self, stage: usize) -> &[u16] {
        let [first, _, end] = self.ranges[stage];
        &self.members[first as usize..end as usize]
    }

    /// From when on nobody walks over an exit any more, of those who wait, while `groups` are green from `open` on.
    pub(super) fn walked(&self, groups: GroupSet, open: &[f32]) -> f32 {
        let walks = self.walks.iter().map(|&(gate, past)| (usize::from(gate), past));
        let walks = walks.filter(|(gate, _)| groups.contains(GroupId::of(*gate)));
        walks.fold(f32::NEG_INFINITY, |until, (gate, past)| later(until, open[gate] + past))
    }

    /// Whether an exit may lack room.
    pub(super) fn is_crowded(&self) -> bool {
        self.bound.iter().any(|&bound| bound > 0.0)
    }

    /// Whether some stream gives way to another in a stage.
    pub(super) fn gives_way(&self, stage: usize) -> bool {
        let [_, leading, end] = self.ranges[stage];
        leading < end
    }

    /// The streams of a lane.
    pub(super) fn of_lane(&self, lane: u16) -> &[u16] {
        let (first, end) = self.lanes[usize::from(lane)];
        &self.streams[usize::from(first)..usize::from(end)]
    }

    /// What those cost who are unserved when each stream has come so far: each waits until those before it have left, and
    /// its lane gets a part of the time only. Vehicle-seconds.
    pub(super) fn rest(&self, situation: &Situation, streams: &[Progress]) -> f32 {
        let mut cost = 0.0;
        for worlds in &self.worlds {
            let first = usize::from(worlds.first);
            cost += if worlds.len == 1 {
                self.costs[worlds.costs as usize + usize::from(streams[first].next)]
            } else {
                self.left(situation, first..first + usize::from(worlds.len), streams)
            };
        }
        cost
    }

    /// What those cost who are left in a lane's drawn worlds.
    fn left(&self, situation: &Situation, rows: Range<usize>, streams: &[Progress]) -> f32 {
        let worlds = &situation.streams[rows.clone()];
        let left: f32 = worlds.iter().zip(&streams[rows]).map(|(w, s)| w.weight * f32::from(w.len - s.next)).sum();
        UNSERVED * left * left * worlds[0].headway
    }

    /// `most`, and the most that serving can add to it from `now` on until the horizon, less what those cost who are left
    /// then. When a vehicle that could cross at some instant does so at the earliest, `crosses` tells; none if it never
    /// does.
    pub(super) fn at_best(
        &self,
        situation: &Situation,
        (streams, now): (&[Progress], f32),
        mut most: f32,
        crosses: impl Fn(&Car, f32, &Stream) -> Option<f32>,
    ) -> f32 {
        for worlds in &self.worlds {
            let (first, mut left, mut last) = (usize::from(worlds.first), 0.0, 0);
            let rows = first..first + usize::from(worlds.len);
            for (row, progress) in situation.streams[rows.clone()].iter().zip(&streams[rows]) {
                let mut next = usize::from(progress.next);
                let cars = &self.cars[row.first as usize + next..row.first as usize + usize::from(row.len)];
                // Who is held may cross at an instant that is over, when it turns out that whoever held him has crossed.
                let held = cars.first().is_some_and(|car| car.is_held());
                let mut ready = if held { progress.ready } else { later(now, progress.ready) };
                for car in cars {
                    let Some(at) = crosses(car, later(car.arrival, ready), row) else { break };
                    if at > situation.horizon {
                        break;
                    }
                    most += row.weight * (situation.horizon - at);
                    ready = at + row.headway;
                    next += 1;
                }
                last = next;
                left += row.weight * (usize::from(row.len) - next) as f32;
            }
            most -= if worlds.len == 1 {
                self.costs[worlds.costs as usize + last]
            } else {
                UNSERVED * left * left * situation.streams[first].headway
            };
        }
        most
    }

    /// The stages, as a bit set, that would serve somebody next in line whom `stage` does not serve, or spare him giving
    /// way.
    pub(super) fn wanted(&self, layout: &Layout, situation: &Situation, stage: usize, streams: &[Progress]) -> u64 {
        let betters = layout.betters(stage);
        let waiting = situation.streams.iter().zip(streams).filter(|(row, progress)| progress.next < row.len);
        waiting.fold(0, |set, (row, progress)| {
            set | betters[usize::from(self.cars[row.first as usize + usize::from(progress.next)].turn)]
        })
    }
}

/// A junction, its present, and how that is laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) layout: &'a Layout,
    pub(super) situation: &'a Situation,
    pub(super) lineup: &'a Lineup,
}

impl Scene<'_> {
    /// Who crosses when, of those who can come to the next junction's line within the horizon: `run` serves them and tells
    /// each crossing, its stream and the turn it takes.
    pub(super) fn told(self, run: impl FnOnce(&mut dyn FnMut(usize, f32, usize))) -> Vec<Crossing> {
        let Scene { layout, situation, .. } = self;
        let mut told = Vec::new();
        if !layout.turns.iter().any(|turn| turn.onward_s < situation.horizon) {
            return told;
        }
        // Of the drawn worlds of a lane the first stands for all; a stream's vehicles cross in their order.
        let first = |at: usize| at == 0 || situation.streams[at].lane != situation.streams[at - 1].lane;
        let mut crossed = vec![0_u32; situation.streams.len()];
        run(&mut |at, crosses, turn| {
            let row = &layout.turns[turn];
            let vehicle = (situation.streams[at].first + crossed[at]) as usize;
            crossed[at] += 1;
            if crosses + row.onward_s < situation.horizon && first(at) {
                let (at, seed) = (instant(situation.now, crosses), situation.seeds[vehicle]);
                told.push(Crossing { connection: row.connection, at, seed });
            }
        });
        told.sort_by_key(|c| (c.at, c.connection));
        told
    }
}

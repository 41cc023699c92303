//! What a schedule is made from: one junction's lamps and vehicles, in flat arrays, seconds after `now`.

use super::arrival::{Comer, free_run};
use super::exit::Beyond;
use super::layout::Layout;
use super::parting::{Held, Upstream, leads_to};
use super::round::Round;
use super::serve::YELLOW_USED_S;
use crate::ids::{ConnectionId, GroupId, Id, LaneId, StageId, Table, span};
use crate::network::Network;
use crate::plan::draft::Change;
use crate::plan::timeline::Lamps;
use crate::time::{Span, Time};
use crate::traffic::tracker::{Crossing, LaneTrack, SPACING, Tracker, draw};

/// Turns of a lane that a stage may split are drawn this often.
pub(super) const SAMPLES: u32 = 3;
/// Most vehicles of one lane that are looked at.
const ROW_MAX: usize = 60;
/// A switch costs this much even when counts are perfect, vehicle-seconds.
const PRICE: f32 = 3.0;
/// And at most so much more when nothing is known.
const PRICE_NOISY: f32 = 12.0;
/// Somebody who waits to cross counts as so many waiting vehicles; the longest red bounds the wait itself.
const WALKER: f32 = 0.3;
/// Whoever was missed has waited no longer, s: the longest red is about to end then.
const RED_MOST_S: f32 = 120.0;
/// Most claims.
pub(super) const CLAIMS_MAX: usize = 64;
/// A red is ended so long before its maximum is up, s.
const RED_MARGIN: f32 = 6.0;

/// The present of a junction, as the engine knows it.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The present.
    pub now: Time,
    /// Changes begin at multiples of this.
    pub grid: Span,
    /// No change begins before this instant.
    pub earliest: Time,
    /// The stage it is in or changing into.
    pub stage: StageId,
    /// When the change into that stage began.
    pub since: Time,
    /// What its lamps have shown.
    pub lamps: &'a Lamps,
    /// Since when demand has waited for each group; none where nobody waits.
    pub waiting: &'a Table<GroupId, Option<Time>>,
    /// People waiting to cross, per group; zero for vehicle groups.
    pub walkers: &'a [f32],
    /// Who will come, as neighbours expect.
    pub announced: &'a [Crossing],
    /// Where it is in the timed plan that it runs, if it runs one.
    pub round: Option<&'a Round>,
}

/// A lane's vehicles in one drawn world.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stream {
    pub(super) lane: u16,
    pub(super) first: u32,
    pub(super) len: u8,
    pub(super) weight: f32,
    pub(super) headway: f32,
    pub(super) startup: f32,
    /// What the second of a queue needs beyond a headway, s.
    pub(super) extra: f32,
    /// When nobody is slowed by the start any more, s after green.
    pub(super) steady: f32,
    pub(super) ready: f32,
}

/// Demand that a group's green settles at once: people who walk, or a red that must end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub(super) group: GroupId,
    pub(super) weight: f32,
    pub(super) deadline: f32,
}

/// A vehicle that may come: when it would cross if nothing held it, what its choices are drawn from, and its place on the
/// lane upstream if it is on one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    arrival: f32,
    seed: u32,
    from: Option<(LaneId, u16, u16)>,
}

/// What a schedule is made from.
#[derive(Debug, Clone, Default)]
pub struct Situation {
    pub(super) now: Time,
    pub(super) grid: Span,
    pub(super) earliest: Time,
    pub(super) stage: usize,
    pub(super) since: f32,
    pub(super) horizon: f32,
    pub(super) price: f32,
    /// By group: when it turned or turns green without another change; infinite if it does not.
    pub(super) green_at: Vec<f32>,
    /// By group: the first instant at which it owes nothing to those that are off already.
    pub(super) debt: Vec<f32>,
    /// By stage: the first instant at which the change into it does not cut a minimum green.
    pub(super) leave: Vec<f32>,
    /// They follow one another as their vehicles do.
    pub(super) streams: Vec<Stream>,
    /// When each vehicle would cross if nothing held it.
    pub(super) arrivals: Vec<f32>,
    /// Which of its lane's turns each takes.
    pub(super) ways: Vec<u8>,
    /// What each one's choices are drawn from.
    pub(super) seeds: Vec<u32>,
    /// Who has to cross before each can come, where approaches part only near the line.
    pub(super) held: Vec<Held>,
    /// Whether anybody is.
    pub(super) parted: bool,
    /// By exit: vehicles it can take now.
    pub(super) room: Vec<f32>,
    /// By group: people who wait for it to walk.
    pub(super) walkers: Vec<f32>,
    pub(super) claims: Vec<Claim>,
    /// Where it is in a timed plan that is followed instead of searching, if one is.
    pub(super) round: Option<Round>,
    /// The changes that it goes on with instead of searching, if it does.
    pub(super) goes_on: Option<Vec<Change>>,
    pub(super) found: Vec<Found>,
    pub(super) comers: Vec<Comer>,
    pub(super) upstream: Vec<Upstream>,
}

impl Situation {
    /// An empty junction in which stage `stage` has been green for long enough to be left at once.
    pub fn empty(layout: &Layout, now: Time, grid: Span, stage: StageId) -> Self {
        let mut it = Self::default();
        it.clear(layout, now, grid, stage);
        let groups = layout.stages[it.stage].groups;
        for (row, green) in it.green_at.iter_mut().enumerate() {
            *green = if groups.contains(GroupId::of(row)) { -1000.0 } else { f32::INFINITY };
        }
        it
    }

    fn clear(&mut self, layout: &Layout, now: Time, grid: Span, stage: StageId) {
        self.now = now;
        self.grid = grid;
        self.earliest = now.ceil(grid);
        self.stage = stage.index();
        self.since = -1000.0;
        self.horizon = super::horizon(grid).s() as f32;
        self.price = PRICE;
        for (vec, len, value) in [
            (&mut self.green_at, layout.groups, f32::INFINITY),
            (&mut self.debt, layout.groups, f32::NEG_INFINITY),
            (&mut self.leave, layout.stages.len(), f32::NEG_INFINITY),
            (&mut self.room, layout.exits.len(), f32::INFINITY),
            (&mut self.walkers, layout.groups, 0.0),
        ] {
            vec.clear();
            vec.resize(len, value);
        }
        self.streams.clear();
        self.arrivals.clear();
        self.ways.clear();
        self.seeds.clear();
        self.held.clear();
        self.parted = false;
        self.upstream.clear();
        self.claims.clear();
        self.round = None;
        self.goes_on = None;
    }

    /// Reads a junction's present from its lamps and the tracker.
    pub fn fill(&mut self, network: &Network, layout: &Layout, tracker: &Tracker, moment: &Moment<'_>) {
        self.clear(layout, moment.now, moment.grid, moment.stage);
        self.earliest = moment.earliest.max(moment.now).ceil(moment.grid);
        self.since = self.after(moment.since);
        self.round = moment.round.cloned();
        self.lamps(network, layout, moment);
        let lag = (moment.now - tracker.clock()).s().max(0.0) as f32;
        self.announce(network, tracker, moment.announced);
        let mut doubt = 0.0_f32;
        for lane in 0..layout.lanes.len() {
            doubt += self.lane(network, layout, tracker, moment, lane, lag);
        }
        self.hold_behind();
        self.price += PRICE_NOISY * (doubt / layout.lanes.len().max(1) as f32).min(1.0);
        let beyond = Beyond { network, tracker, junction: layout.junction };
        self.room.iter_mut().zip(&layout.exits).for_each(|(room, &exit)| *room = beyond.room(exit));
        for (row, &people) in moment.walkers.iter().enumerate().filter(|(_, p)| **p > 0.0) {
            self.walkers[row] = people;
            self.claim(GroupId::of(row), people * WALKER, f32::INFINITY);
        }
    }

    /// Seconds from now to `at`.
    pub(super) fn after(&self, at: Time) -> f32 {
        (at - self.now).s().clamp(-1e4, 1e4) as f32
    }

    fn lamps(&mut self, network: &Network, layout: &Layout, moment: &Moment<'_>) {
        let junction = network.junction(layout.junction);
        let stage = junction.stages[moment.stage].groups;
        for group in junction.groups.ids() {
            let lamp = moment.lamps.group(group);
            if let Some(from) = lamp.green_from {
                self.green_at[group.index()] = self.after(from);
            }
            let off = self.after(lamp.green_until);
            for to in junction.groups.ids() {
                let owed = layout.intergreen[group.index() * layout.groups + to.index()];
                if owed >= 0.0 && off > -1e4 {
                    self.debt[to.index()] = self.debt[to.index()].max(off + owed);
                }
            }
            if let Some(since) = moment.waiting.get(group).copied().flatten() {
                let deadline = self.after(since) + layout.max_red[group.index()] - RED_MARGIN;
                if lamp.green_from.is_none() && deadline < self.horizon + layout.reach(self.stage, group) {
                    self.claim(group, 0.0, deadline);
                }
            }
        }
        for (to, leave) in self.leave.iter_mut().enumerate() {
            for group in stage.difference(layout.stages[to].groups).iter() {
                let green = self.green_at[group.index()];
                if green.is_finite() {
                    *leave = leave.max(green + layout.min_green[group.index()]);
                }
            }
        }
    }

    /// The first instant at which a change may begin, s.
    pub(super) fn first(&self) -> f32 {
        self.after(self.earliest)
    }

    /// Goes on with what is left of changes that were found before instead of searching, where no change can begin yet
    /// whatever is seen; until when that is so, and none where it is not.
    pub fn go_on(&mut self, layout: &Layout, changes: &[Change]) -> Option<Time> {
        let follows = |to: &usize| layout.follows(self.stage, *to);
        let opens = (0..layout.stages.len()).filter(follows).map(|to| self.leave[to]).min_by(f32::total_cmp)?;
        let left = &changes[changes.partition_point(|change| change.at < self.earliest)..];
        let may = |next: &Change| {
            let to = next.stage.index();
            follows(&to) && self.leave[to] <= self.after(next.at)
        };
        let shut = self.round.is_none() && self.first() < opens;
        if !shut || !left.first().is_none_or(may) {
            return None;
        }
        self.goes_on = Some(left.to_vec());
        Some(super::instant(self.now, opens))
    }

    /// From when each group may be passed if the change into stage `to` begins at `at`, or the stage stays.
    pub(super) fn opened(&self, layout: &Layout, to: usize, at: f32, open: &mut [f32]) {
        for (row, open) in open.iter_mut().enumerate() {
            let group = GroupId::of(row);
            let green = self.green_at[row];
            *open = if !layout.stages[to].groups.contains(group) {
                f32::INFINITY
            } else if green.is_finite() {
                green
            } else {
                (at + layout.start(self.stage, to, group)).max(self.debt[row])
            };
        }
    }

    /// People wait for a group, or its red must end by `deadline`.
    pub fn claim(&mut self, group: GroupId, people: f32, deadline: f32) {
        if self.claims.len() < CLAIMS_MAX {
            self.claims.push(Claim { group, weight: people, deadline });
        }
    }

    /// Adds a lane's vehicles: when each would cross if nothing held it, in order, and which of the lane's turns it takes.
    pub fn row(&mut self, lane: usize, weight: f32, headway: f32, startup: f32, vehicles: &[(f32, u8)]) {
        let first = self.arrivals.len() as u32;
        let len = vehicles.len().min(ROW_MAX) as u8;
        for &(at, way) in &vehicles[..usize::from(len)] {
            self.arrivals.push(at);
            self.ways.push(way);
            self.seeds.push(self.seeds.len() as u32);
            self.held.push(Held::FREE);
        }
        let lane = lane as u16;
        let (extra, steady, ready) = (0.0, 4.0 * headway, f32::NEG_INFINITY);
        self.streams.push(Stream { lane, first, len, weight, headway, startup, extra, steady, ready });
    }

    /// How many vehicles an exit can take now.
    pub fn limit_exit(&mut self, exit: usize, vehicles: f32) {
        self.room[exit] = vehicles;
    }

    /// Adds one lane as the tracker has it; how uncertain it is, vehicles² in relation to what is there.
    fn lane(
        &mut self,
        network: &Network,
        layout: &Layout,
        tracker: &Tracker,
        moment: &Moment<'_>,
        at: usize,
        lag: f32,
    ) -> f32 {
        let row = &layout.lanes[at];
        let Some(track) = tracker.lane(row.lane) else { return 1.0 };
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        for segment in network.reach(row.lane) {
            let Some(above) = tracker.lane(segment.lane) else { continue };
            let offset = segment.offset.get() as f32;
            let fits = (offset / SPACING) as u16;
            for (place, vehicle) in above.vehicles().iter().enumerate() {
                let here = segment.lane == row.lane;
                let wants = above.wants().filter(|_| place == 0);
                if here || leads_to(network, tracker, segment.lane, row.lane, vehicle.seed, wants) {
                    let arrival = free_run(vehicle, offset, tracker.pace() * above.speed()) - lag;
                    let from = (!here).then_some((segment.lane, place as u16, fits));
                    found.push(Found { arrival, seed: vehicle.seed, from });
                }
            }
        }
        for segment in network.reach(row.lane).iter().filter(|s| s.lane != row.lane) {
            // Somebody on a lane beside it may have yet to change into it.
            let offset = segment.offset.get() as f32;
            for beside in span(&network.link(network.lane(segment.lane).link).lanes) {
                let Some(track) = tracker.lane(beside) else { continue };
                let comes = |path: ConnectionId| {
                    network.connections()[path].to == row.lane && !span(&network.lane(beside).exits).any(|c| c == path)
                };
                if let (Some(head), Some(true)) = (track.vehicles().first(), track.wants().map(comes)) {
                    let arrival = free_run(head, offset, tracker.pace() * track.speed()) - lag;
                    found.push(Found { arrival, seed: head.seed, from: Some((beside, 0, (offset / SPACING) as u16)) });
                }
            }
        }
        for comer in self.comers.iter().filter(|comer| comer.lane == row.lane) {
            found.push(Found { arrival: comer.arrives(tracker, track), seed: comer.seed, from: None });
        }
        // Nearly sorted already, so this is a single pass.
        for i in 1..found.len() {
            let mut j = i;
            while j > 0 && found[j - 1].arrival > found[j].arrival {
                found.swap(j - 1, j);
                j -= 1;
            }
        }
        let discharge = track.discharge();
        let gone = self.gone(layout, moment, at, lag, discharge.headway_s, &found);
        let exits = &network.lane(row.lane).exits;
        let samples = if row.split && found.len() > gone { SAMPLES } else { 1 };
        for sample in 0..samples {
            let first = self.arrivals.len() as u32;
            let limit = found.len().min(gone + ROW_MAX);
            for (place, &Found { arrival, seed, from }) in found[gone..limit].iter().enumerate() {
                if arrival > self.horizon {
                    break;
                }
                if let Some((lane, place_up, fits)) = from.filter(|_| sample == 0) {
                    let stream = self.streams.len() as u16;
                    self.upstream.push(Upstream { lane, place: place_up, fits, stream, row: place as u8 });
                }
                let ruled_out = if place == 0 && gone == 0 { track.ruled_out() } else { 0 };
                self.arrivals.push(arrival);
                self.held.push(Held::FREE);
                self.ways.push(way(tracker, layout, at, exits.start, seed, sample, ruled_out));
                self.seeds.push(seed);
            }
            let len = (self.arrivals.len() as u32 - first) as u8;
            if len == 0 {
                break;
            }
            self.streams.push(Stream {
                lane: at as u16,
                first,
                len,
                weight: 1.0 / samples as f32,
                headway: discharge.headway_s,
                startup: discharge.startup_s,
                extra: discharge.extra_s(),
                steady: discharge.steady_s(),
                ready: f32::NEG_INFINITY,
            });
        }
        self.found = found;
        self.suspect(layout, tracker, moment, at);
        track.uncertainty()
    }

    /// Where loops miss vehicles, somebody may stand at the line of whom nobody knows: so many as come unseen in a red.
    fn suspect(&mut self, layout: &Layout, tracker: &Tracker, moment: &Moment<'_>, at: usize) {
        let row = &layout.lanes[at];
        let missed = tracker.lane(row.lane).map_or(0.0, LaneTrack::missed);
        if missed <= 0.0 {
            return;
        }
        let turns = &layout.turns[row.turns.clone()];
        let all: f32 = turns.iter().map(|turn| tracker.share(turn.connection)).sum();
        for turn in turns {
            let red = -self.after(moment.lamps.group(turn.group).green_until);
            let hidden = missed * red.clamp(0.0, RED_MOST_S) * tracker.share(turn.connection) / all.max(1e-3);
            if !self.green_at[turn.group.index()].is_finite() {
                self.claim(turn.group, hidden, f32::INFINITY);
            }
        }
    }

    /// How many of a lane's vehicles have crossed between the tracker's clock and now, by the lamps that were shown.
    fn gone(&self, layout: &Layout, moment: &Moment<'_>, at: usize, lag: f32, headway: f32, found: &[Found]) -> usize {
        if lag <= 0.0 {
            return 0;
        }
        // The lane was open from its first turn's green to its last one's end.
        let (mut from, mut until) = (f32::INFINITY, f32::NEG_INFINITY);
        for turn in &layout.turns[layout.lanes[at].turns.clone()] {
            let lamp = moment.lamps.group(turn.group);
            let off = self.after(lamp.green_until) + YELLOW_USED_S;
            match lamp.green_from {
                Some(green) if green <= moment.now => {
                    from = from.min(self.after(green) + 1.0);
                    until = 0.0;
                }
                _ if off > -lag => {
                    from = -lag;
                    until = until.max(off.min(0.0));
                }
                _ => {}
            }
        }
        let mut next = from.max(-lag);
        let crossed = found.iter().take_while(|&&Found { arrival, .. }| {
            let crosses = arrival.max(next);
            next = crosses + headway;
            crosses <= until
        });
        crossed.count()
    }
}

/// Which of its lane's turns a vehicle takes in world `sample`.
fn way(
    tracker: &Tracker,
    layout: &Layout,
    lane: usize,
    first: ConnectionId,
    seed: u32,
    sample: u32,
    ruled_out: u32,
) -> u8 {
    let turns = &layout.turns[layout.lanes[lane].turns.clone()];
    if turns.len() == 1 {
        return 0;
    }
    let mut shares = [0.0_f32; super::layout::TURNS_MAX];
    let mut among = 0;
    for (at, (share, turn)) in shares.iter_mut().zip(turns).enumerate() {
        *share = tracker.share(turn.connection).max(1e-3);
        if ruled_out >> (turn.connection.index() - first.index()).min(31) & 1 == 0 {
            among |= 1 << at;
        }
    }
    draw::exit(seed, sample, &shares[..turns.len()], among).unwrap_or(0) as u8
}

//! The tracker: every vehicle on every lane, in order, run forward each tick and corrected by what sensors count.
//!
//! A vehicle exists once, on the lane it is on, chopped approaches included; it passes from lane to lane where no signal
//! stops it, and at a stop line when the loop there counts it or, without one, when its lamp and the road ahead let it.
//! So upstream discharge fills the part of a link that no sensor sees. Which way a vehicle turns is drawn from its own
//! seed ([`draw`]), again and again the same.

mod account;
mod beside;
mod choice;
pub mod draw;
mod drive;
mod lane;
mod loops;
mod order;
mod pace;
mod view;

pub(crate) use account::Account;
pub use lane::{LaneTrack, SPACING, Vehicle};

use crate::event::{LaneView, Reading, Seen};
use crate::ids::{ConnectionId, GroupSet, Id, JunctionId, LaneId, SensorId, Table, span};
use crate::keep::{keep, resume};
use crate::network::{Conflict, Control, Network, Sensors};
use crate::time::{Span, Time};
use crate::traffic::saturation::Discharge;
use drive::Road;
use pace::Pace;

/// How many past ticks of lamps are kept, so that readings may be this many ticks late.
const LAMPS_KEPT: usize = 16;
/// Nobody is waited for longer: an older state tells too little of the present.
const LAG_MAX: Span = Span::from_s(10);
/// A standing vehicle at the line that has not moved for this long under green is not there, or turns elsewhere, s.
const STUCK_S: f32 = 4.0;

/// What one tick brings.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The end of the tick.
    pub now: Time,
    /// Validated readings of this tick, in any order, and those that came too late.
    pub readings: &'a [&'a Reading],
    /// This much later than nearly all, a reading is still used.
    pub allowed: Span,
    /// Per junction the groups that traffic may pass at `now`: green, and yellow as long as it is still used.
    pub open: &'a Table<JunctionId, GroupSet>,
    /// Vehicles that entered from lanes that are not tracked here, as a neighbour announced them.
    pub entered: &'a [Crossing],
}

/// A vehicle that crossed, or will cross, the end of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crossing {
    /// The path it takes.
    pub connection: ConnectionId,
    /// When it crosses the stop line.
    pub at: Time,
    /// What its choices are drawn from.
    pub seed: u32,
}

keep!(Crossing { connection, at, seed });

/// A vehicle inside a node.
#[derive(Debug, Clone, Copy)]
struct Transit {
    to: LaneId,
    at: Time,
    seed: u32,
}

keep!(Transit { to, at, seed });

/// Every vehicle on the lanes of a partition.
#[derive(Debug, Clone)]
pub struct Tracker {
    lanes: Table<LaneId, LaneTrack>,
    order: Vec<LaneId>,
    /// The lane at whose end each lane is left.
    last_pieces: Table<LaneId, LaneId>,
    /// The lanes of roads that nothing leads to.
    sources: Vec<LaneId>,
    shares: Table<ConnectionId, f32>,
    transit: Vec<Transit>,
    left: Vec<Crossing>,
    crossed: Vec<Crossing>,
    clock: Time,
    lag: Span,
    pending: Vec<Reading>,
    open: Table<JunctionId, [GroupSet; LAMPS_KEPT]>,
    opened_at: [Time; LAMPS_KEPT],
    serial: u32,
    pace: Pace,
}

resume!(Tracker {
    kept: shares, transit, left, clock, lag, pending, open, opened_at, serial, pace;
    each: lanes;
    built: order, last_pieces, sources, crossed
});

impl Tracker {
    /// Somebody stands so far before the end of a lane, m.
    #[cfg(test)]
    pub(crate) fn put(&mut self, lane: LaneId, gap: f32) {
        self.lanes[lane].vehicles.push(Vehicle { gap, speed: 0.0, seed: 1, age: 0.0 });
    }

    /// So many come a second on a lane whom nobody sees.
    #[cfg(test)]
    pub(crate) fn miss(&mut self, lane: LaneId, per_s: f32) {
        self.lanes[lane].unseen = per_s;
    }

    /// An empty road at `now`, for the lanes of one partition and their sensors.
    pub fn new(network: &Network, sensors: &Sensors, partition: &crate::network::Partition, now: Time) -> Self {
        let mut lanes = Table::over(&partition.lanes, LaneTrack::default());
        for (id, track) in lanes.iter_mut() {
            *track = LaneTrack::new(network, sensors, id);
        }
        account::note_told(network, sensors, &mut lanes);
        let connections = match (lanes.ids().next(), lanes.ids().next_back()) {
            (Some(first), Some(last)) => network.lane(first).exits.start..network.lane(last).exits.end,
            _ => ConnectionId::of(0)..ConnectionId::of(0),
        };
        let mut shares = Table::over(&path_range(network, &partition.lanes, connections), 1.0_f32);
        for id in lanes.ids() {
            let exits = &network.lane(id).exits;
            let even = 1.0 / span(exits).len().max(1) as f32;
            span(exits).for_each(|c| shares[c] = even);
        }
        let entrance = |&lane: &LaneId| network.is_entrance(network.lane(lane).link);
        Self {
            sources: lanes.ids().filter(entrance).collect(),
            order: order::downstream_first(network, &partition.lanes),
            last_pieces: choice::last_pieces(network, &partition.lanes),
            lanes,
            shares,
            transit: Vec::new(),
            left: Vec::new(),
            crossed: Vec::new(),
            clock: now,
            lag: Span::ZERO,
            pending: Vec::new(),
            open: Table::over(&partition.junctions, [GroupSet::EMPTY; LAMPS_KEPT]),
            opened_at: [Time::LONG_AGO; LAMPS_KEPT],
            serial: 1,
            pace: Pace::default(),
        }
    }

    /// How late nearly all readings are.
    pub(crate) fn lag(&self) -> Span {
        self.lag
    }

    /// A lane's vehicles and how well they are known; none for a lane of another partition.
    pub fn lane(&self, lane: LaneId) -> Option<&LaneTrack> {
        self.lanes.get(lane)
    }

    /// The instant the state stands at: the present, less the latency of readings.
    pub fn clock(&self) -> Time {
        self.clock
    }

    /// Vehicles that left for lanes that are not tracked here, in the last tick.
    pub fn left(&self) -> &[Crossing] {
        &self.left
    }

    /// Vehicles that crossed the line of a signal in the last tick.
    pub fn crossed(&self) -> &[Crossing] {
        &self.crossed
    }

    /// The chance that a vehicle on a path's lane takes that path.
    pub fn share(&self, connection: ConnectionId) -> f32 {
        self.shares.get(connection).copied().unwrap_or(1.0)
    }

    /// The share of the limit at which a vehicle that nobody holds is expected to come.
    pub fn pace(&self) -> f32 {
        self.pace.expected()
    }

    /// Tells it how a lane discharges.
    pub fn learn_discharge(&mut self, lane: LaneId, discharge: Discharge) {
        if let Some(track) = self.lanes.get_mut(lane) {
            track.discharge = discharge;
        }
    }

    /// Tells it how many vehicles pass a loop for each that it counts. Cameras are corrected by their own disagreement.
    pub fn learn_factor(&mut self, sensors: &Sensors, sensor: SensorId, factor: f32) {
        let row = &sensors.table()[sensor];
        if let Some(track) = row.lane.and_then(|lane| self.lanes.get_mut(lane)) {
            track.learn_factor(row.distance.get() as f32, factor);
        }
    }

    /// Tells it the chance, 0 to 1, that a vehicle takes a path. Those of one lane need not sum to 1.
    pub fn learn_share(&mut self, connection: ConnectionId, share: f32) {
        if let Some(row) = self.shares.get_mut(connection) {
            *row = share.max(0.0);
        }
    }

    /// Nobody can drive on a lane: what was believed to be there is forgotten.
    pub fn clear(&mut self, lane: LaneId) {
        if let Some(track) = self.lanes.get_mut(lane) {
            track.forget();
        }
    }

    /// Runs the model to the end of the tick, or as far as the latency of readings lets it, and corrects it.
    pub fn step(&mut self, network: &Network, sensors: &Sensors, input: &Input<'_>) {
        self.left.clear();
        self.crossed.clear();
        self.opened_at.rotate_right(1);
        self.opened_at[0] = input.now;
        for (junction, kept) in self.open.iter_mut() {
            kept.rotate_right(1);
            kept[0] = input.open.get(junction).copied().unwrap_or_default();
        }
        for crossing in input.entered {
            // Whether he stood before the line over there is not told.
            self.set_out(network, crossing.connection, None);
            self.pass(network, *crossing);
        }
        let tick = input.now - self.opened_at[1].max(self.clock - Span::SECOND);
        self.measure_lag(input, tick);
        let target = (input.now - self.lag).max(self.clock);
        let oldest = input.now - self.lag - input.allowed;
        self.pending.extend(input.readings.iter().filter(|r| r.end >= oldest).map(|&r| r.clone()));
        let step = if tick > Span::ZERO && tick <= Span::SECOND { tick } else { Span::SECOND };
        while self.clock < target {
            let to = (self.clock + step).min(target);
            self.one_step(network, sensors, to);
        }
    }

    /// How late readings are, but for one in ten; grows at once as far as is allowed and then steadily, shrinks when a whole
    /// minute was faster. To know of everybody late is better than not to know of some.
    fn measure_lag(&mut self, input: &Input<'_>, tick: Span) {
        let prompt = |r: &&&Reading| r.interval <= Span::from_s(2) && r.end >= input.now - LAG_MAX;
        let mut ends: Vec<Time> = input.readings.iter().filter(prompt).map(|r| r.end).collect();
        let tenth = ends.len() / 10;
        if !ends.is_empty() {
            let nearly_all = *ends.select_nth_unstable(tenth).1;
            let late = (input.now - nearly_all).max(Span::ZERO).floor(Span::from_ms(100));
            let shrunk = self.lag - Span::from_ms(tick.ms() / 30);
            // One strange tick does not set it back by much, and what the lamps were must be known.
            let lamps_known = input.now - self.opened_at[LAMPS_KEPT - 1];
            let most = (self.lag + Span::from_ms(tick.ms() / 2)).max(input.allowed).min(lamps_known);
            self.lag = if late >= self.lag { late.min(most) } else { shrunk.max(late) };
        }
    }

    fn one_step(&mut self, network: &Network, sensors: &Sensors, to: Time) {
        let dt = (to - self.clock).s() as f32;
        self.file(network, sensors, to);
        self.clock = to;
        self.arrive(to);
        let usual = self.usual_entry();
        for at in 0..self.sources.len() {
            let lane = self.sources[at];
            if self.lanes[lane].comes_unseen(dt, usual) {
                let seed = self.seed();
                self.lanes[lane].enter(seed, 0.0);
            }
        }
        let lamps = self.opened_at.iter().rposition(|&at| at >= to).unwrap_or(0);
        for at in 0..self.order.len() {
            let lane = self.order[at];
            let mut road = self.road_ahead(network, lane, lamps);
            if !road.signal && !road.ends {
                let wants = self.part(network, lane);
                road.held = wants.is_some();
                self.lanes[lane].wants = wants.or(self.lanes[lane].wants);
            }
            let lanes = &network.link(network.lane(lane).link).lanes;
            beside::comes_over(self.lanes.slice_mut(lanes), lane.index() - lanes.start.index());
            let track = &mut self.lanes[lane];
            let wanted = match road.passable & !track.ruled_out {
                0 => road.passable,
                wanted => wanted,
            };
            let (crossed, seeds) = track.advance(dt, &road, &self.pace, self.serial);
            self.serial += seeds;
            for _ in 0..crossed {
                let waited_for = self.lanes[lane].wants.take();
                let vehicle = self.lanes[lane].pop();
                // Counted and not known: it was there all the same.
                let (seed, over) = vehicle.map_or_else(|| (self.seed(), 0.0), |v| (v.seed, -v.gap));
                let exits = &network.lane(lane).exits;
                let way = draw::exit(seed, 0, self.shares.slice(exits), wanted);
                let path = way.map(|way| ConnectionId::of(exits.start.index() + way));
                let speed = network.link(network.lane(lane).link).speed.get().max(1.0) as f32;
                let since = (over / speed).clamp(0.0, dt);
                let at = to - Span::nearest(f64::from(since));
                let nth = self.lanes[lane].leaves(vehicle.map(|v| v.age - since), &self.pace);
                if let Some(path) = waited_for.or(path).filter(|_| !road.ends) {
                    self.set_out(network, path, nth.filter(|_| road.signal));
                    if road.signal {
                        self.crossed.push(Crossing { connection: path, at, seed });
                    }
                    self.pass(network, Crossing { connection: path, at, seed });
                }
            }
            let serial = self.serial;
            self.serial += self.lanes[lane].follow_up(serial);
        }
        self.look(network, to);
        for (_, track) in self.lanes.iter_mut() {
            track.mark();
            track.add_up();
            if let Some(timed) = track.timed.take() {
                self.pace.learn(timed);
            }
        }
    }

    /// Vehicles that come a second on an entrance, on average over those where they are counted when they leave.
    fn usual_entry(&self) -> f32 {
        let counted = self.sources.iter().map(|&lane| &self.lanes[lane]).filter(|lane| lane.counts_leavers());
        let (flow, lanes) = counted.fold((0.0, 0.0), |(flow, lanes), lane| (flow + lane.flow, lanes + 1.0_f32));
        flow / lanes.max(1.0)
    }

    /// Where lanes part and one of them is crowded: whether the head waits for that one, be it an exit of its own lane or
    /// of one beside it into which it has yet to change. If it is seen to stand, it does; if nobody sees it, its own draw
    /// says so.
    fn part(&self, network: &Network, lane: LaneId) -> Option<ConnectionId> {
        let track = &self.lanes[lane];
        let head = track.vehicles.first()?;
        let crowded = |c: &ConnectionId| self.lanes.get(network.connections()[*c].to).is_some_and(LaneTrack::crowded);
        let own = &network.lane(lane).exits;
        if let Some(wants) = track.wants.filter(crowded) {
            return track.head_stands().unwrap_or(true).then_some(wants);
        }
        match track.head_stands() {
            Some(false) => None,
            Some(true) => {
                let beside = || span(&network.link(network.lane(lane).link).lanes).filter(|&l| l != lane);
                let all = span(own).chain(beside().flat_map(|l| span(&network.lane(l).exits)));
                all.into_iter().find(crowded)
            }
            None => {
                let way = draw::exit(head.seed, 0, self.shares.slice(own), 0)?;
                Some(ConnectionId::of(own.start.index() + way)).filter(crowded)
            }
        }
    }

    fn seed(&mut self) -> u32 {
        self.serial = self.serial.wrapping_add(1);
        draw::mix(self.serial)
    }

    /// A vehicle takes a path: into a lane tracked here, or away.
    fn pass(&mut self, network: &Network, crossing: Crossing) {
        let Crossing { connection, at, seed } = crossing;
        let path = &network.connections()[connection];
        let link = network.lane(path.to).link;
        let speed = network.link(link).speed.get().max(1.0);
        let inside = Span::nearest((path.length.get() / speed).max(0.0));
        if !self.lanes.range().contains(&path.to) {
            self.left.push(crossing);
            return;
        }
        let to = self.lane_taken(network, connection, seed);
        self.transit.push(Transit { to, at: at + inside, seed });
    }

    /// Lets vehicles that are through their node enter their lane.
    fn arrive(&mut self, to: Time) {
        self.transit.sort_by_key(|t| t.at);
        let due = self.transit.partition_point(|t| t.at <= to);
        for transit in self.transit.drain(..due) {
            let since = (to - transit.at).s() as f32;
            self.lanes[transit.to].enter(transit.seed, since);
        }
    }

    /// What the lamps and the road beyond let a lane's head do.
    fn road_ahead(&self, network: &Network, lane: LaneId, lamps: usize) -> Road {
        let row = network.lane(lane);
        let mut road =
            Road { passable: 0, exits: 0, yields: false, blocked: false, held: false, signal: false, ends: false };
        // Where a road ends, who came as far as to its end has arrived and does not turn back.
        road.ends = span(&row.exits).all(|path| network.turns_back(path));
        for (at, connection) in span(&row.exits).enumerate().take(32) {
            let path = &network.connections()[connection];
            road.exits |= 1 << at;
            let full = self.lanes.get(path.to).is_some_and(LaneTrack::crowded);
            road.blocked |= full;
            match path.control {
                Control::Signal(junction, group) => {
                    road.signal = true;
                    let open = self.open.get(junction).map_or(GroupSet::EMPTY, |kept| kept[lamps]);
                    if open.contains(group) {
                        road.passable |= 1 << at;
                        let rules = network.junction(junction);
                        road.yields |= open.iter().any(|other| rules.conflict(group, other) == Conflict::Yields);
                    } else {
                        road.yields |= network.junction(junction).groups[group].turn_on_red;
                    }
                }
                Control::Free => road.passable |= 1 << at,
                Control::GivesWay => {
                    road.passable |= 1 << at;
                    road.yields = true;
                }
            }
        }
        road
    }

    /// Hands each lane the readings that end by `to`.
    fn file(&mut self, network: &Network, sensors: &Sensors, to: Time) {
        let mut later = Vec::new();
        for reading in self.pending.drain(..) {
            if reading.end > to {
                later.push(reading);
                continue;
            }
            let Some(sensor) = sensors.table().get(reading.sensor) else { continue };
            match &reading.seen {
                Seen::Loop { count, occupancy, .. } => {
                    if let Some(track) = sensor.lane.and_then(|lane| self.lanes.get_mut(lane)) {
                        track.counted(sensor.distance.get() as f32, *count, *occupancy, reading.interval, to);
                    }
                }
                Seen::Camera { lanes, .. } => {
                    let nearest = sensor.distance.get() as f32;
                    let farthest = nearest + sensor.range.get() as f32;
                    for &LaneView { lane, vehicles, queue } in lanes {
                        if network.lane(lane).link != sensor.link {
                            continue;
                        }
                        if let Some(track) = self.lanes.get_mut(lane) {
                            track.seen(view::View { nearest, farthest, vehicles, queue, at: reading.end });
                        }
                    }
                }
            }
        }
        self.pending = later;
    }

    /// Corrects lanes by what cameras saw, link by link: a vehicle that changed lanes is missing here and too many there.
    fn look(&mut self, network: &Network, to: Time) {
        let Some(first) = self.lanes.ids().next() else { return };
        let mut lane = first.index();
        let end = first.index() + self.lanes.len();
        while lane < end {
            let lanes = &network.link(network.lane(LaneId::of(lane)).link).lanes;
            let serial = self.serial;
            self.serial = view::correct(self.lanes.slice_mut(lanes), to, serial);
            lane = lanes.end.index();
        }
    }
}

/// The ids of every path that leaves a lane of the range.
fn path_range(
    network: &Network,
    lanes: &std::ops::Range<LaneId>,
    fallback: std::ops::Range<ConnectionId>,
) -> std::ops::Range<ConnectionId> {
    let with_exits = || span(lanes).map(|l| &network.lane(l).exits).filter(|e| !e.is_empty());
    match (with_exits().next(), with_exits().next_back()) {
        (Some(first), Some(last)) => first.start..last.end,
        _ => fallback.start..fallback.start,
    }
}

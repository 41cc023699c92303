//! Closing a tick: departures become the next links' arrivals, stocks and the index move on, and a part of the minute's
//! work is done, so that no tick does all of it.

use crate::ids::{GroupSet, Id, JunctionId, LaneId, LinkId, MovementId, Table, span};
use crate::network::{Link, Network};
use crate::time::{Span, Time};
use crate::traffic::index::stock::{Spent, Stock, Tick};
use crate::traffic::lane::{Lane, VIEW_AGE_MAX};
use crate::traffic::quality::Quality;
use crate::traffic::scope::Role;
use crate::traffic::tracker::SPACING;
use crate::traffic::{Edge, Road, Traffic};
use crate::units::Vehicles;

/// Every sensor's health is looked at this often.
const SWEEP: Span = Span::from_s(15);
/// An open stop line without anybody on it for this long has no queue, ms.
const CLEARED_MS: u32 = 5_000;
/// A queue of cars that would fill this share of the view may cover its edge: lorries are longer.
const COVERING: f32 = 0.7;
/// Between two loops at the ends of a stretch this long no more vehicles fit per metre.
const BETWEEN_PER_M: f32 = 1.0 / 6.0;
/// Where only the stop line is counted, its queue is taken to stand within this, m.
const STOP_VIEW_M: f32 = 60.0;
/// Vehicles that move drive at this share of the limit where no signal stops them: what most do, while the tracker takes
/// the slower ones.
const PACE: f32 = 0.9;
const MINUTE: Span = Span::from_s(60);

/// Vehicles a second that leave a link which only a camera looks at: those in its view that move, each for as long as it
/// takes to drive through. The more of them stand, the slower the others creep.
fn driving(road: &Road, lanes: &[Lane], link: &Link) -> f32 {
    let vehicles: u16 = lanes.iter().map(|l| l.vehicles).sum();
    let moving: u16 = lanes.iter().map(|l| l.vehicles.saturating_sub(l.queue)).sum();
    let view_m = road.view_m.min(link.length.get() as f32).max(1.0);
    let speed = PACE * link.speed.get() as f32 * f32::from(moving) / f32::from(vehicles.max(1));
    road.factor * f32::from(moving) * speed / view_m
}

/// An empty road.
pub(super) fn road(network: &Network, link: Option<LinkId>) -> Road {
    let stock = link.map_or_else(
        || Stock::new(0.0, 0.0, 1.0, 1),
        |id| {
            let link = network.link(id);
            Stock::new(link.length.get() as f32, 0.0, link.speed.get() as f32, link.lane_count())
        },
    );
    Road {
        stock,
        entrance: link.is_none_or(|id| network.is_entrance(id)),
        inflow: 0.0,
        inside: (0.0, 0.0),
        turned: 0.0,
        turned_sum: 0.0,
        crossed_sum: 0.0,
        turns_ok: false,
        seen_at: Time::LONG_AGO,
        camera_ok: false,
        view_m: 0.0,
        edge: Edge::Model,
        factor: 1.0,
        passed: 0.0,
        unseen: 0.0,
        left: None,
        quality: Quality::None,
        believed: None,
    }
}

impl Traffic {
    /// Closes the tick that ends at `now`; `green` says which groups of each junction are green.
    pub fn advance(&mut self, now: Time, green: &Table<JunctionId, GroupSet>) {
        let network = std::sync::Arc::clone(&self.network);
        let dt = if self.ticks == 0 { self.settings.tick } else { (now - self.now).min(Span::from_s(10)) };
        let dt = dt.max(Span::from_ms(1));
        let before = self.now;
        (self.now, self.ticks) = (now, self.ticks + 1);
        self.announced.clear();
        self.open_changes();
        for link in span(&self.scope.links) {
            self.depart(&network, link, dt, green);
        }
        let told = |link: LinkId| self.roads[link].turns_told(now);
        self.screenlines.advance(&network, &self.lanes, now, &mut self.turning, told);
        for link in span(&self.scope.links) {
            self.settle(&network, link, dt);
        }
        self.minute_work();
        self.compare_accounts(&network);
        self.sweep();
        if before > Time::LONG_AGO && before.floor(MINUTE) < now.floor(MINUTE) {
            self.index.close_minute(&network, now);
            self.imputation.close_minute(&network, &self.lanes);
        }
        self.closed = true;
    }

    /// What left a link in this tick, and where it went.
    fn depart(&mut self, network: &Network, id: LinkId, dt: Span, green: &Table<JunctionId, GroupSet>) {
        let link = network.link(id);
        let now = self.now;
        let road = &mut self.roads[id];
        let camera = road.camera_ok && now - road.seen_at <= VIEW_AGE_MAX;
        let turns = road.turns_told(now);
        let (mut counted, mut lanes, mut exact) = (0.0, 0_u32, true);
        for lane in self.lanes.slice_mut(&link.lanes) {
            lane.tick(now, dt, green);
            lane.add_up(dt);
            for (heard, believed) in [(lane.heard.out, lane.out_ok), (lane.heard.in_, lane.in_ok)] {
                road.passed += if believed { heard } else { 0.0 };
            }
            if lane.out_ok {
                counted += lane.heard.out;
            } else if lane.in_ok {
                counted += lane.heard.in_;
                exact = false;
            } else {
                exact = false;
                continue;
            }
            lanes += 1;
        }
        let all = link.lane_count() as u32;
        if turns && exact {
            road.turned_sum += road.turned;
            road.crossed_sum += counted;
        }
        road.left = match (lanes, turns) {
            (n, _) if n == all => Some(counted),
            (_, true) => Some(road.turned * road.turn_ratio()),
            (0, false) if camera => Some(driving(road, self.lanes.slice(&link.lanes), link) * dt.s() as f32),
            (0, false) => None,
            (n, false) => Some(counted * all as f32 / n as f32),
        };
        let outflow = road.left.unwrap_or_else(|| road.stock.flowing(dt.s() as f32));
        let (turned, ratio) = (std::mem::take(&mut road.turned), road.turn_ratio());
        if turns {
            if turned > 0.0 {
                self.turn(network, id, ratio);
            }
        } else if outflow > 0.0 {
            self.spread(network, id, outflow);
        }
    }

    /// The camera says which way they went.
    fn turn(&mut self, network: &Network, id: LinkId, ratio: f32) {
        for &movement in network.movements_from(id) {
            let count = std::mem::take(&mut self.turned[movement]);
            if count <= 0.0 {
                continue;
            }
            self.arrive(network, movement, count * ratio);
            let lanes = &self.lanes;
            let out = |lane: LaneId| lanes.get(lane).map_or(0.0, |row| row.heard.out);
            self.turning.learn(network, movement, count, out);
        }
    }

    /// Nobody says which way they went: as most do.
    fn spread(&mut self, network: &Network, id: LinkId, outflow: f32) {
        let link = network.link(id);
        let counted: f32 = self.lanes.slice(&link.lanes).iter().map(|l| l.heard.out).sum();
        for lane in span(&link.lanes) {
            let share =
                if counted > 0.0 { self.lanes[lane].heard.out / counted } else { 1.0 / link.lane_count() as f32 };
            if share <= 0.0 {
                continue;
            }
            for path in span(&network.lane(lane).exits) {
                let part = self.turning.fraction(&network.lane(lane).exits, path) as f32;
                self.arrive(network, network.connections()[path].movement, outflow * share * part);
            }
        }
    }

    /// Vehicles enter a link: here, or in a neighbouring partition, which is told.
    fn arrive(&mut self, network: &Network, movement: MovementId, vehicles: f32) {
        let to = network.movements()[movement].to;
        let (inside_s, free_s) = self.inside[movement];
        match self.roads.get_mut(to) {
            Some(road) => {
                road.inflow += vehicles;
                road.inside.0 += vehicles * inside_s;
                road.inside.1 += vehicles * free_s;
            }
            None => {
                let vehicles = Vehicles::new(f64::from(vehicles)).unwrap_or(Vehicles::ZERO);
                match self.announced.iter_mut().find(|(link, _)| *link == to) {
                    Some((_, sum)) => *sum = *sum + vehicles,
                    None => self.announced.push((to, vehicles)),
                }
            }
        }
    }

    /// What a link holds after this tick, and the vehicle-time that cost.
    fn settle(&mut self, network: &Network, id: LinkId, dt: Span) {
        let link = network.link(id);
        let told = self.roads[id].edge == Edge::Model && self.comes_known(network, id);
        let lanes = self.lanes.slice(&link.lanes);
        let road = &mut self.roads[id];
        let camera = road.camera_ok && self.now - road.seen_at <= VIEW_AGE_MAX;
        let edge = if camera {
            Edge::Camera
        } else if lanes.iter().all(|l| l.in_ok) {
            Edge::Loops
        } else {
            Edge::Model
        };
        let length = link.length.get() as f32;
        if edge != road.edge {
            let view = match edge {
                Edge::Camera => road.view_m,
                Edge::Loops => lanes.iter().map(|l| l.entry_at.get() as f32).sum::<f32>() / lanes.len() as f32,
                Edge::Model if road.left.is_some() => STOP_VIEW_M,
                Edge::Model => 0.0,
            };
            road.edge = edge;
            road.stock.move_edge(length, view, link.speed.get() as f32, lanes.len());
        }
        let inflow = std::mem::take(&mut road.inflow);
        let mut tick = Tick { dt_s: dt.s() as f32, left: road.left, pace: self.pace, ..Tick::default() };
        // Nobody knows how many enter the network.
        tick.inflow = (!road.entrance).then_some(inflow);
        match edge {
            Edge::Camera => {
                tick.seen = Some(road.factor * lanes.iter().map(|l| f32::from(l.vehicles)).sum::<f32>());
                let full = COVERING * road.view_m.min(length) / 7.5;
                tick.covered = lanes.iter().map(|l| u8::from(road.factor * f32::from(l.queue) >= full)).sum();
                let most = lanes.iter().map(|l| l.vehicles).max().unwrap_or(0);
                tick.fill = road.factor * f32::from(most) * COVERING / full.max(1.0);
            }
            Edge::Loops => {
                tick.seen = Some(lanes.iter().map(|l| l.between).sum());
                tick.entered = Some(lanes.iter().map(|l| l.heard.in_).sum());
                tick.covered = lanes.iter().map(|l| u8::from(l.points.is_queued())).sum();
                let fill = |l: &Lane| l.between * 7.5 / (l.entry_at.get() as f32).max(7.5);
                tick.fill = lanes.iter().map(fill).fold(0.0, f32::max);
            }
            Edge::Model => {
                let cleared = lanes.iter().filter(|l| l.idle_ms >= CLEARED_MS).count();
                tick.cleared = cleared as f32 / lanes.len() as f32;
            }
        }
        let counted = road.left.is_some() && (camera && road.turns_ok || lanes.iter().any(|l| l.out_ok || l.in_ok));
        road.quality = match (edge, counted) {
            (Edge::Camera, true) if road.stock.queued_beyond() < 1.0 => Quality::Measured,
            (Edge::Camera, true) | (Edge::Loops, true) => Quality::Fused,
            (Edge::Camera | Edge::Loops, false) | (Edge::Model, true) => Quality::Imputed,
            (Edge::Model, false) if told => Quality::Imputed,
            (Edge::Model, false) => Quality::None,
        };
        let mut spent = road.stock.advance(&tick);
        if let Some(account) = road.believed.take() {
            if edge != Edge::Camera {
                let free_veh_s = account.left * length / link.speed.get() as f32;
                spent = Spent { veh_s: account.veh_s, free_veh_s, left: account.left };
            }
            // Where a camera sees the whole link it sees them pick up speed.
            let behind_s = if edge == Edge::Camera && road.view_m >= length - SPACING { 0.0 } else { account.behind_s };
            spent.veh_s += account.inside_s + behind_s;
        }
        let (inside, free) = std::mem::take(&mut road.inside);
        spent.veh_s += inside;
        spent.free_veh_s += free;
        self.index.book(id, &spent, road.quality);
        // The next tick begins.
        self.lanes.slice_mut(&link.lanes).iter_mut().for_each(|lane| lane.heard = Default::default());
    }

    /// Whether something is known of at least half of the roads that lead to a link; of those in another partition that is
    /// taken for granted.
    fn comes_known(&self, network: &Network, id: LinkId) -> bool {
        if self.roads[id].entrance {
            return false;
        }
        let from = &network.node(network.link(id).from).incoming;
        let known =
            from.iter().filter(|&&up| self.roads.get(up).is_none_or(|road| road.quality != Quality::None)).count();
        known > 0 && 2 * known >= from.len()
    }

    /// Closes the minute of the lanes whose turn it is.
    fn minute_work(&mut self) {
        let period = (MINUTE.ms() / self.settings.tick.ms().max(1)).max(1) as u64;
        let first = self.scope.lanes.start.index();
        let mut row = (self.ticks % period) as usize;
        while row < self.lanes.len() {
            let id = LaneId::of(first + row);
            let lane = &mut self.lanes[id];
            let out = lane.out.close_minute();
            let arrived = lane.arrivals.close_minute();
            let rate = arrived.or(out);
            lane.rate = rate.unwrap_or(-1.0);
            if let Some(rate) = rate {
                self.profile.learn(id, self.now, self.network.utc_offset(), rate);
            }
            self.imputation.minute(id, &self.lanes);
            row += period as usize;
        }
    }

    /// Looks at the health of the sensors whose turn it is.
    fn sweep(&mut self) {
        let period = (SWEEP.ms() / self.settings.tick.ms().max(1)).max(1) as usize;
        let mut slot = self.ticks as usize % period;
        while slot < self.ears.len() {
            self.judge_health(slot, self.now);
            slot += period;
        }
    }

    /// Judges one sensor's health, and who may count on it.
    pub(super) fn judge_health(&mut self, slot: usize, now: Time) {
        let ear = &mut self.ears[slot];
        let interval = Span::from_ms(i64::from(ear.place.interval_ms));
        let health = ear.monitor.health(ear.track.last(), interval, now);
        if health == ear.health {
            return;
        }
        (ear.health, ear.usable) = (health, health.usable());
        let (link, lane, usable) = (ear.place.link, ear.place.lane, ear.usable);
        match ear.place.role {
            Role::StopLine => self.lanes[lane].out_ok = usable,
            Role::Entry => self.lanes[lane].in_ok = usable,
            Role::Camera => self.roads[link].camera_ok = usable,
            Role::Spare => {}
        }
        self.open_changes();
        self.changed.push((self.scope.sensors[slot], health));
    }

    fn open_changes(&mut self) {
        if std::mem::take(&mut self.closed) {
            self.changed.clear();
        }
    }
}

impl Lane {
    /// Closes the tick of one lane.
    fn tick(&mut self, now: Time, dt: Span, green: &Table<JunctionId, GroupSet>) {
        let open = self
            .signal
            .is_none_or(|(junction, groups)| green.get(junction).is_some_and(|g| !g.intersection(groups).is_empty()));
        if self.heard.out_heard {
            let idle = open && self.heard.out <= 0.0 && !self.heard.occupied;
            self.idle_ms = if idle { self.idle_ms.saturating_add(dt.ms() as u32) } else { 0 };
        }
        if self.in_ok {
            let most = self.entry_at.get() as f32 * BETWEEN_PER_M + 1.0;
            // Where no stop line counts them they are taken to drive on.
            let through = || self.between * (dt.s() * self.speed.get() / self.entry_at.get().max(1.0)).min(1.0) as f32;
            let out = if self.out_ok { self.heard.out } else { through() };
            self.between = (self.between + self.heard.in_ - out).clamp(0.0, most);
            if self.idle_ms >= CLEARED_MS {
                self.between = 0.0;
            }
        }
        if self.out_ok && self.signal.is_some() && !self.late {
            let standing = self.view(now).map(|(_, queue)| queue);
            self.saturation.advance(now, dt, open, standing, self.heard.out.round() as u16);
        }
    }
}

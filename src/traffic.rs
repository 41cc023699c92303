//! What is happening: from readings to vehicles, flows, turning, discharge, queues and the delay index.
//!
//! [`Traffic`] looks after one partition. Readings go in one by one ([`Traffic::observe`]), a tick is closed once
//! ([`Traffic::advance`]); everything else asks. It never sees a plan: only which groups are green.

mod accounts;
mod advance;
pub mod delay;
pub mod flow;
pub mod forecast;
pub mod health;
pub mod impute;
pub mod index;
mod lane;
pub mod measures;
pub(crate) mod node;
mod observe;
pub mod platoon;
pub mod quality;
pub mod queue;
pub mod readings;
pub mod saturation;
mod scope;
mod screenline;
#[cfg(test)]
mod tests;
pub mod tracker;
pub mod turning;

use crate::keep::{keep, resume};
use std::sync::Arc;

use crate::ids::{ConnectionId, LaneId, LinkId, MovementId, SensorId, Table, ZoneId, span};
use crate::network::{Network, Sensors};
use crate::time::{Span, Time};
use crate::units::{MetresPerSecond, VehPerHour, Vehicles};

use flow::{Profile, best};
use health::{Health, Monitor};
use impute::Imputation;
use index::{Index, Window, stock::Stock};
use lane::Lane;
use measures::Measure;
use quality::{Estimate, Quality};
use readings::{Allowance, Counters, Track};
use saturation::Saturation;
use scope::{Place, Role, Scope};
use screenline::Screenlines;
use tracker::Account;
use turning::Turning;

/// How the estimator works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Time between two ticks.
    pub tick: Span,
    /// A reading is used for control when its end is no older than this at the end of the tick.
    pub late: Span,
    /// A reading is believed when its end is no farther ahead than this.
    pub ahead: Span,
}

impl Default for Settings {
    /// A tick of one second, half a second of lateness, half a second of skew.
    fn default() -> Self {
        Self { tick: Span::SECOND, late: Span::from_ms(1500), ahead: Span::from_ms(500) }
    }
}

/// One sensor: where it stands, what it said, whether it can be believed.
#[derive(Debug, Clone)]
struct Ear {
    place: Place,
    track: Track,
    monitor: Monitor,
    usable: bool,
    health: Health,
    setting: health::Setting,
    /// What its counts are multiplied with.
    factor: f32,
}

resume!(Ear { kept: track, monitor, usable, health, factor; built: place, setting });

/// What happened on one link in the tick that is open, and what it holds.
#[derive(Debug, Clone)]
struct Road {
    stock: Stock,
    /// Whether traffic enters the network on it.
    entrance: bool,
    inflow: f32,
    /// Vehicle-seconds inside the node of those that entered: spent, and at free flow.
    inside: (f32, f32),
    turned: f32,
    /// Vehicles that the camera saw turn, and those that the loops counted meanwhile.
    turned_sum: f32,
    crossed_sum: f32,
    turns_ok: bool,
    seen_at: Time,
    camera_ok: bool,
    view_m: f32,
    edge: Edge,
    /// What the camera's counts of a lane are multiplied with.
    factor: f32,
    /// Vehicles that loops counted since the camera's last reading.
    passed: f32,
    /// And those before it, while it told the same again and again.
    unseen: f32,
    left: Option<f32>,
    quality: Quality,
    /// What was spent on it as the tracker believes, if that tells.
    believed: Option<Account>,
}

resume!(Road {
    kept: stock, inflow, inside, turned, turned_sum, crossed_sum, turns_ok, seen_at, camera_ok, edge, factor,
        passed, unseen, left, quality, believed;
    built: entrance, view_m
});

/// Where the part of a link that sensors see begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    /// Where the camera's view ends.
    Camera,
    /// At the entry loops.
    Loops,
    /// Nowhere: at most the stop line is counted.
    Model,
}

keep!(
    enum Edge {
        Camera,
        Loops,
        Model,
    }
);

/// What a camera or, without one, the model says of a lane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LaneState {
    /// Vehicles on it, as far as the camera sees.
    pub vehicles: f64,
    /// Those that stand; where the queue reaches beyond the view, all of them.
    pub queue: f64,
    /// Departures over the stop line.
    pub departures: Estimate,
    /// Arrivals.
    pub arrivals: Estimate,
    /// How well vehicles and queue are known.
    pub quality: Quality,
}

/// What is happening in one partition.
#[derive(Debug, Clone)]
pub struct Traffic {
    network: Arc<Network>,
    settings: Settings,
    scope: Scope,
    allowance: Allowance,
    counters: Counters,
    ears: Vec<Ear>,
    /// The slots of the sensors on each link.
    watching: Table<LinkId, Vec<u32>>,
    lanes: Table<LaneId, Lane>,
    roads: Table<LinkId, Road>,
    turned: Table<MovementId, f32>,
    /// Time inside the node, s a vehicle: spent, and at free flow.
    inside: Table<MovementId, (f32, f32)>,
    turning: Turning,
    screenlines: Screenlines,
    profile: Profile,
    imputation: Imputation,
    index: Index,
    /// The share of the limit at which drivers drive on average.
    pace: f32,
    announced: Vec<(LinkId, Vehicles)>,
    changed: Vec<(SensorId, Health)>,
    /// `changed` is of a tick that is over.
    closed: bool,
    now: Time,
    ticks: u64,
}

resume!(Traffic {
    kept: counters, turned, inside, turning, screenlines, profile, imputation, index, pace, announced, changed, closed, now, ticks;
    each: ears, lanes, roads;
    built: network, settings, scope, allowance, watching
});

impl Traffic {
    /// An empty city: all of `network`.
    pub fn new(network: Arc<Network>, sensors: &Sensors, settings: Settings) -> Self {
        Self::of(network, sensors, settings, None)
    }

    /// An empty partition of `network`.
    pub fn partition(network: Arc<Network>, sensors: &Sensors, settings: Settings, partition: usize) -> Self {
        Self::of(network, sensors, settings, Some(partition))
    }

    fn of(network: Arc<Network>, sensors: &Sensors, settings: Settings, partition: Option<usize>) -> Self {
        let scope = Scope::new(&network, sensors, partition);
        let places = scope.places(&network, sensors);
        let screenlines = Screenlines::new(&network, sensors, &scope, &places);
        let ears = places.into_iter().map(|place| Ear {
            setting: health::Setting::of(&network, place.link),
            place,
            track: Track::default(),
            monitor: Monitor::default(),
            usable: true,
            health: Health::Unheard,
            factor: 1.0,
        });
        let mut lanes = Table::over(&scope.lanes, Lane::new(None, MetresPerSecond::ZERO));
        for id in span(&scope.lanes) {
            lanes[id] = Lane::new(signal(&network, id), network.link(network.lane(id).link).speed);
        }
        let mut roads = Table::over(&scope.links, advance::road(&network, None));
        for id in span(&scope.links) {
            roads[id] = advance::road(&network, Some(id));
        }
        let mut inside = Table::over(&scope.movements, (0.0, 0.0));
        for id in span(&scope.movements) {
            inside[id] = node::inside(&network, id);
        }
        let mut this = Self {
            allowance: Allowance { late: settings.late, ahead: settings.ahead },
            counters: Counters::default(),
            watching: Table::over(&scope.links, Vec::new()),
            ears: ears.collect(),
            lanes,
            roads,
            turned: Table::over(&scope.movements, 0.0),
            inside,
            turning: Turning::new(&network, &scope),
            screenlines,
            profile: Profile::new(&scope.lanes),
            imputation: Imputation::new(&network, &scope),
            index: Index::new(&network, &scope),
            pace: 1.0,
            announced: Vec::new(),
            changed: Vec::new(),
            closed: false,
            now: Time::LONG_AGO,
            ticks: 0,
            network,
            settings,
            scope,
        };
        this.stand(sensors);
        this
    }

    /// Tells lanes and links where their sensors stand.
    fn stand(&mut self, sensors: &Sensors) {
        for (slot, &id) in self.scope.sensors.iter().enumerate() {
            let (place, sensor) = (&self.ears[slot].place, &sensors.table()[id]);
            self.watching[place.link].push(u32::try_from(slot).unwrap_or(u32::MAX));
            match place.role {
                scope::Role::Entry => self.lanes[place.lane].entry_at = sensor.distance,
                scope::Role::Camera => {
                    self.roads[place.link].view_m = (sensor.distance.get() + sensor.range.get()) as f32
                }
                _ => {}
            }
        }
    }

    /// What was spent on a link as the tracker believes: where no camera counts vehicles, the next tick books that.
    pub(crate) fn believe(&mut self, link: LinkId, account: Account) {
        if let Some(road) = self.roads.get_mut(link) {
            road.believed = Some(account);
        }
    }

    /// At which share of the limit drivers drive on average.
    pub(crate) fn learn_pace(&mut self, mean: f32) {
        self.pace = mean;
    }

    /// The end of the last tick.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The network it looks at.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Readings offered, used and refused.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// A sensor's health; unheard for one of another partition.
    pub fn health(&self, sensor: SensorId) -> Health {
        self.ear(sensor).map_or(Health::Unheard, |ear| ear.health)
    }

    /// Sensors whose health changed in the last tick.
    pub fn health_changes(&self) -> &[(SensorId, Health)] {
        &self.changed
    }

    /// What a sensor's counts are multiplied with, because it miscounts steadily; 1 where it does not.
    pub fn factor(&self, sensor: SensorId) -> f64 {
        self.ear(sensor).map_or(1.0, |ear| match ear.place.role {
            Role::Camera => f64::from(self.roads[ear.place.link].factor),
            _ => f64::from(ear.factor),
        })
    }

    /// How far a sensor's clock was found to run ahead.
    pub fn skew(&self, sensor: SensorId) -> Span {
        self.ear(sensor).map_or(Span::ZERO, |ear| ear.track.skew())
    }

    fn ear(&self, sensor: SensorId) -> Option<&Ear> {
        self.ears.get(self.scope.slot(sensor)?)
    }

    /// What is known of a lane; `None` for one of another partition.
    pub fn lane(&self, lane: LaneId) -> Option<LaneState> {
        let row = self.lanes.get(lane)?;
        let link = self.network.lane(lane).link;
        let road = &self.roads[link];
        let lanes = self.network.link(link).lane_count() as f64;
        let beyond = f64::from(road.stock.queued_beyond()) / lanes;
        let (vehicles, queue, quality) = match row.view(self.now) {
            Some((vehicles, queue)) => {
                let factor = f64::from(road.factor);
                (f64::from(vehicles) * factor, f64::from(queue) * factor, Quality::Measured)
            }
            None => {
                let seen = f64::from(road.stock.seen()) / lanes;
                (seen, seen, road.quality.worse(Quality::Fused))
            }
        };
        Some(LaneState {
            vehicles,
            queue: queue + beyond,
            departures: self.departures(lane, row),
            arrivals: self.arrivals(lane),
            quality,
        })
    }

    /// From now on a reading this late is used for control.
    pub(crate) fn allow(&mut self, late: Span) {
        self.allowance.late = late;
    }

    /// How well the vehicles of a lane are known, as [`Traffic::lane`] says it; none for a lane of another partition.
    pub fn quality(&self, lane: LaneId) -> Option<Quality> {
        let row = self.lanes.get(lane)?;
        Some(match row.view(self.now) {
            Some(_) => Quality::Measured,
            // What its loops say is as old as what its camera saw.
            None if row.late => Quality::Imputed,
            None => self.roads[self.network.lane(lane).link].quality.worse(Quality::Fused),
        })
    }

    /// Whether a loop of a lane can be believed.
    pub(crate) fn hears_loop(&self, lane: LaneId) -> bool {
        self.lanes.get(lane).is_some_and(|row| row.out_ok || row.in_ok)
    }

    fn departures(&self, lane: LaneId, row: &Lane) -> Estimate {
        best(row.out.flow(), || row.arrivals.flow(), || self.imputed(lane), || self.usual(lane))
    }

    /// The flow that arrives on a lane.
    pub fn arrivals(&self, lane: LaneId) -> Estimate {
        let Some(row) = self.lanes.get(lane) else { return Estimate::default() };
        let road = &self.roads[self.network.lane(lane).link];
        let beyond = f64::from(road.stock.queued_beyond());
        let mut arrivals = best(row.arrivals.flow(), || row.out.flow(), || self.imputed(lane), || self.usual(lane));
        if beyond > 1.0 {
            // Loops inside a queue count what the signal lets through, not what arrives: the queue counts too, as if
            // it were to be gone within a quarter of an hour.
            let lanes = self.network.link(self.network.lane(lane).link).lane_count() as f64;
            arrivals.flow = arrivals.flow + VehPerHour::new(4.0 * beyond / lanes).unwrap_or(VehPerHour::ZERO);
            arrivals.quality = arrivals.quality.worse(Quality::Fused);
        }
        arrivals
    }

    fn imputed(&self, lane: LaneId) -> Option<VehPerHour> {
        self.imputation.flow(lane, &self.lanes)
    }

    fn usual(&self, lane: LaneId) -> Option<VehPerHour> {
        self.profile.flow(lane, self.now, self.network.utc_offset())
    }

    /// The flow that wants to make a movement.
    pub fn demand(&self, movement: MovementId) -> Estimate {
        let Some(row) = self.network.movements().get(movement) else { return Estimate::default() };
        let mut sum = Estimate { flow: VehPerHour::ZERO, quality: Quality::Measured };
        for &path in &row.connections {
            let arrivals = self.arrivals(self.network.connections()[path].from);
            sum.flow = sum.flow + arrivals.flow * self.turning_fraction(path);
            sum.quality = sum.quality.worse(arrivals.quality);
        }
        sum
    }

    /// The share of a lane's traffic that takes each of its paths.
    pub fn turning(&self, lane: LaneId) -> impl Iterator<Item = (ConnectionId, f64)> {
        let exits = self.network.lane(lane).exits.clone();
        let here = if self.scope.lanes.contains(&lane) { exits } else { exits.start..exits.start };
        span(&here).zip(self.turning.fractions(&here))
    }

    /// The share of a link's traffic that takes each of its exits, by what its lanes carry; nothing for a link of
    /// another partition.
    pub fn turning_of_link(&self, link: LinkId) -> Vec<(LinkId, f64)> {
        if !self.scope.links.contains(&link) {
            return Vec::new();
        }
        turning::of_link(&self.turning, &self.network, link, |lane| self.arrivals(lane).flow.get())
    }

    /// The share of its lane's traffic that takes a path; 1 for a path of another partition.
    pub fn turning_fraction(&self, path: ConnectionId) -> f64 {
        let lane = self.network.connections()[path].from;
        if self.scope.lanes.contains(&lane) { self.turning.fraction(&self.network.lane(lane).exits, path) } else { 1.0 }
    }

    /// How a lane discharges; `None` for one of another partition.
    pub fn saturation(&self, lane: LaneId) -> Option<&Saturation> {
        self.lanes.get(lane).map(|row| &row.saturation)
    }

    /// How many more vehicles fit on a lane behind the tail of its standing queue; `None` for one of another partition.
    pub fn room(&self, lane: LaneId) -> Option<Vehicles> {
        let state = self.lane(lane)?;
        let length = self.network.link(self.network.lane(lane).link).length;
        Vehicles::new((length.get() / queue::SPACING.get() - state.queue).max(0.0))
    }

    /// Vehicles on a link, seen and unseen; `None` for one of another partition.
    pub fn vehicles(&self, link: LinkId) -> Option<Vehicles> {
        Vehicles::new(f64::from(self.roads.get(link)?.stock.total()).max(0.0))
    }

    /// A link's congestion.
    pub fn index_link(&self, link: LinkId, window: Window) -> Measure {
        self.index.link(link, window)
    }

    /// A zone's congestion, with all below it, as far as this partition knows.
    pub fn index_zone(&self, zone: ZoneId, window: Window) -> Measure {
        self.index.zone(zone, window)
    }

    /// The congestion of some links together.
    pub fn index_corridor(&self, links: &[LinkId], window: Window) -> Measure {
        self.index.corridor(links, window)
    }

    /// Tells that vehicles have left a neighbouring partition for `link`.
    pub fn expect(&mut self, link: LinkId, arrivals: Vehicles) {
        if let Some(road) = self.roads.get_mut(link) {
            road.inflow += arrivals.get() as f32;
        }
    }

    /// Vehicles that left for links of other partitions in the last tick.
    pub fn announced(&self) -> &[(LinkId, Vehicles)] {
        &self.announced
    }
}

/// The groups that release a lane's paths; `None` when a path needs none.
fn signal(network: &Network, lane: LaneId) -> Option<(crate::ids::JunctionId, crate::ids::GroupSet)> {
    let mut signal = None;
    for path in network.connections().slice(&network.lane(lane).exits) {
        let (junction, group) = path.control.group()?;
        let (_, groups) = signal.unwrap_or((junction, crate::ids::GroupSet::EMPTY));
        signal = Some((junction, groups.with(group)));
    }
    signal
}

//! How a twin is run: seed, start, drivers, what is wrong with its sensors and controllers, what happens on its roads.

use super::dice::{Dice, Purpose};
use super::driving::Driving;
use crate::ids::{GroupId, Id, JunctionId, LaneId, LinkId};
use crate::network::Network;
use crate::time::{Span, Time};

/// How a twin is run.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// All chance in the twin follows from it.
    pub seed: u64,
    /// When it begins.
    pub start: Time,
    /// Every trip is made this many times on average.
    pub demand_scale: f64,
    /// How people drive.
    pub driving: Driving,
    /// What is wrong with the sensors.
    pub sensors: SensorFaults,
    /// What goes wrong at controllers.
    pub troubles: Vec<Trouble>,
    /// What happens on the roads.
    pub incidents: Vec<Incident>,
    /// How often each controller reports when nothing changes.
    pub status_every: Span,
    /// Standard deviation of an ambulance's idea of where it is, metres.
    pub gps_error_m: f64,
    /// Length of the intervals for which the truth is kept.
    pub bucket: Span,
    /// How many of them are kept; the oldest goes first.
    pub buckets_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            start: Time::EPOCH,
            demand_scale: 1.0,
            driving: Driving::default(),
            sensors: SensorFaults::default(),
            troubles: Vec::new(),
            incidents: Vec::new(),
            status_every: Span::SECOND,
            gps_error_m: 4.0,
            bucket: Span::from_s(300),
            buckets_max: 24,
        }
    }
}

/// What is wrong with the sensors. Shares are of all sensors, 0 to 1, and exclude each other; nothing by default.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SensorFaults {
    /// Share of vehicles that any sensor misses, and as many that it counts twice.
    pub count_error: f64,
    /// Share of readings that never arrive, of any sensor.
    pub dropout: f64,
    /// Sensors that say nothing at all.
    pub dead: f64,
    /// Sensors that repeat their first reading for ever.
    pub stuck: f64,
    /// Sensors that miss half of all vehicles.
    pub biased: f64,
    /// Sensors whose readings come late, and how late.
    pub delayed: f64,
    /// How late those are.
    pub latency: Span,
    /// Sensors whose clock is off, half of them ahead, half behind.
    pub skewed: f64,
    /// By how much.
    pub skew: Span,
}

impl SensorFaults {
    /// An ordinary city's sensors: small errors, a few readings lost, some broken.
    pub const ORDINARY: Self = Self {
        count_error: 0.03,
        dropout: 0.01,
        dead: 0.02,
        stuck: 0.01,
        biased: 0.02,
        delayed: 0.02,
        latency: Span::from_s(3),
        skewed: 0.01,
        skew: Span::from_s(2),
    };
}

/// Something that goes wrong at a controller for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// Where.
    pub junction: JunctionId,
    /// From when on.
    pub from: Time,
    /// Until when.
    pub until: Time,
    /// What.
    pub kind: TroubleKind,
}

/// What can go wrong at a controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TroubleKind {
    /// It neither reports nor hears.
    Silent,
    /// It runs its own program and says so.
    Local,
    /// It refuses every plan.
    Refuses,
    /// A lamp of this group is out, which it reports.
    Lamp(GroupId),
}

impl Trouble {
    /// For a `share` of all controllers one trouble each, of any kind, five minutes long, somewhere in
    /// [`from`, `until`).
    pub fn scattered(network: &Network, seed: u64, share: f64, from: Time, until: Time) -> Vec<Self> {
        let mut all = Vec::new();
        for (junction, j) in network.junctions().iter() {
            let mut dice = Dice::new(seed, Purpose::Controller, junction.index() as u64);
            if !dice.chance(share) {
                continue;
            }
            let begins = from + Span::nearest(dice.between(0.0, (until - from).s().max(0.0)).floor());
            let kind = match (dice.uniform() * 4.0) as u8 {
                0 => TroubleKind::Silent,
                1 => TroubleKind::Local,
                2 => TroubleKind::Refuses,
                _ => TroubleKind::Lamp(GroupId::of((dice.uniform() * j.groups.len() as f64) as usize)),
            };
            all.push(Self { junction, from: begins, until: begins + Span::from_s(300), kind });
        }
        all
    }
}

/// Something on the road that nobody can enter for a while. Those inside drive on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incident {
    /// What is closed.
    pub place: Closed,
    /// From when on.
    pub from: Time,
    /// Until when.
    pub until: Time,
}

/// What an incident closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// One lane.
    Lane(LaneId),
    /// Every lane of a link.
    Link(LinkId),
}

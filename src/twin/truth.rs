//! What really happened: time spent and time at free flow, by link, zone and city; everyone counts, the unfinished and
//! those still outside too.

use crate::ids::{Id, LinkId, ZoneId};
use crate::network::{Network, zone};
use crate::time::{Span, Time};

/// Sums over the vehicles of a link, a zone or the city.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sums {
    /// Vehicles that entered.
    pub entered: u64,
    /// Vehicles that left.
    pub left: u64,
    /// Time spent inside, vehicle-seconds. The way through a node belongs to the link behind it.
    pub vehicle_s: f64,
    /// The same way at the limit without signals: length ÷ limit, for those still under way as far as they came.
    pub free_flow_s: f64,
    /// Time spent outside before the first link had room, vehicle-seconds.
    pub outside_s: f64,
    /// Times a vehicle waited more than two seconds at the end of a link.
    pub stops: u64,
}

impl Sums {
    /// Delay index: time spent, outside included, over time at free flow. `None` where nobody moved.
    pub fn index(&self) -> Option<f64> {
        (self.free_flow_s > 0.0).then(|| (self.vehicle_s + self.outside_s) / self.free_flow_s)
    }

    fn plus(self, other: Self) -> Self {
        Self {
            entered: self.entered + other.entered,
            left: self.left + other.left,
            vehicle_s: self.vehicle_s + other.vehicle_s,
            free_flow_s: self.free_flow_s + other.free_flow_s,
            outside_s: self.outside_s + other.outside_s,
            stops: self.stops + other.stops,
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            entered: self.entered - other.entered,
            left: self.left - other.left,
            vehicle_s: self.vehicle_s - other.vehicle_s,
            free_flow_s: self.free_flow_s - other.free_flow_s,
            outside_s: self.outside_s - other.outside_s,
            stops: self.stops - other.stops,
        }
    }
}

/// What became of the trips.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Travel {
    /// Trips whose time to set out has come.
    pub departed: u64,
    /// Those of them that found room on their first link.
    pub entered: u64,
    /// Those that arrived.
    pub arrived: u64,
    /// Time from setting out to arriving of those that arrived, s.
    pub arrived_s: f64,
    /// Time from setting out to arriving, or to now, of everyone, s.
    pub everyone_s: f64,
}

impl Travel {
    /// Under way now.
    pub fn unfinished(&self) -> u64 {
        self.entered - self.arrived
    }

    /// Still outside.
    pub fn never_entered(&self) -> u64 {
        self.departed - self.entered
    }

    /// Mean over everyone who set out, time outside included, the unfinished up to now.
    pub fn mean_s(&self) -> Option<f64> {
        (self.departed > 0).then(|| self.everyone_s / self.departed as f64)
    }

    /// Mean over those that arrived.
    pub fn mean_arrived_s(&self) -> Option<f64> {
        (self.arrived > 0).then(|| self.arrived_s / self.arrived as f64)
    }
}

/// What happened on each link in an interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    /// Its end.
    pub end: Time,
    /// Its length.
    pub length: Span,
    /// Each link's sums, by link.
    pub links: Vec<Sums>,
}

/// The truth up to an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// The instant.
    pub at: Time,
    /// What became of the trips.
    pub travel: Travel,
    pub(super) links: Vec<Sums>,
}

impl Truth {
    /// One link's sums.
    pub fn link(&self, link: LinkId) -> Sums {
        self.links[link.index()]
    }

    /// Every link's sums, by link.
    pub fn links(&self) -> &[Sums] {
        &self.links
    }

    /// The sums of the links in a zone and all below it.
    pub fn zone(&self, zone: ZoneId, network: &Network) -> Sums {
        let inside = |link: LinkId| zone::ancestors(network.zones(), network.link(link).zone).any(|z| z == zone);
        network.links().ids().filter(|&l| inside(l)).fold(Sums::default(), |sum, l| sum.plus(self.link(l)))
    }

    /// The sums of all links.
    pub fn city(&self) -> Sums {
        self.links.iter().fold(Sums::default(), |sum, &l| sum.plus(l))
    }

    /// What happened since `earlier`, link by link.
    pub fn since(&self, earlier: &Self) -> Vec<Sums> {
        self.links.iter().zip(&earlier.links).map(|(now, then)| now.minus(*then)).collect()
    }
}

/// One link's running account. Vehicle-time needs no clock but entries and exits: Σ exits − Σ entries + inside × now.
#[derive(Debug, Clone, Copy, Default)]
struct Row {
    balance_ms: i64,
    inside: i64,
    outside_balance_ms: i64,
    outside: i64,
    entered: u64,
    left: u64,
    stops: u64,
    free_s: f64,
}

/// The running account.
#[derive(Debug)]
pub(super) struct Tally {
    rows: Vec<Row>,
    departed: u64,
    first_entries: u64,
    arrived: u64,
    arrived_ms: i64,
}

impl Tally {
    pub(super) fn new(links: usize) -> Self {
        Self { rows: vec![Row::default(); links], departed: 0, first_entries: 0, arrived: 0, arrived_ms: 0 }
    }

    pub(super) fn waits_outside(&mut self, link: u32, now: u32) {
        let row = &mut self.rows[link as usize];
        row.outside += 1;
        row.outside_balance_ms -= i64::from(now);
        self.departed += 1;
    }

    pub(super) fn comes_in(&mut self, link: u32, now: u32) {
        let row = &mut self.rows[link as usize];
        row.outside -= 1;
        row.outside_balance_ms += i64::from(now);
        self.first_entries += 1;
    }

    /// A vehicle enters `link` by a path that takes `free_s` at the limit.
    pub(super) fn enters(&mut self, link: u32, now: u32, free_s: f64) {
        let row = &mut self.rows[link as usize];
        row.inside += 1;
        row.entered += 1;
        row.balance_ms -= i64::from(now);
        row.free_s += free_s;
    }

    /// A vehicle leaves `link`, which takes `free_s` at the limit.
    pub(super) fn leaves(&mut self, link: u32, now: u32, free_s: f64, stopped: bool) {
        let row = &mut self.rows[link as usize];
        row.inside -= 1;
        row.left += 1;
        row.balance_ms += i64::from(now);
        row.free_s += free_s;
        row.stops += u64::from(stopped);
    }

    pub(super) fn arrives(&mut self, departed: u32, now: u32) {
        self.arrived += 1;
        self.arrived_ms += i64::from(now) - i64::from(departed);
    }

    /// The truth at `now`; `partial_s` is the free-flow time of what those inside have behind them on their link.
    pub(super) fn truth(&self, at: Time, now: u32, partial_s: &[f64]) -> Truth {
        let seconds = |balance: i64, count: i64| (balance + count * i64::from(now)) as f64 / 1000.0;
        let links: Vec<Sums> = self
            .rows
            .iter()
            .zip(partial_s)
            .map(|(row, partial)| Sums {
                entered: row.entered,
                left: row.left,
                vehicle_s: seconds(row.balance_ms, row.inside),
                free_flow_s: row.free_s + partial,
                outside_s: seconds(row.outside_balance_ms, row.outside),
                stops: row.stops,
            })
            .collect();
        let travel = Travel {
            departed: self.departed,
            entered: self.first_entries,
            arrived: self.arrived,
            arrived_s: self.arrived_ms as f64 / 1000.0,
            everyone_s: links.iter().map(|l| l.vehicle_s + l.outside_s).sum(),
        };
        Truth { at, travel, links }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vehicle_time_is_entries_and_exits() {
        let mut tally = Tally::new(1);
        tally.waits_outside(0, 0);
        tally.comes_in(0, 2_000);
        tally.enters(0, 2_000, 0.0);
        tally.waits_outside(0, 5_000);
        tally.leaves(0, 12_000, 8.0, true);
        tally.arrives(0, 12_000);
        let truth = tally.truth(Time::from_s(15), 15_000, &[0.0]);
        let link = truth.link(LinkId::of(0));
        // 10 s inside; 2 s outside and 10 s more of the one that still waits; 8 s would have done.
        assert_eq!((link.vehicle_s, link.outside_s, link.stops), (10.0, 12.0, 1));
        assert!((link.index().expect("somebody moved") - 22.0 / 8.0).abs() < 1e-12);
        let travel = truth.travel;
        assert_eq!((travel.departed, travel.arrived, travel.never_entered(), travel.unfinished()), (2, 1, 1, 0));
        assert_eq!((travel.mean_arrived_s(), travel.mean_s()), (Some(12.0), Some(11.0)));
    }

    #[test]
    fn an_empty_link_has_no_index() {
        assert_eq!(Sums::default().index(), None);
        assert_eq!(Travel::default().mean_s(), None);
    }
}

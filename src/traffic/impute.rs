//! What a silent lane carries, as its neighbours tell: a regression on each of them, and the median of what they say.
//! Lanes near by come first; without one that fits, the mean lane of its zone, then of the city. Source: PeMS.

use crate::ids::{Id, LaneId, Table, ZoneId, span};
use crate::keep::{keep, resume};
use crate::network::Network;
use crate::traffic::lane::Lane;
use crate::traffic::scope::Scope;
use crate::units::VehPerHour;

/// Lanes near by that are asked.
const NEAR: usize = 4;
/// Minutes after which older ones are forgotten: seven days.
const MEMORY_MIN: f32 = 7.0 * 1440.0;
/// Minutes a regression needs.
const LEARNT_MIN: f32 = 15.0;
/// No lane carries more, veh/h.
const FLOW_MAX: f64 = 3000.0;

/// Streaming sums of one pair of lanes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pair {
    n: f32,
    x: f32,
    y: f32,
    xx: f32,
    xy: f32,
}

keep!(Pair { n, x, y, xx, xy });

impl Pair {
    /// One minute in which the neighbour carried `x` and the lane itself `y`, veh/h.
    pub fn learn(&mut self, x: f32, y: f32) {
        // Means and centred sums: veh/h squared over a week would drown in an f32.
        self.n = (self.n + 1.0).min(MEMORY_MIN);
        let keep = 1.0 - 1.0 / self.n;
        let (dx, dy) = (x - self.x, y - self.y);
        self.x += dx / self.n;
        self.y += dy / self.n;
        self.xx = keep * (self.xx + dx * dx / self.n);
        self.xy = keep * (self.xy + dx * dy / self.n);
    }

    /// What the lane carries when the neighbour carries `x`; `None` before enough is learnt.
    pub fn tell(&self, x: f32) -> Option<f64> {
        if self.n < LEARNT_MIN {
            return None;
        }
        // A neighbour that never changed tells the mean.
        let slope = if self.xx > 1.0 { self.xy / self.xx } else { 0.0 };
        Some(f64::from(self.y + slope * (x - self.x)).clamp(0.0, FLOW_MAX))
    }
}

/// The pairs of one lane.
#[derive(Debug, Clone, Default)]
struct Neighbours {
    near: [Option<LaneId>; NEAR],
    pairs: [Pair; NEAR],
    zone: Pair,
    city: Pair,
}

resume!(Neighbours { kept: pairs, zone, city; built: near });

/// A mean lane.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    flow: f32,
    lanes: u32,
}

keep!(Mean { flow, lanes });

/// The neighbours of every lane of a part of the city.
#[derive(Debug, Clone)]
pub struct Imputation {
    lanes: Table<LaneId, Neighbours>,
    zone_of: Table<LaneId, ZoneId>,
    zones: Table<ZoneId, Mean>,
    city: Mean,
}

resume!(Imputation { kept: zones, city; each: lanes; built: zone_of });

impl Imputation {
    pub(crate) fn new(network: &Network, scope: &Scope) -> Self {
        let mut lanes = Table::over(&scope.lanes, Neighbours::default());
        let mut zone_of = Table::over(&scope.lanes, ZoneId::of(0));
        for id in span(&scope.lanes) {
            let row = network.lane(id);
            zone_of[id] = network.link(row.link).zone;
            let beside = span(&network.link(row.link).lanes).filter(|&l| l != id);
            let before = row.entries.iter().map(|&c| network.connections()[c].from);
            let behind = span(&row.exits).map(|c| network.connections()[c].to);
            let near = beside.chain(before).chain(behind).filter(|&l| scope.lanes.contains(&l));
            for (place, lane) in lanes[id].near.iter_mut().zip(near) {
                *place = Some(lane);
            }
        }
        Self { lanes, zone_of, zones: Table::filled(Mean::default(), network.zones().len()), city: Mean::default() }
    }

    /// Learns from one lane's minute.
    pub(crate) fn minute(&mut self, id: LaneId, lanes: &Table<LaneId, Lane>) {
        let own = lanes[id].rate;
        if own < 0.0 {
            return;
        }
        let row = &mut self.lanes[id];
        for (near, pair) in row.near.iter().zip(&mut row.pairs) {
            if let Some(rate) = near.map(|l| lanes[l].rate).filter(|&r| r >= 0.0) {
                pair.learn(rate, own);
            }
        }
        let zone = self.zones[self.zone_of[id]];
        for (mean, pair) in [(zone, &mut row.zone), (self.city, &mut row.city)] {
            if mean.lanes > 0 {
                pair.learn(mean.flow, own);
            }
        }
    }

    /// Takes the mean of every zone and the city.
    pub(crate) fn close_minute(&mut self, network: &Network, lanes: &Table<LaneId, Lane>) {
        let mut sums = vec![(0.0_f64, 0_u32); network.zones().len()];
        for (id, lane) in lanes.iter().filter(|(_, lane)| lane.rate >= 0.0) {
            let sum = &mut sums[self.zone_of[id].index()];
            *sum = (sum.0 + f64::from(lane.rate), sum.1 + 1);
        }
        let mean = |(sum, lanes): (f64, u32)| Mean { flow: (sum / f64::from(lanes.max(1))) as f32, lanes };
        for (id, zone) in self.zones.iter_mut() {
            *zone = mean(sums[id.index()]);
        }
        self.city = mean(sums.iter().fold((0.0, 0), |a, b| (a.0 + b.0, a.1 + b.1)));
    }

    /// What a lane carries, by the nearest that can tell.
    pub(crate) fn flow(&self, id: LaneId, lanes: &Table<LaneId, Lane>) -> Option<VehPerHour> {
        let row = self.lanes.get(id)?;
        let mut told = [0.0; NEAR];
        let mut count = 0;
        for (near, pair) in row.near.iter().zip(&row.pairs) {
            let rate = near.map(|l| lanes[l].rate).filter(|&r| r >= 0.0);
            if let Some(flow) = rate.and_then(|r| pair.tell(r)) {
                told[count] = flow;
                count += 1;
            }
        }
        let far = |mean: Mean, pair: &Pair| (mean.lanes > 0).then(|| pair.tell(mean.flow)).flatten();
        median(&mut told[..count])
            .or_else(|| far(self.zones[self.zone_of[id]], &row.zone))
            .or_else(|| far(self.city, &row.city))
            .and_then(VehPerHour::new)
    }
}

fn median(told: &mut [f64]) -> Option<f64> {
    told.sort_by(f64::total_cmp);
    let middle = told.len() / 2;
    match told.len() {
        0 => None,
        n if n % 2 == 1 => Some(told[middle]),
        _ => Some(0.5 * (told[middle - 1] + told[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_finds_the_line_between_two_lanes() {
        let mut pair = Pair::default();
        assert_eq!(pair.tell(100.0), None);
        for minute in 0..60 {
            let x = 300.0 + 10.0 * (minute % 20) as f32;
            pair.learn(x, 50.0 + 2.0 * x);
        }
        // y = 50 + 2 x, and nothing beyond what a lane can carry or below nothing.
        for (x, expected) in [(300.0, 650.0), (500.0, 1050.0), (5000.0, FLOW_MAX), (-900.0, 0.0)] {
            assert!((pair.tell(x).expect("learnt") - expected).abs() < 1.0, "{x}");
        }
    }

    #[test]
    fn a_neighbour_that_never_changes_tells_the_mean() {
        let mut pair = Pair::default();
        (0..30).for_each(|n| pair.learn(400.0, if n % 2 == 0 { 100.0 } else { 200.0 }));
        assert!((pair.tell(400.0).expect("learnt") - 150.0).abs() < 1.0);
        assert!((pair.tell(900.0).expect("learnt") - 150.0).abs() < 1.0);
    }

    #[test]
    fn one_mad_neighbour_of_three_is_outvoted() {
        assert_eq!(median(&mut [500.0, 2900.0, 520.0]), Some(520.0));
        assert_eq!(median(&mut [500.0, 520.0]), Some(510.0));
        assert_eq!(median(&mut []), None);
    }
}

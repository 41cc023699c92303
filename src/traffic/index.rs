//! The delay index: vehicle-time per link, kept by minute and rolled up to corridors, zones and the city.
//!
//! By Little's law the time spent on a link is the integral of the vehicles on it ([`stock`]); nobody needs to be
//! recognised for that. Times add up, indices do not: a zone's index is the ratio of the sums of its links.

pub mod stock;

use std::collections::BTreeSet;

use crate::ids::{Id, LinkId, Table, ZoneId};
use crate::keep::keep;
use crate::network::{Network, zone};
use crate::time::{Span, Time};
use crate::traffic::measures::Measure;
use crate::traffic::quality::Quality;
use crate::traffic::scope::Scope;

/// Minutes in the middle interval.
const FIVE: usize = 5;
/// Middle intervals in the long one.
const TWELVE: usize = 12;
/// A sum is as good as this share of its time spent.
const QUALITY_SHARE: f64 = 0.8;
/// Night, local hours: nobody is in anybody's way.
const NIGHT_S: u32 = 5 * 3600;
/// One night's travel time moves what is known by at most this share.
const NIGHT_STEP: f32 = 0.02;

/// Over how long an index is taken, up to the last full minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Window {
    /// The last full minute.
    Minute,
    /// The last five full minutes.
    FiveMinutes,
    /// The last twelve full five minutes.
    Hour,
}

impl Window {
    /// Its length.
    pub fn span(self) -> Span {
        Span::from_s(match self {
            Self::Minute => 60,
            Self::FiveMinutes => 300,
            Self::Hour => 3600,
        })
    }
}

/// Vehicle-time of one interval.
#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    spent: f32,
    free: f32,
    night: f32,
    vehicles: f32,
    quality: Quality,
}

keep!(Bin { spent, free, night, vehicles, quality });

/// Sums of bins.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    spent: f64,
    free: f64,
    night: f64,
    vehicles: f64,
    by_quality: [f64; Quality::ALL.len()],
}

impl Sum {
    fn add(&mut self, bin: &Bin) {
        self.spent += f64::from(bin.spent);
        self.free += f64::from(bin.free);
        self.night += f64::from(bin.night);
        self.vehicles += f64::from(bin.vehicles);
        self.by_quality[bin.quality as usize] += f64::from(bin.spent.max(0.0));
    }

    fn quality(&self) -> Quality {
        let total: f64 = self.by_quality.iter().sum();
        let mut known = 0.0;
        let enough = |&q: &Quality| {
            known += self.by_quality[q as usize];
            total > 0.0 && known >= QUALITY_SHARE * total
        };
        Quality::ALL.into_iter().find(enough).unwrap_or_default()
    }

    fn bin(&self) -> Bin {
        Bin {
            spent: self.spent as f32,
            free: self.free as f32,
            night: self.night as f32,
            vehicles: self.vehicles as f32,
            quality: self.quality(),
        }
    }

    /// Nobody is faster than free flow: what noise says otherwise is put right here, once, after all sums.
    fn measure(&self) -> Measure {
        let free = self.free.max(0.0);
        Measure {
            spent_veh_s: self.spent.max(free),
            free_flow_veh_s: free,
            night_veh_s: self.night.clamp(0.0, self.spent.max(free)),
            vehicles: self.vehicles.max(0.0),
            quality: self.quality(),
        }
    }
}

/// The last hour of a link or a zone.
#[derive(Debug, Clone, Default)]
struct History {
    open: Bin,
    minutes: [Bin; FIVE],
    fives: [Bin; TWELVE],
}

keep!(History { open, minutes, fives });

impl History {
    fn sum(&self, window: Window) -> Sum {
        let bins = match window {
            Window::Minute => &self.minutes[..1],
            Window::FiveMinutes => &self.minutes[..],
            Window::Hour => &self.fives[..],
        };
        let mut sum = Sum::default();
        bins.iter().for_each(|bin| sum.add(bin));
        sum
    }

    fn close(&mut self, five_ends: bool) -> Bin {
        let closed = std::mem::take(&mut self.open);
        self.minutes.rotate_right(1);
        self.minutes[0] = closed;
        if five_ends {
            self.fives.rotate_right(1);
            self.fives[0] = self.sum(Window::FiveMinutes).bin();
        }
        closed
    }
}

/// The delay index of a part of the city.
#[derive(Debug, Clone)]
pub struct Index {
    links: Table<LinkId, History>,
    /// The zones that links here lie in, and those above them, by id.
    zones: Vec<(ZoneId, History)>,
    /// Observed at night, as a multiple of free flow; 0 while no night is known.
    nights: Table<LinkId, f32>,
}

keep!(Index { links, zones, nights });

impl Index {
    pub(crate) fn new(network: &Network, scope: &Scope) -> Self {
        let below = network.links().slice(&scope.links).iter().map(|link| link.zone);
        let zones: BTreeSet<ZoneId> = below.flat_map(|zone| zone::ancestors(network.zones(), zone)).collect();
        Self {
            links: Table::over(&scope.links, History::default()),
            zones: zones.into_iter().map(|zone| (zone, History::default())).collect(),
            nights: Table::over(&scope.links, 0.0),
        }
    }

    /// The place of a zone among those known here.
    fn row(&self, zone: ZoneId) -> Option<usize> {
        self.zones.binary_search_by_key(&zone, |&(id, _)| id).ok()
    }

    /// Books one tick of a link.
    pub(crate) fn book(&mut self, link: LinkId, spent: &stock::Spent, quality: Quality) {
        let Some(history) = self.links.get_mut(link) else { return };
        history.open.spent += spent.veh_s;
        history.open.free += spent.free_veh_s;
        history.open.vehicles += spent.left;
        history.open.quality = quality;
    }

    /// Closes a minute everywhere and rolls it up.
    pub(crate) fn close_minute(&mut self, network: &Network, now: Time) {
        let five_ends = now.within(Window::FiveMinutes.span(), Span::ZERO) == Span::ZERO;
        let night = now.second_of_day(network.utc_offset()) < NIGHT_S;
        let mut sums = vec![Sum::default(); self.zones.len()];
        let first = self.links.range().start.index();
        for row in 0..self.links.len() {
            let link = LinkId::of(first + row);
            let ratio = self.nights[link];
            let history = &mut self.links[link];
            history.open.night = if ratio > 0.0 { history.open.free * ratio } else { history.open.free };
            let closed = history.close(five_ends);
            let five = history.fives[0];
            if let Some(zone) = self.row(network.link(link).zone) {
                sums[zone].add(&closed);
            }
            if night && five_ends && five.vehicles >= 1.0 && five.free > 0.0 {
                self.nights[link] = by_night(ratio, (five.spent / five.free).max(1.0));
            }
        }
        // A zone holds what lies in it and in all zones below it.
        let own: Vec<Bin> = sums.iter().map(Sum::bin).collect();
        let mut totals = vec![Sum::default(); self.zones.len()];
        for (row, bin) in own.iter().enumerate() {
            for above in zone::ancestors(network.zones(), self.zones[row].0).filter_map(|zone| self.row(zone)) {
                totals[above].add(bin);
            }
        }
        for ((_, history), total) in self.zones.iter_mut().zip(&totals) {
            history.open = total.bin();
            history.close(five_ends);
        }
    }

    /// One link's. Nothing for a link of another part.
    pub fn link(&self, link: LinkId, window: Window) -> Measure {
        self.links.get(link).map_or_else(Measure::default, |h| h.sum(window).measure())
    }

    /// A zone's, with all below it, as far as this part of the city knows.
    pub fn zone(&self, zone: ZoneId, window: Window) -> Measure {
        self.row(zone).map_or_else(Measure::default, |row| self.zones[row].1.sum(window).measure())
    }

    /// That of some links together.
    pub fn corridor(&self, links: &[LinkId], window: Window) -> Measure {
        let mut sum = Sum::default();
        for history in links.iter().filter_map(|&l| self.links.get(l)) {
            sum.add(&history.sum(window).bin());
        }
        sum.measure()
    }
}

/// The travel time at night as a multiple of free flow: about the fifteenth percentile of what is seen.
fn by_night(known: f32, seen: f32) -> f32 {
    if known <= 0.0 {
        return seen.min(2.0);
    }
    let step = if seen < known { 0.85 } else { -0.15 };
    (known * (1.0 - NIGHT_STEP * step)).clamp(1.0, 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bin(spent: f32, free: f32, quality: Quality) -> Bin {
        Bin { spent, free, night: free, vehicles: 1.0, quality }
    }

    #[test]
    fn times_add_up_and_indices_do_not() {
        // A busy link at 3 and an empty one at 1: (300 + 10) / (100 + 10).
        let mut sum = Sum::default();
        sum.add(&bin(300.0, 100.0, Quality::Measured));
        sum.add(&bin(10.0, 10.0, Quality::None));
        let measure = sum.measure();
        assert!((measure.delay_index() - 310.0 / 110.0).abs() < 1e-9);
        assert_eq!(measure.quality, Quality::Measured, "97 % of the time is measured");
        sum.add(&bin(100.0, 10.0, Quality::None));
        assert_eq!(sum.measure().quality, Quality::None, "73 % are not enough");
    }

    #[test]
    fn an_index_is_at_least_one_and_a_later_correction_counts() {
        let mut history = History { open: bin(50.0, 40.0, Quality::Fused), ..History::default() };
        history.close(false);
        history.open = bin(-10.0, 40.0, Quality::Fused);
        history.close(true);
        // The minute alone is nonsense; the five minutes have spent 40 where 80 were needed at least.
        assert!((history.sum(Window::Minute).measure().delay_index() - 1.0).abs() < 1e-9);
        let five = history.sum(Window::FiveMinutes);
        assert!((five.spent - 40.0).abs() < 1e-6 && (five.free - 80.0).abs() < 1e-6);
        assert!((history.sum(Window::Hour).spent - 40.0).abs() < 1e-6);
    }

    #[test]
    fn nights_teach_free_flow_by_their_faster_part() {
        // Every fifth trip takes 1.3 times free flow, the others 1.1.
        let mut known = 0.0;
        for n in 0..2000 {
            known = by_night(known, if n % 5 == 0 { 1.3 } else { 1.1 });
        }
        assert!((1.05..1.15).contains(&known), "{known}");
    }
}

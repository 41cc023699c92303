//! From vehicle-time to what people read: delay index, TPI, levels, classes, colours and reliability.

use std::fmt;

use crate::traffic::quality::Quality;

/// TPI over the delay-time proportion: straight lines between these. Source: GB/T 33171-2016, annex C.
const TPI: [(f64, f64); 6] = [(0.0, 0.0), (0.3, 2.0), (0.5, 4.0), (0.6, 6.0), (0.7, 8.0), (1.0, 10.0)];

/// Vehicle-time spent on some roads in some interval, and what it could have been.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Measure {
    /// Time spent, vehicle-seconds.
    pub spent_veh_s: f64,
    /// What the same vehicles would have spent at the limit without signals, vehicle-seconds.
    pub free_flow_veh_s: f64,
    /// What they would have spent as observed at night; equal to the former where no night is known.
    pub night_veh_s: f64,
    /// Vehicles that passed, summed over links.
    pub vehicles: f64,
    /// How well it is known: as well as the parts that hold most of the time spent.
    pub quality: Quality,
}

impl Measure {
    /// Delay index: time spent ÷ time at free flow, at least 1; 1 where nobody drove.
    pub fn delay_index(&self) -> f64 {
        delay_index(self.spent_veh_s, self.free_flow_veh_s)
    }

    /// Delay index against free flow as observed at night, at least 1: what the published classes assume.
    pub fn delay_index_by_night(&self) -> f64 {
        delay_index(self.spent_veh_s, self.night_veh_s)
    }

    /// Delay-time proportion, 0 to 1.
    pub fn delay_time_proportion(&self) -> f64 {
        delay_time_proportion(self.delay_index())
    }

    /// Traffic performance index, 0 to 10.
    pub fn tpi(&self) -> f64 {
        tpi(self.delay_index())
    }

    /// Mean delay of a vehicle on one of the links, s.
    pub fn delay_s(&self) -> f64 {
        if self.vehicles > 0.0 { (self.spent_veh_s - self.free_flow_veh_s).max(0.0) / self.vehicles } else { 0.0 }
    }
}

/// Sum. The quality is that of the part with more time in it.
impl std::ops::Add for Measure {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let quality = match (self.spent_veh_s > 0.0, other.spent_veh_s > 0.0) {
            (false, _) => other.quality,
            (true, false) => self.quality,
            (true, true) if self.spent_veh_s >= other.spent_veh_s => self.quality,
            (true, true) => other.quality,
        };
        Self {
            spent_veh_s: self.spent_veh_s + other.spent_veh_s,
            free_flow_veh_s: self.free_flow_veh_s + other.free_flow_veh_s,
            night_veh_s: self.night_veh_s + other.night_veh_s,
            vehicles: self.vehicles + other.vehicles,
            quality,
        }
    }
}

/// Time spent ÷ time at free flow, at least 1. Nobody on the road is no delay.
pub fn delay_index(spent_veh_s: f64, free_flow_veh_s: f64) -> f64 {
    let index = spent_veh_s / free_flow_veh_s;
    if index.is_finite() { index.max(1.0) } else { 1.0 }
}

/// `1 − 1/DI`, 0 to 1. Source: GB/T 33171-2016.
pub fn delay_time_proportion(delay_index: f64) -> f64 {
    (1.0 - 1.0 / delay_index.max(1.0)).clamp(0.0, 1.0)
}

/// Traffic performance index, 0 (nobody waits) to 10. Source: GB/T 33171-2016, annex C.
pub fn tpi(delay_index: f64) -> f64 {
    let dtp = delay_time_proportion(delay_index);
    let line = TPI.windows(2).find(|line| dtp <= line[1].0).unwrap_or(&TPI[4..]);
    let ((x0, y0), (x1, y1)) = (line[0], line[1]);
    y0 + (dtp - x0) / (x1 - x0) * (y1 - y0)
}

/// What a TPI, or the speed on one link, is called. Source: GB/T 33171-2016.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Performance {
    /// 畅通
    Smooth,
    /// 基本畅通
    BasicallySmooth,
    /// 轻度拥堵
    Light,
    /// 中度拥堵
    Moderate,
    /// 严重拥堵
    Severe,
}

impl Performance {
    /// Of a city or a zone, by its TPI.
    pub fn of_tpi(tpi: f64) -> Self {
        match tpi {
            t if t <= 2.0 => Self::Smooth,
            t if t <= 4.0 => Self::BasicallySmooth,
            t if t <= 6.0 => Self::Light,
            t if t <= 8.0 => Self::Moderate,
            _ => Self::Severe,
        }
    }

    /// Of a link, by its speed ÷ its free-flow speed, which is 1 ÷ its delay index.
    pub fn of_link(delay_index: f64) -> Self {
        match 1.0 / delay_index.max(1.0) {
            r if r > 0.70 => Self::Smooth,
            r if r > 0.50 => Self::BasicallySmooth,
            r if r > 0.40 => Self::Light,
            r if r > 0.30 => Self::Moderate,
            _ => Self::Severe,
        }
    }
}

impl fmt::Display for Performance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Smooth => "smooth",
            Self::BasicallySmooth => "basically smooth",
            Self::Light => "light congestion",
            Self::Moderate => "moderate congestion",
            Self::Severe => "severe congestion",
        })
    }
}

/// What a city's delay index is called. Source: AutoNavi reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Below 1.5.
    Smooth,
    /// Below 1.8.
    Slow,
    /// Below 2.2.
    Congested,
    /// 2.2 and above.
    SeverelyCongested,
}

impl Class {
    /// By a city's delay index.
    pub fn of(delay_index: f64) -> Self {
        match delay_index {
            i if i < 1.5 => Self::Smooth,
            i if i < 1.8 => Self::Slow,
            i if i < 2.2 => Self::Congested,
            _ => Self::SeverelyCongested,
        }
    }
}

/// The colour of a link on the map. Source: AutoNavi reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Colour {
    /// Below 1.5.
    Green,
    /// Below 2.
    Yellow,
    /// Below 4.
    Red,
    /// 4 and above.
    DarkRed,
}

impl Colour {
    /// By a link's delay index.
    pub fn of(delay_index: f64) -> Self {
        match delay_index {
            i if i < 1.5 => Self::Green,
            i if i < 2.0 => Self::Yellow,
            i if i < 4.0 => Self::Red,
            _ => Self::DarkRed,
        }
    }
}

/// How reliable a trip is: mean, 95th percentile and the buffer between. Source: FHWA.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reliability {
    /// Travel time index: mean ÷ free flow.
    pub travel_time_index: f64,
    /// Planning time index: 95th percentile ÷ free flow.
    pub planning_time_index: f64,
    /// Buffer index: (95th percentile − mean) ÷ mean.
    pub buffer_index: f64,
}

/// The reliability of a trip whose travel times, s, were these; sorts them. `None` without any, or without a positive
/// free-flow time. The percentile is the nearest rank.
pub fn reliability(travel_times_s: &mut [f64], free_flow_s: f64) -> Option<Reliability> {
    if travel_times_s.is_empty() || free_flow_s <= 0.0 {
        return None;
    }
    travel_times_s.sort_by(f64::total_cmp);
    let mean = travel_times_s.iter().sum::<f64>() / travel_times_s.len() as f64;
    let rank = (0.95 * travel_times_s.len() as f64 - 1e-9).ceil() as usize;
    let late = travel_times_s[rank.clamp(1, travel_times_s.len()) - 1];
    Some(Reliability {
        travel_time_index: mean / free_flow_s,
        planning_time_index: late / free_flow_s,
        buffer_index: if mean > 0.0 { (late - mean) / mean } else { 0.0 },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hangzhou_in_2014_and_2019() {
        // (DI, DTP, TPI): 1 − 1/2.08 = .519231; 4 + .019231/.1 × 2 = 4.385. 1 − 1/1.64 = .390244; 2 + .090244/.2 × 2.
        for (index, dtp, expected, level, class) in [
            (2.08, 0.519_231, 4.384_6, Performance::Light, Class::Congested),
            (1.64, 0.390_244, 2.902_4, Performance::BasicallySmooth, Class::Slow),
        ] {
            assert!((delay_time_proportion(index) - dtp).abs() < 1e-6);
            assert!((tpi(index) - expected).abs() < 1e-3, "{index}: {}", tpi(index));
            assert_eq!((Performance::of_tpi(tpi(index)), Class::of(index)), (level, class));
        }
    }

    #[test]
    fn tpi_meets_at_every_corner_and_ends_at_ten() {
        // DTP .3 .5 .6 .7 are DI 1/.7, 2, 2.5, 1/.3.
        for (index, expected) in
            [(1.0, 0.0), (1.0 / 0.7, 2.0), (2.0, 4.0), (2.5, 6.0), (1.0 / 0.3, 8.0), (1e12, 10.0), (0.5, 0.0)]
        {
            assert!((tpi(index) - expected).abs() < 1e-9, "{index}: {}", tpi(index));
        }
    }

    #[test]
    fn an_empty_road_has_no_delay() {
        assert!((Measure::default().delay_index() - 1.0).abs() < 1e-12);
        assert!((delay_index(5.0, 0.0) - 1.0).abs() < 1e-12, "vehicle-time without vehicles is noise");
        assert!((delay_index(5.0, 10.0) - 1.0).abs() < 1e-12, "nobody is faster than free flow");
    }

    #[test]
    fn levels_change_on_their_limits() {
        // Speed ratio .7 is DI 1.43.
        let link = |ratio: f64| Performance::of_link(1.0 / ratio);
        assert_eq!([0.71, 0.69, 0.49, 0.39, 0.29].map(link).map(|l| l as u8), [0, 1, 2, 3, 4]);
        assert_eq!([1.49, 1.5, 2.0, 4.0].map(Colour::of).map(|c| c as u8), [0, 1, 2, 3]);
        assert_eq!([1.49, 1.5, 1.8, 2.2].map(Class::of).map(|c| c as u8), [0, 1, 2, 3]);
    }

    #[test]
    fn a_trip_is_as_reliable_as_its_bad_days() {
        // Nineteen trips of 10 min and one of 30 against 8: mean 11, the 19th of 20 is the 95th percentile.
        let mut trips: Vec<f64> = std::iter::repeat_n(600.0, 19).chain([1800.0]).collect();
        let r = reliability(&mut trips, 480.0).expect("trips");
        assert!((r.travel_time_index - 660.0 / 480.0).abs() < 1e-12);
        assert!((r.planning_time_index - 1.25).abs() < 1e-12);
        // One more bad day moves it: (1800 − 1200 … ) mean is (18 × 600 + 2 × 1800) / 20 = 720.
        trips[0] = 1800.0;
        let r = reliability(&mut trips, 480.0).expect("trips");
        assert!((r.buffer_index - (1800.0 - 720.0) / 720.0).abs() < 1e-12);
    }
}

//! Delay at a signal: the manual's formulas, as pure functions.
//!
//! Times are seconds, capacities vehicles per hour, analysis periods hours, as the manual has them.

use crate::units::{Seconds, VehPerHour, Vehicles};

/// What the formulas ask of one lane group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LaneGroup {
    /// Cycle, s.
    pub cycle: Seconds,
    /// Effective green, s.
    pub green: Seconds,
    /// Capacity: saturation flow × green ÷ cycle.
    pub capacity: VehPerHour,
    /// Demand ÷ capacity.
    pub saturation: f64,
}

/// Mean uniform delay, s a vehicle: `0.5 C (1 − g/C)² / (1 − min(1, X) g/C)`. Source: HCM.
/// `None` when the cycle is zero or the green longer than it.
pub fn uniform(group: &LaneGroup) -> Option<Seconds> {
    let (cycle, ratio) = (group.cycle.get(), group.green.get() / group.cycle.get());
    if cycle <= 0.0 || !(0.0..=1.0).contains(&ratio) {
        return None;
    }
    let idle = 1.0 - group.saturation.clamp(0.0, 1.0) * ratio;
    // All green and just saturated: nobody waits for a red that never comes.
    if idle <= 0.0 { Some(Seconds::ZERO) } else { Seconds::new(0.5 * cycle * (1.0 - ratio).powi(2) / idle) }
}

/// Mean incremental delay of random arrivals and overflow, s a vehicle:
/// `900 T [(X − 1) + √((X − 1)² + 8 k I X / (c T))]`, `T` in hours. Source: HCM.
/// `None` without capacity or period.
pub fn incremental(group: &LaneGroup, period_h: f64, k: f64, filtering: f64) -> Option<Seconds> {
    let (x, c) = (group.saturation, group.capacity.get());
    if c <= 0.0 || period_h <= 0.0 {
        return None;
    }
    let over = x - 1.0;
    Seconds::new(900.0 * period_h * (over + (over * over + 8.0 * k * filtering * x / (c * period_h)).sqrt()))
}

/// Mean delay because of a queue that stood before the period, s a vehicle: `1800 Q_b (1 + u) t / (c T)`; all of the
/// period is unfavourable while demand exceeds capacity. Source: HCM.
pub fn initial_queue(group: &LaneGroup, queue: Vehicles, period_h: f64) -> Option<Seconds> {
    let (q, c, x) = (queue.get(), group.capacity.get(), group.saturation);
    if c <= 0.0 || period_h <= 0.0 {
        return None;
    }
    // The queue is gone after t; if it is not within the period, the delay goes on beyond it by the share u.
    let spare = c * (1.0 - x.min(1.0));
    let t = if q <= 0.0 { 0.0 } else { (q / spare).min(period_h) };
    let u = if t < period_h || q <= 0.0 { 0.0 } else { 1.0 - c * period_h * (1.0 - x.min(1.0)) / q };
    Seconds::new(1800.0 * q * (1.0 + u) * t / (c * period_h))
}

/// Control delay `d1 · PF + d2 + d3`, s a vehicle. Source: HCM.
pub fn control(d1: Seconds, progression: f64, d2: Seconds, d3: Seconds) -> Seconds {
    d1 * progression + d2 + d3
}

/// Progression factor `(1 − P) f_PA / (1 − g/C)`, `P` the share that arrives on green. Source: HCM.
/// `None` when the light is always green.
pub fn progression(on_green: f64, adjustment: f64, green_ratio: f64) -> Option<f64> {
    (green_ratio < 1.0).then(|| ((1.0 - on_green) * adjustment / (1.0 - green_ratio)).max(0.0))
}

/// `k` of an actuated signal: `(1 − 2 k_min)(X − 0.5) + k_min`, between `k_min` and 0.5; `k_min` by its unit
/// extension. Source: HCM.
pub fn actuated_k(unit_extension: Seconds, saturation: f64) -> f64 {
    const K_MIN: [(f64, f64); 7] =
        [(2.0, 0.04), (2.5, 0.08), (3.0, 0.11), (3.5, 0.13), (4.0, 0.15), (4.5, 0.19), (5.0, 0.23)];
    let extension = unit_extension.get();
    let after = K_MIN.iter().position(|&(at, _)| extension <= at);
    let k_min = match after {
        Some(0) => K_MIN[0].1,
        Some(i) => {
            let ((x0, y0), (x1, y1)) = (K_MIN[i - 1], K_MIN[i]);
            y0 + (extension - x0) / (x1 - x0) * (y1 - y0)
        }
        None => K_MIN[6].1,
    };
    ((1.0 - 2.0 * k_min) * (saturation - 0.5) + k_min).clamp(k_min, 0.5)
}

/// `I` of arrivals that a signal upstream has metered: `1 − 0.91 X_u^2.68`, at least 0.09. Source: HCM.
pub fn filtering(upstream_saturation: f64) -> f64 {
    1.0 - 0.91 * upstream_saturation.clamp(0.0, 1.0).powf(2.68)
}

/// Mean overflow queue, veh: `(c T / 4)[z + √(z² + 12 (x − x0) / (c T))]`, `z = x − 1`, `x0 = 0.67 + s g / 600`, 0 where
/// `x ≤ x0`; `s g` are the vehicles one green can let through. Source: Akçelik, ARR 123.
pub fn overflow_queue(group: &LaneGroup, per_green: Vehicles, period_h: f64) -> Vehicles {
    let (x, ct) = (group.saturation, group.capacity.get() * period_h);
    let x0 = 0.67 + per_green.get() / 600.0;
    if x <= x0 || ct <= 0.0 {
        return Vehicles::ZERO;
    }
    let z = x - 1.0;
    Vehicles::new(ct / 4.0 * (z + (z * z + 12.0 * (x - x0) / ct).sqrt())).unwrap_or(Vehicles::ZERO)
}

/// Level of service at a signal. Source: HCM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LevelOfService {
    /// At most 10 s a vehicle.
    A,
    /// At most 20.
    B,
    /// At most 35.
    C,
    /// At most 55.
    D,
    /// At most 80.
    E,
    /// More, or more demand than capacity.
    F,
}

/// By the control delay and the degree of saturation.
pub fn level_of_service(delay: Seconds, saturation: f64) -> LevelOfService {
    match delay.get() {
        _ if saturation > 1.0 => LevelOfService::F,
        d if d <= 10.0 => LevelOfService::A,
        d if d <= 20.0 => LevelOfService::B,
        d if d <= 35.0 => LevelOfService::C,
        d if d <= 55.0 => LevelOfService::D,
        d if d <= 80.0 => LevelOfService::E,
        _ => LevelOfService::F,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(cycle: f64, green: f64, capacity: f64, saturation: f64) -> LaneGroup {
        let s = Seconds::new;
        LaneGroup {
            cycle: s(cycle).expect("positive"),
            green: s(green).expect("positive"),
            capacity: VehPerHour::new(capacity).expect("positive"),
            saturation,
        }
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 0.005, "{found} is not {expected}");
    }

    #[test]
    fn uniform_delay() {
        for (cycle, green, x, expected) in [
            (60.0, 30.0, 0.0, 7.5),   // an empty road still waits half the red, half the time: .5·60·.25
            (60.0, 30.0, 1.0, 15.0),  // saturated: .5·60·.25/.5
            (60.0, 30.0, 1.4, 15.0),  // more than saturated waits no longer for its green
            (90.0, 27.0, 0.8, 29.01), // .5·90·.49/(1 − .24) = 22.05/.76
            (60.0, 60.0, 1.0, 0.0),   // always green
        ] {
            close(uniform(&group(cycle, green, 900.0, x)).expect("fits").get(), expected);
        }
        assert_eq!(uniform(&group(60.0, 61.0, 900.0, 0.5)), None);
    }

    #[test]
    fn incremental_delay() {
        for (x, c, t, k, i, expected) in [
            (1.0, 900.0, 0.25, 0.5, 1.0, 30.0), // 225·√(4/225) = 225·.13333
            (0.0, 900.0, 0.25, 0.5, 1.0, 0.0),
            // 225·(.2 + √(.04 + 8·.5·1.2/225)) = 225·(.2 + √.0613333) = 225·.447656
            (1.2, 900.0, 0.25, 0.5, 1.0, 100.72),
            // 225·(−.1 + √(.01 + 8·.11·.9·.5/225)) = 225·(−.1 + √.01176) = 225·.0084435
            (0.9, 900.0, 0.25, 0.11, 0.5, 1.90),
        ] {
            close(incremental(&group(60.0, 30.0, c, x), t, k, i).expect("capacity").get(), expected);
        }
        assert_eq!(incremental(&group(60.0, 30.0, 0.0, 1.0), 0.25, 0.5, 1.0), None);
    }

    #[test]
    fn initial_queue_delay() {
        let queue = |q| Vehicles::new(q).expect("positive");
        // 20 vehicles, 180 spare an hour: gone after .111 h: 1800·20·.1111/(900·.25) = 17.78.
        close(initial_queue(&group(60.0, 30.0, 900.0, 0.8), queue(20.0), 0.25).expect("capacity").get(), 17.78);
        // Saturated: it stays all period, u = 1: 1800·20·2·.25/225 = 80.
        close(initial_queue(&group(60.0, 30.0, 900.0, 1.1), queue(20.0), 0.25).expect("capacity").get(), 80.0);
        close(initial_queue(&group(60.0, 30.0, 900.0, 0.5), queue(0.0), 0.25).expect("capacity").get(), 0.0);
    }

    #[test]
    fn control_delay_and_its_factors() {
        let s = |v| Seconds::new(v).expect("positive");
        close(control(s(20.0), 0.5, s(5.0), s(1.0)).get(), 16.0);
        close(progression(0.5, 1.0, 0.5).expect("some red"), 1.0); // arrivals as if there were no signal upstream
        close(progression(0.8, 1.0, 0.5).expect("some red"), 0.4); // a good green wave
        assert_eq!(progression(0.5, 1.0, 1.0), None);
        close(filtering(0.0), 1.0);
        close(filtering(1.0), 0.09);
        close(filtering(0.5), 1.0 - 0.91 * 0.156_04); // .5^2.68 = e^(−1.85764)
        for (extension, x, expected) in [
            (2.0, 0.5, 0.04),
            (3.0, 0.9, 0.422), // .78·.4 + .11
            (3.0, 1.5, 0.5),   // never more than pretimed
            (2.25, 0.4, 0.06), // between .04 and .08, and never below
            (9.0, 0.2, 0.23),
        ] {
            close(actuated_k(s(extension), x), expected);
        }
    }

    #[test]
    fn overflow_queue_of_random_greens() {
        // 15 vehicles a green: x0 = .695.
        let n = |x, t| overflow_queue(&group(60.0, 30.0, 900.0, x), Vehicles::constant(15.0), t).get();
        close(n(0.69, 0.25), 0.0);
        close(n(1.0, 0.25), 56.25 * 0.127_54); // √(12·.305/225) = √.0162667
        close(n(1.2, 0.25), 56.25 * (0.2 + (0.04_f64 + 12.0 * 0.505 / 225.0).sqrt()));
        // Far over capacity it grows as demand exceeds it: half of (x − 1) c T on the mean, and a little.
        assert!(n(1.5, 0.25) > 0.5 * 0.5 * 225.0 && n(1.5, 0.25) < 0.5 * 0.5 * 225.0 + 4.0);
    }

    #[test]
    fn levels_change_on_their_limits() {
        let level = |d: f64| level_of_service(Seconds::constant(d), 0.9) as u8;
        assert_eq!([10.0, 10.1, 20.1, 35.1, 55.1, 80.1].map(level), [0, 1, 2, 3, 4, 5]);
        assert_eq!(level_of_service(Seconds::ZERO, 1.01), LevelOfService::F);
    }
}

//! How a platoon spreads on its way down a link. Source: Robertson 1969, TRANSYT.

/// Share of the mean travel time that makes it spread.
const ALPHA: f64 = 0.35;
/// The fastest vehicles need this share of the mean travel time.
const BETA: f64 = 0.8;

/// The smoothing factor `F = 1 / (1 + α β T_a)` for a mean travel time of `travel_s` steps of 1 s.
pub fn factor(travel_s: f64) -> f64 {
    1.0 / (1.0 + ALPHA * BETA * travel_s.max(0.0))
}

/// The delay of the first vehicles, `T = β T_a`, in whole steps of 1 s.
pub fn lag(travel_s: f64) -> usize {
    (BETA * travel_s.max(0.0)).round() as usize
}

/// Arrivals per second after `travel_s` of mean travel time, of departures per second; as long as the departures. What
/// has not arrived by then is still on its way: `q'(t) = F q(t − T) + (1 − F) q'(t − 1)`.
pub fn disperse(departures: &[f64], travel_s: f64) -> Vec<f64> {
    let (f, lag) = (factor(travel_s), lag(travel_s));
    let mut last = 0.0;
    (0..departures.len())
        .map(|t| {
            let q = t.checked_sub(lag).map_or(0.0, |at| departures[at]);
            last = f * q + (1.0 - f) * last;
            last
        })
        .collect()
}

/// The same for a pattern that repeats with its length as cycle: nothing is lost.
pub fn disperse_cycle(departures: &[f64], travel_s: f64) -> Vec<f64> {
    let n = departures.len();
    if n == 0 {
        return Vec::new();
    }
    let (f, lag) = (factor(travel_s), lag(travel_s));
    let at = |t: usize| departures[(t + n - lag % n) % n];
    // What is left over from all cycles before follows from going round once.
    let round = (0..n).fold(0.0, |last, t| f * at(t) + (1.0 - f) * last);
    let mut last = round / (1.0 - (1.0 - f).powi(n as i32));
    (0..n)
        .map(|t| {
            last = f * at(t) + (1.0 - f) * last;
            last
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_vehicles_after_half_a_minute() {
        // T_a 30: F = 1/(1 + .28 × 30) = 1/9.4; T = 24. A pulse of ten arrives as 10/9.4 at 24 s, then falls by 8.4/9.4.
        let mut departures = vec![0.0; 120];
        departures[0] = 10.0;
        let arrivals = disperse(&departures, 30.0);
        assert!(arrivals[..24].iter().all(|&q| q.abs() < 1e-12));
        assert!((arrivals[24] - 1.063_83).abs() < 1e-5);
        assert!((arrivals[25] - 1.063_83 * 8.4 / 9.4).abs() < 1e-5);
        // The mean arrival is T + (1 − F)/F = 24 + 8.4 s: a little later than T_a, as the formula has it.
        let mean = arrivals.iter().enumerate().map(|(t, q)| t as f64 * q).sum::<f64>() / arrivals.iter().sum::<f64>();
        assert!((mean - 32.4).abs() < 0.1, "{mean}");
    }

    #[test]
    fn on_no_way_nothing_spreads() {
        assert_eq!(disperse(&[1.0, 0.0, 2.0], 0.0), [1.0, 0.0, 2.0]);
        assert_eq!(disperse_cycle(&[], 5.0), Vec::<f64>::new());
    }

    #[test]
    fn a_cycle_keeps_every_vehicle_and_agrees_with_many_cycles_in_a_row() {
        let cycle: Vec<f64> = (0..60).map(|t| if t < 20 { 0.5 } else { 0.05 }).collect();
        let once = disperse_cycle(&cycle, 37.0);
        assert!((once.iter().sum::<f64>() - cycle.iter().sum::<f64>()).abs() < 1e-9);
        let many = disperse(&cycle.repeat(10), 37.0);
        for (t, q) in once.iter().enumerate() {
            assert!((q - many[540 + t]).abs() < 1e-6, "{t}");
        }
    }
}

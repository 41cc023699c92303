//! What an ambulance's green wave is worth and what it costs: the same morning three times, seed by seed, without the
//! call, with a call that waits as everyone does, and with a green wave.

use std::sync::Arc;

use crate::engine::Settings;
use crate::engine::settings::Activate;
use crate::shell::closed_loop::{ClosedLoop, World};
use crate::time::Span;
use crate::twin::Options;
use crate::twin::demand::Demand;

/// What others lose is counted for so long after a call.
pub const AFTER: Span = Span::from_s(1800);

/// One seed's figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trial {
    /// The ambulance's way at the limit, s.
    pub free_flow_s: f64,
    /// Its time without a green wave, s; up to the end of the run where it did not arrive.
    pub alone_s: f64,
    /// Its time with one, s.
    pub wave_s: f64,
    /// Whether it arrived in either; where a street stands still for good, no light helps.
    pub arrived: bool,
    /// Red lights that it crossed with one.
    pub reds: u32,
    /// How much longer everybody else took in the following half hour than without the call, as a share.
    pub others: f64,
    /// Faults seen on any lamp.
    pub lamp_faults: u64,
}

/// The mean of some figures and the half width of its 95 % interval, by Student's t; zero width for a single one.
pub fn interval(figures: &[f64]) -> (f64, f64) {
    /// Two-sided 95 % points for 1, 2, … degrees of freedom.
    const T: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ];
    let count = figures.len() as f64;
    let mean = figures.iter().sum::<f64>() / count.max(1.0);
    let Some(freedom) = figures.len().checked_sub(2) else { return (mean, 0.0) };
    let variance = figures.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (count - 1.0);
    (mean, T.get(freedom).copied().unwrap_or(1.96) * (variance / count).sqrt())
}

/// One seed: three runs of `world`, which has one call, for `span`.
pub fn trial(world: &World, settings: &Settings, options: &Options, span: Span) -> Option<Trial> {
    let call = world.demand.calls.first()?;
    let quiet = Demand { calls: Vec::new(), ..(*world.demand).clone() };
    let quiet = World { demand: Arc::new(quiet), ..world.clone() };
    let run = |world: &World, activate: Activate| {
        let settings = Settings { activate, ..settings.clone() };
        let mut all = ClosedLoop::new(world, Some(settings), options.clone());
        let mut spent = (0.0, 0.0);
        for second in 1..=span.ms() / 1000 {
            all.step();
            let now = Span::from_s(second);
            let total = all.twin().truth().city().vehicle_s;
            if now <= call.depart {
                spent.0 = total;
            }
            if now <= call.depart + AFTER {
                spent.1 = total;
            }
        }
        let ambulance = all.twin().ambulances().first().map(|a| {
            let took = a.travel_time.unwrap_or(span - call.depart);
            (a.free_flow.get(), took.s(), a.red_crossings, a.travel_time.is_some())
        });
        (spent.1 - spent.0, ambulance, all.plans().lamp_faults)
    };
    let (without, _, _) = run(&quiet, Activate::None);
    let (_, alone, _) = run(world, Activate::None);
    let (with, wave, lamp_faults) = run(world, Activate::Police);
    let ((free_flow_s, alone_s, _, alone), (_, wave_s, reds, wave)) = (alone?, wave?);
    let others = (with - wave_s.min(AFTER.s())) / without.max(1.0) - 1.0;
    Some(Trial { free_flow_s, alone_s, wave_s, arrived: alone || wave, reds, others, lamp_faults })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_student_s() {
        // (figures, mean, half width): the second by hand: s = 1, t = 4.303, √3.
        for (figures, mean, half) in [(&[2.0][..], 2.0, 0.0), (&[1.0, 2.0, 3.0], 2.0, 4.303 / 3.0_f64.sqrt())] {
            let (m, h) = interval(figures);
            assert!((m - mean).abs() < 1e-9 && (h - half).abs() < 1e-9, "{figures:?}: {m} {h}");
        }
    }
}

//! A street under control for hours on end: what the engine remembers does not grow.
//!
//! `GREENWAVE_DAY_HOURS` sets how long (three hours here, a day in the soak); each hour's figures go to standard output.

use std::fs;
use std::sync::Arc;

use greenwave::engine::Settings;
use greenwave::engine::city::City;
use greenwave::event::Mode;
use greenwave::network::layout::{Layout, layout};
use greenwave::network::limits::Limits;
use greenwave::network::{Network, Sensors};
use greenwave::output::Output;
use greenwave::time::Span;
use greenwave::twin::demand::{Demand, Trip};
use greenwave::twin::{Options, SensorFaults, Twin, city};

const HOUR_S: i64 = 3600;
const QUARTER_S: i64 = 900;

/// The same quarter of an hour again and again.
fn day(quarter: &Demand, hours: i64) -> Demand {
    let later = |row: i64| {
        let shift = Span::from_s(row * QUARTER_S);
        quarter.trips.iter().map(move |trip| Trip { depart: trip.depart + shift, ..trip.clone() })
    };
    Demand { trips: (0..hours * HOUR_S / QUARTER_S).flat_map(later).collect(), ..quarter.clone() }
}

/// Memory of this process, MB; none where the system does not tell.
fn resident_mb() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

#[test]
fn what_an_engine_remembers_does_not_grow() {
    let hours = std::env::var("GREENWAVE_DAY_HOURS").map_or(3, |h| h.parse().expect("a number of hours"));
    let network =
        Arc::new(Network::build(city::small::corridor(), &Limits::default()).expect("a small world is sound"));
    let sensors = Arc::new(Sensors::build(&layout(&network, Layout::Full), &network).expect("so are its sensors"));
    let demand = day(&city::small::demand(&network), hours);
    let options = Options { sensors: SensorFaults::ORDINARY, ..Options::default() };
    let mut twin = Twin::new(Arc::clone(&network), &sensors, &demand, options);
    let settings = Settings { mode: Mode::Control, ..Settings::default() };
    let mut engine = City::new(Arc::clone(&network), sensors, settings, twin.now());
    let (mut events, mut plans, mut first) = (Vec::new(), 0, None);
    for second in 1..=hours * HOUR_S {
        twin.step();
        events.clear();
        twin.events(&mut events);
        for output in engine.step(twin.now(), &events) {
            if let Output::Plan(published) = output {
                plans += 1;
                let _ = twin.accept(&published.plan); // a controller in trouble may refuse
            }
        }
        if second % HOUR_S == 0 {
            let (hour, state) = (second / HOUR_S, engine.state().len());
            println!("hour {hour}: {state} bytes of state, {:?} MB resident, {plans} plans so far", resident_mb());
            // Until the first hour is over its index and the day's profile fill up; the rest is vehicles, which come and go.
            let least = *first.get_or_insert(state);
            assert!(state < least + least / 5, "hour {hour}: {state} bytes after {least} in the first hour");
        }
    }
    assert!(plans > 100, "{plans} plans");
}

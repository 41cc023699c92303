//! The forecast of the delay index against persistence, over mornings of the twin: the one that says that it stays as it
//! is must be worse.

use std::sync::Arc;

use greenwave::event::{Aspect, Event};
use greenwave::ids::{GroupId, GroupSet, Id, JunctionId, Table};
use greenwave::network::layout::{Layout, layout};
use greenwave::network::limits::Limits;
use greenwave::network::{Network, Sensors};
use greenwave::time::{Span, Time};
use greenwave::traffic::forecast::{AHEAD, Forecast};
use greenwave::traffic::index::Window;
use greenwave::traffic::{Settings, Traffic};
use greenwave::twin::{Options, Twin, city};

/// A Monday, 07:00.
const START: i64 = 1_772_434_800;
const MINUTES: i64 = 90;

fn green(twin: &Twin) -> Table<JunctionId, GroupSet> {
    let groups = |junction: JunctionId| {
        let lamps = twin.lamps(junction).iter().enumerate();
        lamps.filter(|(_, a)| **a == Aspect::Green).map(|(g, _)| GroupId::of(g)).collect()
    };
    twin.network().junctions().ids().map(groups).collect()
}

/// The city's index as the estimator says it, by the minute: one morning, in which it fills and empties.
fn morning(network: &Arc<Network>, sensors: &Sensors, seed: u64) -> Vec<f32> {
    let demand = city::morning::demand(network, Span::from_s(3600), seed);
    let options = Options { seed, demand_scale: 0.7, start: Time::from_s(START), ..Options::default() };
    let mut twin = Twin::new(Arc::clone(network), sensors, &demand, options);
    let mut traffic = Traffic::new(Arc::clone(network), sensors, Settings::default());
    let (whole, mut events) = (network.zones().ids().next().expect("a city"), Vec::new());
    let mut minutes = Vec::new();
    for second in 1..=MINUTES * 60 {
        twin.step();
        events.clear();
        twin.events(&mut events);
        for event in &events {
            if let Event::Reading(reading) = event {
                let _ = traffic.observe(reading, twin.now()); // what is refused is counted
            }
        }
        traffic.advance(twin.now(), &green(&twin));
        if second % 60 == 0 {
            minutes.push(traffic.index_zone(whole, Window::Minute).delay_index() as f32);
        }
    }
    minutes
}

#[test]
fn a_morning_is_forecast_better_than_by_taking_it_to_stay_as_it_is() {
    let network = Arc::new(Network::build(city::demo(), &Limits::default()).expect("the city is sound"));
    let sensors = Sensors::build(&layout(&network, Layout::Full), &network).expect("a layout fits its network");
    let mornings: Vec<Vec<f32>> = (1..=4).map(|seed| morning(&network, &sensors, seed)).collect();
    let at = |day: usize, minute: usize| Time::from_s(START + day as i64 * 86_400 + (minute as i64 + 1) * 60);
    let mut forecast = Forecast::default();
    let (mut errors, mut count) = ([[0.0_f32; 2]; AHEAD.len()], 0);
    for (day, minutes) in mornings.iter().enumerate() {
        for (minute, &index) in minutes.iter().enumerate() {
            forecast.minute(at(day, minute), Span::ZERO, index);
            // Judged on every morning that was not the first, by minutes whose half hour ahead is known.
            if day == 0 || minute < 5 || minute + 35 >= minutes.len() {
                continue;
            }
            count += 1;
            for (row, ahead) in AHEAD.into_iter().enumerate() {
                // What came, and what was there: over five minutes, of which one alone is noise.
                let mean = |to: usize| minutes[to - 4..=to].iter().sum::<f32>() / 5.0;
                let came = mean(minute + (ahead.ms() / 60_000) as usize + 2);
                let said = forecast.ahead(at(day, minute), Span::ZERO, ahead).expect("such a day was seen");
                errors[row][0] += (said - came).abs();
                errors[row][1] += (mean(minute) - came).abs();
            }
        }
    }
    for (ahead, [forecast, persistence]) in AHEAD.into_iter().zip(errors) {
        let (forecast, persistence) = (forecast / count as f32, persistence / count as f32);
        println!("{ahead} ahead: off by {forecast:.3}, persistence by {persistence:.3}, of {count}");
        assert!(forecast < persistence * 0.9, "{ahead}: {forecast} {persistence}");
    }
}

//! A city, its readings as messages, and the broker they go through.

use crate::bootstrap::bootstrap;
use greenwave::engine::{Control, Settings};
use greenwave::network::layout::{Layout, layout};
use greenwave::network::limits::Limits;
use greenwave::network::{Network, SensorKind};
use greenwave::shell::config::Config;
use greenwave::shell::world::World;
use greenwave::twin::city;
use greenwave::wire::{Message, v1};

/// When the readings begin.
const START_MS: i64 = 1_772_434_800_000;

/// How readings are written.
#[derive(Clone, Copy)]
pub(crate) enum Case {
    Single,
    Batch(usize),
}

/// A city of so many junctions, what happens there estimated and indexed and nothing else.
pub(crate) fn world(junctions: usize) -> World {
    let spec = city::city(junctions, 1);
    let network = Network::build(spec.clone(), &Limits::default()).expect("the city is sound");
    let sensors = layout(&network, Layout::Full);
    let settings = Settings { control: Control::Watch, ..Settings::default() };
    let mut config = Config { settings, ..Config::default() };
    config.kafka.bootstrap = bootstrap().to_owned();
    config.kafka.privacy.key_env = Some("PATH".into()); // any text of 16 bytes does
    World::of(spec, Limits::default(), &sensors, config).expect("the world is sound")
}

/// About `count` readings of all loops of a city, second by second, as messages; and how many they are.
pub(crate) fn readings(world: &World, case: Case, count: usize) -> (impl Iterator<Item = Vec<u8>>, usize) {
    let table = world.names.sensors().table();
    let loops = table.values().filter(|s| s.kind == SensorKind::Loop).map(|s| s.name.to_string());
    let loops: Vec<String> = loops.collect();
    let seconds = count.div_ceil(loops.len());
    let count = seconds * loops.len();
    let messages = (1..=seconds as i64).flat_map(move |second| {
        let mut messages = Vec::new();
        let end_ms = START_MS + second * 1000;
        let busy = |row: usize| u32::from((row as i64 + second) % 7 == 0);
        match case {
            Case::Single => messages.extend(loops.iter().enumerate().map(|(row, id)| {
                let seen = v1::LoopReading { count: busy(row), occupancy: 0.2 * busy(row) as f32, speed_mps: None };
                let reading = v1::Reading {
                    sensor_id: id.clone(),
                    end_ms,
                    interval_ms: 1000,
                    seen: Some(v1::reading::Seen::Loop(seen)),
                };
                v1::Readings { readings: vec![reading], batches: vec![] }.encode_to_vec()
            })),
            Case::Batch(most) => messages.extend(loops.chunks(most).enumerate().map(|(chunk, ids)| {
                let counts: Vec<u32> = (0..ids.len()).map(|row| busy(chunk * most + row)).collect();
                let columns = v1::LoopColumns {
                    sensor_ids: ids.to_vec(),
                    occupancies: counts.iter().map(|&count| 0.2 * count as f32).collect(),
                    counts,
                    speeds_mps: vec![],
                };
                let batch = v1::ReadingBatch { end_ms, interval_ms: 1000, loops: Some(columns), cameras: None };
                v1::Readings { readings: vec![], batches: vec![batch] }.encode_to_vec()
            })),
        }
        messages
    });
    (messages, count)
}

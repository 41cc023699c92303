//! Noise on the line, by seed: the engine answers every line and lives.
//!
//! `GREENWAVE_MUTATIONS` sets how many (default 4 000; the soak takes 100 000).

use std::io::{BufReader, Cursor};
use std::path::PathBuf;

use greenwave::engine::Settings;
use greenwave::shell::config::Config;
use greenwave::shell::lockstep::run;
use greenwave::shell::threads::Threads;
use greenwave::shell::world::World;
use rand_core::Rng;
use rand_pcg::Pcg64Mcg;
use serde_json::{Value, json};

use crate::talk::{T, world};

fn below(rng: &mut Pcg64Mcg, bound: usize) -> usize {
    (rng.next_u64() % bound.max(1) as u64) as usize
}

fn mutate(rng: &mut Pcg64Mcg, line: &mut Vec<u8>) {
    for _ in 0..=below(rng, 3) {
        let at = below(rng, line.len());
        match below(rng, 5) {
            _ if line.is_empty() => {}
            0 => line[at] ^= 1 << below(rng, 8),
            1 => line[at] = b"{}[]\",:0-9eE.\\"[below(rng, 14)],
            2 => drop(line.remove(at)),
            3 => line.truncate(at),
            _ => {
                let piece = line[at..(at + below(rng, 12)).min(line.len())].to_vec();
                line.splice(at..at, piece);
            }
        }
    }
    line.retain(|&b| b != b'\n' && b != b'\r');
}

#[test]
fn every_line_of_noise_is_answered() {
    let count: usize = std::env::var("GREENWAVE_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(4_000);
    let folder = world();
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    let config = Config { settings: Settings { tick_ms: 1000, ..Settings::default() }, ..Config::default() };
    let world = World::load(&path("city.json"), Some(&path("sensors.json")), config).expect("sound");
    let junction = world.names.network().junctions().values().next().expect("some").name.clone();
    let whole = |t: i64| {
        json!({"tick": {
            "t_ms": t,
            "readings": {"readings": [{"sensor_id": "loop", "end_ms": t, "interval_ms": 1000, "loop": {"count": 1}}]},
            "status": [{"junction_id": &*junction, "at_ms": t, "mode": "CONTROLLER_MODE_REMOTE"}],
            "positions": [{"vehicle_id": "v", "at_ms": t, "x_m": 1.5, "y_m": -2.5, "speed_mps": 10}],
            "commands": [{"command_id": "1", "at_ms": t, "operator": "o", "close_link_id": "x"}],
        }})
        .to_string()
    };
    // Noise before the first tick, so that few of the lines cost a step.
    let mut input = Vec::new();
    let mut lines = 0;
    for seed in 0..count {
        let mut rng = Pcg64Mcg::new((seed as u128) << 1 | 1);
        let mut line = whole(T + 500).into_bytes();
        mutate(&mut rng, &mut line);
        if String::from_utf8_lossy(&line).trim().is_empty() {
            continue;
        }
        input.extend_from_slice(&line);
        input.push(b'\n');
        lines += 1;
    }
    input.extend_from_slice(&[0xff, b'\n']);
    let mut output = Vec::new();
    let summary =
        run(&world, BufReader::new(Cursor::new(input)), &mut output, None, Threads::default()).expect("memory");
    assert_eq!(summary.ticks + summary.errors, lines + 1);
    let text = String::from_utf8(output).expect("UTF-8");
    let answers = text.lines().skip(1).map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let mut answered = 0;
    for answer in answers {
        answered += u64::from(answer.get("error").is_some() || answer.get("tick_done").is_some());
        if let Some(error) = answer.get("error") {
            assert!(error["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{error}");
        }
    }
    assert_eq!(answered, lines + 1);
}

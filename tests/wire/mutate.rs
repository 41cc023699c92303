//! Broken messages by seed: each is refused with a reason or understood; none is lost, and nothing panics.
//!
//! `GREENWAVE_MUTATIONS` sets how many (default 4 000; the soak takes 100 000).

use std::io::Cursor;

use greenwave::event::Event;
use greenwave::time::Time;
use greenwave::wire::log::{Closing, Reader, Writer};
use greenwave::wire::{self, Wrong, json, v1};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use prost::Message;
use rand_core::Rng;
use rand_pcg::Pcg64Mcg;

use crate::world::{event, names, reading};

fn count() -> u64 {
    std::env::var("GREENWAVE_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(4_000)
}

fn below(rng: &mut Pcg64Mcg, bound: usize) -> usize {
    (rng.next_u64() % bound.max(1) as u64) as usize
}

/// Flips, drops, repeats, overwrites or cuts a few bytes.
fn mutate(rng: &mut Pcg64Mcg, bytes: &mut Vec<u8>) {
    for _ in 0..=below(rng, 4) {
        let at = below(rng, bytes.len());
        match below(rng, 7) {
            _ if bytes.is_empty() => bytes.push(rng.next_u64() as u8),
            0 => bytes[at] ^= 1 << below(rng, 8),
            1 => bytes[at] = [0, 0xff, 0x7f, 0x80, b'"', b'9', b'-', b'}'][below(rng, 8)],
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, rng.next_u64() as u8),
            4 => bytes.truncate(at),
            5 => {
                let piece = bytes[at..(at + below(rng, 16)).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => bytes[at..].iter_mut().take(8).for_each(|b| *b = 0xff),
        }
    }
}

fn seeds<S: Strategy>(strategy: S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).expect("generates").current()).collect()
}

/// A refusal has to be of use to whoever reads it.
fn useful(wrong: &Wrong, seed: u64) {
    assert!(!wrong.reason.is_empty(), "seed {seed}: no reason");
    assert!(wrong.value.chars().count() <= 80 && wrong.field.len() < 2_000, "seed {seed}: {wrong:?}");
}

#[test]
fn mutated_readings_are_refused_or_understood() {
    let whole: Vec<Vec<u8>> = seeds(proptest::collection::vec(reading(), 0..6), 64)
        .iter()
        .map(|readings| {
            let message = |r| match wire::event(names(), &Event::Reading(r)).event {
                Some(v1::log_event::Event::Reading(m)) => m,
                other => panic!("{other:?}"),
            };
            let readings: Vec<_> = readings.iter().cloned().map(message).collect();
            let ids: Vec<String> = readings.iter().map(|r| r.sensor_id.clone()).collect();
            let lanes = vec![1; ids.len()];
            let loops = v1::LoopColumns {
                counts: lanes.clone(),
                occupancies: vec![0.5; ids.len()],
                sensor_ids: ids.clone(),
                speeds_mps: vec![],
            };
            let cameras = v1::CameraColumns {
                sensor_ids: ids,
                lane_counts: lanes.clone(),
                vehicles: lanes.clone(),
                queues: lanes,
            };
            let (loops, cameras) = (Some(loops), Some(cameras));
            let batches = vec![v1::ReadingBatch { end_ms: 1000, interval_ms: 1000, loops, cameras }];
            v1::Readings { readings, batches }.encode_to_vec()
        })
        .collect();
    let (mut understood, mut refused) = (0_u64, 0_u64);
    // Whatever was heard before: the same columns, and broken ones.
    let mut heard = wire::Heard::default();
    for seed in 0..count() {
        let mut rng = Pcg64Mcg::new(u128::from(seed) << 1 | 1);
        let mut bytes = whole[below(&mut rng, whole.len())].clone();
        mutate(&mut rng, &mut bytes);
        let unreadable = |wrong: Wrong, source: &str| wrong.unreadable(source, Time::EPOCH);
        let mut streamed = Vec::new();
        let stream = wire::readings_of(names(), &bytes, &mut heard, &unreadable, &mut streamed);
        match wire::read::<v1::Readings>(&bytes) {
            Err(wrong) => {
                assert_eq!((stream.as_ref(), streamed.len()), (Err(&wrong), 0), "seed {seed}");
                useful(&wrong, seed);
                refused += 1;
            }
            Ok(message) => {
                let rows = |b: &v1::ReadingBatch| {
                    let loops = b.loops.as_ref().map_or(0, |l| l.sensor_ids.len());
                    (loops, b.cameras.as_ref().map_or(0, |c| c.sensor_ids.len()))
                };
                // A block of columns gives one event a row, or one for all where it does not fit together.
                let most = |rows: usize| rows.max(1);
                let most: usize = message.batches.iter().map(|b| most(rows(b).0) + most(rows(b).1)).sum();
                let (singles, at_most) = (message.readings.len(), message.readings.len() + most);
                let mut events = Vec::new();
                wire::readings(names(), message, &unreadable, &mut events);
                // A float may be no number, which is equal to nothing.
                assert_eq!((stream, format!("{streamed:?}")), (Ok(()), format!("{events:?}")), "seed {seed}");
                assert!((singles..=at_most).contains(&events.len()), "seed {seed}: {} events", events.len());
                understood += 1;
            }
        }
    }
    assert!(understood > 0 && refused > 0, "{understood} understood, {refused} refused");
}

#[test]
fn mutated_json_is_refused_or_understood() {
    let whole: Vec<String> =
        seeds(event(), 256).iter().map(|event| json::write(&wire::event(names(), event))).collect();
    let mut refused = 0_u64;
    for seed in 0..count() {
        let mut rng = Pcg64Mcg::new(u128::from(seed) << 1 | 1);
        let mut bytes = whole[below(&mut rng, whole.len())].clone().into_bytes();
        mutate(&mut rng, &mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        if let Err(wrong) = json::parse::<v1::LogEvent>(&text) {
            useful(&wrong, seed);
            refused += 1;
        }
    }
    assert!(refused > 0);
}

#[test]
fn mutated_control_messages_are_refused_or_understood() {
    let whole: Vec<Vec<u8>> =
        seeds(event(), 256).iter().map(|event| wire::event(names(), event).encode_to_vec()).collect();
    for seed in 0..count() {
        let mut rng = Pcg64Mcg::new(u128::from(seed) << 1 | 1);
        let mut bytes = whole[below(&mut rng, whole.len())].clone();
        mutate(&mut rng, &mut bytes);
        use v1::log_event::Event as M;
        let outcome = wire::read::<v1::LogEvent>(&bytes).and_then(|message| match message.event {
            Some(M::Status(m)) => wire::status(names(), m).map(|_| ()),
            Some(M::Call(m)) => wire::call(names(), m).map(|_| ()),
            Some(M::Command(m)) => wire::command(names(), m).map(|_| ()),
            Some(M::Request(m)) => wire::request(names(), m).map(|_| ()),
            Some(M::Position(m)) => wire::position(m).map(|_| ()),
            _ => Ok(()),
        });
        if let Err(wrong) = outcome {
            useful(&wrong, seed);
        }
    }
}

#[test]
fn mutated_logs_are_refused_with_a_place_or_read() {
    // Opening builds a whole city, so there are fewer of these; the header stays whole.
    let mut file = Vec::new();
    let header = crate::log::header();
    let mut writer = Writer::create(&mut file, header.clone(), names().clone()).expect("memory");
    let events = seeds(event(), 16);
    for second in 0..90 {
        writer.tick(Time::from_s(second), &events, &Closing::Caller, &[]).expect("memory");
    }
    writer.finish().expect("memory");
    let mut head = Vec::new();
    Writer::create(&mut head, header, names().clone()).expect("memory");
    let mut refused = 0;
    for seed in 0..count() / 50 {
        let mut rng = Pcg64Mcg::new(u128::from(seed) << 1 | 1);
        let mut tail = file[head.len()..].to_vec();
        mutate(&mut rng, &mut tail);
        let mut reader = Reader::open(Cursor::new([&head[..], &tail].concat())).expect("its header is whole");
        loop {
            match reader.tick() {
                Ok(Some(tick)) => assert_eq!(tick.events, events, "seed {seed}: a checksum let this through"),
                Ok(None) => break,
                Err(error) => {
                    assert!(error.to_string().starts_with("byte "), "seed {seed}: {error}");
                    refused += 1;
                    break;
                }
            }
        }
    }
    assert!(refused > 0);
}

//! The event log: exact there and back, readable after a crash, and never trusted.

use std::io::Cursor;

use greenwave::event::{Event, Reading, Seen};
use greenwave::time::{Span, Time};
use greenwave::wire::log::{Closing, Digest, End, LogError, Reader, Tick, Writer};
use greenwave::wire::v1;
use proptest::prelude::*;

use crate::world::{event, names, sensors_spec, spec};

pub(crate) fn header() -> v1::LogHeader {
    let provenance = v1::Provenance {
        network_hash: names().network().hash().to_vec(),
        config_hash: vec![7; 32],
        engine_version: "0".into(),
    };
    v1::LogHeader {
        network_json: serde_json::to_vec(&spec()).expect("plain data"),
        limits_json: b"{}".to_vec(),
        sensors_json: serde_json::to_vec(&sensors_spec(&spec())).expect("plain data"),
        config_toml: "tick_ms = 1000\n".into(),
        provenance: Some(provenance),
        seed: 5,
        ..v1::LogHeader::default()
    }
}

fn outputs(count: usize) -> Vec<v1::Output> {
    let change = |n| v1::LadderChange { at_ms: n, ..Default::default() };
    (0..count as i64).map(|n| v1::Output { output: Some(v1::output::Output::LadderChange(change(n))) }).collect()
}

fn write(ticks: &[(Vec<Event>, Closing)], finish: bool) -> (Vec<u8>, Vec<Tick>) {
    let mut file = Vec::new();
    let mut writer = Writer::create(&mut file, header(), names().clone()).expect("memory");
    let mut digest = Digest::default();
    let mut expected = Vec::new();
    for (second, (events, closing)) in ticks.iter().enumerate() {
        let now = Time::from_s(1_700_000_000 + second as i64);
        let outputs = outputs(second % 3);
        digest.tick(now, &outputs);
        writer.tick(now, events, closing, &outputs).expect("memory");
        expected.push(Tick { now, events: events.clone(), closing: closing.clone(), outputs_sha256: digest.sha256() });
    }
    if finish {
        let footer = writer.finish().expect("memory");
        assert_eq!((footer.ticks, footer.outputs_sha256), (ticks.len() as u64, digest.sha256().to_vec()));
    } else {
        writer.flush().expect("memory");
    }
    (file, expected)
}

/// Every tick that can be read, and how it ended.
fn read(file: &[u8]) -> Result<(Vec<Tick>, End), LogError> {
    let mut reader = Reader::open(Cursor::new(file))?;
    let mut ticks = Vec::new();
    while let Some(tick) = reader.tick()? {
        ticks.push(tick);
    }
    let end = reader.end().expect("it ended").clone();
    Ok((ticks, end))
}

fn loops(second: i64, count: u32) -> Vec<Event> {
    let seen = |n| Seen::Loop { count: n, occupancy: 0.25, speed: (n % 2 == 0).then_some(8.5) };
    let reading = |(n, sensor)| {
        let (end, interval) = (Time::from_s(second), Span::SECOND);
        Event::Reading(Reading { sensor, end, interval, seen: seen(n) })
    };
    (0..count).zip(names().sensors().table().ids()).map(reading).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_log_gives_back_what_was_told_in_the_order_it_was_told(
        ticks in prop::collection::vec((prop::collection::vec(event(), 0..20), any::<bool>()), 0..5)
    ) {
        let closing = |watermark| if watermark { Closing::Watermark } else { Closing::Deadline(vec!["north".into()]) };
        let ticks: Vec<_> = ticks.into_iter().map(|(events, watermark)| (events, closing(watermark))).collect();
        let (file, expected) = write(&ticks, true);
        let (found, end) = read(&file).expect("just written");
        prop_assert_eq!(found, expected);
        prop_assert!(matches!(end, End::Finished(_)));
    }
}

#[test]
fn the_world_comes_back_with_its_hash() {
    let (file, _) = write(&[], true);
    let reader = Reader::open(Cursor::new(&file)).expect("just written");
    assert_eq!(reader.world().names.network().hash(), names().network().hash());
    assert_eq!((reader.world().header.seed, &*reader.world().header.config_toml), (5, "tick_ms = 1000\n"));
}

#[test]
fn runs_of_readings_cost_a_few_bytes_each() {
    let count = names().sensors().table().len();
    let ticks: Vec<_> = (0..120).map(|s| (loops(s, u32::try_from(count).expect("few")), Closing::Caller)).collect();
    let (file, expected) = write(&ticks, true);
    let (empty, _) = write(&[], true);
    assert_eq!(read(&file).expect("just written").0, expected);
    let bytes = (file.len() - empty.len()) as f64 / (120 * count) as f64;
    assert!(bytes < 3.0, "{bytes} bytes a reading");
}

#[test]
fn a_log_cut_anywhere_is_read_up_to_its_last_whole_frame() {
    let ticks: Vec<_> = (0..150).map(|s| (loops(s, 3), Closing::Caller)).collect();
    let (file, expected) = write(&ticks, true);
    let (header_only, _) = write(&[], false);
    let mut lengths = Vec::new();
    for cut in (header_only.len()..file.len()).step_by(file.len() / 48) {
        let (found, end) = read(&file[..cut]).expect("cut, not broken");
        assert_eq!(found, expected[..found.len()], "cut at {cut}");
        assert!(matches!(end, End::Cut { byte } if byte <= cut as u64), "cut at {cut}: {end:?}");
        lengths.push(found.len());
    }
    lengths.dedup();
    assert_eq!(lengths, [0, 60, 120], "a frame holds a minute of ticks"); // the last 30 are in the frame that is cut
}

#[test]
fn a_header_that_lies_or_is_none_is_refused() {
    let refused = |change: &dyn Fn(&mut v1::LogHeader)| {
        let mut header = header();
        change(&mut header);
        let mut file = Vec::new();
        Writer::create(&mut file, header, names().clone()).expect("memory");
        Reader::open(Cursor::new(&file)).expect_err("refused").to_string()
    };
    let hash = refused(&|h| h.provenance.get_or_insert_default().network_hash = vec![0; 32]);
    assert!(hash.starts_with("header: network_hash is 0000"), "{hash}");
    let other = refused(&|h| h.limits_json = br#"{"yellow_s":1e9}"#.to_vec());
    assert!(other.starts_with("header: network_json: "), "{other}");
    let json = refused(&|h| h.sensors_json = b"[]".to_vec());
    assert!(json.starts_with("header: sensors_json: "), "{json}");
    for bytes in [&b""[..], b"greenwave", &[0x28, 0xb5, 0x2f, 0xfd]] {
        let error = Reader::open(Cursor::new(bytes)).expect_err("no log");
        assert!(matches!(error, LogError::NotALog(_)), "{error}");
    }
}

#[test]
fn a_broken_byte_is_named_by_its_place() {
    let ticks: Vec<_> = (0..150).map(|s| (loops(s, 3), Closing::Caller)).collect();
    let (mut file, _) = write(&ticks, true);
    let last = file.len() - 40;
    file[last] ^= 0x55;
    let error = read(&file).expect_err("its checksum is wrong");
    let LogError::Malformed { byte, tick, .. } = error else { panic!("{error}") };
    assert!(byte < last as u64 && tick >= 60, "byte {byte}, tick {tick}");
}

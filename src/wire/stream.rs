//! The hot message as it streams by: readings straight from bytes to events, with nothing in between.
//!
//! Only what writers usually write is read here: every field once, columns packed, ids before values. Whatever else a
//! protobuf may be, and whatever is wrong with it, is left to the whole decoder, so that there is one account of errors.

use prost::Message;

use super::heard::after;
use super::read::{NO_SPEED, camera, cameras, span};
use super::{Heard, MESSAGE_BYTES_MAX, Names, READINGS_MAX, v1};
use crate::event::{Event, Reading, Seen};
use crate::time::{Span, Time};

/// The readings of a message, appended to `events`; none, and `events` as it was, where it is not as usual.
pub fn stream(names: &Names, bytes: &[u8], heard: &mut Heard, events: &mut Vec<Event>) -> Option<()> {
    let first = events.len();
    let done = message(names, bytes, heard, events);
    if done.is_none() {
        events.truncate(first);
    }
    done
}

/// The instant that a message seems to be about, told without reading it: that of what it begins with, written as usual.
pub fn seems(bytes: &[u8]) -> Option<Time> {
    let mut rest = bytes;
    let tag = byte(&mut rest)?;
    varint(&mut rest)?;
    let end = match (tag, byte(&mut rest)?) {
        (0x12, 0x08) => varint(&mut rest)?,
        (0x0a, 0x0a) => {
            block(&mut rest)?;
            (byte(&mut rest)? == 0x10).then(|| varint(&mut rest))??
        }
        _ => return None,
    };
    Some(Time::from_ms(end as i64))
}

fn message(names: &Names, bytes: &[u8], heard: &mut Heard, events: &mut Vec<Event>) -> Option<()> {
    let (first, mut rest, mut singly) = (events.len(), bytes, true);
    if bytes.len() > MESSAGE_BYTES_MAX {
        return None;
    }
    while let Some(tag) = byte(&mut rest) {
        let inner = block(&mut rest)?;
        match tag {
            0x0a if singly => events.push(Event::Reading(reading(names, inner, heard)?)),
            0x12 => {
                singly = false;
                batch(names, inner, heard, events)?;
            }
            _ => return None,
        }
        if events.len() - first > READINGS_MAX {
            return None;
        }
    }
    Some(())
}

fn reading(names: &Names, bytes: &[u8], heard: &mut Heard) -> Option<Reading> {
    let (mut rest, mut sensor, mut by_loop, mut by_camera) = (bytes, None, None, None);
    let (mut end, mut interval) = (Time::EPOCH, Span::ZERO);
    while let Some(tag) = byte(&mut rest) {
        match tag {
            0x0a => sensor = Some(names.sensor_of(block(&mut rest)?, heard.next)?),
            0x10 => end = Time::from_ms(varint(&mut rest)? as i64),
            0x18 => interval = span(varint(&mut rest)? as u32),
            0x22 if by_loop.is_none() => by_loop = Some(loop_reading(block(&mut rest)?)?),
            0x2a if by_camera.is_none() => by_camera = Some(block(&mut rest)?),
            _ => return None,
        }
    }
    let (id, sensor) = sensor?;
    heard.next = after(id);
    let seen = match (by_loop, by_camera) {
        (Some(seen), None) => seen,
        (None, Some(bytes)) => camera(names, sensor, &v1::CameraReading::decode(bytes).ok()?).ok()?,
        _ => return None,
    };
    Some(Reading { sensor: id, end, interval, seen })
}

fn loop_reading(mut rest: &[u8]) -> Option<Seen> {
    let (mut count, mut occupancy, mut speed) = (0, 0.0, None);
    while let Some(tag) = byte(&mut rest) {
        match tag {
            0x08 => count = varint(&mut rest)? as u32,
            0x15 => occupancy = float(&mut rest)?,
            0x1d => speed = Some(float(&mut rest)?),
            _ => return None,
        }
    }
    Some(Seen::Loop { count, occupancy, speed })
}

fn batch(names: &Names, bytes: &[u8], heard: &mut Heard, events: &mut Vec<Event>) -> Option<()> {
    let (mut rest, mut by_loops, mut by_cameras) = (bytes, None, None);
    let (mut end, mut interval) = (Time::EPOCH, Span::ZERO);
    while let Some(tag) = byte(&mut rest) {
        match tag {
            0x08 => end = Time::from_ms(varint(&mut rest)? as i64),
            0x10 => interval = span(varint(&mut rest)? as u32),
            0x1a if by_loops.is_none() => by_loops = Some(block(&mut rest)?),
            0x22 if by_cameras.is_none() => by_cameras = Some(block(&mut rest)?),
            _ => return None,
        }
    }
    if let Some(columns) = by_loops {
        loops(names, columns, (end, interval), heard, events)?;
    }
    if let Some(columns) = by_cameras {
        let (columns, mut sound) = (v1::CameraColumns::decode(columns).ok()?, true);
        if columns.sensor_ids.len() > READINGS_MAX {
            return None;
        }
        cameras(names, &columns, end, interval, &mut |row| match row {
            Ok(reading) => events.push(Event::Reading(reading)),
            Err(_) => sound = false,
        });
        sound.then_some(())?;
    }
    Some(())
}

/// Ids and values are walked side by side: no column is ever made.
fn loops(
    names: &Names,
    bytes: &[u8],
    (end, interval): (Time, Span),
    heard: &mut Heard,
    events: &mut Vec<Event>,
) -> Option<()> {
    let (sensors, length) = heard.column(names, bytes)?;
    let mut rest = &bytes[length..];
    let [mut counts, mut occupancies, mut speeds] = [[].as_slice(); 3];
    while let Some(tag) = byte(&mut rest) {
        let column = match tag {
            0x12 => &mut counts,
            0x1a => &mut occupancies,
            0x22 => &mut speeds,
            _ => return None,
        };
        if !column.is_empty() {
            return None;
        }
        *column = block(&mut rest)?;
    }
    let (occupancies, []) = occupancies.as_chunks() else { return None };
    let (speeds, []) = speeds.as_chunks() else { return None };
    if occupancies.len() != sensors.len() || !(speeds.is_empty() || speeds.len() == sensors.len()) {
        return None;
    }
    // Every row makes an event, and what is wrong is found out behind them: so each is made where it is to be, and never
    // moved.
    let mut sound = true;
    events.extend(sensors.iter().zip(occupancies).enumerate().map(|(row, (&sensor, &occupancy))| {
        let count = varint(&mut counts);
        sound &= count.is_some();
        let speed = speeds.get(row).map(|&speed| f32::from_le_bytes(speed)).filter(|&speed| speed != NO_SPEED);
        let (count, occupancy) = (count.unwrap_or_default() as u32, f32::from_le_bytes(occupancy));
        Event::Reading(Reading { sensor, end, interval, seen: Seen::Loop { count, occupancy, speed } })
    }));
    (sound && counts.is_empty()).then_some(())
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (&byte, after) = rest.split_first()?;
    *rest = after;
    Some(byte)
}

/// At most 64 bits, as protobuf has them, seven a byte; most are one byte.
#[inline]
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for (place, &byte) in rest.iter().enumerate().take(VARINT_BYTES) {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            *rest = &rest[place + 1..];
            return (place + 1 < VARINT_BYTES || byte <= 1).then_some(value);
        }
    }
    None
}

/// Of the last byte of the longest number only one bit is left.
const VARINT_BYTES: usize = 10;

fn float(rest: &mut &[u8]) -> Option<f32> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(f32::from_le_bytes(*bytes))
}

/// What stands behind its length.
pub(super) fn block<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(varint(rest)?).ok()?;
    let (block, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;
    use crate::network::SensorKind;
    use crate::wire::testing::names;
    use crate::wire::{read, readings};
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn named(names: &Names, kind: SensorKind) -> Vec<String> {
        names.sensors().table().values().filter(|s| s.kind == kind).map(|s| s.name.to_string()).collect()
    }

    fn single(id: &str, seen: v1::reading::Seen) -> v1::Reading {
        v1::Reading { sensor_id: id.into(), end_ms: 7_000, interval_ms: 1000, seen: Some(seen) }
    }

    /// Loops and cameras, singly and in columns.
    fn usual(names: &Names) -> v1::Readings {
        let (loops, cameras) = (named(names, SensorKind::Loop), named(names, SensorKind::Camera));
        let seen = v1::LoopReading { count: 300, occupancy: 0.5, speed_mps: Some(9.0) };
        let view = v1::CameraReading { vehicles: vec![3], queues: vec![1], ..v1::CameraReading::default() };
        let singly = loops[..3].iter().map(|id| single(id, v1::reading::Seen::Loop(seen)));
        let singly = singly.chain([single(&cameras[0], v1::reading::Seen::Camera(view))]).collect();
        let by_loops = v1::LoopColumns {
            counts: (0..loops.len() as u32).collect(),
            occupancies: vec![0.25; loops.len()],
            speeds_mps: (0..loops.len()).map(|row| if row % 2 == 0 { NO_SPEED } else { 9.5 }).collect(),
            sensor_ids: loops,
        };
        let ones = vec![1; cameras.len()];
        let (vehicles, queues) = (ones.clone(), ones.clone());
        let by_cameras = v1::CameraColumns { sensor_ids: cameras, lane_counts: ones, vehicles, queues };
        let batch =
            v1::ReadingBatch { end_ms: -1, interval_ms: 1000, loops: Some(by_loops), cameras: Some(by_cameras) };
        v1::Readings { readings: singly, batches: vec![batch.clone(), batch] }
    }

    #[test]
    fn what_is_usual_is_read_as_it_streams_by() {
        let names = names();
        let message = usual(&names);
        let bytes = message.encode_to_vec();
        let (mut streamed, mut whole) = (Vec::new(), Vec::new());
        readings(&names, read(&bytes).expect("whole"), &|wrong, _| panic!("{wrong}"), &mut whole);
        let mut heard = Heard::default();
        for _ in 0..2 {
            streamed.clear();
            assert_eq!(stream(&names, &bytes, &mut heard, &mut streamed), Some(()));
            assert_eq!(streamed, whole);
        }
        assert!(whole.len() > 1000 && heard.next.is_some());
    }

    #[test]
    fn what_a_message_is_about_is_told_by_its_beginning() {
        let names = names();
        let mut message = usual(&names);
        assert_eq!(seems(&message.encode_to_vec()), Some(Time::from_ms(7_000)));
        message.readings.clear();
        assert_eq!(seems(&message.encode_to_vec()), Some(Time::from_ms(-1)));
        for bytes in [&b""[..], b"\x12\x01", b"\x12\x01\x10\x07", b"\x0a\x09\x0a\x05a", b"\x0a\x09\x0a\x01a\x18\x07"] {
            assert_eq!(seems(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_not_usual_is_left_to_the_whole_decoder() {
        let names = names();
        let usual = usual(&names);
        let bytes = usual.encode_to_vec();
        let batch = |change: &dyn Fn(&mut v1::LoopColumns)| {
            let mut message = usual.clone();
            message.batches[0].loops.as_mut().map(change);
            message.encode_to_vec()
        };
        let cases: [(&str, Vec<u8>); 8] = [
            ("another field behind it", [&bytes[..], b"\x1a\x00"].concat()),
            ("readings behind batches", [&bytes[..], &bytes[..]].concat()),
            ("cut short", bytes[..bytes.len() - 1].to_vec()),
            ("a count too few", batch(&|loops| loops.counts.truncate(1))),
            ("a count too many", batch(&|loops| loops.counts.push(1))),
            ("a speed too few", batch(&|loops| loops.speeds_mps.truncate(1))),
            ("nobody's", batch(&|loops| loops.sensor_ids[3] = "nobody".into())),
            // Field 2 of Readings, its field 3 with one id and its count by itself, as writers of proto2 do it.
            ("a column that is not packed", b"\x12\x07\x1a\x05\x0a\x01a\x10\x07".to_vec()),
        ];
        let mut heard = Heard::default();
        for (what, bytes) in cases {
            let mut events = vec![Event::Reading(Reading {
                sensor: Id::of(0),
                end: Time::EPOCH,
                interval: Span::ZERO,
                seen: Seen::Loop { count: 0, occupancy: 0.0, speed: None },
            })];
            assert_eq!((stream(&names, &bytes, &mut heard, &mut events), events.len()), (None, 1), "{what}");
        }
    }

    #[test]
    fn varints_are_protobuf_s() {
        for (bytes, value) in [
            (&b"\x07"[..], Some(7)),
            (b"\xac\x02", Some(300)),
            (b"\x80\x00", Some(0)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", Some(u64::MAX)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", None),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", None),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00", Some(u64::MAX >> 1)),
            (b"\x80", None),
            (b"", None),
        ] {
            assert_eq!(varint(&mut &*bytes), value, "{bytes:?}");
        }
    }

    proptest! {
        /// Against the other decoder, on whatever bytes.
        #[test]
        fn a_varint_is_what_prost_reads(bytes in vec(prop_oneof![any::<u8>(), 0x80..=0xff_u8], 0..13)) {
            let (mut ours, mut theirs) = (&*bytes, &*bytes);
            let value = varint(&mut ours);
            prop_assert_eq!(value, prost::encoding::decode_varint(&mut theirs).ok());
            prop_assert!(value.is_none() || ours == theirs);
        }
    }
}

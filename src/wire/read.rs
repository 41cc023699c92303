//! What sensors sent, as events.

use prost::Message;

use super::heard::after;
use super::stream::stream;
use super::v1::{self, reading::Seen as SeenMessage};
use super::{Heard, MESSAGE_BYTES_MAX, Names, READINGS_MAX, Wrong};
use crate::event::{Event, LaneView, Reading, Seen, TurnCount, Unreadable};
use crate::ids::SensorId;
use crate::network::{Sensor, VehicleClass};
use crate::time::{Span, Time};

/// Takes a message apart.
///
/// # Errors
/// When it is too long or no protobuf of this kind.
pub fn read<M: Message + Default>(bytes: &[u8]) -> Result<M, Wrong> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(Wrong::new("", "", format!("is {} bytes long, more than {MESSAGE_BYTES_MAX}", bytes.len())));
    }
    Ok(M::decode(bytes)?)
}

/// The readings of one protobuf, as [`readings`] tells them; `heard` is what was heard on the same way before.
///
/// # Errors
/// When it is too long or no protobuf of this kind.
pub fn readings_of(
    names: &Names,
    bytes: &[u8],
    heard: &mut Heard,
    unreadable: &impl Fn(Wrong, &str) -> Unreadable,
    events: &mut Vec<Event>,
) -> Result<(), Wrong> {
    if stream(names, bytes, heard, events).is_none() {
        readings(names, read(bytes)?, unreadable, events);
    }
    Ok(())
}

/// The readings of one message, appended to `events`; what of it cannot be read is an event as well, which `unreadable`
/// makes of what is wrong and of who sent it.
pub fn readings(
    names: &Names,
    message: v1::Readings,
    unreadable: &impl Fn(Wrong, &str) -> Unreadable,
    events: &mut Vec<Event>,
) {
    let rows = |batch: &v1::ReadingBatch| {
        batch.loops.as_ref().map_or(0, |l| l.sensor_ids.len())
            + batch.cameras.as_ref().map_or(0, |c| c.sensor_ids.len())
    };
    let count = message.readings.len() + message.batches.iter().map(rows).sum::<usize>();
    if count > READINGS_MAX {
        let wrong = Wrong::new("", count, format!("readings are more than the {READINGS_MAX} a message may hold"));
        events.push(Event::from(unreadable(wrong, "")));
        return;
    }
    events.reserve(count);
    let mut guess = None;
    for (row, message) in message.readings.into_iter().enumerate() {
        events.push(match reading(names, &message, guess) {
            Ok(reading) => {
                guess = after(reading.sensor);
                Event::Reading(reading)
            }
            Err(wrong) => Event::from(unreadable(wrong.within(format_args!("readings[{row}]")), &message.sensor_id)),
        });
    }
    for (row, message) in message.batches.iter().enumerate() {
        batch(names, message, &mut |outcome| {
            events.push(match outcome {
                Ok(reading) => Event::Reading(reading),
                Err((wrong, source)) => Event::from(unreadable(wrong.within(format_args!("batches[{row}]")), source)),
            });
        });
    }
}

/// One reading; `guess` is the sensor it is likely from.
pub(super) fn reading(names: &Names, message: &v1::Reading, guess: Option<SensorId>) -> Result<Reading, Wrong> {
    let (id, sensor) = sensor(names, "sensor_id", &message.sensor_id, guess)?;
    let seen = match message.seen.as_ref().ok_or_else(|| Wrong::missing("loop or camera"))? {
        SeenMessage::Loop(m) => Seen::Loop { count: m.count, occupancy: m.occupancy, speed: m.speed_mps },
        SeenMessage::Camera(m) => camera(names, sensor, m).map_err(|w| w.within("camera"))?,
    };
    Ok(Reading { sensor: id, end: Time::from_ms(message.end_ms), interval: span(message.interval_ms), seen })
}

pub(super) fn span(ms: u32) -> Span {
    Span::from_ms(i64::from(ms))
}

fn sensor<'a>(
    names: &'a Names,
    field: &str,
    name: &str,
    guess: Option<SensorId>,
) -> Result<(SensorId, &'a Sensor), Wrong> {
    names.sensor(name, guess).ok_or_else(|| Wrong::new(field, name, "is no sensor"))
}

pub(super) fn camera(names: &Names, sensor: &Sensor, m: &v1::CameraReading) -> Result<Seen, Wrong> {
    let lanes = if m.lanes.is_empty() { m.vehicles.len() } else { m.lanes.len() };
    same_length("vehicles", m.vehicles.len(), lanes)?;
    same_length("queues", m.queues.len(), lanes)?;
    let view = |row: usize| {
        let index = m.lanes.get(row).copied().unwrap_or(u32::try_from(row).unwrap_or(u32::MAX));
        lane_view(names, sensor, index, m.vehicles[row], m.queues[row])
    };
    let turn =
        |(row, t): (usize, &v1::TurnCount)| turn_count(names, t).map_err(|w| w.within(format_args!("turns[{row}]")));
    Ok(Seen::Camera {
        lanes: (0..lanes).map(view).collect::<Result<_, _>>()?,
        turns: m.turns.iter().enumerate().map(turn).collect::<Result<_, _>>()?,
    })
}

fn lane_view(names: &Names, sensor: &Sensor, index: u32, vehicles: u32, queue: u32) -> Result<LaneView, Wrong> {
    let lane = names.lane("lanes", sensor.link, index)?;
    Ok(LaneView { lane, vehicles: small("vehicles", vehicles)?, queue: small("queues", queue)? })
}

fn turn_count(names: &Names, message: &v1::TurnCount) -> Result<TurnCount, Wrong> {
    let to = names.link("to_link_id", &message.to_link_id)?;
    Ok(TurnCount { to, class: class(message.vehicle_class)?, count: small("count", message.count)? })
}

fn class(value: i32) -> Result<VehicleClass, Wrong> {
    use v1::VehicleClass as M;
    Ok(match M::try_from(value) {
        Ok(M::Car) => VehicleClass::Car,
        Ok(M::Truck) => VehicleClass::Truck,
        Ok(M::Bus) => VehicleClass::Bus,
        Ok(M::Tram) => VehicleClass::Tram,
        Ok(M::Bicycle) => VehicleClass::Bicycle,
        Ok(M::Emergency) => VehicleClass::Emergency,
        Ok(M::Unspecified) | Err(_) => return Err(Wrong::new("vehicle_class", value, "is no vehicle class")),
    })
}

fn small(field: &str, value: u32) -> Result<u16, Wrong> {
    u16::try_from(value).map_err(|_| Wrong::new(field, value, "is not within 0 to 65535"))
}

fn same_length(field: &str, found: usize, rows: usize) -> Result<(), Wrong> {
    if found == rows { Ok(()) } else { Err(Wrong::new(field, found, format!("entries stand beside {rows} rows"))) }
}

/// What came of one row, or, where the columns do not fit together, of all: its source beside what is wrong.
pub(super) type Row<'a> = Result<Reading, (Wrong, &'a str)>;

/// Every row of a batch in order, loops first. Columns that do not fit together are one fault.
pub(super) fn batch<'a>(names: &Names, message: &'a v1::ReadingBatch, each: &mut impl FnMut(Row<'a>)) {
    let (end, interval) = (Time::from_ms(message.end_ms), span(message.interval_ms));
    if let Some(columns) = &message.loops {
        loops(names, columns, end, interval, each);
    }
    if let Some(columns) = &message.cameras {
        cameras(names, columns, end, interval, each);
    }
}

fn loops<'a>(names: &Names, columns: &'a v1::LoopColumns, end: Time, interval: Span, each: &mut impl FnMut(Row<'a>)) {
    let rows = columns.sensor_ids.len();
    let fit = same_length("counts", columns.counts.len(), rows)
        .and_then(|()| same_length("occupancies", columns.occupancies.len(), rows))
        .and_then(|()| match columns.speeds_mps.len() {
            0 => Ok(()),
            found => same_length("speeds_mps", found, rows),
        });
    if let Err(wrong) = fit {
        return each(Err((wrong.within("loops"), "")));
    }
    let mut guess = None;
    for (row, name) in columns.sensor_ids.iter().enumerate() {
        each(match names.sensor(name, guess) {
            Some((id, _)) => {
                guess = after(id);
                let speed = columns.speeds_mps.get(row).copied().filter(|&speed| speed != NO_SPEED);
                let seen = Seen::Loop { count: columns.counts[row], occupancy: columns.occupancies[row], speed };
                Ok(Reading { sensor: id, end, interval, seen })
            }
            None => Err((Wrong::new(&format!("loops.sensor_ids[{row}]"), name, "is no sensor"), name)),
        });
    }
}

/// In a column of speeds: the loop cannot tell.
pub(super) const NO_SPEED: f32 = -1.0;

pub(super) fn cameras<'a>(
    names: &Names,
    columns: &'a v1::CameraColumns,
    end: Time,
    interval: Span,
    each: &mut impl FnMut(Row<'a>),
) {
    let rows = columns.sensor_ids.len();
    let lanes = columns.lane_counts.iter().map(|&count| u64::from(count)).sum::<u64>();
    let lanes = usize::try_from(lanes).unwrap_or(usize::MAX);
    let fit = same_length("lane_counts", columns.lane_counts.len(), rows)
        .and_then(|()| same_length("vehicles", columns.vehicles.len(), lanes))
        .and_then(|()| same_length("queues", columns.queues.len(), lanes));
    if let Err(wrong) = fit {
        return each(Err((wrong.within("cameras"), "")));
    }
    let (mut guess, mut first) = (None, 0);
    for (row, name) in columns.sensor_ids.iter().enumerate() {
        let lanes = columns.lane_counts[row];
        let view = |sensor: &Sensor| {
            (0..lanes)
                .zip(columns.vehicles[first..].iter().zip(&columns.queues[first..]))
                .map(|(lane, (&vehicles, &queue))| lane_view(names, sensor, lane, vehicles, queue))
                .collect::<Result<Box<[_]>, _>>()
        };
        let read = sensor(names, "sensor_ids", name, guess).and_then(|(id, sensor)| {
            guess = after(id);
            Ok(Reading { sensor: id, end, interval, seen: Seen::Camera { lanes: view(sensor)?, turns: [].into() } })
        });
        each(read.map_err(|wrong| (wrong.within(format_args!("cameras[{row}]")), name.as_str())));
        first += lanes as usize;
    }
}

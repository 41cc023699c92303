//! Consecutive readings of one interval as one batch, and back: the order of events is kept.

use std::ops::ControlFlow;

use crate::event::{Event, Reading, Seen};
use crate::ids::Id;
use crate::wire::read::NO_SPEED;
use crate::wire::v1::{self, log_event};
use crate::wire::{Names, Wrong, read, read_control, write};

/// No batch of a log is longer; a longer run becomes several.
const RUN_MAX: usize = 4096;

/// The messages that tell `events`, runs of readings put together.
pub(super) fn pack(names: &Names, events: &[Event]) -> Vec<v1::LogEvent> {
    let mut packed = Vec::new();
    let mut rest = events;
    while let [first, ..] = rest {
        let run = rest.iter().take(RUN_MAX).take_while(|event| alike(names, first, event)).count();
        let (now, later) = rest.split_at(run.max(1));
        packed.push(if run > 1 { batch(names, now) } else { write::event(names, first) });
        rest = later;
    }
    packed
}

/// Whether both are readings that one batch can hold beside each other.
fn alike(names: &Names, first: &Event, event: &Event) -> bool {
    let (Event::Reading(a), Event::Reading(b)) = (first, event) else { return false };
    let same_kind = matches!((&a.seen, &b.seen), (Seen::Loop { .. }, Seen::Loop { .. }))
        || matches!((&a.seen, &b.seen), (Seen::Camera { .. }, Seen::Camera { .. }));
    same_kind && (a.end, a.interval) == (b.end, b.interval) && plain(names, a) && plain(names, b)
}

/// Whether the columns of a batch can say all that a reading says.
fn plain(names: &Names, reading: &Reading) -> bool {
    match &reading.seen {
        Seen::Loop { speed, .. } => !speed.is_some_and(|speed| speed.to_bits() == NO_SPEED.to_bits()),
        Seen::Camera { lanes, turns } => {
            let link = names.sensors().table().get(reading.sensor).map(|s| s.link);
            let first = link.map_or(0, |link| names.network().link(link).lanes.start.index());
            turns.is_empty() && lanes.iter().enumerate().all(|(i, view)| view.lane.index() == first + i)
        }
    }
}

fn batch(names: &Names, run: &[Event]) -> v1::LogEvent {
    let mut message = v1::ReadingBatch::default();
    let mut told = false;
    for event in run {
        let Event::Reading(reading) = event else { continue };
        (message.end_ms, message.interval_ms) = (reading.end.ms(), write::interval_ms(reading.interval));
        let name = names.sensor_name(reading.sensor);
        match &reading.seen {
            &Seen::Loop { count, occupancy, speed } => {
                let columns = message.loops.get_or_insert_default();
                columns.sensor_ids.push(name);
                columns.counts.push(count);
                columns.occupancies.push(occupancy);
                columns.speeds_mps.push(speed.unwrap_or(NO_SPEED));
                told |= speed.is_some();
            }
            Seen::Camera { lanes, .. } => {
                let columns = message.cameras.get_or_insert_default();
                columns.sensor_ids.push(name);
                columns.lane_counts.push(u32::try_from(lanes.len()).unwrap_or(u32::MAX));
                columns.vehicles.extend(lanes.iter().map(|view| u32::from(view.vehicles)));
                columns.queues.extend(lanes.iter().map(|view| u32::from(view.queue)));
            }
        }
    }
    if let Some(columns) = message.loops.as_mut().filter(|_| !told) {
        columns.speeds_mps.clear();
    }
    v1::LogEvent { event: Some(log_event::Event::Batch(message)) }
}

/// The events that a message of a log tells, appended to `events`.
pub(super) fn unpack(names: &Names, message: v1::LogEvent, events: &mut Vec<Event>) -> Result<(), Wrong> {
    use log_event::Event as M;
    events.push(match message.event.ok_or_else(|| Wrong::missing("event"))? {
        M::Batch(m) => {
            let mut outcome = ControlFlow::Continue(());
            read::batch(names, &m, &mut |row| match row {
                Ok(reading) => events.push(Event::Reading(reading)),
                Err((wrong, _)) => outcome = ControlFlow::Break(wrong.within("batch")),
            });
            return outcome.break_value().map_or(Ok(()), Err);
        }
        M::Reading(m) => Event::Reading(read::reading(names, &m, None).map_err(|w| w.within("reading"))?),
        M::Unreadable(m) => Event::from(crate::event::Unreadable {
            at: crate::time::Time::from_ms(m.at_ms),
            source: m.source.into(),
            field: m.field.into(),
            value: m.value.into(),
            reason: m.reason.into(),
        }),
        M::Status(m) => Event::from(read_control::status(names, m).map_err(|w| w.within("status"))?),
        M::Call(m) => Event::PedestrianCall(read_control::call(names, m).map_err(|w| w.within("call"))?),
        M::Command(m) => Event::from(read_control::command(names, m).map_err(|w| w.within("command"))?),
        M::Request(m) => Event::from(read_control::request(names, m).map_err(|w| w.within("request"))?),
        M::Position(m) => Event::Position(read_control::position(m).map_err(|w| w.within("position"))?),
    });
    Ok(())
}

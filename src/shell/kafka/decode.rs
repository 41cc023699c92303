//! One message of an input topic as events, and the instant it is about.

use serde::de::DeserializeOwned;

use super::framing::{Body, unframe};
use super::topics::Topic;
use crate::event::Event;
use crate::time::Time;
use crate::wire::{self, Names, Wrong, json, v1};

/// What a message holds is appended to `events`; what of it cannot be read is an event as well. Returns the
/// instant that most of it is about, whatever single sensors' clocks say; none where nothing of it could be read.
pub(super) fn decode(
    topic: Topic,
    names: &Names,
    value: &[u8],
    content_type: Option<&str>,
    source: &str,
    events: &mut Vec<Event>,
) -> Option<Time> {
    let first = events.len();
    if let Err(wrong) = unframe(value, content_type).and_then(|body| message(topic, names, body, events)) {
        events.push(Event::Unreadable(wrong.unreadable(source, Time::EPOCH)));
    }
    let told = events[first..].iter().filter(|event| !matches!(event, Event::Unreadable(_)));
    let mut told: Vec<Time> = told.map(Event::at).collect();
    let middle = told.len() / 2;
    (!told.is_empty()).then(|| *told.select_nth_unstable(middle).1)
}

fn message(topic: Topic, names: &Names, body: Body<'_>, events: &mut Vec<Event>) -> Result<(), Wrong> {
    match topic {
        Topic::Readings => wire::readings(names, parse(body)?, Time::EPOCH, events),
        Topic::Positions => events.push(Event::Position(wire::position(parse(body)?)?)),
        Topic::Requests => events.push(Event::Priority(wire::request(names, parse(body)?)?)),
        Topic::Commands => events.push(Event::Command(wire::command(names, parse(body)?)?)),
        _ => {
            let report: v1::SignalReport = parse(body)?;
            for (row, m) in report.status.into_iter().enumerate() {
                let source = m.junction_id.clone();
                let read = wire::status(names, m).map(Event::Status);
                events.push(read.unwrap_or_else(|wrong| unreadable(wrong, "status", row, &source)));
            }
            for (row, m) in report.calls.into_iter().enumerate() {
                let source = m.junction_id.clone();
                let read = wire::call(names, m).map(Event::PedestrianCall);
                events.push(read.unwrap_or_else(|wrong| unreadable(wrong, "calls", row, &source)));
            }
        }
    }
    Ok(())
}

fn unreadable(wrong: Wrong, field: &str, row: usize, source: &str) -> Event {
    Event::Unreadable(wrong.within(format_args!("{field}[{row}]")).unreadable(source, Time::EPOCH))
}

fn parse<M: wire::Message + Default + DeserializeOwned>(body: Body<'_>) -> Result<M, Wrong> {
    match body {
        Body::Protobuf(bytes) => wire::read(bytes),
        Body::Json(text) => json::parse(text),
    }
}

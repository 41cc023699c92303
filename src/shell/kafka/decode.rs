//! One message of an input topic as events, and the instant it is about.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use super::framing::{Body, unframe};
use super::rim::Rim;
use super::topics::Topic;
use crate::event::{Event, Unreadable};
use crate::time::Time;
use crate::wire::{self, Heard, Names, Wrong, json, v1};

/// One message as it came.
#[derive(Debug)]
pub(super) struct Raw<'a> {
    pub(super) topic: Topic,
    pub(super) key: &'a [u8],
    /// Its value without its frame.
    pub(super) body: Result<Body<'a>, Wrong>,
    /// When the broker got it.
    pub(super) at: Time,
}

/// What is wrong with a message that can be read and tells nothing: it is another kind's.
const SILENT: Wrong =
    Wrong { field: String::new(), value: String::new(), foreign: false, reason: Cow::Borrowed("tells nothing") };

/// What a value is as it stands, where it is readings in protobuf.
fn readings(topic: Topic, value: &[u8]) -> Option<&[u8]> {
    match unframe(value, None) {
        Ok(Body::Protobuf(bytes)) if topic == Topic::Readings => Some(bytes),
        _ => None,
    }
}

/// The instant that a message seems to be about, before it is read.
pub(super) fn seems(topic: Topic, value: &[u8]) -> Option<Time> {
    wire::seems(readings(topic, value)?)
}

/// The same as [`decode`] of a value that, as it stands, is readings as they are usually written: what its headers say, which
/// takes as long to find out as all the rest, is not asked. None, and `events` as it was, where it is anything else.
pub(super) fn usual(
    names: &Names,
    topic: Topic,
    value: &[u8],
    heard: &mut Heard,
    events: &mut Vec<Event>,
) -> Option<Told> {
    let first = events.len();
    wire::stream(names, readings(topic, value)?, heard, events)?;
    (events.len() > first).then(|| told(&events[first..]))
}

/// What a message told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// The instant that most of it is about, whatever single sensors' clocks say; none where nothing of it could be read.
    pub(super) time: Option<Time>,
    /// So much of it could not be read.
    pub(super) unreadable: usize,
}

/// What a message holds is appended to `events`, `heard` being what the reader has heard before; what of it cannot be read
/// is an event as well.
pub(super) fn decode(names: &Names, rim: &Rim, raw: Raw<'_>, heard: &mut Heard, events: &mut Vec<Event>) -> Told {
    let first = events.len();
    let unreadable = |wrong: Wrong, source: &str| rim.unreadable(names, wrong, source, raw.at);
    let wrong = match raw.body.and_then(|body| message(names, rim, raw.topic, body, heard, &unreadable, events)) {
        Ok(()) => (events.len() == first).then_some(SILENT),
        Err(wrong) => Some(wrong),
    };
    if let Some(wrong) = wrong {
        events.push(Event::from(unreadable(wrong, &String::from_utf8_lossy(raw.key))));
    }
    told(&events[first..])
}

/// What these events tell; mostly all are readings of one instant.
fn told(events: &[Event]) -> Told {
    if let [Event::Reading(first), others @ ..] = events
        && others.iter().all(|event| matches!(event, Event::Reading(reading) if reading.end == first.end))
    {
        return Told { time: Some(first.end), unreadable: 0 };
    }
    let readable = events.iter().filter(|event| !matches!(event, Event::Unreadable(_)));
    let mut instants: Vec<Time> = readable.map(Event::at).collect();
    let (middle, unreadable) = (instants.len() / 2, events.len() - instants.len());
    let time = (!instants.is_empty()).then(|| *instants.select_nth_unstable(middle).1);
    Told { time, unreadable }
}

fn message(
    names: &Names,
    rim: &Rim,
    topic: Topic,
    body: Body<'_>,
    heard: &mut Heard,
    unreadable: &impl Fn(Wrong, &str) -> Unreadable,
    events: &mut Vec<Event>,
) -> Result<(), Wrong> {
    match topic {
        Topic::Readings => match body {
            Body::Protobuf(bytes) => wire::readings_of(names, bytes, heard, unreadable, events)?,
            Body::Json(text) => wire::readings(names, json::parse(text)?, unreadable, events),
        },
        Topic::Positions => rim.position(wire::position(parse(body)?)?, events),
        Topic::Requests => events.push(Event::from(rim.request(wire::request(names, parse(body)?)?))),
        Topic::Commands => events.push(Event::from(rim.command(wire::command(names, parse(body)?)?))),
        _ => {
            let mut add = |field: &str, row: usize, source: &str, read: Result<Event, Wrong>| {
                let refused = |wrong: Wrong| unreadable(wrong.within(format_args!("{field}[{row}]")), source);
                events.push(read.unwrap_or_else(|wrong| Event::from(refused(wrong))));
            };
            let report: v1::SignalReport = parse(body)?;
            for (row, m) in report.status.into_iter().enumerate() {
                let source = m.junction_id.clone();
                add("status", row, &source, wire::status(names, m).map(Event::from));
            }
            for (row, m) in report.calls.into_iter().enumerate() {
                let source = m.junction_id.clone();
                add("calls", row, &source, wire::call(names, m).map(Event::PedestrianCall));
            }
        }
    }
    Ok(())
}

fn parse<M: wire::Message + Default + DeserializeOwned>(body: Body<'_>) -> Result<M, Wrong> {
    match body {
        Body::Protobuf(bytes) => wire::read(bytes),
        Body::Json(text) => json::parse(text),
    }
}

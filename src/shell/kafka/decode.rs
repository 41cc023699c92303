//! One message of an input topic as events, and the instant it is about.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use super::framing::{Body, unframe};
use super::rim::Rim;
use super::topics::Topic;
use crate::event::{Event, Unreadable};
use crate::ids::SensorId;
use crate::time::Time;
use crate::wire::{self, Names, Wrong, json, v1};

/// One message as it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raw<'a> {
    pub(super) topic: Topic,
    pub(super) key: &'a [u8],
    pub(super) content_type: Option<&'a str>,
    pub(super) value: &'a [u8],
    /// When the broker got it.
    pub(super) at: Time,
}

/// What is wrong with a message that can be read and tells nothing: it is another kind's.
const SILENT: Wrong =
    Wrong { field: String::new(), value: String::new(), foreign: false, reason: Cow::Borrowed("tells nothing") };

/// What a message holds is appended to `events`, its first reading likely from sensor `guess`; what of it cannot be read is an event as well. Returns the
/// instant that most of it is about, whatever single sensors' clocks say; none where nothing of it could be read.
pub(super) fn decode(
    names: &Names,
    rim: &Rim,
    raw: Raw<'_>,
    guess: &mut Option<SensorId>,
    events: &mut Vec<Event>,
) -> Option<Time> {
    let first = events.len();
    let unreadable = |wrong: Wrong, source: &str| rim.unreadable(names, wrong, source, raw.at);
    let body = unframe(raw.value, raw.content_type);
    let wrong = match body.and_then(|body| message(names, rim, raw.topic, body, guess, &unreadable, events)) {
        Ok(()) => (events.len() == first).then_some(SILENT),
        Err(wrong) => Some(wrong),
    };
    if let Some(wrong) = wrong {
        events.push(Event::from(unreadable(wrong, &String::from_utf8_lossy(raw.key))));
    }
    middle(&events[first..])
}

/// The instant that most of what was told is about; mostly there is one only.
fn middle(events: &[Event]) -> Option<Time> {
    let mut told = events.iter().filter(|event| !matches!(event, Event::Unreadable(_))).map(Event::at);
    let (first, others) = (told.next()?, told.clone());
    if told.all(|at| at == first) {
        return Some(first);
    }
    let mut all: Vec<Time> = std::iter::once(first).chain(others).collect();
    let middle = all.len() / 2;
    Some(*all.select_nth_unstable(middle).1)
}

fn message(
    names: &Names,
    rim: &Rim,
    topic: Topic,
    body: Body<'_>,
    guess: &mut Option<SensorId>,
    unreadable: &impl Fn(Wrong, &str) -> Unreadable,
    events: &mut Vec<Event>,
) -> Result<(), Wrong> {
    match topic {
        Topic::Readings => match body {
            Body::Protobuf(bytes) => wire::readings_of(names, bytes, guess, unreadable, events)?,
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

//! Plays readings and controllers' reports into the topics: a control centre without a street.

use std::time::Duration;

use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::RDKafkaErrorCode as Code;

use super::client::{self, Reports, failed};
use super::route::{junction_zone, link_zone};
use super::settings::Settings;
use super::topics::Topic;
use crate::event::Event;
use crate::shell::cli::Failure;
use crate::time::Span;
use crate::wire::v1::log_event::Event as M;
use crate::wire::{self, Message, Names, v1};

/// The longest wait until all is delivered.
const DELIVERY: Duration = Duration::from_secs(60);

/// Writes events as their sources would.
#[expect(missing_debug_implementations, reason = "a producer has none")]
pub struct Feeder {
    settings: Settings,
    names: Names,
    producer: BaseProducer<Reports>,
    /// Messages written.
    pub messages: u64,
    /// Readings in them.
    pub readings: u64,
}

impl Feeder {
    /// Writes to the topics of `settings`.
    ///
    /// # Errors
    /// When there can be no producer.
    pub fn new(settings: &Settings, names: Names) -> Result<Self, Failure> {
        let mut config = client::writer(settings)?;
        config.set("linger.ms", "5");
        let producer = config.create_with_context(Reports::default()).map_err(failed("a producer"))?;
        Ok(Self { settings: settings.clone(), names, producer, messages: 0, readings: 0 })
    }

    /// Writes what happened: the readings of a zone and an instant in one message, everything else one by one.
    ///
    /// # Errors
    /// When the broker does not take it.
    pub fn write(&mut self, events: &[Event]) -> Result<(), Failure> {
        let zones = self.names.network().partitions().len();
        let mut readings = vec![v1::Readings::default(); zones];
        for event in events {
            let Some(message) = wire::event(&self.names, event).event else { continue };
            match (event, message) {
                (Event::Reading(e), M::Reading(m)) => {
                    let Some(sensor) = self.names.sensors().table().get(e.sensor) else { continue };
                    readings[link_zone(&self.names, sensor.link)].readings.push(m);
                }
                (Event::Status(e), M::Status(m)) => {
                    let (key, zone) = (m.junction_id.clone(), junction_zone(&self.names, e.junction));
                    self.send(Topic::Status, zone, &key, &v1::SignalReport { status: vec![m], calls: Vec::new() })?;
                }
                (Event::PedestrianCall(e), M::Call(m)) => {
                    let (key, zone) = (m.junction_id.clone(), junction_zone(&self.names, e.junction));
                    self.send(Topic::Status, zone, &key, &v1::SignalReport { status: Vec::new(), calls: vec![m] })?;
                }
                (Event::Command(e), M::Command(m)) => self.send(Topic::Commands, 0, &e.id, &m)?,
                (Event::Priority(e), M::Request(m)) => {
                    self.send(Topic::Requests, link_zone(&self.names, e.from), &e.id, &m)?
                }
                (Event::Position(e), M::Position(m)) => self.send(Topic::Positions, 0, &e.vehicle, &m)?,
                _ => {} // what could not be read once is not said again
            }
        }
        for (zone, message) in readings.into_iter().enumerate() {
            if let Some(first) = message.readings.first() {
                self.readings += message.readings.len() as u64;
                let key = first.sensor_id.clone();
                self.send(Topic::Readings, zone, &key, &message)?;
            }
        }
        self.producer.poll(Duration::ZERO);
        Ok(())
    }

    /// Waits until all is delivered.
    ///
    /// # Errors
    /// When it is not.
    pub fn finish(&self) -> Result<(), Failure> {
        self.producer.flush(DELIVERY).map_err(failed("delivering"))?;
        match self.producer.context().lost() {
            true => Err(failed("delivering")(KafkaError::Flush(Code::MessageTimedOut))),
            false => Ok(()),
        }
    }

    fn send(&mut self, topic: Topic, zone: usize, key: &str, message: &impl Message) -> Result<(), Failure> {
        let (name, value) = (topic.full(&self.settings), message.encode_to_vec());
        let header = Header { key: "content-type", value: Some("application/x-protobuf") };
        let mut row = BaseRecord::to(&name)
            .partition(i32::try_from(zone).unwrap_or(0))
            .key(key)
            .payload(&value)
            .headers(OwnedHeaders::new_with_capacity(1).insert(header));
        loop {
            row = match self.producer.send(row) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(Code::QueueFull), row)) => {
                    self.producer.poll(Duration::from_millis(10));
                    row
                }
                Err((error, _)) => return Err(failed(format!("writing to {name}"))(error)),
            }
        }
        self.messages += 1;
        Ok(())
    }
}

/// When what is to be played `since_first` after the first is due, at `times` life's pace.
pub fn due(since_first: Span, times: f64) -> Span {
    Span::nearest(since_first.s() / times)
}

//! What a tick says as records: topic, partition, key and value; and where a rejected message was found.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::backlog::{Found, Share};
use super::topics::Topic;
use crate::event::Event;
use crate::ids::{JunctionId, LinkId, SensorId};
use crate::network::Partition;
use crate::output::{Output, Subject};
use crate::time::Time;
use crate::wire::v1::output::Output as M;
use crate::wire::{self, Message, Names, v1};

/// One record to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) topic: Topic,
    pub(super) partition: i32,
    pub(super) key: String,
    pub(super) value: Vec<u8>,
}

/// The table of inputs: which partition of which topic each source is.
pub(super) type Inputs = Vec<(Topic, i32)>;

/// What a tick says, in order.
pub(super) fn records(
    names: &Names,
    provenance: &v1::Provenance,
    inputs: &Inputs,
    share: &Share,
    outputs: &[Output],
) -> Vec<Record> {
    let mut origins = Origins::new(inputs, share);
    outputs.iter().filter_map(|output| record(names, provenance, &mut origins, output)).collect()
}

fn record(names: &Names, provenance: &v1::Provenance, origins: &mut Origins<'_>, output: &Output) -> Option<Record> {
    let network = names.network();
    let of_junction = |id: JunctionId| zone(network.partitions(), |p| p.junctions.contains(&id));
    let of_link = |id: LinkId| zone(network.partitions(), |p| p.links.contains(&id));
    let of_sensor = |id: SensorId| of_link(names.sensors().table()[id].link);
    let partition = match output {
        Output::Plan(plan) => of_junction(plan.plan.draft().junction),
        Output::Refused(refused) => of_junction(refused.junction),
        Output::Rung(change) => of_junction(change.junction),
        Output::Alarm(alarm) => of_junction(alarm.junction),
        Output::Health(change) => of_sensor(change.sensor),
        Output::Rejected(rejected) => of_sensor(rejected.sensor),
        Output::Index(report) => match report.subject {
            Subject::Link(link) => of_link(link),
            Subject::Zone(_) => 0,
        },
        Output::Unreadable(_) | Output::Command(_) | Output::Corridor(_) => 0,
    };
    let (topic, key, value) = match wire::output(names, output).output? {
        M::Plan(mut m) => {
            m.provenance = Some(provenance.clone());
            (Topic::Plans, m.junction_id.clone(), m.encode_to_vec())
        }
        M::PlanRefused(m) => (Topic::Refused, m.junction_id.clone(), m.encode_to_vec()),
        M::Rejection(mut m) => {
            m.origin = match output {
                Output::Rejected(rejected) => origins.reading(rejected.sensor, rejected.end),
                _ => origins.unreadable(),
            };
            (Topic::Rejected, m.source.clone(), m.encode_to_vec())
        }
        M::Index(m) => match m.subject.clone()? {
            v1::index_report::Subject::LinkId(link) => (Topic::Links, link, m.encode_to_vec()),
            v1::index_report::Subject::ZoneId(zone) => (Topic::Zones, zone, m.encode_to_vec()),
        },
        M::LadderChange(m) => (Topic::Ladder, m.junction_id.clone(), m.encode_to_vec()),
        M::SensorHealth(m) => (Topic::Health, m.sensor_id.clone(), m.encode_to_vec()),
        M::CommandOutcome(m) => (Topic::Audit, m.command_id.clone(), m.encode_to_vec()),
        M::Corridor(m) => (Topic::Corridors, m.request_id.clone(), m.encode_to_vec()),
        M::Alarm(m) => (Topic::Alarms, m.junction_id.clone(), m.encode_to_vec()),
    };
    Some(Record { topic, partition, key, value })
}

fn zone(partitions: &[Partition], holds: impl Fn(&Partition) -> bool) -> i32 {
    partitions.iter().position(holds).and_then(|at| i32::try_from(at).ok()).unwrap_or(0)
}

/// SHA-256 over records, as `EngineTick` defines it.
pub(super) fn digest(records: &[Record]) -> Vec<u8> {
    let mut sha = Sha256::new();
    for record in records {
        for part in [record.topic.name().as_bytes(), record.key.as_bytes(), &record.value] {
            sha.update((part.len() as u64).to_le_bytes());
            sha.update(part);
        }
    }
    sha.finalize().to_vec()
}

/// Where what is rejected was found, in the order in which the engine rejects.
struct Origins<'a> {
    inputs: &'a Inputs,
    share: &'a Share,
    /// Messages that cannot be read, last first.
    unreadable: Option<Vec<usize>>,
    /// Readings by their key, last first.
    readings: Option<BTreeMap<(SensorId, Time), Vec<usize>>>,
}

impl<'a> Origins<'a> {
    fn new(inputs: &'a Inputs, share: &'a Share) -> Self {
        Self { inputs, share, unreadable: None, readings: None }
    }

    fn unreadable(&mut self) -> Option<v1::Origin> {
        let events = &self.share.events;
        let rows = self.unreadable.get_or_insert_with(|| {
            (0..events.len()).rev().filter(|&row| matches!(events[row], Event::Unreadable(_))).collect()
        });
        let row = rows.pop()?;
        self.origin(row)
    }

    /// Of several readings with one key the later ones are rejected.
    fn reading(&mut self, sensor: SensorId, end: Time) -> Option<v1::Origin> {
        let events = &self.share.events;
        let readings = self.readings.get_or_insert_with(|| {
            let mut readings: BTreeMap<_, Vec<usize>> = BTreeMap::new();
            for (row, event) in events.iter().enumerate().rev() {
                if let Event::Reading(reading) = event {
                    readings.entry((reading.sensor, reading.end)).or_default().push(row);
                }
            }
            readings
        });
        let rows = readings.get_mut(&(sensor, end)).filter(|rows| !rows.is_empty())?;
        let row = rows.remove(0);
        self.origin(row)
    }

    fn origin(&self, row: usize) -> Option<v1::Origin> {
        let found: &Found = self.share.found.get(self.share.found.partition_point(|f| f.events_end <= row))?;
        let &(topic, partition) = self.inputs.get(found.source)?;
        Some(v1::Origin {
            topic: topic.name().to_owned(),
            partition,
            offset: found.offset,
            value_sha256: Sha256::digest(found.value()).to_vec(),
        })
    }
}

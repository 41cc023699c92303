//! What a tick says as records: topic, partition, key and value; and where a rejected message was found.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::backlog::Share;
use super::topics::Topic;
use crate::ids::{JunctionId, LinkId, SensorId};
use crate::network::Partition;
use crate::output::{Output, Subject};
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
    let mut origins = Origins { inputs, share, told: BTreeMap::new() };
    outputs.iter().filter_map(|output| record(names, provenance, &mut origins, output)).collect()
}

fn record(names: &Names, provenance: &v1::Provenance, origins: &mut Origins<'_>, output: &Output) -> Option<Record> {
    let of_junction = |id| junction_zone(names, id);
    let of_link = |id| link_zone(names, id);
    let of_sensor = |id: SensorId| of_link(names.sensors().table()[id].link);
    let zone = match output {
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
        Output::Rejections(found) => zone(names, |partition| partition.zone == found.zone),
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
                Output::Rejected(rejected) => origins.of(rejected.event),
                Output::Unreadable(unread) => origins.of(unread.event),
                _ => None,
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
        M::Alarm(m) => {
            let key = match &m.kind {
                Some(v1::alarm::Kind::Rejections(rejections)) => rejections.zone_id.clone(),
                _ => m.junction_id.clone(),
            };
            (Topic::Alarms, key, m.encode_to_vec())
        }
    };
    Some(Record { topic, partition: i32::try_from(zone).unwrap_or(0), key, value })
}

/// The partitioned zone of a junction.
pub(super) fn junction_zone(names: &Names, id: JunctionId) -> usize {
    zone(names, |partition| partition.junctions.contains(&id))
}

/// The partitioned zone of a link.
pub(super) fn link_zone(names: &Names, id: LinkId) -> usize {
    zone(names, |partition| partition.links.contains(&id))
}

fn zone(names: &Names, holds: impl Fn(&Partition) -> bool) -> usize {
    names.network().partitions().iter().position(holds).unwrap_or(0)
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

/// Where what is rejected was found; of each message once, as much of one may be rejected.
struct Origins<'a> {
    inputs: &'a Inputs,
    share: &'a Share,
    told: BTreeMap<usize, v1::Origin>,
}

impl Origins<'_> {
    /// Of the message that told the tick's `event`th event.
    fn of(&mut self, event: usize) -> Option<v1::Origin> {
        let message = self.share.found.partition_point(|found| found.events_end <= event);
        if let Some(origin) = self.told.get(&message) {
            return Some(origin.clone());
        }
        let found = self.share.found.get(message)?;
        let &(topic, partition) = self.inputs.get(found.source)?;
        let value_sha256 = Sha256::digest(self.share.value(found)).to_vec();
        let origin = v1::Origin { topic: topic.name().to_owned(), partition, offset: found.offset, value_sha256 };
        self.told.insert(message, origin.clone());
        Some(origin)
    }
}

//! The topics: made by `topics create`, looked at before every run.

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::metadata::MetadataPartition;
use rdkafka::types::RDKafkaErrorCode;

use super::client::{self, MESSAGE_BYTES, SETUP, failed};
use super::settings::Settings;
use crate::shell::cli::Failure;
use crate::shell::clock::{self, Stopwatch};
use crate::time::Span;

/// A topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
#[expect(missing_docs, reason = "proto/README.md says what each holds")]
pub enum Topic {
    Readings,
    Status,
    Positions,
    Requests,
    Commands,
    Plans,
    Links,
    Zones,
    Health,
    Rejected,
    Ladder,
    Corridors,
    Alarms,
    Audit,
    Refused,
    Ticks,
    Snapshots,
    Questions,
    Answers,
}

/// How long a topic's messages are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// For so many days.
    Days(u32),
    /// The last one of each key.
    Compacted,
    /// As long as anybody waits for it.
    Briefly,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::Readings,
        Self::Status,
        Self::Positions,
        Self::Requests,
        Self::Commands,
        Self::Plans,
        Self::Links,
        Self::Zones,
        Self::Health,
        Self::Rejected,
        Self::Ladder,
        Self::Corridors,
        Self::Alarms,
        Self::Audit,
        Self::Refused,
        Self::Ticks,
        Self::Snapshots,
        Self::Questions,
        Self::Answers,
    ];
    /// What comes in.
    pub const INPUTS: [Self; 5] = [Self::Readings, Self::Status, Self::Positions, Self::Requests, Self::Commands];

    /// Its name, without the prefix.
    pub fn name(self) -> &'static str {
        match self {
            Self::Readings => "sensors.readings",
            Self::Status => "signals.status",
            Self::Positions => "vehicles.positions",
            Self::Requests => "priority.requests",
            Self::Commands => "operator.commands",
            Self::Plans => "signals.plans",
            Self::Links => "index.links",
            Self::Zones => "index.zones",
            Self::Health => "sensors.health",
            Self::Rejected => "sensors.rejected",
            Self::Ladder => "signals.ladder",
            Self::Corridors => "corridors",
            Self::Alarms => "alarms",
            Self::Audit => "audit",
            Self::Refused => "plans.refused",
            Self::Ticks => "engine.ticks",
            Self::Snapshots => "engine.snapshots",
            Self::Questions => "engine.questions",
            Self::Answers => "engine.answers",
        }
    }

    /// Whether it has a partition a zone; one otherwise.
    pub fn per_zone(self) -> bool {
        !matches!(
            self,
            Self::Zones
                | Self::Audit
                | Self::Commands
                | Self::Corridors
                | Self::Ticks
                | Self::Snapshots
                | Self::Answers
        )
    }

    /// How long its messages are kept.
    pub fn kept(self) -> Kept {
        match self {
            Self::Plans | Self::Health | Self::Ladder | Self::Snapshots => Kept::Compacted,
            Self::Questions | Self::Answers => Kept::Briefly,
            Self::Commands | Self::Requests | Self::Corridors | Self::Audit | Self::Alarms => Kept::Days(90),
            _ => Kept::Days(7),
        }
    }

    /// Its name at the broker.
    pub fn full(self, settings: &Settings) -> String {
        format!("{}{}", settings.prefix, self.name())
    }
}

/// A broker knows of a topic that it has made after so long, or something is wrong.
const KNOWN: Span = Span::from_s(20);

/// Creates what is missing, each with one partition a zone; says which.
///
/// # Errors
/// When the broker does not answer or refuses.
pub fn create(settings: &Settings, zones: usize) -> Result<Vec<Topic>, Failure> {
    // Whoever does not get in hears why as a reader; an admin client only hears nothing.
    client::metadata(&client::consumer(settings)?, None)?;
    let admin: AdminClient<DefaultClientContext> =
        client::common(settings)?.create().map_err(failed("an admin client"))?;
    let names: Vec<String> = Topic::ALL.iter().map(|topic| topic.full(settings)).collect();
    let retention: Vec<String> = Topic::ALL.iter().map(|topic| topic.retention_ms()).collect();
    let longest = MESSAGE_BYTES.to_string();
    let copies = settings.replication.map_or(-1, i32::from);
    let wanted: Vec<NewTopic<'_>> = Topic::ALL
        .iter()
        .zip(names.iter().zip(&retention))
        .map(|(topic, (name, retention))| {
            let partitions = if topic.per_zone() { i32::try_from(zones.max(1)).unwrap_or(i32::MAX) } else { 1 };
            let new = NewTopic::new(name, partitions, TopicReplication::Fixed(copies))
                .set("max.message.bytes", &longest)
                // The broker's clock: what a sensor with a bad one sends is neither kept for ever nor thrown away.
                .set("message.timestamp.type", "LogAppendTime");
            match topic.kept() {
                // They are large, and only the last one is of use.
                Kept::Compacted if *topic == Topic::Snapshots => new
                    .set("cleanup.policy", "compact")
                    .set("segment.ms", "600000")
                    .set("max.compaction.lag.ms", "600000")
                    .set("min.cleanable.dirty.ratio", "0.1"),
                Kept::Compacted => new.set("cleanup.policy", "compact").set("segment.ms", "3600000"),
                Kept::Briefly => new
                    .set("cleanup.policy", "delete")
                    .set("retention.ms", "60000")
                    .set("retention.bytes", "268435456")
                    .set("segment.ms", "60000")
                    .set("segment.bytes", "67108864"),
                Kept::Days(_) => new.set("cleanup.policy", "delete").set("retention.ms", retention),
            }
        })
        .collect();
    let options = AdminOptions::new().request_timeout(Some(SETUP)).operation_timeout(Some(SETUP));
    let results = wait(admin.create_topics(&wanted, &options))?.map_err(failed("creating topics"))?;
    let mut made = Vec::new();
    for (topic, result) in Topic::ALL.into_iter().zip(results) {
        match result {
            Ok(_) => made.push(topic),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, code)) => {
                return Err(Failure::Broker { what: format!("creating topic {name}"), why: code.to_string() });
            }
        }
    }
    // A broker says that it has made a topic before it knows of it, or who leads it.
    let watch = Stopwatch::start();
    while !missing(settings, zones)?.1.is_empty() && watch.elapsed() < KNOWN {
        clock::sleep(Span::from_ms(50));
    }
    Ok(made)
}

impl Topic {
    fn retention_ms(self) -> String {
        match self.kept() {
            Kept::Days(days) => (u64::from(days) * 86_400_000).to_string(),
            Kept::Compacted | Kept::Briefly => String::new(),
        }
    }
}

/// How many partitions each topic has, in the order of [`Topic::ALL`].
///
/// # Errors
/// When the broker does not answer; every topic that is missing, too narrow or not compacted, at once.
pub fn check(settings: &Settings, zones: usize) -> Result<Vec<usize>, Failure> {
    let (partitions, mut faults) = missing(settings, zones)?;
    if faults.is_empty() {
        faults = not_compacted(settings)?;
    }
    if faults.is_empty() {
        return Ok(partitions);
    }
    faults.push("`greenwave topics create` makes what is missing".into());
    Err(Failure::Broker { what: "the topics are not as they should be".into(), why: faults.join("\n") })
}

/// How many partitions each topic has, and what is missing of them.
fn missing(settings: &Settings, zones: usize) -> Result<(Vec<usize>, Vec<String>), Failure> {
    let consumer = client::consumer(settings)?;
    let metadata = client::metadata(&consumer, None)?;
    let mut faults = Vec::new();
    let mut partitions = Vec::new();
    for topic in Topic::ALL {
        let name = topic.full(settings);
        let found = metadata.topics().iter().find(|t| t.name() == name && t.error().is_none());
        let led = |p: &&MetadataPartition| p.leader() >= 0;
        let count = found.map_or(0, |t| t.partitions().iter().filter(led).count());
        let wanted = if topic.per_zone() { zones.max(1) } else { 1 };
        match count {
            0 => faults.push(format!("topic {name} is missing")),
            _ if !topic.per_zone() && count != 1 => {
                faults.push(format!("topic {name} has {count} partitions, not one: its order matters"));
            }
            _ if count < wanted => {
                faults.push(format!("topic {name} has {count} partitions; {wanted} zones need one each"))
            }
            _ => {}
        }
        partitions.push(count);
    }
    Ok((partitions, faults))
}

/// Topics that should keep the last message of each key, and do not.
fn not_compacted(settings: &Settings) -> Result<Vec<String>, Failure> {
    let admin: AdminClient<DefaultClientContext> =
        client::common(settings)?.create().map_err(failed("an admin client"))?;
    let compacted: Vec<String> =
        Topic::ALL.iter().filter(|t| t.kept() == Kept::Compacted).map(|t| t.full(settings)).collect();
    let asked: Vec<ResourceSpecifier<'_>> = compacted.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
    let options = AdminOptions::new().request_timeout(Some(SETUP));
    let answers = wait(admin.describe_configs(&asked, &options))?.map_err(failed("asking how topics are kept"))?;
    let mut faults = Vec::new();
    for (name, answer) in compacted.iter().zip(answers) {
        let resource = answer.map_err(|code| Failure::Broker {
            what: format!("asking how topic {name} is kept"),
            why: code.to_string(),
        })?;
        let policy = resource.get("cleanup.policy").and_then(|entry| entry.value.clone()).unwrap_or_default();
        if !policy.contains("compact") {
            faults.push(format!("topic {name}: cleanup.policy is \"{policy}\", and it needs \"compact\""));
        }
    }
    Ok(faults)
}

/// Waits for an answer on this thread; the client's own threads do the work.
fn wait<F: Future>(answer: F) -> Result<F::Output, Failure> {
    Ok(tokio::runtime::Builder::new_current_thread().build()?.block_on(answer))
}

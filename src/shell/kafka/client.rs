//! Clients of the broker, made from the settings; secrets go from the environment or a file straight into them.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::metadata::Metadata;
use rdkafka::producer::{DeliveryResult, ProducerContext};
use rdkafka::types::RDKafkaErrorCode as Code;
use rdkafka::{ClientContext, Statistics};

use super::settings::{Security, Settings};
use crate::shell::cli::Failure;
use crate::shell::clock::{self, Stopwatch};
use crate::shell::secret;
use crate::time::Span;
use crate::wire::MESSAGE_BYTES_MAX;

/// The longest wait for one answer of the broker when something is set up.
pub(super) const SETUP: Duration = Duration::from_secs(20);

/// No message is longer, bytes: what `wire` reads, and room for key and headers.
pub(super) const MESSAGE_BYTES: usize = MESSAGE_BYTES_MAX + (1 << 20);

/// A worker that has not been heard of for so long is gone. Brokers take no less, as a rule.
const GONE_MS: &str = "6000";

/// A broker that does not answer for so long is asked anew, over a new connection: of one that was cut off without a word
/// nobody is told, and what was sent over it TCP sends again only after ever longer pauses.
const SILENT_MS: &str = "6000";

/// A connection that does not come about in so long is tried anew: one that was begun while nothing came through lasts for so
/// long after that is over.
const CONNECT_MS: &str = "2000";

/// A broker that has just started answers within so long, and knows who leads its partitions; or something is wrong.
const PATIENCE: Span = Span::from_s(20);

/// Whoever listens no longer than an instant hears a line of the log at most, and no error.
const LISTENING: Duration = Duration::from_millis(50);
/// Where nobody is at the address, errors come faster than they are heard.
const HEARD_MAX: usize = 20;

/// So long a question waits before it looks why nobody answers.
const ASKING: Duration = Duration::from_secs(3);

/// What every client has in common.
pub(super) fn common(settings: &Settings) -> Result<ClientConfig, Failure> {
    let mut config = ClientConfig::new();
    let bootstrap = env::var("KAFKA_BOOTSTRAP").ok().filter(|b| !b.is_empty());
    config
        .set("bootstrap.servers", bootstrap.as_ref().unwrap_or(&settings.bootstrap))
        .set("client.id", "greenwave")
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "500")
        .set("socket.timeout.ms", SILENT_MS)
        .set("socket.connection.setup.timeout.ms", CONNECT_MS)
        .set("socket.keepalive.enable", "true");
    secure(&mut config, &settings.security)?;
    Ok(config)
}

/// What every member of a group that shares out work has in common; `name` tells the worker's groups apart.
pub(super) fn member(settings: &Settings, name: &str) -> Result<ClientConfig, Failure> {
    let mut config = common(settings)?;
    config
        .set("group.id", format!("{}{}.{name}", settings.prefix, settings.group))
        .set("enable.auto.commit", "false")
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", GONE_MS)
        // A member hears of a change with its next heartbeat.
        .set("heartbeat.interval.ms", "300")
        .set("auto.offset.reset", "latest");
    Ok(config)
}

fn secure(config: &mut ClientConfig, security: &Security) -> Result<(), Failure> {
    let tls = security.tls_ca_file.is_some();
    let protocol = match (tls, security.sasl.is_some()) {
        (false, false) => "plaintext",
        (true, false) => "ssl",
        (false, true) => "sasl_plaintext",
        (true, true) => "sasl_ssl",
    };
    config.set("security.protocol", protocol);
    let files = [
        ("ssl.ca.location", &security.tls_ca_file),
        ("ssl.certificate.location", &security.tls_certificate_file),
        ("ssl.key.location", &security.tls_key_file),
    ];
    for (key, file) in files {
        if let Some(file) = file.as_ref().filter(|f| !f.as_os_str().is_empty()) {
            config.set(key, file.to_string_lossy());
        }
    }
    if let Some(mechanism) = security.sasl {
        config.set("sasl.mechanism", mechanism.name());
        config.set("sasl.username", security.user.clone().unwrap_or_default());
        let (env, file) = (security.password_env.as_deref(), security.password_file.as_deref());
        config.set("sasl.password", secret::read("kafka.security.password", env, file)?);
    }
    Ok(())
}

/// Where the partitions of a topic end, as far as their reader has heard.
#[derive(Debug, Default)]
pub(super) struct Ends(Vec<AtomicI64>);

impl Ends {
    /// Of so many partitions.
    pub(super) fn new(partitions: usize) -> Self {
        Self((0..partitions).map(|_| AtomicI64::new(0)).collect())
    }

    /// The offset behind the last message of each.
    pub(super) fn all(&self) -> impl Iterator<Item = i64> {
        self.0.iter().map(|end| end.load(Ordering::Relaxed))
    }
}

/// Hears what a client has to tell beside its answers. That a partition's end is reached is no error; other errors come
/// back to whoever polls.
#[derive(Debug, Clone, Default)]
pub(super) struct Ear {
    ends: Arc<Ends>,
}

impl ClientContext for Ear {
    fn stats(&self, statistics: Statistics) {
        for topic in statistics.topics.values() {
            for (&partition, told) in &topic.partitions {
                let end = usize::try_from(partition).ok().and_then(|partition| self.ends.0.get(partition));
                if let Some(end) = end.filter(|_| told.ls_offset >= 0) {
                    end.store(told.ls_offset, Ordering::Relaxed);
                }
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            Some(Code::PartitionEOF) => {}
            // Who asks is told no more than that nobody answers.
            Some(Code::Authentication | Code::SSL) => tracing::error!(reason, "Kafka"),
            _ => tracing::debug!(%error, reason, "Kafka"),
        }
    }
}

impl ConsumerContext for Ear {}

/// A consumer that says itself where it reads.
pub(super) type Reader = BaseConsumer<Ear>;

/// Makes one; it sees only what was committed.
pub(super) fn consumer(settings: &Settings) -> Result<Reader, Failure> {
    reader(settings)?.create_with_context(Ear::default()).map_err(failed("a consumer"))
}

/// Makes one that tells where the partitions of its topic end.
pub(super) fn watcher(settings: &Settings, ends: &Arc<Ends>) -> Result<Reader, Failure> {
    let ear = Ear { ends: Arc::clone(ends) };
    let mut config = reader(settings)?;
    config.set("statistics.interval.ms", "1000").create_with_context(ear).map_err(failed("a consumer"))
}

/// For readers that say themselves where they read; they see only what was committed.
fn reader(settings: &Settings) -> Result<ClientConfig, Failure> {
    let mut config = common(settings)?;
    config
        .set("group.id", &settings.group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", "error")
        .set("isolation.level", "read_committed")
        .set("fetch.wait.max.ms", "20")
        // Whoever catches up has used what is at hand sooner than in the second that is waited otherwise.
        .set("fetch.queue.backoff.ms", "5")
        .set("fetch.error.backoff.ms", "50")
        // The client's own account of how long it idles, for brokers that ask: it takes its time with every message.
        .set("enable.metrics.push", "false")
        // What librdkafka may hold beside our own backlog.
        .set("queued.max.messages.kbytes", "16384")
        .set("fetch.message.max.bytes", "4194304");
    Ok(config)
}

/// For those who write.
pub(super) fn writer(settings: &Settings) -> Result<ClientConfig, Failure> {
    let mut config = common(settings)?;
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("compression.codec", "lz4")
        .set("linger.ms", "0")
        .set("message.max.bytes", MESSAGE_BYTES.to_string())
        .set("partitioner", "murmur2_random")
        .set("queue.buffering.max.messages", "1000000")
        .set("queue.buffering.max.kbytes", "262144");
    Ok(config)
}

/// Hears what became of each message: that all are gone does not say that all arrived.
#[derive(Debug, Default)]
pub(super) struct Reports {
    lost: AtomicBool,
}

impl Reports {
    /// Whether any message was given up since this was asked last.
    pub(super) fn lost(&self) -> bool {
        self.lost.swap(false, Ordering::Relaxed)
    }
}

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            tracing::debug!(%error, "a message was given up");
            self.lost.store(true, Ordering::Relaxed);
        }
    }
}

/// Where a partition begins and ends.
pub(super) fn ends(reader: &Reader, topic: &str, partition: i32) -> Result<(i64, i64), Failure> {
    patiently(|| reader.fetch_watermarks(topic, partition, SETUP))
        .map_err(failed(format!("asking where {topic}[{partition}] begins and ends")))
}

/// What the cluster knows of a topic, or of all; asked by a reader that has nothing to read yet.
pub(super) fn metadata(reader: &Reader, topic: Option<&str>) -> Result<Metadata, Failure> {
    // That nobody answers is all that a question hears; why, the reader only hears when it listens.
    let why = || std::iter::from_fn(|| reader.poll(LISTENING)).take(HEARD_MAX).filter_map(Result::err).find(lasting);
    let what = topic.map_or_else(|| "asking which topics there are".into(), |name| format!("asking for {name}"));
    patiently(|| reader.fetch_metadata(topic, ASKING).map_err(|error| why().unwrap_or(error))).map_err(failed(what))
}

/// Asks until there is an answer: a broker that just got a partition may have none for a moment.
fn patiently<T>(ask: impl Fn() -> KafkaResult<T>) -> KafkaResult<T> {
    let watch = Stopwatch::start();
    loop {
        match ask() {
            Err(error) if !lasting(&error) && watch.elapsed() <= PATIENCE => clock::sleep(Span::from_ms(50)),
            answer => return answer,
        }
    }
}

/// Whether an error of a reader stays until somebody does something; transport troubles pass by themselves.
pub(super) fn lasting(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::OffsetOutOfRange
                | Code::AutoOffsetReset
                | Code::UnknownTopicOrPartition
                | Code::UnknownTopic
                | Code::UnknownPartition
                | Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::Authentication
                | Code::Fatal
        )
    )
}

/// A failure of the broker, or of the way to it.
pub(super) fn failed(what: impl Into<String>) -> impl FnOnce(KafkaError) -> Failure {
    let what = what.into();
    move |error| Failure::Broker { what, why: error.to_string() }
}

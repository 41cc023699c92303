//! How fast readings come in from a real broker: polled only (`raw`), and used: polled, decoded, validated, estimated,
//! indexed and committed, with no plans (`engine`; `batch` where 500 are in a message). Each run has topics of its own;
//! making and filling them is not measured. Beside criterion's wall time each case says what it cost in CPU time of this
//! process.
//!
//! `GREENWAVE_BENCH_READINGS="1000000 4000000"` sets how many, singly and in batches. `GREENWAVE_BENCH_DAY=0.1` uses so much
//! of a day of 120 million readings instead, once, and says how long it took.

#[path = "../tests/kafka/bootstrap.rs"]
mod bootstrap;
#[path = "kafka/city.rs"]
mod city;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bootstrap::bootstrap;
use city::{Case, readings};
use criterion::measurement::{Measurement, WallTime};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use greenwave::shell::kafka::run::{Until, run};
use greenwave::shell::kafka::topics::{self, Topic};
use greenwave::shell::pulse::Pulse;
use greenwave::shell::threads::Threads;
use greenwave::shell::world::World;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// Topics of a name that was never used, filled.
fn filled(world: &World, messages: impl Iterator<Item = Vec<u8>>) -> World {
    static RUN: AtomicU32 = AtomicU32::new(0);
    let mut world = world.clone();
    world.config.kafka.prefix = format!("bench-{}-{}.", std::process::id(), RUN.fetch_add(1, Ordering::Relaxed));
    topics::create(&world.config.kafka, world.names.network().partitions().len()).expect("topics are created");
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap())
        .set("linger.ms", "20")
        // What is sent again, as the broker did not know the topic yet, stays in its place.
        .set("enable.idempotence", "true")
        .set("queue.buffering.max.messages", "1000000")
        .create()
        .expect("a producer");
    let topic = Topic::Readings.full(&world.config.kafka);
    for value in messages {
        let mut record = BaseRecord::<str, [u8]>::to(&topic).partition(0).payload(&value);
        while let Err((error, back)) = producer.send(record) {
            assert_eq!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
            producer.poll(Duration::from_millis(5));
            record = back;
        }
    }
    producer.flush(Duration::from_secs(60)).expect("delivered");
    world
}

fn poll_all(world: &World, messages: usize) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap())
        .set("group.id", "raw")
        .set("fetch.message.max.bytes", "4194304")
        .set("fetch.queue.backoff.ms", "5")
        .create()
        .expect("a consumer");
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&Topic::Readings.full(&world.config.kafka), 0, Offset::Beginning).expect("an offset");
    consumer.assign(&list).expect("assigned");
    let mut got = 0;
    while got < messages {
        if let Some(message) = consumer.poll(Duration::from_secs(10)) {
            message.expect("a message");
            got += 1;
        }
    }
}

fn use_all(world: &World, messages: usize) {
    let pulse = Arc::new(Pulse::default());
    let until = Until { stop: &|| false, end: true };
    let summary = run(world, Threads::default(), until, &pulse, &mut |_, _, _| (), |_| ()).expect("it runs");
    assert_eq!((summary.messages, summary.rejected), (messages as u64, 0));
}

/// What is done with so many messages of a world.
type Work = fn(&World, usize);

/// CPU time that this process has taken.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

/// This much of a day, estimated and indexed up to the last commit.
fn day(share: f64) {
    let world = city::world(75);
    let (messages, count) = readings(&world, Case::Batch(500), (120e6 * share) as usize);
    let mut sent = 0;
    let world = filled(&world, messages.inspect(|_| sent += 1));
    let (began, before) = (WallTime.start(), cpu());
    use_all(&world, sent);
    let (wall, spent) = (WallTime.end(began).as_secs_f64(), (cpu() - before).as_secs_f64());
    let whole = 120e6 / count as f64;
    println!(
        "ingest/kafka/day/{count}: {wall:.1} s, {spent:.1} s of CPU; a whole day at this pace {:.1} s",
        wall * whole
    );
}

fn ingest(c: &mut Criterion) {
    if let Some(share) = std::env::var("GREENWAVE_BENCH_DAY").ok().and_then(|share| share.parse().ok()) {
        return day(share);
    }
    let counts = std::env::var("GREENWAVE_BENCH_READINGS").unwrap_or_else(|_| "1000000 4000000".into());
    let counts: Vec<usize> = counts.split_whitespace().map(|n| n.parse().expect("a number of readings")).collect();
    let mut group = c.benchmark_group("ingest/kafka");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).warm_up_time(Duration::from_millis(1));
    let world = city::world(75);
    let cases: [(&str, Case, usize, Work); 4] = [
        ("raw/single", Case::Single, counts[0], poll_all),
        ("engine/single", Case::Single, counts[0], use_all),
        ("raw/batch500", Case::Batch(500), counts[1], poll_all),
        ("batch/batch500", Case::Batch(500), counts[1], use_all),
    ];
    for (name, case, count, work) in cases {
        let (messages, count) = readings(&world, case, count);
        let messages: Vec<Vec<u8>> = messages.collect();
        group.throughput(Throughput::Elements(count as u64));
        let (mut spent, mut runs) = (Duration::ZERO, 0);
        group.bench_function(format!("{name}/{count}"), |b| {
            b.iter_custom(|iterations| {
                let mut wall = Duration::ZERO;
                for _ in 0..iterations {
                    let world = filled(&world, messages.iter().cloned());
                    let (began, before) = (WallTime.start(), cpu());
                    work(&world, messages.len());
                    wall += WallTime.end(began);
                    spent += cpu() - before;
                    runs += 1;
                }
                wall
            });
        });
        let per_s = (count * runs) as f64 / spent.as_secs_f64();
        if runs > 0 {
            eprintln!("{name}: {:.2} million readings a CPU-second", per_s / 1e6);
        }
    }
    group.finish();
}

criterion_group!(benches, ingest);
criterion_main!(benches);

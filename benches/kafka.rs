//! How fast readings come in from a real broker: polled only (`raw`), and used: polled, decoded, validated, estimated and
//! committed, every controller running its own program (`engine`). Each run has topics of its own; making and filling them is
//! not measured. Beside criterion's wall time each case says what it cost in CPU time of this process.
//!
//! `GREENWAVE_BENCH_READINGS="200000 4000000"` sets how many, singly and in batches of 500.

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
use greenwave::shell::world::World;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// Topics of a name that was never used, filled.
fn filled(world: &World, messages: &[Vec<u8>]) -> World {
    static RUN: AtomicU32 = AtomicU32::new(0);
    let mut world = world.clone();
    world.config.kafka.prefix = format!("bench-{}-{}.", std::process::id(), RUN.fetch_add(1, Ordering::Relaxed));
    topics::create(&world.config.kafka, world.names.network().partitions().len()).expect("topics are created");
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap())
        .set("linger.ms", "20")
        .set("queue.buffering.max.messages", "1000000")
        .create()
        .expect("a producer");
    let topic = Topic::Readings.full(&world.config.kafka);
    for value in messages {
        let mut record = BaseRecord::<str, [u8]>::to(&topic).partition(0).payload(value);
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
    let summary = run(world, until, &pulse, &mut |_, _, _| (), |_| ()).expect("it runs");
    assert_eq!((summary.messages, summary.rejected), (messages as u64, 0));
}

/// CPU time that this process has taken.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

fn ingest(c: &mut Criterion) {
    let counts = std::env::var("GREENWAVE_BENCH_READINGS").unwrap_or_else(|_| "200000 4000000".into());
    let counts: Vec<usize> = counts.split_whitespace().map(|n| n.parse().expect("a number of readings")).collect();
    let mut group = c.benchmark_group("ingest/kafka");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).warm_up_time(Duration::from_millis(1));
    let cases = [("single", Case::Single, counts[0]), ("batch500", Case::Batch(500), counts[1])];
    for (name, case, count) in cases {
        let world = city::world(75);
        let (messages, count) = readings(&world, case, count);
        group.throughput(Throughput::Elements(count as u64));
        for contender in ["raw", "engine"] {
            let work = if contender == "raw" { poll_all } else { use_all };
            let (mut spent, mut runs) = (Duration::ZERO, 0);
            group.bench_function(format!("{contender}/{name}/{count}"), |b| {
                b.iter_custom(|iterations| {
                    let mut wall = Duration::ZERO;
                    for _ in 0..iterations {
                        let world = filled(&world, &messages);
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
            eprintln!("{contender}/{name}: {:.2} million readings a CPU-second", per_s / 1e6);
        }
    }
    group.finish();
}

criterion_group!(benches, ingest);
criterion_main!(benches);

//! Bad bytes, a zombie, a broker that dies, a network that is cut.

use std::collections::BTreeSet;
use std::time::Duration;

use greenwave::shell::clock::Stopwatch;
use greenwave::time::Span;
use greenwave::wire::{self, v1};
use rand_core::Rng;
use rand_pcg::Pcg64Mcg;

use crate::broker::{Broker, Message, Worker, number};
use crate::delivery::whole;
use crate::proxy::Proxy;

fn set(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise)
}

/// Random bytes, and whole messages with some of theirs changed.
fn bad(rng: &mut Pcg64Mcg) -> Vec<u8> {
    let mut below = |bound: u64| (rng.next_u64() % bound) as usize;
    let whole: [&[u8]; 3] = [
        b"{\"readings\":[{\"sensor_id\":\"loop/West>Market Place/0/0\",\"end_ms\":7,\"interval_ms\":1000,\"loop\":{}}]}",
        b"\x0a\x26\x0a\x1aloop/West>Market Place/0/0\x10\x07\x18\xe8\x07\x22\x02\x08\x01",
        b"\x00\x00\x00\x00\x01\x00\x0a\x26\x0a\x1aloop/West>Market Place/0/0\x10\x07\x18\xe8\x07\x22\x02\x08\x01",
    ];
    let mut bytes = match below(4) {
        3 => (0..below(60)).map(|_| below(256) as u8).collect(),
        which => whole[which].to_vec(),
    };
    for _ in 0..=below(4) {
        if !bytes.is_empty() {
            let at = below(bytes.len() as u64);
            match below(3) {
                0 => bytes[at] = below(256) as u8,
                1 => bytes.truncate(at),
                _ => bytes.insert(at, below(256) as u8),
            }
        }
    }
    bytes
}

#[test]
fn bad_bytes_are_rejected_one_by_one_and_take_no_memory() {
    let count = set("GREENWAVE_BAD_BYTES", 5_000);
    let worker = Worker::new("bytes");
    worker.feed(20, "max");
    let mut running = worker.spawn_watched();
    worker.wait_read(20);
    let mut rng = Pcg64Mcg::new(7);
    let values: Vec<Vec<u8>> = (0..count).map(|_| bad(&mut rng)).collect();
    let messages: Vec<Message<'_>> = values.iter().map(|value| Message { key: "", value, headers: &[] }).collect();
    // Those of the first half fill what may wait.
    let (first, second) = messages.split_at(messages.len() / 2);
    worker.tell("sensors.readings", first);
    worker.wait_read(20 + i64::try_from(first.len()).expect("small"));
    let before = running.memory_kib();
    worker.tell("sensors.readings", second);
    worker.feed_from(20, 50, "max");
    worker.wait_read(70 + i64::try_from(count).expect("small"));
    let after = running.memory_kib();
    running.stop();

    // Rejected, every one that does not read as a message of our own which says something.
    let all = worker.all("rejected");
    let unreadable = all.iter().filter(|r| r["rule"] == "unreadable").count() as i64;
    let rejected: BTreeSet<i64> = all.iter().map(|r| number(&r["origin"]["offset"])).collect();
    let lost: Vec<(i64, &Vec<u8>)> =
        (20..).zip(&values).filter(|(at, value)| !rejected.contains(at) && !says(value)).collect();
    assert!(lost.is_empty(), "{} of {count} are not accounted for: {:?}", lost.len(), lost.first());
    assert!(rejected.len() as u64 > count / 2, "{} of {count}", rejected.len());
    println!("{before} KiB after the first half, {after} KiB after all");
    assert!(after < before + 32 * 1024, "{before} KiB grew to {after} KiB");
    assert!(after < 512 * 1024, "{after} KiB");

    // When the minute was over, somebody was told.
    let alarms = worker.all("alarms");
    let told: i64 = alarms.iter().map(|alarm| number(&alarm["rejections"]["rejected"])).sum();
    assert!(told >= unreadable, "{unreadable} were unreadable: {alarms:?}");
}

/// Whether a value is a message that tells at least one reading.
fn says(value: &[u8]) -> bool {
    let inside = if value.first() == Some(&0) { value.get(6..).unwrap_or_default() } else { value };
    let message: Option<v1::Readings> = match std::str::from_utf8(value) {
        Ok(text) if text.starts_with('{') => wire::json::parse(text).ok(),
        _ => wire::read(inside).ok(),
    };
    message.is_some_and(|m| !m.readings.is_empty())
}

#[test]
fn a_zombie_is_fenced() {
    let worker = Worker::new("zombie");
    worker.feed(30, "max");
    let mut zombie = worker.spawn_watched();
    worker.wait_read(30);
    zombie.signal("STOP");
    worker.feed_from(30, 30, "max");
    let mut second = worker.spawn();
    worker.wait_read(60);
    // It wakes up and has a tick to write, for which it is too late.
    worker.feed_from(60, 30, "max");
    zombie.signal("CONT");
    assert_eq!(zombie.ended(), Some(4), "{}", zombie.log());
    assert!(zombie.log().contains("this worker was replaced"), "{}", zombie.log());
    worker.wait_read(90);
    second.stop();
    whole(&worker, 90);
}

/// One broker for all that is done to brokers: it asks for TLS and a password at one port, is reached through a proxy at
/// another, and dies.
#[test]
fn a_broker_may_ask_for_tls_and_a_password_die_and_be_cut_off() {
    let proxy = Proxy::new();
    let mut broker = Broker::start(proxy.port());
    proxy.lead_to(broker.port() + 3);
    let ca = broker.authority();
    let security = |mechanism| {
        let names = "user = \"greenwave\"\npassword_env = \"GREENWAVE_TEST_PASSWORD\"";
        format!("[kafka.security]\ntls_ca_file = {ca:?}\nsasl = \"{mechanism}\"\n{names}\n")
    };
    let secure = broker.address(1);

    // Killed under load, and started again.
    let worker = Worker::at("tls", &secure, &security("SCRAM-SHA-512"));
    worker.greenwave(&["topics", "create"]);
    worker.feed(120, "max");
    let mut running = worker.spawn();
    worker.wait_read(1);
    broker.kill();
    broker.start_again();
    back(&worker, 120, "it was killed");
    // Once the last transaction before the kill stayed unseen on one topic, why was not found out: so that one has to be seen,
    // and those of another minute behind it. Links are told of once a minute.
    worker.feed_from(120, 60, "max");
    worker.wait_read(180);
    running.stop();
    whole(&worker, 180);

    // The other mechanism; and a wrong password, which is not told to anybody.
    Worker::at("tls", &secure, &security("PLAIN")).fails(&["topics", "check"], "is missing");
    let wrong = Worker::at("tls", &secure, &security("SCRAM-SHA-512")).with_password("a-wrong-one");
    let said = wrong.fails(&["topics", "check"], "uthentication");
    assert!(!said.contains("a-wrong-one"), "{said}");

    // Cut off while readings come in.
    let worker = Worker::at("cut", &broker.address(0), "").reached_by(format!("127.0.0.1:{}", proxy.port()));
    worker.greenwave(&["topics", "create"]);
    worker.feed(60, "max");
    let mut running = worker.spawn();
    worker.wait_read(60);
    proxy.cut();
    worker.feed_from(60, 60, "max");
    std::thread::sleep(Duration::from_secs(set("GREENWAVE_CUT_S", 4)));
    assert_eq!(worker.read(), 60, "the way is not cut");
    proxy.mend();
    back(&worker, 120, "it was cut off");

    // Nobody answers any more, and nobody says so.
    proxy.fall_silent();
    worker.feed_from(120, 60, "max");
    std::thread::sleep(Duration::from_secs(set("GREENWAVE_CUT_S", 4)));
    assert_eq!(worker.read(), 120, "the way is not silent");
    proxy.mend();
    back(&worker, 180, "the way was silent");
    running.stop();
    whole(&worker, 180);
}

/// All is read soon after the broker is back: how soon is told, and bounded only so far that a slow machine holds it.
fn back(worker: &Worker, messages: i64, after: &str) {
    let back = Stopwatch::start();
    worker.wait_read(messages);
    println!("all is read {} after {after}", back.elapsed());
    assert!(back.elapsed() < Span::from_s(30), "{} until all was read after {after}", back.elapsed());
}

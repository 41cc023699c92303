//! What is acknowledged is accounted for and said once, whoever is killed when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use greenwave::shell::clock::Stopwatch;
use greenwave::time::Span;
use serde_json::Value;

use crate::broker::{self, Worker, number};

fn kills() -> u32 {
    std::env::var("GREENWAVE_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(5)
}

/// Every tick follows the one before it, every plan is there once, and all that came in was read.
pub(crate) fn whole(worker: &Worker, messages: i64) -> Vec<Value> {
    let ticks = worker.all("ticks");
    for pair in ticks.windows(2) {
        assert_eq!(number(&pair[1]["now_ms"]) - number(&pair[0]["now_ms"]), 1000, "a tick is missing or there twice");
    }
    let read: i64 = ticks.last().map_or(0, |tick| number(&tick["positions"][0]["next_offsets"][0]));
    assert_eq!(read, messages, "messages that nobody read");
    let plans = worker.all("plans");
    let mut seen: BTreeMap<(String, i64), u32> = BTreeMap::new();
    for plan in &plans {
        *seen.entry((plan["junction_id"].to_string(), number(&plan["revision"]))).or_default() += 1;
    }
    assert!(seen.values().all(|&times| times == 1), "a plan is there more than once");
    let said: i64 = ticks.iter().map(|tick| tick["records"].as_i64().unwrap_or(0)).sum();
    let topics = ["plans", "refused", "links", "zones", "health", "rejected", "ladder", "corridors", "alarms", "audit"];
    let count = || topics.map(|topic| (topic, worker.all(topic).len() as i64));
    let sum = |found: &[(&str, i64)]| found.iter().map(|(_, records)| records).sum::<i64>();
    // The broker answers a commit before its markers are in every partition: until then a reader ends before them. On a
    // machine whose disk stalls that takes as long as it does.
    let began = Stopwatch::start();
    let mut there = count();
    while sum(&there) < said && began.elapsed() < Span::from_s(120) {
        std::thread::sleep(Duration::from_millis(200));
        there = count();
    }
    assert_eq!(said, sum(&there), "records that no tick, or more than one, has said: {there:?}");
    assert!(!plans.is_empty());
    plans
}

#[test]
fn whoever_is_killed_everything_is_said_once() {
    let seconds = 240;
    let undisturbed = Worker::new("calm");
    undisturbed.feed(seconds, "max");
    undisturbed.run_until_read(seconds.into(), Duration::ZERO, 0);
    let calm = whole(&undisturbed, seconds.into());

    let killed = Worker::new("killed");
    killed.feed(seconds, "max");
    let kills = kills();
    killed.run_until_read(seconds.into(), Duration::from_millis(60), kills);
    let plans = whole(&killed, seconds.into());

    assert_eq!(until(&plans, seconds.into()), until(&calm, seconds.into()));
}

#[test]
fn what_cannot_be_read_is_rejected_with_its_place_and_its_digest() {
    let worker = Worker::new("bad");
    worker.feed(20, "max");
    let bad: [&[u8]; 5] = [
        b"\xff\xff\xff\xff",
        b"{\"readings\":[{\"sensor_id\":\"ZH-A12345\"}]}",
        b"\x00\x00\x00",
        b"{\"readings\":7}",
        b"",
    ];
    worker.produce("sensors.readings", &bad);
    worker.feed_from(20, 20, "max");
    worker.run_until_read(45, Duration::ZERO, 0);
    let rejected: Vec<Value> = worker.all("rejected").into_iter().filter(|r| r["rule"] == "unreadable").collect();
    assert_eq!(rejected.len(), bad.len());
    for (offset, rejection) in (20..).zip(&rejected) {
        assert_eq!(number(&rejection["origin"]["offset"]), offset, "{rejection}");
        assert!(rejection["reason"].is_string() && rejection["origin"]["value_sha256"].is_string(), "{rejection}");
    }
}

#[test]
fn a_worker_that_is_told_to_stop_does_so_in_time() {
    let worker = Worker::new("stop");
    worker.feed(10, "max");
    let mut running = worker.spawn();
    worker.wait_read(10);
    let took = running.stop();
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn at_least_once_loses_nothing() {
    let worker = Worker::at("least", broker::bootstrap(), "delivery = \"at-least-once\"\n");
    worker.greenwave(&["topics", "create"]);
    worker.feed(120, "max");
    worker.run_until_read(120, Duration::from_millis(150), 2);
    let ticks: BTreeSet<i64> = worker.all("ticks").iter().map(|tick| number(&tick["now_ms"])).collect();
    let (first, last) = (ticks.first().expect("some"), ticks.last().expect("some"));
    assert_eq!(ticks.len() as i64, (last - first) / 1000 + 1, "a tick is missing");
    let mut revisions: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    for plan in worker.all("plans") {
        revisions.entry(plan["junction_id"].to_string()).or_default().insert(number(&plan["revision"]));
    }
    for (junction, revisions) in &revisions {
        assert!(revisions.iter().copied().eq(1..=revisions.len() as i64), "{junction}: {revisions:?}");
    }
    assert!(!revisions.is_empty());
}

#[test]
fn a_restart_takes_the_last_snapshot_up_and_repeats_what_came_after() {
    let worker = Worker::new("snapshot");
    worker.feed(150, "max");
    worker.run_until_read(150, Duration::ZERO, 0);
    let ticks = worker.all("ticks").len() as i64;
    let mut running = worker.spawn_watched();
    worker.feed_from(150, 60, "max");
    worker.wait_read(210);
    let page = running.get("/metrics");
    running.stop();
    let repeated = page.lines().find_map(|line| line.strip_prefix("greenwave_repeated_ticks_total "));
    let repeated: i64 = repeated.map_or(0, |n| n.parse().expect("a number"));
    // Whoever catches up takes the snapshots that it has time for: the last one may be of the very last tick.
    assert!(repeated < ticks && ticks > 150, "{repeated} of {ticks} ticks repeated");
    assert!(!running.log().contains("says something else"), "{}", running.log());
    whole(&worker, 210);
}

#[test]
fn of_several_workers_another_goes_on_when_one_is_gone() {
    // Piece by piece, as each worker shall find something left to do; between them is time that whoever has done all before
    // may go on in.
    let pieces = [(0, 3600), (3900, 600), (4800, 600)];
    let (messages, end) = (4800, 5400);
    let calm = Worker::new("alone");
    pieces.iter().for_each(|&(after, seconds)| calm.feed_from(after, seconds, "max"));
    calm.run_until_read(messages, Duration::ZERO, 0);

    let worker = Worker::new("standby");
    worker.feed_from(pieces[0].0, pieces[0].1, "max");
    let mut workers: Vec<_> = (0..3).map(|_| worker.spawn_standby()).collect();
    worker.wait_read(1);
    for (after, seconds) in pieces.into_iter().skip(1) {
        // One that stands by and is told to stop disturbs nobody.
        worker.spawn_standby().stop();
        // Whoever works is the one that has done ticks.
        let at_work = workers.iter().position(|w| w.get("/metrics").contains("greenwave_ticks_total"));
        let at_work = workers.remove(at_work.expect("one works"));
        assert!(!at_work.log().contains("stands by"), "{}", at_work.log());
        at_work.kill();
        let gone = Stopwatch::start();
        worker.feed_from(after, seconds, "max");
        let read = worker.read();
        while worker.read() <= read {
            assert!(gone.elapsed() < Span::from_s(10), "nobody goes on");
            std::thread::sleep(Duration::from_millis(50));
        }
        println!("another one went on after {}", gone.elapsed());
    }
    worker.wait_read(messages);
    assert_eq!(workers.len(), 1);
    workers[0].stop();
    let plans = whole(&worker, messages);
    assert_eq!(until(&plans, end), until(&calm.all("plans"), end));
}

/// What was planned while readings came: later ticks may be more on one side.
fn until(plans: &[Value], seconds: i64) -> Vec<String> {
    let before = |plan: &&Value| number(&plan["made_at_ms"]) < broker::START_MS + seconds * 1000;
    plans.iter().filter(before).map(ToString::to_string).collect()
}

//! Several workers that search at once: whoever answers, whoever is gone, what is said is what one alone says.

use std::time::Duration;

use greenwave::shell::clock::Stopwatch;
use greenwave::time::Span;
use serde_json::Value;

use crate::broker::{Running, START_MS, Worker, number};
use crate::delivery::whole;

/// Everything is shared, however little it is, and waited for however busy the machine is.
const SHARED: &str = "share_from = 1\nshare_wait_ms = 400\n";

/// The sum of a counter over all labels that hold `label`.
fn counted(worker: &Running, name: &str, label: &str) -> i64 {
    let page = worker.get("/metrics");
    let rows = page.lines().filter(|line| line.starts_with(name) && line.contains(label));
    rows.filter_map(|line| line.rsplit(' ').next()?.parse::<i64>().ok()).sum()
}

fn here(worker: &Running) -> i64 {
    counted(worker, "greenwave_searches_total", "worker=\"here\"")
}

fn elsewhere(worker: &Running) -> i64 {
    counted(worker, "greenwave_searches_total", "") - here(worker)
}

fn answered(worker: &Running) -> i64 {
    counted(worker, "greenwave_searches_for_others_total", "answered")
}

/// The place of the one whose turn it is.
fn at_work(workers: &[Running]) -> usize {
    let works = |worker: &Running| worker.get("/metrics").contains("greenwave_ticks_total");
    workers.iter().position(works).expect("one works")
}

/// Waits until `reached`; how long it took.
fn wait(what: &str, most: Span, reached: impl Fn() -> bool) -> Span {
    let began = Stopwatch::start();
    while !reached() {
        assert!(began.elapsed() < most, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
    began.elapsed()
}

/// What each tick said, as long as readings came: its instant, how many records, their digest.
fn said(worker: &Worker, seconds: i64) -> Vec<(i64, Value, Value)> {
    let ticks = worker.all("ticks");
    let ticks = ticks.iter().map(|t| (number(&t["now_ms"]), t["records"].clone(), t["records_sha256"].clone()));
    ticks.filter(|tick| tick.0 < START_MS + seconds * 1000).collect()
}

/// One alone asks nobody; what it says.
fn alone(seconds: i64) -> Vec<(i64, Value, Value)> {
    let worker = Worker::city("single", seconds, SHARED);
    worker.feed(seconds as u32, "max");
    let mut running = worker.spawn_standby();
    worker.wait_read(seconds);
    assert!(here(&running) > seconds, "{} searched for", here(&running));
    running.stop();
    assert!(worker.bytes("engine.questions").is_empty(), "it asked although it is alone");
    said(&worker, seconds)
}

#[test]
fn what_several_workers_say_is_what_one_says_whoever_is_killed() {
    let seconds = 1000;
    let worker = Worker::city("several", seconds, SHARED);
    worker.feed(seconds as u32, "max");
    let mut workers: Vec<Running> = (0..3).map(|_| worker.spawn_standby()).collect();
    worker.wait_read(1);
    let first = workers.remove(at_work(&workers));
    // Both others answer, and most of what they are asked is answered in time.
    wait("the others do not search", Span::from_s(30), || workers.iter().all(|other| answered(other) > 200));
    let (ours, theirs) = (here(&first), elsewhere(&first));
    println!("{theirs} searched for by others, {ours} by the one in turn");

    // What nobody can read, and what nobody asked for.
    for topic in ["engine.questions", "engine.answers"] {
        worker.produce(topic, &[b"\xff\xff\xff\xff", b"", b"{}", b"\x0a\x02\x08\x01", &[0; 5000]]);
    }
    // One that is slow holds nobody up; then one is gone for good, and its zones are the other's.
    let read = worker.read();
    workers[0].signal("STOP");
    let took = wait("a slow worker stops all", Span::from_s(10), || worker.read() > read + 20);
    println!("20 ticks in {took} with a worker that does not move");
    workers[0].signal("CONT");
    workers.remove(0).kill();
    let read = worker.read();
    let took = wait("nobody goes on", Span::from_s(10), || worker.read() > read);
    println!("plans again {took} after a worker that searched was killed");
    assert!(worker.read() < seconds, "nothing is left to be done");
    let before = answered(&workers[0]);
    wait("the one that is left does not search", Span::from_s(15), || answered(&workers[0]) > before + 200);

    // The one in turn.
    let new = worker.spawn_standby();
    let (ours, theirs) = (here(&first), elsewhere(&first));
    first.kill();
    let read = worker.read();
    assert!(read < seconds, "nothing is left to be done");
    let took = wait("nobody takes over", Span::from_s(10), || worker.read() > read);
    println!("plans again {took} after the one in turn was killed");
    workers.push(new);
    worker.wait_read(seconds);
    let last = workers.remove(at_work(&workers));
    let (ours, theirs) = (ours + here(&last), theirs + elsewhere(&last));
    println!("{theirs} searched for by others in both turns, {ours} by the one in turn");
    assert!(theirs > ours / 5, "hardly anything was searched for by others");
    assert!(!last.log().contains("says something else"), "{}", last.log());
    drop((last, workers));
    whole(&worker, seconds);
    let expected = alone(seconds);
    assert_eq!(expected.len() as i64, seconds);
    assert!(said(&worker, seconds) == expected, "several said something else than one");
}

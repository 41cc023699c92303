//! Live updates: who listens hears of every change, who comes back hears what was missed, and silence
//! shows its age.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use greenwave::event::{Event, Position, PriorityClass, PriorityRequest};
use greenwave::ids::{Id, LinkId};
use greenwave::network::Point;
use greenwave::time::Time;
use serde_json::Value;

use crate::client::Room;

struct Ear {
    from: BufReader<TcpStream>,
}

/// One event: its name, its number, what it says.
type Said = (String, Option<u64>, Value);

impl Ear {
    fn listen(room: &Room, token: &str, last: Option<u64>) -> Self {
        let mut stream = TcpStream::connect(room.cockpit.address()).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out");
        let last = last.map_or_else(String::new, |n| format!("last-event-id: {n}\r\n"));
        let head = format!("GET /api/live HTTP/1.1\r\nhost: here\r\nauthorization: Bearer {token}\r\n{last}\r\n");
        stream.write_all(head.as_bytes()).expect("it reads");
        Self { from: BufReader::new(stream) }
    }

    /// The next event; none once the server has ended it.
    fn next(&mut self) -> Option<Said> {
        let (mut name, mut number, mut line) = (String::new(), None, String::new());
        loop {
            line.clear();
            if self.from.read_line(&mut line).expect("not silent for ten seconds") == 0 {
                return None;
            }
            let text = line.trim_end();
            if let Some(event) = text.strip_prefix("event: ") {
                name = event.to_owned();
            } else if let Some(id) = text.strip_prefix("id: ") {
                number = id.parse().ok();
            } else if let Some(data) = text.strip_prefix("data: ") {
                return Some((name, number, serde_json::from_str(data).expect("JSON")));
            } else if text == "0" {
                return None; // the last chunk
            }
        }
    }

    fn tick(&mut self) -> Option<Said> {
        loop {
            let said = self.next()?;
            if said.0 == "tick" {
                return Some(said);
            }
        }
    }
}

#[test]
fn changes_are_told_as_they_come_and_silence_shows_its_age() {
    let mut room = Room::open(Vec::new(), &[]);
    let token = room.administrator();
    room.pass(1);
    let mut ear = Ear::listen(&room, &token, None);
    assert_eq!(ear.next().expect("open").0, "reset", "who comes new reads everything first");
    // Publications are at least 100 ms apart.
    std::thread::sleep(Duration::from_millis(120));
    room.pass(1);
    let (_, number, tick) = ear.tick().expect("open");
    assert!(number.is_some() && tick["now_ms"].is_i64() && !tick["junctions"].as_array().expect("a list").is_empty());
    // The engine stops: the beat's age grows.
    let ages: Vec<i64> = (0..4)
        .filter_map(|_| ear.next())
        .filter(|said| said.0 == "beat")
        .map(|said| said.2["age_ms"].as_i64().expect("an age"))
        .collect();
    assert!(ages.windows(2).all(|pair| pair[1] > pair[0]) && ages.last() > Some(&1500), "{ages:?}");
}

#[test]
fn who_comes_back_hears_what_was_missed_or_that_it_is_lost() {
    let mut room = Room::open(Vec::new(), &[]);
    let token = room.administrator();
    let publish = |room: &mut Room, count: usize| {
        for _ in 0..count {
            std::thread::sleep(Duration::from_millis(101));
            room.pass(1);
        }
    };
    publish(&mut room, 1);
    let mut ear = Ear::listen(&room, &token, None);
    publish(&mut room, 1);
    let last = ear.tick().expect("open").1.expect("a number");
    drop(ear);
    publish(&mut room, 3);
    let mut back = Ear::listen(&room, &token, Some(last));
    let missed: Vec<u64> = (0..3).map(|_| back.tick().expect("open").1.expect("a number")).collect();
    assert_eq!(missed, [last + 1, last + 2, last + 3]);
    // A number from before the server began, or from long ago: everything is to be read again.
    assert_eq!(Ear::listen(&room, &token, Some(last + 1000)).next().expect("open").0, "reset");
}

/// A publication of half a megabyte, more of which than a few no system keeps for who does not read: a vehicle whose
/// name is that long.
fn large(room: &mut Room) {
    std::thread::sleep(Duration::from_millis(101)); // publications are 100 ms apart
    let tick = room.city.step();
    let vehicle: Box<str> = "v".repeat(500_000).into();
    let (from, to) = (LinkId::of(0), LinkId::of(1));
    let request = PriorityRequest {
        id: "large".into(),
        at: Time::LONG_AGO,
        authority: "".into(),
        vehicle: vehicle.clone(),
        class: PriorityClass::Ambulance,
        from,
        to,
        route: [].into(),
        deadline: None,
    };
    let position = Position { vehicle, at: tick.now, point: Point { x: 0.0, y: 0.0 }, speed: 9.0, heading: None };
    room.cockpit.tick(tick.now, &[Event::from(request), Event::Position(position)], &[]);
}

#[test]
fn who_does_not_read_is_let_go_holds_up_nobody_and_goes_on_where_it_was() {
    let mut room = Room::open(Vec::new(), &[]);
    let token = room.administrator();
    let mut slow = Ear::listen(&room, &token, None);
    assert_eq!(slow.next().expect("open").0, "reset");
    // Somebody else reads as fast as it comes.
    let mut quick = Ear::listen(&room, &token, None);
    let reader = std::thread::spawn(move || {
        let mut numbers = Vec::new();
        while numbers.len() < 60 {
            numbers.extend(quick.tick().expect("it reads, and is not let go").1);
        }
        numbers
    });
    (0..60).for_each(|_| large(&mut room));
    let numbers = reader.join().expect("it heard everything");
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    // What had been sent before it was let go is still to be read, and then nothing more.
    let mut had = Vec::new();
    while let Some((_, number, _)) = slow.next() {
        had.extend(number);
        assert!(had.len() < 60, "it was not let go");
    }
    assert!(!had.is_empty());
    let last = *had.last().expect("some");
    let mut back = Ear::listen(&room, &token, Some(last));
    let missed: Vec<u64> = (last..numbers[59]).map(|_| back.tick().expect("open").1.expect("a number")).collect();
    assert_eq!(missed, (last + 1..=numbers[59]).collect::<Vec<_>>(), "nothing is lost and nothing told twice");
}

#[test]
fn a_server_that_was_started_again_does_not_take_its_numbers_for_those_before() {
    let number = |room: &mut Room, last: Option<u64>| {
        let token = room.administrator();
        let mut ear = Ear::listen(room, &token, last);
        assert_eq!(ear.next().expect("open").0, "reset");
        std::thread::sleep(Duration::from_millis(120));
        room.pass(1);
        ear.tick().expect("open").1.expect("a number")
    };
    let before = number(&mut Room::open(Vec::new(), &[]), None);
    let after = number(&mut Room::open(Vec::new(), &[]), Some(before));
    assert!(after > before, "{before} {after}");
}

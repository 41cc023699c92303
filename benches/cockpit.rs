//! What live clients cost the engine: ticks of a city of 2 300 junctions with nobody looking, with 500 who listen, one in
//! ten of them slow, and with nobody again. `cargo bench --bench cockpit [-- CLIENTS]`.

#[path = "city/demand.rs"]
mod demand;

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use greenwave::engine::Settings;
use greenwave::network::layout::{Layout, layout};
use greenwave::network::limits::Limits;
use greenwave::network::{Network, Sensors};
use greenwave::shell::closed_loop::{ClosedLoop, World};
use greenwave::shell::http::{Cockpit, Options};
use greenwave::time::Time;
use greenwave::twin::city;

const START: Time = Time::from_s(1_772_434_800);
const TICKS: usize = 40;

/// What clients did.
#[derive(Default)]
struct Tally {
    stop: AtomicBool,
    ticks: AtomicU64,
    bytes: AtomicU64,
    returns: AtomicU64,
}

/// Listens until told to stop; comes back with the number of the last tick it read whenever it is let go.
fn listen(at: SocketAddr, token: &str, slow: bool, tally: &Tally) {
    let mut last = String::new();
    while !tally.stop.load(Ordering::Relaxed) {
        let Ok(mut stream) = TcpStream::connect(at) else { return };
        let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
        let head = format!("GET /api/live HTTP/1.1\r\nhost: here\r\nauthorization: Bearer {token}\r\n{last}\r\n");
        if stream.write_all(head.as_bytes()).is_err() {
            return;
        }
        for line in BufReader::with_capacity(4096, stream).lines() {
            let Ok(line) = line else { break };
            tally.bytes.fetch_add(line.len() as u64, Ordering::Relaxed);
            if let Some(id) = line.strip_prefix("id: ") {
                last = format!("last-event-id: {id}\r\n");
                tally.ticks.fetch_add(1, Ordering::Relaxed);
                if slow {
                    std::thread::sleep(Duration::from_secs(2));
                }
            }
            if tally.stop.load(Ordering::Relaxed) {
                return;
            }
        }
        tally.returns.fetch_add(1, Ordering::Relaxed);
    }
}

fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// Median and 95th percentile of ticks, and of the cockpit's part of them, ms.
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn measure(city: &mut ClosedLoop, cockpit: &mut Cockpit) -> [f64; 4] {
    let (mut whole, mut part) = (Vec::new(), Vec::new());
    for _ in 0..TICKS {
        let begun = Instant::now();
        let tick = city.step();
        let stepped = Instant::now();
        cockpit.tick(tick.now, &tick.events, &tick.outputs);
        whole.push(begun.elapsed().as_secs_f64() * 1e3);
        part.push(stepped.elapsed().as_secs_f64() * 1e3);
        // At life's pace there is time between ticks; a little of it is enough for everybody to be told.
        std::thread::sleep(Duration::from_millis(150));
    }
    let at = |all: &mut Vec<f64>, share: f64| {
        all.sort_by(f64::total_cmp);
        all[((all.len() - 1) as f64 * share) as usize]
    };
    [at(&mut whole, 0.5), at(&mut whole, 0.95), at(&mut part, 0.5), at(&mut part, 0.95)]
}

fn main() {
    let clients: usize = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(500);
    let network = Arc::new(Network::build(city::city(2_300, 1), &Limits::default()).expect("sound"));
    let sensors = Arc::new(Sensors::build(&layout(&network, Layout::Full), &network).expect("they fit"));
    let demand = Arc::new(demand::demand(&network, 40.0, 300));
    let world = World { network: Arc::clone(&network), sensors: Arc::clone(&sensors), demand };
    let options = greenwave::twin::Options { start: START, ..Default::default() };
    let mut city = ClosedLoop::new(&world, Some(Settings::default()), options);
    let options = Options {
        address: Ipv4Addr::LOCALHOST.into(),
        port: 0,
        dual: Vec::new(),
        audit: None,
        issuers: Vec::new(),
        style: None,
    };
    let mut cockpit = Cockpit::open(&network, &sensors, START, options).expect("a free port");
    let agent = ureq::Agent::new_with_defaults();
    let body = serde_json::json!({"one_time": cockpit.one_time()});
    let url = format!("http://{}/api/session", cockpit.address());
    let answer: serde_json::Value =
        agent.post(url).send_json(body).and_then(|mut r| r.body_mut().read_json()).expect("in");
    let token = answer["token"].as_str().expect("a token").to_owned();
    println!("{} junctions, {} links", network.junctions().len(), network.links().len());
    (0..60).for_each(|_| drop(city.step()));
    let show = |what: &str, m: [f64; 4]| {
        println!(
            "{what:<24} tick {:>7.1} ms (95 %: {:>7.1}), cockpit {:>6.2} ms (95 %: {:>6.2}), {:>6.0} MiB",
            m[0],
            m[1],
            m[2],
            m[3],
            resident_mib()
        );
    };
    let before = measure(&mut city, &mut cockpit);
    show("nobody", before);
    let tally = Arc::new(Tally::default());
    let at = cockpit.address();
    let all: Vec<_> = (0..clients)
        .map(|row| {
            let (tally, token) = (Arc::clone(&tally), token.clone());
            let thread = std::thread::Builder::new().stack_size(128 << 10);
            thread.spawn(move || listen(at, &token, row % 10 == 9, &tally)).expect("a thread")
        })
        .collect();
    let with = measure(&mut city, &mut cockpit);
    show(&format!("{clients} clients"), with);
    let (ticks, bytes) = (tally.ticks.load(Ordering::Relaxed), tally.bytes.load(Ordering::Relaxed));
    tally.stop.store(true, Ordering::Relaxed);
    all.into_iter().for_each(|thread| thread.join().expect("it listened"));
    let after = measure(&mut city, &mut cockpit);
    show("nobody again", after);
    let alone = (before[0] + after[0]) / 2.0;
    println!(
        "clients cost {:+.1} % of a tick; they read {ticks} ticks, {:.1} MiB, and came back {} times",
        (with[0] / alone - 1.0) * 100.0,
        bytes as f64 / 1048576.0,
        tally.returns.load(Ordering::Relaxed),
    );
}

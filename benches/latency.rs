//! How long after a reading is produced the plan that heeds it can be read: a whole city live, an engine in a process of
//! its own, and a client that reads plans as controllers would. The lateness allowance is part of it.
//!
//! Readings of an instant are produced at that instant; a plan tells the instant that it was made for. At ticks of one
//! second every sensor speaks as the second ends, at ticks of 100 ms a tenth of them at each.
//!
//! `GREENWAVE_LATENCY_S` (30) and `GREENWAVE_LATENCY_JUNCTIONS` (2300) set how long and how large, `GREENWAVE_LATENCY_TICK_MS`
//! which ticks, `GREENWAVE_LATENCY_SNAPSHOT_S` (60) how often the engine's state is written down.

#[path = "../tests/kafka/bootstrap.rs"]
mod bootstrap;
#[path = "city/demand.rs"]
mod demand;

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bootstrap::bootstrap;
use greenwave::event::Event;
use greenwave::ids::Id;
use greenwave::network::layout::{Layout, layout};
use greenwave::network::limits::Limits;
use greenwave::network::{Network, NetworkSpec, SensorKind, Sensors};
use greenwave::shell::clock;
use greenwave::shell::kafka::Settings;
use greenwave::shell::kafka::feed::Feeder;
use greenwave::shell::kafka::topics::{self, Topic};
use greenwave::time::{Span, Time};
use greenwave::twin::{Options, SensorFaults, Twin, city};
use greenwave::wire::{Message as _, Names, v1};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message as _;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// Seconds in which the roads fill before anybody listens, and in which the engine gets to know them.
const FILL_S: i64 = 300;
const WARM_S: i64 = 15;
/// Vehicles that set out in an hour for each junction, as in the demo's morning peak.
const PER_JUNCTION_HOUR: f64 = 140.0;

fn number(variable: &str, otherwise: i64) -> i64 {
    std::env::var(variable).ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise)
}

/// An engine in a process of its own; it does not outlive this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct City {
    spec: NetworkSpec,
    network: Arc<Network>,
    sensors: Arc<Sensors>,
}

impl City {
    /// Of about so many junctions, with loops at every stop line and further up, and a camera over every third approach:
    /// about 18 000 sensors in 2 300 junctions.
    fn new(junctions: usize) -> Self {
        let spec = city::city(junctions, 1);
        let network = Arc::new(Network::build(spec.clone(), &Limits::default()).expect("the city is sound"));
        let sensors = Sensors::build(&Self::layout(&network), &network).expect("they stand on the road");
        Self { spec, network, sensors: Arc::new(sensors) }
    }

    fn layout(network: &Network) -> greenwave::network::sensor::SensorsSpec {
        let mut all = layout(network, Layout::Full);
        let mut row = 0;
        all.sensors.retain(|sensor| {
            row += 1;
            sensor.kind == SensorKind::Loop || row % 3 == 0
        });
        let most = network.junctions().len() * 18_000 / 2_300;
        let step = (all.sensors.len() as f64 / most as f64).max(1.0);
        let (mut row, mut kept) = (0.0, 0.0);
        all.sensors.retain(|_| {
            let keep = row >= kept * step;
            row += 1.0;
            kept += if keep { 1.0 } else { 0.0 };
            keep
        });
        all
    }
}

/// Plays the city live until `until`, in so many turns a second.
fn play(twin: &mut Twin, feeder: &mut Feeder, turns: i64, until: Time) {
    let turn = Span::from_ms(1000 / turns);
    while twin.now() < until {
        twin.step();
        let mut events = Vec::new();
        twin.events(&mut events);
        let mut shares = vec![Vec::new(); usize::try_from(turns).expect("few")];
        for mut event in events {
            let which = match &event {
                Event::Reading(reading) => reading.sensor.index(),
                Event::Status(status) => status.junction.index(),
                Event::PedestrianCall(call) => call.junction.index(),
                _ => 0,
            } % shares.len();
            let later = turn * which as i64;
            match &mut event {
                Event::Reading(reading) => reading.end += later,
                Event::Status(status) => status.at += later,
                Event::PedestrianCall(call) => call.at += later,
                _ => {}
            }
            shares[which].push(event);
        }
        for (which, share) in shares.iter().enumerate() {
            clock::sleep(twin.now() + turn * which as i64 - clock::now());
            feeder.write(share).expect("the broker takes it");
        }
    }
}

/// Every plan's instant, and how long after it the plan was read, ms.
fn listen(settings: &Settings, zones: usize, stop: &AtomicBool) -> Vec<(i64, i64)> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap()).set("group.id", "latency").set("isolation.level", "read_committed");
    let reader: BaseConsumer = config.set("fetch.wait.max.ms", "10").create().expect("a consumer");
    let mut list = TopicPartitionList::new();
    for zone in (0..).take(zones) {
        list.add_partition_offset(&Topic::Plans.full(settings), zone, Offset::Beginning).expect("an offset");
    }
    reader.assign(&list).expect("assigned");
    let mut took = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        if let Some(message) = reader.poll(Duration::from_millis(20)) {
            let message = message.expect("a message");
            let plan = v1::Plan::decode(message.payload().expect("a value")).expect("a plan");
            took.push((plan.made_at_ms, clock::now().ms() - plan.made_at_ms));
        }
    }
    took
}

fn measure(city: &City, tick_ms: i64, lateness_ms: i64) {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).expect("written");
    write("network.json", serde_json::to_vec(&city.spec).expect("JSON"));
    write("sensors.json", serde_json::to_vec(&City::layout(&city.network)).expect("JSON"));
    let prefix = format!("latency-{}-{tick_ms}.", std::process::id());
    let toml = format!(
        "network = \"network.json\"\nsensors = \"sensors.json\"\n[engine]\nmode = \"control\"\ntick_ms = {tick_ms}\n\
         lateness_ms = {lateness_ms}\n[kafka]\nprefix = \"{prefix}\"\nsnapshot_s = {}\n",
        number("GREENWAVE_LATENCY_SNAPSHOT_S", 60),
    );
    write("greenwave.toml", toml.into_bytes());
    let settings = Settings { bootstrap: bootstrap().to_owned(), prefix, ..Settings::default() };
    topics::create(&settings, city.network.partitions().len()).expect("topics are created");
    let seconds = number("GREENWAVE_LATENCY_S", 30);

    let per_s = city.network.junctions().len() as f64 * PER_JUNCTION_HOUR / 3600.0;
    let demand =
        demand::demand(&city.network, per_s, usize::try_from(FILL_S + WARM_S + seconds).expect("positive") + 120);
    let start = clock::now().floor(Span::SECOND) - Span::from_s(FILL_S);
    let options = Options { start, sensors: SensorFaults::ORDINARY, ..Options::default() };
    let mut twin = Twin::new(Arc::clone(&city.network), &city.sensors, &demand, options);
    while twin.now() < clock::now() {
        twin.step();
        twin.events(&mut Vec::new());
    }
    let engine = Command::new(env!("CARGO_BIN_EXE_greenwave"))
        .args(["run", "--threads", "2", "--config"])
        .arg(folder.path().join("greenwave.toml"))
        .env("KAFKA_BOOTSTRAP", bootstrap())
        .stdout(Stdio::null())
        .spawn();
    let engine = Running(engine.expect("it runs"));
    let mut feeder =
        Feeder::new(&settings, Names::new(Arc::clone(&city.network), Arc::clone(&city.sensors))).expect("a producer");
    let begun = twin.now();
    let (stop, mut took) = (AtomicBool::new(false), Vec::new());
    std::thread::scope(|scope| {
        let client = scope.spawn(|| listen(&settings, city.network.partitions().len(), &stop));
        play(&mut twin, &mut feeder, 1000 / tick_ms, begun + Span::from_s(WARM_S + seconds));
        feeder.finish().expect("delivered");
        clock::sleep(Span::from_s(3));
        stop.store(true, Ordering::Relaxed);
        took = client.join().expect("it ends");
    });
    drop(engine);
    let warm = (begun + Span::from_s(WARM_S)).ms();
    let mut took: Vec<i64> = took.into_iter().filter(|&(made, _)| made > warm).map(|(_, took)| took).collect();
    took.sort_unstable();
    assert!(!took.is_empty(), "no plan in {seconds} s");
    let at = |share: f64| took[((took.len() as f64 * share) as usize).min(took.len() - 1)];
    println!(
        "latency/kafka/{tick_ms}ms/{}: {} readings/s, {} plans in {seconds} s: p50 {} ms, p95 {} ms, p99 {} ms, worst {} ms",
        city.network.junctions().len(),
        feeder.readings / (seconds + WARM_S) as u64,
        took.len(),
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0),
    );
}

fn main() {
    let city = City::new(usize::try_from(number("GREENWAVE_LATENCY_JUNCTIONS", 2_300)).expect("positive"));
    eprintln!("{} junctions, {} sensors", city.network.junctions().len(), city.sensors.table().len());
    let only = |tick_ms| number("GREENWAVE_LATENCY_TICK_MS", tick_ms) == tick_ms;
    for (tick_ms, lateness_ms) in [(1000, 500), (100, 50)].into_iter().filter(|&(tick_ms, _)| only(tick_ms)) {
        measure(&city, tick_ms, lateness_ms);
    }
}

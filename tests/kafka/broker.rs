//! A broker that is really there, and a worker that can be killed.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub(crate) use crate::bootstrap::bootstrap;
use greenwave::network::Network;
use greenwave::network::layout::{Layout, layout};
use greenwave::network::limits::Limits;
use greenwave::shell::clock::Stopwatch;
use greenwave::time::Span;
use greenwave::twin::city;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Headers, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::Value;

/// When every played street begins.
pub(crate) const START_MS: i64 = 1_772_434_800_000;

/// A 64-bit number of the JSON mapping.
pub(crate) fn number(value: &Value) -> i64 {
    value.as_str().map_or(0, |text| text.parse().expect("a number"))
}

/// A broker of a test's own, with a listener that asks for TLS and a password one port after its own, and one that is
/// advertised as `proxy` three ports after it.
pub(crate) struct Broker {
    folder: tempfile::TempDir,
    proxy: u16,
    port: u16,
}

impl Broker {
    pub(crate) fn start(proxy: u16) -> Self {
        let mut broker = Self { folder: tempfile::tempdir().expect("a folder"), proxy, port: 0 };
        broker.start_again();
        broker
    }

    fn script(&self, command: &str) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/kafka.sh");
        let out = Command::new(script)
            .arg(command)
            .env_remove("KAFKA_BOOTSTRAP")
            .env("KAFKA_DATA", self.folder.path().join("data"))
            .env("KAFKA_SECURE", "1")
            .env("KAFKA_PROXY_PORT", self.proxy.to_string())
            .stderr(Stdio::inherit())
            .output()
            .expect("kafka.sh runs");
        assert!(out.status.success(), "kafka.sh {command}");
        String::from_utf8(out.stdout).expect("text").trim().to_owned()
    }

    /// Brings it up, with the data that it had.
    pub(crate) fn start_again(&mut self) {
        let address = self.script("start");
        self.port = address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("an address");
    }

    /// As a power cut would.
    pub(crate) fn kill(&self) {
        self.script("kill");
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn address(&self, after: u16) -> String {
        format!("127.0.0.1:{}", self.port + after)
    }

    /// The certificate that its own is signed with.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("data/tls/ca.pem")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.script("kill");
    }
}

/// One run of its own, under a prefix of its own.
pub(crate) struct Worker {
    folder: tempfile::TempDir,
    prefix: String,
    /// Where the broker is.
    bootstrap: String,
    /// Where the worker takes it to be.
    reached_by: String,
    password: &'static str,
    /// Network, sensors, demand.
    street: [PathBuf; 3],
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name)
}

impl Worker {
    /// At the broker of all tests, with its topics there.
    pub(crate) fn new(name: &str) -> Self {
        let worker = Self::at(name, bootstrap(), "");
        worker.greenwave(&["topics", "create"]);
        worker
    }

    /// At this broker, with more in its configuration.
    pub(crate) fn at(name: &str, bootstrap: &str, more: &str) -> Self {
        let street = ["crossing.json", "crossing.sensors.json", "crossing.demand.json"].map(data);
        Self::on(street, tempfile::tempdir().expect("a folder"), name, bootstrap, more)
    }

    /// At the broker of all tests, in a city of several zones, where people set out for so many seconds.
    pub(crate) fn city(name: &str, seconds: i64, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let spec = city::demo();
        let street = ["city.json", "sensors.json", "demand.json"].map(|file| folder.path().join(file));
        let network = Network::build(spec.clone(), &Limits::default()).expect("the city is sound");
        let demand = city::morning::demand(&network, Span::from_s(seconds), 1).spec(&network, "");
        let text = |value: serde_json::Result<String>| value.expect("JSON");
        let texts = [
            text(serde_json::to_string(&spec)),
            text(serde_json::to_string(&layout(&network, Layout::Full))),
            text(serde_json::to_string(&demand)),
        ];
        // The same pseudonyms in every run.
        std::fs::write(folder.path().join("greenwave.key"), [7; 32]).expect("written");
        street.iter().zip(texts).for_each(|(file, text)| std::fs::write(file, text).expect("written"));
        let worker = Self::on(street, folder, name, bootstrap(), more);
        worker.greenwave(&["topics", "create"]);
        worker
    }

    fn on(street: [PathBuf; 3], folder: tempfile::TempDir, name: &str, bootstrap: &str, more: &str) -> Self {
        let unique = folder.path().file_name().expect("a name").to_string_lossy().replace('.', "");
        let prefix = format!("{name}-{unique}.");
        let toml = format!(
            "network = {:?}\nsensors = {:?}\n[engine]\nmode = \"control\"\n[kafka]\nprefix = \"{prefix}\"\n{more}",
            street[0], street[1],
        );
        std::fs::write(folder.path().join("greenwave.toml"), toml).expect("written");
        let (bootstrap, reached_by) = (bootstrap.to_owned(), bootstrap.to_owned());
        Self { folder, prefix, bootstrap, reached_by, password: "greenwave-test", street }
    }

    pub(crate) fn with_password(self, password: &'static str) -> Self {
        Self { password, ..self }
    }

    /// The worker itself, and only it, goes another way to the broker.
    pub(crate) fn reached_by(self, reached_by: String) -> Self {
        Self { reached_by, ..self }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenwave"));
        command.args(args).arg("--config").arg(self.folder.path().join("greenwave.toml"));
        let bootstrap = if args.first() == Some(&"run") { &self.reached_by } else { &self.bootstrap };
        command.env("KAFKA_BOOTSTRAP", bootstrap).env("GREENWAVE_TEST_PASSWORD", self.password);
        command
    }

    /// What a command says that does not succeed for want of what the broker should have or do.
    pub(crate) fn fails(&self, args: &[&str], says: &str) -> String {
        let out = self.command(args).output().expect("it runs");
        let said = String::from_utf8(out.stderr).expect("text");
        assert_eq!(out.status.code(), Some(4), "{said}");
        assert!(said.contains(says), "{said}");
        said
    }

    /// What a command says.
    pub(crate) fn greenwave(&self, args: &[&str]) -> String {
        let out = self.command(args).output().expect("it runs");
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).expect("text")
    }

    pub(crate) fn feed(&self, seconds: u32, rate: &str) {
        self.feed_from(0, seconds, rate);
    }

    /// Plays a street that begins `after` seconds after [`START_MS`].
    pub(crate) fn feed_from(&self, after: i64, seconds: u32, rate: &str) {
        let [network, sensors, demand] = self.street.each_ref().map(|path| path.to_string_lossy().into_owned());
        let (seconds, start) = (seconds.to_string(), (START_MS + after * 1000).to_string());
        self.greenwave(&[
            "feed",
            "--network",
            &network,
            "--demand",
            &demand,
            "--sensors",
            &sensors,
            "--rate",
            rate,
            "--seconds",
            &seconds,
            "--start",
            &start,
        ]);
    }

    pub(crate) fn produce(&self, topic: &str, values: &[&[u8]]) {
        let producer = self.producer();
        let topic = format!("{}{topic}", self.prefix);
        for value in values {
            producer
                .send(BaseRecord::<str, [u8]>::to(&topic).partition(0).payload(value))
                .map_err(|e| e.0)
                .expect("sent");
        }
        producer.flush(Duration::from_secs(10)).expect("delivered");
    }

    fn producer(&self) -> BaseProducer {
        let mut config = ClientConfig::new();
        let config = config.set("bootstrap.servers", &self.bootstrap).set("queue.buffering.max.messages", "2000000");
        config.create().expect("a producer")
    }

    /// Writes messages, each with a key and headers.
    pub(crate) fn tell(&self, topic: &str, messages: &[Message<'_>]) {
        let producer = self.producer();
        let topic = format!("{}{topic}", self.prefix);
        for message in messages {
            let headers = message
                .headers
                .iter()
                .fold(OwnedHeaders::new(), |headers, &(key, value)| headers.insert(Header { key, value: Some(value) }));
            let record = BaseRecord::to(&topic).key(message.key).payload(message.value).headers(headers);
            producer.send(record).map_err(|e| e.0).expect("sent");
        }
        producer.flush(Duration::from_secs(10)).expect("delivered");
    }

    pub(crate) fn spawn(&self) -> Running {
        let child = self.command(&["run"]).stdout(Stdio::null()).spawn().expect("it runs");
        Running { child, log: PathBuf::new(), address: String::new() }
    }

    /// Runs with everything logged to a file, and `/metrics` on any port.
    pub(crate) fn spawn_watched(&self) -> Running {
        self.watched(&["run", "--listen", "127.0.0.1:0"])
    }

    /// The same, when it is its turn.
    pub(crate) fn spawn_standby(&self) -> Running {
        self.watched(&["run", "--listen", "127.0.0.1:0", "--standby"])
    }

    fn watched(&self, args: &[&str]) -> Running {
        let log = tempfile::NamedTempFile::new_in(&self.folder).expect("a file").into_temp_path().keep().expect("kept");
        let mut command = self.command(args);
        command.env("GREENWAVE_LOG", "debug").stdout(Stdio::null()).stderr(File::create(&log).expect("made"));
        let mut running = Running { child: command.spawn().expect("it runs"), log, address: String::new() };
        let began = Stopwatch::start();
        while running.address.is_empty() {
            let text = running.log();
            let address = text.lines().find_map(|line| line.strip_prefix("http://")?.split_once("/metrics"));
            running.address = address.map_or_else(String::new, |(address, _)| address.to_owned());
            assert!(began.elapsed() < Span::from_s(20), "{text}");
            std::thread::sleep(Duration::from_millis(20));
        }
        running
    }

    /// What stands on a topic, as its readers see it.
    pub(crate) fn all(&self, topic: &str) -> Vec<Value> {
        let text = self.greenwave(&["tail", topic, "--from-start", "--to-end", "--json"]);
        text.lines().map(|line| serde_json::from_str(line).expect("one JSON object a line")).collect()
    }

    /// Every byte of a topic: keys, headers and values, committed or not.
    pub(crate) fn bytes(&self, topic: &str) -> Vec<u8> {
        let name = format!("{}{topic}", self.prefix);
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.bootstrap)
            .set("group.id", "grep")
            .set("enable.partition.eof", "true")
            .set("isolation.level", "read_uncommitted")
            .create()
            .expect("a consumer");
        let metadata = consumer.fetch_metadata(Some(&name), Duration::from_secs(10)).expect("it answers");
        let mut open = metadata.topics()[0].partitions().len();
        let mut list = TopicPartitionList::new();
        for partition in (0..).take(open) {
            list.add_partition_offset(&name, partition, Offset::Beginning).expect("an offset");
        }
        consumer.assign(&list).expect("assigned");
        let mut bytes = Vec::new();
        while open > 0 {
            match consumer.poll(Duration::from_secs(10)) {
                Some(Ok(message)) => {
                    bytes.extend_from_slice(message.key().unwrap_or_default());
                    bytes.extend_from_slice(message.payload().unwrap_or_default());
                    for header in message.headers().into_iter().flat_map(|headers| headers.iter()) {
                        bytes.extend_from_slice(header.key.as_bytes());
                        bytes.extend_from_slice(header.value.unwrap_or_default());
                    }
                }
                Some(Err(KafkaError::PartitionEOF(_))) => open -= 1,
                Some(Err(error)) => panic!("{topic}: {error}"),
                None => panic!("{topic} does not come to an end"),
            }
        }
        bytes
    }

    /// How many messages of the readings' topic are committed as read.
    pub(crate) fn read(&self) -> i64 {
        let ticks = self.greenwave(&["tail", "ticks", "--from-start", "--to-end", "--json"]);
        let Some(last) = ticks.lines().last() else { return 0 };
        let tick: serde_json::Value = serde_json::from_str(last).expect("JSON");
        tick["positions"][0]["next_offsets"][0].as_str().map_or(0, |text| text.parse().expect("a number"))
    }

    pub(crate) fn wait_read(&self, messages: i64) {
        let began = Stopwatch::start();
        while self.read() < messages {
            assert!(began.elapsed() < Span::from_s(60 + messages / 200), "{} of {messages} read", self.read());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Runs until so many messages are read; a worker is killed `kills` times, each a little later in its life.
    pub(crate) fn run_until_read(&self, messages: i64, later: Duration, kills: u32) {
        for kill in 0..kills {
            let worker = self.spawn();
            std::thread::sleep(Duration::from_millis(200) + later * kill);
            worker.kill();
        }
        let mut worker = self.spawn();
        self.wait_read(messages);
        worker.stop();
    }
}

/// One message to write.
#[derive(Default, Clone, Copy)]
pub(crate) struct Message<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: &'a [u8],
    pub(crate) headers: &'a [(&'a str, &'a str)],
}

/// A worker that runs; it does not outlive this.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
    address: String,
}

impl Running {
    /// Everything it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("there")
    }

    /// What it answers over HTTP, status line and all.
    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: greenwave\r\nConnection: close\r\n\r\n").expect("asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        answer
    }

    /// As a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it was alive");
        self.child.wait().expect("it is gone");
    }

    pub(crate) fn signal(&self, signal: &str) {
        let told = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status();
        assert!(told.expect("kill runs").success());
    }

    /// Waits until it ends by itself; its exit code.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }

    /// Memory it takes, KiB.
    pub(crate) fn memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("Linux");
        let row = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a row");
        row.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Tells it to stop; how long it took.
    pub(crate) fn stop(&mut self) -> Duration {
        let began = Stopwatch::start();
        self.signal("TERM");
        assert!(self.child.wait().expect("it ends").success());
        Duration::from_millis(began.elapsed().ms().unsigned_abs())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

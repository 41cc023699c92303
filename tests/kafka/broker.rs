//! A broker that is really there, and a worker that can be killed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use greenwave::shell::clock::Stopwatch;
use greenwave::time::Span;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

/// When every played street begins.
pub(crate) const START_MS: i64 = 1_772_434_800_000;

/// The address of the broker, which is started where there is none. Without one there is nothing to be tested: a
/// failure, never a skip.
fn bootstrap() -> &'static str {
    static BOOTSTRAP: OnceLock<String> = OnceLock::new();
    BOOTSTRAP.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/kafka.sh");
        let out = Command::new(script).arg("start").stderr(Stdio::inherit()).output().expect("kafka.sh runs");
        assert!(out.status.success(), "the broker does not start");
        String::from_utf8(out.stdout).expect("an address").trim().to_owned()
    })
}

/// One run of its own, under a prefix of its own.
pub(crate) struct Worker {
    folder: tempfile::TempDir,
    prefix: String,
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name)
}

impl Worker {
    pub(crate) fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let unique = folder.path().file_name().expect("a name").to_string_lossy().replace('.', "");
        let prefix = format!("{name}-{unique}.");
        let toml = format!(
            "network = {:?}\nsensors = {:?}\n[engine]\nmode = \"control\"\n[kafka]\nprefix = \"{prefix}\"\n",
            data("crossing.json"),
            data("crossing.sensors.json"),
        );
        std::fs::write(folder.path().join("greenwave.toml"), toml).expect("written");
        let worker = Self { folder, prefix };
        worker.greenwave(&["topics", "create"]);
        worker
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenwave"));
        command.args(args).arg("--config").arg(self.folder.path().join("greenwave.toml"));
        command.env("KAFKA_BOOTSTRAP", bootstrap());
        command
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
        let (network, demand, sensors) =
            (data("crossing.json"), data("crossing.demand.json"), data("crossing.sensors.json"));
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let (network, demand, sensors) = (path(&network), path(&demand), path(&sensors));
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
        let producer: BaseProducer =
            ClientConfig::new().set("bootstrap.servers", bootstrap()).create().expect("a producer");
        let topic = format!("{}{topic}", self.prefix);
        for value in values {
            producer
                .send(BaseRecord::<str, [u8]>::to(&topic).partition(0).payload(value))
                .map_err(|e| e.0)
                .expect("sent");
        }
        producer.flush(Duration::from_secs(10)).expect("delivered");
    }

    pub(crate) fn spawn(&self) -> Child {
        self.command(&["run"]).stdout(Stdio::null()).spawn().expect("it runs")
    }

    /// How many messages of the readings' topic are committed as read.
    fn read(&self) -> i64 {
        let ticks = self.greenwave(&["tail", "ticks", "--from-start", "--to-end", "--json"]);
        let Some(last) = ticks.lines().last() else { return 0 };
        let tick: serde_json::Value = serde_json::from_str(last).expect("JSON");
        tick["positions"][0]["next_offsets"][0].as_str().map_or(0, |text| text.parse().expect("a number"))
    }

    pub(crate) fn wait_read(&self, messages: i64) {
        let began = Stopwatch::start();
        while self.read() < messages {
            assert!(began.elapsed() < Span::from_s(60), "{} of {messages} read", self.read());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Runs until so many messages are read; a worker is killed `kills` times, each a little later in its life.
    pub(crate) fn run_until_read(&self, messages: i64, later: Duration, kills: u32) {
        for kill in 0..kills {
            let mut child = self.spawn();
            std::thread::sleep(Duration::from_millis(200) + later * kill);
            child.kill().expect("it was alive");
            child.wait().expect("it is gone");
        }
        let mut child = self.spawn();
        self.wait_read(messages);
        stop(&mut child);
    }
}

/// Tells a worker to stop; how long it took.
pub(crate) fn stop(child: &mut Child) -> Duration {
    let began = Stopwatch::start();
    let told = Command::new("kill").arg(child.id().to_string()).status().expect("kill runs");
    assert!(told.success());
    assert!(child.wait().expect("it ends").success());
    Duration::from_millis(began.elapsed().ms().unsigned_abs())
}

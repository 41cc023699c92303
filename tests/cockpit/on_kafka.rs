//! A live run with its cockpit: what an operator orders goes over the topic of commands, and what came of it comes back.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::bootstrap::bootstrap;
use serde_json::{Value, json};

/// A process that ends with its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn an_order_goes_over_its_topic_and_comes_back_done() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("greenwave.toml");
    let unique = folder.path().file_name().expect("a name").to_string_lossy().replace('.', "");
    let text = format!(
        "network = {:?}\nsensors = {:?}\n[engine]\nmode = \"control\"\n[kafka]\nprefix = \"cockpit-{unique}.\"\n\
         [cockpit]\nport = 0\naudit = \"audit.jsonl\"\n",
        repository("data/crossing.json"),
        repository("data/crossing.sensors.json"),
    );
    std::fs::write(&config, text).expect("written");
    let greenwave = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenwave"));
        command.args(args).env("KAFKA_BOOTSTRAP", bootstrap()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    };
    let config = config.to_str().expect("UTF-8");
    let made = greenwave(&["topics", "create", "--config", config]).output().expect("it runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let (network, sensors, demand) = (
        repository("data/crossing.json"),
        repository("data/crossing.sensors.json"),
        repository("data/crossing.demand.json"),
    );
    let feed = ["feed", "--config", config, "--network", network.to_str().expect("UTF-8"), "--sensors"];
    let feed = [&feed[..], &[sensors.to_str().expect("UTF-8"), "--demand", demand.to_str().expect("UTF-8")]].concat();
    // A broker that has just started knows its topics a little later: the first messages wait for that.
    let some = [&feed[..], &["--seconds", "2", "--rate", "max"]].concat();
    let fed = greenwave(&some).output().expect("it runs");
    assert!(fed.status.success(), "{}", String::from_utf8_lossy(&fed.stderr));
    let _feed = Process(greenwave(&feed).stderr(Stdio::null()).spawn().expect("it runs"));
    let mut run = Process(greenwave(&["run", "--config", config]).spawn().expect("it runs"));
    let mut said = BufReader::new(run.0.stderr.take().expect("it was piped"));
    let mut line = String::new();
    while !line.contains("/#") {
        line.clear();
        assert!(said.read_line(&mut line).expect("it speaks") > 0, "the run ended without an address");
    }
    let url = line.split_whitespace().find(|w| w.starts_with("http://")).expect("an address").to_owned();
    // What else it says stands in the test's own output, and must not block it.
    std::thread::spawn(move || said.lines().map_while(Result::ok).for_each(|line| println!("{line}")));
    let (address, word) = url.split_once("/#").expect("an address and a word");
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let post = |path: &str, token: &str, body: Value| -> Value {
        let call = agent.post(format!("{address}{path}")).header("authorization", format!("Bearer {token}"));
        call.send_json(body).expect("an answer").body_mut().read_json().expect("JSON")
    };
    let get = |path: &str, token: &str| -> Value {
        let call = agent.get(format!("{address}{path}")).header("authorization", format!("Bearer {token}"));
        call.call().expect("an answer").body_mut().read_json().expect("JSON")
    };
    let token = post("/api/session", "", json!({"one_time": word}))["token"].as_str().expect("a token").to_owned();
    let until = |what: &str, test: &dyn Fn() -> bool| {
        let found = (0..600).any(|_| {
            std::thread::sleep(Duration::from_millis(100));
            test()
        });
        assert!(found, "not within a minute: {what}");
    };
    let first = || get("/api/junctions", &token)[0].clone();
    until("the engine ticks and its controllers are heard", &|| first()["state"] != "unheard");
    let junction = first()["id"].clone();
    let receipt =
        post("/api/commands", &token, json!({"action": {"kind": "hold", "junction": junction}, "reason": "a test"}));
    assert_eq!(receipt["state"], "sent", "{receipt}");
    until("it is held", &|| first()["order"] == "held");
    let outcomes = get("/api/commands", &token)["outcomes"].clone();
    assert!(
        outcomes.as_array().expect("a list").iter().any(|o| o["id"] == receipt["id"] && o["done"] == true),
        "{outcomes}"
    );
    // A second cockpit on the same port is told why there is none.
    let port = address.rsplit(':').next().expect("a port");
    let taken = std::fs::read_to_string(config).expect("written").replace("port = 0", &format!("port = {port}"));
    let other = folder.path().join("other.toml");
    std::fs::write(&other, taken).expect("written");
    let refused = greenwave(&["run", "--config", other.to_str().expect("UTF-8")]).output().expect("it runs");
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(4), "{why}");
    assert!(why.contains(&format!("cockpit.port: {port} of 127.0.0.1")), "{why}");
}

//! A talk with the real binary: hello, ticks, errors that stop nothing, and a recording that replays to the byte.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use greenwave::network::NetworkSpec;
use greenwave::network::SensorKind;
use greenwave::network::sensor::{FORMAT, SensorSpec, SensorsSpec};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const BIN: &str = env!("CARGO_BIN_EXE_greenwave");
pub(crate) const T: i64 = 1_700_000_000_000;

/// The demo's city with a loop on the kerb lane of every link, as files.
pub(crate) fn world() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let spec: NetworkSpec = greenwave::twin::city::demo();
    let sensor = |link: &str| SensorSpec {
        id: format!("loop {link}"),
        kind: SensorKind::Loop,
        link: link.to_owned(),
        lane: Some(0),
        distance_m: 1.0,
        range_m: 0.0,
        interval_s: 1.0,
    };
    let sensors = SensorsSpec { format: FORMAT.into(), sensors: spec.links.iter().map(|l| sensor(&l.id)).collect() };
    fs::write(folder.path().join("city.json"), serde_json::to_vec(&spec).expect("plain data")).expect("written");
    fs::write(folder.path().join("sensors.json"), serde_json::to_vec(&sensors).expect("plain data")).expect("written");
    folder
}

/// `greenwave lockstep` in that world.
pub(crate) fn lockstep(folder: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(BIN);
    command.current_dir(folder).args(["lockstep", "--network", "city.json", "--sensors", "sensors.json"]).args(more);
    command
}

/// A running engine.
struct Engine {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Engine {
    fn start(folder: &Path, more: &[&str]) -> Self {
        let mut command = lockstep(folder, more);
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("it starts");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        Self { input: process.stdin.take(), output, process }
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it speaks");
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"))
    }

    fn say(&mut self, line: &str) {
        writeln!(self.input.as_mut().expect("open"), "{line}").expect("it listens");
    }

    /// All outputs of a tick, and its `tick_done`; or the error.
    fn tick(&mut self, tick: &Value) -> (Vec<Value>, Value) {
        self.say(&json!({ "tick": tick }).to_string());
        let mut outputs = Vec::new();
        loop {
            let line = self.line();
            match line.get("output") {
                Some(output) => outputs.push(output.clone()),
                None => return (outputs, line),
            }
        }
    }

    fn end(mut self) -> Option<i32> {
        drop(self.input.take());
        self.process.wait().expect("it ends").code()
    }
}

#[test]
fn a_talk_is_recorded_and_replays_to_the_byte() {
    let folder = world();
    let mut engine = Engine::start(folder.path(), &["--record", "talk.gwlog"]);
    let hello = engine.line();
    let hello = &hello["hello"];
    assert_eq!((&hello["tick_ms"], &hello["decision_grid_ms"]), (&json!("1000"), &json!("1000")));
    let sensors: Vec<&str> =
        hello["sensors"].as_array().expect("some").iter().filter_map(|s| s["sensor_id"].as_str()).collect();
    let junctions = hello["junctions"].as_array().expect("some");
    let mut running = BTreeMap::new();
    let mut plans = 0;
    for second in 1..=90 {
        let t = T + second * 1000;
        let counts: Vec<i64> = (0..sensors.len() as i64).map(|n| (n * 7 + second) % 2).collect();
        let shares = vec![0.25; sensors.len()];
        let loops = json!({"sensor_ids": &sensors, "counts": counts, "occupancies": shares});
        let hold =
            json!([{"command_id": "c", "at_ms": t, "operator": "o", "hold_junction_id": junctions[0]["junction_id"]}]);
        // Every lamp is red at first; later a controller need not say what it shows.
        let status = |j: &Value| {
            let name = j["junction_id"].as_str().expect("named");
            let revision = running.get(name).cloned().unwrap_or(json!(0));
            let groups = j["groups"].as_array().into_iter().flatten().filter(|_| second == 1);
            let lamps: Vec<_> = groups.map(|g| json!({"group_id": g["group_id"], "aspect": "ASPECT_RED"})).collect();
            let mode = "CONTROLLER_MODE_REMOTE";
            json!({"junction_id": name, "at_ms": t, "running_revision": revision, "mode": mode, "lamps": lamps})
        };
        let (outputs, done) = engine.tick(&json!({
            "t_ms": t,
            "status": junctions.iter().map(status).collect::<Vec<_>>(),
            "readings": {"batches": [{"end_ms": t, "interval_ms": 1000, "loops": loops}]},
            "commands": if second == 50 { hold } else { json!([]) },
        }));
        for plan in outputs.iter().filter_map(|output| output.get("plan")) {
            running.insert(plan["junction_id"].as_str().expect("named").to_owned(), plan["revision"].clone());
            plans += 1;
        }
        assert_eq!(done["tick_done"]["next_ms"], json!((t + 1000).to_string()));
        assert_eq!(done["tick_done"]["outputs"].as_u64().unwrap_or(0), outputs.len() as u64);
    }
    assert!(plans > 0, "nobody got a plan");
    assert_eq!(engine.end(), Some(0));

    let replay = |more: &[&str]| {
        let output = Command::new(BIN)
            .current_dir(folder.path())
            .args(["replay", "talk.gwlog", "--json"])
            .args(more)
            .output()
            .expect("it runs");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(text.lines().count(), 1, "exactly one object: {text}");
        (output.status.code(), serde_json::from_str::<Value>(&text).expect("JSON"))
    };
    let (code, whole) = replay(&["--out", "tables"]);
    assert_eq!((code, &whole["equal"], &whole["ticks"]), (Some(0), &json!(true), &json!(90)), "{whole}");
    assert_eq!(whole["outputs_sha256"], whole["recorded_sha256"]);
    assert_eq!(whole["plans"]["published"], json!(plans));
    let table = fs::read_to_string(folder.path().join("tables/plans.jsonl")).expect("written");
    assert_eq!(table.lines().count(), plans);
    assert_eq!(replay(&[]), (Some(0), whole.clone()), "twice the same");

    let (code, part) = replay(&["--until", "+9"]);
    assert_eq!((code, &part["ticks"], &part["equal"]), (Some(0), &json!(10), &json!(true)));

    fs::write(folder.path().join("fixed.toml"), "[engine]\ncontrol = \"fixed\"\n").expect("written");
    let (code, what_if) = replay(&["--config", "fixed.toml"]);
    assert_eq!((code, &what_if["counterfactual"], &what_if["equal"]), (Some(0), &json!(true), &Value::Null));
    assert_ne!(what_if["config_hash"], whole["config_hash"]);

    let bytes = fs::read(folder.path().join("talk.gwlog")).expect("written");
    fs::write(folder.path().join("talk.gwlog"), &bytes[..bytes.len() - 20]).expect("written");
    let (code, cut) = replay(&[]);
    assert_eq!((code, &cut["cut"], &cut["equal"]), (Some(0), &json!(true), &json!(true)));
    assert!(cut["ticks"].as_u64().is_some_and(|ticks| (1..=60).contains(&ticks)), "whole frames only: {cut}");
}

#[test]
fn what_is_not_understood_is_answered_and_changes_nothing() {
    let folder = world();
    let mut engine = Engine::start(folder.path(), &[]);
    engine.line();
    // (line, field, a word of the reason): no JSON; another message; a time that is none; off the grid; before time.
    for (number, (line, field, word)) in [
        ("what?", "", "cannot be read"),
        ("{}", "tick", "missing"),
        (r#"{"tick":{"t_ms":"noon"}}"#, "tick.t_ms", "digit"),
        (r#"{"tick":{"t_ms":1700000000500}}"#, "tick.t_ms", "multiple"),
        (r#"{"tick":{"t_ms":-1000}}"#, "tick.t_ms", "not within"),
    ]
    .into_iter()
    .enumerate()
    {
        engine.say(line);
        let error = engine.line()["error"].clone();
        assert_eq!(error["line"], json!((number + 1).to_string()), "{line}: {error}");
        assert_eq!(error["field"].as_str().unwrap_or_default(), field, "{line}: {error}");
        assert!(error["reason"].as_str().is_some_and(|reason| reason.contains(word)), "{line}: {error}");
    }
    let unknown = json!({"sensor_id": "nobody", "end_ms": T, "interval_ms": 1000, "loop": {"count": 1}});
    let (outputs, done) = engine.tick(&json!({"t_ms": T, "readings": {"readings": [unknown]}}));
    let rejection = outputs.iter().find_map(|output| output.get("rejection")).expect("not lost");
    assert_eq!((&rejection["source"], &rejection["reason"]), (&json!("nobody"), &json!("is no sensor")));
    assert_eq!(done["tick_done"]["t_ms"], json!(T.to_string()));
    let (_, error) = engine.tick(&json!({"t_ms": T + 2000}));
    assert!(error["error"]["reason"].as_str().is_some_and(|r| r.contains("1700000001000")), "{error}");
    let (_, done) = engine.tick(&json!({"t_ms": T + 1000}));
    assert_eq!(done["tick_done"]["next_ms"], json!((T + 2000).to_string()));
    assert_eq!(engine.end(), Some(0));
}

#[test]
fn a_faulty_start_is_refused_with_its_exit_code() {
    let folder = world();
    let run = |args: &[&str]| {
        let output = Command::new(BIN).current_dir(folder.path()).args(args).stdin(Stdio::null()).output();
        let output = output.expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    fs::write(folder.path().join("bad.toml"), "[engine]\nspeed = 9\n").expect("written");
    fs::write(folder.path().join("bad.json"), "{\"format\": 3}").expect("written");
    // (arguments, exit code, what stderr names)
    for (args, code, names) in [
        (&["lockstep"][..], 2, "--network"),
        (&["lockstep", "--network", "none.json"], 1, "none.json"),
        (&["lockstep", "--network", "bad.json"], 1, "line 1 column"),
        (&["lockstep", "--network", "city.json", "--config", "bad.toml"], 1, "speed"),
        (&["lockstep", "--network", "city.json", "--record", "no/where.gwlog"], 4, "no/where.gwlog"),
        (&["replay", "city.json"], 1, "no log"),
        (&["replay", "city.json", "--speed", "fast"], 2, "fast"),
    ] {
        let (found, text) = run(args);
        assert_eq!(found, Some(code), "{args:?}: {text}");
        assert!(text.contains(names), "{args:?}: {text}");
    }
}

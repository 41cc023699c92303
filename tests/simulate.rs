//! `greenwave simulate` as people call it: every control on a small world, the shape of its result, equal seeds.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Runs it on the corridor with `more` arguments.
fn simulate(more: &[&str]) -> Output {
    run(&[&["--demand", "corridor.demand.json"], more].concat())
}

/// The same, the demand left to `more`.
fn run(more: &[&str]) -> Output {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    Command::new(env!("CARGO_BIN_EXE_greenwave"))
        .current_dir(data)
        .args(["simulate", "--network", "corridor.json"])
        .args(more)
        .output()
        .expect("it starts")
}

fn result(more: &[&str]) -> Value {
    let output = simulate(&[&["--minutes", "8", "--json"], more].concat());
    assert!(output.status.success(), "{more:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("stdout is one JSON object")
}

#[test]
fn every_control_moves_traffic_and_shows_nothing_unsafe() {
    for control in ["fixed", "actuated", "max-pressure", "greenwave"] {
        let found = result(&["--control", control]);
        let number = |field: &str| found[field].as_f64().unwrap_or(f64::NAN);
        let count = |field: &str| found[field].as_u64().expect("a count");
        assert_eq!(found["control"], control);
        assert_eq!(found["network"], json!({"junctions": 5, "links": 36}), "{control}");
        assert_eq!(count("departed"), count("arrived") + count("unfinished") + count("never_entered"), "{control}");
        assert!(count("arrived") > 200, "{control}: {found}");
        assert!((1.0..4.0).contains(&number("delay_index")), "{control}: {found}");
        assert!((number("throughput") - number("arrived") * 60.0 / 8.0).abs() < 1e-9, "{control}: {found}");
        assert_eq!(found["plans"]["unsafe"], 0, "{control}");
        assert_eq!(found["plans"]["published"] == 0, control == "fixed", "{control}: {found}");
    }
}

#[test]
fn the_object_has_these_fields_and_no_other() {
    let found = result(&["--control", "fixed", "--plan", "webster", "--seed", "7"]);
    let names: Vec<&str> = found.as_object().expect("an object").keys().map(String::as_str).collect();
    let documented = [
        "arrived",
        "begin_s",
        "conditions",
        "control",
        "delay_index",
        "departed",
        "left_out",
        "limits",
        "mean_travel_time_s",
        "minutes",
        "network",
        "never_entered",
        "plan",
        "plans",
        "seed",
        "stops_per_vehicle",
        "throughput",
        "tpi",
        "unfinished",
    ];
    assert_eq!(names, documented);
    let asked = (&found["seed"], &found["minutes"], &found["plan"], &found["begin_s"]);
    assert_eq!(asked, (&json!(7), &json!(8), &json!("webster"), &json!(0.0)));
    let help = Command::new(env!("CARGO_BIN_EXE_greenwave")).args(["simulate", "--help"]).output().expect("it starts");
    let help = String::from_utf8(help.stdout).expect("text");
    assert!(documented.iter().all(|name| help.contains(name)), "--help documents every field");
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
    let run = |seed: &str| result(&["--control", "greenwave", "--seed", seed]);
    let (first, other) = (run("3"), run("4"));
    assert_eq!(first, run("3"));
    assert_ne!(first["mean_travel_time_s"], other["mean_travel_time_s"]);
}

#[test]
fn what_is_recorded_replays_to_the_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("run.gwlog");
    let log = log.to_str().expect("a plain path");
    for control in ["fixed", "greenwave"] {
        result(&["--control", control, "--record", log]);
        let replay = Command::new(env!("CARGO_BIN_EXE_greenwave")).args(["replay", log, "--json"]).output();
        let replay: Value = serde_json::from_slice(&replay.expect("it starts").stdout).expect("one JSON object");
        assert_eq!((&replay["equal"], &replay["ticks"]), (&json!(true), &json!(480)), "{control}: {replay}");
    }
}

#[test]
fn a_change_waits_for_those_inside_whether_it_was_planned_ahead_or_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a plain path").to_owned();
    let (log, tables) = (path("run.gwlog"), path("tables"));
    assert!(simulate(&["--control", "greenwave", "--minutes", "30", "--record", &log]).status.success());
    let replay = Command::new(env!("CARGO_BIN_EXE_greenwave")).args(["replay", &log, "--out", &tables]).output();
    assert!(replay.expect("it starts").status.success());
    let plans = std::fs::read_to_string(path("tables/plans.jsonl")).expect("the plans");
    let (mut at_once, mut ahead) = (0, 0);
    for plan in plans.lines().map(|line| serde_json::from_str::<Value>(line).expect("a plan")) {
        let ms = |field: &Value| field.as_str().and_then(|ms| ms.parse::<i64>().ok()).or(field.as_i64()).unwrap_or(0);
        let next = &plan["prefix"][0];
        if ms(&next["clear_ms"]) > 0 {
            let begins_later = ms(&next["at_ms"]) > ms(&plan["effective_from_ms"]);
            *(if begins_later { &mut ahead } else { &mut at_once }) += 1;
        }
    }
    assert!(at_once > 0 && ahead > 0, "{at_once} at once, {ahead} ahead");
}

#[test]
fn faulty_input_is_named_and_has_its_exit_code() {
    // (arguments, exit code, what stderr names)
    for (more, code, says) in [
        (&[][..], 2, "--demand"),
        (&["--demand", "corridor.demand.json", "--control", "clever"], 2, "clever"),
        (&["--demand", "corridor.demand.json", "--minutes", "0"], 2, "minutes"),
        (&["--demand", "corridor.demand.json", "--sensors", "corridor.json"], 1, "corridor.json"),
        (&["--demand", "crossing.demand.json"], 1, "crossing.demand.json"),
        (&["--demand", "nowhere.json"], 1, "nowhere.json"),
    ] {
        let output = run(more);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{more:?}: {stderr}");
        assert!(stderr.contains(says), "{more:?}: {stderr}");
    }
}

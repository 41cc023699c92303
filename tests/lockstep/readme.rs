//! `proto/README.md` is true: every example is the message it says, and its Python client works as printed.

use std::fs;
use std::process::Command;

use greenwave::wire::{json, v1};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::talk::{BIN, world};

const README: &str = include_str!("../../proto/README.md");

/// The fenced blocks whose opening line begins with `kind`: the rest of that line, and the text.
fn blocks(kind: &str) -> Vec<(&'static str, &'static str)> {
    let fence = format!("```{kind}");
    let pieces = README.split(fence.as_str()).skip(1);
    pieces
        .filter_map(|piece| piece.split("```").next()?.split_once('\n'))
        .map(|(head, text)| (head.trim(), text))
        .collect()
}

/// Every field of `example` that says something must come back, or its name is misspelt.
fn same(example: &Value, back: &Value, path: &str) {
    match (example, back) {
        (Value::Object(fields), _) => {
            for (key, value) in fields {
                let says_nothing = matches!(value, Value::Bool(false)) || value.as_array().is_some_and(Vec::is_empty);
                if !says_nothing {
                    same(value, back.get(key).unwrap_or(&Value::Null), &format!("{path}.{key}"));
                }
            }
        }
        (Value::Array(items), Value::Array(found)) => {
            assert_eq!(items.len(), found.len(), "{path}");
            items.iter().zip(found).enumerate().for_each(|(i, (a, b))| same(a, b, &format!("{path}[{i}]")));
        }
        _ => {
            let number = |v: &Value| v.as_f64().or_else(|| v.as_str()?.parse().ok());
            let equal = example == back || number(example).is_some_and(|n| number(back) == Some(n));
            assert!(equal || example.as_f64() == Some(0.0), "{path}: {example} came back as {back}");
        }
    }
}

fn holds<M: Serialize + DeserializeOwned>(text: &str) {
    let message: M = json::parse(text).unwrap_or_else(|wrong| panic!("{wrong}: {text}"));
    let example: Value = serde_json::from_str(text).expect("JSON");
    same(&example, &serde_json::to_value(&message).expect("plain data"), "");
}

#[test]
fn every_example_is_what_it_says() {
    let examples = blocks("json ");
    assert!(examples.len() > 20, "{} examples", examples.len());
    for (kind, text) in examples {
        match kind {
            "Readings" => holds::<v1::Readings>(text),
            "SignalReport" => holds::<v1::SignalReport>(text),
            "VehiclePosition" => holds::<v1::VehiclePosition>(text),
            "PriorityRequest" => holds::<v1::PriorityRequest>(text),
            "OperatorCommand" => holds::<v1::OperatorCommand>(text),
            "Plan" => holds::<v1::Plan>(text),
            "PlanRefused" => holds::<v1::PlanRefused>(text),
            "IndexReport" => holds::<v1::IndexReport>(text),
            "Rejection" => holds::<v1::Rejection>(text),
            "SensorHealth" => holds::<v1::SensorHealth>(text),
            "LadderChange" => holds::<v1::LadderChange>(text),
            "Alarm" => holds::<v1::Alarm>(text),
            "Corridor" => holds::<v1::Corridor>(text),
            "CommandOutcome" => holds::<v1::CommandOutcome>(text),
            "LockstepRequest" => holds::<v1::LockstepRequest>(text),
            "LockstepResponse" => holds::<v1::LockstepResponse>(text),
            other => panic!("no message {other}"),
        }
    }
}

#[test]
fn the_python_client_works_as_printed() {
    let [("", client)] = blocks("python")[..] else { panic!("one Python client") };
    if Command::new("python3").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "CI has to have python3");
        return;
    }
    let folder = world();
    fs::write(folder.path().join("client.py"), client).expect("written");
    let output = Command::new("python3")
        .current_dir(folder.path())
        .args(["client.py", "90", BIN, "lockstep", "--network", "city.json", "--sensors", "sensors.json"])
        .output()
        .expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let result: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((result["ticks"].as_u64(), result["exit"].as_i64()), (Some(90), Some(0)), "{result} {errors}");
    assert!(result["plans"].as_u64() > Some(0), "{result}");
}

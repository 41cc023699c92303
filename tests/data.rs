//! The worlds in `data/` are what the generator draws, and every one of them is sound.
//!
//! `GREENWAVE_WRITE_DATA=1 cargo test --test data` writes them anew.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use greenwave::network::layout::{Layout, layout};
use greenwave::network::limits::Limits;
use greenwave::network::sensor::SensorsSpec;
use greenwave::network::{Network, NetworkSpec, Sensors};
use greenwave::twin::city::small;
use greenwave::twin::demand::{Demand, DemandSpec};
use serde::Serialize;
use serde_json::Value;

type Draw = fn() -> NetworkSpec;

const WORLDS: [(&str, Draw); 4] = [
    ("left_hand", small::left_hand),
    ("ring_barrier", small::ring_barrier),
    ("crossing", small::crossing),
    ("corridor", small::corridor),
];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name)
}

/// One row of a table on one line: good to read, good to compare.
fn lines(value: &impl Serialize) -> String {
    let Ok(Value::Object(fields)) = serde_json::to_value(value) else { panic!("a world's file is an object") };
    let mut text = String::from("{");
    for (position, (name, field)) in fields.iter().enumerate() {
        let comma = if position == 0 { "" } else { "," };
        write!(text, "{comma}\n{name:?}: ").expect("a string takes all");
        match field {
            Value::Array(rows) if !rows.is_empty() => {
                let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
                write!(text, "[\n{}\n]", rows.join(",\n")).expect("a string takes all");
            }
            other => write!(text, "{other}").expect("a string takes all"),
        }
    }
    text.push_str("\n}\n");
    text
}

fn kept(name: &str, generated: &str) {
    if std::env::var_os("GREENWAVE_WRITE_DATA").is_some() {
        fs::write(path(name), generated).expect("data/ can be written");
    }
    let found = fs::read_to_string(path(name)).expect("the file is there");
    assert_eq!(found, generated, "{name} is not what the generator draws");
}

#[test]
fn the_files_are_what_the_generator_draws_and_sound() {
    for (name, draw) in WORLDS {
        kept(&format!("{name}.json"), &lines(&draw()));
        let text = fs::read_to_string(path(&format!("{name}.json"))).expect("the file is there");
        let spec: NetworkSpec = serde_json::from_str(&text).expect("it is a network file");
        assert_eq!(spec, draw(), "{name}: the file says what was drawn");
        let network = Network::build(spec, &Limits::default()).expect("it is sound");

        let sensors = layout(&network, Layout::Full);
        kept(&format!("{name}.sensors.json"), &lines(&sensors));
        let text = fs::read_to_string(path(&format!("{name}.sensors.json"))).expect("the file is there");
        let spec: SensorsSpec = serde_json::from_str(&text).expect("it is a sensors file");
        assert!(!Sensors::build(&spec, &network).expect("they stand where they can").table().is_empty());

        let demand = small::demand(&network);
        kept(&format!("{name}.demand.json"), &lines(&demand.spec(&network, "drawn at random by greenwave")));
        let text = fs::read_to_string(path(&format!("{name}.demand.json"))).expect("the file is there");
        let spec: DemandSpec = serde_json::from_str(&text).expect("it is a demand file");
        assert_eq!(Demand::build(&spec, &network), Ok(demand));
    }
}

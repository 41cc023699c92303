//! Damaged files: whatever happens to a byte of them, they are read or refused with a reason.
//!
//! `GREENWAVE_MUTATIONS` says how many in all (default 4 000; a soak takes 100 000). A failure prints its seed.

use greenwave::network::import::{cityflow, sumo};
use greenwave::network::layout::{Layout, layout};
use greenwave::network::limits::Limits;
use greenwave::network::sensor::SensorsSpec;
use greenwave::network::{Network, NetworkSpec, Sensors};
use greenwave::twin::demand::import::read;
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::input;

/// What damage is made of, besides bytes.
const WORDS: [&str; 24] = [
    "0",
    "-1",
    "1e308",
    "NaN",
    "inf",
    "99999999999999999999",
    "0.0000001",
    "4095",
    "63",
    "\"",
    "<",
    ">",
    "/>",
    "=",
    "&amp;",
    "&#0;",
    "null",
    "[]",
    "{}",
    "\u{fffd}",
    "-9e99",
    "]]>",
    "<!--",
    "true",
];

/// Prints the seed if the test fails.
struct Seed(&'static str, u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{} with seed {}", self.0, self.1);
        }
    }
}

fn below(dice: &mut Pcg64Mcg, end: usize) -> usize {
    (dice.next_u64() % end.max(1) as u64) as usize
}

/// `text` with one to four damages: a byte flipped, a stretch gone, doubled or moved, a word or number put in.
fn damaged(text: &str, dice: &mut Pcg64Mcg) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=below(dice, 4) {
        let at = below(dice, bytes.len());
        let end = (at + 1 + below(dice, 40)).min(bytes.len());
        let word = WORDS[below(dice, WORDS.len())].bytes();
        match below(dice, 7) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << below(dice, 8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            3 => {
                let moved: Vec<u8> = bytes.drain(at..end).collect();
                let to = below(dice, bytes.len());
                bytes.splice(to..to, moved);
            }
            4 => bytes.truncate(at.max(bytes.len() / 2)),
            // A number, wherever the next one is, becomes another.
            5 => {
                let digit = |b: &u8| b.is_ascii_digit();
                let Some(first) = bytes[at..].iter().position(digit).map(|k| at + k) else { continue };
                let last = bytes[first..].iter().position(|b| !digit(b)).map_or(bytes.len(), |k| first + k);
                bytes.splice(first..last, word);
            }
            _ => drop(bytes.splice(at..at, word)),
        }
    }
    bytes
}

fn each(what: &'static str, share: u64, text: &str, mut take: impl FnMut(&[u8]) -> Result<(), String>) {
    let all = std::env::var("GREENWAVE_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(4_000_u64);
    let mut refused = 0;
    for seed in 0..all * share / 100 {
        let named = Seed(what, seed);
        let bytes = damaged(text, &mut Pcg64Mcg::seed_from_u64(named.1));
        if let Err(reason) = take(&bytes) {
            assert!(reason.len() > 8, "a refusal says why: {reason:?}");
            refused += 1;
        }
    }
    assert!(refused > all * share / 1000, "damage is noticed: {refused}");
}

fn used(network: &Network) -> Result<(), String> {
    let sensors = Sensors::build(&layout(network, Layout::Full), network);
    assert!(sensors.is_ok(), "a layout fits its network: {sensors:?}");
    Ok(())
}

fn build(spec: NetworkSpec) -> Result<(), String> {
    let faults = |f: Vec<greenwave::network::Fault>| f.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    used(&Network::build(spec, &Limits::default()).map_err(faults)?)
}

#[test]
fn sumo_networks() {
    let none = std::iter::empty::<&[u8]>;
    each("net.xml", 30, input::NET, |bytes| build(sumo::import("t", bytes, none()).map_err(|e| e.to_string())?.spec));
    each("tls.add.xml", 5, input::PROGRAMS, |bytes| {
        build(sumo::import("t", input::NET.as_bytes(), [bytes]).map_err(|e| e.to_string())?.spec)
    });
}

#[test]
fn cityflow_networks() {
    each("roadnet.json", 25, input::ROADNET, |bytes| {
        build(cityflow::import("t", bytes).map_err(|e| e.to_string())?.spec)
    });
}

#[test]
fn our_own_networks_and_sensors() {
    let none = std::iter::empty::<&[u8]>;
    let spec = sumo::import("t", input::NET.as_bytes(), none()).expect("it is well written").spec;
    let text = serde_json::to_string(&spec).expect("a specification is JSON");
    each("network.json", 20, &text, |bytes| build(serde_json::from_slice(bytes).map_err(|e| e.to_string())?));
    let network = Network::build(spec, &Limits::default()).expect("it is sound");
    let text = serde_json::to_string(&layout(&network, Layout::Full)).expect("a specification is JSON");
    each("sensors.json", 5, &text, |bytes| {
        let spec: SensorsSpec = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        Sensors::build(&spec, &network).map(drop).map_err(|faults| format!("{faults:?}"))
    });
}

#[test]
fn demand() {
    let none = std::iter::empty::<&[u8]>;
    let spec = sumo::import("t", input::NET.as_bytes(), none()).expect("it is well written").spec;
    let network = Network::build(spec, &Limits::default()).expect("it is sound");
    each("rou.xml", 5, input::ROUTES, |bytes| read(&[bytes], &network).map(drop).map_err(|e| e.to_string()));
    let own = read(&[input::ROUTES.as_bytes()], &network).expect("it is sound").demand;
    let text = serde_json::to_string(&own.spec(&network, "here")).expect("a specification is JSON");
    each("demand.json", 5, &text, |bytes| read(&[bytes], &network).map(drop).map_err(|e| e.to_string()));
    let spec = cityflow::import("t", input::ROADNET.as_bytes()).expect("it is well written").spec;
    let network = Network::build(spec, &Limits::default()).expect("it is sound");
    each("flow.json", 5, input::FLOW, |bytes| read(&[bytes], &network).map(drop).map_err(|e| e.to_string()));
}

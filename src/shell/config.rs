//! The configuration: a TOML file, the environment over it, every key with its unit, range and default.

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::cli::Failure;
use super::http;
use super::kafka;
use crate::engine::Settings;

/// One key of the section `[engine]`: name, unit, least, most, and what it does. What is no number has no range.
pub type Key = (&'static str, &'static str, Option<(i64, i64)>, &'static str);

/// Every key of the section `[engine]`.
pub const KEYS: &[Key] = &[
    ("tick_ms", "ms", Some((100, 5_000)), "time between two steps"),
    ("lateness_ms", "ms", Some((0, 60_000)), "a reading this late is still used for control"),
    ("lead_ms", "ms", Some((0, 60_000)), "a plan counts from now + this at the earliest"),
    ("grid_ms", "ms", Some((100, 60_000)), "stage changes begin only at multiples of this; a limits file may set it"),
    (
        "validity_ms",
        "ms",
        Some((10_000, 3_600_000)),
        "how long a plan counts; then the controller runs its own program",
    ),
    ("mode", "", None, "what is done with plans: \"shadow\", \"advise\" or \"control\""),
    (
        "control",
        "",
        None,
        "who decides: \"greenwave\", \"fixed\", \"actuated\", \"max-pressure\", or \"watch\", nobody, for history",
    ),
    (
        "activate",
        "",
        None,
        "which priority requests need no operator: \"none\", \"fire\", \"ambulance\", \"police\" or \"transit\", and all more urgent ones",
    ),
    ("requests_per_minute", "", Some((0, 1_000)), "so many priority requests a minute are taken of one authority"),
    (
        "vehicle_silence_s",
        "s",
        Some((5, 600)),
        "a priority request whose vehicle has said nothing for so long is timed out",
    ),
    ("index_every_s", "s", Some((1, 86_400)), "how often the index of links and zones is reported"),
];

/// How a run is set up.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// A limits file that overrides those of the network; relative to the configuration file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<PathBuf>,
    /// The network file of a live run; relative to the configuration file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<PathBuf>,
    /// The sensors file of a live run; relative to the configuration file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sensors: Option<PathBuf>,
    /// Where a live run answers `/metrics`, `/health` and `/ready`: an address and a port; nowhere without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// How the engine works.
    #[serde(rename = "engine")]
    pub settings: Settings,
    /// How a live run meets Kafka.
    pub kafka: kafka::Settings,
    /// The cockpit of a live run; none without the section.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cockpit: Option<http::settings::Settings>,
}

impl Config {
    /// `defaults`, overridden by the file at `path`, overridden by `GREENWAVE_ENGINE__<KEY>` of the environment.
    ///
    /// # Errors
    /// When the file cannot be read; an unknown key or a value of the wrong kind or range, by its name.
    pub fn load(path: Option<&Path>, defaults: Settings) -> Result<Self, Failure> {
        let text = match path {
            Some(path) => {
                Some(std::fs::read_to_string(path).map_err(|source| Failure::Read { path: path.into(), source })?)
            }
            None => None,
        };
        let env = Env::prefixed("GREENWAVE_ENGINE__").map(|key| format!("engine.{}", key.as_str()).into());
        let figment = layers(text.as_deref().unwrap_or_default(), defaults).merge(env);
        let place = path.unwrap_or(Path::new("environment"));
        let mut config = extract(&figment).map_err(|why| Failure::Parse { path: place.into(), why })?;
        if let Some(folder) = path.and_then(Path::parent) {
            for file in [&mut config.limits, &mut config.network, &mut config.sensors].into_iter().flatten() {
                *file = folder.join(&*file);
            }
            for file in config.cockpit.iter_mut().flat_map(http::settings::Settings::files) {
                *file = folder.join(&*file);
            }
            for file in config.kafka.files() {
                *file = folder.join(&*file);
            }
            config.kafka.privacy.own_key_file = Some(folder.join("greenwave.key"));
        }
        Ok(config)
    }

    /// The configuration that a log carries; no file beside it, no environment.
    ///
    /// # Errors
    /// An unknown key or a value of the wrong kind or range, by its name.
    pub fn recorded(toml: &str) -> Result<Self, String> {
        extract(&layers(toml, Settings::default()))
    }

    /// All settings in force as TOML, keys in order: what a log carries.
    pub fn canonical(&self) -> String {
        let value = serde_json::to_value(&self.settings).unwrap_or_default();
        let keys = value.as_object().into_iter().flatten();
        // What a setting can be, a number, a truth or a plain word, is written alike in JSON and TOML.
        keys.fold("[engine]\n".to_owned(), |text, (key, value)| text + &format!("{key} = {value}\n"))
    }

    /// SHA-256 of [`Config::canonical`].
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.canonical()).into()
    }
}

fn layers(toml: &str, defaults: Settings) -> Figment {
    Figment::from(Serialized::defaults(Config { settings: defaults, ..Config::default() })).merge(Toml::string(toml))
}

fn extract(figment: &Figment) -> Result<Config, String> {
    let config: Config = figment.extract().map_err(|e| e.to_string())?;
    let value = serde_json::to_value(&config.settings).unwrap_or_default();
    let mut faults: Vec<String> = KEYS.iter().filter_map(|key| fault(key, value.get(key.0)?.as_i64()?)).collect();
    faults.extend(config.kafka.faults());
    faults.extend(config.cockpit.iter().flat_map(http::settings::Settings::faults));
    let Settings { tick_ms, grid_ms, .. } = config.settings;
    match faults.as_slice() {
        [] if grid_ms % tick_ms != 0 && tick_ms % grid_ms != 0 => Err(format!(
            "engine.grid_ms: {grid_ms} does not fit engine.tick_ms {tick_ms}: one must be a multiple of the other"
        )),
        [] => Ok(config),
        _ => Err(faults.join("\n")),
    }
}

fn fault(&(name, unit, range, _): &Key, value: i64) -> Option<String> {
    let (min, max) = range?;
    (!(min..=max).contains(&value))
        .then(|| format!("engine.{name}: {value} {unit} is not within {min} to {max} {unit}"))
}

/// Every key with its unit, range and default, for people.
pub fn described() -> String {
    let defaults = serde_json::to_value(Settings::default()).unwrap_or_default();
    let line = |&(name, unit, range, what): &Key| {
        let range = range.map_or_else(String::new, |(min, max)| format!(", {min} to {max} {unit}"));
        let default = defaults.get(name).map_or_else(String::new, ToString::to_string);
        format!("  {name} = {default}\n      {what}{range}\n")
    };
    let keys: String = KEYS.iter().map(line).collect();
    format!(
        "Keys of --config, TOML, section [engine], with their defaults (each also as GREENWAVE_ENGINE__<KEY>):\n{keys}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_documented_and_its_default_is_in_range() {
        let settings = serde_json::to_value(Settings::default()).expect("plain data");
        let mut documented: Vec<&str> = KEYS.iter().map(|key| key.0).collect();
        documented.sort_unstable();
        let known: Vec<&str> = settings.as_object().expect("a struct").keys().map(String::as_str).collect();
        assert_eq!(documented, known);
        assert_eq!(Config::recorded(""), Ok(Config::default()));
    }

    #[test]
    fn a_faulty_key_is_named() {
        // (file, what the fault says): an unknown key; a number out of range; a word for a number; an unknown word; a
        // grid that no tick meets.
        for (toml, says) in [
            ("[engine]\ntikc_ms = 1", "tikc_ms"),
            ("[engine]\ntick_ms = 50", "engine.tick_ms: 50 ms is not within 100 to 5000 ms"),
            ("[engine]\ntick_ms = \"fast\"", "engine.tick_ms"),
            ("[engine]\nmode = \"chaos\"", "chaos"),
            ("[engine]\ntick_ms = 700", "engine.grid_ms: 1000 does not fit engine.tick_ms 700"),
            ("[kafak]\n", "kafak"),
            ("[cockpit]\ndual = [\"dance\"]", "cockpit.dual: dance is none of hold, release"),
            ("[cockpit]\nstyle = \"ftp://tiles\"", "cockpit.style: ftp://tiles does not begin with https://"),
            ("[kafka]\nrepeat_s = 1", "kafka.repeat_s: 1 s is not within 60 to 604800 s"),
        ] {
            let why = Config::recorded(toml).expect_err(toml);
            assert!(why.contains(says), "{toml}: {why}");
        }
    }

    #[test]
    fn the_canonical_text_is_read_back_to_the_same_hash() {
        let config = Config::recorded("[engine]\nmode = \"control\"\nlead_ms = 0").expect("sound");
        let again = Config::recorded(&config.canonical()).expect("sound");
        assert_eq!((again.hash(), &again), (config.hash(), &config));
        assert_ne!(config.hash(), Config::default().hash());
    }
}

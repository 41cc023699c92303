//! The section `[kafka]` of the configuration: where the broker is, who we are there, and how sure delivery is.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How a run meets Kafka.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// `host:port`, several with commas. `KAFKA_BOOTSTRAP` in the environment takes precedence.
    pub bootstrap: String,
    /// Who this run is: its offsets are kept under this name, and a worker that starts takes over from the one before.
    pub group: String,
    /// Goes before the name of every topic.
    pub prefix: String,
    /// How sure delivery is.
    pub delivery: Delivery,
    /// Where a group begins that has never run.
    pub start: Start,
    /// What the engine has become is written down this often, s of event time: 1 to 86 400; 0 for never.
    pub snapshot_s: u32,
    /// A worker that starts and finds no snapshot repeats so much of what was committed, s of event time: 60 to 604 800.
    pub repeat_s: u32,
    /// Messages that wait to be used take at most this much memory, MiB: 8 to 65 536.
    pub backlog_mib: u32,
    /// How long the worker in turn waits in a tick for what others search for it, ms: 1 to 1000, and at most half a tick; 0
    /// where each searches for itself.
    pub share_wait_ms: u32,
    /// Where others hold zones in which fewer junctions than this are to be searched in a tick, the worker in turn does it
    /// itself: 1 to 1 000 000.
    pub share_from: u32,
    /// Copies that `topics create` asks for; none leaves it to the broker.
    pub replication: Option<u16>,
    /// How the broker is spoken to.
    pub security: Security,
    /// What vehicles' ids and unreadable texts become.
    pub privacy: Privacy,
}

/// Where the secret is of which pseudonyms are made. Every worker of a group needs the same, and a worker that starts the
/// one from before, or what it repeats differs from what was said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Privacy {
    /// The variable of the environment that holds it.
    pub key_env: Option<String>,
    /// The file that holds it.
    pub key_file: Option<PathBuf>,
    /// Where one is made if neither is named: beside the configuration.
    #[serde(skip)]
    pub own_key_file: Option<PathBuf>,
}

/// How sure delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Everything a tick says, and how far it read, in one transaction: `read_committed` readers see each once.
    #[default]
    ExactlyOnce,
    /// For brokers without transactions: after a crash the last ticks' outputs may come again.
    AtLeastOnce,
}

/// Where a group begins that has never run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// With all that the topics still hold.
    #[default]
    Earliest,
    /// With what comes from now on.
    Latest,
}

/// How the broker is spoken to. A secret never stands in the file: it names where the secret is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Security {
    /// TLS, trusting the certificates of this file, or those of the system when it is empty.
    pub tls_ca_file: Option<PathBuf>,
    /// The own certificate, PEM, where the broker asks for one.
    pub tls_certificate_file: Option<PathBuf>,
    /// Its key, PEM.
    pub tls_key_file: Option<PathBuf>,
    /// The SASL mechanism.
    pub sasl: Option<Mechanism>,
    /// The SASL user.
    pub user: Option<String>,
    /// The variable of the environment that holds the password.
    pub password_env: Option<String>,
    /// The file that holds the password; a line end at its end is cut off.
    pub password_file: Option<PathBuf>,
}

/// A SASL mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mechanism {
    /// Salted challenge and response.
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
    /// The password as it is: only over TLS.
    #[serde(rename = "PLAIN")]
    Plain,
}

impl Mechanism {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::ScramSha512 => "SCRAM-SHA-512",
            Self::Plain => "PLAIN",
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bootstrap: "127.0.0.1:9092".into(),
            group: "greenwave".into(),
            prefix: String::new(),
            delivery: Delivery::default(),
            start: Start::default(),
            snapshot_s: 60,
            repeat_s: 3600,
            backlog_mib: 256,
            share_wait_ms: 100,
            share_from: 50,
            replication: None,
            security: Security::default(),
            privacy: Privacy::default(),
        }
    }
}

impl Settings {
    /// The files that it names.
    pub fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let Security { tls_ca_file, tls_certificate_file, tls_key_file, password_file, .. } = &mut self.security;
        [tls_ca_file, tls_certificate_file, tls_key_file, password_file, &mut self.privacy.key_file]
            .into_iter()
            .flatten()
            .filter(|path| !path.as_os_str().is_empty())
    }

    /// What is wrong with it, by key, value and limit.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut within = |key: &str, value: u64, min: u64, max: u64, unit: &str| {
            if !(min..=max).contains(&value) {
                faults.push(format!("kafka.{key}: {value} {unit} is not within {min} to {max} {unit}"));
            }
        };
        within("snapshot_s", self.snapshot_s.into(), 0, 86_400, "s");
        within("repeat_s", self.repeat_s.into(), 60, 604_800, "s");
        within("share_wait_ms", self.share_wait_ms.into(), 0, 1000, "ms");
        within("share_from", self.share_from.into(), 1, 1_000_000, "junctions");
        within("backlog_mib", self.backlog_mib.into(), 8, 65_536, "MiB");
        let allowed = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        for (key, text) in [("group", &self.group), ("prefix", &self.prefix)] {
            if !allowed(text) || text.len() > 100 {
                faults.push(format!("kafka.{key}: \"{text}\" is not at most 100 letters, digits, '.', '_' and '-'"));
            }
        }
        if self.group.is_empty() {
            faults.push("kafka.group: it is empty".into());
        }
        let security = &self.security;
        if security.sasl.is_some() && security.user.is_none() {
            faults.push("kafka.security.user: it is missing, and sasl needs it".into());
        }
        if security.sasl.is_some() && security.password_env.is_none() && security.password_file.is_none() {
            faults.push("kafka.security.password_env or password_file: one is needed for sasl".into());
        }
        if security.sasl == Some(Mechanism::Plain) && security.tls_ca_file.is_none() {
            faults.push("kafka.security.sasl: PLAIN sends the password as it is; it needs tls_ca_file".into());
        }
        faults
    }
}

/// Every key for people, as `--help` shows them.
pub const DESCRIBED: &str = "\
Keys of section [kafka], with their defaults:
  bootstrap = \"127.0.0.1:9092\"
      host:port, several with commas; KAFKA_BOOTSTRAP takes precedence
  group = \"greenwave\"
      who this run is; a worker that starts takes over from the one before
  prefix = \"\"
      goes before the name of every topic
  delivery = \"exactly-once\"
      or \"at-least-once\", for brokers without transactions
  start = \"earliest\"
      where a group begins that has never run: \"earliest\" or \"latest\"
  snapshot_s = 60
      how often what the engine has become is written down; 0 to 86400 s, 0 for never. A worker that starts takes the last
      one up and repeats in silence what was committed since
  repeat_s = 3600
      where there is no snapshot it repeats so much; 60 to 604800 s
  backlog_mib = 256
      memory for messages that wait to be used, 8 to 65536 MiB
  share_wait_ms = 100
      how long the worker in turn waits in a tick for what others, started with --standby too, search for it; 1 to 1000 ms,
      at most half a tick; 0 where each searches for itself
  share_from = 50
      with fewer junctions to search in others' zones in a tick it does it itself; 1 to 1000000
  replication
      copies that `topics create` asks for; none leaves it to the broker
  security.tls_ca_file, security.tls_certificate_file, security.tls_key_file
      PEM files; the first one turns TLS on
  security.sasl, security.user, security.password_env, security.password_file
      \"SCRAM-SHA-512\" or \"PLAIN\"; the password comes from the environment or a file, never from here
  privacy.key_env, privacy.key_file
      the secret, at least 16 bytes, of which the pseudonyms of vehicles are made, new ones each day; every worker of a
      group needs the same one; without either it is made as greenwave.key beside this file
Files are named relative to this file.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_named_at_once() {
        let sasl = Security { sasl: Some(Mechanism::Plain), ..Security::default() };
        let faulty = Settings { group: "a b".into(), backlog_mib: 1, security: sasl, ..Settings::default() };
        let faults = faulty.faults().join("\n");
        for key in ["backlog_mib: 1 MiB", "group: \"a b\"", "user", "password_env", "tls_ca_file"] {
            assert!(faults.contains(key), "{key}: {faults}");
        }
        assert!(Settings::default().faults().is_empty());
    }
}

//! The section `[cockpit]` of the configuration: where it listens, whose tokens it believes, what needs a second person.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::act::KINDS;
use super::jwks::Jwks;
use super::{Issuer, Options};
use crate::shell::cli::Failure;

/// The shortest secret that HS256 is worth something with, bytes.
const SECRET_MIN: usize = 32;

/// How the cockpit of a live run is set up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where it listens. Put a proxy with TLS before it wherever it is not this machine alone.
    pub address: IpAddr,
    /// On which port; 0 for any that is free.
    pub port: u16,
    /// Kinds of commands that a second person has to approve.
    pub dual: Vec<String>,
    /// The audit log; relative to the configuration file. In memory alone without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit: Option<PathBuf>,
    /// A MapLibre style for the map underneath: `https://…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub style: Option<String>,
    /// A file with a secret that a small site's own issuer signs with, HS256; a line end at its end is cut off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_file: Option<PathBuf>,
    /// Identity providers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub issuers: Vec<Provider>,
}

/// An identity provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// `iss` of its tokens.
    pub issuer: String,
    /// `aud` of its tokens.
    pub audience: String,
    /// The file with its published keys, a JWKS; relative to the configuration file. It is read again
    /// when a token names a key that is not known yet.
    pub jwks_file: PathBuf,
}

/// For `--help`.
pub const DESCRIBED: &str = "\
Keys of --config, section [cockpit]; without the section there is no cockpit:
  address = \"127.0.0.1\"
      where it listens
  port = 8080
      on which port, 0 for any that is free
  dual = []
      kinds of commands that a second person has to approve, such as \"mode\" or \"close_link\"
  audit = \"audit.jsonl\"
      the log of what operators do; in memory alone without it
  style = \"https://…\"
      a MapLibre style for the map underneath
  secret_file = \"…\"
      a secret, 32 bytes or more, that a small site's own issuer signs tokens with (HS256)
  [[cockpit.issuers]]
      an identity provider, RS256 or EdDSA: issuer, audience, jwks_file
  A token's claim \"greenwave\" says what its holder may do: [{\"zone\": \"Old Town\", \"role\": \"operator\"}]";

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: Ipv4Addr::LOCALHOST.into(),
            port: 8080,
            dual: Vec::new(),
            audit: None,
            style: None,
            secret_file: None,
            issuers: Vec::new(),
        }
    }
}

impl Settings {
    /// What is out of range, by name.
    pub fn faults(&self) -> Vec<String> {
        let unknown = self.dual.iter().filter(|kind| !KINDS.contains(&kind.as_str()));
        let mut faults: Vec<String> =
            unknown.map(|kind| format!("cockpit.dual: {kind} is none of {}", KINDS.join(", "))).collect();
        if let Some(style) = self.style.as_ref().filter(|style| !style.starts_with("https://")) {
            faults.push(format!("cockpit.style: {style} does not begin with https://"));
        }
        faults
    }

    /// Every file that it names.
    pub fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let providers = self.issuers.iter_mut().map(|provider| &mut provider.jwks_file);
        self.audit.iter_mut().chain(&mut self.secret_file).chain(providers)
    }

    /// The same with its files read.
    ///
    /// # Errors
    /// When one cannot be read, or is not what it should be.
    pub fn options(&self) -> Result<Options, Failure> {
        let mut issuers = Vec::new();
        if let Some(path) = &self.secret_file {
            let text = std::fs::read(path).map_err(|source| Failure::Read { path: path.clone(), source })?;
            let secret = text.trim_ascii_end().to_vec();
            if secret.len() < SECRET_MIN {
                let why = format!("{} bytes are fewer than {SECRET_MIN}", secret.len());
                return Err(Failure::Parse { path: path.clone(), why });
            }
            issuers.push(Issuer::Secret(secret));
        }
        for provider in &self.issuers {
            let keys = Arc::new(Jwks::read(&provider.jwks_file)?);
            let (issuer, audience) = (provider.issuer.clone(), provider.audience.clone());
            issuers.push(Issuer::Keys { keys, issuer, audience });
        }
        Ok(Options {
            address: self.address,
            port: self.port,
            dual: self.dual.clone(),
            audit: self.audit.clone(),
            issuers,
            style: self.style.clone(),
        })
    }
}

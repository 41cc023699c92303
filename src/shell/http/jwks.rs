//! The keys that an identity provider has published, read again when it signs with one that is not known yet.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use arc_swap::ArcSwap;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::JwkSet;

use super::hold;
use crate::shell::cli::Failure;
use crate::shell::{clock, load};
use crate::time::{Span, Time};

/// A file is looked at again this often at most, however many strangers knock.
const AGAIN: Span = Span::from_s(10);

/// Published keys.
#[derive(Debug)]
pub struct Jwks {
    set: ArcSwap<JwkSet>,
    file: Option<PathBuf>,
    looked: Mutex<Time>,
}

impl Jwks {
    /// Keys that do not change.
    pub fn of(set: JwkSet) -> Self {
        Self { set: ArcSwap::from_pointee(set), file: None, looked: Mutex::new(Time::LONG_AGO) }
    }

    /// Those of a file: whoever brings the provider's keys there may do so while the cockpit runs.
    ///
    /// # Errors
    /// When it cannot be read, or is no JWKS.
    pub fn read(file: &Path) -> Result<Self, Failure> {
        Ok(Self { file: Some(file.to_owned()), ..Self::of(load::json(file)?) })
    }

    /// The key of that name.
    pub(super) fn key(&self, name: &str) -> Option<DecodingKey> {
        let find = |set: &JwkSet| DecodingKey::from_jwk(set.find(name)?).ok();
        find(&self.set.load()).or_else(|| {
            let file = self.file.as_deref().filter(|_| self.due())?;
            match load::json(file) {
                Ok(set) => self.set.store(std::sync::Arc::new(set)),
                Err(error) => tracing::warn!(%error, "the keys known before are kept"),
            }
            find(&self.set.load())
        })
    }

    fn due(&self) -> bool {
        let (mut looked, now) = (hold(&self.looked), clock::now());
        let due = now - *looked >= AGAIN;
        if due {
            *looked = now;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_found_where_it_was_published() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("jwks.json");
        let key =
            |kid: &str| format!(r#"{{"kty": "OKP", "crv": "Ed25519", "kid": "{kid}", "x": "{}"}}"#, "A".repeat(43));
        let publish = |kid: &str| std::fs::write(&file, format!(r#"{{"keys": [{}]}}"#, key(kid))).expect("written");
        publish("old");
        let jwks = Jwks::read(&file).expect("a JWKS");
        assert!(jwks.key("old").is_some());
        publish("new");
        assert!(jwks.key("new").is_some(), "it was looked for in the file");
        assert!(jwks.key("old").is_none(), "what is not published any more counts no more");
        publish("third");
        assert!(jwks.key("third").is_none(), "not again within ten seconds");
    }
}

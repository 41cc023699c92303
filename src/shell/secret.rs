//! Secrets: from the environment or a file, never from the configuration, and never logged.

use std::path::Path;
use std::{env, fs};

use super::cli::Failure;

/// The secret that variable `env` or else `file` holds; a line end at its end is cut off. `key` is what the configuration
/// calls it.
///
/// # Errors
/// When neither is named, or the one that is holds none.
pub(super) fn read(key: &str, env: Option<&str>, file: Option<&Path>) -> Result<String, Failure> {
    let text = match (env, file) {
        (Some(name), _) => env::var(name).map_err(|_| Failure::Usage(format!("{key}_env: {name} is not set")))?,
        (None, Some(path)) => fs::read_to_string(path).map_err(|source| Failure::Read { path: path.into(), source })?,
        (None, None) => return Err(Failure::Usage(format!("{key}_env or {key}_file: one is needed"))),
    };
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

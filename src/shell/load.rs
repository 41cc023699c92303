//! From files on disk to the fixed world: network, limits and sensors, every fault named with its place.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::cli::Failure;
use crate::network::limits::Limits;
use crate::network::sensor::SensorsSpec;
use crate::network::{Fault, Network, NetworkSpec, Sensors};

/// No file of a world is longer, bytes. A city of 100 000 junctions takes about 1 GB.
pub const FILE_BYTES_MAX: u64 = 4 << 30;

/// Reads a JSON file of one of the project's own formats.
///
/// # Errors
/// When it cannot be read, is too long, or is not that format; with line, column and field.
pub fn json<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    serde_json::from_slice(&bytes(path)?).map_err(|e| Failure::Parse { path: path.to_owned(), why: e.to_string() })
}

/// Reads a file whole.
///
/// # Errors
/// When it cannot be read or is longer than [`FILE_BYTES_MAX`].
pub fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |source| Failure::Read { path: path.to_owned(), source };
    let mut content = Vec::new();
    File::open(path).map_err(failed)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut content).map_err(failed)?;
    if content.len() as u64 > FILE_BYTES_MAX {
        return Err(Failure::Parse { path: path.to_owned(), why: format!("longer than {FILE_BYTES_MAX} bytes") });
    }
    Ok(content)
}

/// Reads and builds a network, under the limits of `limits` where given.
///
/// # Errors
/// When a file cannot be read, and every fault in it at once.
pub fn network(path: &Path, limits: Option<&Path>) -> Result<Network, Failure> {
    let spec: NetworkSpec = json(path)?;
    let limits: Limits = limits.map(json).transpose()?.unwrap_or_default();
    Network::build(spec, &limits).map_err(|faults| faulty(path, faults))
}

/// Reads the sensors of a network; no file means no sensors.
///
/// # Errors
/// When the file cannot be read, and every fault in it at once.
pub fn sensors(path: Option<&Path>, network: &Network) -> Result<Sensors, Failure> {
    let Some(path) = path else { return Ok(Sensors::default()) };
    let spec: SensorsSpec = json(path)?;
    Sensors::build(&spec, network).map_err(|faults| faulty(path, faults))
}

/// The faults of a file as a failure.
pub fn faulty(path: &Path, faults: Vec<Fault>) -> Failure {
    Failure::Faulty { path: PathBuf::from(path), faults: faults.iter().map(ToString::to_string).collect() }
}

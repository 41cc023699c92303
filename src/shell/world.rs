//! A world to run in: network, sensors, limits and configuration, with what a log has to say of them.

use std::path::Path;
use std::sync::Arc;

use super::cli::Failure;
use super::config::Config;
use super::load;
use crate::engine::city::City;
use crate::network::limits::Limits;
use crate::network::sensor::{FORMAT, SensorsSpec};
use crate::network::{Fault, Network, NetworkSpec, Sensors};
use crate::time::{Span, Time};
use crate::wire::{Names, v1};

/// A world to run in.
#[derive(Debug, Clone)]
pub struct World {
    /// Its network and sensors.
    pub names: Names,
    /// The limits in force, as their file says them.
    pub limits: Limits,
    /// The configuration in force.
    pub config: Config,
    network_json: Vec<u8>,
    sensors_json: Vec<u8>,
}

impl World {
    /// The world of these files. Limits are those the configuration names; no sensors file means no sensors.
    ///
    /// # Errors
    /// When a file cannot be read, and every fault in it at once.
    pub fn load(network: &Path, sensors: Option<&Path>, config: Config) -> Result<Self, Failure> {
        let spec: NetworkSpec = load::json(network)?;
        let limits: Limits = config.limits.as_deref().map(load::json).transpose()?.unwrap_or_default();
        let sensors_spec: SensorsSpec = sensors.map(load::json).transpose()?.unwrap_or_else(no_sensors);
        Self::of(spec, limits, &sensors_spec, config).map_err(|(whose, faults)| match (whose, sensors) {
            (Part::Sensors, Some(sensors)) => load::faulty(sensors, faults),
            _ => load::faulty(network, faults),
        })
    }

    /// The world of these specs. A decision grid that the limits set takes precedence over the configuration's.
    ///
    /// # Errors
    /// Every fault of the network, or else of its sensors.
    pub fn of(
        spec: NetworkSpec,
        limits: Limits,
        sensors: &SensorsSpec,
        mut config: Config,
    ) -> Result<Self, (Part, Vec<Fault>)> {
        let network_json = serde_json::to_vec(&spec).unwrap_or_default();
        let sensors_json = serde_json::to_vec(sensors).unwrap_or_default();
        let network = Network::build(spec, &limits).map_err(|faults| (Part::Network, faults))?;
        let sensors = Sensors::build(sensors, &network).map_err(|faults| (Part::Sensors, faults))?;
        if let Some(grid_s) = limits.decision_grid_s {
            config.settings.grid_ms = Span::nearest(grid_s).ms();
        }
        let names = Names::new(Arc::new(network), Arc::new(sensors));
        Ok(Self { names, limits, config, network_json, sensors_json })
    }

    /// A city of this world, about to make its first step at `first`.
    pub fn city(&self, first: Time) -> City {
        let settings = self.config.settings.clone();
        let (network, sensors) = (Arc::clone(self.names.network()), Arc::clone(self.names.sensors()));
        let woken = first - settings.tick();
        City::new(network, sensors, settings, woken)
    }

    /// What everything said about this world was made by and for.
    pub fn provenance(&self) -> v1::Provenance {
        v1::Provenance {
            network_hash: self.names.network().hash().to_vec(),
            config_hash: self.config.hash().to_vec(),
            engine_version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// The header of a log of this world.
    pub fn header(&self, seed: u64) -> v1::LogHeader {
        v1::LogHeader {
            format: String::new(), // the writer knows it
            network_json: self.network_json.clone(),
            limits_json: serde_json::to_vec(&self.limits).unwrap_or_default(),
            sensors_json: self.sensors_json.clone(),
            config_toml: self.config.canonical(),
            provenance: Some(self.provenance()),
            seed,
        }
    }
}

/// Whose faults they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The network's.
    Network,
    /// The sensors'.
    Sensors,
}

fn no_sensors() -> SensorsSpec {
    SensorsSpec { format: FORMAT.to_owned(), sensors: Vec::new() }
}

//! Sensors: which loop or camera stands where. A file of its own, beside the network.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Fault, Network, Place};
use crate::ids::{Id, LaneId, LinkId, SensorId, Table};
use crate::units::Metres;

/// The `format` every sensors file of this version carries.
pub const FORMAT: &str = "greenwave-sensors/1";

/// The sensors file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensorsSpec {
    /// Always [`FORMAT`].
    pub format: String,
    /// Every sensor.
    pub sensors: Vec<SensorSpec>,
}

/// One sensor as the file has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensorSpec {
    /// Unique among sensors.
    pub id: String,
    /// What it is.
    pub kind: SensorKind,
    /// The link it watches.
    pub link: String,
    /// A loop's lane, 0 at the kerb. A camera watches every lane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<u8>,
    /// A loop: from its downstream edge to the end of the link, metres. A camera: where its view begins.
    #[serde(default)]
    pub distance_m: f64,
    /// A camera: how far its view reaches upstream from there, metres. It does not see past the link's start.
    #[serde(default)]
    pub range_m: f64,
    /// How often it reports, seconds: 0.1 to 900.
    #[serde(default = "every_second")]
    pub interval_s: f64,
}

fn every_second() -> f64 {
    1.0
}

/// What a sensor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SensorKind {
    /// Counts vehicles that cross it, and how long it is covered.
    Loop,
    /// Counts, per lane, the vehicles in its view and those that stand; may count turns.
    Camera,
}

/// A sensor in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensor {
    /// Its name outside.
    pub name: Box<str>,
    /// What it is.
    pub kind: SensorKind,
    /// The link it watches.
    pub link: LinkId,
    /// A loop's lane.
    pub lane: Option<LaneId>,
    /// A loop: to the end of the link. A camera: where its view begins, from the end of the link.
    pub distance: Metres,
    /// A camera: how far its view reaches upstream from there, cut at the link's start.
    pub range: Metres,
    /// How often it reports.
    pub interval: crate::time::Span,
}

/// Every sensor of a network.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sensors {
    table: Table<SensorId, Sensor>,
    by_name: BTreeMap<Box<str>, SensorId>,
    by_link: Table<LinkId, Vec<SensorId>>,
}

impl Sensors {
    /// Puts the sensors of a file in their places.
    ///
    /// # Errors
    /// Every fault: unknown links and lanes, repeated names, values outside their range.
    pub fn build(spec: &SensorsSpec, network: &Network) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut all = Self { by_link: Table::filled(Vec::new(), network.links().len()), ..Self::default() };
        if spec.format != FORMAT {
            faults.push(Fault::Format { found: spec.format.clone(), expected: FORMAT });
        }
        for (row, s) in spec.sensors.iter().enumerate() {
            let place = Place::new("sensors", row, &s.id);
            match locate(s, network, &place) {
                Ok(_) if all.by_name.contains_key(s.id.as_str()) => {
                    faults.push(Fault::Repeated { place, name: s.id.clone() })
                }
                Ok(sensor) => {
                    let link = sensor.link;
                    let id = all.table.push(sensor);
                    all.by_name.insert(s.id.as_str().into(), id);
                    all.by_link[link].push(id);
                }
                Err(these) => faults.extend(these),
            }
        }
        if faults.is_empty() { Ok(all) } else { Err(faults) }
    }

    /// Every sensor by id.
    pub fn table(&self) -> &Table<SensorId, Sensor> {
        &self.table
    }

    /// The sensor of that name.
    pub fn named(&self, name: &str) -> Option<SensorId> {
        self.by_name.get(name).copied()
    }

    /// The sensors that watch `link`.
    pub fn on(&self, link: LinkId) -> &[SensorId] {
        self.by_link.get(link).map_or(&[], Vec::as_slice)
    }
}

fn locate(s: &SensorSpec, network: &Network, place: &Place) -> Result<Sensor, Vec<Fault>> {
    let mut faults = Vec::new();
    let link = network.link_named(&s.link);
    if link.is_none() {
        faults.push(Fault::Unknown { place: place.clone(), field: "link", name: s.link.clone() });
    }
    let length = link.map_or(f64::MAX, |id| network.link(id).length.get());
    let mut range = |field: &'static str, value: f64, min: f64, max: f64| {
        if !(min..=max).contains(&value) {
            faults.push(Fault::Range { place: place.clone(), field, value, min, max });
        }
    };
    range("distance_m", s.distance_m, 0.0, length);
    range("range_m", s.range_m, 0.0, 1000.0);
    range("interval_s", s.interval_s, 0.1, 900.0);
    let lane = match (s.kind, s.lane, link) {
        (SensorKind::Loop, None, _) => {
            faults.push(Fault::Missing { place: place.clone(), field: "lane" });
            None
        }
        (_, Some(index), Some(link)) => {
            let count = network.link(link).lane_count();
            if usize::from(index) >= count {
                faults.push(Fault::Range {
                    place: place.clone(),
                    field: "lane",
                    value: f64::from(index),
                    min: 0.0,
                    max: count as f64 - 1.0,
                });
            }
            Some(LaneId::of(network.link(link).lanes.start.index() + usize::from(index)))
        }
        _ => None,
    };
    let metres = |value: f64| Metres::new(value).unwrap_or(Metres::ZERO);
    match (link, faults.is_empty()) {
        (Some(link), true) => Ok(Sensor {
            name: s.id.as_str().into(),
            kind: s.kind,
            link,
            lane: if s.kind == SensorKind::Loop { lane } else { None },
            distance: metres(s.distance_m),
            range: metres(s.range_m.min(length - s.distance_m)),
            interval: crate::time::Span::nearest(s.interval_s),
        }),
        _ => Err(faults),
    }
}

//! Outside names to dense ids: interned once, looked up without a tree walk where it is hot.

use std::sync::Arc;

use super::Wrong;
use crate::ids::{GroupId, Id, JunctionId, LaneId, LinkId, SensorId, StageId, ZoneId};
use crate::network::{Junction, Network, Sensor, Sensors};

/// The names of a world.
#[derive(Debug, Clone)]
pub struct Names {
    network: Arc<Network>,
    sensors: Arc<Sensors>,
    /// An open hash table of sensor rows, at most half full; `EMPTY` where there is none.
    slots: Vec<u32>,
}

const EMPTY: u32 = u32::MAX;

impl Names {
    /// The names of `network` and of its `sensors`.
    pub fn new(network: Arc<Network>, sensors: Arc<Sensors>) -> Self {
        let mut slots = vec![EMPTY; (sensors.table().len() * 2).next_power_of_two().max(2)];
        let mask = slots.len() - 1;
        for (id, sensor) in sensors.table().iter() {
            let mut slot = hash(sensor.name.as_bytes()) as usize & mask;
            while slots[slot] != EMPTY {
                slot = (slot + 1) & mask;
            }
            slots[slot] = u32::try_from(id.index()).unwrap_or(EMPTY);
        }
        Self { network, sensors, slots }
    }

    /// The network they name.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// The sensors they name.
    pub fn sensors(&self) -> &Arc<Sensors> {
        &self.sensors
    }

    /// The sensor of that name; `guess`, where it is right, saves the search.
    pub fn sensor(&self, name: &str, guess: Option<SensorId>) -> Option<(SensorId, &Sensor)> {
        self.sensor_of(name.as_bytes(), guess)
    }

    /// The same for a name that may be no text.
    pub(super) fn sensor_of(&self, name: &[u8], guess: Option<SensorId>) -> Option<(SensorId, &Sensor)> {
        let table = self.sensors.table();
        let is_it = |id: SensorId| table.get(id).filter(|s| s.name.as_bytes() == name).map(|s| (id, s));
        if let Some(found) = guess.and_then(is_it) {
            return Some(found);
        }
        let mask = self.slots.len() - 1;
        let mut slot = hash(name) as usize & mask;
        while self.slots[slot] != EMPTY {
            if let Some(found) = is_it(SensorId::of(self.slots[slot] as usize)) {
                return Some(found);
            }
            slot = (slot + 1) & mask;
        }
        None
    }

    pub(super) fn link(&self, field: &str, name: &str) -> Result<LinkId, Wrong> {
        self.network.link_named(name).ok_or_else(|| Wrong::new(field, name, "is no link"))
    }

    pub(super) fn lane(&self, field: &str, link: LinkId, index: u32) -> Result<LaneId, Wrong> {
        let lane = u8::try_from(index).ok().and_then(|index| self.network.lane_of(link, index));
        lane.ok_or_else(|| {
            let count = self.network.link(link).lane_count();
            Wrong::new(field, index, format!("is no lane: the link has {count}, counted from 0"))
        })
    }

    pub(super) fn zone(&self, field: &str, name: &str) -> Result<ZoneId, Wrong> {
        self.network.zone_named(name).ok_or_else(|| Wrong::new(field, name, "is no zone"))
    }

    pub(super) fn junction(&self, field: &str, name: &str) -> Result<JunctionId, Wrong> {
        self.network.junction_named(name).ok_or_else(|| Wrong::new(field, name, "is no junction"))
    }

    pub(super) fn group(&self, field: &str, junction: JunctionId, name: &str) -> Result<GroupId, Wrong> {
        let group = self.network.junction(junction).group_named(name);
        group.ok_or_else(|| Wrong::new(field, name, "is no group of this junction"))
    }

    pub(super) fn of(&self, junction: JunctionId) -> &Junction {
        self.network.junction(junction)
    }

    pub(super) fn sensor_name(&self, id: SensorId) -> String {
        self.sensors.table()[id].name.to_string()
    }

    pub(super) fn link_name(&self, id: LinkId) -> String {
        self.network.link(id).name.to_string()
    }

    pub(super) fn zone_name(&self, id: ZoneId) -> String {
        self.network.zones()[id].name.to_string()
    }

    pub(super) fn junction_name(&self, id: JunctionId) -> String {
        self.of(id).name.to_string()
    }

    pub(super) fn group_name(&self, junction: JunctionId, id: GroupId) -> String {
        self.of(junction).groups[id].name.to_string()
    }

    pub(super) fn stage_name(&self, junction: JunctionId, id: StageId) -> String {
        self.of(junction).stages[id].name.to_string()
    }
}

/// Eight bytes at a time, folded so that the low bits depend on every byte.
fn hash(name: &[u8]) -> u64 {
    let mix = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (words, rest) = name.as_chunks();
    let hash = words.iter().fold(name.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let hash = mix(hash, rest.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)));
    hash ^ hash >> 32
}

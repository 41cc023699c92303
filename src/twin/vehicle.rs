//! Vehicles under way, in rows that are used again, and the routes they share.

use super::calendar::Ms;
use super::road::{Hop, NONE};
use crate::network::VehicleClass;

/// A vehicle under way or waiting outside.
#[derive(Debug, Clone)]
pub(super) struct Vehicle {
    /// The one behind it in its lane.
    pub(super) next: u32,
    /// Where it is on its route.
    pub(super) hop: u32,
    /// When it entered its lane.
    pub(super) entered: Ms,
    /// When it could be at the line if nobody were ahead of it.
    pub(super) ready: Ms,
    /// Where the queue ahead of it ends, on its lane's curve.
    pub(super) mark: u32,
    /// When it set out, or would have.
    pub(super) departed: Ms,
    /// Its length, and the room it takes in a queue, cm.
    pub(super) length: u16,
    pub(super) space: u16,
    /// Its own headway.
    pub(super) headway: u16,
    pub(super) class: VehicleClass,
    /// Its own time a metre as a multiple of that at the limit, and the least it needs, ms/m.
    pub(super) unhurried: f32,
    pub(super) slowness: f32,
    /// Its row among the ambulances.
    pub(super) ambulance: u32,
}

/// All vehicles there are now.
#[derive(Debug, Default)]
pub(super) struct Fleet {
    pub(super) rows: Vec<Vehicle>,
    free: Vec<u32>,
    pub(super) hops: Vec<Hop>,
}

impl Fleet {
    /// Adds a vehicle and gives its row.
    pub(super) fn add(&mut self, vehicle: Vehicle) -> u32 {
        match self.free.pop() {
            Some(row) => {
                self.rows[row as usize] = vehicle;
                row
            }
            None => {
                self.rows.push(vehicle);
                self.rows.len() as u32 - 1
            }
        }
    }

    /// Forgets a vehicle.
    pub(super) fn remove(&mut self, row: u32) {
        self.rows[row as usize].next = NONE;
        self.free.push(row);
    }

    /// Vehicles under way or waiting outside.
    pub(super) fn len(&self) -> usize {
        self.rows.len() - self.free.len()
    }

    pub(super) fn hop(&self, vehicle: u32) -> Hop {
        self.hops[self.rows[vehicle as usize].hop as usize]
    }

    /// The link after the one it is on; only where that is not its last.
    pub(super) fn next_hop(&self, vehicle: u32) -> Hop {
        self.hops[self.rows[vehicle as usize].hop as usize + 1]
    }
}

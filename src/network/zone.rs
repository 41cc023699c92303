//! The zone tree: city, district, street, community.

use super::spec::Level;
use crate::ids::{Table, ZoneId};

/// A part of the city.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Its name outside.
    pub name: Box<str>,
    /// Its place in the tree.
    pub level: Level,
    /// The zone above; none for the city.
    pub parent: Option<ZoneId>,
}

/// `zone` and every zone above it, up to the city.
pub fn ancestors(zones: &Table<ZoneId, Zone>, zone: ZoneId) -> impl Iterator<Item = ZoneId> {
    std::iter::successors(Some(zone), |&z| zones[z].parent)
}

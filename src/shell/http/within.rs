//! Things by their names outside, and whether they lie within somebody's authority.

use super::Site;
use super::problem::Problem;
use super::token::Seat;
use crate::authority::Role;
use crate::ids::{JunctionId, LinkId, ZoneId};

impl Site {
    /// Whether `seat` is at least `role` in `zone`.
    pub(super) fn may(&self, seat: &Seat, role: Role, zone: ZoneId) -> bool {
        seat.authority.may(self.network.zones(), role, &[zone])
    }

    /// Nothing where `seat` is at least `role` somewhere.
    pub(super) fn somewhere(&self, seat: &Seat, role: Role) -> Result<(), Problem> {
        match seat.authority.grants().iter().any(|g| g.role >= role) {
            true => Ok(()),
            false => Err(Problem::forbidden("this")),
        }
    }

    pub(super) fn zone(&self, name: &str) -> Result<ZoneId, Problem> {
        self.network.zone_named(name).ok_or_else(|| Problem::unknown("zone", name))
    }

    pub(super) fn link(&self, name: &str) -> Result<LinkId, Problem> {
        self.network.link_named(name).ok_or_else(|| Problem::unknown("link", name))
    }

    pub(super) fn junction(&self, name: &str) -> Result<JunctionId, Problem> {
        self.network.junction_named(name).ok_or_else(|| Problem::unknown("junction", name))
    }

    /// The zone of that name, if `seat` may see it.
    pub(super) fn seen_zone(&self, seat: &Seat, name: &str) -> Result<ZoneId, Problem> {
        let zone = self.zone(name)?;
        self.seen(seat, zone, "this zone").map(|()| zone)
    }

    /// The link of that name, if `seat` may see it.
    pub(super) fn seen_link(&self, seat: &Seat, name: &str) -> Result<LinkId, Problem> {
        let link = self.link(name)?;
        self.seen(seat, self.network.link(link).zone, "this link").map(|()| link)
    }

    /// The junction of that name, if `seat` may see it.
    pub(super) fn seen_junction(&self, seat: &Seat, name: &str) -> Result<JunctionId, Problem> {
        let junction = self.junction(name)?;
        self.seen(seat, self.network.junction(junction).zone, "this junction").map(|()| junction)
    }

    fn seen(&self, seat: &Seat, zone: ZoneId, what: &str) -> Result<(), Problem> {
        match self.may(seat, Role::Viewer, zone) {
            true => Ok(()),
            false => Err(Problem::forbidden(what)),
        }
    }
}

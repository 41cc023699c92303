//! Who may see and do what, and where: roles on nodes of the zone tree, valid there and everywhere below.

use crate::event::{Action, Scope};
use crate::ids::{Table, ZoneId};
use crate::network::Network;
use crate::network::zone::{Zone, ancestors};

/// What somebody may do, the least first; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look.
    Viewer,
    /// Hold, release, pin, close and open, send green waves, handle alarms.
    Operator,
    /// Set limits and modes, read the audit.
    Engineer,
    /// Give others their authority.
    Administrator,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Engineer, Self::Administrator];
}

/// A role on a zone and all below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    /// Where.
    pub zone: ZoneId,
    /// What.
    pub role: Role,
}

/// Everything one person may do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Authority {
    grants: Vec<Grant>,
}

impl Authority {
    /// That of these grants.
    pub fn of(mut grants: Vec<Grant>) -> Self {
        grants.sort_unstable();
        grants.dedup();
        Self { grants }
    }

    /// What it was made of, in order.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// The highest role in `zone`; none where it does not reach.
    pub fn role_in(&self, zones: &Table<ZoneId, Zone>, zone: ZoneId) -> Option<Role> {
        let above = ancestors(zones, zone);
        above.flat_map(|z| self.grants.iter().filter(move |g| g.zone == z)).map(|g| g.role).max()
    }

    /// Whether it is at least `role` in all of `places`. Nowhere is out of everybody's reach.
    pub fn may(&self, zones: &Table<ZoneId, Zone>, role: Role, places: &[ZoneId]) -> bool {
        !places.is_empty() && places.iter().all(|&place| self.role_in(zones, place).is_some_and(|own| own >= role))
    }

    /// Whether it can give away `grant`: administrators give what they have, where they have it.
    pub fn may_give(&self, zones: &Table<ZoneId, Zone>, grant: Grant) -> bool {
        self.may(zones, Role::Administrator, &[grant.zone])
    }
}

/// The role that an operator's command asks for.
pub fn required(action: &Action) -> Role {
    match action {
        Action::Limit { .. } | Action::Mode(..) => Role::Engineer,
        Action::Hold(_)
        | Action::Release(_)
        | Action::Pin { .. }
        | Action::CloseLane(_)
        | Action::OpenLane(_)
        | Action::CloseLink(_)
        | Action::OpenLink(_)
        | Action::ActivatePriority(_)
        | Action::PreviewPriority(_)
        | Action::CancelPriority(_) => Role::Operator,
    }
}

/// The zones in which a command acts; none for one about a priority request, which acts where its route leads.
pub fn places(action: &Action, network: &Network) -> Vec<ZoneId> {
    let junction = |id| vec![network.junction(id).zone];
    let link = |id| vec![network.link(id).zone];
    match *action {
        Action::Hold(j) | Action::Release(j) | Action::Mode(Scope::Junction(j), _) => junction(j),
        Action::Pin { junction: j, .. } | Action::Limit { junction: j, .. } => junction(j),
        Action::CloseLane(l) | Action::OpenLane(l) => link(network.lane(l).link),
        Action::CloseLink(l) | Action::OpenLink(l) => link(l),
        Action::Mode(Scope::Zone(z), _) => vec![z],
        Action::ActivatePriority(_) | Action::PreviewPriority(_) | Action::CancelPriority(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;
    use crate::network::spec::Level;
    use proptest::prelude::*;

    fn tree(parents: &[Option<usize>]) -> Table<ZoneId, Zone> {
        let zone = |(row, parent): (usize, &Option<usize>)| Zone {
            name: format!("z{row}").into(),
            level: Level::City,
            parent: parent.map(ZoneId::of),
        };
        parents.iter().enumerate().map(zone).collect()
    }

    #[test]
    fn a_role_holds_below_its_zone_and_nowhere_else() {
        // A city with two districts; a street below the first.
        let zones = tree(&[None, Some(0), Some(0), Some(1)]);
        let own = Authority::of(vec![Grant { zone: ZoneId::of(1), role: Role::Operator }]);
        let roles: Vec<_> = zones.ids().map(|z| own.role_in(&zones, z)).collect();
        assert_eq!(roles, [None, Some(Role::Operator), None, Some(Role::Operator)]);
        assert!(!own.may(&zones, Role::Engineer, &[ZoneId::of(1)]), "an operator is no engineer");
        assert!(!own.may(&zones, Role::Viewer, &[ZoneId::of(3), ZoneId::of(2)]), "one place outside is enough");
        assert!(!own.may(&zones, Role::Viewer, &[]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        /// The second account: each grant paints its role downwards over the tree, zone by zone from the root.
        #[test]
        fn painting_the_tree_says_the_same(
            parents in prop::collection::vec(any::<prop::sample::Index>(), 1..12),
            grants in prop::collection::vec((any::<prop::sample::Index>(), 0..4_usize), 0..4),
            at in any::<prop::sample::Index>(),
            role in 0..4_usize,
        ) {
            let parents: Vec<Option<usize>> =
                parents.iter().enumerate().map(|(row, p)| (row > 0).then(|| p.index(row))).collect();
            let zones = tree(&parents);
            let grants: Vec<(usize, usize)> = grants.iter().map(|(z, r)| (z.index(parents.len()), *r)).collect();
            let mut painted = vec![-1_i32; parents.len()];
            for row in 0..parents.len() {
                let above = parents[row].map_or(-1, |p| painted[p]);
                let here = grants.iter().filter(|g| g.0 == row).map(|g| g.1 as i32).max().unwrap_or(-1);
                painted[row] = above.max(here);
            }
            let own = grants.iter().map(|&(z, r)| Grant { zone: ZoneId::of(z), role: Role::ALL[r] }).collect();
            let at = at.index(parents.len());
            let said = Authority::of(own).may(&zones, Role::ALL[role], &[ZoneId::of(at)]);
            prop_assert_eq!(said, painted[at] >= role as i32);
        }
    }
}

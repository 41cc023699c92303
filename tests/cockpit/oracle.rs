//! A second account of who may do what where. It knows names and the zone file alone: a zone is the path of names from
//! the city down, and a grant reaches whatever path begins with its own.

use std::collections::BTreeMap;

use greenwave::network::NetworkSpec;

/// Roles, the least first.
pub(crate) const ROLES: [&str; 4] = ["viewer", "operator", "engineer", "administrator"];

/// Where things are, by name.
pub(crate) struct Oracle {
    paths: BTreeMap<String, String>,
    pub(crate) links: BTreeMap<String, String>,
    pub(crate) junctions: BTreeMap<String, String>,
}

impl Oracle {
    pub(crate) fn new(spec: &NetworkSpec) -> Self {
        let parents: BTreeMap<&str, Option<&str>> =
            spec.zones.iter().map(|z| (z.id.as_str(), z.parent.as_deref())).collect();
        let path = |zone: &str| {
            let mut path = format!("/{zone}/");
            let mut at = parents[zone];
            while let Some(above) = at {
                path = format!("/{above}{path}");
                at = parents[above];
            }
            path
        };
        let city = spec.zones.iter().find(|z| z.parent.is_none()).expect("a city").id.clone();
        let nodes: BTreeMap<&str, &str> =
            spec.nodes.iter().map(|n| (n.id.as_str(), n.zone.as_deref().unwrap_or(&city))).collect();
        let of_junction =
            spec.nodes.iter().filter_map(|n| Some((n.junction.clone()?, nodes[n.id.as_str()].to_owned())));
        Self {
            paths: spec.zones.iter().map(|z| (z.id.clone(), path(&z.id))).collect(),
            links: spec.links.iter().map(|l| (l.id.clone(), nodes[l.to.as_str()].to_owned())).collect(),
            junctions: of_junction.collect(),
        }
    }

    pub(crate) fn zones(&self) -> impl Iterator<Item = &str> {
        self.paths.keys().map(String::as_str)
    }

    /// Whether these grants make somebody at least `role` in all of `places`.
    pub(crate) fn may(&self, grants: &[(&str, &str)], role: &str, places: &[&str]) -> bool {
        let rank = |role: &str| ROLES.iter().position(|r| *r == role).expect("a role");
        places.iter().all(|place| {
            grants
                .iter()
                .any(|(zone, own)| self.paths[*place].starts_with(&self.paths[*zone]) && rank(own) >= rank(role))
        })
    }
}

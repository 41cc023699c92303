//! A limits file: what a site, or a benchmark's protocol, prescribes for every signal of a world.

use serde::{Deserialize, Serialize};

use super::spec::{GroupKind, LimitSpec, NetworkSpec, Origin};

/// Limits that override those of the network file. All times in seconds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Yellow of every vehicle group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yellow_s: Option<f64>,
    /// All-red after every vehicle group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_red_s: Option<f64>,
    /// Shortest green of every vehicle group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_green_s: Option<f64>,
    /// Longest red of every group while demand waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_red_s: Option<f64>,
    /// Stage changes begin only at multiples of this since the world's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_grid_s: Option<f64>,
    /// Only these stages may run (by name, at every junction that has them); empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<String>,
    /// Whether these are a benchmark's rules, which no street would allow. `run` refuses them.
    #[serde(default)]
    pub benchmark: bool,
}

impl Limits {
    /// Writes these limits into `spec`. A yellow or an all-red given here replaces every vehicle intergreen.
    pub fn apply(&self, spec: &mut NetworkSpec) {
        let site = |s: f64| LimitSpec { s, origin: Origin::Site };
        for junction in &mut spec.junctions {
            if self.yellow_s.is_some() || self.all_red_s.is_some() {
                let vehicles: Vec<_> =
                    junction.groups.iter().filter(|g| g.kind == GroupKind::Vehicle).map(|g| g.id.clone()).collect();
                junction.intergreens.retain(|i| !vehicles.contains(&i.from));
            }
            for group in &mut junction.groups {
                if let Some(s) = self.max_red_s {
                    group.max_red = Some(site(s));
                }
                if group.kind == GroupKind::Pedestrian {
                    continue;
                }
                for (limit, value) in [
                    (&mut group.change, self.yellow_s),
                    (&mut group.all_red, self.all_red_s),
                    (&mut group.min_green, self.min_green_s),
                ] {
                    if let Some(s) = value {
                        *limit = Some(site(s));
                    }
                }
            }
            self.keep_stages(junction);
        }
    }

    /// Leaves only the named stages, where the junction has one of them and a program can still be made of them.
    fn keep_stages(&self, junction: &mut super::spec::JunctionSpec) {
        if !junction.stages.iter().any(|s| self.stages.contains(&s.id)) {
            return;
        }
        junction.stages.retain(|s| self.stages.contains(&s.id));
        let kept: Vec<_> = junction.stages.iter().map(|s| s.id.clone()).collect();
        for program in &mut junction.programs {
            program.splits.retain(|split| kept.contains(&split.stage));
        }
        junction.programs.retain(|p| !p.splits.is_empty());
        if junction.programs.is_empty() {
            let splits = kept.into_iter().map(|stage| super::spec::SplitSpec { stage, s: 30.0 }).collect();
            junction.programs.push(super::spec::ProgramSpec { id: "even".into(), offset_s: 0.0, splits });
        }
    }
}

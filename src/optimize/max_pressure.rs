//! Max pressure, a reference: the stage whose queues press most against the room beyond. Source: Varaiya 2013.
//!
//! With the guards without which it locks: a pressure is never below zero, nobody's red outlasts its limit, and a lane
//! counts for a stage by the share of its paths that are green.

use super::decision::{Decision, LaneSeen, Now};
use crate::ids::{GroupId, GroupSet, Id, LaneId, LinkId, StageId};
use crate::network::{GroupKind, Junction, Network};
use crate::time::Span;

/// How it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pressing {
    /// Shortest green of a vehicle group, where the network's own is not longer.
    pub min_green: Span,
    /// Nobody waits at red for longer, where the network's own limit is not shorter.
    pub max_red: Span,
}

impl Default for Pressing {
    fn default() -> Self {
        Self { min_green: Span::from_s(10), max_red: Span::from_s(120) }
    }
}

/// One way out of a stop-line lane.
#[derive(Debug, Clone, Copy)]
struct Way {
    group: Option<GroupId>,
    to: LinkId,
}

/// The max-pressure controller of one junction.
#[derive(Debug, Clone)]
pub struct MaxPressure {
    settings: Pressing,
    /// Stop-line lanes with their ways out.
    lanes: Vec<(LaneId, Vec<Way>)>,
}

impl MaxPressure {
    /// For `junction`.
    pub fn new(network: &Network, junction: &Junction, settings: Pressing) -> Self {
        let mut lanes = Vec::new();
        for &link in &junction.approaches {
            for lane in crate::ids::span(&network.link(link).lanes) {
                let exits = network.connections().slice(&network.lane(lane).exits).iter();
                let way = |c: &crate::network::Connection| Way {
                    group: c.control.group().map(|(_, group)| group),
                    to: network.lane(c.to).link,
                };
                lanes.push((lane, exits.map(way).collect()));
            }
        }
        lanes.retain(|(_, ways): &(LaneId, Vec<Way>)| ways.iter().any(|way| way.group.is_some()));
        Self { settings, lanes }
    }

    /// What it wants now.
    pub fn decide(&self, network: &Network, junction: &Junction, now: &Now<'_>) -> Decision {
        if now.stage_green_since(junction).is_none() {
            return Decision::Keep;
        }
        let late = self.late(junction, now);
        let here = junction.stages[now.stage].groups;
        let open = junction.stages.ids().filter(|&stage| {
            let serves = late.is_empty() || !junction.stages[stage].groups.intersection(late).is_empty();
            stage != now.stage && serves && now.may_leave(junction, stage, self.settings.min_green)
        });
        let pressure = |stage: StageId| self.pressure(network, junction, junction.stages[stage].groups, now);
        let best = open.map(|stage| (stage, pressure(stage))).max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        let stays = late.is_empty() || !here.intersection(late).is_empty();
        match best {
            // Ties stay.
            Some((stage, best)) if !stays || best > pressure(now.stage) => Decision::Switch(stage),
            _ => Decision::Keep,
        }
    }

    /// Groups whose red would outlast its limit if they had to wait for one more stage.
    fn late(&self, junction: &Junction, now: &Now<'_>) -> GroupSet {
        let change = |group: GroupId| {
            let owed = junction.groups.ids().map(|other| junction.intergreen(other, group).span);
            owed.max().unwrap_or(Span::ZERO)
        };
        let late = |&(group, since): &(GroupId, &Option<crate::time::Time>)| {
            let limit = junction.groups[group].max_red.span.min(self.settings.max_red);
            let spare = change(group) * 2 + self.settings.min_green;
            since.is_some_and(|since| now.at - since >= limit - spare)
        };
        let all: Vec<_> = now.waiting.iter().filter(late).collect();
        // The one that has waited longest, and whoever waits with it.
        let first = all.iter().filter_map(|(_, since)| **since).min();
        all.into_iter().filter(|(_, since)| **since == first).map(|(group, _)| group).collect()
    }

    /// Σ over lanes: the share of their paths that are green × (vehicles before − vehicles beyond), never below zero;
    /// each person waiting to cross counts as one.
    fn pressure(&self, network: &Network, junction: &Junction, green: GroupSet, now: &Now<'_>) -> f64 {
        // Exits may lie in other partitions; of those nothing is seen.
        let vehicles =
            |lane: LaneId| now.lanes.get(lane).copied().flatten().map_or(0.0, |seen: LaneSeen| seen.vehicles);
        let beyond = |link: LinkId| {
            let lanes = &network.link(link).lanes;
            crate::ids::span(lanes).map(vehicles).sum::<f64>() / (lanes.end.index() - lanes.start.index()) as f64
        };
        let lane = |(lane, ways): &(LaneId, Vec<Way>)| {
            let open = ways.iter().filter(|way| way.group.is_some_and(|group| green.contains(group)));
            let press = open.map(|way| (vehicles(*lane) - beyond(way.to)).max(0.0));
            press.sum::<f64>() / ways.len() as f64
        };
        let walkers = now.called().intersection(green).iter();
        let walkers = walkers.filter(|&group| junction.groups[group].kind == GroupKind::Pedestrian).count();
        self.lanes.iter().map(lane).sum::<f64>() + walkers as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Star;
    use super::*;
    use crate::ids::{JunctionId, Table};
    use crate::plan::draft::Change;
    use crate::plan::timeline::Lamps;
    use crate::time::Time;

    /// Two streets; the first has been green since second 0. Vehicles before and beyond, and since when each waits.
    fn decide(at: i64, before: [f64; 2], beyond: [f64; 2], waiting: [Option<i64>; 2]) -> Decision {
        let star = Star { lanes: &[1, 1], conflicts: &[(0, 1)], stages: &[&[0], &[1]], ..Star::PLAIN };
        let network = star.network();
        let junction = network.junction(JunctionId::of(0));
        let mut lamps = Lamps::dark(junction);
        lamps.change(Change::new(StageId::of(0), Time::EPOCH), junction);
        let mut lanes = Table::filled(None, network.lanes().len());
        for stream in 0..2 {
            for (name, vehicles) in [("in", before[stream]), ("out", beyond[stream])] {
                let link = network.link_named(&format!("{name} {stream}")).unwrap();
                let seen = LaneSeen { vehicles, ..LaneSeen::default() };
                lanes[network.lane_of(link, 0).unwrap()] = Some(seen);
            }
        }
        let waiting = waiting.into_iter().map(|since| since.map(Time::from_s)).collect();
        let now = Now {
            at: Time::from_s(at),
            stage: StageId::of(0),
            since: Time::EPOCH,
            lamps: &lamps,
            waiting: &waiting,
            lanes: &lanes,
        };
        MaxPressure::new(&network, junction, Pressing::default()).decide(&network, junction, &now)
    }

    #[test]
    fn the_greater_pressure_wins_and_guards_hold() {
        let switch = Decision::Switch(StageId::of(1));
        let waits = [None, Some(1)];
        for (at, before, beyond, waiting, expected) in [
            (9, [0.0, 9.0], [0.0, 0.0], waits, Decision::Keep), // a green of 10 s at least
            (10, [0.0, 9.0], [0.0, 0.0], waits, switch),        // 9 against 0
            (10, [5.0, 5.0], [0.0, 0.0], waits, Decision::Keep), // a tie stays
            (10, [5.0, 9.0], [0.0, 6.0], waits, Decision::Keep), // 5 against 9 − 6
            (10, [5.0, 6.0], [9.0, 8.0], waits, Decision::Keep), // all exits are full: both are 0, none negative
            (60, [9.0, 1.0], [0.0, 0.0], waits, Decision::Keep), // one vehicle can wait
            (101, [9.0, 1.0], [0.0, 0.0], waits, switch),       // 100 s and 20 s for what may come before: 120 s
        ] {
            assert_eq!(decide(at, before, beyond, waiting), expected, "{at} {before:?} {beyond:?}");
        }
    }
}

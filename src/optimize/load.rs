//! A junction's demand laid on its lanes: who queues where, and which signal group lets them go.

use crate::ids::{ConnectionId, GroupId, Id, JunctionId, LaneId, LinkId, MovementId, Table, span};
use crate::network::Network;
use crate::units::VehPerHour;

/// Flows this small, veh/h, are nobody.
const NOBODY: f64 = 1e-6;
/// Drivers choose among the lanes that lead their way until all are equally full; so many rounds settle it.
const ROUNDS: usize = 6;

/// A junction's demand, lane by lane. Lanes that nobody uses are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// The lanes in use, by link and lane.
    pub lanes: Vec<LaneLoad>,
    /// Demand of each group.
    pub groups: Table<GroupId, VehPerHour>,
}

/// The demand on one lane.
#[derive(Debug, Clone, PartialEq)]
pub struct LaneLoad {
    /// The lane.
    pub lane: LaneId,
    /// Its link.
    pub link: LinkId,
    /// What it discharges while green.
    pub saturation: VehPerHour,
    /// Who uses it.
    pub parts: Vec<Part>,
}

/// The part of a lane's demand that makes one movement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// The movement.
    pub movement: MovementId,
    /// What releases it; none where nothing does.
    pub group: Option<GroupId>,
    /// How much it is.
    pub flow: VehPerHour,
}

impl LaneLoad {
    /// Its demand.
    pub fn flow(&self) -> VehPerHour {
        self.parts.iter().map(|part| part.flow).sum()
    }
}

impl Load {
    /// Lays `demand` on the approaches of `junction`. A movement with several lanes fills them so that demand ÷
    /// saturation flow becomes equal, as far as the lanes' other users let it.
    pub fn new(
        network: &Network,
        junction: JunctionId,
        demand: &impl Fn(MovementId) -> VehPerHour,
        saturation: &impl Fn(LaneId) -> VehPerHour,
    ) -> Self {
        let mut lanes = Vec::new();
        let mut groups = Table::filled(VehPerHour::ZERO, network.junction(junction).groups.len());
        for &link in &network.junction(junction).approaches {
            lanes.extend(approach(network, junction, link, demand, saturation));
        }
        for part in lanes.iter().flat_map(|lane: &LaneLoad| &lane.parts) {
            if let Some(group) = part.group {
                groups[group] = groups[group] + part.flow;
            }
        }
        Self { lanes, groups }
    }
}

/// One movement's choice of lanes.
struct Choice {
    movement: MovementId,
    demand: f64,
    /// Lane (as a row of the link), its group, and what the movement puts there, veh/h.
    lanes: Vec<(usize, Option<GroupId>, f64)>,
}

fn approach(
    network: &Network,
    junction: JunctionId,
    link: LinkId,
    demand: &impl Fn(MovementId) -> VehPerHour,
    saturation: &impl Fn(LaneId) -> VehPerHour,
) -> Vec<LaneLoad> {
    let lanes = &network.link(link).lanes;
    let first = lanes.start.index();
    let capacity: Vec<f64> = span(lanes).map(|lane| saturation(lane).get().max(1.0)).collect();
    let group = |connection: ConnectionId| {
        network.connections()[connection].control.group().filter(|&(j, _)| j == junction).map(|(_, group)| group)
    };
    let mut choices: Vec<Choice> = Vec::new();
    for &movement in network.movements_from(link) {
        let demand = demand(movement).get();
        if demand <= NOBODY {
            continue;
        }
        let mut open: Vec<(usize, Option<GroupId>, f64)> = Vec::new();
        for &connection in &network.movements()[movement].connections {
            let lane = network.connections()[connection].from.index() - first;
            if !open.iter().any(|&(l, ..)| l == lane) {
                open.push((lane, group(connection), 0.0));
            }
        }
        choices.push(Choice { movement, demand, lanes: open });
    }
    // Who has no choice goes first.
    choices.sort_by_key(|choice| (choice.lanes.len(), choice.movement));
    let mut filled = vec![0.0; capacity.len()];
    for _ in 0..ROUNDS {
        for choice in &mut choices {
            for (lane, _, flow) in &mut choice.lanes {
                filled[*lane] -= *flow;
                *flow = 0.0;
            }
            pour(choice, &mut filled, &capacity);
        }
    }
    let mut loads: Vec<LaneLoad> = Vec::new();
    for (row, &saturation) in capacity.iter().enumerate() {
        let parts: Vec<Part> = choices
            .iter()
            .flat_map(|choice| choice.lanes.iter().map(move |lane| (choice.movement, lane)))
            .filter(|&(_, &(lane, _, flow))| lane == row && flow > NOBODY)
            .map(|(movement, &(_, group, flow))| Part { movement, group, flow: veh_per_hour(flow) })
            .collect();
        if !parts.is_empty() {
            let saturation = veh_per_hour(saturation);
            loads.push(LaneLoad { lane: LaneId::of(first + row), link, saturation, parts });
        }
    }
    loads
}

/// Fills the emptiest of a movement's lanes first, so that they end equally full.
fn pour(choice: &mut Choice, filled: &mut [f64], capacity: &[f64]) {
    let level = |lane: usize, filled: &[f64]| filled[lane].max(0.0) / capacity[lane];
    choice.lanes.sort_by(|a, b| level(a.0, filled).total_cmp(&level(b.0, filled)).then(a.0.cmp(&b.0)));
    let mut left = choice.demand;
    for count in 1..=choice.lanes.len() {
        let surface = level(choice.lanes[count - 1].0, filled);
        let next = choice.lanes.get(count).map_or(f64::INFINITY, |lane| level(lane.0, filled));
        let width: f64 = choice.lanes[..count].iter().map(|lane| capacity[lane.0]).sum();
        let rise = (left / width).min(next - surface);
        for (lane, _, flow) in &mut choice.lanes[..count] {
            *flow += rise * capacity[*lane];
            filled[*lane] += rise * capacity[*lane];
        }
        left -= rise * width;
    }
}

fn veh_per_hour(value: f64) -> VehPerHour {
    VehPerHour::new(value).unwrap_or(VehPerHour::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_level_the_lanes() {
        // (demand, what is there already, what is there in the end); both lanes discharge alike.
        for (demand, before, after) in [
            (600.0, [0.0, 0.0], [300.0, 300.0]),
            (600.0, [400.0, 0.0], [500.0, 500.0]),
            (300.0, [400.0, 0.0], [400.0, 300.0]), // not enough to level them
        ] {
            let lanes = vec![(0, None, 0.0), (1, None, 0.0)];
            let mut choice = Choice { movement: MovementId::of(0), demand, lanes };
            let mut filled = before;
            pour(&mut choice, &mut filled, &[1800.0, 1800.0]);
            for (got, wanted) in filled.iter().zip(after) {
                assert!((got - wanted).abs() < 1e-9, "{demand} on {before:?} gave {filled:?}");
            }
        }
    }
}

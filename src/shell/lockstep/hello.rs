//! The first line of a lock-step run: whom one talks to, and about what.

use crate::ids::Id;
use crate::network::{GroupKind, Junction, Network, Program, Sensor, SensorKind, SignalGroup};
use crate::shell::world::World;
use crate::wire::v1;

/// All that a client has to know.
pub(super) fn hello(world: &World) -> v1::Hello {
    let (network, settings) = (world.names.network(), &world.config.settings);
    v1::Hello {
        provenance: Some(world.provenance()),
        network: network.name().to_owned(),
        tick_ms: settings.tick_ms,
        decision_grid_ms: settings.grid_ms,
        lead_ms: settings.lead_ms,
        lateness_ms: settings.lateness_ms,
        benchmark: network.is_benchmark(),
        limits_json: serde_json::to_string(&world.limits).unwrap_or_default(),
        junctions: network.junctions().values().map(|j| junction(network, j)).collect(),
        sensors: world.names.sensors().table().values().map(|s| sensor(network, s)).collect(),
    }
}

fn junction(network: &Network, j: &Junction) -> v1::JunctionInfo {
    let stage = |stage: &crate::network::Stage| v1::StageInfo {
        stage_id: stage.name.to_string(),
        group_ids: stage.groups.iter().map(|g| j.groups[g].name.to_string()).collect(),
    };
    v1::JunctionInfo {
        junction_id: j.name.to_string(),
        groups: j.groups.values().map(|g| group(network, g)).collect(),
        stages: j.stages.values().map(stage).collect(),
        programs: j.programs.iter().map(|p| program(j, p)).collect(),
    }
}

fn group(network: &Network, g: &SignalGroup) -> v1::GroupInfo {
    let mut movements: Vec<_> = g.connections.iter().map(|&c| network.connections()[c].movement).collect();
    movements.sort_unstable();
    movements.dedup();
    let movement = |m| {
        let movement = &network.movements()[m];
        let name = |link| network.link(link).name.to_string();
        v1::MovementInfo { from_link_id: name(movement.from), to_link_id: name(movement.to) }
    };
    v1::GroupInfo {
        group_id: g.name.to_string(),
        pedestrian: g.kind == GroupKind::Pedestrian,
        min_green_ms: g.min_green.span.ms(),
        max_red_ms: g.max_red.span.ms(),
        yellow_ms: g.change.span.ms(),
        all_red_ms: g.all_red.span.ms(),
        movements: movements.into_iter().map(movement).collect(),
    }
}

fn program(j: &Junction, p: &Program) -> v1::ProgramInfo {
    let split = |&(stage, share): &(crate::ids::StageId, crate::time::Span)| v1::Split {
        stage_id: j.stages[stage].name.to_string(),
        duration_ms: share.ms(),
    };
    v1::ProgramInfo {
        program_id: p.name.to_string(),
        offset_ms: p.offset.ms(),
        splits: p.splits.iter().map(split).collect(),
    }
}

fn sensor(network: &Network, s: &Sensor) -> v1::SensorInfo {
    let link = network.link(s.link);
    let index = |lane: crate::ids::LaneId| u32::try_from(lane.index() - link.lanes.start.index()).unwrap_or(0);
    v1::SensorInfo {
        sensor_id: s.name.to_string(),
        camera: s.kind == SensorKind::Camera,
        link_id: link.name.to_string(),
        lane: s.lane.map(index),
        distance_m: s.distance.get(),
        range_m: s.range.get(),
        interval_ms: s.interval.ms(),
    }
}

//! What there is to see of a signal: lamps, timeline, demand, queues, and why its plan is as it is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Site;
use super::board::Snapshot;
use super::problem::{Path, Problem, Query};
use super::token::Seat;
use super::view::{LinkView, SensorView, Which, link_view, sensor_view, state_of};
use super::words::Word;
use crate::event::Aspect;
use crate::ids::{ConnectionId, GroupId, Id, JunctionId, LaneId, LinkId, MovementId, StageId, span};
use crate::network::Junction;
use crate::time::Span;

/// A signal.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JunctionView {
    id: String,
    zone: String,
    /// unheard, fault, silent, ordered, measured, imputed, base or own.
    state: String,
    stage: Option<String>,
    /// What it falls back on, and why.
    rung: Option<String>,
    reason: Option<String>,
    /// The order in force.
    order: Option<String>,
    /// Vehicles that stand on its approaches.
    queue: u32,
}

fn junction_view(site: &Site, snapshot: &Snapshot, id: JunctionId) -> JunctionView {
    let junction = site.network.junction(id);
    let row = &snapshot.junctions[id];
    let lanes = junction.approaches.iter().flat_map(|&l| span(&site.network.link(l).lanes));
    JunctionView {
        id: junction.name.to_string(),
        zone: site.network.zones()[junction.zone].name.to_string(),
        state: state_of(row, snapshot.now).into(),
        stage: row.stage(snapshot.now).map(|s| junction.stages[s].name.to_string()),
        rung: row.rung.as_ref().map(|r| r.rung.to_string()),
        reason: row.rung.as_ref().map(|r| r.reason.to_string()),
        order: row.order(snapshot.now),
        queue: lanes.map(|lane| u32::from(snapshot.lanes[lane].queue)).sum(),
    }
}

/// Signals.
#[utoipa::path(get, path = "/api/junctions", params(Which), security(("bearer" = [])), responses(
    (status = 200, body = Vec<JunctionView>), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 422, body = Problem),
))]
pub(super) async fn junctions(
    State(site): State<Arc<Site>>,
    seat: Seat,
    Query(which): Query<Which>,
) -> Result<Json<Vec<JunctionView>>, Problem> {
    let wanted = which.filter(&site, &seat)?;
    let ids = site.network.junctions().ids().filter(|&j| wanted(site.network.junction(j).zone));
    let snapshot = site.snapshot.load();
    Ok(Json(ids.map(|j| junction_view(&site, &snapshot, j)).collect()))
}

/// A change of stage, past or planned.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StageAt {
    stage: String,
    at_ms: i64,
}

/// One group of a signal.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GroupView {
    id: String,
    /// What its controller last said that it shows: red, yellow, green or dark.
    shows: String,
    /// Vehicles or calls within the horizon that the running plan saw, and how well that is known.
    demand: Option<f32>,
    quality: Option<String>,
    /// Where it leads from and to.
    movements: Vec<String>,
}

/// One way through a signal.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MovementView {
    from: String,
    to: String,
    /// left, straight, right or uturn.
    turn: String,
    /// Vehicles that stand in the lanes that lead there, as cameras see them.
    queue: u32,
    /// Whether some of these lanes lead elsewhere as well, so that not all who stand in them go this way.
    shared: bool,
}

/// Why the running plan and nothing else.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WhyView {
    source: String,
    cost_veh_s: f64,
    /// The next stage of the best other plan, and how much more that costs, vehicle-seconds.
    beaten: Option<String>,
    beaten_by_veh_s: Option<f64>,
    /// Limits that bound it.
    bound_by: Vec<String>,
}

/// A signal in full.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JunctionInFull {
    now_ms: i64,
    #[serde(flatten)]
    junction: JunctionView,
    revision: Option<u64>,
    /// When its controller last reported.
    heard_ms: Option<i64>,
    /// Five minutes back and two ahead.
    timeline: Vec<StageAt>,
    groups: Vec<GroupView>,
    programs: Vec<String>,
    why: Option<WhyView>,
    /// Rules that the last refused draft broke.
    refused: Vec<String>,
    /// Every way through it.
    movements: Vec<MovementView>,
    /// The roads that lead to it.
    approaches: Vec<LinkView>,
    /// Its sensors.
    sensors: Vec<SensorView>,
}

/// One signal: lamps, timeline, demand, queues, sensors, and why its plan is as it is.
#[utoipa::path(get, path = "/api/junctions/{id}", params(("id" = String, Path)), security(("bearer" = [])), responses(
    (status = 200, body = JunctionInFull), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 422, body = Problem),
))]
pub(super) async fn junction(
    State(site): State<Arc<Site>>,
    seat: Seat,
    Path(id): Path<String>,
) -> Result<Json<JunctionInFull>, Problem> {
    let at = site.seen_junction(&seat, &id)?;
    let (snapshot, own) = (site.snapshot.load(), site.network.junction(at));
    let row = &snapshot.junctions[at];
    let changes = row.changes(snapshot.now - Span::from_s(300), snapshot.now + Span::from_s(120));
    let stage = |s| own.stages[s].name.to_string();
    let why = row.plan.as_ref().map(|p| &p.why);
    let lamps = row.status.as_ref().map_or(&[][..], |s| &s.lamps[..]);
    let movement = |c: &ConnectionId| {
        let m = &site.network.movements()[site.network.connections()[*c].movement];
        format!("{} → {}", site.network.link(m.from).name, site.network.link(m.to).name)
    };
    let groups = own.groups.iter().map(|(g, group)| {
        let demand = why.and_then(|w| w.demand.iter().find(|d| d.group == g));
        let mut movements: Vec<String> = group.connections.iter().map(movement).collect();
        movements.dedup();
        GroupView {
            id: group.name.to_string(),
            shows: lamps.get(g.index()).copied().unwrap_or(Aspect::Dark).word().into(),
            demand: demand.map(|d| d.count),
            quality: demand.map(|d| d.quality.to_string()),
            movements,
        }
    });
    let sensors = own.approaches.iter().flat_map(|&l| site.sensors.on(l)).map(|&s| sensor_view(&site, &snapshot, s));
    Ok(Json(JunctionInFull {
        now_ms: snapshot.now.ms(),
        junction: junction_view(&site, &snapshot, at),
        revision: row.plan.as_ref().map(|p| p.plan.revision().0),
        heard_ms: row.status.as_ref().map(|s| s.at.ms()),
        timeline: changes.iter().map(|c| StageAt { stage: stage(c.stage), at_ms: c.at.ms() }).collect(),
        groups: groups.collect(),
        programs: own.programs.iter().map(|p| p.name.to_string()).collect(),
        why: why.map(|w| WhyView {
            source: w.source.word().into(),
            cost_veh_s: w.cost_veh_s,
            beaten: w.beaten.map(|b| stage(b.0)),
            beaten_by_veh_s: w.beaten.map(|b| b.1),
            bound_by: w.bound_by.iter().map(|text| named(text, own)).collect(),
        }),
        refused: row.refused.iter().flat_map(|r| r.violations.iter().map(|v| named(&v.to_string(), own))).collect(),
        movements: own.approaches.iter().flat_map(|&l| movements(&site, &snapshot, l)).collect(),
        approaches: own.approaches.iter().map(|&l| link_view(&site, &snapshot, l)).collect(),
        sensors: sensors.collect(),
    }))
}

/// What the core says of its own numbers, in names: a group `G5`, a stage `S2`.
fn named(text: &str, own: &Junction) -> String {
    let name = |word: &str| -> Option<&str> {
        let number = |kind| word.strip_prefix(kind)?.parse().ok();
        let group = number('G').and_then(|n| own.groups.get(GroupId::of(n))).map(|g| &*g.name);
        group.or_else(|| number('S').and_then(|n| own.stages.get(StageId::of(n))).map(|s| &*s.name))
    };
    let parts = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    let whole = |part: &str| {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        name(word).map_or_else(|| part.to_owned(), |name| format!("{name}{}", &part[word.len()..]))
    };
    parts.map(whole).collect()
}

fn movements(site: &Site, snapshot: &Snapshot, link: LinkId) -> Vec<MovementView> {
    let net = &site.network;
    let view = |&m: &MovementId| {
        let movement = &net.movements()[m];
        let mut lanes: Vec<LaneId> = movement.connections.iter().map(|&c| net.connections()[c].from).collect();
        lanes.sort_unstable();
        lanes.dedup();
        let elsewhere = |l: &LaneId| span(&net.lane(*l).exits).any(|c| net.connections()[c].movement != m);
        MovementView {
            from: net.link(link).name.to_string(),
            to: net.link(movement.to).name.to_string(),
            turn: movement.turn.word().into(),
            queue: lanes.iter().map(|&l| u32::from(snapshot.lanes[l].queue)).sum(),
            shared: lanes.iter().any(elsewhere),
        }
    };
    net.movements_from(link).iter().map(view).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Network;
    use crate::network::limits::Limits;
    use crate::twin::city::small;

    #[test]
    fn numbers_of_the_core_become_names() {
        let network = Network::build(small::corridor(), &Limits::default()).expect("sound");
        let own = network.junction(JunctionId::of(0));
        let (group, stage) = (&own.groups[GroupId::of(1)].name, &own.stages[StageId::of(0)].name);
        for (said, told) in [
            ("G1: green of 3 s is below its minimum 5 s", format!("{group}: green of 3 s is below its minimum 5 s")),
            ("S0 may not follow S0", format!("{stage} may not follow {stage}")),
            ("G1", group.to_string()),
            ("G99 and GO 5 (G) stay", "G99 and GO 5 (G) stay".into()), // none of its groups
        ] {
            assert_eq!(named(said, own), told);
        }
    }
}

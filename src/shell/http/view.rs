//! What there is to see: the map, zones, links and sensors, each within the reader's authority.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Site;
use super::board::{JunctionRow, Snapshot};
use super::problem::{Path, Problem, Query};
use super::token::Seat;
use super::words::Word;
use crate::authority::Role;
use crate::event::ControllerMode;
use crate::ids::{LinkId, SensorId, Table, ZoneId, span};
use crate::network::zone::ancestors;
use crate::plan::ladder::{Rung, SILENCE_MAX};
use crate::shell::clock;
use crate::time::{Span, Time};
use crate::traffic::health::Health;

/// How a junction is, in one word.
pub(super) fn state_of(row: &JunctionRow, now: Time) -> &'static str {
    let Some(status) = &row.status else { return "unheard" };
    if !status.faults.is_empty() {
        return "fault";
    }
    if now - status.at > SILENCE_MAX {
        return "silent";
    }
    match (status.mode, row.order(now).is_some(), row.rung.as_ref().map(|r| r.rung)) {
        (ControllerMode::Remote, true, _) => "ordered",
        (ControllerMode::Remote, false, Some(Rung::Measured | Rung::Fused | Rung::Timed)) => "measured",
        (ControllerMode::Remote, false, Some(Rung::Imputed | Rung::Actuated | Rung::Profile)) => "imputed",
        (ControllerMode::Remote, false, Some(Rung::Base)) => "base",
        _ => "own",
    }
}

/// The server lives.
#[utoipa::path(get, path = "/health", responses((status = 200, body = String)))]
pub(super) async fn health() -> &'static str {
    "ok"
}

/// The engine ticks: its last one is no older than 5 s, or the run is over.
#[utoipa::path(get, path = "/ready", responses((status = 200, body = String), (status = 503, body = Problem)))]
pub(super) async fn ready(State(site): State<Arc<Site>>) -> Result<&'static str, Problem> {
    let snapshot = site.snapshot.load();
    let age = clock::now() - snapshot.published;
    match snapshot.ended || age < Span::from_s(5) {
        true => Ok("ok"),
        false => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("the last tick is {age} old"))),
    }
}

/// A part of the city.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ZoneView {
    id: String,
    /// city, district, street or community.
    level: String,
    /// The zone above, where it is visible.
    parent: Option<String>,
    /// Delay index of the last report; none before the first.
    index: Option<f64>,
    /// Traffic performance index, 0 to 10.
    tpi: Option<f64>,
    /// How well it is known.
    quality: Option<String>,
    /// Change of the delay index over the last fifteen minutes.
    change: Option<f64>,
    /// What it will be in 5, 15 and 30 minutes; nothing before a day of its kind was seen at this hour.
    forecast: Vec<Minute>,
    /// Junctions in it and below.
    junctions: usize,
    /// Those of them that do not run on measured demand.
    impaired: usize,
}

/// A minute of the delay index.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Minute {
    end_ms: i64,
    index: f32,
}

/// A zone or a link in full.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Trend<T> {
    now_ms: i64,
    #[serde(flatten)]
    what: T,
    /// Minute by minute, the newest last: a day of a zone, an hour of a link.
    trend: Vec<Minute>,
}

fn minutes<'a>(of: impl IntoIterator<Item = &'a (Time, f32)>) -> Vec<Minute> {
    of.into_iter().map(|&(end, index)| Minute { end_ms: end.ms(), index }).collect()
}

/// How many junctions each zone has, with all below it, and how many of them do not run on measured demand.
fn counts(site: &Site, snapshot: &Snapshot) -> Table<ZoneId, (usize, usize)> {
    let zones = site.network.zones();
    let mut counts = Table::filled((0, 0), zones.len());
    for (id, junction) in site.network.junctions().iter() {
        let impaired = usize::from(state_of(&snapshot.junctions[id], snapshot.now) != "measured");
        for zone in ancestors(zones, junction.zone) {
            counts[zone] = (counts[zone].0 + 1, counts[zone].1 + impaired);
        }
    }
    counts
}

fn zone_view(site: &Site, seat: &Seat, id: ZoneId, snapshot: &Snapshot, counts: (usize, usize)) -> ZoneView {
    let (zone, row) = (&site.network.zones()[id], &snapshot.zones[id]);
    let before = row.trend.iter().rev().nth(15).map(|m| f64::from(m.1));
    ZoneView {
        id: zone.name.to_string(),
        level: zone.level.word().into(),
        parent: zone
            .parent
            .filter(|&p| site.may(seat, Role::Viewer, p))
            .map(|p| site.network.zones()[p].name.to_string()),
        index: row.last.map(|l| l.delay_index),
        tpi: row.last.map(|l| l.tpi),
        quality: row.last.map(|l| l.quality.to_string()),
        forecast: minutes(&row.forecast),
        change: before.zip(row.last).map(|(before, last)| last.delay_index - before),
        junctions: counts.0,
        impaired: counts.1,
    }
}

/// The zones you may see, each with its index.
#[utoipa::path(get, path = "/api/zones", security(("bearer" = [])), responses(
    (status = 200, body = Vec<ZoneView>), (status = 401, body = Problem),
))]
pub(super) async fn zones(State(site): State<Arc<Site>>, seat: Seat) -> Json<Vec<ZoneView>> {
    let snapshot = site.snapshot.load();
    let counts = counts(&site, &snapshot);
    let seen = site.network.zones().ids().filter(|&z| site.may(&seat, Role::Viewer, z));
    Json(seen.map(|z| zone_view(&site, &seat, z, &snapshot, counts[z])).collect())
}

/// One zone and its trend.
#[utoipa::path(get, path = "/api/zones/{id}", params(("id" = String, Path)), security(("bearer" = [])), responses(
    (status = 200, body = Trend<ZoneView>), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 422, body = Problem),
))]
pub(super) async fn zone(
    State(site): State<Arc<Site>>,
    seat: Seat,
    Path(id): Path<String>,
) -> Result<Json<Trend<ZoneView>>, Problem> {
    let zone = site.seen_zone(&seat, &id)?;
    let snapshot = site.snapshot.load();
    let what = zone_view(&site, &seat, zone, &snapshot, counts(&site, &snapshot)[zone]);
    Ok(Json(Trend { now_ms: snapshot.now.ms(), what, trend: minutes(&snapshot.zones[zone].trend) }))
}

/// Which of them.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Of this zone and all below it; everywhere you may see without it.
    zone: Option<String>,
}

impl Which {
    /// Whether it asks for what lies in a zone; an error where the zone asked for is out of reach.
    pub(super) fn filter<'a>(
        &self,
        site: &'a Site,
        seat: &'a Seat,
    ) -> Result<impl Fn(ZoneId) -> bool + use<'a>, Problem> {
        let within = self.zone.as_deref().map(|name| site.seen_zone(seat, name)).transpose()?;
        Ok(move |zone| {
            let zones = site.network.zones();
            within.is_none_or(|w| ancestors(zones, zone).any(|z| z == w)) && site.may(seat, Role::Viewer, zone)
        })
    }
}

/// A road.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LinkView {
    id: String,
    /// The road's own name.
    road: String,
    zone: String,
    /// The signal at its end.
    junction: Option<String>,
    /// Delay index of the last report.
    index: Option<f64>,
    /// Time lost on it in the last interval, vehicle-seconds.
    lost_veh_s: Option<f64>,
    /// How well it is known.
    quality: Option<String>,
    /// Vehicles that stand in each lane, the kerb's first, as a camera sees them.
    queue: Vec<u16>,
}

pub(super) fn link_view(site: &Site, snapshot: &Snapshot, id: LinkId) -> LinkView {
    let link = site.network.link(id);
    let last = snapshot.links[id].last;
    let junction = site.network.junction_at_end(id).map(|j| site.network.junction(j).name.to_string());
    LinkView {
        id: link.name.to_string(),
        road: link.road.to_string(),
        zone: site.network.zones()[link.zone].name.to_string(),
        junction,
        index: last.map(|l| l.delay_index),
        lost_veh_s: last.map(|l| (l.spent_veh_s - l.free_flow_veh_s).max(0.0)),
        quality: last.map(|l| l.quality.to_string()),
        queue: span(&link.lanes).map(|lane| snapshot.lanes[lane].queue).collect(),
    }
}

/// Links, those where most time is lost first.
#[utoipa::path(get, path = "/api/links", params(Which), security(("bearer" = [])), responses(
    (status = 200, body = Vec<LinkView>), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 422, body = Problem),
))]
pub(super) async fn links(
    State(site): State<Arc<Site>>,
    seat: Seat,
    Query(which): Query<Which>,
) -> Result<Json<Vec<LinkView>>, Problem> {
    let wanted = which.filter(&site, &seat)?;
    let ids = site.network.links().ids().filter(|&l| wanted(site.network.link(l).zone));
    let snapshot = site.snapshot.load();
    let mut all: Vec<LinkView> = ids.map(|l| link_view(&site, &snapshot, l)).collect();
    all.sort_by(|a, b| b.lost_veh_s.unwrap_or(0.0).total_cmp(&a.lost_veh_s.unwrap_or(0.0)));
    Ok(Json(all))
}

/// One link and its trend.
#[utoipa::path(get, path = "/api/links/{id}", params(("id" = String, Path)), security(("bearer" = [])), responses(
    (status = 200, body = Trend<LinkView>), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 422, body = Problem),
))]
pub(super) async fn link(
    State(site): State<Arc<Site>>,
    seat: Seat,
    Path(id): Path<String>,
) -> Result<Json<Trend<LinkView>>, Problem> {
    let link = site.seen_link(&seat, &id)?;
    let snapshot = site.snapshot.load();
    Ok(Json(Trend {
        now_ms: snapshot.now.ms(),
        what: link_view(&site, &snapshot, link),
        trend: minutes(&snapshot.links[link].trend),
    }))
}

/// A loop or a camera.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SensorView {
    id: String,
    kind: String,
    link: String,
    zone: String,
    /// unheard, good, silent, or what is wrong with it.
    health: String,
    since_ms: Option<i64>,
}

pub(super) fn sensor_view(site: &Site, snapshot: &Snapshot, id: SensorId) -> SensorView {
    let sensor = &site.sensors.table()[id];
    let (health, since) = snapshot.sensors[id];
    let link = site.network.link(sensor.link);
    SensorView {
        id: sensor.name.to_string(),
        kind: sensor.kind.word().into(),
        link: link.name.to_string(),
        zone: site.network.zones()[link.zone].name.to_string(),
        health: match health {
            Health::Unheard => "unheard".into(),
            Health::Good => "good".into(),
            Health::Silent => "silent".into(),
            Health::Bad(cause) => cause.to_string(),
        },
        since_ms: since.map(Time::ms),
    }
}

/// Sensors and their health, the bad ones first.
#[utoipa::path(get, path = "/api/sensors", params(Which), security(("bearer" = [])), responses(
    (status = 200, body = Vec<SensorView>), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 422, body = Problem),
))]
pub(super) async fn sensors(
    State(site): State<Arc<Site>>,
    seat: Seat,
    Query(which): Query<Which>,
) -> Result<Json<Vec<SensorView>>, Problem> {
    let wanted = which.filter(&site, &seat)?;
    let ids = site.sensors.table().iter().filter(|(_, s)| wanted(site.network.link(s.link).zone)).map(|(id, _)| id);
    let snapshot = site.snapshot.load();
    let mut all: Vec<SensorView> = ids.map(|id| sensor_view(&site, &snapshot, id)).collect();
    all.sort_by_key(|s| matches!(&*s.health, "good" | "unheard"));
    Ok(Json(all))
}

/// A road on the map.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MapLink {
    id: String,
    road: String,
    zone: String,
    lanes: usize,
    /// Points in order, metres east and north of the origin.
    shape: Vec<[f64; 2]>,
}

/// A signal on the map.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MapJunction {
    id: String,
    x: f64,
    y: f64,
}

/// The part of the map that you may see.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Map {
    name: String,
    /// Latitude and longitude of (0, 0), where it is known.
    origin: Option<[f64; 2]>,
    /// Minutes that local time is ahead of UTC.
    utc_offset_min: i64,
    /// The style of the map underneath, where the site has one: a MapLibre style's address.
    style: Option<String>,
    links: Vec<MapLink>,
    junctions: Vec<MapJunction>,
}

/// The map: it changes only with the network.
#[utoipa::path(get, path = "/api/map", security(("bearer" = [])), responses(
    (status = 200, body = Map), (status = 401, body = Problem),
))]
pub(super) async fn map(State(site): State<Arc<Site>>, seat: Seat) -> Json<Map> {
    let net = &site.network;
    let links = net.links().values().filter(|l| site.may(&seat, Role::Viewer, l.zone)).map(|l| MapLink {
        id: l.name.to_string(),
        road: l.road.to_string(),
        zone: net.zones()[l.zone].name.to_string(),
        lanes: l.lane_count(),
        shape: l.shape.iter().map(|p| [p.x, p.y]).collect(),
    });
    let junctions = net.junctions().values().filter(|j| site.may(&seat, Role::Viewer, j.zone)).map(|j| {
        let p = net.node(j.nodes[0]).position;
        MapJunction { id: j.name.to_string(), x: p.x, y: p.y }
    });
    Json(Map {
        name: net.name().into(),
        origin: net.origin().map(|o| [o.lat, o.lon]),
        utc_offset_min: net.utc_offset().ms() / 60_000,
        style: site.style.clone(),
        links: links.collect(),
        junctions: junctions.collect(),
    })
}

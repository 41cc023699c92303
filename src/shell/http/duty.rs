//! What people look after: alarms and their steps, and the audit of everything done.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::audit::Record;
use super::problem::{Body, Path, Problem};
use super::token::Seat;
use super::{Site, hold};
use crate::alarm::{Alarm, Deed, Place};
use crate::authority::Role;
use crate::ids::ZoneId;
use crate::time::Time;

/// The last 2 000 deeds in zones where you are an engineer, the newest first.
#[utoipa::path(get, path = "/api/audit", security(("bearer" = [])), responses(
    (status = 200, body = Vec<Record>), (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(super) async fn audit(State(site): State<Arc<Site>>, seat: Seat) -> Result<Json<Vec<Record>>, Problem> {
    site.somewhere(&seat, Role::Engineer)?;
    let reads = |name: &String| site.network.zone_named(name).is_some_and(|zone| site.may(&seat, Role::Engineer, zone));
    let audit = hold(&site.audit);
    let visible =
        audit.latest().rev().filter(|r| r.who == seat.name || (!r.zones.is_empty() && r.zones.iter().all(reads)));
    Ok(Json(visible.cloned().collect()))
}

/// An alarm.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlarmView {
    id: u64,
    kind: String,
    /// What it is about: a junction, a link or a zone, by name.
    place: String,
    /// Where it is there now: one place, or several of a zone that are one alarm.
    parts: Vec<String>,
    owner: String,
    /// The zone that looks after it now.
    desk: String,
    state: String,
    text: String,
    raised_ms: i64,
    seen_ms: i64,
    count: u32,
    gone: bool,
    due_ms: Option<i64>,
    assignee: Option<String>,
    notes: Vec<String>,
}

fn word<T: Serialize>(value: T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn alarm_view(site: &Site, a: &Alarm) -> AlarmView {
    let net = &site.network;
    let zone = |z: ZoneId| net.zones()[z].name.to_string();
    let place = |place: Place| match place {
        Place::Junction(j) => net.junction(j).name.to_string(),
        Place::Link(l) => net.link(l).name.to_string(),
        Place::Zone(z) => zone(z),
    };
    AlarmView {
        id: a.id,
        kind: word(a.cause.kind),
        place: place(a.cause.place),
        parts: a.parts.keys().copied().map(place).collect(),
        owner: zone(a.owner),
        desk: zone(a.desk),
        state: word(a.state),
        text: a.text.to_string(),
        raised_ms: a.raised.ms(),
        seen_ms: a.seen.ms(),
        count: a.count,
        gone: a.gone,
        due_ms: a.due.map(Time::ms),
        assignee: a.assignee.as_deref().map(str::to_owned),
        notes: a.notes.iter().map(|(at, who, text)| format!("{at} {who}: {text}")).collect(),
    }
}

/// Alarms that you may see, those that are open first, the newest first.
#[utoipa::path(get, path = "/api/alarms", security(("bearer" = [])), responses(
    (status = 200, body = Vec<AlarmView>), (status = 401, body = Problem),
))]
pub(super) async fn alarms(State(site): State<Arc<Site>>, seat: Seat) -> Json<Vec<AlarmView>> {
    // Told after the desk is free again: the engine's thread must not wait for words.
    let seen = |a: &&Arc<Alarm>| site.may(&seat, Role::Viewer, a.owner);
    let mut all: Vec<Arc<Alarm>> = hold(&site.alarms).all().rev().filter(seen).cloned().collect();
    all.sort_by_key(|a| a.state >= crate::alarm::State::Resolved);
    Json(all.iter().take(500).map(|a| alarm_view(&site, a)).collect())
}

/// What to do with an alarm.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Step {
    /// Take it on.
    Acknowledge {},
    /// Give it to somebody.
    Assign { whom: String },
    /// Say what is being done.
    Handle { note: String },
    /// Say that it is over.
    Resolve { note: String },
    /// Judge it.
    Evaluate { real: bool, note: String },
}

/// Does the next step with an alarm.
#[utoipa::path(post, path = "/api/alarms/{id}", params(("id" = u64, Path)), request_body = Step,
    security(("bearer" = [])), responses(
        (status = 200, body = AlarmView), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem),
        (status = 503, body = Problem),
    ))]
pub(super) async fn handle_alarm(
    State(site): State<Arc<Site>>,
    seat: Seat,
    Path(id): Path<u64>,
    Body(step): Body<Step>,
) -> Result<Json<AlarmView>, Problem> {
    let now = site.snapshot.load().now;
    let what = format!("alarm {id}: {}", serde_json::to_string(&step).unwrap_or_default());
    let deed = match step {
        Step::Acknowledge {} => Deed::Acknowledge,
        Step::Assign { whom } => Deed::Assign(short(&whom)),
        Step::Handle { note } => Deed::Handle(short(&note)),
        Step::Resolve { note } => Deed::Resolve(short(&note)),
        Step::Evaluate { real, note } => Deed::Evaluate { real, note: short(&note) },
    };
    let conflict = |why: Box<str>| Problem::new(StatusCode::CONFLICT, why);
    // Looked at, written down, then done. The desk is free while it is written: the engine's thread must not wait for a
    // disk. What has changed meanwhile is written down as well.
    let alarm = hold(&site.alarms).alarm(id).cloned().ok_or_else(|| Problem::unknown("alarm", &id.to_string()))?;
    if !site.may(&seat, Role::Operator, alarm.owner) {
        return Err(Problem::forbidden("this alarm"));
    }
    let becomes = hold(&site.alarms).may(id, &deed).map_err(conflict)?;
    let zones = vec![site.network.zones()[alarm.owner].name.to_string()];
    let before = word(alarm.state);
    site.book(&seat, what.clone(), zones.clone(), &before, &word(becomes), "")?;
    let done = hold(&site.alarms).act(now, id, &seat.name, deed);
    match done {
        Ok(alarm) => {
            site.live.alarms(&[id]);
            Ok(Json(alarm_view(&site, &alarm)))
        }
        Err(why) => {
            site.book(&seat, what, zones, &before, &format!("not done: {why}"), "")?;
            Err(conflict(why))
        }
    }
}

fn short(text: &str) -> Box<str> {
    text.chars().take(400).collect::<String>().into()
}

/// How fast alarms of one kind were answered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KindView {
    kind: String,
    raised: u64,
    acknowledged: u64,
    /// Mean time to that, s.
    acknowledge_s: Option<f64>,
    resolved: u64,
    /// Mean time to that, s.
    resolve_s: Option<f64>,
    /// Deadlines missed.
    escalated: u64,
    /// Judged not to be real.
    unreal: u64,
}

/// How fast alarms were answered, in the whole city: for engineers.
#[utoipa::path(get, path = "/api/statistics", security(("bearer" = [])), responses(
    (status = 200, body = Vec<KindView>), (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(super) async fn statistics(State(site): State<Arc<Site>>, seat: Seat) -> Result<Json<Vec<KindView>>, Problem> {
    let roots: Vec<ZoneId> =
        site.network.zones().iter().filter(|(_, z)| z.parent.is_none()).map(|(id, _)| id).collect();
    if !seat.authority.may(site.network.zones(), Role::Engineer, &roots) {
        return Err(Problem::forbidden("the whole city"));
    }
    let mean = |(n, sum): (u64, f64)| (n > 0).then(|| sum / n as f64);
    let desk = hold(&site.alarms);
    let rows = desk.statistics().iter().map(|(&kind, s)| KindView {
        kind: word(kind),
        raised: s.raised,
        acknowledged: s.acknowledged.0,
        acknowledge_s: mean(s.acknowledged),
        resolved: s.resolved.0,
        resolve_s: mean(s.resolved),
        escalated: s.escalated,
        unreal: s.unreal,
    });
    Ok(Json(rows.collect()))
}

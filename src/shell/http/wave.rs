//! Green waves: those under way as the engine reports them, and the way that one would take.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Site;
use super::board::Wave;
use super::problem::{Body, Problem};
use super::token::Seat;
use super::words::Word;
use crate::authority::Role;
use crate::corridor::others::{Alternative, OTHERS_MAX, differs, middle};
use crate::corridor::recovery::{Account, paid_back};
use crate::ids::LinkId;
use crate::time::Time;
use crate::units::Seconds;

/// What a road takes that is not to be taken.
const CLOSED: Seconds = Seconds::constant(f64::MAX);

/// A stop line that a green wave is to pass.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GateView {
    junction: String,
    /// When its green is to begin.
    green_from_ms: i64,
    /// The earliest and the latest instant at which the vehicle is there.
    low_ms: i64,
    high_ms: i64,
}

/// A way that a vehicle could take and does not.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OtherView {
    route: Vec<String>,
    /// The earliest and the latest instant at which it would be there.
    arrives_ms: [i64; 2],
    /// What its greens would be expected to cost others, vehicle-seconds.
    cost_veh_s: f64,
    /// Why it is not taken.
    why: String,
}

/// What one junction's greens for a vehicle cost others.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AccountView {
    junction: String,
    /// Delay of those who had to wait, beyond what it was before, measured, vehicle-seconds.
    extra_veh_s: f64,
    /// serves, owes, paid_back, passed_on, overdue or lost.
    standing: String,
    since_ms: i64,
    /// Since when the vehicle is through.
    released_ms: Option<i64>,
    /// Since when coordination is back.
    back_ms: Option<i64>,
}

/// A green wave.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WaveView {
    id: String,
    vehicle: String,
    at_ms: i64,
    from: String,
    to: String,
    /// requested, planned, active, passed, cancelled, timed_out, recovered, unrecovered or refused.
    state: String,
    /// Whether the vehicle is still to come.
    live: bool,
    /// Why it stands there.
    why: String,
    /// Its way from where it is.
    route: Vec<String>,
    /// The signals before it, in order.
    gates: Vec<GateView>,
    /// The earliest and the latest instant at which it is there.
    arrives_ms: Option<[i64; 2]>,
    /// Other ways from where it is, the next best first; those that lead where you may not look are left out.
    alternatives: Vec<OtherView>,
    /// What the greens before it are expected to cost others, vehicle-seconds.
    cost_veh_s: Option<f64>,
    /// What its greens have cost others so far, vehicle-seconds.
    extra_veh_s: Option<f64>,
    /// The same by junction, and whether and when each paid it back.
    accounts: Vec<AccountView>,
    /// When the last of them had; none while one owes, or where one did not.
    paid_back_ms: Option<i64>,
    /// Where it was last: x, y.
    position: Option<[f64; 2]>,
    seen_ms: Option<i64>,
}

/// Green waves whose whole way you may see, the newest first.
#[utoipa::path(get, path = "/api/corridors", security(("bearer" = [])), responses(
    (status = 200, body = Vec<WaveView>), (status = 401, body = Problem),
))]
pub(super) async fn corridors(State(site): State<Arc<Site>>, seat: Seat) -> Json<Vec<WaveView>> {
    let snapshot = site.snapshot.load();
    let name = |l: LinkId| site.network.link(l).name.to_string();
    let sees = |l: &LinkId| site.may(&seat, Role::Viewer, site.network.link(*l).zone);
    let mut seen: Vec<&Wave> = snapshot.waves.values().filter(|w| w.way().all(|l| sees(&l))).collect();
    seen.sort_by_key(|w| std::cmp::Reverse(w.request.at));
    let view = |w: &Wave| {
        let report = w.report.as_deref();
        let gates = report.iter().flat_map(|r| &r.gates).map(|g| GateView {
            junction: site.network.junction(g.junction).name.to_string(),
            green_from_ms: g.green_from.ms(),
            low_ms: g.low.ms(),
            high_ms: g.high.ms(),
        });
        let others = report.iter().flat_map(|r| &r.alternatives).filter(|a| a.route.iter().all(sees));
        let other = |a: &Alternative| OtherView {
            route: a.route.iter().map(|&l| name(l)).collect(),
            arrives_ms: [a.arrives.0.ms(), a.arrives.1.ms()],
            cost_veh_s: a.cost_veh_s,
            why: a.why.to_string(),
        };
        let accounts = report.map_or(&[][..], |r| &r.accounts);
        let account = |a: &Account| AccountView {
            junction: site.network.junction(a.junction).name.to_string(),
            extra_veh_s: a.extra_veh_s,
            standing: a.standing.word().into(),
            since_ms: a.since.ms(),
            released_ms: a.released.map(Time::ms),
            back_ms: a.back.map(Time::ms),
        };
        WaveView {
            id: w.request.id.to_string(),
            vehicle: w.request.vehicle.to_string(),
            at_ms: w.request.at.ms(),
            from: name(w.request.from),
            to: name(w.request.to),
            state: w.state().word().into(),
            live: w.state().live(),
            why: report.map_or_else(String::new, |r| r.why.to_string()),
            route: report.map_or(&*w.request.route, |r| &r.route).iter().map(|&l| name(l)).collect(),
            gates: gates.collect(),
            arrives_ms: report.and_then(|r| r.arrives).map(|(low, high)| [low.ms(), high.ms()]),
            alternatives: others.map(other).collect(),
            cost_veh_s: report.map(|r| r.cost_veh_s),
            extra_veh_s: report.map(|r| r.extra_veh_s),
            accounts: accounts.iter().map(account).collect(),
            paid_back_ms: paid_back(accounts).map(Time::ms),
            position: w.position.as_ref().map(|p| [p.point.x, p.point.y]),
            seen_ms: w.position.as_ref().map(|p| p.at.ms()),
        }
    };
    Json(seen.into_iter().map(view).collect())
}

/// From where to where.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Trip {
    from: String,
    to: String,
}

/// Another way that a green wave could take.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OtherWay {
    route: Vec<String>,
    /// Signals on the way.
    junctions: usize,
    /// As traffic is now, s.
    now_s: f64,
    /// Why it is not proposed: so much longer than the way that is, s.
    later_s: f64,
    /// How long it is, m.
    length_m: f64,
}

/// What a green wave would do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Preview {
    route: Vec<String>,
    /// Signals on the way, in order.
    junctions: Vec<String>,
    /// As traffic is now, s.
    now_s: f64,
    /// At the limit without signals or traffic, s.
    free_flow_s: f64,
    /// How long the way is, m.
    length_m: f64,
    /// Whether you may start it: you are an operator all along.
    allowed: bool,
    /// Up to two clearly different ways, as far as you may look at them. What they would cost others is told of a wave that
    /// is requested.
    alternatives: Vec<OtherWay>,
}

/// The way that a green wave would take now; orders nothing.
#[utoipa::path(post, path = "/api/corridors/preview", request_body = Trip, security(("bearer" = [])), responses(
    (status = 200, body = Preview), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 422, body = Problem),
))]
pub(super) async fn preview(
    State(site): State<Arc<Site>>,
    seat: Seat,
    Body(trip): Body<Trip>,
) -> Result<Json<Preview>, Problem> {
    let net = &site.network;
    let ends = [site.seen_link(&seat, &trip.from)?, site.seen_link(&seat, &trip.to)?];
    let may = |role, route: &[LinkId]| route.iter().all(|&l| site.may(&seat, role, net.link(l).zone));
    let (route, now) = way(&site, ends[0], ends[1], &[])?;
    if !may(Role::Viewer, &route) {
        return Err(Problem::forbidden("part of the way"));
    }
    let signals = |route: &[LinkId]| -> Vec<String> {
        let junctions = route[..route.len() - 1].iter().filter_map(|&l| net.junction_at_end(l));
        junctions.map(|j| net.junction(j).name.to_string()).collect()
    };
    let named = |route: &[LinkId]| route.iter().map(|&l| net.link(l).name.to_string()).collect();
    let length_m = |route: &[LinkId]| route.iter().map(|&l| net.link(l).length.get()).sum();
    let mut ways = vec![route.clone()];
    let mut alternatives = Vec::new();
    while alternatives.len() < OTHERS_MAX {
        let without: Vec<LinkId> = ways.iter().flat_map(|way| middle(net, way)).copied().collect();
        let Ok((other, takes)) = way(&site, ends[0], ends[1], &without) else { break };
        if !differs(net, &ways, &other) || !may(Role::Viewer, &other) {
            break;
        }
        alternatives.push(OtherWay {
            route: named(&other),
            junctions: signals(&other).len(),
            now_s: takes.get(),
            later_s: takes.get() - now.get(),
            length_m: length_m(&other),
        });
        ways.push(other);
    }
    Ok(Json(Preview {
        junctions: signals(&route),
        now_s: now.get(),
        free_flow_s: route.iter().map(|&l| net.link(l).free_flow().get()).sum(),
        length_m: length_m(&route),
        allowed: may(Role::Operator, &route),
        route: named(&route),
        alternatives,
    }))
}

/// The fastest way as traffic is now that takes none of some roads, and how long it takes.
pub(super) fn way(
    site: &Site,
    from: LinkId,
    to: LinkId,
    without: &[LinkId],
) -> Result<(Vec<LinkId>, Seconds), Problem> {
    let snapshot = site.snapshot.load();
    let cost = |l: LinkId| {
        if without.contains(&l) {
            return CLOSED;
        }
        let index = snapshot.links[l].last.map_or(1.0, |last| last.delay_index.max(1.0));
        Seconds::new(site.network.link(l).free_flow().get() * index).unwrap_or(Seconds::ZERO)
    };
    site.router.route(from, to, cost).ok_or_else(|| Problem::wrong("to: no way leads there"))
}

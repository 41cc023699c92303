//! What people order, and its approval. Every command is an event for the engine; nothing reaches a lamp another way.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::audit::Record;
use super::problem::{Body, Path, Problem};
use super::token::Seat;
use super::wave::way;
use super::{Site, hold};
use crate::authority::{Role, places, required};
use crate::event::{Action, Command, Event, Mode, PriorityClass, PriorityRequest, Scope};
use crate::ids::{GroupId, JunctionId, LinkId, ZoneId};
use crate::shell::clock;
use crate::time::{Span, Time};

/// Commands that wait for a second person at one time, and how long they do.
const WAITING_MAX: usize = 100;
const WAITS: Span = Span::from_s(900);

/// Commands that wait for a second person.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    all: BTreeMap<u64, Waits>,
    last: u64,
}

/// An order that waits, who gave it and when, and what it asks of whoever approves it.
#[derive(Debug)]
struct Waits {
    order: Order,
    asked: Seat,
    since: Time,
    role: Role,
    zones: Vec<ZoneId>,
}

/// What is to be done.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Deal {
    /// Run the base program and nothing else until released.
    Hold { junction: String },
    /// End a hold or a pin.
    Release { junction: String },
    /// Run a named program for so many minutes, 1 to 1440.
    Pin { junction: String, program: String, minutes: u16 },
    /// Narrow a group's limits.
    Limit { junction: String, group: String, min_green_ms: Option<u32>, max_red_ms: Option<u32> },
    /// Nobody can drive on a lane, counted from the kerb, which is 0.
    CloseLane { link: String, lane: u8 },
    /// Everybody can again.
    OpenLane { link: String, lane: u8 },
    /// Nobody can drive on a link.
    CloseLink { link: String },
    /// Everybody can again.
    OpenLink { link: String },
    /// shadow, advise or control, in a zone and all below it.
    Mode {
        zone: String,
        #[schema(value_type = String)]
        mode: Mode,
    },
    /// Ask for a green wave for an ambulance.
    GreenWave { vehicle: String, from: String, to: String },
    /// Let a green wave begin that waits for it.
    ActivateGreenWave { request: String },
    /// End a green wave.
    CancelGreenWave { request: String },
}

/// The kinds of orders.
pub(super) const KINDS: [&str; 12] = [
    "hold",
    "release",
    "pin",
    "limit",
    "close_lane",
    "open_lane",
    "close_link",
    "open_link",
    "mode",
    "green_wave",
    "activate_green_wave",
    "cancel_green_wave",
];

/// An order.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(super) struct Order {
    action: Deal,
    /// Why: at most 400 characters.
    #[serde(default)]
    reason: String,
}

/// An order that can be carried out: the event without who and when, who may, and where.
enum Ready {
    Act(Action),
    Wave { vehicle: String, route: Vec<LinkId> },
}

impl Deal {
    fn kind(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        value["kind"].as_str().unwrap_or_default().to_owned()
    }

    fn ready(&self, site: &Site, now: Time) -> Result<Ready, Problem> {
        let net = &site.network;
        let (junction, link) = (|n: &str| site.junction(n), |n: &str| site.link(n));
        let lane = |l: &str, i: u8| net.lane_of(link(l)?, i).ok_or_else(|| Problem::unknown("lane", &i.to_string()));
        Ok(Ready::Act(match self {
            Self::Hold { junction: j } => Action::Hold(junction(j)?),
            Self::Release { junction: j } => Action::Release(junction(j)?),
            Self::Pin { junction: j, program, minutes } => {
                let at = junction(j)?;
                let program_at = net.junction(at).programs.iter().position(|p| *p.name == **program);
                let row = program_at.and_then(|p| u8::try_from(p).ok());
                let row = row.ok_or_else(|| Problem::unknown("program", program))?;
                if !(1..=1440).contains(minutes) {
                    return Err(Problem::wrong(format!("minutes: {minutes} is not within 1 to 1440")));
                }
                Action::Pin { junction: at, program: row, until: now + Span::from_s(i64::from(*minutes) * 60) }
            }
            Self::Limit { junction: j, group, min_green_ms, max_red_ms } => {
                let at: JunctionId = junction(j)?;
                let named: Option<GroupId> = net.junction(at).group_named(group);
                let span = |ms: &Option<u32>| ms.map(|ms| Span::from_ms(i64::from(ms)));
                Action::Limit {
                    junction: at,
                    group: named.ok_or_else(|| Problem::unknown("group", group))?,
                    min_green: span(min_green_ms),
                    max_red: span(max_red_ms),
                }
            }
            Self::CloseLane { link, lane: i } => Action::CloseLane(lane(link, *i)?),
            Self::OpenLane { link, lane: i } => Action::OpenLane(lane(link, *i)?),
            Self::CloseLink { link: l } => Action::CloseLink(link(l)?),
            Self::OpenLink { link: l } => Action::OpenLink(link(l)?),
            Self::Mode { zone, mode } => Action::Mode(Scope::Zone(site.zone(zone)?), *mode),
            Self::ActivateGreenWave { request } => Action::ActivatePriority(request.as_str().into()),
            Self::CancelGreenWave { request } => Action::CancelPriority(request.as_str().into()),
            Self::GreenWave { vehicle, from, to } => {
                if !(1..=80).contains(&vehicle.chars().count()) {
                    return Err(Problem::wrong("vehicle: must be 1 to 80 characters"));
                }
                let route = way(site, link(from)?, link(to)?, &[])?.0;
                return Ok(Ready::Wave { vehicle: vehicle.clone(), route });
            }
        }))
    }
}

impl Ready {
    /// The role it asks for, and where.
    fn asks(&self, site: &Site) -> Result<(Role, Vec<ZoneId>), Problem> {
        let along = |route: &[LinkId]| route.iter().map(|&l| site.network.link(l).zone).collect();
        Ok(match self {
            Self::Wave { route, .. } => (Role::Operator, along(route)),
            Self::Act(Action::CancelPriority(id) | Action::ActivatePriority(id)) => {
                let snapshot = site.snapshot.load();
                let wave = snapshot.waves.get(id).ok_or_else(|| Problem::unknown("request", id))?;
                (Role::Operator, along(&wave.way().collect::<Vec<_>>()))
            }
            Self::Act(action) => (required(action), places(action, &site.network)),
        })
    }
}

/// An order that somebody may give: what goes to the engine, and what was asked of whom.
struct Checked {
    ready: Ready,
    role: Role,
    zones: Vec<ZoneId>,
}

/// How the orders of somebody are signed: a name may be long.
fn signed(seat: &Seat) -> String {
    seat.name.chars().take(50).collect()
}

/// What became of an order.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Receipt {
    /// Its number: what came of it is told under this.
    id: String,
    /// sent, or waiting for a second person.
    state: String,
}

/// Orders something. Some kinds wait for a second person.
#[utoipa::path(post, path = "/api/commands", request_body = Order, security(("bearer" = [])), responses(
    (status = 202, body = Receipt), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem),
))]
pub(super) async fn command(
    State(site): State<Arc<Site>>,
    seat: Seat,
    Body(order): Body<Order>,
) -> Result<(StatusCode, Json<Receipt>), Problem> {
    let checked = site.allow(&seat, &order)?;
    if !site.dual.contains(&order.action.kind()) {
        return Ok((StatusCode::ACCEPTED, Json(site.send(&seat, &order, checked, None)?)));
    }
    let now = site.snapshot.load().now;
    let mut waiting = hold(&site.waiting);
    waiting.all.retain(|_, waits| now - waits.since < WAITS);
    if waiting.all.len() >= WAITING_MAX {
        let full = format!("{WAITING_MAX} commands wait already");
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, full));
    }
    waiting.last += 1;
    let id = waiting.last;
    let Checked { role, zones, .. } = checked;
    let what = format!("asks for: {}", serde_json::to_string(&order.action).unwrap_or_default());
    site.book(&seat, what, site.names(&zones), "", "waiting", &order.reason)?;
    waiting.all.insert(id, Waits { order, asked: seat, since: now, role, zones });
    Ok((StatusCode::ACCEPTED, Json(Receipt { id: format!("w{id}"), state: "waiting".into() })))
}

/// A second person approves an order that waits.
#[utoipa::path(post, path = "/api/commands/{id}/approve", params(("id" = String, Path)), security(("bearer" = [])),
    responses(
        (status = 202, body = Receipt), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem),
    ))]
pub(super) async fn approve(
    State(site): State<Arc<Site>>,
    seat: Seat,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Receipt>), Problem> {
    let mut waiting = hold(&site.waiting);
    let number: Option<u64> = id.strip_prefix('w').and_then(|n| n.parse().ok());
    let found = number.and_then(|n| waiting.all.get(&n).map(|w| (n, w)));
    let (number, Waits { order, asked, since, .. }) = found.ok_or_else(|| Problem::unknown("command", &id))?;
    if site.snapshot.load().now - *since >= WAITS {
        return Err(Problem::unknown("command", &id));
    }
    let checked = site.allow(&seat, order)?;
    if asked.name == seat.name {
        return Err(Problem::forbidden("approving your own order"));
    }
    let receipt = site.send(asked, order, checked, Some(&seat))?;
    waiting.all.remove(&number);
    Ok((StatusCode::ACCEPTED, Json(receipt)))
}

/// Orders that wait and what came of the last ones.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Orders {
    waiting: Vec<WaitingView>,
    /// The newest last.
    outcomes: Vec<OutcomeView>,
}

/// An order that waits.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WaitingView {
    id: String,
    who: String,
    order: Order,
    since_ms: i64,
}

/// What came of an order.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OutcomeView {
    id: String,
    at_ms: i64,
    done: bool,
    text: String,
}

/// Orders that wait for a second person, where you could approve them, and what came of the last ones.
#[utoipa::path(get, path = "/api/commands", security(("bearer" = [])), responses(
    (status = 200, body = Orders), (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(super) async fn commands(State(site): State<Arc<Site>>, seat: Seat) -> Result<Json<Orders>, Problem> {
    site.somewhere(&seat, Role::Operator)?;
    let snapshot = site.snapshot.load();
    let waiting = hold(&site.waiting);
    let visible = waiting
        .all
        .iter()
        .filter(|(_, w)| snapshot.now - w.since < WAITS && seat.authority.may(site.network.zones(), w.role, &w.zones));
    let waiting = visible.map(|(id, w)| WaitingView {
        id: format!("w{id}"),
        who: w.asked.name.clone(),
        order: w.order.clone(),
        since_ms: w.since.ms(),
    });
    // An id carries who asked: everybody reads what came of his own orders.
    let mine = signed(&seat);
    let own = |o: &&crate::output::CommandOutcome| o.id.rsplit_once('/').is_some_and(|(who, _)| who == mine);
    let outcomes = snapshot.outcomes.iter().filter(own).map(|o| {
        let (done, text) = match &o.result {
            Ok(text) => (true, text),
            Err(text) => (false, text),
        };
        OutcomeView { id: o.id.to_string(), at_ms: o.at.ms(), done, text: text.to_string() }
    });
    Ok(Json(Orders { waiting: waiting.collect(), outcomes: outcomes.collect() }))
}

impl Site {
    /// What an order comes to, if `seat` may give it now: what is checked here is what is sent.
    fn allow(&self, seat: &Seat, order: &Order) -> Result<Checked, Problem> {
        if order.reason.chars().count() > 400 {
            return Err(Problem::wrong("reason: more than 400 characters"));
        }
        let ready = order.action.ready(self, self.snapshot.load().now)?;
        let (role, zones) = ready.asks(self)?;
        match seat.authority.may(self.network.zones(), role, &zones) {
            true => Ok(Checked { ready, role, zones }),
            false => Err(Problem::forbidden(&order.action.kind())),
        }
    }

    fn names(&self, zones: &[ZoneId]) -> Vec<String> {
        let mut names: Vec<String> = zones.iter().map(|&z| self.network.zones()[z].name.to_string()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Books an order and hands it to the engine.
    fn send(&self, seat: &Seat, order: &Order, checked: Checked, second: Option<&Seat>) -> Result<Receipt, Problem> {
        let now = self.snapshot.load().now;
        let Checked { ready, zones, .. } = checked;
        let before = self.before(&ready);
        let names = self.names(&zones);
        let what = serde_json::to_string(&order.action).unwrap_or_default();
        let after = second.map_or_else(|| "sent".to_owned(), |s| format!("sent, approved by {}", s.name));
        let seq = self.book(seat, what, names, &before, &after, &order.reason)?;
        let name = signed(seat);
        let id = format!("{name}/{}-{seq}", clock::now().ms());
        let event = match ready {
            Ready::Act(action) => Event::from(Command {
                id: id.as_str().into(),
                at: now,
                operator: name.into(),
                reason: order.reason.as_str().into(),
                action,
            }),
            Ready::Wave { vehicle, route } => Event::from(PriorityRequest {
                id: id.as_str().into(),
                at: now,
                authority: name.into(),
                vehicle: vehicle.into(),
                class: PriorityClass::Ambulance,
                from: route[0],
                to: route[route.len() - 1],
                route: route.into(),
                deadline: None,
            }),
        };
        let gone = |_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the engine does not listen");
        self.events.try_send(event).map_err(gone)?;
        Ok(Receipt { id, state: "sent".into() })
    }

    fn before(&self, ready: &Ready) -> String {
        let snapshot = self.snapshot.load();
        match ready {
            Ready::Act(Action::Hold(j) | Action::Release(j) | Action::Pin { junction: j, .. }) => {
                snapshot.junctions[*j].order(snapshot.now).unwrap_or_else(|| "free".into())
            }
            _ => String::new(),
        }
    }

    /// Writes down who does what; nothing is done that cannot be written down.
    pub(super) fn book(
        &self,
        seat: &Seat,
        what: String,
        zones: Vec<String>,
        before: &str,
        after: &str,
        why: &str,
    ) -> Result<u64, Problem> {
        let mut audit = hold(&self.audit);
        let record = Record {
            seq: 0,
            at_ms: self.snapshot.load().now.ms(),
            wall_ms: clock::now().ms(),
            who: seat.name.clone(),
            what,
            zones,
            why: why.into(),
            before: before.into(),
            after: after.into(),
            prev: String::new(),
            hash: String::new(),
        };
        let full = |e| Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("the audit log cannot be written: {e}"));
        audit.add(record).map_err(full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_listed() {
        let why = serde_json::from_str::<Deal>(r#"{"kind": "dance"}"#).expect_err("nobody dances").to_string();
        let known: Vec<&str> = why.split('`').skip(3).step_by(2).collect();
        assert_eq!(known, KINDS);
    }
}

//! The time-space diagram of a junction's corridor: the signals one after the other along a road, and when each lets
//! through who drives along it, either way.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Site;
use super::board::{JunctionRow, Snapshot};
use super::problem::{Path, Problem, Query};
use super::token::Seat;
use crate::authority::Role;
use crate::event::Aspect;
use crate::ids::{GroupSet, JunctionId, LinkId, MovementId};
use crate::network::spec::Turn;
use crate::network::{Junction, Network};
use crate::plan::timeline::{Lamps, unroll};
use crate::time::{Span, Time};

/// Signals before and behind the junction that are shown, at most.
const EACH_WAY: usize = 4;
/// Links without a signal at their end that are passed to the next signal, at most.
const UNSIGNALISED: usize = 20;
/// What is shown: five minutes back, two ahead.
const PAST: Span = Span::from_s(300);
const AHEAD: Span = Span::from_s(120);

/// Along which approach.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Along {
    /// One of the junction's approaches; the one with the most lanes without it.
    approach: Option<String>,
}

/// A span of time, milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Green {
    from_ms: i64,
    to_ms: i64,
}

/// One signal of a corridor.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SignalOn {
    junction: String,
    /// Along the road from the first, m.
    at_m: f64,
    /// When straight on is green for those who drive along.
    along: Vec<Green>,
    /// And for those who come towards them.
    against: Vec<Green>,
}

/// A time-space diagram.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Diagram {
    now_ms: i64,
    from_ms: i64,
    to_ms: i64,
    /// The approach it follows.
    approach: String,
    /// Approaches that it could follow.
    approaches: Vec<String>,
    /// The road's own name.
    road: String,
    /// The limit along it: how fast a green wave would run, m/s.
    speed_mps: f64,
    signals: Vec<SignalOn>,
}

/// The time-space diagram along one approach: greens of the last five minutes and planned for the next two.
#[utoipa::path(get, path = "/api/junctions/{id}/diagram", params(("id" = String, Path), Along),
    security(("bearer" = [])), responses(
        (status = 200, body = Diagram), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem),
    ))]
pub(super) async fn diagram(
    State(site): State<Arc<Site>>,
    seat: Seat,
    Path(id): Path<String>,
    Query(along): Query<Along>,
) -> Result<Json<Diagram>, Problem> {
    let net = &site.network;
    let at = site.seen_junction(&seat, &id)?;
    // Where nobody can drive straight on the corridor is this one signal.
    let all = &net.junction(at).approaches;
    let through: Vec<LinkId> = all.iter().copied().filter(|&l| straight(net, l).is_some()).collect();
    let approaches = if through.is_empty() { all.clone() } else { through };
    let approach = match &along.approach {
        Some(name) => approaches.iter().copied().find(|&l| *net.link(l).name == **name),
        None => approaches.iter().copied().max_by_key(|&l| (net.link(l).lane_count(), std::cmp::Reverse(l))),
    };
    let asked = along.approach.as_deref().unwrap_or_default();
    let approach = approach.ok_or_else(|| Problem::unknown("approach", asked))?;
    let snapshot = site.snapshot.load();
    let mut chain = chain(net, approach);
    chain.retain(|s| site.may(&seat, Role::Viewer, net.junction(s.junction).zone));
    let first = chain.first().map_or(0.0, |s| s.at_m);
    Ok(Json(Diagram {
        now_ms: snapshot.now.ms(),
        from_ms: (snapshot.now - PAST).ms(),
        to_ms: (snapshot.now + AHEAD).ms(),
        approach: net.link(approach).name.to_string(),
        approaches: approaches.iter().map(|&l| net.link(l).name.to_string()).collect(),
        road: net.link(approach).road.to_string(),
        speed_mps: net.link(approach).speed.get(),
        signals: chain.iter().map(|s| s.view(net, &snapshot, first)).collect(),
    }))
}

/// A signal on the way and the approach by which the way comes to it.
struct Stop {
    junction: JunctionId,
    approach: LinkId,
    at_m: f64,
}

impl Stop {
    fn view(&self, net: &Network, snapshot: &Snapshot, first: f64) -> SignalOn {
        let (junction, row) = (net.junction(self.junction), &snapshot.junctions[self.junction]);
        let greens = |approach: Option<LinkId>| {
            let groups = approach.and_then(|l| straight(net, l)).map_or(GroupSet::EMPTY, |m| groups(net, m));
            greens(junction, row, groups, snapshot.now)
        };
        SignalOn {
            junction: junction.name.to_string(),
            at_m: self.at_m - first,
            along: greens(Some(self.approach)),
            against: greens(opposite(net, junction, self.approach)),
        }
    }
}

/// The movement straight on from `link`.
fn straight(net: &Network, link: LinkId) -> Option<MovementId> {
    net.movements_from(link).iter().copied().find(|&m| net.movements()[m].turn == Turn::Straight)
}

/// The approach that comes towards `approach`: that of those with a way straight on whose heading is the most opposed.
fn opposite(net: &Network, junction: &Junction, approach: LinkId) -> Option<LinkId> {
    let (east, north) = heading(net, approach)?;
    let towards = junction.approaches.iter().filter(|&&l| straight(net, l).is_some());
    let along = towards.filter_map(|&l| heading(net, l).map(|(e, n)| (l, e * east + n * north)));
    along.min_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, along)| *along < OPPOSED).map(|(l, _)| l)
}

/// Two headings whose cosine is below this go against one another.
const OPPOSED: f64 = -0.7;

/// The heading at the end of a link, as a vector of length 1 to east and north.
fn heading(net: &Network, link: LinkId) -> Option<(f64, f64)> {
    let shape = &net.link(link).shape;
    let (last, before) = (shape.last()?, shape.iter().rev().nth(1)?);
    let length = before.distance(*last).get();
    (length > 0.0).then(|| ((last.x - before.x) / length, (last.y - before.y) / length))
}

fn groups(net: &Network, movement: MovementId) -> GroupSet {
    let paths = net.movements()[movement].connections.iter();
    paths.filter_map(|&c| net.connections()[c].control.group()).map(|(_, group)| group).collect()
}

/// The signals along the road through the end of `approach`, in order of driving.
fn chain(net: &Network, approach: LinkId) -> Vec<Stop> {
    let mut all: Vec<Stop> = net
        .junction_at_end(approach)
        .map(|junction| Stop { junction, approach, at_m: 0.0 })
        .into_iter()
        .chain(Ahead { net, at: approach, at_m: 0.0 }.take(EACH_WAY))
        .collect();
    let (mut link, mut at_m) = (approach, 0.0);
    for _ in 0..UNSIGNALISED + EACH_WAY {
        let before = net.node(net.link(link).from).incoming.iter().copied();
        let leads = |l: &LinkId| straight(net, *l).is_some_and(|m| net.movements()[m].to == link);
        let Some(previous) = before.clone().find(leads) else { break };
        at_m -= net.link(link).length.get();
        link = previous;
        if let Some(junction) = net.junction_at_end(link) {
            all.insert(0, Stop { junction, approach: link, at_m });
        }
        if all[0].at_m < 0.0 && all.iter().filter(|s| s.at_m < 0.0).count() >= EACH_WAY {
            break;
        }
    }
    all
}

/// The signals ahead, straight on from each to the next.
struct Ahead<'a> {
    net: &'a Network,
    at: LinkId,
    at_m: f64,
}

impl Iterator for Ahead<'_> {
    type Item = Stop;

    fn next(&mut self) -> Option<Stop> {
        for _ in 0..UNSIGNALISED {
            self.at = self.net.movements()[straight(self.net, self.at)?].to;
            self.at_m += self.net.link(self.at).length.get();
            if let Some(junction) = self.net.junction_at_end(self.at) {
                return Some(Stop { junction, approach: self.at, at_m: self.at_m });
            }
        }
        None
    }
}

/// When all of `groups` are green, by what was run and what is planned.
fn greens(junction: &Junction, row: &JunctionRow, groups: GroupSet, now: Time) -> Vec<Green> {
    let (from, until) = (now - PAST, now + AHEAD);
    if groups.is_empty() {
        return Vec::new();
    }
    let shown = unroll(Lamps::dark(junction), row.changes(from, until), Time::LONG_AGO, until, junction);
    let (mut lit, mut all, mut since) = (GroupSet::EMPTY, Vec::new(), None);
    for change in shown.iter().filter(|c| groups.contains(c.group)) {
        lit = if change.aspect == Aspect::Green { lit.with(change.group) } else { lit.without(change.group) };
        match since {
            None if lit == groups => since = Some(change.at),
            Some(began) if lit != groups => {
                all.push(Green { from_ms: began.max(from).ms(), to_ms: change.at.max(from).ms() });
                since = None;
            }
            _ => {}
        }
    }
    all.extend(since.map(|began| Green { from_ms: began.max(from).ms(), to_ms: until.ms() }));
    all.retain(|green| green.from_ms < green.to_ms);
    all
}

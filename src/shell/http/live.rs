//! Live updates: one frame a publication, told once for each extent of authority; whoever is too slow is let go and
//! comes back with the number of the last frame it had.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::sync::mpsc;

use super::board::{Snapshot, Wave};
use super::problem::Problem;
use super::token::Seat;
use super::view::state_of;
use super::{Site, hold};
use crate::authority::{Authority, Role};
use crate::ids::{JunctionId, LinkId, StageId, Table, ZoneId};
use crate::network::{Network, Point};
use crate::shell::clock;
use crate::time::{Span, Time};

/// Frames kept for those who come back.
const KEPT: usize = 64;
/// Frames that may wait for one client; more, and it is let go.
const BEHIND_MAX: usize = 16;
/// Clients at one time.
const CLIENTS_MAX: usize = 2_000;

type Shown = (Option<StageId>, &'static str);

/// What changed from one publication to the next.
#[derive(Debug)]
struct Frame {
    seq: u64,
    snapshot_now: Time,
    ended: bool,
    junctions: Vec<(JunctionId, Shown)>,
    index: bool,
    alarms: bool,
    corridors: bool,
    vehicles: Vec<(ZoneId, serde_json::Value)>,
    told: Mutex<BTreeMap<Authority, Bytes>>,
}

struct Client {
    authority: Authority,
    to: mpsc::Sender<Bytes>,
}

/// What has been told of.
struct Told {
    junctions: Table<JunctionId, Shown>,
    /// The end of the last minute of the index.
    minute: Option<Time>,
    /// How many green waves there are, and when one was last reported on.
    waves: (usize, Option<Time>),
}

/// Everybody who listens.
pub(super) struct Live {
    network: Arc<Network>,
    told: Mutex<Told>,
    kept: Mutex<VecDeque<Arc<Frame>>>,
    alarms: AtomicBool,
    clients: Mutex<Vec<Client>>,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("clients", &hold(&self.clients).len()).finish_non_exhaustive()
    }
}

impl Live {
    pub(super) fn new(network: &Arc<Network>) -> Self {
        Self {
            network: Arc::clone(network),
            told: Mutex::new(Told {
                junctions: Table::filled((None, "unheard"), network.junctions().len()),
                minute: None,
                waves: (0, None),
            }),
            kept: Mutex::default(),
            alarms: AtomicBool::new(false),
            clients: Mutex::default(),
        }
    }

    /// Some alarms changed.
    pub(super) fn alarms(&self, changed: &[u64]) {
        self.alarms.fetch_or(!changed.is_empty(), Ordering::Relaxed);
    }

    /// Tells everybody what changed. Never waits for anybody.
    pub(super) fn publish(&self, snapshot: &Snapshot) {
        let frame = Arc::new(self.frame(snapshot));
        let mut kept = hold(&self.kept);
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(Arc::clone(&frame));
        let mut clients = hold(&self.clients);
        clients.retain(|client| client.to.try_send(self.tell(&frame, &client.authority)).is_ok());
    }

    fn frame(&self, snapshot: &Snapshot) -> Frame {
        let mut told = hold(&self.told);
        let mut junctions = Vec::new();
        for (id, row) in snapshot.junctions.iter() {
            let now = (row.stage(snapshot.now), state_of(row, snapshot.now));
            if told.junctions[id] != now {
                told.junctions[id] = now;
                junctions.push((id, now));
            }
        }
        let minute = snapshot.zones.values().filter_map(|z| z.last.as_ref().map(|l| l.end)).max();
        let reported = snapshot.waves.values().filter_map(|w| w.report.as_ref().map(|r| r.at)).max();
        let waves = (snapshot.waves.len(), reported);
        let vehicles = snapshot.waves.values().filter_map(|w| {
            let p = w.position.as_ref().filter(|p| snapshot.now - p.at < Span::from_s(10))?;
            let place = json!({"request": &*w.request.id, "vehicle": &*p.vehicle, "x": p.point.x, "y": p.point.y,
                "speed_mps": p.speed, "heading_deg": p.heading});
            Some((self.zone_at(p.point, w), place))
        });
        Frame {
            seq: snapshot.seq,
            snapshot_now: snapshot.now,
            ended: snapshot.ended,
            junctions,
            index: std::mem::replace(&mut told.minute, minute) < minute,
            alarms: self.alarms.swap(false, Ordering::Relaxed),
            corridors: std::mem::replace(&mut told.waves, waves) != waves,
            vehicles: vehicles.collect(),
            told: Mutex::default(),
        }
    }

    /// The zone in which a vehicle is: that of the nearest link of its way.
    fn zone_at(&self, point: Point, wave: &Wave) -> ZoneId {
        let from = |l: LinkId| {
            let shape = self.network.link(l).shape.iter();
            shape.map(|p| p.distance(point).get()).fold(f64::INFINITY, f64::min)
        };
        let near = wave.way().min_by(|&a, &b| from(a).total_cmp(&from(b)));
        self.network.link(near.unwrap_or(wave.request.from)).zone
    }

    /// A frame as one extent of authority sees it: told once, whoever else asks.
    fn tell(&self, frame: &Frame, authority: &Authority) -> Bytes {
        let mut told = hold(&frame.told);
        if let Some(text) = told.get(authority) {
            return text.clone();
        }
        let zones = self.network.zones();
        let sees = |zone| authority.role_in(zones, zone).is_some();
        let junctions: Vec<_> = frame
            .junctions
            .iter()
            .map(|&(id, shown)| (self.network.junction(id), shown))
            .filter(|(junction, _)| sees(junction.zone))
            .map(|(junction, (stage, state))| {
                json!({"id": &*junction.name, "stage": stage.map(|s| &*junction.stages[s].name), "state": state})
            })
            .collect();
        let vehicles: Vec<_> = frame.vehicles.iter().filter(|(zone, _)| sees(*zone)).map(|(_, v)| v).collect();
        let data = json!({
            "now_ms": frame.snapshot_now.ms(), "ended": frame.ended, "junctions": junctions, "vehicles": vehicles,
            "index": frame.index, "alarms": frame.alarms, "corridors": frame.corridors,
        });
        let mut text = String::new();
        let _ = write!(text, "id: {}\nevent: tick\ndata: {data}\n\n", frame.seq);
        let text = Bytes::from(text);
        told.insert(authority.clone(), text.clone());
        text
    }

    /// Lets somebody listen, from after frame `last` on where that is still known.
    fn join(&self, authority: Authority, last: Option<u64>) -> Result<(Vec<Bytes>, mpsc::Receiver<Bytes>), Problem> {
        let kept = hold(&self.kept);
        let mut clients = hold(&self.clients);
        clients.retain(|client| !client.to.is_closed());
        if clients.len() >= CLIENTS_MAX {
            let status = axum::http::StatusCode::SERVICE_UNAVAILABLE;
            return Err(Problem::new(status, format!("{CLIENTS_MAX} clients listen already")));
        }
        let known = last.is_some_and(|last| {
            kept.front().is_some_and(|f| f.seq <= last.saturating_add(1)) && kept.back().is_some_and(|f| last <= f.seq)
        });
        let mut first = Vec::new();
        if known {
            let missed = kept.iter().filter(|f| last.is_some_and(|last| f.seq > last));
            first.extend(missed.map(|frame| self.tell(frame, &authority)));
        } else {
            first.push(Bytes::from_static(b"event: reset\ndata: {}\n\n"));
        }
        let (to, from) = mpsc::channel(BEHIND_MAX);
        clients.push(Client { authority, to });
        Ok((first, from))
    }
}

/// Frames as they come, and a beat each second between them.
struct Stream {
    site: Arc<Site>,
    first: std::vec::IntoIter<Bytes>,
    from: mpsc::Receiver<Bytes>,
    beat: tokio::time::Interval,
    /// Until when the token is good.
    until_ms: u64,
}

impl futures_core::Stream for Stream {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(frame) = self.first.next() {
            return Poll::Ready(Some(Ok(frame)));
        }
        if let Poll::Ready(frame) = self.from.poll_recv(cx) {
            return Poll::Ready(frame.map(Ok));
        }
        match self.beat.poll_tick(cx) {
            Poll::Ready(_) if u64::try_from(clock::now().ms()).is_ok_and(|now| now >= self.until_ms) => {
                Poll::Ready(None)
            }
            Poll::Ready(_) => {
                let snapshot = self.site.snapshot.load();
                let age = (clock::now() - snapshot.published).ms();
                let text = format!("event: beat\ndata: {{\"age_ms\":{age},\"ended\":{}}}\n\n", snapshot.ended);
                Poll::Ready(Some(Ok(Bytes::from(text))))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

/// Live updates as server-sent events. `tick` carries what changed; `beat`, each second, the age of the last tick;
/// `reset` says that what was missed is not known any more: read everything again. A client that falls 16 frames
/// behind is disconnected, and so is one whose token is over.
#[utoipa::path(get, path = "/api/live", security(("bearer" = [])), params(
    ("Last-Event-ID" = Option<u64>, Header, description = "the id of the last tick that was read"),
), responses(
    (status = 200, content_type = "text/event-stream", body = String), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 503, body = Problem),
))]
pub(super) async fn live(State(site): State<Arc<Site>>, seat: Seat, headers: HeaderMap) -> Result<Response, Problem> {
    site.somewhere(&seat, Role::Viewer)?;
    let until_ms = seat.expires_ms;
    let last = headers.get("last-event-id").and_then(|v| v.to_str().ok()?.parse().ok());
    let (first, from) = site.live.join(seat.authority, last)?;
    let beat = tokio::time::interval(Duration::from_secs(1));
    let stream = Stream { site: Arc::clone(&site), first: first.into_iter(), from, beat, until_ms };
    Ok(([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::limits::Limits;
    use crate::shell::http::board::Board;
    use crate::twin::city::small;

    #[test]
    fn who_falls_behind_is_let_go_and_hears_the_rest_after_coming_back() {
        let network = Arc::new(Network::build(small::corridor(), &Limits::default()).expect("sound"));
        let live = Live::new(&network);
        let mut board = Board::new(Arc::clone(&network), Arc::default(), Time::LONG_AGO, 0);
        let authority = Authority::default();
        let (_, mut slow) = live.join(authority.clone(), None).expect("room for it");
        let (_, mut quick) = live.join(authority.clone(), None).expect("room for it");
        for _ in 0..BEHIND_MAX + 4 {
            live.publish(&board.publish(Time::LONG_AGO));
            assert!(quick.try_recv().is_ok(), "one that is slow holds up nobody");
        }
        let heard = std::iter::from_fn(|| slow.try_recv().ok()).count();
        assert_eq!(heard, BEHIND_MAX);
        assert!(slow.is_closed(), "it was let go");
        let last = BEHIND_MAX as u64;
        let (missed, _) = live.join(authority.clone(), Some(last)).expect("room for it");
        assert_eq!(missed.len(), 4, "the rest is still known");
        // Later than what is kept: everything is to be read again.
        (0..KEPT).for_each(|_| live.publish(&board.publish(Time::LONG_AGO)));
        let (missed, _) = live.join(authority, Some(last)).expect("room for it");
        assert!(missed.len() == 1 && missed[0].starts_with(b"event: reset"));
    }
}

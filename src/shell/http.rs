//! The cockpit's server: a JSON API described by its own OpenAPI, live updates, commands, and the page.

mod act;
pub mod audit;
pub mod board;
mod diagram;
mod duty;
mod jwks;
mod live;
mod page;
mod problem;
pub mod settings;
mod sightings;
mod signal;
mod token;
mod view;
mod wave;
mod within;
mod words;

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use thiserror::Error;
use tokio::sync::{Notify, oneshot};
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::alarm;
use crate::event::Event;
use crate::network::{Network, Sensors};
use crate::output::Output;
use crate::shell::clock;
use crate::time::{Span, Time};
use audit::{Audit, AuditError};
use board::{Board, Snapshot};
pub use jwks::Jwks;
pub use token::{Issuer, Keys};

/// A snapshot is published this often at most, however fast the engine steps.
const PUBLISH_EVERY: Span = Span::from_ms(100);

/// Orders that may wait for the engine's next tick.
const ORDERS_MAX: usize = 10_000;

/// How the cockpit is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens.
    pub address: IpAddr,
    /// On which port; 0 for any that is free.
    pub port: u16,
    /// Commands that a second person has to approve, by kind.
    pub dual: Vec<String>,
    /// The audit log; in memory alone without one.
    pub audit: Option<PathBuf>,
    /// Whose tokens are believed beside its own.
    pub issuers: Vec<Issuer>,
    /// The address of a MapLibre style for the map underneath.
    pub style: Option<String>,
}

/// Why there is no cockpit.
#[derive(Debug, Error)]
pub enum OpenError {
    /// It cannot listen.
    #[error("cockpit.port: {port} of {address}: {source}; choose another, 0 for any that is free")]
    Port {
        /// Where.
        address: IpAddr,
        /// On which port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The audit log cannot be gone on with.
    #[error("cockpit.audit: {}: {source}", path.display())]
    Audit {
        /// Which.
        path: PathBuf,
        /// Why.
        source: AuditError,
    },
    /// The system gives no randomness, or no threads.
    #[error("cockpit: {0}")]
    System(#[from] io::Error),
}

/// Everything the server shares.
#[derive(Debug)]
pub(crate) struct Site {
    network: Arc<Network>,
    sensors: Arc<Sensors>,
    router: crate::network::route::Router,
    snapshot: ArcSwap<Snapshot>,
    live: live::Live,
    keys: Keys,
    alarms: Mutex<alarm::Desk>,
    audit: Mutex<Audit>,
    waiting: Mutex<act::Waiting>,
    events: SyncSender<Event>,
    dual: Vec<String>,
    style: Option<String>,
    /// A snapshot is there to be told of.
    news: Notify,
}

/// What a lock guards is plain data: whole even if its last holder panicked.
fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running cockpit: fed tick by tick, asked for what operators ordered.
#[derive(Debug)]
pub struct Cockpit {
    site: Arc<Site>,
    board: Board,
    orders: Receiver<Event>,
    address: SocketAddr,
    once: String,
    due: Time,
    stop: Option<oneshot::Sender<()>>,
    server: Option<std::thread::JoinHandle<()>>,
}

impl Cockpit {
    /// Opens the port and serves from a thread of its own.
    ///
    /// # Errors
    /// When the port is taken, the audit log is broken, or the system gives no randomness.
    pub fn open(
        network: &Arc<Network>,
        sensors: &Arc<Sensors>,
        now: Time,
        options: Options,
    ) -> Result<Self, OpenError> {
        let Options { address, port, .. } = options;
        let audit = Audit::open(options.audit.as_deref())
            .map_err(|source| OpenError::Audit { path: options.audit.clone().unwrap_or_default(), source })?;
        let listener =
            TcpListener::bind((address, port)).map_err(|source| OpenError::Port { address, port, source })?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        // Publications are numbered from the milliseconds of the wall on, which they never overtake: who comes back to
        // a server that was started again does not take its numbers for those it knows.
        let number = u64::try_from(clock::now().ms()).unwrap_or_default();
        let board = Board::new(Arc::clone(network), Arc::clone(sensors), now, number);
        let (keys, once) = Keys::new(Arc::clone(network), options.issuers)?;
        let (events, orders) = sync_channel(ORDERS_MAX);
        let mut first = board;
        let site = Arc::new(Site {
            network: Arc::clone(network),
            sensors: Arc::clone(sensors),
            router: crate::network::route::Router::new(network),
            snapshot: ArcSwap::from_pointee(first.publish(clock::now())),
            live: live::Live::new(network),
            keys,
            alarms: Mutex::default(),
            audit: Mutex::new(audit),
            waiting: Mutex::default(),
            events,
            dual: options.dual,
            style: options.style,
            news: Notify::new(),
        });
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&site);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let server = std::thread::spawn(move || {
            let served = runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                tokio::select! {
                    served = async { axum::serve(listener, router(Arc::clone(&shared))).await } => served,
                    () = tell(&shared) => Ok(()),
                    _ = stopped => Ok(()),
                }
            });
            if let Err(error) = served {
                tracing::error!(%error, "the cockpit's server ended");
            }
            runtime.shutdown_background();
        });
        let due = Time::LONG_AGO;
        Ok(Self { site, board: first, orders, address, once, due, stop: Some(stop), server: Some(server) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The word that lets one person in, once, as administrator of everything.
    pub fn one_time(&self) -> &str {
        &self.once
    }

    /// What operators have ordered since the last call.
    pub fn orders(&self) -> Vec<Event> {
        self.orders.try_iter().collect()
    }

    /// Books one tick of the engine and, where it is time, shows it.
    pub fn tick(&mut self, now: Time, events: &[Event], outputs: &[Output]) {
        let seen = self.board.tick(now, events, outputs);
        let changed = hold(&self.site.alarms).step(now, self.site.network.zones(), &seen);
        self.site.live.alarms(&changed);
        let wall = clock::now();
        if wall >= self.due {
            self.due = wall + PUBLISH_EVERY;
            self.publish(wall);
        }
    }

    /// The run is over: what is shown stays, and says so.
    pub fn end(&mut self) {
        self.board.end();
        self.publish(clock::now());
    }

    fn publish(&mut self, wall: Time) {
        let snapshot = Arc::new(self.board.publish(wall));
        self.site.snapshot.store(snapshot);
        self.site.news.notify_one();
    }
}

/// Tells those who listen of every snapshot, on the server's own thread: who steps the engine does not wait for it.
async fn tell(site: &Site) {
    loop {
        site.news.notified().await;
        site.live.publish(&site.snapshot.load_full());
    }
}

impl Drop for Cockpit {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

#[derive(OpenApi)]
#[openapi(info(
    title = "Greenwave cockpit",
    description = "Times are milliseconds since 1970-01-01T00:00:00 UTC, lengths metres, coordinates metres east and \
                   north of the network's origin. Everything but /health, /ready, this description and the page asks \
                   for a bearer token; everybody sees the zones of their authority alone."
))]
struct Api;

/// This description.
#[utoipa::path(get, path = "/api/openapi.json", responses((status = 200, body = serde_json::Value)))]
async fn description() -> impl IntoResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| api().1.to_json().unwrap_or_default());
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}

/// The API with its description.
fn api() -> (Router<Arc<Site>>, utoipa::openapi::OpenApi) {
    let (router, mut description) = OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(view::health))
        .routes(routes!(view::ready))
        .routes(routes!(token::session))
        .routes(routes!(token::me))
        .routes(routes!(token::mint))
        .routes(routes!(view::map))
        .routes(routes!(view::zones))
        .routes(routes!(view::zone))
        .routes(routes!(view::links))
        .routes(routes!(view::link))
        .routes(routes!(signal::junctions))
        .routes(routes!(signal::junction))
        .routes(routes!(diagram::diagram))
        .routes(routes!(view::sensors))
        .routes(routes!(wave::corridors))
        .routes(routes!(wave::preview))
        .routes(routes!(duty::alarms))
        .routes(routes!(duty::handle_alarm))
        .routes(routes!(duty::statistics))
        .routes(routes!(duty::audit))
        .routes(routes!(act::commands))
        .routes(routes!(act::command))
        .routes(routes!(act::approve))
        .routes(routes!(live::live))
        .routes(routes!(description))
        .routes(routes!(page::index))
        .split_for_parts();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    description.components.get_or_insert_default().add_security_scheme("bearer", bearer);
    (router, description)
}

fn router(site: Arc<Site>) -> Router {
    let (router, _) = api();
    // The one route that OpenAPI has no template for: it describes no paths of several parts.
    router
        .route("/assets/{*path}", get(page::asset))
        .fallback(|| async { problem::Problem::new(StatusCode::NOT_FOUND, "there is nothing here") })
        .method_not_allowed_fallback(|| async {
            problem::Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this cannot be done here")
        })
        .layer(axum::middleware::map_response(|mut response: axum::response::Response| async {
            let headers = response.headers_mut();
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
            response.into_response()
        }))
        .with_state(site)
}

//! Whether a run is alive and ready, and what it counts: `/health`, `/ready` and `/metrics` over HTTP.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::sync::oneshot;

use super::cli::Failure;
use super::clock;
use crate::time::{Span, Time};

/// A run that has not moved for so long is not healthy.
const STUCK: Span = Span::from_s(30);
/// What has been counted is put in order this often.
const UPKEEP: std::time::Duration = std::time::Duration::from_secs(5);

/// The pulse of a run.
#[derive(Debug, Default)]
pub struct Pulse {
    beat_ms: AtomicI64,
    /// What was committed has been repeated, and ticks go on; or another worker works.
    running: AtomicBool,
    /// What is said does not reach the broker.
    interrupted: AtomicBool,
}

impl Pulse {
    /// The run has moved.
    pub fn beat(&self) {
        self.beat_ms.store(clock::now().ms(), Ordering::Relaxed);
    }

    /// Whether all that has to be repeated is, or nothing has to, as another worker works.
    pub fn run(&self, running: bool) {
        self.running.store(running, Ordering::Relaxed);
    }

    /// Whether what is said reaches the broker.
    pub fn interrupt(&self, interrupted: bool) {
        self.interrupted.store(interrupted, Ordering::Relaxed);
    }

    fn healthy(&self) -> bool {
        clock::now() - Time::from_ms(self.beat_ms.load(Ordering::Relaxed)) < STUCK
    }

    fn ready(&self) -> Result<(), &'static str> {
        match () {
            () if !self.healthy() => Err("the run does not move"),
            () if !self.running.load(Ordering::Relaxed) => Err("what was committed is being repeated"),
            () if self.interrupted.load(Ordering::Relaxed) => Err("the broker does not take what is said"),
            () => Ok(()),
        }
    }
}

/// The server; it ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves at `address` from a thread of its own; from now on what is counted is kept, in seconds by `buckets`.
    ///
    /// # Errors
    /// When the address is taken or none.
    pub fn start(address: &str, pulse: Arc<Pulse>, buckets: &[f64]) -> Result<Self, Failure> {
        let taken = |source| Failure::Usage(format!("listen: \"{address}\": {source}"));
        let listener = TcpListener::bind(address).map_err(taken)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let recorder = PrometheusBuilder::new().set_buckets(buckets).and_then(PrometheusBuilder::install_recorder);
        let counted = recorder.map_err(|e| Failure::Usage(format!("metrics: {e}")))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("pulse".into()).spawn(move || {
            let upkeep = counted.clone();
            let served = runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                tokio::select! {
                    served = async { axum::serve(listener, router(pulse, counted)).await } => served,
                    () = async { loop { tokio::time::sleep(UPKEEP).await; upkeep.run_upkeep(); } } => Ok(()),
                    _ = stopped => Ok(()),
                }
            });
            if let Err(error) = served {
                tracing::error!(%error, "/metrics, /health and /ready are gone");
            }
        })?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn router(pulse: Arc<Pulse>, counted: PrometheusHandle) -> Router {
    let page = move || {
        let counted = counted.clone();
        async move { ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], counted.render()) }
    };
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(page))
        .with_state(pulse)
}

async fn health(State(pulse): State<Arc<Pulse>>) -> impl IntoResponse {
    said(if pulse.healthy() { Ok(()) } else { Err("the run does not move") })
}

async fn ready(State(pulse): State<Arc<Pulse>>) -> impl IntoResponse {
    said(pulse.ready())
}

fn said(state: Result<(), &'static str>) -> (StatusCode, &'static str) {
    match state {
        Ok(()) => (StatusCode::OK, "ok\n"),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_ready_when_it_moves_and_is_heard() {
        let pulse = Pulse::default();
        assert!(!pulse.healthy());
        pulse.beat();
        assert!(pulse.healthy() && pulse.ready().is_err());
        pulse.run(true);
        assert_eq!(pulse.ready(), Ok(()));
        pulse.interrupt(true);
        assert!(pulse.ready().is_err() && pulse.healthy());
    }
}

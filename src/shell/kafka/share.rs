//! Several workers search at once. The one whose turn it is keeps the state and says everything; what its junctions ask
//! the search, most of a step, it shares out by zones over `engine.questions`.
//!
//! ```text
//!  the one in turn ── engine.questions (a partition a zone) ──▶ whoever holds the zone
//!   estimate, ask ◀────────────── engine.answers ───────────────  search
//!   decide, say: one transaction
//! ```
//!
//! All workers are members of one group, the one in turn among them: its own zones it searches itself. An answer follows
//! from its question alone and counts for exactly that, so it does not matter who gives it, twice or never: what is not
//! answered in time is searched by whoever asked. Nobody keeps anything for anybody, so nobody who is gone is missed.

mod asking;
mod helping;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use rdkafka::config::ClientConfig;
use sha2::{Digest, Sha256};

pub(super) use asking::Asking;
use helping::Helper;

use super::client;
use super::settings::Settings;
use crate::shell::cli::Failure;
use crate::shell::threads::Threads;
use crate::shell::world::World;
use crate::time::Span;
use crate::wire::search::{Mark, Origin};

/// Who does the work: so many threads, and other workers that search.
#[derive(Debug, Clone, Copy)]
pub struct Hands<'a> {
    /// Threads here.
    pub threads: Threads,
    /// This worker's place among those who search; none where it searches alone.
    pub sharing: Option<&'a Sharing>,
}

impl From<Threads> for Hands<'_> {
    fn from(threads: Threads) -> Self {
        Self { threads, sharing: None }
    }
}

/// A place among those who search.
#[derive(Debug)]
pub struct Sharing {
    place: Arc<Place>,
    origin: Origin,
    thread: Option<JoinHandle<()>>,
}

/// What the two sides of a worker know of each other.
#[derive(Debug, Default)]
struct Place {
    /// By zone: whether it is this worker's.
    held: Vec<AtomicBool>,
    /// Whether zones have been shared out: before that all are this worker's.
    joined: AtomicBool,
    /// Whether it is this worker's turn: then it asks and does not answer.
    asks: AtomicBool,
    left: AtomicBool,
}

impl Place {
    fn is_ours(&self, zone: usize) -> bool {
        !self.joined.load(Ordering::Relaxed) || self.held.get(zone).is_none_or(|held| held.load(Ordering::Relaxed))
    }
}

impl Sharing {
    /// Joins those who search, and answers on `threads` threads as long as it is not this worker's turn.
    ///
    /// # Errors
    /// When the program cannot be read, or there can be no client.
    pub fn join(world: &World, threads: Threads) -> Result<Self, Failure> {
        let zones = world.names.network().partitions().len();
        let held = (0..zones).map(|_| AtomicBool::new(false)).collect();
        let place = Arc::new(Place { held, ..Place::default() });
        let origin = Origin { provenance: world.provenance(), program: program()?, worker: name() };
        let helper = Helper::join(world, threads, Arc::clone(&place), origin.clone())?;
        let thread = thread::Builder::new().name("search".into()).spawn(move || helper.run())?;
        Ok(Self { place, origin, thread: Some(thread) })
    }
}

impl Drop for Sharing {
    fn drop(&mut self) {
        self.place.left.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// How long an answer is waited for: never more than half a tick.
fn patience(world: &World) -> Span {
    let half = Span::from_ms(world.config.settings.tick().ms() / 2);
    Span::from_ms(world.config.kafka.share_wait_ms.into()).min(half)
}

/// For those who write questions or answers: what does not arrive soon is of no use any more.
fn writer(settings: &Settings) -> Result<ClientConfig, Failure> {
    let mut config = client::common(settings)?;
    config
        .set("acks", "1")
        .set("linger.ms", "0")
        .set("message.timeout.ms", "2000")
        .set("message.max.bytes", client::MESSAGE_BYTES.to_string())
        .set("queue.buffering.max.kbytes", "65536");
    Ok(config)
}

/// SHA-256 of the program that runs: another one may search otherwise.
fn program() -> io::Result<Mark> {
    let own = Path::new("/proc/self/exe");
    let mut file = File::open(own).or_else(|_| File::open(std::env::current_exe()?))?;
    let (mut sha, mut bytes) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut bytes)? {
            0 => return Ok(sha.finalize().into()),
            count => sha.update(&bytes[..count]),
        }
    }
}

/// What this process is called: its machine and its number there.
fn name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host: String = host.trim().chars().filter(char::is_ascii).take(60).collect();
    format!("{host}:{}", std::process::id())
}

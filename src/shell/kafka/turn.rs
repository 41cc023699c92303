//! Whose turn it is among workers that stand by: one works, and when it is gone another one goes on.
//!
//! They are members of a consumer group that shares out one partition, of which nothing is read. Who has it works. The
//! group only keeps two from working at once for long; that nothing is said twice is for the transactions to see to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};

use super::client::{self, failed};
use super::gauges;
use super::settings::Settings;
use super::topics::Topic;
use crate::shell::cli::Failure;
use crate::shell::clock;
use crate::time::Span;

/// A place among the workers.
#[derive(Debug)]
pub struct Turn {
    place: Arc<Place>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Place {
    mine: AtomicBool,
    left: AtomicBool,
}

#[derive(Debug)]
struct Member(Arc<Place>);

impl ClientContext for Member {}

impl ConsumerContext for Member {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if !matches!(rebalance, Rebalance::Assign(_)) {
            self.0.mine.store(false, Ordering::Relaxed);
        }
    }

    fn post_rebalance(&self, member: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Assign(partitions) = rebalance else { return };
        gauges::rebalanced();
        if partitions.count() > 0 {
            if let Err(error) = member.pause(partitions) {
                tracing::debug!(%error, "what is said to the workers is read");
            }
            self.0.mine.store(true, Ordering::Relaxed);
        }
    }
}

impl Turn {
    /// Joins the workers.
    ///
    /// # Errors
    /// When there can be no consumer.
    pub fn join(settings: &Settings) -> Result<Self, Failure> {
        let place = Arc::new(Place::default());
        let config = client::member(settings, "turn")?;
        let member: BaseConsumer<Member> =
            config.create_with_context(Member(Arc::clone(&place))).map_err(failed("a consumer"))?;
        member.subscribe(&[&Topic::Ticks.full(settings)]).map_err(failed("joining the workers"))?;
        let shared = Arc::clone(&place);
        let thread = thread::Builder::new().name("turn".into()).spawn(move || {
            while !shared.left.load(Ordering::Relaxed) {
                if let Some(Err(error)) = member.poll(Duration::from_millis(100)) {
                    tracing::debug!(%error, "the workers cannot be heard");
                }
            }
        })?;
        Ok(Self { place, thread: Some(thread) })
    }

    /// Waits until it is this worker's turn, or `stop` says so; `beat` hears that it waits.
    pub fn wait(&self, stop: impl Fn() -> bool, beat: impl Fn()) {
        while !self.is_mine() && !stop() {
            beat();
            clock::sleep(Span::from_ms(20));
        }
    }

    /// Whether it is this worker's turn.
    pub fn is_mine(&self) -> bool {
        self.place.mine.load(Ordering::Relaxed)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.place.left.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

//! Answers what the one in turn asks of the zones that this worker holds.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseProducer, BaseRecord};

use super::{Place, patience, writer};
use crate::ids::{JunctionId, Table};
use crate::optimize::horizon::{Layout, Workspace};
use crate::shell::cli::Failure;
use crate::shell::clock::Stopwatch;
use crate::shell::kafka::client::{self, failed};
use crate::shell::kafka::gauges;
use crate::shell::kafka::topics::Topic;
use crate::shell::threads::Threads;
use crate::shell::world::World;
use crate::time::Span;
use crate::wire::search::{self, Origin, Sheet};

/// Messages that wait to be answered; of more the oldest go.
const WAITING_MAX: usize = 256;

struct Member(Arc<Place>);

impl ClientContext for Member {}

impl ConsumerContext for Member {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(_) => self.0.joined.store(true, Ordering::Relaxed),
            Rebalance::Error(_) => self.0.joined.store(false, Ordering::Relaxed),
            Rebalance::Revoke(_) => {}
        }
    }
}

/// One who answers.
pub(super) struct Helper {
    place: Arc<Place>,
    member: BaseConsumer<Member>,
    writer: BaseProducer,
    topic: String,
    layouts: Table<JunctionId, Layout>,
    origin: Origin,
    threads: Threads,
    desks: Vec<Workspace>,
    /// What is older than this is of no use to whoever asked.
    patience: Span,
    waiting: VecDeque<(Stopwatch, Sheet)>,
}

impl Helper {
    pub(super) fn join(world: &World, threads: Threads, place: Arc<Place>, origin: Origin) -> Result<Self, Failure> {
        let settings = &world.config.kafka;
        let mut config = client::member(settings, "search")?;
        config.set("queued.max.messages.kbytes", "16384");
        let member: BaseConsumer<Member> =
            config.create_with_context(Member(Arc::clone(&place))).map_err(failed("a consumer"))?;
        member.subscribe(&[&Topic::Questions.full(settings)]).map_err(failed("joining those who search"))?;
        let writer: BaseProducer = writer(settings)?.create().map_err(failed("a producer"))?;
        let network = world.names.network();
        Ok(Self {
            place,
            member,
            writer,
            topic: Topic::Answers.full(settings),
            layouts: network.junctions().ids().map(|id| Layout::new(network, id)).collect(),
            origin,
            threads,
            desks: Vec::new(),
            patience: patience(world),
            waiting: VecDeque::new(),
        })
    }

    /// Answers until it is told to leave.
    pub(super) fn run(mut self) {
        while !self.place.left.load(Ordering::Relaxed) {
            self.listen();
            self.note();
            self.writer.poll(Duration::ZERO);
            if let Some((heard, sheet)) = self.waiting.pop_front()
                && heard.elapsed() < self.patience
            {
                self.answer(&sheet);
            }
        }
    }

    /// Hears what is asked; of what one worker asked only the last tick still matters.
    fn listen(&mut self) {
        let mut wait = if self.waiting.is_empty() { Duration::from_millis(50) } else { Duration::ZERO };
        for _ in 0..WAITING_MAX {
            let message = match self.member.poll(std::mem::take(&mut wait)) {
                Some(Ok(message)) => message,
                Some(Err(error)) => return tracing::debug!(%error, "questions cannot be heard"),
                None => return,
            };
            if self.place.asks.load(Ordering::Relaxed) {
                continue;
            }
            let value = message.payload().unwrap_or_default();
            let Some(sheet) = search::asked(&self.origin, &self.layouts, value) else {
                gauges::searched_for_others("not ours", 1);
                continue;
            };
            let newer = |(_, other): &(Stopwatch, Sheet)| other.worker == sheet.worker && other.now > sheet.now;
            if !self.waiting.iter().any(newer) {
                self.waiting.retain(|(_, other)| other.worker != sheet.worker || other.now == sheet.now);
                self.waiting.push_back((Stopwatch::start(), sheet));
            }
            if self.waiting.len() > WAITING_MAX {
                self.waiting.pop_front();
            }
        }
    }

    /// Notes which zones are this worker's.
    fn note(&self) {
        let Ok(ours) = self.member.assignment() else { return };
        for (zone, held) in (0..).zip(&self.place.held) {
            held.store(ours.elements().iter().any(|part| part.partition() == zone), Ordering::Relaxed);
        }
    }

    fn answer(&mut self, sheet: &Sheet) {
        let mut questions = sheet.questions(&self.layouts);
        self.threads.search(questions.iter_mut(), &mut self.desks);
        let count = questions.len();
        let value = search::answer(&self.origin, sheet, questions);
        match self.writer.send(BaseRecord::<(), _>::to(&self.topic).partition(0).payload(&value)) {
            Ok(()) => gauges::searched_for_others("answered", count),
            Err((error, _)) => tracing::debug!(%error, "an answer cannot be given"),
        }
    }
}

//! Asks whoever holds a zone what its junctions should do, and searches itself what is not answered in time.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseProducer, BaseRecord};
use rdkafka::{Offset, TopicPartitionList};

use super::{Sharing, patience, writer};
use crate::engine::city::{Crew, Part};
use crate::engine::question::Question;
use crate::optimize::horizon::Workspace;
use crate::shell::cli::Failure;
use crate::shell::clock::Stopwatch;
use crate::shell::kafka::client::{self, failed};
use crate::shell::kafka::gauges;
use crate::shell::kafka::topics::Topic;
use crate::shell::threads::Threads;
use crate::shell::world::World;
use crate::time::{Span, Time};
use crate::wire::search::{self, Mark};

/// So many questions go in one message: answers begin to come while others are still searched for.
const TOGETHER: usize = 16;
/// Answers of earlier ticks that are thrown away at once.
const STALE_MAX: usize = 10_000;
/// A zone that is not answered for is asked again after so many ticks at most.
const PAUSE_MAX: u32 = 16;
/// So many workers are told apart in what is counted.
const NAMES_MAX: usize = 32;

/// How a zone's questions have been answered lately.
#[derive(Debug, Clone, Copy, Default)]
struct Answered {
    /// How often in a row they were not, in time.
    missed: u32,
    /// For so many ticks nobody is asked.
    pause: u32,
}

impl Answered {
    /// Whether to ask in this tick.
    fn turn(&mut self) -> bool {
        let asks = self.pause == 0;
        self.pause = self.pause.saturating_sub(1);
        asks
    }

    fn note(&mut self, in_time: bool) {
        self.missed = if in_time { 0 } else { self.missed + 1 };
        self.pause = if in_time { 0 } else { (1 << self.missed.min(10)).min(PAUSE_MAX) };
    }
}

/// The one in turn, with those who search for it.
pub(in crate::shell::kafka) struct Asking<'a> {
    sharing: &'a Sharing,
    world: &'a World,
    threads: Threads,
    now: Time,
    writer: BaseProducer,
    reader: BaseConsumer,
    topic: String,
    zones: Vec<Answered>,
    patience: Span,
    names: BTreeSet<String>,
}

impl<'a> Asking<'a> {
    /// From now on it is this worker's turn, until this is dropped.
    ///
    /// # Errors
    /// When there can be no client.
    pub(in crate::shell::kafka) fn start(
        world: &'a World,
        sharing: &'a Sharing,
        threads: Threads,
    ) -> Result<Self, Failure> {
        let settings = &world.config.kafka;
        let writer: BaseProducer = writer(settings)?.create().map_err(failed("a producer"))?;
        let mut config = client::common(settings)?;
        config.set("group.id", &settings.group).set("enable.auto.commit", "false").set("auto.offset.reset", "latest");
        let reader: BaseConsumer = config.create().map_err(failed("a consumer"))?;
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&Topic::Answers.full(settings), 0, Offset::End).map_err(failed("where to read"))?;
        reader.assign(&list).map_err(failed("reading answers"))?;
        sharing.place.asks.store(true, Ordering::Relaxed);
        Ok(Self {
            sharing,
            world,
            threads,
            now: Time::EPOCH,
            writer,
            reader,
            topic: Topic::Questions.full(settings),
            zones: vec![Answered::default(); world.names.network().partitions().len()],
            patience: patience(world),
            names: BTreeSet::new(),
        })
    }

    /// The tick that ends at `now` is next.
    pub(in crate::shell::kafka) fn at(&mut self, now: Time) -> &mut Self {
        self.now = now;
        self
    }

    /// The questions of each zone that others hold and are to be asked about.
    fn others(&mut self, questions: &[Question<'_>]) -> Vec<(usize, Range<usize>)> {
        let mut first = 0;
        let mut others = Vec::new();
        for (zone, partition) in self.world.names.network().partitions().iter().enumerate() {
            let count = questions[first..].iter().take_while(|q| q.junction() < partition.junctions.end).count();
            let rows = first..first + count;
            first += count;
            if !rows.is_empty() && !self.sharing.place.is_ours(zone) && self.zones[zone].turn() {
                others.push((zone, rows));
            }
        }
        let least = self.world.config.kafka.share_from as usize;
        let enough = others.iter().map(|(_, rows)| rows.len()).sum::<usize>() >= least;
        others.retain(|_| enough);
        others
    }

    /// Asks; which rows each message asks for.
    fn ask(&mut self, questions: &[Question<'_>], others: &[(usize, Range<usize>)]) -> BTreeMap<Mark, Range<usize>> {
        // Who still answers what was asked before is too late.
        for _ in 0..STALE_MAX {
            if self.reader.poll(Duration::ZERO).is_none() {
                break;
            }
        }
        let mut asked = BTreeMap::new();
        for (zone, rows) in others {
            for first in rows.clone().step_by(TOGETHER) {
                let rows = first..rows.end.min(first + TOGETHER);
                let (value, mark) = search::ask(&self.sharing.origin, self.now, &questions[rows.clone()]);
                let record = BaseRecord::<(), _>::to(&self.topic).partition(*zone as i32).payload(&value);
                match self.writer.send(record) {
                    Ok(()) => drop(asked.insert(mark, rows)),
                    Err((error, _)) => tracing::debug!(%error, zone, "nobody can be asked"),
                }
            }
        }
        self.writer.poll(Duration::ZERO);
        asked
    }

    /// Takes answers until all are there or it has waited long enough; what is left unanswered.
    fn hear(&mut self, questions: &mut [Question<'_>], asked: &mut BTreeMap<Mark, Range<usize>>) {
        let watch = Stopwatch::start();
        while !asked.is_empty() {
            let left = self.patience - watch.elapsed();
            if left <= Span::ZERO {
                break;
            }
            let message = match self.reader.poll(Duration::from_millis(left.ms().unsigned_abs())) {
                Some(Ok(message)) => message,
                Some(Err(error)) => {
                    tracing::debug!(%error, "answers cannot be heard");
                    continue;
                }
                None => break,
            };
            let Some(answers) = search::answers(message.payload().unwrap_or_default()) else { continue };
            let Some(rows) = asked.get(&answers.mark).cloned() else { continue };
            let count = rows.len();
            if answers.give(&mut questions[rows]).is_some() {
                asked.remove(&answers.mark);
                if self.names.len() < NAMES_MAX {
                    self.names.insert(answers.worker.clone());
                }
                let known = self.names.contains(&answers.worker);
                gauges::searched(if known { &answers.worker } else { "others" }, count);
            }
        }
        gauges::waited(watch.elapsed());
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.sharing.place.asks.store(false, Ordering::Relaxed);
    }
}

impl Crew for Asking<'_> {
    fn each(&mut self, parts: &mut [Part<'_>], work: fn(&mut Part<'_>)) {
        self.threads.each(parts, work);
    }

    fn answer(&mut self, questions: &mut [Question<'_>], desks: &mut Vec<Workspace>) {
        let others = self.others(questions);
        if !others.is_empty() {
            let mut asked = self.ask(questions, &others);
            let mut away = vec![false; questions.len()];
            asked.values().cloned().for_each(|rows| away[rows].fill(true));
            let ours = questions.iter_mut().zip(&away).filter(|(_, away)| !**away).map(|(question, _)| question);
            self.threads.search(ours, desks);
            self.hear(questions, &mut asked);
            for (zone, rows) in others {
                let missed = asked.values().any(|left| rows.contains(&left.start));
                self.zones[zone].note(!missed);
            }
            let open = questions.iter().filter(|question| question.is_open()).count();
            gauges::searched("here", away.iter().filter(|away| !**away).count() + open);
        } else {
            gauges::searched("here", questions.len());
        }
        self.threads.answer(questions, desks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_answer_is_asked_less_and_less_and_at_once_again_when_it_does() {
        let mut zone = Answered::default();
        let mut asked = Vec::new();
        for tick in 0..60 {
            if zone.turn() {
                asked.push(tick);
                zone.note(false);
            }
        }
        assert_eq!(asked, [0, 3, 8, 17, 34, 51]);
        zone.note(true);
        assert!(zone.turn() && zone.turn());
    }
}

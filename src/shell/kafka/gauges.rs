//! What a run shows of itself: how fast, how far behind, and what became of everything, for Prometheus.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use super::route::{Inputs, Record};
use super::topics::Topic;
use crate::engine::city::City;
use crate::output::{AlarmKind, Output};
use crate::time::{Span, Time};
use crate::wire::log::Closing;

/// Buckets of every histogram of seconds.
pub const SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

const MINUTE: Span = Span::from_s(60);

/// What was counted up to the last tick, where only sums are known.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    used: u64,
    repeats: u64,
    minute: Minute,
}

/// What became of what came since a minute of the street's time began.
#[derive(Debug, Default)]
struct Minute {
    number: i64,
    used: u64,
    rejected: u64,
}

impl Minute {
    /// Books a tick; the share that was rejected of the minute before, where that has ended.
    fn tick(&mut self, now: Time, used: u64, rejected: u64) -> Option<f64> {
        let number = now.floor(MINUTE).ms();
        let ended = number != self.number && self.used + self.rejected > 0;
        let share = ended.then(|| self.rejected as f64 / (self.used + self.rejected) as f64);
        if number != self.number {
            *self = Self { number, ..Self::default() };
        }
        self.used += used;
        self.rejected += rejected;
        share
    }
}

/// Says what each name means.
pub(super) fn describe() {
    describe_counter!("greenwave_ticks_total", "Ticks done, by what closed them.");
    describe_counter!("greenwave_messages_total", "Messages used, by topic.");
    describe_counter!(
        "greenwave_readings_total",
        "Readings, by outcome: used, repeat, or the rule that rejected them."
    );
    describe_counter!("greenwave_unreadable_total", "Messages, or parts of them, that could not be read.");
    describe_counter!(
        "greenwave_plans_total",
        "Plans, by outcome: published, refused by the gate, declined by a controller."
    );
    describe_counter!("greenwave_commits_total", "Transactions, by outcome: committed, or tried again.");
    describe_counter!("greenwave_rebalances_total", "How often workers that stand by shared out anew who works.");
    describe_counter!("greenwave_searches_total", "Junctions searched for in this worker's turn, by who did it.");
    describe_counter!(
        "greenwave_searches_for_others_total",
        "Junctions searched for another worker's turn; or messages that were not for this program and world."
    );
    describe_histogram!("greenwave_share_wait_seconds", Unit::Seconds, "A tick's wait for what others search.");
    describe_counter!("greenwave_repeated_ticks_total", "Committed ticks that were repeated in silence.");
    describe_gauge!("greenwave_lag_messages", "Messages at the broker that are not used yet, by topic and partition.");
    describe_gauge!("greenwave_watermark_delay_seconds", Unit::Seconds, "How far the last tick lies behind the clock.");
    describe_gauge!("greenwave_rejected_share", "Of what came in the last minute, the share that was rejected.");
    describe_gauge!("greenwave_backlog_bytes", Unit::Bytes, "Memory that messages take while they wait.");
    describe_histogram!("greenwave_tick_seconds", Unit::Seconds, "From a tick's messages to its records.");
    describe_histogram!("greenwave_commit_seconds", Unit::Seconds, "One transaction, of one tick or more.");
}

impl Gauges {
    /// Those of a city that has been repeated up to now: what it counted then was counted before.
    pub(super) fn since(city: &City) -> Self {
        let (used, repeats) = counted(city);
        Self { used, repeats, ..Self::default() }
    }

    /// Books a tick.
    pub(super) fn tick(
        &mut self,
        now: Time,
        city: &City,
        closing: &Closing,
        took: Span,
        outputs: &[Output],
        records: &[Record],
    ) {
        let cause = match closing {
            Closing::Watermark => "watermark",
            Closing::Deadline(_) => "deadline",
            Closing::Caller => "caller",
        };
        counter!("greenwave_ticks_total", "closing" => cause).increment(1);
        histogram!("greenwave_tick_seconds").record(took.s());
        let mut much = 0;
        for output in outputs {
            match output {
                Output::Rejected(rejected) => {
                    counter!("greenwave_readings_total", "outcome" => rejected.reason.label()).increment(1);
                }
                Output::Rejections(found) => much += found.rejected,
                Output::Unreadable(_) => counter!("greenwave_unreadable_total").increment(1),
                Output::Alarm(alarm) if matches!(alarm.kind, AlarmKind::Refuses(_)) => {
                    counter!("greenwave_plans_total", "outcome" => "declined").increment(1);
                }
                _ => {}
            }
        }
        if much > 0 {
            tracing::warn!(%now, rejected = much, "much of what came in the last minute was rejected: see sensors.rejected");
        }
        let count = |topic| records.iter().filter(|record| record.topic == topic).count() as u64;
        counter!("greenwave_plans_total", "outcome" => "published").increment(count(Topic::Plans));
        counter!("greenwave_plans_total", "outcome" => "refused").increment(count(Topic::Refused));
        let (used, repeats) = counted(city);
        let (newly_used, newly_repeated) = (used.saturating_sub(self.used), repeats.saturating_sub(self.repeats));
        counter!("greenwave_readings_total", "outcome" => "used").increment(newly_used);
        counter!("greenwave_readings_total", "outcome" => "repeat").increment(newly_repeated);
        (self.used, self.repeats) = (used, repeats);
        if let Some(share) = self.minute.tick(now, newly_used, count(Topic::Rejected)) {
            gauge!("greenwave_rejected_share").set(share);
        }
    }
}

/// Readings used, and equal repeats.
fn counted(city: &City) -> (u64, u64) {
    let counters = city.engines().iter().map(|engine| engine.traffic().counters());
    counters.fold((0, 0), |(used, repeats), c| (used + c.used, repeats + c.repeats))
}

/// How far behind a run is: what each partition holds, up to where it is used, and what waits.
pub(super) fn behind(inputs: &Inputs, ends: impl Iterator<Item = i64>, next: &[i64], waiting: usize, delay: Span) {
    for ((&(topic, partition), end), &next) in inputs.iter().zip(ends).zip(next) {
        let lag = gauge!("greenwave_lag_messages", "topic" => topic.name(), "partition" => partition.to_string());
        lag.set(end.saturating_sub(next).max(0) as f64);
    }
    gauge!("greenwave_backlog_bytes").set(waiting as f64);
    gauge!("greenwave_watermark_delay_seconds").set(delay.s());
}

/// Books messages that a tick used.
pub(super) fn messages(topic: Topic, count: u64) {
    counter!("greenwave_messages_total", "topic" => topic.name()).increment(count);
}

/// Books a transaction, or one that has to be tried again.
pub(super) fn commit(took: Option<Span>) {
    let outcome = if took.is_some() { "committed" } else { "retried" };
    counter!("greenwave_commits_total", "outcome" => outcome).increment(1);
    if let Some(took) = took {
        histogram!("greenwave_commit_seconds").record(took.s());
    }
}

/// Books that the workers shared out anew who works.
pub(super) fn rebalanced() {
    counter!("greenwave_rebalances_total").increment(1);
}

/// Books junctions that were searched for, by whom.
pub(super) fn searched(worker: &str, count: usize) {
    counter!("greenwave_searches_total", "worker" => worker.to_owned()).increment(count as u64);
}

/// Books junctions that were searched for another worker, or what was asked and is not for this one.
pub(super) fn searched_for_others(outcome: &'static str, count: usize) {
    counter!("greenwave_searches_for_others_total", "outcome" => outcome).increment(count as u64);
}

/// Books how long a tick waited for answers.
pub(super) fn waited(wait: Span) {
    histogram!("greenwave_share_wait_seconds").record(wait.s());
}

/// Books a tick that was repeated.
pub(super) fn repeated() {
    counter!("greenwave_repeated_ticks_total").increment(1);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The metrics that a text names; a histogram by its own name.
    fn named(text: &str) -> BTreeSet<&str> {
        let names = text.split(|c: char| !(c.is_ascii_lowercase() || c == '_'));
        let ours = names.filter(|name| name.starts_with("greenwave_"));
        ours.map(|name| name.strip_suffix("_bucket").unwrap_or(name)).collect()
    }

    #[test]
    fn the_dashboard_shows_every_metric_and_no_other() {
        let (code, _) = include_str!("gauges.rs").split_once("#[cfg(test)]").expect("these tests");
        let (shown, there) = (named(include_str!("../../../scripts/grafana.json")), named(code));
        assert_eq!(shown, there);
        assert!(there.len() > 15, "{there:?}");
    }

    #[test]
    fn the_share_that_was_rejected_is_told_once_a_minute() {
        let mut minute = Minute::default();
        let mut tick = |s, used, rejected| minute.tick(Time::from_s(s), used, rejected);
        assert_eq!([tick(61, 0, 0), tick(70, 3, 0), tick(119, 0, 1)], [None; 3]);
        assert_eq!((tick(120, 1, 1), tick(121, 0, 0)), (Some(0.25), None));
    }
}

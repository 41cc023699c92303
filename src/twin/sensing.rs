//! Sensors that lie: what loops and cameras report of what they saw, each with its own faults.

use std::collections::VecDeque;

use super::calendar::{Ms, SLOT_MS};
use super::dice::{Dice, Purpose};
use super::flow::Flow;
use super::options::SensorFaults;
use super::watch::whereabouts;
use crate::event::{Event, LaneView, Reading, Seen, TurnCount};
use crate::ids::{Id, LaneId, LinkId, SensorId};
use crate::network::{Network, SensorKind, Sensors};
use crate::time::{Span, Time};

/// What is wrong with one sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ill {
    No,
    Dead,
    Stuck,
    Biased,
    Delayed,
    Skewed(i64),
}

/// What one sensor watches.
#[derive(Debug, Clone)]
enum Eye {
    Loop { lane: u32, row: u32 },
    Camera { row: u32, lanes: std::ops::Range<u32>, from_cm: u32, to_cm: u32 },
}

#[derive(Debug, Clone)]
struct One {
    sensor: SensorId,
    eye: Eye,
    ill: Ill,
    dice: Dice,
    stuck_at: Option<Seen>,
}

/// Sensors that report together.
#[derive(Debug)]
struct Round {
    interval: Span,
    due: Ms,
    rows: Vec<One>,
}

/// Every sensor.
#[derive(Debug)]
pub(super) struct Sensing {
    rounds: Vec<Round>,
    faults: SensorFaults,
    late: VecDeque<(Ms, Reading)>,
}

/// What is wrong with the sensor whose dice these are.
fn ill(faults: &SensorFaults, dice: &mut Dice) -> Ill {
    let draw = dice.uniform();
    let sign = if dice.chance(0.5) { 1 } else { -1 };
    let mut below = 0.0;
    let kinds = [
        (faults.dead, Ill::Dead),
        (faults.stuck, Ill::Stuck),
        (faults.biased, Ill::Biased),
        (faults.delayed, Ill::Delayed),
        (faults.skewed, Ill::Skewed(sign * faults.skew.ms())),
    ];
    for (share, kind) in kinds {
        below += share;
        if draw < below {
            return kind;
        }
    }
    Ill::No
}

impl Sensing {
    pub(super) fn new(
        network: &Network,
        sensors: &Sensors,
        faults: SensorFaults,
        start: Time,
        seed: u64,
        flow: &mut Flow,
    ) -> Self {
        let mut rounds: Vec<Round> = Vec::new();
        for (id, sensor) in sensors.table().iter() {
            let interval = sensor.interval.max(Span::from_ms(i64::from(SLOT_MS)));
            let mut dice = Dice::new(seed, Purpose::Sensor, id.index() as u64);
            let ill = ill(&faults, &mut dice);
            let cm = |m: crate::units::Metres| (m.get() * 100.0).round() as u32;
            let lanes = &network.link(sensor.link).lanes;
            let eye = match (sensor.kind, sensor.lane) {
                (SensorKind::Loop, lane) => {
                    let lane = lane.unwrap_or(lanes.start).index() as u32;
                    Eye::Loop { lane, row: flow.watch.add_loop(lane, cm(sensor.distance)) }
                }
                (SensorKind::Camera, _) => Eye::Camera {
                    row: flow.watch.add_camera(sensor.link.index() as u32),
                    lanes: lanes.start.index() as u32..lanes.end.index() as u32,
                    from_cm: cm(sensor.distance),
                    to_cm: cm(sensor.distance + sensor.range),
                },
            };
            let one = One { sensor: id, eye, ill, dice, stuck_at: None };
            match rounds.iter_mut().find(|r| r.interval == interval) {
                Some(round) => round.rows.push(one),
                None => {
                    let first = (start + Span::from_ms(1)).ceil(interval) - start;
                    rounds.push(Round { interval, due: first.ms() as Ms, rows: vec![one] });
                }
            }
        }
        Self { rounds, faults, late: VecDeque::new() }
    }

    /// Lets everyone report whose interval ends by `now`.
    pub(super) fn act(&mut self, flow: &mut Flow, start: Time, now: Ms, events: &mut Vec<Event>) {
        for round in &mut self.rounds {
            while round.due <= now {
                let due = round.due;
                round.due += round.interval.ms() as Ms;
                let end = start + Span::from_ms(i64::from(due));
                for one in &mut round.rows {
                    one.report(flow, due, (end, round.interval), &self.faults, &mut self.late, events);
                }
            }
        }
        while let Some((_, reading)) = self.late.front().filter(|(at, _)| *at <= now) {
            events.push(Event::Reading(reading.clone()));
            self.late.pop_front();
        }
    }
}

impl One {
    fn report(
        &mut self,
        flow: &mut Flow,
        now: Ms,
        (end, interval): (Time, Span),
        faults: &SensorFaults,
        late: &mut VecDeque<(Ms, Reading)>,
        events: &mut Vec<Event>,
    ) {
        if self.ill == Ill::Dead {
            return;
        }
        let mut seen = self.look(flow, now);
        self.blur(&mut seen, faults);
        if self.ill == Ill::Stuck {
            seen = self.stuck_at.get_or_insert(seen).clone();
        }
        if faults.dropout > 0.0 && self.dice.chance(faults.dropout) {
            return;
        }
        let reading = Reading { sensor: self.sensor, end, interval, seen };
        match self.ill {
            Ill::Delayed => late.push_back((now + faults.latency.ms().max(0) as Ms, reading)),
            Ill::Skewed(ms) => events.push(Event::Reading(Reading { end: end + Span::from_ms(ms), ..reading })),
            _ => events.push(Event::Reading(reading)),
        }
    }

    fn look(&self, flow: &mut Flow, now: Ms) -> Seen {
        match &self.eye {
            Eye::Loop { lane, row } => {
                let view = flow.watch.read(*row, now, &flow.lanes[*lane as usize], &flow.fleet.rows);
                let (occupancy, speed) = (view.occupancy as f32, view.speed.map(|s| s as f32));
                Seen::Loop { count: view.count, occupancy, speed }
            }
            Eye::Camera { row, lanes, from_cm, to_cm } => {
                let view = |lane: u32| {
                    let (mut vehicles, mut queue) = (0u16, 0u16);
                    for w in whereabouts(&flow.lanes[lane as usize], &flow.fleet.rows, now) {
                        if w.distance > *to_cm {
                            break;
                        }
                        if w.distance >= *from_cm {
                            vehicles += 1;
                            queue += u16::from(w.stands);
                        }
                    }
                    LaneView { lane: LaneId::of(lane as usize), vehicles, queue }
                };
                let lanes = lanes.clone().map(view).collect();
                let turned = flow.watch.take_turns(*row).into_iter();
                let turns = turned.map(|t| TurnCount { to: LinkId::of(t.to as usize), class: t.class, count: t.count });
                Seen::Camera { lanes, turns: turns.collect() }
            }
        }
    }

    /// What it makes of what it saw.
    fn blur(&mut self, seen: &mut Seen, faults: &SensorFaults) {
        let missed = if self.ill == Ill::Biased { 0.5 } else { faults.count_error };
        let twice = if self.ill == Ill::Biased { 0.0 } else { faults.count_error };
        if missed + twice <= 0.0 {
            return;
        }
        let mut count = |n: u32| {
            (0..n).fold(0, |sum, _| {
                let draw = self.dice.uniform();
                sum + if draw < missed { 0 } else { 1 + u32::from(draw < missed + twice) }
            })
        };
        match seen {
            Seen::Loop { count: n, .. } => *n = count(*n),
            Seen::Camera { lanes, turns } => {
                for view in lanes {
                    let queue = count(u32::from(view.queue)) as u16;
                    view.vehicles = count(u32::from(view.vehicles - view.queue)) as u16 + queue;
                    view.queue = queue;
                }
                for turn in turns {
                    turn.count = count(u32::from(turn.count)) as u16;
                }
            }
        }
    }
}

//! Everything the engine says, as data: plans, refusals, rejections, the index, alarms.

use crate::event::{Mode, Revision, Unreadable};
use crate::ids::{GroupId, JunctionId, LinkId, SensorId, StageId, ZoneId};
use crate::keep::keep;
use crate::plan::check::{SafePlan, Violation};
use crate::time::{Span, Time};

/// One thing the engine says.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// A plan that passed the gate.
    Plan(Box<Published>),
    /// A draft that did not; the running plan goes on.
    Refused(Refused),
    /// A reading that is not used for control, and why.
    Rejected(Rejected),
    /// A message that could not be read.
    Unreadable(Unread),
    /// The congestion of a link or a zone over an interval.
    Index(IndexReport),
    /// A junction went up or down the ladder of fallbacks.
    Rung(RungChange),
    /// A sensor was found bad, or good again.
    Health(HealthChange),
    /// What came of an operator's command.
    Command(CommandOutcome),
    /// Something a person should know.
    Alarm(Alarm),
    /// Much of what came in was rejected.
    Rejections(Rejections),
    /// Where a priority request stands.
    Corridor(Box<crate::corridor::Report>),
}

/// A plan that passed the gate.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// When it was made.
    pub at: Time,
    /// The plan.
    pub plan: SafePlan,
    /// What is to be done with it: only in [`Mode::Control`] may a controller get it.
    pub mode: Mode,
    /// Why this and nothing else.
    pub why: Why,
}

/// Why a plan is as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Why {
    /// What decided: the rolling schedule, a base program, a hold, a return from local control.
    pub source: Source,
    /// Vehicles (for pedestrians: calls) waiting or expected per group within the horizon, and how well that is known.
    pub demand: Vec<GroupDemand>,
    /// Cost of this plan over the horizon, vehicle-seconds of delay.
    pub cost_veh_s: f64,
    /// The stage that would have been next in the best other plan, and how much more that costs, vehicle-seconds.
    pub beaten: Option<(StageId, f64)>,
    /// The limits that bound it, in words.
    pub bound_by: Vec<Box<str>>,
}

/// What decided a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Source {
    /// The rolling schedule.
    Horizon,
    /// The base program, because nothing better is known or wanted.
    #[default]
    Base,
    /// An operator's hold or pin.
    Operator,
    /// Vehicle actuation, as a reference.
    Actuated,
    /// Max pressure, as a reference.
    MaxPressure,
    /// An emergency vehicle's green wave.
    Corridor,
    /// A timed plan made for the demand there is, where queues do not clear.
    Timed,
}

keep!(
    enum Source {
        Horizon,
        Base,
        Operator,
        Actuated,
        MaxPressure,
        Corridor,
        Timed,
    }
);

/// The demand of one group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupDemand {
    /// The group.
    pub group: GroupId,
    /// Vehicles or calls within the horizon.
    pub count: f32,
    /// How well it is known.
    pub quality: crate::traffic::quality::Quality,
}

/// A draft that broke rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// When.
    pub at: Time,
    /// Where.
    pub junction: JunctionId,
    /// The number it would have had.
    pub revision: Revision,
    /// Every rule it broke.
    pub violations: Vec<Violation>,
}

/// A message that could not be read, handed on as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Which of the tick's events it was.
    pub event: usize,
    /// What it said.
    pub message: Unreadable,
}

/// A reading that is not used.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejected {
    /// Which of the tick's events it was.
    pub event: usize,
    /// The sensor.
    pub sensor: SensorId,
    /// The end of its interval.
    pub end: Time,
    /// When it was offered.
    pub at: Time,
    /// Why.
    pub reason: crate::traffic::readings::Reason,
}

/// Much of what came in was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejections {
    /// When it was found.
    pub at: Time,
    /// Where; the city for what could not be read.
    pub zone: ZoneId,
    /// Over how long.
    pub interval: Span,
    /// Readings, and messages that could not be read, that came.
    pub offered: u64,
    /// Those of them that were rejected.
    pub rejected: u64,
}

/// Whose congestion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// One link's.
    Link(LinkId),
    /// A zone's, with all below it.
    Zone(ZoneId),
}

/// Congestion over an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IndexReport {
    /// Whose.
    pub subject: Subject,
    /// The end of the interval.
    pub end: Time,
    /// Its length.
    pub interval: Span,
    /// Time spent, vehicle-seconds.
    pub spent_veh_s: f64,
    /// What the same vehicles would have spent at free flow, vehicle-seconds.
    pub free_flow_veh_s: f64,
    /// Delay index: the ratio, at least 1.
    pub delay_index: f64,
    /// Traffic performance index, 0 to 10 (GB/T 33171).
    pub tpi: f64,
    /// How well it is known.
    pub quality: crate::traffic::quality::Quality,
}

/// A move on the ladder of fallbacks.
#[derive(Debug, Clone, PartialEq)]
pub struct RungChange {
    /// When.
    pub at: Time,
    /// Where.
    pub junction: JunctionId,
    /// The rung it is on now.
    pub rung: crate::plan::ladder::Rung,
    /// Why.
    pub reason: Box<str>,
}

/// A sensor's health changed.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthChange {
    /// When.
    pub at: Time,
    /// The sensor.
    pub sensor: SensorId,
    /// What it is now.
    pub health: crate::traffic::health::Health,
}

/// What came of an operator's command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandOutcome {
    /// When.
    pub at: Time,
    /// The command's number.
    pub id: Box<str>,
    /// What was done, or why nothing was.
    pub result: Result<Box<str>, Box<str>>,
}

/// Something a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// When.
    pub at: Time,
    /// Where.
    pub junction: JunctionId,
    /// What.
    pub kind: AlarmKind,
}

/// What can be alarming.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmKind {
    /// A controller has not reported for this long.
    Silent(Span),
    /// A controller reports a fault.
    Fault(crate::event::ControllerFault),
    /// A controller refuses our plans.
    Refuses(Revision),
    /// A controller shows something else than its plan says.
    Mismatch(GroupId),
}

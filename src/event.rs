//! Everything that can happen, as data. Events are facts with ids already resolved; whether their values are
//! believable is for the floors above to say.

use crate::ids::{GroupId, JunctionId, LaneId, LinkId, SensorId, ZoneId};
use crate::keep::{Keep, keep};
use crate::network::VehicleClass;
use crate::time::{Span, Time};

/// Something that happened outside. Events of one tick are sorted by time, kind, source and sequence. Readings are almost all
/// of them: what is rare and long is boxed, so that one takes 64 bytes and not twice as many.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A sensor reported.
    Reading(Reading),
    /// A message arrived that names nothing known or cannot be read.
    Unreadable(Box<Unreadable>),
    /// A controller reported.
    Status(Box<Status>),
    /// Somebody pressed a button, or was seen waiting to cross.
    PedestrianCall(PedestrianCall),
    /// An operator decided.
    Command(Box<Command>),
    /// A vehicle asks for priority.
    Priority(Box<PriorityRequest>),
    /// A vehicle under way reports where it is.
    Position(Position),
}

const _: () = assert!(size_of::<Event>() <= 64);

macro_rules! boxed {
    ($($name:ident($kind:ident)),*) => {
        $(impl From<$kind> for Event {
            fn from(event: $kind) -> Self {
                Self::$name(Box::new(event))
            }
        })*
    };
}

boxed!(Unreadable(Unreadable), Status(Status), Command(Command), Priority(PriorityRequest));

impl Event {
    /// When it happened.
    pub fn at(&self) -> Time {
        match self {
            Self::Reading(e) => e.end,
            Self::Unreadable(e) => e.at,
            Self::Status(e) => e.at,
            Self::PedestrianCall(e) => e.at,
            Self::Command(e) => e.at,
            Self::Priority(e) => e.at,
            Self::Position(e) => e.at,
        }
    }

    /// The order of kinds within one instant: what the street shows, then who decides.
    pub fn rank(&self) -> u8 {
        match self {
            Self::Unreadable(_) => 0,
            Self::Reading(_) => 1,
            Self::Status(_) => 2,
            Self::PedestrianCall(_) => 3,
            Self::Position(_) => 4,
            Self::Priority(_) => 5,
            Self::Command(_) => 6,
        }
    }
}

/// What one sensor saw in (`end` − `interval`, `end`]. A camera's lane values are those of the instant `end`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Who saw it.
    pub sensor: SensorId,
    /// The end of the interval.
    pub end: Time,
    /// Its length.
    pub interval: Span,
    /// What was seen.
    pub seen: Seen,
}

keep!(Reading { sensor, end, interval, seen });

/// What a sensor saw.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// By a loop.
    Loop {
        /// Vehicles whose front crossed it.
        count: u32,
        /// Share of the interval it was covered, 0 to 1.
        occupancy: f32,
        /// Mean speed, m/s, where the loop can tell.
        speed: Option<f32>,
    },
    /// By a camera.
    Camera {
        /// Each lane in view.
        lanes: Box<[LaneView]>,
        /// Vehicles that left the link in the interval, by exit and class, where the camera can tell.
        turns: Box<[TurnCount]>,
    },
}

keep!(enum Seen { Loop { count, occupancy, speed }, Camera { lanes, turns } });

/// One lane in a camera's view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneView {
    /// The lane.
    pub lane: LaneId,
    /// Vehicles in view.
    pub vehicles: u16,
    /// Those of them that stand.
    pub queue: u16,
}

keep!(LaneView { lane, vehicles, queue });

/// Vehicles that left a link for an exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnCount {
    /// The exit.
    pub to: LinkId,
    /// What they were.
    pub class: VehicleClass,
    /// How many.
    pub count: u16,
}

keep!(TurnCount { to, class, count });

/// A message that could not become an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// When it arrived.
    pub at: Time,
    /// Who sent it, as far as it says; cut to 80 characters.
    pub source: Box<str>,
    /// The field that is wrong.
    pub field: Box<str>,
    /// Its value, redacted and cut to 80 characters.
    pub value: Box<str>,
    /// What is wrong with it.
    pub reason: Box<str>,
}

/// What a controller shows and runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Whose controller.
    pub junction: JunctionId,
    /// When.
    pub at: Time,
    /// The revision it runs; 0 when it runs none of ours.
    pub running: Revision,
    /// Who decides there.
    pub mode: ControllerMode,
    /// What each group shows; empty when it does not say.
    pub lamps: Box<[Aspect]>,
    /// What is broken.
    pub faults: Box<[ControllerFault]>,
    /// The revision it refused, and the one it expected, if it did.
    pub refused: Option<Revision>,
}

/// A plan's number: each junction counts its own, from 1; 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub u64);

impl Keep for Revision {
    fn save(&self, out: &mut Vec<u8>) {
        self.0.save(out);
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        u64::load(from).map(Self)
    }
}

/// Who decides at a junction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ControllerMode {
    /// It follows our plans.
    #[default]
    Remote,
    /// It runs a program of its own.
    Local,
    /// It flashes.
    Flash,
    /// Somebody on site.
    Manual,
    /// A preemption of its own: a railway, a fire station.
    Preempt,
}

keep!(
    enum ControllerMode {
        Remote,
        Local,
        Flash,
        Manual,
        Preempt,
    }
);

/// What is broken at a controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControllerFault {
    /// A lamp does not light.
    Lamp(GroupId),
    /// Its conflict monitor tripped.
    Conflict,
    /// Power is failing.
    Power,
    /// Its clock is off.
    Clock,
}

keep!(
    enum ControllerFault {
        Lamp(group),
        Conflict,
        Power,
        Clock,
    }
);

/// What a group shows. For pedestrians green is walk and yellow is clearance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Aspect {
    /// Stop.
    #[default]
    Red,
    /// Stop if you can; for pedestrians: do not start.
    Yellow,
    /// Go.
    Green,
    /// Nothing, flashing, or unknown: right of way by the signs.
    Dark,
}

keep!(
    enum Aspect {
        Red,
        Yellow,
        Green,
        Dark,
    }
);

/// A pedestrian waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PedestrianCall {
    /// Where.
    pub junction: JunctionId,
    /// For which group.
    pub group: GroupId,
    /// Since when.
    pub at: Time,
}

/// An operator's decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Its number, unique for ever.
    pub id: Box<str>,
    /// When it was given.
    pub at: Time,
    /// Who gave it.
    pub operator: Box<str>,
    /// Why.
    pub reason: Box<str>,
    /// What is to be done.
    pub action: Action,
}

/// What an operator can do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Run the base program and nothing else until released.
    Hold(JunctionId),
    /// End a hold or a pin.
    Release(JunctionId),
    /// Run the named program until then.
    Pin {
        /// Where.
        junction: JunctionId,
        /// Which of its programs.
        program: u8,
        /// Until when.
        until: Time,
    },
    /// Narrow a group's limits. They can be made stricter than the network's, never laxer.
    Limit {
        /// Where.
        junction: JunctionId,
        /// Which group.
        group: GroupId,
        /// Its shortest green from now on.
        min_green: Option<Span>,
        /// Its longest red from now on.
        max_red: Option<Span>,
    },
    /// Nobody can drive here.
    CloseLane(LaneId),
    /// Everybody can again.
    OpenLane(LaneId),
    /// Nobody can drive on any lane of it.
    CloseLink(LinkId),
    /// Everybody can again.
    OpenLink(LinkId),
    /// What is done with the plans made for these junctions.
    Mode(Scope, Mode),
    /// End a priority request.
    CancelPriority(Box<str>),
    /// Ask junctions for the greens of a priority request that waits for this.
    ActivatePriority(Box<str>),
    /// Show what a priority request would become, and ask nobody for anything.
    PreviewPriority(Box<PriorityRequest>),
}

/// Where a command holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// At one junction.
    Junction(JunctionId),
    /// In a zone and all below it.
    Zone(ZoneId),
}

/// What is done with the plans made for a junction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// They are computed and kept to ourselves.
    #[default]
    Shadow,
    /// They are shown to the operator.
    Advise,
    /// The controller gets them.
    Control,
}

keep!(
    enum Mode {
        Shadow,
        Advise,
        Control,
    }
);

/// A vehicle asks for priority.
#[derive(Debug, Clone, PartialEq)]
pub struct PriorityRequest {
    /// Its number, unique for ever.
    pub id: Box<str>,
    /// When it was made.
    pub at: Time,
    /// Who vouches for it.
    pub authority: Box<str>,
    /// Which vehicle.
    pub vehicle: Box<str>,
    /// What it is.
    pub class: PriorityClass,
    /// Where it is.
    pub from: LinkId,
    /// Where it wants to be.
    pub to: LinkId,
    /// The way it will take, both ends included; empty leaves it to us.
    pub route: Box<[LinkId]>,
    /// When it has to be there, if that is known.
    pub deadline: Option<Time>,
}

keep!(PriorityRequest { id, at, authority, vehicle, class, from, to, route, deadline });

/// What kind of vehicle asks, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PriorityClass {
    /// Fire engines.
    Fire,
    /// Ambulances.
    Ambulance,
    /// Police on a call.
    Police,
    /// Trams and buses: bends coordination, never breaks it.
    Transit,
}

keep!(
    enum PriorityClass {
        Fire,
        Ambulance,
        Police,
        Transit,
    }
);

/// Where a vehicle under way is.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// Which vehicle.
    pub vehicle: Box<str>,
    /// When.
    pub at: Time,
    /// Metres east and north of the network's origin.
    pub point: crate::network::Point,
    /// Speed, m/s.
    pub speed: f32,
    /// Direction of travel, degrees clockwise from north, where it knows.
    pub heading: Option<f32>,
}

//! Events as the messages that tell them: what feeders send and logs keep.

use super::Names;
use super::v1::{self, controller_fault, log_event, mode_change, operator_command, reading};
use crate::event::{
    Action, Aspect, Command, ControllerFault, ControllerMode, Event, Mode, PedestrianCall, Position, PriorityClass,
    PriorityRequest, Reading, Scope, Seen, Status, TurnCount, Unreadable,
};
use crate::ids::{JunctionId, LaneId};
use crate::network::VehicleClass;
use crate::time::Span;

/// The message that tells an event, as a log keeps it.
pub fn event(names: &Names, event: &Event) -> v1::LogEvent {
    use log_event::Event as M;
    let message = match event {
        Event::Reading(e) => M::Reading(reading(names, e)),
        Event::Unreadable(e) => M::Unreadable(unreadable(e)),
        Event::Status(e) => M::Status(status(names, e)),
        Event::PedestrianCall(e) => M::Call(call(names, e)),
        Event::Command(e) => M::Command(command(names, e)),
        Event::Priority(e) => M::Request(request(names, e)),
        Event::Position(e) => M::Position(position(e)),
    };
    v1::LogEvent { event: Some(message) }
}

/// Milliseconds of an interval. Intervals are positive and shorter than 49 days.
pub(super) fn interval_ms(span: Span) -> u32 {
    u32::try_from(span.ms()).unwrap_or(0)
}

fn reading(names: &Names, e: &Reading) -> v1::Reading {
    let seen = match &e.seen {
        &Seen::Loop { count, occupancy, speed } => {
            reading::Seen::Loop(v1::LoopReading { count, occupancy, speed_mps: speed })
        }
        Seen::Camera { lanes, turns } => reading::Seen::Camera(v1::CameraReading {
            lanes: lanes.iter().map(|view| lane_index(names, view.lane)).collect(),
            vehicles: lanes.iter().map(|view| u32::from(view.vehicles)).collect(),
            queues: lanes.iter().map(|view| u32::from(view.queue)).collect(),
            turns: turns.iter().map(|turn| turn_count(names, turn)).collect(),
        }),
    };
    v1::Reading {
        sensor_id: names.sensor_name(e.sensor),
        end_ms: e.end.ms(),
        interval_ms: interval_ms(e.interval),
        seen: Some(seen),
    }
}

fn lane_index(names: &Names, lane: LaneId) -> u32 {
    u32::from(names.network().lane(lane).index)
}

fn turn_count(names: &Names, turn: &TurnCount) -> v1::TurnCount {
    let class = match turn.class {
        VehicleClass::Car => v1::VehicleClass::Car,
        VehicleClass::Truck => v1::VehicleClass::Truck,
        VehicleClass::Bus => v1::VehicleClass::Bus,
        VehicleClass::Tram => v1::VehicleClass::Tram,
        VehicleClass::Bicycle => v1::VehicleClass::Bicycle,
        VehicleClass::Emergency => v1::VehicleClass::Emergency,
    };
    v1::TurnCount { to_link_id: names.link_name(turn.to), vehicle_class: class.into(), count: turn.count.into() }
}

fn unreadable(e: &Unreadable) -> v1::Unreadable {
    v1::Unreadable {
        at_ms: e.at.ms(),
        source: e.source.to_string(),
        field: e.field.to_string(),
        value: e.value.to_string(),
        reason: e.reason.to_string(),
    }
}

fn status(names: &Names, e: &Status) -> v1::SignalStatus {
    let groups = names.of(e.junction).groups.values();
    v1::SignalStatus {
        junction_id: names.junction_name(e.junction),
        at_ms: e.at.ms(),
        running_revision: e.running.0,
        mode: match e.mode {
            ControllerMode::Remote => v1::ControllerMode::Remote,
            ControllerMode::Local => v1::ControllerMode::Local,
            ControllerMode::Flash => v1::ControllerMode::Flash,
            ControllerMode::Manual => v1::ControllerMode::Manual,
            ControllerMode::Preempt => v1::ControllerMode::Preempt,
        }
        .into(),
        lamps: groups
            .zip(&e.lamps)
            .map(|(group, &shown)| v1::GroupAspect { group_id: group.name.to_string(), aspect: aspect(shown).into() })
            .collect(),
        faults: e.faults.iter().map(|&fault| controller_fault(names, e.junction, fault)).collect(),
        refused_revision: e.refused.map(|revision| revision.0),
    }
}

pub(super) fn aspect(aspect: Aspect) -> v1::Aspect {
    match aspect {
        Aspect::Red => v1::Aspect::Red,
        Aspect::Yellow => v1::Aspect::Yellow,
        Aspect::Green => v1::Aspect::Green,
        Aspect::Dark => v1::Aspect::Dark,
    }
}

pub(super) fn controller_fault(names: &Names, at: JunctionId, fault: ControllerFault) -> v1::ControllerFault {
    use controller_fault::Fault as M;
    let fault = match fault {
        ControllerFault::Lamp(group) => M::LampGroupId(names.group_name(at, group)),
        ControllerFault::Conflict => M::Conflict(true),
        ControllerFault::Power => M::Power(true),
        ControllerFault::Clock => M::Clock(true),
    };
    v1::ControllerFault { fault: Some(fault) }
}

fn call(names: &Names, e: &PedestrianCall) -> v1::PedestrianCall {
    v1::PedestrianCall {
        junction_id: names.junction_name(e.junction),
        group_id: names.group_name(e.junction, e.group),
        at_ms: e.at.ms(),
    }
}

fn command(names: &Names, e: &Command) -> v1::OperatorCommand {
    v1::OperatorCommand {
        command_id: e.id.to_string(),
        at_ms: e.at.ms(),
        operator: e.operator.to_string(),
        reason: e.reason.to_string(),
        action: Some(action(names, &e.action)),
    }
}

fn action(names: &Names, action: &Action) -> operator_command::Action {
    use operator_command::Action as M;
    match *action {
        Action::Hold(junction) => M::HoldJunctionId(names.junction_name(junction)),
        Action::Release(junction) => M::ReleaseJunctionId(names.junction_name(junction)),
        Action::Pin { junction, program, until } => {
            let program = names.of(junction).programs.get(usize::from(program));
            M::Pin(v1::Pin {
                junction_id: names.junction_name(junction),
                program_id: program.map_or_else(String::new, |p| p.name.to_string()),
                until_ms: until.ms(),
            })
        }
        Action::Limit { junction, group, min_green, max_red } => M::Limit(v1::LimitChange {
            junction_id: names.junction_name(junction),
            group_id: names.group_name(junction, group),
            min_green_ms: min_green.map(Span::ms),
            max_red_ms: max_red.map(Span::ms),
        }),
        Action::CloseLane(lane) => M::CloseLane(lane_ref(names, lane)),
        Action::OpenLane(lane) => M::OpenLane(lane_ref(names, lane)),
        Action::CloseLink(link) => M::CloseLinkId(names.link_name(link)),
        Action::OpenLink(link) => M::OpenLinkId(names.link_name(link)),
        Action::Mode(scope, to) => {
            let scope = match scope {
                Scope::Junction(junction) => mode_change::Scope::JunctionId(names.junction_name(junction)),
                Scope::Zone(zone) => mode_change::Scope::ZoneId(names.zone_name(zone)),
            };
            M::Mode(v1::ModeChange { scope: Some(scope), mode: mode(to).into() })
        }
        Action::CancelPriority(ref id) => M::CancelRequestId(id.to_string()),
        Action::ActivatePriority(ref id) => M::ActivateRequestId(id.to_string()),
        Action::PreviewPriority(ref asked) => M::PreviewRequest(request(names, asked)),
    }
}

fn lane_ref(names: &Names, lane: LaneId) -> v1::LaneRef {
    v1::LaneRef { link_id: names.link_name(names.network().lane(lane).link), lane: lane_index(names, lane) }
}

pub(super) fn mode(mode: Mode) -> v1::Mode {
    match mode {
        Mode::Shadow => v1::Mode::Shadow,
        Mode::Advise => v1::Mode::Advise,
        Mode::Control => v1::Mode::Control,
    }
}

fn request(names: &Names, e: &PriorityRequest) -> v1::PriorityRequest {
    v1::PriorityRequest {
        request_id: e.id.to_string(),
        at_ms: e.at.ms(),
        authority: e.authority.to_string(),
        vehicle_id: e.vehicle.to_string(),
        priority_class: priority_class(e.class).into(),
        from_link_id: names.link_name(e.from),
        to_link_id: names.link_name(e.to),
        route_link_ids: e.route.iter().map(|&link| names.link_name(link)).collect(),
        deadline_ms: e.deadline.map(|at| at.ms()),
    }
}

pub(super) fn priority_class(class: PriorityClass) -> v1::PriorityClass {
    match class {
        PriorityClass::Fire => v1::PriorityClass::Fire,
        PriorityClass::Ambulance => v1::PriorityClass::Ambulance,
        PriorityClass::Police => v1::PriorityClass::Police,
        PriorityClass::Transit => v1::PriorityClass::Transit,
    }
}

fn position(e: &Position) -> v1::VehiclePosition {
    v1::VehiclePosition {
        vehicle_id: e.vehicle.to_string(),
        at_ms: e.at.ms(),
        x_m: e.point.x,
        y_m: e.point.y,
        speed_mps: e.speed,
        heading_deg: e.heading,
    }
}

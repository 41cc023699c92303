//! What controllers, operators and vehicles sent, as events.

use super::v1::{self, controller_fault, mode_change, operator_command};
use super::wrong::{text, within};
use super::{Names, Wrong};
use crate::event::{
    Action, Aspect, Command, ControllerFault, ControllerMode, Mode, PedestrianCall, Position, PriorityClass,
    PriorityRequest, Revision, Scope, Status,
};
use crate::ids::{GroupId, Id, JunctionId, LaneId};
use crate::network::Point;
use crate::time::{Span, Time};

/// What a controller shows and runs.
///
/// # Errors
/// What is wrong with it.
pub fn status(names: &Names, m: v1::SignalStatus) -> Result<Status, Wrong> {
    let junction = names.junction("junction_id", &m.junction_id)?;
    let fault = |(row, f): (usize, &v1::ControllerFault)| {
        controller_fault(names, junction, f).map_err(|w| w.within(format_args!("faults[{row}]")))
    };
    Ok(Status {
        junction,
        at: Time::from_ms(m.at_ms),
        running: Revision(m.running_revision),
        mode: controller_mode(m.mode)?,
        lamps: lamps(names, junction, &m.lamps)?,
        faults: m.faults.iter().enumerate().map(fault).collect::<Result<_, _>>()?,
        refused: m.refused_revision.map(Revision),
    })
}

fn lamps(names: &Names, junction: JunctionId, shown: &[v1::GroupAspect]) -> Result<Box<[Aspect]>, Wrong> {
    if shown.is_empty() {
        return Ok([].into());
    }
    let mut lamps = vec![Aspect::Dark; names.of(junction).groups.len()];
    for (row, lamp) in shown.iter().enumerate() {
        let at = |w: Wrong| w.within(format_args!("lamps[{row}]"));
        let group = names.group("group_id", junction, &lamp.group_id).map_err(at)?;
        lamps[group.index()] = aspect(lamp.aspect).map_err(at)?;
    }
    Ok(lamps.into())
}

fn aspect(value: i32) -> Result<Aspect, Wrong> {
    use v1::Aspect as M;
    Ok(match M::try_from(value) {
        Ok(M::Red) => Aspect::Red,
        Ok(M::Yellow) => Aspect::Yellow,
        Ok(M::Green) => Aspect::Green,
        Ok(M::Dark) => Aspect::Dark,
        Ok(M::Unspecified) | Err(_) => return Err(Wrong::new("aspect", value, "is no aspect")),
    })
}

fn controller_mode(value: i32) -> Result<ControllerMode, Wrong> {
    use v1::ControllerMode as M;
    Ok(match M::try_from(value) {
        Ok(M::Remote) => ControllerMode::Remote,
        Ok(M::Local) => ControllerMode::Local,
        Ok(M::Flash) => ControllerMode::Flash,
        Ok(M::Manual) => ControllerMode::Manual,
        Ok(M::Preempt) => ControllerMode::Preempt,
        Ok(M::Unspecified) | Err(_) => return Err(Wrong::new("mode", value, "is no controller mode")),
    })
}

fn controller_fault(names: &Names, at: JunctionId, m: &v1::ControllerFault) -> Result<ControllerFault, Wrong> {
    use controller_fault::Fault as M;
    let set =
        |field: &str, value: bool, fault| if value { Ok(fault) } else { Err(Wrong::new(field, value, "must be true")) };
    match m.fault.as_ref().ok_or_else(|| Wrong::missing("fault"))? {
        M::LampGroupId(name) => Ok(ControllerFault::Lamp(names.group("lamp_group_id", at, name)?)),
        M::Conflict(value) => set("conflict", *value, ControllerFault::Conflict),
        M::Power(value) => set("power", *value, ControllerFault::Power),
        M::Clock(value) => set("clock", *value, ControllerFault::Clock),
    }
}

/// Somebody waits to cross.
///
/// # Errors
/// What is wrong with it.
pub fn call(names: &Names, m: v1::PedestrianCall) -> Result<PedestrianCall, Wrong> {
    let junction = names.junction("junction_id", &m.junction_id)?;
    let group = names.group("group_id", junction, &m.group_id)?;
    Ok(PedestrianCall { junction, group, at: Time::from_ms(m.at_ms) })
}

/// An operator's decision.
///
/// # Errors
/// What is wrong with it.
pub fn command(names: &Names, m: v1::OperatorCommand) -> Result<Command, Wrong> {
    Ok(Command {
        id: text("command_id", m.command_id, 1, 80)?,
        at: Time::from_ms(m.at_ms),
        operator: text("operator", m.operator, 1, 80)?,
        reason: text("reason", m.reason, 0, 400)?,
        action: action(names, m.action.ok_or_else(|| Wrong::missing("action"))?)?,
    })
}

fn action(names: &Names, m: operator_command::Action) -> Result<Action, Wrong> {
    use operator_command::Action as M;
    Ok(match m {
        M::HoldJunctionId(name) => Action::Hold(names.junction("hold_junction_id", &name)?),
        M::ReleaseJunctionId(name) => Action::Release(names.junction("release_junction_id", &name)?),
        M::Pin(m) => pin(names, &m).map_err(|w| w.within("pin"))?,
        M::Limit(m) => limit(names, &m).map_err(|w| w.within("limit"))?,
        M::CloseLane(m) => Action::CloseLane(lane(names, &m).map_err(|w| w.within("close_lane"))?),
        M::OpenLane(m) => Action::OpenLane(lane(names, &m).map_err(|w| w.within("open_lane"))?),
        M::CloseLinkId(name) => Action::CloseLink(names.link("close_link_id", &name)?),
        M::OpenLinkId(name) => Action::OpenLink(names.link("open_link_id", &name)?),
        M::Mode(m) => mode_change(names, &m).map_err(|w| w.within("mode"))?,
        M::CancelRequestId(id) => Action::CancelPriority(text("cancel_request_id", id, 1, 80)?),
        M::ActivateRequestId(id) => Action::ActivatePriority(text("activate_request_id", id, 1, 80)?),
        M::PreviewRequest(m) => {
            Action::PreviewPriority(Box::new(request(names, m).map_err(|w| w.within("preview_request"))?))
        }
    })
}

fn pin(names: &Names, m: &v1::Pin) -> Result<Action, Wrong> {
    let junction = names.junction("junction_id", &m.junction_id)?;
    let program = names.of(junction).programs.iter().position(|p| *p.name == *m.program_id);
    let program = program.and_then(|position| u8::try_from(position).ok());
    let program = program.ok_or_else(|| Wrong::new("program_id", &m.program_id, "is no program of this junction"))?;
    Ok(Action::Pin { junction, program, until: Time::from_ms(m.until_ms) })
}

fn limit(names: &Names, m: &v1::LimitChange) -> Result<Action, Wrong> {
    let junction = names.junction("junction_id", &m.junction_id)?;
    let group: GroupId = names.group("group_id", junction, &m.group_id)?;
    let span = |field, value: Option<i64>, min, max| {
        value.map(|ms| within(field, ms, min, max).map(Span::from_ms)).transpose()
    };
    Ok(Action::Limit {
        junction,
        group,
        min_green: span("min_green_ms", m.min_green_ms, 0, 120_000)?,
        max_red: span("max_red_ms", m.max_red_ms, 10_000, 900_000)?,
    })
}

fn lane(names: &Names, m: &v1::LaneRef) -> Result<LaneId, Wrong> {
    names.lane("lane", names.link("link_id", &m.link_id)?, m.lane)
}

fn mode_change(names: &Names, m: &v1::ModeChange) -> Result<Action, Wrong> {
    let scope = match m.scope.as_ref().ok_or_else(|| Wrong::missing("junction_id or zone_id"))? {
        mode_change::Scope::JunctionId(name) => Scope::Junction(names.junction("junction_id", name)?),
        mode_change::Scope::ZoneId(name) => Scope::Zone(names.zone("zone_id", name)?),
    };
    let mode = match v1::Mode::try_from(m.mode) {
        Ok(v1::Mode::Shadow) => Mode::Shadow,
        Ok(v1::Mode::Advise) => Mode::Advise,
        Ok(v1::Mode::Control) => Mode::Control,
        Ok(v1::Mode::Unspecified) | Err(_) => return Err(Wrong::new("mode", m.mode, "is no mode")),
    };
    Ok(Action::Mode(scope, mode))
}

/// No route has more links.
const ROUTE_LINKS_MAX: usize = 10_000;

/// A vehicle asks for priority.
///
/// # Errors
/// What is wrong with it.
pub fn request(names: &Names, m: v1::PriorityRequest) -> Result<PriorityRequest, Wrong> {
    within("route_link_ids", m.route_link_ids.len(), 0, ROUTE_LINKS_MAX)?;
    let link = |(row, name): (usize, &String)| names.link(&format!("route_link_ids[{row}]"), name);
    Ok(PriorityRequest {
        id: text("request_id", m.request_id, 1, 80)?,
        at: Time::from_ms(m.at_ms),
        authority: text("authority", m.authority, 1, 80)?,
        vehicle: text("vehicle_id", m.vehicle_id, 1, 80)?,
        class: priority_class(m.priority_class)?,
        from: names.link("from_link_id", &m.from_link_id)?,
        to: names.link("to_link_id", &m.to_link_id)?,
        route: m.route_link_ids.iter().enumerate().map(link).collect::<Result<_, _>>()?,
        deadline: m.deadline_ms.map(Time::from_ms),
    })
}

fn priority_class(value: i32) -> Result<PriorityClass, Wrong> {
    use v1::PriorityClass as M;
    Ok(match M::try_from(value) {
        Ok(M::Fire) => PriorityClass::Fire,
        Ok(M::Ambulance) => PriorityClass::Ambulance,
        Ok(M::Police) => PriorityClass::Police,
        Ok(M::Transit) => PriorityClass::Transit,
        Ok(M::Unspecified) | Err(_) => return Err(Wrong::new("priority_class", value, "is no priority class")),
    })
}

/// A vehicle reports where it is.
///
/// # Errors
/// What is wrong with it.
pub fn position(m: v1::VehiclePosition) -> Result<Position, Wrong> {
    let coordinate = |field, value| within(field, value, -1e7, 1e7);
    Ok(Position {
        vehicle: text("vehicle_id", m.vehicle_id, 1, 80)?,
        at: Time::from_ms(m.at_ms),
        point: Point { x: coordinate("x_m", m.x_m)?, y: coordinate("y_m", m.y_m)? },
        speed: within("speed_mps", m.speed_mps, 0.0, 100.0)?,
        heading: m.heading_deg.map(|degrees| within("heading_deg", degrees, 0.0, 360.0)).transpose()?,
    })
}

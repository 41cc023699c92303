//! What the engine says of green waves, as the messages that tell it.

use super::Names;
use super::v1;
use super::write::priority_class;
use crate::corridor::others::Alternative;
use crate::corridor::recovery::{Account, Standing, paid_back};
use crate::corridor::{GateEta, Report, State};
use crate::time::Time;

/// Where a priority request stands.
pub(super) fn corridor(names: &Names, report: &Report) -> v1::Corridor {
    let gate = |g: &GateEta| v1::CorridorGate {
        junction_id: names.junction_name(g.junction),
        green_from_ms: g.green_from.ms(),
        eta_low_ms: g.low.ms(),
        eta_high_ms: g.high.ms(),
    };
    let state = match report.state {
        State::Preview => v1::CorridorState::Preview,
        State::Requested => v1::CorridorState::Requested,
        State::Planned => v1::CorridorState::Planned,
        State::Active => v1::CorridorState::Active,
        State::Passed => v1::CorridorState::Passed,
        State::Cancelled => v1::CorridorState::Cancelled,
        State::TimedOut => v1::CorridorState::TimedOut,
        State::Recovered => v1::CorridorState::Recovered,
        State::Unrecovered => v1::CorridorState::Unrecovered,
        State::Refused => v1::CorridorState::Refused,
    };
    v1::Corridor {
        at_ms: report.at.ms(),
        request_id: report.request.id.to_string(),
        vehicle_id: report.request.vehicle.to_string(),
        authority: report.request.authority.to_string(),
        priority_class: priority_class(report.request.class).into(),
        state: state.into(),
        why: report.why.to_string(),
        route_link_ids: report.route.iter().map(|&link| names.link_name(link)).collect(),
        gates: report.gates.iter().map(gate).collect(),
        arrives_low_ms: report.arrives.map(|(low, _)| low.ms()),
        arrives_high_ms: report.arrives.map(|(_, high)| high.ms()),
        cost_veh_s: report.cost_veh_s,
        alternatives: report.alternatives.iter().map(|a| alternative(names, a)).collect(),
        extra_veh_s: report.extra_veh_s,
        accounts: report.accounts.iter().map(|a| account(names, a)).collect(),
        ended_ms: report.ended.map(Time::ms),
        paid_back_ms: paid_back(&report.accounts).map(Time::ms),
    }
}

fn alternative(names: &Names, other: &Alternative) -> v1::CorridorAlternative {
    v1::CorridorAlternative {
        route_link_ids: other.route.iter().map(|&link| names.link_name(link)).collect(),
        arrives_low_ms: other.arrives.0.ms(),
        arrives_high_ms: other.arrives.1.ms(),
        cost_veh_s: other.cost_veh_s,
        why: other.why.to_string(),
    }
}

fn account(names: &Names, account: &Account) -> v1::CorridorAccount {
    let standing = match account.standing {
        Standing::Serves => v1::CorridorStanding::Serves,
        Standing::Owes => v1::CorridorStanding::Owes,
        Standing::PaidBack => v1::CorridorStanding::PaidBack,
        Standing::PassedOn => v1::CorridorStanding::PassedOn,
        Standing::Overdue => v1::CorridorStanding::Overdue,
        Standing::Lost => v1::CorridorStanding::Lost,
    };
    v1::CorridorAccount {
        junction_id: names.junction_name(account.junction),
        extra_veh_s: account.extra_veh_s,
        standing: standing.into(),
        since_ms: account.since.ms(),
        released_ms: account.released.map(Time::ms),
        back_ms: account.back.map(Time::ms),
    }
}

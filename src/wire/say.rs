//! What the engine says, as the messages that tell it.

use std::fmt::{Debug, Display};

use super::v1::{self, alarm, command_outcome, index_report, output::Output as M};
use super::write::{aspect, controller_fault, mode};
use super::{Names, wave};
use crate::event::Unreadable;
use crate::ids::{GroupId, Id, JunctionId, LaneId, LinkId, SensorId, StageId};
use crate::output::{
    Alarm, AlarmKind, CommandOutcome, HealthChange, IndexReport, Output, Published, Refused, Rejected, Rejections,
    RungChange, Source, Subject, Why,
};
use crate::plan::check::SafePlan;
use crate::traffic::health::Health;
use crate::traffic::quality::Quality;

/// The message that tells an output. A plan's provenance is left out; whoever publishes it beyond a log adds it.
pub fn output(names: &Names, output: &Output) -> v1::Output {
    let message = match output {
        Output::Plan(published) => M::Plan(plan(names, published)),
        Output::Refused(refused) => M::PlanRefused(plan_refused(names, refused)),
        Output::Rejected(rejected) => M::Rejection(rejection(names, rejected)),
        Output::Unreadable(unread) => M::Rejection(unreadable(&unread.message)),
        Output::Index(report) => M::Index(index(names, report)),
        Output::Rung(change) => M::LadderChange(rung(names, change)),
        Output::Health(change) => M::SensorHealth(health(names, change)),
        Output::Command(outcome) => M::CommandOutcome(command(outcome)),
        Output::Alarm(raised) => M::Alarm(alarm(names, raised)),
        Output::Rejections(found) => M::Alarm(rejections(names, found)),
        Output::Corridor(report) => M::Corridor(wave::corridor(names, report)),
    };
    v1::Output { output: Some(message) }
}

fn plan(names: &Names, published: &Published) -> v1::Plan {
    let draft = published.plan.draft();
    let at = draft.junction;
    let stage = |id| names.stage_name(at, id);
    let split =
        |&(id, share): &(StageId, crate::time::Span)| v1::Split { stage_id: stage(id), duration_ms: share.ms() };
    let change = |c: &crate::plan::draft::Change| v1::StageChange {
        stage_id: stage(c.stage),
        at_ms: c.at.ms(),
        clear_ms: c.clear.ms(),
    };
    v1::Plan {
        junction_id: names.junction_name(at),
        revision: draft.revision.0,
        base_revision: draft.base.0,
        made_at_ms: published.at.ms(),
        effective_from_ms: draft.effective_from.ms(),
        prefix: draft.prefix.iter().map(change).collect(),
        tail: Some(v1::Tail {
            splits: draft.tail.splits.iter().map(split).collect(),
            offset_ms: draft.tail.offset.ms(),
            from_ms: draft.tail.from.ms(),
        }),
        valid_until_ms: draft.valid_until.ms(),
        lamps: lamps(names, &published.plan),
        mode: mode(published.mode).into(),
        why: Some(why(names, at, &published.why)),
        provenance: None,
    }
}

/// The changes of each group that has any, in order of time.
fn lamps(names: &Names, plan: &SafePlan) -> Vec<v1::LampTimeline> {
    let (at, from) = (plan.draft().junction, plan.draft().effective_from);
    let groups = names.of(at).groups.iter();
    let mut timelines: Vec<v1::LampTimeline> = groups
        .map(|(_, group)| v1::LampTimeline { group_id: group.name.to_string(), ..v1::LampTimeline::default() })
        .collect();
    for change in plan.lamps() {
        let timeline = &mut timelines[change.group.index()];
        timeline.after_ms.push(u32::try_from((change.at - from).ms()).unwrap_or(0));
        timeline.aspects.push(aspect(change.aspect).into());
    }
    timelines.retain(|timeline| !timeline.after_ms.is_empty());
    timelines
}

fn why(names: &Names, at: JunctionId, why: &Why) -> v1::Why {
    let source = match why.source {
        Source::Horizon => v1::PlanSource::Horizon,
        Source::Base => v1::PlanSource::Base,
        Source::Operator => v1::PlanSource::Operator,
        Source::Actuated => v1::PlanSource::Actuated,
        Source::MaxPressure => v1::PlanSource::MaxPressure,
        Source::Corridor => v1::PlanSource::Corridor,
        Source::Timed => v1::PlanSource::Timed,
    };
    let demand = why.demand.iter().map(|d| v1::GroupDemand {
        group_id: names.group_name(at, d.group),
        count: d.count,
        quality: quality(d.quality).into(),
    });
    let beaten =
        why.beaten.map(|(stage, extra_veh_s)| v1::Beaten { stage_id: names.stage_name(at, stage), extra_veh_s });
    v1::Why {
        source: source.into(),
        demand: demand.collect(),
        cost_veh_s: why.cost_veh_s,
        beaten,
        bound_by: why.bound_by.iter().map(|limit| named(names, Some(at), limit)).collect(),
    }
}

fn quality(quality: Quality) -> v1::Quality {
    match quality {
        Quality::Measured => v1::Quality::Measured,
        Quality::Fused => v1::Quality::Fused,
        Quality::Imputed => v1::Quality::Imputed,
        Quality::Profile => v1::Quality::Profile,
        Quality::None => v1::Quality::None,
    }
}

fn plan_refused(names: &Names, refused: &Refused) -> v1::PlanRefused {
    let at = refused.junction;
    let violations =
        refused.violations.iter().map(|v| v1::Violation { rule: word(v), text: named(names, Some(at), v) });
    v1::PlanRefused {
        at_ms: refused.at.ms(),
        junction_id: names.junction_name(at),
        revision: refused.revision.0,
        violations: violations.collect(),
    }
}

fn rejection(names: &Names, rejected: &Rejected) -> v1::Rejection {
    v1::Rejection {
        at_ms: rejected.at.ms(),
        source: names.sensor_name(rejected.sensor),
        end_ms: Some(rejected.end.ms()),
        rule: rejected.reason.label().to_owned(),
        reason: named(names, None, rejected.reason),
        ..v1::Rejection::default()
    }
}

fn unreadable(unreadable: &Unreadable) -> v1::Rejection {
    v1::Rejection {
        at_ms: unreadable.at.ms(),
        source: unreadable.source.to_string(),
        field: unreadable.field.to_string(),
        value: unreadable.value.to_string(),
        rule: "unreadable".to_owned(),
        reason: unreadable.reason.to_string(),
        ..v1::Rejection::default()
    }
}

fn rejections(names: &Names, found: &Rejections) -> v1::Alarm {
    let Rejections { at, zone, interval, offered, rejected } = *found;
    let kind = v1::Rejections { zone_id: names.zone_name(zone), interval_ms: interval.ms(), offered, rejected };
    v1::Alarm { at_ms: at.ms(), junction_id: String::new(), kind: Some(alarm::Kind::Rejections(kind)) }
}

fn index(names: &Names, report: &IndexReport) -> v1::IndexReport {
    let subject = match report.subject {
        Subject::Link(link) => index_report::Subject::LinkId(names.link_name(link)),
        Subject::Zone(zone) => index_report::Subject::ZoneId(names.zone_name(zone)),
    };
    v1::IndexReport {
        subject: Some(subject),
        end_ms: report.end.ms(),
        interval_ms: report.interval.ms(),
        spent_veh_s: report.spent_veh_s,
        free_flow_veh_s: report.free_flow_veh_s,
        delay_index: report.delay_index,
        tpi: report.tpi,
        quality: quality(report.quality).into(),
    }
}

fn rung(names: &Names, change: &RungChange) -> v1::LadderChange {
    v1::LadderChange {
        at_ms: change.at.ms(),
        junction_id: names.junction_name(change.junction),
        rung: word(&change.rung),
        reason: named(names, Some(change.junction), &change.reason),
    }
}

fn health(names: &Names, change: &HealthChange) -> v1::SensorHealth {
    let condition = match change.health {
        Health::Good => String::new(),
        Health::Bad(cause) => word(&cause),
        other => word(&other),
    };
    v1::SensorHealth {
        at_ms: change.at.ms(),
        sensor_id: names.sensor_name(change.sensor),
        healthy: change.health.usable(),
        condition,
    }
}

fn command(outcome: &CommandOutcome) -> v1::CommandOutcome {
    let result = match &outcome.result {
        Ok(done) => command_outcome::Result::Done(done.to_string()),
        Err(refused) => command_outcome::Result::Refused(refused.to_string()),
    };
    v1::CommandOutcome { at_ms: outcome.at.ms(), command_id: outcome.id.to_string(), result: Some(result) }
}

fn alarm(names: &Names, raised: &Alarm) -> v1::Alarm {
    let at = raised.junction;
    let kind = match raised.kind {
        AlarmKind::Silent(span) => alarm::Kind::SilentMs(span.ms()),
        AlarmKind::Fault(fault) => alarm::Kind::Fault(controller_fault(names, at, fault)),
        AlarmKind::Refuses(revision) => alarm::Kind::RefusesRevision(revision.0),
        AlarmKind::Mismatch(group) => alarm::Kind::MismatchGroupId(names.group_name(at, group)),
    };
    v1::Alarm { at_ms: raised.at.ms(), junction_id: names.junction_name(at), kind: Some(kind) }
}

/// The variant of an enum as a stable word: `ShortGreen { .. }` is `short_green`.
fn word(variant: &impl Debug) -> String {
    let name = format!("{variant:?}");
    let mut word = String::new();
    for c in name.chars().take_while(char::is_ascii_alphanumeric) {
        if c.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(c.to_ascii_lowercase());
    }
    word
}

/// A text of the core with the dense ids in it, such as `G3`, replaced by the names they have outside.
fn named(names: &Names, at: Option<JunctionId>, text: impl Display) -> String {
    let text = text.to_string();
    let mut out = String::with_capacity(text.len());
    for token in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        let core = token.trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        match name_of(names, at, core) {
            Some(name) => {
                out.push_str(&name);
                out.push_str(&token[core.len()..]);
            }
            None => out.push_str(token),
        }
    }
    out
}

fn name_of(names: &Names, at: Option<JunctionId>, id: &str) -> Option<String> {
    let row: usize = id.get(1..)?.parse().ok()?;
    let network = names.network();
    Some(match id.chars().next()? {
        'L' => network.links().get(LinkId::of(row))?.name.to_string(),
        'D' => names.sensors().table().get(SensorId::of(row))?.name.to_string(),
        'J' => network.junctions().get(JunctionId::of(row))?.name.to_string(),
        'l' => {
            let lane = network.lanes().get(LaneId::of(row))?;
            format!("{} lane {}", network.link(lane.link).name, lane.index)
        }
        'G' => names.of(at?).groups.get(GroupId::of(row))?.name.to_string(),
        'S' => names.of(at?).stages.get(StageId::of(row))?.name.to_string(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::check::Violation;
    use crate::time::Span;

    #[test]
    fn a_variant_is_a_stable_word() {
        let violation = Violation::ShortGreen { group: GroupId::of(1), green: Span::from_s(3), min: Span::from_s(5) };
        assert_eq!(word(&violation), "short_green");
        assert_eq!(word(&Quality::None), "none");
    }
}

//! What a draft says of itself: its numbers, its times and its stages, before any lamp is thought of.

use crate::event::Revision;
use crate::ids::StageId;
use crate::network::Junction;
use crate::plan::check::{Found, Setting};
use crate::plan::draft::{Change, Draft};
use crate::plan::violation::Violation;
use crate::time::{Span, Time};

/// No plan counts for longer, nor lies farther ahead.
pub const VALIDITY_MAX: Span = Span::from_s(3600);
/// No rolling schedule has more changes.
pub const PREFIX_MAX: usize = 64;
/// No tail has more stages.
pub const TAIL_MAX: usize = 64;
/// No change keeps everybody at red for longer so that the junction clears.
pub const CLEAR_MAX: Span = Span::from_s(10);
/// No stage has a smaller share of the tail.
pub const SHARE_MIN: Span = Span::SECOND;
/// No stage has a greater one.
pub const SHARE_MAX: Span = Span::from_s(3600);
/// No tail begins farther from the master clock.
pub const OFFSET_MAX: Span = Span::from_s(86_400);

/// Judges what can be seen without unrolling. Whether the draft makes enough sense to be unrolled at all: known stages,
/// bounded lengths, times in order.
pub(super) fn judge(draft: &Draft, junction: &Junction, setting: &Setting<'_>, found: &mut Found) -> bool {
    numbers(draft, setting, found);
    let in_time = times(draft, setting, found);
    let tail = tail(draft, junction, found);
    let prefix = prefix(draft, junction, found);
    in_time && tail && prefix
}

fn numbers(draft: &Draft, setting: &Setting<'_>, found: &mut Found) {
    if setting.running.is_empty() {
        found.push(Violation::Unknown);
        return;
    }
    if !setting.running.iter().any(|running| running.revision == draft.base) {
        found.push(Violation::Base { base: draft.base });
    }
    let newest = setting.running.iter().map(|running| running.revision).max().unwrap_or(Revision(0));
    if draft.revision <= newest {
        found.push(Violation::Number { revision: draft.revision, newest });
    }
}

fn times(draft: &Draft, setting: &Setting<'_>, found: &mut Found) -> bool {
    let (from, earliest) = (draft.effective_from, setting.now + setting.lead);
    if from < earliest {
        found.push(Violation::TooEarly { effective_from: from, earliest });
    }
    for running in setting.running.iter().filter(|running| running.known_until < from) {
        let (revision, known_until) = (running.revision, running.known_until);
        found.push(Violation::TooLate { effective_from: from, revision, known_until });
    }
    let valid = draft.valid_until - from;
    let valid_for_long = valid > VALIDITY_MAX;
    if valid <= Span::ZERO || valid_for_long {
        found.push(Violation::Validity { valid, max: VALIDITY_MAX });
    }
    let ahead = from - setting.now;
    let far = ahead > VALIDITY_MAX + setting.lead;
    if far {
        let (revision, known_until) = (draft.base, earliest + VALIDITY_MAX);
        found.push(Violation::TooLate { effective_from: from, revision, known_until });
    }
    from >= setting.now && !far && valid > Span::ZERO && !valid_for_long
}

fn tail(draft: &Draft, junction: &Junction, found: &mut Found) -> bool {
    let tail = &draft.tail;
    let mut readable = true;
    let mut refuse = |violation| {
        found.push(violation);
        readable = false;
    };
    if tail.splits.is_empty() {
        refuse(Violation::NoTail);
    }
    if tail.splits.len() > TAIL_MAX {
        refuse(Violation::TooMany { what: "stages of the tail", count: tail.splits.len(), max: TAIL_MAX });
    }
    for &(stage, share) in tail.splits.iter().take(TAIL_MAX) {
        if junction.stages.get(stage).is_none() {
            refuse(Violation::NoStage { stage });
        }
        if !(SHARE_MIN..=SHARE_MAX).contains(&share) {
            refuse(Violation::Share { stage, share, min: SHARE_MIN, max: SHARE_MAX });
        }
    }
    if tail.offset > OFFSET_MAX || tail.offset < -OFFSET_MAX {
        refuse(Violation::Offset { offset: tail.offset, max: OFFSET_MAX });
    }
    let after = tail.from - draft.effective_from;
    if after > VALIDITY_MAX || after < -VALIDITY_MAX {
        refuse(Violation::TailFrom { after, max: VALIDITY_MAX });
    }
    readable
}

fn prefix(draft: &Draft, junction: &Junction, found: &mut Found) -> bool {
    let mut readable = true;
    let mut refuse = |violation| {
        found.push(violation);
        readable = false;
    };
    if draft.prefix.len() > PREFIX_MAX {
        refuse(Violation::TooMany { what: "changes of the prefix", count: draft.prefix.len(), max: PREFIX_MAX });
    }
    for &Change { stage, clear, .. } in draft.prefix.iter().take(PREFIX_MAX) {
        if !(Span::ZERO..=CLEAR_MAX).contains(&clear) {
            refuse(Violation::Clear { stage, clear, max: CLEAR_MAX });
        }
    }
    let mut last: Option<(StageId, Time)> = None;
    let first_of_tail = draft.tail.splits.first().map(|_| (tail_stage(draft), draft.tail.from));
    let changes = draft.prefix.iter().take(PREFIX_MAX).map(|change| (Some(change.stage), change.at));
    for (stage, at) in changes.chain(first_of_tail) {
        let Some(stage) = stage else { continue };
        if junction.stages.get(stage).is_none() {
            refuse(Violation::NoStage { stage });
        }
        match last {
            None if at < draft.effective_from => {
                refuse(Violation::Sequence { stage, at, after: draft.effective_from });
            }
            // The tail may take up the stage that the prefix has just begun.
            Some((before, after)) if at < after || (at == after && stage != before) => {
                refuse(Violation::Sequence { stage, at, after });
            }
            _ => {}
        }
        last = Some((stage, at));
    }
    readable
}

/// The stage the tail takes over in; none if it cannot be told.
fn tail_stage(draft: &Draft) -> Option<StageId> {
    let tail = &draft.tail;
    let told = tail.splits.iter().all(|&(_, share)| (SHARE_MIN..=SHARE_MAX).contains(&share))
        && tail.splits.len() <= TAIL_MAX
        && (-OFFSET_MAX..=OFFSET_MAX).contains(&tail.offset)
        && (Time::LONG_AGO..=Time::NEVER).contains(&tail.from);
    told.then(|| tail.changes().next().map(|change| change.stage)).flatten()
}

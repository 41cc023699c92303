//! Which stages a junction could run in which order, so that everybody gets a green.

use super::load::Load;
use crate::ids::{GroupId, GroupSet, StageId};
use crate::network::{GroupKind, Junction};
use crate::time::Span;

/// Covers begin with one of so many stages.
const STARTS: usize = 12;
/// Up to so many stages the best order is found by trying all.
const TRIED: usize = 5;
/// At most so many sequences are worth judging.
const MOST: usize = 16;

/// Sequences worth judging, each a cycle that the junction's order allows and that serves everybody whom any of its
/// programs serves and everybody with demand whom any stage can serve.
///
/// They are: the sequences of its programs; where the order lets stages be chosen freely, covers made greedily, one for
/// each stage to begin with, in the order that loses least time; and each of these with stages put in that let traffic
/// go on while people still clear the crossing.
pub fn candidates(junction: &Junction, load: &Load) -> Vec<Vec<StageId>> {
    let required = required(junction, load);
    let mut found: Vec<Vec<StageId>> = Vec::new();
    let mut add = |sequence: Vec<StageId>| {
        if allowed(junction, &sequence) && found.len() < MOST && !found.contains(&sequence) {
            found.push(sequence);
        }
    };
    for program in &junction.programs {
        let sequence: Vec<StageId> = program.splits.iter().map(|&(stage, _)| stage).collect();
        // What an importer read is taken as it is, even where it leaves out somebody that another program serves.
        add(with_clearances(junction, &sequence));
        add(sequence);
    }
    let mut covers: Vec<Vec<StageId>> = Vec::new();
    for start in starts(junction, load, required) {
        if let Some(mut cover) = cover(junction, start, load, required) {
            cover.sort_unstable();
            if !covers.contains(&cover) {
                covers.push(cover);
            }
        }
    }
    for cover in covers {
        if let Some(sequence) = order(junction, cover) {
            add(with_clearances(junction, &sequence));
            add(sequence);
        }
    }
    if found.is_empty() {
        // A program whose own order is not allowed cannot be: orders are made of programs. Rings may leave one out.
        found.push(junction.base_program().splits.iter().map(|&(stage, _)| stage).collect());
    }
    found
}

/// Who must be served.
fn required(junction: &Junction, load: &Load) -> GroupSet {
    let of = |stage: StageId| junction.stages[stage].groups;
    let programs = junction.programs.iter().flat_map(|program| &program.splits).map(|&(stage, _)| of(stage));
    let served = programs.fold(GroupSet::EMPTY, GroupSet::union);
    let served_at_all = junction.stages.ids().map(of).fold(GroupSet::EMPTY, GroupSet::union);
    let asked = load.groups.iter().filter(|(_, flow)| flow.get() > 0.0).map(|(group, _)| group);
    served.union(asked.collect::<GroupSet>().intersection(served_at_all))
}

/// Whether every stage may follow the one before it, around the whole cycle.
fn allowed(junction: &Junction, sequence: &[StageId]) -> bool {
    let next = sequence.iter().cycle().skip(1);
    !sequence.is_empty() && sequence.iter().zip(next).all(|(&a, &b)| junction.may_follow(a, b))
}

/// What a group is worth to a cover.
fn value(junction: &Junction, load: &Load, group: GroupId) -> f64 {
    match junction.groups[group].kind {
        GroupKind::Vehicle => load.groups[group].get() + 10.0,
        GroupKind::Pedestrian => 100.0,
    }
}

fn worth(junction: &Junction, load: &Load, groups: GroupSet) -> f64 {
    groups.iter().map(|group| value(junction, load, group)).sum()
}

/// The stages to begin a cover with, the most useful first.
fn starts(junction: &Junction, load: &Load, required: GroupSet) -> Vec<StageId> {
    let mut stages: Vec<(StageId, f64)> = junction
        .stages
        .iter()
        .map(|(id, stage)| (id, worth(junction, load, stage.groups.intersection(required))))
        .collect();
    stages.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    stages.into_iter().take(STARTS).map(|(id, _)| id).collect()
}

/// Adds to `start` the stage that helps most, until everybody is served; then drops what is not needed.
fn cover(junction: &Junction, start: StageId, load: &Load, required: GroupSet) -> Option<Vec<StageId>> {
    let groups = |stage: StageId| junction.stages[stage].groups;
    let mut chosen = vec![start];
    let mut open = required.difference(groups(start));
    while !open.is_empty() {
        let gain = |stage: StageId| worth(junction, load, groups(stage).intersection(open));
        let best = junction.stages.ids().max_by(|&a, &b| gain(a).total_cmp(&gain(b)).then(b.cmp(&a)))?;
        if gain(best) <= 0.0 {
            return None;
        }
        open = open.difference(groups(best));
        chosen.push(best);
    }
    for stage in chosen.clone() {
        let others = chosen.iter().filter(|&&other| other != stage).map(|&other| groups(other));
        if chosen.len() > 1 && required.is_subset(others.fold(GroupSet::EMPTY, GroupSet::union)) {
            chosen.retain(|&other| other != stage);
        }
    }
    Some(chosen)
}

/// The order that loses least time in changes; none where the junction's order allows none that was tried.
fn order(junction: &Junction, cover: Vec<StageId>) -> Option<Vec<StageId>> {
    let lost = |sequence: &[StageId]| -> Span {
        let next = sequence.iter().cycle().skip(1);
        sequence.iter().zip(next).map(|(&a, &b)| junction.change_time(a, b)).sum()
    };
    if cover.len() > TRIED {
        return allowed(junction, &cover).then_some(cover);
    }
    let mut best: Option<(Span, Vec<StageId>)> = None;
    let mut rest = cover;
    let first = rest.remove(0);
    permute(&mut rest, 0, &mut |order| {
        let sequence: Vec<StageId> = std::iter::once(first).chain(order.iter().copied()).collect();
        if !allowed(junction, &sequence) {
            return;
        }
        let takes = lost(&sequence);
        if best.as_ref().is_none_or(|(least, _)| takes < *least) {
            best = Some((takes, sequence));
        }
    });
    best.map(|(_, sequence)| sequence)
}

fn permute(items: &mut [StageId], from: usize, visit: &mut dyn FnMut(&[StageId])) {
    if from >= items.len() {
        return visit(items);
    }
    for i in from..items.len() {
        items.swap(from, i);
        permute(items, from + 1, visit);
        items.swap(from, i);
    }
}

/// The sequence with a stage put in after each one that ends with people on a crossing: the same traffic without them,
/// so that it goes on while they clear.
fn with_clearances(junction: &Junction, sequence: &[StageId]) -> Vec<StageId> {
    let walks = |groups: GroupSet| -> GroupSet {
        groups.iter().filter(|&group| junction.groups[group].kind == GroupKind::Pedestrian).collect()
    };
    let groups = |stage: StageId| junction.stages[stage].groups;
    let mut extended = Vec::with_capacity(sequence.len() * 2);
    for (at, &stage) in sequence.iter().enumerate() {
        let next = sequence[(at + 1) % sequence.len()];
        extended.push(stage);
        let ending = walks(groups(stage)).difference(groups(next));
        if sequence.len() < 2 || ending.is_empty() {
            continue;
        }
        let traffic = groups(stage).difference(walks(groups(stage)));
        let goes_on = |&other: &StageId| {
            let others = groups(other);
            traffic.is_subset(others)
                && others.intersection(ending).is_empty()
                && !sequence.contains(&other)
                && junction.may_follow(stage, other)
                && junction.may_follow(other, next)
        };
        // The one that lets most others go besides.
        extended.extend(junction.stages.ids().filter(goes_on).max_by_key(|&s| (groups(s).len(), std::cmp::Reverse(s))));
    }
    extended
}

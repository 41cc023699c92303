//! What the lamps do under a draft, from one state the junction may be in: change after change to the end of the
//! second cycle of the tail.

use crate::ids::{GroupId, GroupSet, StageId};
use crate::plan::bounds::Bounds;
use crate::plan::check::{Found, Setting};
use crate::plan::draft::{Change, Draft};
use crate::plan::running::Running;
use crate::plan::timeline::Lamps;
use crate::plan::violation::Violation;
use crate::time::{Span, Time};

/// Judges `draft` if the junction does what `running` says. The draft has been found readable.
pub(super) fn walk(draft: &Draft, running: &Running, bounds: Bounds<'_>, setting: &Setting<'_>, found: &mut Found) {
    let mut walk = Walk {
        bounds,
        setting,
        draft,
        running,
        lamps: running.lamps.clone(),
        stage: running.stage,
        green_since: running.since,
        served: running.lamps.wanted(),
        found,
    };
    walk.begin();
    for &change in running.ahead.iter().take_while(|change| change.at < draft.effective_from) {
        walk.change(change);
    }
    for &change in &draft.prefix {
        walk.on_grid(change);
        walk.change(change);
    }
    // What was lost before the tail may be owed for longer than two short cycles.
    let proven = draft.tail.from + (draft.tail.cycle() * 2).max(walk.lamps.longest_owed());
    for change in draft.tail.changes().take_while(|change| change.at <= proven) {
        walk.on_grid(change);
        walk.change(change);
    }
    walk.end();
}

struct Walk<'a> {
    bounds: Bounds<'a>,
    setting: &'a Setting<'a>,
    draft: &'a Draft,
    running: &'a Running,
    lamps: Lamps,
    stage: Option<StageId>,
    /// Since when the stage shows green to somebody whom the stage before did not.
    green_since: Time,
    /// Groups that have been green since somebody waits for them.
    served: GroupSet,
    found: &'a mut Found,
}

impl Walk<'_> {
    fn begin(&mut self) {
        let wanted = self.lamps.wanted();
        for a in wanted.iter() {
            for b in wanted.iter().filter(|&b| b > a) {
                if self.bounds.junction.never_together(a, b) {
                    self.found.push(Violation::Together { a, b });
                }
            }
        }
        if let Some(stage) = self.stage {
            let groups = self.bounds.junction.stages[stage].groups;
            self.green_since = self.lamps.first_green(groups, self.running.since);
        }
    }

    fn grid(&self) -> Span {
        self.setting.grid.max(Span::from_ms(1))
    }

    fn on_grid(&mut self, change: Change) {
        let grid = self.grid();
        if change.at.floor(grid) != change.at {
            self.found.push(Violation::OffGrid { stage: change.stage, at: change.at, grid });
        }
    }

    fn change(&mut self, change: Change) {
        let junction = self.bounds.junction;
        if self.stage == Some(change.stage) {
            return;
        }
        if let Some(before) = self.stage {
            if !junction.may_follow(before, change.stage) {
                self.found.push(Violation::Order { from: before, to: change.stage });
            }
            let min_green = |group| self.bounds.min_green(group);
            let groups = junction.stages[change.stage].groups;
            let due = self.lamps.earliest_change(groups, self.draft.effective_from, min_green);
            self.stage_ends(before, change.at, due.ceil(self.grid()));
        }
        let groups = junction.stages[change.stage].groups;
        for id in self.lamps.wanted().difference(groups).iter() {
            self.green_ends(id, change.at);
        }
        let gained = groups.difference(self.lamps.wanted());
        self.lamps.change(change, junction);
        self.green_since = self.lamps.first_green(groups, change.at);
        for id in gained.difference(self.served).iter() {
            self.red_ends(id);
        }
        self.served = self.served.union(gained);
        self.stage = Some(change.stage);
    }

    /// The stage ends at `at`, which is not too late up to `due`, the first instant at which it can: a shortest green
    /// that began late outlasts a stage's longest, and nothing ends before the plan counts.
    fn stage_ends(&mut self, stage: StageId, at: Time, due: Time) {
        let green = at - self.green_since;
        if let Some(max) = self.bounds.junction.stages[stage].max_green.filter(|&max| green > max && at > due) {
            self.found.push(Violation::LongGreen { stage, green, max });
        }
    }

    fn green_ends(&mut self, group: GroupId, at: Time) {
        let Some(from) = self.lamps.group(group).green_from else { return };
        let (green, min) = (at - from, self.bounds.min_green(group));
        match self.stage {
            Some(stage) if green <= Span::ZERO => self.found.push(Violation::NeverGreen { group, stage }),
            _ if green < min => self.found.push(Violation::ShortGreen { group, green, min }),
            _ => {}
        }
    }

    /// `group`, which has not been green since somebody may have begun to wait, has got its green.
    fn red_ends(&mut self, group: GroupId) {
        let lamp = self.lamps.group(group);
        if let (Some(since), Some(green)) = (self.waited_since(group), lamp.green_from) {
            self.red_of(group, since, green.min(self.draft.valid_until));
        }
    }

    /// Since when somebody waits at red.
    fn waited_since(&self, group: GroupId) -> Option<Time> {
        let waiting = (*self.setting.waiting.get(group)?)?;
        Some(waiting.max(self.lamps.group(group).yellow_until))
    }

    fn red_of(&mut self, group: GroupId, since: Time, until: Time) {
        let (red, max) = (until - since, self.bounds.max_red(group));
        if red > max && until > self.latest(group, since + max) {
            self.found.push(Violation::LongRed { group, red, max });
        }
    }

    /// Until when `group` has to be green: in time, as long as a round of the base program could still make it. Where
    /// that is past saving, no later than the running plan would have shown it, or else within two such rounds. So
    /// a plan is possible from everywhere, and nobody's wait is put off again and again.
    fn latest(&self, group: GroupId, in_time: Time) -> Time {
        let junction = self.bounds.junction;
        let (from, cycle) = (self.draft.effective_from, junction.base_program().cycle());
        if in_time >= from + cycle + self.lamps.longest_owed() {
            return in_time;
        }
        let promised = self.running.promised(group, junction).filter(|&green| green < self.running.known_until);
        in_time.max(promised.unwrap_or((from + cycle * 2).min(self.draft.valid_until)))
    }

    fn end(&mut self) {
        let junction = self.bounds.junction;
        let Some(last) = self.stage else { return };
        // A tail of one stage alone never leaves it.
        if self.draft.tail.splits.iter().all(|&(stage, _)| stage == last) {
            self.stage_ends(last, self.draft.valid_until, self.draft.effective_from);
        }
        let unserved: GroupSet = junction.groups.ids().filter(|&id| !self.served.contains(id)).collect();
        for group in unserved.iter() {
            let Some(since) = self.waited_since(group) else { continue };
            // Whom no stage serves, no plan can.
            if junction.stages.values().any(|stage| stage.groups.contains(group)) {
                self.red_of(group, since, self.draft.valid_until);
            }
        }
    }
}

//! A SUMO signal program made into stages and their shares of the cycle.

use super::read::Logic;
use crate::ids::{GroupId, GroupSet, Id};

/// A state without yellow that is shorter than this, seconds, is part of a change if nothing is green in it that is
/// not green before and after.
const SHORT: f64 = 5.0;
/// The longest share a network file takes, seconds.
const SHARE_MAX: f64 = 600.0;

/// One program as its groups see it.
pub(super) struct Seen {
    pub(super) id: String,
    /// Seconds by which the program is late against the clock.
    pub(super) offset: f64,
    /// Each state: how long, and who is green.
    pub(super) states: Vec<State>,
    /// Stretches of the cycle, from the first state that is a stage on.
    pub(super) stretches: Vec<Stretch>,
}

/// One state of a program.
pub(super) struct State {
    pub(super) seconds: f64,
    pub(super) green: GroupSet,
    pub(super) yellow: GroupSet,
    /// Green, but giving way.
    pub(super) permissive: GroupSet,
}

/// A change and the stage after it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stretch {
    pub(super) green: GroupSet,
    /// The row of the first state of the stage.
    pub(super) state: usize,
    /// When the change into it begins, seconds after the program's own start; below zero where it spans that.
    pub(super) start: f64,
    /// The change and the stage, seconds.
    pub(super) share: f64,
}

impl Seen {
    /// Sees `logic` through groups, whose first link's character is each one's.
    pub(super) fn new(logic: &Logic, first_links: &[usize]) -> Self {
        let states: Vec<State> = logic
            .phases
            .iter()
            .map(|phase| {
                let shows = |what: &[u8]| {
                    let on = |link: &usize| phase.state.get(*link).is_some_and(|c| what.contains(c));
                    let shown = first_links.iter().enumerate().filter(|(_, link)| on(link));
                    shown.map(|(group, _)| GroupId::of(group)).collect()
                };
                State { seconds: phase.seconds, green: shows(b"GgOo"), yellow: shows(b"yYu"), permissive: shows(b"go") }
            })
            .collect();
        let stretches = stretches(&states);
        Self { id: logic.program.clone(), offset: logic.offset, states, stretches }
    }

    /// Seconds around.
    pub(super) fn cycle(&self) -> f64 {
        self.states.iter().map(|s| s.seconds).sum()
    }

    /// When the first stretch begins against the clock, `0 ≤ s < cycle`.
    pub(super) fn offset(&self) -> f64 {
        let start = self.stretches.first().map_or(0.0, |s| s.start);
        let offset = (self.offset + start).rem_euclid(self.cycle().max(0.001));
        (offset * 1000.0).round() / 1000.0 + 0.0
    }

    /// Lifts shares below a second into the next one, cuts those above the limit; how many of each.
    pub(super) fn fit(&mut self) -> (usize, usize) {
        let (mut lifted, mut cut) = (0, 0);
        while let Some(short) = self.stretches.iter().position(|s| s.share < 1.0).filter(|_| self.stretches.len() > 1) {
            let gone = self.stretches.remove(short);
            let cycle = self.cycle();
            let wraps = short == self.stretches.len();
            let next = &mut self.stretches[if wraps { 0 } else { short }];
            next.start = if wraps { gone.start - cycle } else { gone.start };
            next.share += gone.share;
            lifted += 1;
        }
        for s in self.stretches.iter_mut().filter(|s| s.share > SHARE_MAX) {
            s.share = SHARE_MAX;
            cut += 1;
        }
        (lifted, cut)
    }
}

fn stretches(states: &[State]) -> Vec<Stretch> {
    let always = states.iter().map(|s| s.green).reduce(GroupSet::intersection).unwrap_or_default();
    let calm = |s: &State| s.yellow.is_empty() && !s.green.is_empty();
    let busy = states.iter().any(|s| calm(s) && s.green != always);
    let mut stage: Vec<bool> = states.iter().map(|s| calm(s) && (s.green != always || !busy)).collect();
    drop_partial_reds(states, &mut stage);
    let Some(first) = stage.iter().position(|&s| s) else { return Vec::new() };
    let mut all: Vec<Stretch> = Vec::new();
    let before: f64 = states[..first].iter().map(|s| s.seconds).sum();
    let (mut at, mut change) = (before, 0.0);
    // Once around from the first stage; a change at the end of the round belongs to the first stage.
    for k in 0..states.len() {
        let row = (first + k) % states.len();
        let seconds = states[row].seconds;
        if !stage[row] {
            change += seconds;
        } else if let Some(last) = all.last_mut().filter(|last| last.green == states[row].green) {
            last.share += change + seconds;
            change = 0.0;
        } else {
            all.push(Stretch { green: states[row].green, state: row, start: at - change, share: change + seconds });
            change = 0.0;
        }
        at += seconds;
    }
    let cycle: f64 = states.iter().map(|s| s.seconds).sum();
    let start = before - change;
    if let Some(one) = all.first_mut() {
        one.start = start;
        one.share += change;
    }
    let several = all.len() > 1;
    if let Some(last) = all.pop_if(|last| several && last.green == states[first].green) {
        all[0].start = last.start - cycle;
        all[0].share += last.share;
    }
    all
}

/// Short states in which nothing is green that is not green in the stages before and after are no stages.
fn drop_partial_reds(states: &[State], stage: &mut [bool]) {
    let rows: Vec<usize> = (0..states.len()).filter(|&row| stage[row]).collect();
    for (k, &row) in rows.iter().enumerate() {
        let set = states[row].green;
        // Runs of equal states count as one.
        let around = |step: usize| {
            (1..rows.len()).map(|n| rows[(k + n * step) % rows.len()]).find(|&other| states[other].green != set)
        };
        let (Some(before), Some(after)) = (around(rows.len() - 1), around(1)) else { continue };
        let run: f64 = rows.iter().filter(|&&r| states[r].green == set).map(|&r| states[r].seconds).sum();
        let within = set.is_subset(states[before].green) && set.is_subset(states[after].green);
        if within && run < SHORT {
            stage[row] = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::Phase;
    use super::*;

    /// Reads "42 Gr | 3 yr | …", each link its own group.
    fn seen(program: &str, offset: f64) -> Seen {
        let phases: Vec<Phase> = program
            .split('|')
            .map(|p| {
                let (seconds, state) = p.trim().split_once(' ').unwrap();
                Phase { seconds: seconds.parse().unwrap(), state: state.as_bytes().into(), jumps: false }
            })
            .collect();
        let links: Vec<usize> = (0..phases[0].state.len()).collect();
        let logic = Logic { id: "j".into(), program: "0".into(), kind: "static".into(), offset, phases };
        Seen::new(&logic, &links)
    }

    fn told(seen: &Seen) -> String {
        let set = |s: GroupSet| s.iter().map(|g| g.index().to_string()).collect::<Vec<_>>().join("");
        let all: Vec<_> =
            seen.stretches.iter().map(|s| format!("{}@{}+{}", set(s.green), s.start + 0.0, s.share)).collect();
        all.join(" ")
    }

    #[test]
    fn states_become_stages_with_the_change_in_front() {
        let rows = [
            // The yellow at the end of the round leads into the first stage.
            ("42 Gr | 3 yr | 42 rG | 3 ry", "0@-3+45 1@42+45"),
            // All-red is part of the change.
            ("20 Gr | 3 yr | 2 rr | 20 rG | 3 ry | 2 rr", "0@-5+25 1@20+25"),
            // A program that starts with a change.
            ("3 ry | 20 Gr | 3 yr | 20 rG", "0@0+23 1@23+23"),
            // Link 2 is green in every state: what only it shows is all-red.
            ("20 GrG | 3 yrG | 2 rrG | 20 rGG | 3 ryG", "02@-3+23 12@20+25"),
            // A short partial red: link 0 goes on through it.
            ("20 GGr | 3 Gyr | 2 Grr | 20 GrG | 3 yry | 20 rGr | 3 ryr", "01@-3+23 02@20+25 1@45+23"),
            // A short overlap that is its own stage: link 1 is new in it and link 0 is going.
            ("25 Grr | 5 GGr | 3 yGr | 30 rGG | 3 ryy", "0@-3+28 01@25+5 12@30+33"),
            // Without yellow the share is the green.
            ("20 Gr | 20 rG", "0@0+20 1@20+20"),
            // The same green twice in a row is one stage, over the program's end too.
            ("10 Gr | 3 yr | 10 rG | 3 ry | 12 Gr", "0@-15+25 1@10+13"),
            // Always green.
            ("90 GG", "01@0+90"),
        ];
        for (program, expected) in rows {
            let found = seen(program, 0.0);
            assert_eq!(told(&found), expected, "{program}");
            let shares: f64 = found.stretches.iter().map(|s| s.share).sum();
            assert!((shares - found.cycle()).abs() < 1e-9, "{program}");
        }
    }

    #[test]
    fn the_offset_is_when_the_first_change_begins() {
        // SUMO's offset of 10 starts the program at 10, 100, …; the change into its first stage begins 3 s before.
        for (offset, expected) in [(0.0, 87.0), (10.0, 7.0), (-10.0, 77.0), (100.0, 7.0)] {
            assert!((seen("42 Gr | 3 yr | 42 rG | 3 ry", offset).offset() - expected).abs() < 1e-9, "{offset}");
        }
    }

    #[test]
    fn shares_are_made_to_fit() {
        let mut short = seen("20 Gr | 0.5 GG | 20 rG", 0.0);
        assert_eq!(short.fit(), (1, 0));
        assert_eq!(told(&short), "0@0+20 1@20+20.5");
        let mut long = seen("20 Gr | 3 yr | 5000 rG | 3 ry", 0.0);
        assert_eq!(long.fit(), (0, 1));
    }
}

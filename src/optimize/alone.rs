//! One junction by itself: its best stages, and what they give and cost in every cycle it might share.

use super::base::Options;
use super::frame::Frame;
use super::load::Load;
use super::sequence;
use super::webster::{Cycles, Growth, wanted};
use super::why::Why;
use crate::ids::StageId;
use crate::network::Junction;
use crate::time::Span;

/// The cycles that an area may choose among. Each area's cycle is an even rung, so that half of it is a rung too.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ladder {
    /// Rung `i` is `i` times this.
    pub unit: Span,
    /// The first rung that is allowed.
    pub first: usize,
    /// The last.
    pub last: usize,
}

impl Ladder {
    /// Rungs of about two seconds, on the grid and in whole seconds where the grid allows.
    pub fn new(cycles: Cycles) -> Self {
        let unit = Span::from_s(2).ceil(cycles.grid);
        let rung = |span: Span| (span.ms() / unit.ms()).max(1) as usize;
        let first = rung(cycles.min.ceil(unit));
        Self { unit, first, last: rung(cycles.max).max(first) }
    }

    /// The cycle of a rung.
    pub fn cycle(&self, rung: usize) -> Span {
        self.unit * rung as i64
    }
}

/// What a junction does in one cycle of the ladder.
#[derive(Debug, Clone, PartialEq)]
pub struct Rung {
    /// Its shares.
    pub shares: Vec<Span>,
    /// Expected delay, vehicle-hours an hour, when everybody arrives at random.
    pub delay: f64,
    /// The part of it that offsets cannot change.
    pub random: f64,
    /// The greatest degree of saturation.
    pub saturation: f64,
}

/// A junction by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Alone {
    /// Its stages in order, and what they ask for.
    pub frame: Frame,
    /// The cycle it would run alone.
    pub cycle: Span,
    /// Why it would.
    pub why: Vec<Why>,
    shortest: Span,
    grid: Span,
}

/// Stages are changed for new ones when these save so much of the delay.
const WORTH_CHANGING: f64 = 0.1;

impl Alone {
    /// The best of the sequences that `junction` could run, or the `running` one where the best is hardly better.
    pub fn new(junction: &Junction, load: &Load, options: &Options, running: Option<&[StageId]>) -> Self {
        let judged = |stages: &[StageId]| {
            let frame = Frame::new(junction, stages, load, options.manner);
            let (cycle, why) = wanted(&frame, options.cycles);
            let mut growth = Growth::new(&frame, options.cycles.grid);
            let shortest = growth.cycle();
            growth.grow(cycle);
            let (delay, reached) = (growth.delay(), growth.cycle());
            let unserved = frame.unserved.len();
            let grid = options.cycles.grid;
            let mut alone = Self { frame, cycle: reached, why, shortest, grid };
            if reached != cycle {
                alone.why.push(Why::Clamped { wanted: cycle, cycle: reached });
            }
            (alone, (unserved, delay))
        };
        let mut best: Option<(Self, (usize, f64))> = None;
        for stages in sequence::candidates(junction, load) {
            let (alone, cost) = judged(&stages);
            if best.as_ref().is_none_or(|(_, least)| cost.0 < least.0 || (cost.0 == least.0 && cost.1 < least.1)) {
                best = Some((alone, cost));
            }
        }
        let (mut best, cost) = best.expect("a junction has a program, so there is a sequence");
        if let Some(running) = running.filter(|running| *running != best.frame.stages) {
            let (mut kept, old) = judged(running);
            let saving = 1.0 - cost.1 / old.1.max(1e-9);
            if old.0 <= cost.0 && saving < WORTH_CHANGING {
                kept.why.push(Why::Kept { saving: saving.max(0.0) });
                best = kept;
            }
        }
        best
    }

    /// What it does in each cycle of `ladder`; none where limits do not let it run that cycle.
    pub fn climb(&self, ladder: &Ladder) -> Vec<Option<Rung>> {
        let mut growth = Growth::new(&self.frame, self.grid);
        (0..=ladder.last)
            .map(|rung| {
                let cycle = ladder.cycle(rung);
                if rung < ladder.first / 2 || cycle < self.shortest {
                    return None;
                }
                growth.grow(cycle);
                (growth.cycle() == cycle).then(|| rung_of(&growth))
            })
            .collect()
    }

    /// What it does when it is left alone.
    pub fn rung(&self) -> Rung {
        let mut growth = Growth::new(&self.frame, self.grid);
        growth.grow(self.cycle);
        rung_of(&growth)
    }
}

fn rung_of(growth: &Growth<'_>) -> Rung {
    let (uniform, random) = growth.delays();
    Rung { shares: growth.shares().to_vec(), delay: uniform + random, random, saturation: growth.saturation() }
}

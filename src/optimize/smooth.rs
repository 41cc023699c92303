//! Small steps from a running base plan to a new one, so that the street is never upset.

use super::base::BaseProgram;
use crate::network::Program;
use crate::time::Span;

/// How far a plan moves in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// A share moves by this at most, unless the cycle changes.
    pub share: Span,
    /// An offset moves by this at most, unless the cycle changes.
    pub offset: Span,
    /// Shares and offsets are multiples of this.
    pub grid: Span,
}

impl Default for Step {
    fn default() -> Self {
        Self { share: Span::from_s(4), offset: Span::from_s(6), grid: Span::SECOND }
    }
}

/// `new`, or a step from `old` towards it. With the same stages and cycle, shares and offset move by `step` at most;
/// every share stays between the two plans' own, so what both keep is kept. Other stages or another cycle are taken at
/// once: an area must not be left with two cycles.
pub fn smooth(old: &Program, new: &BaseProgram, step: Step) -> BaseProgram {
    let mut next = new.clone();
    let stages = |program: &Program| program.splits.iter().map(|&(stage, _)| stage).collect::<Vec<_>>();
    let cycle = new.program.cycle();
    if stages(old) != stages(&new.program) || old.cycle() != cycle {
        return next;
    }
    let far = old.splits.iter().zip(&new.program.splits).map(|(&(_, o), &(_, n))| (n - o).ms().abs()).max();
    let far = far.unwrap_or(0);
    let part = if far > step.share.ms() { step.share.ms() as f64 / far as f64 } else { 1.0 };
    // The ends of shares are moved and rounded, so that the cycle stays what it is.
    let (mut old_end, mut new_end, mut end) = (0i64, 0i64, 0i64);
    for (at, split) in next.program.splits.iter_mut().enumerate() {
        old_end += old.splits[at].1.ms();
        new_end += new.program.splits[at].1.ms();
        let moved = old_end as f64 + (new_end - old_end) as f64 * part;
        let grid = step.grid.ms();
        let rounded = if part < 1.0 { (moved / grid as f64).round() as i64 * grid } else { new_end };
        split.1 = Span::from_ms(rounded - end);
        end = rounded;
    }
    let half = cycle.ms() / 2;
    let away = (new.program.offset.ms() - old.offset.ms() + half).rem_euclid(cycle.ms()) - half;
    let most = step.offset.floor(step.grid).max(step.grid).ms();
    let offset = Span::from_ms(old.offset.ms() + away.clamp(-most, most)).floor(step.grid);
    next.program.offset = Span::from_ms(offset.ms().rem_euclid(cycle.ms()));
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Id, JunctionId, StageId};

    fn program(offset: i64, shares: &[i64]) -> Program {
        let splits = shares.iter().enumerate().map(|(i, &s)| (StageId::of(i), Span::from_s(s))).collect();
        Program { name: "test".into(), offset: Span::from_s(offset), splits }
    }

    fn moved(old: (i64, &[i64]), new: (i64, &[i64])) -> (i64, Vec<i64>) {
        let new = BaseProgram {
            program: program(new.0, new.1),
            area: JunctionId::of(0),
            runs: 1,
            saturation: 0.5,
            delay: 1.0,
            why: Vec::new(),
        };
        let next = smooth(&program(old.0, old.1), &new, Step::default()).program;
        (next.offset.ms() / 1000, next.splits.iter().map(|&(_, share)| share.ms() / 1000).collect())
    }

    #[test]
    fn a_plan_moves_in_small_steps() {
        // A share wants 16 s more: a quarter of the way. The offset wants 20 s back over the cycle's start: 6 s.
        assert_eq!(moved((5, &[20, 40]), (45, &[36, 24])), (59, vec![24, 36]));
        // Near enough: all the way.
        assert_eq!(moved((5, &[20, 40]), (8, &[23, 37])), (8, vec![23, 37]));
        // Another cycle, or other stages, at once.
        assert_eq!(moved((5, &[20, 40]), (45, &[36, 34])), (45, vec![36, 34]));
        assert_eq!(moved((5, &[20, 40]), (45, &[20, 20, 20])), (45, vec![20, 20, 20]));
    }

    #[test]
    fn no_share_leaves_the_two_plans() {
        // Rounded ends must not push the short share below what both have.
        for first in 10..50 {
            let (_, shares) = moved((0, &[first, 7, 53 - first]), (0, &[50 - first + 3, 7, first]));
            assert_eq!(shares[1], 7, "{shares:?}");
            assert_eq!(shares.iter().sum::<i64>(), 60);
        }
    }
}

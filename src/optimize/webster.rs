//! Cycle and splits after Webster, for stages whose groups overlap.

use super::frame::{Bound, Frame, Need};
use super::why::Why;
use crate::time::Span;

/// What cycles are allowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cycles {
    /// The shortest.
    pub min: Span,
    /// The longest, unless minimum greens and intergreens ask for more.
    pub max: Span,
    /// Shares are multiples of this.
    pub grid: Span,
}

impl Default for Cycles {
    fn default() -> Self {
        Self { min: Span::from_s(30), max: Span::from_s(140), grid: Span::SECOND }
    }
}

/// What cannot be saved however green is shared out: the chain of needs that fills the cycle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Critical {
    /// Time in each cycle in which nobody on the chain discharges, seconds.
    pub lost: f64,
    /// Σ demand ÷ saturation flow along the chain.
    pub flow_ratio: f64,
}

/// Webster's cycle `(1.5 L + 5) / (1 − Y)`, seconds; `None` where the flow ratio leaves no room for any.
pub fn cycle(lost: f64, flow_ratio: f64) -> Option<f64> {
    (flow_ratio < 1.0).then(|| (1.5 * lost + 5.0) / (1.0 - flow_ratio))
}

/// The critical chain: around the cycle once, the needs and minimum shares that follow upon each other and together
/// take the longest. A need that moves in several stages spans them all.
///
/// Links of the chain are compared in a cycle of 90 s; the chain itself hardly depends on it.
pub fn critical(frame: &Frame) -> Critical {
    const REFERENCE_S: f64 = 90.0;
    let n = frame.stages.len();
    // (first position, length, lost, flow ratio)
    let mut spans: Vec<(usize, usize, f64, f64)> =
        frame.floors.iter().map(|floor| (floor.first, floor.len, floor.span.s(), 0.0)).collect();
    spans.extend(frame.needs.iter().filter_map(|need| chain_link(need, n)));
    let mut best = Critical { lost: 0.0, flow_ratio: 0.0 };
    let takes = |c: &Critical| c.lost + c.flow_ratio * REFERENCE_S;
    for start in 0..n {
        let mut reached: Vec<Critical> = vec![Critical { lost: 0.0, flow_ratio: 0.0 }; n + 1];
        for at in 0..n {
            let from = reached[at];
            if takes(&reached[at + 1]) < takes(&from) {
                reached[at + 1] = from;
            }
            for &(first, len, lost, ratio) in &spans {
                if first != (start + at) % n || at + len > n {
                    continue;
                }
                let to = Critical { lost: from.lost + lost, flow_ratio: from.flow_ratio + ratio };
                if takes(&to) > takes(&reached[at + len]) {
                    reached[at + len] = to;
                }
            }
        }
        if takes(&reached[n]) > takes(&best) {
            best = reached[n];
        }
    }
    best
}

/// A need's one run of stages, if it has just one; where its weight varies, the best stage counts.
fn chain_link(need: &Need, n: usize) -> Option<(usize, usize, f64, f64)> {
    let moves = |k: usize| need.weight[k % n] > 0.0;
    let mut starts = (0..n).filter(|&k| moves(k) && !moves(k + n - 1));
    let (Some(first), None) = (starts.next(), starts.next()) else { return None };
    let len = (0..n).take_while(|&k| moves(first + k)).count();
    let last = (first + len - 1) % n;
    let best = need.weight.iter().copied().fold(0.0, f64::max);
    Some((first, len, need.lag[first] - need.tail[last], need.ratio / best))
}

/// Shares as they grow, one grid step at a time: each step goes to the stage that helps the most saturated lane. For
/// stages that do not overlap this is Webster's split `g = y/Y · (C − L)`, kept within every limit.
#[derive(Debug, Clone)]
pub struct Growth<'f> {
    frame: &'f Frame,
    grid: Span,
    shares: Vec<Span>,
    cycle: Span,
    effective: Vec<f64>,
}

impl<'f> Growth<'f> {
    /// The shortest shares that `frame` allows.
    pub fn new(frame: &'f Frame, grid: Span) -> Self {
        let mut shares = vec![grid; frame.stages.len()];
        // The bounds on few shares first: they often satisfy those on many.
        let most = frame.floors.iter().map(|floor| floor.len).max().unwrap_or(0);
        for floor in (1..=most).flat_map(|len| frame.floors.iter().filter(move |floor| floor.len == len)) {
            let missing = (floor.span - floor.sum(&shares)).max(Span::ZERO).ceil(grid);
            let last = (floor.first + floor.len - 1) % shares.len();
            shares[last] += missing;
        }
        Self::at(frame, shares, grid)
    }

    /// These shares as they are.
    pub fn at(frame: &'f Frame, shares: Vec<Span>, grid: Span) -> Self {
        let cycle = shares.iter().copied().sum();
        let effective = frame.needs.iter().map(|need| need.effective(&shares)).collect();
        Self { frame, grid, shares, cycle, effective }
    }

    /// The present cycle.
    pub fn cycle(&self) -> Span {
        self.cycle
    }

    /// The present shares.
    pub fn shares(&self) -> &[Span] {
        &self.shares
    }

    /// Makes the cycle one step longer; false where no limit lets it.
    pub fn step(&mut self) -> bool {
        let n = self.shares.len();
        let open: Vec<bool> = (0..n).map(|k| self.may_grow(k)).collect();
        let Some(position) = self.neediest(&open) else { return false };
        self.shares[position] += self.grid;
        self.cycle += self.grid;
        for (need, effective) in self.frame.needs.iter().zip(&mut self.effective) {
            if need.weight[position] > 0.0 {
                *effective = need.effective(&self.shares);
            }
        }
        true
    }

    /// Makes the cycle as long as `cycle`, or as long as the limits let it.
    pub fn grow(&mut self, cycle: Span) {
        while self.cycle + self.grid <= cycle && self.step() {}
    }

    fn may_grow(&self, position: usize) -> bool {
        let n = self.shares.len();
        let ceilings = self.frame.ceilings.iter().filter(|c| c.covers(position, n));
        ceilings.into_iter().all(|c| c.sum(&self.shares) + self.grid <= c.span)
    }

    fn pressure(&self, i: usize) -> f64 {
        self.frame.needs[i].ratio / self.effective[i].max(0.01)
    }

    fn neediest(&self, open: &[bool]) -> Option<usize> {
        let needs = &self.frame.needs;
        let can = |i: &usize| open.iter().zip(&needs[*i].weight).any(|(&open, &w)| open && w > 0.0);
        let worst = (0..needs.len()).filter(can).max_by(|&a, &b| self.pressure(a).total_cmp(&self.pressure(b)));
        let positions = (0..open.len()).filter(|&k| open[k]);
        let Some(worst) = worst else {
            // Nobody asks: all grow alike.
            return positions.min_by_key(|&k| self.shares[k]);
        };
        let others = |k: usize| -> f64 {
            let relief = |i: usize| self.pressure(i) / self.effective[i].max(0.01) * needs[i].weight[k];
            (0..needs.len()).map(relief).sum()
        };
        positions.filter(|&k| needs[worst].weight[k] > 0.0).max_by(|&a, &b| {
            let (wa, wb) = (needs[worst].weight[a], needs[worst].weight[b]);
            wa.total_cmp(&wb).then_with(|| others(a).total_cmp(&others(b))).then(b.cmp(&a))
        })
    }

    /// The greatest degree of saturation.
    pub fn saturation(&self) -> f64 {
        (0..self.frame.needs.len()).map(|i| self.pressure(i) * self.cycle.s()).fold(0.0, f64::max)
    }

    /// Expected delay, vehicle-hours an hour: the part that a steady stream waits, and the part that chance and
    /// overload add.
    pub fn delays(&self) -> (f64, f64) {
        let hours = |need: &Need| need.flow / 3600.0;
        self.frame.needs.iter().zip(&self.effective).fold((0.0, 0.0), |(uniform, random), (need, &green)| {
            let (u, r) = delays(self.cycle.s(), green, need);
            (uniform + u * hours(need), random + r * hours(need))
        })
    }

    /// Expected delay, vehicle-hours an hour.
    pub fn delay(&self) -> f64 {
        let (uniform, random) = self.delays();
        uniform + random
    }

    /// The limits that left no choice: bounds that the shares just meet, and those they cannot keep.
    pub fn reasons(&self) -> Vec<Why> {
        let tight = |floor: &&Bound| floor.sum(&self.shares) < floor.span + self.grid;
        let floors = self.frame.floors.iter().filter(tight).map(|floor| Why::Bound(floor.by));
        let ceilings = self.frame.ceilings.iter().filter_map(|ceiling| {
            let sum = ceiling.sum(&self.shares);
            match sum > ceiling.span {
                true => Some(Why::Broken(ceiling.by)),
                false => (sum + self.grid > ceiling.span).then_some(Why::Bound(ceiling.by)),
            }
        });
        let mut reasons: Vec<Why> = floors.chain(ceilings).collect();
        let saturation = self.saturation();
        if saturation > 1.0 {
            reasons.push(Why::Overloaded { saturation });
        }
        reasons.extend(self.frame.unserved.iter().map(Why::Unserved));
        reasons
    }
}

/// Mean delay, s/veh, in a cycle of `cycle` seconds with `green` effective seconds: uniform, and incremental over a
/// quarter of an hour. Source: HCM, d1 and d2 with k = 0.5, I = 1.
fn delays(cycle: f64, green: f64, need: &Need) -> (f64, f64) {
    const QUARTER_H: f64 = 0.25;
    let share = (green / cycle).clamp(1e-3, 1.0);
    let x = need.ratio / share;
    let capacity = need.flow / x.max(1e-9);
    let uniform = 0.5 * cycle * (1.0 - share).powi(2) / (1.0 - x.min(1.0) * share).max(1e-9);
    let over = x - 1.0;
    (uniform, 900.0 * QUARTER_H * (over + (over * over + 4.0 * x / (capacity * QUARTER_H)).sqrt()))
}

/// Webster's cycle within what is allowed, and why it is not Webster's own.
pub fn wanted(frame: &Frame, cycles: Cycles) -> (Span, Vec<Why>) {
    let critical = critical(frame);
    let (min, max) = (cycles.min.ceil(cycles.grid), cycles.max.floor(cycles.grid));
    match cycle(critical.lost, critical.flow_ratio) {
        Some(s) if s <= max.s() => {
            let free = Span::nearest(s).ceil(cycles.grid);
            let why = if free < min { vec![Why::Clamped { wanted: free, cycle: min }] } else { Vec::new() };
            (free.max(min), why)
        }
        _ => (max, vec![Why::Saturated { flow_ratio: critical.flow_ratio, cycle: max }]),
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::Manner;
    use super::super::load::Load;
    use super::super::testing::{self, Star};
    use super::super::why::By;
    use super::*;
    use crate::ids::{GroupId, Id, JunctionId, StageId};

    /// Shares in seconds and the reasons, alone, for these stages in this order.
    fn timed(star: &Star<'_>, flows: &[f64], order: &[usize], cycles: Cycles) -> (Vec<i64>, Vec<Why>) {
        let network = star.network();
        let (demand, saturation) = (testing::flows(&network, flows), testing::saturation(&network));
        let id = JunctionId::of(0);
        let load = Load::new(&network, id, &|movement| demand[movement], &|lane| saturation[lane]);
        let stages: Vec<StageId> = order.iter().map(|&s| StageId::of(s)).collect();
        let frame = Frame::new(network.junction(id), &stages, &load, Manner::default());
        let mut growth = Growth::new(&frame, cycles.grid);
        let (cycle, mut why) = wanted(&frame, cycles);
        growth.grow(cycle);
        why.extend(growth.reasons());
        (growth.shares().iter().map(|share| share.ms() / 1000).collect(), why)
    }

    #[test]
    fn the_cycle_is_webster_s() {
        // (L s, Y, C0 s): the textbook's first rows; the last has no cycle.
        for (lost, ratio, expected) in
            [(10.0, 0.7, Some(66.67)), (12.0, 0.5, Some(46.0)), (8.0, 0.85, Some(113.33)), (10.0, 1.0, None)]
        {
            match (cycle(lost, ratio), expected) {
                (Some(c), Some(e)) => assert!((c - e).abs() < 0.01, "{lost} {ratio}: {c}"),
                (c, e) => assert_eq!(c, e),
            }
        }
    }

    #[test]
    fn splits_follow_the_flow_ratios() {
        // Two streets of one lane, 1 800 veh/h; each change is 3 s of yellow and 2 s of all-red. y = 0.4 and 0.3: L = 10,
        // Y = 0.7, C0 = 66.7 → 67 s; 57 s of green as 4 : 3 is 32.6 and 24.4, each with its change of 5 s.
        let star = Star { lanes: &[1, 1], conflicts: &[(0, 1)], stages: &[&[0], &[1]], ..Star::PLAIN };
        let (shares, why) = timed(&star, &[720.0, 540.0], &[0, 1], Cycles::default());
        assert!(shares == [38, 29] || shares == [37, 30], "{shares:?}");
        assert_eq!(why, []);
        // Three lanes carry three times as much with the same green.
        let wide = Star { lanes: &[3, 1], ..star };
        assert_eq!(timed(&wide, &[2160.0, 540.0], &[0, 1], Cycles::default()).0, shares);
    }

    #[test]
    fn a_group_green_in_two_stages_needs_them_together() {
        // Streams 0 and 1 start together, 1 goes on beside 2, then 3 alone. y = 0.1, 0.45, 0.2, 0.2: the chain is not
        // 0, 2, 3 with 0.5 but 1, 3 with 0.65. Stage 1 only has to carry 2 (0.2) and the rest of 1.
        let star = Star {
            lanes: &[1, 1, 1, 1],
            conflicts: &[(0, 2), (0, 3), (1, 3), (2, 3)],
            stages: &[&[0, 1], &[1, 2], &[3]],
            ..Star::PLAIN
        };
        let flows = [180.0, 810.0, 360.0, 360.0];
        let (shares, _) = timed(&star, &flows, &[0, 1, 2], Cycles::default());
        // L = 10, Y = 0.65: C0 = 20 ÷ 0.35 = 57.1 → 58 s. Of 48 s, stream 1 has 33.2 and stream 3 14.8.
        assert_eq!(shares.iter().sum::<i64>(), 58);
        assert!((shares[0] + shares[1] - 38).abs() <= 1 && (shares[2] - 20).abs() <= 1, "{shares:?}");
    }

    #[test]
    fn an_exploding_cycle_is_clamped_and_says_so() {
        let star = Star { lanes: &[1, 1], conflicts: &[(0, 1)], stages: &[&[0], &[1]], ..Star::PLAIN };
        // (veh/h twice, Y): near 1, at 1, beyond.
        for (flow, ratio) in [(864.0, 0.96), (900.0, 1.0), (1080.0, 1.2)] {
            let (shares, why) = timed(&star, &[flow, flow], &[0, 1], Cycles::default());
            assert_eq!(shares, [70, 70]);
            assert!(
                matches!(why[0], Why::Saturated { flow_ratio, cycle }
                    if (flow_ratio - ratio).abs() < 1e-9 && cycle == Span::from_s(140)),
                "{why:?}"
            );
            // 130 of 140 s are green: X = Y × 140 ÷ 130.
            assert!(matches!(why[1], Why::Overloaded { saturation } if (saturation - ratio * 1.0769).abs() < 1e-3));
        }
    }

    #[test]
    fn limits_bound_the_shares_and_are_named() {
        // A trickle on the side street gets its minimum green of 5 s. To the main street all 10 s of that share are lost,
        // besides its own change: L = 15, Y = 1/3, C0 = 27.5 ÷ (2/3) = 41.25 → 42 s.
        let star = Star { lanes: &[1, 1], conflicts: &[(0, 1)], stages: &[&[0], &[1]], ..Star::PLAIN };
        let (shares, why) = timed(&star, &[600.0, 10.0], &[0, 1], Cycles::default());
        assert_eq!(shares, [32, 10]);
        assert!(why.contains(&Why::Bound(By::MinGreen(GroupId::of(1)))), "{why:?}");
        // A maximum red of 40 s lets the main street have 35 s of share: 40 s less the change into the side street.
        let impatient = Star { max_red_s: 40.0, ..star };
        let cycles = Cycles { min: Span::from_s(90), ..Cycles::default() };
        let (shares, why) = timed(&impatient, &[1200.0, 60.0], &[0, 1], cycles);
        assert_eq!(shares, [35, 35]);
        assert!(why.contains(&Why::Bound(By::MaxRed(GroupId::of(1)))), "{why:?}");
    }

    #[test]
    fn what_is_owed_over_a_short_stage_makes_it_longer() {
        // Stream 0 owes 14 s to stream 2, and stage 1 lies between. Stage 1's own change takes 5 s, 2's another 5: with a
        // minimum green of 2 s, stage 1 must still last 9 s.
        let star = Star {
            lanes: &[1, 1, 1],
            conflicts: &[(0, 1), (1, 2), (0, 2)],
            stages: &[&[0], &[1], &[2]],
            intergreens: &[(0, 2, 14.0)],
            min_green_s: 2.0,
            ..Star::PLAIN
        };
        let cycles = Cycles { min: Span::from_s(5), ..Cycles::default() };
        let (shares, why) = timed(&star, &[0.0, 0.0, 0.0], &[0, 1, 2], cycles);
        assert!(shares[1] >= 9, "{shares:?}");
        let by = By::Intergreen(GroupId::of(0), GroupId::of(2));
        assert!(shares[1] > 9 || why.contains(&Why::Bound(by)), "{why:?}");
    }
}

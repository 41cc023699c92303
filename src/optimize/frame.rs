//! What a sequence of stages demands, whatever its shares: bounds on them, and what each lane gets out of them.

use super::load::{LaneLoad, Load};
use super::why::By;
use crate::ids::{GroupId, GroupSet, LinkId, MovementId, StageId};
use crate::network::{Conflict, GroupKind, Junction};
use crate::time::Span;
use crate::units::Seconds;

/// What drivers lose and win at the ends of a green.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Manner {
    /// From the first green to a discharge at saturation flow. Source: HCM, about 2 s.
    pub start_up_lost: Seconds,
    /// The part of yellow that still discharges. Source: HCM, about 2 s.
    pub yellow_used: Seconds,
}

impl Default for Manner {
    fn default() -> Self {
        Self { start_up_lost: Seconds::constant(2.0), yellow_used: Seconds::constant(2.0) }
    }
}

/// A cyclic sequence of stages and what it asks of their shares.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The stages in order.
    pub stages: Vec<StageId>,
    /// Sums of shares that may not be shorter. They can always be met: shares only have to grow.
    pub floors: Vec<Bound>,
    /// Sums of shares that may not be longer, unless a floor asks for it.
    pub ceilings: Vec<Bound>,
    /// The lanes in use; those of one link that always move together are one need.
    pub needs: Vec<Need>,
    /// Groups with demand that none of the stages serves.
    pub unserved: GroupSet,
}

/// A bound on the sum of consecutive shares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// The position of the first share.
    pub first: usize,
    /// How many shares; they go on at position 0 after the last.
    pub len: usize,
    /// The sum's bound.
    pub span: Span,
    /// Whose limit it is.
    pub by: By,
}

impl Bound {
    /// Whether the share at `position` of `n` counts.
    pub fn covers(&self, position: usize, n: usize) -> bool {
        (position + n - self.first) % n < self.len
    }

    /// The sum of the shares that count.
    pub fn sum(&self, shares: &[Span]) -> Span {
        shares.iter().cycle().skip(self.first).take(self.len).copied().sum()
    }
}

/// Lanes of one link that always move together.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// The link.
    pub link: LinkId,
    /// Their movements and the demand of each, veh/h.
    pub parts: Vec<(MovementId, f64)>,
    /// Their demand, veh/h.
    pub flow: f64,
    /// What they discharge, veh/h of green.
    pub saturation: f64,
    /// The fullest lane's demand ÷ saturation flow.
    pub ratio: f64,
    /// For each position the share of saturation flow that is discharged: less than 1 where they give way, or where
    /// some of their vehicles have red and block the others.
    pub weight: Vec<f64>,
    /// For each position the seconds from its beginning until they discharge.
    pub lag: Vec<f64>,
    /// For each position the seconds they go on after its end.
    pub tail: Vec<f64>,
}

impl Need {
    /// Effective green in a cycle of these shares, seconds at full saturation flow.
    pub fn effective(&self, shares: &[Span]) -> f64 {
        let of = |k: usize| self.weight[k] * (shares[k].s() - self.lag[k] + self.tail[k]).max(0.0);
        (0..shares.len()).map(of).sum()
    }
}

impl Frame {
    /// What `stages`, run in this order again and again, ask for at `junction`.
    pub fn new(junction: &Junction, stages: &[StageId], load: &Load, manner: Manner) -> Self {
        let sets: Vec<GroupSet> = stages.iter().map(|&stage| junction.stages[stage].groups).collect();
        let served = sets.iter().fold(GroupSet::EMPTY, |all, &set| all.union(set));
        let asked = load.groups.iter().filter(|(_, flow)| flow.get() > 0.0).map(|(group, _)| group);
        let unserved = asked.collect::<GroupSet>().difference(served);
        let mut frame =
            Self { stages: stages.to_vec(), floors: Vec::new(), ceilings: Vec::new(), needs: Vec::new(), unserved };
        frame.bound(junction, &sets, served);
        for lane in &load.lanes {
            frame.add(junction, &sets, lane, load, manner);
        }
        frame
    }

    fn bound(&mut self, junction: &Junction, sets: &[GroupSet], served: GroupSet) {
        let n = sets.len();
        for k in 0..n {
            let (before, now, stage) = (sets[(k + n - 1) % n], sets[k], self.stages[k]);
            let starting = if n == 1 { GroupSet::EMPTY } else { now.difference(before) };
            let lags = starting.iter().map(|group| lag(junction, before.difference(now), group));
            let (shortest, longest) = lags.fold((None, Span::ZERO), |(low, high): (Option<Span>, _), lag| {
                (Some(low.map_or(lag, |low| low.min(lag))), high.max(lag))
            });
            let shown = longest + Span::SECOND;
            self.floors.push(Bound { first: k, len: 1, span: shown, by: By::Shown(stage) });
            if let Some(max) = junction.stages[stage].max_green.filter(|_| n > 1) {
                let span = max + shortest.unwrap_or(Span::ZERO);
                self.ceilings.push(Bound { first: k, len: 1, span, by: By::MaxGreen(stage) });
            }
            for group in starting.iter() {
                let lag = lag(junction, before.difference(now), group);
                let run = (1..n).take_while(|&len| sets[(k + len) % n].contains(group)).count() + 1;
                let span = junction.groups[group].min_green.span + lag;
                self.floors.push(Bound { first: k, len: run, span, by: By::MinGreen(group) });
                let red = (1..=n).take_while(|&len| !sets[(k + n - len) % n].contains(group)).count();
                let span = junction.groups[group].max_red.span - lag;
                self.ceilings.push(Bound { first: (k + n - red) % n, len: red, span, by: By::MaxRed(group) });
                self.owed_from_before(junction, sets, k, group, lag, served);
            }
        }
    }

    /// What is owed to `group`, which turns green at position `k`, by groups that ended before the stage before.
    fn owed_from_before(
        &mut self,
        junction: &Junction,
        sets: &[GroupSet],
        k: usize,
        group: GroupId,
        lag: Span,
        served: GroupSet,
    ) {
        let n = sets.len();
        for other in served.iter().filter(|&other| other == group || junction.never_together(other, group)) {
            let intergreen = junction.intergreen(other, group).span;
            // It is red in the last `red` stages, of which the first is the one whose change ended it.
            let red = (1..n).take_while(|&len| !sets[(k + n - len) % n].contains(other)).count();
            if red > 0 && intergreen > lag {
                let by = By::Intergreen(other, group);
                self.floors.push(Bound { first: (k + n - red) % n, len: red, span: intergreen - lag, by });
            }
        }
    }

    fn add(&mut self, junction: &Junction, sets: &[GroupSet], lane: &LaneLoad, load: &Load, manner: Manner) {
        let n = sets.len();
        let weight: Vec<f64> = sets.iter().map(|&set| weight(junction, set, lane, load)).collect();
        if weight.iter().all(|&w| w <= 0.0) {
            return;
        }
        let moves = |k: usize| weight[k % n] > 0.0;
        let lag = |k: usize| {
            if !moves(k) || moves(k + n - 1) {
                return 0.0;
            }
            let (before, now) = (sets[(k + n - 1) % n], sets[k]);
            let groups = lane.parts.iter().filter_map(|part| part.group).filter(|&group| now.contains(group));
            let lag = groups.map(|group| lag(junction, before.difference(now), group)).max();
            lag.unwrap_or(Span::ZERO).s() + manner.start_up_lost.get()
        };
        let lag: Vec<f64> = (0..n).map(lag).collect();
        let tail = |k: usize| if moves(k) && !moves(k + 1) { manner.yellow_used.get() } else { 0.0 };
        let tail: Vec<f64> = (0..n).map(tail).collect();
        let (flow, saturation) = (lane.flow().get(), lane.saturation.get());
        let alike = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3);
        let same = |need: &&mut Need| need.link == lane.link && alike(&need.weight, &weight) && alike(&need.lag, &lag);
        let need = match self.needs.iter_mut().find(same) {
            Some(need) => need,
            None => {
                self.needs.push(Need {
                    link: lane.link,
                    parts: Vec::new(),
                    flow: 0.0,
                    saturation: 0.0,
                    ratio: 0.0,
                    weight,
                    lag,
                    tail,
                });
                self.needs.last_mut().expect("one was just pushed")
            }
        };
        need.flow += flow;
        need.saturation += saturation;
        need.ratio = need.ratio.max(flow / saturation);
        for part in &lane.parts {
            match need.parts.iter_mut().find(|(movement, _)| *movement == part.movement) {
                Some((_, flow)) => *flow += part.flow.get(),
                None => need.parts.push((part.movement, part.flow.get())),
            }
        }
    }
}

/// From the beginning of a change that ends `ending` to the green of `group`.
fn lag(junction: &Junction, ending: GroupSet, group: GroupId) -> Span {
    let owed = |other: GroupId| junction.never_together(other, group).then(|| junction.intergreen(other, group).span);
    ending.iter().filter_map(owed).max().unwrap_or(Span::ZERO)
}

/// The share of its saturation flow that a lane discharges while `green` is green.
///
/// Vehicles follow one another: of a lane in which a share p has green and the rest red, a green of [`QUEUE`] vehicles
/// serves those before the first that has red, Σ pⁱ in the mean.
fn weight(junction: &Junction, green: GroupSet, lane: &LaneLoad, load: &Load) -> f64 {
    let total = lane.flow().get();
    let (mut served, mut headway) = (0.0, 0.0);
    for part in &lane.parts {
        let pace = match part.group {
            None => 1.0,
            Some(group) if green.contains(group) => gap(junction, green, group, load),
            Some(group) if junction.groups[group].turn_on_red => ON_RED,
            Some(_) => continue,
        };
        served += part.flow.get() / total;
        headway += part.flow.get() / total / pace;
    }
    // A lane that only turns on red is not worth a stage of its own; the turn happens anyway.
    if served <= 0.0 {
        return 0.0;
    }
    let before_first: f64 = (1..=QUEUE).map(|i| served.powi(i)).sum::<f64>() / f64::from(QUEUE);
    before_first * served / headway
}

/// The queue that a green is thought to serve.
const QUEUE: i32 = 10;
/// A turn after a stop on red discharges at this share of saturation flow.
const ON_RED: f64 = 0.3;
/// Beside people crossing, turns discharge at this share. Source: HCM's pedestrian factor at moderate volumes.
const BESIDE_WALK: f64 = 0.8;
/// A turn needs a gap this long, and followers this much each, seconds. Source: HCM, permissive left turns.
const GAP_S: f64 = 4.5;
const FOLLOW_UP_S: f64 = 2.5;
/// Opposing traffic comes in this part of the cycle, whatever the splits will be.
const OPPOSING_GREEN: f64 = 0.45;
/// Two turn at the end of each green at least, whatever opposes them.
const SNEAKERS: f64 = 0.08;

/// The share of saturation flow at which `group` finds gaps while `green` is green.
fn gap(junction: &Junction, green: GroupSet, group: GroupId, load: &Load) -> f64 {
    let (mut opposing, mut walk) = (0.0, 1.0);
    for other in green.iter().filter(|&other| junction.conflict(group, other) == Conflict::Yields) {
        match junction.groups[other].kind {
            GroupKind::Vehicle => opposing += load.groups[other].get() / 3600.0 / OPPOSING_GREEN,
            GroupKind::Pedestrian => walk = BESIDE_WALK,
        }
    }
    if opposing <= 1e-9 {
        return walk;
    }
    let capacity = opposing * (-opposing * GAP_S).exp() / -(-opposing * FOLLOW_UP_S).exp_m1();
    walk * (capacity * 2.0).clamp(SNEAKERS, 1.0)
}

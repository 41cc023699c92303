//! Where more are there than one round serves: how long a round would have to be, and the timed plan for it.
//!
//! A schedule looks a minute ahead and serves whoever gains most in it. Where queues do not clear within that minute, what
//! counts is that no green is lost, for every second of it delays all who come until the peak is over: stages in a fixed
//! order, once a round, each as long as its queues need it.

use super::alone::Alone;
use super::base::Options;
use super::frame::Frame;
use super::horizon::Layout;
use super::load::Load;
use super::webster::{Cycles, Growth};
use crate::ids::{JunctionId, LaneId, MovementId, StageId};
use crate::network::{Network, Program};
use crate::time::Span;
use crate::units::VehPerHour;

/// What the change into a stage costs, s: intergreen and start-up, less the yellow that is used. Source: HCM, 4 s, and
/// 2 s more for the pedestrians' clearance that often holds it up.
const LOST_S: f32 = 6.0;
/// The present program is kept unless another saves so much of its delay: it may be in step with its neighbours.
const WORTH_CHANGING: f64 = 0.1;

/// How long a round of `program` takes that serves everybody who is there, s. `need` tells how much green each of the
/// layout's lanes takes for that, s.
pub fn clearing_s(layout: &Layout, program: &Program, mut need: Vec<f32>) -> f32 {
    let mut sum = 0.0;
    for (at, &(stage, _)) in program.splits.iter().enumerate() {
        // A lane that a later stage serves as well waits for that one.
        let last = |lane: usize| program.splits[at + 1..].iter().all(|&(later, _)| !layout.serves(later, lane));
        let due = need.iter().enumerate().filter(|&(lane, _)| layout.serves(stage, lane) && last(lane));
        let green = due.map(|(_, &s)| s).fold(0.0, f32::max);
        for (_, s) in need.iter_mut().enumerate().filter(|&(lane, _)| layout.serves(stage, lane)) {
            *s = (*s - green).max(0.0);
        }
        // One that nobody needs is left out.
        if green > 0.0 {
            sum += green + LOST_S;
        }
    }
    sum
}

/// The timed plan of one junction by itself for `demand`, on `grid`: its `own`, unless another is clearly better. Not yet
/// fitted to what the junction owes its minimum greens. Source: Webster (1958), FHWA Signal Timing Manual.
pub fn timed(
    network: &Network,
    id: JunctionId,
    demand: &impl Fn(MovementId) -> VehPerHour,
    saturation: &impl Fn(LaneId) -> VehPerHour,
    own: &Program,
    grid: Span,
) -> Program {
    let junction = network.junction(id);
    let load = Load::new(network, id, demand, saturation);
    let options = Options { cycles: Cycles { grid, ..Cycles::default() }, ..Options::default() };
    let (stages, shares): (Vec<StageId>, Vec<Span>) = own.splits.iter().copied().unzip();
    let best = Alone::new(junction, &load, &options, Some(&stages));
    let made = best.rung();
    let present = Frame::new(junction, &stages, &load, options.manner);
    let delay = Growth::at(&present, shares, grid).delay();
    if present.unserved.len() <= best.frame.unserved.len() && made.delay > delay * (1.0 - WORTH_CHANGING) {
        return own.clone();
    }
    let splits = best.frame.stages.iter().copied().zip(made.shares).collect();
    Program { name: "demand now".into(), offset: Span::ZERO, splits }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;
    use crate::optimize::testing::Star;

    /// Two approaches that cross, and one that may go with either; one lane each.
    const STAR: Star<'static> =
        Star { lanes: &[1, 1, 1], conflicts: &[(0, 1)], stages: &[&[0, 2], &[1, 2]], intergreens: &[], ..Star::PLAIN };

    fn lane(network: &Network, approach: usize) -> LaneId {
        network.link(network.link_named(&format!("in {approach}")).expect("it is drawn")).lanes.start
    }

    #[test]
    fn a_round_takes_what_its_fullest_lanes_need() {
        let network = STAR.network();
        let id = JunctionId::of(0);
        let layout = Layout::new(&network, id);
        // (green that each approach needs, round without what changes cost, changes), s.
        for (need, expected, changes) in [
            ([0.0, 0.0, 0.0], 0.0, 0),
            ([20.0, 5.0, 0.0], 25.0, 2),
            ([20.0, 0.0, 0.0], 20.0, 1),  // a stage that nobody needs is left out
            ([20.0, 5.0, 24.0], 25.0, 2), // the third has 20 s in the first stage and 4 s in the second
            ([20.0, 5.0, 40.0], 40.0, 2), // and holds that up where it needs more
            ([0.0, 0.0, 30.0], 30.0, 1),
        ] {
            let round = clearing_s(&layout, network.junction(id).base_program(), need.to_vec());
            assert!((round - changes as f32 * LOST_S - expected).abs() < 1e-3, "{round} {expected}");
        }
    }

    #[test]
    fn a_plan_for_the_demand_there_is_is_made_where_it_is_clearly_better() {
        let network = STAR.network();
        let own = network.junction(JunctionId::of(0)).base_program();
        let per_hour = |flow: f64| VehPerHour::new(flow).expect("it is a flow");
        let made = |flows: [f64; 3]| {
            let demand = |movement: MovementId| {
                let from = network.movements()[movement].from;
                (0..3).find(|&i| network.lane(lane(&network, i)).link == from).map_or(0.0, |i| flows[i])
            };
            let saturation = |_| per_hour(1800.0);
            timed(&network, JunctionId::of(0), &|m| per_hour(demand(m)), &saturation, own, Span::SECOND)
        };
        // The even plan of 60 s is what Webster makes of this, nearly: it goes on.
        assert_eq!(&made([600.0, 600.0, 0.0]), own);
        let uneven = made([1000.0, 250.0, 0.0]);
        let [(_, first), (_, second)] = uneven.splits[..] else { panic!("{uneven:?}") };
        assert!(first.s() > 2.0 * second.s(), "{uneven:?}");
    }
}

//! Several calls at one junction: who goes first, so that the weighted lateness of all is least.

use crate::corridor::preempt::{Preemption, stages};
use crate::event::PriorityClass;
use crate::network::Network;
use crate::time::{Span, Time};

/// From the end of one vehicle's hold to the next one's green, as a rule.
const BETWEEN: Span = Span::from_s(12);
/// So many calls at one junction are put in their best order; further ones go by their time.
const ORDERED_MAX: usize = 5;

/// What one call asks of one junction.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) order: Preemption,
    /// What a second of its lateness costs.
    pub(super) weight: f64,
}

/// What a second of a vehicle's lateness costs against another's, more when it is behind its deadline.
pub(super) fn weight(class: PriorityClass, late: bool) -> f64 {
    let weight = match class {
        PriorityClass::Fire => 4.0,
        PriorityClass::Ambulance => 3.0,
        PriorityClass::Police => 2.0,
        PriorityClass::Transit => 0.1,
    };
    if late { 2.0 * weight } else { weight }
}

/// The asks as orders: of each junction in the order in which it is to serve them, none before the one ahead of it,
/// where the two cannot be served together, has gone.
pub(super) fn arbitrate(network: &Network, mut asks: Vec<Ask>) -> Vec<Preemption> {
    asks.sort_by_key(|ask| (ask.order.junction, ask.order.low, ask.order.call));
    let mut orders = Vec::with_capacity(asks.len());
    for of_one in asks.chunk_by(|a, b| a.order.junction == b.order.junction) {
        let junction = network.junction(of_one[0].order.junction);
        let together = |a: &Ask, b: &Ask| {
            let (all, beside) = (a.order.groups.union(b.order.groups), a.order.beside.union(b.order.beside));
            let both = stages(junction, all, beside);
            both.first().is_some_and(|&s| all.is_subset(junction.stages[s].groups))
        };
        let (first, rest) = of_one.split_at(of_one.len().min(ORDERED_MAX));
        let mut best: (f64, Vec<usize>) = (f64::INFINITY, (0..first.len()).collect());
        permute(&mut (0..first.len()).collect(), 0, &mut |way| {
            let cost = lateness(first, way, &together);
            if cost < best.0 - 1e-9 {
                best = (cost, way.to_vec());
            }
        });
        let mut before: Option<(&Ask, Time)> = None;
        for ask in best.1.iter().map(|&row| &first[row]).chain(rest) {
            let late = lateness_after(before, ask, &together);
            let mut order = ask.order.clone();
            if late > Span::ZERO {
                order.from = order.from.max(order.low + late);
                order.low += late;
                order.high += late;
                order.until += late;
            }
            before = Some((ask, order.high));
            orders.push(order);
        }
    }
    orders
}

/// How much later than it could be an ask is served if it comes after another one that is gone by then.
fn lateness_after(before: Option<(&Ask, Time)>, ask: &Ask, together: &impl Fn(&Ask, &Ask) -> bool) -> Span {
    let apart = before.filter(|(other, _)| !together(other, ask));
    apart.map_or(Span::ZERO, |(_, gone)| (gone + BETWEEN - ask.order.low).max(Span::ZERO))
}

/// What serving asks in this order costs.
fn lateness(asks: &[Ask], way: &[usize], together: &impl Fn(&Ask, &Ask) -> bool) -> f64 {
    let mut cost = 0.0;
    let mut before: Option<(&Ask, Time)> = None;
    for &row in way {
        let ask = &asks[row];
        let late = lateness_after(before, ask, together);
        cost += ask.weight * late.s();
        before = Some((ask, ask.order.high + late));
    }
    cost
}

/// Every order of `way[fixed..]`, the given one first.
fn permute(way: &mut Vec<usize>, fixed: usize, tell: &mut impl FnMut(&[usize])) {
    if fixed + 1 >= way.len() {
        return tell(way);
    }
    for row in fixed..way.len() {
        way.swap(fixed, row);
        permute(way, fixed + 1, tell);
        way.swap(fixed, row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{GroupSet, Id, JunctionId};
    use crate::plan::fixture::{Site, at, g};

    fn network() -> Network {
        Site::new()
            .group(5.0, 3.0, 2.0)
            .group(5.0, 3.0, 2.0)
            .group(5.0, 3.0, 2.0)
            .never(0, 1)
            .never(1, 2)
            .stage(&[0, 2])
            .stage(&[1])
            .program(0.0, &[(0, 30.0), (1, 30.0)])
            .network()
    }

    fn ask(call: u32, group: usize, low: f64, class: PriorityClass) -> Ask {
        let groups = GroupSet::EMPTY.with(g(group));
        let (from, until) = (at(low - 5.0), at(low + 20.0));
        let beside = GroupSet::EMPTY;
        let order = Preemption {
            junction: JunctionId::of(0),
            call,
            groups,
            beside,
            from,
            low: at(low),
            high: at(low + 6.0),
            until,
        };
        Ask { order, weight: weight(class, false) }
    }

    #[test]
    fn who_crosses_waits_and_who_follows_does_not() {
        use PriorityClass::{Ambulance, Fire};
        let network = network();
        let served = |asks: Vec<Ask>| {
            let orders = arbitrate(&network, asks);
            orders.iter().map(|o| (o.call, o.from.ms() / 1000)).collect::<Vec<_>>()
        };
        // (asks, who is served from which second): the first one first; a fire engine a little later goes ahead; far
        // apart in time nobody waits; two that one stage serves both go.
        for (asks, expected) in [
            (vec![ask(1, 0, 30.0, Ambulance), ask(2, 1, 32.0, Ambulance)], vec![(1, 25), (2, 48)]),
            (vec![ask(1, 0, 30.0, Ambulance), ask(2, 1, 31.0, Fire)], vec![(2, 26), (1, 49)]),
            (vec![ask(1, 0, 30.0, Ambulance), ask(2, 1, 90.0, Fire)], vec![(1, 25), (2, 85)]),
            (vec![ask(1, 0, 30.0, Ambulance), ask(2, 2, 31.0, Ambulance)], vec![(1, 25), (2, 26)]),
        ] {
            assert_eq!(served(asks), expected);
        }
    }
}

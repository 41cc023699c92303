//! Any present of a crossroads, to test on.

use proptest::prelude::*;

use super::parting::Held;
use super::{Layout, Situation};
use crate::ids::{GroupId, Id, StageId};
use crate::time::{Span, Time};

prop_compose! {
    /// Any present of the crossroads.
    pub(super) fn present(layout: fn() -> Layout)(
        stage in 0..8_usize,
        rows in prop::collection::vec((0..12_usize, prop::collection::vec(-1.0..90.0_f32, 0..30)), 0..12),
        claims in prop::collection::vec((0..8_usize, 0.0..3.0_f32, prop_oneof![Just(f32::INFINITY), -5.0..90.0_f32]), 0..4),
        rooms in prop::collection::vec(prop_oneof![Just(f32::INFINITY), 0.0..40.0_f32], 4),
        walkers in prop_oneof![Just(0.0), 0.1..5.0_f32],
        held in prop::collection::vec((0..400_usize, 0..12_u16, 0.0..20.0_f32), 0..3),
        parts in any::<bool>(),
    ) -> Situation {
        let mut it = Situation::empty(&layout(), Time::from_s(1000), Span::SECOND, StageId::of(stage));
        for (lane, mut arrivals) in rows {
            arrivals.sort_by(f32::total_cmp);
            let vehicles: Vec<_> = arrivals.into_iter().map(|at| (at, 0)).collect();
            it.row(lane, 1.0, 2.0, 1.0, &vehicles);
        }
        claims.into_iter().for_each(|(group, people, deadline)| it.claim(GroupId::of(group), people, deadline));
        rooms.into_iter().enumerate().for_each(|(exit, room)| it.limit_exit(exit, room));
        it.walkers.fill(walkers);
        for (vehicle, stream, after) in held {
            if let (Some(held), Some(by)) = (it.held.get_mut(vehicle), it.streams.get(usize::from(stream)))
                && by.len > 0 && parts
            {
                *held = Held { stream, row: by.len - 1, after };
                it.parted = true;
            }
        }
        it
    }
}

//! In which order lanes are moved: whoever drives on into a lane finds room there only once that one has been moved.

use crate::ids::{ConnectionId, LaneId, Table, span};
use crate::network::Network;

/// The lanes in an order in which, without signals between, downstream comes first; rings are cut anywhere.
pub(super) fn downstream_first(network: &Network, lanes: &std::ops::Range<LaneId>) -> Vec<LaneId> {
    let mut done: Table<LaneId, bool> = Table::over(lanes, false);
    let mut order = Vec::with_capacity(done.len());
    for start in span(lanes) {
        let mut stack = vec![(start, false)];
        while let Some((lane, expanded)) = stack.pop() {
            if expanded {
                order.push(lane);
                continue;
            }
            let Some(mark) = done.get_mut(lane) else { continue };
            if std::mem::replace(mark, true) {
                continue;
            }
            stack.push((lane, true));
            let free = |c: &ConnectionId| network.connections()[*c].control.group().is_none();
            stack.extend(span(&network.lane(lane).exits).filter(free).map(|c| (network.connections()[c].to, false)));
        }
    }
    order
}

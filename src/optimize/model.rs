//! An area's lamps and roads as profiles see them.

use super::alone::Rung;
use super::feeders::Feeder;
use super::frame::{Frame, Need};
use super::profile::{Model, Stream, Way};
use crate::ids::{JunctionId, LinkId, MovementId, Table};
use crate::time::Span;
use crate::units::VehPerHour;

/// One junction of an area with its shares.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The junction.
    pub id: JunctionId,
    /// Its stages.
    pub frame: &'a Frame,
    /// Its shares.
    pub rung: &'a Rung,
    /// How often it runs in the area's cycle.
    pub runs: u8,
}

/// The model of an area whose cycle has `bins` bins of `bin_s` seconds. `parts` are in the order of their ids.
pub fn build(
    parts: &[Part<'_>],
    bins: usize,
    bin_s: f64,
    feeders: &Table<JunctionId, Vec<Feeder>>,
    demand: &Table<MovementId, VehPerHour>,
) -> Model {
    let mut model = Model { bins, bin_s, streams: Vec::new(), ways: Vec::new() };
    let local = |id: JunctionId| parts.binary_search_by_key(&id, |part| part.id).ok();
    // Each movement's streams with the share of its own that each brings.
    let mut sent: Vec<Vec<(MovementId, usize, f64)>> = vec![Vec::new(); parts.len()];
    let mut links: Vec<Vec<(LinkId, usize)>> = vec![Vec::new(); parts.len()];
    for (junction, part) in parts.iter().enumerate() {
        for need in &part.frame.needs {
            let stream = model.streams.len();
            let flow = (need.flow / 3600.0 * bin_s) as f32;
            let capacity = capacity(need, &part.rung.shares, bins, bin_s, part.runs);
            model.streams.push(Stream { junction, flow, capacity, way: None });
            links[junction].push((need.link, stream));
            for &(movement, flow) in &need.parts {
                sent[junction].push((movement, stream, flow / need.flow));
            }
        }
    }
    for (to, part) in parts.iter().enumerate() {
        let feeders = &feeders[part.id];
        let mut approaches: Vec<LinkId> = links[to].iter().map(|&(link, _)| link).collect();
        approaches.sort_unstable();
        approaches.dedup();
        for link in approaches {
            let here = || feeders.iter().filter(|feeder| feeder.link == link);
            let brought = |id: JunctionId| -> f64 { here().filter(|f| f.from == id).map(|f| f.flow).sum() };
            let inside = here().filter_map(|f| local(f.from).map(|at| (f.from, at)));
            let main = inside.max_by(|a, b| brought(a.0).total_cmp(&brought(b.0)).then(b.0.cmp(&a.0)));
            let Some((id, from)) = main else { continue };
            let mut feeds: Vec<(usize, f32, f64)> = Vec::new();
            for feeder in here().filter(|feeder| feeder.from == id) {
                let share = feeder.flow / demand[feeder.movement].get();
                for &(_, stream, part) in sent[from].iter().filter(|sent| sent.0 == feeder.movement) {
                    feeds.push((stream, (part * share) as f32, feeder.travel / bin_s));
                }
            }
            feeds.sort_by(|a, b| a.2.total_cmp(&b.2).then(a.0.cmp(&b.0)));
            let streams: Vec<usize> = links[to].iter().filter(|&&(l, _)| l == link).map(|&(_, s)| s).collect();
            let flow = streams.iter().map(|&stream| model.streams[stream].flow).sum();
            for &stream in &streams {
                model.streams[stream].way = Some(model.ways.len());
            }
            model.ways.push(Way { from, to, feeds, flow, streams });
        }
    }
    model
}

/// What can leave in each bin of the area's cycle, vehicles.
fn capacity(need: &Need, shares: &[Span], bins: usize, bin_s: f64, runs: u8) -> Vec<f32> {
    let mut capacity = vec![0.0f32; bins];
    let cycle: f64 = shares.iter().map(|share| share.s()).sum();
    for run in 0..runs {
        let mut begins = f64::from(run) * cycle;
        for (k, share) in shares.iter().enumerate() {
            let rate = need.weight[k] * need.saturation / 3600.0 * bin_s;
            let (from, to) = (begins + need.lag[k], begins + share.s() + need.tail[k]);
            begins += share.s();
            if rate > 0.0 {
                fill(&mut capacity, from / bin_s, to / bin_s, rate);
            }
        }
    }
    capacity
}

/// Adds `rate` to every bin from `from` to `to` (bins, the cycle's end passed over), in part where it covers a part.
fn fill(profile: &mut [f32], from: f64, to: f64, rate: f64) {
    let mut at = from;
    while at < to - 1e-9 {
        let bin = (at + 1e-9).floor();
        let until = (bin + 1.0).min(to);
        profile[bin as usize % profile.len()] += ((until - at) * rate) as f32;
        at = until;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_green_across_the_end_of_the_cycle_goes_on_at_its_beginning() {
        let mut profile = vec![0.0; 5];
        fill(&mut profile, 3.5, 6.25, 1.0);
        assert_eq!(profile, [1.0, 0.25, 0.0, 0.5, 1.0]);
    }
}

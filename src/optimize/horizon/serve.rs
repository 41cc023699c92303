//! The discharge model: who crosses when while a stage runs. Crossing c = max(arrival, last crossing + headway, green +
//! start-up); a vehicle that must give way waits for a gap, or leaves when the light turns yellow; who turns waits for
//! those who walk, and may go on red where that is allowed; the n-th into an exit waits for room.

use super::layout::Layout;
use super::parting::Held;
use super::situation::{Situation, Stream};
use crate::ids::{GroupId, Id};

/// Of a yellow, drivers still use this much, s. Source: HCM, extension of effective green, less what is not seen used.
pub(super) const YELLOW_USED_S: f32 = 1.0;
/// A vehicle that gives way needs this long a gap before the next one crosses, s. Source: HCM, critical headway 4.1–4.5 s;
/// a little more, because those who come are known less well than a driver sees them.
const GAP_S: f32 = 5.0;
/// And goes this long after the last one did, s.
const AFTER_S: f32 = 1.0;
/// Who may go on red stops first, and looks, s.
const STOP_S: f32 = 5.0;
/// And the next stops at the line and looks as well: so many headways later than on green. Source: HCM, a stop-controlled
/// right turn's follow-up of 3.3 s and a little more.
const ON_RED: f32 = 1.3;
/// What the first and the second starter of a queue lose by accelerating, s.
const LOST_S: [f32; 2] = [2.8, 1.4];
/// A full exit takes up vehicles at this rate as its queue moves, veh/s.
const DRAIN: f32 = 0.25;

/// How far each stream and exit has come.
#[derive(Debug)]
pub(super) struct Run<'a> {
    /// By stream: the next vehicle.
    pub(super) next: &'a mut [u8],
    /// By stream: the earliest it can cross.
    pub(super) ready: &'a mut [f32],
    /// By exit: vehicles that entered it.
    pub(super) taken: &'a mut [f32],
}

/// A stretch of one stage.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window<'a> {
    /// The stage.
    pub(super) stage: usize,
    /// By group: from when it may be passed; infinite while it is red.
    pub(super) open: &'a [f32],
    /// The last instant of the stretch.
    pub(super) until: f32,
    /// Whether queues start in it.
    pub(super) starts: bool,
    /// Whether the stage ends with it, in yellow.
    pub(super) ends: bool,
}

/// Serves one stream; what is gained against serving nobody before the horizon, vehicle-seconds. Calls `note` with each
/// crossing and the turn it takes.
#[inline]
pub(super) fn stream(
    layout: &Layout,
    situation: &Situation,
    at: usize,
    window: &Window<'_>,
    run: &mut Run<'_>,
    mut note: impl FnMut(f32, usize),
) -> f32 {
    let Stream { lane, first, len, weight, headway, startup, extra, steady, .. } = situation.streams[at];
    let turns = layout.lanes[usize::from(lane)].turns.start;
    let (green, served) =
        (layout.green(window.stage, usize::from(lane)), layout.served(window.stage, usize::from(lane)));
    let (mut next, mut ready, mut gain) = (run.next[at], run.ready[at], 0.0);
    while next < len {
        let vehicle = first as usize + usize::from(next);
        let way = situation.ways[vehicle];
        if served >> way & 1 == 0 {
            break;
        }
        let turn = turns + usize::from(way);
        let row = &layout.turns[turn];
        let open = window.open[usize::from(row.gate)];
        let arrival = comes(situation, vehicle, run);
        if arrival == f32::INFINITY {
            break;
        }
        let red = green >> way & 1 == 0;
        let mut crosses = arrival.max(ready);
        let mut sneaks = false;
        if red {
            crosses = (arrival + STOP_S).max(ready + ON_RED * headway);
        } else {
            if crosses < open + startup {
                crosses = if arrival < open { open + startup } else { crosses.max(open) };
            }
            crosses = walked(layout, situation, turn, window, crosses);
            if !row.foes.is_empty() {
                let waits = crosses;
                crosses = gap(layout, situation, turn, window, run, crosses);
                // Who stands in the junction when the light turns yellow leaves it.
                sneaks = window.ends && waits <= window.until && crosses > window.until;
                if sneaks {
                    crosses = window.until;
                }
            }
        }
        let exit = usize::from(row.exit);
        let room = situation.room[exit];
        if room < 1e3 {
            crosses = crosses.max((run.taken[exit] + 1.0 - room) / DRAIN);
        }
        if crosses > window.until {
            if crosses > arrival && !red {
                // What held it, the start of green for one, still holds in the stretch that follows.
                ready = ready.max(crosses.min(window.until + startup + headway));
            }
            break;
        }
        if window.starts && !red && arrival < open {
            let after = crosses - open - startup;
            if after < 0.5 * headway {
                gain -= weight * LOST_S[0];
            } else if after < 1.6 * headway + extra {
                gain -= weight * LOST_S[1];
            }
        }
        run.taken[exit] += weight;
        gain += weight * (situation.horizon - crosses);
        ready = crosses + headway;
        if !red && crosses > arrival + 0.5 && crosses < open + steady {
            // The first few of a queue are still picking up speed.
            let left = (steady - (crosses - open)) / (steady - startup).max(1.0);
            ready += extra * left.clamp(0.0, 1.0);
        }
        next += 1;
        note(crosses, turn);
        if sneaks {
            break;
        }
    }
    run.next[at] = next;
    run.ready[at] = ready;
    gain
}

/// From when on nobody walks over a turn's exit of those who wait now.
fn walked(layout: &Layout, situation: &Situation, turn: usize, window: &Window<'_>, from: f32) -> f32 {
    let walks = layout.walks[layout.turns[turn].walks.clone()].iter();
    let groups = layout.stages[window.stage].groups;
    walks
        .filter(|(gate, _)| {
            situation.walkers[usize::from(*gate)] > 0.0 && groups.contains(GroupId::of(usize::from(*gate)))
        })
        .map(|&(gate, past)| window.open[usize::from(gate)] + past)
        .fold(from, f32::max)
}

/// When a vehicle would cross if no lamp held it: as it is on its way, or when whoever stands before it on the lane they
/// share has left that; infinite while that is open.
fn comes(situation: &Situation, vehicle: usize, run: &Run<'_>) -> f32 {
    let (arrival, held) = (situation.arrivals[vehicle], situation.held[vehicle]);
    if held.stream == Held::NOBODY {
        return arrival;
    }
    let by = usize::from(held.stream);
    match run.next[by].checked_sub(held.row + 1) {
        None => f32::INFINITY,
        Some(since) => {
            let last = run.ready[by] - situation.streams[by].headway;
            arrival.max(last - f32::from(since) * situation.streams[by].headway + held.after)
        }
    }
}

/// The first instant from `from` on at which a vehicle that gives way finds a gap among those it gives way to, who
/// have been served up to the end of the window before.
fn gap(layout: &Layout, situation: &Situation, turn: usize, window: &Window<'_>, run: &Run<'_>, from: f32) -> f32 {
    let mut crosses = from;
    for &(lane, which) in &layout.foes[layout.turns[turn].foes.clone()] {
        if layout.green(window.stage, usize::from(lane)) & which == 0 {
            continue;
        }
        for (at, foe) in situation.streams.iter().enumerate().filter(|(_, s)| s.lane == lane) {
            // The last that crossed did so a headway before the next may; the next one crosses when it gets there.
            let last = run.ready[at] - foe.headway;
            crosses = crosses.max(last + AFTER_S);
            if run.next[at] < foe.len {
                let next = comes(situation, foe.first as usize + usize::from(run.next[at]), run).max(run.ready[at]);
                if next < crosses + GAP_S {
                    crosses = crosses.max(next + AFTER_S).max(window.until + 0.1);
                }
            }
        }
    }
    crosses
}

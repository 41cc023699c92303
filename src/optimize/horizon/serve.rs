//! The discharge model: who crosses when while a stage runs. Crossing c = max(arrival, last crossing + headway, green +
//! start-up); a vehicle that must give way waits for a gap, or leaves when the light turns yellow; who turns waits for
//! those who walk, and may go on red where that is allowed; the n-th into an exit waits for room.

use super::layout::Light;
use super::lineup::Scene;
use super::situation::Stream;
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
pub(super) const DRAIN: f32 = 0.25;

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
    /// Whether every group of the stage has been green for long.
    pub(super) calm: bool,
    /// Whether queues start in it.
    pub(super) starts: bool,
    /// Whether the stage ends with it, in yellow.
    pub(super) ends: bool,
}

/// Whether serving a stream would change nothing, as far as can be told at a glance: nobody is left, the next in line has
/// red, or comes after the window and is held by nothing that lasts beyond it. Most streams rest in most windows.
#[inline(always)]
pub(super) fn rests(scene: Scene<'_>, at: usize, window: &Window<'_>, run: &Run<'_>) -> bool {
    let (row, next) = (&scene.situation.streams[at], run.next[at]);
    if next >= row.len {
        return true;
    }
    let car = &scene.lineup.cars[row.first as usize + usize::from(next)];
    let soonest = later(car.arrival, run.ready[at]);
    let light = scene.layout.lights(window.stage)[usize::from(car.turn)];
    // Before the start of green is over, it holds whoever has come, and still does in the stretch that follows.
    let flows = || {
        window.calm && car.has_room()
            || car.is_free() && window.open[usize::from(car.gate)] + row.startup <= window.until
    };
    light == Light::Red || soonest > window.until && (light == Light::AfterStop || light == Light::Green && flows())
}

/// Serves every stream of a window's stage, those that give way last. Calls `note` with each crossing: its stream, when,
/// and the turn it takes.
pub(super) fn all(scene: Scene<'_>, window: &Window<'_>, run: &mut Run<'_>, mut note: impl FnMut(usize, f32, usize)) {
    for at in scene.lineup.members(window.stage).iter().map(|&at| usize::from(at)) {
        stream(scene, at, window, run, |crosses, turn| note(at, crosses, turn));
    }
}

/// Serves one stream; what is gained against serving nobody before the horizon, vehicle-seconds. Calls `note` with each
/// crossing and the turn it takes.
#[inline(never)]
pub(super) fn stream(
    scene: Scene<'_>,
    at: usize,
    window: &Window<'_>,
    run: &mut Run<'_>,
    mut note: impl FnMut(f32, usize),
) -> f32 {
    let Scene { layout, situation, lineup } = scene;
    let &Stream { first, len, weight, headway, startup, extra, steady, .. } = &situation.streams[at];
    let lights = layout.lights(window.stage);
    let (mut next, mut ready, mut gain) = (run.next[at], run.ready[at], 0.0);
    let vehicle = first as usize + usize::from(next);
    for (car, vehicle) in lineup.cars[vehicle..first as usize + usize::from(len)].iter().zip(vehicle..) {
        let light = lights[usize::from(car.turn)];
        if light == Light::Red {
            break;
        }
        let arrival = if car.is_held() { comes(scene, vehicle, run) } else { car.arrival };
        if arrival == f32::INFINITY {
            break;
        }
        let open = window.open[usize::from(car.gate)];
        let red = light == Light::AfterStop;
        let mut crosses = later(arrival, ready);
        let mut sneaks = false;
        if red {
            crosses = later(arrival + STOP_S, ready + ON_RED * headway);
        } else {
            if crosses < open + startup {
                crosses = if arrival < open { open + startup } else { later(crosses, open) };
            }
            if car.is_walked() && !window.calm {
                crosses = walked(scene, usize::from(car.turn), window, crosses);
            }
            if light == Light::GivesWay {
                let waits = crosses;
                crosses = gap(scene, usize::from(car.turn), window, run, crosses);
                // Who stands in the junction when the light turns yellow leaves it.
                sneaks = window.ends && waits <= window.until && crosses > window.until;
                if sneaks {
                    crosses = window.until;
                }
            }
        }
        if car.is_crowded() {
            let exit = usize::from(car.exit);
            crosses = later(crosses, (run.taken[exit] + 1.0 - situation.room[exit]) / DRAIN);
        }
        if crosses > window.until {
            if crosses > arrival && !red {
                // What held it, the start of green for one, still holds in the stretch that follows.
                ready = later(ready, crosses.min(window.until + startup + headway));
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
        if car.is_crowded() {
            run.taken[usize::from(car.exit)] += weight;
        }
        gain += weight * (situation.horizon - crosses);
        ready = crosses + headway;
        if !red && crosses > arrival + 0.5 && crosses < open + steady {
            // The first few of a queue are still picking up speed.
            let left = (steady - (crosses - open)) / (steady - startup).max(1.0);
            ready += extra * left.clamp(0.0, 1.0);
        }
        next += 1;
        note(crosses, usize::from(car.turn));
        if sneaks {
            break;
        }
    }
    run.next[at] = next;
    run.ready[at] = ready;
    gain
}

/// The greater of two numbers: one instruction, where `f32::max` has to think of what is none.
pub(super) fn later(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// From when on nobody walks over a turn's exit of those who wait now.
fn walked(scene: Scene<'_>, turn: usize, window: &Window<'_>, from: f32) -> f32 {
    let Scene { layout, situation, .. } = scene;
    let walks = layout.walks[layout.turns[turn].walks.clone()].iter();
    let groups = layout.stages[window.stage].groups;
    walks
        .filter(|(gate, _)| {
            situation.walkers[usize::from(*gate)] > 0.0 && groups.contains(GroupId::of(usize::from(*gate)))
        })
        .map(|&(gate, past)| window.open[usize::from(gate)] + past)
        .fold(from, f32::max)
}

/// When a vehicle that is held would cross if no lamp held it: as it is on its way, or when whoever stands before it on
/// the lane they share has left that; infinite while that is open.
fn comes(scene: Scene<'_>, vehicle: usize, run: &Run<'_>) -> f32 {
    let (arrival, held) = (scene.situation.arrivals[vehicle], scene.situation.held[vehicle]);
    let by = usize::from(held.stream);
    match run.next[by].checked_sub(held.row + 1) {
        None => f32::INFINITY,
        Some(since) => {
            let headway = scene.situation.streams[by].headway;
            let last = run.ready[by] - headway;
            arrival.max(last - f32::from(since) * headway + held.after)
        }
    }
}

/// The first instant from `from` on at which a vehicle that gives way finds a gap among those it gives way to, who
/// have been served up to the end of the window before.
fn gap(scene: Scene<'_>, turn: usize, window: &Window<'_>, run: &Run<'_>, from: f32) -> f32 {
    let mut crosses = from;
    for &lane in scene.layout.foes(window.stage, turn) {
        for &at in scene.lineup.of_lane(lane) {
            let at = usize::from(at);
            let foe = &scene.situation.streams[at];
            // The last that crossed did so a headway before the next may; the next one crosses when it gets there.
            let last = run.ready[at] - foe.headway;
            crosses = later(crosses, last + AFTER_S);
            if run.next[at] < foe.len {
                let vehicle = foe.first as usize + usize::from(run.next[at]);
                let car = scene.lineup.cars[vehicle];
                let arrival = if car.is_held() { comes(scene, vehicle, run) } else { car.arrival };
                let next = later(arrival, run.ready[at]);
                if next < crosses + GAP_S {
                    crosses = later(later(crosses, next + AFTER_S), window.until + 0.1);
                }
            }
        }
    }
    crosses
}

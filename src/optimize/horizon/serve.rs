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
/// Whoever follows him through the same gap needs so many headways. Source: HCM, follow-up headway of permitted left turns
/// 2.5 s, and a little more: he looks as well.
const FOLLOW_UP: f32 = 1.5;
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

/// How far a stream has come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    /// The next vehicle.
    pub(super) next: u8,
    /// The earliest it can cross.
    pub(super) ready: f32,
}

/// How far each stream and exit has come.
#[derive(Debug)]
pub(super) struct Run<'a> {
    /// By stream.
    pub(super) streams: &'a mut [Progress],
    /// By exit: vehicles that entered it.
    pub(super) taken: &'a mut [f32],
}

/// A stretch of one stage.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window<'a> {
    /// The stage.
    pub(super) stage: usize,
    /// By turn: what it may do in it.
    pub(super) lights: &'a [Light],
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
    /// From when on nobody walks over an exit of those who waited, whichever it is.
    pub(super) walked: f32,
}

/// When a stream has to be served again.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rest {
    /// In this window.
    Now,
    /// In one that lasts until this instant or longer, if the stage goes on.
    Until(f32),
}

/// Whether serving a stream would change nothing, as far as can be told at a glance: nobody is left, the next in line has
/// red, or comes after the window and is held by nothing that lasts beyond it. Most streams rest in most windows.
#[inline(always)]
pub(super) fn rests(Scene { situation, lineup, .. }: Scene<'_>, at: usize, window: &Window<'_>, run: &Run<'_>) -> Rest {
    let (row, Progress { next, ready }) = (&situation.streams[at], run.streams[at]);
    if next >= row.len {
        return Rest::Until(f32::INFINITY);
    }
    let car = &lineup.cars[row.first as usize + usize::from(next)];
    let light = window.lights[usize::from(car.turn)];
    if light == Light::Red {
        return Rest::Until(f32::INFINITY);
    }
    let soonest = later(car.arrival, ready);
    // What holds whoever has come until the start of green is over, or until people have walked, still does in the stretch
    // that follows: whoever comes later is not held by it.
    let held = || {
        let start = window.open[usize::from(car.gate)] + row.startup;
        if car.is_walked() { later(start, window.walked) } else { start }
    };
    let flows = || car.has_room() && (window.calm || soonest >= held());
    if soonest > window.until && (light == Light::AfterStop || light == Light::Green && flows()) {
        return Rest::Until(soonest);
    }
    Rest::Now
}

/// Serves every stream of a window's stage, those that give way last. Calls `note` with each crossing: its stream, when,
/// and the turn it takes.
pub(super) fn all(scene: Scene<'_>, window: &Window<'_>, run: &mut Run<'_>, mut note: impl FnMut(usize, f32, usize)) {
    for at in scene.lineup.members(window.stage).iter().map(|&at| usize::from(at)) {
        stream(scene, at, window, run, 0.0, |crosses, turn| note(at, crosses, turn));
    }
}

/// Serves one stream of a stage that has been green for long; what is gained as by [`stream`], and when it has to be served
/// again. Nothing but arrivals and headways holds whoever has room there.
#[inline(always)]
pub(super) fn flow(
    scene: Scene<'_>,
    at: usize,
    window: &Window<'_>,
    run: &mut Run<'_>,
    mut note: impl FnMut(f32, usize),
) -> (f32, Rest) {
    let &Stream { first, len, weight, headway, .. } = &scene.situation.streams[at];
    let (Progress { mut next, mut ready }, mut gain) = (run.streams[at], 0.0);
    let mut rest = Rest::Until(f32::INFINITY);
    for car in &scene.lineup.cars[first as usize + usize::from(next)..first as usize + usize::from(len)] {
        let light = window.lights[usize::from(car.turn)];
        if light == Light::Red {
            break;
        }
        if light != Light::Green || !car.has_room() {
            run.streams[at] = Progress { next, ready };
            return (stream(scene, at, window, run, gain, note), Rest::Now);
        }
        let crosses = later(car.arrival, ready);
        if crosses > window.until {
            rest = Rest::Until(crosses);
            break;
        }
        gain += weight * (scene.situation.horizon - crosses);
        ready = crosses + headway;
        next += 1;
        note(crosses, usize::from(car.turn));
    }
    run.streams[at] = Progress { next, ready };
    (gain, rest)
}

/// Serves one stream; `gain`, and what is gained against serving nobody before the horizon, vehicle-seconds. Calls `note`
/// with each crossing and the turn it takes.
#[inline(never)]
pub(super) fn stream(
    scene: Scene<'_>,
    at: usize,
    window: &Window<'_>,
    run: &mut Run<'_>,
    mut gain: f32,
    mut note: impl FnMut(f32, usize),
) -> f32 {
    let Scene { situation, lineup, .. } = scene;
    let row = &situation.streams[at];
    let &Stream { first, len, weight, headway, startup, extra, steady, .. } = row;
    let Progress { mut next, mut ready } = run.streams[at];
    for car in &lineup.cars[first as usize + usize::from(next)..first as usize + usize::from(len)] {
        let light = window.lights[usize::from(car.turn)];
        if light == Light::Red {
            break;
        }
        let (open, red) = (window.open[usize::from(car.gate)], light == Light::AfterStop);
        let (mut arrival, mut sneaks) = (car.arrival, false);
        let mut crosses = later(arrival, ready);
        if light == Light::Green && car.is_free() {
            crosses = starts(arrival, crosses, open, startup);
        } else {
            let vehicle = first as usize + usize::from(next);
            let Some(hindered) = hindered(scene, vehicle, window, run, (ready, row)) else { break };
            (arrival, crosses, sneaks) = hindered;
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
        ready = crosses + if light == Light::GivesWay { FOLLOW_UP * headway } else { headway };
        if !red && crosses > arrival + 0.5 && crosses < open + steady {
            // The first few of a queue are still picking up speed.
            let left = (steady - (crosses - open)) / later(steady - startup, 1.0);
            ready += extra * left.clamp(0.0, 1.0);
        }
        next += 1;
        note(crosses, usize::from(car.turn));
        if sneaks {
            break;
        }
    }
    run.streams[at] = Progress { next, ready };
    gain
}

/// When somebody crosses who is there at `arrival` and would at `crosses` if the light had been green for long.
#[inline(always)]
fn starts(arrival: f32, crosses: f32, open: f32, startup: f32) -> f32 {
    if crosses >= open + startup {
        crosses
    } else if arrival < open {
        open + startup
    } else {
        later(crosses, open)
    }
}

/// When a vehicle arrives and crosses that something else than the light and those before it on its lane may hold, and
/// whether it leaves in yellow; none while it is open when it can come.
#[inline(never)]
fn hindered(
    scene: Scene<'_>,
    vehicle: usize,
    window: &Window<'_>,
    run: &Run<'_>,
    (ready, row): (f32, &Stream),
) -> Option<(f32, f32, bool)> {
    let car = &scene.lineup.cars[vehicle];
    let turn = usize::from(car.turn);
    let arrival = if car.is_held() { comes(scene, vehicle, run) } else { car.arrival };
    if arrival == f32::INFINITY {
        return None;
    }
    let light = window.lights[turn];
    let (mut crosses, mut sneaks) = (later(arrival, ready), false);
    if light == Light::AfterStop {
        crosses = later(arrival + STOP_S, ready + ON_RED * row.headway);
    } else {
        crosses = starts(arrival, crosses, window.open[usize::from(car.gate)], row.startup);
        if car.is_walked() && crosses < window.walked {
            crosses = walked(scene, turn, window, crosses);
        }
        if light == Light::GivesWay {
            let waits = crosses;
            crosses = gap(scene, turn, window, run, crosses);
            // Who stands in the junction when the light turns yellow leaves it.
            sneaks = window.ends && waits <= window.until && crosses > window.until;
            if sneaks {
                crosses = window.until;
            }
        }
    }
    if car.is_crowded() {
        let exit = usize::from(car.exit);
        crosses = later(crosses, (run.taken[exit] + 1.0 - scene.situation.room[exit]) / DRAIN);
    }
    Some((arrival, crosses, sneaks))
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
    let Progress { next, ready } = run.streams[by];
    match next.checked_sub(held.row + 1) {
        None => f32::INFINITY,
        Some(since) => {
            let headway = scene.situation.streams[by].headway;
            let last = ready - headway;
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
            let (foe, Progress { next, ready }) = (&scene.situation.streams[at], run.streams[at]);
            // The last that crossed did so a headway before the next may; the next one crosses when it gets there.
            let last = ready - foe.headway;
            crosses = later(crosses, last + AFTER_S);
            if next < foe.len {
                let vehicle = foe.first as usize + usize::from(next);
                let car = scene.lineup.cars[vehicle];
                let arrival = if car.is_held() { comes(scene, vehicle, run) } else { car.arrival };
                let comes = later(arrival, ready);
                if comes < crosses + GAP_S {
                    crosses = later(later(crosses, comes + AFTER_S), window.until + 0.1);
                }
            }
        }
    }
    crosses
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::optimize::horizon::lineup::Lineup;
    use crate::optimize::horizon::present::present;
    use crate::optimize::horizon::tests::{crossroads, permissive};

    proptest! {
        #[test]
        fn nothing_happens_to_who_rests_and_who_flows_is_served_like_all(
            simple in present(crossroads),
            gaps in present(permissive),
            stage in 0..8_usize,
            opens in prop::collection::vec(-5.0..40.0_f32, 20),
            (gone, since) in (prop::collection::vec(0..30_u8, 12), prop::collection::vec(-9.0..40.0_f32, 12)),
            (until, calm, starts) in (0.0..60.0_f32, any::<bool>(), any::<bool>()),
        ) {
            for (layout, situation) in [(crossroads(), simple), (permissive(), gaps)] {
                let mut lineup = Lineup::default();
                lineup.draw_up(&layout, &situation);
                let scene = Scene { layout: &layout, situation: &situation, lineup: &lineup };
                let open: Vec<f32> = opens[..layout.groups].iter().map(|&at| if calm { -1e9 } else { at }).collect();
                let walked = if calm { f32::NEG_INFINITY } else { lineup.walked(layout.stages[stage].groups, &open) };
                let (lights, starts) = (layout.lights(stage), starts && !calm);
                let window = Window { stage, lights, open: &open, until, calm, starts, ends: false, walked };
                let begun = situation.streams.iter().zip(&gone).zip(&since);
                let begun = begun.map(|((row, &next), &ready)| Progress { next: next.min(row.len), ready });
                let (begun, taken): (Vec<_>, _) = (begun.collect(), vec![0.0; layout.exits.len()]);
                for at in 0..situation.streams.len() {
                    let serve = |served: &dyn Fn(&mut Run<'_>) -> f32| {
                        let (mut streams, mut taken) = (begun.clone(), taken.clone());
                        let gain = served(&mut Run { streams: &mut streams, taken: &mut taken });
                        (gain, streams.iter().map(|s| (s.next, s.ready)).collect::<Vec<_>>(), taken)
                    };
                    let nothing = serve(&|_| 0.0);
                    let plain = serve(&|run| stream(scene, at, &window, run, 0.0, |_, _| {}));
                    let (mut streams, mut taken) = (begun.clone(), taken.clone());
                    match rests(scene, at, &window, &Run { streams: &mut streams, taken: &mut taken }) {
                        Rest::Until(_) => prop_assert_eq!(&plain, &nothing),
                        Rest::Now if calm => {
                            let flowed = serve(&|run| flow(scene, at, &window, run, |_, _| {}).0);
                            prop_assert_eq!(&plain, &flowed);
                        }
                        Rest::Now => {}
                    }
                }
            }
        }
    }
}

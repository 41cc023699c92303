//! A partial sequence goes on with its stage for a while.

use super::{Beam, STEP_S, Size};
use crate::optimize::horizon::lineup::Scene;
use crate::optimize::horizon::serve::{Rest, Run, Window, flow, rests, stream};

/// Which lamps hold while a stage runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lamps {
    /// Every group of it has been green for long.
    Calm,
    /// As they are now.
    Root,
    /// It has just begun.
    Starting,
}

impl Beam {
    /// Runs a slot's stage from `from` up to `until`. Where somebody gives way, step by step: whoever has the right of way
    /// is served up to the end of a step before the others look for a gap in it.
    pub(super) fn run(
        &mut self,
        scene: Scene<'_>,
        slot: usize,
        (from, until): (f32, f32),
        (lamps, ends): (Lamps, bool),
        note: &mut impl FnMut(usize, f32, usize),
    ) {
        if scene.lineup.gives_way(usize::from(self.nodes[slot].stage)) {
            let mut at = from;
            while until - at > 1.5 * STEP_S {
                at += STEP_S;
                self.step(scene, slot, at, (lamps, false), note);
            }
        }
        self.step(scene, slot, until, (lamps, ends), note);
    }

    /// Runs a slot's stage up to `until`, from where it stands.
    fn step(
        &mut self,
        scene: Scene<'_>,
        slot: usize,
        until: f32,
        (lamps, ends): (Lamps, bool),
        note: &mut impl FnMut(usize, f32, usize),
    ) {
        let Size { streams, exits, .. } = self.size;
        let node = &mut self.nodes[slot];
        if node.rests > until {
            return;
        }
        let stage = usize::from(node.stage);
        let (open, walked) = match lamps {
            Lamps::Calm => (&self.calm, f32::NEG_INFINITY),
            Lamps::Root => (&self.root_open, self.root_walked),
            Lamps::Starting => (&self.open, self.walked),
        };
        let (calm, starts) = (lamps == Lamps::Calm, lamps == Lamps::Starting);
        let lights = scene.layout.lights(stage);
        let window = Window { stage, lights, open, until, calm, starts, ends, walked };
        let streams = &mut self.streams[slot * streams..][..streams];
        let mut run = Run { streams, taken: &mut self.taken[slot * exits..][..exits] };
        let (mut gain, mut served) = (node.gain, node.served);
        // Who is held by another stream comes once that has been served.
        for _ in 0..if scene.situation.parted { 2 } else { 1 } {
            node.rests = f32::INFINITY;
            for &at in scene.lineup.members(stage) {
                let at = usize::from(at);
                let mut rest = rests(scene, at, &window, &run);
                if let Rest::Now = rest {
                    let before = run.streams[at].next;
                    if calm {
                        let (gained, then) =
                            flow(scene, at, &window, &mut run, |crosses, turn| note(at, crosses, turn));
                        gain += gained;
                        rest = then;
                    } else {
                        gain += stream(scene, at, &window, &mut run, 0.0, |crosses, turn| note(at, crosses, turn));
                    }
                    // The sum of served vehicles, each stream with a weight of its own, tells states apart.
                    let count = u32::from(run.streams[at].next - before);
                    served = served.wrapping_add(count.wrapping_mul((at as u32 + 1).wrapping_mul(0x9e37_79b1)));
                }
                match rest {
                    Rest::Until(instant) if instant >= node.rests => {}
                    Rest::Until(instant) => node.rests = instant,
                    Rest::Now => node.rests = f32::NEG_INFINITY,
                }
            }
        }
        (node.gain, node.served) = (gain, served);
    }
}

/// Nobody wants to know who crosses. One function and no closures, so that all who run a slot so share its code.
pub(super) fn quietly(_stream: usize, _crosses: f32, _turn: usize) {}

//! How many threads do a step of the engine: each takes the next partition that nobody has taken, or the next junction
//! while it is searched what junctions should do. What comes out does not depend on how many there are.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::engine::city::{City, Crew, Part};
use crate::engine::question::Question;
use crate::event::Event;
use crate::optimize::horizon::Workspace;
use crate::output::Output;
use crate::time::Time;

/// So many threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads(NonZeroUsize);

impl Default for Threads {
    /// One.
    fn default() -> Self {
        Self(NonZeroUsize::MIN)
    }
}

impl Threads {
    /// No more than this.
    pub const MOST: u16 = 256;

    /// `count` threads; at least one.
    pub fn new(count: u16) -> Self {
        Self(NonZeroUsize::new(usize::from(count)).unwrap_or(NonZeroUsize::MIN))
    }

    /// One tick of `city`.
    pub fn step(mut self, city: &mut City, now: Time, events: &[Event]) -> Vec<Output> {
        city.step_by(now, events, &mut self)
    }

    /// Answers questions.
    pub(super) fn search<'q, 'a: 'q>(
        self,
        questions: impl Iterator<Item = &'q mut Question<'a>>,
        desks: &mut Vec<Workspace>,
    ) {
        let mut questions: Vec<&mut Question<'_>> = questions.collect();
        let count = self.0.get().min(questions.len());
        desks.resize_with(count.max(desks.len()), Workspace::default);
        Self::share(&mut questions, &mut desks[..count], |question, desk| question.search(desk));
    }

    /// Does `work` for each of `all`, every thread at a desk of its own.
    fn share<T: Send, D: Send>(all: &mut [T], desks: &mut [D], work: impl Fn(&mut T, &mut D) + Sync) {
        let left = Mutex::new(all.iter_mut());
        let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
        let run = |desk: &mut D| {
            while let Some(one) = next() {
                work(one, desk);
            }
        };
        let Some((own, others)) = desks.split_first_mut() else { return };
        thread::scope(|scope| {
            for desk in others {
                scope.spawn(|| run(desk));
            }
            run(own);
        });
    }
}

impl Crew for Threads {
    fn each(&mut self, parts: &mut [Part<'_>], work: fn(&mut Part<'_>)) {
        let mut desks = vec![(); self.0.get().min(parts.len())];
        Self::share(parts, &mut desks, |part, ()| work(part));
    }

    fn answer(&mut self, questions: &mut [Question<'_>], desks: &mut Vec<Workspace>) {
        self.search(questions.iter_mut().filter(|question| question.is_open()), desks);
    }
}

/// `--threads`, for the commands that run an engine.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct ThreadsArg {
    /// Threads that do the engine's steps, 1 to 256. The outputs are the same with any number.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(Threads::MOST)))]
    threads: u16,
}

impl From<ThreadsArg> for Threads {
    fn from(arg: ThreadsArg) -> Self {
        Self::new(arg.threads)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::Settings;
    use crate::network::layout::{Layout, layout};
    use crate::network::limits::Limits;
    use crate::network::{Network, Sensors};
    use crate::shell::closed_loop::{ClosedLoop, World};
    use crate::time::Span;
    use crate::twin::{Options, SensorFaults, city};

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let network = Network::build(city::demo(), &Limits::default()).expect("the city is sound");
        assert!(network.partitions().len() > 2, "nothing to share out");
        let sensors = Sensors::build(&layout(&network, Layout::Full), &network).expect("they stand where they can");
        let demand = city::morning::demand(&network, Span::from_s(180), 1);
        let world = World { network: Arc::new(network), sensors: Arc::new(sensors), demand: Arc::new(demand) };
        let options = || Options { sensors: SensorFaults::ORDINARY, ..Options::default() };
        let run = |threads| ClosedLoop::new(&world, Some(Settings::default()), options()).on(Threads::new(threads));
        let (mut one, mut others) = (run(1), [run(2), run(64)]);
        let mut said = 0;
        for _ in 0..180 {
            let expected = one.step();
            said += expected.outputs.len();
            for other in &mut others {
                assert_eq!(other.step().outputs, expected.outputs, "{}", expected.now);
            }
        }
        assert!(said > 1000, "{said}");
    }
}

//! Questions of the search and their answers in messages. Who takes them takes only what its own program, network and
//! configuration would have made, and nothing that does not fit the junction.

use sha2::{Digest, Sha256};

use super::{Message, read, v1};
use crate::engine::question::Question;
use crate::ids::{Id, JunctionId, Table};
use crate::keep::Keep;
use crate::optimize::horizon::{Layout, Schedule, Situation};
use crate::time::Time;

/// No message asks more.
pub const QUESTIONS_MAX: usize = 64;
/// No name of a worker is longer, bytes.
const NAME_BYTES_MAX: usize = 80;

/// What a message is recognised by: its SHA-256.
pub type Mark = [u8; 32];

/// Who asks or answers, for what, with which program.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// Network, configuration, version.
    pub provenance: v1::Provenance,
    /// SHA-256 of the program.
    pub program: Mark,
    /// The name of the process.
    pub worker: String,
}

/// A message that was read: what it asks, and what its answer has to be called.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// The tick that it was asked in.
    pub now: Time,
    /// Who asks.
    pub worker: String,
    questions: Vec<(JunctionId, Situation)>,
    mark: Mark,
}

impl Sheet {
    /// The questions, each to be answered.
    pub fn questions<'a>(&'a self, layouts: &'a Table<JunctionId, Layout>) -> Vec<Question<'a>> {
        self.questions.iter().map(|(id, situation)| Question::new(&layouts[*id], situation)).collect()
    }
}

/// The message that asks these questions, at most [`QUESTIONS_MAX`], and what its answer is recognised by.
pub fn ask(origin: &Origin, now: Time, questions: &[Question<'_>]) -> (Vec<u8>, Mark) {
    let question = |question: &Question<'_>| {
        let mut situation = Vec::new();
        question.situation().write(&mut situation);
        v1::EngineQuestion { junction: question.junction().index() as u32, situation }
    };
    let message = v1::EngineQuestions {
        now_ms: now.ms(),
        provenance: Some(origin.provenance.clone()),
        program_sha256: origin.program.to_vec(),
        worker: origin.worker.clone(),
        questions: questions.iter().map(question).collect(),
    };
    let value = message.encode_to_vec();
    let mark = Sha256::digest(&value).into();
    (value, mark)
}

/// What a message asks; none where it is not of the same program, network and configuration, or does not fit.
pub fn asked(origin: &Origin, layouts: &Table<JunctionId, Layout>, value: &[u8]) -> Option<Sheet> {
    let message: v1::EngineQuestions = read(value).ok()?;
    let ours = message.provenance.as_ref() == Some(&origin.provenance) && message.program_sha256 == origin.program;
    if !ours || message.questions.len() > QUESTIONS_MAX || message.worker.len() > NAME_BYTES_MAX {
        return None;
    }
    let question = |asked: v1::EngineQuestion| {
        let id = JunctionId::of(asked.junction as usize);
        let (mut situation, mut bytes) = (Situation::default(), asked.situation.as_slice());
        situation.take_up(layouts.get(id)?, &mut bytes)?;
        bytes.is_empty().then_some((id, situation))
    };
    let questions = message.questions.into_iter().map(question).collect::<Option<_>>()?;
    let (now, mark) = (Time::from_ms(message.now_ms), Sha256::digest(value).into());
    Some(Sheet { now, worker: message.worker, questions, mark })
}

/// The message that answers a sheet whose questions have been answered.
pub fn answer(origin: &Origin, sheet: &Sheet, answered: Vec<Question<'_>>) -> Vec<u8> {
    let schedule = |question: Question<'_>| {
        let mut bytes = Vec::new();
        question.answer().unwrap_or_default().save(&mut bytes);
        bytes
    };
    let schedules = answered.into_iter().map(schedule).collect();
    let worker = origin.worker.clone();
    v1::EngineAnswers { questions_sha256: sheet.mark.to_vec(), worker, schedules }.encode_to_vec()
}

/// An answer that was read.
#[derive(Debug)]
pub struct Answers {
    /// What was asked.
    pub mark: Mark,
    /// Who answers.
    pub worker: String,
    schedules: Vec<Vec<u8>>,
}

/// What a message answers; none where it answers nothing.
pub fn answers(value: &[u8]) -> Option<Answers> {
    let message: v1::EngineAnswers = read(value).ok()?;
    let mark = message.questions_sha256.try_into().ok()?;
    let fits = message.schedules.len() <= QUESTIONS_MAX && message.worker.len() <= NAME_BYTES_MAX;
    fits.then_some(Answers { mark, worker: message.worker, schedules: message.schedules })
}

impl Answers {
    /// Answers what was asked with it: all of it, or none where something does not fit.
    pub fn give(&self, questions: &mut [Question<'_>]) -> Option<()> {
        let schedule = |mut bytes: &[u8]| Schedule::load(&mut bytes).filter(|_| bytes.is_empty());
        let schedules: Vec<Schedule> = self.schedules.iter().map(|bytes| schedule(bytes)).collect::<Option<_>>()?;
        let fit = schedules.iter().zip(&*questions).all(|(schedule, question)| question.admits(schedule));
        if !fit || schedules.len() != questions.len() {
            return None;
        }
        for (question, schedule) in questions.iter_mut().zip(schedules) {
            question.give(schedule);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::StageId;
    use crate::network::Network;
    use crate::optimize::horizon::Workspace;
    use crate::time::Span;
    use crate::twin::city;

    const NOW: Time = Time::from_s(1_772_434_800);

    fn origin(worker: &str) -> Origin {
        let provenance = v1::Provenance { config_hash: vec![3; 32], ..v1::Provenance::default() };
        Origin { provenance, program: [7; 32], worker: worker.into() }
    }

    fn layouts() -> Table<JunctionId, Layout> {
        let network = Network::build(city::demo(), &Default::default()).unwrap();
        network.junctions().ids().map(|id| Layout::new(&network, id)).collect()
    }

    /// Queues of all lengths at the first few junctions.
    fn situations(layouts: &Table<JunctionId, Layout>) -> Vec<Situation> {
        let queued = |(count, layout): (usize, &Layout)| {
            let mut it = Situation::empty(layout, NOW, Span::SECOND, StageId::of(0));
            let vehicles: Vec<_> = (0..count).map(|at| (at as f32, 0)).collect();
            (0..layout.lanes().count())
                .for_each(|lane| it.row(lane, 1.0, 2.0, 1.0, &vehicles[..(lane * 5) % (count + 1)]));
            it
        };
        layouts.values().enumerate().take(9).map(queued).collect()
    }

    fn open<'a>(layouts: &'a Table<JunctionId, Layout>, situations: &'a [Situation]) -> Vec<Question<'a>> {
        layouts.values().zip(situations).map(|(layout, situation)| Question::new(layout, situation)).collect()
    }

    #[test]
    fn what_is_answered_elsewhere_is_what_would_have_been_found_here() {
        let (layouts, mut desk) = (layouts(), Workspace::default());
        let situations = situations(&layouts);
        let (mut here, mut there) = (open(&layouts, &situations), open(&layouts, &situations));
        let (value, mark) = ask(&origin("a"), NOW, &there);
        let sheet = asked(&origin("b"), &layouts, &value).expect("it is ours");
        assert_eq!((sheet.now, sheet.worker.as_str()), (NOW, "a"));
        let mut elsewhere = sheet.questions(&layouts);
        elsewhere.iter_mut().for_each(|question| question.search(&mut desk));
        let value = answer(&origin("b"), &sheet, elsewhere);
        let read = answers(&value).expect("an answer");
        assert_eq!((read.mark, read.worker.as_str()), (mark, "b"));
        // Not to fewer questions than it was asked, nor to others.
        assert_eq!(read.give(&mut there[1..]), None);
        there.reverse();
        assert_eq!(read.give(&mut there), None);
        there.reverse();
        assert!(there.iter().all(Question::is_open));
        assert_eq!(read.give(&mut there), Some(()));
        here.iter_mut().for_each(|question| question.search(&mut desk));
        let all = |questions: Vec<Question<'_>>| questions.into_iter().map(Question::answer).collect::<Vec<_>>();
        let (here, there) = (all(here), all(there));
        assert_eq!(there, here);
        assert!(here.iter().flatten().any(|schedule| !schedule.changes.is_empty()), "nobody had anything to decide");
    }

    #[test]
    fn what_another_program_or_another_world_asks_is_nobodys_here() {
        let layouts = layouts();
        let situations = situations(&layouts);
        let (value, mark) = ask(&origin("a"), NOW, &open(&layouts, &situations));
        let other = Origin { program: [8; 32], ..origin("b") };
        assert!(asked(&other, &layouts, &value).is_none());
        let other = Origin { provenance: v1::Provenance::default(), ..origin("b") };
        assert!(asked(&other, &layouts, &value).is_none());
        // Cut or changed anywhere it is not the same question any more, whatever else it may be.
        for at in (0..value.len()).step_by(7) {
            assert!(asked(&origin("b"), &layouts, &value[..at]).is_none_or(|sheet| sheet.mark != mark));
            let mut changed = value.clone();
            changed[at] ^= 0x55;
            assert!(asked(&origin("b"), &layouts, &changed).is_none_or(|sheet| sheet.mark != mark));
            let _ = answers(&changed);
        }
    }
}

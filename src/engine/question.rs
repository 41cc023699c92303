//! What the search is asked in a tick: a question a junction, that anybody can answer, in any order and anywhere. An
//! answer follows from its question and nothing else.

use crate::ids::JunctionId;
use crate::optimize::horizon::{self, Layout, Schedule, Situation, Workspace};

/// What one junction should do next.
#[derive(Debug)]
pub struct Question<'a> {
    layout: &'a Layout,
    situation: &'a Situation,
    answer: Option<Schedule>,
}

impl<'a> Question<'a> {
    /// What the junction of a layout should do, as it is now.
    pub fn new(layout: &'a Layout, situation: &'a Situation) -> Self {
        Self { layout, situation, answer: None }
    }

    /// Whose it is.
    pub fn junction(&self) -> JunctionId {
        self.layout.junction()
    }

    /// What is known of its lamps and vehicles.
    pub fn situation(&self) -> &Situation {
        self.situation
    }

    /// Whether nobody has answered it yet.
    pub fn is_open(&self) -> bool {
        self.answer.is_none()
    }

    /// Answers it by searching, if nobody has.
    pub fn search(&mut self, desk: &mut Workspace) {
        if self.is_open() {
            self.answer = Some(horizon::schedule(self.layout, self.situation, desk));
        }
    }

    /// Whether this can be its answer, as far as can be told without searching.
    pub fn admits(&self, answer: &Schedule) -> bool {
        self.situation.admits(self.layout, answer)
    }

    /// Answers it with what a search found elsewhere.
    pub fn give(&mut self, answer: Schedule) {
        self.answer = Some(answer);
    }

    /// The answer, if there is one.
    pub fn answer(self) -> Option<Schedule> {
        self.answer
    }
}

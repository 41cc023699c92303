//! All that the engine keeps of one junction.

use crate::engine::orders::Orders;
use crate::engine::waiting::Waiting;
use crate::event::Mode;
use crate::ids::JunctionId;
use crate::network::{Junction, Network, Program};
use crate::optimize::horizon::{Layout, Schedule};
use crate::plan::draft::Draft;
use crate::plan::ladder::Rung;
use crate::plan::ledger::Ledger;
use crate::time::Time;

/// All that the engine keeps of one junction.
#[derive(Debug, Clone)]
pub(super) struct Post {
    pub(super) ledger: Ledger,
    pub(super) orders: Orders,
    pub(super) waiting: Waiting,
    pub(super) layout: Layout,
    /// The program that runs where the rolling schedule ends, and instead of it where nothing better is known.
    pub(super) base: Program,
    pub(super) rung: Option<Rung>,
    /// The schedule last made.
    pub(super) schedule: Schedule,
    /// The one made in this tick, which neighbours see in the next.
    pub(super) fresh: Option<Schedule>,
    /// The plan last published.
    pub(super) plan: Option<Draft>,
    pub(super) published_at: Time,
    /// When its controller last said anything.
    pub(super) heard_at: Option<Time>,
    pub(super) alarmed: bool,
}

impl Post {
    pub(super) fn new(network: &Network, id: JunctionId, mode: Mode) -> Self {
        let junction: &Junction = network.junction(id);
        Self {
            ledger: Ledger::new(),
            orders: Orders::new(mode),
            waiting: Waiting::new(junction),
            layout: Layout::new(network, id),
            base: junction.base_program().clone(),
            rung: None,
            schedule: Schedule::default(),
            fresh: None,
            plan: None,
            published_at: Time::LONG_AGO,
            heard_at: None,
            alarmed: false,
        }
    }
}

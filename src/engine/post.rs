//! All that the engine keeps of one junction.

use crate::corridor::approach::Approach;
use crate::engine::Settings;
use crate::engine::orders::Orders;
use crate::engine::reference::Reference;
use crate::engine::settle::{Debt, Usual};
use crate::engine::timed::Fullness;
use crate::engine::waiting::Waiting;
use crate::event::Aspect;
use crate::ids::{GroupId, JunctionId, LaneId, Table};
use crate::keep::resume;
use crate::network::{Junction, Network, Program};
use crate::optimize::horizon::due::Decided;
use crate::optimize::horizon::{Inside, Layout, Schedule};
use crate::output::Source;
use crate::plan::bounds::Bounds;
use crate::plan::draft::Draft;
use crate::plan::ladder::Rung;
use crate::plan::ledger::Ledger;
use crate::plan::transition::fit;
use crate::time::{Span, Time};
use crate::traffic::quality::Quality;

/// All that the engine keeps of one junction.
#[derive(Debug, Clone)]
pub(super) struct Post {
    pub(super) ledger: Ledger,
    pub(super) orders: Orders,
    pub(super) waiting: Waiting,
    pub(super) layout: Layout,
    /// By group: the lanes on which somebody may wait for it.
    pub(super) lanes: Table<GroupId, Box<[LaneId]>>,
    /// The program that runs where the rolling schedule ends, and instead of it where nothing better is known.
    pub(super) base: Program,
    /// What runs on where a rolling schedule ends and no further one comes: the base program with a short cycle, so that
    /// nobody waits too long who has waited already.
    pub(super) after: Program,
    pub(super) rung: Option<Rung>,
    /// How well its demand is known.
    pub(super) known: Quality,
    /// How badly it is known who is where on its lanes, vehicles² a lane, over the last minutes.
    pub(super) doubt: f32,
    /// Who gives way inside it.
    pub(super) inside: Inside,
    /// How full it is.
    pub(super) fullness: Fullness,
    /// The schedule last made.
    pub(super) schedule: Schedule,
    /// The one made in this tick, which neighbours see in the next.
    pub(super) fresh: Option<Schedule>,
    /// How it looked when that was made; none where none was.
    pub(super) decided: Option<Decided>,
    /// The plan last published.
    pub(super) plan: Option<Draft>,
    pub(super) published_at: Time,
    /// What decided it.
    pub(super) plan_source: Source,
    /// What it owes for a vehicle that it lets or let through.
    pub(super) debt: Option<Debt>,
    /// How many stand before its signals when it owes nothing.
    pub(super) usual: Usual,
    /// How it comes to the green of the vehicle on its way, as last seen.
    pub(super) approach: Option<Approach>,
    /// Who decides in the rolling schedule's place, where one does.
    pub(super) reference: Option<Reference>,
    /// What its lamps showed when its controller last said so.
    pub(super) reported: Option<Box<[Aspect]>>,
    /// Whether its silence has been told.
    pub(super) alarmed: bool,
}

resume!(Post {
    kept: ledger, orders, waiting, rung, known, doubt, inside, fullness, schedule, fresh, decided, plan, published_at, plan_source, debt,
        usual, approach, reported, alarmed;
    built: layout, lanes, base, after, reference
});

impl Post {
    pub(super) fn new(network: &Network, id: JunctionId, settings: &Settings) -> Self {
        let junction: &Junction = network.junction(id);
        Self {
            ledger: Ledger::new(),
            orders: Orders::new(settings.mode),
            waiting: Waiting::new(junction),
            layout: Layout::new(network, id),
            lanes: junction.groups.ids().map(|group| lanes_of(network, junction, group)).collect(),
            after: shortened(junction.base_program(), junction, settings.grid()),
            base: fit(junction.base_program(), Bounds::of(junction), settings.grid()),
            rung: None,
            known: Quality::None,
            doubt: 0.0,
            inside: Inside::default(),
            fullness: Fullness::default(),
            schedule: Schedule::default(),
            fresh: None,
            decided: None,
            plan: None,
            published_at: Time::LONG_AGO,
            plan_source: Source::Base,
            debt: None,
            usual: Usual::default(),
            approach: None,
            reference: Reference::new(network, id, settings.control),
            reported: None,
            alarmed: false,
        }
    }

    /// Its limits as they are now.
    pub(super) fn bounds<'a>(&'a self, junction: &'a Junction) -> Bounds<'a> {
        Bounds { junction, narrowed: &self.orders.narrowed }
    }
}

/// The lanes whose paths a group releases, approaches that are chopped into short links included.
fn lanes_of(network: &Network, junction: &Junction, group: GroupId) -> Box<[LaneId]> {
    let stops = junction.groups[group].connections.iter().map(|&c| network.connections()[c].from);
    let near = |stop| network.reach(stop).iter().filter(|s| s.offset.get() < NEAR_M).map(|s| s.lane);
    let mut lanes: Vec<LaneId> = stops.flat_map(near).collect();
    lanes.sort_unstable();
    lanes.dedup();
    lanes.into()
}

/// Whoever is on a link that ends this near to the stop line may wait there already, m.
const NEAR_M: f64 = 50.0;

/// `program` with its cycle cut to [`AFTER_CYCLE`], or as near to it as its stages let it.
fn shortened(program: &Program, junction: &Junction, grid: Span) -> Program {
    let mut short = program.clone();
    let part = (AFTER_CYCLE.s() / program.cycle().s()).min(1.0);
    for (_, share) in &mut short.splits {
        *share = Span::nearest(share.s() * part);
    }
    fit(&short, Bounds::of(junction), grid)
}

/// The cycle of what runs on after a rolling schedule. Half of the usual longest red.
const AFTER_CYCLE: Span = Span::from_s(60);

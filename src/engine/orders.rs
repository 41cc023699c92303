//! What operators have ordered at one junction, and until when.

use crate::event::Mode;
use crate::ids::GroupId;
use crate::keep::keep;
use crate::network::Junction;
use crate::plan::bounds::Narrowed;
use crate::plan::ladder::Order;
use crate::time::{Span, Time};

/// The orders in force at one junction.
#[derive(Debug, Clone, Default)]
pub(super) struct Orders {
    /// What is done with its plans.
    pub(super) mode: Mode,
    /// Run the base program until released.
    pub(super) held: bool,
    /// Run this program until then.
    pub(super) pinned: Option<(u8, Time)>,
    /// Limits made stricter than the network's.
    pub(super) narrowed: Vec<Narrowed>,
}

keep!(Orders { mode, held, pinned, narrowed });

impl Orders {
    pub(super) fn new(mode: Mode) -> Self {
        Self { mode, ..Self::default() }
    }

    /// What is ordered at `now`, if anything is.
    pub(super) fn order(&self, now: Time) -> Option<Order> {
        match self.pinned {
            Some((program, until)) if now < until => Some(Order::Pin(program)),
            _ => self.held.then_some(Order::Hold),
        }
    }

    /// Ends a hold or a pin; says whether there was one.
    pub(super) fn release(&mut self) -> bool {
        let was = self.held || self.pinned.is_some();
        self.held = false;
        self.pinned = None;
        was
    }

    /// Runs `program` until `until`.
    ///
    /// # Errors
    /// When the junction has no such program.
    pub(super) fn pin(&mut self, own: &Junction, program: u8, until: Time) -> Result<Box<str>, Box<str>> {
        let count = own.programs.len();
        let Some(named) = own.programs.get(usize::from(program)) else {
            return Err(format!("program: {program} is not within 0 to {}", count.saturating_sub(1)).into());
        };
        self.pinned = Some((program, until));
        Ok(format!("program {} until {until}", named.name).into())
    }

    /// Narrows a group's limits.
    ///
    /// # Errors
    /// When a limit would be laxer than the network's, or no plan could keep it.
    pub(super) fn narrow(
        &mut self,
        own: &Junction,
        group: GroupId,
        min_green: Option<Span>,
        max_red: Option<Span>,
    ) -> Result<Box<str>, Box<str>> {
        let Some(limits) = own.groups.get(group) else { return Err("group: it does not exist".into()) };
        if let Some(min) = min_green.filter(|&min| min < limits.min_green.span || min > MIN_GREEN_MOST) {
            let least = limits.min_green.span;
            return Err(format!("min_green: {min} is not within {least} to {MIN_GREEN_MOST}").into());
        }
        if let Some(max) = max_red.filter(|&max| max > limits.max_red.span || max < MAX_RED_LEAST) {
            let most = limits.max_red.span;
            return Err(format!("max_red: {max} is not within {MAX_RED_LEAST} to {most}").into());
        }
        self.narrowed.retain(|n| n.group != group);
        self.narrowed.push(Narrowed { group, min_green, max_red });
        let min = min_green.unwrap_or(limits.min_green.span);
        let max = max_red.unwrap_or(limits.max_red.span);
        Ok(format!("{}: green of at least {min}, red of at most {max}", limits.name).into())
    }
}

/// No shortest green may be set longer than this: the other groups wait meanwhile.
const MIN_GREEN_MOST: Span = Span::from_s(60);
/// No longest red may be set shorter than this: a cycle has to fit in.
const MAX_RED_LEAST: Span = Span::from_s(30);

//! A junction's limits as they are now: the network's, made stricter where an operator said so.

use crate::ids::GroupId;
use crate::keep::keep;
use crate::network::Junction;
use crate::time::Span;

/// Limits of one group that an operator has narrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Narrowed {
    /// Whose.
    pub group: GroupId,
    /// Its shortest green from now on.
    pub min_green: Option<Span>,
    /// Its longest red from now on.
    pub max_red: Option<Span>,
}

keep!(Narrowed { group, min_green, max_red });

/// A junction and what narrows its limits.
#[derive(Debug, Clone, Copy)]
pub struct Bounds<'a> {
    /// The junction.
    pub junction: &'a Junction,
    /// Stricter limits; a laxer one counts for nothing.
    pub narrowed: &'a [Narrowed],
}

impl<'a> Bounds<'a> {
    /// The network's limits as they are.
    pub fn of(junction: &'a Junction) -> Self {
        Self { junction, narrowed: &[] }
    }

    /// The shortest green of `group`.
    pub fn min_green(&self, group: GroupId) -> Span {
        let stricter = self.narrowed.iter().filter(|n| n.group == group).filter_map(|n| n.min_green);
        stricter.fold(self.junction.groups[group].min_green.span, Span::max)
    }

    /// The longest red of `group` while demand waits.
    pub fn max_red(&self, group: GroupId) -> Span {
        let stricter = self.narrowed.iter().filter(|n| n.group == group).filter_map(|n| n.max_red);
        stricter.fold(self.junction.groups[group].max_red.span, Span::min)
    }
}

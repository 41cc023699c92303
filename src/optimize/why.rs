//! Why a base plan is what it is: the limits that bound it and the wishes it could not follow.

use std::fmt;

use crate::ids::{GroupId, StageId};
use crate::time::Span;

/// One reason behind a base plan.
#[derive(Debug, Clone, PartialEq)]
pub enum Why {
    /// Demand is so near to capacity that Webster's cycle explodes or turns negative; it was clamped.
    Saturated {
        /// The critical flow ratio: the sum of demand ÷ saturation flow along the critical path.
        flow_ratio: f64,
        /// What the cycle was clamped to.
        cycle: Span,
    },
    /// Webster's cycle lies outside what is allowed or possible; it was clamped.
    Clamped {
        /// Webster's cycle.
        wanted: Span,
        /// What it was clamped to.
        cycle: Span,
    },
    /// Its own best cycle gives way to the one its area shares.
    Shared {
        /// The cycle it would run alone.
        own: Span,
        /// The cycle of its area.
        common: Span,
    },
    /// It runs twice in every cycle of its area.
    Half {
        /// The cycle of its area.
        common: Span,
    },
    /// A limit left no choice.
    Bound(By),
    /// A limit cannot be kept together with those below it, and gives way to them.
    Broken(By),
    /// Demand exceeds capacity: a queue grows whatever the split.
    Overloaded {
        /// The greatest degree of saturation.
        saturation: f64,
    },
    /// Traffic asks for this group and no stage at hand serves it.
    Unserved(GroupId),
    /// The stages of the running plan were kept: new ones promise too little.
    Kept {
        /// The share of delay that other stages would save, 0 to 1.
        saving: f64,
    },
}

/// The limit that binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A group's shortest green (for pedestrians: walk).
    MinGreen(GroupId),
    /// The time owed between two groups.
    Intergreen(GroupId, GroupId),
    /// A group's longest red.
    MaxRed(GroupId),
    /// A stage's longest green.
    MaxGreen(StageId),
    /// A stage that is shorter would never be seen.
    Shown(StageId),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Saturated { flow_ratio, cycle } => {
                write!(f, "the critical flow ratio is {flow_ratio:.2}, for which no cycle suffices; {cycle} is allowed")
            }
            Self::Clamped { wanted, cycle } => write!(f, "a cycle of {wanted} was wanted and {cycle} is possible"),
            Self::Shared { own, common } => write!(f, "alone it would run {own}; its area runs {common}"),
            Self::Half { common } => write!(f, "it runs twice in its area's cycle of {common}"),
            Self::Bound(by) => write!(f, "bound by {by}"),
            Self::Broken(by) => write!(f, "{by} cannot be kept beside minimum greens and intergreens"),
            Self::Overloaded { saturation } => write!(f, "demand is {saturation:.2} times the capacity"),
            Self::Unserved(group) => write!(f, "{group} has demand and is in none of the stages"),
            Self::Kept { saving } => write!(f, "other stages would save {:.0} % only", saving * 100.0),
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MinGreen(group) => write!(f, "the minimum green of {group}"),
            Self::Intergreen(from, to) => write!(f, "the intergreen from {from} to {to}"),
            Self::MaxRed(group) => write!(f, "the maximum red of {group}"),
            Self::MaxGreen(stage) => write!(f, "the maximum green of {stage}"),
            Self::Shown(stage) => write!(f, "the change into {stage}"),
        }
    }
}

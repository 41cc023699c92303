//! Every rule a draft can break, each saying who, which limit and what value.

use thiserror::Error;

use crate::event::Revision;
use crate::ids::{GroupId, StageId};
use crate::time::{Span, Time};

/// One rule a draft breaks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Violation {
    /// Nothing is known of what the junction does.
    #[error("nothing is known of what the junction does")]
    Unknown,
    /// The plan it continues is none that the junction may be running.
    #[error("plan {} is none that the junction may be running", base.0)]
    Base {
        /// The plan it continues.
        base: Revision,
    },
    /// Its number was used before.
    #[error("number {} is not above {}, which the junction may be running", revision.0, newest.0)]
    Number {
        /// Its number.
        revision: Revision,
        /// The highest in use.
        newest: Revision,
    },
    /// It begins sooner than a controller can be told.
    #[error("it begins at {effective_from}, before {earliest}")]
    TooEarly {
        /// When it begins.
        effective_from: Time,
        /// When it may begin.
        earliest: Time,
    },
    /// It begins when it is no longer known what the junction does.
    #[error("it begins at {effective_from}, and what plan {} does is known until {known_until} only", revision.0)]
    TooLate {
        /// When it begins.
        effective_from: Time,
        /// The plan that may be running.
        revision: Revision,
        /// Until when that is known.
        known_until: Time,
    },
    /// It counts for no time, or for too long.
    #[error("it counts for {valid}, which is not within 0 s to {max}")]
    Validity {
        /// How long it counts.
        valid: Span,
        /// The longest allowed.
        max: Span,
    },
    /// It has too many parts.
    #[error("{count} {what} are more than {max}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// The most allowed.
        max: usize,
    },
    /// There is no such stage.
    #[error("{stage} is none of the junction's stages")]
    NoStage {
        /// What it names.
        stage: StageId,
    },
    /// Its tail has no stage at all.
    #[error("the tail has no stage")]
    NoTail,
    /// Its tail takes over too late.
    #[error("the tail takes over {after} after the plan begins, which is not within 0 s to {max}")]
    TailFrom {
        /// How long after the plan begins.
        after: Span,
        /// The longest allowed.
        max: Span,
    },
    /// A stage's share of the tail is out of bounds.
    #[error("{stage}: a share of {share} is not within {min} to {max}")]
    Share {
        /// Whose.
        stage: StageId,
        /// The share.
        share: Span,
        /// The shortest allowed.
        min: Span,
        /// The longest allowed.
        max: Span,
    },
    /// The tail's offset is out of bounds.
    #[error("an offset of {offset} is more than {max} from the master clock")]
    Offset {
        /// The offset.
        offset: Span,
        /// The largest allowed.
        max: Span,
    },
    /// A change keeps everybody at red for too long, or for less than no time.
    #[error("{clear} for the junction to clear before {stage} is not within 0 and {max}")]
    Clear {
        /// Before which stage.
        stage: StageId,
        /// How long.
        clear: Span,
        /// The longest allowed.
        max: Span,
    },
    /// A change does not come after what precedes it.
    #[error("the change into {stage} at {at} does not come after {after}")]
    Sequence {
        /// Into which stage.
        stage: StageId,
        /// When.
        at: Time,
        /// What it has to come after.
        after: Time,
    },
    /// A change lies off the grid.
    #[error("the change into {stage} at {at} is off the grid of {grid}")]
    OffGrid {
        /// Into which stage.
        stage: StageId,
        /// When.
        at: Time,
        /// The grid.
        grid: Span,
    },
    /// A stage may not follow another.
    #[error("{to} may not follow {from}")]
    Order {
        /// The stage before.
        from: StageId,
        /// The stage after.
        to: StageId,
    },
    /// Two groups that may never be green together are.
    #[error("{a} and {b} are green together")]
    Together {
        /// One.
        a: GroupId,
        /// The other.
        b: GroupId,
    },
    /// A green is too short.
    #[error("{group}: green of {green} is below its minimum {min}")]
    ShortGreen {
        /// The group.
        group: GroupId,
        /// Its green.
        green: Span,
        /// Its shortest green.
        min: Span,
    },
    /// A group belongs to a stage that is over before its intergreens are.
    #[error("{group} never turns green in {stage}")]
    NeverGreen {
        /// The group.
        group: GroupId,
        /// The stage.
        stage: StageId,
    },
    /// A stage goes on for too long.
    #[error("{stage}: green of {green} is above its maximum {max}")]
    LongGreen {
        /// The stage.
        stage: StageId,
        /// Its green.
        green: Span,
        /// Its longest green.
        max: Span,
    },
    /// Somebody has to wait for too long.
    #[error("{group}: red of {red} while somebody waits is above its maximum {max}")]
    LongRed {
        /// The group.
        group: GroupId,
        /// Its red since somebody waits.
        red: Span,
        /// The longest allowed.
        max: Span,
    },
}

//! What things are called in the API: one table for each kind of word, whatever the code calls them.

use crate::corridor;
use crate::event::Aspect;
use crate::network::SensorKind;
use crate::network::spec::{Level, Turn};
use crate::output::Source;

/// What has a word of its own in the API.
pub(super) trait Word {
    /// The word.
    fn word(self) -> &'static str;
}

macro_rules! words {
    ($($kind:ty { $($value:ident: $word:literal),+ $(,)? })+) => {$(
        impl Word for $kind {
            fn word(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }
        }
    )+};
}

words! {
    Level { City: "city", District: "district", Street: "street", Community: "community" }
    Turn { Left: "left", Straight: "straight", Right: "right", UTurn: "uturn" }
    SensorKind { Loop: "loop", Camera: "camera" }
    Aspect { Red: "red", Yellow: "yellow", Green: "green", Dark: "dark" }
    Source {
        Horizon: "horizon", Base: "base", Operator: "operator", Actuated: "actuated", MaxPressure: "maxpressure",
        Corridor: "corridor", Timed: "timed",
    }
    corridor::recovery::Standing {
        Serves: "serves", Owes: "owes", PaidBack: "paid_back", PassedOn: "passed_on", Overdue: "overdue", Lost: "lost",
    }
    corridor::State {
        Preview: "preview", Requested: "requested", Planned: "planned", Active: "active", Passed: "passed",
        Cancelled: "cancelled", TimedOut: "timed_out", Recovered: "recovered", Unrecovered: "unrecovered", Refused: "refused",
    }
}

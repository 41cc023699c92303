//! What can be set on the engine, with the sane default of each.

use serde::{Deserialize, Serialize};

use crate::corridor::Rules;
use crate::event::{Mode, PriorityClass};
use crate::time::Span;

/// How the engine works. Part of the config hash that every log carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Time between two steps, ms: 100 to 5 000.
    pub tick_ms: i64,
    /// A reading this late, ms, is still used for control.
    pub lateness_ms: i64,
    /// A plan counts from now + this at the earliest, ms. 0 in lock-step.
    pub lead_ms: i64,
    /// Stage changes begin only at multiples of this, ms.
    pub grid_ms: i64,
    /// A plan counts for this long, ms; the controller runs a program of its own after that.
    pub validity_ms: i64,
    /// What is done with plans until an operator says otherwise.
    pub mode: Mode,
    /// Who decides.
    pub control: Control,
    /// The index of links and zones is reported this often, s.
    pub index_every_s: i64,
    /// Which priority requests need no operator to be activated.
    pub activate: Activate,
    /// So many priority requests a minute are taken of one authority.
    pub requests_per_minute: i64,
    /// A priority request whose vehicle has said nothing for so long is timed out, s.
    pub vehicle_silence_s: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tick_ms: 1000,
            lateness_ms: 500,
            lead_ms: 1000,
            grid_ms: 1000,
            validity_ms: 180_000,
            mode: Mode::Shadow,
            control: Control::Greenwave,
            index_every_s: 60,
            activate: Activate::Police,
            requests_per_minute: 10,
            vehicle_silence_s: 30,
        }
    }
}

impl Settings {
    /// Time between two steps.
    pub fn tick(&self) -> Span {
        Span::from_ms(self.tick_ms)
    }

    /// A reading this late is still used for control.
    pub fn lateness(&self) -> Span {
        Span::from_ms(self.lateness_ms)
    }

    /// A plan counts from now + this at the earliest.
    pub fn lead(&self) -> Span {
        Span::from_ms(self.lead_ms)
    }

    /// How priority requests are treated.
    pub fn rules(&self) -> Rules {
        let automatic = match self.activate {
            Activate::None => None,
            Activate::Fire => Some(PriorityClass::Fire),
            Activate::Ambulance => Some(PriorityClass::Ambulance),
            Activate::Police => Some(PriorityClass::Police),
            Activate::Transit => Some(PriorityClass::Transit),
        };
        let per_minute = usize::try_from(self.requests_per_minute).unwrap_or(0);
        Rules { automatic, per_minute, silence: Span::from_s(self.vehicle_silence_s) }
    }

    /// Stage changes begin only at multiples of this.
    pub fn grid(&self) -> Span {
        Span::from_ms(self.grid_ms)
    }
}

/// Which priority requests need no operator to be activated: those of this class and of more urgent ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activate {
    /// Every one waits for an operator.
    None,
    /// Fire engines' alone.
    Fire,
    /// Ambulances' too.
    Ambulance,
    /// Those of police on a call too.
    #[default]
    Police,
    /// Late trams' and buses' too.
    Transit,
}

/// Who decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// The rolling schedule over the base plan.
    #[default]
    Greenwave,
    /// The programs as they are, never changed.
    Fixed,
    /// Nobody: what happens is estimated and indexed, and no plan is made. For history.
    Watch,
    /// Vehicle actuation: gap-out and max-out. A reference.
    Actuated,
    /// Max pressure with guards. A reference.
    MaxPressure,
}

impl Control {
    /// Whether a reference controller decides everywhere.
    pub(super) fn is_reference(self) -> bool {
        matches!(self, Self::Actuated | Self::MaxPressure)
    }
}

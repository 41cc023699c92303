//! What can be set on the engine, with the sane default of each.

use serde::{Deserialize, Serialize};

use crate::event::Mode;
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

    /// Stage changes begin only at multiples of this.
    pub fn grid(&self) -> Span {
        Span::from_ms(self.grid_ms)
    }
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
    /// Vehicle actuation: gap-out and max-out. A reference.
    Actuated,
    /// Max pressure with guards. A reference.
    MaxPressure,
}

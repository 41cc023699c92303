//! How well a number is known: every estimate carries it, and no better than its worst necessary part.

use crate::keep::keep;
use std::fmt;

use crate::units::VehPerHour;

/// How well something is known, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Quality {
    /// A healthy sensor counted it.
    Measured,
    /// Several accounts that each see a part of it were put together.
    Fused,
    /// Its neighbours say so.
    Imputed,
    /// It is usually so at this time of day.
    Profile,
    /// Nobody knows; the number is a prior.
    #[default]
    None,
}

keep!(
    enum Quality {
        Measured,
        Fused,
        Imputed,
        Profile,
        None,
    }
);

impl Quality {
    /// Every quality, the best first.
    pub const ALL: [Self; 5] = [Self::Measured, Self::Fused, Self::Imputed, Self::Profile, Self::None];

    /// The worse of the two: what a sum of both deserves.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        self.max(other)
    }

    /// The better of the two: what a choice between both deserves.
    #[must_use]
    pub fn better(self, other: Self) -> Self {
        self.min(other)
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Measured => "measured",
            Self::Fused => "fused",
            Self::Imputed => "imputed",
            Self::Profile => "profile",
            Self::None => "none",
        })
    }
}

/// A flow and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Estimate {
    /// The flow.
    pub flow: VehPerHour,
    /// How well it is known.
    pub quality: Quality,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_as_good_as_its_worst_part() {
        assert_eq!(Quality::Measured.worse(Quality::Imputed), Quality::Imputed);
        assert_eq!(Quality::Profile.better(Quality::Fused), Quality::Fused);
        assert!(Quality::ALL.windows(2).all(|pair| pair[0].worse(pair[1]) == pair[1]));
    }
}

//! What a junction falls back on, and why: from a schedule made on what is measured down to the controller's own
//! program.

use crate::keep::keep;
use std::fmt;

use crate::plan::ledger::Contact;
use crate::time::Span;
use crate::traffic::quality::Quality;

/// A controller that has said nothing for so long is taken to be out of reach.
pub const SILENCE_MAX: Span = Span::from_s(30);
/// The share of a junction's demand that has to be known as well as its rung says.
pub const SHARE_KNOWN: f64 = 0.8;

/// What a junction runs on, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rung {
    /// The rolling schedule, on demand that healthy sensors counted.
    Measured,
    /// The rolling schedule, on demand put together from several accounts.
    Fused,
    /// The rolling schedule, on demand that neighbours let one expect.
    Imputed,
    /// Vehicle actuation: loops alone do not tell well enough who waits beyond them.
    Actuated,
    /// A timed plan made for the demand there is, its shares the most that each stage gets: queues do not clear from round
    /// to round, so no green may be lost.
    Timed,
    /// The base plan, for what is usual at this time of day.
    Profile,
    /// The base program, because nothing is known or an operator wants it.
    Base,
    /// A program of the controller's own. It gets no plan.
    Own,
}

keep!(
    enum Rung {
        Measured,
        Fused,
        Imputed,
        Actuated,
        Timed,
        Profile,
        Base,
        Own,
    }
);

impl Rung {
    /// Whether it follows the traffic, not the clock.
    pub fn responds(self) -> bool {
        self <= Self::Timed
    }

    /// Whether the controller gets plans at all.
    pub fn plans(self) -> bool {
        self < Self::Own
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Measured => "schedule on measured demand",
            Self::Fused => "schedule on fused demand",
            Self::Imputed => "schedule on imputed demand",
            Self::Actuated => "vehicle actuation",
            Self::Timed => "timed plan for the demand there is",
            Self::Profile => "base plan for usual demand",
            Self::Base => "base program",
            Self::Own => "the controller's own program",
        })
    }
}

/// What an operator wants of a junction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The base program and nothing else.
    Hold,
    /// This program of its own.
    Pin(u8),
}

/// Why a junction is on its rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// So much is known of its demand.
    Demand(Quality),
    /// It is not known well enough who is where.
    Doubt,
    /// To serve everybody who is there takes a round so long.
    Full(Span),
    /// An operator wants it.
    Order(Order),
    /// It is not known what its controller does.
    Contact(Contact),
    /// Its controller has said nothing for this long.
    Silent(Span),
    /// It has not answered so many plans.
    Unanswered(usize),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Demand(Quality::None) => f.write_str("nothing is known of its demand"),
            Self::Doubt => f.write_str("its sensors do not tell well enough who is where"),
            Self::Full(round) => write!(f, "everybody who is there needs a round of {round}"),
            Self::Demand(quality) => write!(f, "its demand is {quality}"),
            Self::Order(Order::Hold) => f.write_str("an operator holds it"),
            Self::Order(Order::Pin(program)) => write!(f, "an operator pins program {program}"),
            Self::Contact(contact) => contact.fmt(f),
            Self::Silent(span) => write!(f, "its controller has said nothing for {span}"),
            Self::Unanswered(count) => write!(f, "its controller has not answered {count} plans"),
        }
    }
}

/// What decides the rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What is known of its controller.
    pub contact: Contact,
    /// For how long that has said nothing.
    pub silent: Span,
    /// How many plans it has not answered.
    pub unanswered: usize,
    /// What an operator wants.
    pub order: Option<Order>,
    /// How well its demand is known, [`known`].
    pub demand: Quality,
    /// How long a round would serve everybody who is there, where that is too long for schedules.
    pub full: Option<Span>,
    /// Whether it is known too badly who is where: sums are known, places are not.
    pub doubtful: bool,
}

/// The rung a junction is on, and the first reason that no better one is possible: safety, then the operator, then
/// what is known.
pub fn rung(facts: &Facts) -> (Rung, Reason) {
    if facts.contact != Contact::Known {
        return (Rung::Own, Reason::Contact(facts.contact));
    }
    if facts.silent > SILENCE_MAX {
        return (Rung::Own, Reason::Silent(facts.silent));
    }
    if facts.unanswered >= crate::plan::ledger::UNANSWERED_MAX {
        return (Rung::Own, Reason::Unanswered(facts.unanswered));
    }
    if let Some(order) = facts.order {
        return (Rung::Base, Reason::Order(order));
    }
    // Sums are enough for it.
    if let Some(round) = facts.full
        && facts.demand <= Quality::Imputed
    {
        return (Rung::Timed, Reason::Full(round));
    }
    if facts.doubtful && matches!(facts.demand, Quality::Fused | Quality::Imputed) {
        return (Rung::Actuated, Reason::Doubt);
    }
    let rung = match facts.demand {
        Quality::Measured => Rung::Measured,
        Quality::Fused => Rung::Fused,
        Quality::Imputed => Rung::Imputed,
        Quality::Profile => Rung::Profile,
        Quality::None => Rung::Base,
    };
    (rung, Reason::Demand(facts.demand))
}

/// How well a junction's demand is known when each part of it has its weight and quality: the best that
/// [`SHARE_KNOWN`] of the weight reaches. Without any weight nothing is known.
pub fn known(parts: impl IntoIterator<Item = (Quality, f64)>) -> Quality {
    let mut weights = [0.0; Quality::ALL.len()];
    for (quality, weight) in parts {
        weights[quality as usize] += weight.max(0.0);
    }
    let all: f64 = weights.iter().sum();
    let mut reached = 0.0;
    for (quality, weight) in Quality::ALL.into_iter().zip(weights) {
        reached += weight;
        if all > 0.0 && reached >= SHARE_KNOWN * all {
            return quality;
        }
    }
    Quality::None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ControllerMode;

    #[test]
    fn every_rung_has_its_reason() {
        let well = Facts {
            contact: Contact::Known,
            silent: Span::SECOND,
            unanswered: 1,
            order: None,
            demand: Quality::Measured,
            full: None,
            doubtful: false,
        };
        let local = Contact::Mode(ControllerMode::Local);
        let rows = [
            (well, "schedule on measured demand: its demand is measured"),
            (Facts { demand: Quality::Imputed, ..well }, "schedule on imputed demand: its demand is imputed"),
            // Who sees them with a camera knows where they are; loops alone may not.
            (Facts { doubtful: true, ..well }, "schedule on measured demand: its demand is measured"),
            (
                Facts { doubtful: true, demand: Quality::Fused, ..well },
                "vehicle actuation: its sensors do not tell well enough who is where",
            ),
            (
                Facts { full: Some(Span::from_s(83)), ..well },
                "timed plan for the demand there is: everybody who is there needs a round of 83 s",
            ),
            // What is not known is not planned for,
            (
                Facts { full: Some(Span::from_s(83)), demand: Quality::Profile, ..well },
                "base plan for usual demand: its demand is profile",
            ),
            // but who is where need not be known.
            (
                Facts { full: Some(Span::from_s(83)), doubtful: true, demand: Quality::Fused, ..well },
                "timed plan for the demand there is: everybody who is there needs a round of 83 s",
            ),
            (Facts { demand: Quality::Profile, ..well }, "base plan for usual demand: its demand is profile"),
            (Facts { demand: Quality::None, ..well }, "base program: nothing is known of its demand"),
            // What the operator wants goes before what is known,
            (Facts { order: Some(Order::Pin(2)), ..well }, "base program: an operator pins program 2"),
            (Facts { silent: SILENCE_MAX, order: Some(Order::Hold), ..well }, "base program: an operator holds it"),
            // and what the controller does before both.
            (
                Facts { contact: local, order: Some(Order::Hold), ..well },
                "the controller's own program: its controller runs a program of its own",
            ),
            (
                Facts { silent: SILENCE_MAX + Span::from_ms(1), ..well },
                "the controller's own program: its controller has said nothing for 30.001 s",
            ),
            (Facts { unanswered: 8, ..well }, "the controller's own program: its controller has not answered 8 plans"),
            (
                Facts { contact: Contact::Over, ..well },
                "the controller's own program: the plan of its controller is over",
            ),
        ];
        for (facts, expected) in rows {
            let (rung, reason) = rung(&facts);
            assert_eq!(format!("{rung}: {reason}"), expected);
            assert_eq!(rung.plans(), facts.contact == Contact::Known && rung != Rung::Own);
        }
        assert!(Rung::Timed.responds() && !Rung::Profile.responds());
    }

    #[test]
    fn demand_is_known_as_well_as_four_fifths_of_it() {
        for (parts, expected) in [
            (vec![(Quality::Measured, 80.0), (Quality::None, 20.0)], Quality::Measured), // one broken loop of five
            (vec![(Quality::Measured, 79.0), (Quality::Profile, 21.0)], Quality::Profile),
            (vec![(Quality::Measured, 50.0), (Quality::Imputed, 30.0), (Quality::None, 20.0)], Quality::Imputed),
            (vec![(Quality::Measured, 0.0)], Quality::None), // nobody can come: nothing to know
            (vec![], Quality::None),
        ] {
            assert_eq!(known(parts.clone()), expected, "{parts:?}");
        }
    }
}

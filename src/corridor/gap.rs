//! A vehicle that waits where no signal rules for a gap among those who go first: a green further on keeps them coming.

use crate::corridor::call::{Call, PASSED_M};
use crate::corridor::clear::Lead;
use crate::time::{Span, Time};

/// One that stands for so long where no signal rules finds no gap. Source: HCM, the longest critical headway of a minor road.
const GAP: Span = Span::from_ms(7100);

impl Call {
    /// From when on the green of its next signal, if it shows one, does not help it on; what was found so stays while it stands.
    pub(super) fn green_in_vain(&self, lead: &[Lead], now: Time) -> Option<Time> {
        self.progress.stands_since.filter(|&since| now - since > GAP)?;
        let mut ahead = self.way.gates.iter().zip(lead);
        let (gate, lead) = ahead.find(|(gate, _)| self.progress.at_m <= gate.at_m + PASSED_M)?;
        // Where it goes first itself, it stands in a queue that the signal's red has made.
        let here = self.way.row(self.progress.at_m);
        if !self.way.gives_way[here.min(gate.row)..gate.row].contains(&true) {
            return None;
        }
        let green = self.greens.iter().any(|&(junction, green)| junction == gate.junction && green <= now);
        self.in_vain.filter(|&from| green || from < now).or(green.then_some(now + lead.before))
    }

    /// Whether it waits for a gap that a green of its next signal keeps from coming.
    pub(super) fn finds_no_gap(&self, now: Time) -> bool {
        self.in_vain.is_some_and(|from| from < now)
    }
}

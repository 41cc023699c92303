//! What a vehicle's greens cost those who waited for them, junction by junction, and whether and when that was paid back.

use crate::ids::JunctionId;
use crate::keep::keep;
use crate::time::{Span, Time};

/// Paying back takes no longer than this many cycles of the base program; what is owed then is told as overdue.
pub const CYCLES_MAX: i64 = 3;
/// A junction that says nothing for so long of what it owes has lost count of it, or has nothing to say.
pub const QUIET: Span = Span::from_s(3);

/// Where a junction stands with those who waited for a vehicle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The vehicle is still to come through.
    Serves,
    /// It is through, and not all is paid back.
    Owes,
    /// Everybody who waited then has been served, no more vehicles stand than stood before, give or take a standard
    /// deviation, and what runs is decided again as it would be without the vehicle.
    PaidBack,
    /// Another call is served before all was paid back: what is still owed stands in that one's account.
    PassedOn,
    /// [`CYCLES_MAX`] cycles are over and not all is paid back. Nothing is measured from then on.
    Overdue,
    /// The junction no longer tells: its controller runs none of our plans any more.
    Lost,
}

keep!(
    enum Standing {
        Serves,
        Owes,
        PaidBack,
        PassedOn,
        Overdue,
        Lost,
    }
);

impl Standing {
    /// Whether more is to be heard of it.
    fn open(self) -> bool {
        matches!(self, Self::Serves | Self::Owes)
    }
}

/// What a junction says of one tick of a call that it led for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Owed {
    /// Delay in this tick beyond what it was before, vehicle-seconds.
    pub extra_veh_s: f64,
    /// Where it stands at its end.
    pub standing: Standing,
    /// Whether what runs is decided again as it would be without the vehicle: coordination is back.
    pub back: bool,
}

keep!(Owed { extra_veh_s, standing, back });

/// What one junction's greens for a vehicle cost others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Account {
    /// Which junction.
    pub junction: JunctionId,
    /// Delay of those who had to wait, beyond what it was before, vehicle-seconds.
    pub extra_veh_s: f64,
    /// Where it stands, ...
    pub standing: Standing,
    /// ... and since when: for [`Standing::PaidBack`] when that was.
    pub since: Time,
    /// Since when the vehicle is through.
    pub released: Option<Time>,
    /// Since when coordination is back.
    pub back: Option<Time>,
    heard: Time,
}

keep!(Account { junction, extra_veh_s, standing, since, released, back, heard });

impl Account {
    fn new(junction: JunctionId, now: Time) -> Self {
        let (standing, extra_veh_s) = (Standing::Serves, 0.0);
        Self { junction, extra_veh_s, standing, since: now, released: None, back: None, heard: now }
    }

    fn hear(&mut self, owed: Owed, now: Time) {
        self.heard = now;
        self.extra_veh_s += owed.extra_veh_s;
        match owed.standing {
            Standing::Serves => (self.released, self.back) = (None, None),
            Standing::Owes | Standing::PaidBack | Standing::Overdue => {
                self.released.get_or_insert(now);
                self.back = owed.back.then(|| self.back.unwrap_or(now));
            }
            Standing::PassedOn | Standing::Lost => {}
        }
        self.stand(owed.standing, now);
    }

    fn stand(&mut self, standing: Standing, now: Time) {
        if standing != self.standing {
            (self.standing, self.since) = (standing, now);
        }
    }
}

/// The accounts of one call, in the order in which they were opened.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Books {
    accounts: Vec<Account>,
}

keep!(Books { accounts });

impl Books {
    /// The accounts.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// What all greens have cost others so far, vehicle-seconds.
    pub fn extra_veh_s(&self) -> f64 {
        self.accounts.iter().map(|account| account.extra_veh_s).sum()
    }

    /// Enters what a junction says.
    pub fn hear(&mut self, junction: JunctionId, owed: Owed, now: Time) {
        let row = self.accounts.iter().position(|account| account.junction == junction).unwrap_or_else(|| {
            self.accounts.push(Account::new(junction, now));
            self.accounts.len() - 1
        });
        self.accounts[row].hear(owed, now);
    }

    /// Once nothing more is to be heard: whether all was paid back, and why it is said so. None until then.
    pub fn close(&mut self, now: Time) -> Option<(bool, String)> {
        for account in &mut self.accounts {
            if account.standing.open() && now - account.heard > QUIET {
                account.stand(Standing::Lost, now);
            }
        }
        if self.accounts.iter().any(|account| account.standing.open()) {
            return None;
        }
        let count = |standing| self.accounts.iter().filter(|account| account.standing == standing).count();
        let (overdue, lost, passed) = (count(Standing::Overdue), count(Standing::Lost), count(Standing::PassedOn));
        let all = self.accounts.len();
        let late = format!("{overdue} of {all} junctions did not pay back within {CYCLES_MAX} cycles what others lost");
        let silent = format!("{lost} of {all} junctions no longer tell what they owe");
        let why = match (overdue, lost, passed) {
            (0, 0, 0) => "every junction is back to its traffic".into(),
            (0, 0, _) => format!("what {passed} of {all} junctions still owe stands in a later call's account"),
            (_, 0, _) => late,
            (0, _, _) => silent,
            _ => format!("{late}; {silent}"),
        };
        Some((overdue + lost == 0, why))
    }
}

/// When the last junction had paid back what its greens cost others; none while one owes, or where one did not.
pub fn paid_back(accounts: &[Account]) -> Option<Time> {
    let all = accounts.iter().all(|account| account.standing == Standing::PaidBack);
    accounts.iter().map(|account| account.since).max().filter(|_| all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;

    fn owed(standing: Standing, extra_veh_s: f64, back: bool) -> Owed {
        Owed { extra_veh_s, standing, back }
    }

    #[test]
    fn what_was_measured_stays_and_what_is_not_paid_back_is_said() {
        use Standing::{Lost, Overdue, Owes, PaidBack, PassedOn, Serves};
        let at = Time::from_s;
        // What one junction says from second 10 on, one word a second; where it stands in the end, since when, through
        // since when, coordination back since when; what is said of it, and whether all was paid back.
        type Row<'a> = (&'a [(Standing, bool)], Standing, i64, Option<i64>, Option<i64>, &'a str, bool);
        let (even, late) = ("back to its traffic", "not pay back within 3 cycles");
        let rows: [Row<'_>; 5] = [
            (
                &[(Serves, false), (Owes, false), (Owes, true), (PaidBack, true)],
                PaidBack,
                13,
                Some(11),
                Some(12),
                even,
                true,
            ),
            // Coordination was left once more for one who had waited.
            (
                &[(Serves, false), (Owes, true), (Owes, false), (PaidBack, true)],
                PaidBack,
                13,
                Some(11),
                Some(13),
                even,
                true,
            ),
            // Back in coordination is not yet paid back.
            (
                &[(Serves, false), (Owes, true), (Owes, true), (Overdue, true)],
                Overdue,
                13,
                Some(11),
                Some(11),
                late,
                false,
            ),
            (&[(Serves, false), (PassedOn, false)], PassedOn, 11, None, None, "a later call's account", true),
            // It says nothing any more: that is noticed four seconds later.
            (&[(Serves, false), (Owes, false)], Lost, 15, Some(11), None, "no longer tell", false),
        ];
        for (said, standing, since, released, back, words, paid) in rows {
            let mut books = Books::default();
            let mut closed = None;
            for s in 10..20 {
                if let Some(&(standing, back)) = said.get(s as usize - 10) {
                    books.hear(JunctionId::of(3), owed(standing, 1.5, back), at(s));
                }
                closed = closed.or_else(|| books.close(at(s)));
            }
            let account = books.accounts()[0];
            let is = (account.standing, account.since, account.released, account.back);
            assert_eq!(is, (standing, at(since), released.map(at), back.map(at)), "{said:?}");
            assert!((books.extra_veh_s() - 1.5 * said.len() as f64).abs() < 1e-9, "{said:?}");
            let (all, why) = closed.expect("it is over");
            assert!(all == paid && why.contains(words), "{said:?}: {why}");
            assert_eq!(paid_back(books.accounts()), (standing == PaidBack).then_some(at(since)), "{said:?}");
        }
        assert_eq!(Books::default().close(at(0)).map(|c| c.0), Some(true), "who asked nobody owes nobody");
    }
}

//! Green waves when things go wrong, each with its own outcome: several calls at once, a vehicle that is lost, one that
//! lies, a flood of requests, people who have waited long enough. No red light is run, no lamp breaks a rule.

mod asked;
mod blocked;
mod lost;
mod recovery;
mod several;
mod street;

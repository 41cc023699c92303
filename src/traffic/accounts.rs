//! Several accounts of the same vehicles: who miscounts steadily is found out within minutes, and corrected.
//!
//! What passes the entry loop of a lane passes its stop line, and what the camera saw turn has crossed it too. Two
//! accounts that differ need a third to say which is wrong; without one, the smaller is: loops miss vehicles more
//! often than they invent them. Drivers who change lanes between the loops cancel out over the link.

use crate::ids::{Id, LaneId, LinkId, span};
use crate::network::Network;
use crate::time::Time;
use crate::traffic::health::Cause;
use crate::traffic::lane::{Lane, VIEW_AGE_MAX};
use crate::traffic::queue::SPACING;
use crate::traffic::scope::Role;
use crate::traffic::{Road, Traffic};

/// Accounts are compared once the larger of two has this many vehicles.
const COMPARED_VEH: f32 = 30.0;
/// Smaller ratios of two accounts, and larger than its inverse, are no chance.
const RATIO_MIN: f32 = 0.78;
/// A sensor that has to be corrected by more than this, or by less than its inverse, does not count at all.
const FACTOR_MAX: f32 = 4.0;
/// A lane carries no more over minutes, veh/h.
const LANE_MAX: f32 = 2600.0;
/// A camera whose view does not change while loops count this many does not look.
const UNSEEN_MAX: f32 = 15.0;
/// From one of its readings to the next no more than this many count: three in a row may be alike by chance.
const UNSEEN_A_READING: f32 = 5.0;
/// Vehicles that would fill this share of a view, standing, may belong to a queue that reaches beyond it.
const DENSE: f32 = 0.4;
/// At least this share of a lane's difference must not be made up for by its neighbours.
const OWN_SHARE: f32 = 0.6;

impl Road {
    /// Whether its camera says, now, which way those go who leave.
    pub(super) fn turns_told(&self, now: Time) -> bool {
        self.camera_ok && self.turns_ok && now - self.seen_at <= VIEW_AGE_MAX
    }

    /// Vehicles by the loops for each that the camera saw turn. Ten vehicles that agree are the prior.
    pub(super) fn turn_ratio(&self) -> f32 {
        ((self.crossed_sum + 10.0) / (self.turned_sum + 10.0)).clamp(0.4, 2.5)
    }

    /// Its camera reports again: the same as before, or something else.
    pub(super) fn looked(&mut self, changed: bool) {
        let passed = std::mem::take(&mut self.passed).min(UNSEEN_A_READING);
        self.unseen = if changed { 0.0 } else { self.unseen + passed };
    }
}

impl Lane {
    /// Vehicles between its loops, counted by the upstream one alone: those whom a camera sees there, which looks as far as
    /// `view_m`; and those that may be there besides: on their way, and as many as there is room for where nobody looks.
    fn held(&self, now: Time, view_m: f32) -> (f32, f32) {
        let (spacing, entry_m) = (SPACING.get() as f32, self.entry_at.get() as f32);
        let room = entry_m / spacing;
        let Some((vehicles, queue)) = self.view(now) else { return (0.0, room) };
        // Who drives in a view that goes on beyond the loop may not have come to that yet.
        let seen = f32::from(if view_m <= entry_m { vehicles } else { queue }).min(room);
        let beyond = (entry_m - view_m).max(0.0) / spacing;
        (seen, self.underway + if seen * spacing >= DENSE * view_m { beyond } else { 0.0 })
    }
}

fn odd(ratio: f32) -> bool {
    !(RATIO_MIN..=1.0 / RATIO_MIN).contains(&ratio)
}

impl Traffic {
    /// Compares the accounts of the links whose turn it is this second.
    pub(super) fn compare_accounts(&mut self, network: &Network) {
        let period = (60_000 / self.settings.tick.ms().max(1)).max(1) as usize;
        let first = self.scope.links.start.index();
        let mut row = self.ticks as usize % period;
        while row < self.roads.len() {
            self.compare(network, LinkId::of(first + row));
            row += period;
        }
    }

    fn compare(&mut self, network: &Network, id: LinkId) {
        let lanes = &network.link(id).lanes;
        let view_m = self.roads[id].view_m;
        let counted = self.lanes.slice(lanes).iter().filter(|l| l.out_ok && l.in_ok);
        let difference: f32 = counted.map(|l| l.in_sum - l.held(self.now, view_m).0 - l.out_sum).sum();
        let total: f32 = self.lanes.slice(lanes).iter().map(|l| l.out_sum).sum();
        let mut suspects = false;
        for lane in span(lanes) {
            let row = &self.lanes[lane];
            let (held, perhaps) = row.held(self.now, view_m);
            let (out, into) = (row.out_sum, row.in_sum - held);
            if !row.out_ok || !row.in_ok || out.max(into) < COMPARED_VEH {
                continue;
            }
            let own = into - out;
            let apart = (own.abs() - perhaps).max(0.0);
            if !odd(1.0 - apart / out.max(into)) || difference * own.signum() < OWN_SHARE * own.abs() {
                (self.lanes[lane].out_sum, self.lanes[lane].in_sum) = (0.5 * out, 0.5 * into + held);
                continue;
            }
            suspects = true;
            let wrong = self.wrong_loop(id, lane, total);
            let ratio = if wrong == Role::StopLine { (into + 1.0) / (out + 1.0) } else { (out + 1.0) / (into + 1.0) };
            self.correct(id, Some(lane), wrong, ratio);
            (self.lanes[lane].out_sum, self.lanes[lane].in_sum) = (0.0, held);
        }
        self.judge_camera(id, suspects);
    }

    /// Which of a lane's two loops is wrong: the one that, put right, brings the link nearer to what the camera saw.
    fn wrong_loop(&self, id: LinkId, lane: LaneId, total: f32) -> Role {
        let (road, row) = (&self.roads[id], &self.lanes[lane]);
        let smaller = if row.out_sum < row.in_sum { Role::StopLine } else { Role::Entry };
        let own = row.in_sum - row.out_sum;
        if road.turns_ok && road.turned_sum > COMPARED_VEH && road.crossed_sum > COMPARED_VEH {
            // The link's departures with this lane as the stop line has it, and as the entry loop has it.
            let as_is = (road.crossed_sum / road.turned_sum - 1.0).abs();
            let other = (road.crossed_sum * (1.0 + own / total.max(1.0)) / road.turned_sum - 1.0).abs();
            return if as_is <= other { Role::Entry } else { Role::StopLine };
        }
        let larger = if smaller == Role::StopLine { Role::Entry } else { Role::StopLine };
        if row.rate > LANE_MAX { larger } else { smaller }
    }

    /// The camera against loops that agree with each other.
    fn judge_camera(&mut self, id: LinkId, suspects: bool) {
        let road = &mut self.roads[id];
        if road.camera_ok && road.unseen >= UNSEEN_MAX {
            road.unseen = 0.0;
            self.condemn(id, None, Role::Camera, Cause::NoChange);
            return;
        }
        let most = road.turned_sum.max(road.crossed_sum);
        if most < COMPARED_VEH {
            return;
        }
        if suspects {
            (road.turned_sum, road.crossed_sum) = (0.0, 0.0);
        } else if odd(road.turn_ratio() / road.factor) {
            // It misses vehicles in its view as it misses those that turn.
            let factor = (road.crossed_sum + 1.0) / (road.turned_sum + 1.0);
            if (1.0 / FACTOR_MAX..=FACTOR_MAX).contains(&factor) {
                road.factor = if odd(factor) { factor } else { 1.0 };
            } else {
                (road.turned_sum, road.crossed_sum) = (0.0, 0.0);
                self.condemn(id, None, Role::Camera, Cause::Miscounts);
            }
        } else if most > 8.0 * COMPARED_VEH {
            road.turned_sum *= 0.5;
            road.crossed_sum *= 0.5;
        }
    }

    fn correct(&mut self, id: LinkId, lane: Option<LaneId>, role: Role, ratio: f32) {
        let Some(slot) = self.slot_of(id, lane, role) else { return };
        let factor = self.ears[slot].factor * ratio;
        if (1.0 / FACTOR_MAX..=FACTOR_MAX).contains(&factor) {
            self.ears[slot].factor = if odd(factor) { factor } else { 1.0 };
        } else {
            self.condemn(id, lane, role, Cause::Miscounts);
        }
    }

    fn condemn(&mut self, id: LinkId, lane: Option<LaneId>, role: Role, cause: Cause) {
        let Some(slot) = self.slot_of(id, lane, role) else { return };
        self.ears[slot].factor = 1.0;
        self.ears[slot].monitor.condemn(cause, self.now);
        self.judge_health(slot, self.now);
    }

    fn slot_of(&self, id: LinkId, lane: Option<LaneId>, role: Role) -> Option<usize> {
        let here = |ear: &super::Ear| ear.place.role == role && lane.is_none_or(|lane| ear.place.lane == lane);
        self.watching[id].iter().map(|&slot| slot as usize).find(|&slot| here(&self.ears[slot]))
    }
}

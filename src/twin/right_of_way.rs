//! Who may go: what light, gaps and room let the first vehicle of a lane do.

use std::ops::Range;

use super::calendar::{Ms, NEVER};
use super::conflict::Foe;
use super::flow::{Flow, Head, LOOK_AGAIN, MERGE, ms};
use super::lane::Held;
use super::road::{NONE, Release};
use crate::event::Aspect;
use crate::network::VehicleClass;

/// A lane farther to the side costs as much as this much more queue, cm.
const LANE_CHANGE_CM: u32 = 1_000;

/// Whether the first vehicle of a lane goes.
#[derive(Debug)]
pub(super) enum Verdict {
    Go { path: u32, target: u32 },
    Later(Held, Ms),
    Red,
    Full(u32),
}

impl Flow {
    /// Whether light, gaps and room let the first vehicle of `lane` go, and where.
    pub(super) fn judge(&mut self, lane: u32, vehicle: u32, now: Ms) -> Verdict {
        let next = self.fleet.next_hop(vehicle);
        let mut path = NONE;
        for exit in self.roads.strips[lane as usize].exits.clone() {
            let p = &self.roads.paths[exit as usize];
            let leads_on = next.mask >> self.roads.strips[p.to as usize].index & 1 == 1;
            if p.to_link == next.link && (path == NONE || leads_on) {
                path = exit;
                if leads_on {
                    break;
                }
            }
        }
        if path == NONE {
            path = self.fleet.hop(vehicle).via; // it stands in a lane that does not lead there: it cuts across
        }
        let (foes, gap_s) = match self.light(lane, path, now) {
            Ok(given) => given,
            Err(verdict) => return verdict,
        };
        if let Some(at) = self.gap(foes, gap_s, now) {
            return Verdict::Later(Held::Gap, at);
        }
        let class = self.fleet.rows[vehicle as usize].class;
        let Some(target) = self.lane_beyond(lane, path, next.mask, class) else {
            return Verdict::Later(Held::Room, now + LOOK_AGAIN);
        };
        let space = u32::from(self.fleet.rows[vehicle as usize].space);
        let seamless = self.roads.paths[path as usize].seamless;
        let beyond = &mut self.lanes[target as usize];
        let (entered, by) = beyond.last_entry;
        if by != lane && by != NONE && now < entered + MERGE {
            return Verdict::Later(Held::No, entered + MERGE);
        }
        match beyond.admits(space, seamless, now) {
            Ok(()) => Verdict::Go { path, target },
            Err(Some(at)) => Verdict::Later(Held::Room, at),
            Err(None) => Verdict::Full(target),
        }
    }

    /// Whom a path has to let pass under the light it has, and how large a gap it needs; or why it may not go.
    fn light(&mut self, lane: u32, path: u32, now: Ms) -> Result<(Range<u32>, f64), Verdict> {
        let p = &self.roads.paths[path as usize];
        let l = &self.lanes[lane as usize];
        let waited = now.saturating_sub(l.stopped);
        // Who waits long takes smaller gaps.
        let gap_s =
            self.driving.critical_gap_s * (1.0 - 0.4 * (f64::from(waited.saturating_sub(15_000)) / 45_000.0).min(1.0));
        let Release::Signal(group) = p.release else {
            let emergency = self.fleet.rows[l.head as usize].class == VehicleClass::Emergency;
            let gap_s = if emergency { gap_s.min(self.driving.emergency_gap_s) } else { gap_s };
            return Ok((p.foes.clone(), gap_s));
        };
        let head = self.heads[group as usize];
        match head.aspect {
            Aspect::Green if now >= head.since => Ok((p.foes.clone(), gap_s)),
            Aspect::Green => Err(Verdict::Later(Held::Red, head.since)),
            Aspect::Yellow if now <= head.since + self.yellow_used(head) => Ok((p.foes.clone(), gap_s)),
            // One who waited in the junction for a gap leaves it while the light is yellow.
            Aspect::Yellow if l.held == Held::Gap && now < head.since + head.yellow => Ok((p.foes.clone(), gap_s)),
            Aspect::Red if p.turn_on_red => {
                let stop = ms(self.driving.stop_on_red_s);
                if waited < stop {
                    Err(Verdict::Later(Held::Red, now + stop - waited))
                } else {
                    Ok((p.red_foes.clone(), gap_s))
                }
            }
            Aspect::Dark => Ok((p.red_foes.clone(), gap_s)),
            Aspect::Yellow | Aspect::Red => Err(Verdict::Red),
        }
    }

    fn yellow_used(&self, head: Head) -> Ms {
        ms(self.driving.yellow_used_s).min(head.yellow.saturating_sub(1))
    }

    /// When to look again because somebody with the right of way comes first; none where nobody does.
    fn gap(&self, foes: Range<u32>, gap_s: f64, now: Ms) -> Option<Ms> {
        let (gap, clearing) = (ms(gap_s), ms(self.driving.clearing_s));
        for foe in &self.roads.foes[foes.start as usize..foes.end as usize] {
            match *foe {
                Foe::Crossing(crossing) => {
                    let until = self.walked_until[crossing as usize];
                    if now < until {
                        return Some(until);
                    }
                }
                Foe::Path(path) => {
                    let last = self.crossed[path as usize];
                    if last != NEVER && now < last + clearing {
                        return Some(last + clearing);
                    }
                    if let Some(eta) = self.comes(path, now).filter(|&eta| eta < now + gap) {
                        return Some(eta.max(now) + 300);
                    }
                }
            }
        }
        None
    }

    /// When the next vehicle will cross on `path`, if the first of its lane takes it and nothing holds it.
    fn comes(&self, path: u32, now: Ms) -> Option<Ms> {
        let p = &self.roads.paths[path as usize];
        let l = &self.lanes[p.from as usize];
        if l.head == NONE || l.next == NEVER || matches!(l.held, Held::Gap | Held::Room) {
            return None;
        }
        if self.fleet.hop(l.head).last || self.fleet.next_hop(l.head).link != p.to_link {
            return None;
        }
        let eta = l.next.max(now);
        let Release::Signal(group) = p.release else { return Some(eta) };
        let head = self.heads[group as usize];
        let goes = match head.aspect {
            Aspect::Green | Aspect::Dark => true,
            Aspect::Yellow => eta <= head.since + self.yellow_used(head),
            Aspect::Red => false,
        };
        goes.then_some(eta)
    }

    /// The lane a vehicle takes beyond the line: one that leads on, with the least queue, near where its path leads.
    fn lane_beyond(&self, lane: u32, path: u32, mask: u16, class: VehicleClass) -> Option<u32> {
        let p = &self.roads.paths[path as usize];
        let wanted = self.roads.strips[p.to as usize].index;
        let long = self.roads.links[p.to_link as usize].long;
        let mut reached = 0u16;
        for exit in self.roads.strips[lane as usize].exits.clone() {
            let e = &self.roads.paths[exit as usize];
            if e.to_link == p.to_link {
                reached |= 1 << self.roads.strips[e.to as usize].index;
            }
        }
        let allowed = if !long && reached & mask != 0 { reached & mask } else { mask };
        let cost = |lane: u32| {
            let l = &self.lanes[lane as usize];
            let index = self.roads.strips[lane as usize].index;
            (!l.closed).then(|| l.inside() + LANE_CHANGE_CM * u32::from(index.abs_diff(wanted)))
        };
        self.roads.best_lane(p.to_link, allowed, class, cost).or_else(|| {
            // Nobody of this class may be where its route leads; it goes there all the same.
            self.roads.best_lane(p.to_link, allowed, VehicleClass::Emergency, cost)
        })
    }

    /// Keeps a record of who crosses a red light: nobody may.
    pub(super) fn observe_light(&mut self, lane: u32, path: u32, now: Ms) {
        let p = &self.roads.paths[path as usize];
        let Release::Signal(group) = p.release else { return };
        let head = self.heads[group as usize];
        let red = head.aspect == Aspect::Red || (head.aspect == Aspect::Green && now < head.since);
        if red && !p.turn_on_red {
            self.red_crossings += 1;
            let vehicle = self.lanes[lane as usize].head;
            let ambulance = self.fleet.rows[vehicle as usize].ambulance;
            if ambulance != NONE {
                self.ran_red.push(ambulance);
            }
        }
    }
}

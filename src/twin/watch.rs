//! What a perfect sensor would see: loops that vehicles cross and cover, cameras that see where they are.

use super::calendar::{Ms, NEVER};
use super::lane::Lane;
use super::road::NONE;
use super::vehicle::Vehicle;
use crate::network::VehicleClass;

/// Length of a loop along the road, cm.
const LOOP_CM: i64 = 200;
/// Speed of a vehicle that starts from a queue, m/s.
const STARTING_MPS: f64 = 5.0;
/// A queued vehicle that last moved longer ago than this stands.
const STANDS: Ms = 2_000;

/// Where a vehicle is in its lane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Whereabouts {
    pub(super) vehicle: u32,
    /// From its front to the line, cm.
    pub(super) distance: u32,
    pub(super) stands: bool,
    /// Whether it is in a queue, standing or moving up.
    pub(super) queued: bool,
}

/// Where the vehicles of a lane are at `now`, the first in line first; those still inside the node are left out.
pub(super) fn whereabouts<'a>(lane: &'a Lane, rows: &'a [Vehicle], now: Ms) -> impl Iterator<Item = Whereabouts> + 'a {
    let mut next = lane.head;
    let mut ahead = 0; // nobody is seen beside the one ahead of him
    std::iter::from_fn(move || {
        loop {
            let vehicle = next;
            let v = rows.get(vehicle as usize)?;
            next = v.next;
            if now < v.entered {
                continue;
            }
            let mut here = place(lane, v, vehicle, now);
            here.distance = here.distance.max(ahead);
            ahead = (here.distance + u32::from(v.length)).min(lane.length);
            return Some(here);
        }
    })
}

fn place(lane: &Lane, v: &Vehicle, vehicle: u32, now: Ms) -> Whereabouts {
    let free = if now >= v.ready {
        0
    } else {
        (u64::from(lane.length) * u64::from(v.ready - now) / u64::from(v.ready - v.entered).max(1)) as u32
    };
    let behind = |curve: u32| (v.mark.wrapping_sub(curve) as i32).max(0) as u32;
    let nearest = behind(lane.freed());
    let (felt, moved) = lane.freed_as_felt(nearest, now);
    let queued = behind(felt).min(lane.length);
    let in_queue = free <= queued;
    Whereabouts { vehicle, distance: free.max(queued), stands: in_queue && now >= moved + STANDS, queued: in_queue }
}

/// A loop as the road moves it.
#[derive(Debug, Clone)]
struct Loop {
    distance: u32,
    /// The next vehicle to cross it.
    front: u32,
    /// The vehicle that covers it, and since when.
    covered: Option<(u32, Ms)>,
    count: u32,
    busy: Ms,
    speed_sum: f64,
    read: Ms,
}

/// What a loop saw since it was last read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LoopView {
    pub(super) count: u32,
    pub(super) occupancy: f64,
    pub(super) speed: Option<f64>,
}

/// Vehicles that left a link for an exit, since last asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turned {
    pub(super) to: u32,
    pub(super) class: VehicleClass,
    pub(super) count: u16,
}

/// Every loop, and the turns of the links that cameras watch.
#[derive(Debug, Default)]
pub(super) struct Watch {
    loops: Vec<Loop>,
    /// The loops of each lane.
    on: Vec<Vec<u32>>,
    /// The cameras of each link, and what each counted.
    cameras: Vec<Vec<u32>>,
    turned: Vec<Vec<Turned>>,
}

impl Loop {
    /// When the front of `v` is `distance` cm from the line, as far as that is known.
    fn passes(v: &Vehicle, distance: u32, lane: &Lane) -> (Ms, bool) {
        let along = u64::from(lane.length.saturating_sub(distance));
        let free = v.entered + (u64::from(v.ready - v.entered) * along / u64::from(lane.length).max(1)) as Ms;
        match lane.freed_at(v.mark.wrapping_sub(distance)) {
            None => (NEVER, true),
            Some(0) => (free, false),
            Some(freed) => {
                let moved = freed + lane.wave_to(distance);
                (free.max(moved), moved > free)
            }
        }
    }

    fn clears(&mut self, at: Ms) {
        if let Some((_, since)) = self.covered.take() {
            self.busy += at.saturating_sub(since.max(self.read));
        }
    }

    fn counts(&mut self, vehicle: u32, at: Ms, speed: f64, behind: u32) {
        self.count += 1;
        self.speed_sum += speed;
        self.covered = Some((vehicle, at));
        self.front = behind;
    }

    /// Where the front of `v` is when its rear leaves the loop: cm from the line, negative beyond it.
    fn rear(&self, v: &Vehicle) -> i64 {
        i64::from(self.distance) - i64::from(v.length) - LOOP_CM
    }

    fn speed(v: &Vehicle, lane: &Lane, queued: bool) -> f64 {
        let free = f64::from(lane.length) * 10.0 / f64::from((v.ready - v.entered).max(1));
        if queued { free.min(STARTING_MPS) } else { free }
    }

    fn advance(&mut self, until: Ms, lane: &Lane, rows: &[Vehicle]) {
        loop {
            match self.covered {
                None => {
                    let Some(v) = rows.get(self.front as usize) else { return };
                    let (at, queued) = Self::passes(v, self.distance, lane);
                    if at > until {
                        return;
                    }
                    self.counts(self.front, at, Self::speed(v, lane, queued), v.next);
                }
                Some((vehicle, since)) => {
                    let v = &rows[vehicle as usize];
                    let Ok(rear) = u32::try_from(self.rear(v)) else { return };
                    let at = Self::passes(v, rear, lane).0.max(since);
                    if at > until {
                        return;
                    }
                    self.clears(at);
                }
            }
        }
    }
}

impl Watch {
    pub(super) fn new(lanes: usize, links: usize) -> Self {
        Self { loops: Vec::new(), on: vec![Vec::new(); lanes], cameras: vec![Vec::new(); links], turned: Vec::new() }
    }

    pub(super) fn add_loop(&mut self, lane: u32, distance: u32) -> u32 {
        let row = self.loops.len() as u32;
        self.loops.push(Loop { distance, front: NONE, covered: None, count: 0, busy: 0, speed_sum: 0.0, read: 0 });
        self.on[lane as usize].push(row);
        row
    }

    pub(super) fn add_camera(&mut self, link: u32) -> u32 {
        self.turned.push(Vec::new());
        self.cameras[link as usize].push(self.turned.len() as u32 - 1);
        self.turned.len() as u32 - 1
    }

    pub(super) fn enters(&mut self, lane: u32, vehicle: u32) {
        for &row in &self.on[lane as usize] {
            let one = &mut self.loops[row as usize];
            if one.front == NONE {
                one.front = vehicle;
            }
        }
    }

    /// The first vehicle of a lane leaves it: whatever it did to the lane's loops is known now.
    pub(super) fn leaves(&mut self, lane: u32, vehicle: u32, now: Ms, l: &Lane, rows: &[Vehicle]) {
        for &row in &self.on[lane as usize] {
            let one = &mut self.loops[row as usize];
            one.advance(now, l, rows);
            let v = &rows[vehicle as usize];
            if one.covered.is_none() && one.front == vehicle {
                one.counts(vehicle, now, Loop::speed(v, l, true), v.next);
            }
            if one.covered.is_some_and(|(by, _)| by == vehicle) {
                let beyond = (-one.rear(v)).max(0) as f64 / 100.0;
                one.clears(now + (beyond / STARTING_MPS * 1000.0) as Ms);
            }
        }
    }

    pub(super) fn turns(&mut self, from: u32, to: u32, class: VehicleClass) {
        for &camera in &self.cameras[from as usize] {
            let turned = &mut self.turned[camera as usize];
            match turned.iter_mut().find(|t| t.to == to && t.class == class) {
                Some(t) => t.count = t.count.saturating_add(1),
                None => turned.push(Turned { to, class, count: 1 }),
            }
        }
    }

    /// What a camera counted since it was last asked.
    pub(super) fn take_turns(&mut self, camera: u32) -> Vec<Turned> {
        std::mem::take(&mut self.turned[camera as usize])
    }

    /// What a loop saw since it was last read.
    pub(super) fn read(&mut self, row: u32, now: Ms, lane: &Lane, rows: &[Vehicle]) -> LoopView {
        let one = &mut self.loops[row as usize];
        one.advance(now, lane, rows);
        let open = one.covered.map_or(0, |(_, since)| now.saturating_sub(since.max(one.read)));
        let interval = f64::from(now.saturating_sub(one.read).max(1));
        let view = LoopView {
            count: one.count,
            occupancy: (f64::from(one.busy + open) / interval).min(1.0),
            speed: (one.count > 0).then(|| one.speed_sum / f64::from(one.count)),
        };
        (one.count, one.busy, one.speed_sum, one.read) = (0, 0, 0.0, now);
        view
    }
}

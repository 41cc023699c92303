//! When those who come would cross: who is on the approach, and whom a neighbour will let go.

use super::situation::Situation;
use crate::ids::LaneId;
use crate::network::Network;
use crate::traffic::node::ACCELERATION;
use crate::traffic::tracker::{Crossing, LaneTrack, Tracker, Vehicle};

/// A vehicle that a neighbour will let go: the lane by which it comes then, when it crosses the line there, s, its way from
/// there to the lane, and what its choices are drawn from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comer {
    pub(super) lane: LaneId,
    after: f32,
    inside_m: f32,
    pub(super) seed: u32,
}

impl Comer {
    /// When it would cross at the end of that lane if nothing held it, s.
    pub(super) fn arrives(&self, tracker: &Tracker, track: &LaneTrack) -> f32 {
        self.after + (self.inside_m + track.length()) / (tracker.pace() * track.speed()).max(1.0)
    }
}

impl Situation {
    /// Notes who will come, as neighbours expect.
    pub(super) fn announce(&mut self, network: &Network, tracker: &Tracker, announced: &[Crossing]) {
        self.comers.clear();
        for crossing in announced {
            let lane = tracker.lane_entered(network, crossing.connection, crossing.seed);
            let inside_m = network.connections()[crossing.connection].length.get() as f32;
            self.comers.push(Comer { lane, after: self.after(crossing.at), inside_m, seed: crossing.seed });
        }
    }
}

/// When a vehicle that drives no faster than `most` would pass the line, `offset` metres beyond its lane's end, if nothing
/// held it, s.
pub(super) fn free_run(vehicle: &Vehicle, offset: f32, most: f32) -> f32 {
    let way = (vehicle.gap + offset).max(0.0);
    let most = most.max(1.0);
    let gain = (most - vehicle.speed).max(0.0) / ACCELERATION;
    let run_up = 0.5 * (vehicle.speed + most) * gain;
    if way >= run_up {
        return gain + (way - run_up) / most;
    }
    ((vehicle.speed * vehicle.speed + 2.0 * ACCELERATION * way).sqrt() - vehicle.speed) / ACCELERATION
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Sensors;
    use crate::optimize::horizon::tests::permissive_network;
    use crate::time::Time;

    #[test]
    fn who_is_free_picks_up_speed_and_drives_on() {
        let drives = |gap: f32, speed: f32, most: f32| free_run(&Vehicle { gap, speed, seed: 1, age: 0.0 }, 10.0, most);
        // 100 m at 10 m/s; 22 m from standing still; 4.5 s to reach 10 m/s, 22.7 m, and the rest of 100 m at that.
        for (got, expected) in
            [(drives(90.0, 10.0, 10.0), 10.0), (drives(12.0, 0.0, 20.0), 4.47), (drives(90.0, 0.0, 10.0), 12.27)]
        {
            assert!((got - expected).abs() < 0.01, "{got} {expected}");
        }
    }

    #[test]
    fn whom_a_neighbour_lets_go_comes_through_the_node_and_along_the_road() {
        let network = permissive_network();
        let (connection, path) = network.connections().iter().next().expect("it has paths");
        let sensors = Sensors::default();
        let tracker = Tracker::new(&network, &sensors, &network.partitions()[0], Time::EPOCH);
        let track = tracker.lane(path.to).expect("it is here");
        let mut situation = Situation { now: Time::from_s(100), ..Situation::default() };
        let crossing = Crossing { connection, at: Time::from_s(103), seed: 7 };
        situation.announce(&network, &tracker, &[crossing]);
        let [comer] = situation.comers[..] else { panic!("one comes: {:?}", situation.comers) };
        assert_eq!((comer.lane, comer.seed), (path.to, 7));
        let way = path.length.get() as f32 + track.length();
        let expected = 3.0 + way / (tracker.pace() * track.speed());
        assert!((comer.arrives(&tracker, track) - expected).abs() < 1e-3, "{expected}");
    }
}

//! Persistent draws: what a vehicle will do is drawn from its own seed, the same each time it is asked.

/// Scrambles a number; neighbours come out unrelated. Source: the finalizer of MurmurHash3.
pub fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x85eb_ca6b);
    x ^= x >> 13;
    x = x.wrapping_mul(0xc2b2_ae35);
    x ^ x >> 16
}

/// The number in [0, 1) that a vehicle draws for one question.
pub fn unit(seed: u32, question: u32) -> f32 {
    (mix(seed ^ mix(question.wrapping_add(0x9e37_79b9))) >> 8) as f32 / (1 << 24) as f32
}

/// Which of its lane's exits a vehicle takes in world `sample`, among those in the bit set `among`, each as likely as
/// its share; all of them if `among` is empty. `None` without exits.
pub fn exit(seed: u32, sample: u32, shares: &[f32], among: u32) -> Option<usize> {
    let first = |at: usize| among == 0 || at < 32 && among >> at & 1 == 1;
    let total: f32 = shares.iter().enumerate().filter(|(at, _)| first(*at)).map(|(_, s)| s).sum();
    let mut rest = unit(seed, sample) * total;
    let mut last = None;
    for (at, share) in shares.iter().enumerate().filter(|(at, _)| first(*at)) {
        last = Some(at);
        rest -= share;
        if rest < 0.0 {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vehicle_always_draws_the_same_and_many_draw_their_shares() {
        let shares = [0.6, 0.3, 0.1];
        let mut taken = [0; 3];
        for seed in 0..10_000 {
            let way = exit(mix(seed), 1, &shares, 0).unwrap();
            assert_eq!(exit(mix(seed), 1, &shares, 0), Some(way));
            taken[way] += 1;
        }
        for (share, count) in shares.iter().zip(taken) {
            assert!((share * 10_000.0 - count as f32).abs() < 200.0, "{taken:?}");
        }
    }

    #[test]
    fn what_is_ruled_out_is_never_drawn() {
        // Only exits 1 and 2 are left; the first is never taken, however likely it was.
        assert!((0..1000).all(|seed| exit(mix(seed), 0, &[0.9, 0.05, 0.05], 0b110) != Some(0)));
        assert_eq!(exit(7, 0, &[], 0), None);
    }
}

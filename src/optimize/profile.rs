//! Cyclic flow profiles: how platoons leave one stop line, disperse on the road and meet the lamps of the next.
//!
//! Time is cut into bins of about a second; every profile is one cycle of its area long and starts with its own
//! junction's cycle.

/// A stop line, or the part of one, that discharges as one queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    /// The junction, counted within the area.
    pub junction: usize,
    /// Its demand, vehicles a bin.
    pub flow: f32,
    /// What can leave in each bin, vehicles.
    pub capacity: Vec<f32>,
    /// The way it is fed by; none where it arrives steadily.
    pub way: Option<usize>,
}

/// An approach fed by a signal of the area.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    /// The junction that feeds it, counted within the area.
    pub from: usize,
    /// The junction it leads to.
    pub to: usize,
    /// Each stream that feeds it, the share of its departures that comes this way, and their travel time in bins.
    pub feeds: Vec<(usize, f32, f64)>,
    /// Its whole demand, vehicles a bin; what its feeds do not bring arrives steadily.
    pub flow: f32,
    /// The streams it feeds.
    pub streams: Vec<usize>,
}

/// Traffic in an area with a common cycle.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Number of bins in a cycle.
    pub bins: usize,
    /// Length of a bin, seconds.
    pub bin_s: f64,
    /// The stop lines.
    pub streams: Vec<Stream>,
    /// The roads between.
    pub ways: Vec<Way>,
}

/// What leaves each stream, vehicles a bin.
pub type Departures = Vec<Vec<f32>>;

/// A queue that never clears says nothing about offsets: demand counts up to this degree of saturation.
const FULL: f32 = 0.97;
/// Times that profiles are carried on through the area; platoons have forgotten their past by then.
const ROUNDS: usize = 3;

impl Model {
    /// What leaves when everything arrives steadily.
    pub fn steady(&self) -> Departures {
        let even = |stream: &Stream| vec![stream.flow; self.bins];
        self.streams.iter().map(|stream| self.discharge(stream, &even(stream)).0).collect()
    }

    /// What leaves once profiles have run through the area under `offsets` (bins), and the mean number of vehicles
    /// queued.
    pub fn settle(&self, offsets: &[usize], mut departures: Departures) -> (Departures, f64) {
        let mut queued = 0.0;
        for _ in 0..ROUNDS {
            let arrivals: Vec<Vec<f32>> = self.ways.iter().map(|way| self.arrivals(way, &departures)).collect();
            queued = 0.0;
            departures = self
                .streams
                .iter()
                .map(|stream| {
                    let seen: Vec<f32> = match stream.way {
                        None => vec![stream.flow; self.bins],
                        Some(at) => {
                            let (way, all) = (&self.ways[at], &arrivals[at]);
                            let shift = self.difference(offsets[way.from], offsets[way.to]);
                            let share = stream.flow / way.flow;
                            (0..self.bins).map(|t| all[(t + shift) % self.bins] * share).collect()
                        }
                    };
                    let (left, queue) = self.discharge(stream, &seen);
                    queued += queue;
                    left
                })
                .collect();
        }
        (departures, queued)
    }

    /// How much later `to` starts than `from`, bins.
    pub fn difference(&self, from: usize, to: usize) -> usize {
        (to + self.bins - from % self.bins) % self.bins
    }

    /// What reaches the end of `way`, on the clock of the junction that feeds it.
    pub fn arrivals(&self, way: &Way, departures: &[Vec<f32>]) -> Vec<f32> {
        let mut arrivals = vec![0.0f32; self.bins];
        let mut at = 0;
        while at < way.feeds.len() {
            let travel = way.feeds[at].2;
            let mut platoon = vec![0.0f32; self.bins];
            while let Some(&(stream, share, _)) = way.feeds.get(at).filter(|feed| (feed.2 - travel).abs() < 0.5) {
                for (sum, left) in platoon.iter_mut().zip(&departures[stream]) {
                    *sum += left * share;
                }
                at += 1;
            }
            disperse(&platoon, travel, self.bin_s, &mut arrivals);
        }
        let brought: f32 = arrivals.iter().sum::<f32>() / self.bins as f32;
        let (scale, rest) = if brought > way.flow { (way.flow / brought, 0.0) } else { (1.0, way.flow - brought) };
        for flow in &mut arrivals {
            *flow = *flow * scale + rest;
        }
        arrivals
    }

    /// For each difference of offsets (bins) the mean number of vehicles queued at the end of `way`.
    pub fn queued(&self, way: &Way, departures: &[Vec<f32>]) -> Vec<f32> {
        let n = self.bins;
        let mut thrice = self.arrivals(way, departures);
        thrice.extend_from_within(..);
        thrice.extend_from_within(..n);
        let mut total = vec![0.0f32; n];
        for stream in way.streams.iter().map(|&s| &self.streams[s]) {
            let share = stream.flow / way.flow * relief(stream);
            let mut queue = vec![0.0f32; n];
            for round in 0..2 {
                for (t, &capacity) in stream.capacity.iter().enumerate() {
                    // All differences at once: the one `d` later sees the arrivals `d` bins on.
                    for (queue, arrival) in queue.iter_mut().zip(&thrice[t..t + n]) {
                        *queue = (*queue + arrival * share - capacity).max(0.0);
                    }
                    if round == 1 {
                        for (total, queue) in total.iter_mut().zip(&queue) {
                            *total += queue;
                        }
                    }
                }
            }
        }
        for total in &mut total {
            *total /= n as f32;
        }
        total
    }

    /// What leaves a stream in each bin, and the mean number queued.
    fn discharge(&self, stream: &Stream, arrivals: &[f32]) -> (Vec<f32>, f64) {
        let relief = relief(stream);
        let mut left = vec![0.0; self.bins];
        let (mut queue, mut queued) = (0.0f32, 0.0f64);
        for round in 0..2 {
            for t in 0..self.bins {
                let waiting = queue + arrivals[t] * relief;
                left[t] = waiting.min(stream.capacity[t]);
                queue = waiting - left[t];
                queued += if round == 1 { f64::from(queue) } else { 0.0 };
            }
        }
        (left, queued / self.bins as f64)
    }
}

/// The share of a stream's demand that is counted.
fn relief(stream: &Stream) -> f32 {
    let capacity: f32 = stream.capacity.iter().sum::<f32>() / stream.capacity.len() as f32;
    if stream.flow > FULL * capacity { FULL * capacity / stream.flow } else { 1.0 }
}

/// Adds to `arrivals` what becomes of a cyclic `platoon` after `travel` bins of road. Source: Robertson,
/// `q'(t) = F q(t−T) + (1−F) q'(t−1)`, `F = 1/(1 + αβT_a)`, `T = βT_a`, α 0.35, β 0.8, time in seconds.
fn disperse(platoon: &[f32], travel: f64, bin_s: f64, arrivals: &mut [f32]) {
    const ALPHA: f64 = 0.35;
    const BETA: f64 = 0.8;
    let n = platoon.len();
    let smoothing = (1.0 / (1.0 + ALPHA * BETA * travel * bin_s)) as f32;
    let delay = (BETA * travel).round() as usize % n;
    let mut flow = platoon.iter().sum::<f32>() / n as f32;
    for round in 0..2 {
        for t in 0..n {
            flow += smoothing * (platoon[(t + n - delay) % n] - flow);
            if round == 1 {
                arrivals[t] += flow;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platoon_disperses_and_nobody_is_lost() {
        let mut platoon = vec![0.0f32; 60];
        platoon[..10].fill(0.5);
        let mut arrivals = vec![0.0f32; 60];
        disperse(&platoon, 25.0, 1.0, &mut arrivals);
        // The first come after 0.8 × 25 s = 20 s with F = 1 ÷ (1 + 0.35 × 0.8 × 25) = 1/8 of the flow.
        assert!(arrivals[19] < 0.01 && (arrivals[20] - 0.5 / 8.0).abs() < 0.01, "{arrivals:?}");
        assert!((arrivals.iter().sum::<f32>() - 5.0).abs() < 0.01);
    }

    #[test]
    fn uniform_arrivals_wait_as_the_formula_says() {
        // 0.1 veh/s, green 30 of 60 s at 0.5 veh/s: d1 = 0.5 × 60 × 0.5² ÷ (1 − 0.2) = 9.375 s, times 0.1 veh/s = 0.9375.
        let capacity = (0..60).map(|t| if t < 30 { 0.5 } else { 0.0 }).collect();
        let stream = Stream { junction: 0, flow: 0.1, capacity, way: None };
        let model = Model { bins: 60, bin_s: 1.0, streams: vec![stream], ways: Vec::new() };
        let (departures, queued) = model.settle(&[0], model.steady());
        assert!((queued - 0.9375).abs() < 0.06, "{queued}");
        assert!((departures[0].iter().sum::<f32>() - 6.0).abs() < 1e-3);
    }
}

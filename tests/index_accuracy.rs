//! The estimated delay index against the twin's truth: an hour of the demo city's morning under its own programs.

use std::sync::Arc;

use greenwave::event::{Aspect, Event};
use greenwave::ids::{GroupId, GroupSet, Id, JunctionId, LinkId, Table};
use greenwave::network::layout::{self, Layout};
use greenwave::network::limits::Limits;
use greenwave::network::{Network, Sensors};
use greenwave::time::Span;
use greenwave::traffic::index::Window;
use greenwave::traffic::{Settings, Traffic};
use greenwave::twin::{Options, SensorFaults, Truth, Twin, city};

/// An estimate this close to the truth is right.
const CLOSE: f64 = 0.10;
/// A link with fewer vehicles in the hour is not judged.
const VEHICLES_MIN: u64 = 50;

/// One link's hour.
struct Row {
    truth: f64,
    estimate: f64,
    /// Every sensor of it can be believed.
    working: bool,
}

impl Row {
    fn is_close(&self) -> bool {
        (self.estimate / self.truth - 1.0).abs() <= CLOSE
    }
}

fn green(twin: &Twin) -> Table<JunctionId, GroupSet> {
    let groups = |junction: JunctionId| {
        let lamps = twin.lamps(junction).iter().enumerate();
        lamps.filter(|(_, a)| **a == Aspect::Green).map(|(g, _)| GroupId::of(g)).collect()
    };
    twin.network().junctions().ids().map(groups).collect()
}

/// The second hour, so that nothing depends on empty streets at the start: every link that at least fifty vehicles
/// used and that sensors watch.
fn hour(faults: SensorFaults, which: Layout, demand_scale: f64, seed: u64) -> Vec<Row> {
    let network = Arc::new(Network::build(city::demo(), &Limits::default()).expect("the city is sound"));
    let sensors = Sensors::build(&layout::layout(&network, which), &network).expect("a layout fits its network");
    let demand = city::morning::demand(&network, Span::from_s(5400), seed);
    let options = Options { seed, sensors: faults, demand_scale, ..Options::default() };
    let mut twin = Twin::new(Arc::clone(&network), &sensors, &demand, options);
    let mut traffic = Traffic::new(Arc::clone(&network), &sensors, Settings::default());
    let mut events = Vec::new();
    let mut before: Option<Truth> = None;
    for second in 1..=5400 {
        twin.step();
        events.clear();
        twin.events(&mut events);
        for event in &events {
            if let Event::Reading(reading) = event {
                let _ = traffic.observe(reading, twin.now()); // what is refused is counted
            }
        }
        traffic.advance(twin.now(), &green(&twin));
        if second == 1800 {
            before = Some(twin.truth());
        }
    }
    let truth = twin.truth().since(&before.expect("half an hour has passed"));
    let judged = |(row, sums): (usize, &greenwave::twin::Sums)| {
        let link = LinkId::of(row);
        let watched = !sensors.on(link).is_empty();
        (watched && sums.left >= VEHICLES_MIN).then(|| Row {
            truth: (sums.vehicle_s / sums.free_flow_s).max(1.0),
            estimate: traffic.index_link(link, Window::Hour).delay_index(),
            working: sensors.on(link).iter().all(|&s| traffic.health(s).usable()),
        })
    };
    truth.iter().enumerate().filter_map(judged).collect()
}

#[test]
fn nine_links_in_ten_are_within_a_tenth_of_the_truth() {
    // (sensors, whose faults, share of links that must be close): a busy hour in which traffic still flows.
    for (name, faults, least) in
        [("perfect", SensorFaults::default(), 0.95), ("ordinary", SensorFaults::ORDINARY, 0.90)]
    {
        let rows = hour(faults, Layout::Full, 0.5, 1);
        let working: Vec<&Row> = rows.iter().filter(|r| r.working).collect();
        let close = working.iter().filter(|r| r.is_close()).count() as f64 / working.len() as f64;
        let all = rows.iter().filter(|r| r.is_close()).count() as f64 / rows.len() as f64;
        println!(
            "{name}: {:.1} % of {} links with working sensors, {:.1} % of all {}",
            100.0 * close,
            working.len(),
            100.0 * all,
            rows.len()
        );
        assert!(working.len() > 100 && close >= least, "{name}: {close} of {}", working.len());
    }
}

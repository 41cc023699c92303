//! A city that takes up another's state says what that one says, to the byte, whenever it was written down.

use std::sync::Arc;

use greenwave::engine::city::City;
use greenwave::engine::{Control, Settings};
use greenwave::event::{Action, Command, Event, Mode, Scope};
use greenwave::ids::{Id, JunctionId, LaneId, ZoneId};
use greenwave::network::layout::{Layout, layout};
use greenwave::network::limits::Limits;
use greenwave::network::{Network, Sensors};
use greenwave::output::Output;
use greenwave::shell::closed_loop::{ClosedLoop, World};
use greenwave::time::{Span, Time};
use greenwave::twin::{Options, SensorFaults, city};
use greenwave::wire::{self, Message, Names};
use proptest::prelude::*;

const SECONDS: i64 = 240;

fn world() -> World {
    let network = Network::build(city::demo(), &Limits::default()).expect("the demo city is sound");
    let sensors = Sensors::build(&layout(&network, Layout::Full), &network).expect("so are its sensors");
    let demand = city::morning::demand(&network, Span::from_s(SECONDS), 1);
    World { network: Arc::new(network), sensors: Arc::new(sensors), demand: Arc::new(demand) }
}

/// What an operator may order in a second.
fn order(second: i64, kind: u8, junction: u8, network: &Network) -> Event {
    let at = Time::from_s(second);
    let junction = JunctionId::of(usize::from(junction) % network.junctions().len());
    let approach = network.junction(junction).approaches[0];
    let lane: LaneId = network.link(approach).lanes.start;
    let action = match kind % 8 {
        0 => Action::Hold(junction),
        1 => Action::Release(junction),
        2 => Action::Pin { junction, program: 0, until: at + Span::from_s(60) },
        3 => Action::CloseLane(lane),
        4 => Action::OpenLane(lane),
        5 => Action::CloseLink(approach),
        6 => Action::Mode(Scope::Zone(ZoneId::of(0)), Mode::Shadow),
        _ => Action::Mode(Scope::Junction(junction), Mode::Control),
    };
    let id = format!("c-{second}").into();
    Event::from(Command { id, at, operator: "li".into(), reason: "".into(), action })
}

fn bytes(names: &Names, outputs: &[Output]) -> Vec<u8> {
    outputs.iter().flat_map(|output| wire::output(names, output).encode_length_delimited_to_vec()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: std::env::var("PROPTEST_CASES").map_or(6, |n| n.parse().unwrap_or(6)), ..ProptestConfig::default() })]

    #[test]
    fn a_city_goes_on_where_another_was(
        seed in 0_u64..1000,
        control in prop_oneof![4 => Just(Control::Greenwave), 1 => Just(Control::Fixed), 1 => Just(Control::Actuated), 1 => Just(Control::MaxPressure)],
        orders in prop::collection::vec((1..SECONDS, any::<u8>(), any::<u8>()), 0..12),
        mut cuts in prop::collection::btree_set(1..SECONDS, 1..6),
    ) {
        let world = world();
        let names = Names::new(Arc::clone(&world.network), Arc::clone(&world.sensors));
        let settings = Settings { control, mode: Mode::Control, index_every_s: 30, ..Settings::default() };
        let options = Options { seed, sensors: SensorFaults::ORDINARY, ..Options::default() };
        let fresh = |now| City::new(Arc::clone(&world.network), Arc::clone(&world.sensors), settings.clone(), now);
        let mut other = fresh(options.start);
        let mut told = ClosedLoop::new(&world, Some(settings.clone()), options);
        let mut said = 0;
        for second in 1..=SECONDS {
            told.say(orders.iter().filter(|order| order.0 == second).map(|&(s, kind, junction)| order(s, kind, junction, &world.network)));
            let tick = told.step();
            let outputs = other.step(tick.now, &tick.events);
            prop_assert!(bytes(&names, &outputs) == bytes(&names, &tick.outputs), "second {second} differs");
            said += outputs.len();
            if cuts.remove(&second) {
                let state = other.state();
                let mut next = fresh(Time::from_s(-1000));
                prop_assert_eq!(next.take_up(&state), Some(()));
                prop_assert!(next.state() == state, "what was taken up is written down otherwise");
                other = next;
            }
        }
        prop_assert!(said > 500, "{said} outputs prove nothing");
    }
}

#[test]
fn what_is_no_state_is_refused() {
    let world = world();
    let settings = Settings::default();
    let fresh = || City::new(Arc::clone(&world.network), Arc::clone(&world.sensors), settings.clone(), Time::EPOCH);
    let state = fresh().state();
    assert_eq!(fresh().take_up(&state), Some(()));
    for bad in [&state[..state.len() - 1], &[], &[&state[..], &[0]].concat()] {
        assert_eq!(fresh().take_up(bad), None);
    }
}

//! A small world with every kind of name in it, and generators of everything that can happen there.

use std::sync::{Arc, LazyLock};

use greenwave::event::{
    Action, Aspect, Command, ControllerFault, ControllerMode, Event, LaneView, Mode, PedestrianCall, Position,
    PriorityClass, PriorityRequest, Reading, Revision, Scope, Seen, Status, TurnCount, Unreadable,
};
use greenwave::ids::{GroupId, Id, JunctionId, LaneId, LinkId, SensorId, ZoneId};
use greenwave::network::limits::Limits;
use greenwave::network::sensor::{FORMAT, SensorSpec, SensorsSpec};
use greenwave::network::{Network, NetworkSpec, Point, SensorKind, Sensors, VehicleClass};
use greenwave::time::{Span, Time};
use greenwave::wire::Names;
use proptest::prelude::*;

/// The demo's city.
pub(crate) fn spec() -> NetworkSpec {
    greenwave::twin::city::demo()
}

/// A loop on the kerb lane of each link, and a camera on every third link.
pub(crate) fn sensors_spec(spec: &NetworkSpec) -> SensorsSpec {
    let sensor = |id: String, kind, link: &str, lane| SensorSpec {
        id,
        kind,
        link: link.to_owned(),
        lane,
        distance_m: 0.5,
        range_m: 80.0,
        interval_s: 1.0,
    };
    let loops = spec.links.iter().map(|l| sensor(format!("loop {}", l.id), SensorKind::Loop, &l.id, Some(0)));
    let cameras = spec.links.iter().step_by(3);
    let cameras = cameras.map(|l| sensor(format!("camera {}", l.id), SensorKind::Camera, &l.id, None));
    SensorsSpec { format: FORMAT.to_owned(), sensors: loops.chain(cameras).collect() }
}

/// Its names.
pub(crate) fn names() -> &'static Names {
    static NAMES: LazyLock<Names> = LazyLock::new(|| {
        let sensors = sensors_spec(&spec());
        let network = Network::build(spec(), &Limits::default()).expect("the demo's city is sound");
        let sensors = Sensors::build(&sensors, &network).expect("its sensors are, too");
        Names::new(Arc::new(network), Arc::new(sensors))
    });
    &NAMES
}

fn id<I: Id + std::fmt::Debug + 'static>(count: usize) -> BoxedStrategy<I> {
    (0..count).prop_map(I::of).boxed()
}

fn time() -> BoxedStrategy<Time> {
    // Around now, and the limits of what 64 bits can say.
    prop_oneof![8 => 1_700_000_000_000..1_700_000_100_000_i64, 1 => Just(i64::MAX), 1 => Just(i64::MIN), 1 => Just(0)]
        .prop_map(Time::from_ms)
        .boxed()
}

fn text(min: usize, max: usize) -> BoxedStrategy<Box<str>> {
    let letters = prop_oneof![Just('a'), Just('"'), Just('\\'), Just('路'), Just(' '), Just('\n')];
    prop::collection::vec(letters, min..=max).prop_map(|c| c.into_iter().collect::<String>().into()).boxed()
}

fn link() -> BoxedStrategy<LinkId> {
    id(names().network().links().len())
}

fn junction_and_group() -> BoxedStrategy<(JunctionId, GroupId)> {
    let network = names().network();
    id(network.junctions().len())
        .prop_flat_map(|j: JunctionId| (Just(j), id(names().network().junction(j).groups.len())))
        .boxed()
}

fn share() -> BoxedStrategy<f32> {
    prop_oneof![Just(0.0_f32), Just(1.0), Just(0.1), Just(-1.0), Just(f32::MAX), 0.0..1.0_f32].boxed()
}

pub(crate) fn reading() -> BoxedStrategy<Reading> {
    let sensor = id(names().sensors().table().len());
    let interval = prop_oneof![4 => Just(1000_i64), 1 => Just(0), 1 => Just(100), 1 => Just(i64::from(u32::MAX))];
    let small = || prop_oneof![Just(0_u16), Just(1), Just(u16::MAX), 0..40_u16];
    (sensor, time(), interval, any::<bool>())
        .prop_flat_map(move |(sensor, end, interval, as_loop): (SensorId, _, _, _)| {
            let lanes = names().network().link(names().sensors().table()[sensor].link).lanes.clone();
            let lane = (lanes.start.index()..lanes.end.index()).prop_map(LaneId::of);
            let view = (lane, small(), small()).prop_map(|(lane, vehicles, queue)| LaneView { lane, vehicles, queue });
            let turn = (link(), class(), small()).prop_map(|(to, class, count)| TurnCount { to, class, count });
            let seen = if as_loop {
                (any::<u32>(), share(), prop::option::of(share()))
                    .prop_map(|(count, occupancy, speed)| Seen::Loop { count, occupancy, speed })
                    .boxed()
            } else {
                (prop::collection::vec(view, 0..4), prop::collection::vec(turn, 0..3))
                    .prop_map(|(lanes, turns)| Seen::Camera { lanes: lanes.into(), turns: turns.into() })
                    .boxed()
            };
            seen.prop_map(move |seen| Reading { sensor, end, interval: Span::from_ms(interval), seen })
        })
        .boxed()
}

fn class() -> BoxedStrategy<VehicleClass> {
    use VehicleClass::{Bicycle, Bus, Car, Emergency, Tram, Truck};
    prop::sample::select(vec![Car, Truck, Bus, Tram, Bicycle, Emergency]).boxed()
}

fn status() -> BoxedStrategy<Status> {
    use ControllerMode::{Flash, Local, Manual, Preempt, Remote};
    let mode = prop::sample::select(vec![Remote, Local, Flash, Manual, Preempt]);
    (junction_and_group(), time(), any::<u64>(), mode, prop::option::of(any::<u64>()), any::<bool>())
        .prop_flat_map(|((junction, group), at, running, mode, refused, says)| {
            let groups = names().network().junction(junction).groups.len();
            let aspect = prop::sample::select(vec![Aspect::Red, Aspect::Yellow, Aspect::Green, Aspect::Dark]);
            let lamps = prop::collection::vec(aspect, if says { groups } else { 0 });
            use ControllerFault::{Clock, Conflict, Lamp, Power};
            let fault = prop::sample::select(vec![Lamp(group), Conflict, Power, Clock]);
            (lamps, prop::collection::vec(fault, 0..3)).prop_map(move |(lamps, faults)| Status {
                junction,
                at,
                running: Revision(running),
                mode,
                lamps: lamps.into(),
                faults: faults.into(),
                refused: refused.map(Revision),
            })
        })
        .boxed()
}

fn action() -> BoxedStrategy<Action> {
    let junction = || junction_and_group().prop_map(|(j, _)| j);
    let lane = || id::<LaneId>(names().network().lanes().len());
    let limit = |min, max| prop::option::of(prop_oneof![Just(min), Just(max)].prop_map(Span::from_ms));
    let zone = id::<ZoneId>(names().network().zones().len());
    let scope = prop_oneof![junction().prop_map(Scope::Junction), zone.prop_map(Scope::Zone)];
    let mode = prop::sample::select(vec![Mode::Shadow, Mode::Advise, Mode::Control]);
    prop_oneof![
        junction().prop_map(Action::Hold),
        junction().prop_map(Action::Release),
        (junction(), time()).prop_map(|(junction, until)| Action::Pin { junction, program: 0, until }),
        (junction_and_group(), limit(0, 120_000), limit(10_000, 900_000))
            .prop_map(|((junction, group), min_green, max_red)| Action::Limit { junction, group, min_green, max_red }),
        lane().prop_map(Action::CloseLane),
        lane().prop_map(Action::OpenLane),
        link().prop_map(Action::CloseLink),
        link().prop_map(Action::OpenLink),
        (scope, mode).prop_map(|(scope, mode)| Action::Mode(scope, mode)),
        text(1, 80).prop_map(Action::CancelPriority),
        text(1, 80).prop_map(Action::ActivatePriority),
        request().prop_map(|asked| Action::PreviewPriority(Box::new(asked))),
    ]
    .boxed()
}

fn request() -> BoxedStrategy<PriorityRequest> {
    use PriorityClass::{Ambulance, Fire, Police, Transit};
    let class = prop::sample::select(vec![Fire, Ambulance, Police, Transit]);
    let route = prop::collection::vec(link(), 0..4);
    let texts = (text(1, 80), text(1, 80), text(1, 80));
    (texts, time(), class, link(), link(), route, prop::option::of(time()))
        .prop_map(|((id, authority, vehicle), at, class, from, to, route, deadline)| PriorityRequest {
            id,
            at,
            authority,
            vehicle,
            class,
            from,
            to,
            route: route.into(),
            deadline,
        })
        .boxed()
}

/// Anything that can happen.
pub(crate) fn event() -> BoxedStrategy<Event> {
    let unreadable = (time(), text(0, 80), text(0, 80)).prop_map(|(at, source, value)| {
        Event::from(Unreadable { at, source, field: "a.b[1]".into(), value, reason: "is no link".into() })
    });
    let call = (junction_and_group(), time())
        .prop_map(|((junction, group), at)| Event::PedestrianCall(PedestrianCall { junction, group, at }));
    let command = (text(1, 80), time(), text(1, 80), text(0, 400), action())
        .prop_map(|(id, at, operator, reason, action)| Event::from(Command { id, at, operator, reason, action }));
    let position =
        (text(1, 80), time(), -1e7..=1e7_f64, -1e7..=1e7_f64, 0.0..=100.0_f32, prop::option::of(0.0..360.0_f32))
            .prop_map(|(vehicle, at, x, y, speed, heading)| {
                Event::Position(Position { vehicle, at, point: Point { x, y }, speed, heading })
            });
    prop_oneof![
        8 => reading().prop_map(Event::Reading),
        1 => unreadable,
        2 => status().prop_map(Event::from),
        1 => call,
        2 => command,
        1 => request().prop_map(Event::from),
        1 => position,
    ]
    .boxed()
}

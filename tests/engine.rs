//! The engine under readings that make no sense: whatever it is told, what the lamps show breaks no rule.

use std::sync::Arc;

use greenwave::engine::city::City;
use greenwave::engine::{Control, Settings};
use greenwave::event::{Aspect, ControllerMode, Event, LaneView, Mode, Reading, Revision, Seen, Status};
use greenwave::ids::{Id, JunctionId, Table, span};
use greenwave::network::layout::{Layout, layout};
use greenwave::network::limits::Limits;
use greenwave::network::{Network, SensorKind, Sensors};
use greenwave::output::{IndexReport, Output, Subject};
use greenwave::plan::oracle::Oracle;
use greenwave::plan::timeline::LampChange;
use greenwave::time::{Span, Time};
use greenwave::twin::{Options, Twin, city};

/// A controller that does what it is told and nothing else.
#[derive(Clone, Default)]
struct Follower {
    running: Revision,
    ahead: Vec<LampChange>,
    lamps: Vec<Aspect>,
}

struct Street {
    network: Arc<Network>,
    sensors: Arc<Sensors>,
    city: City,
    controllers: Table<JunctionId, Follower>,
    oracle: Oracle,
    now: Time,
    dice: u64,
    published: usize,
    refused: usize,
}

impl Street {
    fn new(control: Control, seed: u64) -> Self {
        let network = Arc::new(Network::build(city::demo(), &Limits::default()).expect("the demo city is sound"));
        let sensors = Arc::new(Sensors::build(&layout(&network, Layout::Full), &network).expect("so are its sensors"));
        let settings = Settings { mode: Mode::Control, control, lead_ms: 0, ..Settings::default() };
        let now = Time::from_s(28_800);
        let controllers = network
            .junctions()
            .values()
            .map(|j| Follower { lamps: vec![Aspect::Red; j.groups.len()], ..Follower::default() })
            .collect();
        let city = City::new(Arc::clone(&network), Arc::clone(&sensors), settings, now);
        Self {
            oracle: Oracle::new(&network),
            network,
            sensors,
            city,
            controllers,
            now,
            dice: seed,
            published: 0,
            refused: 0,
        }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % below
    }

    fn nonsense(&mut self) -> Vec<Event> {
        let sensors = Arc::clone(&self.sensors);
        let mut events = Vec::new();
        for (id, sensor) in sensors.table().iter() {
            if self.draw(10) == 0 {
                continue; // silence
            }
            let seen = match sensor.kind {
                SensorKind::Loop => Seen::Loop {
                    count: self.draw(3) as u32 * self.draw(2) as u32,
                    occupancy: self.draw(12) as f32 / 10.0,
                    speed: None,
                },
                SensorKind::Camera => {
                    let lanes = span(&self.network.link(sensor.link).lanes);
                    let views = lanes.map(|lane| {
                        let vehicles = self.draw(25) as u16;
                        LaneView { lane, vehicles, queue: self.draw(u64::from(vehicles) + 2) as u16 }
                    });
                    Seen::Camera { lanes: views.collect(), turns: Box::default() }
                }
            };
            let late = Span::from_ms(100 * self.draw(8) as i64);
            events.push(Event::Reading(Reading { sensor: id, end: self.now - late, interval: sensor.interval, seen }));
        }
        events
    }

    /// Every controller begins the lamp changes that are due.
    fn advance(&mut self) {
        for controller in self.controllers.iter_mut().map(|(_, c)| c) {
            let due = controller.ahead.iter().take_while(|change| change.at <= self.now).count();
            for change in controller.ahead.drain(..due) {
                controller.lamps[change.group.index()] = change.aspect;
            }
        }
    }

    fn second(&mut self) {
        self.advance();
        let mut events = self.nonsense();
        for (id, c) in self.controllers.iter() {
            events.push(Event::from(Status {
                junction: id,
                at: self.now,
                running: c.running,
                mode: ControllerMode::Remote,
                lamps: c.lamps.clone().into(),
                faults: Box::default(),
                refused: None,
            }));
        }
        for output in self.city.step(self.now, &events) {
            match output {
                Output::Plan(p) => {
                    self.published += 1;
                    let draft = p.plan.draft();
                    let controller = &mut self.controllers[draft.junction];
                    assert_eq!(draft.base, controller.running, "a plan continues what runs");
                    controller.running = draft.revision;
                    // What it was to show before this plan counts it still shows.
                    controller.ahead.retain(|change| change.at < draft.effective_from);
                    controller.ahead.extend(p.plan.lamps());
                }
                Output::Refused(refused) => {
                    self.refused += 1;
                    if self.refused < 4 {
                        println!("refused: {:?}", refused.violations);
                    }
                }
                _ => {}
            }
        }
        self.advance();
        for (id, controller) in self.controllers.iter() {
            let faults = self.oracle.watch(self.now, id, &controller.lamps);
            assert!(faults.is_empty(), "{}: {faults:?}", self.network.junction(id).name);
        }
        self.now += Span::SECOND;
    }
}

#[test]
fn nonsense_makes_no_lamp_break_a_rule() {
    for (control, seed) in
        [(Control::Greenwave, 1), (Control::Fixed, 2), (Control::Actuated, 3), (Control::MaxPressure, 4)]
    {
        let mut street = Street::new(control, seed);
        for _ in 0..300 {
            street.second();
        }
        let junctions = street.network.junctions().len();
        println!("{control:?}: {} published, {} refused", street.published, street.refused);
        assert!(street.published >= junctions, "{control:?}: {} plans for {junctions} junctions", street.published);
        assert!(street.refused * 20 < street.published, "{control:?}: {} of {}", street.refused, street.published);
    }
}

#[test]
fn history_is_indexed_and_nobody_is_told_what_to_do() {
    let network = Arc::new(Network::build(city::demo(), &Limits::default()).expect("the demo city is sound"));
    let sensors = Arc::new(Sensors::build(&layout(&network, Layout::Full), &network).expect("so are its sensors"));
    let demand = city::morning::demand(&network, Span::from_s(600), 1);
    let mut twin = Twin::new(Arc::clone(&network), &sensors, &demand, Options::default());
    let mut cities = [Control::Watch, Control::Fixed].map(|control| {
        let settings = Settings { control, ..Settings::default() };
        City::new(Arc::clone(&network), Arc::clone(&sensors), settings, twin.now())
    });
    let (mut plans, mut spent) = ([0, 0], [0.0, 0.0]);
    for _ in 0..600 {
        twin.step();
        let mut events = Vec::new();
        twin.events(&mut events);
        for (which, city) in cities.iter_mut().enumerate() {
            for output in city.step(twin.now(), &events) {
                match output {
                    Output::Plan(_) => plans[which] += 1,
                    Output::Index(IndexReport { subject: Subject::Zone(_), spent_veh_s, .. }) => {
                        spent[which] += spent_veh_s;
                    }
                    _ => {}
                }
            }
        }
    }
    assert!(plans[0] == 0 && plans[1] > 0, "{plans:?}");
    // What crosses from one partition into another is known by other means; the sums are nearly the same.
    assert!(spent[1] > 1000.0 && (spent[0] / spent[1] - 1.0).abs() < 0.05, "{spent:?}");
}

//! A running cockpit on a city of its own, and somebody who asks it.

use std::sync::Arc;

use greenwave::engine::Settings;
use greenwave::network::layout::{Layout, layout};
use greenwave::network::limits::Limits;
use greenwave::network::{Network, NetworkSpec, Sensors};
use greenwave::shell::closed_loop::{ClosedLoop, World};
use greenwave::shell::http::{Cockpit, Issuer, Options};
use greenwave::time::{Span, Time};
use greenwave::twin::city::{self, morning};
use serde_json::{Value, json};

const START: Time = Time::from_s(1_772_434_800);

/// A cockpit and the city that it shows.
pub(crate) struct Room {
    pub(crate) spec: NetworkSpec,
    pub(crate) cockpit: Cockpit,
    pub(crate) city: ClosedLoop,
    agent: ureq::Agent,
}

impl Room {
    pub(crate) fn open(issuers: Vec<Issuer>, dual: &[&str]) -> Self {
        Self::set_up(issuers, dual, None)
    }

    /// With a style for the map underneath.
    pub(crate) fn set_up(issuers: Vec<Issuer>, dual: &[&str], style: Option<&str>) -> Self {
        let spec = city::demo();
        let network = Arc::new(Network::build(spec.clone(), &Limits::default()).expect("sound"));
        let sensors = Arc::new(Sensors::build(&layout(&network, Layout::Full), &network).expect("they fit"));
        let demand = Arc::new(morning::demand(&network, Span::from_s(600), 1));
        let options = Options {
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            port: 0,
            dual: dual.iter().map(|&kind| kind.to_owned()).collect(),
            audit: None,
            issuers,
            style: style.map(str::to_owned),
        };
        let cockpit = Cockpit::open(&network, &sensors, START, options).expect("a free port");
        let world = World { network, sensors, demand };
        let options = greenwave::twin::Options { start: START, ..Default::default() };
        let city = ClosedLoop::new(&world, Some(Settings::default()), options);
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        Self { spec, cockpit, city, agent }
    }

    /// Lets so many seconds pass.
    pub(crate) fn pass(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.city.say(self.cockpit.orders());
            let tick = self.city.step();
            self.cockpit.tick(tick.now, &tick.events, &tick.outputs);
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.cockpit.address())
    }

    /// Asks, as whoever holds `token`; status and answer.
    pub(crate) fn ask(&self, token: Option<&str>, path: &str, body: Option<&Value>) -> (u16, Value) {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let call = || match body {
            None => {
                let request = self.agent.get(self.url(path));
                bearer.iter().fold(request, |r, b| r.header("authorization", b)).call()
            }
            Some(body) => {
                let request = self.agent.post(self.url(path));
                bearer.iter().fold(request, |r, b| r.header("authorization", b)).send_json(body)
            }
        };
        // A server may hang up after an answer that came before it had read everything: then on another line.
        let mut got = call().or_else(|_| call()).expect("an answer");
        let status = got.status().as_u16();
        if got.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream") {
            return (status, Value::Null); // which never ends
        }
        (status, got.body_mut().read_json().unwrap_or(Value::Null))
    }

    /// The token that the printed word is worth.
    pub(crate) fn administrator(&self) -> String {
        let (status, body) = self.ask(None, "/api/session", Some(&json!({"one_time": self.cockpit.one_time()})));
        assert_eq!(status, 200, "{body}");
        body["token"].as_str().expect("a token").to_owned()
    }

    /// A token with these grants; the administrator gives it.
    pub(crate) fn mint(&self, administrator: &str, name: &str, grants: &[(&str, &str)]) -> String {
        let grants: Vec<Value> = grants.iter().map(|(zone, role)| json!({"zone": zone, "role": role})).collect();
        let body = json!({"name": name, "grants": grants});
        let (status, body) = self.ask(Some(administrator), "/api/tokens", Some(&body));
        assert_eq!(status, 200, "{body}");
        body["token"].as_str().expect("a token").to_owned()
    }
}

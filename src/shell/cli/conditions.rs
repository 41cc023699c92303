//! Under which conditions the twin is run: how much traffic there is, what is wrong with its sensors, what is closed.

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::Failure;
use crate::ids::span;
use crate::network::Network;
use crate::time::{Span, Time};
use crate::twin::{Closed, Incident, Options, SensorFaults};

/// What the twin of `demo` and `simulate` is up against.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Conditions {
    /// Every trip is made so many times on average: 0.1 to 2.
    #[arg(long, default_value_t = 1.0, value_name = "TIMES", value_parser = scale)]
    pub(super) demand_scale: f64,
    /// What is wrong with the sensors.
    #[arg(long, value_enum, default_value = "ordinary", value_name = "WHICH")]
    pub(super) sensor_faults: Faults,
    /// Close a road, or one of its lanes (0 is nearest to the kerb), from one minute of the run until another:
    /// LINK@10-20 or LINK/LANE@10-20. May be given again.
    #[arg(long, value_name = "WHERE@FROM-UNTIL")]
    pub(super) close: Vec<Closure>,
}

impl Conditions {
    /// The twin of a seed under them, from `start` on.
    ///
    /// # Errors
    /// When something is closed that the network does not have.
    pub(super) fn options(&self, network: &Network, seed: u64, start: Time) -> Result<Options, Failure> {
        let incidents = self.close.iter().map(|closure| closure.on(network, start)).collect::<Result<_, _>>()?;
        let (sensors, demand_scale) = (self.sensor_faults.into(), self.demand_scale);
        Ok(Options { seed, start, sensors, demand_scale, incidents, ..Options::default() })
    }

    /// As a result tells them.
    pub(super) fn told(&self) -> Value {
        json!({
            "demand_scale": self.demand_scale,
            "sensor_faults": self.sensor_faults.to_string(),
            "close": self.close.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    }
}

/// What is not as it is by default, each after a comma.
impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if (self.demand_scale - 1.0).abs() > 1e-9 {
            write!(f, ", {} times the demand", self.demand_scale)?;
        }
        if self.sensor_faults != Faults::Ordinary {
            write!(f, ", sensor faults: {}", self.sensor_faults)?;
        }
        self.close.iter().try_for_each(|closure| write!(f, ", {closure} closed"))
    }
}

fn scale(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| (0.1..=2.0).contains(value));
    value.ok_or_else(|| format!("{text}: a number from 0.1 to 2 is wanted"))
}

/// Sensors by what is wrong with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Faults {
    /// Nothing.
    None,
    /// What an ordinary city has: small errors, a few readings lost, some sensors broken.
    Ordinary,
    /// A fifth of them say nothing.
    Dead,
    /// A tenth of them miss half of all vehicles.
    Miscounting,
    /// A fifth of all vehicles are missed, and as many counted twice.
    Noisy,
    /// Everything they say comes 5 s late.
    Late,
    /// The last four at once: a fifth dead, a tenth miscounting, the others late, all of them noisy.
    All,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

impl From<Faults> for SensorFaults {
    fn from(which: Faults) -> Self {
        let none = Self::default();
        let latency = Span::from_s(5);
        match which {
            Faults::None => none,
            Faults::Ordinary => Self::ORDINARY,
            Faults::Dead => Self { dead: 0.2, ..none },
            Faults::Miscounting => Self { biased: 0.1, ..none },
            Faults::Noisy => Self { count_error: 0.2, ..none },
            Faults::Late => Self { delayed: 1.0, latency, ..none },
            Faults::All => Self { dead: 0.2, biased: 0.1, count_error: 0.2, delayed: 0.7, latency, ..none },
        }
    }
}

/// A road or a lane that is closed for some minutes of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Closure {
    place: String,
    from_min: u16,
    until_min: u16,
}

impl FromStr for Closure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.rsplit_once('@').and_then(|(place, when)| Some((place, when.split_once('-')?)));
        let minutes = |(from, until): (&str, &str)| Some((from.parse::<u16>().ok()?, until.parse::<u16>().ok()?));
        match parts.and_then(|(place, when)| Some((place, minutes(when)?))) {
            Some((place, (from_min, until_min))) if !place.is_empty() && from_min < until_min => {
                Ok(Self { place: place.into(), from_min, until_min })
            }
            _ => Err("LINK@FROM-UNTIL or LINK/LANE@FROM-UNTIL is wanted, in whole minutes of the run".into()),
        }
    }
}

impl fmt::Display for Closure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}-{}", self.place, self.from_min, self.until_min)
    }
}

impl Closure {
    fn on(&self, network: &Network, start: Time) -> Result<Incident, Failure> {
        let minute = |n: u16| start + Span::from_s(60 * i64::from(n));
        let (from, until) = (minute(self.from_min), minute(self.until_min));
        let lane = || {
            let (link, lane) = self.place.rsplit_once('/')?;
            let (lanes, lane) = (&network.link(network.link_named(link)?).lanes, lane.parse::<usize>().ok()?);
            span(lanes).nth(lane).map(Closed::Lane)
        };
        let place = network.link_named(&self.place).map(Closed::Link).or_else(lane);
        let place = place.ok_or_else(|| Failure::Usage(format!("--close {}: no such link or lane", self.place)))?;
        Ok(Incident { place, from, until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::limits::Limits;
    use crate::twin::city;

    #[test]
    fn closures_name_a_link_or_a_lane_and_their_minutes() {
        let network = Network::build(city::small::corridor(), &Limits::default()).expect("it is sound");
        let start = Time::from_s(1000);
        let on = |text: &str| text.parse::<Closure>().expect("it is written as it should be").on(&network, start);
        let link = network.link_named("West>Ash").expect("it is there");
        let whole = on("West>Ash@10-20").expect("a road");
        assert_eq!(
            (whole.place, whole.from, whole.until),
            (Closed::Link(link), Time::from_s(1600), Time::from_s(2200))
        );
        let lane = span(&network.link(link).lanes).nth(1).map(Closed::Lane);
        assert_eq!(Some(on("West>Ash/1@0-1").expect("a lane").place), lane);
        assert!(on("West>Ash/9@0-1").is_err_and(|e| e.to_string().contains("West>Ash/9")));
        for wrong in ["", "a", "a@", "@1-2", "a@2-1", "a@1-1", "a@-1-2", "a@1-70000", "a@x-2"] {
            assert!(wrong.parse::<Closure>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn shares_of_broken_sensors_exclude_each_other() {
        for which in Faults::value_variants() {
            let faults = SensorFaults::from(*which);
            let shares = faults.dead + faults.stuck + faults.biased + faults.delayed + faults.skewed;
            assert!(shares <= 1.0 + 1e-9, "{which:?}: {shares}");
        }
    }

    #[test]
    fn a_result_tells_its_conditions() {
        let close = ["West>Ash@10-20", "West>Ash/1@0-1"].map(|text| text.parse::<Closure>().expect("it is sound"));
        let some = Conditions { demand_scale: 1.5, sensor_faults: Faults::Dead, close: close.into() };
        assert_eq!(
            some.told(),
            json!({"demand_scale": 1.5, "sensor_faults": "dead", "close": ["West>Ash@10-20", "West>Ash/1@0-1"]})
        );
        assert_eq!(
            some.to_string(),
            ", 1.5 times the demand, sensor faults: dead, West>Ash@10-20 closed, West>Ash/1@0-1 closed"
        );
        let usual = Conditions { demand_scale: 1.0, sensor_faults: Faults::Ordinary, close: Vec::new() };
        assert_eq!(usual.to_string(), "");
    }
}

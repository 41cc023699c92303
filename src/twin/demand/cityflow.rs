//! CityFlow's `flow.json` made into demand.
//!
//! A flow is one vehicle at `startTime` and one more every `interval` until `endTime`, that included; where `endTime` is -1,
//! for a day. A route names roads; where two do not meet, the fastest way between them is taken.

use serde::Deserialize;

use super::import::{DEPART_MAX_S, Imported, Trips, numbered};
use crate::network::import::ImportError;
use crate::network::{Fault, Network, Place, VehicleClass};

/// A flow without an end goes on for so long, seconds.
const DAY_S: f64 = 86_400.0;
/// A vehicle longer than this is a lorry, metres.
const TRUCK_M: f64 = 8.0;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Flow {
    vehicle: Vehicle,
    route: Vec<String>,
    interval: f64,
    start_time: f64,
    end_time: f64,
}

#[derive(Debug, Deserialize)]
struct Vehicle {
    #[serde(default = "five")]
    length: f64,
}

fn five() -> f64 {
    5.0
}

/// Reads a `flow.json`. Trips keep the file's seconds.
///
/// # Errors
/// The first thing in it that is not as CityFlow writes it; or that no trip at all can be made.
pub fn import(flows: &[u8], network: &Network) -> Result<Imported, ImportError> {
    let flows: Vec<Flow> = serde_json::from_slice(flows)?;
    let mut trips = Trips::new(network);
    for (row, flow) in flows.iter().enumerate() {
        let name = numbered("flow", row);
        let range = |field, value: f64, min: f64, max: f64| {
            let place = Place::new("flows", row, &name);
            let fits = (min..=max).contains(&value);
            if fits { Ok(()) } else { Err(Fault::Range { place, field, value, min, max }) }
        };
        range("vehicle.length", flow.vehicle.length, 0.5, 50.0)?;
        range("interval", flow.interval, 0.01, 1e9)?;
        range("startTime", flow.start_time, 0.0, DEPART_MAX_S)?;
        range("endTime", flow.end_time, -1.0, DEPART_MAX_S)?;
        let class = if flow.vehicle.length > TRUCK_M { VehicleClass::Truck } else { VehicleClass::Car };
        let anchors: Vec<&str> = flow.route.iter().map(String::as_str).collect();
        let end = if flow.end_time < 0.0 {
            trips.notes.add("flows without an end go on for a day", name.as_str());
            DAY_S
        } else {
            flow.end_time
        };
        for k in 0_u32.. {
            let depart = flow.start_time + f64::from(k) * flow.interval;
            if depart > end {
                break;
            }
            trips.add(&name, depart, class, false, &anchors)?;
        }
    }
    trips.finish()
}

//! What a SUMO network file says, row by row.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;

use super::super::ImportError;
use super::super::xml::{Element, Part, read};
use crate::network::spec::VehicleClass;

/// More lanes than any street has.
const LANE_MAX: usize = 63;
/// The longest signal state that is read.
const LINK_INDEX_MAX: usize = 4095;
const PHASES_MAX: usize = 1024;

/// The whole file.
#[derive(Debug, Default)]
pub(super) struct Net {
    pub(super) lefthand: bool,
    pub(super) location: Option<Location>,
    pub(super) edges: Vec<Edge>,
    pub(super) crossings: Vec<Walk>,
    pub(super) nodes: Vec<Node>,
    pub(super) connections: Vec<Conn>,
    pub(super) logics: Vec<Logic>,
    /// Lengths of internal lanes, metres.
    pub(super) inner: BTreeMap<Box<str>, f64>,
    /// Areas where people walk from one crossing to the next.
    pub(super) walking: BTreeSet<Box<str>>,
    /// Internal lanes that lead on to another one.
    pub(super) inner_next: BTreeMap<Box<str>, Box<str>>,
}

#[derive(Debug)]
pub(super) struct Location {
    pub(super) offset: [f64; 2],
    pub(super) low: [f64; 2],
    pub(super) projection: String,
}

#[derive(Debug)]
pub(super) struct Edge {
    pub(super) id: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) name: String,
    pub(super) shape: Vec<[f64; 3]>,
    pub(super) lanes: Vec<EdgeLane>,
}

#[derive(Debug)]
pub(super) struct EdgeLane {
    pub(super) index: usize,
    pub(super) length: f64,
    pub(super) speed: f64,
    pub(super) permits: Permits,
    pub(super) shape: Vec<[f64; 3]>,
}

/// Who may use a lane.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Permits {
    Everyone,
    Only(Vec<VehicleClass>),
    /// Only people on foot, ships and the like.
    NoVehicle,
}

/// A pedestrian crossing.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) id: String,
    pub(super) length: f64,
    pub(super) crosses: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) inc_lanes: Vec<Box<str>>,
    pub(super) requests: Vec<Request>,
}

#[derive(Debug)]
pub(super) struct Request {
    pub(super) index: usize,
    response: Box<str>,
    foes: Box<str>,
}

impl Request {
    /// SUMO writes the bit of link 0 last.
    fn bit(bits: &str, of: usize) -> bool {
        bits.len().checked_sub(of + 1).is_some_and(|at| bits.as_bytes()[at] == b'1')
    }
    pub(super) fn responds_to(&self, link: usize) -> bool {
        Self::bit(&self.response, link)
    }
    pub(super) fn foe_of(&self, link: usize) -> bool {
        Self::bit(&self.foes, link)
    }
    pub(super) fn responds(&self) -> bool {
        self.response.contains('1')
    }
}

#[derive(Debug)]
pub(super) struct Conn {
    pub(super) from: String,
    pub(super) from_lane: usize,
    pub(super) to: String,
    pub(super) to_lane: usize,
    pub(super) via: Option<Box<str>>,
    pub(super) tl: Option<String>,
    pub(super) links: [Option<usize>; 2],
    pub(super) dir: char,
    pub(super) state: char,
}

#[derive(Debug, Clone)]
pub(super) struct Logic {
    pub(super) id: String,
    pub(super) program: String,
    pub(super) kind: String,
    pub(super) offset: f64,
    pub(super) phases: Vec<Phase>,
}

#[derive(Debug, Clone)]
pub(super) struct Phase {
    pub(super) seconds: f64,
    pub(super) state: Box<[u8]>,
    pub(super) jumps: bool,
}

impl Net {
    /// Reads a network file.
    pub(super) fn read<R: BufRead>(input: R) -> Result<Self, ImportError> {
        let mut net = Self::default();
        let mut open = Open::Nothing;
        let mut root = false;
        read(input, |part| match part {
            Part::Open(e) if e.depth == 1 => {
                root = e.name == "net";
                net.lefthand = e.text("lefthand").is_some_and(|v| matches!(v, "true" | "1"));
                if root { Ok(()) } else { Err(e.refuse("name", e.name, "<net>, a SUMO network".into())) }
            }
            Part::Open(e) if e.depth == 2 => {
                open = net.row(&e)?;
                Ok(())
            }
            Part::Open(e) if e.depth == 3 => net.child(open, &e),
            Part::Close(1) => {
                open = Open::Nothing;
                Ok(())
            }
            _ => Ok(()),
        })?;
        if root { Ok(net) } else { Err(ImportError::Syntax { at: 0, why: "no <net> in it".into() }) }
    }

    fn row(&mut self, e: &Element<'_>) -> Result<Open, ImportError> {
        match e.name {
            "edge" => return self.edge(e),
            "location" => self.location = Location::read(e)?,
            "connection" => self.connection(e)?,
            "tlLogic" => {
                self.logics.push(Logic::read(e)?);
                return Ok(Open::Logic);
            }
            "junction" => {
                if e.text("type") == Some("internal") {
                    return Ok(Open::Nothing);
                }
                self.nodes.push(Node {
                    id: e.need("id")?.to_owned(),
                    x: e.need_number("x", -1e8, 1e8)?,
                    y: e.need_number("y", -1e8, 1e8)?,
                    inc_lanes: words(e.text("incLanes")).map(Into::into).collect(),
                    requests: Vec::new(),
                });
                return Ok(Open::Node);
            }
            _ => {}
        }
        Ok(Open::Nothing)
    }

    fn edge(&mut self, e: &Element<'_>) -> Result<Open, ImportError> {
        match e.text("function").unwrap_or("normal") {
            "internal" => Ok(Open::Inner),
            "crossing" => {
                let crosses = words(e.text("crossingEdges")).map(str::to_owned).collect();
                self.crossings.push(Walk { id: e.need("id")?.to_owned(), length: 0.0, crosses });
                Ok(Open::Crossing)
            }
            "normal" | "connector" => {
                self.edges.push(Edge {
                    id: e.need("id")?.to_owned(),
                    from: e.need("from")?.to_owned(),
                    to: e.need("to")?.to_owned(),
                    name: e.text("name").unwrap_or_default().to_owned(),
                    shape: e.points("shape")?,
                    lanes: Vec::new(),
                });
                Ok(Open::Edge)
            }
            "walkingarea" => {
                self.walking.insert(e.need("id")?.into());
                Ok(Open::Nothing)
            }
            _ => Ok(Open::Nothing),
        }
    }

    fn child(&mut self, open: Open, e: &Element<'_>) -> Result<(), ImportError> {
        match (open, e.name) {
            (Open::Inner, "lane") => {
                let length = e.need_number("length", 0.0, 1e6)?;
                self.inner.insert(e.need("id")?.into(), length);
            }
            (Open::Crossing, "lane") => {
                if let Some(crossing) = self.crossings.last_mut() {
                    crossing.length = e.need_number("length", 0.0, 1e6)?;
                }
            }
            (Open::Edge, "lane") => {
                let lane = EdgeLane {
                    index: e.need_index("index", LANE_MAX)?,
                    length: e.need_number("length", 0.0, 1e6)?,
                    speed: e.need_number("speed", 0.0, 1000.0)?,
                    permits: permits(e.text("allow"), e.text("disallow")),
                    shape: e.points("shape")?,
                };
                if let Some(edge) = self.edges.last_mut() {
                    if edge.lanes.iter().any(|l| l.index == lane.index) {
                        let why = format!("used once on edge \"{}\"", edge.id);
                        return Err(e.refuse("index", &lane.index.to_string(), why));
                    }
                    edge.lanes.push(lane);
                }
            }
            (Open::Node, "request") => {
                let request = Request {
                    index: e.need_index("index", LINK_INDEX_MAX)?,
                    response: e.need("response")?.into(),
                    foes: e.need("foes")?.into(),
                };
                if let Some(node) = self.nodes.last_mut() {
                    node.requests.push(request);
                }
            }
            (Open::Logic, "phase") => {
                if let Some(logic) = self.logics.last_mut() {
                    logic.phase(e)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn connection(&mut self, e: &Element<'_>) -> Result<(), ImportError> {
        let from = e.need("from")?;
        let from_lane = e.need_index("fromLane", LANE_MAX)?;
        let (walks, to) = (self.walking.contains(from), e.need("to")?);
        if self.walking.contains(to) || (walks && !self.crossings.iter().any(|c| c.id == to)) {
            return Ok(());
        }
        if from.starts_with(':') && !walks {
            if let Some(via) = e.text("via") {
                self.inner_next.insert(format!("{from}_{from_lane}").into(), via.into());
            }
            return Ok(());
        }
        let first = |field| e.text(field).and_then(|d: &str| d.chars().next());
        let tl = e.text("tl").filter(|tl| !tl.is_empty()).map(str::to_owned);
        let links = if tl.is_some() {
            [Some(e.need_index("linkIndex", LINK_INDEX_MAX)?), e.index("linkIndex2", LINK_INDEX_MAX)?]
        } else {
            [None, None]
        };
        self.connections.push(Conn {
            from: from.to_owned(),
            from_lane,
            to: to.to_owned(),
            to_lane: e.need_index("toLane", LANE_MAX)?,
            via: e.text("via").map(Into::into),
            tl,
            links,
            dir: first("dir").unwrap_or('s'),
            state: first("state").unwrap_or('M'),
        });
        Ok(())
    }
}

/// The row whose children are being read.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Open {
    Nothing,
    Inner,
    Crossing,
    Edge,
    Node,
    Logic,
}

/// Reads the signal programs of an additional file.
pub(super) fn programs<R: BufRead>(input: R) -> Result<Vec<Logic>, ImportError> {
    let mut logics: Vec<Logic> = Vec::new();
    read(input, |part| {
        match part {
            Part::Open(e) if e.name == "tlLogic" => logics.push(Logic::read(&e)?),
            Part::Open(e) if e.name == "phase" => {
                if let Some(logic) = logics.last_mut() {
                    logic.phase(&e)?;
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(logics)
}

impl Logic {
    fn read(e: &Element<'_>) -> Result<Self, ImportError> {
        Ok(Self {
            id: e.need("id")?.to_owned(),
            program: e.text("programID").unwrap_or("0").to_owned(),
            kind: e.text("type").unwrap_or("static").to_owned(),
            offset: e.number("offset", -1e9, 1e9)?.unwrap_or(0.0),
            phases: Vec::new(),
        })
    }

    fn phase(&mut self, e: &Element<'_>) -> Result<(), ImportError> {
        if self.phases.len() == PHASES_MAX {
            return Err(ImportError::TooMany { what: "phases of one program", found: PHASES_MAX + 1, max: PHASES_MAX });
        }
        let state = e.need("state")?;
        if state.len() > LINK_INDEX_MAX + 1 {
            return Err(e.refuse("state", state, format!("at most {} characters long", LINK_INDEX_MAX + 1)));
        }
        if let Some(odd) = state.chars().find(|c| !"rugGyYsoO".contains(*c)) {
            return Err(e.refuse("state", &odd.to_string(), "one of r u g G y Y s o O".into()));
        }
        let given = match e.number("duration", 0.0, 1e7)? {
            Some(seconds) => Some(seconds),
            None => e.number("minDur", 0.0, 1e7)?,
        };
        let seconds = given.ok_or_else(|| e.refuse("duration", "", "there, nor is minDur".into()))?;
        let jumps = e.text("next").is_some_and(|n| !n.trim().is_empty());
        self.phases.push(Phase { seconds, state: state.as_bytes().into(), jumps });
        Ok(())
    }
}

impl Location {
    fn read(e: &Element<'_>) -> Result<Option<Self>, ImportError> {
        let (offset, low) = (e.points("netOffset")?, e.text("convBoundary").unwrap_or_default());
        let mut corner = low.split(',').filter_map(|n| n.trim().parse::<f64>().ok()).filter(|v| v.abs() <= 1e8);
        Ok(match (offset.first(), corner.next(), corner.next()) {
            (Some(&[x, y, _]), Some(low_x), Some(low_y)) => Some(Self {
                offset: [x, y],
                low: [low_x, low_y],
                projection: e.text("projParameter").unwrap_or_default().to_owned(),
            }),
            _ => None,
        })
    }
}

fn words(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.unwrap_or_default().split_ascii_whitespace()
}

/// Each class of ours is let in where SUMO lets its commonest vehicle in.
fn permits(allow: Option<&str>, disallow: Option<&str>) -> Permits {
    const PAIRS: [(VehicleClass, &str); 6] = [
        (VehicleClass::Car, "passenger"),
        (VehicleClass::Truck, "truck"),
        (VehicleClass::Bus, "bus"),
        (VehicleClass::Tram, "tram"),
        (VehicleClass::Bicycle, "bicycle"),
        (VehicleClass::Emergency, "emergency"),
    ];
    let listed = |list: &str, name: &str| list == "all" || list.split_ascii_whitespace().any(|word| word == name);
    let admits = |name: &str| match (allow, disallow) {
        (Some(allow), _) if !allow.is_empty() => listed(allow, name),
        (_, Some(disallow)) => !listed(disallow, name),
        _ => true,
    };
    let rail = ["rail_urban", "rail", "rail_electric", "rail_fast", "subway", "cable_car"];
    let admitted = |&(class, name): &(VehicleClass, &str)| {
        admits(name) || (class == VehicleClass::Tram && allow.is_some() && rail.iter().any(|r| admits(r)))
    };
    let classes: Vec<VehicleClass> = PAIRS.iter().filter(|p| admitted(p)).map(|&(class, _)| class).collect();
    let road = |c: &&VehicleClass| **c != VehicleClass::Tram;
    match classes.iter().filter(road).count() {
        0 if classes.is_empty() => Permits::NoVehicle,
        5 => Permits::Everyone, // that a street bears no rails is nothing a driver has to know
        _ => Permits::Only(classes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use VehicleClass::{Bicycle, Bus, Car, Emergency, Tram, Truck};

    #[test]
    fn permissions_become_classes() {
        let rows: [(Option<&str>, Option<&str>, Permits); 8] = [
            (None, None, Permits::Everyone),
            (None, Some("tram rail_urban rail rail_electric ship"), Permits::Everyone), // the usual street
            (None, Some("pedestrian bicycle tram"), Permits::Only(vec![Car, Truck, Bus, Emergency])), // a motor road
            (Some("bus"), None, Permits::Only(vec![Bus])),
            (Some("bus taxi bicycle"), None, Permits::Only(vec![Bus, Bicycle])), // taxis alone make no car lane
            (Some("rail_urban"), None, Permits::Only(vec![Tram])),
            (Some("pedestrian"), None, Permits::NoVehicle),
            (None, Some("all"), Permits::NoVehicle),
        ];
        for (allow, disallow, expected) in rows {
            assert_eq!(permits(allow, disallow), expected, "{allow:?} {disallow:?}");
        }
    }

    #[test]
    fn the_bit_of_link_0_is_the_last() {
        let request = Request { index: 1, response: "100".into(), foes: "101".into() };
        assert_eq!([0, 1, 2, 3].map(|l| request.responds_to(l)), [false, false, true, false]);
        assert_eq!([0, 1, 2, 3].map(|l| request.foe_of(l)), [true, false, true, false]);
    }
}

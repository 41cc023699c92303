//! CityFlow's `roadnet.json` made into a network file.
//!
//! - A virtual intersection is a plain node; one without lights as well, where turns give way to who goes straight on.
//! - CityFlow numbers lanes from the middle of the road, we from the kerb; a lane's length is the road's less the widths of
//!   the intersections at its ends.
//! - A road link is a group, and **a group's id is the road link's index**. A light phase is a stage, and a stage's id
//!   is the phase's index; a phase that shows nothing but what every phase shows is a change, not a stage.
//! - Two road links meet where their lane links cross or end in one lane. They yield where some phase shows both, right
//!   turns to left turns and both to who goes straight on; else they are never green together.
//! - The program is the first four stages (all of them, if those leave a road link out), each for its phase's time.

mod geometry;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use self::geometry::{Xy, length, meet};
use super::{ImportError, Imported, Notes};
use crate::ids::GroupSet;
use crate::network::spec::{
    ConflictKind, ConflictSpec, ConnectionSpec, FORMAT, GroupKind, GroupSpec, JunctionSpec, LaneSpec, Level, LinkSpec,
    NetworkSpec, NodeSpec, OrderSpec, ProgramSpec, Side, SplitSpec, StageSpec, Turn,
};
use crate::network::{Fault, Place};

/// A stage's share where its phase gives none that a network file takes, seconds.
const SHARE: f64 = 30.0;
/// More lanes than a road may have.
const LANES_MAX: usize = 16;

#[derive(Debug, Deserialize)]
struct RoadNet {
    intersections: Vec<Intersection>,
    roads: Vec<Road>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Intersection {
    id: String,
    point: Xy,
    #[serde(default)]
    width: f64,
    #[serde(default)]
    road_links: Vec<RoadLink>,
    #[serde(default)]
    traffic_light: Option<Light>,
    #[serde(rename = "virtual", default)]
    is_virtual: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoadLink {
    #[serde(rename = "type")]
    kind: String,
    start_road: String,
    end_road: String,
    lane_links: Vec<LaneLink>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LaneLink {
    start_lane_index: usize,
    end_lane_index: usize,
    #[serde(default)]
    points: Vec<Xy>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Light {
    #[serde(default)]
    road_link_indices: Vec<usize>,
    #[serde(default)]
    lightphases: Vec<Phase>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Phase {
    #[serde(default)]
    time: f64,
    available_road_links: Vec<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Road {
    id: String,
    points: Vec<Xy>,
    lanes: Vec<RoadLane>,
    start_intersection: String,
    end_intersection: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoadLane {
    max_speed: f64,
}

/// Reads a `roadnet.json`.
///
/// # Errors
/// The first thing in it that is not as CityFlow writes it.
pub fn import(name: &str, roadnet: &[u8]) -> Result<Imported, ImportError> {
    let net: RoadNet = serde_json::from_slice(roadnet)?;
    let mut notes = Notes::default();
    let widths: BTreeMap<&str, f64> = net.intersections.iter().map(|i| (i.id.as_str(), i.width)).collect();
    let roads: BTreeMap<&str, &Road> = net.roads.iter().map(|r| (r.id.as_str(), r)).collect();
    let links = net.roads.iter().enumerate().map(|(row, r)| link(row, r, &widths, &mut notes));
    let links = links.collect::<Result<Vec<_>, _>>()?;
    let (mut nodes, mut connections, mut junctions) = (Vec::new(), Vec::new(), Vec::new());
    for (row, i) in net.intersections.iter().enumerate() {
        let at = Crossroads { row, i, roads: &roads };
        let junction = if i.is_virtual { None } else { at.junction(&mut notes)? };
        connections.extend(at.connections(junction.is_some(), &mut notes)?);
        let id = junction.as_ref().map(|j| j.id.clone());
        nodes.push(NodeSpec { id: i.id.clone(), x: i.point.x, y: i.point.y, junction: id, zone: None });
        junctions.extend(junction);
    }
    let spec = NetworkSpec {
        format: FORMAT.into(),
        name: name.into(),
        source: "a CityFlow road network".into(),
        drive_on: Side::Right,
        utc_offset_min: 0,
        origin: None,
        partition_level: Level::City,
        zones: Vec::new(),
        nodes,
        links,
        connections,
        crossings: Vec::new(),
        junctions,
    };
    Ok(Imported { spec, notes: notes.lines() })
}

fn range(place: &Place, field: &'static str, value: f64, min: f64, max: f64) -> Result<f64, Fault> {
    let fits = (min..=max).contains(&value);
    if fits { Ok(value) } else { Err(Fault::Range { place: place.clone(), field, value, min, max }) }
}

fn link(row: usize, r: &Road, widths: &BTreeMap<&str, f64>, notes: &mut Notes) -> Result<LinkSpec, Fault> {
    let place = Place::new("roads", row, &r.id);
    range(&place, "lanes", r.lanes.len() as f64, 1.0, LANES_MAX as f64)?;
    range(&place, "points", r.points.len() as f64, 2.0, 1e5)?;
    for p in &r.points {
        range(&place, "points", p.x.abs().max(p.y.abs()), 0.0, 1e7)?;
    }
    let width = |field, end: &str| match widths.get(end) {
        Some(&width) => range(&place, field, width, 0.0, 1000.0),
        None => Err(Fault::Unknown { place: place.clone(), field, name: end.to_owned() }),
    };
    let widths = width("startIntersection", &r.start_intersection)? + width("endIntersection", &r.end_intersection)?;
    let between = length(&r.points) - widths;
    if between < 0.1 {
        notes.add("roads shorter than the intersections at their ends are taken as 0.1 m long", r.id.as_str());
    }
    let mut fastest: f64 = 0.0;
    for lane in &r.lanes {
        fastest = fastest.max(range(&place, "lanes.maxSpeed", lane.max_speed, 0.5, 70.0)?);
    }
    Ok(LinkSpec {
        id: r.id.clone(),
        from: r.start_intersection.clone(),
        to: r.end_intersection.clone(),
        length_m: between.max(0.1),
        speed_mps: fastest,
        lanes: vec![LaneSpec::default(); r.lanes.len()],
        shape: r.points[1..r.points.len() - 1].iter().map(|p| [p.x, p.y]).collect(),
        grade: 0.0,
        name: String::new(),
    })
}

struct Crossroads<'a> {
    row: usize,
    i: &'a Intersection,
    roads: &'a BTreeMap<&'a str, &'a Road>,
}

impl Crossroads<'_> {
    fn place(&self) -> Place {
        Place::new("intersections", self.row, &self.i.id)
    }

    /// Whether the light controls road link `index`.
    fn controls(&self, index: usize) -> bool {
        let Some(light) = &self.i.traffic_light else { return false };
        light.road_link_indices.is_empty() || light.road_link_indices.contains(&index)
    }

    fn turn(&self, link: &RoadLink) -> Result<Turn, Fault> {
        match link.kind.as_str() {
            "go_straight" => Ok(Turn::Straight),
            "turn_left" => Ok(Turn::Left),
            "turn_right" => Ok(Turn::Right),
            "turn_u" | "u_turn" => Ok(Turn::UTurn),
            other => Err(Fault::Unknown { place: self.place(), field: "roadLinks.type", name: cut(other) }),
        }
    }

    fn connections(&self, signal: bool, notes: &mut Notes) -> Result<Vec<ConnectionSpec>, Fault> {
        let place = self.place();
        let mut all = Vec::new();
        let mut seen = BTreeSet::new();
        for (index, link) in self.i.road_links.iter().enumerate() {
            let turn = self.turn(link)?;
            let road = |field, name: &str| {
                let missing = || Fault::Unknown { place: place.clone(), field, name: cut(name) };
                self.roads.get(name).map(|r| r.lanes.len()).ok_or_else(missing)
            };
            let from_lanes = road("roadLinks.startRoad", &link.start_road)?;
            let to_lanes = road("roadLinks.endRoad", &link.end_road)?;
            for lane in &link.lane_links {
                let from_kerb = |field, lane: usize, lanes: usize| {
                    let index = range(&place, field, lane as f64, 0.0, lanes as f64 - 1.0)?;
                    Ok::<u8, Fault>((lanes - 1) as u8 - index as u8)
                };
                let from_lane = from_kerb("roadLinks.laneLinks.startLaneIndex", lane.start_lane_index, from_lanes)?;
                let to_lane = from_kerb("roadLinks.laneLinks.endLaneIndex", lane.end_lane_index, to_lanes)?;
                for p in &lane.points {
                    range(&place, "roadLinks.laneLinks.points", p.x.abs().max(p.y.abs()), 0.0, 1e7)?;
                }
                if !seen.insert((&link.start_road, from_lane, &link.end_road, to_lane)) {
                    notes.add("repeated lane links are taken once", format!("{} > {}", link.start_road, link.end_road));
                    continue;
                }
                let group = (signal && self.controls(index)).then(|| index.to_string());
                all.push(ConnectionSpec {
                    from: link.start_road.clone(),
                    from_lane,
                    to: link.end_road.clone(),
                    to_lane,
                    turn,
                    length_m: length(&lane.points).min(500.0),
                    gives_way: group.is_none() && turn != Turn::Straight && !self.i.is_virtual,
                    group,
                });
            }
        }
        Ok(all)
    }

    fn junction(&self, notes: &mut Notes) -> Result<Option<JunctionSpec>, Fault> {
        let phases = self.i.traffic_light.as_ref().map_or(&[][..], |light| &light.lightphases);
        range(&self.place(), "trafficLight.lightphases", phases.len() as f64, 0.0, 256.0)?;
        let controlled: Vec<usize> = (0..self.i.road_links.len()).filter(|&index| self.controls(index)).collect();
        let sets = phases.iter().map(|phase| self.shown(phase)).collect::<Result<Vec<_>, _>>()?;
        let always = sets.iter().cloned().reduce(|a, b| &a & &b).unwrap_or_default();
        let only_one = sets.iter().all(|set| *set == always);
        let mut stages: Vec<(usize, &BTreeSet<usize>)> = Vec::new();
        let mut names: BTreeMap<&BTreeSet<usize>, usize> = BTreeMap::new();
        for (index, set) in sets.iter().enumerate().filter(|(_, set)| !set.is_empty() && (only_one || **set != always))
        {
            if *names.entry(set).or_insert(index) == index {
                stages.push((index, set));
            } else {
                notes.add("phases that show what an earlier one shows are left out", format!("{}/{index}", self.i.id));
            }
        }
        if stages.is_empty() {
            notes.add("intersections whose lights never show green are taken as without", self.i.id.as_str());
            return Ok(None);
        }
        range(&self.place(), "roadLinks", controlled.len() as f64, 1.0, GroupSet::MAX as f64)?;
        let all: BTreeSet<usize> = stages.iter().flat_map(|(_, set)| set.iter().copied()).collect();
        let first: BTreeSet<usize> = stages.iter().take(4).flat_map(|(_, set)| set.iter().copied()).collect();
        let length = if first == all { stages.len().min(4) } else { stages.len() };
        if length < stages.len() {
            notes.add("the program is the first four stages", self.i.id.as_str());
        }
        let mut share = |index: usize| {
            let time = phases[index].time;
            let fits = (1.0..=600.0).contains(&time);
            if !fits {
                notes.add("phases without a time from 1 to 600 s get 30 s", format!("{}/{index}", self.i.id));
            }
            if fits { time } else { SHARE }
        };
        let splits = stages[..length].iter().map(|&(index, _)| SplitSpec { stage: index.to_string(), s: share(index) });
        let program = ProgramSpec { id: "0".into(), offset_s: 0.0, splits: splits.collect() };
        let group = |index: &usize| GroupSpec {
            id: index.to_string(),
            kind: GroupKind::Vehicle,
            min_green: None,
            max_red: None,
            change: None,
            all_red: None,
            turn_on_red: false,
        };
        let stage = |&(index, set): &(usize, &BTreeSet<usize>)| StageSpec {
            id: index.to_string(),
            groups: set.iter().map(usize::to_string).collect(),
            max_s: None,
            skippable: false,
        };
        Ok(Some(JunctionSpec {
            id: self.i.id.clone(),
            groups: controlled.iter().map(group).collect(),
            conflicts: self.conflicts(&controlled, &stages)?,
            intergreens: Vec::new(),
            stages: stages.iter().map(stage).collect(),
            order: OrderSpec::Free,
            programs: vec![program],
        }))
    }

    fn shown(&self, phase: &Phase) -> Result<BTreeSet<usize>, Fault> {
        let last = self.i.road_links.len() as f64 - 1.0;
        let mut set = BTreeSet::new();
        for &index in &phase.available_road_links {
            range(&self.place(), "lightphases.availableRoadLinks", index as f64, 0.0, last)?;
            if self.controls(index) {
                set.insert(index);
            }
        }
        Ok(set)
    }

    fn conflicts(
        &self,
        controlled: &[usize],
        stages: &[(usize, &BTreeSet<usize>)],
    ) -> Result<Vec<ConflictSpec>, Fault> {
        let mut all = Vec::new();
        for (k, &a) in controlled.iter().enumerate() {
            for &b in &controlled[k + 1..] {
                let (first, second) = (&self.i.road_links[a], &self.i.road_links[b]);
                if !links_meet(first, second) {
                    continue;
                }
                let together = stages.iter().any(|(_, set)| set.contains(&a) && set.contains(&b));
                // Who goes straight leads; of two that turn alike the lower index does.
                let rank = |turn| match turn {
                    Turn::Straight => 0,
                    Turn::Left => 1,
                    Turn::UTurn => 2,
                    Turn::Right => 3,
                };
                let second_yields = rank(self.turn(second)?) >= rank(self.turn(first)?);
                let (a, b) = if together && second_yields { (b, a) } else { (a, b) };
                let kind = if together { ConflictKind::Yields } else { ConflictKind::Never };
                all.push(ConflictSpec { a: a.to_string(), b: b.to_string(), kind });
            }
        }
        Ok(all)
    }
}

fn cut(name: &str) -> String {
    name.chars().take(80).collect()
}

/// Whether two road links have lane links that cross or end in one lane. Those that leave one lane part there.
fn links_meet(a: &RoadLink, b: &RoadLink) -> bool {
    let pairs = a.lane_links.iter().flat_map(|one| b.lane_links.iter().map(move |other| (one, other)));
    pairs.into_iter().any(|(one, other)| {
        let merge = a.end_road == b.end_road && one.end_lane_index == other.end_lane_index;
        let part = a.start_road == b.start_road && one.start_lane_index == other.start_lane_index;
        !part && (merge || meet(&one.points, &other.points))
    })
}

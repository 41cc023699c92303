//! The network file: what an importer writes and a city keeps, names and SI units only.
//!
//! Anything that parses is not yet a network: [`Network::build`](super::Network::build) is the one door, and names
//! every fault it finds.

use crate::keep::keep;
use serde::{Deserialize, Serialize};

/// The `format` every network file of this version carries.
pub const FORMAT: &str = "greenwave-network/1";

/// A whole world: roads, lanes, turns, signals and zones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    /// Always [`FORMAT`].
    pub format: String,
    /// What people call this place.
    pub name: String,
    /// Where the data comes from, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The side of the road traffic keeps to.
    #[serde(default)]
    pub drive_on: Side,
    /// Local calendar time minus UTC, minutes.
    #[serde(default)]
    pub utc_offset_min: i32,
    /// Where (0, 0) lies, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<LatLon>,
    /// The level of the zone tree whose zones are partitions: one writer each.
    #[serde(default)]
    pub partition_level: Level,
    /// The zone tree; empty means one city that holds everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<ZoneSpec>,
    /// Vertices.
    pub nodes: Vec<NodeSpec>,
    /// Directed roads.
    pub links: Vec<LinkSpec>,
    /// Lane-to-lane paths through nodes.
    pub connections: Vec<ConnectionSpec>,
    /// Pedestrian crossings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crossings: Vec<CrossingSpec>,
    /// Signals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub junctions: Vec<JunctionSpec>,
}

/// The side of the road traffic keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// China, most of the world.
    #[default]
    Right,
    /// Britain, Japan, Hong Kong, Australia.
    Left,
}

/// A place on Earth, WGS 84, degrees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatLon {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
}

/// A level of the zone tree, from the whole to the part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The whole.
    #[default]
    City,
    /// 区
    District,
    /// 街道: a sub-district, not a road.
    Street,
    /// 社区
    Community,
}

/// A part of the city.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneSpec {
    /// Unique among zones.
    pub id: String,
    /// Its place in the tree.
    pub level: Level,
    /// The zone above; none for the city.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

/// A vertex.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSpec {
    /// Unique among nodes.
    pub id: String,
    /// Metres east of the origin.
    pub x: f64,
    /// Metres north of the origin.
    pub y: f64,
    /// The signal that controls it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub junction: Option<String>,
    /// The smallest zone it lies in; none means the city itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// A directed road. Its zone is that of the node it leads to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSpec {
    /// Unique among links.
    pub id: String,
    /// The node it leaves.
    pub from: String,
    /// The node it leads to.
    pub to: String,
    /// From stop line to stop line, metres: 0.1 to 100 000.
    pub length_m: f64,
    /// Speed limit, metres a second: 0.5 to 70.
    pub speed_mps: f64,
    /// Lanes from the kerb: 1 to 16.
    pub lanes: Vec<LaneSpec>,
    /// Points between its ends, metres, for drawing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shape: Vec<[f64; 2]>,
    /// Rise over run towards `to`: -0.3 to 0.3.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub grade: f64,
    /// The road's own name, where it has one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// One lane.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneSpec {
    /// Who may use it; empty means everyone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<VehicleClass>,
}

/// Who drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VehicleClass {
    /// Private cars, taxis and vans.
    Car,
    /// Lorries.
    Truck,
    /// Buses and coaches.
    Bus,
    /// Rail in the street.
    Tram,
    /// Bicycles and scooters.
    Bicycle,
    /// Ambulances, fire engines, police on a call.
    Emergency,
}

keep!(
    enum VehicleClass {
        Car,
        Truck,
        Bus,
        Tram,
        Bicycle,
        Emergency,
    }
);

/// A turn at a node, as the driver sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// To the left.
    Left,
    /// Straight on.
    Straight,
    /// To the right.
    Right,
    /// Back where it came from.
    UTurn,
}

/// A lane-to-lane path through a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionSpec {
    /// The link it leaves.
    pub from: String,
    /// The lane it leaves, 0 at the kerb.
    pub from_lane: u8,
    /// The link it enters.
    pub to: String,
    /// The lane it enters, 0 at the kerb.
    pub to_lane: u8,
    /// The turn it makes.
    pub turn: Turn,
    /// Path inside the node, metres: 0 to 500.
    #[serde(default)]
    pub length_m: f64,
    /// The signal group that releases it, of the junction its node belongs to; none means no signal does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Without a signal: whether it gives way to the other paths through the node.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gives_way: bool,
}

/// A pedestrian crossing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossingSpec {
    /// Unique among crossings.
    pub id: String,
    /// The node it is at.
    pub node: String,
    /// Kerb to kerb, metres: 0.5 to 100.
    pub length_m: f64,
    /// The links it crosses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crosses: Vec<String>,
    /// The pedestrian group that releases it; none means no signal does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// A signal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JunctionSpec {
    /// Unique among junctions.
    pub id: String,
    /// Its signal groups: at most 128.
    pub groups: Vec<GroupSpec>,
    /// Pairs of groups whose paths meet; an unlisted pair never meets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<ConflictSpec>,
    /// Intergreens the site or its program prescribes; the rest follow from yellow and all-red.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intergreens: Vec<IntergreenSpec>,
    /// What may be green together.
    pub stages: Vec<StageSpec>,
    /// Which stage may follow which.
    #[serde(default)]
    pub order: OrderSpec,
    /// Timed programs; the first is the one it falls back on.
    pub programs: Vec<ProgramSpec>,
}

/// Heads that always show one aspect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSpec {
    /// Unique within its junction.
    pub id: String,
    /// Whom it releases.
    #[serde(default)]
    pub kind: GroupKind,
    /// Shortest green (for pedestrians: walk), seconds: 0 to 120.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_green: Option<LimitSpec>,
    /// Longest red while demand waits, seconds: 10 to 900.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_red: Option<LimitSpec>,
    /// Yellow, seconds: 2.7 to 8; for pedestrians the clearance, 0 to 60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<LimitSpec>,
    /// From the end of yellow to a conflicting green, seconds: 0 to 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_red: Option<LimitSpec>,
    /// Whether its turn may go on red after a stop.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub turn_on_red: bool,
}

/// Whom a signal group releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupKind {
    /// Traffic.
    #[default]
    Vehicle,
    /// People on foot.
    Pedestrian,
}

/// A limit and who set it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSpec {
    /// Seconds.
    pub s: f64,
    /// Who set it.
    pub origin: Origin,
}

/// Who set a limit, the stronger first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The authority, for this very place (a limits file included).
    Site,
    /// The program it was imported with.
    Program,
    /// A general rule: ITE for yellow and all-red, MUTCD for pedestrians.
    Rule,
}

/// Two groups whose paths meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConflictSpec {
    /// One group.
    pub a: String,
    /// The other.
    pub b: String,
    /// What they may do.
    pub kind: ConflictKind,
}

/// What two groups whose paths meet may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// Never green together.
    Never,
    /// Green together, and `a` gives way to `b`.
    Yields,
}

/// A prescribed intergreen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntergreenSpec {
    /// The group that loses green.
    pub from: String,
    /// The group that gains it.
    pub to: String,
    /// From the last green of `from` to the first of `to`, seconds: 0 to 60.
    pub s: f64,
    /// Who set it.
    pub origin: Origin,
}

/// Groups that are green together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageSpec {
    /// Unique within its junction.
    pub id: String,
    /// The groups.
    pub groups: Vec<String>,
    /// Longest green, seconds; none means the maximum red of the others alone bounds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_s: Option<f64>,
    /// In a fixed order: whether it may be left out when nobody waits for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skippable: bool,
}

/// Which stage may follow which.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OrderSpec {
    /// Any other.
    #[default]
    Free,
    /// The next of the first program, skippable ones left out where wanted.
    Fixed,
    /// Rings and barriers: `[barrier][ring]` is a sequence of groups; all rings cross a barrier together.
    Rings(Vec<Vec<Vec<String>>>),
}

/// A timed program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramSpec {
    /// Unique within its junction.
    pub id: String,
    /// When its first stage's change begins against the master clock (1970-01-01T00:00:00 UTC), seconds.
    pub offset_s: f64,
    /// The stages in order; their sum is the cycle.
    pub splits: Vec<SplitSpec>,
}

/// A stage's share of the cycle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitSpec {
    /// The stage.
    pub stage: String,
    /// The change into it and its green, seconds: 1 to 600.
    pub s: f64,
}

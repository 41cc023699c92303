//! Where the streets of Lindenford run.

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::signal::{Order, Style, Walk};
use super::sketch::{Road, Sketch, tenth};
use crate::network::spec::ZoneSpec;
use crate::network::{Level, Side};

/// Signals of one tile: 72 corners of the grid and three crossings in mid-block.
pub(super) const SIGNALS: usize = 75;

/// Streets from south to north, west to east: name, distance from the first, metres.
const COLUMNS: [(&str, f64); 10] = [
    ("Orchard", 0.0),
    ("Chapel", 320.0),
    ("Market", 620.0),
    ("Oldbridge", 900.0),
    ("Abbey", 1180.0),
    ("Theatre", 1500.0),
    ("Newbridge", 1800.0),
    ("Foundry", 2150.0),
    ("Garden", 2480.0),
    ("Beacon", 2850.0),
];
/// Streets from west to east, south to north. The river Senn runs between Quayside and Embankment.
const ROWS: [(&str, f64); 8] = [
    ("Meadow", 0.0),
    ("Brewer", 260.0),
    ("Southgate", 600.0),
    ("Quayside", 880.0),
    ("Embankment", 1330.0),
    ("Corn", 1580.0),
    ("Mill", 1830.0),
    ("Ringway", 2150.0),
];
const SOUTHGATE: usize = 2;
const QUAYSIDE: usize = 3;
const EMBANKMENT: usize = 4;
const CORN: usize = 5;
const MILL: usize = 6;
const RINGWAY: usize = 7;
const OLDBRIDGE: usize = 3;
const ABBEY: usize = 4;
const NEWBRIDGE: usize = 6;
/// East of this column Corn and Mill are two-way.
const ONE_WAY_UNTIL: usize = 7;

/// From a tile's origin to the next one's, metres.
const TILE_M: (f64, f64) = (3250.0, 2600.0);
/// Length of a road into the country, and of a yard's or a car park's drive, metres.
const GATE_M: f64 = 300.0;
const YARD_M: f64 = 110.0;

/// 50 km/h, 60 km/h, 40 km/h where people live, 30 km/h in drives.
const TOWN: f64 = 13.9;
const FAST: f64 = 16.7;
const CALM: f64 = 11.1;
const SLOW: f64 = 8.3;

/// Corners without a signal.
const UNSIGNALLED: [(usize, usize); 8] = [(0, 0), (1, 0), (2, 0), (7, 0), (8, 0), (9, 0), (0, 1), (9, 1)];
/// Columns that lead out to the country in the south and the north; rows that do in the west and the east.
const GATE_COLUMNS: [usize; 4] = [1, 3, 6, 8];
const GATE_ROWS: [usize; 3] = [2, 4, 7];
/// Yards and car parks: (column, row, east, north).
const YARDS: [(usize, usize, i8, i8); 20] = [
    (0, 0, -1, 0),
    (0, 1, -1, 0),
    (2, 0, 0, -1),
    (4, 0, 0, -1),
    (5, 0, 0, -1),
    (7, 0, 0, -1),
    (9, 0, 1, 0),
    (9, 1, 1, 0),
    (1, QUAYSIDE, 0, 1),
    (5, QUAYSIDE, 0, 1),
    (8, QUAYSIDE, 0, 1),
    (2, EMBANKMENT, 0, -1),
    (5, EMBANKMENT, 0, -1),
    (8, EMBANKMENT, 0, -1),
    (ABBEY, CORN, 0, 1),
    (ABBEY, MILL, 0, -1),
    (0, CORN, -1, 0),
    (9, MILL, 1, 0),
    (2, RINGWAY, 0, 1),
    (5, RINGWAY, 0, 1),
];
/// Crossings in mid-block, on the way east from (column, row).
const MIDBLOCK: [(usize, usize); 3] = [(4, SOUTHGATE), (3, EMBANKMENT), (7, RINGWAY)];

/// Draws `count` tiles in a square, row by row, with their zones.
pub(super) fn draw(count: usize, seed: u64) -> (Sketch, Vec<ZoneSpec>) {
    let mut sketch = Sketch::new(Side::Right);
    let mut zones = vec![zone("Lindenford", Level::City, None)];
    let wide = (1..).find(|w| w * w >= count).unwrap_or(1);
    let mut drawn: Vec<Tile> = Vec::with_capacity(count);
    for number in 0..count {
        let (column, row) = (number % wide, number / wide);
        let tile = Tile::draw(number, (column as f64 * TILE_M.0, row as f64 * TILE_M.1), seed, &mut sketch);
        tile.zones(&mut zones);
        let west = (column > 0).then(|| &drawn[number - 1]);
        let south = (row > 0).then(|| &drawn[number - wide]);
        // What no neighbour in the east or north will join leads out to the country.
        let open_east = column + 1 == wide || number + 1 == count;
        let open_north = number + wide >= count;
        tile.gates(west, south, open_east, open_north, &mut sketch);
        drawn.push(tile);
    }
    (sketch, zones)
}

fn zone(id: impl Into<String>, level: Level, parent: Option<&str>) -> ZoneSpec {
    ZoneSpec { id: id.into(), level, parent: parent.map(str::to_owned) }
}

/// One town's corners.
struct Tile {
    number: usize,
    corners: [[usize; ROWS.len()]; COLUMNS.len()],
}

impl Tile {
    fn draw(number: usize, origin: (f64, f64), seed: u64, sketch: &mut Sketch) -> Self {
        let mut dice = Pcg64Mcg::seed_from_u64(seed ^ (number as u64) << 32);
        // Only a larger city is shaken; the demo's stays as it is drawn.
        let mut shift = |x: f64| if seed == 0 { x } else { x + (dice.next_u32() % 41) as f64 - 20.0 };
        let mut tile = Self { number, corners: [[0; ROWS.len()]; COLUMNS.len()] };
        for (column, &(street, x)) in COLUMNS.iter().enumerate() {
            for (row, &(road, y)) in ROWS.iter().enumerate() {
                let at = (origin.0 + shift(x), origin.1 + shift(y));
                let style = (!UNSIGNALLED.contains(&(column, row))).then(|| style(column, row));
                let id = tile.named(&format!("{street}/{road}"));
                tile.corners[column][row] = sketch.corner(id, at, Some(tile.community(column, row)), style);
            }
        }
        tile.streets(sketch);
        tile.yards(sketch);
        tile
    }

    /// A name within the first tile as it is, within another with its number.
    fn named(&self, name: &str) -> String {
        if self.number == 0 { name.to_owned() } else { format!("{}:{name}", self.number) }
    }

    fn district(&self, column: usize, row: usize) -> String {
        self.named(match (column, row) {
            (_, 0..=QUAYSIDE) => "Tannery",
            (0..=5, _) => "Kingsmead",
            _ => "Eastholm",
        })
    }

    fn street(&self, column: usize, row: usize) -> String {
        let half = match (column, row) {
            (_, 0..=QUAYSIDE) if column < 5 => "West",
            (_, 0..=QUAYSIDE) => "East",
            (0..=5, _) if column < 3 => "West",
            (0..=5, _) => "Central",
            (_, row) if row <= CORN => "South",
            _ => "North",
        };
        format!("{} {half}", self.district(column, row))
    }

    fn community(&self, column: usize, row: usize) -> String {
        let part = match row {
            0..=1 => "Fields",
            2..=3 => "Wharf",
            4..=5 => "Riverside",
            _ => "Heights",
        };
        format!("{} {part}", self.street(column, row))
    }

    fn zones(&self, zones: &mut Vec<ZoneSpec>) {
        let mut add = |id: String, level: Level, parent: &str| {
            // Only this tile's zones can repeat, and they are the last.
            if !zones.iter().rev().take(32).any(|z| z.id == id) {
                zones.push(zone(id, level, Some(parent)));
            }
        };
        for column in 0..COLUMNS.len() {
            for row in 0..ROWS.len() {
                let (district, street) = (self.district(column, row), self.street(column, row));
                add(district.clone(), Level::District, "Lindenford");
                add(street.clone(), Level::Street, &district);
                add(self.community(column, row), Level::Community, &street);
            }
        }
    }

    fn streets(&self, sketch: &mut Sketch) {
        for (row, (street, _)) in ROWS.iter().enumerate() {
            for column in 0..COLUMNS.len() - 1 {
                let (west, east) = (self.corners[column][row], self.corners[column + 1][row]);
                let (lanes, speed) = row_lanes(row, column);
                let name = format!("{street} {}", if row == RINGWAY { "Road" } else { "Street" });
                let eastward = Road { from: west, to: east, lanes, pocket: false, speed, name };
                let westward = Road { from: east, to: west, ..eastward.clone() };
                match row {
                    CORN if column < ONE_WAY_UNTIL => sketch.one_way(eastward),
                    MILL if column < ONE_WAY_UNTIL => sketch.one_way(westward),
                    _ => {
                        let east = Road { pocket: pocket(column + 1, row, 0), ..eastward };
                        let west = Road { pocket: pocket(column, row, 0), ..westward };
                        match MIDBLOCK.contains(&(column, row)) {
                            true => self.midblock((column, row), east, west, sketch),
                            false => [east, west].into_iter().for_each(|road| sketch.one_way(road)),
                        }
                    }
                }
            }
        }
        for (column, (street, _)) in COLUMNS.iter().enumerate() {
            for row in 0..ROWS.len() - 1 {
                let river = row == QUAYSIDE && column != OLDBRIDGE && column != NEWBRIDGE;
                let precinct = column == ABBEY && row == CORN;
                if river || precinct {
                    continue;
                }
                let (south, north) = (self.corners[column][row], self.corners[column][row + 1]);
                let (lanes, speed) = column_lanes(column, row);
                let name = format!("{street} {}", if lanes == 1 { "Lane" } else { "Avenue" });
                let northward = Road { from: south, to: north, lanes, pocket: pocket(column, row + 1, 1), speed, name };
                let southward = Road { from: north, to: south, pocket: pocket(column, row, 1), ..northward.clone() };
                sketch.one_way(northward);
                sketch.one_way(southward);
            }
        }
    }

    /// A crossing in the middle of a block, and the road's two directions through it.
    fn midblock(&self, (column, row): (usize, usize), east: Road, west: Road, sketch: &mut Sketch) {
        let ((x, y), (u, v)) = (sketch.at(east.from), sketch.at(east.to));
        let id = self.named(&format!("{} Crossing", ROWS[row].0));
        let style = Style { walk: Walk::Alone, cycle_s: 90.0, offset_s: 40.0, ..Style::PLAIN };
        let at = (tenth((x + u) / 2.0), tenth((y + v) / 2.0));
        let middle = sketch.corner(id, at, Some(self.community(column, row)), Some(style));
        for road in [east, west] {
            sketch.one_way(Road { to: middle, pocket: false, ..road.clone() });
            sketch.one_way(Road { from: middle, ..road });
        }
    }

    fn yards(&self, sketch: &mut Sketch) {
        for (column, row, east, north) in YARDS {
            let (x, y) = sketch.at(self.corners[column][row]);
            let at = (x + f64::from(east) * YARD_M, y + f64::from(north) * YARD_M);
            let place = if row <= 1 { "Yard" } else { "Car Park" };
            let id = self.named(&format!("{} {} {place}", COLUMNS[column].0, ROWS[row].0));
            self.dead_end(id, at, (column, row), 1, SLOW, sketch);
        }
    }

    fn dead_end(
        &self,
        id: String,
        at: (f64, f64),
        (column, row): (usize, usize),
        lanes: u8,
        speed: f64,
        sketch: &mut Sketch,
    ) {
        let corner = self.corners[column][row];
        let end = sketch.corner(id.clone(), at, Some(self.community(column, row)), None);
        sketch.two_way(Road { from: end, to: corner, lanes, pocket: false, speed, name: id });
    }

    /// Joins the gates of the neighbours drawn before, and lets the other gates lead out to the country.
    fn gates(&self, west: Option<&Self>, south: Option<&Self>, open_east: bool, open_north: bool, sketch: &mut Sketch) {
        let last = (COLUMNS.len() - 1, ROWS.len() - 1);
        for row in GATE_ROWS {
            let (lanes, speed) = row_lanes(row, 0);
            let out = |direction: &str| self.named(&format!("{direction} {}", ROWS[row].0));
            let here = self.corners[0][row];
            match west {
                Some(tile) => {
                    let name = format!("{} Road", ROWS[row].0);
                    let from = tile.corners[last.0][row];
                    sketch.two_way(Road { from, to: here, lanes, pocket: false, speed, name });
                }
                None => {
                    let (x, y) = sketch.at(here);
                    self.dead_end(out("West"), (x - GATE_M, y), (0, row), lanes, speed, sketch);
                }
            }
            if open_east {
                let (x, y) = sketch.at(self.corners[last.0][row]);
                self.dead_end(out("East"), (x + GATE_M, y), (last.0, row), lanes, speed, sketch);
            }
        }
        for column in GATE_COLUMNS {
            let (lanes, speed) = column_lanes(column, 0);
            let out = |direction: &str| self.named(&format!("{direction} {}", COLUMNS[column].0));
            let here = self.corners[column][0];
            match south {
                Some(tile) => {
                    let name = format!("{} Road", COLUMNS[column].0);
                    let from = tile.corners[column][last.1];
                    sketch.two_way(Road { from, to: here, lanes, pocket: false, speed, name });
                }
                None => {
                    let (x, y) = sketch.at(here);
                    self.dead_end(out("South"), (x, y - GATE_M), (column, 0), lanes, speed, sketch);
                }
            }
            if open_north {
                let (x, y) = sketch.at(self.corners[column][last.1]);
                self.dead_end(out("North"), (x, y + GATE_M), (column, last.1), lanes, speed, sketch);
            }
        }
    }
}

/// Lanes and limit of a west-east street just east of `column`.
fn row_lanes(row: usize, column: usize) -> (u8, f64) {
    match row {
        SOUTHGATE if column >= NEWBRIDGE => (3, FAST),
        SOUTHGATE => (2, FAST),
        CORN | MILL if column < ONE_WAY_UNTIL => (3, TOWN),
        EMBANKMENT => (2, TOWN),
        RINGWAY => (2, FAST),
        QUAYSIDE => (2, TOWN),
        0 | 1 => (1, CALM),
        _ => (1, TOWN),
    }
}

/// Lanes and limit of a south-north street just north of `row`.
fn column_lanes(column: usize, row: usize) -> (u8, f64) {
    match column {
        NEWBRIDGE if row == QUAYSIDE => (2, TOWN), // the bridge is narrower than its avenue
        NEWBRIDGE => (3, TOWN),
        OLDBRIDGE => (2, TOWN),
        1 | 5 | 8 if row >= SOUTHGATE => (2, TOWN),
        _ => (1, TOWN),
    }
}

/// Whether the approach to a corner on that axis (0 east-west) widens before its stop line.
fn pocket(column: usize, row: usize, axis: usize) -> bool {
    matches!(
        (column, row, axis),
        (3 | 5, SOUTHGATE, 0)
            | (3 | 6, EMBANKMENT, 0)
            | (2 | 3 | 5 | 6, RINGWAY, 0)
            | (OLDBRIDGE, SOUTHGATE | QUAYSIDE | EMBANKMENT | RINGWAY, 1)
            | (NEWBRIDGE, QUAYSIDE | EMBANKMENT, 1)
    )
}

/// How a corner is signalised.
fn style(column: usize, row: usize) -> Style {
    let centre = (1..=6).contains(&column) && (EMBANKMENT..=MILL).contains(&row);
    let crossing_arterials = column == NEWBRIDGE && matches!(row, SOUTHGATE | RINGWAY);
    let walk = match (column, row) {
        (2 | 5, CORN) => Walk::Alone,
        _ if centre || matches!(row, SOUTHGATE | QUAYSIDE) => Walk::Beside,
        (OLDBRIDGE | NEWBRIDGE, _) => Walk::Beside,
        _ => Walk::No,
    };
    let order = match row {
        _ if crossing_arterials => Order::Rings,
        SOUTHGATE | CORN | MILL => Order::Fixed,
        _ => Order::Free,
    };
    let wide = |axis: usize| match axis {
        0 => row == SOUTHGATE || pocket(column, row, 0),
        _ => column == NEWBRIDGE || (column == OLDBRIDGE && row >= SOUTHGATE),
    };
    Style {
        protected: [wide(0) || crossing_arterials, wide(1) || crossing_arterials],
        walk,
        order,
        turn_on_red: !centre,
        cycle_s: 90.0,
        offset_s: ((column * 23 + row * 17) % 90) as f64,
    }
}

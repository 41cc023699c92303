//! A chess-board city written as SUMO and as CityFlow write one: four approaches of two lanes at every signal.

use std::fmt::Write;

/// Metres from junction to junction.
const BLOCK: f64 = 200.0;
/// Where an approach comes from: north, east, south, west, clockwise; x and y of the neighbour.
const FROM: [(i64, i64); 4] = [(0, 1), (1, 0), (0, -1), (-1, 0)];
/// Link within its approach: turn, lane, exit as steps clockwise from the approach.
const LINKS: [(char, usize, usize); 4] = [('r', 0, 3), ('s', 0, 2), ('s', 1, 2), ('l', 1, 1)];

/// A place of the board; outside it the roads end.
struct At(i64, i64);

impl At {
    fn name(&self) -> String {
        format!("n{}_{}", self.0, self.1)
    }

    fn side(&self, approach: usize) -> Self {
        Self(self.0 + FROM[approach].0, self.1 + FROM[approach].1)
    }

    fn road_to(&self, other: &Self) -> String {
        format!("{}>{}", self.name(), other.name())
    }
}

/// Whether two links of a junction meet, and whether the first gives way.
fn meet(a: usize, b: usize) -> (bool, bool) {
    let (one, other) = (a / 4, b / 4);
    let ((turn, _, exit), (turn_b, _, exit_b)) = (LINKS[a % 4], LINKS[b % 4]);
    let merge = (one + exit) % 4 == (other + exit_b) % 4 && a % 4 / 2 == b % 4 / 2;
    let cross = match (other + 4 - one) % 4 {
        2 => (turn == 'l') != (turn_b == 'l') && turn != 'r' && turn_b != 'r',
        1 | 3 => turn != 'r' && turn_b != 'r',
        _ => false,
    };
    let foes = one != other && (merge || cross);
    (foes, foes && (turn != 's') && turn_b == 's')
}

/// A SUMO network of `side` × `side` signals.
pub(crate) fn sumo(side: i64) -> String {
    let mut out = String::from("<net version=\"1.20\">\n");
    let board = || (0..side).flat_map(move |x| (0..side).map(move |y| At(x, y)));
    let inside = |at: &At| (0..side).contains(&at.0) && (0..side).contains(&at.1);
    let _ = writeln!(out, "<location netOffset=\"0.00,0.00\" convBoundary=\"0,0,1,1\" projParameter=\"!\"/>");
    for at in board() {
        let name = at.name();
        for link in 0..16 {
            let _ = writeln!(
                out,
                "<edge id=\":{name}_{link}\" function=\"internal\"><lane id=\":{name}_{link}_0\" index=\"0\" speed=\"10\" length=\"17.50\" shape=\"0.00,0.00 5.00,5.00 9.00,12.00\"/></edge>"
            );
        }
        for approach in 0..4 {
            let from = at.side(approach);
            let mut roads = vec![(from.road_to(&at), from.name(), name.clone())];
            if !inside(&from) {
                roads.push((at.road_to(&from), name.clone(), from.name()));
            }
            for (id, a, b) in roads {
                let _ = write!(out, "<edge id=\"{id}\" from=\"{a}\" to=\"{b}\" priority=\"1\">");
                for lane in 0..2 {
                    let _ = write!(
                        out,
                        "<lane id=\"{id}_{lane}\" index=\"{lane}\" speed=\"13.89\" length=\"180.00\" shape=\"0.00,0.00 180.00,0.00\"/>"
                    );
                }
                out.push_str("</edge>\n");
            }
        }
    }
    for at in board() {
        let states = ["GGGgrrrr", "yyygrrrr", "rrrGrrrr", "rrryrrrr", "rrrrGGGg", "rrrryyyg", "rrrrrrrG", "rrrrrrry"];
        let _ =
            write!(out, "<tlLogic id=\"{}\" type=\"static\" programID=\"0\" offset=\"{}\">", at.name(), at.0 * 7 % 90);
        for (state, seconds) in states.iter().zip([33, 3, 6, 3, 33, 3, 6, 3]) {
            let _ = write!(out, "<phase duration=\"{seconds}\" state=\"{state}{state}\"/>");
        }
        out.push_str("</tlLogic>\n");
    }
    for at in board() {
        let name = at.name();
        for link in 0..16 {
            let (_, lane, exit) = LINKS[link % 4];
            let _ = writeln!(
                out,
                "<connection from=\"{}\" to=\"{}\" fromLane=\"{lane}\" toLane=\"{lane}\" via=\":{name}_{link}_0\" tl=\"{name}\" linkIndex=\"{link}\" dir=\"{}\" state=\"o\"/>",
                at.side(link / 4).road_to(&at),
                at.road_to(&at.side((link / 4 + exit) % 4)),
                LINKS[link % 4].0,
            );
        }
        let lanes: Vec<String> = (0..8).map(|k| format!("{}_{}", at.side(k / 2).road_to(&at), k % 2)).collect();
        let (x, y) = (at.0 as f64 * BLOCK, at.1 as f64 * BLOCK);
        let _ = write!(
            out,
            "<junction id=\"{name}\" type=\"traffic_light\" x=\"{x}\" y=\"{y}\" incLanes=\"{}\" intLanes=\"\">",
            lanes.join(" ")
        );
        for link in 0..16 {
            let bits = |what: &dyn Fn(usize) -> bool| (0..16).rev().map(|k| if what(k) { '1' } else { '0' }).collect();
            let (response, foes): (String, String) = (bits(&|k| meet(link, k).1), bits(&|k| meet(link, k).0));
            let _ = write!(out, "<request index=\"{link}\" response=\"{response}\" foes=\"{foes}\" cont=\"0\"/>");
        }
        out.push_str("</junction>\n");
        for end in (0..4).map(|a| at.side(a)).filter(|end| !inside(end)) {
            let (x, y) = (end.0 as f64 * BLOCK, end.1 as f64 * BLOCK);
            let _ = writeln!(
                out,
                "<junction id=\"{}\" type=\"dead_end\" x=\"{x}\" y=\"{y}\" incLanes=\"\" intLanes=\"\"/>",
                end.name()
            );
        }
    }
    out.push_str("</net>\n");
    out
}

/// A CityFlow road network of `side` × `side` signals.
pub(crate) fn cityflow(side: i64) -> String {
    let board = || (0..side).flat_map(move |x| (0..side).map(move |y| At(x, y)));
    let inside = |at: &At| (0..side).contains(&at.0) && (0..side).contains(&at.1);
    let point = |at: &At| format!("{{\"x\":{},\"y\":{}}}", at.0 as f64 * BLOCK, at.1 as f64 * BLOCK);
    let (mut places, mut roads) = (Vec::new(), Vec::new());
    for at in board() {
        let mut links = Vec::new();
        for (approach, a) in FROM.into_iter().enumerate() {
            for (turn, lane, exit) in [("turn_right", 1, 3), ("go_straight", 1, 2), ("turn_left", 0, 1)] {
                let to = (approach + exit) % 4;
                let b = FROM[to];
                let lane_links: Vec<String> = (0..2)
                    .map(|end| {
                        format!(
                            "{{\"startLaneIndex\":{lane},\"endLaneIndex\":{end},\"points\":[{{\"x\":{},\"y\":{}}},{{\"x\":0.5,\"y\":0.25}},{{\"x\":{},\"y\":{}}}]}}",
                            a.0 * 15, a.1 * 15, b.0 * 15, b.1 * 15
                        )
                    })
                    .collect();
                links.push(format!(
                    "{{\"type\":\"{turn}\",\"startRoad\":\"{}\",\"endRoad\":\"{}\",\"laneLinks\":[{}]}}",
                    at.side(approach).road_to(&at),
                    at.road_to(&at.side(to)),
                    lane_links.join(",")
                ));
            }
            let from = at.side(approach);
            let mut here = vec![(from.road_to(&at), point(&from), point(&at), from.name(), at.name())];
            if !inside(&from) {
                here.push((at.road_to(&from), point(&at), point(&from), at.name(), from.name()));
                places.push(format!(
                    "{{\"id\":\"{}\",\"point\":{},\"width\":0,\"roadLinks\":[],\"virtual\":true}}",
                    from.name(),
                    point(&from)
                ));
            }
            for (id, a, b, start, end) in here {
                roads.push(format!(
                    "{{\"id\":\"{id}\",\"points\":[{a},{b}],\"lanes\":[{{\"width\":3,\"maxSpeed\":11.1}},{{\"width\":3,\"maxSpeed\":11.1}}],\"startIntersection\":\"{start}\",\"endIntersection\":\"{end}\"}}"
                ));
            }
        }
        let phases = ["0,3,6,9", "0,3,6,9,1,7", "0,3,6,9,4,10", "0,3,6,9,2,8", "0,3,6,9,5,11"];
        let phases: Vec<String> =
            phases.iter().map(|links| format!("{{\"time\":30,\"availableRoadLinks\":[{links}]}}")).collect();
        places.push(format!(
            "{{\"id\":\"{}\",\"point\":{},\"width\":15,\"roadLinks\":[{}],\"trafficLight\":{{\"roadLinkIndices\":[0,1,2,3,4,5,6,7,8,9,10,11],\"lightphases\":[{}]}},\"virtual\":false}}",
            at.name(),
            point(&at),
            links.join(","),
            phases.join(",")
        ));
    }
    format!("{{\"intersections\":[{}],\"roads\":[{}]}}", places.join(","), roads.join(","))
}

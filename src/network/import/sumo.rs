//! SUMO's `net.xml` made into a network file.
//!
//! Names carry over, so that whoever drives SUMO finds its own again: a link's id is the edge's, a junction's id is
//! the `tlLogic`'s, and a **group's id lists the link indices it stands for**, `"3,4,7"`: the positions of its
//! characters in SUMO's signal state. A stage's id is the index of its (first) `phase` in the base program;
//! in other programs `program/index`.
//!
//! - A group is the links of one approach whose characters are equal in every state of every program.
//! - A stage is a distinct set of green links. States that show yellow, all-red states, and short ones (below 5 s) in
//!   which nothing is green that is not green before and after, are changes; a stage's share is the change into it
//!   and its green.
//! - Paths that meet (`foes`) yield, as the `response` bits say, where some program shows both green; else they are
//!   never green together. A merging turn is no exception: what no program lets go together, we do not either.
//! - Lanes count from the kerb, without those that no vehicle may use (pavements). SUMO counts from the kerb as well, in
//!   left-hand networks too.
//! - Yellows and intergreens are the program's own where it shows them; the rest is left to the rules.

mod conflicts;
mod observe;
mod place;
mod program;
mod read;
mod roads;
mod signals;

use std::io::BufRead;

use self::read::Net;
use self::roads::Roads;
use super::{ImportError, Imported, Notes};
use crate::network::spec::{FORMAT, Level, NetworkSpec, NodeSpec, Side};

/// Reads a `net.xml`. The signal programs in `additional` files take precedence, the last file's over the others', as
/// they do in SUMO.
///
/// # Errors
/// The first thing in a file that is not as SUMO writes it.
pub fn import<R: BufRead, A: BufRead>(
    name: &str,
    net: R,
    additional: impl IntoIterator<Item = A>,
) -> Result<Imported, ImportError> {
    let mut net = Net::read(net)?;
    let mut first = Vec::new();
    for file in additional {
        let mut programs = read::programs(file)?;
        programs.append(&mut first);
        first = programs;
    }
    // In the net itself, program "0" goes before others.
    net.logics.sort_by_key(|logic| logic.program != "0");
    first.append(&mut net.logics);
    net.logics = first;
    Ok(convert(name, &net))
}

fn convert(name: &str, net: &Net) -> Imported {
    let mut notes = Notes::default();
    let (shift, origin) = place::origin(net.location.as_ref());
    if shift.iter().any(|by| by.abs() > 0.0) {
        notes.add("coordinates are moved towards (0, 0)", format!("by {} m, {} m", shift[0], shift[1]));
    }
    let roads = Roads::new(net, &mut notes);
    let signals = signals::signals(net, &roads, &mut notes);
    let nodes = net.nodes.iter().enumerate().map(|(row, n)| NodeSpec {
        id: n.id.clone(),
        x: n.x + shift[0],
        y: n.y + shift[1],
        junction: signals.of_node[row].clone(),
        zone: None,
    });
    let spec = NetworkSpec {
        format: FORMAT.into(),
        name: name.into(),
        source: "a SUMO network".into(),
        drive_on: if net.lefthand { Side::Left } else { Side::Right },
        utc_offset_min: 0,
        origin,
        partition_level: Level::City,
        zones: Vec::new(),
        nodes: nodes.collect(),
        links: roads.links(net, shift, &mut notes),
        connections: roads.connections(net, &signals, &mut notes),
        crossings: roads.crossings(net, &signals),
        junctions: signals.junctions,
    };
    if !spec.junctions.is_empty() {
        notes.add("a SUMO program has one order only; here any stage may follow any other", spec.name.as_str());
    }
    Imported { spec, notes: notes.lines() }
}

//! A network told to people and to machines: counts, and each signal's groups and stages.

use std::fmt::{self, Display};

use serde_json::{Value, json};

use crate::ids::GroupSet;
use crate::network::{Junction, Limit, Network, Origin};

/// A network as one JSON object.
pub fn described(network: &Network) -> Value {
    let hash: String = network.hash().iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "name": network.name(),
        "hash": hash,
        "nodes": network.nodes().len(),
        "links": network.links().len(),
        "lanes": network.lanes().len(),
        "connections": network.connections().len(),
        "movements": network.movements().len(),
        "crossings": network.crossings().len(),
        "zones": network.zones().len(),
        "partitions": network.partitions().len(),
        "junctions": network.junctions().values().map(|j| signal(network, j)).collect::<Vec<_>>(),
    })
}

fn signal(network: &Network, j: &Junction) -> Value {
    let groups = j.groups.values().map(|g| {
        let mut from: Vec<&str> = g
            .connections
            .iter()
            .map(|&c| &*network.link(network.lane(network.connections()[c].from).link).name)
            .collect();
        from.dedup();
        json!({
            "id": g.name,
            "kind": format!("{:?}", g.kind).to_lowercase(),
            "from": from,
            "min_green": limit(g.min_green),
            "max_red": limit(g.max_red),
            "change": limit(g.change),
            "all_red": limit(g.all_red),
            "turn_on_red": g.turn_on_red,
        })
    });
    let stages = j.stages.values().map(|s| json!({"id": s.name, "groups": names(j, s.groups)}));
    let programs = j.programs.iter().map(|p| {
        let splits: Vec<Value> =
            p.splits.iter().map(|&(stage, share)| json!({"stage": j.stages[stage].name, "s": share.s()})).collect();
        json!({"id": p.name, "offset_s": p.offset.s(), "cycle_s": p.cycle().s(), "splits": splits})
    });
    json!({
        "id": j.name,
        "groups": groups.collect::<Vec<_>>(),
        "stages": stages.collect::<Vec<_>>(),
        "programs": programs.collect::<Vec<_>>(),
    })
}

fn limit(limit: Limit) -> Value {
    json!({"s": limit.span.s(), "origin": origin(limit.origin)})
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Site => "site",
        Origin::Program => "program",
        Origin::Rule => "rule",
    }
}

fn names(j: &Junction, groups: GroupSet) -> Vec<&str> {
    groups.iter().map(|g| &*j.groups[g].name).collect()
}

/// A network as text.
pub fn told(network: &Network) -> impl Display {
    fmt::from_fn(|f| {
        writeln!(
            f,
            "{}: {} nodes, {} links, {} lanes, {} connections, {} crossings, {} partitions, {} junctions",
            network.name(),
            network.nodes().len(),
            network.links().len(),
            network.lanes().len(),
            network.connections().len(),
            network.crossings().len(),
            network.partitions().len(),
            network.junctions().len(),
        )?;
        network.junctions().values().try_for_each(|j| tell(f, j))
    })
}

fn tell(f: &mut fmt::Formatter<'_>, j: &Junction) -> fmt::Result {
    writeln!(f, "\n{}: {} groups, {} stages", j.name, j.groups.len(), j.stages.len())?;
    for g in j.groups.values() {
        let on_red = if g.turn_on_red { ", turns on red" } else { "" };
        writeln!(
            f,
            "  group {:12} {:?}, green at least {} ({}), change {} ({}), all-red {} ({}){on_red}",
            g.name,
            g.kind,
            g.min_green.span,
            origin(g.min_green.origin),
            g.change.span,
            origin(g.change.origin),
            g.all_red.span,
            origin(g.all_red.origin),
        )?;
    }
    for s in j.stages.values() {
        writeln!(f, "  stage {:12} {}", s.name, names(j, s.groups).join(" · "))?;
    }
    for p in &j.programs {
        let splits = p.splits.iter().map(|&(stage, share)| format!("{}:{}", j.stages[stage].name, share.s()));
        let splits: Vec<String> = splits.collect();
        writeln!(f, "  program {:10} cycle {}, offset {}: {}", p.name, p.cycle(), p.offset, splits.join(" "))?;
    }
    Ok(())
}

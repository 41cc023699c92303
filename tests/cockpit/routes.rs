//! Every route, with what it asks of whom: by the oracle's account, not the server's.

use serde_json::{Value, json};

use crate::oracle::Oracle;

/// What a route asks of whoever calls it.
pub(crate) enum Asks {
    /// Nothing: it is public.
    Nothing,
    /// A token that counts.
    Token,
    /// Some grant, anywhere, of this role at least.
    Somewhere(&'static str),
    /// This role in each of these zones.
    Role(&'static str, Vec<String>),
}

/// One call of a route.
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    pub(crate) asks: Asks,
    /// The answer to who may.
    pub(crate) granted: u16,
}

/// An answer of the server to a call by somebody with `grants`; without any the token does not count.
pub(crate) fn expected(call: &Call, oracle: &Oracle, grants: Option<&[(&str, &str)]>) -> u16 {
    let somewhere = |role: &str| {
        let rank = |role: &str| crate::oracle::ROLES.iter().position(|r| *r == role);
        grants.is_some_and(|g| g.iter().any(|(_, own)| rank(own) >= rank(role)))
    };
    let allowed = match &call.asks {
        Asks::Nothing => return call.granted,
        _ if grants.is_none() => return 401,
        Asks::Token => true,
        Asks::Somewhere(role) => somewhere(role),
        Asks::Role(role, places) => {
            let places: Vec<&str> = places.iter().map(String::as_str).collect();
            oracle.may(grants.unwrap_or_default(), role, &places)
        }
    };
    if allowed { call.granted } else { 403 }
}

fn escaped(name: &str) -> String {
    name.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// Every route there is, aimed at `zone` and at a junction and a link in it. Names of people and things are `tag`'s own.
pub(crate) fn all(oracle: &Oracle, zone: &str, junction: &str, link: &str, tag: &str) -> Vec<Call> {
    let (at_junction, at_link) = (oracle.junctions[junction].clone(), oracle.links[link].clone());
    let get = |path: String, asks| Call { path, body: None, asks, granted: 200 };
    let order = |action: Value, role, place: &str| Call {
        path: "/api/commands".into(),
        body: Some(json!({"action": action, "reason": tag})),
        asks: Asks::Role(role, vec![place.to_owned()]),
        granted: 202,
    };
    let see = |place: &str| Asks::Role("viewer", vec![place.to_owned()]);
    let root =
        oracle.zones().min_by_key(|z| oracle.zones().filter(|o| !oracle.may(&[(z, "viewer")], "viewer", &[o])).count());
    let root = root.expect("a city").to_owned();
    vec![
        get("/health".into(), Asks::Nothing),
        get("/ready".into(), Asks::Nothing),
        get("/api/openapi.json".into(), Asks::Nothing),
        get("/".into(), Asks::Nothing),
        get("/api/me".into(), Asks::Token),
        get("/api/map".into(), Asks::Token),
        get("/api/zones".into(), Asks::Token),
        get(format!("/api/zones/{}", escaped(zone)), see(zone)),
        get("/api/links".into(), Asks::Token),
        get(format!("/api/links?zone={}", escaped(zone)), see(zone)),
        get(format!("/api/links/{}", escaped(link)), see(&at_link)),
        get("/api/junctions".into(), Asks::Token),
        get(format!("/api/junctions?zone={}", escaped(zone)), see(zone)),
        get(format!("/api/junctions/{}", escaped(junction)), see(&at_junction)),
        get(format!("/api/junctions/{}/diagram", escaped(junction)), see(&at_junction)),
        get("/api/sensors".into(), Asks::Token),
        get(format!("/api/sensors?zone={}", escaped(zone)), see(zone)),
        get("/api/corridors".into(), Asks::Token),
        get("/api/alarms".into(), Asks::Token),
        get("/api/statistics".into(), Asks::Role("engineer", vec![root])),
        get("/api/audit".into(), Asks::Somewhere("engineer")),
        get("/api/commands".into(), Asks::Somewhere("operator")),
        get("/api/live".into(), Asks::Somewhere("viewer")),
        Call {
            path: "/api/session".into(),
            body: Some(json!({"one_time": tag})),
            asks: Asks::Nothing,
            granted: 401, // not the word that was printed
        },
        // What does not exist is nobody's: the tests of alarms and of second persons try what does.
        Call {
            path: "/api/alarms/999999".into(),
            body: Some(json!({"step": "acknowledge"})),
            asks: Asks::Token,
            granted: 404,
        },
        Call { path: "/api/commands/w999999/approve".into(), body: Some(json!({})), asks: Asks::Token, granted: 404 },
        Call {
            path: "/api/tokens".into(),
            body: Some(json!({"name": format!("friend of {tag}"), "grants": [{"zone": zone, "role": "viewer"}]})),
            asks: Asks::Role("administrator", vec![zone.to_owned()]),
            granted: 200,
        },
        Call {
            path: "/api/corridors/preview".into(),
            body: Some(json!({"from": link, "to": link})),
            asks: see(&at_link),
            granted: 200,
        },
        order(json!({"kind": "hold", "junction": junction}), "operator", &at_junction),
        order(json!({"kind": "release", "junction": junction}), "operator", &at_junction),
        order(json!({"kind": "close_link", "link": link}), "operator", &at_link),
        order(json!({"kind": "open_link", "link": link}), "operator", &at_link),
        order(json!({"kind": "close_lane", "link": link, "lane": 0}), "operator", &at_link),
        order(json!({"kind": "open_lane", "link": link, "lane": 0}), "operator", &at_link),
        order(json!({"kind": "green_wave", "vehicle": tag, "from": link, "to": link}), "operator", &at_link),
        order(json!({"kind": "mode", "zone": zone, "mode": "control"}), "engineer", zone),
    ]
}

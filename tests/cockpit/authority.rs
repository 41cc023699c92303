//! Who may do what where: every route by every role in every kind of zone, and ten thousand draws beside.

use rand_core::Rng;
use rand_pcg::Pcg64Mcg;
use serde_json::{Value, json};

use crate::client::Room;
use crate::oracle::{Oracle, ROLES};
use crate::routes::{Call, all, expected};

/// A person of the test: a name, what they were given, the token that says so.
struct Person {
    name: String,
    grants: Vec<(String, &'static str)>,
    token: Option<String>,
}

impl Person {
    fn grants(&self) -> Vec<(&str, &str)> {
        self.grants.iter().map(|(zone, role)| (zone.as_str(), *role)).collect()
    }
}

#[test]
fn every_route_by_every_role_in_every_zone() {
    let mut room = Room::open(Vec::new(), &[]);
    room.pass(2);
    room.cockpit.end(); // so that /ready does not wait for a tick
    let oracle = Oracle::new(&room.spec);
    let administrator = room.administrator();
    let zones: Vec<&str> = oracle.zones().collect();
    let mut people = vec![Person { name: "nobody".into(), grants: Vec::new(), token: None }];
    for zone in &zones {
        for role in ROLES {
            let name = format!("{role} of {zone}");
            let token = Some(room.mint(&administrator, &name, &[(zone, role)]));
            people.push(Person { name, grants: vec![((*zone).to_owned(), role)], token });
        }
    }
    let mut called = 0;
    for zone in &zones {
        // A junction and a link in it or below it.
        let inside = |place: &str| oracle.may(&[(zone, "viewer")], "viewer", &[place]);
        let junction = oracle.junctions.iter().find(|(_, at)| inside(at)).expect("every zone has one").0;
        let link = oracle.links.iter().find(|(_, at)| inside(at)).expect("every zone has one").0;
        for person in &people {
            let grants = person.grants();
            let grants = person.token.is_some().then_some(&grants[..]);
            for call in all(&oracle, zone, junction, link, &person.name) {
                let (status, body) = room.ask(person.token.as_deref(), &call.path, call.body.as_ref());
                let wanted = expected(&call, &oracle, grants);
                assert_eq!(status, wanted, "{}: {} {:?}: {body}", person.name, call.path, call.body);
                called += 1;
            }
        }
        room.cockpit.orders(); // what was ordered is not carried out
    }
    assert!(called > 10_000, "{called}");
}

#[test]
fn ten_thousand_draws_of_token_route_and_zone() {
    let mut room = Room::open(Vec::new(), &[]);
    room.pass(2);
    room.cockpit.end(); // so that /ready does not wait for a tick
    let oracle = Oracle::new(&room.spec);
    let administrator = room.administrator();
    let mut dice = Pcg64Mcg::new(0x0c0c_2017);
    let zones: Vec<String> = oracle.zones().map(str::to_owned).collect();
    let mut below = |count: usize| (dice.next_u64() % count as u64) as usize;
    let people: Vec<Person> = (0..150)
        .map(|row| {
            let drawn: Vec<(String, &str)> =
                (0..1 + row % 3).map(|_| (zones[below(zones.len())].clone(), ROLES[below(4)])).collect();
            let name = format!("person {row}");
            let grants: Vec<(&str, &str)> = drawn.iter().map(|(zone, role)| (zone.as_str(), *role)).collect();
            let token = room.mint(&administrator, &name, &grants);
            // One in ten holds a token that was tampered with.
            let token = if row % 10 == 9 { format!("{}x", &token[..token.len() - 2]) } else { token };
            Person { name, grants: drawn, token: (row % 17 != 16).then_some(token) }
        })
        .collect();
    let junctions: Vec<&String> = oracle.junctions.keys().collect();
    let links: Vec<&String> = oracle.links.keys().collect();
    let mut seen = std::collections::BTreeMap::new();
    for draw in 0..10_000_usize {
        let row = below(people.len());
        let person = &people[row];
        let (junction, link) = (junctions[below(junctions.len())], links[below(links.len())]);
        let mut calls = all(&oracle, &zones[below(zones.len())], junction, link, &person.name);
        let call = calls.swap_remove(below(calls.len()));
        let counts = person.token.is_some() && row % 10 != 9;
        let grants = person.grants();
        let wanted = expected(&call, &oracle, counts.then_some(&grants[..]));
        let (status, body) = room.ask(person.token.as_deref(), &call.path, call.body.as_ref());
        assert_eq!(status, wanted, "draw {draw}: {}: {} {:?}: {body}", person.name, call.path, call.body);
        *seen.entry(status).or_insert(0) += 1;
        if draw % 100 == 0 {
            room.cockpit.orders();
        }
    }
    // Draws that all ended alike would show nothing.
    assert!([200, 202, 401, 403].iter().all(|status| seen[status] > 200), "{seen:?}");
}

#[test]
fn every_route_is_described_and_every_description_is_a_route() {
    let room = Room::open(Vec::new(), &[]);
    let oracle = Oracle::new(&room.spec);
    let (status, described) = room.ask(None, "/api/openapi.json", None);
    assert_eq!(status, 200);
    let mut described: Vec<String> = described["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .flat_map(|(path, does)| {
            does.as_object().expect("operations").keys().map(move |method| format!("{method} {path}"))
        })
        .collect();
    described.sort();
    let (zone, junction, link) = (
        oracle.zones().next().expect("one"),
        oracle.junctions.keys().next().expect("one"),
        oracle.links.keys().next().expect("one"),
    );
    // A name in a path stands where its description has {…}.
    let fits = |call: &Call, operation: &str| {
        let (method, template) = operation.split_once(' ').expect("two words");
        let path = call.path.split('?').next().expect("a path");
        let (parts, of): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), template.split('/').collect());
        let alike = |(part, of): (&&str, &&str)| part == of || of.starts_with('{');
        method == if call.body.is_some() { "post" } else { "get" }
            && parts.len() == of.len()
            && parts.iter().zip(&of).all(alike)
    };
    let calls = all(&oracle, zone, junction, link, "nobody");
    for call in &calls {
        assert!(described.iter().any(|operation| fits(call, operation)), "{} is not described", call.path);
    }
    for operation in &described {
        assert!(calls.iter().any(|call| fits(call, operation)), "{operation} is tried by nobody");
        let (method, path) = operation.split_once(' ').expect("two words");
        let path = path.replace("{id}", "x");
        // It is there: whatever it answers, it is not that there is nothing; and by no other method.
        let (_, body) = room.ask(None, &path, (method == "post").then_some(&json!({})));
        assert_ne!(body["error"], "there is nothing here", "{operation} is not there");
        let (status, _) = room.ask(None, &path, (method == "get").then_some(&json!({})));
        let both = described
            .iter()
            .filter(|o| o.ends_with(&format!(" {}", operation.split_once(' ').expect("two").1)))
            .count()
            == 2;
        assert!(both || status == 405, "{operation} answers another method too: {status}");
    }
}

#[test]
fn lists_hold_what_is_within_and_nothing_else() {
    let mut room = Room::open(Vec::new(), &[]);
    room.pass(61);
    let oracle = Oracle::new(&room.spec);
    let administrator = room.administrator();
    let names = |list: &Value, key: &str| -> Vec<String> {
        let all = list.as_array().expect("a list");
        let mut names: Vec<String> = all.iter().map(|item| item[key].as_str().expect("a name").to_owned()).collect();
        names.sort();
        names
    };
    for zone in oracle.zones() {
        let grants = [(zone, "viewer")];
        let token = room.mint(&administrator, "viewer", &grants);
        let sees = |place: &str| oracle.may(&grants, "viewer", &[place]);
        let get = |path: &str| room.ask(Some(&token), path, None).1;
        let zones: Vec<String> = oracle.zones().filter(|z| sees(z)).map(str::to_owned).collect();
        assert_eq!(names(&get("/api/zones"), "id"), zones);
        let within = |all: &std::collections::BTreeMap<String, String>| -> Vec<String> {
            all.iter().filter(|(_, at)| sees(at)).map(|(name, _)| name.clone()).collect()
        };
        assert_eq!(names(&get("/api/links"), "id"), within(&oracle.links));
        assert_eq!(names(&get("/api/junctions"), "id"), within(&oracle.junctions));
        let map = get("/api/map");
        assert_eq!(names(&map["links"], "id"), within(&oracle.links));
        assert_eq!(names(&map["junctions"], "id"), within(&oracle.junctions));
        assert!(names(&get("/api/sensors"), "zone").iter().all(|z| sees(z)));
        assert!(names(&get("/api/alarms"), "owner").iter().all(|z| sees(z)));
    }
}

#[test]
fn a_second_person_approves_who_could_have_ordered() {
    let mut room = Room::open(Vec::new(), &["mode"]);
    room.pass(1);
    let administrator = room.administrator();
    let city = room.spec.zones[0].id.clone();
    let district = room.spec.zones.iter().find(|z| z.parent.as_deref() == Some(&city)).expect("one").id.clone();
    let mint = |name: &str, zone: &str, role: &str| room.mint(&administrator, name, &[(zone, role)]);
    let (first, second) = (mint("first", &city, "engineer"), mint("second", &city, "engineer"));
    let (below, operator) = (mint("below", &district, "engineer"), mint("operator", &city, "operator"));
    let action = json!({"action": {"kind": "mode", "zone": city, "mode": "advise"}, "reason": "a trial"});
    let (status, receipt) = room.ask(Some(&first), "/api/commands", Some(&action));
    assert_eq!((status, &receipt["state"]), (202, &json!("waiting")));
    assert!(room.cockpit.orders().is_empty(), "nothing happens before somebody approves");
    let path = format!("/api/commands/{}/approve", receipt["id"].as_str().expect("a number"));
    // (who, answer): not who ordered it; not who has less than all of it, or a lesser role; not a stranger; who may; once.
    for (who, answer) in [
        (Some(&first), 403),
        (Some(&below), 403),
        (Some(&operator), 403),
        (None, 401),
        (Some(&second), 202),
        (Some(&second), 404),
    ] {
        let (status, body) = room.ask(who.map(String::as_str), &path, Some(&json!({})));
        assert_eq!(status, answer, "{body}");
    }
    assert_eq!(room.cockpit.orders().len(), 1);
}

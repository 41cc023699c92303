//! A green wave through two zones: who may look at it, start it, see it, end it.

use serde_json::{Value, json};

use crate::client::Room;
use crate::oracle::Oracle;

#[test]
fn a_wave_through_two_streets_is_for_those_who_have_both() {
    let mut room = Room::open(Vec::new(), &[]);
    room.pass(2);
    let oracle = Oracle::new(&room.spec);
    let administrator = room.administrator();
    let ask = |token: &str, path: &str, body: Option<Value>| room.ask(Some(token), path, body.as_ref());
    // A way from one community into another, of different streets, found by asking.
    let places = |route: &Value| -> Vec<String> {
        let mut zones: Vec<String> = route
            .as_array()
            .expect("a list")
            .iter()
            .map(|link| oracle.links[link.as_str().expect("a name")].clone())
            .collect();
        zones.sort();
        zones.dedup();
        zones
    };
    let names: Vec<&String> = oracle.links.keys().collect();
    let (from, to, zones) = names
        .iter()
        .flat_map(|from| names.iter().step_by(7).map(move |to| (*from, *to)))
        .filter(|(from, to)| oracle.links[*from] != oracle.links[*to])
        .find_map(|(from, to)| {
            let (status, way) = ask(&administrator, "/api/corridors/preview", Some(json!({"from": from, "to": to})));
            (status == 200 && places(&way["route"]).len() == 2).then(|| (from, to, places(&way["route"])))
        })
        .expect("two zones lie beside each other");
    let mint = |name: &str, grants: &[(&str, &str)]| room.mint(&administrator, name, grants);
    let [one, other] = [zones[0].as_str(), zones[1].as_str()];
    let city = room.spec.zones[0].id.clone();
    let people = [
        ("first", mint("first", &[(one, "operator")])),
        ("second", mint("second", &[(other, "administrator")])),
        ("looks on", mint("looks on", &[(one, "operator"), (other, "viewer")])),
        ("both", mint("both", &[(one, "operator"), (other, "operator")])),
        ("city", mint("city", &[(&city, "operator")])),
    ];
    // By the rules as the issue says them: seeing the whole way, acting along the whole way.
    for (name, token) in &people {
        let (sees, acts) = match *name {
            "both" | "city" => (true, true),
            "looks on" => (true, false),
            _ => (false, false),
        };
        let (status, way) = ask(token, "/api/corridors/preview", Some(json!({"from": from, "to": to})));
        assert_eq!(status, if sees { 200 } else { 403 }, "{name}: {way}");
        assert!(!sees || way["allowed"] == json!(acts), "{name}: {way}");
        let action = json!({"kind": "green_wave", "vehicle": name, "from": from, "to": to});
        let (status, receipt) = ask(token, "/api/commands", Some(json!({"action": action, "reason": "a test"})));
        assert_eq!(status, if acts { 202 } else { 403 }, "{name}: {receipt}");
    }
    room.pass(2);
    std::thread::sleep(std::time::Duration::from_millis(110));
    room.pass(1);
    let ask = |token: &str, path: &str, body: Option<Value>| room.ask(Some(token), path, body.as_ref());
    let waves = ask(&administrator, "/api/corridors", None).1;
    let id = waves.as_array().expect("a list").iter().find(|w| w["vehicle"] == "both").expect("it began")["id"].clone();
    for (name, token) in &people {
        let (sees, acts) = match *name {
            "both" | "city" => (2, 202),
            "looks on" => (2, 403),
            _ => (0, 403),
        };
        let seen = ask(token, "/api/corridors", None).1;
        assert_eq!(seen.as_array().expect("a list").len(), sees, "{name}");
        let action = json!({"kind": "cancel_green_wave", "request": id});
        let (status, body) = ask(token, "/api/commands", Some(json!({"action": action, "reason": "a test"})));
        assert_eq!(status, acts, "{name}: {body}");
    }
    room.pass(2);
    std::thread::sleep(std::time::Duration::from_millis(110));
    room.pass(1);
    let waves = room.ask(Some(&administrator), "/api/corridors", None).1;
    let state = &waves.as_array().expect("a list").iter().find(|w| w["id"] == id).expect("it is known")["state"];
    assert_eq!(state, "cancelled");
}

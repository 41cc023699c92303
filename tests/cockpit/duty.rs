//! Alarms: whose they are, that they are written down before they are done, and how fast people were.

use greenwave::event::ControllerFault;
use greenwave::ids::{Id, JunctionId};
use greenwave::output::{Alarm, AlarmKind, Output};
use greenwave::time::Span;
use serde_json::{Value, json};

use crate::client::Room;
use crate::oracle::{Oracle, ROLES};

/// A room in which the first junction reports a fault; that junction's zone.
fn faulty() -> (Room, Oracle, String, String) {
    let mut room = Room::open(Vec::new(), &[]);
    room.pass(1);
    let oracle = Oracle::new(&room.spec);
    let administrator = room.administrator();
    fault(&mut room);
    let alarms = room.ask(Some(&administrator), "/api/alarms", None).1;
    let junction = alarms[0]["place"].as_str().expect("a name");
    let zone = oracle.junctions[junction].clone();
    (room, oracle, administrator, zone)
}

fn fault(room: &mut Room) {
    let now = room.city.step().now;
    let kind = AlarmKind::Fault(ControllerFault::Power);
    let alarm = Alarm { at: now, junction: JunctionId::of(0), kind };
    room.cockpit.tick(now, &[], &[Output::Alarm(alarm)]);
}

#[test]
fn an_alarm_is_its_zones_business_by_every_role_in_every_zone() {
    let (mut room, oracle, administrator, own) = faulty();
    let zones: Vec<String> = oracle.zones().map(str::to_owned).collect();
    for zone in &zones {
        for role in ROLES {
            fault(&mut room);
            let grants = [(zone.as_str(), role)];
            let token = room.mint(&administrator, "somebody", &grants);
            let ask = |path: &str, body: Option<Value>| room.ask(Some(&token), path, body.as_ref());
            let open = |list: &Value| -> Vec<u64> {
                let all = list.as_array().expect("a list").iter();
                all.filter(|a| a["state"] == "reported").map(|a| a["id"].as_u64().expect("a number")).collect()
            };
            let id = open(&room.ask(Some(&administrator), "/api/alarms", None).1)[0];
            let sees = oracle.may(&grants, "viewer", &[&own]);
            assert_eq!(open(&ask("/api/alarms", None).1) == [id], sees, "{role} of {zone}");
            let step = |what: &str| ask(&format!("/api/alarms/{id}"), Some(json!({"step": what, "note": "a test"}))).0;
            let acts = oracle.may(&grants, "operator", &[&own]);
            assert_eq!(step("resolve"), if acts { 200 } else { 403 }, "{role} of {zone}");
            if acts {
                assert_eq!(step("resolve"), 409, "it is over");
            }
        }
    }
}

#[test]
fn a_step_is_in_the_audit_as_it_was_and_as_it_is_and_counts() {
    let (mut room, _, administrator, zone) = faulty();
    let ask = |room: &Room, path: &str, body: Option<Value>| room.ask(Some(&administrator), path, body.as_ref());
    let id = ask(&room, "/api/alarms", None).1[0]["id"].as_u64().expect("a number");
    let path = format!("/api/alarms/{id}");
    for _ in 0..20 {
        fault(&mut room);
    }
    let steps = [
        (json!({"step": "evaluate", "real": true, "note": ""}), 409, "", ""), // nothing is judged before it is over
        (json!({"step": "acknowledge"}), 200, "reported", "acknowledged"),
        (json!({"step": "acknowledge"}), 409, "", ""),
        (json!({"step": "assign", "whom": "ann"}), 200, "acknowledged", "acknowledged"),
        (json!({"step": "handle", "note": "a lorry is on its way"}), 200, "acknowledged", "handling"),
        (json!({"step": "resolve", "note": "the lamp is new"}), 200, "handling", "resolved"),
        (json!({"step": "evaluate", "real": true, "note": "spare lamps"}), 200, "resolved", "evaluated"),
        (json!({"step": "evaluate", "real": true, "note": "again"}), 409, "", ""),
    ];
    let mut booked = Vec::new();
    for (step, status, before, after) in steps {
        assert_eq!(ask(&room, &path, Some(step.clone())).0, status, "{step}");
        if status == 200 {
            booked.insert(0, (before.to_owned(), after.to_owned()));
        }
    }
    let audit = ask(&room, "/api/audit", None).1;
    let word = |record: &Value, key: &str| record[key].as_str().expect("a word").to_owned();
    let steps: Vec<&Value> =
        audit.as_array().expect("a list").iter().filter(|r| word(r, "what").starts_with("alarm ")).collect();
    let said: Vec<(String, String)> = steps.iter().map(|r| (word(r, "before"), word(r, "after"))).collect();
    assert_eq!(said, booked);
    assert!(steps.iter().all(|r| r["zones"] == json!([zone])));
    let statistics = ask(&room, "/api/statistics", None).1;
    let faults = statistics.as_array().expect("a list").iter().find(|s| s["kind"] == "fault").expect("one was raised");
    let took = faults["acknowledge_s"].as_f64().expect("one was acknowledged");
    assert_eq!((faults["raised"].as_u64(), faults["acknowledged"].as_u64()), (Some(1), Some(1)));
    assert!((19.0..=21.0).contains(&took), "{took}");
    assert!(Span::from_s(60).s() > took, "within its deadline");
    assert_eq!(faults["escalated"], 0);
}

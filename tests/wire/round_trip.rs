//! There and back: every event survives protobuf, its JSON mapping, and a log.

use greenwave::event::Event;
use greenwave::time::Time;
use greenwave::wire::v1::log_event::Event as M;
use greenwave::wire::{self, json, v1};
use proptest::prelude::*;
use prost::Message;

use crate::world::{event, names};

const ARRIVED: Time = Time::from_s(7);

/// What becomes of a message when it is read as the topics and lock-step read it.
fn back(message: v1::LogEvent) -> Event {
    let names = names();
    match message.event.expect("set") {
        M::Reading(m) => {
            let mut events = Vec::new();
            wire::readings(
                names,
                v1::Readings { readings: vec![m], batches: vec![] },
                &|wrong, source| wrong.unreadable(source, ARRIVED),
                &mut events,
            );
            assert_eq!(events.len(), 1);
            events.remove(0)
        }
        M::Status(m) => Event::from(wire::status(names, m).expect("sound")),
        M::Call(m) => Event::PedestrianCall(wire::call(names, m).expect("sound")),
        M::Command(m) => Event::from(wire::command(names, m).expect("sound")),
        M::Request(m) => Event::from(wire::request(names, m).expect("sound")),
        M::Position(m) => Event::Position(wire::position(m).expect("sound")),
        M::Batch(_) | M::Unreadable(_) => unreachable!("not sent by themselves"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn an_event_survives_protobuf_and_json(event in event()) {
        prop_assume!(!matches!(event, Event::Unreadable(_)));
        let message = wire::event(names(), &event);
        let bytes: v1::LogEvent = wire::read(&message.encode_to_vec()).expect("just written");
        prop_assert_eq!(&bytes, &message);
        let text = json::write(&message);
        prop_assert!(!text.contains('\n'), "one line: {}", text);
        let read: v1::LogEvent = json::parse(&text).expect("just written");
        prop_assert_eq!(&read, &message);
        prop_assert_eq!(back(message), event);
    }
}

#[test]
fn a_batch_says_what_its_readings_say_one_by_one() {
    let names = names();
    let sensors: Vec<String> = names.sensors().table().values().take(3).map(|s| s.name.to_string()).collect();
    let loops = v1::LoopColumns {
        sensor_ids: vec![sensors[2].clone(), "nobody".into(), sensors[0].clone()],
        counts: vec![3, 4, 5],
        occupancies: vec![0.5, 0.25, 0.125],
        speeds_mps: vec![-1.0, 2.0, 9.5],
    };
    let batch = v1::ReadingBatch { end_ms: 2000, interval_ms: 1000, loops: Some(loops), cameras: None };
    let mut events = Vec::new();
    wire::readings(
        names,
        v1::Readings { readings: vec![], batches: vec![batch] },
        &|wrong, source| wrong.unreadable(source, ARRIVED),
        &mut events,
    );

    let single = |id: &str, count, occupancy, speed_mps| v1::Reading {
        sensor_id: id.into(),
        end_ms: 2000,
        interval_ms: 1000,
        seen: Some(v1::reading::Seen::Loop(v1::LoopReading { count, occupancy, speed_mps })),
    };
    let readings = vec![
        single(&sensors[2], 3, 0.5, None),
        single("nobody", 4, 0.25, None),
        single(&sensors[0], 5, 0.125, Some(9.5)),
    ];
    let mut one_by_one = Vec::new();
    wire::readings(
        names,
        v1::Readings { readings, batches: vec![] },
        &|wrong, source| wrong.unreadable(source, ARRIVED),
        &mut one_by_one,
    );
    assert_eq!((&events[0], &events[2]), (&one_by_one[0], &one_by_one[2]));
    let Event::Unreadable(wrong) = &events[1] else { panic!("{:?}", events[1]) };
    assert_eq!((&*wrong.field, &*wrong.value), ("batches[0].loops.sensor_ids[1]", "nobody"));
    assert_eq!((&*wrong.source, &*wrong.reason, wrong.at), ("nobody", "is no sensor", ARRIVED));
}

#[test]
fn columns_that_do_not_fit_are_one_fault_and_nothing_of_them_is_used() {
    let names = names();
    let name = names.sensors().table().values().next().expect("some").name.to_string();
    let good = v1::LoopColumns {
        sensor_ids: vec![name.clone(), name],
        counts: vec![1, 1],
        occupancies: vec![0.0, 0.0],
        speeds_mps: vec![],
    };
    let cameras = |lane_counts: Vec<u32>| v1::CameraColumns {
        sensor_ids: vec!["a".into()],
        lane_counts,
        vehicles: vec![1],
        queues: vec![1],
    };
    // (what is wrong, the field it names): a column too short; one too long; lanes that do not add up; a sum beyond
    // any memory.
    let rows = [
        (Some(v1::LoopColumns { counts: vec![1], ..good.clone() }), None, "batches[0].loops.counts"),
        (Some(v1::LoopColumns { speeds_mps: vec![1.0; 3], ..good }), None, "batches[0].loops.speeds_mps"),
        (None, Some(cameras(vec![2])), "batches[0].cameras.vehicles"),
        (None, Some(cameras(vec![u32::MAX])), "batches[0].cameras.vehicles"),
    ];
    for (loops, cameras, field) in rows {
        let batch = v1::ReadingBatch { end_ms: 2000, interval_ms: 1000, loops, cameras };
        let mut events = Vec::new();
        wire::readings(
            names,
            v1::Readings { readings: vec![], batches: vec![batch] },
            &|wrong, source| wrong.unreadable(source, ARRIVED),
            &mut events,
        );
        let [Event::Unreadable(wrong)] = &events[..] else { panic!("{field}: {events:?}") };
        assert_eq!(&*wrong.field, field, "{wrong:?}");
    }
}

#[test]
fn what_names_nothing_or_cannot_be_said_is_refused_with_field_and_value() {
    let names = names();
    let junction = names.network().junctions().values().next().expect("some");
    let (j, g) = (junction.name.to_string(), junction.groups.values().next().expect("some").name.to_string());
    let link = names.network().links().values().next().expect("some").name.to_string();
    let status = |m: v1::SignalStatus| wire::status(names, m).map(|_| ());
    let command = |action| {
        let m = v1::OperatorCommand { command_id: "1".into(), operator: "o".into(), action, ..Default::default() };
        wire::command(names, m).map(|_| ())
    };
    use v1::operator_command::Action as A;
    let lamp = v1::GroupAspect { group_id: g.clone(), aspect: 9 };
    let base = v1::SignalStatus { junction_id: j.clone(), mode: 1, ..Default::default() };
    let limit = v1::LimitChange { junction_id: j.clone(), group_id: g, min_green_ms: Some(120_001), max_red_ms: None };
    let rows = [
        (status(v1::SignalStatus { junction_id: "nowhere".into(), ..base.clone() }), "junction_id", "nowhere"),
        (status(v1::SignalStatus { mode: 0, ..base.clone() }), "mode", "0"),
        (status(v1::SignalStatus { lamps: vec![lamp], ..base.clone() }), "lamps[0].aspect", "9"),
        (status(v1::SignalStatus { faults: vec![v1::ControllerFault { fault: None }], ..base }), "faults[0].fault", ""),
        (command(None), "action", ""),
        (command(Some(A::CloseLane(v1::LaneRef { link_id: link, lane: 99 }))), "close_lane.lane", "99"),
        (command(Some(A::Limit(limit))), "limit.min_green_ms", "120001"),
        (
            command(Some(A::Pin(v1::Pin { junction_id: j, program_id: "nightly".into(), until_ms: 0 }))),
            "pin.program_id",
            "nightly",
        ),
        (command(Some(A::Mode(v1::ModeChange { scope: None, mode: 1 }))), "mode.junction_id or zone_id", ""),
        (
            wire::position(v1::VehiclePosition { vehicle_id: "v".into(), x_m: f64::NAN, ..Default::default() })
                .map(|_| ()),
            "x_m",
            "NaN",
        ),
    ];
    for (outcome, field, value) in rows {
        let wrong = outcome.expect_err(field);
        assert_eq!((wrong.field.as_str(), wrong.value.as_str()), (field, value), "{wrong}");
    }
}

//! One message of each kind as bytes: a format that drifts breaks every log and every client.

use greenwave::wire::log::hex;
use greenwave::wire::v1::{self, log_event::Event as E, output::Output as O};
use prost::Message;

#[track_caller]
fn bytes(message: &impl Message, expected: &str) {
    assert_eq!(hex(&message.encode_to_vec()), expected);
}

const T: i64 = 1_700_000_000_000;

#[test]
fn readings() {
    let seen = v1::reading::Seen::Loop(v1::LoopReading { count: 3, occupancy: 0.5, speed_mps: Some(8.0) });
    let single = v1::Reading { sensor_id: "a".into(), end_ms: T, interval_ms: 1000, seen: Some(seen) };
    let turn = v1::TurnCount { to_link_id: "x".into(), vehicle_class: v1::VehicleClass::Bus.into(), count: 2 };
    let seen = v1::CameraReading { lanes: vec![1], vehicles: vec![5], queues: vec![4], turns: vec![turn] };
    let camera = v1::Reading { seen: Some(v1::reading::Seen::Camera(seen)), sensor_id: "c".into(), ..single.clone() };
    let loops = v1::LoopColumns {
        sensor_ids: vec!["a".into(), "b".into()],
        counts: vec![3, 0],
        occupancies: vec![0.5, 0.0],
        speeds_mps: vec![8.0, -1.0],
    };
    let cameras = v1::CameraColumns {
        sensor_ids: vec!["c".into()],
        lane_counts: vec![2],
        vehicles: vec![5, 1],
        queues: vec![4, 0],
    };
    let batch = v1::ReadingBatch { end_ms: T, interval_ms: 1000, loops: Some(loops), cameras: Some(cameras) };
    bytes(
        &v1::Readings { readings: vec![single], batches: vec![] },
        "0a1b0a01611080d095ffbc3118e807220c0803150000003f1d00000041",
    );
    bytes(
        &v1::Readings { readings: vec![camera], batches: vec![] },
        "0a210a01631080d095ffbc3118e8072a120a01011201051a010422070a017810031802",
    );
    bytes(
        &v1::Readings { readings: vec![], batches: vec![batch] },
        "123a0880d095ffbc3110e8071a1e0a01610a0162120203001a080000003f00000000220800000041000080bf220e0a01631201021a02050122020400",
    );
}

#[test]
fn signal_report() {
    let status = v1::SignalStatus {
        junction_id: "j".into(),
        at_ms: T,
        running_revision: 7,
        mode: v1::ControllerMode::Remote.into(),
        lamps: vec![v1::GroupAspect { group_id: "g".into(), aspect: v1::Aspect::Green.into() }],
        faults: vec![v1::ControllerFault { fault: Some(v1::controller_fault::Fault::LampGroupId("g".into())) }],
        refused_revision: Some(8),
    };
    let call = v1::PedestrianCall { junction_id: "j".into(), group_id: "p".into(), at_ms: T };
    bytes(
        &v1::SignalReport { status: vec![status], calls: vec![call] },
        "0a1c0a016a1080d095ffbc31180720012a050a0167100332030a01673808120d0a016a1201701880d095ffbc31",
    );
}

#[test]
fn operator_command() {
    let limit = v1::LimitChange {
        junction_id: "j".into(),
        group_id: "g".into(),
        min_green_ms: Some(8000),
        max_red_ms: Some(90_000),
    };
    let command = v1::OperatorCommand {
        command_id: "1".into(),
        at_ms: T,
        operator: "o".into(),
        reason: "r".into(),
        action: Some(v1::operator_command::Action::Limit(limit)),
    };
    bytes(&command, "0a01311080d095ffbc311a016f220172420d0a016a12016718c03e2090bf05");
}

#[test]
fn priority_request_and_vehicle_position() {
    let request = v1::PriorityRequest {
        request_id: "1".into(),
        at_ms: T,
        authority: "120".into(),
        vehicle_id: "v".into(),
        priority_class: v1::PriorityClass::Ambulance.into(),
        from_link_id: "a".into(),
        to_link_id: "b".into(),
        route_link_ids: vec!["a".into(), "b".into()],
        deadline_ms: Some(T + 1),
    };
    let position = v1::VehiclePosition {
        vehicle_id: "v".into(),
        at_ms: T,
        x_m: 1.5,
        y_m: -2.0,
        speed_mps: 10.0,
        heading_deg: Some(90.0),
    };
    bytes(&request, "0a01311080d095ffbc311a0331323022017628023201613a01624201614201624881d095ffbc31");
    bytes(&position, "0a01761080d095ffbc3119000000000000f83f2100000000000000c02d00002041350000b442");
}

#[test]
fn plan() {
    let why = v1::Why {
        source: v1::PlanSource::Horizon.into(),
        demand: vec![v1::GroupDemand { group_id: "g".into(), count: 2.5, quality: v1::Quality::Fused.into() }],
        cost_veh_s: 12.5,
        beaten: Some(v1::Beaten { stage_id: "t".into(), extra_veh_s: 3.0 }),
        bound_by: vec!["w".into()],
    };
    let plan = v1::Plan {
        junction_id: "j".into(),
        revision: 7,
        base_revision: 6,
        made_at_ms: T,
        effective_from_ms: T + 1000,
        prefix: vec![v1::StageChange { stage_id: "s".into(), at_ms: T + 2000, clear_ms: 4000 }],
        tail: Some(v1::Tail {
            splits: vec![v1::Split { stage_id: "s".into(), duration_ms: 30_000 }],
            offset_ms: 5000,
            from_ms: T + 9000,
        }),
        valid_until_ms: T + 180_000,
        lamps: vec![v1::LampTimeline {
            group_id: "g".into(),
            after_ms: vec![0, 3000],
            aspects: vec![v1::Aspect::Yellow.into(), v1::Aspect::Red.into()],
        }],
        mode: v1::Mode::Control.into(),
        why: Some(why),
        provenance: Some(provenance()),
    };
    bytes(
        &plan,
        "0a016a100718062080d095ffbc3128e8d795ffbc31320d0a017310d0df95ffbc3118a01f3a130a070a017310b0ea0110882718a89696ffbc3140a0cea0ffbc314a0c0a0167120300b8171a02020150035a280801120a0a016715000020401802190000000000002940220c0a01741100000000000008402a0177620b0a020101120202021a0130",
    );
}

fn provenance() -> v1::Provenance {
    v1::Provenance { network_hash: vec![1; 2], config_hash: vec![2; 2], engine_version: "0".into() }
}

#[test]
fn outputs() {
    let origin = v1::Origin { topic: "t".into(), partition: 1, offset: 2, value_sha256: vec![3; 2] };
    let rejection = v1::Rejection {
        at_ms: T,
        source: "a".into(),
        end_ms: Some(T - 9000),
        field: "f".into(),
        value: "v".into(),
        rule: "late".into(),
        reason: "r".into(),
        origin: Some(origin),
    };
    let index = v1::IndexReport {
        subject: Some(v1::index_report::Subject::ZoneId("z".into())),
        end_ms: T,
        interval_ms: 60_000,
        spent_veh_s: 208.0,
        free_flow_veh_s: 100.0,
        delay_index: 2.08,
        tpi: 4.385,
        quality: v1::Quality::Measured.into(),
    };
    let refused = v1::PlanRefused {
        at_ms: T,
        junction_id: "j".into(),
        revision: 7,
        violations: vec![v1::Violation { rule: "short_green".into(), text: "t".into() }],
    };
    let ladder = v1::LadderChange { at_ms: T, junction_id: "j".into(), rung: "base".into(), reason: "r".into() };
    let health = v1::SensorHealth { at_ms: T, sensor_id: "a".into(), healthy: false, condition: "chatter".into() };
    let outcome = v1::CommandOutcome {
        at_ms: T,
        command_id: "1".into(),
        result: Some(v1::command_outcome::Result::Refused("r".into())),
    };
    let rejections = v1::Rejections { zone_id: "z".into(), interval_ms: 60_000, offered: 74_496, rejected: 47_232 };
    let kind = Some(v1::alarm::Kind::Rejections(rejections));
    let rejections = v1::Alarm { at_ms: T, junction_id: String::new(), kind };
    let alarm = v1::Alarm { at_ms: T, junction_id: "j".into(), kind: Some(v1::alarm::Kind::SilentMs(90_000)) };
    let rows = [
        (
            O::Rejection(rejection),
            "1a2d0880d095ffbc3112016118d88995ffbc312201662a017632046c6174653a0172420b0a01741001180222020303",
        ),
        (
            O::Index(index),
            "223412017a1880d095ffbc3120e0d403290000000000006a4031000000000000594039a4703d0ad7a30040410ad7a3703d8a11404801",
        ),
        (O::PlanRefused(refused), "121e0880d095ffbc3112016a180722100a0b73686f72745f677265656e120174"),
        (O::LadderChange(ladder), "2a130880d095ffbc3112016a1a0462617365220172"),
        (O::SensorHealth(health), "32130880d095ffbc31120161220763686174746572"),
        (O::CommandOutcome(outcome), "3a0d0880d095ffbc31120131220172"),
        (O::Alarm(alarm), "420e0880d095ffbc3112016a1890bf05"),
        (O::Alarm(rejections), "42180880d095ffbc313a0f0a017a10e0d4031880c6042080f102"),
    ];
    for (output, expected) in rows {
        bytes(&v1::Output { output: Some(output) }, expected);
    }
}

#[test]
fn log_records() {
    let unreadable =
        v1::Unreadable { at_ms: T, source: "s".into(), field: "f".into(), value: "v".into(), reason: "r".into() };
    let frame = v1::LogFrame {
        now_ms: T,
        events: vec![v1::LogEvent { event: Some(E::Unreadable(unreadable)) }],
        closing: Some(v1::Closing { cause: v1::ClosingCause::Deadline.into(), missing: vec!["n".into()] }),
        outputs_sha256: vec![4; 2],
    };
    let header = v1::LogHeader {
        format: "greenwave-log/1".into(),
        network_json: b"{}".to_vec(),
        limits_json: b"{}".to_vec(),
        sensors_json: b"{}".to_vec(),
        config_toml: "a".into(),
        provenance: Some(provenance()),
        seed: 5,
    };
    let footer = v1::LogFooter { ticks: 1, events: 2, outputs: 3, outputs_sha256: vec![5; 2] };
    use v1::log_record::Record as R;
    for (record, expected) in [
        (
            R::Header(header),
            "0a2f0a0f677265656e776176652d6c6f672f3112027b7d1a027b7d22027b7d2a0161320b0a020101120202021a01303805",
        ),
        (R::Frame(frame), "12290880d095ffbc3112151a130880d095ffbc311201731a01662201762a01721a05080212016e22020404"),
        (R::Footer(footer), "1a0a08011002180322020505"),
    ] {
        bytes(&v1::LogRecord { record: Some(record) }, expected);
    }
}

#[test]
fn lockstep() {
    let tick = v1::Tick { t_ms: T, readings: Some(v1::Readings::default()), ..v1::Tick::default() };
    bytes(&v1::LockstepRequest { request: Some(v1::lockstep_request::Request::Tick(tick)) }, "0a090880d095ffbc311200");
    let done = v1::TickDone { t_ms: T, outputs: 2, next_ms: T + 1000 };
    bytes(
        &v1::LockstepResponse { response: Some(v1::lockstep_response::Response::TickDone(done)) },
        "1a100880d095ffbc31100218e8d795ffbc31",
    );
    let error = v1::LineError { line: 3, field: "f".into(), value: "v".into(), reason: "r".into() };
    bytes(
        &v1::LockstepResponse { response: Some(v1::lockstep_response::Response::Error(error)) },
        "220b08031201661a0176220172",
    );
}

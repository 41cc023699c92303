//! A crossroads to test on, as a network file: four arms of 300 m at 50 km/h, a lane for each turn, eight stages.

/// The network file. Lanes of an approach from the kerb: right, straight, left. Groups `nT` (straight and right) and
/// `nL` (left) of each arm n, e, s, w. Stages: NS straight, NS left, EW straight, EW left, then one arm each.
pub(super) fn crossroads() -> String {
    let arms = [("n", 0.0, 300.0), ("e", 300.0, 0.0), ("s", 0.0, -300.0), ("w", -300.0, 0.0)];
    let list = |items: Vec<String>| items.join(",");
    let mut nodes = vec![r#"{"id":"c","x":0,"y":0,"junction":"j"}"#.to_owned()];
    let (mut links, mut connections, mut conflicts) = (Vec::new(), Vec::new(), Vec::new());
    for (at, (arm, x, y)) in arms.iter().enumerate() {
        nodes.push(format!(r#"{{"id":"{arm}","x":{x},"y":{y}}}"#));
        for (id, from, to) in [(format!("{arm}_in"), *arm, "c"), (format!("{arm}_out"), "c", *arm)] {
            links.push(format!(
                r#"{{"id":"{id}","from":"{from}","to":"{to}","length_m":300,"speed_mps":13.9,"lanes":[{{}},{{}},{{}}]}}"#
            ));
        }
        // Clockwise from here: the arm on the driver's left, the one ahead, the one on the right.
        let exit = |step: usize| arms[(at + step) % 4].0;
        for (lane, to, turn, group) in
            [(0, exit(3), "right", 'T'), (1, exit(2), "straight", 'T'), (2, exit(1), "left", 'L')]
        {
            connections.push(format!(
                r#"{{"from":"{arm}_in","from_lane":{lane},"to":"{to}_out","to_lane":{lane},"turn":"{turn}","length_m":20,"group":"{arm}{group}"}}"#
            ));
        }
        conflicts.push(format!(r#"{{"a":"{arm}L","b":"{}T","kind":"never"}}"#, exit(2)));
        for cross in [exit(1)] {
            for (a, b) in [("T", "T"), ("T", "L"), ("L", "T"), ("L", "L")] {
                conflicts.push(format!(r#"{{"a":"{arm}{a}","b":"{cross}{b}","kind":"never"}}"#));
            }
        }
    }
    let limit = |s: f32| format!(r#"{{"s":{s},"origin":"site"}}"#);
    let groups = arms.iter().flat_map(|(arm, ..)| ["T", "L"].map(|g| format!("{arm}{g}"))).map(|id| {
        format!(r#"{{"id":"{id}","min_green":{},"change":{},"all_red":{}}}"#, limit(5.0), limit(3.0), limit(1.0))
    });
    let stages = [
        ("ns", r#""nT","sT""#),
        ("nsl", r#""nL","sL""#),
        ("ew", r#""eT","wT""#),
        ("ewl", r#""eL","wL""#),
        ("n", r#""nT","nL""#),
        ("e", r#""eT","eL""#),
        ("s", r#""sT","sL""#),
        ("w", r#""wT","wL""#),
    ];
    let splits = stages[..4].iter().map(|(id, _)| format!(r#"{{"stage":"{id}","s":20}}"#)).collect();
    let stages = stages.iter().map(|(id, groups)| format!(r#"{{"id":"{id}","groups":[{groups}]}}"#)).collect();
    format!(
        r#"{{"format":"greenwave-network/1","name":"crossroads","nodes":[{}],"links":[{}],"connections":[{}],
        "junctions":[{{"id":"j","groups":[{}],"conflicts":[{}],"stages":[{}],
        "programs":[{{"id":"day","offset_s":0,"splits":[{}]}}]}}]}}"#,
        list(nodes),
        list(links),
        list(connections),
        list(groups.collect()),
        list(conflicts),
        list(stages),
        list(splits),
    )
}

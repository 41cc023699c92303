//! The oracle's own eyes: every fault by hand, a second or less apart.

use super::*;
use crate::plan::fixture::{Site, at, crossing};

/// What an oracle says of lamps that it sees every `step` seconds from 0 on: a text a group, a letter a look.
fn seen(mut oracle: Oracle, step: f64, groups: &[&str]) -> String {
    let junction = JunctionId::of(0);
    let aspect = |letter: u8| match letter {
        b'G' => Aspect::Green,
        b'y' => Aspect::Yellow,
        b'.' => Aspect::Red,
        _ => Aspect::Dark,
    };
    let mut told = Vec::new();
    for look in 0..groups[0].len() {
        let lamps: Vec<_> = groups.iter().map(|group| aspect(group.as_bytes()[look])).collect();
        let faults = oracle.watch(at(look as f64 * step), junction, &lamps);
        told.extend(faults.iter().map(|fault| format!("{} {}", fault.at, fault.what)));
    }
    told.join("; ")
}

fn exact(groups: &[&str]) -> String {
    seen(Oracle::exact(&crossing().network()), 1.0, groups)
}

#[test]
fn every_fault_is_seen() {
    // 5 s of green, 3 s of yellow, 5 s from one to the other.
    for (groups, expected) in [
        (
            ["GGGGGyyy.........GGGGGGyyy..", "..........GGGGGyyy.........."],
            "t=17 G0 is green 2 s after G1, which is owed 5 s",
        ),
        (["GGGGGyyy............GGGGGyyy", "..........GGGGGyyy.........."], ""),
        (
            ["GGGGGyyy............GGGGyyy.", "..........GGGGGyyy.........."],
            "t=24 G0 was green for 4 s, which is below 5 s",
        ),
        (
            ["GGGGGyyy....................", ".........GGGGGGyyy.........."],
            "t=9 G1 is green 4 s after G0, which is owed 5 s",
        ),
        (["GGGGGyyy....................", "....GGGGGyyy................"], "t=4 G0 and G1 are green together"),
        (
            ["GGGGGyy.....................", "..........GGGGGyyy.........."],
            "t=7 G0 was yellow for 2 s, which is below 3 s",
        ),
        (
            ["GGGGG.......................", "..........GGGGGyyy.........."],
            "t=5 G0 was yellow for 0 s, which is below 3 s",
        ),
        (
            ["..GGGGGyyyGGGGGG............", "............................"],
            "t=10 G0 went from yellow to green; t=10 G0 is green 3 s after G0, which is owed 5 s; \
             t=16 G0 was yellow for 0 s, which is below 3 s",
        ),
        (["....yyy.....................", "............................"], "t=4 G0 went from red to yellow"),
        // What was before the first look, nobody knows; nor what was while it was dark.
        (
            ["Gyyy........................", "......GGGGGGG..............."],
            "t=13 G1 was yellow for 0 s, which is below 3 s",
        ),
        (["GGGGGGGG------GGyyy.........", "............................"], ""),
    ] {
        assert_eq!(exact(&groups), expected, "{groups:?}");
    }
}

#[test]
fn an_intergreen_is_owed_however_long_ago() {
    // 14 s from G0 to G2, and 7 s of G1 between: a checker that looks at the next stage only lets G2 begin after 11 s.
    let site = Site::new().group(2.0, 3.0, 1.0).group(3.0, 3.0, 1.0).group(5.0, 3.0, 1.0);
    let site = site.never(0, 1).never(1, 2).never(0, 2).intergreen(0, 2, 14.0).stage(&[0]).stage(&[1]).stage(&[2]);
    let network = site.network();
    let lamps = [".GGyyy................", ".......GGGyyy.........", "..............GGGGGyyy"];
    assert_eq!(seen(Oracle::exact(&network), 1.0, &lamps), "t=14 G2 is green 11 s after G0, which is owed 14 s");
    let lamps = [".GGyyy...................", ".......GGGyyy............", ".................GGGGGyyy"];
    assert_eq!(seen(Oracle::exact(&network), 1.0, &lamps), "");
}

#[test]
fn what_happens_between_two_looks_has_the_benefit_of_the_doubt() {
    let network = crossing().network();
    // 5 s of green from 1.5 to 6.5 look like 2 to 6; 4 s can only have been less than 5.
    for (lamps, expected) in [
        ("..GGGGGyyy....", ""),
        ("..GGGGyyy.....", "t=6 G0 was green for 4.999 s, which is below 5 s"),
        ("..GGGGGyy.....", "t=9 G0 was yellow for 2.999 s, which is below 3 s"),
        ("..GGGGGyyy....", ""),
    ] {
        assert_eq!(seen(Oracle::new(&network), 1.0, &[lamps, ".............."]), expected, "{lamps}");
    }
    // Looks 5 s apart miss a whole yellow and blame nobody.
    assert_eq!(seen(Oracle::new(&network), 5.0, &[".GG..GG.", "........"]), "");
}

#[test]
fn a_red_is_too_long_only_while_somebody_waits() {
    let network = crossing().max_red(1, 60.0).network();
    let junction = JunctionId::of(0);
    let mut oracle = Oracle::new(&network);
    let mut told = Vec::new();
    for second in 0..200 {
        let waiting = if second < 100 { vec![None, None] } else { vec![None, Some(at(100.0))] };
        let lamps = [Aspect::Green, Aspect::Red];
        let faults = oracle.watch_waiting(at(f64::from(second)), junction, &lamps, Some(&waiting.into()));
        told.extend(faults.iter().map(ToString::to_string));
    }
    assert_eq!(told, ["J0 at t=161: G1 has been red for 61 s while somebody waits, which is above 60 s"]);
}

#[test]
fn after_a_step_back_it_starts_anew() {
    let network = crossing().network();
    let mut oracle = Oracle::exact(&network);
    let junction = JunctionId::of(0);
    assert!(oracle.watch(at(10.0), junction, &[Aspect::Green, Aspect::Red]).is_empty());
    assert!(oracle.watch(at(5.0), junction, &[Aspect::Red, Aspect::Red]).is_empty());
    assert!(oracle.watch(at(6.0), junction, &[Aspect::Red, Aspect::Green]).is_empty());
}

//! The house stands: imports go down, each room opens with its sentence, and no file grows beyond reading.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms and their floors; a floor imports lower ones only, and those of its own that [`SAME_FLOOR`] lists.
const FLOORS: [(&str, u8); 17] = [
    ("keep", 0),
    ("ids", 0),
    ("units", 0),
    ("time", 0),
    ("network", 10),
    ("event", 11),     // floor 1 as well, directly above network
    ("authority", 12), // who may order what an event can say
    ("alarm", 13),
    ("traffic", 20),
    ("plan", 30),
    ("optimize", 40),
    ("corridor", 41),
    ("output", 50),
    ("engine", 51),
    ("twin", 55),
    ("wire", 60),
    ("shell", 70),
];

/// What a room may not import although it lies lower.
const NEVER: [(&str, &[&str]); 3] = [
    ("corridor", &["optimize"]),
    ("twin", &["traffic", "optimize", "corridor", "engine", "output"]),
    ("traffic", &["plan"]),
];

/// What rooms of floor 0 see of each other.
const SAME_FLOOR: [(&str, &str); 5] =
    [("time", "units"), ("units", "time"), ("ids", "keep"), ("time", "keep"), ("units", "keep")];

/// Crates and the places that may use them.
const CRATES: [(&[&str], &[&str]); 6] = [
    (
        &[
            "tokio",
            "rdkafka",
            "signal_hook",
            "axum",
            "utoipa",
            "utoipa_axum",
            "jsonwebtoken",
            "arc_swap",
            "include_dir",
            "ureq",
            "hmac",
            "metrics",
            "metrics_exporter_prometheus",
            "tracing",
            "tracing_subscriber",
            "clap",
            "figment",
            "indicatif",
            "anyhow",
        ],
        &["shell", "main"],
    ),
    (&["prost", "pbjson", "zstd"], &["wire"]),
    (&["petgraph"], &["network/route"]),
    // Specs, configuration, recorded formats, and what a command answers.
    (
        &["serde", "serde_json"],
        &["network", "event", "authority", "alarm", "engine/settings", "twin/demand", "wire", "shell"],
    ),
    (&["quick_xml"], &["network/import"]),
    (&["rand_core", "rand_pcg"], &["twin", "shell"]),
];

/// Lines of code a file may have, tests and tables aside.
const LINES_MAX: usize = 400;

struct Source {
    /// Its path below `src`, without `.rs`.
    path: String,
    /// Its text up to its own tests.
    code: String,
    whole: String,
}

impl Source {
    fn room(&self) -> &str {
        self.path.split('/').next().unwrap_or(&self.path)
    }
}

fn sources() -> Vec<Source> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("src is readable") {
            let path = entry.expect("src is readable").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    files.sort();
    let source = |file: PathBuf| {
        let whole = fs::read_to_string(&file).expect("a source is UTF-8");
        let code = whole.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned();
        let path = file.strip_prefix(&root).expect("below src").with_extension("").to_string_lossy().replace('\\', "/");
        Source { path, code, whole }
    };
    files.into_iter().map(source).collect()
}

/// A file that is nothing but tests: `mod x;` behind `#[cfg(test)]` in the file above it.
fn is_test(source: &Source, all: &[Source]) -> bool {
    let Some((above, name)) = source.path.rsplit_once('/') else { return false };
    let declared = format!("#[cfg(test)]\nmod {name};");
    let declared_pub = format!("#[cfg(test)]\npub(crate) mod {name};");
    all.iter().any(|s| {
        s.path == above
            && (s.whole.contains(&declared)
                || s.whole.contains(&declared_pub)
                || s.whole.contains(&declared.replace("mod", "pub(super) mod")))
    }) || all.iter().any(|s| s.path == above && is_test(s, all))
}

/// The code without comments.
fn bare(code: &str) -> String {
    let line = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    code.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The words that follow `before` anywhere in the code, as whole identifiers.
fn after<'a>(code: &'a str, before: &str) -> BTreeSet<&'a str> {
    let word = |rest: &'a str| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    let whole = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    code.match_indices(before).filter(|&(at, _)| whole(at)).map(|(at, _)| word(&code[at + before.len()..])).collect()
}

/// The rooms a file imports: `crate::x` and each of `crate::{x, y::z}`.
fn imports(code: &str) -> BTreeSet<String> {
    let mut rooms: BTreeSet<String> = after(code, "crate::").into_iter().map(str::to_owned).collect();
    for (at, start) in code.match_indices("crate::{") {
        let (mut depth, mut item) = (1, String::new());
        for c in code[at + start.len()..].chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => rooms.extend(item.trim().split("::").next().map(str::to_owned)),
                _ => {}
            }
            if depth == 0 {
                rooms.extend(item.trim().split("::").next().map(str::to_owned));
                break;
            }
            if c == ',' && depth == 1 { item.clear() } else { item.push(c) }
        }
    }
    rooms
}

fn floor(room: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == room).map(|&(_, floor)| floor)
}

/// What one file imports that it may not.
fn trespasses(source: &Source) -> Vec<String> {
    let code = bare(&source.code);
    let room = source.room();
    let mut found = Vec::new();
    if let Some(own) = floor(room) {
        for import in imports(&code) {
            let lower = floor(&import).is_none_or(|f| f < own) || SAME_FLOOR.contains(&(room, import.as_str()));
            let barred = NEVER.iter().any(|(who, whom)| *who == room && whom.contains(&import.as_str()));
            if import != room && (!lower || barred) {
                found.push(format!("src/{}.rs imports crate::{import}", source.path));
            }
        }
    } else if !["lib", "main"].contains(&room) {
        found.push(format!("src/{}.rs: room {room} has no floor; give it one in tests/floors.rs", source.path));
    }
    for (crates, places) in CRATES {
        let at_home = places.iter().any(|&p| source.path == p || source.path.starts_with(&format!("{p}/")));
        for name in crates.iter().filter(|_| !at_home) {
            let used = code
                .match_indices(&format!("{name}::"))
                .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'));
            if used {
                found.push(format!("src/{}.rs uses {name}, which lives in {} only", source.path, places.join(", ")));
            }
        }
    }
    found
}

#[test]
fn imports_go_down() {
    let all = sources();
    assert!(all.len() > 30, "{} files", all.len());
    let found: Vec<_> = all.iter().filter(|s| !is_test(s, &all)).flat_map(trespasses).collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_file_opens_with_its_sentence() {
    let silent: Vec<_> = sources().into_iter().filter(|s| !s.whole.starts_with("//! ")).map(|s| s.path).collect();
    assert!(silent.is_empty(), "no //! in the first line of {silent:?}");
}

#[test]
fn no_file_is_longer_than_can_be_read() {
    let all = sources();
    let code_lines =
        |s: &Source| s.code.lines().filter(|l| !l.trim().is_empty() && !l.trim_start().starts_with("//")).count();
    let long = all.iter().filter(|s| !is_test(s, &all)).map(|s| (s.path.clone(), code_lines(s)));
    let long: Vec<_> = long.filter(|&(_, lines)| lines > LINES_MAX).collect();
    assert!(long.is_empty(), "more than {LINES_MAX} lines of code: {long:?}");
}

#[test]
fn a_trespass_is_seen() {
    let file = |path: &str, code: &str| Source { path: path.into(), code: code.into(), whole: code.into() };
    // (file, code, what is found): up a floor; a barred neighbour; inside braces; a crate away from home; and what is
    // allowed: down, in a comment, a word that only looks like a crate.
    for (path, code, count) in [
        ("plan/check", "use crate::engine::Engine;", 1),
        ("corridor", "let x = crate::optimize::y();", 1),
        ("twin", "use crate::{\n    ids::Id,\n    traffic::{a, b},\n    plan,\n};", 1),
        ("network/build", "let graph = petgraph::Graph::new();", 1),
        ("traffic", "let m = prost::Message::default();", 1),
        ("attic", "", 1),
        ("wire/log", "use crate::{engine, ids::Id}; use prost::Message;", 0),
        ("plan/check", "// as crate::engine does\nuse crate::network::Junction;", 0),
        ("network/route", "use petgraph::graph::Graph;", 0),
        ("traffic", "let m = my_metrics::x();", 0),
    ] {
        assert_eq!(trespasses(&file(path, code)).len(), count, "{path}: {code}");
    }
}

//! The page in a real browser, walked as operators walk it, against a running demo; pictures are left in
//! `target/browser`. Needs Node.js, npm and Chromium (`CHROMIUM` names it where it is elsewhere): a failure without.

#[expect(dead_code, reason = "the tests of the API ask more of it")]
#[path = "cockpit/client.rs"]
mod client;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A demo that runs for as long as the walk may take.
struct Demo {
    process: Child,
    address: String,
    word: String,
}

impl Demo {
    fn start(speed: &str, minutes: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_greenwave"))
            .args(["demo", "--port", "0", "--speed", speed, "--minutes", minutes])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the demo starts");
        let mut said = BufReader::new(process.stderr.take().expect("it was piped"));
        let mut line = String::new();
        while !line.contains("/#") {
            line.clear();
            assert!(said.read_line(&mut line).expect("it speaks") > 0, "the demo ended without an address");
        }
        let url = line.split_whitespace().find(|w| w.starts_with("http://")).expect("an address");
        let (address, word) = url.split_once("/#").expect("an address and a word");
        let demo = Self { address: address.into(), word: word.into(), process };
        // What else it says is nobody's business, but must not block it.
        std::thread::spawn(move || said.lines().for_each(drop));
        demo
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The folder with the walk and what it imports, brought by npm once for each lock file.
fn folder() -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    fs::create_dir_all(&to).expect("a folder");
    for file in ["package.json", "package-lock.json", "walk.test.mjs", "frames.test.mjs", "style.test.mjs"] {
        fs::copy(from.join(file), to.join(file)).expect("it is part of the repository");
    }
    let (lock, installed) = (fs::read(to.join("package-lock.json")).expect("copied"), to.join("node_modules/.lock"));
    if fs::read(&installed).ok().as_ref() != Some(&lock) {
        let npm = ["ci", "--no-audit", "--no-fund", "--ignore-scripts"];
        let done =
            Command::new("npm").args(npm).current_dir(&to).output().expect("npm is there: install Node.js 20.19");
        assert!(done.status.success(), "npm ci: {}", String::from_utf8_lossy(&done.stderr));
        fs::write(installed, lock).expect("written");
    }
    to
}

fn chromium() -> PathBuf {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].map(PathBuf::from);
    let found = named.into_iter().chain(usual).find(|path| path.exists());
    found.expect("Chromium is there: install it, or name it with CHROMIUM")
}

/// Runs one file of tests against a cockpit at `address`; `word` lets one person in.
fn walk(file: &str, address: &str, word: &str, more: &[(&str, &str)]) {
    let folder = folder();
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("target").join("browser");
    fs::create_dir_all(&pictures).expect("a folder");
    let done = Command::new("node")
        .args(["--test", "--test-reporter", "spec", file])
        .current_dir(folder)
        .env("CHROMIUM", chromium())
        .env("COCKPIT", address)
        .env("WORD", word)
        .env("PICTURES", &pictures)
        .envs(more.iter().copied())
        .output()
        .expect("node is there: install Node.js 20.19");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success(),
        "pictures are in {}\n{said}{}",
        pictures.display(),
        String::from_utf8_lossy(&done.stderr)
    );
    println!("{said}");
}

// One after the other: two browsers at a time would measure each other.
#[test]
fn operators_walk_the_page_and_pan_a_large_city() {
    let (slow, demo) = (Demo::start("2", "15"), Demo::start("15", "60"));
    let process = demo.process.id().to_string();
    let more = [("PID", &*process), ("SLOW", &slow.address), ("SLOW_WORD", &slow.word)];
    walk("walk.test.mjs", &demo.address, &demo.word, &more);
    drop((slow, demo));
    let style = "https://tiles.example/style.json";
    let mut room = client::Room::set_up(Vec::new(), &[], Some(style));
    room.cockpit.end(); // a run that is over is not lost
    let (address, word) = (room.url(""), room.cockpit.one_time());
    walk("style.test.mjs", &address, word, &[("STYLE", style)]);
    walk("frames.test.mjs", &address, word, &[]);
}

//! The demo's cockpit: there before the first run begins, and, where a terminal is attached, until Ctrl-C.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A process that ends with its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A terminal of its own for the command: Python's library has one. A terminal's Ctrl-C is heard, also where these tests
/// were started in the background, which hands down that it is ignored.
const TERMINAL: &str = "import pty, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); \
                        sys.exit(pty.spawn(sys.argv[1:]) >> 8)";

#[test]
fn it_answers_before_the_first_run_and_stays_after_the_last_until_ctrl_c() {
    let demo = ["demo", "--minutes", "1", "--speed", "3600", "--port", "0"];
    let mut process = Command::new("python3")
        .args(["-c", TERMINAL, env!("CARGO_BIN_EXE_greenwave")])
        .args(demo)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is there");
    let (mut keys, shown) = (process.stdin.take().expect("piped"), process.stdout.take().expect("piped"));
    let mut process = Process(process);
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let (mut said, mut address) = (String::new(), String::new());
    let mut reader = BufReader::new(shown);
    let mut until = |what: &str, said: &mut String| {
        while !said.contains(what) {
            let mut line = Vec::new();
            assert!(reader.read_until(b'\n', &mut line).expect("it speaks") > 0, "it ended before {what:?}: {said}");
            said.push_str(&String::from_utf8_lossy(&line));
        }
    };
    until("/#", &mut said);
    let url = said.split_whitespace().find_map(|w| w.find("http://").map(|at| &w[at..])).expect("an address");
    address.push_str(url.split_once("/#").expect("an address and a word").0);
    let status = |path: &str| agent.get(format!("{address}{path}")).call().expect("an answer").status().as_u16();
    assert!(!said.contains("delay index"), "no run is over yet");
    assert_eq!(status("/health"), 200);
    until("the cockpit stays open", &mut said);
    assert!(said.contains("delay index"), "what it is open after: {said}");
    assert_eq!((status("/health"), status("/ready"), status("/")), (200, 200, 200));
    keys.write_all(b"\x03").expect("it listens to keys");
    let ended = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        process.0.try_wait().expect("a process").is_some()
    });
    assert!(ended, "Ctrl-C does not end it within 10 s");
}

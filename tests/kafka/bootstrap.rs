//! The broker that tests and benches go through.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The address of the broker, which is started where there is none. Without one there is nothing to be tested: a
/// failure, never a skip.
pub(crate) fn bootstrap() -> &'static str {
    static BOOTSTRAP: OnceLock<String> = OnceLock::new();
    BOOTSTRAP.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/kafka.sh");
        let out = Command::new(script).arg("start").stderr(Stdio::inherit()).output().expect("kafka.sh runs");
        assert!(out.status.success(), "the broker does not start");
        String::from_utf8(out.stdout).expect("an address").trim().to_owned()
    })
}

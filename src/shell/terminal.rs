//! What a command says to whom: results on stdout, progress and notes on stderr.

use std::fmt::Display;
use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

/// Where a command writes. With `--json` stdout carries exactly one JSON object, [`Terminal::result`]'s.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    json: bool,
}

impl Terminal {
    /// For people, or, with `json`, for machines.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a machine reads stdout.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// The result of the command: the object for machines, or the text for people. Call it once.
    ///
    /// # Errors
    /// When stdout is closed.
    pub fn result(&self, object: &Value, text: impl Display) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{object}")?
        } else {
            writeln!(out, "{text}")?
        }
        out.flush()
    }

    /// A remark for people, on stderr. A closed stderr is not worth failing for.
    pub fn note(&self, text: impl Display) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// A progress bar on stderr over `len` steps of `unit`; drawn only when stderr is a terminal.
    pub fn progress(&self, len: u64, unit: &str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(len), ProgressDrawTarget::stderr_with_hz(10));
        let template = format!("{{msg:24}} {{wide_bar}} {{pos}}/{{len}} {unit}  {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        bar
    }
}

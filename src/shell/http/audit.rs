//! The audit log: who did what, when and why, one JSON object a line, each chained to the one before by SHA-256.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Records kept in memory for the screen; the file keeps all.
const KEPT: usize = 2_000;

/// One deed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Record {
    /// Its number, from 1.
    pub seq: u64,
    /// When, by the engine: milliseconds since 1970-01-01T00:00:00 UTC.
    pub at_ms: i64,
    /// When, by the wall clock: milliseconds since 1970-01-01T00:00:00 UTC.
    pub wall_ms: i64,
    /// Who.
    pub who: String,
    /// What.
    pub what: String,
    /// Where: the zones it touched.
    pub zones: Vec<String>,
    /// Why, in the words of who did it.
    pub why: String,
    /// How it was before.
    pub before: String,
    /// How it was after.
    pub after: String,
    /// SHA-256 of the record before, hexadecimal; 64 zeros for the first.
    pub prev: String,
    /// SHA-256 of this record, with this field empty, hexadecimal.
    pub hash: String,
}

impl Record {
    fn digest(&self) -> String {
        let bare = Self { hash: String::new(), ..self.clone() };
        let digest = Sha256::digest(serde_json::to_vec(&bare).unwrap_or_default());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What is wrong with an audit log.
#[derive(Debug, Error)]
pub enum AuditError {
    /// It cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A line is no record.
    #[error("line {line}: is no record: {why}")]
    Unreadable {
        /// Counted from 1.
        line: usize,
        /// Why.
        why: String,
    },
    /// A record was changed, taken away or put in.
    #[error("line {line}: {what} is {found}, expected {expected}")]
    Broken {
        /// Counted from 1.
        line: usize,
        /// Which field.
        what: &'static str,
        /// What it says.
        found: String,
        /// What it would have to say.
        expected: String,
    },
}

/// Follows the chain of a log from its first record; every record, in order.
///
/// # Errors
/// The first line that breaks it.
pub fn verify(log: impl BufRead) -> Result<Vec<Record>, AuditError> {
    let (mut prev, mut all) = ("0".repeat(64), Vec::new());
    for (row, line) in log.lines().enumerate() {
        let line_no = row + 1;
        let record: Record =
            serde_json::from_str(&line?).map_err(|e| AuditError::Unreadable { line: line_no, why: e.to_string() })?;
        let says = [
            ("seq", record.seq.to_string(), line_no.to_string()),
            ("prev", record.prev.clone(), prev),
            ("hash", record.hash.clone(), record.digest()),
        ];
        for (what, found, expected) in says {
            if found != expected {
                return Err(AuditError::Broken { line: line_no, what, found, expected });
            }
        }
        prev = record.hash.clone();
        all.push(record);
    }
    Ok(all)
}

/// An open log.
#[derive(Debug)]
pub struct Audit {
    file: Option<File>,
    last: (u64, String),
    kept: VecDeque<Record>,
}

impl Audit {
    /// Goes on with the log at `path`, which may not exist yet; without one, in memory alone.
    ///
    /// # Errors
    /// When it cannot be read or written, or its chain is broken.
    pub fn open(path: Option<&Path>) -> Result<Self, AuditError> {
        let Some(path) = path else {
            return Ok(Self { file: None, last: (0, "0".repeat(64)), kept: VecDeque::new() });
        };
        let all = match File::open(path) {
            Ok(file) => verify(BufReader::new(file))?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(e.into()),
        };
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let last = all.last().map_or((0, "0".repeat(64)), |r| (r.seq, r.hash.clone()));
        let skip = all.len().saturating_sub(KEPT);
        Ok(Self { file: Some(file), last, kept: all.into_iter().skip(skip).collect() })
    }

    /// Adds a record; its number, `prev` and `hash` are filled in.
    ///
    /// # Errors
    /// When it cannot be written: then nothing was done, and no part of it stays in the file.
    pub fn add(&mut self, mut record: Record) -> io::Result<u64> {
        record.seq = self.last.0 + 1;
        record.prev.clone_from(&self.last.1);
        record.hash = record.digest();
        if let Some(file) = &mut self.file {
            let mut line = serde_json::to_vec(&record)?;
            line.push(b'\n');
            let whole = file.metadata()?.len();
            if let Err(error) = file.write_all(&line).and_then(|()| file.sync_data()) {
                file.set_len(whole)?;
                return Err(error);
            }
        }
        let seq = record.seq;
        self.last = (seq, record.hash.clone());
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(record);
        Ok(seq)
    }

    /// The latest records, the oldest first.
    pub fn latest(&self) -> impl DoubleEndedIterator<Item = &Record> {
        self.kept.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> (tempfile::TempDir, String) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("audit.jsonl");
        for who in ["ann", "ben", "cem"] {
            // Opened anew each time: the chain goes on where it ended.
            let mut audit = Audit::open(Some(&path)).expect("sound");
            let blank = Record {
                seq: 0,
                at_ms: 1,
                wall_ms: 2,
                who: who.into(),
                what: "hold J1".into(),
                zones: vec!["centre".into()],
                why: "a test".into(),
                before: String::new(),
                after: "held".into(),
                prev: String::new(),
                hash: String::new(),
            };
            audit.add(blank).expect("room on the disk");
        }
        let text = std::fs::read_to_string(&path).expect("written");
        (dir, text)
    }

    #[test]
    fn a_chain_holds_and_every_change_breaks_it() {
        let (_dir, text) = log();
        assert_eq!(verify(text.as_bytes()).expect("untouched").len(), 3);
        let lines: Vec<&str> = text.lines().collect();
        // A word changed; a record taken out; two swapped; a line cut short.
        for (forged, line) in [
            (text.replace("\"ben\"", "\"eve\""), "line 2: hash"),
            ([lines[0], lines[2]].join("\n"), "line 2: seq"),
            ([lines[1], lines[0], lines[2]].join("\n"), "line 1: seq"),
            (text[..text.len() - 20].to_owned(), "line 3: is no record"),
        ] {
            let why = verify(forged.as_bytes()).expect_err(line).to_string();
            assert!(why.starts_with(line), "{why}");
        }
    }
}

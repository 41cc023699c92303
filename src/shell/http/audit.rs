//! The audit log: who did what, when and why, one JSON object a line, each chained to the one before by SHA-256.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::shell::clock;

/// Records kept in memory for the screen; the file keeps all.
const KEPT: usize = 2_000;

/// What stands before the first record.
const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

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
    /// That the beginning of a record was found that nobody finished.
    fn of_torn(rest: &[u8]) -> Self {
        let now = clock::now().ms();
        Self {
            seq: 0,
            at_ms: now,
            wall_ms: now,
            who: "greenwave".into(),
            what: "takes out the beginning of a record that was never finished".into(),
            zones: Vec::new(),
            why: "whoever wrote it stopped in the middle, before the deed".into(),
            before: String::from_utf8_lossy(rest).into_owned(),
            after: String::new(),
            prev: String::new(),
            hash: String::new(),
        }
    }

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
    /// The log ends within a record: its writer stopped there.
    #[error(
        "line {line}: is cut short: whoever wrote it stopped in the middle of it, before the deed; the {whole} bytes \
         before it are unbroken, and a cockpit that opens the log goes on after them"
    )]
    Torn {
        /// Counted from 1.
        line: usize,
        /// Bytes of the log before it.
        whole: u64,
        /// What there is of it.
        rest: Vec<u8>,
        /// Every record before it.
        records: Vec<Record>,
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
pub fn verify(mut log: impl BufRead) -> Result<Vec<Record>, AuditError> {
    let (mut prev, mut all, mut whole) = (START.to_owned(), Vec::new(), 0);
    for line_no in 1.. {
        let mut line = Vec::new();
        let length = log.read_until(b'\n', &mut line)?;
        if length == 0 {
            break;
        }
        let record: Record = match serde_json::from_slice(&line) {
            Ok(record) => record,
            Err(e) if e.is_eof() && line.last() != Some(&b'\n') => {
                return Err(AuditError::Torn { line: line_no, whole, rest: line, records: all });
            }
            Err(e) => return Err(AuditError::Unreadable { line: line_no, why: e.to_string() }),
        };
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
        whole += length as u64;
        prev = record.hash.clone();
        all.push(record);
    }
    Ok(all)
}

/// The last line's end, where an editor took it away.
fn end_line(file: &mut File) -> io::Result<()> {
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last != [b'\n'] { file.write_all(b"\n") } else { Ok(()) }
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
            return Ok(Self { file: None, last: (0, START.to_owned()), kept: VecDeque::new() });
        };
        let mut torn = None;
        let all = match File::open(path).map_err(AuditError::from).and_then(|file| verify(BufReader::new(file))) {
            Ok(all) => all,
            Err(AuditError::Torn { whole, rest, records, .. }) => {
                torn = Some((whole, rest));
                records
            }
            Err(AuditError::Io(e)) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(e),
        };
        let mut file = OpenOptions::new().append(true).read(true).create(true).open(path)?;
        match &torn {
            Some((whole, _)) => file.set_len(*whole)?,
            None => end_line(&mut file)?,
        }
        let last = all.last().map_or((0, START.to_owned()), |r| (r.seq, r.hash.clone()));
        let skip = all.len().saturating_sub(KEPT);
        let mut audit = Self { file: Some(file), last, kept: all.into_iter().skip(skip).collect() };
        if let Some((_, rest)) = torn {
            audit.add(Record::of_torn(&rest))?;
        }
        Ok(audit)
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

    fn record(who: &str) -> Record {
        Record {
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
        }
    }

    fn log() -> (tempfile::TempDir, String) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("audit.jsonl");
        for who in ["ann", "ben", "cem"] {
            // Opened anew each time: the chain goes on where it ended.
            Audit::open(Some(&path)).expect("sound").add(record(who)).expect("room on the disk");
        }
        let text = std::fs::read_to_string(&path).expect("written");
        (dir, text)
    }

    #[test]
    fn a_log_goes_on_after_a_crash_and_after_an_editor() {
        let (dir, text) = log();
        let path = dir.path().join("audit.jsonl");
        // The last line's end is missing; the last record is cut short at its beginning, in the middle, before its end.
        let second = text.lines().next().expect("a line").len() + 1;
        let third = second + text[second..].find('\n').expect("a line") + 1;
        for (length, torn) in
            [(text.len() - 1, None), (third + 1, Some(1)), (third + 100, Some(100)), (text.len() - 2, None)]
        {
            let torn = torn.or((length == text.len() - 2).then_some(length - third));
            std::fs::write(&path, &text[..length]).expect("written");
            let found = verify(&text.as_bytes()[..length]);
            match (&found, torn) {
                (Ok(all), None) => assert_eq!(all.len(), 3),
                (Err(AuditError::Torn { line: 3, whole, rest, records }), Some(bytes)) => {
                    assert_eq!((*whole, rest.len(), records.len()), (third as u64, bytes, 2));
                }
                other => panic!("{length}: {other:?}"),
            }
            Audit::open(Some(&path)).expect("it goes on").add(record("dan")).expect("room on the disk");
            let now = std::fs::read(&path).expect("written");
            let who: Vec<String> = verify(&now[..]).expect("unbroken").into_iter().map(|r| r.who).collect();
            let third = if torn.is_some() { "greenwave" } else { "cem" };
            assert_eq!(who, ["ann", "ben", third, "dan"]);
        }
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
            (text[..text.len() - 20].to_owned(), "line 3: is cut short"),
            (text.replacen("{", "[", 1), "line 1: is no record"),
        ] {
            let why = verify(forged.as_bytes()).expect_err(line).to_string();
            assert!(why.starts_with(line), "{why}");
        }
    }
}

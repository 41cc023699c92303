//! The JSON mapping of the messages, and where in a text a fault lies.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Wrong;
use super::wrong::quote;

include!(concat!(env!("OUT_DIR"), "/field_names.rs"));

/// Whether a message has a field of this name, in either spelling.
fn is_field(key: &str) -> bool {
    FIELD_NAMES.binary_search(&key).is_ok()
}

/// Reads a message from its JSON mapping. Unknown fields are skipped; 64-bit integers may be numbers or strings.
///
/// # Errors
/// What is wrong with it: the field by its path, its value and why.
pub fn parse<M: DeserializeOwned>(text: &str) -> Result<M, Wrong> {
    serde_json::from_str(text).map_err(|error| {
        let (field, value) = place(text, error.line(), error.column());
        Wrong { field, reason: reason(&error).into(), ..Wrong::new("", value, "") }
    })
}

/// Writes a message in its JSON mapping, in one line.
pub fn write<M: Serialize>(message: &M) -> String {
    // Messages hold only strings, numbers, lists and messages: there is nothing JSON cannot say.
    serde_json::to_string(message).unwrap_or_default()
}

/// Why, in words that hold nothing of the text itself.
fn reason(error: &serde_json::Error) -> String {
    /// What is said of numbers in texts and of repeated fields names no value.
    const PLAIN: [&str; 5] = ["invalid digit", "number too", "cannot parse", "invalid float", "duplicate field"];
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
    match text {
        // What the mapping says of a 64-bit integer or a float that is neither a number nor a string of one.
        "data did not match any variant of untagged enum Content" => "is no number of this field's range".to_owned(),
        _ if !error.is_data() || PLAIN.iter().any(|plain| text.starts_with(plain)) => {
            format!("cannot be read: {}", quote(text))
        }
        // The value stands before the last "expected", what is known of the field behind it.
        _ => match text.rsplit_once(", expected ") {
            Some((_, expected)) => format!("cannot be read: expected {}", quote(expected)),
            None => "cannot be read".to_owned(),
        },
    }
}

/// The path of the field that a reader has reached at (`line`, `column`), and the text of its value.
fn place(text: &str, line: usize, column: usize) -> (String, String) {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let end = (before + column).min(text.len());
    let mut walk = Walk::default();
    let mut tokens = Tokens { text, at: 0 };
    let (mut path, mut closed) = (String::new(), false);
    while let Some((start, token)) = tokens.next_token() {
        if start >= end.max(1) {
            break;
        }
        // Some faults are only told of when what holds the value has ended: then it is the last value's.
        let closes = matches!(token, "}" | "]");
        if closes && !closed {
            path = walk.path();
        }
        closed = closes;
        walk.step(token);
    }
    (if closed { path } else { walk.path() }, walk.last.to_owned())
}

/// Where a walk through a JSON text has come to.
#[derive(Debug, Default)]
struct Walk<'a> {
    stack: Vec<Level<'a>>,
    last: &'a str,
}

#[derive(Debug)]
enum Level<'a> {
    Object { key: &'a str, wants_key: bool },
    Array { index: usize },
}

impl<'a> Walk<'a> {
    fn step(&mut self, token: &'a str) {
        match token {
            "{" => self.stack.push(Level::Object { key: "", wants_key: true }),
            "[" => self.stack.push(Level::Array { index: 0 }),
            "}" | "]" => drop(self.stack.pop()),
            "," => match self.stack.last_mut() {
                Some(Level::Object { wants_key, .. }) => *wants_key = true,
                Some(Level::Array { index }) => *index += 1,
                None => {}
            },
            ":" => {}
            _ => match self.stack.last_mut() {
                Some(Level::Object { key, wants_key }) if *wants_key => {
                    *key = token.trim_matches('"');
                    *wants_key = false;
                    self.last = "";
                }
                _ => self.last = token.trim_matches('"'),
            },
        }
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for level in &self.stack {
            match level {
                Level::Object { key: "", .. } => {}
                Level::Object { key, .. } => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    // A key that is no field of ours may be anything.
                    path.push_str(if is_field(key) { key } else { "?" });
                }
                Level::Array { index } => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }
}

/// A JSON text cut into brackets, marks and scalars; whatever it is, it never fails.
struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    fn next_token(&mut self) -> Option<(usize, &'a str)> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        let start = self.at;
        match bytes.get(start)? {
            b'{' | b'}' | b'[' | b']' | b',' | b':' => self.at += 1,
            b'"' => {
                self.at += 1;
                while bytes.get(self.at).is_some_and(|&b| b != b'"') {
                    self.at += if bytes[self.at] == b'\\' { 2 } else { 1 };
                }
                self.at = (self.at + 1).min(bytes.len());
            }
            _ => {
                let ends = |b: &u8| b"{}[],:\"".contains(b) || b.is_ascii_whitespace();
                while bytes.get(self.at).is_some_and(|b| !ends(b)) {
                    self.at += 1;
                }
            }
        }
        // A backslash before a letter of several bytes may have led into its middle.
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
        Some((start, &self.text[start..self.at]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::v1;

    #[test]
    fn a_fault_is_found_by_its_path() {
        // (text, path, value): a wrong type deep inside; a number out of range; a word where a list is wanted; an
        // unknown enum value; a text that stops short.
        for (text, field, value) in [
            (r#"{"readings":[{"sensor_id":"a"},{"sensor_id":"b","end_ms":"x"}]}"#, "readings[1].end_ms", "x"),
            (r#"{"readings":[{"interval_ms":-1}]}"#, "readings[0].interval_ms", "-1"),
            (r#"{"batches":7}"#, "batches", "7"),
            (
                r#"{"readings":[{"camera":{"turns":[{"vehicle_class":"HORSE"}]}}]}"#,
                "readings[0].camera.turns[0].vehicle_class",
                "HORSE",
            ),
            (r#"{"readings":[{"sensor_id":"#, "readings[0].sensor_id", ""),
            ("]", "", ""),
        ] {
            let wrong = parse::<v1::Readings>(text).unwrap_err();
            assert_eq!((wrong.field.as_str(), wrong.value.as_str()), (field, value), "{text}: {wrong}");
        }
    }

    #[test]
    fn nothing_is_quoted_but_the_value() {
        // (text): a wrong type; an unknown variant; one that feigns the words of a reason; a key that is no field; an
        // integer as text; no JSON at all.
        for text in [
            r#"{"readings":"ZH-7"}"#,
            r#"{"readings":[{"camera":{"turns":[{"vehicle_class":"ZH-7"}]}}]}"#,
            r#"{"readings":[{"camera":{"turns":[{"vehicle_class":", expected ZH-7"}]}}]}"#,
            r#"{"ZH-7":{"a":!}}"#,
            r#"{"readings":[{"end_ms":"ZH-7"}]}"#,
            "ZH-7",
        ] {
            let wrong = parse::<v1::Readings>(text).unwrap_err();
            assert!(!format!("{} {}", wrong.field, wrong.reason).contains("ZH-7"), "{text}: {wrong:?}");
            assert!(wrong.foreign || wrong.value.is_empty(), "{text}: {wrong:?}");
        }
    }

    #[test]
    fn unknown_fields_are_skipped_and_both_spellings_read() {
        let read: v1::Reading = parse(r#"{"sensorId":"a","end_ms":1,"colour":{"r":[1]}}"#).expect("tolerated");
        assert_eq!((read.sensor_id.as_str(), read.end_ms), ("a", 1));
        assert_eq!(write(&read), r#"{"sensor_id":"a","end_ms":"1"}"#);
    }
}

//! What is wrong with a message: which field, its value, and why.

use std::borrow::Cow;
use std::fmt::Display;

use thiserror::Error;

use super::QUOTE_CHARS_MAX;
use crate::event::Unreadable;
use crate::time::Time;

/// What is wrong with a message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{field} \"{value}\" {reason}")]
pub struct Wrong {
    /// The field, as a path from the message's root; empty when it is the message as a whole.
    pub field: String,
    /// Its value, cut to 80 characters.
    pub value: String,
    /// Whether the value is text of the message, which may be anything, a plate too. What `field` and `reason` say
    /// never is.
    pub foreign: bool,
    /// What is wrong with it, such as `is no link`.
    pub reason: Cow<'static, str>,
}

impl Wrong {
    /// `field`, whose value is `value`, is wrong for this reason.
    pub fn new(field: &str, value: impl Quoted, reason: impl Into<Cow<'static, str>>) -> Self {
        let (value, foreign) = value.quoted();
        Self { field: field.into(), value, foreign, reason: reason.into() }
    }

    /// A field that has to be there is not.
    pub fn missing(field: &str) -> Self {
        Self::new(field, "", "is missing")
    }

    /// The same, seen from the message that holds this one as `field`.
    #[must_use]
    pub fn within(mut self, field: impl Display) -> Self {
        self.field = match self.field.as_str() {
            "" => field.to_string(),
            inner => format!("{field}.{inner}"),
        };
        self
    }

    /// The event that tells of it: `source` sent the message, it arrived at `at`.
    pub fn unreadable(self, source: &str, at: Time) -> Unreadable {
        Unreadable {
            at,
            source: quote(source).into(),
            field: self.field.into(),
            value: self.value.into(),
            reason: self.reason.into(),
        }
    }
}

/// What a message can hold, as it is quoted: texts, which may be anything, and numbers, which are what they say.
pub trait Quoted {
    /// Its text, cut and printable, and whether it was text before.
    fn quoted(&self) -> (String, bool);
}

impl Quoted for str {
    fn quoted(&self) -> (String, bool) {
        (quote(self), !self.is_empty())
    }
}

impl Quoted for String {
    fn quoted(&self) -> (String, bool) {
        self.as_str().quoted()
    }
}

impl<T: Quoted + ?Sized> Quoted for &T {
    fn quoted(&self) -> (String, bool) {
        (**self).quoted()
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Quoted for $number {
            fn quoted(&self) -> (String, bool) {
                (quote(&self.to_string()), false)
            }
        })*
    };
}

numbers!(bool, u8, u32, i32, u64, i64, usize, f32, f64);

/// The beginning of a text from outside, without control characters.
pub(super) fn quote(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(QUOTE_CHARS_MAX).collect()
}

/// A text of `min` to `max` characters.
pub(super) fn text(field: &str, value: String, min: usize, max: usize) -> Result<Box<str>, Wrong> {
    let length = value.chars().take(max + 1).count();
    if (min..=max).contains(&length) {
        return Ok(value.into());
    }
    // The text itself is not quoted: it is somebody's words.
    let found = if length > max { format!("more than {max} characters") } else { format!("{length} characters") };
    let reason = format!("is not {min} to {max} characters long").into();
    Err(Wrong { field: field.into(), value: found, foreign: false, reason })
}

/// A number from `min` to `max`.
pub(super) fn within<T: PartialOrd + Display + Quoted + Copy>(
    field: &str,
    value: T,
    min: T,
    max: T,
) -> Result<T, Wrong> {
    if value >= min && value <= max {
        Ok(value)
    } else {
        Err(Wrong::new(field, value, format!("is not within {min} to {max}")))
    }
}

/// A message that protobuf cannot take apart: the path and the reason it gives.
impl From<prost::DecodeError> for Wrong {
    fn from(error: prost::DecodeError) -> Self {
        let text = error.to_string();
        let text = text.strip_prefix("failed to decode Protobuf message: ").unwrap_or(&text);
        let parts: Vec<&str> = text.split(": ").collect();
        // `Reading.end_ms: Readings.readings: invalid varint`: the path, innermost field first, then the reason.
        let path = parts.iter().take_while(|p| p.contains('.') && !p.contains(' '));
        let mut fields: Vec<&str> = path.filter_map(|p| p.split_once('.').map(|(_, field)| field)).collect();
        let reason = parts[fields.len()..].join(": ");
        fields.reverse();
        Self::new(&fields.join("."), "", format!("is no protobuf of this kind: {}", quote(&reason)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::v1;
    use prost::Message;

    #[test]
    fn a_protobuf_fault_names_its_path() {
        // Field 1 of Readings, 2 bytes long: field 2 of Reading (a varint) that does not end.
        let wrong: Wrong = v1::Readings::decode(&[0x0a, 0x02, 0x10, 0x80][..]).unwrap_err().into();
        assert_eq!(wrong.field, "readings.end_ms");
        assert!(wrong.reason.contains("is no protobuf of this kind"), "{wrong}");
    }

    #[test]
    fn what_may_be_anything_is_known() {
        for (wrong, foreign) in [
            (Wrong::new("sensor_id", "ZH 1", "is no sensor"), true),
            (Wrong::new("count", 7_u32, "is too many"), false),
            (Wrong::missing("action"), false),
        ] {
            assert_eq!(wrong.foreign, foreign, "{wrong}");
        }
    }

    #[test]
    fn quotes_are_short_and_printable() {
        assert_eq!(quote(&"é".repeat(100)).chars().count(), 80);
        assert_eq!(quote("a\nb\u{1b}[31m"), "a\u{fffd}b\u{fffd}[31m");
    }

    #[test]
    fn a_text_that_is_refused_is_not_repeated() {
        let wrong = text("operator", "x".repeat(100), 1, 80).unwrap_err();
        assert_eq!(wrong.to_string(), "operator \"more than 80 characters\" is not 1 to 80 characters long");
    }
}

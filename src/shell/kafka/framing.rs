//! What a message's bytes are: protobuf as it is, behind a registry's header, or JSON; said by a header or recognised.

use std::borrow::Cow;

use crate::wire::{MESSAGE_BYTES_MAX, Wrong, varint};

/// A message without its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body<'a> {
    Protobuf(&'a [u8]),
    Json(&'a str),
}

/// Takes the frame off. A protobuf never begins with byte 0, which begins the frame of a Confluent registry, and none
/// of ours with `{`, which would open a group.
///
/// # Errors
/// When it is too long, empty, framed in a way that is not known, or JSON that is no UTF-8.
pub(super) fn unframe<'a>(value: &'a [u8], content_type: Option<&str>) -> Result<Body<'a>, Wrong> {
    let wrong = |reason: Cow<'static, str>| Err(Wrong::new("", "", reason));
    if value.len() > MESSAGE_BYTES_MAX {
        return wrong(format!("is {} bytes long, more than {MESSAGE_BYTES_MAX}", value.len()).into());
    }
    let declared = content_type.map(|t| t.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    match declared.as_deref() {
        _ if value.is_empty() => wrong("is empty".into()),
        Some("application/json") => json(value),
        Some("application/x-protobuf" | "application/protobuf" | "application/vnd.google.protobuf") | None => {
            match value[0] {
                0 => registered(value),
                b'{' if declared.is_none() => json(value),
                _ => Ok(Body::Protobuf(value)),
            }
        }
        Some(other) => Err(Wrong::new("content-type", other, "is neither application/x-protobuf nor application/json")),
    }
}

fn json(value: &[u8]) -> Result<Body<'_>, Wrong> {
    match std::str::from_utf8(value) {
        Ok(text) => Ok(Body::Json(text)),
        Err(error) => Err(Wrong::new("", "", format!("is JSON that is no UTF-8: {error}"))),
    }
}

/// The frame of a Confluent registry: 0, four bytes of schema id, for protobuf the indexes of the message's type (how
/// many, then each, zigzag varints; a single 0 stands for the first type), then the message.
fn registered(value: &[u8]) -> Result<Body<'_>, Wrong> {
    let cut = || Wrong::new("", "", "is framed as by a schema registry, and cut short");
    let mut rest = value.get(5..).ok_or_else(cut)?;
    if rest.first() == Some(&b'{') {
        return json(rest);
    }
    let zigzag = varint(&mut rest).map_err(|_| cut())?;
    let count = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
    if !(0..=INDEXES_MAX).contains(&count) {
        return Err(Wrong::new("", "", format!("has {count} message indexes: not within 0 to {INDEXES_MAX}")));
    }
    for _ in 0..count {
        varint(&mut rest).map_err(|_| cut())?;
    }
    Ok(Body::Protobuf(rest))
}

/// No message type lies deeper in its schema.
const INDEXES_MAX: i64 = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use Body::{Json, Protobuf};

    #[test]
    fn frames_are_recognised() {
        // (value, content-type, what is inside): raw; JSON without and with a header; a registry's frame with the
        // shorthand, with two indexes, around JSON; a header that says protobuf of what a registry framed.
        let rows: [(&[u8], Option<&str>, Body<'_>); 7] = [
            (b"\x0a\x00", None, Protobuf(b"\x0a\x00")),
            (b"{}", None, Json("{}")),
            (b" {}", Some("application/json; charset=utf-8"), Json(" {}")),
            (b"\x00\x00\x00\x00\x07\x00\x0a\x00", None, Protobuf(b"\x0a\x00")),
            (b"\x00\x00\x00\x00\x07\x04\x02\x00\x0a\x00", None, Protobuf(b"\x0a\x00")),
            (b"\x00\x00\x00\x00\x07{}", None, Json("{}")),
            (b"\x00\x00\x00\x00\x07\x00\x12\x00", Some("application/x-protobuf"), Protobuf(b"\x12\x00")),
        ];
        for (value, declared, body) in rows {
            assert_eq!(unframe(value, declared), Ok(body), "{value:?}");
        }
    }

    #[test]
    fn what_is_no_frame_is_told() {
        // (value, content-type, what is said): nothing; cut inside the id; inside the indexes; too many of them, and
        // fewer than none; a header nobody knows; bytes that are no text.
        let rows: [(&[u8], Option<&str>, &str); 7] = [
            (b"", None, "is empty"),
            (b"\x00\x00\x00", None, "cut short"),
            (b"\x00\x00\x00\x00\x07\x04\x02", None, "cut short"),
            (b"\x00\x00\x00\x00\x07\x7e", None, "has 63 message indexes: not within 0 to 32"),
            (b"\x00\x00\x00\x00\x07\x01", None, "has -1 message indexes"),
            (b"{}", Some("application/cloudevents+json"), "neither"),
            (b"\xff", Some("application/json"), "no UTF-8"),
        ];
        for (value, declared, says) in rows {
            let wrong = unframe(value, declared).expect_err(says).to_string();
            assert!(wrong.contains(says), "{value:?}: {wrong}");
        }
    }
}

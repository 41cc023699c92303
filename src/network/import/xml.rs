//! XML as a stream of elements, each with its attributes; bounded in depth.

use std::borrow::Cow;
use std::io::BufRead;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::ImportError;

/// Nothing that traffic people write is nested deeper.
const DEPTH_MAX: usize = 64;

/// What comes next in a file.
pub(crate) enum Part<'a> {
    /// An element begins.
    Open(Element<'a>),
    /// The element that began last and has not ended ends; so many are still open.
    Close(usize),
}

/// An element's name and attributes.
pub(crate) struct Element<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// How many elements are open, itself included.
    pub(crate) depth: usize,
    attributes: Vec<(&'a str, Cow<'a, str>)>,
    at: u64,
}

/// Hands each begin and end of an element to `each`, in the order of the file.
pub(crate) fn read<R: BufRead>(
    input: R,
    mut each: impl FnMut(Part<'_>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut reader = Reader::from_reader(input);
    reader.config_mut().expand_empty_elements = true;
    let (mut buffer, mut depth) = (Vec::new(), 0_usize);
    loop {
        buffer.clear();
        let at = reader.buffer_position();
        match reader.read_event_into(&mut buffer).map_err(|e| syntax(at, &e))? {
            Event::Start(tag) => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return Err(syntax(at, &format!("elements are nested deeper than {DEPTH_MAX}")));
                }
                each(Part::Open(Element::of(&tag, depth, at)?))?;
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                each(Part::Close(depth))?;
            }
            Event::Eof if depth > 0 => return Err(syntax(at, &"the file ends inside an element")),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn syntax(at: u64, why: &dyn std::fmt::Display) -> ImportError {
    ImportError::Syntax { at, why: why.to_string() }
}

impl<'a> Element<'a> {
    fn of(tag: &'a BytesStart<'_>, depth: usize, at: u64) -> Result<Self, ImportError> {
        let mut attributes = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|e| syntax(at, &e))?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|e| syntax(at, &e))?;
            attributes.push((attribute.key.into_inner(), value));
        }
        Ok(Self { name: tag.name().into_inner(), depth, attributes, at })
    }

    /// An attribute's text.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| *name == field).map(|(_, value)| &**value)
    }

    /// The text of an attribute that must be there.
    pub(crate) fn need(&self, field: &'static str) -> Result<&str, ImportError> {
        self.text(field).ok_or_else(|| ImportError::Missing { at: self.at, element: self.name.to_owned(), field })
    }

    /// A number within a range.
    pub(crate) fn number(&self, field: &'static str, min: f64, max: f64) -> Result<Option<f64>, ImportError> {
        let Some(text) = self.text(field) else { return Ok(None) };
        let value = text.trim().parse().ok().filter(|value| (min..=max).contains(value));
        value.map(Some).ok_or_else(|| self.refuse(field, text, format!("a number from {min} to {max}")))
    }

    /// A whole number from 0 to `max`.
    pub(crate) fn index(&self, field: &'static str, max: usize) -> Result<Option<usize>, ImportError> {
        let Some(text) = self.text(field) else { return Ok(None) };
        let value = text.trim().parse().ok().filter(|value| *value <= max);
        value.map(Some).ok_or_else(|| self.refuse(field, text, format!("a whole number from 0 to {max}")))
    }

    /// A number that must be there.
    pub(crate) fn need_number(&self, field: &'static str, min: f64, max: f64) -> Result<f64, ImportError> {
        self.need(field)?;
        Ok(self.number(field, min, max)?.unwrap_or(min))
    }

    /// A whole number that must be there.
    pub(crate) fn need_index(&self, field: &'static str, max: usize) -> Result<usize, ImportError> {
        self.need(field)?;
        Ok(self.index(field, max)?.unwrap_or(0))
    }

    /// Points as SUMO writes them: `x,y x,y,z …`.
    pub(crate) fn points(&self, field: &'static str) -> Result<Vec<[f64; 3]>, ImportError> {
        let text = self.text(field).unwrap_or_default();
        let point = |word: &str| {
            let mut numbers = word.split(',').map(|n| n.parse::<f64>().ok().filter(|v| v.abs() <= 1e8));
            match (numbers.next(), numbers.next(), numbers.next(), numbers.next()) {
                (Some(Some(x)), Some(Some(y)), None, None) => Some([x, y, 0.0]),
                (Some(Some(x)), Some(Some(y)), Some(Some(z)), None) => Some([x, y, z]),
                _ => None,
            }
        };
        text.split_ascii_whitespace()
            .map(|word| point(word).ok_or_else(|| self.refuse(field, word, "x,y or x,y,z in metres".into())))
            .collect()
    }

    /// Why the value of `field` cannot be.
    pub(crate) fn refuse(&self, field: &'static str, value: &str, limit: String) -> ImportError {
        let value = value.chars().take(80).collect();
        ImportError::Value { at: self.at, element: self.name.to_owned(), field, value, limit }
    }
}

//! Reads the XML of one part of a workbook, event by event. Accepts no document type, so there are only the entities of
//! XML itself, and nothing outside the part is ever read.

use std::{
    borrow::Cow,
    io::{BufReader, Read},
};

use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_xml_entity,
    events::{BytesStart, Event},
};

use super::WorkbookFault;
use super::meter::{MeteredPart, WorkbookMeter, WorkbookReadError};

/// Most elements within each other.
const DEPTH: usize = 256;

/// Bytes read at a time.
const BUFFER: usize = 32 * 1024;

/// The XML of one part.
pub(super) struct XmlPart<'m, 'a, R: Read> {
    reader: Reader<BufReader<MeteredPart<'m, 'a, R>>>,
    buffer: Vec<u8>,
    depth: usize,
    meter: &'m WorkbookMeter<'a>,
    /// What the part is, in a message.
    name: &'static str,
}

impl<'m, 'a, R: Read> XmlPart<'m, 'a, R> {
    /// Reads `part`, which is `name` in a message.
    pub(super) fn new(part: R, name: &'static str, meter: &'m WorkbookMeter<'a>) -> Self {
        let part = BufReader::with_capacity(BUFFER, meter.measure(part));
        let mut reader = Reader::from_reader(part);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_end_names = true;
        Self {
            reader,
            buffer: Vec::new(),
            depth: 0,
            meter,
            name,
        }
    }

    /// Returns the next event, or `None` at the end of the part.
    ///
    /// # Errors
    /// Fails if the part is not well-formed or too large, or if the caller wants no more.
    pub(super) fn next(&mut self) -> Result<Option<Event<'_>>, WorkbookReadError> {
        self.buffer.clear();
        // Elements of a usual size need no more. The memory that a long element took is given back.
        self.buffer.shrink_to(BUFFER);
        self.meter.begin_event();
        let event = self.reader.read_event_into(&mut self.buffer);
        match event {
            Ok(Event::Start(_)) if self.depth == DEPTH => Err(broken(self.name)),
            Ok(Event::Start(_)) => {
                self.depth += 1;
                Ok(event.ok())
            }
            Ok(Event::End(_)) => {
                self.depth = self.depth.saturating_sub(1);
                Ok(event.ok())
            }
            Ok(Event::Eof) if self.depth == 0 => Ok(None),
            Ok(Event::Eof | Event::DocType(_)) => Err(broken(self.name)),
            Ok(_) => Ok(event.ok()),
            Err(_) => Err(self.meter.take_error().unwrap_or(broken(self.name))),
        }
    }

    /// Number of elements that are open.
    pub(super) const fn depth(&self) -> usize {
        self.depth
    }

    /// Passes the rest of the element that has just begun.
    ///
    /// # Errors
    /// The errors of [`next`](Self::next).
    pub(super) fn skip(&mut self) -> Result<(), WorkbookReadError> {
        let outside = self.depth - 1;
        while self.depth > outside {
            self.next()?;
        }
        Ok(())
    }

    /// Returns the text of the element that has just begun, up to `most` bytes and a little more.
    ///
    /// # Errors
    /// The errors of [`next`](Self::next), and an entity that is not one of XML.
    pub(super) fn text(&mut self, most: usize, text: &mut String) -> Result<(), WorkbookReadError> {
        let (outside, name) = (self.depth - 1, self.name);
        while self.depth > outside {
            let event = self.next()?;
            if let Some(event) = event
                && text.len() <= most
            {
                push_text(&event, name, text)?;
            }
        }
        Ok(())
    }

    /// The error for a part that cannot be understood.
    pub(super) fn broken(&self) -> WorkbookReadError {
        broken(self.name)
    }
}

/// Adds the text that an event has.
///
/// # Errors
/// Fails if the event is an entity that is not one of XML.
pub(super) fn push_text(
    event: &Event<'_>,
    name: &'static str,
    text: &mut String,
) -> Result<(), WorkbookReadError> {
    match event {
        Event::Text(more) => text.push_str(&more.xml10_content()),
        Event::CData(more) => text.push_str(&more.xml10_content()),
        Event::GeneralRef(entity) => match entity.resolve_char_ref() {
            Ok(Some(character)) => text.push(character),
            Ok(None) => {
                text.push_str(resolve_xml_entity(entity).ok_or_else(|| broken(name))?);
            }
            Err(_) => return Err(broken(name)),
        },
        _ => {}
    }
    Ok(())
}

/// Returns an attribute by its name without a prefix, or `None` if the element does not have it or it cannot be read.
pub(super) fn attribute<'e>(element: &'e BytesStart<'_>, name: &str) -> Option<Cow<'e, str>> {
    let mut attributes = element.attributes();
    // The check would compare each attribute with every other one.
    let mut attributes = attributes.with_checks(false).flatten();
    let found = attributes.find(|attribute| attribute.key.local_name().as_ref() == name)?;
    found.normalized_value(XmlVersion::default()).ok()
}

/// Returns `true` if one of the attributes with this name has the value.
pub(super) fn has(element: &BytesStart<'_>, name: &str, value: &str) -> bool {
    let mut attributes = element.attributes();
    let mut attributes = attributes.with_checks(false).flatten();
    attributes
        .any(|attribute| attribute.key.local_name().as_ref() == name && *attribute.value == *value)
}

/// Returns an attribute as a number, or `None` if it is none.
pub(super) fn number(element: &BytesStart<'_>, name: &str) -> Option<u32> {
    attribute(element, name)?.trim().parse().ok()
}

fn broken(part: &'static str) -> WorkbookReadError {
    WorkbookFault::Broken { part }.into()
}

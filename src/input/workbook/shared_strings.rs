//! The texts that the cells of an Excel workbook share.

use std::io::Read;

use quick_xml::events::Event;

use super::cell_text::push_escaped;
use super::meter::{WorkbookMeter, WorkbookReadError};
use super::xml::XmlPart;

/// The texts, in one allocation.
#[derive(Debug, Default)]
pub(super) struct SharedStrings {
    text: String,
    /// The position in `text` at which each text ends. Together they have less than 4 GiB.
    ends: Vec<u32>,
}

impl SharedStrings {
    /// Reads all texts of `part`. If a text is longer than `most` bytes, only a little more than that is kept of it.
    ///
    /// # Errors
    /// Fails if the part cannot be read.
    pub(super) fn read(
        part: impl Read,
        meter: &WorkbookMeter<'_>,
        most: usize,
    ) -> Result<Self, WorkbookReadError> {
        let mut xml = XmlPart::new(part, "the list of its texts", meter);
        let mut strings = Self::default();
        let mut one = String::new();
        loop {
            let is_text = match xml.next()? {
                None => break,
                Some(Event::Start(element)) => element.local_name().as_ref() == "si",
                Some(_) => false,
            };
            if is_text {
                one.clear();
                read_rich_text(&mut xml, most, &mut one)?;
                push_escaped(&one, &mut strings.text);
                let end = u32::try_from(strings.text.len()).map_err(|_| xml.broken())?;
                strings.ends.push(end);
                meter.hold(strings.bytes());
            }
        }
        Ok(strings)
    }

    /// Returns text number `index` (from 0).
    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start as usize..end as usize)
    }

    /// Bytes that the texts occupy.
    fn bytes(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * size_of::<u32>()
    }
}

/// Adds the text of the element that has just begun: its `t` elements, without those that only show its pronunciation.
///
/// # Errors
/// Fails if the part cannot be read.
pub(super) fn read_rich_text<R: Read>(
    xml: &mut XmlPart<'_, '_, R>,
    most: usize,
    text: &mut String,
) -> Result<(), WorkbookReadError> {
    let outside = xml.depth() - 1;
    while xml.depth() > outside {
        let (is_text, is_sound) = match xml.next()? {
            Some(Event::Start(element)) => {
                let name = element.local_name();
                (name.as_ref() == "t", name.as_ref() == "rPh")
            }
            _ => (false, false),
        };
        if is_text {
            xml.text(most, text)?;
        } else if is_sound {
            xml.skip()?;
        }
    }
    Ok(())
}

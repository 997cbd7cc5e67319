//! The text that a cell of an `OpenDocument` spreadsheet holds: its paragraphs, each on a line.

use std::io::Read;

use quick_xml::events::Event;

use super::meter::WorkbookReadError;
use super::xml::{XmlPart, number, push_text};
use crate::input::InputLimits;

/// Adds the text of the cell that has just begun, and reads to the cell's end. White space between elements, notes and
/// drawings are not part of the text.
///
/// # Errors
/// Fails if the part cannot be read.
pub(super) fn read_text<R: Read>(
    xml: &mut XmlPart<'_, '_, R>,
    text: &mut String,
) -> Result<(), WorkbookReadError> {
    let outside = xml.depth() - 1;
    let mut is_first = true;
    while xml.depth() > outside {
        let is_paragraph = match xml.next()? {
            Some(Event::Start(element)) => matches!(element.local_name().as_ref(), "p" | "h"),
            _ => continue,
        };
        match is_paragraph {
            true => {
                if !std::mem::take(&mut is_first) {
                    text.push('\n');
                }
                read_paragraph(xml, text)?;
            }
            false => xml.skip()?,
        }
    }
    Ok(())
}

/// Adds the text of the paragraph that has just begun.
fn read_paragraph<R: Read>(
    xml: &mut XmlPart<'_, '_, R>,
    text: &mut String,
) -> Result<(), WorkbookReadError> {
    let outside = xml.depth() - 1;
    let begin = text.len();
    let mut piece = String::new();
    while xml.depth() > outside {
        let mut skips = false;
        match xml.next()? {
            // A longer text fits no row. It is read to its end, and not kept.
            Some(_) if text.len() > InputLimits::MOST_RECORD_BYTES => {}
            Some(Event::Start(element)) => match element.local_name().as_ref() {
                "s" => {
                    let count = number(&element, "c").unwrap_or(1) as usize;
                    let count = count.min(InputLimits::MOST_RECORD_BYTES);
                    text.extend(std::iter::repeat_n(' ', count));
                }
                "tab" => text.push('\t'),
                "line-break" => text.push('\n'),
                "annotation" | "note" | "frame" | "ruby-text" => skips = true,
                _ => {}
            },
            Some(event) => {
                piece.clear();
                push_text(&event, "its content", &mut piece)?;
                push_collapsed(&piece, begin, text);
            }
            None => {}
        }
        if skips {
            xml.skip()?;
        }
    }
    Ok(())
}

/// Adds a text in which each run of white space is one space, as the format has it. A paragraph begins at `begin`, and
/// its text does not begin with a space.
fn push_collapsed(piece: &str, begin: usize, text: &mut String) {
    for character in piece.chars() {
        match character {
            ' ' | '\t' | '\r' | '\n' => {
                if text.len() > begin && !text.ends_with([' ', '\n', '\t']) {
                    text.push(' ');
                }
            }
            character => text.push(character),
        }
    }
}

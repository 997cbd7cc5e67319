//! The number formats of an Excel workbook: which cells are days or times, and which have leading zeros.

use std::{collections::HashMap, io::Read};

use quick_xml::events::Event;

use super::cell_text::NumberFormat;
use super::meter::{WorkbookMeter, WorkbookReadError};
use super::xml::{XmlPart, attribute, number};

/// Most styles of cells, and most number formats. Excel writes at most 65,490.
const MOST: usize = 65_536;

/// Most digits that a format adds zeros to.
const MOST_DIGITS: usize = 64;

/// The number format of each style of cells.
#[derive(Debug, Default)]
pub(super) struct NumberFormats(Vec<NumberFormat>);

impl NumberFormats {
    /// Reads the formats of `part`.
    ///
    /// # Errors
    /// Fails if the part cannot be read.
    pub(super) fn read(
        part: impl Read,
        meter: &WorkbookMeter<'_>,
    ) -> Result<Self, WorkbookReadError> {
        let mut xml = XmlPart::new(part, "the list of its styles", meter);
        let mut own = HashMap::new();
        let mut formats = Vec::new();
        let mut is_of_cells = false;
        while let Some(event) = xml.next()? {
            match event {
                Event::Start(element) => match element.local_name().as_ref() {
                    "numFmt" => {
                        let code = attribute(&element, "formatCode").unwrap_or_default();
                        if let Some(id) = number(&element, "numFmtId") {
                            own.insert(id, of_code(&code));
                        }
                    }
                    "cellXfs" => is_of_cells = true,
                    "xf" if is_of_cells => {
                        let id = number(&element, "numFmtId").unwrap_or_default();
                        formats.push(own.get(&id).copied().unwrap_or_else(|| built_in(id)));
                    }
                    _ => {}
                },
                Event::End(element) if element.local_name().as_ref() == "cellXfs" => {
                    is_of_cells = false;
                }
                _ => {}
            }
            if formats.len() > MOST || own.len() > MOST {
                return Err(xml.broken());
            }
        }
        Ok(Self(formats))
    }

    /// The format of style number `style`, as a cell names it.
    pub(super) fn of_style(&self, style: Option<u32>) -> NumberFormat {
        let style = style.and_then(|style| usize::try_from(style).ok());
        let format = style.and_then(|style| self.0.get(style));
        format.copied().unwrap_or_default()
    }
}

/// The formats that every workbook has, by their numbers in ECMA-376, 18.8.30.
const fn built_in(id: u32) -> NumberFormat {
    match id {
        14..=22 | 27..=36 | 45 | 47 | 50..=58 => NumberFormat::Date,
        46 => NumberFormat::Duration,
        _ => NumberFormat::Plain,
    }
}

/// Reads the code of a format, as far as its first section.
fn of_code(code: &str) -> NumberFormat {
    let zeros = code.bytes().take_while(|byte| *byte == b'0').count();
    if zeros == code.len() && (2..=MOST_DIGITS).contains(&zeros) {
        return NumberFormat::Digits(u8::try_from(zeros).unwrap_or_default());
    }
    let mut rest = code.chars();
    while let Some(character) = rest.next() {
        match character.to_ascii_lowercase() {
            '\\' | '_' | '*' => drop(rest.next()),
            '"' => drop(rest.by_ref().find(|c| *c == '"')),
            '[' => {
                let inside: String = rest.by_ref().take_while(|c| *c != ']').collect();
                if !inside.is_empty() && inside.chars().all(|c| "hmsHMS".contains(c)) {
                    return NumberFormat::Duration;
                }
            }
            ';' => break,
            'd' | 'y' | 'h' | 's' | 'm' => return NumberFormat::Date,
            // "General" has none of these letters before its end.
            'g' if rest
                .as_str()
                .get(..6)
                .is_some_and(|word| word.eq_ignore_ascii_case("eneral")) =>
            {
                rest = rest.as_str()[6..].chars();
            }
            _ => {}
        }
    }
    NumberFormat::Plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_whether_a_number_is_a_day() {
        for code in [
            "yyyy-mm-dd",
            "DD/MM/YY",
            "m/d/yy h:mm",
            "[$-409]d-mmm-yy;@",
            "[Red]h:mm AM/PM",
            "\"on \"d",
        ] {
            assert_eq!(of_code(code), NumberFormat::Date, "{code}");
        }
        for code in ["[h]:mm:ss", "[mm]:ss", "[ss]"] {
            assert_eq!(of_code(code), NumberFormat::Duration, "{code}");
        }
        for code in [
            "General",
            "0",
            "0.00",
            "#,##0",
            "0.00E+00",
            "@",
            "\"days\" 0",
            "0\\d",
            "[Red]0",
            "#,##0;[Red]-#,##0 \"my\"",
            "_-* #,##0_-",
            "",
            "\"",
        ] {
            assert_eq!(of_code(code), NumberFormat::Plain, "{code}");
        }
        assert_eq!(of_code("0000"), NumberFormat::Digits(4));
        assert_eq!(built_in(14), NumberFormat::Date);
        assert_eq!(built_in(1), NumberFormat::Plain);
    }
}

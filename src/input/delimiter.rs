//! The supported delimiters, and the two places that can state one: the option, and a first line such as `sep=;`.

use super::FileFault;

/// The delimiters, in order of preference if a header fits several.
pub(super) const DELIMITERS: [u8; 4] = *b",;\t|";

/// Longest `sep=` line, in bytes. Spreadsheets pad it to the width of the table.
const MAX_SEP_LINE: usize = 80;

/// Parses the delimiter option: one of the four delimiters, `tab` or `\t` for a tab, or empty for `None`.
///
/// # Errors
/// Fails if the option states any other delimiter.
pub(super) fn parse_option(option: &str) -> Result<Option<u8>, FileFault> {
    match option.as_bytes() {
        [] => Ok(None),
        b"tab" | b"\\t" => Ok(Some(b'\t')),
        [byte] if DELIMITERS.contains(byte) => Ok(Some(*byte)),
        _ => Err(FileFault::BadDelimiter {
            given: FileFault::showable(option),
            in_file: false,
        }),
    }
}

/// The kind of a file's first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FirstLine {
    /// The text is too short to decide.
    Unknown,
    /// The header, or a blank line before it.
    Ordinary,
    /// A `sep=` line of `length` bytes, without its line end.
    Sep {
        length: usize,
        /// `Ok(None)`: nothing follows `sep=`.
        delimiter: Result<Option<u8>, FileFault>,
    },
}

impl FirstLine {
    /// Reads the first line of a file from `text`, the file's beginning. `whole` says that `text` is the whole file.
    pub(super) fn read(text: &[u8], whole: bool) -> Self {
        let line_end = text.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let line = &text[..line_end.unwrap_or(text.len())];
        if line.len() > MAX_SEP_LINE || !may_begin_sep_line(line) {
            return Self::Ordinary;
        }
        if line_end.is_none() && !whole {
            return Self::Unknown;
        }
        sep_value(line).map_or(Self::Ordinary, |value| Self::Sep {
            length: line.len(),
            delimiter: parse_sep_value(value),
        })
    }
}

fn may_begin_sep_line(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    let length = line.len().min(4);
    line[..length].eq_ignore_ascii_case(&b"sep="[..length])
}

/// Returns the text after `sep=`, or `None` if the line does not begin with it.
fn sep_value(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    let (key, value) = line.split_at_checked(4)?;
    key.eq_ignore_ascii_case(b"sep=").then_some(value)
}

/// Parses the delimiter. The closing quote, spaces, and delimiters as padding may follow it.
fn parse_sep_value(value: &[u8]) -> Result<Option<u8>, FileFault> {
    let is_padding = |byte: &u8| matches!(byte, b'"' | b' ') || DELIMITERS.contains(byte);
    match value {
        [byte, rest @ ..] if DELIMITERS.contains(byte) && rest.iter().all(is_padding) => {
            Ok(Some(*byte))
        }
        value if value.iter().all(is_padding) => Ok(None),
        value => Err(FileFault::BadDelimiter {
            given: FileFault::showable(String::from_utf8_lossy(value).trim_end_matches(['"', ' '])),
            in_file: true,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_takes_four_delimiters_and_names_for_the_tab() {
        for (option, delimiter) in [
            ("", None),
            (",", Some(b',')),
            (";", Some(b';')),
            ("|", Some(b'|')),
            ("\t", Some(b'\t')),
            ("tab", Some(b'\t')),
            ("\\t", Some(b'\t')),
        ] {
            assert_eq!(parse_option(option), Ok(delimiter), "{option:?}");
        }
        for option in [":", ",,", " ", "\"", "é"] {
            assert!(parse_option(option).is_err(), "{option:?}");
        }
    }

    #[test]
    fn a_sep_line_states_the_delimiter() {
        for (line, delimiter) in [
            ("sep=;", Some(b';')),
            ("SEP=,", Some(b',')),
            ("sep=|", Some(b'|')),
            ("sep=\t", Some(b'\t')),
            ("\"sep=;\"", Some(b';')),
            ("sep=; ", Some(b';')),
            ("sep=;;;;;;;;;;;;;", Some(b';')),
            ("\"sep=;\",,,,,", Some(b';')),
            ("sep=", None),
            ("\"sep=\"", None),
        ] {
            let expected = FirstLine::Sep {
                length: line.len(),
                delimiter: Ok(delimiter),
            };
            for end in ["\n", "\r\n", "\r", "\nsep=|\n"] {
                let text = format!("{line}{end}");
                assert_eq!(
                    FirstLine::read(text.as_bytes(), false),
                    expected,
                    "{text:?}"
                );
            }
            assert_eq!(FirstLine::read(line.as_bytes(), true), expected, "{line:?}");
        }
    }

    #[test]
    fn a_sep_line_with_another_delimiter_is_a_fault() {
        for line in ["sep=:", "sep=::", "sep=comma", "\"sep=x\""] {
            let FirstLine::Sep { delimiter, .. } = FirstLine::read(line.as_bytes(), true) else {
                panic!("{line}");
            };
            assert!(delimiter.is_err(), "{line}");
        }
    }

    #[test]
    fn any_other_line_is_ordinary_as_soon_as_that_is_sure() {
        for text in ["x", "sepa", "\"E", "\n", "\r\nsep=;\n", "sep;", " sep=;"] {
            assert_eq!(
                FirstLine::read(text.as_bytes(), false),
                FirstLine::Ordinary,
                "{text:?}"
            );
        }
        for text in ["", "s", "\"", "SEP", "sep=", "sep=;"] {
            assert_eq!(
                FirstLine::read(text.as_bytes(), false),
                FirstLine::Unknown,
                "{text:?}"
            );
        }
        let long = "sep=".to_owned() + &";".repeat(MAX_SEP_LINE);
        assert_eq!(FirstLine::read(long.as_bytes(), false), FirstLine::Ordinary);
    }
}

//! Turns the bytes received into UTF-8. It never guesses a charset and never hides malformed input.
//!
//! A byte order mark decides the charset; without one, the declared charset applies, and without that, UTF-8. The
//! marks of UTF-8 and UTF-16 are known. A mark wins over a label that contradicts it, because no program writes a mark
//! by accident.
//!
//! The output is UTF-8, except for malformed input. UTF-8 input passes through unchanged. In other charsets, each
//! malformed sequence becomes three bytes that are never UTF-8 and that carry the offending byte. So later stages find
//! malformed bytes in the same way in every charset, and a genuine U+FFFD in the input stays U+FFFD. Delimiters, quotes
//! and line ends are ASCII. They are never part of a malformed sequence, in either form.

use encoding_rs::{Decoder, DecoderResult, Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE};

use super::{FileFault, charset_names};
use crate::domain::Cell;

/// Number of bytes of text that are decoded at a time.
const BUFFER_BYTES: usize = 16 * 1024;

/// The first of the three bytes that stand for a malformed sequence; no UTF-8 text has it.
const MALFORMED: u8 = 0xFF;

/// The known byte order marks, each with its charset.
const MARKS: [(&[u8], &Encoding); 3] = [
    (b"\xEF\xBB\xBF", UTF_8),
    (b"\xFF\xFE", UTF_16LE),
    (b"\xFE\xFF", UTF_16BE),
];

/// The charset of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Charset(&'static Encoding);

impl Charset {
    /// The charset of the texts of workbooks.
    pub(super) const OF_WORKBOOKS: Self = Self(UTF_8);

    /// Returns the standard name, such as `UTF-8`.
    pub(super) fn name(self) -> &'static str {
        self.0.name()
    }

    /// Returns the cell for a field of decoded text.
    pub(super) fn cell(self, field: &[u8]) -> Cell<'_> {
        match str::from_utf8(field) {
            Ok(text) => Cell::Text(text),
            Err(error) => Cell::Invalid {
                byte: self.offending(&field[error.valid_up_to()..]),
                charset: self.name(),
            },
        }
    }

    /// Returns the offending byte of the input. `malformed` is the text from the first malformed place on.
    fn offending(self, malformed: &[u8]) -> u8 {
        match *malformed {
            [MALFORMED, high, low, ..] if self.0 != UTF_8 => high << 4 | low & 0x0F,
            [byte, ..] => byte,
            [] => 0,
        }
    }
}

/// Returns the bytes that replace a malformed sequence that begins with `byte`.
const fn marker(byte: u8) -> [u8; 3] {
    [MALFORMED, 0x80 | byte >> 4, 0x80 | byte & 0x0F]
}

/// Turns bytes into text, however the bytes are split.
pub(super) struct Transcoder(TranscoderState);

enum TranscoderState {
    /// So far the input could still be a byte order mark.
    Opening {
        declared: &'static Encoding,
        held: Vec<u8>,
    },
    PassThrough,
    Decoding(Box<CharsetDecoding>),
    Ended(Charset),
}

struct CharsetDecoding {
    charset: Charset,
    decoder: Decoder,
    buffer: Vec<u8>,
    /// The last bytes that the decoder has read, newest last. The decoder gives the position of a malformed sequence
    /// as a distance from the newest byte, at most six bytes.
    recent: [u8; 8],
}

impl Transcoder {
    /// Returns a transcoder for the charset with this label. The label is a standard one or one in everyday use; an
    /// empty label means UTF-8.
    ///
    /// # Errors
    /// Fails if no charset has this label.
    pub(super) fn new(label: &str) -> Result<Self, FileFault> {
        let declared = match label.trim() {
            "" => UTF_8,
            label => charset_names::find(label).ok_or_else(|| FileFault::BadCharset {
                label: FileFault::showable(label),
            })?,
        };
        let held = Vec::with_capacity(3);
        Ok(Self(TranscoderState::Opening { declared, held }))
    }

    /// Passes the text of `bytes` to `out`, in pieces that may end anywhere. `last` says that the input ends here; it
    /// must be set only once.
    ///
    /// # Errors
    /// Returns the first error of `out`, at once.
    pub(super) fn push<E>(
        &mut self,
        mut bytes: &[u8],
        last: bool,
        out: &mut impl FnMut(&[u8], Charset) -> Result<(), E>,
    ) -> Result<(), E> {
        if let TranscoderState::Opening { declared, held } = &mut self.0 {
            let Some((encoding, mark)) = open(declared, held, &mut bytes, last) else {
                return Ok(());
            };
            let opening = held.split_off(mark);
            self.0 = TranscoderState::reading(encoding);
            self.0.decode(&opening, false, out)?;
        }
        let result = self.0.decode(bytes, last, out);
        if last {
            self.0 = TranscoderState::Ended(self.charset());
        }
        result
    }

    /// Returns the charset in use, or the declared one until the first bytes have decided it.
    pub(super) fn charset(&self) -> Charset {
        match &self.0 {
            TranscoderState::Opening { declared, .. } => Charset(declared),
            TranscoderState::PassThrough => Charset(UTF_8),
            TranscoderState::Decoding(decoding) => decoding.charset,
            TranscoderState::Ended(charset) => *charset,
        }
    }
}

/// Moves bytes into `held` until they are a byte order mark or cannot become one. Then returns the charset and the
/// length of the mark.
fn open(
    declared: &'static Encoding,
    held: &mut Vec<u8>,
    bytes: &mut &[u8],
    last: bool,
) -> Option<(&'static Encoding, usize)> {
    loop {
        if let Some((mark, encoding)) = MARKS.iter().find(|(mark, _)| held == mark) {
            return Some((encoding, mark.len()));
        }
        if !MARKS.iter().any(|(mark, _)| mark.starts_with(held)) {
            return Some((declared, 0));
        }
        let Some((&byte, rest)) = bytes.split_first() else {
            return last.then_some((declared, 0));
        };
        held.push(byte);
        *bytes = rest;
    }
}

impl TranscoderState {
    fn reading(encoding: &'static Encoding) -> Self {
        if encoding == UTF_8 {
            return Self::PassThrough;
        }
        Self::Decoding(Box::new(CharsetDecoding {
            charset: Charset(encoding),
            decoder: encoding.new_decoder_without_bom_handling(),
            buffer: vec![0; BUFFER_BYTES],
            recent: [0; 8],
        }))
    }

    fn decode<E>(
        &mut self,
        bytes: &[u8],
        last: bool,
        out: &mut impl FnMut(&[u8], Charset) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Opening { .. } | Self::Ended(_) => Ok(()),
            Self::PassThrough => out(bytes, Charset(UTF_8)),
            Self::Decoding(decoding) => decoding.decode(bytes, last, out),
        }
    }
}

impl CharsetDecoding {
    fn decode<E>(
        &mut self,
        mut bytes: &[u8],
        last: bool,
        out: &mut impl FnMut(&[u8], Charset) -> Result<(), E>,
    ) -> Result<(), E> {
        loop {
            let (result, read, written) =
                self.decoder
                    .decode_to_utf8_without_replacement(bytes, &mut self.buffer, last);
            self.remember(&bytes[..read]);
            bytes = &bytes[read..];
            out(&self.buffer[..written], self.charset)?;
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(length, read_after) => {
                    let back = usize::from(length) + usize::from(read_after);
                    let byte = self.byte_back(back);
                    out(&marker(byte), self.charset)?;
                    // Malformed input can lose the shift back to ASCII. Without the line end, such a row of
                    // ISO-2022-JP would swallow the next one.
                    if self.charset.0 == ISO_2022_JP && matches!(byte, b'\r' | b'\n') {
                        out(&[byte], self.charset)?;
                    }
                }
            }
        }
    }

    fn remember(&mut self, read: &[u8]) {
        let new = &read[read.len().saturating_sub(self.recent.len())..];
        self.recent.rotate_left(new.len());
        let kept = self.recent.len() - new.len();
        self.recent[kept..].copy_from_slice(new);
    }

    /// Returns the byte read `distance` bytes ago; 1 = the last one.
    fn byte_back(&self, distance: usize) -> u8 {
        let at = self.recent.len().saturating_sub(distance);
        self.recent.get(at).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the text of `bytes`, pushed `step` bytes at a time, and the charset.
    fn transcode(label: &str, bytes: &[u8], step: usize) -> (Vec<u8>, &'static str) {
        let mut transcoder = Transcoder::new(label).unwrap();
        let (mut text, mut name) = (Vec::new(), "");
        let mut out = |piece: &[u8], charset: Charset| -> Result<(), ()> {
            text.extend_from_slice(piece);
            name = charset.name();
            Ok(())
        };
        for chunk in bytes.chunks(step) {
            transcoder.push(chunk, false, &mut out).unwrap();
        }
        transcoder.push(&[], true, &mut out).unwrap();
        (text, name)
    }

    fn assert_transcodes(label: &str, bytes: &[u8], text: &[u8], name: &str) {
        for step in 1..=bytes.len().max(1) {
            let expected = (text.to_vec(), name);
            let (actual, charset) = transcode(label, bytes, step);
            assert_eq!((actual, charset), expected, "{label} {bytes:?} by {step}");
        }
    }

    #[test]
    fn a_byte_order_mark_names_the_charset_whatever_is_declared() {
        for label in ["", "utf-8", "windows-1252", "utf-16be"] {
            assert_transcodes(label, b"\xFF\xFEa\0\xE9\0", "aé".as_bytes(), "UTF-16LE");
            assert_transcodes(label, b"\xEF\xBB\xBFa\xC3\xA9", "aé".as_bytes(), "UTF-8");
        }
        assert_transcodes(
            "utf-16le",
            b"\xFE\xFF\0a\xD8\x3D\xDE\0",
            "a😀".as_bytes(),
            "UTF-16BE",
        );
    }

    #[test]
    fn without_a_mark_the_declared_charset_holds() {
        assert_transcodes("", b"\xEF\xBBx", b"\xEF\xBBx", "UTF-8");
        assert_transcodes("", b"\xEF", b"\xEF", "UTF-8");
        assert_transcodes(
            " Windows-1252 ",
            b"\xEF\xBB",
            "ï»".as_bytes(),
            "windows-1252",
        );
        assert_transcodes("utf-16le", b"a\0,\0", b"a,", "UTF-16LE");
        assert_transcodes("shift_jis", b"\x83\x65\x5C", "テ\\".as_bytes(), "Shift_JIS");
    }

    #[test]
    fn only_the_first_mark_is_taken_off() {
        let text = "\u{FEFF}a".as_bytes();
        assert_transcodes("", b"\xEF\xBB\xBF\xEF\xBB\xBFa", text, "UTF-8");
        assert_transcodes("", b"\xFF\xFE\xFF\xFEa\0", text, "UTF-16LE");
    }

    #[test]
    fn a_malformed_sequence_leaves_its_first_byte_in_the_text() {
        for (label, bytes, first) in [
            ("shift_jis", &b"ab\x83"[..], 0x83),
            ("euc-jp", b"ab\xA4 ", 0xA4),
            ("windows-1253", b"ab\xAA", 0xAA),
            ("utf-16le", b"a\0b\0\x3D\xD8", 0x3D),
            ("utf-16be", b"\0a\0b\xDE\x00", 0xDE),
            ("utf-16be", b"\0a\0b\xD8\x3D\0c", 0xD8),
            ("utf-16le", b"a\0b\0c", b'c'),
            ("gb18030", b"ab\x81\x30\x81", 0x81),
        ] {
            for step in 1..=bytes.len() {
                let (text, name) = transcode(label, bytes, step);
                let cell = Transcoder::charset_of(label).cell(&text);
                let expected = Cell::Invalid {
                    byte: first,
                    charset: name,
                };
                assert_eq!(cell, expected, "{label} {bytes:?} by {step}: {text:?}");
                assert!(text.starts_with(b"ab\xFF"));
            }
        }
    }

    #[test]
    fn a_lost_shift_of_iso_2022_jp_swallows_no_line_end() {
        let (text, _) = transcode("iso-2022-jp", b"\x1B$B%F\n%F\x1B(Ba\n", 1);
        assert_eq!(text.split(|&byte| byte == b'\n').count() - 1, 2, "{text:?}");
    }

    #[test]
    fn a_genuine_replacement_character_is_not_malformed() {
        let (text, _) = transcode("utf-16le", b"\xFD\xFF", 1);
        let cell = Transcoder::charset_of("utf-16le").cell(&text);
        assert_eq!(cell, Cell::Text("\u{FFFD}"));
    }

    #[test]
    fn malformed_utf_8_is_named_by_its_own_byte() {
        for (field, byte) in [
            (&b"Mu\xF1oz"[..], 0xF1),
            (b"\xC3", 0xC3),
            (b"\xFF\x80\x81", 0xFF),
            (b"\xC3\xA9\xA9", 0xA9),
        ] {
            let charset = "UTF-8";
            assert_eq!(Charset(UTF_8).cell(field), Cell::Invalid { byte, charset });
        }
    }

    impl Transcoder {
        fn charset_of(label: &str) -> Charset {
            Charset(Encoding::for_label(label.as_bytes()).unwrap())
        }
    }
}

//! Where text has bytes that a CSV reader must look at: quotes, delimiters and line ends. All other bytes,
//! which are nine of ten, it never sees.

/// Bytes that are looked at together.
const BLOCK: usize = 64;

/// The positions of quotes, of delimiters and of line ends (CR and LF alike) in a text, in order.
pub(super) struct Marks<'a> {
    blocks: std::slice::Chunks<'a, u8>,
    delimiter: u8,
    /// Where the block lies that was read last.
    start: usize,
    /// Its marks that have not been given yet, a bit each; the lowest is its first byte.
    found: u64,
}

impl<'a> Marks<'a> {
    /// The marks of `text`.
    pub(super) fn of(text: &'a [u8], delimiter: u8) -> Self {
        let mut marks = Self {
            blocks: text.chunks(BLOCK),
            delimiter,
            start: 0,
            found: 0,
        };
        if let Some(first) = marks.blocks.next() {
            marks.read(first);
        }
        marks
    }

    /// One bit for each byte. What it does to each is simple enough for the compiler to do it to many at once.
    fn read(&mut self, block: &[u8]) {
        let mut marked = [0; BLOCK];
        match <&[u8; BLOCK]>::try_from(block) {
            Ok(whole) => mark(whole, &mut marked, self.delimiter),
            Err(_) => mark(block, &mut marked, self.delimiter),
        }
        let (eights, _) = marked.as_chunks::<8>();
        self.found = 0;
        for (eight, at) in eights.iter().zip((0..).step_by(8)) {
            self.found |= gather(*eight) << at;
        }
    }
}

/// Sets to 1 which of these bytes are marks.
fn mark(bytes: &[u8], marked: &mut [u8; BLOCK], delimiter: u8) {
    for (marked, &byte) in marked.iter_mut().zip(bytes) {
        let is_line_end = u8::from(byte == b'\n') | u8::from(byte == b'\r');
        *marked = u8::from(byte == delimiter) | u8::from(byte == b'"') | is_line_end;
    }
}

/// The lowest bits of eight bytes, the first lowest: the product has bit 8 n of the one as bit 56 + n, besides
/// others below.
const fn gather(bytes: [u8; 8]) -> u64 {
    u64::from_le_bytes(bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

impl Iterator for Marks<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            let block = self.blocks.next()?;
            self.start += BLOCK;
            self.read(block);
        }
        let at = self.start + self.found.trailing_zeros() as usize;
        self.found &= self.found - 1;
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_mark_is_found_and_nothing_else(text in "[a;,\"\r\n\u{E9}\0]{0,300}", delimiter in "[;,\t]") {
            let delimiter = delimiter.as_bytes()[0];
            let is_mark = |byte: u8| byte == delimiter || matches!(byte, b'"' | b'\r' | b'\n');
            let expected: Vec<usize> = (0..text.len()).filter(|&at| is_mark(text.as_bytes()[at])).collect();
            prop_assert_eq!(Marks::of(text.as_bytes(), delimiter).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn each_of_eight_bytes_has_its_bit() {
        for n in 0..8 {
            let mut bytes = [0; 8];
            bytes[n] = 1;
            assert_eq!(gather(bytes), 1 << n);
        }
        assert_eq!(gather([1; 8]), 0xFF);
    }
}

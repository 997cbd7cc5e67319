//! Finds the bytes of a text that a CSV reader must examine: quotes, delimiters and line ends. The reader never sees
//! the other bytes, which are nine of ten.

/// Number of bytes that are examined together.
const BLOCK: usize = 64;

/// The positions of quotes, of delimiters and of line ends (CR and LF alike) in a text, in order.
pub(super) struct StructuralMarks<'a> {
    blocks: std::slice::Chunks<'a, u8>,
    delimiter: u8,
    /// Start of the block that was read last.
    start: usize,
    /// The marks of that block that have not been returned yet, one bit each; the lowest bit is the block's first
    /// byte.
    found: u64,
}

impl<'a> StructuralMarks<'a> {
    /// Returns the marks of `text`.
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

    /// Sets one bit for each mark of the block. The work for each byte is simple enough that the compiler does it for
    /// many bytes at once.
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

/// Sets `marked` to 1 for each byte that is a mark.
fn mark(bytes: &[u8], marked: &mut [u8; BLOCK], delimiter: u8) {
    for (marked, &byte) in marked.iter_mut().zip(bytes) {
        let is_line_end = u8::from(byte == b'\n') | u8::from(byte == b'\r');
        *marked = u8::from(byte == delimiter) | u8::from(byte == b'"') | is_line_end;
    }
}

/// Returns the lowest bits of eight bytes, the first byte's bit lowest. In the product, bit 8 n of the bytes becomes
/// bit 56 + n; other bits fall below bit 56.
const fn gather(bytes: [u8; 8]) -> u64 {
    u64::from_le_bytes(bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

impl Iterator for StructuralMarks<'_> {
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
            prop_assert_eq!(StructuralMarks::of(text.as_bytes(), delimiter).collect::<Vec<_>>(), expected);
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

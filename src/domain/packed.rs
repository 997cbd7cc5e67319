//! Several short texts in one allocation.

/// `N` texts stored end to end: 16 bytes, the texts, and two bytes for each, in place of `N` strings.
///
/// A million rows of thirteen values are held in memory while an import is planned; this is what
/// keeps that at a small multiple of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedText<const N: usize> {
    text: Box<str>,
    ends: [u16; N],
}

impl<const N: usize> PackedText<N> {
    /// Packs `parts`. Together they hold at most 65,535 bytes; what is beyond that is cut, at a
    /// character boundary. (Field limits keep real rows below 14 KiB.)
    #[must_use]
    pub fn new(parts: [&str; N]) -> Self {
        let mut text = String::with_capacity(parts.iter().map(|p| p.len()).sum());
        let mut ends = [0; N];
        for (part, end) in parts.into_iter().zip(&mut ends) {
            let room = usize::from(u16::MAX) - text.len();
            text.push_str(&part[..part.floor_char_boundary(room)]);
            *end = u16::try_from(text.len()).unwrap_or(u16::MAX);
        }
        Self {
            text: text.into_boxed_str(),
            ends,
        }
    }

    /// Text number `index`, counted from 0.
    ///
    /// # Panics
    /// Where `index` is not below `N`.
    #[must_use]
    pub fn get(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[usize::from(start)..usize::from(self.ends[index])]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_comes_back_as_it_went_in() {
        let packed = PackedText::new(["", "añ", "", "x", ""]);
        let parts: Vec<&str> = (0..5).map(|i| packed.get(i)).collect();
        assert_eq!(parts, ["", "añ", "", "x", ""]);
    }

    #[test]
    fn what_does_not_fit_is_cut_between_characters() {
        let long = "é".repeat(40_000);
        let packed = PackedText::new([long.as_str(), "tail"]);
        assert_eq!(packed.get(0).len(), 65_534);
        assert_eq!(packed.get(1), "t");
    }
}

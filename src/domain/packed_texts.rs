//! Packs short texts of many rows, or of many users, into one allocation. Knows nothing about the meaning of the
//! texts.

/// Groups of `N` texts each, such as the values of some hundred rows. Each text takes its own bytes and one or two
/// more, instead of `N` allocations a group.
///
/// While an import is planned, memory holds a million rows of over ten values, and as many users. Packing keeps
/// that at a small multiple of the input.
#[derive(Debug)]
pub(super) struct PackedTexts<const N: usize> {
    text: Box<str>,
    /// The start of each group in `text`.
    starts: Box<[u32]>,
    ends: TextEnds,
}

/// Size in bytes from which a text is shrunk in place. A smaller text is copied: shrinking it would leave a gap in
/// memory that nothing fits into.
const LARGE: usize = 1 << 20;

/// The ends of the texts, counted from the start of their group of `N`.
#[derive(Debug)]
enum TextEnds {
    /// No group has more than 255 bytes, as is usual.
    Narrow(Box<[u8]>),
    Wide(Box<[u16]>),
}

impl TextEnds {
    fn new(ends: Vec<u16>) -> Self {
        let narrow = ends.iter().map(|&end| u8::try_from(end));
        match narrow.collect() {
            Ok(narrow) => Self::Narrow(narrow),
            Err(_) => Self::Wide(ends.into()),
        }
    }

    fn get(&self, index: usize) -> usize {
        match self {
            Self::Narrow(ends) => usize::from(ends[index]),
            Self::Wide(ends) => usize::from(ends[index]),
        }
    }
}

impl<const N: usize> PackedTexts<N> {
    /// Packs one group by itself. Its texts together hold at most 65,535 bytes; the rest is cut, at a character
    /// boundary. (Field limits keep real rows below 14 KiB.)
    #[must_use]
    pub(super) fn of(group: [&str; N]) -> Self {
        let mut packer = TextPacker::default();
        packer.push(group);
        packer.finish()
    }

    /// Returns the number of bytes that the texts take.
    #[must_use]
    pub(super) fn bytes(&self) -> usize {
        let ends = match &self.ends {
            TextEnds::Narrow(ends) => ends.len(),
            TextEnds::Wide(ends) => size_of_val(&**ends),
        };
        self.text.len() + size_of_val(&*self.starts) + ends
    }

    /// Returns text number `index` of group number `group`, both counted from 0.
    ///
    /// # Panics
    /// Panics if `group` does not exist, or if `index` is not below `N`.
    #[must_use]
    pub(super) fn get(&self, group: usize, index: usize) -> &str {
        assert!(index < N, "there are but {N} texts");
        let (first, start) = (group * N, self.starts[group] as usize);
        let begin = index.checked_sub(1).map_or(0, |i| self.ends.get(first + i));
        &self.text[start + begin..start + self.ends.get(first + index)]
    }
}

/// Packs the texts of several rows or users together. Its own size is insignificant for some hundred groups.
#[derive(Debug, Default)]
pub(super) struct TextPacker<const N: usize> {
    text: String,
    starts: Vec<u32>,
    ends: Vec<u16>,
}

impl<const N: usize> TextPacker<N> {
    /// Returns an empty packer with room for `groups` groups and `bytes` bytes of text.
    #[must_use]
    pub(super) fn with_room(groups: usize, bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            starts: Vec::with_capacity(groups),
            ends: Vec::with_capacity(groups * N),
        }
    }

    /// Adds a group with the next number, cut as by [`PackedTexts::of`]. All groups together must have less than 4
    /// GiB.
    pub(super) fn push(&mut self, group: [&str; N]) {
        let start = self.text.len();
        for part in group {
            let room = usize::from(u16::MAX) - (self.text.len() - start);
            self.text.push_str(&part[..part.floor_char_boundary(room)]);
            let end = u16::try_from(self.text.len() - start);
            self.ends.push(end.unwrap_or(u16::MAX));
        }
        self.starts.push(u32::try_from(start).unwrap_or(u32::MAX));
    }

    /// Returns the number of groups that have been added.
    #[must_use]
    pub(super) const fn groups(&self) -> usize {
        self.starts.len()
    }

    /// Returns the number of bytes of text that have been added.
    #[must_use]
    pub(super) const fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Returns the groups that have been added.
    #[must_use]
    pub(super) fn finish(self) -> PackedTexts<N> {
        let text = match self.text.len() < LARGE {
            true => self.text.as_str().into(),
            false => self.text.into(),
        };
        PackedTexts {
            text,
            starts: self.starts.into(),
            ends: TextEnds::new(self.ends),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group<const N: usize>(texts: &PackedTexts<N>, group: usize) -> Vec<&str> {
        (0..N).map(|index| texts.get(group, index)).collect()
    }

    #[test]
    fn every_part_comes_back_as_it_went_in() {
        let packed = PackedTexts::of(["", "añ", "", "x", ""]);
        assert_eq!(group(&packed, 0), ["", "añ", "", "x", ""]);
    }

    #[test]
    fn neighbours_keep_apart_whether_short_or_long() {
        for length in [0, 1, 255, 256, 300] {
            let long = "l".repeat(length);
            let mut packer = TextPacker::with_room(2, length);
            packer.push(["a", &long]);
            packer.push(["", "é"]);
            assert_eq!((packer.groups(), packer.bytes()), (2, length + 3));
            let packed = packer.finish();
            assert_eq!(group(&packed, 0), ["a", &*long]);
            assert_eq!(group(&packed, 1), ["", "é"]);
        }
    }

    #[test]
    fn what_does_not_fit_is_cut_between_characters() {
        let long = "é".repeat(40_000);
        let packed = PackedTexts::of([long.as_str(), "tail"]);
        assert_eq!(packed.get(0, 0).len(), 65_534);
        assert_eq!(packed.get(0, 1), "t");
    }
}

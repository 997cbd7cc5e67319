//! Short texts of many rows, or of many users, in one allocation.

use std::sync::Arc;

/// `N` texts in 16 bytes; they lie in a block that they share with their neighbours, and take up their
/// own bytes and one or two for each text there, in place of `N` allocations.
///
/// A million rows of thirteen values, and as many users, are held in memory while an import is planned;
/// this is what keeps that at a small multiple of the input.
#[derive(Clone, Debug, Default)]
pub struct PackedText<const N: usize> {
    /// `None`: all are empty.
    block: Option<Arc<Block>>,
    start: u32,
    /// Which one of the block's.
    at: u32,
}

#[derive(Debug)]
struct Block {
    text: Box<str>,
    ends: Ends,
}

/// Where the texts end, each group of `N` counted from its start.
#[derive(Debug)]
enum Ends {
    /// No group has more than 255 bytes, as is usual.
    Narrow(Box<[u8]>),
    Wide(Box<[u16]>),
}

impl Ends {
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

impl<const N: usize> PackedText<N> {
    /// Packs `parts` by themselves. Together they hold at most 65,535 bytes; what is beyond that is cut,
    /// at a character boundary. (Field limits keep real rows below 14 KiB.)
    #[must_use]
    pub fn new(parts: [&str; N]) -> Self {
        let mut packer = Packer::default();
        packer.push(parts);
        packer.finish().next().unwrap_or_default()
    }

    /// Text number `index`, counted from 0.
    ///
    /// # Panics
    /// Where `index` is not below `N`.
    #[must_use]
    pub fn get(&self, index: usize) -> &str {
        assert!(index < N, "there are but {N} texts");
        let Some(block) = &self.block else {
            return "";
        };
        let (first, start) = (self.at as usize * N, self.start as usize);
        let begin = index
            .checked_sub(1)
            .map_or(0, |i| block.ends.get(first + i));
        &block.text[start + begin..start + block.ends.get(first + index)]
    }
}

impl<const N: usize> PartialEq for PackedText<N> {
    fn eq(&self, other: &Self) -> bool {
        (0..N).all(|index| self.get(index) == other.get(index))
    }
}

impl<const N: usize> Eq for PackedText<N> {}

/// Puts the texts of several rows or users into one block. Some hundreds make its own size insignificant.
#[derive(Debug, Default)]
pub struct Packer<const N: usize> {
    text: String,
    starts: Vec<u32>,
    ends: Vec<u16>,
}

impl<const N: usize> Packer<N> {
    /// Adds the texts of one; cut as by [`PackedText::new`].
    pub fn push(&mut self, parts: [&str; N]) {
        let start = self.text.len();
        for part in parts {
            let room = usize::from(u16::MAX) - (self.text.len() - start);
            self.text.push_str(&part[..part.floor_char_boundary(room)]);
            let end = u16::try_from(self.text.len() - start);
            self.ends.push(end.unwrap_or(u16::MAX));
        }
        self.starts.push(u32::try_from(start).unwrap_or(u32::MAX));
    }

    /// What was added, in that order.
    pub fn finish(self) -> impl Iterator<Item = PackedText<N>> {
        let block = Arc::new(Block {
            text: self.text.into(),
            ends: Ends::new(self.ends),
        });
        let starts = self.starts.into_iter().zip(0..);
        starts.map(move |(start, at)| PackedText {
            block: Some(Arc::clone(&block)),
            start,
            at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts<const N: usize>(packed: &PackedText<N>) -> Vec<&str> {
        (0..N).map(|index| packed.get(index)).collect()
    }

    #[test]
    fn every_part_comes_back_as_it_went_in() {
        let packed = PackedText::new(["", "añ", "", "x", ""]);
        assert_eq!(parts(&packed), ["", "añ", "", "x", ""]);
        assert_eq!(parts(&PackedText::<2>::default()), ["", ""]);
    }

    #[test]
    fn neighbours_keep_apart_whether_short_or_long() {
        for length in [0, 1, 255, 256, 300] {
            let long = "l".repeat(length);
            let mut packer = Packer::default();
            packer.push(["a", &long]);
            packer.push(["", "é"]);
            let packed: Vec<_> = packer.finish().collect();
            let all: Vec<_> = packed.iter().map(parts).collect();
            assert_eq!(all, [["a", &*long], ["", "é"]]);
            assert_eq!(packed[0], PackedText::new(["a", &long]));
            assert_ne!(packed[0], packed[1]);
        }
    }

    #[test]
    fn what_does_not_fit_is_cut_between_characters() {
        let long = "é".repeat(40_000);
        let packed = PackedText::new([long.as_str(), "tail"]);
        assert_eq!(packed.get(0).len(), 65_534);
        assert_eq!(packed.get(1), "t");
    }
}

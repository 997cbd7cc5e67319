//! Arrays of optional indices at four bytes each, and lists of indices in one allocation. They keep a plan of a million
//! rows small. Knows nothing of rows or users.

use std::ops::Range;

const NONE: u32 = u32::MAX;

/// An array of optional indices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Links(Vec<u32>);

impl Links {
    /// Returns `len` entries, none of them set.
    pub(crate) fn none(len: usize) -> Self {
        Self(vec![NONE; len])
    }

    pub(crate) fn get(&self, at: u32) -> Option<u32> {
        let to = self.0[at as usize];
        (to != NONE).then_some(to)
    }

    pub(crate) fn set(&mut self, at: u32, to: Option<u32>) {
        self.0[at as usize] = to.unwrap_or(NONE);
    }

    /// Unsets every entry.
    pub(crate) fn clear(&mut self) {
        self.0.fill(NONE);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Sets the entry unless it is set already.
    pub(crate) fn set_first(&mut self, at: u32, to: u32) {
        if self.get(at).is_none() {
            self.set(at, Some(to));
        }
    }
}

impl FromIterator<Option<u32>> for Links {
    fn from_iter<I: IntoIterator<Item = Option<u32>>>(links: I) -> Self {
        Self(links.into_iter().map(|to| to.unwrap_or(NONE)).collect())
    }
}

/// For each index a list of indices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lists {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    /// Sorts `(list, item)` pairs into `len` lists; within a list the items keep their order. Takes no memory if there
    /// are no pairs.
    pub(crate) fn collect(len: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        if pairs.clone().next().is_none() {
            return Self::default();
        }
        let mut starts = vec![0; len + 1];
        for (list, _) in pairs.clone() {
            starts[list as usize + 1] += 1;
        }
        for list in 0..len {
            starts[list + 1] += starts[list];
        }
        let mut items = vec![0; starts[len] as usize];
        for (list, item) in pairs {
            let at = &mut starts[list as usize];
            items[*at as usize] = item;
            *at += 1;
        }
        // Each start now points to the end of its list, which is the start of the next one.
        starts.copy_within(..len, 1);
        starts[0] = 0;
        Self { starts, items }
    }

    pub(crate) fn get(&self, list: u32) -> &[u32] {
        let list = list as usize;
        match self.starts.get(list..list + 2) {
            Some(&[start, end]) => &self.items[start as usize..end as usize],
            _ => &[],
        }
    }
}

/// Returns `n` as an index. The row and user limits keep it far below the 32-bit maximum.
pub(crate) fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(NONE)
}

/// Returns the indices of `all`.
pub(crate) fn indices<T>(all: &[T]) -> Range<u32> {
    0..index(all.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_first_stays_until_it_is_set_anew() {
        let mut links = Links::none(2);
        links.set_first(1, 7);
        links.set_first(1, 8);
        assert_eq!((links.get(0), links.get(1)), (None, Some(7)));
        links.set(1, None);
        assert_eq!(links.get(1), None);
    }

    #[test]
    fn every_item_comes_back_in_its_list_and_in_order() {
        let pairs = [(2, 5), (0, 1), (2, 3), (0, 9)];
        let lists = Lists::collect(4, pairs.into_iter());
        let all: Vec<&[u32]> = (0..4).map(|list| lists.get(list)).collect();
        assert_eq!(all, [&[1, 9][..], &[], &[5, 3], &[]]);
        assert_eq!(Lists::collect(4, [].into_iter()).get(3), [0; 0]);
    }
}

//! Lists in one allocation. They keep a plan of a million rows small. Knows nothing of rows or users.

use std::marker::PhantomData;

use super::numbers::{DenseIndex, to_u32};

/// For each number a list of things.
#[derive(Debug)]
pub(crate) struct ListsByIndex<I, T> {
    /// By number: the place in `items` where its list starts. The last entry is the end of the last list.
    starts: Vec<u32>,
    items: Vec<T>,
    numbers: PhantomData<I>,
}

impl<I: DenseIndex, T: Copy> ListsByIndex<I, T> {
    /// Returns no lists, with room for this many of one item each.
    pub(crate) fn with_room(lists: usize) -> Self {
        Self {
            starts: Vec::with_capacity(lists + 1),
            items: Vec::with_capacity(lists),
            numbers: PhantomData,
        }
    }

    /// Sorts `(list, item)` pairs into `len` lists; within a list the items keep their order. Takes no memory if there
    /// are no pairs.
    pub(crate) fn collect(len: usize, pairs: impl Iterator<Item = (I, T)> + Clone) -> Self {
        let Some((_, some)) = pairs.clone().next() else {
            return Self::default();
        };
        let mut starts = vec![0; len + 1];
        for (list, _) in pairs.clone() {
            starts[list.position() + 1] += 1;
        }
        for list in 0..len {
            starts[list + 1] += starts[list];
        }
        let mut items = vec![some; starts[len] as usize];
        for (list, item) in pairs {
            let at = &mut starts[list.position()];
            items[*at as usize] = item;
            *at += 1;
        }
        // Each start now points to the end of its list, which is the start of the next one.
        starts.copy_within(..len, 1);
        starts[0] = 0;
        let numbers = PhantomData;
        Self {
            starts,
            items,
            numbers,
        }
    }

    /// Adds a list after the last one.
    pub(crate) fn push(&mut self, items: impl IntoIterator<Item = T>) {
        if self.starts.is_empty() {
            self.starts.push(0);
        }
        self.items.extend(items);
        self.starts.push(to_u32(self.items.len()));
    }

    pub(crate) fn get(&self, list: I) -> &[T] {
        let list = list.position();
        match self.starts.get(list..list + 2) {
            Some(&[start, end]) => &self.items[start as usize..end as usize],
            _ => &[],
        }
    }

    /// Returns the items of all lists, in order.
    pub(crate) fn items(&self) -> &[T] {
        &self.items
    }
}

impl<I, T> Default for ListsByIndex<I, T> {
    fn default() -> Self {
        Self {
            starts: Vec::new(),
            items: Vec::new(),
            numbers: PhantomData,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::numbers::RowIndex;
    use super::*;

    fn all(lists: &ListsByIndex<RowIndex, u32>) -> Vec<&[u32]> {
        (0..4).map(|list| lists.get(RowIndex::new(list))).collect()
    }

    #[test]
    fn every_item_comes_back_in_its_list_and_in_order() {
        let pairs =
            [(2, 5), (0, 1), (2, 3), (0, 9)].map(|(list, item)| (RowIndex::new(list), item));
        let lists = ListsByIndex::collect(4, pairs.into_iter());
        assert_eq!(all(&lists), [&[1, 9][..], &[], &[5, 3], &[]]);
        assert_eq!(all(&ListsByIndex::collect(4, [].into_iter())), [[0; 0]; 4]);
    }

    #[test]
    fn lists_can_be_added_one_by_one() {
        let mut lists = ListsByIndex::default();
        lists.push([1, 9]);
        lists.push([]);
        lists.push([5]);
        assert_eq!(all(&lists), [&[1, 9][..], &[], &[5], &[]]);
        assert_eq!(lists.items(), [1, 9, 5]);
    }
}

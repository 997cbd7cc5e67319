//! Runs work on many items on all cores. Fewer than `MANY` items stay on the calling thread: handing them over takes
//! longer than the work, and a small import should not wait for the large ones of others. Knows nothing about the
//! items.

use std::iter::Map;
use std::ops::Range;

use rayon::iter::{
    FromParallelIterator, IndexedParallelIterator, IntoParallelRefIterator,
    IntoParallelRefMutIterator, ParallelIterator,
};
use rayon::slice::ParallelSliceMut;

use super::numbers::{DenseIndex, IndexVec};

/// Fewer items than this stay on the calling thread.
const MANY: usize = 1_000;

/// Returns the result of `make` for each of `items`. `make` gets each item with its number.
pub(crate) fn map<I: DenseIndex, T: Sync, R: Send>(
    items: &IndexVec<I, T>,
    make: impl Fn(I, &T) -> R + Sync,
) -> IndexVec<I, R> {
    let make = |(at, item)| make(I::new(at), item);
    match items.len() < MANY {
        true => items.iter().enumerate().map(make).collect(),
        false => Vec::from_par_iter(items.par_iter().enumerate().map(make)).into(),
    }
}

/// Joins the results of `make` for all `items`, in any order. `make` gets each item with its number.
pub(crate) fn sum<I: DenseIndex, T: Sync, R: Send + Default>(
    items: &IndexVec<I, T>,
    make: impl Fn(I, &T) -> R + Sync,
    join: impl Fn(R, R) -> R + Sync + Send,
) -> R {
    let make = |(at, item)| make(I::new(at), item);
    match items.len() < MANY {
        true => items.iter().enumerate().map(make).fold(R::default(), join),
        false => items
            .par_iter()
            .enumerate()
            .map(make)
            .reduce(R::default, join),
    }
}

/// Calls `change` on each of `items` with its number.
pub(crate) fn change<I: DenseIndex, T: Send>(
    items: &mut IndexVec<I, T>,
    change: impl Fn(I, &mut T) + Sync,
) {
    let change = |(at, item)| change(I::new(at), item);
    match items.len() < MANY {
        true => items.iter_mut().enumerate().for_each(change),
        false => items.par_iter_mut().enumerate().for_each(change),
    }
}

/// Calls `change` on the items, `size` neighbours at a time, with their numbers.
pub(crate) fn change_chunks<I: DenseIndex, T: Send>(
    items: &mut IndexVec<I, T>,
    size: usize,
    change: impl Fn(Map<Range<usize>, fn(usize) -> I>, &mut [T]) + Sync,
) {
    let count = items.len();
    let change = |(chunk, items): (usize, &mut [T])| {
        let first = chunk * size;
        let numbers = first..first + items.len();
        change(numbers.map(I::new as fn(usize) -> I), items);
    };
    match count < MANY {
        true => items.chunks_mut(size).enumerate().for_each(change),
        false => items.par_chunks_mut(size).enumerate().for_each(change),
    }
}

/// Runs two closures, in parallel if they concern many `rows`. Returns both results.
pub(crate) fn both<A: Send, B: Send>(
    rows: usize,
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    match rows < MANY {
        true => (one(), other()),
        false => rayon::join(one, other),
    }
}

#[cfg(test)]
mod tests {
    use super::super::numbers::ByRow;
    use super::*;

    #[test]
    fn many_are_done_as_few_are() {
        for count in [0, 1, MANY - 1, MANY, 3 * MANY] {
            let mut items: ByRow<usize> = (0..count).collect();
            let doubled = map(&items, |at, item| (at.position(), 2 * item));
            assert!(
                doubled
                    .iter()
                    .enumerate()
                    .all(|(i, &(at, twice))| at == i && twice == 2 * i)
            );
            change(&mut items, |at, item| *item += at.position());
            assert!(items.iter().enumerate().all(|(i, &item)| item == 2 * i));
            let summed = sum(&doubled, |at, pair| at.position() + pair.1, |a, b| a + b);
            assert_eq!(summed, (0..count).map(|i| 3 * i).sum::<usize>());
            assert_eq!((doubled.len(), items.len()), (count, count));
            assert_eq!(both(count, || 1, || 2), (1, 2));
        }
    }
}

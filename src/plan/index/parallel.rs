//! Runs work on many items on all cores. Fewer than `MANY` items stay on the calling thread: handing them over takes
//! longer than the work, and a small import should not wait for the large ones of others. Knows nothing about the
//! items.

use rayon::iter::{
    IndexedParallelIterator, IntoParallelRefIterator, IntoParallelRefMutIterator, ParallelIterator,
};
use rayon::slice::ParallelSliceMut;

use super::links::index;

/// Fewer items than this stay on the calling thread.
const MANY: usize = 1_000;

/// Returns the result of `make` for each of `items`, in their order. `make` gets each item with its index.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], make: impl Fn(u32, &T) -> R + Sync) -> Vec<R> {
    let make = |(at, item)| make(index(at), item);
    match items.len() < MANY {
        true => items.iter().enumerate().map(make).collect(),
        false => items.par_iter().enumerate().map(make).collect(),
    }
}

/// Joins the results of `make` for all `items`, in any order. `make` gets each item with its index.
pub(crate) fn sum<T: Sync, R: Send + Default>(
    items: &[T],
    make: impl Fn(u32, &T) -> R + Sync,
    join: impl Fn(R, R) -> R + Sync + Send,
) -> R {
    let make = |(at, item)| make(index(at), item);
    match items.len() < MANY {
        true => items.iter().enumerate().map(make).fold(R::default(), join),
        false => items
            .par_iter()
            .enumerate()
            .map(make)
            .reduce(R::default, join),
    }
}

/// Calls `change` on each of `items` with its index.
pub(crate) fn change<T: Send>(items: &mut [T], change: impl Fn(u32, &mut T) + Sync) {
    let change = |(at, item)| change(index(at), item);
    match items.len() < MANY {
        true => items.iter_mut().enumerate().for_each(change),
        false => items.par_iter_mut().enumerate().for_each(change),
    }
}

/// Calls `change` on the items, `size` neighbours at a time, with the index of the first.
pub(crate) fn change_chunks<T: Send>(
    items: &mut [T],
    size: usize,
    change: impl Fn(u32, &mut [T]) + Sync,
) {
    let count = items.len();
    let change = |(chunk, items): (usize, &mut [T])| change(index(chunk * size), items);
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
    use super::*;

    #[test]
    fn many_are_done_as_few_are() {
        for count in [0, 1, MANY - 1, MANY, 3 * MANY] {
            let mut items: Vec<usize> = (0..count).collect();
            let doubled = map(&items, |at, item| (at, 2 * item));
            assert!(
                doubled
                    .iter()
                    .enumerate()
                    .all(|(i, &(at, twice))| at as usize == i && twice == 2 * i)
            );
            change(&mut items, |at, item| *item += at as usize);
            assert!(items.iter().enumerate().all(|(i, &item)| item == 2 * i));
            let summed = sum(&doubled, |at, pair| (at as usize) + pair.1, |a, b| a + b);
            assert_eq!(summed, (0..count).map(|i| 3 * i).sum::<usize>());
            assert_eq!((doubled.len(), items.len()), (count, count));
            assert_eq!(both(count, || 1, || 2), (1, 2));
        }
    }
}

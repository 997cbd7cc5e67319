//! The numbers of rows, users and keys: a type for each, so that they cannot be mixed up, and vectors that only the
//! right numbers index.
//!
//! A number takes four bytes, and so does an optional one: a plan of a million rows holds a dozen vectors of them.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut, Index, IndexMut};

/// The number of a thing among things of its kind, counted from 0.
pub trait DenseIndex: Copy {
    /// Returns the number of the thing at `position`. The row and user limits keep it far below the 32-bit maximum.
    fn new(position: usize) -> Self;

    /// Returns the position of the thing.
    fn position(self) -> usize;
}

/// Defines the number of a kind of thing. It holds the position plus one, so that `None` takes no memory.
macro_rules! number {
    ($(#[$doc:meta])* $visibility:vis $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility struct $name(std::num::NonZeroU32);

        impl $crate::plan::index::DenseIndex for $name {
            #[inline]
            fn new(position: usize) -> Self {
                let position = $crate::plan::index::to_u32(position);
                Self(std::num::NonZeroU32::MIN.saturating_add(position))
            }

            #[inline]
            fn position(self) -> usize {
                self.0.get() as usize - 1
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&$crate::plan::index::DenseIndex::position(*self), f)
            }
        }
    };
}

pub(crate) use number;

number! {
    /// The number of a row in its file.
    pub RowIndex
}

number! {
    /// The number of a user in the snapshot.
    pub UserIndex
}

number! {
    /// The number of a text among the texts of one key.
    pub(crate) KeyId
}

/// A vector that numbers of one kind index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexVec<I, T> {
    all: Vec<T>,
    indices: PhantomData<I>,
}

/// One thing for each row.
pub type ByRow<T> = IndexVec<RowIndex, T>;

/// One thing for each user of the directory.
pub type ByUser<T> = IndexVec<UserIndex, T>;

/// One thing for each text of a key.
pub(crate) type ByKey<T> = IndexVec<KeyId, T>;

impl<I: DenseIndex, T> IndexVec<I, T> {
    /// Returns the numbers of all things, in order.
    pub fn indices(&self) -> impl Iterator<Item = I> + Clone + use<I, T> {
        (0..self.all.len()).map(I::new)
    }

    /// Returns all things with their numbers, in order.
    pub(crate) fn enumerate(&self) -> impl Iterator<Item = (I, &T)> + Clone {
        self.indices().zip(&self.all)
    }

    /// Returns the thing with this number, or `None` if there is none.
    pub(crate) fn get(&self, index: I) -> Option<&T> {
        self.all.get(index.position())
    }

    /// Adds a thing and returns its number.
    pub(crate) fn push(&mut self, thing: T) -> I {
        self.all.push(thing);
        I::new(self.all.len() - 1)
    }

    /// Frees the memory that was reserved for more things.
    pub(crate) fn shrink_to_fit(&mut self) {
        self.all.shrink_to_fit();
    }
}

impl<I: DenseIndex, T: Clone> IndexVec<I, T> {
    /// Returns `thing`, `len` times.
    pub(crate) fn repeat(thing: T, len: usize) -> Self {
        vec![thing; len].into()
    }
}

impl<I: DenseIndex, T: Copy> IndexVec<I, Option<T>> {
    /// Returns what is set for `index`. An empty vector has nothing set: it takes no memory.
    pub(crate) fn find(&self, index: I) -> Option<T> {
        *self.get(index)?
    }
}

impl<I, T> Default for IndexVec<I, T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<I, T> From<Vec<T>> for IndexVec<I, T> {
    fn from(all: Vec<T>) -> Self {
        let indices = PhantomData;
        Self { all, indices }
    }
}

impl<I, T> From<IndexVec<I, T>> for Vec<T> {
    fn from(things: IndexVec<I, T>) -> Self {
        things.all
    }
}

impl<I, T> FromIterator<T> for IndexVec<I, T> {
    fn from_iter<A: IntoIterator<Item = T>>(all: A) -> Self {
        Vec::from_iter(all).into()
    }
}

impl<I, T> Deref for IndexVec<I, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.all
    }
}

impl<I, T> DerefMut for IndexVec<I, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.all
    }
}

impl<I: DenseIndex, T> Index<I> for IndexVec<I, T> {
    type Output = T;

    #[inline]
    fn index(&self, index: I) -> &T {
        &self.all[index.position()]
    }
}

impl<I: DenseIndex, T> IndexMut<I> for IndexVec<I, T> {
    #[inline]
    fn index_mut(&mut self, index: I) -> &mut T {
        &mut self.all[index.position()]
    }
}

/// Returns `n` in four bytes. The row and user limits keep it far below the 32-bit maximum.
pub(crate) fn to_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_optional_number_takes_four_bytes() {
        assert_eq!(size_of::<Option<RowIndex>>(), 4);
    }

    #[test]
    fn things_come_back_by_their_numbers() {
        let mut things: ByRow<Option<UserIndex>> = ByRow::repeat(None, 2);
        let last = things.push(Some(UserIndex::new(7)));
        assert_eq!((last, last.position()), (RowIndex::new(2), 2));
        let found: Vec<_> = things.indices().map(|row| things.find(row)).collect();
        assert_eq!(found, [None, None, Some(UserIndex::new(7))]);
        assert_eq!(things.find(RowIndex::new(3)), None);
    }
}

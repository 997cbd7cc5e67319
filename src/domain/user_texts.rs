//! Stores the texts of a user: in its own allocation, or, if they are equal, in the row about the user. Most of a
//! roster repeats the directory. A million users beside a million rows therefore take little more memory than the
//! rows alone. Knows nothing about the user's other attributes.

use std::sync::Arc;

use super::row_texts::PackedRowTexts;
use super::{Column, ColumnSet, PackedTexts, Row, TextPacker};

/// The columns of the texts, and their order.
const COLUMNS: ColumnSet = Column::TEXTS;

/// Number of texts of a user.
const COUNT: usize = COLUMNS.len();

/// Returns the `text` of each column, in order.
pub(super) fn of_each<'a>(text: impl Fn(Column) -> &'a str) -> [&'a str; COUNT] {
    let mut columns = COLUMNS.iter();
    std::array::from_fn(|_| columns.next().map_or("", &text))
}

/// The texts of a user, in 16 bytes.
#[derive(Clone, Debug, Default)]
pub(super) enum UserTexts {
    /// All texts are empty.
    #[default]
    Blank,
    /// The texts are group number `at` of `texts`, which belongs to users.
    Own {
        texts: Arc<PackedTexts<COUNT>>,
        at: u32,
    },
    /// The texts are the values of a row, `""` for values that it lacks: group number `at` of `texts`.
    Rows { texts: Arc<PackedRowTexts>, at: u16 },
    /// Some texts are those of a row: entry number `at` of `texts`.
    Mixed { texts: Arc<MixedTexts>, at: u32 },
}

/// The texts of some users that differ from their rows, and the places of the shared texts.
#[derive(Debug)]
pub(super) struct MixedTexts {
    /// The texts that differ, one after the other.
    own: PackedTexts<1>,
    /// The texts of the rows, which hold the shared texts.
    rows: Vec<Arc<PackedRowTexts>>,
    /// The shared texts of each user.
    shares: Vec<SharedTexts>,
}

/// The texts that a user shares with a row, in 8 bytes.
#[derive(Debug)]
struct SharedTexts {
    /// The columns that are not shared; all columns if there is no row.
    own: ColumnSet,
    /// Number in `MixedTexts::own` of the user's first text that is not shared.
    first: u16,
    /// Index in `MixedTexts::rows` of the row's texts.
    rows: u16,
    /// Number of the row in its texts.
    at: u16,
}

impl UserTexts {
    /// Returns the text of `column`; `""` if it has none.
    pub(super) fn get(&self, column: Column) -> &str {
        let Some(index) = COLUMNS.position(column) else {
            return "";
        };
        match self {
            Self::Blank => "",
            Self::Own { texts, at } => texts.get(*at as usize, index),
            Self::Rows { texts, at } => texts.get((*at).into(), column as usize),
            Self::Mixed { texts, at } => texts.get(*at as usize, column),
        }
    }

    pub(super) fn all(&self) -> [&str; COUNT] {
        of_each(|column| self.get(column))
    }

    /// Returns the columns in which the texts differ from the values of `row`. An absent value is the same as `""`.
    pub(super) fn apart_from(&self, row: &Row) -> ColumnSet {
        self.known_apart_from(row).unwrap_or_else(|| {
            let apart = |&column: &Column| self.get(column) != row.text(column);
            COLUMNS.iter().filter(apart).collect()
        })
    }

    /// Returns the same columns without comparing texts, or `None` if the texts are not shared with `row`.
    fn known_apart_from(&self, row: &Row) -> Option<ColumnSet> {
        match self {
            Self::Blank | Self::Own { .. } => None,
            Self::Rows { texts, at } => row.has_texts(texts, *at).then_some(ColumnSet::EMPTY),
            Self::Mixed { texts, at } => {
                let share = &texts.shares[*at as usize];
                let rows = texts.rows.get(usize::from(share.rows))?;
                row.has_texts(rows, share.at).then_some(share.own)
            }
        }
    }
}

impl MixedTexts {
    fn get(&self, at: usize, column: Column) -> &str {
        let share = &self.shares[at];
        match share.own.position(column) {
            Some(before) => self.own.get(usize::from(share.first) + before, 0),
            None => self.rows[usize::from(share.rows)].get(share.at.into(), column as usize),
        }
    }
}

impl PartialEq for UserTexts {
    /// Returns `true` if the texts are equal, even if they lie in different places.
    fn eq(&self, other: &Self) -> bool {
        self.all() == other.all()
    }
}

impl Eq for UserTexts {}

/// Collects users whose texts are packed again together with those of other users.
#[derive(Default)]
struct TextRepacker<'a> {
    own: TextPacker<1>,
    rows: Vec<Arc<PackedRowTexts>>,
    shares: Vec<SharedTexts>,
    users: Vec<&'a mut UserTexts>,
}

impl<'a> TextRepacker<'a> {
    /// Most users that are mixed together: each of their texts needs a number of 16 bits.
    const MOST: usize = u16::MAX as usize / COUNT;

    /// Adds a user that keeps the texts of the columns `own` and shares the others with `row`.
    fn add(
        &mut self,
        user: &'a mut UserTexts,
        own: ColumnSet,
        row: Option<(Arc<PackedRowTexts>, u16)>,
    ) {
        if self.users.len() == Self::MOST {
            std::mem::take(self).finish();
        }
        let first = self.own.groups();
        for column in own.iter() {
            self.own.push([user.get(column)]);
        }
        let (rows, at) = match row {
            Some((texts, at)) => (self.number(texts), at),
            None => (u16::MAX, 0),
        };
        let first = u16::try_from(first).unwrap_or(u16::MAX);
        self.shares.push(SharedTexts {
            own,
            first,
            rows,
            at,
        });
        self.users.push(user);
    }

    /// Returns the index of `texts` in `rows`. Neighbouring users often share the same `texts`.
    fn number(&mut self, texts: Arc<PackedRowTexts>) -> u16 {
        let last = self.rows.last();
        if last.is_none_or(|last| !Arc::ptr_eq(last, &texts)) {
            self.rows.push(texts);
        }
        u16::try_from(self.rows.len() - 1).unwrap_or(u16::MAX)
    }

    fn finish(self) {
        let texts = Arc::new(MixedTexts {
            own: self.own.finish(),
            rows: self.rows,
            shares: self.shares,
        });
        for (user, at) in self.users.into_iter().zip(0..) {
            let texts = Arc::clone(&texts);
            *user = UserTexts::Mixed { texts, at };
        }
    }
}

/// Lets each of some hundred users share the texts that are equal in its row, and packs the other texts into one
/// allocation. The users release their previous allocations.
pub(super) fn share<'a>(users: impl Iterator<Item = (&'a mut UserTexts, Option<&'a Row>)>) {
    let mut mixer = TextRepacker::default();
    for (user, row) in users {
        let own = row.map_or(COLUMNS, |row| user.apart_from(row));
        match row.and_then(Row::texts) {
            Some((texts, at)) if own.is_empty() => {
                let texts = Arc::clone(texts);
                *user = UserTexts::Rows { texts, at };
            }
            Some((texts, at)) => mixer.add(user, own, Some((Arc::clone(texts), at))),
            None => mixer.add(user, COLUMNS, None),
        }
    }
    mixer.finish();
}

#[cfg(test)]
mod tests {
    use proptest::{array::UniformArrayStrategy, prelude::*};

    use super::*;
    use crate::domain::{RoleId, RowPacker, RowParts, User, UserPacker};

    /// The ways in which a row may give a text: absent, blank, equal, or different.
    const SAYS: [fn(&str) -> Option<String>; 5] = [
        |_| None,
        |_| Some(String::new()),
        |text| Some(text.to_owned()),
        |text| Some(text.to_uppercase()),
        |text| Some(format!("{text}ñ")),
    ];

    const LAST: usize = COUNT - 1;

    /// Returns the texts of user number `n`. The last text is empty for some users.
    fn texts(n: usize) -> [String; COUNT] {
        std::array::from_fn(|index| match (index, n % 3) {
            (LAST, 0) => String::new(),
            _ => format!("té{index}.{n}"),
        })
    }

    fn users(count: usize) -> Vec<User> {
        let mut users = UserPacker::default();
        for n in 0..count {
            let texts = texts(n);
            let texts = texts.each_ref().map(String::as_str);
            users.push(uuid::Uuid::from_u128(n as u128), RoleId(1), texts);
        }
        users.finish()
    }

    /// Returns a row for each user. `says` chooses an entry of [`SAYS`] for each text.
    fn rows(says: &[[usize; COUNT]]) -> Vec<Row> {
        let mut rows = RowPacker::default();
        for (n, says) in says.iter().enumerate() {
            let texts = texts(n);
            let said: Vec<_> = says
                .iter()
                .zip(&texts)
                .map(|(&say, text)| SAYS[say](text))
                .collect();
            let mut values = [None; Column::COUNT];
            for (column, said) in COLUMNS.iter().zip(&said) {
                values[column as usize] = said.as_deref();
            }
            values[Column::Role as usize] = Some("Officer");
            rows.push(&RowParts {
                values,
                ..RowParts::default()
            });
        }
        rows.finish()
    }

    fn read(user: &User) -> [&str; COUNT] {
        of_each(|column| user.value(column).unwrap_or_default())
    }

    /// Computes the result of [`User::apart_from`] by comparing text by text.
    fn apart(user: &User, row: &Row) -> ColumnSet {
        let pairs = COLUMNS.iter().zip(read(user));
        let apart = pairs.filter(|&(column, text)| row.value(column).unwrap_or_default() != text);
        apart.map(|(column, _)| column).collect()
    }

    proptest! {
        /// This holds for all users and rows, after users are shared again, and for users without a row.
        #[test]
        fn a_user_who_shares_with_a_row_is_the_same_user(
            says in prop::collection::vec((UniformArrayStrategy::new(0..SAYS.len()), 0..4usize), 1..12),
        ) {
            let says: Vec<[usize; COUNT]> = says.into_iter().map(|(says, kind)| match kind {
                0 => [2; COUNT],
                _ => says,
            }).collect();
            let (before, rows) = (users(says.len()), rows(&says));
            let mut users = before.clone();
            for has_row in [|_| true, |n| n % 2 == 0, |_| false, |n| n % 2 == 1] {
                let rows_of = rows.iter().enumerate();
                User::share(&mut users, rows_of.map(|(n, row)| has_row(n).then_some(row)));
                prop_assert_eq!(&users, &before);
                for (n, user) in users.iter().enumerate() {
                    prop_assert_eq!(read(user).map(str::to_owned), texts(n));
                    for row in &rows {
                        prop_assert_eq!(user.apart_from(row), apart(user, row));
                    }
                }
            }
        }
    }

    #[test]
    fn a_user_as_in_the_row_has_no_texts_of_its_own() {
        let mut differing = [2; COUNT];
        differing[LAST] = 4;
        let (mut users, rows) = (users(2), rows(&[[2; COUNT], differing]));
        User::share(&mut users, rows.iter().map(Some));
        let kinds = users.iter().map(|user| &user.texts);
        assert!(matches!(
            kinds.collect::<Vec<_>>()[..],
            [UserTexts::Rows { .. }, UserTexts::Mixed { .. }]
        ));
    }

    #[test]
    fn users_differ_where_one_text_does() {
        let one = users(1);
        for index in 0..COUNT {
            let mut says = [2; COUNT];
            says[index] = 4;
            let row = &rows(&[says])[0];
            let texts = UserTexts::Rows {
                texts: Arc::clone(row.texts().unwrap().0),
                at: 0,
            };
            let other = User {
                texts,
                ..one[0].clone()
            };
            assert_ne!(one[0], other);
        }
    }
}

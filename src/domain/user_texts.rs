//! Where the texts of a user lie: by themselves, or, as far as they are the same, in the row that is about
//! the user. Most of a roster says what the directory has already, so that a million users beside a million
//! rows take little more than the rows do.

use std::sync::Arc;

use super::row_texts::RowTexts;
use super::{Column, ColumnSet, PackedTexts, Packer, Row};

/// How many texts a user has.
pub(super) const COUNT: usize = 7;

/// The columns of these texts, in their order.
const COLUMNS: [Column; COUNT] = [
    Column::ExternalId,
    Column::Email,
    Column::BadgeNumber,
    Column::FirstName,
    Column::LastName,
    Column::Username,
    Column::Phone,
];

/// The texts of a user, in 16 bytes.
#[derive(Clone, Debug, Default)]
pub(super) enum UserTexts {
    /// All are empty.
    #[default]
    Blank,
    /// Group number `at` of these.
    Own {
        texts: Arc<PackedTexts<COUNT>>,
        at: u32,
    },
    /// The values of a row, `""` where it has none: group number `at` of these.
    Rows { texts: Arc<RowTexts>, at: u16 },
    /// Some of them those of a row: group number `at` of these.
    Mixed { texts: Arc<Mixed>, at: u32 },
}

/// The texts of some users that differ from their row's, and where the others are.
#[derive(Debug)]
pub(super) struct Mixed {
    /// Those that differ, one after the other.
    own: PackedTexts<1>,
    /// The rows' texts that the others are among.
    rows: Vec<Arc<RowTexts>>,
    /// By user.
    shares: Vec<Share>,
}

/// What a user shares with a row, in 8 bytes.
#[derive(Debug)]
struct Share {
    /// The columns that are not shared; all of them where there is no row.
    own: ColumnSet,
    /// Number of the first text that is not shared.
    first: u16,
    /// Which of the rows' texts.
    rows: u16,
    /// Which row of these.
    at: u16,
}

impl UserTexts {
    /// Text number `index`, in the order of [`COLUMNS`].
    pub(super) fn get(&self, index: usize) -> &str {
        match self {
            Self::Blank => "",
            Self::Own { texts, at } => texts.get(*at as usize, index),
            Self::Rows { texts, at } => texts.get((*at).into(), COLUMNS[index] as usize),
            Self::Mixed { texts, at } => texts.get(*at as usize, index),
        }
    }

    pub(super) fn all(&self) -> [&str; COUNT] {
        std::array::from_fn(|index| self.get(index))
    }

    /// The columns in which these are not the values of `row`; no value is the same as `""`.
    pub(super) fn apart_from(&self, row: &Row) -> ColumnSet {
        self.known_apart_from(row).unwrap_or_else(|| {
            let apart = |&index: &usize| self.get(index) != row.text(COLUMNS[index]);
            let apart = (0..COUNT).filter(apart);
            apart.map(|index| COLUMNS[index]).collect()
        })
    }

    /// The same where these are shared with that row, which answers it.
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

impl Mixed {
    fn get(&self, at: usize, index: usize) -> &str {
        let share = &self.shares[at];
        if share.own.contains(COLUMNS[index]) {
            let before = COLUMNS[..index].iter();
            let before = before.filter(|&&column| share.own.contains(column));
            self.own.get(usize::from(share.first) + before.count(), 0)
        } else {
            let row = &self.rows[usize::from(share.rows)];
            row.get(share.at.into(), COLUMNS[index] as usize)
        }
    }
}

impl PartialEq for UserTexts {
    /// Whether the texts are the same, wherever they lie.
    fn eq(&self, other: &Self) -> bool {
        self.all() == other.all()
    }
}

impl Eq for UserTexts {}

/// Puts together the texts of users anew.
#[derive(Default)]
struct Mixer<'a> {
    own: Packer<1>,
    rows: Vec<Arc<RowTexts>>,
    shares: Vec<Share>,
    users: Vec<&'a mut UserTexts>,
}

impl<'a> Mixer<'a> {
    /// As many users may be mixed together: the texts of all have numbers of 16 bits.
    const MOST: usize = u16::MAX as usize / COUNT;

    /// Adds a user who has the texts of these columns by itself, and the others with a row.
    fn add(&mut self, user: &'a mut UserTexts, own: ColumnSet, row: Option<(Arc<RowTexts>, u16)>) {
        if self.users.len() == Self::MOST {
            std::mem::take(self).finish();
        }
        let first = self.own.groups();
        for (index, &column) in COLUMNS.iter().enumerate() {
            if own.contains(column) {
                self.own.push([user.get(index)]);
            }
        }
        let (rows, at) = match row {
            Some((texts, at)) => (self.number(texts), at),
            None => (u16::MAX, 0),
        };
        let first = u16::try_from(first).unwrap_or(u16::MAX);
        self.shares.push(Share {
            own,
            first,
            rows,
            at,
        });
        self.users.push(user);
    }

    /// Which of the rows' texts these are. Neighbours tend to have them in common.
    fn number(&mut self, texts: Arc<RowTexts>) -> u16 {
        let last = self.rows.last();
        if last.is_none_or(|last| !Arc::ptr_eq(last, &texts)) {
            self.rows.push(texts);
        }
        u16::try_from(self.rows.len() - 1).unwrap_or(u16::MAX)
    }

    fn finish(self) {
        let texts = Arc::new(Mixed {
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

/// Lets the texts of each of some hundred users be those of its row, where they are the same, and puts
/// the rest into one allocation. Nothing of where they were is used any more.
pub(super) fn share<'a>(users: impl Iterator<Item = (&'a mut UserTexts, Option<&'a Row>)>) {
    let mut mixer = Mixer::default();
    for (user, row) in users {
        let own = row.map_or_else(|| COLUMNS.into_iter().collect(), |row| user.apart_from(row));
        match row.and_then(Row::texts) {
            Some((texts, at)) if own.is_empty() => {
                let texts = Arc::clone(texts);
                *user = UserTexts::Rows { texts, at };
            }
            Some((texts, at)) => mixer.add(user, own, Some((Arc::clone(texts), at))),
            None => mixer.add(user, COLUMNS.into_iter().collect(), None),
        }
    }
    mixer.finish();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{RoleId, RowPacker, RowParts, User, UserPacker};

    /// What a row may say of a text: nothing, that there is none, the same, or something else.
    const SAYS: [fn(&str) -> Option<String>; 5] = [
        |_| None,
        |_| Some(String::new()),
        |text| Some(text.to_owned()),
        |text| Some(text.to_uppercase()),
        |text| Some(format!("{text}ñ")),
    ];

    /// The texts of user number `n`: the last is empty for some.
    fn texts(n: usize) -> [String; COUNT] {
        std::array::from_fn(|index| match (index, n % 3) {
            (6, 0) => String::new(),
            _ => format!("té{index}.{n}"),
        })
    }

    fn users(count: usize) -> Vec<User> {
        let mut users = UserPacker::default();
        for n in 0..count {
            let texts = texts(n);
            let texts = texts.each_ref().map(String::as_str);
            users.add(uuid::Uuid::from_u128(n as u128), RoleId(1), texts);
        }
        users.finish()
    }

    /// A row for each user, which says of each text what [`SAYS`] makes of it.
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
            for (column, said) in COLUMNS.into_iter().zip(&said) {
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
        [
            user.external_id(),
            user.email(),
            user.badge_number(),
            user.first_name(),
            user.last_name(),
            user.username(),
            user.phone(),
        ]
    }

    /// What [`User::apart_from`] comes to, compared text by text.
    fn apart(user: &User, row: &Row) -> ColumnSet {
        let pairs = COLUMNS.into_iter().zip(read(user));
        let apart = pairs.filter(|&(column, text)| row.value(column).unwrap_or_default() != text);
        apart.map(|(column, _)| column).collect()
    }

    proptest! {
        /// However users and rows differ, users are shared anew, or some have no row.
        #[test]
        fn a_user_who_shares_with_a_row_is_the_same_user(
            says in prop::collection::vec((prop::array::uniform7(0..SAYS.len()), 0..4usize), 1..12),
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
        let (mut users, rows) = (users(2), rows(&[[2; COUNT], [2, 2, 2, 2, 2, 2, 4]]));
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

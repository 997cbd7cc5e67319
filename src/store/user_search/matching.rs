//! What a search does with the users that the database returned: it keeps those that contain the text, and puts them in
//! order. The databases fold case differently, so neither is left to them.

use super::{SEPARATOR, USER_SEPARATOR, UserOrder, UserQuery};
use crate::{
    domain::{Column, Status, fold},
    store::StoredUser,
};

/// Between the parts of a key that has several. It sorts before all other characters that a value may have.
const PARTS: &str = "  ";

/// A user that passes the filter.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FoundKey {
    /// In the order that was asked for.
    pub(super) key: String,
    pub(super) external_id: String,
}

impl UserOrder {
    /// The key of a user in this order.
    pub(in crate::store) fn key_of(self, record: &StoredUser) -> String {
        let user = &record.user;
        let is_active = user.status == Status::Active;
        self.key(is_active, |column| user.value(column).unwrap_or_default())
    }

    /// Returns the key of a user, made from the user's status and texts. No two users have the same key.
    fn key<'a>(self, is_active: bool, text: impl Fn(Column) -> &'a str) -> String {
        let comparable = |column: Column| column.comparable(text(column)).into_owned();
        match self {
            Self::ExternalId => comparable(Column::ExternalId),
            Self::Email => comparable(Column::Email),
            Self::BadgeNumber => comparable(Column::BadgeNumber),
            Self::Username => comparable(Column::Username),
            Self::LastName => {
                let names = [Column::LastName, Column::FirstName].map(|column| fold(text(column)));
                let [last, first] = &names;
                [last, first, text(Column::ExternalId)].join(PARTS)
            }
            Self::Status => {
                let status = if is_active { "0" } else { "1" };
                [status, text(Column::ExternalId)].join(PARTS)
            }
        }
    }
}

/// Returns the `users` that contain the text of the filter, in order. Each user is given as joined texts, beginning
/// with the status. The text contains no separator, and so never matches across two texts.
pub(super) fn matching(users: &str, query: &UserQuery) -> Vec<FoundKey> {
    let users = users.split(USER_SEPARATOR).filter(|user| !user.is_empty());
    let matching = users.filter_map(|user| {
        let (active, texts) = user.split_once(SEPARATOR)?;
        if !contains_folded([texts], &query.filter.text) {
            return None;
        }
        let text = |column: Column| {
            let at = Column::SEARCHED.position(column);
            at.and_then(|at| texts.split(SEPARATOR).nth(at))
                .unwrap_or_default()
        };
        Some(FoundKey {
            key: query.order.key(active == "1", text),
            external_id: text(Column::ExternalId).to_owned(),
        })
    });
    let mut found: Vec<FoundKey> = matching.collect();
    if !query.order.is_sorted_here() {
        sort_by_key(&mut found, query.descending);
    }
    found
}

/// Sorts all users that were found, and leaves out those before the page.
pub(super) fn sort(found: &mut Vec<FoundKey>, query: &UserQuery) {
    sort_by_key(found, query.descending);
    let after = &query.after;
    if !after.is_empty() {
        found.retain(|user| match query.descending {
            false => user.key > *after,
            true => user.key < *after,
        });
    }
}

fn sort_by_key(found: &mut [FoundKey], descending: bool) {
    found.sort_unstable_by(|one, other| match descending {
        false => one.key.cmp(&other.key),
        true => other.key.cmp(&one.key),
    });
}

/// Returns `true` if one of `texts` contains `text`, which is case-folded.
#[must_use]
pub(crate) fn contains_folded<'a>(texts: impl IntoIterator<Item = &'a str>, text: &str) -> bool {
    text.is_empty() || texts.into_iter().any(|value| fold(value).contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::UserFilter;

    /// Users as the database joins them: active, external ID, email, badge number, first and last name, username.
    fn joined(users: &[[&str; 7]]) -> String {
        let users = users.iter().map(|user| user.join(&SEPARATOR.to_string()));
        users.collect::<Vec<_>>().join(&USER_SEPARATOR.to_string())
    }

    fn found(order: UserOrder, descending: bool, text: &str) -> Vec<String> {
        let users = joined(&[
            ["1", "B", "Zoe@pd.example", "2", "Ana", "li wei", "u3"],
            ["0", "A", "ada@pd.example", "3", "Zed", "Li", "U1"],
            ["1", "C", "bob@pd.example", "1", "ana", "LI", "u2"],
        ]);
        let query = UserQuery {
            filter: UserFilter {
                text: text.to_owned(),
                ..UserFilter::default()
            },
            order,
            descending,
            ..UserQuery::default()
        };
        let mut found = matching(&users, &query);
        sort(&mut found, &query);
        found.into_iter().map(|found| found.external_id).collect()
    }

    #[test]
    fn users_are_in_the_order_that_was_asked_for() {
        for (order, expected) in [
            (UserOrder::ExternalId, "ABC"),
            (UserOrder::Email, "ACB"),
            (UserOrder::BadgeNumber, "CBA"),
            (UserOrder::Username, "ACB"),
            (UserOrder::LastName, "CAB"),
            (UserOrder::Status, "BCA"),
        ] {
            assert_eq!(found(order, false, "").concat(), expected, "{order:?}");
            let reversed: String = expected.chars().rev().collect();
            assert_eq!(found(order, true, "").concat(), reversed, "{order:?}");
        }
    }

    #[test]
    fn a_text_is_found_in_texts_alone() {
        assert_eq!(
            found(UserOrder::ExternalId, false, "pd.example").concat(),
            "ABC"
        );
        assert_eq!(found(UserOrder::ExternalId, false, "wei").concat(), "B");
        // Whether a user is active is no text.
        assert_eq!(found(UserOrder::ExternalId, false, "0").concat(), "");
    }
}

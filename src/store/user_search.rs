//! Lists of users: filtered, in an order, page by page.
//!
//! A page begins after a key, which is the key of the last user of the page before. It is found through an index; each
//! kind of key has an index. Other orders, and the count of a search, look at no more users than a search does.

use std::collections::HashMap;

use sea_orm::Value;
use tokio::task::spawn_blocking;

use super::{LanePermit, Store, StoreError, StoredUser, sql, user_reader::selected_texts};
use crate::domain::{Column, GroupId, RoleId, Status, fold};

/// Which users to list. Every condition that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Only active, or only inactive ones.
    pub active: Option<bool>,
    /// Only users with this role.
    pub role: Option<RoleId>,
    /// Only users in this group.
    pub group: Option<GroupId>,
    /// Only protected users, or only those who are not.
    pub protected: Option<bool>,
    /// Only users with a text that contains this case-folded text; empty means all users.
    pub text: String,
}

/// An order of users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserOrder {
    /// By external ID.
    #[default]
    ExternalId,
    /// By email, without case.
    Email,
    /// By badge number.
    BadgeNumber,
    /// By username, without case.
    Username,
    /// By last name, first name and external ID, without case.
    LastName,
    /// Active ones first, then by external ID.
    Status,
}

/// A page of users to find.
#[derive(Clone, Debug, Default)]
pub struct UserQuery {
    /// Which users.
    pub filter: UserFilter,
    /// In which order.
    pub order: UserOrder,
    /// The other way round.
    pub descending: bool,
    /// The key after which the page begins; empty: at the first user.
    pub after: String,
    /// Most users that it has.
    pub limit: usize,
    /// Count all users that pass the filter, if this is the first page.
    pub counts: bool,
}

/// Users that have been found.
#[derive(Clone, Debug, Default)]
pub struct UserPage {
    /// In the order that was asked for, each with its key in that order.
    pub users: Vec<(String, StoredUser)>,
    /// The key after which to continue, if the search stopped before it had found enough users or looked at all of
    /// them.
    pub stopped_at: Option<String>,
    /// How many users pass the filter, if they were counted and are not too many.
    pub total: Option<u32>,
}

/// Users that one step of a search looks at.
const SEARCH_STEP: usize = 2_000;

/// Users that one call looks at, so that its cost does not depend on the size of the organisation.
const MAX_SEARCHED: usize = 20_000;

/// Most users of an organisation that are counted through an index, without looking at them.
const MAX_COUNTED: u32 = 200_000;

/// Between the texts of a user, and between users; no value has a control character (semantics §2).
const SEPARATOR: char = '\u{1F}';
const USER_SEPARATOR: char = '\u{1E}';

/// Between the parts of a key that has several. It sorts before all other characters that a value may have.
const PARTS: &str = "  ";

impl UserOrder {
    /// The column of the table that has the keys, and an index on them. `None` if there is no index.
    const fn indexed(self) -> Option<&'static str> {
        match self {
            Self::ExternalId => Some("external_id"),
            Self::Email => Some("email_key"),
            Self::BadgeNumber => Some("badge_number"),
            Self::Username => Some("username_key"),
            Self::LastName | Self::Status => None,
        }
    }

    /// Returns `true` if pages in this order need all users of the organisation at once.
    #[must_use]
    pub const fn is_sorted_here(self) -> bool {
        self.indexed().is_none()
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

impl Store {
    /// Returns a page of users. With a filter, or in an order without an index, it looks at `MAX_SEARCHED` users at most,
    /// in steps between which other organisations have their turns.
    ///
    /// # Errors
    /// Fails if the database fails, and as [`LanePermit::read_turn`].
    pub async fn users(
        &self,
        share: &LanePermit,
        organization: i64,
        query: &UserQuery,
    ) -> Result<UserPage, StoreError> {
        match query.order.indexed() {
            Some(column) if query.filter == UserFilter::default() => {
                self.list_users(share, organization, query, column).await
            }
            _ => self.search_users(share, organization, query).await,
        }
    }

    async fn list_users(
        &self,
        share: &LanePermit,
        organization: i64,
        query: &UserQuery,
        column: &str,
    ) -> Result<UserPage, StoreError> {
        let _turn = share.read_turn().await?;
        let (direction, limit) = (SortDirection::of(query), query.limit);
        let next = format!(
            "{} ORDER BY {column} {} LIMIT {limit}",
            direction.after(column, "$2", &query.after),
            direction.sorting()
        );
        let after = (!query.after.is_empty()).then(|| Value::from(&query.after));
        let users = self.read_records(organization, &next, after).await?;
        let keyed = users
            .into_iter()
            .map(|user| (query.order.key_of(&user), user));
        Ok(UserPage {
            users: keyed.collect(),
            stopped_at: None,
            total: match query.counts && query.after.is_empty() {
                true => self.count_users(organization).await?,
                false => None,
            },
        })
    }

    /// Returns how many users an organisation has, or `None` if they are too many to count.
    async fn count_users(&self, organization: i64) -> Result<Option<u32>, StoreError> {
        let sql = format!(
            "SELECT count(*) FROM (SELECT external_id FROM users WHERE organization_id = $1 LIMIT {}) AS counted",
            MAX_COUNTED + 1
        );
        let row = sql::query_one(&self.db, sql, [organization.into()]).await?;
        let count: Option<i64> = row.map(|row| row.try_get_by_index(0)).transpose()?;
        let count = count.and_then(|count| u32::try_from(count).ok());
        Ok(count.filter(|count| *count <= MAX_COUNTED))
    }

    async fn search_users(
        &self,
        share: &LanePermit,
        organization: i64,
        query: &UserQuery,
    ) -> Result<UserPage, StoreError> {
        let is_sorted_here = query.order.is_sorted_here();
        let counts = query.counts && query.after.is_empty();
        let mut found = Vec::new();
        let mut after = match is_sorted_here {
            true => String::new(),
            false => query.after.clone(),
        };
        let mut stopped_at = None;
        let mut is_complete = false;
        for looked_at in (SEARCH_STEP..).step_by(SEARCH_STEP) {
            let _turn = share.read_turn().await?;
            let step = self.search_step(organization, query, &after).await?;
            found.extend(step.found);
            is_complete = !step.has_more;
            if is_complete || (found.len() >= query.limit && !counts && !is_sorted_here) {
                break;
            }
            after = step.last;
            if looked_at >= MAX_SEARCHED {
                stopped_at = Some(after);
                break;
            }
        }
        if is_sorted_here && !is_complete {
            return Ok(UserPage {
                stopped_at,
                ..UserPage::default()
            });
        }
        let total = u32::try_from(found.len())
            .ok()
            .filter(|_| counts && is_complete);
        if is_sorted_here {
            sort(&mut found, query);
        }
        if found.len() >= query.limit {
            stopped_at = None;
        }
        found.truncate(query.limit);
        let _turn = share.read_turn().await?;
        let users = self.users_in_order(organization, found).await?;
        Ok(UserPage {
            users,
            stopped_at,
            total,
        })
    }

    /// Looks at the next users after `after`.
    async fn search_step(
        &self,
        organization: i64,
        query: &UserQuery,
        after: &str,
    ) -> Result<SearchStep, StoreError> {
        let column = query.order.indexed().unwrap_or("external_id");
        let direction = match query.order.is_sorted_here() {
            true => SortDirection::Ascending,
            false => SortDirection::of(query),
        };
        let sql = format!(
            "SELECT {last}(key), count(*), string_agg(texts, $3) FILTER (WHERE {condition}) FROM (SELECT \
            {column} AS key, active, role_id, group_id, protected, \
            concat_ws($2, CASE WHEN active THEN '1' ELSE '0' END, {texts}) AS texts FROM users \
            WHERE organization_id = $1 AND {after} ORDER BY {column} {sorting} LIMIT {SEARCH_STEP}) AS step",
            last = direction.last(),
            condition = query.filter.condition(),
            texts = selected_texts(Column::SEARCHED),
            after = direction.after(column, "$4", after),
            sorting = direction.sorting(),
        );
        let values = [
            organization.into(),
            SEPARATOR.to_string().into(),
            USER_SEPARATOR.to_string().into(),
        ];
        let after = (!after.is_empty()).then(|| Value::from(after));
        let Some(row) = sql::query_one(&self.db, sql, values.into_iter().chain(after)).await?
        else {
            return Ok(SearchStep::default());
        };
        let last: Option<String> = row.try_get_by_index(0)?;
        let looked_at: i64 = row.try_get_by_index(1)?;
        let users: Option<String> = row.try_get_by_index(2)?;
        let (users, query) = (users.unwrap_or_default(), query.clone());
        // Folding long texts that are not ASCII takes a while.
        let matching = spawn_blocking(move || matching(&users, &query));
        Ok(SearchStep {
            found: matching.await.map_err(StoreError::encoding)?,
            last: last.unwrap_or_default(),
            has_more: usize::try_from(looked_at).is_ok_and(|looked_at| looked_at == SEARCH_STEP),
        })
    }

    /// Returns the users that were found, in the same order. A user who has gone since is left out.
    async fn users_in_order(
        &self,
        organization: i64,
        found: Vec<FoundKey>,
    ) -> Result<Vec<(String, StoredUser)>, StoreError> {
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let bound: Vec<String> = (2..found.len() + 2)
            .map(|number| format!("${number}"))
            .collect();
        let these = format!("external_id IN ({})", bound.join(", "));
        let ids = found.iter().map(|found| Value::from(&found.external_id));
        let ids: Vec<Value> = ids.collect();
        let users = self.read_records(organization, &these, ids).await?;
        let mut by_id: HashMap<String, StoredUser> = users
            .into_iter()
            .map(|record| (record.user.external_id().to_owned(), record))
            .collect();
        let users = found.into_iter().filter_map(|found| {
            let record = by_id.remove(&found.external_id)?;
            Some((found.key, record))
        });
        Ok(users.collect())
    }
}

impl UserOrder {
    /// The key of a user in this order.
    fn key_of(self, record: &StoredUser) -> String {
        let user = &record.user;
        let is_active = user.status == Status::Active;
        self.key(is_active, |column| user.value(column).unwrap_or_default())
    }
}

/// Which way an order goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SortDirection {
    Ascending,
    Descending,
}

impl SortDirection {
    const fn of(query: &UserQuery) -> Self {
        match query.descending {
            false => Self::Ascending,
            true => Self::Descending,
        }
    }

    const fn sorting(self) -> &'static str {
        match self {
            Self::Ascending => "ASC",
            Self::Descending => "DESC",
        }
    }

    /// The aggregate that returns the last key of a step.
    const fn last(self) -> &'static str {
        match self {
            Self::Ascending => "max",
            Self::Descending => "min",
        }
    }

    /// The condition on users that come after a key, which is bound to `place` unless it is empty.
    fn after(self, column: &str, place: &str, key: &str) -> String {
        match (self, key) {
            (_, "") => "1 = 1".to_owned(),
            (Self::Ascending, _) => format!("{column} > {place}"),
            (Self::Descending, _) => format!("{column} < {place}"),
        }
    }
}

/// The result of one step of a search.
#[derive(Default)]
struct SearchStep {
    /// In order.
    found: Vec<FoundKey>,
    /// Key of the last user that was looked at.
    last: String,
    /// There may be more users.
    has_more: bool,
}

/// A user that passes the filter.
#[derive(Debug, PartialEq, Eq)]
struct FoundKey {
    /// In the order that was asked for.
    key: String,
    external_id: String,
}

impl UserFilter {
    /// The conditions that the database checks.
    fn condition(&self) -> String {
        let is = |column: &str, wanted: bool| match wanted {
            true => column.to_owned(),
            false => format!("NOT {column}"),
        };
        let active = self.active.map(|active| is("active", active));
        let protected = self.protected.map(|protected| is("protected", protected));
        let role = self.role.map(|role| format!("role_id = {}", role.0));
        let group = self
            .group
            .map(|group| format!("group_id = {}", group.get()));
        let conditions = [active, protected, role, group].into_iter().flatten();
        let conditions: Vec<_> = conditions.collect();
        match conditions.is_empty() {
            true => "1 = 1".to_owned(),
            false => conditions.join(" AND "),
        }
    }
}

/// Returns the `users` that contain the text of the filter, in order. Each user is given as joined texts, beginning
/// with the status. The text is compared here, since the databases fold case differently. It contains no separator, and
/// so never matches across two texts.
fn matching(users: &str, query: &UserQuery) -> Vec<FoundKey> {
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
fn sort(found: &mut Vec<FoundKey>, query: &UserQuery) {
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

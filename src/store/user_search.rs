//! Lists of users: filtered, in an order, page by page.
//!
//! A page begins after a key, which is the key of the last user of the page before. It is found through an index; each
//! kind of key has an index. Other orders, and the count of a search, look at no more users than a search does.

mod matching;

use std::collections::HashMap;

use sea_orm::Value;
use tokio::task::spawn_blocking;

use super::{LanePermit, Store, StoreError, StoredUser, sql, user_reader::selected_texts};
use crate::domain::{Column, GroupId, RoleId};

pub(crate) use matching::contains_folded;

use matching::{FoundKey, matching, sort};

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

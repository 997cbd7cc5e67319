//! The users that a plan of some rows looks at: a plan on these users alone equals the plan on everybody (semantics
//! §14). Knows the rows. The reader of the users adds everybody above them.
//!
//! These are all look-ups of a plan in the directory. A new one belongs here too.
//!
//! | look-up | where | found by |
//! |---|---|---|
//! | the user that a row matches | `matching` | external ID, as read and as written, even if it failed its check; the key of `match_by`; in an undo the ID |
//! | the holder of a key that a row gives | `roster`, `judge::uniqueness`, `order`, `report::final_state_findings` | the key |
//! | the holder of a supervisor's email | `roster`, `judge::supervisors`, `report::final_state_findings` | the email, as read and as written |
//! | everybody above a user | `judge::cycles`, `judge::permissions`, `order::sequence`, values before | the reader adds them |
//! | users whose key a row has with other zeros | `zero_padded` | the key without zeros |
//! | users whose external ID a row has in another case | `other_case` | [`small_forms`] |
//! | users whose key a row has with an export artefact | `judge::damaged_values` | [`Row::without_artifacts`], with other zeros |
//! | users who have a row's key with typographic characters | `judge::typographic_keys` | [`in_typography`] |
//! | the user whose key a supervisor's cell names | `judge::supervisor_names` | [`keys_named`] |
//! | emails near to a supervisor's | `report::advice` | [`unknown_emails`], [`one_edit_away`] |
//! | the Active reports of a user who goes Inactive | `report::consequences` | [`reports_of`](SecondSelection::reports_of) |
//! | an Active user of a role that another leaves | `report::consequences` | [`role_users`](SecondSelection::role_users) |
//!
//! A key that does not match the organisation's pattern is looked up without zeros too, but only for the users that are
//! missing from the file. Those are looked for among all users.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use hashbrown::HashMap;
use uuid::Uuid;

use super::keys::Key;
use super::matching::{RowMatching, match_rows};
use super::named_supervisors::{keys_named, unknown_emails};
use super::numbers::{ByRow, ByUser, UserIndex};
use super::undone::UndoneChange;
use crate::domain::{
    Catalog, Column, RoleId, Row, Status, User, UserKeys, fold, in_typography, one_edit_away,
    small_forms, strip_leading_zeros,
};

/// Chooses the users that a plan of some rows looks at, in two steps.
#[derive(Clone, Debug)]
pub struct UserSelection {
    rows: Arc<ByRow<Row>>,
    matching: RowMatching,
}

/// The users that a plan of some rows looks at, besides those who have one of the [first](UserSelection::first) keys.
#[derive(Debug)]
pub struct SecondSelection {
    /// The users who are known already.
    pub known: Vec<User>,
    /// Further keys to look up.
    pub keys: UserKeys,
    /// The most users that the rows can make Inactive.
    pub going_inactive: u32,
    /// The users that the rows can make Inactive: their Active reports are read.
    pub reports_of: Vec<Uuid>,
    /// The roles that Active users can leave because of the rows, each with a number of Active users to read. This is
    /// one more than can leave the role, so that one is left if the directory has another.
    pub role_users: Vec<(RoleId, u32)>,
}

impl UserSelection {
    /// Chooses for these rows, which find their users in this way.
    #[must_use]
    pub const fn new(rows: Arc<ByRow<Row>>, matching: RowMatching) -> Self {
        Self { rows, matching }
    }

    /// Returns the keys that the rows have or name.
    #[must_use]
    pub fn first(&self) -> UserKeys {
        let mut keys = UserKeys::default();
        for row in self.rows.iter() {
            let id = Column::ExternalId;
            let ids = [row.written(id), row.value(id)].into_iter().flatten();
            let ids = ids.filter(|id| !id.is_empty()).map(str::to_owned);
            keys.external_ids.extend(ids);
            for key in Key::MOVABLE {
                if let Some(text) = row.sound(key.column()) {
                    add(&mut keys, key, key.comparable(text).into_owned());
                }
            }
            if let Some(change) = self.change(row) {
                let ids = [Some(change.left.id), change.supervisor];
                keys.ids
                    .extend(ids.iter().flatten().map(|id| id.simple().to_string()));
            }
            let supervisor = Column::SupervisorEmail;
            let written = row.sound(supervisor).and(row.written(supervisor));
            for named in written.into_iter().chain(row.sound(supervisor)) {
                add(
                    &mut keys,
                    Key::Email,
                    Key::Email.comparable(named).into_owned(),
                );
            }
        }
        keys.tidy()
    }

    /// Looks at the users who have one of the [first](Self::first) keys, and returns the further look-ups that the rows
    /// need.
    #[must_use]
    pub fn second(&self, known: Vec<User>, catalog: &Catalog) -> SecondSelection {
        let known = ByUser::from(known);
        let matched = match_rows(&known, &self.rows, &self.matching);
        let reports_of = self.going_inactive(&known, &matched);
        SecondSelection {
            keys: self.further_keys(&known, &matched),
            going_inactive: super::to_u32(reports_of.len()),
            role_users: self.role_users(&known, &matched, catalog),
            reports_of,
            known: known.into(),
        }
    }

    /// Returns the change that a row of an undo reverses.
    fn change(&self, row: &Row) -> Option<&UndoneChange> {
        self.matching.undone()?.of(row.number)
    }

    /// Returns the IDs of users that an undo leaves alone because they have been edited, to look up which import that
    /// was.
    #[must_use]
    pub fn edited(&self, users: &[User]) -> Vec<Uuid> {
        let Some(undone) = self.matching.undone() else {
            return Vec::new();
        };
        let changes = self.rows.iter().filter_map(|row| undone.of(row.number));
        let changes: HashMap<Uuid, &UndoneChange> =
            changes.map(|change| (change.left.id, change)).collect();
        let is_edited = |user: &&User| {
            let change = changes.get(&user.id);
            change.is_some_and(|change| change.edited(user).is_some())
        };
        users.iter().filter(is_edited).map(|user| user.id).collect()
    }

    /// Returns the keys that are looked up because of the users who are known. Empty for most rows about users of the
    /// directory.
    fn further_keys(&self, users: &ByUser<User>, matched: &ByRow<Option<UserIndex>>) -> UserKeys {
        let mut keys = UserKeys::default();
        for (row, &user) in self.rows.iter().zip(matched.iter()) {
            add_similar(&mut keys, row, user.map(|user| &users[user]));
        }
        let emails: HashSet<_> = users
            .iter()
            .map(|user| Key::Email.comparable(user.email()))
            .collect();
        for row in self.rows.iter() {
            let Some(cell) = row.sound(Column::SupervisorEmail) else {
                continue;
            };
            if !emails.contains(&Key::Email.comparable(cell)) {
                for (key, text) in keys_named(cell) {
                    add(&mut keys, key, text);
                }
            }
        }
        for email in unknown_emails(&self.rows, |email| emails.contains(email)) {
            keys.emails.extend(one_edit_away(&email));
        }
        keys.tidy()
    }

    /// Returns the rows whose user is Active, with that user.
    fn of_active<'a>(
        &'a self,
        users: &'a ByUser<User>,
        matched: &'a ByRow<Option<UserIndex>>,
    ) -> impl Iterator<Item = (&'a Row, &'a User)> {
        let rows = self.rows.iter().zip(matched.iter());
        let users = rows.filter_map(|(row, user)| Some((row, &users[(*user)?])));
        users.filter(|(_, user)| user.status == Status::Active)
    }

    /// Returns the users that the rows can make Inactive, one for each such row.
    fn going_inactive(
        &self,
        users: &ByUser<User>,
        matched: &ByRow<Option<UserIndex>>,
    ) -> Vec<Uuid> {
        let rows = self.of_active(users, matched);
        let going = rows.filter(|(row, _)| row.status() == Some(Status::Inactive));
        going.map(|(_, user)| user.id).collect()
    }

    /// Returns the roles that Active users can leave, each with one more than can leave it. A name that the catalog has
    /// in another spelling may be another role.
    fn role_users(
        &self,
        users: &ByUser<User>,
        matched: &ByRow<Option<UserIndex>>,
        catalog: &Catalog,
    ) -> Vec<(RoleId, u32)> {
        let mut counts: BTreeMap<RoleId, u32> = BTreeMap::new();
        for (row, user) in self.of_active(users, matched) {
            let given = row.sound(Column::Role);
            let keeps = |given| {
                let role = catalog.role(user.role);
                role.is_some_and(|role| fold(&role.name) == fold(given))
            };
            if row.status() == Some(Status::Inactive) || !given.is_some_and(keeps) {
                *counts.entry(user.role).or_insert(1) += 1;
            }
        }
        counts.into_iter().collect()
    }
}

fn add(keys: &mut UserKeys, key: Key, text: String) {
    let list = match key {
        Key::ExternalId => &mut keys.external_ids,
        Key::Email => &mut keys.emails,
        Key::BadgeNumber => &mut keys.badge_numbers,
        Key::Username => &mut keys.usernames,
    };
    list.push(text);
}

/// Adds the keys of users who may have the key that `row` means with other zeros, in another case, with typographic
/// characters or without an export artefact. `user` is the user that the row matches.
fn add_similar(keys: &mut UserKeys, row: &Row, user: Option<&User>) {
    for key in [Key::ExternalId, Key::BadgeNumber, Key::Username] {
        // A value that its user has already stands, even if it failed its check.
        let column = key.column();
        let stands = || {
            row.value(column)
                .filter(|_| user.is_some_and(|user| row.says(column, key.of(user))))
        };
        let Some(text) = row.sound(column).or_else(stands) else {
            continue;
        };
        if user.is_none_or(|user| key.of(user) != text) {
            add_bare(keys, key, text);
            add_typographic(keys, key, text);
            if let Some(typed) = row.as_typed(column) {
                add_typographic(keys, key, &typed);
            }
        }
        if row.is_suspect() {
            for text in row.without_artifacts(column) {
                add_bare(keys, key, &text);
                add(keys, key, key.comparable(&text).into_owned());
            }
        }
    }
    if user.is_none()
        && let Some(id) = row.sound(Column::ExternalId)
    {
        let forms = small_forms(id);
        keys.external_ids.extend_from_slice(&forms);
        keys.small_external_ids.extend(forms);
    }
}

/// Adds the forms of a key with typographic characters.
fn add_typographic(keys: &mut UserKeys, key: Key, text: &str) {
    for form in in_typography(&key.comparable(text)) {
        add(keys, key, key.comparable(&form).into_owned());
    }
}

/// Adds a key that may have other zeros. In usernames zeros count: they are not numbers.
fn add_bare(keys: &mut UserKeys, key: Key, text: &str) {
    let bare = strip_leading_zeros(text).to_owned();
    match key {
        Key::ExternalId => keys.bare_external_ids.push(bare),
        Key::BadgeNumber => keys.bare_badge_numbers.push(bare),
        Key::Email | Key::Username => {}
    }
}

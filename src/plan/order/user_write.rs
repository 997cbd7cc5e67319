//! The values that a plan writes for a row's user, and their form in reports. Reads a finished plan, not the judgement.

use std::borrow::Cow;

use uuid::Uuid;

use crate::domain::{Column, GroupId, RankId, RoleId, Row, Status, User};
use crate::plan::index::index;
use crate::plan::index::{email_key, fold};
use crate::plan::index::{resulting, stored};
use crate::plan::report::{Outcome, Supervisor};
use crate::plan::{Plan, Request};

/// All values that the user of a created or updated row has after the import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserWrite<'a> {
    /// The user as the plan found it. `None` means a new user.
    pub user: Option<&'a User>,
    /// The row's external ID, or a generated one.
    pub external_id: Cow<'a, str>,
    /// As the row writes it.
    pub email: &'a str,
    /// The email in the form that is compared.
    pub email_key: Cow<'a, str>,
    /// As the row writes it.
    pub badge_number: &'a str,
    /// Given name.
    pub first_name: &'a str,
    /// Family name.
    pub last_name: &'a str,
    /// Active or inactive.
    pub status: Status,
    /// As the row writes it.
    pub username: &'a str,
    /// The username in the form that is compared.
    pub username_key: Cow<'a, str>,
    /// Role.
    pub role: RoleId,
    /// Rank.
    pub rank: Option<RankId>,
    /// Group.
    pub group: Option<GroupId>,
    /// Supervisor.
    pub supervisor: Supervisor,
    /// In E.164 format. Empty if there is none.
    pub phone: &'a str,
}

/// Returns the external ID that a row without one gives its new user: a `UUIDv5` of import and row. It is the same on
/// every attempt (semantics §4). `row_number` counts from 1.
#[must_use]
pub(crate) fn generated_external_id(import_id: Uuid, row_number: u32) -> String {
    Uuid::new_v5(&import_id, row_number.to_string().as_bytes()).to_string()
}

/// Returns the external ID of the user that `row` creates.
pub(crate) fn new_external_id(row: &Row, import_id: Uuid) -> Cow<'_, str> {
    match row.value(Column::ExternalId).unwrap_or_default() {
        "" => generated_external_id(import_id, row.number).into(),
        given => given.into(),
    }
}

impl Plan {
    /// Returns the values that row number `row` (an index) writes. They are meaningful only if the row is created or
    /// updated. `request` is the one that was planned.
    #[must_use]
    pub fn write<'a>(&self, request: &Request<'a>, row: usize) -> UserWrite<'a> {
        let decision = &self.decisions[row];
        let data = &request.rows[row];
        let user = user_of(row, request);
        let text = |column| resulting(data, user, column);
        UserWrite {
            user,
            external_id: match user {
                Some(user) if !decision.changes.contains(Column::ExternalId) => {
                    user.external_id().into()
                }
                _ => new_external_id(data, request.import_id),
            },
            email: text(Column::Email),
            email_key: email_key(text(Column::Email)),
            badge_number: text(Column::BadgeNumber),
            first_name: text(Column::FirstName),
            last_name: text(Column::LastName),
            status: Status::parse(text(Column::Status)).unwrap_or(Status::Active),
            username: text(Column::Username),
            username_key: fold(text(Column::Username)),
            role: decision.role,
            rank: decision.rank,
            group: decision.group,
            supervisor: decision.supervisor,
            phone: text(Column::Phone),
        }
    }

    /// Returns the values of `column` before and after row number `row` (an index), as a roster would write them.
    /// `None` means blank. They are meaningful only if the decision has `column` among its changes.
    #[must_use]
    pub fn change_values<'a>(
        &self,
        request: &Request<'a>,
        row: usize,
        column: Column,
    ) -> (Option<Cow<'a, str>>, Option<Cow<'a, str>>) {
        let before = self.before(request, row, column);
        let after = self.after(request, row, column);
        let unless_blank = |text: Cow<'a, str>| (!text.is_empty()).then_some(text);
        (
            before.map(Cow::from).and_then(unless_blank),
            after.and_then(unless_blank),
        )
    }

    /// Returns the external ID of the user that row number `row` (an index) is about, or `None` if it is not known.
    #[must_use]
    pub fn external_id<'a>(&self, request: &Request<'a>, row: usize) -> Option<Cow<'a, str>> {
        let decision = &self.decisions[row];
        if decision.outcome == Outcome::Unchanged
            && let Some(original) = self.copies.original(index(row))
        {
            return self.external_id(request, original as usize);
        }
        let data = &request.rows[row];
        match user_of(row, request) {
            Some(_) if decision.changes.contains(Column::ExternalId) => {
                data.sound(Column::ExternalId).map(Cow::from)
            }
            Some(user) => Some(user.external_id().into()),
            None if decision.outcome == Outcome::Created => {
                Some(new_external_id(data, request.import_id))
            }
            None => data.sound(Column::ExternalId).map(Cow::from),
        }
    }

    /// Returns the value that the row's user has in `column`, as a roster would write it.
    fn before<'a>(&self, request: &Request<'a>, row: usize, column: Column) -> Option<&'a str> {
        let user = user_of(row, request)?;
        let (catalog, directory) = (request.catalog, request.directory);
        match column {
            Column::Role => self.positions.role(catalog, user.role),
            Column::Rank => self.positions.rank(catalog, user.rank),
            Column::EvidenceGroupExtId => self.positions.group(catalog, user.group),
            Column::SupervisorEmail => {
                let supervisor = directory.supervisor_of(directory.user_of(index(row))?)?;
                Some(directory.users()[supervisor as usize].email())
            }
            _ => stored(user, column),
        }
    }

    /// Returns the value that the row leaves in `column`.
    fn after<'a>(&self, request: &Request<'a>, row: usize, column: Column) -> Option<Cow<'a, str>> {
        let decision = &self.decisions[row];
        let data = &request.rows[row];
        let catalog = request.catalog;
        let text = match column {
            Column::ExternalId => return self.external_id(request, row),
            Column::Role => self.positions.role(catalog, decision.role),
            Column::Rank => self.positions.rank(catalog, decision.rank),
            Column::EvidenceGroupExtId => self.positions.group(catalog, decision.group),
            Column::SupervisorEmail if decision.supervisor == Supervisor::None => None,
            Column::SupervisorEmail => data
                .value(column)
                .or_else(|| self.before(request, row, column)),
            _ => Some(resulting(data, user_of(row, request), column)),
        };
        text.map(Cow::from)
    }
}

fn user_of<'a>(row: usize, request: &Request<'a>) -> Option<&'a User> {
    let directory = request.directory;
    let user = directory.user_of(index(row))?;
    Some(&directory.users()[user as usize])
}

//! The values that a plan writes for a row's user, and their form in reports. Reads a finished plan, not the judgement.

use std::borrow::Cow;

use uuid::Uuid;

use crate::domain::{Column, GroupId, RankId, RoleId, Row, Status, User};
use crate::plan::Plan;
use crate::plan::index::{FinalUser, RowIndex, resulting};
use crate::plan::judge::Outcome;

/// All values that the user of a created or updated row has after the import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserWrite<'a> {
    /// The user as the plan found it. `None` means a new user.
    pub user: Option<&'a User>,
    row: &'a Row,
    external_id: Cow<'a, str>,
    /// Role.
    pub role: RoleId,
    /// Rank.
    pub rank: Option<RankId>,
    /// Group.
    pub group: Option<GroupId>,
    /// Supervisor.
    pub supervisor: Option<FinalUser>,
}

impl UserWrite<'_> {
    /// Returns the value of an attribute that [`User::value`] covers; `""` if there is none. The external ID is the
    /// row's or a generated one.
    #[must_use]
    pub fn text(&self, column: Column) -> &str {
        match column {
            Column::ExternalId => &self.external_id,
            _ => resulting(self.row, self.user, column),
        }
    }

    /// Active or inactive.
    #[must_use]
    pub fn status(&self) -> Status {
        Status::parse(self.text(Column::Status)).unwrap_or(Status::Active)
    }
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
    /// Returns the values that `row` writes. They are meaningful only if the row is created or updated.
    #[must_use]
    pub fn write(&self, row: RowIndex) -> UserWrite<'_> {
        let (data, decision) = (&self.request.rows[row], &self.decisions[row]);
        let user = self.request.user_of(row);
        UserWrite {
            user,
            row: data,
            external_id: match user {
                Some(user) if !decision.changes.contains(Column::ExternalId) => {
                    user.external_id().into()
                }
                _ => new_external_id(data, self.request.import_id),
            },
            role: decision.role,
            rank: decision.rank,
            group: decision.group,
            supervisor: decision.supervisor,
        }
    }

    /// Returns the values of `column` before and after `row`, as a roster would write them. `None` means blank. They
    /// are meaningful only if the decision has `column` among its changes.
    #[must_use]
    pub fn change_values(
        &self,
        row: RowIndex,
        column: Column,
    ) -> (Option<Cow<'_, str>>, Option<Cow<'_, str>>) {
        let unless_blank = |text: &Cow<'_, str>| !text.is_empty();
        (
            self.before(row, column).map(Cow::from).filter(unless_blank),
            self.after(row, column).filter(unless_blank),
        )
    }

    /// Returns the external ID of the user that `row` is about, or `None` if it is not known.
    #[must_use]
    pub fn external_id(&self, row: RowIndex) -> Option<Cow<'_, str>> {
        let decision = &self.decisions[row];
        if decision.outcome == Outcome::Unchanged
            && let Some(original) = self.copies.original(row)
        {
            return self.external_id(original);
        }
        let data = &self.request.rows[row];
        match self.request.user_of(row) {
            Some(user) if !decision.changes.contains(Column::ExternalId) => {
                Some(user.external_id().into())
            }
            None if decision.outcome == Outcome::Created => {
                Some(new_external_id(data, self.request.import_id))
            }
            _ => data.sound(Column::ExternalId).map(Cow::from),
        }
    }

    /// Returns the value that the row's user has in `column`, as a roster would write it.
    fn before(&self, row: RowIndex, column: Column) -> Option<&str> {
        let user = self.request.user_of(row)?;
        match column {
            Column::Role => self.names.role(user.role),
            Column::Rank => self.names.rank(user.rank),
            Column::EvidenceGroupExtId => self.names.group_external_id(user.group),
            Column::SupervisorEmail => self.request.supervisor_email(row),
            _ => user.value(column),
        }
    }

    /// Returns the value that the row leaves in `column`.
    fn after(&self, row: RowIndex, column: Column) -> Option<Cow<'_, str>> {
        let (data, decision) = (&self.request.rows[row], &self.decisions[row]);
        let text = match column {
            Column::ExternalId => return self.external_id(row),
            Column::Role => self.names.role(decision.role),
            Column::Rank => self.names.rank(decision.rank),
            Column::EvidenceGroupExtId => self.names.group_external_id(decision.group),
            Column::SupervisorEmail if decision.supervisor.is_none() => None,
            Column::SupervisorEmail => data.value(column).or_else(|| self.before(row, column)),
            _ => Some(resulting(data, self.request.user_of(row), column)),
        };
        text.map(Cow::from)
    }
}

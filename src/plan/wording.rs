//! Findings in words an administrator can act on (semantics §6).

use std::borrow::Cow;
use std::collections::HashMap;

use super::Request;
use super::finding::Finding;
use super::keys::Key;
use super::roster::{Person, Wish};
use super::state::State;
use super::text::NearestIndex;
use super::write::new_external_id;
use crate::domain::{Column, Issue, IssueCode, Severity};

/// Words findings against the final state.
pub(super) struct Wording<'a> {
    request: &'a Request<'a>,
    state: &'a State<'a>,
    /// Emails that somebody has in the final state.
    emails: NearestIndex<'a>,
    /// By email that nobody has: the nearest that somebody has.
    suggested: HashMap<u32, Option<u32>>,
}

impl<'a> Wording<'a> {
    /// `emails` are those that may be suggested.
    pub(super) fn new(
        request: &'a Request<'a>,
        state: &'a State<'a>,
        emails: &'a [(Cow<'a, str>, u32)],
    ) -> Self {
        let emails = emails.iter().map(|(email, id)| (&**email, *id));
        let owned = emails.filter(|&(_, id)| state.owner(Key::Email, id).is_some());
        Self {
            request,
            state,
            emails: NearestIndex::new(owned.map(|(email, id)| (id, email))),
            suggested: HashMap::new(),
        }
    }

    /// The issue that says `finding` about `row`.
    pub(super) fn word(&mut self, row: u32, finding: &Finding) -> Issue {
        match *finding {
            Finding::Duplicate { key, row: earlier } => self.duplicate(row, key, earlier),
            Finding::Taken { key, holder } => self.taken(row, key, holder),
            Finding::KeptByRejection { key, row: cause } => self.kept(row, key, cause),
            Finding::SupervisorNotFound => self.supervisor_not_found(row),
            Finding::SupervisorRejected { row: cause } => self.supervisor_rejected(row, cause),
            Finding::SupervisorIsSelf => self.error(
                (row, Column::SupervisorEmail, IssueCode::SupervisorIsSelf),
                |value| {
                    format!("{value} is the row's own user; name another user or leave it blank.")
                },
            ),
            Finding::SupervisorCycle { ref path } => self.error(
                (row, Column::SupervisorEmail, IssueCode::SupervisorCycle),
                |value| format!("{value} closes a circle: {path}. Give another supervisor."),
            ),
            Finding::RoleNotGrantable => {
                self.error((row, Column::Role, IssueCode::RoleNotGrantable), |value| {
                    format!(
                        "{value} is a privileged role, which needs the permission \
                         users.grant-privileged to give; ask an administrator who has it."
                    )
                })
            }
            Finding::UserNotChangeable => self.not_changeable(row),
            Finding::DeactivationNotPermitted => self.error(
                (row, Column::Status, IssueCode::DeactivationNotPermitted),
                |value| {
                    format!(
                        "{value} would deactivate the user, which needs the permission \
                         users.deactivate; import with a credential that has it."
                    )
                },
            ),
            Finding::SupervisorInactive => self.warning(
                (row, Column::SupervisorEmail, IssueCode::SupervisorInactive),
                |value| {
                    format!(
                        "{value} is inactive after this import; check who supervises this user."
                    )
                },
            ),
            Finding::ZerosLost { key, user } => self.zeros_lost(row, key, user),
        }
    }

    fn duplicate(&self, row: u32, key: Key, earlier: u32) -> Issue {
        let number = self.number(earlier);
        self.error(
            (row, key.column(), IssueCode::DuplicateInFile),
            |value| match key {
                Key::ExternalId => {
                    format!("{value} is in row {number} already; keep one of the two rows.")
                }
                _ => format!(
                    "{value} is in row {number} already; give one of the two rows another {}.",
                    key.noun()
                ),
            },
        )
        .about_row(number)
    }

    fn taken(&self, row: u32, key: Key, holder: Person) -> Issue {
        let giver = self.state.row_of(holder).map(|row| self.number(row));
        let id = self.external_id(holder);
        let issue = self.error((row, key.column(), key.taken()), |value| {
            let belongs = match giver {
                None => format!("already belongs to user \"{id}\""),
                Some(giver) => format!("belongs to user \"{id}\" by row {giver}"),
            };
            format!("{value} {belongs}; give this row another {}.", key.noun())
        });
        Issue {
            related_row: giver,
            ..issue.about_user(&id)
        }
    }

    fn kept(&self, row: u32, key: Key, cause: u32) -> Issue {
        let number = self.number(cause);
        let code = IssueCode::DependsOnRejectedRow;
        let issue = self.error((row, key.column(), code), |_| String::new());
        let message = format!(
            "Row {number}, which would have freed {} \"{}\", was rejected; correct row {number} first.",
            key.noun(),
            issue.value
        );
        with_message(issue, message).about_row(number)
    }

    fn supervisor_rejected(&self, row: u32, cause: u32) -> Issue {
        let number = self.number(cause);
        let code = IssueCode::DependsOnRejectedRow;
        let issue = self.error((row, Column::SupervisorEmail, code), |_| String::new());
        let message = format!(
            "Row {number}, whose user would have had the email \"{}\", was rejected; \
             correct row {number} first.",
            issue.value
        );
        with_message(issue, message).about_row(number)
    }

    fn supervisor_not_found(&mut self, row: u32) -> Issue {
        let at = (row, Column::SupervisorEmail, IssueCode::SupervisorNotFound);
        if let Some(cause) = self.would_give_supervisor(row) {
            let number = self.number(cause);
            let say =
                |value: &str| format!("{value} is nobody's email, as row {number} was rejected.");
            return self.error(at, say);
        }
        let near = self.nearest_email(row);
        let (near, giver) = near.unzip();
        let issue = self.error(at, |value| match near {
            Some(near) => format!("{value} is nobody's email; did you mean \"{near}\"?"),
            None => format!("{value} is nobody's email; correct it, or add that user to the file."),
        });
        Issue {
            related_row: giver.flatten(),
            ..issue.suggest(near)
        }
    }

    fn not_changeable(&self, row: u32) -> Issue {
        let id = self.external_id(self.state.roster.person(row));
        let issue = self.error((row, Column::Role, IssueCode::RoleNotGrantable), |_| {
            format!(
                "User \"{id}\" has a privileged role, and changing the user needs the permission \
                 users.grant-privileged; ask an administrator who has it."
            )
        });
        issue.about_user(&id)
    }

    fn zeros_lost(&self, row: u32, key: Key, user: u32) -> Issue {
        let existing = key.of(&self.state.roster.users[user as usize]);
        let holder = self.external_id(Person::User(user));
        self.warning((row, key.column(), IssueCode::LeadingZerosLost), |value| {
            format!(
                "{value} equals the existing \"{existing}\" but for leading zeros; \
                 if a spreadsheet changed them, format the column as text."
            )
        })
        .suggest(Some(existing))
        .about_user(&holder)
    }

    /// The rejected row whose user would have had the supervisor's email that `row` names.
    fn would_give_supervisor(&self, row: u32) -> Option<u32> {
        match self.state.roster.wish(row) {
            Wish::Email(email) => self.state.would_give(email),
            Wish::Clear | Wish::Keep => None,
        }
    }

    /// The email of the final state nearest to the supervisor's that `row` names, its own apart; and the
    /// number of the row that gives it, if one does.
    fn nearest_email(&mut self, row: u32) -> Option<(&'a str, Option<u32>)> {
        let state = self.state;
        let Wish::Email(named) = state.roster.wish(row) else {
            return None;
        };
        let emails = &mut self.emails;
        let near = self.suggested.entry(named).or_insert_with(|| {
            let email = state.roster.rows[row as usize].value(Column::SupervisorEmail)?;
            emails.nearest(&Key::Email.comparable(email))
        });
        let near = state.owner(Key::Email, (*near)?)?;
        let giver = || state.row_of(near).map(|giver| self.number(giver));
        (near != state.own_person(row)).then(|| (state.email(near), giver()))
    }

    fn external_id(&self, person: Person) -> Cow<'a, str> {
        match person {
            Person::User(user) => self.state.roster.users[user as usize].external_id().into(),
            Person::Row(row) => {
                new_external_id(&self.request.rows[row as usize], self.request.import_id)
            }
        }
    }

    fn number(&self, row: u32) -> u32 {
        self.request.rows[row as usize].number
    }

    fn value(&self, row: u32, column: Column) -> &'a str {
        let value = self.request.rows[row as usize].value(column);
        value.unwrap_or_default()
    }

    /// An error whose message begins with the column and its value, as `say` gets them.
    fn error(
        &self,
        (row, column, code): (u32, Column, IssueCode),
        say: impl FnOnce(&str) -> String,
    ) -> Issue {
        let issue = Issue::error(code, column, self.value(row, column), String::new());
        let message = say(&format!("{column} \"{}\"", issue.value));
        with_message(issue, message)
    }

    fn warning(&self, at: (u32, Column, IssueCode), say: impl FnOnce(&str) -> String) -> Issue {
        Issue {
            severity: Severity::Warning,
            ..self.error(at, say)
        }
    }
}

fn with_message(issue: Issue, message: String) -> Issue {
    Issue {
        message: message.into_boxed_str(),
        ..issue
    }
}

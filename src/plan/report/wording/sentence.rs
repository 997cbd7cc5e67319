//! The sentence for each finding.

use super::{
    FindingWording, LOST_LETTER, OTHER_MARKS, RENAMES, is_optional_placeholder, said_to_stand,
};
use crate::domain::{Column, ColumnSet, Status, ValuePattern, fold, shown};
use crate::plan::index::{FinalUser, Key, RowIndex, UserIndex};
use crate::plan::judge::{CatalogKind, Finding, SupervisorCircle};
use crate::plan::report::identity_changes::replaced_columns;

/// The most offers that a message names if none is near.
const NAMED: usize = 5;

impl FindingWording<'_> {
    /// Returns the sentence. `named` is the column and its value; most sentences begin with it.
    pub(super) fn say(&self, row: RowIndex, finding: Finding, named: &str, value: &str) -> String {
        match finding {
            _ if is_optional_placeholder(finding, value) => placeholder(named, finding),
            Finding::Unknown { named: kind, near } => self.unknown(kind, near, named),
            Finding::GroupInactive { kept: true } => {
                said_to_stand(&format!("{named} is inactive."))
            }
            Finding::GroupInactive { kept: false } => {
                format!("{named} is inactive; give an active group.")
            }
            Finding::Duplicate { key, row, kept } => {
                let other = self.plan.request.rows[row].value(key.column());
                let shares = !value.is_empty() && other == Some(value);
                duplicate(named, (key, shares), self.number(row), kept)
            }
            Finding::Copy { row } => format!(
                "This row equals row {} in all values and was judged as that row; delete one of the two.",
                self.number(row)
            ),
            Finding::Taken { key, holder } => self.taken(row, named, key, holder.into()),
            Finding::KeptByRejection { key, row } => {
                let (number, noun) = (self.number(row), key.noun());
                format!(
                    "Row {number}, which would have freed {noun} \"{value}\", was rejected; correct row \
                     {number} first."
                )
            }
            Finding::ZerosLost { .. }
            | Finding::ZerosDiffer { .. }
            | Finding::IdInOtherCase { .. } => self.of_like_key(finding, named),
            Finding::Artifact { .. }
            | Finding::ArtifactOfRow { .. }
            | Finding::ArtifactOfUser { .. }
            | Finding::PhoneArtifact
            | Finding::ArtifactNew { .. }
            | Finding::Format { .. }
            | Finding::DateLike => self.of_value(row, finding, named),
            Finding::LetterLost { .. } | Finding::QuestionMark { .. } => {
                self.of_name(row, finding, named)
            }
            Finding::UserProtected
            | Finding::RoleNotGrantable
            | Finding::UserNotChangeable
            | Finding::DeactivationNotPermitted => self.of_permission(row, finding, named),
            Finding::IdentityReplaced => self.identity_replaced(row),
            Finding::EditedSince { column } => self.edited_since(row, column),
            _ => self.of_supervisor(finding, named, value),
        }
    }

    /// Returns the sentence for a change that the caller may not make.
    fn of_permission(&self, row: RowIndex, finding: Finding, named: &str) -> String {
        let user = self.external_id(FinalUser::Row(row));
        match finding {
            Finding::UserProtected => format!(
                "{named} would deactivate user \"{user}\", who is protected; keep the user Active, or end \
                 the protection first."
            ),
            Finding::RoleNotGrantable => format!(
                "{named} is a privileged role, which needs the permission users.grant-privileged to \
                 give; ask an administrator who has it."
            ),
            Finding::UserNotChangeable => format!(
                "User \"{user}\" has a privileged role, and changing the user needs the permission \
                 users.grant-privileged; ask an administrator who has it."
            ),
            _ => format!(
                "{named} would deactivate the user, which needs the permission users.deactivate; \
                 import with a credential that has it."
            ),
        }
    }

    /// Returns the sentence for a user of an undo who has been edited since.
    fn edited_since(&self, row: RowIndex, column: Column) -> String {
        let request = &self.plan.request;
        let Some(user) = request.user_of(row) else {
            return "The user does not exist any more.".to_owned();
        };
        let by = request.snapshot.last_import(user.id);
        let by = by.map_or_else(String::new, |import| format!(" by import {import}"));
        let id = user.external_id();
        format!(
            "{column} of user \"{id}\" has been changed since{by}, so the user is left alone. Undo \
             that import first, or import the values that the user should have."
        )
    }

    /// Returns the sentence for a name in which letters are or may be lost.
    fn of_name(&self, row: RowIndex, finding: Finding, named: &str) -> String {
        let user = self.plan.request.user_of(row);
        match finding {
            Finding::LetterLost { column } => {
                let stored = user.and_then(|user| user.value(column));
                let stored = stored.unwrap_or_default();
                format!(
                    "{named} is the user's \"{stored}\"{LOST_LETTER}; write \"{stored}\", and export the file as \
                     UTF-8."
                )
            }
            _ => format!(
                "{named} has a question mark, which programs write in place of a letter that they \
                 have lost; if a letter is lost, correct the name in the system that the file \
                 comes from, and export the file as UTF-8."
            ),
        }
    }

    /// Returns the sentence for a key that is similar to another one.
    fn of_like_key(&self, finding: Finding, named: &str) -> String {
        match finding {
            Finding::ZerosLost { key, user } => zeros_lost(named, key.of(self.user(user))),
            Finding::ZerosDiffer { key, row: other } => {
                zeros_differ(named, self.key_text(key, other), self.number(other))
            }
            Finding::IdInOtherCase { user } => {
                let id = self.user(user).external_id();
                format!(
                    "{named} equals the existing \"{id}\" except for case; if the row is about that user, write \"{id}\"."
                )
            }
            _ => String::new(),
        }
    }

    /// Returns the sentence for a value that a spreadsheet or a script has changed.
    fn of_value(&self, row: RowIndex, finding: Finding, named: &str) -> String {
        let before = || self.before(row, finding).unwrap_or_default();
        let (message, kept) = match finding {
            Finding::Artifact { key, user, kept } => {
                (artifact(named, key.of(self.user(user))), kept)
            }
            Finding::ArtifactOfRow { key, row: other } => {
                let (text, number, noun) =
                    (self.key_text(key, other), self.number(other), key.noun());
                let message = format!(
                    "{named} is \"{text}\" of row {number}{OTHER_MARKS}; if both are one person, delete one of the \
                     rows; otherwise give one of them another {noun}."
                );
                (message, false)
            }
            Finding::ArtifactOfUser { key, user } => (self.typographic(named, key, user), false),
            Finding::PhoneArtifact => (artifact(named, &before()), false),
            Finding::Format { key, kept } => {
                (self.misfit(named, key, self.before(row, finding)), kept)
            }
            Finding::ArtifactNew {
                column: Column::Phone,
                ..
            } => {
                let message = format!(
                    "{named} was read as {}, without what a spreadsheet or a script has left on it; export the \
                     column as text.",
                    before()
                );
                (message, false)
            }
            Finding::ArtifactNew { kept, .. } => {
                let message = format!(
                    "{named} looks as if a spreadsheet or a script had changed it; if \"{}\" is right, write that, \
                     and export the column as text.",
                    before()
                );
                (message, kept)
            }
            _ => {
                let message = format!(
                    "{named} looks like a date that a spreadsheet has made of a badge number; if it is one, format \
                     the column as text and enter the badge number again."
                );
                (message, false)
            }
        };
        if kept {
            said_to_stand(&message)
        } else {
            message
        }
    }

    /// Returns the sentence for a key that `user` has with typographic characters.
    fn typographic(&self, named: &str, key: Key, user: UserIndex) -> String {
        let (user, noun) = (self.user(user), key.noun());
        let (id, held) = (user.external_id(), shown(key.of(user)));
        match key {
            Key::ExternalId => format!(
                "{named} is the existing \"{held}\"{OTHER_MARKS}; if the row is about that user, write \"{held}\", or \
                 import with match_by to change the user's external ID; otherwise give the row another external ID."
            ),
            _ => format!(
                "{named} is \"{held}\" of user \"{id}\"{OTHER_MARKS}; if the row is about that user, write \"{id}\" in \
                 EXTERNAL_ID; otherwise give the row another {noun}."
            ),
        }
    }

    /// Returns the sentence for a key that does not match the organisation's pattern. `padded` is the key with more
    /// leading zeros, if it would match with them.
    fn misfit(&self, named: &str, key: Key, padded: Option<String>) -> String {
        let pattern = self
            .plan
            .request
            .pattern(key)
            .map_or("", ValuePattern::as_str);
        let advice = match padded {
            Some(padded) => format!(
                "did you mean \"{padded}\"? If a spreadsheet has dropped zeros, format the column as text."
            ),
            None => format!("correct the {}.", key.noun()),
        };
        format!("{named} does not match the organisation's pattern {pattern}; {advice}")
    }

    fn of_supervisor(&self, finding: Finding, named: &str, value: &str) -> String {
        match finding {
            Finding::SupervisorRowRejected { row } => format!(
                "{named} matches no user, because row {} was rejected.",
                self.number(row)
            ),
            Finding::SupervisorRenamed { row } => format!(
                "{named} matches no user after this import, because row {}{RENAMES}\"{}\"; write \
                 that.",
                self.number(row),
                self.email(FinalUser::Row(row))
            ),
            Finding::SupervisorNear { email } => format!(
                "{named} matches no user; did you mean \"{}\"?",
                self.email(email.into())
            ),
            Finding::SupervisorRejected { row } => {
                let number = self.number(row);
                format!(
                    "Row {number}, whose user would have had the email \"{value}\", was rejected; \
                     correct row {number} first."
                )
            }
            Finding::SupervisorIsSelf => {
                format!(
                    "{named} is the row's own user, and is read as no supervisor; leave it blank if the \
                     user has none."
                )
            }
            Finding::SupervisorNamesSelf => format!(
                "{named} matches no user, and seems to name the row's own user; leave the cell \
                 blank if the user has no supervisor."
            ),
            Finding::SupervisorCycle { circle } => format!(
                "{named} closes a circle: {}. Give another supervisor.",
                self.path(self.plan.findings.circle(circle))
            ),
            Finding::SupervisorInactive => supervisor_inactive(named),
            _ => format!("{named} matches no user; correct it, or add that user to the file."),
        }
    }

    fn identity_replaced(&self, row: RowIndex) -> String {
        let (data, decision) = (&self.plan.request.rows[row], &self.plan.decisions[row]);
        let user = self.plan.request.user_of(row);
        let columns = user.map(|user| replaced_columns(data, user, decision.changes));
        format!(
            "This row makes user \"{}\" another person: {} all change. If that is not meant, check \
             that each value is in the row of its EXTERNAL_ID.",
            self.external_id(FinalUser::Row(row)),
            listed(columns.unwrap_or_default())
        )
    }

    fn unknown(&self, kind: CatalogKind, near: Option<u16>, named: &str) -> String {
        let catalog = &self.plan.request.catalog;
        let noun = kind.noun();
        let advice = if let Some(near) = near {
            format!("did you mean \"{}\"?", kind.name(catalog, near))
        } else {
            let names = kind.entries(catalog).map(|(_, name)| name);
            let names: Vec<&str> = names.take(NAMED + 1).collect();
            advice(noun, &names)
        };
        format!("{named} is not a {noun} of this organisation; {advice}")
    }

    fn taken(&self, row: RowIndex, named: &str, key: Key, holder: FinalUser) -> String {
        let id = self.external_id(holder);
        let belongs = match holder {
            FinalUser::User(user) if self.user(user).status == Status::Inactive => {
                format!("already belongs to user \"{id}\", who is inactive")
            }
            FinalUser::User(_) => format!("already belongs to user \"{id}\""),
            FinalUser::Row(giver) => {
                format!("belongs to user \"{id}\" by row {}", self.number(giver))
            }
        };
        match self.advice_on_identity(row, holder, &id) {
            Some(advice) => format!("{named} {belongs}{advice}"),
            None => format!("{named} {belongs}; give this row another {}.", key.noun()),
        }
    }

    /// Returns the advice for a row that seems to be about the user who has its keys, or `None` if it does not seem so.
    fn advice_on_identity(&self, row: RowIndex, holder: FinalUser, id: &str) -> Option<String> {
        let subject = self.subject(holder)?;
        let of_holder = |finding| matches!(finding, Finding::Taken { holder, .. } if self.subject(holder.into()) == Some(subject));
        let several = self.plan.found(row).filter(|f| of_holder(*f)).count() > 1;
        let given = self.plan.request.rows[row].value(Column::ExternalId);
        let given = given.unwrap_or_default();
        let by_case = given != id && fold(given) == fold(id);
        let write = format!("write \"{id}\" in EXTERNAL_ID");
        if by_case {
            return Some(format!(
                ", whose EXTERNAL_ID differs from this row's \"{given}\" only by case; {write}."
            ));
        }
        several.then(|| {
            let moves = match given {
                "" => "to find users without EXTERNAL_ID",
                _ => "to give users new external IDs",
            };
            format!(
                ", as other values of this row do. If the row is about this user, {write}; {moves}, import \
                 with match_by."
            )
        })
    }

    /// Returns a circle of supervisors as text, by their emails.
    fn path(&self, circle: &SupervisorCircle) -> String {
        let shown = circle.shown.iter().flatten();
        let mut shown: Vec<&str> = shown.map(|&person| self.email(person)).collect();
        let first = shown.first().copied();
        shown.extend(circle.has_more.then_some("…"));
        shown.extend(first);
        shown.join(" → ")
    }
}

/// Says that a value equals another user's except for leading zeros; `named` is the column and the value.
pub(crate) fn zeros_lost(named: &str, existing: &str) -> String {
    format!(
        "{named} equals the existing \"{existing}\" except for leading zeros; if a spreadsheet \
         changed them, format the column as text."
    )
}

/// Says that a value equals another row's except for leading zeros; `named` is the column and the value.
fn zeros_differ(named: &str, other: &str, number: u32) -> String {
    format!(
        "{named} equals \"{other}\" of row {number} except for leading zeros; if a spreadsheet \
         changed one of them, format the column as text."
    )
}

/// Says that a value is an existing one with an export artefact; `named` is the column and the value.
fn artifact(named: &str, existing: &str) -> String {
    format!(
        "{named} is the existing \"{existing}\" as a spreadsheet or a script has changed it; write \
         \"{existing}\", and export the column as text."
    )
}

/// Says that a supervisor is inactive; `named` is the column and the value.
pub(crate) fn supervisor_inactive(named: &str) -> String {
    format!("{named} is inactive after this import; check who supervises this user.")
}

/// Returns the names of columns, with `and` before the last one.
fn listed(columns: ColumnSet) -> String {
    let mut names: Vec<&str> = columns.iter().map(Column::header).collect();
    let last = names.pop().unwrap_or_default();
    format!("{} and {last}", names.join(", "))
}

fn duplicate(named: &str, (key, shares): (Key, bool), number: u32, kept: bool) -> String {
    let noun = key.noun();
    match key {
        Key::ExternalId if !shares => format!(
            "Row {number} is about the same user and has other values; keep the row that is right, and \
             delete the other."
        ),
        Key::ExternalId => format!(
            "{named} is in row {number} too, with other values; keep the row that is right, and delete \
             the other."
        ),
        _ if kept => format!(
            "{named} is in row {number} too, whose user has it already; if both rows are about that user, delete this \
             one; otherwise give it another {noun}."
        ),
        _ => format!(
            "{named} is in row {number} too; if both rows are about one person, keep the row that is right, and delete \
             the other; otherwise give one of them another {noun}."
        ),
    }
}

/// Returns the advice about a word for "no value" in an optional column.
fn placeholder(named: &str, finding: Finding) -> String {
    let (is_not, noun) = match finding {
        Finding::Unknown { named, .. } => (
            format!("a {} of this organisation", named.noun()),
            named.noun(),
        ),
        _ => ("a user's email".to_owned(), "supervisor"),
    };
    format!("{named} is not {is_not}; leave the cell blank, which clears the {noun}.")
}

/// Returns the advice if no offer is near. If there are more than [`NAMED`] offers, not all of them are named.
fn advice(noun: &str, offers: &[&str]) -> String {
    if offers.is_empty() {
        return format!("add the {noun} to the catalog first.");
    }
    let quoted = offers.iter().take(NAMED).map(|name| format!("\"{name}\""));
    let named = quoted.collect::<Vec<_>>().join(", ");
    let more = if offers.len() > NAMED { ", …" } else { "" };
    let choice = if offers.len() == 1 { "" } else { "one of " };
    format!("use {choice}{named}{more}.")
}

//! Puts findings into words that an administrator can act on (semantics §6). Needs only the plan, not the state
//! of the judgement.

mod sentence;

pub(crate) use sentence::{supervisor_inactive, zeros_lost};

use std::borrow::Cow;

use crate::domain::{
    Column, Issue, IssueCode, Severity, User, first_invisible, first_typographic, is_placeholder,
    shown,
};
use crate::plan::Plan;
use crate::plan::index::{FinalUser, Key, RowIndex, UserIndex};
use crate::plan::judge::{Finding, Outcome, is_kept};
use crate::plan::order::new_external_id;

impl Plan {
    /// Returns all errors and warnings of `row`, those of its own checks first. They are put into words here and not
    /// stored, so ask only for rows that are about to be reported.
    #[must_use]
    pub fn issues(&self, row: RowIndex) -> Vec<Issue> {
        let request = &self.request;
        let own = request.rows[row].issues().map(|mut issue| {
            if issue.is_error() && issue.column.is_some_and(|c| is_kept(request, row, c)) {
                issue.severity = Severity::Warning;
                issue.message = said_to_stand(&issue.message).into();
            }
            issue
        });
        let wording = FindingWording { plan: self };
        let found = self.found(row);
        let mut issues: Vec<Issue> = own
            .chain(found.map(|finding| wording.word(row, finding)))
            .collect();
        if let Some(&count) = self.waiting.get(&row)
            && let Some(error) = issues.iter_mut().find(|issue| issue.is_error())
        {
            error.message = format!("{} {}", error.message, waiting(count)).into();
        }
        let file_columns = &request.terms.file_columns;
        if file_columns.is_empty() {
            return issues;
        }
        let in_file = |issue: Issue| {
            let name = file_columns
                .iter()
                .find(|(column, _)| issue.column == Some(*column));
            match name {
                Some((_, name)) => issue.in_file(name),
                None => issue,
            }
        };
        issues.into_iter().map(in_file).collect()
    }

    /// Returns the codes of the row's errors and warnings, in the same order.
    pub fn codes(&self, row: RowIndex) -> impl Iterator<Item = IssueCode> {
        let own = self.request.rows[row].faults();
        let own = own.map(|(_, fault)| fault.code());
        own.chain(self.found(row).map(code))
    }

    /// Returns the findings about `row`. For a copy, adds the findings that reject the row that it equals, and the
    /// finding that it is a copy.
    fn found(&self, row: RowIndex) -> impl Iterator<Item = Finding> {
        let original = self.copies.original(row);
        let is_rejected = self.decisions[row].outcome == Outcome::Rejected;
        let shared = original.filter(|_| is_rejected).into_iter();
        let shared = shared.flat_map(|original| self.findings.of(original));
        let shared = shared.filter(|finding| !is_of_the_row_alone(*finding));
        let copy = original.map(|row| Finding::Copy { row });
        self.findings.of(row).chain(shared).chain(copy)
    }
}

/// Returns `true` for findings of the field checks, which find them for a copy too.
const fn is_of_the_row_alone(finding: Finding) -> bool {
    matches!(
        finding,
        Finding::Unknown { .. }
            | Finding::GroupInactive { .. }
            | Finding::UserProtected
            | Finding::Artifact { .. }
            | Finding::ArtifactNew { .. }
            | Finding::Format { .. }
            | Finding::DateLike
            | Finding::QuestionMark { .. }
            | Finding::EditedSince { .. }
    )
}

/// The words that say how a name with lost letters differs from the right one.
pub(crate) const LOST_LETTER: &str = ", in which a program has lost a letter";

/// The words that say how a typographic key differs from another one.
pub(crate) const OTHER_MARKS: &str = " with other dashes, apostrophes or spaces";

/// The words that say that a row changes the email of a user.
pub(crate) const RENAMES: &str = " changes it to ";

const WAITS: &str = " other row waits for this one.";
const WAIT: &str = " other rows wait for this one.";

fn waiting(count: u32) -> String {
    let words = if count == 1 { WAITS } else { WAIT };
    format!("{count}{words}")
}

/// Returns the sentence at the end of a message that says how many rows wait for its row, or `None` if it has none.
pub(crate) fn waiting_sentence(message: &str) -> Option<&str> {
    let before = message
        .strip_suffix(WAIT)
        .or_else(|| message.strip_suffix(WAITS))?;
    let start = before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    (start < before.len()).then(|| &message[start..])
}

/// Returns the message for a value that failed its check and stands.
fn said_to_stand(message: &str) -> String {
    format!("{message} It is accepted, because the user has it already.")
}

const fn code(finding: Finding) -> IssueCode {
    match finding {
        Finding::Unknown { named, .. } => named.unknown(),
        Finding::GroupInactive { .. } => IssueCode::InactiveGroup,
        Finding::UserProtected => IssueCode::ProtectedUser,
        Finding::Duplicate { .. } | Finding::Copy { .. } => IssueCode::DuplicateInFile,
        Finding::Taken { key, .. } => key.taken(),
        Finding::KeptByRejection { .. } | Finding::SupervisorRejected { .. } => {
            IssueCode::DependsOnRejectedRow
        }
        Finding::SupervisorNotFound
        | Finding::SupervisorNear { .. }
        | Finding::SupervisorRenamed { .. }
        | Finding::SupervisorNamesSelf
        | Finding::SupervisorRowRejected { .. } => IssueCode::SupervisorNotFound,
        Finding::SupervisorIsSelf => IssueCode::SupervisorIsSelf,
        Finding::SupervisorCycle { .. } => IssueCode::SupervisorCycle,
        Finding::RoleNotGrantable | Finding::UserNotChangeable => IssueCode::RoleNotGrantable,
        Finding::DeactivationNotPermitted => IssueCode::DeactivationNotPermitted,
        Finding::SupervisorInactive => IssueCode::SupervisorInactive,
        Finding::ZerosLost { .. } | Finding::ZerosDiffer { .. } => IssueCode::LeadingZerosLost,
        Finding::IdentityReplaced => IssueCode::IdentityReplaced,
        Finding::Artifact { .. }
        | Finding::ArtifactOfRow { .. }
        | Finding::ArtifactOfUser { .. }
        | Finding::PhoneArtifact
        | Finding::ArtifactNew { .. }
        | Finding::IdInOtherCase { .. }
        | Finding::DateLike => IssueCode::ExportArtifact,
        Finding::Format { .. } => IssueCode::InvalidFormat,
        Finding::LetterLost { .. } => IssueCode::InvalidEncoding,
        Finding::QuestionMark { .. } => IssueCode::GarbledText,
        Finding::EditedSince { .. } => IssueCode::EditedSince,
    }
}

const fn column(finding: Finding) -> Column {
    match finding {
        Finding::Unknown { named, .. } => named.column(),
        Finding::GroupInactive { .. } => Column::EvidenceGroupExtId,
        Finding::UserProtected | Finding::DeactivationNotPermitted => Column::Status,
        Finding::Duplicate { key, .. }
        | Finding::Taken { key, .. }
        | Finding::KeptByRejection { key, .. }
        | Finding::ZerosLost { key, .. }
        | Finding::ZerosDiffer { key, .. }
        | Finding::Artifact { key, .. }
        | Finding::ArtifactOfRow { key, .. }
        | Finding::ArtifactOfUser { key, .. }
        | Finding::Format { key, .. } => key.column(),
        Finding::PhoneArtifact => Column::Phone,
        Finding::ArtifactNew { column, .. }
        | Finding::EditedSince { column }
        | Finding::LetterLost { column }
        | Finding::QuestionMark { column } => column,
        Finding::DateLike => Column::BadgeNumber,
        Finding::RoleNotGrantable | Finding::UserNotChangeable => Column::Role,
        Finding::IdentityReplaced | Finding::Copy { .. } | Finding::IdInOtherCase { .. } => {
            Column::ExternalId
        }
        Finding::SupervisorNotFound
        | Finding::SupervisorNear { .. }
        | Finding::SupervisorRenamed { .. }
        | Finding::SupervisorRowRejected { .. }
        | Finding::SupervisorRejected { .. }
        | Finding::SupervisorNamesSelf
        | Finding::SupervisorIsSelf
        | Finding::SupervisorCycle { .. }
        | Finding::SupervisorInactive => Column::SupervisorEmail,
    }
}

/// Puts findings into words.
struct FindingWording<'a> {
    plan: &'a Plan,
}

impl<'a> FindingWording<'a> {
    /// Returns the issue that states `finding` about `row`.
    fn word(&self, row: RowIndex, finding: Finding) -> Issue {
        let data = &self.plan.request.rows[row];
        let value = match column(finding) {
            Column::Phone => data.written(Column::Phone),
            column => data.value(column),
        };
        let mut issue = Issue::error(
            code(finding),
            column(finding),
            value.unwrap_or_default(),
            String::new(),
        );
        if matches!(
            finding,
            Finding::SupervisorInactive
                | Finding::SupervisorIsSelf
                | Finding::ZerosLost { .. }
                | Finding::ZerosDiffer { .. }
                | Finding::IdInOtherCase { .. }
                | Finding::IdentityReplaced
                | Finding::Copy { .. }
                | Finding::ArtifactNew { .. }
                | Finding::DateLike
                | Finding::QuestionMark { .. }
                | Finding::GroupInactive { kept: true }
                | Finding::Artifact { kept: true, .. }
                | Finding::Format { kept: true, .. }
        ) {
            issue.severity = Severity::Warning;
        }
        let named = format!("{} \"{}\"", column(finding), shown(&issue.value));
        issue.message = self.say(row, finding, &named, &issue.value).into();
        if let Some(note) = self.unseen_note(row, finding) {
            issue.message = format!("{} {note}", issue.message).into();
        }
        self.relate(row, finding, issue)
    }

    /// Names the character of a key that is the reason why it is taken or equals another one. Without this the reader
    /// would not see it: it is invisible, or looks like a character of keyboards.
    fn unseen_note(&self, row: RowIndex, finding: Finding) -> Option<String> {
        if let Finding::ArtifactOfUser { key, user } = finding {
            let held = key.of(self.user(user));
            let unseen = first_typographic(held).map(|(mark, _)| mark);
            let unseen = u32::from(unseen.or_else(|| first_invisible(held))?);
            return Some(format!("The existing one holds U+{unseen:04X}."));
        }
        let (key, is_artifact) = match finding {
            Finding::Taken { key, .. } | Finding::Duplicate { key, .. } => (key, false),
            Finding::Artifact { key, .. } | Finding::ArtifactOfRow { key, .. } => (key, true),
            _ => return None,
        };
        let data = &self.plan.request.rows[row];
        let value = || data.value(key.column()).filter(|_| is_artifact);
        if let Some(unseen) = data.written(key.column()).and_then(first_invisible) {
            let unseen = u32::from(unseen);
            return Some(format!(
                "The cell holds U+{unseen:04X}, which is invisible and not part of the value."
            ));
        }
        let (mark, plain) = first_typographic(value()?)?;
        let mark = u32::from(mark);
        Some(format!(
            "The cell holds U+{mark:04X} in place of \"{plain}\"."
        ))
    }

    /// Adds the suggested value, the row and the user that a finding refers to.
    fn relate(&self, row: RowIndex, finding: Finding, issue: Issue) -> Issue {
        match finding {
            _ if is_optional_placeholder(finding, &issue.value) => issue,
            Finding::Unknown { named, near } => {
                issue.suggest(near.map(|near| named.name(&self.plan.request.catalog, near)))
            }
            Finding::Duplicate { row: other, .. }
            | Finding::Copy { row: other }
            | Finding::KeptByRejection { row: other, .. }
            | Finding::SupervisorRejected { row: other } => issue.about_row(self.number(other)),
            Finding::Taken { holder, .. } => {
                let holder = holder.into();
                let issue = issue.about_user(&self.external_id(holder));
                match holder {
                    FinalUser::User(_) => issue,
                    FinalUser::Row(giver) => issue.about_row(self.number(giver)),
                }
            }
            Finding::SupervisorRenamed { row: renaming } => issue
                .suggest(Some(self.email(FinalUser::Row(renaming))))
                .about_row(self.number(renaming)),
            Finding::SupervisorNear { email } => {
                let email = email.into();
                let issue = issue.suggest(Some(self.email(email)));
                match email {
                    FinalUser::User(_) => issue,
                    FinalUser::Row(giver) => issue.about_row(self.number(giver)),
                }
            }
            Finding::UserProtected | Finding::UserNotChangeable => {
                issue.about_user(&self.external_id(FinalUser::Row(row)))
            }
            Finding::ZerosDiffer { key, row: other } => {
                // Zeros get lost, so the shorter of two values is the doubtful one.
                let padded = self.key_text(key, other);
                let padded = Some(padded).filter(|padded| padded.len() > issue.value.len());
                issue.suggest(padded).about_row(self.number(other))
            }
            _ => self.relate_value(row, finding, issue),
        }
    }

    /// Adds the value that was probably meant, and the user or row that has it.
    fn relate_value(&self, row: RowIndex, finding: Finding, issue: Issue) -> Issue {
        match finding {
            Finding::ZerosLost { key, user } | Finding::Artifact { key, user, .. } => {
                let user = self.user(user);
                issue
                    .suggest(Some(key.of(user)))
                    .about_user(user.external_id())
            }
            Finding::ArtifactOfRow { key, row: other } => {
                // If both keys are typographic, the right one is in neither row.
                let typed = self.plan.request.rows[other].as_typed(key.column());
                let text = typed.as_deref().unwrap_or(self.key_text(key, other));
                issue.suggest(Some(text)).about_row(self.number(other))
            }
            Finding::ArtifactOfUser { key, user } => {
                let id = self.user(user).external_id();
                let suggestion = Some(id).filter(|_| key == Key::ExternalId);
                issue.suggest(suggestion).about_user(id)
            }
            Finding::LetterLost { column } => {
                let user = self.plan.request.user_of(row);
                issue.suggest(user.and_then(|user| user.value(column)))
            }
            Finding::PhoneArtifact | Finding::ArtifactNew { .. } | Finding::Format { .. } => {
                issue.suggest(self.before(row, finding).as_deref())
            }
            Finding::IdInOtherCase { user } => {
                let id = self.user(user).external_id();
                issue.suggest(Some(id)).about_user(id)
            }
            _ => issue,
        }
    }

    /// Returns the directory's user that `person` is, or `None` if `person` is a new user.
    fn subject(&self, person: FinalUser) -> Option<UserIndex> {
        match person {
            FinalUser::User(user) => Some(user),
            FinalUser::Row(row) => self.plan.request.snapshot.user_of(row),
        }
    }

    /// The external ID of a user, or of the user that a row is about.
    fn external_id(&self, person: FinalUser) -> Cow<'a, str> {
        match person {
            FinalUser::User(user) => self.user(user).external_id().into(),
            FinalUser::Row(row) => match self.plan.request.user_of(row) {
                Some(user) => user.external_id().into(),
                None => new_external_id(&self.plan.request.rows[row], self.plan.request.import_id),
            },
        }
    }

    /// The email that a user has, or that a row gives.
    fn email(&self, person: FinalUser) -> &'a str {
        match person {
            FinalUser::User(user) => self.user(user).email(),
            FinalUser::Row(row) => self.key_text(Key::Email, row),
        }
    }

    /// Returns the value that a cell with an export artefact probably had before.
    fn before(&self, row: RowIndex, finding: Finding) -> Option<String> {
        let column = column(finding);
        let value = self.plan.request.rows[row].value(column)?;
        match finding {
            Finding::Format { key, .. } => self.plan.request.pattern(key)?.with_zeros(value),
            Finding::PhoneArtifact
            | Finding::ArtifactNew {
                column: Column::Phone,
                ..
            } => Some(value.to_owned()),
            _ => {
                let texts = self.plan.request.rows[row].without_artifacts(column);
                texts.into_iter().next()
            }
        }
    }

    /// The key that a row gives.
    fn key_text(&self, key: Key, row: RowIndex) -> &'a str {
        let value = self.plan.request.rows[row].value(key.column());
        value.unwrap_or_default()
    }

    fn user(&self, user: UserIndex) -> &'a User {
        &self.plan.request.snapshot.users()[user]
    }

    fn number(&self, row: RowIndex) -> u32 {
        self.plan.request.rows[row].number
    }
}

/// Returns `true` if a value is not found because the cell of an optional column has a word for "no value".
fn is_optional_placeholder(finding: Finding, value: &str) -> bool {
    let names_nothing = match finding {
        Finding::Unknown { named, .. } => !named.column().is_required(),
        Finding::SupervisorNotFound | Finding::SupervisorNear { .. } => true,
        _ => false,
    };
    names_nothing && is_placeholder(value)
}

//! Puts findings into words that an administrator can act on (semantics §6). Needs only the plan, not the state
//! of the judgement.

use std::borrow::Cow;

use super::decision::Outcome;
use super::identity::replaced_columns;
use crate::domain::{
    Column, ColumnSet, Issue, IssueCode, Pattern, Severity, Status, User, first_invisible,
    first_typographic, fold, is_placeholder, shown,
};
use crate::plan::Plan;
use crate::plan::index::{FinalUser, Key, RowIndex, UserIndex};
use crate::plan::judge::{Circle, Finding, Named, is_kept};
use crate::plan::order::new_external_id;

/// The most offers that a message names if none is near.
const NAMED: usize = 5;

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
        let wording = Wording { plan: self };
        let found = self.found(row);
        let mut issues: Vec<Issue> = own
            .chain(found.map(|finding| wording.word(row, finding)))
            .collect();
        if let Some(&count) = self.waiting.get(&row)
            && let Some(error) = issues.iter_mut().find(|issue| issue.is_error())
        {
            error.message = format!("{} {}", error.message, waiting(count)).into();
        }
        issues
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
    format!("{message} It stands, because the user has it already.")
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
struct Wording<'a> {
    plan: &'a Plan,
}

impl<'a> Wording<'a> {
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
                "The cell holds U+{unseen:04X}, which nobody sees and which is no part of the value."
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

    /// Returns the sentence. `named` is the column and its value; most sentences begin with it.
    fn say(&self, row: RowIndex, finding: Finding, named: &str, value: &str) -> String {
        match finding {
            _ if is_optional_placeholder(finding, value) => placeholder(named, finding),
            Finding::Unknown { named: kind, near } => self.unknown(kind, near, named),
            Finding::GroupInactive { kept: true } => {
                said_to_stand(&format!("{named} is inactive."))
            }
            Finding::GroupInactive { kept: false } => {
                format!("{named} is inactive; give an active group.")
            }
            Finding::UserProtected => format!(
                "{named} would deactivate user \"{}\", who is protected; keep the user Active, or end \
                 the protection first.",
                self.external_id(FinalUser::Row(row))
            ),
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
            Finding::RoleNotGrantable => format!(
                "{named} is a privileged role, which needs the permission users.grant-privileged to \
                 give; ask an administrator who has it."
            ),
            Finding::UserNotChangeable => format!(
                "User \"{}\" has a privileged role, and changing the user needs the permission \
                 users.grant-privileged; ask an administrator who has it.",
                self.external_id(FinalUser::Row(row))
            ),
            Finding::DeactivationNotPermitted => format!(
                "{named} would deactivate the user, which needs the permission users.deactivate; \
                 import with a credential that has it."
            ),
            Finding::IdentityReplaced => self.identity_replaced(row),
            _ => self.of_supervisor(finding, named, value),
        }
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
                "{named} has a question mark, as programs write it for a letter that they have lost; if one is lost, \
                 correct the name where the file comes from, and export it as UTF-8."
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
        let pattern = self.plan.request.pattern(key).map_or("", Pattern::as_str);
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
                "{named} is nobody's email, as row {} was rejected.",
                self.number(row)
            ),
            Finding::SupervisorRenamed { row } => format!(
                "{named} is nobody's email after this import, as row {}{RENAMES}\"{}\"; write that.",
                self.number(row),
                self.email(FinalUser::Row(row))
            ),
            Finding::SupervisorNear { email } => format!(
                "{named} is nobody's email; did you mean \"{}\"?",
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
                "{named} is nobody's email, and seems to name the row's own user; leave the cell blank if the user has \
                 no supervisor."
            ),
            Finding::SupervisorCycle { circle } => format!(
                "{named} closes a circle: {}. Give another supervisor.",
                self.path(self.plan.findings.circle(circle))
            ),
            Finding::SupervisorInactive => supervisor_inactive(named),
            _ => format!("{named} is nobody's email; correct it, or add that user to the file."),
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

    fn unknown(&self, kind: Named, near: Option<u16>, named: &str) -> String {
        let catalog = &self.plan.request.catalog;
        let noun = kind.noun();
        let advice = if let Some(near) = near {
            format!("did you mean \"{}\"?", kind.name(catalog, near))
        } else {
            let offers = kind.offers(catalog).map(|(_, name)| name);
            let offers: Vec<&str> = offers.take(NAMED + 1).collect();
            advice(noun, &offers)
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
                ", whose EXTERNAL_ID differs from this row's \"{given}\" by case alone; {write}."
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

    /// Returns the directory's user that `person` is, or `None` if `person` is a new user.
    fn subject(&self, person: FinalUser) -> Option<UserIndex> {
        match person {
            FinalUser::User(user) => Some(user),
            FinalUser::Row(row) => self.plan.request.directory.user_of(row),
        }
    }

    /// Returns a circle of supervisors as text, by their emails.
    fn path(&self, circle: &Circle) -> String {
        let shown = circle.shown.iter().flatten();
        let mut shown: Vec<&str> = shown.map(|&person| self.email(person)).collect();
        let first = shown.first().copied();
        shown.extend(circle.has_more.then_some("…"));
        shown.extend(first);
        shown.join(" → ")
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
        &self.plan.request.directory.users()[user]
    }

    fn number(&self, row: RowIndex) -> u32 {
        self.plan.request.rows[row].number
    }
}

/// Says that a value equals another user's except for leading zeros; `named` is the column and the value.
pub(crate) fn zeros_lost(named: &str, existing: &str) -> String {
    format!(
        "{named} equals the existing \"{existing}\" but for leading zeros; if a spreadsheet changed \
         them, format the column as text."
    )
}

/// Says that a value equals another row's except for leading zeros; `named` is the column and the value.
fn zeros_differ(named: &str, other: &str, number: u32) -> String {
    format!(
        "{named} equals \"{other}\" of row {number} but for leading zeros; if a spreadsheet changed one of them, \
         format the column as text."
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

/// Returns `true` if a value is not found because the cell of an optional column has a word for "no value".
fn is_optional_placeholder(finding: Finding, value: &str) -> bool {
    let names_nothing = match finding {
        Finding::Unknown { named, .. } => !named.column().is_required(),
        Finding::SupervisorNotFound | Finding::SupervisorNear { .. } => true,
        _ => false,
    };
    names_nothing && is_placeholder(value)
}

/// Returns the advice about a word for "no value" in an optional column.
fn placeholder(named: &str, finding: Finding) -> String {
    let (is_not, noun) = match finding {
        Finding::Unknown { named, .. } => (
            format!("a {} of this organisation", named.noun()),
            named.noun(),
        ),
        _ => ("anybody's email".to_owned(), "supervisor"),
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

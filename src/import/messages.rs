//! Turns the engine's types into messages of the contract: outcomes, issues, refusals, counts, and the grouping of
//! results into messages of bounded size.

use std::{convert::identity, fmt::Display};

use prost::Message;
use uuid::Uuid;

use super::{ImportError, Refusal, review::UserToDeactivate};
use crate::{
    domain::{Issue, OutcomeCounts, Severity},
    input::Header,
    plan::{Consequence, ConsequenceExample, Outcome},
    proto::{
        self, DeactivatedUser, Deactivations, Import, ImportStarted, ImportSummary, IssueSeverity,
        RowOutcome, RowResult, RowResults, import_users_response::Message as Response,
    },
    store::ImportRecord,
};

/// Encoded size at which a message of results is complete. No message exceeds 1 MiB, since one result has a few
/// dozen KiB at most.
pub(crate) const MESSAGE_BYTES: usize = 256 * 1024;

/// Bytes of text of all refusals in a summary, so that it stays below 1 MiB.
const SUMMARY_BYTES: usize = 512 * 1024;

/// Bytes for the examples of one kind of consequence. Only texts with hundreds of letters beyond ASCII need all of
/// them.
const EXAMPLES_BYTES: usize = 18 * 1024;

/// Bytes of one refusal's subject, and of its message.
const REFUSAL_TEXT_BYTES: usize = 2_000;

/// Copies the six counts of an import from one type to another. Each count goes through `$convert`.
macro_rules! copy_counts {
    ($from:expr => $to:expr, $convert:expr) => {{
        let (from, to, convert) = (&$from, &mut $to, $convert);
        to.created = convert(from.created);
        to.updated = convert(from.updated);
        to.unchanged = convert(from.unchanged);
        to.rejected = convert(from.rejected);
        to.deactivated = convert(from.deactivated);
        to.protected_skipped = convert(from.protected_skipped);
    }};
}

/// The counts of a summary.
#[must_use]
pub(super) fn counts(summary: &ImportSummary) -> OutcomeCounts {
    let mut counts = OutcomeCounts::default();
    copy_counts!(*summary => counts, identity::<u32>);
    counts
}

/// Sets the counts of a summary.
pub(super) fn set_counts(summary: &mut ImportSummary, counts: &OutcomeCounts) {
    copy_counts!(*counts => *summary, identity::<u32>);
}

/// Sets the counts of an import's message.
pub(super) fn set_import_counts(import: &mut Import, counts: &OutcomeCounts) {
    copy_counts!(*counts => *import, identity::<u32>);
}

/// The counts of a record.
#[must_use]
pub(super) fn recorded_counts(record: &ImportRecord) -> OutcomeCounts {
    let mut counts = OutcomeCounts::default();
    copy_counts!(*record => counts, |count| u32::try_from(count).unwrap_or_default());
    counts
}

/// Sets the counts of a record.
pub(super) fn set_recorded_counts(record: &mut ImportRecord, counts: &OutcomeCounts) {
    copy_counts!(*counts => *record, |count| i32::try_from(count).unwrap_or(i32::MAX));
}

/// The outcome of a recorded result.
pub(super) fn outcome(result: &RowResult) -> Outcome {
    match result.outcome() {
        RowOutcome::Created => Outcome::Created,
        RowOutcome::Updated => Outcome::Updated,
        RowOutcome::Unchanged => Outcome::Unchanged,
        RowOutcome::Rejected | RowOutcome::Unspecified => Outcome::Rejected,
    }
}

/// The first response: the import's ID, and how its file is read. A workbook has a `sheet`, and neither charset nor
/// delimiter.
pub(super) fn started(
    import: Uuid,
    resumed: bool,
    header: Option<&Header>,
    sheet: Option<&str>,
) -> Response {
    let of_csv = header.filter(|_| sheet.is_none());
    let started = ImportStarted {
        import_id: import.to_string(),
        resumed,
        charset: of_csv.map_or("", |header| header.charset).to_owned(),
        delimiter: of_csv
            .map(|header| header.delimiter.to_string())
            .unwrap_or_default(),
        sheet: sheet.unwrap_or_default().to_owned(),
        ..ImportStarted::default()
    };
    Response::Started(match header {
        None => started,
        Some(header) => ImportStarted {
            columns: header
                .columns
                .iter()
                .map(|c| c.header().to_owned())
                .collect(),
            ignored_columns: header.ignored.clone(),
            ..started
        },
    })
}

/// Groups results into messages of bounded size.
pub(super) fn results(
    results: impl Iterator<Item = RowResult>,
) -> impl Iterator<Item = RowResults> {
    batches(results, RowResult::encoded_len).map(RowResults::new)
}

/// Groups users who are not listed into messages of bounded size.
pub(super) fn deactivations(
    users: impl IntoIterator<Item = UserToDeactivate>,
) -> impl Iterator<Item = Deactivations> {
    let users = users.into_iter().map(|user| DeactivatedUser {
        user_id: user.id.to_string(),
        external_id: user.external_id,
        email: user.email,
    });
    batches(users, DeactivatedUser::encoded_len).map(|users| Deactivations { users })
}

/// The users of a recorded message.
pub(super) fn recorded_users(payload: &[u8]) -> Result<Vec<UserToDeactivate>, ImportError> {
    let broken = |error: &dyn Display| ImportError::Internal(error.to_string());
    let message = Deactivations::decode(payload).map_err(|error| broken(&error))?;
    let users = message.users.into_iter().map(|user| {
        Ok(UserToDeactivate {
            id: Uuid::try_parse(&user.user_id).map_err(|error| broken(&error))?,
            external_id: user.external_id,
            email: user.email,
        })
    });
    users.collect()
}

/// Groups items until their encoded size reaches [`MESSAGE_BYTES`].
fn batches<T>(
    items: impl Iterator<Item = T>,
    size: impl Fn(&T) -> usize,
) -> impl Iterator<Item = Vec<T>> {
    let mut items = items.peekable();
    std::iter::from_fn(move || {
        items.peek()?;
        let mut batch = Vec::new();
        let mut bytes = 0;
        while bytes < MESSAGE_BYTES
            && let Some(item) = items.next()
        {
            bytes += size(&item);
            batch.push(item);
        }
        Some(batch)
    })
}

impl From<Outcome> for RowOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Created => Self::Created,
            Outcome::Updated => Self::Updated,
            Outcome::Unchanged => Self::Unchanged,
            Outcome::Rejected => Self::Rejected,
        }
    }
}

impl From<&Issue> for proto::Issue {
    fn from(issue: &Issue) -> Self {
        let severity = match issue.severity {
            Severity::Error => IssueSeverity::Error,
            Severity::Warning => IssueSeverity::Warning,
        };
        Self {
            severity: severity.into(),
            // Both enums have the same numbers; a test compares them.
            code: i32::from(issue.code as u8),
            column: issue
                .column
                .map(|c| c.header().to_owned())
                .unwrap_or_default(),
            file_column: issue.file_column.to_string(),
            value: issue.value.to_string(),
            message: issue.message.to_string(),
            suggestion: issue.suggestion.to_string(),
            related_row: issue.related_row.unwrap_or_default(),
            related_external_id: issue.related_external_id.to_string(),
        }
    }
}

/// The consequences for a summary, with the first examples of each kind that fit.
pub(super) fn consequences(found: &[Consequence]) -> Vec<proto::Consequence> {
    let message = |found: &Consequence| {
        let mut room = EXAMPLES_BYTES;
        let examples = found.examples.iter().map(proto::ConsequenceExample::from);
        let fitting = examples.map_while(|example| {
            room = room.checked_sub(example.encoded_len())?;
            Some(example)
        });
        proto::Consequence {
            // Both enums have the same numbers; a test compares them.
            kind: found.kind as i32,
            count: found.count,
            examples: fitting.collect(),
        }
    };
    found.iter().map(message).collect()
}

impl From<&ConsequenceExample> for proto::ConsequenceExample {
    fn from(example: &ConsequenceExample) -> Self {
        Self {
            external_id: example.external_id.clone(),
            email: example.email.clone(),
            detail: example.detail.clone(),
            row: example.row.unwrap_or_default(),
        }
    }
}

/// The refusals for a summary: those that fit into a message, and the number of the others.
#[must_use]
pub(super) fn refusals(refusals: &[Refusal]) -> Vec<proto::Refusal> {
    let mut bytes = 0;
    let fits = |refusal: &proto::Refusal| {
        bytes += refusal.code.len() + refusal.subject.len() + refusal.message.len() + 16;
        bytes <= SUMMARY_BYTES
    };
    let mut listed: Vec<_> = refusals.iter().map(Into::into).take_while(fits).collect();
    let hidden = refusals.len() - listed.len();
    if hidden > 0 {
        listed.push(proto::Refusal {
            code: "MORE_REFUSALS".to_owned(),
            subject: String::new(),
            message: format!("{hidden} more do not fit here; correct these first."),
        });
    }
    listed
}

impl From<&Refusal> for proto::Refusal {
    fn from(refusal: &Refusal) -> Self {
        let cut = |text: &str| text[..text.floor_char_boundary(REFUSAL_TEXT_BYTES)].to_owned();
        Self {
            code: refusal.code.to_owned(),
            subject: cut(&refusal.subject),
            message: cut(&refusal.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{audit, domain};

    use super::*;

    /// Compares the variants of one of the engine's enums, all of which are listed, with those of the contract.
    macro_rules! same_numbers {
        ($ours:ty, $theirs:ty: $($name:ident)*) => {{
            let listed = |value: $ours| match value { $(<$ours>::$name => ()),* };
            let numbers = [$((<$ours>::$name as i32, <$theirs>::$name as i32)),*];
            for (ours, theirs) in numbers {
                assert_eq!(ours, theirs);
            }
            let next = 1 + i32::try_from(numbers.len()).unwrap();
            assert!(<$theirs>::try_from(next).is_err());
            let _ = listed;
        }};
    }

    #[test]
    fn the_engine_and_the_contract_have_the_same_numbers() {
        same_numbers!(domain::ImportState, proto::ImportState:
            Receiving Applying Completed Refused Interrupted Cancelled Held);
        same_numbers!(domain::ImportPhase, proto::ImportPhase:
            Receiving Planning Applying Deactivating);
        same_numbers!(crate::plan::ConsequenceKind, proto::ConsequenceKind:
            ReportsLoseSupervisor PrivilegedRoleGained PrivilegedRoleLost RoleLeftEmpty
            SignInChanged Reactivated IdentityReplaced);
        same_numbers!(audit::AuditAction, proto::AuditAction:
            OrganizationCreated CatalogUpdated UserProtectionChanged UsersExported ImportPreviewed
            ImportRefused ImportBegun ImportResumed ImportCancelRequested ImportEnded TokenCreated
            TokenRevoked CallDenied PrivilegedRolesGranted EventsArchived MappingSaved MappingDeleted
            ImportHeld ImportApproved ImportDiscarded ImportHoldExpired);
        same_numbers!(audit::AuditOutcome, proto::AuditOutcome:
            Done Refused Completed Cancelled Interrupted);
        same_numbers!(domain::IssueCode, proto::IssueCode:
            Required TooLong FieldCount InvalidEncoding InvalidCharacter InvalidEmail InvalidStatus
            InvalidPhone InvalidUsername ScientificNotation LeadingZerosLost TemplateExample
            UnknownRole UnknownRank UnknownGroup InactiveGroup ExternalIdTaken EmailTaken
            BadgeNumberTaken UsernameTaken DuplicateInFile SupervisorNotFound SupervisorIsSelf
            SupervisorCycle SupervisorInactive DependsOnRejectedRow ProtectedUser LocationIgnored
            ChangedConcurrently RoleNotGrantable DeactivationNotPermitted StrayQuote
            PlaceholderValue ExportArtifact GarbledText PhoneRegionAssumed IdentityReplaced
            InvalidFormat NotARow MappingFailed EditedSince);
    }

    #[test]
    fn the_longest_texts_of_consequences_leave_room_for_the_rest_of_a_summary() {
        use crate::plan::ConsequenceKind as Kind;
        let kinds = [
            Kind::ReportsLoseSupervisor,
            Kind::PrivilegedRoleGained,
            Kind::PrivilegedRoleLost,
            Kind::RoleLeftEmpty,
            Kind::SignInChanged,
            Kind::Reactivated,
            Kind::IdentityReplaced,
        ];
        let found = |letter: &str| {
            let example = ConsequenceExample {
                external_id: letter.repeat(255),
                email: "x".repeat(254),
                detail: letter.repeat(255),
                row: Some(u32::MAX),
            };
            let found = kinds.map(|kind| Consequence {
                kind,
                count: u32::MAX,
                examples: vec![example.clone(); 20],
            });
            consequences(&found)
        };
        assert!(found("x").iter().all(|found| found.examples.len() == 20));
        let longest = found("\u{10348}");
        let bytes: usize = longest.iter().map(Message::encoded_len).sum();
        assert!(bytes <= 128 * 1024, "{bytes}");
        assert!(longest.iter().all(|found| found.examples.len() > 5));
    }

    #[test]
    fn a_state_is_read_as_it_is_stored() {
        use domain::ImportState as State;
        for state in [
            State::Receiving,
            State::Applying,
            State::Completed,
            State::Refused,
            State::Interrupted,
            State::Cancelled,
            State::Held,
        ] {
            assert_eq!(State::from_number(state.into()), state);
        }
    }
}

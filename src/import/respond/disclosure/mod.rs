//! Removes data about other users that a reader may not see from an answer (semantics §6).
//!
//! Plans, records and stored answers are complete. Each answer passes here on its way to one caller, whether it
//! is live, replayed or watched. Which data a reader may see is decided in
//! [`crate::access::DisclosureScope`].

mod issue;

use std::collections::HashSet;

use crate::import::{ImportError, Refusal, review::guard};
use crate::{
    access::{DisclosureScope, ResultAudience},
    proto::{
        self, Consequence, ConsequenceKind, DeactivatedUser, Deactivations, Import, ImportSummary,
        RowResult, RowResults, import_users_response::Message,
    },
};

/// The answer as its reader may see it now. The credential is not checked again for an answer to the submitter
/// without data about other users.
///
/// # Errors
/// Fails if the answer is an error, or if the reader may no longer watch the import.
pub(crate) async fn disclose(
    answer: Result<Message, ImportError>,
    audience: &ResultAudience,
) -> Result<Message, ImportError> {
    let tells_of_others = match &answer {
        Ok(message) => message_tells_of_others(message),
        Err(error) => matches!(
            error,
            ImportError::Refused(_) | ImportError::Held(..) | ImportError::Recorded(..)
        ),
    };
    if !tells_of_others && !audience.watches_another() && !audience.is_undo() {
        return answer;
    }
    match (audience.disclosure().await?, answer) {
        (DisclosureScope::AllUsers, answer) => answer,
        (DisclosureScope::OwnRoster, Ok(message)) => match audience.is_undo() {
            true => message_of_undo(message),
            false => message_without_others(message),
        },
        (DisclosureScope::OwnRoster, Err(error)) => Err(error_without_others(error)),
    }
}

/// Removes data about other users from a refusal's message.
#[must_use]
pub(crate) fn text_without_others(message: &str) -> String {
    guard::without_active_users(message)
}

fn error_without_others(error: ImportError) -> ImportError {
    let without = |refusal: Refusal| Refusal {
        message: text_without_others(&refusal.message),
        ..refusal
    };
    match error {
        ImportError::Refused(refusals) => {
            ImportError::Refused(refusals.into_iter().map(without).collect())
        }
        ImportError::Held(import, until, refusals) => {
            ImportError::Held(import, until, refusals.into_iter().map(without).collect())
        }
        ImportError::Recorded(answer, _) => {
            ImportError::Recorded(answer, DisclosureScope::OwnRoster)
        }
        other => other,
    }
}

/// An import's record for a caller who may not read users. If the caller does not `own` the import, only its state and
/// its counts are left.
#[must_use]
pub(crate) fn record_without_others(import: Import, owns: bool) -> Import {
    let mut import = import;
    if !owns {
        import.source.clear();
        import.principal.clear();
        import.input_sha256.clear();
        import.plan_digest.clear();
        import.refusals.clear();
        import.warnings.clear();
        for found in &mut import.consequences {
            found.examples.clear();
        }
    }
    refusals_without_others(&mut import.refusals);
    consequences_without_others(&mut import.consequences);
    import.warnings = issues_without_others(import.warnings);
    import
}

fn message_tells_of_others(message: &Message) -> bool {
    match message {
        Message::Started(_) | Message::Progress(_) => false,
        Message::Results(results) => results.have_issues_or_values(),
        Message::Deactivations(_) => true,
        Message::Summary(summary) => {
            !(summary.warnings.is_empty()
                && summary.refusals.is_empty()
                && summary.consequences.is_empty())
        }
    }
}

fn message_without_others(message: Message) -> Result<Message, ImportError> {
    Ok(match message {
        Message::Results(results) => {
            let decoded = results.into_results();
            let decoded = decoded.map_err(|error| ImportError::Internal(error.to_string()))?;
            let results = decoded.into_iter().map(result_without_others);
            Message::Results(RowResults::new(results.collect()))
        }
        Message::Deactivations(Deactivations { users }) => Message::Deactivations(Deactivations {
            users: users.into_iter().map(user_without_data).collect(),
        }),
        Message::Summary(mut summary) => {
            let warnings = std::mem::take(&mut summary.warnings);
            let warnings = issues_without_others(warnings);
            refusals_without_others(&mut summary.refusals);
            consequences_without_others(&mut summary.consequences);
            Message::Summary(ImportSummary {
                warnings,
                ..summary
            })
        }
        message @ (Message::Started(_) | Message::Progress(_)) => message,
    })
}

/// The rows of an undo are data about other users: no example of a consequence is from the caller's own roster.
fn message_of_undo(message: Message) -> Result<Message, ImportError> {
    match message {
        Message::Results(results) => results_of_undo(results),
        Message::Summary(mut summary) => {
            for consequence in &mut summary.consequences {
                consequence.examples.clear();
            }
            message_without_others(Message::Summary(summary))
        }
        message => message_without_others(message),
    }
}

/// The results of an undo name users by ID only, and its issues do not quote the values that the users had.
fn results_of_undo(results: RowResults) -> Result<Message, ImportError> {
    let decoded = results.into_results();
    let decoded = decoded.map_err(|error| ImportError::Internal(error.to_string()))?;
    let reported = decoded.into_iter().map(|result| RowResult {
        external_id: String::new(),
        issues: result.issues.iter().map(issue::of_undo).collect(),
        ..result_without_others(result.clone())
    });
    Ok(Message::Results(RowResults::new(reported.collect())))
}

fn result_without_others(mut result: RowResult) -> RowResult {
    for change in &mut result.changes {
        change.before = None;
        change.after = None;
    }
    let issues = result.issues.into_iter().map(issue::without_others);
    RowResult {
        issues: issues.collect(),
        ..result
    }
}

/// A deactivated user is reported by ID only.
fn user_without_data(user: DeactivatedUser) -> DeactivatedUser {
    DeactivatedUser {
        user_id: user.user_id,
        ..DeactivatedUser::default()
    }
}

fn refusals_without_others(refusals: &mut [proto::Refusal]) {
    for refusal in refusals {
        refusal.message = text_without_others(&refusal.message);
    }
}

/// The counts stay. Examples that are about a row of the roster stay too, without the values that the user had before.
fn consequences_without_others(consequences: &mut [Consequence]) {
    for found in consequences {
        let tells_own = match found.kind() {
            ConsequenceKind::PrivilegedRoleGained
            | ConsequenceKind::SignInChanged
            | ConsequenceKind::Reactivated
            | ConsequenceKind::IdentityReplaced => true,
            ConsequenceKind::ReportsLoseSupervisor
            | ConsequenceKind::PrivilegedRoleLost
            | ConsequenceKind::RoleLeftEmpty
            | ConsequenceKind::Unspecified => false,
        };
        found.examples.retain(|example| example.row != 0);
        for example in found.examples.iter_mut().filter(|_| !tells_own) {
            example.detail.clear();
        }
    }
}

/// Without names, several issues may have the same message. They are reported once, since their number is data
/// about other users too.
fn issues_without_others(issues: Vec<proto::Issue>) -> Vec<proto::Issue> {
    let issues = issues.into_iter().map(issue::without_others);
    let mut said = HashSet::new();
    issues
        .filter(|issue| issue.related_row != 0 || said.insert((issue.code, issue.message.clone())))
        .collect()
}

#[cfg(test)]
mod tests;

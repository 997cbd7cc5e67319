//! The answers of an import, and their short text, so that a test reads as rows in, results out.

use std::fmt;

use prost::Message as _;
use tonic::{Code, Status, Streaming};
use user_import::proto::{
    DeactivatedUser, ImportStarted, ImportSummary, ImportUsersResponse, Issue, IssueSeverity,
    RowOutcome, RowResult, UndoImportResponse, WatchImportResponse, import_users_response::Message,
    undo_import_response::Message as Undone, watch_import_response::Message as Watched,
};

/// Largest size of a response (api.md), in bytes.
const MAX_RESPONSE: usize = 1024 * 1024;

/// All messages of an import's response stream, and the status at its end.
///
/// Its `Display` is one line for each row, in row order, then the deactivated users, the summary, and the status if it
/// is not OK:
///
/// ```text
/// 1 CREATED ada
/// 2 UPDATED bob: EMAIL, PHONE
/// 3 UNCHANGED carol [warning: SUPERVISOR_INACTIVE]
/// 4 REJECTED dan [EMAIL_TAKEN user eve, DEPENDS_ON_REJECTED_ROW row 6]
/// deactivated: fay
/// COMPLETED: 4 rows, 1 created, 1 updated, 1 unchanged, 1 rejected, 1 deactivated
/// ```
#[derive(Debug)]
pub struct ImportResponses {
    /// Every `started` message.
    pub started: Vec<ImportStarted>,
    /// Number of progress messages.
    pub progress: usize,
    /// In row order. Two results for one row keep the order of arrival.
    pub results: Vec<RowResult>,
    /// In the order of external IDs.
    pub deactivations: Vec<DeactivatedUser>,
    /// `None` if the stream ended without a summary.
    pub summary: Option<ImportSummary>,
    /// `Code::Ok` if the stream ended well.
    pub status: Status,
}

impl ImportResponses {
    /// Reads a response stream to its end. Panics if a message follows the summary.
    pub async fn collect(responses: Result<Streaming<ImportUsersResponse>, Status>) -> Self {
        let content = |response: ImportUsersResponse| response.message;
        Self::empty().and_all(responses, content).await
    }

    /// Does the same for the stream of an import that is watched.
    pub async fn watched(responses: Result<Streaming<WatchImportResponse>, Status>) -> Self {
        let content = |response: WatchImportResponse| {
            Some(match response.message? {
                Watched::Started(started) => Message::Started(started),
                Watched::Progress(progress) => Message::Progress(progress),
                Watched::Results(results) => Message::Results(results),
                Watched::Deactivations(users) => Message::Deactivations(users),
                Watched::Summary(summary) => Message::Summary(summary),
            })
        };
        Self::empty().and_all(responses, content).await
    }

    /// Does the same for the stream of an undo.
    pub async fn undone(responses: Result<Streaming<UndoImportResponse>, Status>) -> Self {
        let content = |response: UndoImportResponse| {
            Some(match response.message? {
                Undone::Started(started) => Message::Started(started),
                Undone::Progress(progress) => Message::Progress(progress),
                Undone::Results(results) => Message::Results(results),
                Undone::Deactivations(users) => Message::Deactivations(users),
                Undone::Summary(summary) => Message::Summary(summary),
            })
        };
        Self::empty().and_all(responses, content).await
    }

    /// Reads up to the first message with results, or to the end.
    pub async fn first_results(responses: &mut Streaming<ImportUsersResponse>) -> Self {
        let mut imported = Self::empty();
        while imported.results.is_empty() {
            match responses.message().await {
                Ok(Some(response)) => imported.take(response.message),
                Ok(None) => break,
                Err(status) => {
                    imported.status = status;
                    break;
                }
            }
        }
        imported
    }

    /// Returns these answers together with the rest of the stream.
    pub async fn and_rest(self, responses: Streaming<ImportUsersResponse>) -> Self {
        if self.code() != Code::Ok {
            return self;
        }
        self.and_all(Ok(responses), |response| response.message)
            .await
    }

    pub(crate) async fn and_all<T>(
        mut self,
        responses: Result<Streaming<T>, Status>,
        content: impl Fn(T) -> Option<Message>,
    ) -> Self {
        if let Err(status) = self.receive(responses, content).await {
            self.status = status;
        }
        self.results.sort_by_key(|result| result.row);
        let users = &mut self.deactivations;
        users.sort_by(|a, b| a.external_id.cmp(&b.external_id));
        self
    }

    pub(crate) fn empty() -> Self {
        Self {
            started: Vec::new(),
            progress: 0,
            results: Vec::new(),
            deactivations: Vec::new(),
            summary: None,
            status: Status::ok(""),
        }
    }

    async fn receive<T>(
        &mut self,
        responses: Result<Streaming<T>, Status>,
        content: impl Fn(T) -> Option<Message>,
    ) -> Result<(), Status> {
        let mut responses = responses?;
        while let Some(response) = responses.message().await? {
            self.take(content(response));
        }
        Ok(())
    }

    fn take(&mut self, message: Option<Message>) {
        assert!(self.summary.is_none(), "{message:?} follows the summary");
        let response = ImportUsersResponse { message };
        let bytes = response.encoded_len();
        assert!(bytes <= MAX_RESPONSE, "a response has {bytes} bytes");
        match response.message.expect("every response has a message") {
            Message::Started(started) => self.started.push(started),
            Message::Progress(_) => self.progress += 1,
            Message::Results(results) => self.results.extend(results.results),
            Message::Deactivations(users) => self.deactivations.extend(users.users),
            Message::Summary(summary) => self.summary = Some(summary),
        }
    }

    /// Returns the only result of row `number`.
    pub fn row(&self, number: u32) -> &RowResult {
        let mut of_row = self.results.iter().filter(|result| result.row == number);
        match (of_row.next(), of_row.next()) {
            (Some(result), None) => result,
            _ => panic!("row {number} has not exactly one result:\n{self}"),
        }
    }

    /// Returns the external IDs of the users that were deactivated as missing.
    pub fn deactivated(&self) -> Vec<&str> {
        let users = self.deactivations.iter();
        users.map(|user| &*user.external_id).collect()
    }

    /// Returns the sentences for the administrator about row `number`.
    pub fn messages(&self, number: u32) -> Vec<&str> {
        let issues = &self.row(number).issues;
        issues.iter().map(|issue| issue.message.as_str()).collect()
    }

    /// Returns the summary, with which every started import ends.
    pub fn summary(&self) -> &ImportSummary {
        let summary = self.summary.as_ref();
        summary.unwrap_or_else(|| panic!("no summary:\n{self}"))
    }

    /// Returns the status code at the end of the stream.
    pub fn code(&self) -> Code {
        self.status.code()
    }

    /// Returns the import's ID from the `started` message.
    pub fn import_id(&self) -> &str {
        let started = self.started.first();
        started.map_or_else(|| panic!("not started:\n{self}"), |s| &s.import_id)
    }
}

impl fmt::Display for ImportResponses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for result in &self.results {
            write_result(f, result)?;
        }
        for user in &self.deactivations {
            writeln!(f, "deactivated: {}", user.external_id)?;
        }
        if let Some(summary) = &self.summary {
            write_summary(f, summary)?;
        }
        if self.code() != Code::Ok {
            writeln!(f, "{:?}: {}", self.code(), self.status.message())?;
        }
        Ok(())
    }
}

fn write_result(f: &mut fmt::Formatter<'_>, result: &RowResult) -> fmt::Result {
    let outcome = word(result.outcome().as_str_name(), "ROW_OUTCOME_");
    write!(f, "{} {outcome} {}", result.row, result.external_id)?;
    // The columns of a created user are the columns of its row, so the text leaves them out.
    if result.outcome() == RowOutcome::Updated {
        let columns = result.changes.iter().map(|change| change.column.clone());
        write!(f, ": {}", listed(columns))?;
    }
    if !result.issues.is_empty() {
        write!(f, " [{}]", listed(result.issues.iter().map(issue_words)))?;
    }
    writeln!(f)
}

fn write_summary(f: &mut fmt::Formatter<'_>, summary: &ImportSummary) -> fmt::Result {
    let state = word(summary.state().as_str_name(), "IMPORT_STATE_");
    write!(f, "{state}: {} rows", summary.rows)?;
    for (count, what) in [
        (summary.created, "created"),
        (summary.updated, "updated"),
        (summary.unchanged, "unchanged"),
        (summary.rejected, "rejected"),
        (summary.deactivated, "deactivated"),
        (summary.protected_skipped, "protected"),
    ] {
        if count != 0 {
            write!(f, ", {count} {what}")?;
        }
    }
    writeln!(f)?;
    for refusal in &summary.refusals {
        writeln!(f, "refused: {} {}", refusal.code, refusal.subject)?;
    }
    for warning in &summary.warnings {
        writeln!(f, "{}", issue_words(warning))?;
    }
    Ok(())
}

/// Returns `warning: CODE row 2 user ada`, without the parts that the issue does not state.
fn issue_words(issue: &Issue) -> String {
    let warning = match issue.severity() {
        IssueSeverity::Warning => "warning: ",
        _ => "",
    };
    let code = word(issue.code().as_str_name(), "ISSUE_CODE_");
    let row = match issue.related_row {
        0 => String::new(),
        row => format!(" row {row}"),
    };
    let user = match issue.related_external_id.as_str() {
        "" => String::new(),
        external_id => format!(" user {external_id}"),
    };
    format!("{warning}{code}{row}{user}")
}

fn listed(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// Returns an enum value's name without the enum's own name.
fn word<'a>(name: &'a str, prefix: &str) -> &'a str {
    name.strip_prefix(prefix).unwrap_or(name)
}

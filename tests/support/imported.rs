//! What an import answered, and its short text, so that a test reads as rows in, results out.

use std::fmt;

use prost::Message as _;
use tonic::{Code, Status, Streaming};
use user_import::proto::{
    DeactivatedUser, ImportStarted, ImportSummary, ImportUsersResponse, Issue, IssueSeverity,
    RowOutcome, RowResult, WatchImportResponse, import_users_response::Message,
    watch_import_response::Message as Watched,
};

/// No response is larger (api.md), in bytes.
const MAX_RESPONSE: usize = 1024 * 1024;

/// Everything that came on an import's response stream, and how the stream ended.
///
/// Its `Display` is one line for each row, in row order, then the deactivated users, the summary,
/// and the status where it is not OK:
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
pub struct Imported {
    /// `started`, as often as it came.
    pub started: Vec<ImportStarted>,
    /// Number of progress messages.
    pub progress: usize,
    /// In row order; in order of arrival where a row came twice.
    pub results: Vec<RowResult>,
    /// By external ID.
    pub deactivations: Vec<DeactivatedUser>,
    /// `None`: the stream ended without one.
    pub summary: Option<ImportSummary>,
    /// `Code::Ok` where the stream ended well.
    pub status: Status,
}

impl Imported {
    /// Reads a response stream to its end; panics where a message follows the summary.
    pub async fn collect(responses: Result<Streaming<ImportUsersResponse>, Status>) -> Self {
        let content = |response: ImportUsersResponse| response.message;
        Self::empty().and_all(responses, content).await
    }

    /// The same for an import that is watched.
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

    /// Reads up to the first message that has results, or to the end.
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

    /// What came before, and the rest of the stream.
    pub async fn and_rest(self, responses: Streaming<ImportUsersResponse>) -> Self {
        if self.code() != Code::Ok {
            return self;
        }
        self.and_all(Ok(responses), |response| response.message)
            .await
    }

    async fn and_all<T>(
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

    fn empty() -> Self {
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

    /// The one result of row `number`.
    pub fn row(&self, number: u32) -> &RowResult {
        let mut of_row = self.results.iter().filter(|result| result.row == number);
        match (of_row.next(), of_row.next()) {
            (Some(result), None) => result,
            _ => panic!("row {number} has not exactly one result:\n{self}"),
        }
    }

    /// The sentences that an administrator reads about row `number`.
    pub fn messages(&self, number: u32) -> Vec<&str> {
        let issues = &self.row(number).issues;
        issues.iter().map(|issue| issue.message.as_str()).collect()
    }

    /// The summary, which every import that has started ends with.
    pub fn summary(&self) -> &ImportSummary {
        let summary = self.summary.as_ref();
        summary.unwrap_or_else(|| panic!("no summary:\n{self}"))
    }

    /// How the stream ended.
    pub fn code(&self) -> Code {
        self.status.code()
    }

    /// The import's ID, as `started` said it.
    pub fn import_id(&self) -> &str {
        let started = self.started.first();
        started.map_or_else(|| panic!("not started:\n{self}"), |s| &s.import_id)
    }
}

impl fmt::Display for Imported {
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
    // A created user's columns are those of its row: nothing that a reader would miss.
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

/// `warning: CODE row 2 user ada`, as far as they are stated.
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

/// An enum value's name without the enum's.
fn word<'a>(name: &'a str, prefix: &str) -> &'a str {
    name.strip_prefix(prefix).unwrap_or(name)
}

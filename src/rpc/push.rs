//! `PushUsers`: an import of a few typed rows as one call.
//!
//! The import is the one that `ImportUsers` runs. This module turns the request into the messages of that stream, and
//! collects the responses into one answer of bounded size. It knows nothing about rows or about how they are judged.

use futures_util::StreamExt;
use prost::Message as _;
use tokio_stream::iter;
use tonic::Status;

use super::{
    inbound_messages::{WireBytes, expect_ratio},
    status,
};
use crate::{
    access::ResultAudience,
    import::{ImportError, Refusal, RequestStream, ResponseStream, respond::disclosure::disclose},
    proto::{
        CsvFormat, Deactivations, ImportFinish, ImportStart, Issue, IssueSeverity,
        PushUsersRequest, PushUsersResponse, RowResult, RowResults, UserRow, UserRows,
        WorkbookFormat, import_users_request::Message as Request,
        import_users_response::Message as Response,
    },
};

/// Most rows of one push.
const MAX_ROWS: usize = 1_000;

/// Most bytes of an answer, as of every response of an import.
const MAX_BYTES: usize = 1024 * 1024;

/// Bytes in memory for each byte of the encoded answer.
const DECODED: usize = 4;

/// Bytes that the result of one row has at most.
const RESULT_BYTES: usize = 64 * 1024;

/// Takes a part of a result away.
type ResultShortening = fn(&mut RowResult);

/// The parts that results lose, one after another, if the answer is too large. The rest fits if names have a usual
/// length.
const SHORTENINGS: [ResultShortening; 2] = [drop_values, keep_first_issue];

/// A push whose request can be used.
#[derive(Debug)]
pub(super) struct AcceptedPush {
    start: ImportStart,
    rows: Vec<UserRow>,
}

impl AcceptedPush {
    /// Before the import begins, checks that the push has no options that only an import may have. `wire` counts the
    /// bytes that the request had on the wire.
    ///
    /// # Errors
    /// Fails with every reason at once.
    pub(super) fn parse(
        request: PushUsersRequest,
        wire: &WireBytes,
        compression_ratio: u64,
    ) -> Result<Self, Status> {
        let bounded = expect_ratio(request.encoded_len() as u64, wire, compression_ratio);
        bounded.map_err(|error| status::from_import(&error))?;
        let PushUsersRequest { start, rows } = request;
        let Some(start) = start else {
            return Err(status::no_start());
        };
        let mut faults = Vec::new();
        if start
            .csv
            .as_ref()
            .is_some_and(|csv| *csv != CsvFormat::default())
        {
            let message = "A push has typed rows, so csv has no meaning here: leave it out, or \
                send the file with ImportUsers.";
            faults.push(Refusal::invalid("CSV_OPTIONS", "start.csv", message));
        }
        let workbook = start.workbook.as_ref();
        if workbook.is_some_and(|workbook| *workbook != WorkbookFormat::default()) {
            let message = "A push has typed rows, so workbook has no meaning here: leave it out, \
                or send the workbook with ImportUsers.";
            faults.push(Refusal::invalid("CSV_OPTIONS", "start.workbook", message));
        }
        if rows.len() > MAX_ROWS {
            faults.push(too_many_rows(rows.len()));
        }
        match faults.is_empty() {
            true => Ok(Self { start, rows }),
            false => Err(status::refused(&faults)),
        }
    }

    /// Bytes in memory that its collected answer has at most.
    pub(super) fn answer_bytes(&self) -> usize {
        let deactivates = self.start.deactivate_missing.is_some();
        let rows = match deactivates {
            true => MAX_ROWS,
            false => self.rows.len(),
        };
        DECODED * MAX_BYTES.min(rows * RESULT_BYTES)
    }

    /// The messages that a client of `ImportUsers` would send.
    pub(super) fn messages(self) -> impl RequestStream {
        let Self { start, rows } = self;
        let messages = [
            Request::Start(start),
            Request::Rows(UserRows { rows }),
            Request::Finish(ImportFinish::default()),
        ];
        iter(messages.map(|message| Ok(Some(message))))
    }
}

fn too_many_rows(rows: usize) -> Refusal {
    let message = format!(
        "A push has at most {MAX_ROWS} rows, and this one has {rows}: send fewer, or import them with \
         ImportUsers."
    );
    Refusal::limit("TOO_MANY_ROWS", "rows", message)
}

/// Collects the responses of a push's import until it ends, and answers as `audience` may see it.
///
/// # Errors
/// Fails with the status that the import ends with, or if even the shortened answer is too large.
pub(super) async fn answer(
    mut responses: ResponseStream,
    audience: &ResultAudience,
) -> Result<PushUsersResponse, Status> {
    let mut collected = CollectedResponses::default();
    let mut end = Ok(());
    while let Some(response) = responses.next().await {
        end = response.and_then(|response| collected.add(response));
        if end.is_err() {
            break;
        }
    }
    if let Err(error) = end {
        end = disclose(Err(error), audience).await.map(drop);
    }
    let answer = disclosed(collected.answer, audience).await;
    let mut answer = answer.map_err(|error| status::from_import(&error))?;
    let failed = match end {
        Err(error) => status::from_import(&error),
        Ok(()) if collected.is_too_large => status::refused(&[answer_too_large()]),
        Ok(()) if answer.summary.is_none() => status::internal(&"a push ended without a summary"),
        Ok(()) => {
            answer.results.sort_unstable_by_key(|result| result.row);
            return Ok(answer);
        }
    };
    Err(match answer.summary {
        Some(summary) => status::with_summary(&failed, summary),
        None => failed,
    })
}

/// The answer as far as it has been collected. It never has many more bytes than one response over the limit.
#[derive(Default)]
struct CollectedResponses {
    answer: PushUsersResponse,
    /// How many of [`SHORTENINGS`] have been applied to its results.
    applied: usize,
    /// The shortened results and the deactivated users were still too large, and have been dropped.
    is_too_large: bool,
}

impl CollectedResponses {
    fn add(&mut self, response: Response) -> Result<(), ImportError> {
        let known = self.answer.results.len();
        put(&mut self.answer, response)?;
        for shorten in &SHORTENINGS[..self.applied] {
            self.answer.results[known..].iter_mut().for_each(shorten);
        }
        while self.is_too_large || self.answer.encoded_len() > MAX_BYTES {
            if let Some(shorten) = SHORTENINGS.get(self.applied) {
                self.answer.results.iter_mut().for_each(shorten);
                self.applied += 1;
                self.answer.shortened = true;
                continue;
            }
            self.is_too_large = true;
            self.answer.results.clear();
            self.answer.deactivations = None;
            break;
        }
        Ok(())
    }
}

/// Adds a response to an answer. Progress has no place there.
fn put(answer: &mut PushUsersResponse, response: Response) -> Result<(), ImportError> {
    match response {
        Response::Started(_) | Response::Progress(_) => {}
        Response::Results(results) => {
            let results = results.into_results();
            let results = results.map_err(|error| ImportError::Internal(error.to_string()))?;
            answer.results.extend(results);
        }
        Response::Deactivations(Deactivations { users }) => {
            let deactivations = answer.deactivations.get_or_insert_default();
            deactivations.users.extend(users);
        }
        Response::Summary(summary) => answer.summary = Some(summary),
    }
    Ok(())
}

/// The answer as its reader may see it now.
async fn disclosed(
    answer: PushUsersResponse,
    audience: &ResultAudience,
) -> Result<PushUsersResponse, ImportError> {
    let mut disclosed = PushUsersResponse {
        shortened: answer.shortened,
        ..PushUsersResponse::default()
    };
    let results = Response::Results(RowResults::new(answer.results));
    let deactivations = answer.deactivations.map(Response::Deactivations);
    let summary = answer.summary.map(Response::Summary);
    for response in [Some(results), deactivations, summary]
        .into_iter()
        .flatten()
    {
        put(&mut disclosed, disclose(Ok(response), audience).await?)?;
    }
    Ok(disclosed)
}

fn drop_values(result: &mut RowResult) {
    for change in &mut result.changes {
        change.before = None;
        change.after = None;
    }
}

/// Keeps the first error, or the first warning if there is no error.
fn keep_first_issue(result: &mut RowResult) {
    let is_error = |issue: &Issue| issue.severity() == IssueSeverity::Error;
    let first = result.issues.iter().position(is_error).unwrap_or(0);
    result.issues.truncate(first + 1);
    result.issues.drain(..first.min(result.issues.len()));
}

fn answer_too_large() -> Refusal {
    let message = "The results and the deactivated users do not fit into one answer of 1 MiB. The \
        import has ended as its summary in the details says, and WatchImport has the results of what \
        was written. Push fewer rows, or use ImportUsers.";
    Refusal::limit("ANSWER_TOO_LARGE", "response", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{ColumnChange, DeactivatedUser, ImportSummary, RowOutcome};

    fn issue(severity: IssueSeverity, message: &str) -> Issue {
        Issue {
            severity: severity.into(),
            message: message.to_owned(),
            ..Issue::default()
        }
    }

    /// A thousand results with this many bytes of values before and after, and of issues.
    fn results(values: usize, issues: usize) -> Response {
        let result = |row| RowResult {
            row,
            outcome: RowOutcome::Rejected.into(),
            changes: vec![ColumnChange {
                column: "EMAIL".to_owned(),
                before: Some("x".repeat(values / 2)),
                after: Some("x".repeat(values / 2)),
            }],
            issues: vec![
                issue(IssueSeverity::Warning, &"x".repeat(issues)),
                issue(IssueSeverity::Error, "first"),
                issue(IssueSeverity::Error, "second"),
            ],
            ..RowResult::default()
        };
        Response::Results(RowResults::new((1..=1_000).map(result).collect()))
    }

    fn collect(responses: impl IntoIterator<Item = Response>) -> CollectedResponses {
        let mut collected = CollectedResponses::default();
        for response in responses {
            collected.add(response).unwrap();
            let bytes = collected.answer.encoded_len();
            assert!(bytes <= MAX_BYTES, "{bytes}");
        }
        collected
    }

    #[test]
    fn an_answer_that_fits_has_everything() {
        let answer = collect([results(100, 100)]).answer;
        assert!(!answer.shortened);
        assert_eq!(answer.results[999].issues.len(), 3);
        assert!(answer.results[999].changes[0].before.is_some());
    }

    #[test]
    fn values_go_first_and_then_all_issues_but_the_first_error() {
        let without_values = collect([results(2_000, 100)]).answer;
        assert!(without_values.shortened);
        for result in &without_values.results {
            assert_eq!((result.issues.len(), &result.changes[0].before), (3, &None));
            assert_eq!(result.changes[0].column, "EMAIL");
        }
        // The results that come later are shortened like those before them.
        let shortest = collect([results(0, 2_000), results(2_000, 100)]).answer;
        assert_eq!(shortest.results.len(), 2_000);
        for result in &shortest.results {
            let messages: Vec<_> = result.issues.iter().map(|issue| &*issue.message).collect();
            assert_eq!((messages, &result.changes[0].after), (vec!["first"], &None));
        }
    }

    #[test]
    fn a_result_without_errors_keeps_its_first_warning_and_one_without_issues_none() {
        let warning = |message| issue(IssueSeverity::Warning, message);
        for (issues, kept) in [
            (vec![warning("a"), warning("b")], vec![warning("a")]),
            (vec![], vec![]),
        ] {
            let mut result = RowResult {
                issues,
                ..RowResult::default()
            };
            keep_first_issue(&mut result);
            assert_eq!(result.issues, kept);
        }
    }

    #[test]
    fn what_cannot_be_shortened_enough_is_dropped_but_the_summary_stays() {
        let user = DeactivatedUser {
            email: "x".repeat(250),
            ..DeactivatedUser::default()
        };
        let users = vec![user; 5_000];
        let deactivations = Response::Deactivations(Deactivations { users });
        let summary = Response::Summary(ImportSummary::default());
        let later = results(0, 0);
        let collected = collect([results(0, 0), deactivations, later, summary]);
        assert!(collected.is_too_large);
        let answer = collected.answer;
        assert!(answer.results.is_empty() && answer.deactivations.is_none());
        assert!(answer.summary.is_some());
    }
}

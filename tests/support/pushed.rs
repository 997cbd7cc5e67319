//! Pushes of a few typed rows, and their answers in the form that the same import's stream would have.

use prost::Message as _;
use tonic::Status;
use user_import::proto::{
    ImportStart, ImportSummary, PushUsersRequest, PushUsersResponse, UserRow,
};

use super::{App, ImportResponses};

/// Most bytes of a push's answer (proto).
const MAX_ANSWER: usize = 1024 * 1024;

/// The type of an import's summary among the details of a status.
const SUMMARY: &str = "type.googleapis.com/userimport.v1.ImportSummary";

impl App {
    /// Pushes these rows.
    pub async fn push(&self, start: ImportStart, rows: Vec<UserRow>) -> ImportResponses {
        let start = Some(start);
        let answer = self.push_users(PushUsersRequest { start, rows }).await;
        ImportResponses::pushed(answer)
    }

    /// Sends exactly this push.
    pub async fn push_users(&self, push: PushUsersRequest) -> Result<PushUsersResponse, Status> {
        let answer = self.imports().push_users(push).await;
        let answer = answer.map(tonic::Response::into_inner);
        let bytes = answer.as_ref().map_or(0, |answer| answer.encoded_len());
        assert!(bytes <= MAX_ANSWER, "the answer has {bytes} bytes");
        answer
    }
}

impl ImportResponses {
    /// The answer of a push. Panics unless an answer without an error has a summary.
    pub fn pushed(answer: Result<PushUsersResponse, Status>) -> Self {
        let mut imported = Self::empty();
        match answer {
            Ok(answer) => {
                assert!(answer.summary.is_some(), "{answer:?}");
                imported.results = answer.results;
                imported.summary = answer.summary;
                let users = answer.deactivations.unwrap_or_default().users;
                imported.deactivations = users;
            }
            Err(status) => {
                imported.summary = summary_in_details(&status);
                imported.status = status;
            }
        }
        let users = &mut imported.deactivations;
        users.sort_by(|a, b| a.external_id.cmp(&b.external_id));
        imported
    }
}

/// The summary among the details of a status, if it has one.
fn summary_in_details(status: &Status) -> Option<ImportSummary> {
    let details = tonic_types::pb::Status::decode(status.details()).expect("details of a status");
    let mut summaries = details.details.iter().filter(|one| one.type_url == SUMMARY);
    let summary = summaries.next()?;
    Some(ImportSummary::decode(&*summary.value).expect("a summary"))
}

//! A push: a few typed rows as one call, with the answers that the stream of the same import has.

use std::io;

use prost::Message as _;
use tonic::Status;

use super::{ClientError, ImportEnd, ServiceClient};
use crate::proto::{
    ImportStarted, ImportSummary, ImportUsersResponse, PushUsersRequest, PushUsersResponse,
    RowResults, import_users_response::Message,
};

/// The type of an import's summary among the details of a status.
const SUMMARY_TYPE: &str = "type.googleapis.com/userimport.v1.ImportSummary";

impl ServiceClient {
    /// Pushes rows, and gives every answer to `on_answer`, as [`ServiceClient::import`] does.
    ///
    /// # Errors
    /// [`ClientError::Output`] if `on_answer` fails. The server's status is in [`ImportEnd::status`].
    pub(crate) async fn push(
        &mut self,
        push: PushUsersRequest,
        mut on_answer: impl FnMut(ImportUsersResponse) -> io::Result<()>,
    ) -> Result<ImportEnd, ClientError> {
        let start = push.start.as_ref();
        let mut ended = ImportEnd {
            import_id: start
                .map(|start| start.import_id.clone())
                .unwrap_or_default(),
            ..ImportEnd::default()
        };
        let answer = match self.imports.push_users(push).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => {
                let summary = summary_in_details(&status);
                ended.status = Some(status);
                PushUsersResponse {
                    summary,
                    ..PushUsersResponse::default()
                }
            }
        };
        ended.shortened = answer.shortened;
        for message in messages(answer) {
            let answer = ImportUsersResponse {
                message: Some(message),
            };
            ended.note(&answer);
            on_answer(answer).map_err(ClientError::Output)?;
        }
        Ok(ended)
    }
}

/// Returns the messages that the stream of the same import would have had. There are none if there is no summary.
fn messages(answer: PushUsersResponse) -> Vec<Message> {
    let Some(summary) = answer.summary else {
        return Vec::new();
    };
    let started = ImportStarted {
        import_id: summary.import_id.clone(),
        ..ImportStarted::default()
    };
    let mut messages = vec![Message::Started(started)];
    if !answer.results.is_empty() {
        messages.push(Message::Results(RowResults::new(answer.results)));
    }
    messages.extend(answer.deactivations.map(Message::Deactivations));
    messages.push(Message::Summary(summary));
    messages
}

/// Returns the summary among the details of a status, or `None`.
fn summary_in_details(status: &Status) -> Option<ImportSummary> {
    let status = tonic_types::pb::Status::decode(status.details()).ok()?;
    let mut details = status.details.iter();
    let summary = details.find(|detail| detail.type_url == SUMMARY_TYPE)?;
    ImportSummary::decode(&*summary.value).ok()
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tonic::{Code, Streaming, async_trait};

    use super::*;
    use crate::{
        client::fake_service::{self, FakeBehaviour},
        proto::{Deactivations, ImportStart, ImportState, ImportUsersRequest, RowResult},
    };

    /// Answers every push like this.
    struct FakePush(Result<PushUsersResponse, Status>);

    #[async_trait]
    impl FakeBehaviour for FakePush {
        async fn import(
            &self,
            _: Streaming<ImportUsersRequest>,
            _: mpsc::Sender<Result<ImportUsersResponse, Status>>,
        ) {
        }

        async fn push(&self, _: PushUsersRequest) -> Result<PushUsersResponse, Status> {
            self.0.clone()
        }
    }

    async fn push(answer: Result<PushUsersResponse, Status>) -> (ImportEnd, Vec<Message>) {
        let mut client = fake_service::connect(FakePush(answer)).await;
        let start = ImportStart {
            import_id: "0198".to_owned(),
            ..ImportStart::default()
        };
        let push = PushUsersRequest {
            start: Some(start),
            rows: Vec::new(),
        };
        let mut answers = Vec::new();
        let pushing = client.push(push, |answer| {
            answers.extend(answer.message);
            Ok(())
        });
        let ended = pushing.await.unwrap();
        (ended, answers)
    }

    fn summary(state: ImportState) -> ImportSummary {
        ImportSummary {
            import_id: "0198".to_owned(),
            state: state.into(),
            ..ImportSummary::default()
        }
    }

    #[tokio::test]
    async fn an_answer_is_the_messages_of_the_stream() {
        let answer = PushUsersResponse {
            results: vec![RowResult::default()],
            deactivations: Some(Deactivations::default()),
            summary: Some(summary(ImportState::Completed)),
            shortened: true,
        };
        let (ended, answers) = push(Ok(answer)).await;
        assert!(matches!(
            &answers[..],
            [
                Message::Started(_),
                Message::Results(_),
                Message::Deactivations(_),
                Message::Summary(_)
            ]
        ));
        assert!(ended.shortened && ended.status.is_none());
        assert_eq!(ended.state(), Some(ImportState::Completed));
    }

    #[tokio::test]
    async fn a_refused_push_has_its_summary_from_the_details() {
        let status = tonic_types::pb::Status {
            details: vec![prost_types::Any {
                type_url: SUMMARY_TYPE.to_owned(),
                value: summary(ImportState::Refused).encode_to_vec(),
            }],
            ..tonic_types::pb::Status::default()
        };
        let details = status.encode_to_vec().into();
        let status = Status::with_details(Code::FailedPrecondition, "no", details);
        let (ended, answers) = push(Err(status)).await;
        assert_eq!(ended.state(), Some(ImportState::Refused));
        assert_eq!((answers.len(), &*ended.import_id), (2, "0198"));
        let (ended, answers) = push(Err(Status::not_found("nowhere"))).await;
        assert!(answers.is_empty() && ended.summary.is_none());
        assert_eq!(
            (&*ended.import_id, ended.status.unwrap().code()),
            ("0198", Code::NotFound)
        );
    }
}

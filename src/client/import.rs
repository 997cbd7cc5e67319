//! One import over the network: sends a roster and reads the answers at the same time.

use std::{io, time::Duration};

use futures_util::StreamExt;
use tokio::{io::AsyncRead, sync::mpsc, task::JoinSet};
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{Code, Response, Status, Streaming};
use tonic_types::StatusExt;

use super::{
    ClientError, RosterFormat, SentRoster, ServiceClient, connection_lost, upload::RosterUpload,
};
use crate::proto::{
    ImportStart, ImportState, ImportSummary, ImportUsersResponse, import_users_response::Message,
};

/// Answers decoded ahead: some 3,000 rows each.
const AHEAD: usize = 2;

/// The end of an import, as the client sees it.
#[derive(Debug, Default)]
pub struct ImportEnd {
    /// ID of the import; empty if neither side gave one.
    pub import_id: String,
    /// The last message, or `None` if the stream broke off before it.
    pub summary: Option<ImportSummary>,
    /// The status, unless it was `OK`.
    pub status: Option<Status>,
    /// The sent roster, or `None` if the server stopped reading before the roster's end.
    pub sent: Option<SentRoster>,
    /// The results of a push were too large for its answer, so they lack values and issues.
    pub shortened: bool,
}

impl ImportEnd {
    /// The state that the summary gives.
    #[must_use]
    pub fn state(&self) -> Option<ImportState> {
        self.summary.as_ref().map(ImportSummary::state)
    }

    /// Returns `true` if the same import, sent again, may succeed: the server or its database is
    /// unreachable or busy, the connection was lost, or another import holds the organisation (api.md, Command
    /// line).
    #[must_use]
    pub fn is_transient(&self) -> bool {
        let Some(status) = &self.status else {
            return self.summary.is_none();
        };
        connection_lost(status)
            || match status.code() {
                Code::Unavailable => true,
                Code::Aborted | Code::ResourceExhausted => self.retry_delay().is_some(),
                // Our server gives a reason when it cancels; without one it was the connection.
                Code::Cancelled => {
                    self.summary.is_none() && status.get_details_error_info().is_none()
                }
                _ => false,
            }
    }

    /// How long the server asks to wait before the import is sent again.
    #[must_use]
    pub fn retry_delay(&self) -> Option<Duration> {
        let retry = self.status.as_ref()?.get_details_retry_info()?;
        retry.retry_delay
    }

    pub(super) fn note(&mut self, answer: &ImportUsersResponse) {
        match &answer.message {
            Some(Message::Started(started)) => self.import_id.clone_from(&started.import_id),
            Some(Message::Summary(summary)) => {
                self.import_id.clone_from(&summary.import_id);
                self.summary = Some(summary.clone());
            }
            _ => {}
        }
    }
}

impl ServiceClient {
    /// Imports the bytes of `input`, and gives every answer to `on_answer` as it arrives.
    ///
    /// A refusal is no error: it is in [`ImportEnd::status`].
    ///
    /// # Errors
    /// [`ClientError::Input`] if `input` cannot be read to its end (nothing is written then), and
    /// [`ClientError::Output`] if `on_answer` fails.
    pub(crate) async fn import<R>(
        &mut self,
        start: ImportStart,
        (input, format): (R, RosterFormat),
        mut on_answer: impl FnMut(ImportUsersResponse) -> io::Result<()>,
    ) -> Result<ImportEnd, ClientError>
    where
        R: AsyncRead + Send + Unpin + 'static,
    {
        let mut ended = ImportEnd {
            import_id: start.import_id.clone(),
            ..ImportEnd::default()
        };
        let (upload, requests) = RosterUpload::begin(start, (input, format));
        match self.imports.import_users(requests).await {
            Err(status) => ended.status = Some(status),
            Ok(answers) => {
                let mut answers = DecodedAnswers::begin(answers.into_inner());
                read(&mut answers.stream, &mut ended, &mut on_answer).await?;
            }
        }
        ended.sent = upload.sent().transpose().map_err(ClientError::Input)?;
        Ok(ended)
    }
}

/// Answers that a task decodes while earlier ones are being shown. Dropping it ends the
/// call.
struct DecodedAnswers {
    stream: ReceiverStream<Result<ImportUsersResponse, Status>>,
    _task: JoinSet<()>,
}

impl DecodedAnswers {
    fn begin(mut answers: Streaming<ImportUsersResponse>) -> Self {
        let (decoded, stream) = mpsc::channel(AHEAD);
        let mut task = JoinSet::new();
        task.spawn(async move {
            while let Some(answer) = answers.next().await
                && decoded.send(answer).await.is_ok()
            {}
        });
        Self {
            stream: ReceiverStream::new(stream),
            _task: task,
        }
    }
}

/// Reads the answers of a call about the import `import_id` to their end, and gives each to `on_answer` as it arrives.
///
/// # Errors
/// [`ClientError::Output`] if `on_answer` fails. The server's status is in [`ImportEnd::status`].
pub(super) async fn follow<M>(
    import_id: String,
    answers: Result<Response<Streaming<M>>, Status>,
    mut on_answer: impl FnMut(ImportUsersResponse) -> io::Result<()>,
) -> Result<ImportEnd, ClientError>
where
    ImportUsersResponse: From<M>,
{
    let mut ended = ImportEnd {
        import_id,
        ..ImportEnd::default()
    };
    match answers {
        Err(status) => ended.status = Some(status),
        Ok(answers) => {
            let answers = answers.into_inner();
            let answers = answers.map(|answer| answer.map(ImportUsersResponse::from));
            read(answers, &mut ended, &mut on_answer).await?;
        }
    }
    Ok(ended)
}

/// Reads the answers to the end of the stream.
async fn read(
    mut answers: impl Stream<Item = Result<ImportUsersResponse, Status>> + Unpin,
    ended: &mut ImportEnd,
    on_answer: &mut impl FnMut(ImportUsersResponse) -> io::Result<()>,
) -> Result<(), ClientError> {
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(answer) => {
                ended.note(&answer);
                on_answer(answer).map_err(ClientError::Output)?;
            }
            Err(status) => {
                ended.status = Some(status);
                break;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        pin::Pin,
        task::{Context, Poll},
        time::Duration,
    };

    use rstest::rstest;
    use sha2::{Digest, Sha256};
    use tokio::{io::ReadBuf, time::timeout};
    use tonic::async_trait;
    use tonic_types::ErrorDetails;

    use super::*;
    use crate::{
        client::fake_service::{self, FakeBehaviour},
        proto::{
            ImportFinish, ImportStarted, ImportUsersRequest, RowResult, RowResults,
            import_users_request::Message as SentRoster,
        },
    };

    /// More than all the windows and buffers between the two sides together.
    const LARGE: usize = 16 << 20;
    const PATIENCE: Duration = Duration::from_mins(10);

    type AnswerSender = mpsc::Sender<Result<ImportUsersResponse, Status>>;

    fn answer(message: Message) -> ImportUsersResponse {
        ImportUsersResponse {
            message: Some(message),
        }
    }

    fn started() -> Message {
        Message::Started(ImportStarted {
            import_id: "0198".to_owned(),
            ..ImportStarted::default()
        })
    }

    fn summary(state: ImportState, input_sha256: Vec<u8>) -> Message {
        Message::Summary(ImportSummary {
            import_id: "0198".to_owned(),
            state: state.into(),
            input_sha256,
            ..ImportSummary::default()
        })
    }

    /// Half a megabyte of results.
    fn results() -> Message {
        let external_id = "x".repeat(512 * 1024);
        let result = RowResult {
            external_id,
            ..RowResult::default()
        };
        Message::Results(RowResults::new(vec![result]))
    }

    async fn import(
        behaviour: impl FakeBehaviour,
        input: impl AsyncRead + Send + Unpin + 'static,
    ) -> (Result<ImportEnd, ClientError>, usize) {
        let mut client = fake_service::connect(behaviour).await;
        let mut answers = 0;
        let import = client.import(ImportStart::default(), (input, RosterFormat::Csv), |_| {
            answers += 1;
            Ok(())
        });
        let ended = timeout(PATIENCE, import)
            .await
            .expect("nobody waits for ever");
        (ended, answers)
    }

    /// Reads the whole request stream and gives its digest and its last message.
    async fn drain(requests: &mut Streaming<ImportUsersRequest>) -> (Sha256, Option<ImportFinish>) {
        let mut digest = Sha256::new();
        let mut finish = None;
        while let Ok(Some(request)) = requests.message().await {
            match request.message {
                Some(SentRoster::CsvChunk(chunk)) => digest.update(&chunk),
                Some(SentRoster::Finish(last)) => finish = Some(last),
                _ => {}
            }
        }
        (digest, finish)
    }

    struct ReadsEverythingFirst;

    #[async_trait]
    impl FakeBehaviour for ReadsEverythingFirst {
        async fn import(&self, mut requests: Streaming<ImportUsersRequest>, answers: AnswerSender) {
            let (digest, finish) = drain(&mut requests).await;
            let digest = digest.finalize().to_vec();
            let finish = finish.expect("a finish message");
            assert_eq!(finish.sha256, Some(digest.clone()));
            assert_eq!(finish.byte_count, Some(LARGE as u64));
            for message in [
                started(),
                results(),
                summary(ImportState::Completed, digest),
            ] {
                answers.send(Ok(answer(message))).await.expect("a reader");
            }
        }
    }

    #[tokio::test]
    async fn a_server_that_reads_everything_first_gets_everything() {
        let roster: &[u8] = vec![b'a'; LARGE].leak();
        let (ended, answers) = import(ReadsEverythingFirst, roster).await;
        let ended = ended.unwrap();
        assert_eq!((ended.state(), answers), (Some(ImportState::Completed), 3));
        assert!(ended.status.is_none());
        let sent = ended.sent.unwrap();
        assert_eq!(sent.byte_count, LARGE as u64);
        assert_eq!(ended.summary.unwrap().input_sha256, sent.sha256);
    }

    /// Answers every chunk at length before it reads the next: a client that writes all of it before
    /// it reads waits for ever.
    struct AnswersWhileReading;

    #[async_trait]
    impl FakeBehaviour for AnswersWhileReading {
        async fn import(&self, mut requests: Streaming<ImportUsersRequest>, answers: AnswerSender) {
            while let Ok(Some(_)) = requests.message().await {
                answers.send(Ok(answer(results()))).await.expect("a reader");
            }
            let end = summary(ImportState::Completed, Vec::new());
            answers.send(Ok(answer(end))).await.expect("a reader");
        }
    }

    #[tokio::test]
    async fn a_server_that_answers_while_it_reads_never_waits() {
        let roster: &[u8] = vec![b'a'; LARGE].leak();
        let (ended, answers) = import(AnswersWhileReading, roster).await;
        assert_eq!(ended.unwrap().state(), Some(ImportState::Completed));
        assert_eq!(answers, LARGE / (512 * 1024) + 3);
    }

    struct RefusesEarly;

    #[async_trait]
    impl FakeBehaviour for RefusesEarly {
        async fn import(&self, mut requests: Streaming<ImportUsersRequest>, answers: AnswerSender) {
            let _ = requests.message().await;
            let refused = summary(ImportState::Refused, Vec::new());
            let status = Status::invalid_argument("no header");
            for message in [Ok(answer(started())), Ok(answer(refused)), Err(status)] {
                answers.send(message).await.expect("a reader");
            }
        }
    }

    #[tokio::test]
    async fn a_server_that_refuses_early_is_heard_though_the_roster_never_ends() {
        let (ended, _) = import(RefusesEarly, tokio::io::repeat(b'a')).await;
        let ended = ended.unwrap();
        assert_eq!(ended.state(), Some(ImportState::Refused));
        assert_eq!(ended.import_id, "0198");
        let status = ended.status.unwrap();
        assert_eq!(
            (status.code(), status.message()),
            (Code::InvalidArgument, "no header")
        );
        assert!(ended.sent.is_none());
    }

    struct RefusesAtOnce;

    #[async_trait]
    impl FakeBehaviour for RefusesAtOnce {
        fn refusal(&self) -> Option<Status> {
            Some(Status::unauthenticated("no credentials"))
        }

        async fn import(&self, _: Streaming<ImportUsersRequest>, _: AnswerSender) {}
    }

    #[tokio::test]
    async fn a_refusal_in_the_headers_is_an_end_like_any_other() {
        let (ended, answers) = import(RefusesAtOnce, tokio::io::repeat(b'a')).await;
        assert_eq!(ended.unwrap().status.unwrap().code(), Code::Unauthenticated);
        assert_eq!(answers, 0);
    }

    /// Gives a little, then fails.
    struct BrokenFile(bool);

    impl AsyncRead for BrokenFile {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            if std::mem::replace(&mut self.0, true) {
                return Poll::Ready(Err(io::Error::other("disk on fire")));
            }
            buffer.put_slice(b"EMAIL\n");
            Poll::Ready(Ok(()))
        }
    }

    /// As the contract says, nothing is written without `finish`.
    struct InsistsOnFinish;

    #[async_trait]
    impl FakeBehaviour for InsistsOnFinish {
        async fn import(&self, mut requests: Streaming<ImportUsersRequest>, answers: AnswerSender) {
            let (_, finish) = drain(&mut requests).await;
            assert!(
                finish.is_none(),
                "half a roster was passed off as a whole one"
            );
            let status = Status::failed_precondition("no finish");
            answers.send(Err(status)).await.expect("a reader");
        }
    }

    #[tokio::test]
    async fn a_roster_that_breaks_off_is_never_finished() {
        let (ended, _) = import(InsistsOnFinish, BrokenFile(false)).await;
        let error = ended.unwrap_err();
        assert_eq!(error.to_string(), "the roster cannot be read: disk on fire");
    }

    #[tokio::test]
    async fn an_answer_that_cannot_be_shown_ends_the_import() {
        let mut client = fake_service::connect(RefusesEarly).await;
        let input = tokio::io::repeat(b'a');
        let import = client.import(ImportStart::default(), (input, RosterFormat::Csv), |_| {
            Err(io::ErrorKind::BrokenPipe.into())
        });
        let ended = timeout(PATIENCE, import).await.unwrap();
        assert!(matches!(ended, Err(ClientError::Output(_))));
    }

    fn ended_with(status: Option<Status>) -> ImportEnd {
        ImportEnd {
            status,
            ..ImportEnd::default()
        }
    }

    #[rstest]
    #[case::server_or_database_away(Code::Unavailable, None, true)]
    #[case::another_import_runs(Code::Aborted, Some(Duration::from_secs(7)), true)]
    #[case::aborted_for_good(Code::Aborted, None, false)]
    #[case::reset_on_the_way(Code::Cancelled, None, true)]
    #[case::guard(Code::FailedPrecondition, None, false)]
    #[case::server_fault(Code::Internal, None, false)]
    fn what_may_end_better_when_sent_again(
        #[case] code: Code,
        #[case] delay: Option<Duration>,
        #[case] transient: bool,
    ) {
        let mut details = ErrorDetails::new();
        details.set_retry_info(delay);
        let details = if delay.is_some() {
            details
        } else {
            ErrorDetails::new()
        };
        let ended = ended_with(Some(Status::with_error_details(code, "why", details)));
        assert_eq!(
            (ended.is_transient(), ended.retry_delay()),
            (transient, delay)
        );
    }

    #[test]
    fn a_cancelled_import_stays_cancelled() {
        let details = ErrorDetails::with_error_info("IMPORT_CANCELLED", "userimport", []);
        let cancelled = Status::with_error_details(Code::Cancelled, "cancelled", details);
        assert!(!ended_with(Some(cancelled)).is_transient());
    }

    #[test]
    fn a_stream_that_breaks_off_without_a_word_may_be_tried_again() {
        assert!(ended_with(None).is_transient());
        let whole = ImportEnd {
            summary: Some(ImportSummary::default()),
            ..ImportEnd::default()
        };
        assert!(!whole.is_transient());
    }
}

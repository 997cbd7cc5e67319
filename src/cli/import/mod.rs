//! `import`: sends a roster, shows what became of each row, and keeps the rejected ones.

mod confirmation;
mod options;
mod report;
mod retry;
mod roster;
mod shown;
mod tape;

use std::{
    io::{self, IsTerminal},
    path::Path,
};

use anyhow::Context;
use tokio::time::sleep;
use tonic::Status;

use super::{
    Exit, errors_file, failure,
    report::{Asked, Findings, Look},
};
use crate::{
    client::{Client, ClientError, Ended},
    proto::ImportStart,
};

pub use options::{Filter, ImportArgs};
pub use report::{Format, Report, write_line};
use retry::Retries;
use roster::{Input, Roster};

/// Runs the command.
///
/// # Errors
/// Where the roster cannot be read, the deactivation is not confirmed, or nobody can be reached. A
/// refused import is no error: it is told, and has its exit code.
pub async fn run(args: ImportArgs) -> anyhow::Result<Exit> {
    let roster = Roster::find(&args.file)?;
    if let Some(errors) = &args.errors {
        errors_file::check(errors, &args.file)?;
    }
    let start = args.start(&roster)?;
    let input = roster.open().await?;
    // Before anybody is asked: a file that cannot be read.
    drop(input.read().await?);
    let client = args.organization.connect().await?;

    let asked = Asked {
        errors_file: args.errors.is_some(),
    };
    let mut report = Report::new(args.format, asked, Look::of_stdout());
    let ended = tokio::select! {
        ended = send(client, &start, &input, args.retries, &mut report) => ended,
        _ = tokio::signal::ctrl_c() => Ok(left(&start.import_id)),
    };
    report.close();
    let ended = ended?;
    report.end(&ended).map_err(ClientError::Output)?;
    tell_failure(&ended, report.has_told_why(&ended));
    if Exit::of_import(&ended) == Exit::Interrupted && !report.has_told_how_to_go_on(&ended) {
        tell_how_to_go_on(&ended.import_id);
    }
    if let Some(errors) = &args.errors {
        // The import is what it is; a full disk here does not change its exit code.
        if let Err(error) = save_rejected(errors, &input, &ended, report.findings()).await {
            eprintln!("error: {error:#}.");
        }
    }
    Ok(Exit::of_import(&ended))
}

/// Sends the import, again and again under the same ID, until it ends for good or no retry is left.
async fn send(
    mut client: Client,
    start: &ImportStart,
    input: &Input,
    retries: u32,
    report: &mut Report,
) -> anyhow::Result<Ended> {
    let mut retries = Retries::new(retries);
    let mut reader = input.read().await?;
    loop {
        let import = client.import(start.clone(), reader, |answer| report.answer(answer));
        let ended = import.await?;
        let Some(retry) = retries.after(&ended) else {
            return Ok(ended);
        };
        report.notice(&retry.to_string());
        sleep(retry.wait).await;
        reader = match input.read().await {
            Ok(reader) => reader,
            Err(error) => {
                report.notice(&error.to_string());
                return Ok(ended);
            }
        };
    }
}

/// The end that this side makes when somebody presses Ctrl-C.
fn left(import_id: &str) -> Ended {
    Ended {
        import_id: import_id.to_owned(),
        status: Some(Status::cancelled("stopped here by Ctrl-C.")),
        ..Ended::default()
    }
}

/// Says on standard error why there is no good end; only in brief where the summary has said it.
pub fn tell_failure(ended: &Ended, told: bool) {
    match &ended.status {
        Some(_) if told && io::stdout().is_terminal() => {}
        Some(_) if told => eprintln!("error: the import was refused; the summary says why."),
        Some(status) => eprintln!("{}", failure::describe_status(status)),
        None if ended.summary.is_none() => {
            eprintln!("error: the server ended the import without a summary.");
        }
        _ => {}
    }
}

fn tell_how_to_go_on(import_id: &str) {
    eprintln!(
        "If it had begun to write, it may go on without this command. To see how it ends, or to \
         continue it, repeat the command with\n  --import-id {import_id}"
    );
}

async fn save_rejected(
    path: &Path,
    input: &Input,
    ended: &Ended,
    findings: &Findings,
) -> anyhow::Result<()> {
    if findings.rejected.is_empty() {
        eprintln!("No row was rejected: {} was not written.", path.display());
        return Ok(());
    }
    let sent = ended
        .sent
        .as_ref()
        .context("the roster was not read to its end")?;
    let bytes = input.bytes(sent).await?;
    errors_file::write(path, &bytes, findings)?;
    eprintln!(
        "The rejected rows are in {}: correct them there and import that file.",
        path.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use clap::Parser;
    use tempfile::TempDir;
    use tokio::sync::mpsc;
    use tonic::{Code, Streaming, async_trait};

    use super::*;
    use crate::{
        client::fake::{self, Behaviour},
        proto::{
            ImportStarted, ImportState, ImportSummary, ImportUsersRequest, ImportUsersResponse,
            Issue, IssueCode, IssueSeverity, RowOutcome, RowResult, RowResults,
            import_users_response::Message,
        },
    };

    #[derive(Parser)]
    struct TestCli {
        #[command(flatten)]
        args: ImportArgs,
    }

    const ROSTER: &str = "EMAIL;ROLE\na@x.org;Officer\nb@x.org;Oficer\n";

    /// Reads the roster, then answers with what it was given.
    struct Answers(Vec<Message>, Option<Status>);

    #[async_trait]
    impl Behaviour for Answers {
        async fn import(
            &self,
            mut requests: Streaming<ImportUsersRequest>,
            answers: mpsc::Sender<Result<ImportUsersResponse, Status>>,
        ) {
            while let Ok(Some(_)) = requests.message().await {}
            for message in self.0.iter().cloned().map(Some) {
                let answer = ImportUsersResponse { message };
                answers.send(Ok(answer)).await.expect("a reader");
            }
            if let Some(status) = self.1.clone() {
                answers.send(Err(status)).await.expect("a reader");
            }
        }
    }

    fn started() -> Message {
        Message::Started(ImportStarted {
            charset: "UTF-8".to_owned(),
            delimiter: ";".to_owned(),
            ..ImportStarted::default()
        })
    }

    /// Row 2, on line 3, has an unknown role.
    fn rejection() -> Message {
        let issue = Issue {
            severity: IssueSeverity::Error.into(),
            code: IssueCode::UnknownRole.into(),
            column: "ROLE".to_owned(),
            message: "ROLE \"Oficer\" is not a role.".to_owned(),
            suggestion: "Officer".to_owned(),
            ..Issue::default()
        };
        let result = RowResult {
            row: 2,
            line: 3,
            outcome: RowOutcome::Rejected.into(),
            issues: vec![issue],
            ..RowResult::default()
        };
        Message::Results(RowResults::new(vec![result]))
    }

    fn summary(state: ImportState, rejected: u32) -> Message {
        Message::Summary(ImportSummary {
            state: state.into(),
            rows: 2,
            rejected,
            ..ImportSummary::default()
        })
    }

    /// Runs the command against a server that answers so, and gives what it leaves.
    async fn import(answers: Answers) -> (Exit, Option<String>) {
        let folder = TempDir::new().unwrap();
        let file = |name: &str| -> PathBuf { folder.path().join(name) };
        fs::write(file("roster.csv"), ROSTER).unwrap();
        let endpoint = fake::serve(answers).await.to_string();
        let args = TestCli::try_parse_from([
            "import".as_ref(),
            file("roster.csv").as_os_str(),
            "--organization=pd".as_ref(),
            "--retries=0".as_ref(),
            "--endpoint".as_ref(),
            endpoint.as_ref(),
            "--errors".as_ref(),
            file("errors.csv").as_os_str(),
        ]);
        let exit = run(args.unwrap().args).await.unwrap();
        (exit, fs::read_to_string(file("errors.csv")).ok())
    }

    #[tokio::test]
    async fn rejected_rows_end_in_the_errors_file_and_in_the_exit_code() {
        let end = summary(ImportState::Completed, 1);
        let (exit, errors) = import(Answers(vec![started(), rejection(), end], None)).await;
        assert_eq!(exit, Exit::RowsRejected);
        insta::assert_snapshot!(errors.unwrap().trim_start_matches('\u{feff}'), @r#"
        EMAIL;ROLE;IMPORT_ERROR_CODES;IMPORT_ERRORS;IMPORT_SUGGESTIONS
        b@x.org;Oficer;UNKNOWN_ROLE;"ROLE ""Oficer"" is not a role.";ROLE: Officer
        "#);
    }

    #[tokio::test]
    async fn a_refused_import_has_its_rejected_rows_too() {
        let end = summary(ImportState::Refused, 1);
        let status = Status::failed_precondition("1 row is rejected; none may be.");
        let answers = Answers(vec![started(), rejection(), end], Some(status));
        let (exit, errors) = import(answers).await;
        assert_eq!(exit, Exit::Refused);
        assert!(errors.unwrap().contains("Oficer"));
    }

    #[tokio::test]
    async fn without_rejected_rows_no_errors_file_is_written() {
        let end = summary(ImportState::Completed, 0);
        let (exit, errors) = import(Answers(vec![started(), end], None)).await;
        assert_eq!((exit, errors), (Exit::Done, None));
    }

    #[tokio::test]
    async fn an_import_that_breaks_off_keeps_what_it_heard() {
        let status = Status::new(Code::Unavailable, "The server is shutting down.");
        let answers = Answers(vec![started(), rejection()], Some(status));
        let (exit, errors) = import(answers).await;
        assert_eq!(exit, Exit::Interrupted);
        assert!(errors.is_some());
    }
}

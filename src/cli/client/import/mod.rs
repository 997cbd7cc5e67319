//! `import` and `push`: send a roster, show the result of each row, and save the rejected rows.

mod command_line;
mod csv_report;
mod deactivation_prompt;
mod import_job;
mod import_report;
mod options;
mod push;
mod pushed_rows;
mod reported_results;
mod resend_buffer;
mod retry_budget;
mod roster_source;
mod undo;
mod user_names;

use std::{
    io::{self, IsTerminal},
    path::Path,
};

use anyhow::Context;

use super::{errors_file, mapping_file::MappingChoice};
use crate::cli::{
    ExitStatus,
    failure::{self, UsageError},
    output::{CollectedResults, OutputFormat, SummaryOptions, Verbosity, print_error},
};
use crate::{
    client::{ClientError, ImportEnd, RosterFormat, ServiceClient},
    input::Mapping,
    proto::{ImportStart, ImportState},
};

pub(super) use command_line::CommandLine;
pub(crate) use deactivation_prompt::{PromptMode, WORD, ask as ask_word, confirm};
use import_job::ImportJob;
pub(crate) use import_report::{ImportReport, ReportOptions};
use options::CommonArgs;
pub(crate) use options::{ImportArgs, PlanDigest, digest};
pub(crate) use push::{PushArgs, run as run_push};
use roster_source::{RosterInput, RosterSource};
pub(crate) use undo::{UndoArgs, run as run_undo};

/// Runs the command.
///
/// # Errors
/// Fails if the roster cannot be read, the deactivation is not confirmed, or the server cannot be reached. A
/// refused import is no error: it is reported, and has its exit code.
pub(crate) async fn run(args: ImportArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    if let Some(errors) = &args.common.errors {
        errors_file::check(errors, args.inputs())?;
    }
    let done = import(&args, verbosity).await;
    if done.is_err() {
        let errors = args.common.errors.as_deref();
        errors.inspect(|path| report_earlier(path));
    }
    done
}

/// Does the import, and reports it.
async fn import(args: &ImportArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let roster = RosterSource::find(&args.file)?;
    let must_ask = args.must_ask(PromptMode::of_process(
        roster == RosterSource::Stdin,
        verbosity,
    ))?;
    let input = roster.open().await?;
    // An unreadable file is reported before the question.
    drop(input.read().await?);
    // Wait for the first bytes of a slow export: the server closes a connection without a call.
    input.wait().await.map_err(ClientError::Input)?;
    let format = input.format(&args.file).await.map_err(ClientError::Input)?;
    if format == RosterFormat::Csv && args.sheet.is_some() {
        return Err(UsageError::new(
            "--sheet names a sheet of a workbook, but the roster is not a workbook; leave the \
             option out.",
        )
        .into());
    }
    let common = &args.common;
    let (client, organization) = common.organization.connect(verbosity).await?;
    let job = ImportJob {
        client,
        input,
        format,
        retries: common.retries,
    };
    let mut start = args.start(&organization);
    common.find_import(&mut start, &job.client).await?;
    let mut view = view(common, verbosity);
    let end_of = |is_dry| EndReport {
        args: common,
        input: Some(&job.input),
        mapping: args.mapping().map(|choice| SentMapping {
            choice,
            client: &job.client,
            organization: &organization,
        }),
        is_dry,
    };
    if must_ask && let Some((mut report, ended)) = ask(&job, &mut start, &mut view).await? {
        return end_of(true).report(&ended, &mut report).await;
    }
    let mut report = ImportReport::new(view);
    let ended = job.run(&start, &mut report).await?;
    let end = end_of(start.validate_only);
    let exit = end.report(&ended, &mut report).await?;
    if must_ask && import_job::is_refused_for(&ended, "PLAN_DIFFERS") {
        print_error(
            "The directory or the roster has changed since you were asked. Repeat the command to see \
             which users it would deactivate now.",
        );
    }
    Ok(exit)
}

fn view(args: &CommonArgs, verbosity: Verbosity) -> ReportOptions {
    ReportOptions {
        format: args.format,
        review: args.diff,
        follow: false,
        pager: args.pager,
        summary_options: SummaryOptions {
            errors_file: args.errors.is_some(),
            apply: Some(CommandLine::of_process().apply_command()),
            resume: String::new(),
        },
        verbosity,
    }
}

/// Shows which users the import would deactivate, and asks for the word. Then `start` gets the word and the
/// digest of the shown plan, so that nothing else is done. Returns the end of the dry run if it did not
/// complete, unless the import asks to be held for review then.
async fn ask(
    job: &ImportJob,
    start: &mut ImportStart,
    view: &mut ReportOptions,
) -> anyhow::Result<Option<(ImportReport, ImportEnd)>> {
    let dry_run = deactivation_prompt::dry_run(start);
    let mut report = ImportReport::deferred(view.clone());
    let ended = job.run(&dry_run, &mut report).await?;
    let Some(summary) = import_job::completed(&ended) else {
        let refused = ended.summary.as_ref();
        let refused = refused.filter(|refused| start.hold && !refused.plan_digest.is_empty());
        let Some(refused) = refused else {
            return Ok(Some((report, ended)));
        };
        // The import is refused anyway and writes nothing, so this does not ask; the approval asks.
        state_plan(start, view, &refused.plan_digest);
        return Ok(None);
    };
    let collected = report.collected();
    let question = deactivation_prompt::question(
        &start.organization,
        summary,
        collected,
        &CommandLine::of_process(),
    );
    if summary.deactivated == 0 {
        view.verbosity
            .notice("The roster lists all users: none is deactivated as missing.");
    } else {
        print_error(&question);
        let typed = tokio::select! {
            typed = deactivation_prompt::ask() => typed?,
            _ = tokio::signal::ctrl_c() => String::new(),
        };
        deactivation_prompt::confirm(&typed)?;
    }
    state_plan(start, view, &summary.plan_digest);
    Ok(None)
}

/// Makes `start` ask for exactly the plan with this digest, and confirms it.
fn state_plan(start: &mut ImportStart, view: &mut ReportOptions, digest: &[u8]) {
    digest.clone_into(&mut start.expected_plan_digest);
    if let Some(missing) = &mut start.deactivate_missing {
        deactivation_prompt::WORD.clone_into(&mut missing.confirmation);
    }
    view.summary_options.resume = format!(
        " --confirm {} --expected-plan-digest {}",
        deactivation_prompt::WORD,
        hex::encode(digest)
    );
}

/// The facts that are needed to report the end of an import.
struct EndReport<'a> {
    args: &'a CommonArgs,
    /// The roster, or `None` if its row is on the command line.
    input: Option<&'a RosterInput>,
    /// The mapping by which the roster is read.
    mapping: Option<SentMapping<'a>>,
    /// Nothing is written.
    is_dry: bool,
}

/// The mapping of an import, and where to get it.
#[derive(Clone, Copy)]
struct SentMapping<'a> {
    choice: &'a MappingChoice,
    client: &'a ServiceClient,
    organization: &'a str,
}

impl EndReport<'_> {
    /// How the roster is read here, for its rejected rows and its names.
    async fn mapping(&self) -> anyhow::Result<Mapping> {
        let Some(sent) = self.mapping else {
            return Ok(Mapping::default());
        };
        let mut client = sent.client.clone();
        let mapping = sent.choice.mapping(&mut client, sent.organization);
        let mapping = mapping.await.context("the mapping cannot be read")?;
        Ok(mapping.into())
    }

    /// Reports the end of the import or of the dry run, and saves its rejected rows.
    async fn report(
        &self,
        ended: &ImportEnd,
        report: &mut ImportReport,
    ) -> anyhow::Result<ExitStatus> {
        let names = match self.input {
            Some(input) if self.args.diff && self.args.format == OutputFormat::Table => {
                let mapping = self.mapping().await.unwrap_or_default();
                user_names::of((input, &mapping), ended, report.collected()).await
            }
            _ => user_names::UserNames::new(),
        };
        let shown = report.finish(ended, &names);
        report_failure(ended, report.has_shown_refusals(ended));
        let exit = ExitStatus::of_import(ended);
        if exit == ExitStatus::Interrupted && !self.is_dry {
            report.explain_how_to_continue(ended);
        }
        if let (Some(errors), Some(input)) = (&self.args.errors, self.input) {
            // A full disk here does not change the exit code of the import.
            match self
                .save_rejected(errors, input, ended, report.collected())
                .await
            {
                Ok(done) => report.notice(&done),
                Err(error) => {
                    print_error(&match exit {
                        ExitStatus::Interrupted => format!("error: {error:#}."),
                        _ => not_saved(&error, ended, self.is_dry),
                    });
                    report_earlier(errors);
                }
            }
        }
        shown.map_err(ClientError::Output)?;
        match exit {
            ExitStatus::RowsRejected if self.args.exit_zero_on_rejected_rows => {
                report.notice(
                    "Rows were rejected. The exit code is 0 because of --exit-zero-on-rejected-rows.",
                );
                Ok(ExitStatus::Done)
            }
            exit => Ok(exit),
        }
    }

    /// Writes the rejected rows to a file, and says what was done.
    async fn save_rejected(
        &self,
        path: &Path,
        input: &RosterInput,
        ended: &ImportEnd,
        collected: &CollectedResults,
    ) -> anyhow::Result<String> {
        let rows = collected.rejected.values();
        let written = rows.filter(|row| errors_file::is_written(row)).count();
        let left_out = collected.rejected.len() - written;
        if written == 0 {
            return without_rejected(path, ended, left_out);
        }
        let sent = ended
            .sent
            .as_ref()
            .context("the roster was not read to its end")?;
        let bytes = input.bytes(sent).await?;
        let mapping = self.mapping().await?;
        errors_file::write(path, (&bytes, &mapping), collected)?;
        let note = match left_out {
            0 => String::new(),
            1 => " A rejected line that lists no user is left out.".to_owned(),
            _ => format!(" {left_out} rejected lines that list no users are left out."),
        };
        Ok(format!(
            "The rejected rows are in {}: correct them there and import that file.{note}",
            path.display()
        ))
    }
}

/// Prints on standard error why the import failed; only briefly if the summary gives the reason.
pub(crate) fn report_failure(ended: &ImportEnd, told: bool) {
    match &ended.status {
        Some(_) if told && io::stdout().is_terminal() => {}
        Some(_) if told && ExitStatus::of_import(ended) == ExitStatus::Held => {
            print_error("The import is held for review; the summary says why.");
        }
        Some(_) if told => print_error("error: the import was refused; the summary says why."),
        Some(status) => print_error(&failure::describe_status(status)),
        None if ended.summary.is_none() => {
            print_error("error: the server ended the import without a summary.");
        }
        _ => {}
    }
}

/// Removes the file of an earlier run, unless the rejected rows are not known. Returns what was done. `left_out` lines
/// were rejected that list no users.
fn without_rejected(path: &Path, ended: &ImportEnd, left_out: usize) -> anyhow::Result<String> {
    let why = match ended.state() {
        Some(
            ImportState::Completed
            | ImportState::Cancelled
            | ImportState::Refused
            | ImportState::Held,
        ) if left_out > 0 => "The rejected lines list no users",
        Some(ImportState::Completed | ImportState::Cancelled) => "No row was rejected",
        Some(ImportState::Refused | ImportState::Held) if has_rows(ended) => "No row was rejected",
        Some(ImportState::Refused) => "The import was refused before its rows were judged",
        _ => {
            // The rows that an earlier run rejected may still have to be corrected.
            let why = match ExitStatus::of_import(ended) {
                ExitStatus::Refused => "The import did not begin",
                _ => "The import has not ended",
            };
            let done = match errors_file::is_earlier(path)? {
                true => "is from an earlier run",
                false => "was not written",
            };
            return Ok(format!("{why}: {} {done}.", path.display()));
        }
    };
    let done = match errors_file::remove_earlier(path)? {
        true => "of an earlier run was removed",
        false => "was not written",
    };
    Ok(format!("{why}: {} {done}.", path.display()))
}

fn has_rows(ended: &ImportEnd) -> bool {
    ended
        .summary
        .as_ref()
        .is_some_and(|summary| summary.rows > 0)
}

/// Says that the errors file is from an earlier run, if it is: this run could not replace it.
fn report_earlier(path: &Path) {
    if errors_file::is_earlier(path).unwrap_or(false) {
        print_error(&format!(
            "{} is from an earlier run: it does not have the rejected rows of this one.",
            path.display()
        ));
    }
}

/// The import itself is not undone, and returns its rejected rows by its ID. A dry run can be repeated.
fn not_saved(error: &anyhow::Error, ended: &ImportEnd, is_dry: bool) -> String {
    let (what, import_id) = match is_dry {
        true => ("dry run", String::new()),
        false => ("import", format!("--import-id {} ", ended.import_id)),
    };
    format!(
        "error: {error:#}.\nThe {what} itself has ended. To get its rejected rows, repeat the command \
         with\n  {import_id}--errors OTHER_FILE.csv"
    )
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use clap::Parser;
    use tempfile::TempDir;
    use tokio::sync::mpsc;
    use tonic::{Code, Status, Streaming, async_trait};

    use super::*;
    use crate::{
        client::fake_service::{self, FakeBehaviour},
        proto::{
            ImportStarted, ImportSummary, ImportUsersRequest, ImportUsersResponse, Issue,
            IssueCode, IssueSeverity, RowOutcome, RowResult, RowResults,
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
    struct FakeImport(Vec<Message>, Option<Status>);

    #[async_trait]
    impl FakeBehaviour for FakeImport {
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

    async fn import(answers: FakeImport) -> (ExitStatus, Option<String>) {
        import_over(None, answers).await
    }

    /// Runs the command against a server that answers so, where the errors file is `earlier`, and gives what it
    /// leaves.
    async fn import_over(
        earlier: Option<&str>,
        answers: FakeImport,
    ) -> (ExitStatus, Option<String>) {
        let folder = TempDir::new().unwrap();
        let file = |name: &str| -> PathBuf { folder.path().join(name) };
        fs::write(file("roster.csv"), ROSTER).unwrap();
        earlier.inspect(|text| fs::write(file("errors.csv"), text).unwrap());
        let endpoint = fake_service::serve(answers).await.to_string();
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
        let exit = run(args.unwrap().args, Verbosity::default()).await.unwrap();
        (exit, fs::read_to_string(file("errors.csv")).ok())
    }

    #[tokio::test]
    async fn rejected_rows_end_in_the_errors_file_and_in_the_exit_code() {
        let end = summary(ImportState::Completed, 1);
        let (exit, errors) = import(FakeImport(vec![started(), rejection(), end], None)).await;
        assert_eq!(exit, ExitStatus::RowsRejected);
        insta::assert_snapshot!(errors.unwrap().trim_start_matches('\u{feff}'), @r#"
        EMAIL;ROLE;IMPORT_ERROR_CODES;IMPORT_ERRORS;IMPORT_SUGGESTIONS
        b@x.org;Oficer;UNKNOWN_ROLE;"ROLE ""Oficer"" is not a role.";ROLE: Officer
        "#);
    }

    #[tokio::test]
    async fn a_refused_import_has_its_rejected_rows_too() {
        let end = summary(ImportState::Refused, 1);
        let status = Status::failed_precondition("1 row is rejected; none may be.");
        let answers = FakeImport(vec![started(), rejection(), end], Some(status));
        let (exit, errors) = import(answers).await;
        assert_eq!(exit, ExitStatus::Refused);
        assert!(errors.unwrap().contains("Oficer"));
    }

    #[tokio::test]
    async fn without_rejected_rows_no_errors_file_is_written() {
        let end = summary(ImportState::Completed, 0);
        let (exit, errors) = import(FakeImport(vec![started(), end], None)).await;
        assert_eq!((exit, errors), (ExitStatus::Done, None));
    }

    #[tokio::test]
    async fn without_rejected_rows_the_errors_file_of_an_earlier_run_is_removed() {
        const EARLIER: &str = "\u{feff}ROLE;IMPORT_ERROR_CODES\nOficer;UNKNOWN_ROLE\n";
        for (state, left) in [
            (ImportState::Completed, None),
            (ImportState::Refused, None),
            (ImportState::Interrupted, Some(EARLIER)),
        ] {
            let answers = FakeImport(vec![started(), summary(state, 0)], None);
            let (_, errors) = import_over(Some(EARLIER), answers).await;
            assert_eq!(errors.as_deref(), left, "{state:?}");
        }
        for other in ["ROLE\nOfficer\n", ""] {
            let answers = FakeImport(vec![started(), summary(ImportState::Completed, 0)], None);
            let (_, errors) = import_over(Some(other), answers).await;
            assert_eq!(errors.as_deref(), Some(other), "it is not a file of ours");
        }
    }

    #[test]
    fn only_rows_that_were_judged_are_said_to_stand() {
        let said = |state: ImportState, rows, left_out| {
            let summary = ImportSummary {
                state: state.into(),
                rows,
                ..ImportSummary::default()
            };
            let ended = ImportEnd {
                summary: Some(summary),
                ..ImportEnd::default()
            };
            without_rejected(Path::new("no/errors.csv"), &ended, left_out).unwrap()
        };
        insta::assert_snapshot!(said(ImportState::Completed, 2, 0), @"No row was rejected: no/errors.csv was not written.");
        insta::assert_snapshot!(said(ImportState::Refused, 0, 0), @"The import was refused before its rows were judged: no/errors.csv was not written.");
        insta::assert_snapshot!(said(ImportState::Interrupted, 2, 0), @"The import has not ended: no/errors.csv was not written.");
        insta::assert_snapshot!(said(ImportState::Completed, 2, 1), @"The rejected lines list no users: no/errors.csv was not written.");
    }

    #[test]
    fn an_errors_file_that_stays_is_said_to_be_from_an_earlier_run() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("errors.csv");
        fs::write(&path, "ROLE,IMPORT_ERROR_CODES\nOficer,UNKNOWN_ROLE\n").unwrap();
        for (code, why) in [
            (Code::NotFound, "The import did not begin"),
            (Code::Unavailable, "The import has not ended"),
        ] {
            let ended = ImportEnd {
                status: Some(Status::new(code, "")),
                ..ImportEnd::default()
            };
            let said = without_rejected(&path, &ended, 0).unwrap();
            let expected = format!("{why}: {} is from an earlier run.", path.display());
            assert_eq!(said, expected);
            assert!(path.exists());
        }
    }

    #[tokio::test]
    async fn an_import_that_breaks_off_keeps_what_it_heard() {
        let status = Status::new(Code::Unavailable, "The server is shutting down.");
        let answers = FakeImport(vec![started(), rejection()], Some(status));
        let (exit, errors) = import(answers).await;
        assert_eq!(exit, ExitStatus::Interrupted);
        assert!(errors.is_some());
    }
}

//! `undo`: shows what reversing an import would do, asks if users would be deactivated, and does it.

use clap::Args;
use tokio::time::sleep;
use uuid::Uuid;

use super::{
    CommandLine, ImportReport, ReportOptions, deactivation_prompt,
    deactivation_prompt::PromptMode,
    import_job::{self, until_ctrl_c},
    options::{PlanDigest, digest},
    report_failure,
    retry_budget::RetryBudget,
};
use crate::{
    cli::{
        ExitStatus,
        client::{connection::OrganizationArgs, import_id::ImportIdArg},
        failure::UsageError,
        output::{
            FormatArgs, OutputFormat, PagerArgs, SummaryOptions, Verbosity, count, print_error,
        },
    },
    client::{ClientError, ImportEnd, ServiceClient},
    proto::{ImportStart, ImportUsersResponse, UndoImportRequest, import_users_response::Message},
};

/// How often an undo is sent again.
const RETRIES: u32 = 10;

/// Undo an import: give users back the values that it changed
///
/// First shows each value that the undo would change. Users that the import updated or deactivated get their earlier
/// values back. Users that it created become Inactive. Users who have been edited since stay as they are, and the
/// report says which import edited them. The undo is an import itself: `imports` lists it, and it can be undone. The
/// exit codes are those of `import`.
#[derive(Args, Debug)]
#[command(after_help = "Examples: look at what an undo would do; then do it\n  \
    user-import undo 018f4e9e --organization my-department --validate-only\n  \
    user-import undo 018f4e9e --organization my-department")]
pub(crate) struct UndoArgs {
    #[command(flatten)]
    import: ImportIdArg,
    /// Show what the undo would do, and write nothing
    #[arg(long, env = "USER_IMPORT_VALIDATE_ONLY")]
    validate_only: bool,
    /// The word Confirm, to let users become Inactive without a question
    #[arg(long, value_name = "WORD", env = "USER_IMPORT_CONFIRM")]
    confirm: Option<String>,
    /// Refuse if more users than this would become Inactive [default: the server's guard]
    #[arg(long, value_name = "N", env = "USER_IMPORT_MAX_DEACTIVATIONS")]
    max_deactivations: Option<u32>,
    /// Refuse if the plan is not the plan of the dry run that printed this digest
    #[arg(long, value_name = "HEX", env = "USER_IMPORT_EXPECTED_PLAN_DIGEST", value_parser = digest)]
    expected_plan_digest: Option<PlanDigest>,
    /// ID of the undo itself, to continue one that was interrupted
    #[arg(long, value_name = "ID", env = "USER_IMPORT_UNDO_ID")]
    undo_id: Option<Uuid>,
    #[command(flatten)]
    pager: PagerArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Runs the command.
///
/// # Errors
/// Fails if the deactivation is not confirmed, or the server cannot be reached. A refused undo is no error: it is
/// reported, and has its exit code.
pub(crate) async fn run(args: UndoArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    if let Some(word) = &args.confirm {
        deactivation_prompt::confirm(word)?;
    }
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let import_id = args.import.resolve(&mut client, &organization).await?;
    let mut undo = UndoRun {
        client,
        request: UndoImportRequest {
            organization,
            import_id,
            max_deactivations: args.max_deactivations,
            include_values: true,
            validate_only: true,
            ..UndoImportRequest::default()
        },
        inactive: 0,
    };
    if let Some(PlanDigest(digest)) = &args.expected_plan_digest {
        undo.request.expected_plan_digest.clone_from(digest);
    }
    let view = view(&args, verbosity);
    if let Some(id) = args.undo_id {
        // The preview was shown when the undo began.
        undo.request.undo_id = id.to_string();
    } else if let Some(exit) = undo.preview(&args, &view).await? {
        return Ok(exit);
    }
    undo.apply(&args, view).await
}

fn view(args: &UndoArgs, verbosity: Verbosity) -> ReportOptions {
    ReportOptions {
        format: args.format.format,
        review: true,
        follow: false,
        pager: args.pager,
        summary_options: SummaryOptions {
            apply: args
                .validate_only
                .then(|| CommandLine::of_process().apply_command()),
            ..SummaryOptions::default()
        },
        verbosity,
    }
}

/// An undo and the server that it is asked of.
struct UndoRun {
    client: ServiceClient,
    request: UndoImportRequest,
    /// How many users become Inactive, as planned.
    inactive: u32,
}

impl UndoRun {
    /// Shows what the undo would do, and asks if users become Inactive. Returns the exit status if that is all.
    async fn preview(
        &mut self,
        args: &UndoArgs,
        view: &ReportOptions,
    ) -> anyhow::Result<Option<ExitStatus>> {
        // A program gets the answers of the undo itself.
        let is_shown = args.validate_only || view.format == OutputFormat::Table;
        let mut report = ImportReport::deferred(view.clone());
        let ended = self.send(&mut report).await?;
        let completed = import_job::completed(&ended).cloned();
        if is_shown || completed.is_none() {
            let shown = report.finish(&ended, &std::collections::BTreeMap::new());
            report_failure(&ended, report.has_shown_refusals(&ended));
            shown.map_err(ClientError::Output)?;
        }
        if self.inactive > 0 && is_shown {
            let users = count(self.inactive, "user");
            view.verbosity
                .notice(&format!("{users} would become Inactive."));
        }
        let Some(summary) = completed.filter(|_| !args.validate_only) else {
            return Ok(Some(ExitStatus::of_import(&ended)));
        };
        if summary.updated == 0 {
            view.verbosity.notice("There is nothing to undo any more.");
            return Ok(Some(ExitStatus::of_import(&ended)));
        }
        if self.inactive > 0 {
            self.expect_confirmed(args, view.verbosity).await?;
        }
        self.request.validate_only = false;
        self.request.undo_id = Uuid::now_v7().to_string();
        self.request.expected_plan_digest = summary.plan_digest;
        Ok(None)
    }

    /// Asks for the word, unless it is on the command line.
    async fn expect_confirmed(&self, args: &UndoArgs, verbosity: Verbosity) -> anyhow::Result<()> {
        if args.confirm.is_some() {
            return Ok(());
        }
        let users = count(self.inactive, "user");
        if PromptMode::of_process(false, verbosity) == PromptMode::Unavailable {
            let message = format!(
                "The undo would make {users} Inactive, and there is no terminal to ask on. To \
                 confirm it, add: --confirm {}",
                deactivation_prompt::WORD
            );
            return Err(UsageError::new(message).into());
        }
        let typed = tokio::select! {
            typed = deactivation_prompt::ask() => typed?,
            _ = tokio::signal::ctrl_c() => String::new(),
        };
        Ok(deactivation_prompt::confirm(&typed)?)
    }

    /// Does what has been shown.
    async fn apply(
        &mut self,
        args: &UndoArgs,
        mut view: ReportOptions,
    ) -> anyhow::Result<ExitStatus> {
        self.request.validate_only = false;
        // It has been shown already.
        view.review = view.format != OutputFormat::Table || args.undo_id.is_some();
        let mut report = ImportReport::new(view);
        let ended = self.send(&mut report).await?;
        let shown = report.finish(&ended, &std::collections::BTreeMap::new());
        report_failure(&ended, report.has_shown_refusals(&ended));
        let exit = ExitStatus::of_import(&ended);
        if exit == ExitStatus::Interrupted {
            print_error(&format!(
                "If the import had begun to write, it may continue without this command. To see how it ends, or to continue it, \
                 repeat the command with\n  --undo-id {}",
                self.request.undo_id
            ));
        }
        if import_job::is_refused_for(&ended, "PLAN_DIFFERS") {
            print_error(
                "The directory has changed since the dry run of this undo. Repeat the command to \
                 see what the undo would do now.",
            );
        }
        shown.map_err(ClientError::Output)?;
        Ok(exit)
    }

    /// Sends the undo, again and again under the same ID, until it ends for good or no retry is left.
    async fn send(&mut self, report: &mut ImportReport) -> anyhow::Result<ImportEnd> {
        let start = ImportStart {
            import_id: self.request.undo_id.clone(),
            ..ImportStart::default()
        };
        self.inactive = 0;
        until_ctrl_c(&start, report, async |report| {
            let mut retries = RetryBudget::new(RETRIES);
            loop {
                let request = self.request.clone();
                let inactive = &mut self.inactive;
                let undoing = self.client.undo(request, |answer| {
                    *inactive += becoming_inactive(&answer);
                    report.show(answer)
                });
                let ended = undoing.await?;
                let Some(retry) = retries.after(&ended) else {
                    return Ok(ended);
                };
                report.notice(&retry.to_string());
                sleep(retry.wait).await;
            }
        })
        .await
    }
}

/// How many users become Inactive by the rows of an answer.
fn becoming_inactive(answer: &ImportUsersResponse) -> u32 {
    let Some(Message::Results(results)) = &answer.message else {
        return 0;
    };
    let changes = results.results.iter().flat_map(|result| &result.changes);
    let inactive =
        changes.filter(|change| change.column == "STATUS" && change.after() == "Inactive");
    u32::try_from(inactive.count()).unwrap_or(u32::MAX)
}

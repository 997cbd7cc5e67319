//! `review` and `approve`: imports that a guard has refused and that are held for review.

use std::{collections::BTreeMap, io::IsTerminal};

use clap::Args;
use tokio::signal::ctrl_c;

use super::{
    connection::OrganizationArgs,
    import::{
        ImportReport, PlanDigest, PromptMode, ReportOptions, WORD, ask_word, confirm, digest,
        report_failure,
    },
    import_id::ImportIdArg,
    result_filter::ResultFilterArgs,
};
use crate::cli::{
    ExitStatus,
    failure::UsageError,
    output::{FormatArgs, OutputFormat, PagerArgs, SummaryOptions, Verbosity, print_error},
};
use crate::{
    client::{ClientError, ImportEnd, ServiceClient},
    proto::{ApproveImportRequest, ResultFilter, ReviewImportRequest},
};

/// Show what an import that is held for review would do now
///
/// Plans the import against the users as they are today. Shows each change with the values before and after, the
/// users who would be deactivated, the consequences, and why the import is held. Nothing is written, and the import
/// stays held. Needs the permission users.approve.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import review 018f4e9e-5c7b-7000-8000-000000000001 --organization my-department")]
pub(crate) struct ReviewArgs {
    #[command(flatten)]
    import: ImportIdArg,
    #[command(flatten)]
    filter: ResultFilterArgs,
    #[command(flatten)]
    pager: PagerArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Apply an import that is held for review
///
/// On a terminal, shows the plan as `review` does, asks for the word Confirm, and applies exactly that plan. If the
/// plan has changed since, nothing is written and the import stays held. Needs the permission users.approve, and the
/// permissions that the import itself needs. The exit codes are those of `import`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import approve 018f4e9e-5c7b-7000-8000-000000000001 --organization my-department")]
pub(crate) struct ApproveArgs {
    #[command(flatten)]
    import: ImportIdArg,
    /// Refuse if the plan is not the plan of the review that printed this digest
    #[arg(long, value_name = "HEX", env = "USER_IMPORT_EXPECTED_PLAN_DIGEST", value_parser = digest)]
    expected_plan_digest: Option<PlanDigest>,
    /// The word Confirm, if there is no terminal to ask on
    #[arg(long, value_name = "WORD", env = "USER_IMPORT_CONFIRM")]
    confirm: Option<String>,
    #[command(flatten)]
    pager: PagerArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Shows a held import.
///
/// # Errors
/// Fails if the server cannot be reached, or standard output is closed.
pub(crate) async fn review(args: ReviewArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let import_id = args.import.resolve(&mut client, &organization).await?;
    let request = ReviewImportRequest {
        organization,
        import_id,
        result_filter: args.filter.number(),
    };
    let options = view(args.format.format, true, args.pager, verbosity);
    let (_, exit) = show_review(&mut client, request, options).await?;
    Ok(exit)
}

/// Shows a held import to its end. Returns the end, and the exit status.
async fn show_review(
    client: &mut ServiceClient,
    request: ReviewImportRequest,
    options: ReportOptions,
) -> anyhow::Result<(ImportEnd, ExitStatus)> {
    let mut report = ImportReport::new(options);
    let reviewing = client.review(request, |answer| report.show(answer));
    let ended = tokio::select! {
        ended = reviewing => ended?,
        _ = ctrl_c() => ImportEnd::default(),
    };
    report.close();
    let exit = end(&mut report, &ended)?;
    // It is held as before.
    Ok(match exit {
        ExitStatus::Held if ended.status.is_none() => (ended, ExitStatus::Done),
        exit => (ended, exit),
    })
}

/// Applies a held import.
///
/// # Errors
/// Fails if the approval is not confirmed, the server cannot be reached, or standard output is closed. A refusal is no
/// error: it is reported, and has its exit code.
pub(crate) async fn approve(args: ApproveArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    if let Some(word) = &args.confirm {
        confirm(word)?;
    }
    let can_ask = PromptMode::of_process(false, verbosity) == PromptMode::Terminal;
    if args.confirm.is_none() && args.expected_plan_digest.is_none() && !can_ask {
        return Err(UsageError::new(format!(
            "there is no terminal to ask on: add --confirm {WORD}. To apply exactly the plan of a \
             review, also add --expected-plan-digest with the digest that the review printed."
        ))
        .into());
    }
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let import_id = args.import.resolve(&mut client, &organization).await?;
    let mut request = ApproveImportRequest {
        organization: organization.clone(),
        import_id: import_id.clone(),
        expected_plan_digest: Vec::new(),
        confirmation: args.confirm.clone().unwrap_or_default(),
        result_filter: ResultFilter::All.into(),
    };
    if let Some(digest) = &args.expected_plan_digest {
        request.expected_plan_digest.clone_from(&digest.0);
        if args.confirm.is_none() && can_ask {
            confirm(&ask_word().await?)?;
            WORD.clone_into(&mut request.confirmation);
        }
        return apply(&mut client, request, &args, verbosity).await;
    }
    let review = ReviewImportRequest {
        organization,
        import_id,
        result_filter: ResultFilter::All.into(),
    };
    let (format, shown) = shown_format(args.format.format, verbosity);
    let options = view(format, true, args.pager, shown);
    let (ended, exit) = show_review(&mut client, review, options).await?;
    let Some(summary) = ended.summary.filter(|_| exit == ExitStatus::Done) else {
        return Ok(exit);
    };
    request.expected_plan_digest = summary.plan_digest;
    if args.confirm.is_none() {
        confirm(&ask_word().await?)?;
        WORD.clone_into(&mut request.confirmation);
    }
    apply(&mut client, request, &args, verbosity).await
}

/// The review before an approval is for a person: a program gets only the results of the approval.
fn shown_format(format: OutputFormat, verbosity: Verbosity) -> (OutputFormat, Verbosity) {
    match format == OutputFormat::Table && std::io::stdout().is_terminal() {
        true => (format, verbosity),
        false => (OutputFormat::Table, Verbosity { quiet: true }),
    }
}

async fn apply(
    client: &mut ServiceClient,
    request: ApproveImportRequest,
    args: &ApproveArgs,
    verbosity: Verbosity,
) -> anyhow::Result<ExitStatus> {
    let (import_id, digest) = (
        request.import_id.clone(),
        hex::encode(&request.expected_plan_digest),
    );
    let mut report = ImportReport::new(view(args.format.format, false, args.pager, verbosity));
    let approving = client.approve(request, |answer| report.show(answer));
    let ended = tokio::select! {
        ended = approving => ended?,
        _ = ctrl_c() => ImportEnd::default(),
    };
    report.close();
    let exit = end(&mut report, &ended)?;
    let refusals = ended.summary.iter().flat_map(|summary| &summary.refusals);
    if refusals
        .map(|refusal| &refusal.code)
        .any(|code| code == "CONFIRMATION_REQUIRED")
    {
        print_error(&format!("To confirm it, add: --confirm {WORD}"));
    }
    if exit == ExitStatus::Interrupted {
        print_error(&format!(
            "If the import had begun to write, it may continue without this command. To see how it ends, or to continue it:\n  \
             user-import approve {import_id} --confirm {WORD} --expected-plan-digest {digest}"
        ));
    }
    Ok(exit)
}

fn view(
    format: OutputFormat,
    review: bool,
    pager: PagerArgs,
    verbosity: Verbosity,
) -> ReportOptions {
    ReportOptions {
        format,
        review,
        follow: false,
        pager,
        summary_options: SummaryOptions::default(),
        verbosity,
    }
}

fn end(report: &mut ImportReport, ended: &ImportEnd) -> anyhow::Result<ExitStatus> {
    report
        .finish(ended, &BTreeMap::new())
        .map_err(ClientError::Output)?;
    report_failure(ended, report.has_shown_refusals(ended));
    Ok(ExitStatus::of_import(ended))
}

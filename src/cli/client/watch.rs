//! `watch`: the results of an import from its record, and then as they come.

use std::{collections::BTreeMap, io};

use clap::Args;
use tokio::signal::ctrl_c;

use super::{
    connection::OrganizationArgs,
    import::{ImportReport, ReportOptions, report_failure},
    import_id::ImportIdArg,
    result_filter::ResultFilterArgs,
};
use crate::cli::{
    ExitStatus,
    output::{
        FormatArgs, OutputFormat, PagerArgs, SummaryOptions, Verbosity, minute_text,
        principal_text, print_error, printable,
    },
};
use crate::{
    client::{ClientError, ImportEnd, ServiceClient},
    proto::{ImportUsersResponse, WatchImportRequest, import_users_response::Message},
};

/// Show an import's results until it ends, as `import` does
///
/// Ctrl-C ends this command, not the import. The exit codes are those of `import`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import watch 018f4e9e-5c7b-7000-8000-000000000001 --organization my-department")]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    import: ImportIdArg,
    /// Leave out the first results that --result-filter selects, this many of them
    #[arg(long, value_name = "N", env = "USER_IMPORT_AFTER", default_value_t = 0)]
    after: u32,
    #[command(flatten)]
    filter: ResultFilterArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Runs the command.
///
/// # Errors
/// Fails if the server cannot be reached. The end of the import is no error: it has its exit code.
pub(crate) async fn run(args: WatchArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let import_id = args.import.resolve(&mut client, &organization).await?;
    if args.format.format == OutputFormat::Table {
        introduce(&mut client, (&organization, &import_id), verbosity).await;
    }
    let request = WatchImportRequest {
        organization,
        import_id: import_id.clone(),
        after_result: args.after,
        result_filter: args.filter.number(),
    };
    let mut report = ImportReport::new(ReportOptions {
        format: args.format.format,
        review: false,
        follow: true,
        pager: PagerArgs::default(),
        summary_options: SummaryOptions::default(),
        verbosity,
    });
    let mut seen = args.after;
    let watching = client.watch(request, |answer| {
        seen = seen.saturating_add(results(&answer));
        report.show(answer)
    });
    let ended = tokio::select! {
        ended = watching => Some(ended),
        _ = ctrl_c() => None,
    };
    report.close();
    let exit = match ended {
        Some(ended) => end(&mut report, &ended?).map_err(ClientError::Output)?,
        None => ExitStatus::Interrupted,
    };
    if exit == ExitStatus::Interrupted && !report.has_ended() {
        explain_how_to_continue(&args, &import_id, seen);
    }
    Ok(exit)
}

/// Says which import it is. Callers who may not read its record see its results all the same.
async fn introduce(
    client: &mut ServiceClient,
    (organization, import_id): (&str, &str),
    verbosity: Verbosity,
) {
    let Ok(Some(import)) = client.import_record(organization, import_id).await else {
        return;
    };
    let source = match &*import.source {
        "" => "a roster",
        source => source,
    };
    let sender = principal_text(&import.principal);
    let started = minute_text(import.started_at.as_ref());
    verbosity.notice(&format!(
        "{}, sent by {} on {started} UTC",
        printable(source),
        printable(&sender)
    ));
}

fn results(answer: &ImportUsersResponse) -> u32 {
    match &answer.message {
        Some(Message::Results(more)) => u32::try_from(more.results.len()).unwrap_or(u32::MAX),
        _ => 0,
    }
}

fn end(report: &mut ImportReport, ended: &ImportEnd) -> io::Result<ExitStatus> {
    report.finish(ended, &BTreeMap::new())?;
    report_failure(ended, report.has_shown_refusals(ended));
    Ok(ExitStatus::of_import(ended))
}

fn explain_how_to_continue(args: &WatchArgs, import_id: &str, seen: u32) {
    // Results are counted among those that the filter selects.
    print_error(&format!(
        "The import may continue. To see the rest of it:\n  user-import watch {import_id} --after {seen}{}",
        args.filter.as_option()
    ));
}

//! `watch`: the results of an import from its record, and then as they come.

use std::{collections::BTreeMap, io};

use clap::{Args, ValueEnum};
use tokio::signal::ctrl_c;

use super::{
    connection::OrganizationArgs,
    import::{Filter, Report, View, tell_failure},
};
use crate::cli::{
    Exit,
    output::{Asked, Format, Voice, complain},
};
use crate::{
    client::{ClientError, Ended},
    proto::{
        ImportUsersResponse, ResultFilter, WatchImportRequest, import_users_response::Message,
    },
};

/// Show an import's results until it ends, as `import` does
///
/// Ctrl-C ends the watching, not the import. Exit codes: as of `import`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import watch 018f4e9e-5c7b-7000-8000-000000000001 --organization my-department")]
pub struct WatchArgs {
    /// ID of the import, as `import` and `imports` tell it
    #[arg(value_name = "IMPORT_ID")]
    import_id: String,
    /// Leave out this many results at the beginning, of those that --result-filter selects
    #[arg(long, value_name = "N", env = "USER_IMPORT_AFTER", default_value_t = 0)]
    after: u32,
    /// Which results to have
    #[arg(
        long,
        value_name = "WHICH",
        env = "USER_IMPORT_RESULT_FILTER",
        value_enum
    )]
    #[arg(default_value_t = Filter::All)]
    result_filter: Filter,
    /// For whom to print
    #[arg(long, env = "USER_IMPORT_FORMAT", value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Runs the command.
///
/// # Errors
/// Where nobody can be reached. However the import ended is no error: it has its exit code.
pub async fn run(args: WatchArgs, voice: Voice) -> anyhow::Result<Exit> {
    let (mut client, organization) = args.organization.connect(voice).await?;
    let request = WatchImportRequest {
        organization,
        import_id: args.import_id.clone(),
        after_result: args.after,
        result_filter: ResultFilter::from(args.result_filter).into(),
    };
    let mut report = Report::new(View {
        format: args.format,
        review: false,
        asked: Asked::default(),
        voice,
    });
    let mut seen = args.after;
    let watching = client.watch(request, |answer| {
        seen = seen.saturating_add(results(&answer));
        report.answer(answer)
    });
    let ended = tokio::select! {
        ended = watching => Some(ended),
        _ = ctrl_c() => None,
    };
    report.close();
    let exit = match ended {
        Some(ended) => end(&mut report, &ended?).map_err(ClientError::Output)?,
        None => Exit::Interrupted,
    };
    if exit == Exit::Interrupted && !report.has_ended() {
        tell_how_to_go_on(&args, seen);
    }
    Ok(exit)
}

fn results(answer: &ImportUsersResponse) -> u32 {
    match &answer.message {
        Some(Message::Results(more)) => u32::try_from(more.results.len()).unwrap_or(u32::MAX),
        _ => 0,
    }
}

fn end(report: &mut Report, ended: &Ended) -> io::Result<Exit> {
    report.end(ended, &BTreeMap::new())?;
    tell_failure(ended, report.has_told_why(ended));
    Ok(Exit::of_import(ended))
}

fn tell_how_to_go_on(args: &WatchArgs, seen: u32) {
    // Results are counted among those that it selects.
    let filter = args.result_filter.to_possible_value();
    let filter = filter.map(|filter| format!(" --result-filter {}", filter.get_name()));
    complain(&format!(
        "The import may go on. To see the rest of it:\n  user-import watch {} --after {seen}{}",
        args.import_id,
        filter.unwrap_or_default()
    ));
}

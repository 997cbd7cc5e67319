//! `import`: sends a roster, shows what became of each row, and keeps the rejected ones.

mod confirmation;
mod options;
mod report;
mod roster;

use std::path::Path;

use anyhow::Context;

use super::{
    Exit, errors_file, failure,
    report::{Asked, Findings, Look},
};
use crate::client::{ClientError, Ended};

pub use options::ImportArgs;
use report::Report;
use roster::Roster;

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
    let mut client = args.organization.connect().await?;

    let asked = Asked {
        errors_file: args.errors.is_some(),
    };
    let mut report = Report::new(args.format, asked, Look::of_stdout());
    let keep = args.errors.is_some() && !roster.can_be_read_again();
    let import = client.import(start, input, keep, |answer| report.answer(answer));
    let ended = tokio::select! {
        ended = import => ended,
        _ = tokio::signal::ctrl_c() => Ok(left(&report)),
    };
    report.close();
    let ended = ended?;
    report.end(&ended).map_err(ClientError::Output)?;
    tell_failure(&ended, report.has_told_why(&ended));
    if let Some(errors) = &args.errors {
        // The import is what it is; a full disk here does not change its exit code.
        if let Err(error) = save_rejected(errors, &roster, &ended, report.findings()) {
            eprintln!("error: {error:#}.");
        }
    }
    Ok(Exit::of_import(&ended))
}

/// The end that this side makes when somebody presses Ctrl-C.
fn left(report: &Report) -> Ended {
    let started = report.findings().started.as_ref();
    Ended {
        import_id: started
            .map(|started| started.import_id.clone())
            .unwrap_or_default(),
        status: Some(tonic::Status::cancelled("stopped here by Ctrl-C.")),
        ..Ended::default()
    }
}

/// Says on standard error why there is no good end, unless the summary has said it.
fn tell_failure(ended: &Ended, told: bool) {
    let Some(status) = &ended.status else {
        if ended.summary.is_none() {
            eprintln!("error: the server ended the import without a summary.");
        }
        return;
    };
    if !told {
        eprintln!("{}", failure::describe_status(status));
    }
    if ended.summary.is_none() && Exit::of_status(status) == Exit::Interrupted {
        eprintln!("{}", how_to_go_on(&ended.import_id));
    }
}

/// What to do where it is not known how an import ended.
fn how_to_go_on(import_id: &str) -> String {
    if import_id.is_empty() {
        return "Nothing was written. Repeat the command.".to_owned();
    }
    format!(
        "If it had begun to write, it goes on without this command. To see how it ends, or to \
         continue it, repeat the command with --import-id {import_id}"
    )
}

fn save_rejected(
    path: &Path,
    roster: &Roster,
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
    let bytes = roster.read_again(sent)?;
    errors_file::write(path, &bytes, findings)?;
    eprintln!(
        "The rejected rows are in {}: correct them there and import that file.",
        path.display()
    );
    Ok(())
}

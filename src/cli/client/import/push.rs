//! `push`: a few rows as one call, from options or from a file.

use std::path::PathBuf;

use clap::Args;
use tokio::time::sleep;

use super::{
    EndReport, ImportReport, errors_file,
    import_job::until_ctrl_c,
    options::CommonArgs,
    pushed_rows::{PushedRows, SetValue},
    report_earlier,
    retry_budget::RetryBudget,
    roster_source::{RosterInput, RosterSource},
    view,
};
use crate::{
    cli::{ExitStatus, output::Verbosity},
    client::{ImportEnd, ServiceClient},
    domain::Column,
    proto::{ImportStart, ImportUsersResponse, PushUsersRequest, import_users_response::Message},
};

/// Create or update up to 1,000 users in one call, and leave all others as they are
///
/// The rows come from a CSV file, which this program reads itself. Or --set options give one row. The checks, the
/// report and the exit codes are those of `import`. Repeated with the same --import-id, the command writes nothing
/// and shows the recorded results.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples: clear the phone number of one user, with the columns that every row needs; then send a \
    few users from a file:\n  \
    user-import push --organization my-department --set EXTERNAL_ID=P-1001 --set EMAIL=ana@pd.example \\\n    \
    --set BADGE_NUMBER=0429 --set FIRST_NAME=Ana --set LAST_NAME=Lima --set STATUS=Active \\\n    \
    --set USERNAME=alima --set ROLE=Officer --set PHONE=\n  \
    user-import push changed.csv --organization my-department"
)]
pub(crate) struct PushArgs {
    /// CSV file with at most 1,000 rows; `-` is standard input
    #[arg(required_unless_present = "set")]
    file: Option<PathBuf>,
    #[arg(
        long,
        help = set_help(),
        value_name = "COLUMN=VALUE",
        env = "USER_IMPORT_SET",
        value_delimiter = '\n',
        value_parser = SetValue::parse,
        conflicts_with_all = ["file", "errors", "charset", "delimiter", "ignore_unknown_columns"]
    )]
    set: Vec<SetValue>,
    #[command(flatten)]
    common: CommonArgs,
}

/// The help of `--set`.
fn set_help() -> String {
    let required = Column::ALL
        .into_iter()
        .filter(|column| column.is_required());
    let required: Vec<_> = required.map(Column::header).collect();
    format!(
        "A value of the one row, in place of a file. COLUMN is the name that a header would have. May be given several \
        times (in the environment: one a line). The row needs all of these columns, also those that do not change: {}. \
        To update a user it also needs {}, or --match-by. Any other column stays as it is if it is not named, and \
        `COLUMN=` clears it",
        required.join(", "),
        Column::ExternalId.header(),
    )
}

/// Runs the command.
///
/// # Errors
/// Fails if the rows cannot be read, or the server cannot be reached. A refused push is no error: it is reported, and
/// has its exit code.
pub(crate) async fn run(args: PushArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let errors = args.common.errors.as_deref();
    if let (Some(errors), Some(file)) = (errors, &args.file) {
        errors_file::check(errors, [("roster", &**file)])?;
    }
    let done = push(&args, verbosity).await;
    if done.is_err() {
        errors.inspect(|path| report_earlier(path));
    }
    done
}

/// Does the push, and reports it.
async fn push(args: &PushArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let common = &args.common;
    let input = match &args.file {
        Some(file) => Some(RosterSource::find(file)?.open().await?),
        None => None,
    };
    let read = match &input {
        Some(input) => read(input, common).await?,
        None => Ok(PushedRows::of_values(&args.set)?),
    };
    let end = EndReport {
        args: common,
        input: input.as_ref(),
        mapping: None,
        is_dry: common.is_dry(),
    };
    let mut report = ImportReport::new(view(common, verbosity));
    let rows = match read {
        Ok(rows) => rows,
        Err(unusable) => {
            let ended = ImportEnd {
                status: Some(*unusable),
                ..ImportEnd::default()
            };
            return end.report(&ended, &mut report).await;
        }
    };
    let (client, organization) = common.organization.connect(verbosity).await?;
    let job = PushJob {
        client,
        rows,
        retries: common.retries,
    };
    let mut start = common.start(&organization, args.file.as_deref());
    common.find_import(&mut start, &job.client).await?;
    let send = async |report: &mut ImportReport| job.send(&start, report).await;
    let ended = until_ctrl_c(&start, &mut report, send).await?;
    if ended.shortened {
        report.notice(&format!(
            "The results were too large for one answer, so each has only its first error. \
             `user-import watch {}` shows all errors of the rows that were written.",
            ended.import_id
        ));
    }
    end.report(&ended, &mut report).await
}

/// Reads the rows of a file.
async fn read(
    input: &RosterInput,
    args: &CommonArgs,
) -> anyhow::Result<Result<PushedRows, Box<tonic::Status>>> {
    let file = input.read().await?;
    let rows = PushedRows::read(file, &args.csv_options()).await?;
    Ok(rows.map_err(Box::new))
}

/// The rows and the server that they are pushed to.
struct PushJob {
    client: ServiceClient,
    rows: PushedRows,
    /// How often they may be sent again.
    retries: u32,
}

impl PushJob {
    /// Sends the push with the options in `start`, again and again under the same ID, until it ends for good or no retry is left.
    async fn send(
        &self,
        start: &ImportStart,
        report: &mut ImportReport,
    ) -> anyhow::Result<ImportEnd> {
        let mut client = self.client.clone();
        let mut retries = RetryBudget::new(self.retries);
        loop {
            let push = PushUsersRequest {
                start: Some(start.clone()),
                rows: self.rows.rows.clone(),
            };
            let pushing = client.push(push, |answer| report.show(self.located(answer)));
            let mut ended = pushing.await?;
            ended.sent.clone_from(&self.rows.sent);
            let Some(retry) = retries.after(&ended) else {
                return Ok(ended);
            };
            report.notice(&retry.to_string());
            sleep(retry.wait).await;
        }
    }

    /// Adds the facts about the file to the answer, as the server adds them for an import: how the file is read, and
    /// the line of each row.
    fn located(&self, mut answer: ImportUsersResponse) -> ImportUsersResponse {
        match &mut answer.message {
            Some(Message::Started(started)) => {
                let import_id = std::mem::take(&mut started.import_id);
                *started = self.rows.started.clone();
                started.import_id = import_id;
            }
            Some(Message::Results(results)) => {
                for result in &mut results.results {
                    let index = usize::try_from(result.row).ok();
                    let index = index.and_then(|row| row.checked_sub(1));
                    let line = index.and_then(|index| self.rows.lines.get(index));
                    result.line = line.copied().unwrap_or_default();
                }
            }
            _ => {}
        }
        answer
    }
}

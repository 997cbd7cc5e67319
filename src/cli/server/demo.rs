//! `demo`: an import from beginning to end, with nothing but this program.
//!
//! A server on a free loopback port, a database in a temporary folder, and over gRPC the same client
//! that `import` uses. With `--keep` the server goes on, for the console.

mod department;
mod embedded_server;

use std::{env, future::pending};

use anyhow::Context;
use clap::{Args, builder::BoolishValueParser};

use self::embedded_server::EmbeddedServer;
use super::stop_signal::stop_signal;
use crate::cli::{
    ExitStatus,
    console_address::ConsoleAddress,
    output::{CollectedResults, SummaryOptions, TerminalStyle, print, row_lines, summary_text},
};
use crate::{
    client::{
        ClientCredentials, ClientError, ImportEnd, PresentedToken, RosterFormat, ServiceClient,
    },
    private_files,
    proto::{
        Catalog, ImportStart, ImportSummary, ImportUsersResponse, RowResult,
        import_users_response::Message,
    },
};

const ORGANIZATION: &str = "riverton-pd";
const CATALOG: &str = include_str!("../../../examples/catalog.json");
const BEFORE: &str = include_str!("../../../examples/roster-before.csv");
const ROSTER: &str = include_str!("../../../examples/roster.csv");

/// Show an import from beginning to end, with nothing but this program
///
/// Nothing stays on this machine.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples: a page in this terminal, or the console in a browser\n  \
    user-import demo\n  \
    user-import demo --keep"
)]
pub(crate) struct DemoArgs {
    /// Keep the server running afterwards, until Ctrl-C or SIGTERM, and print the address of the console
    #[arg(long, env = "USER_IMPORT_KEEP", value_parser = BoolishValueParser::new())]
    keep: bool,
}

/// Runs the command. Rejected rows are part of the show, and no failure.
///
/// # Errors
/// Fails if the embedded server cannot be started, or a call to it fails.
pub(crate) async fn run(args: DemoArgs) -> anyhow::Result<ExitStatus> {
    // The temporary files are removed whenever the demo is stopped.
    let stopped = stop_signal();
    let folder = private_files::temporary_folder("user-import-demo-");
    let folder = folder.context("no temporary folder can be made")?;
    let embedded = EmbeddedServer::start(folder.path()).await?;
    let demo = async {
        let mut client = show(&embedded).await?;
        match args.keep {
            true => keep(&embedded, &mut client).await,
            false => print(&try_next()).map(|()| ExitStatus::Done),
        }
    };
    let shown = tokio::select! {
        shown = demo => shown,
        () = stopped => match args.keep {
            true => Ok(ExitStatus::Done),
            false => print("\nThe demo was interrupted. Nothing stays on this machine.\n")
                .map(|()| ExitStatus::Interrupted),
        },
    };
    let ended = embedded.stop().await;
    let exit = shown?;
    ended?;
    Ok(exit)
}

async fn show(embedded: &EmbeddedServer) -> anyhow::Result<ServiceClient> {
    let address = embedded.address();
    print(&format!(
        "A server is running on {address}, with an empty database.\n"
    ))?;
    let credentials = ClientCredentials {
        token: PresentedToken::Fixed(embedded.bearer()?),
        ..ClientCredentials::default()
    };
    let mut client = ServiceClient::connect(address, credentials).await?;
    let catalog: Catalog = serde_json::from_str(CATALOG)?;
    client
        .create_organization(ORGANIZATION, "Riverton Police Department")
        .await?;
    client.update_catalog(ORGANIZATION, catalog).await?;
    let before = import(&mut client, BEFORE).await?;
    print(&introduction(&before.summary))?;
    let shown = import(&mut client, ROSTER).await?;
    print(&shown.page(TerminalStyle::of_stdout()))?;
    Ok(client)
}

/// Fills the organisation, and shows it in the console until somebody stops the program.
async fn keep(embedded: &EmbeddedServer, client: &mut ServiceClient) -> anyhow::Result<ExitStatus> {
    department::fill(client).await?;
    // Not only on a terminal: the token ends with the demo, and opens nothing else.
    let address = ConsoleAddress::at(embedded.address()).with_token(embedded.token());
    print(&format!(
        "\nThe server keeps running, and {ORGANIZATION} now has more to look at. Open the console; this address signs you in:\n\n  \
         {address}\n\nCtrl-C ends the demo. Nothing stays on this machine.\n"
    ))?;
    pending().await
}

fn introduction(before: &ImportSummary) -> String {
    format!(
        "{ORGANIZATION} has {} users from yesterday's roster. Today's roster arrives:\n\n\
         - rows 5 and 6 swap their badge numbers;\n\
         - row 7 names a supervisor that row 12 creates;\n\
         - row 14 may have lost a leading zero to a spreadsheet;\n\
         - row 15 has no external ID, so it gets one;\n\
         - rows 16 to 20 have faults, and do not stop the other rows.\n\n",
        before.created
    )
}

/// An import of the demo, after its end.
struct DemoImport {
    rows: Vec<RowResult>,
    summary: ImportSummary,
}

impl DemoImport {
    fn page(&self, style: TerminalStyle) -> String {
        let rows: String = self.rows.iter().map(|row| row_lines(row, style)).collect();
        let asked = SummaryOptions {
            errors_file: true,
            ..SummaryOptions::default()
        };
        // Each row is shown with its warnings already.
        let collected = CollectedResults::default();
        let summary = summary_text(&self.summary, &collected, &asked, style);
        format!("{rows}\n{summary}")
    }
}

async fn import(client: &mut ServiceClient, roster: &'static str) -> anyhow::Result<DemoImport> {
    let start = ImportStart {
        include_values: true,
        ..start_from("demo")
    };
    let mut rows = Vec::new();
    let ended = client
        .import(start, (roster.as_bytes(), RosterFormat::Csv), |answer| {
            rows.extend(results(answer));
            Ok(())
        })
        .await?;
    rows.sort_by_key(|row| row.row);
    Ok(DemoImport {
        rows,
        summary: completed(ended)?,
    })
}

/// An import into the demo's organisation, whose roster comes from `source`.
fn start_from(source: &str) -> ImportStart {
    ImportStart {
        organization: ORGANIZATION.to_owned(),
        source: source.to_owned(),
        ..ImportStart::default()
    }
}

fn results(answer: ImportUsersResponse) -> Vec<RowResult> {
    match answer.message {
        Some(Message::Results(results)) => results.results,
        _ => Vec::new(),
    }
}

fn completed(ended: ImportEnd) -> anyhow::Result<ImportSummary> {
    if let Some(status) = ended.status {
        return Err(ClientError::from(status).into());
    }
    ended
        .summary
        .context("the server ended the import without a summary")
}

/// The commands for the reader's own organisation, ready to be copied.
fn try_next() -> String {
    let program = env::args()
        .next()
        .unwrap_or_else(|| "user-import".to_owned());
    format!(
        "\nThat is all. Nothing stays on this machine. To try it yourself, run a server in one \
         terminal\n\n  {program} serve\n\n\
         and in another one\n\n  \
         export USER_IMPORT_ORGANIZATION=my-department\n  \
         {program} org create my-department\n  \
         echo '{{\"roles\": [{{\"name\": \"Officer\"}}]}}' | {program} catalog apply -\n  \
         {program} template --output roster.csv\n  \
         # fill in roster.csv: its example rows are rejected as such\n  \
         {program} import roster.csv --validate-only\n  \
         {program} import roster.csv --errors rejected.csv\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Column;

    #[test]
    fn the_example_rosters_have_the_columns_of_the_template() {
        for (roster, rows) in [(BEFORE, 12), (ROSTER, 20)] {
            let mut reader = csv::Reader::from_reader(roster.as_bytes());
            let header = reader.headers().unwrap().clone();
            assert!(header.iter().eq(Column::ALL.map(Column::header)));
            assert_eq!(reader.records().filter_map(Result::ok).count(), rows);
        }
    }
}

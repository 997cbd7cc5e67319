//! `demo`: an import from beginning to end, with nothing but this program.
//!
//! A server on a free loopback port, a database in a temporary folder, and over gRPC the same client
//! that `import` uses.

use std::{env, path::Path};

use anyhow::{Context, ensure};
use clap::Args;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::cli::{
    ExitStatus,
    output::{ImportFindings, SummaryOptions, TerminalStyle, print, row_lines, summary_text},
};
use crate::{
    access::TokenText,
    client::{
        BearerToken, ClientCredentials, ClientError, ImportEnd, PresentedToken, RosterFormat,
        ServerAddress, ServiceClient,
    },
    config::{SecuritySettings, Settings},
    private_files,
    proto::{
        Catalog, ImportStart, ImportSummary, ImportUsersResponse, RowResult,
        import_users_response::Message,
    },
    server,
    store::Store,
};

const ORGANIZATION: &str = "riverton-pd";
const CATALOG: &str = include_str!("../../../examples/catalog.json");
const BEFORE: &str = include_str!("../../../examples/roster-before.csv");
const ROSTER: &str = include_str!("../../../examples/roster.csv");

/// Show an import from beginning to end, with nothing but this program
///
/// Nothing stays on this machine.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  user-import demo")]
pub(crate) struct DemoArgs {}

/// Runs the command. Rejected rows are part of the show, and no failure.
///
/// # Errors
/// Fails if the embedded server cannot be started, or a call to it fails.
pub(crate) async fn run(_: DemoArgs) -> anyhow::Result<ExitStatus> {
    let folder = private_files::temporary_folder("user-import-demo-");
    let folder = folder.context("no temporary folder can be made")?;
    let embedded = EmbeddedServer::start(folder.path()).await?;
    let shown = show(&embedded).await;
    let stopped = embedded.stop().await;
    shown.and(stopped)?;
    Ok(ExitStatus::Done)
}

async fn show(embedded: &EmbeddedServer) -> anyhow::Result<()> {
    let address = &embedded.address;
    print(&format!(
        "A server is running on {address}, with an empty database.\n"
    ))?;
    let credentials = ClientCredentials {
        token: PresentedToken::Fixed(embedded.token.clone()),
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
    print(&try_next())
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
    fn page(&self, look: TerminalStyle) -> String {
        let rows: String = self.rows.iter().map(|row| row_lines(row, look)).collect();
        let asked = SummaryOptions {
            errors_file: true,
            ..SummaryOptions::default()
        };
        // Each row is shown with its warnings already.
        let findings = ImportFindings::default();
        let summary = summary_text(&self.summary, &findings, &asked, look);
        format!("{rows}\n{summary}")
    }
}

async fn import(client: &mut ServiceClient, roster: &'static str) -> anyhow::Result<DemoImport> {
    let start = ImportStart {
        organization: ORGANIZATION.to_owned(),
        include_values: true,
        source: "demo".to_owned(),
        ..ImportStart::default()
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
        "\nThat is all of it; nothing stays on this machine. To try it yourself, run a server in one \
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

/// A server in this process.
struct EmbeddedServer {
    address: ServerAddress,
    /// Known only in this process.
    token: BearerToken,
    stop: oneshot::Sender<()>,
    running: JoinHandle<anyhow::Result<()>>,
}

impl EmbeddedServer {
    async fn start(folder: &Path) -> anyhow::Result<Self> {
        let url = format!("sqlite://{}", folder.join("demo.db").display());
        let store = Store::connect(&url).await?;
        store.migrate().await?;
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("no loopback port is free")?;
        let address = format!("http://{}", listener.local_addr()?);
        let address = address.parse().map_err(anyhow::Error::msg)?;
        let (stop, stopped) = oneshot::channel();
        let stopped = async move {
            // A sender that is gone means stop, too.
            let _ = stopped.await;
        };
        let local = TokenText::generate().context("this system has no randomness to give")?;
        let token = local.reveal().parse().map_err(anyhow::Error::msg)?;
        let serving = server::serve(listener, store, settings(local), stopped);
        Ok(Self {
            address,
            token,
            stop,
            running: tokio::spawn(serving),
        })
    }

    async fn stop(self) -> anyhow::Result<()> {
        ensure!(
            self.stop.send(()).is_ok(),
            "the embedded server stopped by itself"
        );
        self.running.await?
    }
}

/// Default settings with this local token.
fn settings(local: TokenText) -> Settings {
    Settings {
        security: SecuritySettings {
            local_token: Some(local),
            ..SecuritySettings::default()
        },
        ..Settings::default()
    }
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

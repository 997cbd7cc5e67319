//! `audit`: lists the audit events, verifies their chain, or writes them to an archive.

mod export;
mod verify;

use std::io;

use clap::{Args, Subcommand};

use super::connection::OrganizationArgs;
use crate::audit::{AuditChain, ChainBreak, NotedHead};
use crate::cli::{
    ExitStatus,
    output::{AUDIT, AUDIT_CSV, LimitArgs, ListFormatArgs, PrintableList, Verbosity, audit_record},
};
use crate::client::ServiceClient;
use crate::proto::AuditEvent;

/// List an organisation's audit events, newest first; verify that none was changed; or archive them
///
/// An audit event says who did what, and when. Each event has the hash of the event before it. `audit verify` reads
/// all events, computes their hashes again on this machine, and says at which event the chain is broken. It fails too
/// if there are no events. `audit export` verifies the events in the same way, and writes them as JSON lines. `audit
/// verify --file` verifies such a file without a server.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:\n  \
    user-import audit --organization my-department --limit 50\n  \
    user-import audit verify --organization my-department\n  \
    user-import audit export --organization my-department --output audit.jsonl")]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    command: Option<AuditCommand>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    Verify(verify::VerifyArgs),
    Export(export::ExportArgs),
}

#[derive(Args, Debug)]
struct ListArgs {
    #[command(flatten)]
    limit: LimitArgs,
    #[command(flatten)]
    format: ListFormatArgs,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Runs the command.
///
/// # Errors
/// Fails if the server refuses, or the chain is broken.
pub(crate) async fn run(args: AuditArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    match args.command {
        None => list(args.list, verbosity).await,
        Some(AuditCommand::Verify(args)) => verify::run(args, verbosity).await,
        Some(AuditCommand::Export(args)) => export::run(args, verbosity).await,
    }
}

async fn list(args: ListArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let list = PrintableList {
        items: &client.audit_events(&organization, args.limit.limit).await?,
        nothing: format!("Nothing has been done to {organization} yet.\n"),
        columns: &AUDIT,
        csv: (AUDIT_CSV, audit_record),
    };
    list.print(args.format)?;
    Ok(ExitStatus::Done)
}

/// Follows the trail of an organisation to its end. Gives each event to `take` once it is verified.
///
/// # Errors
/// Fails if the server refuses, the trail is broken, or `take` fails.
async fn follow_trail(
    client: &mut ServiceClient,
    organization: &str,
    chain: &mut AuditChain,
    take: impl FnMut(&AuditEvent) -> io::Result<()>,
) -> anyhow::Result<NotedHead> {
    let found = match client.verify_audit(chain, organization, take).await? {
        Ok(head) => return Ok(head),
        Err(found) => found,
    };
    if let (ChainBreak::NotAsNoted(noted), Some(_)) = (&found, chain.noted_before_first()) {
        anyhow::bail!(
            "event {noted} is not in the audit trail of {organization} any more: it was archived, \
             and then removed. To verify the archive with the trail, use `audit verify --file \
             ARCHIVE --with-trail`. To export, name a later event in --after, or leave --after out."
        );
    }
    let is_missing = matches!(found, ChainBreak::Missing { .. });
    if is_missing && client.first_audit_event(organization).await? > chain.first() {
        anyhow::bail!(
            "archived events were removed from the audit trail of {organization} while this \
             command read it. Run the command again."
        );
    }
    anyhow::bail!(
        "the audit trail of {organization} is broken: {found}. The events before that one are \
         unchanged. Make a copy of the database before anything else is done to it."
    )
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use parking_lot::Mutex;
    use tokio::net::TcpListener;
    use tokio_stream::wrappers::TcpListenerStream;
    use tonic::{Request, Response, Status, async_trait, transport::Server};

    use super::*;
    use crate::{
        audit::{NO_HASH, hash},
        client::ClientCredentials,
        proto::{
            ListAuditEventsRequest, ListAuditEventsResponse, RecordAuditArchiveRequest,
            RecordAuditArchiveResponse,
            audit_service_server::{AuditService, AuditServiceServer},
        },
    };

    /// Answers with these pages, one after the other.
    struct FakeAuditTrail(Mutex<VecDeque<ListAuditEventsResponse>>);

    #[async_trait]
    impl AuditService for FakeAuditTrail {
        async fn list_audit_events(
            &self,
            _: Request<ListAuditEventsRequest>,
        ) -> Result<Response<ListAuditEventsResponse>, Status> {
            let page = self.0.lock().pop_front();
            page.map(Response::new)
                .ok_or_else(|| Status::internal("no page is left"))
        }

        async fn record_audit_archive(
            &self,
            _: Request<RecordAuditArchiveRequest>,
        ) -> Result<Response<RecordAuditArchiveResponse>, Status> {
            Err(Status::unimplemented("fake"))
        }
    }

    /// A page with the events of `pd` from `first` to `last`, after which others follow.
    fn page(first: i64, last: i64) -> ListAuditEventsResponse {
        let mut previous = NO_HASH.to_vec();
        let mut events = Vec::new();
        for sequence in 1..=last {
            let mut event = AuditEvent {
                sequence,
                previous_hash: previous,
                ..AuditEvent::default()
            };
            event.hash = hash("pd", &event).to_vec();
            previous = event.hash.clone();
            events.push(event);
        }
        events.retain(|event| event.sequence >= first);
        ListAuditEventsResponse {
            events,
            next_page_token: "more".to_owned(),
            head: None,
        }
    }

    /// Verifies a trail that is served in these pages, and returns the report.
    async fn verified_report(pages: impl IntoIterator<Item = ListAuditEventsResponse>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let pages = FakeAuditTrail(Mutex::new(pages.into_iter().collect()));
        let server = Server::builder().add_service(AuditServiceServer::new(pages));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        let credentials = ClientCredentials::default();
        let mut client = ServiceClient::connect(&address.parse().unwrap(), credentials)
            .await
            .unwrap();
        let mut chain = AuditChain::new("pd");
        let followed = follow_trail(&mut client, "pd", &mut chain, |_| Ok(())).await;
        followed.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn events_that_are_removed_while_the_trail_is_read_do_not_break_it() {
        let removed = verified_report([page(1, 2), page(5, 6), page(5, 5)]).await;
        assert!(removed.contains("Run the command again"), "{removed}");
        let broken = verified_report([page(1, 2), page(5, 6), page(1, 1)]).await;
        assert!(broken.contains("is broken: event 3 is missing"), "{broken}");
    }
}

//! The engine without a network: a list of messages in, a list of messages out (semantics §3).

use std::{sync::Arc, time::Duration};

use time::macros::datetime;
use tokio_stream::{StreamExt, iter};
use tokio_util::sync::CancellationToken;
use user_import::{
    access::{Authenticator, CredentialSources, Principal},
    config::Settings,
    domain::AuditActor,
    import::{Clock, ImportError, Importer, ResponseSender, Submitter},
    limits::{MemoryBounds, MemoryBudget},
    proto::{
        ImportFinish, ImportState, UserRows, import_users_request::Message as ImportCall,
        import_users_response::Message as Reply,
    },
    store::Store,
};

use user_import_testing::{App, Database, on_both_databases, roster, start_of};

on_both_databases![
    a_list_of_messages_drives_an_import,
    an_import_takes_its_time_from_the_clock,
    a_stream_that_breaks_off_is_answered_by_nothing,
    a_message_without_content_refuses_the_import,
    nobody_listening_stops_no_import,
];

type ReceivedMessages = Vec<Result<Option<ImportCall>, ImportError>>;

/// Makes an importer on the database of `app`. Its clock stands at a quarter past eight.
async fn importer(app: &App) -> Importer {
    let store = Store::connect(&app.database_url()).await;
    let clock = Clock::new(|| datetime!(2026-05-04 08:15 UTC));
    let store = store.expect("the database is there");
    let authenticator = Authenticator::open(
        store.clone(),
        clock.clone(),
        CredentialSources::default(),
        Duration::from_secs(5),
    );
    let authenticator = authenticator.await.expect("the database is there");
    Importer::new(
        &store,
        Arc::new(Settings::default()),
        clock,
        authenticator,
        CancellationToken::new(),
    )
}

fn submitter() -> Submitter {
    Submitter {
        principal: Arc::new(Principal::local()),
        actor: AuditActor::default(),
        account: MemoryBudget::new(MemoryBounds::default()).account(None),
    }
}

/// The complete messages of an import of ada.
fn messages() -> ReceivedMessages {
    let rows = roster().people(["ada"]).typed();
    let calls = [
        ImportCall::Start(start_of("pd")),
        ImportCall::Rows(UserRows { rows }),
        ImportCall::Finish(ImportFinish::default()),
    ];
    calls.map(|call| Ok(Some(call))).into()
}

/// Returns all responses except progress, which is sent by time.
async fn run(app: &App, inbound: ReceivedMessages) -> Vec<Result<Reply, ImportError>> {
    let (responses, mut replies) = ResponseSender::new(Duration::from_mins(1));
    let running = tokio::spawn(
        importer(app)
            .await
            .run(submitter(), iter(inbound), responses),
    );
    let mut said = Vec::new();
    while let Some(reply) = replies.next().await {
        if !matches!(reply, Ok(Reply::Progress(_))) {
            said.push(reply);
        }
    }
    running.await.expect("the engine does not panic");
    said
}

async fn a_list_of_messages_drives_an_import(database: Database) {
    let app = App::start(database).await;
    let said = run(&app, messages()).await;
    assert!(
        matches!(
            said.as_slice(),
            [
                Ok(Reply::Started(_)),
                Ok(Reply::Results(_)),
                Ok(Reply::Summary(_))
            ]
        ),
        "{said:?}"
    );
    assert_eq!(app.user("ada").await.email, "ada@pd.example");
}

async fn an_import_takes_its_time_from_the_clock(database: Database) {
    let app = App::start(database).await;
    let said = run(&app, messages()).await;
    let Some(Ok(Reply::Summary(summary))) = said.last() else {
        panic!("{said:?}")
    };
    let now = Some(datetime!(2026-05-04 08:15 UTC).unix_timestamp());
    let user = app.user("ada").await;
    for time in [
        &summary.started_at,
        &summary.finished_at,
        &user.created_at,
        &user.updated_at,
    ] {
        assert_eq!(time.as_ref().map(|time| time.seconds), now);
    }
}

async fn a_stream_that_breaks_off_is_answered_by_nothing(database: Database) {
    let app = App::start(database).await;
    for after in 1..3 {
        let mut broken = messages();
        broken.truncate(after);
        broken.push(Err(ImportError::ClientGone));
        let said = run(&app, broken).await;
        let summary = said
            .iter()
            .any(|reply| matches!(reply, Ok(Reply::Summary(_))));
        assert!(!summary, "{said:?}");
        assert!(app.users().await.is_empty());
    }
    // The same holds after `finish`, because the client has not half-closed.
    let mut broken = messages();
    broken.push(Err(ImportError::ClientGone));
    run(&app, broken).await;
    assert!(app.users().await.is_empty());
}

async fn a_message_without_content_refuses_the_import(database: Database) {
    let app = App::start(database).await;
    for place in 0..=3 {
        let mut inbound = messages();
        inbound.insert(place, Ok(None));
        let said = run(&app, inbound).await;
        assert!(
            matches!(said.last(), Some(Err(ImportError::Refused(_)))),
            "{said:?}"
        );
        let states: Vec<_> = said
            .iter()
            .filter_map(|reply| match reply {
                Ok(Reply::Summary(summary)) => Some(summary.state()),
                _ => None,
            })
            .collect();
        // Without a start there is nothing to count in a summary.
        let expected: &[ImportState] = if place == 0 {
            &[]
        } else {
            &[ImportState::Refused]
        };
        assert_eq!(states, expected, "{place}: {said:?}");
    }
    assert!(app.users().await.is_empty());
}

async fn nobody_listening_stops_no_import(database: Database) {
    let app = App::start(database).await;
    let (responses, replies) = ResponseSender::new(Duration::from_mins(1));
    drop(replies);
    let importer = importer(&app).await;
    Box::pin(importer.run(submitter(), iter(messages()), responses)).await;
    assert_eq!(app.users().await.len(), 1);
}

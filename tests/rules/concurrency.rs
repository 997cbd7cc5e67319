//! Other writers while an import applies (semantics §5, §8): every row has exactly one outcome, and the directory stays
//! valid.

use tonic::Code;
use user_import::{
    config::Settings,
    domain::Column::{BadgeNumber, FirstName, Rank as RankColumn},
    proto::{
        Catalog, ImportFinish, Issue, IssueCode, Rank, RowOutcome, UpdateCatalogRequest, UserRows,
        import_users_request::Message, import_users_response::Message as Reply,
    },
};

use user_import_testing::{
    App, Database, ImportCall, ImportResponses, Roster, catalog, on_both_databases, roster,
    start_of,
};

on_both_databases![
    of_two_imports_at_once_each_accounts_for_every_row,
    protecting_users_meanwhile_disturbs_no_import,
    an_import_ends_though_many_others_write_all_the_time,
    rows_that_lost_their_rank_meanwhile_are_rejected,
    imports_into_different_organisations_do_not_mix,
];

fn small_transactions() -> Settings {
    Settings {
        transaction_rows: 2,
        ..Settings::default()
    }
}

fn people(from: usize, to: usize, rank: &str) -> Roster {
    (from..to).fold(roster(), |roster, n| {
        roster.row(&format!("user-{n:04}"), [(RankColumn, rank)])
    })
}

/// Fails unless every row has one result and the summary counts them.
fn accounts_for(imported: &ImportResponses, rows: usize) {
    let numbers: Vec<_> = imported
        .results
        .iter()
        .map(|result| result.row as usize)
        .collect();
    assert_eq!(numbers, (1..=rows).collect::<Vec<_>>(), "{imported}");
    let summary = imported.summary();
    let counts = [
        summary.created,
        summary.updated,
        summary.unchanged,
        summary.rejected,
    ];
    assert_eq!(counts.iter().sum::<u32>() as usize, rows, "{imported}");
}

async fn of_two_imports_at_once_each_accounts_for_every_row(database: Database) {
    let app = App::start_with(database, small_transactions()).await;
    let other = app.another_server().await;
    let backwards = (0..100).rev().fold(roster(), |roster, n| {
        let name = format!("user-{n:04}");
        roster.row(&name, [(RankColumn, ""), (FirstName, "Other")])
    });
    let (one, two) = tokio::join!(app.import(people(0, 100, "")), other.import(backwards));
    let mut written = 0;
    for imported in [&one, &two] {
        match imported.code() {
            Code::Ok => {
                accounts_for(imported, 100);
                written += 1;
            }
            // The other import holds the organisation's lease.
            Code::Aborted => assert!(imported.results.is_empty(), "{imported}"),
            _ => panic!("{imported}"),
        }
    }
    assert!(written > 0);
    assert_eq!(app.users().await.len(), 100);
}

/// Sixty users. In each pair, the two swap their badge numbers, so that both must be in one transaction.
fn swapped() -> Roster {
    (0..60).fold(roster(), |roster, n: usize| {
        let badge = format!("B-user-{:04}", n ^ 1);
        roster.row(&format!("user-{n:04}"), [(BadgeNumber, &*badge)])
    })
}

async fn protecting_users_meanwhile_disturbs_no_import(database: Database) {
    let app = App::start_with(database, small_transactions()).await;
    app.import(people(0, 60, "")).await;
    let imported = tokio::select! {
        imported = app.import(swapped()) => imported,
        () = app.protect_without_end("user-0030") => unreachable!("it toggles for ever"),
    };
    accounts_for(&imported, 60);
    assert_eq!(imported.summary().updated, 60, "{imported}");
}

/// Other writers may write at any time, and the import still ends.
async fn an_import_ends_though_many_others_write_all_the_time(database: Database) {
    let app = App::start_with(database, small_transactions()).await;
    let other = app.another_server().await;
    app.import(people(0, 60, "")).await;
    let writers = async {
        tokio::join!(
            app.protect_without_end("user-0010"),
            app.protect_without_end("user-0020"),
            other.protect_without_end("user-0030"),
            other.protect_without_end("user-0040"),
        )
    };
    let imported = tokio::select! {
        imported = app.import(swapped()) => imported,
        _ = writers => unreachable!("they toggle for ever"),
    };
    accounts_for(&imported, 60);
    assert_eq!(imported.summary().updated, 60, "{imported}");
}

/// Sends a roster and reads up to its first results. From then on the import applies.
async fn applying(app: &App, roster: &Roster) -> (ImportCall, Vec<u32>) {
    let mut call = app.call().await;
    call.send(Message::Start(start_of("pd"))).await;
    call.send(Message::Rows(UserRows {
        rows: roster.typed(),
    }))
    .await;
    call.send(Message::Finish(ImportFinish::default())).await;
    call.half_close();
    loop {
        if let Ok(Some(Reply::Results(first))) = call.read().await {
            return (
                call,
                first.results.iter().map(|result| result.row).collect(),
            );
        }
    }
}

async fn rows_that_lost_their_rank_meanwhile_are_rejected(database: Database) {
    let app = App::start_with(database, small_transactions()).await;
    let rows = (150..6_000).fold(people(0, 150, ""), |roster, n| {
        roster.row(&format!("user-{n:04}"), [(RankColumn, "Captain")])
    });
    // Together, the rejections are larger than one message may be.
    let (call, mut seen) = applying(&app, &rows).await;
    let without_captain = Catalog {
        ranks: vec![Rank {
            name: "Lieutenant".to_owned(),
            ..Rank::default()
        }],
        ..catalog()
    };
    let request = UpdateCatalogRequest {
        organization: "pd".to_owned(),
        catalog: Some(without_captain),
    };
    let removed = app.directory().update_catalog(request).await;
    removed.expect("no captain is written yet");

    let imported = call.finish().await;
    seen.extend(imported.results.iter().map(|result| result.row));
    seen.sort_unstable();
    assert_eq!(seen, (1..=6_000).collect::<Vec<_>>());
    let rejected: Vec<_> = imported
        .results
        .iter()
        .filter(|r| r.outcome() == RowOutcome::Rejected)
        .collect();
    assert_eq!(rejected.len(), 5_850);
    for result in rejected {
        let codes: Vec<_> = result.issues.iter().map(Issue::code).collect();
        assert_eq!(
            codes,
            [IssueCode::UnknownRank, IssueCode::ChangedConcurrently]
        );
    }
    assert_eq!(app.users().await.len(), 150);
}

async fn imports_into_different_organisations_do_not_mix(database: Database) {
    let app = App::start_with(database, small_transactions()).await;
    app.organization("sheriff").await;
    let (here, there) = tokio::join!(
        app.import(people(0, 60, "Captain")),
        app.import_with(start_of("sheriff"), people(0, 60, "Lieutenant")),
    );
    assert_eq!(here.summary().created, 60, "{here}");
    assert_eq!(there.summary().created, 60, "{there}");
    assert!(app.users().await.iter().all(|user| user.rank == "Captain"));
}

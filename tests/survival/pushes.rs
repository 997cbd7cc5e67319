//! Pushes: imports of one row, each one transaction, that are killed at random points and sent again.

use std::time::Instant;

use tonic::Code;
use user_import::{
    domain::Column::LastName,
    proto::{ImportStart, RowOutcome},
};

use crate::scene::{Scene, eventually};
use user_import_testing::{
    App, Database, ImportResponses, SeededRandom, on_both_databases, roster, start_of,
};

on_both_databases![
    a_push_killed_at_a_random_point_is_written_once,
    pushes_go_on_after_one_of_two_servers_died,
];

/// How many pushes are killed on each database.
const KILLS: u32 = 6;

/// Rows of one transaction, as in a server with the usual settings.
const USUAL: usize = 100_000;

/// The sum of all revisions: each transaction that changes a directory adds 1.
const REVISIONS: &str = "SELECT CAST(SUM(revision) AS BIGINT) FROM organizations";

fn named(number: u32) -> ImportStart {
    ImportStart {
        import_id: format!("018f4e9e-5c7b-7000-8000-{number:012}"),
        ..start_of("pd")
    }
}

fn change(round: u32) -> Vec<u8> {
    let name = format!("Ruiz{round}");
    roster().row("ada", [(LastName, &*name)]).csv().into_bytes()
}

async fn a_push_killed_at_a_random_point_is_written_once(database: Database) {
    let mut scene = Scene::start(database, USUAL).await;
    scene.app.people(["ada"]).await;
    let begun = Instant::now();
    let calm = scene.app.import_with(named(0), change(0)).await;
    assert_eq!(calm.summary().updated, 1, "{calm}");
    let calm_time = begun.elapsed();
    let mut chance = SeededRandom::new(7);
    for round in 1..=KILLS {
        let before = scene.database.number(REVISIONS).await;
        let mut push = tokio::spawn(scene.app.sending(named(round), change(round)));
        let point = calm_time / 1_000 * chance.permille();
        let ended = tokio::time::timeout(point, &mut push).await;
        scene.process.kill();
        let cut: ImportResponses = match ended {
            Ok(ended) => ended.unwrap(),
            Err(_) => push.await.unwrap(),
        };
        scene.restart().await;
        let again = scene.app.import_with(named(round), change(round)).await;
        assert_eq!(again.code(), Code::Ok, "round {round}: {again}");
        assert_eq!(again.row(1).outcome(), RowOutcome::Updated, "{again}");
        for told in &cut.results {
            assert!(again.results.contains(told), "{cut}{again}");
        }
        let after = scene.database.number(REVISIONS).await;
        assert_eq!(after, before + 1, "round {round}");
        let user = scene.app.user("ada").await;
        assert_eq!(user.last_name, format!("Ruiz{round}"));
    }
    scene.expect_quiet().await;
}

/// Pushes people until the server is gone, or until `most` of them are written. Returns the names of the people whose
/// pushes were acknowledged.
async fn push(app: App, name: String, most: usize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    while acknowledged.len() < most {
        let person = format!("{name}-{}", acknowledged.len());
        let csv = roster().people([&*person]).csv().into_bytes();
        let pushed = app.sending(start_of("pd"), csv).await;
        match pushed.code() {
            Code::Ok => acknowledged.push(person),
            // The push waited in vain for the dead server's lease to run out.
            Code::Aborted => {}
            _ => break,
        }
    }
    acknowledged
}

async fn pushes_go_on_after_one_of_two_servers_died(database: Database) {
    let mut dying = Scene::start(database, USUAL).await;
    let other = dying.another().await;
    let mut jobs = Vec::new();
    for number in 0..3 {
        let client = dying.another_client().await;
        jobs.push(tokio::spawn(push(client, format!("dying{number}"), 1_000)));
        let client = other.another_client().await;
        jobs.push(tokio::spawn(push(client, format!("other{number}"), 20)));
    }
    let pushed = async || dying.database.number("SELECT COUNT(*) FROM users").await > 150 + 12;
    eventually(pushed, "some are pushed").await;
    dying.process.kill();
    let mut acknowledged = Vec::new();
    for job in jobs {
        let of_job = job.await.unwrap();
        acknowledged.extend(of_job);
    }
    let others = acknowledged.iter().filter(|name| name.starts_with("other"));
    assert_eq!(others.count(), 60, "the living server goes on");
    let users = other.app.users().await;
    for name in &acknowledged {
        assert!(users.iter().any(|user| user.external_id == *name), "{name}");
    }
    drop(dying);
    other.expect_quiet().await;
}

//! The server is killed while an approved import applies. The import can then be approved again, and goes on.

use tokio::time::{sleep, timeout};
use tonic::Code;
use user_import::{
    domain::Column::Status,
    proto::{ImportStart, ImportState, UserStatus},
};

use crate::scene::{ID, Scene, start};
use user_import_testing::{
    App, Database, ImportResponses, PATIENCE, Roster, on_both_databases, roster,
};

on_both_databases![an_approved_import_whose_server_was_killed_can_be_approved_again];

/// The number of people: enough for the server to be killed in the middle of the import.
const PEOPLE: usize = 150;

/// For each attempt, the number of applied rows after which the server is killed.
const KILLS: [u32; 3] = [1, 40, 90];

fn people(inactive: usize) -> Roster {
    (0..PEOPLE).fold(roster(), |roster, number| {
        let status = if number < inactive {
            "Inactive"
        } else {
            "Active"
        };
        roster.row(&format!("p{number:04}"), [(Status, status)])
    })
}

/// Waits until this many rows are applied.
async fn until_applied(app: &App, rows: u32) {
    let applied = async {
        loop {
            let record = app.import_record(ID).await;
            let is_far = record.is_ok_and(|record| {
                record.state() == ImportState::Applying && record.updated >= rows
            });
            if is_far {
                break;
            }
            sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    timeout(PATIENCE, applied)
        .await
        .expect("the rows are applied in time");
}

async fn an_approved_import_whose_server_was_killed_can_be_approved_again(database: Database) {
    let mut scene = Scene::start(database, 1).await;
    let before = scene.app.import(people(0)).await;
    assert_eq!(before.summary().created as usize, PEOPLE, "{before}");
    let held = ImportStart {
        hold: true,
        ..start()
    };
    let held = scene.app.import_with(held, people(PEOPLE - 1)).await;
    assert_eq!(held.summary().state(), ImportState::Held, "{held}");
    let digest = held.summary().plan_digest.clone();
    scene.process.kill();
    scene.restart().await;
    assert_eq!(scene.state().await, ImportState::Held);
    for rows in KILLS {
        let answers = scene.app.approving(ID, &digest, "Confirm").await;
        let approving = tokio::spawn(ImportResponses::approved(answers));
        until_applied(&scene.app, rows).await;
        scene.process.kill();
        let cut_short = approving.await.expect("the client does not panic");
        assert_ne!(cut_short.code(), Code::Ok, "{cut_short}");
        scene.restart().await;
        scene.until_state(ImportState::Interrupted).await;
    }
    let done = scene.app.approve(ID, &digest).await;
    assert_eq!(done.code(), Code::Ok, "{done}");
    assert_eq!(done.results.len(), PEOPLE, "{done}");
    assert_eq!(done.summary().updated as usize, PEOPLE - 1, "{done}");
    let users = scene.app.users().await;
    let gone = users
        .iter()
        .filter(|user| user.status() == UserStatus::Inactive);
    assert_eq!(gone.count(), PEOPLE - 1);
    let kept = "SELECT (SELECT count(*) FROM held_imports) + (SELECT count(*) FROM held_parts)";
    assert_eq!(scene.database.number(kept).await, 0);
    scene.expect_quiet().await;
}

//! Imports whose roster comes in parts, while servers die.

use std::time::Instant;

use tonic::Code;
use user_import::proto::{ImportState, append_import_request::Content};

use crate::{
    kills::{comparable, counts},
    scene::{ID, Scene, expect_whole, many, start},
    workload::Workload,
};
use user_import_testing::{Database, SeededRandom, finish_of, on_both_databases, roster, start_of};

on_both_databases![
    a_server_killed_between_parts_loses_no_part,
    an_import_whose_server_is_killed_after_the_finish_goes_on_where_it_was,
    a_finish_sent_at_once_after_the_kill_waits_until_it_can_go_on,
    an_import_begins_again_if_its_server_was_killed_before_it_wrote_anything,
    a_server_killed_at_random_points_leaves_the_result_of_an_undisturbed_run,
];

async fn a_server_killed_between_parts_loses_no_part(database: Database) {
    let mut scene = Scene::start(database, 4).await;
    let csv = many().csv().into_bytes();
    let third = csv.len() / 3;
    let cuts = [0, third, 2 * third, csv.len()];
    scene.app.begin_upload(start()).await.unwrap();
    for piece in cuts.windows(2) {
        let part = &csv[piece[0]..piece[1]];
        let added = scene.app.append(ID, piece[0] as u64, part).await;
        assert_eq!(added.unwrap(), piece[1] as u64);
        scene.process.kill();
        scene.restart().await;
        assert_eq!(scene.state().await, ImportState::Receiving);
        // A client that does not know whether a part arrived sends the part again, or asks.
        let again = scene.app.append(ID, piece[0] as u64, part).await;
        assert_eq!(again.unwrap(), piece[1] as u64);
        let asked = scene.app.begin_upload(start()).await.unwrap();
        assert_eq!(asked.1, piece[1] as u64);
    }
    let imported = scene.app.finish_and_watch("pd", ID, finish_of(&csv)).await;
    expect_whole(&imported);
    scene.expect_quiet().await;
}

async fn an_import_whose_server_is_killed_after_the_finish_goes_on_where_it_was(
    database: Database,
) {
    let mut scene = Scene::start(database, 1).await;
    let csv = many().csv().into_bytes();
    scene.app.begin_upload(start()).await.unwrap();
    scene.app.append(ID, 0, &csv).await.unwrap();
    scene.app.finish(ID, finish_of(&csv)).await.unwrap();
    scene.until_state(ImportState::Applying).await;
    scene.process.kill();
    scene.restart().await;
    let written = scene.app.users().await.len();
    assert!(written < 150, "it was too quick");
    let died = scene.app.watch_in("pd", ID).await;
    assert_eq!(died.code(), Code::Unavailable, "{died}");
    assert_eq!(died.summary().state(), ImportState::Interrupted);
    scene.app.finish(ID, finish_of(&csv)).await.unwrap();
    let imported = scene.app.watch_in("pd", ID).await;
    expect_whole(&imported);
    assert!(imported.started[0].resumed, "{imported}");
    assert_eq!(
        comparable(&scene.app.watch_in("pd", ID).await),
        comparable(&imported)
    );
    let left = "SELECT COUNT(*) FROM upload_chunks";
    assert_eq!(scene.database.number(left).await, 0);
    scene.expect_quiet().await;
}

/// The dead server still counts as alive for a while, but it must not keep the roster from another server.
async fn a_finish_sent_at_once_after_the_kill_waits_until_it_can_go_on(database: Database) {
    let mut scene = Scene::start(database, 1).await;
    let csv = many().csv().into_bytes();
    scene.app.begin_upload(start()).await.unwrap();
    scene.app.append(ID, 0, &csv).await.unwrap();
    scene.app.finish(ID, finish_of(&csv)).await.unwrap();
    scene.until_state(ImportState::Applying).await;
    scene.process.kill();
    scene.restart().await;
    scene.app.finish(ID, finish_of(&csv)).await.unwrap();
    expect_whole(&scene.app.watch_in("pd", ID).await);
}

async fn an_import_begins_again_if_its_server_was_killed_before_it_wrote_anything(
    database: Database,
) {
    let mut scene = Scene::start(database, 4).await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    scene.app.begin_upload(start()).await.unwrap();
    scene.app.append(ID, 0, &csv).await.unwrap();
    // The state after a server died as soon as it had taken the upload.
    let taken = "UPDATE uploads SET stage = 1, run = server_id, finish = NULL";
    scene.database.execute(taken).await;
    scene.app.finish(ID, finish_of(&csv)).await.unwrap();
    let imported = scene.app.watch_in("pd", ID).await;
    assert_eq!(
        (imported.code(), imported.summary().created),
        (Code::Ok, 1),
        "{imported}"
    );
    scene.process.kill();
    scene.restart().await;
    assert_eq!(scene.app.watch_in("pd", ID).await.results, imported.results);
}

/// The server is killed before each part and while the import runs. The client then repeats its last step.
async fn a_server_killed_at_random_points_leaves_the_result_of_an_undisturbed_run(
    database: Database,
) {
    let mut scene = Scene::start(database, 4).await;
    for seed in 1..=2 {
        let workload = Workload::new(seed);
        let (calm, stormy) = (format!("calm-{seed}"), format!("stormy-{seed}"));
        for organization in [&calm, &stormy] {
            scene.app.organization(organization).await;
            let before = start_of(organization);
            scene.app.import_with(before, &workload.before).await;
        }
        let begun = Instant::now();
        let csv = workload.import.csv().into_bytes();
        let expected = scene.app.import_with(workload.start(&calm), csv.clone());
        let expected = expected.await;
        let point = begun.elapsed() / 1_000;
        let mut chance = SeededRandom::new(seed);
        upload(&mut scene, &workload, &stormy, &csv, &mut chance).await;
        let found = loop {
            let id = &workload.import_id;
            let finished = scene.app.finish_in(&stormy, id, finish_of(&csv)).await;
            finished.expect("it goes on");
            if chance.below(3) == 0 {
                break scene.app.watch_in(&stormy, id).await;
            }
            tokio::time::sleep(point * chance.permille()).await;
            scene.process.kill();
            scene.restart().await;
        };
        assert_eq!(found.code(), Code::Ok, "seed {seed}: {found}");
        assert_eq!(comparable(&found), comparable(&expected), "seed {seed}");
        assert_eq!(counts(&found), counts(&expected), "seed {seed}");
        let (left, wanted) = (
            scene.app.export_of(&stormy).await,
            scene.app.export_of(&calm).await,
        );
        assert_eq!(left, wanted, "seed {seed}");
    }
    scene.expect_quiet().await;
}

async fn upload(
    scene: &mut Scene,
    workload: &Workload,
    organization: &str,
    csv: &[u8],
    chance: &mut SeededRandom,
) {
    loop {
        let begun = scene.app.begin_upload(workload.start(organization)).await;
        let (id, offset) = begun.expect("it is begun, or goes on");
        let rest = &csv[usize::try_from(offset).unwrap()..];
        if rest.is_empty() {
            return;
        }
        let part = &rest[..(1 + chance.below(csv.len() / 3)).min(rest.len())];
        let content = Content::CsvChunk(part.to_vec().into());
        let app = scene.app.clone_connection();
        let organization = organization.to_owned();
        let sending =
            tokio::spawn(async move { app.append_to(&organization, &id, offset, content).await });
        // The part may or may not have arrived.
        if chance.below(2) == 0 {
            scene.process.kill();
            scene.restart().await;
        }
        let _ = sending.await;
    }
}

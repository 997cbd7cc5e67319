//! The server is killed at random points of undos, and the client asks for each undo again.

use std::time::{Duration, Instant};

use tonic::Code;
use user_import::proto::UndoImportRequest;

use crate::{
    kills::{comparable, counts},
    scene::Scene,
    workload::Workload,
};
use user_import_testing::{Database, ImportResponses, SeededRandom, on_both_databases, start_of};

on_both_databases![an_undo_cut_short_at_random_points_leaves_the_result_of_an_undisturbed_one];

/// Imports whose undo is disturbed.
const SEEDS: u64 = 3;

/// The highest number of times that one undo is cut short.
const KILLS: usize = 2;

/// The ID of each undo in its organisation.
const UNDO: &str = "018f4e9e-5c7b-7000-8000-0000000000ff";

fn undo_of(organization: &str, import: &str) -> UndoImportRequest {
    UndoImportRequest {
        organization: organization.to_owned(),
        import_id: import.to_owned(),
        undo_id: UNDO.to_owned(),
        max_deactivations: Some(1_000),
        ..UndoImportRequest::default()
    }
}

async fn an_undo_cut_short_at_random_points_leaves_the_result_of_an_undisturbed_one(
    database: Database,
) {
    let mut scene = Scene::start(database, 4).await;
    for seed in 1..=SEEDS {
        disturb(&mut scene, seed).await;
        scene.expect_quiet().await;
    }
}

async fn disturb(scene: &mut Scene, seed: u64) {
    let workload = Workload::new(seed);
    let (calm, stormy) = (format!("calm-{seed}"), format!("stormy-{seed}"));
    for organization in [&calm, &stormy] {
        scene.app.organization(organization).await;
        let start = start_of(organization);
        scene.app.import_with(start, &workload.before).await;
        let start = workload.start(organization);
        let imported = scene.app.import_with(start, &workload.import).await;
        assert_eq!(imported.code(), Code::Ok, "{imported}");
    }
    let import = workload.start(&calm).import_id;
    let begun = Instant::now();
    let expected = undone(scene, undo_of(&calm, &import)).await;
    assert_eq!(expected.code(), Code::Ok, "{expected}");
    let calm_time = begun.elapsed();
    let mut chance = SeededRandom::new(seed);
    for _ in 0..=chance.below(KILLS) {
        let point = calm_time / 1_000 * chance.permille();
        kill_after(scene, undo_of(&stormy, &import), point).await;
    }
    let resumed = undone(scene, undo_of(&stormy, &import)).await;
    let seed = format!("seed {seed}");
    assert_eq!(resumed.code(), Code::Ok, "{seed}: {resumed}");
    assert_eq!(comparable(&resumed), comparable(&expected), "{seed}");
    assert_eq!(counts(&resumed), counts(&expected), "{seed}");
    let found = scene.app.export_of(&stormy).await;
    assert_eq!(found, scene.app.export_of(&calm).await, "{seed}");
    let again = undone(scene, undo_of(&stormy, &import)).await;
    assert_eq!(again.results, resumed.results, "{seed}");
}

async fn undone(scene: &Scene, request: UndoImportRequest) -> ImportResponses {
    let responses = scene.app.imports().undo_import(request).await;
    ImportResponses::undone(responses.map(tonic::Response::into_inner)).await
}

/// Asks for the undo, kills the server after `time`, and starts another one.
async fn kill_after(scene: &mut Scene, request: UndoImportRequest, time: Duration) {
    let mut client = scene.app.imports();
    let mut undoing = tokio::spawn(async move {
        let responses = client.undo_import(request).await;
        ImportResponses::undone(responses.map(tonic::Response::into_inner)).await
    });
    let ended = tokio::time::timeout(time, &mut undoing).await;
    scene.process.kill();
    if ended.is_err() {
        undoing.await.expect("the client does not panic");
    }
    scene.restart().await;
}

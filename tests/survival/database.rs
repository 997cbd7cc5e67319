//! The PostgreSQL server itself is killed while an import is written, and restarted.

use std::sync::Arc;

use tonic::Code;
use tonic_types::StatusExt;
use user_import::proto::ImportState;

use crate::{
    cluster::PostgresCluster,
    connections::until_ok,
    kills::{comparable, counts},
    process::IMPATIENT,
    scene::{ID, Scene, expect_whole, many, start},
};
use user_import_testing::{FreshDatabase, ImportResponses, on_postgres, signal::Signal, start_of};

on_postgres![
    a_killed_database_interrupts_the_import_which_goes_on_once_it_is_back,
    an_import_loses_nothing_if_its_database_is_started_again_at_once,
];

/// Starts a server on a cluster of its own, and returns the answers of an undisturbed import there.
async fn on_own_cluster() -> (Scene, PostgresCluster, ImportResponses) {
    let cluster = PostgresCluster::start().await;
    let database = Arc::new(FreshDatabase::on_cluster(cluster.url()).await);
    let url = database.url();
    let scene = Scene::on(database, url, 1, IMPATIENT).await;
    for organization in ["pd", "calm"] {
        scene.app.organization(organization).await;
    }
    let calm = scene.app.import_with(start_of("calm"), &many()).await;
    expect_whole(&calm);
    (scene, cluster, calm)
}

/// Makes sure that the import [`ID`] has the same results as the undisturbed one, and still has every result that was in
/// `told`.
async fn expect_undisturbed(scene: &Scene, calm: &ImportResponses, told: &ImportResponses) {
    let resumed = until_ok(scene).await;
    expect_whole(&resumed);
    for result in &told.results {
        assert!(resumed.results.contains(result), "{result:?} is lost");
    }
    assert_eq!(comparable(&resumed), comparable(calm));
    let mut expected = counts(calm);
    ID.clone_into(&mut expected.import_id);
    assert_eq!(counts(&resumed), expected);
    let (found, wanted) = (scene.app.export().await, scene.app.export_of("calm").await);
    assert_eq!(found, wanted);
    scene.expect_quiet().await;
}

async fn a_killed_database_interrupts_the_import_which_goes_on_once_it_is_back() {
    let (scene, mut cluster, calm) = on_own_cluster().await;
    let mut answers = scene.app.begin(start(), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    cluster.end(Signal::KILL);
    let ended = first.and_rest(answers).await;
    assert_eq!(ended.code(), Code::Unavailable, "{ended}");
    assert!(ended.status.get_details_retry_info().is_some());
    assert_eq!(ended.summary().state(), ImportState::Interrupted);
    assert!(ended.results.len() < calm.results.len(), "it was too quick");
    cluster.restart().await;
    scene.until_state(ImportState::Interrupted).await;
    expect_undisturbed(&scene, &calm, &ended).await;
    drop(scene);
}

async fn an_import_loses_nothing_if_its_database_is_started_again_at_once() {
    let (scene, mut cluster, calm) = on_own_cluster().await;
    let mut answers = scene.app.begin(start(), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    cluster.end(Signal::QUIT);
    let (told, ()) = tokio::join!(first.and_rest(answers), cluster.restart());
    let codes = [Code::Ok, Code::Unavailable];
    assert!(codes.contains(&told.code()), "{told}");
    expect_undisturbed(&scene, &calm, &told).await;
    drop(scene);
}

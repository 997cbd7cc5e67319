//! The PostgreSQL server itself is killed while an import is written, and restarted.

use std::sync::Arc;

use tonic::Code;
use tonic_types::StatusExt;
use user_import::proto::ImportState;

use crate::{
    cluster::Cluster,
    connections::until_ok,
    kills::{comparable, counts},
    process::IMPATIENT,
    scene::{ID, Scene, eventually, expect_whole, many, start},
};
use user_import_testing::{
    FreshDatabase, Imported, on_postgres,
    signal::{self, Signal},
    start_of,
};

on_postgres![
    a_killed_database_interrupts_the_import_which_goes_on_once_it_is_back,
    a_database_started_again_at_once_costs_the_import_nothing,
    a_directory_is_read_anew_once_the_database_has_recovered_from_a_crash,
];

/// Starts a server on a cluster of its own, and returns the answers of an undisturbed import there.
async fn on_own_cluster() -> (Scene, Cluster, Imported) {
    let cluster = Cluster::start().await;
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

/// Makes sure that the import [`ID`] has the same results as the undisturbed one, and has lost nothing that was in
/// `told` before.
async fn expect_undisturbed(scene: &Scene, calm: &Imported, told: &Imported) {
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
    let first = Imported::first_results(&mut answers).await;
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

async fn a_database_started_again_at_once_costs_the_import_nothing() {
    let (scene, mut cluster, calm) = on_own_cluster().await;
    let mut answers = scene.app.begin(start(), &many()).await;
    let first = Imported::first_results(&mut answers).await;
    cluster.end(Signal::QUIT);
    let (told, ()) = tokio::join!(first.and_rest(answers), cluster.restart());
    let codes = [Code::Ok, Code::Unavailable];
    assert!(codes.contains(&told.code()), "{told}");
    expect_undisturbed(&scene, &calm, &told).await;
    drop(scene);
}

/// A process of the database server dies. The database server then restarts all its other processes, but not itself.
async fn a_directory_is_read_anew_once_the_database_has_recovered_from_a_crash() {
    let (scene, cluster, calm) = on_own_cluster().await;
    let store = scene.app.store().await.with_directory_cache(1 << 20);
    let organization = store.organization("calm").await.expect("it is there").id;
    // None while the database cannot be asked.
    let read = async || {
        let snapshot = store.snapshot(organization).await;
        snapshot.ok().map(|snapshot| snapshot.read)
    };
    eventually(async || read().await == Some(0), "all are known").await;
    let process = "SELECT pid::bigint FROM pg_stat_activity WHERE backend_type = 'checkpointer'";
    let process = scene.database.number(process).await;
    signal::send(process.try_into().expect("it has a number"), Signal::KILL);
    let all = Some(calm.results.len());
    eventually(async || read().await == all, "all are read again").await;
    drop(scene);
    drop(cluster);
}

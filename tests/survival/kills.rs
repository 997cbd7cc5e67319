//! The server is killed at random points of seeded imports, and the client sends each import again.

use std::time::{Duration, Instant};

use tonic::Code;
use user_import::proto::{ImportSummary, RowResult};

use crate::{scene::Scene, workload::Workload};
use user_import_testing::{Database, ImportResponses, SeededRandom, on_both_databases, start_of};

on_both_databases![a_server_killed_at_random_points_leaves_the_result_of_an_undisturbed_run];

/// The variable for the number of disturbed imports on each database.
const SEEDS: &str = "USER_IMPORT_TEST_SEEDS";

/// The variable for the first seed, to repeat a run.
const FIRST_SEED: &str = "USER_IMPORT_TEST_FIRST_SEED";

/// The highest number of times that one import is cut short.
const KILLS: usize = 2;

fn setting(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(default, |value| value.parse().expect("a number"))
}

async fn a_server_killed_at_random_points_leaves_the_result_of_an_undisturbed_run(
    database: Database,
) {
    let mut scene = Scene::start(database, 4).await;
    let (first, seeds) = (setting(FIRST_SEED, 1), setting(SEEDS, 5));
    let mut interrupted = 0;
    for seed in first..first + seeds {
        interrupted += u64::from(disturb(&mut scene, seed).await);
        scene.expect_quiet().await;
    }
    println!(
        "{database:?}: {seeds} imports, {interrupted} of them cut short after they had begun to write"
    );
}

/// Returns `true` if an attempt had written something before it was killed.
async fn disturb(scene: &mut Scene, seed: u64) -> bool {
    let workload = Workload::new(seed);
    let (calm, stormy) = (format!("calm-{seed}"), format!("stormy-{seed}"));
    for organization in [&calm, &stormy] {
        scene.app.organization(organization).await;
        let before = scene
            .app
            .import_with(start_of(organization), &workload.before)
            .await;
        assert_eq!(before.summary().rejected, 0, "{before}");
    }
    let begun = Instant::now();
    let expected = scene
        .app
        .import_with(workload.start(&calm), &workload.import)
        .await;
    assert_eq!(expected.code(), Code::Ok, "{expected}");

    let calm_time = begun.elapsed();
    let mut chance = SeededRandom::new(seed);
    let mut cut_short = false;
    let mut told = Vec::new();
    for _ in 0..=chance.below(KILLS) {
        let point = calm_time / 1_000 * chance.permille();
        let attempt = kill_after(scene, &workload, &stormy, point).await;
        cut_short |= !attempt.results.is_empty() && attempt.summary.is_none();
        told.extend(attempt.results);
    }
    let start = workload.start(&stormy);
    let resumed = scene.app.import_with(start.clone(), &workload.import).await;
    let seed = format!("seed {seed}");
    assert_eq!(resumed.code(), Code::Ok, "{seed}: {resumed}");
    assert_eq!(comparable(&resumed), comparable(&expected), "{seed}");
    assert_eq!(counts(&resumed), counts(&expected), "{seed}");
    for result in &told {
        assert!(
            resumed.results.contains(result),
            "{seed}: {result:?} is lost"
        );
    }
    let (found, wanted) = (
        scene.app.export_of(&stormy).await,
        scene.app.export_of(&calm).await,
    );
    assert_eq!(found, wanted, "{seed}");

    let revision = "SELECT CAST(SUM(revision) AS BIGINT) FROM organizations";
    let before = scene.database.number(revision).await;
    let again = scene.app.import_with(start, &workload.import).await;
    assert_eq!(again.results, resumed.results, "{seed}");
    assert_eq!(again.summary, resumed.summary, "{seed}");
    assert_eq!(scene.database.number(revision).await, before, "{seed}");
    cut_short
}

/// Sends the import, kills the server after `time`, and starts another one.
async fn kill_after(
    scene: &mut Scene,
    workload: &Workload,
    organization: &str,
    time: Duration,
) -> ImportResponses {
    let start = workload.start(organization);
    let csv = Vec::from(&workload.import);
    let mut client = tokio::spawn(scene.app.sending(start, csv));
    let ended = tokio::time::timeout(time, &mut client).await;
    scene.process.kill();
    let attempt = match ended {
        Ok(attempt) => attempt,
        Err(_) => client.await,
    };
    scene.restart().await;
    attempt.expect("the client does not panic")
}

/// Returns the parts that must be the same in every run: all except the IDs that the service generates.
pub fn comparable(imported: &ImportResponses) -> (Vec<RowResult>, Vec<&str>) {
    let mut results = imported.results.clone();
    for result in &mut results {
        result.user_id.clear();
    }
    let deactivated = imported.deactivations.iter();
    (
        results,
        deactivated.map(|user| user.external_id.as_str()).collect(),
    )
}

/// Returns the summary without the fields that differ from run to run.
pub fn counts(imported: &ImportResponses) -> ImportSummary {
    ImportSummary {
        started_at: None,
        finished_at: None,
        plan_digest: Vec::new(),
        ..imported.summary().clone()
    }
}

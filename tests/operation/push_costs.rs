//! How many commits and statements a push of one row costs, as the server itself counts them.

use user_import::domain::{Column::LastName, Permission};

use crate::scene::Scene;
use user_import_testing::{Database, is_distributed, on_both_databases, roster, start_of, token};

on_both_databases![a_push_costs_one_commit_and_sixteen_statements_at_most];

/// Number of measured pushes. The server's own work at the same time adds to only some of them.
const PUSHES: usize = 12;

/// The commits and statements so far.
fn work(scene: &Scene) -> [u64; 2] {
    ["commits", "statements"]
        .map(|what| scene.counted(&format!("user_import_database_{what}_total ")))
}

async fn a_push_costs_one_commit_and_sixteen_statements_at_most(database: Database) {
    let why = "a distributed database finds an organisation by its slug in two statements";
    if matches!(database, Database::Postgres) && is_distributed(why) {
        return;
    }
    let scene = Scene::start(database, &[]).await;
    let app = &scene.app;
    let names: Vec<_> = (0..50).map(|number| format!("u{number}")).collect();
    app.people(names.iter().map(String::as_str)).await;
    let job = app.holding(token("pd", [Permission::UsersImport])).await;
    let mut costs = Vec::new();
    for round in 0..PUSHES {
        let before = work(&scene);
        let name = format!("Ruiz{round}");
        let csv = roster().row("u7", [(LastName, &*name)]).csv();
        let mut start = start_of("pd");
        start.import_id = format!("018f4e9e-5c7b-7000-8000-0000000000{round:02}");
        let pushed = job.import_with(start, csv).await;
        assert_eq!(pushed.summary().updated, 1, "{pushed}");
        let after = work(&scene);
        costs.push([after[0] - before[0], after[1] - before[1]]);
    }
    let least = |which: usize| costs.iter().map(|cost| cost[which]).min();
    assert_eq!(least(0), Some(1), "{costs:?}");
    // On SQLite some transactions also renew the heartbeat.
    assert!((1..=16).contains(&least(1).unwrap()), "{costs:?}");
}

//! How many commits and statements a push of one row costs, as the server itself counts them.

use std::{net::SocketAddr, sync::Arc};

use user_import::domain::{Column::LastName, Permission};

use crate::{
    observed::get,
    program::{Process, free_address},
};
use user_import_testing::{App, Database, on_both_databases, roster, start_of, token};

on_both_databases![a_push_costs_three_commits_and_twenty_five_statements_at_most];

/// Pushes that are measured. What the server does beside them by itself is in some of them only.
const PUSHES: usize = 12;

/// Commits and statements so far.
fn work(address: SocketAddr) -> [u64; 2] {
    let page = get(address);
    ["commits", "statements"].map(|what| {
        let name = format!("user_import_database_{what}_total ");
        let line = page.lines().find_map(|line| line.strip_prefix(&*name));
        line.map_or(0, |number| number.trim().parse().expect("a number"))
    })
}

async fn a_push_costs_three_commits_and_twenty_five_statements_at_most(database: Database) {
    let postgres = matches!(database, Database::Postgres);
    let database = Arc::new(database.create().await);
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let served = ["--metrics-listen", &address.to_string()];
    let server = Process::serve(&database.url(), &served, &folder.path().join("log"));
    let app = App::attach(Arc::clone(&database), server.address).await;
    app.organization("pd").await;
    let names: Vec<_> = (0..50).map(|number| format!("u{number}")).collect();
    app.people(names.iter().map(String::as_str)).await;
    let job = app.holding(token("pd", [Permission::UsersImport])).await;
    let mut costs = Vec::new();
    for round in 0..PUSHES {
        let before = work(address);
        let name = format!("Ruiz{round}");
        let csv = roster().row("u7", [(LastName, &*name)]).csv();
        let mut start = start_of("pd");
        start.import_id = format!("018f4e9e-5c7b-7000-8000-0000000000{round:02}");
        let pushed = job.import_with(start, csv).await;
        assert_eq!(pushed.summary().updated, 1, "{pushed}");
        let after = work(address);
        costs.push([after[0] - before[0], after[1] - before[1]]);
    }
    let least = |which: usize| costs.iter().map(|cost| cost[which]).min();
    assert!((1..=3).contains(&least(0).unwrap()), "{costs:?}");
    // On SQLite each transaction also renews the lease and the heartbeat, and puts off the check of references.
    let statements = if postgres { 25 } else { 30 };
    assert!((1..=statements).contains(&least(1).unwrap()), "{costs:?}");
}

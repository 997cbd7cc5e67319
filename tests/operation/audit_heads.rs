//! The heads of the audit trails are also outside the database: in the log and in the metrics.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use tokio::time::{sleep, timeout};

use crate::{
    observed::{get, hex},
    program::serve,
};
use user_import_testing::{App, Database, PATIENCE, free_address, on_both_databases};

on_both_databases![each_new_head_is_logged_and_exported_and_erased_trails_are_reported];

/// Returns the number of events, the combined heads, and the setbacks, as the metrics show them.
fn exported(address: SocketAddr) -> [u64; 3] {
    let page = get(address);
    let number = |name: &str| {
        let line = page.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0, |value| value.trim().parse().unwrap())
    };
    [
        number("user_import_audit_events "),
        number("user_import_audit_heads "),
        number("user_import_audit_setbacks_total "),
    ]
}

/// Waits until the metrics are as expected.
async fn until(address: SocketAddr, is: impl Fn([u64; 3]) -> bool) -> [u64; 3] {
    let waiting = async {
        loop {
            let told = exported(address);
            if is(told) {
                return told;
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    let told = timeout(PATIENCE, waiting).await;
    told.unwrap_or_else(|_| panic!("{:?}", exported(address)))
}

/// Returns the log's lines with these words.
fn lines(log: &Path, words: &str) -> Vec<String> {
    let log = std::fs::read_to_string(log).unwrap();
    let lines = log.lines().filter(|line| line.contains(words));
    lines.map(str::to_owned).collect()
}

/// Returns the hashes of all events of `pd`, the oldest first.
async fn hashes(app: &App) -> Vec<String> {
    let events = app.audit_events("pd").await;
    events.iter().map(|event| hex(&event.hash)).collect()
}

async fn each_new_head_is_logged_and_exported_and_erased_trails_are_reported(database: Database) {
    let database = Arc::new(database.with_schema().await);
    let folder = tempfile::tempdir().unwrap();
    let (log, address) = (folder.path().join("log"), free_address());
    let options = ["--metrics-listen", &address.to_string()];
    let server = serve(&database.url(), &options, &log);
    let app = App::attach(Arc::clone(&database), server.address).await;
    app.organization("pd").await;
    // Events of the organisation and of its catalog.
    let before = until(address, |[events, ..]| events == 2).await;
    app.people(["ada"]).await;
    // Events of the import's begin and of its end.
    let after = until(address, |[events, ..]| events == 4).await;
    assert_ne!(before[1], after[1], "{before:?} {after:?}");
    let heads = lines(&log, "the audit trail has a new head");
    // A transaction with two events moves the head once.
    let mut hashes = hashes(&app).await.into_iter();
    for line in &heads {
        let is_told = hashes.any(|hash| line.contains(&hash));
        assert!(
            is_told,
            "{line} is no head of the trail, or late: {heads:#?}"
        );
    }
    assert!(heads.len() > 2 && hashes.next().is_none(), "{heads:#?}");
    assert_eq!(after[2], 0, "{after:?}");
    app.tamper_audit("DELETE FROM audit_events; DELETE FROM audit_heads")
        .await;
    let erased = until(address, |[.., setbacks]| setbacks > 0).await;
    assert_eq!(erased, [0, 0, 1]);
    let told = lines(&log, "events of the audit trail were erased or replaced");
    assert!(told.len() == 1 && told[0].contains("ERROR"), "{told:?}");
}

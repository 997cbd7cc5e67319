//! 4,000 long names that no catalog has; the server searches a suggestion for each of them.

use std::time::{Duration, Instant};

use tokio::time::timeout;
use user_import::{
    domain::{
        Column::{EvidenceGroupExtId, Rank as RankColumn, Role as RoleColumn, SupervisorEmail},
        Permission,
    },
    proto::{
        Catalog, ImportPhase, ImportUsersResponse, Rank, Role,
        import_users_response::Message as Answer,
    },
};

use super::attacked_server::{
    AttackedServer, SlowedWork, dry_run, expect_twice_at_most_if_optimised,
};
use user_import_testing::{Database, on_both_databases, roster};

on_both_databases![
    long_unknown_names_cost_little_more_than_known_ones,
    long_unknown_names_leave_another_tenant_its_usual_times,
    work_for_a_client_that_has_gone_ends,
];

const ROWS: usize = 4_000;

/// Returns a name of 255 bytes that differs from the others only at its end.
fn long(n: usize) -> String {
    format!("{}{n:05}", "abcdefghij".repeat(25))
}

/// A catalog with a thousand roles and ranks with long names, and the names that rosters use.
fn catalog() -> Catalog {
    let mut catalog = user_import_testing::catalog();
    for n in 0..1_000 {
        let name = long(n).replace('a', "e")[..120].to_owned() + &format!("{n:05}");
        catalog.roles.push(Role {
            name: name.clone(),
            ..Role::default()
        });
        catalog.ranks.push(Rank {
            name,
            ..Rank::default()
        });
    }
    catalog
}

/// Returns people as CSV; `unknown` of them have unknown names.
fn people(unknown: usize) -> String {
    let rows = (0..ROWS).fold(roster(), |rows, n| {
        let name = long(n);
        let supervisor = format!("{}@pd.example", &name[..60]);
        let known = [
            (RoleColumn, "Officer"),
            (RankColumn, "Captain"),
            (EvidenceGroupExtId, "G-1"),
            (SupervisorEmail, ""),
        ];
        let strange = [
            (RoleColumn, &*name),
            (RankColumn, &name[..128]),
            (EvidenceGroupExtId, &name),
            (SupervisorEmail, &supervisor),
        ];
        let values = if n < unknown { strange } else { known };
        rows.row(&format!("p{n}"), values)
    });
    rows.csv()
}

async fn server_with_catalog(database: Database) -> AttackedServer {
    let attacked_server = Box::pin(AttackedServer::start(database, &[])).await;
    attacked_server.operator.catalog("pd", catalog()).await;
    attacked_server
}

async fn long_unknown_names_cost_little_more_than_known_ones(database: Database) {
    let attacked_server = server_with_catalog(database).await;
    let importer = attacked_server
        .caller("pd", [Permission::UsersImport])
        .await;
    let cost = async |csv: String| {
        let before = attacked_server.server.cpu();
        let imported = importer.import_with(dry_run("pd"), csv).await;
        assert_eq!(
            imported.summary().rows as usize,
            ROWS,
            "{}",
            imported.status
        );
        attacked_server.server.cpu().saturating_sub(before)
    };
    let usual = cost(people(0)).await;
    let attacked = cost(people(ROWS)).await;
    // Each row has four issues with messages, and the budget of comparisons may be used up.
    assert!(
        attacked <= 8 * usual,
        "{attacked:?}, and {usual:?} for known names"
    );
    attacked_server.expect_unharmed().await;
}

async fn measure(database: Database) -> Vec<SlowedWork> {
    let attacked_server = Box::pin(server_with_catalog(database)).await;
    let importer = attacked_server
        .attacker("pd", [Permission::UsersImport])
        .await;
    let attack = async || {
        attacked_server.attack_by([async move {
            let csv = people(ROWS);
            loop {
                importer.import_with(dry_run("pd"), csv.clone()).await;
            }
        }])
    };
    attacked_server.measure(attack).await
}

async fn long_unknown_names_leave_another_tenant_its_usual_times(database: Database) {
    expect_twice_at_most_if_optimised(async || measure(database).await).await;
}

async fn work_for_a_client_that_has_gone_ends(database: Database) {
    let attacked_server = server_with_catalog(database).await;
    let importer = attacked_server
        .caller("pd", [Permission::UsersImport])
        .await;
    let begun = attacked_server.server.cpu();
    importer.import_with(dry_run("pd"), people(0)).await;
    let usual = attacked_server.server.cpu().saturating_sub(begun);
    let mut answers = importer.begin(dry_run("pd"), people(ROWS)).await;
    let is_planning = |answer: ImportUsersResponse| matches!(answer.message, Some(Answer::Progress(progress)) if progress.phase() == ImportPhase::Planning);
    // Reads until the plan has sent progress. A plan that ends before that leaves no work to give up.
    while answers
        .message()
        .await
        .unwrap()
        .is_some_and(|answer| !is_planning(answer))
    {}
    drop(answers);
    // From here on no client waits for anything, and the server must become idle.
    let begun = attacked_server.server.cpu();
    let resting = async {
        loop {
            let (before, at) = (attacked_server.server.cpu(), Instant::now());
            while at.elapsed() < Duration::from_millis(300) {
                tokio::task::yield_now().await;
            }
            if attacked_server.server.cpu().saturating_sub(before) < Duration::from_millis(60) {
                return;
            }
        }
    };
    timeout(user_import_testing::PATIENCE, resting)
        .await
        .expect("it comes to rest");
    let more = attacked_server.server.cpu().saturating_sub(begun);
    assert!(more <= 8 * usual, "{more:?}, and {usual:?} for known names");
}

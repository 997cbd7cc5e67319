//! A push into an organisation of 100,000 users never reads the whole table of users (semantics §14). PostgreSQL counts
//! how a table is read. Tests in `src/store/user_selection.rs` check the plans of SQLite.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use user_import::domain::Column::{
    BadgeNumber, Email, ExternalId, LastName, Status, SupervisorEmail, Username,
};

use user_import_testing::{App, Database, PATIENCE, Roster, on_postgres, roster};

on_postgres![no_push_reads_the_whole_table_of_users];

/// Returns a person of the organisation. The last one has no reports.
const FILL: &str = "
    INSERT INTO users (organization_id, id, external_id, email, email_key, badge_number, first_name, last_name,
        active, username, username_key, role_id, supervisor_id, protected, created_at, updated_at)
    SELECT o.id, uuid(n), 'E' || n, n || '@pd.example', n || '@pd.example', lpad(n::text, 7, '0'), 'Kim', 'Doe',
        true, 'u' || n, 'u' || n, r.id, CASE WHEN n > 1 THEN uuid(n / 12 + CASE WHEN n / 12 + 1 = n THEN 0 ELSE 1 END) END,
        false, now(), now()
    FROM generate_series(1, 100000) AS n, organizations AS o JOIN roles AS r ON r.organization_id = o.id
    WHERE o.slug = 'pd' AND r.name = 'Officer'";

/// Rounds of pushes. A scan for another reason happens once or twice, and not in every round.
const ROUNDS: i64 = 10;

/// Returns the rosters of one round of pushes: a changed user, a new user, keys that need advice, supervisors who are
/// not found, and users who become Inactive.
fn pushes(round: i64) -> Vec<Roster> {
    let n = 50_000 + round;
    let id = format!("E{n}");
    let (email, badge, name) = (
        format!("{n}@pd.example"),
        format!("{n:07}"),
        format!("u{n}"),
    );
    let known = [
        (ExternalId, &*id),
        (Email, &email),
        (BadgeNumber, &badge),
        (Username, &name),
    ];
    let with = |more: &[(_, &'static str)]| {
        let values = known.iter().copied().chain(more.iter().copied());
        roster().row("known", values)
    };
    let lost = format!("lost{round}");
    let new = format!("new{round}");
    vec![
        with(&[(LastName, "Roe")]),
        with(&[(Status, "Inactive"), (SupervisorEmail, "7@pd.example")]),
        roster().row(&new, [(SupervisorEmail, "12345@pd.example")]),
        roster().row(
            &lost,
            [
                (ExternalId, "e77"),
                (BadgeNumber, "99.0"),
                (Username, "'u9"),
            ],
        ),
        roster().row(&lost, [(SupervisorEmail, "9999@pd.exampel")]),
        roster().row(&lost, [(SupervisorEmail, "u99998")]),
        roster().row(&lost, [(Email, "9@pd.example"), (BadgeNumber, "0000010")]),
    ]
}

/// How often the table of users was read from its beginning, and how often through an index.
async fn reads(app: &App) -> (i64, i64) {
    let of = async |column: &str| {
        let sql = format!("SELECT {column} FROM pg_stat_user_tables WHERE relname = 'users'");
        app.database().number(&sql).await
    };
    (of("seq_scan").await, of("idx_scan").await)
}

async fn no_push_reads_the_whole_table_of_users() {
    let app = App::start(Database::Postgres).await;
    let uuid = "CREATE FUNCTION uuid(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS \
        $$SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid$$";
    app.database().execute(uuid).await;
    app.database().execute(FILL).await;
    let (scanned, looked_up) = reads(&app).await;
    let mut count = 0;
    for round in 0..ROUNDS {
        for push in pushes(round) {
            let imported = app.import(push).await;
            assert_eq!(imported.summary().rows, 1, "{imported}");
            count += 1;
        }
    }
    // A session reports its reads only after it has been idle for a while.
    let told = async {
        loop {
            let (now_scanned, now_looked_up) = reads(&app).await;
            if now_looked_up - looked_up >= count * 8 {
                return now_scanned - scanned;
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    let scans = timeout(PATIENCE, told)
        .await
        .expect("sessions tell how they have read");
    assert!(scans < ROUNDS / 2, "{scans} scans in {count} pushes");
}

//! The schema. If several servers start at once, one of them updates it. A schema that is too old is refused. A schema
//! of a newer release is used as it is.

use std::{process::Output, sync::Arc, thread};

use user_import::domain::Column::Email;

use crate::program::{run, serve};
use user_import_testing::{App, Database, on_both_databases, roster};

on_both_databases![
    several_processes_migrate_at_once,
    several_servers_start_at_once,
    a_server_that_must_not_migrate_refuses_an_old_schema,
    this_release_works_on_the_schema_of_a_newer_one,
    a_schema_of_two_releases_is_refused,
    the_doctor_says_what_to_do,
    emails_of_an_earlier_release_compare_by_their_domains_ascii_form;
    a_distributed_database_gets_no_triggers_on_users,
];

/// Changes that a later step may make: add optional columns, tables, and indexes.
const NEWER: [&str; 6] = [
    "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_newer', 0)",
    "ALTER TABLE users ADD COLUMN newer TEXT",
    "ALTER TABLE organizations ADD COLUMN newer INTEGER NOT NULL DEFAULT 7",
    "ALTER TABLE imports ADD COLUMN newer TEXT",
    "ALTER TABLE roles ADD COLUMN newer BOOLEAN NOT NULL DEFAULT FALSE",
    "CREATE TABLE newer (organization_id BIGINT NOT NULL, id BIGINT NOT NULL)",
];

fn text(output: &Output) -> String {
    [&output.stdout[..], &output.stderr]
        .concat()
        .iter()
        .map(|&byte| char::from(byte))
        .collect()
}

/// Six processes migrate at once. On PostgreSQL, all of them look at the schema before the first one changes it.
async fn several_processes_migrate_at_once(database: Database) {
    let is_postgres = matches!(database, Database::Postgres);
    let database = database.create().await;
    let url = database.url();
    let lock = "SELECT pg_advisory_xact_lock(7145530023)";
    let held = match is_postgres {
        true => Some(database.begin(lock).await),
        false => None,
    };
    let migrating: Vec<_> = (0..6)
        .map(|_| {
            let url = url.clone();
            thread::spawn(move || run(&["migrate"], &url))
        })
        .collect();
    if let Some(held) = held {
        let waits = "SELECT COUNT(*) FROM pg_stat_activity \
            WHERE datname = current_database() AND wait_event = 'advisory'";
        while database.number(waits).await < 6 {}
        held.commit("").await;
    }
    for process in migrating {
        let output = process.join().unwrap();
        assert!(output.status.success(), "{}", text(&output));
    }
    let steps = database
        .number("SELECT COUNT(*) FROM seaql_migrations")
        .await;
    let different = database.number("SELECT COUNT(DISTINCT version) FROM seaql_migrations");
    assert!(steps > 1 && steps == different.await);
}

async fn several_servers_start_at_once(database: Database) {
    let database = Arc::new(database.create().await);
    let folder = tempfile::tempdir().unwrap();
    let starting: Vec<_> = (0..4)
        .map(|number| {
            let (url, log) = (database.url(), folder.path().join(number.to_string()));
            thread::spawn(move || serve(&url, &[], &log))
        })
        .collect();
    let servers: Vec<_> = starting.into_iter().map(|s| s.join().unwrap()).collect();
    let first = App::attach(Arc::clone(&database), servers[0].address).await;
    first.organization("pd").await;
    for (number, server) in servers.iter().enumerate() {
        let app = App::attach(Arc::clone(&database), server.address).await;
        app.people([format!("u{number}").as_str()]).await;
    }
    assert_eq!(first.users().await.len(), servers.len());
}

async fn a_server_that_must_not_migrate_refuses_an_old_schema(database: Database) {
    let database = database.create().await;
    let refused = run(
        &["serve", "--no-migrate", "--listen", "127.0.0.1:0"],
        &database.url(),
    );
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused);
    assert!(
        told.contains("Run user-import migrate") && told.contains("m20261122_000001"),
        "{told}"
    );
    assert!(run(&["migrate"], &database.url()).status.success());
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    serve(&database.url(), &["--no-migrate"], &log).stop();
}

async fn this_release_works_on_the_schema_of_a_newer_one(database: Database) {
    let database = Arc::new(database.create().await);
    assert!(run(&["migrate"], &database.url()).status.success());
    for sql in NEWER {
        database.execute(sql).await;
    }
    let folder = tempfile::tempdir().unwrap();
    for options in [&[][..], &["--no-migrate"]] {
        let server = serve(&database.url(), options, &folder.path().join("log"));
        let app = App::attach(Arc::clone(&database), server.address).await;
        let slug = format!("pd{}", options.len());
        app.organization(&slug).await;
        let start = || user_import_testing::start_of(&slug);
        let people = roster().people(["ada", "bob"]).csv();
        let imported = app.import_with(start(), people).await;
        assert_eq!(imported.summary().created, 2, "{imported}");
        let again = app.import_with(start(), app.export_of(&slug).await).await;
        assert_eq!(again.summary().unchanged, 2, "{again}");
        server.stop();
    }
}

async fn a_schema_of_two_releases_is_refused(database: Database) {
    let database = database.create().await;
    assert!(run(&["migrate"], &database.url()).status.success());
    database.execute(NEWER[0]).await;
    database
        .execute("DELETE FROM seaql_migrations WHERE version LIKE '%imports%'")
        .await;
    let refused = run(&["migrate"], &database.url());
    assert!(!refused.status.success());
    assert!(
        text(&refused).contains("of another release"),
        "{}",
        text(&refused)
    );
}

async fn the_doctor_says_what_to_do(database: Database) {
    let database = database.create().await;
    let ill = run(&["doctor"], &database.url());
    assert_eq!(ill.status.code(), Some(1), "{}", text(&ill));
    assert!(text(&ill).contains("user-import migrate"), "{}", text(&ill));
    assert!(run(&["migrate"], &database.url()).status.success());
    let well = run(&["doctor"], &database.url());
    assert_eq!(well.status.code(), Some(0), "{}", text(&well));
    let told = text(&well);
    for about in ["configuration", "database", "migrations", "clock"] {
        assert!(told.contains(&format!("ok       {about}")), "{told}");
    }
    let expired = run(&["doctor", "--tls-cert", "/nowhere.pem"], &database.url());
    assert_eq!(expired.status.code(), Some(1), "{}", text(&expired));
    let away = run(&["doctor"], "postgres://nobody:s3cret@127.0.0.1:1/none");
    assert_eq!(away.status.code(), Some(1));
    assert!(text(&away).contains("WRONG    database") && !text(&away).contains("s3cret"));
}

/// Makes the state that a directory of the release before the step of these columns is in.
const BEFORE_VALUES: [&str; 6] = [
    "DELETE FROM seaql_migrations WHERE version LIKE '%_000013_values'",
    "ALTER TABLE organizations DROP COLUMN phone_region",
    "ALTER TABLE organizations DROP COLUMN badge_number_pattern",
    "ALTER TABLE organizations DROP COLUMN external_id_pattern",
    "UPDATE users SET email_key = 'ada@müller.example' WHERE external_id = 'ada'",
    "UPDATE users SET email = 'bob@müller.example', email_key = 'bob@müller.example' WHERE external_id = 'bob'",
];

/// Another user has Bob's mailbox, too, in the other form, which the earlier release allowed.
async fn emails_of_an_earlier_release_compare_by_their_domains_ascii_form(database: Database) {
    let database = Arc::new(database.create().await);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let server = serve(&database.url(), &[], &log);
    let app = App::attach(Arc::clone(&database), server.address).await;
    app.organization("pd").await;
    let people = |bobs| {
        let ada = roster().row("ada", [(Email, "ada@müller.example")]);
        ada.row("bob", [(Email, bobs)])
            .row("rob", [(Email, "bob@xn--mller-kva.example")])
    };
    let imported = app.import(&people("bob@elsewhere.example")).await;
    assert_eq!(imported.summary().created, 3, "{imported}");
    server.stop();
    for sql in BEFORE_VALUES {
        database.execute(sql).await;
    }

    assert!(run(&["migrate"], &database.url()).status.success());
    let server = serve(&database.url(), &["--no-migrate"], &log);
    let app = App::attach(Arc::clone(&database), server.address).await;
    let newcomer = roster().row("eve", [(Email, "ada@xn--mller-kva.example")]);
    let imported = app.import(&newcomer).await;
    assert!(
        imported.to_string().contains("EMAIL_TAKEN user ada"),
        "{imported}"
    );
    let again = app.import(&people("bob@müller.example")).await;
    assert_eq!(again.summary().unchanged, 3, "{again}");
    server.stop();
}

/// Citus does not allow triggers that read other tables, so `migrate --distribute` has removed them.
async fn a_distributed_database_gets_no_triggers_on_users() {
    let database = Database::Postgres.create().await;
    assert!(run(&["migrate"], &database.url()).status.success());
    let triggers = "SELECT COUNT(*) FROM pg_trigger WHERE tgrelid = 'users'::regclass \
        AND tgname IN ('users_insert_references', 'users_update_references')";
    assert_eq!(database.number(triggers).await, 2);
    let as_before = "DROP TRIGGER users_insert_references ON users; \
        DROP TRIGGER users_update_references ON users; \
        DELETE FROM seaql_migrations WHERE version = 'm20261129_000020_unset_references'";
    database.execute(as_before).await;
    assert!(run(&["migrate"], &database.url()).status.success());
    assert_eq!(database.number(triggers).await, 0);
}

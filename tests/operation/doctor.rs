//! Before a server starts, `user-import doctor` finds the faults that would keep it from starting or from admitting
//! any caller.

use std::{fs, net::TcpListener, process::Command};

use crate::program::{program, run, serve};
use user_import_testing::{
    Database, FreshDatabase,
    certificates::{CertificateAuthority, CertificateFiles},
    on_both_databases,
};

on_both_databases![
    files_that_do_not_fit_together_or_are_not_understood_are_wrong,
    an_address_that_serve_would_refuse_is_wrong,
    a_provider_whose_keys_cannot_be_had_is_wrong,
    administrators_who_are_not_privileged_are_warned_about,
    an_address_that_another_program_has_is_wrong_and_a_running_server_is_not,
    options_that_serve_would_refuse_are_wrong,
    values_that_no_option_has_are_refused,
    an_address_of_the_console_without_tls_is_warned_about,
    a_mistyped_variable_is_wrong;
    a_role_that_may_not_write_is_wrong,
    a_role_that_may_not_look_into_the_schema_is_told_about_that_alone,
    a_role_that_may_not_change_the_schema_is_wrong_if_that_is_needed,
    too_few_connections_are_wrong,
    a_database_that_cannot_be_reached_is_named_once_with_what_to_do,
];

async fn migrated(database: Database) -> FreshDatabase {
    let fresh = database.create().await;
    let migrated = run(&["migrate"], &fresh.url());
    assert!(migrated.status.success());
    fresh
}

/// Returns the exit code and the output. The server would listen on a free port, unless the options name another
/// address.
fn doctor(database: &FreshDatabase, options: &[&str]) -> (Option<i32>, String) {
    ended(doctor_of(&database.url()).args(options))
}

fn doctor_of(url: &str) -> Command {
    let mut command = program();
    command.arg("doctor").env("USER_IMPORT_DATABASE_URL", url);
    command.env("USER_IMPORT_LISTEN", "127.0.0.1:0");
    command
}

/// Returns the command `doctor`, run so that the permissions of files hold, even if root runs the tests.
fn doctor_by_permissions(url: &str) -> Command {
    if !rustix::process::getuid().is_root() {
        return doctor_of(url);
    }
    let doctor = doctor_of(url);
    let mut command = Command::new("setpriv");
    command.arg("--bounding-set=-dac_override,-dac_read_search");
    command.arg(doctor.get_program()).args(doctor.get_args());
    for (name, value) in doctor.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

fn ended(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// The same database as another role, which has a password.
fn url_as(database: &FreshDatabase, role: &str) -> String {
    let url = database.url();
    let (_, rest) = url.split_once('@').unwrap();
    format!("postgres://{role}:geheim@{rest}")
}

/// Makes a role that may log in. Its name is that of the database and this ending.
async fn role(database: &FreshDatabase, ending: &str, options: &str) -> String {
    let url = database.url();
    let name = url.rsplit_once('/').unwrap().1.split('?').next().unwrap();
    let role = format!("{name}_{ending}");
    let sql = format!("CREATE ROLE {role} LOGIN PASSWORD 'geheim' {options}");
    database.execute(&sql).await;
    role
}

/// Removes a role with all privileges that it has.
async fn remove(database: &FreshDatabase, role: &str) {
    let sql = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    database.execute(&sql).await;
}

/// Expects that exactly this one thing is wrong.
fn expect_wrong(found: &(Option<i32>, String), about: &str, text: &str) {
    let (exit, said) = found;
    assert_eq!(*exit, Some(1), "{said}");
    let wrong: Vec<_> = said
        .lines()
        .filter(|line| line.starts_with("WRONG"))
        .collect();
    assert_eq!(wrong.len(), 1, "{said}");
    assert!(
        wrong[0].contains(about) && wrong[0].contains(text),
        "{said}"
    );
}

async fn files_that_do_not_fit_together_or_are_not_understood_are_wrong(database: Database) {
    let database = migrated(database).await;
    let authority = CertificateAuthority::new();
    let files = CertificateFiles::new(&authority.server());
    files.write("other.key", &authority.server().key);
    files.write("list.json", "{\"identities\": [{\"san\": \"cad\"}]}");
    files.write("good.json", "{\"identities\": []}");
    let path = |name: &str| files.path(name).display().to_string();
    let certificate = path("server.pem");
    let tls = |key: &str| doctor(&database, &["--tls-cert", &certificate, "--tls-key", key]);
    let (exit, said) = tls(&path("server.key"));
    assert!(
        exit == Some(0) && said.contains("certificate and key fit together"),
        "{said}"
    );
    expect_wrong(&tls(&path("other.key")), "TLS", "certificate and key");
    files.write("ca.pem", &authority.pem());
    let (key, authorities) = (path("server.key"), path("ca.pem"));
    let clients = [
        "--tls-cert",
        &certificate,
        "--tls-key",
        &key,
        "--tls-client-ca",
        &authorities,
    ];
    let with_list = |name: &str| {
        let list = ["--tls-client-identities", &path(name)];
        doctor(&database, &[&clients[..], &list].concat())
    };
    expect_wrong(&with_list("list.json"), "identities", "list.json");
    let (exit, said) = with_list("good.json");
    assert!(
        exit == Some(0) && said.contains("admits no certificate"),
        "{said}"
    );
}

async fn an_address_that_serve_would_refuse_is_wrong(database: Database) {
    let database = migrated(database).await;
    let wide = ["--listen", "0.0.0.0:0"];
    expect_wrong(
        &doctor(&database, &wide),
        "exposure",
        "can be reached from other machines",
    );
    let accepted = [&wide[..], &["--insecure-listen-beyond-loopback"]].concat();
    let (exit, said) = doctor(&database, &accepted);
    assert!(
        exit == Some(0) && said.contains("warning  exposure"),
        "{said}"
    );
    let (exit, said) = doctor(&database, &[]);
    assert!(
        exit == Some(0) && said.contains("no credential is configured"),
        "{said}"
    );
}

async fn a_provider_whose_keys_cannot_be_had_is_wrong(database: Database) {
    let database = migrated(database).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    fs::write(&file, "{\"keys\": []}").unwrap();
    let provider = [
        "--jwt-issuer",
        "issuer",
        "--jwt-audience",
        "here",
        "--jwt-jwks",
    ];
    let of = |keys: &str| doctor(&database, &[&provider[..], &[keys]].concat());
    expect_wrong(
        &of(file.to_str().unwrap()),
        "JWT keys",
        "no key of the JWK set can be used",
    );
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/keys", nobody.local_addr().unwrap());
    drop(nobody);
    expect_wrong(&of(&url), "JWT keys", &url);
}

async fn administrators_who_are_not_privileged_are_warned_about(database: Database) {
    let database = migrated(database).await;
    database
        .execute(
            "INSERT INTO organizations (id, slug, display_name, revision, created_at) \
             VALUES (1, 'pd', 'PD', 0, CURRENT_TIMESTAMP)",
        )
        .await;
    let quiet = doctor(&database, &[]).1;
    assert!(quiet.contains("ok       roles"), "{quiet}");
    for (id, name) in [(1, "Officer"), (2, "Administrator")] {
        let sql = format!(
            "INSERT INTO roles (organization_id, id, name, name_key, privileged) \
             VALUES (1, {id}, '{name}', '{name}', FALSE)"
        );
        database.execute(&sql).await;
    }
    let (exit, said) = doctor(&database, &[]);
    assert_eq!(exit, Some(0), "{said}");
    assert!(
        said.contains("warning  roles          pd: no role is privileged"),
        "{said}"
    );
    assert!(
        said.contains("pd: the role \"Administrator\" has the name of"),
        "{said}"
    );
    database
        .execute("UPDATE roles SET privileged = TRUE WHERE id = 2")
        .await;
    let well = doctor(&database, &[]).1;
    assert!(well.contains("ok       roles"), "{well}");
}

async fn an_address_that_another_program_has_is_wrong_and_a_running_server_is_not(
    database: Database,
) {
    let database = migrated(database).await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for option in ["--listen", "--health-listen", "--metrics-listen"] {
        let found = doctor(&database, &[option, &address]);
        expect_wrong(&found, "address", &format!("{address} ({option})"));
        assert!(found.1.contains("choose another port"), "{}", found.1);
    }
    drop(taken);
    let both = ["--health-listen", &address, "--metrics-listen", &address];
    expect_wrong(
        &doctor(&database, &both),
        "address",
        "--metrics-listen and --health-listen",
    );
    expect_wrong(
        &doctor(
            &database,
            &[
                "--listen",
                "203.0.113.7:50051",
                "--insecure-listen-beyond-loopback",
            ],
        ),
        "address",
        "has no such address",
    );
    let folder = tempfile::tempdir().unwrap();
    let server = serve(&database.url(), &[], &folder.path().join("log"));
    let (exit, said) = doctor(&database, &["--listen", &server.address.to_string()]);
    assert_eq!(exit, Some(0), "{said}");
    assert!(
        said.contains("warning  address") && said.contains("is in use"),
        "{said}"
    );
}

async fn options_that_serve_would_refuse_are_wrong(database: Database) {
    let database = migrated(database).await;
    for (options, text) in [
        (
            &["--tls-client-identities", "/dev/null"][..],
            "--tls-client-identities needs --tls-client-ca",
        ),
        (
            &["--jwt-issuer", "https://id.example"],
            "--jwt-issuer needs --jwt-jwks",
        ),
        (
            &["--oidc-client-id", "console"],
            "--oidc-client-id needs --jwt-issuer",
        ),
        (
            &["--max-field-bytes", "65536", "--max-record-bytes", "4096"],
            "lower --max-field-bytes",
        ),
    ] {
        let (exit, said) = doctor(&database, options);
        assert_eq!(exit, Some(1), "{said}");
        let told = said
            .lines()
            .find(|line| line.starts_with("WRONG    configuration"));
        assert!(told.is_some_and(|line| line.contains(text)), "{said}");
        let mut serve = program();
        serve
            .arg("serve")
            .args(options)
            .env("USER_IMPORT_DATABASE_URL", database.url());
        let (exit, said) = ended(&mut serve);
        assert!(exit == Some(2) && said.contains(text), "{said}");
    }
}

async fn values_that_no_option_has_are_refused(database: Database) {
    let database = migrated(database).await;
    for (option, value, text) in [
        (
            "--web-origin",
            "roster.example",
            "write it like https://roster.example",
        ),
        (
            "--web-origin",
            "https://roster.example/app",
            "without a path",
        ),
        ("--web-origin", "*", "name each origin"),
        ("--listen", "localhost:50051", "such as 127.0.0.1:50051"),
        ("--health-listen", "127.0.0.1", "and a port"),
        ("--metrics-listen", "::1:9464", "[::1]:50051"),
        (
            "--public-url",
            "roster.example",
            "like https://roster.example",
        ),
        (
            "--public-url",
            "https://roster.example/console/",
            "without a path",
        ),
    ] {
        let (exit, said) = doctor(&database, &[option, value]);
        assert_eq!(exit, Some(2), "{said}");
        assert!(said.contains(option) && said.contains(text), "{said}");
    }
}

async fn an_address_of_the_console_without_tls_is_warned_about(database: Database) {
    let database = migrated(database).await;
    for (url, level) in [
        ("https://roster.example", "ok       console"),
        ("http://localhost:50051", "ok       console"),
        ("http://roster.example", "warning  console"),
    ] {
        let (exit, said) = doctor(&database, &["--public-url", url]);
        assert_eq!(exit, Some(0), "{said}");
        let told = said.lines().find(|line| line.starts_with(level));
        assert!(told.is_some_and(|line| line.contains(url)), "{said}");
    }
}

async fn a_mistyped_variable_is_wrong(database: Database) {
    let database = migrated(database).await;
    let mut mistyped = doctor_of(&database.url());
    let found = ended(mistyped.env("USER_IMPORT_HEALTH_LISTN", "geheim"));
    expect_wrong(
        &found,
        "environment",
        "did you mean USER_IMPORT_HEALTH_LISTEN?",
    );
    assert!(!found.1.contains("geheim"), "{}", found.1);
}

async fn a_role_that_may_not_write_is_wrong() {
    let database = migrated(Database::Postgres).await;
    let reader = role(&database, "reader", "").await;
    let grant = format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}");
    database.execute(&grant).await;
    let lacking = ended(&mut doctor_of(&url_as(&database, &reader)));
    expect_wrong(&lacking, "access", "lacks INSERT, UPDATE, DELETE on");
    assert!(lacking.1.contains("GRANT SELECT, INSERT"), "{}", lacking.1);
    let all =
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {reader}");
    database.execute(&all).await;
    let (exit, said) = ended(&mut doctor_of(&url_as(&database, &reader)));
    assert_eq!(exit, Some(0), "{said}");
    // Only a server that removes archived events needs the right to remove events.
    let no_removal = format!("REVOKE DELETE ON audit_events FROM {reader}");
    database.execute(&no_removal).await;
    let (exit, said) = ended(&mut doctor_of(&url_as(&database, &reader)));
    assert_eq!(exit, Some(0), "{said}");
    let removing = ended(doctor_of(&url_as(&database, &reader)).arg("--audit-days=365"));
    expect_wrong(&removing, "access", "lacks DELETE on audit_events");
    let read_only = format!("ALTER ROLE {reader} SET default_transaction_read_only = on");
    database.execute(&read_only).await;
    expect_wrong(
        &ended(&mut doctor_of(&url_as(&database, &reader))),
        "access",
        "RESET default_transaction_read_only",
    );
    remove(&database, &reader).await;
}

async fn a_role_that_may_not_look_into_the_schema_is_told_about_that_alone() {
    let database = migrated(Database::Postgres).await;
    let outsider = role(&database, "outsider", "").await;
    let closed = "REVOKE ALL ON SCHEMA public FROM public";
    database.execute(closed).await;
    let found = ended(&mut doctor_of(&url_as(&database, &outsider)));
    let grant = format!("GRANT USAGE ON SCHEMA public TO {outsider}");
    expect_wrong(&found, "access", &grant);
    assert!(!found.1.contains("migrations"), "{}", found.1);
    database.execute(&grant).await;
    let found = ended(&mut doctor_of(&url_as(&database, &outsider)));
    expect_wrong(&found, "database", "SELECT, INSERT, UPDATE and DELETE on");
    remove(&database, &outsider).await;
}

async fn a_role_that_may_not_change_the_schema_is_wrong_if_that_is_needed() {
    let database = Database::Postgres.create().await;
    database
        .execute("REVOKE CREATE ON SCHEMA public FROM public")
        .await;
    let plain = role(&database, "plain", "").await;
    let (exit, said) = ended(&mut doctor_of(&url_as(&database, &plain)));
    assert_eq!(exit, Some(1), "{said}");
    assert!(
        said.contains("WRONG    migrations") && said.contains("may not change the schema"),
        "{said}"
    );
    let grant = format!("GRANT CREATE ON SCHEMA public TO {plain}");
    database.execute(&grant).await;
    expect_wrong(
        &ended(&mut doctor_of(&url_as(&database, &plain))),
        "migrations",
        "user-import migrate",
    );
    remove(&database, &plain).await;
}

async fn too_few_connections_are_wrong() {
    let database = migrated(Database::Postgres).await;
    let few = role(&database, "few", "CONNECTION LIMIT 5").await;
    let grant =
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {few}");
    database.execute(&grant).await;
    let found = ended(&mut doctor_of(&url_as(&database, &few)));
    expect_wrong(&found, "connections", "a server opens up to 16");
    assert!(
        found
            .1
            .contains(&format!("ALTER ROLE {few} CONNECTION LIMIT")),
        "{}",
        found.1
    );
    database
        .execute(&format!("ALTER ROLE {few} CONNECTION LIMIT 0"))
        .await;
    let none = ended(&mut doctor_of(&url_as(&database, &few)));
    expect_wrong(&none, "database", "too many connections for role");
    database
        .execute(&format!("ALTER ROLE {few} CONNECTION LIMIT -1"))
        .await;
    let (exit, said) = ended(&mut doctor_of(&url_as(&database, &few)));
    assert!(
        exit == Some(0) && said.contains("ok       connections"),
        "{said}"
    );
    remove(&database, &few).await;
}

async fn a_database_that_cannot_be_reached_is_named_once_with_what_to_do() {
    let database = Database::Postgres.create().await;
    let url = database.url();
    let (server, _) = url.rsplit_once('/').unwrap();
    for (url, place, text) in [
        (
            "postgres://me:geheim@127.0.0.1:1/none",
            "127.0.0.1:1",
            "start it, or correct host and port",
        ),
        (
            "postgres://me:geheim@nowhere.invalid/none",
            "nowhere.invalid:5432",
            "correct the host",
        ),
        (
            &format!("{server}/no_such_database"),
            "127.0.0.1",
            "create that database",
        ),
        (
            &format!("{server}/none?sslmode=verify-full&sslrootcert=/etc/no-such.crt"),
            "/etc/no-such.crt, which the database's URL names, cannot be read",
            "correct its name",
        ),
    ] {
        let found = ended(&mut doctor_of(url));
        expect_wrong(&found, place, text);
        let said = found.1;
        assert!(!said.contains("geheim"), "{said}");
        for internal in [
            "Connection Error",
            "error communicating",
            "error returned from",
        ] {
            assert!(!said.contains(internal), "{said}");
        }
        assert_eq!(said.matches("(os error").count().max(1), 1, "{said}");
        let served = run(&["serve", "--listen", "127.0.0.1:0"], url);
        let served = String::from_utf8(served.stderr).unwrap();
        assert!(!served.contains("error communicating"), "{served}");
    }
}

#[test]
fn a_sqlite_file_that_cannot_be_used_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    fs::write(folder.path().join("text"), "x".repeat(4_096)).unwrap();
    for (name, text) in [
        ("text", "it is not a SQLite database"),
        ("", "is a folder"),
        ("missing/users.db", "there is no folder"),
        ("users.db", "there is no file"),
    ] {
        expect_wrong(&ended(&mut doctor_of(&at(name))), "database", text);
    }
    assert!(run(&["migrate"], &at("users.db")).status.success());
    let allow = |name: &str, mode| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(folder.path().join(name), mode).unwrap();
    };
    allow("users.db", 0o400);
    let said = ended(&mut doctor_by_permissions(&at("users.db")));
    expect_wrong(&said, "database", "the right to write the file");
    allow("users.db", 0o600);
    allow("", 0o500);
    let said = ended(&mut doctor_by_permissions(&at("users.db")));
    expect_wrong(&said, "database", "SQLite keeps a log beside");
    allow("", 0o700);
}

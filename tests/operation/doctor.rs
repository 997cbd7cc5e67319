//! Before a server starts, `user-import doctor` finds the faults that would keep it from starting or from admitting
//! any caller.

use std::fs;

use crate::program::run;
use user_import_testing::{
    Database, FreshDatabase,
    certificates::{Authority, Files},
    on_both_databases,
};

on_both_databases![
    files_that_do_not_fit_together_or_are_not_understood_are_wrong,
    an_address_that_serve_would_refuse_is_wrong,
    a_provider_whose_keys_cannot_be_had_is_wrong,
    administrators_who_are_not_privileged_are_warned_about,
];

async fn migrated(database: Database) -> FreshDatabase {
    let fresh = database.create().await;
    let migrated = run(&["migrate"], &fresh.url());
    assert!(migrated.status.success());
    fresh
}

/// Returns the exit code and the output.
fn doctor(database: &FreshDatabase, options: &[&str]) -> (Option<i32>, String) {
    let output = run(&[&["doctor"], options].concat(), &database.url());
    let said = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), said)
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
    let authority = Authority::new();
    let files = Files::new(&authority.server());
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
    let list = ["--tls-client-identities", &path("list.json")];
    expect_wrong(&doctor(&database, &list), "identities", "list.json");
    let (exit, said) = doctor(&database, &["--tls-client-identities", &path("good.json")]);
    assert!(
        exit == Some(0) && said.contains("admits no certificate"),
        "{said}"
    );
}

async fn an_address_that_serve_would_refuse_is_wrong(database: Database) {
    let database = migrated(database).await;
    let wide = ["--listen", "0.0.0.0:50051"];
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
    let of_file = ["--jwt-jwks", file.to_str().unwrap()];
    expect_wrong(
        &doctor(&database, &of_file),
        "JWT keys",
        "no key of the JWK set is of use",
    );
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/keys", nobody.local_addr().unwrap());
    drop(nobody);
    expect_wrong(&doctor(&database, &["--jwt-jwks", &url]), "JWT keys", &url);
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
        said.contains("pd: the role \"Administrator\" is called like"),
        "{said}"
    );
    database
        .execute("UPDATE roles SET privileged = TRUE WHERE id = 2")
        .await;
    let well = doctor(&database, &[]).1;
    assert!(well.contains("ok       roles"), "{well}");
}

//! Tokens, and what the server says about who is admitted.

use std::fs;

use crate::department::{Department, officers, program, text};

/// Makes a token for `pd`; its text.
fn create(department: &Department, permissions: &str) -> String {
    let database = format!("sqlite://{}", department.path("users.db").display());
    let created = department.run(&[
        "token",
        "create",
        "nightly",
        "--permission",
        permissions,
        "--database-url",
        &database,
    ]);
    assert_eq!(created.status.code(), Some(0), "{created:?}");
    let told = text(&created.stderr);
    assert!(
        told.contains("for pd") && told.contains(&permissions.replace(',', " ")),
        "{told}"
    );
    text(&created.stdout).trim_end().to_owned()
}

#[test]
fn a_token_is_made_used_listed_and_revoked() {
    let department = Department::open();
    let database = format!("sqlite://{}", department.path("users.db").display());
    department.file("roster.csv", &officers(2));
    let token = create(&department, "users.import,users.read");
    let file = department.file("job.token", &format!("{token}\n"));

    let without = department.run(&["import", "roster.csv"]);
    assert_eq!(without.status.code(), Some(4), "{without:?}");
    assert!(
        text(&without.stderr).contains("Give a valid token with --token-file"),
        "{without:?}"
    );
    let import = department.run(&[
        "import",
        "roster.csv",
        "--token-file",
        file.to_str().unwrap(),
    ]);
    assert_eq!(import.status.code(), Some(0), "{import:?}");
    let denied = department.run(&["catalog", "apply", "-", "--token", &token]);
    assert_ne!(denied.status.code(), Some(0));

    let list = text(
        &department
            .run(&["token", "list", "--database-url", &database])
            .stdout,
    );
    assert!(list.contains("nightly") && list.contains("good"), "{list}");
    assert!(!list.contains(&token) && !list.contains("uit_"), "{list}");
    let stored = fs::read(department.path("users.db")).unwrap();
    let digits = token.trim_start_matches("uit_").as_bytes();
    assert!(!stored.windows(digits.len()).any(|window| window == digits));

    let id = list
        .split_whitespace()
        .find(|word| word.matches('-').count() == 4);
    let revoke = ["token", "revoke", id.unwrap(), "--database-url", &database];
    assert_eq!(department.run(&revoke).status.code(), Some(0));
    let revoked = department.run(&["import", "roster.csv", "--token", &token]);
    assert!(text(&revoked.stderr).contains("revoked"), "{revoked:?}");
}

#[test]
fn a_token_for_an_organisation_that_is_not_there_is_not_made() {
    let department = Department::open();
    let database = format!("sqlite://{}", department.path("users.db").display());
    let words = [
        "token",
        "create",
        "x",
        "--permission",
        "users.read",
        "--organization",
        "elsewhere",
    ];
    let created = department.run(&[&words[..], &["--database-url", &database]].concat());
    assert_eq!(created.status.code(), Some(2), "{created:?}");
    assert!(text(&created.stderr).contains("elsewhere"), "{created:?}");
    let unknown = "018f4e9e-5c7b-7000-8000-000000000001";
    let revoked = department.run(&["token", "revoke", unknown, "--database-url", &database]);
    assert_eq!(revoked.status.code(), Some(2), "{revoked:?}");
}

#[test]
fn the_server_says_that_local_callers_may_do_everything() {
    let department = Department::open();
    let log = department.read("server.log");
    assert!(
        log.contains("callers on this machine may do everything"),
        "{log}"
    );
}

#[test]
fn a_server_that_others_could_reach_needs_tls_and_credentials_or_says_what_it_risks() {
    let folder = tempfile::tempdir().unwrap();
    let serve = program()
        .current_dir(folder.path())
        .args(["serve", "--listen", "0.0.0.0:0"])
        .output()
        .unwrap();
    assert_eq!(serve.status.code(), Some(2), "{serve:?}");
    let told = text(&serve.stderr);
    assert!(told.contains("--insecure-listen-beyond-loopback"), "{told}");
    assert!(!text(&serve.stdout).contains("listening"), "{serve:?}");
}

#[test]
fn a_token_is_not_sent_in_plain_text_to_another_machine() {
    let words = [
        "imports",
        "--organization",
        "pd",
        "--token",
        "x",
        "--endpoint",
    ];
    let told = |endpoint: &str, more: &[&str]| {
        let mut command = program();
        let output = command
            .args(words)
            .arg(endpoint)
            .args(more)
            .output()
            .unwrap();
        (output.status.code(), text(&output.stderr))
    };
    let (exit, error) = told("http://192.0.2.1:1", &[]);
    assert_eq!(exit, Some(2), "{error}");
    assert!(error.contains("https://"), "{error}");
    // Nobody answers at these, but they are asked.
    for (endpoint, more) in [
        ("http://127.0.0.1:1", &[][..]),
        ("http://localhost:1", &[]),
        ("http://[::1]:1", &[]),
        ("https://127.0.0.1:1", &[]),
    ] {
        let (exit, error) = told(endpoint, more);
        assert_eq!(exit, Some(5), "{endpoint}: {error}");
    }
}

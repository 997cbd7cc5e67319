//! `doctor client`: reports each fault between a machine and a server once, and says what to do.

use crate::department::{Department, text};

/// Returns the exit code and the checks' results, without the parts that differ in each run.
fn checked(department: &Department, options: &[&str]) -> (Option<i32>, String) {
    let output = department.run(&[&["doctor", "client"], options].concat());
    let said = text(&output.stdout);
    let port = department.address().port().to_string();
    (output.status.code(), said.replace(&port, "50051"))
}

/// Makes a token with these permissions.
fn token(department: &Department, permissions: &str, options: &[&str]) -> String {
    let database = format!("sqlite://{}", department.path("users.db").display());
    let create = ["token", "create", "job", "--permission", permissions];
    let create = [&create[..], &["--database-url", &database], options].concat();
    let made = department.run(&create);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    text(&made.stdout).trim().to_owned()
}

#[test]
fn a_client_that_is_well_is_said_to_be() {
    let department = Department::open();
    let (exit, said) = checked(&department, &[]);
    assert_eq!(exit, Some(0), "{said}");
    let said = said.replace(env!("CARGO_PKG_VERSION"), "1.2.3");
    insta::assert_snapshot!(said, @"
    ok       settings       no profile, http://127.0.0.1:50051, organisation pd
    ok       network        127.0.0.1 port 50051 answers
    ok       TLS            none, and none is needed on this machine
    ok       server         is ready
    ok       credential     the local token is accepted as local, and does not expire
    ok       permissions    all
    ok       organisation   pd (pd)
    ok       version        1.2.3, the same as the server
    ok       clock          agrees with the server's
    Nothing is wrong.
    ");
}

#[test]
fn what_a_token_permits_and_lacks_is_named() {
    let department = Department::open();
    let token = token(
        &department,
        "users.import,users.read",
        &["--expires-in-days", "10"],
    );
    let (exit, said) = checked(&department, &["--token", &token]);
    assert_eq!(exit, Some(0), "{said}");
    assert!(
        said.contains("warning  credential     the token is accepted as token "),
        "{said}"
    );
    assert!(said.contains(" (job), and expires on "), "{said}");
    let permissions = "ok       permissions    users.import, users.read; not users.deactivate,";
    assert!(said.contains(permissions), "{said}");
}

#[test]
fn nothing_is_checked_after_what_it_depends_on_and_each_fault_is_said_once() {
    let department = Department::open();
    let token = token(&department, "users.import", &[]);
    for (options, about, told) in [
        (
            &["--endpoint", "http://127.0.0.1:1"][..],
            "network",
            "user-import serve",
        ),
        (
            &["--token", "uit_no"],
            "credential",
            "user-import token create",
        ),
        (&[], "credential", "the local token is not accepted"),
        (
            &["--token", &token, "--organization", "sheriff"],
            "organisation",
            "only for pd",
        ),
        (
            &["--token-file", "no.token"],
            "settings",
            "no.token cannot be read",
        ),
    ] {
        let (exit, said) = checked(&department, options);
        assert_eq!(exit, Some(1), "{said}");
        let wrong: Vec<&str> = said
            .lines()
            .filter(|line| line.starts_with("WRONG"))
            .collect();
        assert_eq!(wrong.len(), 1, "{said}");
        assert!(
            wrong[0][9..].starts_with(about) && wrong[0].contains(told),
            "{said}"
        );
        assert!(said.ends_with("1 thing is wrong.\n"), "{said}");
    }
}

#[test]
fn an_organisation_that_is_unknown_or_not_given_is_said_to_be() {
    let department = Department::open();
    let (exit, said) = checked(&department, &["--organization", "elsewhere"]);
    assert_eq!(exit, Some(1), "{said}");
    assert!(said.contains("user-import org create elsewhere"), "{said}");
    let (exit, said) = checked(&department, &["--organization", ""]);
    assert_eq!(exit, Some(0), "{said}");
    assert!(
        said.contains("warning  organisation   none is set: give --organization SLUG"),
        "{said}"
    );
    let token = token(&department, "users.import", &[]);
    let (_, said) = checked(&department, &["--organization", "", "--token", &token]);
    assert!(said.contains("organization = \"pd\""), "{said}");
}

#[test]
fn a_server_that_speaks_no_tls_is_distinguished_from_one_that_is_not_there() {
    let department = Department::open();
    let endpoint = format!("https://{}", department.address());
    let (exit, said) = checked(&department, &["--endpoint", &endpoint]);
    assert_eq!(exit, Some(1), "{said}");
    assert!(said.contains("ok       network"), "{said}");
    assert!(said.contains("WRONG    TLS"), "{said}");
    assert!(said.contains("use http://127.0.0.1:50051"), "{said}");
}

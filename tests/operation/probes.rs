//! `user-import health`, with which containers and clusters check whether a server works.

use std::{net::TcpListener, process::Output, time::Instant};

use user_import::{config::Settings, domain::Permission};

use crate::program::program;
use user_import_testing::{
    App, Database, PATIENCE,
    certificates::{CertificateAuthority, CertificateFiles},
    on_both_databases, token,
};

on_both_databases![
    a_server_that_can_be_used_is_healthy_and_needs_no_credential,
    a_server_without_its_database_is_alive_and_not_healthy,
    health_is_asked_over_tls_of_a_server_that_is_known,
];

async fn health(endpoint: String, options: &[&str]) -> Output {
    let mut command = program();
    command
        .args(["health", "--endpoint", &endpoint])
        .args(options);
    // The server runs in this process, and its threads must not be blocked by waiting for the command.
    let running = tokio::task::spawn_blocking(move || command.output().unwrap());
    running.await.unwrap()
}

/// Returns the exit code and the output.
async fn checked(endpoint: String, options: &[&str]) -> (Option<i32>, String) {
    let output = health(endpoint, options).await;
    let printed = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), printed.trim().to_owned())
}

/// Repeats the check until it has this result. The server checks its database every two seconds.
async fn until(app: &App, expected: (Option<i32>, &str)) {
    until_checked(&format!("http://{}", app.address()), &[], expected).await;
}

async fn until_checked(endpoint: &str, options: &[&str], expected: (Option<i32>, &str)) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (exit, printed) = checked(endpoint.to_owned(), options).await;
        if (exit, &*printed) == expected {
            return;
        }
        let told = (exit, printed);
        assert!(Instant::now() < deadline, "{told:?} is not {expected:?}");
    }
}

async fn a_server_that_can_be_used_is_healthy_and_needs_no_credential(database: Database) {
    let app = App::start(database).await;
    app.create_token(token("pd", [Permission::UsersRead])).await;
    until(&app, (Some(0), "SERVING")).await;
    let endpoint = || format!("http://{}", app.address());
    for service in ["ImportService", "DirectoryService", "AuditService"] {
        let service = format!("userimport.v1.{service}");
        let answer = checked(endpoint(), &["--service", &service]).await;
        assert_eq!(answer, (Some(0), "SERVING".to_owned()), "{service}");
    }
    let unknown = health(endpoint(), &["--service", "userimport.v1.Nobody"]).await;
    assert_eq!(unknown.status.code(), Some(5));
    let errors = String::from_utf8(unknown.stderr).unwrap();
    assert!(
        errors.contains("no service \"userimport.v1.Nobody\""),
        "{errors}"
    );
}

async fn a_server_without_its_database_is_alive_and_not_healthy(database: Database) {
    let app = App::start(database).await;
    until(&app, (Some(0), "SERVING")).await;
    app.database().take_away().await;
    until(&app, (Some(5), "NOT_SERVING")).await;
    let endpoint = format!("http://{}", app.address());
    let alive = checked(endpoint, &["--alive"]).await;
    assert_eq!(alive, (Some(0), "NOT_SERVING".to_owned()));
    app.database().give_back().await;
    until(&app, (Some(0), "SERVING")).await;
}

async fn health_is_asked_over_tls_of_a_server_that_is_known(database: Database) {
    let authority = CertificateAuthority::new();
    let files = CertificateFiles::new(&authority.server());
    files.write("ca.pem", &authority.pem());
    files.write("other.pem", &CertificateAuthority::new().pem());
    let settings = Settings {
        security: files.security(),
        ..Settings::default()
    };
    let app = App::serve_tls(database, settings, &authority.pem()).await;
    let (port, path) = (app.address().port(), |name| {
        files.path(name).display().to_string()
    });
    let ca = path("ca.pem");
    let by_address = format!("https://127.0.0.1:{port}");
    let by_name = format!("https://localhost:{port}");
    let known = ["--ca-cert", &ca];
    let named = ["--ca-cert", &ca, "--server-name", "127.0.0.1"];
    until_checked(&by_address, &known, (Some(0), "SERVING")).await;
    for (endpoint, options, exit) in [
        (&by_address, &known[..], 0),
        (&by_name, &known, 5),
        (&by_name, &named, 0),
        (&by_address, &[], 5),
        (&by_address, &["--ca-cert", &path("other.pem")], 5),
    ] {
        let answer = checked(endpoint.clone(), options).await;
        assert_eq!(answer.0, Some(exit), "{endpoint} {options:?}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_neither_healthy_nor_alive() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    for options in [
        &["--timeout-seconds", "1"][..],
        &["--timeout-seconds", "1", "--alive"],
    ] {
        let output = health(endpoint.clone(), options).await;
        assert_eq!(output.status.code(), Some(5), "{output:?}");
    }
    drop(silent);
    assert_eq!(health(endpoint, &["--alive"]).await.status.code(), Some(5));
}

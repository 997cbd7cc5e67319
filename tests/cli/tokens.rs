//! Tokens, and the messages of the server about who may call.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    department::{Department, officers, program, text},
    process::{RunningProgram, address},
    terminal::Terminal,
};

/// Makes a token for `pd`. Returns its text.
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
fn the_server_says_who_may_do_everything() {
    let department = Department::open();
    let log = department.read("server.log");
    assert!(
        log.contains("the local token in this file permits everything"),
        "{log}"
    );
}

/// Returns the path of the local token of this department's server.
fn local_token_file(department: &Department) -> PathBuf {
    let name = format!("user-import/{}.token", department.address().port());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn the_local_token_is_in_a_file_of_its_own_until_the_server_stops() {
    let mut department = Department::open();
    let file = local_token_file(&department);
    let first = fs::read_to_string(&file).unwrap();
    let printed = department.run(&["token", "local"]);
    assert_eq!(printed.status.code(), Some(0), "{printed:?}");
    assert_eq!(text(&printed.stdout), first);
    let token = first.trim_end();
    assert!(token.parse::<user_import::access::TokenText>().is_ok());
    assert!(!department.read("server.log").contains(token));
    let server = department.take_server();
    server.terminate();
    let ended = server.end(&department.path("server.log"));
    assert_eq!(ended.exit, Some(0), "{}", ended.errors);
    assert!(!file.exists());
    let none = department.run(&["token", "local"]);
    assert_eq!(none.status.code(), Some(1), "{none:?}");
    let told = text(&none.stderr);
    assert!(
        told.contains("there is no local token for http://127.0.0.1:") && none.stdout.is_empty(),
        "{none:?}"
    );
    department.start_server();
    assert_ne!(fs::read_to_string(&file).unwrap(), first);
    assert_eq!(department.run(&["imports"]).status.code(), Some(0));
}

#[test]
fn the_address_that_signs_in_is_printed_for_those_who_ask() {
    let department = Department::open();
    let token = fs::read_to_string(local_token_file(&department)).unwrap();
    let printed = department.run(&["token", "local", "--console"]);
    assert_eq!(printed.status.code(), Some(0), "{printed:?}");
    let expected = format!("http://{}/console/#token={token}", department.address());
    assert_eq!(text(&printed.stdout), expected);
}

/// Starts a server on a free port of this machine.
fn serving(home: &Path, options: &[&str]) -> Command {
    let database = format!("sqlite://{}", home.join("users.db").display());
    let mut command = program();
    command
        .args(["serve", "--listen=127.0.0.1:0", "--database-url", &database])
        .args(options);
    command
}

#[test]
fn only_a_terminal_gets_the_address_that_signs_in() {
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("server.log");
    let mut server = RunningProgram::start(serving(home.path(), &[]), &log);
    let place = address(&mut server);
    let console = format!("http://{place}/console/");
    let told = server.wait_for("console: ").to_owned();
    let expected = format!(
        "console: {console} (user-import token local --console --endpoint http://{place} prints the \
         address that signs in)\n"
    );
    assert_eq!(told, expected);
    server.terminate();
    let ended = server.end(&log);
    let all = ended.lines.concat() + &ended.errors;
    assert!(!all.contains("uit_"), "{all}");

    let mut terminal = Terminal::start(serving(home.path(), &[]));
    let shown = terminal.wait_for("/console/#token=uit_");
    assert!(
        shown.starts_with("listening on ") || shown.contains("\nlistening on "),
        "{shown}"
    );
}

#[test]
fn a_public_url_is_the_address_of_the_console() {
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("server.log");
    let public = ["--public-url", "https://roster.example"];
    let mut server = RunningProgram::start(serving(home.path(), &public), &log);
    assert!(server.wait_for("").starts_with("listening on "));
    assert_eq!(
        server.wait_for(""),
        "console: https://roster.example/console/\n"
    );
    assert!(
        server
            .wait_for("")
            .starts_with("console: http://127.0.0.1:")
    );
}

#[test]
fn without_a_runtime_directory_the_local_token_is_under_the_home_of_its_user() {
    let home = tempfile::tempdir().unwrap();
    let at_home = |words: &[&str]| {
        let mut command = program();
        command
            .env_remove("XDG_RUNTIME_DIR")
            .env("HOME", home.path());
        command.args(words);
        command
    };
    let database = format!("sqlite://{}", home.path().join("users.db").display());
    let serve = ["serve", "--listen=127.0.0.1:0", "--database-url", &database];
    let log = home.path().join("server.log");
    let mut server = RunningProgram::start(at_home(&serve), &log);
    let address = address(&mut server);
    let folder = home.path().join(".local/state/user-import");
    let file = folder.join(format!("{}.token", address.port()));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    let endpoint = format!("--endpoint=http://{address}");
    let printed = at_home(&["token", "local", &endpoint]).output().unwrap();
    assert_eq!(text(&printed.stdout), fs::read_to_string(&file).unwrap());
    let created = at_home(&["org", "create", "pd", &endpoint])
        .output()
        .unwrap();
    assert_eq!(created.status.code(), Some(0), "{created:?}");
    server.terminate();
    assert_eq!(server.end(&log).exit, Some(0));
    assert!(!file.exists());
}

#[test]
fn the_local_token_of_a_server_that_was_killed_is_not_used() {
    let mut department = Department::open();
    drop(department.take_server());
    let file = local_token_file(&department);
    let left = fs::read_to_string(&file).unwrap();
    let none = department.run(&["token", "local"]);
    assert_eq!(none.status.code(), Some(1), "{none:?}");
    department.start_server();
    let printed = department.run(&["token", "local"]);
    assert!(printed.status.success() && text(&printed.stdout) != left);
}

#[test]
fn a_configured_credential_leaves_no_local_token() {
    let mut department = Department::open();
    let file = local_token_file(&department);
    create(&department, "users.read");
    // The server still runs, but accepts its local token no more.
    let refused = department.run(&["imports"]);
    assert_eq!(refused.status.code(), Some(4), "{refused:?}");
    let told = text(&refused.stderr);
    assert!(told.contains("local token is not valid any more"), "{told}");
    drop(department.take_server());
    assert!(file.exists(), "it was killed");
    department.start_server();
    assert!(!file.exists());
    let none = department.run(&["token", "local"]);
    assert_eq!(none.status.code(), Some(1), "{none:?}");
}

#[test]
fn a_local_token_is_for_this_machine_and_readable_for_nobody_else() {
    let department = Department::open();
    let elsewhere = ["token", "local", "--endpoint", "http://192.0.2.1:50051"];
    let elsewhere = department.run(&elsewhere);
    assert_eq!(elsewhere.status.code(), Some(2), "{elsewhere:?}");
    let file = local_token_file(&department);
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let refused = department.run(&["token", "local"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let imports = department.run(&["imports"]);
    assert_eq!(imports.status.code(), Some(4), "{imports:?}");
    for output in [refused, imports] {
        let told = text(&output.stderr);
        assert!(told.contains("other users have access to it"), "{told}");
    }
    // A killed server leaves the file, and the server of a later test may get the same port.
    fs::remove_file(file).unwrap();
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
    // No server listens at these addresses, but the command calls them.
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

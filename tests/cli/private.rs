//! Only their owner can read the files that the program makes, and the program never prints a secret that it was given.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use crate::{
    department::{Department, officers, program, roster},
    process::{RunningProgram, address},
};

/// Returns the modes of all files and folders in a folder, by their names.
fn modes(folder: &Path) -> BTreeMap<String, u32> {
    let mut modes = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        modes.insert(path.display().to_string(), mode);
        if path.is_dir() {
            modes.extend(self::modes(&path));
        }
    }
    modes
}

/// Returns a command with a umask under which everybody may read new files.
fn without_umask(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 0; exec \"$@\"", "sh"]);
    shell.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    shell
}

fn run_without_umask(department: &Department, words: &[&str]) -> Output {
    let output = without_umask(&department.command(words)).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 3)), "{output:?}");
    output
}

#[test]
fn every_file_that_a_command_writes_is_for_its_owner_alone() {
    let department = Department::open();
    let input = department.file("roster.csv", &roster(["Officer", "Chief"]));
    let input = input.to_str().unwrap();
    fs::create_dir(department.path("made")).unwrap();
    // Everybody could read the file that is replaced.
    let replaced = department.file("made/users.csv", "old");
    fs::set_permissions(replaced, Permissions::from_mode(0o666)).unwrap();
    for words in [
        &["import", input, "--errors", "made/rejected.csv"][..],
        &["export", "--output", "made/users.csv"],
        &["template", "--output", "made/template.csv"],
        &["descriptor", "--output", "made/contract.binpb"],
        &["man", "--output", "made/manual/man1"],
        &["migrate", "--database-url", "sqlite://made/users.db"],
    ] {
        run_without_umask(&department, words);
    }
    let made = modes(&department.path("made"));
    assert!(made.len() > 30, "{made:?}");
    for (name, mode) in made {
        let expected = if Path::new(&name).is_dir() {
            0o700
        } else {
            0o600
        };
        assert_eq!(mode, expected, "{name} has the mode {mode:o}");
    }
}

#[test]
fn a_servers_database_is_for_its_owner_alone_also_if_an_earlier_release_made_it() {
    let department = Department::open();
    let folder = department.path("data");
    fs::create_dir(&folder).unwrap();
    let database = folder.join("users.db");
    let url = format!("sqlite://{}", database.display());
    for round in ["new", "open to everybody"] {
        let mut serve = program();
        serve.args(["serve", "--listen", "127.0.0.1:0", "--database-url", &url]);
        let mut server =
            RunningProgram::start(without_umask(&serve), &department.path("other.log"));
        address(&mut server);
        let modes = modes(&folder);
        let files: Vec<_> = modes.keys().map(|name| name.rsplit('/').next()).collect();
        let expected = ["users.db", "users.db-shm", "users.db-wal"].map(Some);
        assert_eq!(files, expected, "{round}");
        assert!(
            modes.values().all(|mode| mode.trailing_zeros() >= 3),
            "{round}: {modes:?}"
        );
        if round == "new" {
            assert!(modes.values().all(|mode| *mode == 0o600), "{modes:?}");
            for name in modes.keys() {
                fs::set_permissions(name, Permissions::from_mode(0o666)).unwrap();
            }
        }
        // The server is killed, so that it leaves all three files.
        server.kill();
    }
}

/// Returns everything that a command prints.
fn said(mut command: Command) -> String {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8(said).unwrap()
}

/// An address at which no server listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

const COMMANDS: [&[&str]; 4] = [
    &["serve", "--listen", "127.0.0.1:0"],
    &["migrate"],
    &["doctor"],
    &["token", "list"],
];

#[test]
fn a_database_url_that_is_refused_is_never_repeated() {
    for url in [
        "import:geheim@db/users",
        "geheim",
        "mysql://import:geheim@db/users",
        "postgres:import:geheim@db/users",
        "postgres:///import:geheim@db/users",
        "postgresql://import:geheim/2@db/users",
        "postgres://import:12/geheim@127.0.0.1/users",
        "postgres://import:1?geheim@127.0.0.1/users",
        "postgres://import:1#geheim@127.0.0.1/users",
        "postgres://import:geheim%ff@db/users",
        "postgres://import:geheim@[::1/users",
        "postgres://db:1/users?passwort=geheim",
        "sqlite://import:geheim@db/users",
    ] {
        for words in COMMANDS {
            let mut option = program();
            option
                .args(words)
                .args(["--log", "trace", "--database-url", url]);
            let mut variable = program();
            variable.args(words).env("USER_IMPORT_DATABASE_URL", url);
            for said in [said(option), said(variable)] {
                assert!(!said.contains("geheim"), "{words:?} {url}: {said}");
                assert!(
                    said.contains("--database-url is refused"),
                    "{words:?} {url}: {said}"
                );
            }
        }
    }
}

#[test]
fn the_password_of_a_database_that_is_away_is_never_printed() {
    let url = format!("postgres://import:geheim@{}/users", nobody());
    std::thread::scope(|scope| {
        for words in COMMANDS {
            let mut command = program();
            command.args(words).args(["--log", "trace"]);
            command.env("USER_IMPORT_DATABASE_URL", &url);
            scope.spawn(move || {
                let said = said(command);
                assert!(!said.contains("geheim"), "{words:?}: {said}");
                // Only `doctor` names the host. The other commands call it the database.
                let what = match words {
                    ["doctor"] => "cannot be used: ",
                    _ => "the database cannot be used",
                };
                assert!(said.contains(what), "{words:?}: {said}");
            });
        }
    });
}

#[test]
fn a_token_that_is_given_in_the_wrong_place_is_never_repeated() {
    let department = Department::open();
    department.file("roster.csv", &officers(1));
    let token = format!("uit_{}", "5e".repeat(32));
    let profile = |line: &str| {
        let text = format!("[profiles.a]\norganization = \"pd\"\n{line}\n");
        let name = format!("{}.toml", line.split(' ').next().unwrap());
        let file = department.file(&name, &text);
        file.to_str().unwrap().to_owned()
    };
    let configs = [
        profile(&format!("token = \"{token}\"")),
        profile(&format!("token_file = \"{token}\"")),
        profile(&format!("token_env = \"{token}\"")),
        profile(&format!("endpoint = \"ftp://u:{token}@h\"")),
        profile(&format!("endpoint = {token}")),
    ];
    let mut commands = vec![
        vec!["import", "roster.csv", "--token-file", &token],
        vec!["import", "roster.csv", "--profile", "a", "--tokn", &token],
        vec!["import", "roster.csv", &token],
        vec!["imports", "--format", &token],
        vec!["imports", "--token", "5e5e5e5e\u{1}5e5e5e5e"],
    ];
    commands.extend(
        configs
            .iter()
            .map(|config| vec!["imports", "--profile", "a", "--config", config]),
    );
    for words in commands {
        let mut command = department.command(&words);
        command.args(["--log", "trace"]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {output:?}");
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!said.contains("5e5e5e5e"), "{words:?}: {said}");
    }
}

//! An organisation with a server process and a database of its own.

use std::{
    fmt::Write,
    fs,
    net::SocketAddr,
    path::PathBuf,
    process::{Command, Output},
    time::Duration,
};

use tempfile::TempDir;

use crate::process::{EndedProgram, RunningProgram, address};

/// A program that takes longer than this does not end at all.
const PATIENCE: Duration = Duration::from_mins(10);

const HEADER: &str =
    "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,PHONE\n";

/// A folder with rosters and a database, and the server on it. The organisation is `pd`, with the
/// roles Officer and Sergeant.
pub struct Department {
    server: Option<RunningProgram>,
    address: SocketAddr,
    options: Vec<&'static str>,
    folder: TempDir,
}

/// Returns the program, without the settings of the user who runs the tests.
pub fn program() -> Command {
    user_import_testing::program_at(env!("CARGO_BIN_EXE_user-import"))
}

/// Returns a roster of people with these roles, numbered from 1.
pub fn roster<'a>(roles: impl IntoIterator<Item = &'a str>) -> String {
    let mut csv = HEADER.to_owned();
    for (index, role) in roles.into_iter().enumerate() {
        let n = index + 1;
        writeln!(
            csv,
            "P-{n},p{n}@pd.example,B{n},Pat,Example,Active,p{n},{role},"
        )
        .unwrap();
    }
    csv
}

/// Returns a roster of this many officers.
pub fn officers(count: usize) -> String {
    roster(vec!["Officer"; count])
}

impl Department {
    /// Makes a department whose server has default settings.
    pub fn open() -> Self {
        Self::open_with(&[])
    }

    /// Makes a department whose server has these options.
    pub fn open_with(options: &[&'static str]) -> Self {
        let department = Self::open_empty(options);
        department.run(&["org", "create", "pd"]);
        let catalog = r#"{"roles": [{"name": "Officer"}, {"name": "Sergeant"}]}"#;
        let catalog = department.file("catalog.json", catalog);
        let applied = department.run(&["catalog", "apply", catalog.to_str().unwrap()]);
        assert_eq!(applied.status.code(), Some(0), "{applied:?}");
        department
    }

    fn open_empty(options: &[&'static str]) -> Self {
        let mut department = Self {
            server: None,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            options: options.to_vec(),
            folder: TempDir::new().unwrap(),
        };
        department.start_server();
        department
    }

    /// Starts the server. If it ran before, it gets the same port.
    pub fn start_server(&mut self) {
        let mut serve = program();
        let database = format!("sqlite://{}", self.path("users.db").display());
        serve.args(["serve", "--database-url", &database]);
        serve.args(["--listen", &self.address.to_string()]);
        serve.args(&self.options);
        let mut server = RunningProgram::start(serve, &self.path("server.log"));
        self.address = address(&mut server);
        self.server = Some(server);
    }

    /// Takes the server out of the department, so that a test can stop it.
    pub fn take_server(&mut self) -> RunningProgram {
        self.server.take().unwrap()
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Returns the content of a file in the folder, as text.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Returns the program, set up for this organisation and run in the folder.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = program();
        command
            .current_dir(self.folder.path())
            .env("USER_IMPORT_ENDPOINT", format!("http://{}", self.address))
            .args(words);
        // `org create` takes no organisation from the settings.
        if words[0] != "org" {
            command.env("USER_IMPORT_ORGANIZATION", "pd");
        }
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, words: &[&str]) -> Output {
        self.run_with_input(words, "")
    }

    /// Runs a command to its end, with this text on its standard input.
    pub fn run_with_input(&self, words: &[&str], input: &str) -> Output {
        let mut command = assert_cmd::Command::from_std(self.command(words));
        command.timeout(PATIENCE).write_stdin(input);
        command.output().unwrap()
    }

    /// Begins to import `roster`, with its answers as JSON.
    pub fn begin_import(&self, roster: &str, options: &[&str]) -> RunningImport {
        let file = self.file("begun.csv", roster);
        let mut importing = self.begin(file.to_str().unwrap(), options);
        importing.running.close_input();
        importing
    }

    /// Begins to import from a pipe. `roster` is the text that the pipe gives at first.
    pub fn begin_piped(&self, roster: &str, options: &[&str]) -> RunningImport {
        let mut importing = self.begin("-", options);
        importing.running.write(roster);
        importing
    }

    fn begin(&self, file: &str, options: &[&str]) -> RunningImport {
        let mut command = self.command(&["import", file, "--format", "json"]);
        command.args(options);
        let errors = self.path("import.log");
        RunningImport {
            running: RunningProgram::start(command, &errors),
            errors,
        }
    }

    /// Returns the number of users: the lines of an export without the header.
    pub fn users(&self) -> Vec<String> {
        let export = self.run(&["export"]);
        let csv = String::from_utf8(export.stdout).unwrap();
        csv.lines().skip(1).map(str::to_owned).collect()
    }
}

/// An import that is running.
pub struct RunningImport {
    running: RunningProgram,
    errors: PathBuf,
}

impl RunningImport {
    /// Waits until the first rows are written.
    pub fn wait_until_it_writes(&mut self) {
        self.running.wait_for("ROW_OUTCOME_CREATED");
    }

    /// Waits for `started`, and returns the import's ID.
    pub fn id(&mut self) -> String {
        let line = self.running.wait_for("\"started\"");
        let started: serde_json::Value = serde_json::from_str(line).unwrap();
        let id = started["started"]["importId"].as_str();
        id.unwrap().to_owned()
    }

    /// Ends its standard input.
    pub fn close_pipe(&mut self) {
        self.running.close_input();
    }

    /// Waits until it has ended.
    pub fn end(self) -> EndedProgram {
        self.running.end(&self.errors)
    }
}

/// Returns the standard output of a program as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

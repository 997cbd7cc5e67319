//! Programs that run while a test does other things.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::Value;

use user_import_testing::signal::{self, Signal};

/// A running program and its output. It is killed when this value is dropped.
pub struct RunningProgram {
    child: Child,
    input: Option<ChildStdin>,
    out: BufReader<ChildStdout>,
    /// The lines of standard output that have been read.
    lines: Vec<String>,
}

/// A program that has ended.
pub struct EndedProgram {
    pub exit: Option<i32>,
    pub lines: Vec<String>,
    pub errors: String,
}

impl RunningProgram {
    /// Starts `command`, with its standard error in the file `errors`.
    pub fn start(mut command: Command, errors: &Path) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(errors).unwrap())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self {
            input: child.stdin.take(),
            child,
            out,
            lines: Vec::new(),
        }
    }

    /// Writes to its standard input, which stays open.
    pub fn write(&mut self, text: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(text.as_bytes()).unwrap();
    }

    /// Closes its standard input.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Reads standard output up to a line that contains `text`.
    pub fn wait_for(&mut self, text: &str) -> &str {
        while self.read_line() {
            if self.lines.last().unwrap().contains(text) {
                return self.lines.last().unwrap();
            }
        }
        panic!("{text:?} never came: {:?}", self.lines);
    }

    /// Reads one more line. Returns `false` at the end of the output.
    fn read_line(&mut self) -> bool {
        let mut line = String::new();
        let read = self.out.read_line(&mut line).unwrap();
        self.lines.push(line);
        read > 0
    }

    /// Sends it the signal with which a service manager stops a service.
    pub fn terminate(&self) {
        signal::send(self.child.id(), Signal::TERM);
    }

    /// Kills it, and waits until it has ended.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it has ended.
    pub fn end(mut self, errors: &Path) -> EndedProgram {
        while self.read_line() {}
        let status = self.child.wait().unwrap();
        EndedProgram {
            exit: status.code(),
            lines: std::mem::take(&mut self.lines),
            errors: fs::read_to_string(errors).unwrap(),
        }
    }
}

impl Drop for RunningProgram {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the address at which a server says that it listens.
pub fn address(server: &mut RunningProgram) -> SocketAddr {
    let line = server.wait_for("listening on ").trim();
    let (_, address) = line.rsplit_once(' ').unwrap();
    address.parse().unwrap()
}

/// Returns the lines as JSON objects. Fails if a line is no JSON object.
pub fn objects<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<Value> {
    let lines = lines.into_iter().filter(|line| !line.is_empty());
    let objects: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    assert!(objects.iter().all(Value::is_object));
    objects
}

/// Returns the numbers of the rows that these answers report, in order.
pub fn rows(answers: &[Value]) -> Vec<u64> {
    let results = answers
        .iter()
        .filter_map(|answer| answer["results"]["results"].as_array());
    let mut rows: Vec<u64> = results
        .flatten()
        .map(|result| result["row"].as_u64().unwrap())
        .collect();
    rows.sort_unstable();
    rows
}

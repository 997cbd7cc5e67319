//! The program itself, as a server or as a command, in a process of its own.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use user_import_testing::signal::{self, Signal};

/// Names an optimised build of the program, for tests that compare times. Its sources must be those of the tests.
const OPTIMISED: &str = "USER_IMPORT_TEST_OPTIMISED_PROGRAM";

/// Returns the program without the settings of the user who runs the tests.
pub fn program() -> Command {
    without_settings(Command::new(env!("CARGO_BIN_EXE_user-import")))
}

/// Returns the program as [`program`] does, but the optimised one if it exists.
pub fn fastest_program() -> Command {
    std::env::var_os(OPTIMISED).map_or_else(program, |path| without_settings(Command::new(path)))
}

/// Returns `true` if [`fastest_program`] is optimised.
pub fn has_optimised_program() -> bool {
    cfg!(not(debug_assertions)) || std::env::var_os(OPTIMISED).is_some()
}

fn without_settings(mut command: Command) -> Command {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("USER_IMPORT_")) {
        command.env_remove(name);
    }
    // Their local tokens stay out of the home folder of the user who runs the tests.
    command.env("XDG_RUNTIME_DIR", user_import_testing::runtime_directory());
    command
}

/// Runs a command on a database to its end.
pub fn run(words: &[&str], database_url: &str) -> Output {
    program()
        .args(words)
        .env("USER_IMPORT_DATABASE_URL", database_url)
        .output()
        .expect("the program runs")
}

/// A running `serve`, which is killed when dropped.
pub struct ServeProcess {
    child: Child,
    log: PathBuf,
    pub address: SocketAddr,
}

impl ServeProcess {
    /// Starts a server that logs to a file, and waits until it listens.
    pub fn serve(database_url: &str, options: &[&str], log: &Path) -> Self {
        Self::serve_by(program(), database_url, options, log)
    }

    /// Starts a server as [`serve`](Self::serve) does, by this program.
    pub fn serve_by(
        mut program: Command,
        database_url: &str,
        options: &[&str],
        log: &Path,
    ) -> Self {
        let mut child = program
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(options)
            .env("USER_IMPORT_DATABASE_URL", database_url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(log).expect("the log can be made"))
            .spawn()
            .expect("the server can be started");
        let output = child.stdout.take().expect("its output is a pipe");
        let mut line = String::new();
        BufReader::new(output)
            .read_line(&mut line)
            .expect("its output can be read");
        let address = line.trim().strip_prefix("listening on ");
        let address = address.and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| {
            let log = std::fs::read_to_string(log).unwrap_or_default();
            panic!("the server said {line:?}: {log}")
        });
        Self {
            child,
            log: log.to_owned(),
            address,
        }
    }

    /// Returns the most memory that it has had so far, in KiB.
    pub fn peak(&self) -> u64 {
        self.memory("VmHWM:")
    }

    /// Returns the memory that it has now, in KiB.
    pub fn resident(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// Returns by how many KiB the peak has risen above `before`. Linux adds up a counter for each core without
    /// stopping them, so a later reading may be slightly lower than an earlier one: that is no rise.
    pub fn peak_above(&self, before: u64) -> u64 {
        self.peak().saturating_sub(before)
    }

    /// Does the same with the memory that it has now.
    pub fn resident_above(&self, before: u64) -> u64 {
        self.resident().saturating_sub(before)
    }

    fn memory(&self, name: &str) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("Linux tells of its processes");
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let size = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        size.expect("the size is a number")
    }

    /// Limits its memory to this number of bytes from now on. The limit counts all writable memory, touched or not.
    /// Without privileges, resident memory cannot be limited; [`peak`](Self::peak) returns it afterwards.
    pub fn limit_memory(&self, bytes: u64) {
        let limit = Rlimit {
            current: Some(bytes),
            maximum: Some(bytes),
        };
        let process = Some(Pid::from_child(&self.child));
        prlimit(process, Resource::Data, limit).expect("a limit can be lowered");
    }

    /// Returns `false` once the process has ended, for any reason.
    pub fn is_running(&self) -> bool {
        // An ended process that nobody has waited for yet has no memory.
        let path = format!("/proc/{}/status", self.child.id());
        std::fs::read_to_string(path).is_ok_and(|status| status.contains("VmHWM:"))
    }

    /// Returns the CPU time that all its threads have used.
    pub fn cpu(&self) -> Duration {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(path).expect("Linux tells of its processes");
        // The program's name, in parentheses, may hold anything; numbers follow it.
        let (_, numbers) = stat.rsplit_once(')').expect("it has a name");
        let ticks = numbers.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks
            .map(|ticks| ticks.parse::<u64>().expect("a number"))
            .sum();
        // Hundredths of a second on every Linux.
        Duration::from_millis(10 * ticks)
    }

    /// Returns the number of arenas that glibc has made for its threads, besides the first. Each begins at a multiple
    /// of 64 MiB of addresses, uses some of them and reserves the rest.
    pub fn arenas(&self) -> usize {
        const ARENA: u64 = 64 << 20;
        let path = format!("/proc/{}/maps", self.child.id());
        let maps = std::fs::read_to_string(path).expect("Linux tells of its processes");
        let mappings: Vec<(u64, u64, &str)> = maps.lines().filter_map(mapping).collect();
        let begins_one = |pair: &&[(u64, u64, &str)]| {
            let [(start, end, used), (next, last, held)] = **pair else {
                return false;
            };
            let whole = start % ARENA == 0 && next == end && last == start + ARENA;
            whole && used == "rw-p" && held == "---p"
        };
        mappings.windows(2).filter(begins_one).count()
    }

    /// Asks it to stop, and waits until it has ended.
    pub fn stop(mut self) {
        signal::send(self.child.id(), Signal::TERM);
        self.child.wait().expect("it is our child");
    }

    /// Kills it at once, as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().expect("it is running");
        self.child.wait().expect("it is our child");
    }
}

impl Drop for ServeProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            eprintln!("the server's log:\n{log}");
        }
    }
}

/// Returns the start, the end and the permissions of a line in Linux's `maps`.
fn mapping(line: &str) -> Option<(u64, u64, &str)> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let address = |digits| u64::from_str_radix(digits, 16).ok();
    Some((address(start)?, address(end)?, rest.get(..4)?))
}

/// Returns a port of this machine that is free now. Another program may take it before the test uses it.
pub fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener
        .local_addr()
        .expect("a bound socket has an address")
}

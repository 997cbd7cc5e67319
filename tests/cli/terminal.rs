//! A terminal on which a program runs, and a person who reads and types there.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    process::{Child, Command},
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use user_import_testing::signal::{self, Signal};

/// Columns of a terminal, if the test asks for no other number.
const COLUMNS: u16 = 100;

/// A program on a terminal. It is killed when this value is dropped.
pub struct Terminal {
    child: Child,
    screen: File,
    shown: String,
}

impl Terminal {
    /// Starts `command` on a terminal of 100 columns.
    pub fn start(command: Command) -> Self {
        Self::start_at(COLUMNS, command)
    }

    /// Starts `command` on a terminal of this many columns.
    pub fn start_at(columns: u16, mut command: Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = OpenOptions::new()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap();
        let size = Winsize {
            ws_row: 40,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&slave, size).unwrap();
        let child = command
            .env("TERM", "xterm-256color")
            .stdin(slave.try_clone().unwrap())
            .stdout(slave.try_clone().unwrap())
            .stderr(slave)
            .spawn()
            .unwrap();
        Self {
            child,
            screen: File::from(master),
            shown: String::new(),
        }
    }

    /// Reads until the terminal has shown `text`.
    pub fn wait_for(&mut self, text: &str) -> &str {
        while !self.shown.contains(text) {
            assert!(self.read(), "{text:?} never came: {}", self.shown);
        }
        &self.shown
    }

    /// Types a line.
    pub fn type_line(&mut self, line: &str) {
        writeln!(self.screen, "{line}").unwrap();
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&self) {
        signal::send(self.child.id(), Signal::INT);
    }

    /// Waits until it has ended. Returns the exit code and everything that it has shown.
    pub fn end(mut self) -> (Option<i32>, String) {
        while self.read() {}
        let exit = self.child.wait().unwrap().code();
        (exit, std::mem::take(&mut self.shown))
    }

    /// Reads some more. Returns `false` once the program has ended.
    fn read(&mut self) -> bool {
        let mut bytes = [0; 4096];
        // When the last program leaves a terminal, the terminal ends, and reading from it fails.
        let count = self.screen.read(&mut bytes).unwrap_or(0);
        self.shown += &String::from_utf8_lossy(&bytes[..count]);
        count > 0
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

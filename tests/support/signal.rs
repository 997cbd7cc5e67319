//! Sends signals to other processes, because a small system may have no `kill` program.

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

/// Sends the process with this number a signal; panics if there is no such process.
pub fn send(process: u32, signal: Signal) {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    let process = process.expect("a process has a number");
    kill_process(process, signal).expect("the process is there, and ours");
}

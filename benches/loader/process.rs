//! CPU time and peak memory of processes, from Linux's `/proc`.

use std::{
    fs,
    process::{Command, Output},
    time::Duration,
};

use anyhow::{Context, bail};

/// `/proc` counts CPU time in hundredths of a second on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// Runs a command to its end. Returns its standard output.
///
/// Fails with what the command wrote to its standard error.
pub fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output();
    let output =
        output.with_context(|| format!("cannot run {}", command.get_program().display()))?;
    expect_success(command, &output)?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn expect_success(command: &Command, output: &Output) -> anyhow::Result<()> {
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "{} failed, {}: {said}",
            command.get_program().display(),
            output.status
        );
    }
    Ok(())
}

/// Returns the CPU time of a running process, user and system.
pub fn cpu(pid: u32) -> anyhow::Result<Duration> {
    Ok(ProcessStat::read(pid)?.own)
}

/// Returns the CPU time of all children of this process that have ended.
pub fn cpu_of_ended_children() -> anyhow::Result<Duration> {
    Ok(ProcessStat::read(std::process::id())?.ended_children)
}

/// Returns the CPU time of a process and all its children, ended ones included. PostgreSQL has a child process for each
/// connection.
pub fn cpu_of_family(pid: u32) -> anyhow::Result<Duration> {
    let parent = ProcessStat::read(pid)?;
    let mut total = parent.own + parent.ended_children;
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let child = name.to_str().and_then(|name| name.parse().ok());
        // If it ends meanwhile, its time is in `ended_children` at the next call.
        let stat = child.and_then(|child| ProcessStat::read(child).ok());
        total += stat
            .filter(|stat| stat.parent == pid)
            .map_or(Duration::ZERO, |stat| stat.own);
    }
    Ok(total)
}

/// Returns the most memory that a running process has had at once, in bytes.
pub fn peak_memory(pid: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: u64 = kib
        .context("no VmHWM in /proc: this needs Linux")?
        .parse()?;
    Ok(kib * 1024)
}

/// Makes [`peak_memory`] start again, from the memory that the process has now.
pub fn forget_peak_memory(pid: u32) -> anyhow::Result<()> {
    let file = format!("/proc/{pid}/clear_refs");
    fs::write(file, "5").context("the peak of memory cannot be reset")
}

/// Returns how far a process has read a file, or `None` if it does not have the file open.
pub fn read_position(pid: u32, file: &std::path::Path) -> Option<u64> {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let open = descriptors
        .flatten()
        .find(|entry| fs::read_link(entry.path()).is_ok_and(|target| target == file))?;
    let info = format!("/proc/{pid}/fdinfo/{}", open.file_name().to_str()?);
    let info = fs::read_to_string(info).ok()?;
    let position = info.lines().find_map(|line| line.strip_prefix("pos:"))?;
    position.trim().parse().ok()
}

/// The needed parts of `/proc/PID/stat`.
struct ProcessStat {
    parent: u32,
    own: Duration,
    ended_children: Duration,
}

impl ProcessStat {
    fn read(pid: u32) -> anyhow::Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The program's name, in parentheses, may contain anything. Numbers follow it.
        let (_, numbers) = text
            .rsplit_once(')')
            .context("/proc/PID/stat has no name in parentheses")?;
        let fields: Vec<&str> = numbers.split_whitespace().collect();
        let number = |index: usize| -> anyhow::Result<u32> {
            Ok(fields
                .get(index)
                .context("/proc/PID/stat has too few numbers")?
                .parse()?)
        };
        Ok(Self {
            parent: number(1)?,
            own: TICK * (number(11)? + number(12)?),
            ended_children: TICK * (number(13)? + number(14)?),
        })
    }
}

//! The memory and the time that a server process uses, as Linux counts them.

use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::ServeProcess;

impl ServeProcess {
    /// Returns the most memory that it has had so far, in KiB.
    pub fn peak(&self) -> u64 {
        self.memory("VmHWM:")
    }

    /// Returns the memory that it has now, in KiB.
    pub fn resident(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// Returns by how many KiB the peak has risen above `before`. Linux keeps a counter for each core and adds them up
    /// while they change, so a later reading may be slightly lower; that counts as 0.
    pub fn peak_above(&self, before: u64) -> u64 {
        self.peak().saturating_sub(before)
    }

    /// Returns by how many KiB the memory in use now is above `before`.
    pub fn resident_above(&self, before: u64) -> u64 {
        self.resident().saturating_sub(before)
    }

    fn memory(&self, name: &str) -> u64 {
        let path = format!("/proc/{}/status", self.id());
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
        let process = Pid::from_raw(self.id().cast_signed());
        prlimit(process, Resource::Data, limit).expect("a limit can be lowered");
    }

    /// Returns `false` once the process has ended, for any reason.
    pub fn is_running(&self) -> bool {
        // An ended process that nobody has waited for yet has no memory.
        let path = format!("/proc/{}/status", self.id());
        std::fs::read_to_string(path).is_ok_and(|status| status.contains("VmHWM:"))
    }

    /// Returns the CPU time that all its threads have used.
    pub fn cpu(&self) -> Duration {
        let path = format!("/proc/{}/stat", self.id());
        let stat = std::fs::read_to_string(path).expect("Linux tells of its processes");
        // The program's name, in parentheses, may contain anything. Numbers follow it.
        let (_, numbers) = stat.rsplit_once(')').expect("it has a name");
        let ticks = numbers.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks
            .map(|ticks| ticks.parse::<u64>().expect("a number"))
            .sum();
        // The unit is a hundredth of a second on every Linux.
        Duration::from_millis(10 * ticks)
    }

    /// Returns the number of arenas that glibc has made for its threads, besides the first. Each begins at a multiple
    /// of 64 MiB of addresses, uses some of them and reserves the rest.
    pub fn arenas(&self) -> usize {
        const ARENA: u64 = 64 << 20;
        let path = format!("/proc/{}/maps", self.id());
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
}

/// Returns the start, the end and the permissions of a line in Linux's `maps`.
fn mapping(line: &str) -> Option<(u64, u64, &str)> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let address = |digits| u64::from_str_radix(digits, 16).ok();
    Some((address(start)?, address(end)?, rest.get(..4)?))
}

//! The resources of a server process: file descriptors and memory, as the system counts them.

use std::{collections::HashSet, fs, path::Path};

use user_import_testing::ServeProcess;

/// The resources of a server at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Footprint {
    /// Open file descriptors that are not connections to the database.
    pub descriptors: usize,
    /// Open connections to the database. A pool keeps them, so their number is the most that were in use at once.
    pub connections: usize,
    /// Resident memory, in KiB.
    pub resident: usize,
}

impl Footprint {
    /// Descriptors of a full pool: 16 connections, on SQLite with a file, its log and their index.
    const POOL: usize = 16 * 3;

    /// KiB of memory by which a server may have grown: one more connection of the pool, a newly prepared statement, or
    /// a fragmented heap. A leak in every import shows over many imports, not here.
    const GROWTH: usize = 16 * 1024;

    /// Returns the footprint of a server whose database is at `url`.
    pub fn of(process: &ServeProcess, url: &str) -> Self {
        let directory = format!("/proc/{}", process.id());
        let directory = Path::new(&directory);
        let database = database_port(url).map(|port| sockets_to(directory, port));
        let links = fs::read_dir(directory.join("fd")).expect("it is running");
        // A descriptor that is closed meanwhile has no target any more.
        let targets = links.filter_map(|link| fs::read_link(link.ok()?.path()).ok());
        let targets: Vec<String> = targets.map(|path| path.display().to_string()).collect();
        let is_connection = |target: &&String| match &database {
            Some(sockets) => sockets.contains(target.as_str()),
            None => target.contains("/test.db"),
        };
        let connections = targets.iter().filter(is_connection).count();
        Self {
            descriptors: targets.len() - connections,
            connections,
            resident: usize::try_from(process.resident()).expect("its memory can be counted"),
        }
    }

    /// Returns the excess over `before` beyond the tolerances, or `None` if there is none.
    pub fn excess(&self, before: &Self) -> Option<String> {
        let within = self.descriptors <= before.descriptors
            && self.connections <= Self::POOL
            && self.resident <= before.resident + Self::GROWTH;
        (!within).then(|| format!("{self:?}, before that {before:?}"))
    }
}

/// Returns the port of a PostgreSQL server, or `None` for SQLite.
fn database_port(url: &str) -> Option<u16> {
    let (_, rest) = url.rsplit_once('@')?;
    let (address, _) = rest.split_once('/')?;
    address.rsplit_once(':')?.1.parse().ok()
}

/// Returns the process's sockets that are connected to `port`, as the targets of its descriptors name them.
fn sockets_to(process: &Path, port: u16) -> HashSet<String> {
    let table = fs::read_to_string(process.join("net/tcp")).expect("it is running");
    let suffix = format!(":{port:04X}");
    let connected = table.lines().skip(1).filter_map(|line| {
        // sl local_address rem_address st queues timer retransmits uid timeout inode
        let fields: Vec<&str> = line.split_whitespace().collect();
        let inode = fields.get(9)?;
        fields[2]
            .ends_with(&suffix)
            .then(|| format!("socket:[{inode}]"))
    });
    connected.collect()
}

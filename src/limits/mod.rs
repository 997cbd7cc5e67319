//! How much of the server one client, one organisation, or all of them together may use: the settings, and
//! the two mechanisms that enforce them, a limiter for concurrency and a budget for bytes.
//!
//! Knows nothing of calls or imports. What one import may hold is [`crate::input::InputLimits`].

mod client_network;
mod keyed_limiter;
mod memory_budget;

pub use client_network::ClientNetwork;
pub use keyed_limiter::{ConcurrencyBounds, KeyedLimiter, KeyedPermit, LimitReached};
pub use memory_budget::{
    MemoryAccount, MemoryBounds, MemoryBudget, MemoryExhausted, MemoryParty, MemoryReservation,
    MemoryScope,
};

use std::time::Duration;

/// Limits of a server, each with a safe default.
#[derive(Clone, Debug)]
pub struct ServerLimits {
    /// Largest message taken, in bytes after decompression.
    pub message_bytes: usize,
    /// Most bytes that a byte of compressed messages may become, over a whole upload.
    pub compression_ratio: u64,
    /// Imports at a time. Imports that are still uploading do not count.
    pub imports: usize,
    /// Imports into one organisation.
    pub organization_imports: usize,
    /// Calls at a time about one organisation, without imports and exports.
    pub organization_calls: usize,
    /// Exports at a time, on the server and for one organisation. Each holds a directory.
    pub exports: ConcurrencyBounds,
    /// Watches at a time, on the server and for one organisation. Each holds the results that its client
    /// has not read.
    pub watches: ConcurrencyBounds,
    /// Bytes that clients' data may occupy.
    pub memory: MemoryBounds,
    /// Connections at a time.
    pub connections: usize,
    /// Connections from one address.
    pub address_connections: usize,
    /// Calls at a time on one connection.
    pub streams: u32,
    /// How long a client may take.
    pub deadlines: ClientDeadlines,
}

/// How long a client may take for something.
#[derive(Clone, Copy, Debug)]
pub struct ClientDeadlines {
    /// From the connection to the first call on it.
    pub first_call: Duration,
    /// Without a call on a connection.
    pub connection_idle: Duration,
    /// For an import that has been received, until it has a place among the imports, and then until it is its turn to
    /// write to its organisation.
    pub import_turn: Duration,
    /// From an import's call to its first message.
    pub first_message: Duration,
    /// From one message to the next, or until a waiting response is read.
    pub idle: Duration,
    /// For a whole upload, from the first message to `finish`.
    pub upload: Duration,
    /// Between two checks whether a silent connection is alive, and for the answer to one.
    pub keepalive: (Duration, Duration),
}

/// How long the database may take. Only `PostgreSQL` enforces it; SQLite, which has one writer, gives each
/// write a turn.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseLimits {
    /// For one statement. Statements of a large import take minutes.
    pub statement: Duration,
    /// Waiting for a lock that another transaction has.
    pub lock: Duration,
}

impl Default for DatabaseLimits {
    fn default() -> Self {
        Self {
            statement: Duration::from_mins(10),
            lock: Duration::from_mins(1),
        }
    }
}

impl ServerLimits {
    /// Most typed rows of one message. An empty row takes two bytes on the wire and some hundreds in
    /// memory, so that the size of a message alone bounds too little.
    pub const MESSAGE_ROWS: usize = 50_000;
    /// Largest message by default: 4 MiB of content and its envelope.
    pub const MESSAGE_BYTES: usize = 4 * 1024 * 1024 + 1024;
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            message_bytes: Self::MESSAGE_BYTES,
            compression_ratio: 200,
            imports: 32,
            organization_imports: 8,
            organization_calls: 100,
            exports: ConcurrencyBounds { server: 8, key: 3 },
            watches: ConcurrencyBounds {
                server: 64,
                key: 16,
            },
            memory: MemoryBounds::default(),
            connections: 1_000,
            address_connections: 250,
            streams: 100,
            deadlines: ClientDeadlines::default(),
        }
    }
}

impl Default for ClientDeadlines {
    fn default() -> Self {
        Self {
            first_call: Duration::from_secs(20),
            connection_idle: Duration::from_mins(15),
            import_turn: Duration::from_secs(10),
            first_message: Duration::from_secs(30),
            idle: Duration::from_mins(2),
            upload: Duration::from_hours(1),
            keepalive: (Duration::from_secs(30), Duration::from_secs(20)),
        }
    }
}

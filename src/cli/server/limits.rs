//! The limits on what clients may use of a server, as options of `serve`.

use std::time::Duration;

use clap::{Args, value_parser};

use crate::limits::{
    ClientDeadlines, ConcurrencyBounds, DatabaseLimits, MemoryBounds, ServerLimits,
};

const MIB: usize = 1024 * 1024;

/// Limits on what clients may take up of the server.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitsArgs {
    /// Maximum number of bytes in one message, decompressed
    #[arg(long, value_name = "N", env = "USER_IMPORT_MAX_MESSAGE_BYTES")]
    #[arg(default_value_t = 4_195_328, value_parser = value_parser!(u32).range(1_024..=67_108_864))]
    max_message_bytes: u32,
    /// Maximum number of bytes that one byte of a compressed upload or of a workbook may become
    #[arg(long, value_name = "N", env = "USER_IMPORT_MAX_COMPRESSION_RATIO")]
    #[arg(default_value_t = 200, value_parser = value_parser!(u32).range(1..))]
    max_compression_ratio: u32,
    /// Maximum number of imports at a time, without those that are still uploading
    #[arg(long, value_name = "N", env = "USER_IMPORT_MAX_IMPORTS")]
    #[arg(default_value_t = 32, value_parser = value_parser!(u32).range(1..))]
    max_imports: u32,
    /// Maximum number of imports into one organisation at a time, and also of open uploads in parts. Four times as
    /// many streams may be uploading
    #[arg(
        long,
        value_name = "N",
        env = "USER_IMPORT_MAX_IMPORTS_PER_ORGANIZATION"
    )]
    #[arg(default_value_t = 8, value_parser = value_parser!(u32).range(1..))]
    max_imports_per_organization: u32,
    /// Maximum number of calls about one organisation at a time, without imports and exports
    #[arg(long, value_name = "N", env = "USER_IMPORT_MAX_CALLS_PER_ORGANIZATION")]
    #[arg(default_value_t = 100, value_parser = value_parser!(u32).range(1..))]
    max_calls_per_organization: u32,
    /// Maximum number of exports at a time. Each holds the users of its organisation in memory
    #[arg(long, value_name = "N", env = "USER_IMPORT_MAX_EXPORTS")]
    #[arg(default_value_t = 8, value_parser = value_parser!(u32).range(1..))]
    max_exports: u32,
    /// Maximum number of exports of one organisation at a time
    #[arg(
        long,
        value_name = "N",
        env = "USER_IMPORT_MAX_EXPORTS_PER_ORGANIZATION"
    )]
    #[arg(default_value_t = 3, value_parser = value_parser!(u32).range(1..))]
    max_exports_per_organization: u32,
    /// Maximum number of clients that watch imports at a time
    #[arg(long, value_name = "N", env = "USER_IMPORT_MAX_WATCHES")]
    #[arg(default_value_t = 64, value_parser = value_parser!(u32).range(1..))]
    max_watches: u32,
    /// Maximum number of clients that watch imports of one organisation at a time
    #[arg(
        long,
        value_name = "N",
        env = "USER_IMPORT_MAX_WATCHES_PER_ORGANIZATION"
    )]
    #[arg(default_value_t = 16, value_parser = value_parser!(u32).range(1..))]
    max_watches_per_organization: u32,
    /// MiB of memory for all that clients send. One address, one credential and one organisation may use at most half
    /// of it
    #[arg(long, value_name = "MIB", env = "USER_IMPORT_MAX_CLIENT_MEMORY")]
    #[arg(default_value_t = 1_024, value_parser = value_parser!(u32).range(16..=1_048_576))]
    max_client_memory: u32,
    /// Maximum number of connections at a time. Half of them are kept for callers who have shown a credential
    #[arg(long, value_name = "N", env = "USER_IMPORT_MAX_CONNECTIONS")]
    #[arg(default_value_t = 1_000, value_parser = value_parser!(u32).range(1..))]
    max_connections: u32,
    /// Maximum number of connections from one address at a time
    #[arg(
        long,
        value_name = "N",
        env = "USER_IMPORT_MAX_CONNECTIONS_PER_ADDRESS"
    )]
    #[arg(default_value_t = 250, value_parser = value_parser!(u32).range(1..))]
    max_connections_per_address: u32,
    /// Maximum number of calls on one connection at a time
    #[arg(long, value_name = "N", env = "USER_IMPORT_MAX_STREAMS")]
    #[arg(default_value_t = 100, value_parser = value_parser!(u32).range(1..))]
    max_streams: u32,
    /// Seconds that a new connection may be without a call
    #[arg(long, value_name = "S", env = "USER_IMPORT_FIRST_CALL_SECONDS")]
    #[arg(default_value_t = 20, value_parser = value_parser!(u64).range(1..=3_600))]
    first_call_seconds: u64,
    /// Seconds that a connection may be without a call after its first one
    #[arg(long, value_name = "S", env = "USER_IMPORT_CONNECTION_IDLE_SECONDS")]
    #[arg(default_value_t = 900, value_parser = value_parser!(u64).range(1..=86_400))]
    connection_idle_seconds: u64,
    /// Seconds that a received import waits if --max-imports are under way, and then for its turn to write to its
    /// organisation
    #[arg(long, value_name = "S", env = "USER_IMPORT_IMPORT_TURN_SECONDS")]
    #[arg(default_value_t = 10, value_parser = value_parser!(u64).range(0..=3_600))]
    import_turn_seconds: u64,
    /// Seconds that an import may take to send its first message
    #[arg(long, value_name = "S", env = "USER_IMPORT_FIRST_MESSAGE_SECONDS")]
    #[arg(default_value_t = 30, value_parser = value_parser!(u64).range(1..=3_600))]
    first_message_seconds: u64,
    /// Seconds for which an upload may send nothing, or a client may leave answers unread
    #[arg(long, value_name = "S", env = "USER_IMPORT_STREAM_IDLE_SECONDS")]
    #[arg(default_value_t = 120, value_parser = value_parser!(u64).range(1..=3_600))]
    stream_idle_seconds: u64,
    /// Seconds that a whole upload may take, and that may pass between two parts of an upload in parts
    #[arg(long, value_name = "S", env = "USER_IMPORT_UPLOAD_SECONDS")]
    #[arg(default_value_t = 3_600, value_parser = value_parser!(u64).range(1..=86_400))]
    upload_seconds: u64,
    /// Seconds between two checks whether a silent connection is still open
    #[arg(long, value_name = "S", env = "USER_IMPORT_KEEPALIVE_SECONDS")]
    #[arg(default_value_t = 30, value_parser = value_parser!(u64).range(1..=3_600))]
    keepalive_seconds: u64,
    /// Seconds that a client may take to answer such a check
    #[arg(long, value_name = "S", env = "USER_IMPORT_KEEPALIVE_TIMEOUT_SECONDS")]
    #[arg(default_value_t = 20, value_parser = value_parser!(u64).range(1..=3_600))]
    keepalive_timeout_seconds: u64,
    /// Seconds that PostgreSQL may take for one statement
    #[arg(long, value_name = "S", env = "USER_IMPORT_DATABASE_STATEMENT_SECONDS")]
    #[arg(default_value_t = 600, value_parser = value_parser!(u64).range(1..=86_400))]
    database_statement_seconds: u64,
    /// Seconds that a statement may wait in PostgreSQL for a lock of another transaction
    #[arg(long, value_name = "S", env = "USER_IMPORT_DATABASE_LOCK_SECONDS")]
    #[arg(default_value_t = 60, value_parser = value_parser!(u64).range(1..=3_600))]
    database_lock_seconds: u64,
}

impl LimitsArgs {
    /// The limits that the options give.
    #[must_use]
    pub(super) fn limits(&self) -> ServerLimits {
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        ServerLimits {
            message_bytes: count(self.max_message_bytes),
            compression_ratio: self.max_compression_ratio.into(),
            imports: count(self.max_imports),
            organization_imports: count(self.max_imports_per_organization),
            organization_calls: count(self.max_calls_per_organization),
            exports: ConcurrencyBounds {
                server: count(self.max_exports),
                key: count(self.max_exports_per_organization),
            },
            watches: ConcurrencyBounds {
                server: count(self.max_watches),
                key: count(self.max_watches_per_organization),
            },
            memory: MemoryBounds::of(count(self.max_client_memory).saturating_mul(MIB)),
            connections: count(self.max_connections),
            address_connections: count(self.max_connections_per_address),
            streams: self.max_streams,
            deadlines: self.deadlines(),
        }
    }

    /// How long the database may take for what.
    #[must_use]
    pub(super) const fn database(&self) -> DatabaseLimits {
        DatabaseLimits {
            statement: Duration::from_secs(self.database_statement_seconds),
            lock: Duration::from_secs(self.database_lock_seconds),
        }
    }

    const fn deadlines(&self) -> ClientDeadlines {
        ClientDeadlines {
            first_call: Duration::from_secs(self.first_call_seconds),
            connection_idle: Duration::from_secs(self.connection_idle_seconds),
            import_turn: Duration::from_secs(self.import_turn_seconds),
            first_message: Duration::from_secs(self.first_message_seconds),
            idle: Duration::from_secs(self.stream_idle_seconds),
            upload: Duration::from_secs(self.upload_seconds),
            keepalive: (
                Duration::from_secs(self.keepalive_seconds),
                Duration::from_secs(self.keepalive_timeout_seconds),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use insta::assert_debug_snapshot;

    use super::*;

    #[derive(Parser)]
    struct TestCli {
        #[command(flatten)]
        args: LimitsArgs,
    }

    fn parse(options: &str) -> ServerLimits {
        let words = ["serve"].into_iter().chain(options.split_whitespace());
        TestCli::parse_from(words).args.limits()
    }

    #[test]
    fn without_options_the_limits_are_the_defaults() {
        let (parsed, defaults) = (parse(""), ServerLimits::default());
        assert_eq!(format!("{parsed:?}"), format!("{defaults:?}"));
    }

    #[test]
    fn every_option_reaches_its_limit() {
        let limits = parse(
            "--max-message-bytes 2000 --max-compression-ratio 2 --max-imports 3 \
             --max-imports-per-organization 4 --max-connections 5 --max-connections-per-address 6 \
             --max-streams 7 --first-call-seconds 8 --connection-idle-seconds 9 \
             --first-message-seconds 10 --stream-idle-seconds 11 --upload-seconds 12 \
             --keepalive-seconds 13 --keepalive-timeout-seconds 14 \
             --max-calls-per-organization 15 --max-exports 16 --max-exports-per-organization 17 \
             --max-watches 18 --max-watches-per-organization 19 \
             --max-client-memory 20 --import-turn-seconds 21",
        );
        assert_debug_snapshot!(limits, @r"
        ServerLimits {
            message_bytes: 2000,
            compression_ratio: 2,
            imports: 3,
            organization_imports: 4,
            organization_calls: 15,
            exports: ConcurrencyBounds {
                server: 16,
                key: 17,
            },
            watches: ConcurrencyBounds {
                server: 18,
                key: 19,
            },
            memory: MemoryBounds {
                server: 20971520,
                share: 10485760,
            },
            connections: 5,
            address_connections: 6,
            streams: 7,
            deadlines: ClientDeadlines {
                first_call: 8s,
                connection_idle: 9s,
                import_turn: 21s,
                first_message: 10s,
                idle: 11s,
                upload: 12s,
                keepalive: (
                    13s,
                    14s,
                ),
            },
        }
        ");
    }
}

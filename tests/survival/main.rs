//! Imports survive failures (semantics §8). The tests kill the server, its clients and the connections to its database,
//! and fill its disk. Each server here is a process of its own.
//!
//! An environment variable gives the number of seeded imports that are killed on each database. For thousands, use
//! `USER_IMPORT_TEST_SEEDS=2000 scripts/test --test survival -- killed_at_random`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests only write to folders of their own"
)]

mod balancer;
mod clients;
mod cluster;
mod connections;
mod database;
mod database_certificates;
mod disk;
mod failover;
mod footprint;
mod held;
mod http_proxies;
mod kills;
mod leases;
mod leftovers;
mod process;
mod proxy;
mod pushes;
mod scene;
mod shutdown;
mod staged;
mod undo;
mod workload;

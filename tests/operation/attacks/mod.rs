//! Outsiders and hostile tenants attack a server process with a memory limit (safety.md). The server must live, stay
//! within the limit, and serve the others.
//!
//! The sizes are small enough for an unoptimised server. `USER_IMPORT_TEST_ATTACK_SCALE=N` multiplies the sizes that
//! can be larger. With the scale in each test's head they are the sizes in safety.md:
//! `USER_IMPORT_TEST_ATTACK_SCALE=50 cargo test --release --test operation -- attacks::`. The server is the optimised
//! program that `USER_IMPORT_TEST_OPTIMISED_PROGRAM` names, or otherwise that of the tests.

mod attacked_server;
mod connections;
mod faults;
mod health_bodies;
mod jobs;
mod names;
mod searches;
mod spies;
mod uploads;

/// Returns the factor for the sizes of this run.
fn scale() -> usize {
    let scale = std::env::var("USER_IMPORT_TEST_ATTACK_SCALE");
    scale.map_or(1, |scale| scale.parse().expect("a number"))
}

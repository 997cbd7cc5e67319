//! Outsiders and hostile tenants against a server process in a memory limit (safety.md): it lives, stays
//! within the limit, and serves the others.
//!
//! Sizes are small enough for an unoptimised server. `USER_IMPORT_TEST_ATTACK_SCALE=N` multiplies those that
//! can be larger; with the scale of each test's head they are what safety.md names:
//! `USER_IMPORT_TEST_ATTACK_SCALE=50 cargo test --release --test operation -- attacks::`.

mod besieged;
mod connections;
mod faults;
mod health_bodies;
mod jobs;
mod names;
// Unoptimised, a search takes more of a core for itself than the bound leaves to others on two of them:
// scripts/test --release --test operation -- attacks::searches
#[cfg(not(debug_assertions))]
mod searches;
mod spies;
mod uploads;

/// By what the sizes of this run are multiplied.
fn scale() -> usize {
    let scale = std::env::var("USER_IMPORT_TEST_ATTACK_SCALE");
    scale.map_or(1, |scale| scale.parse().expect("a number"))
}

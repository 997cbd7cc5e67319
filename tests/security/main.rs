//! The rules about who may do what, tested against the running server on SQLite and on PostgreSQL. Each rule has a
//! file, and all are one program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests only write to folders of their own"
)]

mod identity_provider;

mod before_applying;
mod console;
mod credentials;
mod disclosure;
mod import_ids;
mod jwt;
mod key_sets;
mod local_callers;
mod odd_tokens;
mod organisations;
mod outliving;
mod permissions;
mod privileged;
mod resuming;
mod role_names;
mod staged;
mod tls;
mod workbooks;

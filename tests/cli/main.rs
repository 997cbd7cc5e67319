//! The `user-import` program as an administrator uses it: the real program, a real server process, and their output.
//! One file for each subject.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests only write to folders of their own"
)]

mod audit;
mod client_doctor;
mod commands;
mod demo;
mod department;
mod diffs;
mod docs;
mod exit_codes;
mod failures;
mod formats;
mod held;
mod history;
mod lists;
mod looks;
mod mappings;
mod missing;
mod output;
mod pages;
mod private;
mod process;
mod profiles;
mod pushes;
mod retries;
mod review;
mod shutdown;
mod spreadsheets;
mod terminal;
mod tokens;
mod transcript;
mod undo;
mod users;
mod workbooks;

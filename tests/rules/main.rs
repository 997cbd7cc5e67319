//! The promises of the service, tested against the running server on SQLite and on PostgreSQL. Each rule has a file,
//! and all are one program, so that it is linked only once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests only write to folders of their own"
)]

mod absent_and_blank;
mod approval_needs;
mod audit;
mod callers;
mod cases;
mod catalogs;
mod comparing_values;
mod concurrency;
mod consequences;
mod csv_dialect;
mod damaged_values;
mod deactivation;
mod engine;
mod file_faults;
mod filters;
mod foreign_lines;
mod formats;
mod growth;
mod guards;
mod header;
mod held;
mod identity_changes;
mod inspection;
mod isolation;
mod mappings;
mod mass_deactivation;
mod match_by;
mod messages;
mod missing;
mod nobody_written;
mod one_set;
mod organisations;
mod partial_snapshots;
mod patience;
mod phases;
mod plan_digest;
mod pushes;
mod quotes;
mod random_rosters;
mod record_faults;
mod references;
mod results;
mod resuming;
mod retries;
mod roster_of;
mod roster_rows;
mod round_trips;
mod saved_mappings;
mod scope;
mod services;
mod sharing;
mod silent_dry_runs;
mod spreadsheet_damage;
mod staged;
mod staged_ends;
mod staged_parts;
mod staged_runs;
mod standing_values;
mod statuses;
mod stored_typography;
mod stream_order;
mod streams;
mod supervisor_advice;
mod supervisors;
mod surplus_fields;
mod template;
mod turns;
mod twice_in_the_file;
mod uncertain_rows;
mod undo;
mod uniqueness;
mod uploads;
mod user_imports;
mod user_orders;
mod users;
mod values;
mod who_it_is;
mod workbooks;
mod workbooks_out;
mod write_order;

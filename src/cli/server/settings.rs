//! The settings of a server as options of `serve`.

use std::{num::NonZeroUsize, time::Duration};

use clap::{Args, value_parser};

use super::limits::LimitsArgs;
use crate::cli::failure::UsageError;
use crate::{
    config::{MassDeactivation, MassIdentityChange, Settings},
    input::{InputLimits, WorkbookLimits},
};

/// The settings that an operator may set; the rest of [`Settings`] has its defaults.
#[derive(Args, Debug)]
#[command(next_help_heading = "Settings")]
pub(super) struct SettingsArgs {
    /// Seconds after which another server may take over an import whose server has died, and after which PostgreSQL
    /// ends an idle transaction
    #[arg(
        long,
        value_name = "S",
        env = "USER_IMPORT_LEASE_SECONDS",
        default_value_t = 15
    )]
    #[arg(value_parser = value_parser!(u64).range(1..=3_600))]
    lease_seconds: u64,
    /// Seconds for which an import tries a transaction again while it cannot reach the database
    #[arg(long, value_name = "S", env = "USER_IMPORT_DATABASE_PATIENCE_SECONDS")]
    #[arg(default_value_t = 20, value_parser = value_parser!(u64).range(..=3_600))]
    database_patience_seconds: u64,
    /// Days after which the results of an import are removed; its counts stay
    #[arg(
        long,
        value_name = "D",
        env = "USER_IMPORT_RESULT_RETENTION_DAYS",
        default_value_t = 90
    )]
    #[arg(value_parser = value_parser!(u64).range(1..=36_500))]
    result_retention_days: u64,
    /// Days for which an applied import can be undone. After that, the record of the values that it changed is
    /// removed
    #[arg(long, value_name = "D", env = "USER_IMPORT_UNDO_RETENTION_DAYS")]
    #[arg(default_value_t = 30, value_parser = value_parser!(u64).range(1..=36_500))]
    undo_retention_days: u64,
    /// Days after which the records of dry runs, and of refused or interrupted attempts that wrote nothing, are
    /// removed
    #[arg(long, value_name = "D", env = "USER_IMPORT_ATTEMPT_RETENTION_DAYS")]
    #[arg(default_value_t = 30, value_parser = value_parser!(u64).range(1..=36_500))]
    attempt_retention_days: u64,
    /// Days after which an import that is held for review expires, if nobody has approved it
    #[arg(
        long,
        value_name = "D",
        env = "USER_IMPORT_HELD_DAYS",
        default_value_t = 7
    )]
    #[arg(value_parser = value_parser!(u64).range(1..=36_500))]
    held_days: u64,
    /// Maximum number of imports of one organisation that are held for review at a time. Further ones are refused, as
    /// they are without --hold
    #[arg(
        long,
        value_name = "N",
        env = "USER_IMPORT_MAX_HELD",
        default_value_t = 20
    )]
    max_held: u32,
    /// Refuse to approve a held import with the credential that sent it; another one must approve it
    #[arg(long, env = "USER_IMPORT_FOUR_EYES")]
    four_eyes: bool,
    /// Days after which the record of an applied import is removed, with its counts, but never before its results.
    /// Its ID may then be used again. Without this option records stay for ever
    #[arg(long, value_name = "D", env = "USER_IMPORT_HISTORY_DAYS")]
    #[arg(value_parser = value_parser!(u64).range(1..=36_500))]
    history_days: Option<u64>,
    /// Days after which an audit event is removed, if `audit export --record` has recorded that it is in an archive.
    /// Other events are never removed. Without this option all events stay for ever
    #[arg(long, value_name = "D", env = "USER_IMPORT_AUDIT_DAYS")]
    #[arg(value_parser = value_parser!(u64).range(1..=36_500))]
    audit_days: Option<u64>,
    /// Maximum number of dry runs, and of attempts that wrote nothing, whose records are kept for one organisation.
    /// Refused ones are removed first
    #[arg(long, value_name = "N", env = "USER_IMPORT_MAX_ATTEMPTS_KEPT")]
    #[arg(default_value_t = 1_000, value_parser = value_parser!(u32).range(1..))]
    max_attempts_kept: u32,
    /// Seconds that clients get to finish when the server stops
    #[arg(
        long,
        value_name = "S",
        env = "USER_IMPORT_SHUTDOWN_GRACE_SECONDS",
        default_value_t = 5
    )]
    #[arg(value_parser = value_parser!(u64).range(1..=3_600))]
    shutdown_grace_seconds: u64,
    /// Maximum number of rows in one import
    #[arg(long, value_name = "N", env = "USER_IMPORT_MAX_ROWS")]
    #[arg(default_value_t = InputLimits::default().max_rows, value_parser = value_parser!(u32).range(1..))]
    max_rows: u32,
    /// Maximum number of bytes in one import
    #[arg(long, value_name = "N", env = "USER_IMPORT_MAX_BYTES")]
    #[arg(default_value_t = InputLimits::default().max_bytes, value_parser = value_parser!(u64).range(1..))]
    max_bytes: u64,
    /// Maximum number of bytes in a workbook
    #[arg(long, value_name = "N", env = "USER_IMPORT_MAX_WORKBOOK_BYTES")]
    #[arg(default_value_t = WorkbookLimits::default().max_bytes, value_parser = value_parser!(u64).range(1..=1_073_741_824))]
    max_workbook_bytes: u64,
    /// Maximum number of rows in a workbook; --max-rows applies too
    #[arg(long, value_name = "N", env = "USER_IMPORT_MAX_WORKBOOK_ROWS")]
    #[arg(default_value_t = WorkbookLimits::default().max_rows, value_parser = value_parser!(u32).range(1..))]
    max_workbook_rows: u32,
    /// Maximum number of bytes in one record of a CSV file, in a row of a workbook, or in all values of a typed row
    /// together
    #[arg(long, value_name = "N", env = "USER_IMPORT_MAX_RECORD_BYTES")]
    #[arg(default_value_t = 65_536, value_parser = value_parser!(u32).range(4_096..=1_048_576))]
    max_record_bytes: u32,
    /// Maximum number of bytes in one field, as received; not more than --max-record-bytes
    #[arg(long, value_name = "N", env = "USER_IMPORT_MAX_FIELD_BYTES")]
    #[arg(default_value_t = 4_096, value_parser = value_parser!(u32).range(1_024..=65_536))]
    max_field_bytes: u32,
    /// Maximum number of rows that one transaction writes; it writes more only if they must be written together
    #[arg(long, value_name = "N", env = "USER_IMPORT_TRANSACTION_ROWS")]
    #[arg(default_value = "100000")]
    transaction_rows: NonZeroUsize,
    /// Per cent of an organisation's active users that an import may deactivate. An import that exceeds this and also
    /// --mass-deactivation-users is refused, unless it states its own limit (--max-deactivations)
    #[arg(
        long,
        value_name = "PERCENT",
        env = "USER_IMPORT_MASS_DEACTIVATION_PERCENT"
    )]
    #[arg(default_value_t = 5, value_parser = value_parser!(u32).range(..=100))]
    mass_deactivation_percent: u32,
    /// Number of users that an import may deactivate even if they are more than --mass-deactivation-percent
    #[arg(long, value_name = "N", env = "USER_IMPORT_MASS_DEACTIVATION_USERS")]
    #[arg(default_value_t = 10)]
    mass_deactivation_users: u32,
    /// Per cent of an organisation's active users that an import may deactivate at most, however few users they are,
    /// unless it states its own limit (--max-deactivations)
    #[arg(
        long,
        value_name = "PERCENT",
        env = "USER_IMPORT_MASS_DEACTIVATION_PERCENT_ALWAYS"
    )]
    #[arg(default_value_t = 50, value_parser = value_parser!(u32).range(..=100))]
    mass_deactivation_percent_always: u32,
    /// Per cent of the rows that match a user which may turn their user into another person. An import that exceeds
    /// this and also --mass-identity-change-rows is refused, unless it states its own limit (--max-identity-changes)
    #[arg(
        long,
        value_name = "PERCENT",
        env = "USER_IMPORT_MASS_IDENTITY_CHANGE_PERCENT"
    )]
    #[arg(default_value_t = 5, value_parser = value_parser!(u32).range(..=100))]
    mass_identity_change_percent: u32,
    /// Number of rows that may turn their user into another person even if they are more than
    /// --mass-identity-change-percent
    #[arg(long, value_name = "N", env = "USER_IMPORT_MASS_IDENTITY_CHANGE_ROWS")]
    #[arg(default_value_t = 10)]
    mass_identity_change_rows: u32,
    /// Per cent of the rows that match a user which may at most turn their user into another person, however few rows
    /// they are, unless the import states its own limit (--max-identity-changes)
    #[arg(
        long,
        value_name = "PERCENT",
        env = "USER_IMPORT_MASS_IDENTITY_CHANGE_PERCENT_ALWAYS"
    )]
    #[arg(default_value_t = 50, value_parser = value_parser!(u32).range(..=100))]
    mass_identity_change_percent_always: u32,
    /// Number of rows that match a user from which --mass-identity-change-percent-always applies. If there are fewer,
    /// all of them may turn their user into another person
    #[arg(
        long,
        value_name = "N",
        env = "USER_IMPORT_MASS_IDENTITY_CHANGE_LEAST_ROWS"
    )]
    #[arg(default_value_t = 4)]
    mass_identity_change_least_rows: u32,
    #[command(flatten)]
    limits: LimitsArgs,
}

impl SettingsArgs {
    /// Expects that the settings fit together.
    ///
    /// # Errors
    /// Fails if a setting contradicts another one; the text says which.
    pub(super) fn expect_sound(&self) -> Result<(), UsageError> {
        let (field, record) = (self.max_field_bytes, self.max_record_bytes);
        if field > record {
            return Err(UsageError::new(format!(
                "a field of {field} bytes can be in no record of {record}: raise \
                 --max-record-bytes, or lower --max-field-bytes."
            )));
        }
        Ok(())
    }

    /// With defaults for everything else.
    #[must_use]
    pub(super) fn settings(&self) -> Settings {
        let bytes = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let days = |number: u64| Duration::from_hours(24 * number);
        Settings {
            limits: InputLimits {
                max_rows: self.max_rows,
                max_bytes: self.max_bytes,
                max_record_bytes: bytes(self.max_record_bytes),
                max_field_bytes: bytes(self.max_field_bytes),
                workbook: WorkbookLimits {
                    max_bytes: self.max_workbook_bytes,
                    max_rows: self.max_workbook_rows,
                    max_ratio: self.limits.limits().compression_ratio,
                },
            },
            mass_deactivation: MassDeactivation {
                percent: self.mass_deactivation_percent,
                users: self.mass_deactivation_users,
                percent_always: self.mass_deactivation_percent_always,
            },
            mass_identity_change: MassIdentityChange {
                percent: self.mass_identity_change_percent,
                rows: self.mass_identity_change_rows,
                percent_always: self.mass_identity_change_percent_always,
                least_rows: self.mass_identity_change_least_rows,
            },
            server: self.limits.limits(),
            database: self.limits.database(),
            transaction_rows: self.transaction_rows.get(),
            lease: Duration::from_secs(self.lease_seconds),
            database_patience: Duration::from_secs(self.database_patience_seconds),
            result_retention: days(self.result_retention_days),
            undo_retention: days(self.undo_retention_days),
            held: days(self.held_days),
            max_held: self.max_held,
            four_eyes: self.four_eyes,
            attempt_retention: days(self.attempt_retention_days),
            history: self.history_days.map(days),
            audit: self.audit_days.map(days),
            attempts_kept: self.max_attempts_kept,
            shutdown_grace: Duration::from_secs(self.shutdown_grace_seconds),
            ..Settings::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct TestCli {
        #[command(flatten)]
        args: SettingsArgs,
    }

    fn parse(options: &str) -> Result<Settings, clap::Error> {
        let words = ["serve"].into_iter().chain(options.split_whitespace());
        TestCli::try_parse_from(words).map(|cli| cli.args.settings())
    }

    #[test]
    fn without_options_the_settings_are_the_defaults() {
        let settings = parse("").unwrap();
        assert_eq!(
            format!("{settings:?}"),
            format!("{:?}", Settings::default())
        );
    }

    #[test]
    fn every_option_reaches_its_setting() {
        let options = "--lease-seconds 1 --result-retention-days 2 --shutdown-grace-seconds 3 \
            --max-rows 4 --max-bytes 5 --transaction-rows 6 --database-patience-seconds 7 \
            --max-record-bytes 8192 --max-field-bytes 8000 --mass-deactivation-percent 8 \
            --mass-deactivation-users 9 --mass-deactivation-percent-always 11 \
            --attempt-retention-days 13 --max-attempts-kept 14 --history-days 19 \
            --audit-days 20 --max-workbook-bytes 21 --max-workbook-rows 22 \
            --max-compression-ratio 23 --undo-retention-days 24 --held-days 25 --max-held 26 --four-eyes \
            --mass-identity-change-percent 15 --mass-identity-change-rows 16 \
            --mass-identity-change-percent-always 17 --mass-identity-change-least-rows 18";
        let settings = parse(options).unwrap();
        assert_eq!(settings.lease, Duration::from_secs(1));
        assert_eq!(settings.result_retention, Duration::from_hours(48));
        assert_eq!(settings.attempt_retention, Duration::from_hours(13 * 24));
        assert_eq!(settings.undo_retention, Duration::from_hours(24 * 24));
        assert_eq!(
            (settings.held, settings.four_eyes),
            (Duration::from_hours(24 * 25), true)
        );
        assert_eq!((settings.attempts_kept, settings.max_held), (14, 26));
        assert_eq!(settings.history, Some(Duration::from_hours(19 * 24)));
        assert_eq!(settings.audit, Some(Duration::from_hours(20 * 24)));
        assert_eq!(settings.shutdown_grace, Duration::from_secs(3));
        assert_eq!(settings.database_patience, Duration::from_secs(7));
        let limits = (settings.limits.max_rows, settings.limits.max_bytes);
        assert_eq!((limits, settings.transaction_rows), ((4, 5), 6));
        let workbook = settings.limits.workbook;
        let workbook = (workbook.max_bytes, workbook.max_rows, workbook.max_ratio);
        assert_eq!(workbook, (21, 22, 23));
        let sizes = (
            settings.limits.max_record_bytes,
            settings.limits.max_field_bytes,
        );
        assert_eq!(sizes, (8192, 8000));
        let guard = settings.mass_deactivation;
        let guard = (guard.percent, guard.users, guard.percent_always);
        assert_eq!(guard, (8, 9, 11));
        let guard = settings.mass_identity_change;
        let percents = (guard.percent, guard.percent_always);
        assert_eq!((percents, guard.rows, guard.least_rows), ((15, 17), 16, 18));
    }

    #[test]
    fn a_field_that_no_record_could_hold_is_refused() {
        for (record, field, sound) in [(4_096, 4_096, true), (4_096, 4_097, false)] {
            let options = format!("--max-record-bytes {record} --max-field-bytes {field}");
            let words = ["serve"].into_iter().chain(options.split_whitespace());
            let cli = TestCli::try_parse_from(words).unwrap();
            assert_eq!(cli.args.expect_sound().is_ok(), sound, "{options}");
        }
    }

    #[test]
    fn a_setting_that_would_stop_everything_is_refused() {
        for options in [
            "--lease-seconds 0",
            "--transaction-rows 0",
            "--max-rows 0",
            "--audit-days 0",
            "--held-days 0",
            "--max-record-bytes 4095",
            "--max-record-bytes 1048577",
            "--max-field-bytes 1023",
            "--max-field-bytes 65537",
            "--mass-deactivation-percent 101",
            "--mass-identity-change-percent 101",
        ] {
            assert!(parse(options).is_err(), "{options}");
        }
    }
}

//! The options of `import`, which mirror `ImportStart`.

use std::path::{Path, PathBuf};

use base64::{Engine, prelude::BASE64_STANDARD};
use clap::{Args, ValueEnum, builder::BoolishValueParser};
use uuid::Uuid;

use super::deactivation_prompt::{self, PromptMode};
use crate::cli::{
    client::{
        connection::OrganizationArgs,
        import_id::whole_import_id,
        mapping_file::{self, MappingChoice},
        result_filter::ResultFilterArgs,
    },
    failure::UsageError,
    id_prefix::IdPrefix,
    output::{OutputFormat, PagerArgs},
};
use crate::client::ServiceClient;
use crate::input::CsvOptions;
use crate::proto::{CsvFormat, DeactivateMissing, ImportStart, MatchBy, WorkbookFormat};

/// Characters of a source that a server stores.
const MAX_SOURCE: usize = 255;

/// Bring an organisation's users in step with a roster
///
/// Exit codes: 0 all rows accepted, 2 wrong use or unreadable file, 3 some rows rejected, 4 refused (nothing
/// written), 5 interrupted or unreachable, 6 cancelled, 7 held for review.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples: see what would change, then do it, and keep what was rejected:\n  \
    user-import import roster.csv --organization my-department --diff\n  \
    user-import import roster.csv --organization my-department --errors rejected.csv\n\n\
    Every night, from another program; users who are not listed have left:\n  \
    cad-export | user-import import - --profile nightly --deactivate-missing --confirm Confirm --quiet"
)]
pub(crate) struct ImportArgs {
    /// CSV file or workbook (.xlsx, .ods); `-` is standard input
    pub file: PathBuf,
    /// Sheet of a workbook to read [default: the first that is not hidden]
    #[arg(
        long,
        value_name = "NAME",
        env = "USER_IMPORT_SHEET",
        help_heading = "File format"
    )]
    pub sheet: Option<String>,
    /// Mapping, which says how to read the columns, values and lines of another system's export: the name of a saved
    /// mapping (see `user-import mapping`), or a TOML file
    #[arg(long, value_name = "NAME|FILE.toml", env = "USER_IMPORT_MAPPING", value_parser = mapping_file::choose)]
    #[arg(help_heading = "CSV")]
    mapping: Option<MappingChoice>,
    #[command(flatten)]
    missing: MissingUsersArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}

/// The options that `import` and `push` have in common.
#[derive(Args, Debug)]
pub(crate) struct CommonArgs {
    /// Show what the import would do, and write nothing
    #[arg(long, env = "USER_IMPORT_VALIDATE_ONLY", value_parser = BoolishValueParser::new())]
    validate_only: bool,
    /// Show each change with the values before and after, and write nothing. Also print the command that applies
    /// exactly these changes. Needs the permission users.read
    #[arg(long, env = "USER_IMPORT_DIFF", value_parser = BoolishValueParser::new())]
    pub diff: bool,
    /// Also find users by this column, if no user has the row's external ID. Use it for rosters without external IDs,
    /// and when all external IDs change
    #[arg(long, value_name = "COLUMN", env = "USER_IMPORT_MATCH_BY", value_enum)]
    match_by: Option<MatchByColumn>,
    /// ID of this import, a UUID. Give the ID of an earlier import to retry or continue that one; its first
    /// characters are enough if no other ID begins with them [default: a new ID]
    #[arg(long, value_name = "UUID", env = "USER_IMPORT_IMPORT_ID")]
    import_id: Option<IdPrefix>,
    /// Origin of the roster, for the list of imports [default: the name of the file]
    #[arg(long, value_name = "TEXT", env = "USER_IMPORT_SOURCE")]
    source: Option<String>,
    #[command(flatten)]
    guards: GuardArgs,
    #[command(flatten)]
    csv: CsvArgs,
    #[command(flatten)]
    results: ResultArgs,
    /// Write the rejected rows to this file, with the roster's own columns and the errors. It is a workbook if its
    /// name ends in `.xlsx`, else CSV
    #[arg(long, value_name = "FILE", env = "USER_IMPORT_ERRORS")]
    #[arg(help_heading = "Output")]
    pub errors: Option<PathBuf>,
    /// End with exit code 0, not 3, if rows were rejected. For schedulers that treat every other code as a failure
    #[arg(long, env = "USER_IMPORT_EXIT_ZERO_ON_REJECTED_ROWS")]
    #[arg(value_parser = BoolishValueParser::new(), help_heading = "Output")]
    pub exit_zero_on_rejected_rows: bool,
    #[command(flatten)]
    pub pager: PagerArgs,
    /// Format of the output
    #[arg(long, env = "USER_IMPORT_FORMAT", value_enum, default_value_t = OutputFormat::Table)]
    #[arg(help_heading = "Output")]
    pub format: OutputFormat,
    /// How many times to send the import again, with the same ID, if the server cannot be reached, the connection is
    /// lost or another import is running; 0 is never
    #[arg(
        long,
        value_name = "N",
        env = "USER_IMPORT_RETRIES",
        default_value_t = 8
    )]
    #[arg(help_heading = "Server")]
    pub retries: u32,
    #[command(flatten)]
    pub organization: OrganizationArgs,
}

/// The column that finds users besides their external ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MatchByColumn {
    /// The email, ignoring case
    Email,
    /// The badge number, exactly
    BadgeNumber,
    /// The username, ignoring case
    Username,
}

impl From<MatchByColumn> for MatchBy {
    fn from(matching: MatchByColumn) -> Self {
        match matching {
            MatchByColumn::Email => Self::Email,
            MatchByColumn::BadgeNumber => Self::BadgeNumber,
            MatchByColumn::Username => Self::Username,
        }
    }
}

/// When to refuse the import as a whole.
#[derive(Args, Debug)]
#[command(next_help_heading = "Guards: when to refuse the import as a whole")]
struct GuardArgs {
    /// Refuse if any row is rejected, and write all rows in one transaction
    #[arg(long, env = "USER_IMPORT_ALL_OR_NOTHING", value_parser = BoolishValueParser::new())]
    all_or_nothing: bool,
    /// Refuse if more rows than this are rejected
    #[arg(long, value_name = "N", env = "USER_IMPORT_MAX_REJECTED_ROWS")]
    max_rejected_rows: Option<u32>,
    /// Refuse if more users than this would be deactivated [default: the server's guard]
    #[arg(long, value_name = "N", env = "USER_IMPORT_MAX_DEACTIVATIONS")]
    max_deactivations: Option<u32>,
    /// Refuse if more rows than this would turn their user into another person [default: the server's guard]
    #[arg(long, value_name = "N", env = "USER_IMPORT_MAX_IDENTITY_CHANGES")]
    max_identity_changes: Option<u32>,
    /// If one of these guards or a guard of the server refuses the import, hold it for review. It is kept until
    /// somebody approves or cancels it. The exit code is then 7
    #[arg(long, env = "USER_IMPORT_HOLD", value_parser = BoolishValueParser::new())]
    hold: bool,
    /// Refuse if the plan is not the plan of the dry run that printed this digest
    #[arg(long, value_name = "HEX", env = "USER_IMPORT_EXPECTED_PLAN_DIGEST", value_parser = digest)]
    expected_plan_digest: Option<PlanDigest>,
}

/// What to do with users that the roster does not list.
#[derive(Args, Debug)]
#[command(next_help_heading = "Users that the roster does not list")]
struct MissingUsersArgs {
    /// Deactivate them; on a terminal, shows them and asks for the word Confirm
    #[arg(long = "deactivate-missing", env = "USER_IMPORT_DEACTIVATE_MISSING")]
    #[arg(value_parser = BoolishValueParser::new())]
    deactivate: bool,
    /// The word Confirm, if there is no terminal to ask on
    #[arg(long, value_name = "WORD", env = "USER_IMPORT_CONFIRM")]
    confirm: Option<String>,
    /// Only those with this role; may be given several times (in the environment: one a line)
    #[arg(
        long,
        value_name = "NAME",
        env = "USER_IMPORT_ONLY_ROLE",
        value_delimiter = '\n'
    )]
    only_role: Vec<String>,
    /// Only those in the group with this external ID; may be given several times
    #[arg(
        long,
        value_name = "EXTERNAL_ID",
        env = "USER_IMPORT_ONLY_GROUP",
        value_delimiter = '\n'
    )]
    only_group: Vec<String>,
}

/// How to read the file.
#[derive(Args, Debug)]
#[command(next_help_heading = "File format")]
struct CsvArgs {
    /// Charset of the file, such as windows-1252 [default: UTF-8, or the one that its byte order mark names]
    #[arg(long, value_name = "LABEL", env = "USER_IMPORT_CHARSET")]
    charset: Option<String>,
    /// Delimiter: `,` `;` `|` or `tab` [default: detected from the header line]
    #[arg(long, value_name = "CHAR", env = "USER_IMPORT_DELIMITER", value_parser = delimiter)]
    delimiter: Option<String>,
    /// Ignore columns that are not known, instead of refusing the file
    #[arg(long, env = "USER_IMPORT_IGNORE_UNKNOWN_COLUMNS")]
    #[arg(value_parser = BoolishValueParser::new())]
    ignore_unknown_columns: bool,
}

/// What the server sends back.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
struct ResultArgs {
    #[command(flatten)]
    filter: ResultFilterArgs,
    /// Receive the values before and after each change
    #[arg(long, env = "USER_IMPORT_INCLUDE_VALUES", value_parser = BoolishValueParser::new())]
    include_values: bool,
}

impl ImportArgs {
    /// Returns `true` if a person must see which users the import would deactivate, and confirm it.
    ///
    /// # Errors
    /// Fails if that is so and there is no terminal, if the given word is wrong, or if
    /// a scope is given without `--deactivate-missing`.
    pub(crate) fn must_ask(&self, asking: PromptMode) -> Result<bool, UsageError> {
        let missing = &self.missing;
        missing.check_scope()?;
        // A dry run deactivates nobody, so there is nothing to confirm.
        if !missing.deactivate || self.common.is_dry() {
            return Ok(false);
        }
        match (&missing.confirm, asking) {
            (Some(word), _) => deactivation_prompt::confirm(word).map(|()| false),
            (None, PromptMode::Terminal) => Ok(true),
            (None, PromptMode::Unavailable) => Err(UsageError::new(
                "--deactivate-missing needs --confirm Confirm if there is no terminal to ask on.",
            )),
        }
    }

    /// The first message of the import.
    #[must_use]
    pub(crate) fn start(&self, organization: &str) -> ImportStart {
        ImportStart {
            deactivate_missing: self.missing.request(),
            csv: Some(self.common.csv.format()),
            mapping: self.mapping.as_ref().and_then(MappingChoice::sent),
            mapping_name: self
                .mapping
                .as_ref()
                .map_or_else(String::new, MappingChoice::name),
            workbook: self.sheet.clone().map(|sheet| WorkbookFormat { sheet }),
            ..self.common.start(organization, Some(&self.file))
        }
    }

    /// Returns the mapping that says how the file is read.
    pub(super) const fn mapping(&self) -> Option<&MappingChoice> {
        self.mapping.as_ref()
    }

    /// The files that the command reads: the roster and its mapping.
    pub(super) fn inputs(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let mapping = self.mapping.iter().filter_map(MappingChoice::path);
        mapping
            .map(|path| ("mapping", path))
            .chain([("roster", &*self.file)])
    }
}

impl CommonArgs {
    /// Returns `true` if nothing is written.
    pub(super) const fn is_dry(&self) -> bool {
        self.validate_only || self.diff
    }

    /// The part of `start` that both commands send. `file` is the file of the roster.
    pub(super) fn start(&self, organization: &str, file: Option<&Path>) -> ImportStart {
        let guards = &self.guards;
        let digest = guards.expected_plan_digest.as_ref();
        ImportStart {
            organization: organization.to_owned(),
            // The client chooses the ID, so that it knows it however the connection ends.
            import_id: self.whole_id().unwrap_or_else(Uuid::new_v4).to_string(),
            validate_only: self.is_dry(),
            all_or_nothing: guards.all_or_nothing,
            max_rejected_rows: guards.max_rejected_rows,
            expected_plan_digest: digest.map(|digest| digest.0.clone()).unwrap_or_default(),
            deactivate_missing: None,
            max_deactivations: guards.max_deactivations,
            max_identity_changes: guards.max_identity_changes,
            match_by: self
                .match_by
                .map_or(MatchBy::Unspecified, MatchBy::from)
                .into(),
            csv: None,
            mapping: None,
            mapping_name: String::new(),
            workbook: None,
            hold: guards.hold,
            result_filter: self.results.filter.number(),
            include_values: self.results.include_values || self.diff,
            source: self.source.clone().unwrap_or_else(|| source_of(file)),
        }
    }

    /// How this program reads a file of rows that are pushed.
    pub(super) fn csv_options(&self) -> CsvOptions {
        let CsvFormat {
            charset,
            delimiter,
            ignore_unknown_columns,
        } = self.csv.format();
        CsvOptions {
            charset,
            delimiter,
            ignore_unknown_columns,
            ..CsvOptions::default()
        }
    }

    fn whole_id(&self) -> Option<Uuid> {
        self.import_id.as_ref().and_then(IdPrefix::whole)
    }

    /// Puts the ID of an earlier import into `start`, if its beginning is given.
    ///
    /// # Errors
    /// Fails if it is a beginning that no import has, or more than one.
    pub(super) async fn find_import(
        &self,
        start: &mut ImportStart,
        client: &ServiceClient,
    ) -> anyhow::Result<()> {
        if let Some(prefix) = &self.import_id {
            let mut client = client.clone();
            start.import_id = whole_import_id(prefix, &mut client, &start.organization).await?;
        }
        Ok(())
    }
}

/// The name of a roster's file for the history, as far as the server stores it. Not its folder, which may say more about
/// this machine than others should know.
fn source_of(file: Option<&Path>) -> String {
    let name = match file {
        Some(file) if file.as_os_str() == "-" => "standard input".into(),
        Some(file) => file.file_name().unwrap_or_default().to_string_lossy(),
        None => "command line".into(),
    };
    let name = name.chars().filter(|character| !character.is_control());
    name.take(MAX_SOURCE).collect()
}

impl MissingUsersArgs {
    fn request(&self) -> Option<DeactivateMissing> {
        self.deactivate.then(|| DeactivateMissing {
            confirmation: self
                .confirm
                .as_deref()
                .unwrap_or_default()
                .trim()
                .to_owned(),
            only_roles: self.only_role.clone(),
            only_group_external_ids: self.only_group.clone(),
        })
    }

    /// A scope without the option that it limits is a mistake of the caller.
    fn check_scope(&self) -> Result<(), UsageError> {
        if self.deactivate || (self.only_role.is_empty() && self.only_group.is_empty()) {
            return Ok(());
        }
        Err(UsageError::new(
            "--only-role and --only-group limit --deactivate-missing; give that too.",
        ))
    }
}

impl CsvArgs {
    fn format(&self) -> CsvFormat {
        CsvFormat {
            charset: self.charset.clone().unwrap_or_default(),
            delimiter: self.delimiter.clone().unwrap_or_default(),
            ignore_unknown_columns: self.ignore_unknown_columns,
        }
    }
}

/// SHA-256 of a plan, as a dry run prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlanDigest(pub(crate) Vec<u8>);

/// Parses a digest as the summary prints it, or as it is in JSON.
pub(crate) fn digest(text: &str) -> Result<PlanDigest, String> {
    let bytes = hex::decode(text).ok();
    let bytes = bytes.or_else(|| BASE64_STANDARD.decode(text).ok());
    let bytes = bytes
        .filter(|bytes| bytes.len() == 32)
        .ok_or("a plan digest has 64 hexadecimal digits, or 44 characters of Base64 as in JSON")?;
    Ok(PlanDigest(bytes))
}

fn delimiter(text: &str) -> Result<String, String> {
    match text {
        "," | ";" | "|" | "\t" => Ok(text.to_owned()),
        "tab" | "\\t" => Ok("\t".to_owned()),
        _ => Err("it is one of , ; | and tab".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::proto::Mapping;
    use crate::proto::ResultFilter;

    #[derive(Parser)]
    struct TestCli {
        #[command(flatten)]
        args: ImportArgs,
    }

    fn parse(options: &[&str]) -> Result<ImportArgs, clap::Error> {
        let fixed = ["import", "roster.csv", "--organization", "pd"];
        let words = fixed.iter().chain(options);
        TestCli::try_parse_from(words).map(|cli| cli.args)
    }

    fn start(options: &[&str]) -> ImportStart {
        parse(options).unwrap().start("pd")
    }

    fn ask(options: &[&str], asking: PromptMode) -> Result<bool, UsageError> {
        parse(options).unwrap().must_ask(asking)
    }

    #[test]
    fn without_options_nothing_is_asked_of_the_server() {
        let expected = ImportStart {
            organization: "pd".to_owned(),
            source: "roster.csv".to_owned(),
            csv: Some(CsvFormat::default()),
            result_filter: ResultFilter::All.into(),
            ..ImportStart::default()
        };
        let mut start = start(&[]);
        assert!(Uuid::parse_str(&std::mem::take(&mut start.import_id)).is_ok());
        assert_eq!(start, expected);
    }

    #[test]
    fn a_roster_is_known_by_the_name_of_its_file_without_its_folder() {
        for (file, source) in [
            ("/home/ana/private/roster.csv", "roster.csv"),
            ("-", "standard input"),
            ("a\nb.csv", "ab.csv"),
            (&format!("{}.csv", "x".repeat(300)), &"x".repeat(255)),
        ] {
            assert_eq!(source_of(Some(Path::new(file))), source);
        }
        assert_eq!(source_of(None), "command line");
    }

    #[test]
    fn a_plan_digest_is_taken_as_it_is_printed_and_as_it_is_in_json() {
        let base64 = BASE64_STANDARD.encode([15; 32]);
        for written in ["0f".repeat(32), "0F".repeat(32), base64] {
            let start = start(&["--expected-plan-digest", &written]);
            assert_eq!(start.expected_plan_digest, vec![15; 32], "{written}");
        }
        for wrong in ["0f", "AAAA", &"0g".repeat(32)] {
            assert!(
                parse(&["--expected-plan-digest", wrong]).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn every_option_reaches_its_field() {
        let hex = "0f".repeat(32);
        let mapping = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(mapping.path(), "null_values = [\"NULL\"]").unwrap();
        let mapping = ["--mapping", mapping.path().to_str().unwrap()];
        let line = "--import-id 018F4E9E-5c7b-7000-8000-000000000001 --validate-only --all-or-nothing --hold --max-rejected-rows 3 \
            --match-by badge-number --max-deactivations 4 --max-identity-changes 5 --deactivate-missing --only-role Officer --only-role Clerk \
            --only-group G1 --charset windows-1252 --delimiter tab --ignore-unknown-columns \
            --result-filter rejections --include-values --source nightly --sheet Roster --expected-plan-digest";
        let options = line.split_whitespace().chain([hex.as_str()]);
        let options: Vec<&str> = options.chain(mapping).collect();
        let expected = ImportStart {
            workbook: Some(WorkbookFormat {
                sheet: "Roster".to_owned(),
            }),
            mapping: Some(Mapping {
                null_values: vec!["NULL".to_owned()],
                ..Mapping::default()
            }),
            organization: "pd".to_owned(),
            import_id: "018f4e9e-5c7b-7000-8000-000000000001".to_owned(),
            validate_only: true,
            all_or_nothing: true,
            hold: true,
            max_rejected_rows: Some(3),
            expected_plan_digest: vec![15; 32],
            deactivate_missing: Some(DeactivateMissing {
                confirmation: String::new(),
                only_roles: vec!["Officer".to_owned(), "Clerk".to_owned()],
                only_group_external_ids: vec!["G1".to_owned()],
            }),
            match_by: MatchBy::BadgeNumber.into(),
            max_deactivations: Some(4),
            max_identity_changes: Some(5),
            csv: Some(CsvFormat {
                charset: "windows-1252".to_owned(),
                delimiter: "\t".to_owned(),
                ignore_unknown_columns: true,
            }),
            result_filter: ResultFilter::Rejections.into(),
            include_values: true,
            source: "nightly".to_owned(),
            mapping_name: String::new(),
        };
        assert_eq!(start(&options), expected);
        let named = start(&["--mapping", "cad"]);
        assert_eq!((named.mapping, &*named.mapping_name), (None, "cad"));
    }

    #[test]
    fn to_deactivate_needs_the_word_but_to_look_does_not() {
        let deactivate = "--deactivate-missing";
        for (options, asking, must_ask) in [
            (&[deactivate][..], PromptMode::Unavailable, None),
            (&[deactivate], PromptMode::Terminal, Some(true)),
            (
                &[deactivate, "--validate-only"],
                PromptMode::Unavailable,
                Some(false),
            ),
            (&[deactivate, "--diff"], PromptMode::Terminal, Some(false)),
            (
                &[deactivate, "--confirm", "Confirm"],
                PromptMode::Unavailable,
                Some(false),
            ),
            (
                &[deactivate, "--confirm", "yes"],
                PromptMode::Terminal,
                None,
            ),
            (&[], PromptMode::Terminal, Some(false)),
        ] {
            assert_eq!(ask(options, asking).ok(), must_ask, "{options:?}");
        }
        let confirmed = start(&[deactivate, "--confirm", "Confirm"]);
        let missing = confirmed.deactivate_missing.unwrap();
        assert_eq!(missing.confirmation, "Confirm");
    }

    #[test]
    fn a_diff_is_a_dry_run_with_values() {
        let start = start(&["--diff"]);
        assert!(start.validate_only && start.include_values);
    }

    #[test]
    fn a_scope_alone_is_a_slip() {
        let error = ask(&["--only-role", "Officer"], PromptMode::Unavailable).unwrap_err();
        assert!(error.to_string().contains("--deactivate-missing"));
    }

    #[test]
    fn a_bad_value_is_refused_before_anything_is_sent() {
        for options in [
            ["--expected-plan-digest", "0f0f"],
            ["--expected-plan-digest", "éé"],
            ["--delimiter", "#"],
            ["--max-rejected-rows", "-1"],
            ["--result-filter", "some"],
        ] {
            assert!(parse(&options).is_err(), "{options:?}");
        }
    }
}

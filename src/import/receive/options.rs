//! The options of an import, checked and in the engine's own types.

use std::{borrow::Cow, iter};

use uuid::Uuid;

use super::saved_mapping::expect_one_mapping;
use crate::import::{Refusal, review::HeldRun};
use crate::{
    access::{AccessDenial, Principal},
    domain::{Catalog, NameIndex, Permission, SearchedNames, SuggestionBudget, fold, normalise},
    input::{CsvOptions, Mapping, ValueMapping},
    plan::{MatchBy, MissingUsersScope, Outcome},
    proto::{self, ImportStart},
};

/// Longest `source`, in characters.
const MAX_SOURCE: usize = 255;

/// Most characters of a mistaken value that a message quotes.
const MAX_QUOTED: usize = 100;

/// The word that confirms deactivating users who are not listed.
const CONFIRMATION: &str = "Confirm";

/// The options of an import, checked.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Slug of the organisation.
    pub organization: String,
    /// The ID the client chose.
    pub import_id: Option<Uuid>,
    /// Report what would happen; write nothing.
    pub validate_only: bool,
    /// All rows or none.
    pub all_or_nothing: bool,
    /// More rejections than this refuse the import.
    pub max_rejected_rows: Option<u32>,
    /// Digest of the plan that the caller has seen.
    pub expected_plan_digest: Option<[u8; 32]>,
    /// Deactivate users who are not listed.
    pub deactivate_missing: Option<DeactivationScope>,
    /// More deactivations than this refuse the import, in place of the server's guard.
    pub max_deactivations: Option<u32>,
    /// More rows than this that replace a person refuse the import, in place of the server's guard.
    pub max_identity_changes: Option<u32>,
    /// How rows find their users besides the external ID.
    pub match_by: Option<MatchBy>,
    /// How to read CSV. For a workbook, charset and delimiter do not count.
    pub csv: CsvOptions,
    /// The name of the sheet to read of a workbook. Empty: the first that is not hidden.
    pub sheet: String,
    /// Which results to send.
    pub filter: ResultFilter,
    /// Send values before and after.
    pub include_values: bool,
    /// The source of the roster.
    pub source: String,
}

/// The results that a client wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResultFilter {
    /// Those of all rows.
    #[default]
    All,
    /// Those of all rows but the unchanged ones.
    ChangesAndRejections,
    /// Those of rejected rows.
    Rejections,
}

impl ResultFilter {
    /// Returns `true` if a result with this outcome passes the filter.
    #[must_use]
    pub const fn passes(self, outcome: Outcome) -> bool {
        match self {
            Self::All => true,
            Self::ChangesAndRejections => !matches!(outcome, Outcome::Unchanged),
            Self::Rejections => matches!(outcome, Outcome::Rejected),
        }
    }
}

/// The users that `deactivate_missing` concerns, by the names of their roles and groups.
#[derive(Clone, Debug, Default)]
pub struct DeactivationScope {
    only_roles: Vec<String>,
    only_groups: Vec<String>,
}

impl ImportOptions {
    /// Checks a client's `start`.
    ///
    /// # Errors
    /// Fails with every bad option at once.
    pub fn parse(start: ImportStart) -> Result<Self, Vec<Refusal>> {
        let mut faults = Vec::new();
        let import_id = parse_id(&start.import_id, &mut faults);
        let expected_plan_digest = parse_digest(&start.expected_plan_digest, &mut faults);
        let filter = parse_filter(start.result_filter, &mut faults).unwrap_or_default();
        let match_by = parse_match_by(start.match_by, &mut faults);
        check_source(&start.source, &mut faults);
        faults.extend(expect_one_mapping(start.mapping.as_ref(), &start.mapping_name).err());
        check_confirmation(&start, &mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        let csv = start.csv.unwrap_or_default();
        Ok(Self {
            organization: start.organization,
            import_id,
            validate_only: start.validate_only,
            all_or_nothing: start.all_or_nothing,
            max_rejected_rows: start.max_rejected_rows,
            expected_plan_digest,
            deactivate_missing: start.deactivate_missing.map(DeactivationScope::from),
            max_deactivations: start.max_deactivations,
            max_identity_changes: start.max_identity_changes,
            match_by,
            csv: CsvOptions {
                charset: csv.charset,
                delimiter: csv.delimiter,
                ignore_unknown_columns: csv.ignore_unknown_columns,
                mapping: start.mapping.map(Mapping::from).unwrap_or_default(),
            },
            sheet: start.workbook.unwrap_or_default().sheet,
            filter,
            include_values: start.include_values,
            source: start.source,
        })
    }
}

impl From<proto::Mapping> for Mapping {
    fn from(wire: proto::Mapping) -> Self {
        let values = wire.values.into_iter().map(|value| ValueMapping {
            column: value.column,
            cell: value.cell,
            value: value.value,
        });
        Self {
            columns: wire.columns,
            null_values: wire.null_values,
            values: values.collect(),
            templates: wire.templates,
            skip_leading_lines: wire.skip_leading_lines,
            ignored_line_prefixes: wire.ignored_line_prefixes,
        }
    }
}

impl From<Mapping> for proto::Mapping {
    fn from(mapping: Mapping) -> Self {
        let values = mapping.values.into_iter().map(|value| proto::ValueMapping {
            column: value.column,
            cell: value.cell,
            value: value.value,
        });
        Self {
            columns: mapping.columns,
            null_values: mapping.null_values,
            values: values.collect(),
            templates: mapping.templates,
            skip_leading_lines: mapping.skip_leading_lines,
            ignored_line_prefixes: mapping.ignored_line_prefixes,
        }
    }
}

impl From<proto::DeactivateMissing> for DeactivationScope {
    fn from(wire: proto::DeactivateMissing) -> Self {
        Self {
            only_roles: wire.only_roles,
            only_groups: wire.only_group_external_ids,
        }
    }
}

impl DeactivationScope {
    /// Finds the roles and groups in the catalog.
    ///
    /// # Errors
    /// Fails with the unknown names: a scope with a mistyped name must not become another scope.
    pub fn resolve(&self, catalog: &Catalog) -> Result<MissingUsersScope, Vec<Refusal>> {
        let mut faults = Vec::new();
        let mut budget = SuggestionBudget::of_call();
        let mut scope = MissingUsersScope::default();
        let role_names = SearchedNames::new(catalog.roles.iter().map(|role| &*role.name));
        let group_ids = SearchedNames::new(catalog.groups.iter().map(|group| &*group.external_id));
        let roles = catalog.roles.iter();
        let roles = NameIndex::new(fold, roles.map(|role| (&*role.name, role.id)));
        for name in &self.only_roles {
            if let Some(role) = roles.find(&normalise(name).unwrap_or_default()) {
                scope.roles.push(role);
            } else {
                let near = role_names.nearest(name, &mut budget);
                let near = near.map(|at| &*catalog.roles[at].name);
                faults.push(unknown("UNKNOWN_ROLE", "only_roles", name, near));
            }
        }
        let groups = catalog.groups.iter();
        let groups = NameIndex::new(
            |id| Cow::Borrowed(id),
            groups.map(|g| (&*g.external_id, g.id)),
        );
        for id in &self.only_groups {
            let wanted = normalise(id).unwrap_or_default();
            if let Some(group) = groups.find(&wanted) {
                scope.groups.push(group);
            } else {
                let near = group_ids.nearest(id, &mut budget);
                let near = near.map(|at| &*catalog.groups[at].external_id);
                let option = "only_group_external_ids";
                faults.push(unknown("UNKNOWN_GROUP", option, id, near));
            }
        }
        if faults.is_empty() {
            Ok(scope)
        } else {
            Err(faults)
        }
    }
}

/// The permissions that an import with these options needs, whatever it does and shows (semantics §3).
fn needed_to_import(start: &ImportStart) -> impl Iterator<Item = Permission> {
    let deactivates = start.deactivate_missing.is_some();
    iter::once(Permission::UsersImport).chain(deactivates.then_some(Permission::UsersDeactivate))
}

/// The permissions that the approval of a held import with these options needs (semantics §12).
pub(crate) fn needed_to_approve(start: &ImportStart) -> impl Iterator<Item = Permission> {
    iter::once(Permission::UsersApprove).chain(needed_to_import(start))
}

/// Fails if the caller has no permission for these options (semantics §3). Checked before any look-up.
pub(crate) fn expect_permitted(
    principal: &Principal,
    start: &ImportStart,
) -> Result<(), AccessDenial> {
    principal.expect_organization(&start.organization)?;
    needed_to_import(start).try_for_each(|needed| principal.expect(needed))?;
    match start.include_values {
        true => principal.expect(Permission::UsersRead),
        false => Ok(()),
    }
}

/// Fails if the caller may not review or approve a held import with these options. What a review shows is decided for each
/// of its messages.
pub(crate) fn expect_permitted_held(
    principal: &Principal,
    held: &HeldRun,
    start: &ImportStart,
) -> Result<(), AccessDenial> {
    principal.expect_organization(&start.organization)?;
    match held.is_review() {
        true => principal.expect(Permission::UsersApprove),
        false => needed_to_approve(start).try_for_each(|needed| principal.expect(needed)),
    }
}

fn unknown(code: &'static str, option: &str, value: &str, near: Option<&str>) -> Refusal {
    let hint = near.map(|near| format!(" Did you mean \"{near}\"?"));
    let hint = hint.unwrap_or_default();
    let value: String = value.chars().take(MAX_QUOTED).collect();
    let message = format!("{option}: the organisation's catalog has no \"{value}\".{hint}");
    Refusal::invalid(code, &format!("deactivate_missing.{option}"), message)
}

fn parse_id(text: &str, faults: &mut Vec<Refusal>) -> Option<Uuid> {
    if text.is_empty() {
        return None;
    }
    let id = Uuid::try_parse(text).ok().filter(|id| !id.is_nil());
    if id.is_none() {
        let message = "import_id must be a UUID, such as 0192f0c1-2b1e-7c3a-9d55-0c6f2b6b3a10.";
        faults.push(Refusal::invalid("BAD_IMPORT_ID", "import_id", message));
    }
    id
}

fn parse_digest(bytes: &[u8], faults: &mut Vec<Refusal>) -> Option<[u8; 32]> {
    if bytes.is_empty() {
        return None;
    }
    let digest = bytes.try_into().ok();
    if digest.is_none() {
        let message = format!(
            "expected_plan_digest must be the 32 bytes of a dry run's plan_digest, not {}.",
            bytes.len()
        );
        let refusal = Refusal::invalid("BAD_PLAN_DIGEST", "expected_plan_digest", message);
        faults.push(refusal);
    }
    digest
}

fn parse_match_by(number: i32, faults: &mut Vec<Refusal>) -> Option<MatchBy> {
    match proto::MatchBy::try_from(number) {
        Ok(proto::MatchBy::Unspecified) => None,
        Ok(proto::MatchBy::Email) => Some(MatchBy::Email),
        Ok(proto::MatchBy::BadgeNumber) => Some(MatchBy::BadgeNumber),
        Ok(proto::MatchBy::Username) => Some(MatchBy::Username),
        Err(_) => {
            let message = format!("match_by has no value {number}.");
            faults.push(Refusal::invalid("BAD_MATCH_BY", "match_by", message));
            None
        }
    }
}

/// Reads a `result_filter`. Returns `None` if it is unspecified.
pub(crate) fn parse_filter(number: i32, faults: &mut Vec<Refusal>) -> Option<ResultFilter> {
    match proto::ResultFilter::try_from(number) {
        Ok(proto::ResultFilter::Unspecified) => None,
        Ok(proto::ResultFilter::All) => Some(ResultFilter::All),
        Ok(proto::ResultFilter::ChangesAndRejections) => Some(ResultFilter::ChangesAndRejections),
        Ok(proto::ResultFilter::Rejections) => Some(ResultFilter::Rejections),
        Err(_) => {
            let message = format!("result_filter has no value {number}.");
            faults.push(Refusal::invalid(
                "BAD_RESULT_FILTER",
                "result_filter",
                message,
            ));
            None
        }
    }
}

fn check_source(source: &str, faults: &mut Vec<Refusal>) {
    let length = source.chars().count();
    if length > MAX_SOURCE {
        let message = format!("source has {length} characters; at most {MAX_SOURCE} are stored.");
        faults.push(Refusal::invalid("SOURCE_TOO_LONG", "source", message));
    }
    if source.contains(char::is_control) {
        let message = "source has a line break or another control character; send plain text.";
        faults.push(Refusal::invalid("BAD_SOURCE", "source", message));
    }
}

fn check_confirmation(start: &ImportStart, faults: &mut Vec<Refusal>) {
    let Some(missing) = &start.deactivate_missing else {
        return;
    };
    if !start.validate_only && missing.confirmation != CONFIRMATION {
        let message = "Deactivating users who are not listed needs the confirmation \"Confirm\"; \
            a dry run (validate_only) shows who would be deactivated, and needs none.";
        let subject = "deactivate_missing.confirmation";
        faults.push(Refusal::invalid("CONFIRMATION_REQUIRED", subject, message));
    }
}

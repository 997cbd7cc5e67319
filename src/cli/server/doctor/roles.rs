//! Checks that the roles of administrators are privileged.

use super::{CheckLevel, CheckResult};
use crate::{cli::output::printable, domain::privilege_warnings, store::Store};

/// How many organisations are listed one by one.
const NAMED: usize = 20;

/// Returns the results for each organisation's roles. A schema that lacks the table of roles is a result of its
/// own.
pub(crate) async fn check(store: &Store) -> Vec<CheckResult> {
    let about = "roles";
    let Ok(organizations) = store.roles_of_all().await else {
        return Vec::new();
    };
    let warnings = organizations.iter().flat_map(|(slug, roles)| {
        let roles = roles
            .iter()
            .map(|(name, privileged)| (&**name, *privileged));
        let warnings = privilege_warnings(roles).into_iter();
        warnings.map(move |warning| format!("{slug}: {}", printable(&warning)))
    });
    let warnings: Vec<_> = warnings.collect();
    if warnings.is_empty() {
        let text = "every organisation with roles has a privileged one";
        return vec![CheckResult::new(CheckLevel::Well, about, text)];
    }
    let more = warnings.len().saturating_sub(NAMED);
    let named = warnings.into_iter().take(NAMED);
    let more = (more > 0).then(|| format!("{more} more warnings of this kind"));
    let told = named.chain(more);
    told.map(|text| CheckResult::new(CheckLevel::Warning, about, text))
        .collect()
}

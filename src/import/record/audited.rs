//! The audit trail's facts about an import besides its counts: the options, and the privileged roles that it
//! grants and takes away. Pure.

use std::collections::{BTreeMap, HashMap};

use prost::Message;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::import::review::PlannedImport;
use crate::{
    audit::few_names,
    domain::{Column, RoleId},
    plan::RowIndex,
    proto::{DeactivateMissing, ImportStart, Mapping, MatchBy},
    store::RoleGrants,
};

/// The options that change what an import does, as `name` or `name=value`, separated by spaces. The first is the import
/// whose changes it reverses, if it is an undo.
#[must_use]
pub(crate) fn options(start: &ImportStart, undoes: Option<Uuid>) -> String {
    let mut options = Vec::new();
    options.extend(undoes.map(|undone| format!("undoes={undone}")));
    let csv = start.csv.as_ref();
    for (name, is_set) in [
        ("validate_only", start.validate_only),
        ("all_or_nothing", start.all_or_nothing),
        (
            "ignore_unknown_columns",
            csv.is_some_and(|csv| csv.ignore_unknown_columns),
        ),
        (
            "sheet",
            start
                .workbook
                .as_ref()
                .is_some_and(|workbook| !workbook.sheet.is_empty()),
        ),
        ("hold", start.hold),
        ("include_values", start.include_values),
    ] {
        options.extend(is_set.then(|| name.to_owned()));
    }
    for (name, number) in [
        ("max_rejected_rows", start.max_rejected_rows),
        ("max_deactivations", start.max_deactivations),
        ("max_identity_changes", start.max_identity_changes),
    ] {
        options.extend(number.map(|number| format!("{name}={number}")));
    }
    let mapping = start.mapping.as_ref();
    if let Some(mapping) = mapping.filter(|mapping| **mapping != Mapping::default()) {
        let digest = Sha256::digest(mapping.encode_to_vec());
        options.push(format!("mapping={}", hex::encode(digest)));
    }
    if start.match_by() != MatchBy::Unspecified {
        options.push(format!("match_by={}", start.match_by().as_str_name()));
    }
    if !start.expected_plan_digest.is_empty() {
        options.push("expected_plan_digest".to_owned());
    }
    options.extend(start.deactivate_missing.iter().flat_map(missing));
    options.join(" ")
}

fn missing(missing: &DeactivateMissing) -> Vec<String> {
    let mut options = vec!["deactivate_missing".to_owned()];
    for (name, scope) in [
        ("only_roles", &missing.only_roles),
        ("only_group_external_ids", &missing.only_group_external_ids),
    ] {
        if !scope.is_empty() {
            options.push(format!("{name}={}", few_names(scope)));
        }
    }
    options
}

/// The privileged roles that these rows of a plan grant and take away.
pub(crate) fn role_grants(planned: &PlannedImport, rows: &[RowIndex]) -> RoleGrants {
    let mut grants = RoleGrants::default();
    let roles = planned.plan.request.catalog.roles.iter();
    let roles = roles.filter(|role| role.privileged);
    let privileged: HashMap<RoleId, &str> = roles.map(|role| (role.id, &*role.name)).collect();
    if privileged.is_empty() {
        return grants;
    }
    for &row in rows {
        let decision = &planned.plan.decisions[row];
        if !decision.changes.contains(Column::Role) {
            continue;
        }
        let before = planned.plan.request.user_of(row).map(|user| user.role);
        let taken = before.and_then(|role| privileged.get(&role).copied());
        count(&mut grants.taken, taken);
        count(&mut grants.granted, privileged.get(&decision.role).copied());
    }
    grants
}

fn count(counts: &mut BTreeMap<String, u32>, role: Option<&str>) {
    if let Some(role) = role {
        *counts.entry(role.to_owned()).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_change_the_effect_are_recorded() {
        let start = ImportStart {
            validate_only: true,
            max_deactivations: Some(3),
            max_identity_changes: Some(4),
            deactivate_missing: Some(DeactivateMissing {
                only_roles: vec!["Officer".to_owned()],
                ..DeactivateMissing::default()
            }),
            source: "a path".to_owned(),
            ..ImportStart::default()
        };
        let told = "validate_only max_deactivations=3 max_identity_changes=4 deactivate_missing \
            only_roles=[\"Officer\"]";
        assert_eq!(options(&start, None), told);
        let undoes = Uuid::from_u128(7);
        let of_undo = format!("undoes={undoes} {told}");
        assert_eq!(options(&start, Some(undoes)), of_undo);
        assert_eq!(options(&ImportStart::default(), None), "");
    }
}

//! Describes a change of a catalog for the audit trail.

use std::collections::HashMap;

use crate::{
    audit::few_names,
    domain::{Catalog, PhoneRegion, Role, RoleId, ValuePattern},
    store::AuditEntry,
};

/// Adds to the event how many entries the catalog has now, and which roles and formats have changed.
pub(super) fn updated(entry: AuditEntry, before: &Catalog, now: &Catalog) -> AuditEntry {
    let counted = entry
        .with("roles", &now.roles.len())
        .with("ranks", &now.ranks.len())
        .with("groups", &now.groups.len());
    let changes = role_changes(&before.roles, &now.roles);
    let named = changes.into_iter().filter(|(_, names)| !names.is_empty());
    let named = named.fold(counted, |entry, (what, names)| {
        entry.with(what, &few_names(&names))
    });
    let changed = format_changes(before, now).into_iter().flatten();
    changed.fold(named, |entry, (what, value)| entry.with(what, &value))
}

/// The region of phone numbers and the patterns, if they have changed; `none` if one was removed.
fn format_changes(before: &Catalog, now: &Catalog) -> [Option<(&'static str, String)>; 3] {
    let formats = |catalog: &Catalog| {
        let text = |pattern: &Option<ValuePattern>| pattern.as_ref().map(|p| p.as_str().to_owned());
        [
            ("phone_region", catalog.phone_region.map(PhoneRegion::code)),
            ("badge_number_pattern", text(&catalog.badge_number_pattern)),
            ("external_id_pattern", text(&catalog.external_id_pattern)),
        ]
    };
    let mut before = formats(before).into_iter();
    formats(now).map(|(what, value)| {
        let is_same = before.next().is_some_and(|(_, old)| old == value);
        (!is_same).then(|| (what, value.unwrap_or_else(|| "none".to_owned())))
    })
}

fn role_changes(before: &[Role], now: &[Role]) -> [(&'static str, Vec<String>); 5] {
    let (old, new) = (by_number(before), by_number(now));
    let was = |role: &Role| old.get(&role.id).copied();
    let is = |role: &Role| new.get(&role.id).copied();
    let names = |roles: &[Role], chosen: &dyn Fn(&Role) -> bool| {
        let chosen = roles.iter().filter(|role| chosen(role));
        chosen.map(|role| role.name.clone()).collect()
    };
    let renamed = now.iter().filter_map(|role| {
        let old = was(role).filter(|old| old.name != role.name)?;
        Some(format!("{} -> {}", old.name, role.name))
    });
    [
        ("roles_added", names(now, &|role| was(role).is_none())),
        ("roles_removed", names(before, &|role| is(role).is_none())),
        ("roles_renamed", renamed.collect()),
        (
            "roles_marked_privileged",
            names(now, &|role| {
                role.privileged && !was(role).is_some_and(|old| old.privileged)
            }),
        ),
        (
            "roles_unmarked_privileged",
            names(before, &|role| {
                role.privileged && !is(role).is_some_and(|new| new.privileged)
            }),
        ),
    ]
}

fn by_number(roles: &[Role]) -> HashMap<RoleId, &Role> {
    roles.iter().map(|role| (role.id, role)).collect()
}

//! Refuses new names that look like other text.

use std::collections::HashMap;

use super::{CatalogDraft, CatalogError, DeceptiveName, DraftEntry, part_change::PartChange};
use crate::domain::{Catalog, CatalogName, NameFault, role_faults, visible_faults};

/// Makes sure that no new name deceives. Names that are stored already stay allowed.
pub(super) fn refuse_deceptive_names(
    draft: &CatalogDraft,
    before: &Catalog,
    (roles, ranks, groups): (&PartChange, &PartChange, &PartChange),
) -> Result<(), CatalogError> {
    let known = before.roles.iter().map(|role| (role.id.0, &*role.name));
    let role_names = names(entry_names(&draft.roles), roles, known);
    let known = before.ranks.iter().map(|rank| (rank.id.get(), &*rank.name));
    let rank_names = names(entry_names(&draft.ranks), ranks, known);
    let known = before
        .groups
        .iter()
        .map(|group| (group.id.get(), &*group.name));
    let group_names = draft.groups.iter().map(|group| &*group.name);
    let group_names = names(group_names, groups, known);
    let known = before
        .groups
        .iter()
        .map(|group| (group.id.get(), &*group.external_id));
    let group_ids = draft.groups.iter().map(|group| &*group.external_id);
    let group_ids = names(group_ids, groups, known);
    let found = [
        ("roles", "name", &role_names, role_faults(&role_names)),
        ("ranks", "name", &rank_names, visible_faults(&rank_names)),
        ("groups", "name", &group_names, visible_faults(&group_names)),
        (
            "groups",
            "external_id",
            &group_ids,
            visible_faults(&group_ids),
        ),
    ];
    let faults = found.into_iter().flat_map(|(part, field, names, faults)| {
        let bad = |(at, fault): (usize, NameFault)| DeceptiveName {
            field: format!("catalog.{part}[{at}].{field}"),
            name: names[at].name.to_owned(),
            fault,
        };
        faults.into_iter().map(bad).collect::<Vec<_>>()
    });
    let faults: Vec<_> = faults.collect();
    match faults.is_empty() {
        true => Ok(()),
        false => Err(CatalogError::DeceptiveNames(faults)),
    }
}

fn entry_names(entries: &[DraftEntry]) -> impl Iterator<Item = &str> {
    entries.iter().map(|entry| &*entry.name)
}

/// The names of a part. A name stands if the same entry has it already.
fn names<'a>(
    draft: impl Iterator<Item = &'a str>,
    change: &PartChange,
    known: impl Iterator<Item = (i32, &'a str)>,
) -> Vec<CatalogName<'a>> {
    let known: HashMap<i32, &str> = known.collect();
    let named = draft.zip(&change.numbers);
    named
        .map(|(name, number)| CatalogName {
            name,
            stands: known.get(number) == Some(&name),
        })
        .collect()
}

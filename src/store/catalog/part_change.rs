//! The changes that a draft makes to a part: which entry keeps which number.

use std::collections::{HashMap, HashSet};

use super::{
    CatalogError, DraftEntry, DraftGroup,
    part::{CatalogEntry, CatalogPart},
};

/// The changes that a draft makes to a part.
pub(super) struct PartChange {
    pub removed: Vec<CatalogEntry>,
    /// Entries that are new or differ from the stored ones.
    pub changed: Vec<CatalogEntry>,
    /// Numbers of entries whose key changes.
    pub moved: Vec<i32>,
    /// Number of each entry of the draft.
    pub numbers: Vec<i32>,
}

/// An entry of a draft.
pub(super) struct WantedEntry<'a> {
    pub key: &'a str,
    pub previous_key: Option<&'a str>,
    pub name: &'a str,
    pub flag: bool,
}

impl<'a> From<&'a DraftEntry> for WantedEntry<'a> {
    fn from(entry: &'a DraftEntry) -> Self {
        Self {
            key: &entry.key,
            previous_key: entry.previous_key.as_deref(),
            name: &entry.name,
            flag: false,
        }
    }
}

impl<'a> From<&'a DraftGroup> for WantedEntry<'a> {
    fn from(group: &'a DraftGroup) -> Self {
        Self {
            key: &group.external_id,
            previous_key: None,
            name: &group.name,
            flag: group.active,
        }
    }
}

/// Gives each entry of the draft the number of the entry that it replaces, or a new one.
pub(super) fn assign(
    part: CatalogPart,
    present: &[CatalogEntry],
    draft: &[WantedEntry<'_>],
) -> Result<PartChange, CatalogError> {
    let by_key: HashMap<&str, &CatalogEntry> =
        present.iter().map(|entry| (&*entry.key, entry)).collect();
    let mut next = present.iter().map(|entry| entry.id).max().unwrap_or(0);
    let mut kept = HashSet::new();
    let (mut numbers, mut changed, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    for wanted in draft {
        let continued = match wanted.previous_key {
            // If the draft was applied before, the entry has its new name by now.
            Some(previous) => by_key.get(previous).or_else(|| by_key.get(wanted.key)),
            None => by_key.get(wanted.key),
        };
        let missing = wanted.previous_key.is_some() && continued.is_none();
        let twice = continued.is_some_and(|entry| !kept.insert(entry.id));
        if missing || twice {
            let name = wanted.name.to_owned();
            return Err(CatalogError::NothingToRename(part.kind, name));
        }
        let id = continued.map_or_else(
            || {
                next += 1;
                next
            },
            |entry| entry.id,
        );
        numbers.push(id);
        let entry = CatalogEntry {
            id,
            key: wanted.key.to_owned(),
            name: wanted.name.to_owned(),
            flag: wanted.flag,
        };
        if continued.is_some_and(|present| present.key != entry.key) {
            moved.push(id);
        }
        if continued.is_none_or(|present| **present != entry) {
            changed.push(entry);
        }
    }
    let removed = present.iter().filter(|entry| !kept.contains(&entry.id));
    let removed = removed.cloned().collect();
    Ok(PartChange {
        removed,
        changed,
        moved,
        numbers,
    })
}

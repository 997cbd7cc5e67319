//! Refuses to remove entries that users have.

use std::collections::HashMap;

use super::{
    CatalogError,
    part::{CatalogPart, GROUPS, RANKS, ROLES},
    part_change::PartChange,
};
use crate::store::{StoreError, WriteTransaction};

/// Makes sure that no user has an entry that is removed.
pub(super) async fn refuse_used(
    tx: &WriteTransaction,
    organization: i64,
    parts: &[(CatalogPart, &PartChange); 3],
) -> Result<(), CatalogError> {
    if parts.iter().all(|(_, part)| part.removed.is_empty()) {
        return Ok(());
    }
    let usage = read_usage(tx, organization).await?;
    let mut used = Vec::new();
    for ((part, change), usage) in parts.iter().zip(usage) {
        for entry in &change.removed {
            if let Some(users) = usage.get(&entry.id) {
                used.push((part.kind, (part.label)(entry).to_owned(), *users));
            }
        }
    }
    match used.is_empty() {
        true => Ok(()),
        false => Err(CatalogError::InUse(used)),
    }
}

/// How many users have each entry, by the entry's number.
type EntryUsage = HashMap<i32, u64>;

/// Counts the users of each role, rank and group, in one pass over the users.
async fn read_usage(
    tx: &WriteTransaction,
    organization: i64,
) -> Result<[EntryUsage; 3], StoreError> {
    let columns = [ROLES, RANKS, GROUPS].map(|part| part.users_column);
    let columns = columns.join(", ");
    let sql = format!(
        "SELECT {columns}, count(*) FROM users WHERE organization_id = $1 GROUP BY {columns}"
    );
    let mut usage: [EntryUsage; 3] = Default::default();
    for row in tx.query_all(sql, [organization.into()]).await? {
        let users: i64 = row.try_get_by_index(usage.len())?;
        for (index, usage) in usage.iter_mut().enumerate() {
            let entry: Option<i32> = row.try_get_by_index(index)?;
            if let Some(entry) = entry {
                *usage.entry(entry).or_default() += users.unsigned_abs();
            }
        }
    }
    Ok(usage)
}

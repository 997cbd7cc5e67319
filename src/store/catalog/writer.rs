//! Writes the changes of a catalog.

use super::{
    CatalogDraft,
    part::{CatalogEntry, CatalogPart},
    part_change::PartChange,
};
use crate::{
    domain::{PhoneRegion, ValuePattern},
    store::{
        StoreError, WriteTransaction,
        row_set::{ColumnValues, RowSet, TextColumn},
    },
};

/// Stores the region of phone numbers and the patterns.
pub(super) async fn write_formats(
    tx: &WriteTransaction,
    organization: i64,
    draft: &CatalogDraft,
) -> Result<(), StoreError> {
    let text = |pattern: &Option<ValuePattern>| pattern.as_ref().map(|p| p.as_str().to_owned());
    let values = [
        organization.into(),
        draft.phone_region.map(PhoneRegion::code).into(),
        text(&draft.badge_number_pattern).into(),
        text(&draft.external_id_pattern).into(),
    ];
    let sql = "UPDATE organizations SET phone_region = $2, badge_number_pattern = $3, \
        external_id_pattern = $4 WHERE id = $1";
    tx.execute(sql, values).await?;
    Ok(())
}

/// Removes entries, frees the keys of those whose key changes, so that names can be swapped, and writes the new and
/// changed ones; each with very few statements, however many entries there are.
pub(super) async fn write(
    tx: &WriteTransaction,
    organization: i64,
    part: CatalogPart,
    change: &PartChange,
) -> Result<(), StoreError> {
    let CatalogPart { table, key, .. } = part;
    let removed: Vec<i32> = change.removed.iter().map(|entry| entry.id).collect();
    let delete = |chosen: &str| {
        format!(
            "DELETE FROM {table} WHERE organization_id = {organization} \
            AND id IN (SELECT r.id FROM {chosen})"
        )
    };
    write_some(tx, delete, &removed).await?;
    // No key has a control character, so no temporary key equals one.
    let first = tx.dialect().character(1);
    let move_keys = |chosen: &str| {
        format!(
            "UPDATE {table} SET {key} = {first} || id WHERE organization_id = {organization} \
            AND id IN (SELECT r.id FROM {chosen})"
        )
    };
    write_some(tx, move_keys, &change.moved).await?;
    upsert(tx, organization, part, &change.changed).await
}

/// Removes or updates the entries with these numbers. `sql` makes the statement from a subquery with them.
async fn write_some(
    tx: &WriteTransaction,
    sql: impl Fn(&str) -> String,
    ids: &[i32],
) -> Result<(), StoreError> {
    let rows = RowSet::new(vec![("id", ColumnValues::Integer(ids))]);
    for source in rows.sources(tx.dialect()) {
        tx.execute(sql(&source.sql), source.values).await?;
    }
    Ok(())
}

async fn upsert(
    tx: &WriteTransaction,
    organization: i64,
    part: CatalogPart,
    entries: &[CatalogEntry],
) -> Result<(), StoreError> {
    let (mut keys, mut names) = (TextColumn::default(), TextColumn::default());
    for entry in entries {
        keys.push(&entry.key);
        names.push(&entry.name);
    }
    let ids: Vec<i32> = entries.iter().map(|entry| entry.id).collect();
    let flags: Vec<bool> = entries.iter().map(|entry| entry.flag).collect();
    let mut columns = vec![
        ("id", ColumnValues::Integer(&ids)),
        (part.key, ColumnValues::Text(&keys)),
        ("name", ColumnValues::Text(&names)),
    ];
    columns.extend(part.flag.map(|flag| (flag, ColumnValues::Boolean(&flags))));
    let rows = RowSet::new(columns);
    let columns = rows.names();
    let set: Vec<String> = columns[1..]
        .iter()
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    let (table, set) = (part.table, set.join(", "));
    let (names, values) = (columns.join(", "), columns.join(", r."));
    for source in rows.sources(tx.dialect()) {
        let sql = format!(
            "INSERT INTO {table} (organization_id, {names}) SELECT {organization}, r.{values} \
            FROM {} WHERE TRUE ON CONFLICT (organization_id, id) DO UPDATE SET {set}",
            source.sql
        );
        tx.execute(sql, source.values).await?;
    }
    Ok(())
}

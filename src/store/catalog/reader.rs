//! Reads a whole catalog.

use sea_orm::{ConnectionTrait, EntityTrait, QueryResult};

use crate::{
    domain::{Catalog, Group, GroupId, Rank, RankId, Role, RoleId, ValuePattern},
    store::{Organization, StoreError, entity::organization, sql},
};

/// All entries of a catalog: roles, ranks and groups, in the order of the catalog.
const ENTRIES: &str = "SELECT 'role' AS part, id, name_key AS key, name, privileged AS flag FROM roles \
    WHERE organization_id = $1 \
    UNION ALL SELECT 'rank', id, name_key, name, FALSE FROM ranks WHERE organization_id = $1 \
    UNION ALL SELECT 'group', id, external_id, name, active FROM evidence_groups WHERE organization_id = $1 \
    ORDER BY 3";

/// Reads the catalog in a transaction: roles and ranks by name, groups by external ID.
pub(in crate::store) async fn read(
    tx: &impl ConnectionTrait,
    organization: i64,
) -> Result<Catalog, StoreError> {
    let formats = organization::Entity::find_by_id(organization)
        .one(tx)
        .await?;
    let formats = formats.ok_or(StoreError::UnknownOrganization)?;
    read_of(tx, &formats).await
}

/// Reads the catalog of an organisation that has been read in this transaction.
pub(in crate::store) async fn read_of(
    tx: &impl ConnectionTrait,
    formats: &Organization,
) -> Result<Catalog, StoreError> {
    let mut catalog = Catalog {
        phone_region: formats.phone_region(),
        badge_number_pattern: read_pattern(formats.badge_number_pattern.as_deref())?,
        external_id_pattern: read_pattern(formats.external_id_pattern.as_deref())?,
        ..Catalog::default()
    };
    for row in sql::query_all(tx, ENTRIES, [formats.id.into()]).await? {
        add_entry(&mut catalog, &row)?;
    }
    Ok(catalog)
}

/// Adds a row of [`ENTRIES`].
fn add_entry(catalog: &mut Catalog, row: &QueryResult) -> Result<(), StoreError> {
    let (part, id): (String, i32) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    let (key, name): (String, String) = (row.try_get_by_index(2)?, row.try_get_by_index(3)?);
    let flag: bool = row.try_get_by_index(4)?;
    // Numbers begin at 1.
    let zero = || StoreError::encoding(format!("a {part} of the catalog has the number 0"));
    match &*part {
        "role" => catalog.roles.push(Role {
            id: RoleId(id),
            name,
            privileged: flag,
        }),
        "rank" => catalog.ranks.push(Rank {
            id: RankId::new(id).ok_or_else(zero)?,
            name,
        }),
        _ => catalog.groups.push(Group {
            id: GroupId::new(id).ok_or_else(zero)?,
            external_id: key,
            name,
            active: flag,
        }),
    }
    Ok(())
}

/// Reads a pattern. Only valid patterns are stored.
fn read_pattern(stored: Option<&str>) -> Result<Option<ValuePattern>, StoreError> {
    let pattern = stored.map(ValuePattern::parse).transpose();
    pattern.map_err(StoreError::encoding)
}

//! The three parts of a catalog, and the entries of one as they are stored.

use crate::store::{StoreError, WriteTransaction};

/// One of the three parts of a catalog. They differ in the names of their tables and columns.
#[derive(Clone, Copy)]
pub(super) struct CatalogPart {
    pub kind: &'static str,
    pub table: &'static str,
    pub key: &'static str,
    /// The boolean column, if the part has one.
    pub flag: Option<&'static str>,
    /// How messages name an entry.
    pub label: fn(&CatalogEntry) -> &str,
    pub users_column: &'static str,
}

pub(super) const ROLES: CatalogPart = CatalogPart {
    kind: "role",
    table: "roles",
    key: "name_key",
    flag: Some("privileged"),
    label: |entry| &entry.name,
    users_column: "role_id",
};
pub(super) const RANKS: CatalogPart = CatalogPart {
    kind: "rank",
    table: "ranks",
    key: "name_key",
    flag: None,
    label: |entry| &entry.name,
    users_column: "rank_id",
};
pub(super) const GROUPS: CatalogPart = CatalogPart {
    kind: "group",
    table: "evidence_groups",
    key: "external_id",
    flag: Some("active"),
    label: |entry| &entry.key,
    users_column: "group_id",
};

/// An entry of a part, as it is stored or is going to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CatalogEntry {
    pub id: i32,
    pub key: String,
    pub name: String,
    pub flag: bool,
}

impl CatalogPart {
    /// Reads its entries.
    pub(super) async fn read(
        self,
        tx: &WriteTransaction,
        organization: i64,
    ) -> Result<Vec<CatalogEntry>, StoreError> {
        let CatalogPart { table, key, .. } = self;
        let flag = self.flag.unwrap_or("FALSE");
        let sql = format!("SELECT id, {key}, name, {flag} FROM {table} WHERE organization_id = $1");
        let rows = tx.query_all(sql, [organization.into()]).await?;
        rows.iter()
            .map(|row| {
                Ok(CatalogEntry {
                    id: row.try_get_by_index(0)?,
                    key: row.try_get_by_index(1)?,
                    name: row.try_get_by_index(2)?,
                    flag: row.try_get_by_index(3)?,
                })
            })
            .collect()
    }
}

//! An organisation's catalog: its roles, ranks and groups, read and replaced as one document.

use std::collections::{HashMap, HashSet};

use sea_orm::{ConnectionTrait, EntityTrait, QueryResult};
use time::OffsetDateTime;

use super::{
    AuditEntry, Organization, Store, StoreError, WriteTransaction, catalog_audit,
    entity::organization,
    row_set::{ColumnValues, RowSet, TextColumn},
    sql,
};
use crate::{
    audit::AuditAction,
    domain::{
        AuditActor, Catalog, CatalogName, Group, GroupId, NameFault, PhoneRegion, Rank, RankId,
        Role, RoleId, ValuePattern, role_faults, visible_faults,
    },
};

/// A catalog that replaces the present one. Its names are normalised and unique.
#[derive(Clone, Debug, Default)]
pub struct CatalogDraft {
    /// Roles.
    pub roles: Vec<DraftEntry>,
    /// Keys of the roles that are privileged.
    pub privileged: HashSet<String>,
    /// Ranks.
    pub ranks: Vec<DraftEntry>,
    /// Groups.
    pub groups: Vec<DraftGroup>,
    /// The region of phone numbers.
    pub phone_region: Option<PhoneRegion>,
    /// The pattern that new badge numbers must match.
    pub badge_number_pattern: Option<ValuePattern>,
    /// The pattern that new external IDs must match.
    pub external_id_pattern: Option<ValuePattern>,
}

/// A role or rank of a draft.
#[derive(Clone, Debug)]
pub struct DraftEntry {
    /// Name as written.
    pub name: String,
    /// Case-folded name.
    pub key: String,
    /// Case-folded present name, if the entry is to be renamed.
    pub previous_key: Option<String>,
}

/// A group of a draft.
#[derive(Clone, Debug)]
pub struct DraftGroup {
    /// Compared exactly.
    pub external_id: String,
    /// Display name.
    pub name: String,
    /// Whether it can be given to users.
    pub active: bool,
}

/// Why a catalog was not replaced. Nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Entries that the draft leaves out are in use: (kind, name, number of users).
    #[error("catalog entries are in use")]
    InUse(Vec<(&'static str, String, u64)>),
    /// The draft renames an entry that does not exist, or renames one twice: (kind, new name).
    #[error("there is no such {0} to rename")]
    NothingToRename(&'static str, String),
    /// New names that look like other text.
    #[error("names of the catalog deceive")]
    DeceptiveNames(Vec<DeceptiveName>),
    /// The draft changes which roles are privileged, which the caller may not do.
    #[error("other roles would be privileged")]
    OtherPrivileges,
    /// Any other error.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A name that a catalog must not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeceptiveName {
    /// The field of the draft, such as `catalog.roles[2].name`.
    pub field: String,
    /// The name.
    pub name: String,
    /// The fault of the name.
    pub fault: NameFault,
}

impl From<sea_orm::DbErr> for CatalogError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}

/// One of the three parts of a catalog. They differ in the names of their tables and columns.
#[derive(Clone, Copy)]
struct CatalogPart {
    kind: &'static str,
    table: &'static str,
    key: &'static str,
    /// The boolean column, if the part has one.
    flag: Option<&'static str>,
    /// How messages name an entry.
    label: fn(&CatalogEntry) -> &str,
    users_column: &'static str,
}

const ROLES: CatalogPart = CatalogPart {
    kind: "role",
    table: "roles",
    key: "name_key",
    flag: Some("privileged"),
    label: |entry| &entry.name,
    users_column: "role_id",
};
const RANKS: CatalogPart = CatalogPart {
    kind: "rank",
    table: "ranks",
    key: "name_key",
    flag: None,
    label: |entry| &entry.name,
    users_column: "rank_id",
};
const GROUPS: CatalogPart = CatalogPart {
    kind: "group",
    table: "evidence_groups",
    key: "external_id",
    flag: Some("active"),
    label: |entry| &entry.key,
    users_column: "group_id",
};

/// An entry of a part, as it is stored or is going to be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct CatalogEntry {
    id: i32,
    key: String,
    name: String,
    flag: bool,
}

/// The changes that a draft makes to a part.
struct PartChange {
    removed: Vec<CatalogEntry>,
    /// Entries that are new or differ from the stored ones.
    changed: Vec<CatalogEntry>,
    /// Numbers of entries whose key changes.
    moved: Vec<i32>,
    /// Number of each entry of the draft.
    numbers: Vec<i32>,
}

impl Store {
    /// Reads an organisation's catalog.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn catalog(&self, organization: i64) -> Result<Catalog, StoreError> {
        let tx = self.begin_reading().await?;
        let catalog = read(&tx, organization).await?;
        tx.commit().await?;
        Ok(catalog)
    }

    /// Replaces an organisation's catalog. An entry with the same name, or that names its present name, keeps its
    /// number, and so its users.
    ///
    /// # Errors
    /// Fails if an entry to remove is in use, an entry to rename does not exist, or a new name deceives; and, unless the
    /// caller `may_privilege`, if the privileged roles or their names would change.
    pub async fn replace_catalog(
        &self,
        organization: &Organization,
        draft: &CatalogDraft,
        may_privilege: bool,
        actor: &AuditActor,
        now: OffsetDateTime,
    ) -> Result<Catalog, CatalogError> {
        let Organization { id, slug, .. } = organization;
        let organization = *id;
        let tx = self.begin_checking_references(organization).await?;
        tx.enter_exclusive(organization).await?;
        tx.bump_revision(organization).await?;
        let assigned = async |part, wanted: Vec<WantedEntry<'_>>| {
            let present = read_part(&tx, organization, part).await?;
            assign(part, &present, &wanted)
        };
        let roles = draft.roles.iter().map(|role| WantedEntry {
            flag: draft.privileged.contains(&role.key),
            ..WantedEntry::from(role)
        });
        let roles = assigned(ROLES, roles.collect()).await?;
        let ranks = draft.ranks.iter().map(WantedEntry::from).collect();
        let ranks = assigned(RANKS, ranks).await?;
        let groups = draft.groups.iter().map(WantedEntry::from).collect();
        let groups = assigned(GROUPS, groups).await?;
        let before = read(&tx.inner, organization).await?;
        expect_names(draft, &before, (&roles, &ranks, &groups))?;
        let privileged = privileged(draft, &roles);
        if !may_privilege && privileged != privileged_now(&before) {
            return Err(CatalogError::OtherPrivileges);
        }

        let parts = [(ROLES, &roles), (RANKS, &ranks), (GROUPS, &groups)];
        refuse_used(&tx, organization, &parts).await?;
        for (part, assignment) in parts {
            write(&tx, organization, part, assignment).await?;
        }

        write_formats(&tx, organization, draft).await?;
        let catalog = read(&tx.inner, organization).await?;
        let entry = AuditEntry::done(now, actor, AuditAction::CatalogUpdated, slug);
        tx.note(
            organization,
            catalog_audit::updated(entry, &before, &catalog),
        );
        tx.commit().await?;
        Ok(catalog)
    }
}

/// All entries of a catalog: roles, ranks and groups, in the order of the catalog.
const ENTRIES: &str = "SELECT 'role' AS part, id, name_key AS key, name, privileged AS flag FROM roles \
    WHERE organization_id = $1 \
    UNION ALL SELECT 'rank', id, name_key, name, FALSE FROM ranks WHERE organization_id = $1 \
    UNION ALL SELECT 'group', id, external_id, name, active FROM evidence_groups WHERE organization_id = $1 \
    ORDER BY 3";

/// Reads the catalog in a transaction: roles and ranks by name, groups by external ID.
pub(super) async fn read(
    tx: &impl ConnectionTrait,
    organization: i64,
) -> Result<Catalog, StoreError> {
    let formats = organization::Entity::find_by_id(organization)
        .one(tx)
        .await?;
    let formats = formats.ok_or(StoreError::UnknownOrganization)?;
    read_of(tx, &formats).await
}

/// The same for an organisation that has been read in this transaction.
pub(super) async fn read_of(
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

/// Stores the region of phone numbers and the patterns.
async fn write_formats(
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

async fn read_part(
    tx: &WriteTransaction,
    organization: i64,
    part: CatalogPart,
) -> Result<Vec<CatalogEntry>, StoreError> {
    let CatalogPart { table, key, .. } = part;
    let flag = part.flag.unwrap_or("FALSE");
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

/// An entry of a draft.
struct WantedEntry<'a> {
    key: &'a str,
    previous_key: Option<&'a str>,
    name: &'a str,
    flag: bool,
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
fn assign(
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

async fn refuse_used(
    tx: &WriteTransaction,
    organization: i64,
    parts: &[(CatalogPart, &PartChange); 3],
) -> Result<(), CatalogError> {
    if parts.iter().all(|(_, part)| part.removed.is_empty()) {
        return Ok(());
    }
    let usage = read_usage(tx, organization).await?;
    let mut used = Vec::new();
    for ((part, assignment), usage) in parts.iter().zip(usage) {
        for entry in &assignment.removed {
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

/// Removes entries, frees the keys of those whose key changes, so that names can be swapped, and writes the new and
/// changed ones; each with very few statements, however many entries there are.
async fn write(
    tx: &WriteTransaction,
    organization: i64,
    part: CatalogPart,
    assignment: &PartChange,
) -> Result<(), StoreError> {
    let CatalogPart { table, key, .. } = part;
    let removed: Vec<i32> = assignment.removed.iter().map(|entry| entry.id).collect();
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
    write_some(tx, move_keys, &assignment.moved).await?;
    upsert(tx, organization, part, &assignment.changed).await
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

/// Number and name of each privileged role. Systems that users sign in to know a role by its name, so a role with
/// another name, even only in another case, is another role.
type PrivilegedRoleNames = HashSet<(i32, String)>;

fn privileged(draft: &CatalogDraft, roles: &PartChange) -> PrivilegedRoleNames {
    let roles = draft.roles.iter().zip(&roles.numbers);
    let privileged = roles.filter(|(role, _)| draft.privileged.contains(&role.key));
    privileged
        .map(|(role, &id)| (id, role.name.clone()))
        .collect()
}

fn privileged_now(catalog: &Catalog) -> PrivilegedRoleNames {
    let privileged = catalog.roles.iter().filter(|role| role.privileged);
    privileged
        .map(|role| (role.id.0, role.name.clone()))
        .collect()
}

/// Makes sure that no new name deceives. Names that are stored already stay allowed.
fn expect_names(
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

/// The names of a part; those that the same entry has already stay as they are.
fn names<'a>(
    draft: impl Iterator<Item = &'a str>,
    assignment: &PartChange,
    known: impl Iterator<Item = (i32, &'a str)>,
) -> Vec<CatalogName<'a>> {
    let known: HashMap<i32, &str> = known.collect();
    let named = draft.zip(&assignment.numbers);
    named
        .map(|(name, number)| CatalogName {
            name,
            stands: known.get(number) == Some(&name),
        })
        .collect()
}

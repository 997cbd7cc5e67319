//! An organisation's roles, ranks and groups: read, and replaced as one document.

use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Statement};
use time::OffsetDateTime;

use super::{
    AuditEntry, Organization, Store, StoreError, Writing,
    entity::{evidence_group, rank, role},
};
use crate::{
    domain::{Actor, Catalog, Group, GroupId, Rank, RankId, Role, RoleId},
    proto::AuditAction,
};

/// A catalog to put in place of the present one; names are normalised and not there twice.
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
}

/// A role or rank of a draft.
#[derive(Clone, Debug)]
pub struct DraftEntry {
    /// Name as written.
    pub name: String,
    /// Case-folded name.
    pub key: String,
    /// Case-folded name until now, where the entry is to be renamed.
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
    /// Other roles would be privileged than before, which the caller may not decide.
    #[error("other roles would be privileged")]
    OtherPrivileges,
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sea_orm::DbErr> for CatalogError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}

/// One of the three parts of a catalog; roles and ranks are alike, and groups have their external
/// ID for a key.
#[derive(Clone, Copy)]
struct Part {
    kind: &'static str,
    table: &'static str,
    key: &'static str,
    /// What people call an entry.
    label: &'static str,
    users_column: &'static str,
}

const ROLES: Part = Part {
    kind: "role",
    table: "roles",
    key: "name_key",
    label: "name",
    users_column: "role_id",
};
const RANKS: Part = Part {
    kind: "rank",
    table: "ranks",
    key: "name_key",
    label: "name",
    users_column: "rank_id",
};
const GROUPS: Part = Part {
    kind: "group",
    table: "evidence_groups",
    key: "external_id",
    label: "external_id",
    users_column: "group_id",
};

/// What is to become of a part: which entries go, and which number each entry of the draft has.
struct Assignment {
    removed: Vec<(i32, String)>,
    numbers: Vec<i32>,
    /// Numbers in use until now, with their keys.
    present: HashMap<i32, String>,
}

impl Store {
    /// Reads an organisation's catalog.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn catalog(&self, organization: i64) -> Result<Catalog, StoreError> {
        let tx = self.begin_reading().await?;
        let catalog = read(&tx, organization).await?;
        tx.commit().await?;
        Ok(catalog)
    }

    /// Replaces an organisation's catalog. Entries keep their number, and so their users, by name
    /// or by the name they had.
    ///
    /// # Errors
    /// Where an entry to remove is in use, or one to rename is not there; and, unless the caller
    /// `may_privilege`, where a privileged role would be added, renamed, removed or no longer so.
    pub async fn replace_catalog(
        &self,
        organization: &Organization,
        draft: &CatalogDraft,
        may_privilege: bool,
        actor: &Actor,
        now: OffsetDateTime,
    ) -> Result<Catalog, CatalogError> {
        let Organization { id, slug, .. } = organization;
        let organization = *id;
        let writing = self.begin().await?;
        writing.enter_alone(organization).await?;
        writing.touch(organization).await?;
        let present = read_keys(&writing, organization).await?;
        let roles = assign(ROLES, &present.roles, &entries(&draft.roles))?;
        let ranks = assign(RANKS, &present.ranks, &entries(&draft.ranks))?;
        let groups: Vec<_> = draft.groups.iter().map(group_entry).collect();
        let groups = assign(GROUPS, &present.groups, &groups)?;
        let privileged = privileged(draft, &roles);
        if !may_privilege && privileged != read_privileged(&writing, organization).await? {
            return Err(CatalogError::OtherPrivileges);
        }

        let parts = [(ROLES, &roles), (RANKS, &ranks), (GROUPS, &groups)];
        refuse_used(&writing, organization, &parts).await?;
        for (part, assignment) in parts {
            clear(&writing, organization, part, assignment).await?;
        }
        write_named(&writing, organization, ROLES, &roles, &draft.roles).await?;
        write_privileged(&writing, organization, privileged).await?;
        write_named(&writing, organization, RANKS, &ranks, &draft.ranks).await?;
        write_groups(&writing, organization, &groups, &draft.groups).await?;

        let catalog = read(&writing.tx, organization).await?;
        let entry = AuditEntry::done(now, actor, AuditAction::CatalogUpdated, slug)
            .with("roles", &catalog.roles.len())
            .with("ranks", &catalog.ranks.len())
            .with("groups", &catalog.groups.len());
        writing.note(organization, entry);
        writing.commit().await?;
        Ok(catalog)
    }
}

/// Reads the catalog within a transaction: roles and ranks by name, groups by external ID.
pub(super) async fn read(
    tx: &impl ConnectionTrait,
    organization: i64,
) -> Result<Catalog, StoreError> {
    let roles = role::Entity::find()
        .filter(role::Column::OrganizationId.eq(organization))
        .order_by_asc(role::Column::NameKey);
    let ranks = rank::Entity::find()
        .filter(rank::Column::OrganizationId.eq(organization))
        .order_by_asc(rank::Column::NameKey);
    let groups = evidence_group::Entity::find()
        .filter(evidence_group::Column::OrganizationId.eq(organization))
        .order_by_asc(evidence_group::Column::ExternalId);
    let ranks = ranks.all(tx).await?.into_iter().map(Rank::try_from);
    let groups = groups.all(tx).await?.into_iter().map(Group::try_from);
    Ok(Catalog {
        roles: roles.all(tx).await?.into_iter().map(Into::into).collect(),
        ranks: ranks.collect::<Result<_, _>>()?,
        groups: groups.collect::<Result<_, _>>()?,
    })
}

impl From<role::Model> for Role {
    fn from(model: role::Model) -> Self {
        Self {
            id: RoleId(model.id),
            name: model.name,
            privileged: model.privileged,
        }
    }
}

/// Numbers are given from 1 on.
fn numberless(what: &str) -> StoreError {
    StoreError::encoding(format!("a {what} of the catalog has the number 0"))
}

impl TryFrom<rank::Model> for Rank {
    type Error = StoreError;

    fn try_from(model: rank::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: RankId::new(model.id).ok_or_else(|| numberless("rank"))?,
            name: model.name,
        })
    }
}

impl TryFrom<evidence_group::Model> for Group {
    type Error = StoreError;

    fn try_from(model: evidence_group::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: GroupId::new(model.id).ok_or_else(|| numberless("group"))?,
            external_id: model.external_id,
            name: model.name,
            active: model.active,
        })
    }
}

/// Number and key of every entry in place.
struct Keys {
    roles: Vec<(i32, String)>,
    ranks: Vec<(i32, String)>,
    groups: Vec<(i32, String)>,
}

async fn read_keys(writing: &Writing, organization: i64) -> Result<Keys, StoreError> {
    Ok(Keys {
        roles: read_part(writing, organization, ROLES).await?,
        ranks: read_part(writing, organization, RANKS).await?,
        groups: read_part(writing, organization, GROUPS).await?,
    })
}

async fn read_part(
    writing: &Writing,
    organization: i64,
    part: Part,
) -> Result<Vec<(i32, String)>, StoreError> {
    let Part { table, key, .. } = part;
    let sql = format!("SELECT id, {key} FROM {table} WHERE organization_id = $1");
    let backend = writing.tx.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, sql, [organization.into()]);
    let rows = writing.tx.query_all_raw(statement).await?;
    rows.iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
        .collect()
}

/// Key now, key until now, and name of each entry.
type Entry<'a> = (&'a str, Option<&'a str>, &'a str);

fn entries(draft: &[DraftEntry]) -> Vec<Entry<'_>> {
    draft
        .iter()
        .map(|entry| (&*entry.key, entry.previous_key.as_deref(), &*entry.name))
        .collect()
}

fn group_entry(group: &DraftGroup) -> Entry<'_> {
    (&group.external_id, None, &group.name)
}

/// Gives each entry of the draft the number of the entry it continues, or a new one.
fn assign(
    part: Part,
    present: &[(i32, String)],
    draft: &[Entry<'_>],
) -> Result<Assignment, CatalogError> {
    let by_key: HashMap<&str, i32> = present.iter().map(|(id, key)| (&**key, *id)).collect();
    let mut next = present.iter().map(|(id, _)| *id).max().unwrap_or(0);
    let mut kept = HashSet::new();
    let mut numbers = Vec::with_capacity(draft.len());
    for &(key, previous, name) in draft {
        let continued = match previous {
            // A draft that was applied before names an entry that has its new name by now.
            Some(previous) => by_key.get(previous).or_else(|| by_key.get(key)),
            None => by_key.get(key),
        };
        let missing = previous.is_some() && continued.is_none();
        let twice = continued.is_some_and(|id| !kept.insert(*id));
        if missing || twice {
            return Err(CatalogError::NothingToRename(part.kind, name.to_owned()));
        }
        numbers.push(continued.copied().unwrap_or_else(|| {
            next += 1;
            next
        }));
    }
    let removed = present.iter().filter(|(id, _)| !kept.contains(id));
    Ok(Assignment {
        removed: removed.cloned().collect(),
        numbers,
        present: present.iter().cloned().collect(),
    })
}

async fn refuse_used(
    writing: &Writing,
    organization: i64,
    parts: &[(Part, &Assignment); 3],
) -> Result<(), CatalogError> {
    let mut used = Vec::new();
    for (part, assignment) in parts {
        for (id, _) in &assignment.removed {
            let (label, users) = read_usage(writing, organization, *part, *id).await?;
            if users > 0 {
                used.push((part.kind, label, users));
            }
        }
    }
    match used.is_empty() {
        true => Ok(()),
        false => Err(CatalogError::InUse(used)),
    }
}

/// What an entry is called, and how many users have it.
async fn read_usage(
    writing: &Writing,
    organization: i64,
    part: Part,
    id: i32,
) -> Result<(String, u64), StoreError> {
    let (table, label, column) = (part.table, part.label, part.users_column);
    let sql = format!(
        "SELECT {label}, (SELECT COUNT(*) FROM users WHERE organization_id = $1 AND {column} = $2) \
        FROM {table} WHERE organization_id = $1 AND id = $2"
    );
    let backend = writing.tx.get_database_backend();
    let values = [organization.into(), id.into()];
    let statement = Statement::from_sql_and_values(backend, sql, values);
    let Some(row) = writing.tx.query_one_raw(statement).await? else {
        return Ok((String::new(), 0));
    };
    let users: i64 = row.try_get_by_index(1)?;
    Ok((row.try_get_by_index(0)?, users.unsigned_abs()))
}

/// Removes what goes, and moves every key that stays out of the way, so that names can be swapped.
async fn clear(
    writing: &Writing,
    organization: i64,
    part: Part,
    assignment: &Assignment,
) -> Result<(), StoreError> {
    let Part { table, key, .. } = part;
    for (id, _) in &assignment.removed {
        let sql = format!("DELETE FROM {table} WHERE organization_id = $1 AND id = $2");
        let values = vec![organization.into(), (*id).into()];
        writing.execute(sql, values).await?;
    }
    // No key has a control character, so these meet none.
    let sql = format!("UPDATE {table} SET {key} = $2 || id WHERE organization_id = $1");
    let values = vec![organization.into(), "\u{1}".into()];
    writing.execute(sql, values).await.map(|_| ())
}

async fn write_named(
    writing: &Writing,
    organization: i64,
    part: Part,
    assignment: &Assignment,
    draft: &[DraftEntry],
) -> Result<(), StoreError> {
    let table = part.table;
    for (entry, id) in draft.iter().zip(&assignment.numbers) {
        let sql = match assignment.present.contains_key(id) {
            true => format!(
                "UPDATE {table} SET name = $3, name_key = $4 WHERE organization_id = $1 AND id = $2"
            ),
            false => format!(
                "INSERT INTO {table} (organization_id, id, name, name_key) VALUES ($1, $2, $3, $4)"
            ),
        };
        let values = vec![
            organization.into(),
            (*id).into(),
            entry.name.clone().into(),
            entry.key.clone().into(),
        ];
        writing.execute(sql, values).await?;
    }
    Ok(())
}

/// Number and key of each privileged role. A role is what its name says wherever users sign in, so one
/// that has another name is another.
type Privileged = HashSet<(i32, String)>;

fn privileged(draft: &CatalogDraft, roles: &Assignment) -> Privileged {
    let roles = draft.roles.iter().zip(&roles.numbers);
    let privileged = roles.filter(|(role, _)| draft.privileged.contains(&role.key));
    privileged
        .map(|(role, &id)| (id, role.key.clone()))
        .collect()
}

async fn read_privileged(writing: &Writing, organization: i64) -> Result<Privileged, StoreError> {
    let privileged = role::Entity::find()
        .filter(role::Column::OrganizationId.eq(organization))
        .filter(role::Column::Privileged.eq(true));
    let privileged = privileged.all(&writing.tx).await?.into_iter();
    Ok(privileged.map(|role| (role.id, role.name_key)).collect())
}

async fn write_privileged(
    writing: &Writing,
    organization: i64,
    privileged: Privileged,
) -> Result<(), StoreError> {
    let none = "UPDATE roles SET privileged = FALSE WHERE organization_id = $1";
    writing
        .execute(none.to_owned(), vec![organization.into()])
        .await?;
    for (id, _) in privileged {
        let one = "UPDATE roles SET privileged = TRUE WHERE organization_id = $1 AND id = $2";
        let values = vec![organization.into(), id.into()];
        writing.execute(one.to_owned(), values).await?;
    }
    Ok(())
}

async fn write_groups(
    writing: &Writing,
    organization: i64,
    assignment: &Assignment,
    draft: &[DraftGroup],
) -> Result<(), StoreError> {
    for (group, id) in draft.iter().zip(&assignment.numbers) {
        let sql = match assignment.present.contains_key(id) {
            true => {
                "UPDATE evidence_groups SET external_id = $3, name = $4, active = $5 \
                WHERE organization_id = $1 AND id = $2"
            }
            false => {
                "INSERT INTO evidence_groups (organization_id, id, external_id, name, active) \
                VALUES ($1, $2, $3, $4, $5)"
            }
        };
        let values = vec![
            organization.into(),
            (*id).into(),
            group.external_id.clone().into(),
            group.name.clone().into(),
            group.active.into(),
        ];
        writing.execute(sql.to_owned(), values).await?;
    }
    Ok(())
}

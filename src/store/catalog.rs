//! An organisation's catalog: its roles, ranks and groups, read and replaced as one document.

mod audit;
mod deceptive_names;
mod draft;
mod part;
mod part_change;
mod reader;
mod usage;
mod writer;

use std::collections::HashSet;

use time::OffsetDateTime;

use super::{AuditEntry, Organization, Store, StoreError};
use crate::{
    audit::AuditAction,
    domain::{AuditActor, Catalog},
};
use deceptive_names::refuse_deceptive_names;
pub(crate) use draft::{CatalogDraft, CatalogError, DeceptiveName, DraftEntry, DraftGroup};
use part::{CatalogPart, GROUPS, RANKS, ROLES};
use part_change::{PartChange, WantedEntry, assign};
use reader::read;
pub(super) use reader::read_of;
use usage::refuse_used;
use writer::{write, write_formats};

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
        let assigned = async |part: CatalogPart, wanted: Vec<WantedEntry<'_>>| {
            let present = part.read(&tx, organization).await?;
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
        refuse_deceptive_names(draft, &before, (&roles, &ranks, &groups))?;
        let privileged = privileged(draft, &roles);
        if !may_privilege && privileged != privileged_now(&before) {
            return Err(CatalogError::OtherPrivileges);
        }

        let parts = [(ROLES, &roles), (RANKS, &ranks), (GROUPS, &groups)];
        refuse_used(&tx, organization, &parts).await?;
        for (part, change) in parts {
            write(&tx, organization, part, change).await?;
        }

        write_formats(&tx, organization, draft).await?;
        let catalog = read(&tx.inner, organization).await?;
        let entry = AuditEntry::done(now, actor, AuditAction::CatalogUpdated, slug);
        tx.note(organization, audit::updated(entry, &before, &catalog));
        tx.commit().await?;
        Ok(catalog)
    }
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

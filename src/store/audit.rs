//! Audit events: appended at the end of the transaction that they describe, and read.
//!
//! A transaction notes its events as it goes and appends them when it commits, after everything else. So no other
//! transaction waits for a chain longer than a commit takes, and a transaction that is rolled back leaves no
//! event. The chain's head is one row for each organisation. It is locked from the append to the commit, so that
//! sequences have no gaps.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};
use time::OffsetDateTime;

use super::{
    Store, StoreError, WriteTransaction,
    audit_heads::ChainHead,
    entity::audit_event::{Column, Entity, Model},
    sql,
};
use crate::{
    audit::{AuditAction, AuditOutcome, NO_HASH, SERVER_CHAIN, hash},
    domain::AuditActor,
    proto::{AuditEvent, AuditHead, timestamp},
};

/// The number of the server's own chain; no organisation has it.
const SERVER: i64 = 0;

/// An event to append: who did what, and how it ended. An event never holds a value of a roster or of a user.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// When.
    pub at: OffsetDateTime,
    /// Who did it, and from which address.
    pub actor: AuditActor,
    /// What was done.
    pub action: AuditAction,
    /// What it was done to: an ID or a slug.
    pub subject: String,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// Counts and codes.
    pub details: BTreeMap<String, String>,
}

/// The events that a transaction has noted, each with its organisation.
#[derive(Debug, Default)]
pub(super) struct PendingAuditEvents(Mutex<Vec<(i64, AuditEntry)>>);

/// A page of an organisation's chain, and where the chain ended when it was read.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// The events, in the requested order.
    pub events: Vec<AuditEvent>,
    /// The end of the chain.
    pub head: AuditHead,
}

impl AuditEntry {
    /// An event of something that was done, without details.
    pub fn done(
        at: OffsetDateTime,
        actor: &AuditActor,
        action: AuditAction,
        subject: &impl ToString,
    ) -> Self {
        Self {
            at,
            actor: actor.clone(),
            action,
            subject: subject.to_string(),
            outcome: AuditOutcome::Done,
            details: BTreeMap::new(),
        }
    }

    /// The same with another outcome.
    #[must_use]
    pub fn ending(self, outcome: AuditOutcome) -> Self {
        Self { outcome, ..self }
    }

    /// The event after the one with `previous_hash`, without its own hash.
    fn event(&self, sequence: i64, previous_hash: Vec<u8>) -> AuditEvent {
        AuditEvent {
            sequence,
            at: Some(timestamp(self.at)),
            principal: self.actor.principal.clone(),
            address: self.actor.address.clone(),
            action: self.action as i32,
            subject: self.subject.clone(),
            outcome: self.outcome as i32,
            details: self.details.clone(),
            previous_hash,
            hash: Vec::new(),
        }
    }

    /// The same with one more detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: &impl ToString) -> Self {
        self.details.insert(name.to_owned(), value.to_string());
        self
    }
}

impl Store {
    /// The number of the chain of `organization`: a slug, or [`SERVER_CHAIN`].
    ///
    /// # Errors
    /// Fails with [`StoreError::UnknownOrganization`] if there is none.
    pub async fn audit_chain(&self, organization: &str) -> Result<i64, StoreError> {
        match organization {
            SERVER_CHAIN => Ok(SERVER),
            slug => Ok(self.organization(slug).await?.id),
        }
    }

    /// Appends an event of something that writes nothing else to the database.
    ///
    /// # Errors
    /// Fails if the database fails; the caller must then not do what the event describes.
    pub async fn audit(&self, organization: i64, entry: AuditEntry) -> Result<(), StoreError> {
        let tx = self.begin_for(organization).await?;
        tx.note(organization, entry);
        tx.commit().await
    }

    /// Returns up to `limit` events of a chain: those after `position`, or before it unless `oldest_first`.
    /// Without a position it begins at that end of the chain.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn audit_events(
        &self,
        chain: i64,
        position: Option<i64>,
        oldest_first: bool,
        limit: u64,
    ) -> Result<AuditPage, StoreError> {
        let mut select = Entity::find().filter(Column::OrganizationId.eq(chain));
        if let Some(position) = position {
            select = select.filter(match oldest_first {
                true => Column::Sequence.gt(position),
                false => Column::Sequence.lt(position),
            });
        }
        let select = match oldest_first {
            true => select.order_by_asc(Column::Sequence),
            false => select.order_by_desc(Column::Sequence),
        };
        // One snapshot for both: an event may be appended at any time.
        let tx = self.begin_reading().await?;
        let found = select.limit(limit).all(&tx).await?;
        let head = read_head(&tx, chain).await?;
        tx.commit().await?;
        let events = found.into_iter().map(AuditEvent::from).collect();
        Ok(AuditPage { events, head })
    }
}

async fn read_head(tx: &impl ConnectionTrait, chain: i64) -> Result<AuditHead, StoreError> {
    let sql = "SELECT sequence, hash FROM audit_heads WHERE organization_id = $1";
    let Some(row) = sql::query_one(tx, sql, [chain.into()]).await? else {
        return Ok(AuditHead {
            sequence: 0,
            hash: NO_HASH.to_vec(),
        });
    };
    Ok(AuditHead {
        sequence: row.try_get_by_index(0)?,
        hash: row.try_get_by_index(1)?,
    })
}

impl PendingAuditEvents {
    fn add(&self, organization: i64, entry: AuditEntry) {
        self.0.lock().push((organization, entry));
    }

    fn take(&self) -> Vec<(i64, AuditEntry)> {
        std::mem::take(&mut self.0.lock())
    }
}

impl WriteTransaction {
    /// Notes an event of this transaction. The commit appends it.
    pub(super) fn note(&self, organization: i64, entry: AuditEntry) {
        self.pending_events.add(organization, entry);
    }

    /// Appends the noted events. Returns where their chains end once this transaction has committed.
    pub(super) async fn append_pending_events(&self) -> Result<Vec<ChainHead>, StoreError> {
        let mut chains: BTreeMap<i64, Vec<AuditEntry>> = BTreeMap::new();
        for (organization, entry) in self.pending_events.take() {
            chains.entry(organization).or_default().push(entry);
        }
        let mut heads = Vec::new();
        for (organization, entries) in chains {
            heads.push(self.append(organization, &entries).await?);
        }
        Ok(heads)
    }

    /// Appends events to one chain, and returns its new head. Tries it first after the head that this process has seen
    /// last, which takes one statement less than to ask for the head.
    async fn append(
        &self,
        organization: i64,
        entries: &[AuditEntry],
    ) -> Result<ChainHead, StoreError> {
        if let Some(known) = self.audit_heads.head(organization)
            && let Some(head) = self.append_after(known, entries).await?
        {
            return Ok(head);
        }
        let locked = self.lock_chain(organization).await?;
        let head = self.append_after(locked, entries).await?;
        head.ok_or_else(|| StoreError::encoding("the head of an audit chain is gone"))
    }

    /// Appends events if their chain ends with this `head`, and locks the chain until the commit. Returns the new head, or
    /// `None` if the chain has another one.
    async fn append_after(
        &self,
        head: ChainHead,
        entries: &[AuditEntry],
    ) -> Result<Option<ChainHead>, StoreError> {
        let (organization, mut end) = (head.chain, head.clone());
        let mut rows = Vec::with_capacity(entries.len());
        for entry in entries {
            end.sequence += 1;
            let mut event = entry.event(end.sequence, std::mem::take(&mut end.hash));
            event.hash = hash(&end.name, &event).to_vec();
            end.hash.clone_from(&event.hash);
            rows.push(row(organization, entry.at, event)?.into_active_model());
        }
        let sql = "UPDATE audit_heads SET sequence = $4, hash = $5 \
            WHERE organization_id = $1 AND sequence = $2 AND hash = $3";
        let (before, after) = ((head.sequence, head.hash), (end.sequence, end.hash.clone()));
        let values = [
            organization.into(),
            before.0.into(),
            before.1.into(),
            after.0.into(),
            after.1.into(),
        ];
        if self.execute(sql, values).await? == 0 {
            return Ok(None);
        }
        Entity::insert_many(rows)
            .exec_without_returning(&self.inner)
            .await?;
        Ok(Some(end))
    }

    /// Locks the chain's head until the commit, and returns it with the chain's name.
    async fn lock_chain(&self, organization: i64) -> Result<ChainHead, StoreError> {
        let sql = "INSERT INTO audit_heads (organization_id, sequence, hash) VALUES ($1, 0, $2) \
            ON CONFLICT (organization_id) DO UPDATE SET sequence = audit_heads.sequence \
            RETURNING sequence, hash";
        let values = [organization.into(), NO_HASH.to_vec().into()];
        let Some(row) = self.query_one(sql, values).await? else {
            return Err(StoreError::encoding("the head of an audit chain is gone"));
        };
        Ok(ChainHead {
            chain: organization,
            name: self.chain_name(organization).await?,
            sequence: row.try_get_by_index(0)?,
            hash: row.try_get_by_index(1)?,
        })
    }

    async fn chain_name(&self, organization: i64) -> Result<String, StoreError> {
        if organization == SERVER {
            return Ok(SERVER_CHAIN.to_owned());
        }
        if let Some(head) = self.audit_heads.head(organization) {
            return Ok(head.name);
        }
        let sql = "SELECT slug FROM organizations WHERE id = $1";
        let row = self.query_one(sql, [organization.into()]).await?;
        Ok(row
            .ok_or(StoreError::UnknownOrganization)?
            .try_get_by_index(0)?)
    }
}

fn row(organization_id: i64, at: OffsetDateTime, event: AuditEvent) -> Result<Model, StoreError> {
    Ok(Model {
        organization_id,
        sequence: event.sequence,
        at,
        principal: event.principal,
        address: event.address,
        action: event.action,
        subject: event.subject,
        outcome: event.outcome,
        details: serde_json::to_string(&event.details).map_err(StoreError::encoding)?,
        previous_hash: event.previous_hash,
        hash: event.hash,
    })
}

impl From<Model> for AuditEvent {
    fn from(row: Model) -> Self {
        // Somebody has changed details that cannot be read; they are shown as they are.
        let unreadable = |_| BTreeMap::from([("unreadable".to_owned(), row.details.clone())]);
        Self {
            sequence: row.sequence,
            at: Some(timestamp(row.at)),
            principal: row.principal,
            address: row.address,
            action: row.action,
            subject: row.subject,
            outcome: row.outcome,
            details: serde_json::from_str(&row.details).unwrap_or_else(unreadable),
            previous_hash: row.previous_hash,
            hash: row.hash,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::AuditChain;

    async fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let store = Store::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        (folder, store)
    }

    fn revoked(token: &str) -> AuditEntry {
        let actor = AuditActor {
            principal: "operator".to_owned(),
            address: String::new(),
        };
        let now = OffsetDateTime::UNIX_EPOCH;
        AuditEntry::done(now, &actor, AuditAction::TokenRevoked, &token)
    }

    #[tokio::test]
    async fn the_server_has_a_chain_of_its_own() {
        let (_folder, store) = store().await;
        let chain = store.audit_chain(SERVER_CHAIN).await.unwrap();
        for token in ["a", "b"] {
            store.audit(chain, revoked(token)).await.unwrap();
        }
        let page = store.audit_events(chain, None, true, 10).await.unwrap();
        let mut followed = AuditChain::new(SERVER_CHAIN);
        for event in &page.events {
            followed.follow(event).unwrap();
        }
        assert_eq!(followed.end(&page.head).unwrap().sequence, 2);
    }

    #[tokio::test]
    async fn a_transaction_that_does_not_commit_leaves_no_event() {
        let (_folder, store) = store().await;
        let tx = store.begin().await.unwrap();
        tx.note(SERVER, revoked("a"));
        tx.append_pending_events().await.unwrap();
        drop(tx);
        let page = store.audit_events(SERVER, None, true, 10).await.unwrap();
        assert_eq!((page.events.len(), page.head.sequence), (0, 0));
    }
}

//! Archives of audit trails: an event of the trail records each, and old events that are archived are removed.
//!
//! Triggers refuse to remove an event that comes after the last recorded archive (migration `archived_audit_events`).

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use time::OffsetDateTime;
use tracing::info;

use super::{
    AuditEntry, Store, StoreError, WriteTransaction,
    entity::audit_event::{Column, Entity},
    sql,
};
use crate::audit::{AuditAction, NotedHead};

/// The action of the events that record archives. The index of these events names its number.
const ARCHIVED: i32 = AuditAction::EventsArchived as i32;

/// Most events that one transaction removes.
const REMOVED_AT_ONCE: u64 = 500;

/// An archive of some events of a trail.
#[derive(Clone, Debug)]
pub struct AuditArchive {
    /// It begins after the event with this sequence; 0: with the first event that there was.
    pub after: i64,
    /// Its last event.
    pub last: NotedHead,
}

/// Why an archive was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Events before it are in no recorded archive.
    #[error(
        "only events up to {0} are in archives that are recorded; export again, from there on or all that there are"
    )]
    Gap(i64),
    /// The trail has no such event.
    #[error("the trail does not have the event with which the archive ends")]
    Differs,
    /// Any other failure.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The newest event of a trail that records an archive.
#[derive(Debug)]
struct LastArchiveEvent {
    /// Its sequence.
    sequence: i64,
    /// Sequence of the last archived event.
    through: i64,
}

impl Store {
    /// Records in a trail that its events up to one of them are archived; `entry` has the time and the principal. If
    /// all events since the last such record are such records themselves, no record is added. Returns the sequence of
    /// the event that records it.
    ///
    /// # Errors
    /// Fails if the trail does not have that event, if events before the archive are in no archive, or if the database
    /// fails.
    pub async fn record_audit_archive(
        &self,
        chain: i64,
        archive: &AuditArchive,
        entry: AuditEntry,
    ) -> Result<i64, ArchiveError> {
        let tx = self.begin_for(chain).await?;
        let newest = tx.lock_newest_event(chain).await?;
        let recorded = last_record(&tx.inner, chain).await?;
        let through = recorded.as_ref().map_or(0, |record| record.through);
        let last = &archive.last;
        let found = hash_of(&tx.inner, chain, last.sequence).await?;
        match found {
            Some(hash) if hash == last.hash => {}
            // The event was archived before, and has been removed since.
            None if last.sequence <= through => {}
            _ => return Err(ArchiveError::Differs),
        }
        if archive.after > through {
            return Err(ArchiveError::Gap(through));
        }
        if let Some(record) = recorded
            && !has_other_events(&tx.inner, chain, through, last.sequence).await?
        {
            return Ok(record.sequence);
        }
        let entry = entry
            .with("through", &last.sequence)
            .with("hash", &hex::encode(&last.hash))
            .with("events", &(last.sequence - through));
        tx.note(chain, entry);
        tx.commit().await?;
        Ok(newest + 1)
    }

    /// Removes the archived events of every trail that happened before `moment`, up to the first that did not. Returns
    /// how many there were.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn expire_audit_events(&self, moment: OffsetDateTime) -> Result<u64, StoreError> {
        let mut removed = 0;
        for row in sql::query_all(&self.db, archived_chains(), []).await? {
            let chain = row.try_get_by_index(0)?;
            if let Some(record) = last_record(&self.db, chain).await? {
                removed += self.expire_trail(chain, record.through, moment).await?;
            }
        }
        Ok(removed)
    }

    async fn expire_trail(
        &self,
        chain: i64,
        through: i64,
        moment: OffsetDateTime,
    ) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            let oldest = Entity::find()
                .select_only()
                .columns([Column::Sequence, Column::At])
                .filter(Column::OrganizationId.eq(chain))
                .filter(Column::Sequence.lte(through))
                .order_by_asc(Column::Sequence)
                .limit(REMOVED_AT_ONCE)
                .into_tuple::<(i64, OffsetDateTime)>()
                .all(&self.db)
                .await?;
            let old = oldest.iter().take_while(|(_, at)| *at < moment);
            let Some(&(last, _)) = old.last() else {
                break;
            };
            let tx = self.begin_for(chain).await?;
            let delete = "DELETE FROM audit_events WHERE organization_id = $1 AND sequence <= $2";
            removed += tx.execute(delete, [chain.into(), last.into()]).await?;
            tx.commit().await?;
        }
        if removed > 0 {
            info!(
                chain,
                removed, through, "archived events of an audit trail were removed"
            );
        }
        Ok(removed)
    }
}

impl WriteTransaction {
    /// Keeps other transactions from appending events to the chain until this one ends. Returns the newest event's
    /// sequence.
    async fn lock_newest_event(&self, chain: i64) -> Result<i64, StoreError> {
        let lock = sql::SqlDialect::of(&self.inner).lock_rows();
        let sql = format!("SELECT sequence FROM audit_heads WHERE organization_id = $1 {lock}");
        let row = self.query_one(sql, [chain.into()]).await?;
        let sequence = row.map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(sequence.unwrap_or(0))
    }
}

fn archived_chains() -> String {
    format!("SELECT DISTINCT organization_id FROM audit_events WHERE action = {ARCHIVED}")
}

fn last_record_of_chain() -> String {
    format!(
        "SELECT sequence, details FROM audit_events WHERE organization_id = $1 AND action = {ARCHIVED} \
        ORDER BY sequence DESC LIMIT 1"
    )
}

async fn last_record(
    db: &impl ConnectionTrait,
    chain: i64,
) -> Result<Option<LastArchiveEvent>, StoreError> {
    let found = sql::query_one(db, last_record_of_chain(), [chain.into()]).await?;
    let Some(row) = found else {
        return Ok(None);
    };
    let details: String = row.try_get_by_index(1)?;
    let details = serde_json::from_str::<serde_json::Value>(&details).unwrap_or_default();
    // If somebody has changed the record, nothing counts as archived.
    let through = details["through"].as_str().map(str::parse);
    Ok(Some(LastArchiveEvent {
        sequence: row.try_get_by_index(0)?,
        through: through.and_then(Result::ok).unwrap_or(0),
    }))
}

/// Returns `true` if an event after the first one and up to the last one is no record of an archive.
async fn has_other_events(
    db: &impl ConnectionTrait,
    chain: i64,
    after: i64,
    last: i64,
) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT 1 FROM audit_events WHERE organization_id = $1 AND sequence > $2 AND sequence <= $3 \
        AND action <> {ARCHIVED} LIMIT 1"
    );
    let values = [chain.into(), after.into(), last.into()];
    Ok(sql::query_one(db, sql, values).await?.is_some())
}

async fn hash_of(
    db: &impl ConnectionTrait,
    chain: i64,
    sequence: i64,
) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT hash FROM audit_events WHERE organization_id = $1 AND sequence = $2";
    let row = sql::query_one(db, sql, [chain.into(), sequence.into()]).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{audit::SERVER_CHAIN, domain::AuditActor};

    fn entry(action: AuditAction, seconds: u64) -> AuditEntry {
        let actor = AuditActor {
            principal: "operator".to_owned(),
            address: String::new(),
        };
        let at = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(seconds);
        AuditEntry::done(at, &actor, action, &"subject")
    }

    async fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let store = Store::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn records_of_archives_are_found_without_a_scan() {
        let (_folder, store) = store().await;
        for (sql, values) in [
            (archived_chains(), Vec::new()),
            (last_record_of_chain(), vec![sea_orm::Value::from(1_i64)]),
        ] {
            let explained = sql::query_all(&store.db, format!("EXPLAIN QUERY PLAN {sql}"), values);
            for step in explained.await.unwrap() {
                let step: String = step.try_get("", "detail").unwrap();
                assert!(step.contains("INDEX audit_archives"), "{step}");
            }
        }
    }

    #[tokio::test]
    async fn events_are_removed_in_batches_up_to_the_first_that_is_young() {
        let (_folder, store) = store().await;
        let chain = store.audit_chain(SERVER_CHAIN).await.unwrap();
        let many = REMOVED_AT_ONCE + 20;
        let tx = store.begin_for(chain).await.unwrap();
        for number in 1..=many {
            // An event that began later may be committed first.
            let seconds = if number == many - 5 { 9_999 } else { number };
            tx.note(chain, entry(AuditAction::TokenRevoked, seconds));
        }
        tx.commit().await.unwrap();
        let page = store.audit_events(chain, None, false, 1).await.unwrap();
        let archive = AuditArchive {
            after: 0,
            last: NotedHead {
                sequence: page.head.sequence,
                hash: page.head.hash,
            },
        };
        let record = entry(AuditAction::EventsArchived, 1);
        let recorded = store.record_audit_archive(chain, &archive, record).await;
        assert_eq!(recorded.unwrap(), page.head.sequence + 1);
        for (moment, removed) in [
            (11, 10),
            (11, 0),
            (5_000, many - 16),
            (5_000, 0),
            (10_000, 6),
        ] {
            let moment = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(moment);
            let found = store.expire_audit_events(moment).await.unwrap();
            assert_eq!(found, removed, "{moment}");
        }
        // The record of the last archive stays.
        let page = store.audit_events(chain, None, true, 9).await.unwrap();
        assert_eq!(page.events.len(), 1);
    }
}

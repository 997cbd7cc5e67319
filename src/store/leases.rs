//! Who may write to an organisation, across all servers on the same database, by the database's clock (semantics §8).
//!
//! A lease has a number that grows each time the lease is taken. Taking it locks the organisation's row, as every
//! write transaction does, and so waits for a running transaction. Each transaction then checks that its lease's
//! number is still the current one. Renewing a lease writes to the lease's own row only.
//!
//! Imports of one process take the lease in order of arrival, which is the importer's concern. Between processes the
//! lease's row names the server that is next ([`Store::ask_to_be_next`]): once the lease is free, the others leave it to
//! that server for a moment. A server asks only while another one has the lease or is next, so servers take turns.
//!
//! An import of few rows takes the lease in the transaction that writes them, and the lease is free once that has
//! committed ([`Store::begin_whole`]). Nobody else ever sees such a lease, but its number has grown.
//!
//! A lease that was given back has the time 0, and is never renewed again. On SQLite a renewal may have to wait for the
//! single writer longer than the lease lasts. So a lease that this process holds counts as alive here, whatever its
//! time says ([`Store::keep_lease_alive`]). Each transaction renews all of them at its end, for other processes to see,
//! unless another one has just done so.

mod row;
mod statements;

use std::time::Duration;

use uuid::Uuid;

use super::{AttemptOpening, ImportRecord, Store, StoreError, WriteVolume, sql::millis};
use row::read_lease;

/// How long a lease lasts without a heartbeat, unless the settings say otherwise.
pub(crate) const DEFAULT_LEASE: Duration = Duration::from_secs(15);

/// How long a free lease is left to the server that has asked to be next. It asks again three times in this time.
pub(crate) const NEXT_FOR: Duration = Duration::from_millis(900);

/// Bounds of the time after which an import that was turned away should try again, if the holder is alive.
const RETRY_SOONEST: Duration = Duration::from_millis(100);
const RETRY_LATEST: Duration = Duration::from_secs(1);

/// A lease that this process has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The organisation.
    pub organization: i64,
    /// Fencing number.
    pub number: i64,
}

/// The import that holds an organisation's lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseHolder {
    /// Its ID.
    pub import: Uuid,
    /// How long this import has held the lease.
    pub running: Duration,
    /// How long until the lease runs out unless it is renewed.
    pub runs_out: Duration,
    /// The lease has been renewed lately, so the server of this import is likely to be alive.
    pub is_alive: bool,
}

/// What an import needs to take the lease.
#[derive(Clone, Copy, Debug)]
pub struct LeaseRequest<'a> {
    /// The organisation.
    pub organization: i64,
    /// The import.
    pub import: Uuid,
    /// The server that runs it.
    pub server: Uuid,
    /// How long a lease lasts without a renewal.
    pub ttl: Duration,
    /// The record of the attempt, to be stored together with the lease; `None` if it is stored already.
    pub opening: Option<&'a ImportRecord>,
    /// Look before asking: another import had the lease when it was last asked for.
    pub is_repeated: bool,
    /// Take the lease even if another server is next.
    pub out_of_turn: bool,
}

/// How long a lease that is taken belongs to its import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeaseTerm {
    /// Until it is given back, as long as it is renewed.
    UntilReleased,
    /// Until the transaction that takes it ends. Once that has committed, the lease is free.
    Transaction,
}

/// What became of a request for the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseAnswer {
    /// It is taken, and the record of the attempt is stored.
    Taken(Lease),
    /// Another import holds it.
    Held(LeaseHolder),
    /// It is free, but another server is next.
    Promised,
    /// A transaction keeps others out. It may be the only one of an import, which takes the lease and gives it back.
    Busy,
    /// It is free, but the attempt cannot be recorded under its ID.
    NotRecorded(AttemptOpening),
}

impl LeaseHolder {
    /// How long an import that was turned away should wait before it tries again: as long as the holder has been
    /// running if it is alive, within bounds; else until its lease runs out.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        match self.is_alive {
            true => self.running.clamp(RETRY_SOONEST, RETRY_LATEST),
            false => self.runs_out.max(RETRY_LATEST),
        }
    }
}

impl Store {
    /// Returns the import that holds the organisation's lease now, if any does.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn holder(
        &self,
        organization: i64,
        ttl: Duration,
    ) -> Result<Option<LeaseHolder>, StoreError> {
        let own = self.heartbeat.held(organization);
        let row = self.retry(|| read_lease(&self.db, organization)).await?;
        Ok(row.and_then(|row| row.holder(own, ttl)))
    }

    /// Takes the lease for an import, unless another import holds it or another server is next, and records the attempt
    /// in the same transaction.
    ///
    /// # Errors
    /// Fails if the database fails.
    #[tracing::instrument(level = "debug", skip_all)]
    pub async fn take_lease(&self, request: LeaseRequest<'_>) -> Result<LeaseAnswer, StoreError> {
        self.retry(|| self.take_lease_once(request)).await
    }

    async fn take_lease_once(&self, request: LeaseRequest<'_>) -> Result<LeaseAnswer, StoreError> {
        let organization = request.organization;
        let own = self.heartbeat.held(organization);
        if request.is_repeated
            && let Some(row) = read_lease(&self.db, organization).await?
            && let Some(answer) = row.refusal(request, own)
        {
            return Ok(answer);
        }
        let tx = self.begin_for(organization).await?;
        // An import does not hold a connection while it waits for a holder that is writing, except in its last try.
        let (volume, term) = (WriteVolume::Any, LeaseTerm::UntilReleased);
        let enters = match request.out_of_turn {
            true => tx.enter_exclusive(organization).await.map(|()| true)?,
            false => tx.try_enter_exclusive(organization, volume).await?,
        };
        let taken = match enters {
            true => tx.seize_lease(request, own, term).await?,
            false => None,
        };
        let Some(lease) = taken else {
            let row = read_lease(&tx.inner, organization).await?;
            let refusal = row.and_then(|row| row.refusal(request, own));
            return Ok(refusal.unwrap_or(match enters {
                true => LeaseAnswer::Promised,
                false => LeaseAnswer::Busy,
            }));
        };
        if let Some(record) = request.opening {
            let opening = tx.record_attempt(record).await?;
            if opening != AttemptOpening::Recorded {
                return Ok(LeaseAnswer::NotRecorded(opening));
            }
        }
        tx.commit().await?;
        Ok(LeaseAnswer::Taken(lease))
    }

    /// Asks for the lease to be left to `server` for the next [`NEXT_FOR`]. Returns `false` if another server has asked
    /// before.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn ask_to_be_next(
        &self,
        organization: i64,
        server: Uuid,
    ) -> Result<bool, StoreError> {
        self.retry(|| async {
            let now = self.dialect().now_ms();
            let sql = format!(
                "UPDATE import_leases SET next_server = $2, next_ms = {now} \
                WHERE organization_id = $1 \
                AND (next_server IS NULL OR next_server = $2 OR next_ms + $3 <= {now})"
            );
            let values = [organization.into(), server.into(), millis(NEXT_FOR).into()];
            let tx = self.begin_for(organization).await?;
            let is_next = tx.execute(sql, values).await? > 0;
            tx.commit().await?;
            Ok(is_next)
        })
        .await
    }

    /// Renews a lease. Returns `false` if it was given back, or another lease has been taken since.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn renew_lease(&self, lease: Lease) -> Result<bool, StoreError> {
        let tx = self.begin_for_heartbeat().await?;
        let renewed = tx.renew(lease).await?;
        tx.commit().await?;
        Ok(renewed)
    }

    /// Gives a lease back, unless another lease has been taken since.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn release_lease(&self, lease: Lease) -> Result<(), StoreError> {
        let tx = self.begin_for(lease.organization).await?;
        tx.release(lease).await?;
        tx.commit().await
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::ConnectionTrait;
    use time::OffsetDateTime;

    use super::*;
    use crate::{domain::AuditActor, store::WriteError};

    async fn organization(store: &Store, slug: &str) -> i64 {
        let (actor, now) = (AuditActor::default(), OffsetDateTime::UNIX_EPOCH);
        let made = store.create_organization(slug, slug, &actor, now);
        made.await.unwrap().id
    }

    fn request(organization: i64, server: u128, out_of_turn: bool) -> LeaseRequest<'static> {
        LeaseRequest {
            organization,
            import: Uuid::now_v7(),
            server: Uuid::from_u128(server),
            ttl: Duration::from_mins(1),
            opening: None,
            is_repeated: out_of_turn,
            out_of_turn,
        }
    }

    async fn ask(store: &Store, organization: i64, server: u128, out_of_turn: bool) -> LeaseAnswer {
        let request = request(organization, server, out_of_turn);
        store.take_lease(request).await.unwrap()
    }

    async fn take(store: &Store, organization: i64) -> Lease {
        match ask(store, organization, 1, false).await {
            LeaseAnswer::Taken(lease) => lease,
            other => panic!("{other:?}"),
        }
    }

    async fn store(folder: &tempfile::TempDir) -> Store {
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let store = Store::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        store
    }

    #[tokio::test]
    async fn a_free_lease_is_left_to_the_server_that_asked_first_to_be_next() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let pd = organization(&store, "pd").await;
        let lease = take(&store, pd).await;
        for (server, is_next) in [(2, true), (3, false), (2, true)] {
            let asked = store.ask_to_be_next(pd, Uuid::from_u128(server));
            assert_eq!(asked.await.unwrap(), is_next);
        }
        let held = ask(&store, pd, 2, true).await;
        assert!(matches!(held, LeaseAnswer::Held(_)), "{held:?}");
        store.release_lease(lease).await.unwrap();
        for server in [1, 3] {
            assert_eq!(ask(&store, pd, server, false).await, LeaseAnswer::Promised);
        }
        let LeaseAnswer::Taken(lease) = ask(&store, pd, 2, false).await else {
            panic!("the second server is next");
        };
        // The server that asked has had its turn; the next one to ask is next.
        store.release_lease(lease).await.unwrap();
        let lease = take(&store, pd).await;
        store.ask_to_be_next(pd, Uuid::from_u128(3)).await.unwrap();
        store.release_lease(lease).await.unwrap();
        assert_eq!(ask(&store, pd, 1, false).await, LeaseAnswer::Promised);
        let waited = ask(&store, pd, 1, true).await;
        assert!(matches!(waited, LeaseAnswer::Taken(_)), "{waited:?}");
    }

    #[tokio::test]
    async fn a_lease_that_is_taken_for_one_transaction_is_free_after_it_and_fences_earlier_ones() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let pd = organization(&store, "pd").await;
        let (actor, now) = (AuditActor::default(), OffsetDateTime::UNIX_EPOCH);
        let begin = |server| {
            let request = request(pd, server, false);
            let (store, actor) = (&store, &actor);
            async move { store.begin_whole(request, actor, now).await.unwrap() }
        };
        let earlier = take(&store, pd).await;
        assert!(begin(1).await.is_none(), "an import has the lease");
        store.ask_to_be_next(pd, Uuid::from_u128(2)).await.unwrap();
        store.release_lease(earlier).await.unwrap();
        assert!(begin(1).await.is_none(), "another server is next");
        let mut whole = begin(2).await.expect("the lease is free");
        whole.claim(false).await.unwrap();
        whole.commit().await.unwrap();
        assert_eq!(
            store.holder(pd, Duration::from_mins(1)).await.unwrap(),
            None
        );
        let late = store.begin_write((earlier, Uuid::now_v7()), WriteVolume::Any, &actor, now);
        let lost = late.await.unwrap().claim(false).await;
        assert!(matches!(lost, Err(WriteError::LeaseLost)), "{lost:?}");
        let next = take(&store, pd).await;
        assert_eq!(next.number, earlier.number + 2);
    }

    #[tokio::test]
    async fn a_server_that_does_not_ask_again_is_no_longer_next() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let pd = organization(&store, "pd").await;
        let lease = take(&store, pd).await;
        store.ask_to_be_next(pd, Uuid::from_u128(2)).await.unwrap();
        store.release_lease(lease).await.unwrap();
        let sql = format!(
            "UPDATE import_leases SET next_ms = next_ms - {}",
            millis(NEXT_FOR)
        );
        store.db.execute_unprepared(&sql).await.unwrap();
        take(&store, pd).await;
    }

    #[tokio::test]
    async fn a_lease_that_was_given_back_is_not_renewed() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let pd = organization(&store, "pd").await;
        let lease = take(&store, pd).await;
        let _alive = store.keep_lease_alive(lease);
        assert!(store.renew_lease(lease).await.unwrap());
        store.release_lease(lease).await.unwrap();
        assert!(!store.renew_lease(lease).await.unwrap());
        let ttl = Duration::from_mins(1);
        assert_eq!(store.holder(pd, ttl).await.unwrap(), None);
    }

    /// Makes every lease and heartbeat old, as after a very long transaction.
    async fn age(store: &Store) {
        for sql in [
            "UPDATE import_leases SET renewed_ms = 1",
            "UPDATE servers SET heartbeat_ms = 1",
        ] {
            store.db.execute_unprepared(sql).await.unwrap();
        }
    }

    #[tokio::test]
    async fn on_sqlite_a_transaction_renews_the_leases_that_waited_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let store = store(&folder).await;
        let (one, other) = (
            organization(&store, "one").await,
            organization(&store, "other").await,
        );
        let (writer, waiting) = (take(&store, one).await, take(&store, other).await);
        let server = Uuid::now_v7();
        store.record_heartbeat(server).await.unwrap();
        let hold = (
            store.keep_lease_alive(writer),
            store.keep_lease_alive(waiting),
        );
        age(&store).await;

        let elsewhere = Store::connect(&url).await.unwrap();
        let ttl = Duration::from_mins(1);
        assert_eq!(elsewhere.holder(other, ttl).await.unwrap(), None);
        assert!(store.holder(other, ttl).await.unwrap().is_some());
        let (actor, now) = (AuditActor::default(), OffsetDateTime::UNIX_EPOCH);
        let write = store.begin_write((writer, Uuid::now_v7()), WriteVolume::Any, &actor, now);
        let mut write = write.await.unwrap();
        write.claim(false).await.unwrap();
        write.commit().await.unwrap();
        assert!(elsewhere.holder(other, ttl).await.unwrap().is_some());
        assert!(elsewhere.is_alive(server, ttl).await.unwrap());

        drop(hold);
        age(&store).await;
        assert_eq!(store.holder(other, ttl).await.unwrap(), None);
    }
}

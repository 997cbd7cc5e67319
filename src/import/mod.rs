//! The life of one import: receive → plan → guard → apply → deactivate → summary (semantics §3).
//!
//! This module knows neither tonic nor SQL. Requests come in as a stream and responses go out through a
//! [`ResponseSender`], so a test can drive an import with a list of messages.

mod apply;
mod attempt;
mod held;
mod inspection;
mod lease;
mod messages;
mod receive;
pub(crate) mod record;
mod refusal;
pub(crate) mod respond;
mod review;
mod roster_rows;
mod stages;
mod undo;
mod upload;
mod watch;

use std::{collections::HashSet, sync::Arc, time::Duration};

use parking_lot::Mutex;
use time::OffsetDateTime;
use tokio::time::interval;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;
use uuid::Uuid;

use receive::ImportLimiter;
use upload::UploadRuns;

pub use crate::clock::Clock;
pub(crate) use inspection::InspectedRoster;
pub(crate) use receive::parse_filter;
pub use receive::{ImportOptions, ReceivedRoster, ResultFilter, RosterReceiver, read_phone};
pub(crate) use receive::{
    RequestStream, UndoRequest, UploadBuffer, expect_one_mapping, mapping_faults,
};
pub(crate) use record::WatchRequest;
pub(crate) use refusal::RefusalKind;
pub use refusal::{ImportError, Refusal};
pub use respond::ResponseSender;
pub(crate) use respond::ResponseStream;
pub(crate) use review::{ApprovalTerms, HeldAction};
pub use review::{PlannedImport, PlanningInput};
pub(crate) use roster_rows::{RosterRow, WantedRows};
pub use stages::Submitter;

use crate::{
    access::{Authenticator, Principal, ResultAudience},
    config::Settings,
    limits::{MemoryAccount, MemoryExhausted, ServerLimits},
    store::{
        AttemptRetention, ConnectionLane, LanePermit, Organization, RetryPolicy, Store, StoreError,
    },
};

/// Pause between two removals of recorded attempts that exceed the limit.
const ATTEMPT_EXPIRY_INTERVAL: Duration = Duration::from_secs(5);

/// Pause between two looks at the imports that are held for review.
const HELD_INTERVAL: Duration = Duration::from_secs(15);

/// Pause between two checks that no audit trail was cut off.
const AUDIT_CHECK_INTERVAL: Duration = Duration::from_secs(15);

/// Runs imports.
#[derive(Clone, Debug)]
pub struct Importer {
    store: Store,
    settings: Arc<Settings>,
    clock: Clock,
    limiter: ImportLimiter,
    /// Checks again that a credential is still valid.
    authenticator: Authenticator,
    /// ID of this server process among those on the same database.
    server: Uuid,
    /// Cancelled when the server shuts down.
    stop: CancellationToken,
    /// Counts the imports that are being applied.
    applying: TaskTracker,
    /// The uploads whose imports this process runs.
    runs: UploadRuns,
    /// Organisations with an attempt that has ended before it applied anything, since old attempts were last removed.
    attempted: Arc<Mutex<HashSet<i64>>>,
}

impl Importer {
    /// Makes an importer into this database. It stops when `stop` is cancelled.
    #[must_use]
    pub fn new(
        store: &Store,
        settings: Arc<Settings>,
        clock: Clock,
        authenticator: Authenticator,
        stop: CancellationToken,
    ) -> Self {
        let retries = RetryPolicy::new(settings.database_patience, stop.clone());
        Self {
            store: store.on_lane(ConnectionLane::Imports).with_retries(retries),
            limiter: ImportLimiter::new(&settings.server),
            settings,
            clock,
            authenticator,
            server: Uuid::now_v7(),
            stop,
            applying: TaskTracker::new(),
            runs: UploadRuns::default(),
            attempted: Arc::default(),
        }
    }

    /// Runs this server's heartbeat and all clean-up until the server shuts down. No job waits for another.
    pub async fn run_maintenance(self) {
        let beating = self.run_every(self.settings.lease / 3, || self.heartbeat());
        let cleaning = self.run_every(self.settings.cleaning_interval, || self.expire_records());
        let sweeping = self.run_every(self.abandoned_uploads_interval(), || {
            self.remove_abandoned_uploads()
        });
        let forgetting = self.run_every(ATTEMPT_EXPIRY_INTERVAL, || self.expire_ended_attempts());
        let holding = HELD_INTERVAL.min(self.settings.cleaning_interval);
        let holding = self.run_every(holding, || self.expire_held());
        let auditing = self.run_every(AUDIT_CHECK_INTERVAL, || self.store.check_audit_heads());
        let forgetting = Box::pin(forgetting);
        tokio::join!(
            beating,
            cleaning,
            Box::pin(sweeping),
            forgetting,
            Box::pin(auditing),
            Box::pin(holding)
        );
        if let Err(error) = self.store.remove_heartbeat(self.server).await {
            warn!(%error, "the heartbeat could not be removed; it expires");
        }
    }

    /// Does `work` now and after each `pause`, until the server shuts down.
    async fn run_every<F>(&self, pause: Duration, work: impl Fn() -> F)
    where
        F: Future<Output = Result<(), StoreError>>,
    {
        let mut ticks = interval(pause);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                _ = ticks.tick() => {}
            }
            // Work is never dropped half-way: its connection would return to the pool inside a transaction.
            if let Err(error) = work().await {
                warn!(%error, "maintenance failed; it is tried again");
            }
        }
    }

    /// The same importer for calls that fail at once while the database is away.
    #[must_use]
    pub fn without_retries(&self) -> Self {
        Self {
            store: self.store.without_retries(),
            ..self.clone()
        }
    }

    /// Returns the time of this importer's clock.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Tells other servers on the same database that this one is alive.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn heartbeat(&self) -> Result<(), StoreError> {
        self.store.record_heartbeat(self.server).await
    }

    async fn expire_records(&self) -> Result<(), StoreError> {
        let organizations = self.store.organizations_with_attempts().await?;
        self.expire_attempts(organizations).await?;
        let before = self.clock.now() - self.settings.result_retention;
        self.store.expire_results(before).await?;
        let before = self.clock.now() - self.settings.undo_retention;
        self.store.expire_changes(before).await?;
        if let Some(history) = self.settings.history {
            self.store
                .expire_history(self.clock.now() - history)
                .await?;
        }
        let retention = self.settings.result_retention;
        self.store.expire_uploads(retention).await?;
        if let Some(age) = self.settings.audit {
            self.store
                .expire_audit_events(self.clock.now() - age)
                .await?;
        }
        Ok(())
    }

    /// Notes that an attempt has ended before it began applying.
    fn note_attempt(&self, organization: i64) {
        self.attempted.lock().insert(organization);
    }

    /// Removes attempts that exceed the limit, for organisations with an attempt that ended here.
    async fn expire_ended_attempts(&self) -> Result<(), StoreError> {
        let attempted = std::mem::take(&mut *self.attempted.lock());
        self.expire_attempts(attempted).await
    }

    async fn expire_attempts(
        &self,
        organizations: impl IntoIterator<Item = i64>,
    ) -> Result<(), StoreError> {
        let retention = AttemptRetention {
            most: self.settings.attempts_kept,
            since: self.clock.now() - self.settings.attempt_retention,
        };
        for organization in organizations {
            self.store.expire_attempts(organization, retention).await?;
        }
        Ok(())
    }

    /// Finds an organisation by its slug.
    async fn organization(&self, slug: &str) -> Result<Organization, ImportError> {
        match self.store.organization(slug).await {
            Ok(organization) => Ok(organization),
            Err(StoreError::UnknownOrganization) => {
                Err(ImportError::UnknownOrganization(slug.to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until no import is being applied. `stop` must have been cancelled.
    pub async fn finish_applying(&self) {
        self.applying.close();
        self.applying.wait().await;
    }

    /// The audience of a caller's own import.
    #[must_use]
    pub fn submitter_audience(&self, principal: Arc<Principal>) -> ResultAudience {
        ResultAudience::of_own(self.authenticator.clone(), principal)
    }

    /// The audience of a caller who watches an import of the principal `ran_by`.
    #[must_use]
    pub fn watcher_audience(&self, principal: Arc<Principal>, ran_by: &str) -> ResultAudience {
        ResultAudience::of(ran_by, self.authenticator.clone(), principal)
    }

    /// Waits for an organisation's permit for the connections of imports.
    ///
    /// # Errors
    /// As [`Store::lane_permit`].
    pub async fn lane_permit(
        &self,
        organization: &str,
        gone: &CancellationToken,
    ) -> Result<LanePermit, StoreError> {
        self.store.lane_permit(organization, gone).await
    }

    /// How long after an import's end it can be undone.
    #[must_use]
    pub fn undo_retention(&self) -> Duration {
        self.settings.undo_retention
    }

    /// The limits on what a client may use.
    #[must_use]
    pub fn server_limits(&self) -> &ServerLimits {
        &self.settings.server
    }

    /// Buffers a client's requests as they come, and charges them to `account`.
    ///
    /// # Errors
    /// Never fails: nothing is held yet.
    pub fn buffer_requests(
        &self,
        requests: impl RequestStream + 'static,
        account: &MemoryAccount,
    ) -> Result<UploadBuffer, MemoryExhausted> {
        UploadBuffer::spawn(
            requests,
            self.settings.limits.max_bytes,
            self.settings.server.deadlines,
            account,
        )
    }

    /// Runs one import to its end. Call it in a task of its own, which is not dropped with the client's call.
    pub async fn run(
        self,
        submitter: Submitter,
        requests: impl RequestStream,
        responses: ResponseSender,
    ) {
        let began = self.clock.now();
        if let Err(error) = stages::run(&self, submitter, began, requests, &responses).await {
            responses.fail(error).await;
        }
    }
}

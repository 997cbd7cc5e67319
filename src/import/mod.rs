//! One import's life: receive → plan → guard → apply → deactivate → summary (semantics §3).
//!
//! Knows neither tonic nor SQL: messages of the contract come in as a stream and go out through an
//! [`Outlet`], so that a list of messages can drive it in a test.

mod apply;
mod attempt;
mod lease;
mod receive;
pub mod record;
pub mod respond;
mod review;
mod upload;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use time::OffsetDateTime;
use tokio::time::interval;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;
use uuid::Uuid;

use receive::ImportLimiter;
use upload::Runs;

pub use receive::Reservoir;
pub use receive::parse_filter;
pub use receive::{CONFIRMATION, Options};
pub use receive::{Received, Receiver};
pub use respond::{ImportError, Refusal, RefusalKind};
pub use respond::{Outlet, Replies};
pub use review::{Judged, Terms};

pub use crate::clock::Clock;
pub use receive::Inbound;
pub use upload::{Asked, Sender};

use crate::{
    access::{Audience, Gate, Principal},
    config::Settings,
    limits::{Account, MemoryExhausted, ServerLimits},
    store::{AttemptRetention, ConnectionLane, LanePermit, Store, StoreError},
};

/// Time between two looks whether directories that imports have written can be read again in peace.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);

/// Time between two looks whether an organisation has more attempts than are kept.
const FORGETTING_INTERVAL: Duration = Duration::from_secs(5);

/// Time between two looks whether an audit trail was cut off.
const AUDIT_INTERVAL: Duration = Duration::from_mins(1);

/// Runs imports.
#[derive(Clone, Debug)]
pub struct Importer {
    store: Store,
    settings: Arc<Settings>,
    clock: Clock,
    limiter: ImportLimiter,
    /// Looks again whether a credential is still good.
    gate: Gate,
    /// Names this server process among those on the same database.
    server: Uuid,
    /// Cancelled when the server shuts down.
    stop: CancellationToken,
    /// Counts the imports that are being applied.
    applying: TaskTracker,
    /// The imports that came in parts and run here.
    runs: Runs,
    /// Organisations that imports have written to since their directories were last read, and how many
    /// users each has by now.
    written: Arc<Mutex<HashMap<i64, usize>>>,
    /// Organisations with attempts that have ended without applying since it was last looked how many there are.
    attempted: Arc<Mutex<HashSet<i64>>>,
}

impl Importer {
    /// An importer into this database, until `stop` is cancelled.
    #[must_use]
    pub fn new(
        store: &Store,
        settings: Arc<Settings>,
        clock: Clock,
        gate: Gate,
        stop: CancellationToken,
    ) -> Self {
        Self {
            store: store.on_lane(ConnectionLane::Imports),
            limiter: ImportLimiter::new(&settings.server),
            settings,
            clock,
            gate,
            server: Uuid::now_v7(),
            stop,
            applying: TaskTracker::new(),
            runs: Runs::default(),
            written: Arc::default(),
            attempted: Arc::default(),
        }
    }

    /// Keeps this server's heartbeat and expires old results, until the server shuts down. The one
    /// never waits for the other.
    pub async fn keep_house(self) {
        let beating = self.every(self.settings.lease / 3, || self.beat());
        let cleaning = self.every(self.settings.cleaning_interval, || self.expire());
        let sweeping = self.every(self.sweeping_interval(), || self.sweep_uploads());
        let refreshing = self.every(REFRESH_INTERVAL, || self.refresh());
        let forgetting = self.every(FORGETTING_INTERVAL, || self.forget_attempts());
        let auditing = self.every(AUDIT_INTERVAL, || self.store.check_audit_heads());
        let forgetting = Box::pin(forgetting);
        tokio::join!(
            beating,
            cleaning,
            Box::pin(sweeping),
            refreshing,
            forgetting,
            Box::pin(auditing)
        );
        if let Err(error) = self.store.remove_heartbeat(self.server).await {
            warn!(%error, "the heartbeat could not be taken back; it runs out");
        }
    }

    /// Does something now and after each `pause`, until the server shuts down.
    async fn every<F>(&self, pause: Duration, work: impl Fn() -> F)
    where
        F: Future<Output = Result<(), StoreError>>,
    {
        let mut ticks = interval(pause);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                _ = ticks.tick() => {}
            }
            // Never dropped half-way: its connection would go back inside a transaction.
            if let Err(error) = work().await {
                warn!(%error, "housekeeping failed; it is tried again");
            }
        }
    }

    /// The time, by this importer's clock.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Tells other servers on the same database that this one is alive.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn beat(&self) -> Result<(), StoreError> {
        self.patiently(|| self.store.record_heartbeat(self.server))
            .await
    }

    /// An import has written to an organisation, which has so many users now.
    fn note_written(&self, organization: i64, users: usize) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.insert(organization, users);
    }

    /// Reads what imports have written while none runs: whoever comes next would have to wait for that.
    async fn refresh(&self) -> Result<(), StoreError> {
        if !self.limiter.is_idle() {
            return Ok(());
        }
        let written = {
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *written)
        };
        for (organization, users) in written {
            self.store
                .refresh_cached_directory(organization, users)
                .await?;
        }
        Ok(())
    }

    async fn expire(&self) -> Result<(), StoreError> {
        let organizations = self.store.organizations_with_attempts().await?;
        self.expire_attempts(organizations).await?;
        let before = self.clock.now() - self.settings.result_retention;
        self.store.expire_results(before).await?;
        let retention = self.settings.result_retention;
        self.store.expire_uploads(retention).await.map(|_| ())
    }

    /// An attempt has ended that never began applying.
    fn note_attempt(&self, organization: i64) {
        let attempted = self.attempted.lock();
        attempted
            .unwrap_or_else(PoisonError::into_inner)
            .insert(organization);
    }

    /// Keeps no more attempts than are kept, of the organisations that have had some here.
    async fn forget_attempts(&self) -> Result<(), StoreError> {
        let attempted = {
            let attempted = self.attempted.lock();
            std::mem::take(&mut *attempted.unwrap_or_else(PoisonError::into_inner))
        };
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

    /// Waits until no import is being applied any more; `stop` must have been cancelled.
    pub async fn finish_applying(&self) {
        self.applying.close();
        self.applying.wait().await;
    }

    /// The caller who sends an import, as one who is told of it.
    #[must_use]
    pub fn sender_audience(&self, principal: Arc<Principal>) -> Audience {
        Audience::of_own(self.gate.clone(), principal)
    }

    /// The caller who watches an import that the principal named `ran_by` ran.
    #[must_use]
    pub fn watcher_audience(&self, principal: Arc<Principal>, ran_by: &str) -> Audience {
        Audience::of(ran_by, self.gate.clone(), principal)
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

    /// What a client may take up.
    #[must_use]
    pub fn server_limits(&self) -> &ServerLimits {
        &self.settings.server
    }

    /// What a client sends, taken as it comes, and charged to `account`.
    ///
    /// # Errors
    /// Never: nothing is held yet.
    pub fn reservoir(
        &self,
        inbound: impl Inbound + 'static,
        account: &Account,
    ) -> Result<Reservoir, MemoryExhausted> {
        Reservoir::fill(
            inbound,
            self.settings.limits.max_bytes,
            self.settings.server.deadlines,
            account,
        )
    }

    /// Runs one import for its sender to its end: messages in, messages out. Must have a task of its own,
    /// which is not dropped with the client's call.
    pub async fn run(self, sender: Sender, inbound: impl Inbound, outlet: Outlet) {
        let began = self.clock.now();
        if let Err(error) = receive::run(&self, sender, began, inbound, &outlet).await {
            outlet.fail(error).await;
        }
    }
}

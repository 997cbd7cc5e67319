//! One import's life: receive → plan → guard → apply → deactivate → summary (semantics §3).
//!
//! Knows neither tonic nor SQL: messages of the contract come in as a stream and go out through an
//! [`Outlet`], so that a list of messages can drive it in a test.

mod admission;
mod apply;
mod attempt;
mod batch;
mod changed;
mod encoding;
mod follow;
mod guard;
mod journal;
mod lease;
mod noted;
mod options;
mod outlet;
mod pace;
mod patience;
mod pipeline;
mod progress;
mod receive;
pub mod record;
mod refusal;
mod reservoir;
mod session;
mod verdict;

use std::{sync::Arc, time::Duration};

use time::OffsetDateTime;
use tokio::time::interval;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;
use uuid::Uuid;

use admission::Admission;

pub use options::parse_filter;
pub use options::{CONFIRMATION, Options};
pub use outlet::{Outlet, Replies};
pub use receive::{Received, Receiver};
pub use refusal::{ImportError, Refusal, RefusalKind};
pub use reservoir::Reservoir;
pub use verdict::{Judged, Terms};

pub use crate::clock::Clock;
pub use session::Inbound;

use crate::{
    access::{Gate, Principal},
    config::Settings,
    domain::Actor,
    limits::ServerLimits,
    store::{Store, StoreError},
};

/// Runs imports.
#[derive(Clone, Debug)]
pub struct Importer {
    store: Store,
    settings: Arc<Settings>,
    clock: Clock,
    admission: Admission,
    /// Looks again whether a credential is still good.
    gate: Gate,
    /// Names this server process among those on the same database.
    server: Uuid,
    /// Cancelled when the server shuts down.
    stop: CancellationToken,
    /// Counts the imports that are being applied.
    applying: TaskTracker,
}

impl Importer {
    /// An importer into this database, until `stop` is cancelled.
    #[must_use]
    pub fn new(
        store: Store,
        settings: Arc<Settings>,
        clock: Clock,
        gate: Gate,
        stop: CancellationToken,
    ) -> Self {
        Self {
            store,
            admission: Admission::new(&settings.server),
            settings,
            clock,
            gate,
            server: Uuid::now_v7(),
            stop,
            applying: TaskTracker::new(),
        }
    }

    /// Keeps this server's heartbeat and expires old results, until the server shuts down. The one
    /// never waits for the other.
    pub async fn keep_house(self) {
        let beating = self.every(self.settings.lease / 3, || self.beat());
        let cleaning = self.every(self.settings.cleaning_interval, || self.expire());
        tokio::join!(beating, cleaning);
        if let Err(error) = self.store.end_beat(self.server).await {
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
        self.store.beat(self.server).await
    }

    async fn expire(&self) -> Result<(), StoreError> {
        let before = self.clock.now() - self.settings.result_retention;
        self.store.expire_results(before).await.map(|_| ())
    }

    /// Waits until no import is being applied any more; `stop` must have been cancelled.
    pub async fn finish_applying(&self) {
        self.applying.close();
        self.applying.wait().await;
    }

    /// What a client may take up.
    #[must_use]
    pub fn server_limits(&self) -> &ServerLimits {
        &self.settings.server
    }

    /// What a client sends, taken as it comes.
    #[must_use]
    pub fn reservoir(&self, inbound: impl Inbound + 'static) -> Reservoir {
        Reservoir::fill(
            inbound,
            self.settings.limits.max_bytes,
            self.settings.server.deadlines,
        )
    }

    /// Runs one import for `principal`, who is `actor` in the audit trail, to its end: messages in,
    /// messages out. Must have a task of its own, which is not dropped with the client's call.
    pub async fn run(
        self,
        principal: Arc<Principal>,
        actor: Actor,
        inbound: impl Inbound,
        outlet: Outlet,
    ) {
        if let Err(error) = session::run(&self, principal, actor, inbound, &outlet).await {
            outlet.fail(error).await;
        }
    }
}

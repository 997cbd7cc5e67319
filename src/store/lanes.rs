//! Connections of their own for interactive calls, imports and heavy reads, and one organisation's share of each.
//!
//! A flood of one kind waits behind itself, and so does a flood of one organisation: it never has all
//! connections of a lane, and a heavy read gives up its turn after each step, so that the others' come in
//! between. Heartbeats and renewals of leases have a connection that nobody else uses.

use std::{num::NonZero, sync::Arc, thread::available_parallelism, time::Duration};

use sea_orm::{ConnectOptions, DatabaseConnection};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    Store, StoreError, connect,
    keyed_queue::{KeyedPermit, KeyedQueue},
};

/// Connections of each lane; 16 in all, as an operator of `PostgreSQL` counts them for each server.
const INTERACTIVE: u32 = 4;
const IMPORTS: u32 = 8;
const HEAVY: u32 = 3;
const VITAL: u32 = 1;

/// Calls of one organisation that may use a lane's connections at a time.
const INTERACTIVE_SHARE: usize = 2;
const IMPORTS_SHARE: usize = 2;
const HEAVY_SHARE: usize = 1;

/// Directories and recorded results that one organisation's imports and watches read at a time.
const READINGS: usize = 2;

/// How long a call may wait for its organisation's share.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which connections a call uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionLane {
    /// Look-ups and small pages.
    Interactive,
    /// Imports: what they read and write.
    Imports,
    /// Searches, exports, large pages and changes of a catalog.
    Heavy,
}

/// The connections and the queues of all lanes.
#[derive(Debug)]
pub(super) struct Lanes {
    interactive: DatabaseConnection,
    imports: DatabaseConnection,
    heavy: DatabaseConnection,
    vital: DatabaseConnection,
    interactive_shares: KeyedQueue<String>,
    imports_shares: KeyedQueue<String>,
    heavy_shares: KeyedQueue<String>,
    readings: KeyedQueue<i64>,
    turns: Arc<Semaphore>,
}

/// An organisation's leave to use a lane, given back when dropped.
#[derive(Debug)]
pub struct LanePermit {
    _permit: KeyedPermit<String>,
    /// Of the heavy lane; the others have none to wait for.
    turns: Option<Arc<Semaphore>>,
    gone: CancellationToken,
}

/// Leave for one step of a read.
#[derive(Debug)]
pub struct ReadTurn {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Lanes {
    /// Connects: at once for interactive calls, for the others when they are first used.
    pub(super) async fn connect(
        options: &ConnectOptions,
        sqlite: bool,
    ) -> Result<Self, StoreError> {
        let lane = |connections: u32| {
            let mut options = options.clone();
            options
                .max_connections(connections)
                .connect_lazy(connections != INTERACTIVE);
            connect(options, sqlite)
        };
        Ok(Self {
            interactive: lane(INTERACTIVE).await?,
            imports: lane(IMPORTS).await?,
            heavy: lane(HEAVY).await?,
            vital: lane(VITAL).await?,
            interactive_shares: KeyedQueue::new(INTERACTIVE_SHARE),
            imports_shares: KeyedQueue::new(IMPORTS_SHARE),
            heavy_shares: KeyedQueue::new(HEAVY_SHARE),
            readings: KeyedQueue::new(READINGS),
            turns: Arc::new(Semaphore::new(heavy_turns())),
        })
    }

    pub(super) const fn connection(&self, lane: ConnectionLane) -> &DatabaseConnection {
        match lane {
            ConnectionLane::Interactive => &self.interactive,
            ConnectionLane::Imports => &self.imports,
            ConnectionLane::Heavy => &self.heavy,
        }
    }

    /// The connection for what keeps this process alive in the eyes of others.
    pub(super) const fn vital(&self) -> &DatabaseConnection {
        &self.vital
    }

    /// Leave to read an organisation's directory or recorded results.
    pub(super) async fn reading(&self, organization: i64) -> KeyedPermit<i64> {
        self.readings.acquire(organization).await
    }

    const fn shares(&self, lane: ConnectionLane) -> &KeyedQueue<String> {
        match lane {
            ConnectionLane::Interactive => &self.interactive_shares,
            ConnectionLane::Imports => &self.imports_shares,
            ConnectionLane::Heavy => &self.heavy_shares,
        }
    }
}

/// Steps of heavy reads at a time: half of the processors, so that the other half is left to the others.
fn heavy_turns() -> usize {
    let processors = available_parallelism().map_or(1, NonZero::get);
    (processors / 2).clamp(1, HEAVY as usize)
}

impl Store {
    /// The same database through the connections of another lane.
    #[must_use]
    pub fn on_lane(&self, lane: ConnectionLane) -> Self {
        Self {
            db: self.lanes.connection(lane).clone(),
            lane,
            ..self.clone()
        }
    }

    /// Waits for `organization`'s share of this lane: a slug, or whatever else stands for one caller.
    ///
    /// # Errors
    /// [`StoreError::Abandoned`] when `gone` is cancelled, [`StoreError::Busy`] where the organisation has
    /// more under way than it can be served in time.
    pub async fn lane_permit(
        &self,
        organization: &str,
        gone: &CancellationToken,
    ) -> Result<LanePermit, StoreError> {
        let queue = self.lanes.shares(self.lane);
        let permit = wait(queue.acquire(organization.to_owned()), gone).await?;
        Ok(LanePermit {
            _permit: permit,
            turns: (self.lane == ConnectionLane::Heavy).then(|| Arc::clone(&self.lanes.turns)),
            gone: gone.clone(),
        })
    }
}

impl LanePermit {
    /// Waits for a turn to make one step: of heavy reads only so many are made at a time.
    ///
    /// # Errors
    /// As [`Store::lane_permit`].
    pub async fn read_turn(&self) -> Result<ReadTurn, StoreError> {
        let Some(turns) = &self.turns else {
            return Ok(ReadTurn { _permit: None });
        };
        let permit = wait(Arc::clone(turns).acquire_owned(), &self.gone).await?;
        let permit = permit.map_err(StoreError::encoding)?;
        Ok(ReadTurn {
            _permit: Some(permit),
        })
    }
}

async fn wait<T>(
    permit: impl Future<Output = T>,
    gone: &CancellationToken,
) -> Result<T, StoreError> {
    let permit = gone.run_until_cancelled(timeout(PATIENCE, permit));
    match permit.await {
        // A permit that is free is had by one who has gone, too.
        Some(Ok(permit)) if !gone.is_cancelled() => Ok(permit),
        Some(Err(_)) => Err(StoreError::Busy),
        Some(Ok(_)) | None => Err(StoreError::Abandoned),
    }
}

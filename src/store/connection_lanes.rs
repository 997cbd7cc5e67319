//! Separate connections for interactive calls, imports and heavy reads, and how many of them one organisation may use.
//!
//! Many calls of one kind wait for each other, but calls of other kinds do not wait for them. The same holds for
//! organisations: no organisation ever has all connections of a lane, and a heavy read gives other reads a turn after
//! each step. Heartbeats and renewals of leases have a connection that nothing else uses.

use std::{num::NonZero, sync::Arc, thread::available_parallelism, time::Duration};

use sea_orm::{ConnectOptions, sqlx::PgPool};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    Store, StoreError,
    connect::connect,
    connection_pool::ConnectionPool,
    keyed_queue::{KeyedQueue, QueuePermit},
};

/// Connections of each lane: 16 in all, which an operator of `PostgreSQL` has to provide for each server.
const INTERACTIVE: u32 = 4;
const IMPORTS: u32 = 8;
const HEAVY: u32 = 3;
const HEARTBEAT: u32 = 1;

/// The most connections that a server opens.
pub(crate) const CONNECTIONS: u32 = INTERACTIVE + IMPORTS + HEAVY + HEARTBEAT;

/// Calls of one organisation that may use a lane at a time.
const INTERACTIVE_PERMITS: usize = 2;
const IMPORTS_PERMITS: usize = 2;
const HEAVY_PERMITS: usize = 1;

/// Directories and recorded results that one organisation's imports and watches read at a time.
const READINGS: usize = 2;

/// How long a call may wait for its organisation's permit.
const WAIT_LIMIT: Duration = Duration::from_secs(30);

/// The connections that a kind of call uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionLane {
    /// Look-ups and small pages.
    Interactive,
    /// Reads and writes of imports.
    Imports,
    /// Searches, exports, large pages and changes of a catalog.
    Heavy,
}

/// The connections and the queues of all lanes.
#[derive(Debug)]
pub(super) struct ConnectionLanes {
    interactive: ConnectionPool,
    imports: ConnectionPool,
    heavy: ConnectionPool,
    heartbeat: ConnectionPool,
    interactive_queue: KeyedQueue<String>,
    imports_queue: KeyedQueue<String>,
    heavy_queue: KeyedQueue<String>,
    reading_queue: KeyedQueue<i64>,
    turns: Arc<Semaphore>,
}

/// The permit of an organisation's call to use a lane. Dropping it gives the permit back.
#[derive(Debug)]
pub struct LanePermit {
    _permit: QueuePermit<String>,
    /// The turns of the heavy lane; reads in other lanes wait for none.
    turns: Option<Arc<Semaphore>>,
    gone: CancellationToken,
}

/// Permits one step of a heavy read.
#[derive(Debug)]
pub struct ReadTurn {
    _permit: Option<OwnedSemaphorePermit>,
}

impl ConnectionLanes {
    /// Opens the connections of interactive calls. The others are opened when they are first used.
    pub(super) async fn connect(
        options: &ConnectOptions,
        sqlite: bool,
        settings: Option<&Arc<str>>,
    ) -> Result<Self, StoreError> {
        let lane = async |connections: u32| {
            let mut options = options.clone();
            options
                .max_connections(connections)
                .connect_lazy(connections != INTERACTIVE);
            let pool = connect(options, sqlite).await?;
            Ok::<_, StoreError>(ConnectionPool::new(pool, settings.cloned()))
        };
        Ok(Self {
            interactive: lane(INTERACTIVE).await?,
            imports: lane(IMPORTS).await?,
            heavy: lane(HEAVY).await?,
            heartbeat: lane(HEARTBEAT).await?,
            interactive_queue: KeyedQueue::new(INTERACTIVE_PERMITS),
            imports_queue: KeyedQueue::new(IMPORTS_PERMITS),
            heavy_queue: KeyedQueue::new(HEAVY_PERMITS),
            reading_queue: KeyedQueue::new(READINGS),
            turns: Arc::new(Semaphore::new(heavy_turns())),
        })
    }

    /// The pools of all lanes; only for `PostgreSQL`.
    pub(super) fn postgres_pools(&self) -> Vec<PgPool> {
        let lanes = [
            &self.interactive,
            &self.imports,
            &self.heavy,
            &self.heartbeat,
        ];
        let pool = |lane: &ConnectionPool| lane.pool().get_postgres_connection_pool().clone();
        lanes.map(pool).to_vec()
    }

    pub(super) const fn connection(&self, lane: ConnectionLane) -> &ConnectionPool {
        match lane {
            ConnectionLane::Interactive => &self.interactive,
            ConnectionLane::Imports => &self.imports,
            ConnectionLane::Heavy => &self.heavy,
        }
    }

    /// The connection for heartbeats and renewals of leases.
    pub(super) const fn heartbeat(&self) -> &ConnectionPool {
        &self.heartbeat
    }

    /// Waits for a permit to read an organisation's directory or recorded results.
    pub(super) async fn reading(&self, organization: i64) -> QueuePermit<i64> {
        self.reading_queue.acquire(organization).await
    }

    const fn queue(&self, lane: ConnectionLane) -> &KeyedQueue<String> {
        match lane {
            ConnectionLane::Interactive => &self.interactive_queue,
            ConnectionLane::Imports => &self.imports_queue,
            ConnectionLane::Heavy => &self.heavy_queue,
        }
    }
}

/// Steps of heavy reads at a time: half of the processors, which leaves the other half to all other work.
fn heavy_turns() -> usize {
    let processors = available_parallelism().map_or(1, NonZero::get);
    (processors / 2).clamp(1, HEAVY as usize)
}

impl Store {
    /// The same store with the connections of another lane.
    #[must_use]
    pub fn on_lane(&self, lane: ConnectionLane) -> Self {
        Self {
            db: self.lanes.connection(lane).clone(),
            lane,
            ..self.clone()
        }
    }

    /// Waits for a permit of this lane for `organization`: a slug, or another text that stands for one caller.
    ///
    /// # Errors
    /// Fails with [`StoreError::Abandoned`] when `gone` is cancelled, and with [`StoreError::Busy`] if other calls of the
    /// organisation take too long.
    pub async fn lane_permit(
        &self,
        organization: &str,
        gone: &CancellationToken,
    ) -> Result<LanePermit, StoreError> {
        let queue = self.lanes.queue(self.lane);
        let permit = wait(queue.acquire(organization.to_owned()), gone).await?;
        Ok(LanePermit {
            _permit: permit,
            turns: (self.lane == ConnectionLane::Heavy).then(|| Arc::clone(&self.lanes.turns)),
            gone: gone.clone(),
        })
    }
}

impl LanePermit {
    /// Waits for a turn to make one step, if this is a permit of the heavy lane.
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
    let permit = gone.run_until_cancelled(timeout(WAIT_LIMIT, permit));
    match permit.await {
        // A caller that has gone may still have got a permit.
        Some(Ok(permit)) if !gone.is_cancelled() => Ok(permit),
        Some(Err(_)) => Err(StoreError::Busy),
        Some(Ok(_)) | None => Err(StoreError::Abandoned),
    }
}

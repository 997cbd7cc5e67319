//! An import waits for its turn to write to its organisation.
//!
//! Imports of this process take turns in order of arrival. Only the first of them asks the database for the lease. It
//! has to ask again only while another server's import has the lease. No import holds a connection while it waits.

use std::{pin::pin, time::Duration};

use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::HeldLease;
use crate::{
    import::{
        ImportError, Importer,
        receive::{AttemptRecording, ImportSession, WriteTurn},
    },
    store::{AttemptOpening, LeaseAnswer, LeaseRequest, NEXT_FOR},
    telemetry::metrics,
};

/// Pauses between two requests for a lease that another server's import has: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// How long an import waits before it is recorded, so that others see it. If its turn comes sooner, it is recorded
/// together with its lease, or with its rows if these are few.
const WAIT_RECORDED_AFTER: Duration = Duration::from_secs(1);

impl Importer {
    /// Fails if one import has held the organisation for as long as another one would wait for its turn, or if the
    /// holder is not alive.
    pub(in crate::import) async fn expect_turn(
        &self,
        organization: i64,
        import: Uuid,
    ) -> Result<(), ImportError> {
        let holder = self.store.holder(organization, self.settings.lease);
        match holder.await? {
            Some(holder)
                if holder.import != import
                    && !(holder.is_alive && holder.running < self.limiter.turn_timeout()) =>
            {
                Err(ImportError::OrganizationHeld(holder))
            }
            _ => Ok(()),
        }
    }
}

/// An import's turn among those of this process.
#[derive(Debug)]
pub(in crate::import) struct LeaseTurn {
    /// `None` if it has not come in time.
    turn: Option<WriteTurn>,
    /// When the import began to wait.
    asked: Instant,
}

impl LeaseTurn {
    /// How long the import has waited so far.
    pub(in crate::import) fn waited(&self) -> Duration {
        self.asked.elapsed()
    }

    /// Does not count this much of the time as waiting.
    pub(in crate::import) fn leave_out(&mut self, spent: Duration) {
        self.asked += spent;
    }
}

impl ImportSession<'_> {
    /// Waits for the turn among the imports of this process. If that takes long, records the attempt if it `opens` the
    /// import. Returns `None` if another attempt at this same import has begun applying.
    ///
    /// # Errors
    /// Fails if the client has gone, or the server shuts down.
    pub(in crate::import) async fn await_turn(
        &mut self,
        opens: bool,
    ) -> Result<Option<LeaseTurn>, ImportError> {
        let importer = self.importer;
        let asked = Instant::now();
        let until = asked + importer.limiter.turn_timeout();
        let slug = self.options.organization.clone();
        let mut waiting = pin!(importer.limiter.write_turn(&slug, until));
        let soon = timeout(WAIT_RECORDED_AFTER, self.while_wanted(waiting.as_mut())).await;
        let turn = match soon {
            Ok(turn) => turn?,
            Err(_) if opens && self.is_bound_once_recorded().await? => return Ok(None),
            Err(_) => self.while_wanted(waiting).await?,
        };
        Ok(Some(LeaseTurn { turn, asked }))
    }

    /// Takes the organisation's lease in turn, and records the attempt with it if it `opens` the import. Returns `None`
    /// if another attempt at this same import has the lease or has begun applying.
    ///
    /// # Errors
    /// Fails with [`ImportError::OrganizationHeld`] if the lease does not become free in time, or the holder is not
    /// alive; also if the client has gone, or the server shuts down.
    pub(in crate::import) async fn take_lease(
        &mut self,
        LeaseTurn { turn, asked }: LeaseTurn,
        opens: bool,
    ) -> Result<Option<HeldLease>, ImportError> {
        let importer = self.importer;
        let until = asked + importer.limiter.turn_timeout();
        let (mut pause, mut is_repeated) = (FIRST_PAUSE, false);
        let mut asks_next_at = asked;
        loop {
            // An import that has waited so long lets nobody pass.
            let out_of_turn = turn.is_none() || Instant::now() >= until;
            let is_held = match self.ask_for_lease(opens, is_repeated, out_of_turn).await? {
                LeaseAnswer::Taken(lease) => {
                    metrics::waited("lease", asked.elapsed());
                    if opens {
                        self.recording = AttemptRecording::Recorded;
                    }
                    let (store, ttl) = (importer.store.clone(), importer.settings.lease);
                    return Ok(Some(HeldLease::new(store, lease, ttl, turn)));
                }
                LeaseAnswer::NotRecorded(AttemptOpening::InUse) => {
                    return Err(ImportError::ImportIdInUse(self.record.id));
                }
                LeaseAnswer::NotRecorded(_) => return Ok(None),
                LeaseAnswer::Held(holder) if holder.import == self.record.id => return Ok(None),
                LeaseAnswer::Held(holder) if out_of_turn || !holder.is_alive => {
                    // If the answer to a commit was lost, this import may be written already.
                    return match opens && self.is_bound().await? {
                        true => Ok(None),
                        false => Err(ImportError::OrganizationHeld(holder)),
                    };
                }
                LeaseAnswer::Held(_) | LeaseAnswer::Busy => true,
                LeaseAnswer::Promised => false,
            };
            // While another server is next, there is nothing to ask for.
            if is_held && Instant::now() >= asks_next_at {
                let (store, server) = (&importer.store, importer.server);
                if store.ask_to_be_next(self.organization, server).await? {
                    asks_next_at = Instant::now() + NEXT_FOR / 3;
                }
            }
            let is_long = opens && asked.elapsed() >= WAIT_RECORDED_AFTER;
            if is_long && self.is_bound_once_recorded().await? {
                return Ok(None);
            }
            self.while_wanted(sleep(pause)).await?;
            pause = (pause * 2).min(LONGEST_PAUSE);
            is_repeated = true;
        }
    }

    /// Returns `true` if an attempt has begun applying under the ID of this one, which is not recorded.
    async fn is_bound(&self) -> Result<bool, ImportError> {
        if self.is_recorded() {
            return Ok(false);
        }
        let opening = self.importer.store.expected_opening(&self.record).await?;
        Ok(opening == Some(AttemptOpening::Bound))
    }

    /// Records the attempt, unless it is recorded. Returns `true` if another attempt has begun applying under its ID.
    async fn is_bound_once_recorded(&mut self) -> Result<bool, ImportError> {
        if self.is_recorded() {
            return Ok(false);
        }
        self.record_attempt().await?;
        Ok(self.resumed)
    }

    async fn ask_for_lease(
        &self,
        opens: bool,
        is_repeated: bool,
        out_of_turn: bool,
    ) -> Result<LeaseAnswer, ImportError> {
        let importer = self.importer;
        // If the database's answer is lost, that lease expires before another is taken.
        let take = importer.store.take_lease(LeaseRequest {
            opening: (opens && !self.is_recorded()).then_some(&self.record),
            is_repeated,
            out_of_turn,
            ..importer.lease_request(&self.record)
        });
        Ok(self.with_progress(take).await?)
    }
}

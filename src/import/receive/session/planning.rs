//! Deciding what the input comes to: one snapshot of the directory, and one plan made on it.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Reply, Session};
use crate::{
    domain::Row,
    import::{
        ImportError,
        review::{Judged, Terms, planned_import},
    },
    limits::Permit,
    plan::Scope,
    proto::{self, ImportPhase},
    store::{Snapshot, StoreError},
    telemetry::metrics::{self, Stage, Work},
};

/// How long a directory that was read ahead is held for an upload that has fallen silent.
const SILENCE: Duration = Duration::from_secs(2);

/// How long it is held at most: an upload that takes longer gains little by it.
const LONGEST: Duration = Duration::from_secs(30);

/// A directory that is being read, or has been, before the upload has been received.
pub(crate) struct Ahead {
    reading: JoinHandle<(Result<Snapshot, StoreError>, Permit<String>)>,
    begun: Instant,
    heard: Instant,
}

impl Ahead {
    /// The client has sent something.
    pub(crate) fn heard(&mut self) {
        self.heard = Instant::now();
    }

    /// Until when it is held.
    pub(crate) fn until(&self) -> Instant {
        (self.heard + SILENCE).min(self.begun + LONGEST)
    }
}

impl Session<'_> {
    /// Begins to read the directory while the rest of the upload comes in, once, where not too many do so.
    /// Whether it is still as it was then is asked once the lease is held.
    pub(crate) fn look_ahead(&mut self) {
        if self.looked_ahead {
            return;
        }
        let limiter = &self.importer.limiter;
        let Some(permit) = limiter.look_ahead(&self.options.organization) else {
            return;
        };
        self.looked_ahead = true;
        let (store, organization) = (self.importer.store.clone(), self.organization);
        let now = Instant::now();
        // Nobody may abort it: its connection would go back inside a transaction.
        let reading = tokio::spawn(async move { (store.snapshot(organization).await, permit) });
        self.ahead = Some(Ahead {
            reading,
            begun: now,
            heard: now,
        });
    }

    /// The directory as it is now.
    async fn snapshot(&self, ahead: Option<Ahead>) -> Result<Snapshot, ImportError> {
        let (store, organization) = (&self.importer.store, self.organization);
        if let Some(ahead) = ahead
            && let (Ok(snapshot), _permit) = ahead.reading.await?
        {
            let revision = self.importer.patiently(|| store.revision(organization));
            if revision.await? == snapshot.revision {
                return Ok(snapshot);
            }
        }
        let snapshot = self.importer.patiently(|| store.snapshot(organization));
        Ok(snapshot.await?)
    }

    pub(crate) async fn plan(&mut self, rows: Arc<Vec<Row>>) -> Result<Judged, ImportError> {
        let _stage = Stage::begin("plan");
        self.progress.enter(ImportPhase::Planning);
        let import = self.record.id;
        let reading = Work::begin("snapshot");
        let ahead = self.ahead.take();
        let snapshot = self.snapshot(ahead);
        let snapshot = self.with_progress(snapshot).await?;
        drop(reading);
        let scope = match &self.options.deactivate_missing {
            Some(missing) => Some(missing.resolve(&snapshot.catalog)?),
            None => None,
        };
        let asked = Instant::now();
        let limiter = &self.importer.limiter;
        let turn = limiter.planning_turn(&self.options.organization);
        let turn = self.with_progress(turn).await;
        metrics::waited("planning", asked.elapsed());
        let terms = self.terms(scope);
        let planning = self.while_told(|wanted| judge(rows, snapshot, import, terms, wanted));
        let judged = self.with_progress(planning).await?;
        drop(turn);
        self.summary.rows = u32::try_from(judged.rows.len()).unwrap_or(u32::MAX);
        self.progress.set_planned(self.summary.rows);
        self.summary.plan_digest = judged.plan.digest.to_vec();
        planned_import::fill(&mut self.summary, &judged.tally());
        self.summary.identity_changes = judged.plan.identity_changes;
        self.warn_of_skipped(&judged);
        Ok(judged)
    }

    /// Plans; a dry run only while there is somebody to tell.
    pub(crate) async fn while_told<F>(
        &self,
        plan: impl FnOnce(Wanted) -> F,
    ) -> Result<Judged, ImportError>
    where
        F: Future<Output = Result<Judged, ImportError>>,
    {
        // Dropped together with this future.
        let here = CancellationToken::new();
        let planning = plan(Wanted(here.clone()));
        let _here = here.drop_guard();
        tokio::select! {
            judged = planning => judged,
            () = self.outlet.closed(), if self.options.validate_only => Err(ImportError::Broken),
        }
    }

    /// What this caller's plans are made under.
    pub(crate) fn terms(&self, scope: Option<Scope>) -> Terms {
        Terms {
            scope,
            match_by: self.options.match_by,
            permitted: self.principal.permissions.into(),
            digest_key: self.digest_key.clone(),
        }
    }

    /// In place of what an earlier plan of this attempt said.
    fn warn_of_skipped(&mut self, judged: &Judged) {
        let warnings = &mut self.summary.warnings;
        warnings.retain(|known| known.code() != proto::IssueCode::RoleNotGrantable);
        warnings.extend(judged.skipped().iter().map(Into::into));
    }

    /// Tells what would happen, without writing.
    pub(crate) async fn preview(&self, judged: &Judged) {
        let rows = (0u32..).take(judged.rows.len());
        let results = judged.results(rows, self.options.filter, self.options.include_values);
        let _ = self.outlet.send_all(results.map(Reply::Results)).await
            && self
                .outlet
                .send_all(planned_import::deactivations(judged.missing()).map(Reply::Deactivations))
                .await;
    }
}

/// Whether a plan is still wanted.
#[derive(Clone, Debug)]
pub(crate) struct Wanted(CancellationToken);

impl Wanted {
    /// To the end, whoever goes.
    pub(crate) fn to_the_end() -> Self {
        Self(CancellationToken::new())
    }
}

/// Plans on a thread for blocking work.
pub(crate) async fn judge(
    rows: Arc<Vec<Row>>,
    snapshot: Snapshot,
    import: Uuid,
    terms: Terms,
    Wanted(over): Wanted,
) -> Result<Judged, ImportError> {
    let planning = spawn_blocking(move || {
        let wanted = || !over.is_cancelled();
        Judged::new(rows, snapshot, import, terms, &wanted)
    });
    planning.await?.ok_or(ImportError::Broken)
}

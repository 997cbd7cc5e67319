//! Plans rows on a blocking thread.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::planned_import::PlannedImport;
use crate::{
    domain::Row,
    import::ImportError,
    plan::{ByRow, PlanningTerms},
    store::Snapshot,
};

/// What a plan is made from.
#[derive(Debug)]
pub struct PlanningInput {
    /// The rows, in order.
    pub rows: Arc<ByRow<Row>>,
    /// The users and the catalog.
    pub snapshot: Snapshot,
    /// The import's ID.
    pub import: Uuid,
    /// What the plan depends on besides.
    pub terms: PlanningTerms,
}

/// Plans rows that are to be written: new users get their IDs.
#[tracing::instrument(skip_all)]
pub(crate) async fn plan_rows_to_write(input: PlanningInput) -> Result<PlannedImport, ImportError> {
    let planning = spawn_blocking(move || {
        let mut planned = PlannedImport::new(input, &|| true)?;
        planned.assign_ids();
        Some(planned)
    });
    planning.await?.ok_or(ImportError::ClientGone)
}

/// Plans `input`. Fails with [`ImportError::ClientGone`] if planning is cancelled.
#[tracing::instrument(skip_all)]
pub(crate) async fn plan_rows(
    input: PlanningInput,
    cancelled: CancellationToken,
) -> Result<PlannedImport, ImportError> {
    let planning = spawn_blocking(move || PlannedImport::new(input, &|| !cancelled.is_cancelled()));
    planning.await?.ok_or(ImportError::ClientGone)
}
